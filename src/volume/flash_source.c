/* SPDX-License-Identifier: Apache-2.0 */
/* flash_source.c - the source of FlashCopies: old blocks are kept by its targets before they are overwritten. */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "rt/mem.h"
#include "volume/late.h"

/* Only a cache, and what is not in it is asked of the targets: 160 KiB for 4 GiB of a source that is written to. */
#define KNOWN_ZONES	UINT64_C(4096)
#define ZONE_WORDS	(BLOCKLOCK_ZONE_BLOCKS / 64u)

/* Of one zone: blocks that all targets hold, and blocks that have space on the source's disk. */
struct flash_known {
	uint64_t zone;
	uint64_t kept[ZONE_WORDS];
	uint64_t space[ZONE_WORDS];
};

static struct flash_known *known_of(const struct volume *volume, uint64_t block)
{
	uint64_t zone = block / BLOCKLOCK_ZONE_BLOCKS;

	return &volume->flash_known[(zone ^ zone / KNOWN_ZONES) % volume->flash_known_zones];
}

static bool is_set(const uint64_t *bits, uint64_t block)
{
	return bits[block % BLOCKLOCK_ZONE_BLOCKS / 64] >> (block % 64) & 1;
}

static void set_bits(uint64_t *bits, uint64_t first, uint64_t end)
{
	for (uint64_t block = first; block < end; block++)
		bits[block % BLOCKLOCK_ZONE_BLOCKS / 64] |= UINT64_C(1) << (block % 64);
}

static bool is_known(const struct volume *volume, uint64_t block)
{
	const struct flash_known *known = known_of(volume, block);

	return known->zone == block / BLOCKLOCK_ZONE_BLOCKS && is_set(known->kept, block);
}

/* What is known of the zone, of which nothing may be known yet. */
static struct flash_known *make_known(struct volume *volume, uint64_t block)
{
	struct flash_known *known = known_of(volume, block);

	if (known->zone != block / BLOCKLOCK_ZONE_BLOCKS)
		*known = (struct flash_known) { .zone = block / BLOCKLOCK_ZONE_BLOCKS };
	return known;
}

static void set_known(struct volume *volume, uint64_t first, uint64_t end)
{
	set_bits(make_known(volume, first)->kept, first, end);
}

void volume_flash_forget_kept(struct volume *volume)
{
	for (uint64_t i = 0; volume->flash_known && i < volume->flash_known_zones; i++)
		volume->flash_known[i] = (struct flash_known) { .zone = UINT64_MAX };
}

/* It does not grow while it is a source. */
static void make_all_known(struct volume *volume)
{
	uint64_t zones = volume_end_block(0, volume_size(volume)) / BLOCKLOCK_ZONE_BLOCKS + 1;

	volume->flash_known_zones = zones < KNOWN_ZONES ? zones : KNOWN_ZONES;
	volume->flash_known = mem_alloc(volume->flash_known_zones * sizeof(*volume->flash_known));
}

/* ---- relations come and go ---- */

bool volume_is_flash_source(const struct volume *volume)
{
	return !list_empty(&volume->flash_targets);
}

int volume_flash_attach_source(struct volume_flash *flash)
{
	struct volume *volume = flash->source;

	assert(volume->reactor == rt_here() && volume->pieces == 0);
	if (volume->growing_blocks != 0 || (flash->target && volume_size(flash->target) != volume_size(volume)))
		return -EBUSY;
	if (!volume->flash_known)
		make_all_known(volume);
	if (!volume->flash_known)
		return -ENOMEM;
	volume_flash_forget_kept(volume);
	list_add_last(&volume->flash_targets, &flash->link);
	return 0;
}

void volume_flash_detach_source(struct volume_flash *flash)
{
	struct volume *volume = flash->source;
	RT_SHIELD();

	assert(volume->reactor == rt_here());
	(void)!volume_late_drain(volume);
	list_remove(&flash->link);
	while (flash->keeps > 0)
		(void)!rt_cond_wait(&flash->kept);
	if (list_empty(&volume->flash_targets)) {
		mem_free(volume->flash_known);
		volume->flash_known = NULL;
	}
}

/* ---- where the source has space ---- */

bool volume_flash_has_space(const struct volume *volume, const struct blocklock_claim *claim)
{
	const struct flash_known *known = volume->flash_known ? known_of(volume, claim->first) : NULL;
	bool has = known && known->zone == claim->first / BLOCKLOCK_ZONE_BLOCKS;

	for (uint64_t block = claim->first; has && block < claim->end; block++)
		has = is_set(known->space, block);
	return has;
}

