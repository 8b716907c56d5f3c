/* SPDX-License-Identifier: Apache-2.0 */
/* Synchronous pairs whose far sides are lost: over three whole systems in the simulator. */
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

static int write_block(void *arg)
{
	struct write *write = arg;
	struct attachment attachment;
	uint8_t data[4096] = { 1 };
	int rc;

	CHECK_EQUAL(control_attach(system_control(a.system), write->name, &attachment), 0);
	rc = volume_write(attachment.volume, data, sizeof(data), 0, 0);
	control_detach(system_control(a.system), write->volume);
	return rc;
}

static void write_there(void *arg)
{
	struct write *write = arg;

	CHECK_EQUAL(sim_call(a.sim, write_block, write), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_of_one_far_side_do_not_wait_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
