/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations that need the model and another system, over two whole systems in the simulator: what is refused, what
 * goes on while the other system is silent, and what a command that was cut midway leaves for the next try.
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

/* ---- a grow that was cut midway ---- */

static int write_tail(void *arg)
{
	struct attachment attachment;
	uint8_t data[4096];
	int rc;

	(void)arg;
	memset(data, 0x5A, sizeof(data));
	CHECK_EQUAL(control_attach(system_control(a.system), "1500", &attachment), 0);
	CHECK_EQUAL(attachment.size_bytes, 4 * MIB);
	rc = volume_write(attachment.volume, data, sizeof(data), attachment.size_bytes - sizeof(data), VOLUME_FUA);
	control_detach(system_control(a.system), 0x1500);
	return rc;
}

static bool target_has_tail(const char *file)
{
	uint8_t byte = 0;

	CHECK_EQUAL(sim_peek(b.sim, file, &byte, 1, 4 * MIB - 1), 0);
	return byte == 0x5A;
}

/* The target's disk grew, and that could not be recorded: the command fails, and its repetition does all of it. */
static int cut_grow(void *arg)
{
	struct file_search search = { "2500-", "" };
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	/* No room for the metadata; a disk of holes grows without any. */
	sim_set_disk_bytes(b.sim, 1);
	expect(&a, GROW("1500", "4M"), "system 2105.FB230 refuses");
	sim_set_disk_bytes(b.sim, config.disk_bytes);
	expect(&a, SHOW("1500"), "\"size_bytes\":1048576");
	expect(&b, SHOW("2500"), "\"size_bytes\":1048576");
	/* In between the two sizes is no way: the target's disk has the larger one. */
	expect(&a, GROW("1500", "2M"), "never shrinks");
	expect(&a, GROW("1500", "4M"), DONE);
	/* As its own record says, after a restart too. */
	expect(&b, SHOW("2500"), "\"size_bytes\":4194304");
	CHECK_EQUAL(sim_stop_and_wait(b.sim), 0);
	boot(&b);
	expect(&b, SHOW("2500"), "\"size_bytes\":4194304");
	CHECK_EQUAL(sim_call(a.sim, write_tail, NULL), 0);
	CHECK_EQUAL(sim_call(b.sim, find_target_file, &search), 0);
	while (!target_has_tail(search.name))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	return stop_both();
}

static void a_grow_that_was_cut_can_be_repeated(void **state)
{
	(void)state;
	run(cut_grow);
}

/* ---- a silent system ---- */

static struct rt_group askers;
static struct question slow;

static void ask_slowly(void *arg)
{
	(void)arg;
	CHECK_EQUAL(sim_call(a.sim, ask_there, &slow), 0);
}

