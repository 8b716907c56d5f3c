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

#define HOLD_NS		(10 * RT_SECOND)	/* for all legs to have one group in their volumes */

static const char *object_of(const struct leg_hold *hold, char text[64])
{
	snprintf(text, 64, "session %u", hold->session);
	return text;
}

/* ---- whose they are ---- */

static struct leg *find_newest(struct copy *copy, uint8_t session)
{
	struct leg *leg, *newest = NULL;
	struct journal_info info, of_newest = { 0 };

	list_for_each(leg, &copy->legs, link) {
		if (leg->gone || leg->record.session != session)
			continue;
		leg_get_info(leg, &info);
		if (newest && info.committed <= of_newest.committed)
			continue;
		newest = leg;
		of_newest = info;
	}
	return newest;
}

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

static int add_leg(struct leg_hold *hold, const struct wire_member *member, struct fault *fault)
{
	struct leg *leg;
	char object[64];

	object_of(hold, object);
	if (strcmp(member->far, hold->copy->config.system) != 0)
		return fault_set(
			fault, FAULT_NOT_SUPPORTED, object, "xdc session recover is not concerned",
			"system %s is a far side of it, too: only a session with one far side can be practised",
			member->far);
	leg = leg_find(hold->copy, hold->session, member->source);
	if (!leg)
		return fault_set(fault, FAULT_FAILED, object, "repeat the command when that is back",
				 "nothing of system %s is here, which is in its groups", member->source);
	leg_pin(leg);
	hold->legs[hold->count++] = leg;
	return check_leg(hold, leg, fault);
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

static int list_volumes(struct leg_hold *hold, struct fault *fault)
{
	MEM_OWNED struct volume_set *set = mem_alloc_zeroed(sizeof(*set));
	uint32_t most = 0, id = 0;
	char object[64];
	int rc = 0;

	mem_free(hold->volumes);
	hold->volumes = NULL;
	hold->volume_count = 0;
	for (unsigned i = 0; set && i < hold->count && !rc; i++) {
		const struct journal_cg *cg = leg_committed_cg(hold->legs[i]);

		most += cg ? cg->volume_count : 0;
		for (uint32_t j = 0; cg && j < cg->volume_count && !rc; j++)
			rc = add_volume(hold->legs[i], cg->volumes[j], set, fault);
	}
	if (rc)
		return rc;
	hold->volumes = mem_alloc((most + 1) * sizeof(hold->volumes[0]));
	if (!set || !hold->volumes)
		return fault_set(fault, FAULT_FAILED, object_of(hold, object), "try again", "no memory");
	for (; volume_set_next(set, &id); id++)
		hold->volumes[hold->volume_count++] = (uint16_t)id;
	if (!hold->volume_count)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(hold, object), "xdc session show",
				 "no volume here is in its groups");
	return 0;
}

static int find_legs(struct leg_hold *hold, const struct wire_members *members, struct fault *fault)
{
	char object[64];

	if (!members->count || members->count > WIRE_MEMBERS_MAX)
		return fault_set(fault, FAULT_FAILED, object_of(hold, object), "xdc session show",
				 "its last group does not say who takes part");
	for (uint32_t i = 0; i < members->count; i++) {
		if (add_leg(hold, &members->items[i], fault))
			return -1;
	}
	return list_volumes(hold, fault);
}

int leg_hold_find(struct leg_hold *hold, struct copy *copy, uint8_t session, struct fault *fault)
{
	struct leg *newest = find_newest(copy, session);
	const struct journal_cg *cg = newest ? leg_committed_cg(newest) : NULL;
	struct wire_members members = { 0 };
	char object[64];
	int rc;

	*hold = (struct leg_hold){ .copy = copy, .session = session };
	object_of(hold, object);
	if (!newest)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object,
				 "give the command on a far side of the session",
				 "this system is not a far side of it");
	if (!cg)
		return fault_set(fault, FAULT_FAILED, object, "xdc session show",
				 newest->offline ? "its journal is offline" : "it has no consistency group yet");
	hold->member_version = cg->member_version;
	rc = leg_unpack_members(cg, &members);
	rc = rc ? fault_set(fault, FAULT_FAILED, object, "try again", "no memory") : find_legs(hold, &members, fault);
	mem_free(members.items);
	return rc;
}

