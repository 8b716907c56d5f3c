/* SPDX-License-Identifier: Apache-2.0 */
/* increment.c - tracking, and the steps of an increment on one volume: close, release, merge, forget. */
#include <assert.h>
#include <errno.h>

#include "rt/log.h"
#include "store/planted.h"
#include "volume/volume_internal.h"

struct load {
	struct volume *volume;
	struct dirtylog *log;
	int rc;
};

/* So that they leave the log as they become clean. */
static int load_all_regions(struct volume *volume)
{
	uint64_t blocks = volume->mask.blocks;

	for (uint64_t region = 0; region * MASK_REGION_BLOCKS < blocks; region++) {
		struct mask_slot *slot = mask_make_slot(&volume->mask, region);

		if (!slot)
			return -ENOMEM;
		mask_set_in_log(&volume->mask, region, true);
		slot->durable = true;
	}
	return mask_doubt_all(&volume->mask);
}

/* One region of the dirty log: all of it may differ from the far side, and most of it will not. */
static void load_region(void *arg, uint16_t id, uint32_t region)
{
	struct load *load = arg;
	struct volume *volume = load->volume;
	uint64_t first = (uint64_t)region * MASK_REGION_BLOCKS, end = first + MASK_REGION_BLOCKS;
	struct mask_slot *slot;

	if (id != volume->options.id || load->rc < 0)
		return;
	if (region == DIRTYLOG_WHOLE) {
		log_line(LOG_NOTICE, "volume", "%04X: all of it is in doubt and is compared with the far side", id);
		load->rc = load_all_regions(volume);
		return;
	}
	if (first >= volume->mask.blocks) {
		log_line(LOG_WARNING, "volume", "%04X: the dirty log names region %u, beyond the end of the volume", id,
			region);
		return;
	}
	slot = mask_make_slot(&volume->mask, region);
	if (!slot) {
		load->rc = -ENOMEM;
		return;
	}
	mask_set_in_log(&volume->mask, region, true);
	slot->durable = true;
	load->rc = mask_doubt(&volume->mask, first, end < volume->mask.blocks ? end : volume->mask.blocks);
}

static int begin_tracking(struct volume *volume, struct dirtylog *log)
{
	struct load load = { .volume = volume, .log = log };
	int rc = mask_init(&volume->mask, volume_end_block(0, volume_size(volume)));

	if (rc < 0)
		return rc;
	load.rc = mask_reserve_growth(&volume->mask, volume->growing_blocks);
	if (load.rc == 0 && log)
		dirtylog_each(log, load_region, &load);
	if (load.rc < 0)
		mask_destroy(&volume->mask);
	return load.rc;
}

int volume_track(struct volume *volume, struct dirtylog *log, uint64_t open_number)
{
	int rc;

	assert(open_number > 0);
	if (volume->tracked)
		return -EALREADY;
	rc = begin_tracking(volume, log);
	if (rc < 0)
		return rc;
	volume->log = log;
	volume->open_number = open_number;
	volume->closing_number = 0;
	volume->failed_number = 0;
	volume->hold = false;
	volume->tracked = true;
	while (volume->unnoted_writes > 0) {
		rc = rt_cond_wait(&volume->changed);
		if (rc < 0 && volume->unnoted_writes > 0) {
			volume->tracked = false;
			mask_destroy(&volume->mask);
			return rc;
		}
	}
	return 0;
}

/* Everybody who waits for something of the increments looks again. */
static void wake_all(struct volume *volume)
{
	rt_cond_wake_all(&volume->released);
	rt_cond_wake_all(&volume->drained);
	rt_cond_wake_all(&volume->changed);
}

void volume_keep_log(struct volume *volume)
{
	volume->log = NULL;
}

void volume_untrack(struct volume *volume)
{
	if (!volume->tracked)
		return;
	assert(list_empty(&volume->sends) && volume->sends_reading == 0);
	volume->tracked = false;
	volume->hold = false;
	volume->closing_number = 0;
	volume_unsettle_looks(volume, 0, volume->mask.blocks);
	mask_destroy(&volume->mask);
	sidefile_clear(&volume->sidefile);
	if (volume->log)
		dirtylog_forget_volume(volume->log, volume->options.id);
	volume->log = NULL;
	wake_all(volume);
}

bool volume_is_tracked(const struct volume *volume)
{
	return volume->tracked;
}

int volume_mark(struct volume *volume, uint64_t offset, uint64_t len)
{
	int rc;

	assert(volume->tracked && offset + len <= volume_size(volume));
	rc = mask_mark(&volume->mask, volume_first_block(offset), volume_end_block(offset, len));
	volume_unsettle_looks(volume, volume_first_block(offset), volume_end_block(offset, len));
	rt_cond_wake_all(&volume->changed);
	return rc;
}

