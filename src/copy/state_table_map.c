/* SPDX-License-Identifier: Apache-2.0 */
/* The state table: which state a copy is in, and what that is called elsewhere (state_table.h). */
#include <assert.h>
#include <stddef.h>

#include "copy/state_table.h"

/* ---- pairs ---- */

static enum copy_type type_of_pair(const struct copy_pair_facts *facts)
{
	const struct record_pair *record = facts->record;

	switch (record->type) {
	case PAIR_SYNC:
		return COPY_TYPE_SYNC;
	case PAIR_GLOBAL_COPY:
		return COPY_TYPE_GLOBAL_COPY;
	default:
		break;
	}
	if (record->role == PAIR_SOURCE)
		return record->session ? COPY_TYPE_SESSION : COPY_TYPE_ASYNC;
	return facts->grouped ? COPY_TYPE_SESSION : COPY_TYPE_ASYNC;
}

static enum copy_state state_of_suspended(const struct copy_pair_facts *facts)
{
	switch (facts->record->reason) {
	case PAIR_REASON_NONE:
	case PAIR_REASON_COMMAND:
		return COPY_STATE_SUSPENDED;
	case PAIR_REASON_SESSION:
		return COPY_STATE_PAUSED;
	case PAIR_REASON_FREEZE:
	case PAIR_REASON_GROUP:
		return COPY_STATE_SPLIT;
	case PAIR_REASON_HISTORY:
		return COPY_STATE_DIVERGED;
	case PAIR_REASON_FAR_GONE:
	case PAIR_REASON_GROUP_LOST:
		return COPY_STATE_COPY_ANEW;
	default:
		return COPY_STATE_INTERRUPTED;
	}
}

static enum copy_state state_of_source(const struct copy_pair_facts *facts)
{
	const struct record_pair *record = facts->record;

	if (facts->frozen)
		return COPY_STATE_FROZEN;
	/* However it came to rest: the far side may have them, and is not overwritten before somebody has looked. */
	if (facts->writes_lost && record->type == PAIR_SYNC && record->state != PAIR_FULL_DUPLEX)
		return COPY_STATE_WRITES_LOST;
	if (record->type == PAIR_ASYNC && record->joined && !record->session)
		return COPY_STATE_REMOVED;
	if (record->state == PAIR_SUSPENDED)
		return state_of_suspended(facts);
	if (record->state == PAIR_FULL_DUPLEX && record->reason == PAIR_REASON_NONE)
		return COPY_STATE_FULL_DUPLEX;
	if (record->state == PAIR_FULL_DUPLEX && record->critical)
		return COPY_STATE_REFUSING;
	if (record->reason != PAIR_REASON_NONE)
		return COPY_STATE_INTERRUPTED;
	if (!record->first_copy_done)
		return COPY_STATE_FIRST_COPY;
	return facts->resyncing || record->type == PAIR_SYNC ? COPY_STATE_RESYNC : COPY_STATE_FOLLOWING;
}

static enum copy_state state_of_target(const struct record_pair *record)
{
	if (record->state == PAIR_FAILED_OVER)
		return COPY_STATE_FAILED_OVER;
	if (record->reason == PAIR_REASON_GROUP_LOST)
		return COPY_STATE_TARGET_TORN;
	switch (record->state) {
	case PAIR_TARGET_FULL_DUPLEX:
		return COPY_STATE_TARGET_FULL_DUPLEX;
	case PAIR_TARGET_SUSPENDED:
		return COPY_STATE_TARGET_AWAY;
	default:
		return record->joined || record->first_copy_bytes ? COPY_STATE_TARGET : COPY_STATE_TARGET_FIRST_COPY;
	}
}

void copy_table_of_pair(const struct copy_pair_facts *facts, enum copy_type *type, enum copy_state *state)
{
	bool is_source = facts->record->role == PAIR_SOURCE;

	*type = type_of_pair(facts);
	if (facts->offline)
		*state = is_source ? COPY_STATE_OFFLINE : COPY_STATE_TARGET_OFFLINE;
	else
		*state = is_source ? state_of_source(facts) : state_of_target(facts->record);
	/* A record that no command writes. */
	if (!copy_table_has(*type, *state))
		*state = is_source ? COPY_STATE_SUSPENDED : COPY_STATE_TARGET;
}

