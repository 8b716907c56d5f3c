/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_hold.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/volume_set.h"
#include "rt/mem.h"
#include "store/planted.h"

#define STAND_NS	(10 * RT_SECOND)	/* for what is under way to have come to the volumes */
#define BRING_NS	(10 * RT_SECOND)	/* for the group to be in the volumes */
#define STOP_NS		(3 * RT_SECOND)		/* for all far sides to hear which group is meant */

static const char *object_of(const struct leg_hold *hold, char text[64])
{
	snprintf(text, 64, "session %u", hold->session);
	return text;
}

static int fault_no_memory(const struct leg_hold *hold, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(hold, object), "try again", "no memory");
}

/* ---- whose they are ---- */

/* It can show a group, and no recovery has it. */
static int check_leg(const struct leg_hold *hold, struct leg *leg, struct fault *fault)
{
	char object[64], why[WIRE_TEXT_SIZE];
	struct journal_info info;

	object_of(hold, object);
	if (leg_check_online(leg, why))
		return fault_set(fault, FAULT_FAILED, object, "xdc session show says what to do", "%s", why);
	leg_get_info(leg, &info);
	if (info.epoch || leg->record.recovered_sequence)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object,
				 "xdc flash group copies its volumes as they are",
				 "it was recovered here: its volumes are production");
	if (leg->gone)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list", "it is being ended");
	return 0;
}

static int check_all(const struct leg_hold *hold, struct fault *fault)
{
	for (unsigned i = 0; i < hold->count; i++) {
		if (check_leg(hold, hold->legs[i], fault))
			return -1;
	}
	return 0;
}

static int find_legs(struct leg_hold *hold, const uint8_t *key, struct fault *fault)
{
	struct leg *leg;

	list_for_each(leg, &hold->copy->legs, link) {
		if (leg->gone || leg->record.session != hold->session ||
		    memcmp(leg->record.key, key, WIRE_KEY_SIZE) != 0 || hold->count == WIRE_MEMBERS_MAX)
			continue;
		leg_pin(leg);
		hold->legs[hold->count++] = leg;
	}
	return check_all(hold, fault);
}

/* ---- their volumes ---- */

/* In the group, and got it: not those that left their pair or are production. */
static int add_volume(const struct leg *leg, uint16_t volume, struct volume_set *set, struct fault *fault)
{
	const struct pair *pair = pair_find_target(leg->copy, leg->record.source_system, volume);
	char object[64];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (pair_left_find(leg->copy, volume, leg->record.source_system))
		return fault_set(fault, FAULT_FAILED, object, "mend that and restart xdcd",
				 "it is in the group, and offline");
	if (pair && leg_owes(leg, &pair->record))
		volume_set_add(set, volume);
	return 0;
}

static int add_group(struct leg_hold *hold, const struct leg *leg, const struct journal_cg *cg, struct volume_set *set,
		     struct fault *fault)
{
	if (hold->at || cg->number == hold->number)
		hold->cg_wall_ns = (int64_t)cg->session_time_us * RT_US;
	for (uint32_t i = 0; i < cg->volume_count; i++) {
		if (add_volume(leg, cg->volumes[i], set, fault))
			return -1;
	}
	return 0;
}

/* A leg that was not in the older group has no volumes in it. */
static int add_volumes_of(struct leg_hold *hold, unsigned index, struct volume_set *set, struct fault *fault)
{
	struct leg *leg = hold->legs[index];
	const struct journal_cg *cg = leg_committed_cg(leg);
	MEM_OWNED struct journal_cg *older = NULL;
	char object[64];
	int rc;

	hold->shows[index] = cg != NULL;
	if (!cg || !hold->at || cg->number == hold->at)
		return cg ? add_group(hold, leg, cg, set, fault) : 0;
	rc = journal_read_point(leg->journal, hold->at, &older);
	if (rc && rc != -ENOENT)
		return fault_set(fault, FAULT_FAILED, object_of(hold, object), "repeat the command",
				 "what CG %llu shows cannot be read: %s", (unsigned long long)hold->at,
				 strerrordesc_np(-rc));
	hold->shows[index] = !rc;
	return rc ? 0 : add_group(hold, leg, older, set, fault);
}

