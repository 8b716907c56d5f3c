/* SPDX-License-Identifier: Apache-2.0 */
/* keptlog_fill.c - segments of a log of kept blocks on their way to where their blocks belong. */
#include <assert.h>
#include <errno.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/keptlog_private.h"

static struct keptlog_segment *oldest(struct keptlog *log, const struct keptlog_segment *but)
{
	struct keptlog_segment *found = NULL;

	for (unsigned i = 0; i < log->header.segments; i++) {
		struct keptlog_segment *segment = &log->segments[i];

		if (segment->in_use && segment != but && (!found || segment->first < found->first))
			found = segment;
	}
	return found;
}

int keptlog_fill_begin(struct keptlog *log, uint64_t before, struct keptlog_fill *fill)
{
	struct keptlog_segment *segment = oldest(log, NULL);
	int rc = 0;

	if (!segment || segment->first >= before)
		return 0;
	if (log->open == segment)
		log->open = NULL;
	/* What is on its way into it still. */
	while (rc == 0 && segment->indexed < segment->count && !log->error)
		rc = rt_cond_wait(&log->committed);
	if (rc < 0)
		return rc;
	*fill = (struct keptlog_fill) { .log = log, .segment = segment };
	fill->pages = mem_alloc_pages(KEPTLOG_RECORD_PAGES_MAX * KEPTLOG_PAGE);
	return fill->pages ? 1 : -ENOMEM;
}

/* Those of the record in fill->pages that are in the log still. */
static void list_blocks(struct keptlog_fill *fill, const struct keptlog_record *record)
{
	const uint8_t *data = fill->pages + KEPTLOG_PAGE;
	struct keptlog_entry entry;
	uint64_t run_end;

	fill->count = 0;
	for (uint32_t i = 0; i < record->count; i++) {
		keptlog_get_entry(fill->pages, i, &entry);
		if (keptlog_find(fill->log, entry.block, entry.block + 1, &run_end))
			fill->blocks[fill->count++] = (struct keptlog_block) {
				.number = entry.block, .data = entry.zeros ? NULL : data,
			};
		data += entry.zeros ? 0 : KEPTLOG_PAGE;
	}
}

static int read_record(const struct keptlog_fill *fill, struct keptlog_record *record)
{
	const struct keptlog_segment *segment = fill->segment;
	int rc = keptlog_read_page(fill->log, segment, fill->page, fill->pages);

	if (rc == 0 && (!keptlog_decode_record(fill->log->id, fill->pages, record) ||
			record->data >= segment->good_pages - fill->page))
		rc = -EBADMSG;
	if (rc == 0)
		rc = keptlog_check_blocks(fill->log, fill->pages, record->count);
	return rc == 0 ? keptlog_read_data(fill->log, segment, fill->page, record, fill->pages) : rc;
}

int keptlog_fill_next(struct keptlog_fill *fill)
{
	struct keptlog_record record;
	int rc;

	if (fill->page >= fill->segment->good_pages)
		return 0;
	rc = keptlog_use_file(fill->log);
	if (rc < 0)
		return rc;
	rc = read_record(fill, &record);
	pooled_file_leave(fill->log->file);
	if (rc == -EBADMSG)
		log_line(LOG_ERROR, "store", "%s is damaged: it is not what it was when it was written",
			 fill->log->path);
	if (rc < 0)
		return rc;
	fill->page += 1 + record.data;
	list_blocks(fill, &record);
	return 1;
}

/* The file gives its space back when nothing is in it; that it did need not be durable. */
static void trim(struct keptlog *log)
{
	if (oldest(log, NULL) || log->committing ||
	    rt_file_set_size(pooled_file_get(log->file), KEPTLOG_HEADER_BYTES) < 0)
		return;
	for (unsigned i = 0; i < log->header.segments; i++)
		log->segments[i].allocated = false;
}

int keptlog_fill_end(struct keptlog_fill *fill, bool filled)
{
	struct keptlog *log = fill->log;
	struct keptlog_segment *next;
	int rc;
	RT_SHIELD();

	mem_free(fill->pages);
	fill->pages = NULL;
	if (!filled)
		return 0;
	/* Before the lock, which who uses it may wait for. */
	rc = keptlog_use_file(log);
	if (rc < 0)
		return rc;
	rc = rt_mutex_lock(&log->changing);
	assert(rc == 0);
	next = oldest(log, fill->segment);
	rc = keptlog_write_header(log, next ? next->first : log->sequence + 1);
	/* Its blocks are in the map whatever became of the header; only then may it be written anew. */
	if (rc == 0)
		keptlog_end_segment(log, fill->segment);
	else if (rc != -ENOMEM && !log->error)
		log->error = rc;
	if (rc == 0)
		trim(log);
	rt_mutex_unlock(&log->changing);
	pooled_file_leave(log->file);
	return rc;
}
