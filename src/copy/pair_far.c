/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_far.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/leg.h"
#include "copy/leg_apply.h"
#include "copy/pair_left.h"
#include "copy/pair_private.h"
#include "copy/pair_standby.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "volume/volume.h"

#define TURN_NS	(5 * RT_SECOND)		/* for the pair's turn: who has it may be asking the system that asks here */

static int begin_change(struct pair *pair)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return pair_begin_change(pair);
}

/* What was lost here is made good by the other side, or is nothing any more: production begins here again, as there. */
static void end_losses(struct pair *pair)
{
	const struct copy_config *config = &pair->copy->config;

	if (config->end_losses)
		config->end_losses(config->find_arg, pair->record.volume);
}

/* The pair is pinned, or in its turn. Suspends. */
static void fill_reply(struct copy *copy, struct pair *pair, struct wire_pair_reply *reply)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair_do_counters, &order);
	reply->noted_bytes = (order.counters.open_blocks + order.counters.closing_blocks) * XDC_BLOCK_SIZE;
	memcpy(reply->boot_id, copy->far_boot_id, WIRE_ID_SIZE);
	reply->state = (uint8_t)pair->record.state;
	reply->size_bytes = volume_size(pair->volume);
	reply->history = pair->history;
}

int pair_far_close(struct pair *pair, char *why)
{
	const struct copy_config *config = &pair->copy->config;
	struct fault fault = { 0 };

	if (!config->close_volume)
		return pair_set_access(pair, VOLUME_ACCESS_NONE);
	if (!config->close_volume(config->find_arg, pair->record.volume, &fault))
		return 0;
	return copy_refuse(why, fault.code == FAULT_IN_USE ? -ETXTBSY : -EIO, "volume %04X of system %s: %s",
			   pair->record.volume, config->system, fault.message);
}

