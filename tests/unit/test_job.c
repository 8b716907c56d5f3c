/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: what is seen of long work while it goes on and after its end, that it is ended by command or by time, and what
 * is left of it after a crash of the system.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/job.h"
#include "control_check.h"
#include "rt/file.h"
#include "rt/mem.h"

/* ---- jobs over one state folder ---- */

static struct meta *meta;
static struct jobs *jobs;
static struct record_management management;

static int load(void *arg, enum meta_kind kind, const void *record)
{
	(void)arg;
	if (kind == META_MANAGEMENT)
		management = *(const struct record_management *)record;
	return kind == META_JOB ? jobs_load(jobs, record) : 0;
}

static void open_jobs(void)
{
	int rc = rt_path_make_folder("/state");

	CHECK(rc == 0 || rc == -EEXIST);
	CHECK_EQUAL(rt_path_sync_parent("/state"), 0);
	management = (struct record_management){ .number = 1 };
	CHECK_EQUAL(meta_open("/state", &meta), 0);
	CHECK_EQUAL(jobs_create(&jobs), 0);
	CHECK_EQUAL(meta_load(meta, load, NULL), 0);
	management.number = 1;
	CHECK_EQUAL(jobs_start(jobs, meta, &management, NULL), 0);
}

static void close_jobs(void)
{
	jobs_stop(jobs);
	jobs_free(jobs);
	meta_close(meta);
}

/* Time for what is written behind. */
static void settle(void)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
}

static void check_state(uint64_t number, enum job_state state)
{
	struct job_info info;
	struct fault fault;

	CHECK_EQUAL(jobs_get(jobs, number, &info, &fault), 0);
	CHECK_EQUAL(info.record.state, state);
	CHECK_EQUAL(info.record.ended_wall_ns != 0, state >= JOB_COMPLETED);
}

static void count_job(void *arg, const struct job_info *info)
{
	(void)info;
	(*(unsigned *)arg)++;
}

static unsigned count_jobs(void)
{
	unsigned count = 0;

	jobs_each(jobs, count_job, &count);
	return count;
}

static struct job_spec spec_of(enum job_kind kind, const char *object)
{
	return (struct job_spec){ .kind = kind, .object = object };
}

/* On a system of its own, to the end. */
static int (*scenario)(void *arg);

