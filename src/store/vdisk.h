/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdisk.h - pools, and the bytes of one volume in its pool. The volume layer above decides order and locking; here a read
 * is a read. All functions suspend and run on any fiber; -ETIMEDOUT and -ECANCELED as in rt.h.
 *
 * Offsets and lengths are bytes, any alignment: with cache mode direct an unaligned request is read, changed and written as
 * whole 4 KiB blocks; the caller holds the lock of the blocks it touches.
 */
#ifndef XDC_STORE_VDISK_H
#define XDC_STORE_VDISK_H

#include "rt/rt.h"

#define XDC_BLOCK_SIZE		4096u
#define XDC_TRACK_SIZE		65536u
#define XDC_BLOCKS_PER_TRACK	16u

enum pool_kind { POOL_DIR, POOL_DEVICE, POOL_KIND_COUNT };
extern const char *const pool_kind_names[POOL_KIND_COUNT];	/* "dir", "device" */

enum cache_mode { CACHE_WRITEBACK, CACHE_DIRECT, CACHE_MODE_COUNT };
extern const char *const cache_mode_names[CACHE_MODE_COUNT];	/* "writeback", "direct" */

struct vdisk;

struct vdisk_options {
	enum pool_kind kind;
	enum cache_mode cache;
	const char *path;		/* dir: the file LLVV-UUID.vol in the pool's folder; device: what was adopted */
	uint64_t size;			/* bytes */
};

/* Makes the sparse file of a new volume, durable with its name. -EEXIST, -ENOSPC, ... Kind dir only. */
RT_MUST_CHECK int vdisk_create(const struct vdisk_options *options);

/* Opens and locks it (-EBUSY: another server has it); -EIO and a log line when its size is not as expected. */
RT_MUST_CHECK int vdisk_open(const struct vdisk_options *options, struct vdisk **out);
void vdisk_close(struct vdisk *disk);

/* Removes the file of a closed volume. An adopted device keeps its data: nothing is done. */
RT_MUST_CHECK int vdisk_destroy(const struct vdisk_options *options);

RT_MUST_CHECK int vdisk_read(struct vdisk *disk, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int vdisk_write(struct vdisk *disk, const void *buf, size_t len, uint64_t offset);

/* The range reads as zeros afterwards; a hole where the pool can, else (or with keep_allocated) written zeros. */
RT_MUST_CHECK int vdisk_zero(struct vdisk *disk, uint64_t offset, uint64_t len, bool keep_allocated);

/* Makes all finished writes durable. Any error is sticky here: every later vdisk_write, zero and sync returns -EIO. */
RT_MUST_CHECK int vdisk_sync(struct vdisk *disk);

/* True after a failed sync; vdisk_accept_loss ends that by an administrator's word. */
bool vdisk_failed(const struct vdisk *disk);
void vdisk_accept_loss(struct vdisk *disk);

/* Kind dir: grows, durably. -EINVAL when smaller. */
RT_MUST_CHECK int vdisk_grow(struct vdisk *disk, uint64_t size);

/* As rt_file_get_run. */
RT_MUST_CHECK int vdisk_get_run(struct vdisk *disk, uint64_t offset, bool *data, uint64_t *end);

/* Space for the range is allocated, so that a later write cannot fail for lack of it. -ENOSPC. */
RT_MUST_CHECK int vdisk_allocate(struct vdisk *disk, uint64_t offset, uint64_t len);

uint64_t vdisk_size(const struct vdisk *disk);
enum cache_mode vdisk_cache_mode(const struct vdisk *disk);
RT_MUST_CHECK int vdisk_allocated(struct vdisk *disk, uint64_t *bytes);

#endif
