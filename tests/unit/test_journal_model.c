/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal against a model in plain memory: random appends from several fibers, prepare, commit, abort, apply,
 * fence and decide, on a disk that fails at times, with deaths and power losses at any moment. After each start the
 * numbers must be those before or after what was under way, data above the prepared CG are gone for ever, and what
 * shows through the journal over the volumes is the committed image, block by block. In every other run points are
 * kept: then each that is listed shows exactly what its CG showed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal_model.h"
#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "store/journal.h"

/* A recovery has chosen a point: the volumes are on their way to it, or there. */
static bool goes_back(const struct model *model)
{
	return model->now.decided && model->now.decision < model->now.committed;
}

/* Every block, through the journal over the volumes. */
static void check_image(struct model *model)
{
	MEM_OWNED uint8_t *buf = mem_alloc(BLOCKS * BLOCK);

	if (goes_back(model))
		return;
	model->counts->checks++;
	for (uint16_t volume = 0; volume < VOLUMES; volume++) {
		uint64_t shown[BLOCKS];
		uint64_t at = 0, end = BLOCKS * BLOCK;
		struct journal_run run;

		memcpy(shown, model->cache[volume], sizeof(shown));
		while (at < end && journal_lookup(model->journal, volume, at, end - at, &run)) {
			int rc;
			CHECK(run.offset >= at && run.offset + run.len <= end && run.len > 0);
			rc = journal_read(model->journal, &run, buf);
			if (rc == -EIO)
				return;		/* the disk failed just now */
			CHECK_EQUAL(rc, 0);
			for (uint32_t i = 0; i < run.len / BLOCK; i++)
				shown[run.offset / BLOCK + i] = stamp_of(buf + i * BLOCK);
			at = run.offset + run.len;
			model->counts->unapplied++;
		}
		for (unsigned b = 0; b < BLOCKS; b++)
			CHECK_EQUAL(shown[b], model->image[volume][b]);
	}
}

static const struct past_image *find_past(const struct model *model, uint64_t number)
{
	for (unsigned i = 0; i < model->past_count; i++) {
		if (model->past[i].number == number)
			return &model->past[i];
	}
	return NULL;
}

/* Blocks in which the image is not that of the CG. */
static unsigned count_wrong(const uint64_t image[VOLUMES][BLOCKS], const struct past_image *past)
{
	unsigned wrong = 0;

	for (unsigned volume = 0; volume < VOLUMES; volume++) {
		for (unsigned b = 0; b < BLOCKS; b++)
			wrong += image[volume][b] != past->image[volume][b];
	}
	return wrong;
}

/* Appends may need its room while it is looked at. */
static bool is_gone(const struct model *model, const struct journal_point *point)
{
	struct journal_info info;

	journal_get_info(model->journal, &info);
	return info.failed || info.oldest_point > point->number;
}

/* What the point shows over the volumes, which have all that is committed. False: it is gone, or the disk failed. */
static bool check_point(struct model *model, const struct journal_point *point)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	uint64_t image[VOLUMES][BLOCKS], cursor = 0, bytes = 0;
	const struct past_image *past = find_past(model, point->number);
	struct journal_past *found;
	struct journal_run run;
	struct journal_cg *cg;
	int rc = journal_read_point(model->journal, point->number, &cg);

	if (rc == -EIO || (rc == -ENOENT && is_gone(model, point)))
		return false;
	CHECK_EQUAL(rc, 0);
	CHECK(past && cg->number == point->number && cg->digest == cg->number * 3);
	CHECK(cg->session_time_us == point->time_us);
	mem_free(cg);
	rc = journal_open_past(model->journal, point->number, &found);
	if (rc == -EIO || (rc == -ENOENT && is_gone(model, point)))
		return false;
	CHECK_EQUAL(rc, 0);
	memcpy(image, model->cache, sizeof(image));
	while (rc == 0 && journal_past_next(found, &cursor, &run)) {
		rc = journal_read(model->journal, &run, buf);
		CHECK(rc == 0 || rc == -EIO || (rc == -EAGAIN && is_gone(model, point)));
		bytes += run.len;
		for (uint32_t i = 0; rc == 0 && i < run.len / BLOCK; i++)
			image[run.volume][run.offset / BLOCK + i] = stamp_of(buf + i * BLOCK);
	}
	journal_close_past(found);
	if (rc)
		return false;
	CHECK(bytes <= point->bytes);
	CHECK_EQUAL(count_wrong(image, past), 0);
	model->counts->points_back++;
	return true;
}

