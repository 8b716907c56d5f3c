/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/flash.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

/* ---- the record ---- */

static enum flash_reason reason_of(int error)
{
	if (error == -ENOSPC)
		return FLASH_REASON_TARGET_FULL;
	return error == -ENODEV ? FLASH_REASON_TARGET_OFFLINE : FLASH_REASON_TARGET_DISK;
}

/* With the record locked. Before it is durable at all there is nothing to be made different. */
static int put_record(struct flash *flash, const struct record_flash *next)
{
	struct meta_change put = { META_PUT, META_FLASH, next };
	int rc = flash->is_durable ? meta_commit(flash->copy->config.meta, &put, 1) : 0;

	if (!rc)
		flash->record = *next;
	return rc;
}

int flash_change_record(struct flash *flash, const struct record_flash *next)
{
	int rc = rt_mutex_lock(&flash->changing);

	if (rc)
		return rc;
	/* It may have failed since next was made of it. */
	rc = flash->record.state == FLASH_FAILED ? -EIO : put_record(flash, next);
	rt_mutex_unlock(&flash->changing);
	return rc;
}

int flash_set_state(struct flash *flash, enum flash_state state, enum flash_reason reason)
{
	struct record_flash next;
	int rc = rt_mutex_lock(&flash->changing);

	if (rc)
		return rc;
	next = flash->record;
	next.state = state;
	next.reason = reason;
	next.since_wall_ns = rt_wall_ns();
	rc = put_record(flash, &next);
	rt_mutex_unlock(&flash->changing);
	return rc;
}

struct failure {
	struct flash *flash;
	int error;
};

static int note_failure(void *arg)
{
	struct failure *failure = arg;
	struct flash *flash = failure->flash;
	char object[16], remedy[80];
	int rc;

	/* What is being given up cannot fail. */
	if (flash->record.state != FLASH_ACTIVE)
		return 0;
	rc = flash_set_state(flash, FLASH_FAILED, reason_of(failure->error));
	snprintf(object, sizeof(object), "volume %04X", flash->record.target);
	snprintf(remedy, sizeof(remedy), "xdc flash delete %04X, mend that, and make it anew", flash->record.target);
	copy_tell(flash->copy, EVENT_FLASH_FAILED, EVENT_ERROR, object, remedy,
		  "as a FlashCopy of volume %04X it is of no use any more: %s%s", flash->record.source,
		  strerrordesc_np(-failure->error), rc ? "; and that is not durable" : "");
	return rc;
}

/* On the reactor of the target, or of the source when there is no target. */
static int on_failed(void *arg, int error)
{
	struct failure failure = { .flash = arg, .error = error };

	return rt_call(rt_reactor(0), note_failure, &failure);
}

/* ---- a relation in memory ---- */

struct flash *flash_make(struct copy *copy, const struct record_flash *record)
{
	struct flash *flash = mem_alloc_zeroed(sizeof(*flash));

	if (!flash)
		return NULL;
	flash->copy = copy;
	flash->record = *record;
	rt_mutex_init(&flash->changing);
	rt_cond_init(&flash->copied);
	volume_flash_init(&flash->data);
	flash->data.source = copy->config.find_volume(copy->config.find_arg, record->source);
	flash->data.target = copy->config.find_volume(copy->config.find_arg, record->target);
	flash->data.failed = on_failed;
	flash->data.failed_arg = flash;
	if (flash_table_add(flash))
		return flash;
	mem_free(flash);
	return NULL;
}

void flash_put_down(struct flash *flash)
{
	flash_end_copy(flash);
	flash_detach(flash);
	flash_table_remove(flash);
	mem_free(flash);
}

/* ---- on the reactors of the volumes ---- */

static int do_attach_target(void *arg)
{
	return volume_flash_attach_target(arg);
}

