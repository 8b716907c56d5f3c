/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_handshake.c - options, from the greeting to a chosen export. Everything is read by its exact length, never
 * ahead, so that nothing sent in the clear can be taken for something said under TLS.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "host/nbd_conn.h"
#include "rt/bytes.h"
#include "rt/mem.h"

#define HANDSHAKE_NS	(10 * RT_SECOND)
#define OPTIONS_MAX	1024u			/* of one client */
#define OUTPUT_MAX	((size_t)32 << 20)	/* bytes of the replies to one option: LIST of all volumes fits */

struct handshake {
	struct nbd_conn *conn;
	struct nbd_client_flags client;
	bool structured;
	bool allocation;		/* base:allocation was chosen ... */
	struct nbd_name allocation_of;	/* ... for the export of this name */
	struct nbd_option option;	/* the one at hand */
	uint8_t data[NBD_OPTION_MAX];	/* and what came with it */
	union {
		struct nbd_name name;
		struct nbd_info_query info;
		struct nbd_meta_query meta;
	} query;
	uint8_t *output;		/* replies to the option at hand */
	size_t output_len, output_size;
	bool output_failed;		/* no memory, or more than OUTPUT_MAX */
};

/* What becomes of a handshake after an option. Negative: the connection is over. */
enum { GO_ON, EXPORT_CHOSEN };

/* ---- replies ---- */

/* Makes room for len more bytes of output; NULL when there is none. */
static uint8_t *output_reserve(struct handshake *h, size_t len)
{
	size_t size = h->output_size;
	uint8_t *output;

	while (size < h->output_len + len)
		size = size ? size * 2 : 1024;
	if (size > OUTPUT_MAX || h->output_failed)
		return NULL;
	if (size > h->output_size) {
		output = h->output ? mem_resize(h->output, size) : mem_alloc(size);
		if (!output)
			return NULL;
		h->output = output;
		h->output_size = size;
	}
	output = h->output + h->output_len;
	h->output_len += len;
	return output;
}

/* Adds a reply of two parts of data. What cannot be kept ends the connection when the output is sent. */
static void reply_parts(struct handshake *h, uint32_t code, const void *first, size_t first_len, const void *second,
			size_t second_len)
{
	uint8_t *to = output_reserve(h, NBD_OPTION_REPLY_SIZE + first_len + second_len);

	if (!to) {
		h->output_failed = true;
		return;
	}
	nbd_put_option_reply(to, h->option.code, code, (uint32_t)(first_len + second_len));
	if (first_len)
		memcpy(to + NBD_OPTION_REPLY_SIZE, first, first_len);
	if (second_len)
		memcpy(to + NBD_OPTION_REPLY_SIZE + first_len, second, second_len);
}

static void reply_ack(struct handshake *h)
{
	reply_parts(h, NBD_REP_ACK, NULL, 0, NULL, 0);
}

static void reply_error(struct handshake *h, uint32_t code, const char *text)
{
	reply_parts(h, code, text, strlen(text), NULL, 0);
}

static int stream_write(struct nbd_conn *conn, const void *bytes, size_t len)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

	return rt_stream_write(conn->stream, &part, 1);
}

static int send_output(struct handshake *h)
{
	int rc;

	if (h->output_failed)
		return -ENOMEM;
	if (h->output_len == 0)
		return 0;
	rc = stream_write(h->conn, h->output, h->output_len);
	h->output_len = 0;
	return rc;
}

/* ---- exports ---- */

struct only_export {
	struct nbd_name *name;
	unsigned count;
};

static int note_only_export(void *arg, const char *name, const char *description)
{
	struct only_export *only = arg;

	(void)description;
	only->count++;
	assert(strlen(name) <= NBD_NAME_MAX);
	memcpy(only->name->text, name, strlen(name) + 1);
	return only->count > 1;
}

