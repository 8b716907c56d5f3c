/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - the only way to get memory above rt. In the simulator memory belongs to the simulated system and goes with it
 * when that crashes, and any allocation can be made to fail. Any thread, any fiber; nothing here suspends.
 */
#ifndef XDC_RT_MEM_H
#define XDC_RT_MEM_H

#include <stddef.h>

/* NULL when there is none; zeroed where the name says so. len > 0. */
void *mem_alloc(size_t len) __attribute__((malloc, warn_unused_result));
void *mem_alloc_zeroed(size_t len) __attribute__((malloc, warn_unused_result));

/* Aligned for O_DIRECT (4096). Freed by mem_free like the others. */
void *mem_alloc_pages(size_t len) __attribute__((malloc, warn_unused_result));

/* Like realloc, for memory of mem_alloc (not of mem_alloc_pages). On NULL the old memory stays as it was. */
void *mem_resize(void *ptr, size_t len) __attribute__((warn_unused_result));

char *mem_copy_string(const char *text) __attribute__((malloc, warn_unused_result));

/* NULL is allowed. */
void mem_free(void *ptr);

/* For a variable that owns memory: MEM_OWNED char *text = mem_copy_string(...); is freed at the end of the block. */
#define MEM_OWNED	__attribute__((cleanup(mem_free_variable)))
static inline void mem_free_variable(void *variable)
{
	mem_free(*(void **)variable);
}

#endif
