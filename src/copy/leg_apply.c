/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_apply.h"

#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "volume/volume.h"

#define RETRY_NS	RT_SECOND
#define ROOM_AGAIN_MIN_NS	(10 * RT_SECOND)
#define ROOM_AGAIN_MAX_NS	(600 * RT_SECOND)

/*
 * From the beginning of one pass to that of the next. What is written again meanwhile is applied once, and a sync costs
 * much the same whatever it covers; recovery has so much more to apply.
 */
#define REST_NS		(200 * RT_MS)

struct apply_order {
	struct volume *volume;
	const struct journal_run *run;
	const void *data;
};

static int do_apply(void *arg)
{
	struct apply_order *order = arg;
	const struct journal_run *run = order->run;
	uint64_t room = volume_size(order->volume) - run->offset, len = run->len < room ? run->len : room;

	return volume_apply_journal(order->volume, run->zero ? NULL : order->data, len, run->offset);
}

static int do_sync(void *arg)
{
	return volume_apply_sync(arg);
}

static int do_sync_bare(void *arg)
{
	return volume_apply_sync_bare(arg);
}

static struct volume *find_volume(struct copy *copy, uint16_t id)
{
	return copy->config.find_volume(copy->config.find_arg, id);
}

static int sync_volumes(struct copy *copy, const uint16_t *volumes, uint32_t count, int (*sync)(void *volume))
{
	int rc = 0;

	for (uint32_t i = 0; i < count && !rc; i++) {
		struct volume *volume = find_volume(copy, volumes[i]);

		rc = volume ? rt_call(volume_reactor(volume), sync, volume) : -ENOENT;
	}
	return rc;
}

int leg_sync_volumes(struct copy *copy, const uint16_t *volumes, uint32_t count)
{
	return sync_volumes(copy, volumes, count, do_sync);
}

int leg_sync_bare(struct copy *copy, const uint16_t *volumes, uint32_t count)
{
	return sync_volumes(copy, volumes, count, do_sync_bare);
}

static int apply_run(struct leg *leg, const struct journal_run *run, const void *data)
{
	struct apply_order order = { .volume = find_volume(leg->copy, run->volume), .run = run, .data = data };

	/* A volume that left the session before this group: what the journal still has of it is nobody's. */
	if (!leg_group_has(leg, run->volume))
		return 0;
	if (!order.volume)
		return -ENOENT;
	return rt_call(volume_reactor(order.volume), do_apply, &order);
}

/* One pass brings the volumes to the newest committed CG: its runs come in order of volume, so each is synced once. */
static int apply_pass(struct leg *leg, void *buf)
{
	struct journal_run run = { 0 };
	uint16_t volume = 0;
	bool any = false;
	int rc;

	leg->pass_bytes = 0;
	while ((rc = journal_apply_next(leg->journal, &run, buf)) == 1) {
		if (any && run.volume != volume) {
			rc = leg_sync_volumes(leg->copy, &volume, 1);
			if (rc)
				return rc;
		}
		rc = apply_run(leg, &run, buf);
		if (rc)
			return rc;
		volume = run.volume;
		any = true;
		leg->pass_bytes += run.len;
	}
	if (!rc && any)
		rc = leg_sync_volumes(leg->copy, &volume, 1);
	if (!rc)
		rc = journal_apply_done(leg->journal, run.up_to);
	leg->pass_bytes = 0;
	return rc;
}

static bool is_behind(const struct leg *leg, const struct journal_info *info)
{
	return info->applied < info->committed && !leg->offline;
}

/* Twice as long each time, until a group comes about. */
static void wait_longer_for_room(struct leg *leg)
{
	leg->room_wait_ns = leg->room_wait_ns ? 2 * leg->room_wait_ns : ROOM_AGAIN_MIN_NS;
	if (leg->room_wait_ns > ROOM_AGAIN_MAX_NS)
		leg->room_wait_ns = ROOM_AGAIN_MAX_NS;
	leg->room_again_ns = rt_now_ns() + leg->room_wait_ns;
}

/*
 * There is no room for data, and applying gives none: the journal is full of data that newer ones have replaced, or the
 * increment is too large for it. In the first case it can go on for ever like that, since no group comes about without
 * room for its last data. So what is not prepared is thrown away, as by a restart: under another boot id the sources
 * count it as unsent, and send each block once. In the second case it is of no use, and must not happen often.
 *
 * Data are refused until it is done: what came over a new connection is acknowledged under the new boot id, and would
 * be thrown away all the same. A prepare under way has all that it rests on checked under the old one, so it is waited
 * for; what is prepared stays.
 */
static void make_room(struct leg *leg)
{
	int rc;

	if (leg->preparing || rt_now_ns() < leg->room_again_ns)
		return;
	wait_longer_for_room(leg);
	leg->making_room = true;
	copy_void_acks(leg->copy);
	rc = journal_void(leg->journal);
	leg->making_room = false;
	log_line(LOG_WARNING, "journal",
		 "session %u of %s: the journal is full: what is not prepared is dropped and asked for again%s%s",
		 leg->record.session, leg->record.source_system, rc ? ": " : "", rc ? strerror(-rc) : "");
}

/* Nobody waits for it, and the journal has room. */
static bool may_rest(const struct leg *leg, const struct journal_info *info)
{
	return !leg->awaited && !info->full && info->used_bytes < info->limit_bytes / 4 &&
	       rt_now_ns() < leg->rest_until_ns;
}

static int rest(struct leg *leg)
{
	RT_LIMIT(leg->rest_until_ns);
	int rc = rt_cond_wait(&leg->committed);

	return rc == -ETIMEDOUT ? 0 : rc;
}

void leg_apply(void *arg)
{
	struct leg *leg = arg;
	struct journal_info info;
	int rc = 0;

	while (rc != -ECANCELED) {
		journal_get_info(leg->journal, &info);
		if (!is_behind(leg, &info)) {
			if (info.full && !leg->offline)
				make_room(leg);
			rt_cond_wake_all(&leg->committed);
			rc = rt_cond_wait(&leg->committed);
			continue;
		}
		if (may_rest(leg, &info)) {
			rc = rest(leg);
			continue;
		}
		leg->rest_until_ns = rt_now_ns() + REST_NS;
		rc = apply_pass(leg, leg->buf);
		if (!leg_is_online(leg))
			continue;
		if (rc && rc != -ECANCELED) {
			if (leg->apply_error != rc)
				log_line(LOG_ERROR, "journal",
					 "session %u of %s: a group cannot be applied: %s; it is tried again",
					 leg->record.session, leg->record.source_system, strerror(-rc));
			leg->apply_error = rc;
			rt_cond_wake_all(&leg->committed);
			journal_apply_again(leg->journal);
			rc = rt_sleep_until(rt_now_ns() + RETRY_NS);
		} else if (!rc) {
			leg->apply_error = 0;
			leg->room_wait_ns = 0;
			rt_cond_wake_all(&leg->committed);
		}
	}
}
