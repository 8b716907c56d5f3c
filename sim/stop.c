/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clean stop at any moment: while groups are formed, in a first copy, with far sides that are cut off, dead or
 * paused, with a drain under way that has no limit. Each system has stopped within seconds, whatever the others do;
 * commands that wait for a system that is gone end by terminate --force.
 */
#include <errno.h>
#include <string.h>

#include "oracle.h"
#include "scenarios.h"
#include "sites.h"

#define STOP_NS		(4 * RT_SECOND)		/* less than a silent connection takes to be given up */

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

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

static int live_and_stop(struct sites *sites)
{
	unsigned first = (unsigned)below(4);
	struct box *stuck;
	int rc = rt_sleep_until(rt_now_ns() + (int64_t)below(300000) * RT_US);

	stuck = disturb(sites);
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
	return rc || !stuck ? rc : stop_in_time(stuck);
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
	"far sides cut off", "far sides dead", "far sides stuck", "members cut off", "undisturbed",
	"terminated by force", NULL
};

const struct scenario scenario_stop = {
	.name = "stop",
	.about = "a system stops within seconds at any moment, whatever the others do",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
