/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both sides are compared while hosts write.
 *
 * Goal: a verify finds every difference, and nothing else; with repair both sides are the same afterwards. Method:
 * blocks that no host writes are changed behind the back of the systems, in the files of targets and of sources, most
 * on one side alone, some on both alike; hosts write to blocks beside them all the time. All volumes are compared at
 * once, while ways are cut and far sides die or lose power. A source that dies takes its verify with it, and compares
 * by itself what hosts had just written: then what is found afterwards is no more than what was planted.
 */
#include <errno.h>
#include <string.h>

#include "faults.h"
#include "rt/bytes.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "store/vdisk.h"

#define ROUNDS		3u
#define PLANTS_MAX	24u
#define HOST_BLOCKS	310u		/* of 1100: those that a chain of the oracle may touch */
#define CHAIN_BLOCKS	1100u
#define BLOCKS_MAX	6000u		/* of a volume */

/* One volume and what was planted in it. */
struct subject {
	struct sites *sites;
	unsigned place;
	bool repair, fewer;		/* of what is asked for now; some of what was planted may be gone */
	unsigned plant_count;
	uint64_t plants[PLANTS_MAX];	/* blocks */
	uint64_t last_content;
	bool used[BLOCKS_MAX];		/* blocks: changed before; what repaired them may still have to be applied */
	struct copy_verify_info found;
	uint16_t id;
	int rc;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

/* ---- planting ---- */

static bool is_planted(const struct subject *subject, uint64_t block)
{
	for (unsigned i = 0; i < subject->plant_count; i++) {
		if (subject->plants[i] == block)
			return true;
	}
	return false;
}

/* No host writes it. The end of the volume and the neighbours of hosts are as likely as all the rest. */
static uint64_t choose_block(const struct subject *subject)
{
	uint64_t blocks = subject->sites->volume_bytes / XDC_BLOCK_SIZE, block;

	do {
		switch (below(3)) {
		case 0:
			block = blocks - 1 - below(8);
			break;
		case 1:
			block = below(ORACLE_CHAINS) * CHAIN_BLOCKS + HOST_BLOCKS + below(12);
			break;
		default:
			block = below(blocks);
		}
	} while (block < ORACLE_CHAINS * CHAIN_BLOCKS && block % CHAIN_BLOCKS < HOST_BLOCKS);
	return block;
}

static int plant_at(struct subject *subject, uint64_t block)
{
	const struct oracle_place *place = &subject->sites->oracle.places[subject->place];
	uint8_t data[XDC_BLOCK_SIZE] = { 0 };
	uint64_t kind = below(8);
	unsigned volume;
	struct box *far = sites_far_of(subject->sites, subject->place, &volume);
	int rc = 0;

	/* Zeros where there was a hole are no difference; some bytes are, which no block held before. */
	if (kind < 4)
		memset(data, (int)below(256), sizeof(data));
	if (kind < 7)
		put_le64(data + below(sizeof(data) / 8) * 8, ++subject->last_content);
	if (kind == 7 || below(4) == 0) {
		scenario_count("blocks changed on both sides", 1);
		rc = box_poke(place->box, place->volume, block, data);
		return rc ? rc : box_poke(far, volume, block, data);
	}
	subject->plants[subject->plant_count++] = block;
	scenario_count("differences planted", 1);
	return below(3) ? box_poke(far, volume, block, data) : box_poke(place->box, place->volume, block, data);
}

static int plant(struct subject *subject)
{
	unsigned more = (unsigned)below(PLANTS_MAX + 1 - subject->plant_count);
	int rc = 0;

	for (unsigned i = 0; i < more && !rc; i++) {
		uint64_t block = choose_block(subject);

		if (!subject->used[block])
			rc = plant_at(subject, block);
		subject->used[block] = true;
	}
	return rc;
}

/* ---- comparing ---- */

static void take_findings(void *arg, const struct copy_pair_info *info)
{
	struct subject *subject = arg;

	if (info->volume == subject->id)
		subject->found = info->verify;
}

static int do_verify(void *arg)
{
	struct subject *subject = arg;
	struct box *box = subject->sites->oracle.places[subject->place].box;
	struct copy_verify_request request = { .repair = subject->repair, .rate_bytes = below(3) ? 0 : 32u << 20 };
	const struct copy_pair_name pair = { .volume = subject->id };
	struct fault fault = { 0 };
	int rc = box->ready ? copy_pair_may_verify(box->copy, &pair, &fault) : -ECONNABORTED;

	/* A synchronous pair that a break of the link has suspended is taken up again soon. */
	if (rc == -1)
		return -EAGAIN;
	if (!rc)
		rc = copy_pair_verify(box->copy, &pair, &request, &fault);
	if (rc == -1)
		log_line(LOG_WARNING, "scenario", "%s: %s", fault.object, fault.message);
	if (!rc)
		copy_pair_each(box->copy, take_findings, subject);
	return rc;
}

static void verify_volume(void *arg)
{
	struct subject *subject = arg;
	const struct oracle_place *place = &subject->sites->oracle.places[subject->place];
	int64_t until_ns = rt_now_ns() + 60 * RT_SECOND;

	subject->id = place->box->volumes[place->volume];
	do {
		subject->rc = box_call(place->box, do_verify, subject);
	} while (subject->rc == -EAGAIN && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS));
}

