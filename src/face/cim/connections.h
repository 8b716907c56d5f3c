/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connections.h - the connections of the HTTP server: how many there may be, of all clients and of one address, and
 * who has to go when one more comes. Whoever waits for its client (a request that is not whole, an answer that is not
 * taken, nothing at all) can be told to go, the one that has waited longest first; what is worked on is let be. Any
 * thread; the context and the name belong to the thread of the connection.
 */
#ifndef XDC_FACE_CIM_CONNECTIONS_H
#define XDC_FACE_CIM_CONNECTIONS_H

#include <stdint.h>
#include <sys/socket.h>

#include "face/cim/users.h"
#include "rt/door.h"
#include "rt/list.h"
#include "rt/turns.h"

#define CONNECTIONS_MAX			64u
#define CONNECTIONS_OF_ADDRESS_MAX	16u

struct connections {
	struct door_lock lock;
	struct list_head list;		/* the longer one waits for its client the further in front */
	unsigned count;			/* of those that have not been told to go */
};

/* The part of an address that one client can be expected to have to itself: of IPv6 the upper half. */
struct client_address {
	uint8_t bytes[8];
	bool is_v6;
};

struct connection {
	struct list_head link;
	struct client_address address;
	int fd;
	bool busy;			/* its request is being worked on */
	bool gone;			/* it was told to go */

	struct turns *turns;		/* where its operations run; NULL: none has yet */
	bool certificate_seen;		/* the client's has been looked at: */
	char name[CIM_USER_MAX];	/* whose it is; "": it has shown none that is good */
};

void connections_init(struct connections *connections);
void connections_destroy(struct connections *connections);	/* when all have ended */

/* Is there room for one more from there, or somebody who can be told to go for it? */
bool connections_admit(struct connections *connections, const struct sockaddr *address);

/* It has come. NULL: no memory. */
struct connection *connections_begin(struct connections *connections, const struct sockaddr *address, int fd);
void connections_end(struct connections *connections, struct connection *connection);	/* frees it */

/* It is worked on from here on; or it waits for its client, from now. */
void connections_set_busy(struct connections *connections, struct connection *connection, bool busy);

#endif
