/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a journal: as documented, and what becomes of them when they are damaged. Whatever is changed behind
 * its back, the journal is either refused by name with nothing changed, or says what it said before; a block is never
 * read as something else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>

#include <cmocka.h>

#include "journal_check.h"
#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "store/journal_format.h"

#define SEGMENT		(64u << 10)
#define FILES_MAX	8u
#define ID		UINT64_C(0x1122334455667788)

/* ---- golden bytes, made by another program from docs/disk-format.md ---- */

static void headers_are_as_documented(void **state)
{
	static const uint8_t golden[] = {
		0x58, 0x44, 0x4a, 0x53, 0xbe, 0x1e, 0x3e, 0xc3, 0x01, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x07, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x31, 0x2d, 0x32, 0x31, 0x30, 0x35, 0x2e, 0x46,
		0x41, 0x31, 0x32, 0x30,
	};
	struct segment_header header = { .segment_bytes = 16u << 20, .slot = 3, .id = ID, .seq = 7,
					 .leg = "1-2105.FA120" }, again;
	uint8_t block[JOURNAL_BLOCK_SIZE];

	(void)state;
	segment_header_encode(&header, block);
	assert_memory_equal(block, golden, sizeof(golden));
	for (size_t i = sizeof(golden); i < sizeof(block); i++)
		assert_int_equal(block[i], 0);
	assert_null(segment_header_decode(block, &again));
	assert_int_equal(again.segment_bytes, header.segment_bytes);
	assert_int_equal(again.slot, header.slot);
	assert_int_equal(again.id, header.id);
	assert_int_equal(again.seq, header.seq);
	assert_int_equal(again.keeps, header.keeps);
	assert_string_equal(again.leg, header.leg);
}

static void data_are_as_documented(void **state)
{
	static const uint8_t golden[] = {
		0x58, 0x44, 0x4a, 0x52, 0x8f, 0xcd, 0xad, 0x48, 0x01, 0x00, 0x00, 0x00,
		0x48, 0x20, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x30, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x9a, 0x78, 0x56, 0x34, 0x12, 0x00, 0x00, 0x00,
		0x00, 0x15, 0x02, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0xe9, 0x51, 0x72, 0x05, 0x02, 0x58, 0xbd, 0x6f,
	};
	static const uint8_t golden_zero[] = {
		0x58, 0x44, 0x4a, 0x52, 0x23, 0x1a, 0xd6, 0xa2, 0x01, 0x00, 0x01, 0x00,
		0x40, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x30, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x15, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00,
	};
	struct record record = { .kind = RECORD_DATA, .body = 8, .seq = 7, .offset = 12288, .durable = 8192, .tag = 5,
				 .block = 0x123456789a, .volume = 0x1500, .blocks = 2 }, again;
	uint8_t *bytes = mem_alloc_zeroed(3 * BLOCK);
	struct run run;

	(void)state;
	memset(bytes + 72, 'A', BLOCK);
	memset(bytes + 72 + BLOCK, 'B', BLOCK);
	assert_int_equal(record_data_at(2), 72);
	record.length = record_data_length(2, false);
	record_put_sums(bytes + 64, bytes + 72, 2);
	record_encode(&record, ID, bytes);
	assert_memory_equal(bytes, golden, sizeof(golden));
	assert_true(record_decode(bytes, 7, 12288, 3 * BLOCK, &again));
	assert_true(record_is_whole(&again, ID, bytes));
	assert_false(record_is_whole(&again, ID + 1, bytes));
	assert_true(record_check_sums(bytes + 64, bytes + 72 + BLOCK, 1, 1));
	assert_false(record_check_sums(bytes + 64, bytes + 72 + BLOCK, 0, 1));
	assert_false(record_decode(bytes, 8, 12288, 3 * BLOCK, &again));	/* of another use */
	assert_false(record_decode(bytes, 7, 12296, 3 * BLOCK, &again));	/* of another place */
	assert_false(record_decode(bytes, 7, 12288, 2 * BLOCK, &again));	/* beyond the end */
	run = record_entry(&record, 3);
	assert_int_equal(run.key, UINT64_C(0x1500) << 48 | 0x123456789a);
	mem_free(bytes);

	record = (struct record){ .kind = RECORD_DATA, .zero = true, .length = 64, .seq = 7, .offset = 12288,
				  .durable = 8192, .tag = 5, .block = 9, .volume = 0x1500, .blocks = 256 };
	bytes = mem_alloc(64);
	record_encode(&record, ID, bytes);
	assert_memory_equal(bytes, golden_zero, sizeof(golden_zero));
	mem_free(bytes);
}

