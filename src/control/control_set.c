/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets: volumes, or pairs, that are named together (the ConsistencySets and SynchronizedSets of the seed page), and
 * what is done to all pairs of a set at one moment.
 */
#include "control/control_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

#define SETS_MAX	1024u

/* How long hosts may wait at the fracture of a set: then their writes go on, and nothing has changed. */
#define FRACTURE_LIMIT_NS	(10 * RT_SECOND)

static void name_object(const char *name, char object[64])
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
	name_object(name, object);
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
static int enter_member(struct control_set *set, const struct record_set_member *record)
{
	struct control_set_member *member = mem_alloc_zeroed(sizeof(*member)), *next;

	if (!member)
		return -ENOMEM;
	member->record = *record;
	list_for_each(next, &set->members, link)
		if (next->record.volume > record->volume)
			break;
	list_add_last(&next->link, &member->link);
	set->count++;
	return 0;
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

/* The set of pairs (or of volumes) that the volume is in; NULL: none. */
static const struct control_set *set_of(const struct control *control, uint16_t volume, enum set_member_kind kind)
{
	const struct control_set *set;

	list_for_each(set, &control->sets, link)
		if (set->record.of == kind && find_member(set, volume))
			return set;
	return NULL;
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
	name_object(record.name, object);
	list_for_each(set, &control->sets, link)
		count++;
	if (find_set(control, record.name))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "choose another name",
				 "there is a set of this name");
	if (count >= SETS_MAX)
		return fault_set(fault, FAULT_FAILED, object, "delete one: xdc set list",
				 "a system has at most %u sets", SETS_MAX);
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
static struct control_set *need_idle(struct control *control, const char *name, struct fault *fault)
{
	struct control_set *set = need_set(control, name, fault);
	char object[64];

	if (!set || !set->busy)
		return set;
	name_object(name, object);
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
	set = need_idle(control, name, fault);
	if (!set)
		return -1;
	name_object(name, object);
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

static int check_member(struct control *control, const struct control_set *set, uint16_t volume, struct fault *fault)
{
	const struct control_set *other = set_of(control, volume, SET_OF_PAIRS);
	const struct copy_pair_name name = { .volume = volume };
	struct copy_pair_info pair;
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!control_volume_need(control, volume, fault))
		return -1;
	if (find_member(set, volume))
		return fault_set(fault, FAULT_IN_A_SET, object, "", "it is in this set already");
	if (set->record.of == SET_OF_VOLUMES)
		return 0;
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

/* All or nothing: records has as many. */
static int commit_members(struct control *control, enum meta_op op, const struct record_set_member *records,
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
		drop_member(set, find_member(set, records[i].volume));
}

int control_set_add(struct control *control, const char *name, const uint16_t *volumes, unsigned count,
		    struct fault *fault)
{
	MEM_OWNED struct record_set_member *records = mem_alloc_zeroed(count * sizeof(*records));
	struct control_set *set;
	char object[64];
	unsigned entered = 0;
	int rc = 0;

	name_object(name, object);
	if (!records)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	set = need_idle(control, name, fault);
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
		rc = commit_members(control, META_PUT, records, count, object, fault);
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

	name_object(name, object);
	if (!records)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	set = need_idle(control, name, fault);
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
	if (commit_members(control, META_DELETE, records, count, object, fault))
		return -1;
	leave_members(set, records, count);
	log_line(LOG_NOTICE, "control", "%s: %u removed, %u members", object, count, set->count);
	return 0;
}

/* Of a pair that is no more. */
static void forget_member(struct control *control, struct control_set *set, uint16_t volume)
{
	struct control_set_member *member = find_member(set, volume);
	struct fault fault;
	char object[64];

	name_object(set->record.name, object);
	if (commit_members(control, META_DELETE, &member->record, 1, object, &fault))
		log_line(LOG_WARNING, "control", "%s: volume %04X stays in it, without its pair: %s", object, volume,
			 fault.message);
	else
		drop_member(set, member);
}

/* ---- all pairs of a set ---- */

/* The set and its volumes are kept by it, without the lock: no other command changes them. */
struct work {
	struct control_set *set;
	unsigned count;
	struct work_item {
		struct control_volume *volume;
	} *items;
};

static void end_work(struct work *work)
{
	for (unsigned i = 0; i < work->count; i++)
		work->items[i].volume->busy = NULL;
	mem_free(work->items);
	work->set->busy = false;
}

static int check_item(struct control *control, const struct control_volume *volume, bool at_source,
		      struct fault *fault)
{
	const struct copy_pair_name name = { .volume = volume->record.id };
	struct copy_pair_info pair;
	char object[16];

	snprintf(object, sizeof(object), "volume %04X", volume->record.id);
	if (!copy_pair_get(control->copy, &name, &pair))
		return fault_set(fault, FAULT_FAILED, object, "take it out of the set: xdc set remove",
				 "its pair is gone");
	if (at_source && !pair.is_source)
		return fault_set(fault, FAULT_IN_USE, object, "do it at the system of the source",
				 "it is the target of its pair");
	if (volume->busy)
		return fault_set(fault, FAULT_IN_USE, object, "wait for that, then try again", "%s", volume->busy);
	if (!volume->volume)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it is offline");
	return 0;
}

static int begin_work(struct control *control, const char *name, bool at_source, struct work *work,
		      struct fault *fault)
{
	struct control_set_member *member;
	struct control_set *set;
	char object[64];

	*work = (struct work){ .set = NULL };
	if (control_enter(control, fault))
		return -1;
	CONTROL_ENTERED(control);
	name_object(name, object);
	set = need_idle(control, name, fault);
	if (!set)
		return -1;
	if (set->record.of != SET_OF_PAIRS)
		return fault_set(fault, FAULT_IN_USE, object, "make a set of pairs: xdc set create NAME --of pairs",
				 "it is a set of volumes, and this is done to pairs");
	if (!set->count)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc set add", "it is empty");
	work->items = mem_alloc_zeroed(set->count * sizeof(*work->items));
	if (!work->items)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	work->set = set;
	set->busy = true;
	list_for_each(member, &set->members, link) {
		struct control_volume *volume = control_volume_need(control, member->record.volume, fault);

		if (!volume || check_item(control, volume, at_source, fault)) {
			end_work(work);
			return -1;
		}
		volume->busy = "a command works on its set";
		work->items[work->count++].volume = volume;
	}
	return 0;
}

/* Does it to each, also after one has failed; the first fault stands. */
static int do_to_each(struct control *control, const struct work *work,
		      int (*fn)(struct copy *copy, const struct copy_pair_name *name, struct fault *fault),
		      struct fault *fault)
{
	struct fault other;
	int rc = 0;

	for (unsigned i = 0; i < work->count; i++) {
		const struct copy_pair_name pair = { .volume = work->items[i].volume->record.id };

		if (fn(control->copy, &pair, rc ? &other : fault))
			rc = -1;
	}
	return rc;
}

/* All show one moment. */
static int fracture(struct control *control, const struct work *work, const char *object, struct fault *fault)
{
	MEM_OWNED uint16_t *volumes = mem_alloc(work->count * sizeof(*volumes));

	if (!volumes)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	for (unsigned i = 0; i < work->count; i++)
		volumes[i] = work->items[i].volume->record.id;
	return copy_pairs_fracture(control->copy, object, volumes, work->count, FRACTURE_LIMIT_NS, fault);
}

int control_set_fracture(struct control *control, const char *name, struct fault *fault)
{
	RT_SHIELD();
	struct work work;
	char object[64];
	int rc;

	name_object(name, object);
	if (begin_work(control, name, true, &work, fault))
		return -1;
	rc = fracture(control, &work, object, fault);
	end_work(&work);
	if (rc == 0)
		log_line(LOG_NOTICE, "control", "%s fractured", object);
	return rc;
}

int control_set_resync(struct control *control, const char *name, struct fault *fault)
{
	struct work work;
	int rc;

	if (begin_work(control, name, true, &work, fault))
		return -1;
	rc = do_to_each(control, &work, copy_pair_resume, fault);
	end_work(&work);
	return rc;
}

/* What hosts have written is on disk, so that a point in time of all of them takes little. */
int control_set_prepare(struct control *control, const char *name, struct fault *fault)
{
	struct work work;
	char object[16];
	int rc = 0;

	if (begin_work(control, name, false, &work, fault))
		return -1;
	for (unsigned i = 0; rc == 0 && i < work.count; i++) {
		rc = control_volume_sync(work.items[i].volume);
		snprintf(object, sizeof(object), "volume %04X", work.items[i].volume->record.id);
		if (rc < 0)
			rc = control_fault_errno(fault, object, "see xdc volume show", rc, "its disk cannot sync");
	}
	end_work(&work);
	return rc;
}

/* The members first: a pair in a set is not deleted. Of those that cannot be deleted the first fault is told. */
int control_set_delete_pairs(struct control *control, const char *name, struct fault *fault)
{
	struct work work;
	struct fault other;
	int rc = 0;

	if (begin_work(control, name, true, &work, fault))
		return -1;
	for (unsigned i = 0; i < work.count; i++) {
		const struct copy_pair_name pair = { .volume = work.items[i].volume->record.id };

		if (copy_pair_delete(control->copy, &pair, false, rc ? &other : fault))
			rc = -1;
		else
			forget_member(control, work.set, pair.volume);
	}
	end_work(&work);
	return rc;
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
