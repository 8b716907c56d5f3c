/* SPDX-License-Identifier: Apache-2.0 */
/* One consistency group: what the master asks of its members, step by step, and what is noted of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/session_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define RESERVE			1024u			/* attempt numbers made durable at a time */
#define MISSES_MAX		5u			/* drains in a row over the limit before one without */

/*
 * Hosts wait for coordinations a hundredth of their time at most, as long as that costs no more than this much of the
 * age of the last CG: even where the interval is 0 the next coordination comes no sooner.
 */
#define HOLD_SHARE		100
#define REST_MAX_NS		(50 * RT_MS)

#define LOG_AGAIN_NS		(60 * RT_SECOND)	/* for a failure that stays the same */

/* ---- asking members ---- */

struct wire_session_head session_make_head(const struct session *session, uint64_t attempt)
{
	struct wire_session_head head = {
		.session = session->config.number,
		.incarnation = session->config.durable.incarnation,
		.attempt = attempt,
		.exists = session->sequence,
		.member_version = session->member_version,
	};

	snprintf(head.master, sizeof(head.master), "%s:%02X", session->config.own, session->config.master_lss);
	return head;
}

struct wire_session_request session_make_request(const struct session *session, uint64_t attempt)
{
	return (struct wire_session_request){ .head = session_make_head(session, attempt) };
}

struct asking {
	struct session_member *member;
	const struct session_question *question;
};

static void *reply_of(struct session_member *member, uint16_t type)
{
	return type == WIRE_SESSION_JOIN ? (void *)&member->report : (void *)&member->answer;
}

static void begin_waiting(struct session_member *member)
{
	member->asked = true;
	if (!member->silent_since_wall_ns)
		member->silent_since_wall_ns = rt_wall_ns();
}

static void end_waiting(struct session_member *member)
{
	member->asked = false;
	if (member->joined && member->rc != -ENOTCONN && member->rc != -ETIMEDOUT && member->rc != -ECANCELED)
		member->silent_since_wall_ns = 0;
}

static void ask_member(void *arg)
{
	struct asking *asking = arg;
	struct session_member *member = asking->member;
	const struct session_question *question = asking->question;
	const struct session_config *config = &member->session->config;
	RT_LIMIT(question->limit_ns);

	/* Those that are asked over the link need longer to hear it: it leaves first. */
	if (!strcmp(member->system, config->own))
		rt_yield();
	begin_waiting(member);
	member->why[0] = '\0';
	member->answer = (struct wire_session_answer){ 0 };
	member->rc = config->ask(config->arg, member->system, question->type, question->request,
				 reply_of(member, question->type), member->why);
	if (planted(PLANTED_EARLY_RELEASE) && question->type == WIRE_SESSION_CLOSE && !member->rc) {
		struct wire_session_request release = session_make_request(member->session, member->session->attempt);

		(void)config->ask(config->arg, member->system, WIRE_SESSION_RELEASE, &release, &member->answer,
				  member->why);
	}
	if (!member->rc && question->type != WIRE_SESSION_JOIN &&
	    memcmp(member->answer.boot_id, member->boot_id, WIRE_ID_SIZE) != 0)
		member->rc = -EPROTO;		/* it restarted: what it says is not about this attempt */
	else if (!member->rc && question->type != WIRE_SESSION_JOIN && member->answer.reason)
		member->rc = -ESTALE;		/* it has left the attempt, or takes no part: for that reason */
	if (member->rc == -EPROTO || member->rc == -EPERM)
		member->joined = false;
	end_waiting(member);
}

bool session_ask_members(struct session *session, const struct session_question *question,
			 bool (*want)(struct session_member *))
{
	struct asking askings[XDC_SESSION_MEMBERS_MAX];
	bool all = true;
	int rc;

	/* The own system is the first of the list, and the last to be asked. */
	for (unsigned i = session->config.member_count; i-- > 0; ) {
		struct session_member *member = &session->members[i];

		member->rc = 0;
		if (want && !want(member))
			continue;
		askings[i] = (struct asking){ .member = member, .question = question };
		member->rc = rt_group_start(&session->asking, "session ask", ask_member, &askings[i]);
	}
	rc = rt_group_wait(&session->asking);
	if (rc)
		rt_group_stop(&session->asking);
	for (unsigned i = 0; i < session->config.member_count; i++)
		all = all && !session->members[i].rc;
	return all && !rc;
}

