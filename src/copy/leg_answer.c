/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of a source to its leg (leg.h): open, status, prepare, commit, abort. */
#include "copy/leg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg_apply.h"
#include "copy/leg_offline.h"
#include "copy/leg_room.h"
#include "copy/leg_show.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/volume_set.h"
#include "rt/mem.h"
#include "store/planted.h"

#define APPLIED_NS	(5 * RT_SECOND)		/* for the last group to be in the volumes */

void leg_fill_state(const struct leg *leg, struct wire_leg_state *state)
{
	struct journal_info info;

	journal_get_info(leg->journal, &info);
	memcpy(state->boot_id, leg->copy->far_boot_id, WIRE_ID_SIZE);
	state->committed = info.committed;
	state->prepared = info.prepared;
	state->highest_tag = info.highest_tag;
	state->incarnation = info.incarnation;
	state->recovery_epoch = info.epoch;
	state->applied = info.applied;
	state->journal_used_bytes = info.used_bytes;
	state->journal_free_bytes = info.limit_bytes > info.used_bytes ? info.limit_bytes - info.used_bytes : 0;
}

int leg_admit(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head, struct leg **out,
	      char *why)
{
	struct leg *leg = leg_find(copy, head->session, peer->system);
	struct journal_info info;

	if (!leg)
		return copy_refuse(why, -ENOENT, "session %u of %s is not known here", head->session, peer->system);
	leg_get_info(leg, &info);
	if (info.epoch || leg->record.recovered_sequence)
		return copy_refuse(why, -EPERM, "session %u was recovered here by %s: it is not a target any more",
				   head->session, info.epoch ? info.initiator : "an administrator");
	if (leg_check_online(leg, why))
		return -EIO;
	if (head->incarnation < info.incarnation)
		return copy_refuse(why, -ESTALE, "session %u obeys a newer master", head->session);
	leg->heard_wall_ns = rt_wall_ns();
	leg_pin(leg);
	*out = leg;
	return 0;
}

/* What nobody sends here anything for needs no journal. */
static bool is_paired(struct copy *copy, const char *system)
{
	const struct left_pair *left;
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (!pair->gone && !strcmp(pair->record.system, system))
			return true;
	}
	list_for_each(left, &copy->left_pairs, link) {
		if (!strcmp(left->record.system, system))
			return true;
	}
	return false;
}

/* One at a time: a request that was given up and repeated may still be at it. */
static int find_or_make_leg(struct copy *copy, const struct link_peer *peer, const struct wire_leg_open *open,
			    struct leg **out, char *why)
{
	int rc;

	if (!is_paired(copy, peer->system))
		return copy_refuse(why, -ENOENT, "system %s has no pair here", peer->system);
	rc = rt_mutex_lock(&copy->making_legs);
	if (rc)
		return rc;
	if (!leg_find(copy, open->head.session, peer->system))
		rc = leg_make(copy, peer->system, &open->head);
	if (rc)
		copy_refuse(why, rc, "the journal of session %u cannot be opened: %s", open->head.session,
			    strerror(-rc));
	else
		rc = leg_admit(copy, peer, &open->head, out, why);
	rt_mutex_unlock(&copy->making_legs);
	return rc;
}

