/* SPDX-License-Identifier: Apache-2.0 */
/* parser_values.c - literals, converted to the type of what they are given to, and qualifiers. */
#include "parser_private.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Values are collected here before their number is known. */
struct collected {
	struct collected *next;
	const char *text;
};

enum cim_type mof_type_of(const char *name)
{
	for (unsigned type = 0; type < CIM_TYPE_REFERENCE; type++)
		if (!strcasecmp(cim_type_name((enum cim_type)type), name))
			return (enum cim_type)type;
	return CIM_TYPE_COUNT;
}

/* Does an integer of the lexer's form fit? */
static bool fits(const char *text, enum cim_type type)
{
	static const unsigned bits[CIM_TYPE_COUNT] = {
		[CIM_TYPE_UINT8] = 8, [CIM_TYPE_UINT16] = 16, [CIM_TYPE_UINT32] = 32, [CIM_TYPE_UINT64] = 64,
		[CIM_TYPE_SINT8] = 8, [CIM_TYPE_SINT16] = 16, [CIM_TYPE_SINT32] = 32, [CIM_TYPE_SINT64] = 64,
	};
	bool is_signed = type >= CIM_TYPE_SINT8 && type <= CIM_TYPE_SINT64, minus = text[0] == '-';
	uint64_t number = strtoull(text + minus, NULL, 10), max = UINT64_MAX >> (64 - bits[type]);

	if (is_signed)
		return number <= max / 2 + minus;
	return !minus && number <= max;
}

/* yyyymmddhhmmss.mmmmmmsutc or ddddddddhhmmss.mmmmmm:000, where * stands for what is not known. */
static bool is_datetime(const char *text)
{
	static const char form[] = "dddddddddddddd.ddddddsddd";

	if (strlen(text) != sizeof(form) - 1)
		return false;
	for (unsigned i = 0; form[i]; i++) {
		const char *allowed = form[i] == 'd' ? "0123456789*" : form[i] == 's' ? "+-:" : ".";

		if (!strchr(allowed, text[i]))
			return false;
	}
	return text[21] != ':' || !strcmp(text + 22, "000");
}

/* The text of the literal at the lexer, if it is of this type. */
static const char *read_literal(struct mof_lexer *lexer, enum cim_type type)
{
	const char *text = lexer->text, *what = cim_type_name(type);
	bool good = false;

	switch (type) {
	case CIM_TYPE_BOOLEAN:
		good = mof_at_word(lexer, "true") || mof_at_word(lexer, "false");
		text = mof_at_word(lexer, "true") ? "TRUE" : "FALSE";
		break;
	case CIM_TYPE_STRING:
		good = lexer->token == TOKEN_STRING;
		break;
	case CIM_TYPE_DATETIME:
		good = lexer->token == TOKEN_STRING && is_datetime(text);
		break;
	case CIM_TYPE_CHAR16:
		good = lexer->token == TOKEN_CHAR;
		break;
	case CIM_TYPE_REAL32:
	case CIM_TYPE_REAL64:
		good = lexer->token == TOKEN_REAL || lexer->token == TOKEN_INTEGER;
		break;
	case CIM_TYPE_REFERENCE:
		what = "NULL, the only default of a reference,";
		break;
	default:
		good = lexer->token == TOKEN_INTEGER && fits(text, type);
		break;
	}
	if (!good) {
		mof_expected(lexer, what);
		return NULL;
	}
	mof_next_token(lexer);
	return text;
}

static bool store_values(struct mof_lexer *lexer, const struct collected *first, unsigned count,
			 struct mof_value *value)
{
	value->list = mof_allocate(lexer->model, (count + 1) * sizeof(*value->list));
	if (!value->list)
		return false;
	for (; first; first = first->next)
		value->list[value->count++] = first->text;
	return !lexer->model->error[0];
}

static bool read_array(struct mof_lexer *lexer, enum cim_type type, struct mof_value *value)
{
	struct collected *first = NULL, **end = &first, *item;
	unsigned count = 0;

	value->is_array = true;
	if (mof_take_sign(lexer, '}'))
		return store_values(lexer, NULL, 0, value);
	do {
		item = mof_allocate(lexer->model, sizeof(*item));
		if (!item || !(item->text = read_literal(lexer, type)))
			return false;
		*end = item;
		end = &item->next;
		count++;
	} while (mof_take_sign(lexer, ','));
	return mof_need_sign(lexer, '}') && store_values(lexer, first, count, value);
}

