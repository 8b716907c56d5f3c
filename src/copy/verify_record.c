/* SPDX-License-Identifier: Apache-2.0 */
/* What a comparison has found, as it is kept with the pair. */
#include <inttypes.h>
#include <stdio.h>

#include "copy/verify.h"

_Static_assert(COPY_VERIFY_RANGES * sizeof("1125899906842624+1125899906842624 ") <= XDC_VERIFY_RANGES_MAX,
	       "ranges of the largest volume");

void verify_put_record(const struct copy_verify_info *info, struct record_pair *record)
{
	int used = 0;

	record->verified = info->state == VERIFY_DONE;
	record->verify_began_wall_ns = info->began_wall_ns;
	record->verify_ended_wall_ns = info->ended_wall_ns;
	record->verify_compared_bytes = info->compared_bytes;
	record->verify_differing_blocks = info->differing_blocks;
	record->verify_repaired_blocks = info->repaired_blocks;
	record->verify_open_blocks = info->open_blocks;
	record->verify_ranges[0] = '\0';
	for (unsigned i = 0; i < info->range_count; i++)
		used += snprintf(record->verify_ranges + used, sizeof(record->verify_ranges) - (size_t)used,
				 "%s%" PRIu64 "+%" PRIu64, i ? " " : "", info->ranges[i].offset, info->ranges[i].bytes);
}

void verify_get_record(const struct record_pair *record, struct copy_verify_info *info)
{
	const char *at = record->verify_ranges;
	int used;

	*info = (struct copy_verify_info){ .state = VERIFY_NEVER };
	if (!record->verify_ended_wall_ns)
		return;
	info->state = record->verified ? VERIFY_DONE : VERIFY_STOPPED;
	info->began_wall_ns = record->verify_began_wall_ns;
	info->ended_wall_ns = record->verify_ended_wall_ns;
	info->compared_bytes = record->verify_compared_bytes;
	info->differing_blocks = record->verify_differing_blocks;
	info->repaired_blocks = record->verify_repaired_blocks;
	info->open_blocks = record->verify_open_blocks;
	for (unsigned i = 0; i < COPY_VERIFY_RANGES; i++, at += used) {
		struct copy_verify_range *range = &info->ranges[i];

		if (sscanf(at, "%" SCNu64 "+%" SCNu64 "%n", &range->offset, &range->bytes, &used) != 2)
			break;
		info->range_count++;
	}
}
