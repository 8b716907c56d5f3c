/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/member.h"

#include <assert.h>
#include <errno.h>

#include "copy/notice.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/target.h"

struct member_volume {
	struct list_head link;			/* of its shard */
	struct volume_target *target;
	const struct member_volume_ops *ops;
	void *arg;
	bool joined;
};

/* The volumes that live on one reactor. Touched only there. */
struct member_shard {
	struct list_head volumes;
	unsigned count, joined;
	struct notice written;
};

struct member {
	struct rt_reactor *reactor;
	struct rt_mutex turn;			/* one decision is carried out at a time */
	struct rt_group fibers;			/* the timer, and the drain */
	struct notice_board written;		/* hosts wrote to an increment that was empty */
	struct rt_cond held_begins;		/* what the timer waits for */
	struct rt_cond drain_changed;		/* another number to drain, one has ended, or an attempt is over */
	uint64_t drain_asked, drain_ended;
	int drain_rc;				/* of the one that has ended */
	uint64_t seen, lowest, closing;
	int64_t closed_ns, hold_until_ns;
	int64_t hold_last_ns, hold_max_ns;
	enum cg_failure failure;
	bool held, drained, retired;
	uint8_t session;
	unsigned shard_count;
	struct member_shard shards[];
};

/* ---- carried out on the reactors ---- */

struct shard_order {
	struct member_shard *shard;
	uint8_t session;
	uint64_t number;
	struct volume_target *target;
	const struct member_volume_ops *ops;
	void *arg;
	uint64_t out_of_sync;
	unsigned volumes, joined;
	bool empty;
};

static int shard_close(void *arg)
{
	struct shard_order *order = arg;
	struct volume_counters counters;
	struct member_volume *mv;

	order->empty = true;
	list_for_each(mv, &order->shard->volumes, link) {
		if (!mv->joined) {
			if (!mv->ops->ready(mv->arg))
				continue;
			mv->joined = true;
			order->shard->joined++;
			mv->ops->joined(mv->arg, order->session);
			order->empty = false;	/* its first CG must be prepared, even if it holds nothing new */
		}
		volume_close_increment(mv->target, order->number);
		volume_get_target_counters(mv->target, &counters);
		if (counters.closing_blocks)
			order->empty = false;
	}
	return 0;
}

static int shard_release(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	list_for_each(mv, &order->shard->volumes, link) {
		if (volume_closing_number(mv->target))
			volume_release(mv->target);
	}
	return 0;
}

static int shard_merge(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	list_for_each(mv, &order->shard->volumes, link) {
		if (!volume_closing_number(mv->target))
			continue;
		volume_merge(mv->target);
	}
	return 0;
}

static int shard_forget(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	list_for_each(mv, &order->shard->volumes, link) {
		if (volume_closing_number(mv->target) == order->number)
			volume_forget(mv->target);
	}
	return 0;
}

static int shard_begin_drain(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	list_for_each(mv, &order->shard->volumes, link) {
		if (volume_closing_number(mv->target) == order->number)
			volume_begin_drain(mv->target);
	}
	return 0;
}

/*
 * Suspends until the volume has sent all of its closing increment. A volume may leave the list meanwhile, so by turns.
 */
static int drain_volume(struct volume_target *target, uint64_t number)
{
	int rc = 0;

	while (!rc && volume_closing_number(target) == number && !volume_is_drained(target)) {
		if (vdisk_failed(volume_disk(volume_of_target(target))))
			return -EIO;
		rc = rt_cond_wait(volume_changed(target));
	}
	if (volume_attempt_failed(target) == number)
		return -ENOBUFS;
	return rc ? rc : volume_closing_number(target) == number ? 0 : -ESTALE;
}

static int shard_drain(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;
	int rc;

	list_for_each(mv, &order->shard->volumes, link) {
		if (!mv->joined)
			continue;
		/* The list only changes after a merge, and then the volume's closing number says so. */
		rc = drain_volume(mv->target, order->number);
		if (rc)
			return rc;
	}
	return 0;
}

static int shard_set_tag(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	list_for_each(mv, &order->shard->volumes, link) {
		if (volume_open_number(mv->target) < order->number)
			volume_set_open_number(mv->target, order->number);
	}
	return 0;
}

static struct member_volume *find_volume(struct member_shard *shard, const struct volume_target *target)
{
	struct member_volume *mv;

