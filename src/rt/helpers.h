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
 * Runs fn(arg) on one of the threads; suspends until it has returned, with its result. -ECANCELED or -ETIMEDOUT only
 * when it has not begun.
 */
RT_MUST_CHECK int helpers_run(struct helpers *helpers, int (*fn)(void *arg), void *arg);

#endif
