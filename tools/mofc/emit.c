/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c - one flat array a kind of thing, written in the order in which its elements get their numbers, so that
 * whatever points at an element is written by number.
 */
#include "emit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Where the writer is in the arrays that others point into. */
struct writer {
	FILE *out;
	unsigned value_at;
	unsigned qualifier_at, property_at, method_at, parameter_at;
};

static void put_text(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7F)
			fprintf(out, "\\%03o", c);
		else if (c == '?')
			fputs("\\?", out);	/* no trigraphs */
		else
			putc(c, out);
	}
	putc('"', out);
}

/* "CIM_TYPE_UINT16, " */
static void put_type(FILE *out, enum cim_type type)
{
	fputs("CIM_TYPE_", out);
	for (const char *c = cim_type_name(type); *c; c++)
		putc(toupper(*c), out);
	fputs(", ", out);
}

static const char *truth(bool value)
{
	return value ? "true" : "false";
}

/* ---- values: first all lists in one array, then the same walk again gives each its place ---- */

static void put_value_list(struct writer *writer, const struct mof_value *value)
{
	for (unsigned i = 0; i < value->count; i++) {
		putc('\t', writer->out);
		put_text(writer->out, value->list[i]);
		fputs(",\n", writer->out);
	}
}

static void put_value(struct writer *writer, const struct mof_value *value)
{
	if (value->is_null) {
		fputs("{ NULL, 0 }", writer->out);
		return;
	}
	fprintf(writer->out, "{ &values[%u], %u }", writer->value_at, value->count);
	writer->value_at += value->count;
}

/* ---- all members of all classes, in the order of declaration ---- */

static void each_qualifiers(struct mof_model *model, void (*call)(struct writer *, struct mof_qualifiers *),
			    struct writer *writer)
{
	for (struct mof_class *class = model->classes; class; class = class->next) {
		call(writer, &class->qualifiers);
		for (struct mof_member *member = class->members; member; member = member->next) {
			call(writer, &member->qualifiers);
			for (struct mof_member *p = member->parameters; p; p = p->next)
				call(writer, &p->qualifiers);
		}
	}
}

static void each_member(struct mof_model *model, bool methods, void (*call)(struct writer *, struct mof_member *),
			struct writer *writer)
{
	for (struct mof_class *class = model->classes; class; class = class->next)
		for (struct mof_member *member = class->members; member; member = member->next)
			if (member->is_method == methods)
				call(writer, member);
}

static void list_qualifiers(struct writer *writer, struct mof_qualifiers *qualifiers)
{
	for (const struct mof_qualifier *qualifier = qualifiers->first; qualifier; qualifier = qualifier->next)
		put_value_list(writer, &qualifier->value);
}

static void list_fallback(struct writer *writer, struct mof_member *member)
{
	put_value_list(writer, &member->fallback);
}

static void put_values(struct mof_model *model, struct writer *writer)
{
	fputs("static const char *const values[] = {\n", writer->out);
	for (struct mof_qualifier_type *type = model->qualifier_types; type; type = type->next)
		put_value_list(writer, &type->fallback);
	each_qualifiers(model, list_qualifiers, writer);
	each_member(model, false, list_fallback, writer);
	/* Never empty, and a list of no values has a place too. */
	fputs("\tNULL,\n};\n\n", writer->out);
}

/* ---- qualifiers ---- */

static int compare_types(const void *a, const void *b)
{
	const struct mof_qualifier_type *const *x = a, *const *y = b;

	return strcasecmp((*x)->name, (*y)->name);
}

static void put_qualifier_types(struct mof_model *model, struct writer *writer)
{
	FILE *out = writer->out;

	fputs("const struct cim_schema_qualifier_type cim_schema_qualifier_types[] = {\n", out);
	for (struct mof_qualifier_type *type = model->qualifier_types; type; type = type->next) {
		fprintf(out, "\t{ \"%s\", ", type->name);
		put_type(out, type->type);
		fprintf(out, "%s, %s, %s, %s, %#x, ", truth(type->is_array), truth(type->is_overridable),
			truth(type->is_to_subclass), truth(type->is_translatable), type->scopes);
		put_value(writer, &type->fallback);
		fputs(" },\n", out);
	}
	fprintf(out, "};\nconst unsigned cim_schema_qualifier_type_count = %u;\n\n", model->qualifier_type_count);
}