/* The empty name means the only export there is. -ENOENT when there are none or several. */
static int resolve_default(struct handshake *h, struct nbd_name *name)
{
	struct nbd_exports *exports = &h->conn->server->options.exports;
	struct only_export only = { .name = name };
	int rc;

	if (name->text[0])
		return 0;
	rc = exports->list(exports->arg, note_only_export, &only);
	if (rc < 0)
		return rc;
	return only.count == 1 ? 0 : -ENOENT;
}

static void release_export(struct nbd_conn *conn)
{
	struct nbd_exports *exports = &conn->server->options.exports;
	RT_SHIELD();

	exports->release(exports->arg, &conn->export);
}

/* Says in conn->session what the export is like for this client, and attaches it, if that is asked for. */
static int find_export(struct handshake *h, const struct nbd_name *asked, bool attach)
{
	struct nbd_conn *conn = h->conn;
	struct nbd_exports *exports = &conn->server->options.exports;
	struct nbd_name name = *asked;
	int rc = resolve_default(h, &name);

	if (rc)
		return rc;
	conn->export = (struct nbd_export){ 0 };
	rc = exports->find(exports->arg, name.text, attach, &conn->export);
	if (rc)
		return rc;
	conn->session = (struct nbd_session){
		.size = conn->export.size,
		.writable = conn->export.writable,
		.structured = h->structured,
		.block_status = h->allocation && strcmp(h->allocation_of.text, asked->text) == 0,
		.zero_is_fast = conn->export.zero_is_fast,
	};
	return 0;
}

/* Tells the client why it does not get an export. Negative: it is told nothing, because the connection is over. */
static int reply_no_export(struct handshake *h, int rc)
{
	switch (rc) {
	case -ETIMEDOUT:
	case -ECANCELED:
		return rc;
	case -ENOENT:
		reply_error(h, NBD_REP_ERR_UNKNOWN, "there is no such export; name a volume by its id or its name");
		return GO_ON;
	case -EPERM:
		reply_error(h, NBD_REP_ERR_POLICY,
			    "hosts may not use this volume: it is the target of a pair, or was swapped to just now and "
			    "has no group yet");
		return GO_ON;
	case -ESHUTDOWN:
		reply_error(h, NBD_REP_ERR_SHUTDOWN, "the server is stopping");
		return GO_ON;
	default:
		reply_error(h, NBD_REP_ERR_POLICY, "the volume cannot be attached now; the log of the server says why");
		return GO_ON;
	}
}

/* ---- options ---- */

static int option_export_name(struct handshake *h)
{
	uint8_t bytes[NBD_EXPORT_NAME_REPLY_SIZE];
	uint8_t *to;
	size_t len;
	int rc = nbd_parse_name(h->data, h->option.len, &h->query.name);

	/* This option has no way to say no but to hang up. */
	if (!rc)
		rc = find_export(h, &h->query.name, true);
	if (rc)
		return rc;
	len = nbd_put_export_name_reply(bytes, &h->conn->session, h->client.no_zeroes);
	to = output_reserve(h, len);
	if (to)
		memcpy(to, bytes, len);
	else
		h->output_failed = true;
	return EXPORT_CHOSEN;
}

static void reply_info_text(struct handshake *h, uint16_t info, const char *text)
{
	uint8_t bytes[2];

	put_be16(bytes, info);
	reply_parts(h, NBD_REP_INFO, bytes, sizeof(bytes), text, strlen(text));
}

static void reply_infos(struct handshake *h, const struct nbd_info_query *query)
{
	const struct nbd_conn *conn = h->conn;
	uint8_t export[NBD_INFO_EXPORT_SIZE], block_size[NBD_INFO_BLOCK_SIZE_SIZE];

	nbd_put_info_export(export, &conn->session);
	reply_parts(h, NBD_REP_INFO, export, sizeof(export), NULL, 0);
	if (query->wants_name)
		reply_info_text(h, NBD_INFO_NAME, conn->export.name);
	if (query->wants_description && conn->export.description[0])
		reply_info_text(h, NBD_INFO_DESCRIPTION, conn->export.description);
	if (query->wants_block_size) {
		nbd_put_info_block_size(block_size);
		reply_parts(h, NBD_REP_INFO, block_size, sizeof(block_size), NULL, 0);
	}
	reply_ack(h);
}

