/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/journal_private.h"
#include "store/planted.h"

/*
 * Data may be added while so many segments are free: one to go on in, one for the records that must always find room.
 */
#define SEGMENTS_RESERVED	2u
#define PACE_BYTES		(1u << 20)

static uint32_t align_block(uint32_t value)
{
	return (value + JOURNAL_BLOCK_SIZE - 1) & ~(JOURNAL_BLOCK_SIZE - 1);
}

void journal_segment_path(const char *folder, const char *leg, uint32_t slot, const char *suffix,
			  char path[JOURNAL_PATH_MAX])
{
	int len = snprintf(path, JOURNAL_PATH_MAX, "%s/%s-%04u.seg%s", folder, leg, slot, suffix);

	assert(len > 0 && (unsigned)len < JOURNAL_PATH_MAX);
}

/* Whatever the disk has of what was not yet synced is unknown from here on. */
static int fail(struct journal *journal, const char *what, int rc)
{
	journal_note_fault(journal, "%s-%04u.seg: %s: %s; it refuses everything until it is opened again", journal->leg,
			   journal->current, what, strerror(-rc));
	journal->failed = true;
	return -EIO;
}

/* ---- new segments ---- */

static int write_header(struct journal *journal, struct rt_file *file, uint32_t slot, uint64_t seq, bool keeps,
			uint64_t at)
{
	struct segment_header header = { .segment_bytes = journal->limits.segment_bytes, .slot = slot,
					 .id = journal->id, .seq = seq, .keeps = keeps };
	uint8_t block[JOURNAL_BLOCK_SIZE];

	memcpy(header.leg, journal->leg, sizeof(header.leg));
	segment_header_encode(&header, block);
	return rt_file_write(file, block, sizeof(block), at);
}

/* Under another name until it is whole, so that a segment that has its name has its size and headers. */
static int make_segment_file(struct journal *journal, uint32_t slot, struct rt_file **out)
{
	char fresh[JOURNAL_PATH_MAX], path[JOURNAL_PATH_MAX];
	struct rt_file *file = NULL;
	int rc;

	journal_segment_path(journal->folder, journal->leg, slot, ".new", fresh);
	journal_segment_path(journal->folder, journal->leg, slot, "", path);
	rc = rt_path_unlink(fresh);
	if (rc == 0 || rc == -ENOENT)
		rc = rt_file_open(fresh, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW | RT_FILE_LOCK, &file);
	if (rc < 0)
		return rc;
	rc = rt_file_allocate(file, 0, journal->limits.segment_bytes);
	if (rc == 0)
		rc = write_header(journal, file, slot, 0, journal->numbers.keeps, 0);
	if (rc == 0)
		rc = write_header(journal, file, slot, 0, journal->numbers.keeps, JOURNAL_BLOCK_SIZE);
	if (rc == 0)
		rc = rt_file_sync(file);
	if (rc == 0)
		rc = rt_path_rename(fresh, path);
	if (rc == 0)
		rc = rt_path_sync_folder(journal->folder);
	if (rc < 0) {
		rt_file_close(file);
		/* It may have either name by now; without its entry in memory it would only take space. */
		if (rt_path_unlink(fresh) == -ENOENT && rt_path_unlink(path) < 0)
			log_line(LOG_WARNING, "journal", "%s: cannot be removed", path);
		return rc;
	}
	*out = file;
	return 0;
}

int journal_add_segment(struct journal *journal)
{
	struct segment *segment = &journal->segments[journal->segment_count];
	int rc;

	if (journal->segment_count == journal->segment_max)
		return -ENOSPC;
	*segment = (struct segment){ 0 };
	rc = make_segment_file(journal, journal->segment_count, &segment->file);
	if (rc < 0)
		return rc;
	journal->segment_count++;
	journal->segments_free++;
	return 0;
}

/* ---- from one segment to the next ---- */

static bool run_key_before(const struct run *a, const struct run *b)
{
	if (a->key != b->key)
		return a->key < b->key;
	return run_tag(a) != run_tag(b) ? run_tag(a) < run_tag(b) : a->place < b->place;
}

