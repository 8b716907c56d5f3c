/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may do with pairs (copy.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/group_volume.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/pair_private.h"
#include "copy/pair_standby.h"
#include "copy/source.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "volume/target.h"

#define CONNECT_NS	(10 * RT_SECOND)	/* a command waits so long for the far side */
#define GROW_NS		(30 * RT_SECOND)	/* and so long for a target to be grown */
#define ASK_NS		(2 * RT_SECOND)		/* and so long to show what the far side says */

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "pair of volume %04X", volume);
	return text;
}

/* The pair of this name, pinned and in its turn, for one command; end_command gives it back. */
static struct pair *begin_command(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = pair_find_named(copy, name, fault);
	char object[64];
	int rc;

	if (!pair)
		return NULL;
	pair_pin(pair);
	rc = pair_begin_change(pair);
	if (!rc)
		return pair;
	pair_unpin(pair);
	fault_set(fault, FAULT_INVALID_PARAMETER, object_of(name->volume, object),
		  "xdc pair list shows those that exist",
		  rc == -ENOENT ? "volume %04X has no pair" : "another command on volume %04X does not end",
		  name->volume);
	return NULL;
}

static int end_command(struct pair *pair, int rc)
{
	pair_end_change(pair);
	pair_unpin(pair);
	return rc;
}

static int fault_durable(const struct pair *pair, int rc, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object),
			 rc == -ENOSPC ? "make space in the state folder of xdcd, and repeat the command"
				       : "look at the log of xdcd and at its state folder",
			 "the change cannot be made durable: %s", strerror(-rc));
}

static int fault_unreached(struct pair *pair, struct fault *fault)
{
	struct link_state state;
	char object[64];

	link_get_state(pair->peer->to, &state);
	snprintf(object, sizeof(object), "system %s", pair->record.system);
	return fault_set(
		fault, FAULT_FAILED, object,
		"xdcd must run there with --link, at the address and with the id of the path, and share its key",
		"it cannot be reached: %s", state.last_error_text[0] ? state.last_error_text : state.address);
}

/* The far side said no to a new pair: in its words, with the command that mends it. */
static int fault_refused(struct pair *pair, int error, const char *why, struct fault *fault)
{
	char object[64], remedy[256] = "";

	snprintf(object, sizeof(object), "system %s", pair->record.system);
	if (error == -ENOTCONN || error == -ETIMEDOUT || error == -ECONNRESET)
		return fault_set(fault, FAULT_FAILED, object, "xdc path list shows the link; repeat the command then",
				 "it does not answer: %s", why[0] ? why : strerror(-error));
	if (error == -ENODEV)
		snprintf(remedy, sizeof(remedy), "on %s: xdc volume create %04X --pool POOL --size %llu",
			 pair->record.system, pair->record.remote_volume,
			 (unsigned long long)volume_size(pair->volume));
	else if (error == -ERANGE)
		snprintf(remedy, sizeof(remedy),
			 "make both of one size: xdc volume grow, or delete and create the target");
	else if (error == -EBUSY)
		snprintf(remedy, sizeof(remedy), "take another volume, or delete that pair first");
	else if (error == -ETXTBSY)
		snprintf(remedy, sizeof(remedy), "disconnect the hosts of volume %04X there, or take another volume",
			 pair->record.remote_volume);
	else if (error == -EEXIST)
		snprintf(remedy, sizeof(remedy), "if that pair is of no use: xdc pair delete %04X --force, on %s",
			 pair->record.remote_volume, pair->record.system);
	else if (error == -EAGAIN)
		snprintf(remedy, sizeof(remedy), "repeat the command");
	else if (error == -ENODATA || error == -ENOENT)
		snprintf(remedy, sizeof(remedy), "delete the pair and create it again: it is copied anew");
	else if (error == -ESTALE)
		snprintf(remedy, sizeof(remedy),
			 "production moved there: xdc pair failback %04X on %s, with --discard if needed",
			 pair->record.remote_volume, pair->record.system);
	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object), remedy, "system %s refuses: %s",
			 pair->record.system, why[0] ? why : strerror(-error));
}

