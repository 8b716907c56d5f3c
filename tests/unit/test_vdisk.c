/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volume files and adopted devices, in both cache modes, on a real file system and in the simulator: what is
 * written is read, wherever it lies and however it is aligned; what is zeroed is zeros; names and sizes are
 * checked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/run.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "store/vdisk.h"

#define DIR_SIZE	(9u << 20)			/* three regions of the settled map */
#define ADOPTED_SIZE	((5u << 20) + 3 * 512)		/* not whole blocks */

struct setting {
	char path[64];
	struct vdisk_options options;
};

/* A value that depends on seed alone. */
static uint64_t mix(uint64_t seed)
{
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
	return seed ^ seed >> 31;
}

static void fill(uint8_t *buf, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(mix(seed + i / 64) >> i % 57);
}

static struct vdisk *open_disk(const struct setting *setting)
{
	struct vdisk *disk;

	CHECK_EQUAL(vdisk_open(&setting->options, &disk), 0);
	return disk;
}

/* What is adopted holds somebody's data. */
static void make_adopted(const struct setting *setting)
{
	MEM_OWNED uint8_t *content = mem_alloc(setting->options.size);
	struct rt_file *file;

	fill(content, setting->options.size, 1);
	CHECK_EQUAL(rt_file_open(setting->path, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_file_write(file, content, setting->options.size, 0), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	rt_file_close(file);
}

static void check_content(struct vdisk *disk, const uint8_t *expected)
{
	size_t size = (size_t)vdisk_size(disk);
	uint8_t *read = mem_alloc(size);

	CHECK_EQUAL(vdisk_read(disk, read, size, 0), 0);
	CHECK(memcmp(read, expected, size) == 0);
	mem_free(read);
}

/* ---- random work against a copy in memory ---- */

struct work {
	struct vdisk *disk;
	uint8_t *expected;
	uint8_t *buf;
	uint64_t seed;
};

#define WORK_LEN_MAX	(3u << 20)

/*
 * Mostly short, often across the end of a block, sometimes longer than the bounce buffer, sometimes at the very
 * end.
 */
static void pick_range(const struct work *work, uint64_t *offset, size_t *len)
{
	uint64_t size = vdisk_size(work->disk), chance = mix(work->seed);
	size_t most = chance % 8 == 0 ? WORK_LEN_MAX : chance % 8 < 4 ? 20000 : 700;

	*offset = mix(work->seed + 1) % size;
	*len = 1 + (size_t)(mix(work->seed + 2) % most);
	if (chance >> 8 & 1) {
		*offset = *offset / 4096 * 4096;
		*len = (*len + 4095) / 4096 * 4096;
	}
	if (*len > size - *offset || (chance >> 16) % 16 == 0)
		*len = (size_t)(size - *offset < WORK_LEN_MAX ? size - *offset : WORK_LEN_MAX);
}

static void work_once(struct work *work)
{
	uint64_t offset;
	size_t len;
	/* Aligned in memory, or not. */
	uint8_t *buf = work->buf + (mix(work->seed + 3) % 2 ? 0 : mix(work->seed + 4) % 512);

	pick_range(work, &offset, &len);
	switch (mix(work->seed + 5) % 8) {
	case 0:
	case 1:
		CHECK_EQUAL(vdisk_read(work->disk, buf, len, offset), 0);
		CHECK(memcmp(buf, work->expected + offset, len) == 0);
		break;
	case 2:
	case 3:
		CHECK_EQUAL(vdisk_zero(work->disk, offset, len, mix(work->seed + 6) & 1), 0);
		memset(work->expected + offset, 0, len);
		break;
	case 4:
		CHECK_EQUAL(vdisk_sync(work->disk), 0);
		break;
	default:
		fill(buf, len, work->seed);
		memcpy(work->expected + offset, buf, len);
		CHECK_EQUAL(vdisk_write(work->disk, buf, len, offset), 0);
	}
	work->seed += 16;
}

static int random_work(struct setting *setting)
{
	size_t size = (size_t)setting->options.size;
	struct work work = { .expected = mem_alloc_zeroed(size), .buf = mem_alloc_pages(WORK_LEN_MAX + 4096) };

	if (setting->options.kind == POOL_DEVICE) {
		fill(work.expected, size, 1);
		make_adopted(setting);
	} else {
		CHECK_EQUAL(vdisk_create(&setting->options), 0);
	}
	for (unsigned round = 0; round < 3; round++) {
		work.disk = open_disk(setting);
		CHECK_EQUAL(vdisk_size(work.disk), size);
		check_content(work.disk, work.expected);
		for (unsigned i = 0; i < 60; i++)
			work_once(&work);
		vdisk_close(work.disk);
	}
	mem_free(work.expected);
	mem_free(work.buf);
	return 0;
}

/* ---- names and sizes ---- */

static void check_not_opened(const struct vdisk_options *options, int with)
{
	struct vdisk *disk = NULL;

	CHECK_EQUAL(vdisk_open(options, &disk), with);
	CHECK(disk == NULL);
}

static void set_size(const char *path, uint64_t size)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path, RT_FILE_WRITE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, size), 0);
	rt_file_close(file);
}

