/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance.h - an instance of a class with its values, however it was made; its path; its XML. What it holds lives in
 * an arena. Any thread.
 */
#ifndef XDC_FACE_CIM_INSTANCE_H
#define XDC_FACE_CIM_INSTANCE_H

#include "face/cim/path.h"

struct cim_instance {
	enum cim_namespace ns;
	const struct cim_schema_class *class;
	struct cim_value *values;	/* one a property, in the order of class->properties */
};

/* All values NULL. NULL: the arena is full. */
struct cim_instance *cim_instance_new(struct cim_arena *arena, enum cim_namespace ns,
				      const struct cim_schema_class *class);

/* NULL: the class has no such property. */
struct cim_value *cim_instance_value(const struct cim_instance *instance, const char *property);

/* Of its keys. NULL: the arena is full. */
const struct cim_path *cim_instance_path(struct cim_arena *arena, const struct cim_instance *instance);

/* What a request wants to see of instances. */
struct cim_instance_wishes {
	bool class_origin;
	struct cim_names properties;
	const struct cim_schema_class *top;	/* only properties that this class has, too; NULL: all */
};

/*
 * How instances of one class are written for a request, worked out once: per property the text before its value (NULL:
 * it is not wanted) and after it.
 */
struct cim_instance_form {
	const struct cim_schema_class *class;
	const char **before, **after;
	struct cim_instance_form *next;		/* of whoever keeps several */
};

/* false: the arena is full. */
bool cim_instance_form_make(struct cim_arena *arena, const struct cim_schema_class *class,
			    const struct cim_instance_wishes *wishes, struct cim_instance_form *form);

/* INSTANCE; form NULL: with all properties. */
void xml_put_instance(struct xml_text *text, const struct cim_instance *instance,
		      const struct cim_instance_form *form);

/* ---- setting values; the type is that of the property, and numbers are cut to nothing that it cannot hold ---- */

void cim_set_text(struct cim_value *value, const char *text); /* NULL: NULL; a text of the arena, or constant */
void cim_set_number(struct cim_value *value, uint64_t number);		/* uint*, sint* */
void cim_set_flag(struct cim_value *value, bool flag);
void cim_set_time(struct cim_value *value, int64_t wall_ns);		/* ns since 1970; 0: NULL */
void cim_set_interval(struct cim_value *value, int64_t ns);		/* negative: NULL */
void cim_set_path(struct cim_value *value, const struct cim_path *path);	/* NULL: NULL */

/* Arrays; the lists are copied into the arena. */
void cim_set_numbers(struct cim_arena *arena, struct cim_value *value, const uint16_t *numbers, unsigned count);
void cim_set_texts(struct cim_arena *arena, struct cim_value *value, const char *const *texts, unsigned count);

#endif