static int boot_and_wait(void *arg)
{
	sim_boot(arg, scenario, NULL);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void run_alone(uint64_t seed, int (*fn)(void *arg))
{
	scenario = fn;
	run_world(seed, 1, boot_and_wait);
}

/* ---- beside work ---- */

static void look(void *arg, struct job *job)
{
	/* It suspends, as one that asks another reactor does. */
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	job_progress(job, *(uint64_t *)arg, 4096);
}

static int go_beside(void *arg)
{
	uint64_t done = 1024;
	struct job_spec spec = { .kind = JOB_FIRST_COPY, .object = "volume 1500", .look = look, .arg = &done };
	struct job_info info;
	struct fault fault;
	struct job *job, *other;

	(void)arg;
	open_jobs();
	job = job_begin(jobs, &spec);
	CHECK_EQUAL(job_number(job), 1);
	CHECK_EQUAL(jobs_get(jobs, 1, &info, &fault), 0);
	CHECK_EQUAL(info.record.state, JOB_RUNNING);
	CHECK_EQUAL(info.record.done_bytes, 1024);
	CHECK_EQUAL(info.record.total_bytes, 4096);
	CHECK(!info.cancellable);
	/* There is one at a time of a kind and an object; work goes on without. */
	CHECK(!job_begin(jobs, &spec));
	CHECK(job_find(jobs, JOB_FIRST_COPY, "volume 1500") == job);
	spec.object = "volume 1501";
	other = job_begin(jobs, &spec);
	CHECK_EQUAL(job_number(other), 2);
	job_waits(job, "system 2105.FB230");
	check_state(1, JOB_SUSPENDED);
	job_waits(job, NULL);
	check_state(1, JOB_RUNNING);
	CHECK_EQUAL(jobs_cancel(jobs, 1, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_NOT_SUPPORTED);
	done = 4096;
	job_end(job, NULL);
	check_state(1, JOB_COMPLETED);
	fault_set(&fault, FAULT_FAILED, "volume 1501", "mend it", "its disk failed");
	job_end(other, &fault);
	check_state(2, JOB_EXCEPTION);
	CHECK_EQUAL(jobs_get(jobs, 2, &info, &fault), 0);
	CHECK_EQUAL(info.record.code, FAULT_FAILED);
	CHECK(!strcmp(info.record.remedy, "mend it"));
	CHECK_EQUAL(jobs_get(jobs, 3, &info, &fault), -1);
	CHECK_EQUAL(jobs_cancel(jobs, 1, &fault), -1);
	close_jobs();
	return 0;
}

static void work_has_a_job_beside_it(void **state)
{
	(void)state;
	run_alone(1, go_beside);
}

/* ---- on fibers of their own ---- */

static int work_until_cut(void *arg, struct job *job, struct fault *fault)
{
	int rc = 0;

	for (uint64_t i = 1; !rc && i <= 100; i++) {
		job_progress(job, i, 100);
		rc = rt_sleep_until(rt_now_ns() + RT_SECOND);
	}
	if (!rc)
		return 0;
	*(int *)arg = rc;
	return fault_set(fault, rc == -ETIMEDOUT ? FAULT_TIMEOUT : FAULT_FAILED, "", "", "it was cut");
}

static int go_on_fibers(void *arg)
{
	struct job_spec spec = { .kind = JOB_SERVICE_STOP, .object = "service" };
	int *rc = mem_alloc_zeroed(sizeof(*rc)), rc2 = 0;
	struct job_info info;
	struct fault fault;
	uint64_t number;

	(void)arg;
	open_jobs();
	spec.arg = rc;
	CHECK_EQUAL(job_run(jobs, &spec, work_until_cut, &number, &fault), 0);
	CHECK_EQUAL(job_run(jobs, &spec, work_until_cut, &number, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	CHECK_EQUAL(jobs_count_running(jobs), 1);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND + RT_MS), 0);
	CHECK_EQUAL(jobs_get(jobs, number, &info, &fault), 0);
	CHECK_EQUAL(info.record.done_bytes, 11);
	CHECK(info.cancellable);
	CHECK_EQUAL(jobs_cancel(jobs, number, &fault), 0);
	settle();
	check_state(number, JOB_TERMINATED);
	CHECK_EQUAL(*rc, -ECANCELED);
	/* To its end; and by its limit. It frees what it owns. */
	spec.owns_arg = true;
	CHECK_EQUAL(job_run(jobs, &spec, work_until_cut, &number, &fault), 0);
	CHECK_EQUAL(number, 2);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 101 * RT_SECOND), 0);
	check_state(number, JOB_COMPLETED);
	spec = (struct job_spec){ .kind = JOB_RECOVER, .object = "session 1", .limit_ns = 5 * RT_SECOND, .arg = &rc2 };
	CHECK_EQUAL(job_run(jobs, &spec, work_until_cut, &number, &fault), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 6 * RT_SECOND), 0);
	check_state(number, JOB_EXCEPTION);
	CHECK_EQUAL(jobs_get(jobs, number, &info, &fault), 0);
	CHECK_EQUAL(info.record.code, FAULT_TIMEOUT);
	CHECK_EQUAL(jobs_count_running(jobs), 0);
	close_jobs();
	return 0;
}

static void jobs_run_on_fibers_of_their_own(void **state)
{
	(void)state;
	run_alone(2, go_on_fibers);
}

/* ---- after the end ---- */

static int keep_and_forget(void *arg)
{
	struct job_spec spec = spec_of(JOB_RETURN, "session 7");

	(void)arg;
	open_jobs();
	job_end(job_begin(jobs, &spec), NULL);
	jobs_set_keep(jobs, 10 * RT_SECOND);
	settle();
	CHECK_EQUAL(count_jobs(), 1);
	close_jobs();
	/* It is there after a restart, and goes when its time has come; its number never comes again. */
	open_jobs();
	CHECK_EQUAL(jobs_keep(jobs), 10 * RT_SECOND);
	check_state(1, JOB_COMPLETED);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 11 * RT_SECOND), 0);
	CHECK_EQUAL(count_jobs(), 0);
	settle();
	close_jobs();
	open_jobs();
	CHECK_EQUAL(count_jobs(), 0);
	CHECK_EQUAL(job_number(job_begin(jobs, &spec)), 2);
	close_jobs();
	return 0;
}

static void what_has_ended_is_kept_for_a_while(void **state)
{
	(void)state;
	run_alone(3, keep_and_forget);
}

