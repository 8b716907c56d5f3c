/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts of a system in the simulator: what becomes of their writes when the power or a disk fails, that a slow disk
 * keeps nobody else waiting, and what they are told of the disk.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "control_check.h"

/* ---- writes that were lost with the power ---- */

static int make_volume(void *arg)
{
	struct system *system = start_system();
	struct volume_create create = { .id = 0x1500, .pool = "p0", .size_bytes = 64 * KIB };
	struct pool_create pool = { .name = "p0", .kind = POOL_DIR, .folder = "/p" };
	struct fault fault;

	(void)arg;
	CHECK(system);
	CHECK_EQUAL(control_pool_create(system_control(system), &pool, &fault), 0);
	CHECK_EQUAL(control_volume_create(system_control(system), &create, &fault), 0);
	system_stop(system);
	return 0;
}

/* Starts; the volume must be in this state; a host attaches, and detaches again if it is told to. */
struct host_life {
	enum volume_state state;
	bool accept, detach, refused;
};

static int attach_and_wait(void *arg)
{
	const struct host_life *life = arg;
	struct system *system = start_system();
	struct control *control;
	struct attachment attachment;
	struct volume_info info;
	struct fault fault;
	bool unsynced;

	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.state, life->state);
	CHECK_EQUAL(control_volume_accept(control, 0x1500, &fault), life->accept ? 0 : -1);
	/* A look leaves no trace. */
	unsynced = info.record.unsynced;
	CHECK_EQUAL(control_look(control, "1500", &attachment), 0);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK(info.record.unsynced == unsynced && !info.attached);
	CHECK_EQUAL(control_attach(control, "1500", &attachment), 0);
	CHECK_EQUAL(control_attach(control, "1501", &attachment), -ENOENT);
	CHECK_EQUAL(control_volume_delete(control, 0x1500, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	if (life->detach)
		control_detach(control, 0x1500);
	CHECK_EQUAL(rt_wait_stop(), 0);
	control_refuse_hosts(control);
	CHECK_EQUAL(control_attach(control, "1500", &attachment), -ESHUTDOWN);
	if (!life->detach)
		control_detach(control, 0x1500);
	system_stop(system);
	return 0;
}

static int lose_power(void *arg)
{
	static struct host_life lives[] = {
		{ .state = VOLUME_ONLINE },					/* then the process dies */
		{ .state = VOLUME_ONLINE },					/* then the power is lost */
		{ .state = VOLUME_WRITES_LOST, .accept = true, .detach = true },	/* the same */
		{ .state = VOLUME_ONLINE },					/* then it is stopped */
		{ .state = VOLUME_ONLINE, .detach = true },			/* after the power was lost */
	};
	struct sim_system *system = arg;

	sim_boot(system, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	for (unsigned i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		sim_boot(system, attach_and_wait, &lives[i]);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
		CHECK(sim_is_running(system));
		if (i < 3)
			sim_crash(system, i ? SIM_POWER_LOSS : SIM_DEATH);
		else
			CHECK_EQUAL(sim_stop_and_wait(system), 0);
		if (i == 3)
			sim_crash(system, SIM_POWER_LOSS);
	}
	return 0;
}

static void lost_writes_are_told(void **state)
{
	(void)state;
	run_world(1, 2, lose_power);
}

/* ---- a failed sync is remembered ---- */

static int sync_fails(void *arg)
{
	struct system *system = start_system();
	struct control *control;
	struct volume_info info;
	struct attachment attachment;
	struct sim_disk_state broken = { .sync_fails = true }, well = { 0 };
	struct fault fault;
	uint64_t word = 1;

	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_attach(control, "1500", &attachment), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
	sim_set_disk(arg, "/p", &broken);
	CHECK_EQUAL(volume_flush(attachment.volume), -EIO);
	sim_set_disk(arg, "/p", &well);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.state, VOLUME_SYNC_FAILED);
	CHECK(info.record.sync_failed_wall_ns != 0);
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

static int still_failed(void *arg)
{
	struct system *system = start_system();
	struct control *control;
	struct volume_info info;
	struct attachment attachment;
	struct fault fault;
	uint64_t word = 1;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.state, VOLUME_SYNC_FAILED);
	CHECK_EQUAL(control_attach(control, "1500", &attachment), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), -EIO);
	CHECK_EQUAL(control_volume_accept(control, 0x1500, &fault), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
	control_detach(control, 0x1500);
	system_stop(system);
	return 0;
}

static int fail_a_sync(void *arg)
{
	struct sim_system *system = arg;

	sim_boot(system, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	sim_boot(system, sync_fails, system);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	CHECK(sim_is_running(system));
	sim_crash(system, SIM_DEATH);
	sim_boot(system, still_failed, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static void a_failed_sync_outlives_the_process(void **state)
{
	(void)state;
	run_world(1, 1, fail_a_sync);
}

/* ---- an acceptance beside another failed sync ---- */

static int accepted;

static void accept_loss(void *control)
{
	struct fault fault;

	accepted = control_volume_accept(control, 0x1500, &fault);
}

static void check_state(struct control *control, enum volume_state state)
{
	struct volume_info info;
	struct fault fault;

	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.state, state);
	CHECK_EQUAL(info.record.sync_failed_wall_ns != 0, state == VOLUME_SYNC_FAILED);
}

/* When a flush that was begun before has failed. */
static void make_well(void *arg)
{
	struct sim_disk_state well = { 0 };

	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 100 * RT_MS), 0);
	sim_set_disk(arg, "/p", &well);
	sim_set_disk(arg, "/state", &well);
}

static int fail_beside(void *arg)
{
	struct sim_disk_state broken = { .sync_fails = true }, slow = { .slower = 100000 }, well = { 0 };
	struct system *system = start_system();
	struct control *control = system_control(system);
	struct attachment attachment;
	struct rt_group group;
	uint64_t word = 1;

	rt_group_init(&group);
	CHECK_EQUAL(control_attach(control, "1500", &attachment), 0);
	sim_set_disk(arg, "/p", &broken);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
	CHECK_EQUAL(volume_flush(attachment.volume), -EIO);
	/* The sync of the acceptance itself fails. */
	accept_loss(control);
	CHECK_EQUAL(accepted, -1);
	check_state(control, VOLUME_SYNC_FAILED);
	/* A flush fails while it is recorded that the failure before is accepted. */
	sim_set_disk(arg, "/p", &well);
	sim_set_disk(arg, "/state", &slow);
	CHECK_EQUAL(rt_group_start(&group, "accept", accept_loss, control), 0);
	while (volume_write(attachment.volume, &word, sizeof(word), 0, 0) != 0)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(group.count, 1);
	sim_set_disk(arg, "/p", &broken);
	CHECK_EQUAL(rt_group_start(&group, "well again", make_well, arg), 0);
	CHECK_EQUAL(volume_flush(attachment.volume), -EIO);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(accepted, 0);
	check_state(control, VOLUME_SYNC_FAILED);
	accept_loss(control);
	CHECK_EQUAL(accepted, 0);
	check_state(control, VOLUME_ONLINE);
	control_detach(control, 0x1500);
	system_stop(system);
	return 0;
}

static int use_failing_disk(void *arg)
{
	sim_boot(arg, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	sim_boot(arg, fail_beside, arg);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void a_sync_that_fails_beside_an_acceptance_is_not_accepted(void **state)
{
	(void)state;
	run_world(1, 2, use_failing_disk);
}

/* ---- a disk that takes its time holds up nobody else ---- */

static bool host_has_gone, has_grown;

static void leave_volume(void *control)
{
	control_detach(control, 0x1500);
	host_has_gone = true;
}

static void grow_volume(void *control)
{
	struct fault fault;

	CHECK_EQUAL(control_volume_grow(control, 0x1500, 2 * KIB * KIB, &fault), 0);
	has_grown = true;
}

/* Commands that have nothing to do with the volume are done at once, those on it refused. */
static void command_beside(struct control *control, uint8_t lss)
{
	struct fault fault;
	RT_LIMIT(rt_now_ns() + 5 * RT_SECOND);

	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK_EQUAL(control_lss_create(control, lss, 0, &fault), 0);
	CHECK_EQUAL(control_volume_delete(control, 0x1500, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	CHECK_EQUAL(control_volume_rename(control, 0x1500, "other", &fault), 0);
}

static void write_word(struct control *control)
{
	struct attachment attachment;
	uint64_t word = 1;

	CHECK_EQUAL(control_attach(control, "1500", &attachment), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
}

static void accept_slowly(struct sim_system *machine, struct control *control)
{
	struct sim_disk_state slow = { .slower = 100000 }, broken = { .sync_fails = true }, well = { 0 };
	struct attachment attachment;
	struct rt_group group;
	uint64_t word = 1;

	rt_group_init(&group);
	CHECK_EQUAL(control_attach(control, "other", &attachment), 0);
	CHECK_EQUAL(volume_write(attachment.volume, &word, sizeof(word), 0, 0), 0);
	sim_set_disk(machine, "/p", &broken);
	CHECK_EQUAL(volume_flush(attachment.volume), -EIO);
	sim_set_disk(machine, "/p", &slow);
	accepted = 1;
	CHECK_EQUAL(rt_group_start(&group, "accept", accept_loss, control), 0);
	command_beside(control, 0x22);
	CHECK_EQUAL(accepted, 1);
	accept_loss(control);
	CHECK_EQUAL(accepted, -1);
	sim_set_disk(machine, "/p", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(accepted, 0);
	check_state(control, VOLUME_ONLINE);
	control_detach(control, 0x1500);
}

static int wait_for_disk(void *arg)
{
	struct system *system = start_system();
	struct control *control = system_control(system);
	struct sim_disk_state slow = { .slower = 100000 }, well = { 0 };
	struct volume_info info;
	struct rt_group group;
	struct fault fault;

	rt_group_init(&group);
	write_word(control);
	sim_set_disk(arg, "/p", &slow);
	CHECK_EQUAL(rt_group_start(&group, "leave", leave_volume, control), 0);
	command_beside(control, 0x20);
	CHECK(!host_has_gone);
	/* Another host comes and goes meanwhile: what it wrote is not covered by the sync that is under way. */
	write_word(control);
	control_detach(control, 0x1500);
	CHECK(!host_has_gone);
	sim_set_disk(arg, "/p", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK(host_has_gone && !info.record.unsynced && !info.attached);
	sim_set_disk(arg, "/p", &slow);
	CHECK_EQUAL(rt_group_start(&group, "grow", grow_volume, control), 0);
	command_beside(control, 0x21);
	CHECK_EQUAL(control_volume_grow(control, 0x1500, 4 * KIB * KIB, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	CHECK(!has_grown);
	sim_set_disk(arg, "/p", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.record.size_bytes, 2 * KIB * KIB);
	accept_slowly(arg, control);
	CHECK_EQUAL(control_volume_delete(control, 0x1500, &fault), 0);
	system_stop(system);
	return 0;
}

static int use_slow_disk(void *arg)
{
	sim_boot(arg, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	sim_boot(arg, wait_for_disk, arg);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void a_slow_disk_holds_up_no_other_command(void **state)
{
	(void)state;
	run_world(1, 2, use_slow_disk);
}

/* ---- what is being made is not there yet ---- */

static void make_lss(void *control)
{
	struct fault fault;

	CHECK_EQUAL(control_lss_create(control, 0x30, 0, &fault), 0);
}

static void make_another(void *control)
{
	struct volume_create create = { .id = 0x1501, .pool = "p0", .size_bytes = 64 * KIB };
	struct fault fault;

	CHECK_EQUAL(control_volume_create(control, &create, &fault), 0);
}

static void delete_lss(void *control)
{
	struct fault fault;

	CHECK_EQUAL(control_lss_delete(control, 0x30, &fault), 0);
}

/* Why a pair of it is refused; by now it may be in the model. */
static bool is_found(struct control *control)
{
	struct copy_pair_request request = { .source = 0x1501, .target = 0x2501, .system = "2105.FB230" };
	struct fault fault;

	CHECK_EQUAL(control_pair_create(control, &request, &fault), -1);
	return strstr(fault.message, "no path leads") != NULL;
}

static int look_while_made(void *arg)
{
	struct system *system = start_system();
	struct control *control = system_control(system);
	struct sim_disk_state slow = { .slower = 100000 }, well = { 0 };
	struct lss_info info;
	struct rt_group group;
	struct fault fault;

	rt_group_init(&group);
	sim_set_disk(arg, "/state", &slow);
	CHECK_EQUAL(rt_group_start(&group, "lss", make_lss, control), 0);
	for (unsigned i = 0; group.count && i < 100; i++) {
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
		CHECK_EQUAL(control_lss_get(control, 0x30, &info, &fault), -1);
	}
	sim_set_disk(arg, "/state", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(control_lss_get(control, 0x30, &info, &fault), 0);
	sim_set_disk(arg, "/state", &slow);
	CHECK_EQUAL(rt_group_start(&group, "lss", delete_lss, control), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(group.count, 1);
	CHECK_EQUAL(control_session_open(control, 1, 0x30, SESSION_XDC, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(rt_group_start(&group, "volume", make_another, control), 0);
	for (unsigned i = 0; group.count && i < 100; i++) {
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
		CHECK(!is_found(control));
	}
	sim_set_disk(arg, "/state", &well);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(is_found(control));
	system_stop(system);
	return 0;
}

static int make_slowly(void *arg)
{
	sim_boot(arg, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	sim_boot(arg, look_while_made, arg);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void what_is_not_durable_yet_is_not_found(void **state)
{
	(void)state;
	run_world(1, 2, make_slowly);
}

/* ---- zeroes are fast where holes can be made, and only there ---- */

static int attach_both(void *arg)
{
	static const struct { const char *pool; uint16_t id; bool makes_holes; } cases[] = {
		{ "p0", 0x1500, true }, { "flat", 0x1501, false },
	};
	struct system *system = start_system();
	struct control *control = system_control(system);
	struct sim_disk_state flat = { .cannot_punch = true };
	struct pool_create pool = { .name = "flat", .kind = POOL_DIR, .folder = "/flat" };
	struct attachment attachment;
	struct fault fault;
	uint8_t bytes[4096];

	sim_set_disk(arg, "/flat", &flat);
	CHECK_EQUAL(control_pool_create(control, &pool, &fault), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct volume_create create = { .id = cases[i].id, .pool = cases[i].pool, .size_bytes = 64 * KIB };
		char id[8];

		if (i)
			CHECK_EQUAL(control_volume_create(control, &create, &fault), 0);
		snprintf(id, sizeof(id), "%04X", create.id);
		CHECK_EQUAL(control_attach(control, id, &attachment), 0);
		CHECK_EQUAL(attachment.makes_holes, cases[i].makes_holes);
		/* What is not fast is done all the same. */
		memset(bytes, 7, sizeof(bytes));
		CHECK_EQUAL(volume_write(attachment.volume, bytes, sizeof(bytes), 0, 0), 0);
		CHECK_EQUAL(volume_zero(attachment.volume, sizeof(bytes), 0, 0), 0);
		CHECK_EQUAL(volume_read(attachment.volume, bytes, sizeof(bytes), 0), 0);
		CHECK(bytes[0] == 0 && bytes[4095] == 0);
		control_detach(control, create.id);
	}
	system_stop(system);
	return 0;
}

static int use_flat_disk(void *arg)
{
	sim_boot(arg, make_volume, NULL);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	sim_boot(arg, attach_both, arg);
	CHECK_EQUAL(sim_wait_ended(arg), 0);
	CHECK_EQUAL(sim_exit_code(arg), 0);
	return 0;
}

static void zeroes_are_fast_where_holes_are_made(void **state)
{
	(void)state;
	run_world(1, 1, use_flat_disk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lost_writes_are_told),
		cmocka_unit_test(a_failed_sync_outlives_the_process),
		cmocka_unit_test(a_sync_that_fails_beside_an_acceptance_is_not_accepted),
		cmocka_unit_test(a_slow_disk_holds_up_no_other_command),
		cmocka_unit_test(what_is_not_durable_yet_is_not_found),
		cmocka_unit_test(zeroes_are_fast_where_holes_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
