/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file holds every block twice, first all copies A, then all copies B (docs/disk-format.md). A group goes to copy
 * A, and counts as noted when that is durable; then the same bytes go to copy B, always before the next group touches
 * A. So at any moment one copy of every block is whole and holds all that was ever answered as noted; the other may
 * be torn or behind.
 */
#include "store/dirtylog.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/dirtylog_format.h"

#define NO_SLOT	UINT32_MAX

enum slot_state { SLOT_FREE, SLOT_WANTED, SLOT_NOTED };

struct slot {
	uint64_t sequence;		/* of the mark; unique */
	uint32_t region;
	uint32_t next;			/* in its bucket, or among the free ones */
	uint16_t volume;
	uint8_t state;			/* enum slot_state */
	bool was_dirty;			/* already when the log was opened */
};

struct dirtylog_block {
	uint64_t generation;
	bool changed;			/* the slots are ahead of copy A */
	bool writing;			/* part of the group under way */
	bool behind;			/* copy A is ahead of copy B */
};

struct dirtylog {
	struct rt_file *file;
	uint32_t limit, count, blocks;
	uint32_t free_slot, bucket_mask;
	struct slot *slots;		/* blocks * DIRTYLOG_SLOTS_PER_BLOCK, in the order of the file */
	uint32_t *buckets;
	struct dirtylog_block *block;
	uint8_t *image;			/* all blocks as they are in copy A */
	uint64_t sequence;		/* of the last mark */
	uint64_t begun, done;		/* groups */
	int error;			/* of the group done last */
	bool wanted;			/* somebody waits for a group that has not begun */
	unsigned waiting_for_slot;
	struct rt_cond work, finished, room, pressure;
	struct rt_group fibers;
};

/* ---- slots in memory ---- */

static uint32_t *bucket_of(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint64_t key = ((uint64_t)volume << 32 | region) * UINT64_C(0x9e3779b97f4a7c15);

	return &log->buckets[(uint32_t)(key >> 32) & log->bucket_mask];
}

static struct slot *find_slot(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint32_t index = *bucket_of(log, volume, region);

	while (index != NO_SLOT) {
		struct slot *slot = &log->slots[index];
		if (slot->volume == volume && slot->region == region)
			return slot;
		index = slot->next;
	}
	return NULL;
}

static struct dirtylog_block *block_of(const struct dirtylog *log, const struct slot *slot)
{
	return &log->block[(size_t)(slot - log->slots) / DIRTYLOG_SLOTS_PER_BLOCK];
}

static void use_slot(struct dirtylog *log, struct slot *slot, uint16_t volume, uint32_t region)
{
	uint32_t *bucket = bucket_of(log, volume, region);

	slot->volume = volume;
	slot->region = region;
	slot->next = *bucket;
	*bucket = (uint32_t)(slot - log->slots);
	log->count++;
	block_of(log, slot)->changed = true;
}

/* NULL at the limit. */
static struct slot *take_slot(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	struct slot *slot;

	if (log->count >= log->limit)
		return NULL;
	assert(log->free_slot != NO_SLOT);
	slot = &log->slots[log->free_slot];
	log->free_slot = slot->next;
	slot->sequence = ++log->sequence;
	slot->state = SLOT_WANTED;
	slot->was_dirty = false;
	use_slot(log, slot, volume, region);
	return slot;
}

static void free_slot(struct dirtylog *log, struct slot *slot)
{
	uint32_t index = (uint32_t)(slot - log->slots);
	uint32_t *link = bucket_of(log, slot->volume, slot->region);

	while (*link != index)
		link = &log->slots[*link].next;
	*link = slot->next;
	slot->state = SLOT_FREE;
	slot->next = log->free_slot;
	log->free_slot = index;
	log->count--;
	block_of(log, slot)->changed = true;
	rt_cond_wake_one(&log->room);
}

/* ---- blocks on disk ---- */

