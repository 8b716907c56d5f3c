/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/swap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_far.h"
#include "copy/pair_left.h"
#include "copy/session_entry.h"
#include "copy/source_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume.h"

#define ANSWER_NS	(20 * RT_SECOND)	/* for the other end of a pair */

/* ---- the pairs of the session here ---- */

static bool is_source_of(const struct pair *pair, uint8_t session)
{
	return !pair->gone && pair->record.role == PAIR_SOURCE && pair->record.session == session;
}

/* Given away, and the other end may not have taken it yet. */
static bool is_given(const struct pair *pair, uint8_t session)
{
	return !pair->gone && pair->record.role == PAIR_TARGET && pair->record.session == session &&
	       pair->record.state == PAIR_TARGET_SUSPENDED && pair->record.reason == PAIR_REASON_SESSION;
}

struct step {
	const struct wire_session_swap *swap;
	struct copy *copy;
	char *why;
	bool fenced;			/* as it will be, behind the fence of a recovery */
};

/* For each pair of the session, pinned; up to the first error. */
static int each_pair(const struct step *step, int (*fn)(const struct step *step, struct pair *pair))
{
	uint8_t session = step->swap->head.session;
	struct pair *pair;
	int rc = 0;

	for (pair = pair_pin_first(step->copy); pair; pair = pair_pin_next(pair)) {
		if (!is_source_of(pair, session) && !is_given(pair, session))
			continue;
		rc = fn(step, pair);
		if (rc) {
			if (!step->why[0])
				copy_refuse(step->why, rc, "volume %04X of system %s: %s", pair->record.volume,
					    step->copy->config.system, strerror(-rc));
			pair_unpin(pair);
			break;
		}
	}
	return rc;
}

/* ---- may it be? ---- */

static int ask_other_end(const struct step *step, struct pair *pair, bool check, struct wire_pair_reply *reply)
{
	struct wire_pair_swap request = {
		.head = step->swap->head, .source_volume = pair->record.volume,
		.target_volume = pair->record.remote_volume, .check = check,
	};

	memcpy(request.key, step->swap->key, sizeof(request.key));
	RT_LIMIT(rt_now_ns() + ANSWER_NS);
	return copy_ask(step->copy, pair->record.system, WIRE_PAIR_SWAP, &request, reply, step->why);
}

static int check_pair(const struct step *step, struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	const struct pair *other;

	for (other = pair_first_of(step->copy, pair->record.volume); other; other = pair_next_of(other)) {
		if (other != pair)
			return copy_refuse(step->why, -EBUSY,
					   "volume %04X of system %s has another pair, with %s: end that first",
					   pair->record.volume, step->copy->config.system, other->record.system);
	}
	if (is_source_of(pair, step->swap->head.session) && !pair->in_group)
		return copy_refuse(step->why, -EBUSY, "volume %04X of system %s is in no group yet",
				   pair->record.volume, step->copy->config.system);
	return ask_other_end(step, pair, true, &reply);
}

static int check(const struct step *step)
{
	const struct left_pair *left = pair_left_in_session(step->copy, step->swap->head.session);

	if (left)
		return copy_refuse(step->why, -EIO, "volume %04X of system %s is offline", left->record.volume,
				   step->copy->config.system);
	return each_pair(step, check_pair);
}

/* ---- hosts ---- */

static int close_pair(const struct step *step, struct pair *pair)
{
	return planted(PLANTED_SWAP_HOSTS_GO_ON) ? 0 : pair_far_close(pair, step->why);
}

static int open_pair(const struct step *step, struct pair *pair)
{
	/* Not one that is given away, nor one whose far side was found to be newer. */
	if (!is_source_of(pair, step->swap->head.session) || pair->record.reason == PAIR_REASON_HISTORY)
		return 0;
	return pair_set_access(pair, VOLUME_ACCESS_WRITE);
}