/* ---- all at once, by the master ---- */

struct session_order {
	struct sites *sites;
	bool repair;
	bool cut;			/* one did not come to its end: it may have repaired something */
	int rc;
};

static int do_verify_session(void *arg)
{
	struct session_order *order = arg;
	struct box *box = &order->sites->sources[0];
	struct copy_verify_request request = { .repair = order->repair };
	struct copy_verify_progress progress = { 0 };
	struct session_verify *verify;
	struct fault fault = { 0 };
	int rc;

	if (!box->ready)
		return -ECONNABORTED;
	/* Others may have begun before one refused. */
	if (copy_session_verify_begin(box->copy, SITES_SESSION, &request, &verify, &fault)) {
		order->cut = true;
		return -EAGAIN;
	}
	rc = copy_session_verify_wait(verify, &progress, &fault);
	copy_session_verify_end(verify);
	if (rc)
		log_line(LOG_WARNING, "scenario", "%s: %s", fault.object, fault.message);
	if (!rc && progress.done_bytes != progress.total_bytes)
		scenario_wrong("a comparison has ended at %llu of %llu bytes", (unsigned long long)progress.done_bytes,
			       (unsigned long long)progress.total_bytes);
	/* That something differs is what was asked for. */
	if (rc && !order->repair && strstr(fault.message, "differ at its far side"))
		return 0;
	order->cut = order->cut || rc;
	return rc && strstr(fault.message, "is not connected") ? -EAGAIN : rc;
}

struct findings_order {
	struct subject *subject;
	struct box *box;
};

static int do_take_findings(void *arg)
{
	struct findings_order *order = arg;

	order->subject->found = (struct copy_verify_info){ 0 };
	if (order->box->ready)
		copy_pair_each(order->box->copy, take_findings, order->subject);
	return 0;
}

static void verify_session(void *arg)
{
	struct session_order *order = arg;
	struct box *box = &order->sites->sources[0];
	int64_t until_ns = rt_now_ns() + 60 * RT_SECOND;

	do {
		order->rc = box_call(box, do_verify_session, order);
	} while (order->rc == -EAGAIN && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS));
	scenario_count("sessions verified", 1);
}

/* Of one that is not through nothing is known. */
static int take_all_findings(struct sites *sites, struct subject *subjects, const struct session_order *done)
{
	int rc = 0;

	for (unsigned i = 0; i < sites->oracle.place_count && !rc; i++) {
		const struct oracle_place *place = &sites->oracle.places[i];
		struct findings_order order = { .subject = &subjects[i], .box = place->box };

		subjects[i].id = place->box->volumes[place->volume];
		rc = box_call(place->box, do_take_findings, &order);
		subjects[i].fewer = subjects[i].fewer || done->cut;
		subjects[i].rc = done->rc ? done->rc : subjects[i].found.state == VERIFY_DONE ? 0 : -EIO;
	}
	return rc;
}

/* ---- what was found ---- */

static void check_ranges(const struct subject *subject)
{
	const struct copy_verify_info *found = &subject->found;
	uint64_t blocks = 0;

	for (unsigned i = 0; i < found->range_count; i++) {
		for (uint64_t at = 0; at < found->ranges[i].bytes; at += XDC_BLOCK_SIZE, blocks++) {
			uint64_t block = (found->ranges[i].offset + at) / XDC_BLOCK_SIZE;

			if (!is_planted(subject, block))
				scenario_wrong("block %llu of volume %04X was said to differ, and did not",
					       (unsigned long long)block, subject->id);
		}
	}
	if (found->range_count < COPY_VERIFY_RANGES && blocks != found->differing_blocks)
		scenario_wrong("%llu blocks in the ranges of volume %04X, of %llu that differ",
			       (unsigned long long)blocks, subject->id, (unsigned long long)found->differing_blocks);
}

