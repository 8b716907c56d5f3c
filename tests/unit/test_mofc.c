/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler of the CIM schema: what it takes in, what it refuses and how it says so, and that what the tables print
 * as MOF compiles to the same tables.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emit.h"
#include "face/cim/schema.h"
#include "face/cim/schema_mof.h"
#include "parser.h"

/* Files that a test gives to the compiler; the first is the one it begins with. */
struct texts {
	const char *names[4], *texts[4];
};

static const char *read_text(void *arg, const char *path, size_t *size)
{
	const struct texts *texts = arg;

	for (unsigned i = 0; i < 4 && texts->names[i]; i++)
		if (!strcmp(texts->names[i], path)) {
			*size = strlen(texts->texts[i]);
			return texts->texts[i];
		}
	return NULL;
}

static bool parse(struct mof_model *model, struct texts *texts)
{
	struct mof_reader reader = { read_text, texts };

	mof_model_init(model);
	return mof_parse_file(model, &reader, texts->names[0]);
}

#define QUALIFIERS \
	"Qualifier Key : boolean = false, Scope(property, reference), Flavor(DisableOverride);" \
	"Qualifier Association : boolean = false, Scope(association), Flavor(DisableOverride);" \
	"Qualifier Override : string, Scope(property, reference, method), Flavor(Restricted);" \
	"Qualifier Description : string, Scope(any), Flavor(Translatable);" \
	"Qualifier ValueMap : string[], Scope(property, method, parameter);" \
	"Qualifier Static : boolean = false, Scope(method), Flavor(DisableOverride);" \
	"Qualifier MaxLen : uint32, Scope(property);" \
	"#pragma namespace (\"n\")\n"

static const struct mof_member *member_of(const struct mof_model *model, const char *class, const char *name)
{
	const struct mof_class *found = mof_find_class(model, class);

	for (unsigned i = 0; found && i < found->all_count; i++)
		if (!strcmp(found->all[i]->name, name))
			return found->all[i];
	fail_msg("no %s in %s", name, class);
	return NULL;
}

static void check_value(const struct mof_value *value, unsigned count, const char *first, const char *last)
{
	assert_int_equal(value->count, count);
	assert_string_equal(value->list[0], first);
	assert_string_equal(value->list[count - 1], last);
}

static void literals_are_read_in_all_their_forms(void **state)
{
	struct texts texts = { { "m" }, { QUALIFIERS
		"class A { // of every kind\n"
		" uint32 Hex = 0xfF; uint8 Binary = 101b; sint16 Octal = -017; sint64 Least = -9223372036854775808;\n"
		" string S = \"a\\\"b\" /* and */ \"\\x263A\\n\";\n"
		" boolean B = TRUE; real32 R = -1.5e+3; char16 C = 'x';\n"
		" datetime D = \"00000000000130.000000:000\"; uint16 List[] = { 1, 2, 0x10 }; uint16 None[] = {};\n"
		" string Nothing = NULL; uint16 Sized[4]; };" } };
	struct mof_model model;

	(void)state;
	assert_true(parse(&model, &texts));
	check_value(&member_of(&model, "A", "Hex")->fallback, 1, "255", "255");
	check_value(&member_of(&model, "A", "Binary")->fallback, 1, "5", "5");
	check_value(&member_of(&model, "A", "Octal")->fallback, 1, "-15", "-15");
	check_value(&member_of(&model, "A", "Least")->fallback, 1, "-9223372036854775808", "-9223372036854775808");
	check_value(&member_of(&model, "A", "S")->fallback, 1, "a\"b\xE2\x98\xBA\n", "a\"b\xE2\x98\xBA\n");
	check_value(&member_of(&model, "A", "B")->fallback, 1, "TRUE", "TRUE");
	check_value(&member_of(&model, "A", "R")->fallback, 1, "-1.5e+3", "-1.5e+3");
	check_value(&member_of(&model, "A", "List")->fallback, 3, "1", "16");
	assert_int_equal(member_of(&model, "A", "None")->fallback.count, 0);
	assert_false(member_of(&model, "A", "None")->fallback.is_null);
	assert_true(member_of(&model, "A", "Nothing")->fallback.is_null);
	assert_true(member_of(&model, "A", "Sized")->is_array);
	mof_model_free(&model);
}

