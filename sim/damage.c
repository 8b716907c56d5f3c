/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is damaged or fails for good, and how an administrator mends it.
 *
 * Goal: a far side whose journal is damaged or gone starts and serves everything else; its groups are refused; recovery
 * never shows an image that lacks what a reported group had, and what is given up by name is copied anew. A disk that
 * fails to keep writes, at either side, keeps groups away until that is accepted, and then nothing is missing. Method:
 * under load one such thing happens to one far side or source; it is looked at, and mended as documented; then groups
 * go on, both sides become equal, and the source site is lost and recovered.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"
#include "rt/file.h"
#include "rt/mem.h"
#include "scenarios.h"
#include "volume/volume.h"

#define JOURNALS	"state/journals"
#define SEGMENTS_MAX	64u

struct damage {
	struct sites *sites;
	struct box *far;			/* whose journal, or volume, it is */
	unsigned source;			/* the journal is that of this source */
	bool removed;				/* its volumes, from the session */
	unsigned deleted, made;			/* of their pairs */
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static int wait_ms(uint64_t ms)
{
	return rt_sleep_until(rt_now_ns() + (int64_t)ms * RT_MS);
}

/* ---- the files of a journal ---- */

struct files {
	struct damage *damage;
	unsigned count;
	bool gone;				/* all of them, or one */
	char paths[SEGMENTS_MAX][64];
};

static int note_file(void *arg, const char *name)
{
	struct files *files = arg;
	char begin[40];

	snprintf(begin, sizeof(begin), "%u-%s-", SITES_SESSION,
		 files->damage->sites->sources[files->damage->source].id);
	if (!strncmp(name, begin, strlen(begin)) && files->count < SEGMENTS_MAX)
		snprintf(files->paths[files->count++], sizeof(files->paths[0]), JOURNALS "/%s", name);
	return 0;
}

static int list_files(struct files *files)
{
	return rt_path_list(JOURNALS, note_file, files);
}

/* Runs in the far side, whose journal has the file open and does not notice. */
static int remove_files(void *arg)
{
	struct files *files = arg;
	unsigned first, end;
	int rc = list_files(files);

	if (rc || !files->count)
		return rc ? rc : -ENOENT;
	first = files->gone ? 0 : (unsigned)below(files->count);
	end = files->gone ? files->count : first + 1;
	for (; first < end && !rc; first++)
		rc = rt_path_unlink(files->paths[first]);
	return rc ? rc : rt_path_sync_folder(JOURNALS);
}

static int truncate_file(void *arg)
{
	struct files *files = arg;
	struct rt_file *file;
	int rc = list_files(files);

	if (rc || !files->count)
		return rc ? rc : -ENOENT;
	rc = rt_file_open(files->paths[below(files->count)], RT_FILE_WRITE, &file);
	if (rc)
		return rc;
	rc = rt_file_set_size(file, below(1u << 20));
	if (!rc)
		rc = rt_file_sync(file);
	rt_file_close(file);
	return rc;
}

static int find_files(void *arg)
{
	return list_files(arg);
}

/* A byte of what is in use: the files are mostly empty. */
static int flip_byte(struct damage *damage, struct files *files)
{
	const char *path = files->paths[below(files->count)];
	uint8_t byte;
	uint64_t at;
	int rc = 0;

	for (unsigned i = 0; i < 1000; i++) {
		at = below(below(2) ? 20000 : 1u << 20);
		rc = sim_peek(damage->far->system, path, &byte, 1, at);
		if (rc || byte)
			break;
	}
	byte ^= (uint8_t)(1u << below(8));
	return rc ? rc : sim_poke(damage->far->system, path, &byte, 1, at);
}

/* Its disk says that it keeps what it does not, for a while. */
static int lie(struct damage *damage)
{
	struct sim_disk_state state = { .sync_lies = true };
	int rc;

	sim_set_disk(damage->far->system, JOURNALS, &state);
	rc = wait_ms(20 + below(600));
	faults_crash(damage->sites, damage->far, SIM_POWER_LOSS);
	state.sync_lies = false;
	sim_set_disk(damage->far->system, JOURNALS, &state);
	scenario_count("journals of which a disk lied", 1);
	return rc;
}

enum harm { HARM_FLIP, HARM_TRUNCATE, HARM_REMOVE, HARM_VANISH, HARM_LIE, HARMS };

static int harm_journal(struct damage *damage, enum harm harm)
{
	struct files *files = mem_alloc_zeroed(sizeof(*files));
	int rc = files ? 0 : -ENOMEM;

	if (rc)
		return rc;
	files->damage = damage;
	files->gone = harm == HARM_VANISH;
	rc = box_call(damage->far, harm == HARM_FLIP	     ? find_files
				   : harm == HARM_TRUNCATE ? truncate_file
							   : remove_files, files);
	faults_crash(damage->sites, damage->far, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	if (!rc && harm == HARM_FLIP && files->count)
		rc = flip_byte(damage, files);
	mem_free(files);
	scenario_count("journals harmed", 1);
	return rc;
}

/* ---- what the far side says ---- */

struct looking {
	struct box *box;
	unsigned found[PROBLEM_KIND_COUNT];
};

static void count_problem(void *arg, const struct copy_problem *problem)
{
	struct looking *looking = arg;

	looking->found[problem->kind]++;
	if (!problem->reason[0] || !problem->remedy[0])
		sim_fail(sim_world(), "a problem without reason or remedy");
}

static int do_look(void *arg)
{
	struct looking *looking = arg;

	if (!looking->box->ready)
		return -ECONNABORTED;
	copy_session_each_problem(looking->box->copy, SITES_SESSION, count_problem, looking);
	return 0;
}

static bool has_problem(struct box *box, enum problem_kind kind)
{
	struct looking looking = { .box = box };

	return !box_call(box, do_look, &looking) && looking.found[kind];
}

/* ---- mending ---- */

struct pairs_order {
	struct damage *damage;
	struct box *box;
};

/* At the source: out of the session, and away. */
static int delete_pairs(void *arg)
{
	struct pairs_order *order = arg;
	struct damage *damage = order->damage;
	struct box *box = order->box;
	struct fault fault;
	struct copy_pair_name pair = { 0 };
	int rc = 0;

	if (!damage->removed)
		rc = copy_session_remove(box->copy, SITES_SESSION, box->volumes, box->volume_count, &fault);
	damage->removed = !rc;
	for (; !rc && damage->deleted < box->volume_count; damage->deleted += !rc) {
		pair.volume = box->volumes[damage->deleted];
		rc = copy_pair_delete(box->copy, &pair, false, &fault);
	}
	if (rc)
		sim_note(sim_world(), "%s: %s", fault.object, fault.message);
	return rc;
}

/* A command that the far side must have heard of: it may be reconnecting. A disk that failed a call is mended. */
static int surely(int (*fn)(struct damage *damage), struct damage *damage)
{
	int rc = -1;

	for (unsigned i = 0; i < 40 && rc && rc != -ECANCELED; i++) {
		rc = faults_mend(damage->sites, &damage->sites->sources[damage->source]);
		if (!rc)
			rc = fn(damage);
		if (rc && wait_ms(250))
			rc = -ECANCELED;
	}
	return rc;
}

static int delete_all_pairs(struct damage *damage)
{
	struct pairs_order order = { .damage = damage, .box = &damage->sites->sources[damage->source] };

	return box_call(order.box, delete_pairs, &order);
}

static int make_pairs_again(struct damage *damage)
{
	struct box *box = &damage->sites->sources[damage->source];
	int rc = 0;

	for (; !rc && damage->made < SITES_VOLUMES; damage->made += !rc) {
		unsigned volume;
		struct box *far = sites_far_of(damage->sites, damage->source * SITES_VOLUMES + damage->made, &volume);

		rc = box_pair(box, damage->made, far, volume, PAIR_ASYNC);
	}
	return rc ? rc : box_session_add(box, SITES_SESSION);
}

/* The last group is given up by name, and its volumes are copied anew. */
static int copy_anew(struct damage *damage)
{
	int rc = box_session_terminate(damage->far, SITES_SESSION, true);

	if (!rc)
		rc = surely(delete_all_pairs, damage);
	if (!rc)
		rc = surely(make_pairs_again, damage);
	if (rc)
		sim_fail(sim_world(), "what is given up cannot be copied anew: %d", rc);
	scenario_count("copied anew", 1);
	return rc;
}

/* Groups are refused as long as the journal is offline; the recovery of all others leaves its volumes closed. */
static int recover_without(struct damage *damage)
{
	struct sites *sites = damage->sites;
	struct box *other = damage->far == &sites->fars[0] ? &sites->fars[1] : &sites->fars[0];
	struct recovery_result result = { 0 };
	uint8_t data[XDC_BLOCK_SIZE];
	int rc;

	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	rc = box_session_recover(other, SITES_SESSION, false, &result);
	if (rc == -ECANCELED)
		return rc;
	scenario_count(rc ? "recoveries refused without the journal" : "recoveries without the journal", 1);
	if (!rc && (!result.systems_missing || result.sequence < sites->reported))
		scenario_wrong("recovered to CG %llu with %u missing, %llu was reported",
			       (unsigned long long)result.sequence, result.systems_missing,
			       (unsigned long long)sites->reported);
	for (unsigned i = 0; i < SITES_VOLUMES; i++) {
		unsigned volume;
		struct box *far = sites_far_of(sites, damage->source * SITES_VOLUMES + i, &volume);

		if (!box_read(far, volume, 0, data))
			scenario_wrong("hosts read a volume whose journal is offline");
	}
	return 0;
}

static int live_without_journal(struct damage *damage, bool *in_branch)
{
	struct sites *sites = damage->sites;
	uint64_t groups;
	int rc = sites_look(sites);

	if (rc)
		return rc;
	scenario_count("journals offline", 1);
	groups = sites->groups;
	rc = wait_ms(500 + below(1500));
	if (!rc)
		rc = sites_look(sites);
	if (!rc && sites->groups != groups)
		scenario_wrong("groups are formed without a journal");
	if (!rc && scenario_branch()) {
		*in_branch = true;
		return recover_without(damage);
	}
	return rc ? rc : copy_anew(damage);
}

static int damage_journal(struct damage *damage, bool *in_branch)
{
	enum harm harm = (enum harm)below(HARMS);
	int rc = harm == HARM_LIE ? lie(damage) : harm_journal(damage, harm);

	if (!rc)
		rc = box_boot(damage->far);
	if (rc) {
		sim_fail(sim_world(), "%s does not start with a damaged journal: %d", damage->far->id, rc);
		return rc;
	}
	/* A block is looked at when it is applied. */
	rc = wait_ms(1500);
	if (!rc && (has_problem(damage->far, PROBLEM_JOURNAL_OFFLINE) ||
		    has_problem(&damage->sites->sources[damage->source], PROBLEM_FAR_REFUSES)))
		return live_without_journal(damage, in_branch);
	scenario_count("harmed where nothing was needed", 1);
	return rc;
}

/* A disk fails syncs for a while; what it says is accepted when it is well again. */
static int fail_syncs(struct damage *damage, struct box *box, const char *prefix, const char *what)
{
	struct sim_disk_state state = { .sync_fails = true };
	bool is_journal = !strcmp(prefix, JOURNALS);
	int rc;

	sim_set_disk(box->system, prefix, &state);
	rc = wait_ms(300 + below(2500));
	state.sync_fails = false;
	sim_set_disk(box->system, prefix, &state);
	if (rc)
		return rc;
	if (!has_problem(box, is_journal ? PROBLEM_JOURNAL_OFFLINE : PROBLEM_SYNC_FAILED))
		return 0;
	scenario_count(what, 1);
	rc = wait_ms(100 + below(1000));
	/* What hosts read at a source is what its disk has only after another start. */
	if (!rc && !is_journal)
		rc = sites_is_source(damage->sites, box) ? faults_mend(damage->sites, box) : box_accept_losses(box);
	if (rc || !is_journal)
		return rc;
	/* Read again, it tells what the disk has. */
	faults_crash(damage->sites, box, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	return faults_bring_up(damage->sites, box);
}

/* What its state lies on fails, but for the journals; another start finds out what is there. */
static int fail_state(struct damage *damage, struct box *box)
{
	uint64_t kind = below(3);
	struct sim_disk_state healthy = { 0 };
	struct sim_disk_state failing = { .read_fails = kind == 0, .write_fails = kind == 1, .sync_fails = kind == 2 };
	int rc;

	sim_set_disk(box->system, JOURNALS, &healthy);
	sim_set_disk(box->system, "state", &failing);
	rc = wait_ms(300 + below(1500));
	/* A machine whose start falls into that time does not serve. */
	if (!rc && below(2)) {
		faults_crash(damage->sites, box, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
		if (!box_boot(box))
			scenario_count("started on a state that failed", 1);
	}
	sim_set_disk(box->system, "state", &healthy);
	scenario_count("states failed", 1);
	if (!rc)
		rc = faults_mend(damage->sites, box);
	return rc ? rc : faults_accept(box);
}

/* ---- a volume of a far side is not there when the site is lost ---- */

static int recover_once(struct damage *damage, struct recovery_result *result)
{
	struct sites *sites = damage->sites;
	int rc = -1;

	for (unsigned i = 0; i < 20 && rc; i++) {
		rc = box_session_recover(&sites->fars[below(sites->far_count)], SITES_SESSION, false, result);
		if (rc == -ECANCELED || (rc && wait_ms(300)))
			return -ECANCELED;
	}
	return rc;
}

/* Where a call failed (--fail) the group may not be everywhere yet: the same command again brings it there. */
static int recover_surely(struct damage *damage, unsigned volumes_missing, struct recovery_result *result)
{
	unsigned tries = 0;
	int rc = recover_once(damage, result);

	while (!rc && (result->systems_missing || result->volumes_missing > volumes_missing) &&
	       !faults_mend_all(damage->sites) && scenario_try_again(&tries))
		rc = recover_once(damage, result);
	if (rc || result->systems_missing)
		sim_fail(sim_world(), "recovery does not come about: %d", rc);
	return rc;
}

static void judge(struct damage *damage)
{
	struct oracle_image image;

	sites_judge_reading(damage->sites, &image);
}

/* Starts the far side with or without the volume. */
static int restart_far(struct damage *damage, unsigned volume, bool away)
{
	faults_crash(damage->sites, damage->far, below(2) ? SIM_POWER_LOSS : SIM_DEATH);
	damage->far->away[volume] = away;
	return box_boot(damage->far);
}

/* The same command again brings the volume to the group, and leaves alone what hosts have written to the others. */
static int recover_the_rest(struct damage *damage, unsigned volume, uint64_t sequence)
{
	struct recovery_result result = { 0 };
	uint8_t before[XDC_BLOCK_SIZE], written[XDC_BLOCK_SIZE], found[XDC_BLOCK_SIZE];
	unsigned other = 1 - volume;
	int rc = box_read(damage->far, other, 0, before);

	memset(written, 0x5a, sizeof(written));
	if (!rc)
		rc = box_write(damage->far, other, 0, written, VOLUME_FUA);
	if (!rc)
		rc = restart_far(damage, volume, false);
	if (!rc)
		rc = wait_ms(below(300));
	if (!rc)
		rc = recover_surely(damage, 0, &result);
	if (rc)
		return rc;
	if (result.volumes_missing || result.sequence != sequence)
		scenario_wrong("CG %llu again, with %u volumes missing", (unsigned long long)result.sequence,
			       result.volumes_missing);
	if (box_read(damage->far, other, 0, found) || memcmp(found, written, sizeof(found)) != 0)
		scenario_wrong("what hosts wrote after the recovery is gone");
	rc = box_write(damage->far, other, 0, before, 0);
	if (!rc)
		judge(damage);
	scenario_count("volumes recovered later", 1);
	return rc;
}

static int recover_without_volume(struct damage *damage)
{
	struct sites *sites = damage->sites;
	struct recovery_result result = { 0 };
	unsigned volume = (unsigned)below(SITES_VOLUMES);
	uint8_t data[XDC_BLOCK_SIZE];
	int rc;

	_Static_assert(SITES_VOLUMES == 2, "one that is away, and another");
	rc = restart_far(damage, volume, true);
	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	if (!rc)
		rc = recover_surely(damage, 1, &result);
	if (rc)
		return rc;
	if (result.volumes_missing != 1 || result.volumes != sites->source_count * SITES_VOLUMES - 1)
		scenario_wrong("recovered %u volumes, %u missing, with one that is not there", result.volumes,
			       result.volumes_missing);
	if (!box_read(damage->far, volume, 0, data))
		scenario_wrong("hosts read a volume that is not there");
	return recover_the_rest(damage, volume, result.sequence);
}

static int do_harm(struct damage *damage, bool *in_branch)
{
	struct sites *sites = damage->sites;

	if (below(2) && scenario_branch()) {
		*in_branch = true;
		return recover_without_volume(damage);
	}
	switch (below(6)) {
	case 5:
		return fail_state(damage, sites_box(sites, (unsigned)below(sites_box_count(sites))));
	case 0:
		return fail_syncs(damage, damage->far, JOURNALS, "syncs of journals failed");
	case 1:
		return fail_syncs(damage, damage->far, "pool", "syncs of far volumes failed");
	case 2:
		return fail_syncs(damage, &sites->sources[damage->source], "pool", "syncs of source volumes failed");
	default:
		return damage_journal(damage, in_branch);
	}
}

static int recover_all(struct damage *damage)
{
	struct sites *sites = damage->sites;
	struct recovery_result result = { 0 };
	int rc;

	for (unsigned i = 0; i < sites->source_count; i++)
		faults_crash(sites, &sites->sources[i], SIM_POWER_LOSS);
	rc = recover_surely(damage, 0, &result);
	if (rc)
		return rc;
	if (result.volumes_missing)
		sim_fail(sim_world(), "after all is mended volumes are missing: %s", result.missing);
	scenario_count("recoveries", 1);
	judge(damage);
	return 0;
}

static int end_quietly(struct sites *sites)
{
	const char *bad;
	int rc;

	rc = oracle_stop(&sites->oracle);
	bad = rc ? NULL : sites_wait_equal(sites, 60 * RT_SECOND);
	if (bad)
		scenario_wrong("%s", bad);
	return rc ? rc : sites_stop(sites);
}

static int live_through(struct sites *sites)
{
	struct damage damage = { .sites = sites };
	bool in_branch = false;
	int rc = sites_build(sites, 2, 2, below(2) ? CACHE_DIRECT : CACHE_WRITEBACK, PAIR_ASYNC);

	if (!rc)
		rc = sites_wait_joined(sites, 20 * RT_SECOND);
	scenario_settled();
	if (!rc)
		rc = wait_ms(below(600));
	damage.source = (unsigned)below(2);
	damage.far = &sites->fars[damage.source];
	if (!rc)
		rc = do_harm(&damage, &in_branch);
	if (rc || in_branch)
		return rc;
	rc = sites_wait_joined(sites, 60 * RT_SECOND);
	if (rc)
		sim_fail(sim_world(), "no more groups after all was mended: %d", rc);
	if (!rc && scenario_branch())
		return recover_all(&damage);
	return rc ? rc : end_quietly(sites);
}

static int run(void *arg)
{
	(void)arg;
	return sites_live(live_through);
}

static const char *const must_happen[] = {
	"host writes", "groups", "recoveries", NULL
};

static const char *const rarely_happens[] = {
	"journals harmed", "journals of which a disk lied", "journals offline", "harmed where nothing was needed",
	"recoveries without the journal",
	"volumes recovered later", "copied anew", "syncs of journals failed", "syncs of far volumes failed",
	"syncs of source volumes failed", "states failed", NULL
};

const struct scenario scenario_damage = {
	.name = "damage",
	.about = "what is damaged or fails for good is named, and mended as documented; nothing is lost in silence",
	.until_ns = 300 * RT_SECOND,
	.run = run,
	.must_happen = must_happen,
	.rarely_happens = rarely_happens,
};
