/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, listeners, connecting, and what scenarios do to the ways between machines. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_memory.h"
#include "rt/sim_stream.h"

#define BACKLOG_MAX	128u
#define PORT_FREE_FIRST	32768u
#define PORT_FREE_COUNT	28000u
#define CONNECT_TRIES	6u

struct sim_listener {
	struct rt_listener listener;
	struct list_head link;		/* of the system */
	struct sim_system *system;
	struct address *address;
	struct list_head pending;	/* ends that nobody has accepted yet */
	unsigned pending_count;
	struct list_head accepters;	/* waits, by core.link */
};

enum scope { SCOPE_UNIX, SCOPE_LOOPBACK, SCOPE_ANY, SCOPE_NAME };

struct address {
	enum scope scope;
	unsigned port;
	char name[108];			/* of the host, or the path */
};

/* ---- addresses ---- */

static enum scope scope_of(const char *host)
{
	if (strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0)
		return SCOPE_LOOPBACK;
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0)
		return SCOPE_ANY;
	return SCOPE_NAME;
}

/* A version 6 address stands in brackets, and nothing else has colons. */
static bool is_host(const char *text)
{
	size_t len = strlen(text);

	if (text[0] == '[')
		return len > 2 && text[len - 1] == ']';
	return strchr(text, ':') == NULL;
}

static int parse_address(const char *text, struct address *out)
{
	const char *colon = strrchr(text, ':');
	char *end;
	unsigned long port;

	*out = (struct address){ 0 };
	if (strncmp(text, "unix:", 5) == 0) {
		if (text[5] == '\0' || strlen(text + 5) >= sizeof(out->name))
			return -EINVAL;
		out->scope = SCOPE_UNIX;
		memcpy(out->name, text + 5, strlen(text + 5));
		return 0;
	}
	if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(out->name))
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port > 65535)
		return -EINVAL;
	memcpy(out->name, text, (size_t)(colon - text));
	if (!is_host(out->name))
		return -EINVAL;
	out->scope = scope_of(out->name);
	out->port = (unsigned)port;
	return 0;
}

static struct sim_system *find_machine(struct sim_world *world, const char *name)
{
	for (unsigned i = 0; i < world->system_count; i++)
		if (strcmp(world->systems[i]->name, name) == 0)
			return world->systems[i];
	return NULL;
}

/*
 * Whether a listener there would get what is sent to this address; or, of two listeners, whether they would
 * clash.
 */
static bool addresses_meet(const struct address *a, const struct address *b)
{
	if (a->scope == SCOPE_UNIX || b->scope == SCOPE_UNIX)
		return a->scope == b->scope && strcmp(a->name, b->name) == 0;
	if (a->port != b->port)
		return false;
	return a->scope == b->scope || a->scope == SCOPE_ANY || b->scope == SCOPE_ANY;
}

static struct sim_listener *find_listener(struct sim_system *machine, const struct address *address)
{
	struct sim_listener *listener;

	list_for_each(listener, &machine->listeners, link)
		if (addresses_meet(listener->address, address))
			return listener;
	return NULL;
}

/* ---- listeners ---- */

static int choose_port(struct sim_system *system, struct address *address)
{
	for (unsigned tries = 0; tries < PORT_FREE_COUNT; tries++) {
		address->port = PORT_FREE_FIRST + system->next_port++ % PORT_FREE_COUNT;
		if (find_listener(system, address) == NULL)
			return 0;
	}
	return -EADDRINUSE;
}

static int take_address(struct sim_system *system, const char *text, struct address *address)
{
	int rc = parse_address(text, address);

	if (rc < 0)
		return rc;
	if (address->scope == SCOPE_NAME && strcmp(address->name, system->name) != 0)
		return -EADDRNOTAVAIL;
	if (address->scope != SCOPE_UNIX && address->port == 0)
		return choose_port(system, address);
	return find_listener(system, address) != NULL ? -EADDRINUSE : 0;
}

int sim_listen(const char *text, struct rt_listener **out)
{
	struct sim_system *system = sim_here();
	bool fails = sim_call_fails(system, SIM_LISTEN);
	struct sim_listener *listener;
	struct address address;
	char *name;
	int rc;

	sim_pass_time("listen", sim_pick(system->world, &system->world->config.net_local_ns));
	rc = fails ? -EADDRINUSE : take_address(system, text, &address);
	if (rc < 0)
		return rc;
	listener = sim_alloc(sizeof(*listener));
	listener->system = system;
	listener->address = sim_alloc(sizeof(*listener->address));
	*listener->address = address;
	name = listener->listener.address;
	if (address.scope == SCOPE_UNIX)
		snprintf(name, sizeof(listener->listener.address), "unix:%s", address.name);
	else
		snprintf(name, sizeof(listener->listener.address), "%s:%u", address.name, address.port);
	list_init(&listener->pending);
	list_init(&listener->accepters);
	list_add_last(&system->listeners, &listener->link);
	*out = &listener->listener;
	return 0;
}

