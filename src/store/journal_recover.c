/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal's segments say after a restart. The newest segment in use tells the state: its checkpoint, then
 * every record that follows. It is read from the disk itself (O_DIRECT): after a failed sync the page cache shows
 * what the disk does not have. The first record that is not whole ends it, unless a later one proves that it had been
 * durable; then the journal is damaged, and nothing is guessed. Closed segments are taken up by their index.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/journal_private.h"

#define SEGMENTS_AT_FIRST	3u

_Static_assert(SEGMENTS_AT_FIRST <= JOURNAL_SEGMENTS_MIN, "they are allowed");

/* A window on a segment file. */
struct reader {
	struct rt_file *file;
	uint32_t slot;
	uint32_t segment_bytes;
	uint8_t *buf;
	uint32_t room, from, len;
};

struct recovery {
	struct journal *journal;
	struct reader reader;
	uint32_t newest;		/* slot; NO_SEGMENT: none was ever used */
	bool complete;			/* the newest one was closed already */
	uint64_t first_seq;		/* of the newest use that began */
	struct segment_entry *list;	/* of the newest checkpoint */
	uint32_t list_count;
	uint32_t cut;			/* where the newest segment ends */
	uint64_t valid_to;		/* data above it are void */
};

static int damaged(struct journal *journal, uint32_t slot, uint64_t at, const char *fault)
{
	journal_note_fault(journal, "%s-%04u.seg is damaged at %llu: %s", journal->leg, slot, (unsigned long long)at,
			   fault);
	return -EBADMSG;
}

/* ---- reading ---- */

static int reader_open(struct recovery *recovery, uint32_t slot)
{
	const struct journal *journal = recovery->journal;
	char path[JOURNAL_PATH_MAX];

	rt_file_close(recovery->reader.file);
	recovery->reader.file = NULL;
	recovery->reader.slot = slot;
	recovery->reader.len = 0;
	journal_segment_path(journal->folder, journal->leg, slot, "", path);
	return rt_file_open(path, RT_FILE_DIRECT, &recovery->reader.file);
}

/* Makes [at, at + len) of the segment visible; it lies within it, and fits the window. */
static int reader_get(struct reader *reader, uint32_t at, uint32_t len, const uint8_t **out)
{
	if (at < reader->from || at + len > reader->from + reader->len) {
		uint32_t from = at & ~(JOURNAL_BLOCK_SIZE - 1);
		uint32_t rest = reader->segment_bytes - from;
		uint32_t want = rest < reader->room ? rest : reader->room;
		ssize_t got = rt_file_read(reader->file, reader->buf, want, from);

		reader->len = 0;
		if (got < 0)
			return (int)got;
		if (got != (ssize_t)want)
			return -EIO;
		reader->from = from;
		reader->len = want;
	}
	assert(at + len <= reader->from + reader->len);
	*out = reader->buf + (at - reader->from);
	return 0;
}

/* 1 and the whole record, 0 when there is none at this place, or a negative errno. */
static int read_record(struct recovery *recovery, uint64_t seq, uint32_t at, struct record *record,
		       const uint8_t **bytes)
{
	struct reader *reader = &recovery->reader;
	uint32_t room = reader->segment_bytes - at;
	uint32_t len = RECORD_HEADER_SIZE;
	int rc;

	if (room < len)
		return 0;
	rc = reader_get(reader, at, len, bytes);
	if (rc < 0)
		return rc;
	if (!record_decode(*bytes, seq, at, room, record))
		return 0;
	len = record_has_blocks(record->kind) ? record->length : RECORD_HEADER_SIZE + record->body;
	if (len > reader->room - JOURNAL_BLOCK_SIZE)
		return 0;
	rc = reader_get(reader, at, len, bytes);
	if (rc < 0)
		return rc;
	if (!record_is_whole(record, recovery->journal->id, *bytes))
		return 0;
	if (record_has_blocks(record->kind) && !record->zero)
		return record_check_sums(*bytes + RECORD_HEADER_SIZE, *bytes + record_data_at(record->blocks), 0,
					 record->blocks);
	return 1;
}

/* ---- which segments there are ---- */

struct listing {
	const char *leg;
	void (*each)(void *arg, int slot);
	void *arg;
};

