/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on sessions over two whole systems in the simulator: what is told of a session is so, also when its state
 * folder is full or a volume of it is offline, and who brings production home is told what comes next.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "two_systems.h"

#define OF_SESSION(verb)	"{\"op\":\"session " verb "\",\"args\":{\"session\":\"1\"}}"
#define ON_PAIR(verb, volume)	"{\"op\":\"pair " verb "\",\"args\":{\"volume\":\"" volume "\"}}"

/* Session 1 forms groups of volume 1500. */
static void prepare_session(void)
{
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	await(&a, OF_SESSION("show"), "\"joined_count\":1");
}

static int attach_source(void *arg)
{
	(void)arg;
	return control_attach(system_control(a.system), "1500", &(struct attachment){ 0 });
}

static int write_source(void *arg)
{
	struct attachment attachment;
	uint64_t word = rt_random_u64();
	int rc = control_attach(system_control(a.system), "1500", &attachment);

	(void)arg;
	if (rc)
		return rc;
	rc = volume_write(attachment.volume, &word, sizeof(word), 0, 0);
	control_detach(system_control(a.system), 0x1500);
	return rc;
}

static long long number_of(struct site *site, const char *request, const char *key)
{
	char part[64];
	const char *at;

	expect(site, request, DONE);
	snprintf(part, sizeof(part), "\"%s\":", key);
	at = strstr(last_reply, part);
	CHECK(at);
	return strtoll(at + strlen(part), NULL, 10);
}

static void wait_group(void)
{
	long long good = number_of(&a, OF_SESSION("show"), "cg_good");

	CHECK_EQUAL(sim_call(a.sim, write_source, NULL), 0);
	while (number_of(&a, OF_SESSION("show"), "cg_good") <= good)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
}

/* ---- a pause that cannot be made durable ---- */

static int pause_without_room(void *arg)
{
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	prepare_session();
	wait_group();
	/* That it is open for writing was to be noted, too. */
	CHECK_EQUAL(sim_call(a.sim, attach_source, NULL), 0);
	sim_set_disk_bytes(a.sim, 1);
	expect(&a, OF_SESSION("pause"), "cannot be made durable");
	expect(&a, OF_SESSION("show"), "\"state\":\"running\"");
	expect(&a, OF_SESSION("terminate"), "cannot be made durable");
	expect(&a, OF_SESSION("show"), "\"state\":\"running\"");
	wait_group();
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	expect(&a, OF_SESSION("pause"), "\"state\":\"paused\"");
	/* As it outlives a restart. */
	sim_crash(a.sim, SIM_POWER_LOSS);
	boot(&a);
	expect(&a, OF_SESSION("show"), "\"state\":\"paused\"");
	expect(&a, "{\"op\":\"volume accept\",\"args\":{\"volume\":\"1500\"}}", DONE);
	expect(&a, OF_SESSION("resume"), "\"state\":\"running\"");
	await(&a, OF_SESSION("show"), "\"joined_count\":1");
	wait_group();
	return stop_both();
}

static void a_session_is_paused_durably_or_goes_on(void **state)
{
	(void)state;
	run(pause_without_room);
}

/* ---- a removal that cannot be made durable ---- */

#define REMOVE	"{\"op\":\"session remove\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}"

static int remove_without_room(void *arg)
{
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	prepare_session();
	wait_group();
	sim_set_disk_bytes(a.sim, 1);
	expect(&a, REMOVE, "cannot be made durable");
	expect(&a, REMOVE, "cannot be made durable");
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	expect(&a, REMOVE, "\"volumes\":[]");
	expect(&a, REMOVE, "it is not in session 1");
	sim_crash(a.sim, SIM_POWER_LOSS);
	boot(&a);
	expect(&a, OF_SESSION("show"), "\"volumes\":[]");
	return stop_both();
}

static void a_removal_that_was_refused_can_be_repeated(void **state)
{
	(void)state;
	run(remove_without_room);
}

/* ---- a session whose volumes are offline ---- */

static int take_file_away(void *arg)
{
	struct file_search search = { "1500-", "" };
	int rc = rt_path_list("/pool", note_name, &search);

	(void)arg;
	return rc ? rc : rt_path_rename(search.name, "/pool/away");
}

