/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/source.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/member.h"
#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/journal.h"
#include "volume/planted.h"

struct source_leg {
	struct list_head link;			/* of source->legs, until its last pair has left */
	struct source *source;
	struct peer *peer;
	unsigned pairs;
	unsigned pins;				/* the list, and fibers that suspend and come back to it */
	bool open;				/* the far side has answered leg_open */
	uint8_t boot_id[WIRE_ID_SIZE];		/* with this boot id */
	struct wire_leg_state state;		/* as last heard */
};

struct source {
	struct list_head link;
	struct copy *copy;
	struct member *member;
	struct list_head legs;
	struct rt_group fibers;
	struct rt_cond idle_begins;
	bool idle;				/* the last close found nothing written */
	struct rt_mutex opening;		/* one at a time speaks leg_open */
	uint8_t number;
	bool joined;				/* a master has spoken since this system started */
	char master[WIRE_MASTER_SIZE];
	uint64_t incarnation, attempt, exists;
	uint8_t key[WIRE_KEY_SIZE];
	struct wire_members members;		/* the list of the last prepare, owned */
};

/* ---- legs ---- */

static struct source_leg *find_leg(struct source *source, const char *far)
{
	struct source_leg *leg;

	list_for_each(leg, &source->legs, link) {
		if (!strcmp(leg->peer->system, far))
			return leg;
	}
	return NULL;
}

static void unpin_leg(struct source_leg *leg)
{
	if (--leg->pins)
		return;
	peer_put(leg->peer);
	mem_free(leg);
}

static bool leg_connected(const struct source_leg *leg)
{
	struct link_state state;

	link_get_state(leg->peer->to, &state);
	/* Not before the pairs know of a restart (peers.c): what they count as acknowledged is gone with it. */
	return leg->open && state.connected && !memcmp(state.peer_boot_id, leg->boot_id, WIRE_ID_SIZE) &&
	       !memcmp(state.peer_boot_id, leg->peer->boot_id, WIRE_ID_SIZE);
}

/* Why a leg is of no use: not reached, or reached and not opened since the far side started; then join opens it. */
static int leg_missing(const struct source_leg *leg)
{
	struct link_state state;

	link_get_state(leg->peer->to, &state);
	return state.connected ? -EPROTO : -ENOTCONN;
}

static struct wire_session_head make_head(const struct source *source)
{
	struct wire_session_head head = {
		.session = source->number, .incarnation = source->incarnation,
		.attempt = source->attempt, .exists = source->exists,
	};

	memcpy(head.master, source->master, sizeof(head.master));
	return head;
}

/*
 * Tells the far side which master it obeys and hears what it holds. A far side that restarted has lost what was not
 * prepared: unless it is prepared with the increment that is closing here, or has committed it, this attempt is over.
 */