/* The volume has this pair: may it be the source of the one that is asked for, too? */
static int check_beside(const struct record_pair *other, const struct copy_pair_request *request, struct fault *fault)
{
	char object[64], remedy[128];

	object_of(request->source, object);
	snprintf(remedy, sizeof(remedy), "to end that one: xdc pair delete %04X --to %s", request->source,
		 other->system);
	if (!strcmp(other->system, request->system))
		return fault_set(fault, FAULT_IN_USE, object, remedy, "it is paired with volume %04X of %s already",
				 other->remote_volume, other->system);
	/* A cascade; but what a journal writes here is of the session there. */
	if (other->role == PAIR_TARGET && other->state != PAIR_FAILED_OVER && other->type == PAIR_ASYNC)
		return fault_set(fault, FAULT_IN_USE, object, "take a sync or global-copy pair there",
				 "it is the target of volume %04X of %s, and that pair is async",
				 other->remote_volume, other->system);
	if (other->reason == PAIR_REASON_HISTORY)
		return fault_set(fault, FAULT_IN_USE, object, remedy, "volume %04X of %s is newer than it",
				 other->remote_volume, other->system);
	if (request->type == PAIR_ASYNC && other->role == PAIR_SOURCE && other->type == PAIR_ASYNC)
		return fault_set(fault, FAULT_IN_USE, object, "make this one sync or global-copy",
				 "its pair with %s is async already, and a session takes it by one pair",
				 other->system);
	return 0;
}

static int check_other_pairs(struct copy *copy, const struct copy_pair_request *request, struct fault *fault)
{
	const struct pair *pair;
	unsigned count = 0;
	char object[64];

	for (pair = pair_first_of(copy, request->source); pair; pair = pair_next_of(pair), count++) {
		if (check_beside(&pair->record, request, fault))
			return -1;
	}
	object_of(request->source, object);
	if (standby_find(copy, request->source))
		return fault_set(fault, FAULT_IN_USE, object, "xdc standby delete, or xdc standby take-over",
				 "it has a standby, and can have no other target");
	if (pair_is_going(copy, request->source))
		return fault_set(fault, FAULT_IN_USE, object, "repeat the command",
				 "an earlier pair of it is still being put down");
	if (count >= VOLUME_TARGETS_MAX)
		return fault_set(fault, FAULT_IN_USE, object, "end one of them: xdc pair delete",
				 "it has %u pairs, and can have no more", count);
	return 0;
}

static int check_new_pair(struct copy *copy, const struct copy_pair_request *request, struct volume *volume,
			  struct fault *fault)
{
	const struct left_pair *left = pair_left_find(copy, request->source, NULL);
	char object[64], remedy[256];

	object_of(request->source, object);
	if (left)
		return pair_left_check(copy, left, COPY_CREATE, false, fault);
	if (!volume)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc volume list shows those that exist",
				 "there is no volume %04X", request->source);
	if (check_other_pairs(copy, request, fault))
		return -1;
	if (!path_exists(copy, (uint8_t)(request->source >> 8), request->system, (uint8_t)(request->target >> 8))) {
		snprintf(remedy, sizeof(remedy), "xdc path create %02X %02X --system %s --to HOST:PORT",
			 request->source >> 8, request->target >> 8, request->system);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "no path leads from LSS %02X to LSS %02X of system %s", request->source >> 8,
				 request->target >> 8, request->system);
	}
	return 0;
}

