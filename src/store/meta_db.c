/* SPDX-License-Identifier: Apache-2.0 */
#include "store/meta_db.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta_column.h"
#include "store/meta_schema.h"
#include "store/sqlite_vfs.h"

/* "xdc1": tells our databases from those of other programs. */
#define APPLICATION_ID	0x78646331

struct meta_db {
	sqlite3 *sqlite;
	struct rt_file *lock;
	char path[XDC_PATH_MAX];	/* of the database */
	char *sql;			/* room for one statement */
	sqlite3_stmt *put[META_KIND_COUNT];
	sqlite3_stmt *delete[META_KIND_COUNT];
	bool failed;			/* the disk failed: what it holds is known at the next start only */
};

/* ---- statements ---- */

/* The negative errno of a failed call, after a line in the log. */
static int fail(const struct meta_db *db, int code)
{
	int rc = sqlite_errno(code);

	if (rc != -ENOMEM)
		log_line(LOG_ERROR, "store", "%s%s: %s", db->path, rc == -EBADMSG ? " is damaged" : "",
			 sqlite3_errmsg(db->sqlite));
	return rc;
}

static int damaged(const struct meta_db *db, const char *what)
{
	log_line(LOG_ERROR, "store", "%s is damaged: %s", db->path, what);
	return -EBADMSG;
}

static int execute(struct meta_db *db, const char *sql)
{
	int code = sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : fail(db, code);
}

static int prepare(struct meta_db *db, const char *sql, sqlite3_stmt **out)
{
	int code = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);

	if (code == SQLITE_OK)
		return 0;
	/* Every statement is our own: when one does not fit, the tables are not ours. */
	return fail(db, code == SQLITE_ERROR ? SQLITE_CORRUPT : code);
}

static int prepare_for(struct meta_db *db, enum meta_sql which, enum meta_kind kind, sqlite3_stmt **out)
{
	meta_schema_write(which, &meta_tables[kind], db->sql);
	return prepare(db, db->sql, out);
}

/* The one integer that the statement gives. */
static int query_number(struct meta_db *db, const char *sql, int64_t *out)
{
	sqlite3_stmt *stmt;
	int code;
	int rc = prepare(db, sql, &stmt);

	if (rc != 0)
		return rc;
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	else
		rc = fail(db, code == SQLITE_DONE ? SQLITE_CORRUPT : code);
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- connections, and a new database ---- */

static int connect_to(struct meta_db *db, const char *path, int flags)
{
	int code;

	flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	code = sqlite3_open_v2(path, &db->sqlite, flags, SQLITE_VFS_NAME);

	if (code != SQLITE_OK && db->sqlite == NULL)
		return -ENOMEM;
	if (code != SQLITE_OK)
		return fail(db, code);
	if (meta_schema_add_function(db->sqlite) != 0)
		return -ENOMEM;
	/* Until it is known to be ours nothing is written to it, not even what its log holds. */
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	/* EXCLUSIVE comes first: without it WAL wants shared memory. */
	return execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
		       "PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 8388608");
}

/* From here on it is ours to write. */
static int use_wal(struct meta_db *db)
{
	sqlite3_stmt *stmt;
	int code;
	int rc = prepare(db, "PRAGMA journal_mode = WAL", &stmt);

	if (rc != 0)
		return rc;
	code = sqlite3_step(stmt);
	if (code != SQLITE_ROW)
		rc = fail(db, code);
	else if (sqlite3_stricmp((const char *)sqlite3_column_text(stmt, 0), "wal") != 0)
		rc = damaged(db, "it cannot have a write-ahead log");
	sqlite3_finalize(stmt);
	sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return rc;
}

static void disconnect(struct meta_db *db)
{
	int code = sqlite3_close(db->sqlite);

	assert(code == SQLITE_OK);
	db->sqlite = NULL;
}

