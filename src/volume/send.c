/* SPDX-License-Identifier: Apache-2.0 */
/* send.c - what the far side lacks: the next run to send, and what became of it. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume_internal.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- what to send next ---- */

/*
 * The first run in [from, end) of the region that can be sent now. A block that is noted and not yet on disk cannot,
 * unless its old content is in the sidefile.
 */
static bool find_run_in(const struct volume_target *target, const struct mask_region *region, bool closing,
			uint64_t from, uint64_t end, uint64_t max_blocks, struct mask_run *run)
{
	while (from < end && mask_next_run(&target->mask, region, closing, from, end, run)) {
		uint64_t zone_end = (run->first / BLOCKLOCK_ZONE_BLOCKS + 1) * BLOCKLOCK_ZONE_BLOCKS;

		run->end = least(run->end, least(zone_end, run->first + max_blocks));
		from = run->end;
		if (run->kept || blocklock_trim_to_firm(&target->volume->lock, &run->first, &run->end))
			return true;
	}
	return false;
}

/* Goes on where the last search in this region ended, so that hot blocks at its beginning do not starve the others. */
static bool find_run_of_region(const struct volume_target *target, const struct mask_region *region, bool closing,
		uint64_t max_blocks, struct mask_run *run)
{
	uint64_t first = region->index * MASK_REGION_BLOCKS, middle = first + region->next_block;

	return find_run_in(target, region, closing, middle, first + MASK_REGION_BLOCKS, max_blocks, run) ||
		find_run_in(target, region, closing, first, middle, max_blocks, run);
}

/* Blocks that a write waits for are sent before all others: of the closing increment, and for a mirror of the open. */
static bool find_awaited_run(const struct volume_target *target, uint64_t max_blocks, struct mask_run *run)
{
	const struct volume_drain_wait *wait;

	list_for_each(wait, &target->drain_waits, link) {
		for (unsigned i = 0; i < (target->mirror ? 2u : 1u); i++) {
			bool closing = i == 0;
			const struct mask_region *region = mask_find_at(&target->mask, closing, wait->first);

			if (region && find_run_in(target, region, closing, wait->first, wait->end, max_blocks, run))
				return true;
		}
	}
	return false;
}

/* 1 and *run, 0 if there is none, -ENOMEM. */
static int find_run_of_side(struct volume_target *target, bool closing, uint64_t max_blocks, struct mask_run *run)
{
	struct mask_region *region = NULL;
	int rc;

	while ((rc = mask_next_region(&target->mask, closing, &region)) == 0 && region)
		if (find_run_of_region(target, region, closing, max_blocks, run))
			return 1;
	return rc;
}

static int find_run(struct volume_target *target, uint64_t max_blocks, struct mask_run *run)
{
	int rc;

	if (find_awaited_run(target, max_blocks, run))
		return 1;
	rc = find_run_of_side(target, true, max_blocks, run);
	return rc == 0 && !target->only_closing ? find_run_of_side(target, false, max_blocks, run) : rc;
}

void volume_send_only_closing(struct volume_target *target, bool only)
{
	target->only_closing = only;
	rt_cond_wake_all(&target->changed);
}

enum volume_backlog volume_get_backlog(const struct volume_target *target, uint64_t many_blocks)
{
	const struct mask *mask = &target->mask;
	uint64_t closing_blocks = mask->sides[!mask->open].count[MASK_UNSENT];
	uint64_t blocks = mask->sides[mask->open].count[MASK_UNSENT] + closing_blocks;

	assert(target->tracked);
	if (!list_empty(&target->drain_waits))
		return VOLUME_BACKLOG_MANY;
	if (target->hold || target->stands_by || blocks == 0)
		return VOLUME_BACKLOG_NONE;
	if (blocks >= many_blocks || (target->draining && closing_blocks > 0))
		return VOLUME_BACKLOG_MANY;
	return VOLUME_BACKLOG_FEW;
}

/* ---- getting its data ---- */

static void free_send(struct volume_send *send)
{
	list_remove(&send->link);
	mem_free(send->data);
	mem_free(send);
}

static struct volume_send *make_send(const struct volume_target *target, const struct mask_run *run)
{
	struct volume_send *send = mem_alloc_zeroed(sizeof(*send));
	bool closing = run->closing && !(run->kept && planted(PLANTED_SIDEFILE_TAG));

	if (!send)
		return NULL;
	list_init(&send->link);
	send->offset = run->first * XDC_BLOCK_SIZE;
	send->len = (uint32_t)volume_bytes(target->volume, run->first, run->end);
	send->tag = closing ? target->closing_number : target->open_number;
	send->doubtful = run->doubtful;
	send->data = mem_alloc_pages(send->len);
	if (send->data)
		return send;
	free_send(send);
	return NULL;
}

static uint64_t first_of(const struct volume_send *send)
{
	return volume_first_block(send->offset);
}

static uint64_t end_of(const struct volume_send *send)
{
	return volume_end_block(send->offset, send->len);
}

