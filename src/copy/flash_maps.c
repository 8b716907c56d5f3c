/* SPDX-License-Identifier: Apache-2.0 */
/* flash_maps.c - maps and logs of FlashCopies: their files, and from those to open ones on the target's reactor. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/filepool.h"

/* Of the log of one relation. It is never larger than half of its target. */
#define LOG_BYTES	(UINT64_C(1) << 30)

/* Maps and logs that are open at a time, of all relations; a small part of what the process may have open. */
#define FILES_MAX	512u
#define FILES_PART	16u

int flash_make_file_pools(struct copy *copy)
{
	unsigned reactors = rt_reactor_count(), max = copy->config.flash_files_max;
	unsigned places = max ? max / reactors : filepool_places(FILES_MAX, FILES_PART);

	copy->flash_files = mem_alloc_zeroed(reactors * sizeof(struct filepool *));
	if (!copy->flash_files)
		return -ENOMEM;
	for (unsigned i = 0; i < reactors; i++) {
		copy->flash_files[i] = filepool_make(places);
		if (!copy->flash_files[i])
			return -ENOMEM;
	}
	return 0;
}

void flash_free_file_pools(struct copy *copy)
{
	for (unsigned i = 0; copy->flash_files && i < rt_reactor_count(); i++)
		filepool_free(copy->flash_files[i]);
	mem_free(copy->flash_files);
}

/* ---- files ---- */

void flash_map_path(const struct copy *copy, const uint8_t map[XDC_UUID_LEN], const char *what, char *path)
{
	int len = snprintf(path, FLASH_PATH_MAX, "%s/flash/", copy->config.state_folder);

	for (unsigned i = 0; i < XDC_UUID_LEN; i++)
		len += snprintf(path + len, 3, "%02x", map[i]);
	snprintf(path + len, 6, ".%s", what);
}

static void remove_file(struct copy *copy, const uint8_t map[XDC_UUID_LEN], const char *what)
{
	char path[FLASH_PATH_MAX];
	int rc;

	flash_map_path(copy, map, what, path);
	rc = rt_path_unlink(path);
	if (rc && rc != -ENOENT)
		log_line(LOG_WARNING, "flash", "%s is of no use, and is removed at the next start: %s", path,
			 strerrordesc_np(-rc));
}

void flash_remove_map(struct copy *copy, const uint8_t map[XDC_UUID_LEN])
{
	static const uint8_t none[XDC_UUID_LEN];

	if (!memcmp(map, none, sizeof(none)))
		return;
	remove_file(copy, map, "map");
	remove_file(copy, map, "kept");
}

void flash_remove_maps(struct copy *copy, const struct record_flash *record)
{
	flash_remove_map(copy, record->map);
	flash_remove_map(copy, record->changed);
	flash_remove_map(copy, record->old_map);
	flash_remove_map(copy, record->old_changed);
}

void flash_void_maps(struct copy *copy, const struct record_flash *record)
{
	char folder[FLASH_PATH_MAX];
	int rc;
	RT_SHIELD();

	flash_remove_map(copy, record->map);
	flash_remove_map(copy, record->changed);
	snprintf(folder, sizeof(folder), "%s/flash", copy->config.state_folder);
	rc = rt_path_sync_folder(folder);
	if (rc)
		log_line(LOG_ERROR, "flash", "volume %04X: if the power is lost now, its FlashCopy of %04X is of no "
			 "use and may not say so: %s", record->target, record->source, strerrordesc_np(-rc));
}

/* ---- open maps ---- */

struct open_order {
	struct flash_map_order map, changed;
	struct keptlog_options log;
	char log_path[FLASH_PATH_MAX];
	bool record;
	struct flash_maps maps;
};

/* Of the target's reactor. */
static struct filepool *files_of(const struct flash *flash)
{
	return flash->copy->flash_files[rt_reactor_index(volume_reactor(flash->data.target))];
}

