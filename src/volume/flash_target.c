/* SPDX-License-Identifier: Apache-2.0 */
/* flash_target.c - the target of a FlashCopy: what it keeps of its source, what it shows, and writes to it. */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "rt/mem.h"
#include "store/planted.h"
#include "volume/flash_internal.h"

/* ---- the relation comes and goes ---- */

bool volume_is_flash_target(const struct volume *volume)
{
	return volume->flash != NULL;
}

void volume_flash_init(struct volume_flash *flash)
{
	*flash = (struct volume_flash) { .source = NULL };
	rt_cond_init(&flash->unused);
	rt_mutex_init(&flash->failing);
	rt_cond_init(&flash->short_of_log);
	rt_mutex_init(&flash->filling_one);
	rt_cond_init(&flash->kept);
	list_init(&flash->link);
}

/* All is durably the target's own, and nobody has to know what is written. */
static void note_done(struct volume_flash *flash)
{
	atomic_store_explicit(&flash->is_done, !flash->changed && volume_flash_is_whole(flash), memory_order_release);
}

int volume_flash_attach_target(struct volume_flash *flash)
{
	struct volume *volume = flash->target;

	assert(volume->reactor == rt_here() && !volume->flash);
	assert(volume->readers == 0 && volume->writers == 0 && volume->appliers == 0);
	if (volume->growing_blocks != 0)
		return -EBUSY;
	volume->flash = flash;
	note_done(flash);
	rt_group_init(&flash->fillers);		/* it is this reactor's */
	volume_flash_begin_fill(flash);
	return 0;
}

void volume_flash_detach_target(struct volume_flash *flash)
{
	RT_SHIELD();

	assert(flash->target->reactor == rt_here() && flash->target->flash == flash);
	flash->target->flash = NULL;
	volume_flash_stop_fill(flash);
	while (flash->users > 0)
		(void)!rt_cond_wait(&flash->unused);
}

static void exchange(struct flashmap **a, struct flashmap **b)
{
	struct flashmap *was = *a;

	*a = *b;
	*b = was;
}

void volume_flash_use_maps(struct volume_flash *flash, struct flashmap **map, struct flashmap **changed,
			   struct keptlog **log)
{
	struct keptlog *was = flash->log;

	assert(flash->target->reactor == rt_here());
	/* What is in the log that is given back must not come to the disk later. */
	volume_flash_stop_fill(flash);
	assert(flash->users == 0);
	exchange(&flash->map, map);
	exchange(&flash->changed, changed);
	flash->log = *log;
	*log = was;
	note_done(flash);
	volume_flash_begin_fill(flash);
}

struct volume_flash *volume_flash_use(struct volume *volume)
{
	if (volume->flash)
		volume->flash->users++;
	return volume->flash;
}

void volume_flash_leave(struct volume_flash *flash)
{
	if (flash && --flash->users == 0)
		rt_cond_wake_all(&flash->unused);
}

int volume_flash_fail(struct volume_flash *flash, int error)
{
	int rc;
	RT_SHIELD();

	rc = rt_mutex_lock(&flash->failing);
	assert(rc == 0);
	if (!flash->error) {
		rc = flash->failed(flash->failed_arg, error);
		if (rc == 0)
			flash->error = error;
	}
	rt_mutex_unlock(&flash->failing);
	return rc < 0 ? -EIO : 0;
}

/* ---- what the target shows ---- */

/* A part of a volume, to be asked of the source. */
struct ask {
	struct volume *source;
	uint8_t *buf;
	uint64_t offset, len;
	bool data;
	uint64_t end;
};

static int read_there(void *arg)
{
	struct ask *ask = arg;

	return volume_read_content(ask->source, ask->buf, ask->len, ask->offset);
}

static int get_run_there(void *arg)
{
	struct ask *ask = arg;

	return volume_get_content_run(ask->source, ask->offset, &ask->data, &ask->end);
}

int volume_flash_find(struct volume_flash *flash, uint64_t first, uint64_t end, enum flash_place *place,
		      uint64_t *run_end)
{
	bool own;
	int rc = flashmap_find(flash->map, first, end, &own, run_end);

	if (rc < 0)
		return rc;
	*place = own ? FLASH_OWN : FLASH_AT_SOURCE;
	if (!own && keptlog_find(flash->log, first, *run_end, run_end))
		*place = FLASH_IN_LOG;
	return 0;
}

