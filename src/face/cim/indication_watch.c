/* SPDX-License-Identifier: Apache-2.0 */
/* What has come, changed and gone: the rows of views as they are, compared with those of the round before. */
#include "face/cim/indication_round.h"

#include <stdlib.h>
#include <string.h>

#include "rt/mem.h"

#define ROWS_BYTES_MAX	(128u * 1024 * 1024)	/* of one series */
#define CHANGED_MAX	64u			/* names that are told */

/* Whose changes are told: of these classes and below. */
static const char *const told_classes[] = {
	"CIM_StorageVolume", "CIM_StoragePool", "CIM_StorageSynchronized", "CIM_GroupSynchronized",
	"CIM_ReplicationGroup", "CIM_ConcreteJob",
};

static const char *const change_classes[] = { "CIM_InstCreation", "CIM_InstModification", "CIM_InstDeletion" };

/* ---- which series are wanted ---- */

static bool is_told(const struct cim_schema_class *class)
{
	for (size_t i = 0; i < sizeof(told_classes) / sizeof(told_classes[0]); i++)
		if (cim_schema_is_named(class, told_classes[i]))
			return true;
	return false;
}

/* Can changes of instances of this class meet the query? */
static bool asks_about(const struct query *query, const struct cim_schema_class *class)
{
	for (size_t i = 0; i < sizeof(change_classes) / sizeof(change_classes[0]); i++)
		if (cim_schema_is_a(cim_schema_find_any_class(change_classes[i]), query->class))
			return query_may_embed(query, "SourceInstance", class);
	return false;
}

static bool is_wanted(const struct indication_round *round, const struct cim_view *view, enum cim_namespace ns)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(view->class_name);

	if (!(view->namespaces >> ns & 1) || !view->source || !is_told(class))
		return false;
	for (unsigned i = 0; i < round->watch_count; i++)
		if (round->watches[i].namespaces >> ns & 1 && asks_about(&round->watches[i].query, class))
			return true;
	return false;
}

/* ---- rows ---- */

struct fetched {
	const struct indication_series *series;
	unsigned char *rows;		/* of mem_alloc, or NULL */
	unsigned char *last;		/* the last that was fetched, whether it was kept or not */
	bool has_last;
	unsigned count, room;
};

static int fetch_batch(struct control *control, void *arg)
{
	struct fetched *fetched = arg;
	const struct cim_source *source = fetched->series->view->source;
	unsigned char *end = fetched->rows + fetched->count * source->row_bytes;

	return source->fetch(control, fetched->has_last ? fetched->last : NULL, end, CIM_BATCH_ROWS);
}

static bool make_room(struct fetched *fetched)
{
	size_t row_bytes = fetched->series->view->source->row_bytes;
	unsigned room = fetched->room ? fetched->room * 2 : CIM_BATCH_ROWS;
	unsigned char *rows;

	if (fetched->room - fetched->count >= CIM_BATCH_ROWS)
		return true;
	if (room * row_bytes > ROWS_BYTES_MAX)
		return false;
	rows = mem_resize(fetched->rows, room * row_bytes);
	if (!rows)
		return false;
	fetched->rows = rows;
	fetched->room = room;
	return true;
}

/* Only rows that are instances are kept. */
static void take_batch(struct fetched *fetched, unsigned count)
{
	const struct cim_view *view = fetched->series->view;
	size_t row_bytes = view->source->row_bytes;
	unsigned char *from = fetched->rows + fetched->count * row_bytes;

	memcpy(fetched->last, from + (count - 1) * row_bytes, row_bytes);
	fetched->has_last = true;
	for (unsigned i = 0; i < count; i++, from += row_bytes) {
		if (view->holds && !view->holds(from))
			continue;
		memmove(fetched->rows + fetched->count++ * row_bytes, from, row_bytes);
	}
}

