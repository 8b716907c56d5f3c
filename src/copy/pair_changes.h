/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_changes.h - what both ends of a failed over pair have noted, private to copy/, reactor 0.
 *
 * After failback the former far side is a source with first_copy_done false and first_copy_bytes the whole size it
 * had: nothing is left of a first copy, and what the old source noted is asked for at each new start of sending until
 * all is sent once. (A first copy that was interrupted asks, too: its target has noted nothing.) The old source, now
 * a target with first_copy_done true, keeps its notes until it is the source again. So neither end forgets anything
 * by a crash.
 */
#ifndef XDC_COPY_PAIR_CHANGES_H
#define XDC_COPY_PAIR_CHANGES_H

#include "copy/engine.h"

struct pair;

/*
 * Before a source begins to send: if it may be one after failback, what the other end noted is marked here too. 0;
 * errors of link_request, -EBADMSG, -ENOMEM. Suspends.
 */
RT_MUST_CHECK int pair_changes_take(struct pair *pair, char *why);

/* How many bytes the other end has noted. 0; errors of link_request, -EBADMSG. Suspends. */
RT_MUST_CHECK int pair_changes_far(struct pair *pair, uint64_t *bytes, char *why);

/* How many blocks are noted here. Suspends. */
uint64_t pair_changes_here(struct pair *pair);

#endif
