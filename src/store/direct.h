/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct.h - reads and writes of any alignment on a file that is open with O_DIRECT, which knows only whole 4 KiB
 * blocks. Used by vdisk.c for cache mode direct. All functions suspend; the caller holds the lock of the blocks it
 * touches.
 */
#ifndef XDC_STORE_DIRECT_H
#define XDC_STORE_DIRECT_H

#include "rt/file.h"

struct direct {
	struct rt_file *file;		/* open with RT_FILE_DIRECT; the caller's */
	struct rt_file *tail;		/* without it, with DSYNC: the part block at the end; NULL: there is none */
	uint64_t tail_offset;		/* where that begins: size rounded down to whole blocks */
};

/* 0, -EIO (also where the file ends too early), -ENOMEM, -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int direct_read(const struct direct *direct, void *buf, size_t len, uint64_t offset);

/* The same, and -ENOSPC: then any part may be written. */
RT_MUST_CHECK int direct_write(const struct direct *direct, const void *buf, size_t len, uint64_t offset);

#endif
