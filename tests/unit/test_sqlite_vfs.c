/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite on the runtime, by itself: its files, locks, clock, randomness and memory are those of rt, on a real file
 * system and in the simulator. What crashes do to it is in test_meta_crash.c.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/run.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "store/sqlite_vfs.h"

static const char *name_in(const char *folder, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool exists(const char *folder, const char *name)
{
	struct rt_file_info info;
	int rc = rt_path_info(name_in(folder, name), &info);

	CHECK(rc == 0 || rc == -ENOENT);
	return rc == 0;
}

static int try_open(const char *folder, int flags, sqlite3 **db)
{
	CHECK_EQUAL(sqlite_vfs_setup(), 0);
	return sqlite3_open_v2(name_in(folder, "db"), db, flags | SQLITE_OPEN_NOMUTEX, SQLITE_VFS_NAME);
}

static void execute(sqlite3 *db, const char *sql, int expected)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	if (code != expected)
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
	CHECK_EQUAL(code, expected);
}

static sqlite3 *open_db(const char *folder)
{
	sqlite3 *db;

	CHECK_EQUAL(try_open(folder, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db), SQLITE_OK);
	execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL",
		SQLITE_OK);
	return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value;

	CHECK_EQUAL(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	CHECK_EQUAL(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	CHECK_EQUAL(sqlite3_finalize(stmt), SQLITE_OK);
	return value;
}

/* ---- files ---- */

static const char *const make_rows = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT);"
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	"INSERT INTO t SELECT i, hex(i * 7919) || ' some text that fills pages' FROM n";

static int rows_come_back(void *folder)
{
	sqlite3 *db = open_db(folder);

	execute(db, make_rows, SQLITE_OK);
	execute(db, "CREATE INDEX by_b ON t (b); DELETE FROM t WHERE a % 3 = 0", SQLITE_OK);
	/* More than the cache, sorted: what does not fit stays in memory, too. */
	execute(db, "PRAGMA cache_size = 10; SELECT * FROM t ORDER BY b DESC, a", SQLITE_OK);
	CHECK(exists(folder, "db-wal"));
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	CHECK(!exists(folder, "db-wal"));
	db = open_db(folder);
	CHECK_EQUAL(number(db, "SELECT count(*) FROM t"), 2000);
	CHECK_EQUAL(number(db, "SELECT b LIKE hex(2998 * 7919) || '%' FROM t WHERE a = 2998"), 1);
	execute(db, "PRAGMA integrity_check", SQLITE_OK);
	execute(db, "DROP TABLE t; VACUUM", SQLITE_OK);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	return 0;
}

/* Before a database is in WAL mode, and to leave it, SQLite uses a journal that it makes and removes. */
static int journals_work(void *folder)
{
	sqlite3 *db = open_db(folder);

	execute(db, "PRAGMA journal_mode = DELETE", SQLITE_OK);
	execute(db, make_rows, SQLITE_OK);
	execute(db, "BEGIN; UPDATE t SET b = 'x'; SELECT 1", SQLITE_OK);
	CHECK(exists(folder, "db-journal"));
	execute(db, "ROLLBACK", SQLITE_OK);
	CHECK_EQUAL(number(db, "SELECT count(*) FROM t WHERE b = 'x'"), 0);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	CHECK(!exists(folder, "db-journal"));
	return 0;
}

static int a_database_is_locked(void *folder)
{
	sqlite3 *db = open_db(folder), *second;

	CHECK_EQUAL(try_open(folder, SQLITE_OPEN_READWRITE, &second), SQLITE_BUSY);
	sqlite3_close(second);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	CHECK_EQUAL(try_open(folder, SQLITE_OPEN_READWRITE, &second), SQLITE_OK);
	CHECK_EQUAL(sqlite3_close(second), SQLITE_OK);
	return 0;
}

static int a_missing_one_is_not_made(void *folder)
{
	sqlite3 *db;

	CHECK_EQUAL(try_open(folder, SQLITE_OPEN_READWRITE, &db), SQLITE_CANTOPEN);
	sqlite3_close(db);
	CHECK(!exists(folder, "db"));
	return 0;
}

static int time_is_that_of_rt(void *folder)
{
	sqlite3 *db = open_db(folder);
	int64_t before_s = rt_wall_ns() / RT_SECOND;
	int64_t now_s = number(db, "SELECT strftime('%s', 'now')");

	CHECK(now_s >= before_s && now_s <= rt_wall_ns() / RT_SECOND);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	return 0;
}

