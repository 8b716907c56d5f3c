/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crashes leave on simulated disks. Each case prepares something durable, changes it, and says what may be
 * there after the crash, as letters. Over many seeds exactly these must be seen: what is synced stays, what is
 * not may be lost and may be kept, and each of the two is seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"

#define PAGE	4096u
#define SEEDS	150u
#define NAMES_BYTES	64u

/* ---- the moves of the cases, all on fibers of the system ---- */

static struct rt_file *open_file(const char *path, unsigned flags)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path, flags, &file), 0);
	return file;
}

static void write_pages(const char *path, unsigned flags, char letter, unsigned first, unsigned count, bool sync)
{
	struct rt_file *file = open_file(path, RT_FILE_WRITE | flags);
	char *pages = mem_alloc_pages(count * PAGE);

	memset(pages, letter, count * PAGE);
	CHECK_EQUAL(rt_file_write(file, pages, count * PAGE, first * PAGE), 0);
	if (sync)
		CHECK_EQUAL(rt_file_sync(file), 0);
	rt_file_close(file);
	mem_free(pages);
}

/* /f holds four pages of A, durably. */
static void prepare_file(void)
{
	write_pages("/f", RT_FILE_CREATE, 'A', 0, 4, true);
	CHECK_EQUAL(rt_path_sync_folder("/"), 0);
}

static void prepare_nothing(void)
{
}

/* One letter for a page: its content, 0 for zeros, * when its sectors differ, ! when a sector is not whole. */
static char letter_of_page(const char *page)
{
	char letter = page[0];

	for (unsigned i = 0; i < PAGE; i++) {
		if (page[i] != page[i / 512 * 512])
			return '!';
		if (page[i] != page[0])
			letter = '*';
	}
	return letter == 0 ? '0' : letter;
}

static char page_of_file(const char *path, unsigned index)
{
	struct rt_file *file = open_file(path, 0);
	char page[PAGE];
	ssize_t got = rt_file_read(file, page, PAGE, index * PAGE);

	rt_file_close(file);
	if (got == 0)
		return '-';
	return got < (ssize_t)PAGE ? 's' : letter_of_page(page);
}

static char first_page(void)
{
	return page_of_file("/f", 0);
}

static char fifth_page(void)
{
	return page_of_file("/f", 4);
}

