/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/failback.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "volume/planted.h"

#define PROGRESS_STEP	(256u << 20)
#define CONSENT_NS	(20 * RT_SECOND)	/* for the far side's answer whether a pair may go on */
#define SYNCED_NS	(60 * RT_SECOND)	/* for the far side to make data durable */

struct pair *pair_find(struct copy *copy, uint16_t volume)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair->record.volume == volume && !pair->gone)
			return pair;
	}
	return NULL;
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
	struct pair *pair = pair_find(copy, volume);

	if (!pair || pair->record.role != PAIR_TARGET || strcmp(pair->record.system, source_system) != 0)
		return NULL;
	return pair;
}

int pair_save(struct pair *pair)
{
	struct record_history rows[HISTORY_MAX];
	struct meta_change changes[HISTORY_MAX + 1];
	unsigned count = 0;

	changes[count++] = (struct meta_change){ .kind = META_PAIR, .record = &pair->record };
	for (uint32_t i = 0; i < pair->history.count; i++) {
		const struct history_entry *entry = &pair->history.entries[i];

		rows[i] = (struct record_history){
			.volume = pair->record.volume, .ordinal = pair->history.count - 1 - i,
			.sequence = entry->sequence, .began_wall_ns = entry->began_wall_ns,
		};
		memcpy(rows[i].generation, entry->generation, sizeof(rows[i].generation));
		changes[count++] = (struct meta_change){ .kind = META_HISTORY, .record = &rows[i] };
	}
	return meta_commit(pair->copy->config.meta, changes, count);
}

static void set_state(struct pair *pair, enum pair_state state, enum pair_reason reason)
{
	int rc;

	if (pair->record.state == state && pair->record.reason == reason)
		return;
	pair->record.state = state;
	pair->record.reason = reason;
	pair->record.since_wall_ns = rt_wall_ns();
	log_line(LOG_NOTICE, "pair", "volume %04X to %s volume %04X: %s%s%s", pair->record.volume, pair->record.system,
		 pair->record.remote_volume, pair_state_names[state], reason ? ", " : "",
		 reason ? pair_reason_names[reason] : "");
	rc = pair_save(pair);
	if (rc)
		log_line(LOG_ERROR, "pair", "volume %04X: its new state is not durable: %s", pair->record.volume,
			 strerror(-rc));
}

/* ---- on the volume's reactor ---- */

struct pair_order {
	struct pair *pair;
	uint8_t boot_id[WIRE_ID_SIZE];
	struct dirtylog *log;
	struct volume_counters counters;
	uint64_t first_needed;
	bool flag;
};

static int order_pair(struct pair *pair, int (*fn)(void *arg), struct pair_order *order)
{
	order->pair = pair;
	return rt_call(volume_reactor(pair->volume), fn, order);
}

/*
 * After a start of this system nothing of a volume in the groups is sent before the far side's tags are known: what it
 * holds of a later increment would lie on top.
 */
static int start_pump_if_ready(struct pair *pair)
{
	if (pair->pump || !pair->agreed || (pair->joined && !pair->tagged))
		return 0;
	return pump_start(pair->volume, pair->peer->to, pair->record.remote_volume, pair->record.session, pair->joined,
			  pair->agreed_boot_id, &pair->peer->notices[rt_reactor_index(rt_here())], &pair->pump);
}

static int do_start_pump(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	pair->agreed = true;
	memcpy(pair->agreed_boot_id, order->boot_id, WIRE_ID_SIZE);
	return start_pump_if_ready(pair);
}

static int do_allow_tags(void *arg)
{
	struct pair_order *order = arg;

	order->pair->tagged = true;
	return start_pump_if_ready(order->pair);
}

static int do_stop_pump(void *arg)
{
	struct pair_order *order = arg;
	struct pump *pump = order->pair->pump;

	order->pair->pump = NULL;
	order->pair->agreed = false;
	pump_stop(pump);
	return 0;
}

