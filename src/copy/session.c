/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/recover_rule.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "volume/planted.h"

#define RESERVE			1024u			/* attempt numbers made durable at a time */
#define MISSES_MAX		5u			/* drains in a row over the limit before one without */
#define HOLDS			1024u			/* of the last attempts, for the percentile */
#define ANSWER_NS		(10 * RT_SECOND)	/* for requests that should take milliseconds */
#define RETRY_NS		(200 * RT_MS)
#define IDLE_NS			RT_SECOND
#define SAVE_NS			(30 * RT_SECOND)	/* counters may lose so much in a crash */

struct session_member {
	struct session *session;
	char system[XDC_SYSTEM_ID_MAX];
	bool joined;				/* answered join to this incarnation and has not restarted since */
	bool committed;				/* the CG whose commit is under way */
	uint8_t boot_id[WIRE_ID_SIZE];
	uint64_t out_of_sync_blocks;
	/* the request under way */
	int rc;
	char why[WIRE_TEXT_SIZE];
	struct wire_session_answer answer;
	struct wire_session_report report;	/* reply to join; owned until the next */
};

struct session {
	struct session_config config;
	struct session_member members[XDC_SESSION_MEMBERS_MAX];
	struct wire_members legs;		/* the member list of prepare records: all legs of all sources */
	uint64_t member_version;
	struct rt_group group, asking;
	struct rt_cond changed;
	bool pause_asked, woken, resolved;
	enum session_state state;
	enum session_phase phase;
	int64_t phase_since_wall_ns;
	char waiting_for[XDC_SYSTEM_ID_MAX];
	uint64_t attempt, sequence;
	int64_t session_time_us;		/* of the last attempt: rises for ever */
	int64_t cg_wall_ns;			/* the moment that the last CG shows */
	int64_t shown_ns;			/* the same by the clock of ages; 0: not known */
	unsigned drain_misses;
	uint64_t failed_since_good;
	struct record_failure first_failure, last_failure, previous_failure;
	uint32_t holds[HOLDS];
	unsigned hold_count;
	uint32_t hold_max_us;
	int64_t saved_ns;
};

/* ---- asking members ---- */

static struct wire_session_head make_head(const struct session *session, uint64_t attempt)
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

static struct wire_session_request make_request(const struct session *session, uint64_t attempt)
{
	return (struct wire_session_request){ .head = make_head(session, attempt) };
}

struct question {
	uint16_t type;
	const void *request;
	int64_t limit_ns;
};

struct asking {
	struct session_member *member;
	const struct question *question;
};

static void *reply_of(struct session_member *member, uint16_t type)
{
	return type == WIRE_SESSION_JOIN ? (void *)&member->report : (void *)&member->answer;
}

static void ask_member(void *arg)
{
	struct asking *asking = arg;
	struct session_member *member = asking->member;
	const struct question *question = asking->question;
	const struct session_config *config = &member->session->config;
	RT_LIMIT(question->limit_ns);

	member->why[0] = '\0';
	member->rc = config->ask(config->arg, member->system, question->type, question->request,
				 reply_of(member, question->type), member->why);
	if (planted(PLANTED_EARLY_RELEASE) && question->type == WIRE_SESSION_CLOSE && !member->rc) {
		struct wire_session_request release = make_request(member->session, member->session->attempt);

		(void)config->ask(config->arg, member->system, WIRE_SESSION_RELEASE, &release, &member->answer,
				  member->why);
	}
	if (!member->rc && question->type != WIRE_SESSION_JOIN &&
	    memcmp(member->answer.boot_id, member->boot_id, WIRE_ID_SIZE) != 0)
		member->rc = -EPROTO;		/* it restarted: what it says is not about this attempt */
	if (member->rc == -EPROTO || member->rc == -EPERM)
		member->joined = false;
}

