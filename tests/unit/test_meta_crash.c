/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata in the simulator under what goes wrong. Groups are committed one after the other, the n-th always
 * the same; whatever crashes or fails, what is loaded afterwards is exactly groups 1 to g: no half group, none that
 * was answered missing, none but the one under way more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "meta_check.h"
#include "rt/file.h"
#include "rt/sim.h"

#define FOLDER		"/state"
#define GROUP		6
#define CRASH_SEEDS	6
#define LIVES		6

/* Outside of all worlds; one test at a time. */
static struct expected expected;	/* groups 1 to committed */
static uint64_t committed, begun;
static unsigned groups_per_life, opened, group_was_there, group_was_not;

static void forget_all(void)
{
	memset(&expected, 0, sizeof(expected));
	committed = 0;
	begun = 0;
}

static uint8_t records[GROUP][META_RECORD_MAX] __attribute__((aligned(16)));

/* The first record says which group it is; the others are volumes with long paths, so that pages fill up. */
static void make_group(uint64_t number, struct meta_change changes[GROUP])
{
	struct record_session *session = (struct record_session *)(void *)records[0];

	make_record(META_SESSION, session, 1, number);
	session->sequence = number;
	changes[0] = (struct meta_change){ META_PUT, META_SESSION, session };
	for (unsigned i = 1; i < GROUP; i++) {
		uint64_t chance = mix(number * GROUP + i);

		make_record(META_VOLUME, records[i], chance % 60, chance);
		changes[i] = (struct meta_change){ chance >> 32 & 3 ? META_PUT : META_DELETE, META_VOLUME, records[i] };
	}
}

static void expect_group(uint64_t number)
{
	struct meta_change changes[GROUP];

	make_group(number, changes);
	for (unsigned i = 0; i < GROUP; i++)
		expected_change(&expected, &changes[i]);
	committed = number;
}

static int commit_next(struct meta *meta)
{
	struct meta_change changes[GROUP];
	int rc;

	begun = committed + 1;
	make_group(begun, changes);
	rc = meta_commit(meta, changes, GROUP);
	if (rc == 0)
		expect_group(begun);
	return rc;
}

static int find_sequence(void *arg, enum meta_kind kind, const void *record)
{
	if (kind == META_SESSION)
		*(uint64_t *)arg = ((const struct record_session *)record)->sequence;
	return 0;
}

/* What the group that was under way came to is known now. Not 0: a load met the planned fault. */
static int load_groups(struct meta *meta)
{
	uint64_t found = 0;
	int rc = meta_load(meta, find_sequence, &found);

	if (rc != 0)
		return rc;
	CHECK(found == committed || found == begun);
	if (begun > committed && found == begun) {
		group_was_there++;
		expect_group(begun);
	} else if (begun > committed) {
		group_was_not++;
	}
	begun = committed;
	return expected_load(&expected, meta);
}

static void check_groups(struct meta *meta)
{
	CHECK_EQUAL(load_groups(meta), 0);
}

static int make_state_folder(void)
{
	int rc = rt_path_make_folder(FOLDER);

	if (rc == 0)
		rc = rt_path_sync_folder("/");
	return rc == -EEXIST ? 0 : rc;
}

static int serve(void *arg)
{
	struct meta *meta;

	(void)arg;
	CHECK_EQUAL(make_state_folder(), 0);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	opened++;
	check_groups(meta);
	for (unsigned i = 0; i < groups_per_life; i++)
		CHECK_EQUAL(commit_next(meta), 0);
	meta_close(meta);
	return 0;
}

/* ---- crashes ---- */

