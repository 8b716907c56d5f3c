/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of Replication Services, their members in order, and the copies of groups, in both namespaces. */
#include "face/cim/views.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "face/cim/group.h"
#include "rt/mem.h"

/* CopyState and ProgressStatus of a group whose copies are not all in one state. */
enum { MIXED = 14 };
enum { NOT_APPLICABLE = 15 };
enum { SYNCHRONIZED = 4, BROKEN = 5, SPLIT = 7, INVALID = 17 };

/* ---- groups ---- */

struct group_row {
	struct cim_group group;
};

/* Does the group show itself? One that goes with a set only where no other has its members. */
static bool is_group(struct control *control, const struct set_info *set, enum cim_group_kind kind,
		     struct cim_group_members *members)
{
	struct cim_group group;

	if (kind == CIM_GROUP_OF_VOLUMES)
		return true;
	cim_group_of_copies(control, &set->record, kind == CIM_GROUP_OF_TARGETS, members, &group);
	return group.kind == kind;
}

/* The group behind that one; false: there is none. */
static bool next_group(struct control *control, struct cim_group *group, struct cim_group_members *members)
{
	struct set_info set;

	for (;;) {
		if (cim_group_next_set(control, group->set, group->kind != CIM_GROUP_OF_VOLUMES, &set)) {
			memcpy(group->set, set.record.name, sizeof(group->set));
			if (is_group(control, &set, group->kind, members))
				return true;
		} else if (group->kind + 1 < CIM_GROUP_KIND_COUNT) {
			*group = (struct cim_group){ .kind = group->kind + 1 };
		} else {
			return false;
		}
	}
}

static int fetch_groups(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct cim_group group = { .kind = CIM_GROUP_OF_VOLUMES };
	struct group_row *row = rows;
	unsigned count = 0;

	if (!members)
		return -ENOMEM;
	if (after)
		group = ((const struct group_row *)after)->group;
	while (count < max && next_group(control, &group, members))
		row[count++].group = group;
	return (int)count;
}

static const struct cim_source groups = { sizeof(struct group_row), fetch_groups, NULL };

static void fill_group_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_path *path = cim_path_of_group(place->arena, place->ns, place->system,
							&((const struct group_row *)row)->group);

	cim_set_text(value, path ? cim_path_key_text(path, "InstanceID") : NULL);
}

static void fill_group_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_group *group = &((const struct group_row *)row)->group;

	switch (group->kind) {
	case CIM_GROUP_OF_SOURCES:
		cim_set_text(value, arena_print(place->arena, "Sources of %s", group->set));
		break;
	case CIM_GROUP_OF_TARGETS:
		cim_set_text(value, arena_print(place->arena, "Targets of %s", group->set));
		break;
	case CIM_GROUP_OF_SESSION_ENDS:
		cim_set_text(value, arena_print(place->arena, "Other ends of session %s", group->set));
		break;
	default:
		cim_set_text(value, arena_copy(place->arena, group->set));
	}
}

/* One that goes with a set is gone with its copies. */
static void fill_unassociated(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_flag(value, ((const struct group_row *)row)->group.kind != CIM_GROUP_OF_VOLUMES);
}

static void fill_sync_types(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t types[] = { 6, 7, 8 };

	(void)row;
	cim_set_numbers(place->arena, value, types, 3);
}

static const struct cim_column columns_group[] = {
	CIM_FILL("InstanceID", fill_group_id), CIM_FILL("ElementName", fill_group_name),
	CIM_TEXT("Caption", "Replication group"), CIM_FLAG("Persistent", true),
	CIM_FLAG("DeleteOnEmptyElement", false), CIM_FILL("DeleteOnUnassociated", fill_unassociated),
	CIM_FLAG("ConsistentPointInTime", true), CIM_FILL("SupportedSyncTypes", fill_sync_types),
	CIM_END,
};

/* ---- their members ---- */

struct member_row {
	struct cim_group group;
	uint64_t sequence;
	struct cim_copy_end end;
};

/* Those of one group behind the sequence. */
static unsigned add_members(const struct cim_group *group, const struct cim_group_members *members,
			    uint64_t sequence, struct member_row *rows, unsigned room)
{
	unsigned count = 0;

	for (; sequence < members->count && count < room; sequence++)
		rows[count++] = (struct member_row){ *group, sequence + 1, members->ends[sequence] };
	return count;
}

