/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h - files and folders. Every function suspends unless its comment says otherwise; every one may also return
 * -ETIMEDOUT or -ECANCELED by the rules of rt.h, but a read or write that has begun returns only when the kernel no
 * longer uses the buffer, so buffers may live on the stack or be freed at once. A file may be used by several fibers at
 * the same time, and from any reactor.
 */
#ifndef XDC_RT_FILE_H
#define XDC_RT_FILE_H

#include "rt/rt.h"

struct rt_file;

enum rt_file_flags {
	RT_FILE_WRITE = 1,	/* for reading and writing; without it only for reading */
	RT_FILE_CREATE = 2,	/* make it when it does not exist (mode 0600) */
	RT_FILE_NEW = 4,	/* with CREATE: -EEXIST when it exists */
	RT_FILE_DIRECT = 8,	/* O_DIRECT: buffer, length and offset are multiples of 4096 */
	RT_FILE_DSYNC = 16,	/* a write returns when it is durable */
	RT_FILE_LOCK = 32,	/* -EBUSY when another process has it open with LOCK; block devices are opened O_EXCL */
	RT_FILE_ONE_OF_MANY = 64,	/* -EMFILE also while only so few may still be opened as all else may need */
};

/* How many files and connections the process may have open. Does not suspend. */
unsigned rt_files_max(void);

/* 0 and *out, which the caller closes; else a negative errno of open(2); -EINVAL: a FIFO. */
RT_MUST_CHECK int rt_file_open(const char *path, unsigned flags, struct rt_file **out);
void rt_file_close(struct rt_file *file);	/* shielded; suspends; NULL is allowed */

/* Bytes read: len, or fewer (also 0) only where the file ends. Negative errno. */
RT_MUST_CHECK ssize_t rt_file_read(struct rt_file *file, void *buf, size_t len, uint64_t offset);

/*
 * 0 when all len bytes are written (in memory or on disk as opened); -ENOSPC, -EIO and others: any part may be written.
 */
RT_MUST_CHECK int rt_file_write(struct rt_file *file, const void *buf, size_t len, uint64_t offset);

/* fdatasync. After an error the caller must take all unsynced writes for lost: the kernel reports it once. */
RT_MUST_CHECK int rt_file_sync(struct rt_file *file);

/* Starts writing out dirty pages of the range (sync_file_range WRITE) to pace later syncs; proves nothing. */
void rt_file_start_writeout(struct rt_file *file, uint64_t offset, uint64_t len);

/*
 * The kernel forgets what it holds in memory of the file, so that the next read shows what the device has; only what is
 * not dirty: after a good sync. For what a failed sync left behind, which looks as if it were written.
 */
RT_MUST_CHECK int rt_file_drop_cached(struct rt_file *file);

/* Allocates space for the range, growing the file if need be; contents stay, new bytes read as zeros. -ENOSPC. */
RT_MUST_CHECK int rt_file_allocate(struct rt_file *file, uint64_t offset, uint64_t len);

/* The range becomes a hole (reads as zeros); the file keeps its size. -EOPNOTSUPP where the file system cannot. */
RT_MUST_CHECK int rt_file_punch(struct rt_file *file, uint64_t offset, uint64_t len);

/*
 * The first len bytes of the file, whole blocks, become those of the other, and no space is taken until one of them is
 * written; durable with the next sync of it. Nobody writes either meanwhile. A call that failed or was cut short may
 * have done a part. -EOPNOTSUPP: the file system cannot, or not from there to here; for len 0 that is all that is found
 * out.
 */
RT_MUST_CHECK int rt_file_clone(struct rt_file *file, struct rt_file *from, uint64_t len);

RT_MUST_CHECK int rt_file_set_size(struct rt_file *file, uint64_t size);

struct rt_file_info {
	uint64_t size;			/* bytes; of a block device its capacity */
	uint64_t allocated;		/* bytes that take space */
	bool is_device;			/* a block device */
	bool is_folder;
	bool others_may_read;		/* all users of the machine */
};
RT_MUST_CHECK int rt_file_get_info(struct rt_file *file, struct rt_file_info *info);

/*
 * The run of data or hole that begins at offset: *data says which, *end (exclusive, <= size) where it ends. Where the
 * file system cannot tell, all is data. offset < size.
 */
RT_MUST_CHECK int rt_file_get_run(struct rt_file *file, uint64_t offset, bool *data, uint64_t *end);

/* ---- names ---- */
RT_MUST_CHECK int rt_path_info(const char *path, struct rt_file_info *info);	/* -ENOENT, ... */
RT_MUST_CHECK int rt_path_unlink(const char *path);
RT_MUST_CHECK int rt_path_rename(const char *from, const char *to);		/* replaces to */
RT_MUST_CHECK int rt_path_make_folder(const char *path);			/* mode 0700; -EEXIST */
RT_MUST_CHECK int rt_path_sync_folder(const char *path);			/* makes names in it durable */
RT_MUST_CHECK int rt_path_sync_parent(const char *path);	/* the same of the folder that path stands in */

/*
 * Calls each(arg, name) for every name in the folder but . and .., in sorted order; each must not suspend; non-zero
 * ends it.
 */
RT_MUST_CHECK int rt_path_list(const char *path, int (*each)(void *arg, const char *name), void *arg);

/* Space of the file system that holds path, in bytes. */
RT_MUST_CHECK int rt_path_space(const char *path, uint64_t *total, uint64_t *free);

#endif
