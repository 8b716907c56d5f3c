/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of volumes that are no more. That a volume is deleted is durable before its file is removed, together with a
 * record of what is to be removed; that record goes when the file has gone, with all that the copy services have of it,
 * and its id is not given away before. A file that was made for a volume that never came to be has no record at all,
 * and nothing in it.
 */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "rt/log.h"
#include "rt/mem.h"

#define FILE_NAME_LEN	(4u + 1u + FORMAT_UUID_MAX - 1u + 4u)	/* LLVV-UUID.vol */

/* ---- deleted volumes whose file is still there ---- */

static int forget_retired(struct control *control, struct control_retired *retired)
{
	struct meta_change change = { META_DELETE, META_RETIRED, &retired->record };
	int rc = meta_commit(control->meta, &change, 1);

	if (!rc)
		control_retired_drop(retired);
	return rc;
}

int control_retired_remove(struct control *control, struct control_retired *retired)
{
	const struct control_pool *pool = control_pool_find(control, retired->record.pool);
	char path[CONTROL_DISK_PATH_MAX];
	struct vdisk_options options = { .kind = POOL_DIR, .path = path };
	int rc = copy_remove_files(control->state_folder, retired->record.volume);

	if (!rc && pool)
		rc = pool->error;
	if (!rc && pool && pool->record.kind == POOL_DIR) {
		control_file_path(pool->record.folder, retired->record.volume, retired->record.uuid, path);
		rc = vdisk_destroy(&options);
	}
	if (rc)
		log_line(LOG_WARNING, "control", "volume %04X of pool %s is deleted, but a file of it remains: %s",
			 retired->record.volume, retired->record.pool, strerrordesc_np(-rc));
	return rc ? rc : forget_retired(control, retired);
}

/* A pool that is gone for good must not keep its successor waiting: its files have names of their own. */
static bool is_out_of_reach(struct control *control, const struct control_retired *retired)
{
	const struct control_pool *pool = control_pool_find(control, retired->record.pool);

	return pool && pool->error;
}

/* Of deleted volumes with this id (-1: any), in this pool (NULL: any). */
static int remove_left(struct control *control, int id, const char *pool, uint16_t *left)
{
	struct control_retired *retired, *next;
	int rc = 0;

	list_for_each_safe(retired, next, &control->retired, link) {
		if ((id >= 0 && retired->record.volume != id) || (pool && strcmp(retired->record.pool, pool) != 0))
			continue;
		*left = retired->record.volume;
		rc = control_retired_remove(control, retired);
		if (rc && is_out_of_reach(control, retired)) {
			rc = copy_remove_files(control->state_folder, retired->record.volume);
			rc = rc ? rc : forget_retired(control, retired);
		}
		if (rc)
			break;
	}
	return rc;
}

int control_retired_clear(struct control *control, int id, const char *pool, const char *object, struct fault *fault)
{
	uint16_t left = 0;
	int rc = remove_left(control, id, pool, &left);

	return rc == 0 ? 0 : fault_set(fault, FAULT_IN_USE, object, "let xdcd remove that file; the log names it",
				       "the file of a deleted volume %04X is still there: %s", left,
				       strerrordesc_np(-rc));
}

/* ---- files that belong to no volume ---- */

struct stray {
	struct list_head link;
	char name[FILE_NAME_LEN + 1];
};

struct search {
	struct control *control;
	const struct control_pool *pool;
	struct list_head strays;
};

/* Does not suspend, as rt_path_list wants it. */
static int look_at(void *arg, const char *name)
{
	struct search *search = arg;
	const struct control_volume *volume;
	char id_text[5], path[CONTROL_DISK_PATH_MAX];
	struct stray *stray;
	uint16_t id;

	snprintf(id_text, sizeof(id_text), "%.4s", name);
	if (strlen(name) != FILE_NAME_LEN || strcmp(name + FILE_NAME_LEN - 4, ".vol") != 0 || name[4] != '-' ||
	    parse_volume_id(id_text, &id))
		return 0;
	volume = control_volume_at(search->control, id);
	if (volume && volume->pool == search->pool) {
		control_file_path(search->pool->record.folder, id, volume->record.uuid, path);
		if (!strcmp(strrchr(path, '/') + 1, name))
			return 0;
	}
	stray = mem_alloc(sizeof(*stray));
	if (!stray)
		return -ENOMEM;
	memcpy(stray->name, name, sizeof(stray->name));
	list_add_last(&search->strays, &stray->link);
	return 0;
}

/* Nobody ever wrote to it. Negative errno. */
static int is_empty(const char *path, uint64_t *size)
{
	struct rt_file_info info;
	struct rt_file *file;
	bool data = false;
	uint64_t end = 0;
	int rc = rt_file_open(path, 0, &file);

	if (rc < 0)
		return rc;
	rc = rt_file_get_info(file, &info);
	if (rc == 0 && info.size)
		rc = rt_file_get_run(file, 0, &data, &end);
	rt_file_close(file);
	if (rc < 0)
		return rc;
	*size = info.size;
	return !info.is_folder && !info.is_device && (!info.size || (!data && end == info.size));
}

/* Only what is empty is removed: a state that was restored from a copy may not know of a volume that has data. */
static void settle_stray(const char *path)
{
	struct vdisk_options options = { .kind = POOL_DIR, .path = path };
	uint64_t size = 0;
	int rc = is_empty(path, &size);

	if (rc == 1)
		rc = vdisk_destroy(&options) == 0 ? 1 : 0;
	if (rc == 1)
		log_line(LOG_NOTICE, "control", "%s was of a volume that was never made, and empty: removed", path);
	else
		log_line(LOG_WARNING, "control", "%s, %llu bytes, belongs to no volume: remove it when it is of no use",
			 path, (unsigned long long)size);
}

static void settle_pool(struct control *control, const struct control_pool *pool)
{
	struct search search = { .control = control, .pool = pool };
	char path[CONTROL_DISK_PATH_MAX];
	struct stray *stray, *next;
	int rc;

	list_init(&search.strays);
	rc = rt_path_list(pool->record.folder, look_at, &search);
	if (rc)
		log_line(LOG_WARNING, "control", "pool %s: its folder cannot be read: %s", pool->record.name,
			 strerrordesc_np(-rc));
	list_for_each_safe(stray, next, &search.strays, link) {
		snprintf(path, sizeof(path), "%s/%s", pool->record.folder, stray->name);
		settle_stray(path);
		list_remove(&stray->link);
		mem_free(stray);
	}
}

void control_files_settle(struct control *control)
{
	const struct control_pool *pool;
	uint16_t left;

	list_for_each(pool, &control->pools, link) {
		if (pool->error)
			continue;
		(void)remove_left(control, -1, pool->record.name, &left);	/* what remains is in the log */
		if (pool->record.kind == POOL_DIR)
			settle_pool(control, pool);
	}
}
