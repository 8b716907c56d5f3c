/* SPDX-License-Identifier: Apache-2.0 */
/* Conds, mutexes, messages between reactors, and the door to clock, randomness and helper threads. */
#include <assert.h>
#include <errno.h>

#include "rt/core.h"

/* ---- conds and mutexes ---- */

void rt_cond_init(struct rt_cond *cond)
{
	list_init(&cond->waiters);
}

int rt_cond_wait(struct rt_cond *cond)
{
	struct core_wait wait;

	core_wait_init(&wait, NULL);
	list_add_last(&cond->waiters, &wait.link);
	return (int)core_suspend(&wait);
}

void rt_cond_wake_one(struct rt_cond *cond)
{
	if (!list_empty(&cond->waiters))
		core_wake(list_first(&cond->waiters, struct core_wait, link), 0);
}

void rt_cond_wake_all(struct rt_cond *cond)
{
	while (!list_empty(&cond->waiters))
		core_wake(list_first(&cond->waiters, struct core_wait, link), 0);
}

bool rt_cond_has_waiters(const struct rt_cond *cond)
{
	return !list_empty(&cond->waiters);
}

void rt_mutex_init(struct rt_mutex *mutex)
{
	rt_cond_init(&mutex->free);
	mutex->held = false;
}

/* A waiter that is woken holds the mutex already: unlock hands it over, so nobody can overtake. */
int rt_mutex_lock(struct rt_mutex *mutex)
{
	if (!mutex->held) {
		mutex->held = true;
		return 0;
	}
	return rt_cond_wait(&mutex->free);
}

void rt_mutex_unlock(struct rt_mutex *mutex)
{
	assert(mutex->held);
	if (rt_cond_has_waiters(&mutex->free))
		rt_cond_wake_one(&mutex->free);
	else
		mutex->held = false;
}

/* ---- reactors ---- */

struct rt_reactor *rt_here(void)
{
	struct rt_reactor *here = core_here();

	assert(here != NULL);
	return here;
}

unsigned rt_reactor_count(void)
{
	return rt_here()->system->reactor_count;
}

struct rt_reactor *rt_reactor(unsigned index)
{
	struct rt_system *system = rt_here()->system;

	assert(index < system->reactor_count);
	return system->reactors[index];
}

unsigned rt_reactor_index(const struct rt_reactor *reactor)
{
	return reactor->index;
}

void rt_post(struct rt_reactor *to, struct rt_message *message)
{
	to->system->backend->post(to, message);
}

/* ---- the backend's clock, randomness and threads ---- */

int64_t rt_now_ns(void)
{
	struct rt_reactor *here = rt_here();

	return here->system->backend->now_ns(here);
}

int64_t rt_wall_ns(void)
{
	struct rt_reactor *here = rt_here();

	return here->system->backend->wall_ns(here);
}

void rt_kernel_boot_id(uint8_t id[16])
{
	struct rt_reactor *here = rt_here();

	here->system->backend->kernel_boot_id(here, id);
}

void rt_random_bytes(void *buf, size_t len)
{
	struct rt_reactor *here = rt_here();

	here->system->backend->random_bytes(here, buf, len);
}

uint64_t rt_random_u64(void)
{
	uint64_t value;

	rt_random_bytes(&value, sizeof(value));
	return value;
}

int rt_help(int (*fn)(void *arg), void *arg)
{
	int rc = core_check();

	return rc != 0 ? rc : rt_here()->system->backend->help(fn, arg);
}

int rt_wait_stop(void)
{
	struct rt_reactor *here = rt_here();

	return here->stopping ? 0 : rt_cond_wait(&here->stopped);
}