static bool exists(const char *path)
{
	struct rt_file_info info;
	int rc = rt_path_info(path, &info);

	CHECK(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

static void sync_file(void)
{
	struct rt_file *file = open_file("/f", RT_FILE_WRITE);

	CHECK_EQUAL(rt_file_sync(file), 0);
	rt_file_close(file);
}

static void sync_root(void)
{
	CHECK_EQUAL(rt_path_sync_folder("/"), 0);
}

/* ---- the cases ---- */

static void overwrite(void)
{
	write_pages("/f", 0, 'B', 0, 1, false);
}

static void overwrite_twice(void)
{
	write_pages("/f", 0, 'B', 0, 1, false);
	write_pages("/f", 0, 'C', 0, 1, false);
}

static void overwrite_direct(void)
{
	write_pages("/f", RT_FILE_DIRECT, 'B', 0, 1, false);
}

static void overwrite_dsync(void)
{
	write_pages("/f", RT_FILE_DIRECT | RT_FILE_DSYNC, 'B', 0, 4, false);
}

static void append(void)
{
	write_pages("/f", 0, 'B', 4, 1, false);
}

static void append_dsync(void)
{
	write_pages("/f", RT_FILE_DSYNC, 'B', 4, 1, false);
}

static void with_file(int (*fn)(struct rt_file *file))
{
	struct rt_file *file = open_file("/f", RT_FILE_WRITE);

	CHECK_EQUAL(fn(file), 0);
	rt_file_close(file);
}

static int punch_first(struct rt_file *file)
{
	return rt_file_punch(file, 0, PAGE);
}

static void punch(void)
{
	with_file(punch_first);
}

static int cut_to_nothing(struct rt_file *file)
{
	return rt_file_set_size(file, 0);
}

static void cut(void)
{
	with_file(cut_to_nothing);
}

static void cut_and_write(void)
{
	with_file(cut_to_nothing);
	write_pages("/f", 0, 'B', 0, 1, false);
}

/* The whole old file, or nothing, or the new page; never some of the old pages. */
static char cut_file(void)
{
	char first = page_of_file("/f", 0), last = page_of_file("/f", 3);

	if (last != '-')
		return first == 'A' && last == 'A' ? 'A' : '?';
	return first;
}

static int allocate_ten(struct rt_file *file)
{
	return rt_file_allocate(file, 0, 10 * PAGE);
}

static void allocate(void)
{
	with_file(allocate_ten);
}

static char tenth_page(void)
{
	return page_of_file("/f", 9);
}

static void create(void)
{
	rt_file_close(open_file("/g", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW));
}

static void create_and_sync_file(void)
{
	write_pages("/g", RT_FILE_CREATE, 'B', 0, 1, true);
}

static char has_g(void)
{
	return exists("/g") ? 'y' : 'n';
}

static char has_g_with_content(void)
{
	return exists("/g") ? page_of_file("/g", 0) : 'n';
}

static void unlink_f(void)
{
	CHECK_EQUAL(rt_path_unlink("/f"), 0);
}

static char has_f(void)
{
	return exists("/f") ? page_of_file("/f", 0) : 'n';
}

static void rename_f(void)
{
	CHECK_EQUAL(rt_path_rename("/f", "/g"), 0);
}

/* Under one name and never under both or none. */
static char which_name(void)
{
	CHECK(exists("/f") != exists("/g"));
	return exists("/f") ? 'f' : 'g';
}

static void prepare_two(void)
{
	prepare_file();
	write_pages("/g", RT_FILE_CREATE, 'B', 0, 1, true);
	sync_root();
}

static void rename_over(void)
{
	CHECK_EQUAL(rt_path_rename("/g", "/f"), 0);
}

static void make_folder(void)
{
	CHECK_EQUAL(rt_path_make_folder("/g"), 0);
}

static void make_file_in_folder(void)
{
	make_folder();
	rt_file_close(open_file("/g/x", RT_FILE_WRITE | RT_FILE_CREATE));
	CHECK_EQUAL(rt_path_sync_folder("/g"), 0);
}

static void fail_a_sync(void)
{
	struct rt_file *file = open_file("/f", RT_FILE_WRITE);

	overwrite();
	CHECK_EQUAL(rt_file_sync(file), -EIO);
	CHECK_EQUAL(rt_file_sync(file), 0);	/* the kernel has forgotten */
	rt_file_close(file);
}

static struct rt_file *shared_file;

static void sync_shared(void *arg)
{
	int *rc = arg;

	*rc = rt_file_sync(shared_file);
}

/* A second write while a sync of the first is under way: the sync covers the first only. */
static void write_during_sync(void)
{
	struct rt_group group;
	int rc = -1;

	rt_group_init(&group);
	overwrite();
	shared_file = open_file("/f", RT_FILE_WRITE);
	CHECK_EQUAL(rt_group_start(&group, "sync", sync_shared, &rc), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 50 * RT_US), 0);
	CHECK_EQUAL(rc, -1);
	write_pages("/f", 0, 'C', 0, 1, false);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(rc, 0);
	rt_file_close(shared_file);
}

static const struct disk_case {
	const char *name;
	void (*prepare)(void);
	void (*change)(void);
	void (*sync)(void);		/* what makes it durable; NULL: it is already, or cannot be */
	char (*look)(void);
	const char *lost;		/* what is seen after a power loss without sync */
	const char *kept;		/* what is seen with sync, and after the death of the process */
	enum { HONEST, SYNC_FAILS, SYNC_LIES } disk;
} cases[] = {
	{ "overwrite", prepare_file, overwrite, sync_file, first_page, "AB*", "B", HONEST },
	{ "overwrite twice", prepare_file, overwrite_twice, sync_file, first_page, "ABC*", "C", HONEST },
	{ "overwrite direct", prepare_file, overwrite_direct, NULL, first_page, "B", "B", HONEST },
	{ "overwrite dsync", prepare_file, overwrite_dsync, NULL, first_page, "B", "B", HONEST },
	{ "overwrite during sync", prepare_file, write_during_sync, sync_file, first_page, "BC*", "C", HONEST },
	{ "append", prepare_file, append, sync_file, fifth_page, "-0sB*", "B", HONEST },
	{ "append dsync", prepare_file, append_dsync, NULL, fifth_page, "B", "B", HONEST },
	{ "punch", prepare_file, punch, sync_file, first_page, "A0", "0", HONEST },
	{ "cut", prepare_file, cut, sync_file, cut_file, "A-", "-", HONEST },
	{ "cut and write", prepare_file, cut_and_write, sync_file, cut_file, "A-0sB*", "B", HONEST },
	{ "allocate", prepare_file, allocate, sync_file, tenth_page, "-0s", "0", HONEST },
	{ "create", prepare_nothing, create, sync_root, has_g, "ny", "y", HONEST },
	{ "create, file synced", prepare_nothing, create_and_sync_file, sync_root, has_g_with_content, "nB", "B",
		HONEST },
	{ "unlink", prepare_file, unlink_f, sync_root, has_f, "An", "n", HONEST },
	{ "rename", prepare_file, rename_f, sync_root, which_name, "fg", "g", HONEST },
	{ "rename over", prepare_two, rename_over, sync_root, has_f, "AB", "B", HONEST },
	{ "make folder", prepare_nothing, make_folder, sync_root, has_g, "ny", "y", HONEST },
	{ "make file in folder, synced", prepare_nothing, make_file_in_folder, NULL, has_g, "y", "y", HONEST },
	{ "failed sync", prepare_file, fail_a_sync, NULL, first_page, "AB", "AB", SYNC_FAILS },
	{ "lying disk", prepare_file, overwrite, sync_file, first_page, "AB*", "B", SYNC_LIES },
};

/* ---- one run of a case ---- */

struct disk_run {
	const struct disk_case *test;
	struct sim_system *system;
	bool sync;
	enum sim_crash how;
	bool changed;
	char seen;
};

static int change_and_wait(void *arg)
{
	struct disk_run *run = arg;
	const struct sim_disk_state lying = { .sync_lies = true };

	run->test->prepare();
	if (run->test->disk == SYNC_FAILS)
		sim_fail_nth(run->system, SIM_SYNC, 1);
	if (run->test->disk == SYNC_LIES)
		sim_set_disk(run->system, "", &lying);
	run->test->change();
	if (run->sync && run->test->sync != NULL)
		run->test->sync();
	run->changed = true;
	return rt_wait_stop();
}

static int look(void *arg)
{
	struct disk_run *run = arg;

	run->seen = run->test->look();
	return 0;
}

static int crash_and_look(void *arg)
{
	struct disk_run *run = arg;

	sim_boot(run->system, change_and_wait, run);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(run->changed);
	sim_crash(run->system, run->how);
	sim_boot(run->system, look, run);
	return sim_wait_ended(run->system);
}

static char outcome_hashed(const struct disk_case *test, uint64_t seed, bool sync, enum sim_crash how, uint64_t *hash)
{
	struct sim_world *world = sim_create(seed, NULL);
	struct disk_run run = { .test = test, .system = sim_add_system(world, "a1", 1), .sync = sync, .how = how };
	enum sim_end end = sim_run(world, crash_and_look, &run, 100 * RT_SECOND);

	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	CHECK_EQUAL(end, SIM_DONE);
	*hash = sim_trace_hash(world);
	sim_destroy(world);
	return run.seen;
}

static char outcome(const struct disk_case *test, uint64_t seed, bool sync, enum sim_crash how)
{
	uint64_t hash;

	return outcome_hashed(test, seed, sync, how, &hash);
}

/* Exactly these letters are seen over all seeds. */
static void expect(const struct disk_case *test, bool sync, enum sim_crash how, const char *expected)
{
	bool seen[256] = { false };

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		char letter = outcome(test, seed, sync, how);

		if (strchr(expected, letter) == NULL)
			fail_msg("%s: '%c' after seed %u, but only \"%s\" is possible", test->name, letter, seed,
				expected);
		seen[(unsigned char)letter] = true;
	}
	for (const char *letter = expected; *letter != '\0'; letter++)
		if (!seen[(unsigned char)*letter])
			fail_msg("%s: '%c' is never seen", test->name, *letter);
}

