/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_private.h - what the files of a pair know of one another: pair.c has its life, pair_link.c asks the far side and
 * follows its comings and goings, pair_sync.c makes durable there what was acknowledged.
 */
#ifndef XDC_COPY_PAIR_PRIVATE_H
#define XDC_COPY_PAIR_PRIVATE_H

#include "copy/pair.h"
#include "copy/pump.h"
#include "store/meta.h"

/* What is to be done on the reactor of the volume, and what came of it. */
struct pair_order {
	struct pair *pair;
	struct record_pair record;	/* as it was when the order was given */
	struct peer *peer;		/* likewise */
	struct pace_limit *limit;	/* of its path, when a pump may be started; NULL: there is none */
	uint8_t boot_id[WIRE_ID_SIZE];
	struct dirtylog *log;
	struct volume_counters counters;
	uint64_t first_needed;
	struct pump_state pump;
	struct pump_totals totals;
	struct mirror_state mirror;
	int error;
	bool flag;
	bool for_good;			/* the end of the pair, or of the system */
};

/* Runs fn(order) there, for this pair; suspends. What fn returns. */
RT_MUST_CHECK int pair_order_run(struct pair *pair, int (*fn)(void *arg), struct pair_order *order);

/* The same for an fn that always returns 0. */
void pair_order_surely(struct pair *pair, int (*fn)(void *arg), struct pair_order *order);

/* In its turn: it follows from here on, if it is synchronous and sends. -ENOMEM. Suspends. */
RT_MUST_CHECK int pair_follow(struct pair *pair);

/*
 * At the start: a pair that is strict refuses writes from here on, before hosts come. -ENOMEM. Suspends.
 */
RT_MUST_CHECK int pair_refuse_writes(struct pair *pair);

/* For pair_order_surely: reads order->counters, order->totals and order->pump. */
int pair_do_counters(void *order);

/* Notes it, in the log too, and makes it durable; that it is not only shows in the log. Suspends. */
void pair_set_state(struct pair *pair, enum pair_state state, enum pair_reason reason);

/*
 * On the volume's reactor, where a pump has started: a synchronous pair whose first copy is done follows from here on.
 * -ENOMEM.
 */
RT_MUST_CHECK int pair_start_mirror(struct pair_order *order);

/*
 * In its turn: tells the far side, durably there, that no write is answered from here on that it lacks. Negative errno.
 * Suspends.
 */
RT_MUST_CHECK int pair_tell_duplex(struct pair *pair);

/*
 * In its turn. Durably suspended, and only then are those hosts answered that wait for it. Negative errno: it is as it
 * was, and hosts that wait now have an error. Suspends.
 */
RT_MUST_CHECK int pair_suspend_duplex(struct pair *pair, enum pair_reason reason);

/*
 * The steps of that, for several at one moment (pair_several.h): hosts are held; it is durable; they are answered and
 * it stops. Suspend.
 */
bool pair_freeze_hosts(struct pair *pair);	/* true: it was broken before */
void pair_wait_landed(struct pair *pair);	/* nothing is under way to the far side any more; in its turn */
void pair_refuse_waiters(struct pair *pair);	/* hosts that wait now have an error */
void pair_answer_held(struct pair *pair);
void pair_unhold_hosts(struct pair *pair);	/* it goes on as it was before it was frozen */

/* Those and its history as they are, for a change of the metadata: how many. Does not suspend. */
unsigned pair_history_changes(const struct pair *pair, struct record_history rows[HISTORY_MAX],
			      struct meta_change changes[HISTORY_MAX]);

/* A pair of a group, or a session, is broken: all of that are suspended at one moment. Does not suspend. */
void pair_suspend_group(struct pair *pair);

/* It is critical and was once full-duplex: no write is answered that the far side lacks, unless a command said so. */
bool pair_is_strict(const struct record_pair *record);

/*
 * What hosts wrote that the far side has not followed is a generation of its own; the first durably: negative errno; of
 * the other the caller makes it that. Suspend.
 */
RT_MUST_CHECK int pair_begin_unfollowed(struct pair *pair);
void pair_add_unfollowed(struct pair *pair);

/*
 * Its state is another than before, durably: a line in the log, and an event when it sends no more, or does again. What
 * the link alone does to it, the link tells. Does not suspend.
 */
void pair_tell_state(const struct pair *pair, enum pair_state before);

/*
 * It sends again: what was unsent by then is a resync, which ends when that much was sent, or nothing is unsent any
 * more. Does not suspend.
 */
void pair_begin_resync(struct pair *pair, uint64_t unsent_blocks, uint64_t sent_bytes);

/*
 * Before the volume of a target is written by others than its source: what it sends on is no more what that wrote, and
 * its far sides have a generation that says so before they have any of it. In its turn. Negative errno. Suspends.
 */
RT_MUST_CHECK int pair_part_from_source(struct pair *pair);

/* The volume has other pairs, too. */
bool pair_is_one_of_several(const struct pair *pair);

/* It is a source end, and this is its far side. */
bool pair_sends_to(const struct pair *pair, const char *far);

#endif
