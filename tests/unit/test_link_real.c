/* SPDX-License-Identifier: Apache-2.0 */
/* The link on real reactors and sockets, plain and over TLS: data from every reactor, requests meanwhile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "copy/link_server.h"
#include "rt/mem.h"
#include "rt/run.h"
#include "rt/tls.h"
#include "rt_check.h"

#define REACTORS	3u
#define FRAMES		400u
#define FRAME_MAX	(256u << 10)

static struct {
	struct link_server *server;
	struct rt_listener *listener;
	struct rt_group accepting, serving;
	struct tls *tls;
	atomic_uint frames;
	atomic_ullong bytes;
	char folder[64], keys[128];
} far;

static uint8_t *payload;

static int show(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	(void)arg, (void)peer, (void)request, (void)why;
	snprintf(((struct wire_system_reply *)reply)->version, 32, "real");
	return 0;
}

static int take_data(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data)
{
	(void)arg;
	CHECK_EQUAL(peer->reactor, rt_reactor_index(rt_here()));
	CHECK_EQUAL(frame->offset, frame->tag * FRAME_MAX);
	CHECK(!memcmp(*data, payload + frame->tag, frame->raw_bytes));
	if (frame->tag % 7 == 0)
		rt_yield();
	atomic_fetch_add(&far.frames, 1);
	atomic_fetch_add(&far.bytes, frame->raw_bytes);
	return 0;
}

static const struct link_handler handlers[] = { { WIRE_SYSTEM_SHOW, show }, { 0, NULL } };

static void serve(void *arg)
{
	struct rt_stream *stream = arg;
	const char *identity = NULL;

	if (far.tls && tls_accept_link(far.tls, stream, &stream, &identity))
		return;
	CHECK(!far.tls || !strcmp(identity, "2105.FA120"));
	link_server_serve(far.server, stream, identity);
}

static void accept_all(void *arg)
{
	struct rt_stream *stream;

	(void)arg;
	while (!rt_accept(far.listener, &stream))
		CHECK_EQUAL(rt_group_start(&far.serving, "serve", serve, stream), 0);
}

static void start_far(void)
{
	struct link_server_config config = {
		.own = "2105.FB230", .boot_id = { 2 }, .handlers = handlers, .data = take_data,
		.timing = link_timing_default, .window_frames = 64, .window_bytes = 4u << 20,
	};

	far.frames = 0;
	far.bytes = 0;
	CHECK_EQUAL(link_server_start(&config, &far.server), 0);
	CHECK_EQUAL(rt_listen("127.0.0.1:0", &far.listener), 0);
	rt_group_init(&far.accepting);
	rt_group_init(&far.serving);
	CHECK_EQUAL(rt_group_start(&far.accepting, "accept", accept_all, NULL), 0);
}

static void stop_far(void)
{
	rt_group_stop(&far.accepting);
	rt_listener_close(far.listener);
	link_server_stop(far.server);
	rt_group_stop(&far.serving);
}

/* ---- the side that dials ---- */

struct sender {
	struct link *link;
	unsigned reactor;
	uint64_t bytes;
};

static void wait_channel(struct link_channel *channel)
{
	struct link_state state;

	for (;;) {
		link_channel_get_state(channel, &state);
		if (state.connected)
			return;
		CHECK_EQUAL(rt_cond_wait(link_channel_changed(channel)), 0);
	}
}

static void fill_send(struct link_send *send, unsigned i)
{
	*send = (struct link_send){
		.volume = 1, .tag = i, .offset = (uint64_t)i * FRAME_MAX, .data = payload + i,
		.len = i % 50 ? 4096 + i : FRAME_MAX - i,
	};
}

static int send_all(void *arg)
{
	struct sender *sender = arg;
	struct link_channel *channel = link_channel_here(sender->link);
	struct link_send *sends = mem_alloc(FRAMES * sizeof(*sends)), *done;
	struct wire_channel_mark mark;
	struct link_acks acks;

	CHECK(sends);
	link_acks_init(&acks);
	wait_channel(channel);
	for (unsigned i = 0; i < FRAMES; i++) {
		fill_send(&sends[i], i);
		sender->bytes += sends[i].len;
		CHECK_EQUAL(link_data_send(channel, &sends[i], &acks), 0);
	}
	CHECK_EQUAL(link_channel_mark(channel, &mark), 0);
	CHECK_EQUAL(mark.frames, FRAMES);
	do {
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK(!done || !done->error);
	} while (done);
	mem_free(sends);
	return 0;
}

static void run_sender(void *arg)
{
	struct sender *sender = arg;

	CHECK_EQUAL(rt_call(rt_reactor(sender->reactor), send_all, sender), 0);
}

static struct link *open_link(struct tls *tls, bool zstd)
{
	struct link_config config = {
		.own = "2105.FA120", .peer = "2105.FB230", .boot_id = { 1 }, .zstd = zstd,
		.timing = link_timing_default, .wrap = tls ? tls_connect_link : NULL, .wrap_arg = tls,
	};
	struct link *link;

	snprintf(config.address, sizeof(config.address), "%s", rt_listener_address(far.listener));
	CHECK_EQUAL(link_open(&config, &link), 0);
	CHECK_EQUAL(link_start_data(link), 0);
	return link;
}

