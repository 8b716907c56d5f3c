/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_standby.h - in a cascade, A to B to C, what A keeps to serve C itself once B is lost: which blocks of its
 * volume C may lack. B is asked how far C is, and what C has in a group is forgotten. Reactor 0; private to copy/.
 * The commands are in copy.h; what becomes of C's volume is in pair_standby_far.c.
 *
 * What is forgotten. A mark is taken of what B has acknowledged at one moment, and B is asked, behind that, for the
 * number of the increment in which all of it is by then. When B says, by the same start of it, that a group with that
 * number or a higher one exists, C has it all. What is written meanwhile is of the next mark. So at any time what is
 * noted covers all that C may lack, of what was written since the standby is known; and it is known when a mark that
 * was taken while B had all that was answered here is covered.
 *
 * Known is about one generation of C's data, the newest that C was told of by B. Whenever what C gets is not from
 * here alone, or C goes its own way, there is another one: then what differs is not known, and all of it is compared.
 */
#ifndef XDC_COPY_PAIR_STANDBY_H
#define XDC_COPY_PAIR_STANDBY_H

#include "copy/engine.h"

struct pair;
struct volume_target;

struct standby {
	struct list_head link;			/* of copy->standbys */
	struct copy *copy;
	struct record_standby record;		/* as it is durable */
	struct volume *volume;			/* NULL: it is not open, and nothing is done */
	struct volume_target *target;		/* what is noted; used on the volume's reactor */
	struct rt_mutex turn;			/* one look or command at a time */
	unsigned pins;
	struct rt_cond unpinned;
	bool gone;
	bool marked;				/* a mark is taken, and not covered yet: */
	bool mark_whole;			/* when it was, B had all that is not noted */
	uint64_t mark;
	uint8_t mark_boot_id[WIRE_ID_SIZE];	/* of the start of B that has acknowledged it */
	uint64_t sequence;			/* the newest group that C is known to have had; 0: none */
	int64_t covered_wall_ns;		/* when a mark was covered last; 0: none since the start */
	char why[WIRE_TEXT_SIZE];		/* why B does not say how far C is; empty: it does */
};

/* NULL: the volume has none. Does not suspend. */
struct standby *standby_find(struct copy *copy, uint16_t volume);

void standby_pin(struct standby *standby);
void standby_unpin(struct standby *standby);

/* One at a time. -ENOENT: it went meanwhile; -ETIMEDOUT, -ECANCELED. Suspends. */
RT_MUST_CHECK int standby_begin_change(struct standby *standby);
void standby_end_change(struct standby *standby);

/*
 * As the metadata have it, before the pairs of the volume work: nothing that they clean is forgotten for it. -ENOMEM;
 * -ENOSPC: the volume has two pairs. Suspends.
 */
RT_MUST_CHECK int standby_take_up(struct copy *copy, const struct record_standby *record, struct standby **out);

/* Starts the fiber that asks. -ENOMEM. */
RT_MUST_CHECK int standbys_begin_work(struct copy *copy);

/* Frees it once nobody has it pinned. forget: and what is noted; else the next start goes on from that. Suspends. */
void standby_put_down(struct standby *standby, bool forget);

/* Durable in place of the present record, which stands after an error. Negative errno. Suspends. */
RT_MUST_CHECK int standby_change_record(struct standby *standby, const struct record_standby *next);

/* Asks B of it once, with an answer: 0; else with its words. In its turn. Suspends. */
RT_MUST_CHECK int standby_ask(const struct standby *standby, struct pair *near, struct wire_standby_state *state,
			      char why[WIRE_TEXT_SIZE]);

/* The pair with B, which sends to it. NULL: there is none. Does not suspend. */
struct pair *standby_near(const struct standby *standby);

/* Blocks noted. On reactor 0; suspends. */
uint64_t standby_count_noted(struct standby *standby);

/* Its target is the caller's from here on, and all that is noted for it is to be sent. In its turn. Suspends. */
struct volume_target *standby_give_target(struct standby *standby);

/* Handlers (link_server.h): what B says, and C. */
int standby_near_on_look(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int standby_far_on_take(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

#endif
