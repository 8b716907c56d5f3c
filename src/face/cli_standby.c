/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: far sides that another system serves, and this one when that is lost. */
#include <assert.h>
#include <stdio.h>

#include "face/cli_private.h"

static json_t *standby_json(const struct copy_standby_info *info)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o}",
			 "volume", cli_hex(info->volume, 4), "near", info->near_system, "system", info->system,
			 "remote_volume", cli_hex(info->remote_volume, 4), "state", standby_state_names[info->state],
			 "known", info->is_known, "size_bytes", (json_int_t)info->size_bytes,
			 "out_of_sync_blocks", (json_int_t)info->noted_blocks,
			 "sequence", cli_known(info->sequence != 0, (int64_t)info->sequence),
			 "covered_at", cli_wall(info->covered_wall_ns), "waiting_for", cli_text_or_null(info->why),
			 "created_at", cli_wall(info->created_wall_ns));
}

static int answer(const struct cli_request *request, uint16_t volume, json_t **result, struct fault *fault)
{
	struct copy_standby_info info;
	char object[16];

	if (copy_standby_get(control_copy(request->control), volume, &info))
		return cli_answer(standby_json(&info), result, fault);
	snprintf(object, sizeof(object), "volume %04X", volume);
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc standby list", "it has no standby");
}

static int standby_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t volume;

	return cli_find_volume(request, &volume, fault) ? -1 : answer(request, volume, result, fault);
}

static int standby_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy_standby_request standby = { .remote_volume = (uint16_t)cli_number(request, "target") };

	if (cli_find_volume(request, &standby.volume, fault))
		return -1;
	snprintf(standby.system, sizeof(standby.system), "%s", cli_text(request, "system"));
	if (cli_given(request, "near"))
		snprintf(standby.near_system, sizeof(standby.near_system), "%s", cli_text(request, "near"));
	if (copy_standby_create(control_copy(request->control), &standby, fault))
		return -1;
	return answer(request, standby.volume, result, fault);
}

static int standby_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	uint16_t volume;

	(void)result;
	if (cli_find_volume(request, &volume, fault))
		return -1;
	return copy_standby_delete(control_copy(request->control), volume, cli_given(request, "force"), fault);
}

static void add_standby(void *arg, const struct copy_standby_info *info)
{
	cli_append(arg, standby_json(info));
}

static int standby_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	copy_standby_each(control_copy(request->control), add_standby, &list);
	return cli_answer(list, result, fault);
}

/* The pair that it became. */
static void match_pair(void *arg, const struct copy_pair_info *info)
{
	struct copy_pair_name *name = arg;

	if (info->is_source && info->type == PAIR_ASYNC)
		*name = copy_pair_name_of(info->volume, info->system);
}

/* One after the other; what was done is done when the next one is refused, and the command may be given again. */
static int standby_take_over(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct copy *copy = control_copy(request->control);
	bool force = cli_given(request, "force"), discard = cli_given(request, "discard");
	const struct arg_value *values;
	unsigned count = cli_count(request, "volumes", &values);
	uint16_t volumes[OP_VOLUMES_MAX];
	json_t *list, *pair = NULL;

	assert(count <= sizeof(volumes) / sizeof(volumes[0]));
	for (unsigned i = 0; i < count; i++)
		if (control_volume_find(request->control, values[i].text, &volumes[i], fault))
			return -1;
	list = json_array();
	for (unsigned i = 0; i < count; i++) {
		struct copy_pair_name name = copy_pair_name_of(volumes[i], "");

		if (copy_standby_take_over(copy, volumes[i], force, discard, fault)) {
			json_decref(list);
			return -1;
		}
		copy_pair_each_of(copy, volumes[i], match_pair, &name);
		if (cli_answer_pair(request, &name, &pair, fault)) {
			json_decref(list);
			return -1;
		}
		cli_append(&list, pair);
	}
	return cli_answer(list, result, fault);
}

const struct cli_binding cli_bindings_standby[] = {
	{ "standby", "create", standby_create },
	{ "standby", "list", standby_list },
	{ "standby", "show", standby_show },
	{ "standby", "take-over", standby_take_over },
	{ "standby", "delete", standby_delete },
	{ NULL, NULL, NULL },
};