static int do_far_restarted(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	memcpy(pair->agreed_boot_id, order->boot_id, WIRE_ID_SIZE);
	if (pair->pump)
		pump_far_restarted(pair->pump, order->boot_id);
	else if (volume_is_tracked(pair->volume))
		volume_resend_open(pair->volume);
	return 0;
}

/* After a crash of this system what the dirty log holds is noted at once; a first copy goes on where it was durable. */
static int do_track(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;
	uint64_t from = pair->record.first_copy_bytes, size = volume_size(pair->volume);
	int rc;

	if (volume_is_tracked(pair->volume))
		return 0;
	rc = volume_track(pair->volume, order->log, 1);
	if (!rc && !pair->record.first_copy_done && from < size)
		rc = volume_mark(pair->volume, from, size - from);
	return rc;
}

static int do_untrack(void *arg)
{
	struct pair_order *order = arg;

	if (volume_is_tracked(order->pair->volume))
		volume_untrack(order->pair->volume);
	return 0;
}

static int do_counters(void *arg)
{
	struct pair_order *order = arg;

	volume_get_counters(order->pair->volume, &order->counters);
	return 0;
}

static int do_sync_begin(void *arg)
{
	struct pair_order *order = arg;

	order->flag = order->pair->pump && !order->pair->joined && volume_is_tracked(order->pair->volume) &&
		      volume_sync_begin(order->pair->volume);
	return 0;
}

static int do_sync_end(void *arg)
{
	struct pair_order *order = arg;
	struct pair *pair = order->pair;

	/* It may send no more, or send to another end, while the far side was asked. */
	order->flag = order->flag && volume_is_tracked(pair->volume) && pair->record.role == PAIR_SOURCE;
	volume_sync_end(pair->volume, order->flag);
	if (!order->flag)
		return 0;
	order->first_needed = volume_first_needed(pair->volume);
	return volume_clean_regions(pair->volume);
}

static int do_allow_join(void *arg)
{
	struct pair_order *order = arg;

	order->pair->may_join = true;
	return 0;
}

/* Once in the groups it is in every one: also while this system has just started and does not send yet. */
static bool member_ready(void *arg)
{
	const struct pair *pair = arg;

	return pair->joined || (pair->may_join && pair->pump);
}

static void member_joined(void *arg, uint64_t number)
{
	struct pair *pair = arg;

	(void)number;
	pair->tagged = pair->tagged || !pair->joined;
	pair->joined = true;
	if (pair->pump)
		pump_join(pair->pump, pair->record.session);
}

const struct member_volume_ops pair_member_ops = { .ready = member_ready, .joined = member_joined };

/* ---- life ---- */

struct pair *pair_take_up(struct copy *copy, const struct record_pair *record, const struct history *history,
			  struct volume *volume)
{
	struct pair *pair = mem_alloc_zeroed(sizeof(*pair));

	if (!pair)
		return NULL;
	pair->copy = copy;
	pair->record = *record;
	pair->history = *history;
	pair->volume = volume;
	pair->may_join = pair->joined = record->joined;
	rt_mutex_init(&pair->turn);
	rt_cond_init(&pair->unpinned);
	list_add_last(&copy->pairs, &pair->link);
	return pair;
}

int pair_begin_source(struct pair *pair)
{
	struct pair_order order = { .log = copy_dirtylog(pair->copy, volume_reactor(pair->volume)) };
	const char *address = copy_path_address(pair->copy, (uint8_t)(pair->record.volume >> 8), pair->record.system);

	if (!pair->peer)
		pair->peer = peer_get(pair->copy, pair->record.system, address, false);
	if (!pair->peer)
		return address ? -ENOMEM : -ENOTCONN;
	return order_pair(pair, do_track, &order);
}