/* As many as there may be: the oldest that has ended makes room, and what runs is never dropped. */
static int fill_up(void *arg)
{
	char object[32];
	struct job *first = NULL;

	(void)arg;
	open_jobs();
	for (unsigned i = 0; i < JOBS_MAX + 100; i++) {
		struct job_spec spec = spec_of(JOB_RESYNC, object);
		struct job *job;

		snprintf(object, sizeof(object), "volume %04X", i);
		job = job_begin(jobs, &spec);
		CHECK(job);
		if (i)
			job_end(job, NULL);
		else
			first = job;
		/* Room is made when that is durable. */
		if (i % 32 == 0)
			settle();
	}
	settle();
	CHECK(count_jobs() <= JOBS_MAX);
	check_state(1, JOB_RUNNING);
	job_end(first, NULL);
	close_jobs();
	return 0;
}

static void there_are_so_many_and_no_more(void **state)
{
	(void)state;
	run_alone(4, fill_up);
}

/* ---- a crash ---- */

static bool crash_now;
static struct job_info found[8];
static unsigned found_count;

static void collect_job(void *arg, const struct job_info *info)
{
	(void)arg;
	CHECK(found_count < 8);
	found[found_count++] = *info;
}

static int begin_some(void *arg)
{
	struct job_spec copy = spec_of(JOB_FIRST_COPY, "volume 1500"), recover = spec_of(JOB_RECOVER, "session 1");
	struct job_spec back = spec_of(JOB_RETURN, "session 2");

	(void)arg;
	open_jobs();
	CHECK(job_begin(jobs, &copy));
	CHECK(job_begin(jobs, &recover));
	job_end(job_begin(jobs, &back), NULL);
	settle();
	crash_now = true;
	rt_yield();
	CHECK_EQUAL(rt_sleep_until(RT_NEVER), 0);
	return 0;
}

static int look_after(void *arg)
{
	struct job_spec copy = spec_of(JOB_FIRST_COPY, "volume 1500");
	struct job *job;

	(void)arg;
	open_jobs();
	/* What goes on goes on under its number, and nothing else does. */
	job = job_begin(jobs, &copy);
	CHECK_EQUAL(job_number(job), 1);
	jobs_settle(jobs);
	found_count = 0;
	jobs_each(jobs, collect_job, NULL);
	CHECK_EQUAL(found_count, 3);
	CHECK_EQUAL(found[0].record.state, JOB_RUNNING);
	CHECK_EQUAL(found[1].record.state, JOB_EXCEPTION);
	CHECK(strstr(found[1].record.message, "started again"));
	CHECK_EQUAL(found[2].record.state, JOB_COMPLETED);
	close_jobs();
	return 0;
}

static int crash_between(void *arg)
{
	crash_now = false;
	sim_boot(arg, begin_some, NULL);
	while (!crash_now)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	sim_crash(arg, SIM_POWER_LOSS);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	scenario = look_after;
	return boot_and_wait(arg);
}

static void what_goes_on_after_a_crash_keeps_its_number(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 10; seed++)
		run_world(seed, 1, crash_between);
}

/* ---- what fails ---- */

static bool full;
static unsigned meta_rows;

static int count_row(void *arg, enum meta_kind kind, const void *record)
{
	(void)arg;
	(void)record;
	meta_rows += kind == META_JOB;
	return 0;
}

static int write_nothing(void *arg)
{
	struct job_spec spec = spec_of(JOB_RETURN, "session 7");

	(void)arg;
	open_jobs();
	full = true;
	while (full)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	job_end(job_begin(jobs, &spec), NULL);
	settle();
	full = true;
	while (full)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	/* It is tried again after a while. */
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 31 * RT_SECOND), 0);
	meta_rows = 0;
	CHECK_EQUAL(meta_load(meta, count_row, NULL), 0);
	CHECK_EQUAL(meta_rows, 1);
	close_jobs();
	return 0;
}

/* The disk is full for a time. */
static int fill_disk(void *arg)
{
	struct sim_config config;

	sim_config_default(&config);
	sim_boot(arg, write_nothing, NULL);
	for (unsigned turn = 0; turn < 2; turn++) {
		while (!full)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
		sim_set_disk_bytes(arg, turn ? config.disk_bytes : 1);
		full = false;
	}
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	return 0;
}

static void what_the_disk_refuses_is_written_later(void **state)
{
	(void)state;
	run_world(5, 1, fill_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(work_has_a_job_beside_it),
		cmocka_unit_test(jobs_run_on_fibers_of_their_own),
		cmocka_unit_test(what_has_ended_is_kept_for_a_while),
		cmocka_unit_test(there_are_so_many_and_no_more),
		cmocka_unit_test(what_goes_on_after_a_crash_keeps_its_number),
		cmocka_unit_test(what_the_disk_refuses_is_written_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
