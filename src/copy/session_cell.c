/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions in the table: how they stand here, and what it lets be done with them (session_entry.h). */
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_freeze.h"
#include "copy/session.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "copy/swap.h"
#include "store/planted.h"

static void look_at_master(const struct session *master, struct session_facts *facts)
{
	struct copy_session_info info = { 0 };

	session_get_info(master, &info);
	facts->runs = true;
	facts->pausing = session_is_pausing(master) || session_has_ended(master);
	facts->over = info.state == SESSION_FATAL;
}

static bool hosts_are_held(struct copy *copy, uint8_t session)
{
	struct freeze *freeze = freeze_find_session(copy, session);
	bool held = freeze && freeze_is_suspended(freeze);

	if (freeze)
		freeze_put(freeze);
	return held;
}

/*
 * The old site is the source again. Not one that could not show the group when the others were recovered: that waits
 * for it still.
 */
static bool is_given_back(const struct record_pair *record)
{
	return !record->joined &&
	       (record->state == PAIR_TARGET_COPY_PENDING || record->state == PAIR_TARGET_FULL_DUPLEX);
}

static void look_at_pairs(struct copy *copy, uint8_t session, struct session_facts *facts)
{
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		const struct record_pair *record = &pair->record;

		if (pair->gone || !leg_recovered_has(copy, session, record->system, record->volume))
			continue;
		facts->failing_back = facts->failing_back || record->role == PAIR_SOURCE;
		facts->returning = facts->returning || record->state == PAIR_TARGET_SUSPENDED || is_given_back(record);
	}
}

static void look_at_far_side(struct copy *copy, uint8_t session, struct session_view *view)
{
	struct session_facts *facts = &view->facts;
	const struct leg *leg;

	list_for_each(leg, &copy->legs, link) {
		if (leg->gone || leg->record.session != session)
			continue;
		facts->is_far = true;
		facts->recovered = facts->recovered || leg_is_recovered(leg);
		facts->far_over = facts->far_over || leg->record.state == SESSION_FATAL;
		if (!view->master[0])
			memcpy(view->master, leg->record.master_system, sizeof(view->master));
	}
	if (facts->recovered)
		look_at_pairs(copy, session, facts);
}

void session_look(struct copy *copy, uint8_t session, struct session_view *view)
{
	const struct session_entry *entry = session_entry_find(copy, session);
	const struct source *source = source_find(copy, session);
	const struct record_session *record = entry ? &entry->record : NULL;
	struct session_facts *facts = &view->facts;

	*view = (struct session_view){ .session = session, .facts.record = record };
	if (record && strcmp(record->master_system, copy->config.system) != 0)
		memcpy(view->master, record->master_system, sizeof(view->master));
	if (!view->master[0] && source)
		source_get_master(source, view->master);
	facts->elsewhere = view->master[0] && strcmp(view->master, copy->config.system) != 0;
	if (entry && entry->master)
		look_at_master(entry->master, facts);
	facts->held = entry && hosts_are_held(copy, session);
	look_at_far_side(copy, session, view);
	facts->left_by_swap = swap_has_left(copy, session);
}

static enum session_type type_of(const struct session_view *view)
{
	return view->facts.record ? session_type_of_code(view->facts.record->type) : SESSION_XDC;
}

int session_check_view(const struct session_view *view, enum session_verb verb, bool force, struct fault *fault)
{
	const struct record_session *record = view->facts.record;
	const struct session_words words = {
		.session = view->session, .state = record ? session_state_names[record->state] : "",
		.master = view->master, .next = record ? record->swap_system : "",
	};

	if (planted(PLANTED_STATE_UNASKED) && verb == SESSION_DO_PAUSE)
		return 0;
	return session_table_check(type_of(view), session_table_of(&view->facts, verb), verb, force, &words, fault);
}

int session_check(struct copy *copy, uint8_t session, enum session_verb verb, bool force, struct fault *fault)
{
	struct session_view view;

	session_look(copy, session, &view);
	return session_check_view(&view, verb, force, fault);
}

unsigned session_list_allowed(const struct session_view *view, const char *out[SESSION_VERB_COUNT])
{
	unsigned count = 0;

	for (enum session_verb verb = 0; verb < SESSION_VERB_COUNT; verb++) {
		const char *text = session_table_allows(type_of(view), session_table_of(&view->facts, verb), verb);

		if (text)
			out[count++] = text;
	}
	return count;
}
