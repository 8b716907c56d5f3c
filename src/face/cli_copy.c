/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: paths, pairs and sessions. */
#include <stdio.h>
#include <string.h>

#include "face/cli_private.h"

/* ---- paths ---- */

static json_t *path_json(const struct copy_path_info *info)
{
	const struct copy_path *path = &info->path;

	return json_pack("{s:o, s:o, s:s, s:s, s:b, s:b, s:I, s:o, s:s, s:o, s:o, s:o, s:I, s:I}",
			 "source_lss", cli_hex(path->source_lss, 2), "target_lss", cli_hex(path->target_lss, 2),
			 "system", path->system, "address", path->address, "compress", path->compress,
			 "group", path->group, "group_timeout_ms", (json_int_t)(path->group_timeout_ns / RT_MS),
			 "limit_bytes", cli_known(path->limit_bytes != 0, (int64_t)path->limit_bytes),
			 "state", info->connected ? "connected" : "disconnected",
			 "since", cli_wall(info->since_wall_ns),
			 "error", cli_text_or_null(info->connected ? NULL : info->error),
			 "round_trip_us", cli_known(info->round_trip_us, (int64_t)info->round_trip_us),
			 "sent_bytes", (json_int_t)info->sent_bytes,
			 "received_bytes", (json_int_t)info->received_bytes);
}

static void fill_path(const struct cli_request *request, struct copy_path *path)
{
	*path = (struct copy_path){
		.source_lss = (uint8_t)cli_number(request, "source-lss"),
		.target_lss = (uint8_t)cli_number(request, "target-lss"),
	};
	snprintf(path->system, sizeof(path->system), "%s", cli_text(request, "system"));
}

struct path_search {
	struct copy_path wanted;
	json_t *found;
};

static void match_path(void *arg, const struct copy_path_info *info)
{
	struct path_search *search = arg;

	if (!search->found && info->path.source_lss == search->wanted.source_lss &&
	    info->path.target_lss == search->wanted.target_lss && !strcmp(info->path.system, search->wanted.system))
		search->found = path_json(info);
}

static int path_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct path_search search = { .found = NULL };
	char object[64];

	fill_path(request, &search.wanted);
	copy_path_each(control_copy(request->control), match_path, &search);
	if (!search.found) {
		snprintf(object, sizeof(object), "path %02X %02X to %s", search.wanted.source_lss,
			 search.wanted.target_lss, search.wanted.system);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc path list", "there is no such path");
	}
	return cli_answer(search.found, result, fault);
}

static int path_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_path path;

	fill_path(request, &path);
	snprintf(path.address, sizeof(path.address), "%s", cli_text(request, "to"));
	path.compress = cli_given(request, "compress");
	path.group = cli_given(request, "group");
	path.group_timeout_ns = (int64_t)cli_number(request, "timeout");
	path.limit_bytes = cli_number(request, "limit");
	return control_path_create(request->control, &path, fault) ? -1 : path_show(request, result, fault);
}

static int path_set(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const struct copy_path_change change = {
		.sets_limit = cli_given(request, "limit"), .limit_bytes = cli_number(request, "limit"),
		.sets_group = cli_given(request, "group") || cli_given(request, "no-group"),
		.group = cli_given(request, "group"),
		.sets_timeout = cli_given(request, "timeout"),
		.group_timeout_ns = (int64_t)cli_number(request, "timeout"),
	};
	struct copy_path path;

	fill_path(request, &path);
	if ((change.sets_limit || change.sets_group || change.sets_timeout) &&
	    control_path_set(request->control, &path, &change, fault))
		return -1;
	return path_show(request, result, fault);
}

static int path_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_path path;

	(void)result;
	fill_path(request, &path);
	return control_path_delete(request->control, &path, fault);
}

static void add_path(void *arg, const struct copy_path_info *info)
{
	cli_append(arg, path_json(info));
}

static int path_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	copy_path_each(control_copy(request->control), add_path, &list);
	return cli_answer(list, result, fault);
}

/* ---- pairs ---- */

