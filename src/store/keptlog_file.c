/* SPDX-License-Identifier: Apache-2.0 */
/* keptlog_file.c - the file of a log of kept blocks: made, and read after a start. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/keptlog_private.h"

#define SEGMENTS_WANTED	8u		/* of a small log */

/* ---- made ---- */

static struct keptlog_header shape_of(uint64_t bytes)
{
	struct keptlog_header header = { .generation = 1, .tail = 1 };
	uint64_t pages = bytes / KEPTLOG_PAGE, segment = pages / SEGMENTS_WANTED;

	if (segment < KEPTLOG_SEGMENT_PAGES_MIN)
		segment = KEPTLOG_SEGMENT_PAGES_MIN;
	if (segment > KEPTLOG_SEGMENT_PAGES_MAX)
		segment = KEPTLOG_SEGMENT_PAGES_MAX;
	header.segment_pages = (uint32_t)segment;
	header.segments = pages / segment < KEPTLOG_SEGMENTS_MAX ? (uint32_t)(pages / segment) : KEPTLOG_SEGMENTS_MAX;
	/* With one or two, nothing can be added while one is filled. */
	if (header.segments < 4)
		header.segments = 0;
	return header;
}

static int write_new(struct rt_file *file, const struct keptlog_options *options)
{
	MEM_OWNED uint8_t *pages = mem_alloc_pages(KEPTLOG_HEADER_BYTES);
	const struct keptlog_header header = shape_of(options->bytes);
	int rc;

	if (!pages)
		return -ENOMEM;
	memset(pages, 0, KEPTLOG_PAGE);
	keptlog_encode_header(options->id, &header, pages + header.generation % 2 * KEPTLOG_PAGE);
	rc = rt_file_write(file, pages, KEPTLOG_HEADER_BYTES, 0);
	return rc == 0 ? rt_file_sync(file) : rc;
}

int keptlog_create(const struct keptlog_options *options)
{
	struct rt_file *file;
	int rc = rt_file_open(options->path, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file);

	if (rc < 0)
		return rc;
	rc = write_new(file, options);
	rt_file_close(file);
	if (rc == 0)
		rc = rt_path_sync_parent(options->path);
	if (rc < 0) {
		RT_SHIELD();

		/* Nothing names it: what cannot be removed now is removed at the next start. */
		(void)!rt_path_unlink(options->path);
	}
	return rc;
}

/* ---- pages ---- */

static int read_pages(const struct keptlog *log, void *to, uint32_t count, uint64_t offset)
{
	size_t len = (size_t)count * KEPTLOG_PAGE;
	ssize_t got = rt_file_read(pooled_file_get(log->file), to, len, offset);

	if (got < 0)
		return (int)got;
	/* Behind the end of the file nothing was ever written. */
	memset((uint8_t *)to + got, 0, len - (size_t)got);
	return 0;
}

int keptlog_read_page(const struct keptlog *log, const struct keptlog_segment *segment, uint32_t page, uint8_t *to)
{
	return read_pages(log, to, 1, keptlog_segment_offset(log, segment) + (uint64_t)page * KEPTLOG_PAGE);
}

int keptlog_check_blocks(const struct keptlog *log, const uint8_t *record_page, uint32_t count)
{
	struct keptlog_entry entry;

	for (uint32_t i = 0; i < count; i++) {
		keptlog_get_entry(record_page, i, &entry);
		if (entry.block < log->blocks)
			continue;
		log_line(LOG_ERROR, "store", "%s is damaged: it has a block %llu of a volume of %llu blocks", log->path,
			 (unsigned long long)entry.block, (unsigned long long)log->blocks);
		return -EBADMSG;
	}
	return 0;
}

int keptlog_read_data(const struct keptlog *log, const struct keptlog_segment *segment, uint32_t page,
		      const struct keptlog_record *record, uint8_t *pages)
{
	uint64_t offset = keptlog_segment_offset(log, segment) + (page + UINT64_C(1)) * KEPTLOG_PAGE;
	int rc = 0;

	if (record->data > 0)
		rc = read_pages(log, pages + KEPTLOG_PAGE, record->data, offset);
	return rc < 0 || keptlog_data_is_good(pages, record->count, pages + KEPTLOG_PAGE) ? rc : -EBADMSG;
}

