/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: sessions and recovery. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "face/cli_private.h"

/* ---- what is shown ---- */

static json_t *failure_json(const struct record_failure *failure)
{
	if (failure->reason == CG_FAILURE_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o, s:I, s:o}", "reason", cg_failure_names[failure->reason],
			 "phase", session_phase_names[failure->phase], "system", cli_text_or_null(failure->system),
			 "lss", *failure->system ? cli_hex(failure->lss, 2) : json_null(),
			 "sequence", (json_int_t)failure->sequence, "at", cli_wall(failure->at_wall_ns));
}

/* Only the master asks them. */
static json_t *members_json(const struct copy_session_info *info)
{
	bool grouped = info->type != SESSION_XDC, asks = grouped || info->role == SESSION_MASTER;
	json_t *list = json_array();

	for (unsigned i = 0; i < info->member_count; i++) {
		bool known = grouped && info->member_reached[i];

		cli_append(&list, json_pack("{s:s, s:o, s:o}", "system", info->members[i], "reached",
					    asks ? json_boolean(info->member_reached[i]) : json_null(), "state",
					    known ? json_string(session_state_names[info->member_states[i]])
						  : json_null()));
	}
	return list;
}

static int64_t round_ms(int64_t ns)
{
	return (ns + RT_MS / 2) / RT_MS;
}

static json_t *allowed_json(const struct copy_session_info *info)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < info->allowed_count; i++)
		cli_append(&list, json_string(info->allowed[i]));
	return list;
}

/* What a system of this role cannot know is null. */
static json_t *session_json(const struct copy_session_info *info)
{
	bool far = info->role == SESSION_FAR, leads = !far && info->role != SESSION_SUBORDINATE;
	const struct session_tunables *tunables = &info->tunables;

	return json_pack("{s:i, s:s, s:s, s:s, s:b, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
			 "session", info->session, "type", session_type_names[info->type],
			 "role", session_role_names[info->role],
			 "state", session_state_names[info->state], "held", info->held,
			 "allowed", allowed_json(info),
			 "state_since", cli_wall(info->state_since_wall_ns), "phase", session_phase_names[info->phase],
			 "phase_since", cli_wall(info->phase_since_wall_ns),
			 "waiting_for", cli_text_or_null(info->waiting_for),
			 "waiting_since", cli_wall(info->waiting_since_wall_ns),
			 "master", cli_text_or_null(info->master),
			 "master_lss", leads && *info->master ? cli_hex(info->master_lss, 2) : json_null(),
			 "members", members_json(info),
			 "interval_us", cli_known(leads, tunables->interval_ns / RT_US),
			 "coordination_ms", cli_known(leads, tunables->coordination_ns / RT_MS),
			 "drain_ms", cli_known(leads, tunables->drain_ns / RT_MS),
			 "keep_ms", cli_known(leads, tunables->keep_ns / RT_MS),
			 "keep_size_bytes", cli_known(leads, (int64_t)tunables->keep_bytes),
			 "sequence", cli_known(!info->sequence_unknown, (int64_t)info->sequence),
			 "cg_at", cli_wall(info->cg_wall_ns),
			 "rpo_ms", cli_known(info->rpo_ns >= 0, round_ms(info->rpo_ns)),
			 "out_of_sync_blocks", cli_known(!far, (int64_t)info->out_of_sync_blocks),
			 "hold_us_p99", cli_known(!far, info->hold_p99_ns / RT_US),
			 "hold_us_max", cli_known(!far, info->hold_max_ns / RT_US),
			 "cg_good", cli_known(leads, (int64_t)info->cg_good),
			 "cg_failed", cli_known(leads, (int64_t)info->cg_failed),
			 "cg_failed_since_good", cli_known(leads, (int64_t)info->cg_failed_since_good),
			 "first_failure", failure_json(&info->first_failure),
			 "previous_failure", failure_json(&info->previous_failure),
			 "last_failure", failure_json(&info->last_failure),
			 "volume_count", info->volumes, "joined_count", info->joined,
			 "prepared_sequence", cli_known(far, (int64_t)info->prepared),
			 "journal_bytes", cli_known(far, (int64_t)info->journal_bytes),
			 "journal_limit_bytes", cli_known(far, (int64_t)info->journal_limit_bytes),
			 "unapplied_bytes", cli_known(far, (int64_t)info->unapplied_bytes),
			 "kept_bytes", cli_known(far, (int64_t)info->kept_bytes));
}