static int fetch_members(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	const struct member_row *last = after;
	struct cim_group group = { .kind = CIM_GROUP_OF_VOLUMES };
	struct member_row *row = rows;
	unsigned count = 0;

	if (!members)
		return -ENOMEM;
	if (last) {
		group = last->group;
		if (!cim_group_list(control, &group, members))
			count = add_members(&group, members, last->sequence, row, max);
	}
	while (count < max && next_group(control, &group, members))
		if (!cim_group_list(control, &group, members))
			count += add_members(&group, members, 0, &row[count], max - count);
	return (int)count;
}

static const struct cim_source group_members = { sizeof(struct member_row), fetch_members, NULL };

static void fill_collection(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, cim_path_of_group(place->arena, place->ns, place->system,
					      &((const struct member_row *)row)->group));
}

static void fill_member(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_end *end = &((const struct member_row *)row)->end;

	cim_set_path(value, end->is_here ? cim_path_of_volume(place->arena, place->ns, place->system, end->id, end->tag)
					 : cim_path_of_remote(place->arena, place->ns, end->system, end->id));
}

static const struct cim_column columns_member[] = {
	CIM_FILL("Collection", fill_collection), CIM_FILL("Member", fill_member),
	CIM_ROW_NUMBER("AssignedSequence", struct member_row, sequence),
	CIM_END,
};

/* ---- copies of groups ---- */

/* Of its copies what they have in common. */
struct copies_row {
	char set[XDC_NAME_MAX];
	struct cim_group source, target;
	bool is_flash, is_session, is_source;
	struct copy_cim_type type;
	struct copy_cim_state state;
	struct copy_cim_lag lag;
	int64_t created_wall_ns, shown_wall_ns;	/* of a session: the moment of its last group; 0: none */
};

static void add_state(struct copies_row *row, bool first, enum copy_type type, enum copy_state state)
{
	const struct copy_cim_state as = copy_cim_of_state(type, state);

	if (first) {
		row->type = copy_cim_of_type(type);
		row->state = as;
		return;
	}
	if (row->state.copy_state != as.copy_state) {
		row->state.copy_state = MIXED;
		row->state.requested_copy_state = NOT_APPLICABLE;
	}
	if (row->state.progress_status != as.progress_status)
		row->state.progress_status = MIXED;
}

/* The group is as far behind as the last of its copies; what any of them lacks is lacking. */
static void add_lag(struct copies_row *row, bool first, const struct copy_cim_lag *lag)
{
	if (first) {
		row->lag = *lag;
		return;
	}
	row->lag.skew_bytes += lag->skew_bytes;
	if (row->lag.rpo_ns >= 0 && (lag->rpo_ns < 0 || lag->rpo_ns > row->lag.rpo_ns))
		row->lag.rpo_ns = lag->rpo_ns;
}

static bool add_pair(struct control *control, uint16_t volume, bool first, struct copies_row *row)
{
	const struct copy_pair_name name = copy_pair_name_of(volume, "");
	struct copy *copy = control_copy(control);
	MEM_OWNED struct copy_session_info *session = mem_alloc(sizeof(*session));
	struct copy_cim_lag lag;
	struct copy_pair_info info;

	if (!session || !copy_pair_get(copy, &name, &info) || info.copy_state == COPY_STATE_NONE)
		return false;
	lag = copy_cim_lag_of(info.copy_type, info.copy_state, info.out_of_sync_blocks,
			      info.session && info.joined && !copy_session_get(copy, info.session, session) ?
			      session->rpo_ns : -1);
	row->is_source = info.is_source;
	add_state(row, first, info.copy_type, info.copy_state);
	add_lag(row, first, &lag);
	return true;
}

/* Suspends. */
static bool add_flash(struct control *control, uint16_t target, bool first, struct copies_row *row)
{
	struct copy_flash_info info;
	struct fault none;

	if (copy_flash_show(control_copy(control), target, &info, &none) <= 0 || info.copy_state == COPY_STATE_NONE)
		return false;
	row->is_source = true;
	add_state(row, first, info.copy_type, info.copy_state);
	return true;
}

/* false: its copies have gone meanwhile. */
static bool make_row(struct control *control, const struct set_info *set, struct cim_group_members *members,
		     struct copies_row *row)
{
	bool found = false;

	*row = (struct copies_row){
		.is_flash = set->record.of == SET_OF_FLASHCOPIES, .created_wall_ns = set->record.created_wall_ns,
	};
	memcpy(row->set, set->record.name, sizeof(row->set));
	cim_group_of_copies(control, &set->record, false, members, &row->source);
	cim_group_of_copies(control, &set->record, true, members, &row->target);
	if (cim_group_list_names(control, set->record.name, members))
		return false;
	for (unsigned i = 0; i < members->count; i++) {
		uint16_t volume = members->ends[i].id;

		if (row->is_flash ? add_flash(control, volume, !found, row) : add_pair(control, volume, !found, row))
			found = true;
	}
	return found;
}

