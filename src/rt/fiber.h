/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fiber.h - stacks and the switch between them, private to rt. Knows nothing of reactors, waits or groups (core.h
 * does): a context is a place in the code with a stack under it, a pool keeps stacks for the next fiber. The sanitizers
 * are told about every stack and every switch here and nowhere else. A pool belongs to one thread.
 */
#ifndef XDC_RT_FIBER_H
#define XDC_RT_FIBER_H

#include <stdbool.h>
#include <stddef.h>

#include "rt/list.h"

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif

/* Of one stack, without its guard page. ASan's frames are about twice as large. */
#ifdef RT_ASAN
#define FIBER_STACK_BYTES	((size_t)512 * 1024)
#else
#define FIBER_STACK_BYTES	((size_t)256 * 1024)
#endif

/* Where a switched-away stack goes on. A thread's own stack has one too; it is filled in by the first switch away. */
struct fiber_context {
	void *sp;
	struct fiber_context *resumed_by;	/* who switched here last */
	const void *bottom;			/* lowest address and size of the stack, for ASan */
	size_t bytes;
	void *asan_fake_stack;
	void *tsan_fiber;
};

/*
 * A stack of a pool. It lies at the upper end of the stack itself, as the first member of what the user of the pool
 * keeps there.
 */
struct fiber_stack {
	struct fiber_context context;
	struct list_head pool_link;
	void (*entry)(struct fiber_stack *stack);
	void *mapping;
};

struct fiber_pool {
	struct list_head idle;
	void (*entry)(struct fiber_stack *stack);
	size_t header_bytes;
	unsigned count;			/* stacks that exist */
	unsigned count_idle;
	unsigned count_max;
	size_t high_water_bytes;	/* most that any stack unmapped so far has used, in whole pages */
};

/*
 * header_bytes is the size of the struct that begins with the fiber_stack; it is zeroed when the stack is made. entry
 * runs on a new stack at the first switch to it and never returns: at the end of one fiber it switches away, and goes
 * on from there with the next fiber that takes the stack.
 */
void fiber_pool_init(struct fiber_pool *pool, size_t header_bytes, void (*entry)(struct fiber_stack *stack),
		     unsigned count_max);

/* Unmaps all stacks; none may be in use. */
void fiber_pool_destroy(struct fiber_pool *pool);

/* A stack, or NULL when count_max are in use or the kernel has no memory. */
struct fiber_stack *fiber_pool_take(struct fiber_pool *pool);

/*
 * Gives a stack back, from another stack. dropped: what ran on it had not come back to its entry and is forgotten where
 * it stood, so the next user begins at entry anew.
 */
void fiber_pool_give(struct fiber_pool *pool, struct fiber_stack *stack, bool dropped);

/* Goes on at to; returns when something switches back to from. */
void fiber_switch(struct fiber_context *from, struct fiber_context *to);

#endif
