/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous pairs, and the loss of the source site at any moment.
 *
 * Goal: a far side that is failed over while its pair is full-duplex has every write that was answered, and over
 * several such volumes it is one moment; what was flushed is there also after both sides lost their power; a source that
 * answered more than the far side has knows it; and when faults are over the pairs are full-duplex again and both sides
 * equal. Method: as in disaster.c, the run splits at random moments, and in the branch the source site is lost, cut off
 * or goes on, and the far sides are failed over.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define LOSSES		8u
#define LIMIT_NS	(60 * RT_SECOND)

struct sync_run {
	struct sites *sites;
	struct faults faults;
	struct oracle_image image;	/* of the far sides, failed over */
	bool promised[ORACLE_PLACES_MAX];
	const struct box *crashed;	/* a source that crashed after the promise; NULL: none */
	int64_t crashed_ns;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_us(uint64_t us)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)us * RT_US);
}

static void fail_when(const char *bad)
{
	if (bad)
		scenario_wrong("%s", bad);
}

/* ---- what is promised ---- */

static bool is_duplex(struct sites *sites, unsigned place)
{
	const struct oracle_place *at = &sites->oracle.places[place];
	unsigned volume;
	const struct box *far = sites_far_of(sites, place, &volume);

	return box_is_full_duplex(at->box, at->volume, far);
}

/* Every image from now on holds what was answered for these volumes until now. */
static void note_promises(struct sync_run *run)
{
	struct oracle *oracle = &run->sites->oracle;

	for (unsigned i = 0; i < oracle->place_count; i++) {
		run->promised[i] = is_duplex(run->sites, i);
		oracle->places[i].ignored = !run->promised[i];
		scenario_count(run->promised[i] ? "volumes lost in full duplex" : "volumes lost out of duplex", 1);
	}
	oracle_require_before(oracle, rt_now_ns() + 1);
}

static int wait_duplex(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	unsigned place = 0;
	int rc = 0;

	while (!rc && place < sites->oracle.place_count) {
		if (is_duplex(sites, place)) {
			place++;
			continue;
		}
		place = 0;
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (!rc)
			rc = faults_mend_all(sites);
	}
	return rc;
}

/* ---- the loss ---- */

static int bring_up(struct sites *sites, struct box *box)
{
	int rc = faults_mend(sites, box);

	return rc ? rc : faults_accept(box);
}

static int bring_up_all(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++)
		rc = bring_up(sites, sites_box(sites, i));
	return rc;
}

static int fail_over(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = bring_up(sites, &sites->fars[i]);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		unsigned volume;
		struct box *far = sites_far_of(sites, i, &volume);

		do {
			rc = box_pair_failover(far, volume);
			if (rc && rc != -ECANCELED && bring_up(sites, far))
				rc = -EIO;
		} while (rc == -ECONNABORTED);
	}
	if (rc)
		sim_fail(sim_world(), "the far sides cannot be failed over: %d", rc);
	return rc;
}

static void cut_site(struct sites *sites, bool cut)
{
	for (unsigned i = 0; i < sites->source_count; i++) {
		for (unsigned j = 0; j < sites->far_count; j++) {
			if (cut)
				sim_cut(sites->sources[i].system, sites->fars[j].system);
			else
				sim_heal(sites->sources[i].system, sites->fars[j].system);
		}
	}
}

static void burn_site(struct sites *sites)
{
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
}

static void judge(struct sync_run *run)
{
	const char *unreadable = sites_take_reading(run->sites, &run->image);

	if (unreadable)
		sim_fail(sim_world(), "%s", unreadable);
	else
		fail_when(oracle_judge(&run->sites->oracle, &run->image, NULL));
}

/* The power fails everywhere at once: what was flushed is at the far side, whatever was on its way. */
static int lose_all_power(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc;

	faults_stop(&run->faults);
	note_promises(run);
	sites->oracle.stop = true;
	for (unsigned i = 0; i < sites_box_count(sites); i++)
		box_crash(sites_box(sites, i), SIM_POWER_LOSS);
	scenario_count("power lost everywhere", 1);
	oracle_end(&sites->oracle);
	rc = fail_over(run);
	if (!rc && sites_take_reading(sites, &run->image))
		sim_fail(sim_world(), "the far sides cannot be read");
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		if (run->promised[i])
			fail_when(oracle_judge_durable(&sites->oracle, i, &run->image));
	}
	return rc;
}

