/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FlashCopies and the disks below them: whatever a disk does, the system starts, and the relation can be ended. And
 * sets of them: whenever the system dies, all are the other way round or none is, and the set has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control_check.h"
#include "rt/file.h"

static struct sim_system *machine;
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

/* ---- what a source leaves beside its data ---- */

#define LATE	"/state/flash/1500.late"
#define STRAY	"/state/flash/1999.late"	/* of a delete that was cut short */

static bool exists(const char *path)
{
	uint8_t byte;

	return sim_peek(machine, path, &byte, 1, 0) == 0;
}

static int leave_a_stray(void *arg)
{
	struct copy_flash_request request = { .source = 0x1500, .target = 0x1600, .no_copy = true };
	struct system *system = start_system();
	struct rt_file *file;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "p", .folder = "/p" }, &fault), 0);
	make_volume(0x1500, "p");
	make_volume(0x1600, "p");
	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	CHECK(exists(LATE));
	CHECK_EQUAL(rt_file_open(STRAY, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file), 0);
	rt_file_close(file);
	system_stop(system);
	return 0;
}

static int delete_the_source(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK(!exists(STRAY));
	CHECK(exists(LATE));
	CHECK_EQUAL(copy_flash_delete(control_copy(control), 0x1600, true, &fault), 0);
	CHECK_EQUAL(control_volume_delete(control, 0x1500, &fault), 0);
	CHECK(!exists(LATE));
	system_stop(system);
	return 0;
}

static int main_late(void *arg)
{
	machine = arg;
	sim_boot(machine, leave_a_stray, NULL);
	CHECK_EQUAL(sim_wait_ended(machine), 0);
	sim_boot(machine, delete_the_source, NULL);
	CHECK_EQUAL(sim_wait_ended(machine), 0);
	CHECK_EQUAL(sim_exit_code(machine), 0);
	return 0;
}

static void what_a_deleted_source_had_in_the_state_folder_goes(void **state)
{
	(void)state;
	run_world(1, 2, main_late);
}

/* ---- a set of FlashCopies ---- */

#define MEMBERS	3u

static const uint16_t sources[MEMBERS] = { 0x1500, 0x1501, 0x1502 }, targets[MEMBERS] = { 0x1600, 0x1601, 0x1602 };

struct turn {
	struct sim_system *system;
	enum sim_call_kind kind;
	uint64_t nth;			/* the system dies in this call */
	bool done, turned;
};

static void make_set(void)
{
	const struct record_set set = { .name = "s", .kind = SET_SYNCHRONIZED, .of = SET_OF_FLASHCOPIES };

	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "p", .folder = "/p" }, &fault), 0);
	CHECK_EQUAL(control_set_create(control, &set, &fault), 0);
	for (unsigned i = 0; i < MEMBERS; i++) {
		struct copy_flash_request request = { .source = sources[i], .target = targets[i], .record = true };

		make_volume(sources[i], "p");
		make_volume(targets[i], "p");
		CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	}
	CHECK_EQUAL(control_set_add(control, "s", targets, MEMBERS, &fault), 0);
}

static int restore_and_die(void *arg)
{
	struct turn *turn = arg;
	struct system *system = start_system();

	CHECK(system);
	control = system_control(system);
	make_set();
	/* All is copied then, so that they stay the other way round. */
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	sim_crash_at_nth(turn->system, turn->kind, turn->nth, SIM_POWER_LOSS);
	CHECK_EQUAL(control_set_restore(control, "s", &fault), 0);
	sim_crash_at_nth(turn->system, turn->kind, 0, SIM_POWER_LOSS);
	turn->done = true;
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

struct members {
	uint16_t volumes[MEMBERS];
	unsigned count;
};

static void note_member(void *arg, uint16_t volume)
{
	struct members *members = arg;

	CHECK(members->count < MEMBERS);
	members->volumes[members->count++] = volume;
}

static int find_all_or_none(void *arg)
{
	struct turn *turn = arg;
	struct members members = { .count = 0 };
	struct system *system = start_system();
	const uint16_t *found, *other;
	struct record_flash record;

	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(control_set_each_member(control, "s", note_member, &members, &fault), 0);
	CHECK_EQUAL(members.count, MEMBERS);
	turn->turned = members.volumes[0] == sources[0];
	found = turn->turned ? sources : targets;
	other = turn->turned ? targets : sources;
	for (unsigned i = 0; i < MEMBERS; i++) {
		CHECK_EQUAL(members.volumes[i], found[i]);
		CHECK(copy_flash_get(control_copy(control), found[i], &record));
		CHECK_EQUAL(record.source, other[i]);
		CHECK(!copy_flash_get(control_copy(control), other[i], &record));
	}
	system_stop(system);
	return 0;
}

/* Of the turn that this world is for. */
static struct turn turn;

static int die_in_a_call(void *arg)
{
	turn.system = arg;
	sim_boot(turn.system, restore_and_die, &turn);
	while (sim_is_running(turn.system) && !turn.done)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	sim_crash(turn.system, SIM_POWER_LOSS);
	sim_boot(turn.system, find_all_or_none, &turn);
	CHECK_EQUAL(sim_wait_ended(turn.system), 0);
	CHECK_EQUAL(sim_exit_code(turn.system), 0);
	return 0;
}

static void restore_and_die_in_every_call(enum sim_call_kind kind)
{
	turn.done = false;
	for (uint64_t n = 1; !turn.done; n++) {
		turn = (struct turn){ .kind = kind, .nth = n };
		run_world(n, 2, die_in_a_call);
		assert_true(n > 1 || !turn.turned);
		assert_true(!turn.done || turn.turned);
	}
}

static void a_set_is_restored_whole_or_not_at_all(void **state)
{
	(void)state;
	restore_and_die_in_every_call(SIM_SYNC);
	restore_and_die_in_every_call(SIM_WRITE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_relation_that_cannot_be_ended_keeps_nobody_from_starting),
		cmocka_unit_test(what_a_deleted_source_had_in_the_state_folder_goes),
		cmocka_unit_test(a_set_is_restored_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
