/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <libxml/parser.h>
#include <microhttpd.h>

#include "face/cim/connections.h"
#include "face/cim/https.h"
#include "face/cim/engine.h"
#include "face/cim/indication.h"
#include "face/cim/operations.h"
#include "rt/door.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "rt/net.h"

/* libmicrohttpd counts those that were told to go until they have. */
#define CONNECTIONS_COUNTED	(2 * CONNECTIONS_MAX)
#define STACK_BYTES		(512u * 1024)
#define HEADERS_BYTES		(32u * 1024)
#define BODY_BYTES_MAX		(4u * 1024 * 1024)
#define ARENA_BYTES_MAX		(16u * 1024 * 1024)
#define TEXT_BYTES_MAX		(32u * 1024 * 1024)
#define PIECE_BYTES		(64u * 1024)
#define SILENCE_SECONDS		30u
#define REQUEST_NS		(60 * RT_SECOND)

/* Where it listens. */
struct listener {
	struct MHD_Daemon *daemon;
	struct cim_server *server;
	const char *address;
	int fd;
	bool is_secure;
};

struct cim_server {
	struct listener listeners[2];
	unsigned listener_count;
	struct cim_users *users;
	struct cim_https *https;	/* NULL: HTTP alone */
	struct connections connections;
	struct cim_engine *engine;
	struct cim_indications *indications;
	struct cim_server_options options;
};

/* One request, from its first line to the end of its answer. */
struct exchange {
	struct cim_server *server;
	struct connection *connection;
	struct cim_arena arena;
	struct xml_reader *reader;	/* NULL: what comes is thrown away */
	const struct xml_node *root;
	size_t received;
	int64_t until_ns;
	unsigned status;		/* the answer, when it is known before the request is read; 0: it is not */
	bool is_last;			/* its body is not read at all: the connection ends with the answer */
	const char *cim_error;		/* its header CIMError, or NULL */
	struct cim_caller caller;
	char user[CIM_USER_MAX], host[INET6_ADDRSTRLEN];	/* the caller's */

	/* The answer, as the operation makes it. */
	struct cim_request request;
	struct xml_text text;
	struct cim_failure failure;
	bool running;			/* the operation has begun, and not ended */
	size_t given;			/* bytes of the text that the library has taken */
	struct MHD_Response *response;	/* it goes in pieces */
	bool says_trailers;
};

/* ---- connections ---- */

static enum MHD_Result accept_client(void *arg, const struct sockaddr *address, socklen_t len)
{
	struct cim_server *server = arg;

	(void)len;
	return connections_admit(&server->connections, address) ? MHD_YES : MHD_NO;
}

