/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A side is lost in the middle of a swap (swap.c), at any moment of it: before, while and after roles are exchanged.
 *
 * Goal: one command, session recover or session terminate --force, gives hosts all volumes of the side that is left,
 * with all that was answered; the side that was lost lets nobody in when it is back, and follows.
 */
#include <errno.h>

#include "copy/pair.h"
#include "scenarios.h"
#include "swap.h"

#define PATIENCE_NS	(200 * RT_SECOND)

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static unsigned count_boxes(const struct sites *sites, bool away)
{
	return away ? sites->far_count : sites->source_count;
}

static struct box *box_at(struct sites *sites, bool away, unsigned i)
{
	return away ? &sites->fars[i] : &sites->sources[i];
}

/* ---- what an administrator does at the side that is left ---- */

/* It is the master still, and has not come to the point of no return. */
static bool is_led(struct box *box)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	return !box_session_info(box, SITES_SESSION, &info, &shown_ns) && info.role == SESSION_MASTER &&
	       info.state != SESSION_SWAPPING;
}

static bool is_closed(struct sites *sites, bool away, const struct box *box)
{
	for (unsigned i = 0; i < sites->oracle.place_count; i++) {
		struct swap_place place = swap_place_at(sites, i, away);

		if (place.box == box && !box_lets_write(place.box, place.volume))
			return true;
	}
	return false;
}

/* At each box that keeps volumes closed. A master that may give the swap up does that. */
static void recover_once(struct swap_run *run, bool away)
{
	struct sites *sites = run->sites;

	for (unsigned i = 0; i < count_boxes(sites, away); i++) {
		struct box *box = box_at(sites, away, i);
		struct recovery_result result;

		if (!is_closed(sites, away, box))
			continue;
		if (!away && is_led(swap_master(run)))
			(void)!box_session_terminate(swap_master(run), SITES_SESSION, true);
		else if (!box_session_recover(box, SITES_SESSION, false, &result))
			scenario_count("recoveries of a swap", 1);
	}
}

/* False: what the other side did has to be found out first. */
static bool terminate_once(struct swap_run *run)
{
	return !swap_is_done(run) && !box_session_terminate(swap_master(run), SITES_SESSION, true);
}

/* Until hosts may have all volumes of that side. A swap that was done is no more taken back by a terminate. */
static bool open_side(struct swap_run *run, bool away)
{
	int64_t until_ns = rt_now_ns() + PATIENCE_NS;
	bool terminates = !away && below(2);

	while (rt_now_ns() < until_ns) {
		if (terminates && swap_is_done(run))
			return false;
		if (!terminates)
			recover_once(run, away);
		if (terminates ? terminate_once(run) : swap_are_open(run, away))
			return true;
		if (wait_ms(500))
			return false;
	}
	swap_note_sessions(run);
	scenario_wrong("after the other side was lost %s does not open all volumes of this one",
		       terminates ? "session terminate --force" : "session recover");
	return false;
}

/* ---- the side that was lost is back ---- */

struct follower {
	struct swap_place place;
	bool was_given;
};

/* What an administrator does then, volume by volume: the differences go to the side that was lost. */
static int follow(void *arg)
{
	struct follower *follower = arg;
	struct box *box = follower->place.box;
	struct copy_pair_name name;
	struct fault fault = { 0 };
	const struct pair *pair;
	int rc;

	if (!box->ready)
		return -ECONNABORTED;
	pair = pair_first_of(box->copy, box->volumes[follower->place.volume]);
	follower->was_given = follower->was_given || pair->record.role == PAIR_TARGET;
	if (pair->record.role == PAIR_SOURCE)
		return 0;
	name = copy_pair_name_of(pair->record.volume, pair->record.system);
	rc = copy_pair_failback(box->copy, &name, true, &fault);
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", fault.object, fault.message, fault.remedy);
	return rc;
}

/* To the side where hosts are not. */
static int follow_all(struct swap_run *run, bool away)
{
	int64_t until_ns = rt_now_ns() + 60 * RT_SECOND;
	const char *bad = NULL;
	bool all = true;
	int rc = 0;

	/* The group of the old direction, which they keep still. Those that have none say so. */
	for (unsigned i = 0; i < count_boxes(run->sites, !away); i++)
		(void)!box_session_terminate(box_at(run->sites, !away, i), SITES_SESSION, true);
	for (unsigned i = 0; i < run->sites->oracle.place_count && !rc; i++) {
		struct follower follower = { .place = swap_place_at(run->sites, i, away) };

		while (!rc && box_call(follower.place.box, follow, &follower)) {
			rc = rt_now_ns() < until_ns ? wait_ms(500) : -ETIMEDOUT;
			rc = rc ? rc : swap_mend_all(run->sites);
		}
		all = all && follower.was_given;
		scenario_count("pairs that follow after a take-back", follower.was_given);
	}
	if (rc == -ETIMEDOUT)
		scenario_wrong("a pair that was taken back does not follow");
	/* One that was not given away follows when its session is started again. */
	if (!rc && all)
		bad = swap_wait_equal(run);
	if (bad)
		scenario_wrong("after a take-back: %s", bad);
	return rc;
}

/* What hosts had written is there, and they go on; the other side finds out. */
static int work_at(struct swap_run *run, bool away)
{
	struct sites *sites = run->sites;
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND;
	int rc = 0;

	while (!rc && !swap_are_open(run, away) && rt_now_ns() < until_ns)
		rc = wait_ms(10);
	if (!rc && !swap_are_open(run, away))
		scenario_wrong("not all volumes of the side that is left are open to hosts");
	run->away = !away;		/* judge looks at the other side of that */
	rc = rc ? rc : swap_judge(run);
	swap_move_hosts(run, away);
	if (!rc)
		rc = oracle_start(&sites->oracle);
	if (!rc)
		rc = wait_ms(300);
	if (!rc)
		rc = swap_stop_hosts(sites);
	for (unsigned i = 0; i < count_boxes(sites, !away) && !rc; i++)
		rc = faults_bring_up(sites, box_at(sites, !away, i));
	if (!rc)
		rc = wait_ms(3000);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		struct swap_place place = swap_place_at(sites, i, !away);

		if (box_lets_write(place.box, place.volume))
			scenario_wrong("the side that was lost lets hosts in when it is back");
	}
	scenario_count(away ? "swaps that lost the old side" : "swaps taken back", 1);
	return rc ? rc : follow_all(run, away);
}

/* ---- it is lost ---- */

static int lose(struct swap_run *run, bool away)
{
	struct sites *sites = run->sites;
	struct rt_group group;
	bool open;
	int rc;

	run->commanded = false;
	rt_group_init(&group);
	rc = rt_group_start(&group, "swap", swap_once, run);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(120000) * RT_US);
	for (unsigned i = 0; i < count_boxes(sites, away) && !rc; i++)
		faults_crash(sites, box_at(sites, away, i), below(2) ? SIM_DEATH : SIM_POWER_LOSS);
	open = !rc && open_side(run, !away);
	if (!rc)
		rc = rt_group_wait(&group);
	if (rc)
		rt_group_stop(&group);
	if (!rc && open)
		return work_at(run, !away);
	for (unsigned i = 0; i < count_boxes(sites, away) && !rc; i++)
		rc = faults_bring_up(sites, box_at(sites, away, i));
	return rc;
}

int swap_lose_a_side(struct swap_run *run)
{
	/* Hosts are at home: the swap is to the far side. */
	return lose(run, below(4) > 0);
}
