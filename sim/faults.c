/* SPDX-License-Identifier: Apache-2.0 */
#include "faults.h"

#include <errno.h>
#include <string.h>

#include "scenarios.h"

#define BOOTS_MAX	10u

static int64_t below_ms(uint64_t bound)
{
	return (int64_t)sim_random_below(sim_world(), bound * 1000) * RT_US;
}

static int wait_ns(int64_t for_ns)
{
	return rt_sleep_until(rt_now_ns() + for_ns);
}

/* ---- crashes ---- */

/* After a failed sync the kernel may have dropped what was not synced, as if power had been lost. */
static enum sim_crash crash_of(const struct box *box, enum sim_crash how)
{
	return box_has_failed(box) ? SIM_POWER_LOSS : how;
}

void faults_crash(struct sites *sites, struct box *box, enum sim_crash how)
{
	how = crash_of(box, how);
	box_crash(box, how);
	if (!sites->oracle.stop)
		oracle_note_crash(&sites->oracle, box, how);
}

int faults_mend(struct sites *sites, struct box *box)
{
	int rc;

	if (!box_has_failed(box) && !sim_disk_errors(box->system))
		return faults_bring_up(sites, box);
	faults_crash(sites, box, SIM_POWER_LOSS);
	scenario_count("disks mended", 1);
	box->mended = true;
	box->mends++;
	rc = faults_bring_up(sites, box);
	for (unsigned i = 0; i < BOOTS_MAX && !rc && (box->lost || box_has_lost(box)); i++) {
		if (box_accept_losses(box))
			rc = faults_bring_up(sites, box);
	}
	return rc;
}

int faults_mend_all(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++) {
		struct box *box = sites_box(sites, i);

		if (box->ready && !box->busy)
			rc = faults_mend(sites, box);
	}
	return rc;
}

int faults_bring_up(struct sites *sites, struct box *box)
{
	int rc = 0;

	for (unsigned i = 0; !box->ready && i < BOOTS_MAX; i++) {
		/* Somebody may have begun to boot it. */
		while (sim_is_running(box->system) && !box->ready && !rc)
			rc = wait_ns(RT_MS);
		if (!rc && !box->ready)
			rc = box_boot(box);
		if (rc == -ECANCELED)
			return rc;
		if (rc)
			sim_note(sim_world(), "%s does not come up: %d", box->id, rc);
		rc = rc ? wait_ns(100 * RT_MS) : 0;
	}
	if (!box->ready)
		sim_fail(sim_world(), "%s does not come up any more", box->id);
	(void)sites;
	return box->ready ? 0 : -EIO;
}

int faults_accept(struct box *box)
{
	int rc;

	if (!box->lost)
		return 0;
	rc = box_accept_losses(box);
	if (!rc)
		scenario_count("losses accepted", 1);
	return rc == -ECONNABORTED ? 0 : rc;
}

int faults_make_well(struct sites *sites, struct box *box)
{
	int rc = faults_mend(sites, box);

	return rc ? rc : faults_accept(box);
}

int faults_make_all_well(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites_box_count(sites) && !rc; i++)
		rc = faults_make_well(sites, sites_box(sites, i));
	return rc;
}

static enum sim_crash choose_crash(void)
{
	return sim_random_below(sim_world(), 2) ? SIM_POWER_LOSS : SIM_DEATH;
}

int faults_crash_within(struct sites *sites, struct box *box, enum sim_crash how)
{
	enum sim_call_kind kind = sim_random_below(sim_world(), 2) ? SIM_SYNC : SIM_WRITE;
	int64_t until_ns = rt_now_ns() + 200 * RT_MS;
	int rc = 0;

	sim_crash_at_nth(box->system, kind, 1 + sim_random_below(sim_world(), 40), how);
	while (sim_is_running(box->system) && rt_now_ns() < until_ns && !rc)
		rc = wait_ns(100 * RT_US);
	sim_crash_at_nth(box->system, kind, 0, how);
	if (sim_is_running(box->system))
		return rc;
	scenario_count("crashes within a call", 1);
	how = crash_of(box, how);
	box_crash(box, how);			/* it is down; the box forgets what it had in memory */
	oracle_note_crash(&sites->oracle, box, how);
	return rc;
}

static int do_crash(struct sites *sites, struct box *box)
{
	enum sim_crash how = choose_crash();
	int rc = 0;

	if (sim_random_below(sim_world(), 2))
		rc = faults_crash_within(sites, box, how);
	else
		faults_crash(sites, box, how);
	if (!rc && !sim_is_running(box->system))
		rc = wait_ns(below_ms(sim_random_below(sim_world(), 4) ? 100 : 1500));
	if (!rc)
		rc = faults_bring_up(sites, box);
	if (rc || !box->lost)
		return rc;
	rc = wait_ns(below_ms(sim_random_below(sim_world(), 2) ? 300 : 2));
	return rc ? rc : faults_accept(box);
}

/* ---- what leaves the systems alive ---- */

static int do_pause(struct box *box)
{
	int64_t since_ns = rt_now_ns();
	int rc;

	sim_pause(box->system);
	rc = wait_ns(below_ms(sim_random_below(sim_world(), 4) ? 80 : 400));
	sim_resume(box->system);
	if (rt_now_ns() - since_ns > box->paused_ns)
		box->paused_ns = rt_now_ns() - since_ns;
	return rc;
}

