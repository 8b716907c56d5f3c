/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands for practice copies (copy.h): what the far side where they are given orders of all far sides of the
 * session, itself among them, all at once and step by step (practice_part.h). For a moment none of them commits a
 * group: so the newest that any has is the newest of all, and the volumes are copied when they show that. All far sides
 * have their part before the first one opens it to hosts; what fails before is undone everywhere.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/practice.h"
#include "copy/practice_part.h"
#include "copy/recover.h"
#include "copy/recover_private.h"
#include "copy/session_entry.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define STEP_NS		(60 * RT_SECOND)
#define HELD_STEP_NS	(25 * RT_SECOND)	/* less than they stand still waiting for the next step */
#define CUTS_MAX	3u			/* of the link, in one step */

/* ---- one step, everywhere ---- */

static void fill_fault(struct far *far)
{
	char object[64];

	if (!far->rc)
		return;
	snprintf(object, sizeof(object), "session %u", far->recovery->request.session);
	fault_set(&far->fault, practice_fault_code(far->rc), object, "mend that and repeat the command",
		  "far side %s: %.200s", far->system, far->why[0] ? far->why : strerror(-far->rc));
}

static void ask_once(struct far *far)
{
	struct recovery *recovery = far->recovery;
	const struct wire_practice *order = recovery->step;
	bool held = order->step >= WIRE_PRACTICE_HOLD && order->step <= WIRE_PRACTICE_FLASH;

	far->why[0] = '\0';
	link_reply_free(WIRE_PRACTICE, &far->practice);
	if (recovery_is_own(far)) {
		far->rc = practice_step(recovery->copy, far->system, order, &far->practice, &far->fault);
		return;
	}
	{
		RT_LIMIT(rt_now_ns() + (held ? HELD_STEP_NS : STEP_NS));
		far->rc = copy_ask(recovery->copy, far->system, WIRE_PRACTICE, order, &far->practice, far->why);
	}
	fill_fault(far);
}

static void ask_step(void *arg)
{
	struct far *far = arg;
	unsigned cuts = 0;

	link_reply_free(WIRE_PRACTICE, &far->practice);
	if (far->left_out)
		return;
	/* Whether it has done it is not known then: asked again, it answers as before. */
	do {
		ask_once(far);
	} while (far->rc == -ENOTCONN && ++cuts < CUTS_MAX && !recovery_reach(far));
}

/* The first fault of all. */
static int take_fault(const struct recovery *recovery, struct fault *fault)
{
	for (unsigned i = 0; i < recovery->count; i++) {
		if (!recovery->fars[i].rc)
			continue;
		*fault = recovery->fars[i].fault;
		return -1;
	}
	return 0;
}

static int order_all(struct recovery *recovery, struct wire_practice *order, enum wire_practice_step step,
		     struct fault *fault)
{
	char object[64];
	int rc;

	order->step = (uint8_t)step;
	recovery->step = order;
	rc = recovery_ask_fars(recovery, 0, ask_step);
	if (rc)
		return fault_set(fault, FAULT_TIMEOUT, recovery_object(recovery, object), "repeat the command",
				 "given up: %s", strerror(-rc));
	return take_fault(recovery, fault);
}

static unsigned count_volumes(const struct recovery *recovery)
{
	unsigned count = 0;

	for (unsigned i = 0; i < recovery->count; i++)
		count += recovery->fars[i].practice.volumes;
	return count;
}

/* ---- who takes part ---- */

static int begin(struct copy *copy, uint8_t session, struct fault *fault)
{
	char object[64];
	int rc = rt_mutex_lock(&copy->practising);

	snprintf(object, sizeof(object), "session %u", session);
	return rc ? fault_set(fault, FAULT_TIMEOUT, object, "try again",
			      "another command on practice copies does not end") : 0;
}

static void fill_order(const struct recovery *recovery, const char *pool, struct wire_practice *order)
{
	*order = (struct wire_practice){ .session = recovery->request.session, .attempt = rt_random_u64() >> 2 | 1 };
	memcpy(order->key, recovery->request.key, WIRE_KEY_SIZE);
	if (pool)
		snprintf(order->pool, sizeof(order->pool), "%s", pool);
}

/* A far side that is not there would lack its part. */
static int check_reached(const struct recovery *recovery, struct fault *fault)
{
	char object[64];

	for (unsigned i = 0; i < recovery->count; i++) {
		const struct far *far = &recovery->fars[i];

		if (far->rc)
			return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object),
					 "mend that and repeat the command",
					 "far side %s, which is in its groups: %.180s", far->system,
					 far->why[0] ? far->why : strerror(-far->rc));
	}
	return 0;
}

