/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes in the simulator under what goes wrong. After a power loss every block holds what was last promised for
 * it, or something newer that was under way: with direct from every answer on, with writeback from every good sync
 * on. A failed sync is sticky, a full disk refuses what needs space and nothing else.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "store/vdisk.h"

#define BLOCKS		16u
#define SIZE		(BLOCKS * 4096u)
#define SEEDS		120u
#define CANDIDATES	64u

static struct vdisk_options options;

static struct vdisk *open_disk(void)
{
	struct vdisk *disk;

	CHECK_EQUAL(vdisk_open(&options, &disk), 0);
	return disk;
}

static void make_pool(void)
{
	struct rt_file_info info;

	if (options.kind == POOL_DEVICE)
		return;
	if (rt_path_info("/pool", &info) == 0)
		return;
	CHECK_EQUAL(rt_path_make_folder("/pool"), 0);
	CHECK_EQUAL(rt_path_sync_folder("/"), 0);
	CHECK_EQUAL(vdisk_create(&options), 0);
}

static struct sim_system *make_system(struct sim_world *world)
{
	struct sim_system *system = sim_add_system(world, "a1", 1);

	options.path = "/pool/disk";
	options.size = SIZE;
	options.failed = false;
	if (options.kind == POOL_DEVICE)
		CHECK_EQUAL(sim_add_device(system, options.path, SIZE), 0);
	return system;
}

