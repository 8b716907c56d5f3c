/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sidefile.h - old contents of blocks of the closing increment that hosts have overwritten since, in memory, until the
 * far side has acknowledged them. One a volume, bounded; all calls on the volume's reactor; none suspends.
 *
 * All of it belongs to the one closing increment. A write reserves room for all its colliding blocks, or has none; it
 * reads the old contents into that room and then enters those that still collide.
 */
#ifndef XDC_VOLUME_SIDEFILE_H
#define XDC_VOLUME_SIDEFILE_H

#include "rt/rt.h"

struct sidefile_room;

struct sidefile_entry {
	struct sidefile_entry *next;	/* in its bucket */
	struct sidefile_room *room;
	uint64_t block;
};

/* Room of one write. */
struct sidefile_room {
	struct list_head link;
	uint8_t *data;			/* count blocks, aligned to pages */
	uint32_t count;
	uint32_t entry_count;
	struct sidefile_entry entries[];
};

struct sidefile {
	uint64_t limit_bytes;
	uint64_t used_bytes;
	struct sidefile_entry **buckets;
	uint32_t bucket_count;
	uint32_t entry_count;
	struct list_head rooms;
	struct list_head dropped;	/* rooms of an increment that is over: freed little by little */
};

void sidefile_init(struct sidefile *sidefile, uint64_t limit_bytes);
void sidefile_destroy(struct sidefile *sidefile);

/* Room for so many blocks, for the caller to fill. NULL: full, or out of memory. */
struct sidefile_room *sidefile_reserve(struct sidefile *sidefile, uint32_t blocks);

/* The caller is done with the room: it is freed now, or with the last entry that was made of it. */
void sidefile_leave(struct sidefile *sidefile, struct sidefile_room *room);

/*
 * Enters block number index of the room as the old content of the block, which has no entry yet. All entries of a room
 * are made in one step with leaving it.
 */
void sidefile_enter(struct sidefile *sidefile, struct sidefile_room *room, uint32_t index, uint64_t block);

/* The old content, one block; NULL: none is kept. */
const void *sidefile_find(const struct sidefile *sidefile, uint64_t block);

/* The block is acknowledged: its old content is of no use any more. It has an entry. */
void sidefile_drop(struct sidefile *sidefile, uint64_t block);

/* No old content is of use any more. Quick: the memory goes bit by bit, by sidefile_free_dropped or for new rooms. */
void sidefile_clear(struct sidefile *sidefile);
void sidefile_free_dropped(struct sidefile *sidefile);

#endif
