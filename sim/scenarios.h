/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios.h - the scenarios of build/sim. Each lives in sim/NAME.c, is declared here and listed in
 * sim/scenarios.c; the runner (sim/main.c) makes a fresh world for each seed and runs it there as the scenario
 * of sim_run (rt/sim.h).
 */
#ifndef XDC_SIM_SCENARIOS_H
#define XDC_SIM_SCENARIOS_H

#include "rt/sim.h"

struct scenario {
	const char *name;
	const char *about;			/* what it proves, in one line */
	int64_t until_ns;			/* virtual time after which it counts as stuck */
	void (*configure)(struct sim_config *config);	/* changes the defaults; NULL: leaves them */
	int (*run)(void *arg);			/* arg is NULL; adds its systems to sim_world() */

	/*
	 * What must have happened over all seeds of a run, or the run fails as empty: names of sim_fault_name,
	 * and of scenario_count. Ends with NULL.
	 */
	const char *const *must_happen;
};

extern const struct scenario *const scenarios[];	/* ends with NULL */

/* Adds to a counter of the run ("host writes"), which is shown at its end. name is a literal. From any fiber. */
void scenario_count(const char *name, uint64_t count);

extern const struct scenario scenario_echo;
extern const struct scenario scenario_write_path;
extern const struct scenario scenario_groups;
extern const struct scenario scenario_recover;

#endif
