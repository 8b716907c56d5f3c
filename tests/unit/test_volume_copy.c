/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the copy services see of a volume, step by step, in simulated time: notes and sends, holds, collisions, a full
 * sidefile, first copies.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume_check.h"

/* ---- notes and sends ---- */

/* Runs are merged, a block is under way once, what failed or was written meanwhile is sent again. */
static int main_sends(void *arg)
{
	struct volume_send *first, *second;

	(void)arg;
	open_volume(GIB, 8, false);
	assert_null(next_send(MIB));
	for (uint64_t block = 10; block < 14; block++)
		assert_int_equal(write_block(block, 1), 0);
	assert_int_equal(write_block(20, 2), 0);
	expect_counts(5, 0, 5, 0);
	first = expect_send(10, 4, 7, 1);
	second = expect_send(20, 1, 7, 2);
	assert_null(next_send(MIB));
	expect_counts(5, 0, 0, 5);

	assert_int_equal(write_block(20, 3), 0);	/* under way: not sent again before it has arrived */
	assert_null(next_send(MIB));
	volume_send_failed(target, first);
	first = expect_send(10, 4, 7, 1);
	volume_send_acked(target, second);
	send_and_ack(20, 1, 7, 3);
	volume_send_acked(target, first);
	expect_counts(5, 0, 0, 0);
	assert_null(next_send(MIB));

	volume_resend_open(target);			/* the far side restarted */
	send_and_ack(10, 4, 7, 1);
	send_and_ack(20, 1, 7, 3);
	close_volume();
	return 0;
}

/* Discards and zeroes arrive as zeroes, and so do holes; a run ends where a large hole begins. */
static int main_zeroes(void *arg)
{
	struct volume_send *send;

	(void)arg;
	open_volume(GIB, 8, false);
	assert_int_equal(write_block(3, 5), 0);
	send_and_ack(3, 1, 7, 5);
	assert_int_equal(volume_discard(volume, 64 * KIB, 0, 0), 0);
	assert_int_equal(volume_zero(volume, 8 * KIB, 128 * KIB, VOLUME_NO_HOLE), 0);
	send_and_ack(4, 12, 7, 0);			/* goes on behind the last send, then from the beginning */
	send_and_ack(32, 2, 7, 0);
	send_and_ack(0, 4, 7, 0);

	assert_int_equal(write_block(512, 6), 0);
	assert_int_equal(write_block(700, 6), 0);
	send_and_ack(512, 1, 7, 6);
	send_and_ack(700, 1, 7, 6);
	assert_int_equal(volume_mark(target, 2 * MIB, MIB), 0);
	send_and_ack(701, 67, 7, 0);
	send = expect_send(512, 1, 7, 6);		/* the rest is unsent again */
	send_and_ack(513, 187, 7, 0);
	volume_send_acked(target, send);
	send_and_ack(700, 1, 7, 6);
	assert_null(next_send(MIB));
	close_volume();
	return 0;
}

static void sends(void **state)
{
	(void)state;
	run(main_sends);
	run(main_zeroes);
}

/* ---- holds ---- */

/* Answers of the held increment wait for the release, and so do reads that would show it; all others do not. */
static int main_hold(void *arg)
{
	struct request write = { .block = 1, .value = 11 }, read = { .block = 1, .read = true };
	struct volume_counters counters;
	bool data;
	uint64_t end;

	(void)arg;
	open_volume(GIB, 8, false);
	assert_int_equal(write_block(0, 10), 0);
	volume_close_increment(target, 9);
	assert_int_equal(volume_closing_number(target), 9);
	assert_int_equal(volume_open_number(target), 10);
	begin(&write);
	assert_false(write.done);
	assert_int_equal(read_block(0), 10);		/* of the closing increment */
	assert_int_equal(read_block(5), 0);
	begin(&read);
	assert_false(read.done);
	{
		RT_LIMIT(rt_now_ns() + 5 * RT_MS);	/* block status would show it as well */
		assert_int_equal(volume_get_run(volume, 0, &data, &end), -ETIMEDOUT);
	}
	volume_release(target);
	settle();
	assert_true(write.done && read.done && write.rc == 0 && read.value == 11);
	assert_int_equal(write_block(2, 12), 0);
	volume_get_counters(volume, &counters);
	assert_int_equal(counters.held_writes, 1);
	assert_int_equal(counters.held_reads, 2);
	assert_true(counters.hold_max_ns >= 20 * RT_MS);

	/* The other ways in which a hold ends. */
	volume_close_increment(target, 10);
	write.done = false;
	begin(&write);
	assert_false(write.done);
	volume_merge(target);
	settle();
	assert_true(write.done);
	expect_counts(3, 0, 3, 0);
	volume_close_increment(target, 11);
	write.done = false;
	begin(&write);
	volume_remove_target(target);
	settle();
	assert_true(write.done && write.rc == 0);
	close_volume();
	return 0;
}

