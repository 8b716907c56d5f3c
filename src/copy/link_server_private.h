/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_server_private.h - what the parts of the link's answering side know of one another: link_server.c takes
 * connections and fences old ones (reactor 0), link_server_control.c and link_server_data.c serve one connection each.
 */
#ifndef XDC_COPY_LINK_SERVER_PRIVATE_H
#define XDC_COPY_LINK_SERVER_PRIVATE_H

#include "copy/link_conn.h"
#include "copy/link_server.h"

#define LINK_MARKS	16u		/* the last marks that a data connection remembers */

struct link_server {
	struct link_server_config config;
	struct rt_reactor *reactor;
	struct list_head served;	/* struct served_conn */
	struct list_head slots;		/* struct slot: what is known of each connection of each system */
	unsigned served_count, slot_count;
	bool stopping;
	int64_t refused_ns;		/* when the log heard of the last refusal */
	char refused[WIRE_SYSTEM_SIZE + WIRE_TEXT_SIZE];	/* which one that was */
	struct rt_cond changed;		/* a connection has ended or is no longer in use */
};

struct slot {
	struct list_head link;
	char system[WIRE_SYSTEM_SIZE];
	uint8_t kind;
	uint16_t reactor;		/* of the dialer */
	uint8_t boot_id[WIRE_ID_SIZE];	/* of the dialer, as last seen */
	uint64_t generation;		/* the highest seen with this boot id */
	struct served_conn *conn;	/* the one that is welcome; NULL: none */
	unsigned claims;		/* fibers that wait to put theirs here */
};

/* One connection. Made, listed and freed on reactor 0; served where it belongs. */
struct served_conn {
	struct list_head link;
	struct link_server *server;
	struct rt_stream *stream;
	struct link_peer peer;
	struct wire_hello hello;
	uint32_t features;		/* that were agreed */
	struct rt_reactor *reactor;	/* that uses the stream now */
	unsigned users;			/* fibers of reactor 0 that are in a call to its reactor */
	bool is_broken;			/* from outside */

	/* on its own reactor */
	bool stopping;
	struct link_conn *conn;		/* NULL before and after it is served */

	struct served_data *data;	/* of a data connection, while it is served */
	unsigned outstanding;		/* control: requests that are not yet answered */
};

/* Serve until the connection breaks, on its reactor. Suspend. */
int link_serve_control(void *served);
int link_serve_data(void *served);

/* Queues an event; on the reactor of the connection. Errors as link_server_event. */
RT_MUST_CHECK int link_serve_event(struct served_conn *served, const struct wire_type *type, const void *event);

/* Errors as link_server_check_mark; on the reactor of the connection. Suspends. */
RT_MUST_CHECK int link_serve_check_mark(struct served_conn *served, const struct wire_channel_mark *mark);

#endif
