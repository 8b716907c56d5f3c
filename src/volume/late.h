/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late.h - the buffer from which writes of a FlashCopy source are answered before their old blocks are kept (late.c).
 * Only in cache mode writeback. Private to this folder; on the volume's reactor.
 */
#ifndef XDC_VOLUME_LATE_H
#define XDC_VOLUME_LATE_H

#include "volume/flash_internal.h"

struct late_write;

void volume_late_close(struct volume *volume);		/* nothing is in it */

/* Nothing else has to be done with a write of this volume than to keep its old blocks and to put it on the disk. */
bool volume_late_is_allowed(struct volume *volume);

/*
 * A place for the write whose blocks are claimed, with a copy of it, that the death of the process leaves; *out is NULL
 * where there can be none. It is taken, or cancelled. Suspends, also until there is room. -ENOMEM, -ETIMEDOUT,
 * -ECANCELED.
 */
RT_MUST_CHECK int volume_late_reserve(struct volume *volume, const struct blocklock_claim *claim, const void *buf,
				      uint64_t len, uint64_t offset, struct late_write **out);
void volume_late_cancel(struct volume *volume, struct late_write *write);	/* NULL is allowed; suspends */

/* The write is noted, and its claim is writing: both are the buffer's from here on. Does not suspend. */
void volume_late_take(struct volume *volume, struct late_write *write, struct blocklock_claim *claim,
		      const struct volume_noted *noted);

/*
 * The range takes the place of a write in the buffer that is of the same, and of the same increment: true, and in *rc
 * what became of it, in noted how it is. False: there is none. Suspends.
 */
bool volume_late_replace(struct volume *volume, const void *buf, uint64_t len, uint64_t offset,
			 struct volume_noted *noted, int *rc);

/* What hosts are to see: as volume_read_content, with what is in the buffer. */
RT_MUST_CHECK int volume_late_read(struct volume *volume, void *buf, size_t len, uint64_t offset);

/* Suspends until all that is in the buffer now is on the disk, or lost (vdisk_failed). -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int volume_late_drain(struct volume *volume);

#endif