/* While the command waits for the other system, others are done at once. */
static void check_others_go_on(const char *request, const char *name)
{
	char create[200];
	int64_t began_ns = rt_now_ns();

	slow = (struct question){ &a, request, "" };
	CHECK_EQUAL(rt_group_start(&askers, "slow", ask_slowly, NULL), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK(!*slow.reply);
	snprintf(create, sizeof(create),
		 "{\"op\":\"volume create\",\"args\":{\"volume\":\"%s\",\"pool\":\"p\",\"size\":\"1M\"}}", name);
	expect(&a, create, DONE);
	expect(&a, "{\"op\":\"volume list\"}", DONE);
	CHECK(rt_now_ns() - began_ns < 2 * RT_SECOND);
	CHECK(!*slow.reply);
	CHECK_EQUAL(rt_group_wait(&askers), 0);
	if (!strstr(slow.reply, "\"ok\":false") || !strstr(slow.reply, "2105.FB230"))
		check_failed(__FILE__, __LINE__, slow.reply);
}

static int ask_silent_system(void *arg)
{
	(void)arg;
	rt_group_init(&askers);
	prepare();
	sim_pause(b.sim);
	check_others_go_on(CREATE_PAIR, "1501");
	/* What was refused has left nothing. */
	expect(&a, "{\"op\":\"pair list\"}", "\"result\":[]");
	sim_resume(b.sim);
	expect(&a, CREATE_PAIR, DONE);
	sim_pause(b.sim);
	check_others_go_on(GROW("1500", "2M"), "1502");
	sim_resume(b.sim);
	/* Connections that were begun while it stood still come and go first. */
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	expect(&a, GROW("1500", "2M"), DONE);
	return stop_both();
}

static void a_silent_system_keeps_no_other_command_waiting(void **state)
{
	(void)state;
	run(ask_silent_system);
}

/* ---- a system that refuses, a link that breaks ---- */

static int meet_refusal(void *arg)
{
	int64_t began_ns;

	(void)arg;
	prepare();
	sim_refuse(b.sim, true);
	sim_break(a.sim, b.sim);
	began_ns = rt_now_ns();
	expect(&a, CREATE_PAIR, "it cannot be reached: no connection to b1:7000: Connection refused");
	/* An answer that will be the same the next time is not waited for. */
	CHECK(rt_now_ns() - began_ns < 5 * RT_SECOND);
	sim_refuse(b.sim, false);
	expect(&a, CREATE_PAIR, DONE);
	return stop_both();
}

static void a_refusal_is_told_at_once(void **state)
{
	(void)state;
	run(meet_refusal);
}

#define FORCE_DELETE(volume) \
	"{\"op\":\"pair delete\",\"args\":{\"volume\":\"" volume "\",\"force\":true}}"
#define DELETE_PAIR	"{\"op\":\"pair delete\",\"args\":{\"volume\":\"1500\"}}"

/* That its first copy is done is saved while the pair is deleted: the one must not bring the other back. */
static int delete_while_saved(void *arg)
{
	struct sim_disk_state slow_disk = { .slower = 100 };

	(void)arg;
	prepare();
	/* The answer that all is durable there comes when the other end has given the pair up already. */
	sim_set_disk(b.sim, "/pool", &slow_disk);
	for (unsigned i = 0; i < 30; i++) {
		expect(&a, CREATE_PAIR, DONE);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 500) * RT_MS), 0);
		expect(&a, DELETE_PAIR, DONE);
		expect(&a, "{\"op\":\"system dump\"}", DONE);
		CHECK(!strstr(last_reply, "\"table\":\"pair\""));
	}
	return stop_both();
}

static void a_deleted_pair_does_not_come_back(void **state)
{
	(void)state;
	run(delete_while_saved);
}

/* ---- a system that has moved ---- */

#define CREATE_PATH(source, target, to) \
	"{\"op\":\"path create\",\"args\":{\"source_lss\":\"" source "\",\"target_lss\":\"" target "\"," \
	"\"system\":\"2105.FB230\",\"to\":\"" to "\"}}"
#define LIST_PATHS	"{\"op\":\"path list\"}"

static bool is_at_old_address(void)
{
	return strstr(last_reply, "elsewhere:7000") != NULL;
}

static int move_far_system(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PATH("17", "27", "b1:7000"), DONE);
	expect(&a, CREATE_PATH("17", "27", "b1:7000"), "this path exists already");
	expect(&a, CREATE_PATH("15", "25", "elsewhere:7000"), DONE);
	sim_break(a.sim, b.sim);
	expect(&a, CREATE_PAIR, "it cannot be reached");
	/* All paths to the system have moved. */
	expect(&a, LIST_PATHS, "\"target_lss\":\"27\",\"system\":\"2105.FB230\",\"address\":\"elsewhere:7000\"");
	expect(&a, CREATE_PATH("17", "27", "b1:7000"), DONE);
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, LIST_PATHS, "connected");
	CHECK(!is_at_old_address());
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	boot(&a);
	expect(&a, LIST_PATHS, DONE);
	CHECK(!is_at_old_address());
	return stop_both();
}

