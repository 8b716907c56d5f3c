/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_freeze.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair_private.h"
#include "copy/pair_several.h"
#include "copy/flash_together.h"
#include "copy/group_volume.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define HOLD_NS		(60 * RT_SECOND)	/* of a freeze, unless it says otherwise */
#define DECIDE_NS	(60 * RT_SECOND)	/* for one to come about, of this system alone */
#define KEPT_NS		(10 * RT_SECOND)	/* for far sides to say that they keep the moment */
#define LISTED_MAX	16u			/* volumes that a fault names */

enum freeze_state { FREEZE_BEGINS, FREEZE_HELD, FREEZE_SUSPENDED, FREEZE_ENDED };

/* Its fiber frees it, or who has it last. */
struct freeze {
	struct list_head link;			/* of copy->freezes, until it has ended */
	struct copy *copy;
	struct freeze_what what;
	struct record_pair path;		/* what.path points here */
	struct pair_several several;
	struct flash_together *flash;		/* what.flash: those, while they are held */
	struct fault fault;			/* why they were not, or were not resynced */
	enum freeze_state state, wanted;	/* up to which step it goes */
	int64_t until_ns;			/* of the step that it is at */
	int64_t hold_ns;
	unsigned users, pairs;
	bool not_durable;			/* that they are suspended */
	int kept_rc;				/* what.kept: whether they do */
	char lagging[128];			/* what.kept: volumes of which the far sides are of no one moment */
	struct rt_cond changed;
	int rc;					/* why it has not come to the step that was wanted */
	uint16_t volume;			/* that was in the way; 0: none was */
};

/* ---- which pairs ---- */

static bool is_on_path(const struct pair *pair, const struct record_pair *other)
{
	const struct record_pair *record = &pair->record;

	return record->type == PAIR_SYNC && record->volume >> 8 == other->volume >> 8 &&
	       record->remote_volume >> 8 == other->remote_volume >> 8 && !strcmp(record->system, other->system);
}

static bool is_among(const struct freeze_what *what, uint16_t volume)
{
	for (unsigned i = 0; i < what->volume_count; i++) {
		if (what->volumes[i] == volume)
			return true;
	}
	return false;
}

static bool selects(const void *arg, const struct pair *pair)
{
	const struct freeze *freeze = arg;
	const struct freeze_what *what = &freeze->what;

	return !what->flash && ((what->path && is_on_path(pair, what->path)) || is_among(what, pair->record.volume) ||
	       (what->session && group_volume_find(freeze->copy, what->session, pair->record.volume)));
}

/* ---- the fiber of one ---- */

static void become(struct freeze *freeze, enum freeze_state state)
{
	freeze->state = state;
	rt_cond_wake_all(&freeze->changed);
}

static int take_all_turns(struct freeze *freeze)
{
	struct pair_several *several = &freeze->several;
	int64_t until_ns = freeze->what.broken ? rt_now_ns() + freeze->what.turns_ns : freeze->until_ns;

	pair_several_take_turns(several, until_ns);
	if (freeze->what.broken || several->in_turn == several->count)
		return rt_cancelled() ? -ECANCELED : 0;
	for (unsigned i = 0; i < several->count && !freeze->volume; i++) {
		if (!several->ones[i].in_turn)
			freeze->volume = several->ones[i].pair->record.volume;
	}
	return -EBUSY;
}

/* A far side that loses its power keeps what is of the moment. */
static int settle(struct freeze *freeze)
{
	const struct pair *which = NULL;
	int64_t kept_ns = rt_now_ns() + KEPT_NS;
	RT_LIMIT(freeze->what.kept && kept_ns < freeze->until_ns ? kept_ns : freeze->until_ns);
	int rc = pair_several_settle(&freeze->several, &which);

	if (rc && which)
		freeze->volume = which->record.volume;
	return rc;
}

static void list_lagging(struct freeze *freeze)
{
	const struct pair_several *several = &freeze->several;
	char *text = freeze->lagging;
	size_t size = sizeof(freeze->lagging);
	unsigned count = 0, more = 0;

	for (unsigned i = 0; i < several->count; i++) {
		if (!pair_one_lags(&several->ones[i]))
			continue;
		if (count == LISTED_MAX)
			more++;
		else
			snprintf(text + strlen(text), size - strlen(text), "%s%04X", count++ ? ", " : "",
				 several->ones[i].pair->record.volume);
	}
	if (more)
		snprintf(text + strlen(text), size - strlen(text), " and %u more", more);
}

