/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - what tls.c (streams) and tls_credentials.c (keys and certificates) share. */
#ifndef XDC_RT_TLS_PRIVATE_H
#define XDC_RT_TLS_PRIVATE_H

#include <gnutls/gnutls.h>

#include "rt/tls.h"

#define TLS_KEY_BYTES_MAX	64u

struct tls_key {
	char identity[TLS_IDENTITY_SIZE];
	uint8_t bytes[TLS_KEY_BYTES_MAX];
	unsigned len;
};

struct tls {
	gnutls_priority_t priority;
	gnutls_psk_client_credentials_t psk_client;	/* these three are NULL where not used */
	gnutls_psk_server_credentials_t psk_server;
	gnutls_certificate_credentials_t certificate;
	bool verifies_clients;
	int64_t quiet_until_ns;				/* atomic: handshakes that fail are not logged before */
	unsigned key_count;
	struct tls_key *keys;
};

/* The key of an identity, or NULL. Any thread. */
const struct tls_key *tls_find_key(const struct tls *tls, const char *identity);

#endif
