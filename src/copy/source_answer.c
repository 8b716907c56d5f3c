/* SPDX-License-Identifier: Apache-2.0 */
/* What a source answers to the master of its session (source.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/session_entry.h"
#include "copy/source_private.h"
#include "copy/swap.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/journal.h"
#include "store/planted.h"

void source_fill_answer(struct source *source, struct wire_session_answer *answer)
{
	struct member_status status;
	struct source_leg *leg;

	member_get_status(source->member, &status);
	memcpy(answer->boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	answer->hold_us = (uint32_t)(status.hold_last_ns / RT_US);
	list_for_each(leg, &source->legs, link)
		answer->legs++;
}

/* Says no, and for which reason of those that the master counts. */
static int answer_no(struct source *source, enum cg_failure reason, struct wire_session_answer *answer)
{
	source_fill_answer(source, answer);
	answer->reason = (uint16_t)reason;
	return 0;
}

int source_check_speaker(const struct link_peer *peer, const struct wire_session_head *head, char *why)
{
	size_t len = strcspn(head->master, ":");

	if (head->master[len] && len == strlen(peer->system) && !memcmp(head->master, peer->system, len))
		return 0;
	return copy_refuse(why, -EACCES, "system %s is not %s", peer->system, head->master);
}

/*
 * The session's part here, if this master may speak: a master that is not the newest is refused, wherever it speaks.
 */
static int admit(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head,
		 struct source **out, char *why)
{
	struct source *source = source_find(copy, head->session);
	int rc = source_check_speaker(peer, head, why);

	if (rc)
		return rc;
	/* This system has restarted without volumes in it: a join takes it up. */
	if (!source)
		return copy_refuse(why, -EPROTO, "system %s has no volume in session %u", copy->config.system,
				   head->session);
	if (session_entry_check(copy, head->session, why))
		return -EPERM;
	if (head->incarnation < source->incarnation)
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", head->session, source->master);
	if (!source->joined || head->incarnation != source->incarnation || strcmp(head->master, source->master) != 0)
		return copy_refuse(why, -EPROTO, "system %s has not joined this master", copy->config.system);
	*out = source;
	return 0;
}

