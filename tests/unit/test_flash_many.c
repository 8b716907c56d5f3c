/* SPDX-License-Identifier: Apache-2.0 */
/* Many FlashCopies in one system: which volume is in which, how deep a cascade may be, and what is left of old ones. */
#include <errno.h>

#include "control/event.h"
#include "flash_check.h"
#include "rt/file.h"
#include "volume/flash.h"

static void make_volume_of(uint16_t id, uint64_t bytes)
{
	struct volume_create create = { .id = id, .pool = "p", .size_bytes = bytes };

	CHECK_EQUAL(control_volume_create(control, &create, &fault), 0);
}

static void make_volume(uint16_t id)
{
	make_volume_of(id, 64 * KIB);
}

static void begin(void)
{
	boot_control();
	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "p", .folder = "/p" }, &fault), 0);
}

static int flash_to(uint16_t source, uint16_t target)
{
	const struct copy_flash_request request = { .source = source, .target = target, .no_copy = true };

	return copy_flash_create(control_copy(control), &request, 1, &fault);
}

/* ---- which volume is in which ---- */

#define MAX	16u

/* All targets from this one on, as they are listed. */
static unsigned list_from(uint32_t from, unsigned max, uint16_t *targets)
{
	struct copy_flash_info infos[MAX];
	int count = copy_flash_list(control_copy(control), from, infos, max, &fault);

	CHECK(count >= 0);
	for (int i = 0; i < count; i++)
		targets[i] = infos[i].record.target;
	return (unsigned)count;
}

static void expect_list(uint32_t from, unsigned max, const uint16_t *wanted, unsigned count)
{
	uint16_t found[MAX] = { 0 };

	CHECK_EQUAL(list_from(from, max, found), count);
	CHECK(!memcmp(found, wanted, count * sizeof(wanted[0])));
}

static bool has_flash(uint16_t target, uint16_t source)
{
	struct copy_flash_info info;
	int found = copy_flash_show(control_copy(control), target, &info, &fault);

	CHECK(found >= 0);
	CHECK(!found || info.record.target == target);
	return found && info.record.source == source;
}

static void delete(uint16_t target)
{
	CHECK_EQUAL(copy_flash_delete(control_copy(control), target, true, &fault), 0);
	CHECK(!has_flash(target, SOURCE) && !has_flash(target, OTHER));
}

static int look_them_up(void *arg)
{
	static const uint16_t targets[] = { 0xFEFF, 0x1601, 0x15FF, 0x1603, 0x0000, 0x1602 };
	static const uint16_t sorted[] = { 0x0000, 0x15FF, 0x1601, 0x1602, 0x1603, 0xFEFF };
	static const uint16_t left[] = { 0x15FF, 0x1601, 0x1603 };

	(void)arg;
	begin();
	make_volume(SOURCE);
	make_volume(OTHER);
	for (unsigned i = 0; i < 6; i++) {
		make_volume(targets[i]);
		CHECK_EQUAL(flash_to(i % 2 ? SOURCE : OTHER, targets[i]), 0);
	}
	for (unsigned i = 0; i < 6; i++)
		CHECK(has_flash(targets[i], i % 2 ? SOURCE : OTHER));
	CHECK(!has_flash(SOURCE, OTHER) && !has_flash(0x1604, SOURCE));
	expect_list(0, MAX, sorted, 6);
	expect_list(0, 2, sorted, 2);
	expect_list(0x1600, MAX, sorted + 2, 4);
	expect_list(0xFEFF, MAX, sorted + 5, 1);
	expect_list(0x10000, MAX, sorted, 0);
	delete(0xFEFF);
	delete(0x1602);
	CHECK_EQUAL(control_volume_delete(control, SOURCE, &fault), -1);
	CHECK_EQUAL(fault.code, FAULT_IN_USE);
	delete(0x0000);
	expect_list(0, MAX, left, 3);
	delete(0x15FF);
	CHECK_EQUAL(control_volume_delete(control, OTHER, &fault), 0);
	delete(0x1603);
	CHECK_EQUAL(control_volume_delete(control, 0x1601, &fault), -1);
	delete(0x1601);
	CHECK_EQUAL(control_volume_delete(control, SOURCE, &fault), 0);
	system_stop(up);
	return 0;
}

static int main_look_up(void *arg)
{
	machine = arg;
	return run_to_end(look_them_up);
}

static void relations_are_found_by_their_target_and_by_their_source(void **state)
{
	(void)state;
	run_world(1, 2, main_look_up);
}

/* ---- a cascade ---- */

