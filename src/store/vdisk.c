/* SPDX-License-Identifier: Apache-2.0 */
#include "store/vdisk.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/direct.h"

/*
 * The kernel is told to begin with what was written, so that a sync never finds a mountain. For a host that flushes
 * often this is after a part of what it wrote between its last two flushes: most is on its way then when the flush
 * comes. Each time that none came the step doubles, as what is written again before the kernel's own time costs the
 * device nothing.
 */
#define WRITEOUT_BYTES_MIN	(UINT64_C(256) << 10)
#define WRITEOUT_BYTES_MAX	(UINT64_C(1) << 30)
#define WRITEOUT_PART		4u

/* What is written where no hole can be made. */
#define ZEROS_LEN	(256u << 10)
static const uint8_t zeros[ZEROS_LEN] __attribute__((aligned(XDC_BLOCK_SIZE)));

/* Granule of what vdisk knows to be allocated and durably so. */
#define SETTLED_REGION	(4u << 20)

const char *const pool_kind_names[] = { "dir", "device" };
_Static_assert(sizeof(pool_kind_names) / sizeof(pool_kind_names[0]) == POOL_KIND_COUNT, "a name for each kind");

const char *const cache_mode_names[] = { "writeback", "direct" };
_Static_assert(sizeof(cache_mode_names) / sizeof(cache_mode_names[0]) == CACHE_MODE_COUNT, "a name for each mode");

struct vdisk {
	struct direct direct;
	char *path;			/* for the log */
	_Atomic uint64_t size;		/* written on the volume's reactor, read on any */
	enum pool_kind kind;
	enum cache_mode cache;
	bool is_device;			/* a block device, which has all of its space */
	bool makes_holes;		/* it is known to be able to; not changed once it is open */
	bool cannot_punch;		/* it was found not to be */

	struct rt_group fibers;		/* the syncer and the writeout, each at most once */

	/* Syncs are numbered; a caller waits for the first that begins after its call. */
	struct rt_cond synced;
	uint64_t syncs_wanted, syncs_begun, syncs_done;
	uint64_t syncs_failed;
	bool syncing;
	bool failed;
	void (*sync_failed)(void *arg);
	void *sync_failed_arg;

	/* writeback: what was written since the last writeout was begun, and since the last sync was. */
	uint64_t unpaced_bytes, unsynced_bytes;
	uint64_t writeout_bytes;	/* so many, and the next begins */
	uint64_t unpaced_begin, unpaced_end;
	bool pacing;

	/* direct: regions that are all data, durably, one bit each; only a punch ends that. */
	uint8_t *settled;
	uint64_t punches;		/* begun and ended */
	unsigned unsettled;		/* writes into holes, and punches, that are not yet durable */
	uint64_t owed_sync;		/* the sync that makes those durable which failed or were given up */
};

bool vdisk_is_direct(const struct vdisk *disk)
{
	return disk->cache == CACHE_DIRECT;
}

static void assert_range(const struct vdisk *disk, uint64_t offset, uint64_t len)
{
	assert(len > 0);
	assert(offset < disk->size && len <= disk->size - offset);
}

/* ---- names: create, open, close, destroy ---- */

static bool size_is_valid(enum pool_kind kind, uint64_t size)
{
	return size > 0 && size <= INT64_MAX && size % (kind == POOL_DIR ? XDC_BLOCK_SIZE : XDC_SECTOR_SIZE) == 0;
}

static int size_and_sync(const char *path, struct rt_file *file, uint64_t size)
{
	int rc = rt_file_set_size(file, size);

	if (rc == 0)
		rc = rt_file_sync(file);
	return rc == 0 ? rt_path_sync_parent(path) : rc;
}

int vdisk_create(const struct vdisk_options *options)
{
	struct rt_file *file;
	int rc;

	assert(options->kind == POOL_DIR);
	if (!size_is_valid(options->kind, options->size))
		return -EINVAL;
	rc = rt_file_open(options->path, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file);
	if (rc != 0)
		return rc;
	rc = size_and_sync(options->path, file, options->size);
	rt_file_close(file);
	if (rc != 0) {
		RT_SHIELD();
		int removed = rt_path_unlink(options->path);

		if (removed != 0)
			log_line(LOG_WARNING, "store", "%s: the file of a volume that could not be made remains: %s",
				 options->path, strerror(-removed));
	}
	return rc;
}

