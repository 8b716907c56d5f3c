/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/flash_together.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash_derive.h"
#include "copy/group_volume.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

#define TURN_NS	(10 * RT_SECOND)	/* for which hosts wait at most until the records are put: far less */

struct one {
	struct flash *flash;
	struct record_flash before, next;	/* next: its maps are made */
	struct flash_derived derived;		/* those, filled */
	struct flash_freeze freeze;
	bool closed, made, turned;
};

struct flash_together {
	struct copy *copy;
	unsigned count;
	struct one ones[];
};

static bool is_of(struct copy *copy, const struct flash *flash, uint8_t session)
{
	return flash->record.record && flash->is_durable && group_volume_find(copy, session, flash->record.source);
}

static bool is_chosen(struct copy *copy, const struct flash *flash, const struct flash_choice *choice)
{
	if (choice->session)
		return is_of(copy, flash, choice->session);
	for (unsigned i = 0; flash->is_durable && i < choice->count; i++) {
		if (choice->targets[i] == flash->record.target)
			return true;
	}
	return false;
}

static unsigned count_chosen(struct copy *copy, const struct flash_choice *choice)
{
	const struct flash *flash;
	unsigned count = 0;

	list_for_each(flash, &copy->flashes, link)
		count += is_chosen(copy, flash, choice);
	return count;
}

unsigned flash_together_count(struct copy *copy, uint8_t session)
{
	const struct flash_choice choice = { .session = session };

	return count_chosen(copy, &choice);
}

/* ---- the hold ---- */

static bool has_one(struct copy *copy, uint8_t session, uint16_t source)
{
	const struct flash *flash;

	for (flash = flash_first_of(copy, source); flash; flash = flash->next_of_source) {
		if (is_of(copy, flash, session))
			return true;
	}
	return false;
}

static int check_volumes(struct copy *copy, uint8_t session, struct fault *fault)
{
	const struct group_volume *item;
	char object[64];

	list_for_each(item, &copy->group_volumes, link) {
		if (item->record.session != session || has_one(copy, session, item->record.volume))
			continue;
		snprintf(object, sizeof(object), "volume %04X", item->record.volume);
		return fault_set(fault, FAULT_FAILED, object,
				 "xdc flash create --record, or take it out: xdc session remove",
				 "it is the source of no FlashCopy that records what is written");
	}
	return 0;
}

/* None is left out. */
static int check_choice(struct copy *copy, const struct flash_choice *choice, struct fault *fault)
{
	if (choice->session)
		return check_volumes(copy, choice->session, fault);
	for (unsigned i = 0; i < choice->count; i++) {
		if (!flash_need(copy, choice->targets[i], COPY_RESYNC, false, fault))
			return -1;
	}
	return 0;
}

static int check_target(struct flash *flash, struct fault *fault)
{
	uint16_t target = flash->record.target;
	char object[64];

	snprintf(object, sizeof(object), "volume %04X", target);
	if (flash_check(flash, COPY_RESYNC, false, fault) || flash_check_source(flash, fault) ||
	    flash_check_replaced(flash->copy, target, fault))
		return -1;
	if (flash_has_source(flash->copy, target))
		return fault_set(fault, FAULT_IN_USE, object, "delete those first: xdc flash list",
				 "it is the source of another FlashCopy, whose target would change");
	return 0;
}

/* No host has the target, and the maps of what it is to be are there. */
static int prepare(struct one *one, struct fault *fault)
{
	struct flash *flash = one->flash;
	int rc;

	if (check_target(flash, fault) || flash_close_volume(flash, flash->record.target, fault))
		return -1;
	one->closed = true;
	flash_end_copy(flash);
	one->before = one->next = flash->record;
	one->next.sequence = 0;
	rc = flash_make_maps(flash, &one->next);
	one->made = !rc;
	if (!rc)
		rc = flash_derive_begin(flash, &one->next, &one->derived);
	return rc ? flash_fault(flash->record.target, rc, "it cannot be resynced", fault) : 0;
}

/* What the hold has to wait for is little then. */
static int catch_up(struct one *one, struct fault *fault)
{
	int rc = flash_sync(one->flash->data.source);

	if (!rc)
		rc = flash_derive_catch_up(&one->derived);
	return rc ? flash_fault(one->flash->record.target, rc, "it cannot be resynced", fault) : 0;
}

static int hold(struct flash_together *together, int64_t until_ns, struct fault *fault)
{
	for (unsigned i = 0; i < together->count; i++) {
		if (prepare(&together->ones[i], fault))
			return -1;
	}
	for (unsigned i = 0; i < together->count; i++) {
		if (catch_up(&together->ones[i], fault))
			return -1;
	}
	for (unsigned i = 0; i < together->count; i++) {
		struct one *one = &together->ones[i];

		if (flash_freeze(&one->freeze, one->flash->data.source, until_ns))
			return fault_set(fault, FAULT_TIMEOUT, "", "try again",
					 "writes of hosts did not end in time");
	}
	return 0;
}

static struct flash_together *collect(struct copy *copy, const struct flash_choice *choice)
{
	unsigned count = count_chosen(copy, choice);
	struct flash_together *together = mem_alloc_zeroed(sizeof(*together) + count * sizeof(together->ones[0]));
	struct flash *flash;

