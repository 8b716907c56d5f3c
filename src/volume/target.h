/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target.h - what a volume keeps for one target: which blocks that lacks, the increments in which it gets them, what is
 * under way to it. Called by copy/, on the volume's reactor; none of these suspends unless it says so.
 *
 * A volume has up to VOLUME_TARGETS_MAX of them, each with increments of its own. What hosts write is noted in all at
 * once, and answered when each of them allows it. The memory of a target is its volume's: it may be looked at, by
 * whoever waits for something there, as long as the volume is open.
 */
#ifndef XDC_VOLUME_TARGET_H
#define XDC_VOLUME_TARGET_H

#include "volume/blocklock.h"
#include "volume/volume.h"

#define VOLUME_TARGETS_MAX	2u

/*
 * From here on every host write is noted for the new target, tagged with the open increment's number (> 0). log may be
 * NULL (nothing survives a crash: tests); it is the same for all targets of a volume. What the log holds for this
 * volume is in the mask at once. Suspends until the writes that began before are on disk: what is read or marked
 * afterwards misses none of them. -ENOMEM, -ENOSPC (it has as many as it can have); -ETIMEDOUT, -ECANCELED: there is
 * none.
 */
RT_MUST_CHECK int volume_add_target(struct volume *volume, struct dirtylog *log, uint64_t open_number,
				    struct volume_target **out);

/*
 * Masks and sidefile are dropped, a hold ends; with the last target what the log holds for the volume. No send is under
 * way. What is left in the log for the target alone leaves it by volume_clean_regions.
 */
void volume_remove_target(struct volume_target *target);

/* As long as the volume is open, also when it has gone. */
struct volume *volume_of_target(const struct volume_target *target);

/* As volume_get_counters, from the collisions on of this target alone. */
void volume_get_target_counters(const struct volume_target *target, struct volume_counters *counters);

/*
 * The whole range is to be sent (first copy; a far side that lost data), as if it had been written just now. Whole
 * blocks; takes no memory for the masks of whole regions. The dirty log is for what hosts write and has no room for
 * this: that the range is being copied, and how far (volume_first_needed), is for the caller to keep durably. -ENOMEM:
 * a part is marked.
 */
RT_MUST_CHECK int volume_mark(struct volume_target *target, uint64_t offset, uint64_t len);

/*
 * For blocks of one track that are to be sent although no host has written them: until volume_leave_blocks nobody
 * writes them, and it is durable, as before a write, that they may have to be sent. In between they are marked.
 * Suspends. 0; -ENOMEM, -ETIMEDOUT, -ECANCELED, errors of the dirty log: there is nothing to leave.
 */
RT_MUST_CHECK int volume_claim_logged(struct volume *volume, struct blocklock_claim *claim, uint64_t offset,
				      uint64_t len);
void volume_leave_blocks(struct volume *volume, struct blocklock_claim *claim);

/*
 * The range may differ from what the far side has: it is to be sent where it does (volume_send.doubtful), as if it had
 * been written just now. Takes memory for masks. -ENOMEM: a part is marked.
 */
RT_MUST_CHECK int volume_doubt(struct volume_target *target, uint64_t offset, uint64_t len);

/* The same of the whole volume, at any size without memory for the masks of whole regions. -ENOMEM likewise. */
RT_MUST_CHECK int volume_doubt_all(struct volume_target *target);

/*
 * All bytes before this one are known to be at the far side or in the dirty log: from here a first copy goes on after a
 * restart. The size of the volume: nothing is needed but what is in the log.
 */
uint64_t volume_first_needed(const struct volume_target *target);

/*
 * A first copy begins, if it has not: of all that is noted now, and of all that is marked or doubted before its end. It
 * ends when the far side has, durably, some content of each of these blocks, by a good volume_sync_end; hosts that
 * write them again do not keep it from that.
 */
void volume_begin_copy(struct volume_target *target);
bool volume_is_copying(const struct volume_target *target);

