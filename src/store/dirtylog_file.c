/* SPDX-License-Identifier: Apache-2.0 */
/* dirtylog_file.c - the bytes of a dirty log, its making and its opening. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/dirtylog_private.h"

/* ---- blocks on disk ---- */

static void encode_slots(const struct dirtylog *log, uint32_t index, uint8_t *to)
{
	const struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK];

	put_le16(to + DIRTYLOG_SLOTS_AT, DIRTYLOG_SLOTS_PER_BLOCK);
	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++, slot++) {
		uint8_t *entry = to + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;

		if (slot->state == SLOT_FREE)
			continue;
		put_le16(entry + DIRTYLOG_SLOT_VOLUME_AT, slot->volume);
		put_le16(entry + DIRTYLOG_SLOT_STATE_AT, DIRTYLOG_SLOT_DIRTY);
		put_le32(entry + DIRTYLOG_SLOT_REGION_AT, slot->region);
		put_le64(entry + DIRTYLOG_SLOT_SEQUENCE_AT, slot->sequence);
	}
}

static void encode_volumes(const struct dirtylog *log, uint32_t index, uint8_t *to)
{
	memcpy(to + DIRTYLOG_HEADER_SIZE, log->whole_bits + (size_t)index * DIRTYLOG_VOLUME_BYTES,
	       DIRTYLOG_VOLUME_BYTES);
}

void dirtylog_encode_block(struct dirtylog *log, uint32_t index)
{
	uint8_t *to = log->image + (size_t)index * DIRTYLOG_BLOCK_SIZE;

	memset(to, 0, DIRTYLOG_BLOCK_SIZE);
	put_le32(to + DIRTYLOG_MAGIC_AT, DIRTYLOG_MAGIC);
	put_le16(to + DIRTYLOG_VERSION_AT, DIRTYLOG_VERSION);
	put_le32(to + DIRTYLOG_INDEX_AT, index);
	put_le32(to + DIRTYLOG_BLOCKS_AT, log->blocks);
	put_le64(to + DIRTYLOG_GENERATION_AT, ++log->block[index].generation);
	if (index < log->slot_blocks)
		encode_slots(log, index, to);
	else
		encode_volumes(log, index - log->slot_blocks, to);
	put_le32(to + DIRTYLOG_CRC_AT, crc32c(0, to, DIRTYLOG_BLOCK_SIZE));
}

/* How many of the blocks of a copy have slots; version 1 knew no others. */
static uint32_t slot_blocks_of(uint16_t version, uint32_t blocks)
{
	if (version == 1)
		return blocks;
	return blocks > DIRTYLOG_VOLUME_BLOCKS ? blocks - DIRTYLOG_VOLUME_BLOCKS : 0;
}

static const char *slots_fault(const uint8_t *block)
{
	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		const uint8_t *entry = block + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;

		if (get_le16(entry + DIRTYLOG_SLOT_STATE_AT) > DIRTYLOG_SLOT_DIRTY)
			return "the state of a slot is unknown";
	}
	return NULL;
}

/* The last of these blocks has room for more volumes than can be. */
static const char *volumes_fault(const uint8_t *block, uint32_t index)
{
	uint32_t first = index * DIRTYLOG_VOLUMES_PER_BLOCK;
	uint32_t end = DIRTYLOG_VOLUMES - first < DIRTYLOG_VOLUMES_PER_BLOCK ? DIRTYLOG_VOLUMES - first :
		       DIRTYLOG_VOLUMES_PER_BLOCK;

	return dirtylog_next_volume(block + DIRTYLOG_HEADER_SIZE, end) < DIRTYLOG_VOLUMES_PER_BLOCK ?
	       "it names a volume that cannot be" : NULL;
}

/* What is wrong with the block itself, wherever it stands, or NULL. */
static const char *seal_fault(const uint8_t *block)
{
	uint8_t zero[4] = { 0 };
	uint32_t crc;

	if (get_le32(block + DIRTYLOG_MAGIC_AT) != DIRTYLOG_MAGIC)
		return "its magic is wrong";
	crc = crc32c(0, block, DIRTYLOG_CRC_AT);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, block + DIRTYLOG_CRC_AT + 4, DIRTYLOG_BLOCK_SIZE - DIRTYLOG_CRC_AT - 4);
	return get_le32(block + DIRTYLOG_CRC_AT) != crc ? "its checksum is wrong" : NULL;
}

