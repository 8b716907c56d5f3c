/* SPDX-License-Identifier: Apache-2.0 */
/* When buffered writes leave the reactor for a helper thread: what the kernel says, and how often it is asked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "rt/dirty.h"
#include "rt/rt.h"

#define LIMITS	"nr_dirty_threshold 3000\nnr_dirty_background_threshold 1000\n"

/* Limits of 3000 and 1000: writers are slowed down from 2000 on, so 1500 is high. */
static void test_text(void **state)
{
	(void)state;
	assert_false(dirty_text_is_high("nr_dirty 1500\nnr_writeback 0\n" LIMITS));
	assert_true(dirty_text_is_high("nr_dirty 1501\nnr_writeback 0\n" LIMITS));
	assert_true(dirty_text_is_high("nr_free_pages 7\nnr_dirty 1000\nnr_writeback 501\nnr_x 1\n" LIMITS));
	/* Names that contain the ones meant. */
	assert_false(dirty_text_is_high("nr_dirtied 9999\nnr_writeback_temp 9999\nxnr_dirty 9999\n" LIMITS));
	assert_false(dirty_text_is_high(""));
	assert_false(dirty_text_is_high("nr_dirty 99999\n"));
}

static void test_note(void **state)
{
	struct dirty dirty = { 0 };
	unsigned asked = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * 4096; i++)
		asked += dirty_note(&dirty, 4096, i);
	assert_int_equal(asked, 3);
	/* After "high" also by time: it may be over although little is written. */
	assert_false(dirty_note(&dirty, 1, 10 * RT_SECOND));
	dirty.high = true;
	assert_true(dirty_note(&dirty, 1, 10 * RT_SECOND));
	assert_false(dirty_note(&dirty, 1, 10 * RT_SECOND + 99 * RT_MS));
	assert_true(dirty_note(&dirty, 1, 10 * RT_SECOND + 100 * RT_MS));
}

/* The kernel of this machine answers, and it is not what was there before. */
static void test_ask(void **state)
{
	FILE *vmstat = fopen("/proc/vmstat", "r");
	struct dirty dirty = { .high = true };
	char text[16384];
	size_t len;

	(void)state;
	assert_non_null(vmstat);
	len = fread(text, 1, sizeof(text) - 1, vmstat);
	fclose(vmstat);
	text[len] = '\0';
	dirty_ask(&dirty);
	/* A test machine has little dirty memory. Where it has much, both say so. */
	assert_int_equal(dirty_is_high(&dirty), dirty_text_is_high(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_note),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