static json_t *history_json(const struct history *history)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < history->count && i < HISTORY_MAX; i++) {
		const struct history_entry *entry = &history->entries[i];

		cli_append(&list, json_pack("{s:o, s:I, s:o}", "generation", cli_uuid(entry->generation),
					    "sequence", (json_int_t)entry->sequence,
					    "began_at", cli_wall(entry->began_wall_ns)));
	}
	return list;
}

/* What hosts wait for, that write to a synchronous pair. "": nothing. */
static const char *waits_for(const struct copy_pair_info *info)
{
	if (info->frozen)
		return "pair run";
	if (!info->waiting_requests)
		return "";
	return info->state == PAIR_FULL_DUPLEX && info->reason == PAIR_REASON_NONE ? info->system : "its suspension";
}

static json_t *pair_json(const struct copy_pair_info *info)
{
	char remedy[COPY_REMEDY_MAX];

	copy_pair_remedy(info, remedy);
	/* Only the source knows whether all of it has been copied. */
	return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:s, s:o, s:o, s:b, s:o, s:i, s:o, s:o}",
			 "volume", cli_hex(info->volume, 4), "remote_volume", cli_hex(info->remote_volume, 4), "system",
			 info->system, "role", pair_role_names[info->is_source ? PAIR_SOURCE : PAIR_TARGET], "type",
			 pair_type_names[info->type], "state", pair_state_names[info->state], "reason",
			 info->reason == PAIR_REASON_NONE ? json_null() : json_string(pair_reason_names[info->reason]),
			 "remedy", cli_text_or_null(remedy), "since", cli_wall(info->since_wall_ns), "session",
			 cli_known(info->session, info->session), "joined", info->joined, "first_copy_done",
			 info->is_source ? json_boolean(info->first_copy_done) : json_null(), "first_copy_bytes",
			 cli_known(info->is_source, (int64_t)info->first_copy_bytes), "size_bytes",
			 (json_int_t)info->size_bytes, "out_of_sync_blocks", (json_int_t)info->out_of_sync_blocks,
			 "unsent_blocks", (json_int_t)info->unsent_blocks, "sent_bytes", (json_int_t)info->sent_bytes,
			 "compared_bytes", (json_int_t)info->compared_bytes, "same_bytes", (json_int_t)info->same_bytes,
			 "copy_state", copy_state_names[info->copy_state],
			 "allowed", cli_allowed(info->copy_type, info->copy_state),
			 "priority", info->is_source ? json_string(copy_priority_names[info->priority]) : json_null(),
			 "critical", info->critical, "waits_for", cli_text_or_null(waits_for(info)),
			 "waiting_requests", (int)info->waiting_requests,
			 "verify", cli_verify_json(&info->verify), "history", history_json(&info->history));
}

/* Null when the other side does not answer. */
static json_t *pair_far_json(struct copy *copy, const struct copy_pair_name *pair)
{
	struct copy_pair_far far;

	if (!copy_pair_ask_far(copy, pair, &far))
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:o}", "state", pair_state_names[far.state],
			 "verdict", history_verdict_names[far.verdict], "noted_bytes", (json_int_t)far.noted_bytes,
			 "history", history_json(&far.history));
}

int cli_find_pair(const struct cli_request *request, struct copy_pair_name *pair, struct fault *fault)
{
	uint16_t volume;

	if (cli_find_volume(request, &volume, fault))
		return -1;
	*pair = copy_pair_name_of(volume, cli_given(request, "to") ? cli_text(request, "to") : "");
	return 0;
}

int cli_answer_pair(const struct cli_request *request, const struct copy_pair_name *pair, json_t **result,
		    struct fault *fault)
{
	struct copy_pair_info info;
	char object[16];

	if (copy_pair_get(control_copy(request->control), pair, &info))
		return cli_answer(pair_json(&info), result, fault);
	snprintf(object, sizeof(object), "volume %04X", pair->volume);
	if (!copy_pair_count(control_copy(request->control), pair->volume))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair list", "it is in no pair");
	return copy_pair_fault_unnamed(control_copy(request->control), pair, fault);
}