void pair_put_down(struct pair *pair)
{
	struct pair_order order = { 0 };
	int rc = 0;
	RT_SHIELD();

	pair->gone = true;
	while (pair->pins && !rc)
		rc = rt_cond_wait(&pair->unpinned);
	assert(!rc);
	list_remove(&pair->link);
	rc = order_pair(pair, do_stop_pump, &order);
	assert(!rc);
	rc = order_pair(pair, do_untrack, &order);
	assert(!rc);
	if (pair->peer)
		peer_put(pair->peer);
	mem_free(pair);
}

void pair_suspend(struct pair *pair, enum pair_state state, enum pair_reason reason)
{
	struct pair_order order = { 0 };
	int rc = order_pair(pair, do_stop_pump, &order);

	assert(!rc);
	set_state(pair, state, reason);
}

static int do_resend(void *arg)
{
	struct pair_order *order = arg;

	if (volume_is_tracked(order->pair->volume))
		volume_resend_open(order->pair->volume);
	return 0;
}

void pair_resend(struct pair *pair)
{
	struct pair_order order = { 0 };
	int rc = order_pair(pair, do_resend, &order);

	assert(!rc);
}

void pair_take_up_again(struct pair *pair)
{
	set_state(pair, PAIR_COPY_PENDING, PAIR_REASON_NONE);
	if (pair->peer)
		peer_look_again(pair->peer);
}

struct access_order {
	struct volume *volume;
	enum volume_access access;
};

static int do_set_access(void *arg)
{
	struct access_order *order = arg;

	return volume_set_access(order->volume, order->access);
}

int pair_set_access(struct pair *pair, enum volume_access access)
{
	struct access_order order = { .volume = pair->volume, .access = access };

	return rt_call(volume_reactor(pair->volume), do_set_access, &order);
}

void pair_untrack(struct pair *pair)
{
	struct pair_order order = { 0 };
	int rc = order_pair(pair, do_untrack, &order);

	assert(!rc);
}

int pair_track(struct pair *pair)
{
	struct pair_order order = { .log = copy_dirtylog(pair->copy, volume_reactor(pair->volume)) };

	return order_pair(pair, do_track, &order);
}

int pair_fail_over(struct pair *pair, uint64_t sequence)
{
	struct record_pair before = pair->record;
	struct history history = pair->history;
	uint8_t generation[16];
	int rc;

	if (pair->record.state != PAIR_FAILED_OVER) {
		rt_random_bytes(generation, sizeof(generation));
		history_begin(&pair->history, generation, sequence, rt_wall_ns());
		pair->record.state = PAIR_FAILED_OVER;
		pair->record.reason = PAIR_REASON_NONE;
		pair->record.since_wall_ns = rt_wall_ns();
		pair->record.first_copy_done = true;
		rc = pair_save(pair);
		if (rc) {
			pair->record = before;
			pair->history = history;
			return rc;
		}
	}
	rc = pair_track(pair);
	return rc ? rc : pair_set_access(pair, VOLUME_ACCESS_WRITE);
}

int pair_resume_work(struct pair *pair)
{
	int rc;

	if (pair->record.role == PAIR_SOURCE) {
		rc = pair_begin_source(pair);
		if (rc == -ENOTCONN) {
			log_line(LOG_WARNING, "pair", "volume %04X: no path leads to %s any more", pair->record.volume,
				 pair->record.system);
			return 0;
		}
		if (!rc)
			peer_look_again(pair->peer);
		return rc;
	}
	if (pair->record.state == PAIR_FAILED_OVER)
		return pair_track(pair);
	rc = pair->record.first_copy_done ? pair_track(pair) : 0;
	return rc ? rc : pair_set_access(pair, VOLUME_ACCESS_NONE);
}

