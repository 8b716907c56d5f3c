/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta_db.h - the metadata database itself, used by one fiber (that of meta.c), which is suspended inside SQLite while
 * files are read and written. Errors as in meta.h.
 */
#ifndef XDC_STORE_META_DB_H
#define XDC_STORE_META_DB_H

#include "store/meta.h"

struct meta_db;

RT_MUST_CHECK int meta_db_open(const char *folder, struct meta_db **out);
void meta_db_close(struct meta_db *db);		/* NULL is allowed */

RT_MUST_CHECK int meta_db_load(struct meta_db *db, meta_visit visit, void *arg);
RT_MUST_CHECK int meta_db_commit(struct meta_db *db, const struct meta_change *changes, unsigned count);

/* A part of a dump. */
#define META_PAGE_ROWS	64
struct meta_page {
	enum meta_kind kind;		/* where the next page begins; zeroed for the first */
	int64_t after_row;
	unsigned count;
	char *lines[META_PAGE_ROWS];	/* mem.h; the caller frees them */
};

/* Fills the page from where the last one ended. 0 with count 0 and kind META_KIND_COUNT: that was all. */
RT_MUST_CHECK int meta_db_read_page(struct meta_db *db, struct meta_page *page);

#endif
