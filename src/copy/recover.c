/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/recover.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/recover_private.h"
#include "copy/session_entry.h"
#include "copy/swap.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define REACH_NS	(5 * RT_SECOND)		/* to connect to another far side */
#define ANSWER_NS	(10 * RT_SECOND)	/* for what it holds */
#define DECIDE_NS	(20 * RT_SECOND)	/* to decide; longer than a far side waits for its volumes */
#define ASKS_MAX	3u
#define LOOKS_MAX	6u			/* at a session that may be going on */
#define LOOK_AGAIN_NS	(10 * RT_MS)

const char *recovery_object(const struct recovery *recovery, char text[64])
{
	snprintf(text, 64, "session %u", recovery->request.session);
	return text;
}

/* ---- who takes part ---- */

static void add_far(struct recovery *recovery, const char *system, const char *address)
{
	struct far *far;

	for (unsigned i = 0; i < recovery->count; i++) {
		if (!strcmp(recovery->fars[i].system, system))
			return;
	}
	if (recovery->count == WIRE_MEMBERS_MAX)
		return;
	far = &recovery->fars[recovery->count++];
	far->recovery = recovery;
	snprintf(far->system, sizeof(far->system), "%s", system);
	snprintf(far->address, sizeof(far->address), "%s", address);
}

static void add_named(struct recovery *recovery, const struct wire_recover_legs *legs)
{
	for (uint32_t i = 0; i < legs->count; i++) {
		const struct wire_members *members = &legs->items[i].members;

		for (uint32_t j = 0; j < members->count; j++)
			add_far(recovery, members->items[j].far, members->items[j].far_address);
	}
}

static uint64_t newest_number(const struct leg *leg)
{
	struct journal_info info;

	leg_get_info(leg, &info);
	return info.prepared > info.committed ? info.prepared : info.committed;
}

/* The leg here that was last in a group says which session is meant: a number may be used again, a key never is. */
static const struct leg *find_own_leg(struct copy *copy, uint8_t session)
{
	const struct leg *leg, *newest = NULL;

	list_for_each(leg, &copy->legs, link) {
		if (!leg->gone && leg->record.session == session &&
		    (!newest || newest_number(leg) > newest_number(newest)))
			newest = leg;
	}
	return newest;
}

int recovery_begin(struct copy *copy, uint8_t session, struct recovery *recovery, struct fault *fault)
{
	const struct leg *leg;
	char object[64];

	*recovery = (struct recovery){ .copy = copy, .request = { .session = session } };
	rt_group_init(&recovery->asking);
	recovery_object(recovery, object);
	if (session_check(copy, session, SESSION_DO_RECOVER, false, fault))
		return -1;
	leg = find_own_leg(copy, session);
	if (!leg)
		return fault_set(fault, FAULT_FAILED, object,
				 "wait for the other side; if that is lost, xdc session recover",
				 "it is swapped, and no group was formed since");
	memcpy(recovery->request.key, leg->record.key, WIRE_KEY_SIZE);
	snprintf(recovery->request.initiator, sizeof(recovery->request.initiator), "%s", copy->config.system);
	recovery->fars = mem_alloc_zeroed(WIRE_MEMBERS_MAX * sizeof(recovery->fars[0]));
	if (!recovery->fars)
		return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
	add_far(recovery, copy->config.system, "");
	return 0;
}

void recovery_end(struct recovery *recovery)
{
	RT_SHIELD();

	for (unsigned i = 0; i < recovery->count; i++) {
		link_reply_free(WIRE_RECOVER_PROBE, &recovery->fars[i].legs);
		link_reply_free(WIRE_RECOVER_DECIDE, &recovery->fars[i].done);
		link_reply_free(WIRE_RECOVER_POINTS, &recovery->fars[i].points);
		link_reply_free(WIRE_RECOVER_POINT, &recovery->fars[i].point);
		link_reply_free(WIRE_PRACTICE, &recovery->fars[i].practice);
		if (recovery->fars[i].peer)
			peer_put(recovery->fars[i].peer);
	}
	mem_free(recovery->fars);
}

/* ---- asking them, all at once ---- */

