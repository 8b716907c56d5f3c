/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg_apply.h"
#include "copy/leg_offline.h"
#include "copy/leg_room.h"
#include "copy/leg_show.h"
#include "copy/pair.h"
#include "copy/volume_set.h"
#include "rt/bytes.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"
#include "volume/volume.h"

#define APPLIED_NS	(5 * RT_SECOND)			/* for the last group to be in the volumes */
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

struct leg *leg_find_owner(struct copy *copy, uint16_t volume)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg_group_has(leg, volume))
			return leg;
	}
	return NULL;
}

bool leg_owns_volume(struct copy *copy, uint16_t volume)
{
	return leg_find_owner(copy, volume);
}

/* ---- member lists, as they lie in CG records ---- */

static uint8_t *pack_members(const struct wire_members *members)
{
	uint8_t *bytes = mem_alloc_zeroed((members->count + 1) * MEMBER_BYTES);

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

/* ---- requests of the source ---- */

void leg_fill_state(const struct leg *leg, struct wire_leg_state *state)
{
	struct journal_info info;

	journal_get_info(leg->journal, &info);
	memcpy(state->boot_id, leg->copy->far_boot_id, WIRE_ID_SIZE);
	state->committed = info.committed;
	state->prepared = info.prepared;
	state->highest_tag = info.highest_tag;
	state->incarnation = info.incarnation;
	state->recovery_epoch = info.epoch;
	state->applied = info.applied;
	state->journal_used_bytes = info.used_bytes;
	state->journal_free_bytes = info.limit_bytes > info.used_bytes ? info.limit_bytes - info.used_bytes : 0;
}

int leg_admit(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head, struct leg **out,
	      char *why)
{
	struct leg *leg = leg_find(copy, head->session, peer->system);
	struct journal_info info;

	if (!leg)
		return copy_refuse(why, -ENOENT, "session %u of %s is not known here", head->session, peer->system);
	leg_get_info(leg, &info);
	if (info.epoch || leg->record.recovered_sequence)
		return copy_refuse(why, -EPERM, "session %u was recovered here by %s: it is not a target any more",
				   head->session, info.epoch ? info.initiator : "an administrator");
	if (leg_check_online(leg, why))
		return -EIO;
	if (head->incarnation < info.incarnation)
		return copy_refuse(why, -ESTALE, "session %u obeys a newer master", head->session);
	leg->heard_wall_ns = rt_wall_ns();
	leg_pin(leg);
	*out = leg;
	return 0;
}

static int make_leg(struct copy *copy, const struct link_peer *peer, const struct wire_leg_open *open)
{
	struct record_leg record = {
		.session = open->head.session, .state = SESSION_OPEN, .incarnation = open->head.incarnation,
	};
	const struct meta_change change = { .op = META_PUT, .kind = META_LEG, .record = &record };
	const struct journal_limits limits = limits_of(copy);
	struct journal_place place;
	struct leg *leg;
	int rc;

	snprintf(record.source_system, sizeof(record.source_system), "%s", peer->system);
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

/* One at a time: a request that was given up and repeated may still be at it. */
static int find_or_make_leg(struct copy *copy, const struct link_peer *peer, const struct wire_leg_open *open,
			    struct leg **out, char *why)
{
	int rc = rt_mutex_lock(&copy->making_legs);

	if (rc)
		return rc;
	if (!leg_find(copy, open->head.session, peer->system))
		rc = make_leg(copy, peer, open);
	if (rc)
		copy_refuse(why, rc, "the journal of session %u cannot be opened: %s", open->head.session,
			    strerror(-rc));
	else
		rc = leg_admit(copy, peer, &open->head, out, why);
	rt_mutex_unlock(&copy->making_legs);
	return rc;
}

int leg_on_open(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_open *open = request;
	struct copy *copy = arg;
	LEG_PINNED struct leg *leg = NULL;
	int rc;
	RT_SHIELD();

	rc = find_or_make_leg(copy, peer, open, &leg, why);
	/* A session that was not resumed, but started anew. */
	if (!rc)
		rc = leg_hide(leg, why);
	if (rc)
		return rc;
	rc = journal_obey(leg->journal, open->head.incarnation);
	if (!rc && (leg->record.incarnation != open->head.incarnation || leg->record.state != SESSION_RUNNING ||
		    memcmp(leg->record.key, open->key, sizeof(open->key)) != 0)) {
		const char *colon = strchr(open->head.master, ':');

		leg->record.incarnation = open->head.incarnation;
		leg->record.state = SESSION_RUNNING;
		memcpy(leg->record.key, open->key, sizeof(open->key));
		snprintf(leg->record.master_system, sizeof(leg->record.master_system), "%.*s",
			 colon ? (int)(colon - open->head.master) : 0, open->head.master);
		rc = leg_save(leg);
	}
	if (rc)
		return copy_refuse(why, rc, "session %u cannot be taken up: %s", open->head.session, strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}

int leg_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *status = request;
	struct leg *leg = leg_find(arg, status->head.session, peer->system);

	if (!leg)
		return copy_refuse(why, -ENOENT, "session %u of %s is not known here", status->head.session,
				   peer->system);
	if (leg_check_online(leg, why))
		return -EIO;
	leg_fill_state(leg, reply);
	return 0;
}

/* Every data connection has brought here exactly what the source sent over it. */
static int check_marks(struct copy *copy, const struct link_peer *peer, const struct wire_leg_prepare *prepare,
		       char *why)
{
	for (uint32_t i = 0; i < prepare->mark_count; i++) {
		int rc = link_server_check_mark(copy->server, peer->system, &prepare->marks[i]);

		if (rc)
			return copy_refuse(why, rc, "data connection %u does not hold what was sent",
					   prepare->marks[i].reactor);
	}
	return 0;
}

/* Every volume of the group is a target of this source. */
static int check_targets(struct copy *copy, const struct link_peer *peer, const struct wire_volumes *volumes, char *why)
{
	struct volume_set targets = { 0 };
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (!pair->gone && pair->record.role == PAIR_TARGET && !strcmp(pair->record.system, peer->system) &&
		    pair->record.reason != PAIR_REASON_GROUP_LOST)
			volume_set_add(&targets, pair->record.volume);
	}
	for (uint32_t i = 0; i < volumes->count; i++) {
		if (!volume_set_has(&targets, volumes->ids[i]))
			return copy_refuse(why, -ENOENT, "volume %04X of system %s is no target of system %s",
					   volumes->ids[i], copy->config.system, peer->system);
	}
	return 0;
}

/*
 * A volume that is no longer in the group must have got what it had in the last one: once the next is committed, what
 * the journal still holds of it is nobody's.
 */
static int check_volumes(struct leg *leg, const struct link_peer *peer, const struct wire_volumes *volumes, char *why)
{
	const struct journal_cg *last = journal_committed_cg(leg->journal);
	struct volume_set next = { 0 };
	bool any_leaves = false;
	int rc = check_targets(leg->copy, peer, volumes, why);
	RT_LIMIT(rt_now_ns() + APPLIED_NS);

	if (rc)
		return rc;
	for (uint32_t i = 0; i < volumes->count; i++)
		volume_set_add(&next, volumes->ids[i]);
	for (uint32_t i = 0; last && i < last->volume_count; i++)
		any_leaves = any_leaves || !volume_set_has(&next, last->volumes[i]);
	if (any_leaves)
		rc = leg_wait_applied(leg);
	return rc ? copy_refuse(why, rc, "the last group is not in the volumes: %s", strerror(-rc)) : 0;
}

static int refuse_restarted(const struct copy *copy, char *why)
{
	return copy_refuse(why, -ESTALE, "system %s has restarted since it acknowledged", copy->config.system);
}

static int prepare_leg(struct leg *leg, const struct link_peer *peer, const struct wire_leg_prepare *prepare, char *why)
{
	struct copy *copy = leg->copy;
	struct journal_cg cg = {
		.number = prepare->head.attempt, .session_time_us = prepare->session_time_us,
		.wall_time_us = prepare->wall_us, .incarnation = prepare->head.incarnation,
		.member_version = prepare->head.member_version, .volume_count = prepare->volumes.count,
		.volumes = prepare->volumes.ids, .member_bytes = prepare->members.count * MEMBER_BYTES,
	};
	MEM_OWNED uint8_t *members = NULL;
	int rc = 0;

	if (leg->record.shown_sequence)
		return copy_refuse(why, -EBUSY, "system %s shows CG %llu to hosts: xdc session resume ends that",
				   copy->config.system, (unsigned long long)leg->record.shown_sequence);
	if ((memcmp(prepare->far_boot_id, copy->far_boot_id, WIRE_ID_SIZE) != 0 || leg->making_room) &&
	    !planted(PLANTED_PREPARE_ANY_BOOT))
		return refuse_restarted(copy, why);
	if (!planted(PLANTED_PREPARE_ANY_BOOT))
		rc = check_marks(copy, peer, prepare, why);
	if (!rc)
		rc = check_volumes(leg, peer, &prepare->volumes, why);
	if (rc)
		return rc;
	/* The first CG of a volume rests on what the first copy wrote straight into it. */
	rc = leg_sync_bare(copy, prepare->volumes.ids, prepare->volumes.count);
	if (rc)
		return leg_refuse_sync(copy, &prepare->volumes, rc, why);
	/* Now that it is durable: an administrator may have accepted meanwhile that some of it was lost. */
	if (memcmp(prepare->far_boot_id, copy->far_boot_id, WIRE_ID_SIZE) != 0 && !planted(PLANTED_PREPARE_ANY_BOOT))
		return refuse_restarted(copy, why);
	rc = leg_note_volumes(leg, &prepare->volumes);
	members = pack_members(&prepare->members);
	if (!rc && !members)
		rc = -ENOMEM;
	cg.members = members;
	for (uint32_t i = 0; i < prepare->mark_count; i++) {
		cg.frames += prepare->marks[i].frames;
		cg.digest ^= prepare->marks[i].digest;
	}
	snprintf(cg.master, sizeof(cg.master), "%s", prepare->head.master);
	if (!rc)
		rc = journal_prepare(leg->journal, &cg);
	return rc ? copy_refuse(why, rc, "CG %llu is not durable: %s", (unsigned long long)cg.number, strerror(-rc))
		  : 0;
}

int leg_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_prepare *prepare = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &prepare->head, &leg, why);
	RT_SHIELD();

	if (rc)
		return rc;
	/* As long as it is counted nothing of what it rests on is thrown away (leg_apply.c). */
	leg->preparing++;
	rc = prepare_leg(leg, peer, prepare, why);
	leg->preparing--;
	if (!rc)
		leg_fill_state(leg, reply);
	return rc;
}

