/* SPDX-License-Identifier: Apache-2.0 */
/* leg_apply.h - brings committed groups from a leg's journal to the target volumes. Reactor 0; private to copy/. */
#ifndef XDC_COPY_LEG_APPLY_H
#define XDC_COPY_LEG_APPLY_H

#include "copy/engine.h"

struct leg;

/* What the applier of the leg works with, to be freed by mem_free. -ENOMEM. */
RT_MUST_CHECK int leg_pass_make(struct leg *leg);

/* The fiber of a leg (struct leg *): applies what is committed, for as long as it runs. */
void leg_apply(void *leg);

/*
 * Makes durable what was written to these target volumes. -ENOENT: one does not exist; else as volume_apply_sync.
 * Suspends.
 */
RT_MUST_CHECK int leg_sync_volumes(struct copy *copy, const uint16_t *volumes, uint32_t count);

/* The same for what no journal holds (volume_apply_sync_bare): what the first copy wrote straight into them. */
RT_MUST_CHECK int leg_sync_bare(struct copy *copy, const uint16_t *volumes, uint32_t count);

#endif