/* For people. */
static void note_missing(const struct subject *subject)
{
	const struct copy_verify_info *found = &subject->found;

	for (unsigned i = 0; i < subject->plant_count; i++) {
		uint64_t offset = subject->plants[i] * XDC_BLOCK_SIZE;
		bool listed = false;

		for (unsigned j = 0; j < found->range_count; j++)
			listed = listed || offset - found->ranges[j].offset < found->ranges[j].bytes;
		if (!listed)
			sim_note(sim_world(), "volume %04X: block %llu is not listed", subject->id,
				 (unsigned long long)subject->plants[i]);
	}
}

/* source_died: what it compares by itself since then may be more than what was planted so far. */
static void check_findings(struct subject *subject, bool source_died)
{
	const struct copy_verify_info *found = &subject->found;

	if (found->differing_blocks > subject->plant_count ||
	    (!subject->fewer && found->differing_blocks < subject->plant_count)) {
		note_missing(subject);
		scenario_wrong("%llu differences were found in volume %04X, %u were planted",
			       (unsigned long long)found->differing_blocks, subject->id, subject->plant_count);
	}
	check_ranges(subject);
	if (found->open_blocks || (subject->repair && found->repaired_blocks != found->differing_blocks))
		scenario_wrong("volume %04X: %llu blocks were left open, %llu of %llu repaired", subject->id,
			       (unsigned long long)found->open_blocks, (unsigned long long)found->repaired_blocks,
			       (unsigned long long)found->differing_blocks);
	scenario_count("differences found", found->differing_blocks);
	scenario_count("volumes verified", 1);
	if (!subject->repair)
		return;
	scenario_count("differences repaired", found->repaired_blocks);
	subject->plant_count = 0;
	subject->fewer = source_died;
}

/* ---- what comes in between ---- */

static int crash_and_boot(struct sites *sites, struct box *box, enum sim_crash how)
{
	int rc;

	faults_crash(sites, box, how);
	rc = rt_sleep_until(rt_now_ns() + (int64_t)below(3000) * RT_MS);
	return rc ? rc : faults_bring_up(sites, box);
}

/* True: a source went. */
static int disturb(struct sites *sites, bool *source_died)
{
	struct box *far = &sites->fars[below(sites->far_count)], *source = &sites->sources[below(sites->source_count)];
	int rc = rt_sleep_until(rt_now_ns() + (int64_t)below(150000) * RT_US);

	if (rc)
		return rc;
	switch (below(6)) {
	case 0:
		sim_cut(source->system, far->system);
		scenario_count("ways cut", 1);
		rc = rt_sleep_until(rt_now_ns() + (int64_t)below(8000) * RT_MS);
		sim_heal(source->system, far->system);
		return rc;
	case 1:
		sim_break(source->system, far->system);
		scenario_count("connections broken", 1);
		return 0;
	case 2:
		scenario_count("far sides dead", 1);
		return crash_and_boot(sites, far, SIM_DEATH);
	case 3:
		scenario_count("far sides without power", 1);
		return crash_and_boot(sites, far, SIM_POWER_LOSS);
	case 4:
		scenario_count("sources dead", 1);
		*source_died = true;
		return crash_and_boot(sites, source, SIM_DEATH);
	default:
		return 0;
	}
}

/* ---- a run ---- */

struct all {
	struct sites *sites;
	bool has_session;
	bool cut_short;			/* some did not come to their end */
	struct subject subjects[ORACLE_PLACES_MAX];
	bool doubted;			/* a source has died: a far side that starts anew is compared with it again */
};

/* A disk that failed gets its administrator: its system is started again. */
static int wait_all(struct sites *sites, struct rt_group *group)
{
	int rc;

	do {
		RT_LIMIT(rt_now_ns() + RT_SECOND);

		rc = rt_group_wait(group);
	} while (rc == -ETIMEDOUT && !faults_mend_all(sites));
	return rc;
}

static bool any_mended(struct sites *sites)
{
	bool any = false;

	for (unsigned i = 0; i < sites_box_count(sites); i++) {
		any = any || sites_box(sites, i)->mended;
		sites_box(sites, i)->mended = false;
	}
	return any;
}

static unsigned count_far_boots(const struct sites *sites)
{
	unsigned boots = 0;

	for (unsigned i = 0; i < sites->far_count; i++)
		boots += sites->fars[i].boots;
	return boots;
}

