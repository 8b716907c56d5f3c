/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous pairs, on reactor 0: when one becomes full-duplex, and how it is suspended. What is durable before what:
 * the far side's word before the source's, so that a source that says full-duplex has a far side that does; and that a
 * source is not full-duplex any more, before a write is answered that the far side may lack.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/pair_private.h"
#include "copy/group_volume.h"
#include "rt/log.h"

#define DUPLEX_NS	(2 * RT_SECOND)		/* for the far side's word: hosts may wait for what comes after it */

/* ---- on the volume's reactor ---- */

static struct mirror_config config_of(const struct pair_order *order)
{
	struct pair *pair = order->pair;
	unsigned here = rt_reactor_index(rt_here());

	return (struct mirror_config){
		.volume_target = pair->volume_target, .link = order->peer->to, .target = order->record.remote_volume,
		.totals = &pair->totals, .acked = &order->peer->notices[here],
		.broken = &pair->copy->mirror_notices[here], .is_broken = &pair->mirror_broken,
		.critical = order->record.critical,
	};
}

int pair_start_mirror(struct pair_order *order)
{
	struct pair *pair = order->pair;
	struct mirror_config config = config_of(order);

	if (pair->mirror && pair->pump)
		mirror_rearm(pair->mirror, pair->agreed_boot_id);
	if (order->record.type != PAIR_SYNC || !order->record.first_copy_done || !pair->pump || pair->mirror)
		return 0;
	config.limit = pump_limit(pair->pump);
	memcpy(config.far_boot_id, pair->agreed_boot_id, WIRE_ID_SIZE);
	return mirror_start(&config, &pair->mirror);
}

static int do_follow(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	/* There may be nothing to send, and so nothing that says when it has all arrived. */
	if (pair->pump && order->record.type == PAIR_SYNC)
		notice_give(&order->peer->notices[rt_reactor_index(rt_here())]);
	return order->peer ? pair_start_mirror(order) : 0;
}

int pair_follow(struct pair *pair)
{
	struct pair_order order = { 0 };

	return pair_order_run(pair, do_follow, &order);
}

bool pair_rests(const struct pair *pair)
{
	enum pair_reason reason = pair->record.reason;

	return pair->record.state == PAIR_SUSPENDED &&
	       (reason == PAIR_REASON_COMMAND || reason == PAIR_REASON_SESSION || reason == PAIR_REASON_FREEZE ||
		reason == PAIR_REASON_GROUP);
}

bool pair_is_strict(const struct record_pair *record)
{
	bool by_itself = record->reason == PAIR_REASON_LINK || record->reason == PAIR_REASON_FAR_FULL ||
			 record->reason == PAIR_REASON_FAR_DISK;

	return record->role == PAIR_SOURCE && record->type == PAIR_SYNC && record->critical &&
	       record->first_copy_done && (record->state != PAIR_SUSPENDED || by_itself);
}

static int do_refuse(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;
	struct mirror_config config = config_of(order);
	int rc = pair->mirror ? 0 : mirror_start(&config, &pair->mirror);

	if (!rc)
		mirror_break(pair->mirror);
	return rc;
}

int pair_refuse_writes(struct pair *pair)
{
	struct pair_order order = { 0 };

	return pair_is_strict(&pair->record) ? pair_order_run(pair, do_refuse, &order) : 0;
}

static int do_fill(void *arg)
{
	struct pair_order *order = arg;

	order->flag = order->pair->mirror && mirror_fill(order->pair->mirror);
	return 0;
}

static int do_unfill(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror)
		mirror_unfill(order->pair->mirror);
	return 0;
}

static int do_break(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror)
		mirror_break(order->pair->mirror);
	return 0;
}

static int do_freeze(void *arg)
{
	struct pair_order *order = arg;
	struct mirror_state state = { 0 };

	if (order->pair->mirror) {
		mirror_get_state(order->pair->mirror, &state);
		mirror_freeze(order->pair->mirror);
	}
	order->flag = state.broken;
	return 0;
}

static int do_go_on(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror)
		mirror_go_on(order->pair->mirror);
	return 0;
}

static int do_wait_landed(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror)
		mirror_wait_landed(order->pair->mirror);
	return 0;
}

static int do_let_go(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror && !pair_is_strict(&order->record))
		mirror_let_go(order->pair->mirror, 0);
	return 0;
}

static int do_refuse_waiters(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->mirror)
		mirror_refuse_waiters(order->pair->mirror, order->error);
	return 0;
}

/* ---- becoming full-duplex ---- */

static int ask_duplex(struct pair *pair)
{
	RT_LIMIT(rt_now_ns() + DUPLEX_NS);

	return pair_tell_duplex(pair);
}

static void go_duplex(struct pair *pair)
{
	struct record_pair next = pair->record;
	struct pair_order order = { 0 };
	int rc;

	pair_order_surely(pair, do_fill, &order);
	if (!order.flag)
		return;
	rc = ask_duplex(pair);
	next.state = PAIR_FULL_DUPLEX;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	if (!rc)
		rc = pair_change_record(pair, &next);
	if (rc) {
		pair_order_surely(pair, do_unfill, &order);
		log_line(LOG_WARNING, "pair", "volume %04X: not full-duplex yet: %s", pair->record.volume,
			 strerror(-rc));
		/* It may say that it is. */
		peer_ask_pairs(pair->peer);
		return;
	}
	log_line(LOG_NOTICE, "pair", "volume %04X to %s volume %04X: %s", pair->record.volume, pair->record.system,
		 pair->record.remote_volume, pair_state_names[PAIR_FULL_DUPLEX]);
	peer_news_note(pair->peer, PEER_NEWS_DUPLEX, &pair->record);
}

