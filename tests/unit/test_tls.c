/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS on real sockets. Between client and server stands a go-between that sees and may spoil every byte, so that the
 * tests know what is on the wire.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/mem.h"
#include "rt/run.h"
#include "rt/tls.h"
#include "rt_check.h"

#define BULK_BYTES	(3u << 20)
#define SECRET		"a block that nobody else may read"

static char folder[64];
static char keys_path[128], other_keys_path[128], shared_keys_path[128], address[128], back_address[128];

/* ---- files ---- */

static void write_file(const char *name, const char *text, char *path, size_t path_size)
{
	char made[128];
	FILE *file;

	snprintf(made, sizeof(made), "%s/%s", folder, name);
	file = fopen(made, "w");
	CHECK(file && fputs(text, file) >= 0 && !fclose(file) && !chmod(made, 0640));
	if (path)
		snprintf(path, path_size, "%s", made);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/xdc-tls-XXXXXX");
	CHECK(mkdtemp(folder));
	write_file("link.psk",
		   "# two systems\n2105.FA120:00112233445566778899aabbccddeeff\n"
		   "2105.FB230:ffeeddccbbaa99887766554433221100\n", keys_path, sizeof(keys_path));
	write_file("other.psk",
		   "2105.FA120:00112233445566778899aabbccddee00\nshared:00112233445566778899aabbccddeeff\n",
		   other_keys_path, sizeof(other_keys_path));
	write_file("shared.psk", "site:00112233445566778899aabbccddeeff\r\n", shared_keys_path,
		   sizeof(shared_keys_path));
	snprintf(address, sizeof(address), "unix:%s/front", folder);
	snprintf(back_address, sizeof(back_address), "unix:%s/back", folder);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? -1 : 0;
}

static void run(int (*fn)(void *arg))
{
	struct rt_options options = { .reactors = 2 };

	assert_int_equal(rt_run(&options, fn, NULL), 0);
}

static struct tls *link_tls(const char *path, const char *own_id)
{
	struct fault fault = { 0 };
	struct tls *tls;

	if (tls_create_link(path, own_id, &tls, &fault)) {
		fprintf(stderr, "%s\n", fault.message);
		CHECK(!"credentials");
	}
	return tls;
}

/* ---- client, go-between, server ---- */

static struct {
	struct tls *client, *server;		/* NULL: plain */
	int (*client_fn)(struct rt_stream *stream);
	int (*server_fn)(struct rt_stream *stream);
	size_t spoil_at;			/* the byte from client to server that is turned over; 0: none */
	size_t cut_at;				/* after so many the go-between hangs up; 0: never */
	bool saw_secret;
	int client_rc, server_rc;		/* of the handshakes */
	char identity[TLS_IDENTITY_SIZE];
} play;

struct pass {
	struct rt_stream *from, *to;
	bool forward;
};

static void look_for_secret(const uint8_t *bytes, size_t len)
{
	if (memmem(bytes, len, SECRET, strlen(SECRET)))
		play.saw_secret = true;
}

static void pass_on(void *arg)
{
	struct pass *pass = arg;
	uint8_t bytes[65536];
	size_t before = 0;
	ssize_t got;

	while ((got = rt_stream_read(pass->from, bytes, sizeof(bytes))) > 0) {
		look_for_secret(bytes, (size_t)got);
		if (pass->forward && play.spoil_at >= before && play.spoil_at < before + (size_t)got && play.spoil_at)
			bytes[play.spoil_at - before] ^= 0x40;
		before += (size_t)got;
		if (pass->forward && play.cut_at && before > play.cut_at)
			break;
		if (rt_stream_write(pass->to, &(struct iovec){ bytes, (size_t)got }, 1))
			break;
	}
	rt_stream_shutdown(pass->from);
	rt_stream_shutdown(pass->to);
}

static void go_between(void *arg)
{
	struct rt_listener *listener = arg;
	struct pass there = { .forward = true }, back = { 0 };
	struct rt_group group;

	CHECK_EQUAL(rt_accept(listener, &there.from), 0);
	CHECK_EQUAL(rt_connect(back_address, &there.to), 0);
	back.from = there.to;
	back.to = there.from;
	rt_group_init(&group);
	CHECK_EQUAL(rt_group_start(&group, "back", pass_on, &back), 0);
	pass_on(&there);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	rt_stream_close(there.from);
	rt_stream_close(there.to);
}

