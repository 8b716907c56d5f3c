/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/mask_region.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"

#define SPARE_MAX	64u

void mask_set_bits(struct mask_side *side, struct mask_region *region, enum mask_kind kind, unsigned track,
		uint16_t bits)
{
	uint16_t *word = &region->tracks[kind][track];
	uint16_t added = (uint16_t)(bits & ~*word);
	uint16_t count = (uint16_t)__builtin_popcount(added);

	if (added == 0)
		return;
	*word |= added;
	if (kind == MASK_UNSENT && region->count[kind] == 0) {
		list_remove(&region->link);
		list_add_last(&side->unsent, &region->link);
	}
	region->count[kind] = (uint16_t)(region->count[kind] + count);
	side->count[kind] += count;
}

void mask_clear_bits(struct mask_side *side, struct mask_region *region, enum mask_kind kind, unsigned track,
		uint16_t bits)
{
	uint16_t *word = &region->tracks[kind][track];
	uint16_t removed = (uint16_t)(bits & *word);
	uint16_t count = (uint16_t)__builtin_popcount(removed);

	if (removed == 0)
		return;
	*word = (uint16_t)(*word & ~removed);
	region->count[kind] = (uint16_t)(region->count[kind] - count);
	side->count[kind] -= count;
	if (kind == MASK_UNSENT && region->count[kind] == 0) {
		list_remove(&region->link);
		list_add_last(&side->settled, &region->link);
		if (side->unpacked == region)
			side->unpacked = NULL;
	}
}

void mask_set_copying(struct mask *mask, struct mask_side *side, struct mask_region *region, unsigned track,
		uint16_t bits)
{
	if (!mask->copying)
		return;
	mask_set_bits(side, region, MASK_COPYING, track, bits);
	mask->copy_settling = false;
}

void mask_set_unsent(struct mask *mask, struct mask_side *side, struct mask_region *region)
{
	for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
		mask_set_bits(side, region, MASK_NEEDED, track, MASK_FULL_TRACK);
		mask_set_bits(side, region, MASK_UNSENT, track, MASK_FULL_TRACK);
		mask_unsettle(region, track, MASK_FULL_TRACK);
		mask_set_copying(mask, side, region, track, MASK_FULL_TRACK);
	}
}

static struct mask_region *get_region(struct mask *mask)
{
	struct mask_region *region;

	if (list_empty(&mask->spare))
		return mem_alloc_zeroed(sizeof(*region));
	region = list_first(&mask->spare, struct mask_region, link);
	list_remove(&region->link);
	mask->spare_count--;
	memset(region, 0, sizeof(*region));
	return region;
}

static void put_region(struct mask *mask, struct mask_region *region)
{
	list_remove(&region->link);
	if (mask->spare_count < SPARE_MAX) {
		list_add_last(&mask->spare, &region->link);
		mask->spare_count++;
	} else {
		mem_free(region);
	}
}

static struct mask_slot *make_slot(struct mask *mask, uint64_t region)
{
	struct mask_chunk **chunk = &mask->chunks[region / MASK_CHUNK_REGIONS];

	assert(region < mask_region_count(mask->blocks));
	if (!*chunk)
		*chunk = mem_alloc_zeroed(sizeof(**chunk));
	return *chunk ? &(*chunk)->slots[region % MASK_CHUNK_REGIONS] : NULL;
}

void mask_use_chunk(struct mask *mask, uint64_t region)
{
	mask->chunks[region / MASK_CHUNK_REGIONS]->used++;
}

void mask_leave_chunk(struct mask *mask, uint64_t region)
{
	struct mask_chunk **chunk = &mask->chunks[region / MASK_CHUNK_REGIONS];

	assert((*chunk)->used > 0);
	if (--(*chunk)->used == 0) {
		mem_free(*chunk);
		*chunk = NULL;
	}
}

struct mask_region *mask_add_region(struct mask *mask, unsigned side, uint64_t index)
{
	struct mask_slot *slot = make_slot(mask, index);
	struct mask_region *region;

	if (!slot)
		return NULL;
	assert(!slot->region[side]);
	mask_use_chunk(mask, index);
	region = get_region(mask);
	if (!region) {
		mask_leave_chunk(mask, index);
		return NULL;
	}
	region->index = index;
	list_init(&region->link);
	list_add_last(&mask->sides[side].settled, &region->link);
	slot->region[side] = region;
	return region;
}

