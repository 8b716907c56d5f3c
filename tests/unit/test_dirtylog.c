/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dirty log: what it promised to remember is there after any crash, torn write, failed call or single damage;
 * what is damaged beyond that is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/file.h"
#include "rt/mem.h"
#include "rt/run.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "store/dirtylog.h"
#include "store/dirtylog_format.h"

#define LOG_PATH	"/dirty.log"
#define BLOCK		DIRTYLOG_BLOCK_SIZE

/* ---- helpers ---- */

static struct dirtylog *open_log(const char *path, uint32_t max_regions)
{
	struct dirtylog *log;

	CHECK_EQUAL(dirtylog_open(path, max_regions, &log), 0);
	return log;
}

static void count_region(void *arg, uint16_t volume, uint32_t region)
{
	unsigned *count = arg;

	(void)volume;
	(void)region;
	++*count;
}

static unsigned count_each(struct dirtylog *log)
{
	unsigned count = 0;

	dirtylog_each(log, count_region, &count);
	return count;
}

/* The log file is these bytes and no others. */
static void write_log(const uint8_t *bytes, size_t len)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(LOG_PATH, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, 0), 0);
	CHECK_EQUAL(rt_file_write(file, bytes, len, 0), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	rt_file_close(file);
}

/* Runs fn as the scenario of a world of its own; the log is in the disk of outside. */
static void in_sim(uint64_t seed, int (*fn)(void *arg), void *arg)
{
	struct sim_config config;
	struct sim_world *world;
	enum sim_end end;

	sim_config_default(&config);
	config.boot_ns = (struct sim_range){ 0, RT_MS };	/* so that crashes find it at work */
	world = sim_create(seed, &config);
	end = sim_run(world, fn, arg, 3600 * RT_SECOND);
	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
		sim_print_log(world, stderr);
	}
	CHECK_EQUAL(end, SIM_DONE);
	sim_destroy(world);
}

/* ---- single behaviours ---- */

static int scenario_basics(void *arg)
{
	const char *path = arg ? arg : LOG_PATH;
	struct dirtylog *log = open_log(path, 300);

	CHECK_EQUAL(dirtylog_room(log), 300);
	CHECK_EQUAL(dirtylog_count(log), 0);
	for (uint32_t region = 0; region < 260; region++) {
		CHECK(!dirtylog_is_dirty(log, 0x1500, region));
		CHECK_EQUAL(dirtylog_mark(log, 0x1500, region), 0);
		CHECK(dirtylog_is_dirty(log, 0x1500, region));
		CHECK(!dirtylog_is_dirty(log, 0x1501, region));
	}
	CHECK_EQUAL(dirtylog_mark(log, 0x1500, 5), 0);		/* again: one slot */
	CHECK_EQUAL(dirtylog_mark(log, 0x1501, UINT32_MAX - 1), 0);
	CHECK_EQUAL(dirtylog_count(log), 261);
	CHECK_EQUAL(count_each(log), 0);			/* none when it was opened */
	dirtylog_clean(log, 0x1500, 7);
	dirtylog_clean(log, 0x1500, 7);				/* not dirty: nothing happens */
	CHECK(!dirtylog_is_dirty(log, 0x1500, 7));
	CHECK_EQUAL(dirtylog_count(log), 260);
	dirtylog_close(log);

	log = open_log(path, 300);
	CHECK_EQUAL(dirtylog_count(log), 260);
	CHECK_EQUAL(count_each(log), 260);
	CHECK(dirtylog_is_dirty(log, 0x1501, UINT32_MAX - 1));
	CHECK(!dirtylog_is_dirty(log, 0x1500, 7));
	dirtylog_forget_volume(log, 0x1500);
	CHECK_EQUAL(dirtylog_count(log), 1);
	CHECK_EQUAL(count_each(log), 1);
	dirtylog_close(log);

	/* More room than before: what it held stays. Less: it stays too. */
	log = open_log(path, 1000);
	CHECK_EQUAL(count_each(log), 1);
	CHECK_EQUAL(dirtylog_mark(log, 0x2000, 1), 0);
	dirtylog_close(log);
	log = open_log(path, 1);
	CHECK_EQUAL(dirtylog_count(log), 2);
	CHECK(dirtylog_is_dirty(log, 0x2000, 1) && dirtylog_is_dirty(log, 0x1501, UINT32_MAX - 1));
	dirtylog_close(log);
	return 0;
}