bool session_ask_all(struct session *session, uint16_t type, const void *request, int64_t limit_ns)
{
	const struct session_question question = { .type = type, .request = request, .limit_ns = limit_ns };

	return session_ask_members(session, &question, NULL);
}

/* ---- what people see ---- */

void session_enter_phase(struct session *session, enum session_phase phase)
{
	session->phase = phase;
	session->phase_since_wall_ns = rt_wall_ns();
	rt_cond_wake_all(&session->changed);
}

static void note_hold(struct session *session)
{
	uint32_t longest = 0;
	int64_t rest_ns;

	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (session->members[i].answer.hold_us > longest)
			longest = session->members[i].answer.hold_us;
	}
	session->holds[session->hold_count++ % HOLDS] = longest;
	if (longest > session->hold_max_us)
		session->hold_max_us = longest;
	rest_ns = (int64_t)longest * RT_US * HOLD_SHARE;
	session->rest_until_ns = rt_now_ns() + (rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS);
}

/* What an error of a member says by itself; NONE: nothing. */
static enum cg_failure failure_of(int rc, enum session_phase phase)
{
	switch (rc) {
	case -ENOTCONN:
		return CG_FAILURE_COMMUNICATION;
	case -EPROTO:
		return CG_FAILURE_WRONG_STATE;
	case -ETIMEDOUT:
		return phase == PHASE_PREPARE ? CG_FAILURE_COMMUNICATION : CG_FAILURE_NONE;
	case -EUCLEAN:
		return CG_FAILURE_WRITES_LOST;
	case -EIO:
		/* Later it may be a disk of the far side. */
		return phase == PHASE_COORDINATE || phase == PHASE_DRAIN ? CG_FAILURE_DISK : CG_FAILURE_NONE;
	default:
		return CG_FAILURE_NONE;
	}
}

/* The same one attempt after the other is one line, and one more now and then: people have session show. */
static void log_failure(struct session *session, const struct record_failure *failure, const char *why)
{
	const struct record_failure *last = &session->last_failure;
	bool same = session->failed_since_good && last->reason == failure->reason && last->phase == failure->phase &&
		    !strcmp(last->system, failure->system);

	if (same && rt_now_ns() - session->failure_logged_ns < LOG_AGAIN_NS)
		return;
	session->failure_logged_ns = rt_now_ns();
	log_line(LOG_WARNING, "session", "session %u: CG %llu failed in %s at %s: %s%s%s", session->config.number,
		 (unsigned long long)session->attempt, session_phase_names[failure->phase], failure->system,
		 cg_failure_names[failure->reason], why[0] ? ": " : "", why);
}

/*
 * The attempt failed in this phase: say why, by the first member that refused, or if none did by these words. Data go
 * on flowing.
 */
static void note_failure(struct session *session, enum cg_failure otherwise, const char *why)
{
	struct record_failure failure = {
		.reason = otherwise, .phase = session->phase, .sequence = session->attempt, .at_wall_ns = rt_wall_ns(),
		.lss = session->config.master_lss,
	};

	snprintf(failure.system, sizeof(failure.system), "%s", session->config.own);
	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct session_member *member = &session->members[i];
		enum cg_failure said = failure_of(member->rc, session->phase);

		if (!member->rc)
			continue;
		snprintf(failure.system, sizeof(failure.system), "%s", member->system);
		if (said != CG_FAILURE_NONE)
			failure.reason = said;
		else if (member->answer.reason && member->answer.reason < CG_FAILURE_COUNT)
			failure.reason = (enum cg_failure)member->answer.reason;
		why = member->why;
		break;
	}
	log_failure(session, &failure, why);
	session->previous_failure = session->last_failure;
	session->last_failure = failure;
	if (session->first_failure.reason == CG_FAILURE_NONE)
		session->first_failure = failure;
	session->config.durable.cg_failed++;
	session->failed_since_good++;
	session_watch_failed(session);
}

/* ---- steps ---- */

/*
 * The list of all legs, as the joined members report them; a new version when it changed. Recovery knows by it what a
 * group consists of: none is formed with a list that lacks a leg. -E2BIG, -ENOMEM.
 */
