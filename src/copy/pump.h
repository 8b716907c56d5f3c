/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump.h - sends what one volume's far side lacks, for as long as it runs: the drain of consistency groups, Global
 * Copy and first copies are the same thing seen from here. Lives on the volume's reactor; pump_start and pump_stop
 * are called there.
 */
#ifndef XDC_COPY_PUMP_H
#define XDC_COPY_PUMP_H

#include "copy/link.h"
#include "rt/rt.h"
#include "volume/volume.h"

struct pump;

/* What stands in the way, for people: the last error of the far side or the disk, 0 when data flow. */
struct pump_state {
	int far_error;				/* the far side's answer, e.g. -ENOSPC, -EPERM */
	int disk_error;				/* the source cannot be read */
	uint64_t sent_bytes;
};

/*
 * Tells reactor 0 that something was acknowledged. One a reactor, owned by whoever waits; it outlives the pumps.
 * Messages of a reactor arrive in order, so after a pump was stopped by rt_call none of its notices is under way.
 */
struct pump_notice {
	struct rt_message message;
	struct rt_cond woken;			/* on reactor 0 */
	bool due;				/* on reactor 0: something was acknowledged since it was cleared */
	bool posted;				/* atomic */
};
void pump_notice_init(struct pump_notice *notice);

/* far_boot_id: acknowledgements of any other far side count for nothing. volume is tracked. -ENOMEM. */
RT_MUST_CHECK int pump_start(struct volume *volume, struct link *link, uint16_t target, uint8_t session, bool journal,
			     const uint8_t far_boot_id[WIRE_ID_SIZE], struct pump_notice *notice, struct pump **out);

/* What is under way counts as unsent. Suspends. NULL is allowed. */
void pump_stop(struct pump *pump);

/* Frames taken from here on belong to the journal of the session. Does not suspend. */
void pump_join(struct pump *pump, uint8_t session);

/* The far side is another one from here on, and nothing that is not durable there counts. Does not suspend. */
void pump_far_restarted(struct pump *pump, const uint8_t far_boot_id[WIRE_ID_SIZE]);

void pump_get_state(const struct pump *pump, struct pump_state *state);

#endif
