/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CGs a journal keeps, and for how long: by time, by size, until room is needed, until a volume leaves; and the
 * bytes on disk. What each of them shows is proved in test_journal_model.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "journal_check.h"
#include "rt_check.h"
#include "store/journal_format.h"

#define FOLDER	"/journals"

static struct journal *make(const struct journal_keep *keep)
{
	struct journal *journal;

	CHECK_EQUAL(rt_path_make_folder(FOLDER), 0);
	journal = open_journal(FOLDER);
	CHECK_EQUAL(journal_set_keep(journal, keep), 0);
	return journal;
}

/* CG n, of its number of seconds, with one block written. */
static void form(struct journal *journal, uint64_t number, uint32_t volume_count)
{
	static const uint16_t volumes[] = { 0x1500, 0x1501 };
	const struct journal_cg cg = {
		.number = number, .session_time_us = 1000000 * number, .incarnation = 1, .master = "2105.FA120:15",
		.volume_count = volume_count, .volumes = volumes,
	};

	CHECK_EQUAL(append_run(journal, number, 0x1500, number % 4, 1, (char)('a' + number % 26)), 0);
	CHECK_EQUAL(journal_prepare(journal, &cg), 0);
	CHECK_EQUAL(journal_commit(journal, number, 1), 0);
}

/* Applies it over volumes whose blocks are all 'v'. */
static void keep_and_apply(struct journal *journal)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	struct journal_before before;
	int rc;

	while ((rc = journal_before_next(journal, &before, buf)) == 1) {
		if (!before.known)
			memset(buf, 'v', before.len);
		CHECK_EQUAL(journal_before_keep(journal, &before, buf), 0);
	}
	CHECK_EQUAL(rc, 0);
	CHECK_EQUAL(journal_before_sync(journal), 0);
	apply_all(journal);
}

/* Newest first. */
static void check_points(struct journal *journal, const uint64_t *numbers, uint32_t count)
{
	struct journal_point points[300];

	CHECK_EQUAL(journal_list_points(journal, UINT64_MAX, points, 300), count);
	for (uint32_t i = 0; i < count; i++)
		CHECK_EQUAL(points[i].number, numbers[i]);
	CHECK_EQUAL(info_of(journal).points, count);
}

static int by_time_in_sim(void *arg)
{
	static const struct journal_keep two_seconds = { .time_us = 2000000 };
	struct journal *journal = make(&two_seconds);
	struct journal_point point;

	(void)arg;
	check_points(journal, NULL, 0);
	for (uint64_t number = 1; number <= 6; number++) {
		form(journal, number, 2);
		keep_and_apply(journal);
	}
	check_points(journal, (const uint64_t[]){ 6, 5, 4 }, 3);
	CHECK(journal_oldest_point(journal, &point) && point.number == 4 && point.bytes == 2 * BLOCK);
	/* Those that are not applied are points, too. */
	form(journal, 7, 2);
	form(journal, 9, 2);
	check_points(journal, (const uint64_t[]){ 9, 7, 6, 5, 4 }, 5);
	journal = reopen_journal(journal, FOLDER);
	CHECK_EQUAL(journal_set_keep(journal, &two_seconds), 0);
	check_points(journal, (const uint64_t[]){ 9, 7, 6, 5, 4 }, 5);
	keep_and_apply(journal);
	check_points(journal, (const uint64_t[]){ 9, 7 }, 2);
	journal_close(journal);
	return 0;
}

static int by_size_in_sim(void *arg)
{
	/* Two of the sixteen segments. */
	static const struct journal_keep keep = { .bytes = 128 << 10 };
	struct journal *journal = make(&keep);
	struct journal_info info;

	(void)arg;
	for (uint64_t number = 1; number <= 60; number++) {
		form(journal, number, 2);
		keep_and_apply(journal);
		/* One more, until the next pass ends. */
		CHECK(info_of(journal).kept_bytes <= 192 << 10);
	}
	info = info_of(journal);
	CHECK(info.points >= 2 && info.oldest_point > 30 && info.points_given_up == 0 && !info.full);
	journal_close(journal);
	return 0;
}

