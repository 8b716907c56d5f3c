/* SPDX-License-Identifier: Apache-2.0 */
/* A volume and its dirty log, step by step, in simulated time: what is in it when, and what a failed sync means. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume_check.h"

/* A region is in the log before its first write is on disk, and leaves it when it is needed no more and synced. */
static int main_log(void *arg)
{
	(void)arg;
	open_volume(64 * MIB, 8, true);
	assert_int_equal(write_block(0, 1), 0);
	assert_int_equal(write_block(1024, 2), 0);
	assert_int_equal(write_block(1, 3), 0);
	assert_int_equal(dirtylog_count(dirty), 2);
	assert_true(dirtylog_is_dirty(dirty, 0x1500, 0) && dirtylog_is_dirty(dirty, 0x1500, 1));
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 2);
	volume_close_increment(target, 7);
	volume_release(target);
	drain();
	assert_int_equal(write_block(1024, 4), 0);
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 2);	/* acknowledged is not enough */
	volume_forget(target);
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 1);
	assert_true(dirtylog_is_dirty(dirty, 0x1500, 1));

	close_volume();
	return 0;
}

static void clean_fiber(void *arg)
{
	(void)arg;
	assert_int_equal(volume_clean_regions(volume), 0);
}

static void send_and_forget(uint64_t number)
{
	volume_close_increment(target, number);
	volume_release(target);
	drain();
	volume_forget(target);
}

/* A sync proves nothing of a write that ended after it began. */
static int main_written_during_sync(void *arg)
{
	(void)arg;
	open_volume(64 * MIB, 8, true);
	assert_int_equal(write_block(0, 1), 0);
	send_and_forget(7);
	slow_down(100);
	assert_int_equal(rt_group_start(&fibers, "clean", clean_fiber, NULL), 0);
	rt_yield();
	slow_down(1);
	assert_int_equal(write_block(1, 1), 0);
	send_and_forget(8);
	assert_int_equal(fibers.count, 1);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_int_equal(dirtylog_count(dirty), 1);
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 0);
	close_volume();
	return 0;
}

/* Whoever opens the volume next finds what may differ. */
static int main_log_again(void *arg)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = 64 * MIB };
	struct volume_options options = { .id = 0x1500 };

	(void)main_log(arg);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(dirtylog_open("dirty", 64, &dirty), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_add_target(volume, dirty, 20, &target), 0);
	expect_counts(1024, 0, 1024, 0);
	volume_begin_copy(target);
	assert_int_equal(volume_first_needed(target), 64 * MIB);	/* all of it is in the log */
	assert_true(volume_is_copying(target));				/* and not at the far side */
	drain();
	assert_true(volume_is_copying(target));
	assert_true(volume_sync_begin(target));
	volume_sync_end(target, true);
	assert_false(volume_is_copying(target));
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	assert_int_equal(write_block(0, 1), 0);
	volume_remove_target(target);
	assert_int_equal(dirtylog_count(dirty), 0);
	close_volume();
	return 0;
}

#define REGION_BLOCKS	(DIRTYLOG_REGION_SIZE / BLOCK)

