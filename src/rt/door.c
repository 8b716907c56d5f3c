/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "rt/mem.h"

/* ---- the door ---- */

struct door {
	struct rt_reactor *reactor;
	struct rt_group porter, guests;		/* lets them in; carries out */
	struct rt_cond knock;
	struct list_head calls;			/* that have come to the reactor and have no fiber yet */
	struct door_lock lock;
	bool refusing;				/* under the lock */
};

/* On the stack of the thread that waits. */
struct call {
	struct rt_message message;
	struct list_head link;
	struct door *door;
	int64_t limit_ns;
	int (*fn)(void *arg);
	void *arg;
	pthread_mutex_t mutex;
	pthread_cond_t ended;
	bool done;
	int result;
};

/* The call is gone once the mutex is free. */
static void end_call(struct call *call, int result)
{
	pthread_mutex_lock(&call->mutex);
	call->result = result;
	call->done = true;
	pthread_cond_signal(&call->ended);
	pthread_mutex_unlock(&call->mutex);
}

static void carry_out(void *arg)
{
	struct call *call = arg;
	int result;

	{
		RT_LIMIT(rt_now_ns() + call->limit_ns);
		result = call->fn(call->arg);
	}
	end_call(call, result);
}

static void let_in(void *arg)
{
	struct door *door = arg;

	do {
		while (!list_empty(&door->calls)) {
			struct call *call = list_first(&door->calls, struct call, link);
			int rc;

			list_remove(&call->link);
			rc = rt_group_start(&door->guests, "door", carry_out, call);
			if (rc != 0)
				end_call(call, rc);
		}
	} while (rt_cond_wait(&door->knock) == 0);
}

static void arrive(struct rt_message *message)
{
	struct call *call = container_of(message, struct call, message);

	list_add_last(&call->door->calls, &call->link);
	rt_cond_wake_one(&call->door->knock);
}

int door_call(struct door *door, int64_t limit_ns, int (*fn)(void *arg), void *arg)
{
	struct call call = {
		.message.fn = arrive, .door = door, .limit_ns = limit_ns, .fn = fn, .arg = arg,
		.mutex = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER,
	};

	{
		DOOR_LOCKED(&door->lock);
		if (door->refusing)
			return -ESHUTDOWN;
		rt_post(door->reactor, &call.message);
	}
	pthread_mutex_lock(&call.mutex);
	while (!call.done)
		pthread_cond_wait(&call.ended, &call.mutex);
	pthread_mutex_unlock(&call.mutex);
	return call.result;
}

int door_open(struct door **out)
{
	struct door *door = mem_alloc_zeroed(sizeof(*door));
	int rc;

	if (!door)
		return -ENOMEM;
	door->reactor = rt_here();
	rt_group_init(&door->porter);
	rt_group_init(&door->guests);
	rt_cond_init(&door->knock);
	list_init(&door->calls);
	door_lock_init(&door->lock);
	rc = rt_group_start(&door->porter, "door", let_in, door);
	if (rc != 0)
		mem_free(door);
	else
		*out = door;
	return rc;
}

void door_refuse(struct door *door)
{
	{
		DOOR_LOCKED(&door->lock);
		door->refusing = true;
	}
	rt_group_cancel(&door->guests);
}

void door_close(struct door *door)
{
	if (!door)
		return;
	assert(rt_here() == door->reactor);
	door_refuse(door);
	rt_group_stop(&door->guests);
	rt_group_stop(&door->porter);
	assert(list_empty(&door->calls));
	door_lock_destroy(&door->lock);
	mem_free(door);
}

/* ---- files ---- */

int door_file_look(const char *path, struct door_file_stamp *stamp)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return -errno;
	stamp->changed_ns = info.st_mtim.tv_sec * RT_SECOND + info.st_mtim.tv_nsec;
	stamp->size = (uint64_t)info.st_size;
	stamp->number = info.st_ino;
	return 0;
}

ssize_t door_file_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = 0;
	size_t used = 0;

	if (fd < 0)
		return -errno;
	while (used < size && (got = read(fd, buf + used, size - used)) > 0)
		used += (size_t)got;
	if (got < 0)
		got = -errno;
	close(fd);
	return got < 0 ? got : (ssize_t)used;
}

void door_close_fd(int fd)
{
	close(fd);
}

void door_random_bytes(void *buf, size_t len)
{
	unsigned char *at = buf;

	while (len) {
		ssize_t got = getrandom(at, len, 0);

		assert(got > 0 || errno == EINTR);
		if (got > 0) {
			at += got;
			len -= (size_t)got;
		}
	}
}

void door_host_name(char name[DOOR_HOST_MAX])
{
	struct utsname names;

	if (uname(&names) != 0)
		names.nodename[0] = '\0';
	snprintf(name, DOOR_HOST_MAX, "%s", names.nodename[0] ? names.nodename : "localhost");
}

/* ---- clocks and locks ---- */

static int64_t read_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * RT_SECOND + now.tv_nsec;
}

int64_t door_now_ns(void)
{
	return read_clock_ns(CLOCK_BOOTTIME);
}

int64_t door_wall_ns(void)
{
	return read_clock_ns(CLOCK_REALTIME);
}

void door_lock_init(struct door_lock *lock)
{
	pthread_mutex_init(&lock->mutex, NULL);
}

void door_lock_destroy(struct door_lock *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

void door_lock_take(struct door_lock *lock)
{
	int rc = pthread_mutex_lock(&lock->mutex);

	assert(rc == 0);
}

void door_lock_release(struct door_lock *lock)
{
	int rc = pthread_mutex_unlock(&lock->mutex);

	assert(rc == 0);
}
