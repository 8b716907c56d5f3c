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

void control_pools_close(struct control *control)
{
	struct control_pool *pool, *next;

	list_for_each_safe(pool, next, &control->pools, link) {
		list_remove(&pool->link);
		rt_file_close(pool->lock);
		mem_free(pool);
	}
}

/* ---- operations ---- */

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

int control_pool_create(struct control *control, const char *name, enum pool_kind kind, enum cache_mode cache,
			const char *folder, struct fault *fault)
{
	struct record_pool record = { .kind = kind, .cache = cache, .created_wall_ns = rt_wall_ns() };
	struct meta_change change = { META_PUT, META_POOL, &record };
	struct control_pool *pool;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	snprintf(object, sizeof(object), "pool %.48s", name);
	if (control_pool_find(control, name))
		return fault_set(fault, FAULT_IN_USE, object, "choose another name", "there is a pool of this name");
	if (count_pools(control) >= POOLS_MAX)
		return fault_set(fault, FAULT_FAILED, object, "delete one without volumes: xdc pool list",
				 "a system has at most %u pools", POOLS_MAX);
	snprintf(record.name, sizeof(record.name), "%s", name);
	if (kind == POOL_DIR)
		snprintf(record.folder, sizeof(record.folder), "%s", folder);
	if (control_pool_load(control, &record) != 0)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	pool = control_pool_find(control, name);
	if ((kind == POOL_DIR && take_folder(pool, object, fault)) ||
	    control_commit(control, &change, 1, object, fault)) {
		list_remove(&pool->link);
		rt_file_close(pool->lock);
		mem_free(pool);
		return -1;
	}
	log_line(LOG_NOTICE, "control", "pool %s made%s%s, cache %s", name, *record.folder ? " in " : "",
		 record.folder, cache_mode_names[cache]);
	return 0;
}

int control_pool_delete(struct control *control, const char *name, struct fault *fault)
{
	struct meta_change change = { META_DELETE, META_POOL, NULL };
	struct control_pool *pool;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	pool = control_pool_need(control, name, fault);
	if (!pool)
		return -1;
	snprintf(object, sizeof(object), "pool %.48s", name);
	if (pool->volumes)
		return fault_set(fault, FAULT_IN_USE, object, "delete them first: xdc volume list --pool NAME",
				 "it has %u volume%s", pool->volumes, pool->volumes == 1 ? "" : "s");
	if (control_retired_clear(control, -1, name, object, fault))
		return -1;
	change.record = &pool->record;
	if (control_commit(control, &change, 1, object, fault))
		return -1;
	list_remove(&pool->link);
	rt_file_close(pool->lock);
	mem_free(pool);
	log_line(LOG_NOTICE, "control", "pool %s deleted", name);
	return 0;
}

static void get_info(const struct control_pool *pool, struct pool_info *info)
{
	*info = (struct pool_info){
		.record = pool->record,
		.error = pool->error,
		.volumes = pool->volumes,
		.volume_bytes = pool->volume_bytes,
	};
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
	get_info(pool, info);
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
		get_info(pool, &info);
		each(arg, &info);
	}
	return 0;
}
