/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover.h - recovery of a session at its far sides (copy.h: copy_session_probe, copy_session_recover), and what a far
 * side answers to the one that recovers. What is decided is in recover_plan.h; here it is carried out. Reactor 0.
 *
 * Every step is durable before the next begins and may be repeated: a recovery that was cut off anywhere is finished by
 * giving the command again, on any far side.
 */
#ifndef XDC_COPY_RECOVER_H
#define XDC_COPY_RECOVER_H

#include "copy/engine.h"

/* Handlers of recover_... (link_server.h). */
int recover_on_probe(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int recover_on_fence(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int recover_on_points(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int recover_on_point(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int recover_on_decide(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

#endif
