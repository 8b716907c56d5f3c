/* SPDX-License-Identifier: Apache-2.0 */
/* A member's own timer: no hold is longer than its close allowed, whatever came before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "copy/member.h"
#include "sim_check.h"

static struct member_status look(struct member *member)
{
	struct member_status status;

	member_get_status(member, &status);
	return status;
}

static int shorter_hold(void *arg)
{
	struct member *member;
	bool empty;

	(void)arg;
	CHECK_EQUAL(member_create(1, &member), 0);
	CHECK_EQUAL(member_close(member, 1, 0, 60 * RT_SECOND, &empty), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
	CHECK_EQUAL(member_release(member, 1), 0);
	CHECK_EQUAL(member_close(member, 2, 0, 50 * RT_MS, &empty), 0);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 40 * RT_MS), 0);
	CHECK(look(member).held);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 20 * RT_MS), 0);
	CHECK(!look(member).held);
	CHECK_EQUAL(look(member).failure, CG_FAILURE_COORDINATION_TIME);
	CHECK_EQUAL(look(member).closing, 0);
	member_destroy(member);
	return 0;
}

static void a_hold_ends_in_its_own_time_after_a_longer_one(void **state)
{
	(void)state;
	in_sim(1, shorter_hold, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hold_ends_in_its_own_time_after_a_longer_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