static void serve(void *arg)
{
	struct rt_listener *listener = arg;
	struct rt_stream *plain, *stream;

	CHECK_EQUAL(rt_accept(listener, &plain), 0);
	stream = plain;
	play.server_rc = play.server ? tls_accept(play.server, plain, &stream) : 0;
	if (!play.server_rc && play.server)
		snprintf(play.identity, sizeof(play.identity), "%s", tls_identity(stream));
	if (!play.server_rc)
		CHECK_EQUAL(play.server_fn(stream), 0);
	rt_stream_close(stream);
}

static int dial(void)
{
	struct rt_stream *plain, *stream;

	CHECK_EQUAL(rt_connect(address, &plain), 0);
	stream = plain;
	play.client_rc = play.client ? tls_connect(play.client, plain, &stream) : 0;
	if (!play.client_rc)
		CHECK_EQUAL(play.client_fn(stream), 0);
	rt_stream_close(stream);
	return 0;
}

/* One connection from end to end. client may be another than dial. */
static void act(int (*client)(void))
{
	struct rt_listener *front, *behind;
	struct rt_group group;
	RT_LIMIT(rt_now_ns() + 20 * RT_SECOND);

	rt_group_init(&group);
	CHECK_EQUAL(rt_listen(address, &front), 0);
	CHECK_EQUAL(rt_listen(back_address, &behind), 0);
	CHECK_EQUAL(rt_group_start(&group, "go-between", go_between, front), 0);
	CHECK_EQUAL(rt_group_start(&group, "server", serve, behind), 0);
	CHECK_EQUAL(client(), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	rt_listener_close(front);
	rt_listener_close(behind);
}

/* ---- shared keys ---- */

static uint8_t bulk_byte(size_t i, bool from_client)
{
	return (uint8_t)(i * 31 + i / 251 + from_client);
}

static void write_bulk(void *arg)
{
	struct pass *pass = arg;
	uint8_t *bytes = mem_alloc(BULK_BYTES);
	struct iovec parts[3];

	CHECK(bytes);
	for (size_t i = 0; i < BULK_BYTES; i++)
		bytes[i] = bulk_byte(i, pass->forward);
	parts[0] = (struct iovec){ bytes, 56 };
	parts[1] = (struct iovec){ bytes + 56, 0 };
	parts[2] = (struct iovec){ bytes + 56, BULK_BYTES - 56 };
	CHECK_EQUAL(rt_stream_write(pass->to, parts, 3), 0);
	mem_free(bytes);
}

/* Both directions at the same time. */
static int exchange(struct rt_stream *stream, bool is_client)
{
	struct pass pass = { .to = stream, .forward = is_client };
	uint8_t *bytes = mem_alloc(BULK_BYTES);
	struct rt_group group;

	CHECK(bytes);
	rt_group_init(&group);
	CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ (void *)(uintptr_t)SECRET, strlen(SECRET) }, 1), 0);
	CHECK_EQUAL(rt_group_start(&group, "bulk", write_bulk, &pass), 0);
	CHECK_EQUAL(rt_stream_read_full(stream, bytes, strlen(SECRET)), 0);
	CHECK(!memcmp(bytes, SECRET, strlen(SECRET)));
	CHECK_EQUAL(rt_stream_read_full(stream, bytes, BULK_BYTES), 0);
	for (size_t i = 0; i < BULK_BYTES; i++)
		CHECK(bytes[i] == bulk_byte(i, !is_client));
	CHECK_EQUAL(rt_group_wait(&group), 0);
	mem_free(bytes);
	return 0;
}

static int exchange_as_client(struct rt_stream *stream)
{
	return exchange(stream, true);
}

/* The client closes first: an orderly end, not a break. */
static int exchange_as_server(struct rt_stream *stream)
{
	uint8_t byte;

	CHECK_EQUAL(exchange(stream, false), 0);
	CHECK_EQUAL(rt_stream_read(stream, &byte, 1), 0);
	return 0;
}

static void play_keys(const char *client_path, const char *client_id, const char *server_path)
{
	play.client = link_tls(client_path, client_id);
	play.server = link_tls(server_path, "2105.FB230");
	act(dial);
	tls_destroy(play.client);
	tls_destroy(play.server);
}

