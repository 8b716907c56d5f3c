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
	const struct mask_slot *slot;

	if (!volume->log)
		return true;
	slot = mask_find_slot(&volume->mask, region_of(first));
	return slot && slot->durable;
}

int volume_log_region(struct volume *volume, uint64_t first)
{
	struct dirtylog *log = volume->log;
	uint32_t region = (uint32_t)region_of(first);
	struct mask_slot *slot = mask_make_slot(&volume->mask, region);
	int rc;

	if (!slot)
		return -ENOMEM;
	mask_set_in_log(&volume->mask, region, true);
	rc = dirtylog_mark(log, volume->options.id, region);
	slot = volume->tracked && volume->log == log ? mask_find_slot(&volume->mask, region) : NULL;
	if (slot && slot->in_log)
		slot->durable = dirtylog_is_dirty(log, volume->options.id, region);
	else
		dirtylog_clean(log, volume->options.id, region);	/* its pair went while we waited */
	return rc;
}

void volume_note_written(struct volume *volume, uint64_t first)
{
	struct mask_slot *slot = volume->tracked ? mask_find_slot(&volume->mask, region_of(first)) : NULL;

	if (slot)
		slot->last_write = volume->syncs_begun;
}

/* The region may leave the log once a sync that began after its last write has succeeded. */
static bool is_unneeded(const struct volume *volume, uint64_t region)
{
	return !mask_is_region_needed(&volume->mask, region) &&
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
	return volume->tracked && volume->log == log ? mask_next_logged(&volume->mask, after + 1) : UINT64_MAX;
}

static bool has_unneeded(struct volume *volume)
{
	const struct dirtylog *log = volume->log;
	uint64_t region = mask_next_logged(&volume->mask, 0);
	unsigned looked = 0;

	while (region != UINT64_MAX && !is_unneeded(volume, region))
		region = next_logged(volume, log, region, &looked);
	return region != UINT64_MAX;
}

static void clean_unneeded(struct volume *volume, uint64_t synced)
{
	struct dirtylog *log = volume->log;
	uint64_t region = mask_next_logged(&volume->mask, 0);
	unsigned looked = 0;

	for (; region != UINT64_MAX; region = next_logged(volume, log, region, &looked)) {
		if (!is_unneeded(volume, region) || mask_find_slot(&volume->mask, region)->last_write >= synced)
			continue;
		mask_set_in_log(&volume->mask, region, false);
		dirtylog_clean(log, volume->options.id, (uint32_t)region);
	}
}

/* ---- a volume that is in the log as a whole ---- */

/* Not farther than most + 1. */
static uint64_t count_logged(const struct volume *volume, uint64_t most)
{
	uint64_t region = mask_next_logged(&volume->mask, 0), count = 0;

	for (; region != UINT64_MAX && count <= most; region = mask_next_logged(&volume->mask, region + 1))
		count++;
	return count;
}

/* Lists the regions that are in the log because the volume is; from here on a write has them noted by themselves. */
static uint32_t take_logged(struct volume *volume, uint32_t *regions)
{
	uint64_t region = mask_next_logged(&volume->mask, 0);
	uint32_t count = 0;

	for (; region != UINT64_MAX; region = mask_next_logged(&volume->mask, region + 1)) {
		mask_find_slot(&volume->mask, region)->durable = false;
		regions[count++] = (uint32_t)region;
	}
	return count;
}

static void look_logged(struct volume *volume)
{
	uint64_t region = mask_next_logged(&volume->mask, 0);

	for (; region != UINT64_MAX; region = mask_next_logged(&volume->mask, region + 1))
		mask_find_slot(&volume->mask, region)->durable =
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
	if (volume->tracked && volume->log == log)
		look_logged(volume);
	return rc == -EALREADY ? 0 : rc;
}

int volume_clean_regions(struct volume *volume)
{
	uint64_t number;
	int rc = 0;

	if (!volume->tracked || !volume->log)
		return 0;
	if (has_unneeded(volume)) {
		number = ++volume->syncs_begun;
		rc = vdisk_sync(volume->disk);
		if (rc == 0 && volume->tracked && volume->log)
			clean_unneeded(volume, number);
	}
	if (rc == 0 && volume->tracked && volume->log && dirtylog_is_whole(volume->log, volume->options.id))
		rc = refine(volume);
	return rc;
}

static int mark_logged(struct volume *volume)
{
	uint64_t blocks = volume->mask.blocks, region = mask_next_logged(&volume->mask, 0);
	int rc = 0;

	if (!volume->log)
		return mask_mark(&volume->mask, 0, blocks);
	for (; rc == 0 && region != UINT64_MAX; region = mask_next_logged(&volume->mask, region + 1)) {
		uint64_t end = (region + 1) * MASK_REGION_BLOCKS;

		rc = mask_doubt(&volume->mask, region * MASK_REGION_BLOCKS, end < blocks ? end : blocks);
	}
	return rc;
}

int volume_accept_loss(struct volume *volume)
{
	int rc = 0;

	if (volume->tracked) {
		volume_give_up_attempt(volume);
		rc = mark_logged(volume);
		volume_unsettle_looks(volume, 0, volume->mask.blocks);
	}
	if (rc < 0)
		return rc;
	rc = vdisk_accept_loss(volume->disk);
	rt_cond_wake_all(&volume->changed);
	return rc;
}
