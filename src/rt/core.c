/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/core.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * The accessors are never inlined, so that no caller can keep the address of a thread-local variable over a switch:
 * the compiler takes it for constant within a function.
 */
static __thread struct rt_reactor *here_of_thread;

__attribute__((noinline)) struct rt_reactor *core_here(void)
{
	__asm__ volatile("" ::: "memory");
	return here_of_thread;
}

__attribute__((noinline)) struct rt_reactor *core_set_here(struct rt_reactor *reactor)
{
	struct rt_reactor *before = here_of_thread;

	here_of_thread = reactor;
	__asm__ volatile("" ::: "memory");
	return before;
}

struct rt_fiber *core_fiber(void)
{
	struct rt_reactor *here = core_here();

	return here != NULL ? here->running : NULL;
}

int64_t core_next_timer(const struct rt_reactor *reactor)
{
	return reactor->timers.first != NULL ? reactor->timers.first->when_ns : RT_NEVER;
}

/* ---- fibers ---- */

/* Back to the loop, until the loop takes this fiber from the run queue. */
static void switch_away(struct rt_fiber *fiber)
{
	struct rt_reactor *reactor = fiber->reactor;

	assert(reactor->running == fiber);
	fiber_switch(&fiber->stack.context, &reactor->loop);
}

static void leave_group(struct rt_fiber *fiber)
{
	struct rt_group *group = fiber->group;

	if (group == NULL)
		return;
	list_remove(&fiber->member);
	assert(group->count > 0);
	group->count--;
	while (group->count == 0 && !list_empty(&group->waiters))
		core_wake(list_first(&group->waiters, struct core_wait, link), 0);
}

/* The entry of every stack: one round a fiber, so the stack is as new for the next one. */
static void fiber_main(struct fiber_stack *stack)
{
	struct rt_fiber *fiber = container_of(stack, struct rt_fiber, stack);

	for (;;) {
		fiber->fn(fiber->arg);
		assert(!fiber->shielded && fiber->wait == NULL);
		leave_group(fiber);
		fiber->ended = true;
		switch_away(fiber);
	}
}

void core_pool_init(struct fiber_pool *pool, unsigned count_max)
{
	fiber_pool_init(pool, sizeof(struct rt_fiber), fiber_main, count_max);
}

/* reactor is the one that it was started on. */
static void forget_fiber(struct rt_reactor *reactor, struct rt_fiber *fiber, bool dropped)
{
	list_remove(&fiber->all);
	reactor->fiber_count--;
	fiber_pool_give(reactor->pool, &fiber->stack, dropped);
}

/* A new fiber in the run queue of reactor, in no group; NULL when there is no memory. */
static struct rt_fiber *make_fiber(struct rt_reactor *reactor, const char *name, void (*fn)(void *arg), void *arg)
{
	const struct rt_backend *backend = reactor->system->backend;
	struct fiber_stack *stack;
	struct rt_fiber *fiber;

	if (backend->allow_fiber != NULL && !backend->allow_fiber(reactor))
		return NULL;
	stack = fiber_pool_take(reactor->pool);
	if (stack == NULL)
		return NULL;
	fiber = container_of(stack, struct rt_fiber, stack);
	*fiber = (struct rt_fiber){
		.stack = *stack,
		.reactor = reactor,
		.name = name,
		.fn = fn,
		.arg = arg,
		.limit_ns = RT_NEVER,
	};
	list_init(&fiber->stack.pool_link);
	list_init(&fiber->member);
	list_add_last(&reactor->fibers, &fiber->all);
	list_add_last(&reactor->ready, &fiber->ready);
	reactor->fiber_count++;
	return fiber;
}

int core_spawn(struct rt_reactor *reactor, const char *name, void (*fn)(void *arg), void *arg)
{
	return make_fiber(reactor, name, fn, arg) != NULL ? 0 : -ENOMEM;
}

const char *rt_fiber_name(void)
{
	struct rt_fiber *fiber = core_fiber();

	return fiber != NULL ? fiber->name : "loop";
}

/* ---- waits ---- */

