/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/https.h"

#include <stdio.h>
#include <string.h>

#include <gnutls/x509.h>

#include "rt/door.h"
#include "rt/log.h"
#include "rt/mem.h"

#define CHAIN_MAX		8u
#define FINGERPRINT_BYTES	32u
#define QUIET_NS		(RT_SECOND / 2)

const char cim_https_priorities[] = "NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL";

struct cim_https {
	struct tls_texts texts;
	gnutls_x509_trust_list_t trusted;	/* NULL: clients have no certificates */
	int64_t quiet_until_ns;			/* atomic: those that are not good are not logged before */
};

static int refuse(struct fault *fault, const char *folder, const char *file, int error)
{
	return fault_set(fault, FAULT_INVALID_PARAMETER, folder, "", "%s is of no use: %s", file,
			 gnutls_strerror(error));
}

static gnutls_datum_t datum(char *text)
{
	return (gnutls_datum_t){ (unsigned char *)text, (unsigned)strlen(text) };
}

/* ---- its own ---- */

static void log_fingerprint(gnutls_x509_crt_t crt, const char *folder, bool made)
{
	uint8_t bytes[FINGERPRINT_BYTES];
	char text[3 * FINGERPRINT_BYTES + 1] = "", until[32] = "?";
	size_t len = sizeof(bytes);
	time_t end = gnutls_x509_crt_get_expiration_time(crt);
	struct tm utc;

	if (gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, bytes, &len) < 0)
		return;
	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, "%02X%s", bytes[i], i + 1 < len ? ":" : "");
	if (gmtime_r(&end, &utc))
		strftime(until, sizeof(until), "%Y-%m-%d", &utc);
	log_line(LOG_NOTICE, "cim", "HTTPS with the certificate %sin %s, SHA-256 %s, good until %s",
		 made ? "that was made now " : "", folder, text, until);
	if (end < door_wall_ns() / RT_SECOND)
		log_line(LOG_WARNING, "cim", "the certificate in %s has expired: clients will refuse it", folder);
}

