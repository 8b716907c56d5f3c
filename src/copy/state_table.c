/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/state_table.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- the words ---- */

#define NAME_EACH(table, count) \
	_Static_assert(sizeof(table) / sizeof((table)[0]) == (count), "a word for each")

const char *const copy_type_names[] = {
	"global-copy", "async", "session", "sync",
	"flash", "flash-no-copy", "flash-persistent", "flash-record", "flash-practice",
};
NAME_EACH(copy_type_names, COPY_TYPE_COUNT);

const char *const copy_state_names[] = {
	"none",
	"first-copy", "resync", "following", "full-duplex", "refusing-writes", "interrupted", "suspended", "frozen",
	"split", "paused", "removed", "diverged", "writes-lost", "copy-anew", "offline",
	"target-first-copy", "target", "target-full-duplex", "target-away", "target-torn", "failed-over",
	"target-offline",
	"copying", "idle", "whole", "restoring", "revertible", "failed", "withdrawing", "flash-offline",
};
NAME_EACH(copy_state_names, COPY_STATE_COUNT);
_Static_assert(COPY_STATE_COUNT <= 64, "a bit for each");

const char *const copy_verb_names[] = {
	"create", "suspend", "resume", "go-to-sync", "leave-sync", "freeze", "run", "failover", "failback", "verify",
	"set", "resync", "reverse", "commit", "revert", "delete",
};
NAME_EACH(copy_verb_names, COPY_VERB_COUNT);

/* Of those with --force, in place of the word alone. */
static const char *const forced_names[COPY_VERB_COUNT] = {
	[COPY_FAILOVER] = "failover --force", [COPY_DELETE] = "delete --force",
};

/* ---- why not ---- */

/* pairs */
static const struct refusal paired = {
	FAULT_IN_USE, "it is paired with volume {remote} of {system} already",
	"to end that one: xdc pair delete {volume} --to {system}",
};
static const struct refusal far_end = {
	FAULT_INVALID_PARAMETER, "this is the far side", "on {system}: xdc pair {verb} {remote}",
};
static const struct refusal near_end = {
	FAULT_INVALID_PARAMETER, "this is the source", "on {system}: xdc pair {verb} {remote}",
};
static const struct refusal offline = {
	FAULT_FAILED, "its volume is offline", "mend the volume and restart xdcd",
};
static const struct refusal offline_delete = {
	FAULT_FAILED, "its volume is offline", "mend the volume and restart xdcd; --force deletes this end",
};
static const struct refusal no_sync_pairs = {
	FAULT_INVALID_PARAMETER, "it has no synchronous pairs", "xdc pair list shows those that exist",
};
static const struct refusal frozen_already = { FAULT_IN_USE, "it is frozen already", "xdc pair run" };
static const struct refusal not_frozen = {
	FAULT_INVALID_PARAMETER, "it is not frozen, or the time of that is over", "xdc pair freeze",
};
static const struct refusal hosts_held = { FAULT_IN_USE, "its hosts are held by pair freeze", "xdc pair run" };
/* Others than synchronous ones are held with a session of type 0x20 alone. */
static const struct refusal session_held = {
	FAULT_IN_USE, "its hosts are held with session {session}", "xdc session run {session}",
};
static const struct refusal was_removed = {
	FAULT_INVALID_PARAMETER, "it was in the consistency groups of a session, and was removed",
	"add it to its session again, or delete and create it",
};
static const struct refusal newer_far = {
	FAULT_FAILED, "the far side is newer", "on {system}: xdc pair failback {remote}, with --discard if needed",
};
static const struct refusal lost_here = {
	FAULT_FAILED, "this side lost writes with the power, and the far side has them",
	"xdc volume accept {volume}; or xdc pair failover {remote} on {system}",
};
static const struct refusal of_no_use = {
	FAULT_FAILED, "the far side has no use for what is sent",
	"delete the pair and create it again: it is copied anew",
};
static const struct refusal in_session = {
	FAULT_IN_USE, "it is in session {session}", "xdc session remove {session} {volume}",
};
static const struct refusal sync_already = {
	FAULT_INVALID_PARAMETER, "it is synchronous already", "xdc pair show",
};
static const struct refusal was_in_groups = {
	FAULT_INVALID_PARAMETER, "it was in the consistency groups of a session", "delete and create it",
};
static const struct refusal not_sync = { FAULT_INVALID_PARAMETER, "it is not synchronous", "xdc pair show" };
static const struct refusal relied_on = {
	FAULT_IN_USE, "hosts may rely on it until it is suspended", "xdc pair suspend {volume}",
};
static const struct refusal copy_runs = {
	FAULT_FAILED, "its first copy has not ended", "xdc pair show {volume} --watch shows it",
};
static const struct refusal not_sent = {
	FAULT_FAILED, "it is {state} ({reason}): what hosts changed has not been sent",
	"xdc pair resume {volume}, then repeat the command",
};
static const struct refusal recovered_whole = {
	FAULT_IN_USE, "it is in a session, which is recovered as a whole", "xdc session recover N",
};
static const struct refusal no_moment = {
	FAULT_FAILED, "what it holds is of no moment: its first copy had not ended",
	"copy it to its end, if the source is there; xdc pair failover {volume} --force takes it as it is",
};
static const struct refusal torn = {
	FAULT_FAILED, "what it holds is of no moment: it lacks a part of a group that was given up",
	"copy it to its end, if the source is there; xdc pair failover {volume} --force takes it as it is",
};
static const struct refusal return_first = {
	FAULT_INVALID_PARAMETER, "it is {state}, and production is not here", "xdc session return finishes the return",
};
static const struct refusal not_here = {
	FAULT_INVALID_PARAMETER, "it is {state}, and production is not here",
	"xdc session recover, or xdc pair failover",
};
static const struct refusal group_kept = {
	FAULT_IN_USE, "its volume holds a consistency group that is kept", "--force gives the group up",
};
static const struct refusal is_target = {
	FAULT_IN_USE, "it is the target of system {system}", "delete it on the source, or --force here",
};

