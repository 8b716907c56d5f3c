/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/turns.h"

#include <assert.h>
#include <stddef.h>

#include "rt/fiber.h"
#include "rt/mem.h"

struct turns_stack {
	struct fiber_stack stack;	/* first */
	struct turns *turns;
};

struct turns {
	struct fiber_pool pool;		/* of the one stack */
	struct fiber_context thread;
	struct turns_stack *stack;
	void (*fn)(void *arg);		/* NULL: none is under way */
	void *arg;
};

/* For one function after the other. */
static void run(struct fiber_stack *stack)
{
	for (;;) {
		struct turns *turns = ((struct turns_stack *)(void *)stack)->turns;

		turns->fn(turns->arg);
		turns->fn = NULL;
		fiber_switch(&stack->context, &turns->thread);
	}
}

struct turns *turns_create(void)
{
	struct turns *turns = mem_alloc_zeroed(sizeof(*turns));

	if (!turns)
		return NULL;
	fiber_pool_init(&turns->pool, sizeof(struct turns_stack), run, 1);
	turns->stack = (struct turns_stack *)(void *)fiber_pool_take(&turns->pool);
	if (!turns->stack) {
		mem_free(turns);
		return NULL;
	}
	turns->stack->turns = turns;
	return turns;
}

void turns_destroy(struct turns *turns)
{
	if (!turns)
		return;
	assert(!turns->fn);
	fiber_pool_give(&turns->pool, &turns->stack->stack, false);
	fiber_pool_destroy(&turns->pool);
	mem_free(turns);
}

void turns_begin(struct turns *turns, void (*fn)(void *arg), void *arg)
{
	assert(!turns->fn && fn);
	turns->fn = fn;
	turns->arg = arg;
}

bool turns_go_on(struct turns *turns)
{
	assert(turns->fn);
	fiber_switch(&turns->thread, &turns->stack->stack.context);
	return turns->fn != NULL;
}

void turns_give_way(struct turns *turns)
{
	assert(turns->fn);
	fiber_switch(&turns->stack->stack.context, &turns->thread);
}
