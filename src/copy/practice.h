/* SPDX-License-Identifier: Apache-2.0 */
/*
 * practice.h - a copy of a group at the far side to practise with, while groups go on: what of it is on this system.
 * FlashCopies of the target volumes, onto volumes that are made for it. Private to copy/, reactor 0.
 *
 * Its volumes are made first, closed to hosts, and name the session; all FlashCopies and the record of the practice
 * copy, pending still, become durable in one step. When all far sides of the session have come so far it is whole
 * (practice_part.h, recover_practice.c). What is there without a record that is whole is left over, and is removed at
 * the next start or by the next command.
 */
#ifndef XDC_COPY_PRACTICE_H
#define XDC_COPY_PRACTICE_H

#include "copy/engine.h"

/* -ENOMEM. */
RT_MUST_CHECK int practice_take_up(struct copy *copy, const struct record_practice *record);
void practices_drop(struct copy *copy);

/* NULL: there is none, neither whole nor pending. */
const struct record_practice *practice_get(struct copy *copy, uint8_t session);

/* There is something of one. */
bool practice_is_any(struct copy *copy, uint8_t session);

/* Nobody uses its volumes. -1 with the fault. Suspends. */
RT_MUST_CHECK int practice_check_remove(struct copy *copy, uint8_t session, struct fault *fault);

/* All that is there of it goes. -1 with the fault: given again it goes on. Suspends. */
RT_MUST_CHECK int practice_remove(struct copy *copy, uint8_t session, struct fault *fault);

/* Makes the FlashCopies, together with the record. -1 with the fault: there is neither. Suspends. */
RT_MUST_CHECK int practice_flash(struct copy *copy, const struct copy_flash_request *requests, unsigned count,
				 const struct record_practice *record, struct fault *fault);

/* The one that is pending is whole from here on, and opened to hosts. -1 with the fault. Suspends. */
RT_MUST_CHECK int practice_commit(struct copy *copy, uint8_t session, struct fault *fault);

/* Opens its volumes to hosts. Suspends. */
void practice_open(struct copy *copy, uint8_t session);

#endif