int leg_on_open(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_open *open = request;
	struct copy *copy = arg;
	LEG_PINNED struct leg *leg = NULL;
	int rc;
	RT_SHIELD();

	rc = find_or_make_leg(copy, peer, open, &leg, why);
	/* A session that was not resumed, but started anew. */
	if (!rc)
		rc = leg_hide(leg, why);
	if (rc)
		return rc;
	rc = journal_obey(leg->journal, open->head.incarnation);
	if (!rc && (leg->record.incarnation != open->head.incarnation || leg->record.state != SESSION_RUNNING ||
		    memcmp(leg->record.key, open->key, sizeof(open->key)) != 0)) {
		const char *colon = strchr(open->head.master, ':');

		leg->record.incarnation = open->head.incarnation;
		leg->record.state = SESSION_RUNNING;
		memcpy(leg->record.key, open->key, sizeof(open->key));
		snprintf(leg->record.master_system, sizeof(leg->record.master_system), "%.*s",
			 colon ? (int)(colon - open->head.master) : 0, open->head.master);
		rc = leg_save(leg);
	}
	if (rc)
		return copy_refuse(why, rc, "session %u cannot be taken up: %s", open->head.session, strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}

int leg_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *status = request;
	struct leg *leg = leg_find(arg, status->head.session, peer->system);

	if (!leg)
		return copy_refuse(why, -ENOENT, "session %u of %s is not known here", status->head.session,
				   peer->system);
	if (leg_check_online(leg, why))
		return -EIO;
	leg_fill_state(leg, reply);
	return 0;
}

/* Every data connection has brought here exactly what the source sent over it. */
static int check_marks(struct copy *copy, const struct link_peer *peer, const struct wire_leg_prepare *prepare,
		       char *why)
{
	for (uint32_t i = 0; i < prepare->mark_count; i++) {
		int rc = link_server_check_mark(copy->server, peer->system, &prepare->marks[i]);

		if (rc)
			return copy_refuse(why, rc, "data connection %u does not hold what was sent",
					   prepare->marks[i].reactor);
	}
	return 0;
}

/* Every volume of the group is a target of this source. */
static int check_targets(struct copy *copy, const struct link_peer *peer, const struct wire_volumes *volumes, char *why)
{
	struct volume_set targets = { 0 };
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (!pair->gone && pair->record.role == PAIR_TARGET && !strcmp(pair->record.system, peer->system) &&
		    pair->record.reason != PAIR_REASON_GROUP_LOST)
			volume_set_add(&targets, pair->record.volume);
	}
	for (uint32_t i = 0; i < volumes->count; i++) {
		if (!volume_set_has(&targets, volumes->ids[i]))
			return copy_refuse(why, -ENOENT, "volume %04X of system %s is no target of system %s",
					   volumes->ids[i], copy->config.system, peer->system);
	}
	return 0;
}

/*
 * A volume that is no longer in the group must have got what it had in the last one: once the next is committed, what
 * the journal still holds of it is nobody's.
 */
static int check_volumes(struct leg *leg, const struct link_peer *peer, const struct wire_volumes *volumes, char *why)
{
	const struct journal_cg *last = journal_committed_cg(leg->journal);
	struct volume_set next = { 0 };
	bool any_leaves = false;
	int rc = check_targets(leg->copy, peer, volumes, why);
	RT_LIMIT(rt_now_ns() + APPLIED_NS);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < volumes->count; i++)
		volume_set_add(&next, volumes->ids[i]);
	for (uint32_t i = 0; last && i < last->volume_count; i++)
		any_leaves = any_leaves || !volume_set_has(&next, last->volumes[i]);
	if (any_leaves)
		rc = leg_wait_applied(leg);
	return rc ? copy_refuse(why, rc, "the last group is not in the volumes: %s", strerror(-rc)) : 0;
}

static int refuse_restarted(const struct copy *copy, char *why)
{
	return copy_refuse(why, -ESTALE, "system %s has restarted since it acknowledged", copy->config.system);
}

