/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of a FlashCopy: what it shows is there after any crash, what was not committed is not shown, and what is
 * damaged or of another map is refused.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "store/flashmap.h"
#include "store/flashmap_format.h"

#define BITS	(40 * FLASHMAP_PAGE_BITS + 5)

static struct flashmap_options options = {
	.path = "map", .id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }, .bits = BITS,
};

static void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);

	if (sim_run(world, scenario, NULL, 1000 * RT_SECOND) != SIM_DONE)
		fail_msg("%s", sim_failure(world));
	sim_destroy(world);
}

static struct flashmap *open_map(void)
{
	struct flashmap *map;

	assert_int_equal(flashmap_open(&options, &map), 0);
	return map;
}

static struct flashmap *new_map(void)
{
	assert_int_equal(flashmap_create(&options), 0);
	assert_int_equal(flashmap_create(&options), -EEXIST);
	return open_map();
}

/* From first on there is a run that ends at run_end. */
static void expect_run(struct flashmap *map, uint64_t first, uint64_t end, bool set, uint64_t run_end)
{
	uint64_t found_end;
	bool found;

	assert_int_equal(flashmap_find(map, first, end, &found, &found_end), 0);
	assert_int_equal(found, set);
	assert_int_equal(found_end, run_end);
}

/* Bits are shown when they are committed, over units and pages, and after the map was closed. */
static int main_bits(void *arg)
{
	const uint64_t unit = FLASHMAP_UNIT_BITS, page = FLASHMAP_PAGE_BITS;
	struct flashmap *map = new_map();

	(void)arg;
	assert_int_equal(flashmap_count(map), 0);
	expect_run(map, 0, 100, false, 100);
	assert_int_equal(flashmap_add(map, unit - 3, unit + 2), 0);
	assert_int_equal(flashmap_add(map, page - 1, page + 1), 0);
	assert_int_equal(flashmap_add(map, BITS - 1, BITS), 0);
	expect_run(map, unit - 3, unit + 10, false, unit + 10);
	assert_int_equal(flashmap_commit(map), 0);
	assert_int_equal(flashmap_count(map), 8);
	for (unsigned i = 0; i < 2; i++) {
		expect_run(map, 0, BITS, false, unit - 3);
		expect_run(map, unit - 3, BITS, true, unit + 2);
		expect_run(map, unit - 3, unit, true, unit);
		expect_run(map, page - 1, BITS, true, page);	/* a run ends with its page at the latest */
		expect_run(map, page, BITS, true, page + 1);
		expect_run(map, BITS - 1, BITS, true, BITS);
		flashmap_close(map);
		map = open_map();
		assert_int_equal(flashmap_count(map), 8);
	}
	/* Again: nothing is counted twice. */
	assert_int_equal(flashmap_add(map, unit - 3, unit), 0);
	assert_int_equal(flashmap_commit(map), 0);
	assert_int_equal(flashmap_count(map), 8);
	flashmap_close(map);
	return 0;
}

/* Of bits that are committed and bits that are not, over units and pages; what is left is there after it was closed. */
static int main_remove(void *arg)
{
	const uint64_t unit = FLASHMAP_UNIT_BITS, page = FLASHMAP_PAGE_BITS;
	struct flashmap *map = new_map();

	(void)arg;
	assert_int_equal(flashmap_add(map, 0, 2 * page), 0);
	assert_int_equal(flashmap_commit(map), 0);
	assert_int_equal(flashmap_add(map, 3 * page, 4 * page), 0);
	assert_int_equal(flashmap_remove(map, unit - 1, unit + 2), 0);
	assert_int_equal(flashmap_remove(map, page + 70, page + 71), 0);
	assert_int_equal(flashmap_remove(map, 3 * page + 64, 4 * page), 0);
	assert_int_equal(flashmap_remove(map, 6 * page, 7 * page), 0);
	assert_int_equal(flashmap_remove(map, BITS - 5, BITS), 0);
	expect_run(map, 0, BITS, true, unit - 1);
	assert_int_equal(flashmap_commit(map), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(flashmap_count(map), 2 * page - 4 + 64);
		expect_run(map, 0, BITS, true, unit - 1);
		expect_run(map, unit - 1, BITS, false, unit + 2);
		expect_run(map, unit + 2, BITS, true, page);
		expect_run(map, page, BITS, true, page + 70);
		expect_run(map, page + 70, BITS, false, page + 71);
		expect_run(map, 3 * page, BITS, true, 3 * page + 64);
		expect_run(map, 3 * page + 64, 4 * page, false, 4 * page);
		expect_run(map, 6 * page, 7 * page, false, 7 * page);
		flashmap_close(map);
		map = open_map();
	}
	flashmap_close(map);
	return 0;
}

