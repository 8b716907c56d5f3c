/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file holds every block twice, first all copies A, then all copies B (docs/disk-format.md). A group goes to copy
 * A, and counts as noted when that is durable; then the same bytes go to copy B, always before the next group touches
 * A. So at any moment one copy of every block is whole and holds all that was ever answered as noted; the other may
 * be torn or behind.
 *
 * When there is no slot for a region, and what is there does not become clean either, a volume is noted as a whole, and
 * its regions give their slots back once that is durable. Hosts go on; what it costs is a longer comparison after a
 * crash.
 */
#include "store/dirtylog_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

#define COARSEN_NS	(200 * RT_MS)	/* that a mark waits for regions to become clean */

/* ---- slots in memory ---- */

static uint32_t *bucket_of(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint64_t key = ((uint64_t)volume << 32 | region) * UINT64_C(0x9e3779b97f4a7c15);

	return &log->buckets[(uint32_t)(key >> 32) & log->bucket_mask];
}

struct slot *dirtylog_find_slot(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint32_t index = *bucket_of(log, volume, region);

	while (index != NO_SLOT) {
		struct slot *slot = &log->slots[index];
		if (slot->volume == volume && slot->region == region)
			return slot;
		index = slot->next;
	}
	return NULL;
}

static struct dirtylog_block *block_of(const struct dirtylog *log, const struct slot *slot)
{
	return &log->block[(size_t)(slot - log->slots) / DIRTYLOG_SLOTS_PER_BLOCK];
}

void dirtylog_use_slot(struct dirtylog *log, struct slot *slot, uint16_t volume, uint32_t region)
{
	uint32_t *bucket = bucket_of(log, volume, region);

	slot->volume = volume;
	slot->region = region;
	slot->next = *bucket;
	*bucket = (uint32_t)(slot - log->slots);
	log->count++;
	block_of(log, slot)->changed = true;
}

/* NULL at the limit. */
static struct slot *take_slot(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	struct slot *slot;

	if (log->count >= log->limit)
		return NULL;
	assert(log->free_slot != NO_SLOT);
	slot = &log->slots[log->free_slot];
	log->free_slot = slot->next;
	slot->sequence = ++log->sequence;
	slot->state = SLOT_WANTED;
	slot->was_dirty = false;
	dirtylog_use_slot(log, slot, volume, region);
	return slot;
}

static void free_slot(struct dirtylog *log, struct slot *slot)
{
	uint32_t index = (uint32_t)(slot - log->slots);
	uint32_t *link = bucket_of(log, slot->volume, slot->region);

	while (*link != index)
		link = &log->slots[*link].next;
	*link = slot->next;
	slot->state = SLOT_FREE;
	slot->next = log->free_slot;
	log->free_slot = index;
	log->count--;
	block_of(log, slot)->changed = true;
	rt_cond_wake_one(&log->room);
}

static void free_slots_of(struct dirtylog *log, uint16_t volume)
{
	for (uint32_t i = 0; i < dirtylog_slot_count(log); i++) {
		struct slot *slot = &log->slots[i];

		if (slot->state != SLOT_FREE && slot->volume == volume)
			free_slot(log, slot);
	}
}

/* ---- whole volumes in memory ---- */

void dirtylog_set_whole(struct dirtylog *log, uint16_t volume, enum whole_state state)
{
	enum whole_state before = log->whole[volume];

	if ((before == WHOLE_NOT) != (state == WHOLE_NOT))
		log->block[log->slot_blocks + volume / DIRTYLOG_VOLUMES_PER_BLOCK].changed = true;
	if (state == WHOLE_NOT)
		log->whole_bits[volume / 8] &= (uint8_t)~(1u << volume % 8);
	else
		log->whole_bits[volume / 8] |= (uint8_t)(1u << volume % 8);
	log->whole_count += (state != WHOLE_NOT);
	log->whole_count -= (before != WHOLE_NOT);
	log->whole_wanted += (state == WHOLE_WANTED);
	log->whole_wanted -= (before == WHOLE_WANTED);
	log->whole[volume] = (uint8_t)state;
}