/* What is wrong with the block of this index of a log of this version, or NULL. */
static const char *block_fault(const uint8_t *block, uint16_t version, uint32_t index, uint32_t blocks)
{
	uint32_t slot_blocks = slot_blocks_of(version, blocks);
	const char *fault = seal_fault(block);

	if (fault)
		return fault;
	if (version == 0 || get_le16(block + DIRTYLOG_VERSION_AT) != version)
		return "its version is unknown";
	if (get_le16(block + DIRTYLOG_SLOTS_AT) != (index < slot_blocks ? DIRTYLOG_SLOTS_PER_BLOCK : 0) ||
	    get_le32(block + DIRTYLOG_INDEX_AT) != index || get_le32(block + DIRTYLOG_BLOCKS_AT) != blocks)
		return "it belongs elsewhere";
	return index < slot_blocks ? slots_fault(block) : volumes_fault(block, index - slot_blocks);
}

int dirtylog_write_blocks(struct dirtylog *log, unsigned copy,
			  bool (*picked)(const struct dirtylog_block *block))
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

/* ---- a log in memory ---- */

void dirtylog_free(struct dirtylog *log)
{
	mem_free(log->slots);
	mem_free(log->buckets);
	mem_free(log->block);
	mem_free(log->image);
	mem_free(log->whole);
	mem_free(log->whole_bits);
	mem_free(log);
}

static struct dirtylog *make_log(uint32_t slot_blocks)
{
	struct dirtylog *log = mem_alloc_zeroed(sizeof(*log));
	uint32_t slots = slot_blocks * DIRTYLOG_SLOTS_PER_BLOCK;
	uint32_t buckets = 64;

