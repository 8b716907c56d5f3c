/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks against a model that keeps one word a block: random steps of a volume's life, after each of which every block
 * and every count must be the same. Then what only shows in sizes: bulk takes no memory, and nothing is left when
 * nothing is needed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "volume/mask_region.h"

/* Two chunks; the last region is not whole. Steps happen in some areas only, so that most stays clean. */
#define BLOCKS		(UINT64_C(513) * MASK_REGION_BLOCKS + 77)

static const uint64_t areas[] = { 0, 1000, 5 * MASK_REGION_BLOCKS - 40, 512 * MASK_REGION_BLOCKS - 300, BLOCKS - 400 };
#define AREA_BLOCKS	400u
#define AREA_COUNT	(sizeof(areas) / sizeof(areas[0]))

/* ---- the model ---- */

#define BIT(side, kind)	(1u << ((side) * MASK_KIND_COUNT + (kind)))
#define OPEN		0
#define CLOSING		1

struct model {
	uint16_t *blocks;
	bool settling;
	bool copying, copy_settling;
};

static bool has(const struct model *model, uint64_t block, unsigned side, enum mask_kind kind)
{
	return model->blocks[block] & BIT(side, kind);
}

static void put(struct model *model, uint64_t block, unsigned side, enum mask_kind kind, bool on)
{
	if (on)
		model->blocks[block] |= (uint16_t)BIT(side, kind);
	else
		model->blocks[block] &= (uint16_t)~BIT(side, kind);
}

static void model_note(struct model *model, uint64_t block)
{
	put(model, block, OPEN, MASK_NEEDED, true);
	put(model, block, OPEN, MASK_UNSENT, true);
}

static void model_copy(struct model *model, uint64_t block, unsigned side)
{
	if (!model->copying)
		return;
	put(model, block, side, MASK_COPYING, true);
	model->copy_settling = false;
}

static bool model_has_arrived(const struct model *model)
{
	for (uint64_t block = 0; block < BLOCKS; block++)
		if (has(model, block, OPEN, MASK_COPYING) || has(model, block, CLOSING, MASK_COPYING))
			return false;
	return true;
}

static bool model_is_copying(const struct model *model)
{
	bool needed = false;

	for (uint64_t block = 0; block < BLOCKS && !needed; block++)
		needed = has(model, block, OPEN, MASK_NEEDED) || has(model, block, CLOSING, MASK_NEEDED);
	return model->copying && needed;
}

static void model_close(struct model *model)
{
	for (uint64_t block = 0; block < BLOCKS; block++) {
		model->blocks[block] = (uint16_t)(model->blocks[block] << MASK_KIND_COUNT);
		put(model, block, CLOSING, MASK_SETTLING, false);
	}
	model->settling = false;
}

static void model_merge(struct model *model)
{
	for (uint64_t block = 0; block < BLOCKS; block++) {
		if (has(model, block, CLOSING, MASK_NEEDED))
			put(model, block, OPEN, MASK_NEEDED, true);
		if (has(model, block, CLOSING, MASK_UNSENT) || has(model, block, CLOSING, MASK_KEPT))
			put(model, block, OPEN, MASK_UNSENT, true);
		if (has(model, block, CLOSING, MASK_FLYING))
			put(model, block, OPEN, MASK_FLYING, true);
		if (has(model, block, CLOSING, MASK_COPYING))
			put(model, block, OPEN, MASK_COPYING, true);
		model->blocks[block] &= BIT(CLOSING, 0) - 1;
	}
}

static void model_forget(struct model *model)
{
	for (uint64_t block = 0; block < BLOCKS; block++)
		if (!has(model, block, CLOSING, MASK_UNSENT) && !has(model, block, CLOSING, MASK_FLYING))
			put(model, block, CLOSING, MASK_NEEDED, false);
	model_merge(model);
}

static bool model_collides(const struct model *model, uint64_t block)
{
	return (has(model, block, CLOSING, MASK_UNSENT) || has(model, block, CLOSING, MASK_FLYING)) &&
		!has(model, block, CLOSING, MASK_KEPT);
}

static bool model_sendable(const struct model *model, uint64_t block, unsigned side)
{
	return has(model, block, side, MASK_UNSENT) && !has(model, block, OPEN, MASK_FLYING) &&
		!has(model, block, CLOSING, MASK_FLYING);
}

static bool model_settled(const struct model *model, uint64_t block)
{
	return has(model, block, OPEN, MASK_NEEDED) && !has(model, block, OPEN, MASK_UNSENT) &&
		!has(model, block, OPEN, MASK_FLYING);
}

