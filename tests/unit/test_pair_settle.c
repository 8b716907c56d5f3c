/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronous pairs whose far sides are lost, or lose something: over whole systems in the simulator. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/pair.h"
#include "two_systems.h"

#define SETTLED_NS	(3 * RT_SECOND)		/* for a write whose far side is gone to be answered */

static struct site c = { .id = "2105.FC340", .link = "c1:7000" };

static void prepare_third(void)
{
	prepare();
	c.sim = sim_add_system(sim_world(), "c1", 2);
	boot(&c);
	expect(&c, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/pool\"}}", DONE);
	expect(&c, "{\"op\":\"volume create\",\"args\":{\"volume\":\"3500\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&a, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1501\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&a, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"15\",\"target_lss\":\"35\","
	       "\"system\":\"2105.FC340\",\"to\":\"c1:7000\"}}", DONE);
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2500\","
	       "\"system\":\"2105.FB230\",\"type\":\"sync\"}}", DONE);
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1501\",\"target\":\"3500\","
	       "\"system\":\"2105.FC340\",\"type\":\"sync\"}}", DONE);
	await(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"state\":\"full-duplex\"");
	await(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1501\"}}", "\"state\":\"full-duplex\"");
}

/* ---- at A ---- */

static int take_turn(void *arg)
{
	(void)arg;
	return pair_begin_change(pair_find(control_copy(system_control(a.system)), 0x1500, "2105.FB230"));
}

static int give_turn_back(void *arg)
{
	(void)arg;
	pair_end_change(pair_find(control_copy(system_control(a.system)), 0x1500, "2105.FB230"));
	return 0;
}

struct write {
	const char *name;
	uint16_t volume;
	bool answered;
};

static int write_track(void *arg)
{
	struct write *write = arg;
	struct attachment attachment;
	uint8_t data[XDC_TRACK_SIZE];
	int rc;

	memset(data, 1, sizeof(data));
	CHECK_EQUAL(control_attach(system_control(a.system), write->name, &attachment), 0);
	rc = volume_write(attachment.volume, data, sizeof(data), 0, 0);
	control_detach(system_control(a.system), write->volume);
	return rc;
}

static void write_there(void *arg)
{
	struct write *write = arg;

	CHECK_EQUAL(sim_call(a.sim, write_track, write), 0);
	write->answered = true;
}

static int lose_both(void *arg)
{
	struct write first = { .name = "1500", .volume = 0x1500 }, second = { .name = "1501", .volume = 0x1501 };
	struct rt_group group;
	int64_t lost_ns;

	(void)arg;
	prepare_third();
	/* A command has the first pair, for instance one that waits for its far side. */
	CHECK_EQUAL(sim_call(a.sim, take_turn, NULL), 0);
	sim_crash(b.sim, SIM_DEATH);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "first", write_there, &first), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 30 * RT_SECOND), 0);
	CHECK(!first.answered);
	sim_crash(c.sim, SIM_DEATH);
	lost_ns = rt_now_ns();
	write_there(&second);
	CHECK(rt_now_ns() - lost_ns < SETTLED_NS);
	CHECK(!first.answered);
	CHECK_EQUAL(sim_call(a.sim, give_turn_back, NULL), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(first.answered);
	expect(&a, "{\"op\":\"pair show\",\"args\":{\"volume\":\"1500\"}}", "\"state\":\"suspended\"");
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	return 0;
}

/* One fiber suspended all broken pairs in turn: hosts of one waited for what kept another. */
static void hosts_of_one_far_side_do_not_wait_for_another(void **state)
{
	(void)state;
	run(lose_both);
}

/* ---- what a far side that has restarted is asked ---- */

static void await_duplex(void)
{
	await(&a, OF_PAIR("show"), "\"state\":\"full-duplex\"");
}

static struct pair *far_pair(void)
{
	return pair_find(control_copy(system_control(b.system)), 0x2500, "2105.FA120");
}

