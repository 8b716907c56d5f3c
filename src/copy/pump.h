/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - sends what one volume's far side lacks, for as long as it runs: the drain of consistency groups, Global
 * Copy and first copies are the same thing seen from here. Lives on the volume's reactor; pump_start and pump_stop
 * are called there.
 */
#ifndef XDC_COPY_PUMP_H
#define XDC_COPY_PUMP_H

#include "copy/link.h"
#include "copy/notice.h"
#include "copy/pace.h"
#include "rt/rt.h"
#include "volume/target.h"

struct pump;

/* What stands in the way, for people: the last error of the far side or the disk, 0 when data flow. */
struct pump_state {
	int far_error;				/* the far side's answer, e.g. -ENOSPC, -EPERM */
	int disk_error;				/* the source cannot be read */
};

/* What outlives a pump: of the volume, since this system started. */
struct pump_totals {
	uint64_t sent_bytes;			/* acknowledged */
	uint64_t compared_bytes, same_bytes;	/* before they were sent, and so need not be */
	uint64_t followed;			/* writes noted before something was read that the far side took */
};

struct pump_config {
	struct volume_target *volume_target;
	struct link *link;
	uint16_t target;
	uint8_t session;			/* 0: none */
	bool journal;
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* acknowledgements of any other far side count for nothing */
	struct pump_totals *totals;
	struct notice *acked;			/* what no journal keeps was acknowledged, or pump_is_refused */
	enum copy_priority priority;		/* of what is not for a group */
	struct pace_limit *limit;		/* of the path; NULL: none */
};

/* The config is copied. -ENOMEM. */
RT_MUST_CHECK int pump_start(const struct pump_config *config, struct pump **out);

/* What is under way counts as unsent. Suspends. NULL is allowed. */
void pump_stop(struct pump *pump);

/* Where a frame about this volume goes now, and over which channel. Does not suspend. */
struct link_channel *pump_address(const struct pump *pump, struct link_send *send);

/* The far side whose acknowledgements count now, WIRE_ID_SIZE bytes, as long as the caller does not suspend. */
const uint8_t *pump_far_boot_id(const struct pump *pump);

/* Does not suspend. */
void pump_set_priority(struct pump *pump, enum copy_priority priority);

/* Of the path that it sends over, as long as the pair exists; NULL: none. Does not suspend. */
struct pace_limit *pump_limit(const struct pump *pump);

/* Frames taken from here on belong to the journal of the session. Does not suspend. */
void pump_join(struct pump *pump, uint8_t session);

/* The far side is another one from here on, and nothing that is not durable there counts. Does not suspend. */
void pump_far_restarted(struct pump *pump, const uint8_t far_boot_id[WIRE_ID_SIZE]);

/* The far side obeys this source no more, or not in what it sent: it may have been recovered. Does not suspend. */
bool pump_is_refused(const struct pump *pump);

void pump_get_state(const struct pump *pump, struct pump_state *state);

#endif