static int hold_hosts(struct freeze *freeze)
{
	const struct pair_hold_how how = {
		.follow = freeze->what.path, .all = freeze->what.all, .until_ns = freeze->until_ns,
	};
	const struct pair *which = NULL;
	int rc = pair_several_hold(&freeze->several, &how, &which);

	if (rc && which)
		freeze->volume = which->record.volume;
	return rc;
}

/* Hosts of a pair that is broken wait already: they do not wait for commands on others to be held with it. */
static int come_to_hold(struct freeze *freeze)
{
	bool broken = freeze->what.broken;
	int rc = pair_several_pin(freeze->copy, selects, freeze, &freeze->several);

	freeze->pairs = freeze->several.count;
	if (!rc && !freeze->pairs)
		rc = -ENOENT;
	if (!rc && broken)
		rc = hold_hosts(freeze);
	if (!rc)
		rc = take_all_turns(freeze);
	if (!rc && !broken)
		rc = hold_hosts(freeze);
	/* From the answer to the command on, nothing changes at the far sides. */
	if (!rc && !broken)
		pair_several_wait_landed(&freeze->several);
	if (!rc && freeze->what.all)
		rc = settle(freeze);
	if (!rc && freeze->what.kept && !planted(PLANTED_FREEZE_UNKEPT)) {
		list_lagging(freeze);
		freeze->kept_rc = settle(freeze);
		freeze->volume = 0;
	}
	return rc;
}

/* 0: it is to go on to the next step. -ETIMEDOUT: its time is over. */
static int wait_wanted(struct freeze *freeze)
{
	int rc = 0;

	while (!rc && freeze->wanted <= freeze->state) {
		RT_LIMIT(freeze->until_ns);

		rc = rt_cond_wait(&freeze->changed);
	}
	return rc;
}

/* Decided: from here on there is no way back. */
static int suspend_all(struct freeze *freeze)
{
	struct pair_several *several = &freeze->several;
	int rc = pair_several_hold_on(several);

	if (rc)
		return rc;
	rc = pair_several_suspend(several, freeze->what.reason, freeze->what.moment);
	freeze->not_durable = rc;
	freeze->until_ns = rt_now_ns() + freeze->hold_ns;
	return rc;
}

static void let_go(struct freeze *freeze)
{
	RT_SHIELD();

	pair_several_take_turns(&freeze->several, RT_NEVER);
	pair_several_release(&freeze->several);
}

static void stay_suspended(struct freeze *freeze)
{
	int rc = 0;

	if (freeze->hold_ns) {
		pair_several_end_turns(&freeze->several);
		rc = wait_wanted(freeze);
	}
	if (rc == -ETIMEDOUT)
		log_line(LOG_WARNING, "pair", "%u pairs: frozen for too long, hosts go on", freeze->pairs);
	if (rc != -ECANCELED)
		let_go(freeze);
}

static void go_on(struct freeze *freeze)
{
	RT_SHIELD();

	/* Those that could not be made durable are tried again with the next write. */
	pair_several_go_on(&freeze->several, !freeze->not_durable);
}

static void end_pairs(struct freeze *freeze, int rc)
{
	if (!rc)
		stay_suspended(freeze);
	else if (rc != -ECANCELED)
		go_on(freeze);
}

static void end(struct freeze *freeze)
{
	RT_SHIELD();

	pair_several_give_back(&freeze->several);
	list_remove(&freeze->link);
	become(freeze, FREEZE_ENDED);
	freeze_put(freeze);
}

/* ---- FlashCopies ---- */

static int hold_flashes(struct freeze *freeze)
{
	const struct flash_choice choice = { .session = freeze->what.session };

	freeze->flash = flash_together_hold(freeze->copy, &choice, freeze->until_ns, &freeze->fault);
	return freeze->flash ? 0 : -EIO;
}

static int turn_flashes(struct freeze *freeze)
{
	int rc = flash_together_turn(freeze->flash, &freeze->fault) ? -EIO : 0;

	freeze->until_ns = rt_now_ns() + freeze->hold_ns;
	return rc;
}

