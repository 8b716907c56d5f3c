/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of type pprc over several source systems, under faults.
 *
 * Goal: whenever such a session says that it is frozen, by a command or since one of its pairs could not go on, its
 * far sides together are one moment, and stay that until it is resumed, whatever hosts write meanwhile; a freeze by
 * command holds all that was answered before it; one that is refused changes nothing; a far side that goes, with
 * nothing else amiss, suspends all of the session; and hosts are held no longer than is said. Method: writers whose
 * writes depend on one another go over all volumes. At random moments the session is frozen, let go and resumed;
 * between these links are cut and systems crash, so that full-duplex pairs suspend the session by themselves. In a
 * branch the source site burns while it is frozen, and its far sides are failed over.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define ROUNDS		6u
#define LIMIT_NS	(60 * RT_SECOND)
#define LOOK_NS		(20 * RT_MS)
/* Hosts wait until it is decided, and then for a minute if nothing else was said; and disks and links may be slow. */
#define HELD_MAX_NS	(90 * RT_SECOND)

struct frozen_run {
	struct sites *sites;
	struct faults faults;
	enum pair_type type;
	bool in_branch;
	bool calm;				/* no faults but the cuts of cut_one */
	bool frozen;				/* the session says so, and what its far sides show is in image */
	bool firm;				/* by a command: far sides have synced it */
	unsigned far_boots;			/* when all was well: what is not synced there does not outlive one */
	struct oracle_image image;
	struct rt_group watch;
	int64_t held_since_ns[SITES_BOXES_MAX];	/* 0: not */
};

#define TOGETHER	4u			/* that ask the master at once */
/* Of an attempt that fails, to hold all and to let all go again; and for disks and links. */
#define ATTEMPT_NS	(11 * RT_SECOND)
#define SLACK_NS	(2 * RT_SECOND)
#define BUSY_NS		(5 * RT_SECOND)		/* longer than a pair that is broken waits for it */

#define FAILED	1000u			/* boots that none of them has */

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_us(uint64_t us)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)us * RT_US);
}

/* A disk that fails there loses what is not synced, as if there were another start. */
static unsigned count_far_boots(struct sites *sites)
{
	unsigned boots = 0;

	for (unsigned i = 0; i < sites->far_count; i++) {
		const struct box *far = &sites->fars[i];

		boots += far->boots + !far->ready;
		boots += !far->ready || box_has_failed(far) || sim_disk_errors(far->system) ? FAILED : 0;
	}
	return boots;
}

/* ---- what it says, and what is there ---- */

/* One moment, which holds what was answered before this time; 0: whichever it is. */
static void judge(struct frozen_run *run, const struct oracle_image *image, int64_t answered_ns)
{
	struct oracle *oracle = &run->sites->oracle;
	uint32_t required[ORACLE_CHAINS];
	const char *bad;

	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		required[c] = oracle->chains[c].required;
		oracle->chains[c].required = 0;
	}
	if (answered_ns)
		oracle_require_before(oracle, answered_ns);
	bad = oracle_judge(oracle, image, NULL);
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		oracle->chains[c].required = required[c];
	if (bad)
		scenario_wrong("frozen: %s", bad);
}

enum says { SAYS_NOTHING, SAYS_NO, SAYS_FROZEN };

/* All systems were asked, and have all volumes suspended at one moment. */
static enum says what_it_says(struct sites *sites)
{
	struct copy_session_info info;
	int64_t shown_ns;

	if (box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns) ||
	    info.volumes < sites->oracle.place_count)
		return SAYS_NOTHING;
	return info.state == SESSION_FROZEN ? SAYS_FROZEN : SAYS_NO;
}

/* Full-duplex, or a copy that goes on. */
static bool is_well(struct frozen_run *run, unsigned place)
{
	const struct oracle_place *at = &run->sites->oracle.places[place];
	unsigned volume;
	const struct box *far = sites_far_of(run->sites, place, &volume);

	return run->type == PAIR_SYNC ? box_is_full_duplex(at->box, at->volume, far)
				      : box_pairs_go_on(at->box, at->volume);
}

