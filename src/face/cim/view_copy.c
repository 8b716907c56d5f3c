/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs and FlashCopies as associations of two volumes, in both namespaces; and the volumes of other systems. */
#include "face/cim/views.h"

#include <errno.h>
#include <string.h>

#include "face/cim/group.h"
#include "rt/mem.h"

#define BLOCKS_A_TRACK	16u
#define BLOCK_BYTES	4096u

/* CopyState of state_table_cim.c that times depend on. */
enum { UNSYNCHRONIZED = 3, SYNCHRONIZED = 4, SPLIT = 7, INACTIVE = 8, SUSPENDED = 9 };
enum { READ_ONLY_TARGET = 3, READ_ONLY_BOTH = 4 };
enum { SYNC_STATE_SYNCHRONIZED = 6 };

/* ---- pairs: rows ---- */

/* What is fetched at once, and the session that was asked last. */
struct pairs_fetch {
	struct control *control;
	const struct cim_copy_row *after;
	struct cim_copy_row *rows;
	unsigned count, max;
	unsigned volume_from;			/* in rows, where those of the volume begin */
	bool has_session;
	struct copy_session_info session;
};

static const struct copy_session_info *find_session(struct pairs_fetch *fetch, uint8_t number)
{
	if (!number)
		return NULL;
	if (!fetch->has_session || fetch->session.session != number)
		fetch->has_session = !copy_session_get(control_copy(fetch->control), number, &fetch->session);
	return fetch->has_session ? &fetch->session : NULL;
}

static void set_progress(const struct copy_pair_info *info, struct cim_copy_row *row)
{
	uint64_t missing = info->out_of_sync_blocks * BLOCK_BYTES, done;

	row->has_progress = info->is_source && info->size_bytes;
	if (row->state.copy_state == SYNCHRONIZED) {
		row->has_progress = true;
		row->percent = 100;
	} else if (row->has_progress) {
		done = !info->first_copy_done ? info->first_copy_bytes :
		       missing < info->size_bytes ? info->size_bytes - missing : 0;
		row->percent = (uint16_t)(done * 100 / info->size_bytes);
	}
}

void cim_copy_row_of_pair(const struct copy_pair_info *info, const struct copy_session_info *session,
			  struct cim_copy_row *row)
{
	*row = (struct cim_copy_row){
		.volume = info->volume, .is_source = info->is_source, .critical = info->critical,
		.joined = info->joined, .type = copy_cim_of_type(info->copy_type),
		.state = copy_cim_of_state(info->copy_type, info->copy_state), .priority = (uint16_t)info->priority,
		.out_of_sync_blocks = info->out_of_sync_blocks, .since_wall_ns = info->since_wall_ns,
		.created_wall_ns = info->created_wall_ns,
		.reason = info->reason == PAIR_REASON_NONE ? NULL : pair_reason_names[info->reason],
	};
	memcpy(row->system, info->system, sizeof(row->system));
	if (info->copy_state != COPY_STATE_FAILED_OVER)
		row->read_only = READ_ONLY_TARGET;
	if (session && info->joined)
		row->shown_wall_ns = session->cg_wall_ns;
	row->lag = copy_cim_lag_of(info->copy_type, info->copy_state, info->out_of_sync_blocks,
				   session && info->joined ? session->rpo_ns : -1);
	set_progress(info, row);
}

static void make_pair_row(struct pairs_fetch *fetch, const struct copy_pair_info *info, struct cim_copy_row *row)
{
	const char *here = control_system_id(fetch->control);

	cim_copy_row_of_pair(info, find_session(fetch, info->session), row);
	cim_copy_end_set(fetch->control, info->is_source ? &row->source : &row->target, here, info->volume);
	cim_copy_end_set(fetch->control, info->is_source ? &row->target : &row->source, info->system,
			 info->remote_volume);
}

/* The same pair, when both ends are here, is shown once, from its source. */
static bool is_shown(struct control *control, const struct copy_pair_info *info)
{
	return info->copy_state != COPY_STATE_NONE &&
	       (info->is_source || strcmp(info->system, control_system_id(control)) != 0);
}