static int create_table(struct meta_db *db, enum meta_kind kind)
{
	meta_schema_write(META_SQL_CREATE, &meta_tables[kind], db->sql);
	return execute(db, db->sql);
}

static int stamp(struct meta_db *db)
{
	char sql[96];

	snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
		 META_VERSION);
	return execute(db, sql);
}

static int create_tables(struct meta_db *db)
{
	int rc = 0;

	for (unsigned kind = 0; rc == 0 && kind < META_KIND_COUNT; kind++)
		rc = create_table(db, kind);
	return rc == 0 ? stamp(db) : rc;
}

static int remove_if_there(const char *path)
{
	int rc = rt_path_unlink(path);

	return rc == -ENOENT ? 0 : rc;
}

static int make_at(struct meta_db *db, const char *path)
{
	char wal[XDC_PATH_MAX + 16];
	int rc;

	snprintf(wal, sizeof(wal), "%s-wal", path);
	rc = remove_if_there(path);
	if (rc == 0)
		rc = remove_if_there(wal);
	if (rc == 0)
		rc = connect_to(db, path, SQLITE_OPEN_CREATE);
	if (rc == 0)
		rc = use_wal(db);
	if (rc == 0)
		rc = execute(db, "BEGIN IMMEDIATE");
	if (rc == 0)
		rc = create_tables(db);
	if (rc == 0)
		rc = execute(db, "COMMIT");
	/* All of it must be in the one file that is renamed; closing alone would not tell whether that failed. */
	if (rc == 0)
		rc = execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
	disconnect(db);
	return rc;
}

/*
 * A new database takes its name only when it is whole. So one that is empty, or lacks something, is damaged: there
 * is no state in between that would have to be guessed.
 */
static int make_database(struct meta_db *db, const char *folder)
{
	char path[XDC_PATH_MAX + 8];
	int rc;

	snprintf(path, sizeof(path), "%s.new", db->path);
	rc = make_at(db, path);
	if (rc == 0)
		rc = rt_path_rename(path, db->path);
	if (rc == 0)
		rc = rt_path_sync_folder(folder);
	if (rc != 0 && rc != -ENOMEM)
		log_line(LOG_ERROR, "store", "%s cannot be made: %s", db->path, strerror(-rc));
	return rc;
}