static void run_world(struct sim_world *world, int (*scenario)(void *arg), void *arg)
{
	enum sim_end end = sim_run(world, scenario, arg, RT_NEVER);

	if (end != SIM_DONE) {
		fprintf(stderr, "%s\n", sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

/* ---- power losses ---- */

/*
 * Of each block the values that it may hold: the one that is promised, then all that were written to it since, the
 * last perhaps still under way. 0 stands for zeros. Outside of the systems, whose memory goes with them.
 */
static struct block {
	uint64_t values[CANDIDATES];
	unsigned count;
	unsigned answered;		/* of these */
	unsigned dropped;		/* older ones */
} blocks[BLOCKS];

static struct vdisk *shared;
static uint64_t last_value;
static unsigned answers, given_up, checks_newer;
static bool impatient;
static unsigned holes;

/* Everything of the first `answered` values but the last of them is gone now. */
static void promise(struct block *block, unsigned answered)
{
	if (answered == 0)
		return;
	block->dropped += answered - 1;
	memmove(block->values, block->values + answered - 1, (block->count - answered + 1) * sizeof(block->values[0]));
	block->count -= answered - 1;
	block->answered -= answered - 1;
}

static void begin_value(struct block *block, uint64_t value)
{
	CHECK(block->count < CANDIDATES);
	CHECK_EQUAL(block->count, block->answered);
	block->values[block->count++] = value;
}

/* What was given up may be there or not, so it stays among the others. */
static void end_value(struct block *block, int rc)
{
	CHECK(rc == 0 || rc == -ETIMEDOUT);
	block->answered = block->count;
	answers += rc == 0;
	given_up += rc != 0;
	if (options.cache == CACHE_DIRECT && rc == 0)
		promise(block, block->answered);
}

/* With direct some requests have little time: what they leave undone must not be taken for done by the next. */
static int64_t pick_limit_ns(void)
{
	struct sim_world *world = sim_world();

	if (!impatient || sim_random_below(world, 4) != 0)
		return RT_NEVER;
	return rt_now_ns() + (int64_t)sim_random_below(world, 2000) * RT_US;
}

static void write_block(unsigned index)
{
	uint64_t page[512];
	RT_LIMIT(pick_limit_ns());

	last_value++;
	for (unsigned i = 0; i < 512; i++)
		page[i] = last_value;
	begin_value(&blocks[index], last_value);
	end_value(&blocks[index], vdisk_write(shared, page, sizeof(page), (uint64_t)index * 4096));
}

static void zero_block(unsigned index, bool keep_allocated)
{
	RT_LIMIT(pick_limit_ns());

	begin_value(&blocks[index], 0);
	end_value(&blocks[index], vdisk_zero(shared, (uint64_t)index * 4096, 4096, keep_allocated));
}

static void sync_all(void)
{
	unsigned before[BLOCKS];

	for (unsigned i = 0; i < BLOCKS; i++)
		before[i] = blocks[i].dropped + blocks[i].answered;
	CHECK_EQUAL(vdisk_sync(shared), 0);
	/* Another sync may have promised more meanwhile. */
	for (unsigned i = 0; i < BLOCKS; i++)
		if (options.cache == CACHE_WRITEBACK && before[i] > blocks[i].dropped)
			promise(&blocks[i], before[i] - blocks[i].dropped);
}

#define WRITERS	4u

/* Each has blocks of its own. */
static void write_for_ever(void *arg)
{
	unsigned mine = (unsigned)(uintptr_t)arg;
	struct sim_world *world = sim_world();

	for (;;) {
		unsigned index = (unsigned)sim_random_below(world, BLOCKS / WRITERS) * WRITERS + mine;
		uint64_t chance = sim_random_below(world, 200);

		if (chance < 10)
			zero_block(index, true);
		else if (chance < 10 + holes)
			zero_block(index, false);
		else if (chance >= 190 || blocks[index].count > CANDIDATES - 2)
			sync_all();
		else
			write_block(index);
	}
}

static int serve(void *arg)
{
	struct rt_group group;

	(void)arg;
	/* None, few, or many: where there are none, writes need no sync any more. */
	holes = (unsigned)sim_random_below(sim_world(), 3) * 10;
	make_pool();
	shared = open_disk();
	rt_group_init(&group);
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK_EQUAL(rt_group_start(&group, "writer", write_for_ever, (void *)(uintptr_t)i), 0);
	return rt_group_wait(&group);
}

static bool is_candidate(const struct block *block, uint64_t value)
{
	for (unsigned i = 0; i < block->count; i++)
		if (block->values[i] == value)
			return true;
	return false;
}

/* Sector by sector: an unsynced page may be torn. What is found is what the next life begins with. */
static void check_block(struct vdisk *disk, unsigned index)
{
	struct block *block = &blocks[index];
	uint64_t page[512];

	CHECK_EQUAL(vdisk_read(disk, page, sizeof(page), (uint64_t)index * 4096), 0);
	for (unsigned i = 0; i < 512; i++) {
		CHECK(page[i] == page[i / 64 * 64]);
		CHECK(is_candidate(block, page[i]));
		checks_newer += page[i] != block->values[0];
	}
}

static int check_all(void *arg)
{
	struct vdisk *disk;

	(void)arg;
	disk = open_disk();
	for (unsigned i = 0; i < BLOCKS; i++)
		check_block(disk, i);
	vdisk_close(disk);
	return 0;
}

static int lose_power(void *arg)
{
	struct sim_system *system = arg;
	struct sim_world *world = sim_world();

	sim_boot(system, serve, NULL);
	/* Made and opened first. */
	while (answers == 0)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(world, 100) * RT_MS), 0);
	/* A death before it: the next process must not take what the kernel still holds for durable. */
	if (sim_random_below(world, 3) == 0)
		sim_crash(system, SIM_DEATH);
	sim_crash(system, SIM_POWER_LOSS);
	sim_boot(system, check_all, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static void promises_survive_power_losses(void **state)
{
	unsigned total = 0;

	options = *(struct vdisk_options *)*state;
	given_up = checks_newer = 0;
	impatient = options.cache == CACHE_DIRECT;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct sim_world *world = sim_create(seed, NULL);

		memset(blocks, 0, sizeof(blocks));
		for (unsigned i = 0; i < BLOCKS; i++)
			blocks[i].count = blocks[i].answered = 1;
		last_value = 0;
		answers = 0;
		run_world(world, lose_power, make_system(world));
		total += answers;
	}
	print_message("# %u seeds, %u answers, %u given up, %u newer words found\n", SEEDS, total, given_up,
		      checks_newer);
	assert_true(total > 20 * SEEDS);
	assert_true(checks_newer > 0);
	assert_true(given_up > 0 || options.cache == CACHE_WRITEBACK);
}

/* ---- a process that dies before its sync, and the next that writes where it had written ---- */

static int write_first_block(void *arg)
{
	(void)arg;
	make_pool();
	shared = open_disk();
	write_block(0);
	return 0;
}

static int write_again(void *arg)
{
	shared = open_disk();
	write_block(0);
	answers = 1000;
	(void)arg;
	return rt_wait_stop();
}

static int die_then_write(void *arg)
{
	struct sim_system *system = arg;

	sim_crash_at_nth(system, SIM_WRITE, 1, SIM_DEATH);
	sim_boot(system, write_first_block, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), -ECONNABORTED);
	blocks[0].answered = blocks[0].count;
	sim_boot(system, write_again, NULL);
	while (answers < 1000)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	sim_crash(system, SIM_POWER_LOSS);
	sim_boot(system, check_all, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static void what_was_not_synced_is_not_trusted(void **state)
{
	(void)state;
	options = (struct vdisk_options){ .kind = POOL_DIR, .cache = CACHE_DIRECT };
	impatient = false;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct sim_world *world = sim_create(seed, NULL);

		memset(blocks, 0, sizeof(blocks));
		for (unsigned i = 0; i < BLOCKS; i++)
			blocks[i].count = blocks[i].answered = 1;
		last_value = 0;
		answers = 0;
		run_world(world, die_then_write, make_system(world));
	}
}

/* ---- a volume that grows while hosts write to its end ---- */

static bool has_grown;

static void write_until_grown(void *arg)
{
	MEM_OWNED uint8_t *page = mem_alloc_pages(4096);

	memset(page, 5, 4096);
	while (!has_grown)
		CHECK_EQUAL(vdisk_write(arg, page, 4096, 0), 0);
}

static int grow_beside_writes(void *arg)
{
	MEM_OWNED uint8_t *page = mem_alloc_pages(4096);
	struct rt_group writers;

	(void)arg;
	make_pool();
	shared = open_disk();
	memset(page, 5, 4096);
	for (unsigned i = 0; i < BLOCKS; i++)
		CHECK_EQUAL(vdisk_write(shared, page, 4096, i * 4096), 0);
	rt_group_init(&writers);
	CHECK_EQUAL(rt_group_start(&writers, "writer", write_until_grown, shared), 0);
	CHECK_EQUAL(vdisk_grow(shared, 2 * SIZE), 0);
	has_grown = true;
	CHECK_EQUAL(rt_group_wait(&writers), 0);
	CHECK_EQUAL(vdisk_write(shared, page, 4096, SIZE + 4 * 4096), 0);
	answers = 1;
	return rt_wait_stop();
}

static int check_grown(void *arg)
{
	uint8_t page[4096];

	(void)arg;
	options.size = 2 * SIZE;
	shared = open_disk();
	CHECK_EQUAL(vdisk_read(shared, page, sizeof(page), SIZE + 4 * 4096), 0);
	CHECK_EQUAL(page[0], 5);
	vdisk_close(shared);
	return 0;
}

static int grow_then_lose_power(void *arg)
{
	struct sim_system *system = arg;

	sim_boot(system, grow_beside_writes, NULL);
	while (answers == 0)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	sim_crash(system, SIM_POWER_LOSS);
	sim_boot(system, check_grown, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

/* What is beyond the old end is holes, although what came before it is known to be data. */
static void direct_keeps_what_is_written_to_grown_space(void **state)
{
	(void)state;
	options = (struct vdisk_options){ .kind = POOL_DIR, .cache = CACHE_DIRECT };
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct sim_world *world = sim_create(seed, NULL);

		answers = 0;
		has_grown = false;
		run_world(world, grow_then_lose_power, make_system(world));
	}
}

/* ---- failed syncs ---- */

struct syncing {
	struct vdisk *disk;
	int64_t limit_ns;
	unsigned failed, late;
};

static void sync_and_count(void *arg)
{
	struct syncing *syncing = arg;
	int rc;
	RT_LIMIT(syncing->limit_ns);

	rc = vdisk_sync(syncing->disk);
	CHECK(rc == -EIO || rc == -ETIMEDOUT);
	syncing->failed += rc == -EIO;
	syncing->late += rc == -ETIMEDOUT;
}

static void sync_by_many(struct syncing *syncing)
{
	struct rt_group group;

	rt_group_init(&group);
	for (unsigned i = 0; i < 5; i++)
		CHECK_EQUAL(rt_group_start(&group, "sync", sync_and_count, syncing), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
}

static void check_refuses(struct vdisk *disk)
{
	uint8_t page[4096] = { 1 };

	CHECK(vdisk_failed(disk));
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 0), -EIO);
	CHECK_EQUAL(vdisk_zero(disk, 0, 4096, false), -EIO);
	CHECK_EQUAL(vdisk_sync(disk), -EIO);
	CHECK_EQUAL(vdisk_read(disk, page, 4096, 0), 0);
	if (options.kind == POOL_DIR)
		CHECK_EQUAL(vdisk_grow(disk, 2 * SIZE), -EIO);
}

static void check_works(struct vdisk *disk)
{
	uint8_t page[4096] = { 1 };

	CHECK(!vdisk_failed(disk));
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 0), 0);
	CHECK_EQUAL(vdisk_zero(disk, 0, 4096, false), 0);
	CHECK_EQUAL(vdisk_sync(disk), 0);
}

