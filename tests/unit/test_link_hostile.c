/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dialer and what it may meet: acceptors that answer nonsense, that are of a later version, that close or keep silent
 * for ever; ways that carry nothing in one direction; eight reactors here and two there. Nothing of that ends more than
 * its connection, every frame and request comes back once, and the dialer tries again, at its own pace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link_far.h"
#include "rt/bytes.h"
#include "rt/crc32c.h"

#define BYTES_MAX	1024u

static struct sim_world *world;
static struct sim_system *far_system;
static char reason[512];

/* What the acceptor does with a connection after the greeting: kind, and bytes that it says. */
static struct {
	enum { EVIL_SILENT, EVIL_CLOSES, EVIL_REFUSES, EVIL_SAYS } does;
	uint8_t kind;			/* says it only to a connection of this kind, once it has heard something */
	uint8_t bytes[BYTES_MAX];
	size_t len;
	uint16_t version;		/* of its WELCOME */
	uint32_t features;
	unsigned greetings[3];		/* by kind of connection */
} evil;

static void begin(unsigned reactors)
{
	memset(&far, 0, sizeof(far));
	memset(&evil, 0, sizeof(evil));
	evil.version = 1;
	world = sim_create(11, NULL);
	far_system = sim_add_system(world, "far", reactors);
}

static void end(int (*scenario)(void *arg), void *arg)
{
	enum sim_end ended = sim_run(world, scenario, arg, 100000 * RT_SECOND);

	if (ended != SIM_DONE) {
		fprintf(stderr, "%s\n", sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(ended, SIM_DONE);
	sim_destroy(world);
}

static void sleep_ms(int64_t ms)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + ms * RT_MS), 0);
}

static struct link *open_link(void)
{
	struct link_config config = {
		.own = NEAR_ID, .peer = FAR_ID, .address = FAR_ADDRESS, .timing = link_timing_default,
	};
	struct link *link;

	memset(config.boot_id, 0x5a, sizeof(config.boot_id));
	CHECK_EQUAL(link_open(&config, &link), 0);
	return link;
}

/* ---- the acceptor ---- */

static int answer(struct rt_stream *stream, struct wire_hello *hello)
{
	struct wire_welcome welcome = {
		.version = evil.version, .system = FAR_ID, .features = evil.features, .requests_max = 10,
		.window_frames = 10, .window_bytes = 1u << 20,
	};
	struct wire_refused refused = {
		.code = WIRE_REFUSED_VERSION, .system = FAR_ID,
		.text = "this is " FAR_ID ", which speaks versions 2 to 3 of the link protocol",
	};
	uint8_t bytes[WIRE_ANSWER_SIZE];
	int rc = rt_stream_read_full(stream, bytes, WIRE_HELLO_SIZE);

	if (rc)
		return rc;
	CHECK_EQUAL(wire_get_hello(bytes, hello), 0);
	evil.greetings[hello->kind]++;
	if (evil.does == EVIL_REFUSES)
		wire_put_refused(bytes, &refused);
	else
		wire_put_welcome(bytes, &welcome);
	return rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1);
}

static void be_evil(void *arg)
{
	struct rt_stream *stream = arg;
	struct wire_hello hello = { 0 };
	uint8_t heard[4096];
	int rc = answer(stream, &hello);

	if (!rc && evil.does == EVIL_SAYS && hello.kind == evil.kind) {
		/* A header of either kind at least: the dialer is connected, and what it sends is under way. */
		rc = rt_stream_read_full(stream, heard, evil.kind == WIRE_KIND_DATA ? 2 * WIRE_DATA_SIZE : 8);
		if (!rc)
			rc = rt_stream_write(stream, &(struct iovec){ evil.bytes, evil.len }, 1);
	}
	while (!rc && evil.does != EVIL_CLOSES && evil.does != EVIL_REFUSES)
		rc = rt_stream_read(stream, heard, sizeof(heard)) > 0 ? 0 : -1;
	rt_stream_close(stream);
}

static int evil_main(void *arg)
{
	struct rt_listener *listener;
	struct rt_stream *stream;
	struct rt_group group;
	int rc = rt_listen(FAR_ADDRESS, &listener);

	(void)arg;
	rt_group_init(&group);
	while (!rc) {
		rc = rt_accept(listener, &stream);
		if (!rc)
			rc = rt_group_start(&group, "evil", be_evil, stream);
	}
	return rc;
}

/* ---- nonsense ---- */

