/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a first copy, and the way home after a failback, are whole, over two whole systems in the simulator: what the
 * far side may be taken over with, and what neither end forgets before that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "two_systems.h"

/* ---- a pair that is suspended in its first copy ---- */

static int suspend_at_any_moment(void *arg)
{
	(void)arg;
	prepare();
	for (int64_t after_us = 0; after_us < 20000; after_us += 100) {
		int64_t until_ns;

		expect(&a, CREATE_PAIR, DONE);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + after_us * RT_US), 0);
		expect(&a, OF_PAIR("suspend"), DONE);
		/* Whoever looks for what is to be made durable has looked, and found nothing that is sent. */
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
		expect(&a, OF_PAIR("resume"), DONE);
		until_ns = rt_now_ns() + 10 * RT_SECOND;
		while (!is_whole()) {
			CHECK(rt_now_ns() < until_ns);
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
		}
		expect(&a, OF_PAIR("delete"), DONE);
	}
	return stop_both();
}

/*
 * What the far side had acknowledged before the suspension was not made durable there afterwards, unless something more
 * was written: the first copy never came to its end.
 */
static void a_first_copy_that_was_suspended_comes_to_its_end(void **state)
{
	(void)state;
	run(suspend_at_any_moment);
}

/* ---- a target that never got all of its first copy ---- */

#define FAIL_OVER(...)	"{\"op\":\"pair failover\",\"args\":{\"volume\":\"2500\"" __VA_ARGS__ "}}"

static int fail_over_half_a_copy(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	sim_cut(a.sim, b.sim);
	expect(&b, FAIL_OVER(), "its first copy had not ended");
	expect(&b, FAIL_OVER(), "xdc pair failover 2500 --force takes it as it is");
	expect(&b, SHOW("2500"), "\"access\":\"none\"");
	/* Nor after another start. */
	sim_crash(b.sim, SIM_POWER_LOSS);
	boot(&b);
	expect(&b, FAIL_OVER(), "its first copy had not ended");
	expect(&b, FAIL_OVER(",\"force\":true"), DONE);
	expect(&b, SHOW("2500"), "\"access\":\"write\"");
	return stop_both();
}

static void half_a_copy_is_taken_over_by_force_only(void **state)
{
	(void)state;
	run(fail_over_half_a_copy);
}

/* What the source says to be whole is known to be so at the far side, at once and after another start. */
static int fail_over_a_copy(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	sim_crash(a.sim, SIM_POWER_LOSS);
	sim_crash(b.sim, SIM_POWER_LOSS);
	boot(&b);
	expect(&b, FAIL_OVER(), DONE);
	boot(&a);
	return stop_both();
}

static void a_whole_copy_is_taken_over(void **state)
{
	(void)state;
	run(fail_over_a_copy);
}

/* ---- a far side that holds a part, while all that it lacks is in the dirty log ---- */

#define COPY_BYTES	(32 * MIB)
#define REGION_BYTES	(4 * MIB)

/* len bytes, at most 1 MiB, at first and every step behind that before end. */
struct writing {
	struct site *site;
	const char *volume;
	uint64_t first, end, step, len;
	uint8_t value;
	struct volume *open;
};

static int do_write_steps(void *arg)
{
	static uint8_t piece[MIB];
	const struct writing *writing = arg;
	int rc = 0;

	memset(piece, writing->value, sizeof(piece));
	for (uint64_t offset = writing->first; offset < writing->end && !rc; offset += writing->step)
		rc = volume_write(writing->open, piece, writing->len, offset, 0);
	return rc;
}

static int write_steps(void *arg)
{
	struct writing *writing = arg;
	struct control *control = system_control(writing->site->system);
	struct attachment attachment;

	CHECK_EQUAL(control_attach(control, writing->volume, &attachment), 0);
	writing->open = attachment.volume;
	CHECK_EQUAL(rt_call(volume_reactor(writing->open), do_write_steps, writing), 0);
	control_detach(control, (uint16_t)strtoul(writing->volume, NULL, 16));
	return 0;
}

static void write_all(struct site *site, const char *volume, uint8_t value)
{
	struct writing writing = {
		.site = site, .volume = volume, .end = COPY_BYTES, .step = MIB, .len = MIB, .value = value,
	};

	CHECK_EQUAL(sim_call(site->sim, write_steps, &writing), 0);
}

/* One block of each region from first to end. */
static void write_blocks(struct site *site, const char *volume, uint64_t first, uint64_t end, uint8_t value)
{
	struct writing writing = {
		.site = site, .volume = volume, .first = first, .end = end, .step = REGION_BYTES, .len = 4096,
		.value = value,
	};

	CHECK_EQUAL(sim_call(site->sim, write_steps, &writing), 0);
}