int vdisk_destroy(const struct vdisk_options *options)
{
	int rc;

	if (options->kind == POOL_DEVICE)
		return 0;
	rc = rt_path_unlink(options->path);
	if (rc != 0 && rc != -ENOENT)
		return rc;
	return rt_path_sync_parent(options->path);
}

static int check_info(const struct vdisk_options *options, const struct rt_file_info *info)
{
	if (info->is_folder || (info->is_device && options->kind == POOL_DIR)) {
		log_line(LOG_ERROR, "store", "%s is damaged: not the file of a volume", options->path);
		return -EIO;
	}
	if (info->size < options->size) {
		log_line(LOG_ERROR, "store", "%s is damaged: %llu bytes long where %llu were recorded", options->path,
			 (unsigned long long)info->size, (unsigned long long)options->size);
		return -EIO;
	}
	if (info->size > options->size)
		log_line(LOG_NOTICE, "store", "%s: %llu bytes long where %llu were recorded; the rest is not used",
			 options->path, (unsigned long long)info->size, (unsigned long long)options->size);
	return 0;
}

static uint64_t settled_len(uint64_t size)
{
	uint64_t regions = (size + SETTLED_REGION - 1) / SETTLED_REGION;

	return (regions + 7) / 8;
}

/* What cache mode direct needs beside the file. */
static int open_direct(struct vdisk *disk, unsigned one_of_many)
{
	int rc;

	disk->settled = mem_alloc_zeroed(settled_len(disk->size));
	if (disk->settled == NULL)
		return -ENOMEM;
	disk->direct.tail_offset = disk->size & ~(uint64_t)(XDC_BLOCK_SIZE - 1);
	if (disk->direct.tail_offset != disk->size) {
		rc = rt_file_open(disk->path, RT_FILE_WRITE | RT_FILE_DSYNC | one_of_many, &disk->direct.tail);
		if (rc != 0)
			return rc;
	}
	/* Data of a write that was never answered may be found where it was allocated, and not be durable. */
	return rt_file_sync(disk->direct.file);
}

static int open_files(struct vdisk *disk, const struct vdisk_options *options)
{
	unsigned direct = vdisk_is_direct(disk) ? RT_FILE_DIRECT : 0u;
	/* One that was there before may take of what is spared: better all of them than room for something else. */
	unsigned one_of_many = options->is_new ? RT_FILE_ONE_OF_MANY : 0u;
	unsigned flags = RT_FILE_WRITE | RT_FILE_LOCK | direct | one_of_many;
	struct rt_file_info info;
	int rc = rt_file_open(options->path, flags, &disk->direct.file);

	if (rc == 0)
		rc = rt_file_get_info(disk->direct.file, &info);
	if (rc == 0)
		rc = check_info(options, &info);
	if (rc != 0)
		return rc;
	disk->is_device = info.is_device;
	/* Asked where nothing is, behind the end. */
	if (!disk->is_device)
		rc = rt_file_punch(disk->direct.file, info.size, XDC_BLOCK_SIZE);
	disk->makes_holes = !disk->is_device && rc == 0;
	disk->cannot_punch = rc == -EOPNOTSUPP;
	if (rc == -ETIMEDOUT || rc == -ECANCELED)
		return rc;
	return vdisk_is_direct(disk) ? open_direct(disk, one_of_many) : 0;
}

