/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands on a session that something hinders in their middle: memory, space, the disk, the way to a member.
 * Whatever was done of one that was refused, giving it again does the rest, and resume goes on from it, unless it
 * runs on by itself. No session is left that neither runs nor can be brought to run.
 */
#include <errno.h>
#include <string.h>

#include "scenarios.h"
#include "sites.h"

#define OTHER_SESSION	2u
#define ROUNDS		6u
#define CALLS_MAX	12u		/* of a kind from the command on, of which one fails */

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

enum what { PAUSE, TERMINATE, RESUME, START };

struct order {
	struct sites *sites;
	enum what what;
	bool heard;
};

static int begin(struct sites *sites, bool resume, struct fault *fault)
{
	struct box *box = &sites->sources[0];
	struct session_start start = {
		.session = SITES_SESSION, .master_lss = box_lss(box), .subordinate_count = 1,
	};

	start.subordinates[0].lss = box_lss(&sites->sources[1]);
	memcpy(start.subordinates[0].system, sites->sources[1].id, XDC_SYSTEM_ID_MAX);
	return resume ? copy_session_resume(box->copy, &start, fault) : copy_session_start(box->copy, &start, fault);
}

static int carry_out(void *arg)
{
	struct order *order = arg;
	struct copy *copy = order->sites->sources[0].copy;
	struct fault fault = { 0 };
	int rc;

	order->heard = true;
	if (order->what == PAUSE)
		rc = copy_session_pause(copy, SITES_SESSION, false, &fault);
	else if (order->what == TERMINATE)
		rc = copy_session_terminate(copy, SITES_SESSION, false, &fault);
	else
		rc = begin(order->sites, order->what == RESUME, &fault);
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", fault.object, fault.message, fault.remedy);
	return rc;
}

/* Once: whoever gives it decides what is given next. */
static int give(struct sites *sites, enum what what)
{
	struct order order = { .sites = sites, .what = what };

	int rc = sim_call(sites->sources[0].system, carry_out, &order);

	/* It had no fiber or memory to hear of it. */
	return order.heard ? rc : give(sites, what);
}

enum hindrance { NO_MEMORY, NO_FIBER, NO_SPACE, NO_DISK, NO_WAY, HINDRANCES };

static enum hindrance hinder(struct sites *sites, bool needs_others)
{
	static const enum sim_call_kind kinds[] = {
		[NO_MEMORY] = SIM_ALLOC, [NO_FIBER] = SIM_FIBER, [NO_DISK] = SIM_WRITE,
	};
	enum hindrance what = (enum hindrance)below(needs_others ? HINDRANCES : NO_WAY);
	struct sim_system *system = sites->sources[0].system;

	if (what == NO_WAY)
		sim_cut(system, sites->sources[1].system);
	else if (what == NO_SPACE)
		sim_set_disk_bytes(system, 0);
	else
		sim_fail_nth(system, kinds[what], 1 + below(CALLS_MAX));
	return what;
}

static void stop_hindering(struct sites *sites)
{
	struct sim_system *system = sites->sources[0].system;

	sim_fail_nth(system, SIM_ALLOC, 0);
	sim_fail_nth(system, SIM_FIBER, 0);
	sim_fail_nth(system, SIM_WRITE, 0);
	sim_set_disk_bytes(system, UINT64_C(64) << 30);
	sim_heal(system, sites->sources[1].system);
}

/* A command waits for a commit that is under way, and that for all members. */
static void heal_later(void *arg)
{
	struct sites *sites = arg;

	if (!rt_sleep_until(rt_now_ns() + (int64_t)below(20) * RT_SECOND))
		sim_heal(sites->sources[0].system, sites->sources[1].system);
}

/* *what: what it was given with. */
static bool refused_with(struct sites *sites, enum what command, enum hindrance *what)
{
	struct rt_group healing;
	int rc;

	rt_group_init(&healing);
	*what = hinder(sites, command == TERMINATE);
	rc = rt_group_start(&healing, "healing", heal_later, sites);
	if (!rc)
		rc = give(sites, command);
	rt_group_stop(&healing);
	stop_hindering(sites);
	scenario_count(rc ? "commands refused" : "commands done", 1);
	return rc;
}

/* A way that was cut, or a system that was started, takes a while to be reached again. */
static void must(struct sites *sites, enum what what, const char *words)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND;
	int rc = give(sites, what);

	while (rc && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS))
		rc = give(sites, what);
	if (rc)
		sim_fail(sim_world(), "%s: %d", words, rc);
}

/*
 * The configuration takes no more changes until the next start; then it is as durable, before the command or after.
 */
static int start_anew(struct sites *sites)
{
	int rc;

	box_crash(&sites->sources[0], SIM_DEATH);
	rc = box_boot(&sites->sources[0]);
	if (!rc && give(sites, RESUME) && give(sites, START))
		scenario_count("ran after a start", 1);
	return rc;
}