static bool is_cancelled(const struct rt_fiber *fiber)
{
	return fiber->group != NULL && fiber->group->cancelled && !fiber->shielded;
}

bool rt_cancelled(void)
{
	struct rt_fiber *fiber = core_fiber();

	assert(fiber != NULL);
	return is_cancelled(fiber);
}

int core_check(void)
{
	struct rt_fiber *fiber = core_fiber();

	assert(fiber != NULL);		/* a message's function must not suspend */
	if (is_cancelled(fiber))
		return -ECANCELED;
	if (fiber->limit_ns != RT_NEVER && fiber->limit_ns <= rt_now_ns())
		return -ETIMEDOUT;
	return 0;
}

void core_wait_init(struct core_wait *wait, void (*cancel)(struct core_wait *wait))
{
	*wait = (struct core_wait){ .fiber = core_fiber(), .cancel = cancel };
	assert(wait->fiber != NULL);
	list_init(&wait->link);
}

void core_wake(struct core_wait *wait, int64_t result)
{
	struct rt_fiber *fiber = wait->fiber;

	assert(!wait->done);
	wait->done = true;
	wait->result = result;
	list_remove(&wait->link);
	if (fiber->wait == NULL)
		return;			/* it has not suspended yet */
	assert(fiber->wait == wait);
	fiber->wait = NULL;
	timers_remove(&fiber->reactor->timers, &fiber->timer);
	list_add_last(&fiber->reactor->ready, &fiber->ready);
}

static void interrupt(struct core_wait *wait, int reason)
{
	if (wait->done || wait->reason != 0)
		return;
	wait->reason = reason;
	if (wait->cancel != NULL)
		wait->cancel(wait);
	else
		core_wake(wait, reason);
}

/* As core_suspend; a wait that ends at when_ns ends with 0 unless the limit is earlier. */
static int64_t suspend_until(struct core_wait *wait, int64_t when_ns)
{
	struct rt_fiber *fiber = wait->fiber;

	assert(fiber == core_fiber() && fiber->wait == NULL);
	if (is_cancelled(fiber))
		interrupt(wait, -ECANCELED);
	if (!wait->done) {
		fiber->wait = wait;
		fiber->timer_is_sleep = when_ns <= fiber->limit_ns;
		if (when_ns > fiber->limit_ns)
			when_ns = fiber->limit_ns;
		if (when_ns != RT_NEVER)
			timers_add(&fiber->reactor->timers, &fiber->timer, when_ns);
		switch_away(fiber);
	}
	assert(wait->done);
	return wait->result == -ECANCELED && wait->reason != 0 ? wait->reason : wait->result;
}

int64_t core_suspend(struct core_wait *wait)
{
	return suspend_until(wait, RT_NEVER);
}

int rt_sleep_until(int64_t when_ns)
{
	struct core_wait wait;

	core_wait_init(&wait, NULL);
	return (int)suspend_until(&wait, when_ns);
}

void rt_yield(void)
{
	struct rt_fiber *fiber = core_fiber();

	assert(fiber != NULL);
	list_add_last(&fiber->reactor->ready, &fiber->ready);
	switch_away(fiber);
}

/* ---- limits and shields ---- */

struct rt_limit rt_limit_until(int64_t when_ns)
{
	struct rt_fiber *fiber = core_fiber();
	struct rt_limit limit = { .outer_ns = fiber->limit_ns };

	if (when_ns < fiber->limit_ns)
		fiber->limit_ns = when_ns;
	return limit;
}

void rt_limit_restore(struct rt_limit *limit)
{
	core_fiber()->limit_ns = limit->outer_ns;
}

int64_t rt_limit_ns(void)
{
	return core_fiber()->limit_ns;
}

struct rt_shield rt_shield_begin(void)
{
	struct rt_fiber *fiber = core_fiber();
	struct rt_shield shield = { .outer_ns = fiber->limit_ns, .outer_shielded = fiber->shielded };

	fiber->shielded = true;
	fiber->limit_ns = RT_NEVER;
	return shield;
}

