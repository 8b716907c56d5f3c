/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_apply.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/leg_room.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/volume_set.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume.h"

#define RETRY_NS	RT_SECOND
#define ROOM_AGAIN_MIN_NS	(10 * RT_SECOND)
#define ROOM_AGAIN_MAX_NS	(600 * RT_SECOND)

/*
 * From the beginning of one pass to that of the next. What is written again meanwhile is applied once, and a sync
 * costs much the same whatever it covers; recovery has so much more to apply.
 */
#define REST_NS		(200 * RT_MS)

/* Runs that are read and written, or volumes that are synced, at the same time. */
#define AT_A_TIME_MAX	8u

struct apply_order {
	struct volume *volume;
	struct pair *pair;		/* that owes it; NULL: one that has left, or goes */
	const struct journal_run *run;
	const void *data;
};

static int do_apply(void *arg)
{
	struct apply_order *order = arg;
	const struct journal_run *run = order->run;
	uint64_t room = volume_size(order->volume) - run->offset, len = run->len < room ? run->len : room;
	const struct volume_target *from = order->pair ? order->pair->volume_target : NULL;

	return volume_apply_journal(order->volume, from, run->zero ? NULL : order->data, len, run->offset);
}

static int do_sync(void *arg)
{
	return volume_apply_sync(arg);
}

static int do_sync_bare(void *arg)
{
	return volume_apply_sync_bare(arg);
}

static struct volume *find_volume(struct copy *copy, uint16_t id)
{
	return copy->config.find_volume(copy->config.find_arg, id);
}

static int sync_volumes(struct copy *copy, const uint16_t *volumes, uint32_t count, int (*sync)(void *volume))
{
	int rc = 0;

	for (uint32_t i = 0; i < count && !rc; i++) {
		struct volume *volume = find_volume(copy, volumes[i]);

		rc = volume ? rt_call(volume_reactor(volume), sync, volume) : -ENOENT;
	}
	return rc;
}

int leg_sync_volumes(struct copy *copy, const uint16_t *volumes, uint32_t count)
{
	return sync_volumes(copy, volumes, count, do_sync);
}

int leg_sync_bare(struct copy *copy, const uint16_t *volumes, uint32_t count)
{
	return sync_volumes(copy, volumes, count, do_sync_bare);
}

/* ---- one pass: all volumes are brought to the newest committed CG ---- */

/* Lives as long as the leg. */
struct leg_pass {
	struct leg *leg;
	struct rt_group helpers;
	uint64_t up_to;				/* the CG that it brings */
	uint32_t next_to_sync;
	int error;				/* of the journal: the pass has come to no end */
	struct volume_set touched;		/* written to, to be synced */
	struct volume_set failed;		/* could not be written or synced, or are not open */
	struct volume_set unkept;		/* what was there before was not kept, since they were owed nothing */
	void (*work)(struct leg_pass *pass, void *buf);	/* of its helpers */
	uint64_t back_cursor;			/* in what an older CG shows */
	struct volume_set lacking;		/* of the CG that was tried: those that it could not be brought to */
	int lacking_error;			/* of the first of them; 0: there are none */
};

int leg_pass_make(struct leg *leg)
{
	leg->pass = mem_alloc_zeroed(sizeof(*leg->pass));
	if (!leg->pass)
		return -ENOMEM;
	leg->pass->leg = leg;
	rt_group_init(&leg->pass->helpers);
	return 0;
}

/* The CG that the next pass brings. */
static uint64_t goal_of(const struct journal_info *info)
{
	return info->applied < info->committed ? info->committed : info->decision;
}

bool leg_lacks(const struct leg *leg, uint16_t volume)
{
	struct journal_info info;

	leg_get_info(leg, &info);
	return !leg_is_settled(&info) && leg->tried == goal_of(&info) && volume_set_has(&leg->pass->lacking, volume);
}

bool leg_owes(const struct leg *leg, const struct record_pair *pair)
{
	return pair->role == PAIR_TARGET && pair->joined && pair->state != PAIR_FAILED_OVER &&
	       !strcmp(pair->system, leg->record.source_system);
}

/*
 * What left the session before this group, or was recovered and is production since, must not be written to: what the
 * journal still has of it is nobody's.
 */
static bool is_owed(struct leg *leg, uint16_t volume)
{
	struct pair *pair = pair_find(leg->copy, volume, leg->record.source_system);
	const struct left_pair *left = pair_left_find(leg->copy, volume, leg->record.source_system);

	/* Without pairs the group would be taken for applied. */
	assert(!leg->copy->pairs_end);
	if (!leg_group_has(leg, volume))
		return false;
	if (pair || left)
		return leg_owes(leg, pair ? &pair->record : &left->record);
	/* One that is just being deleted may be there again if that fails. */
	return planted(PLANTED_OWED_TO_ANY) ? pair_uses_volume(leg->copy, volume)
					    : pair_is_going_from(leg->copy, volume, leg->record.source_system);
}

