/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/view.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "face/cim/view_part.h"
#include "rt/mem.h"

/* Of the values of one instance, beside its row. */
#define SCRATCH_BYTES	(1024u * 1024)

/* ---- views and the schema ---- */

/* The view after this one (NULL: the first). NULL: that was the last. */
static const struct cim_view *next_view(const struct cim_view *view, unsigned *list)
{
	if (view)
		view++;
	else
		view = cim_views[*list = 0];
	while (!view->class_name) {
		if (++*list == cim_view_list_count)
			return NULL;
		view = cim_views[*list];
	}
	return view;
}

static const struct cim_column *find_column(const struct cim_column *columns, const char *property)
{
	for (; columns && columns->property; columns++)
		if (!strcmp(columns->property, property))
			return columns;
	return NULL;
}

const char *cim_columns_check(const struct cim_schema_class *class, const struct cim_column *columns)
{
	for (; columns && columns->property; columns++) {
		const struct cim_schema_property *property = cim_schema_find_property(class, columns->property);

		/* Spelt as there: find_column looks no further. */
		if (!property || strcmp(property->name, columns->property) != 0 ||
		    find_column(columns + 1, columns->property))
			return columns->property;
	}
	return NULL;
}

const char *cim_views_check(void)
{
	const struct cim_view *view = NULL;
	unsigned list;

	while ((view = next_view(view, &list)) != NULL) {
		const struct cim_schema_class *class = cim_schema_find_any_class(view->class_name);
		const char *wrong;

		if (!class || class->is_abstract || (view->namespaces & ~class->namespaces) || !view->namespaces)
			return view->class_name;
		wrong = cim_columns_check(class, view->columns);
		if (!wrong)
			wrong = cim_columns_check(class, view->more_columns);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* ---- a view as instances of one namespace ---- */

static void set_fallback(struct cim_arena *arena, const struct cim_schema_property *property, struct cim_value *value)
{
	struct cim_scalar *list;

	*value = (struct cim_value){ .type = property->type, .is_array = property->is_array, .is_null = true };
	if (!property->fallback.list || property->type == CIM_TYPE_REFERENCE)
		return;
	list = arena_take(arena, (property->fallback.count + 1) * sizeof(*list));
	if (!list)
		return;
	for (unsigned i = 0; i < property->fallback.count; i++)
		if (!cim_scalar_read(property->type, property->fallback.list[i], &list[i]))
			return;
	value->is_null = false;
	value->list = list;
	value->count = property->fallback.count;
	value->one = list[0];
}

bool cim_view_bind(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
		   const struct cim_view *view, struct cim_binding *binding)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(view->class_name);

	assert(class && cim_schema_holds(ns, class));
	*binding = (struct cim_binding){ .view = view, .ns = ns, .class = class, .system = cim_engine_system(engine) };
	binding->columns = arena_take(arena, (class->property_count + 1) * sizeof(*binding->columns));
	binding->fallbacks = arena_take(arena, (class->property_count + 1) * sizeof(*binding->fallbacks));
	if (!binding->columns || !binding->fallbacks)
		return false;
	for (unsigned i = 0; i < class->property_count; i++) {
		binding->columns[i] = find_column(view->columns, class->properties[i]->name);
		if (!binding->columns[i])
			binding->columns[i] = find_column(view->more_columns, class->properties[i]->name);
		if (!binding->columns[i])
			set_fallback(arena, class->properties[i], &binding->fallbacks[i]);
	}
	return !arena->failed;
}

static uint64_t read_number(const void *row, const struct cim_column *column)
{
	const unsigned char *at = (const unsigned char *)row + column->offset;
	uint16_t two;
	uint32_t four;
	uint64_t eight;

	switch (column->size) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	case 4:
		memcpy(&four, at, sizeof(four));
		return four;
	default:
		assert(column->size == 8);
		memcpy(&eight, at, sizeof(eight));
		return eight;
	}
}

static void set_value(const struct cim_place *place, const struct cim_column *column, const void *row,
		      struct cim_value *value)
{
	const char *text = row ? (const char *)row + column->offset : NULL;
	uint16_t number = (uint16_t)column->number;

	switch (column->kind) {
	case CIM_COLUMN_TEXT:
		cim_set_text(value, column->text);
		return;
	case CIM_COLUMN_NUMBER:
		cim_set_number(value, column->number);
		return;
	case CIM_COLUMN_FLAG:
		cim_set_flag(value, column->number != 0);
		return;
	case CIM_COLUMN_STATUS:
		cim_set_numbers(place->arena, value, &number, 1);
		return;
	case CIM_COLUMN_CLASS:
		cim_set_text(value, place->class->name);
		return;
	case CIM_COLUMN_SYSTEM:
		cim_set_text(value, place->system);
		return;
	case CIM_COLUMN_ROW_TEXT:
		cim_set_text(value, *text ? text : NULL);
		return;
	case CIM_COLUMN_ROW_NUMBER:
		cim_set_number(value, read_number(row, column));
		return;
	case CIM_COLUMN_ROW_FLAG:
		cim_set_flag(value, *text != 0);
		return;
	case CIM_COLUMN_FILL:
		column->fill(place, row, value);
		return;
	}
}

