/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filepool.h - files of which there may be more than a process can have open: each is open while it is used, and from
 * then on until others need its place. For maps and logs of FlashCopies, of which most are idle. A pool belongs to one
 * reactor; all calls on that.
 *
 * Who uses a file waits for a place when all others are in use. So nobody waits for another file of the pool meanwhile,
 * nor for anyone who may.
 */
#ifndef XDC_STORE_FILEPOOL_H
#define XDC_STORE_FILEPOOL_H

#include "rt/file.h"

struct filepool;
struct pooled_file;

/*
 * The places for each reactor, of so many for all of them; not fewer than a source with all of its targets needs, so
 * that they are not opened and closed with every write; and all together no more than one in part of the files that the
 * process may have open. At least one. Does not suspend.
 */
unsigned filepool_places(unsigned all, unsigned part);

/* Of so many places, at least one. Does not suspend. NULL: no memory. When it is freed its files are closed. */
struct filepool *filepool_make(unsigned places);
void filepool_free(struct filepool *pool);

/*
 * Opens it (as rt_file_open, without RT_FILE_CREATE at any later time), in use by nobody. pool NULL: it stays open.
 * Errors of rt_file_open; waits for a place. Suspends.
 */
RT_MUST_CHECK int pooled_file_open(struct filepool *pool, const char *path, unsigned flags, struct pooled_file **out);

/* The same of a file that is there: it is opened when it is used, so that nobody waits. -ENOMEM. Does not suspend. */
RT_MUST_CHECK int pooled_file_enter(struct filepool *pool, const char *path, unsigned flags, struct pooled_file **out);

/* Whoever used it has left it, or will never touch it again. NULL is allowed. Suspends, shielded. */
void pooled_file_close(struct pooled_file *file);

/*
 * It is open until pooled_file_leave, which does not suspend. -ENOMEM: the process may open no more files, and none of
 * the pool is idle; -ETIMEDOUT, -ECANCELED; -EIO, and once a line in the log: it cannot be opened again. Suspends. With
 * try nobody waits for a place: -EAGAIN.
 */
RT_MUST_CHECK int pooled_file_use(struct pooled_file *file);
RT_MUST_CHECK int pooled_file_try(struct pooled_file *file);
void pooled_file_leave(struct pooled_file *file);

/* While it is used. */
struct rt_file *pooled_file_get(const struct pooled_file *file);

#endif
