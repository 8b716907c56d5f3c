/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets of the real backend. Waiting goes through the ring; a write is first tried inline, so that a reply leaves
 * without a turn of the loop, and so is a read when the last one filled its buffer, so that more is likely to be
 * there.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/door.h"
#include "rt/lookup.h"
#include "rt/mem.h"
#include "rt/uring.h"

#define PARTS_MAX	64U

/*
 * The sockets of a process that was killed go on listening after its end, until the kernel has taken its ring apart
 * in the background. So "in use" is believed only after a while, and the next process can be started at once.
 */
#define IN_USE_WAIT_NS	(2 * RT_SECOND)
#define IN_USE_PAUSE_NS	(10 * RT_MS)

/*
 * A machine that answers nothing is taken for dead, and its connections end. One that is silent is asked after
 * PROBE_AFTER_S, and every PROBE_EVERY_S from then on. While something is on its way to it the kernel asks by sending
 * that again, and by its own count (tcp_retries2). TCP_USER_TIMEOUT would be shorter there, but it also ends those
 * that live and have no room for more: a client that does not read for a while is none the worse for it.
 */
#define PROBE_AFTER_S	60
#define PROBE_EVERY_S	10
#define PROBES		6

struct uring_stream {
	struct rt_stream base;
	int fd;
	bool more_likely;
};

struct uring_listener {
	struct rt_listener base;
	int fd;
	bool owns_path;			/* it made the socket file, and takes it away unless another has replaced it */
	dev_t path_dev;
	ino_t path_ino;
};

/* "10.0.0.1:4711", "[::1]:80", "unix:PATH"; a Unix socket without a name is "unix". */
static void show_address(char *to, size_t room, const union socket_address *address)
{
	char host[INET6_ADDRSTRLEN];

	switch (address->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		snprintf(to, room, "%s:%u", host, ntohs(address->v4.sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(to, room, "[%s]:%u", host, ntohs(address->v6.sin6_port));
		break;
	default:
		snprintf(to, room, "unix%s%.*s", address->local.sun_path[0] != '\0' ? ":" : "",
			 (int)sizeof(address->local.sun_path), address->local.sun_path);
	}
}

static bool is_local(const union socket_address *address)
{
	const struct in6_addr *v6 = &address->v6.sin6_addr;

	switch (address->any.sa_family) {
	case AF_INET:
		return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
	default:
		return address->any.sa_family == AF_UNIX;
	}
}

/* ---- streams ---- */

static ssize_t uring_stream_read(struct rt_stream *base, void *buf, size_t len)
{
	struct uring_stream *stream = container_of(base, struct uring_stream, base);
	ssize_t got = -EAGAIN;

	if (stream->more_likely) {
		got = recv(stream->fd, buf, len, MSG_DONTWAIT);
		if (got < 0)
			got = -errno;
	}
	while (got == -EAGAIN || got == -EINTR) {
		struct io_uring_sqe *sqe = uring_begin();
		struct uring_op op;

		uring_check_buffer(buf, len);
		io_uring_prep_recv(sqe, stream->fd, buf, len, 0);
		got = uring_wait(&op, sqe);
	}
	stream->more_likely = got == (ssize_t)len;
	return got;
}

/* Takes put bytes off the front of the parts. */
static void skip_parts(struct msghdr *message, size_t put)
{
	while (message->msg_iovlen > 0 && put >= message->msg_iov->iov_len) {
		put -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (put > 0) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + put;
		message->msg_iov->iov_len -= put;
	}
}

static int uring_stream_write(struct rt_stream *base, const struct iovec *parts, unsigned count)
{
	struct uring_stream *stream = container_of(base, struct uring_stream, base);
	struct iovec left[PARTS_MAX];
	struct msghdr message = { .msg_iov = left, .msg_iovlen = count };
	ssize_t put;

	memcpy(left, parts, count * sizeof(*parts));
	for (unsigned i = 0; i < count; i++)
		uring_check_buffer(parts[i].iov_base, parts[i].iov_len);
	skip_parts(&message, 0);
	while (message.msg_iovlen > 0) {
		put = sendmsg(stream->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (put < 0)
			put = -errno;
		if (put == -EAGAIN) {
			struct io_uring_sqe *sqe = uring_begin();
			struct uring_op op;

			io_uring_prep_sendmsg(sqe, stream->fd, &message, MSG_NOSIGNAL);
			put = uring_wait(&op, sqe);
		}
		if (put == -EINTR || put == -EAGAIN)
			continue;
		if (put < 0)
			return (int)put;
		skip_parts(&message, (size_t)put);
	}
	return 0;
}

static void uring_stream_shutdown(struct rt_stream *base)
{
	shutdown(container_of(base, struct uring_stream, base)->fd, SHUT_RDWR);
}

static void uring_stream_close(struct rt_stream *base)
{
	struct uring_stream *stream = container_of(base, struct uring_stream, base);

	close(stream->fd);
	mem_free(stream);
}

static const struct rt_stream_ops stream_ops = {
	.read = uring_stream_read,
	.write = uring_stream_write,
	.shutdown = uring_stream_shutdown,
	.close = uring_stream_close,
};

/* What the kernel refuses of it costs speed or patience, and nothing else. */
static void set_tcp_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, PROBE_AFTER_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, PROBE_EVERY_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, PROBES },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

/* A stream over a connected socket, which belongs to it then; on failure the socket is closed. */
static int make_stream(int fd, const union socket_address *peer, struct rt_stream **out)
{
	struct uring_stream *stream = mem_alloc_zeroed(sizeof(*stream));
	struct ucred peer_process;
	socklen_t len = sizeof(peer_process);

	if (stream == NULL) {
		close(fd);
		return -ENOMEM;
	}
	stream->fd = fd;
	stream->base.ops = &stream_ops;
	stream->base.local = is_local(peer);
	show_address(stream->base.peer, sizeof(stream->base.peer), peer);
	if (peer->any.sa_family != AF_UNIX) {
		set_tcp_options(fd);
	} else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer_process, &len) == 0) {
		stream->base.has_peer_uid = true;
		stream->base.peer_uid = peer_process.uid;
	}
	*out = &stream->base;
	return 0;
}

