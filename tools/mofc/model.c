/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - inheritance: what a class has of its own, what of its superclass, and what it may not change. */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES	((size_t)64 << 10)

struct mof_block {
	struct mof_block *next;
	size_t used, size;
	max_align_t bytes[];
};

void mof_model_init(struct mof_model *model)
{
	memset(model, 0, sizeof(*model));
	model->qualifier_types_end = &model->qualifier_types;
	model->classes_end = &model->classes;
}

void mof_model_free(struct mof_model *model)
{
	struct mof_block *block, *next;

	for (block = model->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	model->blocks = NULL;
}

bool mof_complain(struct mof_model *model, struct mof_place place, const char *format, ...)
{
	va_list args;
	int length;

	if (model->error[0])
		return false;
	length = snprintf(model->error, sizeof(model->error), "%s:%u: ", place.file, place.line);
	if (length < 0 || (size_t)length >= sizeof(model->error))
		return false;
	va_start(args, format);
	vsnprintf(model->error + length, sizeof(model->error) - (size_t)length, format, args);
	va_end(args);
	return false;
}

static struct mof_block *add_block(struct mof_model *model, size_t bytes)
{
	size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct mof_block *block = NULL;

	if (model->bytes_used + size <= MOF_ARENA_BYTES_MAX)
		block = calloc(1, sizeof(*block) + size);
	if (!block) {
		mof_complain(model, (struct mof_place){ "mofc", 0 }, "no memory: the limit is %zu MiB",
			     MOF_ARENA_BYTES_MAX >> 20);
		return NULL;
	}
	model->bytes_used += size;
	block->size = size;
	block->next = model->blocks;
	model->blocks = block;
	return block;
}

void *mof_allocate(struct mof_model *model, size_t bytes)
{
	struct mof_block *block = model->blocks;
	size_t rounded = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *result;

	if (!block || block->size - block->used < rounded)
		block = add_block(model, rounded);
	if (!block)
		return NULL;
	result = (char *)block->bytes + block->used;
	block->used += rounded;
	return result;
}

const char *mof_copy_text(struct mof_model *model, const char *text, size_t length)
{
	char *copy = mof_allocate(model, length + 1);

	if (copy)
		memcpy(copy, text, length);
	return copy;
}

struct mof_qualifier_type *mof_find_qualifier_type(const struct mof_model *model, const char *name)
{
	struct mof_qualifier_type *type = model->qualifier_types;

	while (type && strcasecmp(type->name, name))
		type = type->next;
	return type;
}

struct mof_qualifier *mof_find_qualifier(const struct mof_qualifiers *qualifiers, const char *name)
{
	struct mof_qualifier *qualifier = qualifiers->first;

	while (qualifier && strcasecmp(qualifier->type->name, name))
		qualifier = qualifier->next;
	return qualifier;
}

bool mof_qualifier_is_true(const struct mof_qualifiers *qualifiers, const char *name)
{
	const struct mof_qualifier *qualifier = mof_find_qualifier(qualifiers, name);

	return qualifier && qualifier->value.count == 1 && !strcmp(qualifier->value.list[0], "TRUE");
}

struct mof_class *mof_find_class(const struct mof_model *model, const char *name)
{
	struct mof_class *class = model->classes;

	while (class && strcasecmp(class->name, name))
		class = class->next;
	return class;
}

void mof_add_qualifier(struct mof_qualifiers *qualifiers, struct mof_qualifier *qualifier)
{
	if (!qualifiers->end)
		qualifiers->end = &qualifiers->first;
	*qualifiers->end = qualifier;
	qualifiers->end = &qualifier->next;
	qualifiers->count++;
}

static bool same_value(const struct mof_value *a, const struct mof_value *b)
{
	if (a->is_null != b->is_null || a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (strcmp(a->list[i], b->list[i]))
			return false;
	return true;
}

/* Adds what the superclass says and the class does not say itself. */
static bool inherit_qualifiers(struct mof_model *model, struct mof_place place, struct mof_qualifiers *own,
			       const struct mof_qualifiers *inherited)
{
	for (const struct mof_qualifier *from = inherited->first; from; from = from->next) {
		const struct mof_qualifier *present = mof_find_qualifier(own, from->type->name);
		struct mof_qualifier *copy;

		if (!from->is_to_subclass)
			continue;
		if (present) {
			if (!from->is_overridable && !same_value(&present->value, &from->value))
				return mof_complain(model, place, "qualifier %s is DisableOverride: it keeps the value "
						    "it has in the superclass", from->type->name);
			continue;
		}
		copy = mof_allocate(model, sizeof(*copy));
		if (!copy)
			return false;
		*copy = *from;
		copy->next = NULL;
		copy->is_propagated = true;
		mof_add_qualifier(own, copy);
	}
	return true;
}

static struct mof_member *find_in(struct mof_member *const *all, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcasecmp(all[i]->name, name))
			return all[i];
	return NULL;
}

static bool same_signature(const struct mof_member *a, const struct mof_member *b)
{
	const struct mof_member *p, *q;

	if (a->is_method != b->is_method || a->type != b->type || a->is_array != b->is_array)
		return false;
	for (p = a->parameters, q = b->parameters; p && q; p = p->next, q = q->next)
		if (strcasecmp(p->name, q->name) || p->type != q->type || p->is_array != q->is_array)
			return false;
	return !p && !q;
}

/* A member that the superclass has too: Override says so, and what is called the same is of the same type. */
static bool override_member(struct mof_model *model, struct mof_member *member, const struct mof_member *inherited)
{
	const struct mof_qualifier *override = mof_find_qualifier(&member->qualifiers, "Override");
	const struct mof_class *a, *b;

	if (!override || override->value.count != 1 || strcasecmp(override->value.list[0], member->name))
		return mof_complain(model, member->place, "%s is inherited from %s: Override(\"%s\") is expected",
				    member->name, inherited->declared_in->name, member->name);
	if (!same_signature(member, inherited))
		return mof_complain(model, member->place, "%s has another type or other parameters in %s",
				    member->name, inherited->declared_in->name);
	if (member->reference_class) {
		a = mof_find_class(model, member->reference_class);
		b = mof_find_class(model, inherited->reference_class);
		/* One that is not known yet is found missing at the end, if it is. */
		while (a && b && a != b)
			a = a->super;
		if (b && mof_find_class(model, member->reference_class) && a != b)
			return mof_complain(model, member->place, "%s must name %s or a class below it", member->name,
					    inherited->reference_class);
	}
	member->origin = inherited->origin;
	if (member->fallback.is_null)
		member->fallback = inherited->fallback;
	return inherit_qualifiers(model, member->place, &member->qualifiers, &inherited->qualifiers);
}

static bool add_own_members(struct mof_model *model, struct mof_class *class)
{
	struct mof_class *super = class->super;
	struct mof_member *inherited;

	for (struct mof_member *member = class->members; member; member = member->next) {
		if (find_in(class->all, class->all_count, member->name))
			return mof_complain(model, member->place, "%s is declared twice in %s", member->name,
					    class->name);
		member->declared_in = member->origin = class;
		inherited = super ? find_in(super->all, super->all_count, member->name) : NULL;
		if (inherited && !override_member(model, member, inherited))
			return false;
		if (!inherited && mof_find_qualifier(&member->qualifiers, "Override"))
			return mof_complain(model, member->place, "%s overrides nothing: no superclass has it",
					    member->name);
		class->all[class->all_count++] = member;
	}
	return true;
}

static bool inherit_members(struct mof_model *model, struct mof_class *class)
{
	struct mof_class *super = class->super;
	unsigned count = super ? super->all_count : 0, own;

	for (const struct mof_member *member = class->members; member; member = member->next)
		count++;
	class->all = mof_allocate(model, (count + 1) * sizeof(*class->all));
	if (!class->all || !add_own_members(model, class))
		return false;
	own = class->all_count;
	for (unsigned i = 0; super && i < super->all_count; i++)
		if (!find_in(class->all, own, super->all[i]->name))
			class->all[class->all_count++] = super->all[i];
	return true;
}

/* An association stays one below; only an association may have references. */
static bool check_kind(struct mof_model *model, const struct mof_class *class)
{
	bool association = mof_qualifier_is_true(&class->qualifiers, "Association");
	unsigned references = 0;

	for (unsigned i = 0; i < class->all_count; i++)
		references += !class->all[i]->is_method && class->all[i]->type == CIM_TYPE_REFERENCE;
	if (association && references < 2)
		return mof_complain(model, class->place, "association %s has %u references, 2 are expected",
				    class->name, references);
	if (!association && references)
		return mof_complain(model, class->place, "%s has references: qualifier Association is expected",
				    class->name);
	return true;
}

/* The same declaration once more, for another namespace. */
static bool add_namespace(struct mof_model *model, struct mof_class *known, const struct mof_class *class, unsigned ns)
{
	if (strcmp(known->place.file, class->place.file) || known->place.line != class->place.line)
		return mof_complain(model, class->place, "class %s is declared already at %s:%u", known->name,
				    known->place.file, known->place.line);
	known->namespaces |= 1u << ns;
	return true;
}

static void add_below(struct mof_class *super, struct mof_class *class)
{
	struct mof_class **at = &super->first_below;

	while (*at && strcasecmp((*at)->name, class->name) < 0)
		at = &(*at)->next_sibling;
	class->next_sibling = *at;
	*at = class;
}

bool mof_add_class(struct mof_model *model, struct mof_class *class, const char *super_name, unsigned ns)
{
	struct mof_class *known = mof_find_class(model, class->name);

	class->super = super_name ? mof_find_class(model, super_name) : NULL;
	if (super_name && (!class->super || !(class->super->namespaces >> ns & 1)))
		return mof_complain(model, class->place, "superclass %s is not in namespace %s yet", super_name,
				    model->namespaces[ns]);
	if (known)
		return add_namespace(model, known, class, ns);
	if ((class->super && !inherit_qualifiers(model, class->place, &class->qualifiers, &class->super->qualifiers)) ||
	    !inherit_members(model, class) || !check_kind(model, class))
		return false;
	class->namespaces = 1u << ns;
	*model->classes_end = class;
	model->classes_end = &class->next;
	model->class_count++;
	if (class->super)
		add_below(class->super, class);
	return true;
}

static bool check_name(struct mof_model *model, const struct mof_class *class, struct mof_place place, const char *name)
{
	const struct mof_class *found = mof_find_class(model, name);

	if (!found)
		return mof_complain(model, place, "there is no class %s", name);
	for (unsigned ns = 0; ns < model->namespace_count; ns++)
		if (class->namespaces >> ns & 1 && !(found->namespaces >> ns & 1))
			return mof_complain(model, place, "class %s is not in namespace %s", name,
					    model->namespaces[ns]);
	return true;
}

static bool check_names(struct mof_model *model, const struct mof_class *class, const struct mof_member *members)
{
	for (const struct mof_member *member = members; member; member = member->next) {
		const struct mof_qualifier *embedded = mof_find_qualifier(&member->qualifiers, "EmbeddedInstance");

		if (member->reference_class && !check_name(model, class, member->place, member->reference_class))
			return false;
		if (embedded && embedded->value.count == 1 &&
		    !check_name(model, class, member->place, embedded->value.list[0]))
			return false;
		if (!check_names(model, class, member->parameters))
			return false;
	}
	return true;
}

/* The class after this one in the order of cim_schema_classes, within one tree; NULL: it was the last. */
static struct mof_class *next_in_tree(struct mof_class *class)
{
	if (class->first_below)
		return class->first_below;
	while (class && !class->next_sibling)
		class = class->super;
	return class ? class->next_sibling : NULL;
}

bool mof_finish(struct mof_model *model)
{
	struct mof_class root = { .name = "" };
	unsigned order = 0;

	for (struct mof_class *class = model->classes; class; class = class->next) {
		if (!check_names(model, class, class->members))
			return false;
		if (!class->super)
			add_below(&root, class);
	}
	for (struct mof_class *class = root.first_below; class; class = next_in_tree(class)) {
		class->order = order++;
		for (struct mof_class *above = class; above; above = above->super)
			above->order_last = class->order;
	}
	return !model->error[0];
}