bool recovery_is_own(const struct far *far)
{
	return !strcmp(far->system, far->recovery->copy->config.system);
}

int recovery_reach(struct far *far)
{
	struct copy *copy = far->recovery->copy;
	struct link_state state;

	if (recovery_is_own(far))
		return 0;
	if (!far->peer)
		far->peer = peer_get(copy, far->system, NULL, false);
	if (!far->peer)
		far->peer = peer_get(copy, far->system, far->address, false);
	if (!far->peer)
		return copy_refuse(far->why, -ENOMEM, "no memory");
	if (peer_wait_connected(far->peer, REACH_NS))
		return 0;
	link_get_state(far->peer->to, &state);
	return copy_refuse(far->why, -ENOTCONN, "%s", state.last_error_text);
}

/* A connection that breaks under it is there again soon, where the far side is. */
static void look_at_far(void *arg)
{
	struct far *far = arg;
	const struct wire_recover_request *request = &far->recovery->request;
	uint16_t type = request->epoch ? WIRE_RECOVER_FENCE : WIRE_RECOVER_PROBE;
	unsigned tries = 0;

	do {
		RT_LIMIT(rt_now_ns() + REACH_NS + ANSWER_NS);

		far->why[0] = '\0';
		link_reply_free(WIRE_RECOVER_PROBE, &far->legs);
		far->rc = recovery_reach(far);
		if (far->rc)
			return;
		far->rc = copy_ask(far->recovery->copy, far->system, type, request, &far->legs, far->why);
	} while (far->rc == -ENOTCONN && ++tries < ASKS_MAX);
	if (far->rc)
		link_reply_free(WIRE_RECOVER_PROBE, &far->legs);
}

int recovery_ask_fars(struct recovery *recovery, unsigned from, void (*fn)(void *arg))
{
	int rc;

	for (unsigned i = from; i < recovery->count; i++) {
		struct far *far = &recovery->fars[i];

		far->why[0] = '\0';
		far->rc = rt_group_start(&recovery->asking, "recover ask", fn, far);
	}
	rc = rt_group_wait(&recovery->asking);
	if (rc)
		rt_group_stop(&recovery->asking);
	return rc;
}

static const char *words_of(const struct far *far)
{
	return far->why[0] ? far->why : strerror(-far->rc);
}

/* The older CG that is asked for, or that an earlier recovery has chosen; 0: the plan stands. */
static uint64_t number_of(const struct recovery *recovery)
{
	if (recovery->number && recovery->number != recovery->plan.decision.number)
		return recovery->number;
	for (unsigned i = 0; i < recovery->count; i++) {
		const struct wire_recover_legs *legs = &recovery->fars[i].legs;

		for (uint32_t j = 0; j < legs->count; j++) {
			if (recover_leg_goes_back(&legs->items[j]))
				return legs->items[j].decided;
		}
	}
	return 0;
}

static void ask_point(void *arg)
{
	struct far *far = arg;
	struct wire_point_request request = {
		.session = far->recovery->request.session, .number = far->recovery->older,
	};
	RT_LIMIT(rt_now_ns() + ANSWER_NS);

	link_reply_free(WIRE_RECOVER_POINT, &far->point);
	memcpy(request.key, far->recovery->request.key, WIRE_KEY_SIZE);
	if (far->legs.count)
		far->rc = copy_ask(far->recovery->copy, far->system, WIRE_RECOVER_POINT, &request, &far->point,
				   far->why);
}

/* Of those that answered. */
static unsigned collect_answers(struct recovery *recovery, struct recover_answer *answers)
{
	unsigned count = 0;

	for (unsigned i = 0; i < recovery->count; i++) {
		struct far *far = &recovery->fars[i];

		if (far->legs.count)
			answers[count++] = (struct recover_answer){ far->system, &far->legs, &far->point };
	}
	return count;
}

