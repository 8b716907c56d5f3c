/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_path_flash.h - for write_path.c: in some runs each volume is the source of a FlashCopy, which shows it anew
 * again and again. What hosts write is then answered before old blocks are kept, and is in groups all the same. (That
 * the target is right is for the scenario flash.)
 */
#ifndef XDC_SIM_WRITE_PATH_FLASH_H
#define XDC_SIM_WRITE_PATH_FLASH_H

#include "store/latelog.h"
#include "volume/flash.h"
#include "write_path_hosts.h"

#define LOG_BYTES	(80u << 10)

static void fill_map_options(const struct site *site, struct flashmap_options *options, char path[16])
{
	snprintf(path, 16, "map%u", site->map_number);
	*options = (struct flashmap_options) {
		.path = path, .bits = DISK_BYTES / XDC_BLOCK_SIZE, .disk = volume_disk(site->copy),
	};
	memcpy(options->id, path, sizeof(options->id));
}

static int make_log(const struct site *site, struct keptlog **log)
{
	struct keptlog_options options = { .bytes = LOG_BYTES, .blocks = DISK_BYTES / XDC_BLOCK_SIZE };
	char path[16];
	int rc;

	snprintf(path, sizeof(path), "log%u", site->map_number);
	options.path = path;
	rc = keptlog_create(&options);
	return rc == 0 ? keptlog_open(&options, log) : rc;
}

/* New ones each time: a start of the system is one more moment. */
static int make_map(struct site *site, struct flashmap **map, struct keptlog **log)
{
	struct flashmap_options options;
	char path[16] = "";
	int rc;

	site->map_number++;
	fill_map_options(site, &options, path);
	rc = flashmap_create(&options);
	if (rc == 0)
		rc = flashmap_open(&options, map);
	return rc == 0 ? make_log(site, log) : rc;
}

static int flash_failed(void *arg, int error)
{
	(void)arg;
	(void)error;
	scenario_count("FlashCopies failed", 1);
	return 0;
}

static int write_again(void *arg, const void *data, uint32_t len, uint64_t offset)
{
	return volume_apply(arg, NULL, data, len, offset);
}

/* The volume is open, and nobody writes it yet. */
static int open_flash(struct site *site)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "copy", .size = DISK_BYTES };
	struct volume_options options = { .id = 0x1600 };
	int rc = vdisk_create(&disk);

	if (rc == 0 || rc == -EEXIST)
		rc = vdisk_open(&disk, &options.disk);
	if (rc < 0)
		return rc;
	rc = volume_open(&options, &site->copy);
	if (rc < 0) {
		vdisk_close(options.disk);
		return rc;
	}
	volume_flash_init(&site->flash);
	site->flash.source = site->volume;
	site->flash.target = site->copy;
	site->flash.failed = flash_failed;
	rc = make_map(site, &site->flash.map, &site->flash.log);
	if (rc == 0)
		rc = volume_flash_attach_target(&site->flash);
	if (rc == 0)
		rc = volume_flash_attach_source(&site->flash);
	site->flashed = rc == 0;
	if (rc == 0)
		rc = latelog_replay("late", write_again, site->volume);
	return rc == 0 ? volume_late_open(site->volume, "late") : rc;
}

static void close_flash(struct site *site)
{
	if (site->flashed) {
		volume_flash_detach_source(&site->flash);
		volume_flash_detach_target(&site->flash);
	} else if (site->copy && volume_is_flash_target(site->copy)) {
		volume_flash_detach_target(&site->flash);
	}
	flashmap_close(site->flash.map);
	keptlog_close(site->flash.log);
	if (site->copy)
		volume_close(site->copy);
	site->flash.map = NULL;
	site->flash.log = NULL;
	site->copy = NULL;
	site->flashed = false;
}

/* It shows the volume as it is now: nothing is kept. After an error it is as it was. */
static void flash_anew(struct site *site)
{
	struct volume_freeze freeze;
	struct flashmap *map = NULL, *none = NULL;
	struct keptlog *log = NULL;

	if (make_map(site, &map, &log) == 0 &&
	    volume_freeze(site->volume, &freeze, rt_now_ns() + 10 * RT_MS) == 0) {
		/* Nobody is at the old map then, if that was in time. */
		if (volume_flash_settle(&site->flash) == 0 && volume_is_frozen(&freeze)) {
			volume_flash_use_maps(&site->flash, &map, &none, &log);
			volume_flash_forget_kept(site->volume);
			scenario_count("FlashCopies anew", 1);
		}
		volume_thaw(site->volume, &freeze);
	}
	flashmap_close(map);
	keptlog_close(log);
}

static void flasher(void *arg)
{
	struct site *site = arg;

	while (!rt_cancelled()) {
		delay(30 * RT_MS);
		if (!scene.quiet)
			flash_anew(site);
	}
}

#endif