static void it_remembers_what_was_marked(void **state)
{
	(void)state;
	in_sim(1, scenario_basics, NULL);
}

static void it_works_on_a_real_disk(void **state)
{
	static const struct rt_options options = { .reactors = 1 };
	char path[] = "dirtylog-test.log";

	(void)state;
	(void)remove(path);
	CHECK_EQUAL(rt_run(&options, scenario_basics, path), 0);
	CHECK_EQUAL(remove(path), 0);
}

/* The bytes of docs/disk-format.md, put together here by hand: a block with slots, then three with volumes. */
static const uint8_t golden_slot[16] = { 0x34, 0x12, 1, 0, 0x78, 0x56, 0x34, 0x12, 1, 0, 0, 0, 0, 0, 0, 0 };

static void put_head(uint8_t *block, uint16_t version, uint16_t slots, uint32_t index, uint32_t blocks,
		     uint64_t generation)
{
	memset(block, 0, BLOCK);
	memcpy(block, "XDDL", 4);
	put_le16(block + 8, version);
	put_le16(block + 10, slots);
	put_le32(block + 12, index);
	put_le32(block + 16, blocks);
	put_le64(block + 24, generation);
}

static void seal(uint8_t *block)
{
	put_le32(block + 4, 0);
	put_le32(block + 4, crc32c(0, block, BLOCK));
}

static int scenario_golden(void *arg)
{
	uint8_t expected[4 * BLOCK], got[8 * BLOCK];
	struct dirtylog *log = open_log(LOG_PATH, 10);
	struct rt_file *file;

	(void)arg;
	CHECK_EQUAL(dirtylog_mark(log, 0x1234, 0x12345678), 0);
	CHECK_EQUAL(dirtylog_mark_whole(log, 0xfeff), 0);
	dirtylog_close(log);
	put_head(expected, 2, 252, 0, 4, 2);		/* generation: made, then marked */
	memcpy(expected + 64, golden_slot, sizeof(golden_slot));
	put_head(expected + BLOCK, 2, 0, 1, 4, 1);
	put_head(expected + 2 * BLOCK, 2, 0, 2, 4, 1);
	put_head(expected + 3 * BLOCK, 2, 0, 3, 4, 2);
	/* bit 0xfeff - 2 * 32256 = 767 of the last one */
	expected[3 * BLOCK + 64 + 95] = 0x80;
	for (unsigned i = 0; i < 4; i++)
		seal(expected + i * BLOCK);
	CHECK_EQUAL(get_le32(expected + 4), 0x7d64789c);
	CHECK_EQUAL(get_le32(expected + 3 * BLOCK + 4), 0xbb2b1d87);
	CHECK_EQUAL(rt_file_open(LOG_PATH, 0, &file), 0);
	CHECK_EQUAL(rt_file_read(file, got, sizeof(got), 0), sizeof(got));
	rt_file_close(file);
	CHECK(memcmp(got, expected, 4 * BLOCK) == 0);
	CHECK(memcmp(got + 4 * BLOCK, expected, 4 * BLOCK) == 0);
	return 0;
}

static void its_bytes_are_as_documented(void **state)
{
	(void)state;
	in_sim(1, scenario_golden, NULL);
}

