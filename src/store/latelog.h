/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latelog.h - writes of one volume that are answered and not yet on its disk, so that the death of the process loses
 * none of them; the loss of power does, as it does all that was not flushed. A file in the page cache, never synced,
 * for volume/late.c. All calls on the volume's reactor; all suspend.
 *
 * A write is put before it is answered, and void before anything else is written to its blocks. At the next start of
 * the program under the same kernel those that are not void are written in the order in which they were put.
 */
#ifndef XDC_STORE_LATELOG_H
#define XDC_STORE_LATELOG_H

#include "rt/rt.h"

#define LATELOG_DATA_MAX	16384u	/* bytes of one write */
#define LATELOG_SLOTS		4096u	/* of writes that are in it at a time */

struct filepool;
struct latelog;

/*
 * Makes it anew, without a write. Its file is open while there are writes in it; files: of the reactor, and whoever has
 * a write in a log waits for no file of that pool. NULL: it stays open. Negative errno.
 */
RT_MUST_CHECK int latelog_create(struct filepool *files, const char *path, struct latelog **out);
void latelog_close(struct latelog *log);

/*
 * len > 0, at most LATELOG_DATA_MAX. *slot names it until it is void. -ENOBUFS: all slots, or all files, are taken; of
 * the file.
 */
RT_MUST_CHECK int latelog_put(struct latelog *log, const void *data, uint32_t len, uint64_t offset, uint32_t *slot);

/* An error leaves it there, and its slot taken. */
RT_MUST_CHECK int latelog_void(struct latelog *log, uint32_t slot);

/* It has what should be void, for good: nothing is put any more. Does not suspend. */
bool latelog_failed(const struct latelog *log);

/*
 * Calls each(arg, ...) for each that is not void, in order, to write it, and removes the file when all are written; of
 * another kernel none is. A file that is not there has none. Errors of the file and of each, which ends it.
 */
typedef int latelog_each(void *arg, const void *data, uint32_t len, uint64_t offset);
RT_MUST_CHECK int latelog_replay(const char *path, latelog_each *each, void *arg);

#endif
