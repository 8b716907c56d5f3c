/* SPDX-License-Identifier: Apache-2.0 */
/* The far side of a pair that is swapped (swap.h): it takes the volume over, and is its source from there on. */
#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_far.h"
#include "copy/session_entry.h"
#include "copy/source.h"
#include "copy/swap.h"
#include "rt/log.h"
#include "volume/volume.h"

#define TURN_NS	(5 * RT_SECOND)

static bool is_taken(const struct pair *pair, const struct wire_pair_swap *swap)
{
	return pair->record.role == PAIR_SOURCE && pair->record.session == swap->head.session;
}

/* What it would send, and where: a volume that was taken and cannot be sent would be without protection. */
static int check_way_back(struct pair *pair, char *why)
{
	const struct record_pair *record = &pair->record;

	if (path_exists(pair->copy, (uint8_t)(record->volume >> 8), record->system,
			(uint8_t)(record->remote_volume >> 8)))
		return 0;
	return copy_refuse(why, -ENOENT,
			   "no path leads back from system %s: there, xdc path create %02X %02X --system %s --to "
			   "HOST:PORT", pair->copy->config.system, record->volume >> 8, record->remote_volume >> 8,
			   record->system);
}

static int check_target(struct pair *pair, const struct wire_pair_swap *swap, struct leg *leg, char *why)
{
	struct copy_losses losses = copy_get_losses(pair->copy, pair->record.volume);

	if (pair->record.role != PAIR_TARGET || !leg || !leg_owes(leg, &pair->record) ||
	    !leg_group_has(leg, pair->record.volume))
		return copy_refuse(why, -ESTALE, "volume %04X of system %s is not in a group of session %u",
				   pair->record.volume, pair->copy->config.system, swap->head.session);
	if (losses.sync_wall_ns)
		return copy_refuse(why, -EIO, "volume %04X of system %s: its disk failed to keep writes",
				   pair->record.volume, pair->copy->config.system);
	return check_way_back(pair, why);
}

/* Durably; after an error it is the target that it was. */
static int become_source(struct pair *pair, const struct wire_pair_swap *swap)
{
	struct record_pair next = pair->record;
	struct history before = pair->history;
	uint8_t generation[16];
	int rc;

	/* Newer than what the other end has: it never overwrites this one. */
	rt_random_bytes(generation, sizeof(generation));
	history_begin(&pair->history, generation, swap->head.exists, rt_wall_ns());
	next.role = PAIR_SOURCE;
	next.state = PAIR_COPY_PENDING;
	next.reason = PAIR_REASON_NONE;
	next.since_wall_ns = rt_wall_ns();
	next.session = swap->head.session;
	next.joined = next.given_away = false;
	/* As after a failback: nothing is left to copy but what the other end has noted. */
	next.first_copy_done = false;
	next.first_copy_bytes = volume_size(pair->volume);
	/* What it had noted itself as a source is of the time before: the other end has it since. */
	pair_untrack(pair);
	rc = pair_change_record(pair, &next);
	if (rc) {
		pair->history = before;
		return rc;
	}
	pair_leave_session(pair);
	return 0;
}

/* In the pair's turn, the session known here. */
static int take(struct pair *pair, const struct wire_pair_swap *swap, struct leg *leg, char *why)
{
	const struct copy_config *config = &pair->copy->config;
	struct source *source;
	int rc = 0;

	if (!is_taken(pair, swap)) {
		rc = check_target(pair, swap, leg, why);
		if (!rc && leg->record.shown_sequence != swap->head.exists)
			rc = copy_refuse(why, -ESTALE, "system %s does not show CG %llu", config->system,
					 (unsigned long long)swap->head.exists);
		if (!rc)
			rc = pair_far_close(pair, why);
		if (!rc)
			rc = become_source(pair, swap);
	}
	if (!rc)
		rc = pair_begin_source(pair);
	if (rc)
		return rc;
	if (config->end_losses)
		config->end_losses(config->find_arg, pair->record.volume);
	source = source_get(pair->copy, swap->head.session);
	rc = source ? source_add_pair(source, pair) : -ENOMEM;
	if (rc && rc != -EEXIST)
		return rc;
	peer_look_again(pair->peer);
	return 0;
}

/* Durable before the first volume is taken: a start finds it closed to hosts until the first group. */
static int ensure_session(struct copy *copy, const struct wire_pair_swap *swap)
{
	struct session_entry *entry;
	struct record_session next;
	int rc = session_entry_ensure(copy, swap->head.session, swap->key, (uint8_t)(swap->target_volume >> 8));

	if (rc)
		return rc;
	entry = session_entry_find(copy, swap->head.session);
	if (entry->record.hosts_awaited)
		return 0;
	rc = session_entry_begin_change(entry, &next);
	if (rc)
		return rc;
	next.hosts_stopped = next.hosts_awaited = true;
	return session_entry_end_change(entry, &next);
}

int swap_forget_leg(struct copy *copy, struct leg *leg)
{
	const struct pair *pair;

	list_for_each(pair, &copy->pairs, link) {
		if (leg_owes(leg, &pair->record) && pair->record.session == leg->record.session)
			return 0;
	}
	return leg_forget(leg);
}

static int take_in_turn(struct pair *pair, const struct wire_pair_swap *swap, char *why)
{
	struct copy *copy = pair->copy;
	struct leg *leg = leg_find(copy, swap->head.session, pair->record.system);
	int rc = is_taken(pair, swap) ? 0 : ensure_session(copy, swap);
	RT_LIMIT(rt_now_ns() + TURN_NS);

	if (!rc)
		rc = pair_begin_change(pair);
	if (rc)
		return rc;
	rc = take(pair, swap, leg, why);
	pair_end_change(pair);
	/* It may have begun to form groups: then there is none to forget. */
	leg = leg_find(copy, swap->head.session, pair->record.system);
	return rc || !leg ? rc : swap_forget_leg(copy, leg);
}

int swap_on_pair(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_swap *swap = request;
	struct wire_pair_reply *answer = reply;
	struct copy *copy = arg;
	struct pair *pair = pair_find(copy, swap->target_volume, peer->system);
	int rc;
	RT_SHIELD();

	if (!pair || pair->record.remote_volume != swap->source_volume)
		return copy_refuse(why, -ENOENT, "volume %04X of system %s is not paired with volume %04X of %s",
				   swap->target_volume, copy->config.system, swap->source_volume, peer->system);
	pair_pin(pair);
	if (swap->check)
		rc = is_taken(pair, swap) ? 0 : check_target(pair, swap,
							     leg_find(copy, swap->head.session, peer->system), why);
	else
		rc = take_in_turn(pair, swap, why);
	if (!rc) {
		memcpy(answer->boot_id, copy->far_boot_id, WIRE_ID_SIZE);
		answer->state = (uint8_t)pair->record.state;
		answer->size_bytes = volume_size(pair->volume);
		answer->history = pair->history;
	}
	pair_unpin(pair);
	return rc;
}
