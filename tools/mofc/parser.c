/* SPDX-License-Identifier: Apache-2.0 */
#include "parser_private.h"

#include <string.h>
#include <strings.h>

/* What is kept over the files of one run. */
struct parser {
	struct mof_model *model;
	const struct mof_reader *reader;
	unsigned depth, files;
	int ns;			/* of the last pragma; -1: there was none */
};

/* ---- classes ---- */

/* "type", or "Class REF". */
static bool read_type(struct mof_lexer *lexer, struct mof_member *member)
{
	const char *name = mof_need_name(lexer, "a type or the class of a reference");

	if (!name)
		return false;
	member->type = mof_type_of(name);
	if (member->type != CIM_TYPE_COUNT)
		return true;
	member->type = CIM_TYPE_REFERENCE;
	member->reference_class = name;
	return mof_take_word(lexer, "REF") || mof_expected(lexer, "REF (the word before it is no type)");
}

/* "[]" or "[8]" */
static bool read_array_size(struct mof_lexer *lexer, struct mof_member *member)
{
	if (!mof_take_sign(lexer, '['))
		return true;
	member->is_array = true;
	if (lexer->token == TOKEN_INTEGER)
		mof_next_token(lexer);
	return mof_need_sign(lexer, ']');
}

static bool read_parameter(struct mof_lexer *lexer, struct mof_member *method, struct mof_member ***end)
{
	struct mof_member *parameter = mof_allocate(lexer->model, sizeof(*parameter));
	struct mof_place place;

	if (!parameter || !mof_read_qualifiers(lexer, &parameter->qualifiers))
		return false;
	place = parameter->place = lexer->place;
	if (!read_type(lexer, parameter))
		return false;
	parameter->name = mof_need_name(lexer, "the name of the parameter");
	if (!parameter->name || !read_array_size(lexer, parameter))
		return false;
	for (const struct mof_member *other = method->parameters; other; other = other->next)
		if (!strcasecmp(other->name, parameter->name))
			return mof_complain(lexer->model, place, "parameter %s stands twice", parameter->name);
	**end = parameter;
	*end = &parameter->next;
	method->parameter_count++;
	return mof_check_scope(lexer, place, &parameter->qualifiers, CIM_SCOPE_PARAMETER);
}

/* Behind the name. */
static bool read_method(struct mof_lexer *lexer, struct mof_member *method)
{
	struct mof_member **end = &method->parameters;

	method->is_method = true;
	if (method->type == CIM_TYPE_REFERENCE)
		return mof_complain(lexer->model, method->place, "a method returns no reference");
	if (!mof_need_sign(lexer, '('))
		return false;
	if (!mof_at_sign(lexer, ')'))
		do {
			if (!read_parameter(lexer, method, &end))
				return false;
		} while (mof_take_sign(lexer, ','));
	return mof_need_sign(lexer, ')') && mof_need_sign(lexer, ';') &&
	       mof_check_scope(lexer, method->place, &method->qualifiers, CIM_SCOPE_METHOD);
}

static bool read_property(struct mof_lexer *lexer, struct mof_member *property)
{
	property->fallback.is_null = true;
	if (!read_array_size(lexer, property))
		return false;
	if (property->type == CIM_TYPE_REFERENCE && property->is_array)
		return mof_complain(lexer->model, property->place, "a reference of a class is no array");
	if (mof_take_sign(lexer, '=') && !mof_read_value(lexer, property->type, property->is_array,
							 &property->fallback))
		return false;
	return mof_need_sign(lexer, ';') &&
	       mof_check_scope(lexer, property->place, &property->qualifiers,
			       property->type == CIM_TYPE_REFERENCE ? CIM_SCOPE_REFERENCE : CIM_SCOPE_PROPERTY);
}

static struct mof_member *read_member(struct mof_lexer *lexer)
{
	struct mof_member *member = mof_allocate(lexer->model, sizeof(*member));
	bool good;

	if (!member || !mof_read_qualifiers(lexer, &member->qualifiers))
		return NULL;
	member->place = lexer->place;
	if (!read_type(lexer, member))
		return NULL;
	member->name = mof_need_name(lexer, "the name of a property or method");
	if (!member->name)
		return NULL;
	good = mof_at_sign(lexer, '(') ? read_method(lexer, member) : read_property(lexer, member);
	return good ? member : NULL;
}

static bool read_members(struct mof_lexer *lexer, struct mof_class *class)
{
	struct mof_member **end = &class->members;

	if (!mof_need_sign(lexer, '{'))
		return false;
	while (!mof_take_sign(lexer, '}')) {
		struct mof_member *member = read_member(lexer);

		if (!member)
			return false;
		*end = member;
		end = &member->next;
	}
	return mof_need_sign(lexer, ';');
}

