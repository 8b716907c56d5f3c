/* SPDX-License-Identifier: Apache-2.0 */
/* The state table: which type and state a copy is of (state_table.h). */
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