/* Hosts go on at the end of it, whatever became of it. */
static void end_flashes(struct freeze *freeze, int rc)
{
	if (!rc && wait_wanted(freeze) == -ETIMEDOUT)
		log_line(LOG_WARNING, "flash", "session %u: held for too long, hosts go on", freeze->what.session);
	if (freeze->flash)
		flash_together_end(freeze->flash);
}

/* ---- the course of a freeze ---- */

/* What is done to pairs, or to FlashCopies. */
struct freeze_steps {
	int (*hold)(struct freeze *freeze);
	int (*decide)(struct freeze *freeze);
	void (*end)(struct freeze *freeze, int rc);	/* rc 0: it was decided, and hosts wait still */
};

static const struct freeze_steps pair_steps = { come_to_hold, suspend_all, end_pairs };
static const struct freeze_steps flash_steps = { hold_flashes, turn_flashes, end_flashes };

static void run_freeze(void *arg)
{
	struct freeze *freeze = arg;
	const struct freeze_steps *steps = freeze->what.flash ? &flash_steps : &pair_steps;
	int rc = steps->hold(freeze);

	if (!rc) {
		become(freeze, FREEZE_HELD);
		rc = wait_wanted(freeze);
	}
	if (!rc && freeze->wanted == FREEZE_ENDED)
		rc = -EINTR;
	if (!rc)
		rc = steps->decide(freeze);
	freeze->rc = rc;
	if (!rc)
		become(freeze, FREEZE_SUSPENDED);
	steps->end(freeze, rc);
	end(freeze);
}

/* ---- for those who give orders ---- */

struct freeze *freeze_start(struct copy *copy, const struct freeze_what *what)
{
	struct freeze *freeze = mem_alloc_zeroed(sizeof(*freeze));

	if (!freeze)
		return NULL;
	freeze->copy = copy;
	freeze->what = *what;
	if (what->path) {
		freeze->path = *what->path;
		freeze->what.path = &freeze->path;
	}
	freeze->wanted = FREEZE_HELD;
	freeze->until_ns = rt_now_ns() + what->decide_ns;
	freeze->users = 2;
	rt_cond_init(&freeze->changed);
	list_add_last(&copy->freezes, &freeze->link);
	if (!rt_group_start(&copy->fibers, "freeze", run_freeze, freeze))
		return freeze;
	list_remove(&freeze->link);
	mem_free(freeze);
	return NULL;
}

void freeze_put(struct freeze *freeze)
{
	assert(freeze->users > 0);
	if (!--freeze->users)
		mem_free(freeze);
}

static int fault_in_the_way(const struct freeze *freeze, struct fault *fault)
{
	char object[64], remedy[128];

	snprintf(object, sizeof(object), "pair of volume %04X", freeze->volume);
	switch (freeze->rc) {
	case -EBUSY:
		return fault_set(fault, FAULT_FAILED, object, "repeat the command",
				 "a command on it does not end");
	case -EPIPE:
		snprintf(remedy, sizeof(remedy), "xdc pair resume %04X, or take it out", freeze->volume);
		return fault_set(fault, FAULT_FAILED, object, remedy,
				 "it is suspended: its far side is of another moment");
	case -ENODATA:
		snprintf(remedy, sizeof(remedy), "xdc volume accept %04X", freeze->volume);
		return fault_set(fault, FAULT_FAILED, object, remedy,
				 "its volume has lost writes that its far side may have");
	case -EAGAIN:
		return fault_set(fault, FAULT_FAILED, object, "look at it: xdc pair show",
				 "its far side is not reached, and it is being suspended");
	case -ESTALE:
	case -EIO:
	case -ENOTCONN:
	case -ECONNRESET:
		return fault_set(fault, FAULT_FAILED, object, "xdc path list shows the link; repeat the command then",
				 "its far side cannot say that it keeps what it has: %s", strerror(-freeze->rc));
	default:
		return fault_set(fault, FAULT_TIMEOUT, object, "repeat the command when it has little to send",
				 "what it had not sent was not at the far side in time; hosts go on");
	}
}

static int fault_of(const struct freeze *freeze, const char *object, struct fault *fault)
{
	int rc = freeze->rc;

	if (freeze->fault.code) {
		*fault = freeze->fault;
		return -1;
	}
	if (rc == -ENOENT)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair list shows those that exist",
				 freeze->what.path ? "it has no synchronous pairs" : "it has no pairs here");
	if (freeze->volume && rc != -ECANCELED)
		return fault_in_the_way(freeze, fault);
	if (rc == -ENOMEM)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (rc == -ETIMEDOUT || rc == -EINTR || !rc)
		return fault_set(fault, FAULT_TIMEOUT, object, "repeat the command",
				 "it took too long, and hosts go on");
	return fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd and at its state folder",
			 "that its pairs are suspended cannot be made durable: %s", strerror(-rc));
}

