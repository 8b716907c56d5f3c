/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_member.h - a comparison of all pairs of a session: what one source system does of it, ordered and asked for
 * by the master (verify_session.c). One pair after the other, on a fiber of its own; when the master is not heard for
 * a while it ends. In memory alone. Private to copy/, reactor 0.
 */
#ifndef XDC_COPY_VERIFY_MEMBER_H
#define XDC_COPY_VERIFY_MEMBER_H

#include "copy/engine.h"

/* One step, for this master (or this system, its own). -1 with the fault. Suspends. */
RT_MUST_CHECK int verify_member_step(struct copy *copy, const char *master, const struct wire_verify *order,
				     struct wire_verify_report *report, struct fault *fault);

/* Handler of session_verify (link_server.h): the same. */
int verify_on_session(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/* At the stop of the system: all end. Suspends. */
void verify_members_stop(struct copy *copy);

#endif
