/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A leg whose volumes a recovery brings back to an older CG than the last one. The journal knows that one was chosen,
 * and can tell at any time what it shows: whatever was cut off is done again, from the start.
 */
#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/volume_set.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume.h"

#define RANGES_AT_A_TIME	256u

bool leg_is_settled(const struct journal_info *info)
{
	return info->applied >= info->committed && (!info->goes_back || info->back);
}

static int load_group(struct leg *leg, uint64_t number)
{
	struct volume_set *group;
	struct journal_cg *cg;
	int rc = journal_read_point(leg->journal, number, &cg);

	if (rc)
		return rc;
	group = mem_alloc_zeroed(sizeof(*group));
	for (uint32_t i = 0; group && i < cg->volume_count; i++)
		volume_set_add(group, cg->volumes[i]);
	mem_free(cg);
	if (!group)
		return -ENOMEM;
	mem_free(leg->back_group);
	leg->back_group = group;
	return 0;
}

int leg_back_open(struct leg *leg)
{
	struct journal_info info;
	struct journal_past *past;
	int rc = 0;

	leg_get_info(leg, &info);
	if (!info.goes_back || leg->past)
		return 0;
	if (!leg->back_group)
		rc = load_group(leg, info.decision);
	if (!rc)
		rc = journal_open_past(leg->journal, info.decision, &past);
	if (rc)
		return rc == -ENOENT ? -EBADMSG : rc;
	leg_back_close(leg);
	leg->past = past;
	return 0;
}

void leg_back_close(struct leg *leg)
{
	journal_close_past(leg->past);
	leg->past = NULL;
}

/* ---- noting ---- */

struct note_order {
	struct pair *pair;
	unsigned count;
	struct { uint64_t offset, len; } ranges[RANGES_AT_A_TIME];
};

static int do_doubt(void *arg)
{
	struct note_order *order = arg;
	int rc = 0;

	for (unsigned i = 0; i < order->count && !rc; i++)
		rc = volume_doubt(order->pair->volume_target, order->ranges[i].offset, order->ranges[i].len);
	return rc;
}

static int do_mark_all(void *arg)
{
	struct note_order *order = arg;

	return volume_mark(order->pair->volume_target, 0, volume_size(order->pair->volume));
}

static int note_ranges(struct leg *leg, struct note_order *order)
{
	struct volume *volume = order->pair->volume;
	uint64_t size = volume_size(volume), cursor = (uint64_t)volume_id(volume) << 48;
	struct journal_run run = { 0 };
	bool more = true;
	int rc = 0;

	while (more && !rc) {
		order->count = 0;
		while (order->count < RANGES_AT_A_TIME && (more = journal_past_next(leg->past, &cursor, &run)) &&
		       (more = run.volume == volume_id(volume))) {
			if (run.offset >= size)
				continue;
			order->ranges[order->count].offset = run.offset;
			order->ranges[order->count++].len =
				run.len < size - run.offset ? run.len : size - run.offset;
		}
		rc = rt_call(volume_reactor(volume), do_doubt, order);
	}
	return rc;
}

int leg_back_note(struct leg *leg, struct pair *pair)
{
	MEM_OWNED struct note_order *order = NULL;
	int rc;

	if (!leg->past || !volume_set_has(leg->back_group, pair->record.volume) || planted(PLANTED_BACK_NOT_NOTED))
		return 0;
	order = mem_alloc_zeroed(sizeof(*order));
	if (!order)
		return -ENOMEM;
	order->pair = pair;
	rc = pair_track(pair);
	return rc ? rc : note_ranges(leg, order);
}

/* Its journal cannot be read any more, and may have been what said it: all of the volume counts as changed. */
static int note_all(struct pair *pair)
{
	struct note_order *order = mem_alloc_zeroed(sizeof(*order));
	int rc = order ? pair_track(pair) : -ENOMEM;

	if (!rc) {
		order->pair = pair;
		rc = rt_call(volume_reactor(pair->volume), do_mark_all, order);
	}
	mem_free(order);
	return rc;
}

/* Production is here since the recovery, or was and its differences are on their way. */
static bool may_lack(const struct record_pair *record)
{
	return record->role == PAIR_TARGET ? record->state == PAIR_FAILED_OVER : !record->first_copy_done;
}

int legs_back_note(struct copy *copy, struct pair *pair)
{
	struct leg *leg;
	int rc = 0;

	if (!may_lack(&pair->record))
		return 0;
	list_for_each(leg, &copy->legs, link) {
		const struct record_leg *record = &leg->record;

		if (rc || strcmp(record->source_system, pair->record.system) != 0)
			continue;
		if (!leg->offline)
			rc = leg_back_note(leg, pair);
		else if (record->recovered_sequence && (record->keep_ns || record->keep_bytes))
			rc = note_all(pair);
	}
	return rc;
}
