/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous pairs of one path at one moment: an administrator freezes them, or one of a group is broken. First no
 * write of any of them is answered any more, then it is durable that all are suspended, and then hosts go on. A host
 * writes what depends on a write when that was answered: so a far side that lacks a write has nothing that depends on
 * it.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define HOLD_NS		(60 * RT_SECOND)	/* of a freeze, unless it says otherwise */
#define FREEZE_NS	(60 * RT_SECOND)	/* for that to come about */
#define TURNS_NS	(30 * RT_SECOND)	/* for commands on pairs of a group to end: then the others go on */

/* A path whose hosts are held. Its fiber ends the hold and frees it. */
struct freeze {
	struct list_head link;
	struct copy *copy;
	uint8_t source_lss, target_lss;
	char system[XDC_SYSTEM_ID_MAX];
	int64_t until_ns;
	bool over;
	struct rt_cond ended;
};

static bool is_on_path(const struct pair *pair, uint8_t source_lss, const char *system, uint8_t target_lss)
{
	const struct record_pair *record = &pair->record;

	return record->role == PAIR_SOURCE && record->type == PAIR_SYNC && pair->peer &&
	       record->volume >> 8 == source_lss && record->remote_volume >> 8 == target_lss &&
	       !strcmp(record->system, system);
}

/* ---- several in their turns ---- */

struct several {
	struct pair **pairs;			/* pinned */
	unsigned count, in_turn;
	bool *held;				/* turns */
};

static void give_back(struct several *several)
{
	for (unsigned i = 0; i < several->count; i++) {
		if (several->held[i])
			pair_end_change(several->pairs[i]);
		pair_unpin(several->pairs[i]);
	}
	mem_free(several->pairs);
	mem_free(several->held);
}

/* Pinned, and in the order of the table, as everybody does who takes several turns. -ENOMEM. */
static int pin_path(struct copy *copy, uint8_t source_lss, const char *system, uint8_t target_lss,
		    struct several *several)
{
	struct pair *pair;
	unsigned all = 0;

	*several = (struct several){ 0 };
	list_for_each(pair, &copy->pairs, link)
		all++;
	several->pairs = mem_alloc_zeroed((all + 1) * sizeof(several->pairs[0]));
	several->held = mem_alloc_zeroed(all + 1);
	if (!several->pairs || !several->held) {
		give_back(several);
		return -ENOMEM;
	}
	list_for_each(pair, &copy->pairs, link) {
		if (pair->gone || !is_on_path(pair, source_lss, system, target_lss))
			continue;
		pair_pin(pair);
		several->pairs[several->count++] = pair;
	}
	return 0;
}

/* As many turns as there are to be had until then. */
static void take_turns(struct several *several, int64_t until_ns)
{
	RT_LIMIT(until_ns);

	for (unsigned i = 0; i < several->count; i++) {
		several->held[i] = !pair_begin_change(several->pairs[i]);
		several->in_turn += several->held[i];
	}
}

static void hold_all(struct several *several)
{
	for (unsigned i = 0; i < several->count; i++) {
		if (!planted(PLANTED_FREEZE_ONE) || i == 0)
			pair_hold_hosts(several->pairs[i], true);
	}
}

/* Negative errno: of one that could not be made durable, whose hosts have an error. */
static int suspend_all(struct several *several, enum pair_reason reason)
{
	int failed = 0;

	for (unsigned i = 0; i < several->count; i++) {
		int rc = 0;

		if (several->held[i] && !pair_rests(several->pairs[i]) &&
		    several->pairs[i]->record.reason != PAIR_REASON_HISTORY)
			rc = pair_suspend_held(several->pairs[i], reason);
		failed = rc ? rc : failed;
	}
	return failed;
}

/*
 * All are answered, and only then is waited for what is under way. One whose turn was not to be had has it by itself;
 * one that could not be suspended, with the next write.
 */
static void release_all(struct several *several)
{
	for (unsigned i = 0; i < several->count; i++) {
		struct pair *pair = several->pairs[i];

		pair->frozen = false;
		if (several->held[i] && pair->record.state == PAIR_SUSPENDED)
			pair_answer_held(pair);
		if (several->held[i])
			continue;
		pair->mirror_broken = true;
		notice_due(&pair->copy->mirrors);
	}
	for (unsigned i = 0; i < several->count; i++) {
		if (several->held[i] && several->pairs[i]->record.state == PAIR_SUSPENDED)
			pair_stop_sending(several->pairs[i]);
	}
}

/* ---- a group ---- */

void pair_suspend_group(struct pair *pair)
{
	const struct record_pair *record = &pair->record;
	struct several several;
	int rc = pin_path(pair->copy, (uint8_t)(record->volume >> 8), record->system,
			  (uint8_t)(record->remote_volume >> 8), &several);

	if (rc) {
		/* Its hosts wait still; the next of them asks again. */
		log_line(LOG_ERROR, "pair", "volume %04X: no memory to suspend its group", record->volume);
		return;
	}
	hold_all(&several);
	take_turns(&several, rt_now_ns() + TURNS_NS);
	if (suspend_all(&several, PAIR_REASON_GROUP))
		log_line(LOG_ERROR, "pair", "volume %04X: a pair of its group cannot be suspended", record->volume);
	release_all(&several);
	give_back(&several);
}