static int match_name(void *arg, const char *name)
{
	const struct listing *listing = arg;
	size_t leg_len = strlen(listing->leg);
	int slot = 0;

	/* LEG-NNNN.seg */
	if (strlen(name) != leg_len + 9 || memcmp(name, listing->leg, leg_len) != 0 || name[leg_len] != '-' ||
	    strcmp(name + leg_len + 5, ".seg") != 0)
		return 0;
	for (size_t i = leg_len + 1; i < leg_len + 5; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		slot = 10 * slot + (name[i] - '0');
	}
	listing->each(listing->arg, slot);
	return 0;
}

int journal_each_file(const char *folder, const char *leg, void (*each)(void *arg, int slot), void *arg)
{
	struct listing listing = { .leg = leg, .each = each, .arg = arg };

	return rt_path_list(folder, match_name, &listing);
}

static void count_slot(void *arg, int slot)
{
	uint32_t *slots = arg;

	if ((uint32_t)slot >= *slots)
		*slots = (uint32_t)slot + 1;
}

/* Opens all files, for good, in order. */
static int open_segments(struct journal *journal, uint32_t slots)
{
	for (uint32_t slot = 0; slot < slots; slot++) {
		char path[JOURNAL_PATH_MAX];
		int rc;

		journal_segment_path(journal->folder, journal->leg, slot, "", path);
		journal->segments[slot] = (struct segment){ 0 };
		rc = rt_file_open(path, RT_FILE_WRITE | RT_FILE_LOCK, &journal->segments[slot].file);
		if (rc == -ENOENT)
			return damaged(journal, slot, 0, "the file is missing");
		if (rc < 0)
			return rc;
		journal->segment_count++;
		journal->segments_free++;
	}
	return 0;
}

/* ---- headers ---- */

/* The first whole header says what kind of journal it is; all others must agree. */
static const char *check_header(struct journal *journal, uint32_t slot, const struct segment_header *header)
{
	if (journal->id == 0) {
		journal->id = header->id;
		journal->limits.segment_bytes = header->segment_bytes;
	}
	if (header->slot != slot || strcmp(header->leg, journal->leg) != 0)
		return "its header is of another segment";
	if (header->id != journal->id || header->segment_bytes != journal->limits.segment_bytes)
		return "its header is of another journal";
	if (header->segment_bytes < JOURNAL_SEGMENT_BYTES_MIN || header->segment_bytes > JOURNAL_SEGMENT_BYTES_MAX)
		return "its size is not allowed";
	return NULL;
}

/* True when the segment begins with the checkpoint of this use. */
static int has_checkpoint(struct recovery *recovery, uint64_t seq)
{
	const uint8_t *bytes = NULL;
	struct record record;
	int rc = read_record(recovery, seq, SEGMENT_RECORDS_AT, &record, &bytes);

	return rc == 1 ? record.kind == RECORD_STATE : rc;
}

/*
 * Which use of the segment is in force. The second block is written first, and the first block only when that and the
 * checkpoint are durable.
 */
static int read_headers(struct recovery *recovery, uint32_t slot)
{
	struct journal *journal = recovery->journal;
	struct segment_header first, second;
	const char *first_fault, *second_fault;
	const uint8_t *bytes = NULL;
	uint64_t seq;
	int rc = reader_get(&recovery->reader, 0, SEGMENT_RECORDS_AT, &bytes);

	if (rc < 0)
		return rc;
	first_fault = segment_header_decode(bytes, &first);
	second_fault = segment_header_decode(bytes + JOURNAL_BLOCK_SIZE, &second);
	if (!first_fault)
		first_fault = check_header(journal, slot, &first);
	if (!second_fault)
		second_fault = check_header(journal, slot, &second);
	if (first_fault && second_fault)
		return damaged(journal, slot, 0, first_fault);
	seq = first_fault ? second.seq : first.seq;
	if (!second_fault && second.seq > recovery->first_seq)
		recovery->first_seq = second.seq;
	if (seq > recovery->first_seq)
		recovery->first_seq = seq;
	if (!first_fault && !second_fault && second.seq > first.seq) {
		rc = has_checkpoint(recovery, second.seq);
		if (rc < 0)
			return rc;
		if (rc == 1)
			seq = second.seq;
	}
	journal->segments[slot].seq = seq;
	return 0;
}

