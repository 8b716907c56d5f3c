/* SPDX-License-Identifier: Apache-2.0 */
/* The far side's consent: a source sends only after it, and asks for it whenever the link has come up. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/pair_changes.h"
#include "copy/pair_private.h"
#include "rt/log.h"

#define UNHEARD_MAX	4u			/* generations begun without an answer of the far side in between */
#define TURN_NS		(100 * RT_MS)		/* for another change of the pair to end */
#define CONSENT_NS	(20 * RT_SECOND)	/* for the far side's answer whether a pair may go on */

/*
 * After a start of this system nothing of a volume in the groups is sent before the far side's tags are known: what it
 * holds of a later increment would lie on top.
 */
static int start_pump_if_ready(struct pair_order *order)
{
	struct pair *pair = order->pair;
	struct pump_config config = {
		.volume_target = pair->volume_target, .link = order->peer->to, .target = order->record.remote_volume,
		.session = order->record.session, .journal = pair->joined, .totals = &pair->totals,
		.acked = &order->peer->notices[rt_reactor_index(rt_here())],
		.priority = order->record.priority, .limit = order->limit,
	};
	int rc;

	if (pair->pump && pair->mirror) {
		mirror_far_restarted(pair->mirror, pair->agreed_boot_id);
		mirror_rearm(pair->mirror, pair->agreed_boot_id);
	}
	if (pair->pump || !pair->agreed || (pair->joined && !pair->tagged))
		return 0;
	memcpy(config.far_boot_id, pair->agreed_boot_id, WIRE_ID_SIZE);
	rc = pump_start(&config, &pair->pump);
	pair->sends = !rc;
	if (!rc)
		rc = pair_start_mirror(order);
	/* What an earlier pump got acknowledged is not durable there yet, and nothing else may remind of it. */
	if (!rc)
		notice_give(config.acked);
	return rc;
}

static int do_start_pump(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	pair->agreed = true;
	memcpy(pair->agreed_boot_id, order->boot_id, WIRE_ID_SIZE);
	/* When it was asked the far side was one still: what had been noted by then will be sent there. */
	if (pair->totals.followed < order->counters.noted)
		pair->totals.followed = order->counters.noted;
	return start_pump_if_ready(order);
}

static struct pace_limit *limit_of(const struct pair *pair)
{
	return path_limit(pair->copy, (uint8_t)(pair->record.volume >> 8), pair->record.system,
			  (uint8_t)(pair->record.remote_volume >> 8));
}

static int do_allow_tags(void *arg)
{
	struct pair_order *order = arg;

	order->pair->tagged = true;
	return start_pump_if_ready(order);
}

static int do_far_restarted(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	pair_get_counters(pair, &order->counters);
	/* One that is full-duplex is that with the old start, as its mirror is, until that is suspended. */
	if (order->record.state != PAIR_FULL_DUPLEX)
		memcpy(pair->agreed_boot_id, order->boot_id, WIRE_ID_SIZE);
	if (pair->mirror)
		mirror_far_restarted(pair->mirror, order->boot_id);
	if (pair->pump)
		pump_far_restarted(pair->pump, order->boot_id);
	else if (pair->volume_target)
		volume_resend_open(pair->volume_target);
	return 0;
}

static enum pair_reason reason_of(int error)
{
	switch (error) {
	case -ENOENT:
		return PAIR_REASON_FAR_GONE;
	case -ESTALE:
		return PAIR_REASON_HISTORY;
	case -ENODATA:
		return PAIR_REASON_GROUP_LOST;
	case -ENOSPC:
		return PAIR_REASON_FAR_FULL;
	case -EIO:
		return PAIR_REASON_FAR_DISK;
	case -EROFS:
		return PAIR_REASON_DISK;
	default:
		return PAIR_REASON_LINK;
	}
}

/* The newest generation began here, and the far side cannot know it. */
static bool is_unshown(const struct pair *pair)
{
	return pair->history.count && history_find(&pair->history, pair->record.unshown) == 0;
}

/* Begun here since the far side last answered. */
static unsigned count_unheard(const struct pair *pair)
{
	int at = history_find(&pair->history, pair->record.heard);

	return at > 0 ? (unsigned)at : 0;
}

/*
 * Before the history is shown. A generation that the far side heard of and that is forgotten here would look, after a
 * restart, as if the far side had been taken over; one that it may have heard of and that counts as unshown, as if
 * nothing had been written here since. Whether or not an answer comes: the far side may take this history for its own.
 */