static void accept_cancelled(struct sim_wait *wait)
{
	sim_wait_end(wait, -ECANCELED);
}

static void accept_dropped(struct sim_wait *wait)
{
	list_remove(&wait->core.link);
}

int sim_accept(struct rt_listener *base, struct rt_stream **out)
{
	struct sim_listener *listener = container_of(base, struct sim_listener, listener);
	struct sim_socket *end;

	if (sim_call_fails(listener->system, SIM_ACCEPT))
		return -EMFILE;
	while (list_empty(&listener->pending)) {
		struct sim_wait wait;
		int rc;

		sim_wait_begin(&wait, "a connection to accept");
		wait.cancelled = accept_cancelled;
		wait.dropped = accept_dropped;
		list_add_last(&listener->accepters, &wait.core.link);
		rc = (int)sim_wait_for(&wait);
		if (rc < 0)
			return rc;
	}
	end = list_first(&listener->pending, struct sim_socket, link);
	list_remove(&end->link);
	listener->pending_count--;
	list_add_last(&listener->system->ends, &end->link);
	*out = &end->stream;
	return 0;
}

static void wake_accepter(struct sim_listener *listener, int result)
{
	struct core_wait *core = list_first(&listener->accepters, struct core_wait, link);

	sim_wait_end(container_of(core, struct sim_wait, core), result);
}

static void close_listener(struct sim_listener *listener)
{
	while (!list_empty(&listener->accepters))
		wake_accepter(listener, -ECONNABORTED);
	while (!list_empty(&listener->pending))
		sim_socket_close(list_first(&listener->pending, struct sim_socket, link), true);
	list_remove(&listener->link);
	sim_free(listener->address);
	sim_free(listener);
}

void sim_listener_close(struct rt_listener *base)
{
	close_listener(container_of(base, struct sim_listener, listener));
}

/* ---- connecting ---- */

struct connect_wait {
	struct sim_wait wait;
	struct sim_system *from, *to;
	struct address address;
	const char *text;
	struct sim_socket *end;		/* ours, once the other machine has answered */
	int answer;			/* on its way back */
	bool fails;
	unsigned tries;
};

static void answer_arrives(struct sim_wait *wait);

static void try_again(struct connect_wait *c)
{
	if (c->tries == CONNECT_TRIES) {
		if (c->end != NULL)
			sim_socket_close(c->end, true);
		sim_wait_end(&c->wait, -ETIMEDOUT);
		return;
	}
	sim_after(c->from->world, &c->wait.event, RT_SECOND << c->tries);
	c->tries++;
}

static void name_peers(struct connect_wait *c, struct sim_connection *connection)
{
	bool local = c->address.scope == SCOPE_UNIX || c->address.scope == SCOPE_LOOPBACK;
	struct sim_world *world = c->from->world;

	for (unsigned i = 0; i < 2; i++) {
		struct rt_stream *stream = &connection->ends[i].stream;

		stream->local = local;
		stream->has_peer_uid = c->address.scope == SCOPE_UNIX;
		if (stream->has_peer_uid)
			snprintf(stream->peer, sizeof(stream->peer), "unix");
	}
	if (c->address.scope == SCOPE_UNIX)
		return;
	snprintf(connection->ends[0].stream.peer, sizeof(connection->ends[0].stream.peer), "%s", c->text);
	snprintf(connection->ends[1].stream.peer, sizeof(connection->ends[1].stream.peer), "%s:%u",
		local ? "127.0.0.1" : c->from->name, PORT_FREE_FIRST + world->next_stream_port++ % PORT_FREE_COUNT);
}

/* The packet that asks for a connection is at the other machine. */
static void request_arrives(struct sim_wait *wait)
{
	struct connect_wait *c = container_of(wait, struct connect_wait, wait);
	struct sim_listener *listener;
	struct sim_connection *connection;

	if (!sim_way_is_open(c->from, c->to)) {
		try_again(c);
		return;
	}
	listener = find_listener(c->to, &c->address);
	if (listener != NULL && listener->pending_count == BACKLOG_MAX) {
		try_again(c);
		return;
	}
	if (c->fails || listener == NULL || c->to->refuses) {
		c->answer = c->address.scope == SCOPE_UNIX && !c->fails ? -ENOENT : -ECONNREFUSED;
	} else {
		connection = sim_connection_new(c->wait.system, c->from, c->to);
		name_peers(c, connection);
		c->end = &connection->ends[0];
		list_add_last(&listener->pending, &connection->ends[1].link);
		listener->pending_count++;
		if (!list_empty(&listener->accepters))
			wake_accepter(listener, 0);
	}
	wait->step = answer_arrives;
	sim_after(c->from->world, &wait->event, sim_way_delay(c->to, c->from));
}