/* However runs lie in words, units and pages: each is found by its first bit, and from its middle. */
static int main_runs(void *arg)
{
	static const uint64_t lengths[] = { 1, 2, 7, 63, 64, 65, 127, 128, 129, 3839, 3840, 3841, 30719, 30720, 30721 };
	struct flashmap *map = new_map();
	uint64_t at = 0;

	(void)arg;
	for (unsigned i = 0; i < 30; i++) {
		uint64_t end = at + lengths[i % 15];

		if (i % 2)
			assert_int_equal(flashmap_add(map, at, end), 0);
		at = end;
	}
	assert_int_equal(flashmap_commit(map), 0);
	at = 0;
	for (unsigned i = 0; i < 30; i++) {
		uint64_t end = at + lengths[i % 15], page_end = (at / FLASHMAP_PAGE_BITS + 1) * FLASHMAP_PAGE_BITS;
		uint64_t middle = at + (end - at) / 2;

		expect_run(map, at, end, i % 2, end < page_end ? end : page_end);
		page_end = (middle / FLASHMAP_PAGE_BITS + 1) * FLASHMAP_PAGE_BITS;
		expect_run(map, middle, end + 1, i % 2, end < page_end ? end : page_end);
		at = end;
	}
	flashmap_close(map);
	return 0;
}

/* More pages than are kept in memory: those that are not needed make room, and are read again. */
static int main_many_pages(void *arg)
{
	struct flashmap *map;

	(void)arg;
	options.bits = 600 * FLASHMAP_PAGE_BITS;
	map = new_map();
	for (uint64_t i = 0; i < 600; i++) {
		assert_int_equal(flashmap_add(map, i * FLASHMAP_PAGE_BITS + i, i * FLASHMAP_PAGE_BITS + i + 1), 0);
		if (i % 100 == 99)
			assert_int_equal(flashmap_commit(map), 0);
	}
	for (uint64_t i = 0; i < 600; i++)
		expect_run(map, i * FLASHMAP_PAGE_BITS + i, 600 * FLASHMAP_PAGE_BITS, true,
			   i * FLASHMAP_PAGE_BITS + i + 1);
	assert_int_equal(flashmap_count(map), 600);
	flashmap_close(map);
	options.bits = BITS;
	return 0;
}

/* The bytes, as docs/disk-format.md says. */
static int main_golden(void *arg)
{
	static const uint8_t header[] = {
		0x58, 0x44, 0x46, 0x4d, 0xe5, 0x2d, 0xc0, 0x14, 0x01, 0x00, 0, 0, 0, 0, 0, 0,
		0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x06,
	};
	uint8_t unit[FLASHMAP_UNIT_SIZE], zeros[FLASHMAP_UNIT_SIZE] = { 0 };
	struct flashmap *map = new_map();

	(void)arg;
	assert_int_equal(flashmap_add(map, FLASHMAP_UNIT_BITS + 1, FLASHMAP_UNIT_BITS + 3), 0);
	assert_int_equal(flashmap_commit(map), 0);
	flashmap_close(map);
	assert_int_equal(sim_peek(sim_outside(sim_world()), "map", unit, sizeof(unit), FLASHMAP_UNIT_SIZE), 0);
	assert_memory_equal(unit, header, sizeof(header));
	assert_memory_equal(unit + sizeof(header), zeros, sizeof(unit) - sizeof(header));
	assert_int_equal(sim_peek(sim_outside(sim_world()), "map", unit, sizeof(unit), 0), 0);
	assert_memory_equal(unit, zeros, sizeof(unit));
	return 0;
}