	list_for_each(mv, &shard->volumes, link) {
		if (mv->target == target)
			return mv;
	}
	return NULL;
}

static void tell_written(void *arg)
{
	struct member_shard *shard = arg;

	notice_give(&shard->written);
}

static int shard_add(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv;

	if (find_volume(order->shard, order->target))
		return -EEXIST;
	mv = mem_alloc_zeroed(sizeof(*mv));
	if (!mv)
		return -ENOMEM;
	mv->target = order->target;
	mv->ops = order->ops;
	mv->arg = order->arg;
	list_add_last(&order->shard->volumes, &mv->link);
	order->shard->count++;
	order->number = volume_open_number(mv->target);
	volume_tell_first_note(mv->target, tell_written, order->shard);
	return 0;
}

static int shard_remove(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv = find_volume(order->shard, order->target);

	if (!mv)
		return -ENOENT;
	assert(!volume_closing_number(mv->target));
	volume_tell_first_note(mv->target, NULL, NULL);
	list_remove(&mv->link);
	order->shard->count--;
	order->shard->joined -= mv->joined;
	mem_free(mv);
	return 0;
}

static int shard_status(void *arg)
{
	struct shard_order *order = arg;
	struct volume_counters counters;
	struct member_volume *mv;

	order->volumes = order->shard->count;
	order->joined = order->shard->joined;
	list_for_each(mv, &order->shard->volumes, link) {
		volume_get_target_counters(mv->target, &counters);
		order->out_of_sync += counters.open_blocks + counters.closing_blocks;
	}
	return 0;
}

/* Gives an order to one reactor after the other. The shards of a member are few; each order takes microseconds. */
static int order_all(struct member *member, int (*fn)(void *arg), struct shard_order *order)
{
	int rc = 0;

	for (unsigned i = 0; i < member->shard_count && !rc; i++) {
		order->shard = &member->shards[i];
		rc = rt_call(rt_reactor(i), fn, order);
	}
	return rc;
}

static int order_one(struct member *member, struct volume_target *target, int (*fn)(void *arg),
		     struct shard_order *order)
{
	struct rt_reactor *to = volume_reactor(volume_of_target(target));

	order->target = target;
	order->shard = &member->shards[rt_reactor_index(to)];
	return rt_call(to, fn, order);
}

static void order_surely(struct member *member, int (*fn)(void *arg), uint64_t number)
{
	struct shard_order order = { .number = number };
	int rc = order_all(member, fn, &order);

	assert(!rc);
}

/* ---- decisions, under the turn ---- */

static void take_turn(struct member *member)
{
	int rc = rt_mutex_lock(&member->turn);

	assert(!rc);	/* shielded by all callers; each turn is short */
}

static void hold_ends(struct member *member)
{
	if (!member->held)
		return;
	member->held = false;
	member->hold_last_ns = rt_now_ns() - member->closed_ns;
	if (member->hold_last_ns > member->hold_max_ns)
		member->hold_max_ns = member->hold_last_ns;
}

static void end_attempt(struct member *member, enum cg_failure failure)
{
	hold_ends(member);
	member->failure = failure;
	member->closing = 0;
	member->drained = false;
	rt_cond_wake_all(&member->drain_changed);
}

static void leave_attempt(struct member *member, enum cg_failure reason)
{
	if (!member->closing)
		return;
	order_surely(member, shard_merge, member->closing);
	end_attempt(member, reason);
}

static void forget_increment(struct member *member)
{
	order_surely(member, shard_forget, member->closing);
	end_attempt(member, CG_FAILURE_NONE);
}

/* -ETIMEDOUT: its time is over. 0: another has begun meanwhile, which may have less time. */
static int wait_hold_over(struct member *member)
{
	bool over = planted(PLANTED_NO_SOURCE_TIMER) && rt_now_ns() >= member->hold_until_ns;
	RT_LIMIT(member->held && !over ? member->hold_until_ns : RT_NEVER);

	return rt_cond_wait(&member->held_begins);
}

/* Every source system has its own timer: no hold lasts, whatever the master does or fails to do (claim 6). */
static void run_timer(void *arg)
{
	struct member *member = arg;
	int rc = 0;

	while (rc != -ECANCELED) {
		uint64_t attempt = member->closing;

		rc = wait_hold_over(member);
		if (rc != -ETIMEDOUT || planted(PLANTED_NO_SOURCE_TIMER))
			continue;
		RT_SHIELD();
		take_turn(member);
		if (member->held && member->closing == attempt)
			leave_attempt(member, CG_FAILURE_COORDINATION_TIME);
		rt_mutex_unlock(&member->turn);
	}
}

