/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_fill.c - what the target of a FlashCopy has kept in its log comes to its disk and into its map: when nothing
 * more was kept for a while, or the log gets short; a segment of the log for each sync.
 */
#include <errno.h>
#include <string.h>

#include "rt/log.h"
#include "store/planted.h"
#include "volume/flash_internal.h"

#define IDLE_NS		(500 * RT_MS)
#define RETRY_NS	RT_SECOND		/* after an error: it is in the log still */

struct fill_order {
	struct volume_flash *flash;
	const struct keptlog_fill *fill;
};

/* Whoever writes the target now has its blocks. What was written there since is the map's. */
static int fill_one(void *arg, unsigned i)
{
	struct fill_order *order = arg;
	struct volume_flash *flash = order->flash;
	const struct keptlog_block *block = &order->fill->blocks[i];
	struct blocklock_claim claim;
	enum flash_place place;
	uint64_t run_end;
	int rc = blocklock_claim(&flash->target->lock, &claim, block->number, block->number + 1);

	if (rc < 0)
		return rc;
	rc = volume_flash_find(flash, block->number, block->number + 1, &place, &run_end);
	if (rc == 0 && (place == FLASH_IN_LOG || planted(PLANTED_KEPT_OVER_OWN)))
		rc = volume_flash_put(flash, block->data, block->number, block->number + 1);
	blocklock_release(&flash->target->lock, &claim);
	return rc;
}

static int fill_records(struct volume_flash *flash, struct keptlog_fill *fill)
{
	struct fill_order order = { .flash = flash, .fill = fill };
	int rc;

	while ((rc = keptlog_fill_next(fill)) > 0) {
		rc = volume_flash_each(fill->count, fill_one, &order);
		if (rc < 0)
			return rc;
	}
	return rc;
}

/* 1: the oldest segment that begins before this record is filled; 0: there is none. */
static int fill_segment(struct volume_flash *flash, uint64_t before)
{
	struct keptlog_fill fill;
	int rc = keptlog_fill_begin(flash->log, before, &fill), ended;

	if (rc <= 0)
		return rc;
	rc = fill_records(flash, &fill);
	if (rc == 0 && !planted(PLANTED_KEPT_FREED_FIRST))
		rc = flashmap_commit(flash->map);
	ended = keptlog_fill_end(&fill, rc == 0);
	rc = rc < 0 ? rc : ended;
	/* What it had of these blocks is nowhere else. */
	if (rc == -EBADMSG || (rc < 0 && keptlog_is_lost(flash->log)))
		(void)!volume_flash_fail(flash, rc);
	return rc < 0 ? rc : 1;
}

int volume_flash_fill_next(struct volume_flash *flash, uint64_t before)
{
	int rc = rt_mutex_lock(&flash->filling_one);

	if (rc < 0)
		return rc;
	flash->users++;
	rc = flash->error ? -EIO : fill_segment(flash, before);
	volume_flash_leave(flash);
	rt_mutex_unlock(&flash->filling_one);
	return rc;
}

int volume_flash_settle(struct volume_flash *flash)
{
	uint64_t before = keptlog_next_sequence(flash->log);
	int rc;

	do
		rc = volume_flash_fill_next(flash, before);
	while (rc > 0);
	return rc;
}

/* ---- behind it all ---- */

static int wait_until(struct volume_flash *flash, int64_t when_ns)
{
	RT_LIMIT(when_ns);

	while (!keptlog_is_short(flash->log)) {
		int rc = rt_cond_wait(&flash->short_of_log);

		if (rc < 0)
			return rc == -ETIMEDOUT ? 0 : rc;
	}
	return 0;
}

/* Not again and again. */
static void note_hindered(const struct volume_flash *flash, int rc, int *noted)
{
	if (rc < 0 && rc != *noted && !volume_error_passes(rc) && !flash->error)
		log_line(LOG_WARNING, "volume", "volume %04X: what its FlashCopy has kept stays in the log for now: %s",
			 volume_id(flash->target), strerrordesc_np(-rc));
	*noted = rc;
}

static void run_filler(void *arg)
{
	struct volume_flash *flash = arg;
	int rc = 0, noted = 0;

	while (!rt_cancelled() && !flash->error && !keptlog_is_empty(flash->log)) {
		note_hindered(flash, rc, &noted);
		if (rc < 0)
			(void)!rt_sleep_until(rt_now_ns() + RETRY_NS);
		rc = wait_until(flash, flash->kept_ns + IDLE_NS);
		if (rc == 0 && (keptlog_is_short(flash->log) || rt_now_ns() >= flash->kept_ns + IDLE_NS))
			rc = volume_flash_fill_next(flash, UINT64_MAX);
	}
	flash->filling = false;
}

void volume_flash_begin_fill(struct volume_flash *flash)
{
	if (keptlog_is_short(flash->log))
		rt_cond_wake_all(&flash->short_of_log);
	/* Without a fiber for it now, the next block that is kept finds one. */
	if (!flash->filling && !keptlog_is_empty(flash->log))
		flash->filling = rt_group_start(&flash->fillers, "flash fill", run_filler, flash) == 0;
}

void volume_flash_stop_fill(struct volume_flash *flash)
{
	rt_group_stop(&flash->fillers);
}