static void check_points(struct model *model)
{
	struct journal_point points[PAST_MAX];
	uint32_t count = journal_list_points(model->journal, UINT64_MAX, points, PAST_MAX);
	struct journal_info info;

	journal_get_info(model->journal, &info);
	CHECK_EQUAL(info.points, count);
	if (count == 0 || info.applied < info.committed || goes_back(model))
		return;
	CHECK_EQUAL(points[0].number, info.committed);
	CHECK_EQUAL(points[0].bytes, 0);
	for (uint32_t i = 0; i < count && check_point(model, &points[i]); i++)
		;
}

static void check_numbers(struct model *model)
{
	struct journal_info info;
	const struct journal_cg *committed = journal_committed_cg(model->journal);
	const struct journal_cg *prepared = journal_prepared_cg(model->journal);
	uint64_t highest = model->now.prepared ? model->now.prepared : model->now.committed;

	journal_get_info(model->journal, &info);
	CHECK(is_state(&info, &model->now));
	for (unsigned i = 0; i < model->pending_count; i++) {
		if (model->pending[i].tag > highest)
			highest = model->pending[i].tag;
	}
	CHECK(info.highest_tag >= highest);
	CHECK(info.used_bytes <= info.limit_bytes);
	CHECK_EQUAL(committed ? committed->number : 0, info.committed);
	CHECK_EQUAL(prepared ? prepared->number : 0, info.prepared);
	CHECK(!committed || (committed->digest == committed->number * 3 && committed->volume_count == VOLUMES &&
			     committed->volumes[2] == 2 && memcmp(committed->members, "members", 7) == 0));
}

/* ---- calls: the model says what may become durable, then what did ---- */

/* After an error the call may have been carried out or not: that is seen after the next start. */
static void begin_call(struct model *model, const struct numbers *next)
{
	model->next = *next;
	model->under_way = true;
}

static void end_call(struct model *model, int rc)
{
	struct journal_info info;

	if (rc == 0) {
		take_state(model, &model->next);
		return;
	}
	CHECK(rc == -EIO);
	journal_get_info(model->journal, &info);
	CHECK(is_state(&info, &model->now));	/* never half way */
	model->ends = true;
	if (info.failed)
		model->counts->failed++;
}

/* A call that changes nothing. Where another one just found the disk broken, all are refused. */
static void expect(struct model *model, int rc, int expected)
{
	if (rc == -EIO)
		model->ends = true;
	else
		CHECK_EQUAL(rc, expected);
}

/* Fibers of one volume each: the order of appends to a block is known. */
static void append_one(struct model *model, uint16_t volume, uint8_t *buf)
{
	struct pending p = { .tag = model->floor + 1 + draw(model, 3), .volume = volume };
	int rc;

	p.count = 1 + (uint32_t)draw(model, draw(model, 4) == 0 ? 2 : 1 + draw(model, 2));
	p.first = (uint32_t)draw(model, BLOCKS - p.count + 1);
	p.stamp = draw(model, 8) == 0 ? 0 : model->stamp + 1;
	model->stamp += 8;
	for (uint32_t i = 0; p.stamp && i < p.count; i++)
		stamp_block(buf + i * BLOCK, p.stamp + i);
	model->flying[volume] = p.tag;
	rc = journal_append(model->journal, volume, p.first * BLOCK, p.count * BLOCK, p.tag, p.stamp ? buf : NULL);
	model->flying[volume] = 0;
	rt_cond_wake_all(&model->changed);
	if (rc == -ENOSPC)
		model->counts->full++;
	else if (rc == -EIO)
		model->ends = true;
	if (rc != 0) {
		CHECK(rc == -ENOSPC || rc == -EIO || (rc == -ESTALE && (model->now.epoch || model->next.epoch)));
		return;
	}
	model->counts->appends++;
	CHECK(model->pending_count < PENDING_MAX);
	model->pending[model->pending_count++] = p;
}

struct appender {
	struct model *model;
	uint16_t volume;
};

static void append_fiber(void *arg)
{
	struct appender *appender = arg;
	struct model *model = appender->model;
	uint8_t buf[2 * BLOCK];

	while (!model->ends) {
		append_one(model, appender->volume, buf);
		/* full or fenced: nothing happens until the others did something */
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, 300 * RT_US)), 0);
	}
}

