/* SPDX-License-Identifier: Apache-2.0 */
/* link_near.h - for tests that dial the system of link_far.h: a world of these two for each, run to its end. */
#ifndef XDC_TESTS_LINK_NEAR_H
#define XDC_TESTS_LINK_NEAR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link_far.h"

static struct sim_world *world;
static struct sim_system *far_system;

static int set_up(void **state)
{
	(void)state;
	memset(&far, 0, sizeof(far));
	world = sim_create(7, NULL);
	far_system = sim_add_system(world, "far", 3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sim_destroy(world);
	return 0;
}

static void run(int (*scenario)(void *arg), void *arg)
{
	enum sim_end end = sim_run(world, scenario, arg, 100000 * RT_SECOND);

	if (end != SIM_DONE) {
		fprintf(stderr, "%s\n", sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
}

static void boot_far(void)
{
	sim_boot(far_system, far_main, NULL);
}

static void sleep_ms(int64_t ms)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + ms * RT_MS), 0);
}

static struct link_config near_config(void)
{
	struct link_config config = {
		.own = NEAR_ID, .peer = FAR_ID, .address = FAR_ADDRESS, .timing = link_timing_default,
	};

	memset(config.boot_id, 0x5a, sizeof(config.boot_id));
	return config;
}

static struct link *open_link(const struct link_config *config)
{
	struct link *link;

	CHECK_EQUAL(link_open(config, &link), 0);
	return link;
}

#endif