	if (!log)
		return NULL;
	while (buckets < 2 * slots)
		buckets *= 2;
	log->slot_blocks = slot_blocks;
	log->blocks = slot_blocks + DIRTYLOG_VOLUME_BLOCKS;
	log->bucket_mask = buckets - 1;
	log->slots = mem_alloc_zeroed(slots * sizeof(*log->slots));
	log->buckets = mem_alloc(buckets * sizeof(*log->buckets));
	log->block = mem_alloc_zeroed(log->blocks * sizeof(*log->block));
	log->image = mem_alloc_pages((size_t)log->blocks * DIRTYLOG_BLOCK_SIZE);
	log->whole = mem_alloc_zeroed(DIRTYLOG_VOLUMES);
	log->whole_bits = mem_alloc_zeroed(DIRTYLOG_VOLUME_BLOCKS * DIRTYLOG_VOLUME_BYTES);
	if (!log->slots || !log->buckets || !log->block || !log->image || !log->whole || !log->whole_bits) {
		dirtylog_free(log);
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
	for (uint32_t i = dirtylog_slot_count(log); i-- > 0; ) {
		if (log->slots[i].state != SLOT_FREE)
			continue;
		log->slots[i].next = log->free_slot;
		log->free_slot = i;
	}
}

/* ---- reading ---- */

/* A file as it was found. */
struct found {
	uint32_t blocks;		/* of one copy; 0: there is no file */
	uint16_t version;
	uint8_t *content;		/* both copies */
	uint8_t *chosen;		/* the newest whole copy of each block */
	bool *stale_a, *stale_b;	/* the other copy of a block is torn or older */
};

static void free_found(struct found *found)
{
	mem_free(found->content);
	mem_free(found->chosen);
	mem_free(found->stale_a);
	mem_free(found->stale_b);
}

/* True when a slot was found twice. */
static bool decode_slots(struct dirtylog *log, const uint8_t *from, uint32_t index)
{
	bool twice = false;

	for (unsigned i = 0; i < DIRTYLOG_SLOTS_PER_BLOCK; i++) {
		const uint8_t *entry = from + DIRTYLOG_HEADER_SIZE + i * DIRTYLOG_SLOT_SIZE;
		struct slot *slot = &log->slots[(size_t)index * DIRTYLOG_SLOTS_PER_BLOCK + i];
		uint16_t volume = get_le16(entry + DIRTYLOG_SLOT_VOLUME_AT);
		uint32_t region = get_le32(entry + DIRTYLOG_SLOT_REGION_AT);

		if (get_le16(entry + DIRTYLOG_SLOT_STATE_AT) != DIRTYLOG_SLOT_DIRTY)
			continue;
		/* A region that moved to another block stands in both when only one of them reached the disk. */
		if (dirtylog_find_slot(log, volume, region)) {
			twice = true;
			continue;
		}
		slot->sequence = get_le64(entry + DIRTYLOG_SLOT_SEQUENCE_AT);
		slot->state = SLOT_NOTED;
		slot->was_dirty = true;
		if (slot->sequence > log->sequence)
			log->sequence = slot->sequence;
		dirtylog_use_slot(log, slot, volume, region);
	}
	return twice;
}

static void decode_volumes(struct dirtylog *log, const uint8_t *from, uint32_t index)
{
	const uint8_t *bits = from + DIRTYLOG_HEADER_SIZE;
	uint32_t i = dirtylog_next_volume(bits, 0);

	for (; i < DIRTYLOG_VOLUMES_PER_BLOCK; i = dirtylog_next_volume(bits, i + 1))
		dirtylog_set_whole(log, (uint16_t)(index * DIRTYLOG_VOLUMES_PER_BLOCK + i), WHOLE_NOTED);
}

/* Slots keep their places; the blocks with volumes come behind those that this log has. */
static void decode(struct dirtylog *log, const struct found *found)
{
	uint32_t slot_blocks = slot_blocks_of(found->version, found->blocks);

	for (uint32_t i = 0; i < found->blocks; i++) {
		const uint8_t *from = found->chosen + (size_t)i * DIRTYLOG_BLOCK_SIZE;
		uint32_t at = i < slot_blocks ? i : log->slot_blocks + (i - slot_blocks);
		bool changed = false;

		if (i < slot_blocks)
			changed = decode_slots(log, from, i);
		else
			decode_volumes(log, from, i - slot_blocks);
		log->block[at].generation = get_le64(from + DIRTYLOG_GENERATION_AT);
		log->block[at].changed = changed;
	}
}

/* That of the first copy of the first block which is whole; 0: neither is. */
static uint16_t version_of(const uint8_t *content, uint32_t blocks)
{
	const uint8_t *b = content + (size_t)blocks * DIRTYLOG_BLOCK_SIZE;

	if (!seal_fault(content))
		return get_le16(content + DIRTYLOG_VERSION_AT);
	return seal_fault(b) ? 0 : get_le16(b + DIRTYLOG_VERSION_AT);
}

/*
 * Picks the newest whole copy of every block of the file. One copy may be torn by a crash; the other then has all that
 * was ever answered. The copy that is torn or older is to be written again.
 */
static int choose_copies(struct found *found, const char *path)
{
	uint32_t blocks = found->blocks;

	for (uint32_t i = 0; i < blocks; i++) {
		const uint8_t *a = found->content + (size_t)i * DIRTYLOG_BLOCK_SIZE;
		const uint8_t *b = a + (size_t)blocks * DIRTYLOG_BLOCK_SIZE;
		const char *fault_a = block_fault(a, found->version, i, blocks);
		const char *fault_b = block_fault(b, found->version, i, blocks);
		bool differ = memcmp(a, b, DIRTYLOG_BLOCK_SIZE) != 0, use_b;

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
		memcpy(found->chosen + (size_t)i * DIRTYLOG_BLOCK_SIZE, use_b ? b : a, DIRTYLOG_BLOCK_SIZE);
		found->stale_a[i] = use_b && differ;
		found->stale_b[i] = !use_b && differ;
	}
	return 0;
}

static int check_version(const struct found *found, const char *path)
{
	if (found->version <= DIRTYLOG_VERSION)
		return 0;	/* 0: every copy of the block is damaged, which is found next */
	log_line(LOG_ERROR, "dirtylog", "%s was written by a newer xdc: version %u, this one knows up to %u", path,
		 found->version, DIRTYLOG_VERSION);
	return -EPROTONOSUPPORT;
}

static int read_file(struct rt_file *file, const char *path, struct found *found)
{
	size_t half = (size_t)found->blocks * DIRTYLOG_BLOCK_SIZE;
	ssize_t got;
	int rc;

	found->content = mem_alloc_pages(2 * half);
	found->chosen = mem_alloc(half);
	found->stale_a = mem_alloc_zeroed(found->blocks * sizeof(bool));
	found->stale_b = mem_alloc_zeroed(found->blocks * sizeof(bool));
	if (!found->content || !found->chosen || !found->stale_a || !found->stale_b)
		return -ENOMEM;
	/*
	 * What a process that died was writing may be visible and not durable: then neither copy would be safe when the
	 * other is repaired.
	 */
	rc = rt_file_sync(file);
	if (rc < 0)
		return rc;
	got = rt_file_read(file, found->content, 2 * half, 0);
	if (got < 0)
		return (int)got;
	if ((size_t)got != 2 * half)
		return -EIO;
	found->version = version_of(found->content, found->blocks);
	rc = check_version(found, path);
	return rc < 0 ? rc : choose_copies(found, path);
}

/* ---- files ---- */

static int open_file(const char *path, unsigned flags, struct rt_file **out)
{
	return rt_file_open(path, RT_FILE_WRITE | RT_FILE_DIRECT | RT_FILE_DSYNC | RT_FILE_LOCK | flags, out);
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
		dirtylog_encode_block(log, i);
	}
	if (rc == 0)
		rc = rt_file_write(log->file, log->image, half, 0);
	if (rc == 0)
		rc = rt_file_write(log->file, log->image, half, half);
	if (rc == 0)
		rc = rt_file_sync(log->file);
	if (rc == 0)
		rc = rt_path_rename(fresh, path);
	return rc == 0 ? rt_path_sync_parent(path) : rc;
}

