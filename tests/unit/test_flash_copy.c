/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Background copies of FlashCopies: each is a job, which outlives the process, and is cancelled so that the target
 * goes on to show what it showed; and they give way to hosts as their priority says.
 */
#include "flash_check.h"

static void set_copying(enum copy_flash_copying copying)
{
	const struct copy_flash_change change = { .copying = copying };

	CHECK_EQUAL(control_flash_set(control, TARGET, &change, &fault), 0);
}

static void wait_until_whole(void)
{
	struct record_flash record;

	while (copy_flash_get(control_copy(control), TARGET, &record))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
}

/* ---- a job ---- */

static bool is_under_way;

static int begin_and_die(void *arg)
{
	struct job_info info;

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	set_speed(100);
	flash(false, COPY_LOW);
	/* It is there when the command is answered. */
	CHECK_EQUAL(job_of(TARGET), 1);
	info = look_at(1);
	CHECK_EQUAL(info.record.kind, JOB_FLASH_COPY);
	CHECK_EQUAL(info.record.state, JOB_RUNNING);
	CHECK(info.cancellable);
	CHECK(!strcmp(info.record.object, "volume 1500 to 1600"));
	while (!look_at(1).record.done_bytes)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.total_bytes, 64 * MIB);
	is_under_way = true;
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

static int cancel_and_go_on(void *arg)
{
	struct record_flash record;

	(void)arg;
	set_speed(100);
	boot_control();
	CHECK_EQUAL(job_of(TARGET), 1);
	CHECK_EQUAL(look_at(1).record.state, JOB_RUNNING);
	CHECK_EQUAL(jobs_cancel(control_jobs(control), 1, &fault), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_TERMINATED);
	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(record.state, FLASH_ACTIVE);
	CHECK(record.no_copy);
	CHECK_EQUAL(job_of(TARGET), 0);
	set_copying(COPY_FLASH_START);
	CHECK_EQUAL(job_of(TARGET), 2);
	/* The other way to stop it. */
	set_copying(COPY_FLASH_STOP);
	CHECK_EQUAL(look_at(2).record.state, JOB_TERMINATED);
	set_copying(COPY_FLASH_START);
	set_speed(1);
	wait_until_whole();
	CHECK_EQUAL(look_at(3).record.state, JOB_COMPLETED);
	CHECK_EQUAL(look_at(3).record.done_bytes, 64 * MIB);
	system_stop(up);
	return 0;
}

static int main_job(void *arg)
{
	machine = arg;
	sim_boot(machine, begin_and_die, NULL);
	while (!is_under_way)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_US), 0);
	sim_crash(machine, SIM_DEATH);
	return run_to_end(cancel_and_go_on);
}

static void a_background_copy_is_a_job_that_can_be_stopped(void **state)
{
	(void)state;
	run_world(1, 2, main_job);
}

/* What its target had kept is given back to the source: half of it alone would be of no use. */
static int restore(void *arg)
{
	struct attachment host;
	struct job_info info;
	uint16_t restored;
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	flash(true, COPY_LOW);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	control_detach(control, SOURCE);
	set_speed(100);
	CHECK_EQUAL(job_of(TARGET), 0);
	CHECK_EQUAL(control_flash_reverse(control, TARGET, &restored, &fault), 0);
	CHECK_EQUAL(job_of(SOURCE), 1);
	info = look_at(1);
	CHECK_EQUAL(info.record.kind, JOB_FLASH_RESTORE);
	CHECK(!info.cancellable);
	CHECK_EQUAL(jobs_cancel(control_jobs(control), 1, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_NOT_SUPPORTED);
	while (job_of(SOURCE))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_COMPLETED);
	system_stop(up);
	return 0;
}

static int main_restore(void *arg)
{
	machine = arg;
	return run_to_end(restore);
}

static void a_restore_is_a_job_that_runs_to_its_end(void **state)
{
	(void)state;
	run_world(2, 2, main_restore);
}

/* That all was given back cannot be noted: the job has not completed, and the next start goes on with it. */
static int restore_without_metadata(void *arg)
{
	struct attachment host;
	uint16_t restored;
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	flash(true, COPY_LOW);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	control_detach(control, SOURCE);
	set_speed(100);
	CHECK_EQUAL(control_flash_reverse(control, TARGET, &restored, &fault), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_RUNNING);
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .write_fails = true });
	while (job_of(SOURCE))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_EXCEPTION);
	CHECK(strstr(look_at(1).record.remedy, "restart xdcd"));
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .write_fails = false });
	system_stop(up);
	return 0;
}

static int restore_again(void *arg)
{
	struct record_flash record;

	(void)arg;
	boot_control();
	while (copy_flash_get(control_copy(control), SOURCE, &record))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_COMPLETED);
	system_stop(up);
	return 0;
}

static int main_restore_no_metadata(void *arg)
{
	machine = arg;
	(void)run_to_end(restore_without_metadata);
	return run_to_end(restore_again);
}

static void a_restore_is_not_over_before_that_is_noted(void **state)
{
	(void)state;
	run_world(9, 2, main_restore_no_metadata);
}

