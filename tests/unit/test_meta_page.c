/* SPDX-License-Identifier: Apache-2.0 */
/* docs/disk-format.md has every table of the metadata database with its key, and every column; and no others. */
#include "docs_check.h"
#include "store/records.h"

/* What is generated stands between these lines. */
#define BEGIN	"### Their columns\n"
#define END	"\n## The dirty log\n"

static const char *const values[] = {
	[META_BOOL] = "yes or no", [META_UINT] = "number", [META_HEX] = "id", [META_WORD] = "word",
	[META_TEXT] = "text", [META_UUID] = "UUID", [META_BYTES] = "bytes", [META_TIME] = "moment",
};

static void say_column(const struct meta_table *table, const struct meta_column *column)
{
	say("| `%s` | `%s` | %s", table->name, column->name, values[column->type]);
	for (unsigned i = 0; i < column->word_count; i++)
		say("%s%s", i ? ", " : ": ", column->words[i]);
	say(" | %s |\n", column->comment ? column->comment : "");
}

static void every_column_is_on_the_page(void **state)
{
	char *end;

	(void)state;
	read_page("disk-format.md");
	say(BEGIN "| table | column | value | what |\n|---|---|---|---|\n");
	for (enum meta_kind kind = 0; kind < META_KIND_COUNT; kind++) {
		for (unsigned i = 0; i < meta_tables[kind].column_count; i++)
			say_column(&meta_tables[kind], &meta_tables[kind].columns[i]);
	}
	end = strstr(page, END);
	assert_non_null(end);
	*end = '\0';
	(void)check_page(BEGIN);
}

/* "source_lss, system, target_lss" */
static void write_key(const struct meta_table *table, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < table->column_count && used < size; i++) {
		if (table->columns[i].key)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "",
						 table->columns[i].name);
	}
}

static const struct meta_table *find_table(const char *name, size_t len)
{
	for (enum meta_kind kind = 0; kind < META_KIND_COUNT; kind++) {
		if (strlen(meta_tables[kind].name) == len && !memcmp(meta_tables[kind].name, name, len))
			return &meta_tables[kind];
	}
	return NULL;
}

/* "| `pool` | a pool | name |": the last cell begins with the key. */
static void check_row(const char *row)
{
	const char *name = row + 3, *end = strchr(row, '\n'), *last = end - 2;
	size_t len = strcspn(name, "`");
	const struct meta_table *table = find_table(name, len);
	char key[256];

	if (!table)
		fail_msg("there is no table %.*s", (int)len, name);
	while (memcmp(last - 2, "| ", 2) != 0)
		last--;
	write_key(table, key, sizeof(key));
	if (strncmp(last, key, strlen(key)) != 0 || !strchr(" ,", last[strlen(key)]))
		fail_msg("the key of table %s is %s", table->name, key);
}

static void every_table_is_on_the_page(void **state)
{
	unsigned found = 0;
	char *row;

	(void)state;
	read_page("disk-format.md");
	row = strstr(page, "### The tables\n");
	assert_non_null(row);
	*strstr(row, BEGIN) = '\0';
	for (row = strstr(row, "\n| `"); row; row = strstr(row + 1, "\n| `")) {
		check_row(row + 1);
		found++;
	}
	assert_int_equal(found, META_KIND_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_on_the_page),
		cmocka_unit_test(every_column_is_on_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
