/* SPDX-License-Identifier: Apache-2.0 */
/* A source towards its master: who may speak as one, and what it says of a far side that does not answer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/pair.h"
#include "copy/session_entry.h"
#include "copy/source_private.h"
#include "link_far.h"
#include "sim_check.h"

#define SESSION	7u

static struct copy copy;

static void begin(void)
{
	const struct record_session record = { .number = SESSION, .state = SESSION_OPEN };

	memset(&copy, 0, sizeof(copy));
	list_init(&copy.pairs);
	list_init(&copy.left_pairs);
	list_init(&copy.sources);
	list_init(&copy.sessions);
	list_init(&copy.session_lsses);
	list_init(&copy.subordinates);
	copy.config.system = "2105.A2";
	CHECK_EQUAL(session_entry_take_up(&copy, &record), 0);
}

static void end(void)
{
	sources_stop(&copy);
	session_entries_free(&copy);
}

static struct wire_session_head head_of(const char *master)
{
	struct wire_session_head head = { .session = SESSION, .incarnation = 5, .attempt = 10 };

	snprintf(head.master, sizeof(head.master), "%s", master);
	return head;
}

static struct link_peer peer_of(const char *system)
{
	struct link_peer peer = { 0 };

	snprintf(peer.system, sizeof(peer.system), "%s", system);
	return peer;
}

static int join(const char *system, const char *master, char *why)
{
	const struct link_peer peer = peer_of(system);
	struct wire_session_join join = { .head = head_of(master) };
	struct wire_session_report report = { 0 };
	int rc = source_on_join(&copy, &peer, &join, &report, why);

	wire_free(wire_type_find(WIRE_SESSION_JOIN)->reply, &report);
	return rc;
}

static int leave(const char *system, const char *master, char *why)
{
	const struct link_peer peer = peer_of(system);
	struct wire_session_request leave = { .head = head_of(master) };
	struct wire_session_answer answer = { 0 };

	leave.head.attempt++;
	return source_on_leave(&copy, &peer, &leave, &answer, why);
}

static int speak(void *arg)
{
	char why[WIRE_TEXT_SIZE] = "";

	(void)arg;
	begin();
	CHECK_EQUAL(join("2105.A3", "2105.A1:15", why), -EACCES);
	CHECK(!strcmp(why, "system 2105.A3 is not 2105.A1:15"));
	CHECK_EQUAL(join("2105.A", "2105.A1:15", why), -EACCES);
	CHECK_EQUAL(join("2105.A1", "", why), -EACCES);
	CHECK_EQUAL(join("2105.A1", "2105.A1:15", why), 0);
	CHECK_EQUAL(leave("2105.A3", "2105.A1:15", why), -EACCES);
	CHECK_EQUAL(leave("2105.A1", "2105.A1:15", why), 0);
	end();
	return 0;
}

static void nobody_speaks_in_the_name_of_another(void **state)
{
	(void)state;
	in_sim(1, speak, NULL);
}

/* ---- a far side that takes requests, and answers none ---- */

static int never_answer(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	(void)arg;
	(void)peer;
	(void)request;
	(void)reply;
	(void)why;
	return rt_sleep_until(RT_NEVER);
}

static const struct link_handler silent_handlers[] = {
	{ WIRE_LEG_OPEN, never_answer }, { WIRE_LEG_PREPARE, never_answer }, { WIRE_LEG_COMMIT, never_answer },
	{ WIRE_LEG_ABORT, never_answer }, { 0, NULL },
};

static void run_world(uint64_t seed, int (*near)(void *far_system))
{
	struct sim_world *world = sim_create(seed, NULL);
	struct sim_system *system = sim_add_system(world, "far", 1);

	if (sim_run(world, near, system, 3600 * RT_SECOND) != SIM_DONE) {
		sim_print_log(world, stderr);
		fail_msg("%s", sim_failure(world));
	}
	sim_destroy(world);
}

