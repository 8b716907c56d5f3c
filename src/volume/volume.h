/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume.h - a volume: what hosts read and write, and what the copy services see of it. design.md section 5 is
 * volume_write, top to bottom.
 *
 * A volume belongs to one reactor; all calls are made there (rt_call). Host calls suspend. Offsets and lengths are
 * bytes, already checked to lie inside the volume by the border (NBD, iSCSI, link).
 */
#ifndef XDC_VOLUME_VOLUME_H
#define XDC_VOLUME_VOLUME_H

#include "rt/rt.h"
#include "store/dirtylog.h"
#include "store/vdisk.h"
#include "store/words.h"

struct volume;

#define VOLUME_SIZE_MAX		(UINT64_C(1) << 50)	/* bytes: 1 PiB */

/* What hosts ask of the volumes of one reactor: written there, read on any. */
struct volume_load {
	_Atomic uint64_t begun;		/* requests */
	_Atomic uint64_t ended;
} __attribute__((aligned(64)));

/* For all reactors of the system; freed by mem_free. NULL: no memory. */
struct volume_load *volume_loads_make(void);

struct volume_options {
	uint16_t id;			/* LLVV */
	struct vdisk *disk;		/* owned by the volume from here on */
	uint64_t sidefile_bytes;	/* bound of the sidefile of this volume */
	uint32_t sidefile_wait_ms;	/* how long a write waits for room in it before the attempt fails; 0: 10 s */
	struct volume_load *loads;	/* of the system, one a reactor; they live longer. NULL: nobody asks for them */
};

/* On the reactor that is to own the volume. -EFBIG: larger than VOLUME_SIZE_MAX; -ENOMEM. */
RT_MUST_CHECK int volume_open(const struct volume_options *options, struct volume **out);

/*
 * Ends a hold, waits for all requests under way, then closes the disk. No send is under way any more. What the dirty
 * log holds stays there.
 */
void volume_close(struct volume *volume);

/* On any reactor, as long as the volume is open. */
struct rt_reactor *volume_reactor(const struct volume *volume);
uint16_t volume_id(const struct volume *volume);
uint64_t volume_size(const struct volume *volume);

/* Grows the disk, durably. Errors of vdisk_grow, -EFBIG, -ENOMEM; -EBUSY: it is in a FlashCopy. Suspends. */
RT_MUST_CHECK int volume_grow(struct volume *volume, uint64_t size);
struct vdisk *volume_disk(struct volume *volume);

/*
 * What hosts ask of all volumes of the system: true when any request is under way; *requests is one that rises with
 * each. Any reactor; does not suspend.
 */
bool volume_get_load(const struct volume *volume, uint64_t *requests);

/* ---- hosts ---- */

/*
 * What hosts may do (words.h); changed by the control plane. Requests that are not allowed get -EPERM (NONE) or -EROFS
 * (READ). Lowering it waits for the requests under way.
 */
RT_MUST_CHECK int volume_set_access(struct volume *volume, enum volume_access access);
enum volume_access volume_get_access(const struct volume *volume);	/* any reactor */

#define VOLUME_FUA	1u		/* durable before it is answered */
#define VOLUME_NO_HOLE	2u		/* write-zeroes keeps the space allocated */

/* -ENOSPC, -EIO (also after a failed sync), -EPERM, -EROFS, -ENOMEM, -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int volume_read(struct volume *volume, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int volume_write(struct volume *volume, const void *buf, size_t len, uint64_t offset, unsigned flags);

/* Zeroes are writes in every respect; longer than 1 MiB they pass in pieces of at most 1 MiB. */
RT_MUST_CHECK int volume_zero(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags);
RT_MUST_CHECK int volume_discard(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags);

/* Covers all writes that were answered before it, on any connection. */
RT_MUST_CHECK int volume_flush(struct volume *volume);

/* Block status: as vdisk_get_run, under the read rule (it reveals content). */
RT_MUST_CHECK int volume_get_run(struct volume *volume, uint64_t offset, bool *data, uint64_t *end);