/* The volume with the most slots; without the memory to count them, the one that asks. */
static uint16_t find_largest(const struct dirtylog *log, uint16_t asks)
{
	MEM_OWNED uint32_t *count = mem_alloc_zeroed(DIRTYLOG_VOLUMES * sizeof(*count));
	uint16_t largest = asks;

	for (uint32_t i = 0; count && i < dirtylog_slot_count(log); i++) {
		const struct slot *slot = &log->slots[i];

		if (slot->state != SLOT_FREE && ++count[slot->volume] > count[largest])
			largest = slot->volume;
	}
	return largest;
}

/* What fades is still durable as a whole; what was found so at a start may have slots. Others wait for a group. */
static void want_whole(struct dirtylog *log, uint16_t volume)
{
	if (log->whole[volume] == WHOLE_NOT) {
		dirtylog_set_whole(log, volume, WHOLE_WANTED);
	} else if (log->whole[volume] != WHOLE_WANTED) {
		dirtylog_set_whole(log, volume, WHOLE_NOTED);
		free_slots_of(log, volume);
	}
}

/* One volume at a time: the slots that it gives back are room for a while. */
static void coarsen(struct dirtylog *log, uint16_t asks)
{
	uint16_t volume;

	if (log->whole_wanted > 0)
		return;
	volume = find_largest(log, asks);
	log_line(LOG_NOTICE, "dirtylog", "volume %04X has no room for more regions: all of it is in doubt", volume);
	want_whole(log, volume);
}

/* ---- groups ---- */

static bool is_behind(const struct dirtylog_block *block)
{
	return block->behind;
}

static bool is_writing(const struct dirtylog_block *block)
{
	return block->writing;
}

static int catch_up(struct dirtylog *log)
{
	int rc = dirtylog_write_blocks(log, 1, is_behind);

	if (rc < 0) {
		log_line(LOG_ERROR, "dirtylog", "second copy: %s", strerror(-rc));
		return rc;
	}
	for (uint32_t i = 0; i < log->blocks; i++)
		log->block[i].behind = false;
	return 0;
}

/* The block is durable as it was when the newest mark in it was this one. */
static void note_slots(struct dirtylog *log, uint32_t index, uint64_t newest)
{
	struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK];

	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++, slot++) {
		if (slot->state == SLOT_WANTED && slot->sequence <= newest)
			slot->state = SLOT_NOTED;
	}
}

/* The block is durable as its image is: a volume that came since is not in it. */
static void note_volumes(struct dirtylog *log, uint32_t index)
{
	const uint8_t *bits = log->image + (size_t)index * DIRTYLOG_BLOCK_SIZE + DIRTYLOG_HEADER_SIZE;
	uint32_t first = (index - log->slot_blocks) * DIRTYLOG_VOLUMES_PER_BLOCK;
	uint32_t i = dirtylog_next_volume(bits, 0);

	for (; i < DIRTYLOG_VOLUMES_PER_BLOCK; i = dirtylog_next_volume(bits, i + 1)) {
		uint16_t volume = (uint16_t)(first + i);

		if (log->whole[volume] != WHOLE_WANTED)
			continue;
		dirtylog_set_whole(log, volume, WHOLE_NOTED);
		free_slots_of(log, volume);
	}
}

static int write_group(struct dirtylog *log)
{
	uint64_t newest = log->sequence;
	int rc;

	for (uint32_t i = 0; i < log->blocks; i++) {
		struct dirtylog_block *block = &log->block[i];
		block->writing = block->changed;
		block->changed = false;
		if (block->writing)
			dirtylog_encode_block(log, i);
	}
	rc = dirtylog_write_blocks(log, 0, is_writing);
	for (uint32_t i = 0; i < log->blocks; i++) {
		struct dirtylog_block *block = &log->block[i];
		if (block->writing && rc == 0) {
			block->behind = true;
			if (i < log->slot_blocks)
				note_slots(log, i, newest);
			else
				note_volumes(log, i);
		} else if (block->writing) {
			block->changed = true;	/* copy B still has what was noted before */
		}
		block->writing = false;
	}
	if (rc < 0)
		log_line(LOG_ERROR, "dirtylog", "first copy: %s", strerror(-rc));
	return rc;
}

