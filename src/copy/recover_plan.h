/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover_plan.h - from what the far sides of a session have said to what a recovery does: who had to take part in the
 * CG in question, who of them is missing, and the rule (recover_rule.h) over those. Pure; memory is the caller's.
 *
 * A CG's participants are exactly the legs of the member list that lies in its own records, so the list is always taken
 * from a record of the number that is asked about: a leg that came or left since has no say in it.
 */
#ifndef XDC_COPY_RECOVER_PLAN_H
#define XDC_COPY_RECOVER_PLAN_H

#include "copy/recover_rule.h"
#include "copy/wire_message.h"

/* One far side, as it answered. */
struct recover_answer {
	const char *far;
	const struct wire_recover_legs *legs;
	const struct wire_point_legs *points;	/* of recover_make_plan_at */
};

struct recover_plan {
	struct recover_decision decision;	/* culprit is not set: see the texts below */
	bool forced;				/* is, or was by an earlier recovery, decided with a member missing */
	bool decided;				/* an earlier recovery has decided: there is no choice left */
	uint64_t session_time_us;		/* of the CG; 0: not known */
	unsigned systems;			/* far sides that answered and hold the CG */
	unsigned systems_missing; /* those that should hold it and did not answer, or have nothing of it */
	unsigned volumes;			/* targets in it, on those that answered */
	unsigned volumes_missing;		/* of these, those that cannot show it now */
	uint64_t highest_epoch;			/* that any of them was fenced with; 0: none */
	char missing[160];			/* names of the missing, cut when they are too many */
	char culprit[64];			/* BROKEN: whose answer does not fit */
};

/* count may be 0. force: as recover_decide. */
void recover_make_plan(const struct recover_answer *answers, unsigned count, bool force, struct recover_plan *plan);

/*
 * The same for a CG older than the last one, which every far side has been asked for. earlier: the plan in which an
 * earlier recovery has decided for it; NULL: none has. That stands, for those too that were missing then; if it was
 * forced, whoever cannot show the CG counts as missing.
 */
void recover_make_plan_at(const struct recover_answer *answers, unsigned count, uint64_t number, bool force,
			  const struct recover_plan *earlier, struct recover_plan *plan);

/* True when a recovery has decided for a CG that is older than the committed one of the leg. */
bool recover_leg_goes_back(const struct wire_recover_leg *leg);

/* True when the leg holds this CG: it can show it. */
bool recover_leg_holds(const struct wire_recover_leg *leg, uint64_t number);

#endif