/* A write that was noted before the close is not held, though it ends after it; until then it is not sent. */
static int main_late_write(void *arg)
{
	struct request write = { .block = 1, .value = 11 };

	(void)arg;
	open_volume(GIB, 8, false);
	slow_down(10000);
	begin(&write);
	assert_false(write.done);
	volume_close_increment(target, 7);
	assert_null(next_send(MIB));
	assert_false(volume_is_drained(target));
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_int_equal(write.rc, 0);
	slow_down(1);
	send_and_ack(1, 1, 7, 11);
	close_volume();
	return 0;
}

static void holds(void **state)
{
	(void)state;
	run(main_hold);
	run(main_late_write);
}

/* ---- collisions ---- */

/* The closing increment arrives as it was when it was closed, whatever hosts do meanwhile. */
static int main_collisions(void *arg)
{
	struct volume_send *flying;
	struct volume_counters counters;

	(void)arg;
	open_volume(GIB, 8, false);
	for (uint64_t block = 0; block < 4; block++)
		assert_int_equal(write_block(block, 1), 0);
	flying = expect_send(0, 4, 7, 1);
	volume_close_increment(target, 7);
	volume_release(target);
	assert_false(volume_is_drained(target));
	assert_int_equal(write_block(1, 2), 0);		/* under way: may have to be sent again */
	assert_int_equal(write_block(1, 3), 0);		/* kept already */
	assert_null(next_send(MIB));			/* neither the old nor the new while it is under way */
	volume_send_failed(target, flying);
	send_and_ack(0, 1, 7, 1);
	send_and_ack(1, 1, 7, 1);			/* from the sidefile */
	assert_false(volume_is_drained(target));
	send_and_ack(2, 2, 7, 1);
	assert_true(volume_is_drained(target));
	send_and_ack(1, 1, 8, 3);
	assert_int_equal(write_block(0, 4), 0);		/* acknowledged: no collision */
	volume_get_counters(volume, &counters);
	assert_int_equal(counters.collisions_sidefile, 1);
	expect_counts(2, 4, 1, 0);
	volume_forget(target);
	assert_int_equal(volume_closing_number(target), 0);
	expect_counts(2, 0, 1, 0);
	assert_false(volume_is_drained(target));
	send_and_ack(0, 1, 8, 4);

	/* A merge drops what was kept; the new content is sent under the open number. */
	volume_close_increment(target, 8);
	volume_resend_open(target);
	assert_int_equal(volume_closing_number(target), 8);
	volume_merge(target);
	assert_int_equal(write_block(0, 5), 0);
	volume_close_increment(target, 9);
	volume_release(target);
	assert_int_equal(write_block(0, 6), 0);
	volume_merge(target);
	send_and_ack(0, 1, 10, 6);
	close_volume();
	return 0;
}

