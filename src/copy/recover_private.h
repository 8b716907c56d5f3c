/* SPDX-License-Identifier: Apache-2.0 */
/* recover_private.h - a system that asks all far sides of a session, what it asks and what they answer. Reactor 0. */
#ifndef XDC_COPY_RECOVER_PRIVATE_H
#define XDC_COPY_RECOVER_PRIVATE_H

#include "copy/engine.h"
#include "copy/recover_plan.h"

/* One far side of the session. */
struct far {
	struct recovery *recovery;
	char system[WIRE_SYSTEM_SIZE];
	char address[WIRE_ADDRESS_SIZE];
	struct peer *peer;			/* NULL: this system, or not tried yet */
	struct wire_recover_legs legs;		/* the last answer */
	struct wire_recover_done done;
	struct wire_points points;
	struct wire_point_legs point;
	struct wire_practice_reply practice;
	struct fault fault;			/* of a step of a practice copy */
	bool left_out;				/* ... which is not asked of it */
	int rc;					/* of the last request */
	char why[WIRE_TEXT_SIZE];
};

struct recovery {
	struct copy *copy;
	struct wire_recover_request request;	/* epoch 0: looks only */
	struct far *fars;			/* this system first; room for WIRE_MEMBERS_MAX */
	unsigned count;
	struct rt_group asking;
	struct recover_plan plan;
	uint64_t below;				/* of the points that are asked for */
	uint64_t number;			/* the CG that an administrator asks for; 0: the last one */
	uint64_t older;				/* of the plan, where it is older than the last one; 0: it is not */
	const struct wire_practice *step;	/* of a practice copy, that is ordered */
};

/* "session 5" */
const char *recovery_object(const struct recovery *recovery, char text[64]);

/* -1 with the fault; recovery_end is to be called in any case. */
RT_MUST_CHECK int recovery_begin(struct copy *copy, uint8_t session, struct recovery *recovery, struct fault *fault);
void recovery_end(struct recovery *recovery);

bool recovery_is_own(const struct far *far);

/* Connects to the far side, until recovery_end: 0 or -ENOTCONN, -ENOMEM, with a sentence in far->why. Suspends. */
RT_MUST_CHECK int recovery_reach(struct far *far);

/* Calls fn(far) for those from this one on, all at once: 0, -ETIMEDOUT, -ECANCELED. Suspends. */
RT_MUST_CHECK int recovery_ask_fars(struct recovery *recovery, unsigned from, void (*fn)(void *arg));

/* What all far sides hold; then the plan. Changes nothing. -1 with the fault. Suspends. */
RT_MUST_CHECK int recovery_look(struct recovery *recovery, bool force, struct fault *fault);

/*
 * After recovery_look: the older CG that an administrator asks for, and that all can show, is recovery->number; the
 * plan is one for that. -1 with the fault. Suspends.
 */
RT_MUST_CHECK int recovery_choose(struct recovery *recovery, const struct recovery_at *at, bool force,
				  struct fault *fault);

/* What the plan says to people, when it cannot be carried out: -1 with the fault; else 0. */
RT_MUST_CHECK int recovery_check_plan(const struct recovery *recovery, struct fault *fault);

/* The last CG not later than this time that all can show. -1 with the fault. Suspends. */
RT_MUST_CHECK int recovery_find_point(struct recovery *recovery, int64_t wall_ns, uint64_t *number,
				      struct fault *fault);

#endif