static int find_newest(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;
	uint64_t newest = 0;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		struct rt_file_info info;
		int rc = reader_open(recovery, slot);

		if (rc == 0)
			rc = rt_file_get_info(recovery->reader.file, &info);
		if (rc < 0)
			return rc;
		if (info.size < SEGMENT_RECORDS_AT + JOURNAL_BLOCK_SIZE || info.size > UINT32_MAX ||
		    info.size % JOURNAL_BLOCK_SIZE != 0)
			return damaged(journal, slot, info.size, "the file has a wrong size");
		recovery->reader.segment_bytes = (uint32_t)info.size;
		rc = read_headers(recovery, slot);
		if (rc < 0)
			return rc;
		if (info.size != journal->limits.segment_bytes)
			return damaged(journal, slot, info.size, "the file has a wrong size");
		if (journal->segments[slot].seq > newest) {
			newest = journal->segments[slot].seq;
			recovery->newest = slot;
		}
	}
	journal->next_seq = recovery->first_seq + 1;
	return 0;
}

/* ---- the newest segment ---- */

/* What follows from one state record after another. CGs pass into the journal. */
static const char *take_state(struct journal *journal, struct state_view *view)
{
	const struct journal_numbers *old = &journal->numbers, *new = &view->numbers;

	if (new->committed < old->committed || new->applied < old->applied || new->incarnation < old->incarnation ||
	    new->epoch < old->epoch)
		return "its numbers go back";
	if (new->committed != old->committed && !view->committed) {
		if (new->committed != old->prepared)
			return "it commits what was not prepared";
		view->committed = journal->prepared_cg;
		journal->prepared_cg = NULL;
	}
	if (new->prepared != 0 && new->prepared != old->prepared && !view->prepared)
		return "it does not say what is prepared";
	if (view->committed) {
		mem_free(journal->committed_cg);
		journal->committed_cg = view->committed;
	}
	if (view->prepared || new->prepared == 0) {
		mem_free(journal->prepared_cg);
		journal->prepared_cg = view->prepared;
	}
	view->committed = NULL;
	view->prepared = NULL;
	journal->numbers = *new;
	return NULL;
}

static int read_state(struct recovery *recovery, const struct record *record, const uint8_t *bytes, bool checkpoint)
{
	struct journal *journal = recovery->journal;
	struct state_view view;
	const char *fault;
	bool commits;
	int rc = state_decode(bytes + RECORD_HEADER_SIZE, record->body, &view);

	if (rc == -EBADMSG)
		return damaged(journal, recovery->newest, record->offset, "the state record makes no sense");
	if (rc < 0)
		return rc;
	commits = view.numbers.keeps && view.committed;
	fault = take_state(journal, &view);
	mem_free(view.committed);
	mem_free(view.prepared);
	if (!fault && !checkpoint && view.segments > 0)
		fault = "only a checkpoint lists segments";
	if (!fault && commits && journal->entry_count == journal->entry_max)
		fault = "there are too many records before it";
	if (fault)
		return damaged(journal, recovery->newest, record->offset, fault);
	if (commits)
		journal->entries[journal->entry_count++] =
			point_entry(journal->committed_cg, recovery->newest, record->offset);
	if (view.segments == 0)
		return 0;
	recovery->list = mem_alloc(view.segments * sizeof(*recovery->list));
	if (!recovery->list)
		return -ENOMEM;
	recovery->list_count = view.segments;
	for (uint32_t i = 0; i < view.segments; i++)
		segment_entry_decode(view.list + i * ENTRY_SIZE, &recovery->list[i]);
	return 0;
}

/* A record further on that was written when what is missing at `at` was durable proves damage. */
static int look_for_proof(struct recovery *recovery, uint64_t seq, uint32_t at)
{
	uint32_t last = recovery->reader.segment_bytes - JOURNAL_BLOCK_SIZE;

	for (uint32_t later = (at / JOURNAL_BLOCK_SIZE + 1) * JOURNAL_BLOCK_SIZE; later <= last;
	     later += JOURNAL_BLOCK_SIZE) {
		const uint8_t *bytes;
		struct record record;
		int rc = read_record(recovery, seq, later, &record, &bytes);

		if (rc < 0)
			return rc;
		if (rc == 1 && record.durable > at)
			return damaged(recovery->journal, recovery->newest, at,
				       "a record is not whole that once was durable");
	}
	return 0;
}