void flash_fill_map_order(const struct flash *flash, const uint8_t id[XDC_UUID_LEN], uint64_t granule_bytes,
			  struct flash_map_order *order)
{
	order->options = (struct flashmap_options){ .path = order->path, .files = files_of(flash) };
	flash_map_path(flash->copy, id, "map", order->path);
	memcpy(order->options.id, id, sizeof(order->options.id));
	order->options.bits = (volume_size(flash->data.target) + granule_bytes - 1) / granule_bytes;
}

/* path gets FLASH_PATH_MAX characters, and stays as long as the options. */
static struct keptlog_options log_options(const struct flash *flash, const uint8_t id[XDC_UUID_LEN], char *path)
{
	uint64_t bytes = flash->copy->config.flash_log_bytes, size = volume_size(flash->data.target), half = size / 2;
	struct keptlog_options options = {
		.path = path, .bytes = bytes ? bytes : LOG_BYTES,
		.blocks = (size + XDC_BLOCK_SIZE - 1) / XDC_BLOCK_SIZE, .files = files_of(flash),
	};

	if (options.bytes > half)
		options.bytes = half;
	flash_map_path(flash->copy, id, "kept", path);
	memcpy(options.id, id, sizeof(options.id));
	return options;
}

static int do_close(void *arg)
{
	struct flash_maps *maps = arg;

	keptlog_close(maps->log);
	flashmap_close(maps->map);
	flashmap_close(maps->changed);
	*maps = (struct flash_maps){ .map = NULL };
	return 0;
}

static int do_open(void *arg)
{
	struct open_order *order = arg;
	int rc = flashmap_open(&order->map.options, &order->maps.map);

	if (!rc && order->record)
		rc = flashmap_open(&order->changed.options, &order->maps.changed);
	if (!rc)
		rc = keptlog_open(&order->log, &order->maps.log);
	if (rc)
		(void)do_close(&order->maps);
	return rc;
}

int flash_open_maps(struct flash *flash, const struct record_flash *record, struct flash_maps *maps)
{
	struct open_order order = { .record = record->record };
	int rc;

	flash_fill_map_order(flash, record->map, XDC_BLOCK_SIZE, &order.map);
	order.map.options.disk = volume_disk(flash->data.target);
	flash_fill_map_order(flash, record->changed, XDC_TRACK_SIZE, &order.changed);
	order.log = log_options(flash, record->map, order.log_path);
	rc = rt_call(volume_reactor(flash->data.target), do_open, &order);
	*maps = order.maps;
	return rc;
}

void flash_close_maps(struct flash *flash, struct flash_maps *maps)
{
	int rc = rt_call(volume_reactor(flash->data.target), do_close, maps);

	assert(!rc);
}

struct use_order {
	struct volume_flash *data;
	struct flash_maps maps;
};

static int do_use(void *arg)
{
	struct use_order *order = arg;

	volume_flash_use_maps(order->data, &order->maps.map, &order->maps.changed, &order->maps.log);
	return 0;
}

static int do_forget(void *arg)
{
	volume_flash_forget_kept(arg);
	return 0;
}

void flash_use_maps(struct flash *flash, struct flash_maps *maps)
{
	struct use_order order = { .data = &flash->data, .maps = *maps };
	int rc = rt_call(volume_reactor(flash->data.target), do_use, &order);

	if (!rc && flash->data.source)
		rc = rt_call(volume_reactor(flash->data.source), do_forget, flash->data.source);
	assert(!rc);
	flash_close_maps(flash, &order.maps);
}

static int make_map(struct flash *flash, const uint8_t id[XDC_UUID_LEN], uint64_t granule_bytes)
{
	struct flash_map_order order;

	flash_fill_map_order(flash, id, granule_bytes, &order);
	return flashmap_create(&order.options);
}

static int make_log(struct flash *flash, const uint8_t id[XDC_UUID_LEN])
{
	char path[FLASH_PATH_MAX];
	struct keptlog_options options = log_options(flash, id, path);

	return keptlog_create(&options);
}

