/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg_show.h - a session that is paused with a consistent target: the volumes of a leg show exactly its last CG, and
 * hosts may read them. Private to copy/, reactor 0.
 *
 * That a leg is shown is durable before its volumes are opened, and no longer so after they were closed again; at a
 * start of the system they are closed until the CG is wholly in them. While it is shown no CG is prepared: what the
 * journal holds beyond is applied by none.
 */
#ifndef XDC_COPY_LEG_SHOW_H
#define XDC_COPY_LEG_SHOW_H

#include "copy/leg.h"

/* At the start of the system: opens the volumes of a leg that is shown, as soon as they have its CG. -ENOMEM. */
RT_MUST_CHECK int leg_show_again(struct leg *leg);

/*
 * Closes them to hosts: 0; -ETXTBSY with who has one open, and all stay as they were; other negative errno. Suspends.
 */
RT_MUST_CHECK int leg_hide(struct leg *leg, char *why);

/* Handlers (link_server.h). */
int leg_on_show(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_hide(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

#endif
