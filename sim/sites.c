/* SPDX-License-Identifier: Apache-2.0 */
#include "sites.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "rt/mem.h"
#include "scenarios.h"

#define VOLUME_BYTES	(20u << 20)
#define HOLD_MORE_NS	(5 * RT_MS)		/* than the coordination time */

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

int sites_resume_frozen(struct sites *sites)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->oracle.place_count && rc != -ECANCELED; i++) {
		const struct oracle_place *at = &sites->oracle.places[i];
		unsigned volume;

		if (box_is_frozen(at->box, at->volume))
			rc = box_pair_resume(at->box, at->volume, sites_far_of(sites, i, &volume));
	}
	return rc == -ECANCELED ? rc : 0;
}

int sites_live(int (*live)(struct sites *sites))
{
	struct sites *sites = mem_alloc_zeroed(sizeof(*sites));
	int rc;

	if (!sites)
		return -ENOMEM;
	oracle_init(&sites->oracle);
	rc = live(sites);
	oracle_end(&sites->oracle);
	mem_free(sites);
	return rc;
}

static int boot_third(struct sites *sites, enum cache_mode cache)
{
	box_init(&sites->third, "c1", "2105.C1", 1 + (unsigned)sim_random_below(sim_world(), 2), 0x3500,
		 sites->source_count * SITES_VOLUMES, sites->volume_bytes, cache);
	sites->third.journal_bytes = UINT64_C(64) << 20;
	return box_boot(&sites->third);
}

static int boot_all(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache)
{
	char name[16], id[24];
	int rc = 0;

	sites->source_count = sources;
	sites->far_count = fars;
	if (!sites->volume_bytes)
		sites->volume_bytes = VOLUME_BYTES;
	for (unsigned i = 0; i < fars && !rc; i++) {
		snprintf(name, sizeof(name), "b%u", i + 1);
		snprintf(id, sizeof(id), "2105.B%u", i + 1);
		box_init(&sites->fars[i], name, id, 1 + (unsigned)sim_random_below(sim_world(), 2),
			 (uint16_t)(0x2500 + 0x100 * i), (sources + fars - 1) / fars * SITES_VOLUMES,
			 sites->volume_bytes, cache);
		/* Small ones are full now and then. */
		sites->fars[i].journal_bytes = sites->journal_bytes;
		if (!sites->journal_bytes)
			sites->fars[i].journal_bytes = UINT64_C(32) << (20 + sim_random_below(sim_world(), 4));
		rc = box_boot(&sites->fars[i]);
	}
	for (unsigned i = 0; i < sources && !rc; i++) {
		snprintf(name, sizeof(name), "a%u", i + 1);
		snprintf(id, sizeof(id), "2105.A%u", i + 1);
		box_init(&sites->sources[i], name, id, 1 + (unsigned)sim_random_below(sim_world(), 2),
			 (uint16_t)(0x1500 + 0x100 * i), SITES_VOLUMES, sites->volume_bytes, cache);
		sites->sources[i].group = sites->group;
		sites->sources[i].critical = sites->critical;
		rc = box_boot(&sites->sources[i]);
		oracle_add_box(&sites->oracle, &sites->sources[i]);
	}
	return rc || !sites->three ? rc : boot_third(sites, cache);
}

static int make_pairs(struct sites *sites, unsigned source, enum pair_type type)
{
	struct box *box = &sites->sources[source], *far = &sites->fars[far_index(sites, source)];
	int rc = box_path(box, far);

	for (unsigned i = 0; i < SITES_VOLUMES && !rc; i++)
		rc = box_pair(box, i, far, far_volume(sites, source, i), type);
	return rc;
}

static int pair_with_third(struct sites *sites, unsigned source)
{
	unsigned first = sites->cascade ? far_volume(sites, source, 0) : 0;
	struct box *box = sites->cascade ? &sites->fars[far_index(sites, source)] : &sites->sources[source];
	int rc = box_path(box, &sites->third);

	for (unsigned i = 0; i < SITES_VOLUMES && !rc; i++)
		rc = box_pair(box, first + i, &sites->third, source * SITES_VOLUMES + i, PAIR_ASYNC);
	return rc;
}

