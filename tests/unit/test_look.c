/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at a volume for comparisons: what of it is settled, and what hosts and copies do to that meanwhile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume_check.h"

static bool is_settled(const struct volume_look *look, uint64_t block)
{
	return volume_look_is_settled(look, (uint32_t)(block - look->offset / BLOCK));
}

/* The whole of the range is looked at, of which so many blocks from first on are unsettled. */
static void expect_unsettled(uint64_t from, uint32_t blocks, uint64_t first, uint64_t count)
{
	struct volume_look look;

	assert_int_equal(volume_look_begin(target, from * BLOCK, blocks * BLOCK, &look), 0);
	assert_int_equal(look.len, blocks * BLOCK);
	for (uint64_t block = from; block < from + blocks; block++)
		assert_int_equal(!is_settled(&look, block), block >= first && block < first + count);
	volume_look_end(&look);
}

static void send_all(void)
{
	struct volume_send *send;

	while (volume_send_next(target, MIB, &send) == 0 && send)
		volume_send_acked(target, send);
}

/* What the far side was sent and has acknowledged is settled, whether or not a group exists that has it. */
static int main_states(void *arg)
{
	struct volume_send *send;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	for (uint64_t block = 0; block < 64; block++)
		assert_int_equal(write_block(block, 1), 0);
	send_all();
	expect_unsettled(0, 64, 0, 0);
	assert_int_equal(write_block(20, 2), 0);
	expect_unsettled(0, 64, 20, 1);
	assert_int_equal(volume_send_next(target, MIB, &send), 0);
	expect_unsettled(0, 64, 20, 1);
	volume_send_acked(target, send);
	expect_unsettled(0, 64, 0, 0);

	/* Of the closing increment, too; and what is there of both. */
	assert_int_equal(write_block(30, 3), 0);
	volume_close_increment(target, 7);
	volume_release(target);
	expect_unsettled(0, 64, 30, 1);
	send_all();
	expect_unsettled(0, 64, 0, 0);
	volume_forget(target);
	expect_unsettled(0, 64, 0, 0);

	/* A far side that restarted has forgotten what was not in a group. */
	assert_int_equal(write_block(40, 4), 0);
	send_all();
	volume_resend_open(target);
	expect_unsettled(0, 64, 40, 1);
	assert_int_equal(volume_mark(target, 0, 64 * MIB), 0);
	expect_unsettled(0, 64, 0, 64);
	send_all();
	close_volume();
	return 0;
}

static void what_is_under_way_is_unsettled(void **state)
{
	(void)state;
	run(main_states);
}

/* Everything that changes a block, or has it sent, while somebody looks at it. */
static int main_meanwhile(void *arg)
{
	struct volume_look look, other;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	for (uint64_t block = 0; block < 64; block++)
		assert_int_equal(write_block(block, 1), 0);
	send_all();
	assert_int_equal(volume_look_begin(target, 0, 64 * BLOCK, &look), 0);
	assert_int_equal(volume_look_begin(target, 32 * BLOCK, 32 * BLOCK, &other), 0);
	assert_int_equal(write_block(33, 2), 0);
	assert_int_equal(volume_zero(volume, 100, 10 * BLOCK + 4000, 0), 0);
	assert_int_equal(volume_mark(target, 5 * BLOCK, BLOCK), 0);
	assert_int_equal(volume_doubt(target, 6 * BLOCK, BLOCK), 0);
	send_all();
	for (uint64_t block = 0; block < 64; block++)
		assert_int_equal(!is_settled(&look, block), block == 33 || block == 10 || block == 11 || block == 5 ||
				 block == 6);
	assert_false(is_settled(&other, 33));
	assert_true(is_settled(&other, 34));
	/* What was read is as it was. */
	assert_int_equal(((uint8_t *)look.data)[33 * BLOCK], 1);
	volume_look_end(&look);
	volume_resend_open(target);
	assert_false(is_settled(&other, 40));
	volume_look_end(&other);
	expect_unsettled(0, 5, 0, 5);
	send_all();
	close_volume();
	return 0;
}

static void what_happens_meanwhile_is_seen(void **state)
{
	(void)state;
	run(main_meanwhile);
}

/* A hole is one look, however long, and is not read; data end where a hole begins. */
static int main_holes(void *arg)
{
	struct volume_look look;

	(void)arg;
	open_volume(64 * MIB + 3 * BLOCK, 8, false);
	assert_int_equal(write_block(0, 1), 0);
	assert_int_equal(write_block(1, 1), 0);
	send_all();
	assert_int_equal(volume_look_begin(target, 0, VOLUME_LOOK_MAX, &look), 0);
	assert_true(!look.zero && look.data && look.len >= 2 * BLOCK && look.len <= VOLUME_LOOK_DATA_MAX);
	volume_look_end(&look);
	assert_int_equal(volume_look_begin(target, 2 * MIB, VOLUME_LOOK_MAX, &look), 0);
	assert_true(look.zero && !look.data);
	assert_int_equal(look.len, VOLUME_LOOK_MAX);
	volume_look_end(&look);
	assert_int_equal(volume_look_begin(target, 64 * MIB, 3 * BLOCK, &look), 0);
	assert_int_equal(look.len, 3 * BLOCK);
	volume_look_end(&look);
	close_volume();
	return 0;
}

static void holes_are_not_read(void **state)
{
	(void)state;
	run(main_holes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_under_way_is_unsettled),
		cmocka_unit_test(what_happens_meanwhile_is_seen),
		cmocka_unit_test(holes_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
