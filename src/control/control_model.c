/* SPDX-License-Identifier: Apache-2.0 */
/* What all operations stand on: the lock, the words of their faults, the metadata, and what is in the model. */
#include "control/control_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"

#define WHAT_MAX	160u	/* shown of what has failed */
#define FILES_REMEDY_MAX	128u

int control_enter(struct control *control, struct fault *fault)
{
	int rc = rt_mutex_lock(&control->lock);

	if (rc == 0)
		return 0;
	return fault_set(fault, FAULT_TIMEOUT, "", "try again", "another operation is still under way");
}

void control_leave(struct control **control)
{
	rt_mutex_unlock(&(*control)->lock);
}

int control_fault_errno(struct fault *fault, const char *object, const char *remedy, int rc, const char *what)
{
	const char *why = strerrordesc_np(-rc);
	char limit[FILES_REMEDY_MAX];
	size_t len = strlen(what), shown = len < WHAT_MAX ? len : WHAT_MAX;

	assert(rc < 0);
	/* Of a long path the end, so that there is room for the reason. */
	what += len - shown;
	if ((rc == -ENOSPC || rc == -EDQUOT) && !*remedy)
		remedy = "make space, then try again";
	if (rc == -EFBIG)
		remedy = "give a smaller size: the file system has no room for a file as large";
	if ((rc == -EACCES || rc == -EROFS) && !*remedy)
		remedy = "let the user of xdcd write there";
	if (rc == -EMFILE) {
		snprintf(limit, sizeof(limit),
			 "raise the limit of open files of xdcd, %u (LimitNOFILE=, ulimit -n), and start it again",
			 rt_files_max());
		remedy = limit;
	}
	if (!*remedy)
		remedy = rc == -ENOMEM ? "try again" : "see the log";
	if (rc == -ETIMEDOUT)
		return fault_set(fault, FAULT_TIMEOUT, object, remedy, "%s: it took too long", what);
	return fault_set(fault, FAULT_FAILED, object, remedy, "%s: %s", what, why ? why : "unknown error");
}

int control_commit(struct control *control, const struct meta_change *changes, unsigned count, const char *object,
		   struct fault *fault)
{
	int rc = meta_commit(control->meta, changes, count);
	char remedy[sizeof(fault->remedy)] = "see the log";

	if (rc == -ENOSPC || rc == -EDQUOT)
		snprintf(remedy, sizeof(remedy), "make space for the state folder, %s", control->state_folder);
	return rc == 0 ? 0 : control_fault_errno(fault, object, remedy, rc, "the metadata cannot be written");
}

int control_make_folder(const char *path)
{
	int rc = rt_path_make_folder(path);

	/* Also when it existed: perhaps only since a run that died before this. */
	return rc < 0 && rc != -EEXIST ? rc : rt_path_sync_parent(path);
}

/* ---- pools ---- */

struct control_pool *control_pool_find(struct control *control, const char *name)
{
	struct control_pool *pool;

	list_for_each(pool, &control->pools, link)
		if (!strcmp(pool->record.name, name))
			return pool;
	return NULL;
}

struct control_pool *control_pool_need(struct control *control, const char *name, struct fault *fault)
{
	struct control_pool *pool = control_pool_find(control, name);
	char object[64];

	if (!pool) {
		snprintf(object, sizeof(object), "pool %.48s", name);
		fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pool list", "there is no such pool");
	}
	return pool;
}

int control_pool_load(struct control *control, const struct record_pool *record)
{
	struct control_pool *pool = mem_alloc_zeroed(sizeof(*pool)), *next;

	if (!pool)
		return -ENOMEM;
	pool->record = *record;
	list_init(&pool->extents);
	list_for_each(next, &control->pools, link)
		if (strcmp(next->record.name, record->name) > 0)
			break;
	list_add_last(&next->link, &pool->link);
	return 0;
}

/* ---- LSSs ---- */

int control_lss_load(struct control *control, const struct record_lss *record)
{
	struct control_lss *lss;

	if (record->id >= LSS_COUNT || control->lsss[record->id])
		return -EBADMSG;
	lss = mem_alloc_zeroed(sizeof(*lss));
	if (!lss)
		return -ENOMEM;
	lss->record = *record;
	control->lsss[record->id] = lss;
	return 0;
}

