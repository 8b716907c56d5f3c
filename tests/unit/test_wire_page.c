/* SPDX-License-Identifier: Apache-2.0 */
/* docs/link-protocol.md names every message and every field as the program has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "copy/wire_layout.h"
#include "copy/wire_message.h"

#define LINE_MAX_BYTES	1024u

static char page[1u << 16];

/* Run by meson, or by hand from the top folder. */
static int read_page(void **state)
{
	const char *top = getenv("XDC_TOP");
	char path[512];
	FILE *file;
	size_t len;

	(void)state;
	snprintf(path, sizeof(path), "%s/docs/link-protocol.md", top ? top : ".");
	file = fopen(path, "r");
	if (!file) {
		fprintf(stderr, "%s cannot be read\n", path);
		return -1;
	}
	len = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	return len && len < sizeof(page) - 1 ? 0 : -1;
}

static void add(char *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *line, const char *format, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	len += (size_t)vsnprintf(line + len, LINE_MAX_BYTES - len, format, args);
	va_end(args);
	assert_true(len < LINE_MAX_BYTES);
}

static void add_field(char *line, const struct wire_field *field)
{
	add(line, "%s: ", field->name);
	switch (field->kind) {
	case WIRE_FIELD_UINT:
		add(line, "u%u", 8 * field->size);
		break;
	case WIRE_FIELD_BOOL:
		add(line, "bool");
		break;
	case WIRE_FIELD_BYTES:
		add(line, "%u bytes", field->size);
		break;
	case WIRE_FIELD_TEXT:
		add(line, "text (%u)", field->size - 1);
		break;
	case WIRE_FIELD_STRUCT:
		add(line, "%s", field->items->name);
		break;
	case WIRE_FIELD_LIST:
	case WIRE_FIELD_ARRAY:
		add(line, "list of %s (%u)", field->items->name, field->size);
		break;
	}
}

static void expect_line(const char *line)
{
	if (!strstr(page, line))
		fail_msg("docs/link-protocol.md lacks: %s", line + 1);
}

static void expect_struct(const struct wire_layout *layout)
{
	char line[LINE_MAX_BYTES] = "\n| ";

	for (unsigned i = 0; i < layout->field_count; i++) {
		if (layout->fields[i].items)
			expect_struct(layout->fields[i].items);
	}
	add(line, "%s | %s", layout->name, layout->field_count ? "" : "nothing");
	for (unsigned i = 0; i < layout->field_count; i++) {
		add(line, "%s", i ? ", " : "");
		add_field(line, &layout->fields[i]);
	}
	add(line, " |\n");
	expect_line(line);
}

static void the_page_names_every_field(void **state)
{
	size_t count;
	const struct wire_type *types = wire_types(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char line[LINE_MAX_BYTES] = "\n| ";

		add(line, "%u | %s | %s | %s | ", types[i].number, types[i].name, types[i].request->name,
		    types[i].reply ? types[i].reply->name : "-");
		expect_line(line);
		expect_struct(types[i].request);
		if (types[i].reply)
			expect_struct(types[i].reply);
	}
}

static bool is_used(const struct wire_layout *layout, const char *name)
{
	if (!layout)
		return false;
	for (unsigned i = 0; i < layout->field_count; i++) {
		if (is_used(layout->fields[i].items, name))
			return true;
	}
	return !strcmp(layout->name, name);
}

static bool is_known(const char *first, const char *second)
{
	size_t count;
	const struct wire_type *types = wire_types(&count);

	for (size_t i = 0; i < count; i++) {
		if (is_used(types[i].request, first) || is_used(types[i].reply, first))
			return true;
		if (types[i].number == strtoul(first, NULL, 10) && !strcmp(types[i].name, second))
			return true;
	}
	return false;
}

/* Rows of the two tables of section 5, but for their heads. */
static void the_page_names_nothing_else(void **state)
{
	const char *at = strstr(page, "\nStructures:");
	unsigned rows = 0;

	(void)state;
	assert_non_null(at);
	while ((at = strstr(at, "\n| "))) {
		char first[64], second[64];

		assert_int_equal(sscanf(at, "\n| %63s | %63s", first, second), 2);
		at += 2;
		if (!strcmp(first, "name") || !strcmp(first, "number"))
			continue;
		if (!is_known(first, second))
			fail_msg("docs/link-protocol.md has what the program has not: %s %s", first, second);
		rows++;
	}
	assert_true(rows > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_page_names_every_field, read_page),
		cmocka_unit_test_setup(the_page_names_nothing_else, read_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
