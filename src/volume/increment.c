/* SPDX-License-Identifier: Apache-2.0 */
/* increment.c - what is noted for a target, and the steps of its increments: close, release, merge, forget. */
#include <assert.h>
#include <errno.h>

#include "store/planted.h"
#include "volume/volume_internal.h"

int volume_mark(struct volume_target *target, uint64_t offset, uint64_t len)
{
	int rc;

	assert(target->tracked && offset + len <= volume_size(target->volume));
	rc = mask_mark(&target->mask, volume_first_block(offset), volume_end_block(offset, len));
	volume_unsettle_looks(target, volume_first_block(offset), volume_end_block(offset, len));
	rt_cond_wake_all(&target->changed);
	return rc;
}

int volume_doubt(struct volume_target *target, uint64_t offset, uint64_t len)
{
	int rc;

	assert(target->tracked && offset + len <= volume_size(target->volume));
	rc = mask_doubt(&target->mask, volume_first_block(offset), volume_end_block(offset, len));
	volume_unsettle_looks(target, volume_first_block(offset), volume_end_block(offset, len));
	rt_cond_wake_all(&target->changed);
	return rc;
}

int volume_doubt_all(struct volume_target *target)
{
	int rc;

	assert(target->tracked);
	rc = mask_doubt_all(&target->mask);
	volume_unsettle_looks(target, 0, target->mask.blocks);
	rt_cond_wake_all(&target->changed);
	return rc;
}

uint64_t volume_first_needed(const struct volume_target *target)
{
	uint64_t offset = mask_first_needed(&target->mask, &target->volume->logged) * XDC_BLOCK_SIZE;

	assert(target->tracked);
	return offset < volume_size(target->volume) ? offset : volume_size(target->volume);
}

void volume_begin_copy(struct volume_target *target)
{
	assert(target->tracked);
	mask_begin_copy(&target->mask);
}

bool volume_is_copying(const struct volume_target *target)
{
	assert(target->tracked);
	return mask_is_copying(&target->mask);
}

void volume_tell_first_note(struct volume_target *target, void (*fn)(void *arg), void *arg)
{
	target->first_note = fn;
	target->first_note_arg = arg;
}

bool volume_next_noted(const struct volume_target *target, uint64_t from, uint64_t *offset, uint64_t *len)
{
	uint64_t first, end, size = volume_size(target->volume);

	assert(target->tracked);
	if (!mask_next_needed(&target->mask, from / XDC_BLOCK_SIZE, &first, &end))
		return false;
	*offset = first * XDC_BLOCK_SIZE;
	*len = (end * XDC_BLOCK_SIZE < size ? end * XDC_BLOCK_SIZE : size) - *offset;
	return true;
}

void volume_set_open_number(struct volume_target *target, uint64_t number)
{
	assert(target->tracked && target->closing_number == 0 && number >= target->open_number);
	target->open_number = number;
}

uint64_t volume_open_number(const struct volume_target *target)
{
	return target->open_number;
}

uint64_t volume_closing_number(const struct volume_target *target)
{
	return target->closing_number;
}

void volume_release(struct volume_target *target)
{
	target->hold = false;
	rt_cond_wake_all(&target->released);
	rt_cond_wake_all(&target->changed);
}

/* The closing increment is over, one way or the other. */
static void end_closing(struct volume_target *target)
{
	target->closing_number = 0;
	target->hold = false;
	target->draining = false;
	sidefile_clear(&target->sidefile);
	volume_wake_target(target);
}

static void merge(struct volume_target *target)
{
	if (target->closing_number == 0)
		return;
	mask_merge(&target->mask);
	end_closing(target);
}

void volume_merge(struct volume_target *target)
{
	if (planted(PLANTED_TIMEOUT_ONLY_RELEASES) && target->hold)
		volume_release(target);
	else
		merge(target);
}

void volume_close_increment(struct volume_target *target, uint64_t number)
{
	assert(target->tracked && number >= target->open_number);
	merge(target);
	mask_close(&target->mask);
	target->closing_number = number;
	target->open_number = number + 1;
	target->hold = true;
	rt_cond_wake_all(&target->changed);
}

void volume_forget(struct volume_target *target)
{
	if (target->closing_number == 0)
		return;
	mask_forget(&target->mask);
	end_closing(target);
}

void volume_give_up_attempt(struct volume_target *target)
{
	if (target->closing_number == 0)
		return;
	target->failed_number = target->closing_number;
	volume_merge(target);
}

uint64_t volume_attempt_failed(const struct volume_target *target)
{
	return target->failed_number;
}

void volume_begin_drain(struct volume_target *target)
{
	target->draining = target->closing_number != 0;
	rt_cond_wake_all(&target->changed);
}

bool volume_is_drained(const struct volume_target *target)
{
	return target->closing_number != 0 && mask_is_drained(&target->mask);
}

static bool is_all_sent(const struct volume_target *target)
{
	struct volume_counters counters;

	volume_get_target_counters(target, &counters);
	return !target->tracked || counters.unsent_blocks + counters.sending_blocks == 0;
}

int volume_drain(struct volume_target *target)
{
	struct volume_drain_wait wait = { .first = 0, .end = 0 };	/* no block goes before others */
	int rc = 0;

	list_add_last(&target->drain_waits, &wait.link);
	rt_cond_wake_all(&target->changed);
	while (rc == 0 && !is_all_sent(target))
		rc = rt_cond_wait(&target->drained);
	list_remove(&wait.link);
	return rc;
}

struct rt_cond *volume_changed(struct volume_target *target)
{
	return &target->changed;
}

int volume_wait_release(struct volume_target *target, uint64_t number, uint64_t *waited)
{
	int64_t since_ns;
	int rc = 0;

	if (!target->hold || number != target->open_number)
		return 0;
	(*waited)++;
	since_ns = rt_now_ns();
	while (rc == 0 && target->hold && number == target->open_number)
		rc = rt_cond_wait(&target->released);
	if (rt_now_ns() - since_ns > target->counters.hold_max_ns)
		target->counters.hold_max_ns = rt_now_ns() - since_ns;
	return rc;
}
