/* SPDX-License-Identifier: Apache-2.0 */
/* What sessions look like from outside (copy.h): master, subordinate and far side each know their part. */
#include <string.h>

#include "copy/group.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/source.h"

/* A far side knows a session by its legs: the group that all have whose journal can be read, and what is behind. */
static void add_leg(const struct leg *leg, struct copy_session_info *info)
{
	const struct journal_cg *cg = leg_committed_cg(leg);
	struct journal_info journal;
	bool first = info->journal_limit_bytes == 0;

	leg_get_info(leg, &journal);
	if (leg->journal && (first || journal.committed < info->sequence))
		info->sequence = journal.committed;
	if (journal.prepared > info->prepared)
		info->prepared = journal.prepared;
	info->journal_bytes += journal.used_bytes;
	info->kept_bytes += journal.kept_bytes;
	if (journal.unapplied_bytes > leg->pass_bytes)
		info->unapplied_bytes += journal.unapplied_bytes - leg->pass_bytes;
	info->journal_limit_bytes += journal.limit_bytes;
	if (cg) {
		info->volumes += cg->volume_count;
		info->joined += cg->volume_count;
		if (first || (int64_t)cg->session_time_us * RT_US < info->cg_wall_ns)
			info->cg_wall_ns = (int64_t)cg->session_time_us * RT_US;
	}
	if (info->member_count < XDC_SESSION_MEMBERS_MAX)
		memcpy(info->members[info->member_count++], leg->record.source_system, XDC_SYSTEM_ID_MAX);
	memcpy(info->master, leg->record.master_system, sizeof(info->master));
	if (leg->record.shown_wall_ns > info->state_since_wall_ns)
		info->state_since_wall_ns = leg->record.shown_wall_ns;
	if (leg->record.state == SESSION_FATAL)
		info->state = SESSION_FATAL;
	else if (info->state != SESSION_FATAL && (journal.decided || leg->record.state == SESSION_RECOVERED))
		info->state = SESSION_RECOVERED;
	else if (info->state == SESSION_OPEN && leg->record.shown_sequence)
		info->state = SESSION_PAUSED_CONSISTENT;
	else if (info->state == SESSION_OPEN)
		info->state = SESSION_RUNNING;
}

static bool add_legs(struct copy *copy, uint8_t session, struct copy_session_info *info)
{
	struct leg *leg;
	bool any = false;

	list_for_each(leg, &copy->legs, link) {
		if (leg->record.session != session)
			continue;
		if (!any) {
			info->session = session;
			info->role = SESSION_FAR;
			info->rpo_ns = -1;
		}
		any = true;
		add_leg(leg, info);
	}
	return any;
}

static void add_entry(const struct session_entry *entry, struct copy_session_info *info)
{
	const struct record_session *record = &entry->record;

	info->session = record->number;
	info->type = session_type_of_code(record->type);
	info->state = record->state;
	info->state_since_wall_ns = record->state_since_wall_ns;
	info->master_lss = record->master_lss;
	memcpy(info->master, record->master_system, sizeof(info->master));
	info->tunables = session_tunables_of(record);
	info->sequence = record->sequence;
	info->cg_wall_ns = record->session_wall_ns;
	info->cg_good = record->cg_good;
	info->cg_failed = record->cg_failed;
	info->first_failure = record->first_failure;
	info->last_failure = record->last_failure;
	info->previous_failure = record->previous_failure;
	info->rpo_ns = -1;
	if (record->role == SESSION_MASTER || group_is(entry))
		info->role = record->role;
	if (entry->master)
		session_get_info(entry->master, info);
}

/* What a subordinate has: asked for each time, with a short limit, and never while holding anything up. */
static void add_member(struct copy *copy, const char *system, struct copy_session_info *info)
{
	struct wire_session_request request = { .head = { .session = info->session } };
	struct wire_session_report report = { 0 };
	char why[WIRE_TEXT_SIZE];
	RT_LIMIT(rt_now_ns() + RT_SECOND);

	if (copy_ask(copy, system, WIRE_SESSION_STATUS, &request, &report, why))
		return;
	info->out_of_sync_blocks += report.out_of_sync_blocks;
	for (uint32_t i = 0; i < report.leg_count; i++) {
		info->volumes += report.legs[i].volumes;
		info->joined += report.legs[i].volumes - report.legs[i].joining;
	}
	link_reply_free(WIRE_SESSION_STATUS, &report);
}

