/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shifted_clock.h - for tests of limits of time of threads and of libraries, which ask the C library for the time: it
 * stands as much ahead as the test says, and who waits in poll until then goes on. What the kernel times by itself
 * (timers of rt) is not shifted.
 */
#ifndef XDC_TESTS_SHIFTED_CLOCK_H
#define XDC_TESTS_SHIFTED_CLOCK_H

#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rt/rt.h"

#define LOOK_MS		5	/* how soon a shift is noticed */

static int64_t clock_ahead_ns;	/* atomic */

static inline void clock_shift(int64_t ns)
{
	__atomic_add_fetch(&clock_ahead_ns, ns, __ATOMIC_SEQ_CST);
}

/* In place of those of the C library, in the whole process. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t ahead_ns = __atomic_load_n(&clock_ahead_ns, __ATOMIC_SEQ_CST);
	int rc = (int)syscall(SYS_clock_gettime, clock, now);

	if (rc != 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE && clock != CLOCK_BOOTTIME))
		return rc;
	ahead_ns += now->tv_nsec;
	now->tv_sec += ahead_ns / RT_SECOND;
	now->tv_nsec = ahead_ns % RT_SECOND;
	return 0;
}

static inline int64_t clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * RT_SECOND + now.tv_nsec;
}

/* Those whose peers have these ports of IPv4 are waited for in poll; atomic. */
static bool clock_polled[UINT16_MAX + 1];

static inline void clock_note_polled(const struct pollfd *fds, nfds_t count, bool polled)
{
	struct sockaddr_in peer;

	for (nfds_t i = 0; i < count; i++) {
		socklen_t len = sizeof(peer);

		if (getpeername(fds[i].fd, (struct sockaddr *)&peer, &len) == 0 && peer.sin_family == AF_INET)
			__atomic_store_n(&clock_polled[ntohs(peer.sin_port)], polled, __ATOMIC_SEQ_CST);
	}
}

/* Returns when the other end of this socket, in this process, waits for something to happen to it. */
static inline void clock_await_polled(int fd)
{
	struct sockaddr_in own = { 0 };
	socklen_t len = sizeof(own);

	(void)getsockname(fd, (struct sockaddr *)&own, &len);
	while (!__atomic_load_n(&clock_polled[ntohs(own.sin_port)], __ATOMIC_SEQ_CST))
		sched_yield();
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int64_t until_ns = clock_now_ns() + timeout_ms * RT_MS;
	int slice_ms = timeout_ms < LOOK_MS ? timeout_ms : LOOK_MS, rc;

	clock_note_polled(fds, count, true);
	do
		rc = (int)syscall(SYS_poll, fds, count, slice_ms);
	while (rc == 0 && clock_now_ns() < until_ns);
	clock_note_polled(fds, count, false);
	return rc;
}

#endif