static bool are_all_well(struct frozen_run *run)
{
	bool all = true;

	for (unsigned i = 0; i < run->sites->oracle.place_count; i++)
		all = all && is_well(run, i);
	return all;
}

/* Nothing is about to be suspended either. */
static bool are_calm(struct sites *sites)
{
	bool calm = true;

	for (unsigned i = 0; i < sites->source_count; i++)
		calm = calm && !box_session_breaks(&sites->sources[i], SITES_SESSION) &&
		       !box_holds_hosts(&sites->sources[i]);
	return calm;
}

/* Of a pair that was broken what was under way, and not answered, may arrive later. */
static void judge_again(struct frozen_run *run, const struct oracle_image *now)
{
	if (!run->firm)
		judge(run, now, 0);
	else if (memcmp(now, &run->image, sizeof(*now)) != 0)
		scenario_wrong("the far sides of a frozen session change");
}

/* Looked at often; answered_ns: a command has just frozen it that began then. */
static void look(struct frozen_run *run, int64_t answered_ns)
{
	enum says says = what_it_says(run->sites);
	unsigned boots = count_far_boots(run->sites);
	struct oracle_image now;

	if (says == SAYS_NO) {
		run->frozen = run->firm = false;
		/* One that has failed just now is well as long as nobody was told. */
		run->far_boots = are_all_well(run) && boots < FAILED ? boots : run->far_boots;
	}
	run->firm = run->firm || answered_ns;
	/* What a far side had not synced when it lost its power is not there any more. */
	if (says != SAYS_FROZEN || (!run->firm && run->far_boots != boots) ||
	    sites_take_peeking(run->sites, &now))
		return;
	if (run->frozen) {
		judge_again(run, &now);
		scenario_count("frozen far sides that stayed", 1);
		return;
	}
	judge(run, &now, answered_ns);
	scenario_count(answered_ns ? "sessions frozen by command" : "sessions frozen by themselves", 1);
	run->image = now;
	run->frozen = true;
}

static void watch_holds(void *arg)
{
	struct frozen_run *run = arg;

	while (!wait_us(100000)) {
		for (unsigned i = 0; i < run->sites->source_count; i++) {
			struct box *box = &run->sites->sources[i];

			if (!box_holds_hosts(box))
				run->held_since_ns[i] = 0;
			else if (!run->held_since_ns[i])
				run->held_since_ns[i] = rt_now_ns();
			else if (rt_now_ns() - run->held_since_ns[i] > HELD_MAX_NS + box->paused_ns)
				scenario_wrong("hosts of %s are held for too long", box->id);
		}
	}
}

/* ---- what is done ---- */

static int wait_well(struct frozen_run *run)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	int rc = 0;

	while (!rc && (!are_all_well(run) || !are_calm(run->sites))) {
		rc = box_session_run(&run->sites->sources[0], SITES_SESSION);
		if (rc != -ECANCELED)
			rc = box_session_resume(&run->sites->sources[0], SITES_SESSION);
		rc = rc == -ECANCELED ? rc : rt_now_ns() > until_ns ? -ETIMEDOUT : wait_us(20000);
		if (!rc)
			rc = faults_mend_all(run->sites);
	}
	return rc;
}

static int lose_frozen(struct frozen_run *run)
{
	struct sites *sites = run->sites;
	struct oracle_image image;
	int rc = 0;

	scenario_count("sites lost while frozen", 1);
	run->in_branch = true;
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	faults_stop(&run->faults);
	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		unsigned volume;
		struct box *far = sites_far_of(sites, i, &volume);

		rc = faults_mend(sites, far);
		if (!rc)
			rc = box_pair_failover(far, volume, sites->oracle.places[i].box);
	}
	if (rc || (!run->firm && run->far_boots != count_far_boots(sites)))
		return rc == -ECANCELED ? rc : 0;
	if (sites_take_reading(sites, &image))
		scenario_wrong("the far sides of a frozen session cannot be read");
	else
		judge_again(run, &image);
	return 0;
}

