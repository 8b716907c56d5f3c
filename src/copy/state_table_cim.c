/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/state_table_cim.h"

#include <assert.h>
#include <stddef.h>

/* ---- CIM ---- */

/* Values of the properties of struct copy_cim_type. */
enum { CIM_ASYNC = 2, CIM_SYNC = 3, CIM_UNSYNC_ASSOC = 4, CIM_UNSYNC_UNASSOC = 5 };
enum { MODE_SYNC = 2, MODE_ASYNC = 3 };
enum { SYNC_MIRROR = 6, SYNC_SNAPSHOT = 7, SYNC_CLONE = 8 };
enum { REPLICA_FULL_COPY = 2, REPLICA_BEFORE_DELTA = 3 };
enum { METHOD_FULL_COPY = 3, METHOD_INCREMENTAL = 4, METHOD_COPY_ON_WRITE = 6, METHOD_DELTA_UPDATE = 8 };
enum { REPLICATION_SYNC_MIRROR_REMOTE = 4, REPLICATION_ASYNC_MIRROR_REMOTE = 5, REPLICATION_ASYNC_SNAPSHOT_LOCAL = 7,
       REPLICATION_ASYNC_CLONE_LOCAL = 11 };

static const struct copy_cim_type cim_types[COPY_TYPE_COUNT] = {
	[COPY_TYPE_GLOBAL_COPY] = { CIM_ASYNC, MODE_ASYNC, SYNC_MIRROR, REPLICA_FULL_COPY, METHOD_INCREMENTAL,
				    REPLICATION_ASYNC_MIRROR_REMOTE },
	[COPY_TYPE_ASYNC] = { CIM_ASYNC, MODE_ASYNC, SYNC_MIRROR, REPLICA_FULL_COPY, METHOD_INCREMENTAL,
			      REPLICATION_ASYNC_MIRROR_REMOTE },
	[COPY_TYPE_SESSION] = { CIM_ASYNC, MODE_ASYNC, SYNC_MIRROR, REPLICA_FULL_COPY, METHOD_DELTA_UPDATE,
				REPLICATION_ASYNC_MIRROR_REMOTE },
	[COPY_TYPE_SYNC] = { CIM_SYNC, MODE_SYNC, SYNC_MIRROR, REPLICA_FULL_COPY, METHOD_FULL_COPY,
			     REPLICATION_SYNC_MIRROR_REMOTE },
	[COPY_TYPE_FLASH] = { CIM_UNSYNC_UNASSOC, MODE_ASYNC, SYNC_CLONE, REPLICA_FULL_COPY, METHOD_FULL_COPY,
			      REPLICATION_ASYNC_CLONE_LOCAL },
	[COPY_TYPE_FLASH_NO_COPY] = { CIM_UNSYNC_ASSOC, MODE_ASYNC, SYNC_SNAPSHOT, REPLICA_BEFORE_DELTA,
				      METHOD_COPY_ON_WRITE, REPLICATION_ASYNC_SNAPSHOT_LOCAL },
	[COPY_TYPE_FLASH_PERSISTENT] = { CIM_UNSYNC_ASSOC, MODE_ASYNC, SYNC_CLONE, REPLICA_FULL_COPY,
					 METHOD_FULL_COPY, REPLICATION_ASYNC_CLONE_LOCAL },
	[COPY_TYPE_FLASH_RECORD] = { CIM_UNSYNC_ASSOC, MODE_ASYNC, SYNC_CLONE, REPLICA_FULL_COPY, METHOD_INCREMENTAL,
				     REPLICATION_ASYNC_CLONE_LOCAL },
	[COPY_TYPE_FLASH_PRACTICE] = { CIM_UNSYNC_ASSOC, MODE_ASYNC, SYNC_SNAPSHOT, REPLICA_BEFORE_DELTA,
				       METHOD_COPY_ON_WRITE, REPLICATION_ASYNC_SNAPSHOT_LOCAL },
};

struct copy_cim_type copy_cim_of_type(enum copy_type type)
{
	assert(type < COPY_TYPE_COUNT);
	return cim_types[type];
}