static int start_without_volume(void *arg)
{
	(void)arg;
	prepare_session();
	wait_group();
	CHECK_EQUAL(sim_call(a.sim, take_file_away, NULL), 0);
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	boot(&a);
	expect(&a, OF_SESSION("show"), "\"state\":\"running\"");
	expect(&a, OF_SESSION("show"), "\"kind\":\"volume-offline\"");
	expect(&a, OF_SESSION("show"), "mend that and start xdcd again");
	/* It says for whom it waits, and decides nothing without what the far side holds. */
	await(&a, OF_SESSION("show"), "\"waiting_for\":\"2105.FA120\"");
	CHECK(strstr(last_reply, "\"rpo_ms\":null"));
	CHECK(strstr(last_reply, "\"phase\":\"wait\""));
	expect(&b, OF_SESSION("probe"), DONE);
	expect(&a, "{\"op\":\"session close\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", "volume 1500 is in it");
	return stop_both();
}

static void a_session_without_its_volumes_says_so(void **state)
{
	(void)state;
	run(start_without_volume);
}

/* ---- production comes home ---- */

static void await_equal(struct site *site, const char *show)
{
	while (number_of(site, show, "out_of_sync_blocks") || !strstr(last_reply, "\"first_copy_done\":true"))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
}

#define PATH_HOME	"{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\"," \
			"\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}"

static int bring_session_home(void *arg)
{
	(void)arg;
	prepare_session();
	wait_group();
	expect(&b, OF_SESSION("recover"), "\"lost_ms\":");
	CHECK(!strstr(last_reply, "\"lost_ms\":null"));
	expect(&b, PATH_HOME, DONE);
	await(&b, OF_SESSION("failback"),
	      "\"next\":\"when xdc pair list shows little out of sync, stop the hosts here, "
	      "and xdc session return 1 on each far side\"");
	CHECK(strstr(last_reply, "\"done\":\""));
	await_equal(&b, ON_PAIR("show", "2500"));
	expect(&b, OF_SESSION("return"),
	       "\"next\":\"start the hosts there; at the old master xdc session terminate 1, ");
	expect(&a, OF_SESSION("terminate"), DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	await(&a, OF_SESSION("show"), "\"joined_count\":1");
	wait_group();
	return stop_both();
}

static void a_session_comes_home_by_what_is_said_next(void **state)
{
	(void)state;
	run(bring_session_home);
}

/* A far side that has not heard its source since its start does not make up what was lost. */
static int recover_after_restart(void *arg)
{
	(void)arg;
	prepare_session();
	wait_group();
	sim_crash(a.sim, SIM_POWER_LOSS);
	CHECK_EQUAL(sim_stop_and_wait(b.sim), 0);
	boot(&b);
	expect(&b, OF_SESSION("recover"), "\"lost_ms\":null");
	CHECK_EQUAL(sim_stop_and_wait(b.sim), 0);
	return 0;
}

static void what_was_lost_is_unknown_after_a_restart(void **state)
{
	(void)state;
	run(recover_after_restart);
}

static int bring_pair_home(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	await_equal(&a, ON_PAIR("show", "1500"));
	expect(&b, ON_PAIR("failover", "2500"), DONE);
	expect(&b, PATH_HOME, DONE);
	await(&b, ON_PAIR("failback", "2500"),
	      "\"next\":\"to go home: stop the hosts here, and when xdc pair show 2500 "
	      "has nothing out of sync, on 2105.FA120: xdc pair failover 1500, then xdc pair failback 1500\"");
	await_equal(&b, ON_PAIR("show", "2500"));
	await(&a, ON_PAIR("failover", "1500"), DONE);
	await(&a, ON_PAIR("failback", "1500"), DONE);
	await_equal(&a, ON_PAIR("show", "1500"));
	CHECK_EQUAL(sim_call(a.sim, write_source, NULL), 0);
	await_equal(&a, ON_PAIR("show", "1500"));
	return stop_both();
}

static void a_pair_comes_home_by_what_is_said_next(void **state)
{
	(void)state;
	run(bring_pair_home);
}

/* ---- the jobs of a pause and a swap ---- */

/* In pieces, each of which is sent by itself: at 64 KiB a second longer than another command waits for its turn. */
static int fill_source(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE];
	struct attachment attachment;
	int rc = control_attach(system_control(a.system), "1500", &attachment);

	(void)arg;
	if (rc)
		return rc;
	rt_random_bytes(data, sizeof(data));
	for (uint64_t i = 0; i < MIB / XDC_BLOCK_SIZE && !rc; i++) {
		if (i % 8)
			rc = volume_write(attachment.volume, data, sizeof(data), i * XDC_BLOCK_SIZE, 0);
	}
	control_detach(system_control(a.system), 0x1500);
	return rc;
}