/* ---- comparing ---- */

static bool mask_has(const struct mask *mask, uint64_t block, unsigned side, enum mask_kind kind)
{
	unsigned which = side == OPEN ? mask->open : !mask->open;
	uint64_t track = block / MASK_TRACK_BLOCKS;
	const struct mask_region *region = mask_find_track(mask, which, track);

	if (mask_is_bulk(&mask->sides[which], block / MASK_REGION_BLOCKS)) {
		assert_null(region);
		return kind == MASK_NEEDED || kind == MASK_UNSENT || (kind == MASK_COPYING && mask->copying);
	}
	return region && (region->tracks[kind][track % MASK_REGION_TRACKS] >> (block % MASK_TRACK_BLOCKS) & 1);
}

static void compare(const struct mask *mask, const struct model *model)
{
	static const enum mask_kind kinds[] = { MASK_NEEDED, MASK_UNSENT, MASK_FLYING, MASK_KEPT, MASK_COPYING };

	for (unsigned side = 0; side < 2; side++) {
		const struct mask_side *counts = &mask->sides[side == OPEN ? mask->open : !mask->open];

		for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			bool in_bulk = kinds[i] == MASK_COPYING && mask->copying;
			uint64_t count = 0;

			for (uint64_t block = 0; block < BLOCKS; block++) {
				count += has(model, block, side, kinds[i]);
				if (model->blocks[block] || block % 64 == 0)
					assert_int_equal(mask_has(mask, block, side, kinds[i]),
						has(model, block, side, kinds[i]));
			}
			assert_int_equal(counts->count[kinds[i]] + in_bulk * counts->bulk_count * MASK_REGION_BLOCKS,
				count);
		}
	}
	assert_int_equal(mask_is_copying(mask), model_is_copying(model));
	assert_int_equal(mask_is_drained(mask), mask_closing_side((struct mask *)mask)->count[MASK_UNSENT] == 0 &&
		mask_closing_side((struct mask *)mask)->count[MASK_FLYING] == 0);
}

/* Of a volume that has no region in the log. */
static uint64_t first_needed(const struct mask *mask)
{
	struct logged logged;
	uint64_t first;

	assert_int_equal(logged_init(&logged, mask_region_count(mask->blocks)), 0);
	first = mask_first_needed(mask, &logged);
	logged_destroy(&logged);
	return first;
}

static void compare_first_needed(const struct mask *mask, const struct model *model)
{
	uint64_t block = 0;

	while (block < BLOCKS && !has(model, block, OPEN, MASK_NEEDED) && !has(model, block, CLOSING, MASK_NEEDED))
		block++;
	assert_int_equal(first_needed(mask), block);
}

/* ---- random steps ---- */

#define FLIGHTS_MAX	64u

struct life {
	struct mask mask;
	struct model model;
	struct { uint64_t first, end; } flights[FLIGHTS_MAX];
	unsigned flight_count;
	unsigned dropped;
};

static uint64_t below(uint64_t bound)
{
	return (uint64_t)random() % bound;
}

static void pick_range(uint64_t *first, uint64_t *end)
{
	uint64_t area = areas[below(AREA_COUNT)], len = 1 + below(below(4) == 0 ? 256 : 8);

	*first = area + below(AREA_BLOCKS - len + 1);
	*end = *first + len;
}

/* As a write does it: keep what collides, then note. */
static void step_note(struct life *life)
{
	uint64_t first, end, run_first, run_end;
	bool noted = false;

	pick_range(&first, &end);
	assert_int_equal(mask_reserve(&life->mask, first, end), 0);
	assert_true(mask_has_room(&life->mask, first, end));
	for (uint64_t block = first; block < end; block++)
		noted |= has(&life->model, block, OPEN, MASK_NEEDED);
	assert_int_equal(mask_is_noted(&life->mask, first, end), noted);
	for (uint64_t block = first; block < end; block = run_end) {
		if (!mask_find_collision(&life->mask, block, end, &run_first, &run_end))
			run_first = run_end = end;
		for (; block < run_first; block++)
			assert_false(model_collides(&life->model, block));
		for (; block < run_end; block++) {
			assert_true(model_collides(&life->model, block));
			put(&life->model, block, CLOSING, MASK_KEPT, true);
		}
		if (run_first < run_end)
			mask_keep(&life->mask, run_first, run_end);
	}
	mask_note(&life->mask, first, end);
	for (uint64_t block = first; block < end; block++)
		model_note(&life->model, block);
}