int flash_attach_target(struct flash *flash)
{
	struct flash_maps maps;
	int rc = flash_open_maps(flash, &flash->record, &maps);

	if (rc)
		return rc;
	flash->data.map = maps.map;
	flash->data.changed = maps.changed;
	flash->data.log = maps.log;
	rc = rt_call(volume_reactor(flash->data.target), do_attach_target, &flash->data);
	if (rc)
		flash_close_maps(flash, &maps);
	flash->target_attached = !rc;
	return rc;
}

static int do_attach_source(void *arg)
{
	return volume_flash_attach_source(arg);
}

int flash_attach_source(struct flash *flash)
{
	int rc = rt_call(volume_reactor(flash->data.source), do_attach_source, &flash->data);

	flash->source_attached = !rc;
	return rc;
}

static int do_detach_source(void *arg)
{
	volume_flash_detach_source(arg);
	return 0;
}

static int do_detach_target(void *arg)
{
	volume_flash_detach_target(arg);
	return 0;
}

static void detach_source(struct flash *flash)
{
	int rc = 0;

	if (flash->source_attached)
		rc = rt_call(volume_reactor(flash->data.source), do_detach_source, &flash->data);
	assert(!rc);
	flash->source_attached = false;
}

void flash_detach(struct flash *flash)
{
	struct flash_maps maps = { flash->data.map, flash->data.changed, flash->data.log };
	int rc = 0;

	detach_source(flash);
	if (flash->target_attached)
		rc = rt_call(volume_reactor(flash->data.target), do_detach_target, &flash->data);
	assert(!rc);
	if (flash->target_attached)
		flash_close_maps(flash, &maps);
	flash->target_attached = false;
}

struct access_order {
	struct volume *volume;
	enum volume_access access;
};

static int do_set_access(void *arg)
{
	struct access_order *order = arg;

	return volume_set_access(order->volume, order->access);
}

int flash_set_access(struct volume *volume, enum volume_access access)
{
	struct access_order order = { .volume = volume, .access = access };

	return rt_call(volume_reactor(volume), do_set_access, &order);
}

static int do_freeze(void *arg)
{
	struct flash_freeze *freeze = arg;

	return volume_freeze(freeze->volume, &freeze->freeze, freeze->until_ns);
}

int flash_freeze(struct flash_freeze *freeze, struct volume *volume, int64_t until_ns)
{
	int rc;

	*freeze = (struct flash_freeze){ .volume = volume, .until_ns = until_ns };
	rc = rt_call(volume_reactor(volume), do_freeze, freeze);
	if (rc)
		freeze->volume = NULL;
	return rc;
}

static int do_freeze_until(void *arg)
{
	struct flash_freeze *freeze = arg;

	return volume_freeze_until(freeze->volume, &freeze->freeze, freeze->until_ns);
}

int flash_freeze_until(struct flash_freeze *freeze, int64_t until_ns)
{
	freeze->until_ns = until_ns;
	return rt_call(volume_reactor(freeze->volume), do_freeze_until, freeze);
}

static int do_thaw(void *arg)
{
	struct flash_freeze *freeze = arg;

	volume_thaw(freeze->volume, &freeze->freeze);
	return 0;
}

void flash_thaw(struct flash_freeze *freeze)
{
	int rc;
	RT_SHIELD();

	rc = freeze->volume ? rt_call(volume_reactor(freeze->volume), do_thaw, freeze) : 0;
	assert(!rc);
	freeze->volume = NULL;
}

int flash_close_volume(struct flash *flash, uint16_t id, struct fault *fault)
{
	const struct copy_config *config = &flash->copy->config;
	int rc;

	if (config->close_volume)
		return config->close_volume(config->find_arg, id, fault);
	rc = flash_set_access(id == flash->record.source ? flash->data.source : flash->data.target, VOLUME_ACCESS_NONE);
	return rc ? flash_fault(id, rc, "it cannot be closed to hosts", fault) : 0;
}

static void open_surely(struct volume *volume, enum volume_access access)
{
	if (volume && flash_set_access(volume, access))
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start",
			 volume_id(volume));
}

