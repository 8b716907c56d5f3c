/* SPDX-License-Identifier: Apache-2.0 */
/* Real reactors: calls and messages between threads, helper threads, clock, signals, rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/run.h"
#include "rt/uring.h"
#include "rt_check.h"

static int run(unsigned reactors, int (*main_fn)(void *arg), void *arg)
{
	struct rt_options options = { .reactors = reactors };

	return rt_run(&options, main_fn, arg);
}

/* ---- between reactors ---- */

static int add_one(void *arg)
{
	int *number = arg;

	if (*number % 7 == 0)
		rt_yield();
	return ++*number;
}

struct caller {
	struct rt_reactor *to;
	int number;
};

static void call_often(void *arg)
{
	struct caller *caller = arg;

	for (int i = 1; i <= 300; i++)
		CHECK_EQUAL(rt_call(caller->to, add_one, &caller->number), i);
}

static int call_from_here(void *arg)
{
	struct caller callers[20];
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	for (unsigned i = 0; i < 20; i++) {
		callers[i] = (struct caller){ .to = rt_reactor((rt_reactor_index(rt_here()) + 1) % 3) };
		CHECK_EQUAL(rt_group_start(&group, "caller", call_often, &callers[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < 20; i++)
		CHECK_EQUAL(callers[i].number, 300);
	return 0;
}

static void call_round(void *arg)
{
	CHECK_EQUAL(rt_call(arg, call_from_here, NULL), 0);
}

static int main_calls(void *arg)
{
	struct rt_group group;

	(void)arg;
	CHECK_EQUAL(rt_reactor_count(), 3);
	rt_group_init(&group);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(rt_group_start(&group, "round", call_round, rt_reactor(i)), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	return 123;
}

/* Thousands of calls in a circle of three threads, all at once; main's result is that of the run. */
static void test_calls(void **state)
{
	(void)state;
	assert_int_equal(run(3, main_calls, NULL), 123);
}

enum { MESSAGES = 20000 };

static struct receiver {
	struct numbered {
		struct rt_message message;
		int number;
	} messages[MESSAGES];
	int next;
	struct rt_cond all;
} receiver;

static void receive(struct rt_message *message)
{
	CHECK_EQUAL(container_of(message, struct numbered, message)->number, receiver.next);
	if (++receiver.next == MESSAGES)
		rt_cond_wake_all(&receiver.all);
}

static int post_all(void *arg)
{
	for (int i = 0; i < MESSAGES; i++) {
		receiver.messages[i] = (struct numbered){ .message.fn = receive, .number = i };
		rt_post(arg, &receiver.messages[i].message);
	}
	return 0;
}

static void begin_posting(void *arg)
{
	CHECK_EQUAL(rt_call(rt_reactor(1), post_all, arg), 0);
}

static int main_posts(void *arg)
{
	struct rt_group group;

	(void)arg;
	rt_cond_init(&receiver.all);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "poster", begin_posting, rt_here()), 0);
	while (receiver.next < MESSAGES)
		CHECK_EQUAL(rt_cond_wait(&receiver.all), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	return 0;
}

/* Messages of one reactor arrive in order while the receiver falls asleep and wakes up; none is lost. */
static void test_posts(void **state)
{
	(void)state;
	assert_int_equal(run(2, main_posts, NULL), 0);
}

/* ---- helper threads ---- */

/* Each job says that it runs, then blocks until it is let go. */
static struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t change;
	unsigned inside;
	bool open;
} gate = { .mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER };

static int pass_gate(void *arg)
{
	pthread_mutex_lock(&gate.mutex);
	gate.inside++;
	pthread_cond_broadcast(&gate.change);
	while (!gate.open)
		pthread_cond_wait(&gate.change, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
	return *(int *)arg;
}

static void wait_all_taken(void)
{
	pthread_mutex_lock(&gate.mutex);
	while (gate.inside < HELPERS_MAX)
		pthread_cond_wait(&gate.change, &gate.mutex);
	pthread_mutex_unlock(&gate.mutex);
}

static void help_once(void *arg)
{
	*(int *)arg = rt_help(pass_gate, arg);
}

static void help_briefly(void *arg)
{
	RT_LIMIT(rt_now_ns() + 20 * RT_MS);

	help_once(arg);
}

/* An open file is written and made durable, and grows, whatever the other helpers wait for. */
static void work_on_file(struct rt_file *file)
{
	uint8_t data[8192] = { 1 };
	RT_LIMIT(rt_now_ns() + 20 * RT_SECOND);

	CHECK_EQUAL(rt_file_write(file, data, sizeof(data), 0), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	CHECK_EQUAL(rt_file_punch(file, 0, 4096), 0);
	CHECK_EQUAL(rt_file_set_size(file, 1 << 20), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
}

static int main_help(void *arg)
{
	int running[HELPERS_MAX], limited = 5, cancelled = 6;
	struct rt_group group, second;
	struct rt_file *file;

	(void)arg;
	CHECK_EQUAL(rt_file_open("help-test.file", RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_path_unlink("help-test.file"), 0);
	rt_group_init(&group);
	rt_group_init(&second);
	for (unsigned i = 0; i < HELPERS_MAX; i++) {
		running[i] = (int)i + 100;
		CHECK_EQUAL(rt_group_start(&group, "helped", help_once, &running[i]), 0);
	}
	rt_yield();
	wait_all_taken();

	work_on_file(file);

	/* All threads are taken: these two wait in the queue and leave it without having run. */
	CHECK_EQUAL(rt_group_start(&second, "limited", help_briefly, &limited), 0);
	CHECK_EQUAL(rt_group_wait(&second), 0);
	CHECK_EQUAL(limited, -ETIMEDOUT);
	CHECK_EQUAL(rt_group_start(&second, "cancelled", help_once, &cancelled), 0);
	rt_yield();
	rt_group_stop(&second);
	CHECK_EQUAL(cancelled, -ECANCELED);

	/* Those that run are waited for, although cancelled: the thread has their argument. */
	rt_group_cancel(&group);
	rt_yield();
	CHECK_EQUAL(group.count, HELPERS_MAX);
	pthread_mutex_lock(&gate.mutex);
	gate.open = true;
	pthread_cond_broadcast(&gate.change);
	pthread_mutex_unlock(&gate.mutex);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < HELPERS_MAX; i++)
		CHECK_EQUAL(running[i], i + 100);
	CHECK_EQUAL(gate.inside, HELPERS_MAX);
	rt_file_close(file);
	return 0;
}

static void test_help(void **state)
{
	(void)state;
	assert_int_equal(run(2, main_help, NULL), 0);
}

static void hang_on_disk(void *arg)
{
	struct helpers *helpers = disk_helpers_get(&uring_system()->data_helpers, UINT64_MAX);

	*(int *)arg = helpers_run(helpers, NULL, pass_gate, arg);
}

static int main_hung_disk(void *arg)
{
	int hanging[2 * HELPERS_MAX];
	struct rt_group group;
	struct rt_file *file;

	(void)arg;
	gate.open = false;
	gate.inside = 0;
	rt_group_init(&group);
	CHECK_EQUAL(rt_file_open("help-test.file", RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_path_unlink("help-test.file"), 0);
	for (unsigned i = 0; i < 2 * HELPERS_MAX; i++) {
		hanging[i] = (int)i;
		CHECK_EQUAL(rt_group_start(&group, "hanging", hang_on_disk, &hanging[i]), 0);
	}
	rt_yield();
	wait_all_taken();
	work_on_file(file);
	pthread_mutex_lock(&gate.mutex);
	gate.open = true;
	pthread_cond_broadcast(&gate.change);
	pthread_mutex_unlock(&gate.mutex);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(gate.inside, 2 * HELPERS_MAX);
	rt_file_close(file);
	return 0;
}

/* Sixteen volumes on a disk that hangs took all threads, and no file of another disk was made durable. */
static void test_a_hung_disk_keeps_no_other_waiting(void **state)
{
	(void)state;
	assert_int_equal(run(2, main_hung_disk, NULL), 0);
}

/* ---- clock, randomness ---- */

static int main_clock(void *arg)
{
	struct timespec wall;
	int64_t begin_ns = rt_now_ns();
	uint8_t id[16], again[16], none[16] = { 0 };

	(void)arg;
	CHECK_EQUAL(rt_sleep_until(begin_ns + 3 * RT_MS), 0);
	CHECK(rt_now_ns() >= begin_ns + 3 * RT_MS);
	CHECK_EQUAL(rt_sleep_until(begin_ns), 0);
	{
		RT_LIMIT(rt_now_ns() + RT_MS);

		CHECK_EQUAL(rt_sleep_until(RT_NEVER), -ETIMEDOUT);
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	CHECK(rt_wall_ns() / RT_SECOND - wall.tv_sec <= 1);
	CHECK(rt_random_u64() != rt_random_u64());
	rt_kernel_boot_id(id);
	rt_kernel_boot_id(again);
	CHECK(memcmp(id, again, 16) == 0 && memcmp(id, none, 16) != 0);
	return 0;
}

static void test_clock(void **state)
{
	(void)state;
	assert_int_equal(run(1, main_clock, NULL), 0);
}

static int64_t cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * RT_SECOND + used.tv_nsec;
}

static int main_idle(void *arg)
{
	int64_t before_ns = cpu_ns();

	(void)arg;
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 300 * RT_MS), 0);
	CHECK(cpu_ns() - before_ns < 15 * RT_MS);
	return 0;
}

/* Nothing polls: four reactors at rest take less than 5 % of one processor, sanitizers and all. */
static void test_idle(void **state)
{
	(void)state;
	assert_int_equal(run(4, main_idle, NULL), 0);
}

/* ---- the end ---- */

static int wait_stop_there(void *arg)
{
	(void)arg;
	return rt_wait_stop();
}

static void wait_stop(void *arg)
{
	CHECK_EQUAL(rt_call(arg, wait_stop_there, NULL), 0);
}

static int main_stop(void *arg)
{
	struct rt_group group;

	rt_group_init(&group);
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQUAL(rt_group_start(&group, "waiter", wait_stop, rt_reactor(i)), 0);
	rt_yield();
	CHECK_EQUAL(group.count, 2);
	CHECK_EQUAL(kill(getpid(), *(int *)arg), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

/* A signal ends rt_wait_stop on every reactor; the process's own handling of signals is back afterwards. */
static void test_stop(void **state)
{
	int signals[] = { SIGTERM, SIGINT };
	sigset_t before, after;

	(void)state;
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	for (int i = 0; i < 2; i++)
		assert_int_equal(run(2, main_stop, &signals[i]), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
}

static int main_count(void *arg)
{
	*(unsigned *)arg = rt_reactor_count();
	return -EIO;
}

static void test_default_count(void **state)
{
	unsigned count = 0;

	(void)state;
	assert_int_equal(run(0, main_count, &count), -EIO);
	assert_int_equal(count, sysconf(_SC_NPROCESSORS_ONLN) < 64 ? sysconf(_SC_NPROCESSORS_ONLN) : 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_posts),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_a_hung_disk_keeps_no_other_waiting),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_default_count),
	};

	return cmocka_run_group_tests_name("rt_run", tests, NULL, NULL);
}
