/* SPDX-License-Identifier: Apache-2.0 */
/* mask_send.c - what of the masks is sent and acknowledged. */
#include <assert.h>
#include <errno.h>

#include "volume/mask_region.h"
#include "store/planted.h"

/* ---- sending ---- */

int mask_next_region(struct mask *mask, bool closing, struct mask_region **at)
{
	unsigned which = closing ? !mask->open : mask->open;
	struct mask_side *side = &mask->sides[which];
	struct list_head *next = *at ? (*at)->link.next : side->unsent.next;

	if (*at == NULL && side->bulk_count > 0 && !side->unpacked) {
		side->unpacked = mask_unpack_bulk(mask, which, mask_first_bulk(side));
		if (!side->unpacked)
			return -ENOMEM;
		next = side->unsent.next;
	}
	*at = next == &side->unsent ? NULL : container_of(next, struct mask_region, link);
	return 0;
}

/* What can be sent of a track: it is neither under way now nor, as a part of the other increment, a moment ago. */
static uint16_t sendable_bits(const struct mask_region *region, const struct mask_region *other, unsigned track)
{
	uint16_t flying = region->tracks[MASK_FLYING][track];

	if (other)
		flying |= other->tracks[MASK_FLYING][track];
	return (uint16_t)(region->tracks[MASK_UNSENT][track] & ~flying);
}

bool mask_next_run(const struct mask *mask, const struct mask_region *region, bool closing, uint64_t from, uint64_t end,
		struct mask_run *run)
{
	const struct mask_region *other = mask_find_region(mask, closing ? mask->open : !mask->open, region->index);
	uint64_t base = region->index * MASK_REGION_BLOCKS;
	bool found = false;

	assert(from >= base && end <= base + MASK_REGION_BLOCKS);
	for (uint64_t block = from; block < end; block++) {
		unsigned track = (unsigned)((block - base) / MASK_TRACK_BLOCKS), bit = block % MASK_TRACK_BLOCKS;
		uint16_t sendable = sendable_bits(region, other, track);
		bool kept = region->tracks[MASK_KEPT][track] >> bit & 1;
		bool doubtful = region->tracks[MASK_DOUBTFUL][track] >> bit & 1;

		if (found && (!(sendable >> bit & 1) || kept != run->kept || doubtful != run->doubtful))
			break;
		if (sendable >> bit == 0) {
			block |= MASK_TRACK_BLOCKS - 1;		/* the rest of the track */
			continue;
		}
		if (!(sendable >> bit & 1))
			continue;
		if (!found)
			*run = (struct mask_run) {
				.first = block, .closing = closing, .kept = kept, .doubtful = doubtful,
			};
		run->end = block + 1;
		found = true;
	}
	return found;
}

uint64_t mask_count_unsent(const struct mask *mask, uint64_t first, uint64_t end, bool *flying)
{
	uint64_t count = 0;

	*flying = false;
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		uint16_t bits = mask_bits_of(track, first, end), unsent = 0, under_way = 0;

		for (unsigned which = 0; which < 2; which++) {
			const struct mask_region *region = mask_find_track(mask, which, track);

			if (mask_is_bulk(&mask->sides[which], track / MASK_REGION_TRACKS))
				unsent = MASK_FULL_TRACK;
			if (!region)
				continue;
			unsent |= region->tracks[MASK_UNSENT][track % MASK_REGION_TRACKS];
			under_way |= region->tracks[MASK_FLYING][track % MASK_REGION_TRACKS];
		}
		count += (unsigned)__builtin_popcount(unsent & bits);
		*flying = *flying || (under_way & bits);
	}
	return count;
}

struct mask_region *mask_find_at(const struct mask *mask, bool closing, uint64_t block)
{
	return mask_find_region(mask, closing ? !mask->open : mask->open, block / MASK_REGION_BLOCKS);
}

