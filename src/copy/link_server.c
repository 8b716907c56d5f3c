/* SPDX-License-Identifier: Apache-2.0 */
/* Who may connect, and which connection of a system is the one that counts. All on reactor 0. */
#include "copy/link_server.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "copy/link_server_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define SERVED_MAX		1024u		/* connections at a time */
#define REFUSED_NS		(60 * RT_SECOND)	/* between two lines of the log about the same refusal */
#define SLOTS_MAX		4096u
#define WINDOW_FRAMES		256u
#define WINDOW_BYTES		(16u << 20)
#define REQUESTS_MAX		256u

/* ---- ending a connection from outside ---- */

static int break_here(void *arg)
{
	struct served_conn *served = arg;

	served->stopping = true;
	if (served->conn)
		link_conn_fail(served->conn, -ECONNABORTED, "closed by this side");
	else
		rt_stream_shutdown(served->stream);
	return 0;
}

/* Runs fn(arg) on the connection's reactor and keeps the connection in being meanwhile. */
static int call_served(struct served_conn *served, int (*fn)(void *arg), void *arg)
{
	int rc;

	served->users++;
	rc = rt_call(served->reactor, fn, arg);
	served->users--;
	rt_cond_wake_all(&served->server->changed);
	return rc;
}

static void break_served(struct served_conn *served)
{
	int rc;
	RT_SHIELD();

	if (served->is_broken)
		return;
	served->is_broken = true;
	rc = call_served(served, break_here, served);
	assert(!rc);
}

/* ---- slots ---- */

static struct slot *find_slot(const struct link_server *server, const char *system, uint8_t kind, uint16_t reactor)
{
	struct slot *slot;

	list_for_each(slot, &server->slots, link) {
		if (slot->kind == kind && slot->reactor == reactor && !strcmp(slot->system, system))
			return slot;
	}
	return NULL;
}

static void drop_slot(struct link_server *server, struct slot *slot)
{
	assert(!slot->conn && !slot->claims);
	list_remove(&slot->link);
	server->slot_count--;
	mem_free(slot);
}

static bool evict_slot(struct link_server *server)
{
	struct slot *slot;

	list_for_each(slot, &server->slots, link) {
		if (!slot->conn && !slot->claims) {
			drop_slot(server, slot);
			return true;
		}
	}
	return false;
}

static struct slot *get_slot(struct link_server *server, const struct wire_hello *hello)
{
	struct slot *slot = find_slot(server, hello->from, hello->kind, hello->reactor);

	if (slot)
		return slot;
	if (server->slot_count >= SLOTS_MAX && !evict_slot(server))
		return NULL;
	slot = mem_alloc_zeroed(sizeof(*slot));
	if (!slot)
		return NULL;
	memcpy(slot->system, hello->from, sizeof(slot->system));
	slot->kind = hello->kind;
	slot->reactor = hello->reactor;
	list_add_last(&server->slots, &slot->link);
	server->slot_count++;
	return slot;
}

static bool is_slot_of(const struct slot *slot, const struct wire_hello *hello)
{
	return slot->generation == hello->generation && !memcmp(slot->boot_id, hello->boot_id, WIRE_ID_SIZE);
}

/* Waits until nothing of the connection that was there before can happen any more. */
static int fence_older(struct link_server *server, struct slot *slot)
{
	int rc = 0;

	/* The mistake: what is still in the old connection's socket goes on to be taken. */
	if (planted(PLANTED_OLD_CONNECTION))
		return 0;
	while (slot->conn && !rc) {
		struct served_conn *older = slot->conn;

		break_served(older);
		if (slot->conn == older)
			rc = rt_cond_wait(&server->changed);
	}
	return rc;
}

static struct served_conn *find_other_boot(const struct link_server *server, const struct wire_hello *hello)
{
	struct slot *slot;

	list_for_each(slot, &server->slots, link) {
		if (slot->conn && !strcmp(slot->system, hello->from) &&
		    memcmp(slot->conn->hello.boot_id, hello->boot_id, WIRE_ID_SIZE) != 0)
			return slot->conn;
	}
	return NULL;
}

