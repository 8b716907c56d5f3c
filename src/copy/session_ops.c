/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may do with sessions (copy.h), and how they go on after a restart. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/session.h"
#include "copy/source.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "volume/volume.h"

#define SESSION_TYPE_XDC	0x40u
#define INTERVAL_MAX_NS		(18 * 3600 * RT_SECOND)
#define COORDINATION_MIN_NS	RT_MS
#define COORDINATION_MAX_NS	(XDC_COORDINATION_MS_MAX * RT_MS)
#define GIVE_UP_NS		(60 * RT_SECOND)	/* for what is committed to be applied */
#define DRAIN_MAX_NS		(65535 * 60 * RT_SECOND)

static const struct session_tunables tunables_default = {
	.interval_ns = 0, .coordination_ns = 50 * RT_MS, .drain_ns = 240 * RT_SECOND,
};

static const char *object_of(uint8_t session, char text[64])
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

static struct session_lss *find_lss(struct copy *copy, uint8_t session, int lss)
{
	struct session_lss *item;

	list_for_each(item, &copy->session_lsses, link) {
		if (item->record.session == session && (lss < 0 || item->record.lss == lss))
			return item;
	}
	return NULL;
}

static int commit_one(struct copy *copy, enum meta_op op, enum meta_kind kind, const void *record)
{
	const struct meta_change change = { .op = op, .kind = kind, .record = record };

	return meta_commit(copy->config.meta, &change, 1);
}

static int fault_durable(uint8_t session, int rc, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(session, object),
			 "look at the log of xdcd and its state folder", "the change cannot be made durable: %s",
			 strerror(-rc));
}

int session_entry_take_up(struct copy *copy, const struct record_session *record)
{
	struct session_entry *entry = mem_alloc_zeroed(sizeof(*entry));

	if (!entry)
		return -ENOMEM;
	entry->copy = copy;
	entry->record = *record;
	rt_mutex_init(&entry->turn);
	list_add_last(&copy->sessions, &entry->link);
	return 0;
}

static struct session_entry *find_or_fault(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct session_entry *entry = session_entry_find(copy, session);
	char object[64], remedy[128];

	if (entry)
		return entry;
	snprintf(remedy, sizeof(remedy), "xdc session open %u --lss LSS", session);
	fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), remedy, "it is not open on this system");
	return NULL;
}

/* ---- open and close ---- */

int copy_session_open(struct copy *copy, uint8_t session, uint8_t lss, struct fault *fault)
{
	struct record_session record = {
		.number = session, .type = SESSION_TYPE_XDC, .state = SESSION_OPEN, .created_wall_ns = rt_wall_ns(),
		.interval_ns = tunables_default.interval_ns, .coordination_ns = tunables_default.coordination_ns,
		.drain_ns = tunables_default.drain_ns,
	};
	struct record_session_lss on = { .session = session, .lss = lss };
	struct session_lss *item;
	char object[64];
	int rc = 0;

	if (!session)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), "take a number of 1..255",
				 "0 is not a session");
	if (find_lss(copy, session, lss))
		return fault_set(fault, FAULT_IN_USE, object_of(session, object), "", "it is open on LSS %02X already",
				 lss);
	item = mem_alloc_zeroed(sizeof(*item));
	if (!item)
		return fault_durable(session, -ENOMEM, fault);
	item->record = on;
	if (!session_entry_find(copy, session)) {
		const struct meta_change changes[] = {
			{ .op = META_PUT, .kind = META_SESSION, .record = &record },
			{ .op = META_PUT, .kind = META_SESSION_LSS, .record = &on },
		};

		rt_random_bytes(record.key, sizeof(record.key));
		rc = meta_commit(copy->config.meta, changes, 2);
		if (!rc)
			rc = session_entry_take_up(copy, &record);
	} else {
		rc = commit_one(copy, META_PUT, META_SESSION_LSS, &on);
	}
	if (rc) {
		mem_free(item);
		return fault_durable(session, rc, fault);
	}
	list_add_last(&copy->session_lsses, &item->link);
	return 0;
}

