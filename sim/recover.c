/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source site is lost under load, in any phase of a group; one far side recovers both, cut off by a crash of either
 * far side at a random moment and then repeated; the image is one moment. The old site comes back, gets the
 * differences, and is the source again: both sides are equal.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "recover.h"
#include "rt/log.h"
#include "scenarios.h"
#include "sites.h"

struct order {
	struct sites *sites;
	struct box *box;
	enum { RECOVER, PROBE, FAILBACK, RETURN } what;
	bool force, discard;
	bool once;			/* nobody brings up who is missing */
	const struct recovery_at *at;	/* RECOVER: NULL: the last group */
	struct recovery_result result;
	struct fault fault;
	int rc;
	bool done;
};

static int carry_out(void *arg)
{
	struct order *order = arg;
	struct copy *copy = order->box->copy;
	int rc = -1;

	if (!order->box->ready)
		return -ECONNABORTED;
	switch (order->what) {
	case RECOVER:
		rc = copy_session_recover(copy, SITES_SESSION, order->at, order->force, &order->result, &order->fault);
		break;
	case PROBE:
		rc = copy_session_probe(copy, SITES_SESSION, &order->result, &order->fault);
		break;
	case FAILBACK:
		rc = copy_session_failback(copy, SITES_SESSION, order->discard, &order->fault);
		break;
	case RETURN:
		rc = copy_session_return(copy, SITES_SESSION, &order->fault);
		break;
	}
	if (rc)
		log_line(LOG_WARNING, "command", "%s: %s; %s", order->fault.object, order->fault.message,
			 order->fault.remedy);
	return rc;
}

static void run_order(void *arg)
{
	struct order *order = arg;
	unsigned tries = 0;

	do {
		order->rc = sim_call(order->box->system, carry_out, order);
		/* What failed last time had been done all the same. */
		if (tries && order->what == RETURN && strstr(order->fault.message, "no volume of it was recovered"))
			order->rc = 0;
	} while ((order->rc || order->result.systems_missing || order->result.volumes_missing) && !order->once &&
		 !faults_mend_all(order->sites) && scenario_try_again(&tries));
	order->done = true;
}

static int give(struct sites *sites, struct box *box, int what)
{
	struct order order = { .sites = sites, .box = box, .what = (unsigned)what, .discard = true };

	run_order(&order);
	if (order.rc)
		sim_fail(sim_world(), "command %d on %s: %s: %s", what, box->id, order.fault.object,
			 order.fault.message);
	return order.rc;
}

/* ---- losing the site, and recovery ---- */

void recover_lose_sources(struct sites *sites)
{
	for (unsigned i = 0; i < sites->source_count; i++)
		box_crash(&sites->sources[i], SIM_DEATH);
}

static int revive_fars(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->far_count && !rc; i++) {
		if (!sim_is_running(sites->fars[i].system))
			rc = box_boot(&sites->fars[i]);
	}
	return rc;
}

/* A far side crashes somewhere in the middle of a recovery. */
static int recover_cut_off(struct sites *sites, const struct recovery_at *at)
{
	struct order order = {
		.sites = sites, .box = &sites->fars[sim_random_below(sim_world(), 2)], .what = RECOVER, .once = true,
		.at = at,
	};
	struct box *victim = &sites->fars[sim_random_below(sim_world(), 2)];
	struct rt_group group;
	int rc;

	rt_group_init(&group);
	rc = rt_group_start(&group, "recover", run_order, &order);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 100) * RT_MS);
	box_crash(victim, sim_random_below(sim_world(), 2) ? SIM_DEATH : SIM_POWER_LOSS);
	scenario_count("recoveries cut off", 1);
	if (!rc)
		rc = rt_group_wait(&group);
	rt_group_stop(&group);
	return rc ? rc : revive_fars(sites);
}

static int read_far(void *arg, unsigned place, uint64_t block, void *data)
{
	unsigned volume;
	struct box *far = sites_far_of(arg, place, &volume);

	return box_read(far, volume, block, data);
}

int recover_sites(struct sites *sites, const struct recovery_at *at, uint64_t *sequence, unsigned *outside)
{
	struct order order = {
		.sites = sites, .box = &sites->fars[sim_random_below(sim_world(), 2)], .what = RECOVER, .at = at,
	};
	int rc;

	for (unsigned cuts = (unsigned)sim_random_below(sim_world(), 3); cuts > 0; cuts--) {
		rc = recover_cut_off(sites, at);
		if (rc)
			return rc;
	}
	run_order(&order);
	/* What is said to be kept is. */
	if (order.rc == -1 && at)
		scenario_wrong("CG %llu: %s", (unsigned long long)at->sequence, order.fault.message);
	if (order.rc) {
		sim_fail(sim_world(), "recovery: %s: %s", order.fault.object, order.fault.message);
		return order.rc;
	}
	if (order.result.systems != 2 || order.result.systems_missing || order.result.volumes_missing ||
	    order.result.volumes + order.result.volumes_outside != 2 * SITES_VOLUMES ||
	    (!outside && order.result.volumes_outside))
		sim_fail(sim_world(), "recovered %u systems, %u volumes", order.result.systems, order.result.volumes);
	if (outside)
		*outside = order.result.volumes_outside;
	scenario_count("recoveries", 1);
	*sequence = order.result.sequence;
	return 0;
}

bool recover_is_refused(struct sites *sites, const struct recovery_at *at)
{
	struct order order = {
		.sites = sites, .box = &sites->fars[sim_random_below(sim_world(), 2)], .what = RECOVER, .at = at,
		.once = true,
	};

	run_order(&order);
	return order.rc == -1;
}

