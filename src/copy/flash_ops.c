/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may do with FlashCopies (copy.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

#define FREEZE_NS	(5 * RT_SECOND)		/* writes under way end within this, or nothing is established */

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "volume %04X", volume);
	return text;
}

static int fault_errno(uint16_t volume, int rc, const char *what, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(volume, object),
			 rc == -ENOSPC ? "make space in the state folder of xdcd" : "see the log, and try again",
			 "%s: %s", what, strerrordesc_np(-rc));
}

/* ---- create: what is asked for ---- */

/* A chain of sources leads back to the target. */
static bool is_circle(struct copy *copy, uint16_t source, uint16_t target)
{
	const struct flash *flash;

	if (source == target)
		return true;
	flash = flash_find_target(copy, source);
	return flash && is_circle(copy, flash->record.source, target);
}

static unsigned count_targets(struct copy *copy, uint16_t source)
{
	const struct flash *flash;
	unsigned count = 0;

	list_for_each(flash, &copy->flashes, link)
		count += flash->record.source == source;
	return count;
}

static int check_volumes(const struct copy_flash_request *request, const struct volume *source,
			 const struct volume *target, struct fault *fault)
{
	const struct { uint16_t id; const struct volume *volume; } both[] = {
		{ request->source, source }, { request->target, target },
	};
	char object[64];

	for (unsigned i = 0; i < 2; i++)
		if (!both[i].volume)
			return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(both[i].id, object),
					 "xdc volume list", "there is no such volume, or it is offline");
	if (volume_size(source) != volume_size(target))
		return fault_set(fault, FAULT_SIZE_NOT_SUPPORTED, object_of(request->target, object),
				 "make both of one size", "it has %llu bytes, and the source %llu",
				 (unsigned long long)volume_size(target), (unsigned long long)volume_size(source));
	return 0;
}

static int check_request(struct copy *copy, const struct copy_flash_request *request, struct fault *fault)
{
	const struct copy_config *config = &copy->config;
	const struct flash *of_target = flash_find_target(copy, request->target);
	char object[64], remedy[128];

	object_of(request->target, object);
	if (check_volumes(request, config->find_volume(config->find_arg, request->source),
			  config->find_volume(config->find_arg, request->target), fault))
		return -1;
	snprintf(remedy, sizeof(remedy), "xdc flash delete %04X, or take another target", request->target);
	if (of_target)
		return fault_set(fault, FAULT_IN_USE, object, remedy, "it is the target of volume %04X already",
				 of_target->record.source);
	if (is_circle(copy, request->source, request->target))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "take another target",
				 request->source == request->target ? "a volume is no copy of itself" :
				 "the source is a copy of it");
	if (flash_has_source(copy, request->target))
		return fault_set(fault, FAULT_IN_USE, object, "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, whose target would change");
	if (pair_uses_volume(copy, request->target) || leg_owns_volume(copy, request->target))
		return fault_set(fault, FAULT_IN_USE, object, "take another target: xdc pair list",
				 "it is in a pair or in a consistency group that is kept");
	if (count_targets(copy, request->source) >= FLASH_TARGETS_MAX)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object_of(request->source, object),
				 "delete one of them: xdc flash list", "it has %u targets already", FLASH_TARGETS_MAX);
	return 0;
}

/* ---- create: step by step, all relations of a command together ---- */

struct create {
	struct copy *copy;
	unsigned count, made, closed;
	struct flash *flashes[COPY_FLASHES_MAX];
	struct volume_freeze freezes[COPY_FLASHES_MAX];
	unsigned frozen;
};

static int make_flash(struct create *create, const struct copy_flash_request *request, struct fault *fault)
{
	struct record_flash record = {
		.source = request->source, .target = request->target, .no_copy = request->no_copy,
		.persistent = request->persistent, .inhibit = request->inhibit,
	};
	struct flashmap_options map = { .bits = 0 };
	char path[FLASH_PATH_MAX];
	struct flash *flash;
	int rc;

	if (check_request(create->copy, request, fault))
		return -1;
	record.since_wall_ns = rt_wall_ns();
	rt_random_bytes(record.map, sizeof(record.map));
	flash = flash_make(create->copy, &record);
	if (!flash)
		return fault_errno(request->target, -ENOMEM, "it cannot become a target", fault);
	create->flashes[create->made++] = flash;
	flash_map_path(create->copy, record.map, path);
	map.path = path;
	map.bits = (volume_size(flash->data.target) + XDC_BLOCK_SIZE - 1) / XDC_BLOCK_SIZE;
	rc = flashmap_create(&map);
	return rc ? fault_errno(request->target, rc, "its map cannot be made", fault) : 0;
}