static void states_are_as_documented(void **state)
{
	static const uint8_t golden[] = {
		0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x70, 0x00, 0x00, 0x00, 0x32, 0x31, 0x30, 0x37, 0x2e, 0x46, 0x42, 0x31,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xe8, 0x03, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0xe9, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x04, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x4d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0xef, 0xcd, 0xab, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
		0x05, 0x00, 0x00, 0x00, 0x32, 0x31, 0x30, 0x35, 0x2e, 0x46, 0x41, 0x31,
		0x32, 0x30, 0x3a, 0x31, 0x35, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x15, 0x01, 0x15, 0xff, 0xff, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c,
		0x6f, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x00,
		0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00,
	};
	static const uint16_t volumes[] = { 0x1500, 0x1501, 0xffff };
	struct journal_numbers numbers = { .committed = 8, .prepared = 9, .applied = 6, .incarnation = 4, .epoch = 12,
					   .decision = 8, .decided = true, .forced = true, .initiator = "2107.FB1" };
	struct journal_cg cg = { .number = 9, .session_time_us = 1000, .wall_time_us = 1001, .incarnation = 4,
				 .member_version = 2, .frames = 77, .digest = 0xabcdef, .master = "2105.FA120:15",
				 .volume_count = 3, .volumes = volumes, .member_bytes = 5, .members = "hello" };
	struct segment_entry entry = { .slot = 2, .index_at = 40960, .seq = 5, .last_tag = 8 }, entry_again;
	struct state_view view;
	uint8_t body[sizeof(golden)];

	(void)state;
	assert_int_equal(state_size(&numbers, NULL, &cg, 1), sizeof(golden));
	segment_entry_encode(&entry, state_encode(&numbers, NULL, &cg, 1, body));
	assert_memory_equal(body, golden, sizeof(golden));
	assert_int_equal(state_decode(body, sizeof(body), &view), 0);
	assert_true(view.numbers.committed == 8 && view.numbers.prepared == 9 && view.numbers.applied == 6);
	assert_true(view.numbers.incarnation == 4 && view.numbers.epoch == 12 && view.numbers.decision == 8);
	assert_true(view.numbers.decided && view.numbers.forced);
	assert_string_equal(view.numbers.initiator, "2107.FB1");
	assert_null(view.committed);
	assert_int_equal(view.prepared->number, 9);
	assert_int_equal(view.prepared->digest, 0xabcdef);
	assert_memory_equal(view.prepared->volumes, volumes, sizeof(volumes));
	assert_memory_equal(view.prepared->members, "hello", 5);
	assert_int_equal(view.segments, 1);
	segment_entry_decode(view.list, &entry_again);
	assert_memory_equal(&entry, &entry_again, sizeof(entry));
	mem_free(view.prepared);
	for (uint32_t len = 0; len < sizeof(body); len++)
		assert_int_equal(state_decode(body, len, &view), -EBADMSG);
}

static void index_entries_are_as_documented(void **state)
{
	static const uint8_t golden[] = {
		0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x15, 0x00, 0x30, 0x00, 0x00,
		0x03, 0x00, 0x00, 0x00, 0x07, 0x02, 0x0b, 0x00, 0x00, 0x00, 0x00, 0x00,
	};
	struct run run = run_make(UINT64_C(0x1500) << 48 | 0x10, UINT64_C(3) << 32 | 12288, 5, true, 2, 8), again;
	uint8_t bytes[INDEX_ENTRY_SIZE];

	(void)state;
	index_entry_encode(&run, bytes);
	assert_memory_equal(bytes, golden, sizeof(golden));
	index_entry_decode(bytes, &again);
	assert_memory_equal(&run, &again, sizeof(run));
	assert_true(run_tag(&again) == 5 && run_is_zero(&again) && run_skip(&again) == 2 && run_blocks(&again) == 8);
}

