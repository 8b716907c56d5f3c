/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_offline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/volume_set.h"
#include "rt/log.h"

#define TURN_NS	(5 * RT_SECOND)		/* for a pair's turn */

/* ---- offline ---- */

void leg_set_offline(struct leg *leg, int error, const char *why)
{
	if (leg->offline)
		return;
	leg->offline = error;
	leg->offline_since_wall_ns = rt_wall_ns();
	snprintf(leg->offline_why, sizeof(leg->offline_why), "%s", why);
	log_line(LOG_ERROR, "journal",
		 "the journal of session %u of %s is offline: %s; mend it and start xdcd again, or give its group up: "
		 "xdc session terminate %u --force",
		 leg->record.session, leg->record.source_system, why, leg->record.session);
	rt_cond_wake_all(&leg->committed);
}

bool leg_is_online(struct leg *leg)
{
	if (!leg->offline && journal_fault(leg->journal))
		leg_set_offline(leg, -EIO, journal_fault(leg->journal));
	return !leg->offline;
}

int leg_check_online(struct leg *leg, char *why)
{
	if (leg_is_online(leg))
		return 0;
	return copy_refuse(why, -EIO, "the journal of session %u on system %s is offline: %s", leg->record.session,
			   leg->copy->config.system, leg->offline_why);
}

/* ---- which volumes are in its groups ---- */

static bool is_target_of(const struct leg *leg, const struct pair *pair)
{
	return !pair->gone && pair->record.role == PAIR_TARGET && !strcmp(pair->record.system,
									   leg->record.source_system);
}

static bool is_noted(const struct leg *leg, const struct pair *pair)
{
	return pair->record.joined && pair->record.session == leg->record.session;
}

bool leg_may_hold(const struct leg *leg, uint16_t volume)
{
	const struct pair *pair = pair_find_target(leg->copy, leg->record.source_system, volume);

	return pair && is_noted(leg, pair);
}

/* In the pair's turn: what it is from here on. */
static int change(struct pair *pair, const struct record_pair *next)
{
	int rc = pair_change_record(pair, next);

	if (!rc)
		pair->joined = next->joined;
	return rc;
}

static struct record_pair record_in(const struct pair *pair, uint8_t session)
{
	struct record_pair next = pair->record;

	next.given_away = next.given_away && session == next.session;
	next.session = session;
	next.joined = session != 0;
	return next;
}

static int begin_change(struct pair *pair)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return pair_begin_change(pair);
}

static int note(struct leg *leg, struct pair *pair, bool in_group)
{
	struct record_pair next;
	int rc = begin_change(pair);

	if (rc)
		return rc;
	next = record_in(pair, in_group ? leg->record.session : 0);
	if (is_target_of(leg, pair) && is_noted(leg, pair) != in_group)
		rc = change(pair, &next);
	pair_end_change(pair);
	return rc;
}

static void add_all(struct volume_set *set, const uint16_t *volumes, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		volume_set_add(set, volumes[i]);
}

int leg_note_volumes(struct leg *leg, const struct wire_volumes *volumes)
{
	const struct journal_cg *last = leg_committed_cg(leg);
	struct volume_set set = { 0 };
	struct pair *pair;
	int rc = 0;

	add_all(&set, volumes->ids, volumes->count);
	if (last)
		add_all(&set, last->volumes, last->volume_count);
	for (pair = pair_pin_first(leg->copy); pair; pair = pair_pin_next(pair)) {
		bool in_group = volume_set_has(&set, pair->record.volume);

		/* Of a volume that another session of the same source has, this one has nothing to say. */
		if (!is_target_of(leg, pair) || is_noted(leg, pair) == in_group)
			continue;
		rc = note(leg, pair, in_group);
		if (rc) {
			pair_unpin(pair);
			break;
		}
	}
	return rc;
}

/* ---- the leg is going ---- */

/* True when volumes of its last group may lack a part of that. */
static bool is_torn(const struct leg *leg)
{
	struct journal_info info;

	leg_get_info(leg, &info);
	return !leg->journal || info.applied < info.committed;
}

static void lose_group(struct record_pair *next)
{
	log_line(LOG_ERROR, "journal",
		 "volume %04X lacks a part of the group that was given up: delete its pair, and copy it anew",
		 next->volume);
	next->state = PAIR_TARGET_SUSPENDED;
	next->reason = PAIR_REASON_GROUP_LOST;
	next->since_wall_ns = rt_wall_ns();
}

/* In the pair's turn. */
static int release(struct leg *leg, struct pair *pair, bool torn)
{
	struct record_pair next = record_in(pair, 0);

	if (!is_target_of(leg, pair) || !is_noted(leg, pair))
		return 0;
	/* What was failed over had got its group before, and is production since. */
	if (torn && pair->record.state != PAIR_FAILED_OVER)
		lose_group(&next);
	return change(pair, &next);
}

static const struct left_pair *find_left(const struct leg *leg)
{
	const struct left_pair *left;

	list_for_each(left, &leg->copy->left_pairs, link) {
		const struct record_pair *record = &left->record;

		if (record->role == PAIR_TARGET && record->joined && record->session == leg->record.session &&
		    !strcmp(record->system, leg->record.source_system))
			return left;
	}
	return NULL;
}

/* Of a volume that is offline nobody knows what it lacks. */
static int release_left(const struct leg *leg)
{
	const struct left_pair *left;
	int rc = 0;

	while (!rc && (left = find_left(leg)) != NULL) {
		struct record_pair next = left->record;

		next.session = 0;
		next.joined = next.given_away = false;
		if (next.state != PAIR_FAILED_OVER)
			lose_group(&next);
		rc = pair_left_change(leg->copy, &next);
	}
	return rc;
}

int leg_release_volumes(struct leg *leg)
{
	bool torn = is_torn(leg);
	struct pair *pair;
	int rc = release_left(leg);

	if (rc)
		return rc;
	for (pair = pair_pin_first(leg->copy); pair; pair = pair_pin_next(pair)) {
		rc = begin_change(pair);
		if (!rc) {
			rc = release(leg, pair, torn);
			pair_end_change(pair);
		}
		if (rc == -ENOENT)
			rc = 0;		/* it went meanwhile */
		if (rc) {
			pair_unpin(pair);
			break;
		}
	}
	return rc;
}

/* ---- a disk that keeps nothing ---- */

int leg_refuse_sync(struct copy *copy, const struct wire_volumes *volumes, int error, char *why)
{
	for (uint32_t i = 0; i < volumes->count; i++) {
		struct copy_losses losses = copy_get_losses(copy, volumes->ids[i]);

		if (losses.sync_wall_ns)
			return copy_refuse(why, error, "volume %04X of system %s: its disk failed to keep writes",
					   volumes->ids[i], copy->config.system);
	}
	return copy_refuse(why, error, "the volumes on system %s cannot be made durable: %s", copy->config.system,
			   strerror(-error));
}
