/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/recover_plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/planted.h"

/* All answers, and the plan that is being made of them. */
struct making {
	const struct recover_answer *answers;
	unsigned count;
	struct recover_plan *plan;
	bool forced;				/* of a CG that was decided for by force: without those that lack it */
};

bool recover_leg_holds(const struct wire_recover_leg *leg, uint64_t number)
{
	return number && (leg->committed == number || leg->prepared == number);
}

/* The number of the record that the leg's member list lies in. */
static uint64_t newest_of(const struct wire_recover_leg *leg)
{
	return leg->prepared ? leg->prepared : leg->committed;
}

/* Goes through all legs of all answers. */
#define EACH_LEG(making, i, j) \
	for (unsigned i = 0; i < (making)->count; i++) \
		for (unsigned j = 0; j < (making)->answers[i].legs->count; j++)

static const struct wire_recover_leg *leg_at(const struct making *making, unsigned i, unsigned j)
{
	return &making->answers[i].legs->items[j];
}

static uint64_t highest_epoch(const struct making *making)
{
	uint64_t highest = 0;

	EACH_LEG(making, i, j) {
		if (leg_at(making, i, j)->epoch > highest)
			highest = leg_at(making, i, j)->epoch;
	}
	return highest;
}

static const struct wire_recover_leg *find_leg(const struct making *making, const struct wire_member *member)
{
	EACH_LEG(making, i, j) {
		if (!strcmp(making->answers[i].far, member->far) &&
		    !strcmp(leg_at(making, i, j)->source, member->source))
			return leg_at(making, i, j);
	}
	return NULL;
}

/* The list of those that take part in this CG; NULL: no record of it is the newest of its leg. */
static const struct wire_members *find_list(const struct making *making, uint64_t number)
{
	EACH_LEG(making, i, j) {
		if (newest_of(leg_at(making, i, j)) == number)
			return &leg_at(making, i, j)->members;
	}
	return NULL;
}

/* ---- the rule, over those that take part ---- */

/*
 * prepared_max: what is prepared above it is known to be committed nowhere; UINT64_MAX: that is the question. Where it
 * is known which CG is committed, a leg of that CG that holds nothing at all was given up since, and its journal made
 * anew: it counts as missing.
 */
static struct recover_decision decide_over(const struct making *making, const struct wire_members *list,
					   uint64_t prepared_max, bool force)
{
	struct recover_leg legs[WIRE_MEMBERS_MAX];
	struct recover_decision decision = { .verdict = RECOVER_NO_GROUP };

	assert(list->count <= WIRE_MEMBERS_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct wire_recover_leg *leg = find_leg(making, &list->items[i]);

		if (leg && prepared_max != UINT64_MAX && !leg->committed && !leg->prepared)
			leg = NULL;
		legs[i] = (struct recover_leg){ .reached = leg != NULL };
		if (!leg)
			continue;
		legs[i].committed = leg->committed;
		legs[i].prepared = leg->prepared <= prepared_max ? leg->prepared : 0;
	}
	if (!list->count)
		return decision;
	decision = recover_decide(legs, list->count, force);
	if (decision.verdict == RECOVER_BROKEN)
		snprintf(making->plan->culprit, sizeof(making->plan->culprit), "%s of %s",
			 list->items[decision.culprit].far, list->items[decision.culprit].source);
	return decision;
}

static void find_highest(const struct making *making, uint64_t *committed, uint64_t *prepared)
{
	*committed = *prepared = 0;
	EACH_LEG(making, i, j) {
		const struct wire_recover_leg *leg = leg_at(making, i, j);

		if (leg->committed > *committed)
			*committed = leg->committed;
		if (leg->prepared > *prepared)
			*prepared = leg->prepared;
	}
}

static struct recover_decision decide(const struct making *making, bool force)
{
	struct recover_decision decision = { .verdict = RECOVER_NO_GROUP };
	const struct wire_members *list;
	uint64_t committed, prepared;