int leg_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *commit = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &commit->head, &leg, why);
	RT_SHIELD();

	if (!rc)
		rc = journal_commit(leg->journal, commit->head.attempt, commit->head.incarnation);
	if (rc)
		return why[0] ? rc : copy_refuse(why, rc, "CG %llu cannot be committed: %s",
						 (unsigned long long)commit->head.attempt, strerror(-rc));
	rt_cond_wake_all(&leg->committed);
	leg_fill_state(leg, reply);
	return 0;
}

/* attempt 0: whatever is prepared, by a master that has asked all and found no CG that may be committed. */
int leg_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *abort = request;
	struct journal_info info;
	LEG_PINNED struct leg *leg = NULL;
	uint64_t number = abort->head.attempt;
	int rc = leg_admit(arg, peer, &abort->head, &leg, why);
	RT_SHIELD();

	if (rc)
		return rc;
	journal_get_info(leg->journal, &info);
	if (!number)
		number = info.prepared;
	if (number)
		rc = journal_abort(leg->journal, number, abort->head.incarnation);
	if (rc)
		return copy_refuse(why, rc, "CG %llu cannot be given up: %s", (unsigned long long)number,
				   strerror(-rc));
	leg_fill_state(leg, reply);
	return 0;
}

/* ---- data ---- */