/* All blocks of a write go to the sidefile or none: too large a write waits until its own blocks are drained. */
static int main_drain_wait(void *arg)
{
	struct request write = { .block = 2, .value = 9 };
	struct volume_counters counters;

	(void)arg;
	open_volume(GIB, 0, false);
	for (uint64_t block = 0; block < 4; block += 2)
		assert_int_equal(write_block(block, 1), 0);
	volume_close_increment(target, 7);
	volume_release(target);
	begin(&write);
	assert_false(write.done);
	send_and_ack(2, 1, 7, 1);			/* before block 0 */
	settle();
	assert_true(write.done && write.rc == 0);
	send_and_ack(0, 1, 7, 1);
	send_and_ack(2, 1, 8, 9);
	assert_int_equal(volume_attempt_failed(target), 0);
	volume_get_counters(volume, &counters);
	assert_int_equal(counters.collisions_waited, 1);
	assert_int_equal(counters.collisions_sidefile, 0);
	close_volume();
	return 0;
}

/* No host hangs on a link: after the wait the attempt fails here, everything merges and the write goes on. */
static int main_give_up(void *arg)
{
	struct request write = { .block = 2, .value = 9 }, held = { .block = 5, .value = 1 };
	struct volume_send *flying;
	int64_t begun_ns;

	(void)arg;
	open_volume(GIB, 0, false);
	assert_int_equal(write_block(2, 1), 0);
	flying = expect_send(2, 1, 7, 1);
	volume_close_increment(target, 7);
	begin(&held);
	begun_ns = rt_now_ns();
	assert_int_equal(rt_group_start(&fibers, "request", request_fiber, &write), 0);
	assert_false(held.done);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(rt_now_ns() - begun_ns >= WAIT_MS * RT_MS && rt_now_ns() - begun_ns < (WAIT_MS + 5) * RT_MS);
	assert_true(write.done && write.rc == 0 && held.done);
	assert_int_equal(volume_attempt_failed(target), 7);
	assert_int_equal(volume_closing_number(target), 0);
	volume_send_acked(target, flying);
	send_and_ack(2, 1, 8, 9);
	send_and_ack(5, 1, 8, 1);

	/* A host that gives up before that leaves the attempt alone. */
	assert_int_equal(write_block(2, 1), 0);
	volume_close_increment(target, 8);
	volume_release(target);
	{
		RT_LIMIT(rt_now_ns() + 10 * RT_MS);
		assert_int_equal(write_block(2, 2), -ETIMEDOUT);
	}
	assert_int_equal(volume_closing_number(target), 8);
	send_and_ack(2, 1, 8, 1);
	assert_true(volume_is_drained(target));
	close_volume();
	return 0;
}

static void collisions(void **state)
{
	(void)state;
	run(main_collisions);
	run(main_drain_wait);
	run(main_give_up);
}

/* ---- first copies ---- */

/* Acknowledged blocks are forgotten when the far side has synced, but not those that were written since. */
static int main_sync(void *arg)
{
	struct volume_send *send;

	(void)arg;
	open_volume(64 * MIB + 8 * KIB, 8, false);
	assert_int_equal(volume_first_needed(target), 64 * MIB + 8 * KIB);
	assert_false(volume_sync_begin(target));
	assert_int_equal(volume_mark(target, 0, 64 * MIB + 8 * KIB), 0);
	assert_int_equal(volume_first_needed(target), 0);
	send_and_ack(64 * 256, 2, 7, 0);	/* the end, which is no whole region, has masks from the first */
	for (unsigned i = 0; i < 3; i++)
		send_and_ack(i * 256, 256, 7, 0);
	send = expect_send(3 * 256, 256, 7, 0);
	assert_true(volume_sync_begin(target));
	volume_send_acked(target, send);	/* too late for this sync */
	assert_int_equal(write_block(1, 1), 0);
	assert_int_equal(write_block(300, 2), 0);
	drain();				/* sent again, and too late */
	volume_sync_end(target, true);
	assert_int_equal(volume_first_needed(target), BLOCK);
	expect_counts((64 * MIB) / BLOCK - 3 * 256 + 2, 0, 0, 0);

	assert_true(volume_sync_begin(target));
	volume_sync_end(target, false);		/* the far side could not */
	assert_int_equal(volume_first_needed(target), BLOCK);
	assert_true(volume_sync_begin(target));
	volume_close_increment(target, 7);	/* it joins a session: what was asked is void */
	volume_merge(target);
	volume_sync_end(target, true);
	assert_int_equal(volume_first_needed(target), BLOCK);
	assert_true(volume_sync_begin(target));
	volume_sync_end(target, true);
	assert_int_equal(volume_first_needed(target), 64 * MIB + 8 * KIB);
	expect_counts(0, 0, 0, 0);
	close_volume();
	return 0;
}

