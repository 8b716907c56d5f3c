/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helpers.h - a bounded number of threads that run what blocks, private to the real backend. Threads are made when
 * there is work for them and stay; jobs beyond their number wait in order.
 */
#ifndef XDC_RT_HELPERS_H
#define XDC_RT_HELPERS_H

#include <pthread.h>

#include "rt/core.h"

#define HELPERS_MAX	16U

struct helpers {
	pthread_mutex_t mutex;
	pthread_cond_t work;
	struct list_head jobs;
	pthread_t threads[HELPERS_MAX];
	unsigned thread_count, idle_count;
	bool ending;
};

/* Makes the first thread, so that there is always one: 0, -EAGAIN. */
RT_MUST_CHECK int helpers_init(struct helpers *helpers);

/* Ends the threads. No job may be left. */
void helpers_destroy(struct helpers *helpers);

/*
 * Jobs that would only wait for one another in the kernel, as writes to one file do: one at a time and in order, so
 * that they take one thread and not one each. Initialised by helpers_line_init; used under the mutex of the helpers.
 */
struct helpers_line {
	struct list_head jobs;		/* behind the one that a thread has or that is among the jobs of the helpers */
	bool busy;			/* there is such a one */
};
void helpers_line_init(struct helpers_line *line);

/*
 * Runs fn(arg) on one of the threads, when it is its turn in the line (NULL: in none); suspends until it has returned,
 * with its result. -ECANCELED or -ETIMEDOUT only when it has not begun.
 */
RT_MUST_CHECK int helpers_run(struct helpers *helpers, struct helpers_line *line, int (*fn)(void *arg), void *arg);

/*
 * Helpers for each disk, made with its first file: one that hangs takes all of its own, and none of another's. Disks
 * beyond so many share those of the first.
 */
#define HELPED_DISKS_MAX	16U

struct disk_helpers {
	pthread_mutex_t mutex;
	unsigned count;
	uint64_t disks[HELPED_DISKS_MAX];
	struct helpers helpers[HELPED_DISKS_MAX];
};

/* Makes those of the first disk, whichever it is: 0, -EAGAIN. */
RT_MUST_CHECK int disk_helpers_init(struct disk_helpers *all);
void disk_helpers_destroy(struct disk_helpers *all);

/* disk: the number that the kernel gives it. Any thread; stays as long as all do. */
struct helpers *disk_helpers_get(struct disk_helpers *all, uint64_t disk);

#endif
