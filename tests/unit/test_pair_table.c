/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs by volume: each is found, none that is not there, also while one is being put down; and as fast with all the
 * pairs that a system can have as with one, since it is done for every frame that comes in. And what is durable of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "copy/pair.h"
#include "rt/mem.h"
#include "sim_check.h"
#include "store/meta.h"

#define VOLUMES_END	0xFF00u		/* LSS FE is the last */
#define ROUNDS		10u
#define CPU_SECONDS_MAX	2		/* a list would take minutes */

static struct copy copy;

static struct pair *add_with(uint16_t volume, enum pair_role role, const char *system)
{
	struct record_pair record = { .volume = volume, .role = role };
	struct history history = { 0 };

	snprintf(record.system, sizeof(record.system), "%s", system);
	return pair_take_up(&copy, &record, &history, NULL);
}

static struct pair *add(uint16_t volume)
{
	return add_with(volume, PAIR_TARGET, "2105.FA120");
}

static int set_up(void **state)
{
	(void)state;
	memset(&copy, 0, sizeof(copy));
	list_init(&copy.pairs);
	return 0;
}

static int tear_down(void **state)
{
	struct pair *pair, *next;

	(void)state;
	list_for_each_safe(pair, next, &copy.pairs, link)
		mem_free(pair);
	pairs_free_table(&copy);
	return 0;
}

static void each_is_found(void **state)
{
	static const uint16_t volumes[] = { 0x0000, 0x0001, 0x00FF, 0x0100, 0x1500, 0x15FF, 0x1600, 0xFE00, 0xFEFF };
	const size_t count = sizeof(volumes) / sizeof(volumes[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_null(pair_first_of(&copy, volumes[i]));
		assert_non_null(add(volumes[i]));
	}
	for (unsigned volume = 0; volume < VOLUMES_END; volume++) {
		const struct pair *pair = pair_first_of(&copy, (uint16_t)volume);
		bool wanted = false;

		for (size_t i = 0; i < count; i++)
			wanted = wanted || volumes[i] == volume;
		assert_int_equal(pair != NULL, wanted);
		assert_true(!pair || pair->record.volume == volume);
	}
	assert_non_null(pair_find_target(&copy, "2105.FA120", 0x1500));
	assert_null(pair_find_target(&copy, "2105.FA121", 0x1500));
}

static void one_that_goes_is_not_found_but_in_the_way(void **state)
{
	struct pair *pair = add(0x1500);

	(void)state;
	assert_true(pair_uses_volume(&copy, 0x1500));
	pair->gone = true;
	assert_null(pair_first_of(&copy, 0x1500));
	assert_true(pair_uses_volume(&copy, 0x1500));
	assert_false(pair_uses_volume(&copy, 0x1501));
}

static void several_of_a_volume_are_found_by_their_other_system(void **state)
{
	struct pair *target = add(0x1500), *source = add_with(0x1500, PAIR_SOURCE, "2105.FC340");
	const struct copy_pair_name one = { .volume = 0x1500, .system = "2105.FC340" }, either = { .volume = 0x1500 };
	const struct copy_pair_name none = { .volume = 0x1500, .system = "2105.FD450" };
	struct fault fault;

	(void)state;
	list_init(&copy.left_pairs);
	assert_ptr_equal(pair_find(&copy, 0x1500, "2105.FA120"), target);
	assert_ptr_equal(pair_find(&copy, 0x1500, "2105.FC340"), source);
	assert_null(pair_find(&copy, 0x1500, "2105.FD450"));
	assert_ptr_equal(pair_find_target(&copy, "2105.FA120", 0x1500), target);
	assert_null(pair_find_target(&copy, "2105.FC340", 0x1500));
	assert_ptr_equal(pair_next_of(pair_first_of(&copy, 0x1500)), source);
	assert_ptr_equal(pair_find_named(&copy, &one, &fault), source);
	assert_null(pair_find_named(&copy, &either, &fault));
	assert_string_equal(fault.message, "volume 1500 has 2 pairs: with 0000 of 2105.FA120, 0000 of 2105.FC340");
	assert_null(pair_find_named(&copy, &none, &fault));
	assert_string_equal(fault.message, "volume 1500 has no pair with system 2105.FD450");
	target->gone = true;
	assert_ptr_equal(pair_first_of(&copy, 0x1500), source);
	assert_ptr_equal(pair_find_named(&copy, &either, &fault), source);
	source->gone = true;
	assert_null(pair_first_of(&copy, 0x1500));
	assert_true(pair_uses_volume(&copy, 0x1500));
}

static void many_are_found_as_fast_as_one(void **state)
{
	clock_t began;

	(void)state;
	for (unsigned volume = 0; volume < VOLUMES_END; volume++)
		assert_non_null(add((uint16_t)volume));
	began = clock();
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned volume = 0; volume < VOLUMES_END; volume++)
			if (!pair_find_target(&copy, "2105.FA120", (uint16_t)volume))
				fail_msg("%04X", volume);
	assert_true(clock() - began < (clock_t)CPU_SECONDS_MAX * CLOCKS_PER_SEC);
}

/* ---- on the disk ---- */

static int count_generation(void *arg, enum meta_kind kind, const void *record)
{
	(void)record;
	*(unsigned *)arg += kind == META_HISTORY;
	return 0;
}

static unsigned saved_generations(struct pair *pair)
{
	unsigned count = 0;

	CHECK_EQUAL(pair_save(pair), 0);
	CHECK_EQUAL(meta_load(copy.config.meta, count_generation, &count), 0);
	return count;
}

static int scenario_shorter_history(void *arg)
{
	const uint8_t generations[3][16] = { { 1 }, { 2 }, { 3 } };
	struct pair *pair;

	CHECK_EQUAL(set_up(arg), 0);
	pair = add(0x1500);
	CHECK_EQUAL(meta_open("/", &copy.config.meta), 0);
	for (unsigned i = 0; i < 3; i++)
		history_begin(&pair->history, generations[i], i, 0);
	CHECK_EQUAL(saved_generations(pair), 3);
	pair->history = (struct history){ 0 };
	history_begin(&pair->history, generations[0], 0, 0);
	CHECK_EQUAL(saved_generations(pair), 1);
	meta_close(copy.config.meta);
	return tear_down(arg);
}

/* The other side's history was adopted: what this one had beyond must not come back with the next start. */
static void a_shorter_history_leaves_nothing_of_the_longer(void **state)
{
	(void)state;
	in_sim(1, scenario_shorter_history, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_that_goes_is_not_found_but_in_the_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(several_of_a_volume_are_found_by_their_other_system, set_up, tear_down),
		cmocka_unit_test(a_shorter_history_leaves_nothing_of_the_longer),
		cmocka_unit_test_setup_teardown(many_are_found_as_fast_as_one, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
