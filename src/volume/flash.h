/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash.h - FlashCopy between two volumes of this system: the data. A target shows what its source was when the
 * relation was established, and what was written to the target since. What the map of the relation has is on the
 * target's own disk; all else is read from the source, through the source's own relation if it is a target too.
 *
 * Before a block of the source is overwritten, its old content is on the target's disk and durably in the map
 * (flash_source.c). A block that is written on the target is whole on its disk, and durably in the map, before the
 * write is answered (flash_target.c). Whoever makes relations (copy/flash.h) calls this; the order of locks is: blocks
 * of a source before those of its targets. A target waits for no lock of its source.
 */
#ifndef XDC_VOLUME_FLASH_H
#define XDC_VOLUME_FLASH_H

#include "store/flashmap.h"
#include "volume/volume.h"

#define FLASH_TARGETS_MAX	12u	/* of one source */

/* A relation, in the memory of whoever attaches it. */
struct volume_flash {
	/* Given at creation, see volume_flash_init. The volumes stay open while it is attached. */
	struct volume *source;
	struct volume *target;			/* NULL: it is not there, and fails when it is to keep something */
	struct flashmap *map;			/* opened on the target's reactor; a bit a block */
	struct flashmap *changed;		/* the same; a track that was written; NULL: not recorded */
	/*
	 * The target cannot keep blocks any more: called once, on its reactor, shielded, before the source goes on; may
	 * suspend. 0 when it is durable that the relation has failed; else the write of the source fails.
	 */
	int (*failed)(void *arg, int error);
	void *failed_arg;

	_Atomic bool is_done;			/* its source need not keep anything: written there, read on any */

	/* the target's reactor */
	unsigned users;				/* reads, writes and keeps of the target that use the relation */
	struct rt_cond unused;
	int error;				/* it has failed: what is on the target is of no use */
	struct rt_mutex failing;

	/* the source's reactor */
	struct list_head link;
	unsigned keeps;				/* under way */
	struct rt_cond kept;
};

/* Makes a relation ready to be attached; what is given at creation is for the caller to fill in. */
void volume_flash_init(struct volume_flash *flash);

/*
 * The target shows the relation from here on. On its reactor; no request of it is under way, and it has no relation as
 * target. -EBUSY: it is growing. Does not suspend.
 */
RT_MUST_CHECK int volume_flash_attach_target(struct volume_flash *flash);

/*
 * Writes of the volume may be answered before their old blocks are kept, where its cache mode allows that; what the
 * death of the process leaves of them is in this file (store/latelog.h). On its reactor. Negative errno: they are not.
 * Once is enough for as long as it is open.
 */
RT_MUST_CHECK int volume_late_open(struct volume *volume, const char *path);

/*
 * From here on the source keeps old blocks for the target. On the source's reactor, while it is frozen: the moment that
 * the target shows. -ENOMEM; -EBUSY: it grows, or has grown. Does not suspend.
 */
RT_MUST_CHECK int volume_flash_attach_source(struct volume_flash *flash);

/*
 * The source asks nothing of the target any more. On the source's reactor. Suspends for what is under way; certain to
 * end.
 */
void volume_flash_detach_source(struct volume_flash *flash);

/* The target is a volume of its own again, with what lies on its disk. On its reactor. Suspends likewise. */
void volume_flash_detach_target(struct volume_flash *flash);

/*
 * Other maps instead of those that it has, which are given back. On the target's reactor; nobody uses the target. Then,
 * on the source's reactor: what was known to be kept is not any more. Neither suspends.
 */
void volume_flash_use_maps(struct volume_flash *flash, struct flashmap **map, struct flashmap **changed);
void volume_flash_forget_kept(struct volume *source);

/*
 * Background copy: makes the next run of at most 1 MiB at or after block *from, that is not yet the target's own, its
 * own, and moves *from behind it; at the end of the volume all of them, durably. On the target's reactor. Suspends.
 * Errors of the disks, which harm nothing: what was not copied is read from the source still.
 */
RT_MUST_CHECK int volume_flash_copy(struct volume_flash *flash, uint64_t *from);

/* Every block is the target's own, durably: it needs its source no more. On the target's reactor. */
bool volume_flash_is_whole(const struct volume_flash *flash);

/* The volume is the source, or the target, of some relation now. On its reactor. */
bool volume_is_flash_source(const struct volume *volume);
bool volume_is_flash_target(const struct volume *volume);

#endif