int copy_pair_create(struct copy *copy, const struct copy_pair_request *request, struct fault *fault)
{
	struct record_pair record = {
		.volume = request->source, .remote_volume = request->target, .role = PAIR_SOURCE, .type = request->type,
		.state = PAIR_COPY_PENDING, .since_wall_ns = rt_wall_ns(), .created_wall_ns = rt_wall_ns(),
		.priority = request->priority, .first_copy_compares = request->compare,
		.critical = request->critical,
	};
	struct volume *volume = copy->config.find_volume(copy->config.find_arg, request->source);
	struct wire_pair_reply reply = { 0 };
	struct history history = { 0 };
	char why[WIRE_TEXT_SIZE] = "", object[64];
	uint8_t generation[16];
	struct pair *pair;
	int rc;

	if (check_new_pair(copy, request, volume, fault))
		return -1;
	snprintf(record.system, sizeof(record.system), "%s", request->system);
	/* A first copy that has come to its end but for telling the far side so. */
	record.first_copy_bytes = request->no_copy ? volume_size(volume) : 0;
	rt_random_bytes(generation, sizeof(generation));
	history_begin(&history, generation, 0, rt_wall_ns());
	pair = pair_take_up(copy, &record, &history, volume);
	if (!pair)
		return fault_set(fault, FAULT_FAILED, object_of(record.volume, object), "try again", "out of memory");
	pair_pin(pair);
	rc = pair_begin_change(pair);
	assert(!rc);
	/* Durable before the far side hears of it: what it was told exists here, whatever happens. */
	rc = pair_begin_source(pair);
	if (!rc)
		rc = pair_save(pair);
	if (!rc && !peer_wait_answer(pair->peer, CONNECT_NS))
		rc = fault_unreached(pair, fault);
	else if (!rc) {
		rc = pair_connect(pair, 0, &reply, why);
		if (!rc) {
			pair_look_progress(pair);
			return end_command(pair, 0);
		}
		fault_refused(pair, rc, why, fault);
	} else {
		fault_set(fault, FAULT_FAILED, object_of(record.volume, object),
			  "look at the log of xdcd and at its state folder", "it cannot begin: %s", strerror(-rc));
	}
	if (pair_forget(pair))
		log_line(LOG_ERROR, "pair", "volume %04X: a pair that was refused is still in the metadata",
			 record.volume);
	return -1;
}

static int remove_far_end(struct pair *pair, char *why)
{
	struct wire_pair_request request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
	};
	struct wire_empty reply;
	RT_LIMIT(rt_now_ns() + CONNECT_NS);

	return link_request(pair->peer->to, WIRE_PAIR_REMOVE, &request, &reply, why, NULL);
}

static int check_delete(struct pair *pair, bool force, struct fault *fault)
{
	char why[WIRE_TEXT_SIZE] = "", object[64], remedy[64];
	const struct standby *standby;
	uint8_t session;
	int rc = 0;

	object_of(pair->record.volume, object);
	if (pair_check(pair, COPY_DELETE, force, fault))
		return -1;
	session = group_of_volume(pair->copy, pair->record.volume, SESSION_TYPE_PPRC);
	snprintf(remedy, sizeof(remedy), "xdc session remove %u %04X", session, pair->record.volume);
	if (session && pair->record.role == PAIR_SOURCE)
		return fault_set(fault, FAULT_IN_USE, object, remedy, "it is in session %u", session);
	standby = standby_find(pair->copy, pair->record.volume);
	snprintf(remedy, sizeof(remedy), "xdc standby delete %04X", pair->record.volume);
	if (standby && !strcmp(standby->record.near_system, pair->record.system))
		return fault_set(fault, FAULT_IN_USE, object, remedy,
				 "what the standby of the volume lacks rests on it");
	if (pair->record.role == PAIR_SOURCE && pair->peer)
		rc = remove_far_end(pair, why);
	if (rc && !force)
		return fault_set(fault, FAULT_FAILED, object, "--force deletes this end alone",
				 "system %s did not give its end up: %s", pair->record.system,
				 why[0] ? why : strerror(-rc));
	rc = pair->record.role == PAIR_TARGET ? pair_part_from_source(pair) : 0;
	if (rc)
		return fault_durable(pair, rc, fault);
	/* A target was closed to hosts, and a source that was found to be older, to writes. */
	if (pair_set_access(pair, VOLUME_ACCESS_WRITE))
		return fault_set(fault, FAULT_FAILED, object, "repeat the command",
				 "its volume cannot be opened to hosts");
	return 0;
}

