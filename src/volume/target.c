/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - the targets of a volume come and go. */
#include "volume/target.h"

#include <assert.h>
#include <errno.h>

#include "rt/log.h"
#include "store/planted.h"
#include "volume/volume_internal.h"

/* ---- life ---- */

void volume_init_targets(struct volume *volume)
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		struct volume_target *target = &volume->targets[i];

		target->volume = volume;
		rt_cond_init(&target->released);
		rt_cond_init(&target->drained);
		rt_cond_init(&target->changed);
		list_init(&target->drain_waits);
		list_init(&target->sends);
		list_init(&target->looks);
		sidefile_init(&target->sidefile, volume->options.sidefile_bytes);
	}
}

void volume_destroy_targets(struct volume *volume)
{
	struct volume_target *target;

	for (target = volume->targets; target < volume->targets + VOLUME_TARGETS_MAX; target++) {
		assert(list_empty(&target->sends) && target->sends_reading == 0 && list_empty(&target->looks));
		if (target->tracked)
			mask_destroy(&target->mask);
		sidefile_destroy(&target->sidefile);
	}
	if (volume->target_count > 0)
		logged_destroy(&volume->logged);
}

void volume_wake_target(struct volume_target *target)
{
	rt_cond_wake_all(&target->released);
	rt_cond_wake_all(&target->drained);
	rt_cond_wake_all(&target->changed);
}

/* ---- what the log holds ---- */

static int add_durable(struct volume *volume, uint64_t region)
{
	struct logged_region *added = logged_add(&volume->logged, region);

	if (!added)
		return -ENOMEM;
	added->durable = true;
	return 0;
}

struct load {
	struct volume *volume;
	int rc;
};

/* One region of the dirty log. Where that has the volume as a whole, all of them: they leave as they become clean. */
static void load_region(void *arg, uint16_t id, uint32_t region)
{
	struct load *load = arg;
	struct logged *logged = &load->volume->logged;

	if (id != load->volume->options.id || load->rc < 0)
		return;
	if (region == DIRTYLOG_WHOLE)
		for (uint64_t at = 0; at < logged->regions && load->rc == 0; at++)
			load->rc = add_durable(load->volume, at);
	else if (region < logged->regions)
		load->rc = add_durable(load->volume, region);
	else
		log_line(LOG_WARNING, "volume", "%04X: the dirty log names region %u, beyond the end of the volume", id,
			 region);
}

/* For the first target. */
static int load_log(struct volume *volume, struct dirtylog *log)
{
	struct load load = { .volume = volume };
	int rc = logged_init(&volume->logged, mask_region_count(volume_end_block(0, volume_size(volume))));

	if (rc < 0)
		return rc;
	load.rc = logged_reserve_growth(&volume->logged, mask_region_count(volume->growing_blocks));
	if (load.rc == 0 && log)
		dirtylog_each(log, load_region, &load);
	if (load.rc < 0)
		logged_destroy(&volume->logged);
	else
		volume->log = log;
	return load.rc;
}

static void leave_log(struct volume *volume)
{
	logged_destroy(&volume->logged);
	volume->log = NULL;
}

/* All of a region that is in the log may differ from the far side, and most of it will not. */
static int doubt_logged(struct volume *volume, struct mask *mask)
{
	uint64_t region = logged_next(&volume->logged, 0);
	int rc = 0;

	if (volume->log && dirtylog_is_whole(volume->log, volume->options.id)) {
		log_line(LOG_NOTICE, "volume", "%04X: all of it is in doubt and is compared with the far side",
			 volume->options.id);
		return mask_doubt_all(mask);
	}
	for (; rc == 0 && region != UINT64_MAX; region = logged_next(&volume->logged, region + 1)) {
		uint64_t end = (region + 1) * MASK_REGION_BLOCKS;

		rc = mask_doubt(mask, region * MASK_REGION_BLOCKS, end < mask->blocks ? end : mask->blocks);
	}
	return rc;
}

static int make_mask(struct volume *volume, struct mask *mask)
{
	int rc = mask_init(mask, volume_end_block(0, volume_size(volume)));

	if (rc < 0)
		return rc;
	rc = mask_reserve_growth(mask, volume->growing_blocks);
	if (rc == 0 && !(planted(PLANTED_LOG_FOR_ONE) && volume->target_count > 0))
		rc = doubt_logged(volume, mask);
	if (rc < 0)
		mask_destroy(mask);
	return rc;
}

/* ---- they come and go ---- */

