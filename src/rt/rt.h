/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rt.h - fibers on reactors, waits, time and randomness: the runtime below everything else.
 *
 * A reactor is one thread with its own loop; a fiber is a function with a stack of its own that runs on one reactor (on
 * another one for the time of an rt_call) and is suspended while it waits. Nothing is shared between reactors, so code
 * above rt needs no locks: a fiber is only ever interrupted inside a function whose comment says "suspends".
 *
 * Every wait of a fiber ends at the latest when the limit of the fiber is reached (-ETIMEDOUT, see rt_limit_until) or
 * when the fiber is cancelled (-ECANCELED, see rt_group_cancel). There is no other way to wait.
 *
 * The same calls are served by io_uring (backend_uring.c) or by the deterministic simulator (sim.h); code above rt is
 * compiled once and cannot tell which.
 */
#ifndef XDC_RT_RT_H
#define XDC_RT_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rt/list.h"

#define RT_US		INT64_C(1000)
#define RT_MS		INT64_C(1000000)
#define RT_SECOND	INT64_C(1000000000)
#define RT_NEVER	INT64_MAX

#define RT_MUST_CHECK	__attribute__((warn_unused_result))

/* A name of its own for each line, so that blocks may nest under -Wshadow. */
#define RT_PASTE_(a, b)	a##b
#define RT_PASTE(a, b)	RT_PASTE_(a, b)
#define RT_UNIQUE(name)	RT_PASTE(name, __LINE__)

struct rt_fiber;
struct rt_reactor;

/* ---- time and randomness (any fiber, do not suspend) ---- */

/* Nanoseconds since boot, counting suspend (CLOCK_BOOTTIME). All limits are in this clock. Never goes back. */
int64_t rt_now_ns(void);

/* Nanoseconds since 1970 (CLOCK_REALTIME). May jump: for showing and for session times only. */
int64_t rt_wall_ns(void);

/* An id of this boot of the kernel: differs after a power loss, stays over the death of the process. 16 bytes. */
void rt_kernel_boot_id(uint8_t id[16]);

/* Unpredictable bits from the kernel; in the simulator from the seed. */
uint64_t rt_random_u64(void);
void rt_random_bytes(void *buf, size_t len);

/* ---- limits: how long the calling fiber may wait ---- */

/*
 * From here to the end of the enclosing block every wait of this fiber ends at when_ns (rt_now_ns clock) with
 * -ETIMEDOUT, or at the limit that stood before if that is earlier:
 *
 *	{
 *		RT_LIMIT(rt_now_ns() + 50 * RT_MS);
 *		rc = rt_stream_read_full(...);
 *	}
 */
#define RT_LIMIT(when_ns) \
	__attribute__((cleanup(rt_limit_restore), unused)) \
	struct rt_limit RT_UNIQUE(rt_limit_line_) = rt_limit_until(when_ns)

struct rt_limit {
	int64_t outer_ns;
};
struct rt_limit rt_limit_until(int64_t when_ns);
void rt_limit_restore(struct rt_limit *limit);

/* The limit in force, RT_NEVER if none. */
int64_t rt_limit_ns(void);

/*
 * While a fiber is shielded it is neither cancelled nor limited: for the few lines that put things in order again and
 * whose waits are certain to end. A limit that is set inside the shield counts. Nests by blocks.
 */
#define RT_SHIELD() \
	__attribute__((cleanup(rt_shield_restore), unused)) \
	struct rt_shield RT_UNIQUE(rt_shield_line_) = rt_shield_begin()

struct rt_shield {
	int64_t outer_ns;
	bool outer_shielded;
};
struct rt_shield rt_shield_begin(void);
void rt_shield_restore(struct rt_shield *shield);

/* True when waits of this fiber would return -ECANCELED now. */
bool rt_cancelled(void);

/* ---- fibers, in groups ---- */

/*
 * Fibers are started in a group, and a group is stopped as a whole by its owner, so no fiber outlives what it works on.
 * A group and all its fibers live on one reactor.
 */
struct rt_group {
	struct list_head fibers;
	struct list_head waiters;
	struct rt_reactor *reactor;
	unsigned count;
	bool cancelled;
};

void rt_group_init(struct rt_group *group);

