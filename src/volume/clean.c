/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clean.c - regions of the volume in the dirty log: before the first write they go in, when nothing needs them they
 * leave.
 */
#include "volume/volume_internal.h"

#include <errno.h>

#include "rt/mem.h"

#define LOOK_REGIONS	4096u

static uint64_t region_of(uint64_t block)
{
	return block / MASK_REGION_BLOCKS;
}

/* The log has 32 bits for a region, and one of these numbers stands for all of them. */
_Static_assert(VOLUME_SIZE_MAX / DIRTYLOG_REGION_SIZE <= DIRTYLOG_WHOLE, "all regions have a number");

/* A claim lies within one zone, and a zone within one region. */
_Static_assert(MASK_REGION_BLOCKS % BLOCKLOCK_ZONE_BLOCKS == 0, "a claim touches one region");

bool volume_is_logged(const struct volume *volume, uint64_t first)
{
	const struct logged_region *region;

	if (!volume->log)
		return true;
	region = logged_find(&volume->logged, region_of(first));
	return region && region->durable;
}

/* It has this log still: else there are no targets any more, or all is over but what the log is to keep. */
static bool has_log(const struct volume *volume, const struct dirtylog *log)
{
	return volume->target_count > 0 && volume->log && volume->log == log;
}

int volume_log_region(struct volume *volume, uint64_t first)
{
	struct dirtylog *log = volume->log;
	uint32_t region = (uint32_t)region_of(first);
	struct logged_region *added = logged_add(&volume->logged, region);
	int rc;

	if (!added)
		return -ENOMEM;
	rc = dirtylog_mark(log, volume->options.id, region);
	added = has_log(volume, log) ? logged_find(&volume->logged, region) : NULL;
	if (added && added->in_log)
		added->durable = dirtylog_is_dirty(log, volume->options.id, region);
	else
		dirtylog_clean(log, volume->options.id, region);	/* its pair went while we waited */
	return rc;
}

int volume_claim_logged(struct volume *volume, struct blocklock_claim *claim, uint64_t offset, uint64_t len)
{
	int rc = blocklock_claim(&volume->lock, claim, volume_first_block(offset), volume_end_block(offset, len));

	if (rc)
		return rc;
	while (!rc && !volume_is_logged(volume, claim->first))
		rc = volume_log_region(volume, claim->first);
	if (rc)
		volume_leave_blocks(volume, claim);
	return rc;
}

void volume_leave_blocks(struct volume *volume, struct blocklock_claim *claim)
{
	blocklock_release(&volume->lock, claim);
}

void volume_note_written(struct volume *volume, uint64_t first)
{
	struct logged_region *region = volume->log ? logged_find(&volume->logged, region_of(first)) : NULL;

	if (region)
		region->last_write = volume->syncs_begun;
}

static bool is_needed(const struct volume *volume, uint64_t region)
{
	const struct volume_target *target;
	bool needed = false;

	for_each_target(target, volume)
		needed = needed || mask_is_region_needed(&target->mask, region);
	return needed;
}

/* The region may leave the log once a sync that began after its last write has succeeded. */
static bool is_unneeded(const struct volume *volume, uint64_t region)
{
	return !is_needed(volume, region) &&
		!blocklock_is_claimed(&volume->lock, region * MASK_REGION_BLOCKS, (region + 1) * MASK_REGION_BLOCKS);
}

/*
 * Goes through the regions in the log, which may be all of a large volume: now and then others have their turn. It is
 * not in this log any more afterwards: there is no next.
 */
static uint64_t next_logged(struct volume *volume, const struct dirtylog *log, uint64_t after, unsigned *looked)
{
	if (++*looked % LOOK_REGIONS == 0)
		rt_yield();
	return has_log(volume, log) ? logged_next(&volume->logged, after + 1) : UINT64_MAX;
}

static bool has_unneeded(struct volume *volume)
{
	const struct dirtylog *log = volume->log;
	uint64_t region = logged_next(&volume->logged, 0);
	unsigned looked = 0;

	while (region != UINT64_MAX && !is_unneeded(volume, region))
		region = next_logged(volume, log, region, &looked);
	return region != UINT64_MAX;
}

