/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper.h - makes durable behind what may not wait for it: jobs and events happen where nothing suspends. One fiber
 * of reactor 0, which sleeps while nothing is due; what happened meanwhile goes in one transaction. What the disk
 * refuses is tried again, with one line in the log.
 */
#ifndef XDC_CONTROL_KEEPER_H
#define XDC_CONTROL_KEEPER_H

#include "rt/rt.h"
#include "store/meta.h"

#define KEEPER_CHANGES_MAX	64u	/* in one transaction */

/* What is due: fills in up to KEEPER_CHANGES_MAX changes, whose records stay until done. Returns how many. */
struct keeper_source {
	unsigned (*collect)(void *arg, struct meta_change *changes);
	/* They are durable, or (rc negative) are not, and will be collected again. */
	void (*done)(void *arg, int rc);
	void *arg;
};

struct keeper {
	struct meta *meta;
	struct keeper_source source;
	struct rt_group fibers;
	struct rt_cond woken;
	bool due, failing;
};

/* -ENOMEM: nothing is to be stopped then. */
RT_MUST_CHECK int keeper_start(struct keeper *keeper, struct meta *meta, const struct keeper_source *source);

/* Something is due. Does not suspend. */
void keeper_wake(struct keeper *keeper);

/* Makes durable what is due, once, and ends. Suspends, shielded. */
void keeper_stop(struct keeper *keeper);

#endif
