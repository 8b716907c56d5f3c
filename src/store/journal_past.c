/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CG that is kept shows, where the volumes show a newer one: for each block the before-image of the first group
 * after it that overwrote the block, else the volume. The indexes of the segments are read for it; memory holds
 * before-images of what is not applied alone.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/journal_private.h"
#include "store/planted.h"

struct journal_past {
	struct journal *journal;
	uint64_t number;
	struct runs runs;		/* of each block the before-image of the oldest group after the CG */
	uint32_t segment_count;
	uint64_t *seqs;			/* of the uses of the segments that they lie in */
};

static bool run_place_before(const struct run *a, const struct run *b)
{
	return a->place < b->place;
}

/* Entries of one segment, the newest first: what an older group kept lies on top. */
static int put_entries(struct journal_past *past, const struct run *entries, uint32_t count)
{
	for (uint32_t i = count; i-- > 0; ) {
		const struct run *entry = planted(PLANTED_BACK_OLDEST_FIRST) ? &entries[count - 1 - i] : &entries[i];
		struct run run = entry_run(entry);

		if (entry_kind(entry) != ENTRY_BEFORE || run_tag(entry) <= past->number)
			continue;
		if (runs_reserve(&past->runs) < 0)
			return -ENOMEM;
		runs_put(&past->runs, &run);
	}
	return 0;
}

/* The index of a closed segment. Its file is not touched while it is kept. */
static int read_index(struct journal *journal, uint32_t slot, struct run **entries, uint32_t *count)
{
	const struct segment *segment = &journal->segments[slot];
	uint32_t at = segment->index_at, len = journal->limits.segment_bytes - at;
	MEM_OWNED uint8_t *bytes = NULL;
	struct record record;
	ssize_t got;

	len = len < JOURNAL_RECORD_MAX ? len : JOURNAL_RECORD_MAX;
	bytes = mem_alloc(len);
	if (!bytes)
		return -ENOMEM;
	got = rt_file_read(segment->file, bytes, len, at);
	if (got < 0)
		return (int)got;
	if (got != (ssize_t)len || !record_decode(bytes, segment->seq, at, len, &record) ||
	    record.kind != RECORD_INDEX || !record_is_whole(&record, journal->id, bytes)) {
		journal_note_fault(journal, "%s-%04u.seg is damaged at %u: its index is not whole", journal->leg, slot,
				   at);
		return -EBADMSG;
	}
	*count = record.body / INDEX_ENTRY_SIZE;
	*entries = mem_alloc((*count + 1) * sizeof(**entries));
	if (!*entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < *count; i++)
		index_entry_decode(bytes + RECORD_HEADER_SIZE + i * INDEX_ENTRY_SIZE, &(*entries)[i]);
	run_sort(*entries, *count, run_place_before);
	return 0;
}

static int add_segment(struct journal_past *past, uint32_t slot)
{
	struct journal *journal = past->journal;
	MEM_OWNED struct run *entries = NULL;
	uint32_t count = 0;
	int rc;

	if (slot == journal->current)
		return put_entries(past, journal->entries, journal->entry_count);
	if (journal->segments[slot].last_before <= past->number)
		return 0;
	rc = read_index(journal, slot, &entries, &count);
	return rc == 0 ? put_entries(past, entries, count) : rc;
}

/* The segment that is kept with the highest use below; NO_SEGMENT: there is none. */
static uint32_t find_newest(const struct journal *journal, uint64_t below)
{
	uint32_t newest = NO_SEGMENT;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		const struct segment *segment = &journal->segments[slot];

		if (segment->used && segment->seq >= journal->numbers.kept_seq && segment->seq < below &&
		    (newest == NO_SEGMENT || segment->seq > journal->segments[newest].seq))
			newest = slot;
	}
	return newest;
}

/* In the journal's turn: nothing is closed, dropped or used again meanwhile. */
static int add_all(struct journal_past *past)
{
	struct journal *journal = past->journal;
	uint64_t below = UINT64_MAX;
	uint32_t slot;
	int rc = 0;

	past->segment_count = journal->segment_count;
	past->seqs = mem_alloc((journal->segment_count + 1) * sizeof(past->seqs[0]));
	if (!past->seqs)
		return -ENOMEM;
	for (slot = 0; slot < journal->segment_count; slot++)
		past->seqs[slot] = journal->segments[slot].seq;
	while (rc == 0 && (slot = find_newest(journal, below)) != NO_SEGMENT) {
		rc = add_segment(past, slot);
		below = journal->segments[slot].seq;
	}
	return rc;
}

int journal_open_past(struct journal *journal, uint64_t number, struct journal_past **out)
{
	struct journal_past *past = mem_alloc_zeroed(sizeof(*past));
	int rc = past ? rt_mutex_lock(&journal->turn) : -ENOMEM;

	if (rc < 0) {
		mem_free(past);
		return rc;
	}
	past->journal = journal;
	past->number = number;
	if (journal->failed) {
		rc = -EIO;
	} else {
		RT_SHIELD();
		rc = journal_is_point(journal, number) ? add_all(past) : -ENOENT;
	}
	rt_mutex_unlock(&journal->turn);
	if (rc < 0)
		journal_close_past(past);
	else
		*out = past;
	return rc;
}

void journal_close_past(struct journal_past *past)
{
	if (!past)
		return;
	runs_clear(&past->runs);
	mem_free(past->seqs);
	mem_free(past);
}

bool journal_past_next(const struct journal_past *past, uint64_t *cursor, struct journal_run *run)
{
	const struct journal *journal = past->journal;
	struct run found;

	if (!runs_find(&past->runs, *cursor, &found))
		return false;
	*cursor = run_end(&found);
	*run = journal_make_run(journal, &found);
	/* It may have begun a new life since. */
	assert(found.place >> 32 < past->segment_count);
	run->segment = past->seqs[found.place >> 32];
	run->up_to = past->number;
	return true;
}
