/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt_net_cases.h - mains of systems that use listeners and streams, each of which must do on the simulator what
 * it does on real sockets: test_rt_net.c and test_sim_net.c run them. Whoever includes this says first who the
 * peer of a Unix socket is: static uid_t peer_uid(void).
 */
#ifndef XDC_TESTS_RT_NET_CASES_H
#define XDC_TESTS_RT_NET_CASES_H

#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "rt/net.h"
#include "rt_check.h"

/* ---- an echo server ---- */

struct server {
	struct rt_listener *listener;
	struct rt_group connections;
	struct rt_group acceptor;
};

static void echo(void *arg)
{
	struct rt_stream *stream = arg;
	uint8_t *buf = mem_alloc(65536);
	ssize_t got;

	while ((got = rt_stream_read(stream, buf, 65536)) > 0) {
		struct iovec part = { .iov_base = buf, .iov_len = (size_t)got };

		if (rt_stream_write(stream, &part, 1) != 0)
			break;
	}
	mem_free(buf);
	rt_stream_close(stream);
}

static void accept_all(void *arg)
{
	struct server *server = arg;
	struct rt_stream *stream;
	int rc;

	while ((rc = rt_accept(server->listener, &stream)) == 0)
		CHECK_EQUAL(rt_group_start(&server->connections, "echo", echo, stream), 0);
	CHECK_EQUAL(rc, -ECANCELED);
}

static void start_server(struct server *server, const char *address)
{
	CHECK_EQUAL(rt_listen(address, &server->listener), 0);
	rt_group_init(&server->connections);
	rt_group_init(&server->acceptor);
	CHECK_EQUAL(rt_group_start(&server->acceptor, "acceptor", accept_all, server), 0);
}

static void stop_server(struct server *server)
{
	rt_group_stop(&server->acceptor);
	rt_listener_close(server->listener);
	rt_group_stop(&server->connections);
}

struct client {
	struct rt_stream *stream;
	uint8_t *bytes;
};

static void send_all(void *arg)
{
	struct client *client = arg;
	struct iovec parts[64];
	size_t at = 0;

	/* 64 parts of lengths 0, 1000, 2000, ... */
	for (size_t i = 0; i < 64; i++) {
		parts[i] = (struct iovec){ .iov_base = client->bytes + at, .iov_len = i * 1000 };
		at += i * 1000;
	}
	CHECK_EQUAL(rt_stream_write(client->stream, parts, 64), 0);
}

enum { CLIENT_BYTES = 2016000 };

/* Sends two million bytes and reads them back at the same time, from the reactor it runs on. */
static int echo_client(void *arg)
{
	struct client client;
	uint8_t *sent = mem_alloc(CLIENT_BYTES), *got = mem_alloc(CLIENT_BYTES);
	struct rt_group group;
	ssize_t end;

	for (size_t i = 0; i < CLIENT_BYTES; i++)
		sent[i] = (uint8_t)(i * 2654435761u >> 11);
	CHECK_EQUAL(rt_connect(arg, &client.stream), 0);
	CHECK(rt_stream_is_local(client.stream));
	client.bytes = sent;
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "sender", send_all, &client), 0);
	CHECK_EQUAL(rt_stream_read_full(client.stream, got, CLIENT_BYTES), 0);
	CHECK(memcmp(sent, got, CLIENT_BYTES) == 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	rt_stream_shutdown(client.stream);
	end = rt_stream_read(client.stream, got, 1);
	CHECK(end == 0 || end == -ECONNRESET);
	rt_stream_close(client.stream);
	mem_free(sent);
	mem_free(got);
	return 0;
}

struct run_client {
	struct rt_reactor *on;
	const char *address;
};

static void run_client(void *arg)
{
	struct run_client *client = arg;

	CHECK_EQUAL(rt_call(client->on, echo_client, (void *)(uintptr_t)client->address), 0);
}