/* ---- damage ---- */

#define SHOWN	40u

struct images {
	uint8_t bytes[FILES_MAX][SEGMENT];
	unsigned count;
};
static struct images whole, changed;

static const char *path_of(unsigned slot)
{
	static char path[64];

	snprintf(path, sizeof(path), "/" LEG "-%04u.seg", slot);
	return path;
}

static void take_images(struct images *images)
{
	struct rt_file_info info;

	for (images->count = 0; rt_path_info(path_of(images->count), &info) == 0; images->count++) {
		CHECK(images->count < FILES_MAX);
		CHECK_EQUAL(sim_peek(sim_outside(sim_world()), path_of(images->count), images->bytes[images->count],
				     SEGMENT, 0), 0);
	}
}

static void put_back(void)
{
	for (unsigned slot = 0; slot < whole.count; slot++)
		CHECK_EQUAL(sim_poke(sim_outside(sim_world()), path_of(slot), whole.bytes[slot], SEGMENT, 0), 0);
}

static unsigned newest_slot(void)
{
	unsigned newest = 0;

	for (unsigned slot = 1; slot < whole.count; slot++) {
		if (get_le64(whole.bytes[slot] + SEGMENT_SEQ_AT) > get_le64(whole.bytes[newest] + SEGMENT_SEQ_AT))
			newest = slot;
	}
	return newest;
}

/* The kinds of the newest segment's records, in order. */
static void list_kinds(char *kinds)
{
	const uint8_t *bytes = whole.bytes[newest_slot()];
	uint64_t seq = get_le64(bytes + SEGMENT_SEQ_AT);
	uint32_t offset = SEGMENT_RECORDS_AT;
	struct record record;

	while (record_decode(bytes + offset, seq, offset, SEGMENT - offset, &record)) {
		*kinds++ = " DSIM"[record.kind];
		offset += record.length;
	}
	*kinds = 0;
}

/* Some CGs applied, one committed over three segments, one prepared, data above it. */
static void make_journal(void)
{
	struct journal *journal = open_journal("/");
	char letter = 'a', kinds[100];

	for (uint64_t n = 1; n <= 5; n++) {
		for (uint64_t at = 0; at < (n == 3 ? 14 : 3); at++, letter = letter == 'z' ? 'a' : (char)(letter + 1))
			CHECK_EQUAL(append(journal, n, 1, (at * 7 + n) % 37, 2, at == 2 ? '0' : letter), 0);
		if (n == 5)
			break;
		CHECK_EQUAL(prepare(journal, n), 0);
		if (n == 4)
			continue;
		CHECK_EQUAL(commit_cg(journal, n), 0);
		if (n == 1)
			apply_all(journal);
	}
	journal_close(journal);
	take_images(&whole);
	/* The prepare record is in the newest one, behind data and before data. */
	list_kinds(kinds);
	CHECK(strstr(kinds, "DSMD") != NULL);
}

static char shown_committed[SHOWN + 1], shown_prepared[SHOWN + 1];

/* Equal, but for blocks that are known to be damaged; how many. */
static unsigned compare_shown(const char *shown, const char *expected)
{
	unsigned damaged = 0;

	for (unsigned i = 0; i < SHOWN; i++) {
		damaged += shown[i] == '!';
		CHECK(shown[i] == '!' || shown[i] == expected[i]);
	}
	return damaged;
}

struct outcome {
	unsigned refused, same, blocks;
};

