/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_changes.h"

#include <assert.h>
#include <errno.h>

#include "copy/pair.h"
#include "rt/log.h"
#include "volume/volume.h"

struct mark_order {
	struct pair *pair;
	const struct wire_pair_changes_reply *changes;
	struct volume_counters counters;
};

static int do_mark(void *arg)
{
	struct mark_order *order = arg;
	int rc = 0;

	for (uint32_t i = 0; i < order->changes->count && !rc; i++)
		rc = volume_doubt(order->pair->volume_target, order->changes->ranges[i].offset,
				  order->changes->ranges[i].bytes);
	return rc;
}

static int do_count(void *arg)
{
	struct mark_order *order = arg;

	pair_get_counters(order->pair, &order->counters);
	return 0;
}

static bool is_sound(const struct wire_pair_changes_reply *changes, uint64_t from, uint64_t size)
{
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct wire_range *range = &changes->ranges[i];

		if (range->offset % XDC_BLOCK_SIZE || range->offset >= size || range->bytes > size - range->offset ||
		    !range->bytes)
			return false;
	}
	return changes->next_offset > from;
}

/* Goes through all that the other end has noted; mark: notes it here, too. */
static int each_change(struct pair *pair, bool mark, uint64_t *bytes, char *why)
{
	struct wire_pair_changes_request request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
	};
	int rc = 0;

	*bytes = 0;
	while (!rc && request.from_offset != UINT64_MAX) {
		struct wire_pair_changes_reply reply = { 0 };
		struct mark_order order = { .pair = pair, .changes = &reply };

		rc = link_request(pair->peer->to, WIRE_PAIR_CHANGES, &request, &reply, why, NULL);
		if (rc)
			return rc;
		if (!is_sound(&reply, request.from_offset, volume_size(pair->volume)))
			rc = copy_refuse(why, -EBADMSG, "system %s says what cannot be", pair->record.system);
		for (uint32_t i = 0; i < reply.count; i++)
			*bytes += reply.ranges[i].bytes;
		if (!rc && mark)
			rc = rt_call(volume_reactor(pair->volume), do_mark, &order);
		request.from_offset = reply.next_offset;
		link_reply_free(WIRE_PAIR_CHANGES, &reply);
	}
	return rc;
}

uint64_t pair_changes_here(struct pair *pair)
{
	struct mark_order order = { .pair = pair };
	int rc = rt_call(volume_reactor(pair->volume), do_count, &order);

	assert(!rc);
	return order.counters.open_blocks + order.counters.closing_blocks;
}

int pair_changes_far(struct pair *pair, uint64_t *bytes, char *why)
{
	return each_change(pair, false, bytes, why);
}

int pair_changes_take(struct pair *pair, char *why)
{
	uint64_t bytes;
	int rc;

	if (pair->record.first_copy_done || !pair->record.first_copy_bytes)
		return 0;
	rc = each_change(pair, true, &bytes, why);
	if (rc)
		return rc;
	if (bytes)
		log_line(LOG_NOTICE, "failback", "volume %04X: system %s had noted %llu KiB", pair->record.volume,
			 pair->record.system, (unsigned long long)bytes / 1024);
	if (pair_changes_here(pair))
		return 0;
	/* There is nothing to send. */
	pair->progress_owed = true;
	notice_due(&pair->peer->acked);
	return 0;
}
