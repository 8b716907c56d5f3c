/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata database, on a real file system and in the simulator: every record comes back as it was put. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "meta_check.h"
#include "rt/file.h"
#include "rt/run.h"
#include "rt/sim.h"
#include "store/meta_schema.h"
#include "store/sqlite_vfs.h"

static struct meta *open_meta(const char *folder)
{
	struct meta *meta;

	CHECK_EQUAL(meta_open(folder, &meta), 0);
	return meta;
}

/* Opening is refused with this. */
static void check_refused(const char *folder, int with)
{
	struct meta *meta = NULL;

	CHECK_EQUAL(meta_open(folder, &meta), with);
	CHECK(meta == NULL);
}

static void put_one(struct meta *meta, enum meta_kind kind, uint64_t key, uint64_t rest)
{
	uint8_t record[META_RECORD_MAX] __attribute__((aligned(16)));
	struct meta_change change = { META_PUT, kind, record };

	make_record(kind, record, key, rest);
	CHECK_EQUAL(meta_commit(meta, &change, 1), 0);
}

/* ---- round trip ---- */

#define GROUP	8

/* A group of random changes, made and expected. */
static void change_group(struct meta *meta, struct expected *expected, uint64_t seed)
{
	static uint8_t records[GROUP][META_RECORD_MAX] __attribute__((aligned(16)));
	struct meta_change changes[GROUP];

	for (unsigned i = 0; i < GROUP; i++) {
		uint64_t chance = mix(seed * GROUP + i);
		enum meta_kind kind = chance % META_KIND_COUNT;

		changes[i] = (struct meta_change){ chance >> 8 & 3 ? META_PUT : META_DELETE, kind, records[i] };
		make_record(kind, records[i], chance >> 16 & 15, chance);
		expected_change(expected, &changes[i]);
	}
	CHECK_EQUAL(meta_commit(meta, changes, GROUP), 0);
}

static void put_all_kinds(struct meta *meta, struct expected *expected)
{
	uint8_t record[META_RECORD_MAX] __attribute__((aligned(16)));

	for (unsigned kind = 0; kind < META_KIND_COUNT; kind++) {
		for (unsigned key = 0; key < 4; key++) {
			struct meta_change change = { META_PUT, kind, record };

			make_record(kind, record, key, key + 100);
			CHECK_EQUAL(meta_commit(meta, &change, 1), 0);
			expected_change(expected, &change);
		}
	}
}

static int every_record_comes_back(void *arg)
{
	struct expected *expected = mem_alloc_zeroed(sizeof(*expected));
	struct meta *meta = open_meta(arg);

	expected_check(expected, meta);
	put_all_kinds(meta, expected);
	expected_check(expected, meta);
	for (unsigned round = 0; round < 3; round++) {
		meta_close(meta);
		meta = open_meta(arg);
		expected_check(expected, meta);
		for (unsigned i = 0; i < 20; i++)
			change_group(meta, expected, round * 100 + i);
		expected_check(expected, meta);
	}
	meta_close(meta);
	mem_free(expected);
	return 0;
}

static int stop_at_third(void *arg, enum meta_kind kind, const void *record)
{
	unsigned *visits = arg;

	(void)kind;
	(void)record;
	return ++*visits == 3 ? -EXFULL : 0;
}

static int visitor_ends_the_load(void *arg)
{
	struct meta *meta = open_meta(arg);
	unsigned visits = 0;

	for (unsigned key = 0; key < 5; key++)
		put_one(meta, META_VOLUME, key, key);
	CHECK_EQUAL(meta_load(meta, stop_at_third, &visits), -EXFULL);
	CHECK_EQUAL(visits, 3);
	meta_close(meta);
	return 0;
}

/* ---- groups ---- */

