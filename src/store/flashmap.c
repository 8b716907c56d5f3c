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

/* Pages of one commit that are on their way to the disk at a time. */
#define WRITERS_MAX	16u

/* The way of a bit to where it is shown. While the map of one commit is written, the data of the next are synced. */
enum stage { STAGE_ADDED, STAGE_SYNCING, STAGE_WRITING, STAGE_COUNT };

struct page;

struct stage_bits {
	struct list_head link;		/* of the map's in this stage, while there are some */
	struct page *page;
	uint8_t *bits;			/* at the places of the image; NULL: none */
};

/* What is in memory of one page of the file. */
struct page {
	struct list_head link;		/* in its bucket */
	uint64_t number;
	uint8_t *image;			/* what is durable */
	struct stage_bits stages[STAGE_COUNT];
};

struct flashmap {
	struct pooled_file *file;
	char *path;			/* for the log */
	uint8_t id[FLASHMAP_ID_SIZE];
	uint64_t bits, count;
	struct vdisk *disk;
	uint8_t *written;		/* a bit a page: something of it may be on disk; all others are zeros */
	struct list_head buckets[BUCKETS];
	struct list_head stages[STAGE_COUNT];
	unsigned pages, next_bucket;
	struct rt_mutex loading;
	uint8_t *buffer;		/* a page on its way to the disk */

	/*
	 * Commits are numbered as the syncs of a vdisk are: a caller waits for the first that begins after its call.
	 * They end in that order.
	 */
	struct rt_group fibers;
	struct rt_cond committed;
	uint64_t wanted, begun, done;
	bool committing;
	uint64_t writing;		/* the number of the commit that is written; 0: none */
	uint64_t unfit;			/* the last that had no memory: what it was to write, the next does */
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

/* The end of the run of bits like this one, at most end, which is in the same page. */
static uint64_t end_of_run(const uint8_t *image, uint64_t bit, uint64_t end)
{
	bool set = is_set(image, bit);

	while (bit < end) {
		uint64_t in_unit = bit % FLASHMAP_PAGE_BITS % FLASHMAP_UNIT_BITS, in_word = in_unit % 64;
		uint64_t word = get_le64(image + byte_of(bit - in_word)), others = (set ? ~word : word) >> in_word;

		if (others)
			bit += (unsigned)__builtin_ctzll(others);
		else
			bit += 64 - in_word;
		if (others)
			break;
	}
	return bit < end ? bit : end;
}

static void clear_bits(uint8_t *image, uint64_t first, uint64_t end)
{
	for (uint64_t bit = first; bit < end; bit++)
		image[byte_of(bit)] &= (uint8_t)~(1u << (bit % 8));
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
	ssize_t rc = rt_file_read(pooled_file_get(map->file), image, FLASHMAP_PAGE_SIZE, number * FLASHMAP_PAGE_SIZE);

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
static int read_data(struct flashmap *map)
{
	uint64_t size = page_count(map->bits) * FLASHMAP_PAGE_SIZE, at = 0, end;
	bool data;
	int rc = 0;

	while (rc == 0 && at < size) {
		rc = rt_file_get_run(pooled_file_get(map->file), at, &data, &end);
		for (at -= at % FLASHMAP_PAGE_SIZE; rc == 0 && data && at < end; at += FLASHMAP_PAGE_SIZE) {
			rc = read_page(map, at / FLASHMAP_PAGE_SIZE, map->buffer);
			map->count += rc == 0 ? count_page(map->buffer) : 0;
			set_written(map, at / FLASHMAP_PAGE_SIZE);
		}
		at = at > end ? at : end;
	}
	return rc;
}

static int read_all(struct flashmap *map)
{
	int rc = pooled_file_use(map->file);

	if (rc < 0)
		return rc;
	/* What a commit that was cut short has written is read as if it were durable. */
	rc = rt_file_sync(pooled_file_get(map->file));
	if (rc == 0)
		rc = read_data(map);
	pooled_file_leave(map->file);
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
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		list_init(&map->stages[i]);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&map->buckets[i]);
	map->path = mem_copy_string(options->path);
	map->buffer = mem_alloc_pages(FLASHMAP_PAGE_SIZE);
	map->written = mem_alloc_zeroed(page_count(map->bits) / 8 + 1);
	if (map->path && map->buffer && map->written)
		rc = pooled_file_open(options->files, options->path, RT_FILE_WRITE | RT_FILE_DIRECT | RT_FILE_LOCK,
				      &map->file);
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
	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		list_remove(&page->stages[i].link);
		mem_free(page->stages[i].bits);
	}
	mem_free(page->image);
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
	pooled_file_close(map->file);
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

static bool is_clean(const struct page *page)
{
	for (unsigned i = 0; i < STAGE_COUNT; i++)
		if (page->stages[i].bits)
			return false;
	return true;
}

/* Pages with bits that are on their way stay. */
static void drop_clean_page(struct flashmap *map)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct page *page;