/* ---- connecting ---- */

static int connect_one(const union socket_address *address, socklen_t len, struct rt_stream **out)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
	struct io_uring_sqe *sqe;
	struct uring_op op;

	if (fd < 0)
		return -errno;
	sqe = uring_begin();
	io_uring_prep_connect(sqe, fd, &address->any, len);
	rc = uring_wait(&op, sqe);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	return make_stream(fd, address, out);
}

static int uring_connect(const char *address, struct rt_stream **out)
{
	struct lookup lookup;
	int rc = lookup_to_connect(address, &lookup);

	if (rc != 0)
		return rc;
	rc = -EHOSTUNREACH;
	for (unsigned i = 0; i < lookup.count && rc != 0; i++) {
		rc = core_check();	/* the limit of the fiber ends all, the failure of one address only that */
		if (rc != 0)
			return rc;
		rc = connect_one(&lookup.addresses[i], lookup.lengths[i], out);
	}
	return rc;
}

/* ---- listening ---- */

struct listen_job {
	const char *address;
	struct lookup lookup;
	struct uring_listener *listener;
};

/* True when a socket file is there on which nobody listens. */
static bool is_stale(const struct lookup *lookup, const char *path)
{
	struct stat info;
	int fd;
	bool stale;

	if (lstat(path, &info) != 0 || !S_ISSOCK(info.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, &lookup->addresses[0].any, lookup->lengths[0]) != 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_address(const struct lookup *lookup, struct uring_listener *listener)
{
	return bind(listener->fd, &lookup->addresses[0].any, lookup->lengths[0]) == 0 ? 0 : -errno;
}

static int bind_unix(const struct lookup *lookup, struct uring_listener *listener)
{
	const char *path = lookup->addresses[0].local.sun_path;
	struct stat info;
	int rc;

	/*
	 * The file is made with the mode of the socket, less the umask: never more open than this, not even for a
	 * moment.
	 */
	if (fchmod(listener->fd, 0660) != 0)
		return -errno;
	rc = bind_address(lookup, listener);
	if (rc == -EADDRINUSE && is_stale(lookup, path) && unlink(path) == 0)
		rc = bind_address(lookup, listener);
	if (rc != 0)
		return rc;
	if (chmod(path, 0660) != 0 || lstat(path, &info) != 0)
		return -errno;
	listener->owns_path = true;
	listener->path_dev = info.st_dev;
	listener->path_ino = info.st_ino;
	return 0;
}

static int bind_tcp(const struct lookup *lookup, struct uring_listener *listener)
{
	int one = 1;

	setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return bind_address(lookup, listener);
}

static int note_address(struct uring_listener *listener)
{
	union socket_address address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(listener->fd, &address.any, &len) != 0)
		return -errno;
	show_address(listener->base.address, sizeof(listener->base.address), &address);
	return 0;
}

static void remove_path(struct uring_listener *listener)
{
	const char *path = listener->base.address + strlen("unix:");
	struct stat info;

	if (listener->owns_path && lstat(path, &info) == 0 && info.st_dev == listener->path_dev &&
	    info.st_ino == listener->path_ino)
		unlink(path);
}

static int listen_run(void *arg)
{
	struct listen_job *job = arg;
	struct uring_listener *listener = job->listener;
	int rc = lookup_to_listen(job->address, &job->lookup), family = job->lookup.addresses[0].any.sa_family;

	if (rc != 0)
		return rc;
	listener->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return -errno;
	rc = family == AF_UNIX ? bind_unix(&job->lookup, listener) : bind_tcp(&job->lookup, listener);
	if (rc == 0 && listen(listener->fd, SOMAXCONN) != 0)
		rc = -errno;
	return rc == 0 ? note_address(listener) : rc;
}

static int listen_once(const char *address, struct uring_listener *listener)
{
	struct listen_job job = { .address = address, .listener = listener };
	int rc;

	listener->fd = -1;
	rc = uring_help_names(listen_run, &job);
	if (rc != 0 && listener->fd >= 0)
		close(listener->fd);
	return rc;
}

static int uring_listen(const char *address, struct rt_listener **out)
{
	struct uring_listener *listener = mem_alloc_zeroed(sizeof(*listener));
	int64_t until_ns = rt_now_ns() + IN_USE_WAIT_NS;
	int rc;

	if (listener == NULL)
		return -ENOMEM;
	do {
		rc = listen_once(address, listener);
	} while (rc == -EADDRINUSE && rt_now_ns() < until_ns && rt_sleep_until(rt_now_ns() + IN_USE_PAUSE_NS) == 0);
	if (rc != 0) {
		mem_free(listener);
		return rc;
	}
	*out = &listener->base;
	return 0;
}

static int uring_listen_inherited(int fd, struct rt_listener **out)
{
	struct uring_listener *listener;
	int listening = 0, rc;
	socklen_t len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0)
		return -errno;
	if (!listening)
		return -EINVAL;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -errno;
	listener = mem_alloc_zeroed(sizeof(*listener));
	if (listener == NULL)
		return -ENOMEM;
	listener->fd = fd;
	rc = note_address(listener);
	if (rc != 0) {
		mem_free(listener);
		return rc;
	}
	*out = &listener->base;
	return 0;
}