void flash_open_volumes(struct flash *flash)
{
	bool read_only = flash->record.state == FLASH_REVERTIBLE;

	if (flash->target_attached)
		open_surely(flash->data.target, read_only || flash->record.inhibit ? VOLUME_ACCESS_READ :
			    VOLUME_ACCESS_WRITE);
	if (read_only)
		open_surely(flash->data.source, VOLUME_ACCESS_READ);
	else if (flash->record.restore)
		open_surely(flash->data.source, VOLUME_ACCESS_NONE);
}

static int do_clear(void *arg)
{
	struct vdisk *disk = volume_disk(arg);

	return vdisk_zero(disk, 0, vdisk_size(disk), false);
}

static int do_sync(void *arg)
{
	return vdisk_sync(volume_disk(arg));
}

int flash_clear(struct volume *volume)
{
	return rt_call(volume_reactor(volume), do_clear, volume);
}

int flash_clear_unseen(struct volume *volume)
{
	return vdisk_makes_holes(volume_disk(volume)) ? flash_clear(volume) : 0;
}

int flash_sync(struct volume *volume)
{
	return rt_call(volume_reactor(volume), do_sync, volume);
}

struct whole_order {
	struct flash *flash;
	uint64_t own_blocks;
};

static int do_look(void *arg)
{
	struct whole_order *order = arg;

	order->own_blocks = volume_flash_own_blocks(&order->flash->data);
	return volume_flash_is_whole(&order->flash->data);
}

bool flash_is_whole(struct flash *flash, uint64_t *own_blocks)
{
	struct whole_order order = { .flash = flash };
	bool whole = flash->target_attached && rt_call(volume_reactor(flash->data.target), do_look, &order);

	*own_blocks = order.own_blocks;
	return whole;
}

/* ---- the end of a relation ---- */

/* The record goes, unless it has just failed; whoever keeps a block for it does so a little longer. */
static int remove_record(struct flash *flash, enum flash_state state)
{
	struct meta_change gone = { META_DELETE, META_FLASH, &flash->record };
	int rc = rt_mutex_lock(&flash->changing);

	if (rc)
		return rc;
	rc = flash->record.state != state ? -EIO : meta_commit(flash->copy->config.meta, &gone, 1);
	if (!rc)
		flash->is_durable = false;
	rt_mutex_unlock(&flash->changing);
	return rc;
}

int flash_let_go(struct flash *flash)
{
	struct copy *copy = flash->copy;
	struct record_flash record = flash->record;
	bool restored = record.restore && record.state == FLASH_ACTIVE;
	int rc = 0;

	flash_end_copy(flash);
	/* Its source has given back what it had kept; its target asks it for nothing. */
	if (restored && flash->data.source) {
		detach_source(flash);
		rc = flash_clear(flash->data.source);
		if (!rc)
			rc = flash_sync(flash->data.source);
	}
	/* As long as the record is there, so is the relation: what is written is recorded, and its target is whole. */
	if (!rc)
		rc = remove_record(flash, record.state);
	if (rc)
		return rc;
	flash_end_work(flash);
	flash_detach(flash);
	/* Of a practice copy it is deleted next. */
	if (!record.practice)
		open_surely(flash->data.target, VOLUME_ACCESS_WRITE);
	if (record.restore || record.state == FLASH_REVERTIBLE)
		open_surely(flash->data.source, VOLUME_ACCESS_WRITE);
	flash_put_down(flash);
	flash_remove_maps(copy, &record);
	return 0;
}

int flash_finish_withdraw(struct flash *flash)
{
	struct volume *target = flash->record.practice ? NULL : flash->data.target;
	int rc;

	flash_end_copy(flash);
	flash_detach(flash);
	rc = target ? flash_clear(target) : 0;
	if (!rc && target)
		rc = flash_sync(target);
	return rc ? rc : flash_let_go(flash);
}

/* ---- start and stop ---- */

int flash_take_up(struct copy *copy, const struct record_flash *record)
{
	struct flash *flash = flash_make(copy, record);

	if (!flash)
		return -ENOMEM;
	flash->is_durable = true;
	return 0;
}

