/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cli_server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "face/cli_call.h"
#include "rt/log.h"
#include "rt/mem.h"

struct cli_server {
	struct control *control;
	struct rt_group acceptors, group;
	struct list_head connections;	/* the longer idle the further in front */
	unsigned connection_count;
	bool stopping;
};

struct acceptor {
	struct cli_server *server;
	struct rt_listener *listener;
};

struct connection {
	struct list_head link;
	struct cli_server *server;
	struct rt_stream *stream;
	bool busy;			/* an operation is under way, or its answer */
	bool left;			/* its place belongs to another */
	size_t used;			/* bytes in buf */
	char buf[CLI_REQUEST_MAX];
};

/* ---- one connection ---- */

static int send_line(struct connection *connection, char *line)
{
	struct iovec part = { .iov_base = line, .iov_len = line ? strlen(line) : 0 };
	int rc = -ENOMEM;

	if (line) {
		RT_LIMIT(rt_now_ns() + CLI_LINE_NS);
		rc = rt_stream_write(connection->stream, &part, 1);
	}
	mem_free(line);
	return rc;
}

static int refuse(struct connection *connection, const char *object, const char *message)
{
	struct fault fault;

	fault_set(&fault, FAULT_INVALID_PARAMETER, object, "see docs/cli-json.md", "%s", message);
	return send_line(connection, cli_call_fault(&fault));
}

static int refuse_connection(struct connection *connection)
{
	struct fault fault;

	fault_set(&fault, FAULT_IN_USE, "connection", "try again", "%u others have a request under way",
		  CLI_CONNECTIONS_MAX);
	return send_line(connection, cli_call_fault(&fault));
}

/* More bytes; waits longer when no request has begun. */
static ssize_t read_more(struct connection *connection, int64_t began_ns)
{
	RT_LIMIT(connection->used ? began_ns + CLI_LINE_NS : rt_now_ns() + CLI_IDLE_NS);
	return rt_stream_read(connection->stream, connection->buf + connection->used,
			      sizeof(connection->buf) - connection->used);
}

/* Until a whole line is in the buffer: its length without newline. Negative: the connection is of no more use. */
static ssize_t read_line(struct connection *connection)
{
	int64_t began_ns = rt_now_ns();
	size_t looked_at = 0;

	for (;;) {
		const char *end = memchr(connection->buf + looked_at, '\n', connection->used - looked_at);
		ssize_t got;

		if (end)
			return end - connection->buf;
		looked_at = connection->used;
		if (looked_at == sizeof(connection->buf)) {
			/* It has been told why; whether that arrives is its own affair. */
			refuse(connection, "request", "a request is at most 64 KiB long");
			return -EMSGSIZE;
		}
		got = read_more(connection, began_ns);
		if (got <= 0)
			return got < 0 ? got : -ECONNRESET;
		if (!connection->used)
			began_ns = rt_now_ns();
		connection->used += (size_t)got;
	}
}

static int answer(struct connection *connection, size_t len)
{
	char name[32] = "somebody", *reply;
	struct cli_caller caller = { ROLE_ADMIN, name };
	uid_t uid;
	int rc;

	if (rt_stream_peer_uid(connection->stream, &uid) == 0)
		snprintf(name, sizeof(name), "user %u", (unsigned)uid);
	connection->busy = true;
	{
		RT_LIMIT(rt_now_ns() + CLI_OPERATION_NS);
		reply = cli_call(connection->server->control, &caller, connection->buf, len);
	}
	connection->used -= len + 1;
	memmove(connection->buf, connection->buf + len + 1, connection->used);
	rc = send_line(connection, reply);
	connection->busy = false;
	list_remove(&connection->link);
	list_add_last(&connection->server->connections, &connection->link);
	return rc;
}

static void leave(struct connection *connection)
{
	if (connection->left)
		return;
	list_remove(&connection->link);
	connection->server->connection_count--;
	connection->left = true;
}

static void run_connection(void *arg)
{
	struct connection *connection = arg;
	struct cli_server *server = connection->server;
	ssize_t len;
	int rc = 0;

	if (server->connection_count > CLI_CONNECTIONS_MAX)
		rc = refuse_connection(connection) == 0 ? -EMFILE : -ECONNRESET;
	while (rc == 0 && !server->stopping) {
		len = read_line(connection);
		/* A line may have come just when its place was given away: nothing of it is done. */
		if (len >= 0)
			rc = connection->left ? -ECONNRESET : answer(connection, (size_t)len);
		else
			rc = (int)len;
	}
	rt_stream_close(connection->stream);
	leave(connection);
	mem_free(connection);
}

/* ---- the server ---- */

/* Who asks nothing must not keep out who does: the one that has been idle longest, if any is, has to go. */
static void make_room(struct cli_server *server)
{
	struct connection *connection;

	list_for_each(connection, &server->connections, link) {
		if (connection->busy || connection->used)
			continue;
		rt_stream_shutdown(connection->stream);
		leave(connection);
		return;
	}
}

static void serve(struct cli_server *server, struct rt_stream *stream)
{
	struct connection *connection = NULL;

	if (server->connection_count >= CLI_CONNECTIONS_MAX)
		make_room(server);
	/* One beyond the limit for the sentence that says so. */
	if (server->connection_count <= CLI_CONNECTIONS_MAX)
		connection = mem_alloc(sizeof(*connection));
	if (!connection) {
		rt_stream_close(stream);
		return;
	}
	connection->server = server;
	connection->stream = stream;
	connection->busy = connection->left = false;
	connection->used = 0;
	list_add_last(&server->connections, &connection->link);
	server->connection_count++;
	if (rt_group_start(&server->group, "cli", run_connection, connection) == 0)
		return;
	leave(connection);
	rt_stream_close(stream);
	mem_free(connection);
}

static void run_acceptor(void *arg)
{
	struct acceptor *acceptor = arg;
	struct rt_stream *stream;

	while (rt_accept(acceptor->listener, &stream) == 0)
		serve(acceptor->server, stream);
	rt_listener_close(acceptor->listener);
	mem_free(acceptor);
}

int cli_server_create(struct control *control, struct cli_server **out)
{
	struct cli_server *server = mem_alloc_zeroed(sizeof(*server));

	if (!server)
		return -ENOMEM;
	cli_call_prepare();
	server->control = control;
	rt_group_init(&server->acceptors);
	rt_group_init(&server->group);
	list_init(&server->connections);
	*out = server;
	return 0;
}

int cli_server_listen(struct cli_server *server, struct rt_listener *listener)
{
	struct acceptor *acceptor = mem_alloc(sizeof(*acceptor));
	int rc = -ENOMEM;

	if (acceptor) {
		*acceptor = (struct acceptor){ server, listener };
		rc = rt_group_start(&server->acceptors, "cli listener", run_acceptor, acceptor);
	}
	if (rc < 0) {
		rt_listener_close(listener);
		mem_free(acceptor);
	}
	return rc;
}

void cli_server_destroy(struct cli_server *server, int64_t until_ns)
{
	struct connection *connection;
	RT_SHIELD();

	if (!server)
		return;
	server->stopping = true;
	control_end_waits(server->control);
	rt_group_stop(&server->acceptors);
	list_for_each(connection, &server->connections, link)
		if (!connection->busy)
			rt_stream_shutdown(connection->stream);
	{
		RT_LIMIT(until_ns);
		if (rt_group_wait(&server->group) != 0)
			log_line(LOG_WARNING, "cli", "an operation did not end in time and is given up");
	}
	rt_group_stop(&server->group);
	assert(list_empty(&server->connections));
	mem_free(server);
}
