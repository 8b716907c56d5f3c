/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logged.h - which regions of a volume are in the dirty log, whoever needs them. All calls on the volume's reactor;
 * none suspends.
 */
#ifndef XDC_VOLUME_LOGGED_H
#define XDC_VOLUME_LOGGED_H

#include "rt/rt.h"

#define LOGGED_CHUNK_REGIONS	512u

struct logged_region {
	uint64_t last_write;		/* number of the last sync that began before its last write was done */
	bool in_log;			/* may be in the dirty log */
	bool durable;			/* is in the dirty log: may be written */
};

struct logged_chunk {
	struct logged_region regions[LOGGED_CHUNK_REGIONS];
	unsigned used;			/* regions in the log */
};

struct logged {
	uint64_t regions;		/* of the volume */
	struct logged_chunk **chunks;
	uint64_t chunk_count;		/* for which there is memory: more than it has when it is to grow */
};

/* -ENOMEM. */
RT_MUST_CHECK int logged_init(struct logged *logged, uint64_t regions);
void logged_destroy(struct logged *logged);

/* The volume is about to grow: memory first, so that nothing can fail when it has. Twice does no harm. -ENOMEM. */
RT_MUST_CHECK int logged_reserve_growth(struct logged *logged, uint64_t regions);
void logged_grow(struct logged *logged, uint64_t regions);	/* it has, and no more than was reserved */

/* NULL where nothing is known of the region. */
static inline struct logged_region *logged_find(const struct logged *logged, uint64_t region)
{
	struct logged_chunk *chunk = logged->chunks[region / LOGGED_CHUNK_REGIONS];

	return chunk ? &chunk->regions[region % LOGGED_CHUNK_REGIONS] : NULL;
}

/* It may be in the log from here on, and is not durable there yet, if that is new. NULL: -ENOMEM. */
struct logged_region *logged_add(struct logged *logged, uint64_t region);

/* It is not in the log any more. It was. */
void logged_remove(struct logged *logged, uint64_t region);

/* The first region at or after from that may be in the dirty log; UINT64_MAX: none. */
uint64_t logged_next(const struct logged *logged, uint64_t from);

#endif
