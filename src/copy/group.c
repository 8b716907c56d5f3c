/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/group.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash_together.h"
#include "copy/pair.h"
#include "copy/pair_freeze.h"
#include "rt/log.h"
#include "store/planted.h"

bool group_is(const struct session_entry *entry)
{
	return entry->record.type != SESSION_TYPE_XDC;
}

/* ---- what it looks like here ---- */

static bool is_member(struct session_entry *entry, const struct pair *pair)
{
	return !pair->gone && pair->record.role == PAIR_SOURCE &&
	       group_volume_find(entry->copy, entry->record.number, pair->record.volume);
}

static bool is_frozen(const struct pair *pair)
{
	return pair->record.state == PAIR_SUSPENDED &&
	       (pair->record.reason == PAIR_REASON_FREEZE || pair->record.reason == PAIR_REASON_GROUP);
}

void group_look(struct session_entry *entry, struct wire_group_answer *answer)
{
	struct freeze *freeze = freeze_find_session(entry->copy, entry->record.number);
	const struct pair *pair;

	memcpy(answer->boot_id, entry->copy->config.boot_id, WIRE_ID_SIZE);
	answer->volumes = group_volume_count(entry->copy, entry->record.number);
	if (entry->record.type == SESSION_TYPE_FLASH)
		answer->pairs = flash_together_count(entry->copy, entry->record.number);
	list_for_each(pair, &entry->copy->pairs, link) {
		if (entry->record.type != SESSION_TYPE_PPRC || !is_member(entry, pair))
			continue;
		if (!answer->pairs || answer->moment != pair->record.moment)
			answer->moment = answer->pairs ? 0 : pair->record.moment;
		answer->pairs++;
		answer->frozen += is_frozen(pair);
		answer->duplex += pair->record.state == PAIR_FULL_DUPLEX;
	}
	answer->held = freeze != NULL;
	if (freeze)
		freeze_put(freeze);
}

/* ---- orders ---- */

static int refuse_fault(char *why, int error, const struct fault *fault)
{
	return copy_refuse(why, error, "%s%s%s", fault->object, fault->object[0] ? ": " : "", fault->message);
}

static int on_hold(struct session_entry *entry, const struct wire_group_order *order, char *why)
{
	const struct freeze_what what = {
		.session = entry->record.number, .moment = order->head.attempt,
		.reason = order->broken ? PAIR_REASON_GROUP : PAIR_REASON_FREEZE,
		.broken = order->broken, .all = !order->broken, .turns_ns = GROUP_TURNS_NS,
		.decide_ns = order->limit_ms * RT_MS,
		.flash = entry->record.type == SESSION_TYPE_FLASH,
	};
	struct freeze *freeze = freeze_find_session(entry->copy, entry->record.number);
	struct fault fault = { 0 };
	int rc;

	if (freeze && freeze_moment(freeze) != what.moment) {
		bool stays = freeze_is_suspended(freeze) && !what.flash;

		/* What its master no more thinks of, and could not say so, is over. */
		if (!stays)
			freeze_end(freeze);
		freeze_put(freeze);
		freeze = NULL;
		if (stays)
			return copy_refuse(why, -EBUSY, "it is frozen already: xdc session run");
	}
	/* Asked again, since the answer was lost: it has begun. */
	if (!freeze)
		freeze = freeze_start(entry->copy, &what);
	if (!freeze)
		return -ENOMEM;
	rc = freeze_wait_held(freeze, "", &fault);
	freeze_put(freeze);
	return rc ? refuse_fault(why, -EPROTO, &fault) : 0;
}

/* The freeze that an order is about, to be put back. NULL: its time is over. */
static struct freeze *find_moment(struct session_entry *entry, const struct wire_group_order *order)
{
	struct freeze *freeze = freeze_find_session(entry->copy, entry->record.number);

	if (!freeze || !order->head.attempt || freeze_moment(freeze) == order->head.attempt)
		return freeze;
	freeze_put(freeze);
	return NULL;
}

static int on_suspend(struct session_entry *entry, const struct wire_group_order *order, char *why)
{
	struct freeze *freeze = find_moment(entry, order);
	struct fault fault = { 0 };
	int rc;

	if (!freeze)
		return copy_refuse(why, -ESTALE, "nothing was decided in time, and hosts went on");
	rc = freeze_suspend(freeze, order->hold_ms * RT_MS, "", &fault);
	freeze_put(freeze);
	return rc ? refuse_fault(why, -EPROTO, &fault) : 0;
}

static int on_run(struct session_entry *entry, const struct wire_group_order *order)
{
	struct freeze *freeze = find_moment(entry, order);

	if (!freeze)
		return 0;
	freeze_end(freeze);
	freeze_put(freeze);
	return 0;
}

/* Those that were suspended together, and those that were so by themselves. */
static int on_resume(struct session_entry *entry, char *why)
{
	struct copy_pair_name name = { 0 };
	struct fault fault = { 0 }, other;
	struct pair *pair;
	int rc = 0;

	for (pair = pair_pin_first(entry->copy); pair; pair = pair_pin_next(pair)) {
		if (!is_member(entry, pair) || !pair_rests(pair))
			continue;
		name.volume = pair->record.volume;
		memcpy(name.system, pair->record.system, sizeof(name.system));
		if (copy_pair_resume(entry->copy, &name, rc ? &other : &fault))
			rc = -EPROTO;
	}
	return rc ? refuse_fault(why, rc, &fault) : 0;
}