/* What version 1 wrote, which had no blocks with volumes, is read and written anew. */
static int scenario_version_1(void *arg)
{
	uint8_t old[2 * BLOCK];
	struct dirtylog *log;

	(void)arg;
	put_head(old, 1, 252, 0, 1, 5);
	memcpy(old + 64, golden_slot, sizeof(golden_slot));
	seal(old);
	memcpy(old + BLOCK, old, BLOCK);
	write_log(old, sizeof(old));
	for (unsigned i = 0; i < 2; i++) {
		log = open_log(LOG_PATH, 10);
		CHECK_EQUAL(count_each(log), 1);
		CHECK(dirtylog_is_dirty(log, 0x1234, 0x12345678));
		CHECK_EQUAL(dirtylog_count_whole(log), 0);
		dirtylog_close(log);
	}

	/* What a later version wrote is refused, and not as damage. */
	put_head(old, 3, 252, 0, 1, 5);
	seal(old);
	write_log(old, sizeof(old));
	CHECK_EQUAL(dirtylog_open(LOG_PATH, 10, &log), -EPROTONOSUPPORT);
	return 0;
}

static void version_1_is_read_and_later_ones_refused(void **state)
{
	(void)state;
	in_sim(1, scenario_version_1, NULL);
}

struct marker {
	struct dirtylog *log;
	uint32_t region;
	int rc;
};

static void mark_one(void *arg)
{
	struct marker *marker = arg;

	marker->rc = dirtylog_mark(marker->log, 1, marker->region);
}