struct cim_instance *cim_view_make(struct cim_arena *arena, const struct cim_binding *binding, const void *row)
{
	struct cim_instance *instance = cim_instance_new(arena, binding->ns, binding->class);
	struct cim_place place = { arena, binding->ns, binding->class, binding->system };

	if (!instance)
		return NULL;
	for (unsigned i = 0; i < binding->class->property_count; i++)
		if (binding->columns[i])
			set_value(&place, binding->columns[i], row, &instance->values[i]);
		else
			instance->values[i] = binding->fallbacks[i];
	return arena->failed ? NULL : instance;
}

const struct cim_instance *cim_view_instance(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
					     const struct cim_view *view, const void *row)
{
	struct cim_binding binding;

	return cim_view_bind(arena, engine, ns, view, &binding) ? cim_view_make(arena, &binding, row) : NULL;
}

/* ---- walking ---- */

struct cim_walk {
	struct cim_arena *arena;
	struct cim_engine *engine;
	enum cim_namespace ns;
	const struct cim_schema_class *top;	/* NULL: all associations */
	const struct cim_path *source;		/* only associations that may have that end; NULL: all instances */
	unsigned list;
	const struct cim_view *view;		/* NULL: before the first */
	struct cim_binding binding;
	struct cim_arena scratch;		/* what the last instance is made of */
	unsigned char *rows;			/* of mem_alloc, room for a batch and the row before it; NULL: none */
	unsigned count, next;
	const void *row;			/* of the last instance */
	bool ended;				/* the view has no more */
	bool finished;				/* and there is no other view */
	bool has_after;				/* the row before the batch, in front */
	/* When all views are done: */
	const struct cim_link *link;		/* NULL: before the first */
	unsigned link_list;
	struct cim_link_walk *link_walk;	/* NULL: none is begun */
	bool without_links;
};

