/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which CGs a journal that keeps points can show. What is kept goes from the oldest on, a segment at a time: the
 * numbers say from which CG and from which use of a segment on everything is there, and say so durably before a
 * segment is used again.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/journal_private.h"
#include "store/planted.h"

#define POINTS_MAX	(1u << 20)	/* 32 bytes each */

/* Committed CGs that are not applied: a lookup goes through a layer of each. */
#define BEHIND_MAX	1024u

/* ---- the points ---- */

static uint32_t index_of(const struct journal *journal, uint64_t number)
{
	uint32_t low = 0, high = journal->points.count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (journal->points.point[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct kept_point *journal_find_point(const struct journal *journal, uint64_t number)
{
	uint32_t index = index_of(journal, number);

	return index < journal->points.count ? &journal->points.point[index] : NULL;
}

bool journal_has_point(const struct journal *journal, uint64_t first, uint64_t last)
{
	const struct kept_point *point = journal_find_point(journal, first);

	return point && point->number < last;
}

bool journal_is_point(const struct journal *journal, uint64_t number)
{
	const struct kept_point *point = journal_find_point(journal, number);

	return number && point && point->number == number;
}

int journal_reserve_point(struct journal *journal)
{
	struct points *points = &journal->points;
	uint32_t room = points->room ? 2 * points->room : 64;
	struct kept_point *point;

	if (points->count < points->room)
		return 0;
	point = mem_resize(points->point, room * sizeof(*point));
	if (!point)
		return -ENOMEM;
	points->point = point;
	points->room = room;
	return 0;
}

void journal_put_point(struct journal *journal, uint64_t number, uint64_t time_us, uint64_t place)
{
	struct points *points = &journal->points;
	uint32_t index = index_of(journal, number);

	if (index < points->count && points->point[index].number == number) {
		points->point[index].place = place;
		return;
	}
	assert(points->count < points->room && index == points->count);
	points->point[points->count++] = (struct kept_point){ .number = number, .time_us = time_us, .place = place };
}

void journal_count_before(struct journal *journal, uint64_t number, uint64_t bytes)
{
	uint32_t index = index_of(journal, number);

	if (index < journal->points.count && journal->points.point[index].number == number)
		journal->points.point[index].bytes += bytes;
}

void journal_trim_points(struct journal *journal)
{
	struct points *points = &journal->points;
	uint32_t gone = journal->numbers.keeps ? index_of(journal, journal->numbers.kept_from) : points->count;

	if (gone == 0)
		return;
	points->count -= gone;
	memmove(points->point, points->point + gone, points->count * sizeof(points->point[0]));
}

uint32_t journal_list_points(const struct journal *journal, uint64_t below, struct journal_point *out, uint32_t max)
{
	uint64_t bytes = 0;
	uint32_t count = 0;

	for (uint32_t i = journal->points.count; i-- > 0 && count < max; ) {
		const struct kept_point *point = &journal->points.point[i];

		if (point->number < below)
			out[count++] = (struct journal_point){ point->number, point->time_us, bytes };
		bytes += point->bytes;
	}
	return count;
}

bool journal_oldest_point(const struct journal *journal, struct journal_point *out)
{
	const struct points *points = &journal->points;

	if (!points->count)
		return false;
	*out = (struct journal_point){ .number = points->point[0].number, .time_us = points->point[0].time_us };
	for (uint32_t i = 1; i < points->count; i++)
		out->bytes += points->point[i].bytes;
	return true;
}

/* ---- what is kept ---- */

static uint64_t seq_of(const struct journal *journal, const struct kept_point *point)
{
	return journal->segments[point->place >> 32].seq;
}

/* Once one is decided for it is that one alone; what begins after that is no part of it. */
bool journal_keeps_segment(const struct journal *journal, uint32_t slot, const struct journal_numbers *numbers)
{
	const struct segment *segment = &journal->segments[slot];
	const struct kept_point *point;

	if (!numbers->keeps || segment->seq < numbers->kept_seq)
		return false;
	if (!numbers_go_back(numbers))
		return true;
	point = journal_find_point(journal, numbers->decision);
	return segment->last_before > numbers->decision || (point && point->place >> 32 == slot);
}

/* The oldest closed segment that is kept; NULL: there is none. */
static const struct segment *find_oldest(const struct journal *journal, const struct journal_numbers *numbers)
{
	const struct segment *oldest = NULL;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		const struct segment *segment = &journal->segments[slot];

		if (segment->used && slot != journal->current && segment->seq >= numbers->kept_seq &&
		    (!oldest || segment->seq < oldest->seq))
			oldest = segment;
	}
	return oldest;
}

static bool is_applied(const struct segment *segment, const struct journal_numbers *numbers)
{
	return segment->last_tag <= numbers->applied;
}

uint64_t journal_count_kept(const struct journal *journal, const struct journal_numbers *numbers)
{
	uint64_t count = 0;

	if (!numbers->keeps)
		return 0;
	for (uint32_t slot = 0; slot < journal->segment_count; slot++) {
		const struct segment *segment = &journal->segments[slot];

		count += segment->used && slot != journal->current && is_applied(segment, numbers) &&
			 journal_keeps_segment(journal, slot, numbers);
	}
	return count;
}

/* Segments with nothing of this CG and later ones are not kept. */
static void raise_seq(const struct journal *journal, struct journal_numbers *numbers)
{
	const struct kept_point *point = journal_find_point(journal, numbers->kept_from);
	const struct segment *oldest;

	while (point && (oldest = find_oldest(journal, numbers)) && oldest->last_before <= numbers->kept_from &&
	       oldest->seq < seq_of(journal, point))
		numbers->kept_seq = oldest->seq + 1;
}

/* Up to this segment nothing is kept: the first CG that needs nothing of all that is the oldest from here on. */
static void pass_by(const struct journal *journal, struct journal_numbers *numbers, const struct segment *segment)
{
	const struct kept_point *end = journal->points.point + journal->points.count;
	uint64_t least = numbers->kept_from > segment->last_before ? numbers->kept_from : segment->last_before;

	numbers->kept_seq = segment->seq + 1;
	if (planted(PLANTED_KEPT_TOO_SHORT))
		return;
	for (const struct kept_point *point = journal_find_point(journal, least); point && point < end; point++) {
		if (seq_of(journal, point) <= segment->seq)
			continue;
		numbers->kept_from = point->number;
		return;
	}
	/* The last one is always there, in the checkpoint of the current segment if not behind it. */
	assert(journal->points.count == 0);
}

void journal_expire_points(const struct journal *journal, struct journal_numbers *numbers)
{
	const struct points *points = &journal->points;
	const struct segment *oldest;
	const struct kept_point *newest;
	uint32_t first = 0;

	/* What a recovery may be about to choose stays. */
	if (!numbers->keeps || points->count == 0 || numbers->epoch != 0)
		return;
	newest = &points->point[points->count - 1];
	while (journal->keep.time_us && points->point[first].time_us + journal->keep.time_us < newest->time_us)
		first++;
	if (points->count - first > POINTS_MAX)
		first = points->count - POINTS_MAX;
	if (numbers->kept_from < points->point[first].number)
		numbers->kept_from = points->point[first].number;
	raise_seq(journal, numbers);
	while (journal->keep.bytes &&
	       journal_count_kept(journal, numbers) * journal->limits.segment_bytes > journal->keep.bytes &&
	       (oldest = find_oldest(journal, numbers)) != NULL)
		pass_by(journal, numbers, oldest);
}

/* An administrator wanted more to be kept. */
static void note_given_up(struct journal *journal, const struct journal_numbers *before,
			  const struct journal_numbers *after)
{
	if (before->kept_from != after->kept_from)
		journal->points_given_up = after->kept_from;
}

/*
 * Some volume of the last CG is not in this one. What is written to it until it may be in one again comes past the
 * journal: behind this CG nobody knows what it showed.
 */
static bool any_leaves(const struct journal_cg *last, const struct journal_cg *next)
{
	uint8_t is_in[JOURNAL_VOLUMES_MAX / 8] = { 0 };

	if (last->volume_count == next->volume_count &&
	    !memcmp(last->volumes, next->volumes, last->volume_count * sizeof(last->volumes[0])))
		return false;
	for (uint32_t i = 0; i < next->volume_count; i++)
		is_in[next->volumes[i] / 8] |= (uint8_t)(1u << next->volumes[i] % 8);
	for (uint32_t i = 0; i < last->volume_count; i++) {
		if (!(is_in[last->volumes[i] / 8] >> last->volumes[i] % 8 & 1))
			return true;
	}
	return false;
}

void journal_keep_up(struct journal *journal, struct journal_numbers *numbers)
{
	struct journal_numbers before = *numbers;

	if (journal->points.count - index_of(journal, numbers->applied + 1) < BEHIND_MAX &&
	    !(journal->committed_cg && any_leaves(journal->committed_cg, journal->prepared_cg)))
		return;
	numbers->kept_from = numbers->committed;
	numbers->kept_seq = journal->segments[journal->current].seq;
	note_given_up(journal, &before, numbers);
}

static int give_up(struct journal *journal, struct journal_numbers *numbers)
{
	int rc = journal_write_state(journal, numbers, NULL, NULL);

	if (rc < 0)
		return rc;
	note_given_up(journal, &journal->numbers, numbers);
	journal->numbers = *numbers;
	journal_trim_points(journal);
	journal_free_segments(journal);
	return 0;
}

static uint32_t count_free_after(const struct journal *journal, const struct rotation *rotation)
{
	uint32_t count = journal->segments_free;

	for (uint32_t slot = 0; slot < journal->segment_count; slot++)
		count += journal->segments[slot].used && !journal_needs_segment(journal, slot, rotation);
	return count;
}

/*
 * Segments without data are free again when the next one is begun, unless they are kept: so many must not be kept that
 * none is left for the one after.
 */
int journal_begin_rotation(struct journal *journal, const struct rotation *rotation)
{
	struct journal_numbers *numbers = rotation->numbers, before = *numbers;
	int rc = journal_reserve_point(journal);

	while (rc == 0 && count_free_after(journal, rotation) < 2)
		rc = journal_add_segment(journal);
	if (rc != -ENOSPC)
		return rc;
	if (numbers_go_back(numbers))
		return count_free_after(journal, rotation) < 2 ? -ENOSPC : 0;
	while (count_free_after(journal, rotation) < 2 && numbers->kept_seq < journal->next_seq) {
		const struct segment *oldest = find_oldest(journal, numbers);

		if (oldest) {
			pass_by(journal, numbers, oldest);
			continue;
		}
		numbers->kept_seq = journal->next_seq;
		numbers->kept_from = numbers->committed;
	}
	note_given_up(journal, &before, numbers);
	return 0;
}

int journal_drop_oldest(struct journal *journal)
{
	struct journal_numbers numbers = journal->numbers;
	const struct segment *oldest = NULL;

	while (numbers.keeps && !numbers_go_back(&numbers) && (oldest = find_oldest(journal, &numbers)) != NULL) {
		pass_by(journal, &numbers, oldest);
		if (is_applied(oldest, &numbers))
			return give_up(journal, &numbers);
	}
	return -ENOENT;
}

/* ---- before-images ---- */

static void begin_group(struct journal *journal, uint64_t above)
{
	journal->before_above = above;
	journal->before_cursor = 0;
}

static uint64_t find_upper(const struct journal *journal, uint64_t above)
{
	const struct kept_point *point = journal_find_point(journal, above + 1);

	return point && point->number < journal->pass ? point->number : journal->pass;
}

/* The longest record of data that a segment takes. */
static uint64_t piece_blocks(const struct journal *journal)
{
	uint32_t bytes = journal->limits.segment_bytes / 8;

	return (bytes < JOURNAL_RUN_MAX ? bytes : JOURNAL_RUN_MAX) / JOURNAL_BLOCK_SIZE;
}

/*
 * The next piece of the group, from the cursor on: what it overwrites. from is what the journal itself has of that, in
 * a group of this pass before it. False: there is no more.
 */
static bool find_before(struct journal *journal, uint64_t above, uint64_t group, struct run *piece, struct run *from,
			bool *known)
{
	struct run other;
	uint64_t end;

	for (;;) {
		if (!journal_find_content(&journal->layers, journal->before_cursor, UINT64_MAX, above, group, piece))
			return false;
		end = run_end(piece);
		if (end > piece->key + piece_blocks(journal))
			end = piece->key + piece_blocks(journal);
		if (!journal_find_content(&journal->befores, piece->key, end, above, group, &other))
			break;
		/* Kept by an earlier pass that did not come to its end: its volume may have been written since. */
		if (other.key > piece->key) {
			end = other.key;
			break;
		}
		journal->before_cursor = run_end(&other);
	}
	*known = journal_find_content(&journal->layers, piece->key, end, journal->numbers.applied, above, from);
	if (*known && from->key > piece->key) {
		end = from->key;
		*known = false;
	}
	if (*known)
		end = run_end(from);
	*piece = run_part(piece, piece->key, end);
	journal->before_cursor = end;
	return true;
}

int journal_before_next(struct journal *journal, struct journal_before *before, void *buf)
{
	uint64_t above, group;
	struct run piece, from;
	bool known;

	if (journal->failed)
		return -EIO;
	if (!journal->numbers.keeps)
		return 0;
	if (journal->pass == 0 && journal->numbers.committed > journal->numbers.applied)
		journal_begin_pass(journal);
	for (;;) {
		/* Nobody can go back behind that: the groups up to it need none. */
		if (journal->before_above < journal->numbers.kept_from)
			begin_group(journal, journal->numbers.kept_from);
		above = journal->before_above;
		if (above >= journal->pass)
			return 0;
		group = find_upper(journal, above);
		if (find_before(journal, above, group, &piece, &from, &known))
			break;
		begin_group(journal, group);
	}
	*before = (struct journal_before){
		.volume = (uint16_t)(piece.key >> 48), .known = known, .zero = known && run_is_zero(&from),
		.len = run_blocks(&piece) * JOURNAL_BLOCK_SIZE,
		.offset = (piece.key & ((UINT64_C(1) << 48) - 1)) * JOURNAL_BLOCK_SIZE, .group = group,
	};
	if (before->zero || !known)
		return 1;
	return journal_read_run(journal, &from, journal->segments[from.place >> 32].seq, buf) ?: 1;
}

static bool is_zero(const uint8_t *block)
{
	return block[0] == 0 && memcmp(block, block + 1, JOURNAL_BLOCK_SIZE - 1) == 0;
}

/* So many blocks, all zeros or none. */
static int keep_blocks(struct journal *journal, struct record *record, const uint8_t *buf)
{
	struct layer *layer;
	struct run run;
	int rc = journal_make_room(journal, record_data_length(record->blocks, record->zero), true);

	if (rc < 0)
		return rc;
	layer = journal_reserve_layer(&journal->befores, record->tag);
	if (!layer)
		return -ENOMEM;
	rc = journal_write_data(journal, record, buf);
	if (rc < 0)
		return rc;
	run = entry_run(&journal->entries[journal->entry_count - 1]);
	journal_put_run(journal, layer, &run);
	journal_count_before(journal, record->tag, (uint64_t)record->blocks * JOURNAL_BLOCK_SIZE);
	return 0;
}

static int keep_piece(struct journal *journal, const struct journal_before *before, const uint8_t *buf)
{
	uint32_t blocks = before->len / JOURNAL_BLOCK_SIZE, at = 0, end;
	int rc = 0;

	for (; at < blocks && rc == 0; at = end) {
		struct record record = {
			.kind = RECORD_BEFORE, .tag = before->group, .volume = before->volume,
			.block = before->offset / JOURNAL_BLOCK_SIZE + at,
			.zero = before->zero || is_zero(buf + (size_t)at * JOURNAL_BLOCK_SIZE),
		};

		for (end = at + 1; end < blocks; end++) {
			if ((before->zero || is_zero(buf + (size_t)end * JOURNAL_BLOCK_SIZE)) != record.zero)
				break;
		}
		record.blocks = (uint16_t)(end - at);
		rc = keep_blocks(journal, &record, buf + (size_t)at * JOURNAL_BLOCK_SIZE);
	}
	return rc;
}

/* Even without all older points there is no room: this pass is not to be gone back behind. */
static int begin_anew(struct journal *journal)
{
	struct journal_numbers numbers = journal->numbers;

	numbers.kept_from = journal->pass;
	raise_seq(journal, &numbers);
	return give_up(journal, &numbers);
}

int journal_before_keep(struct journal *journal, const struct journal_before *before, const void *buf)
{
	int rc = rt_mutex_lock(&journal->turn);

	if (rc < 0)
		return rc;
	if (journal->failed) {
		rc = -EIO;
	} else {
		RT_SHIELD();
		rc = keep_piece(journal, before, buf);
		journal->befores_unsynced = true;
		if (rc == -ENOSPC)
			rc = begin_anew(journal);
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

int journal_before_sync(struct journal *journal)
{
	int rc = rt_mutex_lock(&journal->turn);

	if (rc < 0)
		return rc;
	if (journal->failed) {
		rc = -EIO;
	} else if (journal->befores_unsynced) {
		RT_SHIELD();
		rc = journal_write_state(journal, &journal->numbers, NULL, NULL);
		journal->befores_unsynced = rc < 0;
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- limits ---- */

/* A segment of its own begins: its version says whether it may hold what only such a journal has. */
static int turn(struct journal *journal, bool keeps)
{
	struct journal_numbers numbers = journal->numbers;
	struct rotation rotation = {
		.numbers = &numbers, .committed_cg = journal->committed_cg, .prepared_cg = journal->prepared_cg,
		.valid_to = UINT64_MAX,
	};
	int rc;

	numbers.keeps = keeps;
	numbers.kept_from = keeps ? numbers.committed : 0;
	numbers.kept_seq = keeps ? journal->next_seq : 0;
	rc = journal_rotate(journal, &rotation);
	if (rc < 0)
		return rc;
	journal->numbers = numbers;
	if (!keeps)
		journal_drop_layers(journal, &journal->befores, 0, UINT64_MAX);
	journal_trim_points(journal);
	journal_fold_layers(journal);
	return 0;
}

int journal_set_keep(struct journal *journal, const struct journal_keep *keep)
{
	bool keeps = keep->time_us || keep->bytes;
	int rc = rt_mutex_lock(&journal->turn);

	if (rc < 0)
		return rc;
	if (journal->failed) {
		rc = -EIO;
	} else {
		RT_SHIELD();
		if (keeps != journal->numbers.keeps && journal->numbers.epoch == 0)
			rc = turn(journal, keeps);
		if (rc == 0)
			journal->keep = *keep;
	}
	rt_mutex_unlock(&journal->turn);
	return rc;
}

/* ---- the record of a point ---- */

static int decode_point(struct journal *journal, const struct kept_point *point, const uint8_t *bytes, uint32_t len,
			struct journal_cg **out)
{
	uint64_t seq = seq_of(journal, point);
	struct state_view view;
	struct record record;
	int rc;

	if (!record_decode(bytes, seq, (uint32_t)point->place, len, &record) || record.kind != RECORD_STATE ||
	    !record_is_whole(&record, journal->id, bytes))
		return -EBADMSG;
	rc = state_decode(bytes + RECORD_HEADER_SIZE, record.body, &view);
	if (rc < 0)
		return rc;
	mem_free(view.prepared);
	*out = view.committed;
	return view.committed && view.committed->number == point->number ? 0 : -EBADMSG;
}

int journal_read_point(struct journal *journal, uint64_t number, struct journal_cg **out)
{
	const struct kept_point *found = journal_find_point(journal, number);
	struct kept_point point;
	uint64_t seq;
	uint32_t len;
	MEM_OWNED uint8_t *bytes = NULL;
	ssize_t got;
	int rc;

	*out = NULL;
	if (number == 0 || !found || found->number != number)
		return -ENOENT;
	point = *found;
	seq = seq_of(journal, &point);
	len = journal->limits.segment_bytes - (uint32_t)point.place;
	if (len > JOURNAL_RECORD_MAX)
		len = JOURNAL_RECORD_MAX;
	bytes = mem_alloc(len);
	if (!bytes)
		return -ENOMEM;
	got = rt_file_read(journal->segments[point.place >> 32].file, bytes, len, (uint32_t)point.place);
	if (got < 0)
		return (int)got;
	/* It may have been given up while this fiber was suspended. */
	if (seq != seq_of(journal, &point) || number < journal->numbers.kept_from)
		return -ENOENT;
	rc = got == (ssize_t)len ? decode_point(journal, &point, bytes, len, out) : -EBADMSG;
	if (rc < 0) {
		mem_free(*out);
		*out = NULL;
	}
	return rc;
}
