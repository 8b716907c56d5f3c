/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous pairs, and the loss of the source site at any moment.
 *
 * Goal: a far side that is failed over while its pair is full-duplex has every write that was answered, and over
 * several such volumes it is one moment; what was flushed is there also after both sides lost their power; a source
 * that answered more than the far side has knows it; pairs that are suspended together, as a group or by a freeze,
 * leave far sides of one moment; and when faults are over the pairs are full-duplex again and both sides equal.
 * Method: as in disaster.c, the run splits at random moments, and in the branch the source site is lost, cut off or
 * goes on, and the far sides are failed over.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "old_primary.h"
#include "scenarios.h"

#define LOSSES		6u
#define LIMIT_NS	(60 * RT_SECOND)

struct sync_run {
	struct sites *sites;
	struct faults faults;
	bool whole[SITES_BOXES_MAX];	/* see look_whole */
	unsigned losses_whole[SITES_BOXES_MAX];	/* of power at the far sides, when all were in full duplex */
	bool frozen;			/* it is the branch of a freeze: what is promised is durable */
	struct oracle_image image;	/* of the far sides, failed over */
	bool promised[ORACLE_PLACES_MAX];	/* the far side has all that was answered */
	struct oracle_durable durable;	/* when that was promised */
	unsigned far_losses[ORACLE_PLACES_MAX];	/* of power, when that was promised */
	bool of_moment[ORACLE_PLACES_MAX];	/* together with the other volumes of the source it is of one moment */
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

	/* A disk that fails there is mended with what it had not synced lost. */
	return box_is_full_duplex(at->box, at->volume, far) && !box_has_failed(far) && !sim_disk_errors(far->system);
}

/* All places of a source box are in full duplex; or some of them suspended with the others, and none otherwise. */
static bool are_all(struct sites *sites, const struct box *box, bool or_frozen)
{
	const struct oracle *oracle = &sites->oracle;
	bool all = true;

	for (unsigned i = 0; i < oracle->place_count; i++) {
		if (oracle->places[i].box == box)
			all = all && (is_duplex(sites, i) ||
				      (or_frozen && box_is_frozen(box, oracle->places[i].volume)));
	}
	return all;
}

/*
 * What a loss of power may have taken is sent again only when the pairs are resumed. Of cache direct: a block that a
 * disk failed to write, which may hold anything.
 */
static unsigned count_far_losses(const struct sites *sites)
{
	unsigned losses = 0;

	for (unsigned i = 0; i < sites->far_count; i++) {
		const struct box *far = &sites->fars[i];

		losses += far->cache == CACHE_WRITEBACK ? far->power_losses : far->mends;
	}
	return losses;
}

/*
 * Looked at often: the pairs of a source were in full duplex, all at once, and since then they are that, or have been
 * suspended together and nobody has resumed a part of them.
 */
static void look_whole(struct sync_run *run)
{
	for (unsigned i = 0; i < run->sites->source_count; i++) {
		const struct box *box = &run->sites->sources[i];

		if (are_all(run->sites, box, false)) {
			run->whole[i] = true;
			run->losses_whole[i] = count_far_losses(run->sites);
		} else if (!are_all(run->sites, box, true)) {
			run->whole[i] = false;
		}
	}
}

static bool is_whole(const struct sync_run *run, const struct box *box)
{
	long i = box - run->sites->sources;

	return run->whole[i] && run->losses_whole[i] == count_far_losses(run->sites);
}

static const struct box *far_of_place(const struct sync_run *run, unsigned place)
{
	unsigned volume;

	return sites_far_of(run->sites, place, &volume);
}

/* Every image from now on holds what was answered for volumes in full duplex until now. */
static void note_promises(struct sync_run *run)
{
	struct oracle *oracle = &run->sites->oracle;

	look_whole(run);
	for (unsigned i = 0; i < oracle->place_count; i++) {
		const struct box *box = oracle->places[i].box;

		run->promised[i] = run->sites->group ? are_all(run->sites, box, false) : is_duplex(run->sites, i);
		run->of_moment[i] = run->sites->group && is_whole(run, box);
		run->far_losses[i] = far_of_place(run, i)->power_losses;
		scenario_count(run->promised[i]	   ? "volumes lost in full duplex"
			       : run->of_moment[i] ? "volumes lost with their group suspended"
						   : "volumes lost out of duplex", 1);
	}
	oracle_require_before(oracle, rt_now_ns() + 1);
	oracle_note_durable(oracle, &run->durable);
}