/* A hundred marks at the same time cost a few writes. */
static int scenario_group(void *arg)
{
	struct dirtylog *log = open_log(LOG_PATH, 200);
	struct marker markers[100];
	struct rt_group group;
	uint64_t before = sim_calls(sim_outside(sim_world()), SIM_WRITE);

	(void)arg;
	rt_group_init(&group);
	for (unsigned i = 0; i < 100; i++) {
		markers[i] = (struct marker){ .log = log, .region = i, .rc = -1 };
		CHECK_EQUAL(rt_group_start(&group, "mark", mark_one, &markers[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQUAL(markers[i].rc, 0);
	CHECK(sim_calls(sim_outside(sim_world()), SIM_WRITE) - before <= 4);
	dirtylog_close(log);
	return 0;
}

static void many_marks_share_a_write(void **state)
{
	(void)state;
	in_sim(1, scenario_group, NULL);
}

struct cleaner {
	struct dirtylog *log;
	uint32_t next;
	unsigned woken;
};

static void clean_under_pressure(void *arg)
{
	struct cleaner *cleaner = arg;

	for (;;) {
		while (!dirtylog_has_waiters(cleaner->log)) {
			if (rt_cond_wait(dirtylog_pressure(cleaner->log)) < 0)
				return;
		}
		cleaner->woken++;
		dirtylog_clean(cleaner->log, 1, cleaner->next++);
		rt_yield();
	}
}

static int scenario_limit(void *arg)
{
	struct dirtylog *log = open_log(LOG_PATH, 4);
	struct cleaner cleaner = { .log = log };
	struct rt_group group;

	(void)arg;
	for (uint32_t region = 0; region < 4; region++)
		CHECK_EQUAL(dirtylog_mark(log, 1, region), 0);
	CHECK(!dirtylog_has_waiters(log));
	{
		RT_LIMIT(rt_now_ns() + 50 * RT_MS);
		CHECK_EQUAL(dirtylog_mark(log, 1, 4), -ETIMEDOUT);
	}
	CHECK(!dirtylog_has_waiters(log));
	CHECK_EQUAL(dirtylog_count(log), 4);
	CHECK_EQUAL(dirtylog_room(log), 0);
	CHECK_EQUAL(dirtylog_mark(log, 1, 3), 0);		/* what is noted needs no slot */
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "cleaner", clean_under_pressure, &cleaner), 0);
	for (uint32_t region = 4; region < 20; region++)
		CHECK_EQUAL(dirtylog_mark(log, 1, region), 0);
	CHECK_EQUAL(cleaner.woken, 16);
	CHECK_EQUAL(dirtylog_count(log), 4);
	CHECK_EQUAL(dirtylog_count_whole(log), 0);
	rt_group_stop(&group);
	dirtylog_close(log);
	return 0;
}

static void at_the_limit_it_waits_for_the_cleaner(void **state)
{
	(void)state;
	in_sim(1, scenario_limit, NULL);
}

/*
 * Nothing becomes clean, as while a link is down: the volume that has the most regions is noted as a whole, so that
 * hosts go on, and stays that over a start. Later the few regions that are left take its place.
 */
static int scenario_whole(void *arg)
{
	static const uint32_t left[] = { 7, 9 };
	struct dirtylog *log = open_log(LOG_PATH, 4);
	int64_t begun_ns = rt_now_ns();

	(void)arg;
	CHECK_EQUAL(dirtylog_mark(log, 2, 1), 0);
	for (uint32_t region = 0; region < 100; region++)
		CHECK_EQUAL(dirtylog_mark(log, 1, region), 0);
	CHECK(rt_now_ns() - begun_ns < RT_SECOND);
	CHECK(dirtylog_is_whole(log, 1) && !dirtylog_is_whole(log, 2));
	CHECK_EQUAL(dirtylog_count(log), 1);
	CHECK(dirtylog_is_dirty(log, 1, 12345) && !dirtylog_is_dirty(log, 2, 2));
	dirtylog_close(log);

	log = open_log(LOG_PATH, 4);
	CHECK(dirtylog_is_whole(log, 1) && dirtylog_is_dirty(log, 2, 1));
	CHECK_EQUAL(count_each(log), 2);
	CHECK_EQUAL(dirtylog_refine(log, 2, left, 2), -EALREADY);
	CHECK_EQUAL(dirtylog_refine(log, 1, left, 4), -ENOSPC);
	CHECK_EQUAL(dirtylog_refine(log, 1, left, 2), 0);
	CHECK_EQUAL(dirtylog_count_whole(log), 0);
	CHECK(dirtylog_is_dirty(log, 1, 7) && dirtylog_is_dirty(log, 1, 9) && !dirtylog_is_dirty(log, 1, 8));
	dirtylog_close(log);

	log = open_log(LOG_PATH, 4);
	CHECK_EQUAL(count_each(log), 3);
	CHECK_EQUAL(dirtylog_mark(log, 2, 0), 0);
	CHECK_EQUAL(dirtylog_mark_whole(log, 2), 0);
	CHECK_EQUAL(dirtylog_mark_whole(log, 2), 0);
	CHECK_EQUAL(dirtylog_refine(log, 2, NULL, 0), 0);
	dirtylog_forget_volume(log, 1);
	CHECK_EQUAL(dirtylog_mark_whole(log, 1), 0);
	dirtylog_forget_volume(log, 1);
	CHECK_EQUAL(dirtylog_count_whole(log), 0);
	CHECK_EQUAL(count_each(log), 0);
	dirtylog_close(log);
	return 0;
}

static void without_room_a_volume_is_noted_as_a_whole(void **state)
{
	(void)state;
	in_sim(1, scenario_whole, NULL);
}

/* A write that failed: an error, not noted; and what was noted before is not hurt. */
static int scenario_failing_disk(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	struct sim_disk_state fails = { .write_fails = true }, good = { 0 };
	struct dirtylog *log = open_log(LOG_PATH, 10);

	(void)arg;
	CHECK_EQUAL(dirtylog_mark(log, 1, 1), 0);
	/* Once the second mark is noted the second copy of the first group is behind no more. */
	CHECK_EQUAL(dirtylog_mark(log, 1, 2), 0);
	sim_set_disk(here, "", &fails);
	for (unsigned i = 0; i < 5; i++) {
		CHECK_EQUAL(dirtylog_mark(log, 1, 3), -EIO);
		CHECK(!dirtylog_is_dirty(log, 1, 3));
		CHECK(dirtylog_is_dirty(log, 1, 1));
	}
	CHECK_EQUAL(dirtylog_count(log), 3);
	sim_set_disk(here, "", &good);
	CHECK_EQUAL(dirtylog_mark(log, 1, 3), 0);
	dirtylog_close(log);
	log = open_log(LOG_PATH, 10);
	CHECK(dirtylog_is_dirty(log, 1, 1) && dirtylog_is_dirty(log, 1, 2) && dirtylog_is_dirty(log, 1, 3));
	dirtylog_close(log);
	return 0;
}

static void a_failed_write_is_an_error_of_the_mark(void **state)
{
	(void)state;
	in_sim(1, scenario_failing_disk, NULL);
}

/* ---- damage ---- */

static void poke(const uint8_t *bytes, size_t len, uint64_t at)
{
	CHECK_EQUAL(sim_poke(sim_outside(sim_world()), LOG_PATH, bytes, len, at), 0);
}

/* Opens the log as it is; true and what it holds, or false when it is refused as damaged. */
static bool opens_whole(void)
{
	struct dirtylog *log;
	int rc = dirtylog_open(LOG_PATH, 10, &log);

	if (rc < 0) {
		CHECK_EQUAL(rc, -EBADMSG);
		return false;
	}
	CHECK_EQUAL(dirtylog_count(log), 3);
	for (uint32_t region = 1; region <= 3; region++)
		CHECK(dirtylog_is_dirty(log, 1, region));
	CHECK(dirtylog_is_whole(log, 0xfe00));
	CHECK_EQUAL(dirtylog_count_whole(log), 1);
	dirtylog_close(log);
	return true;
}

#define HALF	(4 * BLOCK)	/* of the log below: one copy */

/* A bit of one copy, then the same bit of the other, then of both. */
static void damage_bit(const uint8_t *whole, unsigned bit)
{
	static uint8_t damaged[2 * HALF];

	memcpy(damaged, whole, sizeof(damaged));
	damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
	poke(damaged, sizeof(damaged), 0);
	CHECK(opens_whole());			/* by the second copy */
	CHECK_EQUAL(sim_peek(sim_outside(sim_world()), LOG_PATH, damaged, sizeof(damaged), 0), 0);
	CHECK(memcmp(damaged, whole, sizeof(damaged)) == 0);	/* and the first is repaired */
	damaged[HALF + bit / 8] ^= (uint8_t)(1u << bit % 8);
	poke(damaged, sizeof(damaged), 0);
	CHECK(opens_whole());
	damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
	poke(damaged, sizeof(damaged), 0);
	CHECK(!opens_whole());
	poke(whole, sizeof(damaged), 0);
}

/* A byte of a block is another one in both copies, sealed rightly. */
static bool opens_with(const uint8_t *whole, uint32_t block, unsigned at)
{
	static uint8_t changed[2 * HALF];

	memcpy(changed, whole, sizeof(changed));
	changed[block * BLOCK + at] ^= 0x80;
	seal(changed + block * BLOCK);
	memcpy(changed + HALF + block * BLOCK, changed + block * BLOCK, BLOCK);
	poke(changed, sizeof(changed), 0);
	return opens_whole();
}

static int scenario_damage(void *arg)
{
	struct dirtylog *log = open_log(LOG_PATH, 10);
	static uint8_t whole[2 * HALF];

	(void)arg;
	for (uint32_t region = 1; region <= 3; region++)
		CHECK_EQUAL(dirtylog_mark(log, 1, region), 0);
	CHECK_EQUAL(dirtylog_mark_whole(log, 0xfe00), 0);
	dirtylog_close(log);
	CHECK_EQUAL(sim_peek(sim_outside(sim_world()), LOG_PATH, whole, sizeof(whole), 0), 0);
	for (unsigned bit = 0; bit < 8 * BLOCK; bit += bit < 8 * 160 ? 1 : 61) {
		damage_bit(whole, bit);
		if (bit % 5 == 0)
			damage_bit(whole, 3 * 8 * BLOCK + bit);
	}
	/* sealed rightly, but not what can be: version, sizes, state of a slot; the rest are numbers */
	for (unsigned at = 10; at < 20; at++)
		CHECK(!opens_with(whole, 0, at));
	CHECK(!opens_with(whole, 0, 66) && !opens_with(whole, 0, 67));
	CHECK(!opens_with(whole, 1, 8) && !opens_with(whole, 3, 12) && !opens_with(whole, 3, 4000));
	write_log(whole, sizeof(whole));
	CHECK(opens_whole());
	for (uint64_t size = 0; size < sizeof(whole); size += size % BLOCK ? 3584 : 512) {
		write_log(whole, size);
		CHECK(!opens_whole());
	}
	return 0;
}

static void damage_is_survived_or_refused(void **state)
{
	(void)state;
	in_sim(1, scenario_damage, NULL);
}

/* ---- crashes: after each, all that was noted and not cleaned is there ---- */

#define VOLUMES	3u
#define REGIONS	300u

/* What the world outside knows: it survives the crashes of the system. */
struct model {
	bool ever[VOLUMES][REGIONS];		/* was marked, perhaps without an answer */
	bool noted[VOLUMES][REGIONS];		/* was answered and not cleaned since */
	uint64_t marks, cleans, opens, errors, wholes, refined;
	uint32_t limit;
	uint64_t seed;
	uint64_t random;
};

static struct dirtylog *model_log;

static uint64_t draw(struct model *model, uint64_t bound)
{
	model->random = model->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (model->random >> 33) % bound;
}

static void check_superset(struct model *model, struct dirtylog *log)
{
	for (uint16_t volume = 0; volume < VOLUMES; volume++) {
		for (uint32_t region = 0; region < REGIONS; region++) {
			bool dirty = dirtylog_is_dirty(log, volume, region);
			if (model->noted[volume][region])
				CHECK(dirty);
			if (dirty && !dirtylog_is_whole(log, volume))
				CHECK(model->ever[volume][region]);
			/* from here on nobody can take it back but clean */
			model->noted[volume][region] = dirty && model->ever[volume][region];
		}
		model->wholes += dirtylog_is_whole(log, volume);
	}
}

/* All but a few regions become clean: with those that are left the volume need not be noted as a whole. */
static void refine(struct model *model, uint16_t volume)
{
	uint32_t regions[REGIONS], count = 0;

	for (uint32_t region = 0; region < REGIONS; region++) {
		if (!model->noted[volume][region])
			continue;
		if (count < 3) {
			regions[count++] = region;
			continue;
		}
		model->noted[volume][region] = false;
		dirtylog_clean(model_log, volume, region);
	}
	if (dirtylog_refine(model_log, volume, regions, count) == 0)
		model->refined++;
}

static void work(void *arg)
{
	struct model *model = arg;

	for (unsigned i = 0; i < 200; i++) {
		uint16_t volume = (uint16_t)draw(model, VOLUMES);
		uint32_t region = (uint32_t)draw(model, REGIONS);

		/* so that marks also come while a group is being written */
		if (draw(model, 4) == 0)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, RT_MS)), 0);
		if (draw(model, 2) == 0) {
			model->noted[volume][region] = false;
			dirtylog_clean(model_log, volume, region);
			model->cleans++;
			continue;
		}
		if (dirtylog_is_whole(model_log, volume) && draw(model, 50) == 0)
			refine(model, volume);
		model->ever[volume][region] = true;
		if (dirtylog_mark(model_log, volume, region) == 0) {
			/* another fiber may have cleaned it since */
			model->noted[volume][region] = dirtylog_is_dirty(model_log, volume, region);
			model->marks++;
		} else {
			model->errors++;
		}
	}
}

