/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core of rt alone: fibers, groups, limits, shields, conds, mutexes and calls, on two reactors of one thread whose
 * clock jumps to the next timer when nothing else is to be done. No kernel, no waiting: every case is exact.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/core.h"

/* ---- the smallest backend ---- */

static struct world {
	struct rt_system system;
	struct rt_reactor reactors[2];
	struct fiber_pool pool;
	int64_t now_ns;
	bool refuse_fibers;
	char trace[256];		/* what happened, in order */
} world;

static int64_t fake_now(struct rt_reactor *reactor)
{
	(void)reactor;
	return world.now_ns;
}

static void fake_post(struct rt_reactor *to, struct rt_message *message)
{
	bool wake = core_deliver(to, message);

	(void)wake;
}

static bool fake_allow_fiber(struct rt_reactor *reactor)
{
	(void)reactor;
	return !world.refuse_fibers;
}

static int fake_help(int (*fn)(void *arg), void *arg)
{
	return fn(arg);
}

static const struct rt_backend fake_backend = {
	.now_ns = fake_now,
	.post = fake_post,
	.allow_fiber = fake_allow_fiber,
	.help = fake_help,
};

static void note(const char *what)
{
	size_t used = strlen(world.trace);

	snprintf(world.trace + used, sizeof(world.trace) - used, "%s", what);
}

static void begin_world(unsigned stacks)
{
	memset(&world, 0, sizeof(world));
	core_pool_init(&world.pool, stacks);
	core_system_init(&world.system, &fake_backend);
	for (unsigned i = 0; i < 2; i++)
		core_reactor_init(&world.reactors[i], &world.system, &world.pool);
}

/* Until no fiber can ever run again. */
static void run_world(void)
{
	for (;;) {
		bool first = core_turn(&world.reactors[0]), second = core_turn(&world.reactors[1]);
		int64_t next_ns = core_next_timer(&world.reactors[0]), other_ns = core_next_timer(&world.reactors[1]);

		if (first || second)
			continue;
		if (other_ns < next_ns)
			next_ns = other_ns;
		if (next_ns == RT_NEVER)
			return;
		assert_true(next_ns > world.now_ns);
		world.now_ns = next_ns;
	}
}

static void end_world(void)
{
	for (unsigned i = 0; i < 2; i++)
		core_reactor_destroy(&world.reactors[i]);
	assert_int_equal(world.pool.count, world.pool.count_idle);
	fiber_pool_destroy(&world.pool);
	assert_int_equal(world.pool.count, 0);
}

/* Runs fn as the main fiber on reactor 0 until everything has ended. */
static void in_world(void (*fn)(void *arg))
{
	begin_world(64);
	assert_int_equal(core_spawn(&world.reactors[0], "main", fn, NULL), 0);
	run_world();
	assert_int_equal(world.reactors[0].fiber_count + world.reactors[1].fiber_count, 0);
	end_world();
}

/* ---- fibers and groups ---- */

static void note_arg(void *arg)
{
	note(arg);
	rt_yield();
	note(arg);
}

static void main_order(void *arg)
{
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "a", note_arg, "a"), 0);
	assert_int_equal(rt_group_start(&group, "b", note_arg, "b"), 0);
	note("-");
	assert_int_equal(rt_group_wait(&group), 0);
	assert_int_equal(group.count, 0);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_string_equal(rt_fiber_name(), "main");
}

/* Fibers run in the order of their start, after the starter suspends, and yield lets the others run first. */
static void test_order(void **state)
{
	(void)state;
	begin_world(64);
	assert_int_equal(core_spawn(&world.reactors[0], "main", main_order, NULL), 0);
	run_world();
	assert_string_equal(world.trace, "-abab");
	end_world();
}

static int depth(int n)
{
	volatile char here[256];

	memset((void *)here, n, sizeof(here));
	if (n == 0)
		return 0;
	if (n % 16 == 0)
		rt_yield();
	return depth(n - 1) + (here[0] == (char)n);
}

static void deep(void *arg)
{
	*(int *)arg = depth(200);
}

