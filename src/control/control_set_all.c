/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to all pairs, or all FlashCopies, of a set: at one moment where it has one. */
#include "control/control_private.h"

#include <stdio.h>

#include "rt/log.h"
#include "rt/mem.h"

/* How long hosts may wait for the moment: then their writes go on, and nothing has changed. */
#define FRACTURE_LIMIT_NS	(10 * RT_SECOND)
#define RESYNC_LIMIT_NS		(30 * RT_SECOND)

/* Which sets it is not done to, beside those of volumes; SET_OF_VOLUMES: to those alone. And why. */
struct order {
	bool at_source;				/* of a pair: only at the system of its source */
	enum set_member_kind refused;
	const char *why, *remedy;
};

/* The set and its volumes are kept by it, without the lock: no other command changes them. */
struct work {
	struct control_set *set;
	unsigned count;
	uint16_t volumes[CONTROL_SET_MEMBERS_MAX];	/* of FlashCopies: the targets */
	struct work_item {
		struct control_volume *volume;
		uint16_t source;			/* of a FlashCopy */
		struct record_set_member before, after;
		bool stays;				/* its FlashCopy, the other way round */
	} *items;
};

static bool is_of_flashes(const struct work *work)
{
	return work->set->record.of == SET_OF_FLASHCOPIES;
}

static void end_work(struct work *work)
{
	for (unsigned i = 0; i < work->count; i++)
		work->items[i].volume->busy = NULL;
	mem_free(work->items);
	work->set->busy = false;
	mem_free(work);
}

/* ---- what stands in the way ---- */

static int check_pair(struct control *control, const struct control_volume *volume, const struct order *order,
		      const char *object, struct fault *fault)
{
	const struct copy_pair_name name = { .volume = volume->record.id };
	struct copy_pair_info pair;

	if (!copy_pair_get(control->copy, &name, &pair))
		return fault_set(fault, FAULT_FAILED, object, "take it out of the set: xdc set remove",
				 "its pair is gone");
	if (order->at_source && !pair.is_source)
		return fault_set(fault, FAULT_IN_USE, object, "do it at the system of the source",
				 "it is the target of its pair");
	if (!volume->volume)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it is offline");
	return 0;
}

/* What else hinders it the copy services know. */
static int check_flash(struct control *control, struct work_item *item, const char *object, struct fault *fault)
{
	struct record_flash flash;

	if (!copy_flash_get(control->copy, item->volume->record.id, &flash))
		return fault_set(fault, FAULT_FAILED, object, "take it out of the set: xdc set remove",
				 "its FlashCopy is gone");
	item->source = flash.source;
	return 0;
}

static int begin_item(struct control *control, struct work *work, const struct record_set_member *member,
		      const struct order *order, struct fault *fault)
{
	struct control_volume *volume = control_volume_need(control, member->volume, fault);
	struct work_item *item = &work->items[work->count];
	char object[16];

	if (!volume)
		return -1;
	snprintf(object, sizeof(object), "volume %04X", member->volume);
	*item = (struct work_item){ .volume = volume, .before = *member };
	if (is_of_flashes(work) ? check_flash(control, item, object, fault) :
	    check_pair(control, volume, order, object, fault))
		return -1;
	if (volume->busy)
		return fault_set(fault, FAULT_IN_USE, object, "wait for that, then try again", "%s", volume->busy);
	volume->busy = "a command works on its set";
	work->volumes[work->count++] = member->volume;
	return 0;
}

static int check_kind(const struct control_set *set, const struct order *order, const char *object,
		      struct fault *fault)
{
	if (set->record.of == SET_OF_VOLUMES)
		return fault_set(fault, FAULT_IN_USE, object, "make a set of pairs: xdc set create NAME --of pairs",
				 "it is a set of volumes, and this is done to pairs and FlashCopies");
	if (set->record.of == order->refused)
		return fault_set(fault, FAULT_IN_USE, object, order->remedy, "%s", order->why);
	if (!set->count)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc set add", "it is empty");
	return 0;
}