void rt_shield_restore(struct rt_shield *shield)
{
	struct rt_fiber *fiber = core_fiber();

	fiber->shielded = shield->outer_shielded;
	fiber->limit_ns = shield->outer_ns;
}

/* ---- groups ---- */

void rt_group_init(struct rt_group *group)
{
	*group = (struct rt_group){ .reactor = core_here() };
	list_init(&group->fibers);
	list_init(&group->waiters);
}

int rt_group_start(struct rt_group *group, const char *name, void (*fn)(void *arg), void *arg)
{
	struct rt_fiber *fiber;

	assert(group->reactor == core_here());
	if (group->cancelled)
		return -ECANCELED;
	fiber = make_fiber(group->reactor, name, fn, arg);
	if (fiber == NULL)
		return -ENOMEM;
	fiber->group = group;
	list_add_last(&group->fibers, &fiber->member);
	group->count++;
	return 0;
}

void rt_group_cancel(struct rt_group *group)
{
	struct rt_fiber *fiber;

	assert(group->reactor == core_here());
	group->cancelled = true;
	list_for_each(fiber, &group->fibers, member) {
		if (fiber->wait != NULL && !fiber->shielded)
			interrupt(fiber->wait, -ECANCELED);
	}
}

int rt_group_wait(struct rt_group *group)
{
	struct core_wait wait;

	assert(group->reactor == core_here());
	assert(core_fiber()->group != group);
	if (group->count == 0)
		return 0;
	core_wait_init(&wait, NULL);
	list_add_last(&group->waiters, &wait.link);
	return (int)core_suspend(&wait);
}

void rt_group_stop(struct rt_group *group)
{
	RT_SHIELD();
	int rc;

	rt_group_cancel(group);
	rc = rt_group_wait(group);
	assert(rc == 0 && group->count == 0);
	group->cancelled = false;
}

/* ---- calls: the fiber goes to the other reactor and comes back ---- */

static void arrive(struct rt_message *message)
{
	struct rt_fiber *fiber = container_of(message, struct rt_fiber, move);

	list_add_last(&fiber->reactor->ready, &fiber->ready);
}

/* Off its stack, which the other thread may run on before rt_post has returned. */
static void depart(struct rt_fiber *fiber)
{
	struct rt_reactor *to = fiber->goes_to;

	fiber->goes_to = NULL;
	fiber->reactor = to;
	fiber->move = (struct rt_message){ .fn = arrive };
	rt_post(to, &fiber->move);
}

static void go_to(struct rt_fiber *fiber, struct rt_reactor *to)
{
	fiber->goes_to = to;
	switch_away(fiber);
}

/*
 * While it is away the fiber is counted in its group, which waits for it, but not in the list through which the group
 * is cancelled: that happens on a thread which must not touch it then. Where it is, it keeps the loop from ending.
 */
int rt_call(struct rt_reactor *to, int (*fn)(void *arg), void *arg)
{
	struct rt_fiber *fiber = core_fiber();
	struct rt_reactor *from = rt_here();
	struct rt_group *group;
	int rc;

	if (to == from)
		return fn(arg);
	group = fiber->group;
	list_remove(&fiber->member);
	fiber->group = NULL;
	go_to(fiber, to);
	to->fiber_count++;
	rc = fn(arg);
	to->fiber_count--;
	go_to(fiber, from);
	fiber->group = group;
	if (group != NULL)
		list_add_last(&group->fibers, &fiber->member);
	return rc;
}

/* ---- the loop ---- */

static void run_fiber(struct rt_reactor *reactor, struct rt_fiber *fiber)
{
	assert(reactor->running == NULL);
	reactor->running = fiber;
	fiber_switch(&reactor->loop, &fiber->stack.context);
	reactor->running = NULL;
	if (fiber->goes_to != NULL)
		depart(fiber);
	else if (fiber->ended)
		forget_fiber(reactor, fiber, false);
}

