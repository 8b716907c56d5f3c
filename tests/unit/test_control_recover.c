/* SPDX-License-Identifier: Apache-2.0 */
/* Recovery, failback and a lost link over two whole systems in the simulator, where something hinders them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "two_systems.h"

#define SHOW_PAIR(volume) \
	"{\"op\":\"pair show\",\"args\":{\"volume\":\"" volume "\"}}"
#define STATE_OF_SESSION "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}"
#define RECOVER		"{\"op\":\"session recover\",\"args\":{\"session\":\"1\"}}"
#define FAIL_BACK	"{\"op\":\"session failback\",\"args\":{\"session\":\"1\",\"discard\":true}}"
#define OPEN_IT		"{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}"
#define ADD_VOLUME	"{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}"
#define START_IT	"{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}"
#define PATH_HOME	"{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\"," \
			"\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}"

/* Volume 1500 is in the groups of session 1. */
static void protect(void)
{
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, OPEN_IT, DONE);
	expect(&a, ADD_VOLUME, DONE);
	expect(&a, START_IT, DONE);
	await(&a, STATE_OF_SESSION, "\"joined_count\":1");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2 * RT_SECOND), 0);
}

/* ---- a failback that cannot be made durable at the old source ---- */

static int fail_failback(void *arg)
{
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	protect();
	expect(&b, RECOVER, DONE);
	await(&a, SHOW_PAIR("1500"), "\"reason\":\"history\"");
	await(&a, STATE_OF_SESSION, "\"state\":\"fatal\"");
	expect(&b, PATH_HOME, DONE);
	/* No room for the metadata. */
	sim_set_disk_bytes(a.sim, 1);
	expect(&b, FAIL_BACK, "\"ok\":false");
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	/* It is the source that it was, with its volume in its session. */
	expect(&a, SHOW_PAIR("1500"), "\"role\":\"source\"");
	expect(&a, SHOW_PAIR("1500"), "\"session\":1");
	expect(&a, STATE_OF_SESSION, "\"volume_count\":1");
	expect(&b, FAIL_BACK, DONE);
	expect(&a, SHOW_PAIR("1500"), "\"role\":\"target\"");
	/* A recovery given again beside it changes nothing. */
	expect(&b, RECOVER, DONE);
	expect(&b, SHOW_PAIR("2500"), "\"role\":\"source\"");
	await(&b, SHOW_PAIR("2500"), "\"out_of_sync_blocks\":0");
	return stop_both();
}

/*
 * The volume had left its session before its record said so: where that failed, a session that was begun anew formed
 * groups without it.
 */
static void a_failback_that_is_not_durable_leaves_the_source_as_it_was(void **state)
{
	(void)state;
	run(fail_failback);
}

/* ---- a far side whose disk hangs while it recovers ---- */

static int write_last_block(void *arg)
{
	struct attachment attachment;
	static uint8_t data[4096] = { 7 };
	int rc;

	(void)arg;
	CHECK_EQUAL(control_attach(system_control(a.system), "1500", &attachment), 0);
	rc = volume_write(attachment.volume, data, sizeof(data), 0, VOLUME_FUA);
	control_detach(system_control(a.system), 0x1500);
	return rc;
}

static int recover_on_hung_disk(void *arg)
{
	struct sim_disk_state hung = { .slower = 1000000 }, well = { 0 };
	int64_t began_ns;

	(void)arg;
	protect();
	sim_set_disk(b.sim, "/pool", &hung);
	CHECK_EQUAL(sim_call(a.sim, write_last_block, NULL), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2 * RT_SECOND), 0);
	sim_crash(a.sim, SIM_DEATH);
	began_ns = rt_now_ns();
	expect(&b, RECOVER, "system 2105.FB230: CG");
	CHECK(strstr(last_reply, "a disk is slow or hangs"));
	CHECK(rt_now_ns() - began_ns < 30 * RT_SECOND);
	sim_set_disk(b.sim, "/pool", &well);
	await(&b, RECOVER, DONE);
	expect(&b, SHOW("2500"), "\"access\":\"write\"");
	boot(&a);
	return stop_both();
}

static void a_far_side_whose_disk_hangs_is_named_and_recovers_later(void **state)
{
	(void)state;
	run(recover_on_hung_disk);
}

/* ---- a link that is lost while a command has the pair ---- */

static struct rt_group adding;
static struct question add_question;

static void ask_to_add(void *arg)
{
	(void)arg;
	CHECK_EQUAL(sim_call(a.sim, ask_there, &add_question), 0);
}

static int lose_link_in_a_command(void *arg)
{
	struct sim_disk_state hung = { .slower = 100000 }, well = { 0 };

	(void)arg;
	rt_group_init(&adding);
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, OPEN_IT, DONE);
	await(&a, SHOW_PAIR("1500"), "\"first_copy_done\":true");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	sim_set_disk(a.sim, "/state", &hung);
	add_question = (struct question){ &a, ADD_VOLUME, "" };
	CHECK_EQUAL(rt_group_start(&adding, "add", ask_to_add, NULL), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	sim_refuse(b.sim, true);
	sim_break(a.sim, b.sim);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 2 * RT_SECOND), 0);
	CHECK(!*add_question.reply);
	/* The command's change of the record comes first. */
	expect(&a, SHOW_PAIR("1500"), "\"reason\":null");
	sim_set_disk(a.sim, "/state", &well);
	CHECK_EQUAL(rt_group_wait(&adding), 0);
	CHECK(strstr(add_question.reply, DONE));
	await(&a, SHOW_PAIR("1500"), "\"reason\":\"link\"");
	expect(&a, SHOW_PAIR("1500"), "\"session\":1");
	sim_refuse(b.sim, false);
	await(&a, SHOW_PAIR("1500"), "\"reason\":null");
	return stop_both();
}

/* It went to the disk beside what a command made durable of the same pair. */
static void what_a_lost_link_says_of_a_pair_waits_for_its_turn(void **state)
{
	(void)state;
	run(lose_link_in_a_command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failback_that_is_not_durable_leaves_the_source_as_it_was),
		cmocka_unit_test(a_far_side_whose_disk_hangs_is_named_and_recovers_later),
		cmocka_unit_test(what_a_lost_link_says_of_a_pair_waits_for_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