/* Asks those members for which want is true, all at once, and waits for all answers. True when all said yes. */
static bool ask_members(struct session *session, const struct question *question, bool (*want)(struct session_member *))
{
	struct asking askings[XDC_SESSION_MEMBERS_MAX];
	bool all = true;
	int rc;

	for (unsigned i = 0; i < session->config.member_count; i++) {
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

static bool ask_all(struct session *session, uint16_t type, const void *request, int64_t limit_ns)
{
	const struct question question = { .type = type, .request = request, .limit_ns = limit_ns };

	return ask_members(session, &question, NULL);
}

/* ---- what people see ---- */

static void enter_phase(struct session *session, enum session_phase phase)
{
	session->phase = phase;
	session->phase_since_wall_ns = rt_wall_ns();
	session->waiting_for[0] = '\0';
	rt_cond_wake_all(&session->changed);
}

static void note_waiting(struct session *session, const struct session_member *member)
{
	snprintf(session->waiting_for, sizeof(session->waiting_for), "%s", member->system);
}

static void note_hold(struct session *session)
{
	uint32_t longest = 0;

	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (session->members[i].answer.hold_us > longest)
			longest = session->members[i].answer.hold_us;
	}
	session->holds[session->hold_count++ % HOLDS] = longest;
	if (longest > session->hold_max_us)
		session->hold_max_us = longest;
}

/* The attempt failed in this phase: say why, by the first member that refused. Data go on flowing. */
static void note_failure(struct session *session, enum cg_failure otherwise)
{
	struct record_failure failure = {
		.reason = otherwise, .phase = session->phase, .sequence = session->attempt, .at_wall_ns = rt_wall_ns(),
		.lss = session->config.master_lss,
	};

	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct session_member *member = &session->members[i];

		if (!member->rc)
			continue;
		snprintf(failure.system, sizeof(failure.system), "%s", member->system);
		if (member->rc == -ENOTCONN)
			failure.reason = CG_FAILURE_COMMUNICATION;
		else if (member->rc == -EPROTO)
			failure.reason = CG_FAILURE_WRONG_STATE;
		else if (member->answer.reason && member->answer.reason < CG_FAILURE_COUNT)
			failure.reason = (enum cg_failure)member->answer.reason;
		log_line(LOG_WARNING, "session", "session %u: CG %llu failed in %s at %s: %s%s%s",
			 session->config.number, (unsigned long long)session->attempt,
			 session_phase_names[failure.phase], member->system, cg_failure_names[failure.reason],
			 member->why[0] ? ": " : "", member->why);
		break;
	}
	session->previous_failure = session->last_failure;
	session->last_failure = failure;
	if (session->first_failure.reason == CG_FAILURE_NONE)
		session->first_failure = failure;
	session->config.durable.cg_failed++;
	session->failed_since_good++;
}

/* ---- steps ---- */

/*
 * The number of the next attempt: durable before the first close, never used again, above all that any far side holds.
 */
static int take_number(struct session *session)
{
	struct session_durable *durable = &session->config.durable;
	uint64_t number = session->attempt + 1;
	int rc = 0;

	if (planted(PLANTED_REUSE_NUMBER))
		durable->reserved = number + RESERVE;
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
static bool was_recovered(struct session *session)
{
	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct session_member *member = &session->members[i];

		if (member->rc != -EPERM)
			continue;
		log_line(LOG_ERROR, "session", "session %u: %s: %s", session->config.number, member->system,
			 member->why);
		session->state = SESSION_FATAL;
		return true;
	}
	return false;
}

static void abort_attempt(struct session *session, enum cg_failure otherwise)
{
	struct wire_session_request request = make_request(session, session->attempt);

	note_failure(session, otherwise);
	(void)was_recovered(session);
	(void)ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + RT_SECOND);
}

/* Close everywhere, then release everywhere, within the coordination time. */
static bool coordinate(struct session *session, bool *empty)
{
	const struct session_tunables *tunables = &session->config.tunables;
	int64_t limit_ns = rt_now_ns() + tunables->coordination_ns;
	struct wire_session_close close = {
		.head = make_head(session, session->attempt),
		.coordination_ms = (uint32_t)((tunables->coordination_ns + RT_MS - 1) / RT_MS),
		.join = true,
	};
	struct wire_session_request release = make_request(session, session->attempt);

	if (!ask_all(session, WIRE_SESSION_CLOSE, &close, limit_ns))
		return false;
	*empty = true;
	for (unsigned i = 0; i < session->config.member_count; i++)
		*empty = *empty && session->members[i].answer.empty;
	if (!planted(PLANTED_EARLY_RELEASE) && !ask_all(session, WIRE_SESSION_RELEASE, &release, limit_ns))
		return false;
	note_hold(session);
	return true;
}