/* All that the view shows now. false: the engine refuses, or there is no memory; then nothing is kept. */
static bool fetch_all(struct indication_round *round, const struct indication_series *series, struct fetched *fetched)
{
	MEM_OWNED unsigned char *last = mem_alloc_zeroed(series->view->source->row_bytes);
	int got = 1;

	*fetched = (struct fetched){ .series = series, .last = last };
	while (last && got > 0 && make_room(fetched)) {
		got = cim_engine_call(round->engine, fetch_batch, fetched);
		if (got > 0)
			take_batch(fetched, (unsigned)got);
	}
	if (got == 0)
		return true;
	mem_free(fetched->rows);
	fetched->rows = NULL;
	return false;
}

/* ---- two runs of rows, compared ---- */

/* A row by the hash of its path. */
struct place {
	uint64_t key;
	unsigned row;
};

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return hash;
}

static int compare_places(const void *a, const void *b)
{
	uint64_t of_a = ((const struct place *)a)->key, of_b = ((const struct place *)b)->key;

	return (of_a > of_b) - (of_a < of_b);
}

/* NULL: no memory. */
static const struct cim_instance *make_instance(struct indication_round *round, struct cim_arena *arena,
						const struct indication_series *series, const unsigned char *row)
{
	const struct cim_instance *instance;

	arena_reset(arena);
	instance = cim_view_instance(arena, round->engine, series->ns, series->view, row);
	round->failed = round->failed || !instance;
	return instance;
}

/* Of rows first to last, in order of keys. NULL: no memory. */
static struct place *sort_rows(struct indication_round *round, const struct indication_series *series,
			       const unsigned char *rows, unsigned first, unsigned last)
{
	struct place *places = mem_alloc((last - first + 1) * sizeof(*places));
	size_t row_bytes = series->view->source->row_bytes;

	for (unsigned i = first; places && i < last; i++) {
		const struct cim_instance *instance = make_instance(round, &round->now, series, rows + i * row_bytes);
		const struct cim_path *path = instance ? cim_instance_path(&round->now, instance) : NULL;
		const char *text = path ? cim_path_print(&round->now, path) : NULL;

		if (!text) {
			mem_free(places);
			return NULL;
		}
		places[i - first] = (struct place){ hash_text(text), i };
	}
	if (places)
		qsort(places, last - first, sizeof(*places), compare_places);
	return places;
}

static bool tell_modified(struct indication_round *round, const struct indication_series *series,
			  const unsigned char *row_before, const unsigned char *row_now)
{
	const struct cim_instance *before, *now;
	const char *changed[CHANGED_MAX];
	unsigned count = 0;

	if (!memcmp(row_before, row_now, series->view->source->row_bytes))
		return true;
	before = make_instance(round, &round->before, series, row_before);
	now = make_instance(round, &round->now, series, row_now);
	if (!before || !now)
		return true;
	for (unsigned i = 0; i < now->class->property_count && count < CHANGED_MAX; i++)
		if (!cim_value_equal(&before->values[i], &now->values[i]))
			changed[count++] = now->class->properties[i]->name;
	return !count || indication_tell_change(round, before, now, changed, count);
}

static bool tell_one(struct indication_round *round, const struct indication_series *series,
		     const unsigned char *row_before, const unsigned char *row_now)
{
	const struct cim_instance *instance = make_instance(round, &round->before, series,
							    row_before ? row_before : row_now);

	arena_reset(&round->now);
	return !instance || indication_tell_change(round, row_before ? instance : NULL, row_now ? instance : NULL,
						   NULL, 0);
}

/* Both are sorted; what only one has has gone, or come. */
static bool tell_differences(struct indication_round *round, const struct indication_series *series,
			     const struct place *before, unsigned before_count, const unsigned char *rows_now,
			     const struct place *now, unsigned now_count)
{
	size_t row_bytes = series->view->source->row_bytes;
	unsigned i = 0, j = 0;
	bool going_on = true;

	while (going_on && (i < before_count || j < now_count)) {
		const unsigned char *old = i < before_count ? series->rows + before[i].row * row_bytes : NULL;
		const unsigned char *new = j < now_count ? rows_now + now[j].row * row_bytes : NULL;

		if (old && new && before[i].key == now[j].key) {
			going_on = tell_modified(round, series, old, new);
			i++;
			j++;
		} else if (!new || (old && before[i].key < now[j].key)) {
			going_on = tell_one(round, series, old, NULL);
			i++;
		} else {
			going_on = tell_one(round, series, NULL, new);
			j++;
		}
	}
	return going_on;
}

