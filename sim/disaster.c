/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loss of the whole source site, at any moment.
 *
 * Goal: whatever happened before, the image that recovery gives at the far side is one moment in time, and holds all
 * that was answered before the last CG that the master had reported. Method: two to four source systems and two far
 * systems form CGs while hosts write and faults befall all of them. At random moments the run splits: in the branch
 * the source site is lost, or only cut off, or goes on beside; the session is recovered, by one far side or by both at
 * once, with far sides that crash meanwhile or are missing; and the image is judged. The run itself goes on as if
 * nothing had been, and at its end, when faults are over and hosts are quiet, both sides must become equal.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "old_primary.h"
#include "scenarios.h"

#define LOSSES		7u		/* branches of a run: what leads to them costs as much as one of them */
#define ATTEMPTS_MAX	20u		/* of a recovery, all far sides being there */

struct disaster {
	struct sites *sites;
	struct faults faults;
	uint64_t sequence;		/* that the first recovery recovered; 0: none did yet */
	bool in_commit;			/* the site is lost in the last steps of a group */
	struct old_primary old;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static void fail_when(const char *bad)
{
	if (bad)
		scenario_wrong("%s", bad);
}

/* ---- recovery ---- */

static void judge(struct disaster *disaster)
{
	struct oracle_image image;
	const char *unreadable = sites_take_reading(disaster->sites, &image);

	for (unsigned i = 0; i < disaster->sites->source_count; i++) {
		if (disaster->sites->sources[i].lost && sim_is_running(disaster->sites->sources[i].system))
			scenario_count("groups from before a loss recovered", 1);
	}
	if (unreadable)
		sim_fail(sim_world(), "%s", unreadable);
	else
		fail_when(oracle_judge(&disaster->sites->oracle, &image, NULL));
}

/* One try at one far side. Of every state there is one answer, whoever asks. */
static int try_recover(struct disaster *disaster, struct box *far)
{
	struct recovery_result result = { 0 };
	int rc = box_session_recover(far, SITES_SESSION, false, &result);

	if (rc)
		return rc;
	scenario_count("recoveries", 1);
	if (disaster->sequence && disaster->sequence != result.sequence)
		scenario_wrong("recovered to CG %llu, and before to %llu", (unsigned long long)result.sequence,
			       (unsigned long long)disaster->sequence);
	disaster->sequence = result.sequence;
	if (result.sequence < disaster->sites->reported)
		scenario_wrong("recovered to CG %llu, but %llu was reported",
			       (unsigned long long)result.sequence,
			       (unsigned long long)disaster->sites->reported);
	return result.systems_missing ? -ENOTCONN : result.volumes_missing ? -EIO : 0;
}

static int bring_up_fars(struct disaster *disaster)
{
	int rc = 0;

	for (unsigned i = 0; i < disaster->sites->far_count && !rc; i++)
		rc = faults_mend(disaster->sites, &disaster->sites->fars[i]);
	return rc;
}

/* With all far sides there it comes about, sooner or later. */
static int recover_surely(struct disaster *disaster, struct box *far)
{
	int rc = -1;

	for (unsigned i = 0; i < ATTEMPTS_MAX && rc && rc != -ECANCELED; i++) {
		rc = bring_up_fars(disaster);
		if (!rc)
			rc = try_recover(disaster, far);
		if (rc && rc != -ECANCELED && wait_ms(300))
			rc = -ECANCELED;
	}
	/* What was recovered without it was sure, it had been said. */
	if (rc == -ENOTCONN && disaster->sequence)
		scenario_wrong("recovered to CG %llu, but a system that was missing has something else",
			       (unsigned long long)disaster->sequence);
	else if (rc)
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
	return rc;
}

static struct box *any_far(struct disaster *disaster)
{
	return &disaster->sites->fars[below(disaster->sites->far_count)];
}

struct attempt {
	struct disaster *disaster;
	struct box *far;
};

static void attempt_recovery(void *arg)
{
	struct attempt *attempt = arg;

	if (try_recover(attempt->disaster, attempt->far))
		scenario_count("recoveries that gave way", 1);
}

/* Two administrators at once. */
static int recover_at_both(struct disaster *disaster)
{
	struct attempt attempts[SITES_BOXES_MAX];
	struct rt_group group;
	int rc = bring_up_fars(disaster);

	rt_group_init(&group);
	for (unsigned i = 0; i < disaster->sites->far_count && !rc; i++) {
		attempts[i] = (struct attempt){ .disaster = disaster, .far = &disaster->sites->fars[i] };
		rc = rt_group_start(&group, "administrator", attempt_recovery, &attempts[i]);
		if (!rc && below(2))
			rc = rt_sleep_until(rt_now_ns() + (int64_t)below(5000) * RT_US);
	}
	scenario_count("recoveries at both", 1);
	return rt_group_wait(&group) ? -ECANCELED : rc;
}

/* A far side crashes while it recovers; what it had begun is finished by repeating. */
static int recover_through_crash(struct disaster *disaster)
{
	struct attempt attempt = { .disaster = disaster, .far = any_far(disaster) };
	struct box *victim = any_far(disaster);
	enum sim_crash how = below(2) ? SIM_POWER_LOSS : SIM_DEATH;
	struct rt_group group;
	int rc = bring_up_fars(disaster);

	rt_group_init(&group);
	if (!rc)
		rc = rt_group_start(&group, "administrator", attempt_recovery, &attempt);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(below(2) ? 5000 : 60000) * RT_US);
	faults_crash(disaster->sites, victim, how);
	scenario_count("crashes in a recovery", 1);
	return rt_group_wait(&group) ? -ECANCELED : rc;
}

