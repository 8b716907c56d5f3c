/* SPDX-License-Identifier: Apache-2.0 */
/*
 * door.h - for threads that are no reactors, such as those of a library that serves HTTP: how they have something done
 * on a reactor and wait for it, their clock, small files, a lock among them, and how such a library gets a socket. What
 * a thread asks for through the door is done by a fiber of its own, so that one which waits keeps nobody else from
 * coming in. Real systems only.
 */
#ifndef XDC_RT_DOOR_H
#define XDC_RT_DOOR_H

#include <pthread.h>

#include "rt/rt.h"

struct door;

/* On a fiber of the reactor to which the door leads. -ENOMEM. */
RT_MUST_CHECK int door_open(struct door **out);

/*
 * From now on calls are refused, and those under way wait for nothing any more (-ECANCELED). On the door's reactor;
 * does not suspend. When no thread is left that knows the door, door_close frees it (suspends; NULL is allowed).
 */
void door_refuse(struct door *door);
void door_close(struct door *door);

/*
 * Any thread that is no reactor: fn(arg) on a fiber there, whose waits end after limit_ns; blocks until it has
 * returned, and returns its result. -ESHUTDOWN: the door is closed; -ENOMEM. fn was not called then.
 */
RT_MUST_CHECK int door_call(struct door *door, int64_t limit_ns, int (*fn)(void *arg), void *arg);

/*
 * The socket of a listener of rt_listen, for a library that accepts by itself and closes it; the listener is gone. On a
 * fiber; suspends.
 */
struct rt_listener;
RT_MUST_CHECK int door_take_listener(struct rt_listener *listener, int *fd);
void door_close_fd(int fd);		/* when the library would not have it */

/*
 * Small files, read by threads: what tells one version of a file from another; its bytes, their number or negative
 * errno.
 */
struct door_file_stamp {
	int64_t changed_ns;
	uint64_t size, number;
};
RT_MUST_CHECK int door_file_look(const char *path, struct door_file_stamp *stamp);
RT_MUST_CHECK ssize_t door_file_read(const char *path, char *buf, size_t size);

/* The name of this machine. */
#define DOOR_HOST_MAX	65u
void door_host_name(char name[DOOR_HOST_MAX]);

/* Unpredictable. */
void door_random_bytes(void *buf, size_t len);

/* As rt_now_ns and rt_wall_ns, for threads. */
int64_t door_now_ns(void);
int64_t door_wall_ns(void);

/* Mutual exclusion among threads, for a few instructions each. */
struct door_lock {
	pthread_mutex_t mutex;
};
void door_lock_init(struct door_lock *lock);
void door_lock_destroy(struct door_lock *lock);
void door_lock_take(struct door_lock *lock);
void door_lock_release(struct door_lock *lock);

/* Of the block: DOOR_LOCKED(&users->lock); */
#define DOOR_LOCKED(l) \
	__attribute__((cleanup(door_lock_leave), unused)) \
	struct door_lock *RT_UNIQUE(door_locked_) = door_lock_enter(l)
static inline struct door_lock *door_lock_enter(struct door_lock *lock)
{
	door_lock_take(lock);
	return lock;
}
static inline void door_lock_leave(struct door_lock **lock)
{
	door_lock_release(*lock);
}

#endif
