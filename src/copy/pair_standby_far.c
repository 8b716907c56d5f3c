/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cascade, A to B to C, as B and C see it (pair_standby.h): B says how far C is, and C is handed over from B to A.
 *
 * Handed over: B is fenced first, by the recovery of its session to the last group, as by a command here; where no
 * group has the volume, by a failover. So the volume shows one moment, and what B may still send is refused. Then, in
 * one change of the metadata, its pair is one with A, which goes on like an old source after a failback (pair_far.c):
 * what was noted here, A asks for. When no volume of the leg is left that it had from B, the leg is forgotten.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_far.h"
#include "copy/pair_left.h"
#include "copy/pair_private.h"
#include "copy/source.h"
#include "copy/pair_standby.h"
#include "rt/log.h"
#include "store/meta.h"
#include "store/planted.h"
#include "volume/volume.h"

#define TURN_NS	(5 * RT_SECOND)

/* ---- B: how far is C? ---- */

struct far_order {
	const struct pair *pair;
	uint64_t open_number;
	bool empty;				/* all that was noted is in a group */
};

static int do_look(void *arg)
{
	struct far_order *order = arg;
	struct volume_counters counters;

	pair_get_counters(order->pair, &counters);
	order->empty = !counters.open_blocks && !counters.closing_blocks;
	order->open_number = order->pair->volume_target ? volume_open_number(order->pair->volume_target) : 0;
	return 0;
}

/*
 * The volume has been in a group since this system started: its tags are above all of before. What is in the open
 * increment now, and before, is in any group with its number or a higher one; if nothing is noted, in the last one.
 */
static void fill_state(struct copy *copy, struct pair *pair, struct wire_standby_state *state)
{
	struct copy_session_info info = { .role = SESSION_NO_ROLE };
	struct far_order order = { .pair = pair };
	struct source *source;
	int rc;

	memcpy(state->boot_id, copy->far_boot_id, WIRE_ID_SIZE);
	memcpy(state->generation, pair->record.heard, WIRE_ID_SIZE);
	rc = rt_call(volume_reactor(pair->volume), do_look, &order);
	assert(!rc);
	source = source_find(copy, pair->record.session);
	if (!source || !pair->in_group || !pair->record.joined || pair_stops_groups(pair) || !order.open_number)
		return;
	source_get_info(source, &info);
	state->exists = info.sequence;
	state->mark = order.open_number;
	state->covered = order.empty ? state->mark : state->exists;
}

int standby_near_on_look(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_standby_look *look = request;
	struct copy *copy = arg;
	const struct pair *from = pair_find_target(copy, peer->system, look->target_volume);
	struct pair *to = pair_find(copy, look->target_volume, look->system);

	if (!from || from->record.state == PAIR_FAILED_OVER || from->record.remote_volume != look->source_volume)
		return copy_refuse(why, -ESTALE, "volume %04X of system %s is not the target of volume %04X of %s",
				   look->target_volume, copy->config.system, look->source_volume, peer->system);
	if (!to || to->record.role != PAIR_SOURCE || to->record.remote_volume != look->remote_volume)
		return copy_refuse(why, -ENOENT, "volume %04X of system %s does not send to volume %04X of %s",
				   look->target_volume, copy->config.system, look->remote_volume, look->system);
	pair_pin(to);
	fill_state(copy, to, reply);
	pair_unpin(to);
	return 0;
}

/* ---- C: from B to A ---- */

static int begin_change(struct pair *pair)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return pair_begin_change(pair);
}

/* The leg whose last group has the volume, or, if there is none, the one that brings it with the group prepared. */
static struct leg *find_leg(const struct pair *pair)
{
	const struct record_pair *record = &pair->record;
	struct leg *leg, *prepared = NULL;

	list_for_each(leg, &pair->copy->legs, link) {
		if (leg->gone || strcmp(leg->record.source_system, record->system) != 0)
			continue;
		if (leg_group_has(leg, record->volume))
			return leg;
		if (leg_prepared_cg(leg) && leg_prepared_has(leg, record->volume))
			prepared = leg;
	}
	return prepared;
}

/*
 * A recovery that was cut off is brought to its end. What is in no group yet and was failed over gets nothing by a
 * commit.
 */
static bool is_fenced(const struct pair *pair)
{
	struct leg *leg = find_leg(pair);

	return pair->record.state == PAIR_FAILED_OVER &&
	       (!leg || leg->record.recovered_sequence || !leg_group_has(leg, pair->record.volume));
}

/* The session as a whole, or the one volume when the group that is recovered does not have it. */
static int fence_leg(struct copy *copy, struct pair *pair, struct fault *fault)
{
	const struct copy_pair_name name = copy_pair_name_of(pair->record.volume, pair->record.system);
	struct leg *leg = find_leg(pair);
	struct recovery_result result = { 0 };
	int rc = leg ? copy_session_recover(copy, leg->record.session, NULL, false, &result, fault) : 0;

	if (rc || pair->record.state == PAIR_FAILED_OVER)
		return rc;
	leg = find_leg(pair);
	return leg && leg_group_has(leg, pair->record.volume) ? 0 : copy_pair_failover(copy, &name, true, fault);
}

