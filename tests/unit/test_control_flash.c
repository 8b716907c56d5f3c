/* SPDX-License-Identifier: Apache-2.0 */
/* FlashCopies and the disks below them: whatever a disk does, the system starts, and the relation can be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control_check.h"

static struct control *control;
static struct fault fault;

static void make_volume(uint16_t id, const char *pool)
{
	struct volume_create create = { .id = id, .pool = pool, .size_bytes = 64 * KIB };

	CHECK_EQUAL(control_volume_create(control, &create, &fault), 0);
}

static int fail_while_it_ends(void *arg)
{
	struct copy_flash_request request = { .source = 0x1500, .target = 0x1600, .no_copy = true };
	struct sim_disk_state broken = { .sync_fails = true }, well = { 0 };
	struct system *system = start_system();

	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "p", .folder = "/p" }, &fault), 0);
	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "q", .folder = "/q" }, &fault), 0);
	make_volume(0x1500, "p");
	make_volume(0x1600, "q");
	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	sim_set_disk(arg, "/q", &broken);
	CHECK_EQUAL(copy_flash_delete(control_copy(control), 0x1600, true, &fault), -1);
	sim_set_disk(arg, "/q", &well);
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

/* The disk is as it failed, until that is accepted. */
static int end_it_after_the_start(void *arg)
{
	struct system *system = start_system();
	struct attachment attachment;
	struct volume_info info;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_volume_get(control, 0x1600, &info, &fault), 0);
	CHECK_EQUAL(info.state, VOLUME_SYNC_FAILED);
	CHECK_EQUAL(info.access, VOLUME_ACCESS_NONE);
	CHECK_EQUAL(copy_flash_delete(control_copy(control), 0x1600, true, &fault), -1);
	CHECK_EQUAL(control_volume_accept(control, 0x1600, &fault), 0);
	CHECK_EQUAL(copy_flash_delete(control_copy(control), 0x1600, true, &fault), 0);
	CHECK_EQUAL(control_attach(control, "1600", &attachment), 0);
	control_detach(control, 0x1600);
	system_stop(system);
	return 0;
}

static int end_on_a_failed_disk(void *arg)
{
	struct sim_system *system = arg;

	sim_boot(system, fail_while_it_ends, system);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	CHECK(sim_is_running(system));
	sim_crash(system, SIM_DEATH);
	sim_boot(system, end_it_after_the_start, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static void a_relation_that_cannot_be_ended_keeps_nobody_from_starting(void **state)
{
	(void)state;
	run_world(1, 2, end_on_a_failed_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_relation_that_cannot_be_ended_keeps_nobody_from_starting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