int member_close(struct member *member, uint64_t attempt, uint64_t exists, int64_t hold_max_ns, bool *empty)
{
	struct shard_order order = { .number = attempt, .session = member->session };
	int rc;
	RT_SHIELD();

	assert(rt_here() == member->reactor && hold_max_ns > 0);
	take_turn(member);
	if (attempt <= member->seen || attempt < member->lowest || member->retired) {
		rc = attempt > member->seen && !member->retired ? -ERANGE : -ESTALE;
		rt_mutex_unlock(&member->turn);
		return rc;
	}
	if (member->closing && exists == member->closing)
		forget_increment(member);
	else
		leave_attempt(member, CG_FAILURE_SUPERSEDED);
	member->seen = attempt;
	member->closing = attempt;
	member->drained = false;
	member->held = true;
	member->closed_ns = rt_now_ns();
	member->hold_until_ns = member->closed_ns + hold_max_ns;
	*empty = true;
	for (unsigned i = 0; i < member->shard_count; i++) {
		order.shard = &member->shards[i];
		rc = rt_call(rt_reactor(i), shard_close, &order);
		assert(!rc);
		*empty = *empty && order.empty;
	}
	rt_cond_wake_all(&member->held_begins);
	rt_mutex_unlock(&member->turn);
	return 0;
}

int member_release(struct member *member, uint64_t attempt)
{
	int rc = -ESTALE;
	RT_SHIELD();

	take_turn(member);
	if (member->closing == attempt && member->held) {
		order_surely(member, shard_release, attempt);
		hold_ends(member);
		rc = 0;
	}
	rt_mutex_unlock(&member->turn);
	return rc;
}

static enum cg_failure drain_failure(int rc)
{
	return rc == -ENOBUFS ? CG_FAILURE_SIDEFILE_FULL : CG_FAILURE_DISK;
}

/*
 * A fiber of its own, since a call to another reactor cannot be given up: whoever asks for a drain may be. It ends with
 * the attempt at the latest.
 */
static void run_drain(void *arg)
{
	struct member *member = arg;
	int rc = 0;

	while (!rc) {
		struct shard_order order = { .number = member->drain_asked };

		if (order.number == member->drain_ended) {
			rc = rt_cond_wait(&member->drain_changed);
			continue;
		}
		/* All begin before any is waited for. */
		order_surely(member, shard_begin_drain, order.number);
		member->drain_rc = order_all(member, shard_drain, &order);
		member->drain_ended = order.number;
		rt_cond_wake_all(&member->drain_changed);
	}
}

static int wait_drained(struct member *member, uint64_t attempt)
{
	int rc = 0;

	if (member->drain_asked != attempt) {
		member->drain_asked = attempt;
		rt_cond_wake_all(&member->drain_changed);
	}
	while (!rc && member->closing == attempt && member->drain_ended != attempt)
		rc = rt_cond_wait(&member->drain_changed);
	return rc ? rc : member->drain_ended == attempt ? member->drain_rc : -ESTALE;
}

int member_drain(struct member *member, uint64_t attempt)
{
	int rc;

	if (!attempt || member->closing != attempt)
		return -ESTALE;
	/* Else the timer here could still undo the close after the far side was told to prepare. */
	if (member->held)
		return -EPROTO;
	rc = wait_drained(member, attempt);
	if (member->closing != attempt)
		return -ESTALE;
	if (rc == -ENOBUFS || rc == -EIO)
		member_leave(member, attempt, drain_failure(rc));
	if (!rc)
		member->drained = true;
	return rc;
}

bool member_may_prepare(const struct member *member, uint64_t attempt)
{
	return attempt && member->closing == attempt && member->drained && !member->held;
}

void member_exists(struct member *member, uint64_t number)
{
	RT_SHIELD();

	take_turn(member);
	if (member->closing && member->closing == number)
		forget_increment(member);
	rt_mutex_unlock(&member->turn);
}

void member_retire(struct member *member)
{
	member->retired = true;
	member_leave(member, 0, CG_FAILURE_WRONG_STATE);
}