/* ---- in the simulator only ---- */

static int take_random(void *arg)
{
	sqlite3 *db;

	CHECK_EQUAL(rt_path_make_folder("/state"), 0);
	db = open_db("/state");
	*(int64_t *)arg = number(db, "SELECT random()");
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	return 0;
}

static void run_world(uint64_t seed, int (*scenario)(void *arg), void *arg)
{
	struct sim_world *world = sim_create(seed, NULL);
	enum sim_end end = sim_run(world, scenario, arg, RT_NEVER);

	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void randomness_follows_the_seed(void **state)
{
	int64_t first, again, other;

	(void)state;
	run_world(1, take_random, &first);
	run_world(1, take_random, &again);
	run_world(2, take_random, &other);
	assert_true(first == again);
	assert_true(first != other);
}

static int meet_faults(void *arg)
{
	struct sim_system *outside = sim_outside(sim_world());
	uint64_t total, free_bytes;
	sqlite3 *db;

	(void)arg;
	CHECK_EQUAL(rt_path_make_folder("/state"), 0);
	db = open_db("/state");
	execute(db, make_rows, SQLITE_OK);
	CHECK_EQUAL(rt_path_space("/", &total, &free_bytes), 0);
	sim_set_disk_bytes(outside, total - free_bytes);
	execute(db, "UPDATE t SET b = b || b", SQLITE_FULL);
	sim_set_disk_bytes(outside, total);
	execute(db, "UPDATE t SET b = b || b", SQLITE_OK);
	sim_fail_nth(outside, SIM_WRITE, 3);
	execute(db, "UPDATE t SET b = 'x'", SQLITE_IOERR);
	sim_fail_nth(outside, SIM_SYNC, 1);
	execute(db, "UPDATE t SET b = 'x'", SQLITE_IOERR);
	sim_fail_nth(outside, SIM_ALLOC, 1);
	execute(db, "SELECT count(*) FROM t", SQLITE_NOMEM);
	CHECK_EQUAL(number(db, "SELECT count(*) FROM t WHERE b <> 'x'"), 3000);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
	return 0;
}

static void faults_become_codes(void **state)
{
	(void)state;
	run_world(1, meet_faults, NULL);
}

static void codes_become_errors(void **state)
{
	(void)state;
	assert_int_equal(sqlite_errno(SQLITE_FULL), -ENOSPC);
	assert_int_equal(sqlite_errno(SQLITE_NOMEM), -ENOMEM);
	assert_int_equal(sqlite_errno(SQLITE_BUSY), -EBUSY);
	assert_int_equal(sqlite_errno(SQLITE_CORRUPT), -EBADMSG);
	assert_int_equal(sqlite_errno(SQLITE_CORRUPT_INDEX), -EBADMSG);
	assert_int_equal(sqlite_errno(SQLITE_NOTADB), -EBADMSG);
	assert_int_equal(sqlite_errno(SQLITE_IOERR_FSYNC), -EIO);
	assert_int_equal(sqlite_errno(SQLITE_CANTOPEN), -EIO);
}

/* ---- on both ---- */

typedef int (*body)(void *folder);

static void on_real_files(void **state)
{
	struct rt_options options = { .reactors = 1 };
	char folder[] = "vfs-XXXXXX", path[32];

	assert_non_null(mkdtemp(folder));
	assert_int_equal(rt_run(&options, *(body *)*state, folder), 0);
	snprintf(path, sizeof(path), "%s/db", folder);
	if (unlink(path) != 0)
		assert_int_equal(errno, ENOENT);
	assert_int_equal(rmdir(folder), 0);
}

static int run_in_folder(void *arg)
{
	CHECK_EQUAL(rt_path_make_folder("/state"), 0);
	return (*(body *)arg)("/state");
}

static void in_simulator(void **state)
{
	run_world(1, run_in_folder, *state);
}

#define ON_BOTH(fn) \
	{ #fn ", on real files", on_real_files, NULL, NULL, &(body){ fn } }, \
	{ #fn ", in the simulator", in_simulator, NULL, NULL, &(body){ fn } }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(rows_come_back),
		ON_BOTH(journals_work),
		ON_BOTH(a_database_is_locked),
		ON_BOTH(a_missing_one_is_not_made),
		ON_BOTH(time_is_that_of_rt),
		cmocka_unit_test(randomness_follows_the_seed),
		cmocka_unit_test(faults_become_codes),
		cmocka_unit_test(codes_become_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