static void encode_block(struct dirtylog *log, uint32_t index)
{
	uint8_t *to = log->image + (size_t)index * DIRTYLOG_BLOCK_SIZE;
	const struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK];

	memset(to, 0, DIRTYLOG_BLOCK_SIZE);
	put_le32(to + DIRTYLOG_MAGIC_AT, DIRTYLOG_MAGIC);
	put_le16(to + DIRTYLOG_VERSION_AT, DIRTYLOG_VERSION);
	put_le16(to + DIRTYLOG_SLOTS_AT, DIRTYLOG_SLOTS_PER_BLOCK);
	put_le32(to + DIRTYLOG_INDEX_AT, index);
	put_le32(to + DIRTYLOG_BLOCKS_AT, log->blocks);
	put_le64(to + DIRTYLOG_GENERATION_AT, ++log->block[index].generation);
	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++, slot++) {
		uint8_t *entry = to + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;
		if (slot->state == SLOT_FREE)
			continue;
		put_le16(entry + DIRTYLOG_SLOT_VOLUME_AT, slot->volume);
		put_le16(entry + DIRTYLOG_SLOT_STATE_AT, DIRTYLOG_SLOT_DIRTY);
		put_le32(entry + DIRTYLOG_SLOT_REGION_AT, slot->region);
		put_le64(entry + DIRTYLOG_SLOT_SEQUENCE_AT, slot->sequence);
	}
	put_le32(to + DIRTYLOG_CRC_AT, crc32c(0, to, DIRTYLOG_BLOCK_SIZE));
}

/* What is wrong with a block, or NULL. */
static const char *block_fault(const uint8_t *block, uint32_t index, uint32_t blocks)
{
	uint8_t zero[4] = { 0 };
	uint32_t crc;

	if (get_le32(block + DIRTYLOG_MAGIC_AT) != DIRTYLOG_MAGIC)
		return "its magic is wrong";
	crc = crc32c(0, block, DIRTYLOG_CRC_AT);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, block + DIRTYLOG_CRC_AT + 4, DIRTYLOG_BLOCK_SIZE - DIRTYLOG_CRC_AT - 4);
	if (get_le32(block + DIRTYLOG_CRC_AT) != crc)
		return "its checksum is wrong";
	if (get_le16(block + DIRTYLOG_VERSION_AT) != DIRTYLOG_VERSION)
		return "its version is unknown";
	if (get_le16(block + DIRTYLOG_SLOTS_AT) != DIRTYLOG_SLOTS_PER_BLOCK ||
	    get_le32(block + DIRTYLOG_INDEX_AT) != index || get_le32(block + DIRTYLOG_BLOCKS_AT) != blocks)
		return "it belongs elsewhere";
	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		const uint8_t *entry = block + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;
		if (get_le16(entry + DIRTYLOG_SLOT_STATE_AT) > DIRTYLOG_SLOT_DIRTY)
			return "the state of a slot is unknown";
	}
	return NULL;
}

/* Writes the blocks for which picked is set to copy 0 (A) or 1 (B), neighbours in one write. */
static int write_blocks(struct dirtylog *log, unsigned copy, bool (*picked)(const struct dirtylog_block *block))
{
	uint32_t end;

	for (uint32_t first = 0; first < log->blocks; first = end) {
		int rc;
		for (end = first; end < log->blocks && picked(&log->block[end]); )
			end++;
		if (end == first) {
			end++;
			continue;
		}
		rc = rt_file_write(log->file, log->image + (size_t)first * DIRTYLOG_BLOCK_SIZE,
				   (size_t)(end - first) * DIRTYLOG_BLOCK_SIZE,
				   ((uint64_t)copy * log->blocks + first) * DIRTYLOG_BLOCK_SIZE);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool is_behind(const struct dirtylog_block *block)
{
	return block->behind;
}

static bool is_writing(const struct dirtylog_block *block)
{
	return block->writing;
}

/* ---- groups ---- */

static int catch_up(struct dirtylog *log)
{
	int rc = write_blocks(log, 1, is_behind);

	if (rc < 0) {
		log_line(LOG_ERROR, "dirtylog", "second copy: %s", strerror(-rc));
		return rc;
	}
	for (uint32_t i = 0; i < log->blocks; i++)
		log->block[i].behind = false;
	return 0;
}

/* The block is durable as it was when the newest mark in it was this one. */
static void note_slots(struct dirtylog *log, uint32_t index, uint64_t newest)
{
	struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK];

	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++, slot++) {
		if (slot->state == SLOT_WANTED && slot->sequence <= newest)
			slot->state = SLOT_NOTED;
	}
}