/* One byte of a unit that is not zero is another, or the map is of another relation. */
static int main_damage(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	struct flashmap *map = new_map();
	uint8_t byte;

	(void)arg;
	assert_int_equal(flashmap_add(map, 5, 6), 0);
	assert_int_equal(flashmap_commit(map), 0);
	flashmap_close(map);
	for (unsigned at = 0; at < FLASHMAP_UNIT_SIZE; at += at < 40 ? 1 : 59) {
		assert_int_equal(sim_peek(here, "map", &byte, 1, at), 0);
		byte ^= 0x10;
		assert_int_equal(sim_poke(here, "map", &byte, 1, at), 0);
		assert_int_equal(flashmap_open(&options, &map), -EBADMSG);
		byte ^= 0x10;
		assert_int_equal(sim_poke(here, "map", &byte, 1, at), 0);
	}
	options.id[3]++;
	assert_int_equal(flashmap_open(&options, &map), -EBADMSG);
	options.id[3]--;
	map = open_map();
	assert_int_equal(flashmap_count(map), 1);
	flashmap_close(map);
	return 0;
}

/* A disk that cannot sync: the map shows no more than before, and takes nothing any more. */
static int main_failed(void *arg)
{
	struct sim_disk_state broken = { .sync_fails = true }, good = { .sync_fails = false };
	struct flashmap *map = new_map();

	(void)arg;
	assert_int_equal(flashmap_add(map, 5, 6), 0);
	assert_int_equal(flashmap_commit(map), 0);
	sim_set_disk(sim_outside(sim_world()), "map", &broken);
	assert_int_equal(flashmap_add(map, 6, 7), 0);
	assert_int_equal(flashmap_commit(map), -EIO);
	sim_set_disk(sim_outside(sim_world()), "map", &good);
	assert_int_equal(flashmap_commit(map), -EIO);
	expect_run(map, 5, 10, true, 6);
	flashmap_close(map);
	return 0;
}

/* ---- crashes: what was shown once is there ---- */

static struct {
	uint64_t committed;		/* bits from 0 */
	bool started;
} seen;

static int make_map(void *arg)
{
	(void)arg;
	return flashmap_create(&options);
}

static int add_for_ever(void *arg)
{
	struct flashmap *map = open_map();

	(void)arg;
	assert_true(flashmap_count(map) >= seen.committed);
	if (seen.committed > 0) {
		uint64_t end;
		bool set;

		assert_int_equal(flashmap_find(map, seen.committed - 1, BITS, &set, &end), 0);
		assert_true(set);
	}
	seen.started = true;
	for (uint64_t bit = seen.committed; bit + 700 < BITS; bit += 700) {
		assert_int_equal(flashmap_add(map, bit, bit + 700), 0);
		assert_int_equal(flashmap_commit(map), 0);
		seen.committed = bit + 700;
	}
	flashmap_close(map);
	return 0;
}

static int main_crashes(void *arg)
{
	struct sim_system *system = sim_add_system(sim_world(), "a1", 1);

	(void)arg;
	memset(&seen, 0, sizeof(seen));
	sim_boot(system, make_map, NULL);
	assert_int_equal(sim_wait_ended(system), 0);
	for (unsigned i = 0; i < 60; i++) {
		sim_boot(system, add_for_ever, NULL);
		sim_crash_at_nth(system, i % 2 ? SIM_WRITE : SIM_SYNC, 1 + i % 9, i % 3 ? SIM_POWER_LOSS : SIM_DEATH);
		assert_int_equal(sim_wait_ended(system), 0);
	}
	assert_true(seen.started && seen.committed > 7000);
	return 0;
}

static void bits(void **state)
{
	(void)state;
	run(main_bits);
}

static void removed(void **state)
{
	(void)state;
	run(main_remove);
}

static void runs(void **state)
{
	(void)state;
	run(main_runs);
}

static void many_pages(void **state)
{
	(void)state;
	run(main_many_pages);
}

static void golden(void **state)
{
	(void)state;
	run(main_golden);
}

static void damage(void **state)
{
	(void)state;
	run(main_damage);
}

static void failed(void **state)
{
	(void)state;
	run(main_failed);
}

static void crashes(void **state)
{
	(void)state;
	run(main_crashes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits),
		cmocka_unit_test(removed),
		cmocka_unit_test(runs),
		cmocka_unit_test(many_pages),
		cmocka_unit_test(golden),
		cmocka_unit_test(damage),
		cmocka_unit_test(failed),
		cmocka_unit_test(crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
