/* SPDX-License-Identifier: Apache-2.0 */
/* The space of pools: what one may still give to volumes and to pools made from it, and the extents of device pools. */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/mem.h"

/* ---- pools with a limit, and pools made from others ---- */

uint64_t control_pool_given(const struct control *control, const struct control_pool *pool)
{
	const struct control_pool *other;
	uint64_t bytes = 0;

	list_for_each(other, &control->pools, link)
		if (!strcmp(other->record.parent, pool->record.name))
			bytes += other->record.size_bytes;
	return bytes;
}

uint64_t control_pool_taken(const struct control *control, const struct control_pool *pool)
{
	return pool->volume_bytes + control_pool_given(control, pool);
}

bool control_pool_left(const struct control *control, const struct control_pool *pool, uint64_t *bytes)
{
	uint64_t taken = control_pool_taken(control, pool), size = pool->record.size_bytes;

	*bytes = size > taken ? size - taken : 0;
	return size > 0;
}

static uint64_t whole_blocks(uint64_t bytes)
{
	return bytes - bytes % XDC_BLOCK_SIZE;
}

int control_pool_check_room(const struct control *control, const struct control_pool *pool, uint64_t before,
			    uint64_t size, const char *object, struct fault *fault)
{
	uint64_t left;

	if (!control_pool_left(control, pool, &left) || size - before <= left)
		return 0;
	return fault_set_size(fault, object, before + whole_blocks(left),
			      "make the pool larger: xdc pool modify NAME --size SIZE",
			      "pool %s has %llu bytes left of %llu", pool->record.name, (unsigned long long)left,
			      (unsigned long long)pool->record.size_bytes);
}

/* The most that the pool, of kind dir, may be given: by the pool that it is made from, or by its file system. */
static int find_most(struct control *control, const struct control_pool *pool, uint64_t *most)
{
	const struct control_pool *parent = control_pool_find(control, pool->record.parent);
	uint64_t now = pool->record.size_bytes, total, unused, given;
	int rc;

	if (parent && control_pool_left(control, parent, most)) {
		*most += now;
		return 0;
	}
	rc = rt_path_space(pool->record.folder, &total, &unused);
	if (rc < 0)
		return rc;
	given = parent ? control_pool_given(control, parent) - now : 0;
	*most = total > given ? whole_blocks(total - given) : 0;
	return 0;
}

int control_pool_check_limit(struct control *control, const struct control_pool *pool, uint64_t size,
			     const char *object, struct fault *fault)
{
	uint64_t taken = control_pool_taken(control, pool), most;
	int rc = find_most(control, pool, &most);

	if (rc < 0)
		return control_fault_errno(fault, object, "", rc, pool->record.folder);
	if (size > most)
		return fault_set_size(fault, object, most, "give a smaller size",
				      "there are at most %llu bytes for it", (unsigned long long)most);
	if (size < taken)
		return fault_set_size(fault, object, taken, "give a larger size, or delete volumes",
				      "its volumes, and the pools made from it, have %llu bytes",
				      (unsigned long long)taken);
	if (size % XDC_BLOCK_SIZE)
		return fault_set_size(fault, object, whole_blocks(size) + (size < most ? XDC_BLOCK_SIZE : 0),
				      "give a multiple of 4K", "the size is not a multiple of 4 KiB");
	return 0;
}

/* ---- extents ---- */

static const struct control_volume *find_adopted(const struct control *control, const char *path)
{
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		for (unsigned i = 0; control->lsss[lss] && i < LSS_VOLUMES; i++) {
			const struct control_volume *volume = control->lsss[lss]->volumes[i];

			if (volume && !strcmp(volume->record.adopted_path, path))
				return volume;
		}
	return NULL;
}

int control_check_not_adopted(const struct control *control, const char *path, const char *object,
			      struct fault *fault)
{
	const struct control_volume *volume = find_adopted(control, path);

	if (!volume)
		return 0;
	return fault_set(fault, FAULT_IN_USE, object, "name another device", "%s is volume %04X", path,
			 volume->record.id);
}

static struct control_extent *find_extent(const struct control *control, const char *path,
					  struct control_pool **of)
{
	struct control_extent *extent;
	struct control_pool *pool;

	list_for_each(pool, &control->pools, link)
		list_for_each(extent, &pool->extents, link)
			if (!strcmp(extent->record.path, path)) {
				*of = pool;
				return extent;
			}
	return NULL;
}

int control_check_extent(const struct control *control, const struct control_pool *pool, const char *path,
			 const char *object, struct fault *fault)
{
	struct control_pool *of = NULL;

	if (find_extent(control, path, &of) && of != pool)
		return fault_set(fault, FAULT_IN_USE, object, "name that pool, or another device",
				 "%s is an extent of pool %s", path, of->record.name);
	if (!of && !list_empty(&pool->extents))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pool modify NAME --extent PATH",
				 "%s is not an extent of pool %s", path, pool->record.name);
	return 0;
}

/* In order of paths. */
static void insert_extent(struct control_pool *pool, struct control_extent *extent)
{
	struct control_extent *next;

	list_for_each(next, &pool->extents, link)
		if (strcmp(next->record.path, extent->record.path) > 0)
			break;
	list_add_last(&next->link, &extent->link);
	snprintf(extent->record.pool, sizeof(extent->record.pool), "%s", pool->record.name);
}

int control_extent_load(struct control *control, const struct record_extent *record, bool is_new)
{
	struct control_pool *pool = control_pool_find(control, record->pool);
	struct control_extent *extent = pool ? mem_alloc_zeroed(sizeof(*extent)) : NULL;

	if (!pool)
		return -EBADMSG;
	if (!extent)
		return -ENOMEM;
	extent->record = *record;
	extent->is_new = is_new;
	insert_extent(pool, extent);
	return 0;
}

