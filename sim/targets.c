/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three sites: a synchronous target near, and one far away that is in a session, of the same source volume or, in a
 * cascade, of the near one.
 *
 * Goal: each far side is what it is without the other, whatever befalls any of the three sites. When the source site is
 * lost, the near one has all that was answered while its pair was full-duplex, and the far one shows one moment, not
 * before the last group that was reported. When either far side is lost, hosts and the other one go on. When faults are
 * over all three are equal. In a cascade the far one shows one moment of what the source has answered, whichever way
 * the near one gets it.
 * Method: as in sync.c, the run splits at random moments, and in the branch one or two sites are lost.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define LOSSES		5u
#define LIMIT_NS	(60 * RT_SECOND)
#define ATTEMPTS_MAX	20u

struct targets_run {
	struct sites *sites;
	struct faults faults;
	bool promised[ORACLE_PLACES_MAX];	/* the near side has all that was answered */
	struct oracle_image image;
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

static bool is_duplex(struct sites *sites, unsigned place)
{
	const struct oracle_place *at = &sites->oracle.places[place];
	unsigned volume;
	const struct box *near = sites_far_of(sites, place, &volume);

	return box_is_full_duplex(at->box, at->volume, near) && !box_has_failed(near) &&
	       !sim_disk_errors(near->system);
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
		rc = sites_resume_frozen(sites);
		if (!rc)
			rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (!rc)
			rc = faults_mend_all(sites);
	}
	return rc;
}

/* ---- the near side is taken over ---- */

/* Each volume that was in full duplex has what was answered until now; and all those are of one moment. */
static void note_promises(struct targets_run *run)
{
	for (unsigned i = 0; i < run->sites->oracle.place_count; i++) {
		run->promised[i] = is_duplex(run->sites, i);
		scenario_count(run->promised[i] ? "volumes lost in full duplex" : "volumes lost out of duplex", 1);
	}
}

static int fail_over_near(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_make_well(sites, &sites->fars[i]);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		unsigned volume;
		struct box *near = sites_far_of(sites, i, &volume);

		do {
			rc = box_pair_failover(near, volume, sites->oracle.places[i].box);
			if (rc && rc != -ECANCELED && faults_make_well(sites, near))
				rc = -EIO;
		} while (rc == -ECONNABORTED);
	}
	if (rc)
		sim_fail(sim_world(), "the near side cannot be failed over: %d", rc);
	return rc;
}

static int judge_near(struct targets_run *run, int64_t lost_ns)
{
	struct oracle *oracle = &run->sites->oracle;
	const char *bad;
	int rc = fail_over_near(run);

	if (rc)
		return rc;
	oracle_require_before(oracle, lost_ns);
	for (unsigned i = 0; i < oracle->place_count; i++)
		oracle->places[i].ignored = false;
	bad = sites_take_reading(run->sites, &run->image);
	for (unsigned i = 0; i < oracle->place_count; i++)
		oracle->places[i].ignored = !run->promised[i];
	fail_when(bad ? bad : oracle_judge(oracle, &run->image, NULL));
	for (unsigned i = 0; i < oracle->place_count; i++)
		oracle->places[i].ignored = false;
	scenario_count("near sides taken over", 1);
	return 0;
}

/* ---- the far side is recovered ---- */

static int judge_third(struct targets_run *run)
{
	struct sites *sites = run->sites;
	struct recovery_result result = { 0 };
	const char *bad;
	int rc = -1;

	for (unsigned i = 0; i < ATTEMPTS_MAX && rc && rc != -ECANCELED; i++) {
		rc = faults_make_well(sites, &sites->third);
		if (!rc)
			rc = box_session_recover(&sites->third, SITES_SESSION, false, &result);
	}
	if (rc) {
		sim_fail(sim_world(), "the third site cannot be recovered: %d", rc);
		return rc;
	}
	if (result.sequence < sites->reported)
		scenario_wrong("recovered to CG %llu, but %llu was reported", (unsigned long long)result.sequence,
			       (unsigned long long)sites->reported);
	bad = sites_take_third(sites, &run->image);
	fail_when(bad ? bad : oracle_judge(&sites->oracle, &run->image, NULL));
	scenario_count("third sites recovered", 1);
	return 0;
}