static void step_mark(struct life *life)
{
	uint64_t first = below(3) * 700, end = first + 1 + below(3 * MASK_REGION_BLOCKS);

	if (below(4) == 0) {
		first = BLOCKS - MASK_REGION_BLOCKS - 100;
		end = BLOCKS;
	}
	if (below(2))
		assert_int_equal(mask_doubt(&life->mask, first, end), 0);
	else
		assert_int_equal(mask_mark(&life->mask, first, end), 0);
	for (uint64_t block = first; block < end; block++) {
		model_note(&life->model, block);
		model_copy(&life->model, block, OPEN);
	}
}

static void step_copy(struct life *life)
{
	mask_begin_copy(&life->mask);
	if (life->model.copying)
		return;
	life->model.copying = true;
	for (uint64_t block = 0; block < BLOCKS; block++)
		for (unsigned side = 0; side < 2; side++)
			if (has(&life->model, block, side, MASK_UNSENT) || has(&life->model, block, side, MASK_FLYING))
				model_copy(&life->model, block, side);
}

/* Takes off the first run that is found in some region of a side. */
static void step_send(struct life *life)
{
	unsigned side = (unsigned)below(2);
	struct mask_region *region = NULL;
	struct mask_run run;
	uint64_t base, from;

	if (life->flight_count == FLIGHTS_MAX)
		return;
	do {
		assert_int_equal(mask_next_region(&life->mask, side == CLOSING, &region), 0);
	} while (region && below(3) == 0);
	if (!region)
		return;
	base = region->index * MASK_REGION_BLOCKS;
	from = base + below(MASK_REGION_BLOCKS);
	if (!mask_next_run(&life->mask, region, side == CLOSING, from, base + MASK_REGION_BLOCKS, &run)) {
		for (uint64_t block = from; block < base + MASK_REGION_BLOCKS && block < BLOCKS; block++)
			assert_false(model_sendable(&life->model, block, side));
		return;
	}
	for (uint64_t block = from; block < run.first; block++)
		assert_false(model_sendable(&life->model, block, side));
	for (uint64_t block = run.first; block < run.end; block++) {
		assert_true(model_sendable(&life->model, block, side));
		assert_int_equal(has(&life->model, block, side, MASK_KEPT), run.kept);
	}
	if (run.end - run.first > 30)
		run.end = run.first + 30;
	mask_take_off(&life->mask, &run);
	for (uint64_t block = run.first; block < run.end; block++) {
		put(&life->model, block, side, MASK_UNSENT, false);
		put(&life->model, block, side, MASK_FLYING, true);
	}
	life->flights[life->flight_count].first = run.first;
	life->flights[life->flight_count++].end = run.end;
}

static void count_dropped(void *arg, uint64_t block)
{
	struct life *life = arg;

	assert_true(has(&life->model, block, CLOSING, MASK_KEPT));
	put(&life->model, block, CLOSING, MASK_KEPT, false);
	life->dropped++;
}

static void step_land(struct life *life)
{
	bool acknowledged = below(4) > 0;
	unsigned i;

	if (life->flight_count == 0)
		return;
	i = (unsigned)below(life->flight_count);
	mask_land(&life->mask, life->flights[i].first, life->flights[i].end, acknowledged, count_dropped, life);
	for (uint64_t block = life->flights[i].first; block < life->flights[i].end; block++) {
		unsigned side = has(&life->model, block, OPEN, MASK_FLYING) ? OPEN : CLOSING;

		assert_true(has(&life->model, block, side, MASK_FLYING));
		put(&life->model, block, side, MASK_FLYING, false);
		put(&life->model, block, side, MASK_SETTLING, false);
		if (acknowledged)
			put(&life->model, block, side, MASK_COPYING, false);
		if (!acknowledged)
			put(&life->model, block, side, MASK_UNSENT, true);
		else if (!has(&life->model, block, side, MASK_UNSENT))
			assert_false(has(&life->model, block, CLOSING, MASK_KEPT) && side == CLOSING);
	}
	life->flights[i] = life->flights[--life->flight_count];
}