static int set_hosts_stopped(struct session_entry *entry, bool stopped)
{
	struct record_session next;
	int rc;

	if (entry->record.hosts_stopped == stopped && !entry->record.hosts_awaited)
		return 0;
	rc = session_entry_begin_change(entry, &next);
	if (rc)
		return rc;
	next.hosts_stopped = stopped;
	next.hosts_awaited = false;
	return session_entry_end_change(entry, &next);
}

/* All or none: a volume that a host has open leaves the others to their hosts. */
static int stop_hosts(const struct step *step, struct session_entry *entry)
{
	char ignored[WIRE_TEXT_SIZE] = "";
	const struct step back = { .swap = step->swap, .copy = step->copy, .why = ignored };
	bool before = entry->record.hosts_stopped;
	int rc = each_pair(step, close_pair);

	if (!rc)
		rc = set_hosts_stopped(entry, true);
	if (rc && !before && each_pair(&back, open_pair))
		log_line(LOG_ERROR, "swap", "session %u: not all volumes are open to hosts again: %s",
			 entry->record.number, ignored);
	return rc;
}

/* No group is in it, nor comes into it any more: what is prepared behind the fence of a recovery is never committed. */
static bool is_without_group(const struct step *step, struct leg *leg)
{
	struct journal_info info;

	/* What one holds that is offline is not known. */
	if (!leg_is_online(leg))
		return false;
	leg_get_info(leg, &info);
	return !info.committed && (!info.prepared || info.epoch || step->fenced);
}

/*
 * Given away, and no group of the new direction has it, nor can have it any more once this is done: so no host was let
 * in at the other end, and both ends show what the last group of the old direction did.
 */
static bool is_unchanged(const struct step *step, const struct pair *pair)
{
	const struct record_pair *record = &pair->record;
	uint8_t session = step->swap->head.session;
	struct leg *leg = leg_find(step->copy, session, record->system);

	if (is_given(pair, session))
		return true;
	/* Any other target shows a group only when a recovery has brought it there; or its journal is gone. */
	return !pair->gone && record->role == PAIR_TARGET && record->session == session && record->given_away &&
	       record->state == PAIR_TARGET_COPY_PENDING && (leg ? is_without_group(step, leg) : !record->joined);
}

/* The other side is lost: production is here again. Its end finds out as after every failover. */
static int take_back(const struct step *step, struct pair *pair)
{
	uint8_t session = step->swap->head.session;
	int rc = pair_begin_change(pair);

	if (rc)
		return rc;
	if (is_unchanged(step, pair)) {
		rc = pair_fail_over(pair, step->swap->head.exists);
		log_line(rc ? LOG_ERROR : LOG_WARNING, "swap", "session %u: volume %04X is %s", session,
			 pair->record.volume, rc ? "not open to hosts again" : "open to hosts here again");
	}
	pair_end_change(pair);
	if (!rc)
		peers_tell_changed(step->copy, pair->record.system);
	return rc;
}

/* The journal of the new direction that a recovery has fenced, and that has no group. NULL: there is none. */
static struct leg *find_void_leg(const struct step *step)
{
	struct leg *leg;

	list_for_each(leg, &step->copy->legs, link) {
		struct journal_info info;

		if (leg->gone || leg->record.session != step->swap->head.session || !is_without_group(step, leg))
			continue;
		leg_get_info(leg, &info);
		if (info.epoch)
			return leg;
	}
	return NULL;
}

/* No volume is owed anything by it: the next swap begins with a new one. */
static int forget_void_legs(const struct step *step)
{
	struct leg *leg;
	int rc = 0;

	while (!rc && (leg = find_void_leg(step)) != NULL)
		rc = leg_forget(leg);
	return rc;
}

static int take_back_all(const struct step *step)
{
	struct pair *pair;
	int rc = 0;

	for (pair = pair_pin_first(step->copy); pair; pair = pair_pin_next(pair)) {
		if (!is_unchanged(step, pair))
			continue;
		rc = take_back(step, pair);
		if (rc) {
			pair_unpin(pair);
			break;
		}
	}
	return rc ? rc : forget_void_legs(step);
}

