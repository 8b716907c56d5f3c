/* SPDX-License-Identifier: Apache-2.0 */
#include "store/latelog.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/filepool.h"
#include "store/latelog_format.h"
#include "store/planted.h"

struct latelog {
	struct pooled_file *file;	/* used once for each write that is in it */
	uint64_t sequence;		/* of the last one that was put */
	bool failed;			/* it may have what it should not */
	uint32_t free_count;
	uint16_t free[LATELOG_SLOTS];	/* the one that was used last on top, so that a small file does for few */
};

static uint64_t slot_offset(uint32_t slot)
{
	return LATELOG_HEADER_SIZE + (uint64_t)slot * LATELOG_SLOT_SIZE;
}

/* ---- the file ---- */

static void fill_header(uint8_t header[LATELOG_HEADER_SIZE])
{
	memset(header, 0, LATELOG_HEADER_SIZE);
	put_le32(header + LATELOG_MAGIC_AT, LATELOG_MAGIC);
	put_le16(header + LATELOG_VERSION_AT, LATELOG_VERSION);
	rt_kernel_boot_id(header + LATELOG_BOOT_AT);
	put_le32(header + LATELOG_CRC_AT, crc32c(0, header, LATELOG_HEADER_SIZE));
}

#define FLAGS	(RT_FILE_WRITE | RT_FILE_LOCK)

static int make_file(const char *path)
{
	uint8_t header[LATELOG_HEADER_SIZE];
	struct rt_file *file;
	int rc = rt_file_open(path, FLAGS | RT_FILE_CREATE, &file);

	if (rc < 0)
		return rc;
	fill_header(header);
	rc = rt_file_set_size(file, 0);
	if (rc == 0)
		rc = rt_file_write(file, header, sizeof(header), 0);
	rt_file_close(file);
	return rc;
}

int latelog_create(struct filepool *files, const char *path, struct latelog **out)
{
	struct latelog *log = mem_alloc_zeroed(sizeof(*log));
	int rc = log ? make_file(path) : -ENOMEM;

	/* Nobody waits for a place in the pool: others may hold them all as long as hosts write. */
	if (rc == 0)
		rc = files ? pooled_file_enter(files, path, FLAGS, &log->file) :
			pooled_file_open(NULL, path, FLAGS, &log->file);
	if (rc < 0) {
		latelog_close(log);
		return rc;
	}
	for (uint32_t slot = LATELOG_SLOTS; slot > 0; slot--)
		log->free[log->free_count++] = (uint16_t)(slot - 1);
	*out = log;
	return 0;
}

void latelog_close(struct latelog *log)
{
	if (!log)
		return;
	pooled_file_close(log->file);
	mem_free(log);
}

/* ---- entries ---- */

static uint32_t entry_crc(const uint8_t *entry, uint32_t len)
{
	static const uint8_t none[4];
	uint32_t crc = crc32c(crc32c(0, entry, LATELOG_CRC_AT), none, sizeof(none));

	return crc32c(crc, entry + LATELOG_CRC_AT + sizeof(none),
		LATELOG_ENTRY_DATA_AT + len - LATELOG_CRC_AT - sizeof(none));
}

void latelog_encode_entry(const struct latelog_entry *entry, uint8_t *bytes)
{
	memset(bytes, 0, LATELOG_ENTRY_DATA_AT);
	put_le32(bytes + LATELOG_MAGIC_AT, LATELOG_ENTRY_MAGIC);
	put_le32(bytes + LATELOG_ENTRY_LEN_AT, entry->len);
	put_le64(bytes + LATELOG_ENTRY_SEQUENCE_AT, entry->sequence);
	put_le64(bytes + LATELOG_ENTRY_OFFSET_AT, entry->offset);
	put_le32(bytes + LATELOG_CRC_AT, entry_crc(bytes, entry->len));
}

bool latelog_decode_entry(const uint8_t *bytes, size_t size, struct latelog_entry *entry)
{
	if (size < LATELOG_ENTRY_DATA_AT || get_le32(bytes + LATELOG_MAGIC_AT) != LATELOG_ENTRY_MAGIC)
		return false;
	*entry = (struct latelog_entry) {
		.len = get_le32(bytes + LATELOG_ENTRY_LEN_AT), .offset = get_le64(bytes + LATELOG_ENTRY_OFFSET_AT),
		.sequence = get_le64(bytes + LATELOG_ENTRY_SEQUENCE_AT),
	};
	return entry->len > 0 && entry->len <= LATELOG_DATA_MAX && size >= LATELOG_ENTRY_DATA_AT + entry->len &&
		get_le32(bytes + LATELOG_CRC_AT) == entry_crc(bytes, entry->len);
}