/*
 * Starts fn(arg) as a new fiber of the group on the calling reactor; it runs after the caller next suspends. name is
 * kept by reference (a literal, or it lives as long as the fiber) and shows in the log and in a debugger.
 * -ENOMEM: no stack to be had; -ECANCELED: the group is cancelled.
 */
RT_MUST_CHECK int rt_group_start(struct rt_group *group, const char *name, void (*fn)(void *arg), void *arg);

/* All waits of all fibers of the group, present and future, return -ECANCELED. Does not suspend. */
void rt_group_cancel(struct rt_group *group);

/* Suspends until no fiber of the group is left. 0, -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int rt_group_wait(struct rt_group *group);

/* Cancels the group and waits, shielded, until it is empty. Suspends. The group may be used again afterwards. */
void rt_group_stop(struct rt_group *group);

/* Name of the running fiber. */
const char *rt_fiber_name(void);

/* Lets the other fibers that are ready run first. Suspends; does not fail. */
void rt_yield(void);

/* ---- waiting for one another, within one reactor ---- */

/* A queue of fibers that wait for something to become true. Initialised by rt_cond_init or RT_COND_INIT. */
struct rt_cond {
	struct list_head waiters;
};
#define RT_COND_INIT(c)	{ .waiters = LIST_HEAD_INIT((c).waiters) }

void rt_cond_init(struct rt_cond *cond);

/* Suspends until woken: 0. -ETIMEDOUT, -ECANCELED. Fibers are queued in order. Always test the condition again. */
RT_MUST_CHECK int rt_cond_wait(struct rt_cond *cond);

/* Make the first, or all, waiting fibers ready. Do not suspend. */
void rt_cond_wake_one(struct rt_cond *cond);
void rt_cond_wake_all(struct rt_cond *cond);
bool rt_cond_has_waiters(const struct rt_cond *cond);

/* Mutual exclusion among fibers of one reactor, served in order. */
struct rt_mutex {
	struct rt_cond free;
	bool held;
};
void rt_mutex_init(struct rt_mutex *mutex);
RT_MUST_CHECK int rt_mutex_lock(struct rt_mutex *mutex);	/* suspends. 0, -ETIMEDOUT, -ECANCELED */
void rt_mutex_unlock(struct rt_mutex *mutex);

/* Suspends until when_ns: 0. -ETIMEDOUT when the limit comes first, -ECANCELED. */
RT_MUST_CHECK int rt_sleep_until(int64_t when_ns);

/* ---- reactors ---- */

/* The reactor of the calling fiber, the number of reactors of this system, one by its index. */
struct rt_reactor *rt_here(void);
unsigned rt_reactor_count(void);
struct rt_reactor *rt_reactor(unsigned index);
unsigned rt_reactor_index(const struct rt_reactor *reactor);

/*
 * Takes the calling fiber to another reactor, runs fn(arg) there and brings it back; fn's result is the result, and the
 * only one: a call needs no memory and no second fiber, waits for no place, and so never fails by itself, however many
 * there are and wherever fn calls in turn. On the same reactor fn is simply called.
 *
 * Cannot be cancelled or time out on the way: in fn the limit of the caller holds, but no cancelling of its group, so
 * fn must end by itself, by the limit, or by what others do to it on that reactor. Suspends.
 */
RT_MUST_CHECK int rt_call(struct rt_reactor *to, int (*fn)(void *arg), void *arg);

/*
 * Sends a message that runs message->fn(message) on the other reactor, before any I/O of its next turn, outside any
 * fiber: fn must not suspend. Messages from one reactor to another arrive in order. The message belongs to the receiver
 * from here on; sending never fails and never waits.
 */
struct rt_message {
	struct list_head link;
	void (*fn)(struct rt_message *message);
};
void rt_post(struct rt_reactor *to, struct rt_message *message);

/*
 * Runs fn(arg) on a helper thread, where it may block, and suspends until it has returned (never earlier: arg stays
 * with the thread). In the simulator fn runs at once on the one thread. fn must not call anything of rt but mem.h.
 */
RT_MUST_CHECK int rt_help(int (*fn)(void *arg), void *arg);

/* ---- the life of the system ---- */

/*
 * Suspends until the system is asked to stop (SIGTERM, SIGINT; in the simulator sim_stop): 0. -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int rt_wait_stop(void);

#endif