/* A disk that failed there after the promise was mended, and what it had not synced is lost. */
static bool has_lost_power(const struct sync_run *run, unsigned place)
{
	return !run->frozen && far_of_place(run, place)->power_losses != run->far_losses[place];
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
		if (rc)
			break;
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (!rc)
			rc = faults_mend_all(sites);
	}
	return rc;
}

/* ---- the loss ---- */

static int fail_over(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_make_well(sites, &sites->fars[i]);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		unsigned volume;
		struct box *far = sites_far_of(sites, i, &volume);
		bool mended = false, again;

		do {
			rc = box_pair_failover(far, volume, sites->oracle.places[i].box);
			again = rc == -ECONNABORTED || (rc && rc != -ECANCELED && !mended);
			if (rc && rc != -ECANCELED && faults_make_well(sites, far))
				again = false;
			mended = mended || rc;
		} while (again);
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

/* The volumes of one source box, whose pairs are a group: of one moment, whichever it is. */
static const char *judge_group(struct sync_run *run, const struct box *box)
{
	struct oracle *oracle = &run->sites->oracle;
	uint32_t required[ORACLE_CHAINS];
	bool any = false;
	const char *bad;

	for (unsigned i = 0; i < oracle->place_count; i++) {
		oracle->places[i].ignored = oracle->places[i].box != box || !run->of_moment[i];
		any = any || !oracle->places[i].ignored;
	}
	any = any && is_whole(run, box);
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		required[c] = oracle->chains[c].required;
		oracle->chains[c].required = 0;
	}
	bad = any ? oracle_judge(oracle, &run->image, NULL) : NULL;
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		oracle->chains[c].required = required[c];
	return bad;
}

/*
 * Each volume that was in full duplex by itself, or all of them together. One whose far side has lost its power since,
 * before its source could send again what that took, has what was durable.
 */
static void judge_promised(struct sync_run *run, bool apart)
{
	struct oracle *oracle = &run->sites->oracle;

	for (unsigned i = 0; i < oracle->place_count; i++) {
		if (run->promised[i] && has_lost_power(run, i))
			fail_when(oracle_judge_durable(oracle, &run->durable, i, &run->image));
	}
	for (unsigned at = 0; at < (apart ? oracle->place_count : 1u); at++) {
		for (unsigned i = 0; i < oracle->place_count; i++)
			oracle->places[i].ignored = !run->promised[i] || has_lost_power(run, i) || (apart && i != at);
		fail_when(oracle_judge(oracle, &run->image, NULL));
	}
}

/*
 * apart: hosts went on while one volume after the other was failed over. What depends on a write that one of them did
 * not take any more may be in another.
 */
static void judge(struct sync_run *run, bool apart)
{
	struct oracle *oracle = &run->sites->oracle;
	const char *bad;

	for (unsigned i = 0; i < oracle->place_count; i++)
		oracle->places[i].ignored = false;
	bad = sites_take_reading(run->sites, &run->image);
	if (bad) {
		sim_fail(sim_world(), "%s", bad);
		return;
	}
	for (unsigned i = 0; i < run->sites->source_count; i++)
		fail_when(judge_group(run, &run->sites->sources[i]));
	judge_promised(run, apart);
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
	oracle_note_durable(&sites->oracle, &run->durable);
	rc = fail_over(run);
	if (!rc && sites_take_reading(sites, &run->image))
		sim_fail(sim_world(), "the far sides cannot be read");
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		if (run->promised[i])
			fail_when(oracle_judge_durable(&sites->oracle, &run->durable, i, &run->image));
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
	judge(run, false);
	return 0;
}

/* ---- the old site, which goes on ---- */

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

static const char *judge_old_volume(const struct sync_run *run, const struct old_pairs *look, unsigned place)
{
	const struct oracle_place *at = &run->sites->oracle.places[place];
	/*
	 * While it is only followed the far side may lack anything, as in any copy. What that lost with its power a
	 * source sends again, and so knows; not one that has itself forgotten in a crash what it had sent.
	 */
	bool untold = at->box->mended || (has_lost_power(run, place) && run->crashed == at->box);
	bool more = run->promised[place] && has_more(run, place) && !untold;

	/* It asks its far side when it is resumed. */
	if (box_is_frozen(at->box, at->volume))
		return NULL;
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
		struct old_pairs look = { .box = sites->oracle.places[place].box };

		bad = box_call(look.box, old_primary_look, &look) ? "the old site does not answer"
							       : judge_old_volume(run, &look, place);
		if (!bad && run->promised[place] && has_more(run, place))
			scenario_count("old volumes with more", 1);
	}
	return bad;
}

