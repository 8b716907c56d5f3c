/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mirror.h - the volume's side of a synchronous pair: what hosts write is at the far side, too, before it is answered.
 * Who sends it, and what the pair becomes when it cannot, is copy/'s affair (copy/mirror.h), which gives its ops here.
 * All on the volume's reactor.
 *
 * A write whose blocks the far side has as they are here is sent by itself, while it goes to the disk here; the lock of
 * its blocks is held over both, so both disks see writes of a block in one order. It was noted before, as every write,
 * and is under way in the mask meanwhile: the pump leaves it alone, and has it again when it did not arrive.
 */
#ifndef XDC_VOLUME_MIRROR_H
#define XDC_VOLUME_MIRROR_H

#include "rt/rt.h"

struct volume_target;
struct volume_mirror;

/* A write on its way. */
struct volume_mirror_write {
	const void *buf;		/* NULL: zeroes; stays as it is until end */
	uint64_t offset, len;		/* bytes */
	uint64_t noted;			/* of the writes noted in the volume, its number */
	void *handle;			/* of begin, for end */
};

struct volume_mirror_ops {
	/* Sends it. Negative errno: nothing was sent. Suspends while the far side has no room. */
	int (*begin)(struct volume_mirror *mirror, struct volume_mirror_write *write);

	/* Waits until the far side has it, whatever becomes of the caller: 0. Else whether it has is not known. */
	int (*end)(struct volume_mirror *mirror, struct volume_mirror_write *write);

	/*
	 * What was written is not at the far side. Waits until the pair does not promise that any more: 0, and the
	 * write is answered; or until it goes on with its promise: -EAGAIN, and what was written is brought there; else
	 * it fails with this.
	 */
	int (*give_up)(struct volume_mirror *mirror);

	/* All that is at the far side is to be durable there. The first does not suspend; the other waits for that. */
	uint64_t (*begin_flush)(struct volume_mirror *mirror);
	int (*end_flush)(struct volume_mirror *mirror, uint64_t ticket);
};

struct volume_mirror {
	const struct volume_mirror_ops *ops;
	bool full;			/* nothing is answered that is not there; else unsent blocks are only noted */
	bool held;			/* nothing is sent any more: what is written waits in give_up */
	int refuse;			/* held, and writes fail with this before anything is done; 0: they do not */
	bool unreached;			/* a write has waited for the pump in vain: none does, until one gets there */
	int64_t wait_ns;		/* so long a write waits for the pump to bring its blocks there; then give_up */
	unsigned users;			/* requests that may call ops */
	struct rt_cond unused;		/* there is none any more */
};

void volume_mirror_init(struct volume_mirror *mirror, const struct volume_mirror_ops *ops, int64_t wait_ns);

/* Writes that are noted from here on go there. NULL: no more; who has begun with the old one goes on. */
void volume_set_mirror(struct volume_target *target, struct volume_mirror *mirror);

/*
 * Nothing is sent from here on: it is held. Of one that was full the pump sends nothing either, until the volume is
 * let go on or another pump comes: what hosts write after the hold, and not what they wrote in it, would be at the far
 * side. Neither suspends.
 */
void volume_hold_mirror(struct volume_target *target, struct volume_mirror *mirror, int refuse);
void volume_unhold_mirror(struct volume_target *target, struct volume_mirror *mirror);

/*
 * In one step: when nothing is unsent, and nothing under way but writes of the mirror, it is full. It is tracked.
 */
bool volume_fill_mirror(struct volume_target *target, struct volume_mirror *mirror);

#endif