/* Of a group with one value that cannot be kept nothing is made. */
static int bad_group_changes_nothing(void *arg)
{
	struct expected *expected = mem_alloc_zeroed(sizeof(*expected));
	struct meta *meta = open_meta(arg);
	struct record_volume good = { .id = 0x1500, .name = "db" }, bad = { .id = 0x1501 };
	struct meta_change changes[] = { { META_PUT, META_VOLUME, &good }, { META_PUT, META_VOLUME, &bad } };

	bad.size_bytes = UINT64_MAX;
	CHECK_EQUAL(meta_commit(meta, changes, 2), -ERANGE);
	bad.size_bytes = 0;
	bad.access = VOLUME_ACCESS_COUNT;
	CHECK_EQUAL(meta_commit(meta, changes, 2), -ERANGE);
	bad.access = 0;
	bad.created_wall_ns = -1;
	CHECK_EQUAL(meta_commit(meta, changes, 2), -ERANGE);
	bad.created_wall_ns = 0;
	memset(bad.name, 'x', sizeof(bad.name));
	CHECK_EQUAL(meta_commit(meta, changes, 2), -ERANGE);
	expected_check(expected, meta);
	CHECK_EQUAL(meta_commit(meta, changes, 1), 0);
	expected_change(expected, &changes[0]);
	expected_check(expected, meta);
	meta_close(meta);
	mem_free(expected);
	return 0;
}

/* What is waited for by a fiber that gives up is not done, and what has begun is. */
struct giving_up {
	struct meta *meta;
	int64_t limit_ns;
	unsigned done, refused, running;
};

static void commit_within(void *arg)
{
	struct giving_up *test = arg;
	struct record_lss lss = { .id = (uint8_t)test->running++ };
	struct meta_change change = { META_PUT, META_LSS, &lss };
	int rc;
	RT_LIMIT(test->limit_ns);

	rc = meta_commit(test->meta, &change, 1);
	CHECK(rc == 0 || rc == -ETIMEDOUT);
	test->done += rc == 0;
	test->refused += rc != 0;
}

static int count_records(void *arg, enum meta_kind kind, const void *record)
{
	(void)kind;
	(void)record;
	++*(unsigned *)arg;
	return 0;
}

static int late_commits_are_not_made(void *arg)
{
	struct giving_up test = { .meta = open_meta(arg) };
	struct rt_group group;
	unsigned records = 0;

	rt_group_init(&group);
	test.limit_ns = rt_now_ns() + RT_MS;
	for (unsigned i = 0; i < 200; i++)
		CHECK_EQUAL(rt_group_start(&group, "commit", commit_within, &test), 0);
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK(test.refused > 0);
	CHECK_EQUAL(test.done + test.refused, 200);
	CHECK_EQUAL(meta_load(test.meta, count_records, &records), 0);
	CHECK_EQUAL(records, test.done);
	meta_close(test.meta);
	return 0;
}

/* ---- from all reactors ---- */

struct from_reactor {
	struct meta *meta;
	uint16_t first;
};

static int commit_many(void *arg)
{
	struct from_reactor *test = arg;

	for (uint16_t i = 0; i < 20; i++) {
		struct record_volume volume = { .id = (uint16_t)(test->first + i), .size_bytes = 4096 };
		struct meta_change change = { META_PUT, META_VOLUME, &volume };

		CHECK_EQUAL(meta_commit(test->meta, &change, 1), 0);
	}
	return 0;
}

struct remote {
	struct from_reactor test;
	unsigned reactor;
};

static void commit_from(void *arg)
{
	struct remote *remote = arg;

	CHECK_EQUAL(rt_call(rt_reactor(remote->reactor), commit_many, &remote->test), 0);
}

static int all_reactors_commit(void *arg)
{
	struct meta *meta = open_meta(arg);
	struct remote remotes[4];
	struct rt_group group;
	unsigned records = 0;

	rt_group_init(&group);
	for (unsigned i = 0; i < 4; i++) {
		remotes[i] = (struct remote){ { meta, (uint16_t)(i * 0x100) }, i % rt_reactor_count() };
		CHECK_EQUAL(rt_group_start(&group, "from", commit_from, &remotes[i]), 0);
	}
	CHECK_EQUAL(rt_group_wait(&group), 0);
	CHECK_EQUAL(meta_load(meta, count_records, &records), 0);
	CHECK_EQUAL(records, 80);
	meta_close(meta);
	return 0;
}

/* ---- dump ---- */

struct dumped {
	unsigned lines;
	bool found;
};