static int list_volumes(struct leg_hold *hold, struct fault *fault)
{
	MEM_OWNED struct volume_set *set = mem_alloc_zeroed(sizeof(*set));
	uint32_t id = 0, count = 0;

	if (!set)
		return fault_no_memory(hold, fault);
	for (unsigned i = 0; i < hold->count; i++) {
		if (add_volumes_of(hold, i, set, fault))
			return -1;
	}
	for (; volume_set_next(set, &id); id++)
		count++;
	mem_free(hold->volumes);
	hold->volume_count = 0;
	hold->volumes = mem_alloc((count + 1) * sizeof(hold->volumes[0]));
	if (!hold->volumes)
		return fault_no_memory(hold, fault);
	for (id = 0; volume_set_next(set, &id) && hold->volume_count < count; id++)
		hold->volumes[hold->volume_count++] = (uint16_t)id;
	return 0;
}

int leg_hold_find(struct leg_hold *hold, struct copy *copy, uint8_t session, const uint8_t *key, uint64_t at,
		  struct fault *fault)
{
	*hold = (struct leg_hold){ .copy = copy, .session = session, .at = at };
	return find_legs(hold, key, fault) ? -1 : list_volumes(hold, fault);
}

/* ---- standing still ---- */

static int fault_waiting(const struct leg_hold *hold, const struct leg *leg, int error, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_TIMEOUT, object_of(hold, object),
			 "repeat the command; xdc session show says what it waits for",
			 "the volumes of system %s are not brought to the same group as the others': %s",
			 leg->record.source_system, strerrordesc_np(-error));
}

int leg_hold_begin(struct leg_hold *hold, struct fault *fault)
{
	int rc = 0;
	RT_LIMIT(rt_now_ns() + STAND_NS);

	hold->holds = true;
	for (unsigned i = 0; i < hold->count; i++) {
		hold->legs[i]->held++;
		/* One that rests has nothing to rest for. */
		rt_cond_wake_all(&hold->legs[i]->committed);
	}
	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		while (leg->applying && !rc)
			rc = rt_cond_wait(&leg->committed);
		if (rc)
			return fault_waiting(hold, leg, rc, fault);
	}
	return check_all(hold, fault);
}

int leg_hold_stop(struct leg_hold *hold, struct fault *fault)
{
	int64_t until_ns = rt_now_ns() + STOP_NS;
	int rc = 0;
	RT_LIMIT(until_ns);

	for (unsigned i = 0; i < hold->count && !planted(PLANTED_PRACTICE_UNEVEN); i++)
		hold->legs[i]->commits_from_ns = until_ns;
	/* What had begun before is in the answer. */
	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		while (leg->committing && !rc)
			rc = rt_cond_wait(&leg->committed);
		if (rc)
			return fault_waiting(hold, leg, rc, fault);
	}
	return check_all(hold, fault);
}

/* ---- to one group ---- */

/* Some far side has it committed, so it is whole, and may be committed where it is prepared. */
static int commit(const struct leg_hold *hold, struct leg *leg, uint64_t number, struct fault *fault)
{
	struct journal_info info;
	char object[64];
	int rc = 0;

	leg_get_info(leg, &info);
	if (info.committed < number && info.prepared == number)
		rc = journal_commit(leg->journal, number, info.incarnation);
	leg_get_info(leg, &info);
	if (rc || (info.committed > number && !planted(PLANTED_PRACTICE_UNEVEN)))
		return fault_set(fault, FAULT_IN_USE, object_of(hold, object), "repeat the command",
				 "what system %s sends here is not at CG %llu any more%s%s",
				 leg->record.source_system, (unsigned long long)number, rc ? ": " : "",
				 rc ? strerrordesc_np(-rc) : "");
	return 0;
}

