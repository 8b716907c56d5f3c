/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask.h - which 4 KiB blocks of a volume the far side lacks. All calls on the volume's reactor; none suspends.
 *
 * There are two sides: the open increment, in which writes are noted, and the closing one, which is being sent for the
 * next consistency group. A block on a side is
 *	needed		not known to be in a consistency group that exists; all others are subsets of this:
 *	unsent		to be sent (again);
 *	flying		under way to the far side, at most once over both sides;
 *	kept		(closing side) its old content is in the sidefile;
 *	settling	(open side) acknowledged, or passed on, before the far side was asked to sync;
 *	doubtful	unsent or flying, and maybe the same at the far side: compared before it is sent. A hint;
 *	copying		part of a first copy, and nothing of it was acknowledged since that began: unsent or flying.
 * A block that is needed and neither unsent nor flying is acknowledged.
 *
 * Masks are kept for regions of 4 MiB, only where something is needed. Where all of a region is needed and unsent, as
 * in a first copy, one bit says so (bulk). Closing exchanges the sides; merging and forgetting take time by the
 * regions of the closing side.
 */
#ifndef XDC_VOLUME_MASK_H
#define XDC_VOLUME_MASK_H

#include "rt/rt.h"
#include "volume/logged.h"

#define MASK_TRACK_BLOCKS	16u
#define MASK_REGION_TRACKS	64u
#define MASK_REGION_BLOCKS	(MASK_TRACK_BLOCKS * MASK_REGION_TRACKS)
#define MASK_CHUNK_REGIONS	512u

enum mask_kind {
	MASK_NEEDED, MASK_UNSENT, MASK_FLYING, MASK_KEPT, MASK_SETTLING, MASK_DOUBTFUL, MASK_COPYING,
	MASK_KIND_COUNT
};

struct mask_region {
	struct list_head link;		/* among those of its side with something unsent, or among the others */
	uint64_t index;
	uint16_t next_block;		/* of the region: the search for unsent blocks goes on here */
	uint16_t count[MASK_KIND_COUNT];
	uint16_t tracks[MASK_KIND_COUNT][MASK_REGION_TRACKS];
};

struct mask_side {
	struct list_head unsent;	/* regions with something unsent, the longest there first */
	struct list_head settled;	/* the others */
	uint64_t count[MASK_KIND_COUNT];	/* blocks, with those in bulk */
	uint64_t *bulk;			/* bit a region: all is needed and unsent, no masks; NULL: none is */
	uint64_t *bulk_doubts;		/* bit a region in bulk: all of it is doubtful; there when bulk is */
	uint64_t bulk_count;
	uint64_t bulk_from;		/* no bit is set below this one */
	struct mask_region *unpacked;	/* the one region made of bulk whose blocks are still unsent; NULL: none */
};

/* What is known of one region. */
struct mask_slot {
	struct mask_region *region[2];
};

struct mask_chunk {
	struct mask_slot slots[MASK_CHUNK_REGIONS];
	unsigned used;			/* masks in it */
};

struct mask {
	uint64_t blocks;		/* of the volume */
	uint64_t reserved;		/* of the volume when it has grown: there is memory for so many */
	struct mask_chunk **chunks;
	uint64_t chunk_count;
	struct mask_side sides[2];
	unsigned open;			/* which of them is open */
	bool settling;			/* between begin and end of a sync */
	bool copying;			/* a first copy has begun, and has not ended; what is in bulk is part of it */
	bool copy_settling;		/* when the sync began, all of it had been acknowledged */
	struct list_head spare;		/* regions for the next notes */
	unsigned spare_count;
};

static inline uint64_t mask_region_count(uint64_t blocks)
{
	return (blocks + MASK_REGION_BLOCKS - 1) / MASK_REGION_BLOCKS;
}

/* -ENOMEM. */
RT_MUST_CHECK int mask_init(struct mask *mask, uint64_t blocks);
void mask_destroy(struct mask *mask);

/* The volume is about to grow: memory first, so that nothing can fail when it has. Twice does no harm. -ENOMEM. */
RT_MUST_CHECK int mask_reserve_growth(struct mask *mask, uint64_t blocks);
void mask_grow(struct mask *mask, uint64_t blocks);		/* it has, and no more than was reserved */

static inline struct mask_side *mask_open_side(struct mask *mask)
{
	return &mask->sides[mask->open];
}

static inline struct mask_side *mask_closing_side(struct mask *mask)
{
	return &mask->sides[!mask->open];
}

/* NULL where nothing is known of the region. */
static inline struct mask_slot *mask_find_slot(const struct mask *mask, uint64_t region)
{
	struct mask_chunk *chunk = mask->chunks[region / MASK_CHUNK_REGIONS];

	return chunk ? &chunk->slots[region % MASK_CHUNK_REGIONS] : NULL;
}

/* ---- noting, for a range of blocks [first, end) ---- */

/* There is room to note the range in the open increment; if not, mask_reserve makes it: 0 or -ENOMEM. */
bool mask_has_room(const struct mask *mask, uint64_t first, uint64_t end);
RT_MUST_CHECK int mask_reserve(struct mask *mask, uint64_t first, uint64_t end);