static int crash_often(void *arg)
{
	static const enum sim_call_kind kinds[] = {
		SIM_WRITE, SIM_SYNC, SIM_WRITE, SIM_SYNC, SIM_OPEN, SIM_CHANGE_NAME, SIM_SYNC_FOLDER, SIM_SET_SIZE,
	};
	struct sim_world *world = sim_world();
	struct sim_system *system = arg;

	groups_per_life = 20 + (unsigned)sim_random_below(world, 60);
	for (unsigned life = 0; life < LIVES; life++) {
		enum sim_call_kind kind = kinds[sim_random_below(world, sizeof(kinds) / sizeof(kinds[0]))];
		bool many = kind == SIM_WRITE || kind == SIM_SYNC;
		uint64_t most = life == 0 || !many ? 20 : kind == SIM_WRITE ? 2000 : groups_per_life * 2;
		enum sim_crash how = sim_random_below(world, 4) == 0 ? SIM_DEATH : SIM_POWER_LOSS;

		sim_crash_at_nth(system, kind, 1 + sim_random_below(world, most), how);
		sim_boot(system, serve, NULL);
		CHECK_EQUAL(sim_wait_ended(system), 0);
		sim_crash_at_nth(system, kind, 0, how);
		sim_crash(system, SIM_POWER_LOSS);
	}
	sim_boot(system, serve, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

/* The number over all that happened in the run of this seed. */
static uint64_t run_crashes(uint64_t seed)
{
	struct sim_world *world = sim_create(seed, NULL);
	struct sim_system *system = sim_add_system(world, "a1", 1);
	enum sim_end end;
	uint64_t hash;

	forget_all();
	end = sim_run(world, crash_often, system, RT_NEVER);
	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
	assert_true(sim_fault_count(world, SIM_FAULT_POWER_LOSS) > 0);
	hash = sim_trace_hash(world);
	sim_destroy(world);
	return hash;
}

static void groups_survive_crashes(void **state)
{
	unsigned groups = 0;

	(void)state;
	opened = group_was_there = group_was_not = 0;
	for (uint64_t seed = 1; seed <= CRASH_SEEDS; seed++) {
		run_crashes(seed);
		groups += (unsigned)committed;
	}
	print_message("# %u starts, %u groups; of those under way %u were there, %u not\n", opened, groups,
		      group_was_there, group_was_not);
	assert_true(group_was_there > 0);
	assert_true(group_was_not > 0);
	assert_true(opened > 3 * CRASH_SEEDS);
}

static void a_seed_repeats_exactly(void **state)
{
	uint64_t first = run_crashes(7);

	(void)state;
	assert_true(run_crashes(7) == first);
	assert_true(run_crashes(8) != first);
}

/* ---- the n-th call fails ---- */

static struct meta *open_again(void)
{
	struct meta *meta = NULL;
	int rc = meta_open(FOLDER, &meta);

	/* One fault, so the second time is good. */
	if (rc != 0)
		rc = meta_open(FOLDER, &meta);
	CHECK_EQUAL(rc, 0);
	return meta;
}

static void check_groups_again(struct meta *meta)
{
	if (load_groups(meta) != 0)
		check_groups(meta);
}

static int serve_with_fault(void *arg)
{
	struct meta *meta = NULL;
	int rc = make_state_folder();

	(void)arg;
	if (rc != 0)
		rc = make_state_folder();
	CHECK_EQUAL(rc, 0);
	meta = open_again();
	for (unsigned i = 0; i < 5; i++) {
		rc = commit_next(meta);
		if (rc == -EIO) {
			CHECK_EQUAL(commit_next(meta), -EIO);
			meta_close(meta);
			meta = open_again();
			check_groups_again(meta);
		} else if (rc != 0) {
			begun = committed;
		}
	}
	meta_close(meta);
	meta = open_again();
	check_groups_again(meta);
	meta_close(meta);
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

	forget_all();
	sim_fail_nth(nth->system, nth->kind, nth->n);
	/* The first fiber is the program itself: it may not come to start. */
	do {
		sim_boot(nth->system, serve_with_fault, NULL);
		CHECK_EQUAL(sim_wait_ended(nth->system), 0);
	} while (begun == 0);
	CHECK_EQUAL(sim_exit_code(nth->system), 0);
	nth->struck = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) > 0;
	CHECK(committed >= 3);
	return 0;
}

static bool strike(enum sim_call_kind kind, uint64_t n)
{
	struct sim_world *world = sim_create(n, NULL);
	struct nth nth = { sim_add_system(world, "a1", 1), kind, n, false };
	enum sim_end end = sim_run(world, fail_one, &nth, RT_NEVER);

	if (end != SIM_DONE) {
		fprintf(stderr, "%s %llu: %s\n", sim_call_name(kind), (unsigned long long)n, sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
	return nth.struck;
}

static void any_call_may_fail(void **state)
{
	static const enum sim_call_kind kinds[] = {
		SIM_ALLOC, SIM_FIBER, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_SYNC, SIM_SET_SIZE, SIM_CHANGE_NAME,
		SIM_GET_INFO, SIM_SYNC_FOLDER,
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t n = 1;
		unsigned strikes = 0;

		while (strike(kinds[i], n)) {
			strikes++;
			/* Each of the first, then one of so many: SQLite allocates tens of thousands of times. */
			n += 1 + n / 4;
		}
		print_message("# %s: %u\n", sim_call_name(kinds[i]), strikes);
		assert_true(strikes > 0);
	}
}

/* ---- a disk that stays bad, or full ---- */

static int failed_sync_is_sticky(void *arg)
{
	struct sim_disk_state bad = { .sync_fails = true }, good = { 0 };
	struct meta *meta;

	(void)arg;
	forget_all();
	CHECK_EQUAL(make_state_folder(), 0);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	CHECK_EQUAL(commit_next(meta), 0);
	sim_set_disk(sim_outside(sim_world()), FOLDER, &bad);
	CHECK_EQUAL(commit_next(meta), -EIO);
	sim_set_disk(sim_outside(sim_world()), FOLDER, &good);
	CHECK_EQUAL(commit_next(meta), -EIO);
	meta_close(meta);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	check_groups(meta);
	CHECK_EQUAL(commit_next(meta), 0);
	meta_close(meta);
	return 0;
}

/* Only the log of a database is there, and it cannot be seen whether it is. */
static int log_without_database(void *arg)
{
	struct rt_file_info info;
	struct rt_file *wal;
	struct meta *meta;

	(void)arg;
	CHECK_EQUAL(make_state_folder(), 0);
	CHECK_EQUAL(rt_file_open(FOLDER "/config.db-wal", RT_FILE_WRITE | RT_FILE_CREATE, &wal), 0);
	rt_file_close(wal);
	sim_fail_nth(sim_outside(sim_world()), SIM_GET_INFO, 2);
	CHECK_EQUAL(meta_open(FOLDER, &meta), -EIO);
	CHECK_EQUAL(rt_path_info(FOLDER "/config.db", &info), -ENOENT);
	CHECK(meta_open(FOLDER, &meta) < 0);
	CHECK_EQUAL(rt_path_info(FOLDER "/config.db", &info), -ENOENT);
	return 0;
}

static int full_disk_refuses_groups(void *arg)
{
	struct sim_system *outside = sim_outside(sim_world());
	unsigned refused = 0, again = 0;
	uint64_t total, free_bytes;
	struct meta *meta;

	(void)arg;
	forget_all();
	CHECK_EQUAL(make_state_folder(), 0);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	CHECK_EQUAL(commit_next(meta), 0);
	CHECK_EQUAL(rt_path_space("/", &total, &free_bytes), 0);
	sim_set_disk_bytes(outside, total - free_bytes + 64 * 4096);
	while (refused < 20) {
		int rc = commit_next(meta);

		CHECK(rc == 0 || rc == -ENOSPC);
		refused += rc == -ENOSPC;
		begun = committed;
	}
	expected_check(&expected, meta);
	sim_set_disk_bytes(outside, total);
	for (again = 0; again < 200; again++)
		CHECK_EQUAL(commit_next(meta), 0);
	expected_check(&expected, meta);
	meta_close(meta);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	check_groups(meta);
	meta_close(meta);
	return 0;
}

/*
 * A sync of the log fails: what it was to keep is clean in memory, perhaps, and not on the disk. The process dies, the
 * next one finds it in memory, and goes on from there, on a disk that is well again. Then the power fails.
 */
static int serve_until_it_fails(void *arg)
{
	struct meta *meta;
	int rc = make_state_folder();

	(void)arg;
	if (rc == 0)
		rc = meta_open(FOLDER, &meta);
	if (rc != 0) {
		CHECK_EQUAL(rc, -EIO);
		return rt_wait_stop();
	}
	opened++;
	if (load_groups(meta) == 0) {
		while (commit_next(meta) == 0)
			;
	}
	(void)!rt_wait_stop();
	meta_close(meta);
	return 0;
}

static void wait_up_to(uint64_t ms)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), ms) * RT_MS), 0);
}