static int read_track(void *volume)
{
	uint8_t data[XDC_TRACK_SIZE], written[XDC_TRACK_SIZE];

	memset(written, 1, sizeof(written));
	CHECK_EQUAL(vdisk_read(volume_disk(volume), data, sizeof(data), 0), 0);
	return !memcmp(data, written, sizeof(data));
}

static int has_track(void *arg)
{
	struct volume *volume = far_pair()->volume;

	(void)arg;
	return rt_call(volume_reactor(volume), read_track, volume);
}

/* Since B was booted A has said that B holds all that hosts were answered. */
static int is_said_to_hold_all(void *arg)
{
	(void)arg;
	return far_pair()->of_moment;
}

static int restart_far_side(void *arg)
{
	const struct sim_disk_state failing = { .write_fails = true, .sync_fails = true }, good = { 0 };
	struct write write = { .name = "1500", .volume = 0x1500 };
	bool held = false;

	(void)arg;
	prepare();
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2500\","
	       "\"system\":\"2105.FB230\",\"type\":\"sync\"}}", DONE);
	await_duplex();
	/* Answered when B has it, in its page cache. */
	write_there(&write);
	sim_set_disk(a.sim, "/state/config", &failing);
	sim_crash(b.sim, SIM_POWER_LOSS);
	boot(&b);
	for (int i = 0; i < 100; i++) {
		held = held || sim_call(b.sim, has_track, NULL);
		CHECK(held || !sim_call(b.sim, is_said_to_hold_all, NULL));
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 50 * RT_MS), 0);
	}
	/* Something was lost with the power. */
	CHECK(!held);
	sim_crash(a.sim, SIM_DEATH);
	sim_set_disk(a.sim, "/state/config", &good);
	boot(&a);
	await_duplex();
	CHECK(sim_call(b.sim, has_track, NULL));
	return stop_both();
}

/*
 * The far side lost with its power what it had acknowledged, while the source could not make durable that the pair is
 * suspended: asked for full-duplex by the record alone, the far side said that it had all.
 */
static void full_duplex_is_asked_for_only_of_the_start_that_acknowledged(void **state)
{
	(void)state;
	run(restart_far_side);
}

/* ---- what is told of it ---- */

static int note_break(void *arg)
{
	struct pair *pair = pair_find(control_copy(system_control(a.system)), 0x1500, "2105.FB230");
	struct record_pair second = pair->record;

	(void)arg;
	second.volume = 0x1501;
	peer_news_note(pair->peer, PEER_NEWS_RESYNCED, &pair->record);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 999 * RT_MS), 0);
	peer_news_note(pair->peer, PEER_NEWS_SUSPENDED, &pair->record);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 5 * RT_MS), 0);
	peer_news_note(pair->peer, PEER_NEWS_SUSPENDED, &second);
	return 0;
}

static int break_link_between_news(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1500\",\"target\":\"2500\","
	       "\"system\":\"2105.FB230\",\"type\":\"sync\"}}", DONE);
	/* That is news, too: told before those begin that are judged. */
	await(&a, "{\"op\":\"events list\",\"args\":{}}", "pair-full-duplex");
	CHECK_EQUAL(sim_call(a.sim, note_break, NULL), 0);
	await(&a, "{\"op\":\"events list\",\"args\":{}}", "suspended: link");
	CHECK(strstr(last_reply, "2 pairs with it are suspended: link"));
	return stop_both();
}

/* The second pair was told alone, where the first was told just before with what had happened earlier. */
static void what_a_link_does_to_two_pairs_is_one_event(void **state)
{
	(void)state;
	run(break_link_between_news);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_one_far_side_do_not_wait_for_another),
		cmocka_unit_test(full_duplex_is_asked_for_only_of_the_start_that_acknowledged),
		cmocka_unit_test(what_a_link_does_to_two_pairs_is_one_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