/* ---- freeze and run ---- */

static struct freeze *find_freeze(struct copy *copy, const struct copy_path *path)
{
	struct freeze *freeze;

	list_for_each(freeze, &copy->freezes, link) {
		if (freeze->source_lss == path->source_lss && freeze->target_lss == path->target_lss &&
		    !strcmp(freeze->system, path->system))
			return freeze;
	}
	return NULL;
}

/* What has gone to rest stays there; hosts go on. */
static void end_freeze(struct freeze *freeze)
{
	struct several several;
	RT_SHIELD();

	if (pin_path(freeze->copy, freeze->source_lss, freeze->system, freeze->target_lss, &several)) {
		log_line(LOG_ERROR, "pair", "no memory to let the hosts of LSS %02X go on", freeze->source_lss);
		return;
	}
	take_turns(&several, RT_NEVER);
	release_all(&several);
	give_back(&several);
}

static void hold_hosts(void *arg)
{
	struct freeze *freeze = arg;
	int rc = 0;

	while (!rc && !freeze->over) {
		RT_LIMIT(freeze->until_ns);

		rc = rt_cond_wait(&freeze->ended);
	}
	if (rc == -ETIMEDOUT)
		log_line(LOG_WARNING, "pair", "LSS %02X to %s LSS %02X: frozen for too long, hosts go on",
			 freeze->source_lss, freeze->system, freeze->target_lss);
	if (rc != -ECANCELED)
		end_freeze(freeze);
	list_remove(&freeze->link);
	rt_cond_wake_all(&freeze->copy->thawed);
	mem_free(freeze);
}

static const char *object_of(const struct copy_path *path, char text[64])
{
	snprintf(text, 64, "path %02X %02X to %s", path->source_lss, path->target_lss, path->system);
	return text;
}

static int freeze_all(struct several *several, const char *object, struct fault *fault)
{
	int rc;

	take_turns(several, rt_now_ns() + TURNS_NS);
	if (several->in_turn < several->count)
		return fault_set(fault, FAULT_FAILED, object, "repeat the command",
				 "a command on one of its pairs does not end");
	hold_all(several);
	/* From the answer to the command on, nothing changes at the far sides. */
	for (unsigned i = 0; i < several->count; i++)
		pair_wait_landed(several->pairs[i]);
	rc = suspend_all(several, PAIR_REASON_FREEZE);
	if (rc) {
		release_all(several);
		return fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd and at its state folder",
				 "that its pairs are suspended cannot be made durable: %s", strerror(-rc));
	}
	for (unsigned i = 0; i < several->count; i++)
		several->pairs[i]->frozen = true;
	return 0;
}

static int start_hold(struct copy *copy, const struct copy_path *path)
{
	struct freeze *freeze = mem_alloc_zeroed(sizeof(*freeze));
	int rc;

	if (!freeze)
		return -ENOMEM;
	freeze->copy = copy;
	freeze->source_lss = path->source_lss;
	freeze->target_lss = path->target_lss;
	memcpy(freeze->system, path->system, sizeof(freeze->system));
	freeze->until_ns = rt_now_ns() + FREEZE_NS;
	rt_cond_init(&freeze->ended);
	list_add_last(&copy->freezes, &freeze->link);
	rc = rt_group_start(&copy->fibers, "freeze", hold_hosts, freeze);
	if (rc) {
		list_remove(&freeze->link);
		mem_free(freeze);
		return rc;
	}
	return 0;
}

int copy_path_freeze(struct copy *copy, const struct copy_path *path, int64_t hold_ns, struct fault *fault)
{
	struct several several;
	struct freeze *freeze;
	char object[64];
	int rc;

	object_of(path, object);
	if (find_freeze(copy, path))
		return fault_set(fault, FAULT_IN_USE, object, "xdc pair run", "it is frozen already");
	rc = pin_path(copy, path->source_lss, path->system, path->target_lss, &several);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object, "try again", "out of memory");
	if (!several.count) {
		give_back(&several);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair list shows those that exist",
				 "it has no synchronous pairs");
	}
	/* The end of the hold is certain before it begins. */
	rc = start_hold(copy, path);
	if (rc) {
		give_back(&several);
		return fault_set(fault, FAULT_FAILED, object, "try again", "%s", strerror(-rc));
	}
	rc = freeze_all(&several, object, fault);
	give_back(&several);
	freeze = find_freeze(copy, path);
	if (!freeze)
		return rc ? rc : fault_set(fault, FAULT_TIMEOUT, object, "repeat the command", "it took too long");
	freeze->over = rc;
	freeze->until_ns = rt_now_ns() + (hold_ns ? hold_ns : HOLD_NS);
	rt_cond_wake_all(&freeze->ended);
	return rc;
}

int copy_path_run(struct copy *copy, const struct copy_path *path, struct fault *fault)
{
	struct freeze *freeze = find_freeze(copy, path);
	char object[64];
	int rc = 0;

	object_of(path, object);
	if (!freeze)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc pair freeze",
				 "it is not frozen, or the time of that is over");
	freeze->over = true;
	rt_cond_wake_all(&freeze->ended);
	while (!rc && find_freeze(copy, path) == freeze && freeze->over)
		rc = rt_cond_wait(&copy->thawed);
	return 0;
}
