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

struct filepool;
struct volume;
struct volume_target;

#define VOLUME_SIZE_MAX		(UINT64_C(1) << 50)	/* bytes: 1 PiB */

/* What hosts ask of the volumes of one reactor: written there, read on any. */
struct volume_load {
	_Atomic uint64_t begun;		/* requests */
	_Atomic uint64_t ended;
	uint64_t late_bytes;		/* answered, and not yet on a disk; for the reactor alone */
	struct filepool *late_files;	/* their logs; for the reactor alone */
} __attribute__((aligned(64)));

/* For all reactors of the system; freed when its volumes are closed. NULL: no memory. */
struct volume_load *volume_loads_make(void);
void volume_loads_free(struct volume_load *loads);	/* NULL is allowed */

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

/* It ends by itself at until_ns instead; RT_NEVER: not at all. Does not suspend. -ETIMEDOUT: it has ended already. */
RT_MUST_CHECK int volume_freeze_until(struct volume *volume, struct volume_freeze *freeze, int64_t until_ns);

/* Every freeze has to be thawed before the volume is closed, also one that has ended by itself. */
void volume_thaw(struct volume *volume, struct volume_freeze *freeze);

/* ---- the dirty log ---- */

/*
 * Lets those regions of the volume leave the dirty log of which nothing is needed, nobody writes now, and the local
 * data were synced after the last write; syncs when that helps. Suspends. Errors of the sync. For the fiber that waits
 * for dirtylog_pressure, and for quiet times: hot regions are noted durably again with their next write.
 */
RT_MUST_CHECK int volume_clean_regions(struct volume *volume);

/*
 * What the log holds of the volume stays there for the next start. Only before volume_remove_target, when no host has
 * the volume any more: what is written from here on is not in the log. Does not suspend.
 */
void volume_keep_log(struct volume *volume);

/* Changes are noted for some target (target.h), and a hold of one is on. Do not suspend. */
bool volume_is_tracked(const struct volume *volume);
bool volume_is_held(const struct volume *volume);

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

/* From the collisions on sums over the targets, and the longest hold. */
void volume_get_counters(const struct volume *volume, struct volume_counters *counters);

/* ---- the far side ---- */

/*
 * Writes of the link and the journal, without an access check. Else they go the way of a host's write: they are noted
 * for each target of the volume, whose old blocks are kept, and the answer waits for its release and its mirror. But
 * not for the target `from` (NULL: there is none such), which the other end of the pair has that they come from. Same
 * errors as the host's. Suspends.
 */
RT_MUST_CHECK int volume_apply(struct volume *volume, const struct volume_target *from, const void *buf, size_t len,
			       uint64_t offset);
RT_MUST_CHECK int volume_apply_zero(struct volume *volume, const struct volume_target *from, uint64_t len,
				    uint64_t offset);
RT_MUST_CHECK int volume_apply_sync(struct volume *volume);

/* What lies there, for comparisons: no access check. What is being written meanwhile may show in parts. Suspends. */
RT_MUST_CHECK int volume_apply_read(struct volume *volume, void *buf, size_t len, uint64_t offset);

/* The same of what a journal holds until a volume_apply_sync after this. buf NULL: zeroes. */
RT_MUST_CHECK int volume_apply_journal(struct volume *volume, const struct volume_target *from, const void *buf,
				       uint64_t len, uint64_t offset);

/* As volume_apply_sync, of all that no journal holds: at once when there is nothing such since the last sync. */
RT_MUST_CHECK int volume_apply_sync_bare(struct volume *volume);

#endif
