/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair_private.h"
#include "copy/source.h"
#include "copy/verify.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"

/* ---- the table: one slot a volume, of its first pair, found for every frame that comes in ---- */

#define LSS_SLOTS	256u

static struct pair *look_up(const struct copy *copy, uint16_t volume)
{
	struct pair *const *slots = copy->pair_table[volume / LSS_SLOTS];

	return slots ? slots[volume % LSS_SLOTS] : NULL;
}

/* Those of its LSS are made with its first pair and stay until the copy services end. NULL: no memory. */
static struct pair **slot_of(struct copy *copy, uint16_t volume)
{
	struct pair ***slots = &copy->pair_table[volume / LSS_SLOTS];

	if (!*slots)
		*slots = mem_alloc_zeroed(LSS_SLOTS * sizeof(**slots));
	return *slots ? &(*slots)[volume % LSS_SLOTS] : NULL;
}

static struct pair *skip_gone(struct pair *pair)
{
	while (pair && pair->gone)
		pair = pair->next_of_volume;
	return pair;
}

struct pair *pair_first_of(struct copy *copy, uint16_t volume)
{
	return skip_gone(look_up(copy, volume));
}

struct pair *pair_next_of(const struct pair *pair)
{
	return skip_gone(pair->next_of_volume);
}

struct pair *pair_find(struct copy *copy, uint16_t volume, const char *system)
{
	struct pair *pair = pair_first_of(copy, volume);

	while (pair && strcmp(pair->record.system, system) != 0)
		pair = pair_next_of(pair);
	return pair;
}

bool pair_uses_volume(const struct copy *copy, uint16_t volume)
{
	return look_up(copy, volume);
}

bool pair_is_going(const struct copy *copy, uint16_t volume)
{
	const struct pair *pair = look_up(copy, volume);

	while (pair && !pair->gone)
		pair = pair->next_of_volume;
	return pair;
}

bool pair_is_going_from(const struct copy *copy, uint16_t volume, const char *system)
{
	const struct pair *pair = look_up(copy, volume);

	while (pair && !(pair->gone && !strcmp(pair->record.system, system)))
		pair = pair->next_of_volume;
	return pair;
}

void pairs_free_table(struct copy *copy)
{
	for (unsigned i = 0; i < sizeof(copy->pair_table) / sizeof(copy->pair_table[0]); i++)
		mem_free(copy->pair_table[i]);
}

void pair_pin(struct pair *pair)
{
	pair->pins++;
}

void pair_unpin(struct pair *pair)
{
	assert(pair->pins > 0);
	if (--pair->pins == 0)
		rt_cond_wake_all(&pair->unpinned);
}

static struct pair *pin_at(struct copy *copy, struct list_head *at)
{
	struct pair *pair;

	if (at == &copy->pairs)
		return NULL;
	pair = container_of(at, struct pair, link);
	pair_pin(pair);
	return pair;
}

struct pair *pair_pin_first(struct copy *copy)
{
	return pin_at(copy, copy->pairs.next);
}

struct pair *pair_pin_next(struct pair *pair)
{
	struct pair *next = pin_at(pair->copy, pair->link.next);

	pair_unpin(pair);
	return next;
}

int pair_begin_change(struct pair *pair)
{
	int rc = rt_mutex_lock(&pair->turn);

	if (!rc && pair->gone) {
		rt_mutex_unlock(&pair->turn);
		rc = -ENOENT;
	}
	return rc;
}

void pair_end_change(struct pair *pair)
{
	rt_mutex_unlock(&pair->turn);
}

struct pair *pair_find_target(struct copy *copy, const char *source_system, uint16_t volume)
{
	struct pair *pair = pair_find(copy, volume, source_system);

	return pair && pair->record.role == PAIR_TARGET ? pair : NULL;
}

/* The key of one of its generations. */
static struct record_history history_row(const struct record_pair *record, uint32_t ordinal)
{
	struct record_history row = {
		.volume = record->volume, .remote_volume = record->remote_volume, .ordinal = ordinal,
	};

	memcpy(row.system, record->system, sizeof(row.system));
	return row;
}

