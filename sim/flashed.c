/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of type flashcopy over several systems, under faults.
 *
 * Goal: after session flash all targets, on all systems, together are one moment, which holds all that was answered
 * before the command, and stay that, over crashes and losses of power, until it is given again. One that is refused
 * before it was decided changes nothing. The same holds for a set of FlashCopies of one system that is resynced.
 * Method: writers whose writes depend on one another go over the sources of all systems; at random moments the session
 * is flashed, while systems crash and links between them are cut.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define ROUNDS		10u
#define VOLUME_BYTES	(20u << 20)
#define SOURCES		2u			/* volumes of each box that are; their targets are behind them */

struct flashed_run {
	struct sites *sites;
	struct oracle_image image;		/* of the last that came about */
	bool shows;				/* it is there still */
	struct rt_group faults;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_us(uint64_t us)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)us * RT_US);
}

/* ---- what the targets show ---- */

static int read_target(void *arg, unsigned place, uint64_t block, void *data)
{
	struct sites *sites = arg;
	const struct oracle_place *at = &sites->oracle.places[place];

	return box_read(at->box, at->volume + SOURCES, block, data);
}

static bool are_up(struct sites *sites)
{
	bool all = true;

	for (unsigned i = 0; i < sites->source_count; i++)
		all = all && sites->sources[i].ready && !sites->sources[i].lost;
	return all;
}

/* answered_ns: a command has just ended that began then. */
static void look(struct flashed_run *run, int64_t answered_ns)
{
	struct oracle *oracle = &run->sites->oracle;
	uint32_t required[ORACLE_CHAINS];
	struct oracle_image now;
	const char *bad;

	if (!are_up(run->sites) || oracle_take(oracle, read_target, run->sites, &now) || !are_up(run->sites))
		return;
	if (run->shows) {
		if (memcmp(&now, &run->image, sizeof(now)) != 0)
			scenario_wrong("the targets of a session change that nobody has flashed");
		scenario_count("targets that stayed", 1);
		return;
	}
	if (!answered_ns)
		return;
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		required[c] = oracle->chains[c].required;
	oracle_require_before(oracle, answered_ns);
	bad = oracle_judge(oracle, &now, NULL);
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		oracle->chains[c].required = required[c];
	if (bad)
		scenario_wrong("flashed: %s", bad);
	run->image = now;
	run->shows = true;
}

/* The session, or where it is of one system alone: all its FlashCopies as those of a set. */
static int give(struct sites *sites)
{
	if (sites->source_count > 1 || below(2))
		return box_session_flash(&sites->sources[0], SITES_SESSION);
	scenario_count("sets resynced", 1);
	return box_flash_together(&sites->sources[0], SOURCES, SOURCES);
}

static int flash(struct flashed_run *run)
{
	int64_t began_ns = rt_now_ns();
	int rc;

	look(run, 0);
	run->shows = false;
	rc = give(run->sites);
	if (rc == -ECANCELED)
		return rc;
	scenario_count(rc ? "flashes refused" : "flashes", 1);
	if (!rc)
		look(run, began_ns);
	return 0;
}

/* ---- what befalls them ---- */

static int bring_up(struct sites *sites, struct box *box)
{
	int rc = faults_bring_up(sites, box);

	return rc ? rc : faults_accept(box);
}