/* ---- FlashCopy ---- */

static enum copy_type type_of_flash(const struct record_flash *record)
{
	if (record->practice)
		return COPY_TYPE_FLASH_PRACTICE;
	if (record->record)
		return COPY_TYPE_FLASH_RECORD;
	if (record->no_copy)
		return COPY_TYPE_FLASH_NO_COPY;
	return record->persistent ? COPY_TYPE_FLASH_PERSISTENT : COPY_TYPE_FLASH;
}

static enum copy_state state_of_active(const struct copy_flash_facts *facts)
{
	if (!facts->target_attached || (!facts->source_attached && !facts->whole))
		return COPY_STATE_FLASH_OFFLINE;
	if (facts->record->restore)
		return COPY_STATE_FLASH_RESTORING;
	if (facts->whole)
		return COPY_STATE_FLASH_WHOLE;
	return facts->record->no_copy ? COPY_STATE_FLASH_IDLE : COPY_STATE_FLASH_COPYING;
}

void copy_table_of_flash(const struct copy_flash_facts *facts, enum copy_type *type, enum copy_state *state)
{
	*type = type_of_flash(facts->record);
	switch (facts->record->state) {
	case FLASH_FAILED:
		*state = COPY_STATE_FLASH_FAILED;
		break;
	case FLASH_WITHDRAWING:
		*state = COPY_STATE_FLASH_WITHDRAWING;
		break;
	case FLASH_REVERTIBLE:
		*state = COPY_STATE_FLASH_REVERTIBLE;
		break;
	default:
		*state = state_of_active(facts);
		break;
	}
	/* Likewise; or of a practice copy, while session unpractice ends it. */
	if (!copy_table_has(*type, *state))
		*state = COPY_STATE_FLASH_FAILED;
}

/* ---- CIM ---- */

enum { CIM_ASYNC = 2, CIM_SYNC = 3, CIM_UNSYNC_ASSOC = 4, CIM_UNSYNC_UNASSOC = 5 };

static const uint16_t cim_types[COPY_TYPE_COUNT] = {
	[COPY_TYPE_GLOBAL_COPY] = CIM_ASYNC, [COPY_TYPE_ASYNC] = CIM_ASYNC, [COPY_TYPE_SESSION] = CIM_ASYNC,
	[COPY_TYPE_SYNC] = CIM_SYNC,
	[COPY_TYPE_FLASH] = CIM_UNSYNC_UNASSOC, [COPY_TYPE_FLASH_NO_COPY] = CIM_UNSYNC_ASSOC,
	[COPY_TYPE_FLASH_PERSISTENT] = CIM_UNSYNC_ASSOC, [COPY_TYPE_FLASH_RECORD] = CIM_UNSYNC_ASSOC,
	[COPY_TYPE_FLASH_PRACTICE] = CIM_UNSYNC_ASSOC,
};

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

struct copy_cim copy_table_cim(enum copy_type type, enum copy_state state)
{
	/* A synchronous one is a copy of its source only while it is full-duplex. */
	enum copy_state as = type == COPY_TYPE_SYNC && state == COPY_STATE_TARGET ? COPY_STATE_RESYNC : state;

	assert(copy_table_has(type, state) && state != COPY_STATE_NONE);
	return (struct copy_cim){
		.copy_type = cim_types[type],
		.sync_state = cim_states[as].sync_state, .copy_state = cim_states[as].copy_state,
		.progress_status = cim_states[as].progress, .requested_copy_state = cim_states[as].requested,
	};
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

const char *copy_table_replica_state(uint16_t value)
{
	return value < sizeof(replica_states) / sizeof(replica_states[0]) ? replica_states[value] : NULL;
}

const char *copy_table_replica_progress(uint16_t value)
{
	return value < sizeof(replica_progresses) / sizeof(replica_progresses[0]) ? replica_progresses[value] : NULL;
}