static void note_failed(struct leg_pass *pass, uint16_t id, int error)
{
	if (!pass->lacking_error)
		pass->lacking_error = error;
	volume_set_add(&pass->failed, id);
}

static void apply_run(struct leg_pass *pass, const struct journal_run *run, const void *data)
{
	struct leg *leg = pass->leg;
	struct apply_order order = { .volume = find_volume(leg->copy, run->volume), .run = run, .data = data };
	int rc;

	if (volume_set_has(&pass->failed, run->volume) || !is_owed(leg, run->volume))
		return;
	/* It is owed something again since, and that comes with the next pass. */
	if (volume_set_has(&pass->unkept, run->volume)) {
		note_failed(pass, run->volume, -EAGAIN);
		return;
	}
	/* The others got it by an earlier pass. */
	if (leg->tried == run->up_to && !volume_set_has(&pass->lacking, run->volume))
		return;
	volume_set_add(&pass->touched, run->volume);
	order.pair = pair_find(leg->copy, run->volume, leg->record.source_system);
	if (order.pair)
		pair_pin(order.pair);
	rc = order.volume ? rt_call(volume_reactor(order.volume), do_apply, &order) : -ENODEV;
	if (order.pair)
		pair_unpin(order.pair);
	if (rc)
		note_failed(pass, run->volume, rc);
	else
		leg->pass_bytes += run->len;
}

static void write_runs(struct leg_pass *pass, void *buf)
{
	struct journal_run run;
	int rc = 1;		/* there may be more */

	while (!pass->error && !rt_cancelled() && (rc = journal_apply_next(pass->leg->journal, &run, buf)) == 1)
		apply_run(pass, &run, buf);
	if (rc < 0)
		pass->error = rc;
	else if (rc == 0)
		pass->up_to = run.up_to;
}

static void help(void *arg)
{
	MEM_OWNED void *buf = mem_alloc_pages(JOURNAL_RUN_MAX);
	struct leg_pass *pass = arg;

	/* Without memory the others do it. */
	if (buf)
		pass->work(pass, buf);
}

static void sync_touched(void *arg)
{
	struct leg_pass *pass = arg;

	while (volume_set_next(&pass->touched, &pass->next_to_sync)) {
		uint16_t id = (uint16_t)pass->next_to_sync++;
		int rc = volume_set_has(&pass->failed, id) ? 0 : leg_sync_volumes(pass->leg->copy, &id, 1);

		if (rc)
			note_failed(pass, id, rc);
	}
}

static int end_helpers(struct leg_pass *pass)
{
	int rc = rt_group_wait(&pass->helpers);

	if (rc)
		rt_group_stop(&pass->helpers);
	return rc;
}

/* By so many fibers at the same time as there is work for. */
static int work_through(struct leg_pass *pass, void (*work)(struct leg_pass *pass, void *buf))
{
	struct leg *leg = pass->leg;
	struct journal_info info;
	int rc;

	pass->work = work;
	journal_get_info(leg->journal, &info);
	for (unsigned i = 1; i < AT_A_TIME_MAX &&
	     (info.goes_back || i * (uint64_t)JOURNAL_RUN_MAX < info.unapplied_bytes); i++) {
		if (rt_group_start(&pass->helpers, "journal apply", help, pass))
			break;
	}
	work(pass, leg->buf);
	rc = end_helpers(pass);
	return pass->error ? pass->error : rc;
}

/* ---- what was there before ---- */

struct before_order {
	struct volume *volume;
	const struct journal_before *before;
	uint8_t *buf;
};

static int do_read_before(void *arg)
{
	struct before_order *order = arg;
	const struct journal_before *before = order->before;
	uint64_t room = volume_size(order->volume) - before->offset;
	uint64_t len = before->len < room ? before->len : room;

	memset(order->buf + len, 0, before->len - len);
	return volume_apply_read(order->volume, order->buf, len, before->offset);
}

static int keep_piece(struct leg_pass *pass, const struct journal_before *before, void *buf)
{
	struct leg *leg = pass->leg;
	struct before_order order = {
		.volume = find_volume(leg->copy, before->volume), .before = before, .buf = buf,
	};
	int rc = 0;

	if (volume_set_has(&pass->failed, before->volume) || volume_set_has(&pass->unkept, before->volume))
		return 0;
	if (!is_owed(leg, before->volume)) {
		volume_set_add(&pass->unkept, before->volume);
		return 0;
	}
	if (!order.volume)
		rc = -ENODEV;
	else if (!before->known)
		rc = rt_call(volume_reactor(order.volume), do_read_before, &order);
	if (!rc)
		return journal_before_keep(leg->journal, before, buf);
	note_failed(pass, before->volume, rc);
	return 0;
}

