/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vdisk.h - pools, and the bytes of one volume in its pool. The volume layer above decides order and locking; here
 * a read is a read. All functions suspend unless they say otherwise, on any fiber of the one reactor that opened
 * the disk and closes it; -ETIMEDOUT and -ECANCELED as in rt.h.
 *
 * Offsets and lengths are bytes, any alignment, inside the disk (asserted): with cache mode direct an unaligned
 * request is read, changed and written as whole 4 KiB blocks; the caller holds the lock of the blocks it touches.
 *
 * Cache mode writeback promises that a write is durable after the next good vdisk_sync; direct, that a write or
 * zero which has returned 0 has reached the device, together with what is needed to find it there.
 */
#ifndef XDC_STORE_VDISK_H
#define XDC_STORE_VDISK_H

#include "rt/rt.h"

#define XDC_BLOCK_SIZE		4096u
#define XDC_TRACK_SIZE		65536u
#define XDC_BLOCKS_PER_TRACK	16u
#define XDC_SECTOR_SIZE		512u	/* the size of an adopted device is a multiple of this, all others of a block */

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
	bool is_new;			/* it may be refused at the limit of open files: -EMFILE */
	bool failed;			/* opened in the state after a failed sync, which an earlier run recorded */
	/* A sync has failed: called before anybody is told, on the disk's reactor, shielded; may suspend. Or NULL. */
	void (*sync_failed)(void *arg);
	void *sync_failed_arg;
};

/* Makes the sparse file of a new volume, durable with its name. -EEXIST, -ENOSPC, ... Kind dir only. */
RT_MUST_CHECK int vdisk_create(const struct vdisk_options *options);

/*
 * Opens and locks it. -EBUSY: another server has it; -EIO and a log line when it is shorter than it should be or of
 * another kind; -EINVAL: size 0 or not whole blocks (sectors), or the file system has no O_DIRECT. A file that is
 * longer is the trace of a vdisk_grow that was not recorded: the rest is not used.
 */
RT_MUST_CHECK int vdisk_open(const struct vdisk_options *options, struct vdisk **out);

/* Waits for its background work. Makes nothing durable: sync first. NULL is allowed. */
void vdisk_close(struct vdisk *disk);

/*
 * Removes the file of a closed volume; 0 also when it is gone already. An adopted device keeps its data: nothing is
 * done.
 */
RT_MUST_CHECK int vdisk_destroy(const struct vdisk_options *options);

/* -EIO, -ENOMEM; write also -ENOSPC: then any part may be written, and everything else goes on. len > 0. */
RT_MUST_CHECK int vdisk_read(struct vdisk *disk, void *buf, size_t len, uint64_t offset);
RT_MUST_CHECK int vdisk_write(struct vdisk *disk, const void *buf, size_t len, uint64_t offset);

/* The same for who syncs afterwards: durable after the next good vdisk_sync in either cache mode. */
RT_MUST_CHECK int vdisk_write_unsynced(struct vdisk *disk, const void *buf, size_t len, uint64_t offset);

/* The range reads as zeros afterwards; a hole where the pool can, else (or with keep_allocated) written zeros. */
RT_MUST_CHECK int vdisk_zero(struct vdisk *disk, uint64_t offset, uint64_t len, bool keep_allocated);

/*
 * Makes all finished writes durable; concurrent callers share one fdatasync. Any failure of it is sticky: this and
 * every later vdisk_write, zero, grow and sync returns -EIO. -ENOMEM, -ETIMEDOUT and -ECANCELED of the caller are
 * not failures of the disk.
 */
RT_MUST_CHECK int vdisk_sync(struct vdisk *disk);

/* As if a sync had failed: a write that was answered cannot be done. Suspends, shielded. */
void vdisk_give_up(struct vdisk *disk);

/* A write that returned 0 has reached the device. Does not suspend. */
bool vdisk_is_direct(const struct vdisk *disk);

/* True after a failed sync. Does not suspend. */
bool vdisk_failed(const struct vdisk *disk);

/*
 * Ends that by an administrator's word; from here on reads show what the device has, not what was lost and is in
 * memory still. -EIO: the disk fails to sync now as well, and stays failed; -ENOMEM.
 */
RT_MUST_CHECK int vdisk_accept_loss(struct vdisk *disk);

/* Kind dir: grows, durably. -EINVAL when smaller or not whole blocks, -EOPNOTSUPP: adopted. */
RT_MUST_CHECK int vdisk_grow(struct vdisk *disk, uint64_t size);

/*
 * The disk becomes what the other is, which is as large and of the same pool, and takes no space until either is
 * written; durable after the next good vdisk_sync. Nobody reads or writes this one meanwhile, nor writes the other,
 * which may be another reactor's. A call that failed or was cut short may have done a part. -EOPNOTSUPP: it cannot, as
 * the second says before.
 */
RT_MUST_CHECK int vdisk_clone(struct vdisk *disk, const struct vdisk *from);
RT_MUST_CHECK int vdisk_can_clone(struct vdisk *disk, const struct vdisk *from);

/* As rt_file_get_run. */
RT_MUST_CHECK int vdisk_get_run(struct vdisk *disk, uint64_t offset, bool *data, uint64_t *end);

/* Do not suspend. */
uint64_t vdisk_size(const struct vdisk *disk);
bool vdisk_makes_holes(const struct vdisk *disk);	/* vdisk_zero costs no writes; any reactor */

/* Bytes of its pool that the disk takes. */
RT_MUST_CHECK int vdisk_allocated(struct vdisk *disk, uint64_t *bytes);

#endif
