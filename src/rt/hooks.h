/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks.h - where the simulator takes the place of the process's memory and log; private to rt. Set before anything
 * else runs and not changed while memory is in use.
 */
#ifndef XDC_RT_HOOKS_H
#define XDC_RT_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "rt/log.h"

/*
 * Serves all of mem.h. alloc: align is 16 or 4096; len > 0; NULL fails that one request. resize: ptr came from alloc
 * with align 16, never NULL; on NULL the old memory stays. free: never NULL.
 */
struct mem_ops {
	void *(*alloc)(size_t len, size_t align, bool zeroed);
	void *(*resize)(void *ptr, size_t len);
	void (*free)(void *ptr);
};

/* NULL: malloc again, as at the start. */
void mem_set_ops(const struct mem_ops *ops);

/*
 * Every line of at least the level that is set goes to sink, without its newline. NULL: stderr again, as at the start.
 */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

#endif