int keptlog_write_header(struct keptlog *log, uint64_t tail)
{
	MEM_OWNED uint8_t *page = mem_alloc_pages(KEPTLOG_PAGE);
	struct keptlog_header header = log->header;
	int rc;

	if (!page)
		return -ENOMEM;
	header.generation++;
	header.tail = tail;
	header.safe = log->safe;
	keptlog_encode_header(log->id, &header, page);
	rc = rt_file_write(pooled_file_get(log->file), page, KEPTLOG_PAGE, header.generation % 2 * KEPTLOG_PAGE);
	if (rc == 0)
		rc = rt_file_sync(pooled_file_get(log->file));
	if (rc == 0)
		log->header = header;
	return rc;
}

/* ---- read after a start ---- */

/* The one that stands. */
static int read_header(struct keptlog *log, uint8_t *pages)
{
	struct keptlog_header header;
	bool found = false;
	int rc = read_pages(log, pages, 2, 0);

	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		if (!keptlog_decode_header(log->id, pages + i * KEPTLOG_PAGE, &header))
			continue;
		if (!found || header.generation > log->header.generation)
			log->header = header;
		found = true;
	}
	if (rc == 0 && !found) {
		log_line(LOG_ERROR, "store", "%s is damaged: it has no header of this map", log->path);
		rc = -EBADMSG;
	}
	return rc;
}

struct scan {
	struct keptlog *log;
	uint8_t *pages;
	uint64_t safe;				/* all of the log, and it is not there: damaged */
	uint64_t sequence;			/* the highest */
	uint64_t follows[KEPTLOG_SEGMENTS_MAX];	/* of the first record of each segment */
};

/* What a record says of others is so, whatever became of its own blocks. */
static void note_record(struct scan *scan, const struct keptlog_record *record)
{
	scan->safe = record->safe > scan->safe ? record->safe : scan->safe;
	scan->sequence = record->sequence > scan->sequence ? record->sequence : scan->sequence;
}

/*
 * Behind the last good record of a segment: one that is there still tells that something before it is damaged, and was
 * not just cut short.
 */
static int look_behind(struct scan *scan, const struct keptlog_segment *segment)
{
	const struct keptlog *log = scan->log;
	uint64_t offset = keptlog_segment_offset(log, segment);
	uint32_t page = segment->pages, end = log->header.segment_pages;
	struct keptlog_record record;
	int rc = 0;

	while (rc == 0 && page < end) {
		uint32_t count = end - page < KEPTLOG_RECORD_PAGES_MAX ? end - page : KEPTLOG_RECORD_PAGES_MAX;

		rc = read_pages(log, scan->pages, count, offset + (uint64_t)page * KEPTLOG_PAGE);
		for (uint32_t i = 0; rc == 0 && i < count; i++)
			if (keptlog_decode_record(log->id, scan->pages + i * KEPTLOG_PAGE, &record) &&
			    record.sequence >= log->header.tail)
				note_record(scan, &record);
		page += count;
	}
	return rc;
}

/* The record that begins at that page belongs here. 1, 0, or an error. */
static int read_record(struct scan *scan, struct keptlog_segment *segment, struct keptlog_record *record)
{
	struct keptlog *log = scan->log;
	uint32_t left = log->header.segment_pages - segment->pages;
	int rc = keptlog_read_page(log, segment, segment->pages, scan->pages);

	if (rc < 0 || !keptlog_decode_record(log->id, scan->pages, record) || record->data >= left ||
	    record->sequence < log->header.tail || (segment->pages > 0 && record->follows != segment->last) ||
	    segment->count + record->count > log->header.segment_pages)
		return rc < 0 ? rc : 0;
	rc = keptlog_read_data(log, segment, segment->pages, record, scan->pages);
	if (rc < 0)
		return rc == -EBADMSG ? 0 : rc;
	rc = keptlog_check_blocks(log, scan->pages, record->count);
	return rc < 0 ? rc : 1;
}

static int scan_segment(struct scan *scan, struct keptlog_segment *segment)
{
	struct keptlog *log = scan->log;
	struct keptlog_record record;
	int rc = 1;

	while (rc > 0 && segment->pages < log->header.segment_pages) {
		rc = read_record(scan, segment, &record);
		if (rc > 0 && !segment->in_use) {
			rc = keptlog_begin_segment(log, segment) < 0 ? -ENOMEM : 1;
			segment->first = record.sequence;
			scan->follows[segment - log->segments] = record.follows;
		}
		if (rc <= 0)
			break;
		note_record(scan, &record);
		keptlog_add_slots(segment, scan->pages, record.count, segment->pages);
		segment->pages += 1 + record.data;
		segment->last = record.sequence;
	}
	return rc < 0 ? rc : look_behind(scan, segment);
}