struct box *sites_members(struct sites *sites, unsigned *count)
{
	*count = sites->cascade ? sites->far_count : sites->source_count;
	return sites->cascade ? sites->fars : sites->sources;
}

static int join_session(struct box *members, unsigned member, bool late)
{
	struct box *box = &members[member];
	int rc = box_session_open(box, SITES_SESSION);

	if (!rc)
		rc = box_session_add_but(box, SITES_SESSION, late);
	if (!rc && member > 0)
		rc = box_path(&members[0], box);
	return rc;
}

static int start_session(struct sites *sites)
{
	unsigned count;
	struct box *members = sites_members(sites, &count);
	struct session_start start = {
		.session = SITES_SESSION, .master_lss = box_lss(&members[0]), .subordinate_count = count - 1,
	};

	if (!sites->coordination_ns)
		sites->coordination_ns = 50 * RT_MS;
	start.has_coordination = true;
	start.tunables.coordination_ns = sites->coordination_ns;
	start.has_keep = start.has_keep_bytes = sites->keep_ns || sites->keep_bytes;
	start.tunables.keep_ns = sites->keep_ns;
	start.tunables.keep_bytes = sites->keep_bytes;
	for (unsigned i = 1; i < count; i++) {
		snprintf(start.subordinates[i - 1].system, XDC_SYSTEM_ID_MAX, "%s", members[i].id);
		start.subordinates[i - 1].lss = box_lss(&members[i]);
	}
	return box_session_start(&members[0], &start);
}

int sites_build(struct sites *sites, unsigned sources, unsigned fars, enum cache_mode cache, enum pair_type type)
{
	bool session = type == PAIR_ASYNC || sites->three;
	struct box *members;
	unsigned count;
	int rc;

	assert(sources <= SITES_BOXES_MAX && fars <= SITES_BOXES_MAX);
	rc = boot_all(sites, sources, fars, cache);
	for (unsigned i = 0; i < sources && !rc; i++)
		rc = make_pairs(sites, i, type);
	for (unsigned i = 0; i < sources && !rc && sites->three; i++)
		rc = pair_with_third(sites, i);
	members = sites_members(sites, &count);
	for (unsigned i = 0; i < count && !rc && session; i++)
		rc = join_session(members, i, sites->late && i + 1 == count);
	if (!rc && session)
		rc = start_session(sites);
	return rc ? rc : oracle_start(&sites->oracle);
}

void sites_set_distance(struct sites *sites, int64_t delay_max_ns)
{
	for (unsigned i = 0; i < sites->source_count; i++) {
		for (unsigned j = 0; j < sites->far_count; j++) {
			int64_t high_ns = 1 + (int64_t)sim_random_below(sim_world(), (uint64_t)delay_max_ns);
			struct sim_range delay_ns = { .low = high_ns / 2, .high = high_ns };

			sim_set_link(sites->sources[i].system, sites->fars[j].system, delay_ns, 0);
		}
	}
}

unsigned sites_box_count(const struct sites *sites)
{
	return sites->source_count + sites->far_count + sites->three;
}

struct box *sites_box(struct sites *sites, unsigned index)
{
	if (index == sites->source_count + sites->far_count)
		return &sites->third;
	return index < sites->source_count ? &sites->sources[index] : &sites->fars[index - sites->source_count];
}

bool sites_is_source(const struct sites *sites, const struct box *box)
{
	return box >= sites->sources && box < sites->sources + sites->source_count;
}

/* ---- what the master says ---- */

