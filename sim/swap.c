/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is swapped back and forth under load and faults.
 *
 * Goal: nothing that was answered is lost, hosts are never let in at both sides, a swap that is given up before the
 * point of no return leaves hosts where they were and one after it cannot be given up, no block is moved that the other
 * side has, groups that were to be kept are kept in either direction, and both sides end equal. Method: hosts write at
 * one side until they are stopped; the swap is ordered at the master, again and again while systems crash, pause and
 * are cut off; hosts go to the other side as soon as they are let in there, and what they read must be the last of all
 * that was answered. Writes that are tried at the old side meanwhile must be refused, or survive.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "swap.h"

#define SWAPS		6u
#define SWAPS_LONG	100u
#define VOLUME_BLOCKS	5120u
#define OPEN_MS		900		/* from the end of the command until hosts are let in, without faults */

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static struct box *master_at(const struct swap_run *run, bool away)
{
	return away ? &run->sites->fars[0] : &run->sites->sources[0];
}

struct box *swap_master(const struct swap_run *run)
{
	return master_at(run, run->away);
}

int swap_mend_all(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++) {
		rc = faults_make_well(sites, sites_box(sites, i));
		/* What hosts had flushed is not lost; nobody knows that but they. */
		if (!rc && box_has_lost(sites_box(sites, i)))
			(void)!box_accept_losses(sites_box(sites, i));
	}
	return rc;
}

/* ---- the hosts ---- */

/* They end as hosts do: all is flushed. */
int swap_stop_hosts(struct sites *sites)
{
	int rc = oracle_stop(&sites->oracle);

	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		const struct oracle_place *place = &sites->oracle.places[i];

		rc = box_flush(place->box, place->volume);
		if (!rc)
			place->box->written[place->volume] = false;
	}
	return rc;
}

struct swap_place swap_place_at(struct sites *sites, unsigned at, bool away)
{
	struct swap_place place = { .box = &sites->sources[at / SITES_VOLUMES], .volume = at % SITES_VOLUMES };

	if (away)
		place.box = sites_far_of(sites, at, &place.volume);
	return place;
}

void swap_move_hosts(struct swap_run *run, bool away)
{
	struct oracle *oracle = &run->sites->oracle;

	run->away = away;
	for (unsigned i = 0; i < oracle->place_count; i++) {
		struct swap_place place = swap_place_at(run->sites, i, away);

		oracle->places[i].box = place.box;
		oracle->places[i].volume = place.volume;
	}
}

struct reading {
	struct sites *sites;
	bool away;
};

static int read_at(void *arg, unsigned at, uint64_t block, void *data)
{
	const struct reading *reading = arg;
	struct swap_place place = swap_place_at(reading->sites, at, reading->away);

	return box_read(place.box, place.volume, block, data);
}

static const char *take(struct swap_run *run, bool away, struct oracle_image *image)
{
	struct reading reading = { .sites = run->sites, .away = away };

	return oracle_take(&run->sites->oracle, read_at, &reading, image);
}

/* All volumes of that side let hosts write. */
bool swap_are_open(struct swap_run *run, bool away)
{
	for (unsigned i = 0; i < run->sites->oracle.place_count; i++) {
		struct swap_place place = swap_place_at(run->sites, i, away);

		if (!box_lets_write(place.box, place.volume))
			return false;
	}
	return true;
}

/* ---- the commands ---- */

static int order_swap(void *arg)
{
	struct box *box = arg;
	struct fault fault = { 0 };
	int rc;

	if (!box->ready)
		return -ECONNABORTED;
	rc = copy_session_swap(box->copy, SITES_SESSION, &fault);
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", fault.object, fault.message, fault.remedy);
	return rc;
}

bool swap_is_done(struct swap_run *run)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	if (box_session_info(swap_master(run), SITES_SESSION, &info, &shown_ns))
		return false;
	if (info.role == SESSION_MASTER && info.sequence > run->newest)
		run->newest = info.sequence;
	return info.role != SESSION_MASTER;
}

