/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/link_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

#define BATCH_PARTS	64u		/* the most that rt_stream_write takes */
#define SKIP_BYTES	4096u
#define BULK_MIN	(64u << 10)	/* of one read: what follows it is not read ahead */
#define OUT_MAX		4096u		/* frames queued: more than windows, requests and events can be */

void link_conn_fail(struct link_conn *conn, int error, const char *format, ...)
{
	va_list args;

	assert(error < 0);
	if (conn->down)
		return;
	conn->down = true;
	conn->error = error;
	va_start(args, format);
	vsnprintf(conn->why, sizeof(conn->why), format, args);
	va_end(args);
	rt_stream_shutdown(conn->stream);
	rt_cond_wake_all(&conn->ended);
	rt_cond_wake_all(&conn->out_changed);
	rt_cond_wake_all(&conn->keeper);
}

/* ---- writing ---- */

void link_conn_queue(struct link_conn *conn, struct link_out *out)
{
	assert(!conn->down);
	out->is_writing = false;
	list_add_last(&conn->out, &out->link);
	conn->out_count++;
	rt_cond_wake_one(&conn->out_changed);
}

static void out_is_gone(struct link_conn *conn, struct link_out *out)
{
	list_remove(&out->link);
	conn->out_count--;
	out->is_writing = false;
	out->gone(out);
}

/* Moves what is queued into conn->writing, as much as one call takes, and gathers its parts. */
static unsigned gather_batch(struct link_conn *conn, struct iovec *parts)
{
	unsigned count = 0;

	while (!list_empty(&conn->out) && count + 2 <= BATCH_PARTS) {
		struct link_out *out = list_first(&conn->out, struct link_out, link);

		list_remove(&out->link);
		list_add_last(&conn->writing, &out->link);
		out->is_writing = true;
		if (out->fill)
			out->fill(out);
		for (unsigned i = 0; i < 2; i++) {
			if (out->parts[i].iov_len)
				parts[count++] = out->parts[i];
		}
	}
	return count;
}

static int write_batch(struct link_conn *conn)
{
	struct iovec parts[BATCH_PARTS] = { 0 };
	unsigned count = gather_batch(conn, parts);
	int rc = rt_stream_write(conn->stream, parts, count);

	if (rc)
		return rc;
	for (unsigned i = 0; i < count && conn->traffic; i++)
		conn->traffic->sent_bytes += parts[i].iov_len;
	while (!list_empty(&conn->writing))
		out_is_gone(conn, list_first(&conn->writing, struct link_out, link));
	return 0;
}

static void run_writer(void *arg)
{
	struct link_conn *conn = arg;
	int rc = 0;

	while (!conn->down && !rc) {
		if (list_empty(&conn->out))
			rc = rt_cond_wait(&conn->out_changed);
		else
			rc = write_batch(conn);
	}
	if (rc)
		link_conn_fail(conn, rc, "sending: %s", strerror(-rc));
}

struct frame {
	struct link_out out;
	uint8_t *payload;
	uint8_t header[WIRE_DATA_SIZE];
};
_Static_assert(WIRE_CONTROL_SIZE <= WIRE_DATA_SIZE, "either header fits");

static void frame_is_gone(struct link_out *out)
{
	struct frame *frame = container_of(out, struct frame, out);

	mem_free(frame->payload);
	mem_free(frame);
}

int link_conn_queue_frame(struct link_conn *conn, const uint8_t *header, size_t header_len, uint8_t *payload,
			  size_t payload_len)
{
	struct frame *frame = mem_alloc_zeroed(sizeof(*frame));

	assert(header_len <= sizeof(frame->header));
	if (!frame)
		return -ENOMEM;
	memcpy(frame->header, header, header_len);
	frame->payload = payload;
	frame->out.parts[0] = (struct iovec){ frame->header, header_len };
	frame->out.parts[1] = (struct iovec){ payload, payload_len };
	frame->out.gone = frame_is_gone;
	link_conn_queue(conn, &frame->out);
	return 0;
}

/* ---- reading ---- */

static ssize_t receive(struct link_conn *conn, void *buf, size_t len)
{
	RT_LIMIT(conn->silence_ns ? rt_now_ns() + conn->silence_ns : RT_NEVER);
	ssize_t got = rt_stream_read(conn->stream, buf, len);

	if (!got)
		return -ECONNRESET;
	if (got > 0) {
		conn->heard_ns = rt_now_ns();
		if (conn->traffic)
			conn->traffic->received_bytes += (uint64_t)got;
	}
	return got;
}

int link_conn_read(struct link_conn *conn, void *buf, size_t len)
{
	uint8_t *to = buf;
	/* Behind a large payload only the next header is read: the next payload goes straight where it belongs. */
	bool after_bulk = conn->in_bulk;

	conn->in_bulk = len >= BULK_MIN;
	while (len) {
		size_t there = conn->in_end - conn->in_start;
		size_t part = there < len ? there : len;
		ssize_t got;

		memcpy(to, conn->in + conn->in_start, part);
		conn->in_start += part;
		to += part;
		len -= part;
		if (!len)
			break;
		if (conn->in_bulk || len >= conn->in_size) {
			got = receive(conn, to, len);
			if (got < 0)
				return (int)got;
			to += got;
			len -= (size_t)got;
			continue;
		}
		got = receive(conn, conn->in, after_bulk ? len : conn->in_size);
		if (got < 0)
			return (int)got;
		conn->in_start = 0;
		conn->in_end = (size_t)got;
	}
	return 0;
}

