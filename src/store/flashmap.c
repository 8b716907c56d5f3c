/* SPDX-License-Identifier: Apache-2.0 */
#include "store/flashmap.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/flashmap_format.h"
#include "store/planted.h"

/* Pages kept in memory when nothing needs them: 4 KiB stand for 120 MiB of a volume. */
#define CLEAN_PAGES_MAX	256u
#define BUCKETS		256u

/* What is in memory of one page of the file. */
struct page {
	struct list_head link;		/* in its bucket */
	struct list_head dirty_link;	/* has added bits */
	struct list_head writing_link;
	uint64_t number;
	uint8_t *image;			/* what is durable */
	uint8_t *added;			/* bits at the places of the image; NULL: none */
	uint8_t *writing;		/* the same of the commit under way */
};

struct flashmap {
	struct rt_file *file;
	char *path;			/* for the log */
	uint8_t id[FLASHMAP_ID_SIZE];
	uint64_t bits, count;
	struct vdisk *disk;
	uint8_t *written;		/* a bit a page: something of it may be on disk; all others are zeros */
	struct list_head buckets[BUCKETS];
	struct list_head dirty;
	unsigned pages, next_bucket;
	struct rt_mutex loading;
	uint8_t *buffer;		/* a page on its way to the disk */

	/* Commits are numbered as the syncs of a vdisk are: a caller waits for the first that begins after its call. */
	struct rt_group fibers;
	struct rt_cond committed;
	uint64_t wanted, begun, done;
	bool committing;
	int result;			/* of the last one; what it could not write for want of memory, the next does */
	int error;			/* of a commit: for good */
};

/* ---- units ---- */

static uint32_t unit_crc(const struct flashmap *map, const uint8_t *unit)
{
	static const uint8_t none[4];
	uint32_t crc = crc32c(crc32c(0, map->id, sizeof(map->id)), unit, FLASHMAP_CRC_AT);

	crc = crc32c(crc, none, sizeof(none));
	return crc32c(crc, unit + FLASHMAP_VERSION_AT, FLASHMAP_UNIT_SIZE - FLASHMAP_VERSION_AT);
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

static bool unit_is_good(const struct flashmap *map, const uint8_t *unit, uint64_t number)
{
	if (is_zero(unit, FLASHMAP_UNIT_SIZE))
		return true;
	return get_le32(unit + FLASHMAP_MAGIC_AT) == FLASHMAP_MAGIC &&
		get_le16(unit + FLASHMAP_VERSION_AT) == FLASHMAP_VERSION &&
		get_le64(unit + FLASHMAP_UNIT_AT) == number && get_le32(unit + FLASHMAP_CRC_AT) == unit_crc(map, unit);
}

static void seal_unit(const struct flashmap *map, uint8_t *unit, uint64_t number)
{
	put_le32(unit + FLASHMAP_MAGIC_AT, FLASHMAP_MAGIC);
	put_le16(unit + FLASHMAP_VERSION_AT, FLASHMAP_VERSION);
	put_le64(unit + FLASHMAP_UNIT_AT, number);
	put_le32(unit + FLASHMAP_CRC_AT, unit_crc(map, unit));
}

static uint64_t count_bits(const uint8_t *bytes, size_t len)
{
	uint64_t count = 0, word;

	for (size_t at = 0; at < len; at += sizeof(word)) {
		memcpy(&word, bytes + at, sizeof(word));
		count += (unsigned)__builtin_popcountll(word);
	}
	return count;
}

/* Of all units of a page. */
static uint64_t count_page(const uint8_t *image)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < FLASHMAP_PAGE_UNITS; i++)
		count += count_bits(image + i * FLASHMAP_UNIT_SIZE + FLASHMAP_BITS_AT,
			FLASHMAP_UNIT_SIZE - FLASHMAP_BITS_AT);
	return count;
}

/* Puts the bits into the image of the page with this number; units that get none stay as they are. */
static void merge_bits(const struct flashmap *map, uint8_t *image, const uint8_t *bits, uint64_t number)
{
	for (unsigned i = 0; i < FLASHMAP_PAGE_UNITS; i++) {
		const uint8_t *from = bits + i * FLASHMAP_UNIT_SIZE;
		uint8_t *unit = image + i * FLASHMAP_UNIT_SIZE;

		if (is_zero(from, FLASHMAP_UNIT_SIZE))
			continue;
		for (unsigned at = FLASHMAP_BITS_AT; at < FLASHMAP_UNIT_SIZE; at++)
			unit[at] |= from[at];
		seal_unit(map, unit, number * FLASHMAP_PAGE_UNITS + i);
	}
}