		list_for_each(page, &map->buckets[map->next_bucket++ % BUCKETS], link)
			if (is_clean(page)) {
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
	for (unsigned i = 0; i < STAGE_COUNT; i++) {
		list_init(&page->stages[i].link);
		page->stages[i].page = page;
	}
	map->pages++;
	return page;
}

static int fill_page(const struct flashmap *map, struct page *page)
{
	int rc;

	if (!is_written(map, page->number)) {
		memset(page->image, 0, FLASHMAP_PAGE_SIZE);
		return 0;
	}
	rc = pooled_file_use(map->file);
	if (rc < 0)
		return rc;
	rc = read_page(map, page->number, page->image);
	pooled_file_leave(map->file);
	return rc;
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
	*run_end = end_of_run(page->image, first, end < page_end ? end : page_end);
	return 0;
}

/* Its page is written with the next commit. */
static int change_page(struct flashmap *map, uint64_t bit, struct page **page)
{
	struct stage_bits *added;
	int rc = get_page(map, bit, page);

	if (rc < 0)
		return rc;
	added = &(*page)->stages[STAGE_ADDED];
	if (added->bits)
		return 0;
	added->bits = mem_alloc_zeroed(FLASHMAP_PAGE_SIZE);
	if (!added->bits)
		return -ENOMEM;
	list_add_last(&map->stages[STAGE_ADDED], &added->link);
	return 0;
}

static int add_to_page(struct flashmap *map, uint64_t first, uint64_t end)
{
	struct page *page;
	int rc = change_page(map, first, &page);

	if (rc == 0)
		set_bits(page->stages[STAGE_ADDED].bits, first, end);
	return rc;
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

/* Units that have been on disk stay sealed, also without a bit. */
static int remove_from_page(struct flashmap *map, uint64_t first, uint64_t end)
{
	struct page *page;
	uint8_t *unit;
	int rc = change_page(map, first, &page);

	if (rc < 0)
		return rc;
	clear_bits(page->stages[STAGE_ADDED].bits, first, end);
	unit = page->image + byte_of(first) / FLASHMAP_UNIT_SIZE * FLASHMAP_UNIT_SIZE;
	if (is_zero(unit, FLASHMAP_UNIT_SIZE))
		return 0;
	map->count -= count_page(page->image);
	clear_bits(page->image, first, end);
	map->count += count_page(page->image);
	seal_unit(map, unit, first / FLASHMAP_UNIT_BITS);
	return 0;
}

int flashmap_remove(struct flashmap *map, uint64_t first, uint64_t end)
{
	int rc = 0;

	assert(first < end && end <= map->bits);
	assert(list_empty(&map->stages[STAGE_SYNCING]) && list_empty(&map->stages[STAGE_WRITING]));
	while (rc == 0 && first < end) {
		uint64_t unit_end = (first / FLASHMAP_UNIT_BITS + 1) * FLASHMAP_UNIT_BITS;
		uint64_t to = end < unit_end ? end : unit_end;

		rc = remove_from_page(map, first, to);
		first = to;
	}
	return rc;
}

/* ---- commit ---- */

/* What is in one stage is in the other from here on. */
static void move_bits(struct flashmap *map, enum stage from, enum stage to)
{
	struct stage_bits *moved, *next;

	list_for_each_safe(moved, next, &map->stages[from], link) {
		struct stage_bits *there = &moved->page->stages[to];

		for (unsigned at = 0; there->bits && at < FLASHMAP_PAGE_SIZE; at++)
			moved->bits[at] |= there->bits[at];
		mem_free(there->bits);
		there->bits = moved->bits;
		moved->bits = NULL;
		list_remove(&moved->link);
		list_remove(&there->link);
		list_add_last(&map->stages[to], &there->link);
	}
}

struct write_order {
	struct flashmap *map;
	struct list_head *next;		/* of those in STAGE_WRITING, that nobody writes yet */
	int rc;
};

static int write_page(struct flashmap *map, const struct stage_bits *writing, uint8_t *buffer)
{
	const struct page *page = writing->page;

	set_written(map, page->number);
	memcpy(buffer, page->image, FLASHMAP_PAGE_SIZE);
	merge_bits(map, buffer, writing->bits, page->number);
	return rt_file_write(pooled_file_get(map->file), buffer, FLASHMAP_PAGE_SIZE, page->number * FLASHMAP_PAGE_SIZE);
}

static void write_rest(struct write_order *order, uint8_t *buffer)
{
	while (order->rc == 0 && order->next != &order->map->stages[STAGE_WRITING]) {
		const struct stage_bits *writing = container_of(order->next, struct stage_bits, link);
		int rc;

		order->next = order->next->next;
		rc = write_page(order->map, writing, buffer);
		if (rc < 0)
			order->rc = rc;
	}
}

static void run_page_writer(void *arg)
{
	MEM_OWNED uint8_t *buffer = mem_alloc_pages(FLASHMAP_PAGE_SIZE);

	if (buffer)
		write_rest(arg, buffer);
}

/* All at once, by as many fibers as there are to be had. */
static int write_all(struct flashmap *map)
{
	struct list_head *first = map->stages[STAGE_WRITING].next, *at = first->next;
	struct write_order order = { .map = map, .next = first };
	struct rt_group writers;

	rt_group_init(&writers);
	for (unsigned i = 1; i < WRITERS_MAX && at != &map->stages[STAGE_WRITING]; i++, at = at->next)
		if (rt_group_start(&writers, "flash map page", run_page_writer, &order) < 0)
			break;
	write_rest(&order, map->buffer);
	(void)!rt_group_wait(&writers);
	return order.rc < 0 ? order.rc : rt_file_sync(pooled_file_get(map->file));
}

/* The file stays open meanwhile: the kernel tells of an error where it was written. */
static int write_pages(struct flashmap *map)
{
	int rc = pooled_file_use(map->file);

	if (rc < 0)
		return rc;
	rc = write_all(map);
	pooled_file_leave(map->file);
	return rc;
}

/* They are durable: from here on they are shown. */
static void show_written(struct flashmap *map)
{
	struct stage_bits *writing, *next;

	list_for_each_safe(writing, next, &map->stages[STAGE_WRITING], link) {
		struct page *page = writing->page;

		map->count -= count_page(page->image);
		merge_bits(map, page->image, writing->bits, page->number);
		map->count += count_page(page->image);
		mem_free(writing->bits);
		writing->bits = NULL;
		list_remove(&writing->link);
	}
}

static void end_commit(struct flashmap *map, uint64_t number, int rc)
{
	if (rc == -ENOMEM)
		map->unfit = number;
	else if (rc < 0 && !map->error) {
		map->error = rc;
		log_line(LOG_ERROR, "store", "%s: what the target holds cannot be noted: %s", map->path,
			 strerrordesc_np(-rc));
	}
	map->done = number;
	rt_cond_wake_all(&map->committed);
}

/* Shielded, as the next is: what becomes of one caller is nothing to the others. */
static void run_map_writer(void *arg)
{
	struct flashmap *map = arg;
	uint64_t number = map->writing;
	int rc;
	RT_SHIELD();

	rc = write_pages(map);
	if (rc == 0)
		show_written(map);
	else
		move_bits(map, STAGE_WRITING, STAGE_ADDED);
	map->writing = 0;
	end_commit(map, number, rc);
}

/* The sync covers what was written before it: what is added while it runs is for the next commit. */
static int sync_data(struct flashmap *map)
{
	move_bits(map, STAGE_ADDED, STAGE_SYNCING);
	if (!map->disk || list_empty(&map->stages[STAGE_SYNCING]) || planted(PLANTED_FLASH_MAP_FIRST))
		return 0;
	return vdisk_sync(map->disk);
}

static void run_committer(void *arg)
{
	struct flashmap *map = arg;
	RT_SHIELD();

	while (map->begun < map->wanted && !map->error) {
		uint64_t number = ++map->begun;
		int rc = sync_data(map);

		while (map->writing)
			(void)!rt_cond_wait(&map->committed);
		if (rc < 0 || map->error || list_empty(&map->stages[STAGE_SYNCING])) {
			move_bits(map, STAGE_SYNCING, STAGE_ADDED);
			end_commit(map, number, rc);
			continue;
		}
		move_bits(map, STAGE_SYNCING, STAGE_WRITING);
		map->writing = number;
		if (rt_group_start(&map->fibers, "flash map", run_map_writer, map) < 0)
			run_map_writer(map);
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
	if (map->error)
		return map->error;
	return map->unfit >= mine ? -ENOMEM : 0;
}

uint64_t flashmap_count(const struct flashmap *map)
{
	return map->count;
}