/* Pairs of one volume go by their systems; what has no room is fetched again by the next. */
static void add_pair(void *arg, const struct copy_pair_info *info)
{
	struct pairs_fetch *fetch = arg;
	const struct cim_copy_row *after = fetch->after;
	unsigned at = fetch->count;

	if (!is_shown(fetch->control, info) ||
	    (after && after->volume == info->volume && strcmp(info->system, after->system) <= 0))
		return;
	while (at > fetch->volume_from && strcmp(fetch->rows[at - 1].system, info->system) > 0)
		at--;
	if (at == fetch->max)
		return;
	if (fetch->count < fetch->max)
		fetch->count++;
	memmove(&fetch->rows[at + 1], &fetch->rows[at], (fetch->count - 1 - at) * sizeof(*fetch->rows));
	make_pair_row(fetch, info, &fetch->rows[at]);
}

static int fetch_pairs(struct control *control, const void *after, void *rows, unsigned max)
{
	MEM_OWNED struct pairs_fetch *fetch = mem_alloc_zeroed(sizeof(*fetch));

	if (!fetch)
		return -ENOMEM;
	fetch->control = control;
	fetch->after = after;
	fetch->rows = rows;
	fetch->max = max;
	for (uint32_t id = fetch->after ? fetch->after->volume : 0; id <= UINT16_MAX && fetch->count < max; id++) {
		if (!control_volume_record(control, (uint16_t)id))
			continue;
		fetch->volume_from = fetch->count;
		copy_pair_each_of(control_copy(control), (uint16_t)id, add_pair, fetch);
	}
	return (int)fetch->count;
}

struct pair_search {
	struct pairs_fetch fetch;
	struct cim_copy_row *wanted;
	bool found;
};

static void match_pair(void *arg, const struct copy_pair_info *info)
{
	struct pair_search *search = arg;

	if (strcmp(info->system, search->wanted->system) != 0 || !is_shown(search->fetch.control, info))
		return;
	search->found = true;
	make_pair_row(&search->fetch, info, search->wanted);
}

static int find_pair(struct control *control, void *row)
{
	MEM_OWNED struct pair_search *search = mem_alloc_zeroed(sizeof(*search));
	struct cim_copy_row *wanted = row;

	if (!search)
		return -ENOMEM;
	search->fetch.control = control;
	search->wanted = wanted;
	if (!wanted->system[0])
		strncpy(wanted->system, control_system_id(control), sizeof(wanted->system) - 1);
	copy_pair_each_of(control_copy(control), wanted->volume, match_pair, search);
	return search->found;
}

/* The ends that a path names: false: they are no volumes. */
static bool read_end(const struct cim_path *path, const char *key, struct cim_copy_end *end)
{
	const struct cim_scalar *value = cim_path_key(path, key);
	const char *system, *tag;

	if (!value || value->is_null || value->path->is_class)
		return false;
	system = cim_path_key_text(value->path, "SystemName");
	end->is_here = system && cim_path_is_volume(value->path, system, &end->id, &tag);
	return end->is_here || cim_path_is_remote(value->path, end->system, &end->id);
}

static bool key_of_pair(const struct cim_path *path, void *row)
{
	struct cim_copy_row *wanted = row;
	struct cim_copy_end source = { 0 }, target = { 0 };

	if (!read_end(path, "SystemElement", &source) || !read_end(path, "SyncedElement", &target) ||
	    (!source.is_here && !target.is_here))
		return false;
	/* With both here the system is this one, which find_pair knows. */
	wanted->volume = source.is_here ? source.id : target.id;
	memcpy(wanted->system, source.is_here ? target.system : source.system, sizeof(wanted->system));
	return true;
}

static const struct cim_source pairs = { sizeof(struct cim_copy_row), fetch_pairs, find_pair };

/* ---- FlashCopies: rows ---- */

