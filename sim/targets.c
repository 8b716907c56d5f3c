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
 *
 * Standing by: in a cascade whose near side is lost the source takes the far one over, and sends no more than that may
 * lack. Then both are equal, or, while hosts go on, a session of the source forms groups there. Source and far side may
 * crash in the middle of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define LOSSES		5u
#define LIMIT_NS	(60 * RT_SECOND)
#define ATTEMPTS_MAX	20u

struct targets_run {
	struct sites *sites;
	struct faults faults;
	bool stands_by;				/* the source can serve the third site, too */
	bool quiet;				/* and no host writes while it begins to */
	bool apart;				/* and a volume of the third site is offline at first */
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

/* ---- the source stands in for the near side ---- */

static int stand_by(struct sites *sites)
{
	int rc = box_path(&sites->sources[0], &sites->third);

	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		const struct oracle_place *at = &sites->oracle.places[i];

		rc = box_standby(at->box, at->volume, &sites->fars[0], &sites->third, i);
	}
	return rc;
}

static int wait_known(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	struct copy_standby_info info = { 0 };
	unsigned place = 0;
	int rc = 0;

	while (!rc && place < sites->oracle.place_count) {
		const struct oracle_place *at = &sites->oracle.places[place];

		rc = box_standby_info(at->box, at->volume, &info);
		if (!rc && info.is_known)
			place++;
		else if (!rc)
			rc = rt_now_ns() > until_ns ? -ETIMEDOUT : wait_us(20000);
	}
	return rc;
}

/* The third site may be the source's by now: what it lacks is kept until that is known. */
static void require_kept(const struct oracle_place *at)
{
	struct copy_standby_info info = { 0 };

	if (box_standby_info(at->box, at->volume, &info) || info.state != STANDBY_TAKING_OVER)
		return;
	if (!box_standby_delete(at->box, at->volume))
		scenario_wrong("a standby is deleted while it is being taken over");
	scenario_count("deletions refused in the middle", 1);
}

/* When the near side began anew on its own just before it was lost, nobody is left who could say so. */
static int take_over(struct targets_run *run, unsigned place)
{
	struct sites *sites = run->sites;
	const struct oracle_place *at = &sites->oracle.places[place];
	struct copy_standby_info info = { 0 };
	bool discard = false;
	int rc = box_standby_info(at->box, at->volume, &info);

	scenario_count(info.is_known ? "what the third site lacks is known" : "what the third site lacks is not known",
		       !rc);
	for (unsigned i = 0; i < ATTEMPTS_MAX; i++) {
		rc = box_standby_take_over(at->box, at->volume, discard);
		if (rc)
			require_kept(at);
		if (!rc || rc == -ECANCELED || wait_us(500000) || faults_make_well(sites, at->box) ||
		    faults_make_well(sites, &sites->third))
			break;
		discard = i > ATTEMPTS_MAX / 2;
	}
	scenario_count("third sites taken over all the same", !rc && discard);
	return rc;
}

/* From here on the third site is that of the source, with a session of its own there. */
static int begin_session(struct sites *sites)
{
	struct box *master = &sites->sources[0];
	const struct session_start start = { .session = SITES_SESSION, .master_lss = box_lss(master) };
	int rc = box_session_open(master, SITES_SESSION);

	if (!rc)
		rc = box_session_add(master, SITES_SESSION);
	if (!rc)
		rc = box_session_start(master, &start);
	sites->cascade = false;
	sites->groups = 0;
	sites->reported = 0;
	return rc ? rc : sites_wait_joined(sites, LIMIT_NS);
}

