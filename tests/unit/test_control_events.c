/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two systems tell their administrators when the link between them is cut: what begins, once, and what ends it,
 * once; nothing of a link that only flaps. And the jobs of the copies between them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/event.h"
#include "two_systems.h"

#define OP(op, args)	"{\"op\":\"" op "\",\"args\":{" args "}}"

/* ---- how often was it told? ---- */

static unsigned told[EVENT_KIND_COUNT];

static void count(void *arg, const struct record_event *event)
{
	(void)arg;
	told[event->kind]++;
}

static int count_all(void *arg)
{
	(void)arg;
	memset(told, 0, sizeof(told));
	events_each(control_events(system_control(a.system)), 0, EVENT_INFO, count, NULL);
	return 0;
}

static unsigned times(enum event_kind kind)
{
	CHECK_EQUAL(sim_call(a.sim, count_all, NULL), 0);
	return told[kind];
}

static void await_told(enum event_kind kind, unsigned wanted)
{
	while (times(kind) < wanted)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	CHECK_EQUAL(told[kind], wanted);
}

static void pass(int64_t seconds)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + seconds * RT_SECOND), 0);
}

static void start_session(void)
{
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	expect(&a, OP("session open", "\"session\":\"1\",\"lss\":\"15\""), DONE);
	expect(&a, OP("session add", "\"session\":\"1\",\"volumes\":[\"1500\"]"), DONE);
	expect(&a, OP("system set", "\"rpo_limit\":\"20s\",\"cg_failures_limit\":\"3\""), DONE);
	expect(&a, OP("session start", "\"session\":\"1\",\"master\":\"15\""), DONE);
	await(&a, OP("session show", "\"session\":\"1\""), "\"joined_count\":1");
	pass(5);
}

/* ---- a link ---- */

static int cut_link(void *arg)
{
	(void)arg;
	start_session();
	await_told(EVENT_SESSION_STARTED, 1);
	CHECK_EQUAL(times(EVENT_PAIR_COPIED), 1);
	/* One that comes back at once is no event, however often. */
	for (unsigned i = 0; i < 5; i++) {
		sim_break(a.sim, b.sim);
		pass(10);
	}
	CHECK_EQUAL(times(EVENT_LINK_LOST) + told[EVENT_LINK_RETURNED] + told[EVENT_RPO_HIGH], 0);
	for (unsigned turn = 1; turn <= 2; turn++) {
		sim_cut(a.sim, b.sim);
		await_told(EVENT_LINK_LOST, turn);
		await_told(EVENT_CG_FAILING, turn);
		await_told(EVENT_RPO_HIGH, turn);
		CHECK_EQUAL(told[EVENT_LINK_RETURNED], turn - 1);
		/* However long it lasts. */
		pass(120);
		CHECK_EQUAL(times(EVENT_LINK_LOST), turn);
		CHECK_EQUAL(told[EVENT_CG_FAILING], turn);
		CHECK_EQUAL(told[EVENT_RPO_HIGH], turn);
		CHECK_EQUAL(told[EVENT_RPO_NORMAL], turn - 1);
		sim_heal(a.sim, b.sim);
		await_told(EVENT_LINK_RETURNED, turn);
		await_told(EVENT_CG_FORMED, turn);
		await_told(EVENT_RPO_NORMAL, turn);
	}
	/* A limit that is lowered counts at once; off is off. */
	expect(&a, OP("system set", "\"rpo_limit\":\"off\""), DONE);
	sim_cut(a.sim, b.sim);
	pass(60);
	CHECK_EQUAL(times(EVENT_RPO_HIGH), 2);
	expect(&a, OP("system set", "\"rpo_limit\":\"30s\""), DONE);
	pass(1);
	CHECK_EQUAL(times(EVENT_RPO_HIGH), 3);
	sim_heal(a.sim, b.sim);
	await_told(EVENT_RPO_NORMAL, 3);
	return stop_both();
}

static void a_crossing_is_one_event(void **state)
{
	(void)state;
	run(cut_link);
}

/* A path to where nobody is, which is deleted, and made again. */
static int give_link_up(void *arg)
{
	const char *create = OP("path create", "\"source_lss\":\"15\",\"target_lss\":\"25\",\"system\":\"2105.FC340\","
				"\"to\":\"nowhere:7000\"");
	const char *delete = OP("path delete", "\"source_lss\":\"15\",\"target_lss\":\"25\",\"system\":\"2105.FC340\"");

	(void)arg;
	prepare();
	for (unsigned turn = 1; turn <= 2; turn++) {
		expect(&a, create, DONE);
		await_told(EVENT_LINK_LOST, turn);
		CHECK_EQUAL(told[EVENT_LINK_RETURNED], turn - 1);
		expect(&a, delete, DONE);
		await_told(EVENT_LINK_RETURNED, turn);
	}
	return stop_both();
}

static void a_lost_link_that_is_given_up_is_told(void **state)
{
	(void)state;
	run(give_link_up);
}

/* ---- jobs of copies ---- */

static int follow_copies(void *arg)
{
	(void)arg;
	prepare();
	/* The far side is cut off in the middle of the first copy, and the source dies. */
	expect(&a, CREATE_PAIR, DONE);
	sim_cut(a.sim, b.sim);
	expect(&a, "{\"op\":\"job list\"}",
	       "\"kind\":\"first-copy\",\"object\":\"volume 1500 to 2105.FB230\",\"state\":\"");
	pass(30);
	expect(&a, "{\"op\":\"job list\"}", "\"state\":\"suspended\"");
	expect(&a, "{\"op\":\"job list\"}", "\"waiting_for\":\"link of system 2105.FB230\"");
	sim_crash(a.sim, SIM_POWER_LOSS);
	CHECK_EQUAL(sim_wait_ended(a.sim), 0);
	boot(&a);
	expect(&a, "{\"op\":\"job list\"}", "\"job\":1,\"kind\":\"first-copy\"");
	expect(&a, "{\"op\":\"job list\"}", "\"ended_at\":null");
	sim_heal(a.sim, b.sim);
	await(&a, "{\"op\":\"job list\"}", "\"state\":\"completed\"");
	CHECK(is_whole());
	/* A pair that is refused leaves no job; one that is deleted ends its own. */
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2501\","
	       "\"system\":\"2105.FB230\",\"type\":\"async\"}}", "\"ok\":false");
	expect(&a, OP("job list", "\"running\":true"), "\"result\":[]");
	return stop_both();
}

static void a_first_copy_keeps_its_job(void **state)
{
	(void)state;
	run(follow_copies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crossing_is_one_event),
		cmocka_unit_test(a_lost_link_that_is_given_up_is_told),
		cmocka_unit_test(a_first_copy_keeps_its_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
