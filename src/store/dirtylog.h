/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirtylog.h - which regions of paired volumes may differ from their far side: noted durably before the first write to
 * a region since it was last clean, so that a crash of the source forgets nothing. One log a reactor and state folder;
 * all calls on that reactor.
 */
#ifndef XDC_STORE_DIRTYLOG_H
#define XDC_STORE_DIRTYLOG_H

#include "rt/rt.h"

#define DIRTYLOG_REGION_SIZE	(4u << 20)

struct dirtylog;

/*
 * Opens or makes the preallocated log file with room for max_regions (default 1,024: 4 GiB). A record with a wrong
 * magic, version or checksum is named in the log and the call fails with -EBADMSG: nothing is guessed.
 */
RT_MUST_CHECK int dirtylog_open(const char *path, uint32_t max_regions, struct dirtylog **out);
void dirtylog_close(struct dirtylog *log);

/* Calls each for all regions that were dirty when the log was opened; each must not suspend. */
void dirtylog_each(struct dirtylog *log, void (*each)(void *arg, uint16_t volume, uint32_t region), void *arg);

/* True when the region is noted durably: the write path asks this first, without suspension. */
bool dirtylog_is_dirty(const struct dirtylog *log, uint16_t volume, uint32_t region);

/*
 * Suspends until the region is noted durably (group commit: one write serves all that wait). At the limit it wakes the
 * owner's cleaner (dirtylog_pressure) and waits for a slot. Negative errno of the write: the region counts as dirty.
 */
RT_MUST_CHECK int dirtylog_mark(struct dirtylog *log, uint16_t volume, uint32_t region);

/* The region is clean: in memory at once, on disk with the next group. Does not suspend. */
void dirtylog_clean(struct dirtylog *log, uint16_t volume, uint32_t region);

/* All regions of a volume are clean (its pair is gone). */
void dirtylog_forget_volume(struct dirtylog *log, uint16_t volume);

/* Regions dirty now, the limit, and whether somebody waits for a slot; the condition is woken when one begins to. */
uint32_t dirtylog_count(const struct dirtylog *log);
uint32_t dirtylog_limit(const struct dirtylog *log);
struct rt_cond *dirtylog_pressure(struct dirtylog *log);
bool dirtylog_has_waiters(const struct dirtylog *log);

#endif
