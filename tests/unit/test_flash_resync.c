/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What FlashCopies keep and note, when their files or the metadata fail, and when they are resynced: a target shows its
 * moment, or says that it cannot.
 */
#include "flash_check.h"

#include "copy/flash_derive.h"

static void note_info(void *arg, const struct copy_flash_info *info)
{
	*(struct copy_flash_info *)arg = *info;
}

static void fill_log_path(const struct record_flash *record, char path[80])
{
	int len = snprintf(path, 80, "/state/flash/");

	for (unsigned i = 0; i < XDC_UUID_LEN; i++)
		len += snprintf(path + len, 3, "%02x", record->map[i]);
	snprintf(path + len, 6, ".kept");
}

/* The log of the relation cannot be written: whoever needs it empty hears so, and it is when that can be done. */
static int settle_without_a_header(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };
	struct record_flash record;
	struct attachment host;
	uint16_t restored;
	char path[80];

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	flash(true, COPY_LOW);
	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	control_detach(control, SOURCE);
	fill_log_path(&record, path);
	sim_set_disk(machine, path, &(struct sim_disk_state){ .write_fails = true });
	CHECK_EQUAL(control_flash_reverse(control, TARGET, &restored, &fault), -1);
	sim_set_disk(machine, path, &(struct sim_disk_state){ .write_fails = false });
	CHECK_EQUAL(control_flash_reverse(control, TARGET, &restored, &fault), 0);
	system_stop(up);
	return 0;
}

static int main_no_header(void *arg)
{
	machine = arg;
	return run_to_end(settle_without_a_header);
}

static void a_log_that_cannot_be_emptied_holds_nobody_up(void **state)
{
	(void)state;
	run_world(6, 2, main_no_header);
}

/* A resync needs nothing of the log that it gives up. */
static int resync_with_a_log_in_use(void *arg)
{
	const struct copy_flash_request request = {
		.source = SOURCE, .target = TARGET, .record = true, .no_copy = true,
	};
	uint8_t data[XDC_BLOCK_SIZE] = { 5 };
	struct record_flash record;
	struct attachment host;
	char path[80];

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	CHECK(copy_flash_get(control_copy(control), TARGET, &record));
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	control_detach(control, SOURCE);
	fill_log_path(&record, path);
	sim_set_disk(machine, path, &(struct sim_disk_state){ .write_fails = true });
	CHECK_EQUAL(copy_flash_resync(control_copy(control), TARGET, false, 0, &fault), 0);
	CHECK_EQUAL(control_attach(control, "1600", &host), 0);
	data[0] = 0;
	host_read(&host, data, 0);
	CHECK_EQUAL(data[0], 5);
	control_detach(control, TARGET);
	system_stop(up);
	return 0;
}

static int main_log_in_use(void *arg)
{
	machine = arg;
	return run_to_end(resync_with_a_log_in_use);
}

static void a_resync_does_not_empty_the_log(void **state)
{
	(void)state;
	run_world(8, 2, main_log_in_use);
}

/*
 * More tracks were written since a resync looked than there is room to note: it looks at all that changed, and what
 * comes meanwhile is noted, so that hosts do not wait for another such look.
 */
#define TRACKS	4096u

static bool looks;

static int change_tracks(void *arg)
{
	const struct flash_derived *derived = arg;
	struct flashmap *map = derived->maps.map, *changed = derived->flash->data.changed;
	int rc = flashmap_add(map, 0, TRACKS * XDC_BLOCKS_PER_TRACK);

	for (uint64_t track = 0; !rc && track < TRACKS; track += 2)
		rc = flashmap_add(changed, track, track + 1);
	if (!rc)
		rc = flashmap_commit(map);
	return rc ? rc : flashmap_commit(changed);
}

static void catch_up(void *arg)
{
	CHECK_EQUAL(flash_derive_catch_up(arg), 0);
	looks = false;
}

static int look_while_it_is_written(void *arg)
{
	const struct copy_flash_request request = {
		.source = SOURCE, .target = TARGET, .record = true, .no_copy = true,
	};
	struct flash_derived derived = { .flash = NULL };
	uint8_t data[XDC_BLOCK_SIZE] = { 5 };
	struct record_flash next;
	struct attachment host;
	struct flash *flash;
	struct rt_group group;
	unsigned written = 0;

	(void)arg;
	boot_control();
	make_volumes(TRACKS * XDC_TRACK_SIZE);
	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	flash = flash_find_target(control_copy(control), TARGET);
	next = flash->record;
	CHECK_EQUAL(flash_make_maps(flash, &next), 0);
	CHECK_EQUAL(flash_derive_begin(flash, &next, &derived), 0);
	CHECK_EQUAL(rt_call(volume_reactor(flash->data.target), change_tracks, &derived), 0);
	derived.fresh->count = FLASH_FRESH_MAX;
	derived.fresh->more = looks = true;
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "look", catch_up, &derived), 0);
	while (derived.fresh->more)
		rt_yield();
	for (; looks; written++)
		host_write(&host, data, (2 * written + 1) * XDC_TRACK_SIZE);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(written > 0);
	CHECK(!derived.fresh->more);
	CHECK_EQUAL(derived.fresh->count, written);
	flash_derive_end(&derived);
	flash_remove_map(control_copy(control), next.map);
	flash_remove_map(control_copy(control), next.changed);
	control_detach(control, SOURCE);
	system_stop(up);
	return 0;
}

