/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "rt/tls_private.h"

#define IN_BYTES	(32u << 10)	/* read from the plain stream at once */
#define CORK_BYTES	(64u << 10)	/* encrypted between two writes to the plain stream */
#define GOODBYE_MS	100
#define QUIET_NS	(10 * RT_SECOND)

struct tls_stream {
	struct rt_stream stream;
	struct rt_stream *plain;
	gnutls_session_t session;
	char identity[TLS_IDENTITY_SIZE];

	uint8_t *in;			/* received and not yet decrypted: in_start ... in_end */
	size_t in_start, in_end;
	bool is_ended;			/* the plain stream has */

	uint8_t *out;			/* encrypted and not yet sent; by the writer, seldom by the reader */
	size_t out_len, out_room;
	struct rt_mutex sending;
	bool is_shut;
	int step_rc;			/* of the handshake */
};

static struct tls_stream *of_stream(const struct rt_stream *stream)
{
	return container_of((struct rt_stream *)(uintptr_t)stream, struct tls_stream, stream);
}

/* ---- what the library calls to send and receive: memory only ---- */

static ssize_t pull(gnutls_transport_ptr_t arg, void *buf, size_t len)
{
	struct tls_stream *tls = arg;
	size_t there = tls->in_end - tls->in_start;

	if (!there && tls->is_ended)
		return 0;
	if (!there) {
		gnutls_transport_set_errno(tls->session, EAGAIN);
		return -1;
	}
	if (len > there)
		len = there;
	memcpy(buf, tls->in + tls->in_start, len);
	tls->in_start += len;
	return (ssize_t)len;
}

static ssize_t push(gnutls_transport_ptr_t arg, const void *buf, size_t len)
{
	struct tls_stream *tls = arg;

	if (len > tls->out_room - tls->out_len) {
		size_t room = 2 * (tls->out_len + len);
		uint8_t *out = tls->out ? mem_resize(tls->out, room) : mem_alloc(room);

		if (!out) {
			gnutls_transport_set_errno(tls->session, ENOMEM);
			return -1;
		}
		tls->out = out;
		tls->out_room = room;
	}
	memcpy(tls->out + tls->out_len, buf, len);
	tls->out_len += len;
	return (ssize_t)len;
}

/* ---- between memory and the plain stream ---- */

/* Reads more for the library to decrypt. Only when it has taken everything. */
static int receive(struct tls_stream *tls)
{
	ssize_t got;

	assert(tls->in_start == tls->in_end);
	got = rt_stream_read(tls->plain, tls->in, IN_BYTES);
	if (got < 0)
		return (int)got;
	tls->is_ended = got == 0;
	tls->in_start = 0;
	tls->in_end = (size_t)got;
	return 0;
}

/* Sends all that the library has made. What comes up meanwhile goes into a new buffer. */
static int send_out(struct tls_stream *tls)
{
	int rc = rt_mutex_lock(&tls->sending);

	if (rc)
		return rc;
	while (tls->out_len && !rc) {
		MEM_OWNED uint8_t *out = tls->out;
		size_t len = tls->out_len;

		tls->out = NULL;
		tls->out_len = tls->out_room = 0;
		rc = rt_stream_write(tls->plain, &(struct iovec){ out, len }, 1);
		if (!rc && !tls->out) {
			tls->out = out;
			tls->out_room = len;
			out = NULL;
		}
	}
	rt_mutex_unlock(&tls->sending);
	return rc;
}

/* ---- the stream ---- */

static int error_of(struct tls_stream *tls, ssize_t rc)
{
	/* The plain stream was cut off, at the end of a record or within one. */
	if (tls->is_ended && tls->in_start == tls->in_end)
		return -ECONNRESET;
	if (rc == GNUTLS_E_MEMORY_ERROR)
		return -ENOMEM;
	log_line(LOG_WARNING, "tls", "%s: %s", tls->stream.peer, gnutls_strerror((int)rc));
	return -EPROTO;
}

