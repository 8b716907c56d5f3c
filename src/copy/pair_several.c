/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_several.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/pair_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"

#define DATA_NS		(5 * RT_SECOND)		/* for data connections to a far side that is reached */

/* ---- pins and turns ---- */

int pair_several_pin(struct copy *copy, pair_selects selects, const void *arg, struct pair_several *several)
{
	struct pair *pair;
	unsigned all = 0;

	*several = (struct pair_several){ .copy = copy };
	list_for_each(pair, &copy->pairs, link)
		all++;
	several->ones = mem_alloc_zeroed((all + 1) * sizeof(several->ones[0]));
	if (!several->ones)
		return -ENOMEM;
	list_for_each(pair, &copy->pairs, link) {
		if (pair->gone || pair->record.role != PAIR_SOURCE || !pair->peer || !selects(arg, pair))
			continue;
		pair_pin(pair);
		several->ones[several->count++].pair = pair;
	}
	return 0;
}

void pair_several_take_turns(struct pair_several *several, int64_t until_ns)
{
	RT_LIMIT(until_ns);

	several->in_turn = 0;
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];

		if (!one->in_turn)
			one->in_turn = !pair_begin_change(one->pair);
		several->in_turn += one->in_turn;
	}
}

void pair_several_end_turns(struct pair_several *several)
{
	for (unsigned i = 0; i < several->count; i++) {
		if (several->ones[i].in_turn)
			pair_end_change(several->ones[i].pair);
		several->ones[i].in_turn = false;
	}
	several->in_turn = 0;
}

/* ---- the hold ---- */

struct hold_order {
	struct pair_one *one;
	int64_t until_ns;
};

static int do_freeze(void *arg)
{
	struct hold_order *order = arg;
	struct volume *volume = order->one->pair->volume;
	int rc = volume_freeze(volume, &order->one->freeze, order->until_ns);

	if (!rc)
		order->one->hold = PAIR_HELD_WRITES;
	return rc;
}

static int do_hold_on(void *arg)
{
	struct hold_order *order = arg;

	return volume_freeze_until(order->one->pair->volume, &order->one->freeze, order->until_ns);
}

static int do_drain(void *arg)
{
	struct hold_order *order = arg;
	RT_LIMIT(order->until_ns);

	return order->one->pair->volume_target ? volume_drain(order->one->pair->volume_target) : -ENOTCONN;
}

static int do_thaw(void *arg)
{
	struct pair_one *one = arg;

	volume_thaw(one->pair->volume, &one->freeze);
	one->hold = PAIR_NOT_HELD;
	return 0;
}

static int on_volume(struct pair_one *one, int (*fn)(void *arg), int64_t until_ns)
{
	struct hold_order order = { .one = one, .until_ns = until_ns };

	return rt_call(volume_reactor(one->pair->volume), fn, &order);
}

static void thaw(struct pair_one *one)
{
	int rc = one->hold == PAIR_HELD_WRITES ? rt_call(volume_reactor(one->pair->volume), do_thaw, one) : 0;

	assert(!rc);
}

static bool is_duplex(const struct pair *pair)
{
	return pair->record.type == PAIR_SYNC && pair->record.state == PAIR_FULL_DUPLEX;
}

static bool is_suspended(const struct pair *pair)
{
	return pair->record.state == PAIR_SUSPENDED;
}

/* A mirror that is there; one that follows is held only where that is asked for. */
static void hold_mirror(struct pair_one *one)
{
	struct pair *pair = one->pair;

	pair->frozen = true;
	one->hold = pair_freeze_hosts(pair) ? PAIR_HELD_BROKEN : PAIR_HELD_MIRROR;
}

/* All writes wait before what is unsent is looked at: else the far sides would be of the moments of their ends. */
static int hold_writes(struct pair_several *several, int64_t until_ns, const struct pair **which)
{
	struct copy_losses losses;
	int rc = 0;

	for (unsigned i = 0; i < several->count && !rc; i++) {
		struct pair_one *one = &several->ones[i];

		*which = one->pair;
		if (one->hold || is_duplex(one->pair))
			continue;
		if (is_suspended(one->pair))
			return -EPIPE;
		losses = copy_get_losses(several->copy, one->pair->record.volume);
		if (losses.power_wall_ns || losses.sync_wall_ns)
			return -ENODATA;
		one->pair->frozen = true;
		rc = on_volume(one, do_freeze, until_ns);
	}
	for (unsigned i = 0; i < several->count && !rc; i++) {
		*which = several->ones[i].pair;
		if (several->ones[i].hold == PAIR_HELD_WRITES && !planted(PLANTED_FREEZE_UNSENT))
			rc = on_volume(&several->ones[i], do_drain, until_ns);
	}
	return rc;
}