static void answer_arrives(struct sim_wait *wait)
{
	struct connect_wait *c = container_of(wait, struct connect_wait, wait);

	if (!sim_way_is_open(c->to, c->from)) {
		try_again(c);
		return;
	}
	if (c->answer < 0)
		sim_count_fault(c->from->world, SIM_FAULT_REFUSED);
	sim_wait_end(wait, c->answer);
}

static void connect_dropped(struct sim_wait *wait)
{
	struct connect_wait *c = container_of(wait, struct connect_wait, wait);

	if (c->end != NULL)
		sim_socket_close(c->end, true);
}

static void connect_cancelled(struct sim_wait *wait)
{
	connect_dropped(wait);
	sim_wait_end(wait, -ECANCELED);
}

static int connect_from(struct sim_system *from, const char *text, struct rt_stream **out)
{
	struct sim_world *world = from->world;
	struct connect_wait c = { .from = from, .to = from, .text = text };
	int rc = parse_address(text, &c.address);

	if (rc < 0)
		return rc;
	c.fails = sim_call_fails(sim_here(), SIM_CONNECT);
	if (c.address.scope == SCOPE_NAME)
		c.to = find_machine(world, c.address.name);
	if (c.to == NULL) {
		sim_pass_time("a host name", sim_pick(world, &world->config.help_ns));
		return -EHOSTUNREACH;
	}
	sim_wait_begin(&c.wait, "a connection");
	c.wait.step = request_arrives;
	c.wait.cancelled = connect_cancelled;
	c.wait.dropped = connect_dropped;
	sim_after(world, &c.wait.event, sim_way_delay(c.from, c.to));
	rc = (int)sim_wait_for(&c.wait);
	sim_trace(world, c.tries, (uint64_t)rc);
	if (rc < 0)
		return rc;
	list_add_last(&c.wait.system->ends, &c.end->link);
	*out = &c.end->stream;
	return 0;
}

int sim_connect_here(const char *address, struct rt_stream **out)
{
	return connect_from(sim_here(), address, out);
}

int sim_connect(struct sim_system *machine, const char *address, struct rt_stream **out)
{
	int rc = core_check();

	assert(sim_here()->index == 0);
	return rc < 0 ? rc : connect_from(machine, address, out);
}

/* ---- crashes and boots ---- */

void sim_net_close_all(struct sim_system *system, enum sim_crash how)
{
	while (!list_empty(&system->listeners))
		close_listener(list_first(&system->listeners, struct sim_listener, link));
	sim_streams_end(system, how);
}

void sim_net_powered(struct sim_system *system)
{
	for (unsigned i = 0; i < system->world->system_count; i++)
		sim_way_restart(system->world->systems[i], system);
}

void sim_net_destroy(struct sim_world *world)
{
	sim_streams_destroy(world);
}

/* ---- what scenarios do ---- */

static void set_cut(struct sim_system *from, struct sim_system *to, bool cut)
{
	struct sim_link *link = &from->world->links[from->index][to->index];

	if (link->cut == cut)
		return;
	link->cut = cut;
	if (cut)
		sim_count_fault(from->world, SIM_FAULT_CUT);
	else
		sim_way_restart(from, to);
	sim_note(from->world, "way from %s to %s is %s", from->name, to->name, cut ? "cut" : "whole");
}

void sim_cut_one_way(struct sim_system *from, struct sim_system *to)
{
	set_cut(from, to, true);
}

static void set_both(struct sim_system *a, struct sim_system *b, bool cut)
{
	for (unsigned i = 0; i < a->world->system_count; i++) {
		struct sim_system *peer = a->world->systems[i];

		if (peer == a || (b != NULL && peer != b))
			continue;
		set_cut(a, peer, cut);
		set_cut(peer, a, cut);
	}
}

void sim_cut(struct sim_system *a, struct sim_system *b)
{
	set_both(a, b, true);
}

void sim_heal(struct sim_system *a, struct sim_system *b)
{
	set_both(a, b, false);
}

void sim_refuse(struct sim_system *system, bool refuse)
{
	system->refuses = refuse;
}

void sim_set_link(struct sim_system *a, struct sim_system *b, struct sim_range delay_ns, uint64_t bytes_per_s)
{
	struct sim_link *there = &a->world->links[a->index][b->index], *back = &a->world->links[b->index][a->index];

	there->delay_ns = back->delay_ns = delay_ns;
	there->bytes_per_s = back->bytes_per_s = bytes_per_s;
}
