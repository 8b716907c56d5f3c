/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated world itself: its time, its systems' lives, their memory, and that it repeats from its seed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"

static struct sim_world *world;
static struct sim_system *a1;

static int set_up(void **state)
{
	(void)state;
	world = sim_create(1, NULL);
	a1 = sim_add_system(world, "a1", 2);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_destroy(world);
	return 0;
}

static void run(int (*scenario)(void *arg))
{
	enum sim_end end = sim_run(world, scenario, NULL, 1000 * RT_SECOND);

	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	CHECK_EQUAL(end, SIM_DONE);
}

static int wait_for_stop(void *arg)
{
	(void)arg;
	return rt_wait_stop();
}

/* ---- time ---- */

static int sleep_an_hour(void *arg)
{
	int64_t before_ns = rt_now_ns();
	int rc = rt_sleep_until(before_ns + 3600 * RT_SECOND);

	(void)arg;
	CHECK_EQUAL(rc, 0);
	CHECK(rt_now_ns() - before_ns >= 3600 * RT_SECOND);
	CHECK(rt_now_ns() - before_ns < 3601 * RT_SECOND);
	return 0;
}

static void an_hour_passes_at_once(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, sleep_an_hour, NULL, 2 * 3600 * RT_SECOND), SIM_DONE);
}

static void time_ends_when_told(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, sleep_an_hour, NULL, RT_SECOND), SIM_TIME_UP);
	assert_non_null(strstr(sim_failure(world), "scenario: waits for a moment"));
}

static int wait_for_ever(void *arg)
{
	struct rt_cond cond = RT_COND_INIT(cond);

	(void)arg;
	return rt_cond_wait(&cond);
}

static void a_deadlock_is_found_and_named(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, wait_for_ever, NULL, RT_NEVER), SIM_STUCK);
	assert_non_null(strstr(sim_failure(world), "outside/0 scenario: waits for another fiber"));
}

static int yield_until_time_passed(void *arg)
{
	int64_t start_ns = rt_now_ns();

	(void)arg;
	while (rt_now_ns() < start_ns + RT_MS)
		rt_yield();
	return 0;
}

static void a_busy_fiber_does_not_stop_time(void **state)
{
	(void)state;
	run(yield_until_time_passed);
}

/* ---- lives ---- */

static int boot_and_stop(void *arg)
{
	(void)arg;
	CHECK(!sim_is_running(a1));
	sim_boot(a1, wait_for_stop, NULL);
	CHECK(sim_is_running(a1));
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(sim_is_running(a1));
	CHECK_EQUAL(sim_stop_and_wait(a1), 0);
	CHECK(!sim_is_running(a1));
	return 0;
}

static void a_system_boots_and_stops(void **state)
{
	(void)state;
	run(boot_and_stop);
}

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

static int boot_for_seven(void *arg)
{
	(void)arg;
	sim_boot(a1, seven, NULL);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	CHECK_EQUAL(sim_exit_code(a1), 7);
	return 0;
}

static void the_exit_code_is_what_main_returned(void **state)
{
	(void)state;
	run(boot_for_seven);
}

static int allocate_and_wait(void *arg)
{
	void *small = mem_alloc(100), *pages = mem_alloc_pages(8192);
	char *grown = mem_resize(mem_copy_string("abc"), 5000);

	(void)arg;
	CHECK(small != NULL);
	CHECK_EQUAL((uintptr_t)pages % 4096, 0);
	CHECK(strcmp(grown, "abc") == 0);
	return rt_wait_stop();		/* and lose them all */
}

