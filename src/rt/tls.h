/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - TLS (1.2 and 1.3, by GnuTLS) around a stream: links by shared keys, NBD by certificates or shared keys. Only
 * in real programs; the simulator has no TLS, and what is above rt sees nothing but streams.
 *
 * GnuTLS works on memory alone: what it wants to send or receive is moved by the fibers outside of it. Handshakes,
 * which take most of the processor's time, run on helper threads.
 */
#ifndef XDC_RT_TLS_H
#define XDC_RT_TLS_H

#include "rt/fault.h"
#include "rt/net.h"

#define TLS_IDENTITY_SIZE	64u	/* with its end */

/* Who this side is and whom it believes: shared by all its connections, on any reactor, and not changed once made. */
struct tls;

/*
 * For links, both sides: a file of lines "identity:key", the key in hex, as psktool writes it. An identity with a dot
 * in it is the id of one system, and the key is that system's alone; one without is shared by many. This system shows
 * the line of own_id, or the first shared one. Suspends. -1 and the fault: the file cannot be read, or is not such a
 * file.
 */
RT_MUST_CHECK int tls_create_link(const char *path, const char *own_id, struct tls **out, struct fault *fault);

/*
 * For NBD, the serving side: a folder with server-cert.pem and server-key.pem, or with keys.psk (as above), or both.
 * With ca-cert.pem (and ca-crl.pem, if it is there) clients must show a certificate that it signed, or a key; without
 * it anybody is let in who knows no key, which is only encryption. Suspends. -1 and the fault.
 */
RT_MUST_CHECK int tls_create_server(const char *folder, struct tls **out, struct fault *fault);

/*
 * What a library needs that does TLS by itself, as HTTPS: the texts (PEM) of server-cert.pem, server-key.pem and, where
 * they are there (else NULL), ca-cert.pem and ca-crl.pem of a folder. Suspends. -1 and the fault; nothing to free then.
 */
struct tls_texts {
	char *certificate, *key, *authority, *revoked;
};
RT_MUST_CHECK int tls_read_texts(const char *folder, struct tls_texts *out, struct fault *fault);
void tls_free_texts(struct tls_texts *texts);

/*
 * Makes server-key.pem and server-cert.pem there, signed by itself and good for ten years, for the names of this
 * machine and the literal address host ("127.0.0.1", "::1"; of all addresses none is named). The folder is made when it
 * does not exist. *made false: there is a certificate already. Suspends. -1 and the fault.
 */
RT_MUST_CHECK int tls_make_certificate(const char *folder, const char *host, bool *made, struct fault *fault);

/* Not while any stream of it is open. NULL is allowed. Does not suspend. */
void tls_destroy(struct tls *tls);

/*
 * The handshake, as the side that dialed or the one that accepted. 0: *out owns plain from here on. -EPROTO (the log
 * says why: wrong key, no certificate, no TLS at all), -EACCES (the other side did not take our credentials), -ENOMEM,
 * -ETIMEDOUT, -ECANCELED and errors of the stream: plain is still the caller's, and good only for closing. Suspends;
 * the caller sets the limit.
 */
RT_MUST_CHECK int tls_connect(struct tls *tls, struct rt_stream *plain, struct rt_stream **out);
RT_MUST_CHECK int tls_accept(struct tls *tls, struct rt_stream *plain, struct rt_stream **out);

/* The identity that the client at the other end of a TLS stream has shown, "" if none. Lives as long as the stream. */
const char *tls_identity(const struct rt_stream *stream);

/*
 * The same with a struct tls as arg, in the forms that users of streams ask for. Those of links take plain over in any
 * case; *identity is that of one system, or NULL.
 */
RT_MUST_CHECK int tls_connect_link(void *tls, struct rt_stream *plain, struct rt_stream **out);
RT_MUST_CHECK int tls_accept_link(void *tls, struct rt_stream *plain, struct rt_stream **out, const char **identity);
RT_MUST_CHECK int tls_accept_nbd(void *tls, struct rt_stream *plain, struct rt_stream **out);

#endif