static bool drain(struct session *session)
{
	const struct session_tunables *tunables = &session->config.tunables;
	bool limited = session->sequence && session->drain_misses < MISSES_MAX;
	struct wire_session_drain request = { .head = make_head(session, session->attempt) };
	int64_t limit_ns = limited ? rt_now_ns() + tunables->drain_ns : RT_NEVER;

	request.limit_ms = limited ? (uint32_t)(tunables->drain_ns / RT_MS) : 0;
	if (ask_all(session, WIRE_SESSION_DRAIN, &request, limit_ns)) {
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
		.head = make_head(session, session->attempt),
		.session_time_us = (uint64_t)session->session_time_us,
		.limit_ms = (uint32_t)(ANSWER_NS / RT_MS),
		.members = session->legs,
	};

	return ask_all(session, WIRE_SESSION_PREPARE, &request, rt_now_ns() + ANSWER_NS) ||
	       planted(PLANTED_COMMIT_EARLY);
}

static bool not_committed(struct session_member *member)
{
	return !member->committed;
}

static bool join_members(struct session *session);

/*
 * There is no way back from here: commit is repeated until every member has answered. False only when cancelled, or
 * when the far sides were recovered: whoever did that has decided.
 */
static bool commit(struct session *session, uint64_t number)
{
	struct wire_session_request request = make_request(session, number);
	bool all = false;

	enter_phase(session, PHASE_COMMIT);
	for (unsigned i = 0; i < session->config.member_count; i++)
		session->members[i].committed = false;
	while (!all && !rt_cancelled()) {
		const struct question question = {
			.type = WIRE_SESSION_COMMIT, .request = &request, .limit_ns = rt_now_ns() + ANSWER_NS,
		};

		all = ask_members(session, &question, not_committed);
		for (unsigned i = 0; i < session->config.member_count; i++) {
			struct session_member *member = &session->members[i];

			member->committed = member->committed || !member->rc;
			if (!member->committed)
				note_waiting(session, member);
		}
		if (planted(PLANTED_NEXT_BEFORE_COMMITTED))
			return true;
		if (!all && planted(PLANTED_ABORT_IN_COMMIT)) {
			abort_attempt(session, CG_FAILURE_COMMUNICATION);
			return false;
		}
		if (!all && was_recovered(session))
			return false;
		if (!all && !rt_sleep_until(rt_now_ns() + RETRY_NS))
			(void)join_members(session);
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
	request = make_request(session, number);
	/* Whoever does not hear it hears it with the next close. */
	(void)ask_all(session, WIRE_SESSION_EXISTS, &request, rt_now_ns() + RT_SECOND);
}

enum outcome {
	GROUP_FORMED,
	GROUP_SHOWS_ALL,		/* nothing was written: the last CG is known to show this moment too */
	GROUP_FAILED,
};

static enum outcome form_group(struct session *session)
{
	int64_t began_ns = rt_now_ns(), wall_ns = rt_wall_ns(), last_us = session->session_time_us;
	struct wire_session_request request;
	uint64_t number;
	bool empty = false;

	if (take_number(session)) {
		session->state = SESSION_FATAL;
		return GROUP_FAILED;
	}
	number = session->attempt;	/* who joins during the commit may raise it */
	session->session_time_us = wall_ns / 1000 > last_us ? wall_ns / 1000 : last_us + 1;
	enter_phase(session, PHASE_COORDINATE);
	if (!coordinate(session, &empty)) {
		abort_attempt(session, CG_FAILURE_COORDINATION_TIME);
		return GROUP_FAILED;
	}
	if (empty && session->sequence) {
		request = make_request(session, session->attempt);
		(void)ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + RT_SECOND);
		session->shown_ns = began_ns;
		session->cg_wall_ns = wall_ns;
		return GROUP_SHOWS_ALL;
	}
	enter_phase(session, PHASE_DRAIN);
	if (!drain(session)) {
		abort_attempt(session, CG_FAILURE_DRAIN_TIME);
		return GROUP_FAILED;
	}
	enter_phase(session, PHASE_PREPARE);
	if (!prepare(session)) {
		abort_attempt(session, CG_FAILURE_FAR_PREPARE);
		return GROUP_FAILED;
	}
	if (!commit(session, number))
		return GROUP_FAILED;
	note_group(session, number, began_ns, wall_ns);
	return GROUP_FORMED;
}

