/* SPDX-License-Identifier: Apache-2.0 */
/* A session is started and terminated (copy.h), and goes on after a restart; paused and resumed: session_pause.c. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/group.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "copy/swap.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "volume/volume.h"

#define INTERVAL_MAX_NS		(18 * 3600 * RT_SECOND)
#define COORDINATION_MIN_NS	RT_MS
#define COORDINATION_MAX_NS	(XDC_COORDINATION_MS_MAX * RT_MS)
#define GIVE_UP_NS		(60 * RT_SECOND)	/* for what is committed to be applied */
#define DRAIN_MAX_NS		(65535 * 60 * RT_SECOND)
#define KEEP_MAX_NS		(87600 * 3600 * RT_SECOND)

/* ---- start, terminate ---- */

static int ask(void *arg, const char *system, uint16_t type, const void *request, void *reply, char *why)
{
	struct session_entry *entry = arg;

	return copy_ask(entry->copy, system, type, request, reply, why);
}

void session_keep_results(const struct session_entry *entry, struct record_session *record)
{
	struct copy_session_info info = { .sequence = record->sequence, .cg_wall_ns = record->session_wall_ns };

	session_get_info(entry->master, &info);
	record->sequence = info.sequence;
	record->session_wall_ns = info.cg_wall_ns;
	record->cg_good = info.cg_good;
	record->cg_failed = info.cg_failed;
	record->first_failure = info.first_failure;
	record->previous_failure = info.previous_failure;
	record->last_failure = info.last_failure;
}

static int save(void *arg, const struct session_durable *durable)
{
	struct session_entry *entry = arg;
	struct record_session next;
	int rc = session_entry_begin_change(entry, &next);

	if (rc)
		return rc;
	if (entry->master)
		session_keep_results(entry, &next);

	next.reserved_attempt = durable->reserved;
	next.incarnation = durable->incarnation;
	if (next.state != durable->state)
		next.state_since_wall_ns = rt_wall_ns();
	next.state = durable->state;
	next.cg_good = durable->cg_good;
	next.cg_failed = durable->cg_failed;
	return session_entry_end_change(entry, &next);
}

void session_entry_tell(void *arg, enum event_kind kind, enum event_level level, const char *remedy, const char *text)
{
	struct session_entry *entry = arg;
	char object[64];

	copy_tell(entry->copy, kind, level, session_object(entry->record.number, object), remedy, "%s", text);
}

int session_begin(struct session_entry *entry)
{
	const struct record_session *record = &entry->record;
	struct copy *copy = entry->copy;
	struct session_config config = {
		.number = record->number, .master_lss = record->master_lss,
		.tunables = session_tunables_of(record), .tells_keep = record->keep_told,
		.durable = {
			.reserved = record->reserved_attempt, .incarnation = record->incarnation,
			.state = record->state,
			.cg_good = record->cg_good, .cg_failed = record->cg_failed,
		},
		.ask = ask, .save = save, .tell = session_entry_tell, .limits = copy->config.limits, .arg = entry,
	};
	struct subordinate *subordinate;

	memcpy(config.key, record->key, sizeof(config.key));
	snprintf(config.own, sizeof(config.own), "%s", copy->config.system);
	if (source_find(copy, record->number))
		snprintf(config.members[config.member_count++], XDC_SYSTEM_ID_MAX, "%s", copy->config.system);
	list_for_each(subordinate, &copy->subordinates, link) {
		if (subordinate->record.session == record->number && config.member_count < XDC_SESSION_MEMBERS_MAX)
			snprintf(config.members[config.member_count++], XDC_SYSTEM_ID_MAX, "%s",
				 subordinate->record.system);
	}
	if (!config.member_count)
		return -ENOENT;
	return session_start(&config, &entry->master);
}

/* What session_begin_as had set; what others have changed meanwhile stays. */
static void put_back(struct session_entry *entry, const struct record_session *before)
{
	const struct session_tunables tunables = session_tunables_of(before);
	struct record_session next;
	int rc;
	RT_SHIELD();

	rc = session_entry_begin_change(entry, &next);
	assert(!rc);
	next.role = before->role;
	next.master_lss = before->master_lss;
	memcpy(next.master_system, before->master_system, sizeof(next.master_system));
	session_set_tunables(&next, &tunables);
	next.keep_told = before->keep_told;
	session_entry_keep_change(entry, &next);
}

int session_begin_as(struct session_entry *entry, const struct record_session *next)
{
	const struct record_session before = entry->record;
	int rc;

	session_entry_keep_change(entry, next);
	rc = session_begin(entry);
	if (rc)
		put_back(entry, &before);
	return rc;
}