/* ---- who may order ---- */

static int on_start(struct session_entry *entry, const struct link_peer *peer, char *why)
{
	struct record_session next = entry->record;
	int rc;

	if (next.role != SESSION_NO_ROLE && strcmp(next.master_system, peer->system) != 0)
		return copy_refuse(why, -EBUSY, "session %u has another master there, system %s", next.number,
				   next.master_system);
	rc = session_entry_begin_change(entry, &next);
	if (rc)
		return rc;
	next.role = SESSION_SUBORDINATE;
	next.state = SESSION_RUNNING;
	next.state_since_wall_ns = rt_wall_ns();
	memcpy(next.master_system, peer->system, sizeof(next.master_system));
	rc = session_entry_end_change(entry, &next);
	return rc ? copy_refuse(why, rc, "that cannot be made durable: %s", strerror(-rc)) : 0;
}

static int on_end(struct session_entry *entry, char *why)
{
	struct record_session next;
	int rc;

	if (entry->record.role != SESSION_SUBORDINATE)
		return 0;
	rc = session_entry_begin_change(entry, &next);
	if (rc)
		return rc;
	next.role = SESSION_NO_ROLE;
	next.state = SESSION_OPEN;
	next.master_system[0] = '\0';
	rc = session_entry_end_change(entry, &next);
	return rc ? copy_refuse(why, rc, "that cannot be made durable: %s", strerror(-rc)) : 0;
}

/* A subordinate says that a pair of it is broken: all of the session are suspended. */
static int on_broken(struct session_entry *entry, const struct link_peer *peer, char *why)
{
	const struct subordinate *subordinate;
	struct fault fault = { 0 };
	bool known = false;
	int rc;
	RT_SHIELD();

	list_for_each(subordinate, &entry->copy->subordinates, link)
		known = known || (subordinate->record.session == entry->record.number &&
				  !strcmp(subordinate->record.system, peer->system));
	if (!known || entry->record.role != SESSION_MASTER)
		return copy_refuse(why, -EPERM, "system %s is no subordinate of session %u", peer->system,
				   entry->record.number);
	rc = group_freeze(entry, true, 0, &fault);
	return rc ? refuse_fault(why, rc == -EBUSY ? rc : -EPROTO, &fault) : 0;
}

/* A system speaks in its own name alone. */
static int check_speaker(const struct link_peer *peer, const struct wire_session_head *head, char *why)
{
	size_t len = strcspn(head->master, ":");

	if (len == strlen(peer->system) && !memcmp(head->master, peer->system, len))
		return 0;
	return copy_refuse(why, -EACCES, "system %s is not %s", peer->system, head->master);
}

static int check_orders(struct session_entry *entry, const struct link_peer *peer, const struct wire_group_order *order,
			char *why)
{
	const struct record_session *record = &entry->record;
	bool own = !strcmp(peer->system, entry->copy->config.system);
	bool master = own ? record->role != SESSION_SUBORDINATE : !strcmp(record->master_system, peer->system);

	if (record->type != order->type)
		return copy_refuse(why, -EPROTO, "session %u is of another type on system %s", record->number,
				   entry->copy->config.system);
	if (master || order->step == WIRE_GROUP_START || order->step == WIRE_GROUP_BROKEN)
		return 0;
	return copy_refuse(why, -EPERM, "system %s is not the master of session %u on system %s", peer->system,
			   record->number, entry->copy->config.system);
}

static int carry_out(struct session_entry *entry, const struct link_peer *peer, const struct wire_group_order *order,
		     char *why)
{
	switch (order->step) {
	case WIRE_GROUP_START:
		return on_start(entry, peer, why);
	case WIRE_GROUP_END:
		return on_end(entry, why);
	case WIRE_GROUP_HOLD:
		return on_hold(entry, order, why);
	case WIRE_GROUP_DO:
		return on_suspend(entry, order, why);
	case WIRE_GROUP_RUN:
		return on_run(entry, order);
	case WIRE_GROUP_RESUME:
		return on_resume(entry, why);
	case WIRE_GROUP_BROKEN:
		return on_broken(entry, peer, why);
	case WIRE_GROUP_SHOW:
		return 0;
	default:
		return copy_refuse(why, -EPROTO, "an order of a group that is not known here: %u", order->step);
	}
}

int group_on_order(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_group_order *order = request;
	struct session_entry *entry = session_entry_find(arg, order->head.session);
	int rc = check_speaker(peer, &order->head, why);

	if (rc)
		return rc;
	if (!entry)
		return copy_refuse(why, -ENOENT, "session %u is not open on it", order->head.session);
	rc = check_orders(entry, peer, order, why);
	if (rc)
		return rc;
	entry->pins++;
	rc = carry_out(entry, peer, order, why);
	if (!rc)
		group_look(entry, reply);
	entry->pins--;
	return rc;
}