static int scenario_keys(void *arg)
{
	(void)arg;
	memset(&play, 0, sizeof(play));
	play.client_fn = exchange_as_client;
	play.server_fn = exchange_as_server;
	play_keys(keys_path, "2105.FA120", keys_path);
	CHECK_EQUAL(play.client_rc, 0);
	CHECK_EQUAL(play.server_rc, 0);
	CHECK(!strcmp(play.identity, "2105.FA120"));
	CHECK(!play.saw_secret);
	/* One key for all: says nothing of who it is. */
	play.server = link_tls(shared_keys_path, "2105.FB230");
	play.client = link_tls(shared_keys_path, "2105.FA120");
	act(dial);
	tls_destroy(play.client);
	tls_destroy(play.server);
	CHECK(!strcmp(play.identity, "site"));
	/* The go-between does see what is not encrypted. */
	play.client = play.server = NULL;
	act(dial);
	CHECK(play.saw_secret);
	return 0;
}

static void data_pass_by_shared_keys(void **state)
{
	(void)state;
	run(scenario_keys);
}

static int never(struct rt_stream *stream)
{
	(void)stream;
	CHECK(!"the handshake must not succeed");
	return 0;
}

/* A client of TLS 1.3 may believe in success until it reads: what it sent was its last word. */
static int expect_nothing(struct rt_stream *stream)
{
	uint8_t byte;

	CHECK(rt_stream_read(stream, &byte, 1) < 0);
	play.client_rc = -EPROTO;
	return 0;
}

static int scenario_wrong_keys(void *arg)
{
	(void)arg;
	memset(&play, 0, sizeof(play));
	play.client_fn = expect_nothing;
	play.server_fn = never;
	/* The same identity with another key; an identity that the server does not know. */
	play_keys(other_keys_path, "2105.FA120", keys_path);
	CHECK(play.client_rc && play.server_rc);
	play_keys(shared_keys_path, "2105.FA120", keys_path);
	CHECK(play.client_rc && play.server_rc);
	return 0;
}

static void wrong_keys_are_refused(void **state)
{
	(void)state;
	run(scenario_wrong_keys);
}

static int say_hello_in_plain(struct rt_stream *stream)
{
	uint8_t bytes[256];
	ssize_t got;

	memset(bytes, 'x', sizeof(bytes));
	CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1), 0);
	do {
		got = rt_stream_read(stream, bytes, sizeof(bytes));
	} while (got > 0);
	return 0;
}

static int scenario_no_tls(void *arg)
{
	(void)arg;
	memset(&play, 0, sizeof(play));
	play.server = link_tls(keys_path, "2105.FB230");
	play.client_fn = say_hello_in_plain;
	play.server_fn = never;
	act(dial);
	CHECK_EQUAL(play.server_rc, -EPROTO);
	tls_destroy(play.server);
	return 0;
}

static void who_speaks_no_tls_is_refused(void **state)
{
	(void)state;
	run(scenario_no_tls);
}

/* ---- a wire that spoils or is cut ---- */

static int send_much(struct rt_stream *stream)
{
	static uint8_t bytes[65536];
	uint8_t byte;

	for (unsigned i = 0; i < 16; i++) {
		if (rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1))
			return 0;
	}
	CHECK(rt_stream_read(stream, &byte, 1) <= 0);
	return 0;
}

static int broken_rc;

static int read_until_broken(struct rt_stream *stream)
{
	uint8_t bytes[4096];
	ssize_t got;

	do {
		got = rt_stream_read(stream, bytes, sizeof(bytes));
		for (ssize_t i = 0; i < got; i++)
			CHECK(!bytes[i]);
	} while (got > 0);
	broken_rc = (int)got;
	return 0;
}

static int scenario_spoiled(void *arg)
{
	(void)arg;
	memset(&play, 0, sizeof(play));
	play.client_fn = send_much;
	play.server_fn = read_until_broken;
	play.spoil_at = 100000;
	play_keys(keys_path, "2105.FA120", keys_path);
	CHECK_EQUAL(play.server_rc, 0);
	CHECK_EQUAL(broken_rc, -EPROTO);
	play.spoil_at = 0;
	play.cut_at = 100000;
	play_keys(keys_path, "2105.FA120", keys_path);
	CHECK_EQUAL(play.server_rc, 0);
	CHECK_EQUAL(broken_rc, -ECONNRESET);
	return 0;
}

