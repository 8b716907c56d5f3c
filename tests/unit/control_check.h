/* SPDX-License-Identifier: Apache-2.0 */
/* control_check.h - for tests of the control plane: one whole system in the simulator. */
#ifndef XDC_TESTS_CONTROL_CHECK_H
#define XDC_TESTS_CONTROL_CHECK_H

#include "rt/sim.h"
#include "rt_check.h"
#include "system.h"

#define KIB		UINT64_C(1024)

static inline struct system *start_system(void)
{
	struct system_options options = {
		.state_folder = "/state", .id = "2105.FA120",
		.control.address = "unix:/control", .link.address = "0.0.0.0:7000", .link_address = "a1:7000",
		.nbd = { { .address = "unix:/nbd" } }, .nbd_count = 1,
	};
	struct system *system;
	struct fault fault;

	if (system_start(&options, &system, &fault) == 0)
		return system;
	sim_note(sim_world(), "start: %s: %s", fault.object, fault.message);
	return NULL;
}

/* Runs a scenario with one system of so many reactors; its seed and log when it fails. */
static inline void run_world(uint64_t seed, unsigned reactors, int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(seed, NULL);
	struct sim_system *system = sim_add_system(world, "a1", reactors);
	enum sim_end end = sim_run(world, scenario, system, RT_NEVER);

	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

#endif
