/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_column.h - one field of a record as a value of SQLite, and back. Private to the metadata database; nothing here
 * suspends.
 */
#ifndef XDC_STORE_META_COLUMN_H
#define XDC_STORE_META_COLUMN_H

#include <sqlite3.h>

#include "rt/rt.h"
#include "store/records.h"

/*
 * Binds the field of record to parameter `index` (from 1). -ERANGE and a log line: the value does not fit its column
 * (a number above INT64_MAX, a text without its end, no such word); -ENOMEM.
 */
RT_MUST_CHECK int meta_column_bind(sqlite3_stmt *stmt, int index, const struct meta_column *column, const void *record);

/* Fills the field from result column `index` (from 0). -EBADMSG: no value of this column; -ENOMEM. */
RT_MUST_CHECK int meta_column_read(sqlite3_stmt *stmt, int index, const struct meta_column *column, void *record);

#endif
