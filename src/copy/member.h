/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member.h - one source system's part in a session: the increments of all its volumes, closed, released, drained and
 * forgotten together. The master tells it what to do (session.h); it may leave an attempt by itself at any time before
 * its far sides have committed, and nothing is lost by that.
 *
 * All decisions are made on the reactor of the member (that of the caller of member_create) by one fiber at a time; the
 * reactors of the volumes only carry them out. This is proctype Source of model/consistency-group.pml.
 */
#ifndef XDC_COPY_MEMBER_H
#define XDC_COPY_MEMBER_H

#include "rt/rt.h"
#include "store/words.h"

struct member;
struct volume_target;

/* On the calling reactor. session is for the log. -ENOMEM. */
RT_MUST_CHECK int member_create(uint8_t session, struct member **out);

/* Leaves the attempt under way, stops the timer, frees. Suspends. The volumes stay tracked. */
void member_destroy(struct member *member);

/*
 * A volume of this session. It takes part from the first close at which ready(arg) says true (its first copy is done):
 * then joined(arg, session) is called, in the step that closes its first increment, and what is sent from then on
 * belongs to the journal. Both run on the volume's reactor and must not suspend. -ENOMEM, -EEXIST. Suspends.
 */
struct member_volume_ops {
	bool (*ready)(void *arg);
	void (*joined)(void *arg, uint8_t session);
};
RT_MUST_CHECK int member_add_volume(struct member *member, struct volume_target *target,
				    const struct member_volume_ops *ops, void *arg);

/* Leaves an attempt under way, then takes the volume out. -ENOENT. Suspends. */
RT_MUST_CHECK int member_remove_volume(struct member *member, struct volume_target *target);

/*
 * After a restart, and when a new master speaks: attempts up to and including `attempt` are refused from now on, and
 * what is sent from now on is tagged above `highest_tag`, whatever the far sides hold. Leaves an attempt under way.
 * Suspends.
 */
void member_handshake(struct member *member, uint64_t attempt, uint64_t highest_tag);

/*
 * close(attempt): the open increment of every volume becomes the closing one; answers are held from here on. exists is
 * the last CG that the master knows to exist. After at most hold_max_ns without release the member leaves by itself.
 * *empty: nothing was written since the last CG. -ESTALE: heard of this or a newer attempt; -ERANGE: volumes here have
 * higher tags. Suspends briefly.
 */
RT_MUST_CHECK int member_close(struct member *member, uint64_t attempt, uint64_t exists, int64_t hold_max_ns,
			       bool *empty);

/* The hold is over. -ESTALE: this attempt is not under way here (any more). Suspends briefly. */
RT_MUST_CHECK int member_release(struct member *member, uint64_t attempt);

/*
 * Waits until all of the increment is acknowledged by the far sides: 0. -ESTALE: not under way, or left meanwhile (the
 * status says why); -EPROTO: before release; -ENOBUFS, -EIO: a volume has given it up, and so the member left;
 * -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int member_drain(struct member *member, uint64_t attempt);

/* True while attempt is closed, released and drained here: only then may prepare go on to the far sides. */
bool member_may_prepare(const struct member *member, uint64_t attempt);

/*
 * CG number exists: its masks are forgotten. Harmless if this is not the increment that is closing. Suspends briefly.
 */
void member_exists(struct member *member, uint64_t number);

/* From here on every close is refused, with -ESTALE; leaves an attempt under way. Suspends briefly. */
void member_retire(struct member *member);

/*
 * Leaves the attempt (0: whichever is under way): closing and open increment are one again. Its close is refused from
 * here on. Suspends briefly.
 */
void member_leave(struct member *member, uint64_t attempt, enum cg_failure reason);

/*
 * Suspends until a host has written to an increment of the member that was empty; writes since the last call count. 0,
 * -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int member_wait_written(struct member *member);

/* As if a host had written: an attempt is due for another reason. Does not suspend. */
void member_want_attempt(struct member *member);

struct member_status {
	uint64_t seen;			/* the highest attempt heard of */
	uint64_t lowest;		/* attempts below this one are refused: its volumes have higher tags */
	uint64_t closing;		/* 0: none */
	bool held, drained;
	enum cg_failure failure;	/* why the last attempt was left */
	int64_t hold_last_ns, hold_max_ns;
};
void member_get_status(const struct member *member, struct member_status *status);	/* does not suspend */

struct member_counts {
	unsigned volumes, joined;
	uint64_t out_of_sync_blocks;	/* 4 KiB, of all volumes */
};
/* Asks all reactors: not for what a hold waits for. Suspends briefly. */
void member_count(struct member *member, struct member_counts *counts);

#endif
