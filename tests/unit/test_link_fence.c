/* SPDX-License-Identifier: Apache-2.0 */
/* Who may connect: versions, ids, credentials; the younger connection fences the older; hostile dialers. */
#include "link_near.h"

static int scenario_wrong_id(void *arg)
{
	struct link_config config = near_config();
	struct link_state state;
	struct link *link;

	(void)arg;
	snprintf(config.peer, sizeof(config.peer), "2105.OTHER");
	boot_far();
	link = open_link(&config);
	sleep_ms(5000);
	link_get_state(link, &state);
	CHECK(!state.connected && !state.connects);
	CHECK_EQUAL(state.last_error, -ECONNREFUSED);
	CHECK(strstr(state.last_error_text, FAR_ID) && strstr(state.last_error_text, "2105.OTHER"));
	link_close(link);
	return sim_stop_and_wait(far_system);
}

static void another_system_is_refused_by_name(void **state)
{
	(void)state;
	run(scenario_wrong_id, NULL);
}

static int scenario_wrong_identity(void *arg)
{
	struct link_config config = near_config();
	struct link_state state;
	struct link *link;

	(void)arg;
	far.identity = "2105.THIEF";
	boot_far();
	link = open_link(&config);
	sleep_ms(5000);
	link_get_state(link, &state);
	CHECK(!state.connected && strstr(state.last_error_text, "2105.THIEF"));
	link_close(link);
	return sim_stop_and_wait(far_system);
}

static void credentials_of_another_are_refused(void **state)
{
	(void)state;
	run(scenario_wrong_identity, NULL);
}

/* True when the other side ended the connection. */
static bool is_ended(struct rt_stream *stream)
{
	RT_LIMIT(rt_now_ns() + RT_SECOND);
	uint8_t byte;
	ssize_t got = rt_stream_read(stream, &byte, 1);

	return got <= 0 && got != -ETIMEDOUT;
}

static int scenario_versions(void *arg)
{
	struct wire_hello hello = near_hello(1);
	struct wire_refused refused;
	struct rt_stream *stream;

	(void)arg;
	boot_far();
	sleep_ms(1000);
	hello.version_min = hello.version_max = 9;
	CHECK_EQUAL(greet(&hello, &stream, &refused), -ECONNREFUSED);
	CHECK_EQUAL(refused.code, WIRE_REFUSED_VERSION);
	CHECK(!strcmp(refused.system, FAR_ID) && is_ended(stream));
	rt_stream_close(stream);
	hello.version_min = 1;
	CHECK_EQUAL(greet(&hello, &stream, &refused), 0);
	rt_stream_close(stream);
	return sim_stop_and_wait(far_system);
}

static void versions_must_meet(void **state)
{
	(void)state;
	run(scenario_versions, NULL);
}

static int scenario_generations(void *arg)
{
	struct wire_hello hello = near_hello(100);
	struct rt_stream *first, *second, *third;
	struct wire_refused refused;

	(void)arg;
	boot_far();
	sleep_ms(1000);
	CHECK_EQUAL(greet(&hello, &first, &refused), 0);
	/* The same or a lower one: refused, and the first lives on. */
	CHECK_EQUAL(greet(&hello, &second, &refused), -ECONNREFUSED);
	CHECK_EQUAL(refused.code, WIRE_REFUSED_GENERATION);
	rt_stream_close(second);
	CHECK(!is_ended(first));
	/* A higher one ends the first before it is welcome. */
	hello.generation = 101;
	CHECK_EQUAL(greet(&hello, &second, &refused), 0);
	CHECK(is_ended(first));
	/* Other reactors and kinds are none of its business. */
	hello.reactor = 1;
	hello.generation = 1;
	CHECK_EQUAL(greet(&hello, &third, &refused), 0);
	rt_stream_close(third);
	hello.reactor = 0;
	hello.kind = WIRE_KIND_CONTROL;
	CHECK_EQUAL(greet(&hello, &third, &refused), 0);
	rt_stream_close(third);
	CHECK(!is_ended(second));
	/* A dialer that was started anew counts anew. */
	hello.kind = WIRE_KIND_DATA;
	hello.boot_id[0] = 1;
	CHECK_EQUAL(greet(&hello, &third, &refused), 0);
	CHECK(is_ended(second));
	rt_stream_close(first);
	rt_stream_close(second);
	/* And ends what is left of the start before, of whatever kind and reactor. */
	hello.reactor = 5;
	hello.generation = 1;
	CHECK_EQUAL(greet(&hello, &second, &refused), 0);
	CHECK(!is_ended(third) && !is_ended(second));
	hello.boot_id[0] = 2;
	hello.reactor = 0;
	hello.kind = WIRE_KIND_CONTROL;
	CHECK_EQUAL(greet(&hello, &first, &refused), 0);
	CHECK(is_ended(third) && is_ended(second) && !is_ended(first));
	rt_stream_close(first);
	rt_stream_close(second);
	rt_stream_close(third);
	return sim_stop_and_wait(far_system);
}

static void a_younger_connection_fences_the_older(void **state)
{
	(void)state;
	run(scenario_generations, NULL);
}

