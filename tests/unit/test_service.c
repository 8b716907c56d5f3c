/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start, stop and state of the service: what becomes of every request in every state; that commands are refused and
 * those under way come to their end; and that it outlives stops, deaths and losses of power.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/event.h"
#include "control/job.h"
#include "control/service.h"
#include "control_check.h"
#include "face/cli_call.h"
#include "rt/mem.h"

/* ---- the table ---- */

/* Where a request leads: a state; a job, and the state behind it; or a code. */
enum cell { ON, OFF, QUIET, JOB_OFF, JOB_ON, NOT_SUPPORTED, WRONG, INVALID, BUSY };

static const enum cell cells[SERVICE_STATE_COUNT][SERVICE_REQUEST_COUNT] = {
	[SERVICE_ENABLED] = { WRONG, ON, OFF, JOB_OFF, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, QUIET, JOB_ON, ON },
	[SERVICE_DISABLED] = { WRONG, ON, OFF, OFF, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, INVALID, INVALID, ON },
	[SERVICE_SHUTTING_DOWN] = {
		WRONG, BUSY, OFF, BUSY, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, BUSY, BUSY, BUSY,
	},
	[SERVICE_QUIESCE] = { WRONG, ON, OFF, JOB_OFF, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED, QUIET, JOB_ON, ON },
};

static void check_cell(enum service_state state, enum service_request request, bool busy)
{
	static const struct { unsigned code; enum service_state next, last; } wanted[] = {
		[ON] = { 0, SERVICE_ENABLED, SERVICE_ENABLED },
		[OFF] = { 0, SERVICE_DISABLED, SERVICE_DISABLED },
		[QUIET] = { 0, SERVICE_QUIESCE, SERVICE_QUIESCE },
		[JOB_OFF] = { 4096, SERVICE_SHUTTING_DOWN, SERVICE_DISABLED },
		[JOB_ON] = { 4096, SERVICE_SHUTTING_DOWN, SERVICE_ENABLED },
		[NOT_SUPPORTED] = { 1, 0, 0 }, [WRONG] = { 5, 0, 0 },
		[INVALID] = { 4097, 0, 0 }, [BUSY] = { 4099, 0, 0 },
	};
	struct service_verdict verdict = service_decide(state, request, busy);
	enum cell cell = cells[state][request];
	bool refused = cell >= NOT_SUPPORTED, cuts = request == REQUEST_DISABLED || request == REQUEST_RESET;

	if (!busy && cell == JOB_OFF)
		cell = OFF;
	if (!busy && cell == JOB_ON)
		cell = ON;
	assert_int_equal(verdict.code, wanted[cell].code);
	assert_int_equal(verdict.next, refused ? state : wanted[cell].next);
	assert_int_equal(verdict.last, refused ? state : wanted[cell].last);
	assert_int_equal(verdict.cancels, !refused && cuts && state != SERVICE_DISABLED);
}

static void every_request_in_every_state(void **unused)
{
	(void)unused;
	for (unsigned state = 0; state < SERVICE_STATE_COUNT; state++)
		for (unsigned request = 0; request < SERVICE_REQUEST_COUNT; request++)
			for (unsigned busy = 0; busy < 2; busy++)
				check_cell(state, request, busy);
}

/* ---- a whole system ---- */

static bool crash_now;

static void ask(struct control *control, const char *request, const char *wanted)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	char *reply = cli_call(control, &caller, request, strlen(request));

	if (!strstr(reply, wanted))
		check_failed(request, __LINE__, reply);
	mem_free(reply);
}

#define REQUEST(state)	"{\"op\":\"service request-state\",\"args\":{\"state\":\"" state "\"}}"
#define LSS(id)		"{\"op\":\"lss create\",\"args\":{\"lss\":\"" id "\"}}"
#define SHOW		"{\"op\":\"service show\"}"

static int work_for_a_while(void *arg, struct job *job, struct fault *fault)
{
	int rc = rt_sleep_until(rt_now_ns() + 10 * RT_SECOND);

	(void)arg;
	(void)job;
	return rc ? fault_set(fault, FAULT_FAILED, "", "", "it was cut") : 0;
}

static uint64_t begin_work(struct control *control)
{
	const struct job_spec spec = { .kind = JOB_RECOVER, .object = "session 1" };
	struct fault fault;
	uint64_t number;

	CHECK_EQUAL(job_run(control_jobs(control), &spec, work_for_a_while, &number, &fault), 0);
	return number;
}

static void check_job(struct control *control, uint64_t number, enum job_state state)
{
	struct job_info info;
	struct fault fault;

	CHECK_EQUAL(jobs_get(control_jobs(control), number, &info, &fault), 0);
	CHECK_EQUAL(info.record.state, state);
}

static void pass(int64_t seconds)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + seconds * RT_SECOND), 0);
}