static int uring_accept(struct rt_listener *base, struct rt_stream **out)
{
	struct uring_listener *listener = container_of(base, struct uring_listener, base);
	union socket_address peer = { 0 };
	int fd;

	do {
		struct io_uring_sqe *sqe = uring_begin();
		socklen_t len = sizeof(peer);
		struct uring_op op;

		io_uring_prep_accept(sqe, listener->fd, &peer.any, &len, SOCK_CLOEXEC);
		fd = uring_wait(&op, sqe);
	} while (fd == -ECONNABORTED || fd == -EINTR);	/* that client has gone again: wait for the next */
	if (fd < 0)
		return fd;
	/* A client that is refused is of less harm than a log or the metadata that cannot be opened. */
	if (uring_is_for_files(fd)) {
		close(fd);
		return -EMFILE;
	}
	return make_stream(fd, &peer, out);
}

static int close_listener(void *arg)
{
	struct uring_listener *listener = arg;

	remove_path(listener);
	close(listener->fd);
	return 0;
}

static void uring_listener_close(struct rt_listener *base)
{
	struct uring_listener *listener = container_of(base, struct uring_listener, base);

	int rc = uring_help_names(close_listener, listener);

	assert(rc == 0);
	mem_free(listener);
}

int door_take_listener(struct rt_listener *base, int *fd)
{
	struct uring_listener *listener = container_of(base, struct uring_listener, base);

	*fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
	if (*fd >= 0 && fcntl(*fd, F_SETFL, O_NONBLOCK) != 0) {
		close(*fd);
		*fd = -1;
	}
	if (*fd < 0)
		return -errno;
	rt_listener_close(base);
	return 0;
}

void uring_add_net(struct rt_backend *backend)
{
	backend->listen = uring_listen;
	backend->listen_inherited = uring_listen_inherited;
	backend->accept = uring_accept;
	backend->listener_close = uring_listener_close;
	backend->connect = uring_connect;
}
