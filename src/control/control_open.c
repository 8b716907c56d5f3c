/* SPDX-License-Identifier: Apache-2.0 */
/* From the record of a volume to an open one on its reactor, and back; what is remembered of lost writes. */
#include "control/control_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

#define SIDEFILE_BYTES		(64u << 20)

void control_disk_options(const struct control_volume *volume, char *path, struct vdisk_options *options)
{
	const struct record_volume *record = &volume->record;

	if (*record->adopted_path)
		snprintf(path, CONTROL_DISK_PATH_MAX, "%s", record->adopted_path);
	else
		control_file_path(volume->pool->record.folder, record->id, record->uuid, path);
	*options = (struct vdisk_options){
		.kind = volume->pool->record.kind,
		.cache = volume->pool->record.cache,
		.path = path,
		.size = record->size_bytes,
		.failed = record->sync_failed_wall_ns != 0,
	};
}

/* ---- a sync has failed: durably noted before anybody is told ---- */

static int note_sync_failed(void *arg)
{
	struct control_volume *volume = arg;
	struct control *control = volume->control;
	struct meta_change change = { META_PUT, META_VOLUME, &volume->record };
	int64_t now_ns = rt_wall_ns();
	char object[16], remedy[64];
	int rc = rt_mutex_lock(&control->records);

	assert(rc == 0);
	/* Each is noted by another time: an acceptance under way is of those before it. */
	volume->record.sync_failed_wall_ns = now_ns > volume->record.sync_failed_wall_ns ?
		now_ns : volume->record.sync_failed_wall_ns + 1;
	rc = meta_commit(control->meta, &change, 1);
	rt_mutex_unlock(&control->records);
	snprintf(object, sizeof(object), "volume %04X", volume->record.id);
	snprintf(remedy, sizeof(remedy), "mend its disk, then xdc volume accept %04X", volume->record.id);
	event_post(control->events, EVENT_VOLUME_SYNC_FAILED, EVENT_ERROR, object, remedy,
		   "its disk failed to keep writes: every write and flush fails until that is accepted");
	return rc;
}

/* On the reactor of the volume, shielded. */
static void sync_has_failed(void *arg)
{
	if (rt_call(rt_reactor(0), note_sync_failed, arg) != 0)
		log_line(LOG_ERROR, "control", "the failed sync of a volume could not be noted in the metadata");
}

/* ---- open and close, on the volume's reactor ---- */

/* Spread by id alone, so that a volume is on the same reactor after a restart, where its dirty log is. */
static struct rt_reactor *home_of(uint16_t id)
{
	unsigned mixed = id * 40503u;

	return rt_reactor((mixed >> 7 ^ mixed) % rt_reactor_count());
}

/* What goes to the volume's reactor, and what comes back: the model stays on reactor 0. */
struct open_order {
	char path[CONTROL_DISK_PATH_MAX];
	struct vdisk_options disk;
	struct volume_options volume;
	enum volume_access access;
	struct volume *opened;
};

static int open_here(void *arg)
{
	struct open_order *order = arg;
	int rc = vdisk_open(&order->disk, &order->volume.disk);

	if (rc < 0)
		return rc;
	rc = volume_open(&order->volume, &order->opened);
	if (rc < 0) {
		vdisk_close(order->volume.disk);
		return rc;
	}
	rc = volume_set_access(order->opened, order->access);
	if (rc < 0)
		volume_close(order->opened);
	return rc;
}

int control_volume_open(struct control_volume *volume, bool is_new)
{
	struct open_order order = {
		.volume = { .id = volume->record.id, .sidefile_bytes = SIDEFILE_BYTES,
			    .loads = volume->control->loads },
		.access = volume->record.access,
	};

	volume->error = volume->pool->error;
	if (volume->error)
		return volume->error;
	control_disk_options(volume, order.path, &order.disk);
	order.disk.is_new = is_new;
	order.disk.sync_failed = sync_has_failed;
	order.disk.sync_failed_arg = volume;
	volume->error = rt_call(home_of(volume->record.id), open_here, &order);
	if (!volume->error)
		volume->volume = order.opened;
	return volume->error;
}

static int sync_here(void *arg)
{
	return vdisk_sync(volume_disk(arg));
}

int control_volume_sync(struct control_volume *volume)
{
	return rt_call(volume_reactor(volume->volume), sync_here, volume->volume);
}

static int close_here(void *arg)
{
	volume_close(arg);
	return 0;
}

void control_volume_close(struct control_volume *volume)
{
	struct volume *open = volume->volume;
	int rc;

	if (!open)
		return;
	/* Whoever looks it up from here on finds none. */
	volume->volume = NULL;
	volume->error = -ESHUTDOWN;
	rc = rt_call(volume_reactor(open), close_here, open);
	assert(rc == 0);
}

/* ---- all of them, at start and stop ---- */

static int each_volume(struct control *control, int (*fn)(struct control_volume *volume))
{
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		for (unsigned i = 0; control->lsss[lss] && i < LSS_VOLUMES; i++) {
			struct control_volume *volume = control->lsss[lss]->volumes[i];
			int rc = volume ? fn(volume) : 0;

			if (rc)
				return rc;
		}
	return 0;
}

static int mark_lost(struct control_volume *volume)
{
	struct record_volume *record = &volume->record;
	struct meta_change change = { META_PUT, META_VOLUME, record };

	if (!record->unsynced)
		return 0;
	record->unsynced = false;
	record->unflushed_lost_wall_ns = rt_wall_ns();
	return meta_commit(volume->control->meta, &change, 1);
}

int control_mark_lost_writes(struct control *control)
{
	uint8_t boot_id[16];

	rt_kernel_boot_id(boot_id);
	if (control->system.stopped_cleanly || !memcmp(boot_id, control->system.kernel_boot_id, sizeof(boot_id)))
		return 0;
	return each_volume(control, mark_lost);
}

static int tell_lost(struct control_volume *volume)
{
	const struct record_volume *record = &volume->record;
	struct control *control = volume->control;
	char object[16], remedy[64];

	if (!record->unflushed_lost_wall_ns || record->unflushed_lost_wall_ns < control->started_wall_ns)
		return 0;
	snprintf(object, sizeof(object), "volume %04X", record->id);
	snprintf(remedy, sizeof(remedy), "check it, then: xdc volume accept %04X", record->id);
	event_post(control->events, EVENT_VOLUME_WRITES_LOST, EVENT_WARNING, object, remedy,
		   "the power failed, and writes that were not flushed may be lost");
	return 0;
}

void control_tell_lost_writes(struct control *control)
{
	int rc = each_volume(control, tell_lost);

	assert(rc == 0);
}

static int open_one(struct control_volume *volume)
{
	int rc = control_volume_open(volume, false);

	if (rc < 0)
		log_line(LOG_ERROR, "control", "volume %04X is offline: %s", volume->record.id, strerrordesc_np(-rc));
	return 0;
}

void control_volumes_open(struct control *control)
{
	int rc = each_volume(control, open_one);

	assert(rc == 0);
}

static int close_one(struct control_volume *volume)
{
	int rc = volume->volume ? control_volume_sync(volume) : 0;

	if (rc < 0)
		log_line(LOG_ERROR, "control", "volume %04X: the last sync failed: %s", volume->record.id,
			 strerrordesc_np(-rc));
	control_volume_close(volume);
	control_volume_leave(volume);
	return 0;
}

void control_volumes_close(struct control *control)
{
	int rc = each_volume(control, close_one);

	assert(rc == 0);
}
