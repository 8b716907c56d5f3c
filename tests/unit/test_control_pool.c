/* SPDX-License-Identifier: Apache-2.0 */
/* The space of pools: limits, pools made from others, extents; sizes that cannot be met change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control_check.h"

#define MIB	(1024 * KIB)

static struct control *control;
static struct fault fault;

static int make_dir(const char *name, uint64_t size)
{
	char folder[32];

	snprintf(folder, sizeof(folder), "/%s", name);
	return control_pool_create(control, &(struct pool_create){ .name = name, .kind = POOL_DIR, .folder = folder,
				   .size_bytes = size }, &fault);
}

static int make_from(const char *name, const char *from, uint64_t size)
{
	return control_pool_create(control, &(struct pool_create){ .name = name, .from = from, .size_bytes = size },
				   &fault);
}

static int resize(const char *name, uint64_t size)
{
	return control_pool_modify(control, &(struct pool_modify){ .name = name, .size_bytes = size }, &fault);
}

static int make_volume(uint16_t id, const char *pool, uint64_t size)
{
	return control_volume_create(control, &(struct volume_create){ .id = id, .pool = pool, .size_bytes = size },
				     &fault);
}

static void check_refused(int rc, enum fault_code code, uint64_t nearest)
{
	CHECK_EQUAL(rc, -1);
	CHECK_EQUAL(fault.code, code);
	CHECK_EQUAL(fault.nearest_bytes, nearest);
	CHECK(*fault.object && *fault.message && *fault.remedy);
}

static struct pool_info show(const char *name)
{
	struct pool_info info;

	CHECK_EQUAL(control_pool_get(control, name, &info, &fault), 0);
	return info;
}

/* ---- limits ---- */

static int limit_a_pool(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(make_dir("p", 64 * MIB), 0);
	CHECK_EQUAL(make_volume(0x1500, "p", 48 * MIB), 0);
	check_refused(make_volume(0x1501, "p", 20 * MIB), FAULT_SIZE_NOT_SUPPORTED, 16 * MIB);
	check_refused(make_volume(0x1501, "p", 5 * KIB), FAULT_SIZE_NOT_SUPPORTED, 8 * KIB);
	CHECK_EQUAL(show("p").volumes, 1);
	CHECK_EQUAL(show("p").left_bytes, 16 * MIB);

	/* A volume that grows, too: and what it could have is what it has and what is left. */
	check_refused(control_volume_grow(control, 0x1500, 65 * MIB, &fault), FAULT_SIZE_NOT_SUPPORTED, 64 * MIB);
	CHECK_EQUAL(control_volume_grow(control, 0x1500, 60 * MIB, &fault), 0);
	CHECK_EQUAL(show("p").left_bytes, 4 * MIB);

	check_refused(resize("p", 59 * MIB), FAULT_SIZE_NOT_SUPPORTED, 60 * MIB);
	check_refused(resize("p", 61 * MIB + 1), FAULT_SIZE_NOT_SUPPORTED, 61 * MIB + 4 * KIB);
	CHECK_EQUAL(resize("p", 80 * MIB), 0);
	CHECK_EQUAL(make_volume(0x1501, "p", 20 * MIB), 0);
	check_refused(make_volume(0x1502, "p", 4 * KIB), FAULT_SIZE_NOT_SUPPORTED, 0);
	CHECK_EQUAL(control_volume_delete(control, 0x1501, &fault), 0);
	CHECK_EQUAL(show("p").left_bytes, 20 * MIB);
	system_stop(system);

	/* And after a start. */
	system = start_system();
	control = system_control(system);
	CHECK_EQUAL(show("p").size_bytes, 80 * MIB);
	CHECK_EQUAL(show("p").left_bytes, 20 * MIB);
	system_stop(system);
	return 0;
}

static void a_pool_gives_no_more_than_its_limit(void **state)
{
	(void)state;
	run_world(1, 2, limit_a_pool);
}

/* ---- pools made from others ---- */

