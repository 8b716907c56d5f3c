/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The master of a session, alone: members are played by this test. What is asked of here does not depend on what
 * sources and far sides do right.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/session.h"
#include "rt/mem.h"
#include "sim_check.h"

#define MEMBERS		2u
#define ANSWER_NS	(100 * RT_US)		/* for a member to answer */
#define LIMIT_NS	(60 * RT_SECOND)

struct played {
	uint8_t boot;
	unsigned legs;				/* that it reports */
};

static struct {
	struct played members[MEMBERS];
	unsigned groups;			/* that exist */
	unsigned short_lists;			/* prepares that lacked a leg */
	uint16_t stuck_type;			/* this request is not answered by this member */
	unsigned stuck_member;
	bool is_stuck;
	struct session *session;
} play;

static int report(const struct played *member, struct wire_session_report *report)
{
	*report = (struct wire_session_report){ .leg_count = member->legs };
	memset(report->boot_id, member->boot, sizeof(report->boot_id));
	report->legs = mem_alloc_zeroed((member->legs + 1) * sizeof(report->legs[0]));
	for (unsigned i = 0; i < member->legs; i++) {
		report->legs[i].connected = true;
		snprintf(report->legs[i].far, sizeof(report->legs[i].far), "2105.F%u", i % 1000);
	}
	return report->legs ? 0 : -ENOMEM;
}

static void look_at_list(const struct wire_members *list)
{
	unsigned legs = 0;

	for (unsigned i = 0; i < MEMBERS; i++)
		legs += play.members[i].legs;
	play.short_lists += list->count != legs;
}

static int answer(void *arg, const char *system, uint16_t type, const void *request, void *reply,
		  char why[WIRE_TEXT_SIZE])
{
	unsigned index = (unsigned)(system[strlen(system) - 1] - '1');
	struct played *member = &play.members[index];
	struct wire_session_answer *said = reply;
	int rc;

	(void)arg;
	(void)why;
	play.is_stuck = play.is_stuck || (type == play.stuck_type && index == play.stuck_member);
	rc = rt_sleep_until(type == play.stuck_type && index == play.stuck_member ? RT_NEVER : rt_now_ns() + ANSWER_NS);
	if (rc)
		return rc;
	if (type == WIRE_SESSION_JOIN)
		return report(member, reply);
	if (type == WIRE_SESSION_PREPARE)
		look_at_list(&((const struct wire_session_prepare *)request)->members);
	if (type == WIRE_SESSION_EXISTS && index == 0)
		play.groups++;
	*said = (struct wire_session_answer){ .legs = member->legs };
	memset(said->boot_id, member->boot, sizeof(said->boot_id));
	return 0;
}

static int save(void *arg, const struct session_durable *durable)
{
	(void)arg;
	(void)durable;
	return 0;
}

static void begin(void)
{
	struct session_config config = {
		.number = 1, .own = "2105.A1", .member_count = MEMBERS, .members = { "2105.A1", "2105.A2" },
		.tunables = { .coordination_ns = 50 * RT_MS, .drain_ns = 5 * RT_SECOND },
		.ask = answer, .save = save,
	};

	memset(&play, 0, sizeof(play));
	for (unsigned i = 0; i < MEMBERS; i++)
		play.members[i] = (struct played){ .boot = 1, .legs = 1 };
	CHECK_EQUAL(session_start(&config, &play.session), 0);
}

static void wait_groups(unsigned count)
{
	unsigned until = play.groups + count;
	int64_t limit_ns = rt_now_ns() + LIMIT_NS;

	while (play.groups < until) {
		CHECK(rt_now_ns() < limit_ns);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	}
}

static struct copy_session_info look(void)
{
	struct copy_session_info info = { 0 };

	session_get_info(play.session, &info);
	return info;
}

/* Longer than the list may be, with one leg too many: a group with the old list would forget that leg at recovery. */
static int long_list(void *arg)
{
	unsigned groups;

	(void)arg;
	begin();
	wait_groups(2);
	play.members[1].legs = WIRE_MEMBERS_MAX;
	play.members[1].boot++;
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2 * RT_SECOND), 0);
	groups = play.groups;
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2 * RT_SECOND), 0);
	CHECK_EQUAL(play.groups, groups);
	CHECK_EQUAL(look().last_failure.reason, CG_FAILURE_WRONG_STATE);
	CHECK(look().cg_failed_since_good > 1);
	CHECK_EQUAL(play.short_lists, 0);
	play.members[1].legs = 3;
	play.members[1].boot++;
	wait_groups(2);
	CHECK_EQUAL(play.short_lists, 0);
	CHECK_EQUAL(look().cg_failed_since_good, 0);
	session_stop(play.session);
	return 0;
}

static void no_group_without_the_whole_list(void **state)
{
	(void)state;
	in_sim(1, long_list, NULL);
}

/* A leg that came without a new join: the source says how many it has in the increment. */
static int another_leg(void *arg)
{
	(void)arg;
	begin();
	wait_groups(2);
	play.members[1].legs = 2;
	wait_groups(2);
	CHECK_EQUAL(play.short_lists, 0);
	session_stop(play.session);
	return 0;
}

static void a_leg_that_came_is_listed_before_the_next_group(void **state)
{
	(void)state;
	in_sim(2, another_leg, NULL);
}

/* Of each request that is not answered people see whose it is, in which phase, and since when. */
static int wait_for_answer(void *arg)
{
	static const struct {
		uint16_t type;
		enum session_phase phase;
	} steps[] = {
		{ WIRE_SESSION_CLOSE, PHASE_COORDINATE }, { WIRE_SESSION_RELEASE, PHASE_COORDINATE },
		{ WIRE_SESSION_DRAIN, PHASE_DRAIN }, { WIRE_SESSION_PREPARE, PHASE_PREPARE },
		{ WIRE_SESSION_COMMIT, PHASE_COMMIT },
	};

	(void)arg;
	begin();
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct copy_session_info info;
		int64_t began_ns;

		wait_groups(2);
		play.is_stuck = false;
		play.stuck_member = i % MEMBERS;
		play.stuck_type = steps[i].type;
		while (!play.is_stuck)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_US), 0);
		began_ns = rt_wall_ns();
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 20 * RT_MS), 0);
		info = look();
		CHECK_EQUAL(info.phase, steps[i].phase);
		CHECK(!strcmp(info.waiting_for, play.stuck_member ? "2105.A2" : "2105.A1"));
		CHECK(info.waiting_since_wall_ns > began_ns - RT_MS && info.waiting_since_wall_ns <= began_ns);
		play.stuck_type = 0;
	}
	session_stop(play.session);
	return 0;
}

static void each_phase_says_for_whom_it_waits(void **state)
{
	(void)state;
	in_sim(3, wait_for_answer, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_group_without_the_whole_list),
		cmocka_unit_test(each_phase_says_for_whom_it_waits),
		cmocka_unit_test(a_leg_that_came_is_listed_before_the_next_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
