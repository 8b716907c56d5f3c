/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups older than the last one.
 *
 * Goal: whatever point the far sides list shows exactly what its group showed, once they are recovered to it, and the
 * old site, which had newer groups, is equal after failback. Keeping points never holds groups up. Method: hosts write,
 * far sides crash at any moment, also while they apply; journals are large or small, limits by time, by size or none;
 * for each group the oracle notes which events it must and may show. Then the source site is lost, and in branches
 * several of the points that are listed are gone back to, by sequence or by time, cut off by crashes and repeated.
 * Before that now and then a copy is made of one, while groups go on.
 */
#include <errno.h>
#include <string.h>

#include "copy/pair.h"
#include "faults.h"
#include "recover.h"
#include "rt/mem.h"
#include "scenarios.h"

#define SEEN_MAX	4000u
#define TRIES		3u			/* points of a run */
#define CRASHES_MAX	6u
#define NOT_OF_ORACLE	100u			/* a block */

/* A group that the master has reported: what every image of it shows, and what none does. */
struct seen {
	uint64_t sequence;
	uint32_t least[ORACLE_CHAINS], most[ORACLE_CHAINS];
};

struct watch {
	struct sites *sites;
	unsigned count;
	struct seen seen[SEEN_MAX];
	unsigned crashes;
	uint64_t crashed_at[CRASHES_MAX];	/* the last group that was reported then */
	uint64_t last_without, first_with;	/* the volume that came later; 0: none did */
	bool stop;
};

static void note_seen(struct watch *watch, uint64_t sequence)
{
	struct seen *seen = &watch->seen[watch->count];

	if (watch->count == SEEN_MAX || (watch->count && seen[-1].sequence >= sequence))
		return;
	seen->sequence = sequence;
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		seen->least[c] = watch->sites->oracle.chains[c].required;
		seen->most[c] = watch->sites->oracle.chains[c].issued;
	}
	watch->count++;
}

static void watch_groups(void *arg)
{
	struct watch *watch = arg;

	while (!watch->stop && rt_sleep_until(rt_now_ns() + 3 * RT_MS) != -ECANCELED) {
		if (!sites_look(watch->sites))
			note_seen(watch, watch->sites->reported);
	}
}

/* Of a group that came and went between two looks the ones beside it say what it may show. */
static void find_bounds(const struct watch *watch, uint64_t sequence, struct seen *bounds)
{
	*bounds = (struct seen){ .sequence = sequence };
	memset(bounds->most, 0xff, sizeof(bounds->most));
	for (unsigned i = 0; i < watch->count; i++) {
		const struct seen *seen = &watch->seen[i];

		if (seen->sequence <= sequence)
			memcpy(bounds->least, seen->least, sizeof(bounds->least));
		if (seen->sequence < sequence)
			continue;
		memcpy(bounds->most, seen->most, sizeof(bounds->most));
		break;
	}
}

/* ---- the points ---- */

struct listing {
	struct box *box;
	struct copy_point *points;
	int count;
	struct fault fault;
};

static int list_points(void *arg)
{
	struct listing *listing = arg;

	if (!listing->box->ready)
		return -ECONNABORTED;
	listing->count = copy_session_points(listing->box->copy, SITES_SESSION, UINT64_MAX, listing->points,
					     &listing->fault);
	return listing->count < 0 ? -1 : 0;
}

static int find_points(struct sites *sites, struct listing *listing)
{
	unsigned tries = 0;
	int rc;

	listing->box = &sites->fars[sim_random_below(sim_world(), sites->far_count)];
	do {
		rc = faults_mend_all(sites);
		if (!rc)
			rc = box_call(listing->box, list_points, listing);
	} while (rc && scenario_try_again(&tries));
	/* One that was down may not have heard yet that the only group that the other keeps exists. */
	for (unsigned looks = 0; !rc && listing->count < 1 && looks < 100; looks++) {
		rc = rt_sleep_until(rt_now_ns() + 10 * RT_MS);
		if (!rc)
			rc = box_call(listing->box, list_points, listing);
	}
	if (rc)
		sim_fail(sim_world(), "points: %s: %s", listing->fault.object, listing->fault.message);
	if (!rc && listing->count < 1)
		sim_fail(sim_world(), "no point is listed");
	return rc;
}