/* SyncState */
enum {
	SYNC_PREPARED = 4, SYNC_RESYNC_IN_PROGRESS = 5, SYNC_SYNCHRONIZED = 6, SYNC_QUIESCE_IN_PROGRESS = 8,
	SYNC_QUIESCED = 9, SYNC_RESTORE_IN_PROGRESS = 10, SYNC_IDLE = 11, SYNC_BROKEN = 12, SYNC_FRACTURED = 13,
	SYNC_FROZEN = 14, SYNC_COPY_IN_PROGRESS = 15,
};

/* CopyState, and RequestedCopyState */
enum {
	CS_UNSYNCHRONIZED = 3, CS_SYNCHRONIZED = 4, CS_BROKEN = 5, CS_SPLIT = 7, CS_INACTIVE = 8, CS_SUSPENDED = 9,
	CS_FAILEDOVER = 10, CS_PREPARED = 11, CS_NOT_APPLICABLE = 15, CS_INVALID = 17,
};

/* ProgressStatus */
enum {
	PS_COMPLETED = 2, PS_DORMANT = 3, PS_SYNCHRONIZING = 6, PS_RESYNCING = 7, PS_RESTORING = 8,
	PS_FAILING_BACK = 12, PS_REQUIRES_RESYNC = 18, PS_REQUIRES_ACTIVATE = 19, PS_PENDING = 20, PS_DETACHING = 21,
};

/*
 * SyncState calls fractured whatever is asked to be apart; CopyState tells suspended from split, which is of one
 * moment. Held hosts are quiesced in both.
 */
static const struct {
	uint16_t sync_state, copy_state, progress, requested;
} cim_states[COPY_STATE_COUNT] = {
	[COPY_STATE_FIRST_COPY] = { SYNC_RESYNC_IN_PROGRESS, CS_UNSYNCHRONIZED, PS_SYNCHRONIZING, CS_SYNCHRONIZED },
	[COPY_STATE_RESYNC] = { SYNC_RESYNC_IN_PROGRESS, CS_UNSYNCHRONIZED, PS_RESYNCING, CS_SYNCHRONIZED },
	[COPY_STATE_FOLLOWING] = { SYNC_SYNCHRONIZED, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_FULL_DUPLEX] = { SYNC_SYNCHRONIZED, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_REFUSING] = { SYNC_BROKEN, CS_BROKEN, PS_PENDING, CS_SYNCHRONIZED },
	[COPY_STATE_INTERRUPTED] = { SYNC_BROKEN, CS_BROKEN, PS_PENDING, CS_SYNCHRONIZED },
	[COPY_STATE_SUSPENDED] = { SYNC_FRACTURED, CS_SUSPENDED, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_FROZEN] = { SYNC_QUIESCED, CS_SUSPENDED, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_SPLIT] = { SYNC_FRACTURED, CS_SPLIT, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_PAUSED] = { SYNC_FRACTURED, CS_SPLIT, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_REMOVED] = { SYNC_FRACTURED, CS_SUSPENDED, PS_REQUIRES_RESYNC, CS_NOT_APPLICABLE },
	[COPY_STATE_DIVERGED] = { SYNC_BROKEN, CS_INVALID, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_WRITES_LOST] = { SYNC_BROKEN, CS_INVALID, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_COPY_ANEW] = { SYNC_BROKEN, CS_BROKEN, PS_REQUIRES_RESYNC, CS_NOT_APPLICABLE },
	[COPY_STATE_OFFLINE] = { SYNC_BROKEN, CS_BROKEN, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_TARGET_FIRST_COPY] =
		{ SYNC_RESYNC_IN_PROGRESS, CS_UNSYNCHRONIZED, PS_SYNCHRONIZING, CS_SYNCHRONIZED },
	[COPY_STATE_TARGET] = { SYNC_SYNCHRONIZED, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_TARGET_FULL_DUPLEX] = { SYNC_SYNCHRONIZED, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_TARGET_AWAY] = { SYNC_FRACTURED, CS_FAILEDOVER, PS_FAILING_BACK, CS_SYNCHRONIZED },
	[COPY_STATE_TARGET_TORN] = { SYNC_BROKEN, CS_INVALID, PS_REQUIRES_RESYNC, CS_NOT_APPLICABLE },
	[COPY_STATE_FAILED_OVER] = { SYNC_FRACTURED, CS_FAILEDOVER, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_TARGET_OFFLINE] = { SYNC_BROKEN, CS_BROKEN, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_COPYING] = { SYNC_COPY_IN_PROGRESS, CS_UNSYNCHRONIZED, PS_SYNCHRONIZING, CS_SYNCHRONIZED },
	[COPY_STATE_FLASH_IDLE] = { SYNC_IDLE, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_WHOLE] = { SYNC_FROZEN, CS_SYNCHRONIZED, PS_COMPLETED, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_RESTORING] =
		{ SYNC_RESTORE_IN_PROGRESS, CS_UNSYNCHRONIZED, PS_RESTORING, CS_SYNCHRONIZED },
	[COPY_STATE_FLASH_REVERTIBLE] = { SYNC_PREPARED, CS_PREPARED, PS_REQUIRES_ACTIVATE, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_FAILED] = { SYNC_BROKEN, CS_BROKEN, PS_DORMANT, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_WITHDRAWING] = { SYNC_QUIESCE_IN_PROGRESS, CS_INACTIVE, PS_DETACHING, CS_NOT_APPLICABLE },
	[COPY_STATE_FLASH_OFFLINE] = { SYNC_BROKEN, CS_BROKEN, PS_DORMANT, CS_NOT_APPLICABLE },
};

