/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is swapped back and forth under load and faults.
 *
 * Goal: nothing that was answered is lost, hosts are never let in at both sides, no more blocks are moved than were
 * written, and both sides end equal. Method: hosts write at one side until they are stopped; the swap is ordered at
 * the master, again and again while systems crash, pause and are cut off; hosts go to the other side as soon as they
 * are let in there, and what they read must be the last of all that was answered. Writes that are tried at the old side
 * meanwhile must be refused, or survive.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "rt/mem.h"
#include "scenarios.h"

#define SWAPS		6u
#define VOLUME_BLOCKS	5120u
#define OPEN_MS		500		/* from the end of the command until hosts are let in, without faults */

struct run {
	struct sites *sites;
	struct faults faults;
	bool away;			/* production is at the far boxes */
	int64_t swapped_ns;		/* the end of the last command that swapped */
	uint64_t newest;		/* CG that any master has had */
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static struct box *master_at(const struct run *run, bool away)
{
	return away ? &run->sites->fars[0] : &run->sites->sources[0];
}

static struct box *master(const struct run *run)
{
	return master_at(run, run->away);
}

static int mend_all(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++) {
		rc = faults_mend(sites, sites_box(sites, i));
		if (!rc)
			rc = faults_accept(sites_box(sites, i));
		/* What hosts had flushed is not lost; nobody knows that but they. */
		if (!rc && box_has_lost(sites_box(sites, i)))
			(void)!box_accept_losses(sites_box(sites, i));
	}
	return rc;
}

/* ---- the hosts ---- */

/* They end as hosts do: all is flushed. */
static int stop_hosts(struct sites *sites)
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

/* Where the volume of each place of the oracle is, at this side or that. */
struct place {
	struct box *box;
	unsigned volume;
};

static struct place place_at(struct sites *sites, unsigned at, bool away)
{
	struct place place = { .box = &sites->sources[at / SITES_VOLUMES], .volume = at % SITES_VOLUMES };

	if (away)
		place.box = sites_far_of(sites, at, &place.volume);
	return place;
}

static void move_hosts(struct run *run, bool away)
{
	struct oracle *oracle = &run->sites->oracle;

	run->away = away;
	for (unsigned i = 0; i < oracle->place_count; i++) {
		struct place place = place_at(run->sites, i, away);

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
	struct place place = place_at(reading->sites, at, reading->away);

	return box_read(place.box, place.volume, block, data);
}

static const char *take(struct run *run, bool away, struct oracle_image *image)
{
	struct reading reading = { .sites = run->sites, .away = away };

	return oracle_take(&run->sites->oracle, read_at, &reading, image);
}

/* All volumes of that side let hosts write. */
static bool are_open(struct run *run, bool away)
{
	for (unsigned i = 0; i < run->sites->oracle.place_count; i++) {
		struct place place = place_at(run->sites, i, away);

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

static bool is_swapped(struct run *run)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	if (box_session_info(master(run), SITES_SESSION, &info, &shown_ns))
		return false;
	if (info.role == SESSION_MASTER && info.sequence > run->newest)
		run->newest = info.sequence;
	return info.role != SESSION_MASTER;
}

/* Numbers rise for ever, whoever is the master. One that has just started knows those that were kept. */
static void judge_number(const struct run *run)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	if (!box_session_info(master_at(run, !run->away), SITES_SESSION, &info, &shown_ns) && info.sequence &&
	    info.sequence < run->newest)
		scenario_wrong("the new master is at CG %llu, and there was %llu", (unsigned long long)info.sequence,
			       (unsigned long long)run->newest);
}

/* Nobody is to write where hosts were stopped: whoever gets an answer there has written, and it is not lost. */
static void write_at_old_side(struct run *run)
{
	struct place place = place_at(run->sites, (unsigned)below(run->sites->oracle.place_count), run->away);
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };

	if (box_lets_write(place.box, place.volume))
		return;
	if (!box_write(place.box, place.volume, VOLUME_BLOCKS - 1, data, 0))
		scenario_wrong("a volume that is closed to hosts was written");
	scenario_count("writes refused at the old side", 1);
}

/* For people: what keeps it. */
static void note_sessions(struct run *run)
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

