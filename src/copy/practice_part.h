/* SPDX-License-Identifier: Apache-2.0 */
/*
 * practice_part.h - a practice copy that is being made: what one far side does of it, step by step, as the far side
 * orders it where the command was given (recover_practice.c). Private to copy/, reactor 0.
 *
 * Each step may be asked for again, and is done once. When the next one does not come in time the part is undone by
 * itself: whoever orders may have died. It is in memory alone; what it had made is removed at the next start.
 */
#ifndef XDC_COPY_PRACTICE_PART_H
#define XDC_COPY_PRACTICE_PART_H

#include "copy/engine.h"

/* One step, for this far side (or this system, its own). -1 with the fault. Suspends, for less than a minute. */
RT_MUST_CHECK int practice_step(struct copy *copy, const char *initiator, const struct wire_practice *order,
				struct wire_practice_reply *reply, struct fault *fault);

/* Handler of practice (link_server.h): the same. */
int practice_on_step(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/* What a negative errno of practice_on_step stands for. */
enum fault_code practice_fault_code(int error);

/* At the stop of the system: all are given up. Suspends. */
void practice_parts_stop(struct copy *copy);

#endif