/* As a far-off client: it may never be answered. */
static void ask_beside(void *arg)
{
	struct question *beside = arg;

	if (sim_call(beside->site->sim, ask_there, beside))
		snprintf(beside->reply, sizeof(beside->reply), "not answered");
}

#define JOB(verb, number)	"{\"op\":\"job " verb "\",\"args\":{\"job\":\"" number "\"}}"
#define LIMIT(bytes)		"{\"op\":\"path set\",\"args\":{\"source_lss\":\"15\",\"target_lss\":\"25\"," \
				"\"system\":\"2105.FB230\",\"limit\":\"" bytes "\"}}"
#define PAUSE			"{\"op\":\"session pause\",\"args\":{\"session\":\"1\",\"consistent\":true}}"

/* A command is begun that has to send for seconds, until its job (of this number) shows some of that done. */
static void begin_beside(struct rt_group *group, struct question *beside, const char *show)
{
	rt_group_init(group);
	CHECK_EQUAL(sim_call(a.sim, fill_source, NULL), 0);
	CHECK_EQUAL(rt_group_start(group, "beside", ask_beside, beside), 0);
	await(&a, show, "\"ended_at\":null");
	do {
		expect(&a, show, "\"ended_at\":null");
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	} while (strstr(last_reply, "\"percent\":null") || strstr(last_reply, "\"percent\":0,"));
	CHECK(strstr(last_reply, "\"cancellable\":true"));
	CHECK(!strstr(last_reply, "\"percent\":100"));
}

static int watch_swap(void *arg)
{
	struct question swap = { .site = &a, .request = OF_SESSION("swap") };
	struct question pause = { .site = &a, .request = PAUSE };
	struct rt_group group;

	(void)arg;
	prepare_session();
	expect(&b, PATH_HOME, DONE);
	wait_group();
	expect(&a, LIMIT("64K"), DONE);
	/* To cancel it is to resume the session; job 1 was the first copy. */
	begin_beside(&group, &pause, JOB("show", "2"));
	CHECK(strstr(last_reply, "\"kind\":\"pause\",\"object\":\"session 1\""));
	expect(&a, JOB("cancel", "2"), DONE);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(strstr(pause.reply, "it was given up"));
	await(&a, JOB("show", "2"), "\"state\":\"terminated\"");
	begin_beside(&group, &swap, JOB("show", "3"));
	CHECK(strstr(last_reply, "\"kind\":\"swap\",\"object\":\"session 1\""));
	expect(&a, JOB("cancel", "3"), DONE);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(strstr(swap.reply, "it was given up"));
	await(&a, JOB("show", "3"), "\"state\":\"terminated\"");
	expect(&a, OF_SESSION("show"), "\"state\":\"running\"");
	/* A restart of the master leaves it in the middle, and so its job, until the command has done the rest. */
	begin_beside(&group, &swap, JOB("show", "4"));
	sim_crash(a.sim, SIM_DEATH);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	boot(&a);
	expect(&a, JOB("show", "4"), "\"waiting_for\":\"the same command again\"");
	CHECK(strstr(last_reply, "\"state\":\"suspended\"") && strstr(last_reply, "\"kind\":\"swap\""));
	expect(&a, LIMIT("none"), DONE);
	await(&a, OF_SESSION("swap"), DONE);
	expect(&a, JOB("show", "4"), "\"state\":\"completed\"");
	await(&b, OF_SESSION("show"), "\"role\":\"master\"");
	return stop_both();
}

static void a_swap_has_a_job_until_it_has_come_to_its_end(void **state)
{
	(void)state;
	run(watch_swap);
}

/* One that was cut off and is given up by other commands leaves no job that waits. */
static int give_up_by_command(void *arg)
{
	struct question swap = { .site = &a, .request = OF_SESSION("swap") };
	struct rt_group group;

	(void)arg;
	prepare_session();
	expect(&b, PATH_HOME, DONE);
	wait_group();
	expect(&a, LIMIT("64K"), DONE);
	begin_beside(&group, &swap, JOB("show", "2"));
	sim_crash(a.sim, SIM_DEATH);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	boot(&a);
	expect(&a, JOB("show", "2"), "\"state\":\"suspended\"");
	await(&a, OF_SESSION("resume"), DONE);
	expect(&a, JOB("show", "2"), "\"state\":\"terminated\"");
	CHECK(strstr(last_reply, "it was given up"));
	expect(&a, OF_SESSION("show"), "\"state\":\"running\"");
	return stop_both();
}