	find_highest(making, &committed, &prepared);
	if (prepared > committed) {
		list = find_list(making, prepared);
		assert(list);
		decision = decide_over(making, list, UINT64_MAX, force);
		if (decision.verdict == RECOVER_UNCERTAIN && planted(PLANTED_GUESS_COMMIT))
			decision.verdict = RECOVER_TO;
		if (decision.verdict == RECOVER_UNCERTAIN && planted(PLANTED_GUESS_REVERT))
			decision.number = 0;
		if (decision.number == prepared &&
		    (decision.verdict == RECOVER_TO || decision.verdict == RECOVER_UNCERTAIN))
			return decision;
	}
	if (!committed)
		return (struct recover_decision){ .verdict = RECOVER_NO_GROUP };
	list = find_list(making, committed);
	if (list)
		return decide_over(making, list, committed, force);
	return (struct recover_decision){ .verdict = RECOVER_TO, .number = committed };
}

/* What an earlier recovery decided stands, for those too that were missing then. False: there was none. */
static bool follow_earlier(const struct making *making)
{
	struct recover_plan *plan = making->plan;

	EACH_LEG(making, i, j) {
		const struct wire_recover_leg *leg = leg_at(making, i, j);

		if (!leg->decided)
			continue;
		plan->forced = plan->forced || leg->forced;
		if (plan->decided && plan->decision.number != leg->decided) {
			plan->decision.verdict = RECOVER_BROKEN;
			snprintf(plan->culprit, sizeof(plan->culprit), "%s of %s", making->answers[i].far, leg->source);
			return true;
		}
		plan->decided = true;
		plan->decision = (struct recover_decision){ .verdict = RECOVER_TO, .number = leg->decided };
	}
	return plan->decided;
}

/* ---- what it comes to ---- */

static void count_systems(const struct making *making)
{
	struct recover_plan *plan = making->plan;
	uint64_t number = plan->decision.number;

	for (unsigned i = 0; i < making->count; i++) {
		bool any = false;

		for (unsigned j = 0; j < making->answers[i].legs->count; j++) {
			const struct wire_recover_leg *leg = leg_at(making, i, j);

			if (!recover_leg_holds(leg, number))
				continue;
			any = true;
			plan->volumes += leg->volumes;
			plan->volumes_missing += leg->missing.count;
			plan->session_time_us = leg->committed == number ? leg->committed_us : leg->prepared_us;
		}
		plan->systems += any;
	}
}

static void name_far(struct recover_plan *plan, const char *far)
{
	size_t len = strlen(plan->missing);

	plan->systems_missing++;
	snprintf(plan->missing + len, sizeof(plan->missing) - len, "%s%s", len ? ", " : "", far);
}

/* Each once. is_exact: the list is that of the CG, so whoever is in it must hold that. */
static void name_missing_of(const struct making *making, const struct wire_members *list, bool is_exact,
			    const char **named, unsigned *count)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct wire_recover_leg *leg = find_leg(making, &list->items[i]);
		bool is_named = false;

		if (leg && !(is_exact && !recover_leg_holds(leg, making->plan->decision.number)))
			continue;
		for (unsigned j = 0; j < *count; j++)
			is_named = is_named || !strcmp(named[j], list->items[i].far);
		if (is_named || *count == WIRE_MEMBERS_MAX)
			continue;
		named[(*count)++] = list->items[i].far;
		name_far(making->plan, list->items[i].far);
	}
}

/*
 * Where no list of the CG is left, since every leg has prepared another one above it, those of the others say who may
 * have been in it: of these, whoever did not answer is missed.
 */
static void name_missing(const struct making *making)
{
	const struct wire_members *list = find_list(making, making->plan->decision.number);
	const char *named[WIRE_MEMBERS_MAX];
	unsigned count = 0;

	if (list) {
		name_missing_of(making, list, true, named, &count);
		return;
	}
	EACH_LEG(making, i, j)
		name_missing_of(making, &leg_at(making, i, j)->members, false, named, &count);
}

