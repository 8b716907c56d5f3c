/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_standby.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"
#include "volume/target.h"

#define TURN_NS		(10 * RT_MS)
#define LOOK_NS		(500 * RT_MS)	/* between two questions */
#define ANSWER_NS	(5 * RT_SECOND)	/* for an answer */

struct standby *standby_find(struct copy *copy, uint16_t volume)
{
	struct standby *standby;

	list_for_each(standby, &copy->standbys, link) {
		if (standby->record.volume == volume && !standby->gone)
			return standby;
	}
	return NULL;
}

void standby_pin(struct standby *standby)
{
	standby->pins++;
}

void standby_unpin(struct standby *standby)
{
	assert(standby->pins > 0);
	if (!--standby->pins)
		rt_cond_wake_all(&standby->unpinned);
}

int standby_begin_change(struct standby *standby)
{
	int rc = rt_mutex_lock(&standby->turn);

	if (!rc && standby->gone) {
		rt_mutex_unlock(&standby->turn);
		return -ENOENT;
	}
	return rc;
}

void standby_end_change(struct standby *standby)
{
	rt_mutex_unlock(&standby->turn);
}

int standby_change_record(struct standby *standby, const struct record_standby *next)
{
	const struct meta_change change = { .op = META_PUT, .kind = META_STANDBY, .record = next };
	int rc = meta_commit(standby->copy->config.meta, &change, 1);

	if (!rc)
		standby->record = *next;
	return rc;
}

struct pair *standby_near(const struct standby *standby)
{
	struct pair *pair = pair_find(standby->copy, standby->record.volume, standby->record.near_system);

	return pair && pair->record.role == PAIR_SOURCE && pair->peer ? pair : NULL;
}

/* ---- on the volume's reactor ---- */

struct standby_order {
	struct standby *standby;
	struct pair *near;
	struct dirtylog *log;
	struct notice *notice;
	uint64_t noted_blocks;
	uint8_t boot_id[WIRE_ID_SIZE];
	bool flag;
	bool whole;				/* B has all that is not noted, when it is full-duplex */
};

static void run(struct standby *standby, int (*fn)(void *arg), struct standby_order *order)
{
	int rc;

	order->standby = standby;
	rc = rt_call(volume_reactor(standby->volume), fn, order);
	assert(!rc);
}

static void tell_noted(void *arg)
{
	notice_give(arg);
}

static int do_track(void *arg)
{
	struct standby_order *order = arg;
	struct standby *standby = order->standby;
	int rc = volume_add_target(standby->volume, order->log, 1, &standby->target);

	if (!rc) {
		volume_stand_by(standby->target, NULL);
		volume_tell_first_note(standby->target, tell_noted, order->notice);
	}
	return rc;
}

static int do_untrack(void *arg)
{
	struct standby_order *order = arg;
	struct volume_target *target = order->standby->target;

	if (!target)
		return 0;
	order->standby->target = NULL;
	if (order->flag)
		volume_keep_log(order->standby->volume);
	volume_remove_target(target);
	/* What is left in the log for it alone; else that is cleaned when a pair of the volume is looked at. */
	if (!order->flag && volume_is_tracked(order->standby->volume) &&
	    volume_clean_regions(order->standby->volume))
		log_line(LOG_WARNING, "standby", "volume %04X: regions stay dirty", volume_id(order->standby->volume));
	return 0;
}

static int do_count(void *arg)
{
	struct standby_order *order = arg;
	struct volume_counters counters = { 0 };

	if (order->standby->target)
		volume_get_target_counters(order->standby->target, &counters);
	order->noted_blocks = counters.open_blocks + counters.closing_blocks;
	return 0;
}

uint64_t standby_count_noted(struct standby *standby)
{
	struct standby_order order = { 0 };

	if (standby->volume)
		run(standby, do_count, &order);
	return order.noted_blocks;
}

/*
 * What was on its way to B when the standby was made, or is to be sent to B again although no host has written it, is
 * noted for the near pair alone. That one sends again: it is in the dirty log. -ENOMEM: not all is noted.
 */
static int note_unpassed(struct standby *standby, const struct volume_target *near)
{
	uint64_t from = 0, offset, len;
	int rc = 0;

	while (!rc && volume_next_noted(near, from, &offset, &len)) {
		rc = volume_mark(standby->target, offset, len);
		from = offset + len + XDC_BLOCK_SIZE - 1;
	}
	return rc;
}