static void add_problem(void *arg, const struct copy_problem *problem)
{
	cli_append(arg, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "kind", problem_kind_names[problem->kind],
				  "system", cli_text_or_null(problem->system),
				  "volume", problem->volume < 0 ? json_null() : cli_hex((unsigned)problem->volume, 4),
				  "since", cli_wall(problem->since_wall_ns),
				  "reason", cli_text_or_null(problem->reason),
				  "remedy", cli_text_or_null(problem->remedy)));
}

static void add_volume(void *arg, const struct copy_session_volume *volume)
{
	cli_append(arg, json_pack("{s:o, s:b}", "volume", cli_hex(volume->volume, 4), "joined", volume->joined));
}

static void add_practice_volume(void *arg, const struct copy_practice_volume *volume)
{
	cli_append(arg, json_pack("{s:o, s:o}", "volume", cli_hex(volume->volume, 4), "of",
				  cli_hex(volume->source, 4)));
}

static json_t *practice_json(struct copy *copy, uint8_t session)
{
	struct copy_practice_info info;
	json_t *volumes;

	if (!copy_practice_get(copy, session, &info))
		return json_null();
	volumes = json_array();
	copy_practice_each_volume(copy, session, add_practice_volume, &volumes);
	return json_pack("{s:I, s:o, s:o, s:s, s:I, s:o}", "sequence", (json_int_t)info.sequence, "cg_at",
			 cli_wall(info.cg_wall_ns), "created_at", cli_wall(info.created_wall_ns), "state",
			 info.failed ? "failed" : "usable", "own_bytes", (json_int_t)info.own_bytes, "volumes",
			 volumes);
}

/* Takes the list over. *object is NULL when there is no memory, as it may be before. */
static void add_list(json_t **object, const char *key, json_t *list)
{
	if (json_object_set_new(*object, key, list) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

uint8_t cli_session(const struct cli_request *request)
{
	return (uint8_t)cli_number(request, "session");
}

int cli_session_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy *copy = control_copy(request->control);
	uint8_t session = cli_session(request);
	struct copy_session_info info;
	json_t *json, *volumes, *problems;
	char object[16];

	if (copy_session_get(copy, session, &info)) {
		snprintf(object, sizeof(object), "session %u", session);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list",
				 "there is no such session here");
	}
	volumes = json_array();
	problems = json_array();
	copy_session_each_problem(copy, session, add_problem, &problems);
	copy_session_each_volume(copy, session, add_volume, &volumes);
	json = session_json(&info);
	add_list(&json, "problems", problems);
	add_list(&json, "volumes", volumes);
	add_list(&json, "practice", practice_json(copy, session));
	return cli_answer(json, result, fault);
}

int cli_session_after(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_session_info info;

	if (!copy_session_get(control_copy(request->control), cli_session(request), &info))
		return cli_session_show(request, result, fault);
	return cli_answer(json_pack("{s:i, s:n}", "session", cli_session(request), "state"), result, fault);
}

static void add_session(void *arg, const struct copy_session_info *info)
{
	cli_append(arg, session_json(info));
}

static int session_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	copy_session_each(control_copy(request->control), add_session, &list);
	return cli_answer(list, result, fault);
}

/* ---- what is changed ---- */

