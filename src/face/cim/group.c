/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/group.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_words[CIM_GROUP_KIND_COUNT] = { "group", "sources", "targets" };

/* ---- sets ---- */

struct set_search {
	const char *after;
	bool copies, found;
	struct set_info *set;
};

static void match_set(void *arg, const struct set_info *info)
{
	struct set_search *search = arg;
	bool copies = info->record.of != SET_OF_VOLUMES;

	if (search->found || copies != search->copies || (copies && !info->members) ||
	    strcmp(info->record.name, search->after) <= 0)
		return;
	*search->set = *info;
	search->found = true;
}

bool cim_group_next_set(struct control *control, const char *after, bool copies, struct set_info *set)
{
	struct set_search search = { .after = after, .copies = copies, .set = set };

	control_set_each(control, match_set, &search);
	return search.found;
}

/* ---- members ---- */

struct listing {
	struct control *control;
	enum cim_group_kind kind;
	enum set_member_kind of;
	struct cim_group_members *members;
};

void cim_copy_end_set(struct control *control, struct cim_copy_end *end, const char *system, uint16_t id)
{
	const struct record_volume *record = NULL;

	*end = (struct cim_copy_end){ .id = id, .is_here = !strcmp(system, control_system_id(control)) };
	if (end->is_here)
		record = control_volume_record(control, id);
	end->tag = record ? cim_volume_tag(record->uuid) : 0;
	snprintf(end->system, sizeof(end->system), "%s", system);
}

static void set_pair_end(const struct listing *listing, uint16_t volume, struct cim_copy_end *end)
{
	const struct copy_pair_name name = copy_pair_name_of(volume, "");
	struct copy_pair_info info;
	bool here = true;

	if (copy_pair_get(control_copy(listing->control), &name, &info))
		here = info.is_source == (listing->kind == CIM_GROUP_OF_SOURCES);
	if (here)
		cim_copy_end_set(listing->control, end, control_system_id(listing->control), volume);
	else
		cim_copy_end_set(listing->control, end, info.system, info.remote_volume);
}

static void set_flash_end(const struct listing *listing, uint16_t volume, struct cim_copy_end *end)
{
	struct record_flash flash;

	if (listing->kind == CIM_GROUP_OF_SOURCES && copy_flash_get(control_copy(listing->control), volume, &flash))
		volume = flash.source;
	cim_copy_end_set(listing->control, end, control_system_id(listing->control), volume);
}

static void add_member(void *arg, uint16_t volume)
{
	struct listing *listing = arg;
	struct cim_group_members *members = listing->members;

	if (members->count == CONTROL_SET_MEMBERS_MAX)
		return;
	if (listing->of == SET_OF_PAIRS)
		set_pair_end(listing, volume, &members->ends[members->count++]);
	else if (listing->of == SET_OF_FLASHCOPIES)
		set_flash_end(listing, volume, &members->ends[members->count++]);
	else
		cim_copy_end_set(listing->control, &members->ends[members->count++],
				 control_system_id(listing->control), volume);
}

int cim_group_list(struct control *control, const struct cim_group *group, struct cim_group_members *members)
{
	struct listing listing = { .control = control, .kind = group->kind, .members = members };
	struct set_info set;
	struct fault none;

	members->count = 0;
	if (control_set_get(control, group->set, &set, &none) ||
	    (set.record.of == SET_OF_VOLUMES) != (group->kind == CIM_GROUP_OF_VOLUMES))
		return -1;
	listing.of = set.record.of;
	return control_set_each_member(control, group->set, add_member, &listing, &none);
}

int cim_group_list_names(struct control *control, const char *set, struct cim_group_members *members)
{
	struct listing listing = { .control = control, .of = SET_OF_VOLUMES, .members = members };
	struct fault none;

	members->count = 0;
	return control_set_each_member(control, set, add_member, &listing, &none);
}

/* ---- which group an end is ---- */

struct comparison {
	const struct cim_group_members *members;
	unsigned same;
};

static void compare_member(void *arg, uint16_t volume)
{
	struct comparison *comparison = arg;

	for (unsigned i = 0; i < comparison->members->count; i++) {
		const struct cim_copy_end *end = &comparison->members->ends[i];

		if (!end->is_here || end->id != volume)
			continue;
		comparison->same++;
		return;
	}
}

void cim_group_of_copies(struct control *control, const struct record_set *set, bool targets,
			 struct cim_group_members *members, struct cim_group *group)
{
	struct set_info other = { .record = { .name = "" } };
	struct fault none;

	group->kind = targets ? CIM_GROUP_OF_TARGETS : CIM_GROUP_OF_SOURCES;
	memcpy(group->set, set->name, sizeof(group->set));
	if (cim_group_list(control, group, members))
		return;
	while (cim_group_next_set(control, other.record.name, false, &other)) {
		struct comparison comparison = { members, 0 };

		if (other.members != members->count ||
		    control_set_each_member(control, other.record.name, compare_member, &comparison, &none) ||
		    comparison.same != members->count)
			continue;
		group->kind = CIM_GROUP_OF_VOLUMES;
		memcpy(group->set, other.record.name, sizeof(group->set));
		return;
	}
}

/* ---- paths ---- */

const struct cim_path *cim_path_of_group(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					 const struct cim_group *group)
{
	switch (group->kind) {
	case CIM_GROUP_OF_SESSION:
		return cim_path_of_thing(arena, ns, &cim_twin_session, system, "session", group->set);
	case CIM_GROUP_OF_SESSION_ENDS:
		return cim_path_of_thing(arena, ns, &cim_twin_group, system, "session-ends", group->set);
	default:
		return cim_path_of_thing(arena, ns, &cim_twin_group, system, kind_words[group->kind], group->set);
	}
}

const struct cim_path *cim_path_of_group_copy(struct cim_arena *arena, enum cim_namespace ns, const char *system,
					      const struct cim_group *source, const struct cim_group *target)
{
	const struct cim_path *from = cim_path_of_group(arena, ns, system, source);
	const struct cim_path *to = cim_path_of_group(arena, ns, system, target);

	return from && to ? cim_path_of_pair(arena, ns, &cim_twin_group_synchronized, from, to) : NULL;
}

bool cim_group_of_path(const struct cim_path *path, const char *system, struct cim_group *group)
{
	char of[XDC_SYSTEM_ID_MAX];
	const char *name;

	for (enum cim_group_kind kind = 0; path && !path->is_class && kind < CIM_GROUP_KIND_COUNT; kind++) {
		name = cim_thing_name(path, kind_words[kind], of);
		if (!name || strcmp(of, system) != 0 || strlen(name) >= sizeof(group->set))
			continue;
		group->kind = kind;
		snprintf(group->set, sizeof(group->set), "%s", name);
		return true;
	}
	return false;
}
