/* SPDX-License-Identifier: Apache-2.0 */
/* A key and a certificate of our own, for those who have none. */
#include "rt/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "rt/file.h"
#include "rt/mem.h"

#define YEARS_NS	(3652 * 24 * 3600 * RT_SECOND)
#define DAY_NS		(24 * 3600 * RT_SECOND)
#define SERIAL_BYTES	16u

struct certificate {
	const char *host;
	int64_t now_ns;			/* since 1970 */
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t key_text, text;
	int error;			/* of the library, negative */
};

/* ---- what it says ---- */

static int set_names(gnutls_x509_crt_t crt, const char *host)
{
	char machine[256] = "localhost";
	uint8_t address[16];
	int rc, v6 = inet_pton(AF_INET6, host, address), v4 = v6 == 1 ? 0 : inet_pton(AF_INET, host, address);
	static const uint8_t any[16];
	unsigned len = v6 == 1 ? 16 : 4;

	if (gethostname(machine, sizeof(machine) - 1) != 0 || !*machine)
		snprintf(machine, sizeof(machine), "localhost");
	rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, machine, (unsigned)strlen(machine));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, machine,
							  (unsigned)strlen(machine), GNUTLS_FSAN_SET);
	if (rc >= 0 && strcmp(machine, "localhost") != 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_APPEND);
	if (rc >= 0 && (v4 == 1 || v6 == 1) && memcmp(address, any, len) != 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, len, GNUTLS_FSAN_APPEND);
	return rc;
}

static int set_content(struct certificate *made)
{
	uint8_t serial[SERIAL_BYTES];
	gnutls_x509_crt_t crt = made->crt;
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial));

	serial[0] &= 0x7f;		/* it is a positive number */
	serial[0] |= 1;
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(crt, (time_t)((made->now_ns - DAY_NS) / RT_SECOND));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, (time_t)((made->now_ns + YEARS_NS) / RT_SECOND));
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (rc >= 0)
		rc = set_names(crt, made->host);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(crt, made->key);
	return rc >= 0 ? gnutls_x509_crt_sign2(crt, crt, made->key, GNUTLS_DIG_SHA256, 0) : rc;
}

/* On a helper thread. */
static int make(void *arg)
{
	struct certificate *made = arg;
	int rc = gnutls_x509_privkey_init(&made->key);

	if (rc >= 0)
		rc = gnutls_x509_crt_init(&made->crt);
	if (rc >= 0)
		rc = gnutls_x509_privkey_generate(made->key, GNUTLS_PK_ECDSA,
						  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	if (rc >= 0)
		rc = set_content(made);
	if (rc >= 0)
		rc = gnutls_x509_crt_export2(made->crt, GNUTLS_X509_FMT_PEM, &made->text);
	if (rc >= 0)
		rc = gnutls_x509_privkey_export2_pkcs8(made->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
						       &made->key_text);
	made->error = rc < 0 ? rc : 0;
	return 0;
}

static void drop(struct certificate *made)
{
	if (made->key)
		gnutls_x509_privkey_deinit(made->key);
	if (made->crt)
		gnutls_x509_crt_deinit(made->crt);
	if (made->key_text.data)
		gnutls_memset(made->key_text.data, 0, made->key_text.size);
	gnutls_free(made->key_text.data);
	gnutls_free(made->text.data);
}

/* ---- where it is kept ---- */

/* Mode 0600. It has its name when it is whole. */
static int write_file(const char *folder, const char *name, const gnutls_datum_t *text)
{
	char path[512], path_new[520];
	struct rt_file *file;
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	snprintf(path_new, sizeof(path_new), "%s.new", path);
	rc = rt_file_open(path_new, RT_FILE_WRITE | RT_FILE_CREATE, &file);
	if (rc)
		return rc;
	rc = rt_file_set_size(file, 0);
	if (!rc)
		rc = rt_file_write(file, text->data, text->size, 0);
	if (!rc)
		rc = rt_file_sync(file);
	rt_file_close(file);
	if (!rc)
		rc = rt_path_rename(path_new, path);
	return rc ? rc : rt_path_sync_folder(folder);
}

/* The certificate last: where there is one there is its key. */
static int keep(const char *folder, const struct certificate *made)
{
	int rc = rt_path_make_folder(folder);

	if (rc == -EEXIST)
		rc = 0;
	if (!rc)
		rc = rt_path_sync_parent(folder);
	if (!rc)
		rc = write_file(folder, "server-key.pem", &made->key_text);
	return rc ? rc : write_file(folder, "server-cert.pem", &made->text);
}

static int is_there(const char *folder, bool *there)
{
	struct rt_file_info info;
	char path[512];
	int rc;

	if (snprintf(path, sizeof(path), "%s/server-cert.pem", folder) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	rc = rt_path_info(path, &info);
	*there = rc == 0;
	return rc == -ENOENT ? 0 : rc;
}

int tls_make_certificate(const char *folder, const char *host, bool *made_one, struct fault *fault)
{
	struct certificate made = { .host = host, .now_ns = rt_wall_ns() };
	bool there = false;
	int rc = is_there(folder, &there);

	*made_one = false;
	if (!rc && !there) {
		rc = rt_help(make, &made);
		if (!rc && !made.error)
			rc = keep(folder, &made);
		drop(&made);
		*made_one = !rc && !made.error;
	}
	if (made.error)
		return fault_set(fault, FAULT_FAILED, folder, "", "no certificate can be made: %s",
				 gnutls_strerror(made.error));
	if (rc)
		return fault_set(fault, FAULT_FAILED, folder, "", "the certificate of this system: %s",
				 strerror(-rc));
	return 0;
}
