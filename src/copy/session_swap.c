/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A planned swap (copy.h: copy_session_swap), ordered by the master: hosts are stopped, the session is paused with a
 * consistent target, each pair exchanges the roles of its ends, and a far side is the master from there on. What each
 * system does stands in source_swap.c and swap_far.c.
 *
 * How far it is, is durable at each step: the next master and its plan before hosts are stopped, that there is no way
 * back before the first pair is exchanged (state swapping). Up to there a refusal gives the swap up, or resume does;
 * from there on the same command goes on until it is done. If the other side is lost before a group was formed in the
 * new direction, a recovery lets hosts in at this one, whichever it is: both show the last group of the old direction,
 * and no host has written since.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/swap.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "store/planted.h"

#define ANSWER_NS	(30 * RT_SECOND)

static int fault_swap(const struct session_entry *entry, const char *system, int rc, const char *why,
		      struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object),
			 "mend that and repeat the command", "system %s: %s", system, why[0] ? why : strerror(-rc));
}

/* ---- the next master ---- */

/* The far side of this system's first volume in the session. NULL: it has none. */
static const struct pair *find_first(const struct session_entry *entry)
{
	const struct pair *pair, *first = NULL;

	list_for_each(pair, &entry->copy->pairs, link) {
		if (!pair->gone && pair->record.role == PAIR_SOURCE &&
		    pair->record.session == entry->record.number &&
		    (!first || pair->record.volume < first->record.volume))
			first = pair;
	}
	return first;
}

static int ask_next(struct session_entry *entry, const char *system, enum wire_swap_step step,
		    const struct wire_members *members, uint8_t lss, struct fault *fault)
{
	const struct record_session *record = &entry->record;
	struct wire_session_swap request = {
		.head = { .session = record->number, .incarnation = record->incarnation, .exists = record->sequence },
		.step = (uint8_t)step, .master_lss = lss, .interval_ns = (uint64_t)record->interval_ns,
		.coordination_ns = (uint64_t)record->coordination_ns, .drain_ns = (uint64_t)record->drain_ns,
		.keep_ns = (uint64_t)record->keep_ns, .keep_bytes = record->keep_bytes,
		.reserved = record->reserved_attempt,
	};
	struct wire_session_answer answer = { 0 };
	char why[WIRE_TEXT_SIZE] = "";
	int rc;
	RT_LIMIT(rt_now_ns() + ANSWER_NS);

	if (members)
		request.members = *members;
	memcpy(request.key, record->key, sizeof(request.key));
	snprintf(request.head.master, sizeof(request.head.master), "%s:%02X", entry->copy->config.system,
		 record->master_lss);
	rc = copy_ask(entry->copy, system, WIRE_SESSION_SWAP, &request, &answer, why);
	return rc ? fault_swap(entry, system, rc, why, fault) : 0;
}

static int set_next(struct session_entry *entry, const char *system, struct fault *fault)
{
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (!rc) {
		snprintf(next.swap_system, sizeof(next.swap_system), "%s", system);
		rc = session_entry_end_change(entry, &next);
	}
	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

/* ---- there is a way back ---- */

int session_drop_swap(struct session_entry *entry, struct fault *fault)
{
	char next[XDC_SYSTEM_ID_MAX];
	struct fault ignored;

	memcpy(next, entry->record.swap_system, sizeof(next));
	/* Forgotten here first: who swaps by a plan has to find it there, whatever crashes. */
	if (session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_START_HOSTS, fault) || set_next(entry, "", fault))
		return -1;
	/* What it keeps of a plan is replaced by the next one. */
	(void)!ask_next(entry, next, WIRE_SWAP_DROP, NULL, 0, &ignored);
	return 0;
}

int session_take_back(struct session_entry *entry, struct fault *fault)
{
	return session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_TAKE_BACK, fault);
}

/* Whether it may be, and who is the next master; nothing has changed for hosts. */
static int make_plan(struct session_entry *entry, struct fault *fault)
{
	const struct pair *first = find_first(entry);
	char object[64], next[XDC_SYSTEM_ID_MAX];
	struct wire_members members = { 0 };
	uint8_t lss;
	int rc;

	session_object(entry->record.number, object);
	if (!first)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "start it on a system that has volumes in it",
				 "the master has no volume in it: no far side of its own would be the next one");
	if (!entry->master || session_copy_legs(entry->master, &members))
		return fault_set(fault, FAULT_FAILED, object, "xdc session resume, wait for a group, and repeat",
				 "it is not running, or not all its systems have joined");
	memcpy(next, first->record.system, sizeof(next));
	lss = (uint8_t)(first->record.remote_volume >> 8);
	rc = session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_CHECK, fault) ? -1 :
	     ask_next(entry, next, WIRE_SWAP_PLAN, &members, lss, fault);
	mem_free(members.items);
	return rc ? -1 : set_next(entry, next, fault);
}