struct cim_walk *cim_walk_begin(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
				const struct cim_schema_class *top)
{
	struct cim_walk *walk = arena_take(arena, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->arena = arena;
	walk->engine = engine;
	walk->ns = ns;
	walk->top = top;
	walk->ended = true;
	arena_init(&walk->scratch, SCRATCH_BYTES);
	return walk;
}

void cim_walk_end(struct cim_walk *walk)
{
	if (!walk)
		return;
	mem_free(walk->rows);
	walk->rows = NULL;
	cim_link_walk_end(walk->link_walk);
	walk->link_walk = NULL;
	arena_free(&walk->scratch);
}

struct cim_walk *cim_walk_begin_around(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
				       const struct cim_schema_class *top, const struct cim_path *source)
{
	struct cim_walk *walk = cim_walk_begin(arena, engine, ns, top);

	if (walk)
		walk->source = source;
	return walk;
}

static bool may_lead_to(const struct cim_schema_class *class, const struct cim_schema_class *end)
{
	for (unsigned i = 0; i < class->property_count; i++)
		if (class->properties[i]->type == CIM_TYPE_REFERENCE &&
		    (!class->properties[i]->reference_class ||
		     cim_schema_is_named(end, class->properties[i]->reference_class)))
			return true;
	return false;
}

/* Has the walk instances of that class, which is in those namespaces? */
static bool takes_class(const struct cim_walk *walk, const char *name, unsigned namespaces)
{
	const struct cim_schema_class *class = cim_schema_find_any_class(name);

	return namespaces >> walk->ns & 1 && (!walk->top || cim_schema_is_a(class, walk->top)) &&
	       (!walk->source || (class->is_association && may_lead_to(class, walk->source->class)));
}

static bool out_of_memory(struct cim_failure *failure)
{
	return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
}

/* false: there is none, or failure. */
static bool begin_view(struct cim_walk *walk, struct cim_failure *failure)
{
	mem_free(walk->rows);
	walk->rows = NULL;
	do {
		walk->view = walk->finished ? NULL : next_view(walk->view, &walk->list);
		walk->finished = !walk->view;
		if (walk->finished)
			return false;
	} while (!takes_class(walk, walk->view->class_name, walk->view->namespaces));
	walk->count = walk->next = 0;
	walk->ended = walk->has_after = false;
	if (walk->view->source) {
		walk->rows = mem_alloc((CIM_BATCH_ROWS + 1) * walk->view->source->row_bytes);
		if (!walk->rows)
			return out_of_memory(failure);
	}
	return cim_view_bind(walk->arena, walk->engine, walk->ns, walk->view, &walk->binding) || out_of_memory(failure);
}

static int fetch_batch(struct control *control, void *arg)
{
	struct cim_walk *walk = arg;
	size_t row_bytes = walk->view->source->row_bytes;

	return walk->view->source->fetch(control, walk->has_after ? walk->rows : NULL, walk->rows + row_bytes,
					 CIM_BATCH_ROWS);
}

/* false: the view has no more, or failure. */
static bool fetch_more(struct cim_walk *walk, struct cim_failure *failure)
{
	size_t row_bytes = walk->view->source->row_bytes;
	int rc;

	if (walk->count) {
		memcpy(walk->rows, walk->rows + walk->count * row_bytes, row_bytes);
		walk->has_after = true;
	}
	rc = cim_engine_call(walk->engine, fetch_batch, walk);
	if (rc < 0)
		return cim_engine_fail(rc, failure);
	assert((unsigned)rc <= CIM_BATCH_ROWS);
	walk->count = (unsigned)rc;
	walk->next = 0;
	return rc > 0;
}

/* The next row of the view; for one without source NULL, once. false: it has no more, or failure. */
static bool next_row(struct cim_walk *walk, const void **row, struct cim_failure *failure)
{
	const struct cim_source *source = walk->view->source;

	*row = NULL;
	if (!source)
		return walk->next++ == 0;
	do {
		if (walk->next == walk->count && !fetch_more(walk, failure))
			return false;
		*row = walk->rows + ++walk->next * source->row_bytes;
	} while (walk->view->holds && !walk->view->holds(*row));
	return true;
}

static const struct cim_instance *next_of_views(struct cim_walk *walk, struct cim_failure *failure)
{
	const struct cim_instance *instance;
	const void *row;

	while (true) {
		if (walk->ended && !begin_view(walk, failure))
			return NULL;
		if (next_row(walk, &row, failure))
			break;
		if (failure->code)
			return NULL;
		walk->ended = true;
	}
	walk->row = row;
	arena_reset(&walk->scratch);
	instance = cim_view_make(&walk->scratch, &walk->binding, row);
	if (!instance)
		out_of_memory(failure);
	return instance;
}

/* false: there is no other link, or failure. */
static bool begin_link(struct cim_walk *walk, struct cim_failure *failure)
{
	if (walk->without_links)
		return false;
	do {
		walk->link = cim_link_next(walk->link, &walk->link_list);
		walk->without_links = !walk->link;
		if (!walk->link)
			return false;
	} while (!takes_class(walk, walk->link->class_name, walk->link->namespaces));
	walk->link_walk = cim_link_walk_begin(walk->arena, walk->engine, walk->ns, walk->link, walk->source);
	return walk->link_walk || out_of_memory(failure);
}

static const struct cim_instance *next_of_links(struct cim_walk *walk, struct cim_failure *failure)
{
	const struct cim_instance *instance;

	while (walk->link_walk || begin_link(walk, failure)) {
		arena_reset(&walk->scratch);
		instance = cim_link_walk_next(walk->link_walk, &walk->scratch, failure);
		if (instance || failure->code)
			return instance;
		cim_link_walk_end(walk->link_walk);
		walk->link_walk = NULL;
	}
	return NULL;
}

const struct cim_instance *cim_walk_next(struct cim_walk *walk, struct cim_failure *failure)
{
	const struct cim_instance *instance;

	failure->code = CIM_OK;
	instance = next_of_views(walk, failure);
	return instance || failure->code ? instance : next_of_links(walk, failure);
}

const struct cim_instance *cim_walk_other_end(const struct cim_walk *walk, const char *role)
{
	return walk->link_walk && !strcasecmp(walk->link->from_role, role) ?
	       cim_link_walk_from(walk->link_walk)->instance : NULL;
}

const struct cim_end *cim_walk_last(struct cim_walk *walk, struct cim_end *end)
{
	end->path = cim_walk_path(walk, end->instance);
	end->view = walk->view;
	end->row = walk->row;
	return end->path ? end : NULL;
}

const struct cim_path *cim_walk_path(struct cim_walk *walk, const struct cim_instance *instance)
{
	return cim_instance_path(&walk->scratch, instance);
}

/* ---- one ---- */

struct search {
	const struct cim_view *view;
	void *row;
};

static int find_row(struct control *control, void *arg)
{
	const struct search *search = arg;

	return search->view->source->find(control, search->row);
}

/* By the source's own find. false: there is none, or failure. */
static bool look_up(struct cim_arena *arena, struct cim_engine *engine, const struct cim_view *view,
		    const struct cim_path *path, const void **row, struct cim_failure *failure)
{
	struct search search = { .view = view };
	int rc;

	*row = NULL;
	if (!view->source)
		return true;
	search.row = arena_take(arena, view->source->row_bytes);
	if (!search.row)
		return out_of_memory(failure);
	if (!view->key(path, search.row))
		return false;
	rc = cim_engine_call(engine, find_row, &search);
	if (rc < 0)
		return cim_engine_fail(rc, failure);
	*row = search.row;
	return rc > 0 && (!view->holds || view->holds(*row));
}

static bool is_named(struct cim_arena *arena, const struct cim_instance *instance, const struct cim_path *path)
{
	const struct cim_path *own = cim_instance_path(arena, instance);

	return own && cim_path_equal(own, path);
}

/* Among all of the view's class. */
static void search_all(struct cim_arena *arena, struct cim_engine *engine, const struct cim_path *path,
		       struct cim_end *end, struct cim_failure *failure)
{
	struct cim_walk *walk = cim_walk_begin(arena, engine, path->ns, path->class);
	const struct cim_instance *instance;

	if (!walk) {
		out_of_memory(failure);
		return;
	}
	walk->without_links = true;
	while ((instance = cim_walk_next(walk, failure)) != NULL)
		if (walk->row && instance->class == path->class && is_named(&walk->scratch, instance, path))
			break;
	/* Again, of a row that stays. */
	if (instance) {
		end->view = walk->view;
		end->row = arena_copy_bytes(arena, walk->row, walk->view->source->row_bytes);
		end->instance = end->row ? cim_view_make(arena, &walk->binding, end->row) : NULL;
		if (!end->instance)
			out_of_memory(failure);
	}
	cim_walk_end(walk);
}

static void get_of_view(struct cim_arena *arena, struct cim_engine *engine, const struct cim_view *view,
			const struct cim_path *path, struct cim_end *end, struct cim_failure *failure)
{
	const struct cim_instance *instance;
	struct cim_binding binding;
	const void *row;

	if (!look_up(arena, engine, view, path, &row, failure))
		return;
	instance = cim_view_bind(arena, engine, path->ns, view, &binding) ? cim_view_make(arena, &binding, row) : NULL;
	if (!instance)
		out_of_memory(failure);
	else if (is_named(arena, instance, path))
		*end = (struct cim_end){ instance, path, view, row };
}

static bool is_found_by_key(const struct cim_view *view)
{
	return !view->source || (view->source->find && view->key);
}

static bool is_of(const char *name, unsigned namespaces, const struct cim_path *path)
{
	return namespaces >> path->ns & 1 && !strcasecmp(name, path->class->name);
}

static void find_in_views(struct cim_arena *arena, struct cim_engine *engine, const struct cim_path *path,
			  struct cim_end *end, struct cim_failure *failure)
{
	const struct cim_view *view = NULL;
	bool is_to_be_walked = false;
	unsigned list;

	while (!end->instance && !failure->code && (view = next_view(view, &list)) != NULL) {
		if (!is_of(view->class_name, view->namespaces, path))
			continue;
		if (is_found_by_key(view))
			get_of_view(arena, engine, view, path, end, failure);
		else
			is_to_be_walked = true;
	}
	if (!end->instance && !failure->code && is_to_be_walked)
		search_all(arena, engine, path, end, failure);
}

static void find_in_links(struct cim_arena *arena, struct cim_engine *engine, const struct cim_path *path,
			  struct cim_end *end, struct cim_failure *failure)
{
	const struct cim_link *link = NULL;
	unsigned list;

	while (!end->instance && !failure->code && (link = cim_link_next(link, &list)) != NULL)
		if (is_of(link->class_name, link->namespaces, path))
			end->instance = cim_link_get(arena, engine, link, path, failure);
}

bool cim_view_find(struct cim_arena *arena, struct cim_engine *engine, const struct cim_path *path,
		   struct cim_end *end, struct cim_failure *failure)
{
	*end = (struct cim_end){ .path = path };
	failure->code = CIM_OK;
	find_in_views(arena, engine, path, end, failure);
	if (!end->instance && !failure->code)
		find_in_links(arena, engine, path, end, failure);
	if (failure->code)
		return false;
	return end->instance ||
	       cim_fail(failure, CIM_ERR_NOT_FOUND, "there is no such %s", path->class->name);
}

const struct cim_instance *cim_view_get(struct cim_arena *arena, struct cim_engine *engine,
					const struct cim_path *path, struct cim_failure *failure)
{
	struct cim_end end;

	return cim_view_find(arena, engine, path, &end, failure) ? end.instance : NULL;
}
