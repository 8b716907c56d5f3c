/* SPDX-License-Identifier: Apache-2.0 */
/* journal_check.h - what the tests of the journal share: a small journal, appends with a letter in every byte. */
#ifndef XDC_TESTS_JOURNAL_CHECK_H
#define XDC_TESTS_JOURNAL_CHECK_H

#include <string.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "sim_check.h"
#include "store/journal.h"

#define BLOCK	JOURNAL_BLOCK_SIZE
#define LEG	"1-2105.FA120"

static const struct journal_limits small_limits = { .bytes = 1 << 20, .segment_bytes = 64 << 10, .runs = 100000 };

static inline struct journal *open_journal(const char *folder)
{
	struct journal *journal;

	CHECK_EQUAL(journal_open(folder, LEG, &small_limits, &journal), 0);
	return journal;
}

static inline struct journal *reopen_journal(struct journal *journal, const char *folder)
{
	journal_close(journal);
	return open_journal(folder);
}

/* count blocks from first on, all bytes the letter; '0': zeros, as such. */
static inline int append_run(struct journal *journal, uint64_t tag, uint16_t volume, uint64_t first, uint32_t count,
			     char letter)
{
	MEM_OWNED uint8_t *buf = mem_alloc(count * BLOCK);

	memset(buf, letter, count * BLOCK);
	return journal_append(journal, volume, first * BLOCK, count * BLOCK, tag, letter == '0' ? NULL : buf);
}

/* The same in pieces of at most two blocks, as small segments want it. */
static inline int append(struct journal *journal, uint64_t tag, uint16_t volume, uint64_t first, uint32_t count,
			 char letter)
{
	int rc = 0;

	for (uint32_t at = 0; rc == 0 && at < count; at += 2)
		rc = append_run(journal, tag, volume, first + at, count - at < 2 ? count - at : 2, letter);
	return rc;
}

#define MASTER_INCARNATION	3u

static inline int prepare(struct journal *journal, uint64_t number)
{
	static const uint16_t volumes[] = { 0x1500, 0x1501 };
	struct journal_cg cg = {
		.number = number, .session_time_us = 1000000 * number, .wall_time_us = 1000000 * number + 5,
		.incarnation = MASTER_INCARNATION, .member_version = 9, .frames = 77, .digest = 0x1122334455667788,
		.master = "2105.FA120:15", .volume_count = 2, .volumes = volumes,
		.member_bytes = 5, .members = "hello",
	};

	return journal_prepare(journal, &cg);
}

static inline int commit_cg(struct journal *journal, uint64_t number)
{
	return journal_commit(journal, number, MASTER_INCARNATION);
}

static inline int abort_cg(struct journal *journal, uint64_t number)
{
	return journal_abort(journal, number, MASTER_INCARNATION);
}

/* What shows of count blocks, a letter each: '.' the volume, '0' zeros, '!' damaged, '?' could not be read. */
static inline void show(struct journal *journal, uint16_t volume, uint64_t first, uint32_t count, char *text)
{
	static uint8_t buf[JOURNAL_RUN_MAX];
	uint64_t at = first * BLOCK, end = (first + count) * BLOCK;
	struct journal_run run;

	memset(text, '.', count);
	text[count] = 0;
	for (; at < end && journal_lookup(journal, volume, at, end - at, &run); at = run.offset + run.len) {
		int rc = journal_read(journal, &run, buf);
		CHECK(run.offset >= at && run.len > 0 && run.offset + run.len <= end && run.volume == volume);
		CHECK(rc == 0 || rc == -EBADMSG || rc == -EIO);
		for (uint32_t i = 0; i < run.len / BLOCK; i++) {
			uint8_t byte = buf[i * BLOCK];
			char letter = byte ? (char)byte : '0';
			for (uint32_t b = 0; rc == 0 && b < BLOCK; b++)
				CHECK_EQUAL(buf[i * BLOCK + b], byte);
			if (rc == 0 && run.zero)
				CHECK_EQUAL(byte, 0);
			text[run.offset / BLOCK - first + i] = rc == -EIO ? '?' : rc < 0 ? '!' : letter;
		}
	}
}

static inline void check_shows(struct journal *journal, uint16_t volume, const char *expected)
{
	char text[300];

	show(journal, volume, 0, (uint32_t)strlen(expected), text);
	if (strcmp(text, expected) != 0) {
		fprintf(stderr, "%s instead of %s\n", text, expected);
		CHECK(!"the content is as expected");
	}
}

static inline struct journal_info info_of(const struct journal *journal)
{
	struct journal_info info;

	journal_get_info(journal, &info);
	return info;
}

/* Brings everything committed to nowhere; the number of runs. */
static inline unsigned apply_all(struct journal *journal)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	struct journal_run run;
	unsigned runs = 0;
	int rc;

	do {
		while ((rc = journal_apply_next(journal, &run, buf)) == 1)
			runs++;
		CHECK_EQUAL(rc, 0);
		CHECK_EQUAL(journal_apply_done(journal, run.up_to), 0);
	} while (run.up_to < info_of(journal).committed);
	return runs;
}

#endif
