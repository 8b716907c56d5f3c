/* SPDX-License-Identifier: Apache-2.0 */
/* The door to sockets: listeners and connections by the backend of the reactor, streams by their own kind. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/core.h"
#include "rt/log.h"

#define PARTS_MAX	64U
#define ACCEPT_PAUSE_NS	(100 * RT_MS)

static const struct rt_backend *backend(void)
{
	return rt_here()->system->backend;
}

int rt_listen(const char *address, struct rt_listener **out)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->listen(address, out);
}

int rt_listen_inherited(int fd, struct rt_listener **out)
{
	int rc = core_check();

	if (backend()->listen_inherited == NULL)
		return -EOPNOTSUPP;
	return rc != 0 ? rc : backend()->listen_inherited(fd, out);
}

const char *rt_listener_address(const struct rt_listener *listener)
{
	return listener->address;
}

static int accept_once(struct rt_listener *listener, struct rt_stream **out)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->accept(listener, out);
}

int rt_accept(struct rt_listener *listener, struct rt_stream **out)
{
	bool told = false;
	int rc = accept_once(listener, out);

	while (rc != 0 && rc != -ETIMEDOUT && rc != -ECANCELED) {
		if (!told)
			log_line(LOG_ERROR, "net", "nobody is accepted at %s: %s", listener->address,
				 strerrordesc_np(-rc));
		told = true;
		rc = rt_sleep_until(rt_now_ns() + ACCEPT_PAUSE_NS);
		if (rc == 0)
			rc = accept_once(listener, out);
	}
	return rc;
}

void rt_listener_close(struct rt_listener *listener)
{
	RT_SHIELD();

	if (listener != NULL)
		backend()->listener_close(listener);
}

int rt_connect(const char *address, struct rt_stream **out)
{
	int rc = core_check();

	return rc != 0 ? rc : backend()->connect(address, out);
}

ssize_t rt_stream_read(struct rt_stream *stream, void *buf, size_t len)
{
	int rc = core_check();

	assert(len > 0);
	return rc != 0 ? rc : stream->ops->read(stream, buf, len);
}

int rt_stream_read_full(struct rt_stream *stream, void *buf, size_t len)
{
	char *to = buf;

	while (len > 0) {
		ssize_t got = rt_stream_read(stream, to, len);

		if (got < 0)
			return (int)got;
		if (got == 0)
			return -ECONNRESET;
		to += got;
		len -= (size_t)got;
	}
	return 0;
}

int rt_stream_write(struct rt_stream *stream, const struct iovec *parts, unsigned count)
{
	int rc = core_check();

	assert(count <= PARTS_MAX);
	return rc != 0 ? rc : stream->ops->write(stream, parts, count);
}

void rt_stream_shutdown(struct rt_stream *stream)
{
	stream->ops->shutdown(stream);
}

void rt_stream_close(struct rt_stream *stream)
{
	RT_SHIELD();

	if (stream != NULL)
		stream->ops->close(stream);
}

const char *rt_stream_peer(const struct rt_stream *stream)
{
	return stream->peer;
}

bool rt_stream_is_local(const struct rt_stream *stream)
{
	return stream->local;
}

int rt_stream_peer_uid(const struct rt_stream *stream, uid_t *uid)
{
	if (!stream->has_peer_uid)
		return -EOPNOTSUPP;
	*uid = stream->peer_uid;
	return 0;
}