static int fetch_copies(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	MEM_OWNED struct set_info *set = mem_alloc_zeroed(sizeof(*set));
	struct copies_row *row = rows;
	unsigned count = 0;

	if (!members || !set)
		return -ENOMEM;
	if (after)
		memcpy(set->record.name, ((const struct copies_row *)after)->set, sizeof(set->record.name));
	while (count < max && cim_group_next_set(control, set->record.name, true, set))
		if (make_row(control, set, members, &row[count]))
			count++;
	return (int)count;
}

static const struct cim_source copies = { sizeof(struct copies_row), fetch_copies, NULL };

static void fill_source(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, cim_path_of_group(place->arena, place->ns, place->system,
					      &((const struct copies_row *)row)->source));
}

static void fill_target(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, cim_path_of_group(place->arena, place->ns, place->system,
					      &((const struct copies_row *)row)->target));
}

/*
 * All targets show one moment: FlashCopies do from their beginning, pairs once they are split together, those of a
 * session from its first group on.
 */
static bool is_consistent(const struct copies_row *row)
{
	if (row->is_session)
		return row->shown_wall_ns != 0;
	return row->is_flash ? row->state.copy_state != BROKEN && row->state.copy_state != MIXED
			     : row->state.copy_state == SPLIT;
}

static bool is_kept_consistent(const struct copies_row *row)
{
	return row->is_flash || row->is_session;
}

static void fill_consistency_enabled(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_flag(value, is_kept_consistent(row));
}

static void fill_consistency_type(const struct cim_place *place, const void *row, struct cim_value *value)
{
	enum { SEQUENTIALLY_CONSISTENT = 2 };

	(void)place;
	if (is_kept_consistent(row))
		cim_set_number(value, SEQUENTIALLY_CONSISTENT);
}

static void fill_consistency_state(const struct cim_place *place, const void *row, struct cim_value *value)
{
	enum { STATE_NOT_APPLICABLE = 2, CONSISTENT, INCONSISTENT };
	const struct copies_row *copy = row;

	(void)place;
	if (is_consistent(copy))
		cim_set_number(value, CONSISTENT);
	else
		cim_set_number(value, is_kept_consistent(copy) || copy->state.copy_state == INVALID ?
				      INCONSISTENT : STATE_NOT_APPLICABLE);
}

static void fill_consistency_status(const struct cim_place *place, const void *row, struct cim_value *value)
{
	enum { COMPLETED = 2, IN_PROGRESS, DISABLED, CONSISTENCY_ERROR };
	const struct copies_row *copy = row;

	(void)place;
	if (!is_kept_consistent(copy))
		cim_set_number(value, DISABLED);
	else if (is_consistent(copy))
		cim_set_number(value, COMPLETED);
	else
		cim_set_number(value, copy->is_session ? IN_PROGRESS : CONSISTENCY_ERROR);
}

static void fill_maintained(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copies_row *copy = row;

	(void)place;
	cim_set_flag(value, !copy->is_flash && copy->state.copy_state == SYNCHRONIZED);
}

static void fill_percent(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	if (((const struct copies_row *)row)->state.copy_state == SYNCHRONIZED)
		cim_set_number(value, 100);
}

static void fill_rpo(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copies_row *copy = row;

	(void)place;
	if (copy->is_source && !copy->is_flash)
		cim_set_interval(value, copy->lag.rpo_ns);
}

static void fill_skew(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct copies_row *copy = row;

	(void)place;
	if (copy->is_source && !copy->is_flash)
		cim_set_number(value, copy->lag.skew_bytes);
}

static void fill_synced(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct copies_row *)row)->shown_wall_ns);
}

static void fill_established(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct copies_row *)row)->created_wall_ns);
}

