/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover_rule.h - which consistency group a session is recovered to: one pure function over the states of all its
 * legs. A leg is one source system of the session with one of its far sides; each has a journal with at most one
 * prepared CG above the last committed one. The recovery at the far side and the restart of a master ask the same
 * question.
 *
 * The rule is the one that the model in model/ proves (claims 3 and 4).
 */
#ifndef XDC_COPY_RECOVER_RULE_H
#define XDC_COPY_RECOVER_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct recover_leg {
	bool reached;		/* false: no answer of the far side; then only first is known (from the list) */
	/*
	 * The first CG that it takes part in; in older ones it has no say. A master that starts again knows the list
	 * of now; recovery asks with that of the CG itself, and has 0 here.
	 */
	uint64_t first;
	uint64_t committed;	/* 0: none */
	uint64_t prepared;	/* 0: none */
	bool keeps;		/* it can show the older CG that is asked for (recover_decide_at) */
};

enum recover_verdict {
	RECOVER_TO,		/* every leg commits `number` if it is prepared with it, and reverts everything else */
	RECOVER_NO_GROUP,	/* no CG was ever whole: there is nothing to recover to */
	RECOVER_UNCERTAIN,	/* a missing leg may have committed `number`, or may lack it: only by force */
	RECOVER_BROKEN,		/* leg `culprit` can show neither: the journal is damaged, no rule helps */
	RECOVER_NOT_KEPT,	/* leg `culprit` cannot show the CG that was asked for */
	RECOVER_VERDICT_COUNT
};
extern const char *const recover_verdict_names[RECOVER_VERDICT_COUNT];

struct recover_decision {
	enum recover_verdict verdict;
	uint64_t number;	/* TO: the CG; UNCERTAIN: the CG in doubt, or with force its choice */
	unsigned culprit;	/* BROKEN, NOT_KEPT: index of the leg */
};

/*
 * count >= 1. force: an administrator accepts that a missing leg may turn out to disagree; the answer is then TO the CG
 * in doubt, since all that were reached hold it and it loses least.
 */
struct recover_decision recover_decide(const struct recover_leg *legs, unsigned count, bool force);

/*
 * An administrator asks for this CG, older than the last one. All legs that take part in it go to it or none: TO when
 * every one of them keeps it; NOT_KEPT; UNCERTAIN when a missing leg may not keep it, unless force. NO_GROUP: none was
 * reached.
 */
struct recover_decision recover_decide_at(const struct recover_leg *legs, unsigned count, uint64_t number, bool force);

#endif