void mask_take_off(struct mask *mask, const struct mask_run *run)
{
	unsigned which = run->closing ? !mask->open : mask->open;
	struct mask_side *side = &mask->sides[which];
	struct mask_region *region = mask_find_region(mask, which, run->first / MASK_REGION_BLOCKS);

	for (uint64_t track = run->first / MASK_TRACK_BLOCKS; track <= (run->end - 1) / MASK_TRACK_BLOCKS; track++) {
		uint16_t bits = mask_bits_of(track, run->first, run->end);

		mask_clear_bits(side, region, MASK_UNSENT, track % MASK_REGION_TRACKS, bits);
		mask_set_bits(side, region, MASK_FLYING, track % MASK_REGION_TRACKS, bits);
	}
	region->next_block = (uint16_t)(run->end % MASK_REGION_BLOCKS);
	if (region->count[MASK_UNSENT] > 0) {	/* the others have their turn */
		list_remove(&region->link);
		list_add_last(&side->unsent, &region->link);
	}
}

static void drop_kept(struct mask_side *side, struct mask_region *region, uint64_t track, uint16_t bits,
		void (*drop)(void *arg, uint64_t block), void *arg)
{
	unsigned at = track % MASK_REGION_TRACKS;
	uint16_t safe = (uint16_t)(bits & region->tracks[MASK_KEPT][at] & ~region->tracks[MASK_UNSENT][at]);

	mask_clear_bits(side, region, MASK_KEPT, at, safe);
	for (unsigned i = 0; safe >> i; i++)
		if (safe >> i & 1)
			drop(arg, track * MASK_TRACK_BLOCKS + i);
}

void mask_land(struct mask *mask, uint64_t first, uint64_t end, bool acknowledged,
		void (*drop)(void *arg, uint64_t block), void *arg)
{
	for (uint64_t track = first / MASK_TRACK_BLOCKS; track <= (end - 1) / MASK_TRACK_BLOCKS; track++) {
		unsigned at = track % MASK_REGION_TRACKS;
		uint16_t left = mask_bits_of(track, first, end);

		for (unsigned which = 0; which < 2; which++) {
			struct mask_side *side = &mask->sides[which];
			struct mask_region *region = mask_find_track(mask, which, track);
			uint16_t bits = region ? left & region->tracks[MASK_FLYING][at] : 0;

			if (bits == 0)
				continue;
			left = (uint16_t)(left & ~bits);
			mask_clear_bits(side, region, MASK_FLYING, at, bits);
			region->tracks[MASK_SETTLING][at] = (uint16_t)(region->tracks[MASK_SETTLING][at] & ~bits);
			if (!acknowledged)
				mask_set_bits(side, region, MASK_UNSENT, at, bits);
			else
				drop_kept(side, region, track, bits, drop, arg);
			/* What is unsent again has the doubt that came with that, or none. */
			if (acknowledged) {
				region->tracks[MASK_DOUBTFUL][at] &=
					(uint16_t)~(bits & ~region->tracks[MASK_UNSENT][at]);
				mask_clear_bits(side, region, MASK_COPYING, at, bits);
			}
			if (acknowledged && planted(PLANTED_FORGET_EARLY))
				mask_clear_bits(side, region, MASK_NEEDED, at,
					(uint16_t)(bits & ~region->tracks[MASK_UNSENT][at]));
		}
		assert(left == 0);
	}
}

static uint16_t settled_bits(const struct mask_region *region, unsigned track)
{
	return (uint16_t)(region->tracks[MASK_NEEDED][track] & ~region->tracks[MASK_UNSENT][track] &
		~region->tracks[MASK_FLYING][track]);
}

static bool settle_list(struct list_head *regions)
{
	struct mask_region *region;
	uint16_t any = 0;

	list_for_each(region, regions, link) {
		for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
			region->tracks[MASK_SETTLING][track] = settled_bits(region, track);
			any |= region->tracks[MASK_SETTLING][track];
		}
	}
	return any != 0;
}

/* Of each block that was part of the first copy something has arrived, as it was then or as it became since. */
static bool is_copy_acknowledged(const struct mask *mask)
{
	bool all = true;

	for (unsigned which = 0; which < 2; which++)
		all = all && mask->sides[which].count[MASK_COPYING] == 0 && mask->sides[which].bulk_count == 0;
	return all;
}

