/* SPDX-License-Identifier: Apache-2.0 */
/* The legs of a source: what is asked of its far sides. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/source_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

struct source_leg *source_leg_find(struct source *source, const char *far)
{
	struct source_leg *leg;

	list_for_each(leg, &source->legs, link) {
		if (!strcmp(leg->peer->system, far))
			return leg;
	}
	return NULL;
}

void source_leg_unpin(struct source_leg *leg)
{
	if (--leg->pins)
		return;
	peer_put(leg->peer);
	mem_free(leg);
}

bool source_leg_is_connected(const struct source_leg *leg)
{
	struct link_state state;

	link_get_state(leg->peer->to, &state);
	/* Not before the pairs know of a restart (peer_watch.c): what they count as acknowledged is gone with it. */
	return leg->open && state.connected && !memcmp(state.peer_boot_id, leg->boot_id, WIRE_ID_SIZE) &&
	       !memcmp(state.peer_boot_id, leg->peer->boot_id, WIRE_ID_SIZE);
}

int source_leg_missing(const struct source_leg *leg)
{
	struct link_state state;

	link_get_state(leg->peer->to, &state);
	return state.connected ? -EPROTO : -ENOTCONN;
}

struct wire_session_head source_make_head(const struct source *source)
{
	struct wire_session_head head = {
		.session = source->number, .incarnation = source->incarnation,
		.attempt = source->attempt, .exists = source->exists,
	};

	memcpy(head.master, source->master, sizeof(head.master));
	return head;
}

/*
 * What a far side has said to hold it gives up only when it is told to. One that comes back with less has a disk that
 * said it keeps what it does not: its next group would rest on data that are gone there, and forgotten here. A journal
 * that holds nothing at all was made anew by an administrator, who gave its group up.
 */
static bool is_empty(const struct wire_leg_state *state)
{
	return !state->committed && !state->prepared;
}

/* The number of a group that it had, as was heard before it was asked, and now has not; 0: there is none. */
static uint64_t find_lost_group(const struct source_leg *leg, const struct wire_leg_state *heard,
				const struct wire_leg_state *now)
{
	/* It may have been told meanwhile. */
	uint64_t prepared = leg->state.prepared == heard->prepared ? heard->prepared : 0;

	if (is_empty(now) || planted(PLANTED_LOST_GROUP_IGNORED))
		return 0;
	if (now->committed < prepared && now->prepared < prepared)
		return prepared;
	return now->committed < heard->committed ? heard->committed : 0;
}

/* For as long as the leg lives: its pairs are to be made anew. */
static int refuse_lost(struct source_leg *leg, const struct wire_leg_state *now, char *why)
{
	leg->open = false;
	if (is_empty(now))
		leg->state = *now;	/* and no commit waits for it */
	return copy_refuse(why, -EBADMSG, "it came back without CG %llu, which it had: its disk lost what it said to "
			   "keep; there, xdc session terminate %u --force, then delete and create its pairs",
			   (unsigned long long)leg->lost, leg->source->number);
}

/*
 * Tells the far side which master it obeys and hears what it holds. A far side that restarted has lost what was not
 * prepared: unless it is prepared with the increment that is closing here, or has committed it, this attempt is over.
 */