static void run_faults(void *arg)
{
	struct flashed_run *run = arg;
	struct sites *sites = run->sites;

	while (!wait_us(below(1500000))) {
		struct box *box = &sites->sources[below(sites->source_count)];

		if (below(2) && sites->source_count > 1) {
			struct box *other = &sites->sources[(unsigned)(box - sites->sources + 1) % sites->source_count];

			sim_cut(box->system, other->system);
			(void)!wait_us(below(500000));
			sim_heal(box->system, other->system);
		} else if (box->ready) {
			if (below(2))
				faults_crash(sites, box, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
			else if (faults_crash_within(sites, box, SIM_DEATH))
				return;
			(void)!wait_us(below(300000));
			if (rt_cancelled() || bring_up(sites, box))
				return;
		}
	}
}

/* ---- the run ---- */

static int make_box(struct sites *sites, unsigned index, enum cache_mode cache)
{
	struct box *box = &sites->sources[index];
	char name[16], id[24];
	int rc;

	snprintf(name, sizeof(name), "a%u", index + 1);
	snprintf(id, sizeof(id), "2105.A%u", index + 1);
	box_init(box, name, id, 1 + (unsigned)below(2), (uint16_t)(0x1500 + 0x100 * index), 2 * SOURCES, VOLUME_BYTES,
		 cache);
	rc = box_boot(box);
	for (unsigned i = 0; i < SOURCES && !rc; i++)
		rc = box_flash(box, i, i + SOURCES, below(2));
	if (!rc)
		rc = box_session_open_as(box, SITES_SESSION, SESSION_FLASHCOPY);
	/* Hosts write, and the session has, only the first of its volumes. */
	box->volume_count = SOURCES;
	oracle_add_box(&sites->oracle, box);
	if (!rc)
		rc = box_session_add(box, SITES_SESSION);
	box->volume_count = 2 * SOURCES;
	return rc;
}

/* The links of paths that were just made may come up a moment later: till then the command is to be repeated. */
static int start_session(struct sites *sites, const struct session_start *start)
{
	int64_t until_ns = rt_now_ns() + RT_SECOND;
	int rc = box_session_start(&sites->sources[0], start);

	while (rc == -1 && rt_now_ns() < until_ns && !wait_us(10000))
		rc = box_session_start(&sites->sources[0], start);
	return rc;
}

static int make_all(struct sites *sites)
{
	struct session_start start = { .session = SITES_SESSION, .master_lss = 0x15 };
	int rc = 0;

	sites->source_count = 1 + (unsigned)below(3);
	for (unsigned i = 0; i < sites->source_count && !rc; i++) {
		struct box *box = &sites->sources[i];

		/* What `writeback` has in its buffer is not in the volume, where a crash is judged. */
		rc = make_box(sites, i, CACHE_DIRECT);
		if (!rc && i > 0)
			rc = box_path(&sites->sources[0], box);
		if (!rc && i > 0)
			rc = box_path(box, &sites->sources[0]);
		if (i > 0) {
			memcpy(start.subordinates[i - 1].system, box->id, XDC_SYSTEM_ID_MAX);
			start.subordinates[i - 1].lss = box_lss(box);
		}
	}
	start.subordinate_count = sites->source_count - 1;
	if (!rc && sites->source_count > 1)
		rc = start_session(sites, &start);
	return rc ? rc : oracle_start(&sites->oracle);
}

/* After all faults, and what an administrator does about disks that failed. */
static int flash_well(struct flashed_run *run)
{
	struct sites *sites = run->sites;
	unsigned tries = 0;
	int rc;

	do {
		rc = faults_make_all_well(sites);
		for (unsigned i = 0; tries > 0 && i < sites->source_count * SOURCES; i++)
			(void)!box_flash_again(&sites->sources[i / SOURCES], i % SOURCES, i % SOURCES + SOURCES);
		if (!rc)
			rc = wait_us(2000000);
		look(run, 0);
		if (!rc)
			rc = flash(run);
	} while (!rc && !run->shows && scenario_try_again(&tries));
	if (!rc && !run->shows)
		sim_fail(sim_world(), "a session cannot be flashed when nothing stands in the way");
	return rc;
}

static int live_through(struct flashed_run *run)
{
	int rc = make_all(run->sites);

	scenario_settled();
	if (!rc && below(3))
		rc = rt_group_start(&run->faults, "faults", run_faults, run);
	for (unsigned i = 0; i < ROUNDS && !rc; i++) {
		rc = wait_us(below(700000));
		if (!rc)
			rc = flash(run);
		if (!rc)
			rc = wait_us(below(300000));
		look(run, 0);
	}
	rt_group_stop(&run->faults);
	if (!rc)
		rc = flash_well(run);
	return rc ? rc : oracle_stop(&run->sites->oracle);
}

static int live(struct sites *sites)
{
	struct flashed_run run = { .sites = sites };
	int rc;

	rt_group_init(&run.faults);
	rc = live_through(&run);
	rt_group_stop(&run.faults);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes", "flashes", "flashes refused", "targets that stayed",
					   "sets resynced", NULL };

const struct scenario scenario_flashed = {
	.name = "flashed",
	.about = "sessions of type flashcopy: targets on several systems that are flashed together are one moment",
	.until_ns = 900 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
