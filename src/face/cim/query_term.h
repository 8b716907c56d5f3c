/* SPDX-License-Identifier: Apache-2.0 */
/* query_term.h - the conditions of queries as a tree: what query_parse.c makes and query.c follows. */
#ifndef XDC_FACE_CIM_QUERY_TERM_H
#define XDC_FACE_CIM_QUERY_TERM_H

#include "face/cim/query.h"

/* Types that can be compared with one another are of one family. */
enum query_family { QUERY_BOOLEAN, QUERY_NUMBER, QUERY_TEXT, QUERY_TIME, QUERY_PATH };
enum query_family query_family_of(enum cim_type type);

/* Where a value comes from. */
struct query_operand {
	const struct cim_schema_property *property;	/* of the query's class; NULL: a literal, or the instance */
	const char *embedded;				/* property of the instance embedded there; NULL: property */
	const struct cim_schema_class *embedded_class;	/* which it must be of; NULL: any */
	bool has_index;
	unsigned index;
	bool is_array;					/* and no index */
	enum cim_type type;				/* of the literal: */
	struct cim_scalar literal;
	const char *symbol;				/* literal, until the other side is known: its name there */
};

enum query_kind { QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_COMPARE, QUERY_LIKE, QUERY_IS_NULL, QUERY_ISA };
enum query_order { QUERY_EQ, QUERY_NE, QUERY_LT, QUERY_LE, QUERY_GT, QUERY_GE };

/* One place of a pattern: this byte, or any; once, or any number of times. */
struct query_place {
	char byte;
	bool any, repeated;
};

struct query_term {
	enum query_kind kind;
	const struct query_term *left, *right;		/* AND, OR; NOT: left */
	enum query_order order;
	struct query_operand a, b;			/* b: COMPARE */
	const struct query_place *pattern;
	unsigned pattern_count;
	const struct cim_schema_class *class;		/* ISA */
};

#endif
