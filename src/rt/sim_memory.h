/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_memory.h - memory of the simulator itself and, over it (sim_mem.c), of simulated systems. When the real machine
 * has none left the program ends: a run that lacks memory proves nothing. One thread. Private to the simulator.
 */
#ifndef XDC_RT_SIM_MEMORY_H
#define XDC_RT_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *sim_alloc(size_t len) __attribute__((malloc, returns_nonnull));		/* zeroed */
void *sim_alloc_dirty(size_t len, size_t align) __attribute__((malloc, returns_nonnull));	/* not zeroed */
void *sim_resize(void *ptr, size_t len) __attribute__((returns_nonnull));
char *sim_copy_text(const char *text) __attribute__((malloc, returns_nonnull));
void sim_free(void *ptr);			/* NULL is allowed */

/*
 * This process was forked off a run, and ends before long. Each page of memory that it writes to must first be copied
 * for it: what is older than this call is not given back any more, and never taken again.
 */
void sim_memory_fork(void);

/* The memory is older than sim_memory_fork: who gives it up need not take it off its lists. */
bool sim_memory_is_old(const void *ptr);

#endif