static int make_the_deepest(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 1 }, found[XDC_BLOCK_SIZE] = { 0 };
	struct attachment host;

	(void)arg;
	begin();
	make_volume(0x1500);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	control_detach(control, 0x1500);
	for (uint16_t i = 1; i <= FLASH_DEPTH_MAX + 1; i++)
		make_volume((uint16_t)(0x1500 + i));
	for (uint16_t i = 1; i <= FLASH_DEPTH_MAX; i++)
		CHECK_EQUAL(flash_to((uint16_t)(0x1500 + i - 1), (uint16_t)(0x1500 + i)), 0);
	CHECK_EQUAL(flash_to(0x1500 + FLASH_DEPTH_MAX, 0x1500 + FLASH_DEPTH_MAX + 1), -1);
	CHECK_EQUAL(fault.code, FAULT_NOT_SUPPORTED);
	CHECK_EQUAL(flash_to(0x1500 + FLASH_DEPTH_MAX, 0x1500), -1);
	CHECK_EQUAL(fault.code, FAULT_INVALID_PARAMETER);
	CHECK_EQUAL(control_attach(control, "1520", &host), 0);
	_Static_assert(FLASH_DEPTH_MAX == 0x20, "1520 is the last");
	host_read(&host, found, 0);
	CHECK(!memcmp(found, data, sizeof(data)));
	control_detach(control, 0x1520);
	system_stop(up);
	return 0;
}

static int read_after_a_start(void *arg)
{
	uint8_t found[XDC_BLOCK_SIZE] = { 0 };
	struct attachment host;

	(void)arg;
	boot_control();
	CHECK_EQUAL(control_attach(control, "1520", &host), 0);
	host_read(&host, found, 0);
	CHECK_EQUAL(found[0], 1);
	control_detach(control, 0x1520);
	system_stop(up);
	return 0;
}

static int main_cascade(void *arg)
{
	machine = arg;
	run_to_end(make_the_deepest);
	return run_to_end(read_after_a_start);
}

/* Each level is a call in the next, on one stack: 1,000 of them ended the process. */
static void a_cascade_is_no_deeper_than_its_last_copy_can_be_read(void **state)
{
	(void)state;
	run_world(1, 2, main_cascade);
}

/* ---- a log that is gone ---- */

/* Files of the process, so that of maps and logs one is open at a time. */
#define FILES_MAX	31u

/* That of the first target is closed when the second has its map, and then it is removed; it has a block. */
static void lose_the_log(void)
{
	uint8_t old[XDC_BLOCK_SIZE] = { 1 }, new[XDC_BLOCK_SIZE] = { 2 };
	struct record_flash record;
	struct attachment host;
	char path[100];
	int len;

	sim_set_files_max(machine, FILES_MAX);
	begin();
	make_volume_of(SOURCE, MIB);
	make_volume_of(TARGET, MIB);
	make_volume(OTHER);
	make_volume(OTHER + 1);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, old, 0);
	CHECK_EQUAL(flash_to(SOURCE, TARGET), 0);
	host_write(&host, new, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	control_detach(control, SOURCE);
	CHECK_EQUAL(flash_to(OTHER, OTHER + 1), 0);
	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(record.state, FLASH_ACTIVE);
	len = snprintf(path, sizeof(path), "/state/flash/");
	for (unsigned i = 0; i < sizeof(record.map); i++)
		len += snprintf(path + len, 3, "%02x", record.map[i]);
	snprintf(path + len, sizeof(path) - (size_t)len, ".kept");
	CHECK_EQUAL(rt_path_unlink(path), 0);
}

static void expect_failed_and_deleted(void)
{
	struct record_flash record;

	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(record.state, FLASH_FAILED);
	CHECK(copy_flash_get(control_copy(control), OTHER + 1, &record));
	CHECK_EQUAL(record.state, FLASH_ACTIVE);
	delete(TARGET);
	system_stop(up);
}

static int read_what_is_gone(void *arg)
{
	struct host_write read = { .offset = 0 };
	uint8_t found[XDC_BLOCK_SIZE];
	struct attachment host;

	(void)arg;
	lose_the_log();
	CHECK_EQUAL(control_attach(control, "1600", &host), 0);
	read.volume = host.volume;
	read.data = found;
	{
		RT_LIMIT(rt_now_ns() + RT_SECOND);

		CHECK_EQUAL(rt_call(volume_reactor(host.volume), do_read, &read), -EIO);
	}
	control_detach(control, TARGET);
	expect_failed_and_deleted();
	return 0;
}