/* ---- joining, and what an earlier master left ---- */

static bool not_joined(struct session_member *member)
{
	return !member->joined;
}

/* The list of all legs, as the joined members report them; a new version when it changed. */
static int gather_legs(struct session *session)
{
	struct wire_members legs = { 0 };
	unsigned total = 0;
	bool same;

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

static void free_report(struct session_member *member)
{
	const struct wire_type *type = wire_type_find(WIRE_SESSION_JOIN);

	wire_free(type->reply, &member->report);
}

/* Every leg's far side must have answered since, or what it holds is not known. */
static bool legs_known(const struct session_member *member)
{
	for (unsigned i = 0; i < member->report.leg_count; i++) {
		if (!member->report.legs[i].connected)
			return false;
	}
	return true;
}

/* The next attempt is above all that far sides and sources have tagged data with. */
static void number_above(struct session *session, const struct wire_session_report *report)
{
	for (unsigned i = 0; i < report->leg_count; i++) {
		const struct wire_leg_state *state = &report->legs[i].state;
		uint64_t highest = state->highest_tag;

		if (highest < state->prepared)
			highest = state->prepared;
		if (highest < state->committed)
			highest = state->committed;
		if (session->attempt < highest)
			session->attempt = highest;
	}
}

/* Asks those that have not joined. True when all members have, with all their legs. */
static bool join_members(struct session *session)
{
	struct wire_session_join request = {
		.head = make_head(session, session->attempt),
		.members = session->legs,
	};
	const struct question question = {
		.type = WIRE_SESSION_JOIN, .request = &request, .limit_ns = rt_now_ns() + ANSWER_NS,
	};
	bool all = true;

	memcpy(request.key, session->config.key, sizeof(request.key));
	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (!session->members[i].joined)
			free_report(&session->members[i]);
	}
	(void)ask_members(session, &question, not_joined);
	if (was_recovered(session))
		return false;
	for (unsigned i = 0; i < session->config.member_count; i++) {
		struct session_member *member = &session->members[i];

		if (!member->joined && !member->rc && legs_known(member)) {
			member->joined = true;
			memcpy(member->boot_id, member->report.boot_id, WIRE_ID_SIZE);
			number_above(session, &member->report);
		}
		member->out_of_sync_blocks = member->report.out_of_sync_blocks;
		all = all && member->joined;
	}
	return all && !gather_legs(session);
}

/* The states of all legs, for the rule. Returns how many. */
static unsigned collect_legs(const struct session *session, struct recover_leg *legs)
{
	bool may_be_late[WIRE_LEGS_MAX];
	uint64_t committed = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < session->config.member_count; i++) {
		const struct wire_session_report *report = &session->members[i].report;

		for (unsigned j = 0; j < report->leg_count && count < WIRE_LEGS_MAX; j++) {
			const struct wire_leg_state *state = &report->legs[j].state;

			may_be_late[count] = (!state->committed && !state->prepared) ||
					     report->legs[j].joining == report->legs[j].volumes;
			legs[count++] = (struct recover_leg){
				.reached = true, .committed = state->committed, .prepared = state->prepared,
			};
			if (state->committed > committed)
				committed = state->committed;
		}
	}
	/*
	 * Whoever took part in a CG that is committed anywhere holds it. Who holds nothing came later, and so did who
	 * holds an older one and whose volumes were all removed and added again since.
	 */
	for (unsigned i = 0; i < count; i++) {
		if (may_be_late[i] && legs[i].committed != committed && legs[i].prepared != committed)
			legs[i].first = committed + 1;
	}
	return count;
}

