/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets: volumes, pairs or FlashCopies that are named together (the ConsistencySets and SynchronizedSets of the seed
 * page). What is done to all of a set is in control_set_all.c.
 */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

void control_set_name_object(const char *name, char object[64])
{
	snprintf(object, 64, "set %.48s", name);
}

static struct control_set *find_set(const struct control *control, const char *name)
{
	struct control_set *set;

	list_for_each(set, &control->sets, link)
		if (!strcmp(set->record.name, name))
			return set;
	return NULL;
}

static struct control_set *need_set(const struct control *control, const char *name, struct fault *fault)
{
	struct control_set *set = find_set(control, name);
	char object[64];

	if (set)
		return set;
	control_set_name_object(name, object);
	fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc set list", "there is no such set");
	return NULL;
}

/* ---- the model ---- */

int control_set_load(struct control *control, const struct record_set *record)
{
	struct control_set *set = mem_alloc_zeroed(sizeof(*set)), *next;

	if (!set)
		return -ENOMEM;
	set->record = *record;
	list_init(&set->members);
	list_for_each(next, &control->sets, link)
		if (strcmp(next->record.name, record->name) > 0)
			break;
	list_add_last(&next->link, &set->link);
	return 0;
}

static struct control_set_member *find_member(const struct control_set *set, uint16_t volume)
{
	struct control_set_member *member;

	list_for_each(member, &set->members, link)
		if (member->record.volume == volume)
			return member;
	return NULL;
}

/* In order of volumes. */
static void link_member(struct control_set *set, struct control_set_member *member)
{
	struct control_set_member *next;

	list_for_each(next, &set->members, link)
		if (next->record.volume > member->record.volume)
			break;
	list_add_last(&next->link, &member->link);
}

static int enter_member(struct control_set *set, const struct record_set_member *record)
{
	struct control_set_member *member = mem_alloc_zeroed(sizeof(*member));

	if (!member)
		return -ENOMEM;
	member->record = *record;
	link_member(set, member);
	set->count++;
	return 0;
}

void control_set_move_member(struct control_set *set, uint16_t volume, uint16_t to)
{
	struct control_set_member *member = find_member(set, volume);

	list_remove(&member->link);
	member->record.volume = to;
	link_member(set, member);
}

int control_set_member_load(struct control *control, const struct record_set_member *record)
{
	struct control_set *set = find_set(control, record->set);

	return set ? enter_member(set, record) : -EBADMSG;
}

static void drop_member(struct control_set *set, struct control_set_member *member)
{
	list_remove(&member->link);
	set->count--;
	mem_free(member);
}

void control_set_drop_member(struct control_set *set, uint16_t volume)
{
	drop_member(set, find_member(set, volume));
}

static void drop_set(struct control_set *set)
{
	struct control_set_member *member, *next;

	list_for_each_safe(member, next, &set->members, link)
		drop_member(set, member);
	list_remove(&set->link);
	mem_free(set);
}

void control_sets_drop(struct control *control)
{
	struct control_set *set, *next;

	list_for_each_safe(set, next, &control->sets, link)
		drop_set(set);
}

/* The set of this kind that the volume is in; NULL: none. */
static const struct control_set *set_of(const struct control *control, uint16_t volume, enum set_member_kind kind)
{
	const struct control_set *set;

	list_for_each(set, &control->sets, link)
		if (set->record.of == kind && find_member(set, volume))
			return set;
	return NULL;
}

const char *control_set_of(const struct control *control, enum set_member_kind of, uint16_t volume)
{
	const struct control_set *set = set_of(control, volume, of);

	return set ? set->record.name : NULL;
}

int control_check_no_set(const struct control *control, uint16_t volume, enum set_member_kind kind,
			 const char *object, struct fault *fault)
{
	const struct control_set *set = set_of(control, volume, kind);

	if (!set)
		return 0;
	return fault_set(fault, FAULT_IN_USE, object, "take it out: xdc set remove", "it is in set %s",
			 set->record.name);
}

/* ---- create, delete ---- */