static int check_line(void *arg, const char *line)
{
	struct dumped *dumped = arg;
	json_t *row = json_loads(line, 0, NULL);
	const char *id;

	rt_yield();
	CHECK(row != NULL);
	CHECK(strchr(line, '\n') == NULL);
	dumped->lines++;
	id = json_string_value(json_object_get(row, "id"));
	if (id != NULL && strcmp(id, "15FE") == 0) {
		dumped->found = true;
		CHECK(strcmp(json_string_value(json_object_get(row, "table")), "volume") == 0);
		CHECK(strcmp(json_string_value(json_object_get(row, "name")), "say \"hi\"") == 0);
		CHECK(strcmp(json_string_value(json_object_get(row, "access")), "write") == 0);
		CHECK(strcmp(json_string_value(json_object_get(row, "uuid")),
			     "01020304-0506-0708-090a-0b0c0d0e0f10") == 0);
		CHECK(strcmp(json_string_value(json_object_get(row, "created")),
			     "2001-09-09T01:46:40.000000007Z") == 0);
		CHECK_EQUAL(json_integer_value(json_object_get(row, "size_bytes")), 1 << 30);
	}
	json_decref(row);
	return 0;
}

static int fail_line(void *arg, const char *line)
{
	(void)arg;
	(void)line;
	return -EPIPE;
}

static int rows_are_dumped(void *arg)
{
	struct meta *meta = open_meta(arg);
	struct record_volume volume = {
		.id = 0x15fe, .name = "say \"hi\"", .access = VOLUME_ACCESS_WRITE, .size_bytes = 1 << 30,
		.uuid = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.created_wall_ns = 1000000000 * RT_SECOND + 7,
	};
	struct meta_change change = { META_PUT, META_VOLUME, &volume };
	struct dumped dumped = { 0 };

	CHECK_EQUAL(meta_dump(meta, check_line, &dumped), 0);
	CHECK_EQUAL(dumped.lines, 0);
	for (unsigned i = 0; i < 200; i++)
		put_one(meta, META_HISTORY, i, i);
	for (unsigned i = 0; i < 3; i++)
		put_one(meta, META_SESSION, i, i);
	CHECK_EQUAL(meta_commit(meta, &change, 1), 0);
	CHECK_EQUAL(meta_dump(meta, check_line, &dumped), 0);
	CHECK_EQUAL(dumped.lines, 204);
	CHECK(dumped.found);
	CHECK_EQUAL(meta_dump(meta, fail_line, NULL), -EPIPE);
	meta_close(meta);
	return 0;
}

/* ---- what is refused ---- */

static int second_server_is_refused(void *arg)
{
	struct meta *meta = open_meta(arg);

	check_refused(arg, -EBUSY);
	meta_close(meta);
	meta = open_meta(arg);
	meta_close(meta);
	return 0;
}

static const char *database_of(const char *folder, const char *suffix)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s%s", folder, META_FILE_NAME, suffix);
	return path;
}

static void overwrite(const char *path, const void *bytes, size_t len, uint64_t offset)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_file_write(file, bytes, len, offset), 0);
	rt_file_close(file);
}

static void set_size(const char *path, uint64_t size)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open(path, RT_FILE_WRITE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, size), 0);
	rt_file_close(file);
}

/* Bytes 60 to 63 of a SQLite file are its user_version, big-endian. */
static int newer_version_is_refused(void *arg)
{
	static const uint8_t newer[4] = { 0, 0, 0, META_VERSION + 1 }, ours[4] = { 0, 0, 0, META_VERSION };

	meta_close(open_meta(arg));
	overwrite(database_of(arg, ""), newer, 4, 60);
	check_refused(arg, -EPROTONOSUPPORT);
	overwrite(database_of(arg, ""), ours, 4, 60);
	meta_close(open_meta(arg));
	return 0;
}

/* Bytes 68 to 71 are the application. */
static int foreign_database_is_refused(void *arg)
{
	static const uint8_t foreign[4] = { 0 };

	meta_close(open_meta(arg));
	overwrite(database_of(arg, ""), foreign, 4, 68);
	check_refused(arg, -EBADMSG);
	overwrite(database_of(arg, ""), "this is a letter, not a database", 32, 0);
	check_refused(arg, -EBADMSG);
	set_size(database_of(arg, ""), 0);
	check_refused(arg, -EBADMSG);
	return 0;
}

static int lost_database_is_refused(void *arg)
{
	meta_close(open_meta(arg));
	CHECK_EQUAL(rt_path_unlink(database_of(arg, "")), 0);
	overwrite(database_of(arg, "-wal"), "something", 9, 0);
	check_refused(arg, -EBADMSG);
	CHECK_EQUAL(rt_path_unlink(database_of(arg, "-wal")), 0);
	meta_close(open_meta(arg));
	return 0;
}

static void fill_some(const char *folder)
{
	struct meta *meta = open_meta(folder);

	for (unsigned i = 0; i < 40; i++)
		put_one(meta, META_VOLUME, i, i);
	meta_close(meta);
}