static int main_echo(void *arg)
{
	struct run_client clients[6];
	struct server server;
	struct rt_group group;

	start_server(&server, arg);
	rt_group_init(&group);
	for (unsigned i = 0; i < 6; i++) {
		clients[i] = (struct run_client){ rt_reactor(i % 2), rt_listener_address(server.listener) };
		CHECK_EQUAL(rt_group_start(&group, "client", run_client, &clients[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	stop_server(&server);
	return 0;
}

static int main_latency(void *arg)
{
	struct server server;
	struct rt_stream *stream;
	int64_t begin_ns;
	char bytes[8] = "request";

	start_server(&server, arg);
	CHECK_EQUAL(rt_connect(rt_listener_address(server.listener), &stream), 0);
	begin_ns = rt_now_ns();
	for (int i = 0; i < 100; i++) {
		for (size_t k = 0; k < 4; k++) {
			struct iovec part = { .iov_base = bytes + 2 * k, .iov_len = 2 };

			CHECK_EQUAL(rt_stream_write(stream, &part, 1), 0);
		}
		CHECK_EQUAL(rt_stream_read_full(stream, bytes, 8), 0);
	}
	/* Delayed acknowledgements would make it 40 ms each. */
	CHECK(rt_now_ns() - begin_ns < 2 * RT_SECOND);
	rt_stream_close(stream);
	stop_server(&server);
	return 0;
}

/* ---- how waits end ---- */

/* Two ends of a connection. */
static void make_pair(const char *address, struct rt_stream **near, struct rt_stream **far)
{
	struct rt_listener *listener;

	CHECK_EQUAL(rt_listen(address, &listener), 0);
	CHECK_EQUAL(rt_connect(rt_listener_address(listener), near), 0);
	CHECK_EQUAL(rt_accept(listener, far), 0);
	rt_listener_close(listener);
}

static void read_cancelled(void *arg)
{
	char byte;

	CHECK_EQUAL(rt_stream_read(arg, &byte, 1), -ECANCELED);
}

static void write_cancelled(void *arg)
{
	size_t len = 64 << 20;
	struct iovec part = { .iov_base = mem_alloc_zeroed(len), .iov_len = len };

	CHECK_EQUAL(rt_stream_write(arg, &part, 1), -ECANCELED);
	mem_free(part.iov_base);
}

static void read_end(void *arg)
{
	char byte;

	CHECK_EQUAL(rt_stream_read(arg, &byte, 1), 0);
}

static int main_ends(void *arg)
{
	struct rt_stream *near, *far;
	struct iovec part = { .iov_base = "abc", .iov_len = 3 };
	struct rt_group group;
	char bytes[8];
	uid_t uid;

	make_pair(arg, &near, &far);
	rt_group_init(&group);
	{
		RT_LIMIT(rt_now_ns() + 5 * RT_MS);

		CHECK_EQUAL(rt_stream_read(near, bytes, 8), -ETIMEDOUT);
	}
	CHECK_EQUAL(rt_group_start(&group, "reader", read_cancelled, near), 0);
	rt_yield();
	rt_group_stop(&group);
	/* A read that was cancelled has taken nothing. */
	CHECK_EQUAL(rt_stream_write(far, &part, 1), 0);
	CHECK_EQUAL(rt_stream_read_full(near, bytes, 3), 0);
	CHECK(memcmp(bytes, "abc", 3) == 0);

	CHECK_EQUAL(rt_group_start(&group, "reader", read_end, near), 0);
	rt_yield();
	rt_stream_shutdown(near);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(rt_stream_write(near, &part, 1), -EPIPE);
	CHECK_EQUAL(rt_stream_read_full(far, bytes, 8), -ECONNRESET);
	CHECK_EQUAL(rt_stream_read(far, bytes, 8), 0);
	if (strncmp(arg, "unix:", 5) == 0) {
		CHECK_EQUAL(rt_stream_peer_uid(far, &uid), 0);
		CHECK_EQUAL(uid, peer_uid());
		CHECK(strcmp(rt_stream_peer(far), "unix") == 0);
	} else {
		CHECK_EQUAL(rt_stream_peer_uid(far, &uid), -EOPNOTSUPP);
		CHECK(strrchr(rt_stream_peer(far), ':') != NULL);
	}
	rt_stream_close(near);
	rt_stream_close(far);
	rt_stream_close(NULL);

	make_pair(arg, &near, &far);
	CHECK_EQUAL(rt_group_start(&group, "writer", write_cancelled, near), 0);
	rt_yield();
	rt_group_stop(&group);
	rt_stream_close(near);
	rt_stream_close(far);
	return 0;
}

static int read_there(void *arg)
{
	char bytes[3];

	return rt_stream_read_full(arg, bytes, 3);
}

static int main_moves(void *arg)
{
	struct iovec part = { .iov_base = "abcdef", .iov_len = 6 };
	struct rt_stream *near, *far;

	make_pair(arg, &near, &far);
	CHECK_EQUAL(rt_stream_write(near, &part, 1), 0);
	CHECK_EQUAL(read_there(far), 0);
	CHECK_EQUAL(rt_call(rt_reactor(1), read_there, far), 0);
	rt_stream_close(near);
	CHECK_EQUAL(rt_call(rt_reactor(1), read_there, far), -ECONNRESET);
	rt_stream_close(far);
	return 0;
}

/* ---- addresses ---- */

static int main_bad_addresses(void *arg)
{
	static const char *const bad[] = {
		"", ":", "host", "unix:", ":10809", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:123456", "::1:80",
		"[::1:80", "[]:80", "127.0.0.1:-1",
	};
	char too_long[200] = "unix:";
	struct rt_listener *listener;
	struct rt_stream *stream;

	(void)arg;
	memset(too_long + 5, 'x', 150);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQUAL(rt_listen(bad[i], &listener), -EINVAL);
		CHECK_EQUAL(rt_connect(bad[i], &stream), -EINVAL);
	}
	CHECK_EQUAL(rt_listen(too_long, &listener), -EINVAL);
	return 0;
}

static int main_port_in_use(void *arg)
{
	struct rt_listener *listener, *second;
	struct rt_stream *stream;
	char address[64];

	(void)arg;
	CHECK_EQUAL(rt_listen("127.0.0.1:0", &listener), 0);
	CHECK(strncmp(rt_listener_address(listener), "127.0.0.1:", 10) == 0);
	CHECK(strcmp(rt_listener_address(listener), "127.0.0.1:0") != 0);
	CHECK_EQUAL(rt_listen(rt_listener_address(listener), &second), -EADDRINUSE);
	snprintf(address, sizeof(address), "%s", rt_listener_address(listener));
	rt_listener_close(listener);
	CHECK_EQUAL(rt_connect(address, &stream), -ECONNREFUSED);
	rt_listener_close(NULL);
	return 0;
}

#endif