static void run_group(struct dirtylog *log)
{
	RT_SHIELD();

	log->wanted = false;
	log->begun++;
	log->error = catch_up(log);
	if (log->error == 0)
		log->error = write_group(log);
	log->done = log->begun;
	rt_cond_wake_all(&log->finished);
	/* Those that wait need not wait for this; if it fails, the next group begins with it. */
	if (log->error == 0 && catch_up(log) < 0)
		log_line(LOG_WARNING, "dirtylog", "the second copy stays behind until the next group");
}

void dirtylog_run_groups(void *arg)
{
	struct dirtylog *log = arg;

	for (;;) {
		while (!log->wanted) {
			if (rt_cond_wait(&log->work) < 0)
				return;
		}
		run_group(log);
	}
}

void dirtylog_close(struct dirtylog *log)
{
	bool changed = false;

	assert(!rt_cond_has_waiters(&log->finished) && !rt_cond_has_waiters(&log->room));
	rt_group_stop(&log->fibers);
	for (uint32_t i = 0; i < log->blocks; i++)
		changed = changed || log->block[i].changed || log->block[i].behind;
	/* What became clean lately is not compared after the next start; if this fails it is, and that is all. */
	if (changed)
		run_group(log);
	rt_file_close(log->file);
	dirtylog_free(log);
}

/* ---- what the write path and its cleaner call ---- */

void dirtylog_each(struct dirtylog *log, void (*each)(void *arg, uint16_t volume, uint32_t region), void *arg)
{
	for (uint32_t i = 0; i < dirtylog_slot_count(log); i++) {
		const struct slot *slot = &log->slots[i];
		if (slot->state == SLOT_NOTED && slot->was_dirty)
			each(arg, slot->volume, slot->region);
	}
	for (uint32_t volume = 0; log->whole_count > 0 && volume < DIRTYLOG_VOLUMES; volume++) {
		if (dirtylog_is_whole(log, (uint16_t)volume))
			each(arg, (uint16_t)volume, DIRTYLOG_WHOLE);
	}
}

bool dirtylog_is_whole(const struct dirtylog *log, uint16_t volume)
{
	return log->whole[volume] == WHOLE_NOTED;
}

bool dirtylog_is_dirty(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	const struct slot *slot = dirtylog_find_slot(log, volume, region);

	return dirtylog_is_whole(log, volume) || (slot && slot->state == SLOT_NOTED);
}

/* 0: there may be a slot, or until_ns has come, and then a volume is about to be noted as a whole. */
static int wait_for_slot(struct dirtylog *log, uint16_t volume, int64_t until_ns)
{
	int rc;

	log->waiting_for_slot++;
	rt_cond_wake_all(&log->pressure);
	{
		RT_LIMIT(until_ns);
		rc = rt_cond_wait(&log->room);
	}
	log->waiting_for_slot--;
	if (rc < 0 && log->count < log->limit)
		rt_cond_wake_one(&log->room);	/* not for this fiber, then for the next */
	if (rc != -ETIMEDOUT || rt_now_ns() < until_ns)
		return rc;
	if (log->count >= log->limit)
		coarsen(log, volume);
	return 0;
}

/* A group that begins from here on: its number. */
static uint64_t ask_group(struct dirtylog *log)
{
	log->wanted = true;
	rt_cond_wake_one(&log->work);
	return log->begun + 1;
}

/* Waits until the region is noted, at the latest by the group that begins next; the result of that group. */
static int wait_for_group(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint64_t group = ask_group(log);

	while (log->done < group && !dirtylog_is_dirty(log, volume, region)) {
		int rc = rt_cond_wait(&log->finished);

		if (rc < 0)
			return rc;
	}
	return log->error;
}

/* Waits while the volume is in this state, at the latest for the group that begins next; the result of that group. */
static int wait_while_whole(struct dirtylog *log, uint16_t volume, enum whole_state state)
{
	uint64_t group = ask_group(log);

	while (log->done < group && log->whole[volume] == state) {
		int rc = rt_cond_wait(&log->finished);

		if (rc < 0)
			return rc;
	}
	return log->error;
}