static bool run_messages(struct rt_reactor *reactor)
{
	struct list_head *newest = __atomic_exchange_n(&reactor->inbox, NULL, __ATOMIC_ACQUIRE), *oldest = NULL;

	if (newest == NULL)
		return false;
	while (newest != NULL) {
		struct list_head *next = newest->next;

		newest->next = oldest;
		oldest = newest;
		newest = next;
	}
	while (oldest != NULL) {
		struct rt_message *message = container_of(oldest, struct rt_message, link);

		oldest = oldest->next;
		list_init(&message->link);
		message->fn(message);
	}
	return true;
}

/* Only those that are ready now: what they make ready has its turn after the timers and the I/O of the backend. */
static bool run_ready(struct rt_reactor *reactor)
{
	struct list_head batch;
	bool any = false;

	list_init(&batch);
	list_append_all(&batch, &reactor->ready);
	while (!list_empty(&batch)) {
		struct rt_fiber *fiber = list_first(&batch, struct rt_fiber, ready);

		list_remove(&fiber->ready);
		run_fiber(reactor, fiber);
		any = true;
	}
	return any;
}

static bool fire_timers(struct rt_reactor *reactor)
{
	struct timer *first = reactor->timers.first;
	int64_t now_ns;

	if (first == NULL)
		return false;
	now_ns = rt_now_ns();
	if (first->when_ns > now_ns)
		return false;
	while ((first = reactor->timers.first) != NULL && first->when_ns <= now_ns) {
		struct rt_fiber *fiber = container_of(first, struct rt_fiber, timer);

		timers_remove(&reactor->timers, first);
		if (fiber->timer_is_sleep)
			core_wake(fiber->wait, 0);
		else
			interrupt(fiber->wait, -ETIMEDOUT);
	}
	return true;
}

bool core_turn(struct rt_reactor *reactor)
{
	struct rt_reactor *before = core_set_here(reactor);
	bool any;

	any = run_messages(reactor);
	any |= run_ready(reactor);
	any |= fire_timers(reactor);
	core_set_here(before);
	return any;
}

bool core_has_work(const struct rt_reactor *reactor)
{
	return !list_empty(&reactor->ready) || __atomic_load_n(&reactor->inbox, __ATOMIC_RELAXED) != NULL;
}

bool core_deliver(struct rt_reactor *to, struct rt_message *message)
{
	struct list_head *newest = __atomic_load_n(&to->inbox, __ATOMIC_RELAXED);

	do {
		message->link.next = newest;
	} while (!__atomic_compare_exchange_n(&to->inbox, &newest, &message->link, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	return newest == NULL;
}

/* ---- systems and reactors ---- */

static void reactor_stop(struct rt_message *message)
{
	struct rt_reactor *reactor = container_of(message, struct rt_reactor, stop_message);

	reactor->stopping = true;
	rt_cond_wake_all(&reactor->stopped);
}

void core_stop(struct rt_system *system)
{
	if (__atomic_exchange_n(&system->stop_asked, true, __ATOMIC_ACQ_REL))
		return;
	for (unsigned i = 0; i < system->reactor_count; i++)
		system->backend->post(system->reactors[i], &system->reactors[i]->stop_message);
}

void core_system_init(struct rt_system *system, const struct rt_backend *backend)
{
	*system = (struct rt_system){ .backend = backend };
}

void core_reactor_init(struct rt_reactor *reactor, struct rt_system *system, struct fiber_pool *pool)
{
	assert(system->reactor_count < CORE_REACTORS_MAX);
	*reactor = (struct rt_reactor){
		.system = system,
		.index = system->reactor_count,
		.pool = pool,
		.stop_message.fn = reactor_stop,
	};
	list_init(&reactor->fibers);
	list_init(&reactor->ready);
	rt_cond_init(&reactor->stopped);
	system->reactors[system->reactor_count++] = reactor;
}

void core_reactor_destroy(struct rt_reactor *reactor)
{
	assert(reactor->running == NULL);
	while (!list_empty(&reactor->fibers))
		forget_fiber(reactor, list_first(&reactor->fibers, struct rt_fiber, all), true);
	list_init(&reactor->ready);
	reactor->inbox = NULL;
	reactor->timers = (struct timers){ 0 };
}