static int sync_current(struct journal *journal)
{
	int rc = rt_file_sync(journal->segments[journal->current].file);

	return rc < 0 ? fail(journal, "sync", rc) : 0;
}

/* Seals what is in the buffer and writes it to the end of the current segment, with zeros up to its length. */
static int write_record(struct journal *journal, struct record *record)
{
	const struct segment *segment = &journal->segments[journal->current];

	record->seq = segment->seq;
	record->offset = journal->end;
	record->durable = journal->durable;
	assert(record->length <= journal->buffer_size);
	assert(record->length <= journal->limits.segment_bytes - journal->end);
	if (!record_has_blocks(record->kind))
		memset(journal->buffer + RECORD_HEADER_SIZE + record->body, 0,
		       record->length - RECORD_HEADER_SIZE - record->body);
	record_encode(record, journal->id, journal->buffer);
	return rt_file_write(segment->file, journal->buffer, record->length, journal->end);
}

/* It names the segment that comes next, whose file is there: without that, this one would look like the newest. */
static int write_index(struct journal *journal, uint32_t next_slot)
{
	struct record record = { .kind = RECORD_INDEX, .body = journal->entry_count * INDEX_ENTRY_SIZE,
				 .tag = RECORD_NEXT(next_slot) };
	uint8_t *to = journal->buffer + RECORD_HEADER_SIZE;

	run_sort(journal->entries, journal->entry_count, run_key_before);
	for (uint32_t i = 0; i < journal->entry_count; i++)
		index_entry_encode(&journal->entries[i], to + i * INDEX_ENTRY_SIZE);
	record.length = align_block(journal->end + RECORD_HEADER_SIZE + record.body) - journal->end;
	return write_record(journal, &record);
}

static uint64_t lower(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t highest(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint32_t find_free(const struct journal *journal)
{
	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		if (!journal->segments[slot].used)
			return slot;
	}
	return NO_SEGMENT;
}

bool journal_needs_segment(const struct journal *journal, uint32_t slot, const struct rotation *rotation)
{
	const struct segment *segment = &journal->segments[slot];

	return segment->used && (lower(segment->last_tag, rotation->valid_to) > rotation->numbers->applied ||
				 journal_keeps_segment(journal, slot, rotation->numbers));
}

/* The checkpoint of the segment that begins; the list is of those that are closed, the present one among them. */
static void encode_checkpoint(struct journal *journal, const struct rotation *rotation, struct record *record)
{
	uint8_t *to;
	uint32_t count = 0;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++)
		count += journal_needs_segment(journal, slot, rotation);
	record->body = state_size(rotation->numbers, rotation->committed_cg, rotation->prepared_cg, count);
	record->length = align_block(SEGMENT_RECORDS_AT + RECORD_HEADER_SIZE + record->body) - SEGMENT_RECORDS_AT;
	assert(record->length <= journal->buffer_size);
	to = state_encode(rotation->numbers, rotation->committed_cg, rotation->prepared_cg, count,
			  journal->buffer + RECORD_HEADER_SIZE);
	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		const struct segment *segment = &journal->segments[slot];
		struct segment_entry entry = { .slot = slot, .index_at = segment->index_at, .seq = segment->seq,
					       .last_tag = lower(segment->last_tag, rotation->valid_to) };
		if (!journal_needs_segment(journal, slot, rotation))
			continue;
		segment_entry_encode(&entry, to);
		to += ENTRY_SIZE;
	}
	memset(to, 0, record->length - RECORD_HEADER_SIZE - record->body);
	record_encode(record, journal->id, journal->buffer);
}

/* Of a journal that keeps points, from the state record at this offset of the current segment on. */
static void note_point(struct journal *journal, const struct journal_cg *cg, uint32_t offset)
{
	struct run entry = point_entry(cg, journal->current, offset);

	journal->entries[journal->entry_count++] = entry;
	journal_put_point(journal, cg->number, cg->session_time_us, entry.place);
}