/* A copy that has to try again says so, and goes on when it can. */
static int copy_with_a_bad_disk(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };
	struct attachment host;

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 32 * MIB);
	control_detach(control, SOURCE);
	set_speed(100);
	flash(false, COPY_LOW);
	sim_set_disk(machine, "/p", &(struct sim_disk_state){ .read_fails = true, .cannot_punch = true });
	while (look_at(1).record.state == JOB_RUNNING)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_SUSPENDED);
	CHECK(!strcmp(look_at(1).waiting_for, "another try: Input/output error"));
	set_speed(100);
	while (look_at(1).record.state == JOB_SUSPENDED)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_RUNNING);
	CHECK(!*look_at(1).waiting_for);
	wait_until_whole();
	CHECK_EQUAL(look_at(1).record.state, JOB_COMPLETED);
	system_stop(up);
	return 0;
}

static int main_bad_disk(void *arg)
{
	machine = arg;
	return run_to_end(copy_with_a_bad_disk);
}

static void a_copy_that_tries_again_says_so(void **state)
{
	(void)state;
	run_world(10, 2, main_bad_disk);
}

/* Its target takes no more: that is the end of the copy, not a try each second for ever. */
static int fail_while_it_copies(void *arg)
{
	struct attachment host;
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	set_speed(100);
	flash(false, COPY_LOW);
	sim_set_disk(machine, "/state/flash/", &(struct sim_disk_state){ .write_fails = true });
	host_write(&host, data, 63 * MIB);
	CHECK_EQUAL(host_flush(&host), 0);
	while (job_of(TARGET))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(look_at(1).record.state, JOB_EXCEPTION);
	CHECK(strstr(look_at(1).record.remedy, "xdc flash delete 1600"));
	control_detach(control, SOURCE);
	system_stop(up);
	return 0;
}

static int main_fail(void *arg)
{
	machine = arg;
	return run_to_end(fail_while_it_copies);
}

static void a_copy_that_fails_ends_its_job(void **state)
{
	(void)state;
	run_world(3, 2, main_fail);
}

/* A relation that ends because all is copied, when that is not durable, would be a copy without its last blocks. */
static int copy_without_a_map(void *arg)
{
	struct record_flash record;

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	set_speed(20);
	flash(false, COPY_URGENT);
	sim_set_disk(machine, "/state/flash/", &(struct sim_disk_state){ .write_fails = true });
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 20 * RT_SECOND), 0);
	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(look_at(1).record.state, JOB_SUSPENDED);
	system_stop(up);
	return 0;
}

static int main_no_map(void *arg)
{
	machine = arg;
	return run_to_end(copy_without_a_map);
}

static void a_copy_is_not_over_before_it_is_durable(void **state)
{
	(void)state;
	run_world(5, 2, main_no_map);
}

/* ---- hosts first ---- */

static struct attachment busy_host;
static bool busy_ends;
static uint64_t busy_writes;

/* On a volume that has nothing to do with it, one write after the other. */
static void be_busy(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };

	(void)arg;
	while (!busy_ends) {
		host_write(&busy_host, data, busy_writes % 1024 * XDC_BLOCK_SIZE);
		busy_writes++;
	}
}

/*
 * How long most of the copy takes, after the command; with another priority from the first moment on if change says so.
 * The sync at its end is one piece, however long.
 */
static int64_t copy_beside_host(enum copy_priority priority, const struct copy_flash_change *change)
{
	struct rt_group host;
	int64_t began_ns, took_ns;

	rt_group_init(&host);
	busy_ends = false;
	CHECK_EQUAL(rt_group_start(&host, "host", be_busy, NULL), 0);
	flash(false, priority);
	began_ns = rt_now_ns();
	if (change)
		CHECK_EQUAL(control_flash_set(control, TARGET, change, &fault), 0);
	while (look_at(job_of(TARGET)).record.done_bytes < 60 * MIB)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_US), 0);
	took_ns = rt_now_ns() - began_ns;
	wait_until_whole();
	busy_ends = true;
	CHECK_EQUAL(rt_group_wait(&host), 0);
	return took_ns;
}

/* All of the time, half of it, a fifth; and what it is changed to counts at once. */
static int copy_with_priorities(void *arg)
{
	const struct copy_flash_change change = { .has_priority = true, .priority = COPY_URGENT };
	int64_t urgent_ns, changed_ns;

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	set_speed(20);
	CHECK_EQUAL(control_attach(control, "1700", &busy_host), 0);
	urgent_ns = copy_beside_host(COPY_URGENT, NULL);
	CHECK(copy_beside_host(COPY_SAME, NULL) > urgent_ns * 3 / 2);
	CHECK(copy_beside_host(COPY_LOW, NULL) > urgent_ns * 4);
	changed_ns = copy_beside_host(COPY_LOW, &change);
	CHECK(changed_ns < urgent_ns * 2);
	control_detach(control, OTHER);
	system_stop(up);
	return 0;
}

static int main_priorities(void *arg)
{
	machine = arg;
	return run_to_end(copy_with_priorities);
}

static void a_background_copy_gives_way_by_its_priority(void **state)
{
	(void)state;
	run_world(4, 2, main_priorities);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_background_copy_is_a_job_that_can_be_stopped),
		cmocka_unit_test(a_restore_is_a_job_that_runs_to_its_end),
		cmocka_unit_test(a_restore_is_not_over_before_that_is_noted),
		cmocka_unit_test(a_copy_that_tries_again_says_so),
		cmocka_unit_test(a_copy_that_fails_ends_its_job),
		cmocka_unit_test(a_copy_is_not_over_before_it_is_durable),
		cmocka_unit_test(a_background_copy_gives_way_by_its_priority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
