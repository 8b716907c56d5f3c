/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.h - sends what hosts write to the volume of a synchronous pair, each write by itself and at once, beside the
 * pump, which brings what the far side lacked before. Lives on the volume's reactor; all calls are made there.
 *
 * Following: it sends what it can, and promises nothing. Full: no write is answered that is not at the far side.
 * Broken: a write did not get there. Nothing is sent any more, and when it was full, no write is answered either, until
 * it is durable that the pair is suspended, and mirror_stop says so.
 */
#ifndef XDC_COPY_MIRROR_H
#define XDC_COPY_MIRROR_H

#include "copy/pump.h"

struct mirror;

struct mirror_config {
	struct volume_target *volume_target;
	struct link *link;
	uint16_t target;
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* acknowledgements of any other far side count for nothing */
	struct pace_limit *limit;		/* of the path; NULL: none */
	struct pump_totals *totals;
	struct notice *acked;			/* something was acknowledged that is not durable there */
	struct notice *broken;			/* is_broken has become true, or somebody waits for what follows */
	_Atomic bool *is_broken;
	bool critical;				/* a write that does not get there fails, from the start on */
};

/* Follows from here on. -ENOMEM. */
RT_MUST_CHECK int mirror_start(const struct mirror_config *config, struct mirror **out);

/* True: the far side has all of the volume, and the mirror is full from here on. */
bool mirror_fill(struct mirror *mirror);

/* It follows again, also when it was broken: hosts that waited are answered. Does not suspend. */
void mirror_unfill(struct mirror *mirror);

/*
 * The far side is another start of it from here on. One that was filled stays with the old, and breaks; one that
 * follows, critical or not, does not.
 */
void mirror_far_restarted(struct mirror *mirror, const uint8_t far_boot_id[WIRE_ID_SIZE]);

/* Broken from here on, since the pair is to be suspended. Does not suspend. */
void mirror_break(struct mirror *mirror);

/* The same of one that only follows, too: nothing is answered before it is stopped. */
void mirror_freeze(struct mirror *mirror);

/*
 * Held no more, and it promises what it did: who waits is answered when what was written has arrived. It was full, and
 * not broken. Does not suspend.
 */
void mirror_go_on(struct mirror *mirror);

/* Suspends until what was sent has arrived, or failed: not for long. */
void mirror_wait_landed(struct mirror *mirror);

/* A critical one goes on, with this start of the far side. Nothing when it does. Does not suspend. */
void mirror_rearm(struct mirror *mirror, const uint8_t far_boot_id[WIRE_ID_SIZE]);

/* Those that wait are answered (error 0), or fail with it, and so all that come before mirror_stop. */
void mirror_let_go(struct mirror *mirror, int error);

/* It stays broken, and the writes that wait now fail with this: its suspension could not be made durable. */
void mirror_refuse_waiters(struct mirror *mirror, int error);

/*
 * No writes go there any more; those that waited are answered (error 0), or fail with it. Suspends until none is under
 * way. NULL is allowed.
 */
void mirror_stop(struct mirror *mirror, int error);

struct mirror_state {
	bool full, broken;
	unsigned waiting;			/* requests under way */
	int error;				/* that broke it; 0: none */
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* of the start of the far side that it speaks of */
};
void mirror_get_state(const struct mirror *mirror, struct mirror_state *state);

#endif