int volume_doubt(struct volume *volume, uint64_t offset, uint64_t len)
{
	int rc;

	assert(volume->tracked && offset + len <= volume_size(volume));
	rc = mask_doubt(&volume->mask, volume_first_block(offset), volume_end_block(offset, len));
	volume_unsettle_looks(volume, volume_first_block(offset), volume_end_block(offset, len));
	rt_cond_wake_all(&volume->changed);
	return rc;
}

int volume_doubt_all(struct volume *volume)
{
	int rc;

	assert(volume->tracked);
	rc = mask_doubt_all(&volume->mask);
	volume_unsettle_looks(volume, 0, volume->mask.blocks);
	rt_cond_wake_all(&volume->changed);
	return rc;
}

uint64_t volume_first_needed(const struct volume *volume)
{
	uint64_t offset = mask_first_needed(&volume->mask) * XDC_BLOCK_SIZE;

	assert(volume->tracked);
	return offset < volume_size(volume) ? offset : volume_size(volume);
}

void volume_begin_copy(struct volume *volume)
{
	assert(volume->tracked);
	mask_begin_copy(&volume->mask);
}

bool volume_is_copying(const struct volume *volume)
{
	assert(volume->tracked);
	return mask_is_copying(&volume->mask);
}

void volume_tell_first_note(struct volume *volume, void (*fn)(void *arg), void *arg)
{
	volume->first_note = fn;
	volume->first_note_arg = arg;
}

bool volume_next_noted(const struct volume *volume, uint64_t from, uint64_t *offset, uint64_t *len)
{
	uint64_t first, end, size = volume_size(volume);

	assert(volume->tracked);
	if (!mask_next_needed(&volume->mask, from / XDC_BLOCK_SIZE, &first, &end))
		return false;
	*offset = first * XDC_BLOCK_SIZE;
	*len = (end * XDC_BLOCK_SIZE < size ? end * XDC_BLOCK_SIZE : size) - *offset;
	return true;
}

void volume_set_open_number(struct volume *volume, uint64_t number)
{
	assert(volume->tracked && volume->closing_number == 0 && number >= volume->open_number);
	volume->open_number = number;
}

uint64_t volume_open_number(const struct volume *volume)
{
	return volume->open_number;
}

uint64_t volume_closing_number(const struct volume *volume)
{
	return volume->closing_number;
}

void volume_release(struct volume *volume)
{
	volume->hold = false;
	rt_cond_wake_all(&volume->released);
	rt_cond_wake_all(&volume->changed);
}

/* The closing increment is over, one way or the other. */
static void end_closing(struct volume *volume)
{
	volume->closing_number = 0;
	volume->hold = false;
	volume->draining = false;
	sidefile_clear(&volume->sidefile);
	wake_all(volume);
}

static void merge(struct volume *volume)
{
	if (volume->closing_number == 0)
		return;
	mask_merge(&volume->mask);
	end_closing(volume);
}

void volume_merge(struct volume *volume)
{
	if (planted(PLANTED_TIMEOUT_ONLY_RELEASES) && volume->hold)
		volume_release(volume);
	else
		merge(volume);
}

void volume_close_increment(struct volume *volume, uint64_t number)
{
	assert(volume->tracked && number >= volume->open_number);
	merge(volume);
	mask_close(&volume->mask);
	volume->closing_number = number;
	volume->open_number = number + 1;
	volume->hold = true;
	rt_cond_wake_all(&volume->changed);
}

void volume_forget(struct volume *volume)
{
	if (volume->closing_number == 0)
		return;
	mask_forget(&volume->mask);
	end_closing(volume);
}

void volume_give_up_attempt(struct volume *volume)
{
	if (volume->closing_number == 0)
		return;
	volume->failed_number = volume->closing_number;
	volume_merge(volume);
}

uint64_t volume_attempt_failed(const struct volume *volume)
{
	return volume->failed_number;
}

bool volume_is_held(const struct volume *volume)
{
	return volume->hold;
}

void volume_begin_drain(struct volume *volume)
{
	volume->draining = volume->closing_number != 0;
	rt_cond_wake_all(&volume->changed);
}

bool volume_is_drained(const struct volume *volume)
{
	return volume->closing_number != 0 && mask_is_drained(&volume->mask);
}

struct rt_cond *volume_changed(struct volume *volume)
{
	return &volume->changed;
}

int volume_wait_release(struct volume *volume, uint64_t number, uint64_t *waited)
{
	int64_t since_ns;
	int rc = 0;

	if (!volume->hold || number != volume->open_number)
		return 0;
	(*waited)++;
	since_ns = rt_now_ns();
	while (rc == 0 && volume->hold && number == volume->open_number)
		rc = rt_cond_wait(&volume->released);
	if (rt_now_ns() - since_ns > volume->counters.hold_max_ns)
		volume->counters.hold_max_ns = rt_now_ns() - since_ns;
	return rc;
}