/* Another plan, where the CG is not the last one: every far side is asked what it has of it. */
static int plan_older(struct recovery *recovery, bool force, struct fault *fault)
{
	struct recover_answer answers[WIRE_MEMBERS_MAX];
	const struct recover_plan earlier = recovery->plan;
	uint64_t decision = earlier.decision.number;
	char object[64];
	int rc;

	if (earlier.decided && recovery->number && recovery->number != decision)
		return fault_set(fault, FAULT_IN_USE, recovery_object(recovery, object),
				 "xdc session recover without --at finishes that one",
				 "an earlier recovery has decided for CG %llu", (unsigned long long)decision);
	recovery->older = number_of(recovery);
	if (!recovery->older)
		return 0;
	rc = recovery_ask_fars(recovery, 0, ask_point);
	if (rc)
		return fault_set(fault, FAULT_TIMEOUT, recovery_object(recovery, object), "repeat the command",
				 "given up: %s", strerror(-rc));
	for (unsigned i = 0; i < recovery->count; i++) {
		const struct far *far = &recovery->fars[i];

		if (far->legs.count && far->rc)
			return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object), "repeat the command",
					 "far side %s: %s", far->system, words_of(far));
	}
	recover_make_plan_at(answers, collect_answers(recovery, answers), recovery->older, force,
			     earlier.decided ? &earlier : NULL, &recovery->plan);
	return 0;
}

/* What all far sides hold, those too that others name; then the plan. */
static int look(struct recovery *recovery, bool force, struct fault *fault)
{
	struct recover_answer answers[WIRE_MEMBERS_MAX];
	unsigned asked = 0;
	char object[64];

	while (asked < recovery->count) {
		unsigned count = recovery->count;
		int rc = recovery_ask_fars(recovery, asked, look_at_far);

		if (rc)
			return fault_set(fault, FAULT_TIMEOUT, recovery_object(recovery, object), "repeat the command",
					 "given up: %s", strerror(-rc));
		for (; asked < count; asked++)
			add_named(recovery, &recovery->fars[asked].legs);
	}
	if (recovery->fars[0].rc)
		return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object),
				 "mend that, or give the command on another far side", "%s",
				 words_of(&recovery->fars[0]));
	for (unsigned i = 0; i < recovery->count; i++) {
		if (recovery->fars[i].rc)
			log_line(LOG_WARNING, "recover", "session %u: far side %s: %s", recovery->request.session,
				 recovery->fars[i].system, words_of(&recovery->fars[i]));
	}
	recover_make_plan(answers, collect_answers(recovery, answers), force, &recovery->plan);
	return plan_older(recovery, force, fault);
}

/* ---- what the plan says to people ---- */

static int fault_older_missing(const struct recovery *recovery, struct fault *fault)
{
	const struct recover_plan *plan = &recovery->plan;
	char object[64];

	return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object),
			 "bring it back and repeat; --force goes back without it, and it obeys when it is back, "
			 "or stays closed",
			 "far side %s is missing: whether it can show CG %llu is not known", plan->missing,
			 (unsigned long long)plan->decision.number);
}

int recovery_check_plan(const struct recovery *recovery, struct fault *fault)
{
	const struct recover_plan *plan = &recovery->plan;
	unsigned session = recovery->request.session;
	char object[64], remedy[256];

	recovery_object(recovery, object);
	switch (plan->decision.verdict) {
	case RECOVER_NO_GROUP:
		return fault_set(fault, FAULT_FAILED, object,
				 "xdc pair failover VOLUME takes single volumes as they are",
				 "no consistency group was ever whole: there is nothing to recover to");
	case RECOVER_NOT_KEPT:
		return fault_set(fault, FAULT_FAILED, object, "xdc session points lists the groups that all can show",
				 "CG %llu cannot be shown by %s%s", (unsigned long long)plan->decision.number,
				 plan->culprit[0] ? "far side " : "any far side", plan->culprit);
	case RECOVER_UNCERTAIN:
		if (recovery->older)
			return fault_older_missing(recovery, fault);
		snprintf(remedy, sizeof(remedy),
			 "bring it back and repeat; or xdc session recover %u --force takes CG %llu, "
			 "and what is missing obeys or stays closed",
			 session, (unsigned long long)plan->decision.number);
		return fault_set(
			fault, FAULT_FAILED, object, remedy,
			"far side %s is missing: whether CG %llu, which all others are prepared with, is whole "
			"cannot be known without it",
			plan->missing, (unsigned long long)plan->decision.number);
	case RECOVER_BROKEN:
		return fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd there",
				 "what far side %s holds does not fit to the others: no group can be shown by all",
				 plan->culprit);
	default:
		return 0;
	}
}

