/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/mask.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "volume/mask_region.h"
#include "store/planted.h"

static uint64_t chunk_count(uint64_t blocks)
{
	return (mask_region_count(blocks) + MASK_CHUNK_REGIONS - 1) / MASK_CHUNK_REGIONS;
}

/* ---- life ---- */

int mask_init(struct mask *mask, uint64_t blocks)
{
	*mask = (struct mask) { .blocks = blocks, .reserved = blocks, .chunk_count = chunk_count(blocks) };
	list_init(&mask->spare);
	for (unsigned side = 0; side < 2; side++) {
		list_init(&mask->sides[side].unsent);
		list_init(&mask->sides[side].settled);
	}
	mask->chunks = mem_alloc_zeroed((mask->chunk_count + 1) * sizeof(mask->chunks[0]));
	return mask->chunks ? 0 : -ENOMEM;
}

static void free_list(struct list_head *regions)
{
	struct mask_region *region, *next;

	list_for_each_safe(region, next, regions, link)
		mem_free(region);
	list_init(regions);
}

void mask_destroy(struct mask *mask)
{
	for (unsigned side = 0; side < 2; side++) {
		free_list(&mask->sides[side].unsent);
		free_list(&mask->sides[side].settled);
		mask_free_bulk(&mask->sides[side]);
	}
	free_list(&mask->spare);
	for (uint64_t i = 0; i < mask->chunk_count; i++)
		mem_free(mask->chunks[i]);
	mem_free(mask->chunks);
	*mask = (struct mask) { 0 };
}

int mask_reserve_growth(struct mask *mask, uint64_t blocks)
{
	uint64_t chunks = chunk_count(blocks);
	int rc = 0;

	if (blocks <= mask->reserved)
		return 0;
	/* What failed before may have left more of them. */
	if (chunks > mask->chunk_count) {
		void *grown = mem_resize(mask->chunks, (chunks + 1) * sizeof(mask->chunks[0]));

		if (!grown)
			return -ENOMEM;
		mask->chunks = grown;
		memset(mask->chunks + mask->chunk_count, 0, (chunks - mask->chunk_count) * sizeof(mask->chunks[0]));
		mask->chunk_count = chunks;
	}
	for (unsigned i = 0; i < 2 && rc == 0; i++)
		rc = mask_grow_bulk(&mask->sides[i], mask->reserved, blocks);
	if (rc == 0)
		mask->reserved = blocks;
	return rc;
}

void mask_grow(struct mask *mask, uint64_t blocks)
{
	assert(blocks >= mask->blocks && blocks <= mask->reserved);
	mask->blocks = blocks;
}

/* ---- noting ---- */

static bool has_room_in(const struct mask *mask, uint64_t region)
{
	if (mask_is_bulk(&mask->sides[!mask->open], region))
		return false;	/* keeping a block needs its mask */
	return mask_find_region(mask, mask->open, region) || mask_is_bulk(&mask->sides[mask->open], region);
}

bool mask_has_room(const struct mask *mask, uint64_t first, uint64_t end)
{
	for (uint64_t region = first / MASK_REGION_BLOCKS; region <= (end - 1) / MASK_REGION_BLOCKS; region++)
		if (!has_room_in(mask, region))
			return false;
	return true;
}

int mask_reserve(struct mask *mask, uint64_t first, uint64_t end)
{
	for (uint64_t region = first / MASK_REGION_BLOCKS; region <= (end - 1) / MASK_REGION_BLOCKS; region++) {
		if (mask_is_bulk(mask_closing_side(mask), region) && !mask_unpack_bulk(mask, !mask->open, region))
			return -ENOMEM;
		if (!has_room_in(mask, region) && !mask_add_region(mask, mask->open, region))
			return -ENOMEM;
	}
	return 0;
}

void mask_note(struct mask *mask, uint64_t first, uint64_t end)
{
	struct mask_side *side = mask_open_side(mask);

	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		struct mask_region *region = mask_find_track(mask, mask->open, track);
		uint16_t bits = mask_bits_of(track, first, end);

		if (!region) {
			assert(mask_is_bulk(side, track / MASK_REGION_TRACKS));
			continue;
		}
		mask_set_bits(side, region, MASK_NEEDED, track % MASK_REGION_TRACKS, bits);
		mask_set_bits(side, region, MASK_UNSENT, track % MASK_REGION_TRACKS, bits);
		mask_unsettle(region, track % MASK_REGION_TRACKS, bits);
		region->tracks[MASK_DOUBTFUL][track % MASK_REGION_TRACKS] &= (uint16_t)~bits;
	}
}

