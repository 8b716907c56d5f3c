/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - a range of a volume as the far side should have it, for comparisons while hosts write. */
#include <assert.h>
#include <errno.h>

#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume_internal.h"

static void unsettle(struct volume_look *look, uint64_t first, uint64_t end)
{
	uint64_t from = volume_first_block(look->offset), to = volume_end_block(look->offset, look->len);

	for (uint64_t block = first > from ? first : from; block < end && block < to; block++)
		look->unsettled[(block - from) / 8] |= (uint8_t)(1u << (block - from) % 8);
}

void volume_unsettle_looks(struct volume_target *target, uint64_t first, uint64_t end)
{
	struct volume_look *look;

	if (planted(PLANTED_VERIFY_MISSES_WRITES))
		return;
	list_for_each(look, &target->looks, link)
		unsettle(look, first, end);
}

/* What is on its way to the far side, or has yet to go. A write that is on its way to the disk was noted before. */
static void find_unsettled(const struct volume_target *target, struct volume_look *look)
{
	uint64_t end = volume_end_block(look->offset, look->len);
	uint64_t track = volume_first_block(look->offset) / MASK_TRACK_BLOCKS;

	for (; track * MASK_TRACK_BLOCKS < end && !planted(PLANTED_VERIFY_IN_FLIGHT); track++) {
		uint16_t bits = mask_get_unsettled(&target->mask, track);

		for (unsigned i = 0; bits >> i; i++) {
			uint64_t block = track * MASK_TRACK_BLOCKS + i;

			if (bits >> i & 1)
				unsettle(look, block, block + 1);
		}
	}
}

static int read_look(struct volume *volume, struct volume_look *look)
{
	int rc = volume_find_hole(volume, look->offset, &look->len, &look->zero);

	if (!rc && vdisk_failed(volume->disk))
		rc = -EIO;
	if (rc || look->zero)
		return rc;
	if (look->len > VOLUME_LOOK_DATA_MAX)
		look->len = VOLUME_LOOK_DATA_MAX;
	look->data = mem_alloc_pages(look->len);
	return look->data ? volume_apply_read(volume, look->data, look->len, look->offset) : -ENOMEM;
}

int volume_look_begin(struct volume_target *target, uint64_t offset, uint32_t len, struct volume_look *look)
{
	int rc;

	assert(target->tracked && offset % XDC_BLOCK_SIZE == 0 && len > 0 && len <= VOLUME_LOOK_MAX);
	*look = (struct volume_look){ .offset = offset, .len = len };
	/* In one step: what is written from here on, before it is read or after, is told to the look. */
	find_unsettled(target, look);
	list_add_last(&target->looks, &look->link);
	rc = read_look(target->volume, look);
	if (rc)
		volume_look_end(look);
	return rc;
}

bool volume_look_is_settled(const struct volume_look *look, uint32_t block)
{
	return !(look->unsettled[block / 8] >> block % 8 & 1);
}

void volume_look_end(struct volume_look *look)
{
	list_remove(&look->link);
	mem_free(look->data);
	look->data = NULL;
}
