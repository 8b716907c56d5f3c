/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failback.h - production comes back to the old site (copy.h: copy_session_failback, copy_session_return,
 * copy_pair_failback). Only differences travel: what hosts changed at the far side since recovery, and what the old
 * source had noted and not got into a consistency group that exists. Reactor 0, private to copy/.
 *
 * After failback the former far side is a source with first_copy_done false and first_copy_bytes the whole size:
 * nothing is left of a first copy, and what the old source noted is asked for at each new start of sending until all is
 * sent once. The old source, now a target with first_copy_done true, keeps its notes until it is the source again. So
 * neither end forgets anything by a crash.
 */
#ifndef XDC_COPY_FAILBACK_H
#define XDC_COPY_FAILBACK_H

#include "copy/engine.h"

struct pair;

/*
 * Before a source begins to send: if it is one after failback, what the other end noted is marked here too. 0; errors
 * of link_request, -EBADMSG, -ENOMEM. Suspends.
 */
RT_MUST_CHECK int failback_take_changes(struct pair *pair, char *why);

#endif
