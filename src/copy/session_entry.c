/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/session_entry.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/session.h"
#include "rt/mem.h"

#define TURN_NS	(10 * RT_SECOND)		/* for another command to end */

const struct session_tunables session_tunables_default = {
	.interval_ns = 0, .coordination_ns = 50 * RT_MS, .drain_ns = 240 * RT_SECOND,
};

struct session_tunables session_tunables_of(const struct record_session *record)
{
	return (struct session_tunables){
		.interval_ns = record->interval_ns, .coordination_ns = record->coordination_ns,
		.drain_ns = record->drain_ns, .keep_ns = record->keep_ns, .keep_bytes = record->keep_bytes,
	};
}

const char *session_object(uint8_t session, char text[64])
{
	snprintf(text, 64, "session %u", session);
	return text;
}

struct session_entry *session_entry_find(struct copy *copy, uint8_t session)
{
	struct session_entry *entry;

	list_for_each(entry, &copy->sessions, link) {
		if (entry->record.number == session)
			return entry;
	}
	return NULL;
}

struct session_lss *session_lss_find(struct copy *copy, uint8_t session, int lss)
{
	struct session_lss *item;

	list_for_each(item, &copy->session_lsses, link) {
		if (item->record.session == session && (lss < 0 || item->record.lss == lss))
			return item;
	}
	return NULL;
}

int session_commit(struct copy *copy, enum meta_op op, enum meta_kind kind, const void *record)
{
	const struct meta_change change = { .op = op, .kind = kind, .record = record };

	return meta_commit(copy->config.meta, &change, 1);
}

int session_fault_durable(uint8_t session, int rc, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, session_object(session, object),
			 rc == -ENOSPC ? "make space in the state folder of xdcd, and repeat the command"
				       : "look at the log of xdcd and its state folder",
			 "the change cannot be made durable: %s", strerror(-rc));
}