/* The segment that follows what is there already; NULL: none does. */
static struct keptlog_segment *find_next(const struct scan *scan)
{
	struct keptlog *log = scan->log;

	for (unsigned i = 0; i < log->header.segments; i++) {
		struct keptlog_segment *segment = &log->segments[i];
		bool is_first = log->last < log->header.tail && scan->follows[i] < log->header.tail;

		if (segment->in_use && segment->indexed == 0 && (is_first || scan->follows[i] == log->last))
			return segment;
	}
	return NULL;
}

/* Those that follow each other from the tail on; the rest was never durable, and no block of it overwritten. */
static int index_all(struct scan *scan)
{
	struct keptlog *log = scan->log;
	struct keptlog_segment *segment;

	log->last = log->header.tail - 1;
	while ((segment = find_next(scan))) {
		if (keptlog_index(log, segment) < 0) {
			log_line(LOG_ERROR, "store", "%s is damaged: it has a block twice", log->path);
			return -EBADMSG;
		}
		log->last = segment->last;
	}
	for (unsigned i = 0; i < log->header.segments; i++)
		if (log->segments[i].in_use && log->segments[i].indexed == 0)
			keptlog_end_segment(log, &log->segments[i]);
	log->safe = log->last;
	log->sequence = scan->sequence;
	if (scan->safe < log->header.tail || scan->safe <= log->last)
		return 0;
	log_line(LOG_ERROR, "store", "%s is damaged: record %llu of %llu is not there", log->path,
		 (unsigned long long)log->last + 1, (unsigned long long)scan->safe);
	return -EBADMSG;
}

static int read_open(struct keptlog *log)
{
	MEM_OWNED uint8_t *pages = mem_alloc_pages(KEPTLOG_RECORD_PAGES_MAX * KEPTLOG_PAGE);
	struct scan scan = { .log = log, .pages = pages };
	struct rt_file_info info;
	int rc = pages ? read_header(log, pages) : -ENOMEM;

	if (rc == 0)
		rc = rt_file_get_info(pooled_file_get(log->file), &info);
	scan.safe = log->header.safe;
	scan.sequence = log->header.tail - 1;
	for (unsigned i = 0; rc == 0 && i < log->header.segments; i++) {
		log->segments[i].allocated = info.size >= keptlog_segment_offset(log, &log->segments[i + 1]);
		if (info.size > keptlog_segment_offset(log, &log->segments[i]))
			rc = scan_segment(&scan, &log->segments[i]);
	}
	return rc == 0 ? index_all(&scan) : rc;
}

static int read_all(struct keptlog *log)
{
	int rc = keptlog_use_file(log);

	if (rc < 0)
		return rc;
	/* What a commit that was cut short has written is taken as if it were durable. */
	rc = rt_file_sync(pooled_file_get(log->file));
	if (rc == 0)
		rc = read_open(log);
	pooled_file_leave(log->file);
	return rc;
}

int keptlog_open(const struct keptlog_options *options, struct keptlog **out)
{
	struct keptlog *log = mem_alloc_zeroed(sizeof(*log));
	int rc = -ENOMEM;

	if (!log)
		return -ENOMEM;
	assert(options->blocks <= KEPTLOG_BLOCKS_MAX);
	memcpy(log->id, options->id, sizeof(log->id));
	log->blocks = options->blocks;
	rt_mutex_init(&log->changing);
	list_init(&log->orders);
	rt_group_init(&log->fibers);
	rt_cond_init(&log->committed);
	log->path = mem_copy_string(options->path);
	if (log->path)
		rc = pooled_file_open(options->files, options->path, RT_FILE_WRITE | RT_FILE_DIRECT | RT_FILE_LOCK,
				      &log->file);
	if (rc == 0)
		rc = read_all(log);
	if (rc < 0) {
		keptlog_close(log);
		return rc;
	}
	*out = log;
	return 0;
}

void keptlog_close(struct keptlog *log)
{
	if (!log)
		return;
	rt_group_stop(&log->fibers);
	assert(list_empty(&log->orders));
	for (unsigned i = 0; i < KEPTLOG_SEGMENTS_MAX; i++)
		mem_free(log->segments[i].slots);
	mem_free(log->buckets);
	mem_free(log->buffer);
	pooled_file_close(log->file);
	mem_free(log->path);
	mem_free(log);
}
