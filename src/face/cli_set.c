/* SPDX-License-Identifier: Apache-2.0 */
/* The control protocol: sets of volumes, of pairs and of FlashCopies. */
#include <string.h>

#include "face/cli_private.h"

static json_t *set_json(const struct set_info *info)
{
	const struct record_set *record = &info->record;

	return json_pack("{s:s, s:s, s:s, s:o, s:i, s:o}", "set", record->name, "kind", set_kind_names[record->kind],
			 "of", set_member_kind_names[record->of], "type",
			 record->has_type ? json_string(pair_type_names[record->type]) : json_null(), "members",
			 info->members, "created_at", cli_wall(record->created_wall_ns));
}

static void add_member(void *arg, uint16_t volume)
{
	cli_append(arg, cli_hex(volume, 4));
}

static int set_show(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const char *name = cli_text(request, "set");
	json_t *volumes = json_array(), *set;
	struct set_info info;

	if (control_set_get(request->control, name, &info, fault) ||
	    control_set_each_member(request->control, name, add_member, &volumes, fault)) {
		json_decref(volumes);
		return -1;
	}
	set = set_json(&info);
	if (set && json_object_set_new(set, "volumes", volumes)) {
		json_decref(set);
		set = NULL;
	}
	return cli_answer(set, result, fault);
}

static int set_create(const struct cli_request *request, json_t **result, struct fault *fault)
{
	struct record_set record = {
		.kind = (enum set_kind)cli_number(request, "kind"),
		.of = cli_given(request, "of") ? (enum set_member_kind)cli_number(request, "of") : SET_OF_PAIRS,
		.has_type = cli_given(request, "type"),
		.type = (enum pair_type)cli_number(request, "type"),
	};
	const char *name = cli_text(request, "set");

	memcpy(record.name, name, strlen(name) + 1);
	return control_set_create(request->control, &record, fault) ? -1 : set_show(request, result, fault);
}

static int set_delete(const struct cli_request *request, json_t **result, struct fault *fault)
{
	(void)result;
	return control_set_delete(request->control, cli_text(request, "set"), fault);
}

/* add and remove: what is named is looked up before anything is changed. */
static int change_members(const struct cli_request *request, json_t **result, struct fault *fault)
{
	const struct arg_value *values;
	uint16_t volumes[OP_VOLUMES_MAX];
	unsigned count = cli_count(request, "volumes", &values);
	bool add = !strcmp(request->operation->verb, "add");

	for (unsigned i = 0; i < count; i++)
		if (control_volume_find(request->control, values[i].text, &volumes[i], fault))
			return -1;
	if ((add ? control_set_add : control_set_remove)(request->control, cli_text(request, "set"), volumes, count,
							 fault))
		return -1;
	return set_show(request, result, fault);
}

/* What is done to all of a set. */
static int change_set(const struct cli_request *request, json_t **result, struct fault *fault)
{
	static const struct {
		const char *verb;
		int (*fn)(struct control *control, const char *name, struct fault *fault);
	} changes[] = {
		{ "fracture", control_set_fracture }, { "resync", control_set_resync },
		{ "restore", control_set_restore }, { "prepare", control_set_prepare },
	};
	int rc = -1;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (!strcmp(request->operation->verb, changes[i].verb))
			rc = changes[i].fn(request->control, cli_text(request, "set"), fault);
	return rc ? -1 : set_show(request, result, fault);
}

static int set_delete_pairs(const struct cli_request *request, json_t **result, struct fault *fault)
{
	return control_set_delete_pairs(request->control, cli_text(request, "set"), cli_given(request, "force"),
					fault) ? -1 : set_show(request, result, fault);
}

static void add_set(void *arg, const struct set_info *info)
{
	cli_append(arg, set_json(info));
}

static int set_list(const struct cli_request *request, json_t **result, struct fault *fault)
{
	json_t *list = json_array();

	control_set_each(request->control, add_set, &list);
	return cli_answer(list, result, fault);
}

const struct cli_binding cli_bindings_set[] = {
	{ "set", "create", set_create },
	{ "set", "list", set_list },
	{ "set", "show", set_show },
	{ "set", "add", change_members },
	{ "set", "remove", change_members },
	{ "set", "fracture", change_set },
	{ "set", "resync", change_set },
	{ "set", "restore", change_set },
	{ "set", "prepare", change_set },
	{ "set", "delete-pairs", set_delete_pairs },
	{ "set", "delete", set_delete },
	{ NULL, NULL, NULL },
};