/* FlashCopy */
static const struct refusal flashed = {
	FAULT_IN_USE, "it is the target of volume {remote} already",
	"xdc flash delete {volume}, or take another target",
};
static const struct refusal of_practice = {
	FAULT_IN_USE, "it belongs to the practice copy of session {session}", "xdc session unpractice {session}",
};
static const struct refusal not_active = { FAULT_IN_USE, "its FlashCopy is {state}", "xdc flash show" };
static const struct refusal being_restored = {
	FAULT_IN_USE, "it is being restored from volume {remote}", "wait until all is moved back: xdc flash show",
};
static const struct refusal flash_offline = {
	FAULT_FAILED, "one of the two volumes is offline", "mend it, and restart xdcd",
};
static const struct refusal not_recorded = {
	FAULT_NOT_SUPPORTED, "what is written is not recorded", "create it with --record",
};
static const struct refusal nothing_to_commit = {
	FAULT_INVALID_PARAMETER, "its FlashCopy is {state}: there is nothing to be committed or reverted",
	"xdc flash show",
};
static const struct refusal not_committed = {
	FAULT_IN_USE, "it waits to be committed or reverted", "xdc flash commit, or revert, first",
};
static const struct refusal needs_source = {
	FAULT_IN_USE, "it has only {blocks} blocks of its own; the others are those of volume {remote}",
	"xdc flash delete {volume} --force: the volume is empty then",
};

/* ---- the table: for a cell the first row counts that is about it ---- */

#define T(type)		(1u << COPY_TYPE_##type)
#define S(state)	COPY_STATE_BIT(COPY_STATE_##state)
#define V(verb)		(1u << COPY_##verb)

#define PAIRS		(T(GLOBAL_COPY) | T(ASYNC) | T(SESSION) | T(SYNC))
#define NOT_SYNC	(PAIRS & ~T(SYNC))
#define LASTING		(T(FLASH_NO_COPY) | T(FLASH_PERSISTENT) | T(FLASH_RECORD))
#define OWN_FLASHES	(T(FLASH) | LASTING)
#define FLASHES		(OWN_FLASHES | T(FLASH_PRACTICE))

#define NONE		S(NONE)
#define SENDING		(S(FIRST_COPY) | S(RESYNC) | S(FOLLOWING) | S(FULL_DUPLEX))
#define AT_REST		(S(SUSPENDED) | S(SPLIT) | S(PAUSED))
#define STUCK		(S(DIVERGED) | S(WRITES_LOST) | S(COPY_ANEW))
#define OPEN_SOURCE	(SENDING | AT_REST | STUCK | S(REFUSING) | S(INTERRUPTED) | S(FROZEN) | S(REMOVED))
#define ENDED_COPY	(S(TARGET) | S(TARGET_FULL_DUPLEX) | S(TARGET_AWAY))
#define OPEN_TARGET	(ENDED_COPY | S(TARGET_FIRST_COPY) | S(TARGET_TORN) | S(FAILED_OVER))
#define PAIR_OFFLINE	(S(OFFLINE) | S(TARGET_OFFLINE))
#define ANY_PAIR	(OPEN_SOURCE | OPEN_TARGET | PAIR_OFFLINE)

