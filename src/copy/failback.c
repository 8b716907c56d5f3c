/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Production comes back to the old site (copy.h: copy_session_failback, copy_session_return, copy_pair_failback).
 * Only differences travel: what hosts changed at the far side since recovery, and what the old source had noted and
 * not got into a consistency group that exists (pair_changes.h).
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_changes.h"
#include "copy/pair_left.h"
#include "copy/session_entry.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "volume/volume.h"

#define CONNECT_NS	(10 * RT_SECOND)	/* a command waits so long for the old site */
#define STALL_NS	(60 * RT_SECOND)	/* a return waits so long without any progress */
#define LOOK_NS		(100 * RT_MS)
#define REPORT_NS	(5 * RT_SECOND)

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "pair of volume %04X", volume);
	return text;
}

/* ---- may it be? ---- */

static int reach(struct pair *pair)
{
	const char *address = copy_path_address(pair->copy, (uint8_t)(pair->record.volume >> 8), pair->record.system);

	if (!pair->peer)
		pair->peer = peer_get(pair->copy, pair->record.system, address, false);
	if (!pair->peer)
		return -ENOMEM;
	return peer_wait_connected(pair->peer, CONNECT_NS) ? 0 : -ENOTCONN;
}

static int check_path(struct pair *pair, struct fault *fault)
{
	const struct record_pair *record = &pair->record;
	struct link_state state = { 0 };
	char object[64], remedy[256];
	int rc;

	object_of(record->volume, object);
	if (!path_exists(pair->copy, (uint8_t)(record->volume >> 8), record->system,
			 (uint8_t)(record->remote_volume >> 8))) {
		snprintf(remedy, sizeof(remedy), "xdc path create %02X %02X --system %s --to HOST:PORT",
			 record->volume >> 8, record->remote_volume >> 8, record->system);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "no path leads back to volume %04X of %s", record->remote_volume, record->system);
	}
	rc = reach(pair);
	if (!rc)
		return 0;
	if (pair->peer)
		link_get_state(pair->peer->to, &state);
	return fault_set(fault, FAULT_FAILED, object, "is xdcd running there, with --link?",
			 "system %s cannot be reached: %s", record->system,
			 state.last_error_text[0] ? state.last_error_text : strerror(-rc));
}

/* "3f9a01c4 since 2026-11-23T00:18:59Z from CG 17, 120 KiB" */
static void describe(const struct history *history, uint64_t bytes, char *text, size_t size)
{
	const struct history_entry *newest = &history->entries[0];
	time_t seconds = (time_t)(newest->began_wall_ns / RT_SECOND);
	char since[32] = "", size_text[32] = "size unknown";
	struct tm when;

	if (!history->count) {
		snprintf(text, size, "none");
		return;
	}
	if (gmtime_r(&seconds, &when))
		strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &when);
	if (bytes != UINT64_MAX)
		snprintf(size_text, sizeof(size_text), "%llu KiB", (unsigned long long)bytes / 1024);
	snprintf(text, size, "%02x%02x%02x%02x since %s from CG %llu, %s", newest->generation[0], newest->generation[1],
		 newest->generation[2], newest->generation[3], since, (unsigned long long)newest->sequence, size_text);
}

static int fault_both(struct pair *pair, const struct history *other, struct fault *fault)
{
	char object[64], remedy[256], here[80], there[80], why[WIRE_TEXT_SIZE];
	uint64_t bytes;

	if (pair_changes_far(pair, &bytes, why))
		bytes = UINT64_MAX;
	describe(&pair->history, pair_changes_here(pair) * XDC_BLOCK_SIZE, here, sizeof(here));
	describe(other, bytes, there, sizeof(there));
	snprintf(remedy, sizeof(remedy),
		 "--discard gives up what was written on %s alone; nothing is chosen without it", pair->record.system);
	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object), remedy,
			 "both sides were written: here %s; on %s %s", here, pair->record.system, there);
}