/*
 * A new master asks all legs what they hold before it does anything else: a CG that may be committed somewhere is
 * committed everywhere, everything else that is prepared is given up. False: not all members have answered, or
 * cancelled.
 */
static bool resolve(struct session *session)
{
	struct recover_leg *legs;
	struct recover_decision decision = { .verdict = RECOVER_NO_GROUP };
	struct wire_session_request request;
	unsigned count;

	if (!join_members(session))
		return false;
	legs = mem_alloc_zeroed(WIRE_LEGS_MAX * sizeof(legs[0]));
	if (!legs)
		return false;
	count = collect_legs(session, legs);
	if (count)
		decision = recover_decide(legs, count, false);
	mem_free(legs);
	if (decision.verdict == RECOVER_BROKEN) {
		session->state = SESSION_FATAL;
		log_line(LOG_ERROR, "session", "session %u: the far sides hold groups that do not fit together",
			 session->config.number);
		return false;
	}
	if (decision.verdict == RECOVER_TO) {
		if (!commit(session, decision.number))
			return false;
		session->sequence = decision.number;
	}
	request = make_request(session, 0);
	(void)ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + ANSWER_NS);
	session->resolved = true;
	return true;
}

/* ---- the loop ---- */

static void sleep_until_woken(struct session *session, int64_t until_ns)
{
	RT_LIMIT(until_ns);

	enter_phase(session, PHASE_WAIT);
	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (!session->members[i].joined)
			note_waiting(session, &session->members[i]);
	}
	while (!session->pause_asked && !session->woken && rt_now_ns() < until_ns) {
		if (rt_cond_wait(&session->changed))
			break;
	}
}

/* Counters are for people: now and then is enough. That it cannot be saved shows when a number is to be reserved. */
static void save_counters(struct session *session)
{
	if (rt_now_ns() - session->saved_ns < SAVE_NS)
		return;
	session->saved_ns = rt_now_ns();
	if (session->config.save(session->config.arg, &session->config.durable))
		log_line(LOG_WARNING, "session", "session %u: its counters are not durable", session->config.number);
}

static bool all_joined(const struct session *session)
{
	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (!session->members[i].joined)
			return false;
	}
	return true;
}

static void run_session(void *arg)
{
	struct session *session = arg;

	while (!rt_cancelled() && !session->pause_asked && session->state == SESSION_RUNNING) {
		int64_t pause_ns = session->config.tunables.interval_ns, least_ns = 0;

		session->woken = false;
		if (!session->resolved || !all_joined(session)) {
			if (!(session->resolved ? join_members(session) : resolve(session)))
				least_ns = RETRY_NS;
			pause_ns = 0;
		} else {
			enum outcome outcome = form_group(session);

			save_counters(session);

			least_ns = outcome == GROUP_FAILED ? RETRY_NS : outcome == GROUP_SHOWS_ALL ? IDLE_NS : 0;
		}
		if (pause_ns < least_ns)
			pause_ns = least_ns;
		if (pause_ns)
			sleep_until_woken(session, rt_now_ns() + pause_ns);
	}
	if (session->state == SESSION_RUNNING && session->pause_asked)
		session->state = SESSION_PAUSED;
	enter_phase(session, PHASE_IDLE);
}

/*
 * Rises with every start. Not below the seconds of the clock: a session that was closed and opened again, or has moved
 * to another system, knows nothing of its earlier masters, whom its far sides still obey.
 */
static uint64_t next_incarnation(uint64_t last)
{
	uint64_t seconds = (uint64_t)(rt_wall_ns() / RT_SECOND);

	return last < seconds ? seconds : last + 1;
}

