/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negative controls: what the checker must find wrong. The same hosts write over plain global-copy pairs, which keep no
 * order; and one volume of an older consistency group is put beside the others of a newer one. A checker that liked
 * these images would prove nothing with the others.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "scenarios.h"

#define LOOKS	40u
#define GROUPS	16u

/* One of them may be a moment by chance; not all. */
static void demand_wrong(unsigned wrong, unsigned images)
{
	scenario_count("images", images);
	scenario_count("images found wrong", wrong);
	if (!wrong)
		sim_fail(sim_world(), "none of %u images was found wrong", images);
}

static int build(struct sites *sites, enum pair_type type)
{
	return sites_build(sites, 2 + (unsigned)sim_random_below(sim_world(), 3), 2, CACHE_WRITEBACK, type);
}

/* ---- plain global copy ---- */

static int look_at_copies(struct sites *sites)
{
	struct oracle_image image;
	unsigned wrong = 0;
	int rc = 0;

	for (unsigned i = 0; i < LOOKS && !rc; i++) {
		rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 20000) * RT_US);
		if (!rc && (sites_take_peeking(sites, &image) || oracle_judge(&sites->oracle, &image, NULL)))
			wrong++;
	}
	if (!rc)
		demand_wrong(wrong, LOOKS);
	return rc;
}

static int run_plain(struct sites *sites)
{
	int rc = build(sites, PAIR_GLOBAL_COPY);

	if (!rc)
		sites_set_distance(sites, 20 * RT_MS);
	/* The first copies are done by then: it is the order of what follows that is wrong. */
	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + 2 * RT_SECOND);
	if (!rc)
		rc = look_at_copies(sites);
	if (!rc)
		rc = oracle_stop(&sites->oracle);
	if (!rc && sites_wait_equal(sites, 20 * RT_SECOND))
		sim_fail(sim_world(), "quiet copies did not become equal");
	return rc ? rc : sites_stop(sites);
}

/* ---- volumes of two groups side by side ---- */

struct recovered {
	uint64_t sequence;
	struct oracle_image image;
};
_Static_assert(sizeof(struct recovered) <= SCENARIO_SHARED_BYTES, "a branch hands it back");

/* In a branch: the image of the last group, for the run that it came from. */
static int recover_image(struct sites *sites)
{
	struct recovered *out = scenario_shared();
	struct recovery_result result;
	int rc;

	for (unsigned i = 0; i < sites->source_count; i++)
		box_crash(&sites->sources[i], SIM_DEATH);
	rc = box_session_recover(&sites->fars[0], SITES_SESSION, false, &result);
	if (rc)
		return rc;
	scenario_count("recoveries", 1);
	out->sequence = result.sequence;
	sites_judge_reading(sites, &out->image);
	return 0;
}

static unsigned count_wrong_mixtures(const struct sites *sites, const struct recovered *older,
				     const struct recovered *newer)
{
	unsigned wrong = 0;

	for (unsigned place = 0; place < sites->oracle.place_count; place++) {
		struct oracle_image mixed = newer->image;

		for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++)
			memcpy(mixed.values[chain][place], older->image.values[chain][place],
			       sizeof(mixed.values[chain][place]));
		if (oracle_judge(&sites->oracle, &mixed, NULL))
			wrong++;
	}
	return wrong;
}

/* *in_branch: this is the end of a branch. */
static int mix_groups(struct sites *sites, bool *in_branch)
{
	struct recovered older = { 0 }, newer;
	unsigned wrong = 0, mixtures = 0;
	int rc = 0;

	for (unsigned i = 0; i < GROUPS && !rc; i++) {
		/* So that there are writes between them that others depend on. */
		rc = rt_sleep_until(rt_now_ns() + 30 * RT_MS);
		if (!rc)
			rc = sites_wait_groups(sites, 1, 20 * RT_SECOND);
		if (!rc && scenario_branch()) {
			*in_branch = true;
			return recover_image(sites);
		}
		newer = *(struct recovered *)scenario_shared();
		if (older.sequence && newer.sequence > older.sequence) {
			wrong += count_wrong_mixtures(sites, &older, &newer);
			mixtures += sites->oracle.place_count;
		}
		older = newer;
	}
	if (!rc)
		demand_wrong(wrong, mixtures);
	return rc;
}

static int run_mixed(struct sites *sites)
{
	bool in_branch = false;
	int rc = build(sites, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	if (!rc)
		rc = mix_groups(sites, &in_branch);
	if (rc || in_branch)
		return rc;
	rc = oracle_stop(&sites->oracle);
	return rc ? rc : sites_stop(sites);
}

/* ---- the scenarios ---- */

static int plain(void *arg)
{
	(void)arg;
	return sites_live(run_plain);
}

static int mixed(void *arg)
{
	(void)arg;
	return sites_live(run_mixed);
}

static const char *const must_happen_plain[] = { "host writes", "images found wrong", NULL };
static const char *const must_happen_mixed[] = { "host writes", "groups", "recoveries", "images found wrong", NULL };

const struct scenario scenario_control_plain = {
	.name = "control-plain",
	.about = "plain global copies are no moment, and the checker says so",
	.until_ns = 120 * RT_SECOND,
	.run = plain,
	.must_happen = must_happen_plain,
};

const struct scenario scenario_control_mixed = {
	.name = "control-mixed",
	.about = "a volume of one group beside another is no moment, and the checker says so",
	.until_ns = 120 * RT_SECOND,
	.run = mixed,
	.must_happen = must_happen_mixed,
};