static void a_class_has_what_its_superclass_has(void **state)
{
	struct texts texts = { { "m" }, { QUALIFIERS
		"class A { [Key, MaxLen(5)] string Id; [Description(\"d\")] uint16 N = 3; uint32 Go(string P); };\n"
		"class B : a { uint8 Own; [Override(\"n\"), ValueMap{ \"1\" }] uint16 N; };\n"
		"[Association] class AB { [Key] A REF From; [Key] B REF To; };" } };
	const struct mof_member *n;
	struct mof_model model;

	(void)state;
	assert_true(parse(&model, &texts));
	assert_int_equal(mof_find_class(&model, "B")->all_count, 4);
	n = member_of(&model, "B", "N");
	assert_string_equal(n->origin->name, "A");
	assert_string_equal(n->declared_in->name, "B");
	check_value(&n->fallback, 1, "3", "3");
	assert_true(mof_find_qualifier(&n->qualifiers, "description")->is_propagated);
	assert_false(mof_find_qualifier(&n->qualifiers, "ValueMap")->is_propagated);
	assert_ptr_equal(member_of(&model, "B", "Id"), member_of(&model, "A", "Id"));
	assert_int_equal(mof_find_class(&model, "A")->order_last, mof_find_class(&model, "B")->order);
	mof_model_free(&model);
}

static void a_file_included_in_two_namespaces_is_one_set_of_classes(void **state)
{
	struct texts texts = { { "top/m", "top/sub/c" }, { QUALIFIERS
		"#pragma include (\"sub/c\")\n#pragma namespace (\"other\")\n#pragma include (\"sub/c\")\n"
		"class Only : A { };", "class A { string S; };" } };
	struct mof_model model;

	(void)state;
	assert_true(parse(&model, &texts));
	assert_int_equal(model.class_count, 2);
	assert_int_equal(mof_find_class(&model, "A")->namespaces, 3);
	assert_int_equal(mof_find_class(&model, "Only")->namespaces, 2);
	mof_model_free(&model);
}

/* Line 2 is the one that is wrong, if no other is named. */
static const struct {
	const char *text, *error;
} bad[] = {
	{ "class A { string; };", "m:2: the name of a property or method is expected, not ';'" },
	{ "class A { strong S; };", "m:2: REF (the word before it is no type) is expected, not 'S'" },
	{ "class A { string S }", "m:2: ';' is expected, not '}'" },
	{ "class A { string S;", "a type or the class of a reference is expected, not the end of the file" },
	{ "class A { string S; }", "m:2: ';' is expected, not the end of the file" },
	{ "\n\nclass A : B { };", "m:4: superclass B is not in namespace n yet" },
	{ "class A { };\nclass a { };", "m:3: class A is declared already at m:2" },
	{ "class A { string S; uint8 s; };", "m:2: s is declared twice in A" },
	{ "class A { uint8 N = 256; };", "m:2: uint8 is expected, not '256'" },
	{ "class A { uint8 N = -1; };", "m:2: uint8 is expected, not '-1'" },
	{ "class A { sint8 N = -129; };", "m:2: sint8 is expected, not '-129'" },
	{ "class A { uint64 N = 18446744073709551616; };", "m:2: the number does not fit in 64 bits" },
	{ "class A { string S = 5; };", "m:2: string is expected, not '5'" },
	{ "class A { string S[] = \"x\"; };", "m:2: '{' (it is an array) is expected, not 'x'" },
	{ "class A { datetime D = \"now\"; };", "m:2: datetime is expected, not 'now'" },
	{ "class A { boolean B = 1; };", "m:2: boolean is expected, not '1'" },
	{ "class A { string S = \"x\n\"; };", "m:2: a string ends on its line: a quote is expected" },
	{ "class A { string S = \"\\q\"; };", "m:2: an escape is one of" },
	{ "class A { string S = \"x", "m:2: the string does not end" },
	{ "/* no end", "m:2: the comment does not end" },
	{ "class A { ? };", "m:2: this character has no meaning in MOF" },
	{ "[Unknown] class A { };", "m:2: a qualifier that is declared is expected, not 'Unknown'" },
	{ "[Key] class A { };", "m:2: qualifier Key must not stand at a class" },
	{ "class A { [Key, Key] string S; };", "m:2: qualifier Key stands twice" },
	{ "class A { [MaxLen{ 1 }] string S; };", "m:2: '(' (the qualifier is no array) is expected" },
	{ "class A { uint32 M(string P, uint8 p); };", "m:2: parameter p stands twice" },
	{ "class A { A REF R; };", "m:2: A has references: qualifier Association is expected" },
	{ "[Association] class A { [Key] A REF R; };", "m:2: association A has 1 references, 2 are expected" },
	{ "[Association] class A { [Key] A REF R; [Key] B REF S; };", "m:2: there is no class B" },
	{ "class A { [Override(\"S\")] string S; };", "m:2: S overrides nothing: no superclass has it" },
	{ "class A { string S; }; class B : A { string S; };",
	  "m:2: S is inherited from A: Override(\"S\") is expected" },
	{ "class A { string S; }; class B : A { [Override(\"S\")] uint8 S; };",
	  "m:2: S has another type or other parameters in A" },
	{ "class A { [Key] string S; }; class B : A { [Override(\"S\"), Key(false)] string S; };",
	  "m:2: qualifier Key is DisableOverride: it keeps the value it has in the superclass" },
	{ "instance of A { };", "m:2: class (instances are made by xdcd itself) is expected, not 'instance'" },
	{ "#pragma include (\"none\")", "m:2: cannot read none" },
	{ "#pragma include (\"m\")", "more than 8 files include one another" },
	{ "Qualifier Q : string;", "m:2: Scope is expected, not ';'" },
	{ "Qualifier Q : string, Scope(sky);", "m:2: a scope (class," },
	{ "Qualifier Key : string, Scope(any);", "m:2: qualifier Key is declared already at m:1" },
};