int sites_look(struct sites *sites)
{
	struct copy_session_info info;
	int64_t shown_ns;
	unsigned count;
	int rc = box_session_info(sites_members(sites, &count), SITES_SESSION, &info, &shown_ns);

	if (rc)
		return rc;
	if (info.cg_good > sites->groups)
		scenario_count("groups", info.cg_good - sites->groups);
	/* A master that was killed has forgotten what it had not saved of its counters. */
	sites->groups = info.cg_good;
	/* In a cascade the master does not know what the sources have answered alone. */
	if (info.sequence && shown_ns && !sites->cascade)
		oracle_require_before(&sites->oracle, shown_ns);
	if (info.sequence > sites->reported)
		sites->reported = info.sequence;
	return 0;
}

/* For people: what keeps it from forming groups. */
static void note_session(struct sites *sites)
{
	struct copy_session_info info;
	int64_t shown_ns;
	unsigned count;

	if (box_session_info(sites_members(sites, &count), SITES_SESSION, &info, &shown_ns))
		return;
	sim_note(sim_world(),
		 "session: %s, %s, waits for '%s', %llu blocks out of sync, last CG %llu, last failure %s of CG %llu",
		 session_state_names[info.state], session_phase_names[info.phase], info.waiting_for,
		 (unsigned long long)info.out_of_sync_blocks, (unsigned long long)info.sequence,
		 cg_failure_names[info.last_failure.reason], (unsigned long long)info.last_failure.sequence);
}

int sites_wait_groups(struct sites *sites, unsigned count, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	unsigned seen = 0;
	int rc = 0;

	/* Without a write there is no group. */
	while (seen < count && !rc && !oracle_is_spent(&sites->oracle)) {
		uint64_t before = sites->reported;

		if (!sites_look(sites) && sites->reported > before)
			seen++;
		if (rt_now_ns() > until_ns) {
			note_session(sites);
			return -ETIMEDOUT;
		}
		rc = faults_mend_all(sites);
		if (!rc)
			rc = rt_sleep_until(rt_now_ns() + 5 * RT_MS);
	}
	return rc;
}

static int count_joined(struct sites *sites, bool *all)
{
	struct copy_session_info info;
	int64_t shown_ns;
	unsigned count;
	struct box *members = sites_members(sites, &count);
	int rc = 0;

	*all = true;
	for (unsigned i = 0; i < count && !rc; i++) {
		rc = box_session_info(&members[i], SITES_SESSION, &info, &shown_ns);
		*all = *all && !rc && info.joined && info.joined == info.volumes;
	}
	return rc;
}

static void note_pair(void *arg, const struct copy_pair_info *info)
{
	(void)arg;
	sim_note(sim_world(), "volume %04X: %s, %s, in session %u, %s, first copy %s, %llu blocks out of sync",
		 info->volume, pair_state_names[info->state], pair_reason_names[info->reason], info->session,
		 info->joined ? "joined" : "not joined", info->first_copy_done ? "done" : "not done",
		 (unsigned long long)info->out_of_sync_blocks);
}

static int note_pairs(void *arg)
{
	struct box *box = arg;

	if (box->ready)
		copy_pair_each(box->copy, note_pair, NULL);
	return 0;
}

int sites_wait_joined(struct sites *sites, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	unsigned count;
	struct box *members = sites_members(sites, &count);
	bool all;
	int rc = count_joined(sites, &all);

	while (!rc && !all) {
		rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
		if (!rc)
			rc = faults_mend_all(sites);
		if (!rc)
			rc = count_joined(sites, &all);
	}
	for (unsigned i = 0; i < count && rc == -ETIMEDOUT; i++)
		(void)!box_call(&members[i], note_pairs, &members[i]);
	/* The one that is reported next may have been closed before. */
	return rc ? rc : sites_wait_groups(sites, 2, limit_ns);
}

void sites_check_holds(struct sites *sites)
{
	for (unsigned i = 0; i < sites->source_count; i++) {
		struct box *box = &sites->sources[i];
		int64_t hold_ns;

		if (!box_longest_hold(box, &hold_ns) &&
		    hold_ns > sites->coordination_ns + HOLD_MORE_NS + box->paused_ns)
			scenario_wrong("%s held an answer for %lld us", box->id, (long long)(hold_ns / RT_US));
	}
}

