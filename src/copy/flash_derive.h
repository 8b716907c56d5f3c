/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_derive.h - the map of a relation whose source and target are brought together again, from the maps that it had.
 * Both volumes are closed to writes. Private to copy/.
 */
#ifndef XDC_COPY_FLASH_DERIVE_H
#define XDC_COPY_FLASH_DERIVE_H

#include "copy/flash.h"

enum flash_turn {
	/* The target is to show the source as it is now: its own stays what it holds and neither was written since. */
	FLASH_RESYNC,
	/*
	 * The source is to show the target as it is now: its own is all but what the target holds; of that, where
	 * writes are recorded, only what was written since.
	 */
	FLASH_REVERSE,
};

/* Whether a block is the new target's own. written: in a track that was; true where that is not recorded. */
bool flash_turn_owns(enum flash_turn turn, bool kept, bool written);

/*
 * Fills the map that the record names, which was made empty and is not in use. On any error it is of no use. Suspends.
 */
RT_MUST_CHECK int flash_derive(struct flash *flash, enum flash_turn turn, const struct record_flash *next);

#endif