static void say_control(struct wire_control control, const void *payload)
{
	control.payload_crc += crc32c(0, payload, control.payload_bytes);
	wire_put_control(evil.bytes, &control);
	memcpy(evil.bytes + WIRE_CONTROL_SIZE, payload, control.payload_bytes);
	evil.len = WIRE_CONTROL_SIZE + control.payload_bytes;
	evil.kind = WIRE_KIND_CONTROL;
	evil.does = EVIL_SAYS;
}

static void say_data(struct wire_data data, const void *payload)
{
	data.payload_crc += crc32c(0, payload, data.payload_bytes);
	wire_put_data(evil.bytes, &data);
	memcpy(evil.bytes + WIRE_DATA_SIZE, payload, data.payload_bytes);
	evil.len = WIRE_DATA_SIZE + data.payload_bytes;
	evil.kind = WIRE_KIND_DATA;
	evil.does = EVIL_SAYS;
}

static void say_acks(unsigned count, uint64_t first, uint32_t how_many)
{
	uint8_t acks[8 * WIRE_ACK_SIZE];

	for (unsigned i = 0; i < count; i++) {
		put_le64(acks + i * WIRE_ACK_SIZE, first);
		put_le32(acks + i * WIRE_ACK_SIZE + 8, how_many);
		put_le32(acks + i * WIRE_ACK_SIZE + 12, 0);
	}
	say_data((struct wire_data){ .kind = WIRE_ACK, .payload_bytes = count * WIRE_ACK_SIZE }, acks);
}

static bool say_nonsense(unsigned which)
{
	static const uint8_t outcome[6], zeros[64];

	switch (which) {
	case 0:		/* a reply to what was never asked */
		say_control((struct wire_control){ .kind = WIRE_REPLY, .type = 1, .id = 999, .payload_bytes = 6 },
			    outcome);
		break;
	case 1:		/* a reply to another message than was asked */
		say_control((struct wire_control){ .kind = WIRE_REPLY, .type = 18, .id = 1, .payload_bytes = 6 },
			    outcome);
		break;
	case 2:		/* a reply without an outcome */
		say_control((struct wire_control){ .kind = WIRE_REPLY, .type = 1, .id = 1, .payload_bytes = 5 },
			    outcome);
		break;
	case 3:		/* a reply whose message is none */
		say_control((struct wire_control){ .kind = WIRE_REPLY, .type = 1, .id = 1, .payload_bytes = 9 }, zeros);
		break;
	case 4:		/* acceptors do not ask */
		say_control((struct wire_control){ .kind = WIRE_REQUEST, .type = 1, .id = 1 }, zeros);
		break;
	case 5:		/* an event that is none */
		say_control((struct wire_control){ .kind = WIRE_EVENT, .type = 18, .payload_bytes = 4 }, zeros);
		break;
	case 6:		/* another checksum of the payload */
		say_control((struct wire_control){ .kind = WIRE_EVENT, .type = WIRE_EVENT_PAIRS_CHANGED,
						   .payload_crc = 1 }, zeros);
		break;
	case 7:		/* a length beyond its bound */
		say_control((struct wire_control){ .kind = WIRE_PONG, .payload_bytes = 1 }, zeros);
		put_le32(evil.bytes + 16, UINT32_MAX);
		put_le32(evil.bytes + 28, crc32c(0, evil.bytes, 28));
		break;
	case 8:		/* not even a header */
		say_control((struct wire_control){ .kind = WIRE_PONG }, zeros);
		evil.bytes[5] ^= 1;
		break;
	case 9:		/* frames that were never sent */
		say_acks(1, 7, 1);
		break;
	case 10:
		say_acks(1, 1, UINT32_MAX);
		break;
	case 11:	/* twice the same */
		say_acks(2, 1, 1);
		break;
	case 12:
		say_acks(1, 1, 0);
		break;
	case 13:	/* nobody compared that */
		say_data((struct wire_data){ .kind = WIRE_SAME, .seq = 1, .payload_bytes = 1 }, zeros);
		break;
	case 14:	/* and this one has other blocks */
		say_data((struct wire_data){ .kind = WIRE_SAME, .seq = 2, .payload_bytes = 2 }, zeros);
		break;
	case 15:	/* acceptors send no data */
		say_data((struct wire_data){ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 4096, .flags = WIRE_DATA_ZERO },
			 zeros);
		break;
	case 16:
		say_data((struct wire_data){ .kind = WIRE_MARK }, zeros);
		break;
	default:
		return false;
	}
	return true;
}

struct asking {
	struct link *link;
	int rc;
	char why[WIRE_TEXT_SIZE];
};

static void ask(void *arg)
{
	struct asking *asking = arg;
	struct wire_system_reply reply;
	struct wire_empty request = { 0 };

	asking->rc = link_request(asking->link, WIRE_SYSTEM_SHOW, &request, &reply, asking->why, NULL);
}

