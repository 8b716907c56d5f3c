/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/flash_derive.h"

/* So many bits are added before they are made durable: as much memory as their pages take. */
#define COMMIT_BITS	(UINT64_C(1) << 22)

bool flash_turn_owns(enum flash_turn turn, bool kept, bool written)
{
	if (turn == FLASH_RESYNC)
		return kept && !written;
	return !kept || !written;
}

struct derive {
	struct flash *flash;
	enum flash_turn turn;
	struct flash_map_order map;
	struct flashmap *to;
};

/* From block on, at most to end, all are alike in both maps: *owns, to *run_end. */
static int find_run(const struct derive *derive, uint64_t block, uint64_t end, bool *owns, uint64_t *run_end)
{
	const struct volume_flash *data = &derive->flash->data;
	uint64_t track = block / XDC_BLOCKS_PER_TRACK, tracks_end;
	bool kept, written = true;
	int rc = flashmap_find(data->map, block, end, &kept, run_end);

	if (rc == 0 && data->changed) {
		rc = flashmap_find(data->changed, track, (*run_end + XDC_BLOCKS_PER_TRACK - 1) / XDC_BLOCKS_PER_TRACK,
				   &written, &tracks_end);
		if (rc == 0 && tracks_end * XDC_BLOCKS_PER_TRACK < *run_end)
			*run_end = tracks_end * XDC_BLOCKS_PER_TRACK;
	}
	*owns = flash_turn_owns(derive->turn, kept, written);
	return rc;
}

static int fill(struct derive *derive)
{
	uint64_t size = derive->map.options.bits, block, run_end, added = 0;
	bool owns;
	int rc = 0;

	for (block = 0; rc == 0 && block < size; block = run_end) {
		rc = find_run(derive, block, size, &owns, &run_end);
		if (rc < 0 || !owns)
			continue;
		rc = flashmap_add(derive->to, block, run_end);
		added += run_end - block;
		if (rc == 0 && added >= COMMIT_BITS) {
			rc = flashmap_commit(derive->to);
			added = 0;
		}
	}
	return rc == 0 ? flashmap_commit(derive->to) : rc;
}

/* On the reactor of the maps that there are. */
static int do_derive(void *arg)
{
	struct derive *derive = arg;
	int rc = flashmap_open(&derive->map.options, &derive->to);

	if (rc < 0)
		return rc;
	rc = fill(derive);
	flashmap_close(derive->to);
	return rc;
}

int flash_derive(struct flash *flash, enum flash_turn turn, const struct record_flash *next)
{
	struct derive derive = { .flash = flash, .turn = turn };

	flash_fill_map_order(flash, next->map, XDC_BLOCK_SIZE, &derive.map);
	return rt_call(volume_reactor(flash->data.target), do_derive, &derive);
}