static int names_and_sizes(struct setting *setting)
{
	struct vdisk_options options = setting->options;
	struct rt_file_info info;
	struct vdisk *disk;

	check_not_opened(&options, -ENOENT);
	if (options.kind == POOL_DIR)
		CHECK_EQUAL(vdisk_create(&options), 0);
	else
		make_adopted(setting);
	if (options.kind == POOL_DIR)
		CHECK_EQUAL(vdisk_create(&options), -EEXIST);
	disk = open_disk(setting);
	check_not_opened(&options, -EBUSY);
	vdisk_close(disk);
	options.size += 4096;
	check_not_opened(&options, -EIO);
	options.size -= 8192;
	CHECK_EQUAL(vdisk_open(&options, &disk), 0);
	CHECK_EQUAL(vdisk_size(disk), options.size);
	vdisk_close(disk);
	options.size = 0;
	check_not_opened(&options, -EINVAL);
	options.size = 4096 + 511;
	check_not_opened(&options, -EINVAL);
	set_size(setting->path, 8192);
	check_not_opened(&setting->options, -EIO);
	CHECK_EQUAL(vdisk_destroy(&setting->options), 0);
	CHECK_EQUAL(rt_path_info(setting->path, &info), options.kind == POOL_DIR ? -ENOENT : 0);
	CHECK_EQUAL(vdisk_destroy(&setting->options), 0);
	return 0;
}

static int a_volume_grows(struct setting *setting)
{
	uint8_t block[4096], read[4096];
	struct vdisk *disk;

	if (setting->options.kind == POOL_DEVICE) {
		make_adopted(setting);
		disk = open_disk(setting);
		CHECK_EQUAL(vdisk_grow(disk, 2 * ADOPTED_SIZE), -EOPNOTSUPP);
		vdisk_close(disk);
		return 0;
	}
	CHECK_EQUAL(vdisk_create(&setting->options), 0);
	disk = open_disk(setting);
	fill(block, 4096, 7);
	CHECK_EQUAL(vdisk_write(disk, block, 4096, DIR_SIZE - 4096), 0);
	CHECK_EQUAL(vdisk_grow(disk, DIR_SIZE - 4096), -EINVAL);
	CHECK_EQUAL(vdisk_grow(disk, DIR_SIZE + 512), -EINVAL);
	CHECK_EQUAL(vdisk_grow(disk, 3 * DIR_SIZE), 0);
	CHECK_EQUAL(vdisk_size(disk), 3 * DIR_SIZE);
	CHECK_EQUAL(vdisk_write(disk, block, 4096, 3 * DIR_SIZE - 4096), 0);
	vdisk_close(disk);
	setting->options.size = 3 * DIR_SIZE;
	disk = open_disk(setting);
	CHECK_EQUAL(vdisk_read(disk, read, 4096, DIR_SIZE - 4096), 0);
	CHECK(memcmp(read, block, 4096) == 0);
	CHECK_EQUAL(vdisk_read(disk, read, 4096, 3 * DIR_SIZE - 4096), 0);
	CHECK(memcmp(read, block, 4096) == 0);
	CHECK_EQUAL(vdisk_read(disk, read, 4096, 2 * DIR_SIZE), 0);
	CHECK(read[0] == 0 && memcmp(read, read + 1, 4095) == 0);
	vdisk_close(disk);
	return 0;
}

