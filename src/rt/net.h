/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.h - listeners and byte streams. Addresses are texts: "unix:PATH" or "HOST:PORT" ("[V6]:PORT"). A stream may be
 * used from one reactor at a time, by at most one fiber that reads and one that writes; it may move to another
 * reactor while nobody uses it. Every call suspends unless said otherwise and may return -ETIMEDOUT or -ECANCELED
 * (rt.h).
 */
#ifndef XDC_RT_NET_H
#define XDC_RT_NET_H

#include <sys/uio.h>

#include "rt/rt.h"

struct rt_listener;
struct rt_stream;

/*
 * A Unix socket gets mode 0660; a stale one (nobody listens) is replaced. -EADDRINUSE, -EACCES, -EINVAL for a bad
 * address.
 */
RT_MUST_CHECK int rt_listen(const char *address, struct rt_listener **out);

/* A listener on a socket that was handed over by the service manager (LISTEN_FDS). Real systems only. */
RT_MUST_CHECK int rt_listen_inherited(int fd, struct rt_listener **out);

/* Where it listens, with the port filled in when 0 was asked for. Lives as long as the listener. Does not suspend. */
const char *rt_listener_address(const struct rt_listener *listener);

/*
 * The next that connects: 0, -ETIMEDOUT, -ECANCELED. What keeps it from accepting (no descriptors are left but those
 * that files may need: who connects then is refused) is a line in the log, and tried again until it is over.
 */
RT_MUST_CHECK int rt_accept(struct rt_listener *listener, struct rt_stream **out);
void rt_listener_close(struct rt_listener *listener);

/*
 * Host names are looked up on a helper thread. -ECONNREFUSED, -EHOSTUNREACH, ... TCP streams, also accepted ones,
 * have TCP_NODELAY, and end with -ETIMEDOUT when the other machine answers nothing: after two minutes of silence;
 * while data are on their way to it when the kernel has sent them in vain for about 15 minutes (tcp_retries2). They
 * do not end because the other side does not read; who must not wait for that has a limit.
 */
RT_MUST_CHECK int rt_connect(const char *address, struct rt_stream **out);

/* 1..len bytes; 0 at the orderly end. */
RT_MUST_CHECK ssize_t rt_stream_read(struct rt_stream *stream, void *buf, size_t len);

/* 0 when all len bytes are there; -ECONNRESET when the stream ended before. */
RT_MUST_CHECK int rt_stream_read_full(struct rt_stream *stream, void *buf, size_t len);

/* 0 when all bytes of all count (<= 64) parts are handed over; else the stream is of no use any more. */
RT_MUST_CHECK int rt_stream_write(struct rt_stream *stream, const struct iovec *parts, unsigned count);

/* Waits in the other direction or by another fiber end with an error or end of stream. Does not suspend. */
void rt_stream_shutdown(struct rt_stream *stream);
void rt_stream_close(struct rt_stream *stream);		/* NULL is allowed; shielded */

/*
 * The peer for logs ("unix", "10.0.0.1:4711"), and whether it is on this machine (Unix socket, loopback). Do not
 * suspend.
 */
const char *rt_stream_peer(const struct rt_stream *stream);
bool rt_stream_is_local(const struct rt_stream *stream);

/* Who is at the other end of a Unix socket (SO_PEERCRED), else -EOPNOTSUPP. Does not suspend. */
RT_MUST_CHECK int rt_stream_peer_uid(const struct rt_stream *stream, uid_t *uid);

/*
 * What a kind of stream does; tcp and unix sockets, simulated connections and TLS (over another stream) are kinds.
 * Only kinds of streams need this.
 */
struct rt_stream_ops {
	ssize_t (*read)(struct rt_stream *stream, void *buf, size_t len);
	int (*write)(struct rt_stream *stream, const struct iovec *parts, unsigned count);
	void (*shutdown)(struct rt_stream *stream);
	void (*close)(struct rt_stream *stream);
};
struct rt_stream {
	const struct rt_stream_ops *ops;
	char peer[128];
	bool local;
	bool has_peer_uid;
	uid_t peer_uid;
};

#endif
