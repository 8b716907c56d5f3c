/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h - a link to another system: one control connection, and one data connection a reactor, kept connected as
 * long as the link exists. A link is outgoing: this system dials and asks, the other one answers (link_server.h is
 * its side). What travels is in wire.h and wire_message.h.
 *
 * After a break, unacknowledged means unsent: every request under way ends with -ENOTCONN, every data frame under way
 * completes with -ECONNRESET, each exactly once. Nothing is sent again by the link itself.
 */
#ifndef XDC_COPY_LINK_H
#define XDC_COPY_LINK_H

#include "copy/wire_message.h"
#include "rt/net.h"

struct link;
struct link_channel;

struct link_timing {
	uint32_t ping_ms;		/* 1000: while something waits for an answer, silence is probed after this */
	uint32_t dead_ms;		/* 5000: a probe or handshake unanswered for so long breaks it */
	uint32_t idle_ms;		/* 30000: an idle connection is probed this often */
	uint32_t backoff_min_ms;	/* 50: before the second attempt to connect, doubled up to */
	uint32_t backoff_max_ms;	/* 2000 */
};
extern const struct link_timing link_timing_default;

struct link_config {
	char own[WIRE_SYSTEM_SIZE];		/* this system */
	char peer[WIRE_SYSTEM_SIZE];		/* the system that is dialed; any other that answers is refused */
	char address[WIRE_ADDRESS_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];		/* of this xdcd: random at each start */
	bool zstd;				/* compress payloads where that makes them smaller */

	/* Puts TLS around a connection that was just made, and takes plain over in any case. NULL: plain. Suspends. */
	int (*wrap)(void *arg, struct rt_stream *plain, struct rt_stream **out);
	void *wrap_arg;
	struct link_timing timing;

	/*
	 * An event of the peer arrived (wire_message.h). Called in a fiber of its own on reactor 0, in order, one at
	 * a time; event is freed afterwards. May suspend, but not for long. May be NULL.
	 */
	void (*event)(void *arg, struct link *link, uint16_t type, const void *event);
	void *event_arg;
};

/* ---- the link and its control connection: all on reactor 0 ---- */

/* Begins to connect; does not suspend. The config is copied. -ENOMEM. */
RT_MUST_CHECK int link_open(const struct link_config *config, struct link **out);

/*
 * Suspends until all fibers of the link are gone; frames and requests under way have ended by then. The caller sees
 * to it that no fiber uses the link or its channels any more. NULL is allowed.
 */
void link_close(struct link *link);

/*
 * Breaks all connections and dials no more: requests and frames under way end, later ones get -ENOTCONN. Only
 * link_close comes after it. Suspends.
 */
void link_hang_up(struct link *link);

/* Opens the data connections too, one on each reactor. Again: nothing. Suspends. -ENOMEM. */
RT_MUST_CHECK int link_start_data(struct link *link);

/*
 * Try to connect now, not after the backoff; the peer may have a new address (NULL: as before). Any reactor;
 * suspends.
 */
void link_kick(struct link *link, const char *address);

/* By an administrator's word the peer is at this address: its connections are made anew. Any reactor; suspends. */
void link_move(struct link *link, const char *address);

struct link_state {
	bool connected;
	char address[WIRE_ADDRESS_SIZE];	/* that is dialed */
	uint64_t generation;			/* of the present or last connection */
	uint8_t peer_boot_id[WIRE_ID_SIZE];	/* zeros before the first */
	int64_t since_ns;			/* connected, or not, since then */
	int last_error;				/* why it is not, or was not; 0: never failed */
	char last_error_text[WIRE_TEXT_SIZE];	/* a sentence with the peer's name */
	uint64_t sent_bytes, received_bytes;	/* since the link was opened; of a link: all its connections */
	uint64_t connects, failures;		/* how often it connected, and could not */
	uint32_t round_trip_us;			/* of the last probe or request; 0: not yet known */
};
void link_get_state(const struct link *link, struct link_state *state);		/* does not suspend */
const struct link_config *link_get_config(const struct link *link);

/* Woken at each connect, failure to connect, and disconnect. */
struct rt_cond *link_changed(struct link *link);

/*
 * Sends the request and suspends for the reply. request and reply are the structs of this message; after 0 the caller
 * frees the reply's lists by link_reply_free. why may be NULL, else it gets WIRE_TEXT_SIZE characters: what the peer
 * said.
 *
 * Errors: what the peer answered, or -ENOTCONN (not connected, or the connection broke: whether the peer did it is
 * not known), -EMSGSIZE, -ENOMEM, -EBADMSG (a reply that is none), -ETIMEDOUT and -ECANCELED by the caller's limit
 * (the peer may still do it; a late reply is dropped). To tell the peer's errors from the link's own: *answered, may
 * be NULL.
 */