/* ---- holes ---- */

static void check_run(struct vdisk *disk, uint64_t offset, bool is_data, uint64_t expected_end)
{
	uint64_t end;
	bool data;

	CHECK_EQUAL(vdisk_get_run(disk, offset, &data, &end), 0);
	CHECK_EQUAL(data, is_data);
	CHECK_EQUAL(end, expected_end);
}

static uint64_t allocated(struct vdisk *disk)
{
	uint64_t bytes;

	CHECK_EQUAL(vdisk_allocated(disk, &bytes), 0);
	return bytes;
}

static int space_follows_content(struct setting *setting)
{
	uint64_t size = setting->options.size;
	uint8_t *content = mem_alloc(1 << 20);
	struct vdisk *disk;

	if (setting->options.kind == POOL_DEVICE) {
		mem_free(content);
		return 0;
	}
	CHECK_EQUAL(vdisk_create(&setting->options), 0);
	disk = open_disk(setting);
	CHECK(allocated(disk) <= 65536);
	check_run(disk, 0, false, size);
	fill(content, 1 << 20, 3);
	CHECK_EQUAL(vdisk_write(disk, content, 1 << 20, 2 << 20), 0);
	check_run(disk, 0, false, 2 << 20);
	check_run(disk, 2 << 20, true, 3 << 20);
	check_run(disk, 3 << 20, false, size);
	CHECK_EQUAL(vdisk_sync(disk), 0);
	CHECK(allocated(disk) >= 1 << 20);
	/* Whole blocks in it become a hole; its edges are written. */
	CHECK_EQUAL(vdisk_zero(disk, (2 << 20) + 4000, (512 << 10) + 200, false), 0);
	check_run(disk, 2 << 20, true, (2 << 20) + 4096);
	check_run(disk, (2 << 20) + 4096, false, (2 << 20) + (516 << 10));
	CHECK(allocated(disk) < (1 << 20) - (400 << 10));
	CHECK_EQUAL(vdisk_zero(disk, 2 << 20, 1 << 20, true), 0);
	check_run(disk, 2 << 20, true, 3 << 20);
	CHECK_EQUAL(vdisk_sync(disk), 0);
	CHECK(allocated(disk) >= 1 << 20);
	vdisk_close(disk);
	mem_free(content);
	return 0;
}

/* ---- many fibers at once ---- */

#define FIBERS	16

struct together {
	struct vdisk *disk;
	unsigned next;
};

static void write_own_stripe(void *arg)
{
	struct together *together = arg;
	unsigned mine = together->next++;
	uint8_t block[1500], read[1500];

	for (unsigned i = 0; i < 20; i++) {
		/*
		 * Blocks of its own, since nothing here locks; parts of them, so that direct reads, changes and
		 * writes.
		 */
		uint64_t offset = ((uint64_t)(i % 10) * FIBERS + mine) * 4096 + 100;

		fill(block, sizeof(block), mine * 100 + i);
		CHECK_EQUAL(vdisk_write(together->disk, block, sizeof(block), offset), 0);
		if (i % 4 == 0)
			CHECK_EQUAL(vdisk_sync(together->disk), 0);
		CHECK_EQUAL(vdisk_read(together->disk, read, sizeof(read), offset), 0);
		CHECK(memcmp(read, block, sizeof(read)) == 0);
	}
}

