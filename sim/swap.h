/* SPDX-License-Identifier: Apache-2.0 */
/* swap.h - for swap.c: what it shares with swap_lost.c, where one side is lost in the middle of a swap. */
#ifndef XDC_SIM_SWAP_H
#define XDC_SIM_SWAP_H

#include "faults.h"

struct swap_run {
	struct sites *sites;
	struct faults faults;
	bool away;			/* production is at the far boxes */
	bool commanded;			/* the command has ended */
	unsigned swaps;			/* under faults, there and back */
	int64_t swapped_ns;		/* the end of the last command that swapped */
	uint64_t newest;		/* CG that any master has had */
};

/* Where the volume of each place of the oracle is, at this side or that. */
struct swap_place {
	struct box *box;
	unsigned volume;
};
struct swap_place swap_place_at(struct sites *sites, unsigned at, bool away);

/* The box where the session is led while production is where it is. */
struct box *swap_master(const struct swap_run *run);

/* The command, once; run->commanded when it has ended. A fiber. */
void swap_once(void *arg);

/* It has led to its end: the master is none any more. Suspends. */
bool swap_is_done(struct swap_run *run);

/* All volumes of that side let hosts write. */
bool swap_are_open(struct swap_run *run, bool away);

/* Hosts end as they do, with all flushed; they are at that side from here on. The first suspends. */
RT_MUST_CHECK int swap_stop_hosts(struct sites *sites);
void swap_move_hosts(struct swap_run *run, bool away);

/* Hosts see at the side where they are not yet all that was answered, and go on from there; else the run is wrong. */
RT_MUST_CHECK int swap_judge(struct swap_run *run);

/* Wherever hosts are, both sides are equal in a while: NULL, or why not. Suspends. */
const char *swap_wait_equal(struct swap_run *run);

RT_MUST_CHECK int swap_mend_all(struct sites *sites);

/* For people: what keeps it. */
void swap_note_sessions(struct swap_run *run);

/* The end of a run, with equal sides: one is lost in the middle of a swap, the other goes on (swap_lost.c). */
RT_MUST_CHECK int swap_lose_a_side(struct swap_run *run);

#endif
