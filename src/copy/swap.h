/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swap.h - what a system does when a session is swapped (session_swap.c orders it): a source closes its volumes to
 * hosts and gives them away (source_swap.c), a far side takes them and is the source from there on (swap_far.c).
 * Private to copy/, reactor 0.
 *
 * Each pair is given away durably before its other end is asked, and taken durably before that answers. So no end is
 * ever written by hosts while the other may be, whoever restarts; given again, each step does what is left of it. What
 * the old source has noted, which after its crash may be more than nothing, it keeps, and the new one asks for it: the
 * same as after a failback (pair_changes.h).
 */
#ifndef XDC_COPY_SWAP_H
#define XDC_COPY_SWAP_H

#include "copy/engine.h"

struct leg;
struct source;

/* Handlers (link_server.h). */
int swap_on_session(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int swap_on_pair(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/* At the start of the system: volumes that hosts may not have yet, or no more, are closed. Negative errno. Suspends. */
RT_MUST_CHECK int swap_close_volumes(struct copy *copy);

/* The master says that a CG exists: hosts may have volumes that were taken and are in it. Suspends. */
void swap_open_volumes(struct source *source);

/* ---- for a recovery of the session (session_swap.c) ---- */

/*
 * Volumes here that hosts may not have until the other side is there: given away and not in a group of the new
 * direction; or taken, and not let in yet; or, at a master that swaps, not given away yet. How many, and the CG that
 * they show (0: not known here). What is prepared behind them counts for nothing: its commit is fenced off first.
 * Neither suspends.
 */
unsigned swap_count_left(struct copy *copy, uint8_t session, uint64_t *sequence);
bool swap_has_left(struct copy *copy, uint8_t session);

/* The last group of the old direction, if this system was its master; 0: not known here. */
uint64_t swap_last_group(struct copy *copy, uint8_t session);

/* The other side is lost: hosts may have them. Negative errno, with a sentence in why. Suspends. */
RT_MUST_CHECK int swap_open_left(struct copy *copy, uint8_t session, char *why);

/* The same at all systems that this one knows of, as a recovery. -1 with the fault. Suspends. */
RT_MUST_CHECK int swap_recover(struct copy *copy, uint8_t session, struct recovery_result *result,
			       struct fault *fault);

/*
 * The journal of a far side that has taken its volumes is of no use after the last of them. Outside of all turns.
 * Negative errno. Suspends.
 */
RT_MUST_CHECK int swap_forget_leg(struct copy *copy, struct leg *leg);

#endif
