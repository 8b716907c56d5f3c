/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash_derive.h - the map of a relation whose source and target are brought together again, from the maps that it had.
 * Private to copy/; reactor 0.
 *
 * For a resync it is made while hosts write the source, which takes as long as its size asks for; what they write
 * meanwhile is noted, and taken out of the map again in a moment while the source is frozen. Nobody writes the target.
 * What is only in the log of the relation was written on the source, and so is not the new one's own: the log is given
 * up as it is. For the other way round it is emptied first: there, what the target holds counts.
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
 * Fills the map that the record names, which was made empty and is not in use; both volumes are closed to writes. On
 * any error it is of no use. Suspends.
 */
RT_MUST_CHECK int flash_derive_reverse(struct flash *flash, const struct record_flash *next);

/* The maps of what a relation is to be after a resync. All zeros: there are none. */
struct flash_derived {
	struct flash *flash;
	struct flash_maps maps;
	struct volume_flash_fresh *fresh;
};

/*
 * Opens the maps that the record names, which were made empty, and fills them. Then, any number of times, they are
 * brought to what was written by the time of the call; in the end while the source is frozen. After an error of either
 * they are of no use; of the first there are none. Suspend.
 */
RT_MUST_CHECK int flash_derive_begin(struct flash *flash, const struct record_flash *next,
				     struct flash_derived *derived);
RT_MUST_CHECK int flash_derive_catch_up(struct flash_derived *derived);

/* The record that names them is durable, and the source frozen still: they are in force. Suspends. */
void flash_derive_use(struct flash_derived *derived);

/* Instead, or after that: nothing of it is left. Suspends, shielded. */
void flash_derive_end(struct flash_derived *derived);

#endif