unsigned pair_history_changes(const struct pair *pair, struct record_history rows[HISTORY_MAX],
			      struct meta_change changes[HISTORY_MAX])
{
	unsigned count = 0;

	for (uint32_t i = 0; i < pair->history.count; i++) {
		const struct history_entry *entry = &pair->history.entries[i];

		rows[i] = history_row(&pair->record, pair->history.count - 1 - i);
		rows[i].sequence = entry->sequence;
		rows[i].began_wall_ns = entry->began_wall_ns;
		memcpy(rows[i].generation, entry->generation, sizeof(rows[i].generation));
		changes[count++] = (struct meta_change){ .kind = META_HISTORY, .record = &rows[i] };
	}
	/* A history that became shorter: what it had beyond would be taken for its newest at the next start. */
	for (uint32_t i = pair->history.count; i < HISTORY_MAX; i++) {
		rows[i] = history_row(&pair->record, i);
		changes[count++] = (struct meta_change){ .op = META_DELETE, .kind = META_HISTORY, .record = &rows[i] };
	}
	return count;
}

int pair_save(struct pair *pair)
{
	struct record_history rows[HISTORY_MAX];
	struct meta_change changes[HISTORY_MAX + 1];

	/* What is deleted must not come back by somebody who has it pinned. */
	if (pair->gone)
		return -ENOENT;
	changes[0] = (struct meta_change){ .kind = META_PAIR, .record = &pair->record };
	return meta_commit(pair->copy->config.meta, changes, 1 + pair_history_changes(pair, rows, changes + 1));
}

int pair_change_record(struct pair *pair, const struct record_pair *next)
{
	struct record_pair before = pair->record;
	int rc;

	pair->record = *next;
	rc = pair_save(pair);
	if (rc)
		pair->record = before;
	return rc;
}

static enum event_level level_of(enum pair_reason reason)
{
	switch (reason) {
	case PAIR_REASON_NONE:
	case PAIR_REASON_COMMAND:
		return EVENT_INFO;
	case PAIR_REASON_LINK:
	case PAIR_REASON_FAR_FULL:
		return EVENT_WARNING;
	default:
		return EVENT_ERROR;
	}
}

static void note_news(const struct pair *pair, enum peer_news_kind kind)
{
	if (pair->peer)
		peer_news_note(pair->peer, kind, &pair->record);
}

void pair_tell_state(const struct pair *pair, enum pair_state before)
{
	const struct record_pair *record = &pair->record;
	struct copy_pair_info info = {
		.volume = record->volume, .reason = record->reason, .is_one_of_several = pair_is_one_of_several(pair),
	};
	bool suspended = record->state == PAIR_SUSPENDED, was_suspended = before == PAIR_SUSPENDED;
	char object[16], remedy[COPY_REMEDY_MAX];

	log_line(LOG_NOTICE, "pair", "volume %04X to %s volume %04X: %s%s%s", record->volume, record->system,
		 record->remote_volume, pair_state_names[record->state], record->reason ? ", " : "",
		 record->reason ? pair_reason_names[record->reason] : "");
	memcpy(info.system, record->system, sizeof(info.system));
	snprintf(object, sizeof(object), "volume %04X", record->volume);
	copy_pair_remedy(&info, remedy);
	/* At a start without a peer: then pair_resume_work tells it. */
	if (suspended && record->reason == PAIR_REASON_LINK)
		note_news(pair, PEER_NEWS_SUSPENDED);
	else if (suspended)
		copy_tell(pair->copy, EVENT_PAIR_SUSPENDED, level_of(record->reason), object, remedy,
			  "its pair with volume %04X of %s is suspended: %s", record->remote_volume, record->system,
			  pair_reason_names[record->reason]);
	else if (was_suspended && (record->state == PAIR_COPY_PENDING || record->state == PAIR_FULL_DUPLEX))
		note_news(pair, PEER_NEWS_RESUMED);
}