/*
 * Connections of another start of the dialer, of whatever kind and reactor: it need not have as many reactors as
 * before, and what it hears from here on must not change by what it sent then.
 */
static int fence_other_boots(struct link_server *server, const struct wire_hello *hello)
{
	struct served_conn *other;
	int rc = 0;

	while (!rc && (other = find_other_boot(server, hello))) {
		break_served(other);
		if (find_other_boot(server, hello) == other)
			rc = rt_cond_wait(&server->changed);
	}
	return rc;
}

/* 0; -ESTALE: there is, or comes, a younger one; -ENOMEM; -ETIMEDOUT, -ECANCELED. */
static int claim_slot(struct link_server *server, struct served_conn *served, struct slot **out)
{
	const struct wire_hello *hello = &served->hello;
	struct slot *slot = get_slot(server, hello);
	int rc;

	if (!slot)
		return -ENOMEM;
	if (!memcmp(slot->boot_id, hello->boot_id, WIRE_ID_SIZE) && hello->generation <= slot->generation)
		return -ESTALE;
	memcpy(slot->boot_id, hello->boot_id, WIRE_ID_SIZE);
	slot->generation = hello->generation;
	slot->claims++;
	rc = fence_older(server, slot);
	if (!rc)
		rc = fence_other_boots(server, hello);
	slot->claims--;
	if (!rc && !is_slot_of(slot, hello))
		rc = -ESTALE;
	if (rc)
		return rc;
	slot->conn = served;
	*out = slot;
	return 0;
}

/* ---- the handshake ---- */

static int send_answer(struct served_conn *served, const uint8_t answer[WIRE_ANSWER_SIZE])
{
	return rt_stream_write(served->stream, &(struct iovec){ (void *)(uintptr_t)answer, WIRE_ANSWER_SIZE }, 1);
}

/* Whoever is refused comes again every few seconds: the log hears of it once a minute. */
static void log_refusal(struct served_conn *served, const char *text)
{
	struct link_server *server = served->server;
	char what[sizeof(server->refused)];
	int64_t now_ns = rt_now_ns();

	snprintf(what, sizeof(what), "%s%s", served->hello.from, text);
	if (!strcmp(what, server->refused) && now_ns - server->refused_ns < REFUSED_NS)
		return;
	memcpy(server->refused, what, sizeof(what));
	server->refused_ns = now_ns;
	log_line(LOG_WARNING, "link", "connection of %s (%s) is refused: %s", served->hello.from, served->peer.address,
		 text);
}

