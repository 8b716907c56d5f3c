/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/leg_show.h"

#include <errno.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_far.h"
#include "rt/log.h"
#include "store/planted.h"

#define APPLIED_NS	(6 * RT_SECOND)		/* for the CG to be in its volumes; the master asks again */
#define RETRY_NS	RT_SECOND

static bool is_shown_by(struct leg *leg, const struct pair *pair)
{
	return leg_owes(leg, &pair->record) && leg_group_has(leg, pair->record.volume);
}

/* Runs fn for each pair of the leg's CG in its turn, up to the first error. */
static int each_pair(struct leg *leg, int (*fn)(struct pair *pair, char *why), char *why)
{
	struct pair *pair;
	int rc = 0;

	for (pair = pair_pin_first(leg->copy); pair; pair = pair_pin_next(pair)) {
		if (!is_shown_by(leg, pair))
			continue;
		rc = pair_begin_change(pair);
		if (!rc) {
			/* In its turn: a recovery may have made it writable meanwhile. */
			rc = is_shown_by(leg, pair) ? fn(pair, why) : 0;
			pair_end_change(pair);
		}
		if (rc == -ENOENT)
			rc = 0;		/* it went meanwhile */
		if (rc) {
			pair_unpin(pair);
			break;
		}
	}
	return rc;
}

static int open_to_readers(struct pair *pair, char *why)
{
	(void)why;
	return pair_set_access(pair, VOLUME_ACCESS_READ);
}

static bool is_applied(const struct leg *leg)
{
	struct journal_info info;

	leg_get_info(leg, &info);
	return info.applied >= info.committed;
}

/* Some that were closed are open again; those that cannot be stay closed until the command is given again. */
static void open_all(struct leg *leg)
{
	char why[WIRE_TEXT_SIZE] = "";
	int rc = each_pair(leg, open_to_readers, why);

	if (rc)
		log_line(LOG_WARNING, "session", "session %u of %s: its volumes are not all open to readers: %s",
			 leg->record.session, leg->record.source_system, strerror(-rc));
}

static void show_when_applied(void *arg)
{
	struct leg *leg = arg;
	int rc = 0;

	while (rc != -ECANCELED) {
		rc = leg_wait_applied(leg);
		if (!rc)
			rc = rt_mutex_lock(&leg->showing);
		if (!rc) {
			if (leg->record.shown_sequence && is_applied(leg))
				open_all(leg);
			rt_mutex_unlock(&leg->showing);
			return;
		}
		if (rt_sleep_until(rt_now_ns() + RETRY_NS))
			return;
	}
}

int leg_show_again(struct leg *leg)
{
	return leg->record.shown_sequence ? rt_group_start(&leg->fibers, "leg show", show_when_applied, leg) : 0;
}

/* Durable, or as it was. */
static int set_shown(struct leg *leg, uint64_t number)
{
	struct record_leg before = leg->record;
	int rc;

	if (leg->record.shown_sequence == number)
		return 0;
	leg->record.shown_sequence = number;
	leg->record.shown_wall_ns = number ? rt_wall_ns() : 0;
	rc = leg_save(leg);
	if (rc)
		leg->record = before;
	return rc;
}

static int wait_applied(struct leg *leg)
{
	RT_LIMIT(rt_now_ns() + APPLIED_NS);

	return planted(PLANTED_SHOW_UNAPPLIED) ? 0 : leg_wait_applied(leg);
}

/* In the leg's turn. */
static int show(struct leg *leg, uint64_t number, char *why)
{
	struct journal_info info;
	int rc;

	leg_get_info(leg, &info);
	if (info.committed < number && !info.prepared)
		return 0;		/* it came to the session later, and has nothing to show */
	if (info.committed != number)
		return copy_refuse(why, -ESTALE, "the last group on system %s is CG %llu, not %llu",
				   leg->copy->config.system, (unsigned long long)info.committed,
				   (unsigned long long)number);
	rc = wait_applied(leg);
	if (rc)
		return copy_refuse(why, rc, "CG %llu is not in the volumes of system %s yet: %s",
				   (unsigned long long)number, leg->copy->config.system, strerror(-rc));
	rc = set_shown(leg, number);
	if (rc)
		return copy_refuse(why, rc, "that its volumes are shown is not durable on system %s: %s",
				   leg->copy->config.system, strerror(-rc));
	return each_pair(leg, open_to_readers, why);
}

int leg_on_show(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *ask = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &ask->head, &leg, why);
	RT_SHIELD();

	if (!rc)
		rc = rt_mutex_lock(&leg->showing);
	if (rc)
		return rc;
	rc = show(leg, ask->head.exists, why);
	rt_mutex_unlock(&leg->showing);
	if (!rc)
		leg_fill_state(leg, reply);
	return rc;
}

static int hide(struct leg *leg, char *why)
{
	int rc = leg->record.shown_sequence ? each_pair(leg, pair_far_close, why) : 0;

	if (!rc)
		rc = set_shown(leg, 0);
	if (rc && leg->record.shown_sequence && is_applied(leg))
		open_all(leg);
	return rc;
}

int leg_hide(struct leg *leg, char *why)
{
	int rc = rt_mutex_lock(&leg->showing);

	if (rc)
		return rc;
	rc = hide(leg, why);
	rt_mutex_unlock(&leg->showing);
	return rc;
}

int leg_on_hide(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_leg_request *ask = request;
	LEG_PINNED struct leg *leg = NULL;
	int rc = leg_admit(arg, peer, &ask->head, &leg, why);
	RT_SHIELD();

	if (!rc)
		rc = leg_hide(leg, why);
	if (!rc)
		leg_fill_state(leg, reply);
	return rc;
}