static int do_slow_disk(struct box *box)
{
	struct sim_disk_state state = { .slower = 5 + (unsigned)sim_random_below(sim_world(), 200) };
	int rc;

	scenario_count("slow disks", 1);
	sim_set_disk(box->system, "", &state);
	rc = wait_ns(below_ms(500));
	state.slower = 1;
	sim_set_disk(box->system, "", &state);
	return rc;
}

/* Errors for a while, of the whole disk or a part of it; somebody sees to it. */
static int do_failing_disk(struct sites *sites, struct box *box)
{
	static const char *const parts[] = { "", "pool", "state", "state/journals" };
	const char *part = parts[sim_random_below(sim_world(), 4)];
	struct sim_disk_state state = { 0 };
	int rc;

	switch (sim_random_below(sim_world(), 4)) {
	case 0:
		state.read_fails = true;
		break;
	case 1:
		state.write_fails = true;
		break;
	default:
		state.sync_fails = true;
	}
	scenario_count("failing disks", 1);
	sim_set_disk(box->system, part, &state);
	rc = wait_ns(below_ms(300));
	state = (struct sim_disk_state){ 0 };
	sim_set_disk(box->system, part, &state);
	if (!rc)
		rc = wait_ns(below_ms(500));
	return rc ? rc : faults_mend(sites, box);
}

static int do_cut(struct box *box, struct box *other)
{
	static const unsigned longest_ms[] = { 60, 60, 300, 300, 2000, 9000 };
	int rc;

	switch (sim_random_below(sim_world(), 3)) {
	case 0:
		sim_cut(box->system, other->system);
		break;
	case 1:
		sim_cut_one_way(box->system, other->system);
		break;
	default:
		sim_break(box->system, other->system);
		return 0;
	}
	rc = wait_ns(below_ms(longest_ms[sim_random_below(sim_world(), 6)]));
	sim_heal(box->system, other->system);
	return rc;
}

/* Connections break again and again, each time in some other step of a group. */
static int do_storm(struct sites *sites, struct box *box)
{
	unsigned breaks = 2 + (unsigned)sim_random_below(sim_world(), 8);
	int rc = 0;

	scenario_count("storms", 1);
	for (unsigned i = 0; i < breaks && !rc; i++) {
		unsigned other = (unsigned)sim_random_below(sim_world(), sites_box_count(sites));

		if (sites_box(sites, other) != box)
			sim_break(box->system, sites_box(sites, other)->system);
		rc = wait_ns(below_ms(60));
	}
	return rc;
}

/* One far side after the other, before a group that one of them holds is in the other too. */
static int do_crash_fars(struct sites *sites)
{
	unsigned first = (unsigned)sim_random_below(sim_world(), sites->far_count);
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++) {
		struct box *far = &sites->fars[(first + i) % sites->far_count];

		faults_crash(sites, far, choose_crash());
		rc = wait_ns(below_ms(120));
	}
	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = faults_bring_up(sites, &sites->fars[i]);
	scenario_count("crashes of all far sides", 1);
	return rc;
}

/* Holds are short and rare, so chance alone does not meet them. */
static int wait_hold(const struct box *box)
{
	int64_t until_ns = rt_now_ns() + 100 * RT_MS;
	int rc = 0;

	while (!rc && !box_is_held(box) && rt_now_ns() < until_ns)
		rc = wait_ns(20 * RT_US);
	if (!rc && box_is_held(box))
		scenario_count("faults in a hold", 1);
	return rc;
}

static int do_fault(struct sites *sites)
{
	struct box *box = sites_box(sites, (unsigned)sim_random_below(sim_world(), sites_box_count(sites)));
	struct box *other = sites_box(sites, (unsigned)sim_random_below(sim_world(), sites_box_count(sites)));
	int rc = 0;

	if (box->busy || box == other)
		return 0;
	box->busy = true;
	if (sim_random_below(sim_world(), 3) == 0)
		rc = wait_hold(box);
	if (rc)
		return rc;
	switch (sim_random_below(sim_world(), 11)) {
	case 0:
	case 1:
	case 2:
		rc = do_crash(sites, box);
		break;
	case 3:
		rc = do_pause(box);
		break;
	case 4:
		rc = do_slow_disk(box);
		break;
	case 5:
		rc = do_storm(sites, box);
		break;
	case 6:
		rc = do_crash_fars(sites);
		break;
	case 7:
		rc = do_failing_disk(sites, box);
		break;
	default:
		rc = do_cut(box, other);
	}
	box->busy = false;
	return rc;
}

static void run_faults(void *arg)
{
	struct faults *faults = arg;
	int rc = 0;

	while (!rc) {
		rc = wait_ns(below_ms(150));
		if (!rc)
			rc = do_fault(faults->sites);
		faults->ended++;
	}
}

int faults_start(struct faults *faults, struct sites *sites, unsigned at_a_time)
{
	int rc = 0;

	*faults = (struct faults){ .sites = sites };
	rt_group_init(&faults->group);
	for (unsigned i = 0; i < at_a_time && !rc; i++)
		rc = rt_group_start(&faults->group, "faults", run_faults, faults);
	return rc;
}

void faults_stop(struct faults *faults)
{
	rt_group_stop(&faults->group);
	/* A crash within a call may be on its way still. */
	(void)!wait_ns(100 * RT_US);
	for (unsigned i = 0; i < sites_box_count(faults->sites); i++) {
		struct box *box = sites_box(faults->sites, i);

		box->busy = false;
		if (box->ready && !sim_is_running(box->system))
			faults_crash(faults->sites, box, SIM_POWER_LOSS);
	}
}
