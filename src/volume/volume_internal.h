/* SPDX-License-Identifier: Apache-2.0 */
/* volume_internal.h - what the files of a volume share. Private to this folder. */
#ifndef XDC_VOLUME_VOLUME_INTERNAL_H
#define XDC_VOLUME_VOLUME_INTERNAL_H

#include <errno.h>

#include "volume/blocklock.h"
#include "volume/logged.h"
#include "volume/mask.h"
#include "volume/mirror.h"
#include "volume/sidefile.h"
#include "volume/target.h"
#include "volume/volume.h"

/* Longer requests pass in pieces, each of which lies within one zone of the lock. */
#define VOLUME_PIECE_BYTES	(BLOCKLOCK_ZONE_BLOCKS * XDC_BLOCK_SIZE)

/* A place for a target in its volume. It stays there when the target has gone, and may be another's then. */
struct volume_target {
	struct volume *volume;
	bool tracked;			/* what it lacks is noted; false: there is no target here */
	unsigned unnoted_writes; /* on their way to the disk and not noted: there was no target when they began */
	struct mask mask;
	uint64_t open_number;
	uint64_t closing_number;	/* 0: none */
	uint64_t failed_number;		/* the last attempt that was given up here */
	bool only_closing;		/* nothing is sent ahead of the open increment */
	bool hold;
	bool draining;			/* the closing increment */
	struct rt_cond released;	/* the hold is over */
	struct sidefile sidefile;
	struct list_head drain_waits;	/* writes that wait for the drain of their blocks, in order */
	struct rt_cond drained;		/* some blocks of the closing increment were acknowledged, or it is over */
	struct list_head sends;		/* under way */
	unsigned sends_reading;		/* and still being read from the disk */
	struct list_head looks;		/* that were begun and have not ended */
	struct rt_cond changed;
	void (*first_note)(void *arg);	/* may be NULL */
	void *first_note_arg;
	struct volume_mirror *mirror;	/* NULL: none */
	bool sends_stopped;		/* by a mirror that is held */
	bool stands_by;			/* nothing is sent; what is noted travels by another target, */
	struct volume_target *by;	/* this one; NULL: it has gone */
	struct volume_counters counters;	/* of the target, but what the mask knows */
};

struct volume {
	struct volume_options options;
	struct vdisk *disk;
	struct rt_reactor *reactor;
	_Atomic enum volume_access access;	/* written on the volume's reactor, read on any */
	unsigned readers, writers;	/* requests of hosts under way */
	unsigned appliers;		/* requests of the far side */
	unsigned pieces;		/* writes of either that have begun, each within one zone */
	struct rt_cond idle;		/* one of these has become 0 */
	struct list_head freezes;	/* of volume_freeze, until each is thawed */
	struct rt_cond thawed;
	uint64_t bare_writes;		/* that no journal holds, and one for what was there when it was opened */
	uint64_t bare_synced;		/* of these, durable: all up to here */
	struct blocklock lock;
	uint64_t growing_blocks;	/* it is about to have so many; 0: it does not grow */

	/* FlashCopy */
	struct volume_flash *flash;		/* of which it is the target; NULL */
	struct list_head flash_targets;		/* of which it is the source */
	struct flash_known *flash_known;	/* what is known of its blocks; NULL: no targets */
	uint64_t flash_known_zones;
	unsigned flash_zeroing;			/* zeroes on their way to the disk */
	uint64_t flash_zeroed;			/* that ever began */
	struct volume_late *late;		/* the buffer of its writes; NULL: none */

	/* what its targets lack */
	struct volume_target targets[VOLUME_TARGETS_MAX];
	unsigned target_count;		/* of these */
	struct dirtylog *log;		/* may be NULL */
	struct logged logged;		/* as long as there are targets: which regions are in the log */
	uint64_t syncs_begun;		/* by volume_clean_regions: the clock of logged_region.last_write */
	uint64_t data_begin, data_end;	/* all data when the last look for holes found it */

	struct volume_counters counters;
};

/* for_each_target(target, volume) { ... }: those that there are. */
#define for_each_target(target, volume)								\
	for ((target) = (volume)->targets; (target) < (volume)->targets + VOLUME_TARGETS_MAX; (target)++)	\
		if ((target)->tracked)

/* A write that waits for the drain of its blocks: they are sent before all others. */
struct volume_drain_wait {
	struct list_head link;
	uint64_t first, end;
};

static inline uint64_t volume_first_block(uint64_t offset)
{
	return offset / XDC_BLOCK_SIZE;
}

static inline uint64_t volume_end_block(uint64_t offset, uint64_t len)
{
	return (offset + len + XDC_BLOCK_SIZE - 1) / XDC_BLOCK_SIZE;
}

/* Bytes of whole blocks; the last one of an adopted volume may be shorter. */
uint64_t volume_bytes(const struct volume *volume, uint64_t first, uint64_t end);

/* How much of the request lies in the same zone as its first byte. */
static inline uint64_t volume_piece_len(uint64_t offset, uint64_t len)
{
	uint64_t room = VOLUME_PIECE_BYTES - offset % VOLUME_PIECE_BYTES;

	return len < room ? len : room;
}