static const struct cim_column columns_copies[] = {
	CIM_FILL("SystemElement", fill_source), CIM_FILL("SyncedElement", fill_target),
	CIM_ROW_TEXT("RelationshipName", struct copies_row, set),
	CIM_FILL("ConsistencyEnabled", fill_consistency_enabled), CIM_FILL("ConsistencyType", fill_consistency_type),
	CIM_FILL("ConsistencyState", fill_consistency_state), CIM_FILL("ConsistencyStatus", fill_consistency_status),
	CIM_ROW_NUMBER("Mode", struct copies_row, type.mode),
	CIM_ROW_NUMBER("SyncType", struct copies_row, type.sync_type),
	CIM_ROW_NUMBER("CopyState", struct copies_row, state.copy_state),
	CIM_ROW_NUMBER("ProgressStatus", struct copies_row, state.progress_status),
	CIM_ROW_NUMBER("RequestedCopyState", struct copies_row, state.requested_copy_state),
	CIM_FILL("SyncMaintained", fill_maintained), CIM_FILL("PercentSynced", fill_percent),
	CIM_FILL("WhenSynced", fill_synced),
	CIM_FILL("WhenEstablished", fill_established), CIM_FILL("RPO", fill_rpo), CIM_FILL("Skew", fill_skew),
	CIM_END,
};

/* ---- sessions: their volumes on an LSS, and the other ends of these ---- */

/* What the pairs of one session on one LSS are looked at for: members, or (NULL) what they have in common. */
struct session_walk {
	struct control *control;
	const struct copy_session_info *session;
	uint8_t lss;
	struct cim_group_members *members;
	struct copies_row *row;
	bool found, goes_back;
	const char *sources[UINT8_MAX + 1];	/* of its far side here: the systems that its groups came from */
};

static void note_source(void *arg, const struct copy_session_volume *volume)
{
	struct session_walk *walk = arg;

	if (!volume->is_source && volume->volume >> 8 == walk->lss)
		walk->sources[volume->volume & UINT8_MAX] = volume->system;
}

/* What is failed back leads to where its groups came from, and is in none until the old site is source again. */
static bool goes_back(const struct session_walk *walk, const struct copy_pair_info *info)
{
	const char *source = walk->sources[info->volume & UINT8_MAX];

	return !info->session && info->is_source && source && !strcmp(source, info->system);
}

static void look_at_pair(void *arg, const struct copy_pair_info *info)
{
	struct session_walk *walk = arg;
	struct copy_cim_lag lag;

	if ((info->session != walk->session->session && !goes_back(walk, info)) || info->copy_state == COPY_STATE_NONE)
		return;
	walk->goes_back = walk->goes_back || !info->session;
	if (walk->members && walk->members->count < CONTROL_SET_MEMBERS_MAX)
		cim_copy_end_set(walk->control, &walk->members->ends[walk->members->count++], info->system,
				 info->remote_volume);
	if (walk->row) {
		lag = copy_cim_lag_of(info->copy_type, info->copy_state, info->out_of_sync_blocks,
				      info->joined ? walk->session->rpo_ns : -1);
		walk->row->is_source = info->is_source;
		add_state(walk->row, !walk->found, info->copy_type, info->copy_state);
		add_lag(walk->row, !walk->found, &lag);
	}
	walk->found = true;
}

static bool look_at_lss(struct session_walk *walk)
{
	walk->found = walk->goes_back = false;
	memset(walk->sources, 0, sizeof(walk->sources));
	copy_session_each_volume(control_copy(walk->control), walk->session->session, note_source, walk);
	if (walk->members)
		walk->members->count = 0;
	for (unsigned number = 0; number <= UINT8_MAX; number++) {
		uint16_t volume = (uint16_t)((unsigned)walk->lss << 8 | number);

		if (control_volume_record(walk->control, volume))
			copy_pair_each_of(control_copy(walk->control), volume, look_at_pair, walk);
	}
	return walk->found;
}

/* The cursor is the name, NUMBER:LL: the first LSS of a session behind it that has pairs. */
static bool next_session(struct session_walk *walk, struct copy_session_info *session, char name[XDC_NAME_MAX])
{
	enum { LSSS = 255 };
	unsigned number = 0, lss = 0;

	if (sscanf(name, "%u:%X", &number, &lss) == 2)
		lss++;
	else
		number = 1;
	walk->session = session;
	for (; number <= UINT8_MAX; number++, lss = 0) {
		if (lss >= LSSS || copy_session_get(control_copy(walk->control), (uint8_t)number, session))
			continue;
		for (; lss < LSSS; lss++) {
			walk->lss = (uint8_t)lss;
			if (!look_at_lss(walk))
				continue;
			snprintf(name, XDC_NAME_MAX, "%u:%02X", number, lss);
			return true;
		}
	}
	return false;
}