static int write_group(struct dirtylog *log)
{
	uint64_t newest = log->sequence;
	int rc;

	for (uint32_t i = 0; i < log->blocks; i++) {
		struct dirtylog_block *block = &log->block[i];
		block->writing = block->changed;
		block->changed = false;
		if (block->writing)
			encode_block(log, i);
	}
	rc = write_blocks(log, 0, is_writing);
	for (uint32_t i = 0; i < log->blocks; i++) {
		struct dirtylog_block *block = &log->block[i];
		if (block->writing && rc == 0) {
			block->behind = true;
			note_slots(log, i, newest);
		} else if (block->writing) {
			block->changed = true;	/* copy B still has what was noted before */
		}
		block->writing = false;
	}
	if (rc < 0)
		log_line(LOG_ERROR, "dirtylog", "first copy: %s", strerror(-rc));
	return rc;
}

static void run_group(struct dirtylog *log)
{
	RT_SHIELD();

	log->wanted = false;
	log->begun++;
	log->error = catch_up(log);
	if (log->error == 0)
		log->error = write_group(log);
	log->done = log->begun;
	rt_cond_wake_all(&log->finished);
	/* Those that wait need not wait for this; if it fails, the next group begins with it. */
	if (log->error == 0 && catch_up(log) < 0)
		log_line(LOG_WARNING, "dirtylog", "the second copy stays behind until the next group");
}

static void commit_fiber(void *arg)
{
	struct dirtylog *log = arg;

	for (;;) {
		while (!log->wanted) {
			if (rt_cond_wait(&log->work) < 0)
				return;
		}
		run_group(log);
	}
}

/* ---- opening ---- */

static void free_log(struct dirtylog *log)
{
	mem_free(log->slots);
	mem_free(log->buckets);
	mem_free(log->block);
	mem_free(log->image);
	mem_free(log);
}

static struct dirtylog *make_log(uint32_t blocks)
{
	struct dirtylog *log = mem_alloc_zeroed(sizeof(*log));
	uint32_t slots = blocks * DIRTYLOG_SLOTS_PER_BLOCK;
	uint32_t buckets = 64;

	if (!log)
		return NULL;
	while (buckets < 2 * slots)
		buckets *= 2;
	log->blocks = blocks;
	log->bucket_mask = buckets - 1;
	log->slots = mem_alloc_zeroed(slots * sizeof(*log->slots));
	log->buckets = mem_alloc(buckets * sizeof(*log->buckets));
	log->block = mem_alloc_zeroed(blocks * sizeof(*log->block));
	log->image = mem_alloc_pages((size_t)blocks * DIRTYLOG_BLOCK_SIZE);
	if (!log->slots || !log->buckets || !log->block || !log->image) {
		free_log(log);
		return NULL;
	}
	memset(log->buckets, 0xff, buckets * sizeof(*log->buckets));
	rt_cond_init(&log->work);
	rt_cond_init(&log->finished);
	rt_cond_init(&log->room);
	rt_cond_init(&log->pressure);
	rt_group_init(&log->fibers);
	return log;
}

