/* SPDX-License-Identifier: Apache-2.0 */
/* parser_private.h - between the files of the parser. */
#ifndef MOFC_PARSER_PRIVATE_H
#define MOFC_PARSER_PRIVATE_H

#include "lexer.h"
#include "parser.h"

/* A type by its name; CIM_TYPE_COUNT: it is none. */
enum cim_type mof_type_of(const char *name);

/* ---- values (parser_values.c): all return false after an error ---- */

/* One literal or {a, b}, converted to a type. */
bool mof_read_value(struct mof_lexer *lexer, enum cim_type type, bool is_array, struct mof_value *value);

/* "Qualifier Name : type = value, Scope(...), Flavor(...);" behind the first word. */
bool mof_read_qualifier_type(struct mof_lexer *lexer);

/* "[...]" if there is one. Whether each may stand there is checked when it is known what they belong to. */
bool mof_read_qualifiers(struct mof_lexer *lexer, struct mof_qualifiers *qualifiers);

bool mof_check_scope(struct mof_lexer *lexer, struct mof_place place, const struct mof_qualifiers *qualifiers,
		     enum cim_scope scope);

#endif