static int settle_history(struct pair *pair, char *why)
{
	struct record_pair before = pair->record;
	bool unshown = is_unshown(pair);
	int rc;

	if (!pair->history_owed && !unshown)
		return 0;
	memset(pair->record.unshown, 0, sizeof(pair->record.unshown));
	rc = pair_save(pair);
	if (rc) {
		memcpy(pair->record.unshown, before.unshown, sizeof(before.unshown));
		return copy_refuse(why, -EROFS, "the history of volume %04X cannot be made durable here: %s",
				   pair->record.volume, strerror(-rc));
	}
	pair->history_owed = false;
	return 0;
}

/* The far side has answered to this history. */
static void note_heard(struct pair *pair, const struct history *shown)
{
	if (!shown->count || !memcmp(pair->record.heard, shown->entries[0].generation, sizeof(pair->record.heard)))
		return;
	memcpy(pair->record.heard, shown->entries[0].generation, sizeof(pair->record.heard));
	if (pair_save(pair))
		log_line(LOG_WARNING, "pair", "volume %04X: what the far side has heard of is not durable",
			 pair->record.volume);
}

/* What is asked next is asked of that start of the far side, or of none. Does not suspend. */
static bool is_reached(const struct pair *pair, const uint8_t boot_id[WIRE_ID_SIZE])
{
	struct link_state state;

	link_get_state(pair->peer->to, &state);
	return state.connected && !memcmp(state.peer_boot_id, boot_id, WIRE_ID_SIZE);
}

/*
 * duplex_of: with WIRE_PAIR_DUPLEX, which start of the far side acknowledged what hosts were answered. Another one may
 * have lost that, and is to get it first.
 */
static int ask_far(struct pair *pair, uint32_t flags, const uint8_t duplex_of[WIRE_ID_SIZE],
		   struct wire_pair_reply *reply, char *why)
{
	struct wire_pair_establish request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
		.size_bytes = volume_size(pair->volume), .flags = flags,
		.type = pair_type_to_wire(pair->record.type),
	};
	int rc = settle_history(pair, why);

	if (rc)
		return rc;
	request.history = pair->history;
	if (flags & WIRE_PAIR_DUPLEX && !is_reached(pair, duplex_of))
		return -ENOTCONN;
	{
		/* In the pair's turn, which the other end may wait for while it is asked: not for ever. */
		RT_LIMIT(rt_now_ns() + CONSENT_NS);

		rc = link_request(pair->peer->to, WIRE_PAIR_ESTABLISH, &request, reply, why, NULL);
	}
	if (!rc)
		note_heard(pair, &request.history);
	return rc;
}

int pair_connect(struct pair *pair, uint32_t flags, struct wire_pair_reply *reply, char *why)
{
	struct pair_order order = { 0 };
	int rc;

	pair_order_surely(pair, pair_do_counters, &order);
	if (flags & WIRE_PAIR_RESUME && pair->record.first_copy_done)
		flags |= WIRE_PAIR_COPIED;
	rc = ask_far(pair, flags, order.mirror.far_boot_id, reply, why);
	if (!rc) {
		RT_LIMIT(rt_now_ns() + CONSENT_NS);

		rc = pair_changes_take(pair, why);
	}
	if (rc)
		return rc;
	pair->broken = pair->far_doubtful = false;
	order.limit = limit_of(pair);
	memcpy(order.boot_id, reply->boot_id, WIRE_ID_SIZE);
	rc = pair_order_run(pair, do_start_pump, &order);
	if (!rc)
		pair_begin_resync(pair, order.counters.unsent_blocks, order.totals.sent_bytes);
	/* Nothing comes that would be worth waiting for: after a swap hosts wait until it is known to be copied. */
	if (!rc && !pair->record.first_copy_done && !order.counters.unsent_blocks)
		notice_due_urgent(&pair->peer->acked);
	/* It had been copied when this system went down, and that was all it had noted. */
	pair_look_join(pair);
	return rc;
}

int pair_tell_copied(struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE];

	if (pair->record.role != PAIR_SOURCE || pair->record.state != PAIR_COPY_PENDING || !pair->sends)
		return -ENOTCONN;
	return ask_far(pair, WIRE_PAIR_RESUME | WIRE_PAIR_COPIED, NULL, &reply, why);
}

int pair_tell_duplex(struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	struct pair_order order = { 0 };
	char why[WIRE_TEXT_SIZE];

	pair_order_surely(pair, pair_do_counters, &order);
	return ask_far(pair, WIRE_PAIR_RESUME | WIRE_PAIR_COPIED | WIRE_PAIR_DUPLEX, order.mirror.far_boot_id, &reply,
		       why);
}

static bool may_resume_by_itself(const struct pair *pair)
{
	return pair->record.state == PAIR_COPY_PENDING || pair->record.state == PAIR_FULL_DUPLEX ||
	       (pair->record.state == PAIR_SUSPENDED && !pair_rests(pair));
}

/*
 * On top of the generation that both sides have; one that the other side has not heard of needs no other on top, and
 * one that it may have heard of not one each time that no answer comes: the length of histories is bounded, and what
 * both have must not fall out.
 */