int latelog_put(struct latelog *log, const void *data, uint32_t len, uint64_t offset, uint32_t *slot)
{
	MEM_OWNED uint8_t *entry = mem_alloc(LATELOG_ENTRY_DATA_AT + len);
	int rc;

	assert(len > 0 && len <= LATELOG_DATA_MAX);
	if (!entry)
		return -ENOMEM;
	rc = pooled_file_try(log->file);
	if (rc < 0)
		return rc == -EAGAIN || rc == -ENOMEM ? -ENOBUFS : rc;
	if (log->free_count == 0 || log->failed) {
		pooled_file_leave(log->file);
		return -ENOBUFS;
	}
	*slot = log->free[--log->free_count];
	memcpy(entry + LATELOG_ENTRY_DATA_AT, data, len);
	latelog_encode_entry(&(struct latelog_entry) { .len = len, .sequence = ++log->sequence, .offset = offset },
			     entry);
	if (!planted(PLANTED_LATE_UNLOGGED))
		rc = rt_file_write(pooled_file_get(log->file), entry, LATELOG_ENTRY_DATA_AT + len, slot_offset(*slot));
	/* Any part of it may be there, and should not be found. */
	if (rc < 0)
		(void)!latelog_void(log, *slot);
	return rc;
}

int latelog_void(struct latelog *log, uint32_t slot)
{
	static const uint8_t none[sizeof(uint32_t)];
	int rc;
	RT_SHIELD();

	rc = rt_file_write(pooled_file_get(log->file), none, sizeof(none), slot_offset(slot) + LATELOG_MAGIC_AT);
	if (rc < 0) {
		log->failed = true;
		return rc;
	}
	log->free[log->free_count++] = (uint16_t)slot;
	pooled_file_leave(log->file);
	return 0;
}

bool latelog_failed(const struct latelog *log)
{
	return log->failed;
}

/* ---- after the death of the process ---- */

struct found {
	uint64_t sequence;
	uint32_t slot;
};

struct replay {
	struct rt_file *file;
	uint32_t count;
	struct found found[LATELOG_SLOTS];
	uint8_t entry[LATELOG_ENTRY_DATA_AT + LATELOG_DATA_MAX];
};

/*
 * A good entry is in replay->entry. Length 0: there is none in this slot, or the process died while it was put: then it
 * was never answered.
 */
static int read_entry(struct replay *replay, uint32_t slot, struct latelog_entry *entry)
{
	ssize_t got = rt_file_read(replay->file, replay->entry, sizeof(replay->entry), slot_offset(slot));

	if (got < 0)
		return (int)got;
	if (!latelog_decode_entry(replay->entry, (size_t)got, entry))
		entry->len = 0;
	return 0;
}

static int by_sequence(const void *a, const void *b)
{
	uint64_t one = ((const struct found *)a)->sequence, other = ((const struct found *)b)->sequence;

	return one < other ? -1 : one > other;
}

static int find_entries(struct replay *replay)
{
	uint8_t header[LATELOG_HEADER_SIZE], mine[LATELOG_HEADER_SIZE];
	ssize_t got = rt_file_read(replay->file, header, sizeof(header), 0);
	struct latelog_entry entry;
	int rc = 0;

	fill_header(mine);
	/* Of another kernel the power was lost, and what is here with it; or it was cut short while it was made. */
	if (got != sizeof(header) || memcmp(header, mine, sizeof(mine)) != 0)
		return got < 0 ? (int)got : 0;
	for (uint32_t slot = 0; rc == 0 && slot < LATELOG_SLOTS; slot++) {
		rc = read_entry(replay, slot, &entry);
		if (rc == 0 && entry.len > 0)
			replay->found[replay->count++] = (struct found) { .sequence = entry.sequence, .slot = slot };
	}
	qsort(replay->found, replay->count, sizeof(replay->found[0]), by_sequence);
	return rc;
}

static int pass_entries(struct replay *replay, latelog_each *each, void *arg)
{
	struct latelog_entry entry;
	int rc = find_entries(replay);

	for (uint32_t i = 0; rc == 0 && i < replay->count; i++) {
		rc = read_entry(replay, replay->found[i].slot, &entry);
		if (rc == 0 && entry.len > 0)
			rc = each(arg, replay->entry + LATELOG_ENTRY_DATA_AT, entry.len, entry.offset);
	}
	return rc;
}

int latelog_replay(const char *path, latelog_each *each, void *arg)
{
	MEM_OWNED struct replay *replay = mem_alloc_zeroed(sizeof(*replay));
	int rc = replay ? rt_file_open(path, RT_FILE_LOCK, &replay->file) : -ENOMEM;

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = pass_entries(replay, each, arg);
	rt_file_close(replay->file);
	if (rc == 0 && replay->count > 0)
		log_line(LOG_NOTICE, "store", "%s: %u answered writes of the last run are written now", path,
			 replay->count);
	return rc == 0 ? rt_path_unlink(path) : rc;
}