void member_leave(struct member *member, uint64_t attempt, enum cg_failure reason)
{
	RT_SHIELD();

	take_turn(member);
	if (!attempt || member->closing == attempt)
		leave_attempt(member, reason);
	/* Nor does it begin, if its close is still on the way. */
	if (attempt > member->seen)
		member->seen = attempt;
	rt_mutex_unlock(&member->turn);
}

void member_handshake(struct member *member, uint64_t attempt, uint64_t highest_tag)
{
	bool low = planted(PLANTED_RESTART_LOW_TAG);
	struct shard_order order = { .number = highest_tag > attempt || low ? highest_tag : attempt + 1 };
	int rc;
	RT_SHIELD();

	take_turn(member);
	leave_attempt(member, CG_FAILURE_SUPERSEDED);
	if (attempt > member->seen)
		member->seen = attempt;
	rc = order_all(member, shard_set_tag, &order);
	assert(!rc);
	if (member->lowest < order.number)
		member->lowest = order.number;
	rt_mutex_unlock(&member->turn);
}

/* ---- volumes and life ---- */

int member_add_volume(struct member *member, struct volume_target *target, const struct member_volume_ops *ops,
		      void *arg)
{
	struct shard_order order = { .ops = ops, .arg = arg };
	int rc;
	RT_SHIELD();

	take_turn(member);
	rc = order_one(member, target, shard_add, &order);
	if (!rc && member->lowest < order.number)
		member->lowest = order.number;
	rt_mutex_unlock(&member->turn);
	return rc;
}

int member_remove_volume(struct member *member, struct volume_target *target)
{
	struct shard_order order = { 0 };
	int rc;
	RT_SHIELD();

	take_turn(member);
	leave_attempt(member, CG_FAILURE_WRONG_STATE);
	rc = order_one(member, target, shard_remove, &order);
	rt_mutex_unlock(&member->turn);
	return rc;
}

int member_wait_written(struct member *member)
{
	return notice_wait(&member->written);
}

void member_want_attempt(struct member *member)
{
	notice_due(&member->written);
}

void member_get_status(const struct member *member, struct member_status *status)
{
	*status = (struct member_status){
		.seen = member->seen, .lowest = member->lowest, .closing = member->closing,
		.held = member->held, .drained = member->drained, .failure = member->failure,
		.hold_last_ns = member->hold_last_ns, .hold_max_ns = member->hold_max_ns,
	};
}

void member_count(struct member *member, struct member_counts *counts)
{
	RT_SHIELD();

	*counts = (struct member_counts){ 0 };
	for (unsigned i = 0; i < member->shard_count; i++) {
		struct shard_order order = { .shard = &member->shards[i] };
		int rc = rt_call(rt_reactor(i), shard_status, &order);

		assert(!rc);
		counts->volumes += order.volumes;
		counts->joined += order.joined;
		counts->out_of_sync_blocks += order.out_of_sync;
	}
}

int member_create(uint8_t session, struct member **out)
{
	unsigned count = rt_reactor_count();
	struct member *member = mem_alloc_zeroed(sizeof(*member) + count * sizeof(member->shards[0]));
	int rc;

	if (!member)
		return -ENOMEM;
	member->reactor = rt_here();
	member->session = session;
	member->shard_count = count;
	rt_mutex_init(&member->turn);
	rt_cond_init(&member->held_begins);
	rt_cond_init(&member->drain_changed);
	rt_group_init(&member->fibers);
	member->lowest = 1;
	notice_board_init(&member->written);
	for (unsigned i = 0; i < count; i++) {
		list_init(&member->shards[i].volumes);
		notice_init(&member->shards[i].written, &member->written);
	}
	rc = rt_group_start(&member->fibers, "member timer", run_timer, member);
	if (!rc)
		rc = rt_group_start(&member->fibers, "member drain", run_drain, member);
	if (rc) {
		rt_group_stop(&member->fibers);
		mem_free(member);
		return rc;
	}
	*out = member;
	return 0;
}

static int shard_empty(void *arg)
{
	struct shard_order *order = arg;
	struct member_volume *mv, *tmp;

	list_for_each_safe(mv, tmp, &order->shard->volumes, link) {
		volume_tell_first_note(mv->target, NULL, NULL);
		list_remove(&mv->link);
		mem_free(mv);
	}
	return 0;
}

void member_destroy(struct member *member)
{
	member_retire(member);
	rt_group_stop(&member->fibers);
	order_surely(member, shard_empty, 0);
	mem_free(member);
}