void cim_copy_row_of_flash(const struct copy_flash_info *info, struct cim_copy_row *row)
{
	*row = (struct cim_copy_row){
		.volume = info->record.target, .is_flash = true, .is_source = true,
		.type = copy_cim_of_type(info->copy_type),
		.state = copy_cim_of_state(info->copy_type, info->copy_state),
		.priority = (uint16_t)info->record.priority, .since_wall_ns = info->record.since_wall_ns,
		.created_wall_ns = info->record.created_wall_ns, .shown_wall_ns = info->record.created_wall_ns,
		.has_progress = info->size_bytes > 0, .lag.rpo_ns = -1,
		.reason = info->record.state == FLASH_FAILED ? flash_reason_names[info->record.reason] : NULL,
	};
	/* It may be in this state for longer than the clock says that it is there. */
	if (row->since_wall_ns < row->created_wall_ns)
		row->since_wall_ns = row->created_wall_ns;
	if (info->size_bytes) {
		row->percent = (uint16_t)(info->own_bytes * 100 / info->size_bytes);
		row->out_of_sync_blocks = (info->size_bytes - info->own_bytes) / BLOCK_BYTES;
	}
	/* A snapshot is all there although it takes most from its source. */
	if (row->state.copy_state == SYNCHRONIZED)
		row->percent = 100;
	if (info->copy_state == COPY_STATE_FLASH_REVERTIBLE)
		row->read_only = READ_ONLY_BOTH;
	else if (info->record.inhibit)
		row->read_only = READ_ONLY_TARGET;
}

static void make_flash_row(struct control *control, const struct copy_flash_info *info, struct cim_copy_row *row)
{
	const char *here = control_system_id(control);

	cim_copy_row_of_flash(info, row);
	cim_copy_end_set(control, &row->source, here, info->record.source);
	cim_copy_end_set(control, &row->target, here, info->record.target);
}

static int list_flashes(struct control *control, uint32_t from, struct cim_copy_row *rows, unsigned max)
{
	MEM_OWNED struct copy_flash_info *infos = mem_alloc(max * sizeof(*infos));
	struct fault fault;
	int count;

	if (!infos)
		return -ENOMEM;
	count = copy_flash_list(control_copy(control), from, infos, max, &fault);
	for (int i = 0; i < count; i++)
		make_flash_row(control, &infos[i], &rows[i]);
	return count < 0 ? -ETIMEDOUT : count;
}

static int fetch_flashes(struct control *control, const void *after, void *rows, unsigned max)
{
	return list_flashes(control, after ? ((const struct cim_copy_row *)after)->volume + 1u : 0, rows, max);
}

static int find_flash(struct control *control, void *row)
{
	uint16_t target = ((struct cim_copy_row *)row)->volume;
	int count = list_flashes(control, target, row, 1);

	return count < 0 ? count : count && ((struct cim_copy_row *)row)->volume == target;
}

static bool key_of_flash(const struct cim_path *path, void *row)
{
	struct cim_copy_end source = { 0 }, target = { 0 };

	if (!read_end(path, "SystemElement", &source) || !read_end(path, "SyncedElement", &target) ||
	    !source.is_here || !target.is_here)
		return false;
	((struct cim_copy_row *)row)->volume = target.id;
	return true;
}

static const struct cim_source flashes = { sizeof(struct cim_copy_row), fetch_flashes, find_flash };

/* ---- properties ---- */

static const struct cim_path *path_of_end(const struct cim_place *place, const struct cim_copy_end *end)
{
	if (end->is_here)
		return cim_path_of_volume(place->arena, place->ns, place->system, end->id, end->tag);
	return cim_path_of_remote(place->arena, place->ns, end->system, end->id);
}

static void fill_source(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, path_of_end(place, &((const struct cim_copy_row *)row)->source));
}

static void fill_target(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_path(value, path_of_end(place, &((const struct cim_copy_row *)row)->target));
}

/* The moment that the target shows; of one in step since then. */
static void fill_synced(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;
	bool in_step = !copy->is_flash && copy->type.copy_type == 3 && copy->state.copy_state == SYNCHRONIZED;

	(void)place;
	cim_set_time(value, in_step ? copy->since_wall_ns : copy->shown_wall_ns);
}

static void fill_maintained(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	cim_set_flag(value, !copy->is_flash && copy->state.sync_state == SYNC_STATE_SYNCHRONIZED);
}

static void fill_percent(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->has_progress)
		cim_set_number(value, copy->percent);
}

/* A FlashCopy has no link. */
static void fill_recovery(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	if (!((const struct cim_copy_row *)row)->is_flash)
		cim_set_number(value, 2);
}