/* Where the bit stands in its page. */
static unsigned byte_of(uint64_t bit)
{
	uint64_t in_page = bit % FLASHMAP_PAGE_BITS, in_unit = in_page % FLASHMAP_UNIT_BITS;

	return (unsigned)(in_page / FLASHMAP_UNIT_BITS * FLASHMAP_UNIT_SIZE + FLASHMAP_BITS_AT + in_unit / 8);
}

static bool is_set(const uint8_t *image, uint64_t bit)
{
	return image[byte_of(bit)] >> (bit % 8) & 1;
}

static void set_bits(uint8_t *image, uint64_t first, uint64_t end)
{
	while (first < end) {
		if (first % 8 == 0 && end - first >= 8) {
			image[byte_of(first)] = UINT8_MAX;
			first += 8;
		} else {
			image[byte_of(first)] |= (uint8_t)(1u << (first % 8));
			first++;
		}
	}
}

/* ---- the file ---- */

static uint64_t page_count(uint64_t bits)
{
	return (bits + FLASHMAP_PAGE_BITS - 1) / FLASHMAP_PAGE_BITS;
}

static int check_page(const struct flashmap *map, const uint8_t *image, uint64_t number)
{
	for (unsigned i = 0; i < FLASHMAP_PAGE_UNITS; i++) {
		uint64_t unit = number * FLASHMAP_PAGE_UNITS + i;

		if (unit_is_good(map, image + i * FLASHMAP_UNIT_SIZE, unit))
			continue;
		log_line(LOG_ERROR, "store", "%s is damaged: unit %llu is not of this map", map->path,
			 (unsigned long long)unit);
		return -EBADMSG;
	}
	return 0;
}

static int read_page(const struct flashmap *map, uint64_t number, uint8_t *image)
{
	ssize_t rc = rt_file_read(map->file, image, FLASHMAP_PAGE_SIZE, number * FLASHMAP_PAGE_SIZE);

	if (rc < 0)
		return (int)rc;
	if (rc != FLASHMAP_PAGE_SIZE) {
		log_line(LOG_ERROR, "store", "%s is damaged: it is too short", map->path);
		return -EBADMSG;
	}
	return check_page(map, image, number);
}

int flashmap_create(const struct flashmap_options *options)
{
	struct rt_file *file;
	int rc = rt_file_open(options->path, RT_FILE_WRITE | RT_FILE_CREATE | RT_FILE_NEW, &file);

	if (rc < 0)
		return rc;
	rc = rt_file_set_size(file, page_count(options->bits) * FLASHMAP_PAGE_SIZE);
	if (rc == 0)
		rc = rt_file_sync(file);
	rt_file_close(file);
	if (rc == 0)
		rc = rt_path_sync_parent(options->path);
	if (rc < 0) {
		RT_SHIELD();

		/* Nothing names it: what cannot be removed now is removed at the next start. */
		(void)!rt_path_unlink(options->path);
	}
	return rc;
}

static bool is_written(const struct flashmap *map, uint64_t number)
{
	return map->written[number / 8] >> (number % 8) & 1;
}

static void set_written(struct flashmap *map, uint64_t number)
{
	map->written[number / 8] |= (uint8_t)(1u << (number % 8));
}

/* Holes are not read: there are no bits in them. */
static int read_all(struct flashmap *map)
{
	uint64_t size = page_count(map->bits) * FLASHMAP_PAGE_SIZE, at = 0, end;
	bool data;
	int rc = 0;

	while (rc == 0 && at < size) {
		rc = rt_file_get_run(map->file, at, &data, &end);
		for (at -= at % FLASHMAP_PAGE_SIZE; rc == 0 && data && at < end; at += FLASHMAP_PAGE_SIZE) {
			rc = read_page(map, at / FLASHMAP_PAGE_SIZE, map->buffer);
			map->count += rc == 0 ? count_page(map->buffer) : 0;
			set_written(map, at / FLASHMAP_PAGE_SIZE);
		}
		at = at > end ? at : end;
	}
	return rc;
}

int flashmap_open(const struct flashmap_options *options, struct flashmap **out)
{
	struct flashmap *map = mem_alloc_zeroed(sizeof(*map));
	int rc = -ENOMEM;

	if (!map)
		return -ENOMEM;
	memcpy(map->id, options->id, sizeof(map->id));
	map->bits = options->bits;
	map->disk = options->disk;
	rt_group_init(&map->fibers);
	rt_cond_init(&map->committed);
	rt_mutex_init(&map->loading);
	list_init(&map->dirty);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&map->buckets[i]);
	map->path = mem_copy_string(options->path);
	map->buffer = mem_alloc_pages(FLASHMAP_PAGE_SIZE);
	map->written = mem_alloc_zeroed(page_count(map->bits) / 8 + 1);
	if (map->path && map->buffer && map->written)
		rc = rt_file_open(options->path, RT_FILE_WRITE | RT_FILE_DIRECT | RT_FILE_LOCK, &map->file);
	/* What a commit that was cut short has written is read as if it were durable. */
	if (rc == 0)
		rc = rt_file_sync(map->file);
	if (rc == 0)
		rc = read_all(map);
	if (rc < 0) {
		flashmap_close(map);
		return rc;
	}
	*out = map;
	return 0;
}

