/* SPDX-License-Identifier: Apache-2.0 */
/* Which CGs older than the last one all far sides of a session can show (copy.h: copy_session_points). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "copy/leg.h"
#include "copy/recover.h"
#include "copy/recover_private.h"
#include "rt/mem.h"

#define ANSWER_NS	(10 * RT_SECOND)

/* ---- what this far side can show ---- */

static int fill_leg(const struct leg *leg, uint64_t below, struct wire_leg_points *out)
{
	struct journal_point oldest;
	MEM_OWNED struct journal_point *points = mem_alloc((WIRE_POINTS_MAX + 1) * sizeof(points[0]));

	out->items = mem_alloc_zeroed(WIRE_POINTS_MAX * sizeof(out->items[0]));
	if (!points || !out->items)
		return -ENOMEM;
	if (journal_oldest_point(leg->journal, &oldest))
		out->oldest = (struct wire_point){ oldest.number, oldest.time_us, oldest.bytes };
	snprintf(out->source, sizeof(out->source), "%s", leg->record.source_system);
	out->count = journal_list_points(leg->journal, below, points, WIRE_POINTS_MAX + 1);
	out->more = out->count > WIRE_POINTS_MAX;
	if (out->more)
		out->count = WIRE_POINTS_MAX;
	for (uint32_t i = 0; i < out->count; i++)
		out->items[i] = (struct wire_point){
			.number = points[i].number, .time_us = points[i].time_us, .bytes = points[i].bytes,
		};
	return 0;
}

/* A leg that was in no group yet has no say. */
static bool has_group(struct leg *leg)
{
	return leg_is_online(leg) && leg_committed_cg(leg);
}