/* Hosts have it no more, and what it held is given up. */
static int take_target(struct flash *flash, struct fault *fault)
{
	const struct copy_config *config = &flash->copy->config;
	uint16_t target = flash->record.target;
	int rc;

	if (config->close_volume) {
		if (config->close_volume(config->find_arg, target, fault))
			return -1;
	} else {
		rc = flash_set_access(flash, VOLUME_ACCESS_NONE);
		if (rc)
			return fault_errno(target, rc, "it cannot be closed to hosts", fault);
	}
	/* Elsewhere what lies there stays, unseen: every block is written before it is shown. */
	rc = vdisk_makes_holes(volume_disk(flash->data.target)) ? flash_clear_target(flash) : 0;
	if (!rc)
		rc = flash_attach_target(flash);
	return rc ? fault_errno(target, rc, "it cannot become a target, and is empty now", fault) : 0;
}

struct freeze_order {
	struct volume *volume;
	struct volume_freeze *freeze;
	int64_t until_ns;
};

static int do_freeze(void *arg)
{
	struct freeze_order *order = arg;

	return volume_freeze(order->volume, order->freeze, order->until_ns);
}

static int do_thaw(void *arg)
{
	struct freeze_order *order = arg;

	volume_thaw(order->volume, order->freeze);
	return 0;
}

static void thaw_all(struct create *create)
{
	for (unsigned i = 0; i < create->frozen; i++) {
		struct freeze_order order = { create->flashes[i]->data.source, &create->freezes[i], 0 };

		(void)!rt_call(volume_reactor(order.volume), do_thaw, &order);
	}
}

/* The one moment: no write is under way on any source when the first target is attached, nor until the last is. */
static int attach_all(struct create *create)
{
	int64_t until_ns = rt_now_ns() + FREEZE_NS;
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++) {
		struct freeze_order order = { create->flashes[i]->data.source, &create->freezes[i], until_ns };

		rc = rt_call(volume_reactor(order.volume), do_freeze, &order);
		create->frozen += !rc;
	}
	for (unsigned i = 0; !rc && i < create->count; i++) {
		create->flashes[i]->record.created_wall_ns = rt_wall_ns();
		rc = flash_attach_source(create->flashes[i]);
	}
	for (unsigned i = 0; !rc && i < create->count; i++)
		if (!volume_is_frozen(&create->freezes[i]))
			rc = -ETIMEDOUT;
	thaw_all(create);
	return rc;
}

/* What the targets show of the sources, and have not on their own disks, survives the power. */
static int sync_sources(const struct create *create)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++)
		rc = flash_sync(create->flashes[i]->data.source);
	return rc;
}

/* From here on a failure of one of them waits for the records, and is durable itself. */
static int put_records(const struct create *create, struct meta_change *changes)
{
	unsigned locked;
	int rc = 0;

	for (locked = 0; !rc && locked < create->count; locked++) {
		struct flash *flash = create->flashes[locked];

		rc = rt_mutex_lock(&flash->changing);
		if (rc)
			break;
		changes[locked] = (struct meta_change) { META_PUT, META_FLASH, &flash->record };
		rc = flash->record.state == FLASH_ACTIVE ? 0 : -EIO;
	}
	if (!rc)
		rc = meta_commit(create->copy->config.meta, changes, create->count);
	while (locked > 0) {
		struct flash *flash = create->flashes[--locked];

		flash->is_durable = !rc;
		rt_mutex_unlock(&flash->changing);
	}
	return rc;
}

/* All or none. */
static int make_durable(const struct create *create)
{
	struct meta_change *changes = mem_alloc(create->count * sizeof(*changes));
	int rc = changes ? put_records(create, changes) : -ENOMEM;

	mem_free(changes);
	return rc;
}

/* Nothing of it was. */
static void undo(struct create *create)
{
	RT_SHIELD();

	while (create->made > 0) {
		struct flash *flash = create->flashes[--create->made];
		struct record_flash record = flash->record;
		struct copy *copy = flash->copy;
		bool closed = create->made < create->closed;

		flash_detach(flash);
		if (closed && flash_set_access(flash, VOLUME_ACCESS_WRITE))
			log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start",
				 record.target);
		flash_put_down(flash);
		flash_remove_map(copy, record.map);
	}
}

static int establish(struct create *create, struct fault *fault)
{
	uint16_t first = create->flashes[0]->record.target;
	int rc;

	for (unsigned i = 0; i < create->count; i++) {
		create->closed = i + 1;
		if (take_target(create->flashes[i], fault))
			return -1;
	}
	rc = attach_all(create);
	if (rc == -ETIMEDOUT)
		return fault_set(fault, FAULT_TIMEOUT, "", "try again",
				 "writes of hosts did not end within 5 s; the targets are empty now");
	if (!rc)
		rc = sync_sources(create);
	if (!rc)
		rc = make_durable(create);
	return rc ? fault_errno(first, rc, "the FlashCopy cannot be made durable; the targets are empty now", fault)
		  : 0;
}