struct data_order {
	struct copy *copy;
	const struct link_peer *peer;
	const struct wire_data *frame;
	const void *data;
	struct volume *volume;
};

static int do_apply(void *arg)
{
	struct data_order *order = arg;
	const struct wire_data *frame = order->frame;

	if (order->data)
		return volume_apply(order->volume, order->data, frame->raw_bytes, frame->offset);
	return volume_apply_zero(order->volume, frame->raw_bytes, frame->offset);
}

/* Straight into the volume: only where a pair says that it is the target of this system, and no CG rests on it. */
static int write_direct(struct data_order *order)
{
	const struct wire_data *frame = order->frame;
	struct pair *pair = pair_find_target(order->copy, order->peer->system, frame->volume);
	uint64_t size;

	if (!pair)
		return -ENOENT;
	if (!leg_takes_direct(order->copy, pair))
		return -EPERM;
	size = volume_size(pair->volume);
	if (frame->offset > size || frame->raw_bytes > size - frame->offset)
		return -EINVAL;
	order->volume = pair->volume;
	pair->untouched = false;
	return rt_call(volume_reactor(pair->volume), do_apply, order);
}

/*
 * The end of an adopted volume need not be a whole block, and the journal keeps whole blocks: applying clips it again.
 */
static int append_last_block(struct leg *leg, const struct wire_data *frame, const void *data, uint64_t size)
{
	uint32_t len = (frame->raw_bytes / JOURNAL_BLOCK_SIZE + 1) * JOURNAL_BLOCK_SIZE;
	MEM_OWNED uint8_t *padded = NULL;

	if (frame->offset + frame->raw_bytes != size || len > JOURNAL_RUN_MAX)
		return -EINVAL;
	if (data) {
		padded = mem_alloc_zeroed(len);
		if (!padded)
			return -ENOMEM;
		memcpy(padded, data, frame->raw_bytes);
	}
	return journal_append(leg->journal, frame->volume, frame->offset, len, frame->tag, padded);
}