/* Its volume is offline: the other end, if it is there still, hears nothing of this. */
static int delete_left(struct copy *copy, struct left_pair *left, bool force, struct fault *fault)
{
	char object[64];
	int rc;

	if (pair_left_check(copy, left, COPY_DELETE, force, fault))
		return -1;
	object_of(left->record.volume, object);
	rc = pair_left_forget(copy, left);
	return rc ? fault_set(fault, FAULT_FAILED, object, "look at the log of xdcd", "%s", strerror(-rc)) : 0;
}

int copy_pair_delete(struct copy *copy, const struct copy_pair_name *name, bool force, struct fault *fault)
{
	struct left_pair *left = pair_left_find_named(copy, name);
	struct pair *pair = left ? NULL : begin_command(copy, name, fault);
	char object[64];
	int rc;

	if (left)
		return delete_left(copy, left, force, fault);
	if (!pair)
		return -1;
	if (check_delete(pair, force, fault))
		return end_command(pair, -1);
	rc = pair_forget(pair);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object_of(name->volume, object), "look at the log of xdcd", "%s",
				 strerror(-rc));
	return 0;
}

/* Durable first: a pair that an administrator has suspended does not send after another start. */
static int suspend(struct pair *pair, struct fault *fault)
{
	struct record_pair next = pair->record;
	enum pair_state before = pair->record.state;
	int rc;

	if (pair_check(pair, COPY_SUSPEND, false, fault))
		return -1;
	if (pair->record.state == PAIR_FULL_DUPLEX) {
		rc = pair_suspend_duplex(pair, PAIR_REASON_COMMAND);
		return rc ? fault_durable(pair, rc, fault) : 0;
	}
	next.state = PAIR_SUSPENDED;
	next.reason = PAIR_REASON_COMMAND;
	next.since_wall_ns = rt_wall_ns();
	rc = pair_change_record(pair, &next);
	if (rc)
		return fault_durable(pair, rc, fault);
	pair_tell_state(pair, before);
	pair_suspend(pair, PAIR_SUSPENDED, PAIR_REASON_COMMAND);
	return 0;
}

int copy_pair_suspend(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, suspend(pair, fault)) : -1;
}

static int resume(struct pair *pair, struct fault *fault)
{
	struct wire_pair_reply reply = { 0 };
	enum pair_state before = pair->record.state;
	char why[WIRE_TEXT_SIZE] = "", object[64];
	struct record_pair next;
	int rc;

	rc = pair_check(pair, COPY_RESUME, false, fault);
	if (rc)
		return rc < 0 ? -1 : 0;
	/* Its far side is not heard, and hosts have written nothing since: it is tried again by itself. */
	if (pair->record.state == PAIR_FULL_DUPLEX)
		return 0;
	object_of(pair->record.volume, object);
	rc = pair_begin_source(pair);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object, "xdc path create", "no path leads to %s: %s",
				 pair->record.system, strerror(-rc));
	if (!peer_wait_answer(pair->peer, CONNECT_NS))
		return fault_unreached(pair, fault);
	pair->was_suspended = true;
	rc = pair_connect(pair, WIRE_PAIR_RESUME, &reply, why);
	if (rc)
		return fault_refused(pair, rc, why, fault);
	next = pair->record;
	next.state = PAIR_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	rc = pair_change_record(pair, &next);
	if (!rc) {
		pair_tell_state(pair, before);
		return 0;
	}
	pair_suspend(pair, pair->record.state, pair->record.reason);
	return fault_durable(pair, rc, fault);
}

int copy_pair_resume(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, resume(pair, fault)) : -1;
}

static int do_set_priority(void *arg)
{
	struct pair_order *order = arg;

	if (order->pair->pump)
		pump_set_priority(order->pair->pump, order->record.priority);
	return 0;
}

static int set_priority(struct pair *pair, enum copy_priority priority, struct fault *fault)
{
	struct record_pair next = pair->record;
	struct pair_order order = { 0 };
	int rc;

	if (pair_check(pair, COPY_SET, false, fault))
		return -1;
	next.priority = priority;
	rc = pair_change_record(pair, &next);
	if (rc)
		return fault_durable(pair, rc, fault);
	pair_order_surely(pair, do_set_priority, &order);
	return 0;
}

