/* SPDX-License-Identifier: Apache-2.0 */
/*
 * planted.h - mistakes planted on purpose, so that the simulator can show that its checker finds them. One at a time,
 * chosen by the simulator at run time. Each breaks one rule of the protocol model; the names are those of its table.
 *
 * Only code compiled with XDC_PLANTED contains them: elsewhere planted() is false at compile time and nothing is left.
 * All symbols begin with planted_, so that nm shows that a server has none.
 */
#ifndef XDC_STORE_PLANTED_H
#define XDC_STORE_PLANTED_H

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
	PLANTED_ZERO_NOT_NOTED,		/* zeroes and discards are not noted */
	PLANTED_NOTED_IN_ONE,		/* of several targets a write is noted for the first one only */
	PLANTED_KEPT_FOR_ONE,		/* ... old blocks are kept for the first one only */
	PLANTED_APPLIED_UNNOTED,	/* what the far side of one source writes is not noted for a third */
	PLANTED_HELD_BY_ONE,		/* ... an answer waits for the release of the first one only */

	/* ---- FlashCopy (store/, volume/) ---- */
	PLANTED_FLASH_WRITE_FIRST,	/* the source is overwritten before its old block is durably kept */
	PLANTED_FLASH_MAP_FIRST,	/* a block is noted as kept before it is on disk */
	PLANTED_FLASH_TEST_FIRST,	/* a read of the target looks at the map, then reads the source */
	PLANTED_FLASH_TARGET_UNNOTED,	/* what is written to the target is not recorded for a resync */
	PLANTED_FLASH_CHANGE_MISSED,	/* what is written while a resync makes its map is the target's own in it */
	PLANTED_FLASH_NO_FILL,		/* a write of a part of a block leaves the rest of it as it lies there */
	PLANTED_KEPT_UNSYNCED,		/* old blocks in the log are taken for durable before they are */
	PLANTED_KEPT_FREED_FIRST,	/* their space in the log is written anew before they are in the map */
	PLANTED_KEPT_OVER_OWN,		/* they are brought to the target over what was written there since */
	PLANTED_CLONE_UNSYNCED,		/* a FlashCopy that shares space is over before it is durable */
	PLANTED_LATE_UNFLUSHED,		/* a FLUSH does not wait for what is in the buffer of a FlashCopy source */
	PLANTED_LATE_UNLOGGED,		/* what is answered from the buffer goes with the process */

	/* ---- links, increments, sessions (copy/), journals (store/) ---- */
	PLANTED_EARLY_RELEASE,		/* each member is released as soon as it has closed */
	PLANTED_NO_SOURCE_TIMER,	/* only the master ends a hold */
	PLANTED_ZERO_TAIL,		/* zeroes are sent without their last block */
	PLANTED_OLD_CONNECTION,		/* data of a connection that broke are taken beside those of the next */
	PLANTED_TAG_EQUAL,		/* CG n is what is tagged n, not what is tagged up to n */
	PLANTED_COMMIT_EARLY,		/* commits although not all are prepared */
	PLANTED_PREPARED_NOT_DURABLE,	/* prepared is answered before it is on disk */
	PLANTED_FORGET_AT_PREPARE,	/* a source forgets what was prepared */
	PLANTED_PREPARE_ANY_BOOT,	/* prepares although it restarted since it acknowledged */
	PLANTED_RESEND_INTO_CLOSED,	/* goes on with the attempt after a restart of the far side */
	PLANTED_RESTART_LOW_TAG,	/* a source that restarted tags below what the far side holds */
	PLANTED_GUESS_COMMIT,		/* with a system missing recovery guesses that it had committed */
	PLANTED_GUESS_REVERT,		/* ... or that it had not */
	PLANTED_RECOVERY_NO_FENCE,	/* recovery reads states of far sides that still obey their master */
	PLANTED_BARE_NOT_SYNCED,	/* prepares over a first copy that is not on disk */
	PLANTED_LOSS_IGNORED,		/* a source that lost writes with the power goes on forming groups */
	PLANTED_LOST_GROUP_IGNORED,	/* a far side that comes back without a group it had is taken up again */
	PLANTED_SYNC_ANSWERED_EARLY,	/* a write of a synchronous pair is answered before the far side has it */
	PLANTED_SYNC_READ_UNANSWERED,	/* what it wrote is read before it is answered */
	PLANTED_SYNC_SUSPENDED_LATE,	/* it is answered before it is durable that the pair is suspended */
	PLANTED_SYNC_SENT_IN_HOLD,	/* what is written while hosts are held goes to the far side */
	PLANTED_FREEZE_ONE,		/* of several pairs that are frozen together only the first one is held */
	PLANTED_FREEZE_UNKEPT,		/* far sides are not asked to keep the moment of a path that is frozen */
	PLANTED_FREEZE_UNSENT,		/* what was not sent yet stays here when pairs are frozen together */
	PLANTED_GROUP_ONE_BY_ONE,	/* one system of a session is frozen and let go after the other */
	PLANTED_COMPARE_APPLIED,	/* compares with the volume, not with what the journal puts on it */
	PLANTED_SWAP_UNCOMMITTED,	/* roles are exchanged before a last group is formed */
	PLANTED_SWAP_HOSTS_GO_ON,	/* hosts write on at the old site while roles are exchanged */
	PLANTED_SHOW_UNAPPLIED,		/* opens targets to readers before they have their group */
	PLANTED_BEFORE_NOT_DURABLE,	/* overwrites a block whose before-image is not on disk yet */
	PLANTED_KEPT_TOO_SHORT,		/* uses a segment with before-images again, and says their CGs are kept */
	PLANTED_BACK_OLDEST_FIRST,	/* of several before-images of a block the newest is taken */
	PLANTED_BACK_NOT_NOTED,		/* what CGs after the one recovered had changed does not go to the old site */

	PLANTED_TOLD_TWICE,		/* that groups fail in a row is told with each one more */
	PLANTED_PRACTICE_UNAPPLIED,	/* a practice copy is made before the group is in the volumes */
	PLANTED_PRACTICE_UNEVEN,	/* ... of volumes that are not all at the same group */
	PLANTED_PRACTICE_UNFILLED,	/* ... of an older group, without what it shows instead of the last one */

	/* ---- comparing both sides (copy/verify.h) ---- */
	PLANTED_VERIFY_IN_FLIGHT,	/* compares what is on its way to the far side as if it were there */
	PLANTED_VERIFY_MISSES_WRITES,	/* takes what was written during the comparison for a difference */
	PLANTED_VERIFY_SKIPS_END,	/* of the end of a volume compares whole tracks only */

	PLANTED_NEWS_SINGLY,		/* each pair of a link is told for itself */

	/* ---- several targets (volume/target.h) ---- */
	PLANTED_SECOND_UNNOTED,		/* now and then a write is noted for the first target only */
	PLANTED_CASCADE_ANY_MOMENT,	/* groups are formed of a target that is being copied */
	PLANTED_LOG_FOR_ONE,		/* after a start what the dirty log holds is noted for the first target only */
	PLANTED_STANDBY_ANY_DATA,	/* a far side is believed to hold what the near one said, whatever it holds */
	PLANTED_STANDBY_UNCOVERED,	/* what was passed on is forgotten before a group has it */
	PLANTED_STANDBY_LEG_DROPPED,	/* a journal goes whose group a volume that is offline lacks */
	PLANTED_OWED_TO_ANY,		/* a group is applied to a volume that another system sends to by now */

	/* ---- the state table (copy/state_table.h) ---- */
	PLANTED_STATE_UNASKED,		/* a pair is resumed and a session paused whatever its state is */
	PLANTED_FORCE_ASSUMED,		/* a FlashCopy is deleted without --force as with it */

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