/* ---- pages in memory ---- */

static void free_page(struct flashmap *map, struct page *page)
{
	list_remove(&page->link);
	list_remove(&page->dirty_link);
	list_remove(&page->writing_link);
	mem_free(page->image);
	mem_free(page->added);
	mem_free(page->writing);
	mem_free(page);
	map->pages--;
}

void flashmap_close(struct flashmap *map)
{
	struct page *page, *next;

	if (!map)
		return;
	rt_group_stop(&map->fibers);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_for_each_safe(page, next, &map->buckets[i], link)
			free_page(map, page);
	rt_file_close(map->file);
	mem_free(map->buffer);
	mem_free(map->written);
	mem_free(map->path);
	mem_free(map);
}

static struct page *find_page(struct flashmap *map, uint64_t number)
{
	struct page *page;

	list_for_each(page, &map->buckets[number % BUCKETS], link)
		if (page->number == number)
			return page;
	return NULL;
}

/* Pages with bits that are on their way stay. */
static void drop_clean_page(struct flashmap *map)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct page *page;

		list_for_each(page, &map->buckets[map->next_bucket++ % BUCKETS], link)
			if (!page->added && !page->writing) {
				free_page(map, page);
				return;
			}
	}
}

static struct page *make_page(struct flashmap *map, uint64_t number)
{
	struct page *page = mem_alloc_zeroed(sizeof(*page));

	if (!page)
		return NULL;
	page->number = number;
	page->image = mem_alloc_pages(FLASHMAP_PAGE_SIZE);
	if (!page->image) {
		mem_free(page);
		return NULL;
	}
	list_init(&page->link);
	list_init(&page->dirty_link);
	list_init(&page->writing_link);
	map->pages++;
	return page;
}

static int fill_page(const struct flashmap *map, struct page *page)
{
	if (is_written(map, page->number))
		return read_page(map, page->number, page->image);
	memset(page->image, 0, FLASHMAP_PAGE_SIZE);
	return 0;
}

/* One at a time: what is read is in its bucket before it may change on disk. */
static int load_page(struct flashmap *map, uint64_t number, struct page **out)
{
	struct page *page;
	int rc = rt_mutex_lock(&map->loading);

	if (rc < 0)
		return rc;
	page = find_page(map, number);
	if (!page) {
		if (map->pages >= CLEAN_PAGES_MAX)
			drop_clean_page(map);
		page = make_page(map, number);
		rc = page ? fill_page(map, page) : -ENOMEM;
		if (rc == 0)
			list_add_first(&map->buckets[number % BUCKETS], &page->link);
		else if (page)
			free_page(map, page);
	}
	rt_mutex_unlock(&map->loading);
	*out = page;
	return rc;
}

/* Suspends only when it is not in memory. */
static int get_page(struct flashmap *map, uint64_t bit, struct page **out)
{
	uint64_t number = bit / FLASHMAP_PAGE_BITS;

	*out = find_page(map, number);
	return *out ? 0 : load_page(map, number, out);
}

/* The first page is not written; neither are those up to here, at most end. */
static uint64_t end_of_unwritten(const struct flashmap *map, uint64_t first, uint64_t end)
{
	uint64_t number = first / FLASHMAP_PAGE_BITS + 1;

	while (number * FLASHMAP_PAGE_BITS < end && !is_written(map, number))
		number++;
	return number * FLASHMAP_PAGE_BITS < end ? number * FLASHMAP_PAGE_BITS : end;
}

int flashmap_find(struct flashmap *map, uint64_t first, uint64_t end, bool *set, uint64_t *run_end)
{
	uint64_t page_end = (first / FLASHMAP_PAGE_BITS + 1) * FLASHMAP_PAGE_BITS;
	struct page *page;
	uint64_t bit;
	int rc;

	assert(first < end && end <= map->bits);
	if (!is_written(map, first / FLASHMAP_PAGE_BITS)) {
		*set = false;
		*run_end = end_of_unwritten(map, first, end);
		return 0;
	}
	rc = get_page(map, first, &page);
	if (rc < 0)
		return rc;
	*set = is_set(page->image, first);
	for (bit = first + 1; bit < end && bit < page_end && is_set(page->image, bit) == *set; bit++)
		;
	*run_end = bit;
	return 0;
}