/* Both histories say whether the old source may be overwritten. */
static int check_histories(struct pair *pair, bool discard, struct fault *fault)
{
	struct wire_pair_request request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
	};
	struct wire_pair_reply reply = { 0 };
	char why[WIRE_TEXT_SIZE] = "", object[64];
	enum history_verdict verdict;
	int rc = link_request(pair->peer->to, WIRE_PAIR_STATUS, &request, &reply, why, NULL);

	object_of(pair->record.volume, object);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object, "xdc path list shows the link; repeat the command then",
				 "system %s does not answer for volume %04X: %s",
				 pair->record.system, pair->record.remote_volume, why[0] ? why : strerror(-rc));
	verdict = history_compare(&pair->history, &reply.history);
	/* The same: it was asked before, and this end has not noted that. The old source looks itself. */
	if (verdict == HISTORY_MINE_NEWER || verdict == HISTORY_SAME || (verdict == HISTORY_BOTH_WRITTEN && discard))
		return 0;
	if (verdict == HISTORY_BOTH_WRITTEN)
		return fault_both(pair, &reply.history, fault);
	return fault_set(fault, FAULT_FAILED, object, "delete the pair and make a new one from the side that is right",
			 "volume %04X of %s is no older state of this one: %s", pair->record.remote_volume,
			 pair->record.system, history_verdict_names[verdict]);
}

static int check_failback(struct pair *pair, bool discard, struct fault *fault)
{
	int rc = pair_check(pair, COPY_FAILBACK, false, fault);

	if (rc)
		return rc < 0 ? -1 : 0;
	if (check_path(pair, fault))
		return -1;
	return check_histories(pair, discard, fault);
}

/* ---- failback ---- */

static int ask_old_source(struct pair *pair, uint32_t flags, char *why)
{
	struct wire_pair_establish request = {
		.source_volume = pair->record.volume, .target_volume = pair->record.remote_volume,
		.size_bytes = volume_size(pair->volume), .flags = flags, .history = pair->history,
		.type = pair_type_to_wire(pair->record.type),
	};
	struct wire_pair_reply reply = { 0 };

	return link_request(pair->peer->to, WIRE_PAIR_ESTABLISH, &request, &reply, why, NULL);
}

static int become_source(struct pair *pair)
{
	struct record_pair next = pair->record;
	int rc;

	next.role = PAIR_SOURCE;
	next.state = PAIR_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	next.session = 0;
	next.joined = next.given_away = false;
	next.first_copy_done = false;
	next.first_copy_bytes = volume_size(pair->volume);
	rc = pair_change_record(pair, &next);
	if (!rc)
		pair->joined = pair->may_join = false;
	return rc;
}

static int fault_of_pair(struct pair *pair, int rc, const char *why, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object), "mend that and repeat",
			 "system %s: %s", pair->record.system, why[0] ? why : strerror(-rc));
}

/*
 * The old source has become the target: this end sends. Given again it does what was left undone. In the pair's turn.
 */
static int begin_failback(struct pair *pair, bool discard, struct fault *fault)
{
	int rc = 0;

	(void)discard;
	if (pair->record.role != PAIR_SOURCE) {
		if (pair->record.state != PAIR_FAILED_OVER)
			return fault_of_pair(pair, -ESTALE, "another command has changed it meanwhile", fault);
		rc = become_source(pair);
		if (!rc)
			log_line(LOG_NOTICE, "failback", "volume %04X: the differences go to volume %04X of %s",
				 pair->record.volume, pair->record.remote_volume, pair->record.system);
	}
	if (!rc)
		rc = pair_begin_source(pair);
	if (rc)
		return fault_of_pair(pair, rc, "", fault);
	/* From here on it goes on by itself whenever the link is there. */
	peer_look_again(pair->peer);
	return 0;
}

/* Takes the pair's turn for one step. */
static int in_turn(struct pair *pair, int (*step)(struct pair *pair, bool discard, struct fault *fault), bool discard,
		   struct fault *fault)
{
	char object[64];
	int rc = pair_begin_change(pair);