static struct pair *volume_on(struct copy *copy, uint8_t session, int lss)
{
	struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (pair->record.session == session && (lss < 0 || pair->record.volume >> 8 == lss))
			return pair;
	}
	return NULL;
}

int copy_session_close(struct copy *copy, uint8_t session, uint8_t lss, struct fault *fault)
{
	struct session_entry *entry = find_or_fault(copy, session, fault);
	struct session_lss *item = find_lss(copy, session, lss);
	struct pair *pair = volume_on(copy, session, lss);
	char object[64], remedy[128];
	int rc;

	object_of(session, object);
	if (!entry)
		return -1;
	if (!item)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session list",
				 "it is not open on LSS %02X", lss);
	if (pair) {
		snprintf(remedy, sizeof(remedy), "xdc session remove %u %04X", session, pair->record.volume);
		return fault_set(fault, FAULT_IN_USE, object, remedy, "volume %04X is in it", pair->record.volume);
	}
	if (entry->master && entry->record.master_lss == lss)
		return fault_set(fault, FAULT_IN_USE, object, "terminate it first", "LSS %02X is its master", lss);
	rc = commit_one(copy, META_DELETE, META_SESSION_LSS, &item->record);
	if (rc)
		return fault_durable(session, rc, fault);
	list_remove(&item->link);
	mem_free(item);
	if (find_lss(copy, session, -1))
		return 0;
	rc = commit_one(copy, META_DELETE, META_SESSION, &entry->record);
	if (rc)
		return fault_durable(session, rc, fault);
	list_remove(&entry->link);
	mem_free(entry);
	return 0;
}

/* ---- volumes ---- */

static int check_add(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = pair_find(copy, volume);
	char object[64], remedy[128];

	snprintf(object, sizeof(object), "volume %04X", volume);
	if (!find_lss(copy, session, volume >> 8)) {
		snprintf(remedy, sizeof(remedy), "xdc session open %u --lss %02X", session, volume >> 8);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy, "session %u is not open on LSS %02X",
				 session, volume >> 8);
	}
	snprintf(remedy, sizeof(remedy), "xdc pair create %04X TARGET --system SYSTEM --type async", volume);
	if (!pair || pair->record.role != PAIR_SOURCE || pair->record.type != PAIR_ASYNC)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "it is not the source of an async pair");
	if (pair->record.session)
		return fault_set(fault, FAULT_IN_USE, object, "", "it is in session %u already", pair->record.session);
	return 0;
}

static int add_volume(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = pair_find(copy, volume);
	struct source *source = source_get(copy, session);
	int rc;

	if (!source)
		return fault_durable(session, -ENOMEM, fault);
	pair->record.session = session;
	rc = pair_save(pair);
	if (!rc)
		rc = source_add_pair(source, pair);
	if (!rc) {
		pair_allow_join(pair);
		return 0;
	}
	pair->record.session = 0;
	return fault_durable(session, rc, fault);
}

int copy_session_add(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count, struct fault *fault)
{
	if (!find_or_fault(copy, session, fault))
		return -1;
	for (unsigned i = 0; i < count; i++) {
		if (check_add(copy, session, volumes[i], fault))
			return -1;
	}
	for (unsigned i = 0; i < count; i++) {
		if (add_volume(copy, session, volumes[i], fault))
			return -1;
	}
	return 0;
}

static int remove_volume(struct copy *copy, uint8_t session, uint16_t volume, struct fault *fault)
{
	struct pair *pair = pair_find(copy, volume);
	struct source *source = source_find(copy, session);
	int rc = source ? source_remove_pair(source, pair) : 0;

	/* Once in the groups it never goes beside them: the journal may still hold data of it. */
	pair->record.session = 0;
	if (pair->record.joined)
		pair_suspend(pair, PAIR_SUSPENDED, PAIR_REASON_COMMAND);
	if (!rc || rc == -ENOENT)
		rc = pair_save(pair);
	return rc ? fault_durable(session, rc, fault) : 0;
}