/* What is the same at both ends, which is most of it most of the time, costs a comparison of memory. */
static bool compare_rows(struct indication_round *round, const struct indication_series *series,
			 const struct fetched *now)
{
	size_t row_bytes = series->view->source->row_bytes;
	unsigned first = 0, last_before = series->count, last_now = now->count;
	struct place *before, *places;
	bool going_on = true;

	while (first < last_before && first < last_now &&
	       !memcmp(series->rows + first * row_bytes, now->rows + first * row_bytes, row_bytes))
		first++;
	while (last_before > first && last_now > first &&
	       !memcmp(series->rows + (last_before - 1) * row_bytes, now->rows + (last_now - 1) * row_bytes,
		       row_bytes)) {
		last_before--;
		last_now--;
	}
	if (first == last_before && first == last_now)
		return true;
	before = sort_rows(round, series, series->rows, first, last_before);
	places = sort_rows(round, series, now->rows, first, last_now);
	if (before && places)
		going_on = tell_differences(round, series, before, last_before - first, now->rows, places,
					    last_now - first);
	mem_free(before);
	mem_free(places);
	return going_on;
}

/* ---- all of them ---- */

bool indication_watch_compare(struct indication_round *round)
{
	bool going_on = true;

	for (unsigned i = 0; i < round->series_count && going_on; i++) {
		struct indication_series *series = &round->series[i];
		struct fetched now;

		if (!fetch_all(round, series, &now))
			return false;
		going_on = compare_rows(round, series, &now);
		mem_free(series->rows);
		series->rows = now.rows;
		series->count = now.count;
	}
	return going_on;
}

static struct indication_series *find_series(struct indication_round *round, const struct cim_view *view,
					     enum cim_namespace ns)
{
	for (unsigned i = 0; i < round->series_count; i++)
		if (round->series[i].view == view && round->series[i].ns == ns)
			return &round->series[i];
	return NULL;
}

static bool add_series(struct indication_round *round, const struct cim_view *view, enum cim_namespace ns)
{
	struct indication_series *all = mem_resize(round->series, (round->series_count + 1) * sizeof(*all));
	struct indication_series *series;
	struct fetched fetched;

	if (!all)
		return false;
	round->series = all;
	series = &all[round->series_count];
	*series = (struct indication_series){ .view = view, .ns = ns, .wanted = true };
	if (!fetch_all(round, series, &fetched))
		return false;
	series->rows = fetched.rows;
	series->count = fetched.count;
	round->series_count++;
	return true;
}

static void drop_unwanted(struct indication_round *round)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < round->series_count; i++)
		if (round->series[i].wanted)
			round->series[kept++] = round->series[i];
		else
			mem_free(round->series[i].rows);
	round->series_count = kept;
}

bool indication_watch_settle(struct indication_round *round)
{
	for (unsigned i = 0; i < round->series_count; i++)
		round->series[i].wanted = false;
	for (unsigned list = 0; list < cim_view_list_count; list++)
		for (const struct cim_view *view = cim_views[list]; view->class_name; view++)
			for (enum cim_namespace ns = 0; ns < CIM_NAMESPACE_COUNT; ns++) {
				struct indication_series *series = find_series(round, view, ns);

				if (!is_wanted(round, view, ns))
					continue;
				if (series)
					series->wanted = true;
				else if (!add_series(round, view, ns))
					return false;
			}
	drop_unwanted(round);
	return true;
}

void indication_watch_free(struct indication_round *round)
{
	for (unsigned i = 0; i < round->series_count; i++)
		round->series[i].wanted = false;
	drop_unwanted(round);
	mem_free(round->series);
	round->series = NULL;
}
