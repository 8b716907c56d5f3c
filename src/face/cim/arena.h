/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena.h - the memory of one CIM request: taken piece by piece, given back as a whole, never more than its limit. One
 * thread at a time. Running out is noted in the arena and asked for once, at the end of a piece of work, so what only
 * builds answers need not look after each piece.
 */
#ifndef XDC_FACE_CIM_ARENA_H
#define XDC_FACE_CIM_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

struct cim_arena {
	struct arena_chunk *chunks;	/* the newest first */
	size_t limit_bytes, taken_bytes;
	bool failed;			/* something could not be had since the last arena_reset */
};

void arena_init(struct cim_arena *arena, size_t limit_bytes);
void arena_free(struct cim_arena *arena);

/* Forgets all pieces, and that it failed; the first chunk is kept for what comes. */
void arena_reset(struct cim_arena *arena);

/* Zeroed. NULL, and arena->failed: the limit is reached, or there is no memory. */
void *arena_take(struct cim_arena *arena, size_t len);

/* Copies, ended by a zero byte. NULL as above, or when text is NULL. */
char *arena_copy(struct cim_arena *arena, const char *text);
char *arena_copy_bytes(struct cim_arena *arena, const char *bytes, size_t len);
__attribute__((format(printf, 2, 3)))
char *arena_print(struct cim_arena *arena, const char *format, ...);

#endif
