/* SPDX-License-Identifier: Apache-2.0 */
/* One control connection on the side that answers: a handler in a fiber of its own for each request. Reactor 0. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/link_server_private.h"
#include "rt/crc32c.h"
#include "rt/log.h"
#include "rt/mem.h"

#define READ_BUFFER_BYTES	(16u << 10)
#define EVENTS_QUEUED_MAX	1024u

/* One request, owned by its fiber. */
struct job {
	struct served_conn *served;
	struct wire_control control;
	uint8_t payload[];
};

/* Queues a reply: the outcome, then what was encoded of the message (may be NULL). */
static int queue_reply(struct served_conn *served, const struct wire_control *request, int error, const char *why,
		       const uint8_t *message, size_t message_len)
{
	struct wire_control control = { .kind = WIRE_REPLY, .type = request->type, .id = request->id };
	uint8_t outcome[WIRE_REPLY_PREFIX_MAX], header[WIRE_CONTROL_SIZE], *payload;
	size_t used = wire_put_outcome(outcome, error, why);
	int rc;

	payload = mem_alloc(used + message_len);
	if (!payload)
		return -ENOMEM;
	memcpy(payload, outcome, used);
	if (message_len)
		memcpy(payload + used, message, message_len);
	control.payload_bytes = (uint32_t)(used + message_len);
	control.payload_crc = crc32c(0, payload, control.payload_bytes);
	wire_put_control(header, &control);
	rc = link_conn_queue_frame(served->conn, header, sizeof(header), payload, control.payload_bytes);
	if (rc)
		mem_free(payload);
	return rc;
}

/* Without an answer the other side would wait for ever: if there is no memory for one, the connection breaks. */
static void answer(struct served_conn *served, const struct wire_control *request, int error, const char *why,
		   const uint8_t *message, size_t message_len)
{
	served->outstanding--;
	if (served->conn->down)
		return;
	if (queue_reply(served, request, error, why, message, message_len))
		link_conn_fail(served->conn, -ENOMEM, "no memory for an answer to %s", served->peer.system);
}

static const struct link_handler *find_handler(const struct link_server *server, uint16_t type)
{
	const struct link_handler *handler = server->config.handlers;

	while (handler && handler->type) {
		if (handler->type == type)
			return handler;
		handler++;
	}
	return NULL;
}

/* Decodes, handles and encodes; *message is the encoded reply. */
static int handle(struct job *job, const struct wire_type *type, const struct link_handler *handler, char *why,
		  uint8_t **message, size_t *message_len)
{
	struct link_server *server = job->served->server;
	MEM_OWNED void *request = mem_alloc(wire_struct_size(type->request));
	MEM_OWNED void *reply = mem_alloc_zeroed(wire_struct_size(type->reply));
	int rc;

	if (!request || !reply)
		return -ENOMEM;
	rc = wire_decode(type->request, job->payload, job->control.payload_bytes, request);
	if (rc)
		return rc;
	rc = handler->fn(server->config.arg, &job->served->peer, request, reply, why);
	assert(rc <= 0);
	if (!rc)
		rc = wire_encode(type->reply, reply, message, message_len);
	wire_free(type->request, request);
	wire_free(type->reply, reply);
	return rc;
}

static void run_job(void *arg)
{
	struct job *job = arg;
	struct served_conn *served = job->served;
	const struct wire_type *type = wire_type_find(job->control.type);
	const struct link_handler *handler = find_handler(served->server, job->control.type);
	char why[WIRE_TEXT_SIZE] = "";
	MEM_OWNED uint8_t *message = NULL;
	size_t message_len = 0;
	int rc = -EOPNOTSUPP;

	if (type && type->reply && handler)
		rc = handle(job, type, handler, why, &message, &message_len);
	answer(served, &job->control, rc, why, message, message_len);
	mem_free(job);
}

static int take_request(struct served_conn *served, const struct wire_control *control)
{
	struct link_conn *conn = served->conn;
	struct job *job;
	int rc;

	if (served->outstanding >= served->server->config.requests_max)
		return -EPROTO;
	served->outstanding++;
	job = mem_alloc(sizeof(*job) + control->payload_bytes);
	if (!job) {
		rc = link_conn_skip(conn, control->payload_bytes);
		answer(served, control, -ENOMEM, "", NULL, 0);
		return rc;
	}
	job->served = served;
	job->control = *control;
	rc = link_conn_read(conn, job->payload, control->payload_bytes);
	if (!rc && control->payload_crc != crc32c(0, job->payload, control->payload_bytes))
		rc = -EBADMSG;
	if (!rc) {
		rc = rt_group_start(&conn->group, "link request", run_job, job);
		if (!rc)
			return 0;
		answer(served, control, rc, "", NULL, 0);
		rc = 0;
	}
	mem_free(job);
	return rc;
}

static int read_frame(struct served_conn *served)
{
	uint8_t header[WIRE_CONTROL_SIZE];
	struct wire_control control;
	int rc = link_conn_read(served->conn, header, sizeof(header));

	if (!rc)
		rc = wire_get_control(header, &control);
	if (rc)
		return rc;
	switch (control.kind) {
	case WIRE_REQUEST:
		return take_request(served, &control);
	case WIRE_PING:
		link_conn_got_ping(served->conn, control.id);
		return 0;
	case WIRE_PONG:
		return 0;
	default:
		return -EBADMSG;
	}
}

static void run_reader(void *arg)
{
	struct served_conn *served = arg;
	int rc = 0;

	while (!served->conn->down && !rc)
		rc = read_frame(served);
	if (rc)
		link_conn_fail(served->conn, rc, "receiving: %s", strerror(-rc));
}

int link_serve_event(struct served_conn *served, const struct wire_type *type, const void *event)
{
	struct wire_control control = { .kind = WIRE_EVENT, .type = type->number };
	struct link_conn *conn = served->conn;
	uint8_t header[WIRE_CONTROL_SIZE], *payload;
	size_t len;
	int rc;

	if (!conn || conn->down)
		return -ENOTCONN;
	if (conn->out_count >= EVENTS_QUEUED_MAX)
		return -EAGAIN;
	rc = wire_encode(type->request, event, &payload, &len);
	if (rc)
		return rc;
	control.payload_bytes = (uint32_t)len;
	control.payload_crc = crc32c(0, payload, len);
	wire_put_control(header, &control);
	rc = link_conn_queue_frame(conn, header, sizeof(header), payload, len);
	if (rc)
		mem_free(payload);
	return rc;
}

int link_serve_control(void *arg)
{
	struct served_conn *served = arg;
	struct link_server *server = served->server;
	struct link_conn conn;
	int rc = link_conn_init(&conn, served->stream, READ_BUFFER_BYTES, &server->config.timing);

	if (rc)
		return rc;
	conn.silence_ns = (served->hello.idle_ms + (int64_t)server->config.timing.dead_ms) * RT_MS;
	served->conn = &conn;
	if (served->stopping)
		link_conn_fail(&conn, -ECONNABORTED, "closed by this side");
	link_conn_run(&conn, run_reader, served);
	served->conn = NULL;
	log_line(LOG_NOTICE, "link", "control connection of %s has ended: %s", served->peer.system, conn.why);
	link_conn_destroy(&conn);
	return 0;
}
