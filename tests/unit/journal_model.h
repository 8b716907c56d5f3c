/* SPDX-License-Identifier: Apache-2.0 */
/* journal_model.h - a journal in plain memory, for test_journal_model.c: what it may hold, and what its CGs show. */
#ifndef XDC_TESTS_JOURNAL_MODEL_H
#define XDC_TESTS_JOURNAL_MODEL_H

#include <string.h>

#include "rt/bytes.h"
#include "rt/rt.h"
#include "rt_check.h"
#include "store/journal.h"

#define VOLUMES		3u		/* each has its own appending fiber */
#define BLOCKS		48u
#define BLOCK		JOURNAL_BLOCK_SIZE
#define PENDING_MAX	20000u
#define PAST_MAX	1024u		/* committed CGs of a run */
#define FOLDER		"/journals"
#define LEG		"1-2105.FA120"

struct numbers {
	uint64_t committed, prepared, applied, incarnation, epoch;
	bool decided;
	uint64_t decision;
};

/* An append that was answered, not yet committed. */
struct pending {
	uint64_t tag;
	uint64_t stamp;			/* 0: zeros */
	uint16_t volume;
	uint32_t first, count;
};

struct counts {
	uint64_t appends, prepares, commits, aborts, passes, decisions, full, failed, voided, starts, refused_starts;
	uint64_t checks, unapplied, under_way;
	uint64_t gone_back, points_back, points_gone, befores;
};

struct past_image {
	uint64_t number;
	uint64_t image[VOLUMES][BLOCKS];
};

/* Lives outside, so it survives the crashes of the system. */
struct model {
	uint64_t random;
	struct numbers now, next;	/* next: what the call under way may make durable */
	bool under_way;
	struct pending pending[PENDING_MAX];
	unsigned pending_count;
	uint64_t image[VOLUMES][BLOCKS];	/* of the committed CG */
	uint64_t cache[VOLUMES][BLOCKS];	/* the volumes, as they show */
	uint64_t disk[VOLUMES][BLOCKS];		/* the volumes, as they are after a power loss, or as in the cache */
	uint64_t stamp;
	uint64_t floor;			/* appends have higher tags */
	uint64_t flying[VOLUMES];	/* tag of the append under way, 0: none */
	bool removing;			/* the journal is to be made anew */
	struct journal *journal;
	struct rt_cond changed;
	bool ends;			/* the fibers of this life stop */
	struct counts *counts;
	bool keeps, has_room;		/* points, in this run */
	unsigned past_count;
	struct past_image past[PAST_MAX];
};

static inline uint64_t draw(struct model *model, uint64_t bound)
{
	model->random = model->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (model->random >> 33) % bound;
}

/* ---- blocks with a stamp in them ---- */

static inline void stamp_block(uint8_t *block, uint64_t stamp)
{
	for (unsigned at = 0; at < BLOCK; at += 8)
		put_le64(block + at, stamp);
}

static inline uint64_t stamp_of(const uint8_t *block)
{
	for (unsigned at = 8; at < BLOCK; at += 8)
		CHECK_EQUAL(get_le64(block + at), get_le64(block));
	return get_le64(block);
}

/* ---- the model ---- */

/* Commits in the model: the highest tag on top, of equal tags the later. */
static inline void commit_image(struct model *model, uint64_t number)
{
	uint64_t top[VOLUMES][BLOCKS] = { 0 };
	unsigned kept = 0;

	for (unsigned i = 0; i < model->pending_count; i++) {
		const struct pending *p = &model->pending[i];
		if (p->tag > number) {
			model->pending[kept++] = *p;
			continue;
		}
		for (uint32_t b = p->first; b < p->first + p->count; b++) {
			if (p->tag < top[p->volume][b])
				continue;
			top[p->volume][b] = p->tag;
			model->image[p->volume][b] = p->stamp ? p->stamp + b - p->first : 0;
		}
	}
	model->pending_count = kept;
	CHECK(model->past_count < PAST_MAX);
	model->past[model->past_count].number = number;
	memcpy(model->past[model->past_count++].image, model->image, sizeof(model->image));
}

static inline void void_above(struct model *model, uint64_t tag)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < model->pending_count; i++) {
		if (model->pending[i].tag <= tag)
			model->pending[kept++] = model->pending[i];
		else
			model->counts->voided++;
	}
	model->pending_count = kept;
}

static inline bool is_state(const struct journal_info *info, const struct numbers *numbers)
{
	return info->committed == numbers->committed && info->prepared == numbers->prepared &&
	       info->applied == numbers->applied && info->incarnation == numbers->incarnation &&
	       info->epoch == numbers->epoch && info->decided == numbers->decided &&
	       info->decision == numbers->decision;
}

static inline void take_state(struct model *model, const struct numbers *numbers)
{
	if (numbers->committed != model->now.committed)
		commit_image(model, numbers->committed);
	if (numbers->decided)
		void_above(model, numbers->committed);
	model->now = *numbers;
	model->under_way = false;
}

#endif
