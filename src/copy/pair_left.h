/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair_left.h - pairs that the metadata know and whose volume could not be opened at the start: they do nothing, but
 * they are remembered. The volume's id is not given away, the pair is shown, its session forms no group without the
 * volume, and only an administrator's word ends it. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_PAIR_LEFT_H
#define XDC_COPY_PAIR_LEFT_H

#include "copy/engine.h"

struct left_pair {
	struct list_head link;			/* of copy->left_pairs */
	struct record_pair record;
};

/* -ENOMEM. */
RT_MUST_CHECK int pair_leave_out(struct copy *copy, const struct record_pair *record);

/*
 * With this system; system NULL: with any. NULL: no such pair of the volume was left out. Does not suspend.
 */
struct left_pair *pair_left_find(struct copy *copy, uint16_t volume, const char *system);

/* As a command names it. NULL: no pair of the volume was left out, or more than one. Does not suspend. */
struct left_pair *pair_left_find_named(struct copy *copy, const struct copy_pair_name *name);

/* The source volume of a session that is missing from it; NULL: none is. Does not suspend. */
const struct left_pair *pair_left_in_session(const struct copy *copy, uint8_t session);

/* Deletes it from the metadata. Negative errno. Suspends. */
RT_MUST_CHECK int pair_left_forget(struct copy *copy, struct left_pair *left);

/* What it is from here on, durably. Negative errno. Suspends. */
RT_MUST_CHECK int pair_left_change(struct copy *copy, const struct record_pair *next);

/* But for where it is in the state table. */
void pair_left_get_info(const struct left_pair *left, struct copy_pair_info *info);

/* As of pairs (pair_cell.c). */
void pair_left_look(struct copy *copy, const struct left_pair *left, enum copy_type *type, enum copy_state *state);
int pair_left_check(struct copy *copy, const struct left_pair *left, enum copy_verb verb, bool force,
		    struct fault *fault);

/* At the stop of the system. */
void pairs_left_free(struct copy *copy);

#endif
