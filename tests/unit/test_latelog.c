/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of late writes: what was put and is not void is there after the death of the process, in order; the loss of
 * power, and whatever is damaged, leaves nothing of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "store/filepool.h"
#include "store/latelog_format.h"

static void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);

	if (sim_run(world, scenario, NULL, 1000 * RT_SECOND) != SIM_DONE)
		fail_msg("%s", sim_failure(world));
	sim_destroy(world);
}

static struct latelog *new_log(void)
{
	struct latelog *log;

	assert_int_equal(latelog_create(NULL, "late", &log), 0);
	return log;
}

static uint32_t put(struct latelog *log, char letter, uint32_t len, uint64_t offset)
{
	static char data[LATELOG_DATA_MAX];
	uint32_t slot;

	memset(data, letter, len);
	assert_int_equal(latelog_put(log, data, len, offset, &slot), 0);
	return slot;
}

/* What is replayed, as "LETTER OFFSET LENGTH;". */
static int note(void *arg, const void *data, uint32_t len, uint64_t offset)
{
	char *text = arg;
	const char *letters = data;

	assert_memory_equal(letters, letters + 1, len - 1);
	snprintf(text + strlen(text), 200 - strlen(text), "%c %llu %u;", letters[0], (unsigned long long)offset, len);
	return 0;
}

static void expect_replay(const char *wanted)
{
	char text[200] = "";

	assert_int_equal(latelog_replay("late", note, text), 0);
	assert_string_equal(text, wanted);
}

/* In the order in which they were put, whatever slots they had; not what is void; once. */
static int main_order(void *arg)
{
	struct latelog *log = new_log();
	uint32_t first = put(log, 'a', 4096, 0), second = put(log, 'b', 1, 7);

	(void)arg;
	put(log, 'c', LATELOG_DATA_MAX, 1 << 20);
	assert_int_equal(latelog_void(log, second), 0);
	assert_int_equal(latelog_void(log, first), 0);
	assert_int_equal(put(log, 'd', 512, 4096), first);
	assert_int_equal(put(log, 'e', 512, 4096), second);
	latelog_close(log);
	expect_replay("c 1048576 16384;d 4096 512;e 4096 512;");
	expect_replay("");
	return 0;
}

/* All slots are taken: an error of one write, until one is void. */
static int main_full(void *arg)
{
	struct latelog *log = new_log();
	uint32_t slot;

	(void)arg;
	for (unsigned i = 0; i < LATELOG_SLOTS; i++)
		assert_int_equal(put(log, 'x', 512, i * 512u), i);
	assert_int_equal(latelog_put(log, "y", 1, 0, &slot), -ENOBUFS);
	assert_int_equal(latelog_void(log, 17), 0);
	assert_int_equal(put(log, 'y', 1, 0), 17);
	latelog_close(log);
	return 0;
}

/* One byte is another: of an entry, that one is as if it were never put; of the header, or cut short, all are. */
static int main_damage(void *arg)
{
	const uint64_t second = LATELOG_HEADER_SIZE + LATELOG_SLOT_SIZE;
	const struct { uint64_t at; const char *left; } cases[] = {
		{ 0, "" }, { LATELOG_BOOT_AT, "" }, { LATELOG_HEADER_SIZE - 1, "" },
		{ LATELOG_HEADER_SIZE + LATELOG_MAGIC_AT, "b 512 512;" },
		{ LATELOG_HEADER_SIZE + LATELOG_ENTRY_DATA_AT + 511, "b 512 512;" },
		{ second + LATELOG_CRC_AT, "a 0 512;" }, { second + LATELOG_ENTRY_LEN_AT, "a 0 512;" },
		{ second + LATELOG_ENTRY_LEN_AT + 3, "a 0 512;" }, { second + LATELOG_ENTRY_OFFSET_AT, "a 0 512;" },
	};

	(void)arg;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct latelog *log = new_log();
		struct rt_file *file;
		uint8_t byte;

		put(log, 'a', 512, 0);
		put(log, 'b', 512, 512);
		latelog_close(log);
		assert_int_equal(rt_file_open("late", RT_FILE_WRITE, &file), 0);
		assert_int_equal(rt_file_read(file, &byte, 1, cases[i].at), 1);
		byte ^= 0x40;
		assert_int_equal(rt_file_write(file, &byte, 1, cases[i].at), 0);
		rt_file_close(file);
		expect_replay(cases[i].left);
	}
	return 0;
}

/* The bytes, as docs/disk-format.md says. */
static int main_golden(void *arg)
{
	static const uint8_t entry[] = {
		0x58, 0x44, 0x4c, 0x45, 0xe2, 0xfe, 0x45, 0xe7, 3, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x10, 0, 0, 0, 0, 0, 0, 'a', 'a', 'a',
	};
	static const uint8_t header[] = { 0x58, 0x44, 0x4c, 0x4c };
	struct latelog *log = new_log();
	uint8_t found[sizeof(entry)];

	(void)arg;
	put(log, 'a', 3, 4096);
	latelog_close(log);
	assert_int_equal(sim_peek(sim_outside(sim_world()), "late", found, sizeof(found), 4096), 0);
	assert_memory_equal(found, entry, sizeof(entry));
	assert_int_equal(sim_peek(sim_outside(sim_world()), "late", found, sizeof(header), 0), 0);
	assert_memory_equal(found, header, sizeof(header));
	return 0;
}

/* All places of the pool are taken by writes, as they are while hosts write: a log is made nevertheless, and read. */
static int main_busy(void *arg)
{
	struct filepool *files = filepool_make(1);
	struct latelog *busy, *log;
	uint32_t slot;

	(void)arg;
	assert_int_equal(latelog_create(files, "busy", &busy), 0);
	assert_int_equal(put(busy, 'a', 512, 0), 0);
	{
		RT_LIMIT(rt_now_ns() + RT_SECOND);

		assert_int_equal(latelog_create(files, "late", &log), 0);
	}
	assert_int_equal(latelog_put(log, "b", 1, 0, &slot), -ENOBUFS);
	assert_int_equal(latelog_void(busy, 0), 0);
	put(log, 'b', 512, 0);
	latelog_close(busy);
	latelog_close(log);
	filepool_free(files);
	expect_replay("b 0 512;");
	return 0;
}

#define TEST(name) \
	static void name(void **state) \
	{ \
		(void)state; \
		run(main_##name); \
	}
TEST(order)
TEST(full)
TEST(damage)
TEST(golden)
TEST(busy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order), cmocka_unit_test(full), cmocka_unit_test(damage), cmocka_unit_test(golden),
		cmocka_unit_test(busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
