/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_content.h - the bytes of one simulated file: what programs see (the page cache) and, for each page that
 * was not synced since it changed, what the device held before. Private to the simulator; knows nothing of
 * names, time or fibers.
 *
 * After a power loss each unsynced page is, by chance, kept, dropped, or torn at 512-byte sectors; the size is
 * the durable one, the newest, or one between; a cut (set_size to less) that was not synced is kept or undone
 * as a whole. A page that is changed again while unsynced may have been written back before that, so older
 * unsynced content can be what survives.
 */
#ifndef XDC_RT_SIM_CONTENT_H
#define XDC_RT_SIM_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rt/list.h"
#include "rt/sim_page.h"
#include "rt/sim_rand.h"


/* The space of a file system, in pages; shared by its files. */
struct sim_space {
	uint64_t total, used;
};

struct sim_content {
	struct sim_space *space;	/* NULL: a device, which has all of its space */
	struct sim_rand *rand;
	void *root;			/* 64-way tree of chunks by page number */
	unsigned height;		/* levels above the chunks */
	struct list_head changed;	/* chunks with unsynced pages */
	uint64_t size;
	uint64_t durable_size;
	uint64_t cut_to;		/* lowest set_size since the last sync that covers it; UINT64_MAX: none */
	uint64_t allocated;		/* pages */
	uint64_t unsynced;		/* pages that a sync would have to write */
	bool holds_space;
	uint64_t clock;			/* counts changes, to tell what a sync covers */
	uint64_t syncing;		/* newest sync under way covers changes up to this; 0: none */
	uint64_t cut_at, durable_at;	/* by clock: the last cut, the sync that set durable_size */
};

/* What a sync covers: the changes up to its beginning. */
struct sim_sync {
	uint64_t upto;
	uint64_t size;
};

/* Counts of what a power loss did, in pages. */
struct sim_loss {
	uint64_t kept, dropped, torn;
};

void sim_content_init(struct sim_content *content, struct sim_space *space, struct sim_rand *rand);
void sim_content_destroy(struct sim_content *content);	/* gives its space back */

/* The space it takes counts in its file system, or does not while an unlink could still be undone. */
void sim_content_hold_space(struct sim_content *content, bool hold);

/* The range must lie in the file. direct: what a failed sync dropped reads as the device has it. */
void sim_content_read(const struct sim_content *content, void *buf, size_t len, uint64_t offset, bool direct);

/* 0 or -ENOSPC, then a first part is written. Grows the file. */
int sim_content_write(struct sim_content *content, const void *buf, size_t len, uint64_t offset);

/* 0 or -ENOSPC, then a first part is allocated. Grows the file. */
int sim_content_allocate(struct sim_content *content, uint64_t offset, uint64_t len);
void sim_content_punch(struct sim_content *content, uint64_t offset, uint64_t len);
void sim_content_set_size(struct sim_content *content, uint64_t size);

/* As rt_file_get_run: written pages are data. */
void sim_content_get_run(const struct sim_content *content, uint64_t offset, bool *data, uint64_t *end);

/*
 * A sync is begun, and later either ended or failed. A failed one drops what it covers: it is clean but not on
 * the device.
 */
struct sim_sync sim_content_sync_begin(struct sim_content *content);
void sim_content_sync_end(struct sim_content *content, const struct sim_sync *sync);
void sim_content_sync_fail(struct sim_content *content, const struct sim_sync *sync);

/* Programs see what the device has, where a failed sync left something else. */
void sim_content_drop_cached(struct sim_content *content);

/* The sync will never end: its system crashed. What it would have covered is as unsynced as before. */
void sim_content_sync_drop(struct sim_content *content, const struct sim_sync *sync);

/*
 * The same past the page cache: over data that are durably there it is durable itself, since the device has it;
 * where space had to be found it is like any other write until it is synced.
 */
int sim_content_write_direct(struct sim_content *content, const void *buf, size_t len, uint64_t offset);

/* Makes one range durable at once (writes with DSYNC). */
void sim_content_sync_range(struct sim_content *content, uint64_t offset, uint64_t len);

void sim_content_lose_power(struct sim_content *content, struct sim_loss *loss);

#endif