static int open_leg(struct source_leg *leg, char *why)
{
	struct source *source = leg->source;
	struct wire_leg_open request = { .head = make_head(source), .members = source->members };
	struct wire_leg_state state = { 0 };
	struct member_status status;
	int rc;

	memcpy(request.source_boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	memcpy(request.key, source->key, WIRE_KEY_SIZE);
	rc = link_request(leg->peer->to, WIRE_LEG_OPEN, &request, &state, why, NULL);
	if (rc)
		return rc;
	member_get_status(source->member, &status);
	if (leg->open && memcmp(leg->boot_id, state.boot_id, WIRE_ID_SIZE) != 0 && status.closing &&
	    state.prepared != status.closing && state.committed < status.closing &&
	    !planted(PLANTED_RESEND_INTO_CLOSED) && !planted(PLANTED_PREPARE_ANY_BOOT))
		member_leave(source->member, status.closing, CG_FAILURE_FAR_RESTARTED);
	leg->state = state;
	memcpy(leg->boot_id, state.boot_id, WIRE_ID_SIZE);
	leg->open = true;
	return 0;
}

static int open_leg_in_turn(struct source_leg *leg, char *why)
{
	int rc = rt_mutex_lock(&leg->source->opening);

	if (rc)
		return rc;
	rc = open_leg(leg, why);
	rt_mutex_unlock(&leg->source->opening);
	return rc;
}

void source_far_restarted(struct copy *copy, const char *far)
{
	struct source *source;

	list_for_each(source, &copy->sources, link) {
		struct source_leg *leg = source->joined ? find_leg(source, far) : NULL;
		char why[WIRE_TEXT_SIZE] = "";
		int rc;

		if (!leg)
			continue;
		leg->pins++;
		rc = open_leg_in_turn(leg, why);
		unpin_leg(leg);
		if (!rc)
			continue;
		log_line(LOG_WARNING, "session", "session %u: far side %s does not take the session up: %s",
			 source->number, far, why[0] ? why : strerror(-rc));
		/* It is not known what it still holds of an attempt. */
		member_leave(source->member, 0, CG_FAILURE_FAR_RESTARTED);
	}
}

/* What is asked of a leg, and its answer. */
struct leg_question {
	struct source_leg *leg;			/* pinned */
	uint16_t type;
	const struct wire_session_head *head;
	uint64_t session_time_us;
	const struct wire_members *members;
	int rc;
	char why[WIRE_TEXT_SIZE];
};

static int collect_marks(struct source_leg *leg, struct wire_leg_prepare *prepare);

/* prepare is passed on only while this system is still in the attempt: its timer or a new master may have ended it. */
static int ask_prepare(struct leg_question *question)
{
	struct source_leg *leg = question->leg;
	struct source *source = leg->source;
	struct wire_leg_prepare prepare = {
		.head = *question->head, .session_time_us = question->session_time_us,
		.wall_us = (uint64_t)(rt_wall_ns() / 1000), .members = *question->members,
	};
	int rc;

	snprintf(prepare.source, sizeof(prepare.source), "%s", source->copy->config.system);
	memcpy(prepare.far_boot_id, leg->peer->boot_id, WIRE_ID_SIZE);
	rc = pair_collect_joined(source->copy, source->number, leg->peer->system, &prepare.volumes);
	if (!rc)
		rc = collect_marks(leg, &prepare);
	if (!rc && !member_may_prepare(source->member, question->head->attempt))
		rc = copy_refuse(question->why, -ESTALE, "system %s has left the attempt", source->copy->config.system);
	if (!rc)
		rc = link_request(leg->peer->to, WIRE_LEG_PREPARE, &prepare, &leg->state, question->why, NULL);
	if (!rc && planted(PLANTED_FORGET_AT_PREPARE))
		member_exists(source->member, question->head->attempt);
	mem_free(prepare.volumes.ids);
	mem_free(prepare.marks);
	return rc;
}

/* A leg that is neither prepared with a group nor has a newer one came to the session after it. */
static bool takes_part_in(const struct source_leg *leg, uint64_t number)
{
	return leg->state.prepared == number || leg->state.committed >= number;
}

static void ask_leg(void *arg)
{
	struct leg_question *question = arg;
	struct source_leg *leg = question->leg;
	struct wire_leg_request request = { .head = *question->head };

	if (question->type == WIRE_LEG_OPEN)
		question->rc = open_leg_in_turn(leg, question->why);
	else if (question->type == WIRE_LEG_PREPARE)
		question->rc = ask_prepare(question);
	else if (question->type == WIRE_LEG_COMMIT && !takes_part_in(leg, question->head->attempt))
		question->rc = 0;
	else
		question->rc = link_request(leg->peer->to, question->type, &request, &leg->state, question->why, NULL);
}

/* The same question for each leg, pinned until drop_questions. NULL: no memory. */
static struct leg_question *make_questions(struct source *source, const struct leg_question *like, unsigned *count)
{
	struct leg_question *questions;
	struct source_leg *leg;

	*count = 0;
	list_for_each(leg, &source->legs, link)
		(*count)++;
	questions = mem_alloc_zeroed((*count + 1) * sizeof(questions[0]));
	if (!questions)
		return NULL;
	*count = 0;
	list_for_each(leg, &source->legs, link) {
		leg->pins++;
		questions[*count] = *like;
		questions[(*count)++].leg = leg;
	}
	return questions;
}

static void drop_questions(struct leg_question *questions, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		unpin_leg(questions[i].leg);
	mem_free(questions);
}

/* Asks all at once: 0 when all have answered, whatever they said; -ETIMEDOUT, -ECANCELED. */
static int ask_questions(struct leg_question *questions, unsigned count)
{
	struct rt_group asking;
	int rc;

	rt_group_init(&asking);
	for (unsigned i = 0; i < count; i++)
		questions[i].rc = rt_group_start(&asking, "leg ask", ask_leg, &questions[i]);
	rc = rt_group_wait(&asking);
	if (rc)
		rt_group_stop(&asking);
	return rc;
}

/* 0 when all legs said yes, else the error of one, with its words in why. */
static int ask_legs(struct source *source, const struct leg_question *like, char *why)
{
	unsigned count;
	struct leg_question *questions = make_questions(source, like, &count);
	int rc;

	if (!questions)
		return -ENOMEM;
	rc = ask_questions(questions, count);
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = questions[i].rc;
		if (rc)
			copy_refuse(why, rc, "far side %s: %s", questions[i].leg->peer->system,
				    questions[i].why[0] ? questions[i].why : strerror(-rc));
	}
	drop_questions(questions, count);
	return rc;
}

