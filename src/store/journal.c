/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/journal_private.h"
#include "store/planted.h"

void journal_limits_default(struct journal_limits *limits)
{
	*limits = (struct journal_limits){ .bytes = UINT64_C(16) << 30, .segment_bytes = 16u << 20, .runs = 4u << 20 };
}

/* ---- opening and closing ---- */

static bool leg_is_valid(const char *leg)
{
	size_t len = strlen(leg);

	if (len == 0 || len >= JOURNAL_LEG_MAX || leg[0] == '.')
		return false;
	return strspn(leg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

static bool limits_are_valid(const struct journal_limits *limits)
{
	uint64_t segments;

	if (limits->segment_bytes < JOURNAL_SEGMENT_BYTES_MIN || limits->segment_bytes > JOURNAL_SEGMENT_BYTES_MAX ||
	    limits->segment_bytes % JOURNAL_BLOCK_SIZE != 0 || limits->runs == 0)
		return false;
	segments = limits->bytes / limits->segment_bytes;
	/* The list of all segments takes no more of one than its share. */
	return segments >= JOURNAL_SEGMENTS_MIN && segments <= JOURNAL_SEGMENTS_MAX &&
	       segments * ENTRY_SIZE <= limits->segment_bytes / 8;
}

static void free_journal(struct journal *journal)
{
	for (uint32_t slot = 0; slot < journal->segment_count; slot++)
		rt_file_close(journal->segments[slot].file);
	journal_drop_layers(journal, &journal->layers, 0, UINT64_MAX);
	journal_drop_layers(journal, &journal->befores, 0, UINT64_MAX);
	mem_free(journal->points.point);
	mem_free(journal->segments);
	mem_free(journal->entries);
	mem_free(journal->buffer);
	mem_free(journal->committed_cg);
	mem_free(journal->prepared_cg);
	mem_free(journal);
}

void journal_note_fault(struct journal *journal, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(journal->fault, sizeof(journal->fault), format, args);
	va_end(args);
	log_line(LOG_ERROR, "journal", "%s/%s", journal->folder, journal->fault);
}

const char *journal_fault(const struct journal *journal)
{
	return journal->fault[0] ? journal->fault : NULL;
}

static int make_object(const char *folder, const char *leg, const struct journal_limits *limits, struct journal **out)
{
	struct journal *journal;

	if (!leg_is_valid(leg) || !limits_are_valid(limits) || strlen(folder) >= JOURNAL_FOLDER_MAX)
		return -EINVAL;
	journal = mem_alloc_zeroed(sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	memcpy(journal->folder, folder, strlen(folder));
	memcpy(journal->leg, leg, strlen(leg));
	journal->limits = *limits;
	journal->current = NO_SEGMENT;
	rt_mutex_init(&journal->turn);
	list_init(&journal->layers);
	list_init(&journal->befores);
	*out = journal;
	return 0;
}

int journal_open(const char *folder, const char *leg, const struct journal_limits *limits, struct journal **out)
{
	struct journal *journal;
	int rc = make_object(folder, leg, limits, &journal);

	if (rc < 0)
		return rc;
	rc = journal_recover(journal);
	if (rc < 0)
		free_journal(journal);
	else
		*out = journal;
	return rc;
}

int journal_open_made(const char *folder, const char *leg, const struct journal_limits *limits,
		      char fault[JOURNAL_FAULT_MAX], struct journal **out)
{
	struct journal *journal;
	int rc = make_object(folder, leg, limits, &journal);

	fault[0] = '\0';
	if (rc < 0)
		return rc;
	journal->must_exist = true;
	rc = journal_recover(journal);
	memcpy(fault, journal->fault, JOURNAL_FAULT_MAX);
	if (rc < 0)
		free_journal(journal);
	else
		*out = journal;
	return rc;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	assert(!journal->turn.held);
	free_journal(journal);
}

/* Counts the slots: one more than the highest. An unfinished file has the slot behind the last. */
static void count_file(void *arg, int slot)
{
	int *slots = arg;

	if (slot >= *slots)
		*slots = slot + 1;
}

int journal_remove(const char *folder, const char *leg)
{
	char path[JOURNAL_PATH_MAX];
	int slots = 0, rc;

	if (!leg_is_valid(leg) || strlen(folder) >= JOURNAL_FOLDER_MAX)
		return -EINVAL;
	rc = journal_each_file(folder, leg, count_file, &slots);
	/*
	 * From the first on: what is left of a removal that was cut off is refused by journal_open, never taken for
	 * whole.
	 */
	for (int slot = 0; slot <= slots && rc == 0; slot++) {
		journal_segment_path(folder, leg, (uint32_t)slot, slot < slots ? "" : ".new", path);
		rc = rt_path_unlink(path);
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc == 0 ? rt_path_sync_folder(folder) : rc;
}

/* ---- one call at a time ---- */

static int take_turn(struct journal *journal)
{
	int rc = rt_mutex_lock(&journal->turn);

	if (rc == 0 && journal->failed) {
		rt_mutex_unlock(&journal->turn);
		return -EIO;
	}
	return rc;
}

static bool is_fenced(const struct journal *journal)
{
	return journal->numbers.epoch != 0;
}

/* ---- data ---- */

static int append(struct journal *journal, const struct record *record, const void *data)
{
	const struct journal_numbers *numbers = &journal->numbers;
	struct layer *layer;
	struct run run;
	int rc;

	if (is_fenced(journal) || record->tag <= numbers->committed || record->tag <= numbers->prepared)
		return -ESTALE;
	/* One run may split another. */
	if (journal->runs + 2 > journal->limits.runs)
		return -ENOSPC;
	rc = journal_make_room(journal, record_data_length(record->blocks, record->zero), true);
	if (rc < 0)
		return rc;
	layer = journal_reserve_layer(&journal->layers, record->tag);
	if (!layer)
		return -ENOMEM;
	rc = journal_write_data(journal, record, data);
	if (rc < 0)
		return rc;
	run = entry_run(&journal->entries[journal->entry_count - 1]);
	journal_put_run(journal, layer, &run);
	return 0;
}

int journal_append(struct journal *journal, uint16_t volume, uint64_t offset, uint32_t len, uint64_t tag,
		   const void *data)
{
	struct record record = { .kind = RECORD_DATA, .zero = !data, .tag = tag, .volume = volume,
				 .block = offset / JOURNAL_BLOCK_SIZE };
	int rc;

	if (len == 0 || len > JOURNAL_RUN_MAX || len > journal->limits.segment_bytes / 8 ||
	    len % JOURNAL_BLOCK_SIZE != 0 || offset % JOURNAL_BLOCK_SIZE != 0 ||
	    record.block + len / JOURNAL_BLOCK_SIZE >= UINT64_C(1) << 48 || tag == 0 || tag > JOURNAL_TAG_MAX)
		return -EINVAL;
	record.blocks = (uint16_t)(len / JOURNAL_BLOCK_SIZE);
	rc = take_turn(journal);
	if (rc < 0)
		return rc;
	{
		RT_SHIELD();
		rc = append(journal, &record, data);
	}
	if (rc == 0 || rc == -ENOSPC)
		journal->full = rc == -ENOSPC;
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- prepared and committed ---- */

/* The present numbers give way to those that were made durable. */
static void take_numbers(struct journal *journal, const struct journal_numbers *numbers)
{
	struct journal_numbers *old = &journal->numbers;

	if (numbers->committed != old->committed) {
		assert(numbers->committed == old->prepared);
		mem_free(journal->committed_cg);
		journal->committed_cg = journal->prepared_cg;
		journal->prepared_cg = NULL;
		journal->committed_at_ns = rt_now_ns();
	}
	if (numbers->prepared != old->prepared) {
		mem_free(journal->prepared_cg);
		journal->prepared_cg = NULL;
	}
	*old = *numbers;
}

static int prepare(struct journal *journal, const struct journal_cg *cg)
{
	struct journal_numbers numbers = journal->numbers;
	struct journal_cg *kept;
	int rc;

	if (is_fenced(journal) || cg->incarnation < numbers.incarnation)
		return -ESTALE;
	if (cg->number == numbers.prepared)
		return 0;
	if (cg->number < numbers.prepared || cg->number <= numbers.committed)
		return -ESTALE;
	kept = journal_cg_copy(cg);
	if (!kept)
		return -ENOMEM;
	numbers.prepared = cg->number;
	numbers.incarnation = cg->incarnation;
	rc = journal_write_state(journal, &numbers, NULL, kept);
	if (rc < 0) {
		mem_free(kept);
		return rc;
	}
	take_numbers(journal, &numbers);
	journal->prepared_cg = kept;
	journal->prepared_at_ns = rt_now_ns();
	return 0;
}

int journal_prepare(struct journal *journal, const struct journal_cg *cg)
{
	int rc;

	if (cg->number == 0 || cg->number > JOURNAL_TAG_MAX || cg->volume_count > JOURNAL_VOLUMES_MAX ||
	    cg->member_bytes > JOURNAL_MEMBERS_MAX || journal_cg_size(cg) > journal_cg_max(journal) ||
	    strnlen(cg->master, JOURNAL_SYSTEM_MAX) == JOURNAL_SYSTEM_MAX)
		return -EINVAL;
	rc = take_turn(journal);
	if (rc < 0)
		return rc;
	{
		RT_SHIELD();
		rc = prepare(journal, cg);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

static int commit(struct journal *journal, uint64_t number, uint64_t incarnation)
{
	struct journal_numbers numbers = journal->numbers;
	int rc;

	if (is_fenced(journal) || incarnation < numbers.incarnation || number < numbers.committed)
		return -ESTALE;
	if (number == numbers.committed)
		return number == 0 ? -EINVAL : 0;
	if (number != numbers.prepared)
		return -EINVAL;
	/* The mistake: a CG is what is tagged with its number. */
	if (planted(PLANTED_TAG_EQUAL))
		journal_drop_layers(journal, &journal->layers, numbers.committed, number - 1);
	numbers.committed = number;
	numbers.prepared = 0;
	if (numbers.keeps)
		journal_keep_up(journal, &numbers);
	rc = journal_write_state(journal, &numbers, numbers.keeps ? journal->prepared_cg : NULL, NULL);
	if (rc < 0)
		return rc;
	take_numbers(journal, &numbers);
	journal_trim_points(journal);
	journal_fold_layers(journal);
	return 0;
}

int journal_commit(struct journal *journal, uint64_t number, uint64_t incarnation)
{
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	{
		RT_SHIELD();
		rc = commit(journal, number, incarnation);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* Makes the numbers durable and takes them. */
static int change_numbers(struct journal *journal, struct journal_numbers *numbers)
{
	int rc;

	RT_SHIELD();
	rc = journal_write_state(journal, numbers, NULL, NULL);
	if (rc == 0)
		take_numbers(journal, numbers);
	return rc;
}

int journal_abort(struct journal *journal, uint64_t number, uint64_t incarnation)
{
	struct journal_numbers numbers;
	int rc;

	if (number == 0)
		return -EINVAL;
	rc = take_turn(journal);
	if (rc < 0)
		return rc;
	numbers = journal->numbers;
	numbers.prepared = 0;
	if (is_fenced(journal) || incarnation < numbers.incarnation || number <= numbers.committed)
		rc = -ESTALE;
	else if (number == journal->numbers.prepared)
		rc = change_numbers(journal, &numbers);
	rt_mutex_unlock(&journal->turn);
	return rc;
}

int journal_obey(struct journal *journal, uint64_t incarnation)
{
	struct journal_numbers numbers;
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	numbers = journal->numbers;
	numbers.incarnation = incarnation;
	if (is_fenced(journal) || incarnation < journal->numbers.incarnation)
		rc = -ESTALE;
	else if (incarnation > journal->numbers.incarnation)
		rc = change_numbers(journal, &numbers);
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* The highest tag that each segment still has data of, now that others are dropped; the old ones go to before. */
static void lower_last_tags(struct journal *journal, uint64_t *before)
{
	struct layer *layer;
	struct run run;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		before[slot] = journal->segments[slot].last_tag;
		journal->segments[slot].last_tag = 0;
	}
	list_for_each(layer, &journal->layers, link) {
		for (uint64_t key = 0; runs_find(&layer->runs, key, &run); key = run_end(&run)) {
			struct segment *segment = &journal->segments[run.place >> 32];

			if (segment->last_tag < run_tag(&run))
				segment->last_tag = run_tag(&run);
		}
	}
}

static int void_unprepared(struct journal *journal)
{
	struct journal_numbers *numbers = &journal->numbers;
	struct rotation rotation = {
		.numbers = numbers, .committed_cg = journal->committed_cg, .prepared_cg = journal->prepared_cg,
		.valid_to = numbers->prepared ? numbers->prepared : numbers->committed,
	};
	MEM_OWNED uint64_t *before = mem_alloc_zeroed((journal->segment_count + 1) * sizeof(before[0]));
	int rc;

	if (is_fenced(journal))
		return -ESTALE;
	if (!before)
		return -ENOMEM;
	journal_drop_layers(journal, &journal->layers, rotation.valid_to, UINT64_MAX);
	lower_last_tags(journal, before);
	rc = journal_rotate(journal, &rotation);
	/* Until a checkpoint says so they are not free. */
	for (uint32_t slot = 0; rc < 0 && slot < journal->segment_count; slot++)
		journal->segments[slot].last_tag = before[slot];
	if (rc == 0)
		journal->full = false;
	return rc;
}

int journal_void(struct journal *journal)
{
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	{
		RT_SHIELD();
		rc = void_unprepared(journal);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- recovery ---- */

/* -1, 0, 1: the fence that stands is lower, the same, higher. */
static int compare_fence(const struct journal_numbers *numbers, uint64_t epoch, const char *initiator)
{
	int order;

	if (numbers->epoch != epoch)
		return numbers->epoch < epoch ? -1 : 1;
	order = strcmp(numbers->initiator, initiator);
	return (order > 0) - (order < 0);
}

int journal_fence(struct journal *journal, uint64_t epoch, const char *initiator)
{
	struct journal_numbers numbers;
	int rc, order;

	if (epoch == 0 || initiator[0] == 0 || strlen(initiator) >= JOURNAL_SYSTEM_MAX)
		return -EINVAL;
	rc = take_turn(journal);
	if (rc < 0)
		return rc;
	numbers = journal->numbers;
	order = compare_fence(&numbers, epoch, initiator);
	numbers.epoch = epoch;
	memset(numbers.initiator, 0, sizeof(numbers.initiator));
	memcpy(numbers.initiator, initiator, strlen(initiator));
	if (order > 0)
		rc = -ESTALE;
	else if (order < 0)
		rc = change_numbers(journal, &numbers);
	rt_mutex_unlock(&journal->turn);
	return rc;
}

static int decide(struct journal *journal, uint64_t number, bool forced)
{
	struct journal_numbers numbers = journal->numbers;
	bool prepared = numbers.prepared != 0 && number == numbers.prepared;
	bool older = journal_is_point(journal, number) && number < numbers.committed;
	struct rotation rotation = {
		.numbers = &numbers,
		.committed_cg = prepared ? journal->prepared_cg : journal->committed_cg,
		.valid_to = older ? numbers.committed : number,
	};
	int rc;

	if ((!prepared && !older && number != numbers.committed) ||
	    (numbers.decided && numbers.decision != number && (older || numbers_go_back(&numbers))))
		return -EINVAL;
	if (older && numbers.applied < numbers.committed)
		return -EAGAIN;
	if (numbers.decided && numbers.decision == number && numbers.forced == forced && numbers.prepared == 0)
		return 0;
	numbers.committed = rotation.valid_to;
	numbers.prepared = 0;
	numbers.decided = true;
	numbers.decision = number;
	numbers.forced = forced;
	rc = journal_rotate(journal, &rotation);
	if (rc < 0)
		return rc;
	take_numbers(journal, &numbers);
	journal_trim_points(journal);
	journal_drop_layers(journal, &journal->layers, numbers.committed, UINT64_MAX);
	journal_fold_layers(journal);
	return 0;
}

int journal_back_done(struct journal *journal)
{
	struct journal_numbers numbers;
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	numbers = journal->numbers;
	numbers.back = true;
	if (!numbers_go_back(&numbers))
		rc = -EINVAL;
	else if (!journal->numbers.back)
		rc = change_numbers(journal, &numbers);
	rt_mutex_unlock(&journal->turn);
	return rc;
}

int journal_decide(struct journal *journal, uint64_t number, uint64_t epoch, const char *initiator, bool forced)
{
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	if (epoch == 0 || compare_fence(&journal->numbers, epoch, initiator) != 0) {
		rc = -ESTALE;
	} else {
		RT_SHIELD();
		rc = decide(journal, number, forced);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- applied ---- */

static int apply_done(struct journal *journal, uint64_t up_to)
{
	struct journal_numbers numbers = journal->numbers;
	int rc;

	if (up_to == numbers.applied && journal->pass == 0)
		return 0;
	if (up_to != journal->pass || !journal->pass_ended)
		return -EINVAL;
	numbers.applied = up_to;
	journal_expire_points(journal, &numbers);
	rc = journal_write_state(journal, &numbers, NULL, NULL);
	if (rc < 0)
		return rc;
	journal->numbers = numbers;
	journal->applied_at_ns = rt_now_ns();
	journal->pass = 0;
	journal_drop_layers(journal, &journal->layers, 0, up_to);
	journal_drop_layers(journal, &journal->befores, 0, up_to);
	journal_trim_points(journal);
	journal_free_segments(journal);
	return 0;
}

int journal_apply_done(struct journal *journal, uint64_t up_to)
{
	int rc = take_turn(journal);

	if (rc < 0)
		return rc;
	{
		RT_SHIELD();
		rc = apply_done(journal, up_to);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- what it holds ---- */

void journal_get_info(const struct journal *journal, struct journal_info *info)
{
	const struct journal_numbers *numbers = &journal->numbers;
	uint64_t segment_bytes = journal->limits.segment_bytes, kept = journal_count_kept(journal, numbers);
	const struct layer *layer;

	*info = (struct journal_info){
		.made = journal->made, .full = journal->full, .failed = journal->failed,
		.committed = numbers->committed, .prepared = numbers->prepared, .applied = numbers->applied,
		.highest_tag = numbers->prepared ? numbers->prepared : numbers->committed,
		.incarnation = numbers->incarnation, .epoch = numbers->epoch,
		.decided = numbers->decided, .forced = numbers->forced, .decision = numbers->decision,
		.goes_back = numbers_go_back(numbers), .back = numbers->back,
		.void_runs = journal->void_runs,
		.used_bytes = (journal->segment_count - journal->segments_free - kept) * segment_bytes,
		.kept_bytes = kept * segment_bytes, .keeps = numbers->keeps,
		.points_given_up = journal->points_given_up, .points = journal->points.count,
		.oldest_point = journal->points.count ? journal->points.point[0].number : 0,
		.limit_bytes = journal->segment_max * segment_bytes,
		.allocated_bytes = journal->segment_count * segment_bytes,
		.runs = journal->runs, .runs_limit = journal->limits.runs,
		.committed_at_ns = journal->committed_at_ns, .prepared_at_ns = journal->prepared_at_ns,
		.applied_at_ns = journal->applied_at_ns,
	};
	memcpy(info->initiator, numbers->initiator, sizeof(info->initiator));
	list_for_each(layer, &journal->layers, link) {
		if (layer->runs.count > 0 && layer->tag > info->highest_tag)
			info->highest_tag = layer->tag;
		if (layer->tag > numbers->applied && layer->tag <= numbers->committed)
			info->unapplied_bytes += layer->runs.blocks * JOURNAL_BLOCK_SIZE;
	}
}

const struct journal_cg *journal_committed_cg(const struct journal *journal)
{
	return journal->committed_cg;
}

const struct journal_cg *journal_prepared_cg(const struct journal *journal)
{
	return journal->prepared_cg;
}
