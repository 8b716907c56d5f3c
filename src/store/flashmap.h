/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flashmap.h - one bit for each block (or track) of a volume, on disk, for FlashCopy: which blocks a target holds
 * itself, or which tracks were written since. A sparse file, so that a map of nothing costs nothing, and memory only
 * for what is in use. All calls on the reactor that opened it.
 *
 * A bit is added in memory, and is shown only when it is durable: what flashmap_find says is true also after a crash.
 * Bits that are added by many share one sync of the volume that they speak of and one of the map (flashmap_commit). A
 * bit of a map that is in use is never taken back: a map with fewer bits is a new one.
 */
#ifndef XDC_STORE_FLASHMAP_H
#define XDC_STORE_FLASHMAP_H

#include "store/filepool.h"
#include "store/vdisk.h"

#define FLASHMAP_ID_SIZE	16u

struct flashmap;

struct flashmap_options {
	const char *path;
	uint8_t id[FLASHMAP_ID_SIZE];	/* of relation and generation: no unit of another map is taken for its own */
	uint64_t bits;
	struct vdisk *disk;		/* what the bits speak of: synced before they are durable; NULL: nothing is */
	struct filepool *files;		/* of the reactor; NULL: the map's file stays open */
};

/* Makes the file of a map without a bit, durable with its name. -EEXIST, -ENOSPC, ... Suspends. */
RT_MUST_CHECK int flashmap_create(const struct flashmap_options *options);

/*
 * Opens it and reads all that is in it. -EBADMSG, and a line in the log: a unit is damaged or of another map; errors of
 * the file. Suspends.
 */
RT_MUST_CHECK int flashmap_open(const struct flashmap_options *options, struct flashmap **out);

/* Waits for its background work; what is not committed is lost. NULL is allowed. Suspends. */
void flashmap_close(struct flashmap *map);

/*
 * Whether the bit first is durable, and the end of the run of bits like it, at most end: as it is when this returns.
 * Suspends where the page is not in memory: -ENOMEM, -EIO, -EBADMSG, -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int flashmap_find(struct flashmap *map, uint64_t first, uint64_t end, bool *set, uint64_t *run_end);

/* Adds the bits from first to end, to be durable after the next flashmap_commit. As flashmap_find. */
RT_MUST_CHECK int flashmap_add(struct flashmap *map, uint64_t first, uint64_t end);

/*
 * Takes bits back, of a map that nothing relies on yet and of which no commit is under way: durably so after the next
 * flashmap_commit. As flashmap_find.
 */
RT_MUST_CHECK int flashmap_remove(struct flashmap *map, uint64_t first, uint64_t end);

/*
 * Suspends until all that was added before is durable; many callers share it. -ETIMEDOUT, -ECANCELED: it goes on, and
 * they may be durable. Any other error is for good: the map takes no more, nor says what it has not said before.
 */
RT_MUST_CHECK int flashmap_commit(struct flashmap *map);

/* How many bits are durable. Does not suspend. */
uint64_t flashmap_count(const struct flashmap *map);

#endif