static bool may_go_duplex(const struct pair *pair, const char *far)
{
	return pair_sends_to(pair, far) && pair->record.type == PAIR_SYNC && pair->record.first_copy_done &&
	       pair->record.state == PAIR_COPY_PENDING && pair->sends && !pair->mirror_broken;
}

void pair_go_duplex_all(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (!may_go_duplex(pair, far) || pair_begin_change(pair))
			continue;
		if (may_go_duplex(pair, far))
			go_duplex(pair);
		pair_end_change(pair);
	}
}

/* ---- and back ---- */

bool pair_freeze_hosts(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_freeze, &order);
	return order.flag;
}

void pair_unhold_hosts(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair->record.state == PAIR_FULL_DUPLEX ? do_go_on : do_unfill, &order);
}

void pair_refuse_waiters(struct pair *pair)
{
	struct pair_order order = { .error = -EIO };

	pair_order_surely(pair, do_refuse_waiters, &order);
}

void pair_wait_landed(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_wait_landed, &order);
}

static int suspend_held(struct pair *pair, enum pair_reason reason)
{
	struct record_pair next;
	int rc;

	pair->mirror_broken = false;
	rc = pair_begin_unfollowed(pair);
	next = pair->record;
	next.state = PAIR_SUSPENDED;
	next.reason = reason;
	next.since_wall_ns = rt_wall_ns();
	if (!rc)
		rc = pair_change_record(pair, &next);
	if (rc) {
		log_line(LOG_ERROR, "pair", "volume %04X: that it is suspended is not durable: %s",
			 pair->record.volume, strerror(-rc));
		pair_refuse_waiters(pair);
		return rc;
	}
	pair_tell_state(pair, PAIR_FULL_DUPLEX);
	pair->broken = true;
	return 0;
}

void pair_answer_held(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_let_go, &order);
}

int pair_suspend_duplex(struct pair *pair, enum pair_reason reason)
{
	struct pair_order order = { 0 };
	int rc;

	pair_order_surely(pair, do_break, &order);
	rc = suspend_held(pair, reason);
	if (!rc)
		pair_stop_sending(pair);
	return rc;
}

static enum pair_reason reason_of(int error)
{
	switch (error) {
	case -ENOSPC:
		return PAIR_REASON_FAR_FULL;
	case -EIO:
		return PAIR_REASON_FAR_DISK;
	default:
		return PAIR_REASON_LINK;
	}
}

static void settle(struct pair *pair, enum pair_reason reason)
{
	struct pair_order order = { 0 };

	if (pair->record.state != PAIR_FULL_DUPLEX) {
		/* Strict ones wait for the far side; the others have promised nothing. */
		if (!pair_is_strict(&pair->record))
			pair_order_surely(pair, do_unfill, &order);
	} else if (pair_is_strict(&pair->record)) {
		pair_set_state(pair, PAIR_FULL_DUPLEX, reason);
	} else if (pair_suspend_duplex(pair, reason)) {
		return;
	}
	peer_ask_pairs(pair->peer);
}

static void look_at_mirror(struct pair *pair)
{
	struct pair_order order = { 0 };
	bool of_group = false;

	/* Whoever freezes it has its turn, and says so again when that is over. */
	if (pair->frozen || pair_begin_change(pair))
		return;
	pair->mirror_broken = false;
	pair_order_surely(pair, pair_do_counters, &order);
	if (order.mirror.broken && !pair->frozen && pair->peer) {
		of_group = pair->record.state == PAIR_FULL_DUPLEX && !pair_is_strict(&pair->record) &&
			   (path_is_group(pair->copy, &pair->record) ||
			    group_of_volume(pair->copy, pair->record.volume, SESSION_TYPE_PPRC));
		if (!of_group)
			settle(pair, reason_of(order.mirror.error));
	}
	pair_end_change(pair);
	if (of_group)
		pair_suspend_group(pair);
}

static void settle_peer(void *arg)
{
	struct peer *peer = arg;
	struct pair *pair;

	while (peer->mirrors_due) {
		peer->mirrors_due = false;
		for (pair = pair_pin_first(peer->copy); pair; pair = pair_pin_next(pair)) {
			if (pair->peer == peer && pair->mirror_broken)
				look_at_mirror(pair);
		}
	}
	peer->settling = false;
	peer_put(peer);
}

/* Each far side's by a fiber of their own: one whose disk hangs keeps only its own hosts waiting. */
static void settle_soon(struct pair *pair)
{
	struct peer *peer = pair->peer;

	if (peer)
		peer->mirrors_due = true;
	if (peer && peer->settling)
		return;
	if (!peer ||
	    rt_group_start(&pair->copy->fibers, "settle mirrors", settle_peer, peer)) {
		look_at_mirror(pair);
		return;
	}
	peer->settling = true;
	peer->uses++;
}

void pair_watch_mirrors(void *arg)
{
	struct copy *copy = arg;
	struct pair *pair;

	while (!notice_wait(&copy->mirrors)) {
		for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
			if (pair->mirror_broken)
				settle_soon(pair);
		}
	}
}

void pair_leave_duplex_all(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (!pair_sends_to(pair, far) || pair->record.type != PAIR_SYNC || pair_begin_change(pair))
			continue;
		if (pair->record.state == PAIR_FULL_DUPLEX && pair_suspend_duplex(pair, PAIR_REASON_LINK))
			log_line(LOG_WARNING, "pair", "volume %04X: hosts have errors until that is durable",
				 pair->record.volume);
		pair_end_change(pair);
	}
}
