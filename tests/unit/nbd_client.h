/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_client.h - for the tests of the NBD server: the server in the simulator, over a made-up volume that can be slow
 * and can fail, and a client of our own that can be hostile. A scenario is a function that returns 0; run() runs it.
 */
#ifndef XDC_TESTS_NBD_CLIENT_H
#define XDC_TESTS_NBD_CLIENT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/nbd.h"
#include "host/nbd_proto.h"
#include "rt/bytes.h"
#include "rt/mem.h"
#include "rt/sim.h"

#define KIB(n)		((uint32_t)(n) << 10)
#define MIB(n)		((uint32_t)(n) << 20)
#define VOLUME_SIZE	(MIB(40) + 512u)	/* no multiple of 4 KiB: as adopted volumes may be */
#define ADDRESS		"a:10809"
#define RUN_NS		(600 * RT_SECOND)

/* In a fiber of the scenario: what does not hold ends the run with the place. */
#define CHECK(what) \
	do { \
		if (!(what)) { \
			sim_fail(sim_world(), "%s:%d: %s", __FILE__, __LINE__, #what); \
			return -1; \
		} \
	} while (0)
#define TRY(call)	CHECK((call) == 0)

/* ---- a made-up volume behind volume.h ---- */

struct volume {
	struct rt_reactor *reactor;
	uint8_t *bytes;
	int rc;				/* what every call answers */
	bool gated;			/* calls wait for the gate */
	struct rt_cond gate;
	unsigned active, active_max, cancelled;
	unsigned reads, writes, flushes, discards, zeroes;
	unsigned flags;			/* of the last change */
};

static struct volume volume_1500;

static inline int volume_enter(struct volume *volume, unsigned *counter)
{
	int rc = 0;

	assert_ptr_equal(volume->reactor, rt_here());
	volume->active++;
	if (volume->active > volume->active_max)
		volume->active_max = volume->active;
	while (!rc && volume->gated)
		rc = rt_cond_wait(&volume->gate);
	volume->active--;
	volume->cancelled += rc == -ECANCELED;
	*counter += 1;
	return rc ? rc : volume->rc;
}

struct rt_reactor *volume_reactor(const struct volume *volume)
{
	return volume->reactor;
}

int volume_read(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	int rc = volume_enter(volume, &volume->reads);

	if (!rc)
		memcpy(buf, volume->bytes + offset, len);
	return rc;
}

int volume_write(struct volume *volume, const void *buf, size_t len, uint64_t offset, unsigned flags)
{
	int rc = volume_enter(volume, &volume->writes);

	volume->flags = flags;
	if (!rc)
		memcpy(volume->bytes + offset, buf, len);
	return rc;
}

int volume_zero(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags)
{
	int rc = volume_enter(volume, &volume->zeroes);

	volume->flags = flags;
	if (!rc)
		memset(volume->bytes + offset, 0, len);
	return rc;
}

int volume_discard(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags)
{
	int rc = volume_enter(volume, &volume->discards);

	volume->flags = flags;
	if (!rc)
		memset(volume->bytes + offset, 0, len);
	return rc;
}

int volume_flush(struct volume *volume)
{
	return volume_enter(volume, &volume->flushes);
}

/* Data is a track that begins with a byte other than zero. */
int volume_get_run(struct volume *volume, uint64_t offset, bool *data, uint64_t *end)
{
	*data = volume->bytes[offset / XDC_TRACK_SIZE * XDC_TRACK_SIZE];
	*end = (offset / XDC_TRACK_SIZE + 1) * XDC_TRACK_SIZE;
	if (*end > VOLUME_SIZE)
		*end = VOLUME_SIZE;
	return volume->rc;
}

/* ---- the server's system ---- */

struct setup {
	unsigned exports;		/* 1: "1500" alone; 2: also "1501", which hosts may not have */
	bool read_only, slow_zero;
	bool tls, tls_required;
	int tls_rc;
	unsigned connections_max;
};
static struct setup setup;
static unsigned attached, attaches, found;
static struct nbd_server *server;

static inline int export_find(void *arg, const char *name, bool attach, struct nbd_export *out)
{
	assert_ptr_equal(arg, &setup);
	if (strcmp(name, "1501") == 0)
		return -EPERM;
	if (strcmp(name, "1502") == 0)
		return -ESHUTDOWN;
	if (strcmp(name, "1503") == 0)
		return -EBUSY;
	if (strcmp(name, "1500") != 0)
		return -ENOENT;
	attached += attach;
	attaches += attach;
	found++;
	out->volume = &volume_1500;
	out->size = VOLUME_SIZE;
	out->writable = !setup.read_only;
	out->zero_is_fast = !setup.slow_zero;
	memcpy(out->name, "1500", 5);
	memcpy(out->description, "tables", 7);
	return 0;
}

static inline void export_release(void *arg, struct nbd_export *export)
{
	assert_ptr_equal(arg, &setup);
	assert_ptr_equal(export->volume, &volume_1500);
	assert_true(attached > 0);
	attached--;
}

static inline int export_list(void *arg, int (*each)(void *each_arg, const char *name, const char *description),
		       void *each_arg)
{
	int rc = 0;

	assert_ptr_equal(arg, &setup);
	if (setup.exports > 0)
		rc = each(each_arg, "1500", "tables");
	if (!rc && setup.exports > 1)
		rc = each(each_arg, "1501", "");
	return rc;
}

/* "TLS" that changes nothing: what counts here is when it begins. */
static inline int wrap_stream(void *arg, struct rt_stream *plain, struct rt_stream **out)
{
	(void)arg;
	*out = plain;
	return setup.tls_rc;
}

static const struct nbd_tls made_up_tls = { .wrap = wrap_stream };

static inline int server_main(void *arg)
{
	struct nbd_server_options options = {
		.exports = { .find = export_find, .release = export_release, .list = export_list, .arg = &setup },
		.tls = setup.tls ? &made_up_tls : NULL,
		.connections_max = setup.connections_max ? setup.connections_max : 16,
	};
	struct rt_listener *listener;
	int rc;

	(void)arg;
	volume_1500.reactor = rt_reactor(rt_reactor_count() - 1);
	rc = nbd_server_create(&options, &server);
	if (rc)
		return rc;
	rc = rt_listen(ADDRESS, &listener);
	if (!rc)
		rc = nbd_server_listen(server, listener, setup.tls_required);
	if (!rc)
		rc = rt_wait_stop();
	nbd_server_destroy(server);
	return rc;
}

static struct sim_system *system_a;

static inline int open_gate_there(void *arg)
{
	(void)arg;
	volume_1500.gated = false;
	rt_cond_wake_all(&volume_1500.gate);
	return 0;
}

static inline int open_gate_in_system(void *arg)
{
	(void)arg;
	return rt_call(volume_1500.reactor, open_gate_there, NULL);
}

static inline int open_gate(void)
{
	return sim_call(system_a, open_gate_in_system, NULL);
}

/* Lets time pass in the scenario until nothing moves any more: messages and turns take microseconds. */
static inline int settle(void)
{
	return rt_sleep_until(rt_now_ns() + RT_SECOND);
}

static inline int stop_server(void)
{
	return sim_stop_and_wait(system_a);
}

/* Runs the scenario against a fresh server with one export. The server must end well and leave nothing behind. */
static inline void run(int (*scenario)(void *arg), unsigned reactors)
{
	struct sim_world *world = sim_create(1, NULL);
	enum sim_end end;

	free(volume_1500.bytes);
	volume_1500 = (struct volume){ .bytes = calloc(1, VOLUME_SIZE) };
	assert_non_null(volume_1500.bytes);
	rt_cond_init(&volume_1500.gate);
	attached = attaches = found = 0;
	system_a = sim_add_system(world, "a", reactors);
	sim_boot(system_a, server_main, NULL);
	end = sim_run(world, scenario, NULL, RUN_NS);
	if (end != SIM_DONE) {
		sim_print_log(world, stderr);
		fail_msg("%s", sim_failure(world));
	}
	assert_int_equal(attached, 0);
	assert_int_equal(volume_1500.active, 0);
	sim_destroy(world);
}

static inline int set_up(void **state)
{
	(void)state;
	setup = (struct setup){ .exports = 1 };
	return 0;
}

/* ---- the client ---- */

struct client {
	struct rt_stream *stream;
	bool structured;
	uint64_t cookie;
};

static inline int client_send(struct client *c, const void *bytes, size_t len)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

	return rt_stream_write(c->stream, &part, 1);
}

