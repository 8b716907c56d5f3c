/* SPDX-License-Identifier: Apache-2.0 */
/* Where a session is open, and which volumes are in it (copy.h). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/group.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "rt/log.h"
#include "rt/mem.h"

/* ---- open and close ---- */

static struct record_session make_record(uint8_t session, uint8_t type)
{
	struct record_session record = {
		.number = session, .type = type, .state = SESSION_OPEN, .created_wall_ns = rt_wall_ns(),
		.interval_ns = session_tunables_default.interval_ns,
		.coordination_ns = session_tunables_default.coordination_ns,
		.drain_ns = session_tunables_default.drain_ns,
	};

	rt_random_bytes(record.key, sizeof(record.key));
	return record;
}

/* Of a session that is open nowhere what it may have been before is over: it becomes durable anew. */
static int commit_open(struct session_entry *entry, const struct record_session_lss *on, uint8_t type)
{
	bool first = !session_lss_find(entry->copy, on->session, -1);
	struct record_session record = first ? make_record(on->session, type) : entry->record;
	const struct meta_change changes[] = {
		{ .op = META_PUT, .kind = META_SESSION_LSS, .record = on },
		{ .op = META_PUT, .kind = META_SESSION, .record = &record },
	};
	int rc = meta_commit(entry->copy->config.meta, changes, first ? 2 : 1);

	if (!rc && first)
		entry->record = record;
	return rc;
}

static int open_lss(struct session_entry *entry, uint8_t lss, uint8_t type, struct fault *fault)
{
	struct copy *copy = entry->copy;
	uint8_t session = entry->record.number;
	struct session_lss *item;
	char object[64];
	int rc;

	if (session_lss_find(copy, session, lss))
		return fault_set(fault, FAULT_IN_USE, session_object(session, object), "xdc session list",
				 "it is open on LSS %02X already", lss);
	if (session_lss_find(copy, session, -1) && entry->record.type != type)
		return fault_set(fault, FAULT_INVALID_PARAMETER, session_object(session, object),
				 "take another number, or name that type", "it is open as one of type %s",
				 session_type_names[session_type_of_code(entry->record.type)]);
	item = mem_alloc_zeroed(sizeof(*item));
	if (!item)
		return session_fault_durable(session, -ENOMEM, fault);
	item->record = (struct record_session_lss){ .session = session, .lss = lss };
	rc = commit_open(entry, &item->record, type);
	if (rc) {
		mem_free(item);
		return session_fault_durable(session, rc, fault);
	}
	list_add_last(&copy->session_lsses, &item->link);
	return 0;
}

/* The last that has it, of those who had or waited for it, puts down one that is open nowhere. */
static int end_entry(struct session_entry *entry, int rc)
{
	(void)session_entry_end(entry, rc);
	if (!entry->pins && !session_lss_find(entry->copy, entry->record.number, -1))
		session_entry_put_down(entry);
	return rc;
}

int copy_session_open(struct copy *copy, uint8_t session, uint8_t lss, enum session_type type, struct fault *fault)
{
	const uint8_t code = session_type_code(type);
	const struct record_session record = make_record(session, code);
	struct session_entry *entry;
	char object[64];

	if (!session)
		return fault_set(fault, FAULT_INVALID_PARAMETER, session_object(session, object),
				 "take a number of 1..255", "0 is not a session");
	if (type == SESSION_XRC)
		return fault_set(fault, FAULT_NOT_SUPPORTED, session_object(session, object),
				 "take type xdc, pprc or flashcopy",
				 "sessions of type xrc (0x10), which a host's data mover reads, are not supported");
	/* It is there before anything suspends, and whoever opens it too waits for this. */
	if (!session_entry_find(copy, session) && session_entry_take_up(copy, &record))
		return session_fault_durable(session, -ENOMEM, fault);
	entry = session_entry_begin(copy, session, SESSION_DO_OPEN, fault);
	return entry ? end_entry(entry, open_lss(entry, lss, code, fault)) : -1;
}

static struct pair *volume_on(struct copy *copy, uint8_t session, int lss)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair->record.role == PAIR_SOURCE && pair->record.session == session &&
		    (lss < 0 || pair->record.volume >> 8 == lss))
			return pair;
	}
	return NULL;
}

/* The same of volumes that are offline. */
static const struct left_pair *left_on(const struct copy *copy, uint8_t session, uint8_t lss)
{
	const struct left_pair *left;

	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.role == PAIR_SOURCE && left->record.session == session &&
		    left->record.volume >> 8 == lss)
			return left;
	}
	return NULL;
}

