/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_hold.h - all legs of a session on this system stand still at one group: their volumes show exactly that, and get
 * nothing newer until the hold ends. Groups go on meanwhile, into the journals. Private to copy/, reactor 0.
 *
 * The group is one that all far sides of the session have: for that each one stops committing for a moment, so that
 * what it says of its newest group stays true, and hears then which one is meant (recover_practice.c). What is
 * committed anywhere and prepared here is committed here, too, as a recovery would: its master may be gone.
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
	uint64_t at;				/* a group older than that, whose volumes are meant; 0: those of that */
	struct leg *legs[WIRE_MEMBERS_MAX];	/* pinned */
	bool shows[WIRE_MEMBERS_MAX];		/* they are in the group that is meant */
	unsigned count;
	bool holds;
	uint64_t number;			/* of the group that the volumes show; 0: not yet */
	int64_t cg_wall_ns;			/* the moment that this, or the older one, shows */
	uint16_t *volumes;			/* targets in it, in order */
	uint32_t volume_count;
};

/*
 * Finds the legs of the session with this key, and the volumes of their last group; holds nothing yet. -1 with the
 * fault; leg_hold_end is to be called in any case. Suspends only where an older group is meant.
 */
RT_MUST_CHECK int leg_hold_find(struct leg_hold *hold, struct copy *copy, uint8_t session, const uint8_t *key,
				uint64_t at, struct fault *fault);

/* From here on nothing more is brought to their volumes. -1 with the fault. Suspends, for some seconds. */
RT_MUST_CHECK int leg_hold_begin(struct leg_hold *hold, struct fault *fault);

/* For a moment nothing is committed in them but by leg_hold_bring, which ends it. Suspends. */
RT_MUST_CHECK int leg_hold_stop(struct leg_hold *hold, struct fault *fault);

/*
 * Brings them to this group; legs that were never to get it are let go. The volumes are listed again. -1 with the
 * fault: they may have a newer one already. Suspends, for some seconds.
 */
RT_MUST_CHECK int leg_hold_bring(struct leg_hold *hold, uint64_t number, struct fault *fault);

/* Groups come to the volumes again. */
void leg_hold_let_go(struct leg_hold *hold);

/* The same, and the legs may be forgotten. */
void leg_hold_end(struct leg_hold *hold);

#endif