/* A page that is not what it was is found, or does not matter: what is loaded was put. */
static int damaged_pages_are_refused(void *arg)
{
	uint8_t page[4096], damaged[4096];
	struct rt_file_info info;
	struct rt_file *file;
	unsigned refused = 0;

	fill_some(arg);
	CHECK_EQUAL(rt_path_info(database_of(arg, ""), &info), 0);
	for (uint64_t offset = 0; offset < info.size; offset += 4096) {
		struct meta *meta;
		int rc;

		CHECK_EQUAL(rt_file_open(database_of(arg, ""), 0, &file), 0);
		CHECK_EQUAL(rt_file_read(file, page, 4096, offset), 4096);
		rt_file_close(file);
		memcpy(damaged, page, 4096);
		memset(damaged, 0x5a, 64);
		overwrite(database_of(arg, ""), damaged, 4096, offset);
		rc = meta_open(arg, &meta);
		CHECK_EQUAL(rc, -EBADMSG);
		refused++;
		overwrite(database_of(arg, ""), page, 4096, offset);
	}
	CHECK(refused >= META_KIND_COUNT);
	set_size(database_of(arg, ""), info.size - 4096);
	check_refused(arg, -EBADMSG);
	return 0;
}

static void run_sql(const char *folder, const char *sql)
{
	sqlite3 *db;

	CHECK_EQUAL(sqlite_vfs_setup(), 0);
	CHECK_EQUAL(sqlite3_open_v2(database_of(folder, ""), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				    SQLITE_VFS_NAME), SQLITE_OK);
	CHECK_EQUAL(meta_schema_add_function(db), 0);
	CHECK_EQUAL(sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_EQUAL(sqlite3_close(db), SQLITE_OK);
}

static void check_load_refused(const char *folder)
{
	struct meta *meta = open_meta(folder);
	unsigned records = 0;

	CHECK_EQUAL(meta_load(meta, count_records, &records), -EBADMSG);
	meta_close(meta);
}

/* A row that is not as it was written, or that no record can hold, is named when it is loaded. */
static int damaged_row_is_named(void *arg)
{
	char seal[META_SQL_MAX];

	fill_some(arg);
	run_sql(arg, "UPDATE volume SET size_bytes = size_bytes + 4096 WHERE id = (SELECT max(id) FROM volume)");
	check_load_refused(arg);
	meta_schema_write(META_SQL_SEAL, &meta_tables[META_VOLUME], seal);
	run_sql(arg, "UPDATE volume SET created = '2026-02-31T00:00:00.000000000Z'");
	run_sql(arg, seal);
	check_load_refused(arg);
	return 0;
}

/* One bit that has turned over is found, or does no harm: what can be loaded is what was put. */
struct image {
	uint8_t *bytes;
	size_t len;
};

static struct image read_image(const char *path)
{
	struct rt_file_info info;
	struct image image;
	struct rt_file *file;

	CHECK_EQUAL(rt_path_info(path, &info), 0);
	image.len = (size_t)info.size;
	image.bytes = mem_alloc(image.len);
	CHECK_EQUAL(rt_file_open(path, 0, &file), 0);
	CHECK_EQUAL(rt_file_read(file, image.bytes, image.len, 0), image.len);
	rt_file_close(file);
	return image;
}

/* True when it was refused, and then it was not touched. */
static bool is_refused(const char *folder, struct expected *expected)
{
	struct meta *meta;
	unsigned records = 0;
	int rc = meta_open(folder, &meta);

	if (rc != 0)
		return true;
	rc = meta_load(meta, count_records, &records);
	if (rc == 0)
		expected_check(expected, meta);
	meta_close(meta);
	return rc != 0;
}

static int turned_bits_are_found(void *arg)
{
	struct expected *expected = mem_alloc_zeroed(sizeof(*expected));
	struct meta *meta = open_meta(arg);
	unsigned refused = 0;
	struct image image;

	put_all_kinds(meta, expected);
	meta_close(meta);
	image = read_image(database_of(arg, ""));
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = mix(i) % image.len;
		uint8_t turned = image.bytes[at] ^ (uint8_t)(1u << i % 8);

		overwrite(database_of(arg, ""), &turned, 1, at);
		if (is_refused(arg, expected)) {
			refused++;
			overwrite(database_of(arg, ""), &image.bytes[at], 1, at);
		} else {
			set_size(database_of(arg, ""), image.len);
			overwrite(database_of(arg, ""), image.bytes, image.len, 0);
		}
	}
	/* Much of the file is free space, where nothing is harmed. */
	CHECK(refused > 10);
	CHECK(!is_refused(arg, expected));
	mem_free(image.bytes);
	mem_free(expected);
	return 0;
}