bool mof_read_value(struct mof_lexer *lexer, enum cim_type type, bool is_array, struct mof_value *value)
{
	struct collected one = { NULL, NULL };

	*value = (struct mof_value){ .is_null = mof_take_word(lexer, "NULL") };
	if (value->is_null)
		return true;
	if (is_array && !mof_at_sign(lexer, '{'))
		return mof_expected(lexer, "'{' (it is an array)");
	if (is_array) {
		mof_next_token(lexer);
		return read_array(lexer, type, value);
	}
	one.text = read_literal(lexer, type);
	return one.text && store_values(lexer, &one, 1, value);
}

/* ---- qualifier types ---- */

/* The bits of one word: "any" is all, "schema" a thing of the standard that has no text here. */
static bool read_scope(struct mof_lexer *lexer, unsigned *scopes)
{
	if (mof_take_word(lexer, "any")) {
		*scopes |= (1u << CIM_SCOPE_COUNT) - 1;
		return true;
	}
	if (mof_take_word(lexer, "schema"))
		return true;
	for (unsigned i = 0; i < CIM_SCOPE_COUNT; i++)
		if (mof_take_word(lexer, cim_scope_name((enum cim_scope)i))) {
			*scopes |= 1u << i;
			return true;
		}
	return mof_expected(lexer, "a scope (class, association, indication, property, reference, method, parameter)");
}

static bool read_flavour(struct mof_lexer *lexer, bool *overridable, bool *to_subclass, bool *translatable)
{
	if (mof_take_word(lexer, "EnableOverride"))
		*overridable = true;
	else if (mof_take_word(lexer, "DisableOverride"))
		*overridable = false;
	else if (mof_take_word(lexer, "ToSubclass"))
		*to_subclass = true;
	else if (mof_take_word(lexer, "Restricted"))
		*to_subclass = false;
	else if (mof_take_word(lexer, "Translatable"))
		*translatable = true;
	else
		return mof_expected(lexer, "a flavour (EnableOverride, DisableOverride, ToSubclass, Restricted, "
				    "Translatable)");
	return true;
}

/* ", Scope(...)" and ", Flavor(...)" */
static bool read_scope_and_flavour(struct mof_lexer *lexer, struct mof_qualifier_type *type)
{
	while (mof_take_sign(lexer, ',')) {
		bool scope = mof_take_word(lexer, "Scope");

		if (!scope && !mof_take_word(lexer, "Flavor"))
			return mof_expected(lexer, "Scope or Flavor");
		if (!mof_need_sign(lexer, '('))
			return false;
		do {
			if (scope ? !read_scope(lexer, &type->scopes) :
				    !read_flavour(lexer, &type->is_overridable, &type->is_to_subclass,
						  &type->is_translatable))
				return false;
		} while (mof_take_sign(lexer, ','));
		if (!mof_need_sign(lexer, ')'))
			return false;
	}
	if (!type->scopes)
		return mof_expected(lexer, "Scope");
	return mof_need_sign(lexer, ';');
}

static bool add_qualifier_type(struct mof_lexer *lexer, struct mof_qualifier_type *type)
{
	struct mof_model *model = lexer->model;
	const struct mof_qualifier_type *known = mof_find_qualifier_type(model, type->name);

	if (known && (strcmp(known->place.file, type->place.file) || known->place.line != type->place.line))
		return mof_complain(model, type->place, "qualifier %s is declared already at %s:%u", known->name,
				    known->place.file, known->place.line);
	if (known)
		return true;
	*model->qualifier_types_end = type;
	model->qualifier_types_end = &type->next;
	model->qualifier_type_count++;
	return true;
}

