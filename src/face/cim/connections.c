/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/connections.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

#include "rt/mem.h"

void connections_init(struct connections *connections)
{
	door_lock_init(&connections->lock);
	list_init(&connections->list);
	connections->count = 0;
}

void connections_destroy(struct connections *connections)
{
	assert(list_empty(&connections->list));
	door_lock_destroy(&connections->lock);
}

static struct client_address read_address(const struct sockaddr *address)
{
	struct client_address client = { 0 };

	if (address && address->sa_family == AF_INET) {
		memcpy(client.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

		client.is_v6 = !IN6_IS_ADDR_V4MAPPED(v6);
		memcpy(client.bytes, client.is_v6 ? v6->s6_addr : v6->s6_addr + 12, client.is_v6 ? 8 : 4);
	}
	return client;
}

static bool is_same(const struct client_address *a, const struct client_address *b)
{
	return a->is_v6 == b->is_v6 && !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static unsigned count_of(const struct connections *connections, const struct client_address *address)
{
	const struct connection *connection;
	unsigned count = 0;

	list_for_each(connection, &connections->list, link)
		count += !connection->gone && is_same(&connection->address, address);
	return count;
}

/* The one that has waited longest for its client, of this address or (NULL) any. */
static bool tell_one_to_go(struct connections *connections, const struct client_address *address)
{
	struct connection *connection;

	list_for_each(connection, &connections->list, link) {
		if (connection->busy || connection->gone || (address && !is_same(&connection->address, address)))
			continue;
		connection->gone = true;
		connections->count--;
		shutdown(connection->fd, SHUT_RDWR);
		return true;
	}
	return false;
}

bool connections_admit(struct connections *connections, const struct sockaddr *address)
{
	struct client_address client = read_address(address);
	DOOR_LOCKED(&connections->lock);

	/* Who has many takes the place of its own. */
	if (count_of(connections, &client) >= CONNECTIONS_OF_ADDRESS_MAX)
		return tell_one_to_go(connections, &client);
	return connections->count < CONNECTIONS_MAX || tell_one_to_go(connections, NULL);
}

struct connection *connections_begin(struct connections *connections, const struct sockaddr *address, int fd)
{
	struct connection *connection = mem_alloc_zeroed(sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->address = read_address(address);
	DOOR_LOCKED(&connections->lock);
	list_add_last(&connections->list, &connection->link);
	connections->count++;
	return connection;
}

void connections_end(struct connections *connections, struct connection *connection)
{
	{
		DOOR_LOCKED(&connections->lock);
		list_remove(&connection->link);
		if (!connection->gone)
			connections->count--;
	}
	turns_destroy(connection->turns);
	mem_free(connection);
}

void connections_set_busy(struct connections *connections, struct connection *connection, bool busy)
{
	DOOR_LOCKED(&connections->lock);

	connection->busy = busy;
	list_remove(&connection->link);
	list_add_last(&connections->list, &connection->link);
}
