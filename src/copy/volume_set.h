/* SPDX-License-Identifier: Apache-2.0 */
/* volume_set.h - a set of volumes by id: one bit each, so that two lists of them are compared in one pass over both. */
#ifndef XDC_COPY_VOLUME_SET_H
#define XDC_COPY_VOLUME_SET_H

#include <stdbool.h>
#include <stdint.h>

struct volume_set {
	uint64_t words[(UINT16_MAX + 1) / 64];
};

static inline void volume_set_add(struct volume_set *set, uint16_t volume)
{
	set->words[volume / 64] |= UINT64_C(1) << volume % 64;
}

static inline bool volume_set_has(const struct volume_set *set, uint16_t volume)
{
	return set->words[volume / 64] >> volume % 64 & 1;
}

/* The first in it that is not below *volume, or false. */
static inline bool volume_set_next(const struct volume_set *set, uint32_t *volume)
{
	while (*volume <= UINT16_MAX && !volume_set_has(set, (uint16_t)*volume))
		*volume += set->words[*volume / 64] >> *volume % 64 ? 1 : 64 - *volume % 64;
	return *volume <= UINT16_MAX;
}

#endif
