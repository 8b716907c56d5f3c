/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ground under all other scenarios: an echo server that is cut off, broken, paused, killed and switched off
 * while clients talk to it. What comes back on a connection is always a prefix of what was sent on it, no wait
 * is longer than its limit, and once the trouble is over every client gets all its answers and the server stops
 * with nothing left behind.
 */
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "scenarios.h"

#define CLIENTS		4u
#define MESSAGES	30u
#define MESSAGE_MAX	20000u
#define TROUBLES	12u
#define PATIENCE_NS	(5 * RT_SECOND)

/* ---- the server ---- */

static void echo(void *arg)
{
	struct rt_stream *stream = arg;
	MEM_OWNED uint8_t *buf = mem_alloc(8192);
	ssize_t got = buf != NULL ? 1 : 0;

	while (got > 0) {
		struct iovec part = { .iov_base = buf };

		got = rt_stream_read(stream, buf, 8192);
		if (got > 0) {
			part.iov_len = (size_t)got;
			if (rt_stream_write(stream, &part, 1) != 0)
				break;
		}
	}
	rt_stream_close(stream);
}

struct server {
	struct rt_listener *listener;
	struct rt_group acceptor, connections;
};

static void accept_all(void *arg)
{
	struct server *server = arg;

	while (!rt_cancelled()) {
		struct rt_stream *stream;

		if (rt_accept(server->listener, &stream) != 0)
			continue;
		if (rt_group_start(&server->connections, "echo", echo, stream) != 0)
			rt_stream_close(stream);
	}
}

static int serve(void *arg)
{
	struct server server;
	int rc = rt_listen("server:7", &server.listener);

	(void)arg;
	if (rc < 0)
		return rc;
	rt_group_init(&server.acceptor);
	rt_group_init(&server.connections);
	rc = rt_group_start(&server.acceptor, "acceptor", accept_all, &server);
	if (rc == 0)
		rc = rt_wait_stop();
	rt_group_stop(&server.acceptor);
	rt_listener_close(server.listener);
	rt_group_stop(&server.connections);
	return rc;
}

/* ---- the clients, outside ---- */

struct echo_world {
	struct sim_world *world;
	struct sim_system *server;
	struct rt_group clients;
};

/* One message there and back; a negative errno when the connection is of no use any more. */
static int exchange(struct echo_world *e, struct rt_stream *stream, uint8_t *sent, uint8_t *got)
{
	size_t len = 1 + (size_t)sim_random_below(e->world, MESSAGE_MAX), at = 0;
	struct iovec part = { .iov_base = sent, .iov_len = len };
	RT_LIMIT(rt_now_ns() + PATIENCE_NS);
	int64_t start_ns = rt_now_ns();
	ssize_t n = 0;
	int rc;

	rt_random_bytes(sent, len);
	rc = rt_stream_write(stream, &part, 1);
	while (rc == 0 && at < len) {
		n = rt_stream_read(stream, got + at, len - at);
		if (n <= 0)
			rc = n < 0 ? (int)n : -ECONNRESET;
		else
			at += (size_t)n;
	}
	if (memcmp(sent, got, at) != 0)
		sim_fail(e->world, "what came back is not what was sent");
	if (rt_now_ns() - start_ns > PATIENCE_NS + RT_SECOND)
		sim_fail(e->world, "a client waited longer than its limit");
	return rc;
}

static int connect_patiently(struct rt_stream **stream)
{
	RT_LIMIT(rt_now_ns() + PATIENCE_NS);

	return rt_connect("server:7", stream);
}

static void client(void *arg)
{
	struct echo_world *e = arg;
	uint8_t *sent = mem_alloc(MESSAGE_MAX), *got = mem_alloc(MESSAGE_MAX);
	struct rt_stream *stream = NULL;
	unsigned done = 0;

	while (done < MESSAGES) {
		int rc = stream == NULL ? connect_patiently(&stream) : 0;

		if (rc == 0)
			rc = exchange(e, stream, sent, got);
		if (rc == 0) {
			done++;
			scenario_count("messages echoed", 1);
			rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(e->world, 300) * RT_MS);
		} else {
			rt_stream_close(stream);
			stream = NULL;
			scenario_count("connections given up", 1);
			rc = rt_sleep_until(rt_now_ns() + 100 * RT_MS);
		}
		if (rc < 0)
			sim_fail(e->world, "a client cannot sleep");
	}
	rt_stream_close(stream);
	mem_free(sent);
	mem_free(got);
}

/* ---- trouble ---- */

static void sleep_up_to_ms(struct echo_world *e, uint64_t most)
{
	if (rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(e->world, most) * RT_MS) != 0)
		sim_fail(e->world, "the scenario cannot sleep");
}

static void make_sure_it_runs(struct echo_world *e)
{
	if (!sim_is_running(e->server))
		sim_boot(e->server, serve, NULL);
}

static void make_trouble(struct echo_world *e)
{
	struct sim_system *outside = sim_outside(e->world);

	make_sure_it_runs(e);
	switch (sim_random_below(e->world, 7)) {
	case 0:
		sim_cut(e->server, NULL);
		break;
	case 1:
		sim_cut_one_way(e->server, outside);
		break;
	case 2:
		sim_cut_one_way(outside, e->server);
		break;
	case 3:
		sim_break(e->server, outside);
		break;
	case 4:
		sim_pause(e->server);
		break;
	case 5:
		sim_crash(e->server, SIM_DEATH);
		break;
	default:
		sim_crash(e->server, SIM_POWER_LOSS);
	}
	sleep_up_to_ms(e, 3000);
	sim_heal(e->server, NULL);
	sim_resume(e->server);
	make_sure_it_runs(e);
	sleep_up_to_ms(e, 1000);
}

static int run_echo(void *arg)
{
	struct echo_world e = { .world = sim_world() };
	int rc = 0;

	(void)arg;
	e.server = sim_add_system(e.world, "server", 2);
	sim_boot(e.server, serve, NULL);
	rt_group_init(&e.clients);
	for (unsigned i = 0; rc == 0 && i < CLIENTS; i++)
		rc = rt_group_start(&e.clients, "client", client, &e);
	for (unsigned i = 0; rc == 0 && i < TROUBLES; i++)
		make_trouble(&e);
	/*
	 * A failing call may have ended the server with an error; then it is started again, as a service
	 * manager does.
	 */
	while (rc == 0 && e.clients.count > 0) {
		make_sure_it_runs(&e);
		sleep_up_to_ms(&e, 1000);
	}
	if (rc == 0)
		rc = sim_is_running(e.server) ? sim_stop_and_wait(e.server) : 0;
	return rc;
}

static void configure(struct sim_config *config)
{
	config->connection_breaks = 2000;
}

static const char *const must_happen[] = {
	"messages echoed", "connections given up", "death", "power-loss", "pause", "cut", "break", "refused", NULL
};

const struct scenario scenario_echo = {
	.name = "echo",
	.about = "an echo server under cuts, breaks, pauses, deaths and power losses",
	.until_ns = 600 * RT_SECOND,
	.configure = configure,
	.run = run_echo,
	.must_happen = must_happen,
};