static int fail_die_and_lose_power(void *arg)
{
	static const struct sim_disk_state fails = { .sync_fails = true }, good = { 0 };
	struct sim_system *system = sim_add_system(sim_world(), "a", 1);

	(void)arg;
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 2; i++) {
			sim_boot(system, serve_until_it_fails, NULL);
			wait_up_to(60);
			sim_set_disk(system, "", i == 0 ? &fails : &good);
			wait_up_to(20);
			sim_crash(system, i == 0 ? SIM_DEATH : SIM_POWER_LOSS);
			sim_set_disk(system, "", &good);
		}
	}
	return 0;
}

static void what_a_failed_sync_left_is_not_built_upon(void **state)
{
	(void)state;
	opened = 0;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct sim_world *world = sim_create(seed, NULL);
		enum sim_end end;

		forget_all();
		end = sim_run(world, fail_die_and_lose_power, NULL, RT_NEVER);
		if (end != SIM_DONE)
			sim_print_log(world, stderr);
		assert_int_equal(end, SIM_DONE);
		sim_destroy(world);
	}
	print_message("# %u starts, %llu groups in the last world\n", opened, (unsigned long long)committed);
	assert_true(opened > 40);
}

/* A process made the name and died before it was durable; what the next one commits must not go with the name. */
static int leave_unsynced_name(void *arg)
{
	struct meta *meta;

	(void)arg;
	CHECK_EQUAL(make_state_folder(), 0);
	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	check_groups(meta);
	CHECK_EQUAL(commit_next(meta), 0);
	CHECK_EQUAL(rt_path_rename(FOLDER "/config.db-wal", FOLDER "/other"), 0);
	CHECK_EQUAL(rt_path_sync_folder(FOLDER), 0);
	CHECK_EQUAL(rt_path_rename(FOLDER "/other", FOLDER "/config.db-wal"), 0);
	return rt_wait_stop();
}