__attribute__((format(printf, 2, 3))) static void add_name(char names[RECOVERY_NAMES_MAX], const char *format, ...)
{
	size_t len = strlen(names);
	va_list args;

	if (len)
		len += (size_t)snprintf(names + len, RECOVERY_NAMES_MAX - len, ", ");
	va_start(args, format);
	if (len < RECOVERY_NAMES_MAX)
		vsnprintf(names + len, RECOVERY_NAMES_MAX - len, format, args);
	va_end(args);
}

static void add_volumes(char names[RECOVERY_NAMES_MAX], const struct far *far, const struct wire_volumes *volumes)
{
	for (uint32_t i = 0; i < volumes->count; i++)
		add_name(names, "%04X on %s", volumes->ids[i], far->system);
}

static void add_missing(const struct recovery *recovery, struct recovery_result *result)
{
	for (unsigned i = 0; i < recovery->count; i++) {
		const struct far *far = &recovery->fars[i];

		for (uint32_t j = 0; j < far->legs.count && !recovery->older; j++) {
			if (recover_leg_holds(&far->legs.items[j], result->sequence))
				add_volumes(result->missing, far, &far->legs.items[j].missing);
		}
		for (uint32_t j = 0; j < far->point.count && recovery->older; j++)
			add_volumes(result->missing, far, &far->point.items[j].missing);
	}
}

/* As it would be now. */
static void fill_result(const struct recovery *recovery, struct recovery_result *result)
{
	const struct recover_plan *plan = &recovery->plan;

	*result = (struct recovery_result){
		.sequence = plan->decision.number, .cg_wall_ns = (int64_t)plan->session_time_us * RT_US,
		.lost_ns = -1, .systems = plan->systems, .volumes = plan->volumes - plan->volumes_missing,
		.systems_missing = plan->systems_missing, .volumes_missing = plan->volumes_missing,
	};
	if (plan->missing[0])
		add_name(result->missing, "system %s", plan->missing);
	add_missing(recovery, result);
}

/*
 * Without a fence the session may go on meanwhile, and one far side answers before a group, another after it: what
 * does not fit together is looked at again.
 */
int recovery_look(struct recovery *recovery, bool force, struct fault *fault)
{
	int rc = look(recovery, force, fault);

	for (unsigned i = 1; i < LOOKS_MAX && !rc && recovery->plan.decision.verdict == RECOVER_BROKEN; i++) {
		if (rt_sleep_until(rt_now_ns() + (int64_t)i * LOOK_AGAIN_NS))
			break;
		rc = look(recovery, force, fault);
	}
	return rc;
}

int copy_session_probe(struct copy *copy, uint8_t session, struct recovery_result *result, struct fault *fault)
{
	struct recovery recovery;
	char object[64];
	int rc = recovery_begin(copy, session, &recovery, fault);

	if (!rc)
		rc = recovery_look(&recovery, false, fault);
	if (!rc)
		rc = recovery_check_plan(&recovery, fault);
	if (!rc)
		fill_result(&recovery, result);
	if (!rc && recovery.plan.systems_missing)
		rc = fault_set(fault, FAULT_FAILED, recovery_object(&recovery, object),
			       "xdc session recover recovers the others; repeated later, the missing ones too",
			       "far side %s cannot be reached from here, or lacks CG %llu", recovery.plan.missing,
			       (unsigned long long)recovery.plan.decision.number);
	if (!rc && recovery.plan.volumes_missing)
		rc = fault_set(fault, FAULT_FAILED, recovery_object(&recovery, object),
			       "xdc volume list there says what is wrong; xdc session recover recovers the others; "
			       "repeated later, these too",
			       "CG %llu cannot be shown by all its volumes now: %s",
			       (unsigned long long)result->sequence, result->missing);
	recovery_end(&recovery);
	return rc;
}

