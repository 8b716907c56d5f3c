/* SPDX-License-Identifier: Apache-2.0 */
/* What a far side answers to the system that recovers a session: its own part of it (recover.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/recover.h"
#include "copy/recover_plan.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

/* ---- the legs that are meant ---- */

/* The next leg of the session with this key behind one that is pinned (NULL: the first), pinned in its place. */
static struct leg *next_leg(struct copy *copy, uint8_t session, const uint8_t *key, struct leg *after)
{
	struct list_head *at = after ? after->link.next : copy->legs.next;
	struct leg *next = NULL;

	for (; at != &copy->legs && !next; at = at->next) {
		struct leg *leg = container_of(at, struct leg, link);

		if (leg->record.session == session && !memcmp(leg->record.key, key, WIRE_KEY_SIZE))
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
		if (leg->record.session == session && leg->offline)
			return leg_check_online(leg, why);
		if (leg->record.session == session)
			return copy_refuse(why, -EACCES, "the session %u that system %s knows has another key", session,
					   copy->config.system);
	}
	return copy_refuse(why, -ENOENT, "system %s knows no session %u", copy->config.system, session);
}

/* ---- what it holds ---- */

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
		if (leg->record.session != request->session ||
		    memcmp(leg->record.key, request->key, WIRE_KEY_SIZE) != 0 || !leg_is_online(leg))
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

/* All targets in the group become writable, each with a new generation. */
static int open_volumes(struct leg *leg, uint64_t number)
{
	const struct journal_cg *cg = journal_committed_cg(leg->journal);
	uint32_t count = cg ? cg->volume_count : 0;
	MEM_OWNED uint16_t *volumes = mem_alloc((count + 1) * sizeof(volumes[0]));
	int rc = 0;

	if (!volumes)
		return -ENOMEM;
	if (count)
		memcpy(volumes, cg->volumes, count * sizeof(volumes[0]));
	for (uint32_t i = 0; i < count && !rc; i++) {
		struct pair *pair = pair_find_target(leg->copy, leg->record.source_system, volumes[i]);

		if (!pair) {
			log_line(LOG_WARNING, "recover",
				 "volume %04X is in the group, and its pair is gone: left as it is", volumes[i]);
			continue;
		}
		pair_pin(pair);
		rc = pair_begin_change(pair);
		if (!rc) {
			rc = pair_fail_over(pair, number);
			pair_end_change(pair);
		}
		pair_unpin(pair);
	}
	return rc;
}

/* The others have recovered to a group that this leg cannot show: its volumes stay closed. */
static int leave_out(struct leg *leg, const struct wire_recover_decide *decide, struct wire_recover_done *done)
{
	if (!decide->forced)
		return 0;	/* it came to the session later, or had left it */
	done->inconsistent++;
	log_line(LOG_ERROR, "recover",
		 "session %u of %s: recovery was forced to CG %llu, which this system does not hold: "
		 "its volumes stay closed",
		 leg->record.session, leg->record.source_system, (unsigned long long)decide->number);
	leg->record.state = SESSION_FATAL;
	leg->record.forced_sequence = decide->number;
	return leg_save(leg);
}

static int settle_leg(struct leg *leg, const struct wire_recover_decide *decide, char *why)
{
	int rc = 0;

	if (planted(PLANTED_RECOVERY_NO_FENCE))
		rc = journal_fence(leg->journal, decide->epoch, decide->initiator);
	if (!rc)
		rc = journal_decide(leg->journal, decide->number, decide->epoch, decide->initiator, decide->forced);
	if (rc == -ESTALE)
		return refuse_lost(leg, why);
	if (rc)
		return rc;
	rt_cond_wake_all(&leg->committed);
	/* Hosts could be served through the journal's index from here on; that saves them this wait. */
	rc = leg_wait_applied(leg);
	if (leg->offline)
		return leg_check_online(leg, why);
	if (!rc)
		rc = open_volumes(leg, decide->number);
	if (rc)
		return rc;
	peers_tell_changed(leg->copy, leg->record.source_system);
	log_line(LOG_NOTICE, "recover", "session %u of %s: recovered to CG %llu by system %s", leg->record.session,
		 leg->record.source_system, (unsigned long long)decide->number, decide->initiator);
	leg->record.state = SESSION_RECOVERED;
	leg->record.recovered_sequence = decide->number;
	leg->record.forced_sequence = decide->forced ? decide->number : 0;
	return leg_save(leg);
}

static int settle_or_leave_out(struct leg *leg, const struct wire_recover_decide *decide,
			       struct wire_recover_done *done, char *why)
{
	struct journal_info info;
	int rc = 0;

	/* It was left out when it was asked: nothing is decided for it. */
	if (leg->offline)
		return 0;
	leg_get_info(leg, &info);
	if (info.committed != decide->number && info.prepared != decide->number)
		return leave_out(leg, decide, done);
	/* Done before, and what happened to its pairs since is not undone. */
	if (leg->record.recovered_sequence != decide->number)
		rc = settle_leg(leg, decide, why);
	if (!rc) {
		done->volumes += leg_committed_cg(leg)->volume_count;
		done->committed = decide->number;
	}
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
