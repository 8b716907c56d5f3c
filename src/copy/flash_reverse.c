/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_reverse.c - relations the other way round: their sources become the targets and show what those show. Several
 * are reversed together or not at all, in one change of the metadata; no host has one of their volumes meanwhile, so
 * that there is one moment for all.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "copy/flash_derive.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

/* Of each relation: what is durable together with it. */
#define CHANGES_MAX	(2u + COPY_FLASH_ALSO_MAX)

struct one {
	struct flash *flash;		/* as it is */
	struct record_flash before;
	struct flash *next;		/* the other way round; NULL: not made yet */
	bool closed;			/* hosts may have lost access to its volumes */
};

struct reverse {
	struct copy *copy;
	const struct copy_flash_reversal *what;
	unsigned count;
	struct one ones[];
};

/* ---- what stands in the way ---- */

static int check_dependent(const struct one *one, bool whole, struct fault *fault)
{
	const struct record_flash *record = &one->flash->record;
	const struct copy *copy = one->flash->copy;
	const struct flash *other = flash_first_of(copy, record->source);
	char object[64];

	if (other == one->flash)
		other = other->next_of_source;
	if (!other)
		other = flash_find_target(copy, record->source);
	if (!other && !whole)
		other = flash_first_of(copy, record->target);
	if (!other)
		return 0;
	snprintf(object, sizeof(object), "volume %04X", record->source);
	return fault_set(fault, FAULT_IN_USE, object, "delete that first: xdc flash list",
			 "the FlashCopy of volume %04X to %04X depends on what would change", other->record.source,
			 other->record.target);
}

static int check_one(const struct one *one, struct fault *fault)
{
	const struct record_flash *record = &one->flash->record;
	struct copy *copy = one->flash->copy;
	uint64_t own_blocks;
	bool whole = flash_is_whole(one->flash, &own_blocks);

	if (flash_check_source(one->flash, fault) || flash_check_replaced(copy, record->source, fault) ||
	    (!whole && flash_check_replaced(copy, record->target, fault)))
		return -1;
	return check_dependent(one, whole, fault);
}

/* No host has either volume. */
static int close_one(struct one *one, struct fault *fault)
{
	if (flash_close_volume(one->flash, one->before.source, fault))
		return -1;
	one->closed = true;
	if (flash_close_volume(one->flash, one->before.target, fault))
		return -1;
	flash_end_copy(one->flash);
	return 0;
}

/* ---- the other way round ---- */

/* The record of the relation the other way round; it has no maps yet. */
static struct record_flash reversed(const struct record_flash *record, bool whole)
{
	return (struct record_flash){
		.target = record->source, .source = record->target, .restore = !whole,
		.no_copy = whole && record->no_copy, .persistent = whole && record->persistent,
		.record = whole && record->record, .inhibit = whole && record->inhibit, .priority = record->priority,
		.created_wall_ns = rt_wall_ns(), .since_wall_ns = rt_wall_ns(),
	};
}

/* Both volumes are closed to hosts, so for a moment each may be the source of the other. */
static int attach_next(struct flash *flash, struct flash *next)
{
	int rc = flash_make_maps(next, &next->record);

	if (!rc)
		rc = flash_derive_reverse(flash, &next->record);
	if (!rc)
		rc = flash_sync(flash->data.source);
	if (!rc)
		rc = flash_sync(flash->data.target);
	if (!rc)
		rc = flash_attach_target(next);
	if (!rc)
		rc = flash_attach_source(next);
	if (!rc)
		flash_open_late(next);
	return rc;
}

static int turn_one(struct one *one)
{
	uint64_t own_blocks;
	/* It may have become whole since it was looked at. */
	const struct record_flash after = reversed(&one->before, flash_is_whole(one->flash, &own_blocks));

	one->next = flash_make(one->flash->copy, &after);
	return one->next ? attach_next(one->flash, one->next) : -ENOMEM;
}

/* From here on the metadata have all of them the other way round. */
static int exchange_records(struct reverse *reverse)
{
	const struct copy_flash_reversal *what = reverse->what;
	MEM_OWNED struct meta_change *changes = mem_alloc(reverse->count * CHANGES_MAX * sizeof(*changes));
	unsigned count = 0;
	int rc;

	if (!changes)
		return -ENOMEM;
	for (unsigned i = 0; i < reverse->count; i++) {
		const struct one *one = &reverse->ones[i];

		changes[count++] = (struct meta_change){ META_DELETE, META_FLASH, &one->flash->record };
		changes[count++] = (struct meta_change){ META_PUT, META_FLASH, &one->next->record };
		count += what->also(what->arg, i, &one->next->record, &changes[count]);
	}
	rc = meta_commit(reverse->copy->config.meta, changes, count);
	for (unsigned i = 0; rc && i < reverse->count; i++)
		flash_void_maps(reverse->copy, &reverse->ones[i].next->record);
	for (unsigned i = 0; !rc && i < reverse->count; i++) {
		reverse->ones[i].flash->is_durable = false;
		reverse->ones[i].next->is_durable = true;
	}
	return rc;
}