/* The claim keeps its blocks as they are; all others of their run only if no run was cut short meanwhile. */
int volume_flash_find_space(struct volume *volume, const struct blocklock_claim *claim)
{
	uint64_t zone_end = (claim->first / BLOCKLOCK_ZONE_BLOCKS + 1) * BLOCKLOCK_ZONE_BLOCKS;
	uint64_t zeroed = volume->flash_zeroed, end_bytes, end;
	bool still = volume->flash_zeroing == 0, data;
	int rc = vdisk_get_run(volume->disk, claim->first * XDC_BLOCK_SIZE, &data, &end_bytes);

	if (rc < 0 || !data || !volume->flash_known)
		return rc;
	end = end_bytes == volume_size(volume) ? volume_end_block(0, end_bytes) : end_bytes / XDC_BLOCK_SIZE;
	if (end > zone_end)
		end = zone_end;
	if (end > claim->end && !(still && zeroed == volume->flash_zeroed && volume->flash_zeroing == 0))
		end = claim->end;
	if (end > claim->first)
		set_bits(make_known(volume, claim->first)->space, claim->first, end);
	return 0;
}

void volume_flash_begin_zero(struct volume *volume, uint64_t block)
{
	struct flash_known *known = volume->flash_known ? known_of(volume, block) : NULL;

	volume->flash_zeroing++;
	volume->flash_zeroed++;
	if (known && known->zone == block / BLOCKLOCK_ZONE_BLOCKS)
		memset(known->space, 0, sizeof(known->space));
}

void volume_flash_end_zero(struct volume *volume)
{
	assert(volume->flash_zeroing > 0);
	volume->flash_zeroing--;
}

/* ---- a write is to come ---- */

/* What of the claim is not known to be kept, from the first such block to the last. False: nothing. */
static bool find_unknown(const struct volume *volume, const struct blocklock_claim *claim, uint64_t *first,
		uint64_t *end)
{
	*first = claim->first;
	*end = claim->end;
	while (*first < *end && is_known(volume, *first))
		++*first;
	while (*first < *end && is_known(volume, *end - 1))
		--*end;
	return *first < *end;
}

/* Also when there are none. */
static bool are_all_done(const struct volume *volume)
{
	const struct volume_flash *flash;

	list_for_each(flash, &volume->flash_targets, link)
		if (!atomic_load_explicit(&flash->is_done, memory_order_acquire))
			return false;
	return true;
}

bool volume_flash_has_kept(const struct volume *volume, const struct blocklock_claim *claim)
{
	uint64_t first, end;

	return are_all_done(volume) || !find_unknown(volume, claim, &first, &end);
}

static struct rt_reactor *reactor_of(const struct volume_flash *flash)
{
	return volume_reactor(flash->target ? flash->target : flash->source);
}

static int keep_there(void *arg)
{
	struct flash_keep *keep = arg;

	return keep->flash->target ? volume_flash_keep_here(keep) : volume_flash_fail(keep->flash, -ENODEV);
}

static void keep_one(void *arg)
{
	struct flash_keep *keep = arg;

	keep->rc = rt_call(reactor_of(keep->flash), keep_there, keep);
}

static int fail_there(void *arg)
{
	struct flash_keep *keep = arg;

	return volume_flash_fail(keep->flash, keep->rc);
}

/* Of many things to do some are under way at a time: as many as keep a disk busy. */
#define EACH_MAX	16u

struct each {
	int (*each)(void *arg, unsigned i);
	void *arg;
	unsigned next, count;
	int rc;
};

static void do_rest(void *arg)
{
	struct each *each = arg;

	while (each->rc == 0 && each->next < each->count) {
		int rc = each->each(each->arg, each->next++);

		if (rc < 0)
			each->rc = rc;
	}
}

int volume_flash_each(unsigned count, int (*each)(void *arg, unsigned i), void *arg)
{
	struct each all = { .each = each, .arg = arg, .count = count };
	struct rt_group group;
	RT_SHIELD();

	rt_group_init(&group);
	for (unsigned i = 1; i < count && i < EACH_MAX; i++)
		if (rt_group_start(&group, "flash each", do_rest, &all) < 0)
			break;
	do_rest(&all);
	(void)!rt_group_wait(&group);
	return all.rc;
}