static void what_is_wrong_is_told_with_its_line_and_what_was_expected(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[4096];
		struct texts texts = { { "m" }, { text } };
		struct mof_model model;

		snprintf(text, sizeof(text), "%s%s", QUALIFIERS, bad[i].text);
		assert_false(parse(&model, &texts));
		if (!strstr(model.error, bad[i].error))
			fail_msg("%s\nis told:  %s\nexpected: %s", bad[i].text, model.error, bad[i].error);
		mof_model_free(&model);
	}
}

/* ---- the tables, printed and compiled again ---- */

static void compare_value(const struct cim_schema_value *value, const struct mof_value *read, const char *where)
{
	if (!value->list != read->is_null || (value->list && value->count != read->count))
		fail_msg("%s: another number of values", where);
	for (unsigned i = 0; value->list && i < value->count; i++)
		assert_string_equal(value->list[i], read->list[i]);
}

static void compare_qualifiers(const struct cim_schema_qualifiers *qualifiers, const struct mof_qualifiers *read,
			       const char *where)
{
	if (qualifiers->count != read->count)
		fail_msg("%s: %u qualifiers, read again %u", where, qualifiers->count, read->count);
	for (unsigned i = 0; i < qualifiers->count; i++) {
		const struct cim_schema_qualifier *qualifier = &qualifiers->list[i];
		const struct mof_qualifier *other = mof_find_qualifier(read, qualifier->name);

		assert_non_null(other);
		assert_int_equal(qualifier->is_propagated, other->is_propagated);
		assert_int_equal(qualifier->is_overridable, other->is_overridable);
		assert_int_equal(qualifier->is_to_subclass, other->is_to_subclass);
		compare_value(&qualifier->value, &other->value, where);
	}
}

static void compare_method(const struct cim_schema_method *method, const struct mof_member *read)
{
	const struct mof_member *other = read->parameters;

	assert_string_equal(method->declared_in->name, read->declared_in->name);
	assert_int_equal(method->type, read->type);
	compare_qualifiers(&method->qualifiers, &read->qualifiers, method->name);
	for (unsigned i = 0; i < method->parameter_count; i++, other = other->next) {
		const struct cim_schema_parameter *parameter = &method->parameters[i];

		assert_non_null(other);
		assert_string_equal(parameter->name, other->name);
		assert_int_equal(parameter->type, other->type);
		assert_int_equal(parameter->is_array, other->is_array);
		compare_qualifiers(&parameter->qualifiers, &other->qualifiers, parameter->name);
	}
	assert_null(other);
}

