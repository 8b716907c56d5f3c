/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recovery makes of the answers of two or three far sides: whose word counts for which group, who is missing,
 * and that a decision once taken is followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "copy/recover_plan.h"

#define FARS	3u

static struct wire_member everyone[FARS] = {
	{ .source = "A0", .far = "B0" }, { .source = "A1", .far = "B1" }, { .source = "A2", .far = "B2" },
};

/* What far side i holds; the list of its newest record names those of `list`, a bit each. */
struct holds {
	bool reached;
	uint64_t committed, prepared, decided;
	bool forced;
	unsigned list;
};

struct world {
	struct wire_member members[FARS][FARS];
	struct wire_recover_leg legs[FARS];
	struct wire_recover_legs replies[FARS];
	struct recover_answer answers[FARS];
	unsigned count;
};

static void build(const struct holds *holds, struct world *world)
{
	*world = (struct world){ 0 };
	for (unsigned i = 0; i < FARS; i++) {
		struct wire_recover_leg *leg = &world->legs[i];

		if (!holds[i].reached)
			continue;
		memcpy(leg->source, everyone[i].source, sizeof(leg->source));
		leg->committed = holds[i].committed;
		leg->prepared = holds[i].prepared;
		leg->committed_us = holds[i].committed * 100;
		leg->prepared_us = holds[i].prepared * 100;
		leg->decided = holds[i].decided;
		leg->forced = holds[i].forced;
		leg->epoch = i + 1;
		leg->volumes = 10 + i;
		leg->members.items = world->members[i];
		for (unsigned j = 0; j < FARS; j++) {
			if (holds[i].list >> j & 1)
				world->members[i][leg->members.count++] = everyone[j];
		}
		world->replies[i] = (struct wire_recover_legs){ .count = 1, .items = leg };
		world->answers[world->count++] = (struct recover_answer){
			.far = everyone[i].far, .legs = &world->replies[i],
		};
	}
}

struct expectation {
	const char *name;
	struct holds holds[FARS];
	bool force;
	enum recover_verdict verdict;
	uint64_t number;
	unsigned systems, missing, volumes;
	bool forced;
	const char *who;		/* the missing or the culprit */
};

#define NONE	{ .reached = false }