/* By command, at any moment; then hosts go on by command, or when the time is over. */
static int freeze(struct frozen_run *run)
{
	struct box *master = &run->sites->sources[0];
	int64_t began_ns = rt_now_ns(), hold_ns = below(2) ? 0 : (int64_t)(100 + below(400)) * RT_MS;
	int rc = box_session_freeze(master, SITES_SESSION, hold_ns);

	if (rc == -ECANCELED)
		return rc;
	scenario_count(rc ? "freezes refused" : "freezes", 1);
	if (rc)
		return 0;
	look(run, began_ns);
	rc = wait_us(below(100000));
	look(run, 0);
	if (!rc && run->frozen && scenario_branch())
		return lose_frozen(run);
	if (!rc && !hold_ns && below(4) > 0)
		rc = box_session_run(master, SITES_SESSION);
	return rc == -ECANCELED ? rc : 0;
}

/* A set of all pairs of a system: its far sides are of one moment until they are resumed. */
static int fracture(struct frozen_run *run)
{
	struct oracle_image then, now;
	int64_t began_ns = rt_now_ns();
	int rc = box_fracture(&run->sites->sources[0]);

	if (rc == -ECANCELED)
		return rc;
	scenario_count(rc ? "fractures refused" : "fractures", 1);
	if (rc || sites_take_peeking(run->sites, &then))
		return 0;
	judge(run, &then, began_ns);
	rc = wait_us(below(500000));
	if (!sites_take_peeking(run->sites, &now) && memcmp(&now, &then, sizeof(now)) != 0)
		scenario_wrong("the far sides of a set that was fractured change");
	return rc;
}

static int live_on(struct frozen_run *run)
{
	int64_t until_ns = rt_now_ns() + (int64_t)below(1500000) * RT_US;
	int rc = 0;

	while (!rc && rt_now_ns() < until_ns) {
		rc = rt_sleep_until(rt_now_ns() + LOOK_NS);
		look(run, 0);
	}
	return rc;
}

static enum session_state state_of_session(struct sites *sites)
{
	struct copy_session_info info;
	int64_t shown_ns;

	return box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns) ? SESSION_OPEN : info.state;
}

/* Whatever else goes on with its other pairs: all of it is suspended with the one that is broken, or nothing is. */
static int judge_whole(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	int rc = 0;

	while (!rc && state_of_session(sites) == SESSION_MIXED) {
		if (rt_now_ns() > until_ns) {
			scenario_wrong("a session of which one pair was broken is suspended in part");
			return 0;
		}
		rc = rt_sleep_until(rt_now_ns() + LOOK_NS);
	}
	scenario_count("sessions suspended whole, or not at all", !rc);
	return rc;
}

/* Now and then only the way of one system to its far side is cut, or that to the master. */
static int cut_one(struct frozen_run *run)
{
	struct sites *sites = run->sites;
	unsigned source = (unsigned)below(sites->source_count), volume;
	bool from_master = source > 0 && below(2);
	struct box *from = &sites->sources[source];
	struct box *to = from_master ? &sites->sources[0] : sites_far_of(sites, source * SITES_VOLUMES, &volume);
	bool whole = run->calm && !from_master && are_all_well(run);
	int rc;

	sim_cut(from->system, to->system);
	rc = live_on(run);
	if (!rc && from_master)
		rc = freeze(run);
	if (!rc && whole)
		rc = judge_whole(sites);
	sim_heal(from->system, to->system);
	return rc;
}

/* Only the process of a far side ends: its links break at once, while hosts write. */
static int kill_one(struct frozen_run *run)
{
	struct box *far = &run->sites->fars[below(run->sites->far_count)];
	int rc;

	if (!run->calm || !are_all_well(run))
		return 0;
	faults_crash(run->sites, far, SIM_DEATH);
	rc = live_on(run);
	if (!rc)
		rc = judge_whole(run->sites);
	return rc ? rc : faults_bring_up(run->sites, far);
}

struct busy {
	struct box *box;
	unsigned volume;
};

static void keep_busy(void *arg)
{
	struct busy *busy = arg;

	(void)!box_keep_turn(busy->box, busy->volume, BUSY_NS);
}