/* Once its loss is accepted the disk shows what the device has, not what the failed sync left in memory. */
static int accept_what_is_there(void *arg)
{
	static uint8_t seen[SIZE] __attribute__((aligned(4096))), device[SIZE] __attribute__((aligned(4096)));
	struct sim_system *outside = sim_outside(sim_world());
	unsigned *lost = arg;
	struct vdisk *disk;
	struct rt_file *file;

	make_pool();
	disk = open_disk();
	memset(seen, 1, sizeof(seen));
	CHECK_EQUAL(vdisk_write(disk, seen, sizeof(seen), 0), 0);
	CHECK_EQUAL(vdisk_sync(disk), 0);
	memset(seen, 2, sizeof(seen));
	CHECK_EQUAL(vdisk_write(disk, seen, sizeof(seen), 0), 0);
	sim_fail_nth(outside, SIM_SYNC, 1);
	CHECK_EQUAL(vdisk_sync(disk), -EIO);
	sim_fail_nth(outside, SIM_SYNC, 1);
	CHECK_EQUAL(vdisk_accept_loss(disk), -EIO);	/* not while it fails */
	CHECK(vdisk_failed(disk));
	CHECK_EQUAL(vdisk_accept_loss(disk), 0);
	CHECK_EQUAL(vdisk_read(disk, seen, sizeof(seen), 0), 0);
	CHECK_EQUAL(rt_file_open(options.path, RT_FILE_DIRECT, &file), 0);
	CHECK_EQUAL(rt_file_read(file, device, sizeof(device), 0), sizeof(device));
	rt_file_close(file);
	CHECK(memcmp(seen, device, sizeof(seen)) == 0);
	for (unsigned i = 0; i < BLOCKS; i++)
		*lost += device[i * 4096] == 1;
	check_works(disk);
	vdisk_close(disk);
	return 0;
}

