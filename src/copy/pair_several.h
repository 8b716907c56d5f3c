/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_several.h - source ends of pairs of this system that are suspended at one moment: first no write of any of them
 * is answered any more, then it is durable, of all in one change, that they are suspended, and then hosts go on. A host
 * writes what depends on a write when that was answered: so a far side that lacks a write has nothing that depends on
 * it. Reactor 0; private to copy/.
 *
 * A pair that is full-duplex is held by its mirror: what hosts write is done here, and not sent. Of any other that is
 * to be of the moment no write begins, and what is unsent goes to its far side first.
 */
#ifndef XDC_COPY_PAIR_SEVERAL_H
#define XDC_COPY_PAIR_SEVERAL_H

#include "copy/pair.h"
#include "volume/target.h"

enum pair_hold {
	PAIR_NOT_HELD,
	PAIR_HELD_MIRROR,		/* it sends no more, and answers nothing */
	PAIR_HELD_BROKEN,		/* likewise; its mirror had been broken before: it does not go on as it was */
	PAIR_HELD_WRITES,		/* no write begins */
};

struct pair_one {
	struct pair *pair;		/* pinned */
	bool in_turn;
	enum pair_hold hold;
	struct volume_freeze freeze;	/* HELD_WRITES */
};

struct pair_several {
	struct copy *copy;
	unsigned count, in_turn;
	struct pair_one *ones;		/* in the order of copy->pairs, as everybody takes several turns */
};

/* Source ends that are not being put down. Pins them. -ENOMEM: there are none. Does not suspend. */
typedef bool (*pair_selects)(const void *arg, const struct pair *pair);
RT_MUST_CHECK int pair_several_pin(struct copy *copy, pair_selects selects, const void *arg,
				   struct pair_several *several);

/* Turns and pins; no write is held by a freeze any more. Suspends. */
void pair_several_give_back(struct pair_several *several);

/* As many turns as there are to be had until then, and back. The first suspends. */
void pair_several_take_turns(struct pair_several *several, int64_t until_ns);
void pair_several_end_turns(struct pair_several *several);

/*
 * Hosts wait from here on. follow: also those of synchronous pairs that only follow; all: those of any other, too,
 * until then, and what is unsent is brought to the far sides. In turn, or some are full-duplex and broken. Negative
 * errno, and *which: some are held. Suspends.
 */
struct pair_hold_how {
	bool follow, all;
	int64_t until_ns;
};
RT_MUST_CHECK int pair_several_hold(struct pair_several *several, const struct pair_hold_how *how,
				    const struct pair **which);

/* Nothing of them is on its way to the far sides any more. Suspends. */
void pair_several_wait_landed(struct pair_several *several);

/*
 * Held, in turn and not suspended with the others yet: its far side is of no moment, or of another. It was not
 * full-duplex, and what was unsent was not sent. Does not suspend.
 */
bool pair_one_lags(const struct pair_one *one);

/*
 * The far sides are of one moment, and what they have acknowledged is durable there. Negative errno, and *which;
 * -EPIPE: all keep what they have, but that one lags. Suspends until the limit.
 */
RT_MUST_CHECK int pair_several_settle(struct pair_several *several, const struct pair **which);

/* The hold ends by no time any more: 0. -ETIMEDOUT: of one it has ended already. Suspends. */
RT_MUST_CHECK int pair_several_hold_on(struct pair_several *several);

/*
 * Those in turn that are not suspended yet become it, durably, all at once; moment: record_pair has it, but of those
 * that lag, whose far sides are of none. Negative errno: none is, and hosts that wait have an error. Suspends.
 */
RT_MUST_CHECK int pair_several_suspend(struct pair_several *several, enum pair_reason reason, uint64_t moment);

/* Hosts of those that are suspended go on. Suspends. */
void pair_several_release(struct pair_several *several);

/* Those that were held are what they were before. tell_broken: those that were broken are seen to again. Suspends. */
void pair_several_go_on(struct pair_several *several, bool tell_broken);

#endif