#define ACTIVE_FLASH	(S(FLASH_COPYING) | S(FLASH_IDLE) | S(FLASH_WHOLE))
#define LATE_FLASH	(S(FLASH_FAILED) | S(FLASH_WITHDRAWING))
#define ANY_FLASH	(ACTIVE_FLASH | LATE_FLASH | S(FLASH_RESTORING) | S(FLASH_REVERTIBLE) | S(FLASH_OFFLINE))

#define PAIR_VERBS	(V(CREATE) | V(SUSPEND) | V(RESUME) | V(GO_TO_SYNC) | V(LEAVE_SYNC) | V(FREEZE) | V(RUN) | \
			 V(FAILOVER) | V(FAILBACK) | V(VERIFY) | V(SET) | V(DELETE))
#define SOURCE_VERBS	(V(SUSPEND) | V(RESUME) | V(GO_TO_SYNC) | V(LEAVE_SYNC) | V(VERIFY) | V(SET))
#define FLASH_VERBS	(V(CREATE) | V(RESYNC) | V(REVERSE) | V(COMMIT) | V(REVERT) | V(SET) | V(DELETE))

/* next: where the command leaves it. */
#define SAME		TABLE_SAME
#define TO_TYPE(type)	(COPY_TYPE_##type + 1)

static const struct table_row rows[] = {
	/* A pair is made, and not twice. Into a session an async one is brought by session add. */
	{ PAIRS & ~T(SESSION), NONE, V(CREATE), COPY_ASKS, NULL, SENDING | S(INTERRUPTED), 0 },
	{ PAIRS, ANY_PAIR & ~PAIR_OFFLINE, V(CREATE), COPY_REFUSED, &paired, SAME, 0 },

	/* The pairs of a path at once. */
	{ T(SYNC), S(FROZEN), V(FREEZE), COPY_REFUSED, &frozen_already, SAME, 0 },
	{ T(SYNC), S(FULL_DUPLEX), V(FREEZE), COPY_DONE, NULL, S(FROZEN), 0 },
	{ T(SYNC), SENDING | S(REFUSING), V(FREEZE), COPY_DONE_HERE, NULL, S(FROZEN), 0 },
	{ T(SYNC), S(INTERRUPTED) | S(COPY_ANEW), V(FREEZE), COPY_DONE_HERE, NULL, S(FROZEN) | S(SPLIT), 0 },
	{ T(SYNC), S(WRITES_LOST), V(FREEZE), COPY_DONE_HERE, NULL, S(WRITES_LOST) | S(FROZEN) | S(SPLIT), 0 },
	{ T(SYNC), OPEN_SOURCE, V(FREEZE), COPY_DONE_HERE, NULL, SAME, 0 },
	{ PAIRS, ANY_PAIR, V(FREEZE), COPY_REFUSED, &no_sync_pairs, SAME, 0 },
	{ T(SYNC), S(FROZEN), V(RUN), COPY_DONE, NULL, S(SPLIT) | S(SUSPENDED) | S(DIVERGED), 0 },
	{ PAIRS, ANY_PAIR, V(RUN), COPY_REFUSED, &not_frozen, SAME, 0 },

	/* Where nothing can be done, and at the wrong end. */
	{ PAIRS, PAIR_OFFLINE, V(DELETE), COPY_FORCED, &offline_delete, NONE, 0 },
	{ PAIRS, PAIR_OFFLINE, PAIR_VERBS, COPY_REFUSED, &offline, SAME, 0 },
	{ PAIRS, OPEN_TARGET, SOURCE_VERBS, COPY_REFUSED, &far_end, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(FAILOVER), COPY_REFUSED, &near_end, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(FAILBACK), COPY_NOTHING, NULL, SAME, 0 },

	/* At the source. */
	{ PAIRS, OPEN_SOURCE, V(SET), COPY_DONE, NULL, SAME, 0 },
	{ PAIRS, S(FROZEN) | S(REMOVED) | S(WRITES_LOST), V(SUSPEND), COPY_DONE, NULL, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(SUSPEND), COPY_DONE, NULL, S(SUSPENDED), 0 },
	{ T(SYNC), S(FULL_DUPLEX) | S(REFUSING), V(RESUME), COPY_NOTHING, NULL, SAME, 0 },
	{ T(SYNC), S(FROZEN), V(RESUME), COPY_REFUSED, &hosts_held, SAME, 0 },
	{ NOT_SYNC, S(FROZEN), V(RESUME), COPY_REFUSED, &session_held, SAME, 0 },
	{ T(ASYNC), S(REMOVED), V(RESUME), COPY_REFUSED, &was_removed, SAME, 0 },
	{ PAIRS, S(DIVERGED), V(RESUME), COPY_FAR_REFUSES, &newer_far, SAME, 0 },
	{ PAIRS, S(COPY_ANEW), V(RESUME), COPY_FAR_REFUSES, &of_no_use, SAME, 0 },
	{ T(SYNC), S(WRITES_LOST), V(RESUME), COPY_REFUSED, &lost_here, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(RESUME), COPY_ASKS, NULL, SENDING | S(INTERRUPTED), 0 },
	{ T(SYNC), OPEN_SOURCE, V(GO_TO_SYNC), COPY_REFUSED, &sync_already, SAME, 0 },
	{ T(SESSION), OPEN_SOURCE, V(GO_TO_SYNC), COPY_REFUSED, &in_session, SAME, 0 },
	{ NOT_SYNC, S(FROZEN), V(GO_TO_SYNC), COPY_REFUSED, &session_held, SAME, 0 },
	{ T(ASYNC), S(REMOVED), V(GO_TO_SYNC), COPY_REFUSED, &was_in_groups, SAME, 0 },
	{ PAIRS, S(RESYNC) | S(FOLLOWING), V(GO_TO_SYNC), COPY_DONE, NULL, S(RESYNC) | S(FULL_DUPLEX),
	  TO_TYPE(SYNC) },
	{ PAIRS, OPEN_SOURCE, V(GO_TO_SYNC), COPY_DONE, NULL, SAME, TO_TYPE(SYNC) },
	{ NOT_SYNC, OPEN_SOURCE, V(LEAVE_SYNC), COPY_REFUSED, &not_sync, SAME, 0 },
	{ T(SYNC), S(FROZEN), V(LEAVE_SYNC), COPY_REFUSED, &hosts_held, SAME, 0 },
	{ T(SYNC), S(WRITES_LOST), V(LEAVE_SYNC), COPY_REFUSED, &lost_here, SAME, 0 },
	{ T(SYNC), AT_REST, V(LEAVE_SYNC), COPY_DONE, NULL, SAME, TO_TYPE(GLOBAL_COPY) },
	{ T(SYNC), OPEN_SOURCE, V(LEAVE_SYNC), COPY_REFUSED, &relied_on, SAME, 0 },
	{ PAIRS, S(FIRST_COPY), V(VERIFY), COPY_REFUSED, &copy_runs, SAME, 0 },
	{ PAIRS, SENDING, V(VERIFY), COPY_ASKS, NULL, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(VERIFY), COPY_REFUSED, &not_sent, SAME, 0 },
	{ T(SESSION), OPEN_SOURCE, V(DELETE), COPY_REFUSED, &in_session, SAME, 0 },
	{ T(SYNC), S(FROZEN), V(DELETE), COPY_REFUSED, &hosts_held, SAME, 0 },
	{ NOT_SYNC, S(FROZEN), V(DELETE), COPY_REFUSED, &session_held, SAME, 0 },
	{ PAIRS, OPEN_SOURCE, V(DELETE), COPY_ASKS, NULL, NONE, 0 },

	/* At the target. */
	{ PAIRS, S(FAILED_OVER), V(FAILOVER), COPY_NOTHING, NULL, SAME, 0 },
	{ T(SESSION), OPEN_TARGET, V(FAILOVER), COPY_REFUSED, &recovered_whole, SAME, 0 },
	{ PAIRS, S(TARGET_FIRST_COPY), V(FAILOVER), COPY_FORCED, &no_moment, S(FAILED_OVER), 0 },
	{ PAIRS, S(TARGET_TORN), V(FAILOVER), COPY_FORCED, &torn, S(FAILED_OVER), 0 },
	{ PAIRS, ENDED_COPY, V(FAILOVER), COPY_DONE, NULL, S(FAILED_OVER), 0 },
	{ T(SESSION), S(FAILED_OVER), V(FAILBACK), COPY_ASKS, NULL, S(FIRST_COPY), TO_TYPE(ASYNC) },
	{ PAIRS, S(FAILED_OVER), V(FAILBACK), COPY_ASKS, NULL, S(FIRST_COPY), 0 },
	{ PAIRS, S(TARGET_AWAY), V(FAILBACK), COPY_REFUSED, &return_first, SAME, 0 },
	{ PAIRS, OPEN_TARGET, V(FAILBACK), COPY_REFUSED, &not_here, SAME, 0 },
	{ T(SESSION), OPEN_TARGET, V(DELETE), COPY_FORCED, &group_kept, NONE, 0 },
	{ PAIRS, S(FAILED_OVER), V(DELETE), COPY_DONE, NULL, NONE, 0 },
	{ PAIRS, OPEN_TARGET, V(DELETE), COPY_FORCED, &is_target, NONE, 0 },

	/* FlashCopy; what belongs to a practice copy ends with that. */
	{ T(FLASH_PRACTICE), NONE, V(CREATE), COPY_NO_VERB, NULL, SAME, 0 },
	{ FLASHES, NONE, V(CREATE), COPY_DONE, NULL,
	  S(FLASH_COPYING) | S(FLASH_IDLE) | S(FLASH_WHOLE) | S(FLASH_REVERTIBLE), 0 },
	{ FLASHES, ANY_FLASH, V(CREATE), COPY_REFUSED, &flashed, SAME, 0 },
	{ T(FLASH_PRACTICE), ANY_FLASH, FLASH_VERBS, COPY_REFUSED, &of_practice, SAME, 0 },
	{ FLASHES, S(FLASH_REVERTIBLE) | LATE_FLASH, V(RESYNC) | V(REVERSE), COPY_REFUSED, &not_active, SAME, 0 },
	{ FLASHES, S(FLASH_RESTORING), V(RESYNC) | V(REVERSE), COPY_REFUSED, &being_restored, SAME, 0 },
	{ FLASHES, S(FLASH_OFFLINE), V(RESYNC) | V(REVERSE), COPY_REFUSED, &flash_offline, SAME, 0 },
	{ T(FLASH_RECORD), ACTIVE_FLASH, V(RESYNC), COPY_DONE, NULL, ACTIVE_FLASH | S(FLASH_REVERTIBLE), 0 },
	{ FLASHES, ACTIVE_FLASH, V(RESYNC), COPY_REFUSED, &not_recorded, SAME, 0 },
	{ FLASHES, S(FLASH_WHOLE), V(REVERSE), COPY_DONE, NULL, ACTIVE_FLASH, 0 },
	{ FLASHES, ACTIVE_FLASH, V(REVERSE), COPY_DONE, NULL, S(FLASH_RESTORING) | NONE, TO_TYPE(FLASH) },
	{ FLASHES, S(FLASH_REVERTIBLE), V(COMMIT), COPY_DONE, NULL, ACTIVE_FLASH, 0 },
	{ FLASHES, S(FLASH_REVERTIBLE), V(REVERT), COPY_DONE, NULL, ACTIVE_FLASH | NONE, 0 },
	{ FLASHES, ANY_FLASH, V(COMMIT) | V(REVERT), COPY_REFUSED, &nothing_to_commit, SAME, 0 },
	/* To go on with or without background copy makes it one of the type that has that. */
	{ FLASHES, S(FLASH_IDLE) | S(FLASH_REVERTIBLE), V(SET), COPY_DONE, NULL, SAME, 0 },
	{ FLASHES, S(FLASH_COPYING) | S(FLASH_WHOLE), V(SET), COPY_DONE, NULL,
	  S(FLASH_COPYING) | S(FLASH_WHOLE) | NONE, 0 },
	{ FLASHES, S(FLASH_RESTORING), V(SET), COPY_DONE, NULL, S(FLASH_RESTORING) | NONE, 0 },
	{ FLASHES, LATE_FLASH, V(SET), COPY_REFUSED, &not_active, SAME, 0 },
	{ FLASHES, S(FLASH_OFFLINE), V(SET), COPY_REFUSED, &flash_offline, SAME, 0 },
	{ FLASHES, S(FLASH_REVERTIBLE), V(DELETE), COPY_REFUSED, &not_committed, SAME, 0 },
	{ FLASHES, S(FLASH_RESTORING), V(DELETE), COPY_REFUSED, &being_restored, SAME, 0 },
	{ FLASHES, S(FLASH_WHOLE), V(DELETE), COPY_DONE, NULL, NONE, 0 },
	/* With a crash or a disk in between it is not at its end yet. */
	{ FLASHES, LATE_FLASH, V(DELETE), COPY_DONE, NULL, NONE | S(FLASH_WITHDRAWING), 0 },
	{ FLASHES, ANY_FLASH, V(DELETE), COPY_FORCED, &needs_source, NONE | S(FLASH_WITHDRAWING), 0 },
};

