/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planted.h - mistakes planted on purpose, so that the simulator can show that its checker finds them. One at a time,
 * chosen by the simulator at run time. Each breaks one rule of the protocol model; the names are those of its table.
 *
 * Only code compiled with XDC_PLANTED contains them: elsewhere planted() is false at compile time and nothing is left.
 * All symbols begin with planted_, so that nm shows that a server has none.
 */
#ifndef XDC_VOLUME_PLANTED_H
#define XDC_VOLUME_PLANTED_H

#include <stdbool.h>

enum planted_mistake {
	PLANTED_NONE,

	/* ---- the write path and the source side of an increment (volume/) ---- */
	PLANTED_NO_READ_HOLD,		/* reads do not wait for the release */
	PLANTED_READ_CHECKS_FIRST,	/* a read looks at the mask, then reads the disk */
	PLANTED_NO_WRITE_HOLD,		/* answers of writes do not wait for the release */
	PLANTED_TIMEOUT_ONLY_RELEASES,	/* an attempt that failed ends the hold and leaves the increment closed */
	PLANTED_DRAIN_IGNORES_LOCK,	/* sends a block whose noted write is not on disk yet */
	PLANTED_NOTE_LATE,		/* writes, then notes */
	PLANTED_NOTE_THEN_KEEP,		/* notes, then looks for a collision */
	PLANTED_NO_SIDEFILE,		/* overwrites what the closing increment still needs */
	PLANTED_SIDEFILE_TAG,		/* sends the sidefile with the tag of the open increment */
	PLANTED_COLLISION_UNSENT_ONLY,	/* a block sent and not acknowledged is no collision */
	PLANTED_FORGET_EARLY,		/* an acknowledgement is taken for durability */

	/* ---- links, increments, sessions (copy/) ---- */
	PLANTED_EARLY_RELEASE,
	PLANTED_DRAINED_BEFORE_RELEASE,
	PLANTED_NO_SOURCE_TIMER,
	PLANTED_OLD_CONNECTION,
	PLANTED_TAG_EQUAL,
	PLANTED_COMMIT_EARLY,
	PLANTED_ABORT_IN_COMMIT,
	PLANTED_NEXT_BEFORE_COMMITTED,
	PLANTED_PREPARED_NOT_DURABLE,
	PLANTED_FORGET_AT_PREPARE,
	PLANTED_PREPARE_ANY_BOOT,
	PLANTED_RESEND_INTO_CLOSED,
	PLANTED_RESTART_KEEPS_INCREMENT,
	PLANTED_RESTART_HEARS_CLOSE_AGAIN,
	PLANTED_RESTART_LOW_TAG,
	PLANTED_REUSE_NUMBER,
	PLANTED_NO_INCARNATION,
	PLANTED_GUESS_COMMIT,
	PLANTED_GUESS_REVERT,
	PLANTED_RECOVERY_NO_FENCE,

	PLANTED_COUNT
};

#ifdef XDC_PLANTED
extern const char *const planted_names[PLANTED_COUNT];	/* "none", "NO_READ_HOLD", ... */
extern enum planted_mistake planted_now;		/* set by the simulator, which has one thread */

static inline bool planted(enum planted_mistake mistake)
{
	return planted_now == mistake;
}
#else
static inline bool planted(enum planted_mistake mistake)
{
	(void)mistake;
	return false;
}
#endif

#endif