static void compare_property(const struct cim_schema_property *property, const struct mof_member *read)
{
	assert_string_equal(property->origin->name, read->origin->name);
	assert_string_equal(property->declared_in->name, read->declared_in->name);
	assert_int_equal(property->type, read->type);
	assert_int_equal(property->is_array, read->is_array);
	if (property->reference_class)
		assert_string_equal(property->reference_class, read->reference_class);
	compare_value(&property->fallback, &read->fallback, property->name);
	compare_qualifiers(&property->qualifiers, &read->qualifiers, property->name);
}

static void compare_class(const struct cim_schema_class *class, const struct mof_model *model)
{
	const struct mof_class *read = mof_find_class(model, class->name);

	assert_non_null(read);
	assert_int_equal(class->property_count + class->method_count, read->all_count);
	compare_qualifiers(&class->qualifiers, &read->qualifiers, class->name);
	for (unsigned i = 0; i < class->property_count; i++)
		compare_property(class->properties[i], member_of(model, class->name, class->properties[i]->name));
	for (unsigned i = 0; i < class->method_count; i++)
		compare_method(class->methods[i], member_of(model, class->name, class->methods[i]->name));
}

static void what_the_tables_print_compiles_to_the_same_tables(void **state)
{
	(void)state;
	for (unsigned ns = 0; ns < CIM_NAMESPACE_COUNT; ns++) {
		struct texts texts = { { "m" }, { NULL } };
		const struct cim_schema_class *class = NULL;
		struct mof_model model;
		unsigned count = 0;
		char *text = NULL;
		size_t size = 0;
		FILE *memory = open_memstream(&text, &size);

		cim_schema_print_namespace(memory, (enum cim_namespace)ns);
		assert_int_equal(fclose(memory), 0);
		texts.texts[0] = text;
		if (!parse(&model, &texts))
			fail_msg("%s", model.error);
		assert_string_equal(model.namespaces[0], cim_schema_namespaces[ns]);
		assert_int_equal(model.qualifier_type_count, cim_schema_qualifier_type_count);
		while ((class = cim_schema_next_class((enum cim_namespace)ns, NULL, false, class)) != NULL) {
			compare_class(class, &model);
			count++;
		}
		assert_int_equal(count, model.class_count);
		mof_model_free(&model);
		free(text);
	}
}

/* What is written for a small schema, word for word where other parts of xdc rely on it. */
static void the_tables_are_written_as_c(void **state)
{
	struct texts texts = { { "m" }, { QUALIFIERS
		"class A { [Key] string Id; [Static] uint32 Go(string P[]); };\nclass B : A { };" } };
	struct mof_model model;
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);

	(void)state;
	assert_true(parse(&model, &texts));
	mof_emit(&model, memory);
	assert_int_equal(fclose(memory), 0);
	assert_string_equal(model.error, "");
	assert_non_null(strstr(text, "{ \"Id\", CIM_TYPE_STRING, false, true, false, NULL, { NULL, 0 }, "
			       "{ &qualifiers[0], 1 }, &classes[0], &classes[0] },"));
	assert_non_null(strstr(text, "{ \"P\", CIM_TYPE_STRING, true, true, false, false, NULL, "
			       "{ &qualifiers[2], 0 } },"));
	assert_non_null(strstr(text, "{ \"Go\", CIM_TYPE_UINT32, true, 1, &parameters[0], { &qualifiers[1], 1 }, "
			       "&classes[0], &classes[0] },"));
	assert_non_null(strstr(text, "{ \"B\", &classes[0], false, false, false, 0x1, 1, 1, 1, 1, "
			       "&property_lists[1], &method_lists[1], { &qualifiers[2], 0 } },"));
	mof_model_free(&model);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(literals_are_read_in_all_their_forms),
		cmocka_unit_test(a_class_has_what_its_superclass_has),
		cmocka_unit_test(a_file_included_in_two_namespaces_is_one_set_of_classes),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line_and_what_was_expected),
		cmocka_unit_test(what_the_tables_print_compiles_to_the_same_tables),
		cmocka_unit_test(the_tables_are_written_as_c),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
