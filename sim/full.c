/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A far side without room: its journal is full since groups cannot be formed, or its disk is.
 *
 * Goal: the last group stays, and can be recovered; groups go on when what kept them away is gone, although the journal
 * was full by then. Method: one far side is cut off for long while hosts write to all volumes, so that the journals of
 * the others are filled by what is sent ahead; or the disk of a far side has no space left for a while; or a volume of
 * a far side is not there after a start, and is given up at last. In the middle, in a branch, the source site is lost.
 */
#include <errno.h>

#include "faults.h"
#include "scenarios.h"

#define JOURNAL_BYTES	(32u << 20)	/* full within some seconds; all blocks of a source that are written fit in */

static int count_full(struct sites *sites)
{
	for (unsigned i = 0; i < sites->far_count; i++) {
		struct copy_session_info info;
		int64_t shown_ns;

		if (!box_session_info(&sites->fars[i], SITES_SESSION, &info, &shown_ns) &&
		    info.journal_bytes * 10 >= info.journal_limit_bytes * 7)
			scenario_count("journals nearly full", 1);
	}
	return 0;
}

/* In a branch: what the far sides have is one moment. */
static int recover_here(struct sites *sites)
{
	struct oracle_image image;
	struct recovery_result result;
	int rc = -1;

	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	for (unsigned i = 0; i < sites->far_count; i++)
		sim_set_disk_bytes(sites->fars[i].system, UINT64_C(64) << 30);
	for (unsigned i = 0; i < 20 && rc; i++) {
		if (faults_mend_all(sites))
			return -ECANCELED;
		rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, &result);
		/* A volume that could not show it just then is opened when the command is given again. */
		if (!rc && result.volumes_missing)
			rc = -EIO;
		if (rc && rt_sleep_until(rt_now_ns() + 300 * RT_MS))
			return -ECANCELED;
	}
	if (rc)
		return rc;
	scenario_count("recoveries", 1);
	sites_judge_reading(sites, &image);
	return 0;
}

static void take_away(struct sites *sites, bool cut)
{
	struct box *source = &sites->sources[1], *far = &sites->fars[1];

	if (cut)
		sim_cut(source->system, far->system);
	else
		sim_set_disk_bytes(far->system, 0);
	scenario_count(cut ? "far sides cut off" : "disks filled", 1);
}

static void give_back(struct sites *sites)
{
	sim_heal(sites->sources[1].system, sites->fars[1].system);
	sim_set_disk_bytes(sites->fars[1].system, UINT64_C(64) << 30);
}

/* *in_branch: this is the end of a branch. */
static int go_without(struct sites *sites, bool *in_branch)
{
	int64_t until_ns = rt_now_ns() + (int64_t)(2000 + sim_random_below(sim_world(), 3000)) * RT_MS;
	int rc;

	take_away(sites, sim_random_below(sim_world(), 2));
	rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 2000) * RT_MS);
	if (!rc)
		rc = sites_look(sites);
	if (!rc && scenario_branch()) {
		*in_branch = true;
		return recover_here(sites);
	}
	if (!rc)
		rc = rt_sleep_until(until_ns);
	if (!rc)
		rc = count_full(sites);
	give_back(sites);
	if (!rc)
		rc = sites_wait_groups(sites, 3, 60 * RT_SECOND);
	if (rc == -ETIMEDOUT)
		sim_fail(sim_world(), "no more groups although there is room again");
	return rc;
}

/* ---- a volume of a far side that does not come back ---- */

struct giving_up {
	struct box *source, *far;
	uint16_t source_volume, far_volume;
	bool far_done, removed, done;
};

static int give_up_there(void *arg)
{
	struct giving_up *giving_up = arg;
	const struct copy_pair_name pair = { .volume = giving_up->far_volume };
	struct fault fault;
	int rc = copy_pair_delete(giving_up->far->copy, &pair, true, &fault);

	giving_up->far_done = !rc;
	return rc;
}

static int give_up_here(void *arg)
{
	struct giving_up *giving_up = arg;
	struct copy *copy = giving_up->source->copy;
	struct fault fault;
	const struct copy_pair_name pair = { .volume = giving_up->source_volume };
	int rc = 0;

	if (!giving_up->removed)
		rc = copy_session_remove(copy, SITES_SESSION, &giving_up->source_volume, 1, &fault);
	giving_up->removed = !rc;
	if (!rc)
		rc = copy_pair_delete(copy, &pair, true, &fault);
	giving_up->done = !rc;
	return rc;
}

/* What its journal cannot bring to it is nobody's from then on, and must not keep the others waiting. */
static int give_up(struct giving_up *giving_up)
{
	int rc = 0;

	for (unsigned i = 0; i < 40 && !giving_up->done && rc != -ECANCELED; i++) {
		rc = giving_up->far_done ? 0 : box_call(giving_up->far, give_up_there, giving_up);
		if (!rc)
			rc = box_call(giving_up->source, give_up_here, giving_up);
		if (rc && rt_sleep_until(rt_now_ns() + 250 * RT_MS))
			rc = -ECANCELED;
	}
	return rc;
}

static int lose_a_volume(struct sites *sites)
{
	unsigned place = (unsigned)sim_random_below(sim_world(), sites->source_count * SITES_VOLUMES), volume;
	struct box *far = sites_far_of(sites, place, &volume), *source = &sites->sources[place / SITES_VOLUMES];
	struct giving_up giving_up = {
		.source = source, .far = far, .source_volume = source->volumes[place % SITES_VOLUMES],
		.far_volume = far->volumes[volume],
	};
	int rc;

	faults_crash(sites, far, SIM_DEATH);
	far->away[volume] = true;
	rc = box_boot(far);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)(4000 + sim_random_below(sim_world(), 8000)) * RT_MS);
	if (!rc)
		rc = count_full(sites);
	if (!rc)
		rc = give_up(&giving_up);
	if (!rc)
		rc = sites_wait_groups(sites, 3, 60 * RT_SECOND);
	if (rc && rc != -ECANCELED)
		sim_fail(sim_world(), "no more groups although the volume was given up: %d", rc);
	scenario_count("volumes given up", 1);
	return rc;
}

/* The volume that was given up is no part of any image: what is left of it is not looked at. */
static int live_without_it(struct sites *sites)
{
	int rc = lose_a_volume(sites);

	if (!rc)
		rc = oracle_stop(&sites->oracle);
	return rc ? rc : sites_stop(sites);
}

static int live_through(struct sites *sites)
{
	bool in_branch = false;
	int rc;

	sites->journal_bytes = JOURNAL_BYTES;
	rc = sites_build(sites, 2, 2, CACHE_WRITEBACK, PAIR_ASYNC);
	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc && sim_random_below(sim_world(), 3) == 0)
		return live_without_it(sites);
	for (unsigned i = 0; i < 2 && !rc && !in_branch; i++)
		rc = go_without(sites, &in_branch);
	if (rc || in_branch)
		return rc;
	rc = oracle_stop(&sites->oracle);
	if (!rc && sites_wait_equal(sites, 60 * RT_SECOND))
		scenario_wrong("the sides did not become equal");
	return rc ? rc : sites_stop(sites);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live_through);
}

static const char *const must_happen[] = { "host writes",  "groups",
					   "recoveries",   "far sides cut off",
					   "disks filled", "journals nearly full",
					   "no-space",	   "volumes given up",
					   NULL };

const struct scenario scenario_full = {
	.name = "full",
	.about = "a far side without room keeps its last group, and goes on when there is room again",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