int session_entry_take_up(struct copy *copy, const struct record_session *record)
{
	struct session_entry *entry = mem_alloc_zeroed(sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->copy = copy;
	entry->record = *record;
	rt_mutex_init(&entry->turn);
	rt_mutex_init(&entry->changing);
	rt_mutex_init(&entry->deciding);
	list_add_last(&copy->sessions, &entry->link);
	return 0;
}

int session_entry_begin_change(struct session_entry *entry, struct record_session *next)
{
	int rc = rt_mutex_lock(&entry->changing);

	if (!rc)
		*next = entry->record;
	return rc;
}

int session_entry_end_change(struct session_entry *entry, const struct record_session *next)
{
	int rc = session_commit(entry->copy, META_PUT, META_SESSION, next);

	if (!rc)
		entry->record = *next;
	rt_mutex_unlock(&entry->changing);
	return rc;
}

void session_entry_keep_change(struct session_entry *entry, const struct record_session *next)
{
	entry->record = *next;
	rt_mutex_unlock(&entry->changing);
}

int session_entry_set_state(struct session_entry *entry, enum session_state state)
{
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (rc)
		return rc;
	next.state = state;
	next.state_since_wall_ns = rt_wall_ns();
	return session_entry_end_change(entry, &next);
}

int session_entry_lose(struct copy *copy, uint8_t session)
{
	struct session_entry *entry = session_entry_find(copy, session);

	if (!entry || entry->record.state == SESSION_FATAL)
		return 0;
	if (entry->master)
		session_lose(entry->master);
	return session_entry_set_state(entry, SESSION_FATAL);
}

int session_entry_check(struct copy *copy, uint8_t session, char *why)
{
	const struct session_entry *entry = session_entry_find(copy, session);

	if (!entry || entry->record.state != SESSION_FATAL)
		return 0;
	return copy_refuse(why, -EPERM, "volumes of system %s were taken over by their far side: session %u is over",
			   copy->config.system, session);
}

int session_entry_renew(struct session_entry *entry)
{
	bool lost = entry->record.state == SESSION_FATAL && entry->record.role != SESSION_MASTER;

	return lost ? session_entry_set_state(entry, SESSION_OPEN) : 0;
}

void session_entry_put_down(struct session_entry *entry)
{
	list_remove(&entry->link);
	mem_free(entry);
}

static int make_known(struct copy *copy, uint8_t session, const uint8_t *key)
{
	struct record_session record = {
		.number = session, .type = SESSION_TYPE_XDC, .state = SESSION_OPEN, .created_wall_ns = rt_wall_ns(),
		.interval_ns = session_tunables_default.interval_ns,
		.coordination_ns = session_tunables_default.coordination_ns,
		.drain_ns = session_tunables_default.drain_ns,
	};
	int rc;

	if (session_entry_find(copy, session))
		return 0;
	memcpy(record.key, key, sizeof(record.key));
	rc = session_commit(copy, META_PUT, META_SESSION, &record);
	/* Somebody may have opened it meanwhile. */
	return rc || session_entry_find(copy, session) ? rc : session_entry_take_up(copy, &record);
}

int session_entry_ensure(struct copy *copy, uint8_t session, const uint8_t *key, uint8_t lss)
{
	struct session_lss *item;
	int rc = make_known(copy, session, key);

	if (rc || session_lss_find(copy, session, lss))
		return rc;
	item = mem_alloc_zeroed(sizeof(*item));
	if (!item)
		return -ENOMEM;
	item->record = (struct record_session_lss){ .session = session, .lss = lss };
	rc = session_commit(copy, META_PUT, META_SESSION_LSS, &item->record);
	if (rc || session_lss_find(copy, session, lss))
		mem_free(item);
	else
		list_add_last(&copy->session_lsses, &item->link);
	return rc;
}

static int take_turn(struct session_entry *entry)
{
	RT_LIMIT(rt_now_ns() + TURN_NS);

	return rt_mutex_lock(&entry->turn);
}

struct session_entry *session_entry_wait(struct copy *copy, uint8_t session, enum session_verb verb,
					 struct fault *fault)
{
	struct session_entry *entry = session_entry_find(copy, session);
	char object[64];

	if (!entry) {
		if (!session_check(copy, session, verb, false, fault))
			fault_set(fault, FAULT_FAILED, session_object(session, object),
				  "xdc session open, on a system that has volumes of it",
				  "it is not open on this system");
		return NULL;
	}
	entry->pins++;
	if (!take_turn(entry))
		return entry;
	entry->pins--;
	fault_set(fault, FAULT_IN_USE, session_object(session, object), "wait for it, or xdc session terminate --force",
		  "another command on it is under way");
	return NULL;
}

struct session_entry *session_entry_begin(struct copy *copy, uint8_t session, enum session_verb verb,
					  struct fault *fault)
{
	struct session_entry *entry = session_entry_wait(copy, session, verb, fault);

	if (!entry || !session_check(copy, session, verb, false, fault))
		return entry;
	(void)session_entry_end(entry, -1);
	return NULL;
}

int session_entry_end(struct session_entry *entry, int rc)
{
	assert(entry->pins > 0);
	entry->pins--;
	rt_mutex_unlock(&entry->turn);
	return rc;
}

void session_entry_pin(struct session_entry *entry)
{
	entry->pins++;
}

void session_entry_unpin(struct session_entry *entry)
{
	assert(entry->pins > 0);
	if (!--entry->pins && !session_lss_find(entry->copy, entry->record.number, -1))
		session_entry_put_down(entry);
}

void session_entries_free(struct copy *copy)
{
	while (!list_empty(&copy->sessions))
		session_entry_put_down(list_first(&copy->sessions, struct session_entry, link));
	while (!list_empty(&copy->session_lsses)) {
		struct session_lss *item = list_first(&copy->session_lsses, struct session_lss, link);

		list_remove(&item->link);
		mem_free(item);
	}
	while (!list_empty(&copy->subordinates)) {
		struct subordinate *item = list_first(&copy->subordinates, struct subordinate, link);

		list_remove(&item->link);
		mem_free(item);
	}
}