static int change_state(void *arg)
{
	struct system *system = start_system();
	struct control *control;
	uint64_t number;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	ask(control, SHOW, "\"enabled_state\":\"enabled\",\"enabled_value\":2,\"requested_state\":\"no-change\"");
	ask(control, LSS("15"), "\"ok\":true");
	/* Disabled refuses, with the remedy; what shows and the service itself are not refused. */
	ask(control, REQUEST("disabled"), "\"enabled_value\":3,\"requested_state\":\"disabled\",\"requested_value\":3");
	ask(control, LSS("16"), "\"remedy\":\"xdc service start\"");
	ask(control, LSS("16"), "\"code\":4,");
	ask(control, "{\"op\":\"lss list\"}", "\"lss\":\"15\"");
	ask(control, REQUEST("quiesce"), "\"code\":4097,");
	ask(control, REQUEST("test"), "\"code\":1,");
	ask(control, "{\"op\":\"service request-state\",\"args\":{\"state\":\"enabled\",\"timeout\":\"1s\"}}",
	    "\"code\":4098,");
	ask(control, "{\"op\":\"service start\"}", "\"started\":true");
	ask(control, LSS("16"), "\"ok\":true");
	/* Quiesce refuses what is new, and what runs comes to its end. */
	number = begin_work(control);
	ask(control, REQUEST("quiesce"), "\"enabled_value\":9");
	ask(control, LSS("17"), "\"ok\":false");
	check_job(control, number, JOB_RUNNING);
	pass(11);
	check_job(control, number, JOB_COMPLETED);
	/* Stop waits for what runs, by a job; nothing but disabled comes between. */
	ask(control, "{\"op\":\"service start\"}", "\"ok\":true");
	number = begin_work(control);
	ask(control, "{\"op\":\"service stop\"}", "\"enabled_value\":4");
	ask(control, SHOW, "\"running\":1,\"job\":");
	ask(control, "{\"op\":\"service start\"}", "\"code\":4099,");
	ask(control, LSS("17"), "\"ok\":false");
	pass(11);
	check_job(control, number, JOB_COMPLETED);
	ask(control, SHOW, "\"enabled_state\":\"disabled\"");
	ask(control, SHOW, "\"job\":null");
	/* Disabled at once cuts what can be cut. */
	ask(control, "{\"op\":\"service start\"}", "\"ok\":true");
	number = begin_work(control);
	ask(control, REQUEST("reboot"), "\"enabled_value\":4");
	ask(control, REQUEST("disabled"), "\"enabled_value\":3");
	pass(1);
	check_job(control, number, JOB_TERMINATED);
	ask(control, SHOW, "\"enabled_state\":\"disabled\"");
	ask(control, REQUEST("reset"), "\"enabled_state\":\"enabled\"");
	ask(control, REQUEST("reboot"), "\"enabled_state\":\"enabled\"");
	system_stop(system);
	return 0;
}

static int boot_and_wait(struct sim_system *system, int (*main)(void *arg))
{
	sim_boot(system, main, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static int change_states(void *arg)
{
	return boot_and_wait(arg, change_state);
}

static void commands_are_refused_and_work_comes_to_its_end(void **state)
{
	(void)state;
	run_world(1, 2, change_states);
}

/* ---- what outlives the system ---- */

static const char *request_before, *wanted_after;

static int ask_and_be_cut(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	begin_work(system_control(system));
	ask(system_control(system), request_before, "\"ok\":true");
	crash_now = true;
	CHECK_EQUAL(rt_wait_stop(), 0);
	system_stop(system);
	return 0;
}

static int look_after(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	ask(system_control(system), SHOW, wanted_after);
	ask(system_control(system), SHOW, "\"running\":0,\"job\":null");
	system_stop(system);
	return 0;
}

static int cut(void *arg)
{
	struct sim_world *world = sim_world();

	crash_now = false;
	sim_boot(arg, ask_and_be_cut, NULL);
	while (!crash_now)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	switch (sim_random_below(world, 3)) {
	case 0:
		sim_crash(arg, SIM_DEATH);
		break;
	case 1:
		sim_crash(arg, SIM_POWER_LOSS);
		break;
	default:
		sim_stop(arg);
	}
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	return boot_and_wait(arg, look_after);
}

static void it_outlives_stops_and_crashes(void **state)
{
	static const struct { const char *request, *wanted; } cuts[] = {
		{ REQUEST("disabled"), "\"enabled_value\":3,\"requested_state\":\"disabled\"" },
		{ REQUEST("quiesce"), "\"enabled_value\":9,\"requested_state\":\"quiesce\"" },
		{ REQUEST("shut-down"), "\"enabled_value\":3,\"requested_state\":\"shut-down\"" },
		{ REQUEST("reboot"), "\"enabled_value\":2,\"requested_state\":\"reboot\"" },
		{ REQUEST("enabled"), "\"enabled_value\":2,\"requested_state\":\"enabled\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		request_before = cuts[i].request;
		wanted_after = cuts[i].wanted;
		for (uint64_t seed = 1; seed <= 6; seed++)
			run_world(seed, 1, cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_in_every_state),
		cmocka_unit_test(commands_are_refused_and_work_comes_to_its_end),
		cmocka_unit_test(it_outlives_stops_and_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
