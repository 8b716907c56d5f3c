/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes leave a session and come back, while hosts write: all of a source system at once, so that its leg falls
 * behind the groups of the others; beside a running session or a paused one, with restarts of the source or far side
 * between. Groups go on, and when hosts are quiet both sides are equal. In the middle, in a branch, the source site is
 * lost while the leg is in no group any more: the groups of the others are recovered all the same. Or one volume alone
 * leaves and comes back, and the source site is lost about then: a group that has it shows it as of its moment. Or one
 * pair is suspended, and stays in the session: there is no group, and the administrator hears why, until it goes on.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"
#include "sites.h"

#define CHANGES		3u

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

struct removal {
	struct box *box;
	unsigned count;			/* of its volumes */
};

static int remove_volumes(void *arg)
{
	struct removal *removal = arg;
	struct box *box = removal->box;
	struct fault fault = { 0 };
	int rc = 0;

	/* One by one: a command that failed may have done half of its work, and is given again. */
	for (unsigned i = 0; i < removal->count && !rc; i++) {
		rc = copy_session_remove(box->copy, SITES_SESSION, &box->volumes[i], 1, &fault);
		if (rc && strstr(fault.message, "it is not in"))
			rc = 0;
	}
	return rc;
}

struct resume {
	struct box *box;
	struct session_start start;
};

static int resume(void *arg)
{
	struct resume *resume = arg;
	struct fault fault;

	return copy_session_resume(resume->box->copy, &resume->start, &fault);
}

static int pause_or_resume(struct box *master, bool on)
{
	struct resume order = { .box = master, .start.session = SITES_SESSION };

	return on ? box_session_pause(master, SITES_SESSION, false) : box_call(master, resume, &order);
}

static int restart(struct box *box)
{
	box_crash(box, below(2) ? SIM_DEATH : SIM_POWER_LOSS);
	scenario_count("restarts", 1);
	return box_boot(box);
}

static int suspend_one(void *arg)
{
	struct box *box = arg;
	const struct copy_pair_name pair = { .volume = box->volumes[0] };
	struct fault fault;

	return copy_pair_suspend(box->copy, &pair, &fault);
}

static int let_it_go_on(void *arg)
{
	struct box *box = arg;
	const struct copy_pair_name pair = { .volume = box->volumes[0] };
	struct fault fault;

	return copy_pair_resume(box->copy, &pair, &fault);
}

enum what { REMOVE, REMOVE_ONE, PAUSE, RESUME, ADD, SUSPEND, GO_ON };

static int give_once(struct sites *sites, enum what what)
{
	struct box *master = &sites->sources[0], *box = &sites->sources[1];
	struct removal removal = { .box = box, .count = what == REMOVE ? box->volume_count : 1 };

	switch (what) {
	case REMOVE:
	case REMOVE_ONE:
		return box_call(box, remove_volumes, &removal);
	case ADD:
		return box_session_add(box, SITES_SESSION);
	case SUSPEND:
		return box_call(box, suspend_one, box);
	case GO_ON:
		return box_call(box, let_it_go_on, box);
	default:
		return pause_or_resume(master, what == PAUSE);
	}
}

/* Where a call failed the command may have been done all the same: what follows shows. */
static int give(struct sites *sites, enum what what)
{
	unsigned tries = 0;
	int rc = give_once(sites, what);

	while (rc && !faults_mend_all(sites) && scenario_try_again(&tries)) {
		rc = give_once(sites, what);
		if (rc && (what == PAUSE || what == RESUME))
			return 0;
	}
	return rc;
}

/* In a branch: the source site is lost. */
static int recover(struct sites *sites, struct recovery_result *result)
{
	unsigned tries = 0;
	int rc = -1;

	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	while (rc && tries++ < 20) {
		if (faults_mend_all(sites))
			return -ECANCELED;
		rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, result);
		if (!rc && result->volumes_missing)
			rc = -EIO;
		if (rc && rt_sleep_until(rt_now_ns() + 300 * RT_MS))
			return -ECANCELED;
	}
	if (rc)
		scenario_wrong("what is in the session cannot be recovered: %d", rc);
	return rc;
}

/* In a branch. */
static int recover_the_others(struct sites *sites)
{
	struct recovery_result result;

	if (!recover(sites, &result))
		scenario_count("recoveries without those that left", 1);
	return 0;
}

/* In a branch: the group may have the volume that left and came back, or not; if it has, then as of its moment. */
static int recover_about_return(struct sites *sites)
{
	struct recovery_result result;
	struct oracle_image image;

	if (recover(sites, &result))
		return 0;
	if (result.volumes < sites->oracle.place_count) {
		scenario_count("recoveries without the one that left", 1);
		return 0;
	}
	scenario_count("recoveries with the one that came back", 1);
	sites_judge_reading(sites, &image);
	return 0;
}

/* Its leg goes on with another volume meanwhile. *in_branch: this is the end of a branch. */
static int leave_for_a_while(struct sites *sites, bool *in_branch)
{
	int rc = give(sites, REMOVE_ONE);

	if (!rc)
		rc = sites_wait_groups(sites, 1 + (unsigned)below(3), 20 * RT_SECOND);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(100000) * RT_US);
	if (!rc)
		rc = give(sites, ADD);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(100000) * RT_US);
	if (!rc && scenario_branch()) {
		*in_branch = true;
		return recover_about_return(sites);
	}
	if (rc)
		sim_fail(sim_world(), "a volume cannot leave and come back: %d", rc);
	else if (sites_wait_joined(sites, 30 * RT_SECOND))
		sim_fail(sim_world(), "it does not join again");
	return rc;
}

