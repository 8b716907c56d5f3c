/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on real files: what hosts read and write, in all shapes, and what they are allowed to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "rt/run.h"
#include "rt_check.h"
#include "volume/target.h"

#define SIZE		(8u << 20)
#define MIB		(1u << 20)

static char folder[] = "volume-XXXXXX";

static struct volume *open_volume(enum cache_mode cache)
{
	char path[64];
	struct vdisk_options disk = { .kind = POOL_DIR, .cache = cache, .path = path, .size = SIZE };
	struct volume_options options = { .id = 0x1500, .sidefile_bytes = MIB };
	struct volume *volume;

	snprintf(path, sizeof(path), "%s/disk%u", folder, rt_reactor_index(rt_here()));
	CHECK_EQUAL(vdisk_create(&disk), 0);
	CHECK_EQUAL(vdisk_open(&disk, &options.disk), 0);
	CHECK_EQUAL(volume_open(&options, &volume), 0);
	CHECK_EQUAL(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	return volume;
}

static void close_volume(struct volume *volume)
{
	char path[64];
	struct vdisk_options disk = { .kind = POOL_DIR, .path = path };

	volume_close(volume);
	snprintf(path, sizeof(path), "%s/disk%u", folder, rt_reactor_index(rt_here()));
	CHECK_EQUAL(vdisk_destroy(&disk), 0);
}

static void fill(uint8_t *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)((seed + i) * 2654435761u >> 13);
}

/* Requests of odd lengths at odd places, across zones of the lock, against a copy in memory. */
static int main_data(void *arg)
{
	static const struct { uint64_t offset; size_t len; char kind; } steps[] = {
		{ 0, 4096, 'w' }, { 1, 1, 'w' }, { 5000, 100000, 'w' }, { MIB - 10, 20, 'w' },
		{ MIB - 4096, 3 * MIB, 'w' },
		{ 2 * MIB + 512, MIB, 'z' }, { 3 * MIB, 2 * MIB, 'd' }, { SIZE - 1, 1, 'w' }, { 0, SIZE, 'r' },
		{ 0, SIZE, 'd' }, { 4095, 2, 'w' }, { SIZE - MIB - 1, MIB + 1, 'w' }, { SIZE - MIB, 4096, 'k' },
	};
	struct volume *volume = open_volume(*(enum cache_mode *)arg);
	MEM_OWNED uint8_t *model = mem_alloc_zeroed(SIZE), *buf = mem_alloc_pages(SIZE);

	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t offset = steps[i].offset, len = steps[i].len;

		if (steps[i].kind == 'w') {
			fill(model + offset, len, i);
			CHECK_EQUAL(volume_write(volume, model + offset, len, offset, i % 2 ? VOLUME_FUA : 0), 0);
		} else if (steps[i].kind != 'r') {
			memset(model + offset, 0, len);
			CHECK_EQUAL(steps[i].kind == 'd' ? volume_discard(volume, len, offset, 0) :
				volume_zero(volume, len, offset, steps[i].kind == 'k' ? VOLUME_NO_HOLE : 0), 0);
		}
		CHECK_EQUAL(volume_read(volume, buf + offset, len, offset), 0);
		CHECK(memcmp(buf + offset, model + offset, len) == 0);
		CHECK_EQUAL(volume_read(volume, buf, SIZE, 0), 0);
		CHECK(memcmp(buf, model, SIZE) == 0);
	}
	CHECK_EQUAL(volume_flush(volume), 0);
	close_volume(volume);
	return 0;
}

/* The volume belongs to a reactor that is not the caller's. */
static int main_data_there(void *arg)
{
	return rt_call(rt_reactor(1), main_data, arg);
}

static void test_data(void **state)
{
	(void)state;
	for (enum cache_mode cache = 0; cache < CACHE_MODE_COUNT; cache++)
		CHECK_EQUAL(rt_run(&(struct rt_options) { .reactors = 2 }, main_data_there, &cache), 0);
}

/* Two volumes on two reactors, each written by many fibers at once, with flushes between; none is torn or lost. */
#define WRITERS	8u

struct writer {
	struct volume *volume;
	unsigned index;
};

