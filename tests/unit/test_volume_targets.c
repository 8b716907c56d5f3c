/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume with two targets, step by step, in simulated time: each has its own increments, sidefile and sends, a host
 * waits for both, and a region stays in the dirty log while one of them needs it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume/mirror.h"
#include "volume_check.h"

#define REGION_BLOCKS	(DIRTYLOG_REGION_SIZE / BLOCK)

static struct volume_target *first, *second;

static void open_two(uint64_t sidefile_blocks, bool logged)
{
	open_volume(64 * MIB, sidefile_blocks, logged);
	first = target;
	assert_int_equal(volume_add_target(volume, dirty, 100, &second), 0);
	assert_ptr_not_equal(first, second);
}

/* What follows is about this one. */
static void of(struct volume_target *one)
{
	target = one;
}

static void expect_target(struct volume_target *one, uint64_t open, uint64_t closing, uint64_t unsent)
{
	struct volume_counters counters;

	volume_get_target_counters(one, &counters);
	assert_int_equal(counters.open_blocks, open);
	assert_int_equal(counters.closing_blocks, closing);
	assert_int_equal(counters.unsent_blocks, unsent);
}

/* Each gets all that was written, with its own tags; what one has acknowledged says nothing of the other. */
static int main_notes(void *arg)
{
	struct volume_target *third;

	(void)arg;
	open_two(8, false);
	assert_int_equal(volume_add_target(volume, NULL, 1, &third), -ENOSPC);
	assert_int_equal(write_block(3, 1), 0);
	assert_int_equal(volume_discard(volume, 64 * KIB, 64 * KIB, 0), 0);
	expect_target(first, 17, 0, 17);
	expect_target(second, 17, 0, 17);
	expect_counts(34, 0, 34, 0);
	of(first);
	send_and_ack(3, 1, 7, 1);
	send_and_ack(16, 16, 7, 0);
	assert_null(next_send(MIB));
	expect_target(first, 17, 0, 0);
	expect_target(second, 17, 0, 17);
	assert_true(volume_sync_begin(first));
	volume_sync_end(first, true);
	expect_target(first, 0, 0, 0);
	of(second);
	send_and_ack(3, 1, 100, 1);
	assert_int_equal(volume_mark(second, 0, BLOCK), 0);
	expect_target(first, 0, 0, 0);

	/* One goes, and its place is free; the other stays as it was. */
	volume_remove_target(first);
	assert_true(volume_is_tracked(volume));
	assert_int_equal(write_block(4, 2), 0);
	assert_int_equal(volume_add_target(volume, NULL, 1, &first), 0);
	expect_target(first, 0, 0, 0);
	expect_target(second, 19, 0, 18);
	volume_remove_target(first);
	volume_remove_target(second);
	assert_false(volume_is_tracked(volume));
	close_volume();
	return 0;
}

/* A write of the held increment of either waits for the release of that one, and so does who would read it. */
static int main_holds(void *arg)
{
	struct request write = { .block = 1, .value = 11 }, read = { .block = 1, .read = true };
	struct request early = { .block = 2, .value = 12 };
	struct volume_counters counters;

	(void)arg;
	open_two(8, false);
	volume_close_increment(second, 100);
	assert_true(volume_is_held(volume));
	begin(&early);
	assert_false(early.done);
	volume_close_increment(first, 7);
	begin(&write);
	begin(&read);
	assert_true(!early.done && !write.done && !read.done);

	/* Of the first it belongs to the increment before: only the second keeps it. */
	volume_release(second);
	settle();
	assert_true(early.done && !write.done && !read.done);
	volume_close_increment(second, 101);
	volume_release(first);
	settle();
	assert_true(write.done && read.done && read.value == 11);
	volume_get_target_counters(first, &counters);
	assert_int_equal(counters.held_writes, 1);
	volume_get_target_counters(second, &counters);
	assert_int_equal(counters.held_writes, 1);	/* the later write is of its closing increment by now */
	close_volume();
	return 0;
}