struct copy_cim_state copy_cim_of_state(enum copy_type type, enum copy_state state)
{
	/* A synchronous one is a copy of its source only while it is full-duplex. */
	enum copy_state as = type == COPY_TYPE_SYNC && state == COPY_STATE_TARGET ? COPY_STATE_RESYNC : state;

	assert(copy_table_has(type, state) && state != COPY_STATE_NONE);
	return (struct copy_cim_state){
		.sync_state = cim_states[as].sync_state, .copy_state = cim_states[as].copy_state,
		.progress_status = cim_states[as].progress, .requested_copy_state = cim_states[as].requested,
	};
}

/* ---- operations ---- */

#define PAIRS	(1u << COPY_TYPE_GLOBAL_COPY | 1u << COPY_TYPE_ASYNC | 1u << COPY_TYPE_SESSION | 1u << COPY_TYPE_SYNC)
#define FLASHES	(1u << COPY_TYPE_FLASH | 1u << COPY_TYPE_FLASH_NO_COPY | 1u << COPY_TYPE_FLASH_PERSISTENT | \
		 1u << COPY_TYPE_FLASH_RECORD | 1u << COPY_TYPE_FLASH_PRACTICE)

/* 0: the method has no number for it. A number may stand for one operation of a type only. */
static const struct {
	uint32_t types;
	enum copy_verb verb;
	uint16_t numbers[COPY_CIM_METHOD_COUNT];	/* ModifySynchronization, ModifyReplica..., of a group */
	bool renames;
} operations[] = {
	{ PAIRS, COPY_SUSPEND, { 3, 22, 22 }, false },	/* Fracture, Suspend */
	{ PAIRS, COPY_RESUME, { 4, 16, 16 }, false },	/* Resync Replica, Resume */
	{ PAIRS, COPY_RESUME, { 0, 14, 14 }, false },	/* Resync Replica */
	{ PAIRS, COPY_GO_TO_SYNC, { 10, 17, 0 }, false },	/* Reset To Sync */
	{ PAIRS, COPY_LEAVE_SYNC, { 11, 18, 0 }, false },	/* Reset To Async */
	{ PAIRS, COPY_FREEZE, { 8, 0, 0 }, false },	/* Quiesce */
	{ PAIRS, COPY_RUN, { 9, 0, 0 }, false },	/* Unquiesce */
	{ PAIRS, COPY_FAILOVER, { 0, 10, 10 }, false },
	{ PAIRS, COPY_FAILBACK, { 0, 11, 11 }, true },
	{ FLASHES, COPY_RESYNC, { 4, 14, 14 }, false },	/* Resync Replica */
	{ FLASHES, COPY_REVERSE, { 5, 15, 15 }, true },	/* Restore from Replica */
	{ FLASHES, COPY_COMMIT, { 0, 4, 0 }, false },	/* Activate */
	{ FLASHES, COPY_REVERT, { 7, 23, 0 }, false },	/* Unprepare */
	{ PAIRS | FLASHES, COPY_DELETE, { 2, 8, 8 }, false },	/* Detach */
};
#define OPERATIONS	(sizeof(operations) / sizeof(operations[0]))
_Static_assert(OPERATIONS <= COPY_CIM_OPERATIONS_MAX, "room for all");