int pair_several_hold(struct pair_several *several, const struct pair_hold_how *how, const struct pair **which)
{
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];
		bool follows = how->follow && one->pair->record.type == PAIR_SYNC && !is_suspended(one->pair);

		if (planted(PLANTED_FREEZE_ONE) && i > 0)
			continue;
		if (is_duplex(one->pair) || follows)
			hold_mirror(one);
		*which = one->pair;
		if (how->all && one->hold == PAIR_HELD_BROKEN)
			return -EAGAIN;
	}
	return how->all ? hold_writes(several, how->until_ns, which) : 0;
}

void pair_several_wait_landed(struct pair_several *several)
{
	for (unsigned i = 0; i < several->count; i++)
		pair_wait_landed(several->ones[i].pair);
}

static int wait_channel(void *arg)
{
	struct link_channel *channel = link_channel_here(arg);
	struct link_state state = { .connected = true };
	int rc = 0;

	if (channel)
		link_channel_get_state(channel, &state);
	while (!state.connected && !rc) {
		rc = rt_cond_wait(link_channel_changed(channel));
		link_channel_get_state(channel, &state);
	}
	return rc;
}

/*
 * Of a connection that has broken frames may still be under way, which nobody counts as sent. The far side takes none
 * of them any more once it has the next one.
 */
static int wait_data(struct peer *peer)
{
	int rc = 0;
	RT_LIMIT(rt_now_ns() + DATA_NS);

	for (unsigned i = 0; i < rt_reactor_count() && !rc; i++)
		rc = rt_call(rt_reactor(i), wait_channel, peer->to);
	return rc;
}

/* The pairs with one far side, all at once. */
static int settle_with(struct peer *peer, const struct wire_volumes *targets)
{
	const struct wire_volumes_sync request = { .targets = *targets };
	struct wire_volumes_sync_reply reply = { 0 };
	int rc = wait_data(peer);

	if (rc)
		return rc;
	rc = link_request(peer->to, WIRE_VOLUMES_SYNC, &request, &reply, NULL, NULL);
	if (rc)
		return rc;
	/* The word of another start of the far side says nothing about what this one acknowledged. */
	if (memcmp(reply.boot_id, peer->boot_id, WIRE_ID_SIZE) != 0)
		rc = -ESTALE;
	else if (reply.failed.count)
		rc = -EIO;
	link_reply_free(WIRE_VOLUMES_SYNC, &reply);
	return rc;
}

bool pair_one_lags(const struct pair_one *one)
{
	return one->hold != PAIR_HELD_WRITES && !is_duplex(one->pair);
}

int pair_several_settle(struct pair_several *several, const struct pair **which)
{
	MEM_OWNED uint16_t *ids = mem_alloc((several->count + 1) * sizeof(*ids));
	int rc = ids ? 0 : -ENOMEM;

	/* What such a one had acknowledged may have been lost with the start of the far side that broke it. */
	for (unsigned i = 0; i < several->count && !rc; i++) {
		*which = several->ones[i].pair;
		rc = several->ones[i].hold == PAIR_HELD_BROKEN ? -ESTALE : 0;
	}
	for (unsigned first = 0; first < several->count && !rc; first++) {
		struct wire_volumes targets = { .ids = ids };
		struct peer *peer = several->ones[first].pair->peer;
		bool asked = false;

		for (unsigned i = 0; i < several->count; i++) {
			asked = asked || (i < first && several->ones[i].pair->peer == peer);
			if (several->ones[i].pair->peer == peer)
				ids[targets.count++] = several->ones[i].pair->record.remote_volume;
		}
		*which = several->ones[first].pair;
		rc = asked ? 0 : settle_with(peer, &targets);
	}
	for (unsigned i = 0; i < several->count && !rc; i++) {
		*which = several->ones[i].pair;
		rc = pair_one_lags(&several->ones[i]) ? -EPIPE : 0;
	}
	return rc;
}

int pair_several_hold_on(struct pair_several *several)
{
	int rc = 0;

	for (unsigned i = 0; i < several->count && !rc; i++) {
		if (several->ones[i].hold == PAIR_HELD_WRITES)
			rc = on_volume(&several->ones[i], do_hold_on, RT_NEVER);
	}
	return rc;
}

/* ---- suspended, durably ---- */

/* What is to be durable of one: what it was, for when that fails, and the rows. */
struct change {
	struct pair *pair;
	struct record_pair before;
	struct history history;
	enum pair_state state;
	struct record_history rows[HISTORY_MAX];
};

static bool is_to_be_suspended(const struct pair_one *one)
{
	return one->in_turn && !pair_rests(one->pair) && one->pair->record.reason != PAIR_REASON_HISTORY;
}