static void a_system_may_move(void **state)
{
	(void)state;
	run(move_far_system);
}

/* ---- what cannot be made durable is not told ---- */

static int suspend_without_room(void *arg)
{
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	sim_set_disk_bytes(a.sim, 1);
	expect(&a, OF_PAIR("suspend"), "the change cannot be made durable");
	expect(&a, OF_PAIR("show"), "\"state\":\"copy-pending\"");
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	expect(&a, OF_PAIR("suspend"), "\"state\":\"suspended\"");
	sim_set_disk_bytes(a.sim, 1);
	expect(&a, OF_PAIR("resume"), "the change cannot be made durable");
	expect(&a, OF_PAIR("show"), "\"state\":\"suspended\",\"reason\":\"command\"");
	sim_set_disk_bytes(a.sim, config.disk_bytes);
	sim_crash(a.sim, SIM_POWER_LOSS);
	boot(&a);
	expect(&a, OF_PAIR("show"), "\"state\":\"suspended\",\"reason\":\"command\"");
	expect(&a, OF_PAIR("resume"), "\"state\":\"copy-pending\"");
	return stop_both();
}

static void a_pair_is_suspended_and_resumed_durably_or_not(void **state)
{
	(void)state;
	run(suspend_without_room);
}

/* ---- a path that is deleted while a pair is made ---- */

#define DELETE_PATH	"{\"op\":\"path delete\",\"args\":{\"source_lss\":\"15\",\"target_lss\":\"25\"," \
			"\"system\":\"2105.FB230\"}}"

/* Either the path goes and no pair is made, or the pair keeps it. */
static int delete_path_beside(void *arg)
{
	unsigned kept = 0, gone = 0;

	(void)arg;
	rt_group_init(&askers);
	prepare();
	for (int64_t after_us = 0; after_us < 20000; after_us += 100) {
		slow = (struct question){ &a, after_us % 200 ? CREATE_PAIR : DELETE_PATH, "" };
		CHECK_EQUAL(rt_group_start(&askers, "slow", ask_slowly, NULL), 0);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + after_us * RT_US), 0);
		expect(&a, after_us % 200 ? DELETE_PATH : CREATE_PAIR, "");
		CHECK_EQUAL(rt_group_wait(&askers), 0);
		expect(&a, LIST_PATHS, DONE);
		if (strstr(last_reply, "\"result\":[]")) {
			expect(&a, "{\"op\":\"pair list\"}", "\"result\":[]");
			expect(&a, CREATE_PATH("15", "25", "b1:7000"), DONE);
			gone++;
		} else {
			expect(&a, DELETE_PAIR, DONE);
			kept++;
		}
	}
	CHECK(kept && gone);
	return stop_both();
}

static void no_pair_is_left_without_its_path(void **state)
{
	(void)state;
	run(delete_path_beside);
}

/* ---- a target that hosts have open ---- */

static int attach_target(void *arg)
{
	struct attachment attachment;

	(void)arg;
	return control_attach(system_control(b.system), "2500", &attachment);
}

static int write_target(void *arg)
{
	struct control *control = system_control(b.system);
	struct attachment attachment;
	uint64_t word = 1;
	int rc = control_attach(control, "2500", &attachment);

	(void)arg;
	if (rc)
		return rc;
	rc = volume_write(attachment.volume, &word, sizeof(word), 0, 0);
	control_detach(control, 0x2500);
	return rc;
}

static int detach_target(void *arg)
{
	(void)arg;
	control_detach(system_control(b.system), 0x2500);
	return 0;
}

