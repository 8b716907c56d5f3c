/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/practice_part.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg_hold.h"
#include "copy/practice.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume.h"

#define NEXT_NS		(120 * RT_SECOND)	/* for the next step to come */
#define NEXT_HELD_NS	(30 * RT_SECOND)	/* the same, while its legs stand still */
#define FILL_NS		(5 * RT_SECOND)		/* of a FILL; then it is asked for again */

struct practice_part {
	struct list_head link;			/* of copy->practice_parts, until it is over */
	struct copy *copy;
	uint8_t session;
	uint64_t attempt;
	char initiator[WIRE_SYSTEM_SIZE];
	enum wire_practice_step done;		/* the last step */
	struct leg_hold hold;
	struct copy_flash_request *requests;	/* in order of sources */
	unsigned count;
	struct journal_past *pasts[WIRE_MEMBERS_MAX];	/* of the legs: what the older group shows; NULL: the same */
	unsigned filled;			/* legs whose past is in the copy */
	uint64_t cursor;			/* in the past of the next */
	int64_t until_ns;			/* when it is given up */
	bool over;
	struct rt_cond changed;			/* of the last two */
};

static const char *object_of(uint8_t session, char text[64])
{
	snprintf(text, 64, "session %u", session);
	return text;
}

static int fault_no_memory(uint8_t session, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(session, object), "try again", "no memory");
}

static struct practice_part *find(struct copy *copy, uint8_t session)
{
	struct practice_part *part;

	list_for_each(part, &copy->practice_parts, link) {
		if (part->session == session)
			return part;
	}
	return NULL;
}

/* ---- its life ---- */

/* In the turn of steps. Its fiber frees it. */
static void end(struct practice_part *part)
{
	list_remove(&part->link);
	for (unsigned i = 0; i < part->hold.count; i++)
		journal_close_past(part->pasts[i]);
	leg_hold_end(&part->hold);
	part->over = true;
	rt_cond_wake_all(&part->changed);
}

static void remove_rest(struct copy *copy, uint8_t session)
{
	struct fault fault;

	if (practice_remove(copy, session, &fault))
		log_line(LOG_WARNING, "practice", "session %u: what is left of its practice copy stays: %s: %s",
			 session, fault.object, fault.message);
}

static int wait_over(struct practice_part *part)
{
	int rc = 0;

	while (!part->over && rt_now_ns() < part->until_ns && rc != -ECANCELED) {
		RT_LIMIT(part->until_ns);
		rc = rt_cond_wait(&part->changed);
	}
	return rc == -ECANCELED ? rc : 0;
}

/* True: it had to be given up. */
static bool give_up(struct practice_part *part, bool stopping)
{
	struct copy *copy = part->copy;
	bool late;
	int rc;
	RT_SHIELD();

	rc = rt_mutex_lock(&copy->practice_steps);
	assert(!rc);
	late = !part->over && (stopping || rt_now_ns() >= part->until_ns);
	if (late)
		end(part);
	/* At the stop that is left to the next start. */
	if (late && !stopping) {
		log_line(LOG_WARNING, "practice", "session %u: system %s does not go on making its practice copy",
			 part->session, part->initiator);
		remove_rest(copy, part->session);
	}
	rt_mutex_unlock(&copy->practice_steps);
	return late;
}

static void live(void *arg)
{
	struct practice_part *part = arg;
	int rc;

	do {
		rc = wait_over(part);
	} while (!part->over && !give_up(part, rc != 0));
	mem_free(part->requests);
	mem_free(part);
}

void practice_parts_stop(struct copy *copy)
{
	rt_group_stop(&copy->practice_fibers);
}

static struct practice_part *begin(struct copy *copy, const char *initiator, const struct wire_practice *order)
{
	struct practice_part *part = mem_alloc_zeroed(sizeof(*part));

	if (!part)
		return NULL;
	part->copy = copy;
	part->session = order->session;
	part->attempt = order->attempt;
	snprintf(part->initiator, sizeof(part->initiator), "%s", initiator);
	part->until_ns = rt_now_ns() + NEXT_NS;
	rt_cond_init(&part->changed);
	if (rt_group_start(&copy->practice_fibers, "practice", live, part)) {
		mem_free(part);
		return NULL;
	}
	list_add_last(&copy->practice_parts, &part->link);
	return part;
}

/* ---- the first steps ---- */

static int check(struct copy *copy, const struct wire_practice *order, struct fault *fault)
{
	MEM_OWNED struct leg_hold *hold = mem_alloc_zeroed(sizeof(*hold));
	int rc = 0;

	if (!hold)
		return fault_no_memory(order->session, fault);
	if (order->step == WIRE_PRACTICE_CHECK) {
		rc = leg_hold_find(hold, copy, order->session, order->key, order->at, fault);
		leg_hold_end(hold);
	}
	return rc ? rc : practice_check_remove(copy, order->session, fault);
}

