/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/link.h"

#include <strings.h>

#include "face/cim/view_part.h"

const struct cim_link *cim_link_next(const struct cim_link *link, unsigned *list)
{
	if (link)
		link++;
	else
		link = cim_links[*list = 0];
	while (!link->class_name) {
		if (++*list == cim_link_list_count)
			return NULL;
		link = cim_links[*list];
	}
	return link;
}

static bool is_reference(const struct cim_schema_class *class, const char *role)
{
	const struct cim_schema_property *property = cim_schema_find_property(class, role);

	return property && property->type == CIM_TYPE_REFERENCE;
}

const char *cim_links_check(void)
{
	const struct cim_link *link = NULL;
	unsigned list;

	while ((link = cim_link_next(link, &list)) != NULL) {
		const struct cim_schema_class *class = cim_schema_find_any_class(link->class_name);
		const char *wrong;

		if (!class || class->is_abstract || !class->is_association || !link->namespaces ||
		    (link->namespaces & ~class->namespaces) || !is_reference(class, link->from_role) ||
		    !is_reference(class, link->to_role) || !cim_schema_find_any_class(link->to))
			return link->class_name;
		if (!cim_schema_find_any_class(link->from))
			return link->from;
		wrong = cim_columns_check(class, link->columns);
		if (wrong)
			return wrong;
	}
	return NULL;
}

/* ---- the associations of one end ---- */

/* A link in one namespace; and an end `from`, with the number of the next other end. */
struct ends {
	const struct cim_link *link;
	struct cim_view view;
	struct cim_binding binding;
	struct cim_end end;
	unsigned index;
};

static bool begin_ends(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
		       const struct cim_link *link, struct ends *ends)
{
	*ends = (struct ends){
		.link = link,
		.view = { .class_name = link->class_name, .namespaces = link->namespaces, .columns = link->columns },
	};
	return cim_view_bind(arena, engine, ns, &ends->view, &ends->binding);
}

/* NULL: the end has no more, or the arena is full. */
static const struct cim_instance *next_of_end(struct cim_arena *arena, struct ends *ends)
{
	struct cim_binding *binding = &ends->binding;
	struct cim_place place = { arena, binding->ns, binding->class, binding->system };
	const struct cim_path *other = ends->link->other(&place, &ends->end, ends->index++);
	struct cim_instance *instance = other ? cim_view_make(arena, binding, ends->end.row) : NULL;

	if (!instance)
		return NULL;
	cim_set_path(cim_instance_value(instance, ends->link->from_role), ends->end.path);
	cim_set_path(cim_instance_value(instance, ends->link->to_role), other);
	return instance;
}

static bool out_of_memory(struct cim_failure *failure)
{
	return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
}

const struct cim_instance *cim_link_get(struct cim_arena *arena, struct cim_engine *engine,
					const struct cim_link *link, const struct cim_path *path,
					struct cim_failure *failure)
{
	const struct cim_scalar *from = cim_path_key(path, link->from_role);
	const struct cim_instance *instance;
	const struct cim_path *own;
	struct ends ends;

	if (!from || from->is_null || from->path->ns != path->ns ||
	    !cim_schema_is_named(from->path->class, link->from))
		return NULL;
	if (!begin_ends(arena, engine, path->ns, link, &ends)) {
		out_of_memory(failure);
		return NULL;
	}
	if (!cim_view_find(arena, engine, from->path, &ends.end, failure)) {
		if (failure->code == CIM_ERR_NOT_FOUND)
			failure->code = CIM_OK;
		return NULL;
	}
	while ((instance = next_of_end(arena, &ends)) != NULL) {
		own = cim_instance_path(arena, instance);
		if (own && cim_path_equal(own, path))
			return instance;
	}
	if (arena->failed)
		out_of_memory(failure);
	return NULL;
}

/* ---- walking ---- */

struct cim_link_walk {
	struct cim_arena *arena;
	struct cim_engine *engine;
	struct ends ends;
	struct cim_walk *walk;			/* over the ends `from`; NULL: it is the source alone */
	const struct cim_path *source;
	bool is_source_done;
};

struct cim_link_walk *cim_link_walk_begin(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
					  const struct cim_link *link, const struct cim_path *source)
{
	struct cim_link_walk *walk = arena_take(arena, sizeof(*walk));
	bool is_from = source && source->ns == ns && cim_schema_is_named(source->class, link->from);
	bool is_to = source && cim_schema_is_named(source->class, link->to);

	if (!walk || !begin_ends(arena, engine, ns, link, &walk->ends))
		return NULL;
	walk->arena = arena;
	walk->engine = engine;
	walk->source = source;
	walk->is_source_done = source && !is_from && !is_to;
	if (source && !is_to)
		return walk;
	walk->walk = cim_walk_begin(arena, engine, ns, cim_schema_find_any_class(link->from));
	return walk->walk ? walk : NULL;
}

/* false: there are no more, or failure. */
static bool next_end(struct cim_link_walk *walk, struct cim_failure *failure)
{
	struct cim_end *end = &walk->ends.end;
	bool found;

	walk->ends.index = 0;
	if (walk->walk) {
		end->instance = cim_walk_next(walk->walk, failure);
		return end->instance && (cim_walk_last(walk->walk, end) || out_of_memory(failure));
	}
	found = !walk->is_source_done && cim_view_find(walk->arena, walk->engine, walk->source, end, failure);
	walk->is_source_done = true;
	if (failure->code == CIM_ERR_NOT_FOUND)
		failure->code = CIM_OK;
	return found;
}

const struct cim_instance *cim_link_walk_next(struct cim_link_walk *walk, struct cim_arena *scratch,
					      struct cim_failure *failure)
{
	const struct cim_instance *instance;

	failure->code = CIM_OK;
	while (true) {
		if (!walk->ends.end.instance && !next_end(walk, failure)) {
			walk->ends.end.instance = NULL;
			return NULL;
		}
		instance = next_of_end(scratch, &walk->ends);
		if (instance)
			return instance;
		if (scratch->failed) {
			out_of_memory(failure);
			return NULL;
		}
		walk->ends.end.instance = NULL;
	}
}

const struct cim_end *cim_link_walk_from(const struct cim_link_walk *walk)
{
	return &walk->ends.end;
}

void cim_link_walk_end(struct cim_link_walk *walk)
{
	if (walk)
		cim_walk_end(walk->walk);
}
