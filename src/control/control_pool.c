/* SPDX-License-Identifier: Apache-2.0 */
/* Pools. One of kind dir is a folder that this system has locked; one of devices is only a name and a cache mode. */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

#define POOL_LOCK_NAME	"xdc-pool.lock"
#define POOLS_MAX	1024u

static int lock_folder(struct control_pool *pool)
{
	char path[XDC_PATH_MAX + sizeof(POOL_LOCK_NAME) + 1];

	snprintf(path, sizeof(path), "%s/%s", pool->record.folder, POOL_LOCK_NAME);
	return rt_file_open(path, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_LOCK, &pool->lock);
}

void control_pools_open(struct control *control)
{
	struct control_pool *pool;

	list_for_each(pool, &control->pools, link) {
		if (pool->record.kind != POOL_DIR)
			continue;
		pool->error = lock_folder(pool);
		if (pool->error)
			log_line(LOG_ERROR, "control", "pool %s is offline: %s: %s", pool->record.name,
				 pool->record.folder, strerrordesc_np(-pool->error));
	}
}

static void drop_pool(struct control_pool *pool)
{
	control_extents_drop(pool, false);
	list_remove(&pool->link);
	rt_file_close(pool->lock);
	mem_free(pool);
}

void control_pools_close(struct control *control)
{
	struct control_pool *pool, *next;

	list_for_each_safe(pool, next, &control->pools, link)
		drop_pool(pool);
}

/* ---- create ---- */

/* Makes the folder when only it is missing, and locks it. */
static int take_folder(struct control_pool *pool, const char *object, struct fault *fault)
{
	int rc = control_make_folder(pool->record.folder);

	if (rc < 0)
		return control_fault_errno(fault, object, "make the folder above it, and let xdcd write there", rc,
					   pool->record.folder);
	rc = lock_folder(pool);
	if (rc == -EBUSY)
		return fault_set(fault, FAULT_IN_USE, object, "choose another folder",
				 "%s is used by another pool or system", pool->record.folder);
	return rc == 0 ? 0 : control_fault_errno(fault, object, "let xdcd write there", rc, pool->record.folder);
}

static unsigned count_pools(const struct control *control)
{
	const struct control_pool *pool;
	unsigned count = 0;

	list_for_each(pool, &control->pools, link)
		count++;
	return count;
}

/* What is wrong with the request, of which the model knows. */
static int check_create(struct control *control, const struct pool_create *request, const char *object,
			struct fault *fault)
{
	const struct control_pool *from;

	if (control_pool_find(control, request->name))
		return fault_set(fault, FAULT_IN_USE, object, "choose another name", "there is a pool of this name");
	if (count_pools(control) >= POOLS_MAX)
		return fault_set(fault, FAULT_FAILED, object, "delete one without volumes: xdc pool list",
				 "a system has at most %u pools", POOLS_MAX);
	from = request->from ? control_pool_need(control, request->from, fault) : NULL;
	if (request->from && !from)
		return -1;
	if (from && from->error)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "pool %s is offline: %s",
				 from->record.name, strerrordesc_np(-from->error));
	return 0;
}

static void fill_record(const struct pool_create *request, const struct control_pool *from,
			struct record_pool *record)
{
	*record = (struct record_pool){
		.kind = from ? from->record.kind : request->kind,
		.cache = from && !request->has_cache ? from->record.cache : request->cache,
		.created_wall_ns = rt_wall_ns(),
	};
	snprintf(record->name, sizeof(record->name), "%s", request->name);
	snprintf(record->parent, sizeof(record->parent), "%s", from ? from->record.name : "");
	/* Its limit is only set when it is known that it can be had. */
	if (from && record->kind == POOL_DIR)
		(void)!snprintf(record->folder, sizeof(record->folder), "%.*s/%s",
				(int)(sizeof(record->folder) - XDC_NAME_MAX - 1), from->record.folder, request->name);
	else if (record->kind == POOL_DIR)
		snprintf(record->folder, sizeof(record->folder), "%s", request->folder);
}