/* Old blocks are kept for both, or for the one that still needs them, each with the content of its own increment. */
static int main_collisions(void *arg)
{
	struct volume_counters counters;

	(void)arg;
	open_two(8, false);
	assert_int_equal(write_block(5, 1), 0);
	volume_close_increment(first, 7);
	volume_release(first);
	assert_int_equal(write_block(5, 2), 0);		/* kept for the first: 1 */
	volume_close_increment(second, 100);
	volume_release(second);
	assert_int_equal(write_block(5, 3), 0);		/* kept for the second: 2 */
	volume_get_target_counters(first, &counters);
	assert_int_equal(counters.collisions_sidefile, 1);
	volume_get_target_counters(second, &counters);
	assert_int_equal(counters.collisions_sidefile, 1);
	of(first);
	send_and_ack(5, 1, 7, 1);
	assert_true(volume_is_drained(first) && !volume_is_drained(second));
	of(second);
	send_and_ack(5, 1, 100, 2);
	assert_true(volume_is_drained(second));
	volume_forget(first);
	volume_forget(second);

	/* Both at once. */
	volume_close_increment(first, 8);
	volume_close_increment(second, 101);
	volume_release(first);
	volume_release(second);
	assert_int_equal(write_block(5, 4), 0);
	of(second);
	send_and_ack(5, 1, 101, 3);
	send_and_ack(5, 1, 102, 4);
	of(first);
	send_and_ack(5, 1, 8, 3);
	send_and_ack(5, 1, 9, 4);
	close_volume();
	return 0;
}

/* The sidefile of one is full: its attempt fails, and that of the other goes on. */
static int main_one_gives_up(void *arg)
{
	struct request write = { .block = 6, .value = 2 };

	(void)arg;
	open_two(1, false);
	assert_int_equal(write_block(5, 1), 0);
	assert_int_equal(write_block(6, 1), 0);
	volume_close_increment(first, 7);
	volume_release(first);
	assert_int_equal(write_block(5, 2), 0);
	volume_close_increment(second, 100);
	volume_release(second);
	begin(&write);
	assert_false(write.done);
	assert_int_equal(volume_get_backlog(first, 32), VOLUME_BACKLOG_MANY);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(write.done && write.rc == 0);
	assert_int_equal(volume_attempt_failed(first), 7);
	assert_int_equal(volume_attempt_failed(second), 0);
	assert_int_equal(volume_closing_number(second), 100);
	of(second);
	send_and_ack(5, 1, 100, 2);
	send_and_ack(6, 1, 100, 1);
	close_volume();
	return 0;
}

/* ---- a full mirror beside a session ---- */

static struct far {
	struct volume_mirror mirror;
	struct rt_cond let;
	unsigned begun, given_up;
	bool arrives;
	int write_error;
} far;

static int begin_write(struct volume_mirror *mirror, struct volume_mirror_write *write)
{
	(void)mirror;
	(void)write;
	far.begun++;
	return 0;
}

static int end_write(struct volume_mirror *mirror, struct volume_mirror_write *write)
{
	(void)mirror;
	(void)write;
	while (!far.arrives)
		assert_int_equal(rt_cond_wait(&far.let), 0);
	return far.write_error;
}

static int give_up(struct volume_mirror *mirror)
{
	volume_hold_mirror(first, mirror, 0);
	far.given_up++;
	return 0;
}

static uint64_t begin_flush(struct volume_mirror *mirror)
{
	(void)mirror;
	return 1;
}

static int end_flush(struct volume_mirror *mirror, uint64_t ticket)
{
	(void)mirror;
	assert_int_equal(ticket, 1);
	return 0;
}

static const struct volume_mirror_ops ops = {
	.begin = begin_write, .end = end_write, .give_up = give_up, .begin_flush = begin_flush, .end_flush = end_flush,
};

/* A write waits for the far side of the mirror and for the release of the session; the pump of each has its own. */
static int main_mirror(void *arg)
{
	struct request write = { .block = 3, .value = 7 };

	(void)arg;
	far = (struct far){ 0 };
	rt_cond_init(&far.let);
	open_two(8, false);
	volume_mirror_init(&far.mirror, &ops, WAIT_MS * RT_MS);
	volume_set_mirror(first, &far.mirror);
	assert_true(volume_fill_mirror(first, &far.mirror));
	volume_close_increment(second, 100);
	begin(&write);
	assert_true(!write.done && far.begun == 1);
	volume_release(second);
	settle();
	assert_false(write.done);
	of(first);
	assert_null(next_send(MIB));
	of(second);
	send_and_ack(3, 1, 101, 7);
	far.arrives = true;
	rt_cond_wake_all(&far.let);
	settle();
	assert_true(write.done && write.rc == 0);
	expect_target(first, 1, 0, 0);
	assert_int_equal(volume_flush(volume), 0);

	/* It does not get there: that is the pair's affair, and the session goes on. */
	far.write_error = -ECONNRESET;
	assert_int_equal(write_block(3, 8), 0);
	assert_int_equal(far.given_up, 1);
	expect_target(first, 1, 0, 1);
	send_and_ack(3, 1, 101, 8);
	volume_set_mirror(first, NULL);
	close_volume();
	return 0;
}

