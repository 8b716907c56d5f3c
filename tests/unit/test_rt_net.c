/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and streams of the real backend: an echo server over TCP and Unix sockets, every way a stream can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/file.h"
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

/* ---- machines that answer nothing, and clients that do not read ---- */

static int option_of(int fd, int level, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	CHECK_EQUAL(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void set_option(int fd, int name, int value)
{
	CHECK_EQUAL(setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value)), 0);
}

/* The socket at the other end of the stream, in this process too. */
static int find_other_end(const struct rt_stream *stream)
{
	unsigned long port = strtoul(strrchr(rt_stream_peer(stream), ':') + 1, NULL, 10);

	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in address;
		socklen_t len = sizeof(address);

		if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 && address.sin_family == AF_INET &&
		    ntohs(address.sin_port) == port)
			return fd;
	}
	check_failed(__FILE__, __LINE__, "there is such a socket");
}

/* What it is given for machines that answer nothing, in small: the two minutes are two seconds. */
static void shorten(int fd)
{
	int idle = option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), every = option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL);
	int probes = option_of(fd, IPPROTO_TCP, TCP_KEEPCNT);

	CHECK_EQUAL(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	CHECK_EQUAL(idle + every * probes, 120);
	set_option(fd, TCP_KEEPIDLE, idle / 60);
	set_option(fd, TCP_KEEPINTVL, every / 10);
	set_option(fd, TCP_KEEPCNT, probes / 6);
	set_option(fd, TCP_USER_TIMEOUT, option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) / 60);
}

#define MUCH	((size_t)64 << 20)

static void write_much(void *arg)
{
	uint8_t *bytes = mem_alloc_zeroed(MUCH);
	struct iovec part = { .iov_base = bytes, .iov_len = MUCH };

	CHECK_EQUAL(rt_stream_write(arg, &part, 1), 0);
	mem_free(bytes);
}

/* How often the kernel has asked a client without room whether it has some; all answered. */
static unsigned times_asked(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	CHECK_EQUAL(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_backoff;
}

static int main_does_not_read(void *arg)
{
	struct rt_stream *near, *far;
	struct rt_group group;
	uint8_t *bytes = mem_alloc(MUCH);
	int fd;

	(void)arg;
	make_pair(addresses[0], &near, &far);
	fd = find_other_end(near);
	shorten(fd);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "write", write_much, far), 0);
	/* After so many it is more than the two seconds. */
	while (times_asked(fd) < 4) {
		CHECK_EQUAL(group.count, 1);
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	}
	CHECK_EQUAL(rt_stream_read_full(near, bytes, MUCH), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	mem_free(bytes);
	rt_stream_close(near);
	rt_stream_close(far);
	return 0;
}

static void a_client_that_does_not_read_is_not_taken_for_dead(void **state)
{
	(void)state;
	run(main_does_not_read, NULL);
}

/* The only network device, of a name space of our own. */
static void set_loopback(bool up)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = up ? IFF_UP | IFF_RUNNING : 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQUAL(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static int main_is_gone(void *arg)
{
	struct rt_stream *near, *far;
	int64_t began_ns;
	char byte;

	(void)arg;
	set_loopback(true);
	make_pair(addresses[0], &near, &far);
	shorten(find_other_end(near));
	began_ns = rt_now_ns();
	set_loopback(false);
	CHECK(rt_stream_read(far, &byte, 1) < 0);
	CHECK(rt_now_ns() - began_ns < 20 * RT_SECOND);
	rt_stream_close(near);
	rt_stream_close(far);
	return 0;
}

static void a_machine_that_answers_nothing_is_taken_for_dead(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
			_exit(77);
		run(main_is_gone, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* ---- the limit of descriptors ---- */

#define DESCRIPTORS	64u

/* How many files could still be opened. */
static unsigned count_left(void)
{
	struct rt_file *files[DESCRIPTORS];
	unsigned count = 0;

	while (count < DESCRIPTORS && rt_file_open("/dev/null", 0, &files[count]) == 0)
		count++;
	for (unsigned i = 0; i < count; i++)
		rt_file_close(files[i]);
	return count;
}

struct greeter {
	struct rt_listener *listener;
	struct rt_stream *streams[DESCRIPTORS];
	unsigned count;
};

/* Each that is accepted is told so. */
static void greet(void *arg)
{
	struct iovec word = { .iov_base = "a", .iov_len = 1 };
	struct greeter *greeter = arg;

	while (rt_accept(greeter->listener, &greeter->streams[greeter->count]) == 0)
		CHECK_EQUAL(rt_stream_write(greeter->streams[greeter->count++], &word, 1), 0);
}

/* One that is refused is closed without a word. */
static bool is_accepted(const struct greeter *greeter, struct rt_stream **out)
{
	char byte;
	RT_LIMIT(rt_now_ns() + 20 * RT_SECOND);

	return rt_connect(rt_listener_address(greeter->listener), out) == 0 && rt_stream_read(*out, &byte, 1) == 1;
}

static int main_too_many(void *arg)
{
	struct rt_stream *streams[DESCRIPTORS] = { NULL };
	struct greeter greeter = { .count = 0 };
	struct rt_group group;
	unsigned count = 0;

	(void)arg;
	CHECK_EQUAL(rt_files_max(), DESCRIPTORS);
	CHECK_EQUAL(rt_listen(addresses[0], &greeter.listener), 0);
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "greeter", greet, &greeter), 0);
	while (is_accepted(&greeter, &streams[count]))
		count++;
	CHECK(count > 5);
	CHECK(count_left() >= DESCRIPTORS / 8 - 1);
	/* And again when there are some. */
	rt_stream_close(streams[count]);
	rt_stream_close(streams[0]);
	rt_stream_close(greeter.streams[0]);
	greeter.streams[0] = streams[count] = NULL;
	CHECK(is_accepted(&greeter, &streams[0]));
	rt_group_stop(&group);
	for (unsigned i = 0; i < DESCRIPTORS; i++) {
		rt_stream_close(streams[i]);
		rt_stream_close(greeter.streams[i]);
	}
	rt_listener_close(greeter.listener);
	return 0;
}

static void connections_leave_descriptors_for_files(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		const struct rlimit limit = { .rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS };

		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			_exit(1);
		run(main_too_many, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
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
		cmocka_unit_test(a_client_that_does_not_read_is_not_taken_for_dead),
		cmocka_unit_test(connections_leave_descriptors_for_files),
		cmocka_unit_test(a_machine_that_answers_nothing_is_taken_for_dead),
	};

	unlink(UNIX_PATH);
	return cmocka_run_group_tests_name("rt_net", tests, NULL, NULL);
}
