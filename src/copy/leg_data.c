/* SPDX-License-Identifier: Apache-2.0 */
/* Data of a source (leg.h): into the journal of its leg, or straight into the volume where no group rests on it. */
#include "copy/leg.h"

#include <errno.h>
#include <string.h>

#include "copy/leg_apply.h"
#include "copy/leg_offline.h"
#include "copy/leg_room.h"
#include "copy/pair.h"
#include "rt/mem.h"
#include "volume/volume.h"

struct data_order {
	struct copy *copy;
	const struct link_peer *peer;
	const struct wire_data *frame;
	const void *data;
	struct pair *pair;
};

static int do_apply(void *arg)
{
	struct data_order *order = arg;
	const struct wire_data *frame = order->frame;
	struct pair *pair = order->pair;

	if (order->data)
		return volume_apply(pair->volume, pair->volume_target, order->data, frame->raw_bytes, frame->offset);
	return volume_apply_zero(pair->volume, pair->volume_target, frame->raw_bytes, frame->offset);
}

/* Straight into the volume: only where a pair says that it is the target of this system, and no CG rests on it. */
static int write_direct(struct data_order *order)
{
	const struct wire_data *frame = order->frame;
	struct pair *pair = pair_find_target(order->copy, order->peer->system, frame->volume);
	uint64_t size;
	int rc;

	if (!pair)
		return -ENOENT;
	if (!leg_takes_direct(order->copy, pair))
		return -EPERM;
	size = volume_size(pair->volume);
	if (frame->offset > size || frame->raw_bytes > size - frame->offset)
		return -EINVAL;
	order->pair = pair;
	pair->untouched = false;
	pair_pin(pair);
	rc = rt_call(volume_reactor(pair->volume), do_apply, order);
	pair_unpin(pair);
	return rc;
}

/*
 * The end of an adopted volume need not be a whole block, and the journal keeps whole blocks: applying clips it again.
 */
static int append_last_block(struct leg *leg, const struct wire_data *frame, const void *data, uint64_t size)
{
	uint32_t len = (frame->raw_bytes / JOURNAL_BLOCK_SIZE + 1) * JOURNAL_BLOCK_SIZE;
	MEM_OWNED uint8_t *padded = NULL;

	if (frame->offset + frame->raw_bytes != size || len > JOURNAL_RUN_MAX)
		return -EINVAL;
	if (data) {
		padded = mem_alloc_zeroed(len);
		if (!padded)
			return -ENOMEM;
		memcpy(padded, data, frame->raw_bytes);
	}
	return journal_append(leg->journal, frame->volume, frame->offset, len, frame->tag, padded);
}

static int write_journal(struct data_order *order)
{
	const struct wire_data *frame = order->frame;
	struct leg *leg = leg_find(order->copy, frame->session, order->peer->system);
	struct pair *pair = pair_find_target(order->copy, order->peer->system, frame->volume);
	uint64_t size;
	int rc;

	if (!leg || !pair)
		return -ENOENT;
	if (pair->record.reason == PAIR_REASON_GROUP_LOST)
		return -EPERM;
	if (!leg_is_online(leg))
		return -EIO;
	pair->untouched = false;
	size = volume_size(pair->volume);
	if (frame->offset > size || frame->raw_bytes > size - frame->offset)
		return -EINVAL;
	if (leg->making_room)
		return -ENOSPC;
	leg->heard_wall_ns = rt_wall_ns();
	leg_pin(leg);
	if (frame->raw_bytes % JOURNAL_BLOCK_SIZE)
		rc = append_last_block(leg, frame, order->data, size);
	else
		rc = journal_append(leg->journal, frame->volume, frame->offset, frame->raw_bytes, frame->tag,
				    order->data);
	if (rc == -ENOSPC)
		rt_cond_wake_all(&leg->committed);
	if (!rc || rc == -ENOSPC)
		leg_room_taken(leg, rc == -ENOSPC);
	leg_unpin(leg);
	return rc;
}

static int do_data(void *arg)
{
	struct data_order *order = arg;

	return order->frame->flags & WIRE_DATA_JOURNAL ? write_journal(order) : write_direct(order);
}

int leg_on_data(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data)
{
	struct data_order order = { .copy = arg, .peer = peer, .frame = frame, .data = *data };

	return rt_call(rt_reactor(0), do_data, &order);
}

int leg_on_volumes_sync(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_volumes_sync *sync = request;
	struct wire_volumes_sync_reply *answer = reply;
	struct copy *copy = arg;

	(void)why;
	memcpy(answer->boot_id, copy->far_boot_id, WIRE_ID_SIZE);
	answer->failed.ids = mem_alloc_zeroed((sync->targets.count + 1) * sizeof(answer->failed.ids[0]));
	if (!answer->failed.ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < sync->targets.count; i++) {
		uint16_t id = sync->targets.ids[i];

		if (!pair_find_target(copy, peer->system, id) || leg_sync_volumes(copy, &id, 1))
			answer->failed.ids[answer->failed.count++] = id;
	}
	return 0;
}
