/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: their numbers rise for ever, also over crashes; the last of them are kept, durably; who waits for one hears
 * of it, and nobody else is woken; one crossing of a limit is one event.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/event.h"
#include "control_check.h"
#include "face/cli_call.h"
#include "rt/file.h"
#include "rt/mem.h"

/* ---- events over one state folder ---- */

static struct meta *meta;
static struct events *events;
static struct record_management management;

static int load(void *arg, enum meta_kind kind, const void *record)
{
	(void)arg;
	if (kind == META_MANAGEMENT)
		management = *(const struct record_management *)record;
	return kind == META_EVENT ? events_load(events, record) : 0;
}

static void open_events(void)
{
	int rc = rt_path_make_folder("/state");

	CHECK(rc == 0 || rc == -EEXIST);
	CHECK_EQUAL(rt_path_sync_parent("/state"), 0);
	management = (struct record_management){ .number = 1 };
	CHECK_EQUAL(meta_open("/state", &meta), 0);
	CHECK_EQUAL(events_create(&events), 0);
	CHECK_EQUAL(meta_load(meta, load, NULL), 0);
	management.number = 1;
	CHECK_EQUAL(events_start(events, meta, &management), 0);
}

static void close_events(void)
{
	events_stop(events);
	events_free(events);
	meta_close(meta);
}

static void post(enum event_level level)
{
	event_post(events, EVENT_CHANGE, level, "volume 1500", "", "it has changed");
}

/* Time for what is written behind. */
static void settle(void)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
}

struct seen {
	unsigned count;
	uint64_t first, last;
};

static void see(void *arg, const struct record_event *event)
{
	struct seen *seen = arg;

	CHECK(event->number > seen->last);
	CHECK(event->at_wall_ns > 0);
	seen->first = seen->count++ ? seen->first : event->number;
	seen->last = event->number;
}

static struct seen look(uint64_t since, enum event_level level)
{
	struct seen seen = { 0 };

	events_each(events, since, level, see, &seen);
	return seen;
}

