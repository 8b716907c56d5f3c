/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in sessions and in sets, in root/ibm; and what jobs are about, in both namespaces. */
#include "face/cim/views.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/job.h"
#include "face/cim/thing.h"
#include "rt/mem.h"

#define VOLUMES_MAX	(UINT16_MAX + 1u)

/* ---- volumes in sessions ---- */

/* In the order of sessions and volumes; a session has its volumes on each LSS in an order of their own. */
struct member_row {
	uint8_t session;
	uint16_t volume;
	uint32_t tag;
	uint64_t sequence;
};

struct member_set {
	bool any;
	uint8_t has[VOLUMES_MAX / 8];
};

static void note_member(void *arg, const struct copy_session_volume *volume)
{
	struct member_set *set = arg;

	set->any = true;
	set->has[volume->volume / 8] |= (uint8_t)(1u << volume->volume % 8);
}

/* Those of one session after that row, if it is of this session. */
static unsigned add_members(struct control *control, const struct member_set *set, uint8_t session,
			    const struct member_row *after, struct member_row *rows, unsigned room)
{
	const struct record_volume *record;
	unsigned count = 0;
	uint64_t sequence = 0;

	for (uint32_t id = 0; id < VOLUMES_MAX && count < room; id++) {
		if (id % 256 == 0)
			sequence = 0;
		record = set->has[id / 8] >> id % 8 & 1 ? control_volume_record(control, (uint16_t)id) : NULL;
		if (!record)
			continue;
		sequence++;
		if (!after || after->session != session || id > after->volume)
			rows[count++] = (struct member_row){
				session, (uint16_t)id, cim_volume_tag(record->uuid), sequence,
			};
	}
	return count;
}

static int fetch_members(struct control *control, const void *after, void *rows, unsigned max)
{
	const struct member_row *last = after;
	MEM_OWNED struct member_set *set = mem_alloc_zeroed(sizeof(*set));
	struct member_row *row = rows;
	unsigned count = 0;

	if (!set)
		return -ENOMEM;
	for (unsigned session = last ? last->session : 1; session <= UINT8_MAX && count < max; session++) {
		copy_session_each_volume(control_copy(control), (uint8_t)session, note_member, set);
		if (!set->any)
			continue;
		count += add_members(control, set, (uint8_t)session, last, &row[count], max - count);
		*set = (struct member_set){ 0 };
	}
	return (int)count;
}

static const struct cim_source members = { sizeof(struct member_row), fetch_members, NULL };

static void fill_session(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct member_row *member = row;

	cim_set_path(value, cim_path_of_session(place->arena, place->ns, place->system, member->session,
						(uint8_t)(member->volume >> 8)));
}

static void fill_member(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct member_row *member = row;

	cim_set_path(value, cim_path_of_volume(place->arena, place->ns, place->system, member->volume, member->tag));
}

static const struct cim_column columns_member[] = {
	CIM_FILL("Collection", fill_session), CIM_FILL("Member", fill_member),
	CIM_ROW_NUMBER("AssignedSequence", struct member_row, sequence),
	CIM_END,
};

/* ---- volumes in sets ---- */

/*
 * In the order of sets and volumes. An association is no ManagedElement and cannot be a member of a collection, so a
 * copy is one by the volume that the set knows it by: of a pair its source, of a FlashCopy its target.
 */
struct set_member_row {
	char set[XDC_NAME_MAX];
	bool is_consistency;
	uint16_t volume;
	uint32_t tag;
};

struct set_member_fetch {
	struct control *control;
	const struct set_member_row *after;
	struct set_member_row *rows;
	unsigned count, max;
	const struct record_set *set;
};

static void add_set_member(void *arg, uint16_t volume)
{
	struct set_member_fetch *fetch = arg;
	const struct set_member_row *after = fetch->after;
	struct set_member_row *row = &fetch->rows[fetch->count];
	const struct record_volume *record = control_volume_record(fetch->control, volume);

	if (fetch->count == fetch->max ||
	    (after && !strcmp(after->set, fetch->set->name) && volume <= after->volume))
		return;
	if (!record)
		return;
	*row = (struct set_member_row){
		.is_consistency = fetch->set->kind == SET_CONSISTENCY, .volume = volume,
		.tag = cim_volume_tag(record->uuid),
	};
	memcpy(row->set, fetch->set->name, sizeof(row->set));
	fetch->count++;
}

