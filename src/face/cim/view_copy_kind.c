/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration service is able to do with each kind of copy (Copy Services), in both namespaces, told by the
 * state table: one instance a SupportedSynchronizationType.
 */
#include "face/cim/links.h"
#include "face/cim/views.h"

#include <assert.h>

#include "copy/state_table_cim.h"
#include "face/cim/thing.h"
#include "volume/flash.h"
#include "volume/target.h"

/* Values of SupportedSynchronizationType, CopyType and ReplicaType. */
enum { KIND_ASYNC = 2, KIND_SYNC, KIND_FULL, KIND_DELTA, KIND_UNASSOCIATED, KIND_END };
enum { COPY_ASYNC = 2, COPY_SYNC, COPY_UNSYNC_ASSOC, COPY_UNSYNC_UNASSOC };
enum { REPLICA_FULL_COPY = 2 };

/* Of ModifySynchronization: those of the state table, and Start Copy and Stop Copy, which are of FlashCopies. */
enum { OPERATION_FIRST = 2, OPERATION_TABLE_LAST = 11, OPERATION_START_COPY, OPERATION_STOP_COPY };

/* Actions: creation, modification and attachment of copies here, and of those on other systems. */
enum { LOCAL_CREATION = 2, LOCAL_MODIFICATION = 4, REMOTE_MODIFICATION, LOCAL_ATTACHMENT, REMOTE_ATTACHMENT };

#define SYNC_STATE_BROKEN	12u
#define SYNC_STATES		16u

struct kind_row {
	uint16_t kind;
	uint16_t accessibility, initial_state, replicas;
	bool is_remote;
};

static uint16_t kind_of(enum copy_type type)
{
	const struct copy_cim_type as = copy_cim_of_type(type);

	switch (as.copy_type) {
	case COPY_ASYNC: return KIND_ASYNC;
	case COPY_SYNC: return KIND_SYNC;
	case COPY_UNSYNC_UNASSOC: return KIND_UNASSOCIATED;
	default: return as.replica_type == REPLICA_FULL_COPY ? KIND_FULL : KIND_DELTA;
	}
}

/* ---- rows ---- */

static void make_row(uint16_t kind, struct kind_row *row)
{
	bool is_remote = kind <= KIND_SYNC;

	*row = (struct kind_row){
		.kind = kind, .is_remote = is_remote,
		/* Not Accessible, No Restrictions; Initialized, Idle. */
		.accessibility = is_remote ? 2 : 3, .initial_state = kind == KIND_DELTA ? 5 : 2,
		.replicas = is_remote ? VOLUME_TARGETS_MAX : FLASH_TARGETS_MAX,
	};
}

static int fetch_kinds(struct control *control, const void *after, void *rows, unsigned max)
{
	uint16_t kind = after ? (uint16_t)(((const struct kind_row *)after)->kind + 1) : KIND_ASYNC;
	struct kind_row *row = rows;
	unsigned count = 0;

	(void)control;
	for (; kind < KIND_END && count < max; kind++)
		make_row(kind, &row[count++]);
	return (int)count;
}

static const struct cim_source source = { sizeof(struct kind_row), fetch_kinds, NULL };

/* ---- properties ---- */

static const char *const names[KIND_END] = {
	[KIND_ASYNC] = "async", [KIND_SYNC] = "sync", [KIND_FULL] = "full", [KIND_DELTA] = "delta",
	[KIND_UNASSOCIATED] = "unassociated",
};

static void fill_id(const struct cim_place *place, const void *row, struct cim_value *value)
{
	cim_set_text(value, cim_thing_id(place->arena, place->system, "copies",
					 names[((const struct kind_row *)row)->kind]));
}

static void fill_name(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_text(value, names[((const struct kind_row *)row)->kind]);
}

static bool can_do(uint16_t kind, uint16_t operation)
{
	enum copy_verb verb;

	if (operation == OPERATION_START_COPY || operation == OPERATION_STOP_COPY)
		return kind > KIND_SYNC;
	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++)
		if (kind_of(type) == kind && copy_cim_find_verb(type, COPY_CIM_CONFIGURATION, operation, &verb))
			return true;
	return false;
}

static void fill_operations(const struct cim_place *place, const void *row, struct cim_value *value)
{
	uint16_t numbers[OPERATION_STOP_COPY];
	unsigned count = 0;

	for (uint16_t operation = OPERATION_FIRST; operation <= OPERATION_STOP_COPY; operation++)
		if (can_do(((const struct kind_row *)row)->kind, operation))
			numbers[count++] = operation;
	cim_set_numbers(place->arena, value, numbers, count);
}

/* What copies take their time for: CopyType has no number for those that copy nothing. */
static void fill_jobs(const struct cim_place *place, const void *row, struct cim_value *value)
{
	static const uint16_t remote[] = { REMOTE_MODIFICATION, REMOTE_ATTACHMENT };
	static const uint16_t local[] = { LOCAL_CREATION, LOCAL_MODIFICATION, LOCAL_ATTACHMENT };
	static const uint16_t modification[] = { LOCAL_MODIFICATION };
	const struct kind_row *kind = row;

	if (kind->is_remote)
		cim_set_numbers(place->arena, value, remote, 2);
	else if (kind->kind == KIND_DELTA)
		cim_set_numbers(place->arena, value, modification, 1);
	else
		cim_set_numbers(place->arena, value, local, 3);
}