bool copy_cim_find_verb(enum copy_type type, enum copy_cim_method method, uint16_t number, enum copy_verb *verb)
{
	for (size_t i = 0; number && i < OPERATIONS; i++) {
		if (!(operations[i].types & 1u << type) || operations[i].numbers[method] != number)
			continue;
		*verb = operations[i].verb;
		return true;
	}
	return false;
}

/* As the table has the operation in one state. */
static void add_cell(enum copy_type type, enum copy_state state, enum copy_verb verb, struct copy_cim_operation *out)
{
	enum copy_answer answer = copy_table_cell(type, state, verb).answer;
	bool flash = FLASHES & 1u << type, target = state >= COPY_STATE_TARGET_FIRST_COPY;

	if (!copy_table_allows(type, state, verb))
		return;
	out->at_source = out->at_source || flash || !target;
	out->at_target = out->at_target || flash || target;
	out->may_need_force = out->may_need_force || answer == COPY_FORCED;
}

static void add_type(enum copy_type type, uint16_t copy_state, enum copy_verb verb, struct copy_cim_operation *out)
{
	for (enum copy_state state = COPY_STATE_NONE + 1; state < COPY_STATE_COUNT; state++) {
		if (copy_table_has(type, state) &&
		    (!copy_state || copy_cim_of_state(type, state).copy_state == copy_state))
			add_cell(type, state, verb, out);
	}
}

static struct copy_cim_operation begin_operation(size_t index, enum copy_cim_method method)
{
	return (struct copy_cim_operation){
		.number = operations[index].numbers[method], .renames = operations[index].renames,
	};
}

unsigned copy_cim_list_operations(uint16_t replication_type, enum copy_cim_method method, uint16_t copy_state,
				  struct copy_cim_operation out[COPY_CIM_OPERATIONS_MAX])
{
	unsigned count = 0;

	for (size_t i = 0; i < OPERATIONS; i++) {
		struct copy_cim_operation operation = begin_operation(i, method);

		for (enum copy_type type = 0; operation.number && type < COPY_TYPE_COUNT; type++) {
			if (operations[i].types & 1u << type && cim_types[type].replication_type == replication_type)
				add_type(type, copy_state, operations[i].verb, &operation);
		}
		if (operation.at_source || operation.at_target)
			out[count++] = operation;
	}
	return count;
}

unsigned copy_cim_list_operations_of(enum copy_type type, enum copy_state state, enum copy_cim_method method,
				     struct copy_cim_operation out[COPY_CIM_OPERATIONS_MAX])
{
	unsigned count = 0;

	for (size_t i = 0; i < OPERATIONS; i++) {
		struct copy_cim_operation operation = begin_operation(i, method);

		if (operation.number && operations[i].types & 1u << type)
			add_cell(type, state, operations[i].verb, &operation);
		if (operation.at_source || operation.at_target)
			out[count++] = operation;
	}
	return count;
}

/* ---- states ---- */

/* Hosts get what a FlashCopy shows from its first moment on; a target of a pair is closed until it is failed over. */
static bool is_open_to_hosts(enum copy_type type, enum copy_state state)
{
	return FLASHES & 1u << type ? state != COPY_STATE_FLASH_FAILED && state != COPY_STATE_FLASH_OFFLINE
				    : state == COPY_STATE_FAILED_OVER;
}

/* What is known of one CopyState, of the states that have it. */
struct state_sum {
	bool any, closed;
	bool settled, settled_closed;		/* the same of those that do not go on to another by themselves */
};

static bool can_do(enum copy_type type, enum copy_state state, enum copy_cim_method method, uint16_t operation)
{
	enum copy_verb verb;

	return !operation || (copy_cim_find_verb(type, method, operation, &verb) &&
			      copy_table_allows(type, state, verb));
}

