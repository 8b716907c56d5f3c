/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_watch.h - the fibers of a peer (engine.h), private to copy/. They run on reactor 0 as long as somebody uses the
 * peer.
 */
#ifndef XDC_COPY_PEER_WATCH_H
#define XDC_COPY_PEER_WATCH_H

#include "copy/engine.h"

/* Tells pairs and sessions when the link comes up, breaks, or is somebody else's. arg: the peer. */
void peer_watch(void *arg);

/* Has made durable at the far side what pairs got acknowledged there, while there is such a thing. arg: the peer. */
void peer_sync(void *arg);

#endif
