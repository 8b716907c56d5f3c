/* SPDX-License-Identifier: Apache-2.0 */
/* The set of runs against an array of blocks, with random puts; and its sort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "store/journal_runs.h"

#define BLOCKS	4000u

static uint64_t seed;

static uint32_t draw(uint32_t bound)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % bound;
}

/* What a block shows: which put, and which block of it. 0: nothing. */
struct shown {
	uint64_t place;
	uint32_t skip;
};

static void compare(const struct runs *runs, const struct shown *shown)
{
	uint64_t key = 0, count = 0, blocks = 0;
	struct run run;

	while (runs_find(runs, key, &run)) {
		assert_true(run.key >= key);
		for (; key < run.key; key++)
			assert_int_equal(shown[key].place, 0);
		for (; key < run_end(&run); key++) {
			assert_int_equal(shown[key].place, run.place);
			assert_int_equal(shown[key].skip, run_skip(&run) + (uint32_t)(key - run.key));
		}
		count++;
		blocks += run_blocks(&run);
	}
	for (; key < BLOCKS; key++)
		assert_int_equal(shown[key].place, 0);
	assert_int_equal(runs->count, count);
	assert_int_equal(runs->blocks, blocks);
}

static void put(struct runs *runs, struct shown *shown, uint32_t first, uint32_t blocks, uint64_t place)
{
	struct run run = run_make(first, place, 7, place % 5 == 0, 0, blocks);

	assert_int_equal(runs_reserve(runs), 0);
	runs_put(runs, &run);
	for (uint32_t i = 0; i < blocks; i++)
		shown[first + i] = (struct shown){ place, i };
}

static void random_puts_show_what_an_array_shows(void **state)
{
	static const uint32_t longest[] = { 1, 2, 8, 64, 256 };

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		struct shown *shown = mem_alloc_zeroed(BLOCKS * sizeof(*shown));
		struct runs runs = { 0 };
		uint32_t most = longest[round % 5];

		seed = round + 1;
		for (uint64_t n = 1; n <= 6000; n++) {
			uint32_t blocks = 1 + draw(most);
			put(&runs, shown, draw(BLOCKS - blocks + 1), blocks, n);
			if (n % 500 == 0)
				compare(&runs, shown);
		}
		for (uint32_t first = 0; first + 256 <= BLOCKS; first += 256)	/* nearly all again */
			put(&runs, shown, first, 256, 10000 + first);
		compare(&runs, shown);
		runs_clear(&runs);
		assert_int_equal(runs.count, 0);
		mem_free(shown);
	}
}

/* In rising order chunks are full: 24 bytes a run and little more. */
static void rising_puts_waste_nothing(void **state)
{
	struct runs runs = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 17000; i++) {
		struct run run = run_make(2 * i, i, 1, false, 0, 1);
		assert_int_equal(runs_reserve(&runs), 0);
		runs_put(&runs, &run);
	}
	assert_int_equal(runs.chunk_count, 17000 / RUNS_PER_CHUNK);
	runs_clear(&runs);
}

static bool key_before(const struct run *a, const struct run *b)
{
	return a->key < b->key;
}

static void sort_sorts(void **state)
{
	struct run runs[300];

	(void)state;
	for (uint32_t count = 0; count <= 300; count += 1 + count / 7) {
		uint64_t sum = 0;
		for (uint32_t i = 0; i < count; i++) {
			runs[i] = run_make(draw(100), i, 1, false, 0, 1);
			sum += runs[i].key;
		}
		run_sort(runs, count, key_before);
		for (uint32_t i = 0; i < count; i++) {
			assert_true(i == 0 || runs[i - 1].key <= runs[i].key);
			sum -= runs[i].key;
		}
		assert_int_equal(sum, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_puts_show_what_an_array_shows),
		cmocka_unit_test(rising_puts_waste_nothing),
		cmocka_unit_test(sort_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