static int main_read_gone(void *arg)
{
	machine = arg;
	return run_to_end(read_what_is_gone);
}

static void a_read_of_a_log_that_is_gone_ends_and_the_relation_has_failed(void **state)
{
	(void)state;
	run_world(1, 1, main_read_gone);
}

static int fill_from_what_is_gone(void *arg)
{
	(void)arg;
	lose_the_log();
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	expect_failed_and_deleted();
	return 0;
}

static int main_fill_gone(void *arg)
{
	machine = arg;
	return run_to_end(fill_from_what_is_gone);
}

static void a_log_that_is_gone_is_not_filled_from_again_and_again(void **state)
{
	(void)state;
	run_world(1, 1, main_fill_gone);
}

/* ---- one that cannot be made durable ---- */

#define BUSY_BLOCKS	32768u
#define BUSY_FIBERS	16u

static struct attachment busy[2];
static uint32_t next_block;
static bool made;
static unsigned failures;

/* Each block once: all have to be kept. */
static void write_on(void *arg)
{
	const uint8_t data[XDC_BLOCK_SIZE] = { 7 };

	while (!made) {
		CHECK(next_block < BUSY_BLOCKS);
		host_write(arg, data, (uint64_t)next_block++ * XDC_BLOCK_SIZE);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS / 4), 0);
	}
}

static void count_failures(void *arg, const struct record_event *event)
{
	(void)arg;
	failures += event->kind == EVENT_FLASH_FAILED;
}

static int make_in_vain(void *arg)
{
	struct rt_group writers;

	(void)arg;
	made = false;
	next_block = failures = 0;
	sim_set_files_max(machine, FILES_MAX);
	begin();
	for (uint16_t i = 0; i < 2; i++) {
		make_volume_of(SOURCE + i, BUSY_BLOCKS * XDC_BLOCK_SIZE);
		make_volume_of(TARGET + i, BUSY_BLOCKS * XDC_BLOCK_SIZE);
		CHECK_EQUAL(control_attach(control, i ? "1501" : "1500", &busy[i]), 0);
	}
	/* So that the log of the one makes that of the other be closed. */
	CHECK_EQUAL(flash_to(SOURCE + 1, TARGET + 1), 0);
	rt_group_init(&writers);
	for (unsigned i = 0; i < BUSY_FIBERS; i++)
		CHECK_EQUAL(rt_group_start(&writers, "busy", write_on, &busy[i % 2]), 0);
	sim_set_disk(machine, "/state", &(struct sim_disk_state){ .sync_fails = true });
	sim_set_disk(machine, "/state/flash", &(struct sim_disk_state){ .sync_fails = false });
	CHECK_EQUAL(flash_to(SOURCE, TARGET), -1);
	CHECK(strstr(fault.message, "cannot be made durable"));
	sim_set_disk(machine, "/state", &(struct sim_disk_state){ .sync_fails = false });
	made = true;
	CHECK_EQUAL(rt_group_wait(&writers), 0);
	CHECK(!has_flash(TARGET, SOURCE));
	events_each(control_events(control), 0, EVENT_INFO, count_failures, NULL);
	CHECK_EQUAL(failures, 0);
	CHECK(has_flash(TARGET + 1, SOURCE + 1));
	control_detach(control, SOURCE);
	control_detach(control, SOURCE + 1);
	system_stop(up);
	return 0;
}

static int main_in_vain(void *arg)
{
	machine = arg;
	return run_to_end(make_in_vain);
}

/* Its maps are removed, slowly, while hosts still write to its source: what is given up has not failed. */
static void a_relation_that_is_not_made_durable_is_not_told_to_have_failed(void **state)
{
	struct sim_config config;

	(void)state;
	sim_config_default(&config);
	config.disk_name_ns = (struct sim_range){ RT_MS / 2, 2 * RT_MS };
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct sim_world *world = sim_create(seed, &config);

		CHECK_EQUAL(sim_run(world, main_in_vain, sim_add_system(world, "a1", 1), RT_NEVER), SIM_DONE);
		sim_destroy(world);
	}
}

/* ---- what is left of old ones ---- */

#define STRAY_MAP	"/state/flash/00112233445566778899aabbccddeeff.map"
#define STRAY_LOG	"/state/flash/ffeeddccbbaa99887766554433221100.kept"
#define NO_MAP		"/state/flash/00112233445566778899aabbccddeeff.txt"

static bool exists(const char *path)
{
	uint8_t byte;

	return sim_peek(machine, path, &byte, 1, 0) == 0;
}

