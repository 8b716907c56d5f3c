/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a session from its groups until somebody does something, and what that is (copy.h). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "copy/leg.h"
#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/session_entry.h"
#include "copy/source.h"

const char *const problem_kind_names[] = {
	"journal-offline", "not-applied", "sync-failed", "writes-lost", "volume-offline", "far-refuses",
	"pair-suspended", "target-behind",
};
_Static_assert(sizeof(problem_kind_names) / sizeof(problem_kind_names[0]) == PROBLEM_KIND_COUNT, "a word for each");

struct telling {
	struct copy *copy;
	uint8_t session;
	void (*each)(void *arg, const struct copy_problem *problem);
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void say_remedy(struct copy_problem *problem, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(problem->remedy, sizeof(problem->remedy), format, args);
	va_end(args);
}

/* ---- at a far side ---- */

static void tell_offline(const struct telling *telling, const struct leg *leg)
{
	struct copy_problem problem = {
		.kind = PROBLEM_JOURNAL_OFFLINE, .volume = -1, .since_wall_ns = leg->offline_since_wall_ns,
	};

	memcpy(problem.system, leg->record.source_system, sizeof(problem.system));
	snprintf(problem.reason, sizeof(problem.reason), "%s", leg->offline_why);
	say_remedy(&problem, "mend it and start xdcd again; or xdc session terminate %u --force gives its group up, "
		   "and its volumes are copied anew", telling->session);
	telling->each(telling->arg, &problem);
}

static void tell_not_applied(const struct telling *telling, const struct leg *leg)
{
	struct copy_problem problem = { .kind = PROBLEM_NOT_APPLIED, .volume = -1 };

	memcpy(problem.system, leg->record.source_system, sizeof(problem.system));
	snprintf(problem.reason, sizeof(problem.reason), "its last group cannot be brought into the volumes: %s",
		 strerror(-leg->apply_error));
	say_remedy(&problem, "xdc volume list shows which volume fails; it is tried again by itself");
	telling->each(telling->arg, &problem);
}

/* ---- volumes, at either side ---- */

static void tell_losses(const struct telling *telling, const struct pair *pair)
{
	struct copy_losses losses = copy_get_losses(telling->copy, pair->record.volume);
	struct copy_problem problem = { .volume = pair->record.volume };

	if (losses.sync_wall_ns) {
		problem.kind = PROBLEM_SYNC_FAILED;
		problem.since_wall_ns = losses.sync_wall_ns;
		snprintf(problem.reason, sizeof(problem.reason), "its disk failed to keep writes");
		say_remedy(&problem, "mend the disk, then xdc volume accept %04X: what may be lost is copied again",
			   pair->record.volume);
		telling->each(telling->arg, &problem);
	}
	if (losses.power_wall_ns && pair->record.role == PAIR_SOURCE) {
		problem.kind = PROBLEM_WRITES_LOST;
		problem.since_wall_ns = losses.power_wall_ns;
		snprintf(problem.reason, sizeof(problem.reason),
			 "the power failed, and it lost writes that were not flushed; the last group before is kept");
		say_remedy(&problem, "check what is on it, then xdc volume accept %04X; "
			   "or at a far side xdc session recover %u", pair->record.volume, telling->session);
		telling->each(telling->arg, &problem);
	}
}

static void tell_suspended(const struct telling *telling, const struct pair *pair)
{
	struct copy_pair_info info = { .volume = pair->record.volume, .reason = pair->record.reason };
	struct copy_problem problem = {
		.kind = PROBLEM_PAIR_SUSPENDED, .volume = pair->record.volume,
		.since_wall_ns = pair->record.since_wall_ns,
	};
	char remedy[COPY_REMEDY_MAX];

	copy_pair_remedy(&info, remedy);
	memcpy(problem.system, pair->record.system, sizeof(problem.system));
	snprintf(problem.reason, sizeof(problem.reason), "its pair is suspended: %s",
		 pair_reason_names[pair->record.reason]);
	say_remedy(&problem, "%s; or xdc session remove %u %04X goes on without it", remedy, telling->session,
		   pair->record.volume);
	telling->each(telling->arg, &problem);
}

static void tell_no_moment(const struct telling *telling, const struct pair *pair, const struct pair *other)
{
	struct copy_problem problem = {
		.kind = PROBLEM_TARGET_BEHIND,
		.volume = pair->record.volume,
		.since_wall_ns = other->record.since_wall_ns,
	};

	memcpy(problem.system, other->record.system, sizeof(problem.system));
	snprintf(problem.reason, sizeof(problem.reason),
		 "it is the target of volume %04X there, which is not known to be full-duplex: what it holds may be of "
		 "no moment",
		 other->record.remote_volume);
	say_remedy(&problem, "on %s: xdc pair show %04X --to SYSTEM; a global-copy pair needs xdc pair go-to-sync",
		   other->record.system, other->record.remote_volume);
	telling->each(telling->arg, &problem);
}

static void tell_left(const struct telling *telling, const struct left_pair *left)
{
	struct copy_problem problem = {
		.kind = PROBLEM_VOLUME_OFFLINE, .volume = left->record.volume, .reason = "it could not be opened",
	};

	say_remedy(&problem, "xdc volume show %04X says why: mend that and start xdcd again%s; "
		   "or xdc pair delete %04X --force goes on without it", left->record.volume,
		   left->record.role == PAIR_TARGET ? ", and after a recovery repeat xdc session recover" : "",
		   left->record.volume);
	telling->each(telling->arg, &problem);
}

void copy_session_each_problem(struct copy *copy, uint8_t session,
			       void (*each)(void *arg, const struct copy_problem *problem), void *arg)
{
	const struct telling telling = { .copy = copy, .session = session, .each = each, .arg = arg };
	struct source *source = source_find(copy, session);
	const struct left_pair *left;
	const struct pair *pair;
	struct leg *leg;

	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.session == session)
			tell_left(&telling, left);
	}
	list_for_each(leg, &copy->legs, link) {
		if (leg->record.session != session)
			continue;
		if (!leg_is_online(leg))
			tell_offline(&telling, leg);
		else if (leg->apply_error)
			tell_not_applied(&telling, leg);
	}
	list_for_each(pair, &copy->pairs, link) {
		if (pair->gone || pair->record.session != session)
			continue;
		tell_losses(&telling, pair);
		if (pair_stops_groups(pair) && pair_of_no_moment(pair))
			tell_no_moment(&telling, pair, pair_of_no_moment(pair));
		else if (pair_stops_groups(pair) &&
			 (pair->record.reason != PAIR_REASON_SESSION || source_is_joined(source)))
			tell_suspended(&telling, pair);
	}
	if (source)
		source_each_refusal(source, each, arg);
}