static ssize_t read_stream(struct rt_stream *stream, void *buf, size_t len)
{
	struct tls_stream *tls = of_stream(stream);

	for (;;) {
		ssize_t got = gnutls_record_recv(tls->session, buf, len);
		int rc = 0;

		/* Answers to what the protocol itself had to say. */
		if (tls->out_len && !tls->sending.held)
			rc = send_out(tls);
		if (got >= 0)
			return got;
		if (!rc && got != GNUTLS_E_AGAIN && got != GNUTLS_E_INTERRUPTED)
			rc = error_of(tls, got);
		if (!rc && got == GNUTLS_E_AGAIN)
			rc = receive(tls);
		if (rc)
			return rc;
	}
}

/* Encrypts what was gathered and sends it. */
static int uncork(struct tls_stream *tls)
{
	int rc = gnutls_record_uncork(tls->session, 0);

	return rc < 0 ? error_of(tls, rc) : send_out(tls);
}

static int write_stream(struct rt_stream *stream, const struct iovec *parts, unsigned count)
{
	struct tls_stream *tls = of_stream(stream);
	size_t corked = 0;
	int rc = 0;

	gnutls_record_cork(tls->session);
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *from = parts[i].iov_base;
		size_t left = parts[i].iov_len;

		while (left && !rc) {
			size_t len = left < CORK_BYTES - corked ? left : CORK_BYTES - corked;
			ssize_t sent = gnutls_record_send(tls->session, from, len);

			if (sent < 0)
				return error_of(tls, sent);
			from += sent;
			left -= (size_t)sent;
			corked += (size_t)sent;
			if (corked < CORK_BYTES)
				continue;
			rc = uncork(tls);
			gnutls_record_cork(tls->session);
			corked = 0;
		}
	}
	return rc ? rc : uncork(tls);
}

static void shutdown_stream(struct rt_stream *stream)
{
	struct tls_stream *tls = of_stream(stream);

	tls->is_shut = true;
	rt_stream_shutdown(tls->plain);
}

static void free_stream(struct tls_stream *tls)
{
	if (tls->session)
		gnutls_deinit(tls->session);
	mem_free(tls->in);
	mem_free(tls->out);
	mem_free(tls);
}

/* The other side is told that this was the end, if it listens; nobody waits for long. */
static void close_stream(struct rt_stream *stream)
{
	struct tls_stream *tls = of_stream(stream);
	RT_LIMIT(rt_now_ns() + GOODBYE_MS * RT_MS);

	if (!tls->is_shut && gnutls_bye(tls->session, GNUTLS_SHUT_WR) >= 0 && send_out(tls))
		log_line(LOG_DEBUG, "tls", "%s has gone already", stream->peer);
	rt_stream_close(tls->plain);
	free_stream(tls);
}

static const struct rt_stream_ops tls_ops = {
	.read = read_stream, .write = write_stream, .shutdown = shutdown_stream, .close = close_stream,
};

/* ---- the handshake ---- */

static int prepare_session(struct tls_stream *stream, struct tls *tls, bool is_server)
{
	gnutls_session_t session;
	int rc = gnutls_init(&stream->session, (is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK |
			     GNUTLS_NO_TICKETS | GNUTLS_NO_SIGNAL);

	if (rc < 0)
		return rc;
	session = stream->session;
	gnutls_session_set_ptr(session, tls);
	gnutls_transport_set_ptr(session, stream);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_push_function(session, push);
	/* Limits are those of the fiber. */
	gnutls_handshake_set_timeout(session, GNUTLS_INDEFINITE_TIMEOUT);
	rc = gnutls_priority_set(session, tls->priority);
	if (rc >= 0 && is_server && tls->psk_server)
		rc = gnutls_credentials_set(session, GNUTLS_CRD_PSK, tls->psk_server);
	if (rc >= 0 && !is_server)
		rc = gnutls_credentials_set(session, GNUTLS_CRD_PSK, tls->psk_client);
	if (rc >= 0 && is_server && tls->certificate)
		rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->certificate);
	if (tls->verifies_clients) {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert(session, NULL, 0);
	}
	return rc;
}