static void main_deep(void *arg)
{
	struct rt_group group;
	int results[20] = { 0 };

	(void)arg;
	rt_group_init(&group);
	for (int i = 0; i < 20; i++)
		assert_int_equal(rt_group_start(&group, "deep", deep, &results[i]), 0);
	assert_int_equal(rt_group_wait(&group), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(results[i], 200);
}

/* Every fiber keeps its own deep stack over switches. */
static void test_stacks_apart(void **state)
{
	(void)state;
	in_world(main_deep);
}

static void wait_for_ever(void *arg)
{
	int rc = rt_sleep_until(RT_NEVER);

	assert_int_equal(rc, -ECANCELED);
	assert_true(rt_cancelled());
	assert_int_equal(rt_sleep_until(rt_now_ns() + 1), -ECANCELED);
	(*(int *)arg)++;
}

static void main_cancel(void *arg)
{
	struct rt_group group;
	int ended = 0;

	(void)arg;
	rt_group_init(&group);
	for (int i = 0; i < 10; i++)
		assert_int_equal(rt_group_start(&group, "waiter", wait_for_ever, &ended), 0);
	rt_yield();
	assert_int_equal(ended, 0);
	rt_group_cancel(&group);
	assert_int_equal(rt_group_start(&group, "late", wait_for_ever, &ended), -ECANCELED);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_int_equal(ended, 10);
	rt_group_stop(&group);
	/* A fiber that was not begun when the group was cancelled runs, and its first wait fails. */
	assert_int_equal(rt_group_start(&group, "again", wait_for_ever, &ended), 0);
	rt_group_stop(&group);
	assert_int_equal(ended, 11);
}

/* Cancelling ends all waits of the group, present and future; after a stop the group can be used again. */
static void test_cancel(void **state)
{
	(void)state;
	in_world(main_cancel);
}

static void shielded_sleep(void *arg)
{
	{
		RT_LIMIT(rt_now_ns() + 5);
		RT_SHIELD();

		assert_false(rt_cancelled());
		assert_int_equal(rt_limit_ns(), RT_NEVER);
		assert_int_equal(rt_sleep_until(100), 0);
		{
			RT_LIMIT(150);

			assert_int_equal(rt_sleep_until(200), -ETIMEDOUT);
		}
	}
	assert_int_equal(rt_now_ns(), 150);
	assert_int_equal(rt_sleep_until(300), -ECANCELED);
	*(bool *)arg = true;
}

static void main_shield(void *arg)
{
	struct rt_group group;
	bool ended = false;

	(void)arg;
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "shielded", shielded_sleep, &ended), 0);
	assert_int_equal(rt_sleep_until(10), 0);
	rt_group_cancel(&group);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_true(ended);
	assert_int_equal(rt_now_ns(), 150);
}

/* A shield keeps off the cancellation and the limit from outside, but not a limit set within it. */
static void test_shield(void **state)
{
	(void)state;
	in_world(main_shield);
}

static void main_limits(void *arg)
{
	struct rt_cond cond = RT_COND_INIT(cond);

	(void)arg;
	assert_int_equal(rt_limit_ns(), RT_NEVER);
	{
		RT_LIMIT(100);

		assert_int_equal(rt_sleep_until(50), 0);
		{
			RT_LIMIT(200);

			assert_int_equal(rt_limit_ns(), 100);
		}
		{
			RT_LIMIT(80);

			assert_int_equal(rt_cond_wait(&cond), -ETIMEDOUT);
			assert_false(rt_cond_has_waiters(&cond));
			assert_int_equal(rt_now_ns(), 80);
			assert_int_equal(rt_cond_wait(&cond), -ETIMEDOUT);
			assert_int_equal(core_check(), -ETIMEDOUT);
		}
		assert_int_equal(core_check(), 0);
		assert_int_equal(rt_sleep_until(100), 0);	/* at the limit itself the sleep has succeeded */
		assert_int_equal(rt_sleep_until(101), -ETIMEDOUT);
	}
	assert_int_equal(rt_limit_ns(), RT_NEVER);
	assert_int_equal(rt_sleep_until(101), 0);
	assert_int_equal(rt_now_ns(), 101);
}

/* The earliest limit counts, ends every wait, and goes with its block. */
static void test_limits(void **state)
{
	(void)state;
	in_world(main_limits);
}

struct sleeper {
	int64_t when_ns;
	int64_t *last_ns;
};

static void sleep_once(void *arg)
{
	struct sleeper *sleeper = arg;

	assert_int_equal(rt_sleep_until(sleeper->when_ns), 0);
	assert_int_equal(rt_now_ns(), sleeper->when_ns);
	assert_true(*sleeper->last_ns <= sleeper->when_ns);
	*sleeper->last_ns = sleeper->when_ns;
}