/* Which states a type has. */
static const uint64_t states_of[COPY_TYPE_COUNT] = {
	[COPY_TYPE_GLOBAL_COPY] = NONE | (ANY_PAIR & ~(S(FULL_DUPLEX) | S(REFUSING) | S(PAUSED) | S(REMOVED) |
						       S(WRITES_LOST) | S(TARGET_FULL_DUPLEX) |
						       S(TARGET_AWAY) | S(TARGET_TORN))),
	[COPY_TYPE_ASYNC] = NONE | (ANY_PAIR & ~(S(FULL_DUPLEX) | S(REFUSING) | S(PAUSED) | S(WRITES_LOST) |
						 S(TARGET_FULL_DUPLEX))),
	[COPY_TYPE_SESSION] = NONE | (ANY_PAIR & ~(S(FULL_DUPLEX) | S(REFUSING) | S(FROZEN) | S(SPLIT) |
						   S(REMOVED) | S(WRITES_LOST) | S(TARGET_FIRST_COPY) |
						   S(TARGET_FULL_DUPLEX) | S(TARGET_TORN))),
	[COPY_TYPE_SYNC] = NONE | (ANY_PAIR & ~(S(FOLLOWING) | S(PAUSED) | S(REMOVED) | S(TARGET_AWAY) |
						S(TARGET_TORN))),
	[COPY_TYPE_FLASH] = NONE | (ANY_FLASH & ~S(FLASH_IDLE)),
	[COPY_TYPE_FLASH_NO_COPY] = NONE | (ANY_FLASH & ~(S(FLASH_COPYING) | S(FLASH_RESTORING))),
	[COPY_TYPE_FLASH_PERSISTENT] = NONE | (ANY_FLASH & ~(S(FLASH_IDLE) | S(FLASH_RESTORING))),
	[COPY_TYPE_FLASH_RECORD] = NONE | (ANY_FLASH & ~S(FLASH_RESTORING)),
	[COPY_TYPE_FLASH_PRACTICE] = NONE | S(FLASH_IDLE) | S(FLASH_WHOLE) | S(FLASH_FAILED) | S(FLASH_OFFLINE),
};

