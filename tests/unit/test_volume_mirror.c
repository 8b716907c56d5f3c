/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The volume's side of a synchronous pair, in simulated time, with a far side that the test plays: what is answered
 * when, who reads what, what the pump has left, and what becomes of it when the far side is not reached.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "volume/mirror.h"
#include "volume_check.h"

/* The far side: each step waits until the test lets it. */
static struct far {
	struct volume_mirror mirror;
	struct rt_cond let;
	unsigned begun, ended, given_up, flushes;
	bool arrives, answers;		/* writes end; those who give up are told */
	int write_error, give_up_error, flush_error;
	uint64_t offset, len, noted;	/* of the last write */
	uint8_t first_byte;
} far;

static void wait_for(const bool *let)
{
	while (!*let)
		assert_int_equal(rt_cond_wait(&far.let), 0);
}

static void let(bool *what)
{
	*what = true;
	rt_cond_wake_all(&far.let);
	settle();
}

static int begin_write(struct volume_mirror *mirror, struct volume_mirror_write *write)
{
	assert_ptr_equal(mirror, &far.mirror);
	far.begun++;
	far.offset = write->offset;
	far.len = write->len;
	far.noted = write->noted;
	far.first_byte = write->buf ? *(const uint8_t *)write->buf : 0;
	return 0;
}

static int end_write(struct volume_mirror *mirror, struct volume_mirror_write *write)
{
	(void)mirror;
	(void)write;
	wait_for(&far.arrives);
	far.ended++;
	return far.write_error;
}

static int give_up(struct volume_mirror *mirror)
{
	if (!mirror->held)
		volume_hold_mirror(target, mirror, 0);
	wait_for(&far.answers);
	far.given_up++;
	return far.give_up_error;
}

static uint64_t begin_flush(struct volume_mirror *mirror)
{
	(void)mirror;
	return ++far.flushes;
}

static int end_flush(struct volume_mirror *mirror, uint64_t ticket)
{
	(void)mirror;
	assert_int_equal(ticket, far.flushes);
	return far.flush_error;
}

static const struct volume_mirror_ops ops = {
	.begin = begin_write, .end = end_write, .give_up = give_up, .begin_flush = begin_flush, .end_flush = end_flush,
};

static void open_mirrored(bool full)
{
	far = (struct far){ 0 };
	rt_cond_init(&far.let);
	open_volume(64 * MIB, 8, false);
	volume_mirror_init(&far.mirror, &ops, WAIT_MS * RT_MS);
	volume_set_mirror(target, &far.mirror);
	if (full)
		assert_true(volume_fill_mirror(target, &far.mirror));
}

static void close_mirrored(void)
{
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_int_equal(far.mirror.users, 0);
	volume_set_mirror(target, NULL);
	close_volume();
}

static uint64_t unsent(void)
{
	struct volume_counters counters;

	volume_get_counters(volume, &counters);
	return counters.unsent_blocks;
}

/* Answered when it has arrived, and read no sooner; the pump has nothing to do, a write behind it waits. */
static int main_answered(void *arg)
{
	struct request write = { .block = 3, .value = 7 }, later = { .block = 3, .value = 8 };
	struct request read = { .block = 3, .read = true }, other = { .block = 300, .read = true };

	(void)arg;
	open_mirrored(true);
	begin(&write);
	begin(&read);
	begin(&later);
	begin(&other);
	assert_true(far.begun == 1 && far.offset == 3 * BLOCK && far.len == BLOCK && far.first_byte == 7);
	assert_int_equal(far.noted, 1);
	assert_true(!write.done && !read.done && !later.done && other.done);
	assert_null(next_send(MIB));
	let(&far.arrives);
	assert_true(write.done && write.rc == 0 && read.done && read.value == 7 && later.done && later.rc == 0);
	assert_int_equal(far.begun, 2);
	assert_int_equal(unsent(), 0);
	close_mirrored();
	return 0;
}

