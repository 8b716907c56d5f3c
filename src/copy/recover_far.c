/* SPDX-License-Identifier: Apache-2.0 */
/* What a far side answers to the system that recovers a session: its own part of it (recover.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/recover.h"
#include "copy/recover_plan.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define APPLIED_NS	(15 * RT_SECOND)	/* for a group to be in its volumes; asked again, for as long again */

/* ---- the legs that are meant ---- */

static bool is_meant(const struct leg *leg, uint8_t session, const uint8_t *key)
{
	return !leg->gone && leg->record.session == session && !memcmp(leg->record.key, key, WIRE_KEY_SIZE);
}

/* The next leg of the session with this key behind one that is pinned (NULL: the first), pinned in its place. */
static struct leg *next_leg(struct copy *copy, uint8_t session, const uint8_t *key, struct leg *after)
{
	struct list_head *at = after ? after->link.next : copy->legs.next;
	struct leg *next = NULL;

	for (; at != &copy->legs && !next; at = at->next) {
		struct leg *leg = container_of(at, struct leg, link);

		if (is_meant(leg, session, key))
			next = leg;
	}
	if (next)
		leg_pin(next);
	if (after)
		leg_unpin(after);
	return next;
}

static int refuse_unknown(struct copy *copy, uint8_t session, char *why)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg->gone || leg->record.session != session)
			continue;
		if (leg->offline)
			return leg_check_online(leg, why);
		return copy_refuse(why, -EACCES, "the session %u that system %s knows has another key", session,
				   copy->config.system);
	}
	return copy_refuse(why, -ENOENT, "system %s knows no session %u", copy->config.system, session);
}

/* ---- what it holds ---- */

/*
 * The volume cannot show the group now: it is not open, or what it lacks of the group cannot be written. That may be
 * mended.
 */
static bool is_missing(const struct leg *leg, uint16_t volume)
{
	const struct pair *pair = pair_find(leg->copy, volume, leg->record.source_system);

	if (pair_left_find(leg->copy, volume, leg->record.source_system))
		return true;
	return pair && leg_owes(leg, &pair->record) && leg_lacks(leg, volume);
}

/* Room for all of the volumes of a CG, or for all there may be. -ENOMEM. */
static int make_list(struct wire_volumes *list, uint32_t count)
{
	if (!list->ids)
		list->ids = mem_alloc_zeroed((count + 1) * sizeof(list->ids[0]));
	return list->ids ? 0 : -ENOMEM;
}

static int list_missing(const struct leg *leg, const struct journal_cg *cg, struct wire_volumes *missing)
{
	int rc = make_list(missing, cg->volume_count);

	for (uint32_t i = 0; i < cg->volume_count && !rc; i++) {
		if (is_missing(leg, cg->volumes[i]))
			missing->ids[missing->count++] = cg->volumes[i];
	}
	return rc;
}

static int fill_leg(const struct leg *leg, struct wire_recover_leg *item)
{
	const struct journal_cg *committed = leg_committed_cg(leg);
	const struct journal_cg *prepared = leg_prepared_cg(leg);
	const struct journal_cg *newest = prepared ? prepared : committed;
	struct journal_info info;
	int rc = leg_get_members(leg, &item->members);

	leg_get_info(leg, &info);
	snprintf(item->source, sizeof(item->source), "%s", leg->record.source_system);
	snprintf(item->initiator, sizeof(item->initiator), "%.*s", (int)sizeof(item->initiator) - 1, info.initiator);
	item->incarnation = info.incarnation;
	item->committed = info.committed;
	item->prepared = info.prepared;
	item->committed_us = committed ? committed->session_time_us : 0;
	item->prepared_us = prepared ? prepared->session_time_us : 0;
	item->highest_tag = info.highest_tag;
	item->epoch = info.epoch;
	item->decided = info.decided ? info.decision : 0;
	item->forced = info.forced;
	if (newest) {
		snprintf(item->master, sizeof(item->master), "%.*s", (int)sizeof(item->master) - 1, newest->master);
		item->member_version = newest->member_version;
		item->volumes = newest->volume_count;
	}
	if (newest && !rc)
		rc = list_missing(leg, newest, &item->missing);
	return rc == -ENOENT ? 0 : rc;
}

/*
 * In one step, so that what is read is of one moment, behind the fence if there is one. What a leg holds that is
 * offline nobody knows: it is left out, and so counts as a member that is missing.
 */
