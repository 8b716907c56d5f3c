/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash.h - FlashCopy relations of this system: what is durable of them, and their life between the start and the stop
 * of xdcd. Private to copy/; the commands are in copy.h, the data in volume/flash.h. Reactor 0.
 *
 * Order of what is durable: a relation is established when its record is; its source is synced before that, so that
 * what the target shows of it survives the power. A relation ends when its record says so, and only then stops its
 * source to keep blocks.
 */
#ifndef XDC_COPY_FLASH_H
#define XDC_COPY_FLASH_H

#include "copy/engine.h"
#include "volume/flash.h"

struct flash {
	struct list_head link;			/* of the copy services */
	struct copy *copy;
	struct record_flash record;
	struct rt_mutex changing;		/* the record; held only while that is made durable */
	bool is_durable;			/* the record was */
	struct volume_flash data;
	bool target_attached, source_attached;
	bool copying;				/* its background copy runs */
	bool stop_copying;
	struct rt_cond copied;			/* that has ended */
	uint64_t copied_blocks;			/* all before are the target's own */
};

/* A relation in memory, of which nothing is attached yet. NULL: no memory. */
struct flash *flash_make(struct copy *copy, const struct record_flash *record);

/* Detaches it and frees it; what is durable stays. Suspends, shielded. */
void flash_put_down(struct flash *flash);

/*
 * At the start, before anything else writes volumes: relations go on where their volumes are open, a target without its
 * source is closed to hosts, and what an earlier run left of ended ones is removed. Negative errno. Suspends.
 */
RT_MUST_CHECK int flash_take_up(struct copy *copy, const struct record_flash *record);
RT_MUST_CHECK int flashes_resume(struct copy *copy);
void flashes_stop(struct copy *copy);

/* NULL: it is no target. Does not suspend. */
struct flash *flash_find_target(struct copy *copy, uint16_t volume);
bool flash_has_source(struct copy *copy, uint16_t volume);

/* True when a relation needs the volume; fault says which. Does not suspend. */
bool flash_remembers_volume(struct copy *copy, uint16_t volume, struct fault *fault);

/* ---- steps of commands, each on the reactor where it belongs. Suspend. ---- */

/* path gets FLASH_PATH_MAX characters. */
#define FLASH_PATH_MAX	(XDC_PATH_MAX + 64u)
void flash_map_path(const struct copy *copy, const uint8_t map[XDC_UUID_LEN], char *path);

RT_MUST_CHECK int flash_attach_target(struct flash *flash);	/* opens the map; errors of that */
RT_MUST_CHECK int flash_attach_source(struct flash *flash);	/* while it is frozen. -ENOMEM */
void flash_detach(struct flash *flash);				/* both, and closes the map */
RT_MUST_CHECK int flash_set_access(struct flash *flash, enum volume_access access);	/* of the target */

/* The target reads as zeros. Errors of vdisk_zero. */
RT_MUST_CHECK int flash_clear_target(struct flash *flash);

/* Errors of vdisk_sync. */
RT_MUST_CHECK int flash_sync(struct volume *volume);

/* Makes the record durable with this state and reason; it stands as it was after an error. */
RT_MUST_CHECK int flash_set_state(struct flash *flash, enum flash_state state, enum flash_reason reason);

/* All is the target's own. Suspends. */
bool flash_is_whole(struct flash *flash, uint64_t *own_blocks);

/* Ends a relation that is FLASH_WITHDRAWING: empties the target and removes the record. */
RT_MUST_CHECK int flash_finish_withdraw(struct flash *flash);

/* Removes its map, when no record names it any more. */
void flash_remove_map(struct copy *copy, const uint8_t map[XDC_UUID_LEN]);

/* Begins the background copy of a relation that has one (flash_copy.c). Does not suspend. */
void flash_begin_copy(struct flash *flash);
void flash_end_copy(struct flash *flash);	/* suspends until it has ended */

/* Removes the record of a relation that is whole, and puts it down: its target is a volume of its own. */
RT_MUST_CHECK int flash_let_go(struct flash *flash);

#endif