	if (rc)
		return fault_set(fault, FAULT_IN_USE, object_of(pair->record.volume, object), "repeat the command",
				 "another command has it: %s", strerror(-rc));
	rc = step(pair, discard, fault);
	pair_end_change(pair);
	return rc;
}

/*
 * After check_failback. The other end is asked outside the pair's turn: it may be asking this one at the same time,
 * and each would wait for the other's.
 */
static int fail_back(struct pair *pair, bool discard, struct fault *fault)
{
	char why[WIRE_TEXT_SIZE] = "";
	int rc;

	if (pair->record.role == PAIR_SOURCE)
		return in_turn(pair, begin_failback, discard, fault);
	rc = ask_old_source(pair, WIRE_PAIR_FAILBACK | (discard ? WIRE_PAIR_DISCARD : 0), why);
	/* What it was written without this side knowing is on its record only now: both histories say so. */
	if (rc == -ESTALE && in_turn(pair, check_failback, discard, fault))
		return -1;
	if (rc)
		return fault_of_pair(pair, rc, why, fault);
	return in_turn(pair, begin_failback, discard, fault);
}

int copy_pair_failback(struct copy *copy, const struct copy_pair_name *name, bool discard, struct fault *fault)
{
	struct pair *pair = pair_find_named(copy, name, fault);
	int rc;

	if (!pair)
		return -1;
	pair_pin(pair);
	rc = in_turn(pair, check_failback, discard, fault);
	if (!rc)
		rc = fail_back(pair, discard, fault);
	pair_unpin(pair);
	return rc;
}

/* ---- the pairs of a session that was recovered here ---- */

struct recovered {
	struct copy *copy;
	uint8_t session;
	unsigned count;
	struct pair **pairs;			/* pinned */
};

static void drop(struct recovered *recovered)
{
	for (unsigned i = 0; i < recovered->count; i++)
		pair_unpin(recovered->pairs[i]);
	mem_free(recovered->pairs);
}

/* A session does not go back in parts: a volume of it that is not open would be left behind. */
static int check_none_left(struct copy *copy, uint8_t session, struct fault *fault)
{
	const struct left_pair *left;
	char object[64], remedy[256];

	list_for_each(left, &copy->left_pairs, link) {
		const struct record_pair *record = &left->record;

		if (!leg_recovered_has(copy, session, record->system, record->volume))
			continue;
		snprintf(remedy, sizeof(remedy),
			 "mend it, start xdcd again, and xdc session recover %u makes it writable; "
			 "xdc pair delete %04X --force goes on without it", session, record->volume);
		return fault_set(fault, FAULT_FAILED, object_of(record->volume, object), remedy,
				 "its volume is in the session, and is offline");
	}
	return 0;
}

static int collect(struct copy *copy, uint8_t session, struct recovered *recovered, struct fault *fault)
{
	struct pair *pair;
	unsigned count = 0;
	char object[64];

	*recovered = (struct recovered){ .copy = copy, .session = session };
	snprintf(object, sizeof(object), "session %u", session);
	list_for_each(pair, &copy->pairs, link)
		count++;
	recovered->pairs = mem_alloc_zeroed((count + 1) * sizeof(struct pair *));
	if (!recovered->pairs)
		return fault_set(fault, FAULT_FAILED, object, "try again", "no memory");
	list_for_each(pair, &copy->pairs, link) {
		if (pair->gone || !leg_recovered_has(copy, session, pair->record.system, pair->record.volume))
			continue;
		pair_pin(pair);
		recovered->pairs[recovered->count++] = pair;
	}
	if (recovered->count)
		return 0;
	return fault_set(fault, FAULT_INVALID_PARAMETER, object,
			 "give it on each far side where xdc session recover has made the volumes writable",
			 "no volume of it was recovered on this system");
}

static int each_in_turn(struct recovered *recovered,
			int (*step)(struct pair *pair, bool discard, struct fault *fault), bool discard,
			struct fault *fault)
{
	for (unsigned i = 0; i < recovered->count; i++) {
		if (in_turn(recovered->pairs[i], step, discard, fault))
			return -1;
	}
	return 0;
}

