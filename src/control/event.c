/* SPDX-License-Identifier: Apache-2.0 */
#include "control/event.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/keeper.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "rt/utf8.h"

#define RESERVE		4096u	/* numbers at a time, long before they are used */

struct event {
	struct list_head link;		/* of the events, in order of numbers */
	struct record_event record;
	bool durable;
	bool saving, deleting;		/* that is under way */
	bool going;			/* it is too old: not seen any more, to be deleted */
};

struct events {
	struct list_head list;
	unsigned count;			/* that are not going */
	unsigned going;
	uint64_t last;
	struct record_management *management;
	bool reserve_dirty, reserve_saving;
	struct keeper keeper;
	bool kept;			/* there is a keeper */
	struct rt_cond posted;
	unsigned followers;
	bool stopping;
};

/* ---- what is durable ---- */

static void free_event(struct events *events, struct event *event)
{
	if (event->going)
		events->going--;
	else
		events->count--;
	list_remove(&event->link);
	mem_free(event);
}

static unsigned collect(void *arg, struct meta_change *changes)
{
	struct events *events = arg;
	struct event *event;
	unsigned count = 0;

	if (events->reserve_dirty) {
		events->reserve_dirty = false;
		events->reserve_saving = true;
		changes[count++] = (struct meta_change){ META_PUT, META_MANAGEMENT, events->management };
	}
	list_for_each(event, &events->list, link) {
		if (count == KEEPER_CHANGES_MAX)
			break;
		if (!event->going && event->durable)
			continue;
		event->saving = !event->going;
		event->deleting = event->going;
		changes[count++] = (struct meta_change){ event->going ? META_DELETE : META_PUT, META_EVENT,
							 &event->record };
	}
	return count;
}

static void note_saved(void *arg, int rc)
{
	struct events *events = arg;
	struct event *event, *tmp;

	events->reserve_dirty = events->reserve_dirty || (events->reserve_saving && rc);
	events->reserve_saving = false;
	list_for_each_safe(event, tmp, &events->list, link) {
		bool deleted = event->deleting && !rc;

		event->durable = event->durable || (event->saving && !rc);
		event->saving = event->deleting = false;
		if (deleted)
			free_event(events, event);
	}
}

/* ---- life ---- */

int events_create(struct events **out)
{
	struct events *events = mem_alloc_zeroed(sizeof(*events));

	if (!events)
		return -ENOMEM;
	list_init(&events->list);
	rt_cond_init(&events->posted);
	*out = events;
	return 0;
}

/* The oldest goes; one that never came to the disk, or that cannot be deleted there for long, at once. */
static void drop_oldest(struct events *events)
{
	struct event *event, *tmp;

	list_for_each_safe(event, tmp, &events->list, link) {
		if (event->going)
			continue;
		if (!event->saving && (!event->durable || events->going >= EVENTS_MAX)) {
			free_event(events, event);
			return;
		}
		event->going = true;
		events->count--;
		events->going++;
		return;
	}
}

static struct event *add_event(struct events *events, const struct record_event *record)
{
	struct event *event = mem_alloc_zeroed(sizeof(*event));

	if (!event)
		return NULL;
	event->record = *record;
	list_add_last(&events->list, &event->link);
	events->count++;
	if (events->count > EVENTS_MAX)
		drop_oldest(events);
	return event;
}

int events_load(struct events *events, const struct record_event *record)
{
	struct event *event = add_event(events, record);

	if (!event)
		return -ENOMEM;
	event->durable = true;
	events->last = record->number;
	return 0;
}

static void reserve(struct events *events)
{
	if (events->last + RESERVE / 2 <= events->management->events_reserved)
		return;
	events->management->events_reserved = events->last + RESERVE;
	events->reserve_dirty = true;
}