static int make_pools_from_pools(void *arg)
{
	struct system *system = start_system();
	uint64_t total;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	CHECK_EQUAL(make_dir("p", 100 * MIB), 0);
	CHECK_EQUAL(make_from("a", "p", 60 * MIB), 0);
	check_refused(make_from("b", "p", 41 * MIB), FAULT_SIZE_NOT_SUPPORTED, 40 * MIB);
	CHECK_EQUAL(control_pool_get(control, "b", &(struct pool_info){ .error = 0 }, &fault), -1);
	CHECK_EQUAL(make_from("b", "p", 40 * MIB), 0);
	check_refused(make_volume(0x1500, "p", 1 * MIB), FAULT_SIZE_NOT_SUPPORTED, 0);
	CHECK_EQUAL(make_volume(0x1500, "a", 50 * MIB), 0);
	check_refused(make_from("aa", "a", 20 * MIB), FAULT_SIZE_NOT_SUPPORTED, 10 * MIB);
	CHECK_EQUAL(make_from("aa", "a", 10 * MIB), 0);

	check_refused(control_pool_delete(control, "p", &fault), FAULT_IN_USE, 0);
	check_refused(control_pool_delete(control, "a", &fault), FAULT_IN_USE, 0);
	check_refused(resize("b", 41 * MIB), FAULT_SIZE_NOT_SUPPORTED, 40 * MIB);
	CHECK_EQUAL(resize("b", 30 * MIB), 0);
	CHECK_EQUAL(resize("a", 70 * MIB), 0);
	CHECK_EQUAL(show("p").left_bytes, 0);
	CHECK_EQUAL(show("p").pool_bytes, 100 * MIB);

	/* What was taken goes back. */
	CHECK_EQUAL(control_pool_delete(control, "b", &fault), 0);
	CHECK_EQUAL(show("p").left_bytes, 30 * MIB);

	/* Of a pool without a limit: at most what its file system has. */
	CHECK_EQUAL(make_dir("q", 0), 0);
	total = show("q").total_bytes;
	check_refused(make_from("c", "q", total + 4096), FAULT_SIZE_NOT_SUPPORTED, total - total % 4096);
	CHECK_EQUAL(make_from("c", "q", 30 * MIB), 0);
	check_refused(make_from("d", "q", total), FAULT_SIZE_NOT_SUPPORTED, total - total % 4096 - 30 * MIB);
	check_refused(make_dir("r", total + 4096), FAULT_SIZE_NOT_SUPPORTED, total - total % 4096);
	system_stop(system);

	system = start_system();
	control = system_control(system);
	CHECK(!strcmp(show("aa").record.parent, "a"));
	CHECK_EQUAL(show("a").left_bytes, 10 * MIB);
	CHECK_EQUAL(control_pool_delete(control, "c", &fault), 0);
	system_stop(system);
	return 0;
}

static void a_pool_made_from_another_has_its_space(void **state)
{
	(void)state;
	run_world(2, 1, make_pools_from_pools);
}

/* ---- extents ---- */

static void make_device(const char *path, uint64_t size)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, size), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	rt_file_close(file);
	CHECK_EQUAL(rt_path_sync_folder("/"), 0);
}

static void find_volume(void *arg, const struct record_extent *extent, int volume)
{
	CHECK_EQUAL(volume, !strcmp(extent->path, "/d2") ? 0x1500 : -1);
	(*(unsigned *)arg)++;
}

