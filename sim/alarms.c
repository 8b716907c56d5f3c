/* SPDX-License-Identifier: Apache-2.0 */
#include "alarms.h"

#include <stdio.h>
#include <string.h>

#include "scenarios.h"

#define TOGETHER_NS	(500 * RT_MS)

/* What has an end, which is the next kind. Journals are told of by session, and a session may have several. */
static bool has_end(enum event_kind kind)
{
	return kind == EVENT_CG_FAILING || kind == EVENT_RPO_HIGH || kind == EVENT_LINK_LOST;
}

static struct alarm *find(struct alarms *alarms, enum event_kind kind, const char *object)
{
	for (unsigned i = 0; i < alarms->count; i++)
		if (alarms->begun[i].kind == kind && !strcmp(alarms->begun[i].object, object))
			return &alarms->begun[i];
	return NULL;
}

static void begin(struct alarms *alarms, const struct record_event *event)
{
	struct alarm *alarm;

	scenario_count("alarms", 1);
	if (find(alarms, event->kind, event->object)) {
		scenario_wrong("%s of %s was told twice", event_kind_names[event->kind], event->object);
		return;
	}
	if (alarms->count == ALARMS_MAX) {
		scenario_wrong("more than %u alarms at a time", ALARMS_MAX);
		return;
	}
	alarm = &alarms->begun[alarms->count++];
	alarm->kind = event->kind;
	memcpy(alarm->object, event->object, sizeof(alarm->object));
}

static bool end(struct alarms *alarms, enum event_kind kind, const char *object)
{
	struct alarm *alarm = find(alarms, kind, object);

	if (alarm)
		*alarm = alarms->begun[--alarms->count];
	return alarm;
}

/* A session that begins anew, or is over, has told nothing yet. */
static void end_session(struct alarms *alarms, const char *object)
{
	(void)end(alarms, EVENT_CG_FAILING, object);
	(void)end(alarms, EVENT_RPO_HIGH, object);
}

/* "... of 2105.B1 is suspended: link": another of that far side would have been told with it. */
static void look_at_link(struct alarms *alarms, const struct record_event *event)
{
	const char *far = strstr(event->text, " of ");

	if (event->kind != EVENT_PAIR_SUSPENDED || !far || !strstr(far, "suspended: link"))
		return;
	if (!strcmp(far, alarms->link_told) && rt_now_ns() - alarms->link_told_ns < TOGETHER_NS)
		scenario_wrong("two pairs of a link are told one by one: '%s'", event->text);
	snprintf(alarms->link_told, sizeof(alarms->link_told), "%s", far);
	alarms->link_told_ns = rt_now_ns();
	scenario_count("pairs told to be suspended by the link", 1);
}

void alarms_clear(struct alarms *alarms)
{
	*alarms = (struct alarms){ 0 };
}

void alarms_note(struct alarms *alarms, const struct record_event *event, bool stops)
{
	if (!*event->object || !*event->text)
		scenario_wrong("an event of kind %s says nothing", event_kind_names[event->kind]);
	if (!stops)
		look_at_link(alarms, event);
	if (has_end(event->kind))
		begin(alarms, event);
	else if (event->kind && has_end(event->kind - 1) && !end(alarms, event->kind - 1, event->object))
		scenario_wrong("%s of %s was told, and had not begun", event_kind_names[event->kind], event->object);
	else if (event->kind == EVENT_SESSION_STARTED || event->kind == EVENT_SESSION_PAUSED ||
		 event->kind == EVENT_SESSION_ENDED)
		end_session(alarms, event->object);
}