/* Closed to hosts, and durable; else hosts may have the volume as before. */
static int begin_target(struct pair *pair, char *why)
{
	int rc = pair_far_close(pair, why);

	if (rc)
		return rc;
	rc = pair_save(pair);
	if (!rc)
		return 0;
	if (pair_set_access(pair, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "pair", "volume %04X stays closed to hosts until the next start",
			 pair->record.volume);
	return copy_refuse(why, rc, "volume %04X cannot become a target: %s", pair->record.volume, strerror(-rc));
}

/*
 * From here on the volume may lack what its source has answered. What is sent on from here: no group is formed before
 * that is over, and one that is being formed is given up, since data may come in at any moment.
 */
static void leave_moment(struct pair *pair)
{
	const struct pair *other;

	pair->of_moment = false;
	for (other = pair_first_of(pair->copy, pair->record.volume); other; other = pair_next_of(other)) {
		struct source *source = other->record.session ? source_find(pair->copy, other->record.session) : NULL;

		if (other != pair && other->record.role == PAIR_SOURCE && source)
			source_leave(source);
	}
}

/* A new pair: the volume is closed to hosts, and remembers from here on who writes to it. */
static int establish_new(struct copy *copy, const struct link_peer *peer, const struct wire_pair_establish *request,
			 struct pair **out, char *why)
{
	struct record_pair record = {
		.volume = request->target_volume, .remote_volume = request->source_volume, .role = PAIR_TARGET,
		.type = pair_type_of_wire(request->type),
		.state = PAIR_TARGET_COPY_PENDING, .since_wall_ns = rt_wall_ns(), .created_wall_ns = rt_wall_ns(),
	};
	struct volume *volume = copy->config.find_volume(copy->config.find_arg, request->target_volume);
	struct pair *pair;
	int rc;

	snprintf(record.system, sizeof(record.system), "%s", peer->system);
	if (!volume)
		return copy_refuse(why, -ENODEV, "system %s has no volume %04X", copy->config.system, record.volume);
	if (volume_size(volume) != request->size_bytes)
		return copy_refuse(why, -ERANGE, "volume %04X of system %s has %llu bytes, the source %llu",
				   record.volume, copy->config.system, (unsigned long long)volume_size(volume),
				   (unsigned long long)request->size_bytes);
	if (flash_forbids_target(copy, record.volume))
		return copy_refuse(why, -EBUSY, "volume %04X of system %s is in a FlashCopy that keeps it from writes",
				   record.volume, copy->config.system);
	if (leg_owns_volume(copy, record.volume))
		return copy_refuse(why, -EBUSY, "volume %04X of system %s holds a consistency group that is kept",
				   record.volume, copy->config.system);
	/* After a failover it would have a target too many. */
	if (standby_find(copy, record.volume))
		return copy_refuse(why, -EBUSY, "volume %04X of system %s has a standby", record.volume,
				   copy->config.system);
	if (pair_is_going(copy, record.volume))
		return copy_refuse(why, -EAGAIN, "an earlier pair of volume %04X of system %s is still being put down",
				   record.volume, copy->config.system);
	pair = pair_take_up(copy, &record, &request->history, volume);
	if (!pair)
		return -ENOMEM;
	pair->untouched = true;
	pair_pin(pair);
	rc = pair_begin_change(pair);
	assert(!rc);
	rc = begin_target(pair, why);
	leave_moment(pair);
	pair->gone = rc;
	pair_end_change(pair);
	pair_unpin(pair);
	if (rc)
		pair_put_down(pair, true);
	else
		*out = pair;
	return rc;
}

/*
 * The source had no answer to its first request for a new pair, gave up, and asks again: the volume holds what it held
 * then.
 */
static bool is_second_try(const struct pair *pair, const struct wire_pair_establish *request)
{
	return pair->untouched && pair->record.role == PAIR_TARGET && !(request->flags & WIRE_PAIR_RESUME) &&
	       pair->record.state == PAIR_TARGET_COPY_PENDING && volume_size(pair->volume) == request->size_bytes;
}

/*
 * A pair that is there: the source may go on only if what this side holds is the source's own past. A volume that was
 * recovered here holds a generation that the source does not know, and is never overwritten.
 */
static int establish_again(struct pair *pair, const struct wire_pair_establish *request,
			   const uint8_t asked_boot_id[WIRE_ID_SIZE], char *why)
{
	enum history_verdict verdict = history_compare(&pair->history, &request->history);
	int rc;

	if (verdict == HISTORY_UNRELATED && is_second_try(pair, request)) {
		pair->history = request->history;
		pair->record.type = pair_type_of_wire(request->type);
		return pair_save(pair);
	}
	if (verdict == HISTORY_UNRELATED && !(request->flags & WIRE_PAIR_RESUME))
		return copy_refuse(why, -EEXIST, "volume %04X of system %s is in an earlier pair with the same volume",
				   pair->record.volume, pair->copy->config.system);
	if (pair->record.role != PAIR_TARGET || pair->record.state == PAIR_FAILED_OVER ||
	    verdict == HISTORY_MINE_NEWER || verdict == HISTORY_BOTH_WRITTEN || verdict == HISTORY_UNRELATED)
		return copy_refuse(why, -ESTALE,
				   "volume %04X of system %s is newer (%s): it was recovered or written there",
				   pair->record.volume, pair->copy->config.system, history_verdict_names[verdict]);
	if (pair->record.reason == PAIR_REASON_GROUP_LOST)
		return copy_refuse(why, -ENODATA,
				   "volume %04X of system %s lacks a part of a group that was given up there",
				   pair->record.volume, pair->copy->config.system);
	/* What is here now is to be what was answered there, also after a loss of power. */
	if (request->flags & WIRE_PAIR_DUPLEX && leg_sync_volumes(pair->copy, &pair->record.volume, 1))
		return copy_refuse(why, -EIO, "volume %04X of system %s cannot be made durable", pair->record.volume,
				   pair->copy->config.system);
	/* What is durable now need not be all: an administrator may have accepted meanwhile that some was lost. */
	if (request->flags & WIRE_PAIR_DUPLEX && memcmp(asked_boot_id, pair->copy->far_boot_id, WIRE_ID_SIZE) != 0)
		return copy_refuse(why, -ECONNRESET, "system %s has restarted since it acknowledged",
				   pair->copy->config.system);
	/* A former source keeps what it never sent until it is the source again: pair_changes.h. */
	if (!pair->record.first_copy_done)
		pair_untrack(pair);
	history_adopt(&pair->history, &request->history);
	pair->record.state = request->flags & WIRE_PAIR_DUPLEX ? PAIR_TARGET_FULL_DUPLEX : PAIR_TARGET_COPY_PENDING;
	pair->record.reason = PAIR_REASON_NONE;
	pair->record.first_copy_bytes = request->flags & WIRE_PAIR_COPIED ? volume_size(pair->volume) : 0;
	pair->record.type = pair_type_of_wire(request->type);
	if (!(request->flags & WIRE_PAIR_DUPLEX))
		leave_moment(pair);
	rc = pair_save(pair);
	pair->of_moment = !rc && request->flags & WIRE_PAIR_DUPLEX;
	return rc;
}

/*
 * It was taken by a swap, and no host was let in here since: the other end, where hosts were before and are again, has
 * all that it has.
 */
static bool waits_for_hosts(const struct pair *pair)
{
	const struct session_entry *entry = session_entry_find(pair->copy, pair->record.session);

	return pair->record.role == PAIR_SOURCE && entry && entry->record.hosts_awaited;
}

/* May the other side, which was failed over, overwrite this one? 1: it may already, the answer was lost. */
static int judge_failback(struct pair *pair, const struct wire_pair_establish *request, char *why)
{
	enum history_verdict verdict = history_compare(&pair->history, &request->history);

	if (pair->record.role == PAIR_TARGET && verdict == HISTORY_SAME)
		return 1;
	if (pair->record.role == PAIR_SOURCE && !pair->record.first_copy_done && !waits_for_hosts(pair))
		return copy_refuse(why, -ESTALE, "the first copy of volume %04X of system %s was never whole",
				   pair->record.volume, pair->copy->config.system);
	if (verdict == HISTORY_BOTH_WRITTEN && (request->flags & WIRE_PAIR_DISCARD))
		return 0;
	if (verdict == HISTORY_OTHER_NEWER)
		return 0;
	return copy_refuse(why, -ESTALE, "volume %04X of system %s is not an older state of the other side (%s)",
			   pair->record.volume, pair->copy->config.system, history_verdict_names[verdict]);
}

/* It may not have heard yet that production is over there, and have written on. Closed to hosts by now. */
static int judge_again(struct pair *pair, const struct wire_pair_establish *request, char *why)
{
	int rc;

	pair_note_divergence(pair);
	rc = judge_failback(pair, request, why);
	if (!rc)
		return 0;
	pair_suspend(pair, PAIR_SUSPENDED, PAIR_REASON_HISTORY);
	pair_give_way(pair);
	return rc;
}

/* Its session here is over, durably: before the pair leaves it, so that no group is formed without it. */
static int lose_session(struct pair *pair)
{
	int rc = session_entry_lose(pair->copy, pair->record.session);
	struct source *source = source_find(pair->copy, pair->record.session);

	if (!rc && source)
		source_leave(source);
	return rc;
}

/* The pair is in no session any more, as its record says. */
static void leave_session(struct pair *pair, uint8_t session)
{
	struct source *source = source_find(pair->copy, session);
	int rc = source ? source_remove_pair(source, pair) : 0;

	assert(!rc || rc == -ENOENT);
	pair_leave_session(pair);
}

/* Durably; after an error it is the source that it was, which asks its far side how things stand. */
static int become_target(struct pair *pair, const struct history *history)
{
	struct record_pair next = pair->record;
	struct history before = pair->history;
	uint8_t session = pair->record.role == PAIR_SOURCE ? pair->record.session : 0;
	int rc;

	next.role = PAIR_TARGET;
	next.state = PAIR_TARGET_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	next.session = 0;
	next.joined = next.given_away = false;
	next.first_copy_bytes = 0;
	pair->history = *history;
	pair_stop_sending(pair);
	rc = pair_change_record(pair, &next);
	if (rc) {
		pair->history = before;
		if (pair->peer)
			peer_look_again(pair->peer);
		return rc;
	}
	pair->broken = false;
	leave_moment(pair);
	pair_cut_work(pair);
	leave_session(pair, session);
	log_line(LOG_NOTICE, "pair", "volume %04X is the target of system %s volume %04X from here on",
		 pair->record.volume, pair->record.system, pair->record.remote_volume);
	return 0;
}

/*
 * It may go on to send to another far side, a cascade then, but not behind the groups of a session. Nor does it get
 * its content from two sides.
 */
static int check_cascade(const struct pair *pair, enum pair_type type, char *why)
{
	const struct pair *other;

	for (other = pair_first_of(pair->copy, pair->record.volume); other; other = pair_next_of(other)) {
		const struct record_pair *record = &other->record;
		bool sends = record->role == PAIR_SOURCE;

		if (other == pair || (sends && type != PAIR_ASYNC) || record->state == PAIR_FAILED_OVER)
			continue;
		return copy_refuse(why, -EBUSY,
				   "volume %04X is the %s of volume %04X of %s, too; "
				   "on %s: xdc pair delete %04X --to %s",
				   record->volume, sends ? "source" : "target", record->remote_volume, record->system,
				   sends ? pair->copy->config.system : record->system,
				   sends ? record->volume : record->remote_volume,
				   sends ? record->system : pair->copy->config.system);
	}
	return 0;
}

/*
 * The former far side sends its differences here: this end, the old source, becomes the target, and keeps its notes.
 * Whatever fails leaves it the source that it was, and asking again does the rest.
 */
static int establish_failback(struct pair *pair, const struct wire_pair_establish *request, char *why)
{
	int rc = judge_failback(pair, request, why);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = check_cascade(pair, pair->record.type, why);
	if (rc)
		return rc;
	if (copy_get_losses(pair->copy, pair->record.volume).sync_wall_ns)
		return copy_refuse(why, -EIO,
				   "volume %04X of system %s: its disk failed; there: xdc volume accept %04X",
				   pair->record.volume, pair->copy->config.system, pair->record.volume);
	rc = pair_set_access(pair, VOLUME_ACCESS_NONE);
	if (!rc && pair->record.role == PAIR_SOURCE) {
		rc = judge_again(pair, request, why);
		if (rc)
			return rc;
	}
	if (!rc)
		rc = pair_track(pair);
	if (!rc && pair->record.role == PAIR_SOURCE && pair->record.session)
		rc = lose_session(pair);
	if (!rc)
		rc = become_target(pair, &request->history);
	/* As at every source whose far side is newer. */
	if (rc && pair->record.role == PAIR_SOURCE && pair_set_access(pair, VOLUME_ACCESS_READ))
		log_line(LOG_ERROR, "pair", "volume %04X stays closed to hosts", pair->record.volume);
	return rc;
}

/* Both are equal now: this end is the source from here on, and what was noted before is of no use. */
static int take_back(struct pair *pair)
{
	struct record_pair next = pair->record;
	int rc;

	next.role = PAIR_SOURCE;
	next.state = PAIR_COPY_PENDING;
	next.since_wall_ns = rt_wall_ns();
	rc = pair_change_record(pair, &next);
	if (!rc)
		pair_untrack(pair);
	return rc;
}

/* Planned: the other side, whose hosts are stopped, has sent everything, and this end is the source again. */
static int establish_return(struct pair *pair, const struct wire_pair_establish *request, char *why)
{
	int rc = 0;

	if (!pair->record.first_copy_done || history_compare(&pair->history, &request->history) != HISTORY_SAME)
		return copy_refuse(why, -ESTALE, "volume %04X of system %s does not hold what the other side holds",
				   pair->record.volume, pair->copy->config.system);
	if (pair->record.role == PAIR_TARGET)
		rc = take_back(pair);
	if (!rc)
		rc = pair_begin_source(pair);
	if (!rc)
		rc = pair_set_access(pair, VOLUME_ACCESS_WRITE);
	if (!rc) {
		end_losses(pair);
		peer_look_again(pair->peer);
	}
	return rc;
}

/* Another pair keeps the volume from being a target of the volume that asks. */
static const struct pair *find_obstacle(struct copy *copy, const struct pair *pair,
					const struct wire_pair_establish *request)
{
	const struct pair *other = pair_first_of(copy, request->target_volume);

	if (pair)
		return pair->record.remote_volume == request->source_volume ? NULL : pair;
	/* One that it sends to may come behind, but not behind the groups of a session; and it has room for two. */
	if (other && other->record.role == PAIR_SOURCE && other->record.reason != PAIR_REASON_HISTORY &&
	    pair_type_of_wire(request->type) != PAIR_ASYNC)
		return pair_next_of(other);
	return other;
}

int pair_far_on_establish(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_establish *establish = request;
	struct copy *copy = arg;
	struct pair *pair = pair_find(copy, establish->target_volume, peer->system);
	const struct pair *obstacle = find_obstacle(copy, pair, establish);
	uint8_t boot_id[WIRE_ID_SIZE];
	int rc;
	RT_SHIELD();

	memcpy(boot_id, copy->far_boot_id, sizeof(boot_id));
	if (obstacle)
		return copy_refuse(why, -EBUSY, "volume %04X of system %s is paired with volume %04X of %s",
				   establish->target_volume, copy->config.system, obstacle->record.remote_volume,
				   obstacle->record.system);
	if (!pair && pair_left_find(copy, establish->target_volume, NULL))
		return copy_refuse(why, -EIO, "volume %04X of system %s is offline", establish->target_volume,
				   copy->config.system);
	if (!pair && (establish->flags & (WIRE_PAIR_RESUME | WIRE_PAIR_FAILBACK | WIRE_PAIR_RETURN)))
		return copy_refuse(why, -ENOENT, "system %s does not know this pair", copy->config.system);
	if (!pair) {
		rc = establish_new(copy, peer, establish, &pair, why);
		if (rc)
			return rc;
		pair_pin(pair);
		fill_reply(copy, pair, reply);
		pair_unpin(pair);
		return 0;
	}
	pair_pin(pair);
	rc = begin_change(pair);
	if (!rc) {
		if (establish->flags & WIRE_PAIR_FAILBACK)
			rc = establish_failback(pair, establish, why);
		else if (establish->flags & WIRE_PAIR_RETURN)
			rc = establish_return(pair, establish, why);
		else
			rc = establish_again(pair, establish, boot_id, why);
		if (!rc)
			fill_reply(copy, pair, reply);
		pair_end_change(pair);
	}
	pair_unpin(pair);
	return rc;
}

int pair_far_on_remove(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_request *remove = request;
	struct copy *copy = arg;
	struct pair *pair = pair_find_target(copy, peer->system, remove->target_volume);
	struct left_pair *left;
	int rc;
	RT_SHIELD();

	(void)reply;		/* an empty one */
	left = pair ? NULL : pair_left_find(copy, remove->target_volume, peer->system);
	if (left)
		return pair_left_forget(copy, left);
	if (!pair)
		return 0;	/* gone already */
	if (leg_owns_volume(copy, pair->record.volume))
		return copy_refuse(why, -EBUSY, "volume %04X of system %s holds a consistency group that is kept",
				   pair->record.volume, copy->config.system);
	pair_pin(pair);
	rc = begin_change(pair);
	if (!rc)
		rc = pair_part_from_source(pair);
	if (!rc)
		rc = pair_set_access(pair, VOLUME_ACCESS_WRITE);
	if (!rc)
		return pair_forget(pair);
	pair_unpin(pair);
	return rc == -ENOENT ? 0 : rc;
}

int pair_far_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_request *status = request;
	struct pair *pair = pair_find(arg, status->target_volume, peer->system);

	if (!pair)
		return copy_refuse(why, -ENOENT, "no pair of volume %04X with system %s here", status->target_volume,
				   peer->system);
	pair_pin(pair);
	fill_reply(arg, pair, reply);
	pair_unpin(pair);
	return 0;
}

