/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/volume.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "rt/mem.h"
#include "store/filepool.h"
#include "volume/late.h"

#define SIDEFILE_WAIT_MS	10000u

int volume_open(const struct volume_options *options, struct volume **out)
{
	struct volume *volume;

	if (vdisk_size(options->disk) > VOLUME_SIZE_MAX)
		return -EFBIG;
	volume = mem_alloc_zeroed(sizeof(*volume));
	if (!volume)
		return -ENOMEM;
	volume->options = *options;
	volume->bare_writes = 1;
	if (options->sidefile_wait_ms == 0)
		volume->options.sidefile_wait_ms = SIDEFILE_WAIT_MS;
	volume->disk = options->disk;
	volume->reactor = rt_here();
	rt_cond_init(&volume->idle);
	list_init(&volume->freezes);
	list_init(&volume->flash_targets);
	rt_cond_init(&volume->thawed);
	blocklock_init(&volume->lock);
	volume_init_targets(volume);
	*out = volume;
	return 0;
}

/* Requests under way end by themselves: nothing holds them once the increment is merged. */
static void wait_until_idle(struct volume *volume, const unsigned *count)
{
	RT_SHIELD();

	while (*count > 0)
		(void)!rt_cond_wait(&volume->idle);
}

void volume_close(struct volume *volume)
{
	struct volume_target *target;

	assert(volume->reactor == rt_here() && list_empty(&volume->freezes));
	assert(!volume->flash && list_empty(&volume->flash_targets));
	volume->access = VOLUME_ACCESS_NONE;
	for_each_target(target, volume)
		volume_merge(target);
	wait_until_idle(volume, &volume->writers);
	wait_until_idle(volume, &volume->readers);
	wait_until_idle(volume, &volume->appliers);
	assert(blocklock_is_free(&volume->lock));
	volume_destroy_targets(volume);
	volume_late_close(volume);
	vdisk_close(volume->disk);
	mem_free(volume);
}

struct rt_reactor *volume_reactor(const struct volume *volume)
{
	return volume->reactor;
}

uint16_t volume_id(const struct volume *volume)
{
	return volume->options.id;
}

uint64_t volume_size(const struct volume *volume)
{
	return vdisk_size(volume->disk);
}

struct vdisk *volume_disk(struct volume *volume)
{
	return volume->disk;
}

/* Room in the masks and in what is known of the log. */
static int reserve_growth(struct volume *volume, uint64_t blocks)
{
	struct volume_target *target;
	int rc = volume->target_count > 0 ? logged_reserve_growth(&volume->logged, mask_region_count(blocks)) : 0;

	for_each_target(target, volume)
		rc = rc == 0 ? mask_reserve_growth(&target->mask, blocks) : rc;
	return rc;
}

static void grow_targets(struct volume *volume, uint64_t blocks)
{
	struct volume_target *target;

	if (volume->target_count > 0)
		logged_grow(&volume->logged, mask_region_count(blocks));
	for_each_target(target, volume)
		mask_grow(&target->mask, blocks);
}

int volume_grow(struct volume *volume, uint64_t size)
{
	uint64_t blocks = volume_end_block(0, size);
	int rc;

	if (size > VOLUME_SIZE_MAX)
		return -EFBIG;
	if (volume->flash || !list_empty(&volume->flash_targets))
		return -EBUSY;
	/* Masks that begin while the disk grows have room for it, too. */
	volume->growing_blocks = blocks;
	rc = reserve_growth(volume, blocks);
	if (rc == 0)
		rc = vdisk_grow(volume->disk, size);
	if (rc == 0)
		grow_targets(volume, blocks);
	volume->growing_blocks = 0;
	return rc;
}

uint64_t volume_bytes(const struct volume *volume, uint64_t first, uint64_t end)
{
	uint64_t offset = first * XDC_BLOCK_SIZE, left = volume_size(volume) - offset;
	uint64_t bytes = (end - first) * XDC_BLOCK_SIZE;

	return bytes < left ? bytes : left;
}

/* ---- access ---- */

int volume_set_access(struct volume *volume, enum volume_access access)
{
	volume->access = access;
	while ((access < VOLUME_ACCESS_WRITE && volume->writers > 0) ||
	       (access < VOLUME_ACCESS_READ && volume->readers > 0)) {
		int rc = rt_cond_wait(&volume->idle);

		if (rc < 0)
			return rc;
	}
	return 0;
}

enum volume_access volume_get_access(const struct volume *volume)
{
	return volume->access;
}

/* Logs behind the buffers of FlashCopy sources that are open at a time; a small part of what the process may have. */
#define LATE_FILES_MAX	256u
#define LATE_FILES_PART	32u

void volume_loads_free(struct volume_load *loads)
{
	for (unsigned i = 0; loads && i < rt_reactor_count(); i++)
		filepool_free(loads[i].late_files);
	mem_free(loads);
}

struct volume_load *volume_loads_make(void)
{
	size_t len = rt_reactor_count() * sizeof(struct volume_load);
	struct volume_load *loads = mem_alloc_pages(len);
	unsigned places = filepool_places(LATE_FILES_MAX, LATE_FILES_PART);
	bool made = loads;

	if (loads)
		memset(loads, 0, len);
	for (unsigned i = 0; made && i < rt_reactor_count(); i++) {
		loads[i].late_files = filepool_make(places);
		made = loads[i].late_files;
	}
	if (made)
		return loads;
	volume_loads_free(loads);
	return NULL;
}

/* The reactor alone writes them. */
static void count(_Atomic uint64_t *number)
{
	uint64_t before = atomic_load_explicit(number, memory_order_relaxed);

	atomic_store_explicit(number, before + 1, memory_order_relaxed);
}

static void note_begun(struct volume *volume)
{
	if (volume->options.loads)
		count(&volume->options.loads[rt_reactor_index(volume->reactor)].begun);
}

static void note_ended(struct volume *volume)
{
	if (volume->options.loads)
		count(&volume->options.loads[rt_reactor_index(volume->reactor)].ended);
}

bool volume_get_load(const struct volume *volume, uint64_t *requests)
{
	const struct volume_load *loads = volume->options.loads;
	uint64_t ended = 0;

	*requests = 0;
	for (unsigned i = 0; loads && i < rt_reactor_count(); i++) {
		ended += atomic_load_explicit(&loads[i].ended, memory_order_relaxed);
		*requests += atomic_load_explicit(&loads[i].begun, memory_order_relaxed);
	}
	return *requests != ended;
}

int volume_admit_read(struct volume *volume)
{
	if (volume->access < VOLUME_ACCESS_READ)
		return -EPERM;
	note_begun(volume);
	volume->readers++;
	return 0;
}

int volume_admit_write(struct volume *volume)
{
	if (volume->access < VOLUME_ACCESS_WRITE)
		return volume->access == VOLUME_ACCESS_READ ? -EROFS : -EPERM;
	note_begun(volume);
	volume->writers++;
	return 0;
}

void volume_leave_read(struct volume *volume)
{
	assert(volume->readers > 0);
	note_ended(volume);
	if (--volume->readers == 0)
		rt_cond_wake_all(&volume->idle);
}

void volume_leave_write(struct volume *volume)
{
	assert(volume->writers > 0);
	note_ended(volume);
	if (--volume->writers == 0)
		rt_cond_wake_all(&volume->idle);
}
