/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.h - the metadata: configuration and states that change rarely, durable in a SQLite database of the state
 * folder. Everything is loaded once at the start and answered from memory afterwards (by control/ and copy/); here
 * is only what makes changes durable. The rows may be read with any SQLite tool while xdcd is stopped.
 *
 * One fiber owns the connection and serves one request after the other. Called from any reactor of the system; all
 * functions suspend.
 */
#ifndef XDC_STORE_META_H
#define XDC_STORE_META_H

#include "rt/rt.h"
#include "store/records.h"

#define META_FILE_NAME	"config.db"	/* in the state folder, with config.db-wal beside it while xdcd runs */
#define META_LOCK_NAME	"lock"		/* in the state folder: held as long as it is open */

struct meta;

/*
 * Opens the metadata of a state folder (which exists), or makes them when the folder has none; the folder is locked
 * until meta_close. The calling reactor serves them. Every error but -ENOMEM, -ETIMEDOUT and -ECANCELED is
 * explained in the log: -EBUSY         another xdcd uses the folder -EBADMSG           the database is damaged or
 * not of xdc: nothing is guessed, nothing was changed -EPROTONOSUPPORT it was written by a newer xdc -EIO, -ENOSPC,
 * -EACCES, ...
 */
RT_MUST_CHECK int meta_open(const char *folder, struct meta **out);

/* After the last call has returned. Everything is durable already. NULL is allowed. */
void meta_close(struct meta *meta);

/*
 * Calls visit for every record, kind after kind, by keys. It runs on the reactor of meta_open, must not suspend,
 * and must not keep the record; what it returns other than 0 ends the load and is returned. -EBADMSG: a damaged
 * row, named in the log; -ENOMEM.
 */
typedef int (*meta_visit)(void *arg, enum meta_kind kind, const void *record);
RT_MUST_CHECK int meta_load(struct meta *meta, meta_visit visit, void *arg);

enum meta_op {
	META_PUT,		/* makes the record, or replaces the one with its key */
	META_DELETE,		/* of the record only the key is looked at; none with that key is no error */
};

struct meta_change {
	enum meta_op op;
	enum meta_kind kind;
	const void *record;	/* struct record_KIND; read until meta_commit returns */
};

/*
 * All changes of the group are made, in order and durably, or none: 0. Otherwise nothing has changed: -ENOSPC,
 * -ENOMEM, -ERANGE (a value that its column cannot hold, named in the log), -ETIMEDOUT and -ECANCELED (only before
 * its turn came). -EIO: the disk failed; the next start will tell whether this group is there, and until then every
 * commit returns -EIO.
 */
RT_MUST_CHECK int meta_commit(struct meta *meta, const struct meta_change *changes, unsigned count);

/*
 * Calls emit on the calling fiber with each row as one line of JSON, without its newline:
 * {"table":"volume","id":"1500",...}. It may suspend; commits go on meanwhile, so rows are each whole, but not of
 * one moment. What it returns other than 0 ends the dump and is returned. -ENOMEM, -EIO, -EBADMSG.
 */
typedef int (*meta_emit)(void *arg, const char *line);
RT_MUST_CHECK int meta_dump(struct meta *meta, meta_emit emit, void *arg);

#endif