bool mask_settle_begin(struct mask *mask)
{
	struct mask_side *side = mask_open_side(mask);
	bool unsent = settle_list(&side->unsent), settled = settle_list(&side->settled);

	mask->settling = unsent || settled;
	mask->copy_settling = mask->copying && is_copy_acknowledged(mask);
	return mask->settling || mask->copy_settling;
}

static void forget_settled(struct mask *mask, struct list_head *regions)
{
	struct mask_region *region, *next;

	list_for_each_safe(region, next, regions, link) {
		for (unsigned track = 0; track < MASK_REGION_TRACKS; track++)
			mask_clear_bits(mask_open_side(mask), region, MASK_NEEDED, track,
				region->tracks[MASK_SETTLING][track] & settled_bits(region, track));
		if (region->count[MASK_NEEDED] == 0)
			mask_drop_region(mask, mask->open, region);
	}
}

void mask_settle_end(struct mask *mask, bool ok)
{
	if (mask->settling && ok) {
		forget_settled(mask, &mask_open_side(mask)->unsent);
		forget_settled(mask, &mask_open_side(mask)->settled);
	}
	mask->settling = false;
	if (mask->copy_settling && ok && is_copy_acknowledged(mask))
		mask->copying = false;
	mask->copy_settling = false;
}

uint16_t mask_get_unsettled(const struct mask *mask, uint64_t track)
{
	uint64_t index = track / MASK_REGION_TRACKS;
	unsigned at = track % MASK_REGION_TRACKS;
	uint16_t bits = 0;

	for (unsigned which = 0; which < 2; which++) {
		const struct mask_region *region = mask_find_region(mask, which, index);

		if (mask_is_bulk(&mask->sides[which], index))
			return MASK_FULL_TRACK;
		if (region)
			bits |= region->tracks[MASK_UNSENT][at] | region->tracks[MASK_FLYING][at];
	}
	return bits;
}

/* ---- what travels by another target ---- */

static bool pass_list(struct list_head *regions, const struct mask *by)
{
	struct mask_region *region;
	uint16_t any = 0;

	list_for_each(region, regions, link) {
		for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
			uint16_t needed = region->tracks[MASK_NEEDED][track];
			uint64_t at = region->index * MASK_REGION_TRACKS + track;
			uint16_t passed = needed ? (uint16_t)(needed & ~mask_get_unsettled(by, at)) : 0;

			region->tracks[MASK_SETTLING][track] = passed;
			any |= passed;
		}
	}
	return any != 0;
}

bool mask_pass_begin(struct mask *mask, const struct mask *by)
{
	struct mask_side *side = mask_open_side(mask);
	bool unsent = pass_list(&side->unsent, by), settled = pass_list(&side->settled, by);

	mask->settling = unsent || settled;
	return mask->settling;
}

static void forget_passed(struct mask *mask, struct list_head *regions)
{
	static const enum mask_kind kinds[] = { MASK_COPYING, MASK_UNSENT, MASK_NEEDED };
	struct mask_side *side = mask_open_side(mask);
	struct mask_region *region, *next;

	list_for_each_safe(region, next, regions, link) {
		for (unsigned track = 0; track < MASK_REGION_TRACKS; track++) {
			uint16_t passed = region->tracks[MASK_SETTLING][track];

			for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
				mask_clear_bits(side, region, kinds[i], track, passed);
			region->tracks[MASK_DOUBTFUL][track] &= (uint16_t)~passed;
		}
		if (region->count[MASK_NEEDED] == 0)
			mask_drop_region(mask, mask->open, region);
	}
}

void mask_pass_end(struct mask *mask, bool ok)
{
	if (mask->settling && ok) {
		forget_passed(mask, &mask_open_side(mask)->settled);
		forget_passed(mask, &mask_open_side(mask)->unsent);
	}
	mask->settling = false;
}

/* ---- a first copy ---- */