static void keep_pieces(struct leg_pass *pass, void *buf)
{
	struct journal *journal = pass->leg->journal;
	struct journal_before before;
	int rc = 1;

	while (!pass->error && !rt_cancelled() && (rc = journal_before_next(journal, &before, buf)) == 1) {
		rc = keep_piece(pass, &before, buf);
		if (rc)
			break;
	}
	if (rc < 0)
		pass->error = rc;
}

/* So that the groups before this one can be shown: durable before anything is overwritten. */
static int keep_before(struct leg_pass *pass)
{
	struct journal_info info;
	int rc;

	journal_get_info(pass->leg->journal, &info);
	if (!info.keeps)
		return 0;
	rc = work_through(pass, keep_pieces);
	return rc ? rc : journal_before_sync(pass->leg->journal);
}

static int sync_all(struct leg_pass *pass)
{
	pass->next_to_sync = 0;
	for (unsigned i = 1; i < AT_A_TIME_MAX; i++) {
		if (rt_group_start(&pass->helpers, "journal sync", sync_touched, pass))
			break;
	}
	sync_touched(pass);
	return end_helpers(pass);
}

static void begin_pass(struct leg_pass *pass)
{
	pass->leg->pass_bytes = 0;
	pass->error = pass->lacking_error = 0;
	memset(&pass->touched, 0, sizeof(pass->touched));
	memset(&pass->failed, 0, sizeof(pass->failed));
	memset(&pass->unkept, 0, sizeof(pass->unkept));
}

/* All that is written and synced is this CG. */
static void end_pass(struct leg_pass *pass, uint64_t number)
{
	pass->leg->tried = number;
	pass->lacking = pass->failed;
}

/*
 * 0: all that are in the group have it. Else what keeps it from that: when leg->tried is the group, those volumes
 * alone lack it that leg_lacks says.
 */
static int apply_pass(struct leg_pass *pass)
{
	struct leg *leg = pass->leg;
	int rc;

	begin_pass(pass);
	rc = planted(PLANTED_BEFORE_NOT_DURABLE) ? 0 : keep_before(pass);
	if (!rc)
		rc = work_through(pass, write_runs);
	if (!rc && planted(PLANTED_BEFORE_NOT_DURABLE))
		rc = keep_before(pass);
	if (!rc)
		rc = sync_all(pass);
	leg->pass_bytes = 0;
	if (rc)
		return rc;
	end_pass(pass, pass->up_to);
	return pass->lacking_error ? pass->lacking_error : journal_apply_done(leg->journal, pass->up_to);
}

/* ---- back to an older group ---- */

static void write_back(struct leg_pass *pass, void *buf)
{
	struct leg *leg = pass->leg;
	struct journal_run run;
	int rc = 0;

	while (!pass->error && !rc && !rt_cancelled() && journal_past_next(leg->past, &pass->back_cursor, &run)) {
		rc = run.zero ? 0 : journal_read(leg->journal, &run, buf);
		if (!rc)
			apply_run(pass, &run, buf);
	}
	if (rc)
		pass->error = rc;
	if (rt_cancelled())
		pass->error = -ECANCELED;
}

/* All is applied. Each block is written once, always the same: it may be cut off and done again. */
static int back_pass(struct leg_pass *pass, uint64_t number)
{
	struct leg *leg = pass->leg;
	int rc = leg_back_open(leg);

	if (rc)
		return rc;
	begin_pass(pass);
	pass->back_cursor = 0;
	rc = work_through(pass, write_back);
	if (!rc)
		rc = sync_all(pass);
	leg->pass_bytes = 0;
	if (rc)
		return rc;
	end_pass(pass, number);
	return pass->lacking_error ? pass->lacking_error : journal_back_done(leg->journal);
}

static bool is_behind(const struct leg *leg, const struct journal_info *info)
{
	return !leg_is_settled(info) && !leg->offline;
}

/* Twice as long each time, until a group comes about. */
static void wait_longer_for_room(struct leg *leg)
{
	leg->room_wait_ns = leg->room_wait_ns ? 2 * leg->room_wait_ns : ROOM_AGAIN_MIN_NS;
	if (leg->room_wait_ns > ROOM_AGAIN_MAX_NS)
		leg->room_wait_ns = ROOM_AGAIN_MAX_NS;
	leg->room_again_ns = rt_now_ns() + leg->room_wait_ns;
}