static void add_members_of_set(void *arg, const struct set_info *info)
{
	struct set_member_fetch *fetch = arg;
	struct fault fault;

	if (fetch->after && strcmp(info->record.name, fetch->after->set) < 0)
		return;
	fetch->set = &info->record;
	(void)!control_set_each_member(fetch->control, info->record.name, add_set_member, fetch, &fault);
}

static int fetch_set_members(struct control *control, const void *after, void *rows, unsigned max)
{
	struct set_member_fetch fetch = { .control = control, .after = after, .rows = rows, .max = max };

	control_set_each(control, add_members_of_set, &fetch);
	return (int)fetch.count;
}

static const struct cim_source set_members = { sizeof(struct set_member_row), fetch_set_members, NULL };

static void fill_set(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct set_member_row *member = row;
	const struct cim_twin *twin = member->is_consistency ? &cim_twin_consistency_set : &cim_twin_synchronized_set;

	cim_set_path(value, cim_path_of_thing(place->arena, place->ns, twin, place->system, "set", member->set));
}

static void fill_set_member(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct set_member_row *member = row;

	cim_set_path(value, cim_path_of_volume(place->arena, place->ns, place->system, member->volume, member->tag));
}

static const struct cim_column columns_set_member[] = {
	CIM_FILL("Collection", fill_set), CIM_FILL("Member", fill_set_member), CIM_END,
};

/* ---- what jobs are about ---- */

/* A volume that there is; or the system. */
struct affected_row {
	uint64_t job;
	bool is_volume;
	uint16_t volume;
	uint32_t tag;
};

struct affected_fetch {
	struct control *control;
	uint64_t after;
	struct affected_row *rows;
	unsigned count, max;
};

static void read_object(struct control *control, const char *object, struct affected_row *row)
{
	const char *volume = strstr(object, "volume ");
	const struct record_volume *record;

	if (!volume)
		return;
	row->volume = (uint16_t)strtoul(volume + 7, NULL, 16);
	record = control_volume_record(control, row->volume);
	row->is_volume = record != NULL;
	row->tag = record ? cim_volume_tag(record->uuid) : 0;
}

static void add_affected(void *arg, const struct job_info *info)
{
	struct affected_fetch *fetch = arg;
	struct affected_row *row = &fetch->rows[fetch->count];

	if (info->record.number <= fetch->after || fetch->count == fetch->max)
		return;
	*row = (struct affected_row){ .job = info->record.number };
	read_object(fetch->control, info->record.object, row);
	fetch->count++;
}

static int fetch_affected(struct control *control, const void *after, void *rows, unsigned max)
{
	struct affected_fetch fetch = {
		.control = control, .after = after ? ((const struct affected_row *)after)->job : 0, .rows = rows,
		.max = max,
	};

	jobs_each(control_jobs(control), add_affected, &fetch);
	return (int)fetch.count;
}

static const struct cim_source affected = { sizeof(struct affected_row), fetch_affected, NULL };

static void fill_job(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, cim_path_of_job(place->arena, place->ns, place->system,
					    ((const struct affected_row *)row)->job));
}

/* A job has one affected element, whatever has become of what it was about: then the system. */
static void fill_affected(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct affected_row *about = row;

	if (about->is_volume)
		cim_set_path(value, cim_path_of_volume(place->arena, place->ns, place->system, about->volume,
						       about->tag));
	else
		cim_set_path(value, cim_path_of_system(place->arena, place->ns, place->system));
}

static const struct cim_column columns_affected[] = {
	CIM_FILL("AffectingElement", fill_job), CIM_FILL("AffectedElement", fill_affected),
	CIM_END,
};

const struct cim_view cim_views_member[] = {
	{ "IBMTSESS_OrderedMemberOfCollection", CIM_IN(IBM), &members, columns_member, NULL, NULL, NULL },
	{ "IBMTSESS_MemberOfCollection", CIM_IN(IBM), &set_members, columns_set_member, NULL, NULL, NULL },
	{ "IBMTSESS_AffectedJobElement", CIM_IN(IBM), &affected, columns_affected, NULL, NULL, NULL },
	{ "MSISCSITARGET_AffectedJobElement", CIM_IN(ISCSITARGET), &affected, columns_affected, NULL, NULL, NULL },
	{ .class_name = NULL },
};
