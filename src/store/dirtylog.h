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
#define DIRTYLOG_WHOLE		UINT32_MAX	/* instead of a region: all of the volume */

struct dirtylog;

/*
 * Opens or makes the preallocated log file with room for max_regions (default 1,024: 4 GiB). A record with a wrong
 * magic or checksum is named in the log and the call fails with -EBADMSG: nothing is guessed. -EPROTONOSUPPORT: a newer
 * version; others of the file. Suspends.
 */
RT_MUST_CHECK int dirtylog_open(const char *path, uint32_t max_regions, struct dirtylog **out);
void dirtylog_close(struct dirtylog *log);

/*
 * Calls each for all regions that were dirty when the log was opened, and with DIRTYLOG_WHOLE for all volumes that are
 * noted as a whole; each must not suspend.
 */
void dirtylog_each(struct dirtylog *log, void (*each)(void *arg, uint16_t volume, uint32_t region), void *arg);

/* True when the region is noted durably: the write path asks this first, without suspension. */
bool dirtylog_is_dirty(const struct dirtylog *log, uint16_t volume, uint32_t region);

/*
 * Suspends until the region is noted durably (group commit: one write serves all that wait). At the limit it wakes the
 * owner's cleaner (dirtylog_pressure) and waits for a slot, but not for long: then the volume that has the most of them
 * is noted as a whole, which takes no slot. Negative errno of the write: the region counts as dirty.
 */
RT_MUST_CHECK int dirtylog_mark(struct dirtylog *log, uint16_t volume, uint32_t region);

/* The region is clean: in memory at once, on disk with the next group. Does not suspend. */
void dirtylog_clean(struct dirtylog *log, uint16_t volume, uint32_t region);

/* All regions of a volume are clean (its pair is gone). */
void dirtylog_forget_volume(struct dirtylog *log, uint16_t volume);

/*
 * Suspends until the regions (also DIRTYLOG_WHOLE) are noted durably as if they had been found when the log was opened;
 * where there is no room, the volume as a whole. Negative errno of the write, -ETIMEDOUT, -ECANCELED: not all are.
 */
RT_MUST_CHECK int dirtylog_take_over(struct dirtylog *log, uint16_t volume, const uint32_t *regions, uint32_t count);

/* ---- volumes as a whole: every region of them counts as dirty ---- */

bool dirtylog_is_whole(const struct dirtylog *log, uint16_t volume);

/* Suspends until the volume is noted durably as a whole. Negative errno of the write; -ECANCELED: it was forgotten. */
RT_MUST_CHECK int dirtylog_mark_whole(struct dirtylog *log, uint16_t volume);

/*
 * A volume that is noted as a whole has only these dirty regions left: suspends until they are noted one by one, and
 * then it is not whole any more. While that lasts only regions that are noted by themselves count as dirty. -ENOSPC:
 * more regions than dirtylog_room; -EALREADY: it is not noted as a whole, or is again; errors of the write: it still
 * is; -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int dirtylog_refine(struct dirtylog *log, uint16_t volume, const uint32_t *regions, uint32_t count);

/* ---- counts ---- */

/* Regions that have a slot now, how many more can; volumes that are noted as a whole, or will be. */
uint32_t dirtylog_count(const struct dirtylog *log);
uint32_t dirtylog_room(const struct dirtylog *log);
uint32_t dirtylog_count_whole(const struct dirtylog *log);
bool dirtylog_counts_whole(const struct dirtylog *log, uint16_t volume);	/* it is among these */

/* Whether somebody waits for a slot; the condition is woken when one begins to. */
struct rt_cond *dirtylog_pressure(struct dirtylog *log);
bool dirtylog_has_waiters(const struct dirtylog *log);

#endif
