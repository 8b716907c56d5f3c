/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_together.h - the FlashCopies of the volumes of a session of type flashcopy on this system, resynced at one
 * moment: first no write of their sources is under way, then all targets show them as they are then, durably, and then
 * hosts go on. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_FLASH_TOGETHER_H
#define XDC_COPY_FLASH_TOGETHER_H

#include "copy/engine.h"

struct flash_together;

/*
 * Those that record what is written, of all volumes of the session, each of which has at least one. Hosts of the
 * sources wait from here on, until then at most; no other command on FlashCopies is carried out. NULL with the fault:
 * nothing has changed. Suspends.
 */
struct flash_together *flash_together_hold(struct copy *copy, uint8_t session, int64_t until_ns, struct fault *fault);

/* All targets show their sources as they are now: 0. -1 with the fault: none does. Hosts wait still. Suspends. */
int flash_together_turn(struct flash_together *together, struct fault *fault);

/* Hosts go on; frees it. Suspends. */
void flash_together_end(struct flash_together *together);

/* How many there are. Does not suspend. */
unsigned flash_together_count(struct copy *copy, uint8_t session);

#endif