/*
 * There is no room for data, and applying gives none: the journal is full of data that newer ones have replaced, or
 * the increment is too large for it. In the first case it can go on for ever like that, since no group comes about
 * without room for its last data. So what is not prepared is thrown away, as by a restart: under another boot id the
 * sources count it as unsent, and send each block once. In the second case it is of no use, and must not happen
 * often.
 *
 * Data are refused until it is done: what came over a new connection is acknowledged under the new boot id, and would
 * be thrown away all the same. A prepare under way has all that it rests on checked under the old one, so it is
 * waited for; what is prepared stays.
 */
static void make_room(struct leg *leg)
{
	int rc;

	if (leg->preparing || rt_now_ns() < leg->room_again_ns)
		return;
	wait_longer_for_room(leg);
	leg->making_room = true;
	copy_void_acks(leg->copy);
	rc = journal_void(leg->journal);
	leg->making_room = false;
	log_line(LOG_WARNING, "journal",
		 "session %u of %s: the journal is full: what is not prepared is dropped and asked for again%s%s",
		 leg->record.session, leg->record.source_system, rc ? ": " : "", rc ? strerror(-rc) : "");
}

/* Nobody waits for it, and the journal has room. */
static bool may_rest(const struct leg *leg, const struct journal_info *info)
{
	return !leg->awaited && !leg->held && !info->full && info->used_bytes < info->limit_bytes / 4 &&
	       rt_now_ns() < leg->rest_until_ns;
}

static int rest(struct leg *leg)
{
	RT_LIMIT(leg->rest_until_ns);
	int rc = rt_cond_wait(&leg->committed);

	return rc == -ETIMEDOUT ? 0 : rc;
}

/* A volume that is not open will not be before this system starts again: it is no use to try by itself. */
static bool is_hopeless(struct leg *leg, const struct journal_info *info)
{
	bool any = false;
	uint32_t id = 0;

	if (leg->tried != goal_of(info))
		return false;
	for (; volume_set_next(&leg->pass->lacking, &id); id++) {
		if (find_volume(leg->copy, (uint16_t)id) || !is_owed(leg, (uint16_t)id))
			return false;
		any = true;
	}
	return any;
}

/* Until it may be different: somebody asks, another group is committed, or some time has passed. */
static int wait_to_retry(struct leg *leg)
{
	int64_t until_ns = rt_now_ns() + RETRY_NS;
	struct journal_info before, now;
	int rc = 0;

	journal_get_info(leg->journal, &before);
	now = before;
	while (!rc && leg->asked == leg->answered && now.committed == before.committed && !leg->offline) {
		/* A pair that was given up since is owed nothing. */
		RT_LIMIT(is_hopeless(leg, &now) ? RT_NEVER : until_ns);

		rc = rt_cond_wait(&leg->committed);
		journal_get_info(leg->journal, &now);
	}
	return rc == -ETIMEDOUT ? 0 : rc;
}

static void note_error(struct leg *leg, int error)
{
	if (error && leg->apply_error != error)
		log_line(LOG_ERROR, "journal", "session %u of %s: a group cannot be applied: %s; it is tried again",
			 leg->record.session, leg->record.source_system, strerror(-error));
	leg->apply_error = error;
}

static int make_pass(struct leg *leg)
{
	struct journal_info info;
	int rc;

	journal_get_info(leg->journal, &info);
	leg->applying = true;
	rc = info.applied < info.committed ? apply_pass(leg->pass) : back_pass(leg->pass, info.decision);
	leg->applying = leg->let = false;
	rt_cond_wake_all(&leg->committed);
	return rc;
}

static int apply(struct leg *leg)
{
	unsigned asked = leg->asked;
	int rc;

	leg->rest_until_ns = rt_now_ns() + REST_NS;
	rc = make_pass(leg);
	if (!leg_is_online(leg) || rc == -ECANCELED)
		return rc == -ECANCELED ? rc : 0;
	note_error(leg, rc);
	leg_points_dropped(leg);
	leg->answered = asked;
	rt_cond_wake_all(&leg->committed);
	if (!rc) {
		leg->room_wait_ns = 0;
		leg_room_given(leg);
		return 0;
	}
	journal_apply_again(leg->journal);
	return wait_to_retry(leg);
}

void leg_apply(void *arg)
{
	struct leg *leg = arg;
	struct journal_info info;
	int rc = 0;

	while (rc != -ECANCELED) {
		journal_get_info(leg->journal, &info);
		if (leg->held && !leg->let) {
			rc = rt_cond_wait(&leg->committed);
		} else if (!is_behind(leg, &info)) {
			/* Nothing to be let. */
			leg->let = false;
			if (info.full && !leg->offline)
				make_room(leg);
			rt_cond_wake_all(&leg->committed);
			rc = rt_cond_wait(&leg->committed);
		} else {
			rc = may_rest(leg, &info) ? rest(leg) : apply(leg);
		}
	}
}