static int find_all(struct recovery *recovery, const struct recovery_at *at, struct fault *fault)
{
	char object[64];
	int rc = recovery_look(recovery, false, fault);

	if (!rc)
		rc = check_reached(recovery, fault);
	if (!rc && recovery->plan.decision.verdict == RECOVER_NO_GROUP)
		return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object), "xdc session show",
				 "it has no consistency group yet");
	if (rc || !at)
		return rc;
	rc = recovery_choose(recovery, at, false, fault);
	return rc ? rc : recovery_check_plan(recovery, fault);
}

/* ---- which group ---- */

static const struct wire_practice_leg *find_newest(const struct recovery *recovery)
{
	const struct wire_practice_leg *newest = NULL;

	for (unsigned i = 0; i < recovery->count; i++) {
		const struct wire_practice_reply *reply = &recovery->fars[i].practice;

		for (uint32_t j = 0; j < reply->count; j++) {
			if (reply->legs[j].committed && (!newest || reply->legs[j].committed > newest->committed))
				newest = &reply->legs[j];
		}
	}
	return newest;
}

/* NULL: that far side has nothing of this source. */
static const struct wire_practice_leg *find_leg(const struct recovery *recovery, const struct wire_member *member)
{
	for (unsigned i = 0; i < recovery->count; i++) {
		const struct wire_practice_reply *reply = &recovery->fars[i].practice;

		for (uint32_t j = 0; j < reply->count && !strcmp(recovery->fars[i].system, member->far); j++) {
			if (!strcmp(reply->legs[j].source, member->source))
				return &reply->legs[j];
		}
	}
	return NULL;
}

/* The newest that is committed anywhere: whoever is in it has it, or is prepared with it (recover_rule.h). */
static int choose_group(const struct recovery *recovery, struct wire_practice *order, struct fault *fault)
{
	const struct wire_practice_leg *newest = find_newest(recovery);
	char object[64];

	recovery_object(recovery, object);
	if (!newest)
		return fault_set(fault, FAULT_FAILED, object, "xdc session show", "it has no consistency group yet");
	order->number = newest->committed;
	for (uint32_t i = 0; i < newest->members.count && !planted(PLANTED_PRACTICE_UNEVEN); i++) {
		const struct wire_member *member = &newest->members.items[i];
		const struct wire_practice_leg *leg = find_leg(recovery, member);

		if (!leg || (leg->committed != order->number && leg->prepared != order->number))
			return fault_set(
				fault, FAULT_IN_USE, object, "repeat the command",
				"what system %s sends to far side %s is not at CG %llu, its members change just now",
				member->source, member->far, (unsigned long long)order->number);
	}
	return 0;
}

/* The far side has said that it can show the older group with what this source sends. */
static const char *next_that_shows(const struct far *far, uint64_t number, uint32_t *index)
{
	if (far->recovery->older)
		return *index < far->point.count ? far->point.items[(*index)++].source : NULL;
	while (*index < far->legs.count) {
		const struct wire_recover_leg *leg = &far->legs.items[(*index)++];

		if (recover_leg_holds(leg, number))
			return leg->source;
	}
	return NULL;
}

static bool has_leg(const struct wire_practice_reply *reply, const char *source)
{
	for (uint32_t i = 0; i < reply->count; i++) {
		if (!strcmp(reply->legs[i].source, source))
			return true;
	}
	return false;
}

/* Meanwhile it may have been given up somewhere: a part without these volumes would be a copy of no group. */
static int check_kept(const struct recovery *recovery, const struct wire_practice *order, struct fault *fault)
{
	char object[64];

	for (unsigned i = 0; i < recovery->count && order->at; i++) {
		const struct far *far = &recovery->fars[i];
		const char *source;
		uint32_t index = 0;

		while ((source = next_that_shows(far, order->at, &index))) {
			if (!has_leg(&far->practice, source))
				return fault_set(fault, FAULT_FAILED, recovery_object(recovery, object),
						 "xdc session points lists the groups that all can show",
						 "CG %llu is not kept any more by far side %s",
						 (unsigned long long)order->at, far->system);
		}
	}
	return 0;
}

/* ---- making ---- */

static int fill_all(struct recovery *recovery, struct wire_practice *order, struct fault *fault)
{
	bool more = true;

	while (more) {
		if (order_all(recovery, order, WIRE_PRACTICE_FILL, fault))
			return -1;
		more = false;
		for (unsigned i = 0; i < recovery->count; i++)
			more = more || recovery->fars[i].practice.more;
	}
	return 0;
}

