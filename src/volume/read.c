/* SPDX-License-Identifier: Apache-2.0 */
/* read.c - what reveals content of a volume to hosts, and flush. */
#include "store/planted.h"
#include "volume/late.h"

/*
 * The read rule: whoever saw a write of the held increment may send the next write, that depends on it, to a system
 * that has not closed the increment before. So it sees it only when all have. Always after the disk was read: a write
 * that came in between would be seen and not found in the mask.
 */
static int wait_until_shown(struct volume *volume, uint64_t offset, uint64_t len)
{
	struct volume_target *target;
	int rc = 0;

	for_each_target(target, volume)
		if (rc == 0 && target->hold &&
		    mask_is_noted(&target->mask, volume_first_block(offset), volume_end_block(offset, len)))
			rc = volume_wait_release(target, target->open_number, &target->counters.held_reads);
	return rc;
}

int volume_read_content(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	struct volume_flash *flash = volume_flash_use(volume);
	int rc = flash ? volume_flash_read(flash, buf, len, offset) : vdisk_read(volume->disk, buf, len, offset);

	volume_flash_leave(flash);
	return rc;
}

int volume_get_content_run(struct volume *volume, uint64_t offset, bool *data, uint64_t *end)
{
	struct volume_flash *flash = volume_flash_use(volume);
	int rc = flash ? volume_flash_get_run(flash, offset, data, end) :
		vdisk_get_run(volume->disk, offset, data, end);

	volume_flash_leave(flash);
	return rc;
}

static int do_read(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	int rc = 0;

	if (planted(PLANTED_READ_CHECKS_FIRST))
		rc = wait_until_shown(volume, offset, len);
	if (rc == 0)
		rc = volume_late_read(volume, buf, len, offset);
	if (rc == 0 && !planted(PLANTED_READ_CHECKS_FIRST) && !planted(PLANTED_NO_READ_HOLD))
		rc = wait_until_shown(volume, offset, len);
	return rc ? rc : volume_wait_mirrored(volume, offset, len);
}

int volume_read(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	int rc = volume_admit_read(volume);

	if (rc < 0)
		return rc;
	rc = do_read(volume, buf, len, offset);
	if (rc == 0) {
		volume->counters.reads++;
		volume->counters.read_bytes += len;
	}
	volume_leave_read(volume);
	return rc;
}

int volume_get_run(struct volume *volume, uint64_t offset, bool *data, uint64_t *end)
{
	int rc = volume_admit_read(volume);

	if (rc < 0)
		return rc;
	rc = volume_get_content_run(volume, offset, data, end);
	if (rc == 0)
		rc = wait_until_shown(volume, offset, *end - offset);
	if (rc == 0)
		rc = volume_wait_mirrored(volume, offset, *end - offset);
	volume_leave_read(volume);
	return rc;
}

int volume_flush(struct volume *volume)
{
	int rc = volume_admit_read(volume);

	if (rc < 0)
		return rc;
	/* What was written to the target of a relation that has failed is lost. */
	rc = volume->flash && volume->flash->error ? -EIO : volume_late_drain(volume);
	if (rc == 0)
		rc = volume_sync_all(volume);
	volume->counters.flushes += rc == 0;
	volume_leave_read(volume);
	return rc;
}
