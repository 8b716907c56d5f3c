/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that nobody answers for: whoever asks goes on at his limit, files and the end of the system do not wait for
 * them. The resolver is the test's own: "slow" is answered when the test says so, and "none"
 * does not exist.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/lookup.h"
#include "rt/net.h"
#include "rt/run.h"
#include "rt_check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned asking;
static bool answers;

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
	static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (!strcmp(host, "none"))
		return EAI_NONAME;
	pthread_mutex_lock(&mutex);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!strcmp(host, "slow") && !(hints->ai_flags & AI_NUMERICHOST)) {
		asking++;
		pthread_cond_broadcast(&changed);
		while (!answers)
			pthread_cond_wait(&changed, &mutex);
		asking--;
		pthread_cond_broadcast(&changed);
		host = "127.0.0.1";
	}
	pthread_mutex_unlock(&mutex);
	return real(host, port, hints, found);
}

static void let_answer(void)
{
	pthread_mutex_lock(&mutex);
	answers = true;
	pthread_cond_broadcast(&changed);
	while (asking)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

static int set_up(void **state)
{
	(void)state;
	answers = false;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	let_answer();
	return 0;
}

static void run(int (*main_fn)(void *arg))
{
	struct rt_options options = { .reactors = 2 };

	assert_int_equal(rt_run(&options, main_fn, NULL), 0);
}

static void dial(void *arg)
{
	struct rt_stream *stream;
	RT_LIMIT(rt_now_ns() + 50 * RT_MS);

	CHECK_EQUAL(rt_connect("slow:1", &stream), *(int *)arg);
}

static int main_unanswered(void *arg)
{
	int64_t before_ns = rt_now_ns();
	struct rt_file_info info;
	struct rt_group group;
	int timed_out = -ETIMEDOUT, refused = -EAGAIN, cancelled = -ECANCELED;

	(void)arg;
	rt_group_init(&group);
	for (unsigned i = 0; i < LOOKUP_THREADS_MAX - 1; i++)
		CHECK_EQUAL(rt_group_start(&group, "dial", dial, &timed_out), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(rt_path_info("/", &info), 0);
	CHECK_EQUAL(rt_group_start(&group, "cancelled", dial, &cancelled), 0);
	rt_yield();
	rt_group_stop(&group);
	CHECK_EQUAL(rt_group_start(&group, "one too many", dial, &refused), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(rt_now_ns() - before_ns < 20 * RT_SECOND);
	return 0;
}

/* The threads that ask outlive the system; a limit, a cancel, and the bound of them are told at once. */
static void nobody_waits_for_names(void **state)
{
	(void)state;
	run(main_unanswered);
}

static int main_answered(void *arg)
{
	struct rt_listener *listener;
	struct rt_stream *stream;
	char address[32];

	(void)arg;
	answers = true;
	CHECK_EQUAL(rt_listen("127.0.0.1:0", &listener), 0);
	snprintf(address, sizeof(address), "slow%s", strrchr(rt_listener_address(listener), ':'));
	CHECK_EQUAL(rt_connect(address, &stream), 0);
	rt_stream_close(stream);
	rt_listener_close(listener);
	CHECK_EQUAL(rt_connect("none:1", &stream), -EINVAL);
	CHECK_EQUAL(rt_connect("slow", &stream), -EINVAL);
	CHECK_EQUAL(rt_connect("slow:123456", &stream), -EINVAL);
	return 0;
}

static void names_are_found(void **state)
{
	(void)state;
	run(main_answered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_waits_for_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_found, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