/* Numbers rise for ever, whoever is the master. One that has just started knows those that were kept. */
static void judge_number(const struct swap_run *run)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	if (!box_session_info(master_at(run, !run->away), SITES_SESSION, &info, &shown_ns) && info.sequence &&
	    info.sequence < run->newest)
		scenario_wrong("the new master is at CG %llu, and there was %llu", (unsigned long long)info.sequence,
			       (unsigned long long)run->newest);
}

/* Nobody is to write where hosts were stopped: whoever gets an answer there has written, and it is not lost. */
static void write_at_old_side(struct swap_run *run)
{
	struct swap_place place = swap_place_at(run->sites, (unsigned)below(run->sites->oracle.place_count), run->away);
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };

	if (box_lets_write(place.box, place.volume))
		return;
	if (!box_write(place.box, place.volume, VOLUME_BLOCKS - 1, data, 0))
		scenario_wrong("a volume that is closed to hosts was written");
	scenario_count("writes refused at the old side", 1);
}

/* For people: what keeps it. */
void swap_note_sessions(struct swap_run *run)
{
	for (unsigned i = 0; i < sites_box_count(run->sites); i++) {
		struct box *box = sites_box(run->sites, i);
		struct copy_session_info info = { 0 };
		int64_t shown_ns;

		if (box_session_info(box, SITES_SESSION, &info, &shown_ns))
			continue;
		sim_note(sim_world(), "%s: %s, %s, %s, waits for '%s', %u of %u joined, CG %llu, failure %s",
			 box->id, session_role_names[info.role], session_state_names[info.state],
			 session_phase_names[info.phase], info.waiting_for, info.joined, info.volumes,
			 (unsigned long long)info.sequence, cg_failure_names[info.last_failure.reason]);
	}
}

static int swap_surely(struct swap_run *run)
{
	int64_t until_ns;
	int rc = -1;

	for (unsigned tries = 0; tries < 60 && rc && rc != -ECANCELED; tries++) {
		if (tries >= 8 || !below(4)) {
			faults_stop(&run->faults);
			if (swap_mend_all(run->sites))
				return -ECANCELED;
		}
		rc = swap_is_done(run) ? 0 : box_call(swap_master(run), order_swap, swap_master(run));
		scenario_count(rc ? "swaps refused" : "swaps done", 1);
		if (rc && below(2))
			write_at_old_side(run);
		if (rc && wait_ms(20 + below(300)))
			rc = -ECANCELED;
	}
	if (rc && rc != -ECANCELED) {
		swap_note_sessions(run);
		sim_fail(sim_world(), "the swap does not come about: %d", rc);
	}
	run->swapped_ns = rt_now_ns();
	until_ns = run->swapped_ns + 60 * RT_SECOND;
	while (!rc && !swap_are_open(run, !run->away)) {
		if (rt_now_ns() > until_ns) {
			swap_note_sessions(run);
			sim_fail(sim_world(), "hosts are not let in at the other side");
			rc = -ETIMEDOUT;
		} else {
			if (rt_now_ns() > until_ns - 50 * RT_SECOND) {
				faults_stop(&run->faults);
				rc = swap_mend_all(run->sites);
			}
			rc = rc ? rc : wait_ms(10);
		}
	}
	if (!rc)
		judge_number(run);
	return rc;
}

/* ---- giving it up ---- */

static int order_terminate(void *arg)
{
	struct box *box = arg;
	struct fault fault = { 0 };

	return box->ready ? copy_session_terminate(box->copy, SITES_SESSION, false, &fault) : -ECONNABORTED;
}

/* There is no way back any more: commands that would be one are refused. */
static void try_way_back(struct swap_run *run)
{
	if (!box_session_resume(swap_master(run), SITES_SESSION))
		scenario_wrong("a session was resumed whose roles were being exchanged");
	if (!box_call(swap_master(run), order_terminate, swap_master(run)))
		scenario_wrong("a session was terminated whose roles were being exchanged");
	scenario_count("swaps that could not be given up", 1);
}