int copy_pair_set_priority(struct copy *copy, const struct copy_pair_name *name, enum copy_priority priority,
			   struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, set_priority(pair, priority, fault)) : -1;
}

/* In its turn: another type, which the far side hears of when it is asked next. */
static int change_type(struct pair *pair, enum pair_type type, struct fault *fault)
{
	struct record_pair next = pair->record;
	int rc;

	next.type = type;
	rc = pair_change_record(pair, &next);
	if (rc)
		return fault_durable(pair, rc, fault);
	log_line(LOG_NOTICE, "pair", "volume %04X: its type is %s now", pair->record.volume, pair_type_names[type]);
	return 0;
}

static int go_to_sync(struct pair *pair, struct fault *fault)
{
	int rc;

	if (pair_check(pair, COPY_GO_TO_SYNC, false, fault))
		return -1;
	if (change_type(pair, PAIR_SYNC, fault))
		return -1;
	rc = pair_follow(pair);
	if (rc)
		log_line(LOG_WARNING, "pair", "volume %04X: it cannot follow yet: %s", pair->record.volume,
			 strerror(-rc));
	if (pair->peer)
		peer_look_again(pair->peer);
	return 0;
}

int copy_pair_go_to_sync(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, go_to_sync(pair, fault)) : -1;
}

static int leave_sync(struct pair *pair, struct fault *fault)
{
	if (pair_check(pair, COPY_LEAVE_SYNC, false, fault))
		return -1;
	return change_type(pair, PAIR_GLOBAL_COPY, fault);
}

int copy_pair_leave_sync(struct copy *copy, const struct copy_pair_name *name, struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, leave_sync(pair, fault)) : -1;
}

static int fail_over(struct pair *pair, bool force, struct fault *fault)
{
	char object[64];
	int rc;

	/* Of one that is failed over already what was left undone is done. */
	if (pair_check(pair, COPY_FAILOVER, force, fault) < 0)
		return -1;
	rc = pair->record.state == PAIR_FAILED_OVER ? 0 : pair_part_from_source(pair);
	if (!rc)
		rc = pair_fail_over(pair, 0);
	if (!rc) {
		peers_tell_changed(pair->copy, pair->record.system);
		return 0;
	}
	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object), "look at the log of xdcd", "%s",
			 strerror(-rc));
}

int copy_pair_failover(struct copy *copy, const struct copy_pair_name *name, bool force, struct fault *fault)
{
	struct pair *pair = begin_command(copy, name, fault);

	return pair ? end_command(pair, fail_over(pair, force, fault)) : -1;
}

static int grow_target(struct pair *pair, uint64_t size_bytes, struct fault *fault)
{
	struct wire_pair_grow request = {
		.source_volume = pair->record.volume,
		.target_volume = pair->record.remote_volume,
		.size_bytes = size_bytes,
	};
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE] = "", object[64];
	int rc;

	object_of(pair->record.volume, object);
	if (pair->record.role != PAIR_SOURCE || !pair->peer)
		return fault_set(fault, FAULT_IN_USE, object, "grow it at the source; its target grows with it",
				 "it is the far side of system %s", pair->record.system);
	if (!peer_wait_answer(pair->peer, CONNECT_NS))
		return fault_unreached(pair, fault);
	{
		RT_LIMIT(rt_now_ns() + GROW_NS);

		rc = link_request(pair->peer->to, WIRE_PAIR_GROW, &request, &reply, why, NULL);
	}
	if (rc)
		return fault_refused(pair, rc, why, fault);
	pair->target_bytes = size_bytes;
	return 0;
}

