/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_private.h - the parts of a journal among one another.
 *
 * Writing: records follow one another in the current segment. What makes a record durable fills its last 4 KiB block,
 * so nothing that was synced is ever written again. A full segment gets its index and is synced before another one is
 * begun, and that one begins with a checkpoint (the whole state and the list of the segments that are still needed),
 * synced before anything follows it. So all but the current segment are durable as a whole, and the newest one tells
 * everything.
 */
#ifndef XDC_STORE_JOURNAL_PRIVATE_H
#define XDC_STORE_JOURNAL_PRIVATE_H

#include "rt/file.h"
#include "store/journal_format.h"

#define NO_SEGMENT		UINT32_MAX
#define JOURNAL_FOLDER_MAX	1024u
#define JOURNAL_PATH_MAX	1200u
#define JOURNAL_SEGMENT_BYTES_MIN	(64u << 10)
#define JOURNAL_SEGMENT_BYTES_MAX	(1u << 30)
#define JOURNAL_SEGMENTS_MIN	4u
#define JOURNAL_ENTRIES_MAX	32768u		/* data records of a segment */

/* No record is longer: 1 MiB of data and their checksums are more than the longest state and the longest index. */
#define JOURNAL_RECORD_MAX	(JOURNAL_RUN_MAX + 2 * JOURNAL_BLOCK_SIZE)
_Static_assert(RECORD_HEADER_SIZE + STATE_HEADER_SIZE + 2 * (CG_HEADER_SIZE + 2 * JOURNAL_VOLUMES_MAX +
	       JOURNAL_MEMBERS_MAX) + JOURNAL_SEGMENTS_MAX * ENTRY_SIZE + JOURNAL_BLOCK_SIZE <= JOURNAL_RECORD_MAX,
	       "the longest state record");
_Static_assert(RECORD_HEADER_SIZE + JOURNAL_ENTRIES_MAX * INDEX_ENTRY_SIZE + JOURNAL_BLOCK_SIZE <= JOURNAL_RECORD_MAX,
	       "the longest index record");

struct segment {
	struct rt_file *file;
	uint64_t seq;			/* of its present use, or of the last one when it is free */
	uint64_t last_tag;		/* its data with higher tags are void; 0: no data */
	uint64_t last_before;		/* the highest CG that it has before-images of; 0: none */
	uint32_t index_at;		/* of a closed one */
	bool used;			/* current, or its data may be needed */
};

/* The data of one tag, or of several whose older ones nobody can ask for any more. */
struct layer {
	struct list_head link;		/* in rising order of tags */
	uint64_t tag;			/* the highest in it */
	struct runs runs;
};

/* A CG that can be shown: committed, and all before-images of later ones are there. */
struct kept_point {
	uint64_t number;
	uint64_t time_us;		/* its session time */
	uint64_t place;			/* slot << 32 | offset of the state record with its own record */
	uint64_t bytes;			/* of its before-images */
};

/* In rising order of numbers, from the oldest kept to the committed one. */
struct points {
	struct kept_point *point;
	uint32_t count, room;
};

struct journal {
	char folder[JOURNAL_FOLDER_MAX];
	char leg[JOURNAL_LEG_MAX];
	struct journal_limits limits;
	struct rt_mutex turn;
	bool must_exist;		/* it was made before */
	bool made, full, failed;
	char fault[JOURNAL_FAULT_MAX];	/* what is wrong with it; empty: nothing */
	uint64_t void_runs;

	/* segments */
	uint64_t id, next_seq;
	struct segment *segments;
	uint32_t segment_count, segment_max, segments_free;
	uint32_t current;		/* NO_SEGMENT only while it is made */
	uint32_t end;			/* where the next record of the current segment goes */
	uint32_t durable;		/* the current segment is, up to here */
	uint32_t paced;			/* writing out was begun up to here */
	struct run *entries;		/* the data records of the current segment, in order */
	uint32_t entry_count, entry_max;
	uint8_t *buffer;		/* of the one record being written */
	uint32_t buffer_size;

	/* state */
	struct journal_numbers numbers;
	struct journal_cg *committed_cg, *prepared_cg;
	int64_t committed_at_ns, prepared_at_ns, applied_at_ns;

	/* index */
	struct list_head layers;
	uint64_t runs;
	uint64_t pass;			/* CG that is being applied; 0: no pass under way */
	uint64_t cursor;		/* key from which it goes on */
	bool pass_ended;		/* all of it was handed out */

	/* journals that keep points */
	struct journal_keep keep;
	struct points points;
	struct list_head befores;	/* layers of before-images, one for each CG, of those that are not applied */
	bool befores_unsynced;
	uint64_t points_given_up;	/* before this CG, the last time that there was no room for them; 0: never */
	uint64_t before_above, before_cursor;	/* of the pass: the CG under the one at hand, and the key there */
};