/* Opens what is on the disk now, and looks at all of it. */
static void judge(struct outcome *outcome)
{
	struct journal *journal;
	struct journal_info info;
	char shown[SHOWN + 1];
	unsigned damaged;
	int rc;

	take_images(&changed);
	rc = journal_open("/", LEG, &small_limits, &journal);
	if (rc < 0) {
		static struct images after;
		CHECK_EQUAL(rc, -EBADMSG);
		take_images(&after);
		for (unsigned slot = 0; slot < changed.count; slot++)
			CHECK(memcmp(after.bytes[slot], changed.bytes[slot], SEGMENT) == 0);
		outcome->refused++;
		return;
	}
	info = info_of(journal);
	CHECK(info.committed == 3 && info.prepared == 4 && info.applied == 1 && info.incarnation == 3);
	CHECK_EQUAL(info.highest_tag, 4);
	show(journal, 1, 0, SHOWN, shown);
	damaged = compare_shown(shown, shown_committed);
	CHECK_EQUAL(commit_cg(journal, 4), 0);
	show(journal, 1, 0, SHOWN, shown);
	damaged += compare_shown(shown, shown_prepared);
	journal_close(journal);
	outcome->blocks += damaged > 0;
	outcome->same += damaged == 0;
}

static void remember_shown(void)
{
	struct journal *journal = open_journal("/");

	show(journal, 1, 0, SHOWN, shown_committed);
	CHECK_EQUAL(commit_cg(journal, 4), 0);
	show(journal, 1, 0, SHOWN, shown_prepared);
	CHECK(strcmp(shown_committed, shown_prepared) != 0 && !strchr(shown_prepared, '!'));
	journal_close(journal);
	put_back();
}

static int scenario_flips(void *arg)
{
	struct outcome *outcome = arg;

	make_journal();
	CHECK(whole.count >= 4);
	remember_shown();
	for (unsigned slot = 0; slot < whole.count; slot++) {
		/* The newest one has records of state at multiples of a block. */
		unsigned fine = slot == newest_slot() ? 7 : 97, coarse = slot == newest_slot() ? 97 : 331;

		for (unsigned at = 0; at < SEGMENT; at += at % BLOCK < 256 ? fine : coarse) {
			uint8_t byte = whole.bytes[slot][at] ^ (uint8_t)(1u << at % 8);
			CHECK_EQUAL(sim_poke(sim_outside(sim_world()), path_of(slot), &byte, 1, at), 0);
			judge(outcome);
			put_back();
		}
	}
	return 0;
}

static void a_flipped_bit_is_never_believed(void **state)
{
	struct outcome outcome = { 0 };

	(void)state;
	in_sim(1, scenario_flips, &outcome);
	print_message("# %u refused, %u with a damaged block, %u not touched\n", outcome.refused, outcome.blocks,
		      outcome.same);
	CHECK(outcome.refused > 30 && outcome.blocks > 100 && outcome.same > 100);
}

/* Whole blocks that became zeros, garbage, or what another block holds. */
static int scenario_blocks(void *arg)
{
	struct outcome *outcome = arg;
	uint8_t block[BLOCK];

	make_journal();
	remember_shown();
	for (unsigned i = 0; i < whole.count * SEGMENT / BLOCK; i++) {
		for (unsigned how = 0; how < 3; how++) {
			memset(block, how ? 0xa5 : 0, sizeof(block));
			if (how == 2)
				memcpy(block, whole.bytes[i % 3] + (i * 5 % 16) * BLOCK, BLOCK);
			CHECK_EQUAL(sim_poke(sim_outside(sim_world()), path_of(i / 16), block, BLOCK,
					     i % 16 * BLOCK), 0);
			judge(outcome);
			put_back();
		}
	}
	return 0;
}

static void a_lost_block_is_never_believed(void **state)
{
	struct outcome outcome = { 0 };

	(void)state;
	in_sim(2, scenario_blocks, &outcome);
	CHECK(outcome.refused > 10 && outcome.blocks > 10 && outcome.same > 10);
}

static void set_size(unsigned slot, uint64_t size)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path_of(slot), RT_FILE_WRITE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, size), 0);
	rt_file_close(file);
}

static int refused(const char *leg)
{
	struct journal *journal;

	return journal_open("/", leg, &small_limits, &journal) == -EBADMSG;
}

