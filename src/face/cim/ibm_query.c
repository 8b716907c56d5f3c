/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IBMTSESS_AsyncPPRCService: the queries about a session and its volumes. Rows are copied on the reactor, and put into
 * arrays on the client's thread, one array after the other.
 */
#include "face/cim/ibm.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/mem.h"

#define LSS_COUNT		255u
#define ROWS_AT_ONCE		64u	/* before others have their turn */
#define BLOCKS_OF_TRACK		(XDC_TRACK_SIZE / XDC_BLOCK_SIZE)

/* A volume of the session. */
struct row {
	uint16_t volume, remote_volume;
	bool is_source, joined, first_copy_done, has_pair, is_also_target;
	char system[XDC_SYSTEM_ID_MAX];		/* of the other end; empty: it is in no pair */
	enum pair_state state, target_state;
	uint64_t closing_blocks, open_blocks, sidefile, waited;
};

struct rows {
	char system[XDC_SYSTEM_ID_MAX];		/* this one */
	bool is_open;
	struct copy_session_info session;
	unsigned count;
	struct row *rows;			/* in the arena, by volume */
	uint16_t ssid[LSS_COUNT];
};

/* ---- gathered, on the reactor ---- */

struct gathering {
	int lss;
	unsigned count, room;
	struct row *rows;			/* NULL: they are counted */
};

static void gather(void *arg, const struct copy_session_volume *volume)
{
	struct gathering *gathering = arg;
	struct row *row;

	if (gathering->lss >= 0 && volume->volume >> 8 != gathering->lss)
		return;
	if (gathering->rows && gathering->count < gathering->room) {
		row = &gathering->rows[gathering->count];
		row->volume = volume->volume;
		row->joined = volume->joined;
		row->is_source = volume->is_source;
		snprintf(row->system, sizeof(row->system), "%s", volume->system ? volume->system : "");
	}
	gathering->count++;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	return (left->volume > right->volume) - (left->volume < right->volume);
}

static void look_pair(void *arg, const struct copy_pair_info *info)
{
	struct row *row = arg;

	if (info->is_source == row->is_source && (!*row->system || !strcmp(row->system, info->system))) {
		row->has_pair = true;
		row->state = info->state;
		row->remote_volume = info->remote_volume;
		row->first_copy_done = info->first_copy_done;
		snprintf(row->system, sizeof(row->system), "%s", info->system);
	} else if (!info->is_source) {
		row->is_also_target = true;
		row->target_state = info->state;
	}
}

static void fill_row(struct control *control, struct row *row)
{
	struct volume_info info;
	struct fault none;

	copy_pair_each_of(control_copy(control), row->volume, look_pair, row);
	if (control_volume_get(control, row->volume, &info, &none) || info.state == VOLUME_OFFLINE)
		return;
	row->closing_blocks = info.counters.closing_blocks;
	row->open_blocks = info.counters.open_blocks;
	row->sidefile = info.counters.collisions_sidefile;
	row->waited = info.counters.collisions_waited;
}

static void note_lss(void *arg, const struct lss_info *info)
{
	struct rows *rows = arg;

	rows->ssid[info->record.id] = info->record.ssid;
}

static int gather_rows(struct cim_call *call, uint8_t session, int lss, struct fault *fault)
{
	struct copy *copy = control_copy(call->control);
	struct gathering gathering = { .lss = lss };
	struct rows *rows = arena_take(call->arena, sizeof(*rows));

	if (!rows)
		return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
	snprintf(rows->system, sizeof(rows->system), "%s", control_system_id(call->control));
	rows->is_open = !copy_session_get(copy, session, &rows->session);
	control_lss_each(call->control, note_lss, rows);
	copy_session_each_volume(copy, session, gather, &gathering);
	gathering.room = gathering.count;
	gathering.count = 0;
	gathering.rows = arena_take(call->arena, (gathering.room + 1) * sizeof(*rows->rows));
	if (!gathering.rows)
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, "Scope", "ask for one LSS",
				 "there are more volumes than one answer has room for");
	copy_session_each_volume(copy, session, gather, &gathering);
	rows->count = gathering.count < gathering.room ? gathering.count : gathering.room;
	rows->rows = gathering.rows;
	qsort(rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
	for (unsigned i = 0; i < rows->count; i++) {
		fill_row(call->control, &rows->rows[i]);
		if (i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1)
			rt_yield();
	}
	call->found = rows;
	return 0;
}