/* 0: it knows; fails the run when it does not in good time. A disk that fails meanwhile is mended. */
static int wait_known(struct sync_run *run)
{
	int64_t until_ns = rt_now_ns() + 40 * RT_SECOND;
	const char *bad = judge_old_site(run);
	int rc = 0;

	while (bad && !rc && rt_now_ns() < until_ns) {
		rc = wait_us(100000);
		if (!rc)
			rc = faults_mend_all(run->sites);
		if (!rc)
			bad = judge_old_site(run);
	}
	if (!rc)
		fail_when(bad);
	return rc;
}

/* Each time the link comes up the far sides are asked again, more often than histories are long. */
static int break_often(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < 2 * HISTORY_MAX && !rc; i++) {
		for (unsigned place = 0; place < sites->oracle.place_count; place++) {
			unsigned volume;
			struct box *far = sites_far_of(sites, place, &volume);

			sim_break(sites->oracle.places[place].box->system, far->system);
		}
		rc = wait_us(1000000);
	}
	scenario_count("links that broke often after a failover", 1);
	return rc;
}

/*
 * The site is cut off, or its far sides are taken over while it goes on; hosts write on there, and it may crash at
 * once after it has answered them. It is reached again.
 */
static int leave_site(struct sync_run *run, bool cut)
{
	struct sites *sites = run->sites;
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
	judge(run, !cut);
	rc = wait_us(below(2000000));
	if (rc)
		return rc;
	cut_site(sites, false);
	rc = faults_make_all_well(sites);
	if (!rc)
		rc = wait_known(run);
	if (!rc && below(4) == 0)
		rc = break_often(sites);
	return rc ? rc : wait_known(run);
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

/* ---- freeze and run ---- */

/* What a frozen site looks like: requests under way, the last that may still be answered, and the far sides. */
struct frozen_look {
	uint32_t last[ORACLE_CHAINS];
	unsigned boots;			/* of all systems: what is held, or not synced, does not outlive one */
	struct oracle_image image;
};

static unsigned count_boots(struct sites *sites)
{
	unsigned boots = 0;

	for (unsigned i = 0; i < sites_box_count(sites); i++)
		boots += sites_box(sites, i)->boots + !sites_box(sites, i)->ready;
	return boots;
}

static const char *look_frozen(struct sites *sites, struct frozen_look *look)
{
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		look->last[c] = sites->oracle.chains[c].issued;
	look->boots = count_boots(sites);
	return sites_take_peeking(sites, &look->image);
}

static void judge_frozen(struct sites *sites, const struct frozen_look *before)
{
	struct frozen_look after;

	if (look_frozen(sites, &after) || after.boots != before->boots)
		return;
	if (memcmp(&before->image, &after.image, sizeof(after.image)) != 0)
		scenario_wrong("a far side changes while it is frozen");
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		if (sites->oracle.chains[c].answered > before->last[c])
			scenario_wrong("hosts are answered while their volumes are frozen");
	}
}

static struct box *far_of(struct sites *sites, unsigned source)
{
	unsigned volume;

	return sites_far_of(sites, source * SITES_VOLUMES, &volume);
}

/* All paths of all sources, one after the other: 0 when that came about while all of them were in full duplex. */
static int freeze_all(struct sites *sites, int64_t hold_ns)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++)
		rc = is_duplex(sites, i) ? 0 : -EAGAIN;
	for (unsigned i = 0; i < sites->source_count && !rc; i++) {
		rc = are_all(sites, &sites->sources[i], false) ? 0 : -EAGAIN;
		if (!rc)
			rc = box_pair_freeze(&sites->sources[i], far_of(sites, i), hold_ns);
	}
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++)
		rc = box_is_frozen_by_command(sites->oracle.places[i].box, sites->oracle.places[i].volume) ? 0 :
			-EAGAIN;
	return rc;
}

