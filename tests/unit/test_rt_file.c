/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the real backend: every function of file.h on a real file system, by several fibers on two reactors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/run.h"
#include "rt_check.h"

static char folder[] = "rt-file-XXXXXX";

/* A name in the test's folder, good until the fourth next call. */
static const char *in_folder(const char *name)
{
	static char paths[4][64];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void fill(uint8_t *buf, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)((seed + i) * 2654435761u >> 13);
}

static struct rt_file *open_file(const char *name, unsigned flags)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(in_folder(name), flags, &file), 0);
	return file;
}

/* Writes and reads back pieces at odd places, across the end, and in a hole. */
static int main_buffered(void *arg)
{
	struct rt_file *file = open_file("buffered", RT_FILE_WRITE | RT_FILE_CREATE);
	uint8_t *written = mem_alloc(300000), *read = mem_alloc(300000);
	struct rt_file_info info;

	(void)arg;
	fill(written, 300000, 1);
	CHECK_EQUAL(rt_file_read(file, read, 10, 0), 0);
	CHECK_EQUAL(rt_file_write(file, written, 300000, 77), 0);
	CHECK_EQUAL(rt_file_read(file, read, 300000, 77), 300000);
	CHECK(memcmp(read, written, 300000) == 0);
	CHECK_EQUAL(rt_file_read(file, read, 300000, 200077), 100000);
	CHECK(memcmp(read, written + 200000, 100000) == 0);
	CHECK_EQUAL(rt_file_read(file, read, 77, 0), 77);
	for (int i = 0; i < 77; i++)
		CHECK_EQUAL(read[i], 0);
	CHECK_EQUAL(rt_file_read(file, read, 1, 300077), 0);
	CHECK_EQUAL(rt_file_write(file, written, 0, 0), 0);
	rt_file_start_writeout(file, 0, 300077);
	CHECK_EQUAL(rt_file_sync(file), 0);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK_EQUAL(info.size, 300077);
	CHECK(info.allocated >= 300000 && !info.is_device && !info.is_folder);
	rt_file_close(file);
	rt_file_close(NULL);
	mem_free(written);
	mem_free(read);
	return 0;
}