int vdisk_open(const struct vdisk_options *options, struct vdisk **out)
{
	struct vdisk *disk;
	int rc;

	if (!size_is_valid(options->kind, options->size))
		return -EINVAL;
	disk = mem_alloc_zeroed(sizeof(*disk));
	if (disk == NULL)
		return -ENOMEM;
	disk->kind = options->kind;
	disk->cache = options->cache;
	disk->size = options->size;
	disk->failed = options->failed;
	disk->writeout_bytes = WRITEOUT_BYTES_MAX;
	disk->sync_failed = options->sync_failed;
	disk->sync_failed_arg = options->sync_failed_arg;
	rt_group_init(&disk->fibers);
	rt_cond_init(&disk->synced);
	disk->path = mem_copy_string(options->path);
	rc = disk->path != NULL ? open_files(disk, options) : -ENOMEM;
	if (rc != 0) {
		vdisk_close(disk);
		return rc;
	}
	*out = disk;
	return 0;
}

void vdisk_close(struct vdisk *disk)
{
	if (disk == NULL)
		return;
	rt_group_stop(&disk->fibers);
	assert(!rt_cond_has_waiters(&disk->synced));
	rt_file_close(disk->direct.tail);
	rt_file_close(disk->direct.file);
	mem_free(disk->settled);
	mem_free(disk->path);
	mem_free(disk);
}

/* ---- sync ---- */

/* A sync begins. */
static void choose_writeout(struct vdisk *disk)
{
	uint64_t bytes = disk->unsynced_bytes / WRITEOUT_PART;

	disk->writeout_bytes = bytes > WRITEOUT_BYTES_MIN ? bytes : WRITEOUT_BYTES_MIN;
	if (disk->writeout_bytes > WRITEOUT_BYTES_MAX)
		disk->writeout_bytes = WRITEOUT_BYTES_MAX;
	disk->unpaced_bytes = disk->unsynced_bytes = 0;
}

/* Shielded. */
static void fail_disk(struct vdisk *disk)
{
	disk->failed = true;
	disk->syncs_failed++;
	if (disk->sync_failed)
		disk->sync_failed(disk->sync_failed_arg);
	rt_cond_wake_all(&disk->synced);
}

void vdisk_give_up(struct vdisk *disk)
{
	RT_SHIELD();

	if (!disk->failed)
		fail_disk(disk);
}

static void sync_once(struct vdisk *disk)
{
	uint64_t number = ++disk->syncs_begun;
	int rc;

	choose_writeout(disk);
	rc = rt_file_sync(disk->direct.file);

	disk->syncs_done = number;
	if (rc != 0) {
		log_line(LOG_ERROR, "store", "%s: sync failed (%s): unsynced writes are lost, the volume is failed "
			 "until that is repaired or accepted", disk->path, strerror(-rc));
		fail_disk(disk);
	}
	rt_cond_wake_all(&disk->synced);
}

/*
 * A fiber of its own and shielded: the kernel reports a failure once, so the report must not be missed because the
 * caller was cancelled or had no time left.
 */
static void run_syncer(void *arg)
{
	struct vdisk *disk = arg;
	RT_SHIELD();

	while (disk->syncs_begun < disk->syncs_wanted)
		sync_once(disk);
	disk->syncing = false;
}

/* Whatever state the disk is in. */
static int sync_anyway(struct vdisk *disk)
{
	uint64_t failed_before = disk->syncs_failed;
	uint64_t mine = disk->syncs_begun + 1;
	int rc;

	if (!disk->syncing) {
		rc = rt_group_start(&disk->fibers, "sync", run_syncer, disk);
		if (rc != 0)
			return rc;
		disk->syncing = true;
	}
	disk->syncs_wanted = mine;
	while (disk->syncs_done < mine && disk->syncs_failed == failed_before) {
		rc = rt_cond_wait(&disk->synced);
		if (rc != 0)
			return rc;
	}
	return disk->syncs_failed == failed_before ? 0 : -EIO;
}

int vdisk_sync(struct vdisk *disk)
{
	return disk->failed ? -EIO : sync_anyway(disk);
}

bool vdisk_failed(const struct vdisk *disk)
{
	return disk->failed;
}

int vdisk_accept_loss(struct vdisk *disk)
{
	int rc;

	if (!disk->failed)
		return 0;
	/* What is dirty still is kept, if the disk can again; what the failed sync left only looks as if it were. */
	rc = sync_anyway(disk);
	if (rc == 0)
		rc = rt_file_drop_cached(disk->direct.file);
	if (rc != 0)
		return rc;
	log_line(LOG_WARNING, "store", "%s: the loss of unsynced writes is accepted", disk->path);
	disk->failed = false;
	return 0;
}

