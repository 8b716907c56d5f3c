/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/flash_derive.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/planted.h"

/* So many bits are added before they are made durable: as much memory as their pages take. */
#define COMMIT_BITS	(UINT64_C(1) << 22)

/* So often others may run, where all of the maps is in memory. */
#define ROUNDS_PER_YIELD	1024u

/* So often bits are taken back before that is made durable: of another page each time, at worst. */
#define DROPS_PER_COMMIT	1024u

bool flash_turn_owns(enum flash_turn turn, bool kept, bool written)
{
	if (turn == FLASH_RESYNC)
		return kept && !written;
	return !kept || !written;
}

struct derive {
	struct flash *flash;
	enum flash_turn turn;
	struct flashmap *to;
};

static uint64_t block_count(const struct flash *flash)
{
	return (volume_size(flash->data.target) + XDC_BLOCK_SIZE - 1) / XDC_BLOCK_SIZE;
}

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

static void give_way(unsigned *rounds)
{
	if (++*rounds % ROUNDS_PER_YIELD == 0)
		rt_yield();
}

static int fill(struct derive *derive)
{
	uint64_t size = block_count(derive->flash), block, run_end, added = 0;
	unsigned rounds = 0;
	bool owns;
	int rc = 0;

	for (block = 0; rc == 0 && block < size; block = run_end) {
		give_way(&rounds);
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

/* ---- the other way round ---- */

struct reverse_order {
	struct derive derive;
	struct flash_map_order map;
};

/* On the reactor of the maps that there are. */
static int do_reverse(void *arg)
{
	struct reverse_order *order = arg;
	int rc = volume_flash_settle(&order->derive.flash->data);

	if (rc == 0)
		rc = flashmap_open(&order->map.options, &order->derive.to);
	if (rc < 0)
		return rc;
	rc = fill(&order->derive);
	flashmap_close(order->derive.to);
	return rc;
}

int flash_derive_reverse(struct flash *flash, const struct record_flash *next)
{
	struct reverse_order order = { .derive = { .flash = flash, .turn = FLASH_REVERSE } };

	flash_fill_map_order(flash, next->map, XDC_BLOCK_SIZE, &order.map);
	return rt_call(volume_reactor(flash->data.target), do_reverse, &order);
}

/* ---- again as it is now: while the source is written ---- */

/* What was changed before anybody looked is in the map of that when it is read. */
static int do_begin(void *arg)
{
	struct flash_derived *derived = arg;
	struct volume_flash *data = &derived->flash->data;
	struct derive derive = { .flash = derived->flash, .turn = FLASH_RESYNC, .to = derived->maps.map };
	int rc;

	data->fresh = derived->fresh;
	rc = flashmap_commit(data->changed);
	return rc == 0 ? fill(&derive) : rc;
}

int flash_derive_begin(struct flash *flash, const struct record_flash *next, struct flash_derived *derived)
{
	int rc = flash_open_maps(flash, next, &derived->maps);

	if (rc)
		return rc;
	derived->flash = flash;
	derived->fresh = mem_alloc_zeroed(sizeof(*derived->fresh));
	rc = derived->fresh ? rt_call(volume_reactor(flash->data.target), do_begin, derived) : -ENOMEM;
	if (rc)
		flash_derive_end(derived);
	return rc;
}

/* These tracks are not the target's own any more. */
static int drop(struct flash_derived *derived, uint64_t first, uint64_t end, unsigned *dropped)
{
	uint64_t end_block = end * XDC_BLOCKS_PER_TRACK, size = block_count(derived->flash);
	int rc = flashmap_remove(derived->maps.map, first * XDC_BLOCKS_PER_TRACK, end_block < size ? end_block : size);

	return rc == 0 && ++*dropped % DROPS_PER_COMMIT == 0 ? flashmap_commit(derived->maps.map) : rc;
}

static int drop_all_changed(struct flash_derived *derived, unsigned *dropped)
{
	struct flashmap *changed = derived->flash->data.changed;
	uint64_t size = (block_count(derived->flash) + XDC_BLOCKS_PER_TRACK - 1) / XDC_BLOCKS_PER_TRACK, end;
	unsigned rounds = 0;
	bool written;
	int rc = flashmap_commit(changed);

	for (uint64_t track = 0; rc == 0 && track < size; track = end) {
		give_way(&rounds);
		rc = flashmap_find(changed, track, size, &written, &end);
		if (rc == 0 && written)
			rc = drop(derived, track, end, dropped);
	}
	return rc;
}

/* Those that come meanwhile are for the next time. */
static int do_catch_up(void *arg)
{
	struct flash_derived *derived = arg;
	struct volume_flash_fresh *fresh = derived->fresh;
	bool more = fresh->more;
	unsigned count = fresh->count, dropped = 0;
	int rc = 0;

	fresh->more = false;
	/* What is not noted any more is in what changed already. */
	if (more)
		fresh->count = count = 0;
	for (unsigned i = 0; rc == 0 && !more && i < count; i++)
		rc = drop(derived, fresh->runs[i].first, fresh->runs[i].end, &dropped);
	if (more)
		rc = drop_all_changed(derived, &dropped);
	fresh->count -= count;
	memmove(fresh->runs, fresh->runs + count, fresh->count * sizeof(fresh->runs[0]));
	return rc == 0 ? flashmap_commit(derived->maps.map) : rc;
}

int flash_derive_catch_up(struct flash_derived *derived)
{
	if (planted(PLANTED_FLASH_CHANGE_MISSED))
		return 0;
	return rt_call(volume_reactor(derived->flash->data.target), do_catch_up, derived);
}

void flash_derive_use(struct flash_derived *derived)
{
	flash_use_maps(derived->flash, &derived->maps);
	derived->maps = (struct flash_maps) { .map = NULL };
}

static int do_forget(void *arg)
{
	struct flash_derived *derived = arg;

	derived->flash->data.fresh = NULL;
	return 0;
}

void flash_derive_end(struct flash_derived *derived)
{
	int rc;
	RT_SHIELD();

	if (!derived->flash)
		return;
	rc = rt_call(volume_reactor(derived->flash->data.target), do_forget, derived);
	assert(rc == 0);
	mem_free(derived->fresh);
	if (derived->maps.map)
		flash_close_maps(derived->flash, &derived->maps);
	*derived = (struct flash_derived) { .flash = NULL };
}