static int crash_with_memory(void *arg)
{
	(void)arg;
	sim_boot(a1, allocate_and_wait, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK_EQUAL(sim_memory_pieces(a1), 3);
	CHECK(sim_memory_bytes(a1) == 100 + 8192 + 5000);
	sim_crash(a1, SIM_DEATH);
	CHECK_EQUAL(sim_memory_pieces(a1), 0);
	sim_boot(a1, wait_for_stop, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	return sim_stop_and_wait(a1);
}

static void a_crash_frees_what_the_system_had(void **state)
{
	(void)state;
	run(crash_with_memory);
	assert_int_equal(sim_fault_count(world, SIM_FAULT_DEATH), 1);
}

static int boot_leaking(void *arg)
{
	(void)arg;
	sim_boot(a1, allocate_and_wait, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	return sim_stop_and_wait(a1);
}

static void a_leak_at_a_clean_stop_fails_the_run(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, boot_leaking, NULL, RT_NEVER), SIM_FAILED);
	assert_non_null(strstr(sim_failure(world), "without freeing its memory: 3 pieces"));
}

static void sleep_for_ever(void *arg)
{
	(void)arg;
	if (rt_sleep_until(RT_NEVER - 1) != 0)
		abort();
}

static int leave_a_fiber(void *arg)
{
	static struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	return rt_group_start(&group, "left behind", sleep_for_ever, NULL);
}

static int boot_leaving_a_fiber(void *arg)
{
	(void)arg;
	sim_boot(a1, leave_a_fiber, NULL);
	return sim_wait_ended(a1);
}

static void a_fiber_left_at_a_clean_stop_fails_the_run(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, boot_leaving_a_fiber, NULL, RT_NEVER), SIM_FAILED);
	assert_non_null(strstr(sim_failure(world), "a1/0 left behind: waits for a moment"));
}

/* ---- clocks, boot ids ---- */

struct clocks {
	int64_t now_ns, wall_ns;
	uint8_t boot_id[16];
};

static int look_at_clocks(void *arg)
{
	struct clocks *clocks = arg;

	clocks->now_ns = rt_now_ns();
	clocks->wall_ns = rt_wall_ns();
	rt_kernel_boot_id(clocks->boot_id);
	return rt_wait_stop();
}

static int boot_three_times(void *arg)
{
	struct clocks first, second, third;

	(void)arg;
	sim_boot(a1, look_at_clocks, &first);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	sim_crash(a1, SIM_DEATH);
	sim_boot(a1, look_at_clocks, &second);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2000 * RT_SECOND), 0);
	sim_crash(a1, SIM_POWER_LOSS);
	sim_jump_wall(a1, -3600 * RT_SECOND);
	sim_boot(a1, look_at_clocks, &third);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);

	CHECK(memcmp(first.boot_id, second.boot_id, 16) == 0);
	CHECK(second.now_ns - first.now_ns > 9 * RT_SECOND);
	CHECK(memcmp(second.boot_id, third.boot_id, 16) != 0);
	CHECK(third.now_ns < 1001 * RT_SECOND);	/* counts from boot */
	CHECK(third.wall_ns < second.wall_ns - 1500 * RT_SECOND);
	return sim_stop_and_wait(a1);
}

static void clocks_and_boot_ids_follow_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, boot_three_times, NULL, RT_NEVER), SIM_DONE);
}

/* ---- pause ---- */

static int count_ticks(void *arg)
{
	unsigned *ticks = arg;
	int rc = 0;

	while (rc == 0) {
		RT_LIMIT(rt_now_ns() + 100 * RT_MS);

		(*ticks)++;
		rc = rt_wait_stop() == 0;
	}
	return 0;
}

static int pause_for_a_minute(void *arg)
{
	unsigned ticks = 0, before;

	(void)arg;
	sim_boot(a1, count_ticks, &ticks);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	before = ticks;
	CHECK(before >= 90 && before <= 101);
	sim_pause(a1);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 60 * RT_SECOND), 0);
	CHECK_EQUAL(ticks, before);
	sim_resume(a1);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	CHECK(ticks >= before + 90 && ticks <= before + 102);
	return sim_stop_and_wait(a1);
}

static void no_fiber_of_a_paused_system_runs(void **state)
{
	(void)state;
	assert_int_equal(sim_run(world, pause_for_a_minute, NULL, RT_NEVER), SIM_DONE);
}