/* Chains what is free, lowest slot first, so that few blocks are written. */
static void chain_free_slots(struct dirtylog *log)
{
	log->free_slot = NO_SLOT;
	for (uint32_t i = log->blocks * DIRTYLOG_SLOTS_PER_BLOCK; i-- > 0; ) {
		if (log->slots[i].state != SLOT_FREE)
			continue;
		log->slots[i].next = log->free_slot;
		log->free_slot = i;
	}
}

static void decode_block(struct dirtylog *log, uint32_t index)
{
	const uint8_t *from = log->image + (size_t)index * DIRTYLOG_BLOCK_SIZE;

	bool twice = false;

	log->block[index].generation = get_le64(from + DIRTYLOG_GENERATION_AT);
	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		const uint8_t *entry = from + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;
		struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK + i];
		uint16_t volume = get_le16(entry + DIRTYLOG_SLOT_VOLUME_AT);
		uint32_t region = get_le32(entry + DIRTYLOG_SLOT_REGION_AT);

		if (get_le16(entry + DIRTYLOG_SLOT_STATE_AT) != DIRTYLOG_SLOT_DIRTY)
			continue;
		/* A region that moved to another block stands in both when only one of them reached the disk. */
		if (find_slot(log, volume, region)) {
			twice = true;
			continue;
		}
		slot->sequence = get_le64(entry + DIRTYLOG_SLOT_SEQUENCE_AT);
		slot->state = SLOT_NOTED;
		slot->was_dirty = true;
		if (slot->sequence > log->sequence)
			log->sequence = slot->sequence;
		use_slot(log, slot, volume, region);
	}
	log->block[index].changed = twice;
}

/*
 * Puts the newest whole copy of every block of the file into the image. One copy may be torn by a crash; the other
 * then has all that was ever answered. The copy that is torn or older is picked to be written again.
 */
static int choose_copies(struct dirtylog *log, const char *path, uint32_t blocks, const uint8_t *content)
{
	for (uint32_t i = 0; i < blocks; i++) {
		const uint8_t *a = content + (size_t)i * DIRTYLOG_BLOCK_SIZE;
		const uint8_t *b = a + (size_t)blocks * DIRTYLOG_BLOCK_SIZE;
		const char *fault_a = block_fault(a, i, blocks), *fault_b = block_fault(b, i, blocks);
		bool use_b;

		if (fault_a && fault_b) {
			log_line(LOG_ERROR, "dirtylog", "%s: block %u is damaged: %s; in its second copy: %s",
				 path, i, fault_a, fault_b);
			return -EBADMSG;
		}
		use_b = fault_a || (!fault_b &&
				    get_le64(b + DIRTYLOG_GENERATION_AT) > get_le64(a + DIRTYLOG_GENERATION_AT));
		if (fault_a || fault_b)
			log_line(LOG_WARNING, "dirtylog", "%s: %s copy of block %u is torn: %s; the other is used",
				 path, fault_a ? "first" : "second", i, fault_a ? fault_a : fault_b);
		memcpy(log->image + (size_t)i * DIRTYLOG_BLOCK_SIZE, use_b ? b : a, DIRTYLOG_BLOCK_SIZE);
		log->block[i].writing = use_b && memcmp(a, b, DIRTYLOG_BLOCK_SIZE) != 0;
		log->block[i].behind = !use_b && memcmp(a, b, DIRTYLOG_BLOCK_SIZE) != 0;
	}
	return 0;
}

static int open_file(const char *path, unsigned flags, struct rt_file **out)
{
	return rt_file_open(path, RT_FILE_WRITE | RT_FILE_DIRECT | RT_FILE_DSYNC | RT_FILE_LOCK | flags, out);
}

static int sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (!slash)
		return rt_path_sync_folder(".");
	if ((size_t)(slash - path) >= sizeof(folder))
		return -ENAMETOOLONG;
	snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return rt_path_sync_folder(folder);
}

