/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirty.h - how far the kernel is from making writers wait for its disks, private to the real backend. The kernel
 * counts all dirty pages of the machine against limits of its own; only what it counts says when a write would be
 * slowed down, since writes over dirty pages add none and other programs add theirs.
 */
#ifndef XDC_RT_DIRTY_H
#define XDC_RT_DIRTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dirty {
	uint64_t bytes;		/* atomic: written since somebody was last told to ask */
	int64_t asked_ns;	/* atomic: when that was */
	bool high;		/* atomic: what it said */
};

/* A write of len bytes comes: true when the kernel is to be asked again, which is then up to the caller. Any thread. */
bool dirty_note(struct dirty *dirty, size_t len, int64_t now_ns);

/* Asks: reads a file of /proc, so on a helper thread. */
void dirty_ask(struct dirty *dirty);

/* True when writers would soon be slowed down. */
static inline bool dirty_is_high(const struct dirty *dirty)
{
	return __atomic_load_n(&dirty->high, __ATOMIC_RELAXED);
}

/* What /proc/vmstat says, as text: its pure part. Where it does not say, nothing is high. */
bool dirty_text_is_high(const char *vmstat);

#endif