/* bad: why there is no image. */
static void judge(struct sites *sites, const struct seen *bounds, const struct oracle_image *image, const char *bad)
{
	uint32_t position[ORACLE_CHAINS], required[ORACLE_CHAINS];

	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		required[c] = sites->oracle.chains[c].required;
		sites->oracle.chains[c].required = bounds->least[c];
	}
	if (!bad)
		bad = oracle_judge(&sites->oracle, image, position);
	for (unsigned c = 0; c < ORACLE_CHAINS; c++)
		sites->oracle.chains[c].required = required[c];
	if (bad) {
		scenario_wrong("CG %llu: %s", (unsigned long long)bounds->sequence, bad);
		return;
	}
	for (unsigned c = 0; c < ORACLE_CHAINS; c++) {
		if (position[c] > bounds->most[c])
			scenario_wrong("CG %llu shows event %u of chain %u, which came after %u",
				       (unsigned long long)bounds->sequence, position[c], c, bounds->most[c]);
	}
}

/* Any; or one of those about a crash, which may have met the groups that came next while they were applied. */
static const struct copy_point *choose_point(const struct watch *watch, const struct listing *listing)
{
	int index = 0, last = listing->count - 1;
	uint64_t crashed_at;

	if (!watch->crashes || sim_random_below(sim_world(), 2))
		return &listing->points[sim_random_below(sim_world(), (uint64_t)listing->count)];
	crashed_at = watch->crashed_at[sim_random_below(sim_world(), watch->crashes)];
	while (index < last && listing->points[index].sequence > crashed_at)
		index++;
	index += (int)sim_random_below(sim_world(), 5);
	return &listing->points[index < last ? index : last];
}

/* ---- a volume that comes to the session when there are groups already ---- */

static unsigned latecomer(const struct sites *sites)
{
	return sites->oracle.place_count - 1;
}

/* The groups about the command may have it or not. */
static int let_join(struct sites *sites, struct watch *watch)
{
	struct box *box = sites->oracle.places[latecomer(sites)].box;
	unsigned tries = 0;
	int rc = sites_look(sites);

	watch->last_without = sites->reported;
	while (!rc && box_session_add(box, SITES_SESSION))
		rc = scenario_try_again(&tries) ? faults_mend_all(sites) : -ETIMEDOUT;
	if (!rc)
		rc = sites_wait_joined(sites, 30 * RT_SECOND);
	watch->first_with = sites->reported;
	scenario_count("volumes that came later", 1);
	if (rc)
		sim_fail(sim_world(), "a volume does not join: %d", rc);
	return rc;
}

/* Of a group from before it there is nothing of it: it is left out, and closed to hosts. */
static void judge_latecomer(struct sites *sites, const struct watch *watch, uint64_t sequence, unsigned outside)
{
	unsigned volume;
	struct box *far = sites_far_of(sites, latecomer(sites), &volume);
	bool may_be_out = sites->late && sequence < watch->first_with;

	if (outside > may_be_out || (sites->late && sequence <= watch->last_without && !outside))
		scenario_wrong("CG %llu has %u volumes outside; the later one came between CG %llu and %llu",
			       (unsigned long long)sequence, outside, (unsigned long long)watch->last_without,
			       (unsigned long long)watch->first_with);
	if (box_lets_write(far, volume) == !!outside)
		scenario_wrong("a volume %s CG %llu is %s to hosts", outside ? "outside" : "in",
			       (unsigned long long)sequence, outside ? "open" : "closed");
	sites->oracle.places[latecomer(sites)].ignored = outside;
	sites->outside = outside;
	scenario_count("points from before a volume came", outside);
}

/* In a branch: back to this point, and home. */
static int go_back(struct sites *sites, const struct watch *watch, const struct listing *listing)
{
	const struct copy_point *point = choose_point(watch, listing);
	bool by_time = sim_random_below(sim_world(), 3) == 0;
	struct recovery_at at = { .sequence = by_time ? 0 : point->sequence, .wall_ns = point->cg_wall_ns };
	struct recovery_at newest = { .sequence = listing->points[0].sequence };
	struct oracle_image image;
	struct seen bounds;
	uint64_t sequence;
	unsigned outside;
	const char *bad;
	int rc = recover_sites(sites, &at, &sequence, &outside);

	if (rc)
		return rc;
	/* Of several within a millisecond the last one. */
	if (sequence != point->sequence && !(by_time && sequence > point->sequence))
		scenario_wrong("recovered to CG %llu instead of %llu", (unsigned long long)sequence,
			       (unsigned long long)point->sequence);
	scenario_count(by_time ? "points chosen by time" : "points chosen by sequence", 1);
	if (sequence < newest.sequence)
		scenario_count("points older than the last group", 1);
	if (sequence != newest.sequence && !recover_is_refused(sites, &newest))
		scenario_wrong("a second recovery goes to another group");
	find_bounds(watch, sequence, &bounds);
	judge_latecomer(sites, watch, sequence, outside);
	bad = sites_take_reading(sites, &image);
	judge(sites, &bounds, &image, bad);
	sites->oracle.places[latecomer(sites)].ignored = false;
	return sim_random_below(sim_world(), 2) ? recover_go_home(sites) : 0;
}