static void a_swap_given_up_leaves_no_job_that_waits(void **state)
{
	(void)state;
	run(give_up_by_command);
}

#define NO_TURN	"another command on it is under way"

/* The other command is refused as it waits in vain for its turn; the one under way goes on, and so does its job. */
static int refuse_swap(void *arg)
{
	struct question pause = { .site = &a, .request = PAUSE };
	struct rt_group group;

	(void)arg;
	prepare_session();
	expect(&b, PATH_HOME, DONE);
	wait_group();
	expect(&a, LIMIT("64K"), DONE);
	begin_beside(&group, &pause, JOB("show", "2"));
	expect(&a, OF_SESSION("swap"), NO_TURN);
	expect(&a, JOB("show", "2"), "\"ended_at\":null");
	expect(&a, JOB("show", "3"), "\"kind\":\"swap\"");
	CHECK(strstr(last_reply, "\"state\":\"exception\""));
	CHECK(strstr(last_reply, NO_TURN));
	/* It would resume the session. */
	expect(&a, JOB("cancel", "3"), "\"ok\":false");
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(strstr(pause.reply, DONE));
	expect(&a, JOB("show", "2"), "\"state\":\"completed\"");
	expect(&a, OF_SESSION("show"), "\"state\":\"paused-consistent\"");
	return stop_both();
}

static void a_swap_refused_while_a_pause_is_under_way_leaves_no_job_that_waits(void **state)
{
	(void)state;
	run(refuse_swap);
}

static int order_pause(void *arg)
{
	const struct session_start start = { .session = 1 };
	struct fault fault;

	return control_session_order(system_control(a.system), SESSION_ORDER_PAUSE, &start, arg, &fault);
}

static int refuse_order(void *arg)
{
	struct question swap = { .site = &a, .request = OF_SESSION("swap") };
	struct rt_group group;
	uint64_t job = 0;

	(void)arg;
	prepare_session();
	expect(&b, PATH_HOME, DONE);
	wait_group();
	expect(&a, LIMIT("64K"), DONE);
	begin_beside(&group, &swap, JOB("show", "2"));
	/* Whoever gave it has only the number by then. */
	CHECK_EQUAL(sim_call(a.sim, order_pause, &job), 0);
	CHECK_EQUAL(job, 3);
	expect(&a, JOB("show", "3"), "\"ended_at\":null");
	do {
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
		expect(&a, JOB("show", "3"), "\"kind\":\"pause\"");
	} while (strstr(last_reply, "\"ended_at\":null"));
	CHECK(strstr(last_reply, "\"state\":\"exception\""));
	CHECK(strstr(last_reply, NO_TURN));
	expect(&a, JOB("show", "2"), "\"ended_at\":null");
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(strstr(swap.reply, DONE));
	expect(&a, JOB("show", "2"), "\"state\":\"completed\"");
	await(&b, OF_SESSION("show"), "\"role\":\"master\"");
	return stop_both();
}

static void an_order_refused_late_is_told_by_the_job_it_was_given(void **state)
{
	(void)state;
	run(refuse_order);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_paused_durably_or_goes_on),
		cmocka_unit_test(a_removal_that_was_refused_can_be_repeated),
		cmocka_unit_test(a_session_without_its_volumes_says_so),
		cmocka_unit_test(a_session_comes_home_by_what_is_said_next),
		cmocka_unit_test(what_was_lost_is_unknown_after_a_restart),
		cmocka_unit_test(a_pair_comes_home_by_what_is_said_next),
		cmocka_unit_test(a_swap_has_a_job_until_it_has_come_to_its_end),
		cmocka_unit_test(a_swap_given_up_leaves_no_job_that_waits),
		cmocka_unit_test(a_swap_refused_while_a_pause_is_under_way_leaves_no_job_that_waits),
		cmocka_unit_test(an_order_refused_late_is_told_by_the_job_it_was_given),
	};

	cli_call_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
