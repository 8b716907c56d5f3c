/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/logged.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"

static uint64_t chunk_count(uint64_t regions)
{
	return (regions + LOGGED_CHUNK_REGIONS - 1) / LOGGED_CHUNK_REGIONS;
}

int logged_init(struct logged *logged, uint64_t regions)
{
	*logged = (struct logged) { .regions = regions, .chunk_count = chunk_count(regions) };
	logged->chunks = mem_alloc_zeroed((logged->chunk_count + 1) * sizeof(logged->chunks[0]));
	return logged->chunks ? 0 : -ENOMEM;
}

void logged_destroy(struct logged *logged)
{
	for (uint64_t i = 0; i < logged->chunk_count; i++)
		mem_free(logged->chunks[i]);
	mem_free(logged->chunks);
	*logged = (struct logged) { 0 };
}

int logged_reserve_growth(struct logged *logged, uint64_t regions)
{
	uint64_t chunks = chunk_count(regions);
	void *grown;

	if (chunks <= logged->chunk_count)
		return 0;
	grown = mem_resize(logged->chunks, (chunks + 1) * sizeof(logged->chunks[0]));
	if (!grown)
		return -ENOMEM;
	logged->chunks = grown;
	memset(logged->chunks + logged->chunk_count, 0, (chunks - logged->chunk_count) * sizeof(logged->chunks[0]));
	logged->chunk_count = chunks;
	return 0;
}

void logged_grow(struct logged *logged, uint64_t regions)
{
	assert(regions >= logged->regions && chunk_count(regions) <= logged->chunk_count);
	logged->regions = regions;
}

struct logged_region *logged_add(struct logged *logged, uint64_t region)
{
	struct logged_chunk **chunk = &logged->chunks[region / LOGGED_CHUNK_REGIONS];
	struct logged_region *added;

	assert(region < logged->regions);
	if (!*chunk)
		*chunk = mem_alloc_zeroed(sizeof(**chunk));
	if (!*chunk)
		return NULL;
	added = &(*chunk)->regions[region % LOGGED_CHUNK_REGIONS];
	(*chunk)->used += !added->in_log;
	added->in_log = true;
	return added;
}

void logged_remove(struct logged *logged, uint64_t region)
{
	struct logged_chunk **chunk = &logged->chunks[region / LOGGED_CHUNK_REGIONS];
	struct logged_region *removed = logged_find(logged, region);

	assert(removed && removed->in_log && (*chunk)->used > 0);
	removed->in_log = false;
	removed->durable = false;
	if (--(*chunk)->used > 0)
		return;
	mem_free(*chunk);
	*chunk = NULL;
}

uint64_t logged_next(const struct logged *logged, uint64_t from)
{
	for (uint64_t region = from; region < logged->regions; region++) {
		const struct logged_region *found = logged_find(logged, region);

		if (found && found->in_log)
			return region;
		if (!found)
			region |= LOGGED_CHUNK_REGIONS - 1;	/* nothing in the rest of the chunk */
	}
	return UINT64_MAX;
}
