/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

#define CHUNK_BYTES	(32u * 1024)
#define ALIGN_BYTES	16u

struct arena_chunk {
	struct arena_chunk *older;
	size_t size, used;
	char bytes[] __attribute__((aligned(ALIGN_BYTES)));
};

void arena_init(struct cim_arena *arena, size_t limit_bytes)
{
	*arena = (struct cim_arena){ .limit_bytes = limit_bytes };
}

static void drop_newest(struct cim_arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	arena->chunks = chunk->older;
	arena->taken_bytes -= chunk->size;
	mem_free(chunk);
}

void arena_free(struct cim_arena *arena)
{
	while (arena->chunks)
		drop_newest(arena);
}

void arena_reset(struct cim_arena *arena)
{
	while (arena->chunks && arena->chunks->older)
		drop_newest(arena);
	if (arena->chunks)
		arena->chunks->used = 0;
	arena->failed = false;
}

static struct arena_chunk *add_chunk(struct cim_arena *arena, size_t len)
{
	size_t size = len > CHUNK_BYTES ? len : CHUNK_BYTES;
	struct arena_chunk *chunk;

	if (size > arena->limit_bytes - arena->taken_bytes)
		return NULL;
	chunk = mem_alloc(sizeof(*chunk) + size);
	if (!chunk)
		return NULL;
	chunk->older = arena->chunks;
	chunk->size = size;
	chunk->used = 0;
	arena->chunks = chunk;
	arena->taken_bytes += size;
	return chunk;
}

void *arena_take(struct cim_arena *arena, size_t len)
{
	struct arena_chunk *chunk = arena->chunks;
	void *piece;

	if (len > arena->limit_bytes) {
		arena->failed = true;
		return NULL;
	}
	len = (len + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
	if (!chunk || chunk->size - chunk->used < len)
		chunk = add_chunk(arena, len);
	if (!chunk) {
		arena->failed = true;
		return NULL;
	}
	piece = chunk->bytes + chunk->used;
	chunk->used += len;
	return memset(piece, 0, len);
}

char *arena_copy_bytes(struct cim_arena *arena, const char *bytes, size_t len)
{
	char *copy = arena_take(arena, len + 1);

	if (copy)
		memcpy(copy, bytes, len);
	return copy;
}

char *arena_copy(struct cim_arena *arena, const char *text)
{
	return text ? arena_copy_bytes(arena, text, strlen(text)) : NULL;
}

char *arena_print(struct cim_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	text = len < 0 ? NULL : arena_take(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}