static int check_close(struct session_entry *entry, uint8_t lss, struct fault *fault)
{
	uint8_t session = entry->record.number;
	struct pair *pair = volume_on(entry->copy, session, lss);
	const struct left_pair *left = left_on(entry->copy, session, lss);
	const struct group_volume *grouped = group_volume_on(entry->copy, session, lss);
	char object[64], remedy[128];

	session_object(session, object);
	if (!session_lss_find(entry->copy, session, lss))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list",
				 "it is not open on LSS %02X", lss);
	if (pair) {
		snprintf(remedy, sizeof(remedy), "xdc session remove %u %04X", session, pair->record.volume);
		return fault_set(fault, FAULT_IN_USE, object, remedy, "volume %04X is in it", pair->record.volume);
	}
	if (left) {
		snprintf(remedy, sizeof(remedy), "mend it and start xdcd again, or xdc pair delete %04X --force",
			 left->record.volume);
		return fault_set(fault, FAULT_IN_USE, object, remedy, "volume %04X is in it, and is offline",
				 left->record.volume);
	}
	if (grouped) {
		snprintf(remedy, sizeof(remedy), "xdc session remove %u %04X", session, grouped->record.volume);
		return fault_set(fault, FAULT_IN_USE, object, remedy, "volume %04X is in it", grouped->record.volume);
	}
	if (entry->master && entry->record.master_lss == lss)
		return fault_set(fault, FAULT_IN_USE, object, "terminate it first", "LSS %02X is its master", lss);
	if (entry->pins > 1)
		return fault_set(fault, FAULT_IN_USE, object, "repeat the command", "another command waits for it");
	return 0;
}

/* With its last LSS the session itself goes. */
static int close_lss(struct session_entry *entry, struct session_lss *item, bool last, struct fault *fault)
{
	struct meta_change changes[] = {
		{ .op = META_DELETE, .kind = META_SESSION_LSS, .record = &item->record },
		{ .op = META_DELETE, .kind = META_SESSION, .record = &entry->record },
	};
	int rc = meta_commit(entry->copy->config.meta, changes, last ? 2 : 1);

	if (rc)
		return session_fault_durable(entry->record.number, rc, fault);
	list_remove(&item->link);
	mem_free(item);
	return 0;
}

static bool is_last_lss(struct copy *copy, const struct session_lss *item)
{
	const struct session_lss *other;

	list_for_each(other, &copy->session_lsses, link) {
		if (other != item && other->record.session == item->record.session)
			return false;
	}
	return true;
}

int copy_session_close(struct copy *copy, uint8_t session, uint8_t lss, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_CLOSE, fault);
	struct session_lss *item;
	bool last;

	if (!entry)
		return -1;
	if (check_close(entry, lss, fault))
		return session_entry_end(entry, -1);
	item = session_lss_find(copy, session, lss);
	last = is_last_lss(copy, item);
	if (close_lss(entry, item, last, fault))
		return session_entry_end(entry, -1);
	/* Whoever began to wait for it meanwhile finds it as it was, and closed on all LSSs. */
	return end_entry(entry, 0);
}

/* ---- volumes ---- */

/* A volume has one async pair that it sends; NULL: none. */
static struct pair *find_async(struct copy *copy, uint16_t volume)
{
	struct pair *pair = pair_first_of(copy, volume);

	while (pair && (pair->record.role != PAIR_SOURCE || pair->record.type != PAIR_ASYNC))
		pair = pair_next_of(pair);
	return pair;
}

static int check_add(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = find_async(copy, volume);
	char object[64], remedy[128];
	uint8_t grouped;

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!session_lss_find(copy, session, volume >> 8)) {
		snprintf(remedy, sizeof(remedy), "xdc session open %u --lss %02X", session, volume >> 8);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy, "session %u is not open on LSS %02X",
				 session, volume >> 8);
	}
	snprintf(remedy, sizeof(remedy), "xdc pair create %04X TARGET --system SYSTEM --type async", volume);
	if (!pair)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "it is not the source of an async pair");
	grouped = pair->record.session ? pair->record.session : group_of_volume(copy, volume, SESSION_TYPE_PPRC);
	if (grouped)
		return fault_set(fault, FAULT_IN_USE, object, "xdc session show lists its volumes",
				 "it is in session %u already", grouped);
	/* A far side after failback: its pair is async still, for the time after the return. */
	if (leg_owns_volume(copy, volume))
		return fault_set(fault, FAULT_IN_USE, object, "xdc session return brings production back first",
				 "it was recovered here, and holds the consistency group of that");
	return 0;
}

/* In the pair's turn, and checked. */
static int add_pair(struct pair *pair, uint8_t session)
{
	const struct record_pair before = pair->record;
	struct source *source = source_get(pair->copy, session);
	struct record_pair next = before;
	int rc;

	if (!source)
		return -ENOMEM;
	next.session = session;
	/* Its removal had suspended it. */
	if (pair->joined) {
		next.state = PAIR_COPY_PENDING;
		next.reason = PAIR_REASON_NONE;
		next.since_wall_ns = rt_wall_ns();
	}
	rc = pair_change_record(pair, &next);
	if (rc)
		return rc;
	pair->left_session = 0;
	rc = source_add_pair(source, pair);
	if (rc) {
		if (pair_change_record(pair, &before))
			log_line(LOG_ERROR, "session", "volume %04X comes into session %u with the next start",
				 pair->record.volume, session);
		return rc;
	}
	pair_allow_join(pair);
	if (pair->joined)
		pair_take_up_again(pair);
	return 0;
}