/* One request and two frames, the second a comparison, are under way while the acceptor says what it says. */
static void meet(struct link *link)
{
	static uint8_t payload[4096];
	struct link_channel *channel = link_channel_here(link);
	struct link_send sends[2] = {
		{ .volume = 1, .offset = 4096, .len = 4096, .data = payload },
		{ .volume = 1, .offset = 8192, .len = 4096, .zero = true, .compare = true },
	};
	struct asking asking = { .link = link, .rc = 1 };
	struct link_state state;
	struct link_send *done;
	struct link_acks acks;
	struct rt_group group;

	link_acks_init(&acks);
	rt_group_init(&group);
	for (link_channel_get_state(channel, &state); !state.connected; link_channel_get_state(channel, &state))
		CHECK_EQUAL(rt_cond_wait(link_channel_changed(channel)), 0);
	for (link_get_state(link, &state); !state.connected; link_get_state(link, &state))
		CHECK_EQUAL(rt_cond_wait(link_changed(link)), 0);
	CHECK_EQUAL(rt_group_start(&group, "ask", ask, &asking), 0);
	sends[1].data = NULL;
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQUAL(link_data_send(channel, &sends[i], &acks), 0);
	if (evil.kind == WIRE_KIND_DATA) {
		for (unsigned i = 0; i < 2; i++) {
			CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
			CHECK(done && (done->error == -ECONNRESET || (!done->error && done == &sends[0])));
		}
		CHECK(!acks.pending && !link_acks_next(&acks));
		link_channel_get_state(channel, &state);
	} else {
		while (asking.rc == 1)
			sleep_ms(1);
		CHECK(asking.rc == -ENOTCONN || asking.rc == -EBADMSG);
		link_get_state(link, &state);
	}
	CHECK_EQUAL(state.last_error, -EBADMSG);
	CHECK(strstr(state.last_error_text, FAR_ID));
	/* And it tries again. */
	evil.does = EVIL_SILENT;
	sleep_ms(10000);
	CHECK(evil.greetings[evil.kind] >= 2);
	rt_group_stop(&group);
	link_hang_up(link);
	while (acks.pending)
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
}

static int scenario_nonsense(void *arg)
{
	struct link *link;

	CHECK(say_nonsense(*(unsigned *)arg));
	sim_boot(far_system, evil_main, NULL);
	sleep_ms(1000);
	link = open_link();
	CHECK_EQUAL(link_start_data(link), 0);
	meet(link);
	link_close(link);
	return 0;
}

static void nonsense_ends_its_connection(void **state)
{
	unsigned which = 0;

	(void)state;
	for (begin(1); say_nonsense(which); which++) {
		sim_destroy(world);
		begin(1);
		end(scenario_nonsense, &which);
		begin(1);
	}
	sim_destroy(world);
	assert_int_equal(which, 17);
}

/* ---- other versions ---- */

static int scenario_refused(void *arg)
{
	struct link_state state;
	struct link *link;

	(void)arg;
	sim_boot(far_system, evil_main, NULL);
	sleep_ms(1000);
	link = open_link();
	sleep_ms(2000);
	link_get_state(link, &state);
	CHECK(!state.connected);
	snprintf(reason, sizeof(reason), "%s", state.last_error_text);
	link_close(link);
	return 0;
}

static void a_later_version_is_told_by_name(void **state)
{
	(void)state;
	begin(1);
	evil.does = EVIL_REFUSES;
	end(scenario_refused, NULL);
	assert_string_equal(reason, FAR_ADDRESS " refuses: this is " FAR_ID
					", which speaks versions 2 to 3 of the link protocol");
	begin(1);
	evil.version = 2;
	end(scenario_refused, NULL);
	assert_non_null(strstr(reason, FAR_ID " agreed to a version or feature that was not offered"));
	begin(1);
	evil.features = WIRE_FEATURE_ZSTD;
	end(scenario_refused, NULL);
	assert_non_null(strstr(reason, "not offered"));
}

/* ---- storms ---- */

/* An acceptor that takes every connection and drops it: the pause between two attempts doubles, and stays below 2 s. */
static int scenario_storm(void *arg)
{
	struct link *link;

	(void)arg;
	sim_boot(far_system, evil_main, NULL);
	sleep_ms(1000);
	link = open_link();
	CHECK_EQUAL(link_start_data(link), 0);
	sleep_ms(60000);
	link_close(link);
	for (unsigned kind = WIRE_KIND_CONTROL; kind <= WIRE_KIND_DATA; kind++)
		CHECK(evil.greetings[kind] >= 25 && evil.greetings[kind] <= 2 * 40);
	CHECK(evil.greetings[WIRE_KIND_CONTROL] <= 40);
	return 0;
}