static void open_targets(const struct create *create)
{
	for (unsigned i = 0; i < create->count; i++) {
		struct flash *flash = create->flashes[i];
		bool inhibit = flash->record.inhibit;

		if (flash_set_access(flash, inhibit ? VOLUME_ACCESS_READ : VOLUME_ACCESS_WRITE))
			log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start",
				 flash->record.target);
		flash_begin_copy(flash);
		log_line(LOG_NOTICE, "flash", "volume %04X shows %04X as it is now", flash->record.target,
			 flash->record.source);
	}
}

static int create_all(struct create *create, const struct copy_flash_request *requests, struct fault *fault)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < create->count; i++)
		rc = make_flash(create, &requests[i], fault);
	if (!rc)
		rc = establish(create, fault);
	if (rc)
		undo(create);
	else
		open_targets(create);
	return rc;
}

int copy_flash_create(struct copy *copy, const struct copy_flash_request *requests, unsigned count, struct fault *fault)
{
	struct create *create = mem_alloc_zeroed(sizeof(*create));
	int rc;

	assert(count > 0 && count <= COPY_FLASHES_MAX);
	if (!create)
		return fault_errno(requests[0].target, -ENOMEM, "it cannot become a target", fault);
	create->copy = copy;
	create->count = count;
	rc = rt_mutex_lock(&copy->flashing);
	if (rc) {
		mem_free(create);
		return fault_errno(requests[0].target, rc, "another command on FlashCopies does not end", fault);
	}
	rc = create_all(create, requests, fault);
	rt_mutex_unlock(&copy->flashing);
	mem_free(create);
	return rc;
}

/* ---- delete ---- */

/* The target needs its source, or has failed. */
static int withdraw(struct flash *flash, bool force, uint64_t own_blocks, struct fault *fault)
{
	const struct copy_config *config = &flash->copy->config;
	uint16_t target = flash->record.target;
	char object[64], remedy[128];
	int rc;

	object_of(target, object);
	snprintf(remedy, sizeof(remedy), "xdc flash delete %04X --force: the volume is empty then", target);
	if (!force && flash->record.state == FLASH_ACTIVE)
		return fault_set(fault, FAULT_IN_USE, object, remedy,
				 "it has only %llu blocks of its own; the others are those of volume %04X",
				 (unsigned long long)own_blocks, flash->record.source);
	if (flash_has_source(flash->copy, target))
		return fault_set(fault, FAULT_IN_USE, object, "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, which needs what it shows");
	if (config->close_volume && flash->data.target && config->close_volume(config->find_arg, target, fault))
		return -1;
	rc = flash->data.target && !config->close_volume ? flash_set_access(flash, VOLUME_ACCESS_NONE) : 0;
	if (!rc)
		rc = flash_set_state(flash, FLASH_WITHDRAWING, flash->record.reason);
	if (!rc)
		rc = flash_finish_withdraw(flash);
	return rc ? fault_errno(target, rc, "the FlashCopy cannot be ended", fault) : 0;
}

static int delete(struct flash *flash, bool force, struct fault *fault)
{
	uint16_t target = flash->record.target, source = flash->record.source;
	uint64_t own_blocks;
	int rc;

	if (!flash_is_whole(flash, &own_blocks))
		rc = withdraw(flash, force, own_blocks, fault);
	else if ((rc = flash_let_go(flash)) != 0)
		rc = fault_errno(target, rc, "the FlashCopy cannot be ended", fault);
	if (!rc)
		log_line(LOG_NOTICE, "flash", "volume %04X is no FlashCopy of %04X any more", target, source);
	return rc;
}

int copy_flash_delete(struct copy *copy, uint16_t target, bool force, struct fault *fault)
{
	struct flash *flash;
	char object[64];
	int rc = rt_mutex_lock(&copy->flashing);

	if (rc)
		return fault_errno(target, rc, "another command on FlashCopies does not end", fault);
	flash = flash_find_target(copy, target);
	rc = flash ? delete(flash, force, fault) :
		fault_set(fault, FAULT_INVALID_PARAMETER, object_of(target, object), "xdc flash list",
			  "it is the target of no FlashCopy");
	rt_mutex_unlock(&copy->flashing);
	return rc;
}

/* ---- show ---- */

void copy_flash_each(struct copy *copy, void (*each)(void *arg, const struct copy_flash_info *info), void *arg)
{
	struct flash *flash;

	if (rt_mutex_lock(&copy->flashing))
		return;
	list_for_each(flash, &copy->flashes, link) {
		const struct volume *target = flash->data.target;
		struct copy_flash_info info = { .record = flash->record };
		uint64_t own_blocks = 0;
		bool whole = flash_is_whole(flash, &own_blocks);

		info.is_offline = !target || !flash->data.source;
		info.size_bytes = target ? volume_size(target) : 0;
		info.own_bytes = whole ? info.size_bytes : own_blocks * XDC_BLOCK_SIZE;
		each(arg, &info);
	}
	rt_mutex_unlock(&copy->flashing);
}