/* Durable first: who was let in once finds them open after every start. */
static int start_hosts(const struct step *step, struct session_entry *entry)
{
	int rc = set_hosts_stopped(entry, false);

	return rc ? rc : each_pair(step, open_pair);
}

int swap_close_volumes(struct copy *copy)
{
	const struct session_entry *entry;
	struct pair *pair;
	int rc = 0;

	list_for_each(entry, &copy->sessions, link) {
		if (!entry->record.hosts_stopped || planted(PLANTED_SWAP_HOSTS_GO_ON))
			continue;
		list_for_each(pair, &copy->pairs, link) {
			if (!rc && is_source_of(pair, entry->record.number))
				rc = pair_set_access(pair, VOLUME_ACCESS_NONE);
		}
	}
	return rc;
}

/* Until all of them are in a group of the new direction, none is opened: the old site would be of no one moment. */
void swap_open_volumes(struct source *source)
{
	struct session_entry *entry = session_entry_find(source->copy, source->number);
	const struct wire_session_swap swap = { .head = { .session = source->number } };
	char why[WIRE_TEXT_SIZE] = "";
	const struct step step = { .swap = &swap, .copy = source->copy, .why = why };
	const struct pair *pair;

	if (!entry || !entry->record.hosts_awaited)
		return;
	list_for_each(pair, &source->copy->pairs, link) {
		if (is_given(pair, source->number) ||
		    (is_source_of(pair, source->number) && !pair->in_group))
			return;
	}
	session_entry_pin(entry);
	if (start_hosts(&step, entry))
		log_line(LOG_ERROR, "swap", "session %u: its volumes stay closed to hosts: %s", source->number, why);
	else
		log_line(LOG_NOTICE, "swap", "session %u: hosts may have its volumes", source->number);
	session_entry_unpin(entry);
}

/* ---- exchange ---- */

/* In its turn: it takes no host writes from here on, whatever crashes, and what it noted stays noted. */
static int give_away(struct pair *pair)
{
	struct source *source = source_find(pair->copy, pair->record.session);
	struct record_pair next = pair->record;
	int rc;

	next.role = PAIR_TARGET;
	next.state = PAIR_TARGET_SUSPENDED;
	next.reason = PAIR_REASON_SESSION;
	next.since_wall_ns = rt_wall_ns();
	next.joined = false;
	next.given_away = true;
	next.first_copy_done = true;
	next.first_copy_bytes = 0;
	pair_stop_sending(pair);
	rc = pair_change_record(pair, &next);
	if (rc)
		return rc;
	pair->broken = false;
	rc = source ? source_remove_pair(source, pair) : 0;
	pair_leave_session(pair);
	return rc == -ENOENT ? 0 : rc;
}

/* In its turn: the other end has it. That may have asked for its first data, and so have said it itself. */
static int end_exchange(struct pair *pair, const struct history *history)
{
	struct record_pair next = pair->record;
	struct history before = pair->history;
	int rc;

	if (!is_given(pair, pair->record.session))
		return 0;
	/* It stays in the session: until that has a group in the new direction, it may be taken back. */
	next.state = PAIR_TARGET_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	history_adopt(&pair->history, history);
	rc = pair_change_record(pair, &next);
	if (rc) {
		pair->history = before;
		return rc;
	}
	log_line(LOG_NOTICE, "swap", "volume %04X is the target of system %s volume %04X from here on",
		 pair->record.volume, pair->record.system, pair->record.remote_volume);
	return 0;
}

/* The other end is asked outside the pair's turn: it may be asking this one at the same time. */
static int exchange_pair(const struct step *step, struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	int rc = pair_begin_change(pair);

	if (rc)
		return rc;
	rc = is_source_of(pair, step->swap->head.session) ? give_away(pair) : 0;
	pair_end_change(pair);
	if (!rc)
		rc = ask_other_end(step, pair, false, &reply);
	if (!rc)
		rc = pair_begin_change(pair);
	if (rc)
		return rc;
	rc = end_exchange(pair, &reply.history);
	pair_end_change(pair);
	return rc;
}

