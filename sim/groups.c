/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consistency groups, undisturbed: two source systems with two far sides, one session over all volumes. Groups are
 * formed while hosts write; no hold is longer than configured; when hosts are quiet both sides are equal.
 */
#include <errno.h>
#include <string.h>

#include "oracle.h"
#include "scenarios.h"
#include "sites.h"

static int live(struct sites *sites)
{
	int rc = sites_build(sites, 2, 2, CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc)
		rc = sites_wait_groups(sites, 20, 20 * RT_SECOND);
	sites_check_holds(sites);
	if (!rc)
		rc = sites_end(sites, 20 * RT_SECOND);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes", "groups", NULL };

const struct scenario scenario_groups = {
	.name = "groups",
	.about = "groups are formed under load, and quiet sides are equal",
	.until_ns = 120 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
};