static void copy_list(struct mask *mask, struct mask_side *side, struct list_head *regions)
{
	struct mask_region *region;

	list_for_each(region, regions, link)
		for (unsigned track = 0; track < MASK_REGION_TRACKS; track++)
			mask_set_copying(mask, side, region, track, (uint16_t)(region->tracks[MASK_UNSENT][track] |
				region->tracks[MASK_FLYING][track]));
}

void mask_begin_copy(struct mask *mask)
{
	if (mask->copying)
		return;
	mask->copying = true;
	for (unsigned which = 0; which < 2; which++) {
		copy_list(mask, &mask->sides[which], &mask->sides[which].unsent);
		copy_list(mask, &mask->sides[which], &mask->sides[which].settled);
	}
}

bool mask_is_copying(const struct mask *mask)
{
	/* What is not needed is durable there, whoever asked for it. */
	return mask->copying && mask->sides[0].count[MASK_NEEDED] + mask->sides[1].count[MASK_NEEDED] > 0;
}

/* ---- regions and the dirty log ---- */

bool mask_is_region_needed(const struct mask *mask, uint64_t index)
{
	for (unsigned which = 0; which < 2; which++) {
		const struct mask_region *region = mask_find_region(mask, which, index);

		if (mask_is_bulk(&mask->sides[which], index) || (region && region->count[MASK_NEEDED] > 0))
			return true;
	}
	return false;
}

/* What is needed of a track on either side. */
static uint16_t needed_of(const struct mask *mask, uint64_t track)
{
	uint64_t index = track / MASK_REGION_TRACKS;
	uint16_t needed = 0;

	for (unsigned which = 0; which < 2; which++) {
		const struct mask_region *region = mask_find_region(mask, which, index);

		if (mask_is_bulk(&mask->sides[which], index))
			needed = MASK_FULL_TRACK;
		else if (region)
			needed |= region->tracks[MASK_NEEDED][track % MASK_REGION_TRACKS];
	}
	return needed;
}

static uint64_t next_needed_region(const struct mask *mask, uint64_t region)
{
	bool bulk = mask->sides[0].bulk || mask->sides[1].bulk;

	for (; region < mask_region_count(mask->blocks); region++) {
		if (mask_is_region_needed(mask, region))
			return region;
		if (!bulk && !mask->chunks[region / MASK_CHUNK_REGIONS])
			region |= MASK_CHUNK_REGIONS - 1;
	}
	return region;
}

bool mask_next_needed(const struct mask *mask, uint64_t from, uint64_t *first, uint64_t *end)
{
	uint64_t block = from;

	while (block < mask->blocks) {
		uint64_t region = next_needed_region(mask, block / MASK_REGION_BLOCKS);
		uint16_t needed;

		if (region > block / MASK_REGION_BLOCKS)
			block = region * MASK_REGION_BLOCKS;
		if (block >= mask->blocks)
			break;
		needed = (uint16_t)(needed_of(mask, block / MASK_TRACK_BLOCKS) >> block % MASK_TRACK_BLOCKS);
		if (!needed) {
			block = (block / MASK_TRACK_BLOCKS + 1) * MASK_TRACK_BLOCKS;
			continue;
		}
		*first = block + (unsigned)__builtin_ctz(needed);
		*end = *first + 1;
		while (*end < mask->blocks && *end % MASK_TRACK_BLOCKS &&
		       needed_of(mask, *end / MASK_TRACK_BLOCKS) >> *end % MASK_TRACK_BLOCKS & 1)
			(*end)++;
		return *first < mask->blocks;
	}
	return false;
}

uint64_t mask_first_needed(const struct mask *mask, const struct logged *logged)
{
	uint64_t region = next_needed_region(mask, 0);
	uint64_t first = mask->blocks, end;

	/* What hosts wrote is in the log, and comes from there after a crash. */
	while (region < mask_region_count(mask->blocks)) {
		const struct logged_region *known = logged_find(logged, region);

		if (!known || !known->durable)
			return mask_next_needed(mask, region * MASK_REGION_BLOCKS, &first, &end) ? first : mask->blocks;
		region = next_needed_region(mask, region + 1);
	}
	return mask->blocks;
}
