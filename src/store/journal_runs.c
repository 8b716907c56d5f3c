/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal_runs.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"

/* A place between runs: before chunks[chunk]->run[index]; chunk == chunk_count: behind all. */
struct position {
	uint32_t chunk, index;
};

void runs_clear(struct runs *runs)
{
	for (uint32_t i = 0; i < runs->chunk_count; i++)
		mem_free(runs->chunks[i]);
	mem_free(runs->chunks);
	mem_free(runs->spare[0]);
	mem_free(runs->spare[1]);
	*runs = (struct runs){ 0 };
}

int runs_reserve(struct runs *runs)
{
	/* A put splits at most one run and adds its own: two new ones, each of which may split a chunk. */
	if (runs->chunk_count + 2 > runs->chunk_room) {
		uint32_t room = runs->chunk_room ? 2 * runs->chunk_room : 4;
		struct runs_chunk **chunks = mem_resize(runs->chunks, room * sizeof(*chunks));
		if (!chunks)
			return -ENOMEM;
		runs->chunks = chunks;
		runs->chunk_room = room;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!runs->spare[i])
			runs->spare[i] = mem_alloc(sizeof(*runs->spare[i]));
		if (!runs->spare[i])
			return -ENOMEM;
	}
	return 0;
}

static struct runs_chunk *take_spare(struct runs *runs)
{
	unsigned i = runs->spare[0] ? 0 : 1;
	struct runs_chunk *chunk = runs->spare[i];

	assert(chunk);
	runs->spare[i] = NULL;
	chunk->count = 0;
	return chunk;
}

static struct run *at(const struct runs *runs, struct position pos)
{
	return pos.chunk < runs->chunk_count ? &runs->chunks[pos.chunk]->run[pos.index] : NULL;
}

static struct position next(const struct runs *runs, struct position pos)
{
	pos.index++;
	if (pos.index == runs->chunks[pos.chunk]->count) {
		pos.chunk++;
		pos.index = 0;
	}
	return pos;
}

/* The first run that ends behind key. */
static struct position find(const struct runs *runs, uint64_t key)
{
	struct position pos = { 0, 0 };
	uint32_t low = 0, high = runs->chunk_count;

	/* the last chunk whose first run begins at or before key: the run sought is in it, or begins the next one */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (runs->chunks[middle]->run[0].key <= key)
			low = middle;
		else
			high = middle;
	}
	if (runs->chunk_count == 0)
		return pos;
	pos.chunk = low;
	high = runs->chunks[low]->count;
	for (low = 0; low < high; ) {
		uint32_t middle = low + (high - low) / 2;
		if (run_end(&runs->chunks[pos.chunk]->run[middle]) <= key)
			low = middle + 1;
		else
			high = middle;
	}
	pos.index = low;
	if (low == runs->chunks[pos.chunk]->count) {
		pos.chunk++;
		pos.index = 0;
	}
	return pos;
}

static void add_chunk(struct runs *runs, uint32_t where)
{
	assert(runs->chunk_count < runs->chunk_room);
	memmove(&runs->chunks[where + 1], &runs->chunks[where], (runs->chunk_count - where) * sizeof(*runs->chunks));
	runs->chunks[where] = take_spare(runs);
	runs->chunk_count++;
}

/* Makes room so that a run can be inserted before pos, and says where that place is now. */
static struct position make_room(struct runs *runs, struct position pos)
{
	struct runs_chunk *chunk, *upper;
	uint32_t half = RUNS_PER_CHUNK / 2;

	if (pos.index == 0 && pos.chunk > 0 && (pos.chunk == runs->chunk_count ||
						runs->chunks[pos.chunk - 1]->count < RUNS_PER_CHUNK)) {
		pos.chunk--;
		pos.index = runs->chunks[pos.chunk]->count;
	}
	if (runs->chunk_count == 0 || pos.index == RUNS_PER_CHUNK) {
		/* in rising order chunks become full */
		if (runs->chunk_count > 0)
			pos.chunk++;
		add_chunk(runs, pos.chunk);
		return (struct position){ pos.chunk, 0 };
	}
	chunk = runs->chunks[pos.chunk];
	if (chunk->count < RUNS_PER_CHUNK)
		return pos;
	add_chunk(runs, pos.chunk + 1);
	upper = runs->chunks[pos.chunk + 1];
	upper->count = chunk->count - half;
	memcpy(upper->run, chunk->run + half, upper->count * sizeof(*upper->run));
	chunk->count = half;
	if (pos.index > half)
		return (struct position){ pos.chunk + 1, pos.index - half };
	return pos;
}