static void clean_unneeded(struct volume *volume, uint64_t synced)
{
	struct dirtylog *log = volume->log;
	uint64_t region = logged_next(&volume->logged, 0);
	unsigned looked = 0;

	for (; region != UINT64_MAX; region = next_logged(volume, log, region, &looked)) {
		if (!is_unneeded(volume, region) || logged_find(&volume->logged, region)->last_write >= synced)
			continue;
		logged_remove(&volume->logged, region);
		dirtylog_clean(log, volume->options.id, (uint32_t)region);
	}
}

/* ---- a volume that is in the log as a whole ---- */

/* Not farther than most + 1. */
static uint64_t count_logged(const struct volume *volume, uint64_t most)
{
	uint64_t region = logged_next(&volume->logged, 0), count = 0;

	for (; region != UINT64_MAX && count <= most; region = logged_next(&volume->logged, region + 1))
		count++;
	return count;
}

/* Lists the regions that are in the log because the volume is; from here on a write has them noted by themselves. */
static uint32_t take_logged(struct volume *volume, uint32_t *regions)
{
	uint64_t region = logged_next(&volume->logged, 0);
	uint32_t count = 0;

	for (; region != UINT64_MAX; region = logged_next(&volume->logged, region + 1)) {
		logged_find(&volume->logged, region)->durable = false;
		regions[count++] = (uint32_t)region;
	}
	return count;
}

static void look_logged(struct volume *volume)
{
	uint64_t region = logged_next(&volume->logged, 0);

	for (; region != UINT64_MAX; region = logged_next(&volume->logged, region + 1))
		logged_find(&volume->logged, region)->durable =
			dirtylog_is_dirty(volume->log, volume->options.id, (uint32_t)region);
}

/* Once few of its regions are dirty they are noted one by one again. Half of the room is left to others. */
static int refine(struct volume *volume)
{
	struct dirtylog *log = volume->log;
	uint64_t most = dirtylog_room(log) / 2, count = count_logged(volume, most);
	uint32_t *regions;
	int rc;

	if (count > most)
		return 0;
	regions = mem_alloc((count + 1) * sizeof(*regions));
	if (!regions)
		return -ENOMEM;
	rc = dirtylog_refine(log, volume->options.id, regions, take_logged(volume, regions));
	mem_free(regions);
	if (has_log(volume, log))
		look_logged(volume);
	return rc == -EALREADY ? 0 : rc;
}

int volume_clean_regions(struct volume *volume)
{
	uint64_t number;
	int rc = 0;

	if (!volume->log)
		return 0;
	if (has_unneeded(volume)) {
		number = ++volume->syncs_begun;
		rc = vdisk_sync(volume->disk);
		if (rc == 0 && volume->log)
			clean_unneeded(volume, number);
	}
	if (rc == 0 && volume->log && dirtylog_is_whole(volume->log, volume->options.id))
		rc = refine(volume);
	return rc;
}

static int mark_logged(struct volume_target *target)
{
	const struct volume *volume = target->volume;
	uint64_t blocks = target->mask.blocks, region = logged_next(&volume->logged, 0);
	int rc = 0;

	if (!volume->log)
		return mask_mark(&target->mask, 0, blocks);
	for (; rc == 0 && region != UINT64_MAX; region = logged_next(&volume->logged, region + 1)) {
		uint64_t end = (region + 1) * MASK_REGION_BLOCKS;

		rc = mask_doubt(&target->mask, region * MASK_REGION_BLOCKS, end < blocks ? end : blocks);
	}
	return rc;
}

int volume_accept_loss(struct volume *volume)
{
	struct volume_target *target;
	int rc = 0;

	for_each_target(target, volume) {
		volume_give_up_attempt(target);
		rc = rc == 0 ? mark_logged(target) : rc;
		volume_unsettle_looks(target, 0, target->mask.blocks);
	}
	if (rc < 0)
		return rc;
	rc = vdisk_accept_loss(volume->disk);
	for_each_target(target, volume)
		rt_cond_wake_all(&target->changed);
	return rc;
}
