/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and streams of the real backend: an echo server over TCP and Unix sockets, every way a stream can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "rt/net.h"
#include "rt/run.h"
#include "rt_check.h"

static uid_t peer_uid(void)
{
	return getuid();
}

#include "rt_net_cases.h"

#define UNIX_PATH	"rt-net.sock"
#define UNIX_ADDRESS	"unix:" UNIX_PATH

static const char *const addresses[] = { "127.0.0.1:0", "[::1]:0", UNIX_ADDRESS };

static void run(int (*main_fn)(void *arg), const void *arg)
{
	struct rt_options options = { .reactors = 2 };

	assert_int_equal(rt_run(&options, main_fn, (void *)(uintptr_t)arg), 0);
}

/* ---- cases that the simulator shares ---- */

static void test_echo(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		run(main_echo, addresses[i]);
}

/* Requests in small pieces do not wait for acknowledgements. */
static void test_latency(void **state)
{
	(void)state;
	run(main_latency, addresses[0]);
}

static void test_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		run(main_ends, addresses[i]);
}

/* A connection moves to the reactor of its volume. */
static void test_moves(void **state)
{
	(void)state;
	run(main_moves, addresses[2]);
}

/* ---- addresses ---- */

static int main_unix_addresses(void *arg)
{
	struct rt_listener *listener;
	struct rt_stream *stream;

	(void)arg;
	CHECK_EQUAL(rt_connect("unix:rt-net-absent.sock", &stream), -ENOENT);
	CHECK_EQUAL(rt_listen("unix:/proc/none/x", &listener), -ENOENT);
	return 0;
}

static void test_addresses(void **state)
{
	(void)state;
	run(main_bad_addresses, NULL);
	run(main_port_in_use, NULL);
	run(main_unix_addresses, NULL);
}

/* Leaves a socket file behind on which nobody listens. */
static void leave_stale_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = UNIX_PATH };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static int main_unix_file(void *arg)
{
	struct rt_listener *listener, *second;
	struct stat info;
	int fd;

	(void)arg;
	leave_stale_socket();
	CHECK_EQUAL(rt_listen(UNIX_ADDRESS, &listener), 0);
	CHECK(strcmp(rt_listener_address(listener), UNIX_ADDRESS) == 0);
	CHECK_EQUAL(stat(UNIX_PATH, &info), 0);
	CHECK_EQUAL(info.st_mode & 07777, 0660);
	CHECK_EQUAL(rt_listen(UNIX_ADDRESS, &second), -EADDRINUSE);

	/* Another file in its place is not ours to remove. */
	CHECK_EQUAL(unlink(UNIX_PATH), 0);
	fd = open(UNIX_PATH, O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	close(fd);
	rt_listener_close(listener);
	CHECK_EQUAL(stat(UNIX_PATH, &info), 0);
	CHECK_EQUAL(rt_listen(UNIX_ADDRESS, &listener), -EADDRINUSE);
	CHECK_EQUAL(unlink(UNIX_PATH), 0);

	CHECK_EQUAL(rt_listen(UNIX_ADDRESS, &listener), 0);
	rt_listener_close(listener);
	CHECK_EQUAL(stat(UNIX_PATH, &info), -1);
	return 0;
}

/* The socket file: mode, a stale one replaced, a live one and a file of another kind refused, gone at the end. */
static void test_unix_file(void **state)
{
	(void)state;
	run(main_unix_file, NULL);
}

static int main_inherited(void *arg)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct rt_listener *listener;
	struct rt_stream *near, *far;

	(void)arg;
	CHECK_EQUAL(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_EQUAL(rt_listen_inherited(fd, &listener), -EINVAL);
	CHECK_EQUAL(listen(fd, 5), 0);
	CHECK_EQUAL(rt_listen_inherited(fd, &listener), 0);
	CHECK_EQUAL(rt_connect(rt_listener_address(listener), &near), 0);
	CHECK_EQUAL(rt_accept(listener, &far), 0);
	rt_stream_close(near);
	rt_stream_close(far);
	rt_listener_close(listener);
	CHECK_EQUAL(rt_listen_inherited(fd, &listener), -EBADF);
	return 0;
}

static void test_inherited(void **state)
{
	(void)state;
	run(main_inherited, NULL);
}

static int option_of(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	CHECK_EQUAL(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static int main_dead_peers(void *arg)
{
	struct rt_stream *near, *far;
	unsigned connected = 0;

	(void)arg;
	make_pair(addresses[0], &near, &far);
	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		int idle;

		if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 || peer.sin_family != AF_INET)
			continue;
		connected++;
		CHECK_EQUAL(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
		idle = option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE);
		CHECK(idle + option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) <= 120);
		CHECK_EQUAL(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 120000);
	}
	CHECK_EQUAL(connected, 2);
	rt_stream_close(near);
	rt_stream_close(far);
	return 0;
}

/* A machine that is gone without a word is noticed by the kernel, on both sides of a connection. */
static void test_dead_peers(void **state)
{
	(void)state;
	run(main_dead_peers, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_latency),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_unix_file),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_dead_peers),
	};

	unlink(UNIX_PATH);
	return cmocka_run_group_tests_name("rt_net", tests, NULL, NULL);
}
