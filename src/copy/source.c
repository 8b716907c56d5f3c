/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/source_private.h"
#include "rt/log.h"
#include "rt/mem.h"

struct source *source_find(struct copy *copy, uint8_t session)
{
	struct source *source;

	list_for_each(source, &copy->sources, link) {
		if (source->number == session)
			return source;
	}
	return NULL;
}

/* The master sleeps while nobody writes: the first write after an empty increment wakes it. */
static void wake_master(struct source *source)
{
	struct wire_event_session event = { .session = source->number };
	size_t len = strcspn(source->master, ":");
	char system[WIRE_SYSTEM_SIZE] = "";

	if (len >= sizeof(system))
		return;
	memcpy(system, source->master, len);
	memcpy(event.master, source->master, sizeof(event.master));
	memcpy(event.boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	if (!strcmp(system, source->copy->config.system))
		source->copy->above->on_event(source->copy, NULL, WIRE_EVENT_FIRST_WRITE, &event);
	else if (link_server_event(source->copy->server, system, WIRE_EVENT_FIRST_WRITE, &event))
		log_line(LOG_DEBUG, "session", "session %u: master %s is not told of the first write", source->number,
			 system);
}

static void watch_writes(void *arg)
{
	struct source *source = arg;
	int rc = 0;

	while (!rc) {
		rc = member_wait_written(source->member);
		while (!rc && !source->idle)
			rc = rt_cond_wait(&source->idle_begins);
		if (!rc) {
			source->idle = false;
			wake_master(source);
		}
	}
}

struct source *source_get(struct copy *copy, uint8_t session)
{
	struct source *source = source_find(copy, session);

	if (source)
		return source;
	source = mem_alloc_zeroed(sizeof(*source));
	if (!source)
		return NULL;
	source->copy = copy;
	source->number = session;
	list_init(&source->legs);
	rt_mutex_init(&source->opening);
	rt_group_init(&source->fibers);
	rt_cond_init(&source->idle_begins);
	if (member_create(session, &source->member)) {
		mem_free(source);
		return NULL;
	}
	if (rt_group_start(&source->fibers, "first write", watch_writes, source)) {
		member_destroy(source->member);
		mem_free(source);
		return NULL;
	}
	list_add_last(&copy->sources, &source->link);
	return source;
}

static void drop_leg(struct source_leg *leg)
{
	list_remove(&leg->link);
	source_leg_unpin(leg);
}

static void delete_source(struct source *source)
{
	struct source_leg *leg, *tmp;

	list_remove(&source->link);
	rt_group_stop(&source->fibers);
	member_destroy(source->member);
	list_for_each_safe(leg, tmp, &source->legs, link)
		drop_leg(leg);
	mem_free(source->members.items);
	mem_free(source);
}

void sources_retire(struct copy *copy)
{
	struct source *source;

	list_for_each(source, &copy->sources, link) {
		member_retire(source->member);
		rt_group_stop(&source->fibers);
	}
}

void sources_stop(struct copy *copy)
{
	while (!list_empty(&copy->sources))
		delete_source(list_first(&copy->sources, struct source, link));
}

static void leave_leg(struct source *source, struct source_leg *leg)
{
	assert(leg->pairs > 0);
	if (--leg->pairs)
		return;
	/* A join takes it off the master's list: recovery demands of each leg on it what the last CG had. */
	source->joined = false;
	drop_leg(leg);
}

static struct source_leg *find_or_make_leg(struct source *source, const char *far)
{
	struct peer *peer = peer_get(source->copy, far, NULL, false);
	struct source_leg *leg;

	if (!peer)
		return NULL;
	/* Nothing suspends from here on. */
	leg = source_leg_find(source, far);
	if (!leg) {
		leg = mem_alloc_zeroed(sizeof(*leg));
		if (leg) {
			leg->source = source;
			leg->pins = 1;
			leg->peer = peer;
			list_add_last(&source->legs, &leg->link);
			source->joined = false;		/* a join brings it into the master's list */
			return leg;
		}
	}
	/* With the leg's and the pair's own use this was not the last one: it does not suspend. */
	peer_put(peer);
	return leg;
}

int source_add_pair(struct source *source, struct pair *pair)
{
	/* First: no attempt may close it before its far side is among those that prepare. */
	struct source_leg *leg = find_or_make_leg(source, pair->record.system);
	int rc;

	if (!leg)
		return -ENOMEM;
	leg->pairs++;
	rc = member_add_volume(source->member, pair->volume_target, &pair_member_ops, pair);
	if (rc) {
		leave_leg(source, leg);
		return rc;
	}
	/* It was in groups before: tags must be above what its far side still holds, and a join sees to that. */
	if (pair->joined)
		source->joined = false;
	return 0;
}

int source_remove_pair(struct source *source, struct pair *pair)
{
	struct source_leg *leg;
	int rc = member_remove_volume(source->member, pair->volume_target);

	if (rc)
		return rc;
	leg = source_leg_find(source, pair->record.system);
	assert(leg);
	leave_leg(source, leg);
	return 0;
}

void source_volume_joins(struct copy *copy, uint8_t session)
{
	struct source *source = source_find(copy, session);

	if (source)
		member_want_attempt(source->member);
}

bool source_has_pairs(const struct source *source)
{
	return !list_empty(&source->legs);
}

bool source_is_joined(const struct source *source)
{
	return source && source->joined;
}

void source_leave(struct source *source)
{
	member_leave(source->member, 0, CG_FAILURE_PAIR_SUSPENDED);
}

/* As its master said. */
static bool is_suspended(const struct source *source)
{
	const struct pair *pair;

	list_for_each(pair, &source->copy->pairs, link) {
		if (!pair->gone && pair->record.session == source->number && pair->record.state == PAIR_SUSPENDED &&
		    pair->record.reason == PAIR_REASON_SESSION)
			return true;
	}
	return false;
}

/* A volume here was in one, by what is durable. */
static bool was_in_groups(const struct source *source)
{
	const struct pair *pair;

	list_for_each(pair, &source->copy->pairs, link) {
		if (!pair->gone && pair->record.session == source->number && pair->record.joined)
			return true;
	}
	return false;
}

void source_get_master(const struct source *source, char system[XDC_SYSTEM_ID_MAX])
{
	bool led = source->joined || is_suspended(source);
	int len = led ? (int)strcspn(source->master, ":") : 0;

	snprintf(system, XDC_SYSTEM_ID_MAX, "%.*s", len, source->master);
}

void source_get_info(struct source *source, struct copy_session_info *info)
{
	struct member_status status;
	struct member_counts counts;

	member_count(source->member, &counts);
	member_get_status(source->member, &status);
	info->session = source->number;
	info->volumes = counts.volumes;
	info->joined = counts.joined;
	info->out_of_sync_blocks = counts.out_of_sync_blocks;
	if (info->role != SESSION_NO_ROLE)
		return;
	info->rpo_ns = -1;
	info->sequence = source->exists;
	info->sequence_unknown = !source->exists && was_in_groups(source);
	if (info->state != SESSION_FATAL)
		info->state = source->joined ? SESSION_RUNNING : is_suspended(source) ? SESSION_PAUSED_CONSISTENT
										   : SESSION_OPEN;
	info->role = source->joined ? SESSION_SUBORDINATE : SESSION_NO_ROLE;
	snprintf(info->master, sizeof(info->master), "%.*s", (int)strcspn(source->master, ":"), source->master);
	info->hold_max_ns = status.hold_max_ns;
}
