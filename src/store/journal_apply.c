/* SPDX-License-Identifier: Apache-2.0 */
/* Getting content out again: to the target volumes, and for reads that come before it is there. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/journal_private.h"

#define KEY_BLOCK_MASK	((UINT64_C(1) << 48) - 1)

/* Not when the segment has begun a new life while it was read: then it is as it should be. */
static int damaged(struct journal *journal, uint64_t place, uint64_t seq, const char *fault)
{
	if (journal->segments[place >> 32].seq != seq)
		return -EAGAIN;
	journal_note_fault(journal, "%s-%04u.seg is damaged: the record at %u: %s", journal->leg,
			   (unsigned)(place >> 32), (unsigned)place, fault);
	return -EBADMSG;
}

int journal_read_run(struct journal *journal, const struct run *run, uint64_t seq, uint8_t *buf)
{
	uint32_t slot = (uint32_t)(run->place >> 32), offset = (uint32_t)run->place;
	uint32_t room = journal->limits.segment_bytes - offset, skip = run_skip(run);
	size_t len = (size_t)run_blocks(run) * JOURNAL_BLOCK_SIZE;
	uint8_t head[RECORD_HEADER_SIZE + 4 * JOURNAL_RUN_MAX / JOURNAL_BLOCK_SIZE];
	struct rt_file *file = journal->segments[slot].file;
	uint32_t head_len = room < sizeof(head) ? room : (uint32_t)sizeof(head);
	struct record record;
	ssize_t got;

	got = rt_file_read(file, head, head_len, offset);
	if (got < 0)
		return (int)got;
	if (got != (ssize_t)head_len || !record_decode(head, seq, offset, room, &record) ||
	    !record_has_blocks(record.kind) || record.zero || !record_is_whole(&record, journal->id, head))
		return damaged(journal, run->place, seq, "it is not the data record that should be there");
	if (skip + run_blocks(run) > record.blocks)
		return damaged(journal, run->place, seq, "it is shorter than the index says");
	got = rt_file_read(file, buf, len,
			   (uint64_t)offset + record_data_at(record.blocks) + (uint64_t)skip * JOURNAL_BLOCK_SIZE);
	if (got < 0)
		return (int)got;
	if (got != (ssize_t)len || !record_check_sums(head + RECORD_HEADER_SIZE, buf, skip, run_blocks(run)))
		return damaged(journal, run->place, seq, "a block has a wrong checksum");
	return 0;
}

/* ---- to the volumes ---- */

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void journal_begin_pass(struct journal *journal)
{
	journal->pass = journal->numbers.committed;
	journal->cursor = 0;
	journal->pass_ended = false;
	journal->before_above = journal->numbers.applied;
	journal->before_cursor = 0;
}

/* The piece from this key on, of what the pass brings; no longer than the room. False: none before last. */
static bool find_piece(const struct journal *journal, uint64_t cursor, uint64_t last, uint64_t room_bytes,
		       struct run *piece)
{
	if (!journal_find_content(&journal->layers, cursor, last, journal->numbers.applied, journal->pass, piece))
		return false;
	*piece = run_part(piece, piece->key, lower(run_end(piece), piece->key + room_bytes / JOURNAL_BLOCK_SIZE));
	return true;
}

/* Pieces that follow one another are one run. The key behind the last one is the next cursor. */
static uint64_t choose_run(const struct journal *journal, struct journal_run *run)
{
	uint64_t cursor = journal->cursor, last = UINT64_MAX;
	struct run piece;

	while (run->len < JOURNAL_RUN_MAX && find_piece(journal, cursor, last, JOURNAL_RUN_MAX - run->len, &piece)) {
		if (run->len == 0) {
			run->volume = (uint16_t)(piece.key >> 48);
			run->offset = (piece.key & KEY_BLOCK_MASK) * JOURNAL_BLOCK_SIZE;
			run->zero = run_is_zero(&piece);
			last = (uint64_t)run->volume << 48 | KEY_BLOCK_MASK;
		} else if (piece.key != cursor || run_is_zero(&piece) != run->zero) {
			break;
		}
		run->len += run_blocks(&piece) * JOURNAL_BLOCK_SIZE;
		cursor = run_end(&piece);
	}
	return cursor;
}