static int open_leg(struct source_leg *leg, char *why)
{
	struct source *source = leg->source;
	struct wire_leg_open request = { .head = source_make_head(source), .members = source->members };
	struct wire_leg_state heard = leg->state, state = { 0 };
	struct member_status status;
	int rc;

	memcpy(request.source_boot_id, source->copy->config.boot_id, WIRE_ID_SIZE);
	memcpy(request.key, source->key, WIRE_KEY_SIZE);
	rc = link_request(leg->peer->to, WIRE_LEG_OPEN, &request, &state, why, NULL);
	if (rc)
		return rc;
	if (!leg->lost)
		leg->lost = find_lost_group(leg, &heard, &state);
	if (leg->lost)
		return refuse_lost(leg, &state, why);
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

/* It is asked again and again: only what is new is a line in the log. */
static void note_refusal(struct source_leg *leg, int error, const char *words)
{
	leg->silent = error == -ETIMEDOUT;
	if (!error) {
		leg->refusal[0] = '\0';
		return;
	}
	if (leg->silent)
		words = "it does not answer";
	if (!strcmp(leg->refusal, words))
		return;
	snprintf(leg->refusal, sizeof(leg->refusal), "%s", words);
	leg->refused_wall_ns = rt_wall_ns();
	log_line(LOG_WARNING, "session", "session %u: far side %s does not take it up: %s", leg->source->number,
		 leg->peer->system, words);
}

static int open_leg_in_turn(struct source_leg *leg, char *why)
{
	int rc = rt_mutex_lock(&leg->source->opening);

	if (rc)
		return rc;
	rc = open_leg(leg, why);
	note_refusal(leg, rc, why[0] ? why : strerror(-rc));
	rt_mutex_unlock(&leg->source->opening);
	return rc;
}

void source_each_refusal(struct source *source, void (*each)(void *arg, const struct copy_problem *problem), void *arg)
{
	struct source_leg *leg;

	list_for_each(leg, &source->legs, link) {
		struct copy_problem problem = {
			.kind = PROBLEM_FAR_REFUSES, .volume = -1, .since_wall_ns = leg->refused_wall_ns,
		};

		if (!leg->refusal[0])
			continue;
		snprintf(problem.system, sizeof(problem.system), "%s", leg->peer->system);
		snprintf(problem.reason, sizeof(problem.reason), "%s", leg->refusal);
		snprintf(problem.remedy, sizeof(problem.remedy), "on %s: xdc session show %u", leg->peer->system,
			 source->number);
		each(arg, &problem);
	}
}

void source_far_restarted(struct copy *copy, const char *far)
{
	struct source *source;

	list_for_each(source, &copy->sources, link) {
		struct source_leg *leg = source_leg_find(source, far);
		char why[WIRE_TEXT_SIZE] = "";
		int rc;

		if (!leg)
			continue;
		/* No abort reaches it until it has joined again: what it had closed is to be sent again, too. */
		if (!source->joined) {
			member_leave(source->member, 0, CG_FAILURE_FAR_RESTARTED);
			continue;
		}
		leg->pins++;
		{
			RT_LIMIT(rt_now_ns() + LEG_ANSWER_NS);
			rc = open_leg_in_turn(leg, why);
		}
		source_leg_unpin(leg);
		if (!rc)
			continue;
		/* It is not known what it still holds of an attempt. */
		member_leave(source->member, 0, CG_FAILURE_FAR_RESTARTED);
	}
}

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
	rc = pair_collect_closed(source->copy, source->number, leg->peer->system, &prepare.volumes);
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
	RT_LIMIT(question->limit_ns);

	/* Whether it hears of that or not. */
	if (question->type == WIRE_LEG_ABORT)
		leg->state.prepared = 0;
	if (question->type == WIRE_LEG_OPEN)
		question->rc = open_leg_in_turn(leg, question->why);
	else if (question->type == WIRE_LEG_PREPARE)
		question->rc = ask_prepare(question);
	else if (question->type == WIRE_LEG_COMMIT && !leg->open && !leg->lost)
		question->rc = copy_refuse(question->why, source_leg_missing(leg), "what it holds is not known");
	else if (question->type == WIRE_LEG_COMMIT && !takes_part_in(leg, question->head->attempt))
		question->rc = 0;
	else if (question->type == WIRE_LEG_COMMIT && leg->lost)
		question->rc = copy_refuse(question->why, -EBADMSG, "it lost CG %llu", (unsigned long long)leg->lost);
	else if (question->type == WIRE_LEG_KEEP)
		question->rc = link_request(leg->peer->to, question->type, question->keep, &leg->state, question->why,
					    NULL);
	else
		question->rc = link_request(leg->peer->to, question->type, &request, &leg->state, question->why, NULL);
	if (question->rc == -ETIMEDOUT)
		copy_refuse(question->why, question->rc, "it does not answer");
	if (question->rc == -ETIMEDOUT || (!question->rc && leg->silent))
		note_refusal(leg, question->rc, question->why);
	/* The leg was recovered, and maybe its volumes: where nothing is left to be sent only the pairs find out. */
	if (question->rc == -EPERM)
		peer_ask_pairs(leg->peer);
}

struct leg_question *leg_questions_make(struct source *source, const struct leg_question *like, unsigned *count)
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

void leg_questions_drop(struct leg_question *questions, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		source_leg_unpin(questions[i].leg);
	mem_free(questions);
}

int leg_questions_ask(struct leg_question *questions, unsigned count)
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

int source_ask_legs(struct source *source, const struct leg_question *like, char *why)
{
	unsigned count;
	struct leg_question *questions = leg_questions_make(source, like, &count);
	int rc;

	if (!questions)
		return -ENOMEM;
	rc = leg_questions_ask(questions, count);
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = questions[i].rc;
		if (rc)
			copy_refuse(why, rc, "far side %s: %s", questions[i].leg->peer->system,
				    questions[i].why[0] ? questions[i].why : strerror(-rc));
	}
	leg_questions_drop(questions, count);
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