/* The list of types by name. */
static void sort_qualifier_types(struct mof_model *model)
{
	struct mof_qualifier_type **all, **end = &model->qualifier_types;
	unsigned count = 0;

	all = mof_allocate(model, (model->qualifier_type_count + 1) * sizeof(*all));
	if (!all)
		return;
	for (struct mof_qualifier_type *type = model->qualifier_types; type; type = type->next)
		all[count++] = type;
	qsort(all, count, sizeof(*all), compare_types);
	for (unsigned i = 0; i < count; i++) {
		*end = all[i];
		end = &all[i]->next;
	}
	*end = NULL;
}

static void put_qualifier_list(struct writer *writer, struct mof_qualifiers *qualifiers)
{
	qualifiers->at = writer->qualifier_at;
	for (const struct mof_qualifier *q = qualifiers->first; q; q = q->next) {
		fprintf(writer->out, "\t{ \"%s\", ", q->type->name);
		put_type(writer->out, q->type->type);
		fprintf(writer->out, "%s, %s, %s, %s, %s, ", truth(q->type->is_array), truth(q->is_overridable),
			truth(q->is_to_subclass), truth(q->is_translatable), truth(q->is_propagated));
		put_value(writer, &q->value);
		fputs(" },\n", writer->out);
		writer->qualifier_at++;
	}
}

static void put_qualifiers(FILE *out, const struct mof_qualifiers *qualifiers)
{
	fprintf(out, "{ &qualifiers[%u], %u }", qualifiers->at, qualifiers->count);
}

/* ---- members ---- */

static const char *has(const struct mof_member *member, const char *qualifier)
{
	return truth(mof_qualifier_is_true(&member->qualifiers, qualifier));
}

static void put_reference(FILE *out, const char *class)
{
	fputs(class ? "\"" : "", out);
	fputs(class ? class : "NULL", out);
	fputs(class ? "\", " : ", ", out);
}

static void put_origin(FILE *out, const struct mof_member *member)
{
	fprintf(out, ", &classes[%u], &classes[%u] },\n", member->origin->order, member->declared_in->order);
}

static void put_property(struct writer *writer, struct mof_member *member)
{
	FILE *out = writer->out;

	member->at = writer->property_at++;
	fprintf(out, "\t{ \"%s\", ", member->name);
	put_type(out, member->type);
	fprintf(out, "%s, %s, %s, ", truth(member->is_array), has(member, "Key"), has(member, "Write"));
	put_reference(out, member->reference_class);
	put_value(writer, &member->fallback);
	fputs(", ", out);
	put_qualifiers(out, &member->qualifiers);
	put_origin(out, member);
}

/* In is TRUE unless it is said to be FALSE. */
static bool is_in(const struct mof_member *parameter)
{
	return !mof_find_qualifier(&parameter->qualifiers, "In") ||
	       mof_qualifier_is_true(&parameter->qualifiers, "In");
}

static void put_parameters(struct writer *writer, struct mof_member *method)
{
	FILE *out = writer->out;

	method->parameters_at = writer->parameter_at;
	for (const struct mof_member *p = method->parameters; p; p = p->next) {
		fprintf(out, "\t{ \"%s\", ", p->name);
		put_type(out, p->type);
		fprintf(out, "%s, %s, %s, %s, ", truth(p->is_array), truth(is_in(p)), has(p, "Out"),
			has(p, "Required"));
		put_reference(out, p->reference_class);
		put_qualifiers(out, &p->qualifiers);
		fputs(" },\n", out);
		writer->parameter_at++;
	}
}

static void put_method(struct writer *writer, struct mof_member *member)
{
	FILE *out = writer->out;

	member->at = writer->method_at++;
	fprintf(out, "\t{ \"%s\", ", member->name);
	put_type(out, member->type);
	fprintf(out, "%s, %u, &parameters[%u], ", has(member, "Static"), member->parameter_count,
		member->parameters_at);
	put_qualifiers(out, &member->qualifiers);
	put_origin(out, member);
}

static void put_members(struct mof_model *model, struct writer *writer)
{
	FILE *out = writer->out;

	fputs("static const struct cim_schema_property properties[] = {\n", out);
	each_member(model, false, put_property, writer);
	fputs("\t{ 0 },\n};\n\nstatic const struct cim_schema_parameter parameters[] = {\n", out);
	each_member(model, true, put_parameters, writer);
	fputs("\t{ 0 },\n};\n\nstatic const struct cim_schema_method methods[] = {\n", out);
	each_member(model, true, put_method, writer);
	fputs("\t{ 0 },\n};\n\n", out);
}

/* ---- classes ---- */