static int get_info(struct copy *copy, uint8_t session, struct copy_session_info *info)
{
	struct session_entry *entry = session_entry_find(copy, session);
	struct source *source = source_find(copy, session);
	bool is_master = entry && entry->master;

	*info = (struct copy_session_info){ 0 };
	if (entry && group_is(entry)) {
		add_entry(entry, info);
		group_get_info(entry, info);
		return 0;
	}
	/* One that was swapped away is known here still, and has its volumes at the far sides' end. */
	if (!entry || (entry->record.role == SESSION_NO_ROLE && (!source || !source_has_pairs(source)))) {
		if (add_legs(copy, session, info))
			return 0;
	}
	if (!entry)
		return -1;
	add_entry(entry, info);
	if (source)
		source_get_info(source, info);
	for (unsigned i = 0; is_master && i < info->member_count; i++) {
		if (info->member_reached[i] && strcmp(info->members[i], copy->config.system) != 0)
			add_member(copy, info->members[i], info);
	}
	return 0;
}

int copy_session_get(struct copy *copy, uint8_t session, struct copy_session_info *info)
{
	struct session_view view;

	if (get_info(copy, session, info))
		return -1;
	session_look(copy, session, &view);
	/* On any of its systems. */
	view.facts.held = info->held;
	info->allowed_count = session_list_allowed(&view, info->allowed);
	return 0;
}

void copy_session_each(struct copy *copy, void (*each)(void *arg, const struct copy_session_info *info), void *arg)
{
	for (unsigned number = 1; number <= UINT8_MAX; number++) {
		struct copy_session_info info;

		if (!copy_session_get(copy, (uint8_t)number, &info))
			each(arg, &info);
	}
}

bool copy_session_is_open_on(struct copy *copy, uint8_t session, uint8_t lss)
{
	return session_lss_find(copy, session, lss) != NULL;
}

void copy_session_each_subordinate(struct copy *copy, uint8_t session,
				   void (*each)(void *arg, const char *system, uint8_t lss), void *arg)
{
	const struct subordinate *item;

	list_for_each(item, &copy->subordinates, link)
		if (item->record.session == session)
			each(arg, item->record.system, item->record.lss);
}

enum session_course copy_session_course(struct copy *copy, uint8_t session)
{
	const struct session_entry *entry = session_entry_find(copy, session);

	if (!entry || entry->record.role != SESSION_MASTER || entry->record.state == SESSION_FATAL)
		return SESSION_COURSE_NONE;
	if (entry->record.swap_system[0])
		return SESSION_COURSE_SWAP;
	return entry->record.state == SESSION_SUSPENDING ? SESSION_COURSE_PAUSE : SESSION_COURSE_NONE;
}

/* All its pairs. */
static bool is_full_duplex(struct copy *copy, uint16_t volume)
{
	const struct pair *pair = pair_first_of(copy, volume);
	bool all = pair;

	for (; pair; pair = pair_next_of(pair))
		all = all && pair->record.state == PAIR_FULL_DUPLEX;
	return all;
}

void copy_session_each_volume(struct copy *copy, uint8_t session,
			      void (*each)(void *arg, const struct copy_session_volume *volume), void *arg)
{
	struct copy_session_volume volume = { .session = session };
	const struct group_volume *grouped;
	struct pair *pair;
	struct leg *leg;

	list_for_each(grouped, &copy->group_volumes, link) {
		if (grouped->record.session != session)
			continue;
		volume.volume = grouped->record.volume;
		volume.joined = is_full_duplex(copy, grouped->record.volume);
		volume.is_source = true;
		each(arg, &volume);
	}
	list_for_each(pair, &copy->pairs, link) {
		if (pair->record.role != PAIR_SOURCE || pair->record.session != session)
			continue;
		volume.volume = pair->record.volume;
		volume.system = pair->record.system;
		volume.joined = pair->joined;
		volume.is_source = true;
		each(arg, &volume);
	}
	list_for_each(leg, &copy->legs, link) {
		const struct journal_cg *cg = leg_committed_cg(leg);

		for (uint32_t i = 0; leg->record.session == session && cg && i < cg->volume_count; i++) {
			volume.volume = cg->volumes[i];
			volume.system = leg->record.source_system;
			volume.joined = true;
			volume.is_source = false;
			each(arg, &volume);
		}
	}
}