/* Its answers, its orders, or what it has noted of them, are lost with it. */
static void crash_meanwhile(void *arg)
{
	const struct targets_run *run = arg;
	struct sites *sites = run->sites;
	struct box *box = !run->quiet && below(2) ? &sites->sources[0] : &sites->third;

	(void)!faults_crash_within(sites, box, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
}

/* A volume of the third site is not written for some time, then lost: what groups have for it stays in the journal. */
static int fail_a_volume(struct targets_run *run)
{
	struct box *third = &run->sites->third;
	struct sim_disk_state disk = { .write_fails = true };
	unsigned volume = (unsigned)below(run->sites->oracle.place_count);
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "pool/%04X", third->volumes[volume]);
	sim_set_disk(third->system, path, &disk);
	rc = wait_us(below(1500000));
	disk.write_fails = false;
	sim_set_disk(third->system, path, &disk);
	faults_crash(run->sites, third, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	third->away[volume] = true;
	run->apart = true;
	return rc;
}

static int take_over_those_there(struct targets_run *run)
{
	int rc = 0;

	for (unsigned i = 0; i < run->sites->oracle.place_count && !rc; i++) {
		if (!run->sites->third.away[i])
			rc = take_over(run, i);
	}
	return rc;
}

/* What the last group has is applied to the one that comes back: not to the others, which the source sends to. */
static int bring_volume_back(struct targets_run *run)
{
	struct box *third = &run->sites->third;
	struct copy_session_info info;
	int64_t shown_ns;
	int rc = wait_us(below(1500000));

	if (!rc)
		faults_crash(run->sites, third, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	memset(third->away, 0, sizeof(third->away));
	scenario_count("volumes of the third site taken over later", !rc);
	if (!rc)
		rc = faults_make_well(run->sites, third);
	if (!rc && box_session_info(third, SITES_SESSION, &info, &shown_ns) && third->ready)
		scenario_wrong("what the last group has for the volume that was offline is gone");
	return rc;
}

static int take_all_over(struct targets_run *run)
{
	struct sites *sites = run->sites;
	struct rt_group crash;
	int rc = 0, ended;

	rt_group_init(&crash);
	if (below(2))
		rc = rt_group_start(&crash, "crash", crash_meanwhile, run);
	if (!rc && run->apart)
		rc = take_over_those_there(run);
	if (!rc && run->apart)
		rc = bring_volume_back(run);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++)
		rc = take_over(run, i);
	ended = rt_group_wait(&crash);
	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = faults_make_well(sites, &sites->sources[i]);
	if (!rc)
		rc = faults_make_well(sites, &sites->third);
	return rc ? rc : ended;
}

/* What was noted is in the dirty log alone. What was lost with the power the third site may have. */
static int crash_source(struct sites *sites)
{
	struct box *source = &sites->sources[0];
	int rc;

	faults_crash(sites, source, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	rc = faults_bring_up(sites, source);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		const struct oracle_place *at = &sites->oracle.places[i];

		if (!at->box->losses[at->volume].power_wall_ns)
			continue;
		if (!box_standby_take_over(at->box, at->volume, false))
			scenario_wrong("taken over by a source that has lost writes");
		scenario_count("sources that have lost writes refused", 1);
	}
	return rc ? rc : bring_up_sources(sites);
}

static int stand_in(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int rc = run->quiet ? oracle_stop(&sites->oracle) : 0;

	if (!rc && !below(3))
		rc = crash_source(sites);
	if (!rc)
		rc = take_all_over(run);
	if (rc) {
		sim_fail(sim_world(), "the third site is not taken over: %d", rc);
		return rc;
	}
	scenario_count("third sites taken over", 1);
	if (run->quiet) {
		fail_when(sites_wait_third(sites, LIMIT_NS));
		scenario_count("third sites compared", 1);
		return 0;
	}
	rc = begin_session(sites);
	if (!rc)
		rc = sites_wait_groups(sites, 3, LIMIT_NS);
	if (rc) {
		sim_fail(sim_world(), "no groups from the source to the third site: %d", rc);
		return rc;
	}
	burn_sources(run);
	return judge_third(run);
}

/* What the near side gets for some time before it is lost does not come to the third site; nor is it written again. */
static int part_near_from_third(struct targets_run *run)
{
	struct sites *sites = run->sites;
	int rc;

	sim_cut(sites->fars[0].system, sites->third.system);
	rc = wait_us(below(500000));
	if (!rc && run->quiet)
		rc = oracle_stop(&sites->oracle);
	if (!rc)
		rc = wait_us(below(2000000));
	sim_heal(sites->fars[0].system, sites->third.system);
	return rc;
}

/* Production goes to the near side, which sends on what is written there; the source, cut off, does not know. */
static int write_at_near(struct targets_run *run)
{
	static const uint8_t block[XDC_BLOCK_SIZE] = { 0xb1 };
	struct sites *sites = run->sites;
	struct box *near = &sites->fars[0];
	int rc = oracle_stop(&sites->oracle);

	sim_cut(sites->sources[0].system, near->system);
	if (!rc)
		rc = faults_make_well(sites, near);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		unsigned volume;

		(void)sites_far_of(sites, i, &volume);
		rc = box_pair_failover(near, volume, sites->oracle.places[i].box);
		if (!rc)
			rc = box_write(near, volume, 1000 + below(1000), block, 0);
	}
	/* Its pair may never have been whole: then it is not failed over, and nothing is written. */
	if (rc != -ECANCELED)
		rc = wait_us(below(1500000));
	scenario_count("near sides written before they are lost", 1);
	sim_heal(sites->sources[0].system, near->system);
	return rc;
}