static struct volume_target *find_place(struct volume *volume)
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		if (!volume->targets[i].tracked)
			return &volume->targets[i];
	return NULL;
}

static int begin_target(struct volume_target *target, struct dirtylog *log, uint64_t open_number)
{
	struct volume *volume = target->volume;
	int rc = volume->target_count == 0 ? load_log(volume, log) : 0;

	if (rc < 0)
		return rc;
	rc = make_mask(volume, &target->mask);
	if (rc < 0) {
		if (volume->target_count == 0)
			leave_log(volume);
		return rc;
	}
	target->open_number = open_number;
	target->closing_number = 0;
	target->failed_number = 0;
	target->hold = false;
	target->stands_by = false;
	target->tracked = true;
	volume->target_count++;
	return 0;
}

static void end_target(struct volume_target *target)
{
	struct volume *volume = target->volume;

	target->tracked = false;
	target->hold = false;
	target->closing_number = 0;
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		if (volume->targets[i].by == target)
			volume->targets[i].by = NULL;
	mask_destroy(&target->mask);
	sidefile_clear(&target->sidefile);
	if (--volume->target_count == 0)
		leave_log(volume);
}

int volume_add_target(struct volume *volume, struct dirtylog *log, uint64_t open_number, struct volume_target **out)
{
	struct volume_target *target = find_place(volume);
	int rc;

	assert(open_number > 0);
	if (!target)
		return -ENOSPC;
	rc = begin_target(target, log, open_number);
	if (rc < 0)
		return rc;
	while (target->unnoted_writes > 0) {
		rc = rt_cond_wait(&target->changed);
		if (rc < 0 && target->unnoted_writes > 0) {
			end_target(target);
			return rc;
		}
	}
	*out = target;
	return 0;
}

void volume_remove_target(struct volume_target *target)
{
	struct volume *volume = target->volume;
	struct dirtylog *log = volume->log;

	assert(target->tracked && list_empty(&target->sends) && target->sends_reading == 0);
	volume_unsettle_looks(target, 0, target->mask.blocks);
	end_target(target);
	if (volume->target_count == 0 && log)
		dirtylog_forget_volume(log, volume->options.id);
	volume_wake_target(target);
}

void volume_keep_log(struct volume *volume)
{
	volume->log = NULL;
}

void volume_stand_by(struct volume_target *target, struct volume_target *by)
{
	assert(target->tracked && by != target);
	assert(!by || (by->tracked && by->volume == target->volume && !by->stands_by));
	assert(target->closing_number == 0 && list_empty(&target->sends) && !target->mirror);
	target->stands_by = true;
	target->by = by;
}

void volume_stand_in(struct volume_target *target)
{
	assert(target->tracked);
	target->stands_by = false;
	target->by = NULL;
	volume_wake_target(target);
}

bool volume_stands_by(const struct volume_target *target)
{
	return target->stands_by;
}

struct volume *volume_of_target(const struct volume_target *target)
{
	return target->volume;
}

bool volume_is_tracked(const struct volume *volume)
{
	return volume->target_count > 0;
}

bool volume_is_held(const struct volume *volume)
{
	bool held = false;

	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		held = held || volume->targets[i].hold;
	return held;
}

/* ---- counters ---- */

static void add_counters(const struct volume_target *target, struct volume_counters *sums)
{
	const struct volume_counters *counters = &target->counters;
	const struct mask_side *open = &target->mask.sides[target->mask.open];
	const struct mask_side *closing = &target->mask.sides[!target->mask.open];

	sums->collisions_sidefile += counters->collisions_sidefile;
	sums->collisions_waited += counters->collisions_waited;
	sums->open_blocks += open->count[MASK_NEEDED];
	sums->closing_blocks += closing->count[MASK_NEEDED];
	if (!target->stands_by)
		sums->unsent_blocks += open->count[MASK_UNSENT] + closing->count[MASK_UNSENT];
	sums->sending_blocks += open->count[MASK_FLYING] + closing->count[MASK_FLYING];
	sums->held_writes += counters->held_writes;
	sums->held_reads += counters->held_reads;
	if (sums->hold_max_ns < counters->hold_max_ns)
		sums->hold_max_ns = counters->hold_max_ns;
}

void volume_get_counters(const struct volume *volume, struct volume_counters *counters)
{
	*counters = volume->counters;
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		add_counters(&volume->targets[i], counters);
}

void volume_get_target_counters(const struct volume_target *target, struct volume_counters *counters)
{
	*counters = target->volume->counters;
	add_counters(target, counters);
}