static int pair_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault) || cli_answer_pair(request, &pair, result, fault))
		return -1;
	if (!json_object_set_new(*result, "far", pair_far_json(control_copy(request->control), &pair)))
		return 0;
	json_decref(*result);
	*result = NULL;
	return cli_out_of_memory(fault);
}

static int pair_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_pair_request pair = {
		.target = (uint16_t)cli_number(request, "target"),
		.type = (enum pair_type)cli_number(request, "type"),
		.priority = COPY_LOW,
		.critical = cli_given(request, "critical"),
		.compare = cli_given(request, "compare"),
		.no_copy = cli_given(request, "no-copy"),
	};
	struct copy_pair_name name;

	if (cli_find_volume(request, &pair.source, fault))
		return -1;
	if (cli_given(request, "priority"))
		pair.priority = (enum copy_priority)cli_number(request, "priority");
	snprintf(pair.system, sizeof(pair.system), "%s", cli_text(request, "system"));
	if (control_pair_create(request->control, &pair, fault))
		return -1;
	name = copy_pair_name_of(pair.source, pair.system);
	return cli_answer_pair(request, &name, result, fault);
}

static int pair_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_pair_name pair;

	(void)result;
	if (cli_find_pair(request, &pair, fault))
		return -1;
	return control_pair_delete(request->control, &pair, cli_given(request, "force"), fault);
}

/* What changes a pair and needs only its volume. */
static int change_pair(const struct cli_request *request, json_t **result, struct fault *fault)
{
	static const struct {
		const char *verb;
		int (*fn)(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);
	} changes[] = {
		{ "suspend", copy_pair_suspend }, { "resume", copy_pair_resume },
		{ "go-to-sync", copy_pair_go_to_sync }, { "leave-sync", copy_pair_leave_sync },
	};
	struct copy *copy = control_copy(request->control);
	int rc = -1;
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault))
		return -1;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (!strcmp(request->operation->verb, changes[i].verb))
			rc = changes[i].fn(copy, &pair, fault);
	return rc ? -1 : cli_answer_pair(request, &pair, result, fault);
}

static int pair_set(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault))
		return -1;
	if (cli_given(request, "priority") &&
	    copy_pair_set_priority(control_copy(request->control), &pair,
				   (enum copy_priority)cli_number(request, "priority"), fault))
		return -1;
	return cli_answer_pair(request, &pair, result, fault);
}

static int pair_freeze(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_path path;

	(void)result;
	fill_path(request, &path);
	return copy_path_freeze(control_copy(request->control), &path, (int64_t)cli_number(request, "hold"), fault);
}

static int pair_run(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_path path;

	(void)result;
	fill_path(request, &path);
	return copy_path_run(control_copy(request->control), &path, fault);
}

static int pair_failover(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_pair_name pair;

	if (cli_find_pair(request, &pair, fault) ||
	    copy_pair_failover(control_copy(request->control), &pair, cli_given(request, "force"), fault))
		return -1;
	return cli_answer_pair(request, &pair, result, fault);
}

static void add_pair(void *arg, const struct copy_pair_info *info)
{
	cli_append(arg, pair_json(info));
}

static int pair_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	copy_pair_each(control_copy(request->control), add_pair, &list);
	return cli_answer(list, result, fault);
}

const struct cli_binding cli_bindings_copy[] = {
	{ "path", "create", path_create },
	{ "path", "list", path_list },
	{ "path", "show", path_show },
	{ "path", "set", path_set },
	{ "path", "delete", path_delete },
	{ "pair", "create", pair_create },
	{ "pair", "list", pair_list },
	{ "pair", "show", pair_show },
	{ "pair", "delete", pair_delete },
	{ "pair", "suspend", change_pair },
	{ "pair", "resume", change_pair },
	{ "pair", "go-to-sync", change_pair },
	{ "pair", "leave-sync", change_pair },
	{ "pair", "freeze", pair_freeze },
	{ "pair", "run", pair_run },
	{ "pair", "set", pair_set },
	{ "pair", "failover", pair_failover },
	{ NULL, NULL, NULL },
};
