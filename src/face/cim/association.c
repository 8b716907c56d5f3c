/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/association.h"

#define SCRATCH_BYTES	(1024u * 1024)

/* A supply under way: associations of the namespace of the source, then those of interop, which lead everywhere. */
struct tracing {
	struct cim_arena *arena;
	struct cim_engine *engine;
	struct cim_question question;
	enum cim_namespace ns;
	struct cim_walk *walk;
	const struct cim_instance *association;		/* NULL: before the next */
	unsigned from, to;				/* properties of it: the next pair to be looked at */
	struct cim_arena scratch;			/* of what was found at the other end */
};

static bool is_source(const struct tracing *tracing, unsigned property)
{
	const struct cim_value *value = &tracing->association->values[property];

	return cim_question_takes_role(&tracing->question, tracing->association->class->properties[property]) &&
	       !value->is_null && cim_path_equal(value->one.path, tracing->question.source);
}

/* The path at the other end, when it is one that is asked for; NULL: it is not. */
static const struct cim_path *other_end(const struct tracing *tracing, unsigned property)
{
	const struct cim_value *value = &tracing->association->values[property];
	const struct cim_question *question = &tracing->question;

	return property != tracing->from && !value->is_null &&
	       cim_question_takes_end(question, tracing->association->class->properties[property]) &&
	       (!question->result || cim_schema_is_a(value->one.path->class, question->result)) ?
	       value->one.path : NULL;
}

/* The next association, in either namespace. false: there are no more, or failure. */
static bool next_association(struct tracing *tracing, struct cim_failure *failure)
{
	tracing->from = tracing->to = 0;
	while (true) {
		tracing->association = cim_walk_next(tracing->walk, failure);
		if (tracing->association)
			return true;
		if (failure->code || tracing->ns == CIM_NAMESPACE_INTEROP)
			return false;
		cim_walk_end(tracing->walk);
		tracing->ns = CIM_NAMESPACE_INTEROP;
		tracing->walk = cim_walk_begin_around(tracing->arena, tracing->engine, tracing->ns,
						      tracing->question.association, tracing->question.source);
		if (!tracing->walk)
			return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
	}
}

static bool next_reference(void *arg, struct cim_item *item, struct cim_failure *failure)
{
	struct tracing *tracing = arg;
	unsigned i = 0, count = 0;

	failure->code = CIM_OK;
	while (i == count) {
		if (!next_association(tracing, failure))
			return false;
		count = tracing->association->class->property_count;
		for (i = 0; i < count && !is_source(tracing, i); i++)
			;
	}
	item->instance = tracing->association;
	item->path = cim_walk_path(tracing->walk, item->instance);
	return item->path || cim_fail(failure, CIM_ERR_FAILED, "out of memory");
}

/* The next pair of properties of the association. false: it has no more. */
static bool next_pair(struct tracing *tracing, const struct cim_path **path)
{
	unsigned count = tracing->association->class->property_count;

	for (; tracing->from < count; tracing->from++, tracing->to = 0) {
		if (!is_source(tracing, tracing->from))
			continue;
		while (tracing->to < count) {
			*path = other_end(tracing, tracing->to++);
			if (*path)
				return true;
		}
	}
	return false;
}

/* What is there now: an end that has gone since is left out. */
static const struct cim_instance *find_end(struct tracing *tracing, const struct cim_path *path,
					   struct cim_failure *failure)
{
	const char *role = tracing->association->class->properties[tracing->to - 1]->name;
	const struct cim_instance *instance = cim_walk_other_end(tracing->walk, role);

	if (instance)
		return instance;
	arena_reset(&tracing->scratch);
	instance = cim_view_get(&tracing->scratch, tracing->engine, path, failure);
	if (failure->code == CIM_ERR_NOT_FOUND)
		failure->code = CIM_OK;
	return instance;
}

static bool next_associated(void *arg, struct cim_item *item, struct cim_failure *failure)
{
	struct tracing *tracing = arg;

	failure->code = CIM_OK;
	while (tracing->association || next_association(tracing, failure)) {
		if (!next_pair(tracing, &item->path)) {
			tracing->association = NULL;
			continue;
		}
		item->instance = find_end(tracing, item->path, failure);
		if (item->instance || failure->code)
			return item->instance != NULL;
	}
	return false;
}

static void end_tracing(void *arg)
{
	struct tracing *tracing = arg;

	cim_walk_end(tracing->walk);
	arena_free(&tracing->scratch);
}

/* A path that outlives the request, when the arena does. */
static bool copy_question(struct cim_arena *arena, const struct cim_question *from, struct cim_question *to)
{
	const char *text = cim_path_print(arena, from->source);
	struct cim_failure failure;

	*to = *from;
	to->role = arena_copy(arena, from->role);
	to->result_role = arena_copy(arena, from->result_role);
	return text && cim_path_read_text(arena, text, from->source->ns, &to->source, &failure) && !arena->failed;
}

bool cim_supply_ends(struct cim_arena *arena, struct cim_engine *engine, const struct cim_question *question,
		     struct cim_supply *supply)
{
	struct tracing *tracing = arena_take(arena, sizeof(*tracing));

	if (!tracing || !copy_question(arena, question, &tracing->question))
		return false;
	tracing->arena = arena;
	tracing->engine = engine;
	tracing->ns = question->source->ns;
	tracing->walk = cim_walk_begin_around(arena, engine, tracing->ns, question->association,
					      tracing->question.source);
	if (!tracing->walk)
		return false;
	arena_init(&tracing->scratch, SCRATCH_BYTES);
	*supply = (struct cim_supply){
		question->is_reference ? next_reference : next_associated, end_tracing, tracing,
	};
	return true;
}
