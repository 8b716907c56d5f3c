/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk that lies: it says that it keeps what it does not, and its machine loses power.
 *
 * Goal: what that disk lost nobody can bring back, but no image is handed out as a group that is none, and nothing else
 * is harmed. Method: under load the disk of one system begins to lie, all of it, or where its volumes, its state or its
 * journals are. As long as its machine has power a lie hurts nobody: its process may die, groups go on, and recovery at
 * any moment is as good as ever. Then its power is gone, and what is demanded depends on whose it was:
 *
 * - of a source: every group of before is right, whole. The machine may refuse to start. If it starts, then with cache
 *   writeback no group replaces the last one of before until an administrator accepts the loss; with cache direct, or
 *   after that, its own volumes may show anything, and those of all other sources are a moment.
 * - of a far side: the machine may refuse to start; recovery may be refused, or leave it out by name; a block may be
 *   unreadable. What is handed out as whole is right: from a journal of which nothing is missing, over volumes of which
 *   nothing was lost. Only where the volumes themselves lay on the lying disk they may show anything, and the others
 *   are a moment.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define JOURNALS	"state/journals"

struct lies {
	struct sites *sites;
	struct box *liar;
	const char *part;			/* of its disk */
	bool of_source;
	unsigned source;			/* whose volumes it has, of its own or as targets */
	bool harmed;				/* before its process died */
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

static void set_lying(struct lies *lies, bool on)
{
	struct sim_disk_state state = { .sync_lies = on };

	sim_set_disk(lies->liar->system, lies->part, &state);
	lies->liar->lied = true;
}

static void choose_liar(struct lies *lies)
{
	static const char *const parts[] = { "pool", "state", "", JOURNALS, JOURNALS, JOURNALS };
	struct sites *sites = lies->sites;

	lies->of_source = below(3) == 0;
	lies->source = (unsigned)below(sites->source_count);
	lies->liar = lies->of_source ? &sites->sources[lies->source] : &sites->fars[lies->source];
	lies->part = parts[below(lies->of_source ? 3 : 6)];
	scenario_count(lies->of_source ? "sources that lied" : "far sides that lied", 1);
}

/* ---- the end: the source site is lost ---- */

/* A call of theirs may have failed (--fail). */
static int mend_others(struct lies *lies)
{
	int rc = 0;

	for (unsigned i = 0; i < lies->sites->far_count && !rc; i++) {
		if (&lies->sites->fars[i] != lies->liar)
			rc = faults_mend(lies->sites, &lies->sites->fars[i]);
	}
	return rc;
}

static int try_recover(struct lies *lies, struct recovery_result *result, unsigned *tries)
{
	struct box *far = &lies->sites->fars[below(lies->sites->far_count)];
	int rc = mend_others(lies);

	*result = (struct recovery_result){ 0 };
	if (!rc)
		rc = far->ready ? box_session_recover(far, SITES_SESSION, false, result) : -EAGAIN;
	return !rc && result->volumes_missing && scenario_try_again(tries) ? -EAGAIN : rc;
}

static int recover(struct lies *lies, struct recovery_result *result)
{
	struct sites *sites = lies->sites;
	unsigned tries = 0;
	int rc = -1;

	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	for (unsigned i = 0; i < 20 && rc; i++) {
		rc = try_recover(lies, result, &tries);
		if (rc == -ECANCELED || (rc && wait_ms(300)))
			return -ECANCELED;
	}
	return rc;
}

/*
 * A call on the disk that lies has failed too (--fail): its system keeps away from what it cannot trust, or was mended
 * by a loss of power, which takes what the disk had not kept.
 */
static bool is_harmed(const struct lies *lies)
{
	return lies->harmed || lies->liar->mended || box_has_failed(lies->liar) ||
	       sim_disk_errors(lies->liar->system) > 0;
}

/* A block that is not handed out is named. */
static bool can_be_read(struct lies *lies)
{
	uint8_t data[XDC_BLOCK_SIZE];

	for (unsigned i = 0; i < SITES_VOLUMES; i++) {
		unsigned volume;
		struct box *far = sites_far_of(lies->sites, lies->source * SITES_VOLUMES + i, &volume);

		for (unsigned block = 0; block < ORACLE_CHAINS * ORACLE_BLOCKS; block++) {
			if (box_read(far, volume, oracle_block(block / ORACLE_BLOCKS, block % ORACLE_BLOCKS), data))
				return false;
		}
	}
	return true;
}

/* harmless: what is recovered has to be whole, and right. */
static int recover_and_judge(struct lies *lies, bool harmless)
{
	struct sites *sites = lies->sites;
	struct recovery_result result;
	struct oracle_image image;
	int rc = recover(lies, &result);

	if (rc == -ECANCELED)
		return rc;
	if (harmless && is_harmed(lies)) {
		scenario_count("liars that failed too", 1);
		oracle_ignore(&sites->oracle, &sites->sources[lies->source]);
		harmless = false;
	}
	if (rc && (harmless || lies->of_source))
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
	scenario_count(rc ? "recoveries refused" : "recoveries", 1);
	if (rc)
		return 0;
	if (harmless && (result.systems_missing || result.volumes_missing))
		sim_fail(sim_world(), "something is missing: %s", result.missing);
	if (!harmless && (result.systems_missing || result.volumes_missing || !can_be_read(lies))) {
		scenario_count("recoveries without the liar", 1);
		oracle_ignore(&sites->oracle, &sites->sources[lies->source]);
	}
	sites_judge_reading(sites, &image);
	return 0;
}

/* ---- the power of the liar is lost ---- */

/* It looks at what it has, and goes on or says why not. */
static int start_again(struct lies *lies, bool *started)
{
	int rc = box_boot(lies->liar);

	*started = !rc;
	scenario_count(rc ? "refused to start" : "started on what is left", 1);
	return rc == -ECANCELED ? rc : wait_ms(200 + below(1500));
}

static int lose_source(struct lies *lies)
{
	bool started, harmless = true;
	int rc = start_again(lies, &started);

	if (!rc && started && lies->liar->lost && below(2))
		rc = faults_accept(lies->liar);
	if (!rc && started && !lies->liar->lost)
		harmless = false;
	if (!rc && !harmless) {
		/* What it has and what it shows is its own affair. */
		oracle_ignore(&lies->sites->oracle, lies->liar);
		rc = sites_wait_groups(lies->sites, 2, 10 * RT_SECOND);
		scenario_count(rc ? "no groups with a source that lied" : "groups with a source that lied", 1);
		rc = rc == -ETIMEDOUT ? 0 : rc;
	}
	return rc ? rc : recover_and_judge(lies, true);
}

/* Hosts write a little, so that there are groups: much would cover what went wrong. */
static int write_little(struct lies *lies)
{
	int rc;

	lies->sites->oracle.rest = false;
	rc = wait_ms(1 + below(20));
	lies->sites->oracle.rest = true;
	return rc ? rc : wait_ms(300 + below(1000));
}

static int lose_far(struct lies *lies)
{
	uint64_t groups;
	bool started;
	int rc = start_again(lies, &started);

	if (!rc)
		rc = write_little(lies);
	if (rc)
		return rc;
	if (!strcmp(lies->part, "pool") || !lies->part[0])
		oracle_ignore(&lies->sites->oracle, &lies->sites->sources[lies->source]);
	groups = lies->sites->groups;
	rc = sites_look(lies->sites);
	if (!rc && started && lies->sites->groups > groups)
		scenario_count("groups with a far side that lied", 1);
	return rc ? rc : recover_and_judge(lies, false);
}

static int lose_power(struct lies *lies)
{
	faults_crash(lies->sites, lies->liar, SIM_POWER_LOSS);
	set_lying(lies, false);
	lies->sites->oracle.rest = !lies->of_source;
	return lies->of_source ? lose_source(lies) : lose_far(lies);
}

/* The process dies, and the machine keeps what it was given. */
static int lose_process(struct lies *lies)
{
	int rc;

	scenario_count("lies that harmed nobody", 1);
	lies->harmed = is_harmed(lies);
	faults_crash(lies->sites, lies->liar, SIM_DEATH);
	rc = faults_bring_up(lies->sites, lies->liar);
	if (!rc)
		rc = sites_wait_groups(lies->sites, 2, 20 * RT_SECOND);
	if (rc == -ETIMEDOUT && is_harmed(lies))
		rc = 0;
	if (rc)
		sim_fail(sim_world(), "no groups after the death of a process: %d", rc);
	return rc ? rc : recover_and_judge(lies, true);
}

static int live_through(struct sites *sites)
{
	struct lies lies = { .sites = sites };
	int rc = sites_build(sites, 2, 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc)
		rc = wait_ms(below(200));
	choose_liar(&lies);
	set_lying(&lies, true);
	if (!rc)
		rc = wait_ms(20 + below(below(2) ? 100 : 600));
	if (!rc)
		rc = sites_look(sites);
	if (!rc && below(2) && scenario_branch())
		return below(3) ? recover_and_judge(&lies, true) : lose_process(&lies);
	return rc ? rc : lose_power(&lies);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live_through);
}

static const char *const must_happen[] = {
	"host writes", "groups", "recoveries", "sync-lie", "page-lost", NULL
};

static const char *const rarely_happens[] = {
	"sources that lied", "far sides that lied", "started on what is left",
	"recoveries refused", "recoveries without the liar", "lies that harmed nobody",
	"groups with a source that lied", "groups with a far side that lied", NULL
};

const struct scenario scenario_lies = {
	.name = "lies",
	.about = "a disk that lies harms nobody but its own volumes, and no image is handed out that is none",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