int dirtylog_mark(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	int64_t until_ns = RT_NEVER;		/* for a slot; set when the wait begins */
	int rc = 0;

	for (;;) {
		if (dirtylog_is_dirty(log, volume, region))
			return 0;
		if (rc < 0)
			return rc;
		if (dirtylog_find_slot(log, volume, region) || log->whole[volume] == WHOLE_WANTED ||
		    take_slot(log, volume, region)) {
			rc = wait_for_group(log, volume, region);
			continue;
		}
		if (until_ns == RT_NEVER)
			until_ns = rt_now_ns() + COARSEN_NS;
		/* Which volume is noted as a whole matters less than that room comes with it. */
		if (log->whole_wanted > 0)
			rc = wait_for_group(log, volume, region);
		else
			rc = wait_for_slot(log, volume, until_ns);
	}
}

int dirtylog_mark_whole(struct dirtylog *log, uint16_t volume)
{
	int rc = 0;

	want_whole(log, volume);
	while (log->whole[volume] == WHOLE_WANTED && rc == 0)
		rc = wait_while_whole(log, volume, WHOLE_WANTED);
	return dirtylog_is_whole(log, volume) ? 0 : rc < 0 ? rc : -ECANCELED;
}

int dirtylog_take_over(struct dirtylog *log, uint16_t volume, const uint32_t *regions, uint32_t count)
{
	uint64_t group;

	for (uint32_t i = 0; i < count && log->whole[volume] == WHOLE_NOT; i++) {
		struct slot *slot = regions[i] == DIRTYLOG_WHOLE ? NULL : dirtylog_find_slot(log, volume, regions[i]);

		if (!slot && regions[i] != DIRTYLOG_WHOLE)
			slot = take_slot(log, volume, regions[i]);
		if (slot)
			slot->was_dirty = true;
		else
			want_whole(log, volume);
	}
	group = ask_group(log);
	while (log->done < group) {
		int rc = rt_cond_wait(&log->finished);

		if (rc < 0)
			return rc;
	}
	return log->error;
}

int dirtylog_refine(struct dirtylog *log, uint16_t volume, const uint32_t *regions, uint32_t count)
{
	int rc = 0;

	if (!dirtylog_is_whole(log, volume))
		return -EALREADY;
	if (count > dirtylog_room(log))
		return -ENOSPC;
	dirtylog_set_whole(log, volume, WHOLE_FADING);
	for (uint32_t i = 0; i < count; i++) {
		if (!dirtylog_find_slot(log, volume, regions[i]) && !take_slot(log, volume, regions[i]))
			abort();	/* there was room */
	}
	if (count > 0)
		rc = wait_while_whole(log, volume, WHOLE_FADING);
	/* It may have been forgotten meanwhile, or there was no room for others and it is whole again. */
	if (log->whole[volume] != WHOLE_FADING)
		return rc < 0 ? rc : -EALREADY;
	dirtylog_set_whole(log, volume, rc < 0 ? WHOLE_NOTED : WHOLE_NOT);
	if (rc < 0)
		free_slots_of(log, volume);
	return rc;
}

void dirtylog_clean(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	struct slot *slot = dirtylog_find_slot(log, volume, region);

	if (slot)
		free_slot(log, slot);
}

void dirtylog_forget_volume(struct dirtylog *log, uint16_t volume)
{
	free_slots_of(log, volume);
	dirtylog_set_whole(log, volume, WHOLE_NOT);
}

uint32_t dirtylog_count(const struct dirtylog *log)
{
	return log->count;
}

uint32_t dirtylog_count_whole(const struct dirtylog *log)
{
	return log->whole_count;
}

bool dirtylog_counts_whole(const struct dirtylog *log, uint16_t volume)
{
	return log->whole[volume] != WHOLE_NOT;
}

uint32_t dirtylog_room(const struct dirtylog *log)
{
	return log->limit > log->count ? log->limit - log->count : 0;
}

struct rt_cond *dirtylog_pressure(struct dirtylog *log)
{
	return &log->pressure;
}

bool dirtylog_has_waiters(const struct dirtylog *log)
{
	return log->waiting_for_slot > 0;
}