/* What could not be paused durably is not stopped at all. */
static bool runs_on(struct sites *sites)
{
	struct copy_session_info info = { 0 };
	int64_t shown_ns;

	return !box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns) && info.state == SESSION_RUNNING;
}

/* The session runs before and after. */
static int stop_and_go_on(struct sites *sites)
{
	enum what what = below(2) ? PAUSE : TERMINATE;
	enum hindrance hindrance;
	bool refused = refused_with(sites, what, &hindrance);

	if (hindrance == NO_DISK)
		return start_anew(sites);
	if (refused && runs_on(sites) && below(2)) {
		scenario_count("ran on after a refusal", 1);
		return 0;
	}
	if (refused && below(2)) {
		must(sites, what, "a command that was refused cannot be given again");
		scenario_count("given again", 1);
		refused = false;
	} else if (refused && runs_on(sites)) {
		return 0;
	} else if (refused) {
		scenario_count("resumed after a refusal", 1);
	}
	what = refused || what == PAUSE ? RESUME : START;
	if (!refused_with(sites, what, &hindrance))
		return hindrance == NO_DISK ? start_anew(sites) : 0;
	if (hindrance == NO_DISK)
		return start_anew(sites);
	must(sites, what, "what was stopped does not go on");
	return 0;
}

struct opening {
	struct copy *copy;
	uint8_t lss;
	int rc;
};

static void open_session(void *arg)
{
	struct opening *opening = arg;
	struct fault fault;

	opening->rc = copy_session_open(opening->copy, OTHER_SESSION, opening->lss, SESSION_XDC, &fault);
}

/* On reactor 0 of a box: two administrators open a session at once, on one LSS or two, and close it. One is left. */
static int open_at_once(void *arg)
{
	struct box *box = arg;
	struct opening openings[2] = {
		{ .copy = box->copy, .lss = 0x31 }, { .copy = box->copy, .lss = (uint8_t)(0x31 + below(2)) },
	};
	bool same = openings[0].lss == openings[1].lss;
	struct copy_session_info info;
	struct rt_group group;
	struct fault fault;
	int rc = 0;

	rt_group_init(&group);
	for (unsigned i = 0; i < 2 && !rc; i++)
		rc = rt_group_start(&group, "administrator", open_session, &openings[i]);
	if (!rc)
		rc = rt_group_wait(&group);
	if (rc)
		return rc;
	if ((openings[0].rc != 0) + (openings[1].rc != 0) != (same ? 1 : 0))
		sim_fail(sim_world(), "of two who open a session on %s, the wrong number is refused",
			 same ? "one LSS" : "two LSSs");
	for (unsigned i = 0; i < (same ? 1u : 2u) && !rc; i++)
		rc = copy_session_close(box->copy, OTHER_SESSION, openings[i].lss, &fault);
	if (!rc && !copy_session_get(box->copy, OTHER_SESSION, &info))
		sim_fail(sim_world(), "a session that was opened twice is not closed");
	return rc;
}

/* Its volumes were taken over: no command makes it go on, and it is terminated. */
static int end_by_recovery(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + 20 * RT_SECOND, shown_ns;
	struct recovery_result result;
	struct copy_session_info info = { 0 };
	int rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, &result);

	while (!rc && info.state != SESSION_FATAL) {
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 10 * RT_MS);
		if (!rc)
			rc = box_session_info(&sites->sources[0], SITES_SESSION, &info, &shown_ns);
	}
	if (rc)
		return rc;
	if (!give(sites, below(2) ? PAUSE : RESUME) || !give(sites, RESUME))
		sim_fail(sim_world(), "a session that is over is paused or resumed");
	must(sites, TERMINATE, "a session that is over cannot be terminated");
	scenario_count("ended by a recovery", 1);
	return 0;
}

static int live(struct sites *sites)
{
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };
	int rc = sites_build(sites, 2, 2, CACHE_DIRECT, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	/* A call that fails is one of the command, and not of a host's write. */
	if (!rc)
		rc = oracle_stop(&sites->oracle);
	if (!rc)
		rc = sim_call(sites->sources[1].system, open_at_once, &sites->sources[1]);
	for (unsigned i = 0; i < ROUNDS && !rc; i++) {
		rc = stop_and_go_on(sites);
		data[0]++;
		if (!rc)
			rc = box_write(&sites->sources[1], 0, i, data, 0);
		if (!rc)
			rc = sites_wait_groups(sites, 1, 30 * RT_SECOND);
	}
	if (rc)
		sim_fail(sim_world(), "the session does not go on: %d", rc);
	else
		rc = end_by_recovery(sites);
	return rc ? rc : sites_stop(sites);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = {
	"groups", "commands refused", "commands done", "given again", "resumed after a refusal",
	"ran on after a refusal", "ran after a start", "ended by a recovery", NULL
};

const struct scenario scenario_steps = {
	.name = "steps",
	.about = "a command on a session that was refused in its middle is given again, or what it stopped goes on",
	.until_ns = 600 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