static bool some_go_on(struct sites *sites)
{
	struct copy_session_info info;
	int64_t shown_ns;

	return !box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns) &&
	       info.state == SESSION_MIXED && info.joined > 0;
}

/* A pair on which a command does not end is not of the moment of the others, and does not go on without them either. */
static int judge_left_out(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + LIMIT_NS;
	int rc = 0;

	while (!rc && some_go_on(sites)) {
		if (rt_now_ns() > until_ns) {
			scenario_wrong("a pair that was left out when its session was suspended goes on");
			return 0;
		}
		rc = rt_sleep_until(rt_now_ns() + LOOK_NS);
	}
	return rc;
}

/* A far side ends while a command on a pair is under way. */
static int kill_busy(struct frozen_run *run)
{
	struct sites *sites = run->sites;
	struct box *far = &sites->fars[below(sites->far_count)];
	struct busy busy = {
		.box = &sites->sources[below(sites->source_count)], .volume = (unsigned)below(SITES_VOLUMES),
	};
	struct rt_group group;
	int rc;

	if (!run->calm || !are_all_well(run))
		return 0;
	rt_group_init(&group);
	rc = rt_group_start(&group, "busy pair", keep_busy, &busy);
	if (rc)
		return rc;
	faults_crash(sites, far, SIM_DEATH);
	rc = live_on(run);
	if (!rc)
		rc = rt_group_wait(&group);
	rt_group_stop(&group);
	if (!rc)
		rc = judge_left_out(sites);
	scenario_count("far sides lost while a pair was busy", !rc);
	return rc ? rc : faults_bring_up(sites, far);
}

struct breaking {
	struct box *master;
	unsigned failed;
};

static void break_one(void *arg)
{
	struct breaking *breaking = arg;

	breaking->failed += box_session_break(breaking->master, SITES_SESSION) != 0;
}

/* They do not wait for one another's attempts: hosts of each wait for two at most. */
static int break_together(struct frozen_run *run)
{
	struct sites *sites = run->sites;
	struct breaking breaking = { .master = &sites->sources[0] };
	int64_t began_ns = rt_now_ns();
	struct rt_group group;
	int rc = 0;

	/* --fail: what failed is called again. */
	if (!run->calm || sites->source_count < 2 || sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL))
		return 0;
	sim_cut(sites->sources[0].system, sites->sources[1].system);
	rt_group_init(&group);
	for (unsigned i = 0; i < TOGETHER && !rc; i++)
		rc = rt_group_start(&group, "broken pair", break_one, &breaking);
	if (!rc)
		rc = rt_group_wait(&group);
	rt_group_stop(&group);
	sim_heal(sites->sources[0].system, sites->sources[1].system);
	if (rc)
		return rc;
	scenario_count("breaks together without a subordinate", 1);
	if (breaking.failed < TOGETHER)
		scenario_wrong("a session is suspended whole without a system that is not reached");
	if (rt_now_ns() - began_ns > 2 * ATTEMPT_NS + SLACK_NS)
		scenario_wrong("breaks of a session wait for one another's attempts");
	return 0;
}

struct start_order {
	struct box *box;
	const struct session_start *start;
	struct fault fault;
};

static int order_start(void *arg)
{
	struct start_order *order = arg;

	return order->box->ready ? copy_session_start(order->box->copy, order->start, &order->fault) : -ECONNABORTED;
}

/* One that is only not reached is not said to lack the session, and it is as if nobody had asked. */
static int start_unreached(struct sites *sites, const struct session_start *start)
{
	struct start_order order = { .box = &sites->sources[0], .start = start };
	int rc;

	sim_cut(sites->sources[0].system, sites->sources[1].system);
	rc = box_call(order.box, order_start, &order);
	sim_heal(sites->sources[0].system, sites->sources[1].system);
	scenario_count("starts without a subordinate", 1);
	if (rc == -ECANCELED)
		return rc;
	if (!rc || !strstr(order.fault.remedy, "path list"))
		scenario_wrong("a start that does not reach a subordinate: %d, %s; %s", rc, order.fault.message,
			       order.fault.remedy);
	return 0;
}