/* Ours, and of which version? */
static int check_identity(struct meta_db *db, int64_t *version)
{
	int64_t application;
	int rc = query_number(db, "PRAGMA application_id", &application);

	if (rc == 0)
		rc = query_number(db, "PRAGMA user_version", version);
	if (rc != 0)
		return rc;
	if (application != APPLICATION_ID)
		return damaged(db, "not a database of xdc");
	if (*version > META_VERSION) {
		log_line(LOG_ERROR, "store", "%s was written by a newer xdc: version %lld, this one knows up to %d",
			 db->path, (long long)*version, META_VERSION);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

static int check_pages(struct meta_db *db)
{
	sqlite3_stmt *stmt;
	const char *found;
	int code;
	int rc = prepare(db, "PRAGMA integrity_check(1)", &stmt);

	if (rc != 0)
		return rc;
	code = sqlite3_step(stmt);
	found = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (found == NULL)
		rc = fail(db, code == SQLITE_DONE ? SQLITE_CORRUPT : sqlite3_errcode(db->sqlite));
	else if (strcmp(found, "ok") != 0)	/* a headline may stand above it */
		rc = damaged(db, strchr(found, '\n') != NULL ? strchr(found, '\n') + 1 : found);
	sqlite3_finalize(stmt);
	return rc;
}

/* ---- older versions ---- */

/* Moves the rows over by the columns that both have; what is new has its default. */
static int upgrade_table(struct meta_db *db, const struct meta_table *table)
{
	sqlite3_stmt *stmt;
	char sql[192];
	int code;
	int rc;

	snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO old", table->name);
	rc = execute(db, sql);
	meta_schema_write(META_SQL_CREATE, table, db->sql);
	if (rc == 0)
		rc = execute(db, db->sql);
	snprintf(sql, sizeof(sql), "SELECT group_concat(name, ', ') FROM pragma_table_info('old') "
		 "WHERE name IN (SELECT name FROM pragma_table_info('%s'))", table->name);
	if (rc == 0)
		rc = prepare(db, sql, &stmt);
	if (rc != 0)
		return rc;
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		snprintf(db->sql, META_SQL_MAX, "INSERT INTO %s (%s) SELECT %s FROM old; DROP TABLE old", table->name,
			 (const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 0));
	else
		rc = fail(db, code);
	sqlite3_finalize(stmt);
	if (rc == 0)
		rc = execute(db, db->sql);
	meta_schema_write(META_SQL_SEAL, table, db->sql);
	return rc == 0 ? execute(db, db->sql) : rc;
}

/* The checksums of its rows, over the columns that it has. */
static int check_rows(struct meta_db *db, const struct meta_table *table)
{
	sqlite3_stmt *stmt;
	char sql[256];
	int64_t wrong = 0;
	int rc;

	snprintf(sql, sizeof(sql), "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info('%s') "
		 "WHERE name <> 'crc' ORDER BY cid)", table->name);
	rc = prepare(db, sql, &stmt);
	if (rc != 0)
		return rc;
	if (sqlite3_step(stmt) == SQLITE_ROW)
		snprintf(db->sql, META_SQL_MAX, "SELECT count(*) FROM %s WHERE crc <> " META_CRC_FUNCTION "(%s)",
			 table->name, (const char *)sqlite3_column_text(stmt, 0));
	else
		rc = fail(db, sqlite3_errcode(db->sqlite));
	sqlite3_finalize(stmt);
	if (rc == 0)
		rc = query_number(db, db->sql, &wrong);
	if (rc == 0 && wrong > 0) {
		log_line(LOG_ERROR, "store", "%s is damaged: table %s has %lld damaged rows", db->path, table->name,
			 (long long)wrong);
		rc = -EBADMSG;
	}
	return rc;
}

static int find_table(struct meta_db *db, const struct meta_table *table, bool *found)
{
	char sql[128];
	int64_t count = 0;
	int rc;

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '%s'",
		 table->name);
	rc = query_number(db, sql, &count);
	*found = count > 0;
	return rc;
}

/* Before version 3 a volume had one pair, and generations were those of the volume. */
static int upgrade_history(struct meta_db *db)
{
	int rc = execute(db, "UPDATE history SET (system, remote_volume) = (SELECT system, remote_volume FROM pair "
			     "WHERE pair.volume = history.volume) WHERE volume IN (SELECT volume FROM pair)");

	meta_schema_write(META_SQL_SEAL, &meta_tables[META_HISTORY], db->sql);
	return rc == 0 ? execute(db, db->sql) : rc;
}

/* Before version 4 only a swap left a target in a session and in no group of it. */
static int upgrade_given(struct meta_db *db)
{
	int rc = execute(db, "UPDATE pair SET given_away = 1 WHERE role = 'target' AND session <> 0 AND joined = 0 AND "
			     "first_copy_done = 1");

	meta_schema_write(META_SQL_SEAL, &meta_tables[META_PAIR], db->sql);
	return rc == 0 ? execute(db, db->sql) : rc;
}

static int upgrade_tables(struct meta_db *db, int64_t version)
{
	int rc = 0;

	for (unsigned kind = 0; rc == 0 && kind < META_KIND_COUNT; kind++) {
		bool found = false;

		rc = find_table(db, &meta_tables[kind], &found);
		if (rc == 0 && found)
			rc = check_rows(db, &meta_tables[kind]);
		if (rc == 0)
			rc = found ? upgrade_table(db, &meta_tables[kind]) : create_table(db, kind);
	}
	if (rc == 0 && version < 3)
		rc = upgrade_history(db);
	if (rc == 0 && version < 4)
		rc = upgrade_given(db);
	return rc == 0 ? stamp(db) : rc;
}

static int upgrade(struct meta_db *db, int64_t version)
{
	int rc = execute(db, "BEGIN IMMEDIATE");

	log_line(LOG_NOTICE, "store", "%s: brought from version %lld to %d", db->path, (long long)version,
		 META_VERSION);
	if (rc == 0)
		rc = upgrade_tables(db, version);
	/* Else the connection is closed, and with it the transaction. */
	return rc == 0 ? execute(db, "COMMIT") : rc;
}

/* ---- open ---- */

#define SETTLE_BYTES	(256u << 10)

static int write_again(struct rt_file *file)
{
	MEM_OWNED uint8_t *piece = mem_alloc(SETTLE_BYTES);
	ssize_t got = 1;
	int rc = 0;

	if (piece == NULL)
		return -ENOMEM;
	for (uint64_t at = 0; rc == 0 && got > 0; at += (uint64_t)got) {
		got = rt_file_read(file, piece, SETTLE_BYTES, at);
		if (got > 0)
			rc = rt_file_write(file, piece, (size_t)got, at);
	}
	if (rc == 0 && got < 0)
		rc = (int)got;
	return rc == 0 ? rt_file_sync(file) : rc;
}

/*
 * A sync of the log that failed in an earlier run may have left groups that are in the memory of the kernel, where they
 * count as written, and not on the disk. What is committed next would come behind that hole, and a loss of power would
 * take it too. So what is found in the log is written once more, and is durable before anything is built upon it. (The
 * database itself needs no such care: its pages stay in the log until a sync of them has succeeded.)
 */
static int settle_log(struct meta_db *db)
{
	char path[XDC_PATH_MAX + 16];
	struct rt_file *file;
	int rc;

	snprintf(path, sizeof(path), "%s-wal", db->path);
	rc = rt_file_open(path, RT_FILE_WRITE, &file);
	if (rc == -ENOENT)
		return 0;
	if (rc == 0) {
		rc = write_again(file);
		rt_file_close(file);
	}
	if (rc != 0 && rc != -ENOMEM)
		log_line(LOG_ERROR, "store", "%s: %s", path, strerror(-rc));
	return rc;
}

static int count_columns(struct meta_db *db, enum meta_kind kind, int64_t *count)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM pragma_table_info('%s')", meta_tables[kind].name);
	return query_number(db, sql, count);
}

