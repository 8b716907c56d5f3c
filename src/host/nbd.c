/* SPDX-License-Identifier: Apache-2.0 */
#include "host/nbd.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "host/nbd_conn.h"
#include "rt/log.h"
#include "rt/mem.h"

struct nbd_listener {
	struct list_head link;
	struct nbd_server *server;
	struct rt_listener *listener;
	bool tls_required;
};

/* ---- connections ---- */

static void log_end(const struct nbd_conn *conn, int rc)
{
	const char *peer = rt_stream_peer(conn->stream);

	switch (rc) {
	case 0:
	case -ECONNABORTED:
	case -ECONNRESET:
	case -EPIPE:
	case -ECANCELED:
		log_line(LOG_DEBUG, "nbd", "%s: disconnected", peer);
		return;
	case -EPROTO:
		log_line(LOG_WARNING, "nbd", "%s: disconnected: what it sends is not NBD", peer);
		return;
	case -EMSGSIZE:
		log_line(LOG_WARNING, "nbd", "%s: disconnected: it sent more than the protocol allows", peer);
		return;
	case -ETIMEDOUT:
		log_line(LOG_WARNING, "nbd", "%s: disconnected: it took too long to choose an export", peer);
		return;
	default:
		log_line(LOG_WARNING, "nbd", "%s: disconnected: %s", peer, strerrordesc_np(-rc));
	}
}

static int transmit_there(void *arg)
{
	return nbd_transmit(arg);
}

static int serve_export(struct nbd_conn *conn)
{
	struct nbd_exports *exports = &conn->server->options.exports;
	int rc;

	log_line(LOG_NOTICE, "nbd", "%s: attached to %s%s", rt_stream_peer(conn->stream), conn->export.name,
		 conn->export.writable ? "" : " (read-only)");
	rc = rt_call(volume_reactor(conn->export.volume), transmit_there, conn);
	{
		RT_SHIELD();
		exports->release(exports->arg, &conn->export);
	}
	log_line(LOG_NOTICE, "nbd", "%s: detached from %s", rt_stream_peer(conn->stream), conn->export.name);
	return rc;
}

static void connection_close(struct nbd_conn *conn)
{
	struct nbd_server *server = conn->server;

	assert(server->connection_count > 0);
	server->connection_count--;
	rt_stream_close(conn->stream);
	mem_free(conn);
}

static void connection_run(void *arg)
{
	struct nbd_conn *conn = arg;
	int rc = nbd_handshake(conn);

	if (!rc)
		rc = serve_export(conn);
	log_end(conn, rc);
	connection_close(conn);
}

/* Takes over the stream. */
static void connection_open(struct nbd_listener *from, struct rt_stream *stream)
{
	struct nbd_server *server = from->server;
	struct nbd_conn *conn = NULL;
	int rc = server->connection_count < server->options.connections_max ? 0 : -EMFILE;

	if (!rc) {
		conn = mem_alloc_zeroed(sizeof(*conn));
		rc = conn ? 0 : -ENOMEM;
	}
	if (rc) {
		log_line(LOG_WARNING, "nbd", "%s: refused: %s", rt_stream_peer(stream),
			 rc == -ENOMEM ? "no memory" : "there are as many connections as are allowed");
		rt_stream_close(stream);
		return;
	}
	conn->server = server;
	conn->stream = stream;
	conn->tls_required = from->tls_required;
	server->connection_count++;
	rc = rt_group_start(&server->connections, "nbd-connection", connection_run, conn);
	if (rc) {
		log_end(conn, rc);
		connection_close(conn);
	}
}

static void listener_run(void *arg)
{
	struct nbd_listener *from = arg;
	struct rt_stream *stream;

	while (rt_accept(from->listener, &stream) == 0)
		connection_open(from, stream);
}

/* ---- the server ---- */

int nbd_server_create(const struct nbd_server_options *options, struct nbd_server **out)
{
	unsigned reactors = rt_reactor_count();
	size_t share = NBD_MEMORY_TOTAL / reactors, memory = share > NBD_MEMORY_LEAST ? share : NBD_MEMORY_LEAST;
	struct nbd_server *server = mem_alloc_zeroed(sizeof(*server) + reactors * sizeof(server->reactors[0]));

	assert(options->connections_max > 0);
	if (!server)
		return -ENOMEM;
	server->options = *options;
	rt_group_init(&server->accepting);
	rt_group_init(&server->connections);
	list_init(&server->listeners);
	server->reactor_count = reactors;
	for (unsigned i = 0; i < reactors; i++) {
		list_init(&server->reactors[i].transfers);
		nbd_pool_init(&server->reactors[i].pool);
		nbd_budget_init(&server->reactors[i].budget, memory, nbd_transmit_make_room, &server->reactors[i]);
	}
	*out = server;
	return 0;
}

static void listener_close(struct nbd_listener *listener)
{
	list_remove(&listener->link);
	rt_listener_close(listener->listener);
	mem_free(listener);
}

int nbd_server_listen(struct nbd_server *server, struct rt_listener *rt_listener, bool tls_required)
{
	struct nbd_listener *listener = mem_alloc_zeroed(sizeof(*listener));
	int rc;

	assert(!tls_required || server->options.tls);
	if (!listener) {
		rt_listener_close(rt_listener);
		return -ENOMEM;
	}
	listener->server = server;
	listener->listener = rt_listener;
	listener->tls_required = tls_required;
	list_add_last(&server->listeners, &listener->link);
	rc = rt_group_start(&server->accepting, "nbd-listener", listener_run, listener);
	if (rc)
		listener_close(listener);
	return rc;
}

static int stop_there(void *arg)
{
	nbd_transmit_stop_all(arg);
	return 0;
}

static int drain_pool_there(void *arg)
{
	struct nbd_reactor *reactor = arg;

	nbd_pool_drain(&reactor->pool);
	return 0;
}

static void call_all(struct nbd_server *server, int (*fn)(void *arg))
{
	for (unsigned i = 0; i < server->reactor_count; i++) {
		int rc = rt_call(rt_reactor(i), fn, &server->reactors[i]);

		assert(rc == 0);
	}
}

void nbd_server_destroy(struct nbd_server *server)
{
	struct nbd_listener *listener, *next;
	RT_SHIELD();

	if (!server)
		return;
	rt_group_stop(&server->accepting);
	list_for_each_safe(listener, next, &server->listeners, link)
		listener_close(listener);
	/* First those that transmit, so that none can begin to; then those that still shake hands, by the group. */
	call_all(server, stop_there);
	rt_group_stop(&server->connections);
	assert(server->connection_count == 0);
	call_all(server, drain_pool_there);
	mem_free(server);
}
