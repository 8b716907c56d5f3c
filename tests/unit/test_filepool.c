/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool of files: no more are open than it has places, who uses a file finds what was written, and nobody waits for
 * ever, also when the process may open no more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim_check.h"
#include "store/filepool.h"

#define FILES	8u
#define PLACES	3u
#define FLAGS	(RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_LOCK)

static struct sim_system *machine;
static struct filepool *pool;
static struct pooled_file *files[FILES];

static void open_all(unsigned places)
{
	char path[16];

	pool = filepool_make(places);
	CHECK(pool);
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "file%u", i);
		CHECK_EQUAL(pooled_file_open(pool, path, FLAGS, &files[i]), 0);
	}
}

static void close_all(void)
{
	for (unsigned i = 0; i < FILES; i++)
		pooled_file_close(files[i]);
	filepool_free(pool);
}

static uint64_t count_opens(void)
{
	return sim_calls(sim_outside(sim_world()), SIM_OPEN);
}

/* ---- places ---- */

static bool has_fourth;

static void use_the_fourth(void *arg)
{
	(void)arg;
	CHECK_EQUAL(pooled_file_use(files[3]), 0);
	has_fourth = true;
	pooled_file_leave(files[3]);
}

static int main_places(void *arg)
{
	struct rt_group group;
	uint64_t opens;

	(void)arg;
	has_fourth = false;
	open_all(PLACES);
	opens = count_opens();
	for (unsigned i = 0; i < PLACES; i++)
		CHECK_EQUAL(pooled_file_use(files[i]), 0);
	CHECK_EQUAL(count_opens(), opens + PLACES);
	CHECK_EQUAL(pooled_file_use(files[0]), 0);
	pooled_file_leave(files[0]);
	CHECK_EQUAL(pooled_file_try(files[3]), -EAGAIN);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "fourth", use_the_fourth, NULL), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(!has_fourth);
	pooled_file_leave(files[1]);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(has_fourth);
	/* Those in use have stayed open; that which was left made room, and has to be opened again. */
	opens = count_opens();
	CHECK_EQUAL(pooled_file_use(files[0]), 0);
	CHECK_EQUAL(pooled_file_use(files[2]), 0);
	CHECK_EQUAL(count_opens(), opens);
	pooled_file_leave(files[0]);
	pooled_file_leave(files[2]);
	CHECK_EQUAL(pooled_file_try(files[1]), 0);
	CHECK_EQUAL(count_opens(), opens + 1);
	pooled_file_leave(files[1]);
	pooled_file_leave(files[0]);
	pooled_file_leave(files[2]);
	close_all();
	return 0;
}

static void no_more_are_open_than_there_are_places(void **state)
{
	(void)state;
	in_sim(1, main_places, NULL);
}

/* ---- how many places ---- */

static int check_places(void *arg)
{
	static const struct { unsigned files, places; } cases[] = {
		{ 0, 32 }, { 524288, 32 }, { 16384, 16 }, { 1024, 1 }, { 240, 1 },
	};

	(void)arg;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sim_set_files_max(machine, cases[i].files);
		CHECK_EQUAL(filepool_places(512, 16), cases[i].places);
	}
	return 0;
}

static int main_share(void *arg)
{
	(void)arg;
	machine = sim_outside(sim_world());
	sim_set_files_max(machine, 0);
	CHECK_EQUAL(filepool_places(512, 16), 512);
	sim_set_files_max(machine, 1024);
	CHECK_EQUAL(filepool_places(512, 16), 64);
	machine = sim_add_system(sim_world(), "a1", 64);
	sim_boot(machine, check_places, NULL);
	CHECK_EQUAL(sim_wait_ended(machine), 0);
	CHECK_EQUAL(sim_exit_code(machine), 0);
	return 0;
}

static void with_many_reactors_each_has_places_for_the_targets_of_a_source(void **state)
{
	(void)state;
	in_sim(1, main_share, NULL);
}

/* ---- the limit of the process ---- */

static int main_limit(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());

	(void)arg;
	open_all(FILES);
	/* All are open and idle: one of them makes room for the next, after the process was refused it. */
	pooled_file_close(files[0]);
	sim_fail_nth(here, SIM_OPEN, 1);
	CHECK_EQUAL(pooled_file_open(pool, "file0", FLAGS, &files[0]), 0);
	close_all();
	/* None could be closed instead: one who uses a file fails, and nothing else. */
	open_all(1);
	for (unsigned i = 1; i < FILES; i++)
		pooled_file_close(files[i]);
	CHECK_EQUAL(pooled_file_open(pool, "file1", FLAGS, &files[1]), 0);
	sim_fail_nth(here, SIM_OPEN, 1);
	CHECK_EQUAL(pooled_file_use(files[0]), -ENOMEM);
	CHECK_EQUAL(pooled_file_use(files[0]), 0);
	pooled_file_leave(files[0]);
	pooled_file_close(files[1]);
	pooled_file_close(files[0]);
	sim_fail_nth(here, SIM_OPEN, 1);
	CHECK_EQUAL(pooled_file_open(pool, "file0", FLAGS, &files[0]), -EMFILE);
	filepool_free(pool);
	return 0;
}

