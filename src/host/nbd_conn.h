/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_conn.h - what the parts of the NBD server (nbd.c, nbd_handshake.c, nbd_transmit.c) share. Nobody else includes
 * it.
 */
#ifndef XDC_HOST_NBD_CONN_H
#define XDC_HOST_NBD_CONN_H

#include "host/nbd.h"
#include "host/nbd_budget.h"
#include "host/nbd_pool.h"
#include "host/nbd_proto.h"

/* What the server has on each reactor; used by that reactor alone. */
struct nbd_reactor {
	struct list_head transfers;	/* connections in transmission here */
	bool stopping;			/* new ones end at once */
	struct nbd_pool pool;		/* buffers of requests */
	struct nbd_budget budget;	/* of these, and of what else requests take */
};

struct nbd_server {
	struct nbd_server_options options;
	struct list_head listeners;
	struct rt_group accepting;	/* a fiber a listener */
	struct rt_group connections;	/* a fiber a connection */
	unsigned connection_count;
	unsigned reactor_count;
	struct nbd_reactor reactors[];
};

/* One client. Belongs to its fiber on the reactor of the server; during transmission to that of the volume. */
struct nbd_conn {
	struct nbd_server *server;
	struct rt_stream *stream;
	bool tls_required;
	bool tls;			/* stream is encrypted */
	struct nbd_export export;	/* attached, once the handshake has succeeded */
	struct nbd_session session;
};

/*
 * From greeting to a chosen export. 0: conn->export is attached and conn->session says how; else nothing is attached
 * and the connection is over: -ECONNABORTED when the client wanted it so, else what went wrong. conn->stream may have
 * become an encrypted one. Suspends.
 */
RT_MUST_CHECK int nbd_handshake(struct nbd_conn *conn);

/*
 * Serves requests until the client goes or the server stops; nothing of it is under way when it returns. On the
 * reactor of the volume. 0: an orderly end; else what went wrong, for the log. Suspends.
 */
RT_MUST_CHECK int nbd_transmit(struct nbd_conn *conn);

/*
 * For the budget of the reactor (arg): somebody waits for memory that others keep. Who keeps some because its client
 * neither takes replies nor sends what it has announced, for longer than a slow network explains, is disconnected; as
 * long as nobody waits, a client may be as slow as it likes. Does not suspend.
 */
void nbd_transmit_make_room(void *arg);

/* Ends all transmissions on this reactor, now and later: each drains what it has taken in. Does not suspend. */
void nbd_transmit_stop_all(struct nbd_reactor *reactor);

#endif
