/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the metadata database, as an administrator and SQLite see them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "rt/crc32c.h"
#include "store/meta_schema.h"

/* The checksum of what SQLite reads of the statements that make the tables: not of the comments. */
static uint32_t checksum_of_tables(void)
{
	static char sql[META_SQL_MAX];
	uint32_t crc = 0;

	for (unsigned kind = 0; kind < META_KIND_COUNT; kind++) {
		meta_schema_write(META_SQL_CREATE, &meta_tables[kind], sql);
		for (const char *line = sql, *end; *line != '\0'; line = end + strspn(end, "\n")) {
			const char *comment = strstr(line, " -- ");

			end = line + strcspn(line, "\n");
			crc = crc32c(crc, line, (size_t)((comment != NULL && comment < end ? comment : end) - line));
		}
	}
	return crc;
}

/*
 * What a version wrote is opened by every later one, which knows by the version what tables to expect. Tables that
 * changed while their version stayed once made the databases of the day before "damaged". Who changes a table, or the
 * words of a column, raises META_VERSION, says in docs/disk-format.md what it brought, and writes both numbers here.
 */
static void tables_change_with_their_version(void **state)
{
	(void)state;
	assert_int_equal(META_VERSION, 4);
	assert_int_equal(checksum_of_tables(), 0x7d174d9e);
}

static void schema_is_readable(void **state)
{
	static char sql[META_SQL_MAX];

	(void)state;
	meta_schema_write(META_SQL_CREATE, &meta_tables[META_PATH], sql);
	assert_string_equal(sql,
		"CREATE TABLE path ( -- from a source LSS to a target LSS of another system\n"
		"\tsource_lss TEXT NOT NULL DEFAULT '00' CHECK (source_lss GLOB '[0-9A-F][0-9A-F]'),\n"
		"\tsystem TEXT NOT NULL DEFAULT '' CHECK (length(CAST(system AS BLOB)) < 16),\n"
		"\ttarget_lss TEXT NOT NULL DEFAULT '00' CHECK (target_lss GLOB '[0-9A-F][0-9A-F]'),\n"
		"\taddress TEXT NOT NULL DEFAULT '' CHECK (length(CAST(address AS BLOB)) < 128),\n"
		"\tcompress INTEGER NOT NULL DEFAULT 0 CHECK (compress IN (0, 1)),\n"
		"\tlimit_bytes INTEGER NOT NULL DEFAULT 0 CHECK (limit_bytes BETWEEN 0 AND 9223372036854775807), "
		"-- a second; 0: no limit\n"
		"\tconsistency_group INTEGER NOT NULL DEFAULT 0 CHECK (consistency_group IN (0, 1)), "
		"-- its synchronous pairs are suspended together\n"
		"\tgroup_timeout_ns INTEGER NOT NULL DEFAULT 0 "
		"CHECK (group_timeout_ns BETWEEN 0 AND 9223372036854775807), "
		"-- hosts wait so long for that; 0: not set\n"
		"\tcreated TEXT NOT NULL DEFAULT '' CHECK (length(created) IN (0, 30)),\n"
		"\tcrc INTEGER NOT NULL DEFAULT 0, -- checksum of the row, so that xdcd knows it for its own\n"
		"\tPRIMARY KEY (source_lss, system, target_lss)\n"
		") STRICT");
	meta_schema_write(META_SQL_PUT, &meta_tables[META_SESSION_SUBORDINATE], sql);
	assert_string_equal(sql, "INSERT INTO session_subordinate (session, system, lss, crc) VALUES "
			    "(:session, :system, :lss, xdc_crc(:session, :system, :lss)) "
			    "ON CONFLICT (session, system) DO UPDATE SET lss = excluded.lss, crc = excluded.crc");
	meta_schema_write(META_SQL_DELETE, &meta_tables[META_SESSION_LSS], sql);
	assert_string_equal(sql, "DELETE FROM session_lss WHERE session = ? AND lss = ?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_is_readable),
		cmocka_unit_test(tables_change_with_their_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
