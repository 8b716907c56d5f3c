/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite_vfs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"

#define PATH_LEN_MAX	1024

/* What an atomic sector write means to SQLite: bytes beside a write are not harmed by a power loss. */
#define SECTOR_SIZE	4096

int sqlite_errno(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

/* ---- files ---- */

struct vfs_file {
	sqlite3_file base;
	struct rt_file *file;
	const char *path;		/* SQLite's, lives as long as the file is open */
};

static struct vfs_file *vfs_file(sqlite3_file *base)
{
	return (struct vfs_file *)(void *)base;
}

static int to_sqlite(const struct vfs_file *file, int rc, int other)
{
	if (rc == 0)
		return SQLITE_OK;
	if (rc == -ENOMEM)
		return SQLITE_IOERR_NOMEM;
	log_line(LOG_ERROR, "store", "%s: %s", file->path, strerror(-rc));
	return rc == -ENOSPC || rc == -EDQUOT ? SQLITE_FULL : other;
}

static int file_close(sqlite3_file *base)
{
	rt_file_close(vfs_file(base)->file);
	vfs_file(base)->file = NULL;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *buf, int len, sqlite3_int64 offset)
{
	ssize_t got = rt_file_read(vfs_file(base)->file, buf, (size_t)len, (uint64_t)offset);

	if (got < 0)
		return to_sqlite(vfs_file(base), (int)got, SQLITE_IOERR_READ);
	if (got == len)
		return SQLITE_OK;
	memset((uint8_t *)buf + got, 0, (size_t)(len - got));
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *buf, int len, sqlite3_int64 offset)
{
	int rc = rt_file_write(vfs_file(base)->file, buf, (size_t)len, (uint64_t)offset);

	return to_sqlite(vfs_file(base), rc, SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	return to_sqlite(vfs_file(base), rt_file_set_size(vfs_file(base)->file, (uint64_t)size), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
	int rc = rt_file_sync(vfs_file(base)->file);

	(void)flags;
	if (rc == 0)
		return SQLITE_OK;
	/* Whatever the reason: what was written may be lost, and no later sync will say so. */
	log_line(LOG_ERROR, "store", "%s: sync: %s", vfs_file(base)->path, strerror(-rc));
	return SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
	struct rt_file_info info;
	int rc = rt_file_get_info(vfs_file(base)->file, &info);

	if (rc == 0)
		*size = (sqlite3_int64)info.size;
	return to_sqlite(vfs_file(base), rc, SQLITE_IOERR_FSTAT);
}

/* The database was locked as a whole when it was opened. */
static int file_lock(sqlite3_file *base, int level)
{
	(void)base;
	(void)level;
	return SQLITE_OK;
}

static int file_check_reserved_lock(sqlite3_file *base, int *out)
{
	(void)base;
	*out = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
	(void)base;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
	(void)base;
	return SECTOR_SIZE;
}

static int file_characteristics(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* Version 1 has no shared memory: locking_mode=EXCLUSIVE keeps the index of the WAL on the heap. */
static const sqlite3_io_methods file_methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_lock,
	.xCheckReservedLock = file_check_reserved_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- names ---- */

/* A new file's name is made durable at once, before anything depends on what is in it. */
static int open_or_make(const char *path, unsigned flags, bool make, struct rt_file **out)
{
	int rc = rt_file_open(path, flags, out);

	if (rc != -ENOENT || !make)
		return rc;
	rc = rt_file_open(path, flags | RT_FILE_CREATE, out);
	if (rc != 0)
		return rc;
	rc = rt_path_sync_parent(path);
	if (rc != 0)
		rt_file_close(*out);
	return rc;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags, int *out_flags)
{
	struct vfs_file *file = vfs_file(base);
	unsigned rt_flags = (flags & SQLITE_OPEN_READWRITE) != 0 ? RT_FILE_WRITE : 0u;
	int rc;

	(void)vfs;
	memset(file, 0, sizeof(*file));
	if (path == NULL || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0)
		return SQLITE_CANTOPEN;		/* temporary data stay in memory */
	if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
		rt_flags |= RT_FILE_LOCK;
	rc = open_or_make(path, rt_flags, (flags & SQLITE_OPEN_CREATE) != 0, &file->file);
	if (rc == -EBUSY)
		return SQLITE_BUSY;
	file->path = path;
	if (rc != 0)
		return to_sqlite(file, rc, SQLITE_CANTOPEN);
	file->base.pMethods = &file_methods;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	int rc = rt_path_unlink(path);

	(void)vfs;
	if (rc == -ENOENT)
		return SQLITE_IOERR_DELETE_NOENT;
	if (rc == 0 && sync_folder)
		rc = rt_path_sync_parent(path);
	return rc == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	struct rt_file_info info;
	int rc = rt_path_info(path, &info);

	(void)vfs;
	if (rc != 0 && rc != -ENOENT)
		return SQLITE_IOERR_ACCESS;
	/* An empty journal is none. */
	*out = rc == 0 && (flags != SQLITE_ACCESS_EXISTS || info.size > 0);
	return SQLITE_OK;
}

/* Paths are absolute, or relative to where the program runs, which never changes. */
static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int room, char *out)
{
	int len = snprintf(out, (size_t)room, "%s", path);

	(void)vfs;
	return len >= 0 && len < room ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* ---- randomness, time ---- */

static int vfs_randomness(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	rt_random_bytes(out, (size_t)len);
	return len;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	/* A sleep that ends early costs SQLite one more look. */
	int rc = rt_sleep_until(rt_now_ns() + us * RT_US);

	(void)vfs;
	return rc == 0 ? us : 0;
}

/* Milliseconds of the Julian day, as SQLite counts time. */
static int vfs_now_ms(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
	(void)vfs;
	*now = INT64_C(210866760000000) + rt_wall_ns() / RT_MS;
	return SQLITE_OK;
}

static int vfs_now_days(sqlite3_vfs *vfs, double *now)
{
	sqlite3_int64 ms;
	int rc = vfs_now_ms(vfs, &ms);

	*now = (double)ms / 86400000.0;
	return rc;
}

static int vfs_last_error(sqlite3_vfs *vfs, int room, char *text)
{
	(void)vfs;
	(void)room;
	(void)text;
	return 0;
}

/* ---- memory: SQLite asks for the size of what it holds, so that stands before it ---- */

#define HEADER_LEN	16

static void *memory_alloc(int len)
{
	uint8_t *memory = mem_alloc((size_t)len + HEADER_LEN);

	if (memory == NULL)
		return NULL;
	memcpy(memory, &len, sizeof(len));
	return memory + HEADER_LEN;
}

static void memory_free(void *ptr)
{
	mem_free((uint8_t *)ptr - HEADER_LEN);
}

static void *memory_resize(void *ptr, int len)
{
	uint8_t *memory = mem_resize((uint8_t *)ptr - HEADER_LEN, (size_t)len + HEADER_LEN);

	if (memory == NULL)
		return NULL;
	memcpy(memory, &len, sizeof(len));
	return memory + HEADER_LEN;
}

static int memory_size(void *ptr)
{
	int len = 0;

	if (ptr != NULL)
		memcpy(&len, (uint8_t *)ptr - HEADER_LEN, sizeof(len));
	return len;
}

static int memory_round_up(int len)
{
	return (len + 7) & ~7;
}

static int memory_init(void *arg)
{
	(void)arg;
	return SQLITE_OK;
}

static void memory_shutdown(void *arg)
{
	(void)arg;
}

/* ---- the process ---- */

static void log_message(void *arg, int code, const char *text)
{
	(void)arg;
	log_line(LOG_DEBUG, "store", "sqlite (%d): %s", code, text);
}

static int configure(void)
{
	static const sqlite3_mem_methods memory = {
		.xMalloc = memory_alloc,
		.xFree = memory_free,
		.xRealloc = memory_resize,
		.xSize = memory_size,
		.xRoundup = memory_round_up,
		.xInit = memory_init,
		.xShutdown = memory_shutdown,
	};
	int rc = sqlite3_config(SQLITE_CONFIG_MULTITHREAD);

	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	if (rc == SQLITE_OK)
		rc = sqlite3_config(SQLITE_CONFIG_LOG, log_message, NULL);
	return rc;
}

static int start(void)
{
	/* SQLite links it into its list; never unregistered. */
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct vfs_file),
		.mxPathname = PATH_LEN_MAX,
		.zName = SQLITE_VFS_NAME,
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness,
		.xSleep = vfs_sleep,
		.xCurrentTime = vfs_now_days,
		.xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_now_ms,
	};
	int rc = configure();

	assert(rc == SQLITE_OK);
	rc = sqlite3_initialize();
	if (rc == SQLITE_OK)
		rc = sqlite3_vfs_register(&vfs, 1);
	return rc;
}

int sqlite_vfs_setup(void)
{
	/* What it stands for, the state of the SQLite library, is of the process as well. */
	static bool started;

	if (!started && start() != SQLITE_OK)
		return -ENOMEM;
	started = true;
	sqlite3_randomness(0, NULL);
	return 0;
}