/* ---- to one group ---- */

/* One that is at work, or has an older group than another; NULL: all stand still before one group. */
static struct leg *find_behind(const struct leg_hold *hold)
{
	uint64_t highest = 0;

	for (unsigned i = 0; i < hold->count; i++) {
		const struct journal_cg *cg = leg_committed_cg(hold->legs[i]);

		if (hold->legs[i]->applying)
			return hold->legs[i];
		if (cg && cg->number > highest && !planted(PLANTED_PRACTICE_UNEVEN))
			highest = cg->number;
	}
	for (unsigned i = 0; i < hold->count; i++) {
		const struct journal_cg *cg = leg_committed_cg(hold->legs[i]);

		if (!cg || cg->number < highest)
			return hold->legs[i];
	}
	return NULL;
}

static int check_all(const struct leg_hold *hold, struct fault *fault)
{
	char object[64];

	for (unsigned i = 0; i < hold->count; i++) {
		const struct journal_cg *cg;

		if (check_leg(hold, hold->legs[i], fault))
			return -1;
		cg = leg_committed_cg(hold->legs[i]);
		if (cg && cg->member_version != hold->member_version)
			return fault_set(fault, FAULT_IN_USE, object_of(hold, object), "repeat the command",
					 "its members change just now");
	}
	return 0;
}

static int fault_waiting(const struct leg_hold *hold, const struct leg *leg, int error, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_TIMEOUT, object_of(hold, object),
			 "repeat the command; xdc session show says what it waits for",
			 "the volumes of system %s are not brought to the same group as the others': %s",
			 leg->record.source_system, strerrordesc_np(-error));
}

static int wait_even(const struct leg_hold *hold, struct fault *fault)
{
	struct leg *behind;
	int rc = 0;

	while ((behind = find_behind(hold))) {
		if (rc)
			return fault_waiting(hold, behind, rc, fault);
		rc = rt_cond_wait(&behind->committed);
		if (check_all(hold, fault))
			return -1;
	}
	return check_all(hold, fault);
}

/* In the step in which all have this group: what is committed later is not in the pass. */
static void let_all(struct leg_hold *hold)
{
	struct journal_info info;

	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		leg_get_info(leg, &info);
		if (info.applied >= info.committed)
			continue;
		journal_apply_begin(leg->journal);
		leg->let = true;
		rt_cond_wake_all(&leg->committed);
	}
}

static int wait_let(const struct leg_hold *hold, struct fault *fault)
{
	struct journal_info info;
	int rc = 0;

	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		while (leg->let && !rc && leg_is_online(leg))
			rc = rt_cond_wait(&leg->committed);
		if (check_leg(hold, leg, fault))
			return -1;
		leg_get_info(leg, &info);
		if (rc || (info.applied != hold->number && !planted(PLANTED_PRACTICE_UNEVEN)))
			return fault_waiting(hold, leg, rc ? rc : leg->apply_error ? leg->apply_error : -EIO, fault);
	}
	return 0;
}

int leg_hold_begin(struct leg_hold *hold, struct fault *fault)
{
	const struct journal_cg *cg;
	RT_LIMIT(rt_now_ns() + HOLD_NS);

	hold->holds = true;
	for (unsigned i = 0; i < hold->count; i++) {
		hold->legs[i]->held++;
		/* One that rests has nothing to rest for. */
		rt_cond_wake_all(&hold->legs[i]->committed);
	}
	if (wait_even(hold, fault) || list_volumes(hold, fault))
		return -1;
	cg = leg_committed_cg(hold->legs[0]);
	hold->number = cg->number;
	hold->cg_wall_ns = (int64_t)cg->session_time_us * RT_US;
	if (!planted(PLANTED_PRACTICE_UNAPPLIED))
		let_all(hold);
	return planted(PLANTED_PRACTICE_UNAPPLIED) ? 0 : wait_let(hold, fault);
}

void leg_hold_end(struct leg_hold *hold)
{
	for (unsigned i = 0; i < hold->count; i++) {
		struct leg *leg = hold->legs[i];

		leg->held -= hold->holds;
		leg->let = false;
		rt_cond_wake_all(&leg->committed);
		leg_unpin(leg);
	}
	mem_free(hold->volumes);
}