static int take_open_target(void *arg)
{
	(void)arg;
	prepare();
	CHECK_EQUAL(sim_call(b.sim, attach_target, NULL), 0);
	expect(&a, CREATE_PAIR, "1 host connection has it open");
	expect(&a, CREATE_PAIR, "disconnect the hosts of volume 2500 there, or take another volume");
	/* Hosts go on as if nothing had been. */
	CHECK_EQUAL(sim_call(b.sim, write_target, NULL), 0);
	expect(&b, SHOW("2500"), "\"access\":\"write\"");
	CHECK_EQUAL(sim_call(b.sim, detach_target, NULL), 0);
	expect(&a, CREATE_PAIR, DONE);
	CHECK_EQUAL(sim_call(b.sim, attach_target, NULL), -EPERM);
	expect(&b, SHOW("2500"), "\"access\":\"none\"");
	return stop_both();
}

static void a_target_that_hosts_have_open_is_refused(void **state)
{
	(void)state;
	run(take_open_target);
}

/* A target that cannot be recorded is what it was before: open to hosts, and in no pair. */
static int fail_target(void *arg)
{
	struct sim_config config;

	(void)arg;
	sim_config_default(&config);
	prepare();
	sim_set_disk_bytes(b.sim, 1);
	expect(&a, CREATE_PAIR, "cannot become a target");
	sim_set_disk_bytes(b.sim, config.disk_bytes);
	expect(&b, SHOW("2500"), "\"access\":\"write\"");
	expect(&b, "{\"op\":\"pair list\"}", "\"result\":[]");
	expect(&a, "{\"op\":\"pair list\"}", "\"result\":[]");
	expect(&a, CREATE_PAIR, DONE);
	return stop_both();
}

static void a_target_that_is_not_durable_stays_open(void **state)
{
	(void)state;
	run(fail_target);
}

/* ---- many starts while the far side is away ---- */

static int write_first_block(void *arg)
{
	struct attachment attachment;
	uint8_t data[4096];
	int rc;

	memset(data, *(const uint8_t *)arg, sizeof(data));
	CHECK_EQUAL(control_attach(system_control(a.system), "1500", &attachment), 0);
	rc = volume_write(attachment.volume, data, sizeof(data), 0, VOLUME_FUA);
	control_detach(system_control(a.system), 0x1500);
	return rc;
}

static int start_often(void *arg)
{
	struct file_search search = { "2500-", "" };
	uint8_t byte = 0;

	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
	sim_crash(b.sim, SIM_DEATH);
	for (uint8_t i = 1; i <= HISTORY_MAX + 4; i++) {
		CHECK_EQUAL(sim_call(a.sim, write_first_block, &i), 0);
		/* By then the write is seen, and a generation has begun. */
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 3 * RT_SECOND), 0);
		sim_crash(a.sim, i % 2 ? SIM_DEATH : SIM_POWER_LOSS);
		boot(&a);
	}
	boot(&b);
	await(&a, OF_PAIR("show"), "\"out_of_sync_blocks\":0");
	expect(&a, OF_PAIR("show"), "\"state\":\"copy-pending\",\"reason\":null");
	CHECK_EQUAL(sim_call(b.sim, find_target_file, &search), 0);
	CHECK_EQUAL(sim_peek(b.sim, search.name, &byte, 1, 0), 0);
	CHECK_EQUAL(byte, HISTORY_MAX + 4);
	return stop_both();
}

/*
 * Each start at which hosts wrote began a generation of its own, although the far side had not heard of the one
 * before: the generation that both had fell out of the history, and the two sides had nothing in common any more.
 */
static void many_starts_leave_what_both_sides_have_in_common(void **state)
{
	(void)state;
	run(start_often);
}

/* ---- a target whose sync has failed ---- */

#define START_SESSION	"{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}"
#define OPEN_SESSION	"{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}"
#define ADD_VOLUME	"{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}"
#define ACCEPT		"{\"op\":\"volume accept\",\"args\":{\"volume\":\"2500\"}}"