static int refuse_source(const struct step *step, struct pair *pair)
{
	return is_given(pair, step->swap->head.session) ? 0 :
	       copy_refuse(step->why, -EBUSY, "hosts may write to volume %04X of system %s", pair->record.volume,
			   step->copy->config.system);
}

/* This system was the far side before, and crashed when it had just taken its last volume. */
static int forget_old_leg(const struct step *step, struct pair *pair)
{
	struct leg *leg = leg_find(step->copy, step->swap->head.session, pair->record.system);

	return leg && !is_given(pair, step->swap->head.session) ? swap_forget_leg(step->copy, leg) : 0;
}

static int exchange(const struct step *step, struct session_entry *entry)
{
	int rc = entry->record.hosts_stopped ? 0 : each_pair(step, refuse_source);

	/* is_unchanged asks whether any group is there: that is one of the new direction then. */
	if (!rc)
		rc = each_pair(step, forget_old_leg);
	if (!rc)
		rc = each_pair(step, exchange_pair);
	/* Nothing is left here that hosts might open. */
	return rc ? rc : set_hosts_stopped(entry, false);
}

/* ---- the other side is lost ---- */

uint64_t swap_last_group(struct copy *copy, uint8_t session)
{
	const struct session_entry *entry = session_entry_find(copy, session);

	return entry ? entry->record.sequence : 0;
}

unsigned swap_count_left(struct copy *copy, uint8_t session, uint64_t *sequence)
{
	const struct session_entry *entry = session_entry_find(copy, session);
	const struct wire_session_swap swap = {
		.head = { .session = session, .exists = swap_last_group(copy, session) },
	};
	const struct step step = { .swap = &swap, .copy = copy, .fenced = true };
	bool closed = entry && (entry->record.hosts_awaited || entry->record.state == SESSION_SWAPPING);
	const struct pair *pair;
	unsigned count = 0;

	*sequence = swap.head.exists;
	list_for_each(pair, &copy->pairs, link) {
		if (!is_unchanged(&step, pair) && !(closed && is_source_of(pair, session)))
			continue;
		count++;
		if (pair->history.count && pair->history.entries[0].sequence > *sequence)
			*sequence = pair->history.entries[0].sequence;
	}
	return count;
}

bool swap_has_left(struct copy *copy, uint8_t session)
{
	uint64_t sequence;

	return swap_count_left(copy, session, &sequence) > 0;
}

/* It was taken, and no host was let in. What hosts write from here on is never sent as part of this session. */
static int let_go(const struct step *step, struct pair *pair)
{
	int rc = pair_begin_change(pair);

	if (rc)
		return rc;
	if (is_source_of(pair, step->swap->head.session))
		rc = give_away(pair);
	pair_end_change(pair);
	return rc;
}

/* On either side, whatever was done of the swap. */
static int open_left(const struct step *step, struct session_entry *entry)
{
	int rc = entry->record.hosts_awaited ? each_pair(step, let_go) : 0;

	if (!rc)
		rc = start_hosts(step, entry);
	return rc ? rc : take_back_all(step);
}

int swap_open_left(struct copy *copy, uint8_t session, char *why)
{
	const struct wire_session_swap swap = {
		.head = { .session = session, .exists = swap_last_group(copy, session) },
	};
	const struct step step = { .swap = &swap, .copy = copy, .why = why };
	struct session_entry *entry = session_entry_find(copy, session);

	return entry ? open_left(&step, entry) : -ENOENT;
}

/* ---- the next master: each of these in copy->planning ---- */