static int add_volume(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = find_async(copy, volume);
	char object[64];
	int rc;

	if (!pair)
		return check_add(copy, session, volume, fault);
	pair_pin(pair);
	rc = pair_begin_change(pair);
	if (rc) {
		pair_unpin(pair);
		snprintf(object, sizeof(object), "volume %04X", volume);
		return fault_set(fault, FAULT_IN_USE, object, "repeat the command", "another command has its pair: %s",
				 strerror(-rc));
	}
	/* Again, in its turn. */
	rc = check_add(copy, session, volume, fault);
	if (!rc) {
		rc = add_pair(pair, session);
		if (rc)
			session_fault_durable(session, rc, fault);
	}
	pair_end_change(pair);
	pair_unpin(pair);
	return rc ? -1 : 0;
}

static int add_volumes(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count,
		       struct fault *fault)
{
	int rc;

	for (unsigned i = 0; i < count; i++) {
		if (check_add(copy, session, volumes[i], fault))
			return -1;
	}
	rc = session_entry_renew(session_entry_find(copy, session));
	if (rc)
		return session_fault_durable(session, rc, fault);
	for (unsigned i = 0; i < count; i++) {
		if (add_volume(copy, session, volumes[i], fault))
			return -1;
	}
	return 0;
}

int copy_session_add(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_ADD, fault);

	if (!entry)
		return -1;
	return session_entry_end(entry, group_is(entry) ? group_add(entry, volumes, count, fault)
							: add_volumes(copy, session, volumes, count, fault));
}

/* Also one of which only a part of its removal is done. */
static struct pair *find_in_session(struct copy *copy, uint8_t session, uint16_t volume)
{
	struct pair *pair = pair_first_of(copy, volume);

	while (pair && (pair->record.role != PAIR_SOURCE ||
			(pair->record.session ? pair->record.session : pair->left_session) != session))
		pair = pair_next_of(pair);
	return pair;
}

static int check_remove(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	char object[64];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (find_in_session(copy, session, volume))
		return 0;
	return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session show lists its volumes",
			 "it is not in session %u", session);
}

/* In the pair's turn, and checked. */
static int remove_pair(struct pair *pair, uint8_t session)
{
	struct source *source = source_find(pair->copy, session);
	int rc = source && pair->record.session ? source_remove_pair(source, pair) : 0;

	if (rc && rc != -ENOENT)
		return rc;
	/*
	 * Once in the groups it never goes beside them: the journal may still hold data of it, of which the far side
	 * keeps only what is in a group.
	 */
	pair->record.session = 0;
	pair->record.joined = pair->joined;
	pair_leave_session(pair);
	if (pair->joined) {
		pair_suspend(pair, PAIR_SUSPENDED, PAIR_REASON_COMMAND);
		pair_resend(pair);
	}
	rc = pair_save(pair);
	/* What is done of it is not undone: given again, the command does the rest. */
	pair->left_session = rc ? session : 0;
	return rc;
}

static int remove_volume(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = find_in_session(copy, session, volume);
	int rc;

	if (!pair)
		return check_remove(copy, session, volume, fault);
	pair_pin(pair);
	rc = pair_begin_change(pair);
	if (!rc) {
		rc = check_remove(copy, session, volume, fault);
		if (!rc) {
			rc = remove_pair(pair, session);
			if (rc)
				session_fault_durable(session, rc, fault);
		}
		pair_end_change(pair);
	} else {
		session_fault_durable(session, rc, fault);
	}
	pair_unpin(pair);
	return rc ? -1 : 0;
}

static int remove_volumes(const struct session_entry *entry, const uint16_t *volumes, unsigned count,
			  struct fault *fault)
{
	struct copy *copy = entry->copy;
	uint8_t session = entry->record.number;
	char object[64];

	/* At its master the table says so. */
	if (entry->record.hosts_stopped)
		return fault_set(fault, FAULT_IN_USE, session_object(session, object),
				 "xdc session swap at its master goes on with it; if that is lost: xdc session start "
				 "here, or, when volumes were taken over already, xdc session recover",
				 "a swap has closed its volumes to hosts");
	for (unsigned i = 0; i < count; i++) {
		if (check_remove(copy, session, volumes[i], fault))
			return -1;
	}
	for (unsigned i = 0; i < count; i++) {
		if (remove_volume(copy, session, volumes[i], fault))
			return -1;
	}
	return 0;
}

int copy_session_remove(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count,
			struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, session, SESSION_DO_REMOVE, fault);

	if (!entry)
		return -1;
	return session_entry_end(entry, group_is(entry) ? group_remove(entry, volumes, count, fault)
							: remove_volumes(entry, volumes, count, fault));
}
