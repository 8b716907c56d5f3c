/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uring.h - what the parts of the real backend share: backend_uring.c (threads, loop, clock), file_uring.c,
 * net_uring.c. One io_uring a reactor, used by its thread alone.
 */
#ifndef XDC_RT_URING_H
#define XDC_RT_URING_H

#include <liburing.h>
#include <pthread.h>
#include <semaphore.h>

#include "rt/core.h"
#include "rt/dirty.h"
#include "rt/helpers.h"

struct uring_reactor {
	struct rt_reactor core;
	struct io_uring ring;
	struct fiber_pool pool;
	struct list_head cancels;	/* core_wait.link of operations to be cancelled */
	pthread_t thread;
	bool has_thread;
	int start_result;		/* of the thread, once it has posted started */
	int wake_fd;			/* an eventfd that others write while sleeping is set */
	uint64_t wake_count;
	bool wake_armed;
	bool sleeping;			/* atomic */
	bool quitting;
	unsigned short_waits;		/* in a row: see backend_uring.c */
	unsigned lookout_after;		/* so many of them the reactor looks out before it sleeps */
	struct rt_message quit_message;
	int64_t slow_until_ns;		/* buffered writes go to helper threads until then: see file_uring.c */
};

struct uring_system {
	struct rt_system core;
	struct uring_reactor *reactors;
	/*
	 * Two kinds of helper threads: a name that is asked for where nothing answers, as a folder of a file system
	 * that hangs, must not keep open files from being made durable.
	 */
	struct disk_helpers data_helpers;
	struct helpers name_helpers;
	struct dirty dirty;
	uint8_t kernel_boot_id[16];
	unsigned files_max;		/* descriptors of the process */
	sem_t started;
	int signal_fd;
	bool signal_armed;
	int (*main_fn)(void *arg);
	void *main_arg;
	int result;
};

/* One operation in the ring, on the stack of the fiber that waits for it. */
struct uring_op {
	struct core_wait wait;
};

/*
 * An operation: sqe = uring_begin(); io_uring_prep_...(sqe, ...); result = uring_wait(&op, sqe). begin may suspend when
 * the ring is full, wait suspends until the kernel has done with the operation, which is its result.
 */
struct io_uring_sqe *uring_begin(void);
int uring_wait(struct uring_op *op, struct io_uring_sqe *sqe);

/* Programmer error if ASan knows that the kernel must not touch these bytes, which it cannot see by itself. */
void uring_check_buffer(const void *buf, size_t len);

/* The reactor and system of the calling fiber. */
struct uring_reactor *uring_here(void);
struct uring_system *uring_system(void);

/* Runs fn(arg) on a helper thread of the system (helpers_run), for all but an open file. */
RT_MUST_CHECK int uring_help_names(int (*fn)(void *arg), void *arg);

/* This descriptor is one of the last, which connections leave to files. */
bool uring_is_for_files(int fd);

/* Fill in their part of the backend's table. */
void uring_add_files(struct rt_backend *backend);
void uring_add_net(struct rt_backend *backend);

#endif
