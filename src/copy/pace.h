/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pace.h - how fast what nobody waits for may go: background copies give way to hosts (CopyPriority), and a path has a
 * limit. Whoever copies works in pieces of some milliseconds at most, and between two of them lets others go first.
 * Nothing here is a fiber or a timer of its own: who does not copy costs nothing.
 */
#ifndef XDC_COPY_PACE_H
#define XDC_COPY_PACE_H

#include "rt/rt.h"
#include "store/words.h"

struct volume;

/* ---- giving way to hosts ---- */

/*
 * While hosts ask this system for anything, a copy rests after each piece: low for four times as long as the piece
 * took, same as long, high a quarter of that; urgent and not-managed never. When no host has asked for some time there
 * is no rest at all. Belongs to one fiber.
 */
struct pace {
	const struct volume *volume;
	enum copy_priority priority;
	uint64_t seen;			/* requests of hosts, when it looked last */
	int64_t hosts_ns;		/* when hosts were seen last */
	int64_t began_ns;		/* the piece */
	int64_t owed_ns;		/* of rest, too short for a timer as yet */
};

/* volume: any of the system. */
void pace_init(struct pace *pace, const struct volume *volume, enum copy_priority priority);

/* A piece of work begins now. Does not suspend. */
void pace_begin(struct pace *pace);

/* It is done: suspends for as long as hosts are to have to themselves. 0, -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int pace_rest(struct pace *pace);

/* ---- the limit of a path ---- */

#define PACE_LIMIT_MIN_BYTES	(UINT64_C(64) << 10)

/* Shared by all who send over the path, on any reactor. All zero: no limit. */
struct pace_limit {
	_Atomic uint64_t bytes_per_s;	/* 0: none */
	_Atomic int64_t free_ns;	/* when all that was let through is through */
};

/*
 * Suspends until so many bytes may go; limit NULL: at once. gives_way: not before those who do not, and are waiting.
 * 0; -ETIMEDOUT or -ECANCELED: they do not go.
 */
RT_MUST_CHECK int pace_pass(struct pace_limit *limit, uint64_t bytes, bool gives_way);

#endif