/* The tables are as this version makes them: then every statement can be prepared, and no column is left over. */
static int prepare_all(struct meta_db *db)
{
	int rc = 0;

	for (unsigned kind = 0; rc == 0 && kind < META_KIND_COUNT; kind++) {
		int64_t columns = 0;

		rc = prepare_for(db, META_SQL_PUT, kind, &db->put[kind]);
		if (rc == 0)
			rc = prepare_for(db, META_SQL_DELETE, kind, &db->delete[kind]);
		if (rc == 0)
			rc = count_columns(db, kind, &columns);
		if (rc == 0 && columns != meta_tables[kind].column_count + 1) {
			log_line(LOG_ERROR, "store", "%s is damaged: table %s has %lld columns, not %u", db->path,
				 meta_tables[kind].name, (long long)columns, meta_tables[kind].column_count + 1);
			rc = -EBADMSG;
		}
	}
	return rc;
}

static int open_database(struct meta_db *db)
{
	int64_t version;
	int rc = connect_to(db, db->path, 0);

	if (rc == 0)
		rc = check_identity(db, &version);
	if (rc == 0)
		rc = check_pages(db);
	if (rc == 0)
		rc = settle_log(db);
	if (rc == 0)
		rc = use_wal(db);
	if (rc == 0 && version < META_VERSION)
		rc = upgrade(db, version);
	if (rc == 0)
		rc = prepare_all(db);
	return rc;
}