static void an_accepted_disk_shows_what_it_has(void **state)
{
	struct sim_world *world = sim_create(7, NULL);
	unsigned lost = 0;

	options = *(struct vdisk_options *)*state;
	make_system(world);
	run_world(world, accept_what_is_there, &lost);
	assert_true(lost > 0 && lost < BLOCKS);
}

static int fail_syncs(void *arg)
{
	struct syncing syncing = { .limit_ns = RT_NEVER };
	struct sim_system *outside = sim_outside(sim_world());

	(void)arg;
	make_pool();
	syncing.disk = open_disk();
	check_works(syncing.disk);
	/* All that wait for it are told, and all that come after. */
	sim_fail_nth(outside, SIM_SYNC, 1);
	sync_by_many(&syncing);
	CHECK_EQUAL(syncing.failed, 5);
	check_refuses(syncing.disk);
	CHECK_EQUAL(vdisk_accept_loss(syncing.disk), 0);
	check_works(syncing.disk);
	/* Nobody waits for it any more, and it is known all the same. */
	sim_fail_nth(outside, SIM_SYNC, 1);
	syncing.failed = 0;
	syncing.limit_ns = rt_now_ns() + 1;
	sync_by_many(&syncing);
	CHECK_EQUAL(syncing.late, 5);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	check_refuses(syncing.disk);
	vdisk_close(syncing.disk);
	/* The next start opens it as what it was recorded to be. */
	options.failed = true;
	syncing.disk = open_disk();
	check_refuses(syncing.disk);
	CHECK_EQUAL(vdisk_accept_loss(syncing.disk), 0);
	check_works(syncing.disk);
	vdisk_close(syncing.disk);
	options.failed = false;
	return 0;
}

