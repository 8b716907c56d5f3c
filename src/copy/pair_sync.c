/* SPDX-License-Identifier: Apache-2.0 */
/* What was acknowledged is made durable at the far side and forgotten here; how far first copies are. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair_private.h"
#include "copy/source.h"
#include "rt/log.h"
#include "rt/mem.h"

#define PROGRESS_STEP	(256u << 20)
#define TURN_NS		RT_SECOND		/* for a command on the pair to end */
#define SYNCED_NS	(60 * RT_SECOND)	/* for the far side to make data durable */

static int do_sync_begin(void *arg)
{
	struct pair_order *order = arg;

	order->flag = order->pair->pump && !order->pair->joined && order->pair->volume_target &&
		      volume_sync_begin(order->pair->volume_target);
	return 0;
}

/*
 * In one step: the volume may be growing. What it grows by is zeros at both sides. What is in the dirty log need not be
 * noted again, and may not have been copied yet.
 */
static uint64_t look_needed(const struct pair *pair)
{
	uint64_t needed = volume_first_needed(pair->volume_target);
	bool done = needed == volume_size(pair->volume) && !volume_is_copying(pair->volume_target);

	return done ? UINT64_MAX : needed;
}

static int do_sync_end(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	/* It may send no more, or send to another end, while the far side was asked. */
	order->flag = order->flag && pair->volume_target && order->record.role == PAIR_SOURCE;
	if (pair->volume_target)
		volume_sync_end(pair->volume_target, order->flag);
	return order->flag ? volume_clean_regions(pair->volume) : 0;
}

static int do_allow_join(void *arg)
{
	struct pair_order *order = arg;

	order->pair->may_join = true;
	return 0;
}

static bool owes_join(const struct pair *pair)
{
	return pair->record.role == PAIR_SOURCE && pair->record.session && pair->record.first_copy_done &&
	       !pair->record.joined;
}

void pair_look_join(struct pair *pair)
{
	if (!owes_join(pair))
		return;
	pair->progress_owed = true;
	notice_due(&pair->peer->acked);
}

void pair_allow_join(struct pair *pair)
{
	struct pair_order order = { 0 };
	int rc;

	if (!pair->record.session || !pair->record.first_copy_done)
		return;
	pair->record.joined = true;
	rc = pair_save(pair);
	if (rc) {
		pair->record.joined = false;
		log_line(LOG_ERROR, "pair", "volume %04X cannot join session %u yet: %s", pair->record.volume,
			 pair->record.session, strerror(-rc));
		pair_look_join(pair);
		return;
	}
	pair_order_surely(pair, do_allow_join, &order);
	source_volume_joins(pair->copy, pair->record.session);
}

static int save_progress(struct pair *pair, uint64_t first_needed)
{
	struct record_pair next = pair->record;

	next.first_copy_done = first_needed == UINT64_MAX;
	next.first_copy_bytes = next.first_copy_done ? volume_size(pair->volume) : first_needed;
	return pair_change_record(pair, &next);
}

/*
 * How far the first copy is, durably: from there it goes on after a restart; UINT64_MAX: it has ended. Saved in
 * steps, and at its end, when the far side is told before: what it holds may be taken over there. What fails is done
 * again after a while.
 */
static void note_progress(struct pair *pair, uint64_t first_needed)
{
	bool done = first_needed == UINT64_MAX;
	char object[16];
	int rc;

	if (owes_join(pair))
		pair_allow_join(pair);
	if (pair->record.role != PAIR_SOURCE || pair->record.first_copy_done ||
	    (!done && first_needed < pair->record.first_copy_bytes + PROGRESS_STEP))
		return;
	rc = done ? pair_tell_copied(pair) : 0;
	if (!rc)
		rc = save_progress(pair, first_needed);
	if (rc) {
		log_line(LOG_WARNING, "pair", "volume %04X: how far its first copy is, is not durable yet: %s",
			 pair->record.volume, strerror(-rc));
		pair->progress_owed = true;
		return;
	}
	if (!done)
		return;
	snprintf(object, sizeof(object), "volume %04X", pair->record.volume);
	copy_tell_work(pair->copy, JOB_FIRST_COPY, &pair->record, COPY_WORK_ENDS, 0);
	copy_tell(pair->copy, EVENT_PAIR_COPIED, EVENT_INFO, object, "", "first copy to %s done", pair->record.system);
	pair_allow_join(pair);
	rc = pair_follow(pair);
	if (rc)
		log_line(LOG_WARNING, "pair", "volume %04X: it cannot follow yet: %s", pair->record.volume,
			 strerror(-rc));
}

static int do_look_progress(void *arg)
{
	struct pair_order *order = arg;

	order->flag = order->pair->volume_target;
	if (order->flag)
		order->first_needed = look_needed(order->pair);
	return 0;
}

void pair_look_progress(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair->progress_owed = false;
	pair_order_surely(pair, do_look_progress, &order);
	if (order.flag)
		note_progress(pair, order.first_needed);
}

/* ---- a resync ---- */

static void end_resync(struct pair *pair)
{
	pair->resync_blocks = 0;
	copy_tell_work(pair->copy, JOB_RESYNC, &pair->record, COPY_WORK_ENDS, 0);
	if (pair->was_suspended && pair->peer)
		peer_news_note(pair->peer, PEER_NEWS_RESYNCED, &pair->record);
	pair->was_suspended = false;
}