static const struct table table = { rows, sizeof(rows) / sizeof(rows[0]), states_of };

bool copy_table_has(enum copy_type type, enum copy_state state)
{
	assert(type < COPY_TYPE_COUNT && state < COPY_STATE_COUNT);
	return states_of[type] & COPY_STATE_BIT(state);
}

/*
 * Of pairs: those that look at their far sides may find anything there, and what a target is follows from its source.
 */
static const struct {
	uint64_t from, to;
} drifts[] = {
	{ SENDING | S(REFUSING) | S(INTERRUPTED) | S(PAUSED) | S(REMOVED) | STUCK,
	  SENDING | S(REFUSING) | S(INTERRUPTED) | S(PAUSED) | STUCK | S(TARGET_FIRST_COPY) | S(TARGET) | NONE },
	{ SENDING | S(PAUSED) | S(INTERRUPTED), S(REMOVED) | S(TARGET_AWAY) },
	{ SENDING | S(REFUSING) | S(INTERRUPTED), S(SPLIT) | S(FROZEN) },
	{ S(SUSPENDED) | S(SPLIT), S(TARGET_FIRST_COPY) | S(TARGET) | S(PAUSED) },
	{ S(FROZEN), S(SPLIT) | S(SUSPENDED) | S(DIVERGED) },
	{ OPEN_SOURCE, S(OFFLINE) },
	{ S(OFFLINE), OPEN_SOURCE & ~S(FROZEN) },
	{ S(TARGET_FIRST_COPY) | ENDED_COPY,
	  S(TARGET_FIRST_COPY) | ENDED_COPY | S(TARGET_TORN) | S(FAILED_OVER) | S(FIRST_COPY) | S(FOLLOWING) | NONE },
	{ S(FAILED_OVER), S(FIRST_COPY) | NONE },
	{ S(TARGET_TORN), NONE },
	{ OPEN_TARGET, S(TARGET_OFFLINE) },
	{ S(TARGET_OFFLINE), OPEN_TARGET | NONE },
	{ S(FLASH_COPYING), S(FLASH_WHOLE) | NONE },
	{ S(FLASH_IDLE), S(FLASH_WHOLE) },
	{ S(FLASH_WHOLE) | S(FLASH_RESTORING) | S(FLASH_WITHDRAWING), NONE },
	{ S(FLASH_COPYING) | S(FLASH_IDLE) | S(FLASH_RESTORING) | S(FLASH_OFFLINE),
	  S(FLASH_FAILED) | S(FLASH_OFFLINE) },
	{ S(FLASH_OFFLINE), ACTIVE_FLASH | S(FLASH_RESTORING) },
};