/* A command had begun to end it. Its disk may have failed: then it stays as it is, closed, until the next command. */
static int resume_withdraw(struct flash *flash)
{
	int rc = flash_finish_withdraw(flash);

	if (!rc || rc == -ENOMEM || rc == -ETIMEDOUT || rc == -ECANCELED)
		return rc;
	log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts: its FlashCopy cannot be ended: %s; mend its "
		 "disk, then xdc flash delete %04X --force", flash->record.target, strerrordesc_np(-rc),
		 flash->record.target);
	return 0;
}

/* The target is there. Its source keeps blocks for it from here on; what hinders that is noted. */
static int resume_target(struct flash *flash)
{
	uint64_t own_blocks;
	int rc = flash_set_access(flash->data.target, VOLUME_ACCESS_NONE);

	if (!rc && flash->record.state == FLASH_WITHDRAWING)
		return resume_withdraw(flash);
	if (rc || flash->record.state == FLASH_FAILED)
		return rc;
	rc = flash_attach_target(flash);
	if (rc == -EBADMSG || rc == -ENOENT || rc == -EIO)
		return note_failure(&(struct failure) { .flash = flash, .error = rc });
	if (!rc && !flash->data.source && !flash_is_whole(flash, &own_blocks)) {
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts: its source %04X is offline",
			 flash->record.target, flash->record.source);
		flash_detach(flash);
	}
	return rc;
}

/*
 * What it does not hold itself is not to be had when its source is a target that shows nothing: what lies on the disk
 * of that is something else. True: it shows nothing, either.
 */
static bool depends_on_nothing(struct flash *flash)
{
	const struct flash *above = flash_find_target(flash->copy, flash->record.source);
	uint64_t own_blocks;

	return flash->target_attached && above && !above->target_attached && !flash_is_whole(flash, &own_blocks);
}

static int resume_dependent(struct flash *flash)
{
	const struct flash *above = flash_find_target(flash->copy, flash->record.source);

	flash_detach(flash);
	if (above->record.state == FLASH_FAILED)
		return note_failure(&(struct failure) { .flash = flash, .error = -EIO });
	log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts: its source %04X is a copy that cannot be read",
		 flash->record.target, flash->record.source);
	return 0;
}

/* Down each cascade. */
static int resume_dependents(struct copy *copy)
{
	struct flash *flash;
	bool again = true;
	int rc = 0;

	while (!rc && again) {
		again = false;
		list_for_each(flash, &copy->flashes, link) {
			if (rc || !depends_on_nothing(flash))
				continue;
			rc = resume_dependent(flash);
			again = true;
		}
	}
	return rc;
}

static int resume_source(struct flash *flash)
{
	int rc = 0;

	if (flash->record.state == FLASH_FAILED || flash->record.state == FLASH_WITHDRAWING)
		return 0;
	if (!flash->data.target)
		log_line(LOG_WARNING, "flash", "volume %04X is offline, and of no use when its source %04X is written",
			 flash->record.target, flash->record.source);
	if (flash->data.source && (flash->target_attached || !flash->data.target))
		rc = flash_attach_source(flash);
	if (!rc)
		flash_open_volumes(flash);
	if (!rc && flash->target_attached && flash->data.source)
		flash_begin_copy(flash);
	return rc;
}

int flashes_resume(struct copy *copy)
{
	struct flash *flash, *next;
	int rc = flash_settle_maps(copy);

	/* All targets first: a source may be the target of another relation. */
	list_for_each_safe(flash, next, &copy->flashes, link)
		if (!rc && flash->data.target)
			rc = resume_target(flash);
	if (!rc)
		rc = resume_dependents(copy);
	list_for_each(flash, &copy->flashes, link)
		if (!rc)
			rc = resume_source(flash);
	return rc ? rc : flash_replay_late(copy);
}

void flashes_stop(struct copy *copy)
{
	rt_group_stop(&copy->flash_fibers);
	while (!list_empty(&copy->flashes))
		flash_put_down(list_first(&copy->flashes, struct flash, link));
	flash_table_free(copy);
}