/* ---- losses ---- */

static int64_t burn_sources(struct targets_run *run)
{
	int64_t lost_ns;

	note_promises(run);
	lost_ns = rt_now_ns() + 1;
	for (unsigned i = 0; i < run->sites->source_count; i++)
		faults_crash(run->sites, &run->sites->sources[i], SIM_POWER_LOSS);
	faults_stop(&run->faults);
	return lost_ns;
}

static bool all_promised(const struct targets_run *run)
{
	for (unsigned i = 0; i < run->sites->oracle.place_count; i++) {
		if (!run->promised[i])
			return false;
	}
	return true;
}

/* The near side sends what it has, and a group has all of it. */
static int wait_drained(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	struct copy_session_info info = { .out_of_sync_blocks = 1 };
	int64_t shown_ns;
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_make_well(sites, &sites->fars[i]);
	if (!rc)
		rc = faults_make_well(sites, &sites->third);
	while (!rc && info.out_of_sync_blocks) {
		if (!rt_sleep_until(rt_now_ns() + 5 * RT_MS))
			rc = rt_now_ns() > until_ns ? -ETIMEDOUT : 0;
		if (!rc && box_session_info(&sites->fars[0], SITES_SESSION, &info, &shown_ns))
			info.out_of_sync_blocks = 1;
		if (!rc)
			rc = faults_mend_all(sites);
	}
	return rc;
}

/* What comes to the near side last, and was answered, comes to the far side, too; unless one of them goes. */
static int lose_cascade_source(struct targets_run *run)
{
	unsigned boots;
	int64_t lost_ns = burn_sources(run);
	int rc = 0;

	boots = run->sites->fars[0].boots;
	if (all_promised(run) && run->sites->fars[0].ready && below(2)) {
		rc = wait_drained(run->sites);
		/* After a start of its own the near side does not know any more that it has all. */
		if (!rc && boots == run->sites->fars[0].boots)
			oracle_require_before(&run->sites->oracle, lost_ns);
		scenario_count("cascades drained", !rc && boots == run->sites->fars[0].boots);
	}
	if (rc) {
		sim_fail(sim_world(), "the near side does not send on what it has: %d", rc);
		return rc;
	}
	rc = judge_third(run);
	return rc ? rc : judge_near(run, lost_ns);
}

/* Its last group is asked for first: what it must hold was reported before. */
static int lose_sources(struct targets_run *run)
{
	int64_t lost_ns;
	int rc;

	scenario_count(run->sites->cascade ? "source sites of cascades lost" : "source sites lost", 1);
	if (run->sites->cascade)
		return lose_cascade_source(run);
	lost_ns = burn_sources(run);
	rc = judge_third(run);
	return rc ? rc : judge_near(run, lost_ns);
}

static int bring_up_sources(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = faults_make_well(sites, &sites->sources[i]);
	return rc;
}

static uint32_t count_answers(const struct sites *sites)
{
	uint32_t answers = 0;

	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		answers += sites->oracle.chains[c].answered;
	return answers;
}

/* The near side is gone for good: hosts go on, and so do groups. Then the source site is lost, too. */
static int lose_near(struct targets_run *run)
{
	struct sites *sites = run->sites;
	uint32_t answers;
	int rc;

	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites->far_count; i++)
		faults_crash(sites, &sites->fars[i], SIM_POWER_LOSS);
	scenario_count(sites->cascade ? "near sides of cascades lost" : "near sides lost", 1);
	rc = bring_up_sources(sites);
	if (!rc)
		rc = faults_make_well(sites, &sites->third);
	answers = count_answers(sites);
	if (!rc && !sites->cascade)
		rc = sites_wait_groups(sites, 3, LIMIT_NS);
	if (rc) {
		sim_fail(sim_world(), "no groups without the near side: %d", rc);
		return rc;
	}
	if (!sites->cascade && count_answers(sites) == answers)
		scenario_count("quiet without the near side", 1);
	burn_sources(run);
	return judge_third(run);
}