static int scan_newest(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;
	uint64_t seq = journal->segments[recovery->newest].seq;
	uint32_t at = SEGMENT_RECORDS_AT;
	struct record record;
	const uint8_t *bytes = NULL;
	int rc;

	for (rc = read_record(recovery, seq, at, &record, &bytes); rc == 1;
	     rc = read_record(recovery, seq, at, &record, &bytes)) {
		if (at == SEGMENT_RECORDS_AT && record.kind != RECORD_STATE)
			break;
		if (record.kind == RECORD_STATE) {
			rc = read_state(recovery, &record, bytes, at == SEGMENT_RECORDS_AT);
			if (rc < 0)
				return rc;
		} else if (record_has_blocks(record.kind)) {
			if (journal->entry_count == journal->entry_max)
				return damaged(journal, recovery->newest, at, "it has too many records");
			journal->entries[journal->entry_count++] = record_entry(&record, recovery->newest);
		} else if (record.kind == RECORD_INDEX) {
			if (!record.tag || record.tag > journal->segment_count)
				return damaged(journal, (uint32_t)record.tag - 1, 0, "the file is missing");
			recovery->complete = true;
			break;
		}
		at += record.length;
	}
	if (rc < 0)
		return rc;
	if (at == SEGMENT_RECORDS_AT)
		return damaged(journal, recovery->newest, at, "the checkpoint is not whole");
	if (at + RECORD_HEADER_SIZE + journal->entry_count * INDEX_ENTRY_SIZE + JOURNAL_BLOCK_SIZE >
	    recovery->reader.segment_bytes)
		return damaged(journal, recovery->newest, at, "it has no room for its index");
	recovery->cut = at;
	return recovery->complete ? 0 : look_for_proof(recovery, seq, at);
}

/* ---- data ---- */

static bool run_place_before(const struct run *a, const struct run *b)
{
	return a->place < b->place;
}

static int take_run(struct journal *journal, struct list_head *layers, const struct run *entry)
{
	struct run run = entry_run(entry);
	struct layer *layer;

	if (run_tag(&run) <= journal->numbers.applied)
		return 0;
	layer = journal_reserve_layer(layers, run_tag(&run));
	if (!layer)
		return -ENOMEM;
	journal_put_run(journal, layer, &run);
	return 0;
}

static int take_before(struct journal *journal, const struct run *entry)
{
	struct segment *segment = &journal->segments[entry->place >> 32];

	if (run_tag(entry) > segment->last_before)
		segment->last_before = run_tag(entry);
	journal_count_before(journal, run_tag(entry), (uint64_t)run_blocks(entry) * JOURNAL_BLOCK_SIZE);
	return take_run(journal, &journal->befores, entry);
}

static int take_point(struct journal *journal, const struct run *entry)
{
	int rc = 0;

	if (journal->numbers.keeps && run_tag(entry) >= journal->numbers.kept_from)
		rc = journal_reserve_point(journal);
	else
		return 0;
	if (rc == 0)
		journal_put_point(journal, run_tag(entry), entry->key, entry->place);
	return rc;
}

/*
 * Puts entries where they belong, in the order in which they were appended. *kept: how many are not void, now in front.
 */
static int take_entries(struct recovery *recovery, struct run *entries, uint32_t count, uint64_t last_tag,
			uint32_t *kept)
{
	struct journal *journal = recovery->journal;
	uint64_t valid_to = recovery->valid_to < last_tag ? recovery->valid_to : last_tag;
	int rc = 0;

	*kept = 0;
	for (uint32_t i = 0; i < count && rc == 0; i++) {
		const struct run entry = entries[i];

		if (entry_kind(&entry) == ENTRY_DATA && run_tag(&entry) > valid_to) {
			journal->void_runs += run_tag(&entry) <= last_tag;
			continue;
		}
		entries[(*kept)++] = entry;
		if (entry_kind(&entry) == ENTRY_DATA)
			rc = take_run(journal, &journal->layers, &entry);
		else if (entry_kind(&entry) == ENTRY_BEFORE)
			rc = take_before(journal, &entry);
		else
			rc = take_point(journal, &entry);
	}
	return rc;
}