static int make_pools_of_extents(void *arg)
{
	const char *const first[] = { "/d1", "/d2" }, *const more[] = { "/d3" }, *const none[] = { "/d9" };
	struct pool_create devices = { .name = "dev", .kind = POOL_DEVICE, .extents = first, .extent_count = 2 };
	struct pool_modify add = { .name = "dev", .extents = more, .extent_count = 1, .label = "shelf" };
	struct volume_create adopt = { .id = 0x1501, .pool = "dev", .adopt = "/d4" };
	struct system *system = start_system();
	unsigned count = 0;

	(void)arg;
	CHECK(system);
	control = system_control(system);
	make_device("/d1", 8 * MIB);
	make_device("/d2", 16 * MIB);
	make_device("/d3", 4 * MIB);
	make_device("/d4", 4 * MIB);
	CHECK_EQUAL(control_pool_create(control, &devices, &fault), 0);
	devices.name = "other";
	check_refused(control_pool_create(control, &devices, &fault), FAULT_IN_USE, 0);
	CHECK_EQUAL(show("dev").size_bytes, 24 * MIB);

	/* Volumes take whole extents. */
	check_refused(make_volume(0x1500, "dev", 15 * MIB), FAULT_SIZE_NOT_SUPPORTED, 16 * MIB);
	CHECK_EQUAL(make_volume(0x1500, "dev", 16 * MIB), 0);
	check_refused(make_volume(0x1501, "dev", 16 * MIB), FAULT_SIZE_NOT_SUPPORTED, 8 * MIB);
	check_refused(control_volume_create(control, &adopt, &fault), FAULT_INVALID_PARAMETER, 0);
	CHECK_EQUAL(show("dev").left_bytes, 8 * MIB);

	CHECK_EQUAL(control_pool_modify(control, &add, &fault), 0);
	add.extents = none;
	CHECK_EQUAL(control_pool_modify(control, &add, &fault), -1);
	check_refused(resize("dev", 1 * MIB), FAULT_INVALID_PARAMETER, 0);
	CHECK_EQUAL(show("dev").size_bytes, 28 * MIB);

	/* A pool made from it takes free extents, and gives them back. */
	check_refused(make_from("part", "dev", 5 * MIB), FAULT_SIZE_NOT_SUPPORTED, 4 * MIB);
	CHECK_EQUAL(show("dev").size_bytes, 28 * MIB);
	CHECK_EQUAL(make_from("part", "dev", 12 * MIB), 0);
	CHECK_EQUAL(show("dev").left_bytes, 0);
	CHECK_EQUAL(show("part").left_bytes, 12 * MIB);
	system_stop(system);

	system = start_system();
	control = system_control(system);
	CHECK_EQUAL(show("part").size_bytes, 12 * MIB);
	check_refused(control_pool_delete(control, "dev", &fault), FAULT_IN_USE, 0);
	CHECK_EQUAL(control_pool_delete(control, "part", &fault), 0);
	CHECK_EQUAL(control_pool_each_extent(control, "dev", find_volume, &count, &fault), 0);
	CHECK_EQUAL(count, 3);
	CHECK(!strcmp(show("dev").record.label, "shelf"));
	CHECK_EQUAL(control_volume_delete(control, 0x1500, &fault), 0);
	CHECK_EQUAL(control_pool_delete(control, "dev", &fault), 0);
	system_stop(system);
	return 0;
}

static void a_pool_of_devices_gives_whole_extents(void **state)
{
	(void)state;
	run_world(3, 1, make_pools_of_extents);
}

/* ---- the limit of open files ---- */

static int make_too_many(void *arg)
{
	struct sim_system *here = sim_outside(sim_world());
	struct system *system;
	struct volume_info info;
	uint16_t count = 0;

	(void)arg;
	sim_set_files_max(here, 40);
	system = start_system();
	control = system_control(system);
	CHECK_EQUAL(make_dir("p", 64 * MIB), 0);
	while (count < 40 && make_volume((uint16_t)(0x1500 + count), "p", 64 * KIB) == 0)
		count++;
	CHECK(count > 20 && count < 30);
	CHECK(strstr(fault.remedy, "limit of open files of xdcd, 40"));
	system_stop(system);

	/* What else is open is not the same after it, and some of it is opened before the volumes. */
	sim_set_files_max(here, 36);
	system = start_system();
	CHECK(system);
	control = system_control(system);
	for (uint16_t i = 0; i < count; i++) {
		CHECK_EQUAL(control_volume_get(control, (uint16_t)(0x1500 + i), &info, &fault), 0);
		CHECK_EQUAL(info.error, 0);
	}
	CHECK_EQUAL(make_volume(0x15FF, "p", 64 * KIB), -1);
	system_stop(system);
	return 0;
}

static void volumes_that_were_made_at_the_limit_of_files_are_there_after_a_start(void **state)
{
	(void)state;
	run_world(1, 1, make_too_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pool_gives_no_more_than_its_limit),
		cmocka_unit_test(a_pool_made_from_another_has_its_space),
		cmocka_unit_test(volumes_that_were_made_at_the_limit_of_files_are_there_after_a_start),
		cmocka_unit_test(a_pool_of_devices_gives_whole_extents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
