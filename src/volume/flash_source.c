/* SPDX-License-Identifier: Apache-2.0 */
/* flash_source.c - the source of FlashCopies: old blocks are kept by its targets before they are overwritten. */
#include <assert.h>
#include <errno.h>

#include "rt/mem.h"
#include "volume/flash_internal.h"

/* Only a cache, and what is not in it is asked of the targets: 160 KiB for 4 GiB of a source that is written to. */
#define KNOWN_ZONES	4096u
#define ZONE_WORDS	(BLOCKLOCK_ZONE_BLOCKS / 64u)

/* Blocks of one zone that all targets hold. */
struct flash_known {
	uint64_t zone;
	uint64_t bits[ZONE_WORDS];
};

static struct flash_known *known_of(const struct volume *volume, uint64_t block)
{
	uint64_t zone = block / BLOCKLOCK_ZONE_BLOCKS;

	return &volume->flash_known[(zone ^ zone / KNOWN_ZONES) % KNOWN_ZONES];
}

static bool is_known(const struct volume *volume, uint64_t block)
{
	const struct flash_known *known = known_of(volume, block);
	uint64_t in_zone = block % BLOCKLOCK_ZONE_BLOCKS;

	return known->zone == block / BLOCKLOCK_ZONE_BLOCKS && known->bits[in_zone / 64] >> (in_zone % 64) & 1;
}

static void set_known(struct volume *volume, uint64_t first, uint64_t end)
{
	struct flash_known *known = known_of(volume, first);
	uint64_t zone = first / BLOCKLOCK_ZONE_BLOCKS;

	if (known->zone != zone)
		*known = (struct flash_known) { .zone = zone };
	for (uint64_t block = first; block < end; block++)
		known->bits[block % BLOCKLOCK_ZONE_BLOCKS / 64] |= UINT64_C(1) << (block % 64);
}

void volume_flash_forget_kept(struct volume *volume)
{
	for (unsigned i = 0; volume->flash_known && i < KNOWN_ZONES; i++)
		volume->flash_known[i] = (struct flash_known) { .zone = UINT64_MAX };
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
		volume->flash_known = mem_alloc(KNOWN_ZONES * sizeof(*volume->flash_known));
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
	list_remove(&flash->link);
	while (flash->keeps > 0)
		(void)!rt_cond_wait(&flash->kept);
	if (list_empty(&volume->flash_targets)) {
		mem_free(volume->flash_known);
		volume->flash_known = NULL;
	}
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

bool volume_flash_has_kept(const struct volume *volume, const struct blocklock_claim *claim)
{
	uint64_t first, end;

	return list_empty(&volume->flash_targets) || !find_unknown(volume, claim, &first, &end);
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

/* The old content is read once for all targets. */
static int keep_range(struct volume *volume, uint64_t first, uint64_t end)
{
	uint64_t bytes = volume_bytes(volume, first, end);
	MEM_OWNED uint8_t *data = mem_alloc_pages((end - first) * XDC_BLOCK_SIZE);
	struct flash_keep keeps[FLASH_TARGETS_MAX];
	unsigned count;
	int rc;

	if (!data)
		return -ENOMEM;
	count = take_targets(volume, keeps);
	rc = volume_read_content(volume, data, bytes, first * XDC_BLOCK_SIZE);
	for (unsigned i = 0; i < count; i++) {
		keeps[i] = (struct flash_keep) { .flash = keeps[i].flash, .data = data, .first = first, .end = end };
		if (volume_error_passes(rc))
			keeps[i].rc = rc;
		else if (rc < 0)
			fail_one(&keeps[i], rc);
	}
	if (rc == 0 && count > 0)
		keep_all(keeps, count);
	return leave_targets(keeps, count);
}

int volume_flash_keep(struct volume *volume, const struct blocklock_claim *claim)
{
	uint64_t first, end;
	int rc;

	if (list_empty(&volume->flash_targets) || !find_unknown(volume, claim, &first, &end))
		return 0;
	rc = keep_range(volume, first, end);
	if (rc == 0 && !list_empty(&volume->flash_targets))
		set_known(volume, first, end);
	return rc;
}
