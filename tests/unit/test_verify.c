/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison has found is kept with the pair as a row of the metadata, and comes back from there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/verify.h"

static void findings_come_back(void **state)
{
	struct copy_verify_info info = {
		.state = VERIFY_DONE, .began_wall_ns = 17, .ended_wall_ns = 18, .compared_bytes = 1 << 20,
		.differing_blocks = 9, .repaired_blocks = 8, .open_blocks = 1,
	}, back;
	struct record_pair record = { 0 };

	(void)state;
	verify_get_record(&record, &back);
	assert_int_equal(back.state, VERIFY_NEVER);
	for (unsigned count = 0; count <= COPY_VERIFY_RANGES; count++) {
		/* As long as they can be: at the end of the largest volume. */
		for (unsigned i = 0; i < count; i++)
			info.ranges[i] = (struct copy_verify_range){
				(UINT64_C(1) << 50) - (count - i) * 4096, (UINT64_C(1) << 50) - 7,
			};
		info.range_count = count;
		verify_put_record(&info, &record);
		verify_get_record(&record, &back);
		assert_int_equal(back.state, info.state);
		assert_int_equal(back.began_wall_ns, info.began_wall_ns);
		assert_int_equal(back.ended_wall_ns, info.ended_wall_ns);
		assert_int_equal(back.compared_bytes, info.compared_bytes);
		assert_int_equal(back.differing_blocks, info.differing_blocks);
		assert_int_equal(back.repaired_blocks, info.repaired_blocks);
		assert_int_equal(back.open_blocks, info.open_blocks);
		assert_int_equal(back.range_count, count);
		assert_memory_equal(back.ranges, info.ranges, count * sizeof(info.ranges[0]));
	}
	info.state = VERIFY_STOPPED;
	verify_put_record(&info, &record);
	verify_get_record(&record, &back);
	assert_int_equal(back.state, VERIFY_STOPPED);
}

/* A row that an administrator has changed by hand does no harm. */
static void other_texts_are_no_ranges(void **state)
{
	static const char *const texts[] = { "", "x", "1+", "+1", "1 2", "1+2+3", "1+2 x" };
	static const unsigned counts[] = { 0, 0, 0, 0, 0, 1, 1 };
	struct record_pair record = { .verify_ended_wall_ns = 1 };
	struct copy_verify_info info;

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		snprintf(record.verify_ranges, sizeof(record.verify_ranges), "%s", texts[i]);
		verify_get_record(&record, &info);
		assert_int_equal(info.range_count, counts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_come_back),
		cmocka_unit_test(other_texts_are_no_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