static void ask(struct link *link)
{
	struct wire_system_reply reply;
	int rc = -ENOTCONN;

	while (rc == -ENOTCONN) {
		struct link_state state;

		link_get_state(link, &state);
		if (!state.connected)
			CHECK_EQUAL(rt_cond_wait(link_changed(link)), 0);
		rc = link_request(link, WIRE_SYSTEM_SHOW, &(struct wire_empty){ 0 }, &reply, NULL, NULL);
	}
	CHECK_EQUAL(rc, 0);
	CHECK(!strcmp(reply.version, "real"));
}

static void exchange(struct tls *tls, bool zstd)
{
	struct sender senders[REACTORS];
	struct rt_group group;
	uint64_t bytes = 0;
	struct link *link;
	RT_LIMIT(rt_now_ns() + 40 * RT_SECOND);

	start_far();
	link = open_link(tls, zstd);
	rt_group_init(&group);
	for (unsigned i = 0; i < REACTORS; i++) {
		senders[i] = (struct sender){ .link = link, .reactor = i };
		CHECK_EQUAL(rt_group_start(&group, "sender", run_sender, &senders[i]), 0);
	}
	for (unsigned i = 0; i < 100; i++)
		ask(link);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	for (unsigned i = 0; i < REACTORS; i++)
		bytes += senders[i].bytes;
	CHECK_EQUAL(atomic_load(&far.frames), REACTORS * FRAMES);
	CHECK_EQUAL(atomic_load(&far.bytes), bytes);
	link_close(link);
	stop_far();
}

static int scenario_plain(void *arg)
{
	(void)arg;
	exchange(NULL, false);
	exchange(NULL, true);
	return 0;
}

static int scenario_tls(void *arg)
{
	struct fault fault;
	struct tls *tls;

	(void)arg;
	CHECK_EQUAL(tls_create_link(far.keys, "2105.FA120", &tls, &fault), 0);
	CHECK_EQUAL(tls_create_link(far.keys, "2105.FB230", &far.tls, &fault), 0);
	exchange(tls, false);
	tls_destroy(tls);
	tls_destroy(far.tls);
	far.tls = NULL;
	return 0;
}

/* Frames are under way on every reactor when the link is closed, and when the far side stops. */
static int leave_pending(void *arg)
{
	struct sender *sender = arg;
	struct link_channel *channel = sender->link ? link_channel_here(sender->link) : NULL;
	static struct link_send sends[REACTORS][20];
	static struct link_acks acks[REACTORS];
	struct link_send *done;

	if (channel) {
		link_acks_init(&acks[sender->reactor]);
		wait_channel(channel);
		for (unsigned i = 0; i < 20; i++) {
			fill_send(&sends[sender->reactor][i], i);
			CHECK_EQUAL(link_data_send(channel, &sends[sender->reactor][i], &acks[sender->reactor]), 0);
		}
		return 0;
	}
	for (unsigned i = 0; i < 20; i++) {
		CHECK_EQUAL(link_acks_wait(&acks[sender->reactor], &done), 0);
		CHECK(done && (!done->error || done->error == -ECONNRESET));
	}
	CHECK(!acks[sender->reactor].pending);
	return 0;
}

static int scenario_close(void *arg)
{
	struct sender sender = { 0 };
	RT_LIMIT(rt_now_ns() + 40 * RT_SECOND);

	(void)arg;
	for (unsigned round = 0; round < 20; round++) {
		start_far();
		sender = (struct sender){ .link = open_link(NULL, false) };
		for (sender.reactor = 0; sender.reactor < REACTORS; sender.reactor++)
			CHECK_EQUAL(rt_call(rt_reactor(sender.reactor), leave_pending, &sender), 0);
		if (round % 2)
			stop_far();
		link_close(sender.link);
		if (round % 2 == 0)
			stop_far();
		sender.link = NULL;
		for (sender.reactor = 0; sender.reactor < REACTORS; sender.reactor++)
			CHECK_EQUAL(rt_call(rt_reactor(sender.reactor), leave_pending, &sender), 0);
	}
	return 0;
}

static void run(int (*fn)(void *arg))
{
	struct rt_options options = { .reactors = REACTORS };

	assert_int_equal(rt_run(&options, fn, NULL), 0);
}

static void data_of_all_reactors_arrive(void **state)
{
	(void)state;
	run(scenario_plain);
}

static void data_arrive_over_tls(void **state)
{
	(void)state;
	run(scenario_tls);
}

static void closing_settles_what_is_under_way(void **state)
{
	(void)state;
	run(scenario_close);
}

static int set_up(void **state)
{
	FILE *file;

	(void)state;
	payload = malloc(FRAME_MAX + FRAMES);
	if (!payload)
		return -1;
	for (size_t i = 0; i < FRAME_MAX + FRAMES; i++)
		payload[i] = (uint8_t)(i * i >> 7);
	snprintf(far.folder, sizeof(far.folder), "/tmp/xdc-link-XXXXXX");
	if (!mkdtemp(far.folder))
		return -1;
	snprintf(far.keys, sizeof(far.keys), "%s/link.psk", far.folder);
	file = fopen(far.keys, "w");
	if (!file)
		return -1;
	fputs("2105.FA120:00112233445566778899aabbccddeeff\n2105.FB230:ffeeddccbbaa99887766554433221100\n", file);
	return fclose(file) || chmod(far.keys, 0600);
}

static int tear_down(void **state)
{
	(void)state;
	free(payload);
	return remove(far.keys) || remove(far.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_of_all_reactors_arrive),
		cmocka_unit_test(data_arrive_over_tls),
		cmocka_unit_test(closing_settles_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