static struct connection *find_connection(struct MHD_Connection *client)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(client, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static const struct sockaddr *find_address(struct MHD_Connection *client)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(client, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return info ? info->client_addr : NULL;
}

static void note_connection(void *arg, struct MHD_Connection *client, void **context,
			    enum MHD_ConnectionNotificationCode what)
{
	struct cim_server *server = arg;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(client, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = info ? connections_begin(&server->connections, find_address(client), info->connect_fd)
				: NULL;
	} else if (*context) {
		connections_end(&server->connections, *context);
		*context = NULL;
	}
}

/* ---- who it is ---- */

static void get_host(struct MHD_Connection *client, char host[INET6_ADDRSTRLEN], bool *is_local)
{
	const struct sockaddr *address = find_address(client);

	snprintf(host, INET6_ADDRSTRLEN, "?");
	*is_local = false;
	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		inet_ntop(AF_INET, &v4->sin_addr, host, INET6_ADDRSTRLEN);
		*is_local = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	} else if (address && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		inet_ntop(AF_INET6, &v6->sin6_addr, host, INET6_ADDRSTRLEN);
		*is_local = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
}

/* By password. */
static bool log_in(struct cim_server *server, struct exchange *exchange, const char *name, const char *password)
{
	snprintf(exchange->user, sizeof(exchange->user), "%s", name);
	return cim_users_check(server->users, exchange->host, name, password ? password : "", &exchange->caller.role);
}

/* By the certificate that its connection has shown, which is looked at once. */
static bool is_certified(struct cim_server *server, struct MHD_Connection *client, struct exchange *exchange)
{
	const union MHD_ConnectionInfo *tls = MHD_get_connection_info(client, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct connection *connection = exchange->connection;

	if (!server->https || !tls || !tls->tls_session)
		return false;
	if (!connection->certificate_seen)
		cim_https_name(server->https, tls->tls_session, exchange->host, connection->name);
	connection->certificate_seen = true;
	if (!*connection->name || !cim_users_find(server->users, connection->name, &exchange->caller.role))
		return false;
	snprintf(exchange->user, sizeof(exchange->user), "%s", connection->name);
	return true;
}

/* Who is it? A password counts before a certificate. false: nobody who may use CIM. */
static bool identify(struct cim_server *server, struct MHD_Connection *client, struct exchange *exchange)
{
	char *password = NULL, *name = MHD_basic_auth_get_username_password(client, &password);
	bool is_local, ok;

	get_host(client, exchange->host, &is_local);
	exchange->caller = (struct cim_caller){ .user = exchange->user, .host = exchange->host };
	ok = name ? log_in(server, exchange, name, password) : is_certified(server, client, exchange);
	if (!name && !ok && is_local && server->options.anonymous) {
		snprintf(exchange->user, sizeof(exchange->user), "anonymous");
		exchange->caller.role = server->options.anonymous_role;
		ok = true;
	}
	if (!name && !ok)
		cim_users_tell(server->users);
	MHD_free(name);
	MHD_free(password);
	return ok;
}

/* ---- headers ---- */

/* NN of "Man: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=NN", which stands before the headers of M-POST. */
static const char *find_header(struct MHD_Connection *client, const char *name)
{
	const char *man = MHD_lookup_connection_value(client, MHD_HEADER_KIND, "Man");
	const char *ns = man ? strstr(man, "ns=") : NULL;
	char prefixed[64];

	if (ns && strspn(ns + 3, "0123456789") == 2) {
		const char *value;

		snprintf(prefixed, sizeof(prefixed), "%.2s-%s", ns + 3, name);
		value = MHD_lookup_connection_value(client, MHD_HEADER_KIND, prefixed);
		if (value)
			return value;
	}
	return MHD_lookup_connection_value(client, MHD_HEADER_KIND, name);
}

struct framing {
	unsigned lengths, encodings;
};

static enum MHD_Result count_framing(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *framing = arg;

	(void)kind;
	(void)value;
	framing->lengths += !strcasecmp(name, "Content-Length");
	framing->encodings += !strcasecmp(name, "Transfer-Encoding");
	return MHD_YES;
}

/* Where the body ends must be beyond doubt, also to what stands between the client and this server. 0: it is. */
static unsigned judge_framing(struct MHD_Connection *client)
{
	const char *length = MHD_lookup_connection_value(client, MHD_HEADER_KIND, "Content-Length");
	const char *encoding = MHD_lookup_connection_value(client, MHD_HEADER_KIND, "Transfer-Encoding");
	struct framing framing = { 0 };

	MHD_get_connection_values(client, MHD_HEADER_KIND, count_framing, &framing);
	if (framing.lengths + framing.encodings > 1)
		return MHD_HTTP_BAD_REQUEST;
	if (encoding && strcasecmp(encoding, "chunked") != 0)
		return MHD_HTTP_NOT_IMPLEMENTED;
	return length && strtoull(length, NULL, 10) > BODY_BYTES_MAX ? MHD_HTTP_CONTENT_TOO_LARGE : 0;
}

/* 0: it can be read. */
static unsigned judge_headers(struct cim_server *server, struct MHD_Connection *client, const char *method,
			      struct exchange *exchange)
{
	const char *operation = find_header(client, "CIMOperation");

	if (strcmp(method, "POST") != 0 && strcmp(method, "M-POST") != 0)
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	if (!identify(server, client, exchange))
		return MHD_HTTP_UNAUTHORIZED;
	if (!operation || strcasecmp(operation, "MethodCall") != 0) {
		exchange->cim_error = "unsupported-operation";
		return MHD_HTTP_BAD_REQUEST;
	}
	if (find_header(client, "CIMBatch")) {
		exchange->cim_error = "multiple-requests-unsupported";
		return MHD_HTTP_NOT_IMPLEMENTED;
	}
	return 0;
}

/* A header that says what the request says, where it is given. %-escapes are allowed in it. */
static bool agrees(struct MHD_Connection *client, const char *name, const char *meant)
{
	const char *given = find_header(client, name);
	char plain[512];

	if (!given)
		return true;
	if (strlen(given) >= sizeof(plain))
		return false;
	snprintf(plain, sizeof(plain), "%s", given);
	MHD_http_unescape(plain);
	return !strncasecmp(plain, meant, strlen(meant)) &&
	       (plain[strlen(meant)] == '\0' || plain[strlen(meant)] == ':');
}

/* ---- answers ---- */

static enum MHD_Result send_answer(struct MHD_Connection *client, unsigned status, struct MHD_Response *response)
{
	enum MHD_Result sent = MHD_NO;

	if (response)
		sent = MHD_queue_response(client, status, response);
	MHD_destroy_response(response);
	return sent;
}

static enum MHD_Result refuse(struct MHD_Connection *client, unsigned status, const char *cim_error)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, (void *)(uintptr_t)"",
									MHD_RESPMEM_PERSISTENT);

	if (response && cim_error)
		MHD_add_response_header(response, "CIMError", cim_error);
	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "POST, M-POST");
	if (response && status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Basic realm=\"xdc\"");
	return send_answer(client, status, response);
}