/* All that hosts have written is in the last group, and every target shows it. */
static int come_to_rest(struct session_entry *entry, struct fault *fault)
{
	if (session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_STOP_HOSTS, fault))
		return -1;
	/* One that was paused before may lack what hosts wrote until now. */
	if (!entry->master && !session_is_suspended(entry) && session_begin(entry))
		return fault_swap(entry, entry->copy->config.system, -EIO, "it cannot form its last group", fault);
	if (entry->master && session_stop_groups(entry, !planted(PLANTED_SWAP_UNCOMMITTED), fault))
		return -1;
	return session_suspend_members(entry, fault);
}

/* ---- there is none ---- */

/* All its pairs run the other way: this system is a far side of it. */
static int retire(struct session_entry *entry, struct fault *fault)
{
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (!rc) {
		memcpy(next.master_system, next.swap_system, sizeof(next.master_system));
		next.swap_system[0] = '\0';
		next.role = SESSION_NO_ROLE;
		next.state = SESSION_OPEN;
		next.state_since_wall_ns = rt_wall_ns();
		rc = session_entry_end_change(entry, &next);
	}
	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

static int exchange(struct session_entry *entry, struct fault *fault)
{
	int rc = 0;

	if (entry->record.state != SESSION_SWAPPING)
		rc = session_entry_set_state(entry, SESSION_SWAPPING);
	if (rc)
		return session_fault_durable(entry->record.number, rc, fault);
	if (session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_EXCHANGE, fault) ||
	    ask_next(entry, entry->record.swap_system, WIRE_SWAP_BEGIN, NULL, 0, fault))
		return -1;
	log_line(LOG_NOTICE, "swap", "session %u: swapped at CG %llu, its master is %s", entry->record.number,
		 (unsigned long long)entry->record.sequence, entry->record.swap_system);
	return retire(entry, fault);
}

/* ---- the command ---- */

static int swap(struct session_entry *entry, struct fault *fault)
{
	struct fault ignored;

	if (entry->record.state == SESSION_SWAPPING)
		return exchange(entry, fault);
	if (!entry->record.swap_system[0] && make_plan(entry, fault))
		return -1;
	if (come_to_rest(entry, fault)) {
		/* It runs on as before where that can be; else the command, or resume, is given again. */
		if (entry->master && session_withdraw_pause(entry->master))
			(void)!session_drop_swap(entry, &ignored);
		return -1;
	}
	return exchange(entry, fault);
}

int copy_session_swap(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_SWAP, fault);

	return entry ? session_entry_end(entry, swap(entry, fault)) : -1;
}

/* ---- the other side is lost ---- */

static void count_recovered(const struct session_entry *entry, struct recovery_result *result)
{
	*result = (struct recovery_result){ .systems = 1, .cg_wall_ns = entry->record.session_wall_ns };
	result->volumes = swap_count_left(entry->copy, entry->record.number, &result->sequence);
}

static bool has_others(const struct session_entry *entry)
{
	const struct subordinate *item;

	list_for_each(item, &entry->copy->subordinates, link) {
		if (item->record.session == entry->record.number)
			return true;
	}
	return false;
}

/* Those of the other systems on this side are theirs: one that is not reached is named, and does it by itself later. */
static int open_here(struct session_entry *entry, struct recovery_result *result, struct fault *fault)
{
	char why[WIRE_TEXT_SIZE] = "";
	struct fault missing = { 0 };
	int rc = swap_open_left(entry->copy, entry->record.number, why);

	if (rc)
		return fault_swap(entry, entry->copy->config.system, rc, why, fault);
	session_entry_tell(entry, EVENT_SESSION_RECOVERED, EVENT_WARNING, "",
			   "hosts may have what a swap had left closed here");
	if (has_others(entry) && session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_TAKE_BACK, &missing)) {
		result->systems_missing = 1;
		snprintf(result->missing, sizeof(result->missing), "%.*s", RECOVERY_NAMES_MAX - 1, missing.message);
	}
	return 0;
}

int swap_recover(struct copy *copy, uint8_t session, struct recovery_result *result, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_RECOVER, fault);
	int rc;

	if (!entry)
		return -1;
	count_recovered(entry, result);
	/* At the old master that ends it, on all systems or none. The next one forms no groups without its volumes. */
	if (entry->record.state == SESSION_SWAPPING)
		rc = session_terminate(entry, true, fault);
	else
		rc = open_here(entry, result, fault);
	if (!rc && entry->record.role == SESSION_MASTER)
		rc = session_terminate(entry, true, fault);
	return session_entry_end(entry, rc);
}