static void add_leg(struct source *source, struct peer *peer)
{
	struct source_leg *leg = mem_alloc_zeroed(sizeof(*leg));

	CHECK(leg);
	leg->source = source;
	leg->peer = peer;
	leg->pins = 2;			/* and the test's */
	leg->state.prepared = 11;
	list_add_last(&source->legs, &leg->link);
}

/* A source whose leg goes to a far side with these handlers. */
static int with_far(struct sim_system *system, const struct link_handler *handlers, void (*ask)(struct source *source))
{
	struct link_config config = {
		.own = NEAR_ID, .peer = FAR_ID, .address = FAR_ADDRESS, .timing = link_timing_default,
	};
	struct peer peer = { .copy = &copy, .system = FAR_ID, .uses = 2 };
	struct source *source;
	struct source_leg *leg;

	far_handlers_now = handlers;
	sim_boot(system, far_main, NULL);
	begin();
	CHECK_EQUAL(link_open(&config, &peer.to), 0);
	notice_board_init(&peer.acked);
	source = source_get(&copy, SESSION);
	CHECK(source);
	add_leg(source, &peer);
	leg = source_leg_find(source, FAR_ID);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	ask(source);
	end();
	CHECK_EQUAL(leg->pins, 1);
	mem_free(leg);
	link_close(peer.to);
	sim_crash(system, SIM_DEATH);
	return 0;
}

static void look_at_refusal(void *arg, const struct copy_problem *problem)
{
	*(bool *)arg = !strcmp(problem->system, FAR_ID) && strstr(problem->reason, "does not answer");
}

/* The time in which an answer came, and the problem that people see meanwhile. */
static void expect_no(int rc, struct source *source, int64_t began_ns)
{
	bool told = false;

	CHECK_EQUAL(rc, -ETIMEDOUT);
	CHECK(rt_now_ns() - began_ns < 10 * RT_SECOND);
	source_each_refusal(source, look_at_refusal, &told);
	CHECK(told);
}

static void ask_silent(struct source *source)
{
	const struct link_peer master = peer_of("2105.A1");
	struct wire_session_request request = { .head = head_of("2105.A1:15") };
	struct wire_session_join join = { .head = head_of("2105.A1:15") };
	struct wire_session_report report = { 0 };
	struct wire_session_answer answer;
	int64_t began_ns = rt_now_ns();
	char why[WIRE_TEXT_SIZE] = "";

	/* What the far side holds is not known: the source says so, and that is the answer. */
	CHECK_EQUAL(source_on_join(&copy, &master, &join, &report, why), 0);
	CHECK(rt_now_ns() - began_ns < 10 * RT_SECOND);
	CHECK_EQUAL(report.leg_count, 1);
	CHECK(!report.legs[0].connected);
	wire_free(wire_type_find(WIRE_SESSION_JOIN)->reply, &report);
	/* It was open before it fell silent. */
	source_leg_find(source, FAR_ID)->open = true;
	request.head.attempt++;
	began_ns = rt_now_ns();
	expect_no(source_on_commit(&copy, &master, &request, &answer, why), source, began_ns);
	began_ns = rt_now_ns();
	expect_no(source_on_abort(&copy, &master, &request, &answer, why), source, began_ns);
}

static int far_is_silent(void *system)
{
	return with_far(system, silent_handlers, ask_silent);
}

static void a_far_side_that_does_not_answer_is_told(void **state)
{
	(void)state;
	run_world(2, far_is_silent);
}

/* ---- a far side whose disk lied ---- */

static struct wire_leg_state held;	/* by the far side */

static int say_held(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	(void)arg;
	(void)peer;
	(void)request;
	(void)why;
	*(struct wire_leg_state *)reply = held;
	return 0;
}

static const struct link_handler lying_handlers[] = {
	{ WIRE_LEG_OPEN, say_held }, { WIRE_LEG_COMMIT, say_held }, { WIRE_LEG_ABORT, never_answer }, { 0, NULL },
};

