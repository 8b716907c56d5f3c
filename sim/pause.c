/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is paused with a consistent target, and resumed, under load and faults.
 *
 * Goal: what hosts read in the targets is one moment, not before the command was given, and the same one all the time
 * until the session is resumed, whoever restarts; recovery gives it until then, and at any time a moment that lacks
 * nothing of what was reported. Method: the commands are given again and again while faults befall all systems; the
 * image of the first reading is compared with later ones; at random moments the run splits, and in the branch the
 * source site is lost and the session recovered.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define ROUNDS		3u
#define LOOKS		4u		/* at the targets in each pause */

struct run {
	struct sites *sites;
	struct faults faults;
	struct oracle_image image;	/* of this pause */
	bool paused;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static enum session_state state_of(struct sites *sites)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	return box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns) ? SESSION_OPEN : info.state;
}

/* One command until it is done; faults come and go, and then are over. */
static int give_surely(struct run *run, bool pause)
{
	struct box *master = &run->sites->sources[0];
	enum session_state wanted = pause ? SESSION_PAUSED_CONSISTENT : SESSION_RUNNING;
	int rc = -1;

	for (unsigned tries = 0; tries < 40 && rc && rc != -ECANCELED; tries++) {
		if (tries >= 6 || !below(3)) {
			faults_stop(&run->faults);
			if (faults_make_all_well(run->sites))
				return -ECANCELED;
		}
		/* It may have been done, and the answer lost with the system. */
		rc = state_of(run->sites) == wanted ? 0 : pause ? box_session_pause(master, SITES_SESSION, true) :
								  box_session_resume(master, SITES_SESSION);
		scenario_count(rc ? "commands refused" : "commands done", 1);
		if (rc && wait_ms(50 + below(200)))
			rc = -ECANCELED;
	}
	if (rc && rc != -ECANCELED)
		sim_fail(sim_world(), "%s does not come about: %d", pause ? "the pause" : "the resume", rc);
	return rc;
}

/* Readable again soon after whatever befell the far sides. */
static const char *try_to_read(struct run *run, struct oracle_image *image)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND;
	const char *bad = sites_take_reading(run->sites, image);

	while (bad && rt_now_ns() < until_ns && !wait_ms(20))
		bad = sites_take_reading(run->sites, image);
	return bad;
}

/* What a failing call kept from being opened at a start is tried again at the next, which an administrator sees to. */
static const char *read_targets(struct run *run, struct oracle_image *image)
{
	const char *bad = try_to_read(run, image);

	if (!bad || !sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL))
		return bad;
	for (unsigned i = 0; i < run->sites->far_count; i++) {
		faults_crash(run->sites, &run->sites->fars[i], SIM_DEATH);
		if (faults_bring_up(run->sites, &run->sites->fars[i]))
			return bad;
	}
	return try_to_read(run, image);
}

static void judge_same(const struct run *run, const struct oracle_image *image, const char *words)
{
	if (memcmp(image, &run->image, sizeof(*image)) != 0)
		scenario_wrong("%s is not the group of the pause", words);
}

/* In a branch: the source site is lost, now. */
static int lose_site(struct run *run)
{
	struct sites *sites = run->sites;
	struct recovery_result result = { 0 };
	struct oracle_image image;
	const char *bad;
	int rc;

	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	for (unsigned i = 0; i < sites->far_count; i++) {
		if (faults_mend(sites, &sites->fars[i]))
			return -EIO;
	}
	rc = box_session_recover(&sites->fars[below(sites->far_count)], SITES_SESSION, false, &result);
	/* A far side whose disk failed meanwhile shows the group when that is mended and the command given again. */
	for (unsigned tries = 0; (rc || result.volumes_missing) && tries < 20; tries++) {
		if (wait_ms(300) || faults_mend_all(sites))
			return -ECANCELED;
		rc = box_session_recover(&sites->fars[below(sites->far_count)], SITES_SESSION, false, &result);
	}
	if (rc) {
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
		return rc;
	}
	scenario_count("recoveries", 1);
	bad = sites_take_reading(sites, &image);
	if (bad)
		sim_fail(sim_world(), "%s", bad);
	bad = bad ? NULL : oracle_judge(&sites->oracle, &image, NULL);
	if (bad)
		scenario_wrong("%s", bad);
	if (run->paused)
		judge_same(run, &image, "what is recovered in a pause");
	return 0;
}