void pair_begin_resync(struct pair *pair, uint64_t unsent_blocks, uint64_t sent_bytes)
{
	if (!pair->record.first_copy_done)
		return;
	pair->resync_blocks = unsent_blocks;
	pair->resync_from_bytes = sent_bytes;
	if (unsent_blocks)
		copy_tell_work(pair->copy, JOB_RESYNC, &pair->record, COPY_WORK_BEGINS,
			       unsent_blocks * XDC_BLOCK_SIZE);
	else
		end_resync(pair);
}

/* Where hosts write all the time there is always something unsent: then it has ended when as much was sent. */
static void look_resync(struct pair *pair)
{
	struct pair_order order = { 0 };
	uint64_t sent_bytes;

	pair_order_surely(pair, pair_do_counters, &order);
	sent_bytes = order.totals.sent_bytes - pair->resync_from_bytes;
	if (pair->resync_blocks && pair->sends &&
	    (!order.counters.unsent_blocks || sent_bytes >= pair->resync_blocks * XDC_BLOCK_SIZE))
		end_resync(pair);
}

static int begin_to_note(struct pair *pair)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return pair_begin_change(pair);
}

bool pair_note_progress(struct copy *copy, const char *far)
{
	struct pair *pair;
	bool all = true;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (pair->resync_blocks && pair_sends_to(pair, far))
			look_resync(pair);
		if (!pair->progress_owed || !pair_sends_to(pair, far))
			continue;
		/* A command may take it out of its session meanwhile, or make it the target. */
		if (!begin_to_note(pair)) {
			pair_look_progress(pair);
			pair_end_change(pair);
		}
		all = all && !pair->progress_owed;
	}
	return all;
}

static void end_sync(struct pair *pair, bool ok)
{
	struct pair_order order = { .flag = ok };
	int rc = pair_order_run(pair, do_sync_end, &order);

	if (rc)
		log_line(LOG_WARNING, "pair", "volume %04X: regions stay dirty: %s", pair->record.volume,
			 strerror(-rc));
	pair->progress_owed = pair->progress_owed || (order.flag && !pair->record.first_copy_done);
}

static int do_clean(void *arg)
{
	struct pair_order *order = arg;
	struct volume *volume = order->pair->volume;
	int rc = volume_is_tracked(volume) ? volume_clean_regions(volume) : 0;

	order->flag = volume_is_tracked(volume) && dirtylog_counts_whole(order->log, volume_id(volume));
	return rc;
}

bool pair_clean_all(struct copy *copy)
{
	struct pair *pair;
	bool whole = false;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { .log = copy_dirtylog(copy, volume_reactor(pair->volume)) };
		int rc = pair_order_run(pair, do_clean, &order);

		whole = whole || order.flag;
		if (rc)
			log_line(LOG_WARNING, "pair", "volume %04X: regions stay dirty: %s", pair->record.volume,
				 strerror(-rc));
	}
	return whole;
}

static bool is_among(const struct wire_volumes *volumes, uint16_t id)
{
	for (uint32_t i = 0; i < volumes->count; i++) {
		if (volumes->ids[i] == id)
			return true;
	}
	return false;
}

static int ask_synced(struct peer *peer, const struct wire_volumes_sync *request, struct wire_volumes_sync_reply *reply)
{
	char why[WIRE_TEXT_SIZE];
	RT_LIMIT(rt_now_ns() + SYNCED_NS);

	return link_request(peer->to, WIRE_VOLUMES_SYNC, request, reply, why, NULL);
}

/* All that were asked for are durable there, or they are asked for when the link has come up again. */
static bool is_settled(const struct wire_volumes_sync_reply *reply, int rc)
{
	return rc ? rc == -ENOTCONN || rc == -ESTALE : !reply->failed.count;
}

bool pair_sync_all(struct copy *copy, struct peer *peer)
{
	struct wire_volumes_sync request = { 0 };
	struct wire_volumes_sync_reply reply = { 0 };
	struct pair *pair, **asked;
	unsigned count = 0;
	bool settled = false;
	int rc;
	RT_SHIELD();

	list_for_each(pair, &copy->pairs, link)
		count++;
	asked = mem_alloc_zeroed((count + 1) * sizeof(struct pair *));
	request.targets.ids = mem_alloc_zeroed((count + 1) * sizeof(request.targets.ids[0]));
	if (!asked || !request.targets.ids)
		goto out;
	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };

		/* A pair that came meanwhile has its turn the next time. */
		if (request.targets.count == count || !pair_sends_to(pair, peer->system))
			continue;
		pair_order_surely(pair, do_sync_begin, &order);
		if (!order.flag)
			continue;
		pair_pin(pair);
		asked[request.targets.count] = pair;
		request.targets.ids[request.targets.count++] = pair->record.remote_volume;
	}
	settled = !request.targets.count;
	if (settled)
		goto out;
	rc = ask_synced(peer, &request, &reply);
	if (rc == -ETIMEDOUT)
		notice_due(&peer->acked);
	/* The word of another start of the far side says nothing about what this one acknowledged. */
	if (!rc && memcmp(reply.boot_id, peer->boot_id, WIRE_ID_SIZE) != 0)
		rc = -ESTALE;
	for (unsigned i = 0; i < request.targets.count; i++) {
		end_sync(asked[i], !rc && !is_among(&reply.failed, request.targets.ids[i]));
		pair_unpin(asked[i]);
	}
	settled = is_settled(&reply, rc);
	if (!rc || rc == -ESTALE)
		link_reply_free(WIRE_VOLUMES_SYNC, &reply);
out:
	mem_free(request.targets.ids);
	mem_free(asked);
	return settled;
}
