/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is newer: every pair of histories that up to four generations can make, against what the sets of generations say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "copy/history.h"

#define GENERATIONS	4u
#define LONGEST		3u

/* History number `code`: digits to base 5, oldest first, 0 ends it. False if a generation is in it twice. */
static bool make(unsigned code, struct history *history, unsigned *members)
{
	uint8_t id[16] = { 0 };

	memset(history, 0, sizeof(*history));
	*members = 0;
	for (unsigned i = 0; i < LONGEST && code % (GENERATIONS + 1); i++) {
		unsigned digit = code % (GENERATIONS + 1);

		if (*members & (1u << digit))
			return false;
		*members |= 1u << digit;
		id[0] = (uint8_t)digit;
		history_begin(history, id, digit, 0);
		code /= GENERATIONS + 1;
	}
	return true;
}

static void test_whole_table(void **state)
{
	unsigned total = 125, seen[HISTORY_VERDICT_COUNT] = { 0 };

	(void)state;
	for (unsigned i = 0; i < total; i++) {
		for (unsigned j = 0; j < total; j++) {
			struct history mine, other;
			unsigned mine_members, other_members, mine_head, other_head;
			enum history_verdict got;

			if (!make(i, &mine, &mine_members) || !make(j, &other, &other_members))
				continue;
			got = history_compare(&mine, &other);
			seen[got]++;
			mine_head = mine.entries[0].generation[0];
			other_head = other.entries[0].generation[0];
			if (!(mine_members & other_members)) {
				assert_int_equal(got, HISTORY_UNRELATED);
			} else if (mine_head == other_head) {
				assert_int_equal(got, HISTORY_SAME);
			} else {
				bool mine_known = other_members & (1u << mine_head);
				bool other_known = mine_members & (1u << other_head);

				assert_int_equal(got, mine_known == other_known ? HISTORY_BOTH_WRITTEN :
						 mine_known ? HISTORY_OTHER_NEWER : HISTORY_MINE_NEWER);
			}
			/* Seen from the other side it is the same decision. */
			assert_int_equal(history_compare(&other, &mine),
					 got == HISTORY_MINE_NEWER ? HISTORY_OTHER_NEWER :
					 got == HISTORY_OTHER_NEWER ? HISTORY_MINE_NEWER : got);
		}
	}
	for (unsigned v = 0; v < HISTORY_VERDICT_COUNT; v++)
		assert_true(seen[v] > 0);
}

static void test_oldest_is_dropped_when_full(void **state)
{
	struct history history = { 0 };
	uint8_t id[16] = { 0 };

	(void)state;
	for (unsigned i = 1; i <= HISTORY_MAX + 2; i++) {
		id[0] = (uint8_t)i;
		history_begin(&history, id, i, i);
	}
	assert_int_equal(history.count, HISTORY_MAX);
	assert_int_equal(history.entries[0].sequence, HISTORY_MAX + 2);
	assert_int_equal(history.entries[HISTORY_MAX - 1].sequence, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_table),
		cmocka_unit_test(test_oldest_is_dropped_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