uint32_t copy_table_turns(enum copy_type type)
{
	switch (type) {
	case COPY_TYPE_ASYNC:
	case COPY_TYPE_SESSION:
		return T(ASYNC) | T(SESSION);
	case COPY_TYPE_GLOBAL_COPY:
	case COPY_TYPE_SYNC:
		return T(GLOBAL_COPY) | T(SYNC);
	default:
		return 1u << type;
	}
}

uint64_t copy_table_drifts(enum copy_type type, enum copy_state state)
{
	uint64_t to = 0, possible = NONE;

	assert(copy_table_has(type, state));
	for (unsigned other = 0; other < COPY_TYPE_COUNT; other++) {
		if (copy_table_turns(type) & 1u << other)
			possible |= states_of[other];
	}
	for (size_t i = 0; i < sizeof(drifts) / sizeof(drifts[0]); i++) {
		if (drifts[i].from & COPY_STATE_BIT(state))
			to |= drifts[i].to;
	}
	/* By session unpractice. */
	if (type == COPY_TYPE_FLASH_PRACTICE)
		to |= NONE;
	return to & possible & ~COPY_STATE_BIT(state);
}

/* ---- what it says ---- */

struct copy_cell copy_table_cell(enum copy_type type, enum copy_state state, enum copy_verb verb)
{
	assert(type < COPY_TYPE_COUNT && state < COPY_STATE_COUNT && verb < COPY_VERB_COUNT);
	return table_cell(&table, type, state, verb);
}