static bool entry_is_sound(const struct run *run, const struct segment_entry *entry)
{
	uint32_t offset = (uint32_t)run->place;

	return run->place >> 32 == entry->slot && offset >= SEGMENT_RECORDS_AT && offset < entry->index_at &&
	       offset % RECORD_ALIGN == 0 && entry_kind(run) < ENTRY_KIND_COUNT && run_tag(run) != 0;
}

static int load_segment(struct recovery *recovery, const struct segment_entry *entry)
{
	struct journal *journal = recovery->journal;
	struct record record;
	const uint8_t *bytes = NULL;
	uint32_t count, kept;
	MEM_OWNED struct run *runs = NULL;
	int rc = reader_open(recovery, entry->slot);

	if (rc == 0)
		rc = read_record(recovery, entry->seq, entry->index_at, &record, &bytes);
	if (rc < 0)
		return rc;
	if (rc == 0 || record.kind != RECORD_INDEX)
		return damaged(journal, entry->slot, entry->index_at, "its index is not whole");
	count = record.body / INDEX_ENTRY_SIZE;
	if (count == 0)
		return 0;
	runs = mem_alloc(count * sizeof(*runs));
	if (!runs)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		index_entry_decode(bytes + RECORD_HEADER_SIZE + i * INDEX_ENTRY_SIZE, &runs[i]);
		if (!entry_is_sound(&runs[i], entry))
			return damaged(journal, entry->slot, entry->index_at, "its index makes no sense");
	}
	run_sort(runs, count, run_place_before);
	return take_entries(recovery, runs, count, entry->last_tag, &kept);
}

static bool is_kept(const struct journal *journal, const struct segment_entry *entry)
{
	return journal->numbers.keeps && entry->seq >= journal->numbers.kept_seq;
}

/* The listed segments of which something is needed, in the order in which they were written. */
static int load_listed(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;
	uint64_t done = 0;

	for (;;) {
		const struct segment_entry *next = NULL;
		struct segment *segment;
		int rc;

		for (uint32_t i = 0; i < recovery->list_count; i++) {
			const struct segment_entry *entry = &recovery->list[i];
			if (entry->seq > done && (!next || entry->seq < next->seq))
				next = entry;
		}
		if (!next)
			return 0;
		done = next->seq;
		if (next->last_tag <= journal->numbers.applied && !is_kept(journal, next))
			continue;
		if (next->slot >= journal->segment_count)
			return damaged(journal, next->slot, 0, "the file is missing");
		segment = &journal->segments[next->slot];
		if (segment->seq != next->seq)
			return damaged(journal, next->slot, 0, "it is not the segment that should be there");
		if (next->index_at < SEGMENT_RECORDS_AT || next->index_at >= journal->limits.segment_bytes)
			return damaged(journal, recovery->newest, SEGMENT_RECORDS_AT, "the list makes no sense");
		segment->used = true;
		segment->last_tag = next->last_tag;
		segment->index_at = next->index_at;
		journal->segments_free--;
		rc = load_segment(recovery, next);
		if (rc < 0)
			return rc;
	}
}

/* ---- all of it ---- */

static int read_all(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;
	struct segment *newest = &journal->segments[recovery->newest];
	int rc = reader_open(recovery, recovery->newest);

	if (rc == 0)
		rc = scan_newest(recovery);
	if (rc < 0)
		return rc;
	recovery->valid_to = journal->numbers.prepared ? journal->numbers.prepared : journal->numbers.committed;
	newest->used = true;
	journal->segments_free--;
	rc = load_listed(recovery);
	if (rc < 0)
		return rc;
	rc = take_entries(recovery, journal->entries, journal->entry_count, UINT64_MAX, &journal->entry_count);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < journal->entry_count; i++) {
		if (entry_kind(&journal->entries[i]) == ENTRY_DATA &&
		    run_tag(&journal->entries[i]) > newest->last_tag)
			newest->last_tag = run_tag(&journal->entries[i]);
	}
	journal->current = recovery->newest;
	journal->end = recovery->cut;
	return 0;
}

/* Room for the longest record of each kind, and the window for reading them. */
static int make_buffers(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;

	journal->buffer_size = JOURNAL_RECORD_MAX;
	journal->buffer = mem_alloc(journal->buffer_size);
	recovery->reader.room = JOURNAL_RECORD_MAX + 2 * JOURNAL_BLOCK_SIZE;
	recovery->reader.buf = mem_alloc_pages(recovery->reader.room);
	return journal->buffer && recovery->reader.buf ? 0 : -ENOMEM;
}