int session_start(const struct session_config *config, struct session **out)
{
	struct session *session = mem_alloc_zeroed(sizeof(*session));
	int rc;

	assert(config->member_count >= 1 && config->member_count <= XDC_SESSION_MEMBERS_MAX);
	if (!session)
		return -ENOMEM;
	session->config = *config;
	session->config.durable.incarnation = next_incarnation(config->durable.incarnation);
	session->config.durable.state = SESSION_RUNNING;
	session->state = SESSION_RUNNING;
	session->attempt = config->durable.reserved ? config->durable.reserved - 1 : 0;
	session->member_version = (uint64_t)rt_wall_ns();
	rt_group_init(&session->group);
	rt_group_init(&session->asking);
	rt_cond_init(&session->changed);
	for (unsigned i = 0; i < config->member_count; i++) {
		session->members[i].session = session;
		memcpy(session->members[i].system, config->members[i], XDC_SYSTEM_ID_MAX);
	}
	if (planted(PLANTED_NO_INCARNATION))
		session->config.durable.incarnation = 1;
	session->saved_ns = rt_now_ns();
	rc = config->save(config->arg, &session->config.durable);
	if (!rc)
		rc = rt_group_start(&session->group, "session", run_session, session);
	if (rc) {
		mem_free(session);
		return rc;
	}
	*out = session;
	return 0;
}

void session_stop(struct session *session)
{
	rt_group_stop(&session->group);
	for (unsigned i = 0; i < session->config.member_count; i++)
		free_report(&session->members[i]);
	mem_free(session->legs.items);
	mem_free(session);
}

void session_give_up(struct session *session)
{
	session->pause_asked = true;
	rt_group_cancel(&session->group);
}

int session_pause(struct session *session)
{
	session->pause_asked = true;
	if (session->state == SESSION_RUNNING)
		session->state = SESSION_PAUSING;
	rt_cond_wake_all(&session->changed);
	return rt_group_wait(&session->group);
}

void session_lose(struct session *session)
{
	session->state = SESSION_FATAL;
	session->config.durable.state = SESSION_FATAL;
	session_wake(session);
}

void session_wake(struct session *session)
{
	session->woken = true;
	rt_cond_wake_all(&session->changed);
}

int session_dismiss(struct session *session)
{
	struct wire_session_request request = make_request(session, session->attempt);

	(void)ask_all(session, WIRE_SESSION_LEAVE, &request, rt_now_ns() + ANSWER_NS);
	for (unsigned i = 0; i < session->config.member_count; i++) {
		int rc = session->members[i].rc;

		/* Who does not obey this master, or knows no such session, has nothing to leave. */
		if (rc && rc != -EPROTO && rc != -ENOENT && rc != -ESTALE && rc != -EPERM)
			return rc;
	}
	return 0;
}

void session_get_info(const struct session *session, struct copy_session_info *info)
{
	const struct session_config *config = &session->config;
	bool heard = session->shown_ns != 0;

	info->session = config->number;
	info->role = SESSION_MASTER;
	info->state = session->state;
	info->phase = session->phase;
	info->phase_since_wall_ns = session->phase_since_wall_ns;
	memcpy(info->waiting_for, session->waiting_for, sizeof(info->waiting_for));
	info->master_lss = config->master_lss;
	memcpy(info->master, config->own, sizeof(info->master));
	info->member_count = config->member_count;
	memcpy(info->members, config->members, sizeof(info->members));
	for (unsigned i = 0; i < config->member_count; i++) {
		info->member_reached[i] = session->members[i].joined;
		heard = heard && session->members[i].joined;
	}
	info->tunables = config->tunables;
	info->sequence = session->sequence;
	info->cg_wall_ns = session->cg_wall_ns;
	info->rpo_ns = heard ? rt_now_ns() - session->shown_ns : -1;
	info->hold_p99_ns = session_hold_p99_ns(session->holds, session->hold_count < HOLDS ? session->hold_count
											: HOLDS);
	info->hold_max_ns = (int64_t)session->hold_max_us * RT_US;
	info->cg_good = config->durable.cg_good;
	info->cg_failed = config->durable.cg_failed;
	info->cg_failed_since_good = session->failed_since_good;
	info->first_failure = session->first_failure;
	info->last_failure = session->last_failure;
	info->previous_failure = session->previous_failure;
}