static int open_session(struct sites *sites)
{
	struct session_start start = {
		.session = SITES_SESSION, .master_lss = box_lss(&sites->sources[0]),
		.subordinate_count = sites->source_count - 1,
	};
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++) {
		struct box *box = &sites->sources[i];

		rc = box_session_open_as(box, SITES_SESSION, SESSION_PPRC);
		if (!rc)
			rc = box_session_add(box, SITES_SESSION);
		if (!rc && i > 0)
			rc = box_path(&sites->sources[0], box);
		if (!rc && i > 0)
			rc = box_path(box, &sites->sources[0]);
		if (i > 0) {
			memcpy(start.subordinates[i - 1].system, box->id, XDC_SYSTEM_ID_MAX);
			start.subordinates[i - 1].lss = box_lss(box);
		}
	}
	if (!rc && sites->source_count > 1 && !below(4))
		rc = start_unreached(sites, &start);
	if (!rc && sites->source_count > 1)
		rc = box_session_start(&sites->sources[0], &start);
	return rc;
}

static int break_one_of(struct frozen_run *run)
{
	switch (below(6)) {
	case 0:
		return kill_busy(run);
	case 1:
		return break_together(run);
	case 2:
	case 3:
		return kill_one(run);
	default:
		return cut_one(run);
	}
}

static int live_through(struct frozen_run *run)
{
	struct sites *sites = run->sites;
	unsigned sources = 1 + (unsigned)below(3);
	int rc;

	run->type = below(4) ? PAIR_SYNC : PAIR_GLOBAL_COPY;
	rc = sites_build(sites, sources, sources > 2 ? 2 : 1 + (unsigned)below(2),
			 below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, run->type);
	if (!rc)
		rc = open_session(sites);
	if (!rc)
		rc = wait_well(run);
	scenario_settled();
	if (!rc && below(2))
		sites_set_distance(sites, 10 * RT_MS);
	run->calm = !below(3);
	if (!rc && !run->calm)
		rc = faults_start(&run->faults, sites, 1);
	if (!rc)
		rc = rt_group_start(&run->watch, "watch holds", watch_holds, run);
	for (unsigned i = 0; i < ROUNDS && !rc && !run->in_branch; i++) {
		rc = live_on(run);
		/* --fail: a far side that lost what it had not synced takes no data until that is accepted. */
		if (!rc && sim_fault_count(sim_world(), SIM_FAULT_NTH_CALL))
			rc = faults_mend_all(sites);
		if (!rc)
			rc = below(3) == 0 ? break_one_of(run)
			     : sites->source_count == 1 && below(2) ? fracture(run) : freeze(run);
		if (run->in_branch)
			return rc;
		if (!rc)
			rc = live_on(run);
		if (!rc && below(3)) {
			run->frozen = run->firm = false;
			(void)!box_session_resume(&sites->sources[0], SITES_SESSION);
			run->frozen = run->firm = false;
		}
	}
	if (rc || run->in_branch)
		return rc;
	faults_stop(&run->faults);
	rc = faults_make_all_well(sites);
	if (!rc)
		rc = wait_well(run);
	if (rc)
		sim_fail(sim_world(), "the session is not well again after the faults: %d", rc);
	return rc ? rc : sites_end(sites, LIMIT_NS);
}

static int live(struct sites *sites)
{
	struct frozen_run run = { .sites = sites, .faults.sites = sites };
	int rc;

	rt_group_init(&run.faults.group);
	rt_group_init(&run.watch);
	rc = live_through(&run);
	rt_group_stop(&run.watch);
	rt_group_stop(&run.faults.group);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes", "freezes", "freezes refused", "sessions frozen by command",
					   "sessions frozen by themselves", "frozen far sides that stayed",
					   "sites lost while frozen", "fractures",
					   "sessions suspended whole, or not at all", NULL };

static const char *const rarely_happens[] = { "starts without a subordinate",
					      "far sides lost while a pair was busy",
					      "breaks together without a subordinate", NULL };

const struct scenario scenario_frozen = {
	.name = "frozen",
	.about = "sessions of type pprc: far sides of several systems that are frozen are one moment",
	.until_ns = 900 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
