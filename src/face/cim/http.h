/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - CIM operations over HTTP and HTTPS (DSP0200): accepts, authenticates, reads a request under limits, has it
 * answered, in pieces when the answer is large. libmicrohttpd has a thread a connection; the reactors take no part in
 * it. Whoever is slow, silent or never ends its request loses its place when others want it (connections.h).
 */
#ifndef XDC_FACE_CIM_HTTP_H
#define XDC_FACE_CIM_HTTP_H

#include "face/cim/users.h"
#include "rt/fault.h"

struct control;

struct cim_server_options {
	const char *address;		/* HTTP: HOST:PORT; NULL: none */
	const char *secure_address;	/* HTTPS: the same */
	const char *tls_folder;		/* its certificates (rt/tls.h); NULL: one is made in the state folder */
	const char *state_folder;
	const char *users;		/* path of the file; NULL: none */
	bool anonymous;			/* clients of this machine need not log in, and have the role: */
	enum op_role anonymous_role;
	struct control *control;	/* whose instances are served; it outlives the server */
};

struct cim_server;

/* On a fiber; suspends. What options point to outlives the server. -1 and the fault. */
RT_MUST_CHECK int cim_server_start(const struct cim_server_options *options, struct cim_server **out,
				   struct fault *fault);

/* What is under way is ended. Suspends. NULL is allowed. */
void cim_server_stop(struct cim_server *server);

#endif