static int write_journal(struct data_order *order)
{
	const struct wire_data *frame = order->frame;
	struct leg *leg = leg_find(order->copy, frame->session, order->peer->system);
	struct pair *pair = pair_find_target(order->copy, order->peer->system, frame->volume);
	uint64_t size;
	int rc;

	if (!leg || !pair)
		return -ENOENT;
	if (pair->record.reason == PAIR_REASON_GROUP_LOST)
		return -EPERM;
	if (!leg_is_online(leg))
		return -EIO;
	pair->untouched = false;
	size = volume_size(pair->volume);
	if (frame->offset > size || frame->raw_bytes > size - frame->offset)
		return -EINVAL;
	if (leg->making_room)
		return -ENOSPC;
	leg->heard_wall_ns = rt_wall_ns();
	leg_pin(leg);
	if (frame->raw_bytes % JOURNAL_BLOCK_SIZE)
		rc = append_last_block(leg, frame, order->data, size);
	else
		rc = journal_append(leg->journal, frame->volume, frame->offset, frame->raw_bytes, frame->tag,
				    order->data);
	if (rc == -ENOSPC)
		rt_cond_wake_all(&leg->committed);
	if (!rc || rc == -ENOSPC)
		leg_room_taken(leg, rc == -ENOSPC);
	leg_unpin(leg);
	return rc;
}

static int do_data(void *arg)
{
	struct data_order *order = arg;

	return order->frame->flags & WIRE_DATA_JOURNAL ? write_journal(order) : write_direct(order);
}

int leg_on_data(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data)
{
	struct data_order order = { .copy = arg, .peer = peer, .frame = frame, .data = *data };

	return rt_call(rt_reactor(0), do_data, &order);
}

int leg_on_volumes_sync(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_volumes_sync *sync = request;
	struct wire_volumes_sync_reply *answer = reply;
	struct copy *copy = arg;

	(void)why;
	memcpy(answer->boot_id, copy->far_boot_id, WIRE_ID_SIZE);
	answer->failed.ids = mem_alloc_zeroed((sync->targets.count + 1) * sizeof(answer->failed.ids[0]));
	if (!answer->failed.ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < sync->targets.count; i++) {
		uint16_t id = sync->targets.ids[i];

		if (!pair_find_target(copy, peer->system, id) || leg_sync_volumes(copy, &id, 1))
			answer->failed.ids[answer->failed.count++] = id;
	}
	return 0;
}