/* What cannot be read of the source cannot be kept, and a host may well overwrite it. */
static void fail_one(struct flash_keep *keep, int error)
{
	keep->rc = error;
	keep->rc = rt_call(reactor_of(keep->flash), fail_there, keep);
}

/* The targets that there are now; they stay until they are left. */
static unsigned take_targets(struct volume *volume, struct flash_keep *keeps)
{
	struct volume_flash *flash;
	unsigned count = 0;

	list_for_each(flash, &volume->flash_targets, link) {
		assert(count < FLASH_TARGETS_MAX);
		flash->keeps++;
		keeps[count++].flash = flash;
	}
	return count;
}

static int leave_targets(struct flash_keep *keeps, unsigned count)
{
	int rc = 0;

	for (unsigned i = 0; i < count; i++) {
		if (keeps[i].rc < 0)
			rc = keeps[i].rc;
		if (--keeps[i].flash->keeps == 0)
			rt_cond_wake_all(&keeps[i].flash->kept);
	}
	return rc;
}

/* All at once, in as many fibers as there are to be had. */
static void keep_all(struct flash_keep *keeps, unsigned count)
{
	struct rt_group group;
	RT_SHIELD();

	rt_group_init(&group);
	for (unsigned i = 1; i < count; i++)
		if (rt_group_start(&group, "flash keep", keep_one, &keeps[i]) < 0)
			keep_one(&keeps[i]);
	keep_one(&keeps[0]);
	(void)!rt_group_wait(&group);
}

struct read_order {
	struct volume *volume;
	struct flash_range *ranges;
};

static int read_one(void *arg, unsigned i)
{
	struct read_order *order = arg;
	const struct flash_range *range = &order->ranges[i];
	uint64_t bytes = volume_bytes(order->volume, range->first, range->end);

	/* The last block of a volume may be a part of one. */
	memset(range->data + bytes, 0, (range->end - range->first) * XDC_BLOCK_SIZE - bytes);
	return volume_read_content(order->volume, range->data, bytes, range->first * XDC_BLOCK_SIZE);
}

/* The old content is read once for all targets. */
static int keep_ranges(struct volume *volume, struct flash_range *ranges, unsigned range_count)
{
	struct read_order order = { .volume = volume, .ranges = ranges };
	struct flash_keep keeps[FLASH_TARGETS_MAX];
	unsigned count = take_targets(volume, keeps);
	int rc = volume_flash_each(range_count, read_one, &order);

	for (unsigned i = 0; i < count; i++) {
		keeps[i] = (struct flash_keep) { .flash = keeps[i].flash, .ranges = ranges, .count = range_count };
		if (volume_error_passes(rc))
			keeps[i].rc = rc;
		else if (rc < 0)
			fail_one(&keeps[i], rc);
	}
	if (rc == 0 && count > 0)
		keep_all(keeps, count);
	return leave_targets(keeps, count);
}

/* The ranges that are not known to be kept, in their order; their blocks are counted. */
static unsigned find_ranges(const struct volume *volume, const struct blocklock_claim *const *claims, unsigned count,
			    struct flash_range *ranges, uint64_t *blocks)
{
	unsigned found = 0;

	*blocks = 0;
	for (unsigned i = 0; i < count; i++) {
		struct flash_range *range = &ranges[found];

		if (!find_unknown(volume, claims[i], &range->first, &range->end))
			continue;
		*blocks += range->end - range->first;
		found++;
	}
	return found;
}

int volume_flash_keep_all(struct volume *volume, const struct blocklock_claim *const *claims, unsigned count)
{
	MEM_OWNED struct flash_range *ranges = mem_alloc(count * sizeof(*ranges));
	MEM_OWNED uint8_t *data = NULL;
	uint64_t blocks = 0, at = 0;
	int rc;

	if (!ranges)
		return -ENOMEM;
	count = are_all_done(volume) ? 0 : find_ranges(volume, claims, count, ranges, &blocks);
	if (count == 0)
		return 0;
	data = mem_alloc_pages(blocks * XDC_BLOCK_SIZE);
	if (!data)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		ranges[i].data = data + at * XDC_BLOCK_SIZE;
		at += ranges[i].end - ranges[i].first;
	}
	rc = keep_ranges(volume, ranges, count);
	for (unsigned i = 0; rc == 0 && !list_empty(&volume->flash_targets) && i < count; i++)
		set_known(volume, ranges[i].first, ranges[i].end);
	return rc;
}

int volume_flash_keep(struct volume *volume, const struct blocklock_claim *claim)
{
	return volume_flash_keep_all(volume, &claim, 1);
}