static void a_power_loss_may_lose_what_is_not_synced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i], false, SIM_POWER_LOSS, cases[i].lost);
}

static void a_power_loss_keeps_what_is_synced(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i], true, SIM_POWER_LOSS, cases[i].disk == SYNC_LIES ? cases[i].lost : cases[i].kept);
}

static void the_death_of_a_process_loses_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect(&cases[i], false, SIM_DEATH, cases[i].kept);
}

static void the_same_seed_loses_the_same(void **state)
{
	uint64_t first, second;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint64_t seed = 0; seed < 20; seed++) {
			char letter = outcome_hashed(&cases[i], seed, false, SIM_POWER_LOSS, &first);

			assert_int_equal(letter, outcome_hashed(&cases[i], seed, false, SIM_POWER_LOSS, &second));
			assert_true(first == second);
		}
	}
}

/* ---- a death during a write ---- */

struct cut_write {
	struct sim_system *system;
	unsigned pages;			/* that were written, a bit each */
};

/* Four pages of B over four of A, and the process dies in the write. */
static int die_in_write(void *arg)
{
	struct cut_write *cut_write = arg;

	prepare_file();
	sim_crash_at_nth(cut_write->system, SIM_WRITE, 1, SIM_DEATH);
	write_pages("/f", RT_FILE_DIRECT, 'B', 0, 4, false);
	return rt_wait_stop();
}