/* The folder and the limit of a new pool, or its extents. */
static int take_space(struct control *control, struct control_pool *pool, const struct pool_create *request,
		      const char *object, struct fault *fault)
{
	struct control_pool *from = request->from ? control_pool_find(control, request->from) : NULL;

	if (pool->record.kind == POOL_DEVICE && from)
		return control_extents_take(control, from, pool, request->size_bytes, object, fault);
	if (pool->record.kind == POOL_DEVICE)
		return control_extents_add(control, pool, request->extents, request->extent_count, object, fault);
	if (take_folder(pool, object, fault))
		return -1;
	if (request->size_bytes && control_pool_check_limit(control, pool, request->size_bytes, object, fault))
		return -1;
	pool->record.size_bytes = request->size_bytes;
	return 0;
}

/* The pool with its extents, durably, in one change. */
static int commit_pool(struct control *control, struct control_pool *pool, const char *object,
		       struct fault *fault)
{
	MEM_OWNED struct meta_change *changes = mem_alloc((1 + control_extents_count(pool)) * sizeof(*changes));
	const struct control_extent *extent;
	unsigned count = 1;

	if (!changes)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	changes[0] = (struct meta_change){ META_PUT, META_POOL, &pool->record };
	list_for_each(extent, &pool->extents, link)
		changes[count++] = (struct meta_change){ META_PUT, META_EXTENT, &extent->record };
	if (control_commit(control, changes, count, object, fault))
		return -1;
	control_extents_keep(pool);
	return 0;
}

int control_pool_create(struct control *control, const struct pool_create *request, struct fault *fault)
{
	struct control_pool *pool, *from;
	struct record_pool record;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	snprintf(object, sizeof(object), "pool %.48s", request->name);
	if (check_create(control, request, object, fault))
		return -1;
	from = request->from ? control_pool_find(control, request->from) : NULL;
	fill_record(request, from, &record);
	if (control_pool_load(control, &record) != 0)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	pool = control_pool_find(control, request->name);
	if (take_space(control, pool, request, object, fault) || commit_pool(control, pool, object, fault)) {
		if (from)
			control_extents_give_back(pool, from);
		drop_pool(pool);
		return -1;
	}
	log_line(LOG_NOTICE, "control", "pool %s made%s%s%s%s, cache %s", request->name, from ? " from " : "",
		 record.parent, *record.folder ? " in " : "", record.folder, cache_mode_names[record.cache]);
	return 0;
}

/* ---- modify ---- */

/* With what else it is to have; nothing is durable yet. */
static int change_pool(struct control *control, struct control_pool *pool, const struct pool_modify *request,
		       const char *object, struct fault *fault)
{
	if (request->size_bytes && pool->record.kind != POOL_DIR)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pool modify NAME --extent PATH",
				 "a pool of devices has the size of its extents");
	if (request->extent_count && (pool->record.kind != POOL_DEVICE || *pool->record.parent))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pool create NAME --device --extent PATH",
				 "only a pool that was made of devices takes extents");
	if (request->size_bytes && control_pool_check_limit(control, pool, request->size_bytes, object, fault))
		return -1;
	if (request->size_bytes)
		pool->record.size_bytes = request->size_bytes;
	if (request->label)
		snprintf(pool->record.label, sizeof(pool->record.label), "%s", request->label);
	return control_extents_add(control, pool, request->extents, request->extent_count, object, fault);
}

int control_pool_modify(struct control *control, const struct pool_modify *request, struct fault *fault)
{
	struct control_pool *pool;
	struct record_pool before;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	pool = control_pool_need(control, request->name, fault);
	if (!pool)
		return -1;
	snprintf(object, sizeof(object), "pool %.48s", request->name);
	before = pool->record;
	if (change_pool(control, pool, request, object, fault) || commit_pool(control, pool, object, fault)) {
		pool->record = before;
		control_extents_drop(pool, true);
		return -1;
	}
	log_line(LOG_NOTICE, "control", "pool %s modified: %llu bytes, %u extents", request->name,
		 (unsigned long long)pool->record.size_bytes, control_extents_count(pool));
	return 0;
}

/* ---- delete ---- */

static int check_delete(struct control *control, const struct control_pool *pool, const char *object,
			struct fault *fault)
{
	const struct control_pool *other;