int session_check_tunables(uint8_t session, const struct session_tunables *tunables, struct fault *fault)
{
	char object[64];

	session_object(session, object);
	if (tunables->interval_ns < 0 || tunables->interval_ns > INTERVAL_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 0 to 18h",
				 "the interval is out of range");
	if (tunables->coordination_ns < COORDINATION_MIN_NS || tunables->coordination_ns > COORDINATION_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 1ms to 65535ms",
				 "the coordination time is out of range");
	if (tunables->drain_ns < RT_MS || tunables->drain_ns > DRAIN_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 1ms to 65535m",
				 "the drain time is out of range");
	if (tunables->keep_ns < 0 || tunables->keep_ns > KEEP_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 0 to 87600h",
				 "the time to keep groups is out of range");
	return 0;
}

int session_check_places(const struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	struct copy *copy = entry->copy;
	char object[64], remedy[128];

	session_object(start->session, object);
	if (!session_lss_find(copy, start->session, start->master_lss))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object,
				 "name an LSS on which it is open, or open it there", "it is not open on LSS %02X",
				 start->master_lss);
	for (unsigned i = 0; i < start->subordinate_count; i++) {
		const char *system = start->subordinates[i].system;

		if (copy_path_address(copy, start->master_lss, system))
			continue;
		snprintf(remedy, sizeof(remedy), "xdc path create %02X %02X --system %s --to HOST:PORT",
			 start->master_lss, start->subordinates[i].lss, system);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "no path leads from LSS %02X to system %s", start->master_lss, system);
	}
	return 0;
}

static int check_start(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	char object[64];

	if (session_check_places(entry, start, fault))
		return -1;
	if (start->subordinate_count || source_find(entry->copy, start->session))
		return 0;
	return fault_set(fault, FAULT_INVALID_PARAMETER, session_object(start->session, object),
			 "xdc session add, or name subordinates", "it has no volumes");
}

static struct subordinate *find_subordinate(struct copy *copy, uint8_t session)
{
	struct subordinate *item;

	list_for_each(item, &copy->subordinates, link) {
		if (item->record.session == session)
			return item;
	}
	return NULL;
}

static void free_subordinates(struct list_head *items)
{
	struct subordinate *item, *tmp;

	list_for_each_safe(item, tmp, items, link) {
		list_remove(&item->link);
		mem_free(item);
	}
}

static int make_subordinates(const struct session_start *start, struct list_head *out)
{
	for (unsigned i = 0; i < start->subordinate_count; i++) {
		struct subordinate *item = mem_alloc_zeroed(sizeof(*item));

		if (!item)
			return -ENOMEM;
		item->record.session = start->session;
		item->record.lss = start->subordinates[i].lss;
		memcpy(item->record.system, start->subordinates[i].system, sizeof(item->record.system));
		list_add_last(out, &item->link);
	}
	return 0;
}

/* A session that was resumed with a part of them would form groups without the others. */
int session_replace_subordinates(struct session_entry *entry, const struct session_start *start)
{
	struct meta_change changes[2 * XDC_SESSION_MEMBERS_MAX];
	struct copy *copy = entry->copy;
	struct subordinate *item, *tmp;
	struct list_head made;
	unsigned count = 0;
	int rc;

	list_init(&made);
	rc = make_subordinates(start, &made);
	list_for_each(item, &copy->subordinates, link) {
		if (item->record.session == start->session)
			changes[count++] = (struct meta_change){ META_DELETE, META_SESSION_SUBORDINATE, &item->record };
	}
	list_for_each(item, &made, link)
		changes[count++] = (struct meta_change){ META_PUT, META_SESSION_SUBORDINATE, &item->record };
	if (!rc && count)
		rc = meta_commit(copy->config.meta, changes, count);
	if (rc) {
		free_subordinates(&made);
		return rc;
	}
	while ((item = find_subordinate(copy, start->session)) != NULL) {
		list_remove(&item->link);
		mem_free(item);
	}
	list_for_each_safe(item, tmp, &made, link) {
		list_remove(&item->link);
		list_add_last(&copy->subordinates, &item->link);
	}
	return 0;
}