/* NULL: the fault says why. */
static struct work *make_work(struct control_set *set, const char *object, struct fault *fault)
{
	struct work *work = mem_alloc_zeroed(sizeof(*work));

	if (work)
		work->items = mem_alloc_zeroed(set->count * sizeof(*work->items));
	if (work && work->items) {
		work->set = set;
		set->busy = true;
		return work;
	}
	mem_free(work);
	fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	return NULL;
}

static struct work *begin_work(struct control *control, const char *name, const struct order *order,
			       struct fault *fault)
{
	struct control_set_member *member;
	struct control_set *set;
	struct work *work;
	char object[64];

	if (control_enter(control, fault))
		return NULL;
	CONTROL_ENTERED(control);
	control_set_name_object(name, object);
	set = control_set_need_idle(control, name, fault);
	if (!set || check_kind(set, order, object, fault))
		return NULL;
	work = make_work(set, object, fault);
	if (!work)
		return NULL;
	list_for_each(member, &set->members, link) {
		if (begin_item(control, work, &member->record, order, fault)) {
			end_work(work);
			return NULL;
		}
	}
	return work;
}

/* ---- fracture ---- */

int control_set_fracture(struct control *control, const char *name, struct fault *fault)
{
	static const struct order order = {
		.at_source = true, .refused = SET_OF_FLASHCOPIES,
		.why = "it is of FlashCopies: they follow nothing, so there is nothing to suspend",
		.remedy = "xdc set resync, or xdc set restore",
	};
	RT_SHIELD();
	struct work *work = begin_work(control, name, &order, fault);
	char object[64];
	int rc;

	if (!work)
		return -1;
	control_set_name_object(name, object);
	rc = copy_pairs_fracture(control->copy, object, work->volumes, work->count, FRACTURE_LIMIT_NS, fault);
	end_work(work);
	if (rc == 0)
		log_line(LOG_NOTICE, "control", "%s fractured", object);
	return rc;
}

/* ---- resync ---- */

/* Does it to each, also after one has failed; the first fault stands. */
static int resume_each(struct control *control, const struct work *work, struct fault *fault)
{
	struct fault other;
	int rc = 0;

	for (unsigned i = 0; i < work->count; i++) {
		const struct copy_pair_name pair = { .volume = work->volumes[i] };

		if (copy_pair_resume(control->copy, &pair, rc ? &other : fault))
			rc = -1;
	}
	return rc;
}

static int resync_together(struct control *control, const struct work *work, struct fault *fault)
{
	RT_SHIELD();

	return copy_flashes_resync(control->copy, work->volumes, work->count, RESYNC_LIMIT_NS, fault);
}

int control_set_resync(struct control *control, const char *name, struct fault *fault)
{
	static const struct order order = { .at_source = true };
	struct work *work = begin_work(control, name, &order, fault);
	int rc;

	if (!work)
		return -1;
	rc = is_of_flashes(work) ? resync_together(control, work, fault) : resume_each(control, work, fault);
	end_work(work);
	return rc;
}

/* ---- restore ---- */

/* A set names a FlashCopy by its target alone, and the sources become the targets. */
static int check_sources(struct control *control, const struct work *work, struct fault *fault)
{
	char object[16];

	for (unsigned i = 0; i < work->count; i++) {
		uint16_t source = work->items[i].source;

		snprintf(object, sizeof(object), "volume %04X", source);
		if (control_check_no_set(control, source, SET_OF_FLASHCOPIES, object, fault))
			return -1;
	}
	return 0;
}

/* The member follows its FlashCopy, or leaves with one that ends by itself. */
static unsigned follow(void *arg, unsigned index, const struct record_flash *next, struct meta_change *changes)
{
	struct work *work = arg;
	struct work_item *item = &work->items[index];

	item->after = item->before;
	item->after.volume = next->target;
	item->stays = !next->restore;
	changes[0] = (struct meta_change){ META_DELETE, META_SET_MEMBER, &item->before };
	changes[1] = (struct meta_change){ META_PUT, META_SET_MEMBER, &item->after };
	return item->stays ? 2 : 1;
}

