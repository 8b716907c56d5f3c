/* SPDX-License-Identifier: Apache-2.0 */
/* flash_table.c - which FlashCopies a volume is in: found at once, however many there are. */
#include <assert.h>
#include <stdio.h>

#include "copy/flash.h"
#include "rt/mem.h"

#define LSSS		256u
#define LSS_SLOTS	256u

/* Of a volume. */
struct flash_slot {
	struct flash *of_target;	/* it is the target of that one */
	struct flash *first;		/* of those that it is the source of, the one that was made last */
};
_Static_assert(sizeof(((struct copy *)NULL)->flash_table) == LSSS * sizeof(struct flash_slot *), "a row for each LSS");

static struct flash_slot *look_up(const struct copy *copy, uint16_t volume)
{
	struct flash_slot *slots = copy->flash_table[volume / LSS_SLOTS];

	return slots ? &slots[volume % LSS_SLOTS] : NULL;
}

/* Those of its LSS are made with its first relation and stay until the copy services end. NULL: no memory. */
static struct flash_slot *make_slot(struct copy *copy, uint16_t volume)
{
	struct flash_slot **slots = &copy->flash_table[volume / LSS_SLOTS];

	if (!*slots)
		*slots = mem_alloc_zeroed(LSS_SLOTS * sizeof(**slots));
	return look_up(copy, volume);
}

struct flash *flash_find_target(const struct copy *copy, uint16_t volume)
{
	const struct flash_slot *slot = look_up(copy, volume);

	return slot ? slot->of_target : NULL;
}

struct flash *flash_first_of(const struct copy *copy, uint16_t source)
{
	const struct flash_slot *slot = look_up(copy, source);

	return slot ? slot->first : NULL;
}

struct flash *flash_first_from(const struct copy *copy, uint32_t volume)
{
	for (unsigned lss = volume / LSS_SLOTS, number = volume % LSS_SLOTS; lss < LSSS; lss++, number = 0) {
		const struct flash_slot *slots = copy->flash_table[lss];

		for (; slots && number < LSS_SLOTS; number++)
			if (slots[number].of_target)
				return slots[number].of_target;
	}
	return NULL;
}

bool flash_table_add(struct flash *flash)
{
	struct copy *copy = flash->copy;
	struct flash_slot *source = make_slot(copy, flash->record.source);
	struct flash_slot *target = make_slot(copy, flash->record.target);
	struct flash *next;

	if (!source || !target)
		return false;
	assert(!target->of_target);
	target->of_target = flash;
	flash->next_of_source = source->first;
	source->first = flash;
	next = flash_first_from(copy, flash->record.target + 1u);
	list_add_last(next ? &next->link : &copy->flashes, &flash->link);
	return true;
}

void flash_table_remove(struct flash *flash)
{
	struct flash_slot *target = look_up(flash->copy, flash->record.target);
	struct flash **at = &look_up(flash->copy, flash->record.source)->first;

	assert(target->of_target == flash);
	target->of_target = NULL;
	while (*at != flash)
		at = &(*at)->next_of_source;
	*at = flash->next_of_source;
	list_remove(&flash->link);
}

void flash_table_free(struct copy *copy)
{
	for (unsigned i = 0; i < LSSS; i++)
		mem_free(copy->flash_table[i]);
}

/* ---- what a volume is in ---- */

bool flash_has_source(const struct copy *copy, uint16_t volume)
{
	return flash_first_of(copy, volume);
}

bool flash_forbids_target(const struct copy *copy, uint16_t volume)
{
	const struct flash *flash;

	for (flash = flash_first_of(copy, volume); flash; flash = flash->next_of_source)
		if (flash->record.state == FLASH_REVERTIBLE || flash->record.restore)
			return true;
	return flash_find_target(copy, volume);
}

bool flash_remembers_volume(const struct copy *copy, uint16_t volume, struct fault *fault)
{
	const struct flash *of_target = flash_find_target(copy, volume);
	const struct flash *flash = of_target ? of_target : flash_first_of(copy, volume);
	char object[64], remedy[128];

	if (!flash)
		return false;
	snprintf(object, sizeof(object), "volume %04X", volume);
	snprintf(remedy, sizeof(remedy), "xdc flash delete %04X", flash->record.target);
	if (flash->record.practice)
		snprintf(remedy, sizeof(remedy), "xdc session unpractice %u", flash->record.practice);
	fault_set(fault, FAULT_IN_USE, object, remedy, "it is the %s of the FlashCopy of volume %04X to %04X",
		  of_target ? "target" : "source", flash->record.source, flash->record.target);
	return true;
}
