/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/slice.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void slice_set(int64_t slice_ns)
{
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_nice = getpriority(PRIO_PROCESS, 0),
		.sched_runtime = (uint64_t)slice_ns,
	};

	/* An administrator who put it under another policy knows better. */
	if (syscall(SYS_sched_getscheduler, 0) == SCHED_NORMAL)
		(void)syscall(SYS_sched_setattr, 0, &attr, 0U);
}