int pair_forget(struct pair *pair)
{
	struct record_history rows[HISTORY_MAX];
	struct meta_change changes[HISTORY_MAX + 1];
	unsigned count = 0;
	int rc;

	changes[count++] = (struct meta_change){ .op = META_DELETE, .kind = META_PAIR, .record = &pair->record };
	for (uint32_t i = 0; i < HISTORY_MAX; i++) {
		rows[i] = (struct record_history){ .volume = pair->record.volume, .ordinal = i };
		changes[count++] = (struct meta_change){ .op = META_DELETE, .kind = META_HISTORY, .record = &rows[i] };
	}
	rc = meta_commit(pair->copy->config.meta, changes, count);
	pair->gone = !rc;
	pair_end_change(pair);
	pair_unpin(pair);
	if (!rc)
		pair_put_down(pair);
	return rc;
}

/* ---- the far side's consent ---- */

static enum pair_reason reason_of(int error)
{
	switch (error) {
	case -ENOENT:
		return PAIR_REASON_FAR_GONE;
	case -ESTALE:
		return PAIR_REASON_HISTORY;
	case -ENOSPC:
		return PAIR_REASON_FAR_FULL;
	case -EIO:
		return PAIR_REASON_FAR_DISK;
	default:
		return PAIR_REASON_LINK;
	}
}

int pair_connect(struct pair *pair, uint32_t flags, struct wire_pair_reply *reply, char *why)
{
	struct wire_pair_establish request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
		.size_bytes = volume_size(pair->volume), .flags = flags, .history = pair->history,
		.type = pair->record.type == PAIR_ASYNC ? WIRE_PAIR_ASYNC : WIRE_PAIR_GLOBAL_COPY,
	};
	struct pair_order order = { 0 };
	int rc;

	{
		/* In the pair's turn, which the other end may wait for while it is asked: not for ever. */
		RT_LIMIT(rt_now_ns() + CONSENT_NS);

		rc = link_request(pair->peer->to, WIRE_PAIR_ESTABLISH, &request, reply, why, NULL);
		if (!rc)
			rc = failback_take_changes(pair, why);
	}
	if (rc)
		return rc;
	memcpy(order.boot_id, reply->boot_id, WIRE_ID_SIZE);
	return order_pair(pair, do_start_pump, &order);
}

static bool sends_to(const struct pair *pair, const char *far)
{
	return pair->record.role == PAIR_SOURCE && pair->peer && !strcmp(pair->record.system, far);
}

static bool may_resume_by_itself(const struct pair *pair)
{
	return pair->record.state == PAIR_COPY_PENDING ||
	       (pair->record.state == PAIR_SUSPENDED && pair->record.reason != PAIR_REASON_COMMAND);
}

static void reconnect(struct pair *pair)
{
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE] = "";
	int rc;

	if (pair_begin_change(pair))
		return;
	/* While it waited for its turn a command may have changed what it is. */
	if (pair->record.role != PAIR_SOURCE || !may_resume_by_itself(pair)) {
		pair_end_change(pair);
		return;
	}
	rc = pair_connect(pair, WIRE_PAIR_RESUME, &reply, why);
	if (rc == -ETIMEDOUT)
		peer_look_again(pair->peer);
	if (!rc) {
		pair->broken = false;
		set_state(pair, PAIR_COPY_PENDING, PAIR_REASON_NONE);
	} else if (rc != -ENOTCONN && rc != -ECANCELED && rc != -ETIMEDOUT) {
		log_line(LOG_WARNING, "pair", "volume %04X: %s does not take it up: %s", pair->record.volume,
			 pair->record.system, why[0] ? why : strerror(-rc));
		pair_suspend(pair, PAIR_SUSPENDED, reason_of(rc));
		if (rc == -ESTALE && pair_set_access(pair, VOLUME_ACCESS_READ))
			log_line(LOG_ERROR, "pair", "volume %04X could not be closed to writes", pair->record.volume);
	}
	pair_end_change(pair);
}

void pair_allow_tags(struct copy *copy, uint8_t session)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };
		int rc;

		if (pair->record.role != PAIR_SOURCE || pair->record.session != session || !pair->peer)
			continue;
		rc = order_pair(pair, do_allow_tags, &order);
		if (rc)
			log_line(LOG_ERROR, "pair", "volume %04X is not sent: %s", pair->record.volume, strerror(-rc));
	}
}