/* Takes the region off its side: from its slot and from the counts. It stays in the caller's hands. */
void mask_take_region(struct mask *mask, unsigned side, struct mask_region *region)
{
	mask_find_slot(mask, region->index)->region[side] = NULL;
	list_remove(&region->link);
	if (mask->sides[side].unpacked == region)
		mask->sides[side].unpacked = NULL;
	for (unsigned kind = 0; kind < MASK_KIND_COUNT; kind++)
		mask->sides[side].count[kind] -= region->count[kind];
}

void mask_drop_region(struct mask *mask, unsigned side, struct mask_region *region)
{
	uint64_t index = region->index;

	mask_take_region(mask, side, region);
	put_region(mask, region);
	mask_leave_chunk(mask, index);
}

/* ---- bulk ---- */

static uint64_t bulk_words(uint64_t blocks)
{
	return (mask_region_count(blocks) + 63) / 64;
}

int mask_make_bulk(const struct mask *mask, struct mask_side *side)
{
	uint64_t words = bulk_words(mask->reserved);

	if (side->bulk)
		return 0;
	side->bulk = mem_alloc_zeroed(words * sizeof(side->bulk[0]));
	side->bulk_doubts = mem_alloc_zeroed(words * sizeof(side->bulk_doubts[0]));
	side->bulk_from = mask_region_count(mask->blocks);
	if (side->bulk && side->bulk_doubts)
		return 0;
	mask_free_bulk(side);
	return -ENOMEM;
}

void mask_free_bulk(struct mask_side *side)
{
	mem_free(side->bulk);
	mem_free(side->bulk_doubts);
	side->bulk = NULL;
	side->bulk_doubts = NULL;
}

static int grow_words(uint64_t **words, uint64_t old, uint64_t new)
{
	uint64_t *grown = mem_resize(*words, new * sizeof(grown[0]));

	if (!grown)
		return -ENOMEM;
	memset(grown + old, 0, (new - old) * sizeof(grown[0]));
	*words = grown;
	return 0;
}

int mask_grow_bulk(struct mask_side *side, uint64_t old_blocks, uint64_t blocks)
{
	uint64_t old = bulk_words(old_blocks), new = bulk_words(blocks);
	int rc = side->bulk ? grow_words(&side->bulk, old, new) : 0;

	return rc == 0 && side->bulk ? grow_words(&side->bulk_doubts, old, new) : rc;
}

void mask_forget_bulk(struct mask_side *side, uint64_t region)
{
	side->bulk[region / 64] &= ~(UINT64_C(1) << (region % 64));
	mask_clear_bulk_doubt(side, region);
	side->count[MASK_NEEDED] -= MASK_REGION_BLOCKS;
	side->count[MASK_UNSENT] -= MASK_REGION_BLOCKS;
	if (--side->bulk_count == 0)
		mask_free_bulk(side);
}

void mask_clear_bulk_doubt(struct mask_side *side, uint64_t region)
{
	side->bulk_doubts[region / 64] &= ~(UINT64_C(1) << (region % 64));
}

void mask_add_bulk(struct mask_side *side, uint64_t region, bool doubtful)
{
	side->bulk[region / 64] |= UINT64_C(1) << (region % 64);
	side->bulk_doubts[region / 64] |= (uint64_t)doubtful << (region % 64);
	side->count[MASK_NEEDED] += MASK_REGION_BLOCKS;
	side->count[MASK_UNSENT] += MASK_REGION_BLOCKS;
	side->bulk_count++;
	if (region < side->bulk_from)
		side->bulk_from = region;
}

/* Masks instead of the one bit. -ENOMEM: NULL. */
struct mask_region *mask_unpack_bulk(struct mask *mask, unsigned side, uint64_t index)
{
	bool doubtful = mask_is_bulk_doubtful(&mask->sides[side], index);
	struct mask_region *region = mask_add_region(mask, side, index);

	if (!region)
		return NULL;
	mask_forget_bulk(&mask->sides[side], index);
	mask_set_unsent(mask, &mask->sides[side], region);
	if (doubtful)
		memset(region->tracks[MASK_DOUBTFUL], 0xff, sizeof(region->tracks[MASK_DOUBTFUL]));
	return region;
}

/* The first region in bulk; there is one. */
uint64_t mask_first_bulk(struct mask_side *side)
{
	uint64_t word = side->bulk_from / 64;

	assert(side->bulk_count > 0);
	while (side->bulk[word] == 0)
		word++;
	side->bulk_from = word * 64 + (unsigned)__builtin_ctzll(side->bulk[word]);
	return side->bulk_from;
}