/* ---- a copy of one, while groups go on ---- */

struct copying {
	struct sites *sites;
	struct recovery_at at;
	struct rt_group group;
	int rc;
};

static void run_practice(void *arg)
{
	struct copying *copying = arg;
	struct sites *sites = copying->sites;

	copying->rc = box_session_practice(&sites->fars[sim_random_below(sim_world(), sites->far_count)], SITES_SESSION,
					   &copying->at);
}

/* A far side may crash in the middle of it. */
static int make_copy(struct copying *copying, bool cut_off)
{
	struct sites *sites = copying->sites;
	struct box *victim = &sites->fars[sim_random_below(sim_world(), sites->far_count)];
	int rc;

	rt_group_init(&copying->group);
	rc = rt_group_start(&copying->group, "practice", run_practice, copying);
	if (!rc && cut_off) {
		rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 200) * RT_MS);
		faults_crash(sites, victim, sim_random_below(sim_world(), 2) ? SIM_POWER_LOSS : SIM_DEATH);
		scenario_count("copies cut off", 1);
	}
	if (!rc)
		rc = rt_group_wait(&copying->group);
	rt_group_stop(&copying->group);
	if (!rc)
		rc = faults_bring_up(sites, victim);
	return rc ? rc : faults_mend_all(sites);
}

static int read_copy(void *arg, unsigned place, uint64_t block, void *data)
{
	unsigned volume;
	struct box *far = sites_far_of(arg, place, &volume);

	return box_read(far, box_practice_of(volume), block, data);
}

static bool is_listed(const struct listing *listing, uint64_t sequence)
{
	for (int i = 0; i < listing->count; i++) {
		if (listing->points[i].sequence == sequence)
			return true;
	}
	return false;
}

static int judge_copy(struct sites *sites, const struct watch *watch, uint64_t sequence)
{
	struct oracle_place *latest = &sites->oracle.places[latecomer(sites)];
	struct oracle_image image;
	struct seen bounds;
	const char *bad;
	int rc = 0;

	latest->ignored = sites->late && sequence <= watch->last_without;
	bad = oracle_take(&sites->oracle, read_copy, sites, &image);

	for (unsigned tries = 0; bad && tries < 200 && !rc; tries++) {
		rc = rt_sleep_until(rt_now_ns() + 10 * RT_MS);
		bad = oracle_take(&sites->oracle, read_copy, sites, &image);
	}
	find_bounds(watch, sequence, &bounds);
	judge(sites, &bounds, &image, bad);
	latest->ignored = false;
	scenario_count("copies of older groups", 1);
	return rc;
}

/* Unless it is not kept any more. */
static int practise_at(struct sites *sites, const struct watch *watch, struct listing *listing)
{
	struct copying copying = { .sites = sites, .rc = -1 };
	const struct copy_point *point;
	int rc = find_points(sites, listing);

	if (rc)
		return rc;
	point = choose_point(watch, listing);
	if (point->sequence > watch->last_without && point->sequence < watch->first_with)
		return 0;
	copying.at = (struct recovery_at){ .sequence = point->sequence };
	for (unsigned tries = 0; tries < 20 && !rc && copying.rc; tries++) {
		rc = make_copy(&copying, tries == 0 && sim_random_below(sim_world(), 2));
		if (!rc && copying.rc)
			rc = find_points(sites, listing);
		if (!rc && copying.rc && !is_listed(listing, copying.at.sequence))
			return 0;
	}
	if (rc)
		return rc;
	if (copying.rc)
		sim_fail(sim_world(), "no copy is made of CG %llu", (unsigned long long)copying.at.sequence);
	return judge_copy(sites, watch, copying.at.sequence);
}

/* ---- before that ---- */

static void choose_limits(struct sites *sites)
{
	uint64_t roll = sim_random_below(sim_world(), 4);

	/* Small, but what hosts change while nothing is sent fits in. */
	sites->journal_bytes = UINT64_C(32) << (20 + sim_random_below(sim_world(), 2));
	if (roll != 1)
		sites->keep_ns = roll ? 24 * 3600 * RT_SECOND
				      : (int64_t)(1 + sim_random_below(sim_world(), 3)) * RT_SECOND;
	if (roll == 1 || roll == 2)
		sites->keep_bytes = UINT64_C(4) << (20 + sim_random_below(sim_world(), 3));
}

