/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people: tables and lines, with units by the names of the keys. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/parse.h"

#define CELL_MAX	160u
#define COLUMNS_MAX	12u
#define BLOCK_BYTES	4096
#define GAP		2u	/* between two columns */

/* What a list of things shows of each, of a verb with a list of its own first; show shows all. */
static const struct {
	const char *noun;
	const char *keys[COLUMNS_MAX];
} list_columns[] = {
	{ "pool",
	  { "pool", "kind", "cache", "state", "volumes", "configured_bytes", "size_bytes", "free_bytes", "folder" } },
	{ "lss", { "lss", "ssid", "volumes", "configured_bytes" } },
	{ "volume", { "volume", "name", "pool", "size_bytes", "allocated_bytes", "state", "access", "attached" } },
	{ "path", { "source_lss", "target_lss", "system", "address", "state", "since", "error" } },
	{ "pair",
	  { "volume", "remote_volume", "system", "role", "type", "state", "reason", "session", "first_copy_done",
	    "out_of_sync_blocks" } },
	{ "standby",
	  { "volume", "near", "system", "remote_volume", "state", "out_of_sync_blocks", "sequence", "covered_at",
	    "waiting_for" } },
	{ "standby take-over",
	  { "volume", "remote_volume", "system", "role", "type", "state", "reason", "session", "first_copy_done",
	    "out_of_sync_blocks" } },
	{ "session",
	  { "session", "role", "state", "phase", "sequence", "rpo_ms", "out_of_sync_blocks", "cg_good", "cg_failed" } },
	{ "flash",
	  { "source", "target", "state", "reason", "copy", "persistent", "size_bytes", "own_bytes", "created_at" } },
	{ "set", { "set", "kind", "of", "type", "members" } },
	{ "session points", { "sequence", "cg_at", "back_bytes" } },
	{ "job", { "job", "kind", "object", "state", "since", "percent", "done_bytes", "total_bytes", "waiting_for" } },
};

void cli_print_json(FILE *out, const json_t *value)
{
	json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', out);
}

/* ---- values ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t text_len = strlen(text), end_len = strlen(end);

	return text_len >= end_len && !strcmp(text + text_len - end_len, end);
}

/* The unit that a key names is its last word: reserved_bytes, rpo_ms, hold_us_p99. */
static bool has_unit(const char *key, const char *unit)
{
	char inner[8];

	snprintf(inner, sizeof(inner), "%s_", unit);
	return ends_with(key, unit) || strstr(key, inner);
}

void cli_format_value(const char *key, const json_t *value, char *text, size_t size)
{
	json_int_t number = json_integer_value(value);
	char formatted[FORMAT_MAX];

	if (json_is_string(value))
		snprintf(text, size, "%s", json_string_value(value));
	else if (json_is_boolean(value))
		snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
	else if (!json_is_integer(value))
		snprintf(text, size, "-");
	else if (has_unit(key, "_bytes"))
		format_size((uint64_t)number, formatted);
	else if (has_unit(key, "_blocks"))
		format_size((uint64_t)number * BLOCK_BYTES, formatted);
	else if (has_unit(key, "_ms"))
		format_duration(number * 1000000, formatted);
	else if (has_unit(key, "_us"))
		format_duration(number * 1000, formatted);
	else
		snprintf(formatted, sizeof(formatted), "%lld", (long long)number);
	if (json_is_integer(value))
		snprintf(text, size, "%s", formatted);
}

/* A key as people read it: without its unit, with spaces. */
static void format_key(const char *key, char *text, size_t size)
{
	static const char *const units[] = { "_bytes", "_blocks", "_ms", "_us" };
	char *unit;

	snprintf(text, size, "%s", key);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		unit = strstr(text, units[i]);
		if (unit)
			memmove(unit, unit + strlen(units[i]), strlen(unit + strlen(units[i])) + 1);
	}
	for (; *text; text++)
		if (*text == '_')
			*text = ' ';
}

/* ---- one thing ---- */

static void print_fields(FILE *out, const json_t *object, unsigned indent);

static void print_items(FILE *out, const json_t *list, unsigned indent)
{
	char text[2 * CELL_MAX];
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *key, *space = "";
		json_t *value;

		fprintf(out, "%*s", (int)indent, "");
		json_object_foreach((json_t *)(uintptr_t)item, key, value) {
			char name[CELL_MAX];

			format_key(key, name, sizeof(name));
			cli_format_value(key, value, text, sizeof(text));
			fprintf(out, "%s%s %s", space, name, text);
			space = ", ";
		}
		fputc('\n', out);
	}
}

/* Of words or numbers: on one line. */
static void print_values(FILE *out, const char *key, const json_t *list)
{
	char text[2 * CELL_MAX];
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		cli_format_value(key, item, text, sizeof(text));
		fprintf(out, "%s%s", i ? ", " : "", text);
	}
	fputc('\n', out);
}