/* The source restarts, and compares what is dirty with what the target has in memory, and maybe nowhere else. */
static void compare_after_failed_sync(bool session)
{
	struct sim_disk_state fails = { .sync_fails = true }, well = { 0 };
	uint8_t byte = 1;

	sim_set_disk(b.sim, "/pool", &fails);
	CHECK_EQUAL(sim_call(a.sim, write_first_block, &byte), 0);
	await(&b, SHOW("2500"), "\"sync_failed_at\":\"");
	sim_crash(a.sim, SIM_DEATH);
	boot(&a);
	/*
	 * The journal has what was written last, durably; all else is sent, and a pair without a journal refuses it.
	 */
	await(&a, OF_PAIR("show"), session ? "\"sent_bytes\":1044480" : "\"reason\":\"far-disk\"");
	expect(&a, OF_PAIR("show"), session ? "\"same_bytes\":4096" : "\"same_bytes\":0");
	sim_set_disk(b.sim, "/pool", &well);
	expect(&b, ACCEPT, DONE);
	await(&a, OF_PAIR("show"), "\"out_of_sync_blocks\":0");
}

static int compare_pair(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	compare_after_failed_sync(false);
	return stop_both();
}

static int compare_session(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, OPEN_SESSION, DONE);
	expect(&a, ADD_VOLUME, DONE);
	expect(&a, START_SESSION, DONE);
	await(&a, "{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}", "\"joined_count\":1");
	compare_after_failed_sync(true);
	return stop_both();
}

static void what_a_failed_sync_left_is_not_the_same(void **state)
{
	(void)state;
	run(compare_pair);
	run(compare_session);
}

/* ---- a pair whose volume cannot be opened ---- */

static int find_source_file(void *arg)
{
	struct file_search *search = arg;
	int rc;

	snprintf(search->prefix, sizeof(search->prefix), "1500-");
	rc = rt_path_list("/pool", note_name, search);
	CHECK(*search->name);
	return rc;
}

static int hide_file(void *arg)
{
	return rt_path_rename(((struct file_search *)arg)->name, "/hidden");
}

static int show_file(void *arg)
{
	return rt_path_rename("/hidden", ((struct file_search *)arg)->name);
}

static void restart_a_without(struct file_search *search)
{
	CHECK_EQUAL(sim_call(a.sim, hide_file, search), 0);
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	boot(&a);
	expect(&a, SHOW("1500"), "\"state\":\"offline\"");
}

#define DELETE_VOLUME	"{\"op\":\"volume delete\",\"args\":{\"volume\":\"1500\"}}"
#define LIST_PAIRS	"{\"op\":\"pair list\"}"
#define SHOW_SESSION	"{\"op\":\"session show\",\"args\":{\"session\":\"1\"}}"

static int lose_a_volume(void *arg)
{
	struct file_search search = { "", "" };

	(void)arg;
	prepare();
	expect(&a, "{\"op\":\"volume create\",\"args\":{\"volume\":\"1501\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&b, "{\"op\":\"volume create\",\"args\":{\"volume\":\"2501\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"pair create\",\"args\":{\"volume\":\"1501\",\"target\":\"2501\","
	       "\"system\":\"2105.FB230\",\"type\":\"async\"}}", DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\",\"1501\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	await(&a, SHOW_SESSION, "\"joined_count\":2");
	CHECK_EQUAL(sim_call(a.sim, find_source_file, &search), 0);
	restart_a_without(&search);
	/* It is remembered, so that no other volume gets into its place. */
	expect(&a, LIST_PAIRS, "\"state\":\"suspended\",\"reason\":\"disk\"");
	expect(&a, DELETE_VOLUME, "it is the source of a pair with volume 2500 of 2105.FB230");
	expect(&a, DELETE_PAIR, "its volume is offline");
	/* Its session forms no group without it. */
	await(&a, SHOW_SESSION, "\"reason\":\"disk failed\"");
	expect(&a, SHOW_SESSION, "\"kind\":\"volume-offline\"");
	/* Mended, it goes on. */
	CHECK_EQUAL(sim_call(a.sim, show_file, &search), 0);
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	boot(&a);
	await(&a, SHOW_SESSION, "\"cg_failed_since_good\":0");
	await(&a, SHOW_SESSION, "\"joined_count\":2");
	/* Or it is given up by name. */
	restart_a_without(&search);
	expect(&a, FORCE_DELETE("1500"), DONE);
	expect(&a, DELETE_VOLUME, DONE);
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	boot(&a);
	expect(&a, LIST_PAIRS, DONE);
	CHECK(!strstr(last_reply, "\"volume\":\"1500\""));
	return stop_both();
}

static void a_pair_whose_volume_is_offline_is_remembered(void **state)
{
	(void)state;
	run(lose_a_volume);
}

static void expect_idle(const char *fiber)
{
	char *waits = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&waits, &len);

	CHECK(out);
	sim_print_waits(sim_world(), out);
	CHECK_EQUAL(fclose(out), 0);
	if (!strstr(waits, fiber))
		check_failed(__FILE__, __LINE__, waits);
	free(waits);
}