/* Where a region is in bulk all of it is unsent already, and without doubt. */
static void doubt_tracks(struct mask *mask, uint64_t first, uint64_t end)
{
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		struct mask_region *region = mask_find_track(mask, mask->open, track);
		unsigned at = track % MASK_REGION_TRACKS;
		uint16_t bits = mask_bits_of(track, first, end);

		if (!region)
			continue;
		region->tracks[MASK_DOUBTFUL][at] |= (uint16_t)(bits & ~region->tracks[MASK_UNSENT][at]);
		mask_set_bits(mask_open_side(mask), region, MASK_NEEDED, at, bits);
		mask_set_bits(mask_open_side(mask), region, MASK_UNSENT, at, bits);
		mask_unsettle(region, at, bits);
		mask_set_copying(mask, mask_open_side(mask), region, at, bits);
	}
}

int mask_doubt(struct mask *mask, uint64_t first, uint64_t end)
{
	assert(end <= mask->blocks);
	while (first < end) {
		uint64_t next = (first / MASK_REGION_BLOCKS + 1) * MASK_REGION_BLOCKS;
		int rc;

		next = next < end ? next : end;
		rc = mask_reserve(mask, first, next);
		if (rc < 0)
			return rc;
		doubt_tracks(mask, first, next);
		first = next;
	}
	return 0;
}

int mask_doubt_all(struct mask *mask)
{
	struct mask_side *side = mask_open_side(mask);
	uint64_t whole = mask->blocks / MASK_REGION_BLOCKS;
	/* What is not a whole region is never in bulk. */
	int rc = mask_doubt(mask, whole * MASK_REGION_BLOCKS, mask->blocks);

	if (rc == 0 && whole > 0)
		rc = mask_make_bulk(mask, side);
	for (uint64_t region = 0; rc == 0 && region < whole; region++) {
		uint64_t first = region * MASK_REGION_BLOCKS;

		if (mask_find_region(mask, mask->open, region))
			doubt_tracks(mask, first, first + MASK_REGION_BLOCKS);
		else if (!mask_is_bulk(side, region))
			mask_add_bulk(side, region, true);
	}
	return rc;
}

static void forget_doubts(struct mask_region *region)
{
	memset(region->tracks[MASK_DOUBTFUL], 0, sizeof(region->tracks[MASK_DOUBTFUL]));
}

static int mark_region(struct mask *mask, uint64_t index)
{
	struct mask_side *side = mask_open_side(mask);
	struct mask_region *region = mask_find_region(mask, mask->open, index);

	if (region) {
		mask_set_unsent(mask, side, region);
		forget_doubts(region);
		return 0;
	}
	if (mask_make_bulk(mask, side) < 0)
		return -ENOMEM;
	if (mask_is_bulk(side, index))
		mask_clear_bulk_doubt(side, index);
	else
		mask_add_bulk(side, index, false);
	return 0;
}

/* A part of a region, for which there is room. */
static void mark_tracks(struct mask *mask, uint64_t first, uint64_t end)
{
	mask_note(mask, first, end);
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		struct mask_region *region = mask_find_track(mask, mask->open, track);

		if (region)
			mask_set_copying(mask, mask_open_side(mask), region, track % MASK_REGION_TRACKS,
				mask_bits_of(track, first, end));
	}
}

int mask_mark(struct mask *mask, uint64_t first, uint64_t end)
{
	assert(end <= mask->blocks);
	while (first < end) {
		uint64_t index = first / MASK_REGION_BLOCKS;
		uint64_t next = (index + 1) * MASK_REGION_BLOCKS;
		int rc;

		if (first % MASK_REGION_BLOCKS == 0 && next <= end) {
			rc = mark_region(mask, index);
		} else {
			next = next < end ? next : end;
			rc = mask_reserve(mask, first, next);
			if (rc == 0)
				mark_tracks(mask, first, next);
		}
		if (rc < 0)
			return rc;
		first = next;
	}
	return 0;
}

static bool is_region_noted(const struct mask_region *region, uint64_t first, uint64_t end)
{
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++)
		if (region->tracks[MASK_NEEDED][track % MASK_REGION_TRACKS] & mask_bits_of(track, first, end))
			return true;
	return false;
}

bool mask_is_noted(const struct mask *mask, uint64_t first, uint64_t end)
{
	while (first < end) {
		uint64_t index = first / MASK_REGION_BLOCKS, next = (index + 1) * MASK_REGION_BLOCKS;
		const struct mask_region *region = mask_find_region(mask, mask->open, index);

		next = next < end ? next : end;
		if (region ? is_region_noted(region, first, next) : mask_is_bulk(&mask->sides[mask->open], index))
			return true;
		first = next;
	}
	return false;
}

