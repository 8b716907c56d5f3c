/* SPDX-License-Identifier: Apache-2.0 */
/*
 * query.h - queries in WQL and DMTF:CQL, as clients of storage management write them: one parser for both, which checks
 * names and types against the schema, and the evaluation of what it made.
 *
 *	SELECT *|NAME, ... FROM CLASS [AS ALIAS] [WHERE CONDITION]
 *
 * A condition is made of AND, OR, NOT and parentheses around NAME = <> < <= > >= NAME|LITERAL, LITERAL = NAME,
 * NAME [NOT] LIKE 'PATTERN', NAME IS [NOT] NULL, and NAME ISA CLASS. A NAME is a property, that of an embedded instance
 * (SourceInstance.SyncState, in CQL also SourceInstance.CLASS::SyncState), or one of the class or its alias
 * (CLASS.Name); [2] or [*] takes one or any element of an array, and so does ANY before it in CQL. A literal is a
 * number, a text, TRUE, FALSE, or in CQL #'a name of the value map' (of what is embedded with its class:
 * CLASS::SyncState).
 *
 * An array that is compared with one value meets it when one element does; two arrays are compared as a whole. What is
 * compared with NULL is neither true nor false, and so is its opposite. Any thread.
 */
#ifndef XDC_FACE_CIM_QUERY_H
#define XDC_FACE_CIM_QUERY_H

#include "face/cim/value.h"

#define QUERY_TEXT_MAX		1535u	/* bytes of a query */
#define QUERY_DEPTH_MAX		32u	/* of parentheses and NOT */
#define QUERY_SELECT_MAX	64u	/* names of a list */

enum query_language { QUERY_WQL, QUERY_CQL, QUERY_LANGUAGE_COUNT };
extern const char *const query_language_names[QUERY_LANGUAGE_COUNT];

/* What is asked: an instance, its class and its properties. */
struct query_instance {
	const struct cim_schema_class *class;
	/* false: it is NULL. What value points to lives as long as the instance. */
	bool (*get)(const struct query_instance *instance, const struct cim_schema_property *property,
		    struct cim_value *value);
	/* The embedded instance that the property holds; NULL: none. */
	const struct query_instance *(*get_embedded)(const struct query_instance *instance,
						     const struct cim_schema_property *property);
};

struct query_term;

struct query {
	enum query_language language;
	const struct cim_schema_class *class;		/* of FROM */
	bool selects_all;
	unsigned selected_count;
	const struct cim_schema_property **selected;
	const struct query_term *condition;		/* NULL: all */
};

/*
 * Of a text in a language, about classes that one of the namespaces (bits CIM_NAMESPACE_*) holds. All of it is in the
 * arena, the text is not needed any more. false: CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED or CIM_ERR_INVALID_QUERY, which
 * tells where; CIM_ERR_FAILED without memory.
 */
bool query_parse(struct cim_arena *arena, unsigned namespaces, const char *language, const char *text,
		 struct query *query, struct cim_failure *failure);

/* Is the instance of the query's class, and does it meet the condition? */
bool query_meets(const struct query *query, const struct query_instance *instance);

bool query_selects(const struct query *query, const struct cim_schema_property *property);

/*
 * Can the embedded instance of that name be of this class, or of one below it, in what meets the query? (So that nobody
 * looks after things whose changes nobody wants.)
 */
bool query_may_embed(const struct query *query, const char *property, const struct cim_schema_class *class);

#endif