static void step_settle(struct life *life)
{
	bool any = false;

	if (life->model.settling || life->model.copy_settling) {
		bool ok = below(2);

		mask_settle_end(&life->mask, ok);
		for (uint64_t block = 0; block < BLOCKS && ok && life->model.settling; block++)
			if (has(&life->model, block, OPEN, MASK_SETTLING) && model_settled(&life->model, block))
				put(&life->model, block, OPEN, MASK_NEEDED, false);
		if (ok && life->model.copy_settling && model_has_arrived(&life->model))
			life->model.copying = false;
		life->model.settling = life->model.copy_settling = false;
		return;
	}
	for (uint64_t block = 0; block < BLOCKS; block++) {
		put(&life->model, block, OPEN, MASK_SETTLING, model_settled(&life->model, block));
		any |= model_settled(&life->model, block);
	}
	life->model.settling = any;
	life->model.copy_settling = life->model.copying && model_has_arrived(&life->model);
	assert_int_equal(mask_settle_begin(&life->mask), any || life->model.copy_settling);
}

static void step_increment(struct life *life)
{
	switch (below(4)) {
	case 0:
		mask_merge(&life->mask);
		model_merge(&life->model);
		break;
	case 1:
		mask_forget(&life->mask);
		model_forget(&life->model);
		break;
	case 2:
		mask_resend(&life->mask);
		for (uint64_t block = 0; block < BLOCKS; block++)
			if (has(&life->model, block, OPEN, MASK_NEEDED)) {
				put(&life->model, block, OPEN, MASK_UNSENT, true);
				model_copy(&life->model, block, OPEN);
			}
		life->model.copy_settling = false;
		break;
	default:
		mask_merge(&life->mask);
		model_merge(&life->model);
		mask_close(&life->mask);
		model_close(&life->model);
		break;
	}
}

static uint64_t count_left(const struct mask *mask)
{
	uint64_t left = 0;

	for (unsigned side = 0; side < 2; side++)
		left += mask->sides[side].count[MASK_UNSENT] + mask->sides[side].count[MASK_FLYING];
	return left;
}

/* All is sent, and what was part of a first copy arrives at last. */
static void end_copy(struct life *life)
{
	step_copy(life);
	while (count_left(&life->mask) > 0) {
		step_send(life);
		step_land(life);
	}
	assert_true(life->model.copying);
	while (life->model.copying)
		step_settle(life);
	assert_false(mask_is_copying(&life->mask));
}

static void live(unsigned seed)
{
	struct life *life = calloc(1, sizeof(*life));

	assert_non_null(life);
	srandom(seed);
	life->model.blocks = calloc(BLOCKS, sizeof(life->model.blocks[0]));
	assert_non_null(life->model.blocks);
	assert_int_equal(mask_init(&life->mask, BLOCKS), 0);
	for (unsigned step = 0; step < 300; step++) {
		unsigned kind = (unsigned)below(40);

		if (kind < 14)
			step_note(life);
		else if (kind < 26)
			step_send(life);
		else if (kind < 35)
			step_land(life);
		else if (kind < 36)
			below(3) ? step_mark(life) : step_copy(life);
		else if (kind < 38)
			step_settle(life);
		else
			step_increment(life);
		if (step % 20 == 0)
			compare(&life->mask, &life->model);
	}
	compare(&life->mask, &life->model);
	compare_first_needed(&life->mask, &life->model);
	end_copy(life);
	compare(&life->mask, &life->model);
	mask_destroy(&life->mask);
	free(life->model.blocks);
	free(life);
}

static void random_lives(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 5; seed++)
		live(seed);
}

/* ---- sizes ---- */

/* A first copy of 1 TiB is one bit a region; sending it makes masks for one region at a time. */
static void bulk_is_small(void **state)
{
	uint64_t blocks = (UINT64_C(1) << 40) / 4096, chunks = 0, sent = 0;
	struct mask_region *region = NULL;
	struct mask_run run;
	struct mask mask;

	(void)state;
	assert_int_equal(mask_init(&mask, blocks), 0);
	assert_int_equal(mask_mark(&mask, 0, blocks), 0);
	assert_int_equal(mask_open_side(&mask)->count[MASK_UNSENT], blocks);
	assert_int_equal(first_needed(&mask), 0);
	for (uint64_t i = 0; i < mask.chunk_count; i++)
		chunks += mask.chunks[i] != NULL;
	assert_int_equal(chunks, 0);
	while (sent < 10 * MASK_REGION_BLOCKS) {
		region = NULL;
		assert_int_equal(mask_next_region(&mask, false, &region), 0);
		assert_true(mask_next_run(&mask, region, false, region->index * MASK_REGION_BLOCKS,
			(region->index + 1) * MASK_REGION_BLOCKS, &run));
		mask_take_off(&mask, &run);
		assert_int_equal(run.first, sent);
		sent = run.end;
		assert_int_equal(mask_open_side(&mask)->bulk_count,
			blocks / MASK_REGION_BLOCKS - sent / MASK_REGION_BLOCKS);
		mask_land(&mask, run.first, run.end, true, NULL, NULL);
	}
	assert_true(mask_settle_begin(&mask));
	mask_settle_end(&mask, true);
	assert_int_equal(first_needed(&mask), sent);
	mask_close(&mask);
	mask_merge(&mask);
	assert_int_equal(mask_open_side(&mask)->count[MASK_NEEDED], blocks - sent);
	mask_destroy(&mask);
}