static int system_main(void *arg)
{
	struct model *model = arg;
	struct rt_group group;

	CHECK_EQUAL(dirtylog_open(LOG_PATH, model->limit, &model_log), 0);
	model->opens++;
	check_superset(model, model_log);
	rt_group_init(&group);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQUAL(rt_group_start(&group, "work", work, model), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	dirtylog_close(model_log);
	return 0;
}

static int scenario_crashes(void *arg)
{
	struct model *model = arg;
	struct sim_system *system = sim_add_system(sim_world(), "a1", 1);

	for (unsigned life = 0; life < 12; life++) {
		sim_boot(system, system_main, model);
		/* Where there is little room, long enough that marks wait for it in vain. */
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, model->limit < 100 ? 2 * RT_SECOND :
								       20 * RT_MS)), 0);
		sim_crash(system, draw(model, 4) == 0 ? SIM_DEATH : SIM_POWER_LOSS);
	}
	return 0;
}

static void after_a_crash_nothing_noted_is_missing(void **state)
{
	uint64_t marks = 0, cleans = 0, opens = 0, wholes = 0, refined = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		struct model model = { .seed = seed, .random = seed, .limit = seed % 2 == 0 ? 20 : 500 };
		in_sim(seed, scenario_crashes, &model);
		marks += model.marks;
		cleans += model.cleans;
		opens += model.opens;
		wholes += model.wholes;
		refined += model.refined;
	}
	print_message("# %llu marks, %llu cleans, %llu starts, %llu whole volumes found, %llu noted by regions again\n",
		      (unsigned long long)marks, (unsigned long long)cleans, (unsigned long long)opens,
		      (unsigned long long)wholes, (unsigned long long)refined);
	CHECK(marks > 20000 && cleans > 10000 && opens > 4000 && wholes > 100 && refined > 100);
}

