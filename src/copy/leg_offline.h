/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_offline.h - what becomes of the target volumes of a leg whose journal cannot be read, or is given up: which of
 * them it may hold stands in their pairs, durably, and those that lack a part of their group are to be copied anew.
 * Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_LEG_OFFLINE_H
#define XDC_COPY_LEG_OFFLINE_H

#include "copy/leg.h"

/*
 * Before a CG of these volumes is prepared: their pairs say that they are in the groups of this session, durably; those
 * of volumes that have left it do not any more. Negative errno. Suspends.
 */
RT_MUST_CHECK int leg_note_volumes(struct leg *leg, const struct wire_volumes *volumes);

/* Its pair says that the volume is in the groups of this leg. */
bool leg_may_hold(const struct leg *leg, uint16_t volume);

/*
 * The leg is going: its pairs say so, durably. Those of volumes that lack a part of their group are suspended as
 * PAIR_REASON_GROUP_LOST. Negative errno. Suspends.
 */
RT_MUST_CHECK int leg_release_volumes(struct leg *leg);

/* Says which of the volumes it is whose data cannot be made durable; returns error. */
int leg_refuse_sync(struct copy *copy, const struct wire_volumes *volumes, int error, char *why);

#endif
