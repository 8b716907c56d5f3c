/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirtylog_private.h - what dirtylog.c (marks and groups) and dirtylog_file.c (the bytes, opening) share. All on the
 * reactor of the log.
 */
#ifndef XDC_STORE_DIRTYLOG_PRIVATE_H
#define XDC_STORE_DIRTYLOG_PRIVATE_H

#include "rt/file.h"
#include "store/dirtylog.h"
#include "store/dirtylog_format.h"

#define NO_SLOT	UINT32_MAX

enum slot_state { SLOT_FREE, SLOT_WANTED, SLOT_NOTED };

/* Of a volume: FADING is still durable as a whole, but its regions are being noted one by one to take its place. */
enum whole_state { WHOLE_NOT, WHOLE_WANTED, WHOLE_NOTED, WHOLE_FADING };

struct slot {
	uint64_t sequence;		/* of the mark; unique */
	uint32_t region;
	uint32_t next;			/* in its bucket, or among the free ones */
	uint16_t volume;
	uint8_t state;			/* enum slot_state */
	bool was_dirty;			/* already when the log was opened */
};

struct dirtylog_block {
	uint64_t generation;
	bool changed;			/* the slots are ahead of copy A */
	bool writing;			/* part of the group under way */
	bool behind;			/* copy A is ahead of copy B */
};

struct dirtylog {
	struct rt_file *file;
	uint32_t limit, count;		/* of slots */
	uint32_t blocks;		/* of one copy: those with slots, then those with volumes */
	uint32_t slot_blocks;
	uint32_t free_slot, bucket_mask;
	struct slot *slots;		/* slot_blocks * DIRTYLOG_SLOTS_PER_BLOCK, in the order of the file */
	uint32_t *buckets;
	struct dirtylog_block *block;
	uint8_t *image;			/* all blocks as they are in copy A */
	uint64_t sequence;		/* of the last mark */
	uint64_t begun, done;		/* groups */
	int error;			/* of the group done last */
	uint8_t *whole;			/* enum whole_state of each volume */
	uint8_t *whole_bits;		/* a bit for each that is not WHOLE_NOT, as in the blocks with volumes */
	uint32_t whole_count;		/* that are not WHOLE_NOT */
	uint32_t whole_wanted;		/* that are WHOLE_WANTED */
	bool wanted;			/* somebody waits for a group that has not begun */
	unsigned waiting_for_slot;
	struct rt_cond work, finished, room, pressure;
	struct rt_group fibers;
};

static inline uint32_t dirtylog_slot_count(const struct dirtylog *log)
{
	return log->slot_blocks * DIRTYLOG_SLOTS_PER_BLOCK;
}

/* NULL: the region has none. */
struct slot *dirtylog_find_slot(const struct dirtylog *log, uint16_t volume, uint32_t region);

/* A free slot that is in no list becomes that of the region; its state is the caller's to set. */
void dirtylog_use_slot(struct dirtylog *log, struct slot *slot, uint16_t volume, uint32_t region);
void dirtylog_set_whole(struct dirtylog *log, uint16_t volume, enum whole_state state);

/* Puts what is in memory into the image of a block. */
void dirtylog_encode_block(struct dirtylog *log, uint32_t index);

/* Writes the blocks for which picked is set to copy 0 (A) or 1 (B), neighbours in one write. */
RT_MUST_CHECK int dirtylog_write_blocks(struct dirtylog *log, unsigned copy,
					bool (*picked)(const struct dirtylog_block *block));

/* Not the file. No fiber of the log runs. */
void dirtylog_free(struct dirtylog *log);

/* The fiber that writes groups. */
void dirtylog_run_groups(void *arg);

/* The first bit at or after from that is set among those of one block; DIRTYLOG_VOLUMES_PER_BLOCK: none. */
static inline uint32_t dirtylog_next_volume(const uint8_t *bits, uint32_t from)
{
	while (from < DIRTYLOG_VOLUMES_PER_BLOCK && !(bits[from / 8] >> from % 8))
		from = (from / 8 + 1) * 8;
	while (from < DIRTYLOG_VOLUMES_PER_BLOCK && !(bits[from / 8] >> from % 8 & 1))
		from++;
	return from;
}

#endif
