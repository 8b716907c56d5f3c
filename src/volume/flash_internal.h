/* SPDX-License-Identifier: Apache-2.0 */
/* flash_internal.h - FlashCopy, for the files of a volume. Private to this folder. */
#ifndef XDC_VOLUME_FLASH_INTERNAL_H
#define XDC_VOLUME_FLASH_INTERNAL_H

#include "volume/flash.h"
#include "volume/volume_internal.h"

/* ---- the source (flash_source.c) ---- */

/* All targets of the volume are known to hold the blocks of the claim, or there is none. Does not suspend. */
bool volume_flash_has_kept(const struct volume *volume, const struct blocklock_claim *claim);

/*
 * Makes it so, durably; the claim keeps the blocks as they are. Suspends. Of the targets only -ENOMEM, -ETIMEDOUT,
 * -ECANCELED, and -EIO when a relation has failed and that cannot be noted.
 */
RT_MUST_CHECK int volume_flash_keep(struct volume *volume, const struct blocklock_claim *claim);

/* The same of many claims at once, in the order of their blocks. */
RT_MUST_CHECK int volume_flash_keep_all(struct volume *volume, const struct blocklock_claim *const *claims,
					unsigned count);

/*
 * Whether the blocks of the claim have space on the source's disk, so that a write of them cannot fail for want of
 * that. The second finds out, and suspends; errors of vdisk_get_run. Where there is none, it is still not known then.
 */
bool volume_flash_has_space(const struct volume *volume, const struct blocklock_claim *claim);
RT_MUST_CHECK int volume_flash_find_space(struct volume *volume, const struct blocklock_claim *claim);

/* Around what may take space from blocks of the zone that begins with or has this one. Do not suspend. */
void volume_flash_begin_zero(struct volume *volume, uint64_t block);
void volume_flash_end_zero(struct volume *volume);

/*
 * Calls each(arg, i) for all i below count, some at a time, each in a fiber, and returns an error of one of them.
 * Shielded; suspends.
 */
RT_MUST_CHECK int volume_flash_each(unsigned count, int (*each)(void *arg, unsigned i), void *arg);

/* ---- the target (flash_target.c) ---- */

/* Whole blocks of a source, within one zone, and their old content. */
struct flash_range {
	uint64_t first, end;
	uint8_t *data;
};

/* What is to be kept for one of its targets. */
struct flash_keep {
	struct volume_flash *flash;
	const struct flash_range *ranges;
	unsigned count;
	int rc;
};

/* On the target's reactor. Suspends. Errors as of volume_flash_keep. */
RT_MUST_CHECK int volume_flash_keep_here(struct flash_keep *keep);

/* The relation has failed for this error, for good. 0, or -EIO: that is not durable. Suspends, shielded. */
RT_MUST_CHECK int volume_flash_fail(struct volume_flash *flash, int error);

/* For as long as it is in use, it is not detached. NULL: the volume is no target. */
struct volume_flash *volume_flash_use(struct volume *volume);
void volume_flash_leave(struct volume_flash *flash);

/* What the volume shows, by what lies on its disk and its source's. As vdisk_read and vdisk_get_run; suspend. */
RT_MUST_CHECK int volume_flash_read(struct volume_flash *flash, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int volume_flash_get_run(struct volume_flash *flash, uint64_t offset, bool *data, uint64_t *end);

/* Where the target has a block. */
enum flash_place { FLASH_AT_SOURCE, FLASH_IN_LOG, FLASH_OWN };

/* That of the block first, and an end of those like it, at most end: as it is when this returns. Errors of the map. */
RT_MUST_CHECK int volume_flash_find(struct volume_flash *flash, uint64_t first, uint64_t end, enum flash_place *place,
				    uint64_t *run_end);

/* Puts blocks that were kept on the target's disk, to be durable with the next commit of the map; they are claimed. */
RT_MUST_CHECK int volume_flash_put(struct volume_flash *flash, const uint8_t *data, uint64_t first, uint64_t end);

/*
 * Around a write to the disk of a target, which has claimed its blocks. The first makes blocks whole of which only a
 * part will be written, and says whether some block is not yet the target's own; the second makes them so, durably.
 */
RT_MUST_CHECK int volume_flash_begin_write(struct volume_flash *flash, uint64_t offset, uint64_t len, bool *takes);
RT_MUST_CHECK int volume_flash_end_write(struct volume_flash *flash, uint64_t offset, uint64_t len);

/* ---- from the log to the target's disk (flash_fill.c) ---- */

/* Something is in the log: it does not stay there for ever. Does not suspend. */
void volume_flash_begin_fill(struct volume_flash *flash);
void volume_flash_stop_fill(struct volume_flash *flash);	/* suspends, shielded */

/* The oldest segment that begins before this record comes to the disk: 1; 0: there is none. As volume_flash_settle. */
RT_MUST_CHECK int volume_flash_fill_next(struct volume_flash *flash, uint64_t before);

#endif