/*
 * From here on fn(arg) is called when the first block is noted in an open increment that had none: there is something
 * to send again. fn must not suspend. NULL: nobody is told.
 */
void volume_tell_first_note(struct volume_target *target, void (*fn)(void *arg), void *arg);

/*
 * The next range at or after from that is noted and not forgotten: what the far side may lack. False: there is none.
 */
bool volume_next_noted(const struct volume_target *target, uint64_t from, uint64_t *offset, uint64_t *len);

/* Tags from now on; never lower than before. Only while no increment is closing. */
void volume_set_open_number(struct volume_target *target, uint64_t number);
uint64_t volume_open_number(const struct volume_target *target);
uint64_t volume_closing_number(const struct volume_target *target);	/* 0: none */

/*
 * One step: the open increment becomes the closing one with this number, number + 1 is open, the hold is on. number is
 * not lower than the open number. An increment that is still closing is merged first.
 */
void volume_close_increment(struct volume_target *target, uint64_t number);

/* The hold is over: held answers and reads go out. */
void volume_release(struct volume_target *target);

/* The attempt failed here: closing and open are one again, the hold is off. Nothing is forgotten. */
void volume_merge(struct volume_target *target);

/*
 * CG closing_number exists: what is acknowledged of it is forgotten (all of it is, if it was drained), the hold is
 * off, and regions that are now clean may leave the log.
 */
void volume_forget(struct volume_target *target);

/*
 * The closing increment is wanted at the far side now: nothing of it waits for more (volume_get_backlog). Does nothing
 * when none is closing.
 */
void volume_begin_drain(struct volume_target *target);

/*
 * What is noted is sent without waiting for more. Suspends until nothing is unsent or on its way, or the target has
 * gone: 0. While no write begins (volume_freeze) that stays so. -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int volume_drain(struct volume_target *target);

/* An increment is closing, and nothing of it is unsent, in the sidefile or under way. */
bool volume_is_drained(const struct volume_target *target);

/*
 * The number of the last attempt that the volume itself has given up: a write had waited for the sidefile for too
 * long, or an old block could not be read. The volume has merged already; the system has to leave the attempt. 0: none
 * yet. volume_changed is woken.
 */
uint64_t volume_attempt_failed(const struct volume_target *target);

/*
 * A condition that is woken when volume_is_drained may have become true, something became sendable, or the volume has
 * given an attempt up.
 */
struct rt_cond *volume_changed(struct volume_target *target);

/* ---- sending: what the far side lacks ---- */

struct volume_send {
	struct list_head link;		/* among those under way */
	uint64_t offset;		/* bytes */
	uint32_t len;			/* bytes, a multiple of 4 KiB but for the end of an adopted volume */
	uint64_t tag;			/* number of the increment it belongs to */
	bool zero;			/* reads as zeros: no data */
	bool doubtful;			/* the far side may have it as it is: worth a comparison */
	void *data;			/* len bytes unless zero; belongs to the send; aligned to pages */
};

/*
 * What waits to be sent. MANY: it should go now, since it is so much, or is drained; FEW may wait for more. NONE while
 * hosts are held: that is over soon, and whoever ends it comes first; but never when a write waits for the drain of its
 * blocks. volume_changed is woken when there is more.
 */
enum volume_backlog { VOLUME_BACKLOG_NONE, VOLUME_BACKLOG_FEW, VOLUME_BACKLOG_MANY };
enum volume_backlog volume_get_backlog(const struct volume_target *target, uint64_t many_blocks);

/*
 * Takes the next run (at most max_len bytes, one contiguous range within 1 MiB, one tag), the closing increment first,
 * and reads it under the lock of its blocks. A block is under way at most once, and not while a write of it is on its
 * way to the disk. *out is NULL when nothing can be sent now. Suspends for the disk. -EIO (a failed disk sends
 * nothing), -ENOMEM, -ETIMEDOUT, -ECANCELED: what was taken is unsent again. Several fibers may call it at once.
 */