/* The far side is gone for good: the near one follows. Then the source site is lost, too. */
static int lose_third(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int64_t lost_ns;
	int rc;

	faults_stop(&run->faults);
	faults_crash(sites, &sites->third, SIM_POWER_LOSS);
	scenario_count("third sites lost", 1);
	rc = bring_up_sources(sites);
	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_make_well(sites, &sites->fars[i]);
	if (!rc)
		rc = wait_duplex(sites);
	if (!rc)
		rc = wait_us(below(200000));
	if (rc) {
		sim_fail(sim_world(), "not full-duplex without the third site: %d", rc);
		return rc;
	}
	lost_ns = burn_sources(run);
	return judge_near(run, lost_ns);
}

static int run_loss(struct targets_run *run)
{
	switch (below(4)) {
	case 0:
		return lose_near(run);
	case 1:
		return lose_third(run);
	default:
		return lose_sources(run);
	}
}

/* ---- the run ---- */

/* What broke last may be seen late: its pairs were full-duplex still when they were looked at, and are suspended. */
static int end_equal(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	int rc = oracle_stop(&sites->oracle);
	const char *bad = NULL;

	do {
		if (!rc)
			rc = sites_resume_frozen(sites);
		bad = rc ? NULL : sites_wait_equal(sites, RT_SECOND);
	} while (bad && rt_now_ns() < until_ns);
	fail_when(bad);
	return rc ? rc : sites_stop(sites);
}

static int finish(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int rc = 0;

	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++)
		rc = faults_make_well(sites, sites_box(sites, i));
	if (!rc)
		rc = wait_duplex(sites);
	if (!rc)
		rc = sites_wait_joined(sites, LIMIT_NS);
	if (rc)
		sim_fail(sim_world(), "not full-duplex, or not in groups again after the faults: %d", rc);
	return rc ? rc : end_equal(sites);
}

/* Until what is to happen happens: what the master reports on the way is required of the far side. */
static int wait_for_loss(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + (int64_t)below(800000) * RT_US;
	int rc = 0;

	while (!rc && rt_now_ns() < until_ns) {
		(void)!sites_look(sites);
		rc = wait_us(1000);
	}
	return rc;
}

static int live_through(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int rc;

	sites->three = true;
	sites->cascade = below(2);
	/* What breaks off at different times is no moment: its pairs are a group, which is of one system. */
	sites->group = sites->cascade;
	rc = sites_build(sites, sites->cascade ? 1 : 1 + (unsigned)below(2),
			 sites->cascade ? 1 : 1 + (unsigned)below(2), below(2) ? CACHE_DIRECT : CACHE_WRITEBACK,
			 PAIR_SYNC);
	if (!rc)
		rc = wait_duplex(sites);
	if (!rc)
		rc = sites_wait_joined(sites, LIMIT_NS);
	scenario_settled();
	if (!rc)
		rc = faults_start(&run->faults, sites, 1);
	for (unsigned i = 0; i < LOSSES && !rc; i++) {
		rc = wait_for_loss(sites);
		if (!rc && scenario_branch())
			return run_loss(run);
		if (!rc && below(2))
			rc = sites_resume_frozen(sites);
	}
	return rc ? rc : finish(run);
}

static int live(struct sites *sites)
{
	struct targets_run run = { .sites = sites };
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
					   "groups",
					   "volumes lost in full duplex",
					   "source sites lost",
					   "near sides lost",
					   "third sites lost",
					   "near sides taken over",
					   "third sites recovered",
					   "source sites of cascades lost",
					   "near sides of cascades lost",
					   "cascades drained",
					   NULL };

const struct scenario scenario_targets = {
	.name = "targets",
	.about = "two targets of a volume, one synchronous, one in a session: each is right whatever befalls the other",
	.until_ns = 900 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
