/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h - one end of a pair on this system. A source end keeps its volume tracked and sends what the far side lacks over
 * the data channel of the volume's reactor (pump); a target end only remembers. Private to copy/.
 */
#ifndef XDC_COPY_PAIR_H
#define XDC_COPY_PAIR_H

#include "copy/engine.h"
#include "copy/member.h"

struct pair {
	struct list_head link;			/* of copy->pairs */
	struct copy *copy;
	struct copy_pair_info info;		/* what is known of it; the durable part is saved by pair_save */
	struct volume *volume;
	struct peer *peer;			/* source end */
	struct pump *pump;			/* source end, on the volume's reactor; NULL while suspended */
};

struct pair *pair_find(struct copy *copy, uint16_t volume);

/* Makes the record durable as it is in info. Negative errno. Suspends. */
RT_MUST_CHECK int pair_save(struct pair *pair);

/* For member.h: ready once the first copy is done; when it joins, frames go to the journal from there on. */
extern const struct member_volume_ops pair_member_ops;

/* Targets of all joined pairs of the session with this far side; ids to be freed. -ENOMEM. */
RT_MUST_CHECK int pair_collect_joined(struct copy *copy, uint8_t session, const char *far, struct wire_volumes *out);

/* The far side is reached again: every pair asks whether it may go on, and does. Suspends. */
void pair_link_up(struct copy *copy, const char *far);
void pair_link_down(struct copy *copy, const char *far);

/* All that is noted for pairs with this far side counts as unsent again. Suspends. */
void pair_far_restarted(struct copy *copy, const char *far);

#endif