/* ---- what lies at the far sides ---- */

static int peek(void *arg, unsigned place, uint64_t block, void *data)
{
	unsigned volume;
	struct box *far = sites_far_of(arg, place, &volume);

	return box_peek(far, volume, block, data);
}

static int read_far(void *arg, unsigned place, uint64_t block, void *data)
{
	unsigned volume;
	struct box *far = sites_far_of(arg, place, &volume);

	return box_read(far, volume, block, data);
}

static int read_third(void *arg, unsigned place, uint64_t block, void *data)
{
	struct sites *sites = arg;

	return box_read(&sites->third, place, block, data);
}

const char *sites_take_third(struct sites *sites, struct oracle_image *image)
{
	return oracle_take(&sites->oracle, read_third, sites, image);
}

const char *sites_take_peeking(struct sites *sites, struct oracle_image *image)
{
	return oracle_take(&sites->oracle, peek, sites, image);
}

const char *sites_take_reading(struct sites *sites, struct oracle_image *image)
{
	return oracle_take(&sites->oracle, read_far, sites, image);
}

void sites_judge_reading(struct sites *sites, struct oracle_image *image)
{
	const char *bad = sites_take_reading(sites, image);

	if (!bad)
		bad = oracle_judge(&sites->oracle, image, NULL);
	if (bad)
		scenario_wrong("%s", bad);
}

static const char *compare_with(const struct sites *sites, const struct oracle_place *at, struct box *far,
				unsigned volume)
{
	static char why[160];
	uint8_t ours[XDC_BLOCK_SIZE], theirs[XDC_BLOCK_SIZE];

	for (uint64_t block = 0; block < sites->volume_bytes / XDC_BLOCK_SIZE; block++) {
		if (box_peek(at->box, at->volume, block, ours) || box_peek(far, volume, block, theirs))
			return "a volume cannot be read";
		if (!memcmp(ours, theirs, sizeof(ours)))
			continue;
		snprintf(why, sizeof(why), "block %llu of volume %04X on %s differs from %04X on %s",
			 (unsigned long long)block, at->box->volumes[at->volume], at->box->id, far->volumes[volume],
			 far->id);
		return why;
	}
	return NULL;
}

static const char *compare(struct sites *sites)
{
	const char *bad = NULL;

	for (unsigned place = 0; place < sites->oracle.place_count && !bad; place++) {
		unsigned volume;
		struct box *far = sites_far_of(sites, place, &volume);

		if (sites->outside && place + 1 == sites->oracle.place_count)
			break;
		bad = compare_with(sites, &sites->oracle.places[place], far, volume);
		if (!bad && sites->three)
			bad = compare_with(sites, &sites->oracle.places[place], &sites->third, place);
	}
	return bad;
}

static const char *compare_third(struct sites *sites)
{
	const char *bad = NULL;

	for (unsigned place = 0; place < sites->oracle.place_count && !bad; place++)
		bad = compare_with(sites, &sites->oracle.places[place], &sites->third, place);
	return bad;
}

const char *sites_wait_third(struct sites *sites, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	const char *bad = compare_third(sites);

	while (bad && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS) && !faults_mend_all(sites))
		bad = compare_third(sites);
	return bad;
}

const char *sites_wait_equal(struct sites *sites, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	const char *bad = compare(sites);

	while (bad && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS) && !faults_mend_all(sites))
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
	return rc || !sites->three ? rc : box_stop(&sites->third);
}

int sites_end(struct sites *sites, int64_t limit_ns)
{
	int rc = oracle_stop(&sites->oracle);
	const char *bad = rc ? NULL : sites_wait_equal(sites, limit_ns);

	if (bad)
		scenario_wrong("%s", bad);
	return rc ? rc : sites_stop(sites);
}