/* The near side is gone for good: hosts go on, and so do groups. Then the source site is lost, too. */
static int lose_near(struct targets_run *run)
{
	struct sites *sites = run->sites;
	uint32_t answers;
	int rc;

	faults_stop(&run->faults);
	run->quiet = run->stands_by && below(2);
	if (run->quiet && below(2))
		rc = write_at_near(run);
	else
		rc = run->stands_by && below(2) ? part_near_from_third(run) : 0;
	if (!rc && run->stands_by && !below(3))
		rc = fail_a_volume(run);
	if (rc)
		return rc;
	for (unsigned i = 0; i < sites->far_count; i++)
		faults_crash(sites, &sites->fars[i], SIM_POWER_LOSS);
	scenario_count(sites->cascade ? "near sides of cascades lost" : "near sides lost", 1);
	rc = bring_up_sources(sites);
	if (!rc)
		rc = faults_make_well(sites, &sites->third);
	if (!rc && run->stands_by)
		return stand_in(run);
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
	if (run->stands_by)
		return lose_near(run);
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
static int wait_for_loss(struct sites *sites, uint64_t most_us)
{
	int64_t until_ns = rt_now_ns() + (int64_t)below(most_us) * RT_US;
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
	sites->cascade = run->stands_by || below(2);
	/* What breaks off at different times is no moment: its pairs are a group, which is of one system. */
	sites->group = sites->cascade;
	rc = sites_build(sites, sites->cascade ? 1 : 1 + (unsigned)below(2),
			 sites->cascade ? 1 : 1 + (unsigned)below(2), below(2) ? CACHE_DIRECT : CACHE_WRITEBACK,
			 PAIR_SYNC);
	if (!rc)
		rc = wait_duplex(sites);
	if (!rc)
		rc = sites_wait_joined(sites, LIMIT_NS);
	if (!rc && run->stands_by)
		rc = stand_by(sites);
	if (!rc && run->stands_by)
		rc = wait_known(sites);
	scenario_settled();
	if (!rc)
		rc = faults_start(&run->faults, sites, 1);
	for (unsigned i = 0; i < LOSSES && !rc; i++) {
		rc = wait_for_loss(sites, run->stands_by ? 1600000 : 800000);
		if (!rc && scenario_branch())
			return run_loss(run);
		if (!rc && below(2))
			rc = sites_resume_frozen(sites);
	}
	return rc ? rc : finish(run);
}

static int live_as(struct targets_run run)
{
	int rc;

	rt_group_init(&run.faults.group);
	rc = live_through(&run);
	rt_group_stop(&run.faults.group);
	return rc;
}

static int live(struct sites *sites)
{
	return live_as((struct targets_run){ .sites = sites });
}

static int live_standing_by(struct sites *sites)
{
	return live_as((struct targets_run){ .sites = sites, .stands_by = true });
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

static int run_standing_by(void *arg)
{
	(void)arg;
	return sites_live(live_standing_by);
}

static const char *const must_happen_standing_by[] = {
	"host writes", "near sides of cascades lost", "what the third site lacks is known",
	"what the third site lacks is not known", "third sites taken over", "third sites compared",
	"third sites recovered", "near sides written before they are lost", "third sites taken over all the same",
	"volumes of the third site taken over later", NULL,
};

static const char *const rarely_happens_standing_by[] = {
	"sources that have lost writes refused", "deletions refused in the middle", NULL,
};

const struct scenario scenario_standby = {
	.name = "standby",
	.about = "a cascade whose near side is lost: its source serves the third site, with what that lacks alone",
	.until_ns = 900 * RT_SECOND,
	.run = run_standing_by,
	.must_happen = must_happen_standing_by,
	.rarely_happens = rarely_happens_standing_by,
};