/* The first of the file is the server's; it must be what the key is for. */
static int check_own(const struct cim_https *https, const char *folder, bool made, struct fault *fault)
{
	gnutls_certificate_credentials_t both = NULL;
	gnutls_datum_t certificate = datum(https->texts.certificate), key = datum(https->texts.key);
	gnutls_x509_crt_t crt = NULL;
	int rc = gnutls_certificate_allocate_credentials(&both);

	if (rc >= 0)
		rc = gnutls_certificate_set_x509_key_mem(both, &certificate, &key, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		rc = gnutls_x509_crt_init(&crt);
	if (rc >= 0)
		rc = gnutls_x509_crt_import(crt, &certificate, GNUTLS_X509_FMT_PEM);
	if (rc >= 0)
		log_fingerprint(crt, folder, made);
	if (crt)
		gnutls_x509_crt_deinit(crt);
	if (both)
		gnutls_certificate_free_credentials(both);
	return rc < 0 ? refuse(fault, folder, "server-cert.pem with server-key.pem", rc) : 0;
}

/* ---- those of clients ---- */

static int read_authority(struct cim_https *https, const char *folder, struct fault *fault)
{
	const struct tls_texts *texts = &https->texts;
	gnutls_datum_t authority, revoked = { 0 };
	int rc;

	if (!texts->authority)
		return 0;
	authority = datum(texts->authority);
	if (texts->revoked)
		revoked = datum(texts->revoked);
	rc = gnutls_x509_trust_list_init(&https->trusted, 0);
	if (rc >= 0)
		rc = gnutls_x509_trust_list_add_trust_mem(https->trusted, &authority, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
	if (rc == 0)
		rc = GNUTLS_E_NO_CERTIFICATE_FOUND;
	if (rc < 0)
		return refuse(fault, folder, "ca-cert.pem", rc);
	if (!texts->revoked)
		return 0;
	rc = gnutls_x509_trust_list_add_trust_mem(https->trusted, NULL, &revoked, GNUTLS_X509_FMT_PEM,
						  GNUTLS_TL_VERIFY_CRL, 0);
	return rc <= 0 ? refuse(fault, folder, "ca-crl.pem", rc ? rc : GNUTLS_E_NO_CERTIFICATE_FOUND) : 0;
}

/* As many as were imported; negative: an error of the library. */
static int import_chain(gnutls_session_t session, gnutls_x509_crt_t chain[CHAIN_MAX])
{
	unsigned count = 0;
	const gnutls_datum_t *raw = gnutls_certificate_get_peers(session, &count);

	for (unsigned i = 0; raw && i < count && i < CHAIN_MAX; i++) {
		int rc = gnutls_x509_crt_init(&chain[i]);

		if (rc >= 0) {
			rc = gnutls_x509_crt_import(chain[i], &raw[i], GNUTLS_X509_FMT_DER);
			if (rc < 0)
				gnutls_x509_crt_deinit(chain[i]);
		}
		if (rc < 0) {
			while (i-- > 0)
				gnutls_x509_crt_deinit(chain[i]);
			return rc;
		}
	}
	return raw ? (int)(count < CHAIN_MAX ? count : CHAIN_MAX) : 0;
}

/* NULL: it is good, and name is set. */
static const char *judge(const struct cim_https *https, gnutls_x509_crt_t *chain, unsigned count,
			 char name[CIM_USER_MAX])
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	size_t len = CIM_USER_MAX;
	unsigned status = 0;

	if (gnutls_x509_trust_list_verify_crt2(https->trusted, chain, count, &purpose, 1, 0, &status, NULL) < 0)
		return "it cannot be verified";
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return "it is not good today";
	if (status & GNUTLS_CERT_REVOKED)
		return "it was revoked";
	if (status & GNUTLS_CERT_PURPOSE_MISMATCH)
		return "it is not for clients";
	if (status)
		return "the authority did not sign it";
	if (gnutls_x509_crt_get_dn_by_oid(chain[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &len) < 0 ||
	    strlen(name) != len || cim_user_check_name(name))
		return "its common name is not the name of a user";
	return NULL;
}

/* Whoever comes with bad ones again and again does not fill the log. */
static enum log_level log_level_now(struct cim_https *https)
{
	int64_t now = door_now_ns();

	if (now < __atomic_load_n(&https->quiet_until_ns, __ATOMIC_RELAXED))
		return LOG_DEBUG;
	__atomic_store_n(&https->quiet_until_ns, now + QUIET_NS, __ATOMIC_RELAXED);
	return LOG_WARNING;
}

bool cim_https_name(struct cim_https *https, gnutls_session_t session, const char *host, char name[CIM_USER_MAX])
{
	gnutls_x509_crt_t chain[CHAIN_MAX];
	const char *wrong;
	int count;

	*name = '\0';
	if (!https->trusted || gnutls_certificate_type_get2(session, GNUTLS_CTYPE_PEERS) != GNUTLS_CRT_X509)
		return false;
	count = import_chain(session, chain);
	if (count == 0)
		return false;
	wrong = count > 0 ? judge(https, chain, (unsigned)count, name) : "it cannot be read";
	for (int i = 0; i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	if (!wrong)
		return true;
	*name = '\0';
	log_line(log_level_now(https), "cim", "the certificate of the client at %s is not good: %s", host, wrong);
	return false;
}

/* ---- the whole ---- */

const struct tls_texts *cim_https_texts(const struct cim_https *https)
{
	return &https->texts;
}

/* HOST of "HOST:PORT" and "[HOST]:PORT". */
static void cut_host(const char *address, char host[64])
{
	const char *end = strrchr(address, ':');
	bool bracketed = *address == '[';

	snprintf(host, 64, "%.*s", end ? (int)(end - address) - 2 * bracketed : 0, address + bracketed);
}

int cim_https_create(const char *folder, const char *state_folder, const char *address, struct cim_https **out,
		     struct fault *fault)
{
	struct cim_https *https = mem_alloc_zeroed(sizeof(*https));
	char own[512], host[64];
	bool made = false;
	int rc = 0;

	if (!https)
		return fault_set(fault, FAULT_FAILED, "cims", "", "out of memory");
	if (!folder) {
		if (snprintf(own, sizeof(own), "%s/cim-tls", state_folder) >= (int)sizeof(own))
			rc = fault_set(fault, FAULT_INVALID_PARAMETER, "state", "", "the path is too long");
		folder = own;
		cut_host(address, host);
		if (!rc)
			rc = tls_make_certificate(folder, host, &made, fault);
	}
	if (!rc)
		rc = tls_read_texts(folder, &https->texts, fault);
	if (!rc)
		rc = check_own(https, folder, made, fault);
	if (!rc)
		rc = read_authority(https, folder, fault);
	if (!rc)
		*out = https;
	else
		cim_https_destroy(https);
	return rc;
}

void cim_https_destroy(struct cim_https *https)
{
	if (!https)
		return;
	if (https->trusted)
		gnutls_x509_trust_list_deinit(https->trusted, 1);
	tls_free_texts(&https->texts);
	mem_free(https);
}