void pair_link_up(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		if (sends_to(pair, far) && may_resume_by_itself(pair))
			reconnect(pair);
	}
}

void pair_link_down(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };

		if (!sends_to(pair, far) || pair->broken)
			continue;
		if (order_pair(pair, do_counters, &order))
			continue;
		pair->writes_at_break = order.counters.writes + order.counters.discards;
		pair->broken = true;
		if (pair->record.state == PAIR_COPY_PENDING)
			set_state(pair, PAIR_COPY_PENDING, PAIR_REASON_LINK);
	}
}

bool pair_any_broken(struct copy *copy, const char *far)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (sends_to(pair, far) && pair->broken)
			return true;
	}
	return false;
}

void pair_watch_broken(struct copy *copy, const char *far)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };
		uint8_t generation[16];

		if (!sends_to(pair, far) || !pair->broken || order_pair(pair, do_counters, &order))
			continue;
		if (order.counters.writes + order.counters.discards == pair->writes_at_break)
			continue;
		rt_random_bytes(generation, sizeof(generation));
		history_begin(&pair->history, generation, 0, rt_wall_ns());
		if (pair_save(pair))
			log_line(LOG_ERROR, "pair", "volume %04X: its history is not durable", pair->record.volume);
		pair->broken = false;
	}
}

void pair_far_restarted(struct copy *copy, const char *far, const uint8_t boot_id[WIRE_ID_SIZE])
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };
		int rc;

		if (!sends_to(pair, far))
			continue;
		memcpy(order.boot_id, boot_id, WIRE_ID_SIZE);
		rc = order_pair(pair, do_far_restarted, &order);
		assert(!rc);
	}
}

/* ---- durable at the far side ---- */

void pair_allow_join(struct pair *pair)
{
	struct pair_order order = { 0 };
	int rc;

	if (!pair->record.session || !pair->record.first_copy_done)
		return;
	pair->record.joined = true;
	rc = pair_save(pair);
	if (rc) {
		pair->record.joined = false;
		log_line(LOG_ERROR, "pair", "volume %04X cannot join session %u: %s", pair->record.volume,
			 pair->record.session, strerror(-rc));
		return;
	}
	rc = order_pair(pair, do_allow_join, &order);
	assert(!rc);
}

/* How far the first copy is, durably: from there it goes on after a restart. Saved in steps, and at its end. */
static void note_progress(struct pair *pair, uint64_t first_needed)
{
	uint64_t size = volume_size(pair->volume);

	if (pair->record.first_copy_done ||
	    (first_needed < size && first_needed < pair->record.first_copy_bytes + PROGRESS_STEP))
		return;
	pair->record.first_copy_bytes = first_needed;
	pair->record.first_copy_done = first_needed >= size;
	if (pair_save(pair)) {
		log_line(LOG_ERROR, "pair", "volume %04X: the progress of its copy is not durable",
			 pair->record.volume);
		pair->record.first_copy_done = false;
		return;
	}
	if (!pair->record.first_copy_done)
		return;
	log_line(LOG_NOTICE, "pair", "volume %04X: first copy to %s done", pair->record.volume, pair->record.system);
	pair_allow_join(pair);
}

static void end_sync(struct pair *pair, bool ok)
{
	struct pair_order order = { .flag = ok };
	int rc = order_pair(pair, do_sync_end, &order);

	if (rc)
		log_line(LOG_WARNING, "pair", "volume %04X: regions stay dirty: %s", pair->record.volume,
			 strerror(-rc));
	if (order.flag)
		note_progress(pair, order.first_needed);
}

static int do_clean(void *arg)
{
	struct pair_order *order = arg;

	return volume_is_tracked(order->pair->volume) ? volume_clean_regions(order->pair->volume) : 0;
}

