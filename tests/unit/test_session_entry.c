/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a session: several change it at the same time, in the simulator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/session_entry.h"
#include "two_systems.h"

static struct session_entry *entry_there(void)
{
	return session_entry_find(control_copy(system_control(a.system)), 7);
}

/* As the master's groups, which reserve numbers. */
static void reserve(void *arg)
{
	struct record_session next;

	(void)arg;
	CHECK_EQUAL(session_entry_begin_change(entry_there(), &next), 0);
	next.reserved_attempt += 1024;
	CHECK_EQUAL(session_entry_end_change(entry_there(), &next), 0);
}

/* As a command, which gives a swap up. */
static void forget_plan(void *arg)
{
	struct record_session next;

	(void)arg;
	CHECK_EQUAL(session_entry_begin_change(entry_there(), &next), 0);
	next.swap_system[0] = '\0';
	CHECK_EQUAL(session_entry_end_change(entry_there(), &next), 0);
}

static int have_a_plan(void *arg)
{
	struct record_session next;

	(void)arg;
	CHECK_EQUAL(session_entry_begin_change(entry_there(), &next), 0);
	snprintf(next.swap_system, sizeof(next.swap_system), "%s", b.id);
	CHECK_EQUAL(session_entry_end_change(entry_there(), &next), 0);
	return 0;
}

static int change_together(void *arg)
{
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "forget", forget_plan, NULL), 0);
	CHECK_EQUAL(rt_group_start(&group, "reserve", reserve, NULL), 0);
	CHECK_EQUAL(session_entry_set_state(entry_there(), SESSION_FATAL), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	return 0;
}

static int look(void *arg)
{
	const struct record_session *record = &entry_there()->record;

	(void)arg;
	CHECK_EQUAL(record->reserved_attempt, 1024);
	CHECK_EQUAL(record->state, SESSION_FATAL);
	CHECK_EQUAL(record->swap_system[0], '\0');
	return 0;
}

static int change_at_once(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"7\",\"lss\":\"15\"}}", DONE);
	CHECK_EQUAL(sim_call(a.sim, have_a_plan, NULL), 0);
	CHECK_EQUAL(sim_call(a.sim, change_together, NULL), 0);
	CHECK_EQUAL(sim_call(a.sim, look, NULL), 0);
	sim_crash(a.sim, SIM_POWER_LOSS);
	boot(&a);
	CHECK_EQUAL(sim_call(a.sim, look, NULL), 0);
	return stop_both();
}

/*
 * Each change began with the record as it was and ended with all of it: a master that had just started wrote back the
 * plan of a swap that was being given up, and the next swap went by a plan that the next master did not have any more.
 */
static void changes_at_one_moment_are_all_kept(void **state)
{
	(void)state;
	run(change_at_once);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_at_one_moment_are_all_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
