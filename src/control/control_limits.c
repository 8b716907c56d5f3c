/* SPDX-License-Identifier: Apache-2.0 */
/* Above what something is an event, and the pools that fill up. */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"

#define RPO_DEFAULT_NS		(5 * 60 * RT_SECOND)
#define CG_FAILURES_DEFAULT	5u
#define JOURNAL_DEFAULT		80u
#define POOL_DEFAULT		85u

/* ---- the limits ---- */

static uint64_t chosen(uint64_t kept, uint64_t otherwise, uint64_t off)
{
	return kept == CONTROL_LIMIT_OFF ? off : kept ? kept : otherwise;
}

/* As the copy services and the pools are to have them. */
void control_limits_apply(struct control *control)
{
	const struct record_management *kept = &control->management;

	control->limits = (struct copy_limits){
		.rpo_ns = (int64_t)chosen(kept->limit_rpo_ns, (uint64_t)RPO_DEFAULT_NS, (uint64_t)RT_NEVER),
		.cg_failures = (unsigned)chosen(kept->limit_cg_failures, CG_FAILURES_DEFAULT, 0),
		.journal_percent = (unsigned)chosen(kept->limit_journal_percent, JOURNAL_DEFAULT, 0),
	};
	control->pool_percent = (unsigned)chosen(kept->limit_pool_percent, POOL_DEFAULT, 0);
	if (control->copy)
		copy_limits_changed(control->copy);
	control_pools_look(control);
}

void control_limits_get(struct control *control, struct control_limits *limits)
{
	*limits = (struct control_limits){
		.watched = control->limits, .pool_percent = control->pool_percent,
		.keep_jobs_ns = jobs_keep(control->jobs),
	};
}

static void take(uint64_t *kept, const uint64_t *wanted)
{
	if (wanted)
		*kept = *wanted;
}

int control_limits_set(struct control *control, const struct control_limits_change *wanted, struct fault *fault)
{
	const struct meta_change change = { META_PUT, META_MANAGEMENT, &control->management };
	struct record_management before;
	uint64_t keep = control->management.jobs_keep_ns < 0 ? 0 : (uint64_t)control->management.jobs_keep_ns;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	before = control->management;
	take(&control->management.limit_rpo_ns, wanted->rpo_ns);
	take(&control->management.limit_cg_failures, wanted->cg_failures);
	take(&control->management.limit_journal_percent, wanted->journal_percent);
	take(&control->management.limit_pool_percent, wanted->pool_percent);
	take(&keep, wanted->keep_jobs_ns);
	control->management.jobs_keep_ns = (int64_t)keep;
	if (control_commit(control, &change, 1, "system", fault)) {
		/* Numbers that were given meanwhile stay given. */
		before.jobs_begun = control->management.jobs_begun;
		before.events_reserved = control->management.events_reserved;
		control->management = before;
		return -1;
	}
	control_limits_apply(control);
	return 0;
}

/* ---- pools that fill up ---- */

#define FILL_BYTES_PER_S	(UINT64_C(4) << 30)	/* no pool fills faster */
#define LOOK_MIN_NS		(5 * RT_SECOND)
#define LOOK_MAX_NS		(600 * RT_SECOND)
#define BACK_PERCENT		5u			/* below the limit: so that a pool about it is one event */

static void say_full(struct control *control, const struct control_pool *pool, uint64_t free_bytes)
{
	char object[XDC_EVENT_OBJECT_MAX];

	snprintf(object, sizeof(object), "pool %.56s", pool->record.name);
	if (pool->told_full)
		event_post(control->events, EVENT_POOL_FULL, EVENT_WARNING, object,
			   "give its file system more space, or delete volumes that nobody needs",
			   "more than %u %% of its file system is used, %llu MiB are free: writes to volumes that have "
			   "not all of their space will fail when it is full", control->pool_percent,
			   (unsigned long long)(free_bytes >> 20));
	else
		event_post(control->events, EVENT_POOL_ROOM, EVENT_INFO, object, "", "it has room again");
}

/* When the next look is due: not before it could have come to the limit. */
static int64_t judge(struct control *control, struct control_pool *pool, uint64_t total, uint64_t free_bytes)
{
	uint64_t keep_free = total / 100 * (100 - control->pool_percent);
	uint64_t back_free = keep_free + total / 100 * BACK_PERCENT;
	bool before = pool->told_full;
	int64_t due_ns;

	pool->told_full = free_bytes < keep_free || (before && free_bytes < back_free);
	if (pool->told_full != before)
		say_full(control, pool, free_bytes);
	due_ns = pool->told_full ? LOOK_MAX_NS / 20
				 : (int64_t)((free_bytes - keep_free) / FILL_BYTES_PER_S) * RT_SECOND;
	return due_ns < LOOK_MIN_NS ? LOOK_MIN_NS : due_ns < LOOK_MAX_NS ? due_ns : LOOK_MAX_NS;
}

/* The first pool of a folder behind this name that has volumes. */
static struct control_pool *next_filling(struct control *control, const char *name)
{
	struct control_pool *pool;

	list_for_each(pool, &control->pools, link) {
		if (strcmp(pool->record.name, name) > 0 && pool->lock && pool->volumes)
			return pool;
	}
	return NULL;
}

/* All pools that may fill up; how long until the next look, RT_NEVER: there is nothing to look at. */
static int64_t look_at_pools(struct control *control)
{
	char name[XDC_NAME_MAX] = "", folder[XDC_PATH_MAX];
	int64_t next_ns = RT_NEVER, due_ns;
	struct control_pool *pool;
	uint64_t total, free_bytes;
	int rc;

	while (control->pool_percent && (pool = next_filling(control, name)) != NULL) {
		memcpy(name, pool->record.name, sizeof(name));
		memcpy(folder, pool->record.folder, sizeof(folder));
		rc = rt_path_space(folder, &total, &free_bytes);
		/* It may have gone meanwhile. */
		pool = control_pool_find(control, name);
		if (!pool)
			continue;
		due_ns = rc ? LOOK_MAX_NS : judge(control, pool, total, free_bytes);
		next_ns = due_ns < next_ns ? due_ns : next_ns;
	}
	return next_ns;
}

static void watch_pools(void *arg)
{
	struct control *control = arg;
	int rc = 0;

	while (rc != -ECANCELED) {
		int64_t next_ns = look_at_pools(control);
		RT_LIMIT(next_ns == RT_NEVER ? RT_NEVER : rt_now_ns() + next_ns);

		rc = rt_cond_wait(&control->pools_filled);
	}
}

int control_pools_watch(struct control *control)
{
	return rt_group_start(&control->fibers, "pools", watch_pools, control);
}

void control_pools_look(struct control *control)
{
	rt_cond_wake_all(&control->pools_filled);
}