static int fill_report(struct source *source, struct wire_session_report *report)
{
	struct member_status status;
	struct member_counts counts;
	struct source_leg *leg;
	unsigned count = 0;

	member_count(source->member, &counts);
	member_get_status(source->member, &status);
	list_for_each(leg, &source->legs, link)
		count++;
	report->legs = mem_alloc_zeroed((count + 1) * sizeof(report->legs[0]));
	if (!report->legs)
		return -ENOMEM;
	list_for_each(leg, &source->legs, link) {
		struct wire_leg_report *item = &report->legs[report->leg_count++];

		snprintf(item->far, sizeof(item->far), "%s", leg->peer->system);
		snprintf(item->far_address, sizeof(item->far_address), "%s", link_get_config(leg->peer->to)->address);
		item->connected = source_leg_is_connected(leg);
		item->volumes = leg->pairs;
		item->joining = leg->pairs - pair_count_grouped(source->copy, source->number, item->far);
		item->state = leg->state;
		/* A volume that was in another session may have higher tags than its far side has heard of. */
		if (item->state.highest_tag < status.lowest - 1)
			item->state.highest_tag = status.lowest - 1;
	}
	memcpy(report->boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	report->closing_number = status.closing;
	report->out_of_sync_blocks = counts.out_of_sync_blocks;
	report->hold_max_us = (uint64_t)(status.hold_max_ns / RT_US);
	return 0;
}

/* A copy of the member list of the master, for leg_open. */
static int keep_members(struct source *source, const struct wire_members *members)
{
	struct wire_member *items = mem_alloc((members->count + 1) * sizeof(items[0]));

	if (!items)
		return -ENOMEM;
	if (members->count)
		memcpy(items, members->items, members->count * sizeof(items[0]));
	mem_free(source->members.items);
	source->members = (struct wire_members){ .count = members->count, .items = items };
	return 0;
}

static bool any_closing(struct source *source)
{
	struct member_status status;

	member_get_status(source->member, &status);
	return status.closing != 0;
}

/* From here on data may be tagged: the journal takes none that may be in a group already. */
static void raise_above(const struct wire_leg_state *state, uint64_t *tag)
{
	if (*tag < state->highest_tag)
		*tag = state->highest_tag;
	if (*tag <= state->prepared)
		*tag = state->prepared + 1;
	if (*tag <= state->committed)
		*tag = state->committed + 1;
}

/* Tells all legs which master they obey and hears what they hold. -EPERM: one of them was recovered. */
static int open_legs(struct source *source, uint64_t *highest, bool *all_known, char *why)
{
	const struct wire_session_head head = source_make_head(source);
	const struct leg_question like = {
		.type = WIRE_LEG_OPEN, .head = &head, .limit_ns = rt_now_ns() + LEG_ANSWER_NS,
	};
	unsigned count;
	struct leg_question *questions = leg_questions_make(source, &like, &count);
	int rc;

	if (!questions)
		return -ENOMEM;
	rc = leg_questions_ask(questions, count);
	*highest = 0;
	*all_known = true;
	for (unsigned i = 0; i < count && !rc; i++) {
		struct source_leg *leg = questions[i].leg;
		const char *words = questions[i].why[0] ? questions[i].why : strerror(-questions[i].rc);

		if (questions[i].rc == -EPERM)
			rc = copy_refuse(why, -EPERM, "far side %s: %s", leg->peer->system, words);
		leg->open = leg->open && !questions[i].rc;
		*all_known = *all_known && leg->open;
		raise_above(&leg->state, highest);
		if (planted(PLANTED_RESTART_LOW_TAG))
			*highest = leg->state.committed + 1;
	}
	leg_questions_drop(questions, count);
	return rc;
}

/* Numbers of attempts are tags of data, which have a bound, and the one behind must be one too. */
static bool is_attempt(uint64_t attempt)
{
	return attempt < JOURNAL_TAG_MAX - 1;
}

/*
 * A volume that is offline and whose far side no other leads to: what that far side holds cannot be asked, and
 * whoever decided without it might commit a group that it does not have.
 */
static const struct left_pair *find_cut_off(struct source *source)
{
	const struct left_pair *left;

	list_for_each(left, &source->copy->left_pairs, link) {
		if (left->record.role == PAIR_SOURCE && left->record.session == source->number &&
		    !source_leg_find(source, left->record.system))
			return left;
	}
	return NULL;
}

int source_on_join(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_join *join = request;
	struct copy *copy = arg;
	struct source *source = source_find(copy, join->head.session);
	const struct left_pair *left;
	uint64_t highest = 0;
	bool all_known;
	int rc = source_check_speaker(peer, &join->head, why);

	if (rc)
		return rc;
	if (session_entry_check(copy, join->head.session, why))
		return -EPERM;
	/* Open here, but without a volume yet: it takes part, and its volumes come later. */
	if (!source && session_entry_find(copy, join->head.session)) {
		source = source_get(copy, join->head.session);
		if (!source)
			return -ENOMEM;
	}
	if (!source)
		return copy_refuse(why, -ENOENT, "session %u is not open on system %s; open it, or start without it",
				   join->head.session, copy->config.system);
	left = find_cut_off(source);
	if (left)
		return copy_refuse(why, -EIO, "volume %04X of system %s is offline, and with it far side %s",
				   left->record.volume, copy->config.system, left->record.system);
	if (!is_attempt(join->head.attempt))
		return copy_refuse(why, -EINVAL, "no attempt has the number %llu",
				   (unsigned long long)join->head.attempt);
	if (join->head.incarnation < source->incarnation)
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", join->head.session,
				   source->master);
	if (any_closing(source))
		member_leave(source->member, 0, CG_FAILURE_SUPERSEDED);
	rc = keep_members(source, &join->members);
	if (rc)
		return rc;
	memcpy(source->master, join->head.master, sizeof(source->master));
	memcpy(source->key, join->key, sizeof(source->key));
	source->incarnation = join->head.incarnation;
	source->attempt = join->head.attempt;
	source->exists = join->head.exists;
	source->joined = false;
	rc = open_legs(source, &highest, &all_known, why);
	if (rc)
		return rc;
	if (source->incarnation != join->head.incarnation)
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", join->head.session,
				   source->master);
	/* Takes part only in attempts that begin after this, and tags above all that its far sides hold. */
	member_handshake(source->member, join->head.attempt, highest);
	source->joined = true;
	if (all_known)
		pair_allow_tags(copy, source->number);
	return fill_report(source, reply);
}