static int lose_site(struct sync_run *run)
{
	note_promises(run);
	burn_site(run->sites);
	scenario_count("sites burnt", 1);
	faults_stop(&run->faults);
	if (fail_over(run))
		return -EIO;
	judge(run);
	return 0;
}

/* ---- the old site, which goes on ---- */

struct look {
	struct box *box;
	bool gave_way[BOX_VOLUMES_MAX];
	bool answered[BOX_VOLUMES_MAX];
	struct copy_pair_far far[BOX_VOLUMES_MAX];
};

static void note_pair(void *arg, const struct copy_pair_info *info)
{
	struct look *look = arg;

	for (unsigned i = 0; i < look->box->volume_count; i++) {
		if (look->box->volumes[i] == info->volume)
			look->gave_way[i] = info->state == PAIR_SUSPENDED && info->reason == PAIR_REASON_HISTORY;
	}
}

static int look_at_pairs(void *arg)
{
	struct look *look = arg;

	if (!look->box->ready)
		return -ECONNABORTED;
	copy_pair_each(look->box->copy, note_pair, look);
	for (unsigned i = 0; i < look->box->volume_count; i++)
		look->answered[i] = copy_pair_ask_far(look->box->copy, look->box->volumes[i], &look->far[i]);
	return 0;
}

/*
 * A host was told that something is written there, and the far side does not have it. Not what was on its way in a
 * crash, and is found on the disk by who reads there afterwards.
 */
static bool is_known(const struct sync_run *run, unsigned place, unsigned block, const struct oracle_event *event)
{
	if (!event->answered_ns || event->place != place || event->block != block)
		return false;
	return run->crashed != run->sites->oracle.places[place].box || event->answered_ns < run->crashed_ns;
}

static bool has_more(const struct sync_run *run, unsigned place)
{
	const struct oracle *oracle = &run->sites->oracle;

	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		const struct oracle_chain *chain = &oracle->chains[c];

		for (unsigned block = 0; block < ORACLE_BLOCKS; block++) {
			uint32_t latest = chain->latest[place][block], value = run->image.values[c][place][block];

			while (latest && !is_known(run, place, block, &chain->events[latest]))
				latest--;
			if (latest && chain->kept[place][block] >= latest &&
			    !oracle_may_hold(chain, place, block, latest, value))
				return true;
		}
	}
	return false;
}

static const char *judge_old_volume(const struct sync_run *run, const struct look *look, unsigned place)
{
	const struct oracle_place *at = &run->sites->oracle.places[place];
	/* While it is only followed the far side may lack anything, as in any copy. */
	bool more = run->promised[place] && has_more(run, place) && !at->box->mended;

	if (!look->gave_way[at->volume])
		return "a pair goes on as if its far side had not been failed over";
	if (!look->answered[at->volume])
		return "a source cannot show what its far side says";
	if (look->far[at->volume].verdict == HISTORY_BOTH_WRITTEN)
		return NULL;
	if (more || look->far[at->volume].verdict != HISTORY_OTHER_NEWER)
		return more ? "a source has answered what its far side lacks, and does not know it"
			    : "a source takes itself for the newer one";
	return NULL;
}

static const char *judge_old_site(const struct sync_run *run)
{
	struct sites *sites = run->sites;
	const char *bad = NULL;

	for (unsigned place = 0; place < sites->oracle.place_count && !bad; place++) {
		struct look look = { .box = sites->oracle.places[place].box };

		bad = box_call(look.box, look_at_pairs, &look) ? "the old site does not answer"
							       : judge_old_volume(run, &look, place);
		if (!bad && run->promised[place] && has_more(run, place))
			scenario_count("old volumes with more", 1);
	}
	return bad;
}

/*
 * The site is cut off, or its far sides are taken over while it goes on; hosts write on there, and it may crash at once
 * after it has answered them. It is reached again.
 */