/* B is refused from here on, and the volume is of one moment. The pair is pinned, not in its turn. */
static int fence(struct copy *copy, struct pair *pair, char *why)
{
	struct fault fault = { 0 };

	if (is_fenced(pair))
		return 0;
	if (fence_leg(copy, pair, &fault))
		return copy_refuse(why, -EIO, "system %s: %s: %s; %s", copy->config.system, fault.object, fault.message,
				   fault.remedy);
	if (pair->record.role != PAIR_TARGET || pair->record.state != PAIR_FAILED_OVER)
		return copy_refuse(why, -EIO, "volume %04X of system %s was not recovered with its session",
				   pair->record.volume, copy->config.system);
	return 0;
}

/* It is what B said last that it is, and nothing was written here since it was recovered, or changed by that. */
static bool is_as_said(const struct pair *pair, const struct wire_standby_take *take)
{
	return history_find(&pair->history, take->generation) == 1 || planted(PLANTED_STANDBY_ANY_DATA);
}

static uint64_t count_noted(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, pair_do_counters, &order);
	return (order.counters.open_blocks + order.counters.closing_blocks) * XDC_BLOCK_SIZE;
}

/* What keeps it from A fenced or not: looked at before B loses it, and again in turn. */
static int check_fits(const struct pair *pair, const struct link_peer *peer, const struct wire_standby_take *take,
		      char *why)
{
	if (pair_find(pair->copy, pair->record.volume, peer->system))
		return copy_refuse(why, -EBUSY, "volume %04X of system %s has a pair with system %s already",
				   pair->record.volume, pair->copy->config.system, peer->system);
	if (volume_size(pair->volume) != take->size_bytes)
		return copy_refuse(why, -ERANGE, "volume %04X of system %s has %llu bytes, the source %llu",
				   pair->record.volume, pair->copy->config.system,
				   (unsigned long long)volume_size(pair->volume),
				   (unsigned long long)take->size_bytes);
	return 0;
}

/* Closed to hosts, in its turn: may A have what it holds? */
static int judge(struct pair *pair, const struct wire_standby_take *take, char *why)
{
	uint64_t noted_bytes = count_noted(pair);

	if (take->discard)
		return 0;
	if (noted_bytes)
		return copy_refuse(why, -ESTALE,
				   "volume %04X of system %s was written there, or an older group was chosen: %llu KiB",
				   pair->record.volume, pair->copy->config.system,
				   (unsigned long long)noted_bytes / 1024);
	if (!is_as_said(pair, take))
		return copy_refuse(why, -ESTALE, "volume %04X of system %s is of a generation that is not known here: "
				   "it may hold what others have written", pair->record.volume,
				   pair->copy->config.system);
	return 0;
}

/* The pair of this volume is one with A from here on, durably. In its turn; after an error it is as it was. */
static int hand_over(struct pair *pair, const struct link_peer *peer, const struct wire_standby_take *take)
{
	struct record_history old_rows[HISTORY_MAX], rows[HISTORY_MAX];
	struct meta_change changes[2 * HISTORY_MAX + 2];
	const struct record_pair before = pair->record;
	const struct history history = pair->history;
	unsigned count = 1;
	int rc;

	changes[0] = (struct meta_change){ .op = META_DELETE, .kind = META_PAIR, .record = &before };
	count += pair_history_changes(pair, old_rows, changes + count);
	for (unsigned i = 1; i < count; i++)
		changes[i].op = META_DELETE;
	snprintf(pair->record.system, sizeof(pair->record.system), "%s", peer->system);
	pair->record.remote_volume = take->source_volume;
	pair->record.type = PAIR_ASYNC;
	pair->record.state = PAIR_TARGET_COPY_PENDING;
	pair->record.reason = PAIR_REASON_NONE;
	pair->record.since_wall_ns = rt_wall_ns();
	pair->record.session = 0;
	pair->record.joined = pair->record.given_away = false;
	pair->record.first_copy_bytes = 0;
	pair->record.first_copy_compares = !is_as_said(pair, take) || history.entries[0].sequence < take->sequence;
	pair->history = take->history;
	changes[count++] = (struct meta_change){ .op = META_PUT, .kind = META_PAIR, .record = &pair->record };
	count += pair_history_changes(pair, rows, changes + count);
	rc = meta_commit(pair->copy->config.meta, changes, count);
	if (!rc) {
		log_line(LOG_NOTICE, "standby", "volume %04X is the target of system %s volume %04X from here on, no "
			 "more of %s", pair->record.volume, peer->system, take->source_volume, before.system);
		return 0;
	}
	pair->record = before;
	pair->history = history;
	return rc;
}