void pair_clean_all(struct copy *copy)
{
	struct pair *pair;

	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };
		int rc = order_pair(pair, do_clean, &order);

		if (rc)
			log_line(LOG_WARNING, "pair", "volume %04X: regions stay dirty: %s", pair->record.volume,
				 strerror(-rc));
	}
}

static bool is_among(const struct wire_volumes *volumes, uint16_t id)
{
	for (uint32_t i = 0; i < volumes->count; i++) {
		if (volumes->ids[i] == id)
			return true;
	}
	return false;
}

static int ask_synced(struct peer *peer, const struct wire_volumes_sync *request, struct wire_volumes_sync_reply *reply)
{
	char why[WIRE_TEXT_SIZE];
	RT_LIMIT(rt_now_ns() + SYNCED_NS);

	return link_request(peer->to, WIRE_VOLUMES_SYNC, request, reply, why, NULL);
}

void pair_sync_all(struct copy *copy, struct peer *peer)
{
	struct wire_volumes_sync request = { 0 };
	struct wire_volumes_sync_reply reply = { 0 };
	struct pair *pair, **asked;
	unsigned count = 0;
	int rc;
	RT_SHIELD();

	list_for_each(pair, &copy->pairs, link)
		count++;
	asked = mem_alloc_zeroed((count + 1) * sizeof(struct pair *));
	request.targets.ids = mem_alloc_zeroed((count + 1) * sizeof(request.targets.ids[0]));
	if (!asked || !request.targets.ids)
		goto out;
	for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)) {
		struct pair_order order = { 0 };

		/* A pair that came meanwhile has its turn the next time. */
		if (request.targets.count == count || !sends_to(pair, peer->system) ||
		    order_pair(pair, do_sync_begin, &order) || !order.flag)
			continue;
		pair_pin(pair);
		asked[request.targets.count] = pair;
		request.targets.ids[request.targets.count++] = pair->record.remote_volume;
	}
	if (!request.targets.count)
		goto out;
	rc = ask_synced(peer, &request, &reply);
	if (rc == -ETIMEDOUT)
		notice_due(&peer->acked);
	/* The word of another start of the far side says nothing about what this one acknowledged. */
	if (!rc && memcmp(reply.boot_id, peer->boot_id, WIRE_ID_SIZE) != 0)
		rc = -ESTALE;
	for (unsigned i = 0; i < request.targets.count; i++) {
		end_sync(asked[i], !rc && !is_among(&reply.failed, request.targets.ids[i]));
		pair_unpin(asked[i]);
	}
	if (!rc || rc == -ESTALE)
		link_reply_free(WIRE_VOLUMES_SYNC, &reply);
out:
	mem_free(request.targets.ids);
	mem_free(asked);
}

/* ---- what others ask ---- */

int pair_collect_joined(struct copy *copy, uint8_t session, const char *far, struct wire_volumes *out)
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
		if (sends_to(pair, far) && pair->record.session == session && pair->joined)
			out->ids[out->count++] = pair->record.remote_volume;
	}
	return 0;
}

void pair_get_info(struct pair *pair, struct copy_pair_info *info)
{
	struct pair_order order = { 0 };
	const struct record_pair *record = &pair->record;

	*info = (struct copy_pair_info){
		.volume = record->volume,
		.remote_volume = record->remote_volume,
		.is_source = record->role == PAIR_SOURCE,
		.type = record->type,
		.state = record->state,
		.reason = record->reason,
		.since_wall_ns = record->since_wall_ns,
		.session = record->session,
		.joined = pair->joined,
		.first_copy_done = record->first_copy_done,
		.size_bytes = volume_size(pair->volume),
		.history = pair->history,
	};
	memcpy(info->system, record->system, sizeof(info->system));
	if (!order_pair(pair, do_counters, &order)) {
		info->out_of_sync_blocks = order.counters.open_blocks + order.counters.closing_blocks;
		info->unsent_blocks = order.counters.unsent_blocks;
	}
}
