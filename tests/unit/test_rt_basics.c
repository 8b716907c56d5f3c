/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of rt that stand alone: crc32c, bytes, memory, log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/hooks.h"
#include "rt/log.h"
#include "rt/mem.h"

/* Both implementations give the values of RFC 3720 appendix B.4, for any split and any alignment. */
static void test_crc32c_golden(void **state)
{
	static const struct {
		uint8_t first, step;
		uint32_t crc;
	} cases[] = {
		{ 0x00, 0, 0x8a9136aa }, { 0xff, 0, 0x62a8ab43 }, { 0x00, 1, 0x46dd794e }, { 0x1f, 0xff, 0x113fdb5c },
	};

	(void)state;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, "", 0), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t bytes[32];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)(cases[i].first + k * cases[i].step);
		assert_int_equal(crc32c(0, bytes, sizeof(bytes)), cases[i].crc);
		assert_int_equal(crc32c_portable(0, bytes, sizeof(bytes)), cases[i].crc);
		for (size_t split = 0; split <= sizeof(bytes); split++) {
			uint32_t first = crc32c(0, bytes, split), first_portable = crc32c_portable(0, bytes, split);

			assert_int_equal(crc32c(first, bytes + split, sizeof(bytes) - split), cases[i].crc);
			assert_int_equal(crc32c_portable(first_portable, bytes + split, sizeof(bytes) - split),
				cases[i].crc);
		}
	}
}

/* Processor and tables agree on long buffers of every length and alignment near eight, and of several blocks. */
static void test_crc32c_agree(void **state)
{
	uint8_t bytes[3 * 4096 + 16];
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(random >> 24);
	}
	for (size_t start = 0; start < 8; start++) {
		for (size_t len = 4088; len <= 4096; len++)
			assert_int_equal(crc32c(7, bytes + start, len), crc32c_portable(7, bytes + start, len));
		for (size_t len = 1000; len <= sizeof(bytes) - start; len += 123)
			assert_int_equal(crc32c(7, bytes + start, len), crc32c_portable(7, bytes + start, len));
	}
}

static void test_bytes_golden(void **state)
{
	uint8_t to[9] = { 0 };

	(void)state;
	put_le16(to + 1, 0x0102);
	assert_memory_equal(to + 1, "\x02\x01", 2);
	put_be16(to + 1, 0x0102);
	assert_memory_equal(to + 1, "\x01\x02", 2);
	put_le32(to + 1, 0x01020304);
	assert_memory_equal(to + 1, "\x04\x03\x02\x01", 4);
	assert_int_equal(get_be32(to + 1), 0x04030201);
	put_be32(to + 1, 0x01020304);
	assert_memory_equal(to + 1, "\x01\x02\x03\x04", 4);
	put_le64(to + 1, UINT64_C(0x0102030405060708));
	assert_memory_equal(to + 1, "\x08\x07\x06\x05\x04\x03\x02\x01", 8);
	assert_true(get_be64(to + 1) == UINT64_C(0x0807060504030201));
	put_be64(to + 1, UINT64_C(0x0102030405060708));
	assert_true(get_be64(to + 1) == UINT64_C(0x0102030405060708));
	assert_int_equal(get_le16(to + 1), 0x0201);
}

static void test_mem_real(void **state)
{
	char *bytes = mem_alloc_zeroed(100), *pages = mem_alloc_pages(5000), *grown;
	MEM_OWNED char *text = mem_copy_string("a volume");

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(bytes[i], 0);
	bytes[99] = 'x';
	grown = mem_resize(bytes, 10000);
	assert_non_null(grown);
	assert_int_equal(grown[99], 'x');
	mem_free(grown);
	assert_non_null(pages);
	assert_int_equal((uintptr_t)pages % 4096, 0);
	mem_free(pages);
	mem_free(NULL);
	assert_string_equal(text, "a volume");
	assert_null(mem_alloc_pages(SIZE_MAX - 100));
}

static unsigned allocs_left;

static void *failing_alloc(size_t len, size_t align, bool zeroed)
{
	(void)align;
	(void)zeroed;
	if (allocs_left == 0)
		return NULL;
	allocs_left--;
	return test_malloc(len);
}

static void *failing_resize(void *ptr, size_t len)
{
	(void)ptr;
	(void)len;
	return NULL;
}

static void hook_free(void *ptr)
{
	test_free(ptr);
}

/* Every function of mem.h goes through the hook, and answers NULL when the hook does. */
static void test_mem_hook(void **state)
{
	static const struct mem_ops ops = { .alloc = failing_alloc, .resize = failing_resize, .free = hook_free };
	char *first;

	(void)state;
	mem_set_ops(&ops);
	allocs_left = 1;
	first = mem_copy_string("kept");
	assert_non_null(first);
	assert_null(mem_alloc(1));
	assert_null(mem_alloc_zeroed(1));
	assert_null(mem_alloc_pages(1));
	assert_null(mem_copy_string(""));
	assert_null(mem_resize(NULL, 1));
	assert_null(mem_resize(first, 100));
	assert_string_equal(first, "kept");
	mem_free(first);
	mem_set_ops(NULL);
}

static char last_line[2048];
static unsigned line_count;

static void keep_line(enum log_level level, const char *line)
{
	(void)level;
	snprintf(last_line, sizeof(last_line), "%s", line);
	line_count++;
}

/* A line names level and module, stays one line whatever is in it, and is bounded. */
static void test_log_line(void **state)
{
	char big[4000];

	(void)state;
	log_set_sink(keep_line);
	log_line(LOG_WARNING, "nbd", "client %s left after %d requests", "a\nERROR b", 3);
	assert_string_equal(last_line, "WARNING nbd: client a?ERROR b left after 3 requests");
	log_line(LOG_DEBUG, "nbd", "not shown");
	assert_int_equal(line_count, 1);
	log_set_level(LOG_DEBUG);
	log_line(LOG_DEBUG, "nbd", "shown");
	assert_string_equal(last_line, "DEBUG nbd: shown");
	log_set_level(LOG_NOTICE);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_line(LOG_ERROR, "nbd", "%s", big);
	assert_int_equal(strlen(last_line), 1022);
	assert_int_equal(line_count, 3);
	log_set_sink(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c_golden),
		cmocka_unit_test(test_crc32c_agree),
		cmocka_unit_test(test_bytes_golden),
		cmocka_unit_test(test_mem_real),
		cmocka_unit_test(test_mem_hook),
		cmocka_unit_test(test_log_line),
	};

	return cmocka_run_group_tests_name("rt_basics", tests, NULL, NULL);
}
