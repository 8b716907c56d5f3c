/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_schema.h - the SQL of each table, made from its columns, and the checksum that each row carries. Private to the
 * metadata database; nothing suspends.
 */
#ifndef XDC_STORE_META_SCHEMA_H
#define XDC_STORE_META_SCHEMA_H

#include <sqlite3.h>

#include "rt/rt.h"
#include "store/records.h"

/* Room for the longest statement. */
#define META_SQL_MAX	(16u << 10)

enum meta_sql {
	META_SQL_CREATE,	/* the table, for people to read */
	META_SQL_LOAD,		/* all columns of all rows, and 1 if the checksum is right, in the order of the keys */
	META_SQL_PUT,		/* parameters: all columns */
	META_SQL_DELETE,	/* parameters: the key columns, in their order */
	META_SQL_DUMP,		/* row id, row as JSON; parameters: the row id to begin after, how many */
	META_SQL_SEAL,		/* gives all rows their checksum */
};

/* Writes the statement to out, which has room for META_SQL_MAX bytes. */
void meta_schema_write(enum meta_sql which, const struct meta_table *table, char *out);

/*
 * Every table has one more column at its end: crc, the crc32c over the others as text, each with a zero byte after
 * it. SQLite finds broken pages and rows of a wrong shape, but not a digit that has become another. This gives the
 * connection the function that computes it: xdc_crc(column, ...). -ENOMEM.
 */
#define META_CRC_FUNCTION	"xdc_crc"
RT_MUST_CHECK int meta_schema_add_function(sqlite3 *sqlite);

#endif
