/* SPDX-License-Identifier: Apache-2.0 */
/* Which regions of a volume are in the dirty log: found in order, forgotten without a trace, and it grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "volume/logged.h"

#define REGIONS		(3 * LOGGED_CHUNK_REGIONS + 5)

static void regions_are_found_in_order(void **state)
{
	static const uint64_t added[] = { 0, 3, LOGGED_CHUNK_REGIONS - 1, LOGGED_CHUNK_REGIONS, REGIONS - 1 };
	struct logged logged;
	uint64_t region = 0;

	(void)state;
	assert_int_equal(logged_init(&logged, REGIONS), 0);
	assert_int_equal(logged_next(&logged, 0), UINT64_MAX);
	for (unsigned i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		assert_non_null(logged_add(&logged, added[i]));
	for (unsigned i = 0; i < sizeof(added) / sizeof(added[0]); i++) {
		region = logged_next(&logged, i == 0 ? 0 : region + 1);
		assert_int_equal(region, added[i]);
	}
	assert_int_equal(logged_next(&logged, region + 1), UINT64_MAX);
	logged_destroy(&logged);
}

/* A region that comes again is not durable yet; one that is there stays as it is. */
static void a_region_leaves_without_a_trace(void **state)
{
	struct logged logged;

	(void)state;
	assert_int_equal(logged_init(&logged, REGIONS), 0);
	logged_add(&logged, 7)->durable = true;
	assert_true(logged_add(&logged, 7)->durable);
	assert_false(logged_add(&logged, 8)->durable);
	logged_remove(&logged, 7);
	assert_int_equal(logged_next(&logged, 0), 8);
	assert_false(logged_add(&logged, 7)->durable);
	logged_remove(&logged, 7);
	logged_remove(&logged, 8);
	assert_int_equal(logged_next(&logged, 0), UINT64_MAX);
	assert_null(logged.chunks[0]);
	logged_destroy(&logged);
}

static void it_grows(void **state)
{
	struct logged logged;

	(void)state;
	assert_int_equal(logged_init(&logged, 4), 0);
	assert_non_null(logged_add(&logged, 2));
	assert_int_equal(logged_reserve_growth(&logged, REGIONS), 0);
	assert_int_equal(logged_reserve_growth(&logged, REGIONS), 0);
	assert_int_equal(logged_next(&logged, 3), UINT64_MAX);
	logged_grow(&logged, REGIONS);
	assert_non_null(logged_add(&logged, REGIONS - 1));
	assert_int_equal(logged_next(&logged, 0), 2);
	assert_int_equal(logged_next(&logged, 3), REGIONS - 1);
	logged_destroy(&logged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(regions_are_found_in_order),
		cmocka_unit_test(a_region_leaves_without_a_trace),
		cmocka_unit_test(it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