static inline int client_receive(struct client *c, void *bytes, size_t len)
{
	return len ? rt_stream_read_full(c->stream, bytes, len) : 0;
}

/* The server has hung up: nothing comes any more but the end. */
static inline int client_expect_end(struct client *c)
{
	uint8_t byte;
	ssize_t got = rt_stream_read(c->stream, &byte, 1);

	CHECK(got == 0 || got == -ECONNRESET);
	return 0;
}

static inline void client_close(struct client *c)
{
	rt_stream_close(c->stream);
	c->stream = NULL;
}

static inline int client_connect(struct client *c, uint32_t flags)
{
	uint8_t greeting[NBD_GREETING_SIZE], bytes[4];
	int rc;

	*c = (struct client){ .cookie = 1000 };
	/* The server may not listen yet. */
	while ((rc = rt_connect(ADDRESS, &c->stream)) == -ECONNREFUSED)
		TRY(rt_sleep_until(rt_now_ns() + RT_MS));
	TRY(rc);
	TRY(client_receive(c, greeting, sizeof(greeting)));
	CHECK(memcmp(greeting, "NBDMAGICIHAVEOPT\0\3", sizeof(greeting)) == 0);
	put_be32(bytes, flags);
	return client_send(c, bytes, sizeof(bytes));
}

