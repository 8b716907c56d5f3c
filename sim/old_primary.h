/* SPDX-License-Identifier: Apache-2.0 */
/*
 * old_primary.h - the proof that a source site which lived on while its far side was recovered finds that out: its
 * hosts are refused, its session is over, and what they wrote after the recovery shows as written on both sides.
 */
#ifndef XDC_SIM_OLD_PRIMARY_H
#define XDC_SIM_OLD_PRIMARY_H

#include "oracle.h"
#include "sites.h"

/* What a source system says of its pairs; arg: with the box filled in. For box_call. Suspends. */
struct old_pairs {
	struct box *box;
	bool gave_way[BOX_VOLUMES_MAX];
	bool answered[BOX_VOLUMES_MAX];
	struct copy_pair_far far[BOX_VOLUMES_MAX];
};
int old_primary_look(void *arg);

/* The far side has just been recovered: writes that are issued from here on are of two minds. */
struct old_primary {
	uint32_t issued[ORACLE_CHAINS];
};
void old_primary_note_recovery(struct old_primary *old, const struct oracle *oracle);

/* All systems run and reach one another. NULL, or what the old site does that it must not. Suspends. */
const char *old_primary_judge(const struct old_primary *old, struct sites *sites, int64_t limit_ns);

#endif