/* The start of B by which all was acknowledged that counts as that now. */
static int do_mark(void *arg)
{
	struct standby_order *order = arg;

	order->flag = order->standby->target && order->near->volume_target;
	if (!order->flag)
		return 0;
	volume_stand_by(order->standby->target, order->near->volume_target);
	memcpy(order->boot_id, order->near->agreed_boot_id, WIRE_ID_SIZE);
	order->whole = order->whole && !note_unpassed(order->standby, order->near->volume_target);
	/* False: nothing of it is forgotten by that. */
	(void)!volume_sync_begin(order->standby->target);
	return 0;
}

static int do_end_mark(void *arg)
{
	struct standby_order *order = arg;

	if (!order->standby->target)
		return 0;
	volume_sync_end(order->standby->target, order->flag);
	if (order->flag && volume_clean_regions(order->standby->volume))
		log_line(LOG_WARNING, "standby", "volume %04X: regions stay dirty", volume_id(order->standby->volume));
	return 0;
}

static int do_give(void *arg)
{
	struct standby_order *order = arg;

	volume_tell_first_note(order->standby->target, NULL, NULL);
	volume_sync_end(order->standby->target, false);
	volume_stand_in(order->standby->target);
	return 0;
}

struct volume_target *standby_give_target(struct standby *standby)
{
	struct volume_target *target = standby->target;
	struct standby_order order = { 0 };

	assert(target);
	standby->marked = false;
	run(standby, do_give, &order);
	standby->target = NULL;
	return target;
}

/* ---- life ---- */

int standby_take_up(struct copy *copy, const struct record_standby *record, struct standby **out)
{
	struct standby *standby = mem_alloc_zeroed(sizeof(*standby));
	struct standby_order order = { 0 };
	int rc;

	if (!standby)
		return -ENOMEM;
	standby->copy = copy;
	standby->record = *record;
	standby->sequence = record->sequence;
	standby->volume = copy->config.find_volume(copy->config.find_arg, record->volume);
	rt_mutex_init(&standby->turn);
	rt_cond_init(&standby->unpinned);
	list_add_last(&copy->standbys, &standby->link);
	*out = standby;
	if (!standby->volume) {
		log_line(LOG_WARNING, "standby", "volume %04X is offline: nothing is noted for volume %04X of %s",
			 record->volume, record->remote_volume, record->system);
		return 0;
	}
	order.standby = standby;
	order.log = copy_dirtylog(copy, volume_reactor(standby->volume));
	order.notice = &copy->standby_notices[rt_reactor_index(volume_reactor(standby->volume))];
	rc = rt_call(volume_reactor(standby->volume), do_track, &order);
	if (rc)
		standby_put_down(standby, false);
	return rc;
}

void standby_put_down(struct standby *standby, bool forget)
{
	struct standby_order order = { .flag = !forget };
	int rc = 0;
	RT_SHIELD();

	standby->gone = true;
	while (standby->pins && !rc)
		rc = rt_cond_wait(&standby->unpinned);
	assert(!rc);
	list_remove(&standby->link);
	if (standby->volume)
		run(standby, do_untrack, &order);
	mem_free(standby);
}

/* ---- how far is C? ---- */

int standby_ask(const struct standby *standby, struct pair *near, struct wire_standby_state *state,
		char why[WIRE_TEXT_SIZE])
{
	struct wire_standby_look look = {
		.source_volume = standby->record.volume, .target_volume = near->record.remote_volume,
		.remote_volume = standby->record.remote_volume,
	};
	int rc;
	RT_LIMIT(rt_now_ns() + ANSWER_NS);

	memcpy(look.system, standby->record.system, sizeof(look.system));
	why[0] = '\0';
	rc = link_request(near->peer->to, WIRE_STANDBY_LOOK, &look, state, why, NULL);
	if (rc && !why[0])
		copy_refuse(why, rc, "system %s does not say how far volume %04X of %s is: %s",
			    standby->record.near_system, standby->record.remote_volume, standby->record.system,
			    strerror(-rc));
	return rc;
}

static void end_mark(struct standby *standby, bool covered)
{
	struct standby_order order = { .flag = covered };

	standby->marked = false;
	run(standby, do_end_mark, &order);
}

/* C has another generation by now: what it lacks is known again when a mark of from here on is covered. */
static int note_generation(struct standby *standby, const uint8_t generation[XDC_UUID_LEN])
{
	struct record_standby next = standby->record;

	next.known = false;
	memcpy(next.generation, generation, sizeof(next.generation));
	return standby_change_record(standby, &next);
}

static int note_known(struct standby *standby)
{
	struct record_standby next = standby->record;
	int rc;

	next.known = true;
	next.sequence = standby->sequence;
	rc = standby_change_record(standby, &next);
	if (!rc)
		log_line(LOG_NOTICE, "standby", "volume %04X: what volume %04X of %s may lack is known",
			 next.volume, next.remote_volume, next.system);
	return rc;
}