static void print_field(FILE *out, const char *key, const json_t *value, unsigned indent, unsigned width)
{
	char name[CELL_MAX], text[2 * CELL_MAX];

	format_key(key, name, sizeof(name));
	fprintf(out, "%*s%-*s  ", (int)indent, "", (int)width, name);
	if (json_array_size(value) && !json_is_object(json_array_get(value, 0))) {
		print_values(out, key, value);
		return;
	}
	if (json_is_object(value) || (json_is_array(value) && json_array_size(value))) {
		fputc('\n', out);
		if (json_is_object(value))
			print_fields(out, value, indent + 2);
		else
			print_items(out, value, indent + 2);
		return;
	}
	cli_format_value(key, value, text, sizeof(text));
	fprintf(out, "%s\n", text);
}

static void print_fields(FILE *out, const json_t *object, unsigned indent)
{
	unsigned width = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		char name[CELL_MAX];

		format_key(key, name, sizeof(name));
		if (strlen(name) > width)
			width = (unsigned)strlen(name);
	}
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
		print_field(out, key, value, indent, width);
}

void cli_print_object(FILE *out, const json_t *object)
{
	print_fields(out, object, 0);
}

/* ---- many ---- */

static void print_row(FILE *out, const char *const *keys, const unsigned *widths, const json_t *item)
{
	char text[CELL_MAX];

	for (unsigned i = 0; i < COLUMNS_MAX && keys[i]; i++) {
		const json_t *value = item ? json_object_get(item, keys[i]) : NULL;
		bool last = i + 1 == COLUMNS_MAX || !keys[i + 1];

		if (item)
			cli_format_value(keys[i], value, text, sizeof(text));
		else
			format_key(keys[i], text, sizeof(text));
		for (char *at = text; !item && *at; at++)
			if (*at >= 'a' && *at <= 'z')
				*at = (char)(*at - 'a' + 'A');
		if (json_is_integer(value))
			fprintf(out, "%*s", (int)widths[i], text);
		else
			fprintf(out, "%-*s", last ? 0 : (int)widths[i], text);
		fputs(last ? "\n" : "  ", out);
	}
}

unsigned cli_terminal_columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* The width of each column; that of all is returned. */
static unsigned measure(const char *const *keys, const json_t *list, unsigned *widths)
{
	char text[CELL_MAX];
	unsigned all = 0;
	const json_t *item;
	size_t row;

	for (unsigned i = 0; i < COLUMNS_MAX && keys[i]; i++) {
		format_key(keys[i], text, sizeof(text));
		widths[i] = (unsigned)strlen(text);
		json_array_foreach(list, row, item) {
			cli_format_value(keys[i], json_object_get(item, keys[i]), text, sizeof(text));
			if (strlen(text) > widths[i])
				widths[i] = (unsigned)strlen(text);
		}
		all += widths[i] + (i ? GAP : 0);
	}
	return all;
}

/* On a terminal too narrow for the table: one line a value. */
static void print_item(FILE *out, const char *const *keys, const json_t *item)
{
	unsigned width = 0;

	for (unsigned i = 0; i < COLUMNS_MAX && keys[i]; i++)
		if (strlen(keys[i]) > width)
			width = (unsigned)strlen(keys[i]);
	for (unsigned i = 0; i < COLUMNS_MAX && keys[i]; i++) {
		char name[CELL_MAX], text[CELL_MAX];

		format_key(keys[i], name, sizeof(name));
		cli_format_value(keys[i], json_object_get(item, keys[i]), text, sizeof(text));
		fprintf(out, "%-*s  %s\n", (int)width, name, text);
	}
}

static void print_table(FILE *out, const char *const *keys, const json_t *list)
{
	unsigned widths[COLUMNS_MAX], columns = cli_terminal_columns();
	bool fits = measure(keys, list, widths) <= columns || !columns;
	const json_t *item;
	size_t row;

	if (fits)
		print_row(out, keys, widths, NULL);
	json_array_foreach(list, row, item) {
		if (fits)
			print_row(out, keys, widths, item);
		else
			print_item(out, keys, item);
		if (!fits && row + 1 < json_array_size(list))
			fputc('\n', out);
	}
}

static const char *const *find_columns(const char *what)
{
	for (size_t i = 0; i < sizeof(list_columns) / sizeof(list_columns[0]); i++)
		if (!strcmp(list_columns[i].noun, what))
			return list_columns[i].keys;
	return NULL;
}

void cli_print_list(FILE *out, const struct operation *operation, const json_t *list)
{
	bool events = !strcmp(operation->noun, "events");
	const char *const *keys;
	const json_t *item;
	char what[64];
	size_t row;

	snprintf(what, sizeof(what), "%s %s", operation->noun, operation->verb);
	keys = find_columns(what);
	if (!keys)
		keys = find_columns(operation->noun);
	if (keys) {
		print_table(out, keys, list);
		return;
	}
	json_array_foreach(list, row, item)
		cli_print_event(out, item, !events);
}