/* A turned bit ends the stream; being cut off is not the orderly end. */
static void spoiled_and_cut_streams_are_noticed(void **state)
{
	(void)state;
	run(scenario_spoiled);
}

static int scenario_silent(void *arg)
{
	struct tls *tls = link_tls(keys_path, "2105.FA120");
	struct rt_stream *client, *server, *stream;
	struct rt_listener *listener;

	(void)arg;
	CHECK_EQUAL(rt_listen(address, &listener), 0);
	CHECK_EQUAL(rt_connect(address, &client), 0);
	CHECK_EQUAL(rt_accept(listener, &server), 0);
	{
		RT_LIMIT(rt_now_ns() + 50 * RT_MS);
		CHECK_EQUAL(tls_connect(tls, client, &stream), -ETIMEDOUT);
	}
	rt_stream_close(client);
	rt_stream_close(server);
	rt_listener_close(listener);
	tls_destroy(tls);
	return 0;
}

static void a_handshake_ends_with_the_limit(void **state)
{
	(void)state;
	run(scenario_silent);
}

/* ---- files that are none ---- */

static int scenario_bad_files(void *arg)
{
	static const char *const bad[] = {
		"", "# nothing\n", "2105.FA120\n", "2105.FA120:\n", "2105.FA120:0011\n",
		":00112233445566778899aabbccddeeff\n", "2105.FA120:00112233445566778899aabbccddeefg\n",
		"2105.FA120:00112233445566778899aabbccddeeff0\n", "21 05:00112233445566778899aabbccddeeff\n",
		"2105.FA120:00112233445566778899aabbccddeeff\n2105.FA120:00112233445566778899aabbccddeef0\n",
		"2105.OTHER:00112233445566778899aabbccddeeff\n",
	};
	struct fault fault = { 0 };
	struct tls *tls;
	char path[128];

	(void)arg;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file("bad.psk", bad[i], path, sizeof(path));
		CHECK_EQUAL(tls_create_link(path, "2105.FA120", &tls, &fault), -1);
		CHECK(strstr(fault.message, "bad.psk") && !strstr(fault.message, "00112233"));
	}
	CHECK_EQUAL(tls_create_link("/nowhere/link.psk", "2105.FA120", &tls, &fault), -1);
	/* A good one that everybody may read. */
	write_file("open.psk", "2105.FA120:00112233445566778899aabbccddeeff\n", path, sizeof(path));
	CHECK(!chmod(path, 0644));
	CHECK_EQUAL(tls_create_link(path, "2105.FA120", &tls, &fault), -1);
	CHECK(strstr(fault.message, "every user may read it") && strstr(fault.remedy, "chmod o="));
	CHECK_EQUAL(tls_create_server("/nowhere", &tls, &fault), -1);
	/* The folder has keys for links, but nothing that a server takes. */
	CHECK_EQUAL(tls_create_server(folder, &tls, &fault), -1);
	CHECK(strstr(fault.message, "no credentials"));
	write_file("server-cert.pem", "nonsense", NULL, 0);
	CHECK_EQUAL(tls_create_server(folder, &tls, &fault), -1);
	CHECK(strstr(fault.message, "server-key.pem"));
	write_file("server-key.pem", "nonsense", NULL, 0);
	CHECK_EQUAL(tls_create_server(folder, &tls, &fault), -1);
	CHECK(strstr(fault.message, "server-cert.pem"));
	return 0;
}

static void bad_files_are_named(void **state)
{
	(void)state;
	run(scenario_bad_files);
}

/* ---- certificates ---- */

static gnutls_x509_privkey_t new_key(void)
{
	gnutls_x509_privkey_t key;

	CHECK(gnutls_x509_privkey_init(&key) == 0);
	CHECK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					   GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
	return key;
}

