/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is paused and resumed (copy.h). With a consistent target: after a last group all sources suspend their
 * pairs, and all far sides bring that group into their volumes and let hosts read it. Nothing is sent beyond it, so it
 * stays what is recovered until the first group after the session was resumed.
 *
 * The state of the session is durable before the first system is told, and again when all have done it; whatever is
 * cut off in between, the same command or the opposite one does the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/group.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "rt/log.h"
#include "store/meta.h"

#define ORDER_NS	(30 * RT_SECOND)	/* for a source to change its pairs, and to hear its far sides */
#define ORDERS_NS	(60 * RT_SECOND)	/* for far sides that bring a large group into their volumes */

bool session_is_suspended(const struct session_entry *entry)
{
	enum session_state state = entry->record.state;

	return state == SESSION_SUSPENDING || state == SESSION_PAUSED_CONSISTENT || state == SESSION_RESUMING;
}

/* ---- orders to all sources, while no master runs ---- */

struct order {
	struct session_entry *entry;
	uint16_t type;
	uint8_t step;				/* of session_swap */
	char system[XDC_SYSTEM_ID_MAX];
	int rc;
	char why[WIRE_TEXT_SIZE];
};

static void give_order(void *arg)
{
	struct order *order = arg;
	const struct record_session *record = &order->entry->record;
	struct copy *copy = order->entry->copy;
	/* Its head is all of the other orders. */
	struct wire_session_swap request = {
		.step = order->step,
		.head = {
			.session = record->number, .incarnation = record->incarnation, .exists = record->sequence,
		},
	};
	struct wire_session_answer answer;
	RT_LIMIT(rt_now_ns() + ORDER_NS);

	memcpy(request.key, record->key, sizeof(request.key));
	snprintf(request.head.master, sizeof(request.head.master), "%s:%02X", copy->config.system, record->master_lss);
	order->why[0] = '\0';
	order->rc = copy_ask(copy, order->system, order->type, order->step ? (void *)&request : (void *)&request.head,
			     &answer, order->why);
}

/* Own first. Returns how many. */
static unsigned list_members(struct session_entry *entry, uint16_t type, uint8_t step, struct order *orders)
{
	struct subordinate *subordinate;
	struct copy *copy = entry->copy;
	unsigned count = 0;

	if (step || source_find(copy, entry->record.number)) {
		orders[count] = (struct order){ .entry = entry, .type = type, .step = step };
		snprintf(orders[count++].system, XDC_SYSTEM_ID_MAX, "%s", copy->config.system);
	}
	list_for_each(subordinate, &copy->subordinates, link) {
		if (subordinate->record.session != entry->record.number || count == XDC_SESSION_MEMBERS_MAX)
			continue;
		orders[count] = (struct order){ .entry = entry, .type = type, .step = step };
		memcpy(orders[count++].system, subordinate->record.system, XDC_SYSTEM_ID_MAX);
	}
	return count;
}

/* All at once; the first that has not done it, or NULL. */
static const struct order *give_orders(struct order *orders, unsigned count)
{
	struct rt_group group;
	int rc;

	rt_group_init(&group);
	for (unsigned i = 0; i < count; i++)
		orders[i].rc = rt_group_start(&group, "session order", give_order, &orders[i]);
	rc = rt_group_wait(&group);
	if (rc)
		rt_group_stop(&group);
	for (unsigned i = 0; i < count; i++) {
		if (orders[i].rc)
			return &orders[i];
	}
	return NULL;
}

int session_order_all(struct session_entry *entry, uint16_t type, uint8_t step, struct fault *fault)
{
	struct order orders[XDC_SESSION_MEMBERS_MAX];
	unsigned count = list_members(entry, type, step, orders);
	const struct order *refused;
	int64_t until_ns = rt_now_ns() + ORDERS_NS;
	char object[64];

	do {
		refused = give_orders(orders, count);
	} while (refused && refused->rc == -ETIMEDOUT && rt_now_ns() < until_ns && !rt_cancelled());
	if (!refused)
		return 0;
	fault_set(fault, refused->rc == -ETXTBSY ? FAULT_IN_USE : FAULT_FAILED,
		  session_object(entry->record.number, object),
		  refused->rc == -ETXTBSY ? "disconnect those hosts, and repeat the command"
					  : "mend that and repeat the command",
		  "system %s: %s", refused->system, refused->why[0] ? refused->why : strerror(-refused->rc));
	return refused->rc;
}

/* ---- pause ---- */

int session_stop_groups(struct session_entry *entry, bool last, struct fault *fault)
{
	int rc = session_pause(entry->master, last);

	if (rc)
		return session_fault_pause(entry, rc, fault);
	session_stop(entry->master);
	entry->master = NULL;
	session_entry_tell(entry, EVENT_SESSION_PAUSED, EVENT_INFO, "", "it is paused: it forms no consistency groups");
	return 0;
}