static void when_the_process_may_open_no_more_idle_files_make_room(void **state)
{
	(void)state;
	in_sim(1, main_limit, NULL);
}

/* ---- the limit lasts ---- */

static void use_one(void *arg)
{
	struct pooled_file *file = arg;

	CHECK_EQUAL(pooled_file_use(file), 0);
	rt_yield();
	pooled_file_leave(file);
}

static int main_lasting_limit(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	struct rt_group group;
	uint64_t opens;

	(void)arg;
	sim_set_files_max(here, 1);
	open_all(PLACES);
	CHECK_EQUAL(pooled_file_use(files[0]), 0);
	rt_group_init(&group);
	opens = count_opens();
	/* Of one file two: who waits for it to be opened is told that it was not. */
	CHECK_EQUAL(rt_group_start(&group, "one", use_one, files[1]), 0);
	CHECK_EQUAL(rt_group_start(&group, "same", use_one, files[1]), 0);
	CHECK_EQUAL(rt_group_start(&group, "other", use_one, files[2]), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(count_opens() > opens);
	CHECK(count_opens() - opens <= 2 * 3);
	pooled_file_leave(files[0]);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	close_all();
	return 0;
}

static void at_the_limit_of_the_process_who_waits_does_not_try_again_and_again(void **state)
{
	(void)state;
	in_sim(1, main_lasting_limit, NULL);
}

/* ---- a file that is gone ---- */

static int main_gone(void *arg)
{
	(void)arg;
	open_all(1);
	CHECK_EQUAL(rt_path_unlink("file0"), 0);
	CHECK_EQUAL(pooled_file_use(files[0]), -EIO);
	CHECK_EQUAL(pooled_file_try(files[0]), -EIO);
	CHECK_EQUAL(pooled_file_use(files[1]), 0);
	pooled_file_leave(files[1]);
	CHECK_EQUAL(pooled_file_open(pool, "file0", RT_FILE_WRITE, &files[0]), -ENOENT);
	files[0] = NULL;
	close_all();
	return 0;
}

/* -ENOENT is what logs say of a block that they do not have. */
static void a_file_that_cannot_be_opened_again_is_an_io_error(void **state)
{
	(void)state;
	in_sim(1, main_gone, NULL);
}

/* ---- many who use them ---- */

static unsigned in_use;

static void use_some(void *arg)
{
	struct sim_world *world = sim_world();
	uint32_t written, found;

	(void)arg;
	for (uint32_t round = 0; round < 200; round++) {
		struct pooled_file *file = files[sim_random_below(world, FILES)];
		uint64_t place = 4 * sim_random_below(world, 100);

		CHECK_EQUAL(pooled_file_use(file), 0);
		CHECK(++in_use <= 12);
		written = round;
		CHECK_EQUAL(rt_file_write(pooled_file_get(file), &written, sizeof(written), place), 0);
		rt_yield();
		CHECK_EQUAL(rt_file_read(pooled_file_get(file), &found, sizeof(found), place), sizeof(found));
		in_use--;
		pooled_file_leave(file);
	}
}

static int main_many(void *arg)
{
	struct rt_group group;

	(void)arg;
	in_use = 0;
	open_all(PLACES);
	rt_group_init(&group);
	for (unsigned i = 0; i < 12; i++)
		CHECK_EQUAL(rt_group_start(&group, "user", use_some, NULL), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	close_all();
	return 0;
}

/* Each is opened with a lock: while one is being closed nobody opens it. */
static void all_get_their_files_in_the_end(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		in_sim(seed, main_many, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_many_reactors_each_has_places_for_the_targets_of_a_source),
		cmocka_unit_test(no_more_are_open_than_there_are_places),
		cmocka_unit_test(when_the_process_may_open_no_more_idle_files_make_room),
		cmocka_unit_test(at_the_limit_of_the_process_who_waits_does_not_try_again_and_again),
		cmocka_unit_test(a_file_that_cannot_be_opened_again_is_an_io_error),
		cmocka_unit_test(all_get_their_files_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