void session_choose_tunables(const struct session_start *start, const struct session_tunables *otherwise,
			    struct session_tunables *out)
{
	*out = *otherwise;
	if (start->has_interval)
		out->interval_ns = start->tunables.interval_ns;
	if (start->has_coordination)
		out->coordination_ns = start->tunables.coordination_ns;
	if (start->has_drain)
		out->drain_ns = start->tunables.drain_ns;
	if (start->has_keep)
		out->keep_ns = start->tunables.keep_ns;
	if (start->has_keep_bytes)
		out->keep_bytes = start->tunables.keep_bytes;
	else if (start->has_keep && !out->keep_ns)
		out->keep_bytes = 0;
}

void session_set_tunables(struct record_session *record, const struct session_tunables *tunables)
{
	record->interval_ns = tunables->interval_ns;
	record->coordination_ns = tunables->coordination_ns;
	record->drain_ns = tunables->drain_ns;
	record->keep_ns = tunables->keep_ns;
	record->keep_bytes = tunables->keep_bytes;
	/* Those that keep some have to hear it when they are to keep none. */
	record->keep_told = record->keep_told || tunables->keep_ns || tunables->keep_bytes;
}

static int start_session(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	struct session_tunables tunables;
	struct record_session next;
	int rc;

	session_choose_tunables(start, &session_tunables_default, &tunables);
	if (check_start(entry, start, fault) || session_check_tunables(start->session, &tunables, fault))
		return -1;
	rc = session_replace_subordinates(entry, start);
	if (!rc)
		rc = session_entry_begin_change(entry, &next);
	if (rc)
		return session_fault_durable(start->session, rc, fault);
	session_set_tunables(&next, &tunables);
	next.role = SESSION_MASTER;
	next.master_lss = start->master_lss;
	snprintf(next.master_system, sizeof(next.master_system), "%s", entry->copy->config.system);
	rc = session_begin_as(entry, &next);
	if (rc)
		return session_fault_durable(start->session, rc, fault);
	session_entry_tell(entry, EVENT_SESSION_STARTED, EVENT_INFO, "", "it forms consistency groups from here on");
	/* By a swap whose master is lost, before anything was exchanged. */
	if (entry->record.hosts_stopped && !entry->record.hosts_awaited)
		return session_order_all(entry, WIRE_SESSION_SWAP, WIRE_SWAP_START_HOSTS, fault);
	return 0;
}

int copy_session_start(struct copy *copy, const struct session_start *start, struct fault *fault)
{
	struct session_entry *entry = session_entry_begin(copy, start->session, SESSION_DO_START, fault);

	if (!entry)
		return -1;
	return session_entry_end(entry, group_is(entry) ? group_begin(entry, start, fault)
							: start_session(entry, start, fault));
}

int session_fault_pause(const struct session_entry *entry, int rc, struct fault *fault)
{
	char object[64];

	if (rc == -EAGAIN)
		return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object),
				 "xdc session show says what fails; it goes on, repeat the command then",
				 "the last group does not come about");
	if (rc == -ECANCELED)
		return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object),
				 "xdc session show; repeat the command when that can be",
				 "it was given up: session resume");
	if (rc != -ETIMEDOUT)
		return session_fault_durable(entry->record.number, rc, fault);
	return fault_set(fault, FAULT_TIMEOUT, session_object(entry->record.number, object),
			 "xdc session show says for whom", "an attempt under way has not come to its end: %s",
			 strerror(-rc));
}

static struct leg *find_leg_of(struct copy *copy, uint8_t session)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (!leg->gone && leg->record.session == session)
			return leg;
	}
	return NULL;
}

/* Everything committed is in the volumes; or it never will be, and then they are to be copied anew. */
static int wait_for_group(struct leg *leg)
{
	int rc;
	RT_LIMIT(rt_now_ns() + GIVE_UP_NS);

	leg_pin(leg);
	rc = leg_wait_applied(leg);
	if (leg->offline || leg->apply_error == -EIO || leg->apply_error == -ENODEV)
		rc = 0;
	leg_unpin(leg);
	return rc;
}

/* At a far side: the last group is given up by name; its volumes keep what it showed. */
static int give_up_group(struct copy *copy, uint8_t session, struct fault *fault)
{
	char object[64];
	struct leg *leg;
	int rc = 0;

	while (!rc && (leg = find_leg_of(copy, session)) != NULL) {
		rc = wait_for_group(leg);
		if (!rc)
			rc = leg_forget(leg);
	}
	return rc ? fault_set(fault, FAULT_FAILED, session_object(session, object), "look at the log of xdcd",
			      "its last group is not in the volumes: %s", strerror(-rc)) : 0;
}