static void main_timers(void *arg)
{
	struct sleeper sleepers[300];
	struct rt_group kept, stopped;
	int64_t last_ns = 0;
	unsigned random = 1;
	int cancelled = 0;

	(void)arg;
	rt_group_init(&kept);
	rt_group_init(&stopped);
	for (int i = 0; i < 300; i++) {
		random = random * 1664525 + 1013904223;
		sleepers[i] = (struct sleeper){ .when_ns = 1 + (random >> 8) % 1000, .last_ns = &last_ns };
		if (i % 3 == 0)
			assert_int_equal(rt_group_start(&stopped, "stopped", wait_for_ever, &cancelled), 0);
		assert_int_equal(rt_group_start(&kept, "kept", sleep_once, &sleepers[i]), 0);
	}
	rt_yield();
	rt_group_stop(&stopped);
	assert_int_equal(rt_group_wait(&kept), 0);
	assert_true(last_ns > 900);
	assert_int_equal(cancelled, 100);
}

/* Hundreds of timers fire in order, also when others are taken out of their middle. */
static void test_timers(void **state)
{
	(void)state;
	begin_world(1000);
	assert_int_equal(core_spawn(&world.reactors[0], "main", main_timers, NULL), 0);
	run_world();
	end_world();
}

/* ---- conds and mutexes ---- */

static struct rt_mutex shared_mutex;

static void lock_and_note(void *arg)
{
	assert_int_equal(rt_mutex_lock(&shared_mutex), 0);
	note(arg);
	rt_yield();
	note(arg);
	rt_mutex_unlock(&shared_mutex);
}

static void lock_impatiently(void *arg)
{
	RT_LIMIT(rt_now_ns() + 10);

	(void)arg;
	assert_int_equal(rt_mutex_lock(&shared_mutex), -ETIMEDOUT);
	note("t");
}

static void main_mutex(void *arg)
{
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	rt_mutex_init(&shared_mutex);
	assert_int_equal(rt_mutex_lock(&shared_mutex), 0);
	assert_int_equal(rt_group_start(&group, "a", lock_and_note, "a"), 0);
	assert_int_equal(rt_group_start(&group, "t", lock_impatiently, NULL), 0);
	assert_int_equal(rt_group_start(&group, "b", lock_and_note, "b"), 0);
	assert_int_equal(rt_sleep_until(50), 0);
	rt_mutex_unlock(&shared_mutex);
	/* Handed over to a: asking again at once must queue behind b. */
	assert_int_equal(rt_mutex_lock(&shared_mutex), 0);
	note("m");
	rt_mutex_unlock(&shared_mutex);
	assert_false(shared_mutex.held);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_string_equal(world.trace, "taabbm");
}

/* A mutex is served in order, nobody overtakes, and one that gave up waiting is passed over. */
static void test_mutex(void **state)
{
	(void)state;
	in_world(main_mutex);
}

static struct rt_cond shared_cond;

static void wait_once(void *arg)
{
	*(int *)arg = rt_cond_wait(&shared_cond);
	note(*(int *)arg == 0 ? "w" : "c");
}

static void main_cond(void *arg)
{
	struct rt_group group;
	int results[4] = { 1, 1, 1, 1 };

	(void)arg;
	rt_group_init(&group);
	rt_cond_init(&shared_cond);
	rt_cond_wake_one(&shared_cond);		/* nobody waits: not remembered */
	rt_cond_wake_all(&shared_cond);
	for (int i = 0; i < 4; i++)
		assert_int_equal(rt_group_start(&group, "waiter", wait_once, &results[i]), 0);
	rt_yield();
	rt_cond_wake_one(&shared_cond);
	rt_cond_wake_one(&shared_cond);
	assert_true(rt_cond_has_waiters(&shared_cond));
	rt_group_cancel(&group);
	assert_false(rt_cond_has_waiters(&shared_cond));
	assert_int_equal(rt_group_wait(&group), 0);
	assert_int_equal(results[0], 0);
	assert_int_equal(results[1], 0);
	assert_int_equal(results[2], -ECANCELED);
	assert_int_equal(results[3], -ECANCELED);
	assert_string_equal(world.trace, "wwcc");
}

/* Waiters are woken in order, and a wake is not lost when its fiber is cancelled before it runs. */
static void test_cond(void **state)
{
	(void)state;
	in_world(main_cond);
}

/* ---- waits of a backend ---- */

static struct core_wait *pending;
static unsigned cancel_count;

static void count_cancel(struct core_wait *wait)
{
	assert_ptr_equal(wait, pending);
	cancel_count++;
}