static void prepare(struct model *model)
{
	static const uint16_t volumes[VOLUMES] = { 0, 1, 2 };
	struct numbers next = model->now;
	struct journal_cg cg = { .number = model->floor + 1 + draw(model, 2), .wall_time_us = 2,
				 .incarnation = next.incarnation + draw(model, 2), .master = "2105.FA120:15",
				 .volume_count = VOLUMES, .volumes = volumes, .member_bytes = 7, .members = "members" };
	int rc;

	cg.digest = cg.number * 3;
	cg.session_time_us = cg.number;
	next.prepared = cg.number;
	next.incarnation = cg.incarnation;
	/* As the source does: nothing up to the number is under way when it is prepared. */
	model->floor = cg.number;
	for (unsigned volume = 0; volume < VOLUMES; volume++) {
		while (model->flying[volume] != 0 && model->flying[volume] <= cg.number)
			CHECK_EQUAL(rt_cond_wait(&model->changed), 0);
	}
	begin_call(model, &next);
	rc = journal_prepare(model->journal, &cg);
	end_call(model, rc);
	model->counts->prepares += rc == 0;
	if (rc == 0)
		expect(model, journal_prepare(model->journal, &cg), 0);
	cg.number--;
	if (rc == 0)
		expect(model, journal_prepare(model->journal, &cg), cg.number ? -ESTALE : -EINVAL);
}

static void commit(struct model *model)
{
	struct numbers next = model->now;
	int rc;

	expect(model, journal_commit(model->journal, model->now.prepared + 1000, model->now.incarnation), -EINVAL);
	if (next.prepared == 0)
		return;
	next.committed = next.prepared;
	next.prepared = 0;
	begin_call(model, &next);
	rc = journal_commit(model->journal, next.committed, model->now.incarnation);
	end_call(model, rc);
	model->counts->commits += rc == 0;
	if (rc < 0)
		return;
	expect(model, journal_commit(model->journal, next.committed, model->now.incarnation), 0);
	expect(model, journal_abort(model->journal, next.committed, model->now.incarnation), -ESTALE);
	if (next.committed > 1)
		expect(model, journal_commit(model->journal, next.committed - 1, model->now.incarnation), -ESTALE);
}

static void abort_prepared(struct model *model)
{
	struct numbers next = model->now;
	int rc;

	expect(model, journal_abort(model->journal, model->now.prepared + 1000, model->now.incarnation), 0);
	if (next.prepared == 0)
		return;
	next.prepared = 0;
	begin_call(model, &next);
	rc = journal_abort(model->journal, model->now.prepared, model->now.incarnation);
	end_call(model, rc);
	model->counts->aborts += rc == 0;
}

static void obey(struct model *model)
{
	struct numbers next = model->now;

	next.incarnation++;
	begin_call(model, &next);
	end_call(model, journal_obey(model->journal, next.incarnation));
}

/* Before a pass; cut off by a crash at any place. */
static int keep_before(struct model *model, uint8_t *buf)
{
	struct journal_before before;
	int rc;

	while ((rc = journal_before_next(model->journal, &before, buf)) == 1) {
		for (uint32_t i = 0; !before.known && i < before.len / BLOCK; i++)
			stamp_block(buf + i * BLOCK, model->cache[before.volume][before.offset / BLOCK + i]);
		rc = journal_before_keep(model->journal, &before, buf);
		if (rc < 0)
			return rc;
		model->counts->befores++;
	}
	return rc < 0 ? rc : journal_before_sync(model->journal);
}

/* Now and then to other limits, or to none at all for a while. */
static void set_keep(struct model *model)
{
	struct journal_keep keep = { .time_us = 0 };
	struct journal_info before, after;
	int rc;

	if (draw(model, 5))
		keep.time_us = 1 + draw(model, draw(model, 2) ? 400 : 20);
	if (draw(model, 5) == 0)
		keep.bytes = draw(model, 20) << 16;
	journal_get_info(model->journal, &before);
	rc = journal_set_keep(model->journal, &keep);
	expect(model, rc, 0);
	journal_get_info(model->journal, &after);
	if (rc == 0 && before.points && !after.points)
		model->counts->points_gone++;
}

