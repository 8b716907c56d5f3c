/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice copies are made, written, replaced and removed at the far side under load and faults.
 *
 * Goal: what hosts find in a practice copy is one moment that lacks nothing of what was reported before the command
 * was given, and stays so whatever the session does and whoever restarts, but for what they write there; of that
 * nothing reaches the targets: recovery gives a moment, and the sites become equal. Method: one far side for several
 * sources, or two, so that several legs must agree; the commands are given at any far side, again and again while
 * faults befall all systems, or who gives them dies; at random moments the run splits, and in the branch the source
 * site is lost and the session recovered.
 */
#include <errno.h>
#include <string.h>

#include "copy/leg.h"
#include "faults.h"
#include "scenarios.h"
#include "volume/volume.h"

#define ROUNDS		3u
#define LOOKS		3u		/* at each copy */
#define NOT_OF_ORACLE	100u		/* a block */

struct run {
	struct sites *sites;
	struct faults faults;
	struct oracle_image image;	/* of this copy */
	uint8_t own;			/* what hosts wrote to it last; 0: nothing */
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static bool is_there(const struct sites *sites)
{
	bool any = false;

	for (unsigned i = 0; i < sites->far_count; i++) {
		for (unsigned j = 0; j < sites->fars[i].volume_count; j++)
			any = any || sites->fars[i].practice[j];
	}
	return any;
}

static struct box *any_far(struct sites *sites)
{
	return &sites->fars[below(sites->far_count)];
}

/* One command until it is done; faults come and go, and then are over. */
static int give_surely(struct run *run, bool make)
{
	int rc = -1;

	for (unsigned tries = 0; tries < 60 && rc && rc != -ECANCELED; tries++) {
		struct box *far = any_far(run->sites);

		if (tries >= 6 || !below(3)) {
			faults_stop(&run->faults);
			if (faults_make_all_well(run->sites))
				return -ECANCELED;
		}
		/* What the master has reported by now is in it. */
		(void)!sites_look(run->sites);
		if (make)
			rc = box_session_practice(far, SITES_SESSION, NULL);
		else
			rc = is_there(run->sites) ? box_session_unpractice(far, SITES_SESSION) : 0;
		scenario_count(rc ? "commands refused" : "commands done", 1);
		if (rc && wait_ms(50 + below(200)))
			rc = -ECANCELED;
	}
	if (rc && rc != -ECANCELED)
		sim_fail(sim_world(), "the %s does not come about: %d", make ? "copy" : "end of the copy", rc);
	return rc;
}

/* ---- what is in it ---- */


static int read_copy(void *arg, unsigned place, uint64_t block, void *data)
{
	unsigned volume;
	struct box *far = sites_far_of(arg, place, &volume);

	return box_read(far, box_practice_of(volume), block, data);
}

static const char *take(struct run *run, struct oracle_image *image)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND;
	const char *bad = oracle_take(&run->sites->oracle, read_copy, run->sites, image);

	while (bad && rt_now_ns() < until_ns && !wait_ms(20))
		bad = oracle_take(&run->sites->oracle, read_copy, run->sites, image);
	return bad;
}

/* A disk that fails ends a copy, which says so: it is of no use any more. Want of memory ends a request. */
static bool may_have_failed(void)
{
	return sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) > 0;
}

static void judge_new(struct run *run)
{
	const char *bad = take(run, &run->image);

	if (bad && may_have_failed() && !give_surely(run, true))
		bad = take(run, &run->image);
	if (bad) {
		sim_fail(sim_world(), "a new copy: %s", bad);
		return;
	}
	bad = oracle_judge(&run->sites->oracle, &run->image, NULL);
	if (bad)
		scenario_wrong("a new copy: %s", bad);
	run->own = 0;
	scenario_count("copies", 1);
}

/* Each volume has of its own in this block what hosts wrote there, and its target has not. */
static void judge_own(struct run *run)
{
	uint8_t data[XDC_BLOCK_SIZE], own[XDC_BLOCK_SIZE];

	memset(own, run->own, sizeof(own));
	for (unsigned place = 0; place < run->sites->oracle.place_count; place++) {
		unsigned volume;
		struct box *far = sites_far_of(run->sites, place, &volume);

		if (box_read(far, box_practice_of(volume), NOT_OF_ORACLE, data))
			continue;
		if (memcmp(data, own, sizeof(own)) != 0)
			scenario_wrong("volume %04X of the copy lost what hosts wrote", far->volumes[volume]);
		if (!box_peek(far, volume, NOT_OF_ORACLE, data) && !memcmp(data, own, sizeof(own)))
			scenario_wrong("what hosts wrote to the copy is in its target %04X", far->volumes[volume]);
	}
}