/* As docs/disk-format.md has it: the bit of volume 1500, of which all is in doubt, in copy A of a log of A. */
static bool is_in_doubt(const char *path)
{
	uint8_t head[20], byte;
	uint64_t block;

	CHECK_EQUAL(sim_peek(a.sim, path, head, sizeof(head), 0), 0);
	CHECK(!memcmp(head, "XDDL", 4));
	block = head[16] + 256u * head[17] - 3u;
	CHECK_EQUAL(sim_peek(a.sim, path, &byte, 1, block * 4096 + 64 + 0x1500 / 8), 0);
	return byte & 1;
}

static bool any_log_has_doubts(void)
{
	return is_in_doubt("/state/dirty-0.log") || is_in_doubt("/state/dirty-1.log");
}

static int leave_a_volume_in_doubt(void *arg)
{
	struct file_search search = { "", "" };

	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	CHECK_EQUAL(sim_call(a.sim, find_source_file, &search), 0);
	CHECK_EQUAL(sim_call(a.sim, drop_logs, NULL), 0);
	restart_a_without(&search);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 20 * RT_SECOND), 0);
	expect_idle("a1/0 clean regions: waits for another fiber\n");
	CHECK(any_log_has_doubts());
	/* Nobody asks for it any more: the log is rid of it at the next start. */
	expect(&a, FORCE_DELETE("1500"), DONE);
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	CHECK(any_log_has_doubts());
	boot(&a);
	expect(&a, LIST_PAIRS, "\"result\":[]");
	CHECK_EQUAL(sim_stop_and_wait(a.sim), 0);
	CHECK(!any_log_has_doubts());
	boot(&a);
	return stop_both();
}

/* All of it is in the dirty log, and nobody can make it clean: that was tried every five seconds. */
static void a_volume_that_was_left_out_wakes_nobody(void **state)
{
	(void)state;
	run(leave_a_volume_in_doubt);
}

/* ---- an end that is left of an earlier pair ---- */

static int meet_left_target(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	/* Else it might hold what it held before: the second one would be the first, tried again. */
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	sim_cut(a.sim, b.sim);
	/* Else what is asked of the other end might get there when the way is whole again. */
	await(&a, "{\"op\":\"path list\"}", "\"state\":\"disconnected\"");
	expect(&a, "{\"op\":\"pair delete\",\"args\":{\"volume\":\"1500\",\"force\":true}}", DONE);
	sim_heal(a.sim, b.sim);
	expect(&a, CREATE_PAIR, "is in an earlier pair with the same volume");
	expect(&a, CREATE_PAIR, "xdc pair delete 2500 --force, on 2105.FB230");
	expect(&b, "{\"op\":\"pair delete\",\"args\":{\"volume\":\"2500\",\"force\":true}}", DONE);
	expect(&a, CREATE_PAIR, DONE);
	return stop_both();
}