static int add_subordinate(struct copy *copy, uint8_t session, const char *system)
{
	struct subordinate *item;
	int rc;

	list_for_each(item, &copy->subordinates, link) {
		if (item->record.session == session && !strcmp(item->record.system, system))
			return 0;
	}
	item = mem_alloc_zeroed(sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->record.session = session;
	snprintf(item->record.system, sizeof(item->record.system), "%s", system);
	rc = session_commit(copy, META_PUT, META_SESSION_SUBORDINATE, &item->record);
	if (rc)
		mem_free(item);
	else
		list_add_last(&copy->subordinates, &item->link);
	return rc;
}

static int drop_subordinates(struct copy *copy, uint8_t session)
{
	struct subordinate *item, *tmp;
	int rc = 0;

	list_for_each_safe(item, tmp, &copy->subordinates, link) {
		if (rc || item->record.session != session)
			continue;
		rc = session_commit(copy, META_DELETE, META_SESSION_SUBORDINATE, &item->record);
		if (rc)
			continue;
		list_remove(&item->link);
		mem_free(item);
	}
	return rc;
}

static int keep_plan(const struct step *step, struct session_entry *entry)
{
	const struct wire_session_swap *swap = step->swap;
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (rc)
		return rc;
	memcpy(next.key, swap->key, sizeof(next.key));
	next.master_lss = swap->master_lss;
	next.interval_ns = (int64_t)swap->interval_ns;
	next.coordination_ns = (int64_t)swap->coordination_ns;
	next.drain_ns = (int64_t)swap->drain_ns;
	next.keep_ns = (int64_t)swap->keep_ns;
	next.keep_bytes = swap->keep_bytes;
	next.keep_told = swap->keep_ns || swap->keep_bytes;
	next.reserved_attempt = swap->reserved;
	next.incarnation = swap->head.incarnation;
	snprintf(next.master_system, sizeof(next.master_system), "%s", step->copy->config.system);
	return session_entry_end_change(entry, &next);
}

/* As it was given to the old master, durable here before anything is exchanged. */
static int plan(const struct step *step)
{
	const struct wire_session_swap *swap = step->swap;
	struct session_tunables tunables = {
		.interval_ns = (int64_t)swap->interval_ns, .coordination_ns = (int64_t)swap->coordination_ns,
		.drain_ns = (int64_t)swap->drain_ns, .keep_ns = (int64_t)swap->keep_ns, .keep_bytes = swap->keep_bytes,
	};
	struct copy *copy = step->copy;
	const struct session_entry *entry = session_entry_find(copy, swap->head.session);
	struct fault fault = { 0 };
	int rc;

	if (entry && entry->record.role == SESSION_MASTER)
		return copy_refuse(step->why, -EBUSY, "system %s has not ended its own part of a swap: there, xdc "
				   "session swap %u", copy->config.system, swap->head.session);
	if (session_check_tunables(swap->head.session, &tunables, &fault))
		return copy_refuse(step->why, -EINVAL, "%s", fault.message);
	for (uint32_t i = 0; i < swap->members.count; i++) {
		const char *far = swap->members.items[i].far;

		if (strcmp(far, copy->config.system) != 0 && !copy_path_address(copy, swap->master_lss, far))
			return copy_refuse(step->why, -ENOENT,
					   "no path leads from LSS %02X of system %s to system %s: there, xdc path "
					   "create", swap->master_lss, copy->config.system, far);
	}
	rc = session_entry_ensure(copy, swap->head.session, swap->key, swap->master_lss);
	if (!rc)
		rc = drop_subordinates(copy, swap->head.session);
	for (uint32_t i = 0; i < swap->members.count && !rc; i++) {
		if (strcmp(swap->members.items[i].far, copy->config.system) != 0)
			rc = add_subordinate(copy, swap->head.session, swap->members.items[i].far);
	}
	return rc ? rc : keep_plan(step, session_entry_find(copy, swap->head.session));
}

/* All roles are exchanged: it forms groups, and hosts are let in with the first one. */
static int begin(const struct step *step, struct session_entry *entry)
{
	struct record_session next;
	int rc;

	if (entry->master)
		return 0;
	rc = session_entry_begin_change(entry, &next);
	if (rc)
		return rc;
	next.role = SESSION_MASTER;
	/* The old master may have started again since the plan was made; its groups and it are of before this one. */
	if (next.incarnation < step->swap->head.incarnation)
		next.incarnation = step->swap->head.incarnation;
	if (next.reserved_attempt < step->swap->reserved)
		next.reserved_attempt = step->swap->reserved;
	if (next.sequence < step->swap->head.exists)
		next.sequence = step->swap->head.exists;
	rc = session_begin_as(entry, &next);
	if (!rc)
		log_line(LOG_NOTICE, "swap", "session %u: this system is its master from here on",
			 step->swap->head.session);
	return rc;
}

/* ---- the handler ---- */

static int carry_out(const struct step *step, struct session_entry *entry)
{
	if (!entry)
		return copy_refuse(step->why, -ENOENT, "session %u is not open on system %s",
				   step->swap->head.session, step->copy->config.system);
	switch (step->swap->step) {
	case WIRE_SWAP_CHECK:
		return check(step);
	case WIRE_SWAP_STOP_HOSTS:
		return stop_hosts(step, entry);
	case WIRE_SWAP_START_HOSTS:
		return start_hosts(step, entry);
	case WIRE_SWAP_TAKE_BACK:
		return open_left(step, entry);
	case WIRE_SWAP_EXCHANGE:
		return exchange(step, entry);
	default:
		return copy_refuse(step->why, -EINVAL, "a swap has no step %u", step->swap->step);
	}
}

/* What was ordered first is done first, also where its master did not wait for the end of it. */
static int change_plan(const struct step *step)
{
	struct session_entry *entry;
	int rc = rt_mutex_lock(&step->copy->planning);

	if (rc)
		return rc;
	entry = session_entry_find(step->copy, step->swap->head.session);
	if (step->swap->step == WIRE_SWAP_PLAN)
		rc = plan(step);
	else if (step->swap->step == WIRE_SWAP_DROP)
		rc = drop_subordinates(step->copy, step->swap->head.session);
	else
		rc = entry ? begin(step, entry) : -ENOENT;
	rt_mutex_unlock(&step->copy->planning);
	return rc;
}

static bool is_of_plan(uint8_t step)
{
	return step == WIRE_SWAP_PLAN || step == WIRE_SWAP_DROP || step == WIRE_SWAP_BEGIN;
}

static int check_order(const struct step *step, const struct link_peer *peer)
{
	const struct wire_session_head *head = &step->swap->head;
	const struct source *source = source_find(step->copy, head->session);
	int rc = source_check_speaker(peer, head, step->why);

	if (rc)
		return rc;
	if (session_entry_check(step->copy, head->session, step->why))
		return -EPERM;
	if (source && source->number && head->incarnation < source->incarnation)
		return copy_refuse(step->why, -ESTALE, "session %u has a newer master, %s", head->session,
				   source->master);
	return 0;
}

int swap_on_session(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct step step = { .swap = request, .copy = arg, .why = why };
	struct wire_session_answer *answer = reply;
	struct session_entry *entry;
	int rc;
	RT_SHIELD();

	/* A master that was swapped away asks again: it has begun. */
	entry = session_entry_find(arg, step.swap->head.session);
	if (entry)
		session_entry_pin(entry);
	if (step.swap->step == WIRE_SWAP_BEGIN && entry && entry->master)
		rc = 0;
	else
		rc = check_order(&step, peer);
	if (!rc)
		rc = is_of_plan(step.swap->step) ? change_plan(&step) : carry_out(&step, entry);
	if (entry)
		session_entry_unpin(entry);
	if (rc && !why[0])
		copy_refuse(why, rc, "%s", strerror(-rc));
	if (!rc)
		memcpy(answer->boot_id, step.copy->config.boot_id, WIRE_ID_SIZE);
	return rc;
}
