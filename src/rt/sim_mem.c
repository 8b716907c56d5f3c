/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of simulated systems: each piece knows whose it is, so a crash can take it away. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/hooks.h"
#include "rt/sim_impl.h"
#include "rt/sim_memory.h"

/* In front of what the caller gets; a multiple of 16 so that its alignment is kept. */
struct piece {
	struct list_head link;		/* of the system */
	struct sim_system *system;
	void *block;			/* what the machine's allocator gave */
	size_t len;
	uint64_t number;		/* of the system's allocations since its boot */
};
#define HEADER_BYTES	((sizeof(struct piece) + 15) / 16 * 16)

static struct piece *piece_of(void *ptr)
{
	return (struct piece *)(void *)((char *)ptr - HEADER_BYTES);
}

static void count_piece(struct sim_system *system, struct piece *piece)
{
	list_add_last(&system->memory, &piece->link);
	system->memory_bytes += piece->len;
	system->memory_pieces++;
}

static void forget_piece(struct piece *piece)
{
	if (!sim_memory_is_old(piece->block))
		list_remove(&piece->link);
	piece->system->memory_bytes -= piece->len;
	piece->system->memory_pieces--;
}

static void *alloc(size_t len, size_t align, bool zeroed)
{
	struct sim_system *system = sim_here();
	size_t before = align > HEADER_BYTES ? align : HEADER_BYTES;
	struct piece *piece;
	char *block;

	if (sim_call_fails(system, SIM_ALLOC) || len > SIZE_MAX / 2)
		return NULL;
	block = sim_alloc_dirty(before + len, align);
	if (zeroed)
		memset(block + before, 0, len);
	piece = piece_of(block + before);
	*piece = (struct piece){
		.system = system, .block = block, .len = len, .number = system->calls_made[SIM_ALLOC],
	};
	count_piece(system, piece);
	return block + before;
}

static void release(void *ptr)
{
	struct piece *piece = piece_of(ptr);

	forget_piece(piece);
	sim_free(piece->block);
}

static void *resize(void *ptr, size_t len)
{
	struct piece *piece = piece_of(ptr);
	void *moved = alloc(len, 16, false);

	if (moved == NULL)
		return NULL;
	memcpy(moved, ptr, piece->len < len ? piece->len : len);
	release(ptr);
	return moved;
}

static const struct mem_ops ops = { .alloc = alloc, .resize = resize, .free = release };

void sim_mem_install(bool install)
{
	mem_set_ops(install ? &ops : NULL);
}

void sim_mem_drop_all(struct sim_system *system)
{
	while (!list_empty(&system->memory)) {
		struct piece *piece = list_last(&system->memory, struct piece, link);

		if (sim_memory_is_old(piece->block))
			break;		/* and so are all that are left, freed or not */
		forget_piece(piece);
		sim_free(piece->block);
	}
	list_init(&system->memory);
	system->memory_bytes = system->memory_pieces = 0;
}

void sim_mem_describe(const struct sim_system *system, char *text, size_t len)
{
	const struct piece *piece;
	size_t used;

	snprintf(text, len, "%zu pieces, %zu bytes; allocations", system->memory_pieces, system->memory_bytes);
	list_for_each(piece, &system->memory, link) {
		used = strlen(text);
		snprintf(text + used, len - used, " #%llu (%zu)", (unsigned long long)piece->number, piece->len);
		if (used > len / 2)
			break;
	}
}

size_t sim_memory_bytes(const struct sim_system *system)
{
	return system->memory_bytes;
}

size_t sim_memory_pieces(const struct sim_system *system)
{
	return system->memory_pieces;
}
