/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/schema_mof.h"

#include <string.h>

#define LINE_COLUMNS	110u

/* A list that goes on in the next line before it becomes too long. */
struct line {
	FILE *out;
	const char *indent;
	unsigned used;
};

static void print_string(FILE *out, const char *text)
{
	static const char letters[] = "btnfr", meant[] = "\b\t\n\f\r";

	putc('"', out);
	for (; *text; text++) {
		const char *special = strchr(meant, *text);

		if (special)
			fprintf(out, "\\%c", letters[special - meant]);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < ' ')
			fprintf(out, "\\x%04X", (unsigned)*text);
		else
			putc(*text, out);
	}
	putc('"', out);
}

static void print_literal(FILE *out, enum cim_type type, const char *text)
{
	if (type == CIM_TYPE_STRING || type == CIM_TYPE_DATETIME)
		print_string(out, text);
	else if (type == CIM_TYPE_CHAR16)
		fprintf(out, "'%s%s'", strchr("'\\", *text) ? "\\" : "", text);
	else if (type == CIM_TYPE_BOOLEAN)
		fputs(!strcmp(text, "TRUE") ? "true" : "false", out);
	else
		fputs(text, out);
}

static void print_list(struct line *line, enum cim_type type, const struct cim_schema_value *value)
{
	fputs("{", line->out);
	for (unsigned i = 0; i < value->count; i++) {
		unsigned length = (unsigned)strlen(value->list[i]) + 4;

		if (line->used + length > LINE_COLUMNS) {
			fprintf(line->out, "\n%s\t", line->indent);
			line->used = 8 * (unsigned)strlen(line->indent) + 8;
		} else {
			putc(' ', line->out);
		}
		line->used += length;
		print_literal(line->out, type, value->list[i]);
		fputs(i + 1 < value->count ? "," : " ", line->out);
	}
	fputs("}", line->out);
}

static void print_value(struct line *line, enum cim_type type, bool is_array, const struct cim_schema_value *value)
{
	if (!value->list)
		fputs("NULL", line->out);
	else if (is_array)
		print_list(line, type, value);
	else
		print_literal(line->out, type, value->list[0]);
}

/* " : Flavour Flavour", what differs from the qualifier's type. */
static void print_flavours(FILE *out, const struct cim_schema_qualifier *qualifier)
{
	const struct cim_schema_qualifier_type *type = cim_schema_find_qualifier_type(qualifier->name);
	const char *before = " : ";

	if (qualifier->is_overridable != type->is_overridable) {
		fprintf(out, "%s%s", before, qualifier->is_overridable ? "EnableOverride" : "DisableOverride");
		before = " ";
	}
	if (qualifier->is_to_subclass != type->is_to_subclass) {
		fprintf(out, "%s%s", before, qualifier->is_to_subclass ? "ToSubclass" : "Restricted");
		before = " ";
	}
	if (qualifier->is_translatable != type->is_translatable)
		fprintf(out, "%sTranslatable", before);
}

static void print_qualifier(struct line *line, const struct cim_schema_qualifier *qualifier)
{
	const struct cim_schema_value *value = &qualifier->value;
	bool plain = qualifier->type == CIM_TYPE_BOOLEAN && value->list && !strcmp(value->list[0], "TRUE");

	fputs(qualifier->name, line->out);
	line->used += (unsigned)strlen(qualifier->name);
	if (qualifier->is_array && value->list) {
		print_list(line, qualifier->type, value);
	} else if (!plain) {
		fputs("(", line->out);
		print_value(line, qualifier->type, qualifier->is_array, value);
		fputs(")", line->out);
		line->used += value->list ? (unsigned)strlen(value->list[0]) + 4 : 6;
	}
	print_flavours(line->out, qualifier);
}

/* "[...]" with the qualifiers that are set there; false: there are none. */
static bool print_qualifiers(FILE *out, const char *indent, const struct cim_schema_qualifiers *qualifiers)
{
	struct line line = { out, indent, 8 * (unsigned)strlen(indent) };
	unsigned printed = 0;

	for (unsigned i = 0; i < qualifiers->count; i++) {
		const struct cim_schema_qualifier *qualifier = &qualifiers->list[i];
		const char *text = qualifier->value.list && qualifier->value.count ? qualifier->value.list[0] : "";

		if (qualifier->is_propagated)
			continue;
		if (printed && (qualifier->is_array || line.used + strlen(qualifier->name) + strlen(text) +
				4 > LINE_COLUMNS)) {
			fprintf(out, ",\n%s ", indent);
			line.used = 8 * (unsigned)strlen(indent) + 1;
		} else {
			fprintf(out, "%s%s", printed ? ", " : indent, printed ? "" : "[");
		}
		print_qualifier(&line, qualifier);
		printed++;
	}
	fputs(printed ? "]" : "", out);
	return printed;
}

