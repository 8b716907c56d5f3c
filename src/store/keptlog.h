/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keptlog.h - old blocks that the target of a FlashCopy keeps of its source, on their way to its disk: a file that is
 * written from end to end and over again, past the page cache, so that many scattered blocks are durable after one
 * write and one sync. Whoever has a log brings its blocks to where they belong, oldest first (keptlog_fill_*), before
 * it is full. It belongs to one map (flashmap.h): of a block that the map has, what the log has is of no meaning; so
 * nothing in it is ever taken back. All calls on the reactor that opened it.
 *
 * What keptlog_find says is durable. Memory: 16 bytes for each block in it, and half a MiB while there are some.
 */
#ifndef XDC_STORE_KEPTLOG_H
#define XDC_STORE_KEPTLOG_H

#include "store/filepool.h"
#include "store/vdisk.h"

#define KEPTLOG_ID_SIZE		16u
#define KEPTLOG_RECORD_BLOCKS	127u	/* what is written at once */
#define KEPTLOG_BLOCKS_MAX	((UINT64_C(1) << 48) - 1)

struct keptlog;

struct keptlog_options {
	const char *path;
	uint8_t id[KEPTLOG_ID_SIZE];	/* of the map */
	uint64_t bytes;			/* of a new one, at most; less than 64 KiB: it takes nothing */
	uint64_t blocks;		/* of the volume; at most KEPTLOG_BLOCKS_MAX */
	struct filepool *files;		/* of the reactor; NULL: the log's file stays open */
};

/* Makes the file of an empty log, durable with its name. -EEXIST, -ENOSPC, ... Suspends. */
RT_MUST_CHECK int keptlog_create(const struct keptlog_options *options);

/*
 * Opens it and reads what is in it. -EBADMSG, and a line in the log: something that was durable is damaged, or it is of
 * another map; errors of the file. Suspends.
 */
RT_MUST_CHECK int keptlog_open(const struct keptlog_options *options, struct keptlog **out);

/* Waits for what is under way. NULL is allowed. Suspends. */
void keptlog_close(struct keptlog *log);

struct keptlog_block {
	uint64_t number;
	const uint8_t *data;		/* XDC_BLOCK_SIZE bytes; NULL: zeros */
};

/*
 * Suspends until the blocks, of which none is in it, are durable; many callers share it. Any error: it has none of
 * them, or some (keptlog_find), and they are to be kept otherwise. -ENOSPC: it is full, or what it lies on is; -ENOMEM;
 * any other is for good.
 */
RT_MUST_CHECK int keptlog_put(struct keptlog *log, const struct keptlog_block *blocks, unsigned count);

/* Whether it has the block first, and an end of the run of blocks like it, at most end. Does not suspend. */
bool keptlog_find(const struct keptlog *log, uint64_t first, uint64_t end, uint64_t *run_end);

/*
 * XDC_BLOCK_SIZE bytes. Suspends. -ENOENT: it has not, or not any more; -EBADMSG: it is not what was put; -ENOMEM,
 * errors of the file.
 */
RT_MUST_CHECK int keptlog_read(struct keptlog *log, uint64_t block, uint8_t *data);

/* The map has these blocks: the log need not. Does not suspend. */
void keptlog_forget(struct keptlog *log, uint64_t first, uint64_t end);

/* How many blocks are in it; no segment is in use; few are free, so that it is to be filled now. Do not suspend. */
uint64_t keptlog_count(const struct keptlog *log);
bool keptlog_is_empty(const struct keptlog *log);
bool keptlog_is_short(const struct keptlog *log);

/* Its file could not be opened again: what is in it cannot be had any more. Does not suspend. */
bool keptlog_is_lost(const struct keptlog *log);

/* Of the next record: this number. Does not suspend. */
uint64_t keptlog_next_sequence(const struct keptlog *log);

/* One segment of it on the way to where its blocks belong; one at a time. */
struct keptlog_fill {
	struct keptlog *log;
	struct keptlog_segment *segment;
	uint32_t page;			/* of the next record */
	uint8_t *pages;
	unsigned count;			/* blocks of the present record that are in the log still */
	struct keptlog_block blocks[KEPTLOG_RECORD_BLOCKS];
};

/*
 * Takes the oldest segment, if it begins before this record: 1, and it is to be ended. 0: there is none. Then 1 for
 * each of its records; 0 behind the last; -EBADMSG, errors of the file. Suspend; -ENOMEM, -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int keptlog_fill_begin(struct keptlog *log, uint64_t before, struct keptlog_fill *fill);
RT_MUST_CHECK int keptlog_fill_next(struct keptlog_fill *fill);

/*
 * filled: the map has all of its blocks, and its space is free again. Suspends, shielded. -ENOMEM, errors of the file:
 * it is not free, and the next keptlog_fill_begin takes the same segment.
 */
RT_MUST_CHECK int keptlog_fill_end(struct keptlog_fill *fill, bool filled);

#endif
