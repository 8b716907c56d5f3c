/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/history.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

const char *const history_verdict_names[] = { "same", "mine newer", "other newer", "both written", "unrelated" };
_Static_assert(sizeof(history_verdict_names) / sizeof(history_verdict_names[0]) == HISTORY_VERDICT_COUNT,
	"a name each");

int history_find(const struct history *history, const uint8_t generation[16])
{
	for (uint32_t i = 0; i < history->count; i++) {
		if (!memcmp(history->entries[i].generation, generation, sizeof(history->entries[i].generation)))
			return (int)i;
	}
	return -1;
}

static bool has_common(const struct history *mine, const struct history *other)
{
	for (uint32_t i = 0; i < mine->count; i++) {
		if (history_find(other, mine->entries[i].generation) >= 0)
			return true;
	}
	return false;
}

enum history_verdict history_compare(const struct history *mine, const struct history *other)
{
	int mine_in_other, other_in_mine;

	assert(mine->count <= HISTORY_MAX && other->count <= HISTORY_MAX);
	if (!mine->count || !other->count)
		return HISTORY_UNRELATED;
	mine_in_other = history_find(other, mine->entries[0].generation);
	other_in_mine = history_find(mine, other->entries[0].generation);
	if (mine_in_other == 0)
		return HISTORY_SAME;
	if (mine_in_other > 0 && other_in_mine < 0)
		return HISTORY_OTHER_NEWER;
	if (other_in_mine > 0 && mine_in_other < 0)
		return HISTORY_MINE_NEWER;
	/* Each knows the other's newest as its past: no order of events leads there, so nobody may overwrite. */
	return has_common(mine, other) ? HISTORY_BOTH_WRITTEN : HISTORY_UNRELATED;
}

void history_begin(struct history *history, const uint8_t generation[16], uint64_t sequence, int64_t wall_ns)
{
	struct history_entry *newest = &history->entries[0];

	assert(history->count <= HISTORY_MAX);
	if (history->count == HISTORY_MAX)
		history->count--;
	memmove(newest + 1, newest, history->count * sizeof(*newest));
	memcpy(newest->generation, generation, sizeof(newest->generation));
	newest->sequence = sequence;
	newest->began_wall_ns = wall_ns;
	history->count++;
}

void history_adopt(struct history *history, const struct history *other)
{
	assert(other->count <= HISTORY_MAX);
	*history = *other;
}