static int make_all(struct recovery *recovery, struct wire_practice *order, struct fault *fault)
{
	char object[64];
	int rc = order_all(recovery, order, WIRE_PRACTICE_PREPARE, fault);

	if (!rc && !count_volumes(recovery))
		return fault_set(fault, FAULT_INVALID_PARAMETER, recovery_object(recovery, object),
				 "xdc session show", "no volume is in its groups");
	if (!rc)
		rc = check_kept(recovery, order, fault);
	if (!rc)
		rc = order_all(recovery, order, WIRE_PRACTICE_HOLD, fault);
	if (!rc)
		rc = order_all(recovery, order, WIRE_PRACTICE_STOP, fault);
	if (!rc)
		rc = choose_group(recovery, order, fault);
	if (!rc)
		rc = order_all(recovery, order, WIRE_PRACTICE_BRING, fault);
	if (!rc)
		rc = order_all(recovery, order, WIRE_PRACTICE_FLASH, fault);
	if (!rc && order->at)
		rc = fill_all(recovery, order, fault);
	return rc ? rc : order_all(recovery, order, WIRE_PRACTICE_COMMIT, fault);
}

/* What was refused leaves nothing. */
static void undo(struct recovery *recovery, struct wire_practice *order)
{
	struct fault fault;
	RT_SHIELD();

	if (order_all(recovery, order, WIRE_PRACTICE_UNDO, &fault))
		log_line(LOG_WARNING, "practice", "%s: what is left of its practice copy stays: %s", fault.object,
			 fault.message);
}

static int practise(struct recovery *recovery, const char *pool, const struct recovery_at *at, struct fault *fault)
{
	struct wire_practice order;
	int rc = find_all(recovery, at, fault);

	if (rc)
		return rc;
	fill_order(recovery, pool, &order);
	order.at = recovery->number;
	rc = order_all(recovery, &order, WIRE_PRACTICE_CHECK, fault);
	if (rc)
		return rc;
	rc = make_all(recovery, &order, fault);
	if (rc)
		undo(recovery, &order);
	return rc;
}

int copy_session_practice(struct copy *copy, uint8_t session, const char *pool, const struct recovery_at *at,
			  struct fault *fault)
{
	struct recovery recovery;
	int rc = begin(copy, session, fault);

	if (rc)
		return rc;
	rc = recovery_begin(copy, session, &recovery, fault);
	if (!rc)
		rc = session_check(copy, session, SESSION_DO_PRACTICE, false, fault);
	if (!rc)
		rc = practise(&recovery, pool, at, fault);
	recovery_end(&recovery);
	rt_mutex_unlock(&copy->practising);
	return rc;
}

/* ---- removing ---- */

static int fault_no_copy(uint8_t session, struct fault *fault)
{
	char object[64];

	snprintf(object, sizeof(object), "session %u", session);
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session practice",
			 "it has no practice copy here");
}

/* A session that is not known here any more may have left one. */
static int remove_own(struct copy *copy, uint8_t session, struct fault *fault)
{
	const struct wire_practice order = { .session = session, .attempt = 1, .step = WIRE_PRACTICE_REMOVE };
	struct wire_practice_reply reply = { 0 };

	if (!practice_is_any(copy, session))
		return fault_no_copy(session, fault);
	return practice_step(copy, copy->config.system, &order, &reply, fault);
}

/* Those that are not reached keep theirs. */
static void leave_out_unreached(struct recovery *recovery)
{
	for (unsigned i = 0; i < recovery->count; i++)
		recovery->fars[i].left_out = recovery->fars[i].rc != 0;
}

static int fault_left_out(const struct recovery *recovery, struct fault *fault)
{
	char object[64];

	for (unsigned i = 0; i < recovery->count; i++) {
		if (recovery->fars[i].left_out)
			return fault_set(
				fault, FAULT_FAILED, recovery_object(recovery, object),
				"repeat the command when it is back",
				"far side %s is not reached, and keeps its part of the practice copy, if it has one",
				recovery->fars[i].system);
	}
	return 0;
}

static int remove_all(struct recovery *recovery, struct fault *fault)
{
	struct wire_practice order;
	int rc;

	fill_order(recovery, NULL, &order);
	leave_out_unreached(recovery);
	rc = order_all(recovery, &order, WIRE_PRACTICE_CHECK_REMOVE, fault);
	if (!rc)
		rc = order_all(recovery, &order, WIRE_PRACTICE_REMOVE, fault);
	if (!rc)
		rc = fault_left_out(recovery, fault);
	if (!rc && !count_volumes(recovery))
		return fault_no_copy(recovery->request.session, fault);
	return rc;
}

int copy_session_unpractice(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct recovery recovery;
	int rc = begin(copy, session, fault);

	if (rc)
		return rc;
	if (recovery_begin(copy, session, &recovery, fault) || recovery_look(&recovery, false, fault))
		rc = remove_own(copy, session, fault);
	else
		rc = remove_all(&recovery, fault);
	recovery_end(&recovery);
	rt_mutex_unlock(&copy->practising);
	return rc;
}