static int until_room_is_needed_in_sim(void *arg)
{
	static const struct journal_keep keep = { .time_us = UINT64_C(1) << 50 };
	struct journal *journal = make(&keep);
	struct journal_info info;

	(void)arg;
	for (uint64_t number = 1; number <= 250; number++) {
		form(journal, number, 2);
		keep_and_apply(journal);
	}
	info = info_of(journal);
	CHECK(info.points > 20 && info.points_given_up > 1 && info.oldest_point == info.points_given_up);
	/* New data take all of it. */
	for (uint64_t block = 0; append_run(journal, 300, 0x1501, block, 1, 'x') == 0; block++)
		CHECK(block < 300);
	info = info_of(journal);
	CHECK(info.full && info.points == 1 && info.oldest_point == 250);
	CHECK(info.used_bytes + 3 * (64 << 10) >= info.limit_bytes);
	journal_close(journal);
	return 0;
}

static int until_a_volume_leaves_in_sim(void *arg)
{
	static const struct journal_keep keep = { .time_us = UINT64_C(1) << 50 };
	struct journal *journal = make(&keep);

	(void)arg;
	form(journal, 1, 1);
	form(journal, 2, 2);
	keep_and_apply(journal);
	check_points(journal, (const uint64_t[]){ 2, 1 }, 2);
	form(journal, 3, 1);
	check_points(journal, (const uint64_t[]){ 3 }, 1);
	keep_and_apply(journal);
	form(journal, 4, 1);
	check_points(journal, (const uint64_t[]){ 4, 3 }, 2);
	journal_close(journal);
	return 0;
}

/*
 * A regression: whoever reads what a point shows, while it is given up and its segments are used anew, was told of a
 * damaged journal, which went offline; he must be told that it is gone.
 */
static int given_up_in_sim(void *arg)
{
	static const struct journal_keep keep = { .bytes = 128 << 10 };
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	struct journal *journal = make(&keep);
	struct journal_past *past;
	struct journal_run run;
	uint64_t cursor = 0;
	unsigned runs = 0;

	(void)arg;
	for (uint64_t number = 1; number <= 4; number++) {
		form(journal, number, 2);
		keep_and_apply(journal);
	}
	CHECK_EQUAL(journal_open_past(journal, 1, &past), 0);
	CHECK(journal_past_next(past, &cursor, &run));
	CHECK_EQUAL(journal_read(journal, &run, buf), 0);
	for (uint64_t number = 5; number <= 200; number++) {
		form(journal, number, 2);
		keep_and_apply(journal);
	}
	CHECK(!journal_is_point(journal, 1));
	for (cursor = 0; journal_past_next(past, &cursor, &run); runs++)
		CHECK_EQUAL(journal_read(journal, &run, buf), -EAGAIN);
	CHECK(runs > 0);
	CHECK(!journal_fault(journal));
	journal_close_past(past);
	journal_close(journal);
	return 0;
}

static int decided_in_sim(void *arg)
{
	static const struct journal_keep keep = { .time_us = UINT64_C(1) << 50 };
	struct journal *journal = make(&keep);

	(void)arg;
	form(journal, 1, 2);
	form(journal, 2, 2);
	CHECK_EQUAL(journal_fence(journal, 5, "2107.FB1"), 0);
	CHECK_EQUAL(journal_decide(journal, 1, 5, "2107.FB1", false), -EAGAIN);
	keep_and_apply(journal);
	CHECK_EQUAL(journal_back_done(journal), -EINVAL);
	CHECK_EQUAL(journal_decide(journal, 3, 5, "2107.FB1", false), -EINVAL);
	CHECK_EQUAL(journal_decide(journal, 1, 5, "2107.FB1", false), 0);
	CHECK(info_of(journal).goes_back && !info_of(journal).back && info_of(journal).committed == 2);
	CHECK_EQUAL(journal_decide(journal, 2, 5, "2107.FB1", false), -EINVAL);
	/* However often it is opened, what it takes stays. */
	for (unsigned i = 0; i < 40; i++)
		journal = reopen_journal(journal, FOLDER);
	CHECK(info_of(journal).goes_back && !info_of(journal).back);
	CHECK_EQUAL(journal_back_done(journal), 0);
	journal = reopen_journal(journal, FOLDER);
	CHECK(info_of(journal).back && info_of(journal).decision == 1 && journal_is_point(journal, 1));
	journal_close(journal);
	return 0;
}

