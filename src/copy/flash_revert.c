/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_revert.c - what was established or resynced revertibly: committed, or taken back. Until then neither volume was
 * written and nothing was copied, so all that the target held lies there still.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/log.h"

static int check_sequence(const struct flash *flash, uint64_t sequence, struct fault *fault)
{
	const struct record_flash *record = &flash->record;
	char object[64];

	snprintf(object, sizeof(object), "volume %04X", record->target);
	if (sequence && sequence != record->sequence)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc flash show names it",
				 "its sequence number is %llu", (unsigned long long)record->sequence);
	return 0;
}

/* Before it there was no relation: the target held data of its own. */
static bool is_first(const struct record_flash *record)
{
	static const uint8_t none[XDC_UUID_LEN];

	return memcmp(record->old_map, none, sizeof(none)) == 0;
}

/* Hosts have the volumes by the state that it has now. */
static void go_on(struct flash *flash)
{
	if (flash->data.source && flash_set_access(flash->data.source, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to writes until the next start",
			 flash->record.source);
	flash_open_volumes(flash);
	if (flash->data.source && flash->target_attached)
		flash_begin_copy(flash);
}

static int commit(struct flash *flash, uint64_t sequence, struct fault *fault)
{
	const struct record_flash before = flash->record;
	struct record_flash next = before;
	int rc;

	if (check_sequence(flash, sequence, fault))
		return -1;
	next.state = FLASH_ACTIVE;
	memset(next.old_map, 0, sizeof(next.old_map));
	memset(next.old_changed, 0, sizeof(next.old_changed));
	next.old_created_wall_ns = 0;
	next.since_wall_ns = rt_wall_ns();
	rc = flash_change_record(flash, &next);
	if (rc)
		return flash_fault(before.target, rc, "that it is committed cannot be noted", fault);
	/* What it held takes space for nothing: none of it is the target's own. */
	if (is_first(&before) && flash->data.target && flash_clear_unseen(flash->data.target))
		log_line(LOG_WARNING, "flash", "volume %04X keeps space that it does not need", before.target);
	flash_remove_map(flash->copy, before.old_map);
	flash_remove_map(flash->copy, before.old_changed);
	go_on(flash);
	log_line(LOG_NOTICE, "flash", "volume %04X, FlashCopy of %04X, is committed", before.target, before.source);
	return 0;
}

int copy_flash_commit(struct copy *copy, uint16_t target, uint64_t sequence, struct fault *fault)
{
	struct flash *flash = flash_begin_command(copy, target, COPY_COMMIT, false, fault);

	return flash ? flash_end_command(copy, commit(flash, sequence, fault)) : -1;
}

/* As it was before the resync. */
static struct record_flash earlier(const struct record_flash *record)
{
	struct record_flash next = *record;

	next.state = FLASH_ACTIVE;
	memcpy(next.map, record->old_map, sizeof(next.map));
	memcpy(next.changed, record->old_changed, sizeof(next.changed));
	next.created_wall_ns = record->old_created_wall_ns;
	memset(next.old_map, 0, sizeof(next.old_map));
	memset(next.old_changed, 0, sizeof(next.old_changed));
	next.old_created_wall_ns = 0;
	next.sequence = 0;
	next.since_wall_ns = rt_wall_ns();
	return next;
}

static int go_back(struct flash *flash)
{
	const struct record_flash before = flash->record, next = earlier(&before);
	struct flash_maps maps;
	int rc;

	if (!flash->target_attached)
		return -ENODEV;
	rc = flash_open_maps(flash, &next, &maps);
	if (rc)
		return rc;
	rc = flash_change_record(flash, &next);
	if (rc) {
		flash_close_maps(flash, &maps);
		return rc;
	}
	flash_use_maps(flash, &maps);
	flash_remove_map(flash->copy, before.map);
	flash_remove_map(flash->copy, before.changed);
	go_on(flash);
	return 0;
}

static int revert(struct flash *flash, uint64_t sequence, struct fault *fault)
{
	uint16_t target = flash->record.target, source = flash->record.source;
	int rc;

	if (check_sequence(flash, sequence, fault))
		return -1;
	/* Hosts that read the target would see it change under them. */
	if (flash->data.target && flash_close_volume(flash, target, fault))
		return -1;
	rc = is_first(&flash->record) ? flash_let_go(flash) : go_back(flash);
	if (rc) {
		flash_open_volumes(flash);
		return flash_fault(target, rc, "it cannot be reverted", fault);
	}
	log_line(LOG_NOTICE, "flash", "volume %04X is what it was before it was to show %04X", target, source);
	return 0;
}

int copy_flash_revert(struct copy *copy, uint16_t target, uint64_t sequence, struct fault *fault)
{
	struct flash *flash = flash_begin_command(copy, target, COPY_REVERT, false, fault);

	return flash ? flash_end_command(copy, revert(flash, sequence, fault)) : -1;
}
