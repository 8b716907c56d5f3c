/* SPDX-License-Identifier: Apache-2.0 */
#include "sites.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/mem.h"
#include "scenarios.h"

#define VOLUME_BYTES	(20u << 20)

/* Source box i sends to far box i modulo their number; its volumes are there behind those of the boxes before it. */
static unsigned far_index(const struct sites *sites, unsigned source)
{
	return source % sites->far_count;
}

static unsigned far_volume(const struct sites *sites, unsigned source, unsigned volume)
{
	return source / sites->far_count * SITES_VOLUMES + volume;
}

struct box *sites_far_of(struct sites *sites, unsigned place, unsigned *volume)
{
	unsigned source = place / SITES_VOLUMES;

	*volume = far_volume(sites, source, place % SITES_VOLUMES);
	return &sites->fars[far_index(sites, source)];
}

static int boot_all(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache)
{
	char name[8], id[16];
	int rc = 0;

	sites->source_count = sources;
	sites->far_count = fars;
	for (unsigned i = 0; i < fars && !rc; i++) {
		snprintf(name, sizeof(name), "b%u", i + 1);
		snprintf(id, sizeof(id), "2105.B%u", i + 1);
		box_init(&sites->fars[i], name, id, 1 + (unsigned)sim_random_below(sim_world(), 2),
			 (uint16_t)(0x2500 + 0x100 * i), (sources + fars - 1) / fars * SITES_VOLUMES, VOLUME_BYTES,
			 cache);
		rc = box_boot(&sites->fars[i]);
	}
	for (unsigned i = 0; i < sources && !rc; i++) {
		snprintf(name, sizeof(name), "a%u", i + 1);
		snprintf(id, sizeof(id), "2105.A%u", i + 1);
		box_init(&sites->sources[i], name, id, 1 + (unsigned)sim_random_below(sim_world(), 2),
			 (uint16_t)(0x1500 + 0x100 * i), SITES_VOLUMES, VOLUME_BYTES, cache);
		rc = box_boot(&sites->sources[i]);
		oracle_add_box(&sites->oracle, &sites->sources[i]);
	}
	return rc;
}

static int join_session(struct sites *sites, unsigned source)
{
	struct box *box = &sites->sources[source], *far = &sites->fars[far_index(sites, source)];
	int rc = box_path(box, far);

	for (unsigned i = 0; i < SITES_VOLUMES && !rc; i++)
		rc = box_pair(box, i, far, far_volume(sites, source, i), PAIR_ASYNC);
	if (!rc)
		rc = box_session_open(box, SITES_SESSION);
	if (!rc)
		rc = box_session_add(box, SITES_SESSION);
	if (!rc && source > 0)
		rc = box_path(&sites->sources[0], box);
	return rc;
}

int sites_build(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache)
{
	struct session_start start = { .session = SITES_SESSION, .subordinate_count = sources - 1 };
	int rc;

	assert(sources <= SITES_BOXES_MAX && fars <= SITES_BOXES_MAX);
	oracle_init(&sites->oracle);
	rc = boot_all(sites, sources, fars, cache);
	for (unsigned i = 0; i < sources && !rc; i++)
		rc = join_session(sites, i);
	start.master_lss = box_lss(&sites->sources[0]);
	for (unsigned i = 1; i < sources; i++) {
		snprintf(start.subordinates[i - 1].system, XDC_SYSTEM_ID_MAX, "%s", sites->sources[i].id);
		start.subordinates[i - 1].lss = box_lss(&sites->sources[i]);
	}
	return rc ? rc : box_session_start(&sites->sources[0], &start);
}

int sites_wait_groups(struct sites *sites, unsigned count, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	struct copy_session_info info;
	uint32_t answered[ORACLE_CHAINS];
	uint64_t counted = 0, last = 0;
	int rc;

	while (counted < count) {
		oracle_snapshot(&sites->oracle, answered);
		last = sites->groups;
		rc = box_session_info(&sites->sources[0], SITES_SESSION, &info);
		if (rc)
			return rc;
		sites->groups = info.cg_good;
		if (info.cg_good > last) {
			counted += info.cg_good - last;
			scenario_count("groups", info.cg_good - last);
		}
		if (rt_now_ns() > until_ns)
			return -ETIMEDOUT;
		rc = rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (rc)
			return rc;
	}
	return 0;
}

static const char *compare(struct sites *sites)
{
	static char why[120];
	uint8_t ours[XDC_BLOCK_SIZE], theirs[XDC_BLOCK_SIZE];

	for (unsigned place = 0; place < sites->oracle.place_count; place++) {
		const struct oracle_place *at = &sites->oracle.places[place];
		unsigned volume;
		struct box *far = sites_far_of(sites, place, &volume);

		for (uint64_t block = 0; block < VOLUME_BYTES / XDC_BLOCK_SIZE; block++) {
			char our_path[32], their_path[32];

			snprintf(our_path, sizeof(our_path), "pool/%04X.vol", at->box->volumes[at->volume]);
			snprintf(their_path, sizeof(their_path), "pool/%04X.vol", far->volumes[volume]);
			if (sim_peek(at->box->system, our_path, ours, sizeof(ours), block * sizeof(ours)) ||
			    sim_peek(far->system, their_path, theirs, sizeof(theirs), block * sizeof(theirs)))
				return "a volume cannot be read";
			if (!memcmp(ours, theirs, sizeof(ours)))
				continue;
			snprintf(why, sizeof(why), "block %llu of %s on %s differs from %s on %s",
				 (unsigned long long)block, our_path, sim_name(at->box->system), their_path,
				 sim_name(far->system));
			return why;
		}
	}
	return NULL;
}

const char *sites_wait_equal(struct sites *sites, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	const char *bad = compare(sites);

	while (bad && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS))
		bad = compare(sites);
	return bad;
}

int sites_stop(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = box_stop(&sites->sources[i]);
	for (unsigned i = 0; i < sites->far_count && !rc; i++)
		rc = box_stop(&sites->fars[i]);
	return rc;
}