int copy_session_failback(struct copy *copy, uint8_t session, bool discard, struct fault *fault)
{
	struct recovered recovered;
	int rc;

	if (session_check(copy, session, SESSION_DO_FAILBACK, false, fault) || check_none_left(copy, session, fault))
		return -1;
	rc = collect(copy, session, &recovered, fault);
	/* First whether all of them may: a session does not go back in parts. */
	if (!rc)
		rc = each_in_turn(&recovered, check_failback, discard, fault);
	for (unsigned i = 0; i < recovered.count && !rc; i++)
		rc = fail_back(recovered.pairs[i], discard, fault);
	drop(&recovered);
	return rc;
}

/* ---- return ---- */

static bool is_back(const struct pair *pair)
{
	enum pair_state state = pair->record.state;

	return pair->record.role == PAIR_TARGET &&
	       (state == PAIR_TARGET_COPY_PENDING || state == PAIR_TARGET_FULL_DUPLEX);
}

static int check_return(struct pair *pair, bool discard, struct fault *fault)
{
	char object[64], remedy[64] = "xdc session failback, then wait until it is nearly equal";

	(void)discard;
	if (is_back(pair))
		return 0;
	if (pair->record.role == PAIR_TARGET && pair->record.state != PAIR_TARGET_SUSPENDED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(pair->record.volume, object), remedy,
				 "it is %s: its differences do not go to the old site yet",
				 pair_state_names[pair->record.state]);
	return check_path(pair, fault);
}

static int set_access(struct pair *pair, enum volume_access access, struct fault *fault)
{
	char object[64];
	int rc = pair->record.role == PAIR_SOURCE ? pair_set_access(pair, access) : 0;

	if (!rc)
		return 0;
	return fault_set(fault, FAULT_FAILED, object_of(pair->record.volume, object), "repeat the command",
			 "its volume's access: %s", strerror(-rc));
}

static int close_to_hosts(struct pair *pair, bool discard, struct fault *fault)
{
	(void)discard;
	return set_access(pair, VOLUME_ACCESS_NONE, fault);
}

/* A return that does not come about leaves production here. */
static void open_to_hosts(struct recovered *recovered)
{
	struct fault ignored;

	for (unsigned i = 0; i < recovered->count; i++) {
		if (set_access(recovered->pairs[i], VOLUME_ACCESS_WRITE, &ignored))
			log_line(LOG_ERROR, "failback", "volume %04X stays closed to hosts",
				 recovered->pairs[i]->record.volume);
	}
}

/* Blocks that the old site does not have durably yet; whole is false while that is not known. */
static uint64_t count_left(const struct recovered *recovered, bool *whole)
{
	uint64_t left = 0;

	*whole = true;
	for (unsigned i = 0; i < recovered->count; i++) {
		struct pair *pair = recovered->pairs[i];

		if (pair->record.role != PAIR_SOURCE)
			continue;
		left += pair_changes_here(pair);
		*whole = *whole && pair->record.first_copy_done && pair->sends;
	}
	return left;
}

static int wait_equal(const struct recovered *recovered, struct fault *fault)
{
	int64_t progress_ns = rt_now_ns(), report_ns = progress_ns;
	uint64_t least = UINT64_MAX, left;
	char object[64];
	bool whole;
	int rc = 0;

	for (;;) {
		left = count_left(recovered, &whole);
		if (!left && whole)
			return 0;
		if (left < least) {
			least = left;
			progress_ns = rt_now_ns();
		}
		if (rc || rt_now_ns() - progress_ns > STALL_NS)
			break;
		if (rt_now_ns() >= report_ns) {
			log_line(LOG_NOTICE, "failback", "session %u returns: %llu KiB to go", recovered->session,
				 (unsigned long long)left * (XDC_BLOCK_SIZE / 1024));
			report_ns = rt_now_ns() + REPORT_NS;
		}
		rc = rt_sleep_until(rt_now_ns() + LOOK_NS);
	}
	snprintf(object, sizeof(object), "session %u", recovered->session);
	return fault_set(fault, FAULT_TIMEOUT, object, "xdc pair list shows what stands still; repeat the command then",
			 "the old site is not equal yet: %llu KiB to go, and nothing moves",
			 (unsigned long long)left * (XDC_BLOCK_SIZE / 1024));
}