/* ---- an answer, as it is made: the operation has a stack of its own, and runs when bytes are wanted ---- */

/* The sink of the text: the next piece is ready. */
static bool give_way(void *arg)
{
	struct exchange *exchange = arg;

	turns_give_way(exchange->connection->turns);
	return !exchange->text.failed;
}

static void run_operation(void *arg)
{
	struct exchange *exchange = arg;

	cim_operation_run(&exchange->arena, exchange->server->engine, &exchange->caller, &exchange->request,
			  &exchange->text, &exchange->failure);
}

/* Until the next piece is ready, or it has ended; meanwhile the connection does not wait for its client. */
static void make_piece(struct exchange *exchange)
{
	struct connections *connections = &exchange->server->connections;

	exchange->given = 0;
	connections_set_busy(connections, exchange->connection, true);
	exchange->running = turns_go_on(exchange->connection->turns);
	connections_set_busy(connections, exchange->connection, false);
}

static bool begin_operation(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	if (!connection->turns)
		connection->turns = turns_create();
	if (!connection->turns)
		return false;
	xml_text_init(&exchange->text, TEXT_BYTES_MAX);
	exchange->text.sink = give_way;
	exchange->text.sink_arg = exchange;
	turns_begin(connection->turns, run_operation, exchange);
	exchange->running = true;
	make_piece(exchange);
	return true;
}

/* Nobody wants more of it: it is not left where it stands, but comes to its end. */
static void end_operation(struct exchange *exchange)
{
	exchange->text.failed = true;
	while (exchange->running)
		make_piece(exchange);
	xml_text_free(&exchange->text);
}

