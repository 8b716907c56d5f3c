/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/peer_news.h"

#include <stdio.h>
#include <string.h>

#include "copy/engine.h"
#include "store/planted.h"

#define GATHER_NS	RT_SECOND	/* within which the pairs of a link have noticed */

static const struct {
	enum event_kind kind;
	enum event_level level;
	const char *remedy;
	const char *one, *many;			/* behind the pair, or the pairs, with the system */
} news[] = {
	[PEER_NEWS_SUSPENDED] = { EVENT_PAIR_SUSPENDED, EVENT_WARNING,
				  "xdc path list; they go on by themselves when the link is back",
				  "is suspended: link", "are suspended: link" },
	[PEER_NEWS_RESUMED] = { EVENT_PAIR_RESUMED, EVENT_INFO, "", "sends again", "send again" },
	[PEER_NEWS_RESYNCED] = { EVENT_PAIR_RESYNCED, EVENT_INFO, "",
				 "was suspended, and what has changed since is there",
				 "were suspended, and what has changed since is there" },
	[PEER_NEWS_DUPLEX] = { EVENT_PAIR_DUPLEX, EVENT_INFO, "", "is full-duplex", "are full-duplex" },
};
_Static_assert(sizeof(news) / sizeof(news[0]) == PEER_NEWS_COUNT, "one for each kind");

static void tell(struct peer *peer, enum peer_news_kind at)
{
	unsigned count = peer->news.of[at].count;
	char object[XDC_EVENT_OBJECT_MAX];

	if (!count)
		return;
	peer->news.of[at].count = 0;
	memset(&peer->news.of[at].volumes, 0, sizeof(peer->news.of[at].volumes));
	if (count == 1) {
		snprintf(object, sizeof(object), "volume %04X", peer->news.of[at].volume);
		copy_tell(peer->copy, news[at].kind, news[at].level, object, news[at].remedy,
			  "its pair with volume %04X of %s %s", peer->news.of[at].remote_volume, peer->system,
			  news[at].one);
	} else {
		snprintf(object, sizeof(object), "system %s", peer->system);
		copy_tell(peer->copy, news[at].kind, news[at].level, object, news[at].remedy,
			  "%u pairs with it %s (xdc pair list)", count, news[at].many);
	}
}

void peer_news_note(struct peer *peer, enum peer_news_kind kind, const struct record_pair *record)
{
	if (!peer->news.of[kind].count)
		peer->news.of[kind].since_ns = rt_now_ns();
	if (!volume_set_has(&peer->news.of[kind].volumes, record->volume))
		peer->news.of[kind].count++;
	volume_set_add(&peer->news.of[kind].volumes, record->volume);
	peer->news.of[kind].volume = record->volume;
	peer->news.of[kind].remote_volume = record->remote_volume;
	if (planted(PLANTED_NEWS_SINGLY))
		tell(peer, kind);
	notice_due(&peer->news.due);
}

void peer_news_tell(struct peer *peer)
{
	for (unsigned i = 0; i < PEER_NEWS_COUNT; i++)
		tell(peer, (enum peer_news_kind)i);
}

/* All are told together, one kind after the other: when there was time for the pairs of the kind that came last. */
static int wait_gathered(const struct peer *peer)
{
	int64_t from_ns, until_ns = 0;
	int rc;

	do {
		from_ns = until_ns;
		for (unsigned i = 0; i < PEER_NEWS_COUNT; i++) {
			if (peer->news.of[i].count && until_ns < peer->news.of[i].since_ns + GATHER_NS)
				until_ns = peer->news.of[i].since_ns + GATHER_NS;
		}
		rc = rt_sleep_until(until_ns);
	} while (!rc && from_ns != until_ns);
	return rc;
}

void peer_news_run(void *arg)
{
	struct peer *peer = arg;

	while (!notice_wait(&peer->news.due) && !wait_gathered(peer))
		peer_news_tell(peer);
}