int control_set_create(struct control *control, const struct record_set *wanted, struct fault *fault)
{
	struct record_set record = *wanted;
	struct meta_change change = { META_PUT, META_SET, &record };
	const struct control_set *set;
	unsigned count = 0;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	control_set_name_object(record.name, object);
	list_for_each(set, &control->sets, link)
		count++;
	if (find_set(control, record.name))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "choose another name",
				 "there is a set of this name");
	if (count >= CONTROL_SETS_MAX)
		return fault_set(fault, FAULT_FAILED, object, "delete one: xdc set list",
				 "a system has at most %u sets", CONTROL_SETS_MAX);
	record.created_wall_ns = rt_wall_ns();
	if (control_set_load(control, &record) != 0)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_commit(control, &change, 1, object, fault)) {
		drop_set(find_set(control, record.name));
		return -1;
	}
	log_line(LOG_NOTICE, "control", "%s made: %s, of %s", object, set_kind_names[record.kind],
		 set_member_kind_names[record.of]);
	return 0;
}

/* The set is free for a change; under the lock. */
struct control_set *control_set_need_idle(struct control *control, const char *name, struct fault *fault)
{
	struct control_set *set = need_set(control, name, fault);
	char object[64];

	if (!set || !set->busy)
		return set;
	control_set_name_object(name, object);
	fault_set(fault, FAULT_IN_USE, object, "wait for that, then try again", "another command works on it");
	return NULL;
}

int control_set_delete(struct control *control, const char *name, struct fault *fault)
{
	struct meta_change change = { META_DELETE, META_SET, NULL };
	struct control_set *set;
	char object[64];

	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	set = control_set_need_idle(control, name, fault);
	if (!set)
		return -1;
	control_set_name_object(name, object);
	if (set->count)
		return fault_set(fault, FAULT_IN_USE, object, "take them out: xdc set remove", "it has %u member%s",
				 set->count, set->count == 1 ? "" : "s");
	change.record = &set->record;
	if (control_commit(control, &change, 1, object, fault))
		return -1;
	drop_set(set);
	log_line(LOG_NOTICE, "control", "%s deleted", object);
	return 0;
}

/* ---- add, remove ---- */

static int check_pair(struct control *control, const struct control_set *set, uint16_t volume, const char *object,
		      struct fault *fault)
{
	const struct control_set *other = set_of(control, volume, SET_OF_PAIRS);
	const struct copy_pair_name name = { .volume = volume };
	struct copy_pair_info pair;

	if (copy_pair_count(control->copy, volume) > 1)
		return fault_set(fault, FAULT_IN_USE, object, "do it to each: xdc pair", "it has more than one pair");
	if (!copy_pair_get(control->copy, &name, &pair))
		return fault_set(fault, FAULT_IN_USE, object, "xdc pair create, or a set of volumes",
				 "the set is of pairs, and it is in none");
	if (other)
		return fault_set(fault, FAULT_IN_A_SET, object, "take it out there: xdc set remove",
				 "its pair is in set %s", other->record.name);
	if (set->record.has_type && pair.type != set->record.type)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "choose a set of its type",
				 "its pair is %s, and the set is for %s", pair_type_names[pair.type],
				 pair_type_names[set->record.type]);
	return 0;
}

/* What is in a set stays until somebody takes it out. */
static int check_flash(struct control *control, uint16_t volume, const char *object, struct fault *fault)
{
	const struct control_set *other = set_of(control, volume, SET_OF_FLASHCOPIES);
	struct record_flash flash;

	if (!copy_flash_get(control->copy, volume, &flash))
		return fault_set(fault, FAULT_IN_USE, object, "name the targets: xdc flash list",
				 "the set is of FlashCopies, and it is the target of none");
	if (other)
		return fault_set(fault, FAULT_IN_A_SET, object, "take it out there: xdc set remove",
				 "its FlashCopy is in set %s", other->record.name);
	if (flash.practice)
		return fault_set(fault, FAULT_IN_USE, object, "xdc session practice, and unpractice",
				 "its FlashCopy is of the practice copy of session %u", flash.practice);
	if (flash.state == FLASH_REVERTIBLE)
		return fault_set(fault, FAULT_IN_USE, object, "xdc flash commit, or xdc flash revert",
				 "its FlashCopy is not committed yet");
	if (!flash.persistent && !flash.no_copy)
		return fault_set(fault, FAULT_IN_USE, object, "xdc flash create --record, or --persistent",
				 "its FlashCopy ends by itself when all is copied");
	return 0;
}

