/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view.h - where instances come from. A view is a class, the namespaces that show it so, a source of rows, and what of
 * a row becomes which property; instances of a class are those of all views of it and of the classes below it.
 *
 * A row is a plain copy of what the engine has, fetched on reactor 0 in batches; properties are made of it on the
 * client's thread, one instance at a time. A view without source is one instance. Associations are views as others are:
 * their rows are pairs. To add a class: a source (if no other has the rows), its columns, and a line in cim_views.
 */
#ifndef XDC_FACE_CIM_VIEW_H
#define XDC_FACE_CIM_VIEW_H

#include "face/cim/engine.h"
#include "face/cim/instance.h"

#define CIM_BATCH_ROWS	64u

/* ---- sources ---- */

/* All rows have an order in which nothing moves: what is added or goes meanwhile disturbs no other. Reactor 0. */
struct cim_source {
	size_t row_bytes;
	/*
	 * The rows after that one (NULL: from the first), at most max, into the memory at rows: how many, 0: there are
	 * no more; negative errno. Suspends.
	 */
	int (*fetch)(struct control *control, const void *after, void *rows, unsigned max);
	/*
	 * Of a row what cim_view.key has set; the rest is filled in: 1; 0: there is none; negative errno. NULL: it is
	 * looked for among all. Suspends.
	 */
	int (*find)(struct control *control, void *row);
};

/* ---- columns ---- */

/* Whose instance it is and where what belongs to its values lives: until the next instance. */
struct cim_place {
	struct cim_arena *arena;
	enum cim_namespace ns;
	const struct cim_schema_class *class;
	const char *system;		/* the id of this one */
};

/* *value is NULL of the type of the property, and may stay so. The client's thread. */
typedef void cim_fill(const struct cim_place *place, const void *row, struct cim_value *value);

enum cim_column_kind {
	CIM_COLUMN_TEXT, CIM_COLUMN_NUMBER, CIM_COLUMN_FLAG,	/* the same for all */
	CIM_COLUMN_STATUS,					/* an array of this one number */
	CIM_COLUMN_CLASS, CIM_COLUMN_SYSTEM,			/* the name of the class; the id of this system */
	CIM_COLUMN_ROW_TEXT,					/* char[], in the row; empty: NULL */
	CIM_COLUMN_ROW_NUMBER, CIM_COLUMN_ROW_FLAG,		/* unsigned, of size bytes; bool */
	CIM_COLUMN_FILL,
};

struct cim_column {
	const char *property;
	enum cim_column_kind kind;
	const char *text;
	uint64_t number;
	size_t offset, size;		/* in the row */
	cim_fill *fill;
};

#define CIM_TEXT(p, t)		{ .property = (p), .kind = CIM_COLUMN_TEXT, .text = (t) }
#define CIM_NUMBER(p, n)	{ .property = (p), .kind = CIM_COLUMN_NUMBER, .number = (n) }
#define CIM_FLAG(p, f)		{ .property = (p), .kind = CIM_COLUMN_FLAG, .number = (f) }
#define CIM_STATUS(p, n)	{ .property = (p), .kind = CIM_COLUMN_STATUS, .number = (n) }
#define CIM_CLASS(p)		{ .property = (p), .kind = CIM_COLUMN_CLASS }
#define CIM_SYSTEM(p)		{ .property = (p), .kind = CIM_COLUMN_SYSTEM }
#define CIM_ROW_(p, k, row, member) \
	{ .property = (p), .kind = (k), .offset = offsetof(row, member), .size = sizeof(((row *)0)->member) }
#define CIM_ROW_TEXT(p, row, member)	CIM_ROW_(p, CIM_COLUMN_ROW_TEXT, row, member)
#define CIM_ROW_NUMBER(p, row, member)	CIM_ROW_(p, CIM_COLUMN_ROW_NUMBER, row, member)
#define CIM_ROW_FLAG(p, row, member)	CIM_ROW_(p, CIM_COLUMN_ROW_FLAG, row, member)
#define CIM_FILL(p, f)		{ .property = (p), .kind = CIM_COLUMN_FILL, .fill = (f) }
#define CIM_END			{ .property = NULL }

/* ---- views ---- */

struct cim_view {
	const char *class_name;
	unsigned namespaces;		/* bit CIM_NAMESPACE_* */
	const struct cim_source *source;	/* NULL: one instance, and fill gets NULL for a row */
	/* Of a property the first counts; those of more_columns after these. Without any: the default of the schema. */
	const struct cim_column *columns, *more_columns;	/* ended by CIM_END; the latter may be NULL */
	/*
	 * What source->find looks for, out of the path of an instance; it need not look at all keys: what is found is
	 * compared with the path. false: there can be none.
	 */
	bool (*key)(const struct cim_path *path, void *row);
	bool (*holds)(const void *row);	/* NULL: all rows of the source are instances */
};

#define CIM_IN(ns)	(1u << CIM_NAMESPACE_##ns)

/* All there are: lists ended by an empty view. */
extern const struct cim_view *const cim_views[];
extern const unsigned cim_view_list_count;

/* A name in a view that the schema does not know, or that is there twice; NULL: there is none. For tests. */
const char *cim_views_check(void);

/* ---- walking over instances ---- */

/* The instances of a class and those below it, one after the other. In an arena; not on a reactor. */
struct cim_walk;

/* NULL: the arena is full. A walk is not ended; its scratch memory is, with the arena. */
struct cim_walk *cim_walk_begin(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
				const struct cim_schema_class *top);

/*
 * Only associations that may have source, which outlives the walk, at an end: those of class top and below it, or all
 * (NULL). Each has still to be asked for its ends.
 */
struct cim_walk *cim_walk_begin_around(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
				       const struct cim_schema_class *top, const struct cim_path *source);

/* What the last association has at its end role, where the walk has it at hand; else NULL. */
const struct cim_instance *cim_walk_other_end(const struct cim_walk *walk, const char *role);

/*
 * The next one, which stays until the one after it. NULL: there are no more; or, when failure->code is not CIM_OK, it
 * went wrong.
 */
const struct cim_instance *cim_walk_next(struct cim_walk *walk, struct cim_failure *failure);

/* Its path, which stays as long as it. NULL: there is no memory. */
const struct cim_path *cim_walk_path(struct cim_walk *walk, const struct cim_instance *instance);

/* What it has taken beyond the arena is given back; NULL is allowed. */
void cim_walk_end(struct cim_walk *walk);

/* The one instance that path names, in the arena. NULL: CIM_ERR_NOT_FOUND, or what else is in failure. */
const struct cim_instance *cim_view_get(struct cim_arena *arena, struct cim_engine *engine,
					const struct cim_path *path, struct cim_failure *failure);

/* Of a row of the view: its instance (fill and all), in the arena. NULL: it is full. For indications. */
const struct cim_instance *cim_view_instance(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
					     const struct cim_view *view, const void *row);

#endif