static int commit_and_wait(void *arg)
{
	struct meta *meta;

	CHECK_EQUAL(meta_open(FOLDER, &meta), 0);
	check_groups(meta);
	CHECK_EQUAL(commit_next(meta), 0);
	*(bool *)arg = true;
	(void)!rt_wait_stop();
	meta_close(meta);
	return 0;
}

static int found_name_is_made_durable(void *arg)
{
	struct sim_system *system = sim_add_system(sim_world(), "a", 1);
	bool done = false;

	(void)arg;
	forget_all();
	for (unsigned i = 0; i < 8; i++) {
		sim_boot(system, leave_unsynced_name, NULL);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
		sim_crash(system, SIM_DEATH);
		for (unsigned life = 0; life < 2; life++) {
			done = false;
			sim_boot(system, commit_and_wait, &done);
			while (!done)
				CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
			sim_crash(system, SIM_POWER_LOSS);
		}
	}
	return 0;
}

static void run_outside(int (*body)(void *arg))
{
	struct sim_world *world = sim_create(3, NULL);
	enum sim_end end = sim_run(world, body, NULL, RT_NEVER);

	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void a_failed_sync_is_sticky(void **state)
{
	(void)state;
	run_outside(failed_sync_is_sticky);
}

static void no_database_is_made_where_one_may_have_been(void **state)
{
	(void)state;
	run_outside(log_without_database);
}

static void a_name_that_is_found_is_made_durable(void **state)
{
	(void)state;
	run_outside(found_name_is_made_durable);
}

static void a_full_disk_refuses_groups(void **state)
{
	(void)state;
	run_outside(full_disk_refuses_groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_survive_crashes),
		cmocka_unit_test(a_seed_repeats_exactly),
		cmocka_unit_test(any_call_may_fail),
		cmocka_unit_test(a_failed_sync_is_sticky),
		cmocka_unit_test(what_a_failed_sync_left_is_not_built_upon),
		cmocka_unit_test(no_database_is_made_where_one_may_have_been),
		cmocka_unit_test(a_name_that_is_found_is_made_durable),
		cmocka_unit_test(a_full_disk_refuses_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