/* ---- carrying it out ---- */

/* It goes on there when no answer came in time: asked again, it answers as soon as that is done. */
static int ask_to_decide(struct far *far, const struct wire_recover_decide *order)
{
	/* Here a limit would cut the journal's own work short. */
	RT_LIMIT(recovery_is_own(far) ? RT_NEVER : rt_now_ns() + DECIDE_NS);
	int rc = copy_ask(far->recovery->copy, far->system, WIRE_RECOVER_DECIDE, order, &far->done, far->why);

	if (rc != -ETIMEDOUT || far->why[0])
		return rc;
	return copy_refuse(far->why, rc, "it has not answered for %d s: one of its disks is slow or hangs",
			   (int)(DECIDE_NS / RT_SECOND));
}

static void decide_far(void *arg)
{
	struct far *far = arg;
	const struct recovery *recovery = far->recovery;
	struct wire_recover_decide order = {
		.session = recovery->request.session, .epoch = recovery->request.epoch,
		.number = recovery->plan.decision.number, .forced = recovery->plan.forced,
	};

	memcpy(order.key, recovery->request.key, WIRE_KEY_SIZE);
	memcpy(order.initiator, recovery->request.initiator, sizeof(order.initiator));
	/* It has decided durably or will when it is asked again: each break of the link is waited for once. */
	do {
		far->why[0] = '\0';
		link_reply_free(WIRE_RECOVER_DECIDE, &far->done);
		far->rc = ask_to_decide(far, &order);
	} while (far->rc == -ENOTCONN && !recovery_reach(far));
}

static void decide_if_reached(void *arg)
{
	struct far *far = arg;

	/* Who did not answer behind the fence is not told either: it hears of it when it is back. */
	if (far->legs.count)
		decide_far(far);
	else
		far->rc = -ENOTCONN;
}

/* A higher recovery has taken over: it is said who. */
static int fault_lost(const struct recovery *recovery, struct fault *fault)
{
	char object[64];

	for (unsigned i = 0; i < recovery->count; i++) {
		if (recovery->fars[i].rc == -ESTALE)
			return fault_set(fault, FAULT_IN_USE, recovery_object(recovery, object),
					 "see how that recovery ends, then repeat if need be", "%s",
					 recovery->fars[i].why);
	}
	return 0;
}

/* What one far side has come to. */
static void add_far_result(const struct far *far, struct recovery_result *result)
{
	if (far->rc) {
		/* Those that did not answer before are in the plan. */
		result->systems_missing += far->legs.count > 0;
		if (far->legs.count)
			add_name(result->missing, "system %s", far->system);
		return;
	}
	if (far->done.heard_us) {
		int64_t lost_ns = (int64_t)far->done.heard_us * RT_US - result->cg_wall_ns;

		/* Of two systems' clocks: not less than nothing. */
		if (lost_ns > result->lost_ns)
			result->lost_ns = lost_ns;
		if (result->lost_ns < 0)
			result->lost_ns = 0;
	}
	result->systems += far->done.committed != 0;
	result->volumes += far->done.volumes;
	result->volumes_missing += far->done.missing.count;
	add_volumes(result->missing, far, &far->done.missing);
	result->volumes_outside += far->done.outside.count;
	add_volumes(result->outside, far, &far->done.outside);
}

static int carry_out(struct recovery *recovery, struct recovery_result *result, struct fault *fault)
{
	const struct recover_plan *plan = &recovery->plan;
	char object[64];
	int rc = recovery_ask_fars(recovery, 0, decide_if_reached);

	if (rc)
		return fault_set(fault, FAULT_TIMEOUT, recovery_object(recovery, object), "repeat the command",
				 "given up in the middle: %s", strerror(-rc));
	if (fault_lost(recovery, fault))
		return -1;
	*result = (struct recovery_result){
		.sequence = plan->decision.number, .cg_wall_ns = (int64_t)plan->session_time_us * RT_US,
		.lost_ns = -1, .systems_missing = plan->systems_missing,
	};
	if (plan->missing[0])
		add_name(result->missing, "system %s", plan->missing);
	for (unsigned i = 0; i < recovery->count; i++) {
		const struct far *far = &recovery->fars[i];

		if (far->rc && (far->rc != -ENOTCONN || i == 0))
			return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object),
					 "mend that and repeat the command", "system %s: %s", far->system,
					 far->why[0] ? far->why : strerror(-far->rc));
		add_far_result(far, result);
	}
	return 0;
}

