/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/sidefile.h"

#include <assert.h>
#include <string.h>

#include "rt/mem.h"
#include "store/vdisk.h"

#define FIRST_BUCKETS	64u
#define FREE_AT_ONCE	64u

void sidefile_init(struct sidefile *sidefile, uint64_t limit_bytes)
{
	*sidefile = (struct sidefile) { .limit_bytes = limit_bytes };
	list_init(&sidefile->rooms);
	list_init(&sidefile->dropped);
}

static void free_room(struct sidefile *sidefile, struct sidefile_room *room)
{
	sidefile->used_bytes -= (uint64_t)room->count * XDC_BLOCK_SIZE;
	list_remove(&room->link);
	mem_free(room->data);
	mem_free(room);
}

void sidefile_destroy(struct sidefile *sidefile)
{
	sidefile_clear(sidefile);
	while (!list_empty(&sidefile->dropped))
		free_room(sidefile, list_first(&sidefile->dropped, struct sidefile_room, link));
	mem_free(sidefile->buckets);
	assert(sidefile->used_bytes == 0);
}

/* Multiplication by the golden ratio: neighbours go to different buckets. */
static struct sidefile_entry **bucket_of(const struct sidefile *sidefile, uint64_t block)
{
	uint64_t hash = (block * UINT64_C(0x9e3779b97f4a7c15)) >> 32;

	return &sidefile->buckets[hash & (sidefile->bucket_count - 1)];
}

/* Twice the buckets when chains get long. Without memory for that chains just stay long. */
static void grow_table(struct sidefile *sidefile)
{
	struct sidefile grown = *sidefile;

	if (sidefile->buckets && sidefile->entry_count < 2 * sidefile->bucket_count)
		return;
	grown.bucket_count = sidefile->buckets ? 2 * sidefile->bucket_count : FIRST_BUCKETS;
	grown.buckets = mem_alloc_zeroed(grown.bucket_count * sizeof(grown.buckets[0]));
	if (!grown.buckets)
		return;
	for (uint32_t i = 0; i < sidefile->bucket_count; i++) {
		struct sidefile_entry *entry, *next;

		for (entry = sidefile->buckets[i]; entry; entry = next) {
			struct sidefile_entry **bucket = bucket_of(&grown, entry->block);

			next = entry->next;
			entry->next = *bucket;
			*bucket = entry;
		}
	}
	mem_free(sidefile->buckets);
	sidefile->buckets = grown.buckets;
	sidefile->bucket_count = grown.bucket_count;
}

static struct sidefile_room *make_room(uint32_t blocks)
{
	struct sidefile_room *room = mem_alloc(sizeof(*room) + blocks * sizeof(room->entries[0]));

	if (!room)
		return NULL;
	room->data = mem_alloc_pages((size_t)blocks * XDC_BLOCK_SIZE);
	if (!room->data) {
		mem_free(room);
		return NULL;
	}
	list_init(&room->link);
	room->count = blocks;
	room->entry_count = 0;
	return room;
}

struct sidefile_room *sidefile_reserve(struct sidefile *sidefile, uint32_t blocks)
{
	uint64_t bytes = (uint64_t)blocks * XDC_BLOCK_SIZE;
	struct sidefile_room *room;

	assert(blocks > 0);
	sidefile_free_dropped(sidefile);
	while (sidefile->used_bytes + bytes > sidefile->limit_bytes && !list_empty(&sidefile->dropped))
		free_room(sidefile, list_first(&sidefile->dropped, struct sidefile_room, link));
	if (sidefile->used_bytes + bytes > sidefile->limit_bytes)
		return NULL;
	grow_table(sidefile);
	room = sidefile->buckets ? make_room(blocks) : NULL;
	if (!room)
		return NULL;
	sidefile->used_bytes += bytes;
	return room;
}

void sidefile_leave(struct sidefile *sidefile, struct sidefile_room *room)
{
	if (room->entry_count == 0)
		free_room(sidefile, room);
	else
		list_add_last(&sidefile->rooms, &room->link);
}

void sidefile_enter(struct sidefile *sidefile, struct sidefile_room *room, uint32_t index, uint64_t block)
{
	struct sidefile_entry *entry = &room->entries[index];
	struct sidefile_entry **bucket;

	assert(index < room->count && !sidefile_find(sidefile, block));
	bucket = bucket_of(sidefile, block);
	*entry = (struct sidefile_entry) { .next = *bucket, .room = room, .block = block };
	*bucket = entry;
	room->entry_count++;
	sidefile->entry_count++;
}

const void *sidefile_find(const struct sidefile *sidefile, uint64_t block)
{
	const struct sidefile_entry *entry = sidefile->entry_count > 0 ? *bucket_of(sidefile, block) : NULL;

	while (entry && entry->block != block)
		entry = entry->next;
	return entry ? entry->room->data + (size_t)(entry - entry->room->entries) * XDC_BLOCK_SIZE : NULL;
}

void sidefile_drop(struct sidefile *sidefile, uint64_t block)
{
	struct sidefile_entry **at = bucket_of(sidefile, block);
	struct sidefile_entry *entry;

	assert(sidefile->entry_count > 0);
	while ((*at)->block != block)
		at = &(*at)->next;
	entry = *at;
	*at = entry->next;
	sidefile->entry_count--;
	if (--entry->room->entry_count == 0)
		free_room(sidefile, entry->room);
}

void sidefile_clear(struct sidefile *sidefile)
{
	list_append_all(&sidefile->dropped, &sidefile->rooms);
	if (sidefile->entry_count > 0)
		memset(sidefile->buckets, 0, sidefile->bucket_count * sizeof(sidefile->buckets[0]));
	sidefile->entry_count = 0;
}

void sidefile_free_dropped(struct sidefile *sidefile)
{
	for (unsigned i = 0; i < FREE_AT_ONCE && !list_empty(&sidefile->dropped); i++)
		free_room(sidefile, list_first(&sidefile->dropped, struct sidefile_room, link));
}