int copy_grow_targets(struct copy *copy, uint16_t volume, uint64_t size_bytes, bool as_target, struct fault *fault)
{
	struct pair *pair = pair_first_of(copy, volume), *next;
	char object[64];
	int rc = 0;

	for (; pair && !rc; pair = next) {
		pair_pin(pair);
		rc = pair_begin_change(pair);
		if (!rc) {
			if (!as_target || pair->record.role == PAIR_SOURCE)
				rc = grow_target(pair, size_bytes, fault);
			pair_end_change(pair);
		} else if (rc == -ENOENT) {
			rc = 0;
		} else {
			fault_set(fault, FAULT_IN_USE, object_of(volume, object), "repeat the command",
				  "another command on volume %04X does not end", volume);
		}
		next = pair_next_of(pair);
		pair_unpin(pair);
	}
	return rc ? -1 : 0;
}

bool copy_targets_have_grown(struct copy *copy, uint16_t volume, uint64_t size_bytes)
{
	const struct pair *pair;

	for (pair = pair_first_of(copy, volume); pair; pair = pair_next_of(pair)) {
		if (pair->target_bytes < size_bytes)
			return false;
	}
	return true;
}

bool copy_pair_ask_far(struct copy *copy, const struct copy_pair_name *name, struct copy_pair_far *far)
{
	struct fault none;
	struct pair *pair = pair_find_named(copy, name, &none);
	struct wire_pair_request request = { .source_volume = name->volume };
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE];
	int rc;
	RT_LIMIT(rt_now_ns() + ASK_NS);

	if (!pair)
		return false;
	pair_pin(pair);
	request.target_volume = pair->record.remote_volume;
	rc = copy_ask(copy, pair->record.system, WIRE_PAIR_STATUS, &request, &reply, why);
	if (!rc && reply.state >= PAIR_STATE_COUNT)
		rc = -EBADMSG;
	if (!rc)
		*far = (struct copy_pair_far){
			.state = (enum pair_state)reply.state, .noted_bytes = reply.noted_bytes,
			.history = reply.history, .verdict = history_compare(&pair->history, &reply.history),
		};
	pair_unpin(pair);
	return !rc;
}

/* What an administrator does, by reason; VOLUME stands for the id of the volume here, PAIR for what names the pair. */
static const char *const remedies[PAIR_REASON_COUNT] = {
	[PAIR_REASON_NONE] = "",
	[PAIR_REASON_COMMAND] = "xdc pair resume PAIR",
	[PAIR_REASON_LINK] = "xdc path list shows the link; it goes on by itself when that is there",
	[PAIR_REASON_FAR_FULL] = "make space at the far side; it goes on by itself",
	[PAIR_REASON_FAR_DISK] = "at the far side: xdc volume list and xdc session show say what failed",
	[PAIR_REASON_DISK] = "mend the disk, then xdc volume accept VOLUME",
	[PAIR_REASON_HISTORY] = "the far side is newer: there, xdc session failback, or xdc pair failback",
	[PAIR_REASON_FAR_GONE] = "xdc pair delete PAIR --force, then xdc pair create copies it anew",
	[PAIR_REASON_WRITES_LOST] =
		"xdc volume accept VOLUME; or xdc pair failover at the far side, which has the writes",
	[PAIR_REASON_FREEZE] = "xdc pair run lets hosts go on; xdc pair resume PAIR sends what has changed",
	[PAIR_REASON_GROUP] =
		"far sides of those suspended with it are of one moment; xdc pair resume PAIR sends what has changed",
	[PAIR_REASON_GROUP_LOST] = "at the source: xdc pair delete, then xdc pair create copies it anew",
	[PAIR_REASON_SESSION] = "at the master of its session: xdc session resume",
};

void copy_pair_remedy(const struct copy_pair_info *info, char remedy[COPY_REMEDY_MAX])
{
	const char *text = remedies[info->reason], *pair = strstr(text, "PAIR");
	const char *name = pair ? pair : strstr(text, "VOLUME");
	bool with_system = pair && info->is_one_of_several;

	if (name)
		snprintf(remedy, COPY_REMEDY_MAX, "%.*s%04X%s%s%s", (int)(name - text), text, info->volume,
			 with_system ? " --to " : "", with_system ? info->system : "",
			 name + strlen(pair ? "PAIR" : "VOLUME"));
	else
		snprintf(remedy, COPY_REMEDY_MAX, "%s", text);
}