int control_set_restore(struct control *control, const char *name, struct fault *fault)
{
	static const struct order order = {
		.refused = SET_OF_PAIRS,
		.why = "the targets of its pairs are volumes of other systems, which decide on that",
		.remedy = "at the system of the targets: xdc pair failover, then xdc pair failback",
	};
	RT_SHIELD();
	struct work *work = begin_work(control, name, &order, fault);
	struct copy_flash_reversal what = { .also = follow, .arg = work };
	int rc;

	if (!work)
		return -1;
	what.targets = work->volumes;
	what.count = work->count;
	rc = check_sources(control, work, fault);
	if (rc == 0)
		rc = copy_flashes_reverse(control->copy, &what, fault);
	for (unsigned i = 0; rc == 0 && i < work->count; i++) {
		const struct work_item *item = &work->items[i];

		if (item->stays)
			control_set_move_member(work->set, item->before.volume, item->after.volume);
		else
			control_set_drop_member(work->set, item->before.volume);
	}
	end_work(work);
	if (rc == 0)
		log_line(LOG_NOTICE, "control", "set %s restored", name);
	return rc;
}

/* ---- prepare ---- */

static int sync_item(struct control *control, const struct work *work, const struct work_item *item,
		     struct fault *fault)
{
	struct control_volume *volume =
		is_of_flashes(work) ? control_volume_need(control, item->source, fault) : item->volume;
	char object[16];
	int rc;

	if (!volume)
		return -1;
	snprintf(object, sizeof(object), "volume %04X", volume->record.id);
	if (!volume->volume)
		return fault_set(fault, FAULT_FAILED, object, "see the log", "it is offline");
	rc = control_volume_sync(volume);
	return rc < 0 ? control_fault_errno(fault, object, "see xdc volume show", rc, "its disk cannot sync") : 0;
}

/* What hosts have written is on disk, so that a point in time of all of them takes little. */
int control_set_prepare(struct control *control, const char *name, struct fault *fault)
{
	static const struct order order = { .at_source = false };
	struct work *work = begin_work(control, name, &order, fault);
	int rc = 0;

	if (!work)
		return -1;
	for (unsigned i = 0; rc == 0 && i < work->count; i++)
		rc = sync_item(control, work, &work->items[i], fault);
	end_work(work);
	return rc;
}

/* ---- delete ---- */

/* Of a copy that is no more. */
static void forget_member(struct control *control, const struct work *work, const struct work_item *item)
{
	struct fault fault;
	char object[64];

	control_set_name_object(work->set->record.name, object);
	if (control_set_commit_members(control, META_DELETE, &item->before, 1, object, &fault))
		log_line(LOG_WARNING, "control", "%s: volume %04X stays in it, without its copy: %s", object,
			 item->before.volume, fault.message);
	else
		control_set_drop_member(work->set, item->before.volume);
}

static int delete_item(struct control *control, const struct work *work, const struct work_item *item, bool force,
		       struct fault *fault)
{
	const struct copy_pair_name pair = { .volume = item->before.volume };

	return is_of_flashes(work) ? copy_flash_delete(control->copy, pair.volume, force, fault) :
	       copy_pair_delete(control->copy, &pair, force, fault);
}

/* Of those that cannot be deleted the first fault is told. */
int control_set_delete_pairs(struct control *control, const char *name, bool force, struct fault *fault)
{
	static const struct order order = { .at_source = true };
	struct work *work = begin_work(control, name, &order, fault);
	struct fault other;
	int rc = 0;

	if (!work)
		return -1;
	for (unsigned i = 0; i < work->count; i++) {
		if (delete_item(control, work, &work->items[i], force, rc ? &other : fault))
			rc = -1;
		else
			forget_member(control, work, &work->items[i]);
	}
	end_work(work);
	return rc;
}