int pair_far_on_grow(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_grow *grow = request;
	struct copy *copy = arg;
	struct pair *pair = pair_find_target(copy, peer->system, grow->target_volume);
	struct fault fault = { 0 };
	RT_SHIELD();

	if (!pair)
		return copy_refuse(why, -ENOENT, "volume %04X is no target of system %s", grow->target_volume,
				   peer->system);
	if (!copy->config.grow_volume)
		return copy_refuse(why, -EOPNOTSUPP, "targets of system %s do not grow", copy->config.system);
	/* Those behind it first. */
	if (copy_grow_targets(copy, grow->target_volume, grow->size_bytes, true, &fault))
		return copy_refuse(why, -EIO, "volume %04X of system %s cannot grow: %s: %s", grow->target_volume,
				   copy->config.system, fault.object, fault.message);
	if (copy->config.grow_volume(copy->config.find_arg, grow->target_volume, grow->size_bytes, &fault))
		return copy_refuse(why, fault.code == FAULT_SIZE_NOT_SUPPORTED ? -ERANGE : -EIO,
				   "volume %04X of system %s: %s", grow->target_volume, copy->config.system,
				   fault.message);
	pair = pair_find_target(copy, peer->system, grow->target_volume);
	if (!pair)
		return copy_refuse(why, -ENOENT, "volume %04X is no target any more", grow->target_volume);
	pair_pin(pair);
	fill_reply(copy, pair, reply);
	pair_unpin(pair);
	return 0;
}