int copy_session_remove(struct copy *copy, uint8_t session, const uint16_t *volumes, unsigned count,
			struct fault *fault)
{
	char object[64];

	if (!find_or_fault(copy, session, fault))
		return -1;
	for (unsigned i = 0; i < count; i++) {
		struct pair *pair = pair_find(copy, volumes[i]);

		snprintf(object, sizeof(object), "volume %04X", volumes[i]);
		if (!pair || pair->record.session != session)
			return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session show lists its volumes",
					 "it is not in session %u", session);
	}
	for (unsigned i = 0; i < count; i++) {
		if (remove_volume(copy, session, volumes[i], fault))
			return -1;
	}
	return 0;
}

/* ---- start, pause, resume, terminate ---- */

static int ask(void *arg, const char *system, uint16_t type, const void *request, void *reply, char *why)
{
	struct session_entry *entry = arg;

	return copy_ask(entry->copy, system, type, request, reply, why);
}

static int save(void *arg, const struct session_durable *durable)
{
	struct session_entry *entry = arg;
	struct record_session next = entry->record;
	int rc;

	next.reserved_attempt = durable->reserved;
	next.incarnation = durable->incarnation;
	next.state = durable->state;
	next.cg_good = durable->cg_good;
	next.cg_failed = durable->cg_failed;
	rc = commit_one(entry->copy, META_PUT, META_SESSION, &next);
	if (!rc)
		entry->record = next;
	return rc;
}

static int begin(struct session_entry *entry)
{
	const struct record_session *record = &entry->record;
	struct copy *copy = entry->copy;
	struct session_config config = {
		.number = record->number, .master_lss = record->master_lss,
		.tunables = { record->interval_ns, record->coordination_ns, record->drain_ns },
		.durable = {
			.reserved = record->reserved_attempt, .incarnation = record->incarnation,
			.state = record->state,
			.cg_good = record->cg_good, .cg_failed = record->cg_failed,
		},
		.ask = ask, .save = save, .arg = entry,
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

static int check_tunables(uint8_t session, const struct session_tunables *tunables, struct fault *fault)
{
	char object[64];

	object_of(session, object);
	if (tunables->interval_ns < 0 || tunables->interval_ns > INTERVAL_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 0 to 18h",
				 "the interval is out of range");
	if (tunables->coordination_ns < COORDINATION_MIN_NS || tunables->coordination_ns > COORDINATION_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 1ms to 65535ms",
				 "the coordination time is out of range");
	if (tunables->drain_ns < RT_MS || tunables->drain_ns > DRAIN_MAX_NS)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "give 1ms to 65535m",
				 "the drain time is out of range");
	return 0;
}

static int check_start(struct session_entry *entry, const struct session_start *start, struct fault *fault)
{
	struct copy *copy = entry->copy;
	char object[64], remedy[128];

	object_of(start->session, object);
	if (entry->master)
		return fault_set(fault, FAULT_IN_USE, object, "pause or terminate it first", "it is started already");
	if (!find_lss(copy, start->session, start->master_lss))
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
	if (!start->subordinate_count && !source_find(copy, start->session))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "xdc session add, or name subordinates",
				 "it has no volumes");
	return 0;
}

/* The subordinates given replace those of an earlier start. */
static int replace_subordinates(struct session_entry *entry, const struct session_start *start)
{
	struct copy *copy = entry->copy;
	struct subordinate *item, *tmp;
	int rc = 0;

	list_for_each_safe(item, tmp, &copy->subordinates, link) {
		if (item->record.session != start->session)
			continue;
		rc = commit_one(copy, META_DELETE, META_SESSION_SUBORDINATE, &item->record);
		if (rc)
			return rc;
		list_remove(&item->link);
		mem_free(item);
	}
	for (unsigned i = 0; i < start->subordinate_count && !rc; i++) {
		item = mem_alloc_zeroed(sizeof(*item));
		if (!item)
			return -ENOMEM;
		item->record.session = start->session;
		item->record.lss = start->subordinates[i].lss;
		memcpy(item->record.system, start->subordinates[i].system, sizeof(item->record.system));
		rc = commit_one(copy, META_PUT, META_SESSION_SUBORDINATE, &item->record);
		if (rc)
			mem_free(item);
		else
			list_add_last(&copy->subordinates, &item->link);
	}
	return rc;
}