static int changed_tables_are_refused(void *arg)
{
	fill_some(arg);
	run_sql(arg, "ALTER TABLE volume ADD COLUMN colour TEXT NOT NULL DEFAULT ''");
	check_refused(arg, -EBADMSG);
	run_sql(arg, "ALTER TABLE volume DROP COLUMN colour");
	meta_close(open_meta(arg));
	run_sql(arg, "DROP TABLE leg");
	check_refused(arg, -EBADMSG);
	return 0;
}

/* An older version lacked columns and a table, and had a column that is gone: all else is still there. */
static int check_upgraded(void *arg, enum meta_kind kind, const void *record)
{
	struct record_volume before;
	unsigned key = 0;

	CHECK_EQUAL(kind, META_VOLUME);
	do {
		CHECK(key < 40);
		make_record(kind, &before, key, key);
		key++;
	} while (!same_key(kind, &before, record));
	before.access = VOLUME_ACCESS_NONE;
	before.size_bytes = 0;
	memset(before.name, 0, sizeof(before.name));
	CHECK(same_record(kind, &before, record));
	++*(unsigned *)arg;
	return 0;
}

static int older_version_is_upgraded(void *arg)
{
	struct meta *meta;
	unsigned records = 0;

	fill_some(arg);
	run_sql(arg, "DROP TABLE leg; ALTER TABLE volume DROP COLUMN access;"
		"ALTER TABLE volume DROP COLUMN size_bytes; ALTER TABLE volume DROP COLUMN name;"
		"ALTER TABLE volume ADD COLUMN old_fashioned TEXT NOT NULL DEFAULT '';"
		"UPDATE volume SET crc = " META_CRC_FUNCTION "(id, uuid, naa, pool, adopted_path, unsynced,"
		"unflushed_lost, sync_failed, practice, created, old_fashioned); PRAGMA user_version = 0");
	meta = open_meta(arg);
	CHECK_EQUAL(meta_load(meta, check_upgraded, &records), 0);
	CHECK_EQUAL(records, 40);
	put_one(meta, META_LEG, 1, 1);
	meta_close(meta);
	meta_close(open_meta(arg));
	return 0;
}

/* From version 3 on a generation names its pair: one of the second pair of a volume stays with that. */
static int generations_of_two_pairs_are_upgraded(void *arg)
{
	static const struct record_pair pairs[] = {
		{ .volume = 0x1500, .system = "2105.FB12", .remote_volume = 0x2500 },
		{ .volume = 0x1500, .system = "2105.FC13", .remote_volume = 0x3500 },
	};
	static const struct record_history generations[] = {
		{ .volume = 0x1500, .system = "2105.FB12", .remote_volume = 0x2500, .ordinal = 1, .generation = { 1 } },
		{ .volume = 0x1500, .system = "2105.FC13", .remote_volume = 0x3500, .ordinal = 2, .generation = { 2 } },
	};
	const struct meta_change changes[] = {
		{ META_PUT, META_PAIR, &pairs[0] }, { META_PUT, META_PAIR, &pairs[1] },
		{ META_PUT, META_HISTORY, &generations[0] }, { META_PUT, META_HISTORY, &generations[1] },
	};
	struct expected *expected = mem_alloc_zeroed(sizeof(*expected));
	struct meta *meta = open_meta(arg);

	CHECK_EQUAL(meta_commit(meta, changes, 4), 0);
	for (unsigned i = 0; i < 4; i++)
		expected_change(expected, &changes[i]);
	meta_close(meta);
	run_sql(arg, "PRAGMA user_version = 3");
	meta = open_meta(arg);
	expected_check(expected, meta);
	meta_close(meta);
	mem_free(expected);
	return 0;
}

static int check_given(void *arg, enum meta_kind kind, const void *record)
{
	const struct record_pair *pair = record;

	if (kind != META_PAIR)
		return 0;
	CHECK_EQUAL(pair->given_away, pair->volume == 0x1500);
	++*(unsigned *)arg;
	return 0;
}