/* What this side has noted and the other lacks: the old source tells it when production comes back. */
struct changes_order {
	struct pair *pair;
	uint64_t from;
	struct wire_pair_changes_reply *reply;
};

static int do_changes(void *arg)
{
	struct changes_order *order = arg;
	struct wire_pair_changes_reply *reply = order->reply;
	const struct volume_target *target = order->pair->volume_target;
	uint64_t from = order->from, offset, len;

	reply->next_offset = UINT64_MAX;
	while (target && volume_next_noted(target, from, &offset, &len)) {
		if (reply->count == WIRE_RANGES_MAX) {
			reply->next_offset = offset;
			break;
		}
		reply->ranges[reply->count++] = (struct wire_range){ .offset = offset, .bytes = len };
		/* The end of the volume may be in the middle of a block. */
		from = offset + len + XDC_BLOCK_SIZE - 1;
	}
	return 0;
}

int pair_far_on_changes(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_changes_request *changes = request;
	struct wire_pair_changes_reply *answer = reply;
	struct pair *pair = pair_find(arg, changes->target_volume, peer->system);
	struct changes_order order = { .from = changes->from_offset, .reply = answer };
	int rc;

	if (!pair)
		return copy_refuse(why, -ENOENT, "no pair of volume %04X with system %s here", changes->target_volume,
				   peer->system);
	answer->ranges = mem_alloc_zeroed(WIRE_RANGES_MAX * sizeof(answer->ranges[0]));
	if (!answer->ranges)
		return -ENOMEM;
	order.pair = pair;
	pair_pin(pair);
	rc = rt_call(volume_reactor(pair->volume), do_changes, &order);
	pair_unpin(pair);
	return rc;
}