int events_start(struct events *events, struct meta *meta, struct record_management *management)
{
	const struct meta_change change = { META_PUT, META_MANAGEMENT, management };
	const struct keeper_source source = { collect, note_saved, events };
	int rc;

	events->management = management;
	/* Whatever number was seen before a crash was not above this. */
	if (events->last < management->events_reserved)
		events->last = management->events_reserved;
	reserve(events);
	rc = meta_commit(meta, &change, 1);
	events->reserve_dirty = false;
	if (!rc)
		rc = keeper_start(&events->keeper, meta, &source);
	events->kept = !rc;
	return rc;
}

void events_stop(struct events *events)
{
	events_end_waits(events);
	if (!events->kept)
		return;
	/* After an orderly stop no number is missing. */
	events->management->events_reserved = events->last;
	events->reserve_dirty = true;
	keeper_stop(&events->keeper);
	events->kept = false;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	assert(!events->followers);
	while (!list_empty(&events->list))
		free_event(events, list_first(&events->list, struct event, link));
	mem_free(events);
}

/* ---- something happens ---- */

static void write_log(const struct record_event *record)
{
	static const enum log_level levels[] = { LOG_NOTICE, LOG_WARNING, LOG_ERROR };

	log_line(levels[record->level], "event", "%s: %s: %s%s%s", event_kind_names[record->kind], record->object,
		 record->text, *record->remedy ? "; try: " : "", record->remedy);
}

void event_take(struct events *events, const struct record_event *event, bool logged)
{
	struct record_event record = *event;

	if (!logged)
		write_log(&record);
	if (!events->kept)
		return;
	record.number = ++events->last;
	record.at_wall_ns = rt_wall_ns();
	utf8_repair(record.object);
	utf8_repair(record.text);
	utf8_repair(record.remedy);
	if (!add_event(events, &record))
		log_line(LOG_WARNING, "event", "no memory to keep it");
	reserve(events);
	keeper_wake(&events->keeper);
	rt_cond_wake_all(&events->posted);
}

void event_post(struct events *events, enum event_kind kind, enum event_level level, const char *object,
		const char *remedy, const char *format, ...)
{
	struct record_event event = { .kind = kind, .level = level };
	va_list args;

	snprintf(event.object, sizeof(event.object), "%s", object);
	snprintf(event.remedy, sizeof(event.remedy), "%s", remedy);
	va_start(args, format);
	vsnprintf(event.text, sizeof(event.text), format, args);
	va_end(args);
	event_take(events, &event, false);
}

/* ---- who wants to know ---- */

uint64_t events_last(const struct events *events)
{
	return events->last;
}

static bool is_wanted(const struct event *event, uint64_t since, enum event_level level)
{
	return !event->going && event->record.number > since && event->record.level >= level;
}

void events_each(const struct events *events, uint64_t since, enum event_level level,
		 void (*each)(void *arg, const struct record_event *event), void *arg)
{
	const struct event *event;

	list_for_each(event, &events->list, link) {
		if (is_wanted(event, since, level))
			each(arg, &event->record);
	}
}

/* The newest come last. */
static bool is_there_one(const struct events *events, uint64_t since, enum event_level level)
{
	const struct list_head *at;

	for (at = events->list.prev; at != &events->list; at = at->prev) {
		const struct event *event = container_of(at, struct event, link);

		if (event->record.number <= since)
			return false;
		if (is_wanted(event, since, level))
			return true;
	}
	return false;
}

int events_wait(struct events *events, uint64_t since, enum event_level level, int64_t until_ns, struct fault *fault)
{
	RT_LIMIT(until_ns);
	int rc = 0;

	if (events->followers == EVENT_FOLLOWERS_MAX)
		return fault_set(fault, FAULT_IN_USE, "events", "end one of the others, or ask without waiting",
				 "%u wait for events already", EVENT_FOLLOWERS_MAX);
	events->followers++;
	while (!rc && !events->stopping && !is_there_one(events, since, level))
		rc = rt_cond_wait(&events->posted);
	events->followers--;
	return 0;
}

void events_end_waits(struct events *events)
{
	events->stopping = true;
	rt_cond_wake_all(&events->posted);
}