static void drop_cache(const char *path)
{
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	CHECK_EQUAL(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(fd);
}

/* The page cache is dropped, so that reads cannot be served inline and must go through the ring. */
static int main_uncached(void *arg)
{
	struct rt_file *file = open_file("buffered", 0), *direct = open_file("buffered", RT_FILE_DIRECT);
	uint8_t *expected = mem_alloc(300000), *read = mem_alloc_pages(303104);

	(void)arg;
	fill(expected, 300000, 1);
	/* O_DIRECT reads see the file, and end where it ends. */
	CHECK_EQUAL(rt_file_read(direct, read, 303104, 0), 300077);
	CHECK(memcmp(read + 77, expected, 300000) == 0);
	memset(read, 0, 303104);
	CHECK_EQUAL(rt_file_sync(direct), 0);
	drop_cache(in_folder("buffered"));
	CHECK_EQUAL(rt_file_read(file, read, 303104, 0), 300077);
	CHECK(memcmp(read + 77, expected, 300000) == 0);
	rt_file_close(file);
	rt_file_close(direct);
	mem_free(expected);
	mem_free(read);
	return 0;
}

struct direct_task {
	struct rt_file *file;
	unsigned index;
};

static void write_direct(void *arg)
{
	struct direct_task *task = arg;
	uint8_t *page = mem_alloc_pages(4096);

	fill(page, 4096, task->index);
	CHECK_EQUAL(rt_file_write(task->file, page, 4096, (uint64_t)task->index * 4096), 0);
	memset(page, 0, 4096);
	CHECK_EQUAL(rt_file_read(task->file, page, 4096, (uint64_t)task->index * 4096), 4096);
	mem_free(page);
}

/* More operations at once than the ring has room for; each block ends up where it belongs. */
static int main_direct(void *arg)
{
	enum { COUNT = 1500 };
	struct direct_task *tasks = mem_alloc(COUNT * sizeof(*tasks));
	struct rt_file *file = open_file("direct", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_DIRECT | RT_FILE_DSYNC);
	uint8_t *page = mem_alloc_pages(4096), *expected = mem_alloc(4096);
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	CHECK_EQUAL(rt_file_allocate(file, 0, COUNT * 4096), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		tasks[i] = (struct direct_task){ .file = file, .index = i };
		CHECK_EQUAL(rt_group_start(&group, "writer", write_direct, &tasks[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(expected, 4096, i);
		CHECK_EQUAL(rt_file_read(file, page, 4096, (uint64_t)i * 4096), 4096);
		CHECK(memcmp(page, expected, 4096) == 0);
	}
	rt_file_close(file);
	mem_free(tasks);
	mem_free(page);
	mem_free(expected);
	return 0;
}

static int main_flags(void *arg)
{
	struct rt_file *first = open_file("flags", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW | RT_FILE_LOCK);
	struct rt_file *second;
	struct stat info;

	(void)arg;
	CHECK(stat(in_folder("flags"), &info) == 0);
	CHECK_EQUAL(info.st_mode & 07777, 0600);
	CHECK_EQUAL(rt_file_open(in_folder("flags"), RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &second), -EEXIST);
	CHECK_EQUAL(rt_file_open(in_folder("flags"), RT_FILE_LOCK, &second), -EBUSY);
	CHECK_EQUAL(rt_file_open(in_folder("none"), 0, &second), -ENOENT);
	CHECK_EQUAL(rt_file_open(in_folder("flags"), 0, &second), 0);	/* without LOCK nobody is asked */
	rt_file_close(second);
	rt_file_close(first);
	second = open_file("flags", RT_FILE_LOCK);
	rt_file_close(second);
	/* Nobody waits for the other end. */
	CHECK_EQUAL(mkfifo(in_folder("fifo"), 0600), 0);
	CHECK_EQUAL(rt_file_open(in_folder("fifo"), 0, &second), -EINVAL);
	CHECK_EQUAL(rt_file_open(in_folder("fifo"), RT_FILE_WRITE | RT_FILE_LOCK, &second), -EINVAL);
	return 0;
}

static int main_space(void *arg)
{
	struct rt_file *file = open_file("space", RT_FILE_WRITE | RT_FILE_CREATE);
	uint8_t *bytes = mem_alloc_zeroed(1 << 20);
	struct rt_file_info info;
	uint64_t end, total, available;
	bool data;

	(void)arg;
	CHECK_EQUAL(rt_file_set_size(file, 4 << 20), 0);
	CHECK_EQUAL(rt_file_get_run(file, 12345, &data, &end), 0);
	CHECK(!data);
	CHECK_EQUAL(end, 4 << 20);
	fill(bytes, 1 << 20, 5);
	CHECK_EQUAL(rt_file_write(file, bytes, 1 << 20, 1 << 20), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	CHECK_EQUAL(rt_file_get_run(file, 0, &data, &end), 0);
	CHECK(!data);
	CHECK_EQUAL(end, 1 << 20);
	CHECK_EQUAL(rt_file_get_run(file, 1 << 20, &data, &end), 0);
	CHECK(data);
	CHECK_EQUAL(end, 2 << 20);
	CHECK_EQUAL(rt_file_punch(file, 1 << 20, 1 << 20), 0);
	CHECK_EQUAL(rt_file_read(file, bytes, 1 << 20, 1 << 20), 1 << 20);
	for (int i = 0; i < 1 << 20; i++)
		CHECK(bytes[i] == 0);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK_EQUAL(info.size, 4 << 20);
	CHECK(info.allocated < 1 << 20);
	CHECK_EQUAL(rt_file_allocate(file, 4 << 20, 1 << 20), 0);
	CHECK_EQUAL(rt_file_get_info(file, &info), 0);
	CHECK_EQUAL(info.size, 5 << 20);
	CHECK(info.allocated >= 1 << 20);
	CHECK_EQUAL(rt_file_get_run(file, 5 << 20, &data, &end), -EINVAL);
	rt_file_close(file);
	CHECK_EQUAL(rt_path_space(folder, &total, &available), 0);
	CHECK(total >= available && total > 0);
	mem_free(bytes);
	return 0;
}

static int append_name(void *arg, const char *name)
{
	size_t used = strlen(arg);

	snprintf((char *)arg + used, 256 - used, "%s ", name);
	return strcmp(name, "b") == 0 ? 17 : 0;
}

static int main_names(void *arg)
{
	char names[256] = "", path[128];
	struct rt_file_info info;
	struct rt_file *file;

	(void)arg;
	CHECK_EQUAL(rt_path_make_folder(in_folder("names")), 0);
	CHECK_EQUAL(rt_path_make_folder(in_folder("names")), -EEXIST);
	for (const char *name = "dca"; *name != '\0'; name++) {
		snprintf(path, sizeof(path), "%s/names/%c", folder, *name);
		CHECK_EQUAL(rt_file_open(path, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
		rt_file_close(file);
	}
	CHECK_EQUAL(rt_path_list(in_folder("names"), append_name, names), 0);
	CHECK(strcmp(names, "a c d ") == 0);
	CHECK_EQUAL(rt_path_rename(in_folder("names/d"), in_folder("names/b")), 0);
	names[0] = '\0';
	CHECK_EQUAL(rt_path_list(in_folder("names"), append_name, names), 17);
	CHECK(strcmp(names, "a b ") == 0);
	CHECK_EQUAL(rt_path_sync_folder(in_folder("names")), 0);
	CHECK_EQUAL(rt_path_info(in_folder("names"), &info), 0);
	CHECK(info.is_folder && !info.is_device);
	CHECK_EQUAL(rt_path_info(in_folder("names/d"), &info), -ENOENT);
	for (const char *name = "abc"; *name != '\0'; name++) {
		snprintf(path, sizeof(path), "%s/names/%c", folder, *name);
		CHECK_EQUAL(rt_path_unlink(path), 0);
	}
	CHECK_EQUAL(rt_path_unlink(in_folder("names/a")), -ENOENT);
	CHECK_EQUAL(rt_path_list(in_folder("absent"), append_name, names), -ENOENT);
	return 0;
}

/* A file that may not grow: the error is that of the call that wrote nothing more. */
static int main_full(void *arg)
{
	struct rt_file *file = open_file("full", RT_FILE_WRITE | RT_FILE_CREATE),
		       *direct = open_file("full", RT_FILE_WRITE | RT_FILE_DIRECT);
	uint8_t *bytes = mem_alloc_pages(16384);

	(void)arg;
	memset(bytes, 7, 16384);
	CHECK_EQUAL(rt_file_write(file, bytes, 8192, 0), 0);
	CHECK_EQUAL(rt_file_write(file, bytes, 16384, 0), -EFBIG);
	CHECK_EQUAL(rt_file_write(direct, bytes, 8192, 0), 0);
	CHECK_EQUAL(rt_file_write(direct, bytes, 8192, 1 << 20), -EFBIG);
	CHECK_EQUAL(rt_file_read(file, bytes, 16384, 0), 12288);
	rt_file_close(direct);
	rt_file_close(file);
	CHECK_EQUAL(rt_file_open("/dev/full", RT_FILE_WRITE, &file), 0);
	CHECK_EQUAL(rt_file_write(file, bytes, 4096, 0), -ENOSPC);
	rt_file_close(file);
	mem_free(bytes);
	return 0;
}

/* Nothing is begun past the limit or after the cancellation, and a close closes all the same. */
static int main_limited(void *arg)
{
	struct rt_file *file = open_file("limited", RT_FILE_WRITE | RT_FILE_CREATE), *second;
	struct rt_file_info info;
	uint8_t byte = 1;

	(void)arg;
	{
		RT_LIMIT(rt_now_ns());

		CHECK_EQUAL(rt_file_write(file, &byte, 1, 0), -ETIMEDOUT);
		CHECK_EQUAL(rt_file_sync(file), -ETIMEDOUT);
		CHECK_EQUAL(rt_file_open(in_folder("limited"), 0, &second), -ETIMEDOUT);
		rt_file_close(file);
	}
	CHECK_EQUAL(rt_path_info(in_folder("limited"), &info), 0);
	CHECK_EQUAL(info.size, 0);
	return 0;
}

/* Writes to one file that helper threads make, as those that are to be durable, stand in line for it. */
#define LINE_WRITES	40u
#define LINE_BYTES	4096u

struct line {
	struct rt_file *file;
	uint8_t *bytes;
	unsigned next, written, cancelled;
};

static void write_in_line(void *arg)
{
	struct line *line = arg;
	unsigned mine = line->next++;
	int rc = rt_file_write(line->file, line->bytes + mine, LINE_BYTES, (uint64_t)mine * LINE_BYTES);

	CHECK(rc == 0 || rc == -ECANCELED);
	line->written += rc == 0;
	line->cancelled += rc == -ECANCELED;
}

static void start_line(struct rt_group *group, struct line *line)
{
	line->next = line->written = line->cancelled = 0;
	for (unsigned i = 0; i < LINE_WRITES; i++)
		CHECK_EQUAL(rt_group_start(group, "line", write_in_line, line), 0);
	rt_yield();
	CHECK_EQUAL(line->next, LINE_WRITES);
}

/* All arrive; those that are given up leave the line, wherever they stand, and the next are not kept waiting. */
static int main_line(void *arg)
{
	struct line line = {
		.file = open_file("line", RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_DSYNC),
		.bytes = mem_alloc(LINE_BYTES + LINE_WRITES),
	};
	uint8_t *read = mem_alloc(LINE_BYTES);
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	fill(line.bytes, LINE_BYTES + LINE_WRITES, 3);
	for (unsigned round = 0; round < 6; round++) {
		start_line(&group, &line);
		if (round % 2)
			rt_group_stop(&group);
		CHECK_EQUAL(rt_group_wait(&group), 0);
		CHECK_EQUAL(line.written + line.cancelled, LINE_WRITES);
		CHECK(round % 2 || line.cancelled == 0);
	}
	start_line(&group, &line);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < LINE_WRITES; i++) {
		CHECK_EQUAL(rt_file_read(line.file, read, LINE_BYTES, (uint64_t)i * LINE_BYTES), LINE_BYTES);
		CHECK(memcmp(read, line.bytes + i, LINE_BYTES) == 0);
	}
	rt_file_close(line.file);
	mem_free(read);
	mem_free(line.bytes);
	return 0;
}

static int write_there(void *arg)
{
	uint8_t byte = 42;

	return rt_file_write(arg, &byte, 1, 9);
}

/* A file may be used from any reactor. */
static int main_elsewhere(void *arg)
{
	struct rt_file *file = open_file("elsewhere", RT_FILE_WRITE | RT_FILE_CREATE);
	uint8_t byte = 0;

	(void)arg;
	CHECK_EQUAL(rt_call(rt_reactor(1), write_there, file), 0);
	CHECK_EQUAL(rt_file_read(file, &byte, 1, 9), 1);
	CHECK_EQUAL(byte, 42);
	rt_file_close(file);
	return 0;
}

static void run(int (*main_fn)(void *arg))
{
	struct rt_options options = { .reactors = 2 };

	assert_int_equal(rt_run(&options, main_fn, NULL), 0);
}

static void test_buffered(void **state)
{
	(void)state;
	run(main_buffered);
	run(main_uncached);
}

static void test_direct(void **state)
{
	(void)state;
	run(main_direct);
}

static void test_flags(void **state)
{
	(void)state;
	run(main_flags);
}

static void test_space(void **state)
{
	(void)state;
	run(main_space);
}

static void test_names(void **state)
{
	(void)state;
	run(main_names);
}

static void test_full(void **state)
{
	struct rlimit before, small;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 12288;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	run(main_full);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void test_limited(void **state)
{
	(void)state;
	run(main_limited);
}

static void test_line(void **state)
{
	(void)state;
	run(main_line);
}

static void test_elsewhere(void **state)
{
	(void)state;
	run(main_elsewhere);
}

static int make_test_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_one(void *arg, const char *name)
{
	char path[128];

	(void)arg;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return remove(path);
}

static int main_remove(void *arg)
{
	(void)arg;
	return rt_path_list(folder, remove_one, NULL);
}

static int remove_test_folder(void **state)
{
	struct rt_options options = { .reactors = 1 };

	(void)state;
	return rt_run(&options, main_remove, NULL) != 0 || remove(folder) != 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffered),
		cmocka_unit_test(test_direct),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_space),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_limited),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_elsewhere),
	};

	return cmocka_run_group_tests_name("rt_file", tests, make_test_folder, remove_test_folder);
}
