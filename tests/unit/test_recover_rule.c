/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recovery rule over its whole table: up to three legs, every committed and prepared number up to three, every set
 * of reached legs. The expectation is written the other way round than the code: from what each leg can show.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "copy/recover_rule.h"

#define NUMBERS	4u

/* Can this leg show CG n? What is committed stays; what is prepared can still be committed. */
static bool can_show(const struct recover_leg *leg, uint64_t n)
{
	return leg->committed == n || leg->prepared == n;
}

static void expect(const struct recover_leg *legs, unsigned count, bool force)
{
	struct recover_decision got = recover_decide(legs, count, force);
	uint64_t highest = 0;
	unsigned reached = 0, prepared_with[NUMBERS] = { 0 }, i;

	for (i = 0; i < count; i++) {
		if (!legs[i].reached)
			continue;
		reached++;
		prepared_with[legs[i].prepared]++;
		if (legs[i].committed > highest)
			highest = legs[i].committed;
	}
	for (uint64_t n = NUMBERS - 1; n > highest; n--) {
		if (reached == 0 || prepared_with[n] != reached)
			continue;
		assert_int_equal(got.number, n);
		assert_int_equal(got.verdict, reached == count || force ? RECOVER_TO : RECOVER_UNCERTAIN);
		return;
	}
	if (!highest) {
		assert_int_equal(got.verdict, RECOVER_NO_GROUP);
		return;
	}
	assert_int_equal(got.number, highest);
	for (i = 0; i < count; i++) {
		if (legs[i].reached && !can_show(&legs[i], highest)) {
			assert_int_equal(got.verdict, RECOVER_BROKEN);
			assert_int_equal(got.culprit, i);
			return;
		}
	}
	assert_int_equal(got.verdict, RECOVER_TO);
}

static void test_whole_table(void **state)
{
	unsigned cases = 0;

	(void)state;
	for (unsigned count = 1; count <= 3; count++) {
		unsigned total = 1;

		for (unsigned i = 0; i < count; i++)
			total *= NUMBERS * NUMBERS * 2;
		for (unsigned code = 0; code < total; code++) {
			struct recover_leg legs[3];
			unsigned rest = code;

			for (unsigned i = 0; i < count; i++) {
				legs[i] = (struct recover_leg){
					.reached = rest & 1,
					.committed = (rest >> 1) % NUMBERS,
					.prepared = (rest >> 3) % NUMBERS,
				};
				rest >>= 5;
			}
			expect(legs, count, false);
			expect(legs, count, true);
			cases++;
		}
	}
	assert_int_equal(cases, 32 + 32 * 32 + 32 * 32 * 32);
}

/* A leg that joined with CG 5 has nothing to say about CG 4, and does not hinder it. */
static void test_later_leg_has_no_say(void **state)
{
	const struct recover_leg legs[] = {
		{ .reached = true, .committed = 4, .prepared = 0 },
		{ .reached = true, .first = 5 },
		{ .reached = false, .first = 5 },
	};
	struct recover_decision got = recover_decide(legs, 3, false);

	(void)state;
	assert_int_equal(got.verdict, RECOVER_TO);
	assert_int_equal(got.number, 4);
}

/* But the CG it joins with needs it. */
static void test_later_leg_is_needed_for_its_first(void **state)
{
	struct recover_leg legs[] = {
		{ .reached = true, .committed = 4, .prepared = 5 },
		{ .reached = true, .first = 5 },
	};

	(void)state;
	assert_int_equal(recover_decide(legs, 2, false).number, 4);
	legs[1].prepared = 5;
	assert_int_equal(recover_decide(legs, 2, false).number, 5);
	legs[1].reached = false;
	assert_int_equal(recover_decide(legs, 2, false).verdict, RECOVER_UNCERTAIN);
}

/* An older CG: every leg that takes part in it goes there, or none does. The whole table of three legs. */
static void test_older_needs_all(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 1u << 10; code++) {
		struct recover_leg legs[3];
		unsigned reached = 0, missing = 0, lacking = 0, rest = code >> 1;
		bool force = code & 1;
		struct recover_decision got;

		for (unsigned i = 0; i < 3; i++, rest >>= 3) {
			bool takes_part = rest >> 2 & 1;

			legs[i] = (struct recover_leg){
				.reached = rest & 1, .keeps = rest >> 1 & 1, .first = takes_part ? 3 : 8,
				.committed = 9,
			};
			reached += takes_part && legs[i].reached;
			missing += takes_part && !legs[i].reached;
			lacking += takes_part && legs[i].reached && !legs[i].keeps;
		}
		got = recover_decide_at(legs, 3, 5, force);
		assert_int_equal(got.number, 5);
		if (lacking)
			assert_true(got.verdict == RECOVER_NOT_KEPT && legs[got.culprit].reached &&
				    !legs[got.culprit].keeps && legs[got.culprit].first <= 5);
		else if (!reached)
			assert_int_equal(got.verdict, RECOVER_NO_GROUP);
		else
			assert_int_equal(got.verdict, missing && !force ? RECOVER_UNCERTAIN : RECOVER_TO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_table),
		cmocka_unit_test(test_later_leg_has_no_say),
		cmocka_unit_test(test_later_leg_is_needed_for_its_first),
		cmocka_unit_test(test_older_needs_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