/* One that is behind is not in the group: no volume of it is meant. */
static void let_others_go(struct leg_hold *hold)
{
	unsigned count = hold->count;

	hold->count = 0;
	for (unsigned i = 0; i < count; i++) {
		struct leg *leg = hold->legs[i];
		struct journal_info info;

		leg_get_info(leg, &info);
		if (info.committed >= hold->number) {
			hold->legs[hold->count++] = leg;
			continue;
		}
		leg->held--;
		rt_cond_wake_all(&leg->committed);
		leg_unpin(leg);
	}
}

static void go_on_committing(const struct leg_hold *hold)
{
	for (unsigned i = 0; i < hold->count; i++) {
		hold->legs[i]->commits_from_ns = 0;
		rt_cond_wake_all(&hold->legs[i]->committed);
	}
}

static bool is_brought(const struct leg_hold *hold, const struct journal_info *info)
{
	return info->applied == hold->number || planted(PLANTED_PRACTICE_UNEVEN) ||
	       planted(PLANTED_PRACTICE_UNAPPLIED);
}

static int wait_let(const struct leg_hold *hold, struct leg *leg, struct fault *fault)
{
	struct journal_info info;
	int rc = 0;

	while (leg->let && !rc && leg_is_online(leg))
		rc = rt_cond_wait(&leg->committed);
	if (check_leg(hold, leg, fault))
		return -1;
	leg_get_info(leg, &info);
	if (rc || !is_brought(hold, &info))
		return fault_waiting(hold, leg, rc ? rc : leg->apply_error ? leg->apply_error : -EIO, fault);
	return 0;
}

static int wait_all(const struct leg_hold *hold, struct fault *fault)
{
	for (unsigned i = 0; i < hold->count; i++) {
		if (wait_let(hold, hold->legs[i], fault))
			return -1;
	}
	return 0;
}

/* In the step in which all have this group: what is committed later is not in the pass. */
static void let_all(struct leg_hold *hold)
{
	struct journal_info info;
	struct fault ignored;

	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		leg_get_info(leg, &info);
		if (info.applied >= info.committed || planted(PLANTED_PRACTICE_UNAPPLIED))
			continue;
		journal_apply_begin(leg->journal);
		leg->let = true;
		rt_cond_wake_all(&leg->committed);
		/* The mistake: one after the other. */
		if (planted(PLANTED_PRACTICE_UNEVEN))
			(void)!wait_let(hold, leg, &ignored);
	}
}

int leg_hold_bring(struct leg_hold *hold, uint64_t number, struct fault *fault)
{
	int rc = 0;
	RT_LIMIT(rt_now_ns() + BRING_NS);

	hold->number = number;
	for (unsigned i = 0; i < hold->count && !rc; i++)
		rc = commit(hold, hold->legs[i], number, fault);
	if (!rc)
		rc = check_all(hold, fault);
	if (!rc) {
		let_others_go(hold);
		rc = list_volumes(hold, fault);
	}
	if (!rc)
		let_all(hold);
	go_on_committing(hold);
	return rc ? rc : wait_all(hold, fault);
}

void leg_hold_let_go(struct leg_hold *hold)
{
	for (unsigned i = 0; i < hold->count && hold->holds; i++) {
		struct leg *leg = hold->legs[i];

		leg->held--;
		leg->let = false;
		leg->commits_from_ns = 0;
		rt_cond_wake_all(&leg->committed);
	}
	hold->holds = false;
}

void leg_hold_end(struct leg_hold *hold)
{
	leg_hold_let_go(hold);
	for (unsigned i = 0; i < hold->count; i++)
		leg_unpin(hold->legs[i]);
	hold->count = 0;
	mem_free(hold->volumes);
	hold->volumes = NULL;
}