static int check_member(struct control *control, const struct control_set *set, uint16_t volume, struct fault *fault)
{
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!control_volume_need(control, volume, fault))
		return -1;
	if (find_member(set, volume))
		return fault_set(fault, FAULT_IN_A_SET, object, "", "it is in this set already");
	switch (set->record.of) {
	case SET_OF_PAIRS:
		return check_pair(control, set, volume, object, fault);
	case SET_OF_FLASHCOPIES:
		return check_flash(control, volume, object, fault);
	default:
		return 0;
	}
}

int control_set_commit_members(struct control *control, enum meta_op op, const struct record_set_member *records,
			       unsigned count, const char *object, struct fault *fault)
{
	MEM_OWNED struct meta_change *changes = mem_alloc(count * sizeof(*changes));

	if (!changes)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	for (unsigned i = 0; i < count; i++)
		changes[i] = (struct meta_change){ op, META_SET_MEMBER, &records[i] };
	return control_commit(control, changes, count, object, fault);
}

static void leave_members(struct control_set *set, const struct record_set_member *records, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		control_set_drop_member(set, records[i].volume);
}

int control_set_add(struct control *control, const char *name, const uint16_t *volumes, unsigned count,
		    struct fault *fault)
{
	MEM_OWNED struct record_set_member *records = mem_alloc_zeroed(count * sizeof(*records));
	struct control_set *set;
	char object[64];
	unsigned entered = 0;
	int rc = 0;

	control_set_name_object(name, object);
	if (!records)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	set = control_set_need_idle(control, name, fault);
	if (!set)
		return -1;
	if (set->count + count > CONTROL_SET_MEMBERS_MAX)
		return fault_set(fault, FAULT_FAILED, object, "make another set", "a set has at most %u members",
				 CONTROL_SET_MEMBERS_MAX);
	for (; rc == 0 && entered < count; entered += rc == 0) {
		rc = check_member(control, set, volumes[entered], fault);
		snprintf(records[entered].set, sizeof(records[0].set), "%s", name);
		records[entered].volume = volumes[entered];
		if (rc == 0 && enter_member(set, &records[entered]) != 0)
			rc = fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	}
	if (rc == 0)
		rc = control_set_commit_members(control, META_PUT, records, count, object, fault);
	if (rc)
		leave_members(set, records, entered);
	else
		log_line(LOG_NOTICE, "control", "%s: %u added, %u members", object, count, set->count);
	return rc;
}

int control_set_remove(struct control *control, const char *name, const uint16_t *volumes, unsigned count,
		       struct fault *fault)
{
	MEM_OWNED struct record_set_member *records = mem_alloc_zeroed(count * sizeof(*records));
	struct control_set *set;
	char object[64], volume[16];

	control_set_name_object(name, object);
	if (!records)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	set = control_set_need_idle(control, name, fault);
	if (!set)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		const struct control_set_member *member = find_member(set, volumes[i]);

		snprintf(volume, sizeof(volume), "volume %04X", volumes[i]);
		if (!member)
			return fault_set(fault, FAULT_NOT_IN_SET, volume, "xdc set show", "it is not in set %s", name);
		for (unsigned other = 0; other < i; other++)
			if (records[other].volume == volumes[i])
				return fault_set(fault, FAULT_NOT_IN_SET, volume, "name it once", "it is named twice");
		records[i] = member->record;
	}
	if (control_set_commit_members(control, META_DELETE, records, count, object, fault))
		return -1;
	leave_members(set, records, count);
	log_line(LOG_NOTICE, "control", "%s: %u removed, %u members", object, count, set->count);
	return 0;
}

/* ---- show ---- */

static void get_info(const struct control_set *set, struct set_info *info)
{
	*info = (struct set_info){ .record = set->record, .members = set->count };
}

int control_set_get(struct control *control, const char *name, struct set_info *info, struct fault *fault)
{
	const struct control_set *set = need_set(control, name, fault);

	if (!set)
		return -1;
	get_info(set, info);
	return 0;
}

void control_set_each(struct control *control, void (*each)(void *arg, const struct set_info *info), void *arg)
{
	const struct control_set *set;
	struct set_info info;

	list_for_each(set, &control->sets, link) {
		get_info(set, &info);
		each(arg, &info);
	}
}

int control_set_each_member(struct control *control, const char *name, void (*each)(void *arg, uint16_t volume),
			    void *arg, struct fault *fault)
{
	const struct control_set *set = need_set(control, name, fault);
	const struct control_set_member *member;

	if (!set)
		return -1;
	list_for_each(member, &set->members, link)
		each(arg, member->record.volume);
	return 0;
}