/* The size of a device or file that volumes may be made of, in whole sectors. */
int control_measure_device(const char *path, uint64_t *size)
{
	struct rt_file_info info;
	struct rt_file *file;
	int rc = rt_file_open(path, 0, &file);

	if (rc < 0)
		return rc;
	rc = rt_file_get_info(file, &info);
	rt_file_close(file);
	if (rc < 0)
		return rc;
	*size = info.size - info.size % XDC_SECTOR_SIZE;
	return info.is_folder || !*size ? -EINVAL : 0;
}

int control_extents_add(struct control *control, struct control_pool *pool, const char *const *paths,
			unsigned count, const char *object, struct fault *fault)
{
	struct record_extent record = { .created_wall_ns = rt_wall_ns() };
	struct control_pool *of;

	snprintf(record.pool, sizeof(record.pool), "%s", pool->record.name);
	for (unsigned i = 0; i < count; i++) {
		int rc = control_measure_device(paths[i], &record.size_bytes);

		if (rc < 0)
			return control_fault_errno(fault, object, "name a block device or file that xdcd may open", rc,
						   paths[i]);
		if (find_extent(control, paths[i], &of))
			return fault_set(fault, FAULT_IN_USE, object, "name another device",
					 "%s is an extent of pool %s", paths[i], of->record.name);
		if (control_check_not_adopted(control, paths[i], object, fault))
			return -1;
		snprintf(record.path, sizeof(record.path), "%s", paths[i]);
		if (control_extent_load(control, &record, true) != 0)
			return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	}
	return 0;
}

uint64_t control_extents_bytes(const struct control_pool *pool)
{
	const struct control_extent *extent;
	uint64_t bytes = 0;

	list_for_each(extent, &pool->extents, link)
		bytes += extent->record.size_bytes;
	return bytes;
}

int control_extent_volume(const struct control *control, const struct control_extent *extent)
{
	const struct control_volume *volume = find_adopted(control, extent->record.path);

	return volume ? volume->record.id : -1;
}

static bool is_free(const struct control *control, const struct control_extent *extent)
{
	return control_extent_volume(control, extent) < 0;
}

uint64_t control_extents_left(const struct control *control, const struct control_pool *pool)
{
	const struct control_extent *extent;
	uint64_t bytes = 0;

	list_for_each(extent, &pool->extents, link)
		bytes += is_free(control, extent) ? extent->record.size_bytes : 0;
	return bytes;
}

/*
 * Extents are not divided: they are taken in order while they fit. What that comes to, and what one more would have
 * made it (0: there is none), are the sizes that are possible around the wanted one.
 */
static uint64_t move_while_they_fit(const struct control *control, struct control_pool *from, struct control_pool *to,
				    uint64_t wanted, uint64_t *one_more)
{
	struct control_extent *extent, *next;
	uint64_t sum = 0;

	*one_more = 0;
	list_for_each_safe(extent, next, &from->extents, link) {
		uint64_t with = sum + extent->record.size_bytes;

		if (!is_free(control, extent))
			continue;
		if (with > wanted) {
			*one_more = *one_more && *one_more < with ? *one_more : with;
			continue;
		}
		list_remove(&extent->link);
		insert_extent(to, extent);
		sum = with;
	}
	return sum;
}

int control_extents_take(struct control *control, struct control_pool *from, struct control_pool *to,
			 uint64_t size_bytes, const char *object, struct fault *fault)
{
	uint64_t one_more, sum = move_while_they_fit(control, from, to, size_bytes, &one_more);
	bool less = sum > 0 && (!one_more || size_bytes - sum <= one_more - size_bytes);

	if (sum == size_bytes)
		return 0;
	return fault_set_size(fault, object, less ? sum : one_more, "see xdc pool show for the extents",
			      "extents are not divided, and those of pool %s do not come to %llu bytes",
			      from->record.name, (unsigned long long)size_bytes);
}

void control_extents_give_back(struct control_pool *from, struct control_pool *to)
{
	struct control_extent *extent, *next;

	list_for_each_safe(extent, next, &from->extents, link) {
		list_remove(&extent->link);
		insert_extent(to, extent);
	}
}

void control_extents_drop(struct control_pool *pool, bool only_new)
{
	struct control_extent *extent, *next;

	list_for_each_safe(extent, next, &pool->extents, link)
		if (extent->is_new || !only_new) {
			list_remove(&extent->link);
			mem_free(extent);
		}
}

void control_extents_keep(struct control_pool *pool)
{
	struct control_extent *extent;

	list_for_each(extent, &pool->extents, link)
		extent->is_new = false;
}

unsigned control_extents_count(const struct control_pool *pool)
{
	const struct control_extent *extent;
	unsigned count = 0;

	list_for_each(extent, &pool->extents, link)
		count++;
	return count;
}

const char *control_extent_choose(const struct control *control, const struct control_pool *pool, uint64_t size,
				  const char *object, struct fault *fault)
{
	const struct control_extent *extent, *nearest = NULL;
	uint64_t off = UINT64_MAX;

	list_for_each(extent, &pool->extents, link) {
		uint64_t has = extent->record.size_bytes, away = has > size ? has - size : size - has;

		if (away < off && is_free(control, extent)) {
			nearest = extent;
			off = away;
		}
	}
	if (nearest && off == 0)
		return nearest->record.path;
	fault_set_size(fault, object, nearest ? nearest->record.size_bytes : 0,
		       nearest ? "give the size of a free extent: xdc pool show" :
		       "add an extent: xdc pool modify NAME --extent PATH",
		       nearest ? "extents are not divided, and pool %s has none free of this size" :
		       "pool %s has no free extent", pool->record.name);
	return NULL;
}