static int read_chosen(struct journal *journal, const struct journal_run *run, uint8_t *buf)
{
	uint64_t cursor = (uint64_t)run->volume << 48 | run->offset / JOURNAL_BLOCK_SIZE;
	struct run piece;
	int rc = 0;

	for (uint32_t done = 0; done < run->len && !rc; done += run_blocks(&piece) * JOURNAL_BLOCK_SIZE) {
		bool found = find_piece(journal, cursor, UINT64_MAX, run->len - done, &piece);

		assert(found && piece.key == cursor);
		rc = journal_read_run(journal, &piece, journal->segments[piece.place >> 32].seq, buf + done);
		cursor = run_end(&piece);
	}
	return rc;
}

int journal_apply_next(struct journal *journal, struct journal_run *run, void *buf)
{
	int rc;

	if (journal->failed)
		return -EIO;
	if (journal->pass == 0 && journal->numbers.committed > journal->numbers.applied)
		journal_begin_pass(journal);
	*run = (struct journal_run){ .up_to = journal->pass ? journal->pass : journal->numbers.applied };
	if (journal->pass == 0)
		return 0;
	/* Chosen before this fiber suspends: what another one asks for meanwhile lies behind. */
	journal->cursor = choose_run(journal, run);
	journal->pass_ended = run->len == 0;
	rc = run->zero || !run->len ? 0 : read_chosen(journal, run, buf);
	return rc ? rc : run->len > 0;
}

void journal_apply_begin(struct journal *journal)
{
	if (journal->pass == 0 && journal->numbers.committed > journal->numbers.applied)
		journal_begin_pass(journal);
}

void journal_apply_again(struct journal *journal)
{
	journal->pass = 0;
}

/* ---- reading through ---- */

struct journal_run journal_make_run(const struct journal *journal, const struct run *piece)
{
	return (struct journal_run){
		.volume = (uint16_t)(piece->key >> 48),
		.zero = run_is_zero(piece),
		.len = run_blocks(piece) * JOURNAL_BLOCK_SIZE,
		.offset = (piece->key & KEY_BLOCK_MASK) * JOURNAL_BLOCK_SIZE,
		.place = piece->place | (uint64_t)run_skip(piece) << 56,
		.segment = journal->segments[piece->place >> 32].seq,
	};
}

static bool lookup(const struct journal *journal, uint16_t volume, uint64_t offset, uint64_t len, uint64_t up_to,
		   struct journal_run *run)
{
	uint64_t from = (uint64_t)volume << 48 | offset / JOURNAL_BLOCK_SIZE;
	struct run piece;

	assert(offset % JOURNAL_BLOCK_SIZE == 0 && len % JOURNAL_BLOCK_SIZE == 0);
	assert(offset / JOURNAL_BLOCK_SIZE + len / JOURNAL_BLOCK_SIZE <= KEY_BLOCK_MASK);
	if (!journal_find_content(&journal->layers, from, from + len / JOURNAL_BLOCK_SIZE, journal->numbers.applied,
				  up_to, &piece))
		return false;
	*run = journal_make_run(journal, &piece);
	run->up_to = up_to;
	return true;
}

bool journal_lookup(const struct journal *journal, uint16_t volume, uint64_t offset, uint64_t len,
		    struct journal_run *run)
{
	return lookup(journal, volume, offset, len, journal->numbers.committed, run);
}

int journal_lookup_next(const struct journal *journal, uint16_t volume, uint64_t offset, uint64_t len, uint64_t number,
			struct journal_run *run)
{
	const struct journal_numbers *numbers = &journal->numbers;

	if (journal->failed)
		return -EIO;
	if (numbers->epoch || number <= numbers->committed || number <= numbers->prepared)
		return -ESTALE;
	return lookup(journal, volume, offset, len, number, run);
}

int journal_read(struct journal *journal, const struct journal_run *run, void *buf)
{
	uint64_t place = run->place & ~(UINT64_C(0xff) << 56);
	struct run piece = run_make(0, place, 0, run->zero, (uint32_t)(run->place >> 56),
				    run->len / JOURNAL_BLOCK_SIZE);
	const struct segment *segment = &journal->segments[place >> 32];
	int rc = 0;

	if (run->zero) {
		memset(buf, 0, run->len);
		return 0;
	}
	if (segment->seq == run->segment)
		rc = journal_read_run(journal, &piece, run->segment, buf);
	/* The segment may have begun a new life while this fiber was suspended. */
	return segment->seq == run->segment ? rc : -EAGAIN;
}