/*
 * Second header block and checkpoint first, durably, then the first header block: one of the two always tells the
 * truth, and a first block that tells of this use proves that the checkpoint was whole.
 */
static int begin_segment(struct journal *journal, uint32_t slot, const struct rotation *rotation)
{
	struct rt_file *file = journal->segments[slot].file;
	struct record record = { .kind = RECORD_STATE, .seq = journal->next_seq, .offset = SEGMENT_RECORDS_AT };
	bool keeps = rotation->numbers->keeps;
	int rc;

	encode_checkpoint(journal, rotation, &record);
	rc = write_header(journal, file, slot, record.seq, keeps, JOURNAL_BLOCK_SIZE);
	if (rc == 0)
		rc = rt_file_write(file, journal->buffer, record.length, SEGMENT_RECORDS_AT);
	if (rc == 0)
		rc = rt_file_sync(file);
	if (rc == 0)
		rc = write_header(journal, file, slot, record.seq, keeps, 0);
	if (rc < 0)
		return fail(journal, "next segment", rc);
	journal->segments[slot] = (struct segment){ .file = file, .seq = record.seq, .used = true };
	journal->segments_free--;
	journal->next_seq++;
	journal->current = slot;
	journal->end = SEGMENT_RECORDS_AT + record.length;
	journal->durable = journal->end;
	journal->paced = journal->end;
	journal->entry_count = 0;
	if (keeps && rotation->committed_cg)
		note_point(journal, rotation->committed_cg, SEGMENT_RECORDS_AT);
	return 0;
}

static void free_segments(struct journal *journal, const struct rotation *rotation)
{
	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		struct segment *segment = &journal->segments[slot];
		bool needed = journal_needs_segment(journal, slot, rotation);

		segment->last_tag = lower(segment->last_tag, rotation->valid_to);
		if (!segment->used || slot == journal->current || needed)
			continue;
		segment->used = false;
		journal->segments_free++;
	}
}

void journal_free_segments(struct journal *journal)
{
	struct rotation now = { .numbers = &journal->numbers, .valid_to = UINT64_MAX };

	free_segments(journal, &now);
	journal->full = false;
}

int journal_rotate(struct journal *journal, const struct rotation *rotation)
{
	uint32_t slot;
	int rc = rotation->numbers->keeps ? journal_begin_rotation(journal, rotation) : 0;

	if (rc < 0)
		return rc;
	if (journal->segments_free == 0) {
		rc = journal_add_segment(journal);
		if (rc < 0)
			return rc;
	}
	slot = find_free(journal);
	assert(slot != NO_SEGMENT);
	if (journal->current != NO_SEGMENT) {
		rc = write_index(journal, slot);
		if (rc == 0)
			rc = sync_current(journal);
		if (rc < 0)
			return rc;
		journal->segments[journal->current].index_at = journal->end;
	}
	rc = begin_segment(journal, slot, rotation);
	if (rc < 0)
		return rc;
	free_segments(journal, rotation);
	journal_trim_points(journal);
	return 0;
}

/* ---- records ---- */

/* A record of len bytes, the padding and mark behind it if it is to be durable, and then the index. */
static bool fits(const struct journal *journal, uint32_t len, bool data)
{
	uint64_t entries = (uint64_t)journal->entry_count + (data || journal->numbers.keeps);
	uint64_t end = (uint64_t)journal->end + len + JOURNAL_BLOCK_SIZE + RECORD_HEADER_SIZE;

	end += RECORD_HEADER_SIZE + entries * INDEX_ENTRY_SIZE + JOURNAL_BLOCK_SIZE;
	return entries <= journal->entry_max && end <= journal->limits.segment_bytes;
}

/*
 * Records must find room however full of data the journal is. A segment without data is free again as soon as the
 * next one is begun, so one free segment is enough for them for ever; a second one, while the current segment has
 * data. Where there is no more room, what is kept for the sake of points goes, the oldest first; that writes a record
 * itself.
 */
