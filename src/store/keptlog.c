/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keptlog.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/crc32c.h"
#include "rt/list.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/keptlog_private.h"
#include "store/planted.h"

#define COMMIT_RECORDS	8u		/* that share one sync, at most */
#define SPARE_PART	16u		/* of its file system a log leaves free */

/* ---- which blocks are in it ---- */

static uint32_t *bucket_of(const struct keptlog *log, uint64_t block)
{
	return &log->buckets[(uint32_t)(block * UINT64_C(0x9e3779b97f4a7c15) >> 40) & log->bucket_mask];
}

static struct keptlog_segment *segment_of(const struct keptlog *log, uint32_t number)
{
	return (struct keptlog_segment *)&log->segments[(number - 1) / log->header.segment_pages];
}

static struct slot *slot_of(const struct keptlog *log, uint32_t number)
{
	return &segment_of(log, number)->slots[(number - 1) % log->header.segment_pages];
}

/* The number of its slot; 0: it is not there. */
static uint32_t find_slot(const struct keptlog *log, uint64_t block)
{
	uint32_t number = log->live > 0 ? *bucket_of(log, block) : 0;

	while (number && slot_of(log, number)->block != block)
		number = slot_of(log, number)->next;
	return number;
}

/* So that nobody looks for every block of a large volume at once. */
#define FIND_MAX	UINT64_C(4096)

bool keptlog_find(const struct keptlog *log, uint64_t first, uint64_t end, uint64_t *run_end)
{
	bool has = find_slot(log, first), is_short = log->live > 0 && end - first > FIND_MAX;

	assert(first < end);
	*run_end = is_short ? first + FIND_MAX : end;
	for (uint64_t block = first + 1; log->live > 0 && block < *run_end; block++)
		if ((find_slot(log, block) != 0) != has)
			*run_end = block;
	return has;
}

int keptlog_index(struct keptlog *log, struct keptlog_segment *segment)
{
	for (; segment->indexed < segment->count; segment->indexed++) {
		struct slot *slot = &segment->slots[segment->indexed];
		uint32_t *bucket = bucket_of(log, slot->block);

		if (find_slot(log, slot->block))
			return -EBADMSG;
		slot->next = *bucket;
		*bucket = (uint32_t)(segment - log->segments) * log->header.segment_pages + segment->indexed + 1;
		log->live++;
	}
	segment->good_pages = segment->pages;
	return 0;
}

static void forget(struct keptlog *log, uint64_t block)
{
	uint32_t number = find_slot(log, block), *at;

	if (!number)
		return;
	for (at = bucket_of(log, block); *at != number; at = &slot_of(log, *at)->next)
		;
	*at = slot_of(log, number)->next;
	slot_of(log, number)->block = NO_BLOCK;
	log->live--;
}

void keptlog_forget(struct keptlog *log, uint64_t first, uint64_t end)
{
	for (uint64_t block = first; log->live > 0 && block < end; block++)
		forget(log, block);
}

uint64_t keptlog_count(const struct keptlog *log)
{
	return log->live;
}

static unsigned count_segments(const struct keptlog *log)
{
	unsigned used = 0;

	for (unsigned i = 0; i < log->header.segments; i++)
		used += log->segments[i].in_use;
	return used;
}

bool keptlog_is_empty(const struct keptlog *log)
{
	return count_segments(log) == 0;
}

bool keptlog_is_short(const struct keptlog *log)
{
	return count_segments(log) * 4 > log->header.segments * 3;
}

uint64_t keptlog_next_sequence(const struct keptlog *log)
{
	return log->sequence + 1;
}

int keptlog_read(struct keptlog *log, uint64_t block, uint8_t *data)
{
	MEM_OWNED uint8_t *page = mem_alloc_pages(KEPTLOG_PAGE);
	uint32_t number = find_slot(log, block), crc;
	int rc;

	if (!page || !number)
		return page ? -ENOENT : -ENOMEM;
	if (slot_of(log, number)->page == NO_PAGE) {
		memset(data, 0, KEPTLOG_PAGE);
		return 0;
	}
	crc = slot_of(log, number)->crc;
	rc = keptlog_use_file(log);
	if (rc < 0)
		return rc;
	/* Its file may have been away for a while. */
	if (find_slot(log, block) == number)
		rc = keptlog_read_page(log, segment_of(log, number), slot_of(log, number)->page, page);
	pooled_file_leave(log->file);
	if (rc < 0)
		return rc;
	/* Its space may have been taken again meanwhile. */
	if (find_slot(log, block) != number)
		return -ENOENT;
	if (crc32c(0, page, KEPTLOG_PAGE) != crc) {
		log_line(LOG_ERROR, "store", "%s is damaged: block %llu is not what it was when it was kept",
			 log->path, (unsigned long long)block);
		return -EBADMSG;
	}
	memcpy(data, page, KEPTLOG_PAGE);
	return 0;
}