static int scenario_files(void *arg)
{
	char path[64];

	(void)arg;
	make_journal();
	for (unsigned slot = 0; slot < whole.count; slot++) {
		for (uint64_t size = 0; size < SEGMENT; size += 8192 - 512) {
			set_size(slot, size);
			CHECK(refused(LEG));
		}
		set_size(slot, SEGMENT);
		put_back();
	}
	for (unsigned slot = 0; slot + 1 < whole.count; slot++) {
		CHECK_EQUAL(rt_path_rename(path_of(slot), "/kept"), 0);		/* missing: a gap */
		CHECK(refused(LEG));
		CHECK_EQUAL(rt_path_rename("/kept", path_of(slot)), 0);
		CHECK_EQUAL(sim_poke(sim_outside(sim_world()), path_of(slot), whole.bytes[slot + 1], SEGMENT, 0), 0);
		CHECK(refused(LEG));						/* of another place */
		put_back();
	}
	for (unsigned slot = 0; slot < whole.count; slot++) {			/* of another leg */
		snprintf(path, sizeof(path), "/2-2105.FA121-%04u.seg", slot);
		CHECK_EQUAL(rt_path_rename(path_of(slot), path), 0);
	}
	CHECK(refused("2-2105.FA121"));
	return 0;
}

static void files_that_are_not_its_own_are_refused(void **state)
{
	(void)state;
	in_sim(3, scenario_files, NULL);
}

/* ---- files that are gone ---- */

static int open_made(char fault[JOURNAL_FAULT_MAX])
{
	struct journal *journal;
	int rc = journal_open_made("/", LEG, &small_limits, fault, &journal);

	if (!rc)
		journal_close(journal);
	return rc;
}

/* In each state that a journal goes through, each file of it that is needed is missed when it is gone. */
static int scenario_gone(void *arg)
{
	unsigned *missed = arg;
	char fault[JOURNAL_FAULT_MAX];
	struct journal *journal = open_journal("/");
	uint64_t tag = 1;

	for (unsigned round = 0; round < 60; round++) {
		struct journal_info before;

		CHECK_EQUAL(append(journal, tag, 0x1500, round % 5, 5, 'a'), 0);
		if (round % 3 == 2) {
			CHECK_EQUAL(prepare(journal, tag), 0);
			CHECK_EQUAL(commit_cg(journal, tag), 0);
			if (round % 9 == 8)
				apply_all(journal);
			tag++;
		}
		before = info_of(journal);
		journal_close(journal);
		take_images(&whole);
		for (unsigned slot = 0; slot < whole.count; slot++) {
			CHECK_EQUAL(rt_path_rename(path_of(slot), "/kept"), 0);
			if (!open_made(fault)) {
				journal = open_journal("/");
				CHECK(info_of(journal).committed == before.committed &&
				      info_of(journal).unapplied_bytes == before.unapplied_bytes);
				journal_close(journal);
			} else {
				CHECK(strstr(fault, "the file is missing"));
				(*missed)++;
			}
			CHECK_EQUAL(rt_path_rename("/kept", path_of(slot)), 0);
			put_back();
		}
		journal = open_journal("/");
	}
	journal_close(journal);
	return 0;
}

static void a_file_that_is_needed_is_missed(void **state)
{
	unsigned missed = 0;

	(void)state;
	in_sim(5, scenario_gone, &missed);
	print_message("# %u missed\n", missed);
	CHECK(missed > 60);
}

static int scenario_vanished(void *arg)
{
	char fault[JOURNAL_FAULT_MAX];

	(void)arg;
	CHECK_EQUAL(open_made(fault), -ENOENT);		/* it never was */
	make_journal();
	CHECK_EQUAL(open_made(fault), 0);
	CHECK_EQUAL(fault[0], '\0');
	CHECK_EQUAL(journal_remove("/", LEG), 0);
	CHECK_EQUAL(open_made(fault), -ENOENT);
	CHECK(strstr(fault, "gone"));
	take_images(&whole);
	CHECK_EQUAL(whole.count, 0);
	return 0;
}

static void a_journal_that_is_gone_is_not_made_anew(void **state)
{
	(void)state;
	in_sim(6, scenario_vanished, NULL);
}