/* Some runs of a pass, or all of them: then the volumes are synced and the journal is told. */
static void apply(struct model *model, unsigned most)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	struct numbers next = model->now;
	struct journal_run run;
	int rc = 1;

	if (draw(model, 10) == 0)
		journal_apply_again(model->journal);
	rc = keep_before(model, buf);
	if (rc < 0) {
		expect(model, rc, -EIO);
		return;
	}
	rc = 1;
	while (most-- > 0 && rc == 1) {
		rc = journal_apply_next(model->journal, &run, buf);
		for (uint32_t i = 0; rc == 1 && i < run.len / BLOCK; i++)
			model->cache[run.volume][run.offset / BLOCK + i] = run.zero ? 0 : stamp_of(buf + i * BLOCK);
	}
	if (rc < 0) {
		CHECK_EQUAL(rc, -EIO);
		model->ends = true;
		return;
	}
	if (rc == 1) {
		expect(model, journal_apply_done(model->journal, run.up_to), -EINVAL);
		return;
	}
	memcpy(model->disk, model->cache, sizeof(model->disk));
	next.applied = run.up_to;
	begin_call(model, &next);
	rc = journal_apply_done(model->journal, run.up_to);
	end_call(model, rc);
	model->counts->passes += rc == 0;
	if (rc == 0 && draw(model, 2))
		check_points(model);
}

/* A point, once all is applied; 0: there is none. */
static uint64_t choose_point(struct model *model)
{
	struct journal_point points[PAST_MAX];
	uint32_t count;

	while (model->now.applied < model->now.committed && !model->ends)
		apply(model, UINT32_MAX);
	if (model->ends)
		return 0;
	count = journal_list_points(model->journal, UINT64_MAX, points, PAST_MAX);
	return count ? points[draw(model, count)].number : 0;
}

/* The volumes are brought to the point that was decided for; cut off by a crash at any place. */
static void go_back(struct model *model)
{
	MEM_OWNED uint8_t *buf = mem_alloc(JOURNAL_RUN_MAX);
	const struct past_image *past = find_past(model, model->now.decision);
	struct journal_past *found;
	struct journal_run run;
	uint64_t cursor = 0;
	int rc = journal_open_past(model->journal, model->now.decision, &found);

	if (rc < 0) {
		expect(model, rc, -EIO);
		return;
	}
	while (rc == 0 && journal_past_next(found, &cursor, &run)) {
		rc = journal_read(model->journal, &run, buf);
		for (uint32_t i = 0; rc == 0 && i < run.len / BLOCK; i++)
			model->cache[run.volume][run.offset / BLOCK + i] = stamp_of(buf + i * BLOCK);
		if (draw(model, 8) == 0)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, RT_MS)), 0);
	}
	journal_close_past(found);
	if (rc == 0) {
		memcpy(model->disk, model->cache, sizeof(model->disk));
		rc = journal_back_done(model->journal);
	}
	expect(model, rc, 0);
	if (rc < 0)
		return;
	CHECK_EQUAL(count_wrong(model->cache, past), 0);
	expect(model, journal_back_done(model->journal), 0);
	model->counts->gone_back++;
}

/* Recovery takes the journal over, and a new one takes its place. */
static void recover(struct model *model)
{
	uint64_t number = model->keeps && draw(model, 2) && !model->now.decided ? choose_point(model) : 0;
	struct numbers next = model->now;
	struct journal_cg cg = { .number = model->floor + 1, .incarnation = UINT64_MAX };
	int rc;

	if (model->ends)
		return;
	if (!number)
		number = next.prepared && draw(model, 2) ? next.prepared : next.committed;
	next.epoch = 7;
	begin_call(model, &next);
	end_call(model, journal_fence(model->journal, 7, "2107.FB1"));
	if (model->ends)
		return;
	expect(model, journal_fence(model->journal, 6, "2107.FB9"), -ESTALE);
	expect(model, journal_fence(model->journal, 7, "2107.FB0"), -ESTALE);
	expect(model, journal_fence(model->journal, 7, "2107.FB1"), 0);
	expect(model, journal_prepare(model->journal, &cg), -ESTALE);
	expect(model, journal_commit(model->journal, model->floor, model->now.incarnation), -ESTALE);
	expect(model, journal_append(model->journal, 0, 0, BLOCK, model->floor + 1, NULL), -ESTALE);
	expect(model, journal_decide(model->journal, number, 7, "2107.FB2", false), -ESTALE);
	expect(model, journal_decide(model->journal, model->floor + 9, 7, "2107.FB1", false), -EINVAL);
	if (model->now.decided)
		number = model->now.decision;
	if (number > next.committed)
		next.committed = number;
	next.prepared = 0;
	next.decided = true;
	next.decision = number;
	begin_call(model, &next);
	rc = journal_decide(model->journal, number, 7, "2107.FB1", false);
	if (rc == -EINVAL || rc == -ENOSPC) {
		/* Appends may have needed the room of the point before the fence. */
		CHECK(number < next.committed);
		model->under_way = false;
		return;
	}
	end_call(model, rc);
	if (model->ends)
		return;
	if (goes_back(model)) {
		go_back(model);
		if (!model->ends && draw(model, 2)) {
			memcpy(model->image, model->cache, sizeof(model->image));
			model->removing = true;
		}
		model->ends = true;
		return;
	}
	expect(model, journal_decide(model->journal, number, 7, "2107.FB1", false), 0);
	model->counts->decisions++;
	check_image(model);
	/* a pass that was begun before the decision comes first */
	while (model->now.applied < model->now.committed && !model->ends)
		apply(model, UINT32_MAX);
	if (model->ends)
		return;
	CHECK(memcmp(model->cache, model->image, sizeof(model->image)) == 0);
	model->removing = true;
	model->ends = true;
}