static void reconnecting_is_bounded(void **state)
{
	(void)state;
	begin(1);
	evil.does = EVIL_CLOSES;
	end(scenario_storm, NULL);
	begin(1);
	evil.does = EVIL_REFUSES;
	end(scenario_storm, NULL);
}

/* ---- ways that carry nothing in one direction ---- */

static void wait_link(struct link *link, bool connected, int64_t limit_ms)
{
	int64_t until_ns = rt_now_ns() + limit_ms * RT_MS;
	struct link_state state;

	link_get_state(link, &state);
	while (state.connected != connected) {
		CHECK(rt_now_ns() < until_ns);
		sleep_ms(10);
		link_get_state(link, &state);
	}
}

static void cut_one_way(struct link *link, struct sim_system *from, struct sim_system *to, unsigned heard)
{
	unsigned before = far.requests_done;
	struct asking asking = { .link = link };

	wait_link(link, true, 10000);
	sim_cut_one_way(from, to);
	ask(&asking);
	/* Whether the far side did it is not known here. */
	CHECK_EQUAL(asking.rc, -ENOTCONN);
	CHECK_EQUAL(far.requests_done - before, heard);
	wait_link(link, false, 10);
	sleep_ms(20000);
	sim_heal(from, to);
	wait_link(link, true, 10000);
	ask(&asking);
	CHECK_EQUAL(asking.rc, 0);
}

static int scenario_one_way(void *arg)
{
	struct link *link;

	(void)arg;
	sim_boot(far_system, far_main, NULL);
	sleep_ms(1000);
	link = open_link();
	cut_one_way(link, sim_outside(world), far_system, 0);
	cut_one_way(link, far_system, sim_outside(world), 1);
	link_close(link);
	return sim_stop_and_wait(far_system);
}

static void a_way_that_carries_one_direction_is_no_way(void **state)
{
	(void)state;
	begin(1);
	end(scenario_one_way, NULL);
}

/* ---- many reactors ---- */

#define EACH	40u

static int send_from_here(void *arg)
{
	static uint8_t payload[4096];
	struct link_channel *channel = link_channel_here(arg);
	struct link_send sends[EACH] = { 0 }, *done;
	struct link_state state;
	struct link_acks acks;

	link_acks_init(&acks);
	for (link_channel_get_state(channel, &state); !state.connected; link_channel_get_state(channel, &state))
		CHECK_EQUAL(rt_cond_wait(link_channel_changed(channel)), 0);
	for (unsigned i = 0; i < EACH; i++) {
		sends[i] = (struct link_send){
			.volume = FAR_SLOW, .offset = 4096 * i, .len = 4096, .data = payload, .compare = i % 2,
		};
		CHECK_EQUAL(link_data_send(channel, &sends[i], &acks), 0);
	}
	for (unsigned i = 0; i < EACH; i++) {
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK(done && !done->error);
	}
	return acks.pending ? -EPROTO : 0;
}

static int near_main(void *arg)
{
	struct link *link = open_link();
	int rc = 0;

	(void)arg;
	CHECK_EQUAL(link_start_data(link), 0);
	for (unsigned i = 0; i < rt_reactor_count() && !rc; i++)
		rc = rt_call(rt_reactor(i), send_from_here, link);
	CHECK_EQUAL(far.frame_count, rt_reactor_count() * EACH / 2);
	link_close(link);
	return rc;
}

static int scenario_reactors(void *arg)
{
	struct sim_system *near = arg;

	sim_boot(far_system, far_main, NULL);
	sleep_ms(1000);
	sim_boot(near, near_main, NULL);
	while (sim_is_running(near))
		sleep_ms(10);
	CHECK_EQUAL(sim_exit_code(near), 0);
	return sim_stop_and_wait(far_system);
}

static void numbers_of_reactors_need_not_agree(void **state)
{
	static const struct {
		unsigned here, there;
	} counts[] = { { 8, 2 }, { 2, 2 }, { 1, 8 }, { 8, 8 } };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		begin(counts[i].there);
		end(scenario_reactors, sim_add_system(world, "near", counts[i].here));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_ends_its_connection),
		cmocka_unit_test(a_later_version_is_told_by_name),
		cmocka_unit_test(reconnecting_is_bounded),
		cmocka_unit_test(a_way_that_carries_one_direction_is_no_way),
		cmocka_unit_test(numbers_of_reactors_need_not_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