static gnutls_x509_crt_t new_certificate(const char *name, gnutls_x509_privkey_t key, gnutls_x509_crt_t issuer,
					 gnutls_x509_privkey_t issuer_key)
{
	gnutls_x509_crt_t crt;
	unsigned char serial = (unsigned char)name[0];

	CHECK(gnutls_x509_crt_init(&crt) == 0);
	CHECK(gnutls_x509_crt_set_version(crt, 3) == 0);
	CHECK(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)) == 0);
	CHECK(gnutls_x509_crt_set_key(crt, key) == 0);
	CHECK(gnutls_x509_crt_set_serial(crt, &serial, 1) == 0);
	CHECK(gnutls_x509_crt_set_activation_time(crt, 0) == 0);
	CHECK(gnutls_x509_crt_set_expiration_time(crt, 4102444800) == 0);
	CHECK(gnutls_x509_crt_set_ca_status(crt, !issuer) == 0);
	if (!issuer)
		CHECK(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN) == 0);
	CHECK(gnutls_x509_crt_sign2(crt, issuer ? issuer : crt, issuer ? issuer_key : key, GNUTLS_DIG_SHA256, 0) == 0);
	return crt;
}

static void write_certificate(const char *name, gnutls_x509_crt_t crt)
{
	gnutls_datum_t text;

	CHECK(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text) == 0);
	write_file(name, (const char *)text.data, NULL, 0);
	gnutls_free(text.data);
}

static struct {
	gnutls_certificate_credentials_t good, stranger, none;
	gnutls_psk_client_credentials_t psk;
} clients;

static gnutls_certificate_credentials_t client_with(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	gnutls_certificate_credentials_t to;

	CHECK(gnutls_certificate_allocate_credentials(&to) == 0);
	if (crt)
		CHECK(gnutls_certificate_set_x509_key(to, &crt, 1, key) == 0);
	return to;
}

static void make_certificates(void)
{
	static unsigned char key_hex[] = "00112233445566778899aabbccddeeff";
	gnutls_datum_t key_text = { key_hex, sizeof(key_hex) - 1 };
	gnutls_x509_privkey_t ca_key = new_key(), server_key = new_key(), client_key = new_key();
	gnutls_x509_crt_t ca = new_certificate("ca", ca_key, NULL, NULL);
	gnutls_x509_crt_t server = new_certificate("server", server_key, ca, ca_key);
	gnutls_x509_crt_t client = new_certificate("client", client_key, ca, ca_key);
	gnutls_x509_crt_t stranger = new_certificate("stranger", client_key, NULL, NULL);
	gnutls_datum_t text;

	write_certificate("ca-cert.pem", ca);
	write_certificate("server-cert.pem", server);
	CHECK(gnutls_x509_privkey_export2(server_key, GNUTLS_X509_FMT_PEM, &text) == 0);
	write_file("server-key.pem", (const char *)text.data, NULL, 0);
	gnutls_free(text.data);
	clients.good = client_with(client, client_key);
	clients.stranger = client_with(stranger, client_key);
	clients.none = client_with(NULL, NULL);
	CHECK(gnutls_psk_allocate_client_credentials(&clients.psk) == 0);
	CHECK(gnutls_psk_set_client_credentials(clients.psk, "host1", &key_text, GNUTLS_PSK_KEY_HEX) == 0);
	gnutls_x509_crt_deinit(ca);
	gnutls_x509_crt_deinit(server);
	gnutls_x509_crt_deinit(client);
	gnutls_x509_crt_deinit(stranger);
	gnutls_x509_privkey_deinit(ca_key);
	gnutls_x509_privkey_deinit(server_key);
	gnutls_x509_privkey_deinit(client_key);
}

/* A client of its own, as hosts have it: blocking, on a helper thread. */
struct host {
	gnutls_certificate_credentials_t certificate;
	gnutls_psk_client_credentials_t psk;
	const char *priority;
	bool got_echo;
};

static int host_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(snprintf(to.sun_path, sizeof(to.sun_path), "%s/front", folder) < (int)sizeof(to.sun_path));
	CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return fd;
}