/* Of XDC sessions alone. One that does not exist has no rows. */
static int query(struct cim_call *call, struct fault *fault)
{
	enum session_type type;
	struct rows *rows;
	uint8_t session;
	int lss;

	if (ibm_session(call, &session, &type, fault) || ibm_scope(call, &lss, fault))
		return -1;
	if (type != SESSION_XDC)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "SessionType", "take 0x40",
				 "only sessions of type 0x40 (XDC) are queried");
	if (gather_rows(call, session, lss, fault))
		return -1;
	rows = call->found;
	if (rows->is_open && rows->session.type != type)
		return ibm_bad(fault, "SessionType", "the session is of another type");
	return 0;
}

int ibm_query_increments(struct cim_call *call, struct fault *fault)
{
	return query(call, fault);
}

int ibm_query_out_of_sync(struct cim_call *call, struct fault *fault)
{
	return query(call, fault);
}

int ibm_query_devices(struct cim_call *call, struct fault *fault)
{
	return query(call, fault);
}

/* ---- told, on the client's thread ---- */

/* An array, of one entry a row. */
struct column {
	const char *name;
	void (*put)(struct cim_call *call, const struct rows *rows, const struct row *row);
};

static void tell(struct cim_call *call, const struct column *columns, unsigned count)
{
	const struct rows *rows = call->found;

	for (unsigned i = 0; i < count; i++) {
		cim_out_begin(call, columns[i].name);
		for (unsigned row = 0; row < rows->count; row++)
			columns[i].put(call, rows, &rows->rows[row]);
		cim_out_end(call);
	}
}
#define TELL(call, columns)	tell(call, columns, sizeof(columns) / sizeof((columns)[0]))

static uint64_t tracks_of(uint64_t blocks)
{
	return (blocks + BLOCKS_OF_TRACK - 1) / BLOCKS_OF_TRACK;
}

static void put_volume(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	char text[IBM_VOLUME_MAX];

	ibm_volume_print(rows->system, row->volume, text);
	cim_out_add_text(call, text);
}

static void put_lss_text(struct cim_call *call, const struct rows *rows, unsigned lss)
{
	char text[IBM_LSS_MAX];

	if (rows->ssid[lss])
		snprintf(text, sizeof(text), "%s:%02X:%04X", rows->system, lss, rows->ssid[lss]);
	else
		ibm_far_lss_print(rows->system, (uint8_t)lss, text);
	cim_out_add_text(call, text);
}

/* ---- increments ---- */

static void put_nothing(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	(void)row;
	cim_out_add_text(call, "");
}

static void put_sequence(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)row;
	cim_out_add_number(call, rows->session.sequence);
}

static void put_revertible(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	const struct copy_session_info *session = &rows->session;

	(void)row;
	cim_out_add_flag(call, session->role == SESSION_FAR ? session->prepared > session->sequence
							    : session->phase == PHASE_COMMIT);
}

static void put_phase(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)row;
	cim_out_add_text(call, session_phase_names[rows->session.phase]);
}

static void put_group_time(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)row;
	cim_out_add_time(call, rows->session.cg_wall_ns);
}

static void put_closing(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_number(call, tracks_of(row->closing_blocks));
}

void ibm_tell_increments(struct cim_call *call)
{
	static const struct column columns[] = {
		{ "Volumes", put_volume },
		{ "FlashCopyTargets", put_nothing },	/* the journal keeps the group */
		{ "SequenceNumbers", put_sequence },
		{ "Revertible", put_revertible },
		{ "ConsistencyGroupStates", put_phase },
		{ "LastConsistencyGroupTimes", put_group_time },
		{ "OutOfSyncTracks", put_closing },
	};

	TELL(call, columns);
}

/* ---- what is out of sync ---- */

static void put_open(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_number(call, tracks_of(row->open_blocks));
}

static void put_sidefile(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_number(call, row->sidefile);
}

static void put_waited(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_number(call, row->waited);
}

enum lss_sum { SUM_LSS, SUM_VOLUMES, SUM_OUT_OF_SYNC, SUM_TRACKS };

/* Of the rows from the first on, which are of one LSS; the first of the next one. */
static unsigned put_sum(struct cim_call *call, const struct rows *rows, unsigned first, enum lss_sum sum)
{
	unsigned lss = rows->rows[first].volume >> 8, at = first, out_of_sync = 0;
	uint64_t tracks = 0;

	for (; at < rows->count && rows->rows[at].volume >> 8 == (int)lss; at++) {
		out_of_sync += rows->rows[at].closing_blocks != 0;
		tracks += tracks_of(rows->rows[at].closing_blocks);
	}
	if (sum == SUM_LSS)
		put_lss_text(call, rows, lss);
	else
		cim_out_add_number(call, sum == SUM_VOLUMES ? at - first : sum == SUM_OUT_OF_SYNC ? out_of_sync
												  : tracks);
	return at;
}