static int list_legs(struct session *session)
{
	struct wire_members legs = { 0 };
	unsigned total = 0;
	bool same;

	if (session->legs_listed)
		return 0;
	for (unsigned i = 0; i < session->config.member_count; i++)
		total += session->members[i].report.leg_count;
	if (total > WIRE_MEMBERS_MAX)
		return -E2BIG;
	legs.items = mem_alloc_zeroed((total + 1) * sizeof(legs.items[0]));
	if (!legs.items)
		return -ENOMEM;
	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct session_member *member = &session->members[i];

		for (unsigned j = 0; j < member->report.leg_count; j++) {
			struct wire_member *item = &legs.items[legs.count++];

			memcpy(item->source, member->system, sizeof(item->source));
			memcpy(item->far, member->report.legs[j].far, sizeof(item->far));
			memcpy(item->far_address, member->report.legs[j].far_address, sizeof(item->far_address));
		}
	}
	session->legs_listed = true;
	same = legs.count == session->legs.count && session->legs.items &&
	       !memcmp(legs.items, session->legs.items, legs.count * sizeof(legs.items[0]));
	if (same) {
		mem_free(legs.items);
		return 0;
	}
	mem_free(session->legs.items);
	session->legs = legs;
	session->member_version++;
	return 0;
}

/*
 * The number of the next attempt: durable before the first close, never used again, above all that any far side holds.
 */
static int take_number(struct session *session)
{
	struct session_durable *durable = &session->config.durable;
	uint64_t number = session->attempt + 1;
	int rc = 0;

	if (number >= durable->reserved) {
		struct session_durable next = *durable;

		next.reserved = number + RESERVE;
		rc = session->config.save(session->config.arg, &next);
		if (!rc)
			*durable = next;
	}
	if (!rc)
		session->attempt = number;
	return rc;
}

/* A far side was recovered without us: this session is over, and only an administrator may begin it anew. */
bool session_was_recovered(struct session *session)
{
	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct session_member *member = &session->members[i];

		if (member->rc != -EPERM)
			continue;
		session_become_fatal(session, EVENT_FAR_RECOVERED, "it is over: %s: %s", member->system, member->why);
		return true;
	}
	return false;
}

static void abort_attempt(struct session *session, enum cg_failure otherwise)
{
	struct wire_session_request request = session_make_request(session, session->attempt);

	note_failure(session, otherwise, "");
	(void)session_was_recovered(session);
	(void)session_ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + RT_SECOND);
}

/* What a source has closed goes to as many far sides as its last join said, or another join is due. */
static bool check_leg_counts(struct session *session)
{
	bool all = true;

	for (unsigned i = 0; i < session->config.member_count; i++) {
		struct session_member *member = &session->members[i];

		if (member->answer.legs == member->report.leg_count)
			continue;
		snprintf(member->why, sizeof(member->why), "its far sides are %u, and were %u", member->answer.legs,
			 member->report.leg_count);
		member->rc = -EPROTO;
		member->joined = false;
		all = false;
	}
	return all;
}

/* Close everywhere, then release everywhere, within the coordination time. */
static bool coordinate(struct session *session, bool *empty)
{
	const struct session_tunables *tunables = &session->config.tunables;
	int64_t limit_ns = rt_now_ns() + tunables->coordination_ns;
	struct wire_session_close close = {
		.head = session_make_head(session, session->attempt),
		.coordination_ms = (uint32_t)((tunables->coordination_ns + RT_MS - 1) / RT_MS),
		.join = true,
	};
	struct wire_session_request release = session_make_request(session, session->attempt);

	if (!session_ask_all(session, WIRE_SESSION_CLOSE, &close, limit_ns) || !check_leg_counts(session))
		return false;
	*empty = true;
	for (unsigned i = 0; i < session->config.member_count; i++)
		*empty = *empty && session->members[i].answer.empty;
	if (!planted(PLANTED_EARLY_RELEASE) &&
	    !session_ask_all(session, WIRE_SESSION_RELEASE, &release, limit_ns))
		return false;
	note_hold(session);
	return true;
}

static bool drain(struct session *session)
{
	const struct session_tunables *tunables = &session->config.tunables;
	bool limited = session->sequence && session->drain_misses < MISSES_MAX;
	struct wire_session_drain request = { .head = session_make_head(session, session->attempt) };
	int64_t limit_ns = limited ? rt_now_ns() + tunables->drain_ns : RT_NEVER;

	request.limit_ms = limited ? (uint32_t)(tunables->drain_ns / RT_MS) : 0;
	if (session_ask_all(session, WIRE_SESSION_DRAIN, &request, limit_ns)) {
		session->drain_misses = 0;
		return true;
	}
	if (rt_now_ns() >= limit_ns)
		session->drain_misses++;
	return false;
}

