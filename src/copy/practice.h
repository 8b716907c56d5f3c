/* SPDX-License-Identifier: Apache-2.0 */
/*
 * practice.h - a copy of a group at the far side to practise with, while groups go on: FlashCopies of the target
 * volumes, made while the legs of the session are held at one group (leg_hold.h). Private to copy/, reactor 0; the
 * commands are in copy.h.
 *
 * Its volumes are made first, closed to hosts, and name the session; all FlashCopies and the record of the practice
 * copy become durable in one step. Without that record what there is of it is left over, and is removed at the next
 * start or by the next command.
 */
#ifndef XDC_COPY_PRACTICE_H
#define XDC_COPY_PRACTICE_H

#include "copy/engine.h"

/* -ENOMEM. */
RT_MUST_CHECK int practice_take_up(struct copy *copy, const struct record_practice *record);
void practices_drop(struct copy *copy);

#endif