/* Makes the database when the folder has none. What stands there without its database is not ignored. */
static int find_or_make(struct meta_db *db, const char *folder)
{
	char wal[XDC_PATH_MAX + 16];
	struct rt_file_info info;
	/* A run that died may have made a name that is found now and not durable. */
	int rc = rt_path_sync_folder(folder);

	if (rc == 0)
		rc = rt_path_info(db->path, &info);
	if (rc == 0)
		return 0;
	if (rc != -ENOENT) {
		log_line(LOG_ERROR, "store", "%s: %s", db->path, strerror(-rc));
		return rc;
	}
	snprintf(wal, sizeof(wal), "%s-wal", db->path);
	rc = rt_path_info(wal, &info);
	if (rc == 0)
		return damaged(db, "it is missing, but its log is there");
	if (rc != -ENOENT) {
		log_line(LOG_ERROR, "store", "%s: %s", wal, strerror(-rc));
		return rc;
	}
	return make_database(db, folder);
}

static int lock_folder(struct meta_db *db, const char *folder)
{
	char path[XDC_PATH_MAX];
	int rc;

	if (snprintf(path, sizeof(path), "%s/%s", folder, META_LOCK_NAME) >= (int)sizeof(path) - 16)
		return -ENAMETOOLONG;
	snprintf(db->path, sizeof(db->path), "%s/%s", folder, META_FILE_NAME);
	rc = rt_file_open(path, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_LOCK, &db->lock);
	if (rc == -EBUSY)
		log_line(LOG_ERROR, "store", "the state folder %s is in use by another xdcd", folder);
	else if (rc != 0)
		log_line(LOG_ERROR, "store", "%s: %s", path, strerror(-rc));
	return rc;
}

int meta_db_open(const char *folder, struct meta_db **out)
{
	struct meta_db *db;
	int rc = sqlite_vfs_setup();

	if (rc != 0)
		return rc;
	db = mem_alloc_zeroed(sizeof(*db));
	if (db == NULL)
		return -ENOMEM;
	db->sql = mem_alloc(META_SQL_MAX);
	rc = db->sql != NULL ? lock_folder(db, folder) : -ENOMEM;
	if (rc == 0)
		rc = find_or_make(db, folder);
	if (rc == 0)
		rc = open_database(db);
	if (rc != 0) {
		meta_db_close(db);
		return rc;
	}
	*out = db;
	return 0;
}

void meta_db_close(struct meta_db *db)
{
	if (db == NULL)
		return;
	for (unsigned kind = 0; kind < META_KIND_COUNT; kind++) {
		sqlite3_finalize(db->put[kind]);
		sqlite3_finalize(db->delete[kind]);
	}
	disconnect(db);
	rt_file_close(db->lock);
	mem_free(db->sql);
	mem_free(db);
}

/* ---- load ---- */

static int damaged_row(struct meta_db *db, sqlite3_stmt *stmt, const struct meta_table *table, const char *what)
{
	log_line(LOG_ERROR, "store", "%s is damaged: table %s, row %s: %s", db->path, table->name,
		 (const char *)sqlite3_column_text(stmt, 0), what);
	return -EBADMSG;
}