/* The session is to run as before, whatever was done of the swap; or it is too late for that. */
static int go_back(struct swap_run *run)
{
	int64_t until_ns = rt_now_ns() + 60 * RT_SECOND;

	while (rt_now_ns() < until_ns) {
		struct copy_session_info info = { 0 };
		int64_t shown_ns;
		int rc = box_session_info(swap_master(run), SITES_SESSION, &info, &shown_ns);

		if (!rc && (info.role != SESSION_MASTER || info.state == SESSION_SWAPPING)) {
			if (info.state == SESSION_SWAPPING)
				try_way_back(run);
			return 0;
		}
		if (!rc && info.state == SESSION_RUNNING && swap_are_open(run, run->away)) {
			scenario_count("swaps given up", 1);
			return 0;
		}
		if (!rc)
			(void)!box_session_resume(swap_master(run), SITES_SESSION);
		rc = wait_ms(50);
		if (rc)
			return rc;
	}
	swap_note_sessions(run);
	sim_fail(sim_world(), "a swap that was given up does not let hosts go on");
	return -ETIMEDOUT;
}

struct victim {
	struct sites *sites;
	struct box *box;
};

/* At any moment of the command, which takes some ten milliseconds. */
static void crash_soon(void *arg)
{
	struct victim *victim = arg;

	if (!rt_sleep_until(rt_now_ns() + (int64_t)below(80000) * RT_US))
		faults_crash(victim->sites, victim->box, SIM_DEATH);
}

void swap_once(void *arg)
{
	struct swap_run *run = arg;

	(void)!box_call(swap_master(run), order_swap, swap_master(run));
	run->commanded = true;
}

/* It may wait for what never comes: then an administrator resumes the session. */
static int wait_command(struct swap_run *run)
{
	int64_t began_ns = rt_now_ns();
	int rc = 0;

	while (!run->commanded && !rc) {
		if (rt_now_ns() - began_ns > 3 * RT_SECOND)
			(void)!box_session_resume(swap_master(run), SITES_SESSION);
		if (rt_now_ns() - began_ns > 200 * RT_SECOND) {
			swap_note_sessions(run);
			sim_fail(sim_world(), "a swap can not be given up while it waits");
			rc = -ETIMEDOUT;
		}
		rc = rc ? rc : wait_ms(10);
	}
	scenario_count(rt_now_ns() - began_ns > 3 * RT_SECOND ? "swaps given up while they waited" : "swaps tried", 1);
	return rc;
}

/* With hosts stopped: the command fails in its middle, as a rule, and is not given again. */
static int give_up(struct swap_run *run)
{
	struct sites *sites = run->sites;
	struct victim victim = { .sites = sites, .box = sites_box(sites, (unsigned)below(sites_box_count(sites))) };
	struct rt_group group;
	int rc;

	run->commanded = false;
	rt_group_init(&group);
	rc = rt_group_start(&group, "crash", crash_soon, &victim);
	if (!rc)
		rc = rt_group_start(&group, "swap", swap_once, run);
	if (!rc)
		rc = wait_command(run);
	if (!rc)
		rc = rt_group_wait(&group);
	if (rc)
		rt_group_stop(&group);
	if (!rc)
		rc = faults_bring_up(sites, victim.box);
	if (!rc)
		rc = swap_mend_all(sites);
	if (!rc)
		rc = go_back(run);
	if (rc || !swap_are_open(run, run->away))
		return rc;
	rc = oracle_start(&sites->oracle);
	if (!rc)
		rc = wait_ms(below(200));
	return rc ? rc : swap_stop_hosts(sites);
}

/* ---- what was moved ---- */

static void add_sent(void *arg, const struct copy_pair_info *info)
{
	*(uint64_t *)arg += info->sent_bytes;
}

struct count_order {
	struct box *box;
	uint64_t bytes;
};

static int count_box(void *arg)
{
	struct count_order *order = arg;

	if (!order->box->ready)
		return -ECONNABORTED;
	copy_pair_each(order->box->copy, add_sent, &order->bytes);
	return 0;
}