/* ---- writeback: pacing ---- */

static void run_writeout(void *arg)
{
	struct vdisk *disk = arg;

	while (disk->unpaced_bytes >= disk->writeout_bytes && !rt_cancelled()) {
		uint64_t begin = disk->unpaced_begin;
		uint64_t end = disk->unpaced_end;

		disk->unpaced_bytes = 0;
		if (disk->writeout_bytes < WRITEOUT_BYTES_MAX)
			disk->writeout_bytes *= 2;
		rt_file_start_writeout(disk->direct.file, begin, end - begin);
	}
	disk->pacing = false;
}

static void pace(struct vdisk *disk, uint64_t offset, uint64_t len)
{
	if (disk->unpaced_bytes == 0) {
		disk->unpaced_begin = offset;
		disk->unpaced_end = offset + len;
	}
	if (offset < disk->unpaced_begin)
		disk->unpaced_begin = offset;
	if (offset + len > disk->unpaced_end)
		disk->unpaced_end = offset + len;
	disk->unpaced_bytes += len;
	disk->unsynced_bytes += len;
	/* Without a fiber for it the kernel writes out in its own time: only slower to sync. */
	if (disk->unpaced_bytes >= disk->writeout_bytes && !disk->pacing)
		disk->pacing = rt_group_start(&disk->fibers, "writeout", run_writeout, disk) == 0;
}

/* ---- direct: what is durable once it is written ---- */

/* A write into a hole or a punch begins: data, and their absence, are not durable where they are found. */
static void unsettle(struct vdisk *disk)
{
	disk->unsettled++;
}

/* It ends: made durable, or (rc) not. */
static void resettle(struct vdisk *disk, int rc)
{
	assert(disk->unsettled > 0);
	disk->unsettled--;
	if (rc != 0)
		disk->owed_sync = disk->syncs_begun + 1;
}

/* True when what is found in the file is durable. */
static bool is_settled(const struct vdisk *disk)
{
	return disk->unsettled == 0 && disk->syncs_done >= disk->owed_sync;
}

static bool region_is_settled(const struct vdisk *disk, uint64_t region)
{
	return (disk->settled[region / 8] >> (region % 8) & 1) != 0;
}

static void doubt_regions(struct vdisk *disk, uint64_t offset, uint64_t len)
{
	disk->punches++;
	for (uint64_t region = offset / SETTLED_REGION; region <= (offset + len - 1) / SETTLED_REGION; region++)
		disk->settled[region / 8] &= (uint8_t)~(1u << (region % 8));
}

/* A write failed that needed no sync: what it has left may not be durable, nor what is written over that. */
static void doubt_failed(struct vdisk *disk, uint64_t offset, uint64_t len, int rc)
{
	unsettle(disk);
	doubt_regions(disk, offset, len);
	resettle(disk, rc);
}

/* Notes the region as settled when it is found to be all data. */
static int find_settled(struct vdisk *disk, uint64_t region)
{
	uint64_t begin = region * SETTLED_REGION;
	uint64_t punches = disk->punches;
	uint64_t end;
	bool data;
	int rc;

	if (!is_settled(disk))
		return 0;
	rc = vdisk_get_run(disk, begin, &data, &end);
	if (rc != 0 || !data)
		return rc;
	if ((end == disk->size || end >= begin + SETTLED_REGION) && disk->punches == punches && is_settled(disk))
		disk->settled[region / 8] |= (uint8_t)(1u << (region % 8));
	return 0;
}

/*
 * A write over data that is there reaches the device as it is; into a hole it needs the file system's records too,
 * which only a sync makes durable. Sets *needed.
 */
