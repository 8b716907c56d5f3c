/* SPDX-License-Identifier: Apache-2.0 */
/* Which pair is meant, and what is shown of it (copy.h). */
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_left.h"

struct copy_pair_name copy_pair_name_of(uint16_t volume, const char *system)
{
	struct copy_pair_name name = { .volume = volume };

	snprintf(name.system, sizeof(name.system), "%s", system);
	return name;
}

static bool is_meant(const struct copy_pair_name *name, const struct record_pair *record)
{
	return record->volume == name->volume && (!name->system[0] || !strcmp(name->system, record->system));
}

/* Those that the name fits. */
struct meant {
	unsigned count;
	struct pair *pair;			/* the last of them that is open, and of those left out */
	struct left_pair *left;
	char text[160];				/* their other ends */
};

static void add(struct meant *meant, const struct record_pair *record)
{
	size_t used = strlen(meant->text);

	snprintf(meant->text + used, sizeof(meant->text) - used, "%s%04X of %s", meant->count ? ", " : "",
		 record->remote_volume, record->system);
	meant->count++;
}

static void collect(struct copy *copy, const struct copy_pair_name *name, struct meant *meant)
{
	struct left_pair *left;
	struct pair *pair;

	*meant = (struct meant){ 0 };
	for (pair = pair_first_of(copy, name->volume); pair; pair = pair_next_of(pair)) {
		if (is_meant(name, &pair->record)) {
			add(meant, &pair->record);
			meant->pair = pair;
		}
	}
	list_for_each(left, &copy->left_pairs, link) {
		if (is_meant(name, &left->record)) {
			add(meant, &left->record);
			meant->left = left;
		}
	}
}

int copy_pair_fault_unnamed(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct meant meant;
	char object[32];

	collect(copy, name, &meant);
	snprintf(object, sizeof(object), "pair of volume %04X", name->volume);
	if (meant.count > 1)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "say which: --to SYSTEM",
				 "volume %04X has %u pairs: with %s", name->volume, meant.count, meant.text);
	/* It answers the same to all that is not asked of pairs that are left. */
	if (meant.count == 1 && meant.left)
		return pair_left_check(copy, meant.left, COPY_SET, false, fault);
	if (name->system[0])
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair list shows those that exist",
				 "volume %04X has no pair with system %s", name->volume, name->system);
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair list shows those that exist",
			 "volume %04X has no pair", name->volume);
}

/* All that is shown of it. */
static void show(struct pair *pair, struct copy_pair_info *info)
{
	pair_get_info(pair, info);
	pair_look(pair, &info->copy_type, &info->copy_state);
}

static void show_left(struct copy *copy, const struct left_pair *left, struct copy_pair_info *info)
{
	pair_left_get_info(left, info);
	pair_left_look(copy, left, &info->copy_type, &info->copy_state);
}

struct pair *pair_find_named(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct meant meant;

	collect(copy, name, &meant);
	if (meant.count == 1 && meant.pair)
		return meant.pair;
	copy_pair_fault_unnamed(copy, name, fault);
	return NULL;
}

struct left_pair *pair_left_find_named(struct copy *copy, const struct copy_pair_name *name)
{
	struct meant meant;

	collect(copy, name, &meant);
	return meant.count == 1 ? meant.left : NULL;
}

unsigned copy_pair_count(struct copy *copy, uint16_t volume)
{
	const struct copy_pair_name name = { .volume = volume };
	struct meant meant;

	collect(copy, &name, &meant);
	return meant.count;
}

bool copy_pair_get(struct copy *copy, const struct copy_pair_name *name, struct copy_pair_info *info)
{
	struct meant meant;

	collect(copy, name, &meant);
	if (meant.count != 1)
		return false;
	if (meant.left) {
		show_left(copy, meant.left, info);
		return true;
	}
	pair_pin(meant.pair);
	show(meant.pair, info);
	pair_unpin(meant.pair);
	return true;
}

void copy_pair_each(struct copy *copy, void (*each)(void *arg, const struct copy_pair_info *info), void *arg)
{
	const struct left_pair *left;
	struct copy_pair_info info;
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		show(pair, &info);
		each(arg, &info);
	}
	list_for_each(left, &copy->left_pairs, link) {
		show_left(copy, left, &info);
		each(arg, &info);
	}
}

void copy_pair_each_of(struct copy *copy, uint16_t volume,
		       void (*each)(void *arg, const struct copy_pair_info *info), void *arg)
{
	struct pair *pair = pair_first_of(copy, volume), *next;
	const struct left_pair *left;
	struct copy_pair_info info;

	for (; pair; pair = next) {
		pair_pin(pair);
		show(pair, &info);
		each(arg, &info);
		next = pair_next_of(pair);
		pair_unpin(pair);
	}
	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.volume != volume)
			continue;
		show_left(copy, left, &info);
		each(arg, &info);
	}
}