static int count_sent(struct swap_run *run, uint64_t *bytes)
{
	int rc = 0;

	*bytes = 0;
	for (unsigned i = 0; i < sites_box_count(run->sites) && !rc; i++) {
		struct count_order order = { .box = sites_box(run->sites, i) };

		rc = box_call(order.box, count_box, &order);
		*bytes += order.bytes;
	}
	return rc;
}

static void judge_measured(struct swap_run *run, int64_t opened_ns, uint64_t moved_bytes)
{
	if (opened_ns - run->swapped_ns > OPEN_MS * RT_MS)
		scenario_wrong("hosts had to wait %lld ms for the other side",
			       (long long)((opened_ns - run->swapped_ns) / RT_MS));
	if (moved_bytes)
		scenario_wrong("a swap without a write has moved %llu bytes", (unsigned long long)moved_bytes);
	scenario_count("swaps at rest", 1);
}

/*
 * Whatever befell the session before: what the other side has, and no host has written since, does not travel. A call
 * that fails meanwhile (--fail) may be a disk, and a system that waits to be started anew.
 */
static int swap_measured(struct swap_run *run)
{
	uint64_t before, after, failed = 0;
	int64_t opened_ns = 0;
	int rc = swap_mend_all(run->sites);

	if (!rc) {
		failed = sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL);
		rc = wait_ms(2000);		/* all links are there again */
	}
	if (!rc)
		rc = count_sent(run, &before);
	if (!rc)
		rc = swap_surely(run);
	if (!rc) {
		opened_ns = rt_now_ns();
		rc = wait_ms(500);
	}
	if (!rc)
		rc = count_sent(run, &after);
	if (!rc && sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL) == failed)
		judge_measured(run, opened_ns, after - before);
	return rc;
}

/* Both sides, wherever hosts are. */
const char *swap_wait_equal(struct swap_run *run)
{
	bool away = run->away;
	const char *bad;

	swap_move_hosts(run, false);
	bad = sites_wait_equal(run->sites, 60 * RT_SECOND);
	swap_move_hosts(run, away);
	return bad;
}

static int swap_after_faults(struct swap_run *run)
{
	const char *bad = swap_wait_equal(run);

	if (bad)
		scenario_wrong("%s", bad);
	return swap_measured(run);
}

/* ---- the run ---- */

int swap_judge(struct swap_run *run)
{
	struct oracle_image image;
	const char *bad = take(run, !run->away, &image);
	uint32_t position[ORACLE_CHAINS];

	if (bad) {
		sim_fail(sim_world(), "at the other side: %s", bad);
		return -EIO;
	}
	/* All that was answered, to the last write, is there. */
	oracle_require_before(&run->sites->oracle, rt_now_ns());
	bad = oracle_judge(&run->sites->oracle, &image, position);
	if (bad)
		scenario_wrong("after the swap: %s", bad);
	else
		oracle_restart_at(&run->sites->oracle, position);
	return 0;
}

static int swap_under_faults(struct swap_run *run)
{
	struct sites *sites = run->sites;
	int rc = faults_start(&run->faults, sites, 1 + (unsigned)below(2));

	if (!rc)
		rc = wait_ms(below(500));
	faults_stop(&run->faults);
	if (!rc)
		rc = swap_mend_all(sites);
	if (!rc)
		rc = swap_stop_hosts(sites);
	if (!rc && !below(4))
		rc = give_up(run);
	if (!rc && !below(4))
		rc = swap_after_faults(run);
	else if (!rc && below(2))
		rc = swap_surely(run);
	else if (!rc && !(rc = faults_start(&run->faults, sites, 1)))
		rc = swap_surely(run);
	faults_stop(&run->faults);
	if (!rc)
		rc = swap_mend_all(sites);
	if (rc)
		return rc;
	for (unsigned i = 0; i < sites->oracle.place_count; i++) {
		struct swap_place place = swap_place_at(sites, i, run->away);

		if (box_lets_write(place.box, place.volume))
			scenario_wrong("hosts are let in at both sides");
	}
	rc = swap_judge(run);
	swap_move_hosts(run, !run->away);
	scenario_count("swaps", 1);
	return rc ? rc : oracle_start(&sites->oracle);
}