/* ---- the targets, target.c ---- */

void volume_init_targets(struct volume *volume);
void volume_destroy_targets(struct volume *volume);

/* Everybody who waits for something of its increments looks again. */
void volume_wake_target(struct volume_target *target);

/* Requests of hosts: 0 and counted, -EPERM or -EROFS. */
RT_MUST_CHECK int volume_admit_read(struct volume *volume);
RT_MUST_CHECK int volume_admit_write(struct volume *volume);
void volume_leave_read(struct volume *volume);
void volume_leave_write(struct volume *volume);

/*
 * What the volume shows: its own blocks, or through its relation those of its FlashCopy source. As vdisk_read and
 * vdisk_get_run. Every content that leaves the volume comes from here.
 */
RT_MUST_CHECK int volume_read_content(struct volume *volume, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int volume_get_content_run(struct volume *volume, uint64_t offset, bool *data, uint64_t *end);

/* An error of one request, that says nothing of the disk. */
static inline bool volume_error_passes(int rc)
{
	return rc == -ENOMEM || rc == -ETIMEDOUT || rc == -ECANCELED;
}

/*
 * Around each piece of a write; the first suspends while the volume is frozen. 0, -ETIMEDOUT, -ECANCELED: it must not
 * begin.
 */
RT_MUST_CHECK int volume_begin_piece(struct volume *volume);
void volume_end_piece(struct volume *volume);

/*
 * Suspends while the hold is on and the increment of this number is the open one: until every system of the session has
 * closed the one before. waited counts the answers that had to wait. 0, -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int volume_wait_release(struct volume_target *target, uint64_t number, uint64_t *waited);

/*
 * Shortens the range from offset on to what is a hole, or to what is not: *hole says which. Where data were found by
 * the last search none is made: when it has become a hole meanwhile, it is read as zeros. Suspends.
 */
RT_MUST_CHECK int volume_find_hole(struct volume *volume, uint64_t offset, uint32_t *len, bool *hole);

/* Looks at these blocks do not show any more what the far side is to have. */
void volume_unsettle_looks(struct volume_target *target, uint64_t first, uint64_t end);

/* The attempt fails here, by the volume itself. */
void volume_give_up_attempt(struct volume_target *target);

/* ---- a synchronous pair, mirror.c ---- */

/* What a write does at the far side, from noting it to its answer. */
struct volume_mirrored {
	struct volume_mirror *mirror;		/* NULL: nothing; else all of this */
	bool sent;				/* by the mirror; else it is noted for the pump */
	bool promised;				/* the far side is said to have all that is answered */
	int begun;
	struct volume_mirror_write write;
};

/* What a write is for one target. */
struct volume_noted {
	uint64_t number;		/* of the increment that it belongs to; 0: there was no target when it began */
	struct volume_mirrored mirrored;
};

/* The write reached the disk or failed; either way it may now be sent as it is. */
void volume_end_writing(struct volume *volume, struct blocklock_claim *claim, const struct volume_noted *noted);

/* Something has to come to the far side before the claim may be written; clear waits for that. */
bool volume_mirror_obstructs(const struct volume_target *target, const struct blocklock_claim *claim);
RT_MUST_CHECK int volume_mirror_clear(struct volume_target *target, const struct blocklock_claim *claim);

/*
 * In one step with noting it: before, what is to be done; behind, it is under way. Then, when it is writing, it is
 * sent, which suspends; and at last finished. The last two are for those that have a mirror.
 */
void volume_mirror_choose(struct volume_target *target, const struct blocklock_claim *claim,
			  struct volume_mirrored *mirrored);
void volume_mirror_take_off(struct volume_target *target, const struct blocklock_claim *claim,
			    struct volume_mirrored *mirrored);
void volume_mirror_send(struct volume_mirrored *mirrored, const void *buf, uint64_t offset, uint64_t len);

/* rc: what became of it here. Waits for the far side, and returns what the host is told. */
RT_MUST_CHECK int volume_mirror_finish(struct volume_target *target, const struct blocklock_claim *claim,
				       struct volume_mirrored *mirrored, int rc);

/* What was answered is durable here and at the far sides of synchronous pairs. */
RT_MUST_CHECK int volume_sync_all(struct volume *volume);

/* The read rule of a synchronous pair, always after the disk was read: what was read may have no answer yet. */
RT_MUST_CHECK int volume_wait_mirrored(struct volume *volume, uint64_t offset, uint64_t len);

/* ---- the dirty log, clean.c ---- */

_Static_assert(DIRTYLOG_REGION_SIZE == MASK_REGION_BLOCKS * XDC_BLOCK_SIZE, "one region of the log, one of the mask");

/* The region of a claim that begins with this block is durable in the dirty log, or there is no log. */
bool volume_is_logged(const struct volume *volume, uint64_t first);

/* Makes it so; suspends. The claim keeps it there until its blocks are noted. -ENOMEM, errors of dirtylog_mark. */
RT_MUST_CHECK int volume_log_region(struct volume *volume, uint64_t first);

/* The blocks of the claim were written to the disk just now: only a sync that begins later covers them. */
void volume_note_written(struct volume *volume, uint64_t first);

#endif