/* One mark a data connection, taken on its reactor. */
struct mark_order {
	struct source_leg *leg;
	struct wire_channel_mark *mark;
};

static int take_mark(void *arg)
{
	struct mark_order *order = arg;
	struct link_channel *channel = link_channel_here(order->leg->peer->to);

	return channel ? link_channel_mark(channel, order->mark) : -ENOTCONN;
}

static int collect_marks(struct source_leg *leg, struct wire_leg_prepare *prepare)
{
	unsigned count = rt_reactor_count();
	int rc = 0;

	prepare->marks = mem_alloc_zeroed(count * sizeof(prepare->marks[0]));
	if (!prepare->marks)
		return -ENOMEM;
	for (unsigned i = 0; i < count && !rc; i++) {
		struct mark_order order = { .leg = leg, .mark = &prepare->marks[i] };

		rc = rt_call(rt_reactor(i), take_mark, &order);
	}
	prepare->mark_count = count;
	return rc;
}

/* ---- answering the master ---- */

static void fill_answer(struct source *source, struct wire_session_answer *answer)
{
	struct member_status status;
	struct source_leg *leg;

	member_get_status(source->member, &status);
	memcpy(answer->boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	answer->reason = (uint16_t)status.failure;
	answer->hold_us = (uint32_t)(status.hold_last_ns / RT_US);
	list_for_each(leg, &source->legs, link)
		answer->legs++;
}

/* The session's part here, if this master may speak: a master that is not the newest is refused, wherever it speaks. */
static int admit(struct copy *copy, const struct wire_session_head *head, struct source **out, char *why)
{
	struct source *source = source_find(copy, head->session);

	if (!source)
		return copy_refuse(why, -ENOENT, "system %s has no volume in session %u", copy->config.system,
				   head->session);
	if (head->incarnation < source->incarnation)
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", head->session, source->master);
	if (!source->joined || head->incarnation != source->incarnation || strcmp(head->master, source->master) != 0)
		return copy_refuse(why, -EPROTO, "system %s has not joined this master", copy->config.system);
	*out = source;
	return 0;
}

static unsigned count_joined(const struct source_leg *leg)
{
	struct wire_volumes joined;
	unsigned count = 0;

	if (!pair_collect_joined(leg->source->copy, leg->source->number, leg->peer->system, &joined))
		count = joined.count;
	mem_free(joined.ids);
	return count;
}

static int fill_report(struct source *source, struct wire_session_report *report)
{
	struct member_status status;
	struct source_leg *leg;
	unsigned count = 0;

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
		item->connected = leg_connected(leg);
		item->volumes = leg->pairs;
		item->joining = leg->pairs - count_joined(leg);
		item->state = leg->state;
		/* A volume that was in another session may have higher tags than its far side has heard of. */
		if (item->state.highest_tag < status.lowest - 1)
			item->state.highest_tag = status.lowest - 1;
	}
	memcpy(report->boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	report->closing_number = status.closing;
	report->out_of_sync_blocks = status.out_of_sync_blocks;
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

/* Tells all legs which master they obey and hears what they hold. -EPERM: one of them was recovered. */
static int open_legs(struct source *source, uint64_t *highest, bool *all_known, char *why)
{
	const struct wire_session_head head = make_head(source);
	const struct leg_question like = { .type = WIRE_LEG_OPEN, .head = &head };
	unsigned count;
	struct leg_question *questions = make_questions(source, &like, &count);
	int rc;

	if (!questions)
		return -ENOMEM;
	rc = ask_questions(questions, count);
	*highest = 0;
	*all_known = true;
	for (unsigned i = 0; i < count && !rc; i++) {
		struct source_leg *leg = questions[i].leg;
		const char *words = questions[i].why[0] ? questions[i].why : strerror(-questions[i].rc);

		if (questions[i].rc == -EPERM)
			rc = copy_refuse(why, -EPERM, "far side %s: %s", leg->peer->system, words);
		else if (questions[i].rc)
			log_line(LOG_WARNING, "session", "session %u: far side %s: %s", source->number,
				 leg->peer->system, words);
		leg->open = leg->open && !questions[i].rc;
		*all_known = *all_known && leg->open;
		if (leg->state.highest_tag > *highest)
			*highest = leg->state.highest_tag;
	}
	drop_questions(questions, count);
	return rc;
}

/* Numbers of attempts are tags of data, which have a bound, and the one behind must be one too. */
static bool is_attempt(uint64_t attempt)
{
	return attempt < JOURNAL_TAG_MAX - 1;
}

int source_on_join(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_join *join = request;
	struct copy *copy = arg;
	struct source *source = source_find(copy, join->head.session);
	uint64_t highest = 0;
	bool all_known;
	int rc;

	(void)peer;
	if (!source)
		return copy_refuse(why, -ENOENT, "system %s has no volume in session %u; add one, or start without it",
				   copy->config.system, join->head.session);
	if (!is_attempt(join->head.attempt))
		return copy_refuse(why, -EINVAL, "no attempt has the number %llu",
				   (unsigned long long)join->head.attempt);
	if (join->head.incarnation < source->incarnation && !planted(PLANTED_NO_INCARNATION))
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", join->head.session,
				   source->master);
	if (any_closing(source) && !planted(PLANTED_RESTART_KEEPS_INCREMENT))
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
	/* Takes part only in attempts that begin after this, and tags above all that its far sides hold. */
	member_handshake(source->member, join->head.attempt, highest);
	source->joined = true;
	if (all_known)
		pair_allow_tags(copy, source->number);
	return fill_report(source, reply);
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

int source_on_close(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_close *close = request;
	struct wire_session_answer *answer = reply;
	struct source *source;
	struct source_leg *leg;
	bool empty;
	int rc = admit(arg, &close->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	if (!is_attempt(close->head.attempt) || !close->coordination_ms ||
	    close->coordination_ms > XDC_COORDINATION_MS_MAX)
		return copy_refuse(why, -EINVAL, "attempt %llu with %u ms for the coordination is none",
				   (unsigned long long)close->head.attempt, close->coordination_ms);
	list_for_each(leg, &source->legs, link) {
		if (!leg_connected(leg))
			return copy_refuse(why, leg_missing(leg), "system %s does not reach its far side %s",
					   source->copy->config.system, leg->peer->system);
	}
	rc = member_close(source->member, close->head.attempt, close->head.exists,
			  (int64_t)close->coordination_ms * RT_MS, &empty);
	if (rc == -ERANGE)
		return copy_refuse(why, -EPROTO, "tags here are above attempt %llu",
				   (unsigned long long)close->head.attempt);
	if (rc)
		return copy_refuse(why, rc, "attempt %llu is over", (unsigned long long)close->head.attempt);
	source->attempt = close->head.attempt;
	source->exists = close->head.exists;
	fill_answer(source, answer);
	answer->reason = 0;
	answer->empty = empty;
	source->idle = empty;
	rt_cond_wake_all(&source->idle_begins);
	return 0;
}

int source_on_release(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *release = request;
	struct source *source = NULL;
	int rc = admit(arg, &release->head, &source, why);

	(void)peer;
	if (!rc)
		rc = member_release(source->member, release->head.attempt);
	if (rc == -ESTALE && !why[0])
		copy_refuse(why, rc, "the hold was over before the release came");
	if (!rc)
		fill_answer(source, reply);
	return rc;
}

int source_on_drain(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_drain *drain = request;
	struct member_status status;
	struct source *source;
	int rc = admit(arg, &drain->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	{
		RT_LIMIT(drain->limit_ms ? rt_now_ns() + (int64_t)drain->limit_ms * RT_MS : RT_NEVER);
		rc = member_drain(source->member, drain->head.attempt);
	}
	member_get_status(source->member, &status);
	if (rc)
		return copy_refuse(why, rc, "not drained: %s",
				   rc == -ETIMEDOUT ? cg_failure_names[CG_FAILURE_DRAIN_TIME]
				   : status.failure ? cg_failure_names[status.failure]
						    : strerror(-rc));
	fill_answer(source, reply);
	return 0;
}

int source_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_prepare *prepare = request;
	struct source *source = NULL;
	struct leg_question question = {
		.type = WIRE_LEG_PREPARE, .head = &prepare->head, .session_time_us = prepare->session_time_us,
		.members = &prepare->members,
	};
	int rc = admit(arg, &prepare->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	if (!member_may_prepare(source->member, prepare->head.attempt))
		return copy_refuse(why, -ESTALE, "system %s has left the attempt", source->copy->config.system);
	rc = keep_members(source, &prepare->members);
	if (rc)
		return rc;
	{
		RT_LIMIT(rt_now_ns() + (int64_t)prepare->limit_ms * RT_MS);
		rc = ask_legs(source, &question, why);
	}
	if (!rc)
		fill_answer(source, reply);
	return rc;
}

int source_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *commit = request;
	struct source *source = NULL;
	struct leg_question question = { .type = WIRE_LEG_COMMIT, .head = &commit->head };
	int rc = admit(arg, &commit->head, &source, why);

	(void)peer;
	if (!rc)
		rc = ask_legs(source, &question, why);
	if (!rc)
		fill_answer(source, reply);
	return rc;
}

int source_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *abort = request;
	struct source *source = NULL;
	struct leg_question question = { .type = WIRE_LEG_ABORT, .head = &abort->head };
	int rc = admit(arg, &abort->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	member_leave(source->member, abort->head.attempt, CG_FAILURE_SUPERSEDED);
	rc = ask_legs(source, &question, why);
	if (!rc)
		fill_answer(source, reply);
	return rc;
}

int source_on_exists(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *exists = request;
	struct source *source = NULL;
	int rc = admit(arg, &exists->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	member_exists(source->member, exists->head.exists);
	source->exists = exists->head.exists;
	fill_answer(source, reply);
	return 0;
}

int source_on_leave(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *leave = request;
	struct source *source = NULL;
	int rc = admit(arg, &leave->head, &source, why);

	(void)peer;
	if (rc)
		return rc;
	member_leave(source->member, 0, CG_FAILURE_WRONG_STATE);
	source->joined = false;
	fill_answer(source, reply);
	return 0;
}

/* ---- life ---- */

struct source *source_find(struct copy *copy, uint8_t session)
{
	struct source *source;

	list_for_each(source, &copy->sources, link) {
		if (source->number == session)
			return source;
	}
	return NULL;
}

/* The master sleeps while nobody writes: the first write after an empty increment wakes it. */
static void wake_master(struct source *source)
{
	struct wire_event_session event = { .session = source->number };
	size_t len = strcspn(source->master, ":");
	char system[WIRE_SYSTEM_SIZE] = "";

	if (len >= sizeof(system))
		return;
	memcpy(system, source->master, len);
	memcpy(event.master, source->master, sizeof(event.master));
	memcpy(event.boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	if (!strcmp(system, source->copy->config.system))
		copy_on_event(source->copy, NULL, WIRE_EVENT_FIRST_WRITE, &event);
	else if (link_server_event(source->copy->server, system, WIRE_EVENT_FIRST_WRITE, &event))
		log_line(LOG_DEBUG, "session", "session %u: master %s is not told of the first write", source->number,
			 system);
}

static void watch_writes(void *arg)
{
	struct source *source = arg;
	int rc = 0;

	while (!rc) {
		rc = member_wait_written(source->member);
		while (!rc && !source->idle)
			rc = rt_cond_wait(&source->idle_begins);
		if (!rc) {
			source->idle = false;
			wake_master(source);
		}
	}
}

struct source *source_get(struct copy *copy, uint8_t session)
{
	struct source *source = source_find(copy, session);

	if (source)
		return source;
	source = mem_alloc_zeroed(sizeof(*source));
	if (!source)
		return NULL;
	source->copy = copy;
	source->number = session;
	list_init(&source->legs);
	rt_mutex_init(&source->opening);
	rt_group_init(&source->fibers);
	rt_cond_init(&source->idle_begins);
	if (member_create(session, &source->member)) {
		mem_free(source);
		return NULL;
	}
	if (rt_group_start(&source->fibers, "first write", watch_writes, source)) {
		member_destroy(source->member);
		mem_free(source);
		return NULL;
	}
	list_add_last(&copy->sources, &source->link);
	return source;
}

static void drop_leg(struct source_leg *leg)
{
	list_remove(&leg->link);
	unpin_leg(leg);
}

static void delete_source(struct source *source)
{
	struct source_leg *leg, *tmp;

	list_remove(&source->link);
	rt_group_stop(&source->fibers);
	member_destroy(source->member);
	list_for_each_safe(leg, tmp, &source->legs, link)
		drop_leg(leg);
	mem_free(source->members.items);
	mem_free(source);
}

void sources_stop_watching(struct copy *copy)
{
	struct source *source;

	list_for_each(source, &copy->sources, link)
		rt_group_stop(&source->fibers);
}

void sources_stop(struct copy *copy)
{
	while (!list_empty(&copy->sources))
		delete_source(list_first(&copy->sources, struct source, link));
}

int source_add_pair(struct source *source, struct pair *pair)
{
	struct source_leg *leg = find_leg(source, pair->record.system);
	int rc = member_add_volume(source->member, pair->volume, &pair_member_ops, pair);

	if (rc)
		return rc;
	if (!leg) {
		leg = mem_alloc_zeroed(sizeof(*leg));
		if (!leg)
			goto undo;
		leg->source = source;
		leg->pins = 1;
		leg->peer = peer_get(source->copy, pair->record.system, NULL, false);
		if (!leg->peer) {
			mem_free(leg);
			goto undo;
		}
		list_add_last(&source->legs, &leg->link);
	}
	leg->pairs++;
	return 0;
undo:
	rc = member_remove_volume(source->member, pair->volume);
	assert(!rc);
	return -ENOMEM;
}

int source_remove_pair(struct source *source, struct pair *pair)
{
	struct source_leg *leg = find_leg(source, pair->record.system);
	int rc = member_remove_volume(source->member, pair->volume);

	if (rc)
		return rc;
	assert(leg && leg->pairs > 0);
	if (--leg->pairs == 0)
		drop_leg(leg);
	return 0;
}

void source_get_info(struct source *source, struct copy_session_info *info)
{
	struct member_status status;

	member_get_status(source->member, &status);
	info->session = source->number;
	info->volumes = status.volumes;
	info->joined = status.joined;
	info->out_of_sync_blocks = status.out_of_sync_blocks;
	if (info->role != SESSION_NO_ROLE)
		return;
	info->rpo_ns = -1;
	info->sequence = source->exists;
	info->state = source->joined ? SESSION_RUNNING : SESSION_OPEN;
	info->role = source->joined ? SESSION_SUBORDINATE : SESSION_NO_ROLE;
	snprintf(info->master, sizeof(info->master), "%.*s", (int)strcspn(source->master, ":"), source->master);
	info->hold_max_ns = status.hold_max_ns;
}