static int host_talks(void *arg)
{
	struct host *host = arg;
	gnutls_session_t session;
	char bytes[8] = "";
	int fd = host_connect(), rc;

	CHECK(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL) == 0);
	CHECK(gnutls_priority_set_direct(session, host->priority, NULL) == 0);
	if (host->certificate)
		CHECK(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, host->certificate) == 0);
	if (host->psk)
		CHECK(gnutls_credentials_set(session, GNUTLS_CRD_PSK, host->psk) == 0);
	gnutls_transport_set_int(session, fd);
	do {
		rc = gnutls_handshake(session);
	} while (rc < 0 && !gnutls_error_is_fatal(rc));
	host->got_echo = !rc && gnutls_record_send(session, "echo", 4) == 4 &&
			 gnutls_record_recv(session, bytes, sizeof(bytes)) == 4 && !memcmp(bytes, "echo", 4);
	if (host->got_echo)
		gnutls_bye(session, GNUTLS_SHUT_RDWR);
	gnutls_deinit(session);
	close(fd);
	return 0;
}

static struct host *acting_host;

static int help_host(void)
{
	return rt_help(host_talks, acting_host);
}

static int echo(struct rt_stream *stream)
{
	uint8_t bytes[4];

	if (!rt_stream_read_full(stream, bytes, 4))
		CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ bytes, 4 }, 1), 0);
	return 0;
}

static bool is_let_in(gnutls_certificate_credentials_t certificate, gnutls_psk_client_credentials_t psk,
		      const char *priority)
{
	struct host host = { .certificate = certificate, .psk = psk, .priority = priority };
	struct fault fault = { 0 };

	memset(&play, 0, sizeof(play));
	play.server_fn = echo;
	CHECK_EQUAL(tls_create_server(folder, &play.server, &fault), 0);
	acting_host = &host;
	act(help_host);
	tls_destroy(play.server);
	CHECK(host.got_echo == !play.server_rc);
	return host.got_echo;
}

#define BY_KEY	"NORMAL:-VERS-TLS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK"
#define BY_KEY2	"NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2:-KX-ALL:+ECDHE-PSK:+DHE-PSK"

static int scenario_certificates(void *arg)
{
	char path[128];

	(void)arg;
	make_certificates();
	/* With an authority: only those that it signed. */
	CHECK(is_let_in(clients.good, NULL, "NORMAL"));
	CHECK(is_let_in(clients.good, NULL, "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2"));
	CHECK(!is_let_in(clients.good, NULL, "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.1:%COMPAT"));
	CHECK(!is_let_in(clients.stranger, NULL, "NORMAL"));
	CHECK(!is_let_in(clients.none, NULL, "NORMAL"));
	CHECK(!is_let_in(NULL, clients.psk, BY_KEY));
	/* Or those that know a key. */
	write_file("keys.psk", "host1:00112233445566778899aabbccddeeff\n", NULL, 0);
	CHECK(is_let_in(NULL, clients.psk, BY_KEY));
	CHECK(!strcmp(play.identity, "host1"));
	CHECK(is_let_in(NULL, clients.psk, BY_KEY2));
	CHECK(is_let_in(clients.good, NULL, "NORMAL"));
	CHECK(!is_let_in(clients.none, NULL, "NORMAL"));
	write_file("keys.psk", "host1:00112233445566778899aabbccddee00\n", NULL, 0);
	CHECK(!is_let_in(NULL, clients.psk, BY_KEY));
	/* Without an authority anybody. */
	snprintf(path, sizeof(path), "%s/ca-cert.pem", folder);
	CHECK(!unlink(path));
	CHECK(is_let_in(clients.none, NULL, "NORMAL"));
	/* With keys alone, only by key. */
	snprintf(path, sizeof(path), "%s/server-cert.pem", folder);
	CHECK(!unlink(path));
	write_file("keys.psk", "host1:00112233445566778899aabbccddeeff\n", NULL, 0);
	CHECK(is_let_in(NULL, clients.psk, BY_KEY));
	CHECK(!is_let_in(clients.none, NULL, "NORMAL"));
	gnutls_certificate_free_credentials(clients.good);
	gnutls_certificate_free_credentials(clients.stranger);
	gnutls_certificate_free_credentials(clients.none);
	gnutls_psk_free_client_credentials(clients.psk);
	return 0;
}

static void hosts_show_certificates_or_keys(void **state)
{
	(void)state;
	run(scenario_certificates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data_pass_by_shared_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_keys_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_speaks_no_tls_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spoiled_and_cut_streams_are_noticed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_handshake_ends_with_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_files_are_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hosts_show_certificates_or_keys, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
