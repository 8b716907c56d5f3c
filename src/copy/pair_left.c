/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pair_left.h"

#include <errno.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/session_entry.h"
#include "rt/log.h"
#include "rt/mem.h"

int pair_leave_out(struct copy *copy, const struct record_pair *record)
{
	struct left_pair *left = mem_alloc_zeroed(sizeof(*left));

	if (!left)
		return -ENOMEM;
	log_line(LOG_ERROR, "copy", "the pair of volume %04X is left out: the volume is not open", record->volume);
	left->record = *record;
	list_add_last(&copy->left_pairs, &left->link);
	return 0;
}

struct left_pair *pair_left_find(struct copy *copy, uint16_t volume, const char *system)
{
	struct left_pair *left;

	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.volume == volume && (!system || !strcmp(left->record.system, system)))
			return left;
	}
	return NULL;
}

const struct left_pair *pair_left_in_session(const struct copy *copy, uint8_t session)
{
	const struct left_pair *left;

	list_for_each(left, &copy->left_pairs, link) {
		if (left->record.role == PAIR_SOURCE && left->record.session == session)
			return left;
	}
	return NULL;
}

static void drop(struct left_pair *left)
{
	list_remove(&left->link);
	mem_free(left);
}

int pair_left_forget(struct copy *copy, struct left_pair *left)
{
	struct record_pair record = left->record;
	int rc;

	/* Nobody else finds it while it is deleted. */
	list_remove(&left->link);
	rc = pair_delete_records(copy, &record);
	if (rc)
		list_add_last(&copy->left_pairs, &left->link);
	else
		mem_free(left);
	return rc;
}

int pair_left_change(struct copy *copy, const struct record_pair *next)
{
	int rc = session_commit(copy, META_PUT, META_PAIR, next);
	struct left_pair *left = pair_left_find(copy, next->volume, next->system);

	if (!rc && left)
		left->record = *next;
	return rc;
}

void pair_left_get_info(const struct left_pair *left, struct copy_pair_info *info)
{
	const struct record_pair *record = &left->record;

	*info = (struct copy_pair_info){
		.volume = record->volume,
		.remote_volume = record->remote_volume,
		.is_source = record->role == PAIR_SOURCE,
		.type = record->type,
		.state = record->role == PAIR_SOURCE ? PAIR_SUSPENDED : PAIR_TARGET_SUSPENDED,
		.reason = PAIR_REASON_DISK,
		.since_wall_ns = record->since_wall_ns,
		.created_wall_ns = record->created_wall_ns,
		.session = record->session,
		.joined = record->joined,
		.first_copy_done = record->first_copy_done,
		.first_copy_bytes = record->first_copy_bytes,
	};
	memcpy(info->system, record->system, sizeof(info->system));
}

void pairs_left_free(struct copy *copy)
{
	while (!list_empty(&copy->left_pairs))
		drop(list_first(&copy->left_pairs, struct left_pair, link));
}