/* Volumes of 32 MiB, all of the source's written, and a link that needs seconds for them. */
static void prepare_slow_copy(void)
{
	prepare();
	expect(&a, GROW("1500", "32M"), DONE);
	expect(&b, GROW("2500", "32M"), DONE);
	write_all(&a, "1500", 1);
	sim_set_link(a.sim, b.sim, (struct sim_range){ RT_MS, RT_MS }, 10 * MIB);
}

/* Asks until it is taken over without force; then no block of it is older than this value. */
static void take_over_when_whole(struct site *site, const char *request, const char *prefix, uint8_t least)
{
	struct file_search search = { "", "" };
	unsigned refused = 0;

	for (;; refused++) {
		expect(site, request, "");
		if (strstr(last_reply, DONE))
			break;
		CHECK(strstr(last_reply, "its first copy had not ended"));
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 20 * RT_MS), 0);
	}
	snprintf(search.prefix, sizeof(search.prefix), "%s", prefix);
	CHECK_EQUAL(sim_call(site->sim, find_target_file, &search), 0);
	for (uint64_t offset = 0; offset < COPY_BYTES; offset += 4096) {
		uint8_t byte = 0;

		CHECK_EQUAL(sim_peek(site->sim, search.name, &byte, 1, offset), 0);
		CHECK(byte >= least);
	}
	CHECK(refused > 20);
}

static int take_over_while_logged(void *arg)
{
	(void)arg;
	prepare_slow_copy();
	expect(&a, CREATE_PAIR, DONE);
	write_blocks(&a, "1500", 0, COPY_BYTES, 2);
	take_over_when_whole(&b, FAIL_OVER(), "2500-", 1);
	return stop_both();
}

/* The log is lost with the process: all of the volume is in doubt, and so in the log. */
static int take_over_while_in_doubt(void *arg)
{
	(void)arg;
	prepare_slow_copy();
	expect(&a, CREATE_PAIR, DONE);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 500 * RT_MS), 0);
	CHECK_EQUAL(sim_call(a.sim, drop_logs, NULL), 0);
	sim_crash(a.sim, SIM_DEATH);
	boot(&a);
	take_over_when_whole(&b, FAIL_OVER(), "2500-", 1);
	return stop_both();
}

#define PATH_BACK	"{\"op\":\"path create\",\"args\":{\"source_lss\":\"25\",\"target_lss\":\"15\"," \
			"\"system\":\"2105.FA120\",\"to\":\"a1:7000\"}}"
#define FAIL_BACK(...)	"{\"op\":\"pair failback\",\"args\":{\"volume\":\"2500\"" __VA_ARGS__ "}}"

/* What was written where production went is in the log there; it goes home, and until then nothing whole is at home. */
static int take_over_while_going_home(void *arg)
{
	(void)arg;
	prepare_slow_copy();
	expect(&a, CREATE_PAIR, DONE);
	take_over_when_whole(&b, FAIL_OVER(), "2500-", 1);
	expect(&b, PATH_BACK, DONE);
	write_all(&b, "2500", 2);
	expect(&b, FAIL_BACK(), DONE);
	take_over_when_whole(&a, "{\"op\":\"pair failover\",\"args\":{\"volume\":\"1500\"}}", "1500-", 2);
	return stop_both();
}

/*
 * The far side was told that it holds all of a first copy when what it lacked was in the dirty log: it was taken over
 * without force, and blocks were missing.
 */
static void what_is_in_the_log_is_not_copied_for_that(void **state)
{
	(void)state;
	run(take_over_while_logged);
	run(take_over_while_in_doubt);
	run(take_over_while_going_home);
}

/* ---- a growth between failback and its end ---- */

static bool is_home(void)
{
	expect(&b, "{\"op\":\"pair show\",\"args\":{\"volume\":\"2500\"}}", DONE);
	return strstr(last_reply, "\"first_copy_done\":true") && strstr(last_reply, "\"out_of_sync_blocks\":0");
}