static void print_type(FILE *out, enum cim_type type, const char *reference_class)
{
	if (type == CIM_TYPE_REFERENCE)
		fprintf(out, "%s REF ", reference_class);
	else
		fprintf(out, "%s ", cim_type_name(type));
}

/* The default value is printed unless it is inherited with the property: then the superclass has the same. */
static bool has_own_fallback(const struct cim_schema_property *property)
{
	const struct cim_schema_class *super = property->declared_in->super;
	const struct cim_schema_property *inherited = super ? cim_schema_find_property(super, property->name) : NULL;

	if (!property->fallback.list)
		return false;
	if (!inherited || !inherited->fallback.list || inherited->fallback.count != property->fallback.count)
		return true;
	for (unsigned i = 0; i < property->fallback.count; i++)
		if (strcmp(property->fallback.list[i], inherited->fallback.list[i]))
			return true;
	return false;
}

static void print_property(FILE *out, const struct cim_schema_property *property)
{
	struct line line = { out, "\t", 40 };

	if (print_qualifiers(out, "\t", &property->qualifiers))
		putc('\n', out);
	putc('\t', out);
	print_type(out, property->type, property->reference_class);
	fprintf(out, "%s%s", property->name, property->is_array ? "[]" : "");
	if (has_own_fallback(property)) {
		fputs(" = ", out);
		print_value(&line, property->type, property->is_array, &property->fallback);
	}
	fputs(";\n", out);
}

static void print_method(FILE *out, const struct cim_schema_method *method)
{
	if (print_qualifiers(out, "\t", &method->qualifiers))
		putc('\n', out);
	fprintf(out, "\t%s %s(", cim_type_name(method->type), method->name);
	for (unsigned i = 0; i < method->parameter_count; i++) {
		const struct cim_schema_parameter *parameter = &method->parameters[i];

		fputs(i ? ",\n" : "\n", out);
		if (print_qualifiers(out, "\t\t", &parameter->qualifiers))
			putc('\n', out);
		fputs("\t\t", out);
		print_type(out, parameter->type, parameter->reference_class);
		fprintf(out, "%s%s", parameter->name, parameter->is_array ? "[]" : "");
	}
	fputs(");\n", out);
}

void cim_schema_print_class(FILE *out, const struct cim_schema_class *class)
{
	const char *between = "";

	if (print_qualifiers(out, "", &class->qualifiers))
		putc('\n', out);
	fprintf(out, "class %s%s%s {\n", class->name, class->super ? " : " : "",
		class->super ? class->super->name : "");
	for (unsigned i = 0; i < class->property_count; i++)
		if (class->properties[i]->declared_in == class) {
			fputs(between, out);
			print_property(out, class->properties[i]);
			between = "\n";
		}
	for (unsigned i = 0; i < class->method_count; i++)
		if (class->methods[i]->declared_in == class) {
			fputs(between, out);
			print_method(out, class->methods[i]);
			between = "\n";
		}
	fputs("};\n", out);
}

static void print_scopes(FILE *out, unsigned scopes)
{
	const char *before = "";

	fputs(", Scope(", out);
	if (scopes == (1u << CIM_SCOPE_COUNT) - 1)
		fputs("any", out);
	else
		for (unsigned i = 0; i < CIM_SCOPE_COUNT; i++)
			if (scopes >> i & 1) {
				fprintf(out, "%s%s", before, cim_scope_name((enum cim_scope)i));
				before = ", ";
			}
	fputs(")", out);
}

void cim_schema_print_qualifier_types(FILE *out)
{
	for (unsigned i = 0; i < cim_schema_qualifier_type_count; i++) {
		const struct cim_schema_qualifier_type *type = &cim_schema_qualifier_types[i];
		struct line line = { out, "", 40 };

		fprintf(out, "Qualifier %s : %s%s", type->name, cim_type_name(type->type), type->is_array ? "[]" : "");
		if (type->fallback.list) {
			fputs(" = ", out);
			print_value(&line, type->type, type->is_array, &type->fallback);
		}
		print_scopes(out, type->scopes);
		fprintf(out, ",\n\tFlavor(%s, %s%s);\n", type->is_overridable ? "EnableOverride" : "DisableOverride",
			type->is_to_subclass ? "ToSubclass" : "Restricted",
			type->is_translatable ? ", Translatable" : "");
	}
}

void cim_schema_print_namespace(FILE *out, enum cim_namespace ns)
{
	const struct cim_schema_class *class = NULL;

	fprintf(out, "#pragma namespace (\"%s\")\n\n", cim_schema_namespaces[ns]);
	cim_schema_print_qualifier_types(out);
	while ((class = cim_schema_next_class(ns, NULL, false, class)) != NULL) {
		putc('\n', out);
		cim_schema_print_class(out, class);
	}
}