static int make_again(struct run *run, int rc)
{
	if (!may_have_failed() || (rc != -EIO && rc != -ENOMEM))
		return rc;
	if (rc == -ENOMEM)
		return 0;
	rc = give_surely(run, true);
	if (!rc)
		judge_new(run);
	scenario_count("copies made again", 1);
	return rc;
}

static int try_to_write(struct run *run)
{
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = 0;

	run->own++;
	memset(data, run->own, sizeof(data));
	for (unsigned place = 0; place < run->sites->oracle.place_count && !rc; place++) {
		unsigned volume;
		struct box *far = sites_far_of(run->sites, place, &volume);

		rc = box_write(far, box_practice_of(volume), NOT_OF_ORACLE, data, VOLUME_FUA);
	}
	return rc;
}

static int write_own(struct run *run)
{
	int rc = try_to_write(run);

	if (rc) {
		rc = make_again(run, rc);
		if (!rc)
			rc = try_to_write(run);
	}
	if (rc)
		sim_fail(sim_world(), "a copy takes no writes: %d", rc);
	return rc;
}

static int look_at_copy(struct run *run)
{
	struct oracle_image image;
	const char *bad;
	int rc = 0;

	for (unsigned i = 0; i < LOOKS && !rc; i++) {
		struct box *victim = sites_box(run->sites, (unsigned)below(sites_box_count(run->sites)));

		rc = write_own(run);
		if (!rc && below(2)) {
			faults_crash(run->sites, victim, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
			scenario_count("crashes beside a copy", 1);
			rc = faults_make_all_well(run->sites);
		}
		if (!rc)
			rc = wait_ms(below(300));
		bad = rc ? NULL : take(run, &image);
		if (bad && may_have_failed())
			return make_again(run, -EIO);
		if (bad)
			sim_fail(sim_world(), "a copy: %s", bad);
		else if (!rc && memcmp(&image, &run->image, sizeof(image)) != 0)
			scenario_wrong("a copy has changed by itself");
		if (!rc)
			judge_own(run);
	}
	return rc;
}

/* Its blocks that are of the oracle are overwritten, too. */
static int spoil_copy(struct run *run)
{
	int rc = 0;

	for (unsigned place = 0; place < run->sites->oracle.place_count && !rc; place++) {
		unsigned volume;
		struct box *far = sites_far_of(run->sites, place, &volume);

		rc = box_zero(far, box_practice_of(volume), 0, run->sites->volume_bytes / 2, 0);
	}
	return make_again(run, rc);
}

/* In a branch: the source site is lost, now. */
static int lose_site(struct run *run)
{
	struct sites *sites = run->sites;
	struct recovery_result result = { 0 };
	struct box *far = any_far(sites);
	int rc = 0;

	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_mend(sites, &sites->fars[i]);
	if (rc)
		return rc;
	rc = box_session_recover(far, SITES_SESSION, false, &result);
	/* A far side whose disk failed meanwhile shows the group when that is mended and the command given again. */
	for (unsigned tries = 0; (rc || result.volumes_missing) && tries < 20; tries++) {
		if (wait_ms(300) || faults_mend_all(sites))
			return -ECANCELED;
		rc = box_session_recover(far, SITES_SESSION, false, &result);
	}
	if (rc) {
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
		return rc;
	}
	scenario_count("recoveries", 1);
	sites_judge_reading(sites, &run->image);
	if (!box_session_practice(far, SITES_SESSION, NULL))
		scenario_wrong("a copy is made of production");
	return 0;
}

/* A branch is the end of the run that it is in: 1. */
static int maybe_lose_site(struct run *run)
{
	if (below(2) || !scenario_branch())
		return 0;
	(void)!lose_site(run);
	return 1;
}

/* ---- a master that dies between two far sides ---- */

/* Over all legs. */
struct legs_seen {
	uint64_t lowest, highest;	/* committed */
	bool all_prepared;
};

static bool look_at_legs(const struct sites *sites, struct legs_seen *seen)
{
	struct journal_info info;
	struct leg *leg;

	*seen = (struct legs_seen){ .lowest = UINT64_MAX, .all_prepared = true };
	for (unsigned i = 0; i < sites->far_count; i++) {
		const struct box *far = &sites->fars[i];

		if (!far->ready || !sim_is_running(far->system))
			return false;
		list_for_each(leg, &far->copy->legs, link) {
			leg_get_info(leg, &info);
			if (info.committed < seen->lowest)
				seen->lowest = info.committed;
			if (info.committed > seen->highest)
				seen->highest = info.committed;
			seen->all_prepared = seen->all_prepared && info.prepared > info.committed;
		}
	}
	return true;
}

static bool are_all_prepared(const struct sites *sites)
{
	struct legs_seen seen;

	return look_at_legs(sites, &seen) && seen.all_prepared;
}

static bool are_uneven(const struct sites *sites)
{
	struct legs_seen seen;

	return look_at_legs(sites, &seen) && seen.lowest < seen.highest;
}

static int wait_for(const struct sites *sites, bool (*is)(const struct sites *sites))
{
	int64_t until_ns = rt_now_ns() + RT_SECOND;
	int rc = 0;

	while (!is(sites) && rt_now_ns() < until_ns && !rc)
		rc = rt_sleep_until(rt_now_ns() + 20 * RT_US);
	return rc;
}

/* One source is cut off when all are prepared, and the master is gone when the others have committed. */
static int lose_master(struct run *run)
{
	struct sites *sites = run->sites;
	unsigned volume;
	struct box *source = &sites->sources[1], *far = sites_far_of(sites, SITES_VOLUMES, &volume);
	int rc = wait_for(sites, are_all_prepared);

	if (rc)
		return rc;
	sim_cut(source->system, far->system);
	rc = wait_for(sites, are_uneven);
	faults_crash(sites, &sites->sources[0], SIM_POWER_LOSS);
	sim_heal(source->system, far->system);
	if (!rc)
		rc = wait_ms(20);
	return rc;
}

/* What it had begun to commit is whole: nobody waits for it. */
static int practise_without_master(struct run *run)
{
	int rc = lose_master(run);

	if (rc)
		return rc;
	if (are_uneven(run->sites)) {
		scenario_count("masters lost between commits", 1);
		rc = box_session_practice(any_far(run->sites), SITES_SESSION, NULL);
		if (rc)
			scenario_wrong("no copy is made while a master is gone that had begun to commit: %d", rc);
		else
			judge_new(run);
	}
	return faults_make_all_well(run->sites);
}

/* ---- rounds ---- */

static int give_under_faults(struct run *run, bool make)
{
	int rc = faults_start(&run->faults, run->sites, 1);

	if (!rc)
		rc = wait_ms(below(600));
	if (!rc)
		rc = give_surely(run, make);
	faults_stop(&run->faults);
	return rc ? rc : faults_make_all_well(run->sites);
}

static int practise(struct run *run)
{
	int rc = give_under_faults(run, true);

	if (rc)
		return rc;
	judge_new(run);
	rc = look_at_copy(run);
	if (!rc)
		rc = spoil_copy(run);
	if (!rc)
		rc = maybe_lose_site(run);
	if (!rc && below(2))
		rc = give_under_faults(run, false);
	return rc ? rc : sites_wait_groups(run->sites, 2, 60 * RT_SECOND);
}

/* With one leg there is nothing between. */
static int begin_rounds(struct run *run)
{
	return run->sites->source_count > 1 && !below(3) ? practise_without_master(run) : 0;
}

static int go_through(struct run *run)
{
	struct sites *sites = run->sites;
	unsigned fars = 1 + (unsigned)below(2);
	int rc = sites_build(sites, fars + (unsigned)below(2), fars, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK,
			     PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (fars > 1)
		scenario_count("several far sides", 1);
	if (!rc)
		rc = begin_rounds(run);
	for (unsigned i = 0; i < ROUNDS && !rc; i++)
		rc = practise(run);
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

static int run_practice(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "groups", "copies", "commands done", NULL };
static const char *const rarely_happens[] = {
	"several far sides", "masters lost between commits", "commands refused", "crashes beside a copy", "recoveries",
	NULL
};

const struct scenario scenario_practice = {
	.name = "practice",
	.about = "copies to practise with show one moment and disturb nothing, while the session goes on",
	.until_ns = 600 * RT_SECOND,
	.run = run_practice,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
