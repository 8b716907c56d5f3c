/* SPDX-License-Identifier: Apache-2.0 */
/* view_part.h - what view.c and link.c share: how instances are made of rows, and where they were found. */
#ifndef XDC_FACE_CIM_VIEW_PART_H
#define XDC_FACE_CIM_VIEW_PART_H

#include "face/cim/link.h"

/* A view as instances of one namespace: what each property is made of, worked out once for many instances. */
struct cim_binding {
	const struct cim_view *view;
	enum cim_namespace ns;
	const struct cim_schema_class *class;
	const char *system;
	const struct cim_column **columns;	/* one a property; NULL: none */
	struct cim_value *fallbacks;		/* the defaults of the schema, where there is none */
};

/* false, NULL: the arena is full. */
bool cim_view_bind(struct cim_arena *arena, struct cim_engine *engine, enum cim_namespace ns,
		   const struct cim_view *view, struct cim_binding *binding);
struct cim_instance *cim_view_make(struct cim_arena *arena, const struct cim_binding *binding, const void *row);

/* The name of a column that the class does not have, or that is there twice; NULL: there is none. */
const char *cim_columns_check(const struct cim_schema_class *class, const struct cim_column *columns);

/* cim_view_get that says where it was found: end->view is NULL for the instance of a link. */
bool cim_view_find(struct cim_arena *arena, struct cim_engine *engine, const struct cim_path *path,
		   struct cim_end *end, struct cim_failure *failure);

/* The same for the last instance of a walk over views; NULL: the arena is full. */
const struct cim_end *cim_walk_last(struct cim_walk *walk, struct cim_end *end);

#endif
