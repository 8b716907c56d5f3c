/* SPDX-License-Identifier: Apache-2.0 */
/* What the pairs of one volume are to one another. */
#include "copy/pair.h"
#include "copy/pair_private.h"
#include "store/planted.h"
#include "volume/volume.h"

bool pair_is_one_of_several(const struct pair *pair)
{
	const struct pair *first = pair_first_of(pair->copy, pair->record.volume);

	return first && (first != pair || pair_next_of(first));
}

const struct pair *pair_of_no_moment(const struct pair *pair)
{
	const struct pair *other;

	for (other = pair_first_of(pair->copy, pair->record.volume); other; other = pair_next_of(other)) {
		if (other->record.role == PAIR_TARGET && other->record.state != PAIR_FAILED_OVER && !other->of_moment &&
		    !planted(PLANTED_CASCADE_ANY_MOMENT))
			return other;
	}
	return NULL;
}

struct access_order {
	struct volume *volume;
	enum volume_access access;
};

static int do_set_access(void *arg)
{
	struct access_order *order = arg;

	return volume_set_access(order->volume, order->access);
}

/* What a pair leaves to hosts, whatever others do. */
static enum volume_access most_access(const struct record_pair *record)
{
	if (record->role == PAIR_TARGET && record->state != PAIR_FAILED_OVER)
		return VOLUME_ACCESS_NONE;
	return record->role == PAIR_SOURCE && record->reason == PAIR_REASON_HISTORY ? VOLUME_ACCESS_READ
										     : VOLUME_ACCESS_WRITE;
}

int pair_set_access(struct pair *pair, enum volume_access access)
{
	struct access_order order = { .volume = pair->volume, .access = access };
	const struct pair *other;

	for (other = pair_first_of(pair->copy, pair->record.volume); other; other = pair_next_of(other)) {
		if (other != pair && most_access(&other->record) < order.access)
			order.access = most_access(&other->record);
	}
	return rt_call(volume_reactor(pair->volume), do_set_access, &order);
}
