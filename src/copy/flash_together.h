/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_together.h - FlashCopies of this system, resynced at one moment: first no write of their sources is under way,
 * then all targets show them as they are then, durably, and then hosts go on. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_FLASH_TOGETHER_H
#define XDC_COPY_FLASH_TOGETHER_H

#include "copy/engine.h"

struct flash_together;

/*
 * Which: those that record what is written, of all volumes of a session of type flashcopy, each of which has at least
 * one; or, when session is 0, those of these targets.
 */
struct flash_choice {
	uint8_t session;
	const uint16_t *targets;
	unsigned count;
};

/*
 * Hosts of the sources wait from here on, until then at most; no other command on FlashCopies is carried out. NULL with
 * the fault: nothing has changed. Suspends.
 */
struct flash_together *flash_together_hold(struct copy *copy, const struct flash_choice *choice, int64_t until_ns,
					   struct fault *fault);

/* All targets show their sources as they are now: 0. -1 with the fault: none does. Hosts wait still. Suspends. */
int flash_together_turn(struct flash_together *together, struct fault *fault);

/* Hosts go on; frees it. Suspends. */
void flash_together_end(struct flash_together *together);

/* How many those of a session are. Does not suspend. */
unsigned flash_together_count(struct copy *copy, uint8_t session);

#endif