RT_MUST_CHECK int link_request(struct link *link, uint16_t type, const void *request, void *reply, char *why,
			       bool *answered);
void link_reply_free(uint16_t type, void *reply);

/* ---- data: on the reactor of the channel ---- */

/* The calling reactor's channel; NULL before link_start_data. */
struct link_channel *link_channel_here(struct link *link);

void link_channel_get_state(const struct link_channel *channel, struct link_state *state);	/* does not suspend */
struct rt_cond *link_channel_changed(struct link_channel *channel);

/* Breaks the connection, if there is one: all its frames are done then, soon. It is dialed again. Does not suspend. */
void link_channel_break(struct link_channel *channel);

/* Where frames go when they are done; one owner takes them out. */
struct link_acks {
	struct list_head done;
	struct rt_cond changed;		/* woken when done gets one more */
	unsigned pending;		/* sent, not yet done */
};
void link_acks_init(struct link_acks *acks);

/* What waits to be written to a connection. The link's own. */
struct link_out {
	struct list_head link;
	struct iovec parts[2];
	bool is_writing;
	void (*fill)(struct link_out *out);		/* sets parts when its turn has come; NULL: they are set */
	void (*gone)(struct link_out *out);		/* written, or dropped since the connection broke */
};

/* One data frame. Memory and payload are the caller's and stay as they are until it is done. */
struct link_send {
	/* what to send, by the caller */
	uint16_t volume;		/* at the far side */
	uint8_t session;		/* 0: none */
	bool journal;			/* for the leg's journal; else straight into the volume */
	bool zero;			/* reads as zeros; data NULL */
	bool compare;			/* writes nothing: asks which blocks are there already; offset whole blocks */
	uint64_t tag;			/* number of the increment */
	uint64_t offset;		/* bytes */
	uint32_t len;			/* bytes, 1..WIRE_DATA_MAX */
	const void *data;

	/* what came of it: 0 acknowledged; -ECONNRESET unsent; else the far side's error, e.g. -ENOSPC */
	int error;
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* which far side acknowledged it */
	uint8_t same[WIRE_SAME_MAX];	/* of a comparison: a bit a block */

	/* the link's own */
	struct list_head link;
	struct link_acks *acks;
	struct link_channel *channel;
	struct link_out out;
	void *packed;			/* the payload as compressed, or the checksums of a comparison */
	uint64_t seq;
	uint32_t held_bytes;		/* that it takes of the window */
	bool is_acked;			/* by the far side, before the write returned */
	uint8_t header[WIRE_DATA_SIZE];
};

/* What it takes on the link before it is compressed. */
static inline uint64_t link_send_bytes(const struct link_send *send)
{
	return WIRE_DATA_SIZE + (send->zero ? 0 : send->compare ? wire_sums_size(send->len) : send->len);
}

/*
 * Sends a frame; when the far side's window is full it suspends until there is room, in order of the callers. After 0
 * it is on acks->done exactly once, later. -ENOTCONN (at once when there is no connection), -ENOMEM, -ETIMEDOUT,
 * -ECANCELED: it is not.
 */
RT_MUST_CHECK int link_data_send(struct link_channel *channel, struct link_send *send, struct link_acks *acks);

/* The next frame that is done, NULL if none is. Does not suspend. */
struct link_send *link_acks_next(struct link_acks *acks);

/* The same, waiting for it while any is pending: *send is NULL when none is. Suspends. -ETIMEDOUT, -ECANCELED. */
RT_MUST_CHECK int link_acks_wait(struct link_acks *acks, struct link_send **send);

/*
 * The same for who has to see all of them: false when none is pending. When that takes until until_ns the connection is
 * broken for it, and *until_ns is RT_NEVER from then on. Suspends, shielded.
 */
RT_MUST_CHECK bool link_acks_drain(struct link_acks *acks, struct link_channel *channel, int64_t *until_ns,
				   struct link_send **send);

/*
 * Puts a mark behind all frames sent so far and says what they were: the far side compares at prepare
 * (link_server_check_mark). Suspends. -ENOTCONN, -ENOMEM.
 */
RT_MUST_CHECK int link_channel_mark(struct link_channel *channel, struct wire_channel_mark *mark);

#endif