void pair_set_state(struct pair *pair, enum pair_state state, enum pair_reason reason)
{
	enum pair_state before = pair->record.state;
	int rc;

	if (pair->gone || (pair->record.state == state && pair->record.reason == reason))
		return;
	pair->record.state = state;
	pair->record.reason = reason;
	pair->record.since_wall_ns = rt_wall_ns();
	pair_tell_state(pair, before);
	rc = pair_save(pair);
	if (rc)
		log_line(LOG_ERROR, "pair", "volume %04X: its new state is not durable: %s", pair->record.volume,
			 strerror(-rc));
}

/* ---- on the volume's reactor ---- */

int pair_order_run(struct pair *pair, int (*fn)(void *arg), struct pair_order *order)
{
	order->pair = pair;
	order->record = pair->record;
	order->peer = pair->peer;
	return rt_call(volume_reactor(pair->volume), fn, order);
}

void pair_order_surely(struct pair *pair, int (*fn)(void *arg), struct pair_order *order)
{
	int rc = pair_order_run(pair, fn, order);

	assert(!rc);
}

static int do_stop_pump(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;
	struct pump *pump = pair->pump;
	struct mirror *mirror = pair->mirror;

	if (mirror && !order->for_good && pair_is_strict(&order->record))
		mirror_break(mirror);
	else
		pair->mirror = NULL;
	mirror = pair->mirror ? NULL : mirror;
	pair->pump = NULL;
	pair->sends = false;
	pair->agreed = false;
	mirror_stop(mirror, order->error);
	pump_stop(pump);
	return 0;
}

/* After a crash of this system what the dirty log holds is noted at once; a first copy goes on where it was durable. */
static int begin_to_track(const struct pair_order *order)
{
	struct pair *pair = order->pair;
	uint64_t from = order->record.first_copy_bytes, size = volume_size(pair->volume);
	int rc = volume_add_target(pair->volume, order->log, 1, &pair->volume_target);

	if (rc || order->record.first_copy_done || from >= size)
		return rc;
	return order->record.first_copy_compares ? volume_doubt_all(pair->volume_target)
						 : volume_mark(pair->volume_target, from, size - from);
}

/* After failback, too, the other end holds nothing whole before it has all that is noted here. */
static int do_track(void *arg)
{
	const struct pair_order *order = arg;
	int rc = order->pair->volume_target ? 0 : begin_to_track(order);

	if (!rc && order->record.role == PAIR_SOURCE && !order->record.first_copy_done)
		volume_begin_copy(order->pair->volume_target);
	return rc;
}

static int do_untrack(void *arg)
{
	struct pair_order *order = arg;
	struct volume_target *target = order->pair->volume_target;

	if (order->flag)
		volume_keep_log(order->pair->volume);
	order->pair->volume_target = NULL;
	if (target)
		volume_remove_target(target);
	return 0;
}

void pair_get_counters(const struct pair *pair, struct volume_counters *counters)
{
	*counters = (struct volume_counters){ 0 };
	if (pair->volume_target)
		volume_get_target_counters(pair->volume_target, counters);
}

int pair_do_counters(void *arg)
{
	struct pair_order *order = arg;

	pair_get_counters(order->pair, &order->counters);
	order->totals = order->pair->totals;
	if (order->pair->pump)
		pump_get_state(order->pair->pump, &order->pump);
	if (order->pair->mirror)
		mirror_get_state(order->pair->mirror, &order->mirror);
	return 0;
}

/* Once in the groups it is in every one: also while this system has just started and does not send yet. */
static bool member_ready(void *arg)
{
	const struct pair *pair = arg;

	return pair->joined || (pair->may_join && pair->pump);
}

static void member_joined(void *arg, uint8_t session)
{
	struct pair *pair = arg;

	pair->tagged = pair->tagged || !pair->joined;
	pair->joined = true;
	pair->closed = true;
	if (pair->pump)
		pump_join(pair->pump, session);
}

static int do_leave_session(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	/* Groups go on without it: when it comes back, nothing of it is sent before its tags are above theirs. */
	pair->closed = false;
	pair->tagged = false;
	pair->joined = pair->may_join = order->record.joined;
	return 0;
}

void pair_leave_session(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair->in_group = false;
	pair_order_surely(pair, do_leave_session, &order);
}

const struct member_volume_ops pair_member_ops = { .ready = member_ready, .joined = member_joined };

/* ---- life ---- */