/* What is forgotten takes no memory but the spare regions. */
static void nothing_is_left(void **state)
{
	struct mask mask;

	(void)state;
	assert_int_equal(mask_init(&mask, BLOCKS), 0);
	for (uint64_t region = 0; region < 200; region++) {
		assert_int_equal(mask_reserve(&mask, region * MASK_REGION_BLOCKS, region * MASK_REGION_BLOCKS + 1), 0);
		mask_note(&mask, region * MASK_REGION_BLOCKS, region * MASK_REGION_BLOCKS + 1);
	}
	mask_close(&mask);
	for (uint64_t region = 0; region < 200; region++) {
		struct mask_run run = {
			.first = region * MASK_REGION_BLOCKS, .end = region * MASK_REGION_BLOCKS + 1, .closing = true,
		};

		mask_take_off(&mask, &run);
		mask_land(&mask, run.first, run.end, true, NULL, NULL);
	}
	assert_true(mask_is_region_needed(&mask, 199));
	mask_forget(&mask);
	assert_false(mask_is_region_needed(&mask, 199));
	assert_null(mask.chunks[0]);
	mask_destroy(&mask);
}

/* The one run of the open side at a block, which must have this end. */
static struct mask_run run_at(struct mask *mask, uint64_t block, uint64_t end)
{
	struct mask_region *region = NULL;
	struct mask_run run;

	do {
		assert_int_equal(mask_next_region(mask, false, &region), 0);
		assert_non_null(region);
	} while (region->index != block / MASK_REGION_BLOCKS);
	assert_true(mask_next_run(mask, region, false, block, (region->index + 1) * MASK_REGION_BLOCKS, &run));
	assert_int_equal(run.first, block);
	assert_int_equal(run.end, end);
	return run;
}

/* All that is unsent of the open side arrives, but for this block. */
static void send_all_but(struct mask *mask, uint64_t block)
{
	for (;;) {
		struct mask_region *region = NULL;
		struct mask_run run;
		uint64_t base;

		assert_int_equal(mask_next_region(mask, false, &region), 0);
		if (!region)
			break;
		base = region->index * MASK_REGION_BLOCKS;
		assert_true(mask_next_run(mask, region, false, base, base + MASK_REGION_BLOCKS, &run));
		mask_take_off(mask, &run);
		if (run.first < block && block < run.end) {
			mask_land(mask, run.first, block, true, NULL, NULL);
			run.first = block + 1;
		}
		mask_land(mask, run.first, run.end, true, NULL, NULL);
	}
	mask_land(mask, block, block + 1, false, NULL, NULL);
}

static bool sync_copy(struct mask *mask, bool ok)
{
	if (mask_settle_begin(mask))
		mask_settle_end(mask, ok);
	return mask_is_copying(mask);
}

/*
 * All of it is in the dirty log, from where it would come after a crash; the first copy has ended all the same not
 * before each block has arrived once and was made durable. A block that hosts write again and again has, too.
 */
