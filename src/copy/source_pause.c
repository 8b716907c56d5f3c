/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A source whose session is paused with a consistent target, and resumed (source.h). Each order is carried out as far
 * as it can be, and given again until all of it is done; it needs no join, since the source may have started again
 * meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/session_entry.h"
#include "copy/source_private.h"
#include "rt/log.h"

/* The session's part here, if the master may give it orders. */
static int admit_order(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head,
		       struct source **out, char *why)
{
	int rc = source_check_speaker(peer, head, why);

	if (rc)
		return rc;
	if (session_entry_check(copy, head->session, why))
		return -EPERM;
	*out = source_find(copy, head->session);
	/* No volume of it was ever here since the start, or all have left: there is nothing to do. */
	if (!*out)
		return session_entry_find(copy, head->session) ? 0 :
		       copy_refuse(why, -ENOENT, "session %u is not open on system %s", head->session,
				   copy->config.system);
	if (head->incarnation < (*out)->incarnation)
		return copy_refuse(why, -ESTALE, "session %u has a newer master, %s", head->session, (*out)->master);
	return 0;
}

static bool is_of(const struct pair *pair, const struct source *source)
{
	return !pair->gone && pair->record.role == PAIR_SOURCE && pair->record.session == source->number;
}

/* Runs fn for each pair of the session in its turn, up to the first error. */
static int each_pair(struct source *source, int (*fn)(struct pair *pair))
{
	struct pair *pair;
	int rc = 0;

	for (pair = pair_pin_first(source->copy); pair; pair = pair_pin_next(pair)) {
		if (!is_of(pair, source))
			continue;
		rc = pair_begin_change(pair);
		if (!rc) {
			rc = is_of(pair, source) ? fn(pair) : 0;
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

static struct record_pair record_in(const struct pair *pair, enum pair_state state, enum pair_reason reason)
{
	struct record_pair next = pair->record;

	next.state = state;
	next.reason = reason;
	next.since_wall_ns = rt_wall_ns();
	return next;
}

/* One that an administrator has suspended stays that when the session is resumed. Durable first. */
static int suspend_pair(struct pair *pair)
{
	const struct record_pair next = record_in(pair, PAIR_SUSPENDED, PAIR_REASON_SESSION);
	int rc;

	if (pair->record.state == PAIR_SUSPENDED && (pair->record.reason == PAIR_REASON_COMMAND ||
						     pair->record.reason == PAIR_REASON_SESSION))
		return 0;
	rc = pair_change_record(pair, &next);
	if (!rc)
		pair_suspend(pair, PAIR_SUSPENDED, PAIR_REASON_SESSION);
	return rc;
}

static int resume_pair(struct pair *pair)
{
	const struct record_pair next = record_in(pair, PAIR_COPY_PENDING, PAIR_REASON_NONE);
	int rc;

	if (pair->record.state != PAIR_SUSPENDED || pair->record.reason != PAIR_REASON_SESSION)
		return 0;
	rc = pair_change_record(pair, &next);
	if (!rc)
		pair_take_up_again(pair);
	return rc;
}

static int refuse_pairs(const struct source *source, int error, char *why)
{
	return copy_refuse(why, error, "the pairs of session %u on system %s cannot be changed: %s", source->number,
			   source->copy->config.system, strerror(-error));
}

static int ask_all_legs(struct source *source, uint16_t type, const struct wire_session_head *head, char *why)
{
	const struct leg_question question = { .type = type, .head = head, .limit_ns = rt_now_ns() + LEG_ANSWER_NS };

	return source_ask_legs(source, &question, why);
}

int source_on_suspend(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *suspend = request;
	struct source *source = NULL;
	int rc = admit_order(arg, peer, &suspend->head, &source, why);

	if (rc || !source)
		return rc;
	member_leave(source->member, 0, CG_FAILURE_PAIR_SUSPENDED);
	/* No far side is told from here on that the session runs. */
	source->joined = false;
	rc = each_pair(source, suspend_pair);
	if (rc)
		return refuse_pairs(source, rc, why);
	rc = ask_all_legs(source, WIRE_LEG_SHOW, &suspend->head, why);
	if (!rc)
		source_fill_answer(source, reply);
	return rc;
}

int source_on_resume(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_session_request *resume = request;
	struct source *source = NULL;
	int rc = admit_order(arg, peer, &resume->head, &source, why);

	if (rc || !source)
		return rc;
	rc = ask_all_legs(source, WIRE_LEG_HIDE, &resume->head, why);
	if (rc)
		return rc;
	rc = each_pair(source, resume_pair);
	if (rc)
		return refuse_pairs(source, rc, why);
	source_fill_answer(source, reply);
	return 0;
}