static void fill_at_once(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const uint16_t modification = ((const struct kind_row *)row)->is_remote ? REMOTE_MODIFICATION
										: LOCAL_MODIFICATION;

	cim_set_numbers(place->arena, value, &modification, 1);
}

static void note_states(enum copy_type type, bool has[SYNC_STATES])
{
	for (enum copy_state state = COPY_STATE_NONE + 1; state < COPY_STATE_COUNT; state++) {
		uint16_t sync_state;

		if (!copy_table_has(type, state))
			continue;
		sync_state = copy_cim_of_state(type, state).sync_state;
		assert(sync_state < SYNC_STATES);
		has[sync_state] = true;
	}
}

/* Targets of pairs are closed; those of FlashCopies are open in all states that they have, but broken ones. */
static void fill_accessible(const struct cim_place *place, const void *row, struct cim_value *value)
{
	const struct kind_row *kind = row;
	uint16_t numbers[SYNC_STATES];
	bool has[SYNC_STATES] = { false };
	unsigned count = 0;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++)
		if (!kind->is_remote && kind_of(type) == kind->kind)
			note_states(type, has);
	for (uint16_t state = 0; state < SYNC_STATES; state++)
		if (has[state] && state != SYNC_STATE_BROKEN)
			numbers[count++] = state;
	cim_set_numbers(place->arena, value, numbers, count);
}

static void fill_none(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)row;
	cim_set_numbers(place->arena, value, NULL, 0);
}

static void fill_persistent(const struct cim_place *place, const void *row, struct cim_value *value)
{
	(void)place;
	cim_set_flag(value, ((const struct kind_row *)row)->kind != KIND_UNASSOCIATED);
}

static const struct cim_column columns[] = {
	CIM_FILL("InstanceID", fill_id), CIM_FILL("ElementName", fill_name), CIM_TEXT("Caption", "Copy capabilities"),
	CIM_ROW_NUMBER("SupportedSynchronizationType", struct kind_row, kind),
	CIM_FILL("SupportedAsynchronousActions", fill_jobs), CIM_FILL("SupportedSynchronousActions", fill_at_once),
	CIM_ROW_NUMBER("InitialReplicationState", struct kind_row, initial_state),
	CIM_FILL("SupportedSpecializedElements", fill_none), CIM_FILL("SupportedModifyOperations", fill_operations),
	CIM_ROW_NUMBER("ReplicaHostAccessibility", struct kind_row, accessibility),
	CIM_FILL("HostAccessibleState", fill_accessible), CIM_FLAG("SpaceLimitSupported", false),
	CIM_FLAG("SpaceReservationSupported", false), CIM_FLAG("LocalMirrorSnapshotSupported", false),
	CIM_FLAG("RemoteMirrorSnapshotSupported", true), CIM_FLAG("IncrementalDeltasSupported", false),
	CIM_FILL("PersistentReplicasSupported", fill_persistent),
	CIM_ROW_FLAG("BidirectionalConnectionsSupported", struct kind_row, is_remote),
	CIM_ROW_NUMBER("MaximumReplicasPerSource", struct kind_row, replicas),
	CIM_NUMBER("MaximumLocalReplicationDepth", FLASH_DEPTH_MAX), CIM_NUMBER("InitialSynchronizationDefault", 1),
	CIM_NUMBER("ReplicationPriorityDefault", 1), CIM_NUMBER("RemoteReplicationServicePointAccess", 3),
	CIM_NUMBER("AlternateReplicationServicePointAccess", 2), CIM_NUMBER("DeltaReplicaPoolAccess", 2),
	CIM_NUMBER("RemoteBufferSupported", 0), CIM_NUMBER("UseReplicationBufferDefault", 0),
	CIM_END,
};

const struct cim_view cim_views_copy_kind[] = {
	{ "IBMTSESS_StorageReplicationCapabilities", CIM_IN(IBM), &source, columns, NULL, NULL, NULL },
	{ "MSISCSITARGET_StorageReplicationCapabilities", CIM_IN(ISCSITARGET), &source, columns, NULL, NULL, NULL },
	{ .class_name = NULL },
};

/* ---- whose they are ---- */

static const struct cim_path *to_service(const struct cim_place *place, const struct cim_end *end, unsigned index)
{
	(void)end;
	return index == 0 ? cim_path_of_service(place->arena, place->ns, &cim_twin_configuration_service,
						place->system) : NULL;
}

const struct cim_link cim_links_copy_kind[] = {
	CIM_LINK_TWINS("ElementCapabilities", "CIM_StorageReplicationCapabilities", "Capabilities",
		       "CIM_StorageConfigurationService", "ManagedElement", to_service, NULL),
	{ .class_name = NULL },
};
