/* SPDX-License-Identifier: Apache-2.0 */
/* Reads keys and certificates; nothing of them is ever shown in a text. */
#include "rt/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "rt/tls_private.h"

#define FILE_BYTES_MAX		(1u << 20)
#define KEYS_MAX		4096u
#define KEY_BYTES_MIN		16u

/* Shared keys alone; with an exchange that keeps old traffic secret when a key is lost. */
#define PRIORITY_LINK		"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK"
#define PRIORITY_SERVER		"NORMAL:-VERS-TLS1.0:-VERS-TLS1.1:-VERS-DTLS-ALL"
#define PRIORITY_SERVER_PSK	PRIORITY_SERVER ":+ECDHE-PSK:+DHE-PSK"

/* ---- files ---- */

static void wipe(void *memory, size_t len)
{
	gnutls_memset(memory, 0, len);
}

/* The whole file, with a zero behind it; wiped and freed by free_text. -EKEYREJECTED: a secret that all may read. */
static int read_text(const char *path, bool is_secret, gnutls_datum_t *text)
{
	struct rt_file_info info;
	struct rt_file *file;
	ssize_t got;
	int rc = rt_file_open(path, 0, &file);

	if (rc)
		return rc;
	text->data = NULL;
	rc = rt_file_get_info(file, &info);
	if (!rc && is_secret && info.others_may_read)
		rc = -EKEYREJECTED;
	if (!rc && info.size > FILE_BYTES_MAX)
		rc = -EFBIG;
	if (!rc) {
		text->size = (unsigned)info.size;
		text->data = mem_alloc_zeroed(text->size + 1);
		rc = text->data ? 0 : -ENOMEM;
	}
	if (!rc && text->size) {
		got = rt_file_read(file, text->data, text->size, 0);
		rc = got < 0 ? (int)got : 0;
	}
	rt_file_close(file);
	if (rc)
		mem_free(text->data);
	return rc;
}

static void free_text(gnutls_datum_t *text)
{
	if (text->data)
		wipe(text->data, text->size);
	mem_free(text->data);
	text->data = NULL;
}

static int cannot_read(struct fault *fault, const char *path, int error)
{
	char remedy[256];

	if (error != -EKEYREJECTED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "",
				 error == -EACCES ? "let the user of xdcd read it" : "", "%s cannot be read: %s", path,
				 strerror(-error));
	snprintf(remedy, sizeof(remedy), "chmod o= %.200s", path);
	return fault_set(fault, FAULT_INVALID_PARAMETER, "", remedy, "%s holds a secret, and every user may read it",
			 path);
}

/* ---- shared keys ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_key(struct tls_key *key, const char *hex, size_t len)
{
	if (len % 2 || len / 2 < KEY_BYTES_MIN || len / 2 > TLS_KEY_BYTES_MAX)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		key->bytes[i] = (uint8_t)(high << 4 | low);
	}
	key->len = (unsigned)(len / 2);
	return true;
}

/* "identity:hex", without its end of line. */
static bool parse_line(struct tls_key *key, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t identity_len = colon ? (size_t)(colon - line) : 0;

	*key = (struct tls_key){ 0 };
	if (!identity_len || identity_len >= sizeof(key->identity))
		return false;
	for (size_t i = 0; i < identity_len; i++) {
		if (line[i] <= 0x20 || line[i] >= 0x7f)
			return false;
		key->identity[i] = line[i];
	}
	return parse_key(key, colon + 1, len - identity_len - 1);
}

const struct tls_key *tls_find_key(const struct tls *tls, const char *identity)
{
	for (unsigned i = 0; i < tls->key_count; i++) {
		if (!strcmp(tls->keys[i].identity, identity))
			return &tls->keys[i];
	}
	return NULL;
}

/* One line of the file at path, whose number is for the fault. */
static int add_key(struct tls *tls, const char *path, unsigned number, const char *line, size_t len,
		   struct fault *fault)
{
	struct tls_key *key = &tls->keys[tls->key_count];

	if (len && line[len - 1] == '\r')
		len--;
	if (!len || line[0] == '#')
		return 0;
	if (tls->key_count == KEYS_MAX)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "", "", "%s has more than %u keys", path, KEYS_MAX);
	if (!parse_line(key, line, len))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "", "psktool -u IDENTITY -p FILE",
				 "line %u of %s is not IDENTITY:KEY with a key of %u to %u bytes in hex", number, path,
				 KEY_BYTES_MIN, TLS_KEY_BYTES_MAX);
	if (tls_find_key(tls, key->identity))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "", "", "%s has two keys of %s", path, key->identity);
	tls->key_count++;
	return 0;
}

static int parse_keys(struct tls *tls, const char *path, const char *text, struct fault *fault)
{
	unsigned number = 0;
	int rc = 0;

	while (*text && !rc) {
		size_t len = strcspn(text, "\n");

		rc = add_key(tls, path, ++number, text, len, fault);
		text += len + (text[len] == '\n');
	}
	if (!rc && !tls->key_count)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "", "psktool -u IDENTITY -p FILE", "%s has no keys",
				 path);
	return rc;
}