static const struct expectation table[] = {
	{ "all committed one group", { { 1, 5, 0, 0, 0, 3 }, { 1, 5, 0, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .volumes = 21, .who = "" },
	{ "some committed, some only prepared", { { 1, 5, 0, 0, 0, 3 }, { 1, 4, 5, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .volumes = 21, .who = "" },
	{ "all prepared above", { { 1, 4, 5, 0, 0, 3 }, { 1, 4, 5, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .volumes = 21, .who = "" },
	{ "one is not prepared", { { 1, 4, 5, 0, 0, 3 }, { 1, 4, 0, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_TO, .number = 4, .systems = 2, .volumes = 21, .who = "" },
	{ "an abort was lost: different numbers", { { 1, 4, 5, 0, 0, 3 }, { 1, 4, 6, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_TO, .number = 4, .systems = 2, .volumes = 21, .who = "" },
	{ "the first group, not yet whole", { { 1, 0, 1, 0, 0, 3 }, { 1, 0, 0, 0, 0, 0 }, NONE },
	  .verdict = RECOVER_NO_GROUP, .who = "" },
	{ "nothing at all", { { 1, 0, 0, 0, 0, 0 }, NONE, NONE }, .verdict = RECOVER_NO_GROUP, .who = "" },
	{ "a member missing, all others prepared above", { { 1, 4, 5, 0, 0, 7 }, { 1, 4, 5, 0, 0, 7 }, NONE },
	  .verdict = RECOVER_UNCERTAIN, .number = 5, .systems = 2, .missing = 1, .volumes = 21, .who = "B2" },
	{ "the same by force", { { 1, 4, 5, 0, 0, 7 }, { 1, 4, 5, 0, 0, 7 }, NONE }, .force = true,
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .missing = 1, .volumes = 21, .forced = true, .who = "B2" },
	{ "force where it is certain", { { 1, 5, 0, 0, 0, 3 }, { 1, 5, 0, 0, 0, 3 }, NONE }, .force = true,
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .volumes = 21, .who = "" },
	{ "a member missing, one has committed", { { 1, 5, 0, 0, 0, 7 }, { 1, 4, 5, 0, 0, 7 }, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .missing = 1, .volumes = 21, .who = "B2" },
	{ "the missing one joins with the group in doubt", { { 1, 4, 5, 0, 0, 3 }, NONE, NONE },
	  .verdict = RECOVER_UNCERTAIN, .number = 5, .systems = 1, .missing = 1, .volumes = 10, .who = "B1" },
	{ "the missing one had left before", { { 1, 4, 5, 0, 0, 1 }, NONE, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 1, .volumes = 10, .who = "" },
	{ "one that left holds an older group", { { 1, 9, 0, 0, 0, 3 }, { 1, 9, 0, 0, 0, 3 }, { 1, 5, 0, 0, 0, 7 } },
	  .verdict = RECOVER_TO, .number = 9, .systems = 2, .volumes = 21, .who = "" },
	{ "one that comes with the next, which is not whole",
	  { { 1, 9, 0, 0, 0, 3 }, { 1, 9, 10, 0, 0, 7 }, { 1, 0, 10, 0, 0, 7 } },
	  .verdict = RECOVER_TO, .number = 9, .systems = 2, .volumes = 21, .who = "" },
	{ "aborts were lost, and no record of the committed group is the newest of its leg: a missing one is missed",
	  { { 1, 5, 6, 0, 0, 7 }, { 1, 5, 7, 0, 0, 7 }, NONE },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .missing = 1, .volumes = 21, .who = "B2" },
	{ "the same with all there, one of which came later",
	  { { 1, 5, 6, 0, 0, 7 }, { 1, 5, 7, 0, 0, 7 }, { 1, 0, 6, 0, 0, 7 } },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .volumes = 21, .who = "" },
	{ "a listed one shows neither", { { 1, 9, 0, 0, 0, 3 }, { 1, 7, 0, 0, 0, 3 }, NONE },
	  .verdict = RECOVER_BROKEN, .who = "B1 of A1" },
	{ "a listed one was given up since, and its journal made anew",
	  { { 1, 9, 0, 0, 0, 3 }, { 1, 0, 0, 0, 0, 0 }, NONE },
	  .verdict = RECOVER_TO, .number = 9, .systems = 1, .missing = 1, .volumes = 10, .who = "B1" },
	{ "decided before, the missing one is back",
	  { { 1, 5, 0, 5, 1, 7 }, { 1, 5, 0, 5, 1, 7 }, { 1, 4, 5, 0, 0, 7 } },
	  .verdict = RECOVER_TO, .number = 5, .systems = 3, .volumes = 33, .forced = true, .who = "" },
	{ "decided before, the one that is back cannot",
	  { { 1, 5, 0, 5, 1, 7 }, { 1, 5, 0, 5, 1, 7 }, { 1, 4, 0, 0, 0, 7 } },
	  .verdict = RECOVER_TO, .number = 5, .systems = 2, .missing = 1, .volumes = 21, .forced = true, .who = "B2" },
	{ "two decisions", { { 1, 5, 0, 5, 1, 3 }, { 1, 4, 0, 4, 1, 3 }, NONE }, .verdict = RECOVER_BROKEN, .number = 5,
	  .forced = true, .who = "B1 of A1" },
};

static void plans(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct expectation *expected = &table[i];
		struct recover_plan plan;
		struct world world;

		print_message("%s\n", expected->name);
		build(expected->holds, &world);
		recover_make_plan(world.answers, world.count, expected->force, &plan);
		assert_int_equal(plan.decision.verdict, expected->verdict);
		assert_string_equal(expected->verdict == RECOVER_BROKEN ? plan.culprit : plan.missing, expected->who);
		assert_int_equal(plan.forced, expected->forced);
		if (expected->verdict == RECOVER_BROKEN || expected->verdict == RECOVER_NO_GROUP)
			continue;
		assert_int_equal(plan.decision.number, expected->number);
		assert_int_equal(plan.session_time_us, expected->number * 100);
		assert_int_equal(plan.systems, expected->systems);
		assert_int_equal(plan.systems_missing, expected->missing);
		assert_int_equal(plan.volumes, expected->volumes);
	}
}

/* The next recovery has to go above all that fenced before. */
static void highest_epoch(void **state)
{
	const struct holds holds[FARS] = { { 1, 5, 0, 0, 0, 3 }, { 1, 5, 0, 0, 0, 3 }, NONE };
	struct recover_plan plan;
	struct world world;

	(void)state;
	build(holds, &world);
	recover_make_plan(world.answers, world.count, false, &plan);
	assert_int_equal(plan.highest_epoch, 2);
	recover_make_plan(NULL, 0, false, &plan);
	assert_int_equal(plan.highest_epoch, 0);
	assert_int_equal(plan.decision.verdict, RECOVER_NO_GROUP);
}

/* ---- a CG older than the last one ---- */

struct older {
	const char *name;
	bool reached[FARS], keeps[FARS];
	unsigned list;			/* of those that take part in it */
	bool force, decided, decided_by_force;
	enum recover_verdict verdict;
	unsigned systems, missing, volumes;
	bool forced;
	const char *who;
};

static const struct older older_table[] = {
	{ "all keep it", { 1, 1, 1 }, { 1, 1, 1 }, 7, .verdict = RECOVER_TO, .systems = 3, .volumes = 33, .who = "" },
	{ "one came later", { 1, 1, 1 }, { 1, 1, 0 }, 3,
	  .verdict = RECOVER_TO, .systems = 2, .volumes = 21, .who = "" },
	{ "one lacks it", { 1, 1, 1 }, { 1, 1, 0 }, 7, .verdict = RECOVER_NOT_KEPT, .who = "B2 of A2" },
	{ "force does not help", { 1, 1, 1 }, { 1, 1, 0 }, 7, .force = true, .verdict = RECOVER_NOT_KEPT,
	  .who = "B2 of A2" },
	{ "nobody keeps it", { 1, 1, 1 }, { 0, 0, 0 }, 7, .verdict = RECOVER_NOT_KEPT, .who = "" },
	{ "one is missing", { 1, 1, 0 }, { 1, 1, 0 }, 7, .verdict = RECOVER_UNCERTAIN, .systems = 2, .missing = 1,
	  .volumes = 21, .who = "B2" },
	{ "without it, by force", { 1, 1, 0 }, { 1, 1, 0 }, 7, .force = true, .verdict = RECOVER_TO, .systems = 2,
	  .missing = 1, .volumes = 21, .forced = true, .who = "B2" },
	{ "decided by all, one is missing since", { 1, 1, 0 }, { 1, 1, 0 }, 7, .decided = true, .verdict = RECOVER_TO,
	  .systems = 2, .missing = 1, .volumes = 21, .who = "B2" },
	{ "decided by force, the missing one is back", { 1, 1, 1 }, { 1, 1, 1 }, 7, .decided = true,
	  .decided_by_force = true, .verdict = RECOVER_TO, .systems = 3, .volumes = 33, .forced = true, .who = "" },
	{ "decided by force, the one that is back lacks it", { 1, 1, 1 }, { 1, 1, 0 }, 7, .decided = true,
	  .decided_by_force = true, .verdict = RECOVER_TO, .systems = 2, .missing = 1, .volumes = 21, .forced = true,
	  .who = "B2" },
};

static void plans_for_older_groups(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(older_table) / sizeof(older_table[0]); i++) {
		const struct older *expected = &older_table[i];
		struct recover_plan earlier = { .decided = true, .forced = expected->decided_by_force }, plan;
		struct wire_point_leg items[FARS];
		struct wire_point_legs points[FARS];
		struct holds holds[FARS];
		struct world world;

		for (unsigned far = 0; far < FARS; far++)
			holds[far] = (struct holds){ .reached = expected->reached[far], .committed = 9, .list = 7 };
		build(holds, &world);
		for (unsigned at = 0, far = 0; far < FARS; far++) {
			struct wire_member *members = world.members[far];

			if (!expected->reached[far])
				continue;
			items[far] = (struct wire_point_leg){ .time_us = 400, .volumes = 10 + far,
							      .members.items = members };
			memcpy(items[far].source, everyone[far].source, sizeof(items[far].source));
			for (unsigned j = 0; j < FARS; j++) {
				if (expected->list >> j & 1)
					members[items[far].members.count++] = everyone[j];
			}
			points[far] = (struct wire_point_legs){ .count = expected->keeps[far], .items = &items[far] };
			world.answers[at++].points = &points[far];
		}
		recover_make_plan_at(world.answers, world.count, 4, expected->force,
				     expected->decided ? &earlier : NULL, &plan);
		if (plan.decision.verdict != expected->verdict)
			print_error("%s\n", expected->name);
		assert_int_equal(plan.decision.verdict, expected->verdict);
		assert_int_equal(plan.decision.number, 4);
		assert_int_equal(plan.systems, expected->systems);
		assert_int_equal(plan.systems_missing, expected->missing);
		assert_int_equal(plan.volumes, expected->volumes);
		assert_int_equal(plan.forced, expected->forced);
		assert_string_equal(plan.decision.verdict == RECOVER_NOT_KEPT ? plan.culprit : plan.missing,
				    expected->who);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans),
		cmocka_unit_test(plans_for_older_groups),
		cmocka_unit_test(highest_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
