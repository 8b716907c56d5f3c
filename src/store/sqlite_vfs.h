/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sqlite_vfs.h - SQLite on the runtime: its files, memory, clock, sleep and randomness come from rt, so that the
 * database runs in the simulator and meets its crashes. Used by meta_db.c alone.
 *
 * SQLite here has no mutexes on connections: one fiber uses a connection, and is suspended inside SQLite while a
 * file is read, written or synced. What SQLite keeps for the whole process is static and holds no memory of mem.h,
 * so it outlives a simulated system whose memory goes with it.
 */
#ifndef XDC_STORE_SQLITE_VFS_H
#define XDC_STORE_SQLITE_VFS_H

#include <sqlite3.h>

#include "rt/rt.h"

#define SQLITE_VFS_NAME	"xdc"

/*
 * Makes SQLite of this process run on rt, once; and lets its randomness begin anew from rt_random, so that a run in
 * the simulator depends on its seed alone. Before every sqlite3_open_v2. 0, -ENOMEM. Does not suspend.
 */
RT_MUST_CHECK int sqlite_vfs_setup(void);

/* -ENOSPC, -ENOMEM, -EBUSY, -EBADMSG (damaged, or not a database), else -EIO. Not for SQLITE_OK, ROW and DONE. */
RT_MUST_CHECK int sqlite_errno(int sqlite_code);

#endif