/* Called by the library during a handshake, on a helper thread. */
static int give_key(gnutls_session_t session, const char *identity, gnutls_datum_t *out)
{
	const struct tls_key *key = tls_find_key(gnutls_session_get_ptr(session), identity);

	if (!key)
		return -1;
	out->data = gnutls_malloc(key->len);
	if (!out->data)
		return -1;
	memcpy(out->data, key->bytes, key->len);
	out->size = key->len;
	return 0;
}

static int read_keys(struct tls *tls, const char *path, struct fault *fault)
{
	gnutls_datum_t text;
	int rc = read_text(path, true, &text);

	if (rc)
		return cannot_read(fault, path, rc);
	tls->keys = mem_alloc_zeroed((KEYS_MAX + 1) * sizeof(tls->keys[0]));
	if (tls->keys)
		rc = parse_keys(tls, path, (const char *)text.data, fault);
	else
		rc = cannot_read(fault, path, -ENOMEM);
	free_text(&text);
	if (rc)
		return rc;
	if (gnutls_psk_allocate_server_credentials(&tls->psk_server) < 0)
		return cannot_read(fault, path, -ENOMEM);
	gnutls_psk_set_server_credentials_function(tls->psk_server, give_key);
	return 0;
}

/* The key that this side shows when it dials. */
static int choose_key(struct tls *tls, const char *path, const char *own_id, struct fault *fault)
{
	const struct tls_key *key = tls_find_key(tls, own_id);
	gnutls_datum_t bytes;

	for (unsigned i = 0; i < tls->key_count && !key; i++) {
		if (!strchr(tls->keys[i].identity, '.'))
			key = &tls->keys[i];
	}
	if (!key)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "", "psktool -u IDENTITY -p FILE",
				 "%s has no key of %s, nor one that is shared", path, own_id);
	bytes = (gnutls_datum_t){ .data = (unsigned char *)(uintptr_t)key->bytes, .size = key->len };
	if (gnutls_psk_allocate_client_credentials(&tls->psk_client) < 0 ||
	    gnutls_psk_set_client_credentials(tls->psk_client, key->identity, &bytes, GNUTLS_PSK_KEY_RAW) < 0)
		return cannot_read(fault, path, -ENOMEM);
	return 0;
}

/* ---- certificates ---- */

static int is_there(const char *path, bool *there)
{
	struct rt_file_info info;
	int rc = rt_path_info(path, &info);

	*there = !rc;
	return rc == -ENOENT ? 0 : rc;
}

struct folder {
	char certificate[512], key[512], authority[512], revoked[512], shared[512];
	bool has_certificate, has_authority, has_revoked, has_shared;
};

static int look_into(struct folder *folder, const char *path, struct fault *fault)
{
	struct {
		char *to;
		const char *name;
		bool *there;
	} files[] = {
		{ folder->certificate, "server-cert.pem", &folder->has_certificate },
		{ folder->key, "server-key.pem", NULL },
		{ folder->authority, "ca-cert.pem", &folder->has_authority },
		{ folder->revoked, "ca-crl.pem", &folder->has_revoked },
		{ folder->shared, "keys.psk", &folder->has_shared },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int len = snprintf(files[i].to, sizeof(folder->key), "%s/%s", path, files[i].name);
		int rc = (size_t)len < sizeof(folder->key) ? 0 : -ENAMETOOLONG;

		if (!rc && files[i].there)
			rc = is_there(files[i].to, files[i].there);
		if (rc)
			return cannot_read(fault, path, rc);
	}
	if (!folder->has_certificate && !folder->has_shared)
		return fault_set(fault, FAULT_INVALID_PARAMETER, "",
				 "put server-cert.pem and server-key.pem, or keys.psk, there",
				 "%s has no credentials of TLS", path);
	return 0;
}

int tls_read_texts(const char *path, struct tls_texts *out, struct fault *fault)
{
	struct folder folder = { 0 };
	gnutls_datum_t certificate = { 0 }, key = { 0 }, authority = { 0 }, revoked = { 0 };
	struct {
		const char *path;
		gnutls_datum_t *text;
		bool wanted, is_secret;
	} files[] = {
		{ folder.certificate, &certificate, true, false },
		{ folder.key, &key, true, true },
		{ folder.authority, &authority, false, false },
		{ folder.revoked, &revoked, false, false },
	};
	int rc = look_into(&folder, path, fault);

	files[2].wanted = folder.has_authority;
	files[3].wanted = folder.has_authority && folder.has_revoked;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !rc; i++) {
		rc = files[i].wanted ? read_text(files[i].path, files[i].is_secret, files[i].text) : 0;
		if (rc) {
			files[i].text->data = NULL;
			cannot_read(fault, files[i].path, rc);
		}
	}
	*out = (struct tls_texts){ (char *)certificate.data, (char *)key.data, (char *)authority.data,
				   (char *)revoked.data };
	if (!rc)
		return 0;
	tls_free_texts(out);
	return -1;
}