static int read_row(struct meta_db *db, sqlite3_stmt *stmt, const struct meta_table *table, void *record)
{
	if (!sqlite3_column_int(stmt, (int)table->column_count))
		return damaged_row(db, stmt, table, "its checksum is wrong");
	memset(record, 0, table->record_size);
	for (unsigned i = 0; i < table->column_count; i++) {
		int rc = meta_column_read(stmt, (int)i, &table->columns[i], record);

		if (rc == -EBADMSG)
			return damaged_row(db, stmt, table, table->columns[i].name);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int load_kind(struct meta_db *db, enum meta_kind kind, void *record, meta_visit visit, void *arg)
{
	sqlite3_stmt *stmt;
	int code = SQLITE_DONE;
	int rc = prepare_for(db, META_SQL_LOAD, kind, &stmt);

	if (rc != 0)
		return rc;
	while (rc == 0 && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		rc = read_row(db, stmt, &meta_tables[kind], record);
		if (rc == 0)
			rc = visit(arg, kind, record);
	}
	if (rc == 0 && code != SQLITE_DONE)
		rc = fail(db, code);
	sqlite3_finalize(stmt);
	return rc;
}

int meta_db_load(struct meta_db *db, meta_visit visit, void *arg)
{
	MEM_OWNED void *record = mem_alloc(META_RECORD_MAX);
	int rc = record != NULL ? 0 : -ENOMEM;

	for (unsigned kind = 0; rc == 0 && kind < META_KIND_COUNT; kind++)
		rc = load_kind(db, kind, record, visit, arg);
	return rc;
}

/* ---- commit ---- */

static int bind_change(sqlite3_stmt *stmt, const struct meta_change *change)
{
	const struct meta_table *table = &meta_tables[change->kind];
	int index = 1;

	for (unsigned i = 0; i < table->column_count; i++) {
		int rc;

		if (change->op == META_DELETE && !table->columns[i].key)
			continue;
		rc = meta_column_bind(stmt, index++, &table->columns[i], change->record);
		if (rc != 0)
			return rc;
	}
	return 0;
}

static int apply_change(struct meta_db *db, const struct meta_change *change)
{
	sqlite3_stmt *stmt = change->op == META_PUT ? db->put[change->kind] : db->delete[change->kind];
	int rc = bind_change(stmt, change);

	if (rc == 0) {
		int code = sqlite3_step(stmt);

		if (code != SQLITE_DONE)
			rc = fail(db, code);
		if (code == SQLITE_CONSTRAINT)
			rc = -ERANGE;
	}
	sqlite3_reset(stmt);
	return rc;
}

int meta_db_commit(struct meta_db *db, const struct meta_change *changes, unsigned count)
{
	int rc;

	if (db->failed)
		return -EIO;
	rc = execute(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; rc == 0 && i < count; i++)
		rc = apply_change(db, &changes[i]);
	if (rc == 0)
		rc = execute(db, "COMMIT");
	/* SQLite has rolled back some failures by itself. */
	if (rc != 0 && !sqlite3_get_autocommit(db->sqlite) && execute(db, "ROLLBACK") != 0)
		db->failed = true;
	if (rc == -EIO || rc == -EBADMSG)
		db->failed = true;
	if (db->failed)
		log_line(LOG_ERROR, "store", "%s: the disk failed; no change of the configuration until xdcd is "
			 "started anew", db->path);
	return db->failed ? -EIO : rc;
}

/* ---- dump ---- */

static int read_page(struct meta_db *db, sqlite3_stmt *stmt, struct meta_page *page)
{
	int code = SQLITE_ROW;

	sqlite3_bind_int64(stmt, 1, page->after_row);
	sqlite3_bind_int(stmt, 2, META_PAGE_ROWS);
	while (page->count < META_PAGE_ROWS && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *line = (const char *)sqlite3_column_text(stmt, 1);
		char *copy = line != NULL ? mem_copy_string(line) : NULL;

		if (copy == NULL)
			return -ENOMEM;
		page->lines[page->count++] = copy;
		page->after_row = sqlite3_column_int64(stmt, 0);
	}
	if (code == SQLITE_ROW)
		return 0;
	if (code != SQLITE_DONE)
		return fail(db, code);
	page->kind++;
	page->after_row = INT64_MIN;
	return 0;
}

int meta_db_read_page(struct meta_db *db, struct meta_page *page)
{
	sqlite3_stmt *stmt;
	int rc = 0;

	page->count = 0;
	while (rc == 0 && page->count == 0 && page->kind < META_KIND_COUNT) {
		rc = prepare_for(db, META_SQL_DUMP, page->kind, &stmt);
		if (rc == 0) {
			rc = read_page(db, stmt, page);
			sqlite3_finalize(stmt);
		}
	}
	return rc;
}
