/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_room.h"

#include <stdio.h>

#define DROPPED_AGAIN_NS	(600 * RT_SECOND)
#define BACK_PERCENT	10u	/* below the limit: so that a journal about it is one event */

static unsigned used_percent(const struct leg *leg)
{
	struct journal_info info;

	leg_get_info(leg, &info);
	return info.limit_bytes ? (unsigned)(info.used_bytes * 100 / info.limit_bytes) : 0;
}

static unsigned limit_percent(const struct leg *leg)
{
	const struct copy_limits *limits = leg->copy->config.limits;

	return limits ? limits->journal_percent : 0;
}

static void say_object(const struct leg *leg, char object[XDC_EVENT_OBJECT_MAX])
{
	snprintf(object, XDC_EVENT_OBJECT_MAX, "session %u", leg->record.session);
}

void leg_room_taken(struct leg *leg, bool full)
{
	unsigned limit = limit_percent(leg);
	char object[XDC_EVENT_OBJECT_MAX];

	say_object(leg, object);
	if (full && leg->told_room < LEG_ROOM_NONE) {
		leg->told_room = LEG_ROOM_NONE;
		copy_tell(leg->copy, EVENT_JOURNAL_FULL, EVENT_ERROR, object,
			  "xdc session show says what keeps its groups from the volumes; or give its disk more space",
			  "the journal of %s has no room: its last group stays, and the RPO grows",
			  leg->record.source_system);
	} else if (!full && limit && leg->told_room < LEG_ROOM_LITTLE && used_percent(leg) >= limit) {
		leg->told_room = LEG_ROOM_LITTLE;
		copy_tell(leg->copy, EVENT_JOURNAL_FULL, EVENT_WARNING, object,
			  "xdc session show says what keeps its groups from the volumes",
			  "the journal of %s is more than %u %% full", leg->record.source_system, limit);
	}
}

void leg_room_given(struct leg *leg)
{
	unsigned limit = limit_percent(leg) ? limit_percent(leg) : 100;
	char object[XDC_EVENT_OBJECT_MAX];

	if (leg->told_room == LEG_ROOM_ENOUGH || used_percent(leg) + BACK_PERCENT > limit)
		return;
	leg->told_room = LEG_ROOM_ENOUGH;
	say_object(leg, object);
	copy_tell(leg->copy, EVENT_JOURNAL_ROOM, EVENT_INFO, object, "", "the journal of %s has room again",
		  leg->record.source_system);
}

void leg_points_dropped(struct leg *leg)
{
	char object[XDC_EVENT_OBJECT_MAX];
	struct journal_info info;

	leg_get_info(leg, &info);
	/* A journal that is full of them gives some up with every segment: that is one event. */
	if (info.points_given_up == leg->told_dropped || rt_now_ns() < leg->dropped_again_ns)
		return;
	leg->told_dropped = info.points_given_up;
	leg->dropped_again_ns = rt_now_ns() + DROPPED_AGAIN_NS;
	say_object(leg, object);
	copy_tell(leg->copy, EVENT_POINTS_DROPPED, EVENT_WARNING, object,
		  "if it is for want of room: more space for its journal, or a shorter --keep",
		  "groups of %s older than CG %llu cannot be gone back to any more", leg->record.source_system,
		  (unsigned long long)info.points_given_up);
}