/* The lists that the classes point into: classes are walked in the same order again when they are written. */
static void put_lists(struct mof_class *const *classes, unsigned count, bool methods, FILE *out)
{
	fputs(methods ? "static const struct cim_schema_method *const method_lists[] = {\n" :
	      "static const struct cim_schema_property *const property_lists[] = {\n", out);
	for (unsigned i = 0; i < count; i++)
		for (unsigned m = 0; m < classes[i]->all_count; m++) {
			const struct mof_member *member = classes[i]->all[m];

			if (member->is_method == methods)
				fprintf(out, "\t&%s[%u],\n", methods ? "methods" : "properties", member->at);
		}
	fputs("\tNULL,\n};\n\n", out);
}

static void put_class(const struct mof_class *class, unsigned property_at, unsigned property_count, unsigned method_at,
		      FILE *out)
{
	fprintf(out, "\t{ \"%s\", ", class->name);
	if (class->super)
		fprintf(out, "&classes[%u], ", class->super->order);
	else
		fputs("NULL, ", out);
	fprintf(out, "%s, %s, %s, %#x, %u, %u, %u, %u, &property_lists[%u], &method_lists[%u], ",
		truth(mof_qualifier_is_true(&class->qualifiers, "Abstract") &&
		      !mof_find_qualifier(&class->qualifiers, "Abstract")->is_propagated),
		truth(mof_qualifier_is_true(&class->qualifiers, "Association")),
		truth(mof_qualifier_is_true(&class->qualifiers, "Indication")),
		class->namespaces, class->order, class->order_last, property_count,
		class->all_count - property_count, property_at, method_at);
	put_qualifiers(out, &class->qualifiers);
	fputs(" },\n", out);
}

static void put_classes(struct mof_class *const *classes, unsigned count, FILE *out)
{
	unsigned property_at = 0, method_at = 0;

	fprintf(out, "static const struct cim_schema_class classes[%u] = {\n", count + 1);
	for (unsigned i = 0; i < count; i++) {
		unsigned properties = 0;

		for (unsigned m = 0; m < classes[i]->all_count; m++)
			properties += !classes[i]->all[m]->is_method;
		put_class(classes[i], property_at, properties, method_at, out);
		property_at += properties;
		method_at += classes[i]->all_count - properties;
	}
	fputs("};\n\n", out);
}

static int compare_classes(const void *a, const void *b)
{
	const struct mof_class *const *x = a, *const *y = b;

	return strcasecmp((*x)->name, (*y)->name);
}

static void put_order(struct mof_class **classes, unsigned count, const char *name, FILE *out)
{
	fprintf(out, "const struct cim_schema_class *const %s[] = {\n", name);
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "\t&classes[%u],\n", classes[i]->order);
	fputs("\tNULL,\n};\n", out);
}

static void put_namespaces(const struct mof_model *model, FILE *out)
{
	fputs("\nconst char *const cim_schema_namespaces[CIM_NAMESPACE_COUNT] = {\n", out);
	for (unsigned i = 0; i < model->namespace_count; i++) {
		putc('\t', out);
		put_text(out, model->namespaces[i]);
		fputs(",\n", out);
	}
	fprintf(out, "};\n_Static_assert(CIM_NAMESPACE_COUNT == %u, \"schema.h names the namespaces of the MOF\");\n",
		model->namespace_count);
}

void mof_emit(struct mof_model *model, FILE *out)
{
	struct mof_class **classes = mof_allocate(model, (model->class_count + 1) * sizeof(*classes));
	struct writer writer = { .out = out };
	unsigned count = model->class_count;

	if (!classes)
		return;
	for (struct mof_class *class = model->classes; class; class = class->next)
		classes[class->order] = class;
	sort_qualifier_types(model);
	fprintf(out, "/* Made by mofc of the files in schema/. */\n#include <stddef.h>\n\n"
		"#include \"face/cim/schema_tables.h\"\n\nstatic const struct cim_schema_class classes[%u];\n\n",
		count + 1);
	put_values(model, &writer);
	put_qualifier_types(model, &writer);
	fputs("static const struct cim_schema_qualifier qualifiers[] = {\n", out);
	each_qualifiers(model, put_qualifier_list, &writer);
	fputs("\t{ 0 },\n};\n\n", out);
	put_members(model, &writer);
	put_lists(classes, count, false, out);
	put_lists(classes, count, true, out);
	put_classes(classes, count, out);
	put_order(classes, count, "cim_schema_classes", out);
	qsort(classes, count, sizeof(*classes), compare_classes);
	put_order(classes, count, "cim_schema_classes_by_name", out);
	fprintf(out, "const unsigned cim_schema_class_count = %u;\n", count);
	put_namespaces(model, out);
}
