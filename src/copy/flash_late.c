/* SPDX-License-Identifier: Apache-2.0 */
/* flash_late.c - the files behind the buffers of FlashCopy sources: made, and read after the death of the process. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copy/flash.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/latelog.h"

#define NAME_LEN	9u		/* LLVV.late */

struct late_order {
	struct volume *volume;
	char path[FLASH_PATH_MAX];
};

static void fill_path(const char *state_folder, uint16_t volume, char *path)
{
	snprintf(path, FLASH_PATH_MAX, "%s/flash/%04X.late", state_folder, volume);
}

static int do_open(void *arg)
{
	struct late_order *order = arg;

	return volume_late_open(order->volume, order->path);
}

void flash_open_late(struct flash *flash)
{
	struct late_order order = { .volume = flash->data.source };
	int rc;

	fill_path(flash->copy->config.state_folder, flash->record.source, order.path);
	rc = rt_call(volume_reactor(order.volume), do_open, &order);
	if (rc)
		log_line(LOG_WARNING, "flash", "volume %04X is written slower beside its FlashCopy: %s: %s",
			 flash->record.source, order.path, strerrordesc_np(-rc));
}

int copy_remove_files(const char *state_folder, uint16_t volume)
{
	char path[FLASH_PATH_MAX];
	int rc;

	fill_path(state_folder, volume, path);
	rc = rt_path_unlink(path);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		log_line(LOG_WARNING, "flash", "%s, of a volume that is deleted, cannot be removed: %s", path,
			 strerrordesc_np(-rc));
	return rc;
}

/* ---- at the start ---- */

static int write_again(void *arg, const void *data, uint32_t len, uint64_t offset)
{
	struct volume *volume = arg;

	if (offset > volume_size(volume) || len > volume_size(volume) - offset)
		return -EBADMSG;
	return volume_apply(volume, NULL, data, len, offset);
}

/* What cannot be written again is lost, and the volume says so; never is it written later, over what is newer. */
static int do_replay(void *arg)
{
	struct late_order *order = arg;
	int rc = latelog_replay(order->path, write_again, order->volume);

	if (!rc || rc == -ENOMEM || rc == -ETIMEDOUT || rc == -ECANCELED)
		return rc;
	log_line(LOG_ERROR, "flash", "%s: writes that were answered are lost: %s", order->path, strerrordesc_np(-rc));
	vdisk_give_up(volume_disk(order->volume));
	return rt_path_unlink(order->path);
}

/* A bit for each volume that has a file. */
#define VOLUMES		(UINT32_C(1) << 16)

static int look_at(void *arg, const char *name)
{
	uint8_t *found = arg;
	char *end;
	unsigned long volume = strtoul(name, &end, 16);

	if (strlen(name) == NAME_LEN && end == name + 4 && !strcmp(end, ".late"))
		found[volume / 8] |= (uint8_t)(1u << volume % 8);
	return 0;
}

static int replay_all(struct copy *copy, const uint8_t *found)
{
	int rc = 0;

	for (uint32_t id = 0; !rc && id < VOLUMES; id++) {
		struct late_order order;

		if (!(found[id / 8] >> id % 8 & 1))
			continue;
		order = (struct late_order){ .volume = NULL };
		order.volume = copy->config.find_volume(copy->config.find_arg, (uint16_t)id);
		fill_path(copy->config.state_folder, (uint16_t)id, order.path);
		if (order.volume)
			rc = rt_call(volume_reactor(order.volume), do_replay, &order);
		else if (copy->config.has_volume && !copy->config.has_volume(copy->config.find_arg, (uint16_t)id))
			(void)!copy_remove_files(copy->config.state_folder, (uint16_t)id);	/* in the log */
	}
	return rc;
}

int flash_replay_late(struct copy *copy)
{
	MEM_OWNED uint8_t *found = mem_alloc_zeroed(VOLUMES / 8);
	char folder[FLASH_PATH_MAX];
	struct flash *flash;
	int rc;

	if (!found)
		return -ENOMEM;
	snprintf(folder, sizeof(folder), "%s/flash", copy->config.state_folder);
	rc = rt_path_list(folder, look_at, found);
	if (!rc)
		rc = replay_all(copy, found);
	list_for_each(flash, &copy->flashes, link)
		if (!rc && flash->source_attached)
			flash_open_late(flash);
	return rc;
}
