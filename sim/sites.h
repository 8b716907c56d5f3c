/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites.h - two sites for scenarios: source boxes a1, a2, ..., far boxes b1, b2, ..., paths, pairs and one session; and
 * if wanted a third with one box, c1.
 */
#ifndef XDC_SIM_SITES_H
#define XDC_SIM_SITES_H

#include "oracle.h"

#define SITES_BOXES_MAX	4u
#define SITES_SESSION	1u
#define SITES_VOLUMES	2u		/* of each source box */

struct sites {
	unsigned source_count, far_count;
	struct box sources[SITES_BOXES_MAX], fars[SITES_BOXES_MAX];
	bool three;			/* every source volume has a second pair, async and in the session, with c1 */
	bool cascade;			/* and three: the far volumes have that pair, and far boxes the session */
	struct box third;		/* its volumes are in the order of the places of the oracle */
	struct oracle oracle;
	uint64_t volume_bytes;		/* of each volume; 0: the default, 20 MiB */
	uint64_t journal_bytes;		/* of each leg; 0: by chance */
	bool group, critical;		/* synchronous pairs */
	bool late;			/* the last volume of the last source is not in the session */
	bool outside;			/* nor in the group that was recovered: equal when a session has it */
	int64_t coordination_ns;	/* 0: the default, 50 ms */
	int64_t keep_ns;		/* older groups can be shown for so long; 0: without limit of time */
	uint64_t keep_bytes;		/* likewise; both 0: only the last one */
	uint64_t groups;		/* CGs that the master has counted, when it was last looked at */
	uint64_t reported;		/* the last CG that it reported */
};

/* Makes sites for live, and when it returns, for whatever reason, ends their writers before they are freed. */
RT_MUST_CHECK int sites_live(int (*live)(struct sites *sites));

/*
 * Boots all boxes, makes the pairs and, with async ones, the session, starts it at the first source box, and then the
 * writers of the oracle. 0 or an error. Suspends.
 */
RT_MUST_CHECK int sites_build(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache,
			      enum pair_type type);

/* The ways between the sites are long: each one takes so long, at most, some less. */
void sites_set_distance(struct sites *sites, int64_t delay_max_ns);

/* The boxes by number, sources first, c1 at the end. */
unsigned sites_box_count(const struct sites *sites);
struct box *sites_box(struct sites *sites, unsigned index);
bool sites_is_source(const struct sites *sites, const struct box *box);

/*
 * Looks at the master: what it reports is required of every image from now on, exactly up to the moment that it says
 * the last CG shows. 0, -ECONNABORTED. Suspends.
 */
RT_MUST_CHECK int sites_look(struct sites *sites);

/* Waits until all volumes are in the groups, and one with all of them was reported: 0, -ETIMEDOUT, errors. */
RT_MUST_CHECK int sites_wait_joined(struct sites *sites, int64_t limit_ns);

/* Waits until `count` more CGs exist: 0, -ETIMEDOUT after limit_ns. The master may crash meanwhile. */
RT_MUST_CHECK int sites_wait_groups(struct sites *sites, unsigned count, int64_t limit_ns);

/* No answer was held for longer than configured, but for the time that its process was paused. Fails the run. */
void sites_check_holds(struct sites *sites);

/*
 * While hosts are quiet: waits until far volumes are equal to source volumes. NULL, or why they are not after limit_ns.
 */
const char *sites_wait_equal(struct sites *sites, int64_t limit_ns);

/* The same of the third site alone. */
const char *sites_wait_third(struct sites *sites, int64_t limit_ns);

/* The boxes that the session is on, its master first. */
struct box *sites_members(struct sites *sites, unsigned *count);

/* Where the volume of a place of the oracle has its far side. */
struct box *sites_far_of(struct sites *sites, unsigned place, unsigned *volume);

/* An administrator lets those pairs go on that were suspended together. Only -ECANCELED is an error. Suspends. */
RT_MUST_CHECK int sites_resume_frozen(struct sites *sites);

/* The image at the far sides: what lies in the volumes now, or what hosts read there. NULL, or why not. */
const char *sites_take_peeking(struct sites *sites, struct oracle_image *image);
const char *sites_take_reading(struct sites *sites, struct oracle_image *image);
const char *sites_take_third(struct sites *sites, struct oracle_image *image);	/* what hosts read at c1 */

/* The same, read; the scenario is wrong when it cannot be read or is no moment. */
void sites_judge_reading(struct sites *sites, struct oracle_image *image);

RT_MUST_CHECK int sites_stop(struct sites *sites);

/* The end of a scenario: hosts end, both sides are equal within limit_ns, or it is wrong; all stop. 0 or an error. */
RT_MUST_CHECK int sites_end(struct sites *sites, int64_t limit_ns);

#endif