static uint16_t colliding_bits(const struct mask *mask, uint64_t track)
{
	const struct mask_region *region = mask_find_track(mask, !mask->open, track);
	unsigned at = track % MASK_REGION_TRACKS;
	uint16_t wanted;

	if (!region || planted(PLANTED_NO_SIDEFILE))
		return 0;
	wanted = region->tracks[MASK_UNSENT][at];
	if (!planted(PLANTED_COLLISION_UNSENT_ONLY))
		wanted |= region->tracks[MASK_FLYING][at];
	return (uint16_t)(wanted & ~region->tracks[MASK_KEPT][at]);
}

bool mask_find_collision(const struct mask *mask, uint64_t first, uint64_t end, uint64_t *run_first, uint64_t *run_end)
{
	bool found = false;

	if (mask->sides[!mask->open].count[MASK_NEEDED] == 0)
		return false;
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		uint16_t bits = colliding_bits(mask, track) & mask_bits_of(track, first, end);

		for (unsigned i = 0; i < MASK_TRACK_BLOCKS && (bits || found); i++) {
			bool collides = bits >> i & 1;
			uint64_t block = track * MASK_TRACK_BLOCKS + i;

			if (found && !collides)
				return true;
			if (collides && !found) {
				*run_first = block;
				found = true;
			}
			if (collides)
				*run_end = block + 1;
		}
	}
	return found;
}

void mask_keep(struct mask *mask, uint64_t first, uint64_t end)
{
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		struct mask_region *region = mask_find_track(mask, !mask->open, track);

		assert(region);
		mask_set_bits(mask_closing_side(mask), region, MASK_KEPT, track % MASK_REGION_TRACKS,
			mask_bits_of(track, first, end));
	}
}

/* ---- increments ---- */

static bool is_closing_empty(const struct mask *mask)
{
	return mask->sides[!mask->open].count[MASK_NEEDED] == 0;
}

bool mask_is_drained(const struct mask *mask)
{
	const struct mask_side *side = &mask->sides[!mask->open];

	return side->count[MASK_UNSENT] == 0 && side->count[MASK_FLYING] == 0 && side->count[MASK_KEPT] == 0;
}

void mask_close(struct mask *mask)
{
	assert(is_closing_empty(mask));
	mask->open = !mask->open;
	mask->settling = false;
}

/* The old content is of no use any more: what is kept counts as unsent (its newer content is noted or will be). */
static void unkeep(struct mask_side *side, struct mask_region *region)
{
	for (unsigned track = 0; region->count[MASK_KEPT] > 0; track++) {
		uint16_t kept = region->tracks[MASK_KEPT][track];

		mask_set_bits(side, region, MASK_UNSENT, track, kept);
		mask_clear_bits(side, region, MASK_KEPT, track, kept);
	}
}

/* What one side knows without doubt is without doubt; of what a side does not have it says nothing. */
static void merge_doubts(struct mask_region *to, const struct mask_region *from)
{
	for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
		uint16_t in_to = to->tracks[MASK_UNSENT][track] | to->tracks[MASK_FLYING][track];
		uint16_t in_from = from->tracks[MASK_UNSENT][track] | from->tracks[MASK_FLYING][track];
		uint16_t doubts_to = to->tracks[MASK_DOUBTFUL][track], doubts_from = from->tracks[MASK_DOUBTFUL][track];

		to->tracks[MASK_DOUBTFUL][track] = (uint16_t)((doubts_to & ~in_from) | (doubts_from & ~in_to) |
							      (doubts_to & doubts_from));
	}
}

static void merge_into(struct mask_side *side, struct mask_region *to, const struct mask_region *from)
{
	static const enum mask_kind kinds[] = { MASK_NEEDED, MASK_UNSENT, MASK_FLYING, MASK_COPYING };

	merge_doubts(to, from);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (unsigned track = 0; from->count[kinds[i]] > 0 && track < MASK_REGION_TRACKS; track++)
			mask_set_bits(side, to, kinds[i], track, from->tracks[kinds[i]][track]);
}

/* The region of the closing side becomes the one of the open side, which has none. */
static void move_region(struct mask *mask, struct mask_region *region)
{
	struct mask_side *side = mask_open_side(mask);

	mask_take_region(mask, !mask->open, region);
	mask_find_slot(mask, region->index)->region[mask->open] = region;
	for (unsigned kind = 0; kind < MASK_KIND_COUNT; kind++)
		side->count[kind] += region->count[kind];
	list_add_last(region->count[MASK_UNSENT] > 0 ? &side->unsent : &side->settled, &region->link);
	memset(region->tracks[MASK_SETTLING], 0, sizeof(region->tracks[MASK_SETTLING]));
	if (mask_is_bulk(side, region->index)) {
		mask_forget_bulk(side, region->index);
		mask_set_unsent(mask, side, region);
	}
}