int control_lss_need(struct control *control, uint8_t id, struct fault *fault)
{
	char object[16], remedy[32];

	if (control->lsss[id])
		return 0;
	snprintf(object, sizeof(object), "LSS %02X", id);
	snprintf(remedy, sizeof(remedy), "xdc lss create %02X", id);
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy, "there is no such LSS");
}

/* ---- volumes ---- */

struct control_volume *control_volume_at(const struct control *control, uint16_t id)
{
	const struct control_lss *lss = id >> 8 < (int)LSS_COUNT ? control->lsss[id >> 8] : NULL;

	return lss ? lss->volumes[id & 0xFF] : NULL;
}

struct control_volume *control_volume_need(struct control *control, uint16_t id, struct fault *fault)
{
	struct control_volume *volume = control_volume_at(control, id);
	char object[16];

	if (!volume) {
		snprintf(object, sizeof(object), "volume %04X", id);
		fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc volume list", "there is no such volume");
	}
	return volume;
}

int control_volume_enter(struct control *control, const struct record_volume *record, struct control_volume **out)
{
	struct control_pool *pool = control_pool_find(control, record->pool);
	struct control_lss *lss = record->id >> 8 < (int)LSS_COUNT ? control->lsss[record->id >> 8] : NULL;
	struct control_volume *volume;

	if (!pool || !lss || lss->volumes[record->id & 0xFF]) {
		log_line(LOG_ERROR, "control", "volume %04X: its pool %s or its LSS is not in the metadata",
			 record->id, record->pool);
		return -EBADMSG;
	}
	volume = mem_alloc_zeroed(sizeof(*volume));
	if (!volume)
		return -ENOMEM;
	volume->record = *record;
	volume->control = control;
	volume->pool = pool;
	pool->volumes++;
	pool->volume_bytes += record->size_bytes;
	lss->volumes[record->id & 0xFF] = volume;
	lss->count++;
	*out = volume;
	return 0;
}

void control_volume_leave(struct control_volume *volume)
{
	struct control_lss *lss = volume->control->lsss[volume->record.id >> 8];

	assert(!volume->volume && !volume->attached);
	volume->pool->volumes--;
	volume->pool->volume_bytes -= volume->record.size_bytes;
	lss->volumes[volume->record.id & 0xFF] = NULL;
	lss->count--;
	mem_free(volume);
}

struct control_volume *control_volume_named(const struct control *control, const char *name)
{
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		for (unsigned i = 0; control->lsss[lss] && i < LSS_VOLUMES; i++) {
			struct control_volume *volume = control->lsss[lss]->volumes[i];

			if (volume && *volume->record.name && !strcmp(volume->record.name, name))
				return volume;
		}
	return NULL;
}

int control_volume_find(struct control *control, const char *id_or_name, uint16_t *id, struct fault *fault)
{
	struct control_volume *volume;
	char object[64];

	if (!parse_volume_id(id_or_name, id))
		return control_volume_need(control, *id, fault) ? 0 : -1;
	volume = control_volume_named(control, id_or_name);
	if (!volume) {
		snprintf(object, sizeof(object), "volume %.48s", id_or_name);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc volume list",
				 "there is no volume of this name");
	}
	*id = volume->record.id;
	return 0;
}

/* ---- files of volumes that are no more ---- */

void control_file_path(const char *folder, uint16_t id, const uint8_t uuid[XDC_UUID_LEN], char *path)
{
	char text[FORMAT_UUID_MAX];

	format_uuid(uuid, text);
	snprintf(path, CONTROL_DISK_PATH_MAX, "%s/%04X-%s.vol", folder, id, text);
}

int control_retired_load(struct control *control, const struct record_retired *record)
{
	struct control_retired *retired = mem_alloc_zeroed(sizeof(*retired));

	if (!retired)
		return -ENOMEM;
	retired->record = *record;
	list_add_last(&control->retired, &retired->link);
	return 0;
}

void control_retired_drop(struct control_retired *retired)
{
	list_remove(&retired->link);
	mem_free(retired);
}