RT_MUST_CHECK int volume_send_next(struct volume_target *target, uint32_t max_len, struct volume_send **out);

/*
 * Whether volume_send_next gives only what is in a closing increment: where the far side has little room, the open one
 * is not sent ahead, since what is written again would go again. Not when it is made.
 */
void volume_send_only_closing(struct volume_target *target, bool only);

/* Sends are taken again, after volume_hold_mirror (mirror.h) had stopped that. For who begins to take them. */
void volume_go_on_sending(struct volume_target *target);

/* The far side has acknowledged it (not durable yet): it is no longer under way. Frees it. */
void volume_send_acked(struct volume_target *target, struct volume_send *send);

/* It never arrived, or the connection broke: it is unsent again. Frees it. */
void volume_send_failed(struct volume_target *target, struct volume_send *send);

/*
 * The far side restarted: everything of the open increment that is noted counts as unsent (the caller merged before).
 * What was in doubt and not acknowledged is compared still.
 */
void volume_resend_open(struct volume_target *target);

/*
 * Pairs without a session (global-copy, first copies): acknowledged blocks are forgotten when the far side said
 * "synced". volume_sync_begin notes what is acknowledged at this moment (false: nothing is, nor a first copy);
 * volume_sync_end with ok forgets those of them that were not written since. One at a time.
 */
bool volume_sync_begin(struct volume_target *target);
void volume_sync_end(struct volume_target *target, bool ok);

/* ---- a target that another one serves ---- */

/*
 * It stands by: nothing is sent for it, since what is noted travels by another target of the volume, whose system
 * passes it on. volume_sync_begin is of what that other one has acknowledged at this moment, and volume_sync_end says
 * whether all of that has been passed on since, by the same start of that system: then it is forgotten. So is what was
 * noted before it began to stand by; but where the log had the volume as a whole, or a whole volume was marked, that
 * stays noted. Nothing is under way to it then, and nothing closing. When the other one goes, or there is none (NULL)
 * yet, nothing is forgotten; it may be said again which one it is.
 */
void volume_stand_by(struct volume_target *target, struct volume_target *by);
bool volume_stands_by(const struct volume_target *target);

/* It stands in for the other one: all that is noted, which its far side may lack, is to be sent from here on. */
void volume_stand_in(struct volume_target *target);

/* ---- comparing with the far side while hosts write ---- */

#define VOLUME_LOOK_MAX		(UINT32_C(1) << 20)	/* bytes, of a hole */
#define VOLUME_LOOK_DATA_MAX	(UINT32_C(256) << 10)	/* of what is read */

/* A range as it was read, for as long as what became of it is to be known. Belongs to the caller. */
struct volume_look {
	struct list_head link;		/* among those of the target */
	uint64_t offset;		/* bytes, a whole block */
	uint32_t len;			/* bytes, a multiple of 4 KiB but for the end of an adopted volume */
	bool zero;			/* a hole: no data */
	void *data;			/* len bytes unless zero; belongs to the look; aligned to pages */
	uint8_t unsettled[VOLUME_LOOK_MAX / XDC_BLOCK_SIZE / 8];	/* a bit a block */
};

/*
 * At most len bytes from offset on: less where a hole, which is not read, begins or ends. No write waits for it. A
 * block is unsettled when the far side need not have it as it was read: it was to be sent or under way then, or was
 * written or marked since, or the target has gone. Suspends for the disk. -EIO, -ENOMEM, -ETIMEDOUT,
 * -ECANCELED: there is no look.
 */
RT_MUST_CHECK int volume_look_begin(struct volume_target *target, uint64_t offset, uint32_t len,
				    struct volume_look *look);
bool volume_look_is_settled(const struct volume_look *look, uint32_t block);	/* counted from the first of the look */

/* Frees the data. Before the volume is closed. */
void volume_look_end(struct volume_look *look);

#endif
