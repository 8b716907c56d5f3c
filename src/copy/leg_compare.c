/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_compare.h"

#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "store/vdisk.h"
#include "volume/volume.h"

_Static_assert(WIRE_BLOCK_SIZE == XDC_BLOCK_SIZE && WIRE_BLOCK_SIZE == JOURNAL_BLOCK_SIZE, "the same blocks");

struct comparison {
	struct copy *copy;
	const struct link_peer *peer;
	const struct wire_data *frame;
	const uint8_t *sums;
	uint8_t *same;
	struct leg *leg;		/* NULL: straight in the volume */
	struct volume *volume;
	uint8_t *image;			/* of the range */
};

struct read_order {
	struct volume *volume;
	uint8_t *to;
	uint64_t offset, len;
	bool hole;
};

static int do_read(void *arg)
{
	struct read_order *order = arg;

	return volume_apply_read(order->volume, order->to, order->len, order->offset);
}

/* From from on, so many bytes of the range, as the volume has them. */
static int read_volume(struct comparison *comparison, uint64_t from, uint64_t bytes)
{
	struct read_order order = {
		.volume = comparison->volume, .to = comparison->image + from,
		.offset = comparison->frame->offset + from, .len = bytes,
	};

	if (from + bytes > comparison->frame->raw_bytes)
		order.len = comparison->frame->raw_bytes - from;
	return order.len ? rt_call(volume_reactor(order.volume), do_read, &order) : 0;
}

/*
 * Of a volume that the last group does not hold, or the one that is prepared, it is not certain that what the journal
 * has is in the next one: it left its session, and may have come back.
 */
static bool is_kept(struct leg *leg, uint16_t volume)
{
	return leg_group_has(leg, volume) && leg_prepared_has(leg, volume);
}

static int read_run(struct comparison *comparison, const struct journal_run *run, uint64_t at)
{
	if (!is_kept(comparison->leg, comparison->frame->volume))
		return -ENODATA;
	return journal_read(comparison->leg->journal, run, comparison->image + at);
}

/*
 * Nothing is written to these blocks meanwhile but by applying what is found here: their source waits for the answer.
 * What was applied since it was looked up is found in the volume the next time.
 */
static int read_next(struct comparison *comparison)
{
	const struct wire_data *frame = comparison->frame;
	uint64_t at = 0, end = (uint64_t)wire_blocks(frame->raw_bytes) * WIRE_BLOCK_SIZE;
	struct journal_run run;
	int rc = 0, found;

	while (at < end && !rc) {
		found = journal_lookup_next(comparison->leg->journal, frame->volume, frame->offset + at, end - at,
					    frame->tag, &run);
		if (found < 0)
			return found;
		if (!found || planted(PLANTED_COMPARE_APPLIED))
			return read_volume(comparison, at, end - at);
		if (run.offset > frame->offset + at)
			rc = read_volume(comparison, at, run.offset - frame->offset - at);
		at = run.offset - frame->offset;
		if (!rc)
			rc = read_run(comparison, &run, at);
		if (!rc)
			at += run.len;
		else if (rc == -EAGAIN)
			rc = 0;
	}
	return rc;
}

static int read_image(struct comparison *comparison)
{
	return comparison->leg ? read_next(comparison) : read_volume(comparison, 0, comparison->frame->raw_bytes);
}

static int do_find_hole(void *arg)
{
	struct read_order *order = arg;
	uint64_t end;
	bool data;
	int rc = vdisk_get_run(volume_disk(order->volume), order->offset, &data, &end);

	/* What a failed sync has left in memory may not be on the disk. */
	order->hole = !rc && !data && end >= order->offset + order->len && !vdisk_failed(volume_disk(order->volume));
	return rc;
}

/* A hole there, a hole here, and nothing in the journal: nothing is read. What cannot be said this way is read. */
static bool are_holes(struct comparison *comparison)
{
	const struct wire_data *frame = comparison->frame;
	struct read_order order = {
		.volume = comparison->volume, .offset = frame->offset, .len = frame->raw_bytes,
	};
	uint64_t len = (uint64_t)wire_blocks(frame->raw_bytes) * WIRE_BLOCK_SIZE;
	struct journal_run run;

	if (comparison->sums || (comparison->leg && journal_lookup_next(comparison->leg->journal, frame->volume,
									frame->offset, len, frame->tag, &run)))
		return false;
	/* Only now: what is applied meanwhile is in the volume then. */
	return !rt_call(volume_reactor(order.volume), do_find_hole, &order) && order.hole;
}

static void set_all_same(struct comparison *comparison, uint32_t blocks)
{
	memset(comparison->same, 0, WIRE_SAME_MAX);
	for (uint32_t i = 0; i < blocks; i++)
		comparison->same[i / 8] |= (uint8_t)(1u << i % 8);
}

static int compare(struct comparison *comparison)
{
	const struct wire_data *frame = comparison->frame;
	uint32_t blocks = wire_blocks(frame->raw_bytes);
	int rc;

	if (are_holes(comparison)) {
		set_all_same(comparison, blocks);
		return 0;
	}
	comparison->image = mem_alloc_pages((size_t)blocks * WIRE_BLOCK_SIZE);
	if (!comparison->image)
		return -ENOMEM;
	rc = read_image(comparison);
	if (!rc)
		wire_compare(comparison->sums, comparison->image, frame->raw_bytes, comparison->same);
	mem_free(comparison->image);
	return rc;
}

/* Refused where data would be: then the source hears why, and whether it is one still. */
static int do_compare(void *arg)
{
	struct comparison *comparison = arg;
	const struct wire_data *frame = comparison->frame;
	struct pair *pair = pair_find_target(comparison->copy, comparison->peer->system, frame->volume);
	bool journal = frame->flags & WIRE_DATA_JOURNAL;
	uint64_t size;
	int rc;

	if (journal)
		comparison->leg = leg_find(comparison->copy, frame->session, comparison->peer->system);
	if (!pair || (journal && !comparison->leg))
		return -ENOENT;
	if (pair->record.reason == PAIR_REASON_GROUP_LOST || (!journal && !leg_takes_direct(comparison->copy, pair)))
		return -EPERM;
	if (journal && comparison->leg->offline)
		return -EIO;
	size = volume_size(pair->volume);
	if (frame->offset > size || frame->raw_bytes > size - frame->offset)
		return -EINVAL;
	if (frame->raw_bytes % WIRE_BLOCK_SIZE && frame->offset + frame->raw_bytes != size)
		return -EINVAL;
	if (journal && comparison->leg->making_room)
		return -ENOSPC;
	comparison->volume = pair->volume;
	pair_pin(pair);
	if (journal)
		leg_pin(comparison->leg);
	rc = compare(comparison);
	if (journal)
		leg_unpin(comparison->leg);
	pair_unpin(pair);
	return rc;
}

int leg_on_compare(void *arg, const struct link_peer *peer, const struct wire_data *frame, const uint8_t *sums,
		   uint8_t same[WIRE_SAME_MAX])
{
	struct comparison *comparison = mem_alloc_zeroed(sizeof(*comparison));
	int rc;

	if (!comparison)
		return -ENOMEM;
	comparison->copy = arg;
	comparison->peer = peer;
	comparison->frame = frame;
	comparison->sums = sums;
	comparison->same = same;
	rc = rt_call(rt_reactor(0), do_compare, comparison);
	mem_free(comparison);
	return rc;
}