/* From here on sources are refused, and what is read stays so. */
static int fence(struct recovery *recovery, bool force, struct fault *fault)
{
	recovery->request.epoch = recovery->plan.highest_epoch + 1;
	if (planted(PLANTED_RECOVERY_NO_FENCE))
		return 0;
	if (look(recovery, force, fault))
		return -1;
	return fault_lost(recovery, fault);
}

int recovery_choose(struct recovery *recovery, const struct recovery_at *at, bool force, struct fault *fault)
{
	recovery->number = at->sequence;
	if (!recovery->number && recovery_find_point(recovery, at->wall_ns, &recovery->number, fault))
		return -1;
	return plan_older(recovery, force, fault);
}

/* No leg here has committed a group of the direction that a swap has begun: no host was let in at the other side. */
static bool is_uncommitted(struct copy *copy, uint8_t session)
{
	uint64_t last = swap_last_group(copy, session);
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		struct journal_info info;

		leg_get_info(leg, &info);
		if (!leg->gone && leg->record.session == session && (!leg_is_online(leg) || info.committed > last))
			return false;
	}
	return true;
}

/*
 * Both sides of a swap show the last group of the old direction, whatever those that are missing hold. Where all are
 * prepared with the first group of the new one, and are there, it is committed.
 */
static bool is_left_by_swap(const struct recovery *recovery)
{
	uint8_t session = recovery->request.session;
	const struct recover_decision *decision = &recovery->plan.decision;

	if (!swap_has_left(recovery->copy, session) || !is_uncommitted(recovery->copy, session))
		return false;
	return decision->verdict == RECOVER_NO_GROUP || decision->verdict == RECOVER_UNCERTAIN ||
	       (decision->verdict == RECOVER_TO && decision->number <= swap_last_group(recovery->copy, session));
}

/* What hosts wait for on this system beside the volumes of the group. */
static int open_left(struct copy *copy, uint8_t session, struct fault *fault)
{
	char why[WIRE_TEXT_SIZE] = "", object[64];
	int rc = swap_has_left(copy, session) ? swap_open_left(copy, session, why) : 0;

	snprintf(object, sizeof(object), "session %u", session);
	return rc ? fault_set(fault, FAULT_FAILED, object, "mend that and repeat the command", "%s",
			      why[0] ? why : strerror(-rc)) : 0;
}

int copy_session_recover(struct copy *copy, uint8_t session, const struct recovery_at *at, bool force,
			 struct recovery_result *result, struct fault *fault)
{
	struct recovery recovery;
	bool left;
	int rc;

	if (!at && swap_has_left(copy, session) && !find_own_leg(copy, session))
		return swap_recover(copy, session, result, fault);
	rc = recovery_begin(copy, session, &recovery, fault);
	/* Looks first: a recovery that is refused has fenced nobody, and the session goes on. */
	if (!rc)
		rc = recovery_look(&recovery, force, fault);
	if (!rc && at)
		rc = recovery_choose(&recovery, at, force, fault);
	if (!rc && !is_left_by_swap(&recovery))
		rc = recovery_check_plan(&recovery, fault);
	if (!rc)
		rc = fence(&recovery, force, fault);
	left = !rc && is_left_by_swap(&recovery);
	if (!rc && !left)
		rc = recovery_check_plan(&recovery, fault);
	if (!rc && recovery.plan.forced)
		log_line(LOG_WARNING, "recover", "session %u: forced to CG %llu without far side %s", session,
			 (unsigned long long)recovery.plan.decision.number, recovery.plan.missing);
	if (!rc)
		rc = left ? swap_recover(copy, session, result, fault) : carry_out(&recovery, result, fault);
	recovery_end(&recovery);
	return rc || at ? rc : open_left(copy, session, fault);
}