void tls_free_texts(struct tls_texts *texts)
{
	if (texts->key)
		wipe(texts->key, strlen(texts->key));
	mem_free(texts->certificate);
	mem_free(texts->key);
	mem_free(texts->authority);
	mem_free(texts->revoked);
	*texts = (struct tls_texts){ 0 };
}

/* What the library says of a file that it does not like. */
static int refused(struct fault *fault, const char *path, int error)
{
	return fault_set(fault, FAULT_INVALID_PARAMETER, "", "", "%s is of no use: %s", path, gnutls_strerror(error));
}

static int read_certificate(struct tls *tls, const struct folder *folder, struct fault *fault)
{
	gnutls_datum_t certificate, key;
	int rc = read_text(folder->certificate, false, &certificate);

	if (rc)
		return cannot_read(fault, folder->certificate, rc);
	rc = read_text(folder->key, true, &key);
	if (rc) {
		free_text(&certificate);
		return cannot_read(fault, folder->key, rc);
	}
	rc = gnutls_certificate_set_x509_key_mem(tls->certificate, &certificate, &key, GNUTLS_X509_FMT_PEM);
	free_text(&certificate);
	free_text(&key);
	return rc < 0 ? refused(fault, folder->certificate, rc) : 0;
}

/* A file of certificates or of revocations, which set takes in: how many, or an error of the library. */
static int read_list(struct tls *tls, const char *path, struct fault *fault,
		     int (*set)(gnutls_certificate_credentials_t to, const gnutls_datum_t *text,
				gnutls_x509_crt_fmt_t format))
{
	gnutls_datum_t text;
	int rc = read_text(path, false, &text);

	if (rc)
		return cannot_read(fault, path, rc);
	rc = set(tls->certificate, &text, GNUTLS_X509_FMT_PEM);
	free_text(&text);
	return rc <= 0 ? refused(fault, path, rc < 0 ? rc : GNUTLS_E_NO_CERTIFICATE_FOUND) : 0;
}

static int read_certificates(struct tls *tls, const struct folder *folder, struct fault *fault)
{
	int rc;

	if (gnutls_certificate_allocate_credentials(&tls->certificate) < 0)
		return cannot_read(fault, folder->certificate, -ENOMEM);
	rc = read_certificate(tls, folder, fault);
	if (!rc && folder->has_authority) {
		tls->verifies_clients = true;
		rc = read_list(tls, folder->authority, fault, gnutls_certificate_set_x509_trust_mem);
	}
	if (!rc && !folder->has_authority)
		log_line(LOG_WARNING, "tls", "no %s: whoever reaches NBD is let in, only encrypted", folder->authority);
	if (!rc && folder->has_revoked)
		rc = read_list(tls, folder->revoked, fault, gnutls_certificate_set_x509_crl_mem);
	return rc;
}

/* ---- whole sets ---- */

/* NULL: the fault says why. */
static struct tls *create(const char *priority, struct fault *fault)
{
	struct tls *tls = mem_alloc_zeroed(sizeof(*tls));

	if (!tls || gnutls_priority_init(&tls->priority, priority, NULL) < 0) {
		mem_free(tls);
		fault_set(fault, FAULT_FAILED, "", "", "no memory for TLS, or the machine's policy forbids it");
		return NULL;
	}
	return tls;
}

int tls_create_link(const char *path, const char *own_id, struct tls **out, struct fault *fault)
{
	struct tls *tls = create(PRIORITY_LINK, fault);
	int rc;

	if (!tls)
		return -1;
	rc = read_keys(tls, path, fault);
	if (!rc)
		rc = choose_key(tls, path, own_id, fault);
	if (rc)
		tls_destroy(tls);
	else
		*out = tls;
	return rc;
}

int tls_create_server(const char *path, struct tls **out, struct fault *fault)
{
	struct folder folder = { 0 };
	struct tls *tls;
	int rc = look_into(&folder, path, fault);

	if (rc)
		return rc;
	tls = create(folder.has_shared ? PRIORITY_SERVER_PSK : PRIORITY_SERVER, fault);
	if (!tls)
		return -1;
	if (folder.has_certificate)
		rc = read_certificates(tls, &folder, fault);
	if (!rc && folder.has_shared)
		rc = read_keys(tls, folder.shared, fault);
	if (rc)
		tls_destroy(tls);
	else
		*out = tls;
	return rc;
}

void tls_destroy(struct tls *tls)
{
	if (!tls)
		return;
	if (tls->psk_client)
		gnutls_psk_free_client_credentials(tls->psk_client);
	if (tls->psk_server)
		gnutls_psk_free_server_credentials(tls->psk_server);
	if (tls->certificate)
		gnutls_certificate_free_credentials(tls->certificate);
	if (tls->keys)
		wipe(tls->keys, tls->key_count * sizeof(tls->keys[0]));
	mem_free(tls->keys);
	gnutls_priority_deinit(tls->priority);
	mem_free(tls);
}
