/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flash.h - FlashCopy between two volumes of this system: the data. A target shows what its source was when the
 * relation was established, and what was written to the target since. What the map of the relation has is on the
 * target's own disk, and some blocks are in its log; all else is read from the source, through the source's own
 * relation if it is a target too.
 *
 * Before a block of the source is overwritten, its old content is durably in the log of the relation, or on the
 * target's disk and durably in the map (flash_source.c). What is in the log comes to the target's disk later
 * (flash_fill.c). A block that is written on the target is whole on its disk, and durably in the map, before the write
 * is answered (flash_target.c). Whoever makes relations (copy/flash.h) calls this; the order of locks is: blocks of a
 * source before those of its targets. A target waits for no lock of its source.
 */
#ifndef XDC_VOLUME_FLASH_H
#define XDC_VOLUME_FLASH_H

#include "store/flashmap.h"
#include "store/keptlog.h"
#include "volume/volume.h"

#define FLASH_TARGETS_MAX	12u	/* of one source */
#define FLASH_DEPTH_MAX		32u	/* of a cascade: a read asks source after source on one stack */

/*
 * Tracks of either volume that were written since somebody began to look, and were not noted before. More: there were
 * more of them than there is room for.
 */
#define FLASH_FRESH_MAX	16384u
struct volume_flash_fresh {
	bool more;
	unsigned count;
	struct flash_tracks {
		uint64_t first, end;
	} runs[FLASH_FRESH_MAX];
};

/* A relation, in the memory of whoever attaches it. */
struct volume_flash {
	/* Given at creation, see volume_flash_init. The volumes stay open while it is attached. */
	struct volume *source;
	struct volume *target;			/* NULL: it is not there, and fails when it is to keep something */
	struct flashmap *map;			/* opened on the target's reactor; a bit a block */
	struct flashmap *changed;		/* the same; a track that was written; NULL: not recorded */
	struct keptlog *log;			/* the same; blocks that the map has not yet */
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
	uint64_t uncommitted;			/* blocks that were copied since the last commit for that */
	struct volume_flash_fresh *fresh;	/* whoever looks; NULL: nobody */
	struct rt_mutex failing;
	struct rt_group fillers;		/* one at most, while there is something in the log */
	struct rt_cond short_of_log;
	bool filling;
	struct rt_mutex filling_one;		/* a segment of the log */
	int64_t kept_ns;			/* when something was put there last */

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
 * on the source's reactor: what was known to be kept is not any more. The first suspends, shielded.
 */
void volume_flash_use_maps(struct volume_flash *flash, struct flashmap **map, struct flashmap **changed,
			   struct keptlog **log);
void volume_flash_forget_kept(struct volume *source);

/*
 * What is in the log when it is called comes to the target's disk and into the map, durably. On the target's reactor.
 * Suspends. Errors of the disks, which harm nothing.
 */
RT_MUST_CHECK int volume_flash_settle(struct volume_flash *flash);

/* How many blocks the target has for itself, in the map or the log. On the target's reactor. */
uint64_t volume_flash_own_blocks(const struct volume_flash *flash);

/* How far a background copy has come. All zeros at its beginning. */
struct volume_flash_copying {
	uint64_t next;			/* all blocks before this one are the target's own, or in the log */
	uint64_t log_end;		/* at the end of the volume the log may have some, in records before this one */
};

/*
 * Background copy, one step: the next run of at most 1 MiB that is not yet the target's own becomes its own, durably
 * now and then; behind the last one a segment of the log does. 1: there is more to do; 0: every block is the target's
 * own, durably. On the target's reactor. Suspends. Errors of the disks, which harm nothing: what was not copied is read
 * from the source still.
 */
RT_MUST_CHECK int volume_flash_copy(struct volume_flash *flash, struct volume_flash_copying *copying);

/* Every block is the target's own, durably: it needs its source no more. On the target's reactor. */
bool volume_flash_is_whole(const struct volume_flash *flash);

/* The volume is the source, or the target, of some relation now. On its reactor. */
bool volume_is_flash_source(const struct volume *volume);
bool volume_is_flash_target(const struct volume *volume);

#endif
