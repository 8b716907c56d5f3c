/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of kept blocks: what was put is there after any crash until its segment is filled, however often it was
 * written over; what is damaged and was durable is refused.
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
#include "store/keptlog_format.h"

/* Eight segments of five pages: each has room for two records of a block, and one page more. */
#define BYTES	(40u * KEPTLOG_PAGE)
#define BLOCKS	100000u

static struct keptlog_options options = {
	.path = "log", .id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	.bytes = BYTES, .blocks = BLOCKS,
};

static void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);

	if (sim_run(world, scenario, NULL, 1000 * RT_SECOND) != SIM_DONE)
		fail_msg("%s", sim_failure(world));
	sim_destroy(world);
}

static struct keptlog *open_log(void)
{
	struct keptlog *log;

	assert_int_equal(keptlog_open(&options, &log), 0);
	return log;
}

static struct keptlog *new_log(void)
{
	assert_int_equal(keptlog_create(&options), 0);
	assert_int_equal(keptlog_create(&options), -EEXIST);
	return open_log();
}

/* A block whose bytes are told by its number; every seventh is zeros. */
static int put(struct keptlog *log, uint64_t number)
{
	uint8_t data[KEPTLOG_PAGE];
	struct keptlog_block block = { .number = number, .data = number % 7 ? data : NULL };

	memset(data, (int)(number % 7), sizeof(data));
	return keptlog_put(log, &block, 1);
}

static void expect_block(struct keptlog *log, uint64_t number)
{
	uint8_t data[KEPTLOG_PAGE], wanted[KEPTLOG_PAGE];

	memset(wanted, (int)(number % 7), sizeof(wanted));
	assert_int_equal(keptlog_read(log, number, data), 0);
	assert_memory_equal(data, wanted, sizeof(data));
}

/* Fills the oldest segment; its blocks are told as a text of numbers. */
static void expect_filled(struct keptlog *log, const char *wanted)
{
	struct keptlog_fill fill;
	char text[200] = "";

	assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
	while (keptlog_fill_next(&fill) > 0)
		for (unsigned i = 0; i < fill.count; i++)
			snprintf(text + strlen(text), 10, "%llu ", (unsigned long long)fill.blocks[i].number);
	assert_int_equal(keptlog_fill_end(&fill, true), 0);
	assert_string_equal(text, wanted);
}

/* Found when they were put, also after the log was closed; runs; not what was forgotten. */
static int main_blocks(void *arg)
{
	struct keptlog *log = new_log();
	uint8_t data[KEPTLOG_PAGE];
	uint64_t end;

	(void)arg;
	assert_int_equal(put(log, 5), 0);
	assert_int_equal(put(log, 6), 0);
	assert_int_equal(put(log, 7), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(keptlog_count(log), 3);
		assert_false(keptlog_find(log, 0, 100, &end));
		assert_int_equal(end, 5);
		assert_true(keptlog_find(log, 5, 100, &end));
		assert_int_equal(end, 8);
		for (uint64_t block = 5; block < 8; block++)
			expect_block(log, block);
		keptlog_close(log);
		log = open_log();
	}
	keptlog_forget(log, 0, 7);
	assert_int_equal(keptlog_count(log), 1);
	assert_int_equal(keptlog_read(log, 6, data), -ENOENT);
	expect_block(log, 7);
	keptlog_close(log);
	return 0;
}

/* It takes no more when all segments are in use; the oldest that is filled makes room; again and again. */
static int main_over_again(void *arg)
{
	struct keptlog *log = new_log();
	uint64_t number = 1;

	(void)arg;
	for (; !keptlog_is_short(log); number += 7)
		assert_int_equal(put(log, number), 0);
	assert_int_equal(number, 1 + 13 * 7);
	for (; put(log, number) == 0; number += 7)
		;
	assert_int_equal(number, 1 + 16 * 7);
	assert_int_equal(put(log, number), -ENOSPC);
	expect_filled(log, "1 8 ");
	for (uint64_t last = 15; last < 100 * 7; last += 14, number += 14) {
		char text[40];

		assert_int_equal(put(log, number), 0);
		assert_int_equal(put(log, number + 7), 0);
		assert_int_equal(put(log, number + 14), -ENOSPC);
		keptlog_close(log);
		log = open_log();
		assert_int_equal(keptlog_count(log), 16);
		snprintf(text, sizeof(text), "%llu %llu ", (unsigned long long)last, (unsigned long long)last + 7);
		expect_filled(log, text);
	}
	while (keptlog_count(log) > 0) {
		struct keptlog_fill fill;

		assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
		assert_int_equal(keptlog_fill_end(&fill, true), 0);
	}
	assert_true(keptlog_is_empty(log));
	keptlog_close(log);
	/* It has given its space back, and begins anew. */
	log = open_log();
	assert_int_equal(keptlog_count(log), 0);
	assert_int_equal(put(log, 3), 0);
	keptlog_close(log);
	log = open_log();
	expect_block(log, 3);
	keptlog_close(log);
	return 0;
}

