/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/recover_rule.h"

#include <assert.h>

const char *const recover_verdict_names[] = { "recover", "no group", "uncertain", "broken", "not kept" };
_Static_assert(sizeof(recover_verdict_names) / sizeof(recover_verdict_names[0]) == RECOVER_VERDICT_COUNT,
	"a name each");

/* The one number above `committed` that all reached legs of that CG are prepared with, or 0. */
static uint64_t prepared_by_all(const struct recover_leg *legs, unsigned count, uint64_t committed, bool *missing)
{
	uint64_t number = 0;
	unsigned i;

	for (i = 0; i < count; i++) {
		if (legs[i].reached && legs[i].prepared > number)
			number = legs[i].prepared;
	}
	*missing = false;
	if (number <= committed)
		return 0;
	for (i = 0; i < count; i++) {
		if (legs[i].first > number)
			continue;
		if (!legs[i].reached)
			*missing = true;
		else if (legs[i].prepared != number)
			return 0;
	}
	return number;
}

struct recover_decision recover_decide(const struct recover_leg *legs, unsigned count, bool force)
{
	struct recover_decision decision = { .verdict = RECOVER_TO };
	uint64_t committed = 0, prepared;
	bool missing;
	unsigned i;

	assert(count > 0);
	for (i = 0; i < count; i++) {
		if (legs[i].reached && legs[i].committed > committed)
			committed = legs[i].committed;
	}
	prepared = prepared_by_all(legs, count, committed, &missing);
	if (prepared) {
		decision.number = prepared;
		if (missing && !force)
			decision.verdict = RECOVER_UNCERTAIN;
		return decision;
	}
	if (!committed) {
		decision.verdict = RECOVER_NO_GROUP;
		return decision;
	}
	decision.number = committed;
	for (i = 0; i < count; i++) {
		if (legs[i].reached && legs[i].first <= committed && legs[i].committed != committed &&
		    legs[i].prepared != committed) {
			decision.verdict = RECOVER_BROKEN;
			decision.culprit = i;
			return decision;
		}
	}
	return decision;
}

struct recover_decision recover_decide_at(const struct recover_leg *legs, unsigned count, uint64_t number, bool force)
{
	struct recover_decision decision = { .verdict = RECOVER_TO, .number = number };
	bool missing = false, any = false;

	assert(count > 0 && number > 0);
	for (unsigned i = 0; i < count; i++) {
		if (legs[i].first > number)
			continue;
		any = any || legs[i].reached;
		missing = missing || !legs[i].reached;
		if (legs[i].reached && !legs[i].keeps) {
			decision.verdict = RECOVER_NOT_KEPT;
			decision.culprit = i;
			return decision;
		}
	}
	if (!any)
		decision.verdict = RECOVER_NO_GROUP;
	else if (missing && !force)
		decision.verdict = RECOVER_UNCERTAIN;
	return decision;
}
