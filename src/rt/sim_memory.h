/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_memory.h - memory of the simulator itself, which belongs to no simulated system. When the real machine
 * has none left the program ends: a run that lacks memory proves nothing. Private to the simulator.
 */
#ifndef XDC_RT_SIM_MEMORY_H
#define XDC_RT_SIM_MEMORY_H

#include <stddef.h>

void *sim_alloc(size_t len) __attribute__((malloc, returns_nonnull));		/* zeroed */
void *sim_resize(void *ptr, size_t len) __attribute__((returns_nonnull));
char *sim_copy_text(const char *text) __attribute__((malloc, returns_nonnull));

/* Pages of 4096 bytes, not zeroed, kept for the next taker. One thread. */
void *sim_page_take(void) __attribute__((returns_nonnull));
void sim_page_give(void *page);		/* NULL is allowed */
void sim_page_pool_empty(void);		/* gives the kept ones back to the machine */

#endif