static void control(struct model *model)
{
	for (unsigned step = 0; step < 80 && !model->ends; step++) {
		uint64_t what = draw(model, 100);

		if (model->now.epoch != 0 || (what == 0 && model->now.committed > 0))
			recover(model);
		else if (what < 20)
			prepare(model);
		else if (what < 37)
			commit(model);
		else if (what < 42)
			abort_prepared(model);
		else if (what < 44)
			obey(model);
		else if (what < 60)
			apply(model, 1 + (unsigned)draw(model, 200));
		else if (what < 66)
			check_image(model);
		else if (what < 67 && model->keeps)
			set_keep(model);
		else if (what < 72 && model->keeps)
			check_points(model);
		else
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, RT_MS)), 0);
		if (!model->ends)
			check_numbers(model);
	}
	model->ends = true;
}

/* ---- the system ---- */

static int open_journal(struct model *model)
{
	/* Half of those that keep points have room for them. */
	const struct journal_limits limits = { .bytes = (model->has_room ? 6u : 1u) << 20, .segment_bytes = 64 << 10,
					       .runs = 600 };
	int rc = rt_path_make_folder(FOLDER);

	if (rc == 0 || rc == -EEXIST)
		rc = rt_path_sync_folder("/");
	if (rc == 0 && model->removing)
		rc = journal_remove(FOLDER, LEG);
	if (rc < 0)
		return rc;
	if (model->removing) {
		model->now = (struct numbers){ 0 };
		model->pending_count = 0;
		model->past_count = 0;
		model->under_way = false;
		model->removing = false;
	}
	return journal_open(FOLDER, LEG, &limits, &model->journal);
}

static void take_up(struct model *model)
{
	struct journal_info info;

	journal_get_info(model->journal, &info);
	if (!is_state(&info, &model->now)) {
		CHECK(model->under_way && is_state(&info, &model->next));
		model->counts->under_way++;
		take_state(model, &model->next);
	}
	model->under_way = false;
	void_above(model, model->now.prepared ? model->now.prepared : model->now.committed);
	model->floor = model->now.prepared ? model->now.prepared : model->now.committed;
	memset(model->flying, 0, sizeof(model->flying));
	model->ends = false;
	rt_cond_init(&model->changed);
	check_numbers(model);
	check_image(model);
	if (!model->ends)
		check_points(model);
	if (model->keeps && !model->ends)
		set_keep(model);
	model->counts->starts++;
}

static int system_main(void *arg)
{
	struct model *model = arg;
	struct appender appenders[VOLUMES];
	struct rt_group group;
	int rc = open_journal(model);

	if (rc < 0) {
		CHECK(rc == -EIO || rc == -EMFILE);
		model->counts->refused_starts++;
		return 0;
	}
	take_up(model);
	rt_group_init(&group);
	for (uint16_t volume = 0; volume < VOLUMES; volume++) {
		appenders[volume] = (struct appender){ model, volume };
		CHECK_EQUAL(rt_group_start(&group, "append", append_fiber, &appenders[volume]), 0);
	}
	control(model);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	journal_close(model->journal);
	return 0;
}

/* Of what the volumes were not yet synced with, any part is there after a power loss. */
static void lose_power(struct model *model)
{
	for (unsigned volume = 0; volume < VOLUMES; volume++) {
		for (unsigned b = 0; b < BLOCKS; b++) {
			if (draw(model, 2))
				model->cache[volume][b] = model->disk[volume][b];
		}
	}
	memcpy(model->disk, model->cache, sizeof(model->disk));
}

