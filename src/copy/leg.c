/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg_apply.h"
#include "copy/leg_offline.h"
#include "copy/leg_show.h"
#include "copy/pair.h"
#include "copy/volume_set.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"

#define MEMBER_BYTES	(2 * WIRE_SYSTEM_SIZE + WIRE_ADDRESS_SIZE)	/* of a member in a CG record */

struct leg *leg_find(struct copy *copy, uint8_t session, const char *source_system)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (!leg->gone && leg->record.session == session && !strcmp(leg->record.source_system, source_system))
			return leg;
	}
	return NULL;
}

int leg_save(struct leg *leg)
{
	const struct meta_change change = { .op = META_PUT, .kind = META_LEG, .record = &leg->record };

	return meta_commit(leg->copy->config.meta, &change, 1);
}

struct journal_place {
	char folder[XDC_PATH_MAX + 16], name[JOURNAL_LEG_MAX];
};

static struct journal_place place_of(const struct copy *copy, const struct record_leg *record)
{
	struct journal_place place;

	snprintf(place.folder, sizeof(place.folder), "%s/journals", copy->config.state_folder);
	snprintf(place.name, sizeof(place.name), "%u-%s", record->session, record->source_system);
	return place;
}

static struct journal_limits limits_of(const struct copy *copy)
{
	struct journal_limits limits;

	journal_limits_default(&limits);
	if (copy->config.journal_bytes)
		limits.bytes = copy->config.journal_bytes;
	if (copy->config.journal_segment_bytes)
		limits.segment_bytes = copy->config.journal_segment_bytes;
	return limits;
}

/* Not yet among the legs, and without a journal. NULL: no memory. */
static struct leg *make_object(struct copy *copy, const struct record_leg *record)
{
	struct leg *leg = mem_alloc_zeroed(sizeof(*leg));

	if (!leg)
		return NULL;
	leg->copy = copy;
	leg->record = *record;
	list_init(&leg->link);
	rt_group_init(&leg->fibers);
	rt_cond_init(&leg->committed);
	rt_mutex_init(&leg->showing);
	leg->buf = mem_alloc_pages(JOURNAL_RUN_MAX);
	leg->group = mem_alloc(sizeof(*leg->group));
	if (leg->buf && leg->group && !leg_pass_make(leg))
		return leg;
	mem_free(leg->buf);
	mem_free(leg->group);
	mem_free(leg);
	return NULL;
}

static int begin_work(struct leg *leg)
{
	int rc = leg->offline ? 0 : rt_group_start(&leg->fibers, "journal apply", leg_apply, leg);

	return rc || leg->offline ? rc : leg_show_again(leg);
}

int legs_begin_work(struct copy *copy)
{
	struct leg *leg;
	int rc = 0;

	list_for_each(leg, &copy->legs, link) {
		if (!rc)
			rc = begin_work(leg);
		leg_back_close(leg);
	}
	return rc;
}

void legs_stop_work(struct copy *copy)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link)
		rt_group_stop(&leg->fibers);
}

int leg_take_up(struct copy *copy, const struct record_leg *record)
{
	struct journal_place place = place_of(copy, record);
	const struct journal_limits limits = limits_of(copy);
	struct leg *leg = make_object(copy, record);
	char fault[JOURNAL_FAULT_MAX];
	int rc;

	if (!leg)
		return -ENOMEM;
	rc = journal_open_made(place.folder, place.name, &limits, fault, &leg->journal);
	if (!rc && leg_set_keep(leg))
		log_line(LOG_WARNING, "journal", "session %u of %s: it goes on with what it kept before",
			 record->session, record->source_system);
	if (!rc)
		rc = leg_back_open(leg);
	if (rc && rc != -ENOMEM) {
		leg_set_offline(leg, rc, fault[0] ? fault : strerror(-rc));
		rc = 0;
	}
	if (rc)
		leg_put_down(leg);
	else
		list_add_last(&copy->legs, &leg->link);
	return rc;
}