static void insert(struct runs *runs, struct position pos, const struct run *run)
{
	struct runs_chunk *chunk;

	pos = make_room(runs, pos);
	chunk = runs->chunks[pos.chunk];
	memmove(&chunk->run[pos.index + 1], &chunk->run[pos.index], (chunk->count - pos.index) * sizeof(*chunk->run));
	chunk->run[pos.index] = *run;
	chunk->count++;
	runs->count++;
	runs->blocks += run_blocks(run);
}

/* Takes the run at pos out; pos is then before the one that followed. */
static struct position take_out(struct runs *runs, struct position pos)
{
	struct runs_chunk *chunk = runs->chunks[pos.chunk];

	runs->count--;
	runs->blocks -= run_blocks(&chunk->run[pos.index]);
	chunk->count--;
	memmove(&chunk->run[pos.index], &chunk->run[pos.index + 1], (chunk->count - pos.index) * sizeof(*chunk->run));
	if (pos.index < chunk->count)
		return pos;
	if (chunk->count > 0)
		return (struct position){ pos.chunk + 1, 0 };
	mem_free(chunk);
	runs->chunk_count--;
	memmove(&runs->chunks[pos.chunk], &runs->chunks[pos.chunk + 1],
		(runs->chunk_count - pos.chunk) * sizeof(*runs->chunks));
	return (struct position){ pos.chunk, 0 };
}

static void replace(struct runs *runs, struct run *old, struct run new)
{
	runs->blocks -= run_blocks(old) - run_blocks(&new);
	*old = new;
}

void runs_put(struct runs *runs, const struct run *run)
{
	uint64_t end = run_end(run);
	struct position pos = find(runs, run->key);
	struct run *old = at(runs, pos);

	if (old && old->key < run->key) {
		struct run left = run_part(old, old->key, run->key);
		bool covers = run_end(old) > end;
		struct run right = covers ? run_part(old, end, run_end(old)) : *old;

		replace(runs, old, left);
		pos = next(runs, pos);
		if (covers) {
			insert(runs, pos, &right);
			pos = find(runs, run->key);
		}
	}
	for (old = at(runs, pos); old && old->key < end; old = at(runs, pos)) {
		if (run_end(old) > end) {
			replace(runs, old, run_part(old, end, run_end(old)));
			break;
		}
		pos = take_out(runs, pos);
	}
	insert(runs, pos, run);
}

bool runs_find(const struct runs *runs, uint64_t key, struct run *out)
{
	const struct run *run = at(runs, find(runs, key));

	if (run)
		*out = *run;
	return run != NULL;
}

static void swap(struct run *a, struct run *b)
{
	struct run kept = *a;

	*a = *b;
	*b = kept;
}

/* Heap sort: lets run[top] sink in a heap whose largest element is on top. */
static void sink(struct run *run, size_t top, size_t count, bool (*before)(const struct run *a, const struct run *b))
{
	for (size_t child = 2 * top + 1; child < count; child = 2 * top + 1) {
		if (child + 1 < count && before(&run[child], &run[child + 1]))
			child++;
		if (!before(&run[top], &run[child]))
			return;
		swap(&run[top], &run[child]);
		top = child;
	}
}

void run_sort(struct run *run, size_t count, bool (*before)(const struct run *a, const struct run *b))
{
	for (size_t top = count / 2; top-- > 0; )
		sink(run, top, count, before);
	for (size_t left = count; left-- > 1; ) {
		swap(&run[0], &run[left]);
		sink(run, 0, left, before);
	}
}