/* Writes all that is in memory into a new file, which takes the place of the old one, if any, when it is whole. */
static int replace_file(struct dirtylog *log, const char *path)
{
	uint64_t half = (uint64_t)log->blocks * DIRTYLOG_BLOCK_SIZE;
	char fresh[4096];
	int rc;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
		return -ENAMETOOLONG;
	rt_file_close(log->file);
	log->file = NULL;
	rc = rt_path_unlink(fresh);
	if (rc == 0 || rc == -ENOENT)
		rc = open_file(fresh, RT_FILE_CREATE | RT_FILE_NEW, &log->file);
	if (rc == 0)
		rc = rt_file_allocate(log->file, 0, 2 * half);
	for (uint32_t i = 0; i < log->blocks; i++) {
		uint64_t generation = log->block[i].generation;
		log->block[i] = (struct dirtylog_block){ .generation = generation };
		encode_block(log, i);
	}
	if (rc == 0)
		rc = rt_file_write(log->file, log->image, half, 0);
	if (rc == 0)
		rc = rt_file_write(log->file, log->image, half, half);
	if (rc == 0)
		rc = rt_file_sync(log->file);
	if (rc == 0)
		rc = rt_path_rename(fresh, path);
	return rc == 0 ? sync_folder_of(path) : rc;
}

/* Writes the copies that choose_copies found torn or older. */
static int repair_copies(struct dirtylog *log)
{
	int rc = write_blocks(log, 0, is_writing);

	if (rc == 0)
		rc = write_blocks(log, 1, is_behind);
	for (uint32_t i = 0; i < log->blocks; i++) {
		log->block[i].writing = false;
		log->block[i].behind = false;
	}
	return rc;
}

static int load_file(struct dirtylog *log, const char *path, uint32_t blocks)
{
	size_t len = 2 * (size_t)blocks * DIRTYLOG_BLOCK_SIZE;
	MEM_OWNED uint8_t *content = mem_alloc_pages(len);
	ssize_t got;
	int rc;

	if (!content)
		return -ENOMEM;
	/*
	 * What a process that died was writing may be visible and not durable: then neither copy would be safe below.
	 */
	rc = rt_file_sync(log->file);
	if (rc < 0)
		return rc;
	got = rt_file_read(log->file, content, len, 0);
	if (got < 0)
		return (int)got;
	if ((size_t)got != len)
		return -EIO;
	rc = choose_copies(log, path, blocks, content);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < blocks; i++)
		decode_block(log, i);
	return blocks == log->blocks ? repair_copies(log) : replace_file(log, path);
}

/* How many blocks the file has; 0: there is no file. */
static int open_existing(const char *path, struct rt_file **file, uint32_t *blocks)
{
	struct rt_file_info info;
	int rc = open_file(path, 0, file);

	*blocks = 0;
	if (rc == -ENOENT)
		return 0;
	if (rc == 0)
		rc = rt_file_get_info(*file, &info);
	if (rc < 0)
		return rc;
	if (info.size == 0 || info.size % (2 * DIRTYLOG_BLOCK_SIZE) != 0 || info.size > DIRTYLOG_FILE_MAX) {
		log_line(LOG_ERROR, "dirtylog", "%s is damaged: its size cannot be %llu bytes", path,
			 (unsigned long long)info.size);
		return -EBADMSG;
	}
	*blocks = (uint32_t)(info.size / (2 * DIRTYLOG_BLOCK_SIZE));
	return 0;
}

int dirtylog_open(const char *path, uint32_t max_regions, struct dirtylog **out)
{
	uint32_t needed = (max_regions + DIRTYLOG_SLOTS_PER_BLOCK - 1) / DIRTYLOG_SLOTS_PER_BLOCK;
	struct rt_file *file = NULL;
	struct dirtylog *log = NULL;
	uint32_t blocks;
	int rc;

	if (max_regions == 0 || max_regions > DIRTYLOG_REGIONS_MAX)
		return -EINVAL;
	rc = open_existing(path, &file, &blocks);
	if (rc == 0) {
		log = make_log(blocks > needed ? blocks : needed);
		rc = log ? 0 : -ENOMEM;
	}
	if (rc < 0) {
		rt_file_close(file);
		return rc;
	}
	log->file = file;
	log->limit = max_regions;
	rc = blocks > 0 ? load_file(log, path, blocks) : replace_file(log, path);
	if (rc == 0) {
		chain_free_slots(log);
		rc = rt_group_start(&log->fibers, "dirtylog", commit_fiber, log);
	}
	if (rc < 0) {
		rt_file_close(log->file);
		free_log(log);
		return rc;
	}
	*out = log;
	return 0;
}