/* ---- growth and the dirty log ---- */

static int main_grows(void *arg)
{
	(void)arg;
	open_two(8, true);
	assert_int_equal(volume_grow(volume, 128 * MIB), 0);
	assert_int_equal(write_block(100 * MIB / BLOCK, 1), 0);
	assert_int_equal(volume_mark(second, 120 * MIB, 8 * MIB), 0);
	expect_target(first, 1, 0, 1);
	expect_target(second, 2049, 0, 2049);
	assert_int_equal(dirtylog_count(dirty), 1);
	close_volume();
	return 0;
}

static void forget_all(struct volume_target *one)
{
	of(one);
	drain();
	assert_true(volume_sync_begin(one));
	volume_sync_end(one, true);
	assert_int_equal(volume_clean_regions(volume), 0);
}

/* A region leaves the log when neither needs it; one that is added finds what is there to be in doubt. */
static int main_logged(void *arg)
{
	struct volume_send *send;

	(void)arg;
	open_two(8, true);
	assert_int_equal(write_block(0, 1), 0);
	assert_int_equal(write_block(5 * REGION_BLOCKS, 1), 0);
	assert_int_equal(dirtylog_count(dirty), 2);
	forget_all(first);
	assert_int_equal(dirtylog_count(dirty), 2);
	assert_int_equal(volume_first_needed(second), 64 * MIB);
	forget_all(second);
	assert_int_equal(dirtylog_count(dirty), 0);

	/* What only the one that goes needed leaves after it; with the last one all does. */
	assert_int_equal(write_block(0, 2), 0);
	forget_all(second);
	volume_remove_target(first);
	assert_int_equal(dirtylog_count(dirty), 1);
	assert_int_equal(volume_add_target(volume, dirty, 1, &first), 0);
	expect_target(first, REGION_BLOCKS, 0, REGION_BLOCKS);
	of(first);
	send = next_send(BLOCK);
	assert_true(send && send->doubtful);
	volume_send_failed(first, send);
	volume_remove_target(first);
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 0);
	assert_int_equal(write_block(0, 3), 0);
	assert_int_equal(dirtylog_count(dirty), 1);
	volume_remove_target(second);
	assert_int_equal(dirtylog_count(dirty), 0);
	close_volume();
	return 0;
}

/* ---- in the middle of a cascade ---- */

static void apply_block(void *arg)
{
	struct request *request = arg;
	uint8_t data[BLOCK];

	memset(data, request->value, sizeof(data));
	request->rc = volume_apply(volume, first, data, sizeof(data), request->block * BLOCK);
	request->done = true;
}

/*
 * What comes from the other end of the first is noted for the second, whose increment holds the answer and keeps old
 * blocks; hosts need not be allowed to write. For the first, which sends it, nothing is noted.
 */
static int main_applied(void *arg)
{
	struct request write = { .block = 5, .value = 2 };
	struct volume_counters counters;
	uint8_t data[BLOCK] = { 3 };

	(void)arg;
	open_two(8, true);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_NONE), 0);
	assert_int_equal(volume_apply(volume, first, data, sizeof(data), 5 * BLOCK), 0);
	assert_int_equal(dirtylog_count(dirty), 1);
	volume_close_increment(second, 100);
	assert_int_equal(rt_group_start(&fibers, "apply", apply_block, &write), 0);
	settle();
	assert_false(write.done);
	volume_release(second);
	settle();
	assert_true(write.done && write.rc == 0);
	volume_get_target_counters(second, &counters);
	assert_int_equal(counters.collisions_sidefile, 1);
	assert_int_equal(volume_apply_zero(volume, first, BLOCK, 7 * BLOCK), 0);
	assert_int_equal(volume_apply_journal(volume, first, data, BLOCK, 9 * BLOCK), 0);
	expect_target(first, 0, 0, 0);
	expect_target(second, 3, 1, 4);
	of(second);
	drain();

	/* With the first alone nothing is noted, and so nothing is in the log. */
	volume_remove_target(second);
	assert_int_equal(volume_clean_regions(volume), 0);
	assert_int_equal(dirtylog_count(dirty), 0);
	assert_int_equal(volume_apply(volume, first, data, sizeof(data), 5 * BLOCK), 0);
	assert_int_equal(dirtylog_count(dirty), 0);
	expect_target(first, 0, 0, 0);
	close_volume();
	return 0;
}

