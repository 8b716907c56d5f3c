/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenarios.h - the scenarios of build/sim. Each lives in sim/NAME.c, is declared here and listed in
 * sim/scenarios.c; the runner (sim/main.c) makes a fresh world for each seed and runs it there as the scenario
 * of sim_run (rt/sim.h).
 */
#ifndef XDC_SIM_SCENARIOS_H
#define XDC_SIM_SCENARIOS_H

#include <stdbool.h>

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
	const char *const *rarely_happens;	/* the same, of 50 runs and more; NULL: nothing */
};

extern const struct scenario *const scenarios[];	/* ends with NULL */

/* Adds to a counter of the run ("host writes"), which is shown at its end. name is a literal. From any fiber. */
void scenario_count(const char *name, uint64_t count);

/* Of the run: for one of which each seed has a part, since a world has no room for all of it. */
uint64_t scenario_seed(void);

/*
 * With --times only calls that are made from here on fail: all is set up, and whoever is refused something is able to
 * try again.
 */
void scenario_settled(void);

/*
 * Where the run has a call that failed (--fail): what was refused for it, or may have been, is tried again after a
 * while, a bounded number of times (tries begins at 0). False in all other runs: nothing is refused there. Suspends.
 */
bool scenario_try_again(unsigned *tries);

/*
 * The checker's verdict: sim_fail, and a planted mistake counts as found. What a program that works as meant never
 * shows: a wrong image, a group that is lost, an answer held too long; not a run that does not get on.
 */
void scenario_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The world splits: what would happen if, from this moment on. Returns true in the branch, which runs to the end of the
 * scenario in a process of its own; its counts are added, and its failure is one of the run. When it has ended, returns
 * false in the run that it came from, which knows nothing of it. Not within a branch.
 */
bool scenario_branch(void);

/* Memory that a branch and the run it came from have in common, zeroed at the start of the program. */
#define SCENARIO_SHARED_BYTES	(64u << 10)
void *scenario_shared(void);

extern const struct scenario scenario_control_mixed;
extern const struct scenario scenario_control_plain;
extern const struct scenario scenario_damage;
extern const struct scenario scenario_disaster;
extern const struct scenario scenario_echo;
extern const struct scenario scenario_swap;
extern const struct scenario scenario_swap_long;
extern const struct scenario scenario_write_path;
extern const struct scenario scenario_session_table;
extern const struct scenario scenario_flash;
extern const struct scenario scenario_flashed;
extern const struct scenario scenario_frozen;
extern const struct scenario scenario_full;
extern const struct scenario scenario_groups;
extern const struct scenario scenario_lies;
extern const struct scenario scenario_members;
extern const struct scenario scenario_pause;
extern const struct scenario scenario_points;
extern const struct scenario scenario_practice;
extern const struct scenario scenario_recover;
extern const struct scenario scenario_steps;
extern const struct scenario scenario_stop;
extern const struct scenario scenario_sync;
extern const struct scenario scenario_targets;
extern const struct scenario scenario_standby;
extern const struct scenario scenario_table;
extern const struct scenario scenario_verify;

#endif