/* The times in this state say when it came to it. */
static void fill_since(const void *row, uint16_t state, uint16_t other, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	if (copy->state.copy_state == state || copy->state.copy_state == other)
		cim_set_time(value, copy->since_wall_ns);
}

static void fill_synchronized(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	fill_since(row, SYNCHRONIZED, SYNCHRONIZED, value);
}

static void fill_suspended(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	fill_since(row, SUSPENDED, SPLIT, value);
}

static void fill_deactivated(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	fill_since(row, INACTIVE, INACTIVE, value);
}

/* A FlashCopy with the moment that it shows; a pair when it began to copy, or to follow. */
static void fill_activated(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->is_flash)
		cim_set_time(value, copy->created_wall_ns);
	else
		fill_since(row, UNSYNCHRONIZED, SYNCHRONIZED, value);
}

static void fill_established(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_time(value, ((const struct cim_copy_row *)row)->created_wall_ns);
}

/* Of a pair the end that is on another system: 2 the source, 3 the target. */
static void fill_undiscovered(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (!copy->source.is_here || !copy->target.is_here)
		cim_set_number(value, copy->source.is_here ? 3 : 2);
}

static void fill_read_only(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->read_only)
		cim_set_number(value, copy->read_only);
}

static void fill_priority(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->is_source)
		cim_set_number(value, copy->priority);
}

static void fill_rpo(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->is_source && !copy->is_flash)
		cim_set_interval(value, copy->lag.rpo_ns);
}

static void fill_skew(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->is_source && !copy->is_flash)
		cim_set_number(value, copy->lag.skew_bytes);
}

static void fill_tracks(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	if (copy->is_source)
		cim_set_number(value, (copy->out_of_sync_blocks + BLOCKS_A_TRACK - 1) / BLOCKS_A_TRACK);
}

static void fill_reason(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_row *copy = row;

	(void)place;
	cim_set_text(value, copy->reason ? copy->reason : "");
}

static void fill_from_secondary(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_flag(value, !((const struct cim_copy_row *)row)->is_source);
}

static const struct cim_column columns[] = {
	CIM_FILL("SystemElement", fill_source), CIM_FILL("SyncedElement", fill_target),
	CIM_FILL("WhenSynced", fill_synced), CIM_FILL("SyncMaintained", fill_maintained),
	CIM_ROW_NUMBER("CopyType", struct cim_copy_row, type.copy_type),
	CIM_ROW_NUMBER("Mode", struct cim_copy_row, type.mode),
	CIM_ROW_NUMBER("SyncType", struct cim_copy_row, type.sync_type),
	CIM_ROW_NUMBER("ReplicaType", struct cim_copy_row, type.replica_type),
	CIM_ROW_NUMBER("CopyMethodology", struct cim_copy_row, type.copy_methodology),
	CIM_ROW_NUMBER("SyncState", struct cim_copy_row, state.sync_state),
	CIM_ROW_NUMBER("CopyState", struct cim_copy_row, state.copy_state),
	CIM_ROW_NUMBER("ProgressStatus", struct cim_copy_row, state.progress_status),
	CIM_ROW_NUMBER("RequestedCopyState", struct cim_copy_row, state.requested_copy_state),
	CIM_FILL("PercentSynced", fill_percent), CIM_FILL("CopyRecoveryMode", fill_recovery),
	CIM_ROW_FLAG("FailedCopyStopsHostIO", struct cim_copy_row, critical),
	CIM_FILL("WhenActivated", fill_activated), CIM_FILL("WhenDeactivated", fill_deactivated),
	CIM_FILL("WhenEstablished", fill_established), CIM_FILL("WhenSuspended", fill_suspended),
	CIM_FILL("WhenSynchronized", fill_synchronized), CIM_FILL("CopyPriority", fill_priority),
	CIM_FILL("UndiscoveredElement", fill_undiscovered), CIM_FILL("ReadOnly", fill_read_only),
	CIM_FILL("RPO", fill_rpo), CIM_FILL("Skew", fill_skew),
	CIM_END,
};

static const struct cim_column columns_ibm[] = {
	CIM_FILL("NumberOfOutOfSyncTracks", fill_tracks), CIM_FILL("SuspendReason", fill_reason),
	CIM_FILL("isStateFromSecondary", fill_from_secondary),
	CIM_END,
};