static inline int option_send(struct client *c, uint32_t code, const void *data, uint32_t len)
{
	uint8_t bytes[NBD_OPTION_SIZE];

	memcpy(bytes, "IHAVEOPT", 8);
	put_be32(bytes + 8, code);
	put_be32(bytes + 12, len);
	TRY(client_send(c, bytes, sizeof(bytes)));
	return len ? client_send(c, data, len) : 0;
}

struct option_reply {
	uint32_t code, len;
	uint8_t data[512];
};

static inline int option_receive(struct client *c, uint32_t option, struct option_reply *reply)
{
	uint8_t bytes[NBD_OPTION_REPLY_SIZE];

	TRY(client_receive(c, bytes, sizeof(bytes)));
	CHECK(get_be64(bytes) == 0x0003e889045565a9);
	CHECK(get_be32(bytes + 8) == option);
	reply->code = get_be32(bytes + 12);
	reply->len = get_be32(bytes + 16);
	CHECK(reply->len <= sizeof(reply->data));
	return client_receive(c, reply->data, reply->len);
}

static inline int option_expect(struct client *c, uint32_t option, uint32_t code)
{
	struct option_reply reply;

	TRY(option_receive(c, option, &reply));
	CHECK(reply.code == code);
	/* An error says what is wrong, for people. */
	CHECK(code == NBD_REP_ACK ? reply.len == 0 : reply.len > 10);
	return 0;
}

static inline int option_do(struct client *c, uint32_t option, const void *data, uint32_t len, uint32_t code)
{
	TRY(option_send(c, option, data, len));
	return option_expect(c, option, code);
}

static inline int send_go(struct client *c, uint32_t option, const char *name)
{
	uint8_t data[64];
	uint32_t len = (uint32_t)strlen(name);

	put_be32(data, len);
	memcpy(data + 4, name, len);
	put_be16(data + 4 + len, 0);
	return option_send(c, option, data, 6 + len);
}

static inline int send_meta(struct client *c, uint32_t option, const char *name, const char *context)
{
	uint8_t data[128];
	uint32_t len = (uint32_t)strlen(name), context_len = (uint32_t)strlen(context);

	put_be32(data, len);
	memcpy(data + 4, name, len);
	put_be32(data + 4 + len, context_len ? 1 : 0);
	put_be32(data + 8 + len, context_len);
	memcpy(data + 12 + len, context, context_len);
	return option_send(c, option, data, 8 + len + (context_len ? 4 + context_len : 0));
}

static inline int client_go(struct client *c, const char *name)
{
	struct option_reply reply;

	TRY(send_go(c, NBD_OPT_GO, name));
	TRY(option_receive(c, NBD_OPT_GO, &reply));
	CHECK(reply.code == NBD_REP_INFO && reply.len == NBD_INFO_EXPORT_SIZE);
	CHECK(get_be64(reply.data + 2) == VOLUME_SIZE);
	return option_expect(c, NBD_OPT_GO, NBD_REP_ACK);
}

static inline int client_open_structured(struct client *c)
{
	struct option_reply reply;

	TRY(client_connect(c, 3));
	TRY(option_do(c, NBD_OPT_STRUCTURED_REPLY, NULL, 0, NBD_REP_ACK));
	c->structured = true;
	TRY(send_meta(c, NBD_OPT_SET_META_CONTEXT, "1500", "base:allocation"));
	TRY(option_receive(c, NBD_OPT_SET_META_CONTEXT, &reply));
	CHECK(reply.code == NBD_REP_META_CONTEXT && reply.len == 19 && get_be32(reply.data) == 1);
	TRY(option_expect(c, NBD_OPT_SET_META_CONTEXT, NBD_REP_ACK));
	return client_go(c, "1500");
}

static inline int client_open(struct client *c)
{
	TRY(client_connect(c, 3));
	return client_go(c, "1500");
}

