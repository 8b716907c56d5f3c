/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: FlashCopies. */
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "face/cli_private.h"
#include "rt/mem.h"

static const char *remedy_of(const struct copy_flash_info *info)
{
	if (info->record.state == FLASH_FAILED)
		return "delete it, and create it again when the target has space and its disk works";
	if (info->record.state == FLASH_REVERTIBLE)
		return "xdc flash commit, or xdc flash revert: until then neither volume is written";
	return info->is_offline ? "mend the volume that is offline, and restart xdcd" : NULL;
}

json_t *cli_allowed(enum copy_type type, enum copy_state state)
{
	json_t *list = json_array();

	for (enum copy_verb verb = 0; verb < COPY_VERB_COUNT; verb++) {
		const char *text = copy_table_allows(type, state, verb);

		if (text)
			cli_append(&list, json_string(text));
	}
	return list;
}

static json_t *flash_json(struct control *control, const struct copy_flash_info *info)
{
	uint64_t job = control_flash_job(control, &info->record);
	const struct record_flash *record = &info->record;
	bool failed = record->state == FLASH_FAILED;

	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:o, s:b, s:b, s:I, s:I, s:o, "
			 "s:o, s:s, s:o}",
			 "source", cli_hex(record->source, 4), "target", cli_hex(record->target, 4),
			 "state", flash_state_names[record->state], "copy_state", copy_state_names[info->copy_state],
			 "allowed", cli_allowed(info->copy_type, info->copy_state),
			 "reason", cli_text_or_null(failed ? flash_reason_names[record->reason] : NULL),
			 "remedy", cli_text_or_null(remedy_of(info)), "copy", !record->no_copy,
			 "persistent", record->persistent, "record", record->record,
			 "restore", record->restore, "sequence", cli_known(record->sequence, (int64_t)record->sequence),
			 "inhibit_target_writes", record->inhibit,
			 "offline", info->is_offline, "size_bytes", (json_int_t)info->size_bytes,
			 "own_bytes", (json_int_t)info->own_bytes, "created_at", cli_wall(record->created_wall_ns),
			 "since", cli_wall(record->since_wall_ns),
			 "priority", copy_priority_names[record->priority], "job", cli_known(job, (int64_t)job));
}

/* ---- one, by its target ---- */

static int flash_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_flash_info info;
	uint16_t target;
	char object[16];
	int found;

	if (cli_find_volume(request, &target, fault))
		return -1;
	found = copy_flash_show(control_copy(request->control), target, &info, fault);
	if (found < 0)
		return -1;
	snprintf(object, sizeof(object), "volume %04X", target);
	if (!found)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc flash list",
				 "it is the target of no FlashCopy");
	return cli_answer(flash_json(request->control, &info), result, fault);
}

/*
 * What was asked for is done. The answer is the relation that there is then; none when it is over already, or when
 * another command keeps it from being looked at.
 */
static int answer_done(const struct cli_request *request, uint16_t target, json_t **result, struct fault *fault)
{
	struct copy_flash_info info;

	if (copy_flash_show(control_copy(request->control), target, &info, fault) <= 0)
		return 0;
	return cli_answer(flash_json(request->control, &info), result, fault);
}

struct list {
	struct control *control;
	json_t *all;
};

static void add(void *arg, const struct copy_flash_info *info)
{
	struct list *list = arg;

	cli_append(&list->all, flash_json(list->control, info));
}

static int flash_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct list list = { request->control, json_array() };

	if (copy_flash_each(control_copy(request->control), add, &list, fault)) {
		json_decref(list.all);
		return -1;
	}
	return cli_answer(list.all, result, fault);
}

static int flash_set(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_flash_change change = {
		.copying = cli_given(request, "copy") ? COPY_FLASH_START :
			   cli_given(request, "no-copy") ? COPY_FLASH_STOP : COPY_FLASH_AS_IT_IS,
		.has_priority = cli_given(request, "priority"),
	};
	uint16_t target;

	if (change.has_priority)
		change.priority = (enum copy_priority)cli_number(request, "priority");
	if (cli_find_volume(request, &target, fault) || control_flash_set(request->control, target, &change, fault))
		return -1;
	return answer_done(request, target, result, fault);
}