static int make_volumes(struct practice_part *part, const char *pool, struct fault *fault)
{
	const struct copy_config *config = &part->copy->config;
	const struct leg_hold *hold = &part->hold;
	char object[64];
	int rc = 0;

	if (hold->volume_count > COPY_FLASHES_MAX)
		return fault_set(fault, FAULT_NOT_SUPPORTED, object_of(part->session, object),
				 "xdc flash group copies some of them",
				 "more than %u volumes of a system cannot be copied at one moment, and it has %u",
				 COPY_FLASHES_MAX, hold->volume_count);
	part->requests = mem_alloc_zeroed((hold->volume_count + 1) * sizeof(part->requests[0]));
	if (!part->requests)
		return fault_no_memory(part->session, fault);
	for (; part->count < hold->volume_count && !rc; part->count += !rc) {
		struct copy_practice_volume wanted = {
			.session = part->session, .source = hold->volumes[part->count],
		};

		rc = config->make_practice(config->find_arg, &wanted, pool, fault);
		part->requests[part->count] = (struct copy_flash_request){
			.source = wanted.source, .target = wanted.volume, .no_copy = true, .practice = part->session,
		};
	}
	return rc;
}

/* Those that are in the group that is meant. */
static int fill_legs(const struct practice_part *part, struct wire_practice_reply *reply, struct fault *fault)
{
	const struct leg_hold *hold = &part->hold;

	reply->legs = mem_alloc_zeroed((hold->count + 1) * sizeof(reply->legs[0]));
	for (unsigned i = 0; i < hold->count && reply->legs; i++) {
		const struct journal_cg *cg = leg_committed_cg(hold->legs[i]);
		struct wire_practice_leg *item = &reply->legs[reply->count];
		struct journal_info info;

		if (!hold->shows[i])
			continue;
		reply->count++;
		leg_get_info(hold->legs[i], &info);
		snprintf(item->source, sizeof(item->source), "%s", hold->legs[i]->record.source_system);
		item->committed = info.committed;
		item->prepared = info.prepared;
		item->member_version = cg ? cg->member_version : 0;
		if (cg && leg_unpack_members(cg, &item->members))
			return fault_no_memory(part->session, fault);
	}
	return reply->legs ? 0 : fault_no_memory(part->session, fault);
}

/* What an earlier attempt has left goes, whoever made it: its next step finds nothing. */
static int prepare(struct copy *copy, const char *initiator, const struct wire_practice *order,
		   struct wire_practice_reply *reply, struct fault *fault)
{
	struct practice_part *part = find(copy, order->session);
	int rc;

	if (part)
		end(part);
	rc = practice_remove(copy, order->session, fault);
	if (rc)
		return rc;
	part = begin(copy, initiator, order);
	if (!part)
		return fault_no_memory(order->session, fault);
	rc = leg_hold_find(&part->hold, copy, order->session, order->key, order->at, fault);
	if (!rc)
		rc = make_volumes(part, order->pool[0] ? order->pool : NULL, fault);
	if (!rc)
		rc = fill_legs(part, reply, fault);
	if (!rc)
		part->done = order->step;
	reply->volumes = part->count;
	part->until_ns = rt_now_ns() + NEXT_NS;
	return rc;
}

/* ---- to one group ---- */

static int stop(struct practice_part *part, struct wire_practice_reply *reply, struct fault *fault)
{
	int rc = leg_hold_stop(&part->hold, fault);

	return rc ? rc : fill_legs(part, reply, fault);
}

/* The group at which it is held may not be the one for which they were made. */
static int bring(struct practice_part *part, uint64_t number, struct fault *fault)
{
	const struct leg_hold *hold = &part->hold;
	char object[64];
	bool same;

	if (leg_hold_bring(&part->hold, number, fault))
		return -1;
	same = hold->volume_count == part->count;
	for (unsigned i = 0; same && i < part->count; i++)
		same = hold->volumes[i] == part->requests[i].source;
	return same ? 0 : fault_set(fault, FAULT_IN_USE, object_of(part->session, object), "repeat the command",
				    "its volumes change just now");
}

/* ---- the copy ---- */

static int open_pasts(struct practice_part *part, struct fault *fault)
{
	struct leg_hold *hold = &part->hold;
	char object[64];
	int rc = 0;

	for (unsigned i = 0; i < hold->count && hold->at && !rc; i++) {
		struct leg *leg = hold->legs[i];
		uint64_t last = leg_committed_cg(leg)->number;

		if (hold->at == last && hold->at == hold->number)
			continue;
		rc = journal_open_past(leg->journal, hold->at, &part->pasts[i]);
		/* It came to the session later. */
		if (rc == -ENOENT && !hold->shows[i])
			rc = 0;
	}
	return rc ? fault_set(fault, FAULT_FAILED, object_of(part->session, object),
			      "xdc session points lists the groups that all can show",
			      rc == -ENOENT ? "CG %llu is not kept any more" : "CG %llu cannot be read",
			      (unsigned long long)hold->at)
		  : 0;
}