static void choose_tunables(const struct session_start *start, const struct session_tunables *otherwise,
			    struct session_tunables *out)
{
	*out = *otherwise;
	if (start->has_interval)
		out->interval_ns = start->tunables.interval_ns;
	if (start->has_coordination)
		out->coordination_ns = start->tunables.coordination_ns;
	if (start->has_drain)
		out->drain_ns = start->tunables.drain_ns;
}

static void set_tunables(struct session_entry *entry, const struct session_tunables *tunables)
{
	entry->record.interval_ns = tunables->interval_ns;
	entry->record.coordination_ns = tunables->coordination_ns;
	entry->record.drain_ns = tunables->drain_ns;
}

int copy_session_start(struct copy *copy, const struct session_start *start, struct fault *fault)
{
	struct session_entry *entry = find_or_fault(copy, start->session, fault);
	struct session_tunables tunables;
	int rc;

	choose_tunables(start, &tunables_default, &tunables);
	if (!entry || check_start(entry, start, fault) || check_tunables(start->session, &tunables, fault))
		return -1;
	rc = replace_subordinates(entry, start);
	if (rc)
		return fault_durable(start->session, rc, fault);
	set_tunables(entry, &tunables);
	entry->record.role = SESSION_MASTER;
	entry->record.master_lss = start->master_lss;
	snprintf(entry->record.master_system, sizeof(entry->record.master_system), "%s", copy->config.system);
	rc = begin(entry);
	return rc ? fault_durable(start->session, rc, fault) : 0;
}

static struct session_entry *find_master_or_fault(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct session_entry *entry = find_or_fault(copy, session, fault);
	char object[64], remedy[128];

	if (!entry)
		return NULL;
	if (entry->record.role == SESSION_MASTER)
		return entry;
	snprintf(remedy, sizeof(remedy), "give the command on its master%s%s",
		 entry->record.master_system[0] ? ", " : "", entry->record.master_system);
	fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), remedy, "this system is not its master");
	return NULL;
}

/* Forms no more groups; an attempt under way comes to its end first. */
static int stop_master(struct session_entry *entry, enum session_state state, struct fault *fault)
{
	struct session_durable durable = {
		.reserved = entry->record.reserved_attempt, .incarnation = entry->record.incarnation, .state = state,
		.cg_good = entry->record.cg_good, .cg_failed = entry->record.cg_failed,
	};
	struct session *master = entry->master;
	struct copy_session_info info = { 0 };
	char object[64];
	int rc = session_pause(master);

	if (rc)
		return fault_set(fault, FAULT_TIMEOUT, object_of(entry->record.number, object),
				 "xdc session show says for whom", "an attempt under way has not come to its end: %s",
				 strerror(-rc));
	session_get_info(master, &info);
	durable.cg_good = info.cg_good;
	durable.cg_failed = info.cg_failed;
	entry->record.sequence = info.sequence;
	entry->record.last_failure = info.last_failure;
	entry->record.first_failure = info.first_failure;
	rc = save(entry, &durable);
	if (rc)
		return fault_durable(entry->record.number, rc, fault);
	entry->master = NULL;
	session_stop(master);
	return 0;
}

int copy_session_pause(struct copy *copy, uint8_t session, struct fault *fault)
{
	struct session_entry *entry = find_master_or_fault(copy, session, fault);
	char object[64];

	if (!entry)
		return -1;
	if (!entry->master)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), "xdc session start",
				 "it is not running");
	return stop_master(entry, SESSION_PAUSED, fault);
}