/* The mark of this moment, if B is one that has acknowledged it. */
static void begin_mark(struct standby *standby, const struct wire_standby_state *state, const uint8_t *boot_id,
		       bool whole)
{
	standby->marked = state->mark && !memcmp(state->boot_id, boot_id, WIRE_ID_SIZE);
	if (!standby->marked) {
		end_mark(standby, false);
		return;
	}
	standby->mark = state->mark;
	standby->mark_whole = whole;
	memcpy(standby->mark_boot_id, boot_id, WIRE_ID_SIZE);
}

static bool is_covered(const struct standby *standby, const struct wire_standby_state *state)
{
	return state->covered >= standby->mark || planted(PLANTED_STANDBY_UNCOVERED);
}

/* An answer to a mark that was taken before. */
static void look_at_mark(struct standby *standby, const struct wire_standby_state *state)
{
	if (memcmp(state->boot_id, standby->mark_boot_id, WIRE_ID_SIZE) != 0) {
		end_mark(standby, false);
		return;
	}
	if (!is_covered(standby, state))
		return;
	if (standby->sequence < state->exists)
		standby->sequence = state->exists;
	standby->covered_wall_ns = rt_wall_ns();
	end_mark(standby, true);
	if (standby->mark_whole && !standby->record.known && note_known(standby))
		log_line(LOG_WARNING, "standby", "volume %04X: that it is known is not durable",
			 standby->record.volume);
}

/* In its turn; the near pair is pinned. */
static void look(struct standby *standby, struct pair *near)
{
	struct standby_order order = {
		.near = near, .whole = near->record.state == PAIR_FULL_DUPLEX && !standby->record.known,
	};
	bool again = standby->marked;
	struct wire_standby_state state = { 0 };
	int rc;

	if (!again)
		run(standby, do_mark, &order);
	rc = standby_ask(standby, near, &state, standby->why);
	if (rc == -ETIMEDOUT && near->peer)
		near->peer->silent_ns = rt_now_ns();
	if (!rc && memcmp(state.generation, standby->record.generation, sizeof(state.generation)) != 0)
		rc = note_generation(standby, state.generation) ? -EIO : -ESTALE;
	if (rc && (!again || rc == -ESTALE))
		end_mark(standby, false);
	if (rc)
		return;
	if (again)
		look_at_mark(standby, &state);
	else if (order.flag)
		begin_mark(standby, &state, order.boot_id, order.whole);
}

static bool is_due(struct standby *standby)
{
	static const uint8_t none[XDC_UUID_LEN];

	if (standby->gone || !standby->target || memcmp(standby->record.taking, none, sizeof(none)) != 0)
		return false;
	return standby->marked || !standby->record.known || standby_count_noted(standby);
}

/* Not while a command has it. */
static int begin_look(struct standby *standby)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return standby_begin_change(standby);
}

/* True: there is more to ask. Of who has been silent since then each question more would wait as long. */
static bool look_in_turn(struct standby *standby, int64_t since_ns)
{
	struct pair *near;

	if (!is_due(standby))
		return false;
	if (begin_look(standby))
		return true;
	near = standby_near(standby);
	if (near && is_due(standby) && near->peer->silent_ns < since_ns) {
		pair_pin(near);
		look(standby, near);
		pair_unpin(near);
	}
	standby_end_change(standby);
	return is_due(standby);
}

static struct standby *first(struct copy *copy)
{
	return list_empty(&copy->standbys) ? NULL : list_first(&copy->standbys, struct standby, link);
}

static struct standby *next_of(struct standby *standby)
{
	struct list_head *next = standby->link.next;

	return next == &standby->copy->standbys ? NULL : container_of(next, struct standby, link);
}

static bool look_at_all(struct copy *copy)
{
	struct standby *standby = first(copy), *next;
	int64_t began_ns = rt_now_ns();
	bool more = false;

	for (; standby; standby = next) {
		standby_pin(standby);
		more = look_in_turn(standby, began_ns) || more;
		next = next_of(standby);
		standby_unpin(standby);
	}
	return more;
}

static void watch(void *arg)
{
	struct copy *copy = arg;
	bool more = true;
	int rc = 0;

	while (!rc) {
		/* After the first write of many, too: a question is worth more when more has been written. */
		rc = more ? rt_sleep_until(rt_now_ns() + LOOK_NS) : notice_wait(&copy->standbys_due);
		if (!rc)
			more = look_at_all(copy);
	}
}

int standbys_begin_work(struct copy *copy)
{
	return rt_group_start(&copy->fibers, "standbys", watch, copy);
}
