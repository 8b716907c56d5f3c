/* SPDX-License-Identifier: Apache-2.0 */
/*
 * association.h - from an object along associations: what a request asks to be followed, and the supply of what is
 * found. Instances are what walks over the associations themselves give, so that enumerations and all operations on
 * associations agree; classes are what the schema says of them.
 */
#ifndef XDC_FACE_CIM_ASSOCIATION_H
#define XDC_FACE_CIM_ASSOCIATION_H

#include <strings.h>

#include "face/cim/operation.h"

/* What is to be followed; NULL of each but source: whichever. */
struct cim_question {
	const struct cim_path *source;
	const struct cim_schema_class *association;	/* or below it */
	const struct cim_schema_class *result;		/* what is at the other end, or below it */
	const char *role, *result_role;			/* of source, of the other end */
	bool is_reference;		/* the associations themselves are wanted: no other end counts */
};

/*
 * The parameters AssocClass, ResultClass, Role and ResultRole, as far as the operation has them. ResultClass of a
 * reference is the association. false: CIM_ERR_INVALID_PARAMETER: the namespace has no such class.
 */
bool cim_read_question(struct cim_operation_call *call, bool is_reference, const struct cim_path *source,
		       struct cim_question *question);

/* Of a source that is an instance; the question is copied. false: the arena is full. */
bool cim_supply_ends(struct cim_arena *arena, struct cim_engine *engine, const struct cim_question *question,
		     struct cim_supply *supply);

/* The classes, for a source that is a class (association_class.c): writes them. wishes NULL: their paths. */
bool cim_answer_classes(struct cim_operation_call *call, const struct cim_question *question,
			const struct xml_class_wishes *wishes);

/* Is it a reference that the source, or the other end, may stand at as far as its name goes? */
static inline bool cim_question_takes_role(const struct cim_question *question,
					   const struct cim_schema_property *property)
{
	return property->type == CIM_TYPE_REFERENCE &&
	       (!question->role || !strcasecmp(question->role, property->name));
}

static inline bool cim_question_takes_end(const struct cim_question *question,
					  const struct cim_schema_property *property)
{
	return property->type == CIM_TYPE_REFERENCE &&
	       (!question->result_role || !strcasecmp(question->result_role, property->name));
}

#endif