static int dismiss(struct session_entry *entry, struct fault *fault)
{
	char object[64];
	int rc = session_pause(entry->master, false);

	if (rc)
		return session_fault_pause(entry, rc, fault);
	rc = session_dismiss(entry->master);
	if (!rc)
		return 0;
	return fault_set(fault, FAULT_FAILED, session_object(entry->record.number, object),
			 "--force gives up without those that cannot be reached",
			 "not all its systems have heard it: %s", strerror(-rc));
}

int session_terminate(struct session_entry *entry, bool force, struct fault *fault)
{
	struct record_session next;
	int rc;

	if (entry->master && !force && dismiss(entry, fault))
		return -1;
	/* By force without those that do not answer: they stay as they are until it is started again. */
	if (session_is_suspended(entry) && session_release_members(entry, fault) && !force)
		return -1;
	if (entry->record.state == SESSION_SWAPPING) {
		/* All of them, or it is given again: what stays behind would be closed at both sides. */
		if (session_take_back(entry, fault))
			return -1;
	} else if (entry->record.swap_system[0] && session_drop_swap(entry, fault) && !force) {
		return -1;
	}
	/* From here on it makes nothing durable that would bring it back. */
	if (entry->master)
		session_end(entry->master);
	rc = session_entry_begin_change(entry, &next);
	if (!rc) {
		next.role = SESSION_NO_ROLE;
		next.state = SESSION_OPEN;
		next.swap_system[0] = '\0';
		rc = session_entry_end_change(entry, &next);
	}
	if (rc)
		return session_fault_durable(entry->record.number, rc, fault);
	if (entry->master)
		session_stop(entry->master);
	entry->master = NULL;
	session_entry_tell(entry, EVENT_SESSION_ENDED, EVENT_INFO, "", "it was terminated");
	return 0;
}

int copy_session_terminate(struct copy *copy, uint8_t session, bool force, struct fault *fault)
{
	struct session_entry *entry = session_entry_find(copy, session);

	/* One that was swapped away is known here still. */
	if ((!entry || entry->record.role == SESSION_NO_ROLE) && find_leg_of(copy, session))
		return session_check(copy, session, SESSION_DO_TERMINATE, force, fault)
			? -1 : give_up_group(copy, session, fault);
	/* A command that waits for the end of an attempt, which may never come, comes to its end by this. */
	if (entry && entry->master && force)
		session_give_up(entry->master);
	entry = session_entry_wait(copy, session, SESSION_DO_TERMINATE, fault);
	if (!entry)
		return -1;
	if (session_check(copy, session, SESSION_DO_TERMINATE, force, fault))
		return session_entry_end(entry, -1);
	return session_entry_end(entry, group_is(entry) ? group_terminate(entry, force, fault)
							: session_terminate(entry, force, fault));
}

/* ---- at start and stop of the system ---- */

int session_entries_resume(struct copy *copy)
{
	const struct left_pair *left;
	struct session_entry *entry;
	struct pair *pair;
	int rc = 0;

	list_for_each(pair, &copy->pairs, link) {
		struct source *source;

		if (pair->record.role != PAIR_SOURCE || !pair->record.session || !pair->peer)
			continue;
		source = source_get(copy, pair->record.session);
		rc = source ? source_add_pair(source, pair) : -ENOMEM;
		if (rc)
			return rc;
		/* Its first copy had ended, and that it may join was not durable yet. */
		if (!pair->record.joined)
			pair_allow_join(pair);
	}
	/* Those with volumes that are offline are asked too, and refuse: a group would lack what these hold. */
	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.role == PAIR_SOURCE && left->record.session &&
		    !source_get(copy, left->record.session))
			return -ENOMEM;
	}
	rc = swap_close_volumes(copy);
	if (rc)
		return rc;
	list_for_each(entry, &copy->sessions, link) {
		if (entry->record.role != SESSION_MASTER || entry->record.state != SESSION_RUNNING || group_is(entry))
			continue;
		/* Its volumes may all have been removed since its start. */
		if (!find_subordinate(copy, entry->record.number) && !source_get(copy, entry->record.number))
			return -ENOMEM;
		rc = session_begin(entry);
		if (rc)
			log_line(LOG_ERROR, "session", "session %u does not go on: %s", entry->record.number,
				 strerror(-rc));
	}
	return 0;
}

void copy_limits_changed(struct copy *copy)
{
	struct session_entry *entry;

	list_for_each(entry, &copy->sessions, link) {
		if (entry->master)
			session_limits_changed(entry->master);
	}
}

void session_entries_stop(struct copy *copy)
{
	struct session_entry *entry;

	list_for_each(entry, &copy->sessions, link) {
		if (entry->master)
			session_stop(entry->master);
		entry->master = NULL;
	}
}