struct pair *pair_take_up(struct copy *copy, const struct record_pair *record, const struct history *history,
			  struct volume *volume)
{
	struct pair **slot = slot_of(copy, record->volume);
	struct pair *pair = slot ? mem_alloc_zeroed(sizeof(*pair)) : NULL;

	if (!pair)
		return NULL;
	for (; *slot; slot = &(*slot)->next_of_volume)
		assert(strcmp((*slot)->record.system, record->system) != 0);
	*slot = pair;
	pair->copy = copy;
	pair->record = *record;
	pair->history = *history;
	pair->volume = volume;
	verify_get_record(record, &pair->verify);
	pair->may_join = record->joined;
	pair->joined = record->joined;
	pair->broken = record->role == PAIR_SOURCE &&
		       (record->state == PAIR_SUSPENDED || record->state == PAIR_FULL_DUPLEX);
	rt_mutex_init(&pair->turn);
	rt_cond_init(&pair->unpinned);
	list_add_last(&copy->pairs, &pair->link);
	return pair;
}

int pair_begin_source(struct pair *pair)
{
	uint64_t size = volume_size(pair->volume);
	const char *address = copy_path_address(pair->copy, (uint8_t)(pair->record.volume >> 8), pair->record.system);
	/* Also without a way to the far side: what hosts write is to be sent when there is one. */
	int rc = pair_track(pair);

	if (rc)
		return rc;
	if (!pair->peer)
		pair->peer = peer_get(pair->copy, pair->record.system, address, false);
	/* After a failback it is less than all of it: what is noted, which is known when the job is looked at. */
	if (!pair->record.first_copy_done)
		copy_tell_work(pair->copy, JOB_FIRST_COPY, &pair->record, COPY_WORK_BEGINS,
			       pair->record.first_copy_bytes < size ? size : 0);
	if (!pair->peer)
		return address ? -ENOMEM : -ENOTCONN;
	return 0;
}

void pair_cut_work(struct pair *pair)
{
	pair->resync_blocks = 0;
	copy_tell_work(pair->copy, JOB_FIRST_COPY, &pair->record, COPY_WORK_CUT, 0);
	copy_tell_work(pair->copy, JOB_RESYNC, &pair->record, COPY_WORK_CUT, 0);
}

static void leave_table(struct pair *pair)
{
	struct pair **slot = slot_of(pair->copy, pair->record.volume);

	while (*slot != pair)
		slot = &(*slot)->next_of_volume;
	*slot = pair->next_of_volume;
}

void pair_put_down(struct pair *pair, bool forget)
{
	struct pair_order order = { .flag = !forget, .error = forget ? 0 : -EIO, .for_good = true };
	int rc = 0;
	RT_SHIELD();

	pair->gone = true;
	if (forget)
		pair_cut_work(pair);
	while (pair->pins && !rc)
		rc = rt_cond_wait(&pair->unpinned);
	assert(!rc);
	list_remove(&pair->link);
	pair_order_surely(pair, do_stop_pump, &order);
	pair_order_surely(pair, do_untrack, &order);
	leave_table(pair);
	if (pair->peer)
		peer_put(pair->peer);
	mem_free(pair);
}

void pair_stop_sending(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_stop_pump, &order);
}

void pair_suspend(struct pair *pair, enum pair_state state, enum pair_reason reason)
{
	struct source *source = source_find(pair->copy, pair->record.session);

	if (pair->record.state == PAIR_FULL_DUPLEX && pair_suspend_duplex(pair, reason))
		return;
	pair_stop_sending(pair);
	/* What hosts write from here on is not followed. */
	pair->broken = state == PAIR_SUSPENDED;
	pair_set_state(pair, state, reason);
	if (pair_stops_groups(pair) && source)
		source_leave(source);
}

static int do_resend(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->volume_target)
		volume_resend_open(order->pair->volume_target);
	return 0;
}

void pair_resend(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_resend, &order);
}

void pair_take_up_again(struct pair *pair)
{
	pair_set_state(pair, PAIR_COPY_PENDING, PAIR_REASON_NONE);
	if (pair->peer)
		peer_look_again(pair->peer);
}

