/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs in the state table: what they are there, and what it lets be done with them (pair.h, pair_left.h). */
#include <stdio.h>

#include "copy/group_volume.h"
#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "store/planted.h"

void pair_look(struct pair *pair, enum copy_type *type, enum copy_state *state)
{
	const struct record_pair *record = &pair->record;
	const struct copy_pair_facts facts = {
		.record = record, .grouped = leg_owns_volume(pair->copy, record->volume), .frozen = pair->frozen,
		.resyncing = pair->resync_blocks,
		.writes_lost = copy_get_losses(pair->copy, record->volume).power_wall_ns,
	};

	copy_table_of_pair(&facts, type, state);
}

void pair_left_look(struct copy *copy, const struct left_pair *left, enum copy_type *type, enum copy_state *state)
{
	const struct copy_pair_facts facts = {
		.record = &left->record, .offline = true, .grouped = leg_owns_volume(copy, left->record.volume),
	};

	copy_table_of_pair(&facts, type, state);
}

static int check(struct copy *copy, enum copy_type type, enum copy_state state, const struct record_pair *record,
		 enum copy_verb verb, bool force, struct fault *fault)
{
	uint8_t group = group_of_volume(copy, record->volume, SESSION_TYPE_PPRC);
	char object[64];
	const struct copy_words words = {
		.object = object, .volume = record->volume, .remote = record->remote_volume, .system = record->system,
		.session = record->session ? record->session : group, .state = pair_state_names[record->state],
		.reason = pair_reason_names[record->reason],
	};

	snprintf(object, sizeof(object), "pair of volume %04X", record->volume);
	return copy_table_check(type, state, verb, force, &words, fault);
}

int pair_check(struct pair *pair, enum copy_verb verb, bool force, struct fault *fault)
{
	enum copy_type type;
	enum copy_state state;

	if (planted(PLANTED_STATE_UNASKED) && verb == COPY_RESUME)
		return 0;
	pair_look(pair, &type, &state);
	return check(pair->copy, type, state, &pair->record, verb, force, fault);
}

int pair_left_check(struct copy *copy, const struct left_pair *left, enum copy_verb verb, bool force,
		    struct fault *fault)
{
	enum copy_type type;
	enum copy_state state;

	pair_left_look(copy, left, &type, &state);
	return check(copy, type, state, &left->record, verb, force, fault);
}