static void look_at_loss(void *arg, const struct copy_problem *problem)
{
	*(bool *)arg = !strcmp(problem->system, FAR_ID) && strstr(problem->reason, "came back without CG 14");
}

/* A master asks, when the far side holds that: does the source take it up? */
static bool is_taken_up(struct source *source, uint64_t committed, uint64_t prepared)
{
	const struct link_peer master = peer_of("2105.A1");
	struct wire_session_join join = { .head = head_of("2105.A1:15") };
	struct wire_session_report report = { 0 };
	char why[WIRE_TEXT_SIZE] = "";

	held = (struct wire_leg_state){ .committed = committed, .prepared = prepared };
	CHECK_EQUAL(source_on_join(&copy, &master, &join, &report, why), 0);
	wire_free(wire_type_find(WIRE_SESSION_JOIN)->reply, &report);
	return source_leg_find(source, FAR_ID)->open;
}

static void hear_what_it_holds(struct source *source)
{
	const struct link_peer master = peer_of("2105.A1");
	struct wire_session_request request = { .head = head_of("2105.A1:15") };
	struct wire_session_answer answer;
	char why[WIRE_TEXT_SIZE] = "";
	bool told = false;

	CHECK(is_taken_up(source, 0, 11));
	CHECK(is_taken_up(source, 11, 12));
	CHECK(is_taken_up(source, 12, 0));
	/* What it was told to give up it may have given up, though its answer was lost; so did an administrator. */
	CHECK(is_taken_up(source, 12, 13));
	request.head.attempt = 13;
	CHECK_EQUAL(source_on_abort(&copy, &master, &request, &answer, why), -ETIMEDOUT);
	CHECK(is_taken_up(source, 12, 0));
	CHECK(is_taken_up(source, 0, 0));
	/* What it had said to be prepared with is gone. It never helps that it has more again, or nothing at all. */
	CHECK(is_taken_up(source, 13, 14));
	CHECK(!is_taken_up(source, 13, 0));
	source_each_refusal(source, look_at_loss, &told);
	CHECK(told);
	CHECK(!is_taken_up(source, 15, 0));
	request.head.attempt = 14;
	CHECK(source_on_commit(&copy, &master, &request, &answer, why) != 0);
	/* An administrator has given its group up: no commit waits for it. */
	CHECK(!is_taken_up(source, 0, 0));
	CHECK_EQUAL(source_on_commit(&copy, &master, &request, &answer, why), 0);
}

static int far_lied(void *system)
{
	return with_far(system, lying_handlers, hear_what_it_holds);
}

/* A disk had said that it keeps a group, and lost it with the power: the next group would rest on what is gone. */
static void a_far_side_that_comes_back_without_a_group_is_not_taken_up(void **state)
{
	(void)state;
	run_world(3, far_lied);
}

/* ---- a far side that restarts while the source has left its master ---- */

static uint64_t closing_of(const struct source *source)
{
	struct member_status status;

	member_get_status(source->member, &status);
	return status.closing;
}

static int far_restarts(void *arg)
{
	struct peer peer = { .copy = &copy, .system = FAR_ID, .uses = 2 };
	struct source *source;
	struct source_leg *leg;
	bool empty;

	(void)arg;
	begin();
	source = source_get(&copy, SESSION);
	CHECK(source);
	add_leg(source, &peer);
	leg = source_leg_find(source, FAR_ID);
	CHECK_EQUAL(member_close(source->member, 13, 12, RT_SECOND, &empty), 0);
	CHECK_EQUAL(member_release(source->member, 13), 0);
	CHECK(!source->joined);
	CHECK_EQUAL(closing_of(source), 13);
	source_far_restarted(&copy, FAR_ID);
	CHECK_EQUAL(closing_of(source), 0);
	end();
	CHECK_EQUAL(leg->pins, 1);
	mem_free(leg);
	return 0;
}