static void operate(void *arg)
{
	RT_LIMIT(rt_now_ns() + 10);
	struct core_wait wait;

	core_wait_init(&wait, count_cancel);
	pending = &wait;
	*(int64_t *)arg = core_suspend(&wait);
}

/* Starts an operation, lets its limit pass, cancels it as well, and completes it with result. */
static int64_t interrupted_operation(int64_t result)
{
	struct rt_group group;
	int64_t out = 1;

	cancel_count = 0;
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "operation", operate, &out), 0);
	assert_int_equal(rt_sleep_until(rt_now_ns() + 50), 0);
	rt_group_cancel(&group);
	assert_int_equal(cancel_count, 1);
	assert_int_equal(group.count, 1);	/* still waiting: only the backend ends it */
	core_wake(pending, result);
	rt_group_stop(&group);
	return out;
}

static void main_operation(void *arg)
{
	struct core_wait wait;

	(void)arg;
	assert_int_equal(interrupted_operation(-ECANCELED), -ETIMEDOUT);
	assert_int_equal(interrupted_operation(4096), 4096);
	assert_int_equal(interrupted_operation(-EIO), -EIO);
	core_wait_init(&wait, count_cancel);
	core_wake(&wait, 7);			/* complete before the fiber suspends */
	assert_int_equal(core_suspend(&wait), 7);
}

/* The cancel callback comes once, the wait lasts until the completion, and a result that came all the same is kept. */
static void test_operation(void **state)
{
	(void)state;
	in_world(main_operation);
}

/* ---- calls and messages ---- */

static int there(void *arg)
{
	assert_ptr_equal(rt_here(), rt_reactor(1));
	assert_int_equal(rt_reactor_index(rt_here()), 1);
	assert_int_equal(rt_limit_ns(), 40);
	return rt_sleep_until(*(int64_t *)arg);
}

static int at_home(void *arg)
{
	(void)arg;
	assert_ptr_equal(rt_here(), rt_reactor(0));
	return 5;
}

static void call_there(void *arg)
{
	int64_t when_ns = 30;
	RT_LIMIT(40);

	assert_int_equal(rt_call(rt_reactor(1), there, &when_ns), 0);
	when_ns = 50;
	assert_int_equal(rt_call(rt_reactor(1), there, &when_ns), -ETIMEDOUT);
	*(bool *)arg = true;
}

static void main_call(void *arg)
{
	struct rt_group group;
	bool ended = false;

	(void)arg;
	assert_int_equal(rt_reactor_count(), 2);
	assert_int_equal(rt_call(rt_here(), at_home, NULL), 5);
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "caller", call_there, &ended), 0);
	assert_int_equal(rt_sleep_until(10), 0);
	rt_group_cancel(&group);		/* a call is not cancelled on the way */
	assert_int_equal(rt_group_wait(&group), 0);
	assert_true(ended);
	assert_int_equal(rt_now_ns(), 40);
}

/* A call runs on the other reactor under the caller's limit, and brings back its result. */
static void test_call(void **state)
{
	(void)state;
	in_world(main_call);
}

static int count_down(void *arg)
{
	unsigned *left = arg, here = rt_reactor_index(rt_here());

	assert_int_equal(rt_sleep_until(rt_now_ns() + 1), 0);
	if (*left == 0)
		return (int)here;
	--*left;
	assert_int_equal(rt_call(rt_reactor(1 - here), count_down, left), (int)(1 - here));
	assert_int_equal(rt_reactor_index(rt_here()), here);
	return (int)here;
}

static void call_to_and_fro(void *arg)
{
	unsigned left = 20;

	assert_int_equal(rt_call(rt_reactor(1), count_down, &left), 1);
	assert_int_equal(left, 0);
	++*(int *)arg;
}

static void main_call_full(void *arg)
{
	struct rt_group group;
	int ended = 0;

	(void)arg;
	rt_group_init(&group);
	for (int i = 0; i < 30; i++)
		assert_int_equal(rt_group_start(&group, "caller", call_to_and_fro, &ended), 0);
	world.refuse_fibers = true;
	assert_int_equal(rt_group_start(&group, "refused", call_to_and_fro, &ended), -ENOMEM);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_int_equal(ended, 30);
}

/* Where no fiber is to be had, all calls go on: also those of what was called, many at a time. */
static void test_call_full(void **state)
{
	(void)state;
	in_world(main_call_full);
}

static int sleep_there(void *arg)
{
	int rc = rt_sleep_until(20);

	assert_false(rt_cancelled());
	*(bool *)arg = true;
	return rc;
}