static int swap_surely(struct run *run)
{
	int64_t until_ns;
	int rc = -1;

	for (unsigned tries = 0; tries < 60 && rc && rc != -ECANCELED; tries++) {
		if (tries >= 8 || !below(4)) {
			faults_stop(&run->faults);
			if (mend_all(run->sites))
				return -ECANCELED;
		}
		rc = is_swapped(run) ? 0 : box_call(master(run), order_swap, master(run));
		scenario_count(rc ? "swaps refused" : "swaps done", 1);
		if (rc && below(2))
			write_at_old_side(run);
		if (rc && wait_ms(20 + below(300)))
			rc = -ECANCELED;
	}
	if (rc && rc != -ECANCELED) {
		note_sessions(run);
		sim_fail(sim_world(), "the swap does not come about: %d", rc);
	}
	run->swapped_ns = rt_now_ns();
	until_ns = run->swapped_ns + 60 * RT_SECOND;
	while (!rc && !are_open(run, !run->away)) {
		if (rt_now_ns() > until_ns) {
			note_sessions(run);
			sim_fail(sim_world(), "hosts are not let in at the other side");
			rc = -ETIMEDOUT;
		} else {
			if (rt_now_ns() > until_ns - 50 * RT_SECOND) {
				faults_stop(&run->faults);
				rc = mend_all(run->sites);
			}
			rc = rc ? rc : wait_ms(10);
		}
	}
	if (!rc)
		judge_number(run);
	return rc;
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

static int count_sent(struct run *run, uint64_t *bytes)
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

/* Without faults nothing travels but what hosts write: a swap of a session at rest moves no block. */
static int swap_at_rest(struct run *run)
{
	uint64_t before, after;
	int rc = count_sent(run, &before);

	if (!rc)
		rc = swap_surely(run);
	if (!rc && rt_now_ns() - run->swapped_ns > OPEN_MS * RT_MS)
		scenario_wrong("hosts had to wait %lld ms for the other side",
			       (long long)((rt_now_ns() - run->swapped_ns) / RT_MS));
	if (!rc)
		rc = wait_ms(500);
	move_hosts(run, !run->away);
	if (!rc)
		rc = count_sent(run, &after);
	if (!rc && after != before)
		scenario_wrong("a swap without a write has moved %llu bytes", (unsigned long long)(after - before));
	scenario_count("swaps at rest", 1);
	return rc;
}

/* ---- the run ---- */

static int judge(struct run *run)
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

static int swap_under_faults(struct run *run)
{
	struct sites *sites = run->sites;
	int rc = faults_start(&run->faults, sites, 1 + (unsigned)below(2));

	if (!rc)
		rc = wait_ms(below(500));
	faults_stop(&run->faults);
	if (!rc)
		rc = mend_all(sites);
	if (!rc)
		rc = stop_hosts(sites);
	if (!rc && below(2))
		rc = swap_surely(run);
	else if (!rc && !(rc = faults_start(&run->faults, sites, 1)))
		rc = swap_surely(run);
	faults_stop(&run->faults);
	if (!rc)
		rc = mend_all(sites);
	if (rc)
		return rc;
	for (unsigned i = 0; i < sites->oracle.place_count; i++) {
		struct place place = place_at(sites, i, run->away);

		if (box_lets_write(place.box, place.volume))
			scenario_wrong("hosts are let in at both sides");
	}
	rc = judge(run);
	move_hosts(run, !run->away);
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

static const char *wait_equal(struct run *run)
{
	return sites_wait_equal(run->sites, 60 * RT_SECOND);
}

static int go_through(struct run *run)
{
	struct sites *sites = run->sites;
	const char *bad = NULL;
	int rc = sites_build(sites, 2 + (unsigned)below(3), 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = make_ways(sites);
	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	for (unsigned i = 0; i < SWAPS && !rc; i++) {
		rc = wait_ms(100 + below(400));
		if (!rc)
			rc = swap_under_faults(run);
	}
	if (!rc)
		rc = stop_hosts(sites);
	if (!rc)
		bad = wait_equal(run);
	if (!rc && !bad)
		rc = swap_at_rest(run);
	if (!rc && !bad)
		bad = wait_equal(run);
	if (bad)
		scenario_wrong("%s", bad);
	if (rc)
		sim_fail(sim_world(), "the swaps do not go on: %d", rc);
	return rc ? rc : sites_stop(sites);
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

static int run_swap(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes", "swaps", "swaps done", "swaps at rest", NULL };
static const char *const rarely_happens[] = { "swaps refused", "writes refused at the old side", NULL };

const struct scenario scenario_swap = {
	.name = "swap",
	.about = "a session is swapped back and forth, and nothing is lost",
	.until_ns = 3600 * RT_SECOND,
	.run = run_swap,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
