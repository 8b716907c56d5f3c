/* SPDX-License-Identifier: Apache-2.0 */
/* sites.h - two sites for scenarios: source boxes a1, a2, ..., far boxes b1, b2, ..., paths, pairs and one session. */
#ifndef XDC_SIM_SITES_H
#define XDC_SIM_SITES_H

#include "oracle.h"

#define SITES_BOXES_MAX	4u
#define SITES_SESSION	1u
#define SITES_VOLUMES	2u		/* of each source box */

struct sites {
	unsigned source_count, far_count;
	struct box sources[SITES_BOXES_MAX], fars[SITES_BOXES_MAX];
	struct oracle oracle;
	uint64_t groups;		/* the last CG seen by sites_wait_groups */
};

/* Boots all boxes, makes pairs and the session, and starts it at the first source box. 0 or an error. Suspends. */
RT_MUST_CHECK int sites_build(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache);

/* Waits until `count` more CGs exist: 0, -ETIMEDOUT after limit_ns, -ECONNABORTED. What they must show is required. */
RT_MUST_CHECK int sites_wait_groups(struct sites *sites, unsigned count, int64_t limit_ns);

/*
 * While hosts are quiet: waits until far volumes are equal to source volumes. NULL, or why they are not after limit_ns.
 */
const char *sites_wait_equal(struct sites *sites, int64_t limit_ns);

/* Where the volume of a place of the oracle has its far side. */
struct box *sites_far_of(struct sites *sites, unsigned place, unsigned *volume);

RT_MUST_CHECK int sites_stop(struct sites *sites);

#endif
