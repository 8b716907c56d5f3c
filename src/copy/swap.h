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

struct source;

/* Handlers (link_server.h). */
int swap_on_session(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int swap_on_pair(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/* At the start of the system: volumes that hosts may not have yet, or no more, are closed. Negative errno. Suspends. */
RT_MUST_CHECK int swap_close_volumes(struct copy *copy);

/* The master says that a CG exists: hosts may have volumes that were taken and are in it. Suspends. */
void swap_open_volumes(struct source *source);

#endif
