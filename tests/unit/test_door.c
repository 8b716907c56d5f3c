/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that are no reactors have something done on one, by a fiber each, and none after the door is shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <cmocka.h>

#include "rt/door.h"
#include "rt/run.h"
#include "rt_check.h"

#define THREADS		8u
#define CALLS		200

struct visitor {
	struct door *door;
	int number;
	int refused;			/* how the last call ended */
	pthread_t thread;
};

static atomic_uint inside;

static int add_one(void *arg)
{
	int *number = arg;

	/* Some wait: others come in meanwhile. */
	if (*number % 5 == 0)
		rt_yield();
	return ++*number;
}

static void *call_often(void *arg)
{
	struct visitor *visitor = arg;

	for (int i = 1; i <= CALLS; i++)
		CHECK_EQUAL(door_call(visitor->door, RT_SECOND, add_one, &visitor->number), i);
	return NULL;
}

struct herd {
	struct visitor visitors[THREADS];
	void *(*fn)(void *arg);
};

static int start_threads(struct herd *herd, struct door *door)
{
	for (unsigned i = 0; i < THREADS; i++) {
		herd->visitors[i] = (struct visitor){ .door = door };
		CHECK_EQUAL(pthread_create(&herd->visitors[i].thread, NULL, herd->fn, &herd->visitors[i]), 0);
	}
	return 0;
}

static int join_threads(void *arg)
{
	struct herd *herd = arg;

	for (unsigned i = 0; i < THREADS; i++)
		CHECK_EQUAL(pthread_join(herd->visitors[i].thread, NULL), 0);
	return 0;
}

static int serve_threads(void *arg)
{
	struct herd *herd = arg;
	struct door *door;

	CHECK_EQUAL(door_open(&door), 0);
	start_threads(herd, door);
	CHECK_EQUAL(rt_help(join_threads, herd), 0);
	door_close(door);
	return 0;
}

static int run(int (*fn)(void *arg), void *arg)
{
	struct rt_options options = { .reactors = 2 };

	return rt_run(&options, fn, arg);
}

static void calls_of_many_threads_are_done_and_answered(void **state)
{
	struct herd herd = { .fn = call_often };

	(void)state;
	assert_int_equal(0, run(serve_threads, &herd));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(CALLS, herd.visitors[i].number);
}

/* A wait ends by the limit of the call. */
static int wait_for_ever(void *arg)
{
	(void)arg;
	atomic_fetch_add(&inside, 1);
	return rt_sleep_until(RT_NEVER);
}

static void *call_in_vain(void *arg)
{
	struct visitor *visitor = arg;

	visitor->number = door_call(visitor->door, RT_MS, wait_for_ever, NULL);
	return NULL;
}

static void a_call_waits_no_longer_than_its_limit(void **state)
{
	struct herd herd = { .fn = call_in_vain };

	(void)state;
	assert_int_equal(0, run(serve_threads, &herd));
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(-ETIMEDOUT, herd.visitors[i].number);
}

static void *call_until_shut(void *arg)
{
	struct visitor *visitor = arg;

	visitor->number = door_call(visitor->door, 3600 * RT_SECOND, wait_for_ever, NULL);
	visitor->refused = door_call(visitor->door, RT_SECOND, wait_for_ever, NULL);
	return NULL;
}

static int shut_in_the_middle(void *arg)
{
	struct herd *herd = arg;
	struct door *door;

	CHECK_EQUAL(door_open(&door), 0);
	start_threads(herd, door);
	while (atomic_load(&inside) < THREADS)
		rt_yield();
	door_refuse(door);
	CHECK_EQUAL(rt_help(join_threads, herd), 0);
	door_close(door);
	return 0;
}

static void a_door_that_is_shut_ends_waits_and_refuses_calls(void **state)
{
	struct herd herd = { .fn = call_until_shut };

	(void)state;
	atomic_store(&inside, 0);
	assert_int_equal(0, run(shut_in_the_middle, &herd));
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(-ECANCELED, herd.visitors[i].number);
		assert_int_equal(-ESHUTDOWN, herd.visitors[i].refused);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_of_many_threads_are_done_and_answered),
		cmocka_unit_test(a_call_waits_no_longer_than_its_limit),
		cmocka_unit_test(a_door_that_is_shut_ends_waits_and_refuses_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