static void merge_region(struct mask *mask, struct mask_region *region)
{
	struct mask_region *to = mask_find_region(mask, mask->open, region->index);

	unkeep(mask_closing_side(mask), region);
	if (region->count[MASK_NEEDED] == 0) {
		mask_drop_region(mask, !mask->open, region);
		return;
	}
	if (!to) {
		move_region(mask, region);
		return;
	}
	merge_into(mask_open_side(mask), to, region);
	mask_drop_region(mask, !mask->open, region);
}

static void merge_bulk(struct mask *mask)
{
	struct mask_side *from = mask_closing_side(mask), *to = mask_open_side(mask);

	if (from->bulk_count > 0 && !to->bulk) {	/* room for what is to come */
		to->bulk = from->bulk;
		to->bulk_doubts = from->bulk_doubts;
		to->bulk_count = from->bulk_count;
		to->bulk_from = from->bulk_from;
		to->count[MASK_NEEDED] += from->bulk_count * MASK_REGION_BLOCKS;
		to->count[MASK_UNSENT] += from->bulk_count * MASK_REGION_BLOCKS;
		from->count[MASK_NEEDED] -= from->bulk_count * MASK_REGION_BLOCKS;
		from->count[MASK_UNSENT] -= from->bulk_count * MASK_REGION_BLOCKS;
		from->bulk = NULL;
		from->bulk_doubts = NULL;
		from->bulk_count = 0;
	}
	while (from->bulk_count > 0) {
		uint64_t region = mask_first_bulk(from);
		bool doubtful = mask_is_bulk_doubtful(from, region);

		mask_forget_bulk(from, region);
		if (!mask_is_bulk(to, region))
			mask_add_bulk(to, region, doubtful);
		else if (!doubtful)
			mask_clear_bulk_doubt(to, region);
	}
}

/* Where the open side has masks and bulk, the masks stay: they know what is flying. */
static void settle_bulk(struct mask *mask, struct list_head *regions)
{
	struct mask_side *side = mask_open_side(mask);
	struct mask_region *region, *next;

	list_for_each_safe(region, next, regions, link) {
		if (!mask_is_bulk(side, region->index))
			continue;
		mask_forget_bulk(side, region->index);
		mask_set_unsent(mask, side, region);
	}
}

void mask_merge(struct mask *mask)
{
	struct mask_side *from = mask_closing_side(mask);
	bool bulk = from->bulk_count > 0;

	while (!list_empty(&from->unsent))
		merge_region(mask, list_first(&from->unsent, struct mask_region, link));
	while (!list_empty(&from->settled))
		merge_region(mask, list_first(&from->settled, struct mask_region, link));
	if (bulk) {
		merge_bulk(mask);
		settle_bulk(mask, &mask_open_side(mask)->settled);
		settle_bulk(mask, &mask_open_side(mask)->unsent);
	}
	assert(is_closing_empty(mask));
}

/* What is acknowledged of the region is no longer needed. */
static void forget_acknowledged(struct mask_side *side, struct mask_region *region)
{
	for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
		uint16_t rest = region->tracks[MASK_UNSENT][track] | region->tracks[MASK_FLYING][track];

		mask_clear_bits(side, region, MASK_NEEDED, track, (uint16_t)~rest);
	}
}

void mask_forget(struct mask *mask)
{
	struct mask_side *side = mask_closing_side(mask);
	struct mask_region *region, *next;

	list_for_each_safe(region, next, &side->settled, link) {
		if (region->count[MASK_FLYING] == 0 && region->count[MASK_KEPT] == 0)
			mask_drop_region(mask, !mask->open, region);
		else
			forget_acknowledged(side, region);
	}
	list_for_each(region, &side->unsent, link)
		forget_acknowledged(side, region);
	mask_merge(mask);
}

static void resend_region(struct mask *mask, struct mask_region *region)
{
	struct mask_side *side = mask_open_side(mask);

	for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
		uint16_t needed = region->tracks[MASK_NEEDED][track];

		mask_set_bits(side, region, MASK_UNSENT, track, needed);
		mask_set_copying(mask, side, region, track, needed);
	}
}

void mask_resend(struct mask *mask)
{
	struct mask_side *side = mask_open_side(mask);
	struct mask_region *region, *next;

	mask->copy_settling = false;
	list_for_each(region, &side->unsent, link)
		resend_region(mask, region);
	list_for_each_safe(region, next, &side->settled, link)
		resend_region(mask, region);
}
