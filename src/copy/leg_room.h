/* SPDX-License-Identifier: Apache-2.0 */
/* leg_room.h - tells when the journal of a leg fills up, and when there is room again (copy_limits). Reactor 0. */
#ifndef XDC_COPY_LEG_ROOM_H
#define XDC_COPY_LEG_ROOM_H

#include "copy/leg.h"

/* Something was appended, or (full) found no room; something was applied. None suspends. */
void leg_room_taken(struct leg *leg, bool full);
void leg_room_given(struct leg *leg);

/* Looks whether groups that were to be kept are not any more, for want of room. */
void leg_points_dropped(struct leg *leg);

#endif