static int flash(struct practice_part *part, struct fault *fault)
{
	struct record_practice record = {
		.session = part->session, .sequence = part->hold.at ? part->hold.at : part->hold.number,
		.cg_wall_ns = part->hold.cg_wall_ns, .created_wall_ns = rt_wall_ns(), .attempt = part->attempt,
		.pending = true,
	};
	int rc = open_pasts(part, fault);

	if (!rc && part->count)
		rc = practice_flash(part->copy, part->requests, part->count, &record, fault);
	if (!rc)
		leg_hold_let_go(&part->hold);
	return rc;
}

/* ---- back to an older group ---- */

struct fill_order {
	struct volume *volume;
	const struct journal_run *run;
	const void *data;
};

static int do_fill(void *arg)
{
	struct fill_order *order = arg;
	uint64_t size = volume_size(order->volume), offset = order->run->offset, len = order->run->len;

	if (offset >= size)
		return 0;
	len = len < size - offset ? len : size - offset;
	return order->run->zero ? volume_apply_zero(order->volume, NULL, len, offset)
				: volume_apply(order->volume, NULL, order->data, len, offset);
}

static int do_sync(void *arg)
{
	return volume_apply_sync(arg);
}

/* The volume of the copy; NULL: what it shows was in no group then. -ENODEV: it is offline. */
static int find_copy(const struct practice_part *part, uint16_t source, struct volume **out)
{
	const struct copy_config *config = &part->copy->config;

	*out = NULL;
	for (unsigned i = 0; i < part->count; i++) {
		if (part->requests[i].source != source)
			continue;
		*out = config->find_volume(config->find_arg, part->requests[i].target);
		return *out ? 0 : -ENODEV;
	}
	return 0;
}

static int fill_run(struct practice_part *part, const struct journal_run *run, void *buf)
{
	struct leg *leg = part->hold.legs[part->filled];
	struct fill_order order = { .run = run, .data = buf };
	int rc = find_copy(part, run->volume, &order.volume);

	if (rc || !order.volume || planted(PLANTED_PRACTICE_UNFILLED))
		return rc;
	if (!leg_is_online(leg) || leg->gone)
		return -EIO;
	rc = run->zero ? 0 : journal_read(leg->journal, run, buf);
	return rc ? rc : rt_call(volume_reactor(order.volume), do_fill, &order);
}

static int sync_copies(const struct practice_part *part)
{
	int rc = 0;

	for (unsigned i = 0; i < part->count && !rc; i++) {
		struct volume *volume;

		rc = find_copy(part, part->requests[i].source, &volume);
		if (!rc)
			rc = rt_call(volume_reactor(volume), do_sync, volume);
	}
	return rc;
}

/* Until all is there, or some time is over. */
static int fill_runs(struct practice_part *part, void *buf, bool *more)
{
	int64_t until_ns = rt_now_ns() + FILL_NS;
	int rc = 0;

	while (part->filled < part->hold.count && rt_now_ns() < until_ns && !rc) {
		const struct journal_past *past = part->pasts[part->filled];
		uint64_t cursor = part->cursor;
		struct journal_run run;

		if (past && journal_past_next(past, &cursor, &run)) {
			rc = fill_run(part, &run, buf);
			part->cursor = cursor;
		} else {
			part->filled++;
			part->cursor = 0;
		}
	}
	*more = part->filled < part->hold.count;
	return rc || *more ? rc : sync_copies(part);
}

static int fill(struct practice_part *part, struct wire_practice_reply *reply, struct fault *fault)
{
	MEM_OWNED void *buf = mem_alloc_pages(JOURNAL_RUN_MAX);
	int rc = buf ? fill_runs(part, buf, &reply->more) : -ENOMEM;
	char object[64];

	return rc ? fault_set(fault, FAULT_FAILED, object_of(part->session, object), "repeat the command",
			      "the copy cannot be brought back to CG %llu: %s", (unsigned long long)part->hold.at,
			      rc == -EAGAIN ? "it is not kept any more" : strerrordesc_np(-rc))
		  : 0;
}

/* ---- one after the other ---- */

static int fault_none(const struct wire_practice *order, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(order->session, object), "repeat the command",
			 "nothing of the copy is there any more: another command was given, xdcd was restarted, or the "
			 "next step came too late");
}

static int commit(struct practice_part *part, struct fault *fault)
{
	int rc = part->count ? practice_commit(part->copy, part->session, fault) : 0;

	if (!rc)
		end(part);
	return rc;
}

