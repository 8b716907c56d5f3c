/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - what mofc has read: qualifier types and classes, as the declarations say it and as inheritance completes
 * it. All memory comes from one arena with a limit and goes with it.
 */
#ifndef MOFC_MODEL_H
#define MOFC_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "face/cim/schema.h"

#define MOF_NAMESPACES_MAX	16u
#define MOF_ARENA_BYTES_MAX	((size_t)64 << 20)

/* A word of an error: where it stands. */
struct mof_place {
	const char *file;
	unsigned line;
};

struct mof_value {
	bool is_null;
	bool is_array;		/* was written in braces */
	unsigned count;
	const char **list;	/* as cim_schema_value has it */
};

struct mof_qualifier_type {
	struct mof_qualifier_type *next;
	struct mof_place place;
	const char *name;
	enum cim_type type;
	bool is_array, is_overridable, is_to_subclass, is_translatable;
	unsigned scopes;
	struct mof_value fallback;
};

struct mof_qualifier {
	struct mof_qualifier *next;
	const struct mof_qualifier_type *type;
	bool is_overridable, is_to_subclass, is_translatable, is_propagated;
	struct mof_value value;
};

struct mof_qualifiers {
	struct mof_qualifier *first, **end;
	unsigned count, at;	/* at: the first of them in the table that is written */
};

struct mof_class;

/* A property, a reference, a method or a parameter. */
struct mof_member {
	struct mof_member *next;
	struct mof_place place;
	const char *name;
	enum cim_type type;
	bool is_array, is_method;
	const char *reference_class;
	struct mof_value fallback;
	struct mof_qualifiers qualifiers;
	struct mof_member *parameters;
	unsigned parameter_count;
	const struct mof_class *origin, *declared_in;
	unsigned at, parameters_at;	/* places in the tables that are written: its own, its first parameter's */
};

struct mof_class {
	struct mof_class *next;		/* in the order of declaration */
	struct mof_place place;
	const char *name;
	struct mof_class *super, *first_below, *next_sibling;	/* siblings by name */
	unsigned namespaces, order, order_last;
	struct mof_qualifiers qualifiers;
	struct mof_member *members;	/* declared here */
	struct mof_member **all;	/* own first, then what is inherited and not overridden */
	unsigned all_count;
};

struct mof_block;

struct mof_model {
	struct mof_block *blocks;
	size_t bytes_used;
	const char *namespaces[MOF_NAMESPACES_MAX];
	unsigned namespace_count;
	struct mof_qualifier_type *qualifier_types, **qualifier_types_end;
	unsigned qualifier_type_count;
	struct mof_class *classes, **classes_end;
	unsigned class_count;
	char error[512];	/* "FILE:LINE: what is wrong"; empty: nothing is */
};

void mof_model_init(struct mof_model *model);
void mof_model_free(struct mof_model *model);

/* Zeroed memory of the arena; NULL after an error: the limit is reached. */
void *mof_allocate(struct mof_model *model, size_t bytes);
const char *mof_copy_text(struct mof_model *model, const char *text, size_t length);

/* Keeps the first error only; returns false. */
__attribute__((format(printf, 3, 4)))
bool mof_complain(struct mof_model *model, struct mof_place place, const char *format, ...);

struct mof_qualifier_type *mof_find_qualifier_type(const struct mof_model *model, const char *name);
struct mof_qualifier *mof_find_qualifier(const struct mof_qualifiers *qualifiers, const char *name);
bool mof_qualifier_is_true(const struct mof_qualifiers *qualifiers, const char *name);
struct mof_class *mof_find_class(const struct mof_model *model, const char *name);
void mof_add_qualifier(struct mof_qualifiers *qualifiers, struct mof_qualifier *qualifier);

/*
 * Takes in a class that has just been read, in the namespace of that number: inherits, checks overrides and keys. The
 * same declaration read again, for another namespace, only adds this namespace. False: an error.
 */
bool mof_add_class(struct mof_model *model, struct mof_class *class, const char *super_name, unsigned ns);

/*
 * After all files: every class that a reference or an embedded instance names is held by the namespace; gives the
 * classes their order. False: an error.
 */
bool mof_finish(struct mof_model *model);

#endif