/* ---- reactors and calls ---- */

static int which_reactor(void *arg)
{
	(void)arg;
	if (rt_sleep_until(rt_now_ns() + RT_MS) != 0)
		return -1;
	return (int)rt_reactor_index(rt_here());
}

static int ask_reactors(void *arg)
{
	(void)arg;
	CHECK_EQUAL(rt_reactor_count(), 2);
	CHECK_EQUAL(rt_call(rt_reactor(1), which_reactor, NULL), 1);
	CHECK_EQUAL(rt_help(seven, NULL), 7);
	return 0;
}

static int boot_asking(void *arg)
{
	(void)arg;
	sim_boot(a1, ask_reactors, NULL);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	return sim_exit_code(a1);
}

static void reactors_call_one_another(void **state)
{
	(void)state;
	run(boot_asking);
}

/* Goes to and fro between the reactors, as deep as left says. */
static int call_deep(void *arg)
{
	unsigned *left = arg;

	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_US), 0);
	if (--*left == 0)
		return 1234;
	return rt_call(rt_reactor(1 - rt_reactor_index(rt_here())), call_deep, left);
}

static void call_in_a_fiber(void *arg)
{
	unsigned left = 10;

	CHECK_EQUAL(rt_call(rt_reactor(1), call_deep, &left), 1234);
	++*(unsigned *)arg;
}

/* From many fibers at once, of which one may not start; the result is how many were refused. */
static int call_from_many(void *arg)
{
	unsigned started = 0, ended = 0;
	struct rt_group group;

	rt_group_init(&group);
	for (unsigned i = 0; i < *(unsigned *)arg; i++) {
		void *wanted = mem_alloc(16);

		if (wanted && !rt_group_start(&group, "caller", call_in_a_fiber, &ended))
			started++;
		mem_free(wanted);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(ended, started);
	return (int)(*(unsigned *)arg - started);
}

static int fail_each(void *arg)
{
	static const enum sim_call_kind kinds[] = { SIM_ALLOC, SIM_FIBER };
	unsigned callers = 20;

	(void)arg;
	for (unsigned kind = 0; kind < 2; kind++) {
		/* The main fiber is the first; calls take none, and no memory. */
		for (unsigned n = 1 + kind; n <= callers + kind + 1; n++) {
			sim_boot(a1, call_from_many, &callers);
			sim_fail_nth(a1, kinds[kind], n);
			CHECK_EQUAL(sim_wait_ended(a1), 0);
			CHECK_EQUAL(sim_exit_code(a1), n <= callers + kind);
			CHECK_EQUAL(sim_calls(a1, kinds[kind]), callers + kind);
			sim_fail_nth(a1, kinds[kind], 0);
		}
	}
	return 0;
}

static void a_call_never_fails_by_itself(void **state)
{
	(void)state;
	run(fail_each);
}

static int crash_in_calls(void *arg)
{
	unsigned callers = 20, crashes = 0;

	(void)arg;
	for (unsigned round = 0; round < 200; round++) {
		sim_boot(a1, call_from_many, &callers);
		while (sim_calls(a1, SIM_FIBER) < 2)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_US), 0);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + round * RT_US), 0);
		crashes += sim_is_running(a1);
		sim_crash(a1, SIM_DEATH);
	}
	CHECK(crashes > 20);
	sim_boot(a1, call_from_many, &callers);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	return sim_exit_code(a1);
}

/* On either reactor, waiting there or on the way: their stacks serve others. */
static void a_crash_takes_fibers_that_are_away(void **state)
{
	(void)state;
	run(crash_in_calls);
}

static int call_inside(void *arg)
{
	(void)arg;
	CHECK_EQUAL(sim_call(a1, seven, NULL), -ECONNABORTED);
	sim_boot(a1, wait_for_stop, NULL);
	CHECK_EQUAL(sim_call(a1, which_reactor, NULL), 0);
	return sim_stop_and_wait(a1);
}