int source_on_keep(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_keep *keep = request;
	struct source *source = source_find(arg, keep->head.session);
	const struct leg_question like = {
		.type = WIRE_LEG_KEEP, .head = &keep->head, .keep = keep, .limit_ns = rt_now_ns() + LEG_ANSWER_NS,
	};
	int rc = source_check_speaker(peer, &keep->head, why);

	if (rc)
		return rc;
	if (!source || !source->joined || keep->head.incarnation != source->incarnation)
		return copy_refuse(why, -ESTALE, "session %u has another master, or none yet", keep->head.session);
	rc = source_ask_legs(source, &like, why);
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

int source_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *status = request;
	struct source *source = source_find(arg, status->head.session);

	(void)peer;
	if (!source)
		return copy_refuse(why, -ENOENT, "no volume in session %u here", status->head.session);
	return fill_report(source, reply);
}

/*
 * A volume that lost writes is behind what its far side may hold: a group of what is left here would replace the last
 * one that has them. An administrator decides: volume accept, or recovery at the far side.
 */
static int check_losses(struct source *source, char *why)
{
	const struct left_pair *left = pair_left_in_session(source->copy, source->number);
	const char *system = source->copy->config.system;
	const struct pair *pair;

	/* A group without it would drop what the far side has of it from the last one. */
	if (left)
		return copy_refuse(why, -EIO, "volume %04X of system %s is offline", left->record.volume, system);
	list_for_each(pair, &source->copy->pairs, link) {
		struct copy_losses losses;

		if (pair->gone || pair->record.role != PAIR_SOURCE || pair->record.session != source->number)
			continue;
		losses = copy_get_losses(source->copy, pair->record.volume);
		if (losses.power_wall_ns && !planted(PLANTED_LOSS_IGNORED))
			return copy_refuse(why, -EUCLEAN, "volume %04X of system %s lost unflushed writes",
					   pair->record.volume, system);
		if (losses.sync_wall_ns)
			return copy_refuse(why, -EIO, "volume %04X of system %s: its disk failed to keep writes",
					   pair->record.volume, system);
	}
	return 0;
}

static bool any_suspended(const struct source *source)
{
	const struct pair *pair;

	list_for_each(pair, &source->copy->pairs, link) {
		if (!pair->gone && pair->record.session == source->number && pair_stops_groups(pair))
			return true;
	}
	return false;
}

/* It is that of the last attempt here: what that had closed is in it. */
static void note_group(struct source *source, uint64_t exists)
{
	if (!exists || exists != source->attempt)
		return;
	pair_note_group(source->copy, source->number);
	swap_open_volumes(source);
}

int source_on_close(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_close *close = request;
	struct wire_session_answer *answer = reply;
	struct source *source;
	struct source_leg *leg;
	bool empty;
	int rc = admit(arg, peer, &close->head, &source, why);

	if (rc)
		return rc;
	if (!is_attempt(close->head.attempt) || !close->coordination_ms ||
	    close->coordination_ms > XDC_COORDINATION_MS_MAX)
		return copy_refuse(why, -EINVAL, "attempt %llu with %u ms for the coordination is none",
				   (unsigned long long)close->head.attempt, close->coordination_ms);
	rc = check_losses(source, why);
	if (rc)
		return rc;
	if (any_suspended(source))
		return answer_no(source, CG_FAILURE_PAIR_SUSPENDED, answer);
	list_for_each(leg, &source->legs, link) {
		if (!source_leg_is_connected(leg))
			return copy_refuse(why, source_leg_missing(leg), "system %s does not reach its far side %s",
					   source->copy->config.system, leg->peer->system);
	}
	note_group(source, close->head.exists);
	rc = member_close(source->member, close->head.attempt, close->head.exists,
			  (int64_t)close->coordination_ms * RT_MS, &empty);
	if (rc == -ERANGE)
		return copy_refuse(why, -EPROTO, "tags here are above attempt %llu",
				   (unsigned long long)close->head.attempt);
	if (rc)
		return copy_refuse(why, rc, "attempt %llu is over", (unsigned long long)close->head.attempt);
	source->attempt = close->head.attempt;
	source->exists = close->head.exists;
	source_fill_answer(source, answer);
	/* A volume that has just joined is to be in a group, though nothing was written. */
	empty = empty && pair_all_grouped(source->copy, source->number);
	answer->empty = empty;
	source->idle = empty;
	rt_cond_wake_all(&source->idle_begins);
	return 0;
}