/* What did not arrive is the pump's, and answered only when the pair has given its promise up. */
static int main_not_arrived(void *arg)
{
	struct request write = { .block = 3, .value = 7 }, held = { .block = 9, .value = 1 };

	(void)arg;
	open_mirrored(true);
	far.write_error = -ECONNRESET;
	begin(&write);
	let(&far.arrives);
	assert_true(!write.done && far.ended == 1 && unsent() == 1);
	begin(&held);
	assert_true(!held.done && far.begun == 1 && unsent() == 2);
	assert_null(next_send(MIB));
	let(&far.answers);
	assert_true(write.done && write.rc == 0 && held.done && held.rc == 0 && far.given_up == 2);
	volume_go_on_sending(target);
	volume_send_acked(target, expect_send(9, 1, 7, 1));
	volume_send_acked(target, expect_send(3, 1, 7, 7));
	close_mirrored();
	return 0;
}

/* The promise could not be given up: the host has an error. One that refuses lets nothing be written. */
static int main_refused(void *arg)
{
	struct request write = { .block = 3, .value = 7 };

	(void)arg;
	open_mirrored(true);
	far.arrives = far.answers = true;
	far.write_error = -EIO;
	far.give_up_error = -EIO;
	begin(&write);
	assert_true(write.done && write.rc == -EIO);
	volume_hold_mirror(target, &far.mirror, -EIO);
	assert_int_equal(write_block(5, 9), -EIO);
	assert_int_equal(read_block(5), 0);
	assert_int_equal(far.begun, 1);
	close_mirrored();
	return 0;
}

/* One that follows: unsent blocks are only noted; what is on its way is waited for, and then the write is sent. */
static int main_follows(void *arg)
{
	struct request write = { .block = 3, .value = 8 };
	struct volume_send *send;

	(void)arg;
	open_mirrored(false);
	far.arrives = true;
	assert_int_equal(write_block(3, 1), 0);
	assert_int_equal(far.begun, 1);
	assert_int_equal(volume_mark(target, 3 * BLOCK, BLOCK), 0);
	assert_false(volume_fill_mirror(target, &far.mirror));
	assert_int_equal(write_block(3, 2), 0);
	assert_int_equal(far.begun, 1);
	send = expect_send(3, 1, 7, 2);
	begin(&write);
	assert_true(!write.done && far.begun == 1);
	volume_send_acked(target, send);
	settle();
	assert_true(write.done && write.rc == 0 && far.begun == 2);
	assert_true(volume_fill_mirror(target, &far.mirror));
	close_mirrored();
	return 0;
}

/* Full, and something is owed: the write waits for the pump, but not for ever. */
static int main_owed(void *arg)
{
	struct request write = { .block = 3, .value = 7 };

	(void)arg;
	open_mirrored(true);
	far.arrives = far.answers = true;
	assert_int_equal(volume_mark(target, 3 * BLOCK, BLOCK), 0);
	begin(&write);
	assert_false(write.done);
	assert_int_equal(volume_get_backlog(target, 32), VOLUME_BACKLOG_MANY);
	assert_int_equal(rt_group_wait(&fibers), 0);
	assert_true(write.done && write.rc == 0 && far.begun == 0 && far.given_up == 2 && far.mirror.held);
	close_mirrored();
	return 0;
}

/* A flush is one of both sides; when the far side fails, the promise is given up. FUA too. */
static int main_flush(void *arg)
{
	uint8_t data[BLOCK] = { 4 };

	(void)arg;
	open_mirrored(true);
	far.arrives = far.answers = true;
	assert_int_equal(volume_flush(volume), 0);
	assert_int_equal(far.flushes, 1);
	assert_int_equal(volume_write(volume, data, sizeof(data), 0, VOLUME_FUA), 0);
	assert_int_equal(far.flushes, 2);
	far.flush_error = -EIO;
	assert_int_equal(volume_flush(volume), 0);
	assert_true(far.mirror.held && far.given_up == 1);
	far.give_up_error = -EIO;
	assert_int_equal(volume_flush(volume), -EIO);
	close_mirrored();
	return 0;
}

#define TEST(name)	static void name(void **state) { (void)state; run(main_##name); }
TEST(answered)
TEST(not_arrived)
TEST(refused)
TEST(follows)
TEST(owed)
TEST(flush)

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "a write is answered and read when the far side has it", answered, NULL, NULL, NULL },
		{ "what did not arrive is answered when nothing is promised", not_arrived, NULL, NULL, NULL },
		{ "what cannot be given up is an error", refused, NULL, NULL, NULL },
		{ "one that follows sends what it can", follows, NULL, NULL, NULL },
		{ "what is owed comes first", owed, NULL, NULL, NULL },
		{ "a flush is one of both sides", flush, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