/* ---- one moment over many volumes ---- */

/* Stands in the memory of whoever froze the volume, until it is thawed. */
struct volume_freeze {
	struct list_head link;
	int64_t until_ns;
};

/*
 * No write begins from here on, of hosts or of the far side: those that come wait. A long request waits between its
 * pieces. Suspends until those that have begun are answered; then no write is under way until volume_thaw, or until
 * until_ns (rt_now_ns clock) when that comes first. Reads, flushes and sending go on. Several may freeze a volume at
 * once; writes go on when all freezes have ended. -ETIMEDOUT: until_ns came first, -ECANCELED: it is not frozen, and
 * not to be thawed.
 */
RT_MUST_CHECK int volume_freeze(struct volume *volume, struct volume_freeze *freeze, int64_t until_ns);

/*
 * True when it has not ended by itself: from volume_freeze to now no write was under way. On any reactor. Does not
 * suspend.
 */
bool volume_is_frozen(const struct volume_freeze *freeze);

/* Every freeze has to be thawed before the volume is closed, also one that has ended by itself. */
void volume_thaw(struct volume *volume, struct volume_freeze *freeze);

/* ---- increments: called by copy/, on the volume's reactor; none of these suspends unless it says so ---- */

/*
 * From here on every host write is noted, tagged with the open increment's number (> 0). log may be NULL (nothing
 * survives a crash: tests). What the log holds for this volume is in the mask at once. Suspends until the writes that
 * began before are on disk: what is read or marked afterwards misses none of them. -ENOMEM, -EALREADY; -ETIMEDOUT,
 * -ECANCELED: not tracked.
 */
RT_MUST_CHECK int volume_track(struct volume *volume, struct dirtylog *log, uint64_t open_number);

/*
 * What the log holds of the volume stays there for the next start. Only before volume_untrack, when no host has it any
 * more: what is written from here on is not in the log. Does not suspend.
 */
void volume_keep_log(struct volume *volume);

/* Masks, sidefile and log entries of the volume are dropped, a hold ends. No send is under way. */
void volume_untrack(struct volume *volume);
bool volume_is_tracked(const struct volume *volume);

/*
 * The whole range is to be sent (first copy; a far side that lost data), as if it had been written just now. Whole
 * blocks; takes no memory for the masks of whole regions. The dirty log is for what hosts write and has no room for
 * this: that the range is being copied, and how far (volume_first_needed), is for the caller to keep durably. -ENOMEM:
 * a part is marked.
 */
RT_MUST_CHECK int volume_mark(struct volume *volume, uint64_t offset, uint64_t len);

/*
 * The range may differ from what the far side has: it is to be sent where it does (volume_send.doubtful), as if it had
 * been written just now. Takes memory for masks. -ENOMEM: a part is marked.
 */
RT_MUST_CHECK int volume_doubt(struct volume *volume, uint64_t offset, uint64_t len);

/* The same of the whole volume, at any size without memory for the masks of whole regions. -ENOMEM likewise. */
RT_MUST_CHECK int volume_doubt_all(struct volume *volume);

/*
 * All bytes before this one are known to be at the far side or in the dirty log: from here a first copy goes on after a
 * restart. The size of the volume: nothing is needed but what is in the log.
 */
uint64_t volume_first_needed(const struct volume *volume);

/*
 * A first copy begins, if it has not: of all that is noted now, and of all that is marked or doubted before its end. It
 * ends when the far side has, durably, some content of each of these blocks, by a good volume_sync_end; hosts that
 * write them again do not keep it from that.
 */
void volume_begin_copy(struct volume *volume);
bool volume_is_copying(const struct volume *volume);

/*
 * From here on fn(arg) is called when the first block is noted in an open increment that had none: there is something
 * to send again. fn must not suspend. NULL: nobody is told.
 */
void volume_tell_first_note(struct volume *volume, void (*fn)(void *arg), void *arg);

/*
 * The next range at or after from that is noted and not forgotten: what the far side may lack. False: there is none.
 */
