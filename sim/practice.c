/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice copies are made, written, replaced and removed at the far side under load and faults.
 *
 * Goal: what hosts find in a practice copy is one moment that lacks nothing of what was reported before the command
 * was given, and stays so whatever the session does and whoever restarts, but for what they write there; of that
 * nothing reaches the targets: recovery gives a moment, and the sites become equal. Method: one far side for several
 * sources, so that several legs must agree; the commands are given again and again while faults befall all systems;
 * at random moments the run splits, and in the branch the source site is lost and the session recovered.
 */
#include <errno.h>
#include <string.h>

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

static int mend_all(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++) {
		rc = faults_mend(sites, sites_box(sites, i));
		if (!rc)
			rc = faults_accept(sites_box(sites, i));
	}
	return rc;
}

static bool is_there(const struct box *far)
{
	bool any = false;

	for (unsigned i = 0; i < far->volume_count; i++)
		any = any || far->practice[i];
	return any;
}

/* One command until it is done; faults come and go, and then are over. */
static int give_surely(struct run *run, bool make)
{
	struct box *far = &run->sites->fars[0];
	int rc = -1;

	for (unsigned tries = 0; tries < 60 && rc && rc != -ECANCELED; tries++) {
		if (tries >= 6 || !below(3)) {
			faults_stop(&run->faults);
			if (mend_all(run->sites))
				return -ECANCELED;
		}
		/* What the master has reported by now is in it. */
		(void)!sites_look(run->sites);
		if (make)
			rc = box_session_practice(far, SITES_SESSION);
		else
			rc = is_there(far) ? box_session_unpractice(far, SITES_SESSION) : 0;
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

static void judge_new(struct run *run)
{
	const char *bad = take(run, &run->image);

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
	struct box *far = &run->sites->fars[0];
	uint8_t data[XDC_BLOCK_SIZE], own[XDC_BLOCK_SIZE];

	memset(own, run->own, sizeof(own));
	for (unsigned i = 0; i < far->volume_count; i++) {
		if (box_read(far, box_practice_of(i), NOT_OF_ORACLE, data))
			continue;
		if (memcmp(data, own, sizeof(own)) != 0)
			scenario_wrong("volume %04X of the copy lost what hosts wrote", far->volumes[i]);
		if (!box_peek(far, i, NOT_OF_ORACLE, data) && !memcmp(data, own, sizeof(own)))
			scenario_wrong("what hosts wrote to the copy is in its target %04X", far->volumes[i]);
	}
}

static int write_own(struct run *run)
{
	struct box *far = &run->sites->fars[0];
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = 0;

	run->own++;
	memset(data, run->own, sizeof(data));
	for (unsigned i = 0; i < far->volume_count && !rc; i++)
		rc = box_write(far, box_practice_of(i), NOT_OF_ORACLE, data, VOLUME_FUA);
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
			rc = mend_all(run->sites);
		}
		if (!rc)
			rc = wait_ms(below(300));
		bad = rc ? NULL : take(run, &image);
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
	struct box *far = &run->sites->fars[0];
	int rc = 0;

	for (unsigned i = 0; i < far->volume_count && !rc; i++)
		rc = box_zero(far, box_practice_of(i), 0, run->sites->volume_bytes / 2, 0);
	return rc;
}

/* In a branch: the source site is lost, now. */
static int lose_site(struct run *run)
{
	struct sites *sites = run->sites;
	struct recovery_result result = { 0 };
	int rc;

	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	if (faults_mend(sites, &sites->fars[0]))
		return -EIO;
	rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, &result);
	for (unsigned tries = 0; rc && tries < 20 && !wait_ms(300); tries++)
		rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, &result);
	if (rc) {
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
		return rc;
	}
	scenario_count("recoveries", 1);
	sites_judge_reading(sites, &run->image);
	if (!box_session_practice(&sites->fars[0], SITES_SESSION))
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

static int give_under_faults(struct run *run, bool make)
{
	int rc = faults_start(&run->faults, run->sites, 1);

	if (!rc)
		rc = wait_ms(below(600));
	if (!rc)
		rc = give_surely(run, make);
	faults_stop(&run->faults);
	return rc ? rc : mend_all(run->sites);
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

static int go_through(struct run *run)
{
	struct sites *sites = run->sites;
	int rc = sites_build(sites, 1 + (unsigned)below(2), 1, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
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
static const char *const rarely_happens[] = { "commands refused", "crashes beside a copy", "recoveries", NULL };

const struct scenario scenario_practice = {
	.name = "practice",
	.about = "copies to practise with show one moment and disturb nothing, while the session goes on",
	.until_ns = 600 * RT_SECOND,
	.run = run_practice,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