static unsigned make_change(struct pair *pair, enum pair_reason reason, uint64_t moment, struct change *change,
			    struct meta_change *rows)
{
	struct record_pair *record = &pair->record;

	*change = (struct change){ .pair = pair, .before = *record, .history = pair->history, .state = record->state };
	pair->mirror_broken = false;
	pair_add_unfollowed(pair);
	record->state = PAIR_SUSPENDED;
	record->reason = reason;
	record->moment = moment;
	record->since_wall_ns = rt_wall_ns();
	rows[0] = (struct meta_change){ META_PUT, META_PAIR, record };
	return 1 + pair_history_changes(pair, change->rows, rows + 1);
}

static void undo_changes(const struct change *changes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		changes[i].pair->record = changes[i].before;
		changes[i].pair->history = changes[i].history;
	}
}

static void refuse_waiters(struct pair_several *several)
{
	for (unsigned i = 0; i < several->count; i++) {
		if (several->ones[i].hold)
			pair_refuse_waiters(several->ones[i].pair);
	}
}

static int commit(struct pair_several *several, enum pair_reason reason, uint64_t moment, struct change *changes,
		  struct meta_change *rows)
{
	unsigned count = 0, row_count = 0;
	int rc;

	for (unsigned i = 0; i < several->count; i++) {
		const struct pair_one *one = &several->ones[i];

		if (is_to_be_suspended(one))
			row_count += make_change(one->pair, reason, pair_one_lags(one) ? 0 : moment, &changes[count++],
						 rows + row_count);
	}
	rc = row_count ? meta_commit(several->copy->config.meta, rows, row_count) : 0;
	if (rc) {
		undo_changes(changes, count);
		return rc;
	}
	for (unsigned i = 0; i < count; i++) {
		changes[i].pair->broken = true;
		changes[i].pair->history_owed = false;
		pair_tell_state(changes[i].pair, changes[i].state);
	}
	return 0;
}

int pair_several_suspend(struct pair_several *several, enum pair_reason reason, uint64_t moment)
{
	size_t count = several->count + 1u;
	MEM_OWNED struct change *changes = mem_alloc(count * sizeof(*changes));
	MEM_OWNED struct meta_change *rows = mem_alloc(count * (1 + HISTORY_MAX) * sizeof(*rows));
	int rc = changes && rows ? commit(several, reason, moment, changes, rows) : -ENOMEM;

	if (rc) {
		log_line(LOG_ERROR, "pair", "that %u pairs are suspended is not durable: %s", several->count,
			 strerror(-rc));
		refuse_waiters(several);
		return rc;
	}
	/* Of those whose writes wait nothing is sent; a mirror answers its hosts when it is stopped. */
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];

		if (one->in_turn && is_suspended(one->pair) && one->hold != PAIR_HELD_MIRROR &&
		    one->hold != PAIR_HELD_BROKEN)
			pair_stop_sending(one->pair);
	}
	return 0;
}

/* ---- the end ---- */

/* Somebody else has it by itself, with the next write. */
static void leave_broken(struct pair *pair)
{
	pair->mirror_broken = true;
	notice_due(&pair->copy->mirrors);
}

void pair_several_release(struct pair_several *several)
{
	/* All are answered, and only then is waited for what is under way. */
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];

		one->pair->frozen = false;
		thaw(one);
		if (one->in_turn && is_suspended(one->pair))
			pair_answer_held(one->pair);
		else if (one->hold)
			leave_broken(one->pair);
	}
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];

		if (one->in_turn && is_suspended(one->pair)) {
			pair_stop_sending(one->pair);
			/* Those who waited have said so, and nobody looked while it was frozen. */
			one->pair->mirror_broken = false;
		}
		one->hold = PAIR_NOT_HELD;
	}
}

void pair_several_go_on(struct pair_several *several, bool tell_broken)
{
	for (unsigned i = 0; i < several->count; i++) {
		struct pair_one *one = &several->ones[i];

		one->pair->frozen = false;
		thaw(one);
		if (one->hold == PAIR_HELD_MIRROR)
			pair_unhold_hosts(one->pair);
		/* Those who waited have said that they do; of one that is well nothing comes of that. */
		if (one->hold == PAIR_HELD_MIRROR || (one->hold == PAIR_HELD_BROKEN && tell_broken))
			leave_broken(one->pair);
		one->hold = PAIR_NOT_HELD;
	}
}

void pair_several_give_back(struct pair_several *several)
{
	for (unsigned i = 0; i < several->count; i++)
		thaw(&several->ones[i]);
	pair_several_end_turns(several);
	for (unsigned i = 0; i < several->count; i++)
		pair_unpin(several->ones[i].pair);
	mem_free(several->ones);
	*several = (struct pair_several){ 0 };
}