/* Whoever waits for it may be cut off: it goes on by itself, or ends by its time. */
static bool wait_state(struct freeze *freeze, enum freeze_state state)
{
	int rc = 0;

	while (!rc && freeze->state < state)
		rc = rt_cond_wait(&freeze->changed);
	return freeze->state == state;
}

int freeze_wait_held(struct freeze *freeze, const char *object, struct fault *fault)
{
	return wait_state(freeze, FREEZE_HELD) ? 0 : fault_of(freeze, object, fault);
}

int freeze_suspend(struct freeze *freeze, int64_t hold_ns, const char *object, struct fault *fault)
{
	if (freeze->state == FREEZE_HELD && freeze->wanted == FREEZE_HELD) {
		freeze->hold_ns = hold_ns;
		freeze->wanted = FREEZE_SUSPENDED;
		rt_cond_wake_all(&freeze->changed);
	}
	/* One that is not to hold hosts may have ended by now. */
	while (freeze->state < FREEZE_SUSPENDED) {
		if (rt_cond_wait(&freeze->changed))
			break;
	}
	return freeze->state >= FREEZE_SUSPENDED && !freeze->rc ? 0 : fault_of(freeze, object, fault);
}

void freeze_end(struct freeze *freeze)
{
	freeze->wanted = FREEZE_ENDED;
	rt_cond_wake_all(&freeze->changed);
	(void)wait_state(freeze, FREEZE_ENDED);
}

struct freeze *freeze_find_session(struct copy *copy, uint8_t session)
{
	struct freeze *freeze;

	list_for_each(freeze, &copy->freezes, link) {
		if (freeze->what.session == session) {
			freeze->users++;
			return freeze;
		}
	}
	return NULL;
}

bool freeze_is_suspended(const struct freeze *freeze)
{
	return freeze->state == FREEZE_SUSPENDED;
}

uint64_t freeze_moment(const struct freeze *freeze)
{
	return freeze->what.moment;
}

/* ---- a group, of which a pair is broken ---- */

/* One that has the pair already sees to it. */
static bool is_frozen_already(struct copy *copy, const struct pair *pair)
{
	const struct freeze *freeze;

	list_for_each(freeze, &copy->freezes, link) {
		if (selects(freeze, pair))
			return true;
	}
	return false;
}

static void suspend_group(struct copy *copy, const struct record_pair *path, uint8_t session, uint64_t moment)
{
	const struct freeze_what what = {
		.path = path, .session = session, .moment = moment, .reason = PAIR_REASON_GROUP, .broken = true,
		.turns_ns = path ? path_group_timeout(copy, path) : COPY_GROUP_TIMEOUT_NS, .decide_ns = DECIDE_NS,
	};
	struct freeze *freeze = freeze_start(copy, &what);

	if (!freeze) {
		/* Its hosts wait still; the next of them asks again. */
		log_line(LOG_ERROR, "pair", "no memory to suspend a group");
		return;
	}
	freeze->wanted = FREEZE_SUSPENDED;
	freeze_put(freeze);
}

void freeze_break_session(struct copy *copy, uint8_t session, uint64_t moment)
{
	struct freeze *freeze = freeze_find_session(copy, session);

	if (freeze && freeze->state < FREEZE_SUSPENDED) {
		/* Others may not have decided: it is by itself now. */
		freeze->what.moment = moment;
		freeze->wanted = FREEZE_SUSPENDED;
		rt_cond_wake_all(&freeze->changed);
	} else if (!freeze) {
		suspend_group(copy, NULL, session, moment);
	}
	if (freeze)
		freeze_put(freeze);
}

void pair_suspend_group(struct pair *pair)
{
	struct copy *copy = pair->copy;
	uint8_t session = group_of_volume(copy, pair->record.volume, SESSION_TYPE_PPRC);

	if (is_frozen_already(copy, pair))
		return;
	/* A session may be of other systems, too: hosts of its path would go on before those do not. */
	if (session)
		copy->above->break_group(copy, session);
	else
		suspend_group(copy, &pair->record, 0, 0);
}