/* Too small for segments; and no space on its disk: nothing is put, and nothing is lost. */
static int main_no_room(void *arg)
{
	struct keptlog_options small = options;
	struct keptlog *log;

	(void)arg;
	small.path = "small";
	small.bytes = 15 * KEPTLOG_PAGE;
	assert_int_equal(keptlog_create(&small), 0);
	assert_int_equal(keptlog_open(&small, &log), 0);
	assert_int_equal(put(log, 1), -ENOSPC);
	assert_true(keptlog_is_empty(log));
	keptlog_close(log);
	return 0;
}

/*
 * One byte of what was durable before something else was written is another: refused. Of the last record it cannot be
 * told from one that was cut short.
 */
static int main_damage(void *arg)
{
	const uint64_t first = KEPTLOG_HEADER_BYTES, second = first + 2 * KEPTLOG_PAGE;
	const struct { uint64_t at; int rc; uint64_t left; } cases[] = {
		{ KEPTLOG_PAGE + KEPTLOG_MAGIC_AT, -EBADMSG, 0 }, { KEPTLOG_PAGE + KEPTLOG_TAIL_AT, -EBADMSG, 0 },
		{ 2 * KEPTLOG_PAGE - 1, -EBADMSG, 0 }, { 0, 0, 2 },
		{ first, -EBADMSG, 0 }, { first + KEPTLOG_ENTRIES_AT, -EBADMSG, 0 },
		{ first + KEPTLOG_PAGE - 1, -EBADMSG, 0 }, { first + KEPTLOG_PAGE + 77, -EBADMSG, 0 },
		{ second, 0, 1 }, { second + KEPTLOG_PAGE, 0, 1 }, { second + 2 * KEPTLOG_PAGE, 0, 2 },
	};
	struct sim_system *here = sim_outside(sim_world());
	struct keptlog *log = new_log();
	uint8_t byte;

	(void)arg;
	assert_int_equal(put(log, 5), 0);
	assert_int_equal(put(log, 6), 0);
	keptlog_close(log);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(sim_peek(here, "log", &byte, 1, cases[i].at), 0);
		byte ^= 0x10;
		assert_int_equal(sim_poke(here, "log", &byte, 1, cases[i].at), 0);
		assert_int_equal(keptlog_open(&options, &log), cases[i].rc);
		if (cases[i].rc == 0) {
			assert_int_equal(keptlog_count(log), cases[i].left);
			keptlog_close(log);
		}
		byte ^= 0x10;
		assert_int_equal(sim_poke(here, "log", &byte, 1, cases[i].at), 0);
	}
	options.id[3]++;
	assert_int_equal(keptlog_open(&options, &log), -EBADMSG);
	options.id[3]--;
	return 0;
}

/* Blocks that the volume has not, or that are there twice, with good checksums: refused. */
static int main_no_blocks(void *arg)
{
	const struct { uint64_t first, second; int rc; } cases[] = {
		{ 5, BLOCKS - 1, 0 }, { 5, BLOCKS, -EBADMSG }, { 5, KEPTLOG_BLOCKS_MAX, -EBADMSG },
		{ UINT64_MAX, 6, -EBADMSG }, { 5, 5, -EBADMSG },
	};
	struct sim_system *here = sim_outside(sim_world());
	struct keptlog *log = new_log();
	uint8_t page[KEPTLOG_PAGE];

	(void)arg;
	assert_int_equal(put(log, 7), 0);
	assert_int_equal(put(log, 14), 0);
	keptlog_close(log);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (unsigned j = 0; j < 2; j++) {
			const struct keptlog_record record = {
				.sequence = 1 + j, .follows = j, .safe = j, .count = 1,
			};
			const struct keptlog_entry entry = {
				.block = j ? cases[i].second : cases[i].first, .zeros = true,
			};

			memset(page, 0, sizeof(page));
			keptlog_put_entry(page, 0, &entry);
			keptlog_encode_record(options.id, &record, page);
			assert_int_equal(sim_poke(here, "log", page, sizeof(page), KEPTLOG_HEADER_BYTES +
						  j * KEPTLOG_PAGE), 0);
		}
		assert_int_equal(keptlog_open(&options, &log), cases[i].rc);
		if (cases[i].rc == 0)
			keptlog_close(log);
	}
	return 0;
}