static int count_pages(void *arg)
{
	struct cut_write *cut_write = arg;

	for (unsigned i = cut_write->pages = 0; i < 4; i++) {
		bool written = page_of_file("/f", i) == 'B';

		CHECK(written || page_of_file("/f", i) == 'A');
		cut_write->pages |= (unsigned)written << i;
	}
	return 0;
}

static int cut_a_write(void *arg)
{
	struct cut_write *cut_write = arg;

	sim_boot(cut_write->system, die_in_write, cut_write);
	CHECK_EQUAL(sim_wait_ended(cut_write->system), 0);
	CHECK_EQUAL(sim_exit_code(cut_write->system), -ECONNABORTED);
	sim_boot(cut_write->system, count_pages, cut_write);
	return sim_wait_ended(cut_write->system);
}

static void a_death_in_a_write_leaves_any_of_its_pages(void **state)
{
	bool seen[16] = { false };

	(void)state;
	for (uint64_t seed = 0; seed < 4 * SEEDS; seed++) {
		struct sim_world *cut_world = sim_create(seed, NULL);
		struct cut_write cut_write = { .system = sim_add_system(cut_world, "a1", 1) };

		assert_int_equal(sim_run(cut_world, cut_a_write, &cut_write, 100 * RT_SECOND), SIM_DONE);
		sim_destroy(cut_world);
		seen[cut_write.pages] = true;
	}
	for (unsigned i = 0; i < 16; i++)
		assert_true(seen[i]);
}

/* ---- calls ---- */

static struct sim_world *world;
static struct sim_system *a1;

static int in_system(void *arg)
{
	void (*const *fn)(void) = arg;

	(*fn)();
	return 0;
}

static int boot_it(void *arg)
{
	sim_boot(a1, in_system, arg);
	return sim_wait_ended(a1);
}

