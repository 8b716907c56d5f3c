/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/link_end.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

const struct link_timing link_timing_default = {
	.ping_ms = 1000, .dead_ms = 5000, .idle_ms = 30000, .backoff_min_ms = 50, .backoff_max_ms = 2000,
};

static const char *kind_name(const struct link_end *end)
{
	return end->kind == WIRE_KIND_CONTROL ? "control" : "data";
}

/* Notes why there is no connection; the log hears of it only when it is news. */
__attribute__((format(printf, 3, 4)))
static void note_error(struct link_end *end, int error, const char *format, ...)
{
	char text[WIRE_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (error != -ECANCELED && (error != end->state.last_error || strcmp(text, end->state.last_error_text)))
		log_line(LOG_WARNING, "link", "%s connection %u to %s: %s", kind_name(end),
			 rt_reactor_index(rt_here()), end->config->peer, text);
	end->state.last_error = error;
	memcpy(end->state.last_error_text, text, sizeof(text));
}

/* ---- dialing ---- */

static int open_stream(struct link_end *end, struct rt_stream **out)
{
	const struct link_config *config = end->config;
	struct rt_stream *plain;
	int rc = rt_connect(end->address, &plain);

	if (rc) {
		note_error(end, rc, "no connection to %s: %s", end->address, strerror(-rc));
		return rc;
	}
	if (!config->wrap) {
		*out = plain;
		return 0;
	}
	rc = config->wrap(config->wrap_arg, plain, out);
	if (rc == -EPERM)
		note_error(end, rc, "%s is another machine, and this system has no --link-psk", end->address);
	else if (rc == -EACCES)
		note_error(end, rc, "no TLS with %s: one side does not accept the key of the other", end->address);
	else if (rc)
		note_error(end, rc, "no TLS with %s: %s; perhaps only one side has a --link-psk", end->address,
			   strerror(-rc));
	return rc;
}

static int check_welcome(struct link_end *end, const struct wire_welcome *welcome, uint32_t features)
{
	if (strcmp(welcome->system, end->config->peer)) {
		note_error(end, -ENODEV, "%s is at %s, where %s was expected", welcome->system, end->address,
			   end->config->peer);
		return -ENODEV;
	}
	if (welcome->version < WIRE_VERSION_MIN || welcome->version > WIRE_VERSION_MAX ||
	    (welcome->features & ~features)) {
		note_error(end, -EPROTO, "%s agreed to a version or feature that was not offered", end->config->peer);
		return -EPROTO;
	}
	return 0;
}

static int say_hello(struct link_end *end, struct rt_stream *stream)
{
	struct wire_hello hello = {
		.version_min = WIRE_VERSION_MIN, .version_max = WIRE_VERSION_MAX, .kind = (uint8_t)end->kind,
		.generation = end->state.generation, .idle_ms = end->config->timing.idle_ms,
		.reactor = end->kind == WIRE_KIND_DATA ? (uint16_t)rt_reactor_index(rt_here()) : 0,
		.features = end->config->zstd ? WIRE_FEATURE_ZSTD : 0,
	};
	struct wire_refused refused;
	uint8_t bytes[WIRE_ANSWER_SIZE];
	int rc;

	memcpy(hello.from, end->config->own, sizeof(hello.from));
	memcpy(hello.to, end->config->peer, sizeof(hello.to));
	memcpy(hello.boot_id, end->config->boot_id, sizeof(hello.boot_id));
	wire_put_hello(bytes, &hello);
	rc = rt_stream_write(stream, &(struct iovec){ bytes, WIRE_HELLO_SIZE }, 1);
	if (!rc)
		rc = rt_stream_read_full(stream, bytes, WIRE_ANSWER_SIZE);
	if (rc) {
		note_error(end, rc, "no answer to the greeting from %s: %s; perhaps only one side has a --link-psk",
			   end->address, strerror(-rc));
		return rc;
	}
	rc = wire_get_answer(bytes, &end->welcome, &refused);
	if (rc == -ECONNREFUSED)
		note_error(end, rc, "%s refuses: %s", end->address, refused.text);
	else if (rc)
		note_error(end, rc, "what answers at %s does not speak this protocol", end->address);
	return rc ? rc : check_welcome(end, &end->welcome, hello.features);
}

/*
 * Rises within one boot id whatever links come and go: the acceptor refuses a connection whose generation it has seen.
 */
static uint64_t next_generation(uint64_t last)
{
	uint64_t now = (uint64_t)rt_now_ns() / 1000 + 1;

	return now > last ? now : last + 1;
}

static int dial(struct link_end *end, struct rt_stream **out)
{
	RT_LIMIT(rt_now_ns() + end->config->timing.dead_ms * RT_MS);
	int rc;

	end->state.generation = next_generation(end->state.generation);
	rc = open_stream(end, out);
	if (rc)
		return rc;
	rc = say_hello(end, *out);
	if (rc)
		rt_stream_close(*out);
	return rc;
}

/* ---- one connection after the other ---- */

static void set_connected(struct link_end *end, bool connected)
{
	end->state.connected = connected;
	end->state.since_ns = rt_now_ns();
	rt_cond_wake_all(&end->changed);
}

static void serve_connection(struct link_end *end, struct rt_stream *stream)
{
	struct link_conn conn;
	int rc = link_conn_init(&conn, stream, end->in_size, &end->config->timing);

	if (rc) {
		note_error(end, rc, "no memory for the connection");
		return;
	}
	conn.is_data = end->kind == WIRE_KIND_DATA;
	conn.probes = true;
	conn.traffic = &end->traffic;
	end->conn = &conn;
	end->state.connects++;
	memcpy(end->state.peer_boot_id, end->welcome.boot_id, WIRE_ID_SIZE);
	log_line(LOG_NOTICE, "link", "%s connection %u to %s is up", kind_name(end), rt_reactor_index(rt_here()),
		 end->config->peer);
	set_connected(end, true);
	end->serve(end);
	assert(conn.down);
	end->conn = NULL;
	end->state.round_trip_us = conn.round_trip_us;
	note_error(end, conn.error, "%s", conn.why);
	set_connected(end, false);
	link_conn_destroy(&conn);
}

/* Suspends for the pause before the next attempt; it doubles while nothing gets better. */
static int pause_dialing(struct link_end *end, uint32_t *pause_ms)
{
	uint32_t max_ms = end->config->timing.backoff_max_ms;
	int rc = 0;
	RT_LIMIT(rt_now_ns() + *pause_ms * RT_MS);

	*pause_ms = *pause_ms * 2 < max_ms ? *pause_ms * 2 : max_ms;
	while (!end->is_kicked && !rc)
		rc = rt_cond_wait(&end->kicked);
	return rc == -ETIMEDOUT ? 0 : rc;
}

static void run_end(void *arg)
{
	struct link_end *end = arg;
	const struct link_timing *timing = &end->config->timing;
	uint32_t pause_ms = timing->backoff_min_ms;
	int rc = 0;

	while (!rc && !rt_cancelled()) {
		struct rt_stream *stream;
		int64_t begin_ns = rt_now_ns();

		end->is_kicked = false;
		if (!dial(end, &stream)) {
			serve_connection(end, stream);
			rt_stream_close(stream);
			/* One that broke at once was no success. */
			if (rt_now_ns() - begin_ns > timing->backoff_max_ms * RT_MS)
				pause_ms = timing->backoff_min_ms;
		} else {
			end->state.failures++;
			rt_cond_wake_all(&end->changed);
		}
		rc = pause_dialing(end, &pause_ms);
	}
}

int link_end_start(struct link_end *end, const char *address)
{
	assert(strlen(address) < sizeof(end->address));
	memcpy(end->address, address, strlen(address) + 1);
	rt_group_init(&end->group);
	rt_cond_init(&end->changed);
	rt_cond_init(&end->kicked);
	end->state.since_ns = rt_now_ns();
	return rt_group_start(&end->group, "link", run_end, end);
}

void link_end_stop(struct link_end *end)
{
	rt_group_stop(&end->group);
}

void link_end_kick(struct link_end *end, const char *address)
{
	if (address)
		memcpy(end->address, address, strlen(address) + 1);
	end->is_kicked = true;
	rt_cond_wake_all(&end->kicked);
}

void link_end_leave(struct link_end *end)
{
	struct link_conn *conn = link_end_conn(end);

	if (conn)
		link_conn_fail(conn, -ECONNRESET, "%s was given another address", end->config->peer);
}

void link_end_get_state(const struct link_end *end, struct link_state *state)
{
	*state = end->state;
	/* One that broke is of no use, before its fibers have all ended: who takes it for one would try for ever. */
	state->connected = link_end_conn(end) != NULL;
	memcpy(state->address, end->address, sizeof(state->address));
	state->sent_bytes = end->traffic.sent_bytes;
	state->received_bytes = end->traffic.received_bytes;
	if (end->conn)
		state->round_trip_us = end->conn->round_trip_us;
}