/* What it has space for already it takes without asking for more, also after a start. */
static int main_space(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	struct keptlog *log = new_log();
	uint64_t number = 1;

	(void)arg;
	for (; put(log, number) == 0; number++)
		;
	keptlog_close(log);
	log = open_log();
	sim_set_disk_bytes(here, BYTES);
	expect_filled(log, "1 2 ");
	assert_int_equal(put(log, number), 0);
	keptlog_close(log);
	return 0;
}

/* Damaged while it is in use: said when it is read or is to be filled, and not taken for free. */
static int main_damage_in_use(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	uint8_t byte = 99, data[KEPTLOG_PAGE];
	struct keptlog *log = new_log();
	struct keptlog_fill fill;

	(void)arg;
	assert_int_equal(put(log, 5), 0);
	assert_int_equal(sim_poke(here, "log", &byte, 1, KEPTLOG_HEADER_BYTES + KEPTLOG_PAGE + 9), 0);
	assert_int_equal(keptlog_read(log, 5, data), -EBADMSG);
	assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
	assert_int_equal(keptlog_fill_next(&fill), -EBADMSG);
	assert_int_equal(keptlog_fill_end(&fill, false), 0);
	assert_int_equal(keptlog_count(log), 1);
	keptlog_close(log);
	return 0;
}

/* A disk that cannot sync: nothing is put any more, and what was durable is there. */
static int main_failed(void *arg)
{
	struct sim_disk_state broken = { .sync_fails = true }, good = { .sync_fails = false };
	struct keptlog *log = new_log();
	uint8_t data[KEPTLOG_PAGE];

	(void)arg;
	assert_int_equal(put(log, 5), 0);
	sim_set_disk(sim_outside(sim_world()), "log", &broken);
	assert_int_equal(put(log, 6), -EIO);
	sim_set_disk(sim_outside(sim_world()), "log", &good);
	assert_int_equal(put(log, 8), -EIO);
	expect_block(log, 5);
	assert_int_equal(keptlog_read(log, 6, data), -ENOENT);
	expect_filled(log, "5 ");
	keptlog_close(log);
	return 0;
}

/* No header can be written: it is said, the segment is not free, and the same one is filled again. */
static int main_header_fails(void *arg)
{
	struct sim_disk_state broken = { .write_fails = true }, good = { .write_fails = false };
	struct keptlog *log = new_log();
	struct keptlog_fill fill;

	(void)arg;
	assert_int_equal(put(log, 5), 0);
	sim_set_disk(sim_outside(sim_world()), "log", &broken);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
		assert_int_equal(keptlog_fill_end(&fill, true), -EIO);
		assert_int_equal(keptlog_count(log), 1);
		assert_false(keptlog_is_empty(log));
	}
	sim_set_disk(sim_outside(sim_world()), "log", &good);
	expect_filled(log, "5 ");
	assert_true(keptlog_is_empty(log));
	keptlog_close(log);
	return 0;
}

/* The bytes, as docs/disk-format.md says. */
static int main_golden(void *arg)
{
	static const uint8_t header[] = {
		0x58, 0x44, 0x4b, 0x4c, 0x4b, 0xd9, 0xc5, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0,
	};
	static const uint8_t record[] = {
		0x58, 0x44, 0x4b, 0x52, 0xf5, 0xf7, 0xc7, 0xc6, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		6, 0, 0, 0, 0, 0, 0, 0, 0x5f, 0x52, 0x67, 0x4d, 0, 0, 0, 0,
	};
	struct sim_system *here = sim_outside(sim_world());
	struct keptlog *log = new_log();
	uint8_t found[KEPTLOG_PAGE];

	(void)arg;
	assert_int_equal(put(log, 7), 0);
	assert_int_equal(put(log, 6), 0);
	keptlog_close(log);
	assert_int_equal(sim_peek(here, "log", found, sizeof(found), KEPTLOG_PAGE), 0);
	assert_memory_equal(found, header, sizeof(header));
	assert_int_equal(sim_peek(here, "log", found, sizeof(found), KEPTLOG_HEADER_BYTES + KEPTLOG_PAGE), 0);
	assert_memory_equal(found, record, sizeof(record));
	return 0;
}