__attribute__((format(printf, 3, 4)))
static void refuse(struct served_conn *served, enum wire_refusal code, const char *format, ...)
{
	struct wire_refused refused = { .code = (uint16_t)code };
	uint8_t answer[WIRE_ANSWER_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(refused.text, sizeof(refused.text), format, args);
	va_end(args);
	log_refusal(served, refused.text);
	memcpy(refused.system, served->server->config.own, sizeof(refused.system));
	wire_put_refused(answer, &refused);
	/* It is closed next, whether or not the other side hears why. */
	if (send_answer(served, answer))
		log_line(LOG_DEBUG, "link", "%s has gone before it was refused", served->peer.address);
}

/* Does the greeting suit us? If not it has been answered. */
static bool is_acceptable(struct served_conn *served, const char *identity)
{
	const struct link_server_config *config = &served->server->config;
	const struct wire_hello *hello = &served->hello;

	if (hello->version_min > WIRE_VERSION_MAX || hello->version_max < WIRE_VERSION_MIN) {
		refuse(served, WIRE_REFUSED_VERSION, "this is %s, which speaks versions %u to %u of the link protocol",
		       config->own, WIRE_VERSION_MIN, WIRE_VERSION_MAX);
		return false;
	}
	if (strcmp(hello->to, config->own)) {
		refuse(served, WIRE_REFUSED_SYSTEM, "this is %s, not %s", config->own, hello->to);
		return false;
	}
	if (identity && strcmp(identity, hello->from)) {
		refuse(served, WIRE_REFUSED_IDENTITY, "the credentials are those of %s, not of %s", identity,
		       hello->from);
		return false;
	}
	if (hello->kind == WIRE_KIND_DATA && !config->data) {
		refuse(served, WIRE_REFUSED_BUSY, "%s takes no data", config->own);
		return false;
	}
	return true;
}

static int read_hello(struct served_conn *served)
{
	uint8_t bytes[WIRE_HELLO_SIZE];
	int rc = rt_stream_read_full(served->stream, bytes, sizeof(bytes));

	if (!rc)
		rc = wire_get_hello(bytes, &served->hello);
	if (rc) {
		log_line(LOG_WARNING, "link", "%s did not greet: %s", served->peer.address, strerror(-rc));
		return rc;
	}
	memcpy(served->peer.system, served->hello.from, sizeof(served->peer.system));
	memcpy(served->peer.boot_id, served->hello.boot_id, sizeof(served->peer.boot_id));
	served->peer.generation = served->hello.generation;
	served->peer.reactor = served->hello.reactor;
	return 0;
}

static int welcome(struct served_conn *served)
{
	const struct link_server_config *config = &served->server->config;
	struct wire_welcome answer = {
		.version = WIRE_VERSION_MAX, .features = served->hello.features & WIRE_FEATURE_ZSTD,
		.requests_max = config->requests_max, .window_frames = config->window_frames,
		.window_bytes = config->window_bytes,
	};
	uint8_t bytes[WIRE_ANSWER_SIZE];

	if (served->hello.version_max < answer.version)
		answer.version = served->hello.version_max;
	served->features = answer.features;
	memcpy(answer.system, config->own, sizeof(answer.system));
	memcpy(answer.boot_id, config->boot_id, sizeof(answer.boot_id));
	wire_put_welcome(bytes, &answer);
	return send_answer(served, bytes);
}

static int shake_hands(struct link_server *server, struct served_conn *served, const char *identity,
		       struct slot **slot)
{
	RT_LIMIT(rt_now_ns() + server->config.timing.dead_ms * RT_MS);
	int rc = read_hello(served);

	if (rc)
		return rc;
	if (!is_acceptable(served, identity))
		return -ECONNREFUSED;
	rc = claim_slot(server, served, slot);
	if (rc == -ESTALE)
		refuse(served, WIRE_REFUSED_GENERATION, "a younger connection of %s is there", served->hello.from);
	else if (rc == -ENOMEM)
		refuse(served, WIRE_REFUSED_BUSY, "%s has no room for more connections", server->config.own);
	return rc ? rc : welcome(served);
}

/* ---- one connection ---- */

static void serve_one(struct link_server *server, struct served_conn *served, const char *identity)
{
	bool is_data;
	struct slot *slot = NULL;
	int rc = shake_hands(server, served, identity, &slot);

	if (!rc && !server->stopping) {
		is_data = served->hello.kind == WIRE_KIND_DATA;
		if (is_data)
			served->reactor = rt_reactor(served->hello.reactor % rt_reactor_count());
		rc = rt_call(served->reactor, is_data ? link_serve_data : link_serve_control, served);
		served->reactor = server->reactor;
	}
	if (slot && slot->conn == served)
		slot->conn = NULL;
	list_remove(&served->link);
	rt_cond_wake_all(&server->changed);
	if (rc)
		log_line(LOG_DEBUG, "link", "connection of %s is not served: %s", served->peer.address, strerror(-rc));
}

static void wait_for_users(struct served_conn *served)
{
	RT_SHIELD();

	while (served->users) {
		int rc = rt_cond_wait(&served->server->changed);

		assert(!rc);
	}
}

struct serve_call {
	struct link_server *server;
	struct rt_stream *stream;
	const char *identity;
};

static int serve_here(void *arg)
{
	struct serve_call *call = arg;
	struct link_server *server = call->server;
	struct served_conn *served = NULL;

	if (!server->stopping && server->served_count < SERVED_MAX)
		served = mem_alloc_zeroed(sizeof(*served));
	if (!served) {
		log_line(LOG_WARNING, "link", "no room for a connection of %s", rt_stream_peer(call->stream));
		rt_stream_close(call->stream);
		return 0;
	}
	server->served_count++;
	served->server = server;
	served->stream = call->stream;
	served->reactor = server->reactor;
	snprintf(served->peer.address, sizeof(served->peer.address), "%s", rt_stream_peer(call->stream));
	list_add_last(&server->served, &served->link);
	serve_one(server, served, call->identity);
	wait_for_users(served);
	rt_stream_close(served->stream);
	mem_free(served);
	server->served_count--;
	rt_cond_wake_all(&server->changed);
	return 0;
}

void link_server_serve(struct link_server *server, struct rt_stream *stream, const char *identity)
{
	struct serve_call call = { .server = server, .stream = stream, .identity = identity };
	int rc = rt_call(server->reactor, serve_here, &call);

	assert(!rc);
}

/* ---- the server ---- */

int link_server_start(const struct link_server_config *config, struct link_server **out)
{
	struct link_server *server = mem_alloc_zeroed(sizeof(*server));

	assert(rt_reactor_index(rt_here()) == 0 && wire_is_system(config->own));
	if (!server)
		return -ENOMEM;
	server->config = *config;
	server->reactor = rt_here();
	if (!config->window_frames)
		server->config.window_frames = WINDOW_FRAMES;
	if (!config->window_bytes)
		server->config.window_bytes = WINDOW_BYTES;
	if (!config->requests_max)
		server->config.requests_max = REQUESTS_MAX;
	list_init(&server->served);
	list_init(&server->slots);
	rt_cond_init(&server->changed);
	*out = server;
	return 0;
}

void link_server_stop(struct link_server *server)
{
	struct slot *slot, *tmp;
	RT_SHIELD();

	if (!server)
		return;
	assert(rt_here() == server->reactor);
	server->stopping = true;
	while (server->served_count) {
		struct served_conn *served;
		int rc;

		/* Breaking suspends, so the list is looked at anew. */
		list_for_each(served, &server->served, link) {
			if (!served->is_broken)
				break;
		}
		if (&served->link != &server->served) {
			break_served(served);
			continue;
		}
		rc = rt_cond_wait(&server->changed);
		assert(!rc);
	}
	list_for_each_safe(slot, tmp, &server->slots, link)
		drop_slot(server, slot);
	mem_free(server);
}

static struct served_conn *find_unbroken(const struct link_server *server)
{
	struct served_conn *served;

	list_for_each(served, &server->served, link) {
		if (!served->is_broken)
			return served;
	}
	return NULL;
}

void link_server_restart(struct link_server *server, const uint8_t boot_id[WIRE_ID_SIZE])
{
	struct served_conn *served;

	assert(rt_here() == server->reactor);
	memcpy(server->config.boot_id, boot_id, WIRE_ID_SIZE);
	while ((served = find_unbroken(server)))
		break_served(served);
}

int link_server_event(struct link_server *server, const char *system, uint16_t type, const void *event)
{
	struct slot *slot = find_slot(server, system, WIRE_KIND_CONTROL, 0);
	const struct wire_type *found = wire_type_find(type);

	assert(rt_here() == server->reactor && found && !found->reply);
	return slot && slot->conn ? link_serve_event(slot->conn, found, event) : -ENOTCONN;
}

struct check_call {
	struct served_conn *served;
	const struct wire_channel_mark *mark;
};

static int check_here(void *arg)
{
	struct check_call *call = arg;

	return link_serve_check_mark(call->served, call->mark);
}

int link_server_check_mark(struct link_server *server, const char *system, const struct wire_channel_mark *mark)
{
	struct slot *slot = find_slot(server, system, WIRE_KIND_DATA, mark->reactor);
	struct check_call call = { .mark = mark };
	RT_LIMIT(rt_now_ns() + server->config.timing.dead_ms * RT_MS);

	assert(rt_here() == server->reactor);
	if (!slot || !slot->conn || slot->conn->hello.generation != mark->generation)
		return -ESTALE;
	call.served = slot->conn;
	return call_served(slot->conn, check_here, &call);
}