bool volume_next_noted(const struct volume *volume, uint64_t from, uint64_t *offset, uint64_t *len);

/* Tags from now on; never lower than before. Only while no increment is closing. */
void volume_set_open_number(struct volume *volume, uint64_t number);
uint64_t volume_open_number(const struct volume *volume);
uint64_t volume_closing_number(const struct volume *volume);	/* 0: none */

/*
 * One step: the open increment becomes the closing one with this number, number + 1 is open, the hold is on. number is
 * not lower than the open number. An increment that is still closing is merged first.
 */
void volume_close_increment(struct volume *volume, uint64_t number);

/* The hold is over: held answers and reads go out. */
void volume_release(struct volume *volume);

/* The attempt failed here: closing and open are one again, the hold is off. Nothing is forgotten. */
void volume_merge(struct volume *volume);

/*
 * CG closing_number exists: what is acknowledged of it is forgotten (all of it is, if it was drained), the hold is
 * off, and regions that are now clean may leave the log.
 */
void volume_forget(struct volume *volume);

/* Hosts wait for the release of an increment. */
bool volume_is_held(const struct volume *volume);

/*
 * The closing increment is wanted at the far side now: nothing of it waits for more (volume_get_backlog). Does nothing
 * when none is closing.
 */
void volume_begin_drain(struct volume *volume);

/* An increment is closing, and nothing of it is unsent, in the sidefile or under way. */
bool volume_is_drained(const struct volume *volume);

/*
 * The number of the last attempt that the volume itself has given up: a write had waited for the sidefile for too
 * long, or an old block could not be read. The volume has merged already; the system has to leave the attempt. 0: none
 * yet. volume_changed is woken.
 */
uint64_t volume_attempt_failed(const struct volume *volume);

/*
 * A condition that is woken when volume_is_drained may have become true, something became sendable, or the volume has
 * given an attempt up.
 */
struct rt_cond *volume_changed(struct volume *volume);

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
enum volume_backlog volume_get_backlog(const struct volume *volume, uint64_t many_blocks);

/*
 * Takes the next run (at most max_len bytes, one contiguous range within 1 MiB, one tag), the closing increment first,
 * and reads it under the lock of its blocks. A block is under way at most once, and not while a write of it is on its
 * way to the disk. *out is NULL when nothing can be sent now. Suspends for the disk. -EIO (a failed disk sends
 * nothing), -ENOMEM, -ETIMEDOUT, -ECANCELED: what was taken is unsent again. Several fibers may call it at once.
 */
RT_MUST_CHECK int volume_send_next(struct volume *volume, uint32_t max_len, struct volume_send **out);

/*
 * Whether volume_send_next gives only what is in a closing increment: where the far side has little room, the open one
 * is not sent ahead, since what is written again would go again. Not when it is made.
 */
void volume_send_only_closing(struct volume *volume, bool only);

/* Sends are taken again, after volume_hold_mirror (mirror.h) had stopped that. For who begins to take them. */
void volume_go_on_sending(struct volume *volume);

/* The far side has acknowledged it (not durable yet): it is no longer under way. Frees it. */
void volume_send_acked(struct volume *volume, struct volume_send *send);

/* It never arrived, or the connection broke: it is unsent again. Frees it. */
void volume_send_failed(struct volume *volume, struct volume_send *send);

/*
 * The far side restarted: everything of the open increment that is noted counts as unsent (the caller merged before),
 * and is worth no comparison.
 */
void volume_resend_open(struct volume *volume);

/*
 * Pairs without a session (global-copy, first copies): acknowledged blocks are forgotten when the far side said
 * "synced". volume_sync_begin notes what is acknowledged at this moment (false: nothing is, nor a first copy);
 * volume_sync_end with ok forgets those of them that were not written since. One at a time.
 */
bool volume_sync_begin(struct volume *volume);
void volume_sync_end(struct volume *volume, bool ok);

/* ---- comparing with the far side while hosts write ---- */