int leg_make(struct copy *copy, const char *source_system, const struct wire_session_head *head)
{
	struct record_leg record = {
		.session = head->session, .state = SESSION_OPEN, .incarnation = head->incarnation,
	};
	const struct meta_change change = { .op = META_PUT, .kind = META_LEG, .record = &record };
	const struct journal_limits limits = limits_of(copy);
	struct journal_place place;
	struct leg *leg;
	int rc;

	snprintf(record.source_system, sizeof(record.source_system), "%s", source_system);
	leg = make_object(copy, &record);
	if (!leg)
		return -ENOMEM;
	/* What an unfinished leg_forget left belongs to nobody. */
	place = place_of(copy, &record);
	rc = journal_remove(place.folder, place.name);
	if (!rc)
		rc = journal_open(place.folder, place.name, &limits, &leg->journal);
	/* Only now: where the metadata know of a leg its journal was made, and is missed when it is gone. */
	if (!rc)
		rc = meta_commit(copy->config.meta, &change, 1);
	if (!rc)
		rc = begin_work(leg);
	if (rc)
		leg_put_down(leg);
	else
		list_add_last(&copy->legs, &leg->link);
	return rc;
}

void leg_put_down(struct leg *leg)
{
	list_remove(&leg->link);
	rt_group_stop(&leg->fibers);
	leg_back_close(leg);
	mem_free(leg->back_group);
	journal_close(leg->journal);
	mem_free(leg->buf);
	mem_free(leg->pass);
	mem_free(leg->group);
	mem_free(leg);
}

void leg_pin(struct leg *leg)
{
	leg->pins++;
}

void leg_unpin(struct leg *leg)
{
	assert(leg->pins > 0);
	if (--leg->pins == 0)
		rt_cond_wake_all(&leg->committed);
}

static int forget(struct leg *leg)
{
	const struct meta_change change = { .op = META_DELETE, .kind = META_LEG, .record = &leg->record };
	struct journal_place place = place_of(leg->copy, &leg->record);
	struct copy *copy = leg->copy;
	struct journal_info info;
	bool unkept;
	int rc = leg_release_volumes(leg);

	if (!rc)
		rc = meta_commit(copy->config.meta, &change, 1);
	if (rc) {
		leg->gone = false;
		return rc;
	}
	while (leg->pins && !rc)
		rc = rt_cond_wait(&leg->committed);
	assert(!rc);
	leg_get_info(leg, &info);
	unkept = !leg->journal || info.highest_tag > info.applied;
	leg_put_down(leg);
	/* What it held of data that are in no group was acknowledged all the same. */
	if (unkept)
		copy_void_acks(copy);
	return journal_remove(place.folder, place.name);
}

int leg_forget(struct leg *leg)
{
	struct copy *copy = leg->copy;
	int rc;
	RT_SHIELD();

	if (leg->gone)
		return -EBUSY;
	leg->gone = true;
	rc = rt_mutex_lock(&copy->making_legs);
	assert(!rc);
	rc = forget(leg);
	rt_mutex_unlock(&copy->making_legs);
	return rc;
}

static int wait_applied(struct leg *leg, unsigned ticket)
{
	struct journal_info info;
	int rc = 0;

	for (;;) {
		if (leg->offline)
			return leg->offline;
		leg_get_info(leg, &info);
		if (leg_is_settled(&info) && !leg->held)
			return 0;
		if (rc)
			return rc;
		/* By a pass that began after this was asked. */
		if (leg->apply_error && (int)(leg->answered - ticket) >= 0)
			return leg->apply_error;
		rc = rt_cond_wait(&leg->committed);
	}
}

int leg_wait_applied(struct leg *leg)
{
	int rc;

	leg->awaited++;
	rt_cond_wake_all(&leg->committed);
	rc = wait_applied(leg, ++leg->asked);
	leg->awaited--;
	return rc;
}

/* A number is given to one CG only, so the set is good until another one is committed. */
bool leg_group_has(struct leg *leg, uint16_t volume)
{
	const struct journal_cg *cg = leg_committed_cg(leg);

	if (!leg->journal)
		return leg_may_hold(leg, volume);
	if (leg->back_group)
		return volume_set_has(leg->back_group, volume);
	if (!cg)
		return false;
	if (leg->group_number != cg->number) {
		memset(leg->group, 0, sizeof(*leg->group));
		for (uint32_t i = 0; i < cg->volume_count; i++)
			volume_set_add(leg->group, cg->volumes[i]);
		leg->group_number = cg->number;
	}
	return volume_set_has(leg->group, volume);
}