/* ---- crashes: what was put once is there until it is filled ---- */

static struct {
	uint64_t put, filled;		/* blocks from 1 */
	unsigned starts;
} seen;

static int make_log(void *arg)
{
	(void)arg;
	return keptlog_create(&options);
}

/* What is told of the blocks of a segment: they go, in order. */
static void fill_one(struct keptlog *log)
{
	struct keptlog_fill fill;
	uint64_t filled = 0;

	assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
	while (keptlog_fill_next(&fill) > 0)
		for (unsigned i = 0; i < fill.count; i++)
			filled = fill.blocks[i].number > filled ? fill.blocks[i].number : filled;
	seen.filled = filled > seen.filled ? filled : seen.filled;
	assert_int_equal(keptlog_fill_end(&fill, true), 0);
}

static int put_for_ever(void *arg)
{
	struct keptlog *log = open_log();

	(void)arg;
	seen.starts++;
	for (uint64_t block = seen.filled + 1; block <= seen.put; block++)
		expect_block(log, block);
	for (unsigned i = 0; i < 40; i++) {
		uint64_t end;

		if (keptlog_is_short(log))
			fill_one(log);
		if (!keptlog_find(log, seen.put + 1, seen.put + 2, &end))
			assert_int_equal(put(log, seen.put + 1), 0);
		seen.put++;
	}
	keptlog_close(log);
	return 0;
}

static int main_crashes(void *arg)
{
	struct sim_system *system = sim_add_system(sim_world(), "a1", 1);

	(void)arg;
	memset(&seen, 0, sizeof(seen));
	sim_boot(system, make_log, NULL);
	assert_int_equal(sim_wait_ended(system), 0);
	for (unsigned i = 0; i < 200; i++) {
		sim_boot(system, put_for_ever, NULL);
		sim_crash_at_nth(system, i % 2 ? SIM_WRITE : SIM_SYNC, 1 + i % 17, i % 3 ? SIM_POWER_LOSS : SIM_DEATH);
		assert_int_equal(sim_wait_ended(system), 0);
	}
	assert_true(seen.starts > 150 && seen.filled > 500);
	return 0;
}

/* Its file is gone while it was closed: a read ends with an error that says so, and a fill and a put, for good. */
static int main_gone(void *arg)
{
	struct filepool *files = filepool_make(1);
	struct keptlog_options pooled = options;
	struct keptlog *log, *other;
	uint8_t data[KEPTLOG_PAGE];

	(void)arg;
	pooled.files = files;
	assert_int_equal(keptlog_create(&pooled), 0);
	assert_int_equal(keptlog_open(&pooled, &log), 0);
	assert_int_equal(put(log, 5), 0);
	pooled.path = "other";
	assert_int_equal(keptlog_create(&pooled), 0);
	assert_int_equal(keptlog_open(&pooled, &other), 0);
	assert_int_equal(rt_path_unlink("log"), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct keptlog_fill fill;

		assert_int_equal(keptlog_fill_begin(log, UINT64_MAX, &fill), 1);
		assert_int_equal(keptlog_fill_next(&fill), -EIO);
		assert_int_equal(keptlog_fill_end(&fill, false), 0);
		assert_true(keptlog_is_lost(log));
		assert_int_equal(keptlog_read(log, 5, data), -EIO);
		assert_int_equal(put(log, 6), -EIO);
	}
	assert_false(keptlog_is_lost(other));
	assert_int_equal(put(other, 6), 0);
	keptlog_close(other);
	keptlog_close(log);
	filepool_free(files);
	return 0;
}

#define TEST(name) \
	static void name(void **state) \
	{ \
		(void)state; \
		run(main_##name); \
	}

TEST(blocks)
TEST(over_again)
TEST(no_room)
TEST(damage)
TEST(damage_in_use)
TEST(no_blocks)
TEST(space)
TEST(failed)
TEST(header_fails)
TEST(gone)
TEST(golden)
TEST(crashes)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks), cmocka_unit_test(over_again), cmocka_unit_test(no_room),
		cmocka_unit_test(damage), cmocka_unit_test(damage_in_use), cmocka_unit_test(no_blocks),
		cmocka_unit_test(space), cmocka_unit_test(failed),
		cmocka_unit_test(header_fails), cmocka_unit_test(gone),
		cmocka_unit_test(golden), cmocka_unit_test(crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