static int find_sync_needed(struct vdisk *disk, uint64_t offset, uint64_t len, bool *needed)
{
	uint64_t last = (offset + len - 1) / SETTLED_REGION;
	uint64_t end;
	bool data;
	int rc;

	*needed = false;
	for (uint64_t region = offset / SETTLED_REGION; vdisk_is_direct(disk) && region <= last; region++)
		*needed = *needed || !region_is_settled(disk, region);
	if (!*needed)
		return 0;
	rc = vdisk_get_run(disk, offset, &data, &end);
	if (rc != 0)
		return rc;
	*needed = !data || end < offset + len || !is_settled(disk);
	/* Not into a hole: perhaps there are none left around it, which spares the next write all this. */
	for (uint64_t region = offset / SETTLED_REGION; rc == 0 && !*needed && region <= last; region++)
		if (!region_is_settled(disk, region))
			rc = find_settled(disk, region);
	return rc;
}

/* ---- reads and writes ---- */

static int read_buffered(struct vdisk *disk, void *buf, size_t len, uint64_t offset)
{
	ssize_t got = rt_file_read(disk->direct.file, buf, len, offset);

	if (got < 0)
		return (int)got;
	return (size_t)got == len ? 0 : -EIO;
}

int vdisk_read(struct vdisk *disk, void *buf, size_t len, uint64_t offset)
{
	assert_range(disk, offset, len);
	return vdisk_is_direct(disk) ? direct_read(&disk->direct, buf, len, offset) :
		read_buffered(disk, buf, len, offset);
}

/* Without the sync that direct may need. */
static int write_range(struct vdisk *disk, const void *buf, size_t len, uint64_t offset)
{
	int rc;

	if (vdisk_is_direct(disk))
		return direct_write(&disk->direct, buf, len, offset);
	rc = rt_file_write(disk->direct.file, buf, len, offset);
	if (rc == 0)
		pace(disk, offset, len);
	return rc;
}

int vdisk_write(struct vdisk *disk, const void *buf, size_t len, uint64_t offset)
{
	bool sync_needed;
	int rc;

	assert_range(disk, offset, len);
	if (disk->failed)
		return -EIO;
	rc = find_sync_needed(disk, offset, len, &sync_needed);
	if (rc != 0)
		return rc;
	if (!sync_needed) {
		rc = write_range(disk, buf, len, offset);
		if (rc != 0 && vdisk_is_direct(disk))
			doubt_failed(disk, offset, len, rc);
		return rc;
	}
	unsettle(disk);
	rc = write_range(disk, buf, len, offset);
	if (rc == 0)
		rc = vdisk_sync(disk);
	resettle(disk, rc);
	return rc;
}

int vdisk_write_unsynced(struct vdisk *disk, const void *buf, size_t len, uint64_t offset)
{
	int rc;

	assert_range(disk, offset, len);
	if (disk->failed)
		return -EIO;
	if (!vdisk_is_direct(disk))
		return write_range(disk, buf, len, offset);
	unsettle(disk);
	rc = write_range(disk, buf, len, offset);
	if (rc != 0)
		doubt_regions(disk, offset, len);
	/* Whatever became of it, only a sync that begins now settles what is found there. */
	resettle(disk, -EINPROGRESS);
	return rc;
}

/* ---- zeros ---- */

static int write_zeros(struct vdisk *disk, uint64_t offset, uint64_t len)
{
	int rc = 0;

	while (rc == 0 && len > 0) {
		size_t now = len < ZEROS_LEN ? (size_t)len : ZEROS_LEN;

		rc = vdisk_write(disk, zeros, now, offset);
		offset += now;
		len -= now;
	}
	return rc;
}

static int punch_durably(struct vdisk *disk, uint64_t offset, uint64_t len)
{
	int rc;

	unsettle(disk);
	doubt_regions(disk, offset, len);
	rc = rt_file_punch(disk->direct.file, offset, len);
	doubt_regions(disk, offset, len);
	if (rc == 0)
		rc = vdisk_sync(disk);
	resettle(disk, rc);
	return rc;
}