/* All ways that are needed in the other direction. */
static int make_ways(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++) {
		unsigned volume;

		rc = box_path(sites_far_of(sites, i * SITES_VOLUMES, &volume), &sites->sources[i]);
	}
	for (unsigned i = 1; i < sites->far_count && !rc; i++)
		rc = box_path(&sites->fars[0], &sites->fars[i]);
	return rc;
}

/* What is to be kept goes with the session. */
static int look_kept(struct swap_run *run)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;
	int rc = box_session_info(swap_master(run), SITES_SESSION, &info, &shown_ns);

	if (!rc && info.tunables.keep_bytes != run->sites->keep_bytes)
		scenario_wrong("%llu bytes are to be kept after the swaps, and were %llu",
			       (unsigned long long)info.tunables.keep_bytes,
			       (unsigned long long)run->sites->keep_bytes);
	return rc;
}

static int go_through(struct swap_run *run)
{
	struct sites *sites = run->sites;
	const char *bad = NULL;
	int rc;

	sites->keep_bytes = below(2) ? UINT64_C(4) << 20 : 0;
	/* Room for all volumes to be sent again: while one is full no group is formed, and no swap comes about. */
	sites->journal_bytes = UINT64_C(128) << (20 + below(2));
	rc = sites_build(sites, 2 + (unsigned)below(3), 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = make_ways(sites);
	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	for (unsigned i = 0; i < run->swaps && !rc; i++) {
		rc = wait_ms(100 + below(400));
		if (!rc)
			rc = swap_under_faults(run);
	}
	if (!rc)
		rc = swap_stop_hosts(sites);
	if (!rc)
		bad = swap_wait_equal(run);
	if (!rc && !bad && !below(2)) {
		rc = swap_lose_a_side(run);
		return rc ? rc : sites_stop(sites);
	}
	if (!rc && !bad)
		rc = swap_measured(run);
	if (!rc && !bad)
		swap_move_hosts(run, !run->away);
	if (!rc && !bad)
		rc = look_kept(run);
	if (!rc && !bad)
		bad = swap_wait_equal(run);
	if (bad)
		scenario_wrong("%s", bad);
	if (rc)
		sim_fail(sim_world(), "the swaps do not go on: %d", rc);
	return rc ? rc : sites_stop(sites);
}

static int swap_so_often(struct sites *sites, unsigned swaps)
{
	struct swap_run run = { .sites = sites, .swaps = swaps };
	int rc;

	rt_group_init(&run.faults.group);
	rc = go_through(&run);
	rt_group_stop(&run.faults.group);
	return rc;
}

static int live(struct sites *sites)
{
	return swap_so_often(sites, SWAPS);
}

static int live_long(struct sites *sites)
{
	return swap_so_often(sites, SWAPS_LONG);
}

static int run_swap(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static int run_swap_long(void *arg)
{
	(void)arg;
	return sites_live(live_long);
}

static const char *const must_happen[] = { "host writes", "swaps", "swaps done", "swaps at rest", NULL };
static const char *const rarely_happens[] = {
	"swaps refused", "writes refused at the old side", "swaps given up", "swaps that could not be given up",
	"swaps taken back", "swaps that lost the old side", "recoveries of a swap",
	"pairs that follow after a take-back", NULL,
};

const struct scenario scenario_swap = {
	.name = "swap",
	.about = "a session is swapped back and forth, and nothing is lost",
	.until_ns = 3600 * RT_SECOND,
	.run = run_swap,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};

const struct scenario scenario_swap_long = {
	.name = "swap-long",
	.about = "the same a hundred times in one run",
	.until_ns = 4 * 3600 * RT_SECOND,
	.run = run_swap_long,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