static int leave_site(struct sync_run *run, bool cut)
{
	struct sites *sites = run->sites;
	int64_t until_ns;
	const char *bad;
	int rc;

	faults_stop(&run->faults);
	note_promises(run);
	if (cut)
		cut_site(sites, true);
	scenario_count(cut ? "sites cut off" : "sites left alone", 1);
	rc = wait_us(below(2) ? below(2000) : below(12000000));
	if (!rc && below(2)) {
		struct box *box = &sites->sources[below(sites->source_count)];

		if (sim_is_running(box->system)) {
			run->crashed = box;
			run->crashed_ns = rt_now_ns();
			faults_crash(sites, box, SIM_DEATH);
		}
	}
	if (!rc)
		rc = fail_over(run);
	if (rc)
		return rc;
	judge(run);
	rc = wait_us(below(2000000));
	if (rc)
		return rc;
	cut_site(sites, false);
	rc = bring_up_all(sites);
	until_ns = rt_now_ns() + 40 * RT_SECOND;
	do {
		bad = rc ? NULL : judge_old_site(run);
	} while (!rc && bad && rt_now_ns() < until_ns && !wait_us(100000));
	fail_when(bad);
	return rc;
}

static int run_loss(struct sync_run *run)
{
	switch (below(5)) {
	case 0:
		return lose_all_power(run);
	case 1:
	case 2:
		return lose_site(run);
	case 3:
		return leave_site(run, true);
	default:
		return leave_site(run, false);
	}
}

/* ---- the run ---- */

static int finish(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc;

	faults_stop(&run->faults);
	rc = bring_up_all(sites);
	if (!rc)
		rc = wait_duplex(sites);
	if (rc)
		sim_fail(sim_world(), "not full-duplex again after the faults: %d", rc);
	if (!rc)
		rc = oracle_stop(&sites->oracle);
	if (!rc)
		fail_when(sites_wait_equal(sites, LIMIT_NS));
	return rc ? rc : sites_stop(sites);
}

/* At any moment; or just when all are full-duplex again: what was not brought there would be seen now. */
static int wait_for_loss(struct sync_run *run)
{
	int64_t until_ns = rt_now_ns() + (int64_t)below(400000) * RT_US;
	bool broken = false;
	int rc = 0;

	if (below(2))
		return rt_sleep_until(until_ns);
	while (!rc && rt_now_ns() < until_ns + 2 * RT_SECOND) {
		bool all = true;

		for (unsigned i = 0; i < run->sites->oracle.place_count; i++)
			all = all && is_duplex(run->sites, i);
		if (broken && all) {
			scenario_count("losses in the first moment of full duplex", 1);
			return 0;
		}
		broken = broken || !all;
		rc = wait_us(200);
	}
	return rc;
}

static int live_through(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc = sites_build(sites, 1 + (unsigned)below(2), 1 + (unsigned)below(2),
			     below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_SYNC);

	if (!rc)
		rc = wait_duplex(sites);
	scenario_settled();
	if (!rc && below(2))
		sites_set_distance(sites, 10 * RT_MS);
	if (!rc)
		rc = faults_start(&run->faults, sites, 1);
	for (unsigned i = 0; i < LOSSES && !rc; i++) {
		rc = wait_for_loss(run);
		if (!rc && scenario_branch())
			return run_loss(run);
	}
	return rc ? rc : finish(run);
}

static int live(struct sites *sites)
{
	struct sync_run run = { .sites = sites };
	int rc;

	rt_group_init(&run.faults.group);
	rc = live_through(&run);
	rt_group_stop(&run.faults.group);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes",
					   "host flushes",
					   "writes seen by a reader first",
					   "volumes lost in full duplex",
					   "volumes lost out of duplex",
					   "losses in the first moment of full duplex",
					   "sites burnt",
					   "sites cut off",
					   "sites left alone",
					   "power lost everywhere",
					   "old volumes with more",
					   NULL };

const struct scenario scenario_sync = {
	.name = "sync",
	.about = "synchronous pairs: a full-duplex far side has all that was answered, and knows when it has not",
	.until_ns = 900 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