int copy_session_resume(struct copy *copy, const struct session_start *start, struct fault *fault)
{
	struct session_entry *entry = find_master_or_fault(copy, start->session, fault);
	struct session_tunables before, tunables;
	char object[64];
	int rc;

	if (!entry)
		return -1;
	if (entry->master || entry->record.state != SESSION_PAUSED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(start->session, object), "xdc session show",
				 "it is not paused");
	before = (struct session_tunables){
		entry->record.interval_ns, entry->record.coordination_ns, entry->record.drain_ns,
	};
	choose_tunables(start, &before, &tunables);
	if (check_tunables(start->session, &tunables, fault))
		return -1;
	set_tunables(entry, &tunables);
	rc = begin(entry);
	return rc ? fault_durable(start->session, rc, fault) : 0;
}

static struct leg *find_leg_of(struct copy *copy, uint8_t session)
{
	struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg->record.session == session)
			return leg;
	}
	return NULL;
}

/* At a far side: the last group is given up by name; its volumes keep what it showed. */
static int give_up_group(struct copy *copy, uint8_t session, bool force, struct fault *fault)
{
	char object[64];
	struct leg *leg;
	int rc = 0;

	if (!force)
		return fault_set(
			fault, FAULT_IN_USE, object_of(session, object),
			"terminate it at its master; --force gives the group up, its volumes keep what it shows",
			"this far side keeps its last consistency group");
	while (!rc && (leg = find_leg_of(copy, session)) != NULL) {
		RT_LIMIT(rt_now_ns() + GIVE_UP_NS);

		leg_pin(leg);
		rc = leg_wait_applied(leg);
		leg_unpin(leg);
		if (!rc)
			rc = leg_forget(leg);
	}
	return rc ? fault_set(fault, FAULT_FAILED, object_of(session, object), "look at the log of xdcd",
			      "its last group is not in the volumes: %s", strerror(-rc)) : 0;
}

int copy_session_terminate(struct copy *copy, uint8_t session, bool force, struct fault *fault)
{
	struct session_entry *entry;
	char object[64];
	int rc;

	if (!session_entry_find(copy, session) && find_leg_of(copy, session))
		return give_up_group(copy, session, force, fault);
	entry = find_master_or_fault(copy, session, fault);
	if (!entry)
		return -1;
	if (!entry->master && entry->record.state != SESSION_PAUSED)
		return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(session, object), "", "it is not started");
	if (entry->master && !force) {
		rc = session_pause(entry->master);
		if (!rc)
			rc = session_dismiss(entry->master);
		if (rc)
			return fault_set(fault, FAULT_FAILED, object_of(session, object),
					 "--force gives up without those that cannot be reached",
					 "not all its systems have heard it: %s", strerror(-rc));
	}
	if (entry->master) {
		session_stop(entry->master);
		entry->master = NULL;
	}
	entry->record.role = SESSION_NO_ROLE;
	entry->record.state = SESSION_OPEN;
	rc = commit_one(copy, META_PUT, META_SESSION, &entry->record);
	return rc ? fault_durable(session, rc, fault) : 0;
}

/* ---- at start and stop of the system ---- */

int session_entries_resume(struct copy *copy)
{
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
	}
	list_for_each(entry, &copy->sessions, link) {
		if (entry->record.role != SESSION_MASTER || entry->record.state != SESSION_RUNNING)
			continue;
		rc = begin(entry);
		if (rc)
			log_line(LOG_ERROR, "session", "session %u does not go on: %s", entry->record.number,
				 strerror(-rc));
	}
	return 0;
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

void session_entries_free(struct copy *copy)
{
	while (!list_empty(&copy->sessions)) {
		struct session_entry *entry = list_first(&copy->sessions, struct session_entry, link);

		list_remove(&entry->link);
		mem_free(entry);
	}
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