static int fill_legs(struct copy *copy, const struct wire_recover_request *request, struct wire_recover_legs *legs)
{
	struct leg *leg;
	int rc = 0;

	memcpy(legs->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	legs->items = mem_alloc_zeroed(WIRE_LEGS_MAX * sizeof(legs->items[0]));
	if (!legs->items)
		return -ENOMEM;
	list_for_each(leg, &copy->legs, link) {
		if (!is_meant(leg, request->session, request->key) || !leg_is_online(leg))
			continue;
		if (legs->count == WIRE_LEGS_MAX)
			return -E2BIG;
		rc = fill_leg(leg, &legs->items[legs->count++]);
		if (rc)
			return rc;
	}
	return 0;
}

int recover_on_probe(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_recover_request *probe = request;
	struct wire_recover_legs *legs = reply;
	int rc = fill_legs(arg, probe, legs);

	(void)peer;
	return rc || legs->count ? rc : refuse_unknown(arg, probe->session, why);
}

/* ---- an older group that it can show ---- */

static int fill_point(struct leg *leg, uint64_t number, struct wire_point_legs *legs)
{
	struct wire_point_leg *item = &legs->items[legs->count];
	MEM_OWNED struct journal_cg *cg = NULL;
	int rc = journal_read_point(leg->journal, number, &cg);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	legs->count++;
	snprintf(item->source, sizeof(item->source), "%s", leg->record.source_system);
	item->time_us = cg->session_time_us;
	item->volumes = cg->volume_count;
	rc = leg_unpack_members(cg, &item->members);
	return rc ? rc : list_missing(leg, cg, &item->missing);
}

int recover_on_point(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_point_request *asked = request;
	struct wire_point_legs *legs = reply;
	struct copy *copy = arg;
	struct leg *leg = NULL;
	int rc;

	(void)peer;
	memcpy(legs->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	legs->items = mem_alloc_zeroed(WIRE_LEGS_MAX * sizeof(legs->items[0]));
	if (!legs->items)
		return -ENOMEM;
	while ((leg = next_leg(copy, asked->session, asked->key, leg))) {
		if (!leg_is_online(leg))
			continue;
		rc = legs->count < WIRE_LEGS_MAX ? fill_point(leg, asked->number, legs) : -E2BIG;
		if (!rc)
			continue;
		copy_refuse(why, rc, "what CG %llu shows cannot be read: %s", (unsigned long long)asked->number,
			    strerror(-rc));
		leg_unpin(leg);
		return rc;
	}
	return 0;
}

/* ---- fencing ---- */

static int refuse_lost(const struct leg *leg, char *why)
{
	struct journal_info info;

	journal_get_info(leg->journal, &info);
	return copy_refuse(why, -ESTALE,
			   "session %u is being recovered, or was, by system %s (epoch %llu), which goes first",
			   leg->record.session, info.initiator, (unsigned long long)info.epoch);
}

int recover_on_fence(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_recover_request *fence = request;
	struct wire_recover_legs *legs = reply;
	struct copy *copy = arg;
	struct leg *leg = NULL;
	int rc = 0;
	RT_SHIELD();

	if (!fence->epoch || strcmp(fence->initiator, peer->system) != 0)
		return copy_refuse(why, -EINVAL, "who recovers says so by its own name and an epoch");
	while ((leg = next_leg(copy, fence->session, fence->key, leg))) {
		if (leg_check_online(leg, why)) {
			why[0] = '\0';
			continue;
		}
		rc = journal_fence(leg->journal, fence->epoch, fence->initiator);
		if (!rc)
			continue;
		if (rc == -ESTALE)
			refuse_lost(leg, why);
		else
			copy_refuse(why, rc, "the journal of %s cannot be fenced: %s", leg->record.source_system,
				    strerror(-rc));
		leg_unpin(leg);
		return rc;
	}
	rc = fill_legs(copy, fence, legs);
	return rc || legs->count ? rc : refuse_unknown(copy, fence->session, why);
}

/* ---- the decision ---- */

/* One target in the group becomes writable, with a new generation. What became of it after that is not undone. */
static int open_volume(struct leg *leg, uint16_t volume, uint64_t number)
{
	struct pair *pair = pair_find_target(leg->copy, leg->record.source_system, volume);
	int rc;

	if (!pair)
		return 0;
	pair_pin(pair);
	rc = pair_begin_change(pair);
	if (!rc) {
		/* In its turn: a failback may have made it a source meanwhile. */
		if (pair->record.role == PAIR_TARGET &&
		    (leg_owes(leg, &pair->record) || pair->record.state == PAIR_FAILED_OVER))
			rc = pair_fail_over(pair, number);
		/* In the same turn: no failback begins before. */
		if (!rc && pair->record.state == PAIR_FAILED_OVER)
			rc = leg_back_note(leg, pair);
		pair_end_change(pair);
	}
	pair_unpin(pair);
	return rc == -ENOENT ? 0 : rc;
}

static bool is_paired(const struct leg *leg, uint16_t volume)
{
	return pair_find(leg->copy, volume, leg->record.source_system);
}

/* The volumes of the group, to be freed. */
static int list_volumes(const struct leg *leg, uint64_t number, uint16_t **volumes, uint32_t *count)
{
	const struct journal_cg *cg = journal_committed_cg(leg->journal);
	MEM_OWNED struct journal_cg *older = NULL;
	int rc = 0;

	*count = 0;
	if (!cg || cg->number != number) {
		rc = journal_read_point(leg->journal, number, &older);
		cg = older;
	}
	if (rc)
		return rc;
	*volumes = mem_alloc((cg->volume_count + 1) * sizeof(**volumes));
	if (!*volumes)
		return -ENOMEM;
	*count = cg->volume_count;
	if (*count)
		memcpy(*volumes, cg->volumes, *count * sizeof(**volumes));
	return 0;
}

/* All of them that can show it; the others are listed, and opened when this is done again. */
static int open_volumes(struct leg *leg, uint64_t number, struct wire_recover_done *done)
{
	MEM_OWNED uint16_t *volumes = NULL;
	uint32_t count;
	int rc = list_volumes(leg, number, &volumes, &count);

	if (!rc)
		rc = make_list(&done->missing, JOURNAL_VOLUMES_MAX);
	for (uint32_t i = 0; i < count && !rc; i++) {
		if (is_missing(leg, volumes[i])) {
			log_line(LOG_ERROR, "recover",
				 "volume %04X is in the group, and cannot show it now: it stays closed", volumes[i]);
			if (done->missing.count < JOURNAL_VOLUMES_MAX)
				done->missing.ids[done->missing.count++] = volumes[i];
			continue;
		}
		if (!is_paired(leg, volumes[i])) {
			log_line(LOG_WARNING, "recover",
				 "volume %04X is in the group, and its pair is gone: left as it is", volumes[i]);
			continue;
		}
		rc = open_volume(leg, volumes[i], number);
		done->volumes += !rc;
	}
	return rc;
}

/* Targets of the same source that were in no group yet: what they hold is of no moment, and they stay closed. */
static int list_outside(struct leg *leg, struct wire_volumes *outside)
{
	const struct pair *pair;
	int rc = make_list(outside, JOURNAL_VOLUMES_MAX);

	list_for_each(pair, &leg->copy->pairs, link) {
		const struct record_pair *record = &pair->record;

		/* Those too that came after an older group. */
		if (!rc && !pair->gone && record->role == PAIR_TARGET && record->type == PAIR_ASYNC &&
		    record->state != PAIR_FAILED_OVER && (!record->joined || leg->back_group) &&
		    !leg_group_has(leg, record->volume) && !strcmp(record->system, leg->record.source_system) &&
		    outside->count < JOURNAL_VOLUMES_MAX)
			outside->ids[outside->count++] = record->volume;
	}
	return rc;
}

/* Durable, or as it was. */
static int change_record(struct leg *leg, enum session_state state, uint64_t recovered, uint64_t forced)
{
	struct record_leg before = leg->record;
	int rc;

	leg->record.state = state;
	leg->record.recovered_sequence = recovered;
	leg->record.forced_sequence = forced;
	rc = leg_save(leg);
	if (rc)
		leg->record = before;
	return rc;
}

/* The others have recovered to a group that this leg cannot show: its volumes stay closed. */
static int leave_out(struct leg *leg, const struct wire_recover_decide *decide, struct wire_recover_done *done)
{
	char object[16];

	if (!decide->forced)
		return 0;	/* it came to the session later, or had left it */
	done->inconsistent++;
	snprintf(object, sizeof(object), "session %u", leg->record.session);
	copy_tell(leg->copy, EVENT_SESSION_FATAL, EVENT_ERROR, object, "",
		  "recovery was forced to CG %llu of %s, which this system does not hold: its volumes stay closed",
		  (unsigned long long)decide->number, leg->record.source_system);
	return change_record(leg, SESSION_FATAL, leg->record.recovered_sequence, decide->number);
}

static int wait_applied(struct leg *leg)
{
	RT_LIMIT(rt_now_ns() + APPLIED_NS);

	return leg_wait_applied(leg);
}

/*
 * The group is brought to the volumes, which are opened. Hosts could be served through the journal's index from here
 * on; that saves them this wait. Volumes that it cannot be brought to stay behind, and keep nobody else waiting.
 */
static int show_group(struct leg *leg, const struct wire_recover_decide *decide, struct wire_recover_done *done,
		      char *why)
{
	int rc = wait_applied(leg);

	if (leg->offline)
		return leg_check_online(leg, why);
	if (rc == -ETIMEDOUT)
		return copy_refuse(why, rc,
				   "CG %llu is not in its volumes after %d s, which goes on: a disk is slow or hangs",
				   (unsigned long long)decide->number, (int)(APPLIED_NS / RT_SECOND));
	if (rc && (rc == -ECANCELED || leg->tried != decide->number))
		return rc;
	rc = leg_back_open(leg);
	if (!rc)
		rc = open_volumes(leg, decide->number, done);
	leg_back_close(leg);
	return rc ? rc : list_outside(leg, &done->outside);
}

/* All groups are applied before the volumes go back: the journal is then sure to have what that takes. */
static int decide_older(struct leg *leg, const struct wire_recover_decide *decide, char *why)
{
	int rc = wait_applied(leg);

	if (rc)
		return copy_refuse(why, rc, "the last group is not in all volumes, so none goes back: %s",
				   strerror(-rc));
	rc = journal_decide(leg->journal, decide->number, decide->epoch, decide->initiator, decide->forced);
	if (rc == -EINVAL)
		return copy_refuse(why, rc, "CG %llu is not kept by system %s any more",
				   (unsigned long long)decide->number, leg->copy->config.system);
	if (rc == -ENOSPC)
		return copy_refuse(why, rc, "the journal of session %u on system %s has no room to go back",
				   decide->session, leg->copy->config.system);
	return rc;
}

static bool is_older(const struct leg *leg, uint64_t number)
{
	struct journal_info info;

	journal_get_info(leg->journal, &info);
	return number < info.committed && !info.goes_back;
}

static int settle_leg(struct leg *leg, const struct wire_recover_decide *decide, struct wire_recover_done *done,
		      char *why)
{
	char object[16];
	int rc = 0;

	if (planted(PLANTED_RECOVERY_NO_FENCE))
		rc = journal_fence(leg->journal, decide->epoch, decide->initiator);
	if (!rc && is_older(leg, decide->number))
		rc = decide_older(leg, decide, why);
	else if (!rc)
		rc = journal_decide(leg->journal, decide->number, decide->epoch, decide->initiator, decide->forced);
	if (rc == -ESTALE && !why[0])
		return refuse_lost(leg, why);
	if (rc)
		return rc;
	rt_cond_wake_all(&leg->committed);
	rc = show_group(leg, decide, done, why);
	if (rc || leg->record.recovered_sequence == decide->number)
		return rc;
	peers_tell_changed(leg->copy, leg->record.source_system);
	snprintf(object, sizeof(object), "session %u", leg->record.session);
	copy_tell(leg->copy, EVENT_SESSION_RECOVERED, EVENT_WARNING, object, "",
		  "what %s sent here was recovered to CG %llu by system %s", leg->record.source_system,
		  (unsigned long long)decide->number, decide->initiator);
	return change_record(leg, SESSION_RECOVERED, decide->number, decide->forced ? decide->number : 0);
}

static int settle_or_leave_out(struct leg *leg, const struct wire_recover_decide *decide,
			       struct wire_recover_done *done, char *why)
{
	struct journal_info info;
	int rc;

	/* It was left out when it was asked: nothing is decided for it. */
	if (leg->offline)
		return 0;
	leg_get_info(leg, &info);
	if (info.committed != decide->number && info.prepared != decide->number &&
	    !journal_is_point(leg->journal, decide->number))
		return leave_out(leg, decide, done);
	rc = settle_leg(leg, decide, done, why);
	if (!rc)
		done->committed = decide->number;
	if (!rc && (uint64_t)(leg->heard_wall_ns / RT_US) > done->heard_us)
		done->heard_us = (uint64_t)(leg->heard_wall_ns / RT_US);
	return rc;
}

int recover_on_decide(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_recover_decide *decide = request;
	struct wire_recover_done *done = reply;
	struct copy *copy = arg;
	struct leg *leg = NULL;
	bool any = false;
	int rc;

	memcpy(done->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	if (!decide->number || !decide->epoch || strcmp(decide->initiator, peer->system) != 0)
		return copy_refuse(why, -EINVAL, "who recovers says so by its own name, an epoch and the group");
	while ((leg = next_leg(copy, decide->session, decide->key, leg))) {
		any = true;
		rc = settle_or_leave_out(leg, decide, done, why);
		if (!rc)
			continue;
		if (!why[0])
			copy_refuse(why, rc, "session %u of %s cannot be recovered on system %s: %s", decide->session,
				    leg->record.source_system, copy->config.system, strerror(-rc));
		leg_unpin(leg);
		return rc;
	}
	return any ? 0 : refuse_unknown(copy, decide->session, why);
}