static void write_and_read(void *arg)
{
	const struct writer *writer = arg;
	uint64_t offset = writer->index * (SIZE / WRITERS);
	MEM_OWNED uint8_t *written = mem_alloc_pages(100000), *read = mem_alloc_pages(100000);

	for (unsigned i = 0; i < 30; i++) {
		fill(written, 100000, writer->index + i);
		CHECK_EQUAL(volume_write(writer->volume, written, 100000, offset + i * 777, 0), 0);
		if (i % 8 == writer->index)
			CHECK_EQUAL(volume_flush(writer->volume), 0);
		CHECK_EQUAL(volume_read(writer->volume, read, 100000, offset + i * 777), 0);
		CHECK(memcmp(written, read, 100000) == 0);
	}
}

static int write_by_many(void *arg)
{
	struct volume *volume = open_volume(*(enum cache_mode *)arg);
	struct volume_target *target;
	struct writer writers[WRITERS];
	struct rt_group group;

	rt_group_init(&group);
	CHECK_EQUAL(volume_add_target(volume, NULL, 1, &target), 0);
	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer) { .volume = volume, .index = i };
		CHECK_EQUAL(rt_group_start(&group, "writer", write_and_read, &writers[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	close_volume(volume);
	return 0;
}

static void write_there(void *arg)
{
	CHECK_EQUAL(rt_call(rt_reactor(1), write_by_many, arg), 0);
}

static int main_many(void *arg)
{
	struct rt_group group;

	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "there", write_there, arg), 0);
	CHECK_EQUAL(write_by_many(arg), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	return 0;
}

static void test_many(void **state)
{
	(void)state;
	for (enum cache_mode cache = 0; cache < CACHE_MODE_COUNT; cache++)
		CHECK_EQUAL(rt_run(&(struct rt_options) { .reactors = 2 }, main_many, &cache), 0);
}

/* What is not allowed is refused with the right error, and block status shows what is there. */
static int main_access(void *arg)
{
	struct volume *volume = open_volume(CACHE_WRITEBACK);
	uint8_t buf[4096] = { 1 };
	struct volume_counters counters;
	bool data;
	uint64_t end;

	(void)arg;
	CHECK_EQUAL(volume_write(volume, buf, sizeof(buf), MIB, 0), 0);
	CHECK_EQUAL(volume_get_run(volume, 0, &data, &end), 0);
	CHECK(!data);
	CHECK_EQUAL(end, MIB);
	CHECK_EQUAL(volume_set_access(volume, VOLUME_ACCESS_READ), 0);
	CHECK_EQUAL(volume_write(volume, buf, sizeof(buf), 0, 0), -EROFS);
	CHECK_EQUAL(volume_discard(volume, 4096, 0, 0), -EROFS);
	CHECK_EQUAL(volume_read(volume, buf, sizeof(buf), 0), 0);
	CHECK_EQUAL(buf[0], 0);
	CHECK_EQUAL(volume_set_access(volume, VOLUME_ACCESS_NONE), 0);
	CHECK_EQUAL(volume_read(volume, buf, sizeof(buf), 0), -EPERM);
	CHECK_EQUAL(volume_zero(volume, 4096, 0, 0), -EPERM);
	CHECK_EQUAL(volume_flush(volume), -EPERM);
	volume_get_counters(volume, &counters);
	CHECK_EQUAL(counters.writes, 1);
	CHECK_EQUAL(counters.reads, 1);
	CHECK_EQUAL(counters.discards, 0);

	/* The far side writes what hosts may not. */
	buf[0] = 7;
	CHECK_EQUAL(volume_apply(volume, NULL, buf, sizeof(buf), 2 * MIB), 0);
	CHECK_EQUAL(volume_apply_zero(volume, NULL, 4096, MIB), 0);
	CHECK_EQUAL(volume_apply_sync(volume), 0);
	CHECK_EQUAL(volume_set_access(volume, VOLUME_ACCESS_READ), 0);
	CHECK_EQUAL(volume_read(volume, buf, 1, MIB), 0);
	CHECK_EQUAL(buf[0], 0);
	CHECK_EQUAL(volume_read(volume, buf, 1, 2 * MIB), 0);
	CHECK_EQUAL(buf[0], 7);
	close_volume(volume);
	return 0;
}

static void test_access(void **state)
{
	(void)state;
	CHECK_EQUAL(rt_run(&(struct rt_options) { .reactors = 1 }, main_access, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_access),
	};
	int rc;

	if (!mkdtemp(folder))
		return 1;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)!rmdir(folder);
	return rc;
}