void leg_get_info(const struct leg *leg, struct journal_info *info)
{
	*info = (struct journal_info){ 0 };
	if (leg->journal)
		journal_get_info(leg->journal, info);
}

const struct journal_cg *leg_committed_cg(const struct leg *leg)
{
	return leg->journal ? journal_committed_cg(leg->journal) : NULL;
}

const struct journal_cg *leg_prepared_cg(const struct leg *leg)
{
	return leg->journal ? journal_prepared_cg(leg->journal) : NULL;
}

bool leg_prepared_has(const struct leg *leg, uint16_t volume)
{
	const struct journal_cg *cg = journal_prepared_cg(leg->journal);

	for (uint32_t i = 0; cg && i < cg->volume_count; i++) {
		if (cg->volumes[i] == volume)
			return true;
	}
	return !cg;
}

bool leg_takes_direct(struct copy *copy, const struct pair *pair)
{
	enum pair_state state = pair->record.state;

	return (state == PAIR_TARGET_COPY_PENDING || state == PAIR_TARGET_FULL_DUPLEX) &&
	       !leg_owns_volume(copy, pair->record.volume);
}

bool leg_has_handed_over(const struct leg *leg, uint16_t volume)
{
	const char *source = leg->record.source_system;

	return pair_first_of(leg->copy, volume) && !pair_find(leg->copy, volume, source) &&
	       !pair_is_going_from(leg->copy, volume, source);
}

struct leg *leg_find_owner(struct copy *copy, uint16_t volume)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg_group_has(leg, volume) && !leg_has_handed_over(leg, volume))
			return leg;
	}
	return NULL;
}

bool leg_is_recovered(const struct leg *leg)
{
	return leg->record.recovered_sequence;
}

bool leg_recovered_has(struct copy *copy, uint8_t session, const char *source_system, uint16_t volume)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg->record.session == session && leg_is_recovered(leg) &&
		    !strcmp(leg->record.source_system, source_system) && leg_group_has(leg, volume))
			return true;
	}
	return false;
}

bool leg_owns_volume(struct copy *copy, uint16_t volume)
{
	return leg_find_owner(copy, volume);
}

/* ---- member lists, as they lie in CG records ---- */

uint8_t *leg_pack_members(const struct wire_members *members, uint32_t *len)
{
	uint8_t *bytes = mem_alloc_zeroed((members->count + 1) * MEMBER_BYTES);

	*len = members->count * MEMBER_BYTES;
	for (uint32_t i = 0; bytes && i < members->count; i++) {
		uint8_t *to = bytes + i * MEMBER_BYTES;

		memcpy(to, members->items[i].source, WIRE_SYSTEM_SIZE);
		memcpy(to + WIRE_SYSTEM_SIZE, members->items[i].far, WIRE_SYSTEM_SIZE);
		memcpy(to + 2 * WIRE_SYSTEM_SIZE, members->items[i].far_address, WIRE_ADDRESS_SIZE);
	}
	return bytes;
}

int leg_get_members(const struct leg *leg, struct wire_members *members)
{
	const struct journal_cg *cg = leg_prepared_cg(leg);

	*members = (struct wire_members){ 0 };
	if (!cg)
		cg = leg_committed_cg(leg);
	return cg ? leg_unpack_members(cg, members) : -ENOENT;
}

int leg_unpack_members(const struct journal_cg *cg, struct wire_members *members)
{
	const uint8_t *from;

	members->count = cg->member_bytes / MEMBER_BYTES;
	members->items = mem_alloc_zeroed((members->count + 1) * sizeof(members->items[0]));
	if (!members->items)
		return -ENOMEM;
	from = cg->members;
	for (uint32_t i = 0; i < members->count; i++, from += MEMBER_BYTES) {
		memcpy(members->items[i].source, from, WIRE_SYSTEM_SIZE - 1);
		memcpy(members->items[i].far, from + WIRE_SYSTEM_SIZE, WIRE_SYSTEM_SIZE - 1);
		memcpy(members->items[i].far_address, from + 2 * WIRE_SYSTEM_SIZE, WIRE_ADDRESS_SIZE - 1);
	}
	return 0;
}