static void copy_kept(const struct volume_target *target, struct volume_send *send)
{
	for (uint32_t at = 0; at < send->len; at += XDC_BLOCK_SIZE)
		memcpy((uint8_t *)send->data + at,
			sidefile_find(&target->sidefile, first_of(send) + at / XDC_BLOCK_SIZE),
			least(XDC_BLOCK_SIZE, send->len - at));
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

static void become_zero(struct volume_send *send)
{
	send->zero = true;
	mem_free(send->data);
	send->data = NULL;
}

/* What is behind the end block is unsent again. */
static void cut_send(struct volume_target *target, struct volume_send *send, uint64_t end)
{
	mask_land(&target->mask, end, end_of(send), false, NULL, NULL);
	send->len = (uint32_t)volume_bytes(target->volume, first_of(send), end);
}

int volume_find_hole(struct volume *volume, uint64_t offset, uint32_t *len, bool *hole)
{
	uint64_t run_end, end;
	bool data;
	int rc;

	*hole = false;
	if (offset >= volume->data_begin && offset + *len <= volume->data_end)
		return 0;
	rc = volume_get_content_run(volume, offset, &data, &run_end);
	if (rc < 0)
		return rc;
	if (data) {
		volume->data_begin = offset;
		volume->data_end = run_end;
	}
	if (run_end >= offset + *len) {
		*hole = !data;
		return 0;
	}
	/* A block of which a part is data is data. */
	end = data ? volume_end_block(0, run_end) : run_end / XDC_BLOCK_SIZE;
	if (end <= volume_first_block(offset))
		return 0;
	*hole = !data;
	*len = (uint32_t)(end * XDC_BLOCK_SIZE - offset);
	return 0;
}

/* Large runs: a hole is not read, and what begins with a hole ends with it. */
static int look_for_hole(struct volume_target *target, struct volume_send *send)
{
	uint32_t len = send->len;
	bool hole;
	int rc;

	if (send->len <= XDC_TRACK_SIZE)
		return 0;
	rc = volume_find_hole(target->volume, send->offset, &len, &hole);
	if (rc < 0)
		return rc;
	if (len < send->len)
		cut_send(target, send, volume_end_block(send->offset, len));
	if (hole)
		become_zero(send);
	return 0;
}

/* Nobody may write these blocks until they are read: the content is that of the increment whose tag they carry. */
static int read_blocks(struct volume_target *target, struct volume_send *send)
{
	struct blocklock_claim claim;
	int rc;

	blocklock_take_to_send(&target->volume->lock, &claim, first_of(send), end_of(send));
	target->sends_reading++;
	rc = look_for_hole(target, send);
	if (rc == 0 && !send->zero)
		rc = volume_read_content(target->volume, send->data, send->len, send->offset);
	/* After a failed sync the kernel may have read what the disk has, which is older than what was answered. */
	if (rc == 0 && vdisk_failed(target->volume->disk))
		rc = -EIO;
	target->sends_reading--;
	blocklock_release(&target->volume->lock, &claim);
	return rc;
}

int volume_send_next(struct volume_target *target, uint32_t max_len, struct volume_send **out)
{
	struct volume_send *send;
	struct mask_run run;
	int rc;

	assert(target->tracked && max_len >= XDC_BLOCK_SIZE);
	*out = NULL;
	if (vdisk_failed(target->volume->disk))
		return -EIO;
	sidefile_free_dropped(&target->sidefile);
	if (target->sends_stopped || target->stands_by)
		return 0;
	rc = find_run(target, max_len / XDC_BLOCK_SIZE, &run);
	if (rc <= 0)
		return rc;
	send = make_send(target, &run);
	if (!send)
		return -ENOMEM;
	mask_take_off(&target->mask, &run);
	list_add_last(&target->sends, &send->link);
	if (run.kept)
		copy_kept(target, send);
	else
		rc = read_blocks(target, send);
	if (rc < 0) {
		volume_send_failed(target, send);
		return rc;
	}
	if (!send->zero && is_zero(send->data, send->len))
		become_zero(send);
	*out = send;
	return 0;
}

/* ---- what became of it ---- */

static void drop_kept(void *arg, uint64_t block)
{
	struct volume_target *target = arg;

	sidefile_drop(&target->sidefile, block);
}

static void end_send(struct volume_target *target, struct volume_send *send)
{
	free_send(send);
	rt_cond_wake_all(&target->drained);
	rt_cond_wake_all(&target->changed);
}

void volume_send_acked(struct volume_target *target, struct volume_send *send)
{
	mask_land(&target->mask, first_of(send), end_of(send), true, drop_kept, target);
	end_send(target, send);
}

void volume_send_failed(struct volume_target *target, struct volume_send *send)
{
	mask_land(&target->mask, first_of(send), end_of(send), false, NULL, NULL);
	end_send(target, send);
}

void volume_resend_open(struct volume_target *target)
{
	assert(target->tracked);
	mask_resend(&target->mask);
	volume_unsettle_looks(target, 0, target->mask.blocks);
	rt_cond_wake_all(&target->changed);
}

bool volume_sync_begin(struct volume_target *target)
{
	if (!target->tracked || target->closing_number != 0)
		return false;
	if (target->stands_by)
		return target->by && mask_pass_begin(&target->mask, &target->by->mask);
	return mask_settle_begin(&target->mask);
}

void volume_sync_end(struct volume_target *target, bool ok)
{
	if (target->tracked && target->stands_by)
		mask_pass_end(&target->mask, ok && target->by);
	else if (target->tracked)
		mask_settle_end(&target->mask, ok);
}