static int grow_on_the_way_home(void *arg)
{
	struct file_search at_home = { "1500-", "" }, away = { "2500-", "" };

	(void)arg;
	prepare_slow_copy();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	sim_cut(a.sim, b.sim);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 30 * RT_SECOND), 0);
	/* Nobody but the old source knows of these, and their regions are not dirty at the other side. */
	write_blocks(&a, "1500", COPY_BYTES / 2, COPY_BYTES, 5);
	expect(&b, FAIL_OVER(), DONE);
	write_blocks(&b, "2500", 0, COPY_BYTES / 2, 2);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 3 * RT_SECOND), 0);
	sim_heal(a.sim, b.sim);
	sim_set_link(a.sim, b.sim, (struct sim_range){ RT_MS, RT_MS }, MIB);
	expect(&b, PATH_BACK, DONE);
	expect(&b, FAIL_BACK(",\"discard\":true"), DONE);
	expect(&b, GROW("2500", "64M"), DONE);
	expect(&b, "{\"op\":\"pair show\",\"args\":{\"volume\":\"2500\"}}", "\"first_copy_done\":false");
	/* What it was told of them is lost. */
	sim_crash(b.sim, SIM_DEATH);
	boot(&b);
	while (!is_home())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
	CHECK_EQUAL(sim_call(a.sim, find_target_file, &at_home), 0);
	CHECK_EQUAL(sim_call(b.sim, find_target_file, &away), 0);
	for (uint64_t offset = 0; offset < 2 * COPY_BYTES; offset += 4096) {
		uint8_t here = 0, there = 0;

		CHECK_EQUAL(sim_peek(a.sim, at_home.name, &here, 1, offset), 0);
		CHECK_EQUAL(sim_peek(b.sim, away.name, &there, 1, offset), 0);
		CHECK_EQUAL(here, there);
	}
	return stop_both();
}

/* What the old source had noted was not asked for again once the volume had grown: it stayed as it was there. */
static void a_growth_after_failback_forgets_nothing(void **state)
{
	(void)state;
	run(grow_on_the_way_home);
}

/* ---- a sync at the far side that fails for want of memory ---- */

static void write_with_failure(enum sim_call_kind kind, uint64_t nth)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND;

	sim_fail_nth(b.sim, kind, nth);
	write_blocks(&a, "1500", 0, 4096, (uint8_t)nth);
	while (!is_whole()) {
		CHECK(rt_now_ns() < until_ns);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
	}
	sim_fail_nth(b.sim, kind, 0);
}

static int write_with_failures(void *arg)
{
	(void)arg;
	prepare();
	expect(&a, CREATE_PAIR, DONE);
	while (!is_whole())
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
	for (uint64_t nth = 1; nth <= 5; nth++)
		write_with_failure(SIM_FIBER, nth);
	for (uint64_t nth = 1; nth <= 40; nth++)
		write_with_failure(SIM_ALLOC, nth);
	return stop_both();
}

/* It was acknowledged, hosts wrote no more, and nobody asked again that it be made durable. */
static void what_was_not_made_durable_is_asked_for_again(void **state)
{
	(void)state;
	run(write_with_failures);
}

/* ---- the end of a first copy, in a session ---- */

/* arg: the sync from the start of the session on, in which the source loses its power. */
static int go_down_at_the_end(void *arg)
{
	int64_t until_ns;

	prepare_slow_copy();
	expect(&a, CREATE_PAIR, DONE);
	expect(&a, "{\"op\":\"session open\",\"args\":{\"session\":\"1\",\"lss\":\"15\"}}", DONE);
	expect(&a, "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"]}}", DONE);
	expect(&a, "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\"}}", DONE);
	sim_crash_at_nth(a.sim, SIM_SYNC, *(unsigned *)arg, SIM_POWER_LOSS);
	until_ns = rt_now_ns() + 10 * RT_SECOND;
	while (sim_is_running(a.sim) && rt_now_ns() < until_ns)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	sim_crash_at_nth(a.sim, SIM_SYNC, 0, SIM_POWER_LOSS);
	if (!sim_is_running(a.sim))
		boot(&a);
	await(&a, OF_PAIR("show"), "\"joined\":true");
	return stop_both();
}

/* That the copy had ended was durable, and that the volume may join was not: it was in no group ever after. */
static void a_volume_joins_whenever_its_system_went_down(void **state)
{
	(void)state;
	for (unsigned nth = 4; nth <= 5; nth++)
		for (uint64_t seed = 1; seed <= 6; seed++)
			run_with(seed, go_down_at_the_end, &nth);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_copy_that_was_suspended_comes_to_its_end),
		cmocka_unit_test(half_a_copy_is_taken_over_by_force_only),
		cmocka_unit_test(a_whole_copy_is_taken_over),
		cmocka_unit_test(what_is_in_the_log_is_not_copied_for_that),
		cmocka_unit_test(a_growth_after_failback_forgets_nothing),
		cmocka_unit_test(what_was_not_made_durable_is_asked_for_again),
		cmocka_unit_test(a_volume_joins_whenever_its_system_went_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
