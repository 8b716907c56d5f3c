/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blocklock.h - locks on ranges of 4 KiB blocks of one volume. All calls on the volume's reactor.
 *
 * A write claims its blocks, which it then has alone among writes, in the order of arrival. Its claim is then
 *	claimed		it may still wait for anything;
 *	writing		noted in the mask and not yet on disk: nobody may send these blocks;
 *	answering	on disk, its answer is still to come.
 * A sender reads blocks while no write of them is in the state writing, and keeps writes of them from getting there
 * until it has read. It never waits for a claim, and a claim never waits for it until it wants to write: so a write
 * that waits for the drain of its own blocks does not stand in the way of that drain.
 *
 * Claims live in the memory of their owner (a stack), so there is nothing to allocate and nothing to run out of.
 */
#ifndef XDC_VOLUME_BLOCKLOCK_H
#define XDC_VOLUME_BLOCKLOCK_H

#include "rt/rt.h"

/* A claim lies within one zone of 1 MiB, by which claims are sorted; longer requests pass in pieces. */
#define BLOCKLOCK_ZONE_BLOCKS	256u
#define BLOCKLOCK_BUCKETS	64u

enum blocklock_state {
	BLOCKLOCK_CLAIMED,
	BLOCKLOCK_WRITING,
	BLOCKLOCK_ANSWERING,
	BLOCKLOCK_SENDING,
};

struct blocklock {
	struct list_head buckets[BLOCKLOCK_BUCKETS];
	unsigned count;
	uint64_t started;		/* writes that ever began to write */
	struct rt_cond answered;	/* one of them was released */
};

struct blocklock_claim {
	struct list_head link;		/* in the bucket of its zone, in order of arrival */
	uint64_t first, end;		/* blocks, end exclusive */
	enum blocklock_state state;
	uint64_t number;		/* of those that ever began to write */
	unsigned waits_for;		/* claims before this one that overlap it; 0: it has its blocks */
	struct rt_cond granted;		/* its owner waits here: for its blocks, then for senders */
};

void blocklock_init(struct blocklock *lock);

/* No claim is left. */
bool blocklock_is_free(const struct blocklock *lock);

/*
 * Suspends until no earlier claim overlaps the range, which lies in one zone. 0; -ETIMEDOUT or -ECANCELED and nothing
 * is claimed.
 */
RT_MUST_CHECK int blocklock_claim(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end);

/*
 * The same in two steps, for many claims at once: whoever queues all of them before it waits for one of them keeps
 * nobody from going on who does the same. The second as blocklock_claim.
 */
void blocklock_queue(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end);
RT_MUST_CHECK int blocklock_wait(struct blocklock *lock, struct blocklock_claim *claim);

/* A claim that has its blocks has them from here on in other memory. */
void blocklock_move(struct blocklock_claim *from, struct blocklock_claim *to);

void blocklock_release(struct blocklock *lock, struct blocklock_claim *claim);

/* No sender reads blocks of the claim: it may begin to write. Does not suspend. */
bool blocklock_may_write(const struct blocklock *lock, const struct blocklock_claim *claim);

/* Suspends until a sender of blocks of the claim is done; test again afterwards. 0, -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int blocklock_wait_senders(struct blocklock *lock, struct blocklock_claim *claim);

/* From claimed to writing to answering; the first only while blocklock_may_write. Do not suspend. */
void blocklock_start_writing(struct blocklock *lock, struct blocklock_claim *claim);
void blocklock_end_writing(struct blocklock_claim *claim);

/*
 * Shortens [*first, *end), which lies in one zone, to its first part that no write is writing. False when nothing is
 * left.
 */
bool blocklock_trim_to_firm(const struct blocklock *lock, uint64_t *first, uint64_t *end);

/* For a sender: takes blocks that blocklock_trim_to_firm left. Never waits. Ends with blocklock_release. */
void blocklock_take_to_send(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end);

/*
 * Suspends until all writes of blocks of the range, which may be of any length, that are writing or answering now are
 * released. 0, -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int blocklock_wait_answered(struct blocklock *lock, uint64_t first, uint64_t end);

/* Some write has claimed blocks of the range, which may be of any length. */
bool blocklock_is_claimed(const struct blocklock *lock, uint64_t first, uint64_t end);

#endif