int source_on_release(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *release = request;
	struct source *source = NULL;
	int rc = admit(arg, peer, &release->head, &source, why);

	if (!rc)
		rc = member_release(source->member, release->head.attempt);
	if (rc == -ESTALE && !why[0])
		copy_refuse(why, rc, "the hold was over before the release came");
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

int source_on_drain(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_drain *drain = request;
	struct member_status status;
	struct source *source;
	int rc = admit(arg, peer, &drain->head, &source, why);

	if (rc)
		return rc;
	{
		RT_LIMIT(drain->limit_ms ? rt_now_ns() + (int64_t)drain->limit_ms * RT_MS : RT_NEVER);
		rc = member_drain(source->member, drain->head.attempt);
	}
	member_get_status(source->member, &status);
	if (rc == -ETIMEDOUT)
		return answer_no(source, CG_FAILURE_DRAIN_TIME, reply);
	if (rc && rc != -EPROTO && status.failure)
		return answer_no(source, status.failure, reply);
	if (rc)
		return copy_refuse(why, rc, "not drained: %s", strerror(-rc));
	source_fill_answer(source, reply);
	return 0;
}

int source_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_prepare *prepare = request;
	struct source *source = NULL;
	struct leg_question question = {
		.type = WIRE_LEG_PREPARE, .head = &prepare->head, .session_time_us = prepare->session_time_us,
		.members = &prepare->members, .limit_ns = rt_now_ns() + (int64_t)prepare->limit_ms * RT_MS,
	};
	struct member_status status;
	int rc = admit(arg, peer, &prepare->head, &source, why);

	if (rc)
		return rc;
	if (!member_may_prepare(source->member, prepare->head.attempt)) {
		member_get_status(source->member, &status);
		return answer_no(source, status.failure ? status.failure : CG_FAILURE_SUPERSEDED, reply);
	}
	rc = keep_members(source, &prepare->members);
	if (rc)
		return rc;
	rc = source_ask_legs(source, &question, why);
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

int source_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *commit = request;
	struct source *source = NULL;
	struct leg_question question = {
		.type = WIRE_LEG_COMMIT, .head = &commit->head, .limit_ns = rt_now_ns() + LEG_ANSWER_NS,
	};
	int rc = admit(arg, peer, &commit->head, &source, why);

	if (!rc)
		rc = source_ask_legs(source, &question, why);
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

/* Whether it still takes part in attempts of this master or not: nothing is held or kept apart for one that is over. */
static void end_attempt(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head)
{
	struct source *source = source_find(copy, head->session);
	char ignored[WIRE_TEXT_SIZE];

	if (source && !source_check_speaker(peer, head, ignored) && head->incarnation >= source->incarnation)
		member_leave(source->member, head->attempt, CG_FAILURE_SUPERSEDED);
}

int source_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *abort = request;
	struct source *source = NULL;
	struct leg_question question = {
		.type = WIRE_LEG_ABORT, .head = &abort->head, .limit_ns = rt_now_ns() + LEG_ANSWER_NS,
	};
	int rc;

	end_attempt(arg, peer, &abort->head);
	rc = admit(arg, peer, &abort->head, &source, why);
	if (!rc)
		rc = source_ask_legs(source, &question, why);
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

int source_on_exists(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *exists = request;
	struct source *source = NULL;
	int rc = admit(arg, peer, &exists->head, &source, why);

	if (rc)
		return rc;
	member_exists(source->member, exists->head.exists);
	source->exists = exists->head.exists;
	note_group(source, exists->head.exists);
	source_fill_answer(source, reply);
	return 0;
}

int source_on_leave(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *leave = request;
	struct source *source = NULL;
	int rc = admit(arg, peer, &leave->head, &source, why);

	if (rc)
		return rc;
	member_leave(source->member, 0, CG_FAILURE_WRONG_STATE);
	source->joined = false;
	source_fill_answer(source, reply);
	return 0;
}
