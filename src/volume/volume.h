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

struct volume_options {
	uint16_t id;			/* LLVV */
	struct vdisk *disk;		/* owned by the volume from here on */
	uint64_t sidefile_bytes;	/* bound of the sidefile of this volume */
};

/* On the reactor that is to own the volume. -ENOMEM. */
RT_MUST_CHECK int volume_open(const struct volume_options *options, struct volume **out);

/* Waits for all requests under way, then closes the disk. */
void volume_close(struct volume *volume);

struct rt_reactor *volume_reactor(const struct volume *volume);
uint16_t volume_id(const struct volume *volume);
uint64_t volume_size(const struct volume *volume);
struct vdisk *volume_disk(struct volume *volume);

/* ---- hosts ---- */

/*
 * What hosts may do (words.h); changed by the control plane. Requests that are not allowed get -EPERM (NONE) or -EROFS
 * (READ). Lowering it waits for the requests under way.
 */
RT_MUST_CHECK int volume_set_access(struct volume *volume, enum volume_access access);
enum volume_access volume_get_access(const struct volume *volume);

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

/* ---- increments: called by copy/, on the volume's reactor; none of these suspends unless it says so ---- */

/*
 * From here on every host write is noted, tagged with the open increment's number. log may be NULL (nothing survives a
 * crash: tests). What the log holds for this volume is in the mask at once. -ENOMEM, -EALREADY.
 */
RT_MUST_CHECK int volume_track(struct volume *volume, struct dirtylog *log, uint64_t open_number);
void volume_untrack(struct volume *volume);		/* masks, sidefile and log entries of the volume are dropped */
bool volume_is_tracked(const struct volume *volume);

/*
 * The whole range is to be sent (first copy; a far side that lost data), as if it had been written just now.
 * -ENOMEM. Suspends (dirty log).
 */
RT_MUST_CHECK int volume_mark(struct volume *volume, uint64_t offset, uint64_t len);

/* Tags from now on; never lower than before. Only while no increment is closing. */
void volume_set_open_number(struct volume *volume, uint64_t number);
uint64_t volume_open_number(const struct volume *volume);
uint64_t volume_closing_number(const struct volume *volume);	/* 0: none */

/* One step: the open increment becomes the closing one with this number, number + 1 is open, the hold is on. */
void volume_close_increment(struct volume *volume, uint64_t number);

/* The hold is over: held answers and reads go out. */
void volume_release(struct volume *volume);

/* The attempt failed here: closing and open are one again, the hold is off. Nothing is forgotten. */
void volume_merge(struct volume *volume);

/* CG closing_number exists: its mask is forgotten and regions that are now clean may leave the log. */
void volume_forget(struct volume *volume);

/* Nothing of the closing increment is unsent, in the sidefile or under way. */
bool volume_is_drained(const struct volume *volume);

/* A condition that is woken when a volume_is_drained may have become true, or something became sendable. */
struct rt_cond *volume_changed(struct volume *volume);

/* ---- sending: what the far side lacks ---- */

struct volume_send {
	struct list_head link;		/* among those under way */
	uint64_t offset;		/* bytes */
	uint32_t len;			/* bytes, a multiple of 4 KiB but for the end of an adopted volume */
	uint64_t tag;			/* number of the increment it belongs to */
	bool zero;			/* reads as zeros: no data */
	void *data;			/* len bytes unless zero; belongs to the send */
};

/*
 * Takes the next run (at most max_len bytes, one contiguous range, one tag), closing increment and sidefile first, and
 * reads it under the lock of its blocks. A block is under way at most once. *out is NULL when nothing can be sent now.
 * Suspends for locks and the disk. -EIO (a failed disk sends nothing), -ENOMEM.
 */
RT_MUST_CHECK int volume_send_next(struct volume *volume, uint32_t max_len, struct volume_send **out);

/* The far side has acknowledged it (not durable yet): it is no longer under way. Frees it. */
void volume_send_acked(struct volume *volume, struct volume_send *send);

/* It never arrived, or the connection broke: it is unsent again. Frees it. */
void volume_send_failed(struct volume *volume, struct volume_send *send);

/*
 * The far side restarted: everything of the open increment that is noted counts as unsent (the caller merged before).
 */
void volume_resend_open(struct volume *volume);

/*
 * Pairs without a session (global-copy, first copies): acknowledged blocks are forgotten when the far side said
 * "synced". volume_sync_begin notes what is acknowledged at this moment (false: nothing is); volume_sync_end with ok
 * forgets those of them that were not written since. One at a time.
 */
bool volume_sync_begin(struct volume *volume);
void volume_sync_end(struct volume *volume, bool ok);

struct volume_counters {
	uint64_t reads, writes, flushes, discards;	/* requests answered */
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

#endif