static void an_end_that_is_left_is_named(void **state)
{
	(void)state;
	run(meet_left_target);
}

/* ---- an LSS that something uses ---- */

#define LSS_DELETE	"{\"op\":\"lss delete\",\"args\":{\"lss\":\"17\"}}"

static int delete_used_lss(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, "{\"op\":\"lss create\",\"args\":{\"lss\":\"17\"}}", DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"3\",\"lss\":\"17\"}}", DONE);
	expect(&a, "{\"op\":\"path create\",\"args\":{\"source_lss\":\"17\",\"target_lss\":\"27\","
	       "\"system\":\"2105.FB230\",\"to\":\"b1:7000\"}}", DONE);
	expect(&a, LSS_DELETE, "session 3 is open on it");
	expect(&a, LSS_DELETE, "xdc session close 3 --lss 17");
	expect(&a, "{\"op\":\"session close\",\"args\":{\"session\":\"3\",\"lss\":\"17\"}}", DONE);
	expect(&a, LSS_DELETE, "xdc path delete 17 27 --system 2105.FB230");
	expect(&a, "{\"op\":\"path delete\",\"args\":{\"source_lss\":\"17\",\"target_lss\":\"27\","
	       "\"system\":\"2105.FB230\"}}", DONE);
	expect(&a, LSS_DELETE, DONE);
	return stop_both();
}

static void an_lss_that_is_used_is_not_deleted(void **state)
{
	(void)state;
	run(delete_used_lss);
}

/* ---- volumes larger than the dirty log can number ---- */

#define CREATE(id, size) \
	"{\"op\":\"volume create\",\"args\":{\"volume\":\"" id "\",\"pool\":\"p\",\"size\":\"" size "\"}}"
#define ADOPT(id, ...) \
	"{\"op\":\"volume create\",\"args\":{\"volume\":\"" id "\",\"pool\":\"d\",\"adopt\":\"/large\"" __VA_ARGS__ "}}"

static int make_large_volumes(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE("1501", "1025T"), "a volume has at most 1125899906842624 bytes");
	expect(&a, CREATE("1501", "1024T"), DONE);
	expect(&a, GROW("1501", "1025T"), "a volume has at most 1125899906842624 bytes");
	CHECK_EQUAL(sim_add_device(a.sim, "/large", 1125899906842624 + 512), 0);
	expect(&a, "{\"op\":\"pool create\",\"args\":{\"pool\":\"d\",\"device\":true}}", DONE);
	expect(&a, ADOPT("1502"), "give a size of at most 1024T");
	expect(&a, ADOPT("1502", ",\"size\":\"1024T\""), DONE);
	return stop_both();
}

static void no_volume_has_more_regions_than_numbers(void **state)
{
	(void)state;
	run(make_large_volumes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grow_that_was_cut_can_be_repeated),
		cmocka_unit_test(a_silent_system_keeps_no_other_command_waiting),
		cmocka_unit_test(a_refusal_is_told_at_once),
		cmocka_unit_test(a_deleted_pair_does_not_come_back),
		cmocka_unit_test(a_system_may_move),
		cmocka_unit_test(a_pair_is_suspended_and_resumed_durably_or_not),
		cmocka_unit_test(no_pair_is_left_without_its_path),
		cmocka_unit_test(a_target_that_hosts_have_open_is_refused),
		cmocka_unit_test(a_target_that_is_not_durable_stays_open),
		cmocka_unit_test(many_starts_leave_what_both_sides_have_in_common),
		cmocka_unit_test(what_a_failed_sync_left_is_not_the_same),
		cmocka_unit_test(a_pair_whose_volume_is_offline_is_remembered),
		cmocka_unit_test(a_volume_that_was_left_out_wakes_nobody),
		cmocka_unit_test(an_end_that_is_left_is_named),
		cmocka_unit_test(an_lss_that_is_used_is_not_deleted),
		cmocka_unit_test(no_volume_has_more_regions_than_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