/* The same of the block at an offset, and the end in bytes. */
static int find_at(struct volume_flash *flash, uint64_t offset, uint64_t end, enum flash_place *place, uint64_t *to)
{
	uint64_t run_end;
	int rc;

	if (flash->error)
		return -EIO;
	rc = volume_flash_find(flash, volume_first_block(offset), volume_end_block(0, end), place, &run_end);
	if (rc < 0)
		return rc;
	*to = run_end * XDC_BLOCK_SIZE < end ? run_end * XDC_BLOCK_SIZE : end;
	return 0;
}

/*
 * Reads first, then tests: the old block is kept before the source is overwritten, so what was read of the source is
 * good if it is not kept yet. *done: bytes that are.
 */
static int read_source(struct volume_flash *flash, uint8_t *buf, uint64_t offset, uint64_t end, uint64_t *done)
{
	struct ask ask = { .source = flash->source, .buf = buf, .offset = offset, .len = end - offset };
	enum flash_place place = FLASH_AT_SOURCE;
	uint64_t good_end = end;
	int rc = rt_call(volume_reactor(flash->source), read_there, &ask);

	if (rc == 0 && !planted(PLANTED_FLASH_TEST_FIRST))
		rc = find_at(flash, offset, end, &place, &good_end);
	*done = place == FLASH_AT_SOURCE ? good_end - offset : 0;
	return rc;
}

/* A block, or a part of it. When the log has it no more, the map has. */
static int read_log(struct volume_flash *flash, uint8_t *buf, uint64_t offset, uint64_t end, uint64_t *done)
{
	uint64_t block_end = offset / XDC_BLOCK_SIZE * XDC_BLOCK_SIZE + XDC_BLOCK_SIZE;
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = keptlog_read(flash->log, volume_first_block(offset), data);

	/* What it had of this volume is nowhere else. */
	if (rc < 0 && keptlog_is_lost(flash->log))
		(void)!volume_flash_fail(flash, rc);
	*done = rc == 0 ? (end < block_end ? end : block_end) - offset : 0;
	if (rc == 0)
		memcpy(buf, data + offset % XDC_BLOCK_SIZE, *done);
	return rc == -ENOENT ? 0 : rc;
}

int volume_flash_read(struct volume_flash *flash, void *buf, size_t len, uint64_t offset)
{
	uint64_t at = offset, end = offset + len, to_at, done;
	enum flash_place place;
	uint8_t *to = buf;
	int rc = 0;

	while (rc == 0 && at < end) {
		rc = find_at(flash, at, end, &place, &to_at);
		if (rc < 0)
			return rc;
		done = to_at - at;
		if (place == FLASH_OWN)
			rc = vdisk_read(flash->target->disk, to, done, at);
		else if (place == FLASH_IN_LOG)
			rc = read_log(flash, to, at, to_at, &done);
		else
			rc = read_source(flash, to, at, to_at, &done);
		at += done;
		to += done;
	}
	return rc;
}

/* What the source says is so if the block is there still. *done: it is. */
static int get_source_run(struct volume_flash *flash, uint64_t offset, uint64_t to, bool *data, uint64_t *end,
			  bool *done)
{
	struct ask ask = { .source = flash->source, .offset = offset };
	enum flash_place place;
	int rc = rt_call(volume_reactor(flash->source), get_run_there, &ask);

	if (rc == 0)
		rc = find_at(flash, offset, to, &place, &to);
	*done = rc == 0 && place == FLASH_AT_SOURCE;
	*data = ask.data;
	*end = ask.end < to ? ask.end : to;
	return rc;
}

int volume_flash_get_run(struct volume_flash *flash, uint64_t offset, bool *data, uint64_t *end)
{
	enum flash_place place;
	bool done = false;
	uint64_t to;
	int rc = 0;

	while (rc == 0 && !done) {
		rc = find_at(flash, offset, volume_size(flash->target), &place, &to);
		if (rc < 0)
			return rc;
		if (place == FLASH_AT_SOURCE) {
			rc = get_source_run(flash, offset, to, data, end, &done);
			continue;
		}
		*data = done = true;
		*end = to;
		if (place == FLASH_OWN)
			rc = vdisk_get_run(flash->target->disk, offset, data, end);
		if (*end > to)
			*end = to;
	}
	return rc;
}

/* ---- blocks become the target's own ---- */

