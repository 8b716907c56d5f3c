/* SPDX-License-Identifier: Apache-2.0 */
/* A frozen volume, in simulated time: no write begins, those under way end, and no freeze lasts for ever. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume_check.h"

static int freeze_for(struct volume_freeze *freeze, int64_t ns)
{
	return volume_freeze(volume, freeze, rt_now_ns() + ns);
}

/* Writes of hosts and of the far side wait, reads and flushes do not; after two freezes they wait for both. */
static int main_waits(void *arg)
{
	struct request write = { .block = 3, .value = 7 }, read = { .block = 3, .read = true };
	struct volume_freeze first, second;
	uint8_t data[BLOCK] = { 5 };

	(void)arg;
	open_volume(64 * MIB, 8, false);
	assert_int_equal(freeze_for(&first, RT_SECOND), 0);
	assert_int_equal(freeze_for(&second, 2 * RT_SECOND), 0);
	begin(&write);
	begin(&read);
	assert_true(read.done && read.value == 0 && !write.done);
	assert_int_equal(volume_flush(volume), 0);
	{
		RT_LIMIT(rt_now_ns() + RT_MS);
		assert_int_equal(volume_apply(volume, NULL, data, sizeof(data), 4 * BLOCK), -ETIMEDOUT);
	}
	volume_thaw(volume, &second);
	settle();
	assert_true(!write.done && volume_is_frozen(&first));
	volume_thaw(volume, &first);
	settle();
	assert_true(write.done && write.rc == 0);
	assert_int_equal(read_block(3), 7);
	assert_int_equal(read_block(4), 0);
	close_volume();
	return 0;
}

/* A freeze waits for the writes that have begun, also for their held answers, and not longer than it lasts. */
static int main_under_way(void *arg)
{
	struct request held = { .block = 3, .value = 7 };
	struct volume_freeze freeze;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	volume_close_increment(target, 7);
	begin(&held);
	assert_false(held.done);
	assert_int_equal(freeze_for(&freeze, 50 * RT_MS), -ETIMEDOUT);
	volume_release(target);
	assert_int_equal(write_block(9, 1), 0);
	assert_true(held.done && held.rc == 0);
	close_volume();
	return 0;
}

/* A freeze that nobody thaws ends by itself, and says so. */
static int main_ends(void *arg)
{
	struct request write = { .block = 3, .value = 7 };
	struct volume_freeze freeze;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	assert_int_equal(freeze_for(&freeze, 50 * RT_MS), 0);
	begin(&write);
	assert_true(!write.done && volume_is_frozen(&freeze));
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(write.done && write.rc == 0 && !volume_is_frozen(&freeze));
	assert_int_equal(write_block(3, 8), 0);
	volume_thaw(volume, &freeze);
	close_volume();
	return 0;
}

/* Once it is held on, hosts wait for the thaw, however long that takes; too late, it cannot be. */
static int main_held_on(void *arg)
{
	struct request write = { .block = 3, .value = 7 };
	struct volume_freeze freeze, late;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	assert_int_equal(freeze_for(&freeze, 50 * RT_MS), 0);
	assert_int_equal(freeze_for(&late, 50 * RT_MS), 0);
	assert_int_equal(volume_freeze_until(volume, &freeze, RT_NEVER), 0);
	begin(&write);
	assert_int_equal(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	assert_int_equal(volume_freeze_until(volume, &late, RT_NEVER), -ETIMEDOUT);
	volume_thaw(volume, &late);
	assert_true(!write.done && volume_is_frozen(&freeze));
	volume_thaw(volume, &freeze);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(write.done && write.rc == 0);
	close_volume();
	return 0;
}

/* The pieces of a long request that have not begun wait. */
static void discard_all(void *arg)
{
	*(int *)arg = volume_discard(volume, 64 * MIB, 0, 0);
}

static int main_pieces(void *arg)
{
	struct volume_freeze freeze;
	int rc = 1;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	assert_int_equal(write_block(64 * 256 - 1, 7), 0);
	assert_int_equal(rt_group_start(&fibers, "discard", discard_all, &rc), 0);
	rt_yield();
	assert_int_equal(freeze_for(&freeze, RT_SECOND), 0);
	settle();
	assert_true(rc == 1 && read_block(64 * 256 - 1) == 7);
	volume_thaw(volume, &freeze);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(rc == 0 && read_block(64 * 256 - 1) == 0);
	close_volume();
	return 0;
}

static void waits(void **state)
{
	(void)state;
	run(main_waits);
}

static void under_way(void **state)
{
	(void)state;
	run(main_under_way);
}

static void ends(void **state)
{
	(void)state;
	run(main_ends);
}

static void held_on(void **state)
{
	(void)state;
	run(main_held_on);
}

static void pieces(void **state)
{
	(void)state;
	run(main_pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits),
		cmocka_unit_test(under_way),
		cmocka_unit_test(ends),
		cmocka_unit_test(held_on),
		cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
