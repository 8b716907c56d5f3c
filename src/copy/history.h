/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history.h - who is newer. Each side of a pair keeps the generations of its data: a new one begins when it may be
 * written without the other side following (recovery at the far side; the first host write of a source whose far side
 * is not connected). Which side may overwrite which is decided here alone, by a pure function over both histories.
 */
#ifndef XDC_COPY_HISTORY_H
#define XDC_COPY_HISTORY_H

#include <stdint.h>

#define HISTORY_MAX	16u

struct history_entry {
	uint8_t generation[16];		/* random; all zero is not a generation */
	uint64_t sequence;		/* the CG that it began from, 0 if none */
	int64_t began_wall_ns;		/* for people */
};

/* Newest first; the oldest are dropped when it is full. */
struct history {
	uint32_t count;
	struct history_entry entries[HISTORY_MAX];
};

enum history_verdict {
	HISTORY_SAME,			/* both are of one generation: the source may send what it has noted */
	HISTORY_MINE_NEWER,		/* the other holds an older generation of mine */
	HISTORY_OTHER_NEWER,		/* mine is an older generation of the other's: never overwrite it */
	HISTORY_BOTH_WRITTEN,		/* they went apart after a common generation: an administrator decides */
	HISTORY_UNRELATED,		/* nothing in common: only a first copy, asked for by name, may join them */
	HISTORY_VERDICT_COUNT
};
extern const char *const history_verdict_names[HISTORY_VERDICT_COUNT];

/* Place of a generation in a history, 0 the newest; -1: it is not there. */
int history_find(const struct history *history, const uint8_t generation[16]);

/* Two empty histories are unrelated. */
enum history_verdict history_compare(const struct history *mine, const struct history *other);

/* A new generation begins on top. */
void history_begin(struct history *history, const uint8_t generation[16], uint64_t sequence, int64_t wall_ns);

/* This side takes over the other's content and with it its history. */
void history_adopt(struct history *history, const struct history *other);

#endif
