/* SPDX-License-Identifier: Apache-2.0 */
/* Background copies give way to hosts, and a path has a limit: in simulated time, where both are exact. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "copy/pace.h"
#include "rt/sim.h"
#include "volume/volume.h"

#define MIB	(1u << 20)

static void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);
	enum sim_end end = sim_run(world, scenario, NULL, 1000 * RT_SECOND);

	if (end != SIM_DONE)
		fail_msg("%s", sim_failure(world));
	sim_destroy(world);
}

/* ---- hosts ---- */

static struct volume_load load;
static struct volume *volume;

static void open_volume(void)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = MIB };
	struct volume_options options = { .id = 0x1500, .loads = &load };

	assert_int_equal(vdisk_create(&disk), 0);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
}

/* Twenty pieces of a millisecond; the time that they take together. */
static int64_t copy_pieces(enum copy_priority priority, bool hosts)
{
	int64_t began_ns = rt_now_ns();
	struct pace pace;
	uint8_t data[512];

	pace_init(&pace, volume, priority);
	for (unsigned i = 0; i < 20; i++) {
		if (hosts)
			assert_int_equal(volume_read(volume, data, sizeof(data), 0), 0);
		pace_begin(&pace);
		assert_int_equal(rt_sleep_until(rt_now_ns() + RT_MS), 0);
		assert_int_equal(pace_rest(&pace), 0);
	}
	return rt_now_ns() - began_ns;
}

static void expect_ms(int64_t ns, int64_t ms)
{
	/* The reads of hosts take some time of their own. */
	assert_in_range(ns, ms * RT_MS, ms * RT_MS + 20 * RT_MS);
}

static int main_hosts(void *arg)
{
	(void)arg;
	open_volume();
	expect_ms(copy_pieces(COPY_LOW, false), 20);
	expect_ms(copy_pieces(COPY_LOW, true), 100);
	expect_ms(copy_pieces(COPY_SAME, true), 40);
	expect_ms(copy_pieces(COPY_HIGH, true), 24);
	expect_ms(copy_pieces(COPY_URGENT, true), 20);
	expect_ms(copy_pieces(COPY_NOT_MANAGED, true), 20);
	/* Hosts have gone: after a moment it goes as fast as it can. */
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	expect_ms(copy_pieces(COPY_LOW, false), 20);
	volume_close(volume);
	return 0;
}

static void copies_rest_while_hosts_are_served(void **state)
{
	(void)state;
	run(main_hosts);
}

/* A request that takes long counts all the while, also of another volume. */
static int main_under_way(void *arg)
{
	(void)arg;
	open_volume();
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	atomic_fetch_add(&load.begun, 1);
	expect_ms(copy_pieces(COPY_SAME, false), 40);
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	expect_ms(copy_pieces(COPY_SAME, false), 40);
	atomic_fetch_add(&load.ended, 1);
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	expect_ms(copy_pieces(COPY_SAME, false), 20);
	volume_close(volume);
	return 0;
}

static void a_request_under_way_is_a_host(void **state)
{
	(void)state;
	run(main_under_way);
}

/* ---- the limit ---- */

struct sender {
	struct pace_limit *limit;
	bool gives_way;
	unsigned pieces, passed;
	int64_t ended_ns;
};

static void send_pieces(void *arg)
{
	struct sender *sender = arg;

	for (; sender->passed < sender->pieces; sender->passed++)
		assert_int_equal(pace_pass(sender->limit, MIB, sender->gives_way), 0);
	sender->ended_ns = rt_now_ns();
}

static int main_limit(void *arg)
{
	struct pace_limit limit = { .bytes_per_s = 10 * MIB };
	struct sender back = { .limit = &limit, .gives_way = true, .pieces = 30 };
	struct sender front = { .limit = &limit, .pieces = 20 };
	int64_t began_ns = rt_now_ns();
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	assert_int_equal(rt_group_start(&group, "back", send_pieces, &back), 0);
	assert_int_equal(rt_sleep_until(began_ns + 450 * RT_MS), 0);
	assert_in_range(back.passed, 4, 6);
	assert_int_equal(rt_group_start(&group, "front", send_pieces, &front), 0);
	assert_int_equal(rt_group_wait(&group), 0);
	/* Who does not give way had all of the limit, from when it came; the other had the rest. */
	assert_in_range(front.ended_ns - began_ns, 2300 * RT_MS, 2700 * RT_MS);
	assert_in_range(back.ended_ns - began_ns, 4800 * RT_MS, 5100 * RT_MS);
	/* What was not used is not saved up. */
	assert_int_equal(rt_sleep_until(rt_now_ns() + 10 * RT_SECOND), 0);
	began_ns = rt_now_ns();
	front = (struct sender){ .limit = &limit, .pieces = 20 };
	send_pieces(&front);
	assert_in_range(front.ended_ns - began_ns, 1800 * RT_MS, 2000 * RT_MS);
	return 0;
}

static void a_limit_is_shared_and_kept(void **state)
{
	(void)state;
	run(main_limit);
}

static int main_change(void *arg)
{
	struct pace_limit limit = { 0 };
	struct sender sender = { .limit = &limit, .pieces = 1000 };
	int64_t began_ns = rt_now_ns();

	(void)arg;
	send_pieces(&sender);
	assert_int_equal(rt_now_ns(), began_ns);
	atomic_store(&limit.bytes_per_s, MIB);
	sender = (struct sender){ .limit = &limit, .pieces = 4 };
	send_pieces(&sender);
	assert_in_range(rt_now_ns() - began_ns, 2900 * RT_MS, 3100 * RT_MS);
	atomic_store(&limit.bytes_per_s, 100 * MIB);
	began_ns = rt_now_ns();
	sender = (struct sender){ .limit = &limit, .gives_way = true, .pieces = 50 };
	send_pieces(&sender);
	/* Behind the last piece of the old limit. */
	assert_in_range(rt_now_ns() - began_ns, 1300 * RT_MS, 1600 * RT_MS);
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	{
		RT_LIMIT(rt_now_ns() + 5 * RT_MS);

		atomic_store(&limit.bytes_per_s, MIB);
		assert_int_equal(pace_pass(&limit, MIB, false), 0);
		assert_int_equal(pace_pass(&limit, MIB, false), -ETIMEDOUT);
		assert_int_equal(pace_pass(&limit, MIB, true), -ETIMEDOUT);
	}
	return 0;
}

static void a_limit_may_change(void **state)
{
	(void)state;
	run(main_change);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_rest_while_hosts_are_served),
		cmocka_unit_test(a_request_under_way_is_a_host),
		cmocka_unit_test(a_limit_is_shared_and_kept),
		cmocka_unit_test(a_limit_may_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
