/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.h - what befalls two sites while they work: processes die, machines lose power, also in the middle of a write
 * or sync; ways are cut, both ways or one, connections break, processes stand still, disks are slow. Whatever goes
 * down comes up again after a while.
 */
#ifndef XDC_SIM_FAULTS_H
#define XDC_SIM_FAULTS_H

#include "sites.h"

struct faults {
	struct sites *sites;
	struct rt_group group;
	unsigned ended;			/* faults that are over */
};

/* Begins, with so many faults at a time. */
RT_MUST_CHECK int faults_start(struct faults *faults, struct sites *sites, unsigned at_a_time);

/* No more of them; cuts are healed, disks are fast, who stood still goes on. Who is down stays down. Suspends. */
void faults_stop(struct faults *faults);

/* Crashes the box and tells the oracle, unless its writers have stopped. */
void faults_crash(struct sites *sites, struct box *box, enum sim_crash how);

/* The same in the middle of a write or a sync of the box, if one comes soon. -ECANCELED. Suspends. */
RT_MUST_CHECK int faults_crash_within(struct sites *sites, struct box *box, enum sim_crash how);

/*
 * What an administrator does about a disk that failed: the machine gets another start, and the loss of what was not
 * synced is accepted. Nothing when the disk is well. 0, or the run has failed. Suspends.
 */
RT_MUST_CHECK int faults_mend(struct sites *sites, struct box *box);

/* The same for all boxes that run, and that no other fault has. */
RT_MUST_CHECK int faults_mend_all(struct sites *sites);

/* Boots the box if it is down, and waits until it serves. Fails the run when it does not come up. Suspends. */
RT_MUST_CHECK int faults_bring_up(struct sites *sites, struct box *box);

/* An administrator accepts what the power took from the box, if it did: groups go on. Suspends. */
RT_MUST_CHECK int faults_accept(struct box *box);

/* Mended, and its losses accepted: one box, or all there are. Suspends. */
RT_MUST_CHECK int faults_make_well(struct sites *sites, struct box *box);
RT_MUST_CHECK int faults_make_all_well(struct sites *sites);

#endif