static void a_failed_sync_is_sticky(void **state)
{
	struct sim_world *world = sim_create(1, NULL);

	options = *(struct vdisk_options *)*state;
	make_system(world);
	if (options.kind == POOL_DEVICE)
		CHECK_EQUAL(sim_add_device(sim_outside(world), options.path, SIZE), 0);
	run_world(world, fail_syncs, NULL);
}

/* ---- a full disk ---- */

static int fill_the_disk(void *arg)
{
	struct sim_system *outside = sim_outside(sim_world());
	MEM_OWNED uint8_t *page = mem_alloc_pages(4096);
	uint64_t total, free_bytes;
	unsigned refused = 0;
	struct vdisk *disk;

	(void)arg;
	make_pool();
	disk = open_disk();
	memset(page, 7, 4096);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 14 * 4096), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 15 * 4096), 0);
	CHECK_EQUAL(rt_path_space("/", &total, &free_bytes), 0);
	sim_set_disk_bytes(outside, total - free_bytes + 6 * 4096);
	for (unsigned i = 0; i < 12; i++) {
		int rc = vdisk_write(disk, page, 4096, i * 4096);

		CHECK(rc == 0 || rc == -ENOSPC);
		CHECK(rc == -ENOSPC || refused == 0);
		refused += rc == -ENOSPC;
	}
	CHECK_EQUAL(refused, 6);
	/* What has its space goes on, and what gives some back. */
	CHECK_EQUAL(vdisk_sync(disk), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 0), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 14 * 4096), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 15 * 4096), 0);
	CHECK_EQUAL(vdisk_read(disk, page, 4096, 10 * 4096), 0);
	CHECK_EQUAL(page[0], 0);
	CHECK_EQUAL(vdisk_zero(disk, 4096, 4096, false), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 7 * 4096), 0);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 8 * 4096), -ENOSPC);
	sim_set_disk_bytes(outside, total);
	CHECK_EQUAL(vdisk_write(disk, page, 4096, 8 * 4096), 0);
	vdisk_close(disk);
	return 0;
}

static void a_full_disk_refuses_what_needs_space(void **state)
{
	struct sim_world *world = sim_create(1, NULL);

	options = *(struct vdisk_options *)*state;
	make_system(world);
	run_world(world, fill_the_disk, NULL);
}

/* ---- the n-th call fails ---- */

static int write_sync_read(struct vdisk *disk)
{
	uint8_t page[600];
	int rc;

	memset(page, 9, sizeof(page));
	rc = vdisk_write(disk, page, sizeof(page), 11);
	if (rc == 0)
		rc = vdisk_sync(disk);
	memset(page, 0, sizeof(page));
	if (rc == 0)
		rc = vdisk_read(disk, page, sizeof(page), 11);
	if (rc == 0)
		CHECK(page[0] == 9 && memcmp(page, page + 1, sizeof(page) - 1) == 0);
	if (vdisk_failed(disk))
		CHECK_EQUAL(vdisk_accept_loss(disk), 0);
	return rc;
}

/* One call of each kind; any may meet the fault, and then everything works. */
static int work_with_fault(void *arg)
{
	uint8_t page[600];
	struct vdisk *disk = NULL;
	unsigned failures = 0;

	(void)arg;
	for (unsigned attempt = 0; attempt < 2 && disk == NULL; attempt++) {
		struct rt_file_info info;

		if (rt_path_info("/pool", &info) != 0)
			CHECK_EQUAL(rt_path_make_folder("/pool"), 0);
		if (rt_path_info(options.path, &info) != 0)
			failures += vdisk_create(&options) != 0;
		failures += rt_path_info(options.path, &info) != 0 || vdisk_open(&options, &disk) != 0;
	}
	CHECK(disk != NULL);
	memset(page, 9, sizeof(page));
	for (unsigned i = 0; i < 10; i++) {
		failures += vdisk_write(disk, page, sizeof(page), i * 5000) != 0;
		failures += vdisk_sync(disk) != 0;
		failures += vdisk_zero(disk, i * 5000 + 2000, 10000, i & 1) != 0;
		if (vdisk_failed(disk))
			CHECK_EQUAL(vdisk_accept_loss(disk), 0);
	}
	failures += vdisk_grow(disk, 2 * SIZE) != 0;
	if (vdisk_failed(disk))
		CHECK_EQUAL(vdisk_accept_loss(disk), 0);
	/* A failed sync fails what comes before it is accepted, and nothing is counted twice. */
	CHECK(failures <= 4);
	if (write_sync_read(disk) != 0)
		CHECK_EQUAL(write_sync_read(disk), 0);
	vdisk_close(disk);
	if (vdisk_destroy(&options) != 0)
		CHECK_EQUAL(vdisk_destroy(&options), 0);
	return 0;
}