/* What depends on the size of the segments, which may be known only from their headers. */
static int apply_limits(struct journal *journal)
{
	uint32_t segment_bytes = journal->limits.segment_bytes;
	uint64_t most = journal->limits.bytes / segment_bytes;
	struct segment *segments;

	if (most > segment_bytes / 8 / ENTRY_SIZE)
		most = segment_bytes / 8 / ENTRY_SIZE;
	if (most > JOURNAL_SEGMENTS_MAX)
		most = JOURNAL_SEGMENTS_MAX;
	if (most < JOURNAL_SEGMENTS_MIN)
		most = JOURNAL_SEGMENTS_MIN;
	/* What is there already stays, whatever the limit is now. */
	journal->segment_max = most > journal->segment_count ? (uint32_t)most : journal->segment_count;
	segments = mem_resize(journal->segments, journal->segment_max * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	journal->segments = segments;
	journal->entry_max = segment_bytes / JOURNAL_BLOCK_SIZE;
	if (journal->entry_max > JOURNAL_ENTRIES_MAX)
		journal->entry_max = JOURNAL_ENTRIES_MAX;
	journal->entries = mem_alloc(journal->entry_max * sizeof(*journal->entries));
	return journal->entries ? 0 : -ENOMEM;
}

static int make_first_segments(struct journal *journal)
{
	journal->made = true;
	if (journal->id == 0)
		journal->id = rt_random_u64() | 1;
	while (journal->segment_count < SEGMENTS_AT_FIRST) {
		int rc = journal_add_segment(journal);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* A restart is a new segment: what was cut off or void in the one before is so for ever once this one is durable. */
static int restart(struct recovery *recovery)
{
	struct journal *journal = recovery->journal;
	struct rotation rotation = { .numbers = &journal->numbers, .committed_cg = journal->committed_cg,
				     .prepared_cg = journal->prepared_cg, .valid_to = recovery->valid_to };
	int rc = journal_rotate(journal, &rotation);

	if (rc < 0)
		return rc;
	journal_fold_layers(journal);
	log_line(LOG_NOTICE, "journal", "%s: committed %llu, prepared %llu, applied %llu; %llu runs to keep, %llu void",
		 journal->leg, (unsigned long long)journal->numbers.committed,
		 (unsigned long long)journal->numbers.prepared, (unsigned long long)journal->numbers.applied,
		 (unsigned long long)journal->runs, (unsigned long long)journal->void_runs);
	return 0;
}

static int recover(struct recovery *recovery, uint32_t slots)
{
	struct journal *journal = recovery->journal;
	int rc = make_buffers(recovery);

	if (rc == 0)
		rc = open_segments(journal, slots);
	if (rc == 0)
		rc = find_newest(recovery);
	if (rc == 0)
		rc = apply_limits(journal);
	if (rc == 0 && recovery->newest == NO_SEGMENT && journal->must_exist)
		return damaged(journal, 0, 0, "no segment was ever used");
	if (rc == 0)
		rc = recovery->newest == NO_SEGMENT ? make_first_segments(journal) : read_all(recovery);
	return rc == 0 ? restart(recovery) : rc;
}

int journal_recover(struct journal *journal)
{
	struct recovery recovery = { .journal = journal, .newest = NO_SEGMENT, .valid_to = UINT64_MAX };
	uint32_t slots = 0;
	/* A run that died may have made a name that is found now and not durable. */
	int rc = rt_path_sync_folder(journal->folder);

	if (rc == 0)
		rc = journal_each_file(journal->folder, journal->leg, count_slot, &slots);

	if (rc < 0)
		return rc;
	if (slots == 0 && journal->must_exist) {
		journal_note_fault(journal, "%s-0000.seg and all its other files are gone", journal->leg);
		return -ENOENT;
	}
	if (slots > JOURNAL_SEGMENTS_MAX)
		return damaged(journal, slots - 1, 0, "there cannot be so many");
	journal->segments = mem_alloc_zeroed((slots + 1) * sizeof(*journal->segments));
	if (!journal->segments)
		return -ENOMEM;
	rc = recover(&recovery, slots);
	rt_file_close(recovery.reader.file);
	mem_free(recovery.reader.buf);
	mem_free(recovery.list);
	return rc;
}
