/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/recover_rule.h"
#include "copy/session_private.h"
#include "rt/log.h"
#include "rt/mem.h"

#define IDLE_NS			RT_SECOND
#define LAST_TRIES		10u			/* to form the group that a pause is to end with */
#define SAVE_NS			(30 * RT_SECOND)	/* counters may lose so much in a crash */

/* ---- joining, and what an earlier master left ---- */

static bool not_joined(struct session_member *member)
{
	return !member->joined;
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

static bool not_kept(struct session_member *member)
{
	return member->joined && !member->kept;
}

/* A far side that has not heard it keeps what it kept before: its source joins again, and tells it then. */
static void tell_keep(struct session *session)
{
	const struct wire_keep request = {
		.head = session_make_head(session, session->attempt),
		.keep_us = (uint64_t)(session->config.tunables.keep_ns / RT_US),
		.keep_bytes = session->config.tunables.keep_bytes,
	};
	const struct session_question question = {
		.type = WIRE_SESSION_KEEP, .request = &request, .limit_ns = rt_now_ns() + ANSWER_NS,
	};

	if (!session->config.tells_keep)
		return;
	(void)session_ask_members(session, &question, not_kept);
	for (unsigned i = 0; i < session->config.member_count; i++) {
		struct session_member *member = &session->members[i];

		if (!member->joined || member->kept)
			continue;
		member->kept = !member->rc;
		member->joined = !member->rc;
	}
}

/* Asks those that have not joined. True when all members have, with all their legs. */
bool session_join_members(struct session *session)
{
	struct wire_session_join request = {
		.head = session_make_head(session, session->attempt),
		.members = session->legs,
	};
	const struct session_question question = {
		.type = WIRE_SESSION_JOIN, .request = &request, .limit_ns = rt_now_ns() + ANSWER_NS,
	};
	bool all;

	memcpy(request.key, session->config.key, sizeof(request.key));
	for (unsigned i = 0; i < session->config.member_count; i++) {
		if (!session->members[i].joined)
			free_report(&session->members[i]);
	}
	(void)session_ask_members(session, &question, not_joined);
	if (session_was_recovered(session))
		return false;
	for (unsigned i = 0; i < session->config.member_count; i++) {
		struct session_member *member = &session->members[i];

		if (!member->joined && !member->rc && legs_known(member)) {
			member->joined = true;
			member->kept = false;
			session->legs_listed = false;
			memcpy(member->boot_id, member->report.boot_id, WIRE_ID_SIZE);
			number_above(session, &member->report);
		}
		member->out_of_sync_blocks = member->report.out_of_sync_blocks;
	}
	tell_keep(session);
	all = true;
	for (unsigned i = 0; i < session->config.member_count; i++)
		all = all && session->members[i].joined;
	return all;
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

	if (!session_join_members(session))
		return false;
	legs = mem_alloc_zeroed(WIRE_LEGS_MAX * sizeof(legs[0]));
	if (!legs)
		return false;
	count = collect_legs(session, legs);
	if (count)
		decision = recover_decide(legs, count, false);
	mem_free(legs);
	if (decision.verdict == RECOVER_BROKEN) {
		session_become_fatal(session, EVENT_SESSION_FATAL,
				     "the far sides hold groups that do not fit together");
		return false;
	}
	if (decision.verdict == RECOVER_TO) {
		if (!session_finish_group(session, decision.number))
			return false;
		session->sequence = decision.number;
	}
	request = session_make_request(session, 0);
	(void)session_ask_all(session, WIRE_SESSION_ABORT, &request, rt_now_ns() + ANSWER_NS);
	session->resolved = true;
	return true;
}

/* ---- the loop ---- */

/* After a failure it tries again soon; when only an administrator can end what stands in the way, now and then. */
static int64_t retry_ns(const struct session *session)
{
	enum cg_failure reason = session->last_failure.reason;

	return reason == CG_FAILURE_WRITES_LOST || reason == CG_FAILURE_DISK || reason == CG_FAILURE_PAIR_SUSPENDED ?
		       IDLE_NS : RETRY_NS;
}

static void sleep_until_woken(struct session *session, int64_t until_ns)
{
	RT_LIMIT(until_ns);

	session_enter_phase(session, PHASE_WAIT);
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

static void form_groups(struct session *session)
{
	while (!rt_cancelled() && !session->pause_asked && session->state == SESSION_RUNNING) {
		int64_t pause_ns = session->config.tunables.interval_ns, least_ns = 0;

		session->woken = false;
		if (!session->resolved || !all_joined(session)) {
			if (!(session->resolved ? session_join_members(session) : resolve(session)))
				least_ns = RETRY_NS;
			pause_ns = 0;
		} else {
			enum session_outcome outcome = session_form_group(session);

			save_counters(session);

			if (outcome == GROUP_FAILED)
				least_ns = retry_ns(session);
			else
				least_ns = outcome == GROUP_SHOWS_ALL ? IDLE_NS : session->rest_until_ns - rt_now_ns();
		}
		if (pause_ns < least_ns)
			pause_ns = least_ns;
		if (pause_ns > 0)
			sleep_until_woken(session, rt_now_ns() + pause_ns);
	}
}

/* A group that begins from here on, or the last one is known to show this moment too. False also when cancelled. */
static bool form_last(struct session *session)
{
	for (unsigned i = 0; i < LAST_TRIES && session->pause_asked && session->state != SESSION_FATAL &&
	     !rt_cancelled(); i++) {
		bool known = session->resolved && all_joined(session);

		if (!known)
			known = session->resolved ? session_join_members(session) : resolve(session);
		if (known && session_form_group(session) != GROUP_FAILED)
			return true;
		if (rt_sleep_until(rt_now_ns() + RETRY_NS))
			break;
	}
	return false;
}

static int save_paused(struct session *session)
{
	struct session_durable *durable = &session->config.durable, next = *durable;
	int rc;

	next.state = SESSION_PAUSED;
	rc = session->config.save(session->config.arg, &next);
	if (!rc && session->state != SESSION_FATAL)
		*durable = next;
	return rc;
}

/* Paused only when that outlives a restart; else it goes on, and whoever asked is told why. */
static bool become_paused(struct session *session)
{
	unsigned asked;
	bool formed;

	/* What was withdrawn and asked for again meanwhile is a new pause: hosts may have written in between. */
	do {
		asked = session->pauses_asked;
		formed = !session->last_asked || form_last(session);
	} while (session->pause_asked && asked != session->pauses_asked && session->state != SESSION_FATAL &&
		 !rt_cancelled());
	if (!session->pause_asked && !rt_cancelled())
		return false;		/* withdrawn meanwhile */
	session->last_asked = false;
	session->pause_comes = true;
	session->pause_rc = formed ? save_paused(session) : -EAGAIN;
	session->pause_comes = false;
	if (session->state == SESSION_FATAL)
		return true;
	if (!session->pause_rc || rt_cancelled()) {
		session->state = SESSION_PAUSED;
		return true;
	}
	if (formed)
		log_line(LOG_ERROR, "session", "session %u goes on: that it is paused cannot be made durable: %s",
			 session->config.number, strerror(-session->pause_rc));
	session->pause_asked = false;
	session->state = SESSION_RUNNING;
	rt_cond_wake_all(&session->changed);
	return false;
}

static void run_session(void *arg)
{
	struct session *session = arg;

	do {
		form_groups(session);
	} while (session->pause_asked && session->state != SESSION_FATAL && !become_paused(session));
	session->ended = true;
	session_enter_phase(session, PHASE_IDLE);
	session_limits_changed(session);	/* nothing grows any more that is to be watched */
}

/*
 * Rises with every start. Not below the seconds of the clock: a session that was closed and opened again, or has
 * moved to another system, knows nothing of its earlier masters, whom its far sides still obey.
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
	session->saved_ns = session->started_ns = rt_now_ns();
	rt_cond_init(&session->limits_changed);
	rc = config->save(config->arg, &session->config.durable);
	if (rc) {
		mem_free(session);
		return rc;
	}
	rc = rt_group_start(&session->group, "session", run_session, session);
	if (!rc)
		rc = rt_group_start(&session->group, "session rpo", session_watch_rpo, session);
	if (rc) {
		rt_group_stop(&session->group);
		/* It is not one that goes on with the next start of the system. */
		if (config->save(config->arg, &config->durable))
			log_line(LOG_WARNING, "session", "session %u: that it does not run is not durable",
				 config->number);
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

void session_end(struct session *session)
{
	session_give_up(session);
	rt_group_stop(&session->group);
}

bool session_is_pausing(const struct session *session)
{
	return session->pause_asked && !session->ended;
}

bool session_has_ended(const struct session *session)
{
	return session->ended;
}

void session_give_up(struct session *session)
{
	session->pause_asked = true;
	rt_group_cancel(&session->group);
}

int session_pause(struct session *session, bool last)
{
	int rc = 0;

	session->pause_asked = true;
	session->last_asked = last;
	session->pauses_asked++;
	session->pause_rc = 0;
	if (session->state == SESSION_RUNNING) {
		session->state = SESSION_PAUSING;
		session->pausing_since_wall_ns = rt_wall_ns();
	}
	rt_cond_wake_all(&session->changed);
	while (!rc && session->pause_asked && !session->ended)
		rc = rt_cond_wait(&session->changed);
	if (!rc)
		rc = session->pause_rc;
	/* It had ended before, by a command that was given up. */
	if (!rc && session->state == SESSION_PAUSED && session->config.durable.state != SESSION_PAUSED)
		rc = save_paused(session);
	return rc;
}

bool session_withdraw_pause(struct session *session)
{
	if (session->ended || session->pause_comes || session->group.cancelled || session->state == SESSION_FATAL)
		return false;
	if (session->pause_asked)
		session->pause_rc = -ECANCELED;
	session->pause_asked = session->last_asked = false;
	session->state = SESSION_RUNNING;
	rt_cond_wake_all(&session->changed);
	return true;
}

void session_lose(struct session *session)
{
	session_become_fatal(session, EVENT_SESSION_FATAL, "it is over: its volumes were taken over by their far side");
	session->config.durable.state = SESSION_FATAL;
	session_wake(session);
}

void session_wake(struct session *session)
{
	session->woken = true;
	rt_cond_wake_all(&session->changed);
}

void session_limits_changed(struct session *session)
{
	rt_cond_wake_all(&session->limits_changed);
}

int session_dismiss(struct session *session)
{
	struct wire_session_request request = session_make_request(session, session->attempt);

	(void)session_ask_all(session, WIRE_SESSION_LEAVE, &request, rt_now_ns() + ANSWER_NS);
	for (unsigned i = 0; i < session->config.member_count; i++) {
		int rc = session->members[i].rc;

		/* Who does not obey this master, or knows no such session, has nothing to leave. */
		if (rc && rc != -EPROTO && rc != -ENOENT && rc != -ESTALE && rc != -EPERM)
			return rc;
	}
	return 0;
}

int session_copy_legs(const struct session *session, struct wire_members *out)
{
	size_t bytes = session->legs.count * sizeof(session->legs.items[0]);

	if (!all_joined(session) || !session->legs_listed || !session->sequence)
		return -EAGAIN;
	out->items = mem_alloc(bytes + 1);
	if (!out->items)
		return -ENOMEM;
	memcpy(out->items, session->legs.items, bytes);
	out->count = session->legs.count;
	return 0;
}

/* The hold that at most one in a hundred of these exceeds. */
static int64_t hold_p99_ns(const uint32_t *holds_us, unsigned count)
{
	uint32_t limit = UINT32_MAX, longest = 0;

	/* Take the longest away as often as one in a hundred may be longer. */
	for (unsigned round = 0; count && round <= count / 100; round++) {
		longest = 0;
		for (unsigned i = 0; i < count; i++) {
			if (holds_us[i] < limit && holds_us[i] >= longest)
				longest = holds_us[i];
		}
		limit = longest;
	}
	return (int64_t)longest * RT_US;
}

/* The first that was asked and has not answered; else whoever the phase does not end without. NULL: nobody. */
static const struct session_member *find_waited_for(const struct session *session)
{
	const struct session_member *end = session->members + session->config.member_count;

	for (const struct session_member *member = session->members; member < end; member++) {
		if (member->asked)
			return member;
	}
	for (const struct session_member *member = session->members; member < end; member++) {
		if ((session->phase == PHASE_COMMIT && !member->committed) ||
		    (session->phase == PHASE_WAIT && !member->joined))
			return member;
	}
	return NULL;
}

void session_get_info(const struct session *session, struct copy_session_info *info)
{
	const struct session_config *config = &session->config;
	const struct session_member *waited = find_waited_for(session);
	bool heard = session->shown_ns != 0;

	info->session = config->number;
	info->role = SESSION_MASTER;
	info->state = session->state;
	if (session->state == SESSION_PAUSING)
		info->state_since_wall_ns = session->pausing_since_wall_ns;
	info->phase = session->phase;
	info->phase_since_wall_ns = session->phase_since_wall_ns;
	info->master_lss = config->master_lss;
	memcpy(info->master, config->own, sizeof(info->master));
	info->member_count = config->member_count;
	memcpy(info->members, config->members, sizeof(info->members));
	if (waited) {
		memcpy(info->waiting_for, waited->system, sizeof(info->waiting_for));
		info->waiting_since_wall_ns = waited->silent_since_wall_ns ? waited->silent_since_wall_ns
									   : session->phase_since_wall_ns;
	}
	for (unsigned i = 0; i < config->member_count; i++) {
		info->member_reached[i] = session->members[i].joined;
		heard = heard && session->members[i].joined;
	}
	info->tunables = config->tunables;
	/* Until it is resolved, what was known before its start. */
	if (session->sequence)
		info->sequence = session->sequence;
	if (session->cg_wall_ns)
		info->cg_wall_ns = session->cg_wall_ns;
	info->rpo_ns = heard ? rt_now_ns() - session->shown_ns : -1;
	info->hold_p99_ns = hold_p99_ns(session->holds, session->hold_count < HOLDS ? session->hold_count
											: HOLDS);
	info->hold_max_ns = (int64_t)session->hold_max_us * RT_US;
	info->cg_good = config->durable.cg_good;
	info->cg_failed = config->durable.cg_failed;
	info->cg_failed_since_good = session->failed_since_good;
	info->first_failure = session->first_failure;
	info->last_failure = session->last_failure;
	info->previous_failure = session->previous_failure;
}