/* ---- one that stands by ---- */

/* What the first has acknowledged before the question, and nobody has written since, is forgotten by the answer. */
static int main_stands_by(void *arg)
{
	struct volume_send *flying;

	(void)arg;
	open_two(8, true);
	volume_stand_by(second, first);
	assert_false(volume_sync_begin(second));
	for (uint64_t block = 0; block < 4; block++)
		assert_int_equal(write_block(2 * block, 1), 0);
	assert_int_equal(volume_get_backlog(second, 1), VOLUME_BACKLOG_NONE);
	expect_target(second, 4, 0, 0);
	of(second);
	assert_null(next_send(MIB));

	/* 0 and 2 are at the first's system, 4 is under way to it, 6 is not. */
	of(first);
	send_and_ack(0, 1, 7, 1);
	send_and_ack(2, 1, 7, 1);
	flying = expect_send(4, 1, 7, 1);
	assert_true(volume_sync_begin(second));
	volume_send_acked(first, flying);
	send_and_ack(6, 1, 7, 1);
	assert_int_equal(write_block(2, 2), 0);
	volume_sync_end(second, true);
	expect_target(second, 3, 0, 0);

	/* An answer that is none, then one: 2 has not been sent again. */
	assert_true(volume_sync_begin(second));
	volume_sync_end(second, false);
	expect_target(second, 3, 0, 0);
	assert_true(volume_sync_begin(second));
	volume_sync_end(second, true);
	expect_target(second, 1, 0, 0);
	forget_all(first);
	assert_int_equal(dirtylog_count(dirty), 1);	/* the one that stands by needs it */

	/* What is marked while it is asked stays, too. */
	assert_true(volume_sync_begin(second));
	assert_int_equal(volume_doubt(second, 2 * BLOCK, BLOCK), 0);
	volume_sync_end(second, true);
	expect_target(second, 1, 0, 0);

	/* The first goes: nothing is forgotten any more, and the second stands in. */
	assert_int_equal(write_block(9, 3), 0);
	assert_true(volume_sync_begin(second));
	volume_remove_target(first);
	volume_sync_end(second, true);
	assert_false(volume_sync_begin(second));
	volume_stand_in(second);
	expect_target(second, 2, 0, 2);
	of(second);
	send_and_ack(2, 1, 100, 2);
	send_and_ack(9, 1, 100, 3);
	forget_all(second);
	assert_int_equal(dirtylog_count(dirty), 0);
	close_volume();
	return 0;
}

static void write_slowly(void *arg)
{
	*(int *)arg = write_block(9, 4);
}

/* The second comes while a write is under way that was noted for the first only: it comes when that is on disk. */
static int main_added_during_write(void *arg)
{
	uint8_t data[BLOCK];
	int rc = 1;

	(void)arg;
	open_volume(64 * MIB, 8, false);
	first = target;
	slow_down(1000);
	assert_int_equal(rt_group_start(&fibers, "write", write_slowly, &rc), 0);
	rt_yield();
	assert_int_equal(volume_add_target(volume, NULL, 1, &second), 0);
	assert_int_equal(vdisk_read(volume_disk(volume), data, BLOCK, 9 * BLOCK), 0);
	assert_int_equal(data[0], 4);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_int_equal(rc, 0);
	expect_target(first, 1, 0, 1);
	expect_target(second, 0, 0, 0);
	close_volume();
	return 0;
}

#define TEST(name)	static void name(void **state) { (void)state; run(main_##name); }
TEST(notes)
TEST(holds)
TEST(collisions)
TEST(one_gives_up)
TEST(mirror)
TEST(grows)
TEST(logged)
TEST(added_during_write)
TEST(applied)
TEST(stands_by)

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a write is noted for both, and each sends it", notes, NULL, NULL, NULL },
		{ "an answer waits for the release of both", holds, NULL, NULL, NULL },
		{ "old blocks are kept for each that needs them", collisions, NULL, NULL, NULL },
		{ "one gives its attempt up, the other goes on", one_gives_up, NULL, NULL, NULL },
		{ "a full mirror beside a session", mirror, NULL, NULL, NULL },
		{ "both grow with the volume", grows, NULL, NULL, NULL },
		{ "a region leaves the log when neither needs it", logged, NULL, NULL, NULL },
		{ "what is applied is noted, but not for where it comes from", applied, NULL, NULL, NULL },
		{ "one that stands by forgets what was passed on", stands_by, NULL, NULL, NULL },
		{ "one that is added misses no write", added_during_write, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
