/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_hold.h - all legs of a session on this system stand still at one group: their volumes show exactly that, and get
 * nothing newer until the hold ends. Groups go on meanwhile, into the journals. Private to copy/, reactor 0.
 *
 * A recovery that comes meanwhile waits for the end of the hold before it opens volumes; of a session that a recovery
 * has fenced nothing is held.
 */
#ifndef XDC_COPY_LEG_HOLD_H
#define XDC_COPY_LEG_HOLD_H

#include "copy/leg.h"
#include "store/journal.h"

struct leg_hold {
	struct copy *copy;
	uint8_t session;
	struct leg *legs[WIRE_MEMBERS_MAX];	/* of the members of its groups, pinned */
	unsigned count;
	uint64_t member_version;		/* of the list that says so */
	bool holds;
	uint64_t number;			/* of the group that the volumes show */
	int64_t cg_wall_ns;			/* the moment that it shows */
	uint16_t *volumes;			/* targets in it, in order */
	uint32_t volume_count;
};

/*
 * Finds the legs, and the volumes of their last group; holds nothing yet. -1 with the fault; leg_hold_end is to be
 * called in any case. Does not suspend.
 */
RT_MUST_CHECK int leg_hold_find(struct leg_hold *hold, struct copy *copy, uint8_t session, struct fault *fault);

/* Brings them to one group, the newest at hand, and holds them there. -1 with the fault. Suspends, for some seconds. */
RT_MUST_CHECK int leg_hold_begin(struct leg_hold *hold, struct fault *fault);
void leg_hold_end(struct leg_hold *hold);

#endif