/* The next step, or the last one again. */
static int go_on(struct practice_part *part, const struct wire_practice *order, struct wire_practice_reply *reply,
		 struct fault *fault)
{
	bool held = order->step >= WIRE_PRACTICE_HOLD && order->step < WIRE_PRACTICE_FLASH;
	int rc = 0;

	reply->volumes = part->count;
	if (order->step < part->done)
		return 0;
	switch (order->step) {
	case WIRE_PRACTICE_PREPARE:
		rc = fill_legs(part, reply, fault);
		break;
	case WIRE_PRACTICE_HOLD:
		rc = part->done == order->step ? 0 : leg_hold_begin(&part->hold, fault);
		break;
	case WIRE_PRACTICE_STOP:
		rc = stop(part, reply, fault);
		break;
	case WIRE_PRACTICE_BRING:
		rc = part->done == order->step ? 0 : bring(part, order->number, fault);
		break;
	case WIRE_PRACTICE_FLASH:
		rc = part->done == order->step ? 0 : flash(part, fault);
		break;
	case WIRE_PRACTICE_FILL:
		rc = fill(part, reply, fault);
		break;
	case WIRE_PRACTICE_COMMIT:
		return commit(part, fault);
	default:
		return 0;
	}
	if (!rc)
		part->done = order->step;
	part->until_ns = rt_now_ns() + (held ? NEXT_HELD_NS : NEXT_NS);
	rt_cond_wake_all(&part->changed);
	return rc;
}

/* What there is of this attempt, or of any. */
static int remove_some(struct copy *copy, const struct wire_practice *order, struct wire_practice_reply *reply,
		       struct fault *fault)
{
	struct practice_part *part = find(copy, order->session);
	const struct record_practice *record = practice_get(copy, order->session);
	bool mine = (part && part->attempt == order->attempt) || (record && record->attempt == order->attempt);

	if (order->step == WIRE_PRACTICE_UNDO && !mine)
		return 0;
	if (part)
		end(part);
	reply->volumes = practice_is_any(copy, order->session);
	return practice_remove(copy, order->session, fault);
}

static int do_step(struct copy *copy, const char *initiator, const struct wire_practice *order,
		   struct wire_practice_reply *reply, struct fault *fault)
{
	struct practice_part *part = find(copy, order->session);
	const struct record_practice *record = practice_get(copy, order->session);

	switch (order->step) {
	case WIRE_PRACTICE_CHECK:
	case WIRE_PRACTICE_CHECK_REMOVE:
		return check(copy, order, fault);
	case WIRE_PRACTICE_UNDO:
	case WIRE_PRACTICE_REMOVE:
		return remove_some(copy, order, reply, fault);
	default:
		break;
	}
	if (part && part->attempt == order->attempt && part->done)
		return go_on(part, order, reply, fault);
	if (order->step == WIRE_PRACTICE_PREPARE)
		return prepare(copy, initiator, order, reply, fault);
	/* Asked again when it was done already. */
	if (order->step == WIRE_PRACTICE_COMMIT && record && record->attempt == order->attempt && !record->pending)
		return 0;
	return fault_none(order, fault);
}

int practice_step(struct copy *copy, const char *initiator, const struct wire_practice *order,
		  struct wire_practice_reply *reply, struct fault *fault)
{
	int rc;
	RT_SHIELD();

	memcpy(reply->boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	rc = rt_mutex_lock(&copy->practice_steps);
	assert(!rc);
	rc = do_step(copy, initiator, order, reply, fault);
	rt_mutex_unlock(&copy->practice_steps);
	return rc;
}

/* ---- over the link ---- */

static const struct { enum fault_code code; int error; } errors[] = {
	{ FAULT_IN_USE, -EBUSY }, { FAULT_INVALID_PARAMETER, -EINVAL }, { FAULT_NOT_SUPPORTED, -EOPNOTSUPP },
	{ FAULT_TIMEOUT, -EAGAIN },
};

enum fault_code practice_fault_code(int error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].error == error)
			return errors[i].code;
	}
	return error == -ETIMEDOUT ? FAULT_TIMEOUT : FAULT_FAILED;
}

int practice_on_step(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_practice *order = request;
	struct fault fault;
	int error = -EIO;

	if (!order->session || !order->attempt || order->step < WIRE_PRACTICE_CHECK ||
	    order->step > WIRE_PRACTICE_REMOVE)
		return copy_refuse(why, -EINVAL, "no such step of a practice copy");
	if (!practice_step(arg, peer->system, order, reply, &fault))
		return 0;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].code == fault.code)
			error = errors[i].error;
	}
	return copy_refuse(why, error, "%s: %.120s; %.100s", fault.object, fault.message, fault.remedy);
}