static int many_fibers(struct setting *setting)
{
	struct together together = { .next = 0 };
	struct rt_group group;

	if (setting->options.kind == POOL_DIR)
		CHECK_EQUAL(vdisk_create(&setting->options), 0);
	else
		make_adopted(setting);
	together.disk = open_disk(setting);
	rt_group_init(&group);
	for (unsigned i = 0; i < FIBERS; i++)
		CHECK_EQUAL(rt_group_start(&group, "stripe", write_own_stripe, &together), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	vdisk_close(together.disk);
	return 0;
}

/* ---- on both runtimes, in all settings ---- */

static const struct body {
	const char *name;
	int (*run)(struct setting *setting);
} bodies[] = {
	{ "random work", random_work },
	{ "names and sizes", names_and_sizes },
	{ "a volume grows", a_volume_grows },
	{ "space follows content", space_follows_content },
	{ "many fibers", many_fibers },
};
#define BODIES		(sizeof(bodies) / sizeof(bodies[0]))
#define SETTINGS	(POOL_KIND_COUNT * CACHE_MODE_COUNT)

struct run {
	const struct body *body;
	struct setting setting;
	char name[80];
};
static struct run runs[BODIES * SETTINGS];

static void set_path(struct run *run, const char *folder)
{
	snprintf(run->setting.path, sizeof(run->setting.path), "%s/disk", folder);
	run->setting.options.path = run->setting.path;
}

static int run_body(void *arg)
{
	struct run *run = arg;

	return run->body->run(&run->setting);
}

static void on_real_files(void **state)
{
	struct run run = *(struct run *)*state;
	struct rt_options options = { .reactors = 1 };
	char folder[] = "vdisk-XXXXXX";

	assert_non_null(mkdtemp(folder));
	set_path(&run, folder);
	assert_int_equal(rt_run(&options, run_body, &run), 0);
	if (unlink(run.setting.path) != 0)
		assert_int_equal(errno, ENOENT);
	assert_int_equal(rmdir(folder), 0);
}

static int run_in_folder(void *arg)
{
	CHECK_EQUAL(rt_path_make_folder("/pool"), 0);
	return run_body(arg);
}

static void in_simulator(void **state)
{
	struct run run = *(struct run *)*state;
	struct sim_world *world = sim_create(1, NULL);
	enum sim_end end;

	set_path(&run, "/pool");
	end = sim_run(world, run_in_folder, &run, RT_NEVER);
	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void make_runs(void)
{
	for (size_t i = 0; i < BODIES * SETTINGS; i++) {
		struct vdisk_options *options = &runs[i].setting.options;

		runs[i].body = &bodies[i / SETTINGS];
		options->kind = i % POOL_KIND_COUNT;
		options->cache = i / POOL_KIND_COUNT % CACHE_MODE_COUNT;
		options->size = options->kind == POOL_DIR ? DIR_SIZE : ADOPTED_SIZE;
		snprintf(runs[i].name, sizeof(runs[i].name), "%s, %s, %s", runs[i].body->name,
			 pool_kind_names[options->kind], cache_mode_names[options->cache]);
	}
}

int main(void)
{
	static struct CMUnitTest tests[2 * BODIES * SETTINGS];
	static char names[2 * BODIES * SETTINGS][112];

	make_runs();
	for (size_t i = 0; i < BODIES * SETTINGS; i++) {
		snprintf(names[2 * i], sizeof(names[0]), "%s, on real files", runs[i].name);
		snprintf(names[2 * i + 1], sizeof(names[0]), "%s, in the simulator", runs[i].name);
		tests[2 * i] = (struct CMUnitTest){ names[2 * i], on_real_files, NULL, NULL, &runs[i] };
		tests[2 * i + 1] = (struct CMUnitTest){ names[2 * i + 1], in_simulator, NULL, NULL, &runs[i] };
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