/* ---- records that are sealed rightly and say what cannot be: refused or harmless, never a crash ---- */

static void open_and_use(struct outcome *outcome)
{
	struct journal *journal;
	char shown[SHOWN + 1];
	int rc = journal_open("/", LEG, &small_limits, &journal);

	if (rc < 0) {
		CHECK_EQUAL(rc, -EBADMSG);
		outcome->refused++;
		return;
	}
	outcome->same++;
	show(journal, 1, 0, SHOWN, shown);
	rc = commit_cg(journal, info_of(journal).prepared);
	CHECK(rc == 0 || rc == -EINVAL || rc == -ESTALE);
	show(journal, 1, 0, SHOWN, shown);
	rc = append(journal, 1000, 1, 0, 2, 'x');
	CHECK(rc == 0 || rc == -ESTALE || rc == -ENOSPC);
	journal_close(journal);
}

/* Changes a byte of the record and seals it again. */
static void try_sealed(unsigned slot, uint32_t offset, uint32_t at, uint8_t with, struct outcome *outcome)
{
	static uint8_t bytes[SEGMENT];
	uint64_t id = get_le64(whole.bytes[slot] + SEGMENT_ID_AT);
	uint8_t *record = bytes + offset, first[8], zero[4] = { 0 };
	uint32_t body, crc;

	memcpy(bytes, whole.bytes[slot], SEGMENT);
	record[at] ^= with;
	body = get_le32(record + RECORD_BODY_AT);
	if (body > SEGMENT - offset - RECORD_HEADER_SIZE)
		body = SEGMENT - offset - RECORD_HEADER_SIZE;
	put_le64(first, id);
	crc = crc32c(crc32c(0, first, 8), record, RECORD_CRC_AT);
	crc = crc32c(crc32c(crc, zero, 4), record + 8, RECORD_HEADER_SIZE - 8 + body);
	put_le32(record + RECORD_CRC_AT, crc);
	CHECK_EQUAL(sim_poke(sim_outside(sim_world()), path_of(slot), bytes, SEGMENT, 0), 0);
	open_and_use(outcome);
	put_back();
}

static int scenario_sealed(void *arg)
{
	struct outcome *outcome = arg;
	static const uint8_t with[] = { 0x01, 0x80, 0xff };

	make_journal();
	for (unsigned slot = 0; slot < whole.count; slot++) {
		uint64_t seq = get_le64(whole.bytes[slot] + SEGMENT_SEQ_AT);
		uint32_t offset = SEGMENT_RECORDS_AT;
		struct record record;

		while (record_decode(whole.bytes[slot] + offset, seq, offset, SEGMENT - offset, &record)) {
			uint32_t end = RECORD_HEADER_SIZE + (record.body < 400 ? record.body : 400);
			unsigned step = record.kind == RECORD_DATA ? 11 : record.kind == RECORD_INDEX ? 7 : 2;
			for (uint32_t at = 8; at < end; at += step)
				try_sealed(slot, offset, at, with[(at + offset / 8) % 3], outcome);
			offset += record.length;
			if (record.kind == RECORD_INDEX || offset + RECORD_HEADER_SIZE > SEGMENT)
				break;
		}
	}
	return 0;
}

static void sealed_nonsense_is_refused_or_harmless(void **state)
{
	struct outcome outcome = { 0 };

	(void)state;
	in_sim(4, scenario_sealed, &outcome);
	print_message("# %u refused, %u opened\n", outcome.refused, outcome.same);
	CHECK(outcome.refused > 100 && outcome.same > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_as_documented),
		cmocka_unit_test(data_are_as_documented),
		cmocka_unit_test(states_are_as_documented),
		cmocka_unit_test(index_entries_are_as_documented),
		cmocka_unit_test(a_flipped_bit_is_never_believed),
		cmocka_unit_test(a_lost_block_is_never_believed),
		cmocka_unit_test(files_that_are_not_its_own_are_refused),
		cmocka_unit_test(a_file_that_is_needed_is_missed),
		cmocka_unit_test(a_journal_that_is_gone_is_not_made_anew),
		cmocka_unit_test(sealed_nonsense_is_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