bool mof_read_qualifier_type(struct mof_lexer *lexer)
{
	struct mof_qualifier_type *type = mof_allocate(lexer->model, sizeof(*type));
	const char *type_name;

	if (!type)
		return false;
	type->place = lexer->place;
	type->is_overridable = type->is_to_subclass = true;
	type->name = mof_need_name(lexer, "the name of the qualifier");
	if (!type->name || !mof_need_sign(lexer, ':'))
		return false;
	type_name = lexer->text;
	type->type = lexer->token == TOKEN_NAME ? mof_type_of(type_name) : CIM_TYPE_COUNT;
	if (type->type == CIM_TYPE_COUNT)
		return mof_expected(lexer, "a type");
	mof_next_token(lexer);
	if (mof_take_sign(lexer, '[')) {
		type->is_array = true;
		if (!mof_need_sign(lexer, ']'))
			return false;
	}
	type->fallback.is_null = true;
	if (mof_take_sign(lexer, '=') && !mof_read_value(lexer, type->type, type->is_array, &type->fallback))
		return false;
	return read_scope_and_flavour(lexer, type) && add_qualifier_type(lexer, type);
}

/* ---- qualifiers ---- */

/* Name, Name(value), Name{values}, and flavours behind a colon. */
static bool read_qualifier_value(struct mof_lexer *lexer, struct mof_qualifier *qualifier)
{
	const struct mof_qualifier_type *type = qualifier->type;

	if (mof_at_sign(lexer, '{'))
		return type->is_array ? mof_read_value(lexer, type->type, true, &qualifier->value) :
		       mof_expected(lexer, "'(' (the qualifier is no array)");
	if (mof_take_sign(lexer, '('))
		return mof_read_value(lexer, type->type, type->is_array, &qualifier->value) &&
		       mof_need_sign(lexer, ')');
	if (type->type != CIM_TYPE_BOOLEAN || type->is_array) {
		qualifier->value = type->fallback;
		return true;
	}
	qualifier->value.list = mof_allocate(lexer->model, sizeof(*qualifier->value.list));
	if (!qualifier->value.list)
		return false;
	qualifier->value.list[0] = "TRUE";
	qualifier->value.count = 1;
	return true;
}

static bool read_qualifier(struct mof_lexer *lexer, struct mof_qualifiers *qualifiers)
{
	struct mof_qualifier *qualifier = mof_allocate(lexer->model, sizeof(*qualifier));

	if (!qualifier)
		return false;
	qualifier->type = lexer->token == TOKEN_NAME ? mof_find_qualifier_type(lexer->model, lexer->text) : NULL;
	if (!qualifier->type)
		return mof_expected(lexer, "a qualifier that is declared");
	if (mof_find_qualifier(qualifiers, lexer->text))
		return mof_complain(lexer->model, lexer->place, "qualifier %s stands twice", lexer->text);
	mof_next_token(lexer);
	qualifier->is_overridable = qualifier->type->is_overridable;
	qualifier->is_to_subclass = qualifier->type->is_to_subclass;
	qualifier->is_translatable = qualifier->type->is_translatable;
	if (!read_qualifier_value(lexer, qualifier))
		return false;
	if (mof_take_sign(lexer, ':'))
		do {
			if (!read_flavour(lexer, &qualifier->is_overridable, &qualifier->is_to_subclass,
					  &qualifier->is_translatable))
				return false;
		} while (lexer->token == TOKEN_NAME);
	mof_add_qualifier(qualifiers, qualifier);
	return true;
}

bool mof_read_qualifiers(struct mof_lexer *lexer, struct mof_qualifiers *qualifiers)
{
	if (!mof_take_sign(lexer, '['))
		return true;
	do {
		if (!read_qualifier(lexer, qualifiers))
			return false;
	} while (mof_take_sign(lexer, ','));
	return mof_need_sign(lexer, ']');
}

bool mof_check_scope(struct mof_lexer *lexer, struct mof_place place, const struct mof_qualifiers *qualifiers,
		     enum cim_scope scope)
{
	for (const struct mof_qualifier *qualifier = qualifiers->first; qualifier; qualifier = qualifier->next)
		if (!(qualifier->type->scopes >> scope & 1))
			return mof_complain(lexer->model, place, "qualifier %s must not stand at a %s",
					    qualifier->type->name, cim_scope_name(scope));
	return true;
}