static int crash_fars(struct sites *sites, struct watch *watch)
{
	unsigned crashes = (unsigned)sim_random_below(sim_world(), CRASHES_MAX);
	int rc = 0;

	while (watch->crashes < crashes && !rc) {
		struct box *far = &sites->fars[sim_random_below(sim_world(), sites->far_count)];
		enum sim_crash how = sim_random_below(sim_world(), 3) ? SIM_POWER_LOSS : SIM_DEATH;

		rc = rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 800) * RT_MS);
		if (!rc && sim_random_below(sim_world(), 2))
			rc = faults_crash_within(sites, far, how);
		else if (!rc)
			faults_crash(sites, far, how);
		watch->crashed_at[watch->crashes++] = sites->reported;
		scenario_count("far sides crashed", 1);
		if (!rc)
			rc = faults_bring_up(sites, far);
	}
	return rc;
}

static int work(struct sites *sites, struct watch *watch)
{
	int rc = crash_fars(sites, watch);

	if (!rc && sites->late)
		rc = let_join(sites, watch);
	if (!rc)
		rc = sites_wait_groups(sites, 5 + (unsigned)sim_random_below(sim_world(), 20), 30 * RT_SECOND);
	if (rc == -ETIMEDOUT)
		sim_fail(sim_world(), "no more groups");
	return rc ? rc : rt_sleep_until(rt_now_ns() + (int64_t)sim_random_below(sim_world(), 30000) * RT_US);
}

static int clean(void *arg)
{
	struct box *box = arg;

	if (!box->ready)
		return -ECONNABORTED;
	(void)pair_clean_all(box->copy);
	return 0;
}

/*
 * Hosts are quiet until the last group has all, and the dirty logs have forgotten it: what is noted at the far sides
 * alone says then that the old site has something else.
 */
static int go_quiet(struct sites *sites)
{
	const uint8_t data[XDC_BLOCK_SIZE] = { 0 };
	int rc = oracle_stop(&sites->oracle);

	if (!rc)
		rc = rt_sleep_until(rt_now_ns() + 2 * RT_SECOND);
	for (unsigned i = 0; i < sites->source_count && !rc; i++)
		rc = box_call(&sites->sources[i], clean, &sites->sources[i]);
	/* On disk that is with the next region that is noted. */
	for (unsigned i = 0; i < sites->source_count * SITES_VOLUMES && !rc; i++)
		rc = box_write(&sites->sources[i / SITES_VOLUMES], i % SITES_VOLUMES, NOT_OF_ORACLE, data, 0);
	scenario_count("lost while all was quiet", 1);
	return rc ? rc : rt_sleep_until(rt_now_ns() + RT_SECOND);
}

static int live_watched(struct sites *sites, struct watch *watch)
{
	MEM_OWNED struct copy_point *points = mem_alloc(COPY_POINTS_MAX * sizeof(points[0]));
	struct listing listing = { .points = points };
	bool applied = sim_random_below(sim_world(), 2);
	int rc = points ? work(sites, watch) : -ENOMEM;

	if (!rc && sim_random_below(sim_world(), 2))
		rc = practise_at(sites, watch, &listing);
	if (!rc && sim_random_below(sim_world(), 2))
		rc = go_quiet(sites);
	watch->stop = true;
	if (rc)
		return rc;
	recover_lose_sources(sites);
	oracle_end(&sites->oracle);
	rc = applied ? rt_sleep_until(rt_now_ns() + 3 * RT_SECOND) : 0;
	if (!rc)
		rc = find_points(sites, &listing);
	/* With the last pass the oldest may go. */
	if (!applied)
		listing.count = (listing.count + 1) / 2;
	scenario_count("points", (uint64_t)listing.count);
	for (unsigned i = 0; i < TRIES && !rc; i++) {
		if (scenario_branch())
			return go_back(sites, watch, &listing);
	}
	return rc;
}

static int live(struct sites *sites)
{
	MEM_OWNED struct watch *watch = mem_alloc_zeroed(sizeof(*watch));
	struct rt_group group;
	int rc;

	if (!watch)
		return -ENOMEM;
	watch->sites = sites;
	choose_limits(sites);
	sites->late = sim_random_below(sim_world(), 2);
	rc = sites_build(sites, 2, 2, CACHE_WRITEBACK, PAIR_ASYNC);
	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	rt_group_init(&group);
	if (!rc)
		rc = rt_group_start(&group, "watch", watch_groups, watch);
	if (!rc)
		rc = live_watched(sites, watch);
	watch->stop = true;
	rt_group_stop(&group);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = { "host writes", "groups", "points", "recoveries", NULL };

static const char *const rarely_happens[] = {
	"points chosen by time", "points chosen by sequence", "points older than the last group", "far sides crashed",
	"recoveries cut off", "returns", "lost while all was quiet", "copies of older groups", "copies cut off",
	"volumes that came later", "points from before a volume came", NULL
};

const struct scenario scenario_points = {
	.name = "points",
	.about = "groups that are kept can be gone back to, exactly, and the old site follows",
	.until_ns = 400 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