static void call_and_wait(void *arg)
{
	assert_int_equal(rt_call(rt_reactor(1), sleep_there, arg), 0);
	assert_true(rt_cancelled());
	assert_int_equal(rt_sleep_until(100), -ECANCELED);
}

static void main_call_cancelled(void *arg)
{
	struct rt_group group;
	bool slept = false;

	(void)arg;
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "caller", call_and_wait, &slept), 0);
	assert_int_equal(rt_sleep_until(10), 0);
	assert_int_equal(group.count, 1);
	rt_group_stop(&group);
	assert_true(slept);
	assert_int_equal(rt_now_ns(), 20);
}

/* A fiber that is away is not cancelled there, is waited for, and finds out when it is back. */
static void test_call_cancelled(void **state)
{
	(void)state;
	in_world(main_call_cancelled);
}

struct numbered {
	struct rt_message message;
	const char *text;
};

static void arrive(struct rt_message *message)
{
	assert_ptr_equal(rt_here(), rt_reactor(1));
	assert_null(core_fiber());
	note(container_of(message, struct numbered, message)->text);
}

static void main_post(void *arg)
{
	static struct numbered messages[3] = { { .text = "1" }, { .text = "2" }, { .text = "3" } };

	(void)arg;
	for (int i = 0; i < 3; i++) {
		messages[i].message.fn = arrive;
		rt_post(rt_reactor(1), &messages[i].message);
	}
	assert_string_equal(world.trace, "");
	assert_true(core_has_work(rt_reactor(1)));
	assert_int_equal(rt_sleep_until(1), 0);
	assert_string_equal(world.trace, "123");
}

/* Messages run on the receiver, outside fibers, in the order they were posted. */
static void test_post(void **state)
{
	(void)state;
	in_world(main_post);
}

/* ---- the life of a system ---- */

static void wait_stop(void *arg)
{
	{
		RT_LIMIT(10);

		assert_int_equal(rt_wait_stop(), -ETIMEDOUT);
	}
	assert_int_equal(rt_wait_stop(), 0);
	assert_int_equal(rt_wait_stop(), 0);
	note(arg);
}

static void main_stop(void *arg)
{
	assert_int_equal(rt_sleep_until(20), 0);
	note("-");
	core_stop(arg);
	core_stop(arg);
}

static void test_stop(void **state)
{
	(void)state;
	begin_world(64);
	assert_int_equal(core_spawn(&world.reactors[0], "main", main_stop, &world.system), 0);
	assert_int_equal(core_spawn(&world.reactors[0], "first", wait_stop, "0"), 0);
	assert_int_equal(core_spawn(&world.reactors[1], "second", wait_stop, "1"), 0);
	run_world();
	assert_int_equal(strlen(world.trace), 3);
	assert_int_equal(world.trace[0], '-');
	end_world();
}

static void main_dropped(void *arg)
{
	RT_LIMIT(RT_NEVER - 1);
	char buf[1000];

	memset(buf, 1, sizeof(buf));
	note(arg);
	assert_int_equal(rt_sleep_until(RT_NEVER - 2), 0);
	note("never");
}

/* A crash: fibers go where they stand and nothing of them runs again; their stacks serve the next system as new. */
static void test_drop(void **state)
{
	(void)state;
	begin_world(2);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(core_spawn(&world.reactors[0], "one", main_dropped, "d"), 0);
		assert_int_equal(core_spawn(&world.reactors[0], "two", main_dropped, "d"), 0);
		assert_int_equal(core_spawn(&world.reactors[0], "three", main_dropped, "d"), -ENOMEM);
		for (int turn = 0; turn < 3; turn++)
			core_turn(&world.reactors[0]);
		core_reactor_destroy(&world.reactors[0]);
		core_reactor_destroy(&world.reactors[1]);
		assert_int_equal(world.pool.count_idle, 2);
		core_system_init(&world.system, &fake_backend);
		core_reactor_init(&world.reactors[0], &world.system, &world.pool);
		core_reactor_init(&world.reactors[1], &world.system, &world.pool);
	}
	assert_string_equal(world.trace, "dddddd");
	end_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stacks_apart),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_shield),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_timers),
		cmocka_unit_test(test_mutex),
		cmocka_unit_test(test_cond),
		cmocka_unit_test(test_operation),
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_call_full),
		cmocka_unit_test(test_call_cancelled),
		cmocka_unit_test(test_post),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_drop),
	};

	return cmocka_run_group_tests_name("rt_core", tests, NULL, NULL);
}