static int recover(struct sites *sites)
{
	uint64_t sequence;
	const char *bad;
	int rc = recover_sites(sites, NULL, &sequence, NULL);

	if (rc)
		return rc;
	bad = oracle_check(&sites->oracle, read_far, sites);
	if (bad)
		scenario_wrong("CG %llu: %s", (unsigned long long)sequence, bad);
	return 0;
}

/* ---- the way back ---- */

static int write_surely(struct box *box, unsigned volume, uint64_t block, const void *data)
{
	unsigned tries = 0;
	int rc;

	do {
		rc = box_write(box, volume, block, data, 0);
	} while (rc && scenario_try_again(&tries));
	return rc;
}

/* The source site is written to, and its far sides follow. */
static int write_sources(struct sites *sites, int byte)
{
	uint8_t data[XDC_BLOCK_SIZE];
	const char *bad;
	int rc = 0;

	memset(data, byte, sizeof(data));
	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = write_surely(&sites->sources[i], 0, 3, data);
	bad = rc ? NULL : sites_wait_equal(sites, 30 * RT_SECOND);
	if (bad)
		scenario_wrong("after the return: %s", bad);
	return rc;
}

/* Protection begins anew, as with new pairs. again: some of it may be done. */
static int start_again(struct sites *sites, bool again)
{
	struct session_start start = {
		.session = SITES_SESSION, .master_lss = box_lss(&sites->sources[0]), .subordinate_count = 1,
	};
	int rc = box_session_terminate(&sites->sources[0], SITES_SESSION, true);

	rc = again ? 0 : rc;
	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = box_session_add(&sites->sources[i], SITES_SESSION);
	snprintf(start.subordinates[0].system, XDC_SYSTEM_ID_MAX, "%s", sites->sources[1].id);
	start.subordinates[0].lss = box_lss(&sites->sources[1]);
	return rc ? rc : box_session_start(&sites->sources[0], &start);
}

static int protect_again(struct sites *sites)
{
	struct box *last = &sites->sources[sites->source_count - 1];
	unsigned tries = 0;
	int rc;

	/* Its volume stayed a source, and may have lost with the power what hosts had not flushed. */
	if (sites->outside && box_has_lost(last))
		(void)!box_accept_losses(last);
	rc = start_again(sites, false);

	while (rc && !faults_mend_all(sites) && scenario_try_again(&tries))
		rc = start_again(sites, true);
	if (!rc)
		rc = sites_wait_groups(sites, 1, 20 * RT_SECOND);
	if (rc)
		sim_fail(sim_world(), "after the return the session does not start again: %d", rc);
	else
		scenario_count("sessions started again", 1);
	sites->outside = false;
	return rc ? rc : write_sources(sites, 0x33);
}

static int write_far(struct sites *sites)
{
	uint8_t data[XDC_BLOCK_SIZE];
	int rc = 0;

	for (unsigned i = 0; i < 40 && !rc; i++) {
		unsigned volume = (unsigned)sim_random_below(sim_world(), SITES_VOLUMES);

		/* One that was outside. */
		if (!box_lets_write(&sites->fars[i % 2], volume))
			continue;
		memset(data, (int)i + 1, sizeof(data));
		rc = write_surely(&sites->fars[i % 2], volume, sim_random_below(sim_world(), 5000), data);
	}
	return rc;
}

static int lead_home(struct sites *sites, unsigned far)
{
	unsigned tries = 0;
	int rc = box_path(&sites->fars[far], &sites->sources[far]);

	while (rc && !faults_mend_all(sites) && scenario_try_again(&tries))
		rc = box_path(&sites->fars[far], &sites->sources[far]);
	return rc;
}

int recover_go_home(struct sites *sites)
{
	const char *bad;
	int rc = write_far(sites);

	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = box_boot(&sites->sources[i]);
	for (unsigned i = 0; i < 2 && !rc; i++) {
		rc = lead_home(sites, i);
		if (!rc)
			rc = give(sites, &sites->fars[i], FAILBACK);
	}
	if (!rc)
		rc = write_far(sites);
	if (!rc && sim_random_below(sim_world(), 2)) {
		struct box *victim = sim_random_below(sim_world(), 2) ? &sites->fars[0] : &sites->sources[1];

		box_crash(victim, sim_random_below(sim_world(), 2) ? SIM_DEATH : SIM_POWER_LOSS);
		scenario_count("failbacks cut off", 1);
		rc = box_boot(victim);
	}
	bad = rc ? NULL : sites_wait_equal(sites, 30 * RT_SECOND);
	if (bad)
		scenario_wrong("after failback: %s", bad);
	for (unsigned i = 0; i < 2 && !rc; i++)
		rc = give(sites, &sites->fars[i], RETURN);
	if (rc)
		return rc;
	scenario_count("returns", 1);
	rc = write_sources(sites, 0x77);
	return rc ? rc : protect_again(sites);
}

static int live(struct sites *sites)
{
	int rc = sites_build(sites, 2, 2, CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc)
		rc = sites_wait_groups(sites, 3 + (unsigned)sim_random_below(sim_world(), 10), 20 * RT_SECOND);
	if (!rc)
		rc = give(sites, &sites->fars[0], PROBE);
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 30000) * RT_US);
	recover_lose_sources(sites);
	oracle_end(&sites->oracle);
	if (!rc)
		rc = recover(sites);
	if (!rc)
		rc = recover_go_home(sites);
	return rc ? rc : sites_stop(sites);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = {
	"host writes", "groups", "recoveries", "returns", NULL
};

static const char *const rarely_happens[] = {
	"recoveries cut off", "failbacks cut off", "sessions started again", NULL
};

const struct scenario scenario_recover = {
	.name = "recover",
	.about = "a lost site is recovered to one moment, and gets the differences back",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