/* The first system goes on with groups of its own meanwhile, or does not. *in_branch: this is the end of a branch. */
static int change(struct sites *sites, bool *in_branch)
{
	struct box *box = &sites->sources[1];
	bool paused = below(2);
	int rc = give(sites, REMOVE);

	if (!rc && below(2)) {
		rc = sites_wait_groups(sites, 1 + (unsigned)below(3), 20 * RT_SECOND);
		if (!rc && scenario_branch()) {
			*in_branch = true;
			return recover_the_others(sites);
		}
	}
	if (!rc && !below(3))
		rc = restart(below(2) ? box : &sites->fars[1]);
	if (!rc && paused)
		rc = give(sites, PAUSE);
	if (!rc)
		rc = give(sites, ADD);
	if (!rc && paused)
		rc = give(sites, RESUME);
	if (rc)
		sim_fail(sim_world(), "volumes cannot leave and come back: %d", rc);
	scenario_count(paused ? "came back to a pause" : "came back to a running session", 1);
	if (!rc && sites_wait_joined(sites, 30 * RT_SECOND))
		sim_fail(sim_world(), "they do not join again");
	return rc;
}

static void look_at_problem(void *arg, const struct copy_problem *problem)
{
	if (problem->kind == PROBLEM_PAIR_SUSPENDED)
		*(int *)arg = problem->volume;
}

static int find_suspended(void *arg)
{
	struct box *box = arg;
	int volume = -1;

	copy_session_each_problem(box->copy, SITES_SESSION, look_at_problem, &volume);
	return volume == box->volumes[0] ? 0 : -ENOENT;
}

/* The master says so of another attempt than before, so does the system of the pair, and no group comes about. */
static int wait_told(struct sites *sites, uint64_t failed_before)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND, shown_ns;
	struct copy_session_info info = { 0 };
	uint64_t sequence;
	int rc = 0;

	while (!rc && (info.last_failure.reason != CG_FAILURE_PAIR_SUSPENDED ||
		       info.last_failure.sequence == failed_before)) {
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (!rc)
			rc = faults_mend_all(sites);
		if (!rc)
			rc = box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns);
	}
	if (rc)
		return rc;
	if (strcmp(info.last_failure.system, sites->sources[1].id) != 0)
		return -EXDEV;
	sequence = info.sequence;
	rc = rt_sleep_until(rt_now_ns() + (int64_t)below(1500) * RT_MS);
	if (!rc)
		rc = box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns);
	if (!rc && info.sequence != sequence)
		scenario_wrong("a group was formed although a pair of it is suspended");
	return rc ? rc : box_call(&sites->sources[1], find_suspended, &sites->sources[1]);
}

/* *in_branch: this is the end of a branch. */
static int suspend_for_a_while(struct sites *sites, bool *in_branch)
{
	struct copy_session_info before;
	int64_t shown_ns;
	int rc = box_session_info(&sites->sources[0], SITES_SESSION, &before, &shown_ns);

	if (!rc)
		rc = give(sites, SUSPEND);
	if (!rc)
		rc = wait_told(sites, before.last_failure.sequence);
	if (!rc && scenario_branch()) {
		*in_branch = true;
		return recover_about_return(sites);
	}
	if (!rc)
		rc = give(sites, GO_ON);
	if (!rc)
		rc = sites_wait_groups(sites, 2, 20 * RT_SECOND);
	if (rc)
		sim_fail(sim_world(), "a pair that is suspended for a while: %d", rc);
	scenario_count("suspended for a while", 1);
	return rc;
}

static int change_something(struct sites *sites, bool *in_branch)
{
	switch (below(4)) {
	case 0:
		return change(sites, in_branch);
	case 1:
		return suspend_for_a_while(sites, in_branch);
	default:
		return leave_for_a_while(sites, in_branch);
	}
}

static int live(struct sites *sites)
{
	bool in_branch = false;
	int rc;

	/* What groups overwrite is kept of volumes that come and go, too. */
	sites->keep_ns = 3600 * RT_SECOND;
	rc = sites_build(sites, 2, 2, CACHE_DIRECT, PAIR_ASYNC);
	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	for (unsigned i = 0; i < CHANGES && !rc && !in_branch; i++) {
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(200000) * RT_US);
		if (!rc)
			rc = change_something(sites, &in_branch);
	}
	if (in_branch)
		return rc;
	if (!rc)
		rc = sites_end(sites, 30 * RT_SECOND);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = {
	"host writes", "groups", NULL
};

static const char *const rarely_happens[] = {
	"restarts", "came back to a pause", "came back to a running session", "recoveries without those that left",
	"recoveries without the one that left", "recoveries with the one that came back", "suspended for a while",
	NULL
};

const struct scenario scenario_members = {
	.name = "members",
	.about = "volumes leave a session and come back, and nothing is lost",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