/* Notes what is wrong with the journal, in the log too. */
void journal_note_fault(struct journal *journal, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- journal_segment.c ---- */

/* suffix ".new": while it is made. */
void journal_segment_path(const char *folder, const char *leg, uint32_t slot, const char *suffix,
			  char path[JOURNAL_PATH_MAX]);

/* Makes one more segment, free. -ENOSPC: no more are allowed, or no space. */
RT_MUST_CHECK int journal_add_segment(struct journal *journal);

/*
 * Closes the current segment and begins another one with this state; data with tags above valid_to are void from
 * there on. After an error before the new one was touched all is as it was; after that the journal has failed.
 */
struct rotation {
	struct journal_numbers *numbers;	/* what is kept may be less than it was told */
	const struct journal_cg *committed_cg, *prepared_cg;
	uint64_t valid_to;
};
RT_MUST_CHECK int journal_rotate(struct journal *journal, const struct rotation *rotation);

/* Room in the current segment for a record of len bytes, of data or not. -ENOSPC only for data. */
RT_MUST_CHECK int journal_make_room(struct journal *journal, uint32_t len, bool data);

/* Writes a data record, after journal_make_room for it. */
RT_MUST_CHECK int journal_write_data(struct journal *journal, const struct record *record, const void *data);

/*
 * Writes the numbers and, unless NULL, the CGs now committed and prepared; all before it and itself are durable after
 * 0. The committed one is given by a journal that keeps points, and is one from there on. In the numbers what is kept
 * may be raised.
 */
RT_MUST_CHECK int journal_write_state(struct journal *journal, struct journal_numbers *numbers,
				      const struct journal_cg *committed_cg, const struct journal_cg *prepared_cg);

/* True when the segment holds what the numbers need; the current one is not asked about. */
bool journal_needs_segment(const struct journal *journal, uint32_t slot, const struct rotation *rotation);

/* Gives back the closed segments of which nothing is needed, by the numbers of the journal. */
void journal_free_segments(struct journal *journal);

/* The longest body of a state record that the segments of this journal have room for in all cases. */
static inline uint32_t journal_cg_max(const struct journal *journal)
{
	return journal->limits.segment_bytes / 8;
}

/* ---- journal_recover.c ---- */

/* Finds and reads the segments, or makes them; then begins a new one. */
RT_MUST_CHECK int journal_recover(struct journal *journal);

/* Calls each(arg, slot) for the finished segment files of a leg. Suspends; each must not. */
RT_MUST_CHECK int journal_each_file(const char *folder, const char *leg, void (*each)(void *arg, int slot), void *arg);

/* ---- journal_index.c ---- */

/* The layer of the tag in the list, made if need be, with memory for one run more. NULL: no memory. */
struct layer *journal_reserve_layer(struct list_head *layers, uint64_t tag);
void journal_put_run(struct journal *journal, struct layer *layer, const struct run *run);

/* Layers of the list with tags above first and up to last are dropped. */
void journal_drop_layers(struct journal *journal, struct list_head *layers, uint64_t first, uint64_t last);

/* After a commit: keeps the number of layers that a lookup goes through small. */
void journal_fold_layers(struct journal *journal);

/*
 * The first piece in [from, to) of what the layers of the list with tags in (above, up_to] show, the highest on top.
 */
bool journal_find_content(const struct list_head *layers, uint64_t from, uint64_t to, uint64_t above, uint64_t up_to,
			  struct run *piece);

/* ---- journal_apply.c ---- */

/* What is committed is to be brought to the volumes, from the first run on. */
void journal_begin_pass(struct journal *journal);

/* For journal_read, up_to aside. */
struct journal_run journal_make_run(const struct journal *journal, const struct run *piece);

/* Reads and proves the blocks of a run that is not zero; seq: of the use of its segment. */
RT_MUST_CHECK int journal_read_run(struct journal *journal, const struct run *run, uint64_t seq, uint8_t *buf);

/* ---- journal_points.c ---- */

/* Memory for one point more. -ENOMEM. */
RT_MUST_CHECK int journal_reserve_point(struct journal *journal);

/* The CG is a point from here on; of one that is, this is where its record lies now. After journal_reserve_point. */
void journal_put_point(struct journal *journal, uint64_t number, uint64_t time_us, uint64_t place);

/* Before-images of the CG, so many bytes more. Nothing happens when it is no point. */
void journal_count_before(struct journal *journal, uint64_t number, uint64_t bytes);

/* The oldest point with at least this number; NULL: there is none. */
const struct kept_point *journal_find_point(const struct journal *journal, uint64_t number);

/* Forgets the points that the numbers of the journal do not keep. */
void journal_trim_points(struct journal *journal);

/*
 * Of numbers that commit the prepared CG: what is kept begins anew with it where too many are not applied, since
 * looking for content goes through all of them, and where a volume is not in it any more.
 */
void journal_keep_up(struct journal *journal, struct journal_numbers *numbers);

/* Raises what is kept in the numbers, as time and size want it. */
void journal_expire_points(const struct journal *journal, struct journal_numbers *numbers);

/* True when the segment is needed for points. */
bool journal_keeps_segment(const struct journal *journal, uint32_t slot, const struct journal_numbers *numbers);

/* Segments that are there for the sake of points alone. */
uint64_t journal_count_kept(const struct journal *journal, const struct journal_numbers *numbers);

/*
 * Memory for the point that the next segment begins with, and raises what is kept so far that a segment is free when it
 * has begun. -ENOMEM; -ENOSPC: what is left was decided for. Suspends.
 */
RT_MUST_CHECK int journal_begin_rotation(struct journal *journal, const struct rotation *rotation);

/*
 * Gives up the oldest segment that is there for the sake of points alone, durably. -ENOENT: there is none. Suspends.
 */
RT_MUST_CHECK int journal_drop_oldest(struct journal *journal);

/* True when some CG in [first, last) is a point: layers on both sides of it stay apart. */
bool journal_has_point(const struct journal *journal, uint64_t first, uint64_t last);

#endif
