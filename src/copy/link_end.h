/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_end.h - one connection of a link on the side that dials: dialed, served until it breaks, dialed again after a
 * growing pause, as long as it exists. Private to the link (link.c, link_channel.c). On one reactor.
 */
#ifndef XDC_COPY_LINK_END_H
#define XDC_COPY_LINK_END_H

#include "copy/link_conn.h"

struct link_end {
	/* set by the owner before link_end_start */
	const struct link_config *config;	/* lives as long as the end; address is not looked at */
	enum wire_kind kind;
	size_t in_size;				/* of the read buffer */
	void (*serve)(struct link_end *end);	/* runs end->conn (link_conn_run) and settles what was under way */

	/* for the owner to read */
	struct link_conn *conn;			/* NULL: not connected; it may be down already */
	struct wire_welcome welcome;		/* of the present connection */
	struct link_state state;		/* without bytes */
	struct link_traffic traffic;
	struct rt_cond changed;

	/* its own */
	char address[WIRE_ADDRESS_SIZE];
	struct rt_group group;
	struct rt_cond kicked;
	bool is_kicked;
};

/* Does not suspend. -ENOMEM. */
RT_MUST_CHECK int link_end_start(struct link_end *end, const char *address);
void link_end_stop(struct link_end *end);	/* suspends, shielded */

/* The end of the pause. address may be NULL. Does not suspend. */
void link_end_kick(struct link_end *end, const char *address);

/* The peer was given another address: the connection, if there is one, breaks. Does not suspend. */
void link_end_leave(struct link_end *end);

/* The connection if there is one that is not yet broken, else NULL. */
static inline struct link_conn *link_end_conn(const struct link_end *end)
{
	return end->conn && !end->conn->down ? end->conn : NULL;
}

void link_end_get_state(const struct link_end *end, struct link_state *state);

#endif
