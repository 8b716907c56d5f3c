/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_turn.c - resync: the maps of a relation are replaced by others, made from them while hosts write the source,
 * and brought to one moment while they wait, in one change of the metadata.
 */
#include <errno.h>
#include <string.h>
#include <stdio.h>

#include "copy/flash_derive.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "rt/log.h"
#include "store/meta.h"

#define FREEZE_NS	(5 * RT_SECOND)		/* for which hosts of the source wait at most: far less */

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "volume %04X", volume);
	return text;
}

int flash_check_source(const struct flash *flash, struct fault *fault)
{
	char object[64];

	if (flash->source_attached)
		return 0;
	return fault_set(fault, FAULT_FAILED, object_of(flash->record.target, object), "mend it, and restart xdcd",
			 "one of the two volumes is offline");
}

int flash_check_replaced(struct copy *copy, uint16_t volume, struct fault *fault)
{
	char object[64];

	if (pair_uses_volume(copy, volume) || leg_owns_volume(copy, volume))
		return fault_set(fault, FAULT_IN_USE, object_of(volume, object), "delete that first: xdc pair list",
				 "it is in a pair, or in a consistency group that is kept");
	return 0;
}

/* ---- resync ---- */

/* The record of what it is to be; its maps are made. */
static int prepare_resync(struct flash *flash, bool revertible, uint64_t sequence, struct record_flash *next)
{
	*next = flash->record;
	next->sequence = sequence;
	if (revertible) {
		next->state = FLASH_REVERTIBLE;
		memcpy(next->old_map, flash->record.map, sizeof(next->old_map));
		memcpy(next->old_changed, flash->record.changed, sizeof(next->old_changed));
		next->old_created_wall_ns = flash->record.created_wall_ns;
	}
	return flash_make_maps(flash, next);
}

/* The source is frozen. After an error nothing has changed. */
static int turn_frozen(struct flash *flash, struct record_flash *next, struct flash_derived *derived,
		       struct flash_freeze *freeze)
{
	int rc = flash_derive_catch_up(derived);

	if (!rc)
		rc = flash_sync(flash->data.source);
	/* The record makes the new maps the truth: what hosts would write before they are in use, these would miss. */
	if (!rc)
		rc = flash_freeze_until(freeze, RT_NEVER);
	if (rc)
		return rc;
	next->created_wall_ns = next->since_wall_ns = rt_wall_ns();
	rc = flash_change_record(flash, next);
	if (rc)
		flash_void_maps(flash->copy, next);
	else
		flash_derive_use(derived);
	return rc;
}

static int turn_at_once(struct flash *flash, struct record_flash *next, struct flash_derived *derived)
{
	struct flash_freeze freeze;
	int64_t began_ns;
	/* What the freeze has to wait for is little then. */
	int rc = flash_sync(flash->data.source);

	if (!rc)
		rc = flash_derive_catch_up(derived);
	began_ns = rt_now_ns();
	if (!rc)
		rc = flash_freeze(&freeze, flash->data.source, began_ns + FREEZE_NS);
	if (rc)
		return rc;
	rc = turn_frozen(flash, next, derived, &freeze);
	flash_thaw(&freeze);
	log_line(LOG_NOTICE, "flash", "hosts of volume %04X waited %lld us for the resync of %04X", next->source,
		 (long long)(rt_now_ns() - began_ns) / 1000, next->target);
	return rc;
}

static int turn(struct flash *flash, struct record_flash *next)
{
	struct flash_derived derived = { .flash = NULL };
	int rc = flash_derive_begin(flash, next, &derived);

	if (!rc)
		rc = turn_at_once(flash, next, &derived);
	flash_derive_end(&derived);
	return rc;
}

static int resync_closed(struct flash *flash, bool revertible, uint64_t sequence, struct fault *fault)
{
	struct record_flash before = flash->record, next;
	int rc = prepare_resync(flash, revertible, sequence, &next);

	if (rc)
		return flash_fault(before.target, rc, "its map cannot be made", fault);
	if (revertible)
		rc = flash_set_access(flash->data.source, VOLUME_ACCESS_READ);
	if (!rc)
		rc = turn(flash, &next);
	if (revertible && flash->record.state != FLASH_REVERTIBLE &&
	    flash_set_access(flash->data.source, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to writes until the next start", before.source);
	if (memcmp(flash->record.map, next.map, sizeof(next.map)) != 0) {
		flash_remove_map(flash->copy, next.map);
		flash_remove_map(flash->copy, next.changed);
	} else if (!revertible) {
		flash_remove_map(flash->copy, before.map);
		flash_remove_map(flash->copy, before.changed);
	}
	if (rc == -ETIMEDOUT)
		return fault_set(fault, FAULT_TIMEOUT, "", "try again", "writes of hosts did not end within 5 s");
	return rc ? flash_fault(before.target, rc, "it cannot be resynced", fault) : 0;
}

static int resync(struct flash *flash, bool revertible, uint64_t sequence, struct fault *fault)
{
	struct copy *copy = flash->copy;
	uint16_t target = flash->record.target;
	char object[64];
	int rc;

	object_of(target, object);
	if (flash_check_source(flash, fault) || flash_check_replaced(copy, target, fault) ||
	    (revertible && flash_check_replaced(copy, flash->record.source, fault)))
		return -1;
	if (flash_has_source(copy, target))
		return fault_set(fault, FAULT_IN_USE, object, "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, whose target would change");
	if (flash_close_volume(flash, target, fault))
		return -1;
	flash_end_copy(flash);
	rc = resync_closed(flash, revertible, sequence, fault);
	flash_open_volumes(flash);
	flash_begin_copy(flash);
	if (!rc)
		log_line(LOG_NOTICE, "flash", "volume %04X shows %04X as it is now, again", target,
			 flash->record.source);
	return rc;
}

int copy_flash_resync(struct copy *copy, uint16_t target, bool revertible, uint64_t sequence, struct fault *fault)
{
	struct flash *flash = flash_begin_command(copy, target, COPY_RESYNC, false, fault);

	return flash ? flash_end_command(copy, resync(flash, revertible, sequence, fault)) : -1;
}