/* A link that is down for long: more regions are written than the log has room for. */
static int main_log_full(void *arg)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = 512 * MIB + 5 * BLOCK };
	struct volume_options options = { .id = 0x1500 };
	uint64_t blocks = disk.size / BLOCK;
	int64_t begun_ns = rt_now_ns();
	struct volume_send *send;

	(void)arg;
	open_volume(disk.size, 8, true);
	for (uint64_t block = 0; block < blocks; block += REGION_BLOCKS)
		assert_int_equal(write_block(block, 1), 0);
	assert_true(rt_now_ns() - begun_ns < 5 * RT_SECOND);
	assert_true(dirtylog_is_whole(dirty, 0x1500));
	assert_int_equal(volume_clean_regions(volume), 0);	/* all of them are needed */
	assert_true(dirtylog_is_whole(dirty, 0x1500));
	assert_int_equal(volume_first_needed(target), disk.size);
	close_volume();

	/* After a start all of it is compared; writes go on. */
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(dirtylog_open("dirty", 64, &dirty), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_add_target(volume, dirty, 20, &target), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	expect_counts(blocks, 0, blocks, 0);
	volume_begin_copy(target);
	assert_int_equal(volume_first_needed(target), disk.size);	/* all of it is in the log */
	assert_true(volume_is_copying(target));				/* and not at the far side */
	assert_int_equal(volume_send_next(target, MIB, &send), 0);
	assert_true(send->doubtful);
	volume_send_failed(target, send);
	assert_int_equal(write_block(3, 2), 0);
	drain();
	assert_true(volume_sync_begin(target));
	assert_int_equal(write_block(2 * REGION_BLOCKS, 2), 0);
	volume_sync_end(target, true);
	assert_false(volume_is_copying(target));

	/* One region is left: it takes the place of the whole. */
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_false(dirtylog_is_whole(dirty, 0x1500));
	assert_int_equal(dirtylog_count(dirty), 1);
	assert_true(dirtylog_is_dirty(dirty, 0x1500, 2));
	assert_int_equal(write_block(3 * REGION_BLOCKS, 2), 0);
	assert_int_equal(dirtylog_count(dirty), 2);
	close_volume();
	return 0;
}

/* All of a large volume is in the log: looking for what may leave it takes many turns. */
static int main_large_log(void *arg)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = 64 * GIB };
	struct volume_options options = { .id = 0x1500 };
	struct volume_counters before, after;

	(void)arg;
	assert_int_equal(vdisk_create(&disk), 0);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(dirtylog_open("dirty", 64, &dirty), 0);
	assert_int_equal(dirtylog_mark_whole(dirty, 0x1500), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_add_target(volume, dirty, 20, &target), 0);
	rt_group_init(&fibers);
	volume_get_counters(volume, &before);
	assert_int_equal(rt_group_start(&fibers, "clean", clean_fiber, NULL), 0);
	for (unsigned turn = 0; turn < 4; turn++) {
		assert_int_equal(fibers.count, 1);
		rt_yield();
	}
	assert_int_equal(rt_group_wait(&fibers), 0);
	volume_get_counters(volume, &after);
	assert_int_equal(after.open_blocks, before.open_blocks);
	assert_true(dirtylog_is_whole(dirty, 0x1500));

	/* Its pair may go meanwhile. */
	assert_int_equal(rt_group_start(&fibers, "clean", clean_fiber, NULL), 0);
	rt_yield();
	volume_remove_target(target);
	close_volume();
	return 0;
}

/* A failed sync: nothing is sent; once the loss is accepted, everything that was not synced is sent again. */
static int main_failed_sync(void *arg)
{
	struct volume_send *send;
	uint8_t data[BLOCK];

	(void)arg;
	open_volume(64 * MIB, 8, true);
	assert_int_equal(write_block(0, 1), 0);
	drain();
	assert_int_equal(volume_apply_read(volume, data, BLOCK, 0), 0);
	volume_close_increment(target, 7);
	volume_release(target);
	sim_fail_nth(sim_outside(sim_world()), SIM_SYNC, 1);
	assert_int_equal(volume_flush(volume), -EIO);
	assert_int_equal(write_block(0, 2), -EIO);
	assert_int_equal(volume_flush(volume), -EIO);
	assert_int_equal(volume_send_next(target, MIB, &send), -EIO);
	/* Nor is what memory still has compared with what another system has. */
	assert_int_equal(volume_apply_read(volume, data, BLOCK, 0), -EIO);
	assert_int_equal(volume_accept_loss(volume), 0);
	assert_int_equal(volume_apply_read(volume, data, BLOCK, 0), 0);
	assert_int_equal(volume_attempt_failed(target), 7);
	expect_counts(1024, 0, 1024, 0);
	assert_int_equal(write_block(0, 3), 0);
	send = next_send(BLOCK);
	assert_int_equal(((uint8_t *)send->data)[0], 3);
	volume_send_acked(target, send);
	drain();
	assert_int_equal(volume_flush(volume), 0);
	close_volume();
	return 0;
}

static void dirty_log(void **state)
{
	(void)state;
	run(main_written_during_sync);
	run(main_log_again);
	run(main_log_full);
	run(main_large_log);
	run(main_failed_sync);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dirty_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
