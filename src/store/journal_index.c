/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal holds of which block: a layer for each tag. A commit moves nothing: the committed content that is
 * not yet applied is what the layers between the applied and the committed number show, the highest on top.
 */
#include "rt/mem.h"
#include "store/journal_private.h"

/* A lookup goes through so many committed layers at most, and those of a pass that is under way. */
#define LAYERS_MAX	16u

/* ---- layers ---- */

struct layer *journal_reserve_layer(struct list_head *layers, uint64_t tag)
{
	struct list_head *after = layers;
	struct layer *layer;

	for (struct list_head *at = layers->prev; at != layers; at = at->prev) {
		layer = container_of(at, struct layer, link);
		if (layer->tag == tag)
			return runs_reserve(&layer->runs) == 0 ? layer : NULL;
		if (layer->tag < tag) {
			after = at;
			break;
		}
	}
	layer = mem_alloc_zeroed(sizeof(*layer));
	if (!layer)
		return NULL;
	layer->tag = tag;
	if (runs_reserve(&layer->runs) < 0) {
		runs_clear(&layer->runs);
		mem_free(layer);
		return NULL;
	}
	list_insert(&layer->link, after, after->next);
	return layer;
}

void journal_put_run(struct journal *journal, struct layer *layer, const struct run *run)
{
	uint64_t before = layer->runs.count;

	runs_put(&layer->runs, run);
	journal->runs += layer->runs.count - before;
}

static void drop_layer(struct journal *journal, struct layer *layer)
{
	journal->runs -= layer->runs.count;
	runs_clear(&layer->runs);
	list_remove(&layer->link);
	mem_free(layer);
}

void journal_drop_layers(struct journal *journal, struct list_head *layers, uint64_t first, uint64_t last)
{
	struct layer *layer, *tmp;

	list_for_each_safe(layer, tmp, layers, link) {
		if (layer->tag > first && layer->tag <= last)
			drop_layer(journal, layer);
	}
}

/* Puts the newer layer over the older one and drops it. Without memory both stay, which shows the same. */
static bool fold_pair(struct journal *journal, struct layer *older, struct layer *newer)
{
	struct run run;

	for (uint64_t key = 0; runs_find(&newer->runs, key, &run); key = run_end(&run)) {
		if (runs_reserve(&older->runs) < 0)
			return false;
		journal_put_run(journal, older, &run);
	}
	older->tag = newer->tag;
	drop_layer(journal, newer);
	return true;
}

/* Committed layers that no pass hands out may become one, if nobody will ask for a moment between them again. */
static bool may_fold(const struct journal *journal, const struct layer *layer)
{
	uint64_t above = journal->pass > journal->numbers.applied ? journal->pass : journal->numbers.applied;

	return layer->tag > above && layer->tag <= journal->numbers.committed;
}

void journal_fold_layers(struct journal *journal)
{
	for (;;) {
		struct layer *layer, *before = NULL, *best = NULL;
		uint64_t best_count = UINT64_MAX;
		unsigned count = 0;

		list_for_each(layer, &journal->layers, link) {
			if (!may_fold(journal, layer))
				continue;
			count++;
			if (before && before->runs.count + layer->runs.count < best_count &&
			    !journal_has_point(journal, before->tag, layer->tag)) {
				best = before;
				best_count = before->runs.count + layer->runs.count;
			}
			before = layer;
		}
		if (count <= LAYERS_MAX || !best ||
		    !fold_pair(journal, best, container_of(best->link.next, struct layer, link)))
			return;
	}
}

/* ---- content ---- */

bool journal_find_content(const struct list_head *layers, uint64_t from, uint64_t to, uint64_t above, uint64_t up_to,
			  struct run *piece)
{
	uint64_t start = to, end = to;
	struct run found, best = { 0 };

	/* From the newest to the oldest: an older layer shows only in front of where all newer ones begin. */
	for (const struct list_head *at = layers->prev; at != layers; at = at->prev) {
		const struct layer *layer = container_of(at, const struct layer, link);
		if (layer->tag > up_to)
			continue;
		if (layer->tag <= above)
			break;
		if (!runs_find(&layer->runs, from, &found) || found.key >= start)
			continue;
		end = run_end(&found) < start ? run_end(&found) : start;
		start = found.key > from ? found.key : from;
		best = found;
		if (start == from)
			break;
	}
	if (start == to)
		return false;
	*piece = run_part(&best, start, end);
	return true;
}
