/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirty_logs.h - the dirty logs of a system, private to copy/: one a reactor, each with the regions of the volumes that
 * live there. How many reactors there are may change from start to start, and a file may be lost or damaged; nothing
 * that may differ from a far side is forgotten by that. Reactor 0.
 */
#ifndef XDC_COPY_DIRTY_LOGS_H
#define XDC_COPY_DIRTY_LOGS_H

#include "copy/engine.h"

#define DIRTY_LOGS_MAX	64u			/* reactors of a system */

/* What the metadata say. */
struct dirty_logs_known {
	uint64_t must;				/* a bit for each log that must be there; none: not noted yet */
	uint16_t *volumes;			/* those whose changes are followed for a pair */
	uint32_t count;
};

/*
 * Opens the logs, copy->dirtylogs, and makes those that are new. What lies in the log of another reactor than its
 * volume's, also in one of a reactor that is no more, is moved. A log that must be there and is not, or is damaged: all
 * volumes that are followed are noted as a whole. What is in the logs of other volumes is dropped. Negative errno,
 * after a line in the log; what is open then is closed by dirty_logs_close. Suspends.
 */
RT_MUST_CHECK int dirty_logs_open(struct copy *copy, const struct dirty_logs_known *known);

/* Those that are open. Suspends. */
void dirty_logs_close(struct copy *copy);

#endif