struct nth {
	struct sim_system *system;
	enum sim_call_kind kind;
	uint64_t n;
	bool struck;
};

static int fail_one(void *arg)
{
	struct nth *nth = arg;

	sim_fail_nth(nth->system, nth->kind, nth->n);
	sim_boot(nth->system, work_with_fault, NULL);
	CHECK_EQUAL(sim_wait_ended(nth->system), 0);
	CHECK_EQUAL(sim_exit_code(nth->system), 0);
	nth->struck = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) > 0;
	return 0;
}

static void any_call_may_fail(void **state)
{
	static const enum sim_call_kind kinds[] = {
		SIM_ALLOC, SIM_FIBER, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_SYNC, SIM_PUNCH, SIM_SET_SIZE,
		SIM_GET_INFO, SIM_GET_RUN, SIM_SYNC_FOLDER,
	};

	options = *(struct vdisk_options *)*state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		/* The first fiber is the program itself, the first allocations may be the path of making. */
		uint64_t first = kinds[i] == SIM_FIBER ? 2 : 1, n = first;
		struct nth nth = { .struck = true };

		while (nth.struck) {
			struct sim_world *world = sim_create(n, NULL);

			nth = (struct nth){ make_system(world), kinds[i], n, false };
			run_world(world, fail_one, &nth);
			n++;
		}
		/* writeback has no part blocks to read. */
		assert_true(n > first + 1 || (kinds[i] == SIM_READ && options.cache == CACHE_WRITEBACK));
	}
}

static struct vdisk_options settings[] = {
	{ .kind = POOL_DIR, .cache = CACHE_WRITEBACK },
	{ .kind = POOL_DIR, .cache = CACHE_DIRECT },
	{ .kind = POOL_DEVICE, .cache = CACHE_WRITEBACK },
	{ .kind = POOL_DEVICE, .cache = CACHE_DIRECT },
};

#define IN_SETTING(name, test, i)	{ name, test, NULL, NULL, &settings[i] }

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SETTING("power losses, dir, writeback", promises_survive_power_losses, 0),
		IN_SETTING("power losses, dir, direct", promises_survive_power_losses, 1),
		IN_SETTING("power losses, device, writeback", promises_survive_power_losses, 2),
		IN_SETTING("power losses, device, direct", promises_survive_power_losses, 3),
		cmocka_unit_test(what_was_not_synced_is_not_trusted),
		cmocka_unit_test(direct_keeps_what_is_written_to_grown_space),
		IN_SETTING("a failed sync is sticky, dir, writeback", a_failed_sync_is_sticky, 0),
		IN_SETTING("a failed sync is sticky, dir, direct", a_failed_sync_is_sticky, 1),
		IN_SETTING("a failed sync is sticky, device, writeback", a_failed_sync_is_sticky, 2),
		IN_SETTING("a failed sync is sticky, device, direct", a_failed_sync_is_sticky, 3),
		IN_SETTING("an accepted disk shows what it has", an_accepted_disk_shows_what_it_has, 0),
		IN_SETTING("a full disk, writeback", a_full_disk_refuses_what_needs_space, 0),
		IN_SETTING("a full disk, direct", a_full_disk_refuses_what_needs_space, 1),
		IN_SETTING("any call may fail, writeback", any_call_may_fail, 0),
		IN_SETTING("any call may fail, direct", any_call_may_fail, 1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