static int add_to_page(struct flashmap *map, uint64_t first, uint64_t end)
{
	struct page *page;
	int rc = get_page(map, first, &page);

	if (rc < 0)
		return rc;
	if (!page->added)
		page->added = mem_alloc_zeroed(FLASHMAP_PAGE_SIZE);
	if (!page->added)
		return -ENOMEM;
	set_bits(page->added, first, end);
	list_remove(&page->dirty_link);
	list_add_last(&map->dirty, &page->dirty_link);
	return 0;
}

int flashmap_add(struct flashmap *map, uint64_t first, uint64_t end)
{
	int rc = 0;

	assert(first < end && end <= map->bits);
	while (rc == 0 && first < end) {
		uint64_t page_end = (first / FLASHMAP_PAGE_BITS + 1) * FLASHMAP_PAGE_BITS;
		uint64_t to = end < page_end ? end : page_end;

		rc = add_to_page(map, first, to);
		first = to;
	}
	return rc;
}

/* ---- commit ---- */

/* What was added is on its way from here on; more may be added meanwhile. */
static void take_added(struct flashmap *map, struct list_head *writing)
{
	struct page *page, *next;

	list_init(writing);
	list_for_each_safe(page, next, &map->dirty, dirty_link) {
		page->writing = page->added;
		page->added = NULL;
		list_remove(&page->dirty_link);
		list_add_last(writing, &page->writing_link);
	}
}

/* Nothing of them was written. */
static void put_back(struct flashmap *map, struct list_head *writing)
{
	struct page *page, *next;

	list_for_each_safe(page, next, writing, writing_link) {
		for (unsigned at = 0; page->added && at < FLASHMAP_PAGE_SIZE; at++)
			page->writing[at] |= page->added[at];
		mem_free(page->added);
		page->added = page->writing;
		page->writing = NULL;
		list_remove(&page->writing_link);
		list_remove(&page->dirty_link);
		list_add_last(&map->dirty, &page->dirty_link);
	}
}

static int write_pages(struct flashmap *map, struct list_head *writing)
{
	struct page *page;
	int rc = 0;

	list_for_each(page, writing, writing_link) {
		set_written(map, page->number);
		memcpy(map->buffer, page->image, FLASHMAP_PAGE_SIZE);
		merge_bits(map, map->buffer, page->writing, page->number);
		rc = rt_file_write(map->file, map->buffer, FLASHMAP_PAGE_SIZE, page->number * FLASHMAP_PAGE_SIZE);
		if (rc < 0)
			return rc;
	}
	return rt_file_sync(map->file);
}

/* They are durable: from here on they are shown. */
static void show_written(struct flashmap *map, struct list_head *writing)
{
	struct page *page, *next;

	list_for_each_safe(page, next, writing, writing_link) {
		map->count -= count_page(page->image);
		merge_bits(map, page->image, page->writing, page->number);
		map->count += count_page(page->image);
		mem_free(page->writing);
		page->writing = NULL;
		list_remove(&page->writing_link);
	}
}

static int commit_once(struct flashmap *map)
{
	struct list_head writing;
	int rc = 0;

	/* The sync covers what was written before it: what is added while it runs is for the next commit. */
	take_added(map, &writing);
	if (list_empty(&writing))
		return 0;
	if (map->disk && !planted(PLANTED_FLASH_MAP_FIRST))
		rc = vdisk_sync(map->disk);
	if (rc == -ENOMEM) {
		put_back(map, &writing);
		return rc;
	}
	if (rc == 0)
		rc = write_pages(map, &writing);
	if (rc == 0)
		show_written(map, &writing);
	else
		put_back(map, &writing);	/* the list is gone with this call, and pages must not be in it then */
	map->error = rc;
	return rc;
}

/* Shielded: what becomes of one caller is nothing to the others. */
static void run_committer(void *arg)
{
	struct flashmap *map = arg;
	RT_SHIELD();

	while (map->begun < map->wanted && !map->error) {
		uint64_t number = ++map->begun;

		map->result = commit_once(map);
		if (map->error)
			log_line(LOG_ERROR, "store", "%s: what the target holds cannot be noted: %s", map->path,
				 strerrordesc_np(-map->error));
		map->done = number;
		rt_cond_wake_all(&map->committed);
	}
	map->committing = false;
}

int flashmap_commit(struct flashmap *map)
{
	uint64_t mine = map->begun + 1;
	int rc;

	if (!map->error && !map->committing) {
		rc = rt_group_start(&map->fibers, "flash commit", run_committer, map);
		if (rc < 0)
			return rc;
		map->committing = true;
	}
	map->wanted = mine;
	while (!map->error && map->done < mine) {
		rc = rt_cond_wait(&map->committed);
		if (rc < 0)
			return rc;
	}
	return map->error ? map->error : map->result;
}

uint64_t flashmap_count(const struct flashmap *map)
{
	return map->count;
}
