/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clean stop at any moment: while groups are formed, in a first copy, with far sides that are cut off, dead, paused
 * or slow, with a drain under way that has no limit. Each system has stopped within seconds, whatever the others do;
 * commands that wait for a system that is gone end by terminate --force. What the far sides hold is one moment
 * thereafter, when they are started again, stopped while they apply it, and started.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "oracle.h"
#include "scenarios.h"
#include "sites.h"

#define STOP_NS		(4 * RT_SECOND)		/* less than a silent connection takes to be given up */

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static const struct sim_disk_state slow_disk = { .slower = 50 }, very_slow_disk = { .slower = 1000 };

/* Returns a box that is stuck from here on, if one is. */
static struct box *disturb(struct sites *sites)
{
	struct box *far = &sites->fars[below(sites->far_count)];

	switch (below(5)) {
	case 0:
		for (unsigned i = 0; i < sites->source_count; i++)
			sim_cut(sites->sources[i].system, far->system);
		scenario_count("far sides cut off", 1);
		break;
	case 1:
		box_crash(far, SIM_DEATH);
		scenario_count("far sides dead", 1);
		break;
	case 2:
		sim_cut(sites->sources[0].system, sites->sources[1].system);
		scenario_count("members cut off", 1);
		break;
	case 3:
		sim_pause(far->system);
		scenario_count("far sides stuck", 1);
		return far;
	default:
		scenario_count("undisturbed", 1);
		break;
	}
	return NULL;
}

static int stop_in_time(struct box *box)
{
	int64_t began_ns = rt_now_ns();
	int rc;

	if (!sim_is_running(box->system))
		return 0;
	rc = box_stop(box);
	if (rt_now_ns() - began_ns > STOP_NS)
		sim_fail(sim_world(), "%s took %lld ms to stop", box->id,
			 (long long)((rt_now_ns() - began_ns) / RT_MS));
	scenario_count("stops", 1);
	return rc;
}

struct pause {
	struct box *box;
	int rc;
};

static void run_pause(void *arg)
{
	struct pause *pause = arg;

	pause->rc = box_session_pause(pause->box, SITES_SESSION, false);
}

/* A pause waits for the attempt under way, which may never end; force ends it. */
static int terminate_under_pause(struct sites *sites)
{
	struct pause pause = { .box = &sites->sources[0] };
	struct rt_group group;
	int rc;

	rt_group_init(&group);
	rc = rt_group_start(&group, "pause", run_pause, &pause);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(3000) * RT_MS);
	if (!rc)
		rc = box_session_terminate(&sites->sources[0], SITES_SESSION, true);
	/* It may have been paused before, and then it is terminated all the same. */
	rc = rc == -1 ? 0 : rc;
	scenario_count("terminated by force", 1);
	if (!rc)
		rc = rt_group_wait(&group);
	rt_group_stop(&group);
	return rc;
}

static int bring_up_fars(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_bring_up(sites, &sites->fars[i]);
	return rc;
}

/* Its disk is as fast as before but for one volume. */
static void slow_down_one(struct box *far)
{
	static const struct sim_disk_state usual;
	char path[64];

	snprintf(path, sizeof(path), "pool/%04X.vol", far->volumes[below(far->volume_count)]);
	sim_set_disk(far->system, "pool", &usual);
	sim_set_disk(far->system, path, &very_slow_disk);
}

/* The source site stays down. There may be no group yet, or no more. */
static int recover(struct sites *sites)
{
	struct recovery_result result = { 0 };
	struct oracle_image image;
	int rc;

	for (unsigned i = 0; i < sites->far_count; i++)
		slow_down_one(&sites->fars[i]);
	rc = bring_up_fars(sites);
	/* What the journals hold is being applied when they are stopped again. */
	for (unsigned stops = (unsigned)below(3); stops && !rc; stops--) {
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(1000) * RT_US);
		for (unsigned i = 0; i < sites->far_count && !rc; i++)
			rc = stop_in_time(&sites->fars[i]);
		if (!rc)
			rc = bring_up_fars(sites);
	}
	for (unsigned tries = 0; tries < 20 && !rc; tries++) {
		if (!box_session_recover(&sites->fars[0], SITES_SESSION, false, &result) && !result.volumes_missing) {
			scenario_count("recoveries", 1);
			sites_judge_reading(sites, &image);
			return 0;
		}
		rc = rt_sleep_until(rt_now_ns() + 300 * RT_MS);
		/* A disk that failed meanwhile: the group is shown when it is mended and the command given again. */
		if (!rc)
			rc = faults_mend_all(sites);
	}
	return rc;
}

static int live_and_stop(struct sites *sites)
{
	unsigned first = (unsigned)below(4);
	struct box *stuck;
	int rc = rt_sleep_until(rt_now_ns() + (int64_t)below(300000) * RT_US);

	stuck = disturb(sites);
	if (below(2)) {
		/* What is committed waits for its volumes when the stop comes. */
		for (unsigned i = 0; i < sites->far_count; i++)
			sim_set_disk(sites->fars[i].system, "pool", &slow_disk);
		scenario_count("slow pools", 1);
	}
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(below(2) ? 100000 : 8000000) * RT_US);
	if (!rc && !below(3))
		rc = terminate_under_pause(sites);
	oracle_end(&sites->oracle);
	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++) {
		struct box *box = sites_box(sites, (first + i) % sites_box_count(sites));

		if (box != stuck)
			rc = stop_in_time(box);
	}
	if (stuck)
		sim_resume(stuck->system);
	if (!rc && stuck)
		rc = stop_in_time(stuck);
	return rc ? rc : recover(sites);
}

static int live(struct sites *sites)
{
	int rc = sites_build(sites, 2, 2, CACHE_WRITEBACK, PAIR_ASYNC);

	scenario_settled();
	return rc ? rc : live_and_stop(sites);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = {
	"host writes", "stops", NULL
};

static const char *const rarely_happens[] = {
	"far sides cut off", "far sides dead", "far sides stuck", "slow pools", "members cut off", "undisturbed",
	"terminated by force", "recoveries", NULL
};

const struct scenario scenario_stop = {
	.name = "stop",
	.about = "a system stops within seconds at any moment, whatever the others do",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