int link_conn_skip(struct link_conn *conn, size_t len)
{
	uint8_t waste[SKIP_BYTES];
	int rc = 0;

	while (len && !rc) {
		size_t part = len < sizeof(waste) ? len : sizeof(waste);

		rc = link_conn_read(conn, waste, part);
		len -= part;
	}
	return rc;
}

/* ---- probes ---- */

static int queue_probe(struct link_conn *conn, bool is_pong, uint64_t id)
{
	uint8_t header[WIRE_DATA_SIZE];

	if (conn->is_data) {
		struct wire_data probe = { .kind = is_pong ? WIRE_DATA_PONG : WIRE_DATA_PING, .seq = id };

		wire_put_data(header, &probe);
		return link_conn_queue_frame(conn, header, WIRE_DATA_SIZE, NULL, 0);
	}
	wire_put_control(header, &(struct wire_control){ .kind = is_pong ? WIRE_PONG : WIRE_PING, .id = id });
	return link_conn_queue_frame(conn, header, WIRE_CONTROL_SIZE, NULL, 0);
}

void link_conn_got_ping(struct link_conn *conn, uint64_t id)
{
	if (conn->down)
		return;
	if (conn->out_count >= OUT_MAX)
		link_conn_fail(conn, -EPROTO, "it reads nothing of what it gets");
	else if (queue_probe(conn, true, id))
		link_conn_fail(conn, -ENOMEM, "no memory to answer a probe");
}

void link_conn_got_pong(struct link_conn *conn)
{
	if (!conn->probe_pending)
		return;
	conn->probe_pending = false;
	conn->round_trip_us = (uint32_t)((rt_now_ns() - conn->probed_ns) / RT_US);
	rt_cond_wake_all(&conn->keeper);
}

void link_conn_begin_wait(struct link_conn *conn)
{
	if (!conn->waiting++)
		rt_cond_wake_all(&conn->keeper);
}

void link_conn_end_wait(struct link_conn *conn)
{
	assert(conn->waiting > 0);
	conn->waiting--;
}

/* Sends a probe when one is due. Returns when to look again. */
static int64_t keep_alive(struct link_conn *conn)
{
	int64_t now = rt_now_ns();
	int64_t due;

	if (conn->probe_pending) {
		due = conn->heard_ns > conn->probed_ns ? conn->heard_ns : conn->probed_ns;
		due += conn->timing.dead_ms * RT_MS;
		if (now >= due)
			link_conn_fail(conn, -ETIMEDOUT, "nothing heard for %u ms", conn->timing.dead_ms);
		return due;
	}
	due = conn->probed_ns + (conn->waiting ? conn->timing.ping_ms : conn->timing.idle_ms) * RT_MS;
	if (conn->probed_ns && now < due)
		return due;
	if (queue_probe(conn, false, 0)) {
		link_conn_fail(conn, -ENOMEM, "no memory for a probe");
		return due;
	}
	conn->probe_pending = true;
	conn->probed_ns = now;
	return now + conn->timing.dead_ms * RT_MS;
}

static void run_keeper(void *arg)
{
	struct link_conn *conn = arg;

	while (!conn->down) {
		int64_t due = keep_alive(conn);
		RT_LIMIT(due);

		if (!conn->down && rt_cond_wait(&conn->keeper) == -ECANCELED)
			break;
	}
}

/* ---- life ---- */

int link_conn_init(struct link_conn *conn, struct rt_stream *stream, size_t in_size, const struct link_timing *timing)
{
	*conn = (struct link_conn){ .stream = stream, .timing = *timing, .in_size = in_size };
	conn->in = mem_alloc(in_size);
	if (!conn->in)
		return -ENOMEM;
	rt_group_init(&conn->group);
	rt_cond_init(&conn->ended);
	rt_cond_init(&conn->out_changed);
	rt_cond_init(&conn->keeper);
	list_init(&conn->out);
	list_init(&conn->writing);
	conn->heard_ns = rt_now_ns();
	return 0;
}

static int start_fibers(struct link_conn *conn, void (*reader)(void *arg), void *arg)
{
	int rc = rt_group_start(&conn->group, "link writer", run_writer, conn);

	if (!rc)
		rc = rt_group_start(&conn->group, "link reader", reader, arg);
	if (!rc && conn->probes)
		rc = rt_group_start(&conn->group, "link keeper", run_keeper, conn);
	return rc;
}

void link_conn_run(struct link_conn *conn, void (*reader)(void *arg), void *arg)
{
	int rc = start_fibers(conn, reader, arg);

	if (rc)
		link_conn_fail(conn, rc, "no fiber for the connection");
	while (!conn->down) {
		rc = rt_cond_wait(&conn->ended);
		if (rc)
			link_conn_fail(conn, rc, "closed by this side");
	}
	rt_group_stop(&conn->group);
	list_append_all(&conn->writing, &conn->out);
	while (!list_empty(&conn->writing))
		out_is_gone(conn, list_first(&conn->writing, struct link_out, link));
}

void link_conn_destroy(struct link_conn *conn)
{
	assert(!conn->group.count && !conn->out_count);
	mem_free(conn->in);
	conn->in = NULL;
}