static int main_look(void *arg)
{
	machine = arg;
	return run_to_end(look_while_it_is_written);
}

static void what_is_written_during_a_full_look_is_noted(void **state)
{
	(void)state;
	run_world(11, 2, main_look);
}

/* That it is over cannot be noted: so it is not, and what is written to its source is recorded still. */
static int end_without_metadata(void *arg)
{
	const struct copy_flash_request request = { .source = SOURCE, .target = TARGET, .record = true };
	uint8_t data[XDC_BLOCK_SIZE] = { 7 };
	struct copy_flash_info info = { .own_bytes = 0 };
	struct attachment host;

	(void)arg;
	boot_control();
	make_volumes(MIB);
	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	while (job_of(TARGET))
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(copy_flash_each(control_copy(control), note_info, &info, &fault), 0);
	CHECK_EQUAL(info.own_bytes, MIB);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .write_fails = true });
	CHECK_EQUAL(copy_flash_delete(control_copy(control), TARGET, true, &fault), -1);
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .write_fails = false });
	host_write(&host, data, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	control_detach(control, SOURCE);
	system_stop(up);
	return 0;
}

static int resync_and_compare(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };
	struct attachment host;

	(void)arg;
	boot_control();
	CHECK_EQUAL(copy_flash_resync(control_copy(control), TARGET, false, 0, &fault), 0);
	CHECK_EQUAL(control_attach(control, "1600", &host), 0);
	host_read(&host, data, 0);
	CHECK_EQUAL(data[0], 7);
	control_detach(control, TARGET);
	system_stop(up);
	return 0;
}

static int main_no_metadata(void *arg)
{
	machine = arg;
	(void)run_to_end(end_without_metadata);
	return run_to_end(resync_and_compare);
}

static void a_relation_goes_on_until_its_record_is_gone(void **state)
{
	(void)state;
	run_world(7, 2, main_no_metadata);
}

/*
 * The record of a resync, or of a relation, that was refused may be found after a loss of power. Then what its target
 * shows must be a moment, or nothing: what was written since is in no map.
 */
static bool resyncs, was_refused;
static unsigned found_failed;

static int refuse_record(void *arg)
{
	const struct copy_flash_request request = {
		.source = SOURCE, .target = TARGET, .record = true, .no_copy = true,
	};
	uint8_t data[XDC_BLOCK_SIZE] = { 1 };
	struct attachment host;

	(void)arg;
	boot_control();
	make_volumes(64 * MIB);
	CHECK_EQUAL(control_attach(control, "1500", &host), 0);
	host_write(&host, data, 0);
	if (resyncs)
		CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
	data[0] = 2;
	host_write(&host, data, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .sync_fails = true });
	if (resyncs)
		CHECK_EQUAL(copy_flash_resync(control_copy(control), TARGET, false, 0, &fault), -1);
	else
		CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), -1);
	data[0] = 3;
	host_write(&host, data, 0);
	CHECK_EQUAL(host_flush(&host), 0);
	was_refused = true;
	CHECK_EQUAL(rt_wait_stop(), 0);
	return 0;
}

static int look_after_power_loss(void *arg)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };
	struct record_flash record;
	struct attachment host;

	(void)arg;
	sim_set_disk(machine, "/state/config.db", &(struct sim_disk_state){ .sync_fails = false });
	boot_control();
	if (copy_flash_get(control_copy(control), TARGET, &record) && record.state == FLASH_ACTIVE) {
		CHECK_EQUAL(control_attach(control, "1600", &host), 0);
		host_read(&host, data, 0);
		CHECK(data[0] == 1 || data[0] == 2);
		control_detach(control, TARGET);
	} else {
		found_failed += copy_flash_get(control_copy(control), TARGET, &record);
	}
	system_stop(up);
	return 0;
}

static uint8_t wal[128 * KIB];

/* The disk had written what it said it could not. */
static int main_refused(void *arg)
{
	machine = arg;
	was_refused = false;
	sim_boot(machine, refuse_record, NULL);
	while (!was_refused)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(sim_peek(machine, "/state/config.db-wal", wal, sizeof(wal), 0), 0);
	sim_crash(machine, SIM_POWER_LOSS);
	CHECK_EQUAL(sim_poke(machine, "/state/config.db-wal", wal, sizeof(wal), 0), 0);
	return run_to_end(look_after_power_loss);
}

static void a_record_that_was_refused_brings_no_maps_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		resyncs = i > 0;
		found_failed = 0;
		for (uint64_t seed = 1; seed <= 40; seed++)
			run_world(seed, 2, main_refused);
		assert_true(found_failed > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_cannot_be_emptied_holds_nobody_up),
		cmocka_unit_test(a_resync_does_not_empty_the_log),
		cmocka_unit_test(what_is_written_during_a_full_look_is_noted),
		cmocka_unit_test(a_relation_goes_on_until_its_record_is_gone),
		cmocka_unit_test(a_record_that_was_refused_brings_no_maps_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
