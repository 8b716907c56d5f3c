/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, an instance for each LSS that one has volumes on; and sets. In root/ibm alone. */
#include "face/cim/views.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "face/cim/thing.h"
#include "rt/mem.h"

#define LSS_COUNT	255u

/* ---- sessions: rows ---- */

struct session_row {
	uint8_t number, lss;
	uint16_t ssid;
	enum session_type type;
	enum session_state state;
	bool has_master, is_fatal;
	char master[XDC_SYSTEM_ID_MAX];
	uint8_t master_lss;
	const char *failure;			/* a constant text, or NULL */
	int64_t interval_ns, coordination_ns, drain_ns, cg_wall_ns;
	uint64_t sequence, good, failed;
};

struct session_lsss {
	bool has[LSS_COUNT];
};

static void note_volume(void *arg, const struct copy_session_volume *volume)
{
	struct session_lsss *lsss = arg;

	if (volume->volume >> 8 < (int)LSS_COUNT)
		lsss->has[volume->volume >> 8] = true;
}

/* Where it is open, and where it has volumes: a far side has these alone. */
static void find_lsss(struct control *control, uint8_t session, struct session_lsss *lsss)
{
	struct copy *copy = control_copy(control);

	*lsss = (struct session_lsss){ 0 };
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		lsss->has[lss] = copy_session_is_open_on(copy, session, (uint8_t)lss);
	copy_session_each_volume(copy, session, note_volume, lsss);
}

static void make_row(struct control *control, const struct copy_session_info *info, uint8_t lss,
		     struct session_row *row)
{
	struct lss_info lss_info;
	struct fault fault;

	*row = (struct session_row){
		.number = info->session, .lss = lss, .type = info->type, .state = info->state,
		.has_master = info->master[0] != '\0', .is_fatal = info->state == SESSION_FATAL,
		.master_lss = info->master_lss, .interval_ns = info->tunables.interval_ns,
		.coordination_ns = info->tunables.coordination_ns, .drain_ns = info->tunables.drain_ns,
		.cg_wall_ns = info->cg_wall_ns, .sequence = info->sequence, .good = info->cg_good,
		.failed = info->cg_failed,
	};
	memcpy(row->master, info->master, sizeof(row->master));
	if (row->is_fatal)
		row->failure = cg_failure_names[info->last_failure.reason];
	if (!control_lss_get(control, lss, &lss_info, &fault))
		row->ssid = lss_info.record.ssid;
}

static int fetch_sessions(struct control *control, const void *after, void *rows, unsigned max)
{
	const struct session_row *last = after;
	MEM_OWNED struct copy_session_info *info = mem_alloc(sizeof(*info));
	MEM_OWNED struct session_lsss *lsss = mem_alloc(sizeof(*lsss));
	struct session_row *row = rows;
	unsigned count = 0;

	if (!info || !lsss)
		return -ENOMEM;
	for (unsigned number = last ? last->number : 1; number <= UINT8_MAX && count < max; number++) {
		unsigned lss = last && last->number == number ? last->lss + 1u : 0;

		if (copy_session_get(control_copy(control), (uint8_t)number, info))
			continue;
		find_lsss(control, (uint8_t)number, lsss);
		for (; lss < LSS_COUNT && count < max; lss++)
			if (lsss->has[lss])
				make_row(control, info, (uint8_t)lss, &row[count++]);
	}
	return (int)count;
}

static const struct cim_source sessions = { sizeof(struct session_row), fetch_sessions, NULL };

/* ---- sessions: properties ---- */

static void fill_session_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;
	const struct cim_path *path = cim_path_of_session(place->arena, place->ns, place->system, session->number,
							  session->lss);

	cim_set_text(value, path ? cim_path_key_text(path, "InstanceID") : NULL);
}

static void fill_session_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;

	cim_set_text(value, arena_print(place->arena, "Session %u of LSS %02X", session->number, session->lss));
}

static void fill_session_type(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const char *const texts[SESSION_TYPE_COUNT] = {
		[SESSION_XDC] = "0x40", [SESSION_FLASHCOPY] = "0x30", [SESSION_PPRC] = "0x20", [SESSION_XRC] = "0x10",
	};

	(void)place;
	cim_set_text(value, texts[((const struct session_row *)row)->type]);
}

static void fill_session_lss(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;

	cim_set_text(value, cim_lss_text(place->arena, place->system, session->lss, session->ssid));
}

static void fill_master(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;

	cim_set_text(value, session->has_master ? cim_lss_text(place->arena, session->master, session->master_lss, 0) :
						  "");
}

static void fill_session_state(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, session_state_names[((const struct session_row *)row)->state]);
}

static void fill_fatal(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;

	(void)place;
	cim_set_text(value, session->failure ? session->failure : "");
}

static void fill_interval(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, (uint64_t)(((const struct session_row *)row)->interval_ns / RT_MS));
}