static bool add_generation(struct pair *pair)
{
	uint8_t generation[16];

	pair->broken = false;
	if (is_unshown(pair))
		return false;
	if (pair->history.count && history_find(&pair->history, pair->record.heard) < 0)
		memcpy(pair->record.heard, pair->history.entries[0].generation, sizeof(pair->record.heard));
	rt_random_bytes(generation, sizeof(generation));
	history_begin(&pair->history, generation, 0, rt_wall_ns());
	memcpy(pair->record.unshown, generation, sizeof(pair->record.unshown));
	return true;
}

static void begin_generation(struct pair *pair)
{
	if (!add_generation(pair))
		return;
	pair->history_owed = pair_save(pair) != 0;
	if (pair->history_owed)
		log_line(LOG_ERROR, "pair", "volume %04X: its history is not durable", pair->record.volume);
}

/* What is sent on from here is its source's content no more: a generation that its far side has before any of that. */
static int part(struct pair *pair)
{
	int rc = pair_begin_change(pair);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (pair->record.role == PAIR_SOURCE) {
		pair_stop_sending(pair);
		begin_generation(pair);
		rc = pair->history_owed ? -EIO : 0;
		if (pair->peer)
			peer_look_again(pair->peer);
	}
	pair_end_change(pair);
	return rc;
}

int pair_part_from_source(struct pair *pair)
{
	struct pair *other = pair_first_of(pair->copy, pair->record.volume), *next;
	int rc = 0;

	for (; other; other = next) {
		pair_pin(other);
		/* Not of other targets: who has their turn may wait for this one. */
		if (other != pair && other->record.role == PAIR_SOURCE && !rc)
			rc = part(other);
		next = pair_next_of(other);
		pair_unpin(other);
	}
	return rc;
}

static bool has_unfollowed(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair_do_counters, &order);
	return order.counters.noted != order.totals.followed || order.counters.unsent_blocks ||
	       order.counters.sending_blocks;
}

int pair_begin_unfollowed(struct pair *pair)
{
	if (has_unfollowed(pair))
		begin_generation(pair);
	return pair->history_owed ? -EIO : 0;
}

void pair_add_unfollowed(struct pair *pair)
{
	if (has_unfollowed(pair))
		(void)!add_generation(pair);
}

static int do_note_followed(void *arg)
{
	struct pair_order *order = arg;

	order->pair->totals.followed = order->counters.noted;
	return 0;
}

void pair_note_divergence(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair_do_counters, &order);
	if (order.counters.noted == order.totals.followed && !pair->far_doubtful)
		return;
	log_line(LOG_WARNING, "pair", "volume %04X: hosts have written here what volume %04X of %s %s",
		 pair->record.volume, pair->record.remote_volume, pair->record.system,
		 pair->far_doubtful ? "may have lost in its restart" : "has not followed");
	begin_generation(pair);
	/* Once: it is refused each time the link comes up, and what both have must not fall out of the history. */
	pair->far_doubtful = false;
	pair_order_surely(pair, do_note_followed, &order);
}

void pair_give_way(struct pair *pair)
{
	if (pair_set_access(pair, VOLUME_ACCESS_READ))
		log_line(LOG_ERROR, "pair", "volume %04X could not be closed to writes", pair->record.volume);
	pair_note_divergence(pair);
	if (pair->record.session)
		pair->copy->above->lose_session(pair->copy, pair->record.session);
}

/*
 * In its turn. The far side has restarted, and that the pair is full-duplex no more could not be made durable then: it
 * is tried again. Negative errno: it is not to be asked before that.
 */
static int leave_old_start(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair_do_counters, &order);
	if (pair->record.state != PAIR_FULL_DUPLEX ||
	    !memcmp(order.mirror.far_boot_id, pair->peer->boot_id, WIRE_ID_SIZE))
		return 0;
	return pair_suspend_duplex(pair, PAIR_REASON_LINK);
}