/* On a helper thread: as far as it comes with what was received. */
static int handshake_step(void *arg)
{
	struct tls_stream *tls = arg;

	do {
		tls->step_rc = gnutls_handshake(tls->session);
	} while (tls->step_rc < 0 && tls->step_rc != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(tls->step_rc));
	return 0;
}

/* Whoever tries again and again is not to fill the log. */
static enum log_level log_level_now(struct tls *tls)
{
	int64_t now = rt_now_ns();

	if (now < __atomic_load_n(&tls->quiet_until_ns, __ATOMIC_RELAXED))
		return LOG_DEBUG;
	__atomic_store_n(&tls->quiet_until_ns, now + QUIET_NS, __ATOMIC_RELAXED);
	return LOG_WARNING;
}

/* Tells the other side, if it still listens, and the log. */
static void say_refused(struct tls_stream *tls)
{
	int rc = tls->step_rc;

	log_line(log_level_now(gnutls_session_get_ptr(tls->session)), "tls", "handshake with %s: %s", tls->stream.peer,
		 gnutls_strerror(rc));
	if (gnutls_alert_send_appropriate(tls->session, rc) >= 0 && send_out(tls))
		log_line(LOG_DEBUG, "tls", "%s has gone already", tls->stream.peer);
}

static int shake_hands(struct tls_stream *tls)
{
	for (;;) {
		int rc = rt_help(handshake_step, tls);

		if (!rc && tls->step_rc < 0 && tls->step_rc != GNUTLS_E_AGAIN) {
			say_refused(tls);
			return tls->step_rc == GNUTLS_E_FATAL_ALERT_RECEIVED ? -EACCES : -EPROTO;
		}
		if (!rc)
			rc = send_out(tls);
		if (!rc && tls->step_rc >= 0)
			return 0;
		if (!rc)
			rc = receive(tls);
		if (rc)
			return rc;
	}
}

static void note_identity(struct tls_stream *tls)
{
	const char *identity = gnutls_psk_server_get_username(tls->session);

	if (gnutls_auth_client_get_type(tls->session) == GNUTLS_CRD_PSK && identity)
		snprintf(tls->identity, sizeof(tls->identity), "%s", identity);
}

static int begin(struct tls *tls, struct rt_stream *plain, bool is_server, struct rt_stream **out)
{
	struct tls_stream *stream = mem_alloc_zeroed(sizeof(*stream));
	int rc;

	if (!stream)
		return -ENOMEM;
	stream->stream = *plain;
	stream->stream.ops = &tls_ops;
	stream->plain = plain;
	stream->in = mem_alloc(IN_BYTES);
	rt_mutex_init(&stream->sending);
	rc = stream->in && prepare_session(stream, tls, is_server) >= 0 ? shake_hands(stream) : -ENOMEM;
	if (rc) {
		free_stream(stream);
		return rc;
	}
	if (is_server)
		note_identity(stream);
	*out = &stream->stream;
	return 0;
}

int tls_connect(struct tls *tls, struct rt_stream *plain, struct rt_stream **out)
{
	assert(tls->psk_client);
	return begin(tls, plain, false, out);
}

int tls_accept(struct tls *tls, struct rt_stream *plain, struct rt_stream **out)
{
	return begin(tls, plain, true, out);
}

const char *tls_identity(const struct rt_stream *stream)
{
	assert(stream->ops == &tls_ops);
	return of_stream(stream)->identity;
}

/* ---- the forms that users of streams ask for ---- */

int tls_connect_link(void *tls, struct rt_stream *plain, struct rt_stream **out)
{
	int rc = tls_connect(tls, plain, out);

	if (rc)
		rt_stream_close(plain);
	return rc;
}

int tls_accept_link(void *tls, struct rt_stream *plain, struct rt_stream **out, const char **identity)
{
	int rc = tls_accept(tls, plain, out);

	if (rc) {
		rt_stream_close(plain);
		return rc;
	}
	*identity = strchr(tls_identity(*out), '.') ? tls_identity(*out) : NULL;
	return 0;
}

int tls_accept_nbd(void *tls, struct rt_stream *plain, struct rt_stream **out)
{
	return tls_accept(tls, plain, out);
}