/* ---- a path ---- */

static const char *object_of(const struct copy_path *path, char text[64])
{
	snprintf(text, 64, "path %02X %02X to %s", path->source_lss, path->target_lss, path->system);
	return text;
}

static struct record_pair record_on(const struct copy_path *path)
{
	struct record_pair record = {
		.volume = (uint16_t)(path->source_lss << 8), .remote_volume = (uint16_t)(path->target_lss << 8),
	};

	memcpy(record.system, path->system, sizeof(record.system));
	return record;
}

static struct freeze *find_path(struct copy *copy, const struct copy_path *path)
{
	const struct record_pair record = record_on(path);
	struct freeze *freeze;

	list_for_each(freeze, &copy->freezes, link) {
		const struct record_pair *other = freeze->what.path;

		if (other && other->volume >> 8 == record.volume >> 8 &&
		    other->remote_volume >> 8 == record.remote_volume >> 8 && !strcmp(other->system, record.system))
			return freeze;
	}
	return NULL;
}

/* Else one of its pairs is broken, and it suspends the others with that: it ends by itself. */
static bool is_by_command(const struct freeze *freeze)
{
	return freeze->what.reason == PAIR_REASON_FREEZE;
}

/* It is frozen: is it what was asked for? */
static int check_kept(const struct freeze *freeze, const char *object, struct fault *fault)
{
	if (freeze->lagging[0])
		return fault_set(fault, FAULT_FAILED, object,
				 "xdc pair run, then pair resume, and freeze again when all pairs are full-duplex",
				 "it is frozen, but not full-duplex: volumes %s; their far sides are of no one moment "
				 "with the others", freeze->lagging);
	if (freeze->kept_rc)
		return fault_set(fault, FAULT_FAILED, object,
				 "xdc pair run, and when xdc path list shows the link, pair resume, and freeze again",
				 "it is frozen, and its far side has not said that it keeps that moment: %s",
				 strerror(-freeze->kept_rc));
	return 0;
}

int copy_path_freeze(struct copy *copy, const struct copy_path *path, int64_t hold_ns, struct fault *fault)
{
	const struct record_pair record = record_on(path);
	const struct freeze_what what = {
		.path = &record, .reason = PAIR_REASON_FREEZE, .kept = true, .decide_ns = DECIDE_NS,
	};
	struct freeze *freeze;
	char object[64];
	int rc;

	object_of(path, object);
	freeze = find_path(copy, path);
	if (freeze && is_by_command(freeze))
		return fault_set(fault, FAULT_IN_USE, object, "xdc pair run", "it is frozen already");
	if (freeze)
		return fault_set(fault, FAULT_IN_USE, object, "repeat the command",
				 "one of its pairs cannot go on, and all are just being suspended");
	freeze = freeze_start(copy, &what);
	if (!freeze)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	rc = freeze_wait_held(freeze, object, fault);
	if (!rc)
		rc = freeze_suspend(freeze, hold_ns ? hold_ns : HOLD_NS, object, fault);
	if (!rc)
		rc = check_kept(freeze, object, fault);
	freeze_put(freeze);
	return rc;
}

int copy_path_run(struct copy *copy, const struct copy_path *path, struct fault *fault)
{
	struct freeze *freeze = find_path(copy, path);
	char object[64];

	object_of(path, object);
	if (!freeze || !is_by_command(freeze) || freeze->state != FREEZE_SUSPENDED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair freeze",
				 "it is not frozen, or the time of that is over");
	freeze->users++;
	freeze_end(freeze);
	freeze_put(freeze);
	return 0;
}

/* ---- some by name ---- */

int copy_pairs_fracture(struct copy *copy, const char *object, const uint16_t *volumes, unsigned count,
			int64_t limit_ns, struct fault *fault)
{
	const struct freeze_what what = {
		.volumes = volumes, .volume_count = count, .reason = PAIR_REASON_COMMAND, .all = true,
		.decide_ns = limit_ns,
	};
	struct freeze *freeze = freeze_start(copy, &what);
	int rc;
	RT_SHIELD();

	if (!freeze)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	rc = freeze_wait_held(freeze, object, fault);
	if (!rc)
		rc = freeze_suspend(freeze, 0, object, fault);
	freeze_end(freeze);
	freeze_put(freeze);
	return rc;
}