static int flash_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t target;

	(void)result;
	if (cli_find_volume(request, &target, fault))
		return -1;
	return control_flash_delete(request->control, target, cli_given(request, "force"), fault);
}

/* ---- as it is now, the other way round, for good, or not at all ---- */

static int flash_resync(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t target;

	if (cli_find_volume(request, &target, fault) ||
	    copy_flash_resync(control_copy(request->control), target, cli_given(request, "revertible"),
			      cli_number(request, "sequence"), fault))
		return -1;
	return answer_done(request, target, result, fault);
}

static int flash_reverse(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t target, restored;

	if (cli_find_volume(request, &target, fault) ||
	    control_flash_reverse(request->control, target, &restored, fault))
		return -1;
	return answer_done(request, restored, result, fault);
}

static int flash_commit(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t target;

	if (cli_find_volume(request, &target, fault) ||
	    copy_flash_commit(control_copy(request->control), target, cli_number(request, "sequence"), fault))
		return -1;
	return answer_done(request, target, result, fault);
}

static int flash_revert(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t target;

	(void)result;
	if (cli_find_volume(request, &target, fault))
		return -1;
	return copy_flash_revert(control_copy(request->control), target, cli_number(request, "sequence"), fault);
}

/* ---- create ---- */

static struct copy_flash_request read_options(const struct cli_request *request)
{
	return (struct copy_flash_request){
		.no_copy = cli_given(request, "no-copy"), .persistent = cli_given(request, "persistent"),
		.inhibit = cli_given(request, "inhibit-target-writes"), .record = cli_given(request, "record"),
		.revertible = cli_given(request, "revertible"), .sequence = cli_number(request, "sequence"),
		.priority = cli_given(request, "priority") ? (enum copy_priority)cli_number(request, "priority")
							   : COPY_LOW,
	};
}

static int flash_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_flash_request flash = read_options(request);
	struct control *control = request->control;

	if (control_volume_find(control, cli_text(request, "source"), &flash.source, fault) ||
	    control_volume_find(control, cli_text(request, "target"), &flash.target, fault) ||
	    copy_flash_create(control_copy(control), &flash, 1, fault))
		return -1;
	return answer_done(request, flash.target, result, fault);
}

/* ---- many at one moment ---- */

static int read_pair(const struct cli_request *request, const char *text, struct copy_flash_request *flash,
		     struct fault *fault)
{
	char source[XDC_NAME_MAX], target[XDC_NAME_MAX];

	/* The table of operations has it checked. */
	if (parse_volume_pair(text, source, target))
		return -1;
	return control_volume_find(request->control, source, &flash->source, fault) ||
	       control_volume_find(request->control, target, &flash->target, fault) ? -1 : 0;
}

static int flash_group(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const struct arg_value *values;
	unsigned count = cli_count(request, "pairs", &values);
	MEM_OWNED struct copy_flash_request *requests = mem_alloc(count * sizeof(*requests));
	struct list list = { .control = request->control };
	struct copy_flash_info info;

	if (!requests)
		return cli_out_of_memory(fault);
	for (unsigned i = 0; i < count; i++) {
		requests[i] = read_options(request);
		if (read_pair(request, values[i].text, &requests[i], fault))
			return -1;
	}
	if (copy_flash_create(control_copy(request->control), requests, count, fault))
		return -1;
	list.all = json_array();
	/* They are made: those that cannot be looked at now are left out, as are those that are over already. */
	for (unsigned i = 0; i < count; i++)
		if (copy_flash_show(control_copy(request->control), requests[i].target, &info, fault) > 0)
			add(&list, &info);
	return cli_answer(list.all, result, fault);
}

const struct cli_binding cli_bindings_flash[] = {
	{ "flash", "create", flash_create },
	{ "flash", "group", flash_group },
	{ "flash", "list", flash_list },
	{ "flash", "show", flash_show },
	{ "flash", "set", flash_set },
	{ "flash", "resync", flash_resync },
	{ "flash", "reverse", flash_reverse },
	{ "flash", "commit", flash_commit },
	{ "flash", "revert", flash_revert },
	{ "flash", "delete", flash_delete },
	{ NULL, NULL, NULL },
};
