/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mistake OLD_CONNECTION: without the fence a frame of a broken connection is taken after the new one was welcome.
 * The same run without the mistake shows no such frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link_far.h"
#include "store/planted.h"

static struct sim_world *world;
static struct sim_system *far_system;

static void send_frame(struct rt_stream *stream, uint16_t volume)
{
	struct wire_data frame = { .kind = WIRE_DATA, .seq = 1, .volume = volume, .raw_bytes = 4096,
				   .flags = WIRE_DATA_ZERO };
	uint8_t bytes[WIRE_DATA_SIZE];

	wire_put_data(bytes, &frame);
	CHECK_EQUAL(rt_stream_write(stream, &(struct iovec){ bytes, sizeof(bytes) }, 1), 0);
}

static int two_connections(void *arg)
{
	struct wire_hello hello = near_hello(1);
	struct rt_stream *first, *second;
	struct wire_refused refused;

	(void)arg;
	sim_boot(far_system, far_main, NULL);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK_EQUAL(greet(&hello, &first, &refused), 0);
	send_frame(first, FAR_STUBBORN);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	hello.generation = 2;
	CHECK_EQUAL(greet(&hello, &second, &refused), 0);
	send_frame(second, FAR_QUICK);
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 4 * RT_SECOND), 0);
	CHECK_EQUAL(far.frame_count, 2);
	rt_stream_close(first);
	rt_stream_close(second);
	return sim_stop_and_wait(far_system);
}

static unsigned late_frames(enum planted_mistake mistake)
{
	enum sim_end how;

	memset(&far, 0, sizeof(far));
	planted_now = mistake;
	world = sim_create(1, NULL);
	far_system = sim_add_system(world, "far", 1);
	how = sim_run(world, two_connections, NULL, 1000 * RT_SECOND);
	if (how != SIM_DONE)
		fprintf(stderr, "%s\n", sim_failure(world));
	assert_int_equal(how, SIM_DONE);
	sim_destroy(world);
	return far.late_frames;
}

static void the_fence_is_what_keeps_old_frames_out(void **state)
{
	(void)state;
	assert_int_equal(late_frames(PLANTED_NONE), 0);
	assert_int_equal(late_frames(PLANTED_OLD_CONNECTION), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fence_is_what_keeps_old_frames_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