/*
 * A pair came back to the session in the middle of an attempt: no abort is heard before the next join. What the far
 * side had acknowledged of the closing increment is gone with its restart, and must be in the open one to be sent
 * again.
 */
static void what_was_closed_is_sent_again_when_the_far_side_restarts_before_a_join(void **state)
{
	(void)state;
	run_world(4, far_restarts);
}

/* ---- what it knows after a start ---- */

static int look_at_sequence(void *arg)
{
	struct pair pair = { .record = { .role = PAIR_SOURCE, .session = SESSION } };
	struct copy_session_info info = { 0 };
	struct source *source;

	(void)arg;
	begin();
	list_add_last(&copy.pairs, &pair.link);
	source = source_get(&copy, SESSION);
	CHECK(source);
	source_get_info(source, &info);
	CHECK(!info.sequence_unknown && !info.sequence);	/* its volume was in no group yet */
	pair.record.joined = true;
	info = (struct copy_session_info){ 0 };
	source_get_info(source, &info);
	CHECK(info.sequence_unknown);
	source->exists = 12;
	info = (struct copy_session_info){ 0 };
	source_get_info(source, &info);
	CHECK(!info.sequence_unknown);
	CHECK_EQUAL(info.sequence, 12);
	list_remove(&pair.link);
	end();
	return 0;
}

/* It said that there was no group, which may be long past. */
static void a_source_that_has_heard_no_master_does_not_know_the_last_group(void **state)
{
	(void)state;
	in_sim(6, look_at_sequence, NULL);
}

/* ---- an abort ---- */

static int leave_attempt_unjoined(void *arg)
{
	const struct link_peer master = peer_of("2105.A1"), other = peer_of("2105.A3");
	struct wire_session_request request = { .head = head_of("2105.A1:15") };
	struct wire_session_answer answer;
	char why[WIRE_TEXT_SIZE] = "";
	struct source *source;
	bool empty;

	(void)arg;
	begin();
	CHECK_EQUAL(join("2105.A1", "2105.A1:15", why), 0);
	source = source_find(&copy, SESSION);
	CHECK_EQUAL(member_close(source->member, 13, 12, RT_SECOND, &empty), 0);
	/* As when a pair comes whose far side is new. */
	source->joined = false;
	request.head.attempt = 13;
	CHECK_EQUAL(source_on_abort(&copy, &other, &request, &answer, why), -EACCES);
	request.head.incarnation--;
	CHECK_EQUAL(source_on_abort(&copy, &master, &request, &answer, why), -ESTALE);
	CHECK_EQUAL(closing_of(source), 13);
	request.head.incarnation++;
	CHECK_EQUAL(source_on_abort(&copy, &master, &request, &answer, why), -EPROTO);
	CHECK_EQUAL(closing_of(source), 0);
	/* A close that comes after the abort of its attempt begins nothing. */
	request.head.attempt = 14;
	CHECK_EQUAL(source_on_abort(&copy, &master, &request, &answer, why), -EPROTO);
	CHECK_EQUAL(member_close(source->member, 14, 12, RT_SECOND, &empty), -ESTALE);
	CHECK_EQUAL(member_close(source->member, 15, 12, RT_SECOND, &empty), 0);
	end();
	return 0;
}

/* Its hold and its closing increment stayed until the next join, which may be long in coming. */
static void an_abort_ends_the_attempt_of_a_source_that_has_not_joined(void **state)
{
	(void)state;
	in_sim(5, leave_attempt_unjoined, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_speaks_in_the_name_of_another),
		cmocka_unit_test(a_far_side_that_does_not_answer_is_told),
		cmocka_unit_test(a_far_side_that_comes_back_without_a_group_is_not_taken_up),
		cmocka_unit_test(what_was_closed_is_sent_again_when_the_far_side_restarts_before_a_join),
		cmocka_unit_test(a_source_that_has_heard_no_master_does_not_know_the_last_group),
		cmocka_unit_test(an_abort_ends_the_attempt_of_a_source_that_has_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