/* ---- every call fails once ---- */

static int failing_main(void *arg)
{
	struct model *model = arg;
	int rc = dirtylog_open(LOG_PATH, model->limit, &model_log);

	if (rc < 0) {
		CHECK(rc == -EIO || rc == -ENOMEM || rc == -ENOSPC || rc == -EMFILE);
		return 0;
	}
	model->opens++;
	check_superset(model, model_log);
	work(model);
	dirtylog_close(model_log);
	return 0;
}

struct nth {
	enum sim_call_kind kind;
	uint64_t n;
	bool happened;
};

static int scenario_nth(void *arg)
{
	struct nth *nth = arg;
	struct model model = { .random = nth->n, .limit = nth->n % 2 == 0 ? 20 : 500 };
	struct sim_system *system = sim_add_system(sim_world(), "a1", 1);
	uint64_t before;

	sim_boot(system, failing_main, &model);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(model.opens, 1);
	before = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL);
	sim_fail_nth(system, nth->kind, nth->n);
	sim_boot(system, failing_main, &model);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	nth->happened = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) > before;
	sim_fail_nth(system, nth->kind, 0);
	sim_crash(system, SIM_POWER_LOSS);
	sim_boot(system, failing_main, &model);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK(model.opens >= 2);
	return 0;
}

static void any_call_may_fail(void **state)
{
	static const enum sim_call_kind kinds[] = {
		SIM_ALLOC, SIM_FIBER, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_GET_INFO,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct nth nth = { .kind = kinds[i], .n = 1 };
		for (; nth.n == 1 || nth.happened; nth.n++)
			in_sim(nth.n, scenario_nth, &nth);
		CHECK(nth.n > 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_remembers_what_was_marked),
		cmocka_unit_test(it_works_on_a_real_disk),
		cmocka_unit_test(its_bytes_are_as_documented),
		cmocka_unit_test(version_1_is_read_and_later_ones_refused),
		cmocka_unit_test(many_marks_share_a_write),
		cmocka_unit_test(at_the_limit_it_waits_for_the_cleaner),
		cmocka_unit_test(without_room_a_volume_is_noted_as_a_whole),
		cmocka_unit_test(a_failed_write_is_an_error_of_the_mark),
		cmocka_unit_test(damage_is_survived_or_refused),
		cmocka_unit_test(after_a_crash_nothing_noted_is_missing),
		cmocka_unit_test(any_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