/* The far sides of all sources are of one moment, that of the freeze. */
static int lose_frozen(struct sync_run *run, int64_t frozen_ns)
{
	struct sites *sites = run->sites;
	bool power = below(2);
	int rc;

	scenario_count("sites lost while frozen", 1);
	run->frozen = true;
	for (unsigned i = 0; i < sites->oracle.place_count; i++)
		run->promised[i] = true;
	oracle_require_before(&sites->oracle, frozen_ns);
	if (below(2))
		burn_site(sites);
	/* What they had not made durable when the command ended would be gone. */
	for (unsigned i = 0; power && i < sites->far_count; i++)
		faults_crash(sites, &sites->fars[i], SIM_POWER_LOSS);
	scenario_count("far sides without power while frozen", power);
	faults_stop(&run->faults);
	rc = fail_over(run);
	if (!rc)
		judge(run, false);
	return rc;
}

/* Hosts are held, all at one moment; then the site is lost, or they go on. In the run that goes on too. */
static int freeze_and_run(struct sync_run *run)
{
	struct sites *sites = run->sites;
	unsigned boots = count_boots(sites);
	int64_t frozen_ns = rt_now_ns(), hold_ns = below(3) ? 0 : (int64_t)(200 + below(400)) * RT_MS;
	int rc = freeze_all(sites, hold_ns);
	int64_t over_ns = rt_now_ns() + (hold_ns ? hold_ns : 60 * RT_SECOND);
	bool frozen = !rc;
	struct frozen_look look;

	if (rc == -ECANCELED)
		return rc;
	scenario_count(frozen ? "freezes" : "freezes that were disturbed", 1);
	rc = wait_us(20000);
	for (unsigned i = 0; i < sites->oracle.place_count; i++)
		sites->oracle.places[i].ignored = false;
	frozen = !look_frozen(sites, &look) && frozen;
	if (!rc)
		rc = wait_us(100000);
	frozen = frozen && boots == count_boots(sites) && rt_now_ns() < over_ns - (rt_now_ns() - frozen_ns);
	for (unsigned i = 0; i < sites->source_count; i++)
		frozen = frozen && sites->sources[i].ready && are_all(sites, &sites->sources[i], true);
	/* A disk that fails there has lost what it had not synced. */
	for (unsigned i = 0; i < sites->far_count; i++)
		frozen = frozen && !box_has_failed(&sites->fars[i]) && !sim_disk_errors(sites->fars[i].system);
	if (frozen && !rc)
		judge_frozen(sites, &look);
	if (frozen && !rc && scenario_branch())
		return lose_frozen(run, frozen_ns);
	for (unsigned i = 0; i < sites->source_count && rc != -ECANCELED; i++)
		rc = hold_ns ? 0 : box_pair_run(&sites->sources[i], far_of(sites, i));
	if (hold_ns && rc != -ECANCELED)
		rc = wait_us((uint64_t)(hold_ns / RT_US));
	return rc == -ECANCELED ? rc : sites_resume_frozen(sites);
}

/* ---- the run ---- */

static int finish(struct sync_run *run)
{
	struct sites *sites = run->sites;
	int rc;

	faults_stop(&run->faults);
	rc = faults_make_all_well(sites);
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
	bool broken = false, at_once = below(2);
	int rc = 0;

	while (!rc && rt_now_ns() < until_ns + (at_once ? 0 : 2 * RT_SECOND)) {
		bool all = true;

		look_whole(run);

		for (unsigned i = 0; i < run->sites->oracle.place_count; i++)
			all = all && is_duplex(run->sites, i);
		if (broken && all && !at_once) {
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
	int rc;

	sites->group = below(2);
	sites->critical = below(4) == 0;
	sites->oracle.blind = sites->critical;
	/* Hosts have errors while a suspension cannot be made durable, for what they wrote here and only here. */
	sites->oracle.blind_at_errors = true;
	rc = sites_build(sites, 1 + (unsigned)below(2), 1 + (unsigned)below(2),
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
		if (!rc && below(2))
			rc = sites_resume_frozen(sites);
		memset(run->whole, 0, sizeof(run->whole));
		if (!rc && i % 4 == 1)
			rc = freeze_and_run(run);
		if (run->frozen)
			return rc;
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
					   "freezes",
					   "sites lost while frozen",
					   NULL };

static const char *const rarely_happens[] = { "volumes lost with their group suspended", "freezes that were disturbed",
					      "links that broke often after a failover", NULL };

const struct scenario scenario_sync = {
	.name = "sync",
	.about = "synchronous pairs: a full-duplex far side has all that was answered, and knows when it has not",
	.until_ns = 900 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
