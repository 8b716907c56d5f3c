/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/fiber.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

/* Idle stacks beyond this are unmapped, so that a burst of fibers does not keep its memory for ever. */
#define IDLE_MAX	256U

/*
 * fiber_swap(&from->sp, to->sp) saves what the ABI says a called function preserves, and loads the same of the other
 * stack. The floating point control words are the same for all fibers and stay. fiber_start is where a new stack
 * begins: it finds its two values in preserved registers, as fiber_prepare put them.
 */
void fiber_swap(void **save_sp, void *load_sp);
void fiber_start(void);

#if defined(__x86_64__)
#define SAVED_WORDS	7	/* r15 r14 r13 r12 rbx rbp, return address */
__asm__(
	"	.text\n"
	"	.p2align 4\n"
	"	.hidden fiber_swap\n"
	"	.globl fiber_swap\n"
	"	.type fiber_swap, @function\n"
	"fiber_swap:\n"
	"	.cfi_startproc\n"
	"	pushq %rbp\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset rbp, 0\n"
	"	pushq %rbx\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset rbx, 0\n"
	"	pushq %r12\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset r12, 0\n"
	"	pushq %r13\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset r13, 0\n"
	"	pushq %r14\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset r14, 0\n"
	"	pushq %r15\n	.cfi_adjust_cfa_offset 8\n	.cfi_rel_offset r15, 0\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore r15\n"
	"	popq %r14\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore r14\n"
	"	popq %r13\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore r13\n"
	"	popq %r12\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore r12\n"
	"	popq %rbx\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore rbx\n"
	"	popq %rbp\n	.cfi_adjust_cfa_offset -8\n	.cfi_restore rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size fiber_swap, .-fiber_swap\n"
	"	.p2align 4\n"
	"	.hidden fiber_start\n"
	"	.globl fiber_start\n"
	"	.type fiber_start, @function\n"
	"fiber_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %rbx, %rdi\n"
	"	callq *%r12\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	"	.size fiber_start, .-fiber_start\n");

static void place_start(uintptr_t *words, uintptr_t argument, uintptr_t function)
{
	words[3] = function;
	words[4] = argument;
	words[6] = (uintptr_t)fiber_start;
}
#elif defined(__aarch64__)
#define SAVED_WORDS	20	/* x19 ... x30, d8 ... d15 */
__asm__(
	"	.text\n"
	"	.p2align 4\n"
	"	.hidden fiber_swap\n"
	"	.globl fiber_swap\n"
	"	.type fiber_swap, %function\n"
	"fiber_swap:\n"
	"	sub sp, sp, #160\n"
	"	stp x19, x20, [sp, #0]\n"
	"	stp x21, x22, [sp, #16]\n"
	"	stp x23, x24, [sp, #32]\n"
	"	stp x25, x26, [sp, #48]\n"
	"	stp x27, x28, [sp, #64]\n"
	"	stp x29, x30, [sp, #80]\n"
	"	stp d8, d9, [sp, #96]\n"
	"	stp d10, d11, [sp, #112]\n"
	"	stp d12, d13, [sp, #128]\n"
	"	stp d14, d15, [sp, #144]\n"
	"	mov x9, sp\n"
	"	str x9, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #0]\n"
	"	ldp x21, x22, [sp, #16]\n"
	"	ldp x23, x24, [sp, #32]\n"
	"	ldp x25, x26, [sp, #48]\n"
	"	ldp x27, x28, [sp, #64]\n"
	"	ldp x29, x30, [sp, #80]\n"
	"	ldp d8, d9, [sp, #96]\n"
	"	ldp d10, d11, [sp, #112]\n"
	"	ldp d12, d13, [sp, #128]\n"
	"	ldp d14, d15, [sp, #144]\n"
	"	add sp, sp, #160\n"
	"	ret\n"
	"	.size fiber_swap, .-fiber_swap\n"
	"	.p2align 4\n"
	"	.hidden fiber_start\n"
	"	.globl fiber_start\n"
	"	.type fiber_start, %function\n"
	"fiber_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined x30\n"
	"	mov x0, x19\n"
	"	blr x20\n"
	"	brk #0\n"
	"	.cfi_endproc\n"
	"	.size fiber_start, .-fiber_start\n");

static void place_start(uintptr_t *words, uintptr_t argument, uintptr_t function)
{
	words[0] = argument;
	words[1] = function;
	words[11] = (uintptr_t)fiber_start;
}
#else
#error "no stack switch for this processor"
#endif

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void finish_switch(struct fiber_context *here)
{
#ifdef RT_ASAN
	__sanitizer_finish_switch_fiber(here->asan_fake_stack, &here->resumed_by->bottom, &here->resumed_by->bytes);
#else
	(void)here;
#endif
}

void fiber_switch(struct fiber_context *from, struct fiber_context *to)
{
	to->resumed_by = from;
#ifdef RT_ASAN
	__sanitizer_start_switch_fiber(&from->asan_fake_stack, to->bottom, to->bytes);
#endif
#ifdef RT_TSAN
	from->tsan_fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
	fiber_swap(&from->sp, to->sp);
	finish_switch(from);
}

/* The first C frame on a stack. */
static void enter(struct fiber_stack *stack)
{
	finish_switch(&stack->context);
	stack->entry(stack);
	__builtin_trap();
}

/* Makes the stack begin at its entry with the next switch to it. */
static void prepare(struct fiber_stack *stack)
{
	uintptr_t *words = (uintptr_t *)(void *)stack - SAVED_WORDS;


	place_start(words, (uintptr_t)stack, (uintptr_t)enter);
	stack->context.sp = words;
	stack->context.asan_fake_stack = NULL;
#ifdef RT_TSAN
	stack->context.tsan_fiber = __tsan_create_fiber(0);
#endif
}

/* Used pages, from the end where the stack begins down to the lowest one that was ever touched. */
static size_t used_bytes(const struct fiber_stack *stack)
{
	size_t page = page_bytes(), pages = FIBER_STACK_BYTES / page, lowest = 0;
	unsigned char resident[FIBER_STACK_BYTES / 4096];

	if (page < 4096 || mincore((char *)stack->mapping + page, FIBER_STACK_BYTES, resident) != 0)
		return 0;
	while (lowest < pages && !(resident[lowest] & 1))
		lowest++;
	return (pages - lowest) * page;
}

static struct fiber_stack *map_stack(struct fiber_pool *pool)
{
	size_t guard = page_bytes(), header = (pool->header_bytes + 63) & ~(size_t)63;
	char *mapping = mmap(NULL, guard + FIBER_STACK_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	struct fiber_stack *stack;

	if (mapping == MAP_FAILED)
		return NULL;
	if (mprotect(mapping, guard, PROT_NONE) != 0) {
		munmap(mapping, guard + FIBER_STACK_BYTES);
		return NULL;
	}
	stack = (struct fiber_stack *)(void *)(mapping + guard + FIBER_STACK_BYTES - header);
	stack->mapping = mapping;
	stack->entry = pool->entry;
	stack->context.bottom = mapping + guard;
	stack->context.bytes = FIBER_STACK_BYTES;
	list_init(&stack->pool_link);
	prepare(stack);
#ifdef RT_ASAN
	__lsan_register_root_region(mapping + guard, FIBER_STACK_BYTES);
#endif
	pool->count++;
	return stack;
}

static void unmap_stack(struct fiber_pool *pool, struct fiber_stack *stack)
{
	size_t guard = page_bytes(), used = used_bytes(stack);
	void *mapping = stack->mapping;

	if (used > pool->high_water_bytes)
		pool->high_water_bytes = used;
#ifdef RT_TSAN
	__tsan_destroy_fiber(stack->context.tsan_fiber);
#endif
#ifdef RT_ASAN
	__lsan_unregister_root_region((char *)mapping + guard, FIBER_STACK_BYTES);
	__asan_unpoison_memory_region((char *)mapping + guard, FIBER_STACK_BYTES);
#endif
	munmap(mapping, guard + FIBER_STACK_BYTES);
	pool->count--;
}

void fiber_pool_init(struct fiber_pool *pool, size_t header_bytes, void (*entry)(struct fiber_stack *stack),
		     unsigned count_max)
{
	assert(header_bytes >= sizeof(struct fiber_stack));
	memset(pool, 0, sizeof(*pool));
	list_init(&pool->idle);
	pool->entry = entry;
	pool->header_bytes = header_bytes;
	pool->count_max = count_max;
}

void fiber_pool_destroy(struct fiber_pool *pool)
{
	assert(pool->count == pool->count_idle);
	while (pool->count_idle > 0) {
		struct fiber_stack *stack = list_first(&pool->idle, struct fiber_stack, pool_link);

		list_remove(&stack->pool_link);
		pool->count_idle--;
		unmap_stack(pool, stack);
	}
}

struct fiber_stack *fiber_pool_take(struct fiber_pool *pool)
{
	struct fiber_stack *stack;

	if (pool->count_idle == 0)
		return pool->count < pool->count_max ? map_stack(pool) : NULL;
	/* The one used last is the one whose memory is still in the caches. */
	stack = list_first(&pool->idle, struct fiber_stack, pool_link);
	list_remove(&stack->pool_link);
	pool->count_idle--;
	return stack;
}

void fiber_pool_give(struct fiber_pool *pool, struct fiber_stack *stack, bool dropped)
{
	assert(list_empty(&stack->pool_link));
	if (pool->count_idle >= IDLE_MAX) {
		unmap_stack(pool, stack);
		return;
	}
	if (dropped) {
#ifdef RT_ASAN
		__asan_unpoison_memory_region(stack->context.bottom, FIBER_STACK_BYTES);
#endif
#ifdef RT_TSAN
		/* Its record of calls never unwinds, so it cannot be used again. */
		__tsan_destroy_fiber(stack->context.tsan_fiber);
#endif
		prepare(stack);
	}
	list_add_first(&pool->idle, &stack->pool_link);
	pool->count_idle++;
}
