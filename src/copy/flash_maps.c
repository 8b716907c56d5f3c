/* SPDX-License-Identifier: Apache-2.0 */
/* flash_maps.c - the maps of FlashCopies: their files, and from those to open ones on the target's reactor. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"

/* ---- files ---- */

void flash_map_path(const struct copy *copy, const uint8_t map[XDC_UUID_LEN], char *path)
{
	int len = snprintf(path, FLASH_PATH_MAX, "%s/flash/", copy->config.state_folder);

	for (unsigned i = 0; i < XDC_UUID_LEN; i++)
		len += snprintf(path + len, 3, "%02x", map[i]);
	snprintf(path + len, 5, ".map");
}

void flash_remove_map(struct copy *copy, const uint8_t map[XDC_UUID_LEN])
{
	static const uint8_t none[XDC_UUID_LEN];
	char path[FLASH_PATH_MAX];
	int rc;

	if (!memcmp(map, none, sizeof(none)))
		return;

	flash_map_path(copy, map, path);
	rc = rt_path_unlink(path);
	if (rc && rc != -ENOENT)
		log_line(LOG_WARNING, "flash", "%s is of no use, and is removed at the next start: %s", path,
			 strerrordesc_np(-rc));
}

void flash_remove_maps(struct copy *copy, const struct record_flash *record)
{
	flash_remove_map(copy, record->map);
	flash_remove_map(copy, record->changed);
	flash_remove_map(copy, record->old_map);
	flash_remove_map(copy, record->old_changed);
}

/* ---- open maps ---- */

struct open_order {
	struct flash_map_order map, changed;
	bool record;
	struct flash_maps maps;
};

void flash_fill_map_order(const struct flash *flash, const uint8_t id[XDC_UUID_LEN], uint64_t granule_bytes,
			  struct flash_map_order *order)
{
	order->options = (struct flashmap_options){ .path = order->path };
	flash_map_path(flash->copy, id, order->path);
	memcpy(order->options.id, id, sizeof(order->options.id));
	order->options.bits = (volume_size(flash->data.target) + granule_bytes - 1) / granule_bytes;
}

static int do_open(void *arg)
{
	struct open_order *order = arg;
	int rc = flashmap_open(&order->map.options, &order->maps.map);

	if (rc || !order->record)
		return rc;
	rc = flashmap_open(&order->changed.options, &order->maps.changed);
	if (rc)
		flashmap_close(order->maps.map);
	return rc;
}

int flash_open_maps(struct flash *flash, const struct record_flash *record, struct flash_maps *maps)
{
	struct open_order order = { .record = record->record };
	int rc;

	flash_fill_map_order(flash, record->map, XDC_BLOCK_SIZE, &order.map);
	order.map.options.disk = volume_disk(flash->data.target);
	flash_fill_map_order(flash, record->changed, XDC_TRACK_SIZE, &order.changed);
	rc = rt_call(volume_reactor(flash->data.target), do_open, &order);
	*maps = order.maps;
	return rc;
}

static int do_close(void *arg)
{
	struct flash_maps *maps = arg;

	flashmap_close(maps->map);
	flashmap_close(maps->changed);
	return 0;
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

	volume_flash_use_maps(order->data, &order->maps.map, &order->maps.changed);
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

int flash_make_maps(struct flash *flash, struct record_flash *record)
{
	int rc;

	rt_random_bytes(record->map, sizeof(record->map));
	memset(record->changed, 0, sizeof(record->changed));
	rc = make_map(flash, record->map, XDC_BLOCK_SIZE);
	if (rc || !record->record)
		return rc;
	rt_random_bytes(record->changed, sizeof(record->changed));
	rc = make_map(flash, record->changed, XDC_TRACK_SIZE);
	if (rc)
		flash_remove_map(flash->copy, record->map);
	return rc;
}

/* ---- maps that no record names: of commands that were cut short ---- */

#define MAP_NAME_LEN	(2u * XDC_UUID_LEN + 4u)	/* of hexadecimal digits, and ".map" */

struct stray {
	struct list_head link;
	char name[MAP_NAME_LEN + 1];
};

struct search {
	struct copy *copy;
	struct list_head strays;
};

static bool is_named(const struct search *search, const char *name)
{
	const struct flash *flash;
	char path[FLASH_PATH_MAX];

	list_for_each(flash, &search->copy->flashes, link) {
		const struct record_flash *record = &flash->record;
		const uint8_t *maps[] = { record->map, record->changed, record->old_map, record->old_changed };

		for (unsigned i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
			flash_map_path(search->copy, maps[i], path);
			if (!strcmp(strrchr(path, '/') + 1, name))
				return true;
		}
	}
	return false;
}

static int look_at(void *arg, const char *name)
{
	struct search *search = arg;
	struct stray *stray;

	if (strlen(name) != MAP_NAME_LEN || strcmp(name + MAP_NAME_LEN - 4, ".map") != 0 || is_named(search, name))
		return 0;
	stray = mem_alloc(sizeof(*stray));
	if (!stray)
		return -ENOMEM;
	memcpy(stray->name, name, sizeof(stray->name));
	list_add_last(&search->strays, &stray->link);
	return 0;
}

int flash_settle_maps(struct copy *copy)
{
	struct search search = { .copy = copy };
	char folder[FLASH_PATH_MAX], path[FLASH_PATH_MAX + MAP_NAME_LEN + 1];
	struct stray *stray, *next;
	int rc;

	list_init(&search.strays);
	snprintf(folder, sizeof(folder), "%s/flash", copy->config.state_folder);
	rc = rt_path_make_folder(folder);
	if (!rc || rc == -EEXIST)
		rc = rt_path_sync_folder(copy->config.state_folder);
	if (!rc)
		rc = rt_path_list(folder, look_at, &search);
	list_for_each_safe(stray, next, &search.strays, link) {
		snprintf(path, sizeof(path), "%s/%s", folder, stray->name);
		if (!rc)
			rc = rt_path_unlink(path);
		list_remove(&stray->link);
		mem_free(stray);
	}
	return rc;
}