/* ---- volumes of other systems: each once, whatever pairs it has here ---- */

/* A row is a pair of ours; of several with one remote volume the first in their order shows it. */
static const struct cim_copy_end *remote_end(const struct cim_copy_row *copy)
{
	return copy->source.is_here ? &copy->target : &copy->source;
}

static bool has_remote(const void *row)
{
	return !remote_end(row)->is_here;
}

static int find_remote(struct control *control, void *row)
{
	MEM_OWNED struct cim_copy_row *rows = mem_alloc(CIM_BATCH_ROWS * sizeof(*rows));
	struct cim_copy_end wanted = ((struct cim_copy_row *)row)->target;
	const void *after = NULL;
	int count;

	if (!rows)
		return -ENOMEM;
	while ((count = fetch_pairs(control, after, rows, CIM_BATCH_ROWS)) > 0) {
		for (int i = 0; i < count; i++) {
			const struct cim_copy_end *end = remote_end(&rows[i]);

			if (end->is_here || end->id != wanted.id || strcmp(end->system, wanted.system) != 0)
				continue;
			*(struct cim_copy_row *)row = rows[i];
			return 1;
		}
		*(struct cim_copy_row *)row = rows[count - 1];
		after = row;
	}
	return count;
}

static bool key_of_remote(const struct cim_path *path, void *row)
{
	struct cim_copy_row *wanted = row;

	return cim_path_is_remote(path, wanted->target.system, &wanted->target.id);
}

static const struct cim_source remotes = { sizeof(struct cim_copy_row), fetch_pairs, find_remote };

static void fill_remote_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_end *end = remote_end(row);
	const struct cim_path *path = cim_path_of_remote(place->arena, place->ns, end->system, end->id);

	cim_set_text(value, path ? cim_path_key_text(path, "InstanceID") : NULL);
}

static void fill_remote_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_end *end = remote_end(row);

	cim_set_text(value, arena_print(place->arena, "%s:%04X", end->system, end->id));
}

static void fill_remote_volume(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, arena_print(place->arena, "%04X", remote_end(row)->id));
}

static void fill_remote_lss(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct cim_copy_end *end = remote_end(row);

	cim_set_text(value, cim_lss_text(place->arena, end->system, (uint8_t)(end->id >> 8), 0));
}

static void fill_remote_system(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, remote_end(row)->system);
}

static const struct cim_column columns_remote[] = {
	CIM_FILL("InstanceID", fill_remote_id),
	CIM_FILL("ElementName", fill_remote_name),
	CIM_TEXT("Caption", "Remote volume"),
	CIM_FILL("Name", fill_remote_name),
	CIM_FILL("EntityID", fill_remote_name),
	CIM_NUMBER("Type", 4),
	CIM_FLAG("Persistent", true),
	CIM_STATUS("OperationalStatus", 2),
	CIM_NUMBER("HealthState", 5),
	CIM_NUMBER("EnabledState", 5),
	CIM_END,
};

static const struct cim_column columns_remote_ibm[] = {
	CIM_FILL("VolumeID", fill_remote_volume), CIM_FILL("LSS", fill_remote_lss),
	CIM_FILL("ESSID", fill_remote_system),
	CIM_END,
};

const struct cim_view cim_views_copy[] = {
	{ "IBMTSESS_StorageSynchronized", CIM_IN(IBM), &pairs, columns, columns_ibm, key_of_pair, NULL },
	{ "IBMTSESS_StorageSynchronized", CIM_IN(IBM), &flashes, columns, columns_ibm, key_of_flash, NULL },
	{ "MSISCSITARGET_StorageSynchronized", CIM_IN(ISCSITARGET), &pairs, columns, NULL, key_of_pair, NULL },
	{ "MSISCSITARGET_StorageSynchronized", CIM_IN(ISCSITARGET), &flashes, columns, NULL, key_of_flash, NULL },
	{ "IBMTSESS_RemoteVolume", CIM_IN(IBM), &remotes, columns_remote, columns_remote_ibm, key_of_remote,
	  has_remote },
	{ "MSISCSITARGET_ReplicationEntity", CIM_IN(ISCSITARGET), &remotes, columns_remote, NULL, key_of_remote,
	  has_remote },
	{ .class_name = NULL },
};
