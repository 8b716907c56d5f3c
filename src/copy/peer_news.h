/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_news.h - what happens to many pairs at once, since the link to their far side does, is one event: it names the
 * system and how many, and the list of pairs says which. What happens to one pair alone is an event of that pair.
 * Private to copy/, reactor 0.
 */
#ifndef XDC_COPY_PEER_NEWS_H
#define XDC_COPY_PEER_NEWS_H

#include "copy/notice.h"
#include "copy/volume_set.h"
#include "store/records.h"

struct peer;

enum peer_news_kind {
	PEER_NEWS_SUSPENDED,			/* by the link */
	PEER_NEWS_RESUMED,			/* sends again */
	PEER_NEWS_RESYNCED,			/* the far side has all again */
	PEER_NEWS_DUPLEX,			/* no write is answered any more that the far side lacks */
	PEER_NEWS_COUNT
};

struct peer_news {
	struct notice_board due;
	struct {
		unsigned count;
		struct volume_set volumes;	/* so many */
		int64_t since_ns;		/* when the first of them was noted */
		uint16_t volume, remote_volume;	/* of the last of them */
	} of[PEER_NEWS_COUNT];
};

/* To be told soon. record: of the pair. Does not suspend. */
void peer_news_note(struct peer *peer, enum peer_news_kind kind, const struct record_pair *record);

/* Tells at once what is still to be told. Does not suspend. */
void peer_news_tell(struct peer *peer);

/* The fiber that tells it. arg: the peer. */
void peer_news_run(void *arg);

#endif