/* In the pair's turn: closed to hosts, and handed over or opened again. */
static int take_pair(struct pair *pair, const struct link_peer *peer, const struct wire_standby_take *take, char *why)
{
	int rc;

	if (pair->record.role != PAIR_TARGET || pair->record.state != PAIR_FAILED_OVER)
		return copy_refuse(why, -EBUSY, "another command has changed volume %04X of system %s meanwhile",
				   pair->record.volume, pair->copy->config.system);
	rc = pair_far_close(pair, why);
	if (rc)
		return rc;
	rc = check_fits(pair, peer, take, why);
	if (!rc)
		rc = judge(pair, take, why);
	if (!rc)
		rc = hand_over(pair, peer, take);
	if (rc && pair_set_access(pair, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "standby", "volume %04X stays closed to hosts", pair->record.volume);
	return rc;
}

/* It may have to bring its group to a volume still: one that is offline has no pair in the list of those. */
static bool is_used(struct leg *leg)
{
	struct copy *copy = leg->copy;
	const struct left_pair *left;
	const struct pair *pair;
	struct journal_info info;

	if (planted(PLANTED_STANDBY_LEG_DROPPED))
		return false;
	leg_get_info(leg, &info);
	if (!leg_is_online(leg) || !leg_is_settled(&info))
		return true;
	list_for_each(pair, &copy->pairs, link) {
		if (!strcmp(pair->record.system, leg->record.source_system) && leg_group_has(leg, pair->record.volume))
			return true;
	}
	list_for_each(left, &copy->left_pairs, link) {
		if (!strcmp(left->record.system, leg->record.source_system) && leg_group_has(leg, left->record.volume))
			return true;
	}
	return false;
}

static struct leg *find_unused_leg(struct copy *copy, const char *source_system)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (!leg->gone && leg->record.recovered_sequence &&
		    !strcmp(leg->record.source_system, source_system) && !is_used(leg))
			return leg;
	}
	return NULL;
}

/* What it kept is applied, and no volume of it is left that it could bring anything to. What stays does no harm. */
static void forget_legs(struct copy *copy, const char *near_system)
{
	struct leg *leg;
	int rc = 0;

	while (!rc && (leg = find_unused_leg(copy, near_system)))
		rc = leg_forget(leg);
	if (rc)
		log_line(LOG_ERROR, "standby", "the journal of what %s sent is not removed: %s; xdc session terminate "
			 "--force gives it up", near_system, strerror(-rc));
}

static bool is_taken(const struct pair *pair, const struct wire_standby_take *take)
{
	return pair->record.role == PAIR_TARGET && pair->record.remote_volume == take->source_volume &&
	       history_compare(&pair->history, &take->history) == HISTORY_SAME;
}

/* The pair is pinned. Only who was told by B what the volume holds knows a generation of it. */
static int take_from(struct copy *copy, struct pair *pair, const struct link_peer *peer,
		     const struct wire_standby_take *take, char *why)
{
	int rc;

	if (history_find(&pair->history, take->generation) < 0)
		return copy_refuse(why, -EACCES, "volume %04X of system %s was never what system %s has heard of it",
				   pair->record.volume, copy->config.system, peer->system);
	rc = check_fits(pair, peer, take, why);
	if (!rc)
		rc = fence(copy, pair, why);
	if (!rc)
		rc = begin_change(pair);
	if (rc)
		return rc;
	rc = take_pair(pair, peer, take, why);
	pair_end_change(pair);
	return rc;
}

/* In its turn: whoever takes it, for a request that was given up, has it durable by then, or it is as it was. */
static int look_taken(struct pair *pair, const struct wire_standby_take *take, struct wire_standby_taken *taken)
{
	int rc = begin_change(pair);

	if (rc)
		return rc;
	rc = is_taken(pair, take) ? 0 : -ENOENT;
	taken->known = !pair->record.first_copy_compares;
	pair_end_change(pair);
	return rc;
}

int standby_far_on_take(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_standby_take *take = request;
	struct wire_standby_taken *taken = reply;
	struct copy *copy = arg;
	struct pair *pair = pair_find_target(copy, take->near_system, take->target_volume);
	int rc = 0;
	RT_SHIELD();

	if (pair) {
		pair_pin(pair);
		rc = take_from(copy, pair, peer, take, why);
		pair_unpin(pair);
	}
	if (rc)
		return rc;
	pair = pair_find(copy, take->target_volume, peer->system);
	if (pair) {
		pair_pin(pair);
		rc = look_taken(pair, take, taken);
		pair_unpin(pair);
	}
	if (!pair || rc == -ENOENT)
		return copy_refuse(why, -ENOENT, "volume %04X of system %s is not the target of system %s",
				   take->target_volume, copy->config.system, take->near_system);
	if (rc)
		return rc;
	/* It is the asker's, whatever becomes of that: a refusal would say that it is not. */
	forget_legs(copy, take->near_system);
	return 0;
}