	if (pool->volumes)
		return fault_set(fault, FAULT_IN_USE, object, "delete them first: xdc volume list --pool NAME",
				 "it has %u volume%s", pool->volumes, pool->volumes == 1 ? "" : "s");
	list_for_each(other, &control->pools, link)
		if (!strcmp(other->record.parent, pool->record.name))
			return fault_set(fault, FAULT_IN_USE, object, "delete that first", "pool %s was made from it",
					 other->record.name);
	return 0;
}

/* Its record and those of its extents, or they go back to the pool that they came from. */
static int commit_delete(struct control *control, struct control_pool *pool, struct control_pool *parent,
			 const char *object, struct fault *fault)
{
	unsigned count = 1 + control_extents_count(pool);
	MEM_OWNED struct meta_change *changes = mem_alloc(count * sizeof(*changes));
	struct control_extent *extent;

	if (!changes)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	count = 0;
	changes[count++] = (struct meta_change){ META_DELETE, META_POOL, &pool->record };
	list_for_each(extent, &pool->extents, link) {
		snprintf(extent->record.pool, sizeof(extent->record.pool), "%s",
			 (parent ? parent : pool)->record.name);
		changes[count++] = (struct meta_change){ parent ? META_PUT : META_DELETE, META_EXTENT,
							 &extent->record };
	}
	if (control_commit(control, changes, count, object, fault) == 0)
		return 0;
	list_for_each(extent, &pool->extents, link)
		snprintf(extent->record.pool, sizeof(extent->record.pool), "%s", pool->record.name);
	return -1;
}

int control_pool_delete(struct control *control, const char *name, struct fault *fault)
{
	struct control_pool *pool, *parent;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	pool = control_pool_need(control, name, fault);
	if (!pool)
		return -1;
	snprintf(object, sizeof(object), "pool %.48s", name);
	parent = control_pool_find(control, pool->record.parent);
	if (check_delete(control, pool, object, fault) ||
	    control_retired_clear(control, -1, name, object, fault) ||
	    commit_delete(control, pool, parent, object, fault))
		return -1;
	if (parent)
		control_extents_give_back(pool, parent);
	drop_pool(pool);
	log_line(LOG_NOTICE, "control", "pool %s deleted", name);
	return 0;
}

/* ---- show ---- */

static void get_info(const struct control *control, const struct control_pool *pool, struct pool_info *info)
{
	bool of_extents = !list_empty(&pool->extents);

	*info = (struct pool_info){
		.record = pool->record,
		.error = pool->error,
		.volumes = pool->volumes,
		.volume_bytes = pool->volume_bytes,
		.pool_bytes = control_pool_given(control, pool),
		.has_limit = of_extents || pool->record.size_bytes,
		.size_bytes = of_extents ? control_extents_bytes(pool) : pool->record.size_bytes,
	};
	if (of_extents)
		info->left_bytes = control_extents_left(control, pool);
	else
		(void)control_pool_left(control, pool, &info->left_bytes);
	if (!pool->lock)
		return;
	/* Files that are open outlive the folder that was taken away; what is shown must not. */
	info->error = rt_path_space(info->record.folder, &info->total_bytes, &info->free_bytes);
	info->has_space = info->error == 0;
}

int control_pool_get(struct control *control, const char *name, struct pool_info *info, struct fault *fault)
{
	struct control_pool *pool;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	pool = control_pool_need(control, name, fault);
	if (!pool)
		return -1;
	get_info(control, pool, info);
	return 0;
}

int control_pool_each(struct control *control, void (*each)(void *arg, const struct pool_info *info), void *arg,
		      struct fault *fault)
{
	struct control_pool *pool;
	struct pool_info info;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	list_for_each(pool, &control->pools, link) {
		get_info(control, pool, &info);
		each(arg, &info);
	}
	return 0;
}

int control_pool_each_extent(struct control *control, const char *name,
			     void (*each)(void *arg, const struct record_extent *extent, int volume), void *arg,
			     struct fault *fault)
{
	const struct control_extent *extent;
	struct control_pool *pool;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	pool = control_pool_need(control, name, fault);
	if (!pool)
		return -1;
	list_for_each(extent, &pool->extents, link)
		each(arg, &extent->record, control_extent_volume(control, extent));
	return 0;
}