static int verify_all(struct all *all, bool repair, bool disturbed)
{
	unsigned count = all->sites->oracle.place_count;
	struct session_order session = { .sites = all->sites, .repair = repair };
	bool by_session = all->has_session && below(2), source_died = false;
	unsigned boots = count_far_boots(all->sites);
	struct rt_group group;
	int rc = 0;

	rt_group_init(&group);
	for (unsigned i = 0; i < count && !rc; i++) {
		all->subjects[i].repair = repair;
		if (!by_session)
			rc = rt_group_start(&group, "verify", verify_volume, &all->subjects[i]);
	}
	if (!rc && by_session)
		rc = rt_group_start(&group, "verify", verify_session, &session);
	if (!rc && disturbed)
		rc = disturb(all->sites, &source_died);
	if (!rc)
		rc = wait_all(all->sites, &group);
	rt_group_stop(&group);
	if (!rc && by_session)
		rc = take_all_findings(all->sites, all->subjects, &session);
	source_died = any_mended(all->sites) || source_died;
	all->doubted = all->doubted || source_died;
	all->cut_short = false;
	for (unsigned i = 0; i < count && !rc; i++) {
		all->cut_short = all->cut_short || all->subjects[i].rc;
		all->subjects[i].fewer = all->subjects[i].fewer || source_died ||
					 (all->doubted && count_far_boots(all->sites) != boots);
		if (!all->subjects[i].rc)
			check_findings(&all->subjects[i], source_died);
		else if (!source_died)
			rc = all->subjects[i].rc;
	}
	return rc;
}

static int run_round(struct all *all)
{
	int rc = 0;

	for (unsigned i = 0; i < all->sites->oracle.place_count && !rc; i++)
		rc = plant(&all->subjects[i]);
	if (!rc && below(2))
		rc = verify_all(all, false, true);
	if (!rc)
		rc = verify_all(all, true, true);
	/* Once more, for those whose source died: it has compared what it was in doubt about when that ends. */
	do {
		if (!rc)
			rc = verify_all(all, true, false);
	} while (!rc && all->cut_short);
	return rc;
}

static void add_copied(void *arg, const struct copy_pair_info *info)
{
	unsigned *copied = arg;

	*copied += info->first_copy_done;
}

struct count_order {
	struct box *box;
	unsigned copied;
};

static int count_copied(void *arg)
{
	struct count_order *order = arg;

	order->copied = 0;
	copy_pair_each(order->box->copy, add_copied, &order->copied);
	return 0;
}

static int wait_copied(struct sites *sites)
{
	int64_t until_ns = rt_now_ns() + 60 * RT_SECOND;
	int rc = 0;

	for (unsigned i = 0; i < sites->source_count && !rc; i++) {
		struct count_order order = { .box = &sites->sources[i] };

		while (!rc && order.copied < SITES_VOLUMES) {
			rc = rt_now_ns() > until_ns ? -ETIMEDOUT : rt_sleep_until(rt_now_ns() + 5 * RT_MS);
			if (!rc)
				rc = box_call(order.box, count_copied, &order);
		}
	}
	return rc;
}

static int end_well(struct all *all)
{
	struct sites *sites = all->sites;
	const char *bad;
	int rc = oracle_stop(&sites->oracle);

	bad = rc ? NULL : sites_wait_equal(sites, 60 * RT_SECOND);
	if (bad)
		scenario_wrong("%s", bad);
	if (!rc)
		rc = verify_all(all, false, false);
	return rc ? rc : sites_stop(sites);
}

static int live_through(struct all *all, struct sites *sites)
{
	static const enum pair_type types[] = { PAIR_ASYNC, PAIR_ASYNC, PAIR_GLOBAL_COPY, PAIR_SYNC };
	enum pair_type type = types[below(4)];
	int rc;

	all->sites = sites;
	all->has_session = type == PAIR_ASYNC;
	sites->volume_bytes = (20u << 20) + below(16) * XDC_BLOCK_SIZE;
	rc = sites_build(sites, 1 + (unsigned)below(2), 1, below(2) ? CACHE_WRITEBACK : CACHE_DIRECT, type);
	if (!rc)
		rc = type == PAIR_ASYNC ? sites_wait_joined(sites, 20 * RT_SECOND) : wait_copied(sites);
	scenario_settled();
	for (unsigned i = 0; i < sites->oracle.place_count; i++) {
		all->subjects[i].sites = sites;
		all->subjects[i].place = i;
	}
	for (unsigned i = 0; i < ROUNDS && !rc; i++)
		rc = run_round(all);
	return rc ? rc : end_well(all);
}

static int live(struct sites *sites)
{
	struct all *all = mem_alloc_zeroed(sizeof(*all));
	int rc = all ? live_through(all, sites) : -ENOMEM;

	mem_free(all);
	return rc;
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live);
}

static const char *const must_happen[] = {
	"host writes", "differences planted", "differences found", "differences repaired", NULL
};

static const char *const rarely_happens[] = {
	"groups", "sessions verified", "blocks changed on both sides", "ways cut", "connections broken",
	"far sides dead", "far sides without power", "sources dead", NULL
};

const struct scenario scenario_verify = {
	.name = "verify",
	.about = "a verify finds what differs and nothing else while hosts write, and repairs it",
	.until_ns = 600 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
