/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta_schema.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rt/crc32c.h"

struct sql {
	char *text;
	size_t len;
};

static void add(struct sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct sql *sql, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(sql->text + sql->len, META_SQL_MAX - sql->len, format, args);
	va_end(args);
	/* Only our own tables come here. */
	assert(len >= 0 && (size_t)len < META_SQL_MAX - sql->len);
	sql->len += (size_t)len;
}

/* All columns, or only the keys, separated: format with the name for each @. */
static void add_columns(struct sql *sql, const struct meta_table *table, bool keys_only, const char *format)
{
	const char *between = "";

	for (unsigned i = 0; i < table->column_count; i++) {
		const char *name = table->columns[i].name;

		if (keys_only && !table->columns[i].key)
			continue;
		add(sql, "%s", between);
		for (const char *c = format; *c != '\0'; c++) {
			if (*c == '@')
				add(sql, "%s", name);
			else
				add(sql, "%c", *c);
		}
		between = ", ";
	}
}

/* ---- create ---- */

static void add_words(struct sql *sql, const struct meta_column *column)
{
	for (unsigned i = 0; i < column->word_count; i++)
		add(sql, "%s'%s'", i == 0 ? "" : ", ", column->words[i]);
}

static uint64_t number_max(size_t size)
{
	return size == 8 ? INT64_MAX : (UINT64_C(1) << (8 * size)) - 1;
}

static void add_check(struct sql *sql, const struct meta_column *column)
{
	const char *name = column->name;

	switch (column->type) {
	case META_BOOL:
		add(sql, "%s IN (0, 1)", name);
		break;
	case META_UINT:
		add(sql, "%s BETWEEN 0 AND %llu", name, (unsigned long long)number_max(column->size));
		break;
	case META_HEX:
		add(sql, "%s GLOB '%s'", name, column->size == 1 ? "[0-9A-F][0-9A-F]" :
		    "[0-9A-F][0-9A-F][0-9A-F][0-9A-F]");
		break;
	case META_WORD:
		add(sql, "%s IN (", name);
		add_words(sql, column);
		add(sql, ")");
		break;
	case META_TEXT:
		add(sql, "length(CAST(%s AS BLOB)) < %u", name, column->size);
		break;
	case META_UUID:
		add(sql, "length(%s) IN (0, 36)", name);
		break;
	case META_BYTES:
		add(sql, "length(%s) IN (0, %u)", name, 2u * column->size);
		break;
	case META_TIME:
		add(sql, "length(%s) IN (0, 30)", name);
		break;
	}
}

/* What an old row has in a column that a newer version added. */
static void add_default(struct sql *sql, const struct meta_column *column)
{
	switch (column->type) {
	case META_BOOL:
	case META_UINT:
		add(sql, "0");
		break;
	case META_HEX:
		add(sql, "'%.*s'", 2 * column->size, "0000");
		break;
	case META_WORD:
		add(sql, "'%s'", column->words[0]);
		break;
	default:
		add(sql, "''");
	}
}

static void add_create(struct sql *sql, const struct meta_table *table)
{
	add(sql, "CREATE TABLE %s ( -- %s\n", table->name, table->comment);
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct meta_column *column = &table->columns[i];
		bool is_number = column->type == META_BOOL || column->type == META_UINT;

		add(sql, "\t%s %s NOT NULL DEFAULT ", column->name, is_number ? "INTEGER" : "TEXT");
		add_default(sql, column);
		add(sql, " CHECK (");
		add_check(sql, column);
		add(sql, "),");
		if (column->comment != NULL)
			add(sql, " -- %s", column->comment);
		add(sql, "\n");
	}
	add(sql, "\tcrc INTEGER NOT NULL DEFAULT 0, -- checksum of the row, so that xdcd knows it for its own\n");
	add(sql, "\tPRIMARY KEY (");
	add_columns(sql, table, true, "@");
	add(sql, ")\n) STRICT");
}

/* ---- rows ---- */

static void add_put(struct sql *sql, const struct meta_table *table)
{
	add(sql, "INSERT INTO %s (", table->name);
	add_columns(sql, table, false, "@");
	add(sql, ", crc) VALUES (");
	add_columns(sql, table, false, ":@");
	add(sql, ", " META_CRC_FUNCTION "(");
	add_columns(sql, table, false, ":@");
	add(sql, ")) ON CONFLICT (");
	add_columns(sql, table, true, "@");
	add(sql, ") DO UPDATE SET ");
	for (unsigned i = 0; i < table->column_count; i++) {
		const struct meta_column *column = &table->columns[i];

		if (!column->key)
			add(sql, "%s = excluded.%s, ", column->name, column->name);
	}
	add(sql, "crc = excluded.crc");
}

static void add_delete(struct sql *sql, const struct meta_table *table)
{
	const char *between = " WHERE ";

	add(sql, "DELETE FROM %s", table->name);
	for (unsigned i = 0; i < table->column_count; i++) {
		if (!table->columns[i].key)
			continue;
		add(sql, "%s%s = ?", between, table->columns[i].name);
		between = " AND ";
	}
}

void meta_schema_write(enum meta_sql which, const struct meta_table *table, char *out)
{
	struct sql sql = { .text = out };

	switch (which) {
	case META_SQL_CREATE:
		add_create(&sql, table);
		break;
	case META_SQL_LOAD:
		add(&sql, "SELECT ");
		add_columns(&sql, table, false, "@");
		add(&sql, ", crc = " META_CRC_FUNCTION "(");
		add_columns(&sql, table, false, "@");
		add(&sql, ") FROM %s ORDER BY ", table->name);
		add_columns(&sql, table, true, "@");
		break;
	case META_SQL_PUT:
		add_put(&sql, table);
		break;
	case META_SQL_DELETE:
		add_delete(&sql, table);
		break;
	case META_SQL_DUMP:
		add(&sql, "SELECT rowid, json_object('table', '%s', ", table->name);
		add_columns(&sql, table, false, "'@', @");
		add(&sql, ") FROM %s WHERE rowid > ? ORDER BY rowid LIMIT ?", table->name);
		break;
	case META_SQL_SEAL:
		add(&sql, "UPDATE %s SET crc = " META_CRC_FUNCTION "(", table->name);
		add_columns(&sql, table, false, "@");
		add(&sql, ")");
		break;
	}
}

static void compute_crc(sqlite3_context *context, int count, sqlite3_value **values)
{
	uint32_t crc = 0;

	for (int i = 0; i < count; i++) {
		const unsigned char *text = sqlite3_value_text(values[i]);

		if (text == NULL) {
			sqlite3_result_error_nomem(context);
			return;
		}
		crc = crc32c(crc, text, (size_t)sqlite3_value_bytes(values[i]) + 1);
	}
	sqlite3_result_int64(context, crc);
}

int meta_schema_add_function(sqlite3 *sqlite)
{
	int code = sqlite3_create_function(sqlite, META_CRC_FUNCTION, -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
					   compute_crc, NULL, NULL);

	return code == SQLITE_OK ? 0 : -ENOMEM;
}