static void fill_coordination(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, (uint64_t)(((const struct session_row *)row)->coordination_ns / RT_MS));
}

static void fill_drain(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct session_row *session = row;

	(void)place;
	if (session->drain_ns != RT_NEVER)
		cim_set_number(value, (uint64_t)(session->drain_ns / RT_MS));
}

static void fill_group_time(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct session_row *)row)->cg_wall_ns);
}

static void fill_number(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_number(value, ((const struct session_row *)row)->number);
}

/* Mirrors. */
static void fill_sync_types(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t mirror = 6, snapshot = 7;

	cim_set_numbers(place->arena, value,
			((const struct session_row *)row)->type == SESSION_FLASHCOPY ? &snapshot : &mirror, 1);
}

static const struct cim_column columns_session[] = {
	CIM_FILL("InstanceID", fill_session_id), CIM_FILL("ElementName", fill_session_name),
	CIM_TEXT("Caption", "Session"), CIM_FILL("SessionNumber", fill_number),
	CIM_FILL("SessionType", fill_session_type), CIM_FILL("LSS", fill_session_lss),
	CIM_FILL("MasterLSS", fill_master), CIM_FILL("SessionState", fill_session_state),
	CIM_FILL("FatalReason", fill_fatal), CIM_FILL("ConsistencyGroupInterval", fill_interval),
	CIM_FILL("MaxXDCCoordinationTime", fill_coordination), CIM_FILL("MaxConsistencyGroupDrain", fill_drain),
	CIM_ROW_NUMBER("SequenceNumber", struct session_row, sequence),
	CIM_FILL("LastConsistencyGroupTime", fill_group_time),
	CIM_ROW_NUMBER("GoodConsistencyGroups", struct session_row, good),
	CIM_ROW_NUMBER("FailedConsistencyGroups", struct session_row, failed),
	CIM_FLAG("ConsistentPointInTime", true), CIM_FILL("SupportedSyncTypes", fill_sync_types),
	CIM_END,
};

/* ---- sets ---- */

struct set_row {
	char name[XDC_NAME_MAX];
	enum set_kind kind;
	uint16_t member_type, copy_type;	/* 0: any */
	uint32_t members;
};

struct set_fetch {
	const struct set_row *after;
	struct set_row *rows;
	unsigned count, max;
};

static void add_set(void *arg, const struct set_info *info)
{
	struct set_fetch *fetch = arg;
	struct set_row *row = &fetch->rows[fetch->count];

	if ((fetch->after && strcmp(info->record.name, fetch->after->name) <= 0) || fetch->count == fetch->max)
		return;
	*row = (struct set_row){
		.kind = info->record.kind, .member_type = info->record.of != SET_OF_VOLUMES, .members = info->members,
	};
	memcpy(row->name, info->record.name, sizeof(row->name));
	if (info->record.has_type)
		row->copy_type = info->record.type == PAIR_SYNC ? 3 : 2;
	fetch->count++;
}

static int fetch_sets(struct control *control, const void *after, void *rows, unsigned max)
{
	struct set_fetch fetch = { .after = after, .rows = rows, .max = max };

	control_set_each(control, add_set, &fetch);
	return (int)fetch.count;
}

static const struct cim_source sets = { sizeof(struct set_row), fetch_sets, NULL };

static bool is_consistency(const void *row)
{
	return ((const struct set_row *)row)->kind == SET_CONSISTENCY;
}

static bool is_synchronized(const void *row)
{
	return ((const struct set_row *)row)->kind == SET_SYNCHRONIZED;
}

static void fill_set_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, "set", ((const struct set_row *)row)->name));
}

static void fill_copy_type(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct set_row *set = row;

	(void)place;
	if (set->copy_type)
		cim_set_number(value, set->copy_type);
}

static const struct cim_column columns_set[] = {
	CIM_FILL("InstanceID", fill_set_id), CIM_ROW_TEXT("ElementName", struct set_row, name),
	CIM_TEXT("Caption", "Set"), CIM_FILL("CopyType", fill_copy_type),
	CIM_END,
};

static const struct cim_column columns_consistency[] = {
	CIM_ROW_NUMBER("MemberType", struct set_row, member_type), CIM_END,
};

static const struct cim_column columns_synchronized[] = {
	CIM_ROW_NUMBER("NumberOfMembers", struct set_row, members), CIM_END,
};

const struct cim_view cim_views_session[] = {
	{ "IBMTSESS_Session", CIM_IN(IBM), &sessions, columns_session, NULL, NULL, NULL },
	{ "IBMTSESS_ConsistencySet", CIM_IN(IBM), &sets, columns_set, columns_consistency, NULL, is_consistency },
	{ "IBMTSESS_SynchronizedSet", CIM_IN(IBM), &sets, columns_set, columns_synchronized, NULL, is_synchronized },
	{ .class_name = NULL },
};