static inline int command_send(struct client *c, uint16_t flags, uint16_t code, uint64_t offset, uint32_t len)
{
	uint8_t bytes[NBD_COMMAND_SIZE];

	put_be32(bytes, 0x25609513);
	put_be16(bytes + 4, flags);
	put_be16(bytes + 6, code);
	put_be64(bytes + 8, ++c->cookie);
	put_be64(bytes + 16, offset);
	put_be32(bytes + 24, len);
	return client_send(c, bytes, sizeof(bytes));
}

/* Replies may come in any order: whose one is it? */
static inline int reply_receive(struct client *c, uint64_t *cookie, uint32_t *error)
{
	uint8_t bytes[NBD_SIMPLE_REPLY_SIZE];

	TRY(client_receive(c, bytes, sizeof(bytes)));
	CHECK(get_be32(bytes) == 0x67446698);
	*error = get_be32(bytes + 4);
	*cookie = get_be64(bytes + 8);
	return 0;
}

static inline int reply_expect(struct client *c, uint32_t wanted)
{
	uint64_t cookie;
	uint32_t error;

	TRY(reply_receive(c, &cookie, &error));
	CHECK(cookie == c->cookie);
	CHECK(error == wanted);
	return 0;
}

struct chunk {
	bool done;
	uint16_t type;
	uint32_t len;
};

static inline int chunk_receive(struct client *c, struct chunk *chunk)
{
	uint8_t bytes[NBD_CHUNK_SIZE];

	TRY(client_receive(c, bytes, sizeof(bytes)));
	CHECK(get_be32(bytes) == 0x668e33ef);
	CHECK(get_be16(bytes + 4) <= 1);
	CHECK(get_be64(bytes + 8) == c->cookie);
	chunk->done = get_be16(bytes + 4);
	chunk->type = get_be16(bytes + 6);
	chunk->len = get_be32(bytes + 16);
	return 0;
}

/* A chunk of data or hole must be this one; data are compared with the volume. */
static inline int chunk_expect(struct client *c, uint16_t type, uint64_t offset, uint32_t len, bool done)
{
	static uint8_t data[NBD_PAYLOAD_MAX];
	struct chunk chunk;
	uint8_t bytes[12];

	TRY(chunk_receive(c, &chunk));
	CHECK(chunk.type == type);
	CHECK(chunk.done == done);
	CHECK(chunk.len == (type == 1 ? 8 + len : 12));
	TRY(client_receive(c, bytes, 8));
	CHECK(get_be64(bytes) == offset);
	if (type == 2) {
		TRY(client_receive(c, bytes, 4));
		CHECK(get_be32(bytes) == len);
		return 0;
	}
	TRY(client_receive(c, data, len));
	CHECK(memcmp(data, volume_1500.bytes + offset, len) == 0);
	return 0;
}

static inline int error_chunk_expect(struct client *c, uint32_t error)
{
	struct chunk chunk;
	uint8_t bytes[6];

	TRY(chunk_receive(c, &chunk));
	CHECK(chunk.type == 0x8001 && chunk.done && chunk.len == 6);
	TRY(client_receive(c, bytes, 6));
	CHECK(get_be32(bytes) == error && get_be16(bytes + 4) == 0);
	return 0;
}

/* A write whose bytes are all the same; its reply is not waited for. */
static inline int write_send(struct client *c, uint16_t flags, uint64_t offset, uint32_t len, uint8_t byte)
{
	static uint8_t data[MIB(4)];

	CHECK(len <= sizeof(data));
	memset(data, byte, len);
	TRY(command_send(c, flags, NBD_CMD_WRITE, offset, len));
	return client_send(c, data, len);
}

static inline int client_write(struct client *c, uint16_t flags, uint64_t offset, uint32_t len, uint8_t byte)
{
	TRY(write_send(c, flags, offset, len, byte));
	return reply_expect(c, 0);
}

static inline bool volume_holds(uint64_t offset, uint32_t len, uint8_t byte)
{
	const uint8_t *at = volume_1500.bytes + offset;

	return at[0] == byte && memcmp(at, at + 1, len - 1) == 0;
}

/* The server still serves: whatever was done to it by others. */
static inline int check_serves(void)
{
	struct client c;

	TRY(client_open(&c));
	TRY(client_write(&c, 0, 4096, 4096, 0x77));
	CHECK(volume_holds(4096, 4096, 0x77));
	TRY(command_send(&c, 0, NBD_CMD_DISC, 0, 0));
	TRY(client_expect_end(&c));
	client_close(&c);
	return 0;
}

/* A test that is its scenario alone. */
#define ADD_TEST(name, reactors) \
	static void test_##name(void **state) \
	{ \
		(void)state; \
		run(name, reactors); \
	}

#endif