/* Grows while it is tracked; an adopted volume may end in the middle of a block. */
static int main_sizes(void *arg)
{
	struct vdisk_options disk = { .kind = POOL_DEVICE, .path = "device", .size = MIB + 512 };
	struct volume_options options = { .id = 1 };
	struct volume_send *send;
	uint8_t data[512] = { 1, 2, 3 };

	(void)arg;
	open_volume(8 * MIB, 8, false);
	assert_int_equal(volume_grow(volume, GIB * 4), 0);
	assert_int_equal(write_block(GIB * 4 / BLOCK - 1, 1), 0);
	send_and_ack(GIB * 4 / BLOCK - 1, 1, 7, 1);
	close_volume();

	assert_int_equal(sim_add_device(sim_outside(sim_world()), "device", MIB + 512), 0);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	assert_int_equal(volume_add_target(volume, NULL, 1, &target), 0);
	assert_int_equal(volume_write(volume, data, sizeof(data), MIB, 0), 0);
	send = next_send(MIB);
	assert_true(send->offset == MIB && send->len == 512 && !send->zero);
	assert_memory_equal(send->data, data, 512);
	volume_send_acked(target, send);
	volume_close(volume);
	return 0;
}

/* All of it is noted in bulk, as before a first copy, so that masks have all that they can have. */
static int main_grow_without_memory(void *arg)
{
	struct sim_system *outside = sim_outside(sim_world());
	unsigned failed = 0;
	int rc;

	(void)arg;
	do {
		open_volume(8 * MIB, 8, false);
		assert_int_equal(volume_doubt(target, 0, 8 * MIB), 0);
		sim_fail_nth(outside, SIM_ALLOC, failed + 1);
		rc = volume_grow(volume, 64 * GIB);
		sim_fail_nth(outside, SIM_ALLOC, 0);
		if (rc) {
			failed++;
			assert_int_equal(rc, -ENOMEM);
			assert_int_equal(volume_size(volume), 8 * MIB);
			assert_int_equal(write_block(8 * MIB / BLOCK - 1, 1), 0);
			assert_int_equal(volume_grow(volume, 64 * GIB), 0);
		}
		assert_int_equal(write_block(64 * GIB / BLOCK - 1, 1), 0);
		close_volume();
		assert_int_equal(rt_path_unlink("disk"), 0);
	} while (rc);
	assert_true(failed > 0);
	return 0;
}

static void first_copies(void **state)
{
	(void)state;
	run(main_sync);
	run(main_sizes);
	run(main_grow_without_memory);
}

/* ---- tracking ---- */

static void write_first_block(void *arg)
{
	*(int *)arg = write_block(0, 1);
}

/* A write that began before tracking is on disk when tracking has begun: whoever reads then misses nothing. */
static int main_track(void *arg)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = MIB };
	struct volume_options options = { .id = 1 };
	uint8_t data[BLOCK];
	int rc = 1;

	(void)arg;
	assert_int_equal(vdisk_create(&disk), 0);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	rt_group_init(&fibers);
	slow_down(1000);
	assert_int_equal(rt_group_start(&fibers, "write", write_first_block, &rc), 0);
	rt_yield();
	assert_int_equal(volume_add_target(volume, NULL, 1, &target), 0);
	assert_int_equal(vdisk_read(volume_disk(volume), data, BLOCK, 0), 0);
	assert_int_equal(data[0], 1);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_int_equal(rc, 0);
	assert_null(next_send(MIB));
	volume_remove_target(target);
	assert_false(volume_is_tracked(volume));
	volume_close(volume);
	return 0;
}

static void tracking(void **state)
{
	(void)state;
	run(main_track);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends),
		cmocka_unit_test(holds),
		cmocka_unit_test(collisions),
		cmocka_unit_test(first_copies),
		cmocka_unit_test(tracking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