/* The old one's handler takes two seconds and cannot be cancelled: that long the new one is not welcome. */
static int scenario_fence_waits(void *arg)
{
	struct wire_hello hello = near_hello(1);
	struct wire_refused refused;
	struct rt_stream *first, *second;
	struct wire_data frame = { .kind = WIRE_DATA, .seq = 1, .volume = FAR_STUBBORN, .raw_bytes = 4096,
				   .flags = WIRE_DATA_ZERO };
	uint8_t bytes[WIRE_DATA_SIZE];
	int64_t begin_ns;

	(void)arg;
	boot_far();
	sleep_ms(1000);
	CHECK_EQUAL(greet(&hello, &first, &refused), 0);
	wire_put_data(bytes, &frame);
	CHECK_EQUAL(rt_stream_write(first, &(struct iovec){ bytes, sizeof(bytes) }, 1), 0);
	sleep_ms(100);
	CHECK_EQUAL(far.running, 1);
	begin_ns = rt_now_ns();
	hello.generation++;
	CHECK_EQUAL(greet(&hello, &second, &refused), 0);
	CHECK(rt_now_ns() - begin_ns > 1800 * RT_MS);
	CHECK_EQUAL(far.running, 0);
	CHECK_EQUAL(far.frame_count, 1);
	rt_stream_close(first);
	rt_stream_close(second);
	return sim_stop_and_wait(far_system);
}

static void welcome_waits_for_the_last_frame(void **state)
{
	(void)state;
	run(scenario_fence_waits, NULL);
}

/* What a hostile dialer may send: each ends its connection and nothing else. */
static int scenario_hostile(void *arg)
{
	static const struct wire_data bad[] = {
		{ .kind = WIRE_DATA, .seq = 2, .raw_bytes = 4096, .flags = WIRE_DATA_ZERO },	/* 1 is missing */
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 4096, .flags = WIRE_DATA_ZSTD, .payload_bytes = 9 },
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = WIRE_DATA_MAX + 1, .flags = WIRE_DATA_ZERO },
		{ .kind = WIRE_MARK, .seq = 1, .tag = 0 },
		{ .kind = WIRE_MARK, .seq = 0, .tag = 1 },
		{ .kind = WIRE_ACK, .payload_bytes = 16 },
		{ .kind = WIRE_SAME, .seq = 1, .payload_bytes = 1 },
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 8192, .flags = WIRE_DATA_COMPARE, .payload_bytes = 8192 },
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 8192, .flags = WIRE_DATA_COMPARE, .payload_bytes = 39 },
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 8192, .flags = WIRE_DATA_COMPARE | WIRE_DATA_ZERO,
		  .payload_bytes = 8 },
		{ .kind = WIRE_DATA, .seq = 1, .raw_bytes = 4096, .flags = WIRE_DATA_COMPARE | WIRE_DATA_ZERO,
		  .offset = 512 },
		{ .kind = 99 },
	};
	struct wire_hello hello = near_hello(1);
	struct wire_refused refused;
	struct rt_stream *stream;
	uint8_t bytes[WIRE_DATA_SIZE];

	(void)arg;
	boot_far();
	sleep_ms(1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_EQUAL(greet(&hello, &stream, &refused), 0);
		hello.generation++;
		wire_put_data(bytes, &bad[i]);
		CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1), 0);
		CHECK(is_ended(stream));
		rt_stream_close(stream);
	}
	CHECK_EQUAL(far.frame_count, 0);
	CHECK_EQUAL(rt_connect(FAR_ADDRESS, &stream), 0);
	memset(bytes, 0xff, sizeof(bytes));
	for (unsigned i = 0; i < 2; i++)
		CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1), 0);
	CHECK(is_ended(stream));
	rt_stream_close(stream);
	return sim_stop_and_wait(far_system);
}

static void bad_frames_end_their_connection(void **state)
{
	(void)state;
	run(scenario_hostile, NULL);
}

/* Who sends probes for ever and reads no answer is cut off: what waits to be sent to him is bounded. */
static int scenario_deaf(void *arg)
{
	static uint8_t pings[64 * WIRE_DATA_SIZE];
	struct wire_hello hello = near_hello(1);
	struct wire_refused refused;
	struct rt_stream *stream;
	unsigned sent = 0;
	int rc = 0;

	(void)arg;
	for (unsigned i = 0; i < 64; i++)
		wire_put_data(pings + i * WIRE_DATA_SIZE, &(struct wire_data){ .kind = WIRE_DATA_PING, .seq = i });
	boot_far();
	sleep_ms(1000);
	CHECK_EQUAL(greet(&hello, &stream, &refused), 0);
	while (!rc && sent++ < 10000)
		rc = rt_stream_write(stream, &(struct iovec){ pings, sizeof(pings) }, 1);
	CHECK(rc < 0);
	rt_stream_close(stream);
	return sim_stop_and_wait(far_system);
}

static void a_deaf_dialer_is_cut_off(void **state)
{
	(void)state;
	run(scenario_deaf, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(another_system_is_refused_by_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(credentials_of_another_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(versions_must_meet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_younger_connection_fences_the_older, set_up, tear_down),
		cmocka_unit_test_setup_teardown(welcome_waits_for_the_last_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_frames_end_their_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_deaf_dialer_is_cut_off, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