/* From version 4 on a pair says so itself. */
static int what_a_swap_gave_away_is_upgraded(void *arg)
{
	static const struct record_pair pairs[] = {
		{ .volume = 0x1500, .system = "2105.FB12", .role = PAIR_TARGET, .session = 1, .first_copy_done = true },
		{ .volume = 0x1501, .system = "2105.FB12", .role = PAIR_TARGET, .session = 1, .first_copy_done = true,
		  .joined = true },
		{ .volume = 0x1503, .system = "2105.FB12", .role = PAIR_SOURCE, .session = 1, .first_copy_done = true },
	};
	struct meta *meta = open_meta(arg);
	unsigned records = 0;

	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(meta_commit(meta, &(struct meta_change){ META_PUT, META_PAIR, &pairs[i] }, 1), 0);
	meta_close(meta);
	run_sql(arg, "PRAGMA user_version = 3");
	meta = open_meta(arg);
	CHECK_EQUAL(meta_load(meta, check_given, &records), 0);
	CHECK_EQUAL(records, 3);
	meta_close(meta);
	return 0;
}

/* ---- on both runtimes ---- */

static const struct {
	const char *name;
	int (*body)(void *folder);
} bodies[] = {
	{ "every record comes back", every_record_comes_back },
	{ "the visitor ends the load", visitor_ends_the_load },
	{ "a bad group changes nothing", bad_group_changes_nothing },
	{ "late commits are not made", late_commits_are_not_made },
	{ "all reactors commit", all_reactors_commit },
	{ "rows are dumped", rows_are_dumped },
	{ "a second server is refused", second_server_is_refused },
	{ "a newer version is refused", newer_version_is_refused },
	{ "a foreign database is refused", foreign_database_is_refused },
	{ "a lost database is refused", lost_database_is_refused },
	{ "damaged pages are refused", damaged_pages_are_refused },
	{ "a damaged row is named", damaged_row_is_named },
	{ "turned bits are found", turned_bits_are_found },
	{ "changed tables are refused", changed_tables_are_refused },
	{ "an older version is upgraded", older_version_is_upgraded },
	{ "generations of two pairs are upgraded", generations_of_two_pairs_are_upgraded },
	{ "what a swap gave away is upgraded", what_a_swap_gave_away_is_upgraded },
};
#define BODIES	(sizeof(bodies) / sizeof(bodies[0]))

struct run {
	int (*body)(void *folder);
	char folder[32];
};

static int in_new_folder(void *arg)
{
	struct run *run = arg;

	CHECK_EQUAL(rt_path_make_folder(run->folder), 0);
	return run->body(run->folder);
}

static void remove_folder(const char *folder)
{
	static const char *const names[] = { META_LOCK_NAME, META_FILE_NAME, META_FILE_NAME "-wal" };
	char path[128];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (unlink(path) != 0)
			assert_int_equal(errno, ENOENT);
	}
	assert_int_equal(rmdir(folder), 0);
}

static void on_real_files(void **state)
{
	struct run run = { .body = bodies[*(size_t *)*state].body, .folder = "meta-XXXXXX" };
	struct rt_options options = { .reactors = 2 };

	assert_non_null(mkdtemp(run.folder));
	assert_int_equal(rt_run(&options, run.body, run.folder), 0);
	remove_folder(run.folder);
}

static void in_simulator(void **state)
{
	struct run run = { .body = bodies[*(size_t *)*state].body, .folder = "/state" };
	struct sim_world *world = sim_create(*(size_t *)*state, NULL);
	struct sim_system *system = sim_add_system(world, "a1", 2);
	enum sim_end end;

	(void)system;
	end = sim_run(world, in_new_folder, &run, RT_NEVER);
	if (end != SIM_DONE)
		sim_print_log(world, stderr);
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

int main(void)
{
	struct CMUnitTest tests[2 * BODIES];
	static size_t numbers[BODIES];
	static char names[2 * BODIES][64];

	for (size_t i = 0; i < BODIES; i++) {
		numbers[i] = i;
		snprintf(names[2 * i], sizeof(names[0]), "%s, on real files", bodies[i].name);
		snprintf(names[2 * i + 1], sizeof(names[0]), "%s, in the simulator", bodies[i].name);
		tests[2 * i] = (struct CMUnitTest){ names[2 * i], on_real_files, NULL, NULL, &numbers[i] };
		tests[2 * i + 1] = (struct CMUnitTest){ names[2 * i + 1], in_simulator, NULL, NULL, &numbers[i] };
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