/* Notes the range as needed and unsent in the open increment. mask_has_room was true in this same step. */
void mask_note(struct mask *mask, uint64_t first, uint64_t end);

/* The same for a range of any length, which may go to bulk. -ENOMEM: a part may be noted. */
RT_MUST_CHECK int mask_mark(struct mask *mask, uint64_t first, uint64_t end);

/*
 * The same where the far side may have the blocks as they are. Takes masks for all of it, never bulk. -ENOMEM likewise.
 */
RT_MUST_CHECK int mask_doubt(struct mask *mask, uint64_t first, uint64_t end);

/* The same for all of the volume, in bulk where there are no masks. -ENOMEM: a part may be. */
RT_MUST_CHECK int mask_doubt_all(struct mask *mask);

/* Some block of the range is needed in the open increment. */
bool mask_is_noted(const struct mask *mask, uint64_t first, uint64_t end);

/*
 * How many blocks of the range are unsent on either side. *flying: one of them or of the others is under way.
 */
uint64_t mask_count_unsent(const struct mask *mask, uint64_t first, uint64_t end, bool *flying);

/*
 * The first run of blocks in the range whose old content the closing increment still needs: unsent or flying there and
 * not kept. False: none, *run_first and *run_end are undefined.
 */
bool mask_find_collision(const struct mask *mask, uint64_t first, uint64_t end, uint64_t *run_first, uint64_t *run_end);

/* Their old content is in the sidefile now. All of the range collides. */
void mask_keep(struct mask *mask, uint64_t first, uint64_t end);

/* ---- increments ---- */

/* Of the closing side nothing is left to send or to be acknowledged. */
bool mask_is_drained(const struct mask *mask);

/* The open side becomes the closing one, which was empty. */
void mask_close(struct mask *mask);

/* The closing side goes back into the open one; nothing is kept any more. */
void mask_merge(struct mask *mask);

/* What is acknowledged of the closing side is forgotten, the rest goes back into the open one. */
void mask_forget(struct mask *mask);

/* All that is needed in the open side is unsent: what was acknowledged without doubt, the rest as it was. */
void mask_resend(struct mask *mask);

/* ---- sending ---- */

struct mask_run {
	uint64_t first, end;		/* blocks, within one region */
	bool closing;
	bool kept;			/* all of it is in the sidefile; otherwise none of it */
	bool doubtful;			/* likewise */
};

/*
 * Goes through the regions of a side that have something unsent, the longest there first (*at NULL: to the first). A
 * region in bulk is given masks when the last one that was is sent. 0 with *at NULL: no more; -ENOMEM.
 */
RT_MUST_CHECK int mask_next_region(struct mask *mask, bool closing, struct mask_region **at);

/*
 * The first run in [from, end) of the region that is unsent and not flying, on either side; all of it kept or none of
 * it, all of it doubtful or none. False: none.
 */
bool mask_next_run(const struct mask *mask, const struct mask_region *region, bool closing, uint64_t from, uint64_t end,
		struct mask_run *run);

/* The masks of a side where the block lies; NULL: none. */
struct mask_region *mask_find_at(const struct mask *mask, bool closing, uint64_t block);

/* The run, or a part of what mask_next_run found, is flying now. */
void mask_take_off(struct mask *mask, const struct mask_run *run);

/*
 * The blocks were flying. Acknowledged: calls drop(arg, block) for each kept block that is safe now. Else they are
 * unsent again.
 */
void mask_land(struct mask *mask, uint64_t first, uint64_t end, bool acknowledged,
		void (*drop)(void *arg, uint64_t block), void *arg);

/*
 * What is acknowledged in the open side settles; false if nothing is, nor a first copy. Then: it is forgotten (ok), or
 * not.
 */
bool mask_settle_begin(struct mask *mask);
void mask_settle_end(struct mask *mask, bool ok);

/*
 * The same where nothing is sent, since what is needed travels by another target of the volume, whose mask this is: of
 * the open side settles what is neither unsent nor flying there. What is in bulk does not.
 */
bool mask_pass_begin(struct mask *mask, const struct mask *by);
void mask_pass_end(struct mask *mask, bool ok);

/*
 * The blocks of a track that are unsent or flying on either side, a bit each. Of all others the far side has what was
 * written last.
 */
uint16_t mask_get_unsettled(const struct mask *mask, uint64_t track);

/* ---- a first copy ---- */

/*
 * It begins, if it has not: of what is needed now, and of what is marked or doubted from here on, some content has to
 * become durable at the far side before it has ended. That hosts write it again does not keep it from ending.
 */
void mask_begin_copy(struct mask *mask);
bool mask_is_copying(const struct mask *mask);

/* ---- regions and the dirty log ---- */

/* Something of the region is needed on either side. */
bool mask_is_region_needed(const struct mask *mask, uint64_t region);

/* The next blocks at or after from that are needed on either side, at most a track of them. False: none. */
bool mask_next_needed(const struct mask *mask, uint64_t from, uint64_t *first, uint64_t *end);

/*
 * The first block that is needed on either side, outside regions that are in the log; mask->blocks if none is. There a
 * copy goes on after a restart; whether it has ended says mask_is_copying.
 */
uint64_t mask_first_needed(const struct mask *mask, const struct logged *logged);

#endif