int keptlog_use_file(struct keptlog *log)
{
	int rc = pooled_file_use(log->file);

	if (rc != -EIO)
		return rc;
	log->lost = true;
	if (!log->error)
		log->error = rc;
	return rc;
}

bool keptlog_is_lost(const struct keptlog *log)
{
	return log->lost;
}

/* ---- segments ---- */

static int make_index(struct keptlog *log)
{
	uint32_t count = 1;

	while (count < log->header.segments * log->header.segment_pages / 4)
		count *= 2;
	log->buckets = mem_alloc_zeroed(count * sizeof(*log->buckets));
	log->buffer = mem_alloc_pages(KEPTLOG_RECORD_PAGES_MAX * KEPTLOG_PAGE);
	log->bucket_mask = count - 1;
	if (log->buckets && log->buffer)
		return 0;
	mem_free(log->buckets);
	mem_free(log->buffer);
	log->buckets = NULL;
	log->buffer = NULL;
	return -ENOMEM;
}

int keptlog_begin_segment(struct keptlog *log, struct keptlog_segment *segment)
{
	bool allocated = segment->allocated;
	struct slot *slots;

	if (!log->buckets && make_index(log) < 0)
		return -ENOMEM;
	slots = mem_alloc(log->header.segment_pages * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	*segment = (struct keptlog_segment) { .in_use = true, .allocated = allocated, .slots = slots };
	return 0;
}

void keptlog_end_segment(struct keptlog *log, struct keptlog_segment *segment)
{
	for (uint32_t i = 0; i < segment->indexed; i++)
		if (segment->slots[i].block != NO_BLOCK)
			forget(log, segment->slots[i].block);
	mem_free(segment->slots);
	segment->slots = NULL;
	segment->in_use = false;
	if (!keptlog_is_empty(log) || log->committing)
		return;
	mem_free(log->buckets);
	mem_free(log->buffer);
	log->buckets = NULL;
	log->buffer = NULL;
}

/* Its file system is left some space for others. */
static int allocate(struct keptlog *log, struct keptlog_segment *segment)
{
	uint64_t bytes = (uint64_t)log->header.segment_pages * KEPTLOG_PAGE, total, free;
	int rc;

	if (segment->allocated)
		return 0;
	rc = rt_path_space(log->path, &total, &free);
	if (rc == 0 && free < bytes + total / SPARE_PART)
		rc = -ENOSPC;
	if (rc == 0)
		rc = rt_file_allocate(pooled_file_get(log->file), keptlog_segment_offset(log, segment), bytes);
	segment->allocated = rc == 0;
	return rc;
}

static int open_segment(struct keptlog *log)
{
	int rc = rt_mutex_lock(&log->changing);
	unsigned i = 0;

	if (rc < 0)
		return rc;
	while (i < log->header.segments && log->segments[i].in_use)
		i++;
	rc = i < log->header.segments ? allocate(log, &log->segments[i]) : -ENOSPC;
	if (rc == 0)
		rc = keptlog_begin_segment(log, &log->segments[i]);
	if (rc == 0) {
		log->open = &log->segments[i];
		log->open->first = log->sequence + 1;
	}
	rt_mutex_unlock(&log->changing);
	return rc;
}

/* ---- puts ---- */

struct order {
	struct list_head link;
	const struct keptlog_block *blocks;
	unsigned count, placed;
	bool ended;
	int rc;
};

static struct order *next_order(struct keptlog *log)
{
	struct order *order;

	list_for_each(order, &log->orders, link)
		if (order->placed < order->count)
			return order;
	return NULL;
}

void keptlog_add_slots(struct keptlog_segment *segment, const uint8_t *record_page, uint32_t count, uint32_t page)
{
	struct keptlog_entry entry;

	for (uint32_t i = 0; i < count; i++) {
		keptlog_get_entry(record_page, i, &entry);
		segment->slots[segment->count++] = (struct slot) {
			.block = entry.block & KEPTLOG_BLOCKS_MAX, .crc = entry.crc,
			.page = entry.zeros ? NO_PAGE : ++page & NO_PAGE,
		};
	}
}

/* The record has room for one more of these, and its segment for all of them. */
static bool has_room(const struct keptlog *log, const struct keptlog_record *record)
{
	uint32_t pages = log->header.segment_pages;

	return record->count < KEPTLOG_RECORD_BLOCKS && log->open->pages + 1 + record->data < pages &&
	       log->open->count + record->count < pages;
}

static void add_block(struct keptlog *log, struct keptlog_record *record, const struct keptlog_block *block)
{
	struct keptlog_entry entry = { .block = block->number, .zeros = !block->data };

	assert(block->number < log->blocks);
	if (block->data) {
		memcpy(log->buffer + (1 + record->data++) * KEPTLOG_PAGE, block->data, KEPTLOG_PAGE);
		entry.crc = crc32c(0, block->data, KEPTLOG_PAGE);
	}
	keptlog_put_entry(log->buffer, record->count++, &entry);
}

static void build_record(struct keptlog *log, struct keptlog_record *record)
{
	struct order *order;

	*record = (struct keptlog_record) { .safe = log->safe, .sequence = ++log->sequence, .follows = log->last };
	while (has_room(log, record) && (order = next_order(log)))
		add_block(log, record, &order->blocks[order->placed++]);
	keptlog_encode_record(log->id, record, log->buffer);
}

/* 1: there was something to write; else 0. An error that is not the log's own: there is no room. */
static int write_next(struct keptlog *log)
{
	struct keptlog_segment *segment;
	struct keptlog_record record;
	uint64_t offset;
	int rc = 0;

	if (!next_order(log))
		return 0;
	if (!log->open || !has_room(log, &(struct keptlog_record) { .count = 0 }))
		rc = open_segment(log);
	if (rc < 0)
		return rc;
	segment = log->open;
	build_record(log, &record);
	offset = keptlog_segment_offset(log, segment) + (uint64_t)segment->pages * KEPTLOG_PAGE;
	keptlog_add_slots(segment, log->buffer, record.count, segment->pages);
	segment->pages += 1 + record.data;
	segment->last = log->last = record.sequence;
	rc = rt_file_write(pooled_file_get(log->file), log->buffer, (1 + record.data) * (size_t)KEPTLOG_PAGE, offset);
	if (rc < 0)
		log->error = rc;
	return rc < 0 ? rc : 1;
}

static void end_orders(struct keptlog *log, int rc)
{
	struct order *order, *next;

	list_for_each_safe(order, next, &log->orders, link) {
		if (log->error)
			order->rc = log->error;
		else if (order->placed < order->count && rc >= 0)
			continue;
		else if (order->placed < order->count)
			order->rc = rc;
		order->ended = true;
		list_remove(&order->link);
	}
	rt_cond_wake_all(&log->committed);
}

/* Nobody puts a block that is there. */
static void index_new(struct keptlog *log, struct keptlog_segment *segment)
{
	int rc = keptlog_index(log, segment);

	assert(rc == 0);
}

/* 0, or why there was no room. */
static int write_and_sync(struct keptlog *log)
{
	uint64_t last = log->last;
	int rc = 1;

	for (unsigned i = 0; rc > 0 && i < COMMIT_RECORDS; i++)
		rc = write_next(log);
	if (!log->error && log->last != last && !planted(PLANTED_KEPT_UNSYNCED))
		log->error = rt_file_sync(pooled_file_get(log->file));
	return rc < 0 ? rc : 0;
}

static void commit(struct keptlog *log)
{
	int rc = keptlog_use_file(log);

	if (rc == 0) {
		rc = write_and_sync(log);
		pooled_file_leave(log->file);
	} else if (rc != -ENOMEM) {
		log->error = rc;
	}
	if (log->error)
		log_line(LOG_ERROR, "store", "%s: it takes no more blocks: %s", log->path,
			 strerrordesc_np(-log->error));
	for (unsigned i = 0; !log->error && i < log->header.segments; i++)
		if (log->segments[i].in_use)
			index_new(log, &log->segments[i]);
	log->safe = log->error ? log->safe : log->last;
	end_orders(log, rc);
}

static void run_committer(void *arg)
{
	struct keptlog *log = arg;
	RT_SHIELD();

	while (!list_empty(&log->orders))
		commit(log);
	log->committing = false;
}

int keptlog_put(struct keptlog *log, const struct keptlog_block *blocks, unsigned count)
{
	struct order order = { .blocks = blocks, .count = count };
	int rc = 0;
	RT_SHIELD();

	assert(count > 0);
	if (log->error || log->header.segments == 0)
		return log->error ? log->error : -ENOSPC;
	if (!log->committing)
		rc = rt_group_start(&log->fibers, "kept blocks", run_committer, log);
	if (rc < 0)
		return rc;
	log->committing = true;
	list_add_last(&log->orders, &order.link);
	while (!order.ended)
		(void)!rt_cond_wait(&log->committed);
	return order.rc;
}