static int session_open(const struct cli_request *request, json_t **result, struct fault *fault)
{
	enum session_type type = (enum session_type)cli_number(request, "type");	/* not given: xdc */

	if (control_session_open(request->control, cli_session(request), (uint8_t)cli_number(request, "lss"), type,
				 fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_close(const struct cli_request *request, json_t **result, struct fault *fault)
{
	(void)result;
	return copy_session_close(control_copy(request->control), cli_session(request),
				  (uint8_t)cli_number(request, "lss"), fault);
}

/* add and remove. */
static int change_volumes(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy *copy = control_copy(request->control);
	const struct arg_value *values;
	unsigned count = cli_count(request, "volumes", &values);
	uint16_t volumes[OP_VOLUMES_MAX];
	int rc;

	assert(count <= sizeof(volumes) / sizeof(volumes[0]));
	for (unsigned i = 0; i < count; i++)
		if (control_volume_find(request->control, values[i].text, &volumes[i], fault))
			return -1;
	if (!strcmp(request->operation->verb, "add"))
		rc = copy_session_add(copy, cli_session(request), volumes, count, fault);
	else
		rc = copy_session_remove(copy, cli_session(request), volumes, count, fault);
	return rc ? -1 : cli_session_show(request, result, fault);
}

static void fill_tunables(const struct cli_request *request, struct session_start *start)
{
	start->has_interval = cli_given(request, "interval");
	start->has_coordination = cli_given(request, "coordination");
	start->has_drain = cli_given(request, "drain");
	start->has_keep = cli_given(request, "keep");
	start->has_keep_bytes = cli_given(request, "keep-size");
	start->tunables.interval_ns = (int64_t)cli_number(request, "interval");
	start->tunables.coordination_ns = (int64_t)cli_number(request, "coordination");
	start->tunables.drain_ns = (int64_t)cli_number(request, "drain");
	start->tunables.keep_ns = (int64_t)cli_number(request, "keep");
	start->tunables.keep_bytes = cli_number(request, "keep-size");
}

static int session_start(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct session_start start = {
		.session = cli_session(request), .master_lss = (uint8_t)cli_number(request, "master"),
	};
	const struct arg_value *values;
	unsigned count = cli_count(request, "subordinate", &values);

	assert(count < XDC_SESSION_MEMBERS_MAX);
	for (unsigned i = 0; i < count; i++) {
		snprintf(start.subordinates[i].system, sizeof(start.subordinates[i].system), "%s", values[i].system);
		start.subordinates[i].lss = (uint8_t)values[i].number;
	}
	start.subordinate_count = count;
	fill_tunables(request, &start);
	if (copy_session_start(control_copy(request->control), &start, fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_resume(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct session_start start = { .session = cli_session(request) };

	fill_tunables(request, &start);
	if (control_session_resume(request->control, &start, fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_pause(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (control_session_pause(request->control, cli_session(request), cli_given(request, "consistent"), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_freeze(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (control_session_freeze(request->control, cli_session(request), (int64_t)cli_number(request, "hold"), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_flash(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (copy_session_flash(control_copy(request->control), cli_session(request), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_run(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (copy_session_run(control_copy(request->control), cli_session(request), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_swap(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (control_session_swap(request->control, cli_session(request), fault))
		return -1;
	return cli_session_show(request, result, fault);
}

static int session_terminate(const struct cli_request *request, json_t **result, struct fault *fault)
{
	if (control_session_terminate(request->control, cli_session(request), cli_given(request, "force"), fault))
		return -1;
	return cli_session_after(request, result, fault);
}

const struct cli_binding cli_bindings_session[] = {
	{ "session", "open", session_open },
	{ "session", "close", session_close },
	{ "session", "add", change_volumes },
	{ "session", "remove", change_volumes },
	{ "session", "start", session_start },
	{ "session", "list", session_list },
	{ "session", "show", cli_session_show },
	{ "session", "pause", session_pause },
	{ "session", "resume", session_resume },
	{ "session", "freeze", session_freeze },
	{ "session", "flash", session_flash },
	{ "session", "run", session_run },
	{ "session", "swap", session_swap },
	{ "session", "terminate", session_terminate },
	{ NULL, NULL, NULL },
};
