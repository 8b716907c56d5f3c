/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice.h - tells a fiber of reactor 0, from any reactor and without waiting, that something happened. Giving it
 * many times before the fiber looked is giving it once.
 */
#ifndef XDC_COPY_NOTICE_H
#define XDC_COPY_NOTICE_H

#include "rt/rt.h"

/* What the fiber looks at; on reactor 0. */
struct notice_board {
	struct rt_cond woken;
	bool due;			/* set by notices, cleared by the fiber */
	bool urgent;			/* the fiber that would rather wait for more is to wait no longer */
};

/*
 * One for each reactor that gives notice; it lives as long as its board. Messages of a reactor arrive in order: after
 * an rt_call there has returned, no notice given before it is under way.
 */
struct notice {
	struct rt_message message;
	struct notice_board *board;
	bool posted;			/* atomic */
	bool urgent;			/* atomic: since the last that arrived */
};

void notice_board_init(struct notice_board *board);
void notice_init(struct notice *notice, struct notice_board *board);

/* On the notice's reactor; does not suspend. */
void notice_give(struct notice *notice);

/* The same, and what is done about it is to be done soon. */
void notice_give_urgent(struct notice *notice);

/* Suspends until something is due, and clears it: 0. -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int notice_wait(struct notice_board *board);

/* Suspends until when_ns, or until something is urgent, and clears that: 0. -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int notice_wait_more(struct notice_board *board, int64_t when_ns);

/* As if a notice had arrived. On reactor 0; does not suspend. */
void notice_due(struct notice_board *board);
void notice_due_urgent(struct notice_board *board);

#endif