/* INFO tells what GO would get: a look leaves no trace. */
static int option_go(struct handshake *h)
{
	struct nbd_info_query *query = &h->query.info;
	bool go = h->option.code == NBD_OPT_GO;
	int rc;

	if (nbd_parse_info_query(h->data, h->option.len, query)) {
		reply_error(h, NBD_REP_ERR_INVALID, "the lengths in the option do not fit together");
		return GO_ON;
	}
	rc = find_export(h, &query->name, go);
	if (rc)
		return reply_no_export(h, rc);
	reply_infos(h, query);
	return go ? EXPORT_CHOSEN : GO_ON;
}

static int list_one(void *arg, const char *name, const char *description)
{
	struct handshake *h = arg;
	size_t name_len = strlen(name), text_len = strlen(description);
	uint8_t *to = output_reserve(h, NBD_OPTION_REPLY_SIZE + 4 + name_len + text_len);

	if (!to)
		return -ENOMEM;
	nbd_put_option_reply(to, NBD_OPT_LIST, NBD_REP_SERVER, (uint32_t)(4 + name_len + text_len));
	put_be32(to + NBD_OPTION_REPLY_SIZE, (uint32_t)name_len);
	memcpy(to + NBD_OPTION_REPLY_SIZE + 4, name, name_len);
	memcpy(to + NBD_OPTION_REPLY_SIZE + 4 + name_len, description, text_len);
	return 0;
}

static int option_list(struct handshake *h)
{
	struct nbd_exports *exports = &h->conn->server->options.exports;
	int rc;

	if (h->option.len) {
		reply_error(h, NBD_REP_ERR_INVALID, "LIST takes no data");
		return GO_ON;
	}
	rc = exports->list(exports->arg, list_one, h);
	if (rc)
		return rc;
	reply_ack(h);
	return GO_ON;
}

static int option_structured_reply(struct handshake *h)
{
	if (h->option.len) {
		reply_error(h, NBD_REP_ERR_INVALID, "STRUCTURED_REPLY takes no data");
		return GO_ON;
	}
	h->structured = true;
	reply_ack(h);
	return GO_ON;
}

static int option_meta_context(struct handshake *h)
{
	static const char context[] = NBD_META_ALLOCATION;
	struct nbd_meta_query *query = &h->query.meta;
	bool set = h->option.code == NBD_OPT_SET_META_CONTEXT;
	uint8_t id[4];
	int rc;

	/* Whatever becomes of it, a new choice ends the one before. */
	if (set)
		h->allocation = false;
	if (!h->structured || nbd_parse_meta_query(h->data, h->option.len, query)) {
		reply_error(h, NBD_REP_ERR_INVALID, h->structured ? "the lengths in the option do not fit together" :
			    "meta contexts need STRUCTURED_REPLY first");
		return GO_ON;
	}
	rc = find_export(h, &query->name, false);
	if (rc)
		return reply_no_export(h, rc);
	if (query->allocation || (!set && (query->base || query->queries == 0))) {
		put_be32(id, set ? NBD_META_ALLOCATION_ID : 0);
		reply_parts(h, NBD_REP_META_CONTEXT, id, sizeof(id), context, sizeof(context) - 1);
	}
	if (set && query->allocation) {
		h->allocation = true;
		h->allocation_of = query->name;
	}
	reply_ack(h);
	return GO_ON;
}