/* Whole blocks. -EOPNOTSUPP: it must be written. */
static int punch(struct vdisk *disk, uint64_t offset, uint64_t len)
{
	uint64_t end;
	bool data;
	int rc = vdisk_get_run(disk, offset, &data, &end);

	if (rc != 0)
		return rc;
	/* Spares the work, and with direct the sync, for what is empty already: mkfs discards the whole disk. */
	if (!data && end >= offset + len && (!vdisk_is_direct(disk) || is_settled(disk)))
		return 0;
	return vdisk_is_direct(disk) ? punch_durably(disk, offset, len) : rt_file_punch(disk->direct.file, offset, len);
}

int vdisk_zero(struct vdisk *disk, uint64_t offset, uint64_t len, bool keep_allocated)
{
	uint64_t begin = (offset + XDC_BLOCK_SIZE - 1) & ~(uint64_t)(XDC_BLOCK_SIZE - 1);
	uint64_t end = (offset + len) & ~(uint64_t)(XDC_BLOCK_SIZE - 1);
	int rc;

	assert_range(disk, offset, len);
	if (disk->failed)
		return -EIO;
	if (keep_allocated || disk->cannot_punch || begin >= end)
		return write_zeros(disk, offset, len);
	rc = punch(disk, begin, end - begin);
	if (rc == -EOPNOTSUPP) {
		disk->cannot_punch = true;
		return write_zeros(disk, offset, len);
	}
	if (rc == 0)
		rc = write_zeros(disk, offset, begin - offset);
	if (rc == 0)
		rc = write_zeros(disk, end, offset + len - end);
	return rc;
}

/* ---- size and space ---- */

static int grow_settled(struct vdisk *disk, uint64_t size)
{
	uint8_t *settled;

	if (!vdisk_is_direct(disk))
		return 0;
	settled = mem_alloc_zeroed(settled_len(size));
	if (settled == NULL)
		return -ENOMEM;
	mem_free(disk->settled);
	disk->settled = settled;	/* all are found again when they are written */
	return 0;
}

int vdisk_grow(struct vdisk *disk, uint64_t size)
{
	int rc;

	if (disk->kind != POOL_DIR)
		return -EOPNOTSUPP;
	if (size < disk->size || !size_is_valid(disk->kind, size))
		return -EINVAL;
	if (disk->failed)
		return -EIO;
	rc = grow_settled(disk, size);
	if (rc == 0)
		rc = rt_file_set_size(disk->direct.file, size);
	if (rc == 0)
		rc = vdisk_sync(disk);
	if (rc == 0) {
		/* Writers beside it may have found data up to the old end. */
		if (vdisk_is_direct(disk))
			doubt_regions(disk, disk->size - 1, 1);
		disk->size = size;
		disk->direct.tail_offset = size;
	}
	return rc;
}

/* Not in direct: a write over space that is shared would need a sync to be found. */
int vdisk_can_clone(struct vdisk *disk, const struct vdisk *from)
{
	assert(disk->size == from->size);
	if (disk->failed || from->failed)
		return -EIO;
	if (vdisk_is_direct(disk) || vdisk_is_direct(from) || disk->is_device || from->is_device)
		return -EOPNOTSUPP;
	return rt_file_clone(disk->direct.file, from->direct.file, 0);
}

int vdisk_clone(struct vdisk *disk, const struct vdisk *from)
{
	assert(disk->size == from->size && !vdisk_is_direct(disk) && !vdisk_is_direct(from));
	if (disk->failed || from->failed)
		return -EIO;
	return rt_file_clone(disk->direct.file, from->direct.file, disk->size);
}

int vdisk_get_run(struct vdisk *disk, uint64_t offset, bool *data, uint64_t *end)
{
	int rc;

	assert_range(disk, offset, 1);
	rc = rt_file_get_run(disk->direct.file, offset, data, end);
	if (rc == 0 && *end > disk->size)
		*end = disk->size;
	return rc;
}

uint64_t vdisk_size(const struct vdisk *disk)
{
	return disk->size;
}

bool vdisk_makes_holes(const struct vdisk *disk)
{
	return disk->makes_holes;
}

int vdisk_allocated(struct vdisk *disk, uint64_t *bytes)
{
	struct rt_file_info info;
	int rc = rt_file_get_info(disk->direct.file, &info);

	if (rc == 0)
		*bytes = info.allocated;
	return rc;
}