const char *copy_table_allows(enum copy_type type, enum copy_state state, enum copy_verb verb)
{
	switch (copy_table_cell(type, state, verb).answer) {
	case COPY_DONE:
	case COPY_DONE_HERE:
	case COPY_ASKS:
		return copy_verb_names[verb];
	case COPY_FORCED:
		return forced_names[verb];
	default:
		return NULL;
	}
}

int copy_table_refuse(const struct copy_cell *cell, const struct copy_words *words, enum copy_verb verb,
		      struct fault *fault)
{
	char volume[8], remote[8], session[8], blocks[24];
	const struct table_word texts[] = {
		{ "system", words->system }, { "state", words->state }, { "reason", words->reason },
		{ "verb", copy_verb_names[verb] }, { "volume", volume }, { "remote", remote }, { "session", session },
		{ "blocks", blocks },
	};

	snprintf(volume, sizeof(volume), "%04X", words->volume);
	snprintf(remote, sizeof(remote), "%04X", words->remote);
	snprintf(session, sizeof(session), "%u", words->session);
	snprintf(blocks, sizeof(blocks), "%llu", (unsigned long long)words->blocks);
	return table_refuse(cell, words->object, texts, sizeof(texts) / sizeof(texts[0]), fault);
}

int copy_table_check(enum copy_type type, enum copy_state state, enum copy_verb verb, bool force,
		     const struct copy_words *words, struct fault *fault)
{
	const struct copy_cell cell = copy_table_cell(type, state, verb);

	if (table_refuses(&cell, force))
		return copy_table_refuse(&cell, words, verb, fault);
	return cell.answer == COPY_NOTHING;
}