static void reconnect(struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE] = "";
	bool duplex;
	int rc;

	if (pair_begin_change(pair))
		return;
	/* While it waited for its turn a command may have changed what it is; and first a broken mirror is seen to. */
	if (pair->record.role != PAIR_SOURCE || !may_resume_by_itself(pair) || pair->mirror_broken) {
		pair_end_change(pair);
		return;
	}
	/* What was lost here is still at the far side: it is not overwritten before somebody has accepted the loss. */
	if (pair->record.type == PAIR_SYNC && copy_get_losses(pair->copy, pair->record.volume).power_wall_ns) {
		pair_set_state(pair, PAIR_SUSPENDED, PAIR_REASON_WRITES_LOST);
		pair_end_change(pair);
		return;
	}
	if (leave_old_start(pair)) {
		pair_end_change(pair);
		return;
	}
	duplex = pair->record.state == PAIR_FULL_DUPLEX;
	pair->was_suspended = pair->was_suspended || pair->record.state == PAIR_SUSPENDED;
	rc = pair_connect(pair, WIRE_PAIR_RESUME | (duplex ? WIRE_PAIR_DUPLEX : 0), &reply, why);
	if (rc == -ETIMEDOUT)
		peer_look_again(pair->peer);
	if (!rc) {
		pair_set_state(pair, duplex ? PAIR_FULL_DUPLEX : PAIR_COPY_PENDING, PAIR_REASON_NONE);
	} else if (rc != -ENOTCONN && rc != -ECANCELED && rc != -ETIMEDOUT) {
		log_line(LOG_WARNING, "pair", "volume %04X: %s does not take it up: %s", pair->record.volume,
			 pair->record.system, why[0] ? why : strerror(-rc));
		pair_suspend(pair, PAIR_SUSPENDED, reason_of(rc));
		if (rc == -ESTALE)
			pair_give_way(pair);
		/* Who watches the peer waits no longer than those do that are to be asked again. */
		rt_cond_wake_all(link_changed(pair->peer->to));
	}
	pair_end_change(pair);
}

void pair_allow_tags(struct copy *copy, uint8_t session)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { .limit = limit_of(pair) };
		int rc;

		if (pair->record.role != PAIR_SOURCE || pair->record.session != session || !pair->peer)
			continue;
		rc = pair_order_run(pair, do_allow_tags, &order);
		if (rc)
			log_line(LOG_ERROR, "pair", "volume %04X is not sent: %s", pair->record.volume, strerror(-rc));
	}
}

void pair_link_up(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (pair_sends_to(pair, far) && may_resume_by_itself(pair))
			reconnect(pair);
	}
}

static int do_look_refused(void *arg)
{
	struct pair_order *order = arg;

	order->flag = order->pair->pump && pump_is_refused(order->pair->pump);
	return 0;
}

void pair_ask_refused(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };

		if (!pair_sends_to(pair, far) || !may_resume_by_itself(pair))
			continue;
		pair_order_surely(pair, do_look_refused, &order);
		if (order.flag)
			reconnect(pair);
	}
}

void pair_link_down(struct copy *copy, const char *far)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair_sends_to(pair, far))
			pair->broken = true;
	}
}

/* Suspended not by command but because the far side could not at that time: it is asked again now and then. */
static bool is_waiting(const struct pair *pair, const char *far)
{
	return pair_sends_to(pair, far) && pair->record.state == PAIR_SUSPENDED &&
	       (pair->record.reason == PAIR_REASON_FAR_FULL || pair->record.reason == PAIR_REASON_FAR_DISK ||
		pair->record.reason == PAIR_REASON_DISK || pair->record.reason == PAIR_REASON_WRITES_LOST ||
		pair->record.reason == PAIR_REASON_LINK);
}

bool pair_any_waiting(struct copy *copy, const char *far)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (is_waiting(pair, far))
			return true;
	}
	return false;
}

void pair_try_waiting(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (is_waiting(pair, far))
			reconnect(pair);
	}
}

bool pair_any_broken(struct copy *copy, const char *far)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair_sends_to(pair, far) && pair->broken)
			return true;
	}
	return false;
}

static void watch_broken(struct pair *pair)
{
	struct pair_order order = { 0 };
	struct link_state state;

	link_get_state(pair->peer->to, &state);
	if (!state.connected &&
	    (pair->record.state == PAIR_COPY_PENDING || pair->record.state == PAIR_FULL_DUPLEX))
		pair_set_state(pair, pair->record.state, PAIR_REASON_LINK);
	pair_order_surely(pair, pair_do_counters, &order);
	if (order.counters.noted != order.totals.followed && count_unheard(pair) < UNHEARD_MAX)
		begin_generation(pair);
}

void pair_watch_broken(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (!pair_sends_to(pair, far) || !pair->broken)
			continue;
		{
			RT_LIMIT(rt_now_ns() + TURN_NS);

			/* A command has it: the next time, unless that has changed what it is. */
			if (pair_begin_change(pair))
				continue;
		}
		if (pair_sends_to(pair, far) && pair->broken)
			watch_broken(pair);
		pair_end_change(pair);
	}
}

void pair_far_restarted(struct copy *copy, const char *far, const uint8_t boot_id[WIRE_ID_SIZE])
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };

		if (!pair_sends_to(pair, far))
			continue;
		memcpy(order.boot_id, boot_id, WIRE_ID_SIZE);
		pair_order_surely(pair, do_far_restarted, &order);
		if (pair->record.type == PAIR_SYNC && order.counters.open_blocks)
			pair->far_doubtful = true;
	}
}