void recover_make_plan(const struct recover_answer *answers, unsigned count, bool force, struct recover_plan *plan)
{
	struct making making = { .answers = answers, .count = count, .plan = plan };
	bool uncertain;

	*plan = (struct recover_plan){ .highest_epoch = highest_epoch(&making) };
	if (!follow_earlier(&making)) {
		plan->decision = decide(&making, false);
		uncertain = plan->decision.verdict == RECOVER_UNCERTAIN;
		if (uncertain && force) {
			plan->decision = decide(&making, true);
			plan->forced = true;
		}
	}
	if (plan->decision.verdict == RECOVER_NO_GROUP || plan->decision.verdict == RECOVER_BROKEN)
		return;
	count_systems(&making);
	name_missing(&making);
}

/* ---- a CG older than the last one ---- */

bool recover_leg_goes_back(const struct wire_recover_leg *leg)
{
	return leg->decided && leg->decided < leg->committed;
}

static const struct wire_point_leg *find_point(const struct making *making, const char *far, const char *source)
{
	for (unsigned i = 0; i < making->count; i++) {
		const struct wire_point_legs *points = making->answers[i].points;

		for (uint32_t j = 0; j < points->count; j++) {
			if (!strcmp(making->answers[i].far, far) && !strcmp(points->items[j].source, source))
				return &points->items[j];
		}
	}
	return NULL;
}

/* Those that take part in it, from any record of it. */
static const struct wire_members *find_point_list(const struct making *making)
{
	for (unsigned i = 0; i < making->count; i++) {
		if (making->answers[i].points->count)
			return &making->answers[i].points->items[0].members;
	}
	return NULL;
}

static bool is_there(const struct making *making, const struct wire_member *member)
{
	return find_leg(making, member) && (!making->forced || find_point(making, member->far, member->source));
}

static void decide_at(const struct making *making, const struct wire_members *list, bool force)
{
	struct recover_plan *plan = making->plan;
	struct recover_leg legs[WIRE_MEMBERS_MAX];

	assert(list->count <= WIRE_MEMBERS_MAX);
	for (uint32_t i = 0; i < list->count; i++)
		legs[i] = (struct recover_leg){
			.reached = is_there(making, &list->items[i]),
			.keeps = find_point(making, list->items[i].far, list->items[i].source),
		};
	if (list->count)
		plan->decision = recover_decide_at(legs, list->count, plan->decision.number, force);
	if (plan->decision.verdict == RECOVER_NOT_KEPT)
		snprintf(plan->culprit, sizeof(plan->culprit), "%s of %s",
			 list->items[plan->decision.culprit].far, list->items[plan->decision.culprit].source);
}

static void count_systems_at(const struct making *making)
{
	struct recover_plan *plan = making->plan;

	for (unsigned i = 0; i < making->count; i++) {
		const struct wire_point_legs *points = making->answers[i].points;

		for (uint32_t j = 0; j < points->count; j++) {
			plan->volumes += points->items[j].volumes;
			plan->volumes_missing += points->items[j].missing.count;
			plan->session_time_us = points->items[j].time_us;
		}
		plan->systems += points->count > 0;
	}
}

static void name_missing_at(const struct making *making, const struct wire_members *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		bool named = is_there(making, &list->items[i]);

		for (uint32_t j = 0; j < i && !named; j++)
			named = !strcmp(list->items[j].far, list->items[i].far);
		if (!named)
			name_far(making->plan, list->items[i].far);
	}
}

void recover_make_plan_at(const struct recover_answer *answers, unsigned count, uint64_t number, bool force,
			  const struct recover_plan *earlier, struct recover_plan *plan)
{
	struct making making = {
		.answers = answers, .count = count, .plan = plan, .forced = earlier && earlier->forced,
	};
	const struct wire_members *list = find_point_list(&making);

	*plan = (struct recover_plan){
		.highest_epoch = highest_epoch(&making), .decided = earlier, .forced = making.forced,
		.decision = { .verdict = RECOVER_NOT_KEPT, .number = number },
	};
	if (!list)
		return;
	decide_at(&making, list, earlier);
	if (plan->decision.verdict == RECOVER_UNCERTAIN && force) {
		decide_at(&making, list, true);
		plan->forced = true;
	}
	if (plan->decision.verdict != RECOVER_TO && plan->decision.verdict != RECOVER_UNCERTAIN)
		return;
	count_systems_at(&making);
	name_missing_at(&making, list);
}