	if (!together)
		return NULL;
	together->copy = copy;
	list_for_each(flash, &copy->flashes, link) {
		if (is_chosen(copy, flash, choice))
			together->ones[together->count++].flash = flash;
	}
	return together;
}

struct flash_together *flash_together_hold(struct copy *copy, const struct flash_choice *choice, int64_t until_ns,
					   struct fault *fault)
{
	struct flash_together *together;
	int rc;
	RT_LIMIT(until_ns);

	if (rt_mutex_lock(&copy->flashing)) {
		fault_set(fault, FAULT_IN_USE, "", "repeat the command", "another command on FlashCopies does not end");
		return NULL;
	}
	together = collect(copy, choice);
	if (!together) {
		fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
		rt_mutex_unlock(&copy->flashing);
		return NULL;
	}
	rc = check_choice(copy, choice, fault);
	if (!rc)
		rc = hold(together, until_ns, fault);
	if (!rc)
		return together;
	flash_together_end(together);
	return NULL;
}

/* ---- the moment ---- */

static int finish_maps(struct one *one)
{
	int rc = flash_derive_catch_up(&one->derived);

	if (!rc)
		rc = flash_sync(one->flash->data.source);
	one->next.created_wall_ns = one->next.since_wall_ns = rt_wall_ns();
	return rc;
}

/* From here on a failure of one of them waits for the records, and is durable itself. */
static int put_records(struct flash_together *together)
{
	MEM_OWNED struct meta_change *changes = mem_alloc((together->count + 1) * sizeof(*changes));
	unsigned locked = 0;
	int rc = changes ? 0 : -ENOMEM;

	while (!rc && locked < together->count) {
		struct one *one = &together->ones[locked];

		rc = rt_mutex_lock(&one->flash->changing);
		if (rc)
			break;
		changes[locked++] = (struct meta_change){ META_PUT, META_FLASH, &one->next };
		rc = one->flash->record.state == FLASH_FAILED ? -EIO : 0;
	}
	if (!rc)
		rc = meta_commit(together->copy->config.meta, changes, together->count);
	while (locked > 0) {
		struct one *one = &together->ones[--locked];

		one->turned = !rc;
		if (!rc)
			one->flash->record = one->next;
		rt_mutex_unlock(&one->flash->changing);
	}
	for (unsigned i = 0; rc && i < together->count; i++)
		flash_void_maps(together->copy, &together->ones[i].next);
	return rc;
}

/* Instead of the limit that the hold had; it must not have ended by itself. */
static int hold_on(struct flash_together *together, int64_t until_ns)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < together->count; i++)
		rc = flash_freeze_until(&together->ones[i].freeze, until_ns);
	return rc;
}

int flash_together_turn(struct flash_together *together, struct fault *fault)
{
	uint16_t target = together->count ? together->ones[0].flash->record.target : 0;
	int rc = hold_on(together, rt_now_ns() + TURN_NS);

	for (unsigned i = 0; !rc && i < together->count; i++) {
		target = together->ones[i].flash->record.target;
		rc = finish_maps(&together->ones[i]);
	}
	/* The records make the new maps the truth: what hosts would write before they are in use, these would miss. */
	if (!rc)
		rc = hold_on(together, RT_NEVER);
	if (!rc)
		rc = put_records(together);
	for (unsigned i = 0; !rc && i < together->count; i++)
		flash_derive_use(&together->ones[i].derived);
	return rc ? flash_fault(target, rc, "the FlashCopies cannot be resynced", fault) : 0;
}

/* ---- the end ---- */

static void remove_maps(struct one *one)
{
	const struct record_flash *of_no_use = one->turned ? &one->before : &one->next;

	flash_derive_end(&one->derived);
	if (!one->made)
		return;
	flash_remove_map(one->flash->copy, of_no_use->map);
	flash_remove_map(one->flash->copy, of_no_use->changed);
}

void flash_together_end(struct flash_together *together)
{
	struct copy *copy = together->copy;
	RT_SHIELD();

	for (unsigned i = 0; i < together->count; i++)
		flash_thaw(&together->ones[i].freeze);
	for (unsigned i = 0; i < together->count; i++) {
		struct one *one = &together->ones[i];

		remove_maps(one);
		if (!one->closed)
			continue;
		flash_open_volumes(one->flash);
		flash_begin_copy(one->flash);
		if (one->turned)
			log_line(LOG_NOTICE, "flash", "volume %04X shows %04X as it is now, again",
				 one->flash->record.target, one->flash->record.source);
	}
	rt_mutex_unlock(&copy->flashing);
	mem_free(together);
}

/* ---- all of it at once ---- */

int copy_flashes_resync(struct copy *copy, const uint16_t *targets, unsigned count, int64_t limit_ns,
			struct fault *fault)
{
	const struct flash_choice choice = { .targets = targets, .count = count };
	struct flash_together *together = flash_together_hold(copy, &choice, rt_now_ns() + limit_ns, fault);
	int rc;

	if (!together)
		return -1;
	rc = flash_together_turn(together, fault);
	flash_together_end(together);
	return rc;
}
