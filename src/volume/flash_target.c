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
	return 0;
}

void volume_flash_detach_target(struct volume_flash *flash)
{
	RT_SHIELD();

	assert(flash->target->reactor == rt_here() && flash->target->flash == flash);
	flash->target->flash = NULL;
	while (flash->users > 0)
		(void)!rt_cond_wait(&flash->unused);
}

static void exchange(struct flashmap **a, struct flashmap **b)
{
	struct flashmap *was = *a;

	*a = *b;
	*b = was;
}

void volume_flash_use_maps(struct volume_flash *flash, struct flashmap **map, struct flashmap **changed)
{
	assert(flash->target->reactor == rt_here() && flash->users == 0);
	exchange(&flash->map, map);
	exchange(&flash->changed, changed);
	note_done(flash);
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

/*
 * Whether the block at the offset is the target's own, and the end (bytes) of the blocks like it, at most end.
 */
static int find_own(struct volume_flash *flash, uint64_t offset, uint64_t end, bool *own, uint64_t *own_end)
{
	uint64_t run_end;
	int rc;

	if (flash->error)
		return -EIO;
	rc = flashmap_find(flash->map, volume_first_block(offset), volume_end_block(0, end), own, &run_end);
	if (rc < 0)
		return rc;
	*own_end = run_end * XDC_BLOCK_SIZE < end ? run_end * XDC_BLOCK_SIZE : end;
	return 0;
}

/*
 * Reads first, then tests: the old block is in the map before the source is overwritten, so what was read of the source
 * is good if the block is not there yet. *done: bytes that are.
 */
static int read_source(struct volume_flash *flash, uint8_t *buf, uint64_t offset, uint64_t end, uint64_t *done)
{
	struct ask ask = { .source = flash->source, .buf = buf, .offset = offset, .len = end - offset };
	uint64_t good_end = end;
	bool own = false;
	int rc = rt_call(volume_reactor(flash->source), read_there, &ask);

	if (rc == 0 && !planted(PLANTED_FLASH_TEST_FIRST))
		rc = find_own(flash, offset, end, &own, &good_end);
	*done = own ? 0 : good_end - offset;
	return rc;
}

int volume_flash_read(struct volume_flash *flash, void *buf, size_t len, uint64_t offset)
{
	uint64_t at = offset, end = offset + len, own_end, done;
	uint8_t *to = buf;
	bool own;
	int rc = 0;

	while (rc == 0 && at < end) {
		rc = find_own(flash, at, end, &own, &own_end);
		if (rc < 0)
			return rc;
		done = own_end - at;
		rc = own ? vdisk_read(flash->target->disk, to, done, at) :
			read_source(flash, to, at, own_end, &done);
		at += done;
		to += done;
	}
	return rc;
}

int volume_flash_get_run(struct volume_flash *flash, uint64_t offset, bool *data, uint64_t *end)
{
	struct ask ask = { .source = flash->source, .offset = offset };
	uint64_t size = volume_size(flash->target), own_end;
	bool own, now_own;
	int rc = find_own(flash, offset, size, &own, &own_end);

	while (rc == 0 && !own) {
		rc = rt_call(volume_reactor(flash->source), get_run_there, &ask);
		if (rc == 0)
			rc = find_own(flash, offset, own_end, &now_own, &own_end);
		if (rc == 0 && !now_own) {
			*data = ask.data;
			*end = ask.end < own_end ? ask.end : own_end;
			return 0;
		}
		own = true;
	}
	if (rc == 0)
		rc = vdisk_get_run(flash->target->disk, offset, data, end);
	if (rc == 0 && *end > own_end)
		*end = own_end;
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

/* Writes what is not yet there. The blocks are claimed. *added: there was some. */
static int put_missing(struct volume_flash *flash, const struct flash_range *range, bool *added)
{
	uint64_t block = range->first, run_end;
	int rc = 0;

	while (rc == 0 && block < range->end) {
		bool own;

		rc = flashmap_find(flash->map, block, range->end, &own, &run_end);
		if (rc == 0 && !own) {
			rc = put_kept(flash->target, range->data + (block - range->first) * XDC_BLOCK_SIZE,
				volume_bytes(flash->target, block, run_end), block * XDC_BLOCK_SIZE);
			if (rc == 0)
				rc = flashmap_add(flash->map, block, run_end);
			*added = true;
		}
		block = run_end;
	}
	return rc;
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

/* Shielded: all claims are waited for, and nothing else ends that. */
static int keep_claimed(const struct flash_keep *keep, struct blocklock_claim *claims)
{
	struct blocklock *lock = &keep->flash->target->lock;
	struct put_order order = { .keep = keep };
	int rc = 0;
	RT_SHIELD();

	for (unsigned i = 0; i < keep->count; i++)
		blocklock_queue(lock, &claims[i], keep->ranges[i].first, keep->ranges[i].end);
	for (unsigned i = 0; i < keep->count; i++)
		(void)!blocklock_wait(lock, &claims[i]);
	rc = volume_flash_each(keep->count, put_one, &order);
	if (rc == 0 && order.added && !planted(PLANTED_FLASH_WRITE_FIRST))
		rc = flashmap_commit(keep->flash->map);
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
	int rc = flashmap_add(flash->map, volume_first_block(offset), volume_end_block(offset, len));

	if (rc == 0)
		rc = flashmap_commit(flash->map);
	return rc < 0 ? end_of_map(flash, rc) : 0;
}

/* ---- background copy ---- */

/* Whole blocks within one zone, claimed: nobody overwrites them in the source before they are kept here. */
static int copy_blocks(struct volume_flash *flash, uint64_t first, uint64_t end)
{
	uint64_t bytes = volume_bytes(flash->target, first, end);
	MEM_OWNED uint8_t *data = mem_alloc_pages((end - first) * XDC_BLOCK_SIZE);
	const struct flash_range range = { .first = first, .end = end, .data = data };
	struct blocklock_claim claim;
	bool added = false;
	int rc = data ? blocklock_claim(&flash->target->lock, &claim, first, end) : -ENOMEM;

	if (rc < 0)
		return rc;
	rc = volume_flash_read(flash, data, bytes, first * XDC_BLOCK_SIZE);
	if (rc == 0)
		rc = put_missing(flash, &range, &added);
	blocklock_release(&flash->target->lock, &claim);
	return rc;
}

static int copy_next(struct volume_flash *flash, uint64_t *from, uint64_t size_blocks)
{
	uint64_t first = *from, zone_end, end;
	bool own = true;
	int rc = 0;

	for (end = first; rc == 0 && own && end < size_blocks;) {
		first = end;
		rc = flashmap_find(flash->map, first, size_blocks, &own, &end);
	}
	if (rc == 0 && !own) {
		zone_end = (first / BLOCKLOCK_ZONE_BLOCKS + 1) * BLOCKLOCK_ZONE_BLOCKS;
		end = end < zone_end ? end : zone_end;
		rc = copy_blocks(flash, first, end);
	}
	if (rc == 0)
		*from = end;
	return rc;
}

int volume_flash_copy(struct volume_flash *flash, uint64_t *from)
{
	uint64_t size_blocks = volume_end_block(0, volume_size(flash->target));
	int rc = -EIO;

	flash->users++;
	if (!flash->error)
		rc = copy_next(flash, from, size_blocks);
	if (rc == 0 && *from == size_blocks)
		rc = flashmap_commit(flash->map);
	if (rc == 0 && *from == size_blocks)
		note_done(flash);
	volume_flash_leave(flash);
	return rc;
}

bool volume_flash_is_whole(const struct volume_flash *flash)
{
	return flashmap_count(flash->map) == volume_end_block(0, volume_size(flash->target));
}