/* One far side is not there: refused, or right. */
static int recover_without_one(struct disaster *disaster)
{
	unsigned at = (unsigned)below(disaster->sites->far_count);
	struct box *missing = &disaster->sites->fars[at];
	struct box *far = &disaster->sites->fars[(at + 1) % disaster->sites->far_count];
	int rc = bring_up_fars(disaster);

	if (rc)
		return rc;
	faults_crash(disaster->sites, missing, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	scenario_count("recoveries with one missing", 1);
	/* It waits for seconds. */
	disaster->sites->oracle.calm = true;
	rc = try_recover(disaster, far);
	disaster->sites->oracle.calm = false;
	scenario_count(disaster->sequence ? "recoveries without the missing" : "refused while one is missing", 1);
	return rc == -ECANCELED ? rc : 0;
}

/* ---- the disaster ---- */

enum site_loss { SITE_BURNS, SITE_CUT_OFF, SITE_GOES_ON, SITE_LOSSES };

static void lose_site(struct disaster *disaster, enum site_loss loss)
{
	struct sites *sites = disaster->sites;

	for (unsigned i = 0; i < sites->source_count; i++) {
		if (loss == SITE_BURNS)
			faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
		for (unsigned j = 0; j < sites->far_count && loss == SITE_CUT_OFF; j++)
			sim_cut(sites->sources[i].system, sites->fars[j].system);
	}
	scenario_count(loss == SITE_BURNS     ? "sites burnt"
		       : loss == SITE_CUT_OFF ? "sites cut off"
					      : "sites left alone",
		       1);
}

/* The old site goes on, is reached again, and must leave the image alone. */
static int heal_and_look(struct disaster *disaster)
{
	struct oracle_image before, after;
	struct sites *sites = disaster->sites;
	const char *unreadable = sites_take_reading(sites, &before);
	int rc;

	for (unsigned i = 0; i < sites->source_count; i++) {
		for (unsigned j = 0; j < sites->far_count; j++)
			sim_heal(sites->sources[i].system, sites->fars[j].system);
	}
	rc = wait_ms(200);
	sites->oracle.calm = true;
	if (!rc)
		rc = wait_ms(below(below(4) ? 1000 : 4000));
	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = faults_mend(sites, &sites->sources[i]);
	if (!rc)
		fail_when(old_primary_judge(&disaster->old, sites, 30 * RT_SECOND));
	if (!rc)
		rc = wait_ms(200);
	if (!rc && !unreadable)
		unreadable = sites_take_reading(sites, &after);
	if (unreadable)
		sim_fail(sim_world(), "%s", unreadable);
	else if (!rc && memcmp(&before, &after, sizeof(before)) != 0)
		scenario_wrong("the old site has overwritten what was recovered");
	return rc;
}

/* Hosts may be quiet from the crash on: what they write next would cover what went wrong. */
static void begin_crash(struct disaster *disaster)
{
	faults_stop(&disaster->faults);
	disaster->sites->oracle.rest = below(2);
}

/* The site is lost in the first group after the crash, if there is one. */
static int wait_first_group(struct disaster *disaster)
{
	int rc = sites_wait_groups(disaster->sites, 1, 2 * RT_SECOND);

	scenario_count("losses in the first group after a crash", 1);
	return rc == -ECANCELED ? rc : 0;
}

/* One far side has prepared, or committed, a group that another has not. */
static bool is_uneven(struct sites *sites, bool committed)
{
	struct copy_session_info first = { 0 }, info = { 0 };
	int64_t shown_ns;

	if (box_session_info(&sites->fars[0], SITES_SESSION, &first, &shown_ns))
		return false;
	for (unsigned i = 1; i < sites->far_count; i++) {
		if (!box_session_info(&sites->fars[i], SITES_SESSION, &info, &shown_ns) &&
		    (committed ? info.sequence != first.sequence : info.prepared != first.prepared))
			return true;
	}
	return false;
}

static int wait_uneven(struct sites *sites, bool committed)
{
	int64_t until_ns = rt_now_ns() + 100 * RT_MS;
	int rc = 0;

	while (!rc && !is_uneven(sites, committed) && rt_now_ns() < until_ns)
		rc = rt_sleep_until(rt_now_ns() + 50 * RT_US);
	if (!rc && rt_now_ns() < until_ns)
		scenario_count(committed ? "faults in a half commit" : "faults in a half prepare", 1);
	return rc;
}

/* Between the first far side that prepares and the last one that commits: what each of them has decides then. */
static int wait_commit(struct disaster *disaster)
{
	int64_t until_ns = rt_now_ns() + 100 * RT_MS, shown_ns;
	struct copy_session_info info = { 0 };
	int rc = 0;

	while (!rc && info.phase != PHASE_PREPARE && info.phase != PHASE_COMMIT && rt_now_ns() < until_ns) {
		rc = rt_sleep_until(rt_now_ns() + 100 * RT_US);
		if (box_session_info(&disaster->sites->sources[0], SITES_SESSION, &info, &shown_ns))
			info.phase = PHASE_IDLE;
	}
	scenario_count("losses in a prepare or commit", 1);
	disaster->in_commit = true;
	if (!rc && below(2))
		return wait_uneven(disaster->sites, true);
	return rc ? rc : rt_sleep_until(rt_now_ns() + (int64_t)below(below(2) ? 2000 : 10000) * RT_US);
}

/*
 * The power of one source fails and comes back, and the site is lost before anybody has looked at what that took: the
 * last group before is what is recovered. Or it is accepted.
 */
static int lose_power_first(struct disaster *disaster)
{
	struct sites *sites = disaster->sites;
	struct box *box = &sites->sources[below(sites->source_count)];
	int rc;

	begin_crash(disaster);
	faults_crash(sites, box, SIM_POWER_LOSS);
	rc = faults_bring_up(sites, box);
	if (rc || below(2))
		return rc ? rc : wait_ms(200 + below(1500));
	rc = faults_make_all_well(disaster->sites);
	return rc ? rc : wait_first_group(disaster);
}

/* A far side crashes in a prepare or commit, and is back before the site is lost. */
static int crash_far_first(struct disaster *disaster)
{
	struct box *far = any_far(disaster);
	int rc = 0;

	begin_crash(disaster);
	if (sim_is_running(far->system))
		rc = faults_crash_within(disaster->sites, far, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	if (!rc)
		rc = faults_make_all_well(disaster->sites);
	return rc || below(2) ? rc : wait_first_group(disaster);
}

static struct box *last_to_prepare(struct sites *sites)
{
	struct copy_session_info info;
	uint64_t least = UINT64_MAX;
	struct box *last = &sites->fars[0];
	int64_t shown_ns;

	for (unsigned i = 0; i < sites->far_count; i++) {
		if (box_session_info(&sites->fars[i], SITES_SESSION, &info, &shown_ns) || info.prepared >= least)
			continue;
		least = info.prepared;
		last = &sites->fars[i];
	}
	return last;
}

/*
 * The master dies in the last steps of a group and comes back, and with it perhaps a far side that was not so far: what
 * it finds prepared it commits or gives up, and what is given up is sent again.
 */
static int crash_master_first(struct disaster *disaster)
{
	struct sites *sites = disaster->sites;
	int rc;

	faults_stop(&disaster->faults);
	rc = wait_uneven(sites, below(4) == 0);
	sites->oracle.rest = below(2);
	faults_crash(sites, &sites->sources[0], SIM_DEATH);
	if (below(2))
		faults_crash(sites, last_to_prepare(sites), SIM_DEATH);
	scenario_count("crashes of the master in a group", 1);
	if (!rc)
		rc = faults_make_all_well(disaster->sites);
	return rc ? rc : wait_first_group(disaster);
}

static int run_disaster(struct disaster *disaster)
{
	enum site_loss loss = below(5) < 2 ? SITE_BURNS : below(5) < 2 ? SITE_CUT_OFF : SITE_GOES_ON;
	static int (*const first[])(struct disaster *disaster) = {
		lose_power_first, crash_far_first, crash_master_first,
	};
	uint64_t before = below(6);
	int rc = before < 3 ? first[before](disaster) : 0;

	if (rc)
		return rc;
	if (loss != SITE_BURNS)
		faults_stop(&disaster->faults);
	lose_site(disaster, loss);
	if (loss == SITE_BURNS)
		faults_stop(&disaster->faults);
	/* What goes on forms groups: their last steps meet the first ones of the recovery. */
	if (loss == SITE_GOES_ON && below(8))
		rc = wait_commit(disaster);
	if (rc)
		return rc;
	/* Whether a missing far side had committed: that is the question then. */
	switch (disaster->in_commit && below(2) ? 2 : below(4)) {
	case 0:
		rc = recover_at_both(disaster);
		break;
	case 1:
		rc = recover_through_crash(disaster);
		break;
	case 2:
		rc = recover_without_one(disaster);
		break;
	default:
		rc = 0;
	}
	if (!rc)
		rc = recover_surely(disaster, any_far(disaster));
	old_primary_note_recovery(&disaster->old, &disaster->sites->oracle);
	judge(disaster);
	if (!rc)
		rc = recover_surely(disaster, any_far(disaster));
	judge(disaster);
	return !rc && loss != SITE_BURNS && below(2) ? heal_and_look(disaster) : rc;
}

/* ---- the run ---- */

static void count_pair(void *arg, const struct copy_pair_info *info)
{
	(void)arg;
	scenario_count("blocks compared", info->compared_bytes / XDC_BLOCK_SIZE);
	scenario_count("blocks found the same", info->same_bytes / XDC_BLOCK_SIZE);
}

static int count_pairs(void *arg)
{
	struct box *box = arg;

	if (!box->ready)
		return -ECONNABORTED;
	copy_pair_each(box->copy, count_pair, NULL);
	return 0;
}

static int count_compared(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = box_call(&sites->sources[i], count_pairs, &sites->sources[i]);
	return rc;
}

static int finish(struct disaster *disaster)
{
	struct sites *sites = disaster->sites;
	int rc;

	faults_stop(&disaster->faults);
	rc = faults_make_all_well(disaster->sites);
	if (!rc)
		rc = sites_wait_groups(sites, 2, 60 * RT_SECOND);
	if (rc)
		sim_fail(sim_world(), "no more groups after the faults: %d", rc);
	sites_check_holds(sites);
	if (!rc)
		rc = oracle_stop(&sites->oracle);
	if (!rc)
		fail_when(sites_wait_equal(sites, 60 * RT_SECOND));
	if (!rc)
		rc = count_compared(sites);
	return rc ? rc : sites_stop(sites);
}

/*
 * At any moment, or in the last steps of a group; or when a fault is just over and the first group after it has come
 * about: what went wrong under it would be seen in that one, and be mended by the next.
 */
static int wait_for_loss(struct disaster *disaster)
{
	int64_t until_ns = rt_now_ns() + (int64_t)below(400000) * RT_US;
	unsigned ended = disaster->faults.ended;
	uint64_t reported = 0;
	int rc;

	if (below(2)) {
		rc = rt_sleep_until(until_ns);
		return rc || below(2) ? rc : wait_commit(disaster);
	}
	do {
		rc = rt_sleep_until(rt_now_ns() + RT_MS);
		if (disaster->faults.ended == ended || rc)
			continue;
		if (!reported)
			reported = disaster->sites->reported;
		if (sites_look(disaster->sites) || disaster->sites->reported <= reported)
			continue;
		scenario_count("losses in the group after a fault", 1);
		return 0;
	} while (!rc && rt_now_ns() < until_ns + RT_SECOND);
	return rc;
}

/*
 * In the branch: the power of both sites fails as soon as there is a group of all volumes. What the first copies have
 * written is part of it.
 */
static int lose_first_group(struct disaster *disaster)
{
	struct sites *sites = disaster->sites;
	int rc;

	for (unsigned i = 0; i < sites_box_count(sites); i++)
		faults_crash(sites, sites_box(sites, i), SIM_POWER_LOSS);
	scenario_count("losses of the first group", 1);
	rc = recover_surely(disaster, any_far(disaster));
	judge(disaster);
	return rc;
}

static int live_through(struct disaster *disaster)
{
	int rc;

	disaster->sites->coordination_ns = (int64_t)(below(2) ? 50 : 4 + below(12)) * RT_MS;
	rc = sites_build(disaster->sites, 2 + (unsigned)below(3), 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK,
			 PAIR_ASYNC);
	if (!rc)
		rc = sites_wait_joined(disaster->sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc && scenario_branch())
		return lose_first_group(disaster);
	if (!rc && below(2))
		sites_set_distance(disaster->sites, 10 * RT_MS);
	if (!rc)
		rc = faults_start(&disaster->faults, disaster->sites, 1 + (unsigned)below(2));
	for (unsigned i = 0; i < LOSSES && !rc; i++) {
		rc = wait_for_loss(disaster);
		sites_check_holds(disaster->sites);
		if (!rc)
			rc = sites_look(disaster->sites) == -ECANCELED ? -ECANCELED : 0;
		if (!rc && scenario_branch())
			return run_disaster(disaster);
	}
	return rc ? rc : finish(disaster);
}

static int live(struct sites *sites)
{
	struct disaster disaster = { .sites = sites };
	int rc;

	rt_group_init(&disaster.faults.group);
	rc = live_through(&disaster);
	rt_group_stop(&disaster.faults.group);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes",
					   "host flushes",
					   "host zeroes",
					   "host discards",
					   "host writes over 1 MiB",
					   "writes seen by a reader first",
					   "groups",
					   "recoveries",
					   "sites burnt",
					   "sites cut off",
					   "sites left alone",
					   "old volumes written after the recovery",
					   "blocks compared",
					   "blocks found the same",
					   "recoveries at both",
					   "crashes in a recovery",
					   "crashes within a call",
					   "blocks changed by a crash",
					   "slow disks",
					   "failing disks",
					   "disks mended",
					   "losses in the group after a fault",
					   "losses in the first group after a crash",
					   "losses in a prepare or commit",
					   "storms",
					   "crashes of all far sides",
					   "death",
					   "power-loss",
					   "pause",
					   "cut",
					   "break",
					   "page-lost",
					   "page-torn",
					   NULL };

static const char *const rarely_happens[] = { "recoveries with one missing",
					      "losses accepted",
					      "groups from before a loss recovered",
					      "read-error",
					      "write-error",
					      "sync-error",
					      NULL };

const struct scenario scenario_disaster = {
	.name = "disaster",
	.about = "what is recovered after the loss of the source site is one moment, whatever happened before",
	.until_ns = 600 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
