/* SPDX-License-Identifier: Apache-2.0 */
/* mask_region.h - the regions of which a mask is made: private to mask.c and mask_send.c. */
#ifndef XDC_VOLUME_MASK_REGION_H
#define XDC_VOLUME_MASK_REGION_H

#include "volume/mask.h"

#define MASK_FULL_TRACK	UINT16_C(0xffff)

/* The bits that [first, end) has in a track that it touches. */
static inline uint16_t mask_bits_of(uint64_t track, uint64_t first, uint64_t end)
{
	uint64_t base = track * MASK_TRACK_BLOCKS;
	unsigned low = first > base ? (unsigned)(first - base) : 0;
	unsigned high = end < base + MASK_TRACK_BLOCKS ? (unsigned)(end - base) : MASK_TRACK_BLOCKS;

	return (uint16_t)((MASK_FULL_TRACK << low) & (MASK_FULL_TRACK >> (MASK_TRACK_BLOCKS - high)));
}

/* NULL where a side has no masks: nothing is needed there, or all of it (bulk). */
static inline struct mask_region *mask_find_region(const struct mask *mask, unsigned side, uint64_t region)
{
	const struct mask_slot *slot = mask_find_slot(mask, region);

	return slot ? slot->region[side] : NULL;
}

static inline struct mask_region *mask_find_track(const struct mask *mask, unsigned side, uint64_t track)
{
	return mask_find_region(mask, side, track / MASK_REGION_TRACKS);
}

static inline bool mask_is_bulk(const struct mask_side *side, uint64_t region)
{
	return side->bulk && (side->bulk[region / 64] >> (region % 64) & 1);
}

/* Set and clear bits of one track (of the region) and keep the counts and lists right. MASK_SETTLING and
 * MASK_DOUBTFUL have no counts. */
void mask_set_bits(struct mask_side *side, struct mask_region *region, enum mask_kind kind, unsigned track,
		uint16_t bits);
void mask_clear_bits(struct mask_side *side, struct mask_region *region, enum mask_kind kind, unsigned track,
		uint16_t bits);
/* The blocks are needed, and part of a first copy if there is one: nothing of them is acknowledged. */
void mask_set_copying(struct mask *mask, struct mask_side *side, struct mask_region *region, unsigned track,
		uint16_t bits);

/* What is noted again is not what settles. */
static inline void mask_unsettle(struct mask_region *region, unsigned track, uint16_t bits)
{
	region->tracks[MASK_SETTLING][track] &= (uint16_t)~bits;
}

/* All of the region is needed and unsent, as in bulk. */
void mask_set_unsent(struct mask *mask, struct mask_side *side, struct mask_region *region);

/* An empty region of a side that has none there. NULL: -ENOMEM. */
struct mask_region *mask_add_region(struct mask *mask, unsigned side, uint64_t index);

/* Takes it off its side: from its slot, list and the counts. It stays in the caller's hands, its chunk stays in use. */
void mask_take_region(struct mask *mask, unsigned side, struct mask_region *region);
void mask_drop_region(struct mask *mask, unsigned side, struct mask_region *region);

/* A chunk lives as long as something uses it: masks of either side. */
void mask_use_chunk(struct mask *mask, uint64_t region);
void mask_leave_chunk(struct mask *mask, uint64_t region);

/* Room for bulk of a side, where there is none yet. -ENOMEM. */
RT_MUST_CHECK int mask_make_bulk(const struct mask *mask, struct mask_side *side);
void mask_free_bulk(struct mask_side *side);

/* The volume grows. Done twice it does no harm. -ENOMEM. */
RT_MUST_CHECK int mask_grow_bulk(struct mask_side *side, uint64_t old_blocks, uint64_t blocks);

static inline bool mask_is_bulk_doubtful(const struct mask_side *side, uint64_t region)
{
	return side->bulk_doubts[region / 64] >> (region % 64) & 1;
}

/* The region is not in bulk; mask_clear_bulk_doubt: it is. */
void mask_add_bulk(struct mask_side *side, uint64_t region, bool doubtful);
void mask_clear_bulk_doubt(struct mask_side *side, uint64_t region);
void mask_forget_bulk(struct mask_side *side, uint64_t region);

/* Masks instead of the one bit. NULL: -ENOMEM. */
struct mask_region *mask_unpack_bulk(struct mask *mask, unsigned side, uint64_t index);

/* The first region in bulk; there is one. */
uint64_t mask_first_bulk(struct mask_side *side);

#endif
