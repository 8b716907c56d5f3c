/* SPDX-License-Identifier: Apache-2.0 */
/* sim_check.h - for tests that run in the simulator: one run that must end well, else its seed and log are printed. */
#ifndef XDC_TESTS_SIM_CHECK_H
#define XDC_TESTS_SIM_CHECK_H

#include "rt/sim.h"
#include "rt_check.h"

static inline void in_sim(uint64_t seed, int (*fn)(void *arg), void *arg)
{
	struct sim_world *world = sim_create(seed, NULL);
	enum sim_end end = sim_run(world, fn, arg, 24 * 3600 * RT_SECOND);

	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
		sim_print_log(world, stderr);
	}
	CHECK_EQUAL(end, SIM_DONE);
	sim_destroy(world);
}

#endif
