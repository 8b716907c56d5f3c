/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers.h - a heap of points in time, private to rt: a pairing heap of nodes that lie in what they belong to, so that
 * adding one needs no memory and never fails. Touched by one thread at a time.
 */
#ifndef XDC_RT_TIMERS_H
#define XDC_RT_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed memory is a timer that is not set. */
struct timer {
	int64_t when_ns;
	struct timer *child;		/* the first; none of them is earlier than this one */
	struct timer *next;		/* child of the same parent */
	struct timer *prev;		/* of a first child the parent */
	bool is_set;
};

/* Zeroed memory is an empty heap. */
struct timers {
	struct timer *first;		/* the earliest, NULL: none is set */
};

/* The timer is not set. */
void timers_add(struct timers *timers, struct timer *timer, int64_t when_ns);

/* Nothing if it is not set. */
void timers_remove(struct timers *timers, struct timer *timer);

#endif