static int set_state(struct session_entry *entry, enum session_state state, struct fault *fault)
{
	int rc = entry->record.state == state ? 0 : session_entry_set_state(entry, state);

	return rc ? session_fault_durable(entry->record.number, rc, fault) : 0;
}

int session_suspend_members(struct session_entry *entry, struct fault *fault)
{
	char object[64];

	if (!entry->record.sequence)
		return fault_set(fault, FAULT_INVALID_PARAMETER, session_object(entry->record.number, object),
				 "xdc session resume, and wait for one", "it has no consistency group yet");
	if (set_state(entry, SESSION_SUSPENDING, fault) || session_order_all(entry, WIRE_SESSION_SUSPEND, 0, fault) ||
	    set_state(entry, SESSION_PAUSED_CONSISTENT, fault))
		return -1;
	log_line(LOG_NOTICE, "session", "session %u: paused, its targets show CG %llu", entry->record.number,
		 (unsigned long long)entry->record.sequence);
	return 0;
}

static int pause(struct session_entry *entry, bool consistent, struct fault *fault)
{
	char object[64];

	/* Its start has failed, and which group is the last one is not known. */
	if (!entry->master && entry->record.state == SESSION_RUNNING)
		return fault_set(fault, FAULT_INVALID_PARAMETER, session_object(entry->record.number, object),
				 "xdc session resume", "it is not running");
	if (entry->master && session_stop_groups(entry, consistent, fault))
		return -1;
	return consistent ? session_suspend_members(entry, fault) : 0;
}

int copy_session_pause(struct copy *copy, uint8_t session, bool consistent, struct fault *fault)
{
	enum session_verb verb = consistent ? SESSION_DO_PAUSE_CONSISTENT : SESSION_DO_PAUSE;
	struct session_entry *entry = session_entry_begin(copy, session, verb, fault);

	return entry ? session_entry_end(entry, pause(entry, consistent, fault)) : -1;
}

/* ---- resume ---- */

static bool session_runs(const struct session_entry *entry)
{
	return entry->master && !session_has_ended(entry->master);
}

/* A master that has ended, of a command that did not come to its own end. */
static void put_down_ended(struct session_entry *entry)
{
	session_keep_results(entry, &entry->record);
	session_stop(entry->master);
	entry->master = NULL;
}

int session_release_members(struct session_entry *entry, struct fault *fault)
{
	struct fault ignored;

	if (set_state(entry, SESSION_RESUMING, fault))
		return -1;
	if (!session_order_all(entry, WIRE_SESSION_RESUME, 0, fault))
		return 0;
	/* Those that have done it go back to where they were: readers keep what they read. */
	if (entry->record.sequence && !session_order_all(entry, WIRE_SESSION_SUSPEND, 0, &ignored))
		(void)set_state(entry, SESSION_PAUSED_CONSISTENT, &ignored);
	return -1;
}

static int resume(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	struct session_tunables tunables = session_tunables_of(&entry->record);
	struct record_session next;
	int rc;

	/* A swap that was cut off before it stopped the groups: only hosts wait. */
	if (session_runs(entry) && entry->record.swap_system[0])
		return session_drop_swap(entry, fault);
	session_choose_tunables(start, &tunables, &tunables);
	if (session_check_tunables(start->session, &tunables, fault))
		return -1;
	if (entry->master)
		put_down_ended(entry);
	if (session_is_suspended(entry) && session_release_members(entry, fault))
		return -1;
	if (entry->record.swap_system[0] && session_drop_swap(entry, fault))
		return -1;
	rc = session_entry_begin_change(entry, &next);
	if (!rc) {
		session_set_tunables(&next, &tunables);
		rc = session_begin_as(entry, &next);
	}
	if (rc)
		return session_fault_durable(start->session, rc, fault);
	session_entry_tell(entry, EVENT_SESSION_STARTED, EVENT_INFO, "", "it forms consistency groups again");
	return 0;
}

/* What is waited for by a pause or a swap may never come: that command ends, and the session runs on. */
static bool resume_waiting(struct session_entry *entry)
{
	struct session *session = entry ? entry->master : NULL;

	return session && session_is_pausing(session) && session_withdraw_pause(session);
}

int copy_session_resume(struct copy *copy, const struct session_start *start, struct fault *fault)
{
	bool withdrawn = resume_waiting(session_entry_find(copy, start->session));
	struct session_entry *entry = session_entry_wait(copy, start->session, SESSION_DO_RESUME, fault);

	if (!entry)
		return -1;
	if (withdrawn && session_runs(entry) && !entry->record.swap_system[0])
		return session_entry_end(entry, 0);
	if (session_check(copy, start->session, SESSION_DO_RESUME, false, fault))
		return session_entry_end(entry, -1);
	return session_entry_end(entry, group_is(entry) ? group_resume(entry, start, fault)
							: resume(entry, start, fault));
}