static bool prepare(struct session *session)
{
	struct wire_session_prepare request = {
		.head = session_make_head(session, session->attempt),
		.session_time_us = (uint64_t)session->session_time_us,
		.limit_ms = (uint32_t)(ANSWER_NS / RT_MS),
		.members = session->legs,
	};

	/* Longer than the source waits, so that it can say for whom. */
	return session_ask_all(session, WIRE_SESSION_PREPARE, &request, rt_now_ns() + ANSWER_NS + RT_SECOND) ||
	       planted(PLANTED_COMMIT_EARLY);
}

static bool not_committed(struct session_member *member)
{
	return !member->committed;
}

bool session_finish_group(struct session *session, uint64_t number)
{
	struct wire_session_request request = session_make_request(session, number);
	bool all = false;

	session_enter_phase(session, PHASE_COMMIT);
	for (unsigned i = 0; i < session->config.member_count; i++)
		session->members[i].committed = false;
	while (!all && !rt_cancelled()) {
		const struct session_question question = {
			.type = WIRE_SESSION_COMMIT, .request = &request, .limit_ns = rt_now_ns() + ANSWER_NS,
		};

		all = session_ask_members(session, &question, not_committed);
		for (unsigned i = 0; i < session->config.member_count; i++) {
			struct session_member *member = &session->members[i];

			member->committed = member->committed || !member->rc;
		}
		if (!all && session_was_recovered(session))
			return false;
		if (!all && !rt_sleep_until(rt_now_ns() + RETRY_NS))
			(void)session_join_members(session);
	}
	return all;
}

static void note_group(struct session *session, uint64_t number, int64_t began_ns, int64_t began_wall_ns)
{
	struct wire_session_request request;

	session->sequence = number;
	session->shown_ns = began_ns;
	session->cg_wall_ns = began_wall_ns;
	session->config.durable.cg_good++;
	session->failed_since_good = 0;
	session_watch_shown(session);
	request = session_make_request(session, number);
	/* Whoever does not hear it hears it with the next close. */
	(void)session_ask_all(session, WIRE_SESSION_EXISTS, &request, rt_now_ns() + RT_SECOND);
}

/* The attempt did not begin: no member was asked, it failed here. */
static enum session_outcome fail_here(struct session *session, enum cg_failure reason, const char *what, int rc)
{
	char why[WIRE_TEXT_SIZE];

	snprintf(why, sizeof(why), "%s: %s", what, strerror(-rc));
	for (unsigned i = 0; i < session->config.member_count; i++)
		session->members[i].rc = 0;
	note_failure(session, reason, why);
	return GROUP_FAILED;
}

enum session_outcome session_form_group(struct session *session)
{
	int64_t began_ns = rt_now_ns(), wall_ns = rt_wall_ns(), last_us = session->session_time_us;
	struct wire_session_request request;
	uint64_t number;
	bool empty = false;
	int rc;

	session_enter_phase(session, PHASE_COORDINATE);
	rc = list_legs(session);
	if (rc) {
		/* What they have may be less the next time that they are asked. */
		for (unsigned i = 0; i < session->config.member_count; i++)
			session->members[i].joined = false;
		return fail_here(session, CG_FAILURE_WRONG_STATE, "its far sides cannot be listed", rc);
	}
	rc = take_number(session);
	if (rc)
		return fail_here(session, CG_FAILURE_DISK, "no number for the next CG can be made durable", rc);
	number = session->attempt;	/* who joins during the commit may raise it */
	session->session_time_us = wall_ns / 1000 > last_us ? wall_ns / 1000 : last_us + 1;
	if (!coordinate(session, &empty)) {
		abort_attempt(session, CG_FAILURE_COORDINATION_TIME);
		return GROUP_FAILED;
	}
	if (empty && session->sequence) {
		request = session_make_request(session, session->attempt);
		(void)session_ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + RT_SECOND);
		session->shown_ns = began_ns;
		session->cg_wall_ns = wall_ns;
		session_watch_shown(session);
		return GROUP_SHOWS_ALL;
	}
	session_enter_phase(session, PHASE_DRAIN);
	if (!drain(session)) {
		abort_attempt(session, CG_FAILURE_DRAIN_TIME);
		return GROUP_FAILED;
	}
	session_enter_phase(session, PHASE_PREPARE);
	if (!prepare(session)) {
		abort_attempt(session, CG_FAILURE_FAR_PREPARE);
		return GROUP_FAILED;
	}
	if (!session_finish_group(session, number))
		return GROUP_FAILED;
	note_group(session, number, began_ns, wall_ns);
	return GROUP_FORMED;
}