static int leave_strays(void *arg)
{
	static const char *const names[] = { STRAY_MAP, STRAY_LOG, NO_MAP };
	struct rt_file *file;

	(void)arg;
	begin();
	make_volume(SOURCE);
	for (uint16_t i = 0; i < 5; i++) {
		make_volume((uint16_t)(TARGET + i));
		CHECK_EQUAL(flash_to(SOURCE, (uint16_t)(TARGET + i)), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(rt_file_open(names[i], RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file), 0);
		rt_file_close(file);
	}
	system_stop(up);
	return 0;
}

static int look_for_strays(void *arg)
{
	struct record_flash record;

	(void)arg;
	boot_control();
	CHECK(!exists(STRAY_MAP) && !exists(STRAY_LOG) && exists(NO_MAP));
	for (uint16_t i = 0; i < 5; i++) {
		CHECK(copy_flash_get(control_copy(control), (uint16_t)(TARGET + i), &record));
		CHECK_EQUAL(record.state, FLASH_ACTIVE);
	}
	system_stop(up);
	return 0;
}

static int main_strays(void *arg)
{
	machine = arg;
	run_to_end(leave_strays);
	return run_to_end(look_for_strays);
}

static void maps_that_no_relation_names_are_removed_and_no_others(void **state)
{
	(void)state;
	run_world(1, 2, main_strays);
}

/* ---- a cascade whose middle is of no use ---- */

static int lose_the_map_of_the_middle(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };
	struct record_flash record;
	struct attachment host;
	char path[100];
	int len;

	(void)arg;
	begin();
	for (uint16_t i = 0; i < 4; i++)
		make_volume((uint16_t)(0x1500 + i));
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	control_detach(control, 0x1500);
	for (uint16_t i = 0; i < 3; i++)
		CHECK_EQUAL(flash_to((uint16_t)(0x1500 + i), (uint16_t)(0x1501 + i)), 0);
	CHECK(copy_flash_get(control_copy(control), 0x1501, &record));
	len = snprintf(path, sizeof(path), "/state/flash/");
	for (unsigned i = 0; i < XDC_UUID_LEN; i++)
		len += snprintf(path + len, 3, "%02x", record.map[i]);
	snprintf(path + len, sizeof(path) - (size_t)len, ".map");
	system_stop(up);
	CHECK_EQUAL(rt_path_unlink(path), 0);
	return 0;
}

static int read_behind_it(void *arg)
{
	struct record_flash record;
	struct volume_info info;

	(void)arg;
	boot_control();
	for (uint16_t target = 0x1501; target <= 0x1503; target++) {
		CHECK(copy_flash_get(control_copy(control), target, &record));
		CHECK_EQUAL(record.state, FLASH_FAILED);
		CHECK_EQUAL(control_volume_get(control, target, &info, &fault), 0);
		CHECK_EQUAL(info.access, VOLUME_ACCESS_NONE);
	}
	CHECK_EQUAL(control_volume_get(control, 0x1500, &info, &fault), 0);
	CHECK_EQUAL(info.access, VOLUME_ACCESS_WRITE);
	system_stop(up);
	return 0;
}

static int delete_them(void *arg)
{
	(void)arg;
	boot_control();
	for (uint16_t target = 0x1503; target > 0x1500; target--)
		CHECK_EQUAL(copy_flash_delete(control_copy(control), target, true, &fault), 0);
	system_stop(up);
	return 0;
}

static int main_middle(void *arg)
{
	machine = arg;
	run_to_end(lose_the_map_of_the_middle);
	run_to_end(read_behind_it);
	run_to_end(read_behind_it);
	return run_to_end(delete_them);
}

/* After a start a copy of a failed copy showed what lay on the disk of that. */
static void a_copy_of_a_copy_that_is_of_no_use_is_of_none_also_after_a_start(void **state)
{
	(void)state;
	run_world(1, 2, main_middle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relations_are_found_by_their_target_and_by_their_source),
		cmocka_unit_test(a_cascade_is_no_deeper_than_its_last_copy_can_be_read),
		cmocka_unit_test(a_copy_of_a_copy_that_is_of_no_use_is_of_none_also_after_a_start),
		cmocka_unit_test(a_log_that_is_gone_is_not_filled_from_again_and_again),
		cmocka_unit_test(a_read_of_a_log_that_is_gone_ends_and_the_relation_has_failed),
		cmocka_unit_test(a_relation_that_is_not_made_durable_is_not_told_to_have_failed),
		cmocka_unit_test(maps_that_no_relation_names_are_removed_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