/* The blocks of the log are those of the file: its copies that are torn or older are written again. */
static int repair_file(struct dirtylog *log, const struct found *found)
{
	int rc;

	memcpy(log->image, found->chosen, (size_t)log->blocks * DIRTYLOG_BLOCK_SIZE);
	for (uint32_t i = 0; i < log->blocks; i++) {
		log->block[i].writing = found->stale_a[i];
		log->block[i].behind = found->stale_b[i];
	}
	rc = dirtylog_write_blocks(log, 0, is_writing);
	if (rc == 0)
		rc = dirtylog_write_blocks(log, 1, is_behind);
	for (uint32_t i = 0; i < log->blocks; i++) {
		log->block[i].writing = false;
		log->block[i].behind = false;
	}
	return rc;
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

/* What was found becomes a log, and the file what this version writes. Takes the file over. */
static int take_up(const struct found *found, struct rt_file *file, uint32_t max_regions, const char *path,
		   struct dirtylog **out)
{
	uint32_t needed = (max_regions + DIRTYLOG_SLOTS_PER_BLOCK - 1) / DIRTYLOG_SLOTS_PER_BLOCK;
	uint32_t slot_blocks = slot_blocks_of(found->version, found->blocks);
	struct dirtylog *log = make_log(slot_blocks > needed ? slot_blocks : needed);

	if (!log) {
		rt_file_close(file);
		return -ENOMEM;
	}
	log->file = file;
	log->limit = max_regions;
	*out = log;
	if (found->blocks == 0)
		return replace_file(log, path);
	decode(log, found);
	return log->blocks == found->blocks ? repair_file(log, found) : replace_file(log, path);
}

int dirtylog_open(const char *path, uint32_t max_regions, struct dirtylog **out)
{
	struct found found = { .version = DIRTYLOG_VERSION };
	struct rt_file *file = NULL;
	struct dirtylog *log = NULL;
	int rc;

	if (max_regions == 0 || max_regions > DIRTYLOG_REGIONS_MAX)
		return -EINVAL;
	/* A name that a run which died has made and not synced could be gone after a power loss. */
	rc = rt_path_sync_parent(path);
	if (rc == 0)
		rc = open_existing(path, &file, &found.blocks);
	if (rc == 0 && found.blocks > 0)
		rc = read_file(file, path, &found);
	if (rc == 0)
		rc = take_up(&found, file, max_regions, path, &log);
	else
		rt_file_close(file);
	free_found(&found);
	if (rc == 0) {
		chain_free_slots(log);
		rc = rt_group_start(&log->fibers, "dirtylog", dirtylog_run_groups, log);
	}
	if (rc < 0 && log) {
		rt_file_close(log->file);
		dirtylog_free(log);
		return rc;
	}
	if (rc == 0)
		*out = log;
	return rc;
}