static int turn_all(struct reverse *reverse, struct fault *fault)
{
	uint16_t source = reverse->ones[0].before.source;
	int rc = 0;

	for (unsigned i = 0; !rc && i < reverse->count; i++) {
		source = reverse->ones[i].before.source;
		rc = turn_one(&reverse->ones[i]);
	}
	if (!rc)
		rc = exchange_records(reverse);
	return rc ? flash_fault(source, rc, "it cannot be restored", fault) : 0;
}

/* ---- whatever became of it: hosts have the volumes ---- */

static void open_one(struct flash *flash)
{
	if (flash_set_access(flash->data.source, VOLUME_ACCESS_WRITE))
		log_line(LOG_ERROR, "flash", "volume %04X stays closed to hosts until the next start",
			 flash->record.source);
	flash_open_volumes(flash);
	flash_begin_copy(flash);
}

static void put_down(struct copy *copy, struct flash *flash, const struct record_flash *record)
{
	flash_put_down(flash);
	flash_remove_maps(copy, record);
}

static void finish(struct reverse *reverse)
{
	for (unsigned i = 0; i < reverse->count; i++) {
		struct one *one = &reverse->ones[i];

		flash_end_work(one->flash);
		put_down(reverse->copy, one->flash, &one->before);
	}
	for (unsigned i = 0; i < reverse->count; i++) {
		struct one *one = &reverse->ones[i];

		open_one(one->next);
		log_line(LOG_NOTICE, "flash", "volume %04X shows what %04X showed", one->before.source,
			 one->before.target);
	}
}

/* All is as it was. */
static void undo(struct reverse *reverse)
{
	for (unsigned i = 0; i < reverse->count; i++) {
		struct one *one = &reverse->ones[i];

		if (one->next) {
			const struct record_flash never = one->next->record;

			put_down(reverse->copy, one->next, &never);
		}
		if (one->closed)
			open_one(one->flash);
	}
}

static int reverse_all(struct reverse *reverse, struct fault *fault)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < reverse->count; i++)
		rc = check_one(&reverse->ones[i], fault);
	for (unsigned i = 0; !rc && i < reverse->count; i++)
		rc = close_one(&reverse->ones[i], fault);
	if (!rc)
		rc = turn_all(reverse, fault);
	if (rc)
		undo(reverse);
	else
		finish(reverse);
	return rc;
}

/* ---- the commands ---- */

static int find_all(struct reverse *reverse, struct fault *fault)
{
	const struct copy_flash_reversal *what = reverse->what;

	for (; reverse->count < what->count; reverse->count++) {
		struct one *one = &reverse->ones[reverse->count];

		one->flash = flash_need(reverse->copy, what->targets[reverse->count], COPY_REVERSE, false, fault);
		if (!one->flash)
			return -1;
		one->before = one->flash->record;
	}
	return 0;
}

int copy_flashes_reverse(struct copy *copy, const struct copy_flash_reversal *what, struct fault *fault)
{
	MEM_OWNED struct reverse *reverse = NULL;
	int rc;

	assert(what->count > 0);
	reverse = mem_alloc_zeroed(sizeof(*reverse) + what->count * sizeof(reverse->ones[0]));
	if (!reverse)
		return flash_fault(what->targets[0], -ENOMEM, "it cannot be reversed", fault);
	reverse->copy = copy;
	reverse->what = what;
	if (flash_begin(copy, what->targets[0], fault))
		return -1;
	rc = find_all(reverse, fault);
	return flash_end_command(copy, rc ? rc : reverse_all(reverse, fault));
}

static unsigned note_restored(void *arg, unsigned index, const struct record_flash *next, struct meta_change *changes)
{
	uint16_t *restored = arg;

	(void)index;
	(void)changes;
	*restored = next->target;
	return 0;
}

int copy_flash_reverse(struct copy *copy, uint16_t target, uint16_t *restored, struct fault *fault)
{
	const struct copy_flash_reversal what = {
		.targets = &target, .count = 1, .also = note_restored, .arg = restored,
	};

	return copy_flashes_reverse(copy, &what, fault);
}