static int option_starttls(struct handshake *h)
{
	struct nbd_conn *conn = h->conn;
	const struct nbd_tls *tls = conn->server->options.tls;
	struct rt_stream *wrapped;
	int rc;

	if (!tls || conn->tls || h->option.len) {
		reply_error(h, tls ? NBD_REP_ERR_INVALID : NBD_REP_ERR_UNSUP,
			    tls ? "STARTTLS is said once and takes no data" : "this server has no credentials for TLS");
		return GO_ON;
	}
	reply_ack(h);
	rc = send_output(h);
	if (!rc)
		rc = tls->wrap(tls->arg, conn->stream, &wrapped);
	if (rc)
		return rc;
	conn->stream = wrapped;
	conn->tls = true;
	/* What was agreed in the clear might have been said by somebody else. */
	h->structured = false;
	h->allocation = false;
	return GO_ON;
}

static int option_abort(struct handshake *h)
{
	int rc;

	reply_ack(h);
	rc = send_output(h);
	/* The client need not wait for the answer: not getting it out is no fault. */
	return rc == -ECANCELED ? rc : -ECONNABORTED;
}

static int do_option(struct handshake *h)
{
	uint32_t code = h->option.code;

	if (code == NBD_OPT_ABORT)
		return option_abort(h);
	if (h->conn->tls_required && !h->conn->tls && code != NBD_OPT_STARTTLS) {
		if (code == NBD_OPT_EXPORT_NAME)
			return -EACCES;
		reply_error(h, NBD_REP_ERR_TLS_REQD, "this server demands TLS: say STARTTLS first");
		return GO_ON;
	}
	/* A client that is not fixed newstyle does not know replies to options. */
	if (!h->client.fixed_newstyle && code != NBD_OPT_EXPORT_NAME)
		return -EPROTO;
	switch (code) {
	case NBD_OPT_EXPORT_NAME:
		return option_export_name(h);
	case NBD_OPT_LIST:
		return option_list(h);
	case NBD_OPT_STARTTLS:
		return option_starttls(h);
	case NBD_OPT_INFO:
	case NBD_OPT_GO:
		return option_go(h);
	case NBD_OPT_STRUCTURED_REPLY:
		return option_structured_reply(h);
	case NBD_OPT_LIST_META_CONTEXT:
	case NBD_OPT_SET_META_CONTEXT:
		return option_meta_context(h);
	default:
		reply_error(h, NBD_REP_ERR_UNSUP, "this server does not know the option");
		return GO_ON;
	}
}

static int read_option(struct handshake *h)
{
	uint8_t bytes[NBD_OPTION_SIZE];
	int rc = rt_stream_read_full(h->conn->stream, bytes, sizeof(bytes));

	if (!rc)
		rc = nbd_parse_option(bytes, &h->option);
	if (!rc && h->option.len)
		rc = rt_stream_read_full(h->conn->stream, h->data, h->option.len);
	return rc;
}

static int exchange_greetings(struct handshake *h)
{
	uint8_t greeting[NBD_GREETING_SIZE], flags[NBD_CLIENT_FLAGS_SIZE];
	int rc;

	nbd_put_greeting(greeting);
	rc = stream_write(h->conn, greeting, sizeof(greeting));
	if (!rc)
		rc = rt_stream_read_full(h->conn->stream, flags, sizeof(flags));
	return rc ? rc : nbd_parse_client_flags(flags, &h->client);
}

static int run_options(struct handshake *h)
{
	int rc, next;

	for (unsigned i = 0; i < OPTIONS_MAX; i++) {
		rc = read_option(h);
		if (rc)
			return rc;
		next = do_option(h);
		if (next < 0)
			return next;
		rc = send_output(h);
		if (rc && next == EXPORT_CHOSEN)
			release_export(h->conn);
		if (rc || next == EXPORT_CHOSEN)
			return rc;
	}
	return -EMSGSIZE;
}

int nbd_handshake(struct nbd_conn *conn)
{
	MEM_OWNED struct handshake *h = mem_alloc_zeroed(sizeof(*h));
	int rc;

	if (!h)
		return -ENOMEM;
	h->conn = conn;
	RT_LIMIT(rt_now_ns() + HANDSHAKE_NS);
	rc = exchange_greetings(h);
	if (!rc)
		rc = run_options(h);
	mem_free(h->output);
	return rc;
}