void pair_untrack(struct pair *pair)
{
	struct pair_order order = { 0 };

	pair_order_surely(pair, do_untrack, &order);
}

int pair_track(struct pair *pair)
{
	struct pair_order order = { .log = copy_dirtylog(pair->copy, volume_reactor(pair->volume)) };

	return pair_order_run(pair, do_track, &order);
}

/* Durably; after an error record and history are as before. */
static int begin_failed_over(struct pair *pair, uint64_t sequence)
{
	struct record_pair next = pair->record;
	struct history history = pair->history;
	uint8_t generation[16];
	int rc;

	rt_random_bytes(generation, sizeof(generation));
	history_begin(&pair->history, generation, sequence, rt_wall_ns());
	next.state = PAIR_FAILED_OVER;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	next.first_copy_done = true;
	rc = pair_change_record(pair, &next);
	if (rc)
		pair->history = history;
	return rc;
}

int pair_fail_over(struct pair *pair, uint64_t sequence)
{
	int rc = pair->record.state == PAIR_FAILED_OVER ? 0 : begin_failed_over(pair, sequence);

	if (!rc)
		rc = pair_track(pair);
	return rc ? rc : pair_set_access(pair, VOLUME_ACCESS_WRITE);
}

int pair_resume_work(struct pair *pair)
{
	bool was_duplex = pair->record.state == PAIR_FULL_DUPLEX;
	int rc = 0;

	if (pair->record.role == PAIR_SOURCE) {
		/* Nothing is mirrored yet. */
		if (was_duplex)
			pair_set_state(pair, PAIR_SUSPENDED, PAIR_REASON_LINK);
		/* An old primary that knows it stays closed to writes over a restart. */
		if (pair->record.reason == PAIR_REASON_HISTORY)
			rc = pair_set_access(pair, VOLUME_ACCESS_READ);
		if (!rc)
			rc = pair_begin_source(pair);
		if (!rc)
			rc = pair_refuse_writes(pair);
		if (rc == -ENOTCONN) {
			log_line(LOG_WARNING, "pair", "volume %04X: no path leads to %s any more", pair->record.volume,
				 pair->record.system);
			return 0;
		}
		if (!rc && was_duplex)
			note_news(pair, PEER_NEWS_SUSPENDED);
		if (!rc)
			peer_look_again(pair->peer);
		return rc;
	}
	if (pair->record.state == PAIR_FAILED_OVER)
		return pair_track(pair);
	rc = pair->record.first_copy_done ? pair_track(pair) : 0;
	return rc ? rc : pair_set_access(pair, VOLUME_ACCESS_NONE);
}

int pair_delete_records(struct copy *copy, const struct record_pair *record)
{
	struct record_history rows[HISTORY_MAX];
	struct meta_change changes[HISTORY_MAX + 1];
	unsigned count = 0;

	changes[count++] = (struct meta_change){ .op = META_DELETE, .kind = META_PAIR, .record = record };
	for (uint32_t i = 0; i < HISTORY_MAX; i++) {
		rows[i] = history_row(record, i);
		changes[count++] = (struct meta_change){ .op = META_DELETE, .kind = META_HISTORY, .record = &rows[i] };
	}
	return meta_commit(copy->config.meta, changes, count);
}

int pair_forget(struct pair *pair)
{
	int rc;

	pair->gone = true;
	rc = pair_delete_records(pair->copy, &pair->record);
	pair->gone = !rc;
	pair_end_change(pair);
	pair_unpin(pair);
	if (!rc)
		pair_put_down(pair, true);
	return rc;
}

/* ---- what others ask ---- */

static const uint8_t types_on_link[PAIR_TYPE_COUNT] = {
	[PAIR_GLOBAL_COPY] = WIRE_PAIR_GLOBAL_COPY, [PAIR_ASYNC] = WIRE_PAIR_ASYNC, [PAIR_SYNC] = WIRE_PAIR_SYNC,
};

uint8_t pair_type_to_wire(enum pair_type type)
{
	return types_on_link[type];
}