static int fetch_session_ends(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct copy_session_info *session = mem_alloc(sizeof(*session));
	struct session_walk walk = { .control = control };
	struct cim_group group = { .kind = CIM_GROUP_OF_SESSION_ENDS };
	struct group_row *row = rows;
	unsigned count = 0;

	if (!session)
		return -ENOMEM;
	if (after)
		group = ((const struct group_row *)after)->group;
	while (count < max && next_session(&walk, session, group.set))
		row[count++].group = group;
	return (int)count;
}

static int fetch_session_members(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct copy_session_info *session = mem_alloc(sizeof(*session));
	MEM_OWNED struct cim_group_members *members = mem_alloc(sizeof(*members));
	struct session_walk walk = { .control = control, .members = members, .session = session };
	struct cim_group group = { .kind = CIM_GROUP_OF_SESSION_ENDS };
	const struct member_row *last = after;
	struct member_row *row = rows;
	unsigned count = 0, number, lss;

	if (!session || !members)
		return -ENOMEM;
	if (last) {
		group = last->group;
		if (sscanf(group.set, "%u:%X", &number, &lss) == 2 &&
		    !copy_session_get(control_copy(control), (uint8_t)number, session)) {
			walk.lss = (uint8_t)lss;
			(void)look_at_lss(&walk);
			count = add_members(&group, members, last->sequence, row, max);
		}
	}
	while (count < max && next_session(&walk, session, group.set))
		count += add_members(&group, members, 0, &row[count], max - count);
	return (int)count;
}

static int fetch_session_copies(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct copy_session_info *session = mem_alloc(sizeof(*session));
	struct session_walk walk = { .control = control };
	struct copies_row *row = rows, next = { .is_session = true };
	unsigned count = 0;

	if (!session)
		return -ENOMEM;
	walk.row = &next;
	if (after)
		memcpy(next.set, ((const struct copies_row *)after)->set, sizeof(next.set));
	while (count < max && next_session(&walk, session, next.set)) {
		next.source.kind = next.is_source ? CIM_GROUP_OF_SESSION : CIM_GROUP_OF_SESSION_ENDS;
		next.target.kind = next.is_source ? CIM_GROUP_OF_SESSION_ENDS : CIM_GROUP_OF_SESSION;
		memcpy(next.source.set, next.set, sizeof(next.source.set));
		memcpy(next.target.set, next.set, sizeof(next.target.set));
		next.shown_wall_ns = walk.goes_back ? 0 : session->cg_wall_ns;
		row[count++] = next;
	}
	return (int)count;
}

bool cim_find_session_copies(struct control *control, uint8_t session, uint8_t lss, bool *is_source)
{
	MEM_OWNED struct copy_session_info *info = mem_alloc(sizeof(*info));
	struct copies_row row = { .is_session = true };
	struct session_walk walk = { .control = control, .session = info, .lss = lss, .row = &row };

	if (!info || copy_session_get(control_copy(control), session, info) || !look_at_lss(&walk))
		return false;
	*is_source = row.is_source;
	return true;
}

static const struct cim_source session_ends = { sizeof(struct group_row), fetch_session_ends, NULL };
static const struct cim_source session_members = { sizeof(struct member_row), fetch_session_members, NULL };
static const struct cim_source session_copies = { sizeof(struct copies_row), fetch_session_copies, NULL };

const struct cim_view cim_views_group[] = {
	{ "IBMTSESS_ReplicationGroup", CIM_IN(IBM), &groups, columns_group, NULL, NULL, NULL },
	{ "MSISCSITARGET_ReplicationGroup", CIM_IN(ISCSITARGET), &groups, columns_group, NULL, NULL, NULL },
	{ "IBMTSESS_OrderedMemberOfCollection", CIM_IN(IBM), &group_members, columns_member, NULL, NULL, NULL },
	{ "MSISCSITARGET_OrderedMemberOfCollection", CIM_IN(ISCSITARGET), &group_members, columns_member, NULL, NULL,
	  NULL },
	{ "IBMTSESS_GroupSynchronized", CIM_IN(IBM), &copies, columns_copies, NULL, NULL, NULL },
	{ "MSISCSITARGET_GroupSynchronized", CIM_IN(ISCSITARGET), &copies, columns_copies, NULL, NULL, NULL },
	{ "IBMTSESS_ReplicationGroup", CIM_IN(IBM), &session_ends, columns_group, NULL, NULL, NULL },
	{ "IBMTSESS_OrderedMemberOfCollection", CIM_IN(IBM), &session_members, columns_member, NULL, NULL, NULL },
	{ "IBMTSESS_GroupSynchronized", CIM_IN(IBM), &session_copies, columns_copies, NULL, NULL, NULL },
	{ .class_name = NULL },
};