static int scenario(void *arg)
{
	struct model *model = arg;
	struct sim_system *system = sim_add_system(sim_world(), "b1", 1);

	for (unsigned life = 0; life < 15; life++) {
		sim_boot(system, system_main, model);
		if (draw(model, 5) > 0)
			CHECK_EQUAL(rt_sleep_until(rt_now_ns() + (int64_t)draw(model, 40 * RT_MS)), 0);
		else
			CHECK_EQUAL(sim_wait_ended(system), 0);
		if (draw(model, 3) == 0) {
			sim_crash(system, SIM_DEATH);
		} else {
			sim_crash(system, SIM_POWER_LOSS);
			lose_power(model);
		}
	}
	return 0;
}

static void run_seed(uint64_t seed, uint32_t errors, struct counts *counts)
{
	struct model *model = calloc(1, sizeof(*model));
	struct sim_config config;
	struct sim_world *world;
	enum sim_end end;

	sim_config_default(&config);
	config.boot_ns = (struct sim_range){ 0, RT_MS };
	config.read_errors = errors / 20;
	config.write_errors = errors / 4;
	config.sync_errors = errors;
	model->random = seed * 77;
	model->keeps = seed % 2 == 0;
	model->has_room = seed % 4 == 0;
	model->counts = counts;
	world = sim_create(seed, &config);
	if (getenv("SHOW_LOG"))
		sim_show_log(world, stderr);
	end = sim_run(world, scenario, model, 3600 * RT_SECOND);
	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
		sim_print_log(world, stderr);
	}
	CHECK_EQUAL(end, SIM_DONE);
	sim_destroy(world);
	free(model);
}

static void print_counts(const struct counts *c)
{
	print_message("# %llu before-images, %llu points looked at, %llu times all given up, %llu times gone back\n",
		      (unsigned long long)c->befores, (unsigned long long)c->points_back,
		      (unsigned long long)c->points_gone, (unsigned long long)c->gone_back);
	print_message("# %llu starts, %llu appends, %llu prepared, %llu committed, %llu aborted, %llu passes, "
		      "%llu decided\n",
		      (unsigned long long)c->starts, (unsigned long long)c->appends, (unsigned long long)c->prepares,
		      (unsigned long long)c->commits, (unsigned long long)c->aborts, (unsigned long long)c->passes,
		      (unsigned long long)c->decisions);
	print_message("# %llu images, %llu unapplied runs in them, %llu void, %llu calls found done after a crash, "
		      "%llu times full, %llu failed, %llu starts refused\n",
		      (unsigned long long)c->checks, (unsigned long long)c->unapplied, (unsigned long long)c->voided,
		      (unsigned long long)c->under_way, (unsigned long long)c->full, (unsigned long long)c->failed,
		      (unsigned long long)c->refused_starts);
}

/* SEED in the environment: that one alone, to look into it. */
static void run_seeds(uint64_t first, uint64_t last, uint32_t errors, struct counts *counts)
{
	const char *one = getenv("SEED");

	if (one)
		first = last = strtoull(one, NULL, 10);
	for (uint64_t seed = first; seed <= last; seed++) {
		if (getenv("SHOW_SEEDS"))
			fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
		run_seed(seed, errors, counts);
	}
	print_counts(counts);
}

static void crashes_lose_nothing_that_was_answered(void **state)
{
	struct counts counts = { 0 };

	(void)state;
	run_seeds(1, 100, 0, &counts);
	CHECK(counts.starts > 700 && counts.commits > 700 && counts.aborts > 100 && counts.passes > 500);
	CHECK(counts.decisions > 30 && counts.voided > 1000 && counts.under_way > 50 && counts.full > 100);
	CHECK(counts.gone_back > 20 && counts.points_back > 500 && counts.points_gone > 5 && counts.befores > 3000);
	CHECK(counts.failed == 0 && counts.refused_starts == 0);
}

static void failing_disks_are_never_believed(void **state)
{
	struct counts counts = { 0 };

	(void)state;
	run_seeds(1000, 1099, 20000, &counts);
	CHECK(counts.starts > 500 && counts.commits > 500 && counts.failed > 100 && counts.refused_starts > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crashes_lose_nothing_that_was_answered),
		cmocka_unit_test(failing_disks_are_never_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