enum pair_type pair_type_of_wire(uint8_t type)
{
	for (unsigned i = 0; i < PAIR_TYPE_COUNT; i++) {
		if (types_on_link[i] == type)
			return (enum pair_type)i;
	}
	return PAIR_GLOBAL_COPY;
}

bool pair_sends_to(const struct pair *pair, const char *far)
{
	return pair->record.role == PAIR_SOURCE && pair->peer && !strcmp(pair->record.system, far);
}

bool pair_stops_groups(const struct pair *pair)
{
	const struct record_pair *record = &pair->record;

	if (record->role != PAIR_SOURCE || !record->session)
		return false;
	return pair_of_no_moment(pair) || (pair->joined && record->state == PAIR_SUSPENDED);
}

void pair_note_group(struct copy *copy, uint8_t session)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (!pair->gone && pair->record.role == PAIR_SOURCE && pair->record.session == session && pair->closed)
			pair->in_group = true;
	}
}

bool pair_all_grouped(struct copy *copy, uint8_t session)
{
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (!pair->gone && pair->record.role == PAIR_SOURCE && pair->record.session == session &&
		    pair->closed && !pair->in_group)
			return false;
	}
	return true;
}

unsigned pair_count_grouped(struct copy *copy, uint8_t session, const char *far)
{
	struct pair *pair;
	unsigned count = 0;

	list_for_each(pair, &copy->pairs, link)
		count += pair_sends_to(pair, far) && pair->record.session == session && pair->in_group;
	return count;
}

int pair_collect_closed(struct copy *copy, uint8_t session, const char *far, struct wire_volumes *out)
{
	struct pair *pair;
	unsigned count = 0;

	*out = (struct wire_volumes){ 0 };
	list_for_each(pair, &copy->pairs, link)
		count++;
	out->ids = mem_alloc_zeroed((count + 1) * sizeof(out->ids[0]));
	if (!out->ids)
		return -ENOMEM;
	list_for_each(pair, &copy->pairs, link) {
		if (pair_sends_to(pair, far) && pair->record.session == session && pair->closed)
			out->ids[out->count++] = pair->record.remote_volume;
	}
	return 0;
}

/* Data would flow, but for this. */
static enum pair_reason what_stops(const struct pump_state *pump)
{
	if (pump->disk_error)
		return PAIR_REASON_DISK;
	return pump->far_error == -ENOSPC ? PAIR_REASON_FAR_FULL :
	       pump->far_error == -EIO ? PAIR_REASON_FAR_DISK : PAIR_REASON_NONE;
}

void pair_get_info(struct pair *pair, struct copy_pair_info *info)
{
	struct pair_order order = { 0 };
	const struct record_pair *record = &pair->record;

	*info = (struct copy_pair_info){
		.volume = record->volume,
		.remote_volume = record->remote_volume,
		.is_source = record->role == PAIR_SOURCE,
		.is_one_of_several = pair_is_one_of_several(pair),
		.type = record->type,
		.state = record->state,
		.reason = record->reason,
		.since_wall_ns = record->since_wall_ns,
		.created_wall_ns = record->created_wall_ns,
		.session = record->session,
		.joined = pair->joined,
		.first_copy_done = record->first_copy_done,
		.first_copy_bytes = record->first_copy_bytes,
		.size_bytes = volume_size(pair->volume),
		.history = pair->history,
		.critical = record->critical,
		.frozen = pair->frozen,
		.verify = pair->verify,
		.priority = record->priority,
	};
	memcpy(info->system, record->system, sizeof(info->system));
	pair_order_surely(pair, pair_do_counters, &order);
	info->out_of_sync_blocks = order.counters.open_blocks + order.counters.closing_blocks;
	info->unsent_blocks = order.counters.unsent_blocks;
	info->waiting_requests = order.mirror.waiting;
	info->sent_bytes = order.totals.sent_bytes;
	info->compared_bytes = order.totals.compared_bytes;
	info->same_bytes = order.totals.same_bytes;
	if (info->reason == PAIR_REASON_NONE && copy_get_losses(pair->copy, record->volume).sync_wall_ns)
		info->reason = PAIR_REASON_DISK;
	if (info->reason == PAIR_REASON_NONE)
		info->reason = what_stops(&order.pump);
}