static void run_inside(void (*fn)(void))
{
	enum sim_end end;

	world = sim_create(1, NULL);
	a1 = sim_add_system(world, "a1", 1);
	end = sim_run(world, boot_it, &fn, 100 * RT_SECOND);
	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void use_holes(void)
{
	struct rt_file *file = open_file("/f", RT_FILE_WRITE | RT_FILE_CREATE);
	struct rt_file_info info;
	uint64_t end;
	bool data;
	char bytes[10];

	/* Data in the pages 1, 300 and, far away, one at 3 TiB. */
	CHECK_EQUAL(rt_file_write(file, "x", 1, PAGE + 7), 0);
	CHECK_EQUAL(rt_file_write(file, "y", 1, 300 * PAGE), 0);
	CHECK_EQUAL(rt_file_write(file, "z", 1, UINT64_C(3) << 40), 0);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK(info.size == (UINT64_C(3) << 40) + 1 && info.allocated == 3 * PAGE);
	CHECK_EQUAL(rt_file_get_run(file, 0, &data, &end), 0);
	CHECK(!data && end == PAGE);
	CHECK_EQUAL(rt_file_get_run(file, PAGE + 100, &data, &end), 0);
	CHECK(data && end == 2 * PAGE);
	CHECK_EQUAL(rt_file_get_run(file, 2 * PAGE, &data, &end), 0);
	CHECK(!data && end == 300 * PAGE);
	CHECK_EQUAL(rt_file_get_run(file, 301 * PAGE, &data, &end), 0);
	CHECK(!data && end == UINT64_C(3) << 40);
	CHECK_EQUAL(rt_file_get_run(file, end, &data, &end), 0);
	CHECK(data && end == info.size);
	CHECK_EQUAL(rt_file_read(file, bytes, 10, PAGE + 6), 10);
	CHECK(memcmp(bytes, "\0x\0", 3) == 0);
	CHECK_EQUAL(rt_file_read(file, bytes, 10, info.size - 1), 1);
	CHECK_EQUAL(rt_file_read(file, bytes, 10, info.size), 0);
	/* A hole across all of them, its edges within pages. */
	CHECK_EQUAL(rt_file_punch(file, 100, 300 * PAGE), 0);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK(info.allocated == 2 * PAGE);
	CHECK_EQUAL(rt_file_read(file, bytes, 1, 300 * PAGE), 1);
	CHECK(bytes[0] == 0);
	rt_file_close(file);
}

static void holes_and_runs(void **state)
{
	(void)state;
	run_inside(use_holes);
}

static void fill_the_disk(void)
{
	struct rt_file *file = open_file("/f", RT_FILE_WRITE | RT_FILE_CREATE);
	uint64_t total, left;
	static const char page[3 * PAGE];

	sim_set_disk_bytes(a1, 10 * PAGE);
	CHECK_EQUAL(rt_file_allocate(file, 0, 8 * PAGE), 0);
	CHECK_EQUAL(rt_path_space("/", &total, &left), 0);
	CHECK(total == 10 * PAGE && left == 2 * PAGE);
	CHECK_EQUAL(rt_file_write(file, page, 3 * PAGE, 20 * PAGE), -ENOSPC);
	CHECK_EQUAL(rt_file_write(file, page, 3 * PAGE, 2 * PAGE), 0);	/* has its space */
	CHECK_EQUAL(rt_file_allocate(file, 30 * PAGE, PAGE), -ENOSPC);
	CHECK_EQUAL(rt_file_punch(file, 0, 4 * PAGE), 0);
	CHECK_EQUAL(rt_file_write(file, page, 3 * PAGE, 20 * PAGE), 0);
	/* The space of an open file is free when it is closed, not when it is unlinked. */
	CHECK_EQUAL(rt_path_unlink("/f"), 0);
	CHECK_EQUAL(rt_path_space("/", &total, &left), 0);
	CHECK(left < 10 * PAGE);
	rt_file_close(file);
	CHECK_EQUAL(rt_path_space("/", &total, &left), 0);
	CHECK(left == 10 * PAGE);
	CHECK(sim_fault_count(world, SIM_FAULT_NO_SPACE) == 2);
}

static void a_full_disk_has_no_space(void **state)
{
	(void)state;
	run_inside(fill_the_disk);
}

static int collect(void *arg, const char *name)
{
	char *names = arg;

	snprintf(names + strlen(names), NAMES_BYTES - strlen(names), "%s ", name);
	return 0;
}

static void use_names(void)
{
	char names[NAMES_BYTES] = "";
	struct rt_file *file;
	struct rt_file_info info;

	CHECK_EQUAL(rt_path_make_folder("/d"), 0);
	CHECK_EQUAL(rt_path_make_folder("/d"), -EEXIST);
	CHECK_EQUAL(rt_path_make_folder("/x/y"), -ENOENT);
	rt_file_close(open_file("/d/b", RT_FILE_WRITE | RT_FILE_CREATE));
	rt_file_close(open_file("/d/a", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW));
	CHECK_EQUAL(rt_file_open("/d/a", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file), -EEXIST);
	CHECK_EQUAL(rt_file_open("/d/c", 0, &file), -ENOENT);
	CHECK_EQUAL(rt_file_open("/d/a/c", 0, &file), -ENOTDIR);
	CHECK_EQUAL(rt_file_open("/d", RT_FILE_WRITE, &file), -EISDIR);
	CHECK_EQUAL(rt_path_list("/d", collect, names), 0);
	CHECK(strcmp(names, "a b ") == 0);
	CHECK_EQUAL(rt_path_rename("/d", "/e"), 0);
	CHECK_EQUAL(rt_path_rename("/e", "/e/f"), -EINVAL);
	CHECK_EQUAL(rt_path_info("/e/a", &info), 0);
	CHECK(!info.is_folder && info.size == 0);
	CHECK_EQUAL(rt_path_info("/e", &info), 0);
	CHECK(info.is_folder);
	CHECK_EQUAL(rt_path_unlink("/e"), -EISDIR);
	CHECK_EQUAL(rt_path_unlink("/e/a"), 0);
	CHECK_EQUAL(rt_path_unlink("/e/a"), -ENOENT);
}

static void names_and_folders(void **state)
{
	(void)state;
	run_inside(use_names);
}

static void use_a_device(void)
{
	struct rt_file *file;
	struct rt_file_info info;
	uint64_t end;
	bool data;

	CHECK_EQUAL(sim_add_device(a1, "/dev/sdb", 1 << 20), 0);
	CHECK_EQUAL(sim_add_device(a1, "/dev/sdb", 1 << 20), -EEXIST);
	file = open_file("/dev/sdb", RT_FILE_WRITE | RT_FILE_LOCK);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK(info.is_device && info.size == 1 << 20 && info.allocated == 1 << 20);
	CHECK_EQUAL(rt_file_write(file, "abc", 3, (1 << 20) - 3), 0);
	CHECK_EQUAL(rt_file_write(file, "abc", 3, (1 << 20) - 2), -ENOSPC);
	CHECK_EQUAL(rt_file_set_size(file, 1 << 21), -EINVAL);
	CHECK_EQUAL(rt_file_get_run(file, 0, &data, &end), 0);
	CHECK(data && end == 1 << 20);
	rt_file_close(file);
}

static void a_device_has_its_size(void **state)
{
	(void)state;
	run_inside(use_a_device);
}

static void use_locks(void)
{
	struct rt_file *one = open_file("/f", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_LOCK), *two;

	CHECK_EQUAL(rt_file_open("/f", RT_FILE_WRITE | RT_FILE_LOCK, &two), -EBUSY);
	rt_file_close(open_file("/f", 0));
	rt_file_close(one);
	rt_file_close(open_file("/f", RT_FILE_WRITE | RT_FILE_LOCK));
}

static void locks_exclude(void **state)
{
	(void)state;
	run_inside(use_locks);
}

static void fail_everything(void)
{
	const struct sim_disk_state broken = { .read_fails = true, .write_fails = true, .sync_fails = true };
	const struct sim_disk_state healthy = { 0 }, slow = { .slower = 1000 };
	int64_t before_ns;
	struct rt_file *file = open_file("/f", RT_FILE_WRITE | RT_FILE_CREATE);
	struct rt_file *other = open_file("/g", RT_FILE_WRITE | RT_FILE_CREATE);
	char bytes[4];

	sim_set_disk(a1, "/f", &broken);
	CHECK_EQUAL(rt_file_write(file, "abcd", 4, 0), -EIO);
	CHECK_EQUAL(rt_file_read(file, bytes, 4, 0), -EIO);
	CHECK_EQUAL(rt_file_sync(file), -EIO);
	CHECK_EQUAL(rt_file_sync(file), -EIO);
	CHECK_EQUAL(rt_file_write(other, "abcd", 4, 0), 0);
	sim_set_disk(a1, "/f", &healthy);
	CHECK_EQUAL(rt_file_write(file, "abcd", 4, 0), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	sim_fail_nth(a1, SIM_WRITE, 2);
	CHECK_EQUAL(rt_file_write(file, "abcd", 4, 0), 0);
	CHECK_EQUAL(rt_file_write(file, "abcd", 4, 0), -EIO);
	CHECK_EQUAL(rt_file_write(file, "abcd", 4, 0), 0);
	sim_set_disk(a1, "", &slow);
	before_ns = rt_now_ns();
	CHECK_EQUAL(rt_file_sync(other), 0);
	CHECK(rt_now_ns() - before_ns >= 200 * RT_MS);
	rt_file_close(file);
	rt_file_close(other);
}

static void disks_fail_as_told(void **state)
{
	(void)state;
	run_inside(fail_everything);
}

static int die_with_lock(void *arg)
{
	(void)arg;
	open_file("/f", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_LOCK);
	return rt_wait_stop();
}

static int lock_after_death(void *arg)
{
	(void)arg;
	sim_boot(a1, die_with_lock, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	sim_crash(a1, SIM_DEATH);
	sim_boot(a1, die_with_lock, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(sim_is_running(a1));
	sim_crash(a1, SIM_POWER_LOSS);
	return 0;
}

static void death_releases_locks(void **state)
{
	(void)state;
	world = sim_create(1, NULL);
	a1 = sim_add_system(world, "a1", 1);
	assert_int_equal(sim_run(world, lock_after_death, NULL, 100 * RT_SECOND), SIM_DONE);
	sim_destroy(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_loss_may_lose_what_is_not_synced),
		cmocka_unit_test(a_power_loss_keeps_what_is_synced),
		cmocka_unit_test(the_death_of_a_process_loses_nothing),
		cmocka_unit_test(the_same_seed_loses_the_same),
		cmocka_unit_test(a_death_in_a_write_leaves_any_of_its_pages),
		cmocka_unit_test(holes_and_runs),
		cmocka_unit_test(a_full_disk_has_no_space),
		cmocka_unit_test(names_and_folders),
		cmocka_unit_test(a_device_has_its_size),
		cmocka_unit_test(locks_exclude),
		cmocka_unit_test(disks_fail_as_told),
		cmocka_unit_test(death_releases_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