/* DSP0200: the status of what was begun and went wrong stands behind it, for clients that say they read that. */
static ssize_t end_early(struct exchange *exchange)
{
	char code[16], text[3 * sizeof(exchange->failure.text) + 1] = "", *to = text;

	if (!exchange->says_trailers)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	snprintf(code, sizeof(code), "%d", exchange->failure.code ? (int)exchange->failure.code : CIM_ERR_FAILED);
	for (const char *from = exchange->failure.text; *from; from++)
		to += snprintf(to, 4, isalnum((unsigned char)*from) ? "%c" : "%%%02X", (unsigned char)*from);
	if (MHD_add_response_footer(exchange->response, "CIMStatusCode", code) != MHD_YES ||
	    (*text && MHD_add_response_footer(exchange->response, "CIMStatusCodeDescription", text) != MHD_YES))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* The library wants bytes. */
static ssize_t give_bytes(void *arg, uint64_t position, char *to, size_t room)
{
	struct exchange *exchange = arg;
	size_t len;

	(void)position;
	while (exchange->given == exchange->text.used && exchange->running)
		make_piece(exchange);
	if (exchange->text.failed || exchange->arena.failed)
		return end_early(exchange);
	len = exchange->text.used - exchange->given;
	if (!len)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (len > room)
		len = room;
	memcpy(to, exchange->text.bytes + exchange->given, len);
	exchange->given += len;
	return (ssize_t)len;
}

static bool reads_trailers(struct MHD_Connection *client)
{
	const char *te = MHD_lookup_connection_value(client, MHD_HEADER_KIND, "TE");

	return te && strcasestr(te, "trailers");
}

/* It has a length when it is whole, else it goes in chunks, to clients of HTTP/1.0 until the connection ends. */
static struct MHD_Response *make_response(struct MHD_Connection *client, struct exchange *exchange)
{
	struct MHD_Response *response;

	if (!exchange->running)
		return MHD_create_response_from_buffer(exchange->text.used, exchange->text.bytes,
						       MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, give_bytes, exchange, NULL);
	exchange->response = response;
	exchange->says_trailers = reads_trailers(client);
	if (response && exchange->says_trailers)
		MHD_add_response_header(response, "Trailer", "CIMStatusCode, CIMStatusCodeDescription");
	return response;
}

static enum MHD_Result answer(struct MHD_Connection *client, struct exchange *exchange)
{
	struct cim_request *request = &exchange->request;
	struct MHD_Response *response;
	const char *cim_error;
	bool multiple;

	if (!cim_request_read(&exchange->arena, exchange->root, request, &cim_error, &multiple))
		return refuse(client, multiple ? MHD_HTTP_NOT_IMPLEMENTED : MHD_HTTP_BAD_REQUEST, cim_error);
	if (!agrees(client, "CIMMethod", request->operation) || !agrees(client, "CIMObject", request->namespace_name))
		return refuse(client, MHD_HTTP_BAD_REQUEST, "header-mismatch");
	if (!begin_operation(exchange))
		return refuse(client, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
	if (exchange->text.failed || exchange->arena.failed)
		return refuse(client, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL);
	response = make_response(client, exchange);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "application/xml; charset=\"utf-8\"");
	MHD_add_response_header(response, "CIMOperation", "MethodResponse");
	return send_answer(client, MHD_HTTP_OK, response);
}

/* ---- a request, as it comes ---- */

static struct exchange *begin_exchange(struct cim_server *server, struct MHD_Connection *client, const char *method)
{
	struct exchange *exchange = mem_alloc_zeroed(sizeof(*exchange));

	if (!exchange)
		return NULL;
	exchange->server = server;
	exchange->connection = find_connection(client);
	arena_init(&exchange->arena, ARENA_BYTES_MAX);
	exchange->until_ns = door_now_ns() + REQUEST_NS;
	exchange->status = exchange->connection ? judge_framing(client) : MHD_HTTP_SERVICE_UNAVAILABLE;
	exchange->is_last = exchange->status != 0;
	if (!exchange->status)
		exchange->status = judge_headers(server, client, method, exchange);
	if (!exchange->status)
		exchange->reader = xml_reader_create(&exchange->arena);
	if (!exchange->status && !exchange->reader)
		exchange->status = MHD_HTTP_SERVICE_UNAVAILABLE;
	return exchange;
}

/* The first thing that is wrong with the body decides; what follows is read and thrown away, within the limits. */
static void note_bad_body(struct exchange *exchange, int error)
{
	if (!error || exchange->status)
		return;
	exchange->status = error == -EMSGSIZE ? MHD_HTTP_CONTENT_TOO_LARGE : MHD_HTTP_BAD_REQUEST;
	exchange->cim_error = error == -EMSGSIZE ? "request-with-too-many-elements" : "request-not-well-formed";
}

static enum MHD_Result take_bytes(struct exchange *exchange, const char *bytes, size_t len)
{
	exchange->received += len;
	if (exchange->received > BODY_BYTES_MAX || door_now_ns() > exchange->until_ns)
		return MHD_NO;
	if (!exchange->status)
		note_bad_body(exchange, xml_reader_feed(exchange->reader, bytes, len));
	return MHD_YES;
}

static enum MHD_Result serve(void *arg, struct MHD_Connection *client, const char *url, const char *method,
			     const char *version, const char *bytes, size_t *len, void **context)
{
	struct exchange *exchange = *context;

	(void)url;
	(void)version;
	if (!exchange) {
		*context = exchange = begin_exchange(arg, client, method);
		if (exchange && exchange->is_last)
			return refuse(client, exchange->status, NULL);
		return exchange ? MHD_YES : MHD_NO;
	}
	if (*len) {
		enum MHD_Result taken = take_bytes(exchange, bytes, *len);

		*len = 0;
		return taken;
	}
	if (!exchange->status)
		note_bad_body(exchange, xml_reader_end(exchange->reader, &exchange->root));
	if (exchange->status)
		return refuse(client, exchange->status, exchange->cim_error);
	return answer(client, exchange);
}

static void end_exchange(void *arg, struct MHD_Connection *client, void **context,
			 enum MHD_RequestTerminationCode reason)
{
	struct exchange *exchange = *context;

	(void)arg;
	(void)client;
	(void)reason;
	if (!exchange)
		return;
	end_operation(exchange);
	xml_reader_free(exchange->reader);
	arena_free(&exchange->arena);
	mem_free(exchange);
	*context = NULL;
}

/* ---- the server ---- */

__attribute__((format(printf, 2, 0)))
static void log_library(void *arg, const char *format, va_list args)
{
	char line[256];

	(void)arg;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_line(LOG_DEBUG, "cim", "%s", line);
}

/* On helper threads, whose share of the processor its threads take over; both may block. */
static int start_daemon(void *arg)
{
	struct listener *listener = arg;
	struct cim_server *server = listener->server;
	const struct tls_texts *texts = listener->is_secure ? cim_https_texts(server->https) : NULL;
	const struct MHD_OptionItem plain = { MHD_OPTION_END, 0, NULL };
	const struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, texts ? texts->certificate : NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, texts ? texts->key : NULL },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)cim_https_priorities },
		/* It makes the library ask clients for a certificate. */
		{ texts && texts->authority ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		  texts ? texts->authority : NULL },
		{ MHD_OPTION_END, 0, NULL },
	};

	xmlInitParser();
	listener->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
					    MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG | (texts ? MHD_USE_TLS : 0u),
		0, accept_client, server, serve, server,
		MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, listener->fd,
		MHD_OPTION_NOTIFY_CONNECTION, note_connection, server,
		MHD_OPTION_NOTIFY_COMPLETED, end_exchange, server,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_COUNTED,
		MHD_OPTION_CONNECTION_TIMEOUT, SILENCE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_BYTES,
		MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
		MHD_OPTION_ARRAY, texts ? secure : &plain,
		MHD_OPTION_END);
	return listener->daemon ? 0 : -EAGAIN;
}