int flash_make_maps(struct flash *flash, struct record_flash *record)
{
	int rc;

	rt_random_bytes(record->map, sizeof(record->map));
	memset(record->changed, 0, sizeof(record->changed));
	rc = make_map(flash, record->map, XDC_BLOCK_SIZE);
	if (!rc)
		rc = make_log(flash, record->map);
	if (!rc && record->record) {
		rt_random_bytes(record->changed, sizeof(record->changed));
		rc = make_map(flash, record->changed, XDC_TRACK_SIZE);
	}
	if (rc)
		flash_remove_map(flash->copy, record->map);
	return rc;
}

/* ---- maps that no record names: of commands that were cut short ---- */

#define MAP_NAME_LEN	(2u * XDC_UUID_LEN)	/* of hexadecimal digits; then ".map" or ".kept" */
#define FILE_NAME_MAX	(MAP_NAME_LEN + 5u)
#define MAPS_OF_RECORD	4u

struct stray {
	struct list_head link;
	char name[FILE_NAME_MAX + 1];
};

struct search {
	struct list_head strays;
	uint8_t (*named)[XDC_UUID_LEN];		/* what records name, sorted */
	size_t count;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, XDC_UUID_LEN);
}

static int list_named(struct copy *copy, struct search *search)
{
	const struct flash *flash;
	size_t max = 0;

	list_for_each(flash, &copy->flashes, link)
		max += MAPS_OF_RECORD;
	search->named = mem_alloc((max + 1) * sizeof(search->named[0]));
	if (!search->named)
		return -ENOMEM;
	list_for_each(flash, &copy->flashes, link) {
		const struct record_flash *record = &flash->record;
		const uint8_t *maps[MAPS_OF_RECORD] = {
			record->map, record->changed, record->old_map, record->old_changed,
		};

		for (unsigned i = 0; i < MAPS_OF_RECORD; i++)
			memcpy(search->named[search->count++], maps[i], XDC_UUID_LEN);
	}
	qsort(search->named, search->count, sizeof(search->named[0]), by_id);
	return 0;
}

/* The name begins with the digits of an id. */
static bool read_id(const char *name, uint8_t id[XDC_UUID_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (unsigned i = 0; i < MAP_NAME_LEN; i++) {
		const char *at = name[i] ? strchr(digits, name[i]) : NULL;

		if (!at)
			return false;
		id[i / 2] = (uint8_t)(id[i / 2] << 4 | (uint8_t)(at - digits));
	}
	return true;
}

static bool is_stray(const struct search *search, const char *name)
{
	uint8_t id[XDC_UUID_LEN] = { 0 };

	if (!read_id(name, id))
		return false;
	if (strcmp(name + MAP_NAME_LEN, ".map") != 0 && strcmp(name + MAP_NAME_LEN, ".kept") != 0)
		return false;
	return !bsearch(id, search->named, search->count, sizeof(search->named[0]), by_id);
}

static int look_at(void *arg, const char *name)
{
	struct search *search = arg;
	struct stray *stray;

	if (!is_stray(search, name))
		return 0;
	stray = mem_alloc(sizeof(*stray));
	if (!stray)
		return -ENOMEM;
	snprintf(stray->name, sizeof(stray->name), "%s", name);
	list_add_last(&search->strays, &stray->link);
	return 0;
}

int flash_settle_maps(struct copy *copy)
{
	struct search search = { .count = 0 };
	char folder[FLASH_PATH_MAX], path[FLASH_PATH_MAX + FILE_NAME_MAX + 1];
	struct stray *stray, *next;
	int rc;

	list_init(&search.strays);
	snprintf(folder, sizeof(folder), "%s/flash", copy->config.state_folder);
	rc = rt_path_make_folder(folder);
	if (!rc || rc == -EEXIST)
		rc = rt_path_sync_folder(copy->config.state_folder);
	if (!rc)
		rc = list_named(copy, &search);
	if (!rc)
		rc = rt_path_list(folder, look_at, &search);
	mem_free(search.named);
	list_for_each_safe(stray, next, &search.strays, link) {
		snprintf(path, sizeof(path), "%s/%s", folder, stray->name);
		if (!rc)
			rc = rt_path_unlink(path);
		list_remove(&stray->link);
		mem_free(stray);
	}
	return rc;
}