static int run_alone(struct sim_system *system, int (*fn)(void *arg))
{
	sim_boot(system, fn, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

/* ---- kept ---- */

static int keep_the_last(void *arg)
{
	struct seen seen;

	(void)arg;
	open_events();
	for (unsigned i = 0; i < EVENTS_MAX + 500; i++)
		post(i % 2 ? EVENT_WARNING : EVENT_INFO);
	seen = look(0, EVENT_INFO);
	CHECK_EQUAL(seen.count, EVENTS_MAX);
	CHECK_EQUAL(seen.last, EVENTS_MAX + 500);
	CHECK_EQUAL(seen.first, 501);
	CHECK_EQUAL(look(0, EVENT_WARNING).count, EVENTS_MAX / 2);
	CHECK_EQUAL(look(0, EVENT_ERROR).count, 0);
	CHECK_EQUAL(look(EVENTS_MAX + 490, EVENT_INFO).count, 10);
	/* An orderly stop loses none, and no number is missing after it. */
	close_events();
	open_events();
	seen = look(0, EVENT_INFO);
	CHECK_EQUAL(seen.count, EVENTS_MAX);
	CHECK_EQUAL(seen.first, 501);
	post(EVENT_ERROR);
	CHECK_EQUAL(events_last(events), EVENTS_MAX + 501);
	settle();
	close_events();
	return 0;
}

static int keep(void *arg)
{
	return run_alone(arg, keep_the_last);
}

static void the_last_ones_are_kept(void **state)
{
	(void)state;
	run_world(1, 1, keep);
}

/* ---- crashes ---- */

static uint64_t last_shown;
static bool crash_now;

static int post_and_crash(void *arg)
{
	(void)arg;
	open_events();
	CHECK(events_last(events) >= last_shown);
	for (unsigned i = 0; i < 200; i++) {
		post(EVENT_INFO);
		last_shown = events_last(events);
		if (i % 8 == 0)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	}
	crash_now = true;
	CHECK_EQUAL(rt_wait_stop(), 0);
	close_events();
	return 0;
}

static int crash_often(void *arg)
{
	last_shown = 0;
	for (unsigned life = 0; life < 6; life++) {
		enum sim_crash how = sim_random_below(sim_world(), 2) ? SIM_DEATH : SIM_POWER_LOSS;

		/* While they are written, or behind it. */
		if (sim_random_below(sim_world(), 2))
			sim_crash_at_nth(arg, SIM_WRITE, 5 + sim_random_below(sim_world(), 60), how);
		crash_now = false;
		sim_boot(arg, post_and_crash, NULL);
		while (!crash_now && sim_is_running(arg))
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
		sim_crash(arg, how);
		CHECK_EQUAL(sim_wait_ended(arg), 0);
		sim_crash_at_nth(arg, SIM_WRITE, 0, how);
	}
	return 0;
}

static void numbers_rise_over_crashes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		run_world(seed, 1, crash_often);
}

/* ---- waiting ---- */

static struct rt_group waiters;
static unsigned heard;

static void wait_for_warning(void *arg)
{
	struct fault fault;

	(void)arg;
	CHECK_EQUAL(events_wait(events, 0, EVENT_WARNING, rt_now_ns() + 60 * RT_SECOND, &fault), 0);
	heard++;
}

static int follow(void *arg)
{
	int64_t began_ns = rt_now_ns();
	struct fault fault;

	(void)arg;
	open_events();
	rt_group_init(&waiters);
	for (unsigned i = 0; i < EVENT_FOLLOWERS_MAX; i++)
		CHECK_EQUAL(rt_group_start(&waiters, "waiter", wait_for_warning, NULL), 0);
	settle();
	CHECK_EQUAL(events_wait(events, 0, EVENT_INFO, rt_now_ns() + RT_SECOND, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	post(EVENT_INFO);
	settle();
	CHECK_EQUAL(heard, 0);
	post(EVENT_ERROR);
	rt_yield();
	CHECK_EQUAL(heard, EVENT_FOLLOWERS_MAX);
	CHECK_EQUAL(rt_group_wait(&waiters), 0);
	/* What is there already is not waited for; what is not, no longer than was said. */
	CHECK_EQUAL(events_wait(events, 1, EVENT_INFO, rt_now_ns() + 60 * RT_SECOND, &fault), 0);
	CHECK(rt_now_ns() - began_ns < 10 * RT_SECOND);
	CHECK_EQUAL(events_wait(events, 2, EVENT_INFO, rt_now_ns() + 5 * RT_SECOND, &fault), 0);
	CHECK(rt_now_ns() - began_ns >= 5 * RT_SECOND);
	/* The stop ends all waits. */
	heard = 0;
	CHECK_EQUAL(rt_group_start(&waiters, "waiter", wait_for_warning, NULL), 0);
	settle();
	events_end_waits(events);
	CHECK_EQUAL(rt_group_wait(&waiters), 0);
	CHECK_EQUAL(heard, 1);
	close_events();
	return 0;
}

static int follow_alone(void *arg)
{
	heard = 0;
	return run_alone(arg, follow);
}

static void who_waits_hears_of_it(void **state)
{
	(void)state;
	run_world(2, 1, follow_alone);
}

/* ---- a pool that fills up, in a whole system ---- */

static uint64_t used_bytes;
static unsigned wanted_percent;	/* 0: it is so */

static void ask(struct control *control, const char *request, const char *wanted)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	char *reply = cli_call(control, &caller, request, strlen(request));

	if (!strstr(reply, wanted))
		check_failed(request, __LINE__, reply);
	mem_free(reply);
}

static void count_kind(void *arg, const struct record_event *event)
{
	unsigned *counts = arg;

	counts[0] += event->kind == EVENT_POOL_FULL;
	counts[1] += event->kind == EVENT_POOL_ROOM;
}

static void check_counts(struct control *control, unsigned full, unsigned room)
{
	unsigned counts[2] = { 0 };

	events_each(control_events(control), 0, EVENT_INFO, count_kind, counts);
	CHECK_EQUAL(counts[0], full);
	CHECK_EQUAL(counts[1], room);
}

/* So much of the file system is used from here on; longer than it takes until the next look at the pool. */
static void use(unsigned percent)
{
	uint64_t total, free_bytes;

	CHECK_EQUAL(rt_path_space("/p", &total, &free_bytes), 0);
	used_bytes = total - free_bytes;
	wanted_percent = percent;
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 700 * RT_SECOND), 0);
	CHECK_EQUAL(wanted_percent, 0);
}

static int watch_pool(void *arg)
{
	struct system *system = start_system();
	struct control *control;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	ask(control, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/p\"}}", "\"ok\":true");
	ask(control, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"size\":\"1M\"}}",
	    "\"ok\":true");
	use(50);
	check_counts(control, 0, 0);
	/* Above the limit, and a little below it: one event; well below: another. Not when it is not watched. */
	use(90);
	check_counts(control, 1, 0);
	use(83);
	check_counts(control, 1, 0);
	use(90);
	check_counts(control, 1, 0);
	use(70);
	check_counts(control, 1, 1);
	ask(control, "{\"op\":\"system set\",\"args\":{\"pool_limit\":\"off\"}}", "\"pool_percent\":null");
	use(95);
	check_counts(control, 1, 1);
	ask(control, "{\"op\":\"system set\",\"args\":{\"pool_limit\":\"90\"}}", "\"pool_percent\":90");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	check_counts(control, 2, 1);
	system_stop(system);
	return 0;
}

/* The file system shrinks and grows around the little that is on it. */
static int fill_pool(void *arg)
{
	wanted_percent = 0;
	sim_boot(arg, watch_pool, NULL);
	while (sim_is_running(arg)) {
		if (wanted_percent)
			sim_set_disk_bytes(arg, used_bytes * 100 / wanted_percent);
		wanted_percent = 0;
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	}
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void a_pool_above_its_limit_is_one_event(void **state)
{
	(void)state;
	run_world(3, 1, fill_pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_ones_are_kept),
		cmocka_unit_test(numbers_rise_over_crashes),
		cmocka_unit_test(who_waits_hears_of_it),
		cmocka_unit_test(a_pool_above_its_limit_is_one_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
