/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_runs.h - the index in memory: a sorted set of runs that do not overlap, 24 bytes each, in chunks of 4 KiB.
 * A journal has one for each tag whose data it holds. Pure: nothing suspends.
 */
#ifndef XDC_STORE_JOURNAL_RUNS_H
#define XDC_STORE_JOURNAL_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks of one volume that one record holds. Also the form of an entry in a segment's index. */
struct run {
	uint64_t key;		/* volume << 48 | first block of 4 KiB */
	uint64_t place;		/* slot of the segment << 32 | offset of the record in it */
	uint64_t info;		/* tag << 17 | zero << 16 | blocks of the record to skip << 8 | blocks - 1 */
};
_Static_assert(sizeof(struct run) == 24, "design.md section 10: 24 bytes a run");

static inline struct run run_make(uint64_t key, uint64_t place, uint64_t tag, bool zero, uint32_t skip, uint32_t blocks)
{
	return (struct run){ .key = key, .place = place,
			     .info = tag << 17 | (uint64_t)zero << 16 | (uint64_t)skip << 8 | (blocks - 1) };
}

static inline uint32_t run_blocks(const struct run *run)
{
	return (uint32_t)(run->info & 0xff) + 1;
}

static inline uint32_t run_skip(const struct run *run)
{
	return (uint32_t)(run->info >> 8) & 0xff;
}

static inline bool run_is_zero(const struct run *run)
{
	return run->info >> 16 & 1;
}

static inline uint64_t run_tag(const struct run *run)
{
	return run->info >> 17;
}

static inline uint64_t run_end(const struct run *run)
{
	return run->key + run_blocks(run);
}

/* The part of the run from first (inclusive) to end (exclusive), both keys within it. */
static inline struct run run_part(const struct run *run, uint64_t first, uint64_t end)
{
	return run_make(first, run->place, run_tag(run), run_is_zero(run), run_skip(run) + (uint32_t)(first - run->key),
			(uint32_t)(end - first));
}

#define RUNS_PER_CHUNK	170u		/* 4,080 bytes and the count */

struct runs_chunk {
	struct run run[RUNS_PER_CHUNK];
	uint32_t count;
};

struct runs {
	struct runs_chunk **chunks;
	uint32_t chunk_count, chunk_room;
	struct runs_chunk *spare[2];	/* so that a put after runs_reserve does not fail */
	uint64_t count;			/* runs */
	uint64_t blocks;
};

/* Zeroed memory is an empty set. Gives all memory back; the set is empty and may be used again. */
void runs_clear(struct runs *runs);

/* Memory for one runs_put. -ENOMEM. */
__attribute__((warn_unused_result)) int runs_reserve(struct runs *runs);

/* Puts a run over whatever the set has there. After runs_reserve. */
void runs_put(struct runs *runs, const struct run *run);

/* The first run that ends behind key: it may contain key or begin later. False: there is none. */
bool runs_find(const struct runs *runs, uint64_t key, struct run *out);

/* Sorts by the given order, in place; no memory. */
void run_sort(struct run *run, size_t count, bool (*before)(const struct run *a, const struct run *b));

#endif
