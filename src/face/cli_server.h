/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_server.h - the control protocol on its sockets: requests and replies, a line of JSON each (docs/cli-json.md). Who
 * may open the socket is an administrator; its mode is the access. All on reactor 0.
 */
#ifndef XDC_FACE_CLI_SERVER_H
#define XDC_FACE_CLI_SERVER_H

#include "control/control.h"
#include "rt/net.h"

#define CLI_CONNECTIONS_MAX	64u			/* one more, and the one idle longest is closed */
#define CLI_IDLE_NS		(15 * 60 * RT_SECOND)	/* between requests */
#define CLI_LINE_NS		(30 * RT_SECOND)	/* from the first byte of a request to its last; for a reply */
#define CLI_OPERATION_NS	(10 * 60 * RT_SECOND)

struct cli_server;

/* -ENOMEM. */
RT_MUST_CHECK int cli_server_create(struct control *control, struct cli_server **out);

/* Serves what comes in at the listener, which belongs to the server from here on (also on an error). -ENOMEM. */
RT_MUST_CHECK int cli_server_listen(struct cli_server *server, struct rt_listener *listener);

/*
 * Accepts no more, lets operations under way finish until until_ns and gives them up then, closes all connections.
 * Suspends, shielded. NULL is allowed.
 */
void cli_server_destroy(struct cli_server *server, int64_t until_ns);

#endif
