/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_far.h - what a system says to the source of a pair whose target it is, or shall become. Reactor 0, private to
 * copy/.
 */
#ifndef XDC_COPY_PAIR_FAR_H
#define XDC_COPY_PAIR_FAR_H

#include "copy/engine.h"

/* Handlers of pair_... (link_server.h). */
int pair_far_on_establish(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int pair_far_on_remove(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int pair_far_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int pair_far_on_grow(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int pair_far_on_changes(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/*
 * Its volume is closed to hosts: 0; -ETXTBSY while hosts have it open, -EIO, with a sentence. Suspends.
 */
RT_MUST_CHECK int pair_far_close(struct pair *pair, char *why);

#endif