static int stop_daemon(void *arg)
{
	struct listener *listener = arg;

	MHD_stop_daemon(listener->daemon);
	return 0;
}

static int listen_and_start(struct listener *where)
{
	struct rt_listener *listener;
	int rc = rt_listen(where->address, &listener);

	if (rc != 0)
		return rc;
	rc = door_take_listener(listener, &where->fd);
	if (rc != 0) {
		rt_listener_close(listener);
		return rc;
	}
	rc = rt_help(start_daemon, where);
	if (rc != 0)
		door_close_fd(where->fd);
	return rc;
}

static int add_listener(struct cim_server *server, const char *address, bool is_secure, struct fault *fault)
{
	struct listener *where = &server->listeners[server->listener_count];
	int rc;

	*where = (struct listener){ .server = server, .address = address, .is_secure = is_secure };
	rc = listen_and_start(where);
	if (rc)
		return fault_set(fault, FAULT_FAILED, address, "choose another address, or end what uses it",
				 "CIM cannot be served there: %s", strerrordesc_np(-rc));
	server->listener_count++;
	return 0;
}

static int start(struct cim_server *server, struct fault *fault)
{
	const struct cim_server_options *options = &server->options;

	server->users = cim_users_create(options->users);
	if (!server->users)
		return fault_set(fault, FAULT_FAILED, "cim", "", "out of memory");
	if (options->secure_address && cim_https_create(options->tls_folder, options->state_folder,
							options->secure_address, &server->https, fault))
		return -1;
	if (options->address && add_listener(server, options->address, false, fault))
		return -1;
	return options->secure_address ? add_listener(server, options->secure_address, true, fault) : 0;
}

int cim_server_start(const struct cim_server_options *options, struct cim_server **out, struct fault *fault)
{
	struct cim_server *server = mem_alloc_zeroed(sizeof(*server));

	if (!server)
		return fault_set(fault, FAULT_FAILED, "cim", "", "out of memory");
	server->options = *options;
	connections_init(&server->connections);
	if (cim_engine_open(options->control, &server->engine) != 0)
		fault_set(fault, FAULT_FAILED, "cim", "", "out of memory");
	else if (cim_indications_start(options->control, server->engine, &server->indications) != 0)
		fault_set(fault, FAULT_FAILED, "cim", "", "out of memory");
	else
		cim_engine_set_indications(server->engine, server->indications);
	if (!server->indications || start(server, fault)) {
		cim_server_stop(server);
		return -1;
	}
	*out = server;
	return 0;
}

void cim_server_stop(struct cim_server *server)
{
	RT_SHIELD();

	if (!server)
		return;
	cim_indications_end_waits(server->indications);
	cim_engine_refuse(server->engine);
	for (unsigned i = 0; i < server->listener_count; i++) {
		int rc = rt_help(stop_daemon, &server->listeners[i]);

		assert(rc == 0);
	}
	connections_destroy(&server->connections);
	cim_indications_stop(server->indications);
	cim_https_destroy(server->https);
	cim_users_destroy(server->users);
	cim_engine_close(server->engine);
	mem_free(server);
}