int recover_on_points(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_points_request *asked = request;
	struct wire_points *points = reply;
	struct copy *copy = arg;
	struct leg *leg;

	(void)peer;
	memcpy(points->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	points->legs = mem_alloc_zeroed(WIRE_LEGS_MAX * sizeof(points->legs[0]));
	if (!points->legs)
		return -ENOMEM;
	list_for_each(leg, &copy->legs, link) {
		int rc;

		if (leg->gone || leg->record.session != asked->session ||
		    memcmp(leg->record.key, asked->key, WIRE_KEY_SIZE) != 0 || !has_group(leg))
			continue;
		if (points->count == WIRE_LEGS_MAX)
			return copy_refuse(why, -E2BIG, "session %u has too many sources", asked->session);
		rc = fill_leg(leg, asked->below, &points->legs[points->count++]);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- what all of them can show ---- */

static void ask_points(void *arg)
{
	struct far *far = arg;
	const struct recovery *recovery = far->recovery;
	struct wire_points_request request = { .session = recovery->request.session, .below = recovery->below };
	RT_LIMIT(rt_now_ns() + ANSWER_NS);

	memcpy(request.key, recovery->request.key, WIRE_KEY_SIZE);
	link_reply_free(WIRE_RECOVER_POINTS, &far->points);
	far->rc = copy_ask(recovery->copy, far->system, WIRE_RECOVER_POINTS, &request, &far->points, far->why);
}

static int ask_all(struct recovery *recovery, struct fault *fault)
{
	char object[64];
	int rc = recovery_ask_fars(recovery, 0, ask_points);

	for (unsigned i = 0; i < recovery->count && !rc; i++) {
		const struct far *far = &recovery->fars[i];

		if (far->rc)
			return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object), "repeat the command",
					 "far side %s: %s", far->system, far->why[0] ? far->why : strerror(-far->rc));
	}
	if (rc)
		return fault_set(fault, FAULT_TIMEOUT, recovery_object(recovery, object), "repeat the command",
				 "given up: %s", strerror(-rc));
	return 0;
}

/* Goes through the lists of all legs. */
#define EACH_LIST(recovery, i, j) \
	for (unsigned i = 0; i < (recovery)->count; i++) \
		for (unsigned j = 0; j < (recovery)->fars[i].points.count; j++)

/* Newer points than this one are all in the answers; 0: all are. */
static uint64_t find_complete(const struct recovery *recovery)
{
	uint64_t from = 0;

	EACH_LIST(recovery, i, j) {
		const struct wire_leg_points *leg = &recovery->fars[i].points.legs[j];

		if (leg->more && leg->items[leg->count - 1].number > from)
			from = leg->items[leg->count - 1].number;
	}
	return from;
}

static const struct wire_leg_points *find_first(const struct recovery *recovery)
{
	EACH_LIST(recovery, i, j)
		return &recovery->fars[i].points.legs[j];
	return NULL;
}

static const struct wire_point *find_point(const struct wire_leg_points *leg, uint64_t number)
{
	uint32_t low = 0, high = leg->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (leg->items[middle].number > number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < leg->count && leg->items[low].number == number ? &leg->items[low] : NULL;
}

/* False: some leg cannot show it. */
static bool add_up(const struct recovery *recovery, const struct wire_point *point, struct copy_point *out)
{
	*out = (struct copy_point){ .sequence = point->number, .cg_wall_ns = (int64_t)point->time_us * RT_US };
	EACH_LIST(recovery, i, j) {
		const struct wire_point *same = find_point(&recovery->fars[i].points.legs[j], point->number);

		if (!same)
			return false;
		out->bytes += same->bytes;
	}
	return true;
}

/* At most COPY_POINTS_MAX of those below recovery->below, which is lower then. *all: there are no more. */
static int collect_some(struct recovery *recovery, struct copy_point *out, bool *all, struct fault *fault)
{
	const struct wire_leg_points *leg;
	uint64_t from;
	int count = 0;

	if (ask_all(recovery, fault))
		return -1;
	leg = find_first(recovery);
	from = find_complete(recovery);
	for (uint32_t i = 0; leg && i < leg->count && count < (int)COPY_POINTS_MAX; i++) {
		if (leg->items[i].number < from)
			break;
		recovery->below = leg->items[i].number;
		if (add_up(recovery, &leg->items[i], &out[count]))
			count++;
	}
	*all = !from && count < (int)COPY_POINTS_MAX;
	if (from && recovery->below > from && count < (int)COPY_POINTS_MAX)
		recovery->below = from;
	return count;
}

static int collect(struct recovery *recovery, struct copy_point *out, struct fault *fault)
{
	int count;
	bool all;

	do {
		count = collect_some(recovery, out, &all, fault);
	} while (count == 0 && !all);
	return count;
}

/* The commands for a moment that no far side, or not every one, can show. */
static int fault_not_kept(struct recovery *recovery, struct fault *fault)
{
	struct wire_point oldest = { 0 };
	char object[64], since[48];
	time_t seconds;
	struct tm when;

	recovery->below = UINT64_MAX;
	if (ask_all(recovery, fault))
		return -1;
	EACH_LIST(recovery, i, j) {
		if (recovery->fars[i].points.legs[j].oldest.number > oldest.number)
			oldest = recovery->fars[i].points.legs[j].oldest;
	}
	recovery_object(recovery, object);
	if (!oldest.number)
		return fault_set(fault, FAULT_FAILED, object, "xdc session start --keep DURATION",
				 "no group but the last one is kept");
	seconds = (time_t)(oldest.time_us / 1000000);
	if (!gmtime_r(&seconds, &when) || !strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &when))
		since[0] = '\0';
	return fault_set(fault, FAULT_FAILED, object, "xdc session points lists the groups that all can show",
			 "that is not kept: the oldest that may be is CG %llu, of %s",
			 (unsigned long long)oldest.number, since);
}

static int64_t milliseconds(int64_t ns)
{
	return ns / RT_MS;
}

int recovery_find_point(struct recovery *recovery, int64_t wall_ns, uint64_t *number, struct fault *fault)
{
	MEM_OWNED struct copy_point *points = mem_alloc(COPY_POINTS_MAX * sizeof(points[0]));
	char object[64];
	bool all = false;

	if (!points)
		return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object), "try again", "no memory");
	recovery->below = UINT64_MAX;
	while (!all) {
		int count = collect_some(recovery, points, &all, fault);

		if (count < 0)
			return -1;
		for (int i = 0; i < count; i++) {
			if (milliseconds(points[i].cg_wall_ns) > milliseconds(wall_ns))
				continue;
			*number = points[i].sequence;
			return 0;
		}
	}
	return fault_not_kept(recovery, fault);
}

int copy_session_points(struct copy *copy, uint8_t session, uint64_t below, struct copy_point *out,
			struct fault *fault)
{
	struct recovery recovery;
	char object[64];
	int rc = recovery_begin(copy, session, &recovery, fault);

	if (!rc)
		rc = recovery_look(&recovery, false, fault);
	if (!rc && recovery.plan.systems_missing)
		rc = fault_set(fault, FAULT_FAILED, recovery_object(&recovery, object),
			       "repeat the command when it is back",
			       "far side %s cannot be asked what it can show", recovery.plan.missing);
	if (!rc) {
		recovery.below = below;
		rc = collect(&recovery, out, fault);
	}
	recovery_end(&recovery);
	return rc;
}