static void tell_sums(struct cim_call *call, const char *name, enum lss_sum sum)
{
	const struct rows *rows = call->found;

	cim_out_begin(call, name);
	for (unsigned at = 0; at < rows->count;)
		at = put_sum(call, rows, at, sum);
	cim_out_end(call);
}

void ibm_tell_out_of_sync(struct cim_call *call)
{
	static const struct column columns[] = {
		{ "Volumes", put_volume },
		{ "VolumeOutOfSyncTracks", put_closing },
		{ "VolumeChangeRecordingTracks", put_open },
		{ "SidefileCollisions", put_sidefile },
		{ "SynchronousCollisions", put_waited },
	};

	tell_sums(call, "LSS", SUM_LSS);
	tell_sums(call, "TotalVolumes", SUM_VOLUMES);
	tell_sums(call, "OutOfSyncVolumes", SUM_OUT_OF_SYNC);
	tell_sums(call, "OutOfSyncTracks", SUM_TRACKS);
	TELL(call, columns);
}

/* ---- sessions and devices ---- */

static void put_lss(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	put_lss_text(call, rows, row->volume >> 8);
}

static void put_number(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)row;
	cim_out_add_number(call, rows->session.session);
}

static void put_type(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	(void)row;
	cim_out_add_text(call, "0x40");
}

static void put_state(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)row;
	cim_out_add_text(call, session_state_names[rows->session.state]);
}

static void put_volume_state(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_text(call, row->joined ? "joined" : "join pending");
}

static void put_primary(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_text(call, row->has_pair && row->is_source ? pair_state_names[row->state] : "simplex");
}

static void put_secondary(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_text(call, row->has_pair && !row->is_source ? pair_state_names[row->state] :
			 row->is_also_target ? pair_state_names[row->target_state] : "simplex");
}

static void put_first_pass(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_flag(call, row->first_copy_done || row->joined);
}

static bool has_target(const struct row *row)
{
	return row->has_pair && row->is_source;
}

static void put_far_system(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	(void)rows;
	cim_out_add_text(call, has_target(row) ? row->system : "");
}

static void put_far_lss(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	char text[IBM_LSS_MAX] = "";

	(void)rows;
	if (has_target(row))
		ibm_far_lss_print(row->system, (uint8_t)(row->remote_volume >> 8), text);
	cim_out_add_text(call, text);
}

static void put_far_volume(struct cim_call *call, const struct rows *rows, const struct row *row)
{
	char text[8] = "";

	(void)rows;
	if (has_target(row))
		snprintf(text, sizeof(text), "%04X", row->remote_volume);
	cim_out_add_text(call, text);
}

static const struct column device_columns[] = {
	{ "LSS", put_lss },
	{ "SessionNumbers", put_number },
	{ "SessionTypes", put_type },
	{ "SessionStatuses", put_state },
	{ "Volumes", put_volume },
	{ "VolumeStatuses", put_volume_state },
	{ "PrimaryStatuses", put_primary },
	{ "SecondaryStatuses", put_secondary },
	{ "FirstPassComplete", put_first_pass },
	{ "SecondarySystems", put_far_system },
	{ "SecondaryLSS", put_far_lss },
	{ "SecondaryVolumes", put_far_volume },
};

/* A session without volumes has one entry, of which only what is about the session is filled. */
static void tell_empty_session(struct cim_call *call)
{
	const struct rows *rows = call->found;
	const struct row none = { 0 };

	for (size_t i = 0; i < sizeof(device_columns) / sizeof(device_columns[0]); i++) {
		void (*put)(struct cim_call *, const struct rows *, const struct row *) = device_columns[i].put;

		cim_out_begin(call, device_columns[i].name);
		if (put == put_number || put == put_type || put == put_state || put == put_first_pass)
			put(call, rows, &none);
		else
			put_nothing(call, rows, &none);
		cim_out_end(call);
	}
}

void ibm_tell_devices(struct cim_call *call)
{
	const struct rows *rows = call->found;

	if (rows->is_open && !rows->count)
		tell_empty_session(call);
	else
		TELL(call, device_columns);
}
