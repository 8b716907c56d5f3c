/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.h - a real system: threads, io_uring, signals. For the mains of programs and for tests; the simulator has
 * sim.h.
 */
#ifndef XDC_RT_RUN_H
#define XDC_RT_RUN_H

#include "rt/rt.h"

struct rt_options {
	unsigned reactors;	/* threads with a loop of their own, at most 64; 0: one a processor */
};

/*
 * Runs main_fn(arg) as the first fiber on reactor 0, which is the calling thread, and returns its result when it has
 * returned. By then every other fiber must have ended: groups are stopped by their owners. SIGTERM and SIGINT end
 * rt_wait_stop while it runs. A negative errno when the system could not be started: -ENOSYS or -EPERM where io_uring
 * is not allowed.
 */
RT_MUST_CHECK int rt_run(const struct rt_options *options, int (*main_fn)(void *arg), void *arg);

#endif