/*
 * This end gives the volume away durably before it asks: from then on it takes no host writes, whatever crashes, and
 * asking again is all that is left to do.
 */
static int give_away(struct pair *pair)
{
	struct record_pair next = pair->record;
	int rc;

	next.role = PAIR_TARGET;
	next.state = PAIR_TARGET_SUSPENDED;
	next.reason = PAIR_REASON_COMMAND;
	next.since_wall_ns = rt_wall_ns();
	next.first_copy_done = false;
	next.first_copy_bytes = volume_size(pair->volume);
	pair_stop_sending(pair);
	rc = pair_change_record(pair, &next);
	/* Still the source, which sends. */
	if (rc)
		peer_look_again(pair->peer);
	else
		pair_cut_work(pair);
	return rc;
}

static int begin_return(struct pair *pair, bool discard, struct fault *fault)
{
	int rc = pair->record.role == PAIR_SOURCE ? give_away(pair) : 0;

	(void)discard;
	return rc ? fault_of_pair(pair, rc, "", fault) : 0;
}

/* The old source is the source again; it may have said so itself by now. */
static int end_return(struct pair *pair, bool discard, struct fault *fault)
{
	struct record_pair next = pair->record;
	int rc;

	(void)discard;
	if (is_back(pair))
		return 0;
	next.state = PAIR_TARGET_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	pair_untrack(pair);
	rc = pair_change_record(pair, &next);
	if (rc)
		return fault_of_pair(pair, rc, "", fault);
	log_line(LOG_NOTICE, "failback", "volume %04X: volume %04X of %s is the source again", pair->record.volume,
		 pair->record.remote_volume, pair->record.system);
	return 0;
}

static int return_pair(struct pair *pair, struct fault *fault)
{
	char why[WIRE_TEXT_SIZE] = "";
	int rc;

	if (is_back(pair))
		return 0;
	if (in_turn(pair, begin_return, false, fault))
		return -1;
	rc = ask_old_source(pair, WIRE_PAIR_RETURN, why);
	if (rc)
		return fault_of_pair(pair, rc, why, fault);
	return in_turn(pair, end_return, false, fault);
}

/* What a leg kept of its last group is of no use once its pairs are targets again: a session may start anew. */
static int forget_legs(struct copy *copy, uint8_t session, struct fault *fault)
{
	char object[64];
	struct leg *leg;
	bool found = true;

	snprintf(object, sizeof(object), "session %u", session);
	while (found) {
		found = false;
		list_for_each(leg, &copy->legs, link) {
			found = !leg->gone && leg->record.session == session && leg_is_recovered(leg);
			if (found)
				break;
		}
		if (found) {
			int rc = leg_forget(leg);

			if (rc)
				return fault_set(fault, FAULT_FAILED, object, "repeat the command",
						 "its journal is not removed: %s", strerror(-rc));
		}
	}
	return 0;
}

int copy_session_return(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct recovered recovered;
	int rc;

	if (session_check(copy, session, SESSION_DO_RETURN, false, fault) || check_none_left(copy, session, fault))
		return -1;
	rc = collect(copy, session, &recovered, fault);
	if (!rc)
		rc = each_in_turn(&recovered, check_return, false, fault);
	if (!rc) {
		rc = each_in_turn(&recovered, close_to_hosts, false, fault);
		if (!rc)
			rc = wait_equal(&recovered, fault);
		for (unsigned i = 0; i < recovered.count && !rc; i++)
			rc = return_pair(recovered.pairs[i], fault);
		if (rc)
			open_to_hosts(&recovered);
	}
	if (!rc)
		rc = forget_legs(copy, session, fault);
	drop(&recovered);
	return rc;
}