static enum cim_scope scope_of_class(const struct mof_class *class)
{
	if (mof_qualifier_is_true(&class->qualifiers, "Association"))
		return CIM_SCOPE_ASSOCIATION;
	return mof_qualifier_is_true(&class->qualifiers, "Indication") ? CIM_SCOPE_INDICATION : CIM_SCOPE_CLASS;
}

/* Behind its qualifiers. */
static bool read_class(struct mof_lexer *lexer, struct parser *parser, struct mof_class *class)
{
	const char *super = NULL;

	class->place = lexer->place;
	if (mof_at_word(lexer, "instance"))
		return mof_expected(lexer, "class (instances are made by xdcd itself)");
	if (!mof_take_word(lexer, "class"))
		return mof_expected(lexer, "class, Qualifier or #pragma");
	if (parser->ns < 0)
		return mof_complain(lexer->model, class->place, "#pragma namespace is expected before the first class");
	class->name = mof_need_name(lexer, "the name of the class");
	if (!class->name)
		return false;
	if (mof_take_sign(lexer, ':') && !(super = mof_need_name(lexer, "the name of the superclass")))
		return false;
	return mof_check_scope(lexer, class->place, &class->qualifiers, scope_of_class(class)) &&
	       read_members(lexer, class) && mof_add_class(lexer->model, class, super, (unsigned)parser->ns);
}

/* ---- files ---- */

static bool parse_file(struct parser *parser, struct mof_place from, const char *path);

static bool set_namespace(struct parser *parser, struct mof_place place, const char *name)
{
	struct mof_model *model = parser->model;

	for (parser->ns = 0; (unsigned)parser->ns < model->namespace_count; parser->ns++)
		if (!strcasecmp(model->namespaces[parser->ns], name))
			return true;
	if (model->namespace_count == MOF_NAMESPACES_MAX)
		return mof_complain(model, place, "more than %u namespaces", MOF_NAMESPACES_MAX);
	model->namespaces[model->namespace_count++] = name;
	return true;
}

static bool include(struct parser *parser, struct mof_place place, const char *name)
{
	const char *slash = strrchr(place.file, '/');
	size_t folder = slash ? (size_t)(slash - place.file) + 1 : 0, length = strlen(name);
	char *path = mof_allocate(parser->model, folder + length + 1);

	if (!path)
		return false;
	if (parser->depth == MOF_INCLUDES_MAX)
		return mof_complain(parser->model, place, "more than %u files include one another", MOF_INCLUDES_MAX);
	memcpy(path, place.file, folder);
	memcpy(path + folder, name, length);
	return parse_file(parser, place, path);
}

/* #pragma name ("text"), with those that say nothing to us read over, as the standard wants it. */
static bool read_pragma(struct mof_lexer *lexer, struct parser *parser)
{
	struct mof_place place = lexer->place;
	const char *name, *text;

	mof_next_token(lexer);
	name = mof_need_name(lexer, "the name of the pragma");
	if (!name || !mof_need_sign(lexer, '('))
		return false;
	if (lexer->token != TOKEN_STRING)
		return mof_expected(lexer, "a string");
	text = lexer->text;
	mof_next_token(lexer);
	if (!mof_need_sign(lexer, ')'))
		return false;
	if (!strcasecmp(name, "namespace"))
		return set_namespace(parser, place, text);
	return strcasecmp(name, "include") || include(parser, place, text);
}

static bool read_declaration(struct mof_lexer *lexer, struct parser *parser)
{
	struct mof_class *class;

	if (lexer->token == TOKEN_PRAGMA)
		return read_pragma(lexer, parser);
	if (mof_take_word(lexer, "Qualifier"))
		return mof_read_qualifier_type(lexer);
	class = mof_allocate(lexer->model, sizeof(*class));
	return class && mof_read_qualifiers(lexer, &class->qualifiers) && read_class(lexer, parser, class);
}

static bool parse_file(struct parser *parser, struct mof_place from, const char *path)
{
	struct mof_lexer lexer;
	const char *text;
	size_t size = 0;

	text = parser->reader->read(parser->reader->arg, path, &size);
	if (!text)
		return mof_complain(parser->model, from, "cannot read %s", path);
	if (parser->files++ == MOF_FILES_MAX)
		return mof_complain(parser->model, from, "more than %u files", MOF_FILES_MAX);
	parser->depth++;
	mof_lexer_init(&lexer, parser->model, path, text, size);
	while (lexer.token != TOKEN_END)
		if (!read_declaration(&lexer, parser))
			return false;
	parser->depth--;
	return !parser->model->error[0];
}

bool mof_parse_file(struct mof_model *model, const struct mof_reader *reader, const char *path)
{
	struct parser parser = { .model = model, .reader = reader, .ns = -1 };

	return parse_file(&parser, (struct mof_place){ path, 0 }, path) && mof_finish(model);
}
