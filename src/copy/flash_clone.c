/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_clone.c - FlashCopies for which the file system of the pool lets the target share the space of its source:
 * whole at once, with nothing to copy, and over when they are established.
 *
 * A clone that is cut short may have done a part. So before it the relation is durably being withdrawn, which a start
 * ends by emptying the target; and the record goes when the target is durably what its source was.
 */
#include <errno.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/log.h"
#include "store/meta.h"

struct clone_order {
	struct vdisk *target, *source;
};

static int do_clone(void *arg)
{
	const struct clone_order *order = arg;

	return vdisk_clone(order->target, order->source);
}

static int do_look(void *arg)
{
	const struct clone_order *order = arg;

	return vdisk_can_clone(order->target, order->source);
}

static int at_target(struct flash *flash, int (*fn)(void *arg))
{
	struct clone_order order = {
		.target = volume_disk(flash->data.target), .source = volume_disk(flash->data.source),
	};

	return rt_call(volume_reactor(flash->data.target), fn, &order);
}

/* Nothing of the relation outlasts the copy; and the source has all that it shows on its own disk. */
static bool may_be_clone(struct flash *flash)
{
	const struct record_flash *record = &flash->record;

	return record->state == FLASH_ACTIVE && !record->no_copy && !record->persistent && !record->practice &&
	       !flash_find_target(flash->copy, record->source);
}

int flash_begin_clone(struct flash *flash)
{
	struct meta_change put = { META_PUT, META_FLASH, &flash->record };
	int rc = may_be_clone(flash) ? at_target(flash, do_look) : -EOPNOTSUPP;

	if (rc)
		return rc == -EOPNOTSUPP ? 0 : rc;
	flash->record.state = FLASH_WITHDRAWING;
	rc = meta_commit(flash->copy->config.meta, &put, 1);
	flash->is_clone = flash->is_durable = !rc;
	/* What has to reach the disk while hosts wait is little then. */
	return rc ? rc : flash_sync(flash->data.source);
}

int flash_clone(struct flash *flash)
{
	return at_target(flash, do_clone);
}

void flash_finish_clone(struct flash *flash)
{
	struct record_flash record = flash->record;
	struct copy *copy = flash->copy;

	if (flash_set_access(flash->data.target, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start", record.target);
	log_line(LOG_NOTICE, "flash", "volume %04X is a whole copy of %04X, with which it shares its space",
		 record.target, record.source);
	flash_put_down(flash);
	flash_remove_maps(copy, &record);
}

void flash_undo_clone(struct flash *flash)
{
	uint16_t target = flash->record.target;
	int rc = flash_finish_withdraw(flash);

	if (rc)
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts: its FlashCopy cannot be undone: %s; "
			 "mend its disk, then xdc flash delete %04X --force", target, strerrordesc_np(-rc), target);
}