static void outside_calls_into_a_system(void **state)
{
	(void)state;
	run(call_inside);
}

static void crash_soon(void *arg)
{
	(void)arg;
	if (rt_sleep_until(rt_now_ns() + RT_SECOND) != 0)
		abort();
	sim_crash(a1, SIM_POWER_LOSS);
}

static int call_and_crash(void *arg)
{
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	sim_boot(a1, wait_for_stop, NULL);
	CHECK_EQUAL(rt_group_start(&group, "crash", crash_soon, NULL), 0);
	CHECK_EQUAL(sim_call(a1, wait_for_stop, NULL), -ECONNABORTED);
	return rt_group_wait(&group);
}

static void a_crash_ends_a_call_from_outside(void **state)
{
	(void)state;
	run(call_and_crash);
}

/* ---- fail the n-th ---- */

static int allocate_five(void *arg)
{
	unsigned *got = arg;
	void *pieces[5];

	for (unsigned i = 0; i < 5; i++)
		pieces[i] = mem_alloc(10);
	for (unsigned i = 0; i < 5; i++) {
		*got = *got << 1 | (pieces[i] != NULL);
		mem_free(pieces[i]);
	}
	return 0;
}

static int fail_third_allocation(void *arg)
{
	unsigned got = 0;

	(void)arg;
	sim_fail_nth(a1, SIM_ALLOC, 3);
	sim_boot(a1, allocate_five, &got);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	CHECK_EQUAL(got, 0x1b);	/* 11011 */
	CHECK_EQUAL(sim_calls(a1, SIM_ALLOC), 5);
	CHECK_EQUAL(sim_fault_count(world, SIM_FAULT_NTH_CALL), 1);
	return 0;
}

static void the_nth_allocation_fails(void **state)
{
	(void)state;
	run(fail_third_allocation);
}

static int crash_at_third_allocation(void *arg)
{
	unsigned got = 0;

	(void)arg;
	sim_crash_at_nth(a1, SIM_ALLOC, 2, SIM_DEATH);
	sim_boot(a1, allocate_and_wait, &got);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	CHECK_EQUAL(sim_exit_code(a1), -ECONNABORTED);
	return 0;
}

static void a_system_crashes_at_the_nth_call(void **state)
{
	(void)state;
	run(crash_at_third_allocation);
}

/* ---- it repeats ---- */

static int a_bit_of_everything(void *arg)
{
	unsigned ticks = 0;

	(void)arg;
	sim_boot(a1, count_ticks, &ticks);
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(world, 1000) * RT_MS), 0);
		sim_crash(a1, i % 2 == 0 ? SIM_DEATH : SIM_POWER_LOSS);
		sim_boot(a1, count_ticks, &ticks);
	}
	return sim_stop_and_wait(a1);
}

static uint64_t hash_of_seed(uint64_t seed)
{
	uint64_t hash;

	sim_destroy(world);
	world = sim_create(seed, NULL);
	a1 = sim_add_system(world, "a1", 2);
	run(a_bit_of_everything);
	hash = sim_trace_hash(world);
	return hash;
}

static void the_seed_decides_everything(void **state)
{
	uint64_t hash = hash_of_seed(5);

	(void)state;
	assert_true(hash == hash_of_seed(5));
	assert_true(hash != hash_of_seed(6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_hour_passes_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(time_ends_when_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deadlock_is_found_and_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_busy_fiber_does_not_stop_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_system_boots_and_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_exit_code_is_what_main_returned, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crash_frees_what_the_system_had, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_leak_at_a_clean_stop_fails_the_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_fiber_left_at_a_clean_stop_fails_the_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clocks_and_boot_ids_follow_the_kernel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_fiber_of_a_paused_system_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reactors_call_one_another, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_call_never_fails_by_itself, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crash_takes_fibers_that_are_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(outside_calls_into_a_system, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_crash_ends_a_call_from_outside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_nth_allocation_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_system_crashes_at_the_nth_call, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_seed_decides_everything, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