#define VOLUME_LOOK_MAX		(UINT32_C(1) << 20)	/* bytes, of a hole */
#define VOLUME_LOOK_DATA_MAX	(UINT32_C(256) << 10)	/* of what is read */

/* A range as it was read, for as long as what became of it is to be known. Belongs to the caller. */
struct volume_look {
	struct list_head link;		/* among those of the volume */
	uint64_t offset;		/* bytes, a whole block */
	uint32_t len;			/* bytes, a multiple of 4 KiB but for the end of an adopted volume */
	bool zero;			/* a hole: no data */
	void *data;			/* len bytes unless zero; belongs to the look; aligned to pages */
	uint8_t unsettled[VOLUME_LOOK_MAX / XDC_BLOCK_SIZE / 8];	/* a bit a block */
};

/*
 * At most len bytes from offset on: less where a hole, which is not read, begins or ends. No write waits for it. A
 * block is unsettled when the far side need not have it as it was read: it was to be sent or under way then, or was
 * written or marked since, or the volume is not tracked any more. Suspends for the disk. -EIO, -ENOMEM, -ETIMEDOUT,
 * -ECANCELED: there is no look.
 */
RT_MUST_CHECK int volume_look_begin(struct volume *volume, uint64_t offset, uint32_t len, struct volume_look *look);
bool volume_look_is_settled(const struct volume_look *look, uint32_t block);	/* counted from the first of the look */

/* Frees the data. Before the volume is closed. */
void volume_look_end(struct volume *volume, struct volume_look *look);

/* ---- the dirty log ---- */

/*
 * Lets those regions of the volume leave the dirty log of which nothing is needed, nobody writes now, and the local
 * data were synced after the last write; syncs when that helps. Suspends. Errors of the sync. For the fiber that waits
 * for dirtylog_pressure, and for quiet times: hot regions are noted durably again with their next write.
 */
RT_MUST_CHECK int volume_clean_regions(struct volume *volume);

/*
 * By an administrator's word the loss of unsynced writes is accepted (vdisk_accept_loss). What may be lost lies in the
 * regions of the dirty log, so all of them are sent again; without a log, the whole volume. An increment that is
 * closing is merged. -ENOMEM, -EIO (the disk fails still): nothing is accepted yet. Suspends.
 */
RT_MUST_CHECK int volume_accept_loss(struct volume *volume);

struct volume_counters {
	uint64_t reads, writes, flushes, discards;	/* requests answered */
	uint64_t noted;					/* times that writes were noted, answered or not */
	uint64_t read_bytes, written_bytes;
	uint64_t collisions_sidefile;			/* old blocks kept there */
	uint64_t collisions_waited;			/* writes that waited for the drain of their blocks */
	uint64_t open_blocks, closing_blocks;		/* noted and not yet forgotten (out of sync), 4 KiB */
	uint64_t unsent_blocks, sending_blocks;
	uint64_t held_writes, held_reads;		/* answers that waited for a release */
	int64_t hold_max_ns;
};
void volume_get_counters(const struct volume *volume, struct volume_counters *counters);

/* ---- the far side ---- */

/* Writes of the link and the journal: no access check, no notes. Same errors as the host's. Suspends. */
RT_MUST_CHECK int volume_apply(struct volume *volume, const void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int volume_apply_zero(struct volume *volume, uint64_t len, uint64_t offset);
RT_MUST_CHECK int volume_apply_sync(struct volume *volume);

/* What lies there, for comparisons: no access check. What is being written meanwhile may show in parts. Suspends. */
RT_MUST_CHECK int volume_apply_read(struct volume *volume, void *buf, size_t len, uint64_t offset);

/* What a journal holds until a volume_apply_sync after this. buf NULL: zeroes. */
RT_MUST_CHECK int volume_apply_journal(struct volume *volume, const void *buf, uint64_t len, uint64_t offset);

/* As volume_apply_sync, of all that no journal holds: at once when there is nothing such since the last sync. */
RT_MUST_CHECK int volume_apply_sync_bare(struct volume *volume);

#endif
