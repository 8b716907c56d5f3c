/* SPDX-License-Identifier: Apache-2.0 */
/* link_private.h - what link.c and link_channel.c, the two halves of a link, know of one another. */
#ifndef XDC_COPY_LINK_PRIVATE_H
#define XDC_COPY_LINK_PRIVATE_H

#include "copy/link_end.h"

struct link {
	/* the same as long as the link exists; any reactor */
	struct link_config config;		/* address: as it was at the beginning */
	struct rt_reactor *reactor;		/* the first */
	unsigned channel_count;

	/* the first reactor */
	struct link_end control;
	uint64_t last_id;
	struct list_head requests;		/* under way: struct request, on their callers' stacks */
	unsigned outstanding;			/* requests that the peer has not answered */
	unsigned abandoned;			/* of these, those whose callers have gone */
	struct rt_cond room;			/* outstanding went down, or the connection broke */
	struct list_head events;		/* arrived and not yet delivered */
	unsigned event_count;
	struct rt_cond events_changed;
	struct rt_group group;			/* of the fiber that delivers events */

	/* One a reactor, which makes and uses it; the first reactor looks at its traffic. */
	struct link_channel *_Atomic channels[];
};

/* What it has sent and received so far. Any reactor. */
const struct link_traffic *link_channel_traffic(const struct link_channel *channel);

/* On the reactor that the channel is to serve. -ENOMEM. */
RT_MUST_CHECK int link_channel_create(const struct link_config *config, const char *address, struct link_channel **out);
void link_channel_stop(struct link_channel *channel);		/* its connection ends for good; suspends */
void link_channel_destroy(struct link_channel *channel);
void link_channel_kick(struct link_channel *channel, const char *address);
void link_channel_leave(struct link_channel *channel);		/* as link_end_leave */

#endif