static int prepare_leg(struct leg *leg, const struct link_peer *peer, const struct wire_leg_prepare *prepare, char *why)
{
	struct copy *copy = leg->copy;
	struct journal_cg cg = {
		.number = prepare->head.attempt, .session_time_us = prepare->session_time_us,
		.wall_time_us = prepare->wall_us, .incarnation = prepare->head.incarnation,
		.member_version = prepare->head.member_version, .volume_count = prepare->volumes.count,
		.volumes = prepare->volumes.ids,
	};
	MEM_OWNED uint8_t *members = NULL;
	int rc = 0;

	if (leg->record.shown_sequence)
		return copy_refuse(why, -EBUSY, "system %s shows CG %llu to hosts: xdc session resume ends that",
				   copy->config.system, (unsigned long long)leg->record.shown_sequence);
	if ((memcmp(prepare->far_boot_id, copy->far_boot_id, WIRE_ID_SIZE) != 0 || leg->making_room) &&
	    !planted(PLANTED_PREPARE_ANY_BOOT))
		return refuse_restarted(copy, why);
	if (!planted(PLANTED_PREPARE_ANY_BOOT))
		rc = check_marks(copy, peer, prepare, why);
	if (!rc)
		rc = check_volumes(leg, peer, &prepare->volumes, why);
	if (rc)
		return rc;
	/* The first CG of a volume rests on what the first copy wrote straight into it. */
	rc = leg_sync_bare(copy, prepare->volumes.ids, prepare->volumes.count);
	if (rc)
		return leg_refuse_sync(copy, &prepare->volumes, rc, why);
	/* Now that it is durable: an administrator may have accepted meanwhile that some of it was lost. */
	if (memcmp(prepare->far_boot_id, copy->far_boot_id, WIRE_ID_SIZE) != 0 && !planted(PLANTED_PREPARE_ANY_BOOT))
		return refuse_restarted(copy, why);
	rc = leg_note_volumes(leg, &prepare->volumes);
	members = leg_pack_members(&prepare->members, &cg.member_bytes);
	if (!rc && !members)
		rc = -ENOMEM;
	cg.members = members;
	for (uint32_t i = 0; i < prepare->mark_count; i++) {
		cg.frames += prepare->marks[i].frames;
		cg.digest ^= prepare->marks[i].digest;
	}
	snprintf(cg.master, sizeof(cg.master), "%s", prepare->head.master);
	if (!rc)
		rc = journal_prepare(leg->journal, &cg);
	return rc ? copy_refuse(why, rc, "CG %llu is not durable: %s", (unsigned long long)cg.number, strerror(-rc))
		  : 0;
}

int leg_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_prepare *prepare = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &prepare->head, &leg, why);
	RT_SHIELD();

	if (rc)
		return rc;
	/* As long as it is counted nothing of what it rests on is thrown away (leg_apply.c). */
	leg->preparing++;
	rc = prepare_leg(leg, peer, prepare, why);
	leg->preparing--;
	if (!rc)
		leg_fill_state(leg, reply);
	return rc;
}

/* Far sides agree on a group (leg_hold.h): for a moment none has a newer one. */
static int commit_leg(struct leg *leg, const struct wire_session_head *head)
{
	int rc = 0;

	while (rt_now_ns() < leg->commits_from_ns && !rc) {
		RT_LIMIT(leg->commits_from_ns);
		rc = rt_cond_wait(&leg->committed);
	}
	leg->committing++;
	rc = journal_commit(leg->journal, head->attempt, head->incarnation);
	leg->committing--;
	rt_cond_wake_all(&leg->committed);
	return rc;
}

int leg_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *commit = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &commit->head, &leg, why);
	RT_SHIELD();

	if (!rc)
		rc = commit_leg(leg, &commit->head);
	if (rc)
		return why[0] ? rc : copy_refuse(why, rc, "CG %llu cannot be committed: %s",
						 (unsigned long long)commit->head.attempt, strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}

/* attempt 0: whatever is prepared, by a master that has asked all and found no CG that may be committed. */
int leg_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *abort = request;
	struct journal_info info;
	LEG_PINNED struct leg *leg = NULL;
	uint64_t number = abort->head.attempt;
	int rc = leg_admit(arg, peer, &abort->head, &leg, why);
	RT_SHIELD();

	if (rc)
		return rc;
	journal_get_info(leg->journal, &info);
	if (!number)
		number = info.prepared;
	if (number)
		rc = journal_abort(leg->journal, number, abort->head.incarnation);
	if (rc)
		return copy_refuse(why, rc, "CG %llu cannot be given up: %s", (unsigned long long)number,
				   strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}