static int reserve_segments(struct journal *journal, uint32_t len)
{
	while (journal->segments_free < SEGMENTS_RESERVED + !fits(journal, len, true)) {
		int rc = journal_add_segment(journal);

		if (rc == -ENOSPC && journal_drop_oldest(journal) == 0)
			rc = 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int journal_make_room(struct journal *journal, uint32_t len, bool data)
{
	struct rotation rotation = { .numbers = &journal->numbers, .committed_cg = journal->committed_cg,
				     .prepared_cg = journal->prepared_cg, .valid_to = UINT64_MAX };
	int rc = data ? reserve_segments(journal, len) : 0;

	if (rc == 0 && !fits(journal, len, data))
		rc = journal_rotate(journal, &rotation);
	assert(rc < 0 || fits(journal, len, data));
	return rc;
}

int journal_write_data(struct journal *journal, const struct record *template, const void *data)
{
	struct segment *segment = &journal->segments[journal->current];
	struct record record = *template;
	int rc;

	record.length = record_data_length(record.blocks, record.zero);
	if (!record.zero) {
		record.body = 4 * record.blocks;
		memset(journal->buffer + RECORD_HEADER_SIZE + record.body, 0,
		       record_data_at(record.blocks) - RECORD_HEADER_SIZE - record.body);
		record_put_sums(journal->buffer + RECORD_HEADER_SIZE, data, record.blocks);
		memcpy(journal->buffer + record_data_at(record.blocks), data,
		       (size_t)record.blocks * JOURNAL_BLOCK_SIZE);
	}
	rc = write_record(journal, &record);
	if (rc < 0)
		return rc;
	journal->entries[journal->entry_count++] = record_entry(&record, journal->current);
	journal->end += record.length;
	if (record.kind == RECORD_DATA && record.tag > segment->last_tag)
		segment->last_tag = record.tag;
	if (record.kind == RECORD_BEFORE && record.tag > segment->last_before)
		segment->last_before = record.tag;
	if (journal->end - journal->paced >= PACE_BYTES) {
		rt_file_start_writeout(segment->file, journal->paced, journal->end - journal->paced);
		journal->paced = journal->end;
	}
	return 0;
}

/* Not synced itself: proves after a crash, once it is on disk, that what stands before it was durable. */
static void write_mark(struct journal *journal)
{
	struct record record = { .kind = RECORD_MARK, .length = RECORD_HEADER_SIZE };

	if (write_record(journal, &record) == 0)
		journal->end += record.length;
}

int journal_write_state(struct journal *journal, struct journal_numbers *numbers,
			const struct journal_cg *committed_cg, const struct journal_cg *prepared_cg)
{
	struct record record = {
		.kind = RECORD_STATE, .body = state_size(numbers, committed_cg, prepared_cg, 0),
	};
	int rc = committed_cg ? journal_reserve_point(journal) : 0;

	if (rc == 0)
		rc = journal_make_room(journal, RECORD_HEADER_SIZE + record.body, false);
	if (rc < 0)
		return rc;
	/* Another segment may have been begun for it, with less that is kept. */
	if (numbers->keeps && journal->numbers.keeps && numbers->kept_seq < journal->numbers.kept_seq) {
		numbers->kept_seq = journal->numbers.kept_seq;
		numbers->kept_from = highest(numbers->kept_from, journal->numbers.kept_from);
	}
	state_encode(numbers, committed_cg, prepared_cg, 0, journal->buffer + RECORD_HEADER_SIZE);
	record.length = align_block(journal->end + RECORD_HEADER_SIZE + record.body) - journal->end;
	rc = write_record(journal, &record);
	if (rc == 0 && prepared_cg && planted(PLANTED_PREPARED_NOT_DURABLE)) {
		journal->end += record.length;
		return 0;
	}
	if (rc == 0)
		rc = sync_current(journal);
	if (rc < 0)
		return rc;
	journal->end += record.length;
	journal->durable = journal->end;
	if (committed_cg)
		note_point(journal, committed_cg, record.offset);
	write_mark(journal);
	return 0;
}