static void sum_state(enum copy_type type, enum copy_state state, struct state_sum sums[COPY_CIM_COPY_STATES_MAX])
{
	const struct copy_cim_state as = copy_cim_of_state(type, state);
	struct state_sum *sum = &sums[as.copy_state];
	bool open = is_open_to_hosts(type, state);

	assert(as.copy_state < COPY_CIM_COPY_STATES_MAX);
	sum->any = true;
	sum->closed = sum->closed || !open;
	if (as.requested_copy_state != CS_NOT_APPLICABLE)
		return;
	sum->settled = true;
	sum->settled_closed = sum->settled_closed || !open;
}

unsigned copy_cim_list_states(uint16_t replication_type, enum copy_cim_method method, uint16_t operation,
			      struct copy_cim_copy_state out[COPY_CIM_COPY_STATES_MAX])
{
	struct state_sum sums[COPY_CIM_COPY_STATES_MAX] = { { 0 } };
	unsigned count = 0;

	for (enum copy_type type = 0; type < COPY_TYPE_COUNT; type++) {
		if (cim_types[type].replication_type != replication_type)
			continue;
		for (enum copy_state state = COPY_STATE_NONE + 1; state < COPY_STATE_COUNT; state++)
			if (copy_table_has(type, state) && can_do(type, state, method, operation))
				sum_state(type, state, sums);
	}
	for (uint16_t i = 0; i < COPY_CIM_COPY_STATES_MAX; i++)
		if (sums[i].any)
			out[count++] = (struct copy_cim_copy_state){
				i, !(sums[i].settled ? sums[i].settled_closed : sums[i].closed),
			};
	return count;
}

/* ---- how far a target is behind ---- */

struct copy_cim_lag copy_cim_lag_of(enum copy_type type, enum copy_state state, uint64_t out_of_sync_blocks,
				    int64_t session_rpo_ns)
{
	struct copy_cim_lag lag = { .rpo_ns = -1, .skew_bytes = out_of_sync_blocks * XDC_BLOCK_SIZE };

	assert(copy_table_has(type, state));
	/* What is noted then may be lost there with the power, and is there now. */
	if (state == COPY_STATE_FULL_DUPLEX)
		lag = (struct copy_cim_lag){ 0 };
	else if (type == COPY_TYPE_SESSION && state == COPY_STATE_FOLLOWING)
		lag.rpo_ns = session_rpo_ns;
	return lag;
}

/* ---- Swordfish: the words of StorageReplicaInfo, by the numbers of CIM ---- */

static const char *const replica_states[] = {
	[2] = "Initialized", [3] = "Unsynchronized", [4] = "Synchronized", [5] = "Broken", [6] = "Fractured",
	[7] = "Split", [8] = "Inactive", [9] = "Suspended", [10] = "Failedover", [11] = "Prepared",
	[12] = "Aborted", [13] = "Skewed", [14] = "Mixed", [16] = "Partitioned", [17] = "Invalid", [18] = "Restored",
};

static const char *const replica_progresses[] = {
	[2] = "Completed", [3] = "Dormant", [4] = "Initializing", [5] = "Preparing", [6] = "Synchronizing",
	[7] = "Resyncing", [8] = "Restoring", [9] = "Fracturing", [10] = "Splitting", [11] = "FailingOver",
	[12] = "FailingBack", [13] = "Aborting", [14] = "Mixed", [16] = "Suspending", [17] = "RequiresFracture",
	[18] = "RequiresResync", [19] = "RequiresActivate", [20] = "Pending", [21] = "Detaching",
	[22] = "RequiresDetach", [23] = "Terminating", [24] = "RequiresSplit", [25] = "RequiresResume",
};

const char *copy_cim_replica_state(uint16_t value)
{
	return value < sizeof(replica_states) / sizeof(replica_states[0]) ? replica_states[value] : NULL;
}

const char *copy_cim_replica_progress(uint16_t value)
{
	return value < sizeof(replica_progresses) / sizeof(replica_progresses[0]) ? replica_progresses[value] : NULL;
}