void dirtylog_close(struct dirtylog *log)
{
	bool changed = false;

	assert(!rt_cond_has_waiters(&log->finished) && !rt_cond_has_waiters(&log->room));
	rt_group_stop(&log->fibers);
	for (uint32_t i = 0; i < log->blocks; i++)
		changed = changed || log->block[i].changed || log->block[i].behind;
	/* What became clean lately is not compared after the next start; if this fails it is, and that is all. */
	if (changed)
		run_group(log);
	rt_file_close(log->file);
	free_log(log);
}

/* ---- what the write path and its cleaner call ---- */

void dirtylog_each(struct dirtylog *log, void (*each)(void *arg, uint16_t volume, uint32_t region), void *arg)
{
	for (uint32_t i = 0; i < log->blocks * DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		const struct slot *slot = &log->slots[i];
		if (slot->state == SLOT_NOTED && slot->was_dirty)
			each(arg, slot->volume, slot->region);
	}
}

bool dirtylog_is_dirty(const struct dirtylog *log, uint16_t volume, uint32_t region)
{
	const struct slot *slot = find_slot(log, volume, region);

	return slot && slot->state == SLOT_NOTED;
}

static int wait_for_slot(struct dirtylog *log)
{
	int rc;

	log->waiting_for_slot++;
	rt_cond_wake_all(&log->pressure);
	rc = rt_cond_wait(&log->room);
	log->waiting_for_slot--;
	if (rc < 0 && log->count < log->limit)
		rt_cond_wake_one(&log->room);	/* not for this fiber, then for the next */
	return rc;
}

/* Waits until the region is noted, at the latest by the group that begins next; the result of that group. */
static int wait_for_group(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	uint64_t group = log->begun + 1;

	log->wanted = true;
	rt_cond_wake_one(&log->work);
	while (log->done < group && !dirtylog_is_dirty(log, volume, region)) {
		int rc = rt_cond_wait(&log->finished);
		if (rc < 0)
			return rc;
	}
	return log->error;
}

int dirtylog_mark(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	int rc = 0;

	for (;;) {
		struct slot *slot = find_slot(log, volume, region);
		if (slot && slot->state == SLOT_NOTED)
			return 0;
		if (rc < 0)
			return rc;
		if (slot || take_slot(log, volume, region)) {
			rc = wait_for_group(log, volume, region);
			continue;
		}
		rc = wait_for_slot(log);
	}
}

void dirtylog_clean(struct dirtylog *log, uint16_t volume, uint32_t region)
{
	struct slot *slot = find_slot(log, volume, region);

	if (slot)
		free_slot(log, slot);
}

void dirtylog_forget_volume(struct dirtylog *log, uint16_t volume)
{
	for (uint32_t i = 0; i < log->blocks * DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		struct slot *slot = &log->slots[i];
		if (slot->state != SLOT_FREE && slot->volume == volume)
			free_slot(log, slot);
	}
}

uint32_t dirtylog_count(const struct dirtylog *log)
{
	return log->count;
}

uint32_t dirtylog_limit(const struct dirtylog *log)
{
	return log->limit;
}

struct rt_cond *dirtylog_pressure(struct dirtylog *log)
{
	return &log->pressure;
}

bool dirtylog_has_waiters(const struct dirtylog *log)
{
	return log->waiting_for_slot > 0;
}
