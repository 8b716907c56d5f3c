/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_freeze.h - pairs of this system that are frozen together: those of a path, of a session of type pprc, or some by
 * name. Each freeze has a fiber that takes it from one step to the next, or ends it when its time is over; who wants it
 * gives it the orders. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_PAIR_FREEZE_H
#define XDC_COPY_PAIR_FREEZE_H

#include "copy/engine.h"

struct freeze;
struct pair;

/* Which pairs, and how. */
struct freeze_what {
	uint8_t session;			/* of which they are; 0: of none */
	uint64_t moment;			/* that its master has named; 0: none */
	const struct record_pair *path;		/* the synchronous ones of the path of this pair, too; NULL */
	const uint16_t *volumes;		/* of these volumes, too; as long as the freeze is used */
	unsigned volume_count;
	enum pair_reason reason;		/* why they are suspended then */
	/*
	 * A mirror of one of them is broken, so whatever state the others are in, they are suspended with it, as many
	 * as can be. Else all of them are of the moment, or nothing is done; all: also those that are not synchronous,
	 * of which what is unsent is sent before.
	 */
	bool broken, all;
	bool kept;				/* the far sides are asked to keep the moment, and may fail to say so */
	bool flash;				/* the FlashCopies of the session are resynced, instead of all this */
	int64_t turns_ns;			/* broken: for commands on others to end; then as many as can be */
	int64_t decide_ns;			/* within this time it is to be decided; else hosts go on as before */
};

/* It has begun: the caller gives it back with freeze_put. NULL: no memory. */
struct freeze *freeze_start(struct copy *copy, const struct freeze_what *what);
void freeze_put(struct freeze *freeze);

/* Until no host is answered any more: 0. -1 with the fault: nothing has changed. Suspends. */
int freeze_wait_held(struct freeze *freeze, const char *object, struct fault *fault);

/*
 * All are suspended, and hosts wait still, for so long (0: they go on): 0. -1 with the fault: they go on as before, or
 * have errors. Suspends.
 */
int freeze_suspend(struct freeze *freeze, int64_t hold_ns, const char *object, struct fault *fault);

/* Hosts go on; before freeze_suspend as if nothing had happened. Suspends until they do, or the limit. */
void freeze_end(struct freeze *freeze);

/* The freeze of a session that has not ended; the caller puts it back. NULL: there is none. */
struct freeze *freeze_find_session(struct copy *copy, uint8_t session);

/* What it is for is done, and hosts wait still. */
bool freeze_is_suspended(const struct freeze *freeze);

uint64_t freeze_moment(const struct freeze *freeze);

/*
 * All pairs of the session here are suspended, since one of them is broken, at a moment of their own: also what was
 * held for a moment of others. Does not suspend.
 */
void freeze_break_session(struct copy *copy, uint8_t session, uint64_t moment);

#endif
