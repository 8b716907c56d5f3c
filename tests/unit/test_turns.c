/* SPDX-License-Identifier: Apache-2.0 */
/* A function and its thread by turns: each goes on where it was, and one stack serves many. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rt/turns.h"

#define PIECES	1000u

struct made {
	struct turns *turns;
	unsigned count;
};

static void make_pieces(void *arg)
{
	struct made *made = arg;

	for (unsigned i = 0; i < PIECES; i++) {
		made->count++;
		turns_give_way(made->turns);
	}
	made->count++;
}

static void take_pieces(struct turns *turns)
{
	struct made made = { turns, 0 };
	unsigned taken = 0;

	turns_begin(turns, make_pieces, &made);
	while (turns_go_on(turns))
		assert_int_equal(++taken, made.count);
	assert_int_equal(PIECES + 1, made.count);
}

static void one_stack_serves_one_function_after_the_other(void **state)
{
	struct turns *turns = turns_create();

	(void)state;
	assert_non_null(turns);
	for (unsigned i = 0; i < 3; i++)
		take_pieces(turns);
	turns_destroy(turns);
}

static void *take_elsewhere(void *arg)
{
	one_stack_serves_one_function_after_the_other(arg);
	return NULL;
}

static void threads_have_their_own(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, take_elsewhere, NULL));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(0, pthread_join(threads[i], NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_stack_serves_one_function_after_the_other),
		cmocka_unit_test(threads_have_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