static void a_copy_ends_when_all_of_it_has_arrived(void **state)
{
	uint64_t blocks = 5 * MASK_REGION_BLOCKS, hot = 3 * MASK_REGION_BLOCKS + 7;
	struct mask_run run;
	struct logged logged;
	struct mask mask;

	(void)state;
	assert_int_equal(mask_init(&mask, blocks), 0);
	assert_int_equal(mask_mark(&mask, 0, blocks), 0);
	assert_int_equal(logged_init(&logged, 5), 0);
	for (uint64_t region = 0; region < 5; region++)
		logged_add(&logged, region)->durable = true;
	assert_int_equal(mask_first_needed(&mask, &logged), blocks);
	logged_destroy(&logged);
	mask_begin_copy(&mask);
	assert_true(mask_is_copying(&mask));
	send_all_but(&mask, hot);
	assert_true(sync_copy(&mask, true));

	/* Once more and once more: it did not arrive; it did, and was not made durable. */
	run = run_at(&mask, hot, hot + 1);
	mask_take_off(&mask, &run);
	mask_note(&mask, hot, hot + 1);
	mask_land(&mask, hot, hot + 1, false, NULL, NULL);
	assert_true(sync_copy(&mask, true));
	run = run_at(&mask, hot, hot + 1);
	mask_take_off(&mask, &run);
	mask_note(&mask, hot, hot + 1);
	mask_land(&mask, hot, hot + 1, true, NULL, NULL);
	assert_true(sync_copy(&mask, false));

	/* The far side has restarted while it was asked: what it had acknowledged and not synced is part of it. */
	assert_true(mask_settle_begin(&mask));
	mask_resend(&mask);
	mask_settle_end(&mask, true);
	assert_true(sync_copy(&mask, true));
	run = run_at(&mask, hot, hot + 1);
	mask_take_off(&mask, &run);
	mask_note(&mask, hot, hot + 1);
	mask_land(&mask, hot, hot + 1, true, NULL, NULL);

	/* So is what is found to be in doubt while the far side is asked, and arrives before it answers. */
	assert_true(mask_settle_begin(&mask));
	assert_int_equal(mask_doubt(&mask, 9, 10), 0);
	run = run_at(&mask, 9, 10);
	mask_take_off(&mask, &run);
	mask_land(&mask, 9, 10, true, NULL, NULL);
	mask_settle_end(&mask, true);
	assert_true(mask_is_copying(&mask));
	assert_true(mask_is_noted(&mask, hot, hot + 1));
	assert_false(sync_copy(&mask, true));
	assert_true(mask_is_noted(&mask, hot, hot + 1));
	mask_destroy(&mask);
}

/* What the far side may have is doubtful until a host writes it, the far side answers, or it is marked. */
static void doubts_end(void **state)
{
	struct mask mask;
	struct mask_run run;

	(void)state;
	assert_int_equal(mask_init(&mask, BLOCKS), 0);
	assert_int_equal(mask_doubt(&mask, 0, 100), 0);
	mask_note(&mask, 40, 50);
	assert_true(run_at(&mask, 0, 40).doubtful);
	assert_false(run_at(&mask, 40, 50).doubtful);
	run = run_at(&mask, 50, 100);
	assert_true(run.doubtful);

	/* It did not arrive: still in doubt, but for what a host wrote meanwhile. */
	mask_take_off(&mask, &run);
	mask_note(&mask, 60, 70);
	mask_land(&mask, 50, 100, false, NULL, NULL);
	assert_true(run_at(&mask, 50, 60).doubtful);
	assert_false(run_at(&mask, 60, 70).doubtful);
	assert_true(run_at(&mask, 70, 100).doubtful);

	/* An increment that fails takes its doubts back, but for what was written since. */
	mask_close(&mask);
	assert_int_equal(mask_reserve(&mask, 10, 20), 0);
	mask_note(&mask, 10, 20);
	mask_merge(&mask);
	assert_true(run_at(&mask, 0, 10).doubtful);
	assert_false(run_at(&mask, 10, 20).doubtful);
	assert_true(run_at(&mask, 20, 40).doubtful);

	/* In doubt again while it is compared: the answer is of the first time. */
	run = run_at(&mask, 0, 10);
	mask_take_off(&mask, &run);
	assert_int_equal(mask_doubt(&mask, 0, 5), 0);
	mask_land(&mask, 0, 10, true, NULL, NULL);
	assert_true(run_at(&mask, 0, 5).doubtful);

	/* The far side has restarted: what it had acknowledged is sent, what it was not asked about yet is compared. */
	run = run_at(&mask, 0, 5);
	mask_take_off(&mask, &run);
	mask_land(&mask, 0, 5, true, NULL, NULL);
	mask_resend(&mask);
	assert_false(run_at(&mask, 0, 20).doubtful);
	assert_true(run_at(&mask, 20, 40).doubtful);
	assert_int_equal(mask_mark(&mask, 0, 100), 0);
	assert_false(run_at(&mask, 0, 100).doubtful);
	assert_int_equal(mask_mark(&mask, 0, MASK_REGION_BLOCKS), 0);
	assert_int_equal(mask_doubt(&mask, 0, 10), 0);
	assert_false(run_at(&mask, 0, MASK_REGION_BLOCKS).doubtful);
	mask_destroy(&mask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_lives),
		cmocka_unit_test(bulk_is_small),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(doubts_end),
		cmocka_unit_test(a_copy_ends_when_all_of_it_has_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