static void by_time(void **state)
{
	(void)state;
	in_sim(1, by_time_in_sim, NULL);
}

static void by_size(void **state)
{
	(void)state;
	in_sim(1, by_size_in_sim, NULL);
}

static void until_room_is_needed(void **state)
{
	(void)state;
	in_sim(1, until_room_is_needed_in_sim, NULL);
}

static void until_a_volume_leaves(void **state)
{
	(void)state;
	in_sim(1, until_a_volume_leaves_in_sim, NULL);
}

static void what_is_given_up_is_not_damaged(void **state)
{
	(void)state;
	in_sim(1, given_up_in_sim, NULL);
}

static void what_is_decided_for_stays(void **state)
{
	(void)state;
	in_sim(1, decided_in_sim, NULL);
}

/* ---- bytes ---- */

static void states_of_such_journals_have_two_numbers_more(void **state)
{
	static const uint8_t golden[] = {
		0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x32, 0x31, 0x30, 0x37, 0x2e, 0x46, 0x42, 0x31, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x11, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	const struct journal_numbers numbers = {
		.committed = 8, .applied = 8, .incarnation = 4, .epoch = 12, .decision = 5, .decided = true,
		.keeps = true, .kept_from = 3, .kept_seq = 17, .back = true, .initiator = "2107.FB1",
	};
	uint8_t body[sizeof(golden)];
	struct state_view view;

	(void)state;
	assert_int_equal(state_size(&numbers, NULL, NULL, 0), sizeof(golden));
	assert_ptr_equal(state_encode(&numbers, NULL, NULL, 0, body), body + sizeof(golden));
	assert_memory_equal(body, golden, sizeof(golden));
	assert_int_equal(state_decode(body, sizeof(body), &view), 0);
	assert_true(view.numbers.keeps && view.numbers.kept_from == 3 && view.numbers.kept_seq == 17);
	assert_true(view.numbers.back && numbers_go_back(&view.numbers));
	/* Gone back to nothing. */
	body[STATE_DECISION_AT] = 8;
	assert_int_equal(state_decode(body, sizeof(body), &view), -EBADMSG);
	assert_int_equal(state_decode(golden, STATE_HEADER_SIZE, &view), -EBADMSG);
}

static void entries_have_a_kind(void **state)
{
	const struct record before = { .kind = RECORD_BEFORE, .tag = 7, .block = 0x123, .volume = 0x1500, .blocks = 2,
				       .offset = 8256 };
	const struct journal_cg cg = { .number = 9, .session_time_us = 1000 };
	const struct run entry = record_entry(&before, 3), point = point_entry(&cg, 3, 12288);
	struct segment_header header = { .segment_bytes = 16u << 20, .id = 1, .keeps = true };
	uint8_t block[JOURNAL_BLOCK_SIZE];

	(void)state;
	assert_true(entry.key == UINT64_C(0x1500000000000123) && entry.place == (UINT64_C(3) << 32 | 8256));
	assert_true(entry.info == (7u << 17 | 1u << 8 | 1u) && entry_kind(&entry) == ENTRY_BEFORE);
	assert_true(point.key == 1000 && point.place == (UINT64_C(3) << 32 | 12288));
	assert_true(point.info == (9u << 17 | 2u << 8) && entry_kind(&point) == ENTRY_POINT);
	segment_header_encode(&header, block);
	assert_int_equal(block[SEGMENT_VERSION_AT], 2);
	assert_null(segment_header_decode(block, &header));
	assert_true(header.keeps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_time),
		cmocka_unit_test(by_size),
		cmocka_unit_test(until_room_is_needed),
		cmocka_unit_test(until_a_volume_leaves),
		cmocka_unit_test(what_is_given_up_is_not_damaged),
		cmocka_unit_test(what_is_decided_for_stays),
		cmocka_unit_test(states_of_such_journals_have_two_numbers_more),
		cmocka_unit_test(entries_have_a_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
