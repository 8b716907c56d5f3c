/* SPDX-License-Identifier: Apache-2.0 */
/* Open enumerations belong to their clients, and one client's do not take the places of others'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "face/cim/pull.h"
#include "shifted_clock.h"

static const struct cim_caller ann = { ROLE_MONITOR, "ann", "10.0.0.1" };
static const struct cim_caller ann_elsewhere = { ROLE_MONITOR, "ann", "10.0.0.2" };
static const struct cim_caller bob = { ROLE_ADMIN, "bob", "10.0.0.1" };

static struct cim_contexts *contexts;
static struct cim_failure failure;
static unsigned ended;

static void count_end(void *arg)
{
	(void)arg;
	ended++;
}

static int set_up(void **state)
{
	(void)state;
	contexts = cim_contexts_create();
	ended = 0;
	return contexts ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	cim_contexts_destroy(contexts);
	return 0;
}

/* Opened and kept; its id. */
static void open_one(const struct cim_caller *caller, char id[CIM_CONTEXT_ID_LEN + 1])
{
	struct cim_context *context = cim_context_open(contexts, caller, &failure);

	assert_non_null(context);
	context->supply.end = count_end;
	memcpy(id, context->id, sizeof(context->id));
	cim_context_keep(contexts, context);
}

static bool is_open(const struct cim_caller *caller, const char *id)
{
	struct cim_context *context = cim_context_take(contexts, caller, id, &failure);

	if (!context) {
		assert_int_equal(CIM_ERR_INVALID_ENUMERATION_CONTEXT, failure.code);
		return false;
	}
	cim_context_keep(contexts, context);
	return true;
}

static void a_context_is_its_clients_own(void **state)
{
	char id[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	open_one(&ann, id);
	assert_true(is_open(&ann, id));
	assert_false(is_open(&bob, id));
	assert_false(is_open(&ann_elsewhere, id));
	assert_false(is_open(&ann, "0"));
}

static void a_context_is_one_threads_at_a_time(void **state)
{
	struct cim_context *context = cim_context_open(contexts, &ann, &failure);
	char id[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	assert_non_null(context);
	context->supply.end = count_end;
	memcpy(id, context->id, sizeof(context->id));
	assert_false(is_open(&ann, id));
	cim_context_keep(contexts, context);
	assert_ptr_equal(context, cim_context_take(contexts, &ann, id, &failure));
	assert_false(is_open(&ann, id));
	cim_context_drop(contexts, context);
	assert_false(is_open(&ann, id));
	assert_int_equal(1, ended);
}

static void the_oldest_of_a_client_makes_room_for_its_next(void **state)
{
	char first[CIM_CONTEXT_ID_LEN + 1], of_bob[CIM_CONTEXT_ID_LEN + 1], last[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	open_one(&bob, of_bob);
	open_one(&ann, first);
	for (unsigned i = 1; i < CIM_CONTEXTS_CLIENT; i++)
		open_one(&ann, last);
	assert_true(is_open(&bob, of_bob));
	assert_int_equal(0, ended);
	open_one(&ann, last);
	assert_int_equal(1, ended);
	assert_false(is_open(&ann, first));
	assert_true(is_open(&ann, last));
	assert_true(is_open(&bob, of_bob));
}

static void a_client_that_pulls_from_all_of_its_own_gets_no_more(void **state)
{
	struct cim_context *taken[CIM_CONTEXTS_CLIENT];
	char id[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	for (unsigned i = 0; i < CIM_CONTEXTS_CLIENT; i++) {
		taken[i] = cim_context_open(contexts, &ann, &failure);
		assert_non_null(taken[i]);
	}
	assert_null(cim_context_open(contexts, &ann, &failure));
	assert_int_equal(CIM_ERR_SERVER_LIMITS_EXCEEDED, failure.code);
	open_one(&bob, id);
	for (unsigned i = 0; i < CIM_CONTEXTS_CLIENT; i++)
		cim_context_drop(contexts, taken[i]);
	open_one(&ann, id);
}

/* 60 s, unless its client has said otherwise; and again from each pull on. */
static void what_nobody_pulls_from_is_closed_in_time(void **state)
{
	struct cim_context *context = cim_context_open(contexts, &ann, &failure);
	char longer[CIM_CONTEXT_ID_LEN + 1], id[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	assert_non_null(context);
	context->supply.end = count_end;
	context->seconds = 900;
	memcpy(longer, context->id, sizeof(context->id));
	cim_context_keep(contexts, context);
	open_one(&ann, id);
	for (unsigned i = 0; i < 3; i++) {
		clock_shift(59 * RT_SECOND);
		assert_true(is_open(&ann, id));
	}
	clock_shift(61 * RT_SECOND);
	assert_false(is_open(&ann, id));
	assert_int_equal(0, ended);
	open_one(&bob, id);
	assert_int_equal(1, ended);
	clock_shift(600 * RT_SECOND);
	assert_true(is_open(&ann, longer));
	clock_shift(901 * RT_SECOND);
	assert_false(is_open(&ann, longer));
}

/* However long the one takes that has it. */
static void what_is_pulled_from_is_not_closed(void **state)
{
	struct cim_context *context = cim_context_open(contexts, &ann, &failure);
	char id[CIM_CONTEXT_ID_LEN + 1];

	(void)state;
	assert_non_null(context);
	context->supply.end = count_end;
	clock_shift(1000 * RT_SECOND);
	open_one(&bob, id);
	assert_int_equal(0, ended);
	memcpy(id, context->id, sizeof(context->id));
	cim_context_keep(contexts, context);
	assert_true(is_open(&ann, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_context_is_its_clients_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_context_is_one_threads_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_of_a_client_makes_room_for_its_next, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_client_that_pulls_from_all_of_its_own_gets_no_more, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_pulls_from_is_closed_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_pulled_from_is_not_closed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