static int look_at_targets(struct run *run)
{
	struct oracle_image image;
	const char *bad;
	int rc = 0;

	for (unsigned i = 0; i < LOOKS && !rc; i++) {
		struct box *victim = sites_box(run->sites, (unsigned)below(sites_box_count(run->sites)));

		if (below(2)) {
			faults_crash(run->sites, victim, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
			scenario_count("crashes in a pause", 1);
			rc = faults_make_all_well(run->sites);
		}
		if (!rc)
			rc = wait_ms(below(300));
		bad = rc ? NULL : read_targets(run, &image);
		if (bad)
			sim_fail(sim_world(), "in a pause: %s", bad);
		else if (!rc)
			judge_same(run, &image, "what hosts read");
	}
	return rc;
}

/* A branch is the end of the run that it is in: 1. */
static int maybe_lose_site(struct run *run)
{
	if (below(2) || !scenario_branch())
		return 0;
	(void)!lose_site(run);
	return 1;
}

static int pause_and_resume(struct run *run)
{
	struct sites *sites = run->sites;
	int64_t given_ns;
	const char *bad;
	int rc = faults_start(&run->faults, sites, 1);

	if (!rc)
		rc = wait_ms(below(600));
	given_ns = rt_now_ns();
	if (!rc)
		rc = give_surely(run, true);
	faults_stop(&run->faults);
	if (!rc)
		rc = faults_make_all_well(sites);
	if (rc)
		return rc;
	oracle_require_before(&sites->oracle, given_ns);
	bad = read_targets(run, &run->image);
	if (bad)
		sim_fail(sim_world(), "paused: %s", bad);
	bad = bad ? NULL : oracle_judge(&sites->oracle, &run->image, NULL);
	if (bad)
		scenario_wrong("paused: %s", bad);
	run->paused = true;
	scenario_count("pauses", 1);
	rc = look_at_targets(run);
	if (!rc)
		rc = maybe_lose_site(run);
	if (!rc)
		rc = faults_start(&run->faults, sites, 1);
	if (!rc)
		rc = give_surely(run, false);
	run->paused = false;
	if (!rc)
		rc = wait_ms(below(200));
	if (!rc)
		rc = maybe_lose_site(run);
	faults_stop(&run->faults);
	if (!rc)
		rc = faults_make_all_well(sites);
	if (rc)
		return rc;
	return sites_wait_groups(sites, 2, 60 * RT_SECOND);
}

static int go_through(struct run *run)
{
	struct sites *sites = run->sites;
	int rc = sites_build(sites, 2 + (unsigned)below(3), 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	for (unsigned i = 0; i < ROUNDS && !rc; i++)
		rc = pause_and_resume(run);
	if (rc == 1)
		return 0;
	if (!rc)
		rc = sites_end(sites, 60 * RT_SECOND);
	if (rc)
		sim_fail(sim_world(), "the session does not go on: %d", rc);
	return rc;
}

static int live(struct sites *sites)
{
	struct run run = { .sites = sites };
	int rc;

	rt_group_init(&run.faults.group);
	rc = go_through(&run);
	rt_group_stop(&run.faults.group);
	return rc;
}

static int run_pause(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "groups", "pauses", "commands done", NULL };
static const char *const rarely_happens[] = { "commands refused", "crashes in a pause", "recoveries", NULL };

const struct scenario scenario_pause = {
	.name = "pause",
	.about = "a paused session shows one moment in its targets, until it is resumed and goes on",
	.until_ns = 600 * RT_SECOND,
	.run = run_pause,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
