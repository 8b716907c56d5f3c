/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts: who has a volume open, and whether it holds writes that a loss of power would take. */
#include "control/control_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "rt/log.h"

/* Keeps the mark in the record; nothing when it is as it should be. */
static int set_unsynced(struct control_volume *volume, bool unsynced)
{
	struct control *control = volume->control;
	struct meta_change change = { META_PUT, META_VOLUME, &volume->record };
	int rc;

	if (volume->pool->record.cache != CACHE_WRITEBACK)
		return 0;
	rc = rt_mutex_lock(&control->records);
	if (rc < 0)
		return rc;
	if (volume->record.unsynced != unsynced) {
		volume->record.unsynced = unsynced;
		rc = meta_commit(control->meta, &change, 1);
		if (rc < 0)
			volume->record.unsynced = !unsynced;
	}
	rt_mutex_unlock(&control->records);
	return rc;
}

/* The volume that a host may have. */
static int find_for_host(struct control *control, const char *id_or_name, struct control_volume **out)
{
	struct control_volume *volume;
	struct fault fault;
	uint16_t id;

	if (control->hosts_refused)
		return -ESHUTDOWN;
	if (parse_volume(id_or_name) || control_volume_find(control, id_or_name, &id, &fault))
		return -ENOENT;
	volume = control_volume_at(control, id);
	if (volume->hidden)
		return -ENOENT;
	if (!volume->volume)
		return -EIO;
	if (volume_get_access(volume->volume) == VOLUME_ACCESS_NONE)
		return -EPERM;
	*out = volume;
	return 0;
}

static void describe(const struct control_volume *volume, struct attachment *out)
{
	*out = (struct attachment){
		.id = volume->record.id,
		.volume = volume->volume,
		.size_bytes = volume->record.size_bytes,
		.access = volume_get_access(volume->volume),
		.makes_holes = vdisk_makes_holes(volume_disk(volume->volume)),
	};
	snprintf(out->name, sizeof(out->name), "%s", volume->record.name);
}

static int attach(struct control *control, const char *id_or_name, struct control_volume **out)
{
	int rc = find_for_host(control, id_or_name, out);
	struct control_volume *volume = *out;

	if (rc == 0 && volume_get_access(volume->volume) == VOLUME_ACCESS_WRITE)
		rc = set_unsynced(volume, true);
	if (rc < 0)
		return rc;
	volume->attached++;
	volume->attaches++;
	return 0;
}

int control_attach(struct control *control, const char *id_or_name, struct attachment *out)
{
	struct control_volume *volume = NULL;
	int rc = rt_mutex_lock(&control->lock);

	if (rc < 0)
		return rc;
	CONTROL_ENTERED(control);
	rc = attach(control, id_or_name, &volume);
	if (rc < 0 && rc != -ENOENT && rc != -EPERM && rc != -ESHUTDOWN)
		log_line(LOG_WARNING, "control", "a host cannot attach to volume %s: %s", id_or_name,
			 rc == -EIO ? "it is offline" : strerrordesc_np(-rc));
	if (rc < 0)
		return rc;
	describe(volume, out);
	return 0;
}

int control_look(struct control *control, const char *id_or_name, struct attachment *out)
{
	struct control_volume *volume;
	int rc = find_for_host(control, id_or_name, &volume);

	if (rc == 0)
		describe(volume, out);
	return rc;
}

int control_check_hosts(const struct control_volume *volume, struct fault *fault)
{
	char object[16];

	if (!volume->attached)
		return 0;
	snprintf(object, sizeof(object), "volume %04X", volume->record.id);
	return fault_set(fault, FAULT_IN_USE, object, "disconnect them: the log says who they are",
			 "%u host connection%s it open", volume->attached, volume->attached == 1 ? " has" : "s have");
}

static int close_here(void *arg)
{
	return volume_set_access(arg, VOLUME_ACCESS_NONE);
}

/* Under the lock: no host attaches between the look and the closing. */
int control_close_to_hosts(void *arg, uint16_t id, struct fault *fault)
{
	struct control *control = arg;
	struct control_volume *volume;
	char object[16];
	int rc;

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	volume = control_volume_need(control, id, fault);
	if (!volume)
		return -1;
	snprintf(object, sizeof(object), "volume %04X", id);
	if (control_check_hosts(volume, fault))
		return -1;
	rc = volume->volume ? rt_call(volume_reactor(volume->volume), close_here, volume->volume) : -ENODEV;
	return rc == 0 ? 0 : control_fault_errno(fault, object, "see the log", rc, "it cannot be closed to hosts");
}

/* What the last host leaves is made durable, without the lock: that may take long. */
static void settle_writes(struct control *control, struct control_volume *volume)
{
	int rc = 0;

	while (rc == 0 && volume->attached == 1 && volume->record.unsynced) {
		uint64_t attaches = volume->attaches;

		rc = control_volume_sync(volume);
		if (rc < 0)
			return;
		rc = rt_mutex_lock(&control->lock);
		assert(rc == 0);
		CONTROL_ENTERED(control);
		/* Under the lock no host comes before it is noted; one that came and went meanwhile has written. */
		if (volume->attached == 1 && volume->attaches == attaches)
			rc = set_unsynced(volume, false);
	}
	if (rc < 0)
		log_line(LOG_WARNING, "control", "volume %04X: that all is durable cannot be noted", volume->record.id);
}

void control_detach(struct control *control, uint16_t id)
{
	struct control_volume *volume = control_volume_at(control, id);
	RT_SHIELD();

	assert(volume && volume->attached);
	settle_writes(control, volume);
	volume->attached--;
}

int control_attachable_each(struct control *control, int (*each)(void *arg, uint16_t id, const char *name), void *arg)
{
	for (unsigned lss = 0; lss < LSS_COUNT; lss++)
		for (unsigned i = 0; control->lsss[lss] && i < LSS_VOLUMES; i++) {
			const struct control_volume *volume = control->lsss[lss]->volumes[i];
			int rc;

			if (!volume || volume->hidden || !volume->volume ||
			    volume_get_access(volume->volume) == VOLUME_ACCESS_NONE)
				continue;
			rc = each(arg, volume->record.id, volume->record.name);
			if (rc)
				return rc;
		}
	return 0;
}

void control_refuse_hosts(struct control *control)
{
	control->hosts_refused = true;
}