static bool is_zero(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* Zeroes take no space where the pool can make holes. */
static int put_kept(struct volume *target, const uint8_t *data, uint64_t len, uint64_t offset)
{
	if (vdisk_makes_holes(target->disk) && is_zero(data, len))
		return vdisk_zero(target->disk, offset, len, false);
	return vdisk_write_unsynced(target->disk, data, len, offset);
}

int volume_flash_put(struct volume_flash *flash, const uint8_t *data, uint64_t first, uint64_t end)
{
	uint64_t bytes = volume_bytes(flash->target, first, end), offset = first * XDC_BLOCK_SIZE;
	int rc = data ? put_kept(flash->target, data, bytes, offset) :
		vdisk_zero(flash->target->disk, offset, bytes, false);

	return rc == 0 ? flashmap_add(flash->map, first, end) : rc;
}

/* Puts what is kept nowhere yet. The blocks are claimed. *added: there was some. */
static int put_missing(struct volume_flash *flash, const struct flash_range *range, bool *added)
{
	uint64_t block = range->first, run_end;
	enum flash_place place;
	int rc = 0;

	while (rc == 0 && block < range->end) {
		rc = volume_flash_find(flash, block, range->end, &place, &run_end);
		if (rc == 0 && place == FLASH_AT_SOURCE) {
			rc = volume_flash_put(flash, range->data + (block - range->first) * XDC_BLOCK_SIZE, block,
					      run_end);
			*added = true;
		}
		block = run_end;
	}
	return rc;
}

/* After it was added: who looks from now on finds it in the map. */
static void note_fresh(struct volume_flash *flash, uint64_t track, uint64_t end)
{
	struct volume_flash_fresh *fresh = flash->fresh;

	if (fresh && fresh->count < FLASH_FRESH_MAX)
		fresh->runs[fresh->count++] = (struct flash_tracks) { track, end };
	else if (fresh)
		fresh->more = true;
}

/* To be durable with the next commit of what changed. */
static int add_changed(struct volume_flash *flash, uint64_t first, uint64_t end, bool *added)
{
	uint64_t track = first / XDC_BLOCKS_PER_TRACK, run_end;
	uint64_t end_track = (end + XDC_BLOCKS_PER_TRACK - 1) / XDC_BLOCKS_PER_TRACK;
	bool noted;
	int rc = 0;

	for (; flash->changed && rc == 0 && track < end_track; track = run_end) {
		rc = flashmap_find(flash->changed, track, end_track, &noted, &run_end);
		if (rc < 0 || noted)
			continue;
		rc = flashmap_add(flash->changed, track, run_end);
		note_fresh(flash, track, run_end);
		*added = true;
	}
	return rc;
}

/* Before one of the two is written there: durably, where changes are recorded. */
static int note_changed(struct volume_flash *flash, const struct flash_range *ranges, unsigned count)
{
	bool added = false;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = add_changed(flash, ranges[i].first, ranges[i].end, &added);
	return rc == 0 && added ? flashmap_commit(flash->changed) : rc;
}

struct put_order {
	const struct flash_keep *keep;
	bool added;
};

static int put_one(void *arg, unsigned i)
{
	struct put_order *order = arg;

	return put_missing(order->keep->flash, &order->keep->ranges[i], &order->added);
}

/* To the disk at once: what the log has no room for, and long runs, which would only be written twice. */
static int keep_on_disk(const struct flash_keep *keep)
{
	struct put_order order = { .keep = keep };
	int rc = volume_flash_each(keep->count, put_one, &order);

	if (rc == 0 && order.added && !planted(PLANTED_FLASH_WRITE_FIRST))
		rc = flashmap_commit(keep->flash->map);
	return rc;
}

/* Of the range what is kept nowhere yet. */
static int list_missing(struct volume_flash *flash, const struct flash_range *range, struct keptlog_block *blocks,
			unsigned *count)
{
	uint64_t block = range->first, run_end;
	enum flash_place place;
	int rc = 0;

	for (; rc == 0 && block < range->end; block = run_end) {
		rc = volume_flash_find(flash, block, range->end, &place, &run_end);
		for (uint64_t at = block; rc == 0 && place == FLASH_AT_SOURCE && at < run_end; at++) {
			const uint8_t *data = range->data + (at - range->first) * XDC_BLOCK_SIZE;

			blocks[(*count)++] = (struct keptlog_block) {
				.number = at, .data = is_zero(data, XDC_BLOCK_SIZE) ? NULL : data,
			};
		}
	}
	return rc;
}

static int keep_in_log(const struct flash_keep *keep, uint64_t total)
{
	MEM_OWNED struct keptlog_block *blocks = mem_alloc(total * sizeof(*blocks));
	struct volume_flash *flash = keep->flash;
	unsigned count = 0;
	int rc = blocks ? 0 : -ENOMEM;

	for (unsigned i = 0; rc == 0 && i < keep->count; i++)
		rc = list_missing(flash, &keep->ranges[i], blocks, &count);
	if (rc < 0 || count == 0)
		return rc;
	rc = keptlog_put(flash->log, blocks, count);
	flash->kept_ns = rt_now_ns();
	volume_flash_begin_fill(flash);
	return rc;
}

static int keep_somewhere(const struct flash_keep *keep)
{
	uint64_t total = 0;
	int rc = 0;

	for (unsigned i = 0; i < keep->count; i++) {
		uint64_t blocks = keep->ranges[i].end - keep->ranges[i].first;

		total += blocks;
		if (blocks > XDC_BLOCKS_PER_TRACK)
			rc = -EFBIG;
	}
	if (rc == 0 && !planted(PLANTED_FLASH_WRITE_FIRST))
		rc = keep_in_log(keep, total);
	else if (rc == 0)
		rc = -EFBIG;
	return rc < 0 ? keep_on_disk(keep) : 0;
}

/* Shielded: all claims are waited for, and nothing else ends that. */
static int keep_claimed(const struct flash_keep *keep, struct blocklock_claim *claims)
{
	struct blocklock *lock = &keep->flash->target->lock;
	int rc;
	RT_SHIELD();

	for (unsigned i = 0; i < keep->count; i++)
		blocklock_queue(lock, &claims[i], keep->ranges[i].first, keep->ranges[i].end);
	for (unsigned i = 0; i < keep->count; i++)
		(void)!blocklock_wait(lock, &claims[i]);
	rc = keep_somewhere(keep);
	for (unsigned i = 0; i < keep->count; i++)
		blocklock_release(lock, &claims[i]);
	return rc;
}

static int keep_blocks(const struct flash_keep *keep)
{
	MEM_OWNED struct blocklock_claim *claims = mem_alloc(keep->count * sizeof(*claims));
	int rc = claims ? note_changed(keep->flash, keep->ranges, keep->count) : -ENOMEM;

	return rc == 0 ? keep_claimed(keep, claims) : rc;
}

int volume_flash_keep_here(struct flash_keep *keep)
{
	struct volume_flash *flash = keep->flash;
	int rc = 0;

	flash->users++;
	if (!flash->error)
		rc = keep_blocks(keep);
	if (rc < 0 && !volume_error_passes(rc))
		rc = volume_flash_fail(flash, rc);
	volume_flash_leave(flash);
	return rc;
}

/* ---- writes of the target ---- */

/* A map takes no more: without it nobody knows what is on the target. */
static int end_of_map(struct volume_flash *flash, int rc)
{
	if (volume_error_passes(rc))
		return rc;
	(void)!volume_flash_fail(flash, rc);
	return -EIO;
}

/* A block that is not the target's own becomes whole on its disk. */
static int fill_block(struct volume_flash *flash, uint64_t block, bool *takes)
{
	uint64_t bytes = volume_bytes(flash->target, block, block + 1), run_end;
	uint8_t data[XDC_BLOCK_SIZE];
	bool own;
	int rc = flashmap_find(flash->map, block, block + 1, &own, &run_end);

	if (rc < 0 || own)
		return rc;
	*takes = true;
	if (planted(PLANTED_FLASH_NO_FILL))
		return 0;
	rc = volume_flash_read(flash, data, bytes, block * XDC_BLOCK_SIZE);
	return rc == 0 ? vdisk_write(flash->target->disk, data, bytes, block * XDC_BLOCK_SIZE) : rc;
}

int volume_flash_begin_write(struct volume_flash *flash, uint64_t offset, uint64_t len, bool *takes)
{
	uint64_t first = volume_first_block(offset), end = volume_end_block(offset, len), block, run_end;
	bool own;
	int rc = 0;

	*takes = false;
	if (flash->error)
		return -EIO;
	if (!planted(PLANTED_FLASH_TARGET_UNNOTED))
		rc = note_changed(flash, &(struct flash_range) { .first = first, .end = end }, 1);
	if (rc < 0)
		return end_of_map(flash, rc);
	if (offset % XDC_BLOCK_SIZE)
		rc = fill_block(flash, first, takes);
	if (rc == 0 && (offset + len) % XDC_BLOCK_SIZE)
		rc = fill_block(flash, end - 1, takes);
	for (block = first; rc == 0 && !*takes && block < end; block = run_end) {
		rc = flashmap_find(flash->map, block, end, &own, &run_end);
		*takes = rc == 0 && !own;
	}
	return rc;
}

int volume_flash_end_write(struct volume_flash *flash, uint64_t offset, uint64_t len)
{
	uint64_t first = volume_first_block(offset), end = volume_end_block(offset, len);
	int rc = flashmap_add(flash->map, first, end);

	if (rc == 0)
		rc = flashmap_commit(flash->map);
	if (rc < 0)
		return end_of_map(flash, rc);
	keptlog_forget(flash->log, first, end);
	return 0;
}

/* ---- background copy ---- */

/* So much at most is copied again after a crash, and so many bits are in memory until they are durable: of 1 GiB. */
#define COPY_COMMIT_BLOCKS	(UINT64_C(1) << 18)

/* What takes no space in the source takes none here, and is not read. *done: so it was. The blocks are claimed. */
static int copy_hole(struct volume_flash *flash, uint64_t first, uint64_t end, bool *done)
{
	uint64_t offset = first * XDC_BLOCK_SIZE, bytes = volume_bytes(flash->target, first, end), run_end;
	bool data;
	int rc = volume_flash_get_run(flash, offset, &data, &run_end);

	*done = rc == 0 && !data && run_end >= offset + bytes && vdisk_makes_holes(flash->target->disk);
	if (*done)
		rc = vdisk_zero(flash->target->disk, offset, bytes, false);
	return rc == 0 && *done ? flashmap_add(flash->map, first, end) : rc;
}

static int copy_data(struct volume_flash *flash, uint64_t first, uint64_t end)
{
	uint64_t bytes = volume_bytes(flash->target, first, end);
	MEM_OWNED uint8_t *data = mem_alloc_pages((end - first) * XDC_BLOCK_SIZE);
	const struct flash_range range = { .first = first, .end = end, .data = data };
	bool added = false;
	int rc = data ? volume_flash_read(flash, data, bytes, first * XDC_BLOCK_SIZE) : -ENOMEM;

	return rc == 0 ? put_missing(flash, &range, &added) : rc;
}

/* Whole blocks within one zone, claimed: nobody overwrites them in the source before they are kept here. */
static int copy_blocks(struct volume_flash *flash, uint64_t first, uint64_t end)
{
	struct blocklock_claim claim;
	bool done;
	int rc = blocklock_claim(&flash->target->lock, &claim, first, end);

	if (rc < 0)
		return rc;
	rc = copy_hole(flash, first, end, &done);
	if (rc == 0 && !done)
		rc = copy_data(flash, first, end);
	blocklock_release(&flash->target->lock, &claim);
	flash->uncommitted += end - first;
	return rc;
}

static int copy_next(struct volume_flash *flash, uint64_t *from, uint64_t size_blocks)
{
	enum flash_place place = FLASH_OWN;
	uint64_t first = *from, zone_end, end;
	int rc = 0;

	for (end = first; rc == 0 && place != FLASH_AT_SOURCE && end < size_blocks;) {
		first = end;
		rc = volume_flash_find(flash, first, size_blocks, &place, &end);
	}
	if (rc == 0 && place == FLASH_AT_SOURCE) {
		zone_end = (first / BLOCKLOCK_ZONE_BLOCKS + 1) * BLOCKLOCK_ZONE_BLOCKS;
		end = end < zone_end ? end : zone_end;
		rc = copy_blocks(flash, first, end);
	}
	if (rc == 0)
		*from = end;
	return rc;
}

/* 1: there is more. */
static int copy_step(struct volume_flash *flash, struct volume_flash_copying *copying)
{
	uint64_t size_blocks = volume_end_block(0, volume_size(flash->target)), next = copying->next;
	int rc;

	if (flash->error)
		return -EIO;
	if (next == size_blocks)
		return volume_flash_fill_next(flash, copying->log_end);
	rc = copy_next(flash, &next, size_blocks);
	if (rc == 0 && (next == size_blocks || flash->uncommitted >= COPY_COMMIT_BLOCKS)) {
		flash->uncommitted = 0;
		rc = flashmap_commit(flash->map);
	}
	/* What is not durable is copied again. */
	if (rc < 0)
		return rc;
	copying->next = next;
	copying->log_end = keptlog_next_sequence(flash->log);
	return 1;
}

int volume_flash_copy(struct volume_flash *flash, struct volume_flash_copying *copying)
{
	int rc;

	flash->users++;
	rc = copy_step(flash, copying);
	if (rc == 0)
		note_done(flash);
	volume_flash_leave(flash);
	return rc;
}

uint64_t volume_flash_own_blocks(const struct volume_flash *flash)
{
	uint64_t own = flashmap_count(flash->map) + keptlog_count(flash->log);
	uint64_t all = volume_end_block(0, volume_size(flash->target));

	/* Until a segment is filled the map may have what is in the log still. */
	return own < all ? own : all;
}

bool volume_flash_is_whole(const struct volume_flash *flash)
{
	return flashmap_count(flash->map) == volume_end_block(0, volume_size(flash->target));
}
