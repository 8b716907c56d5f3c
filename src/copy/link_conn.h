/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_conn.h - one established connection of a link, from welcome to break: a writer with its queue, a buffered
 * reader, probes against silence. Used by both sides of the link (link_end.c, link_server*.c) and nobody else. All
 * calls on the reactor of the connection.
 *
 * A connection breaks once: link_conn_fail may be called from anywhere, any number of times, the first error counts.
 */
#ifndef XDC_COPY_LINK_CONN_H
#define XDC_COPY_LINK_CONN_H

#include "copy/link.h"

/* Bytes over all connections of an end so far: counted on the end's reactor, read on any. */
struct link_traffic {
	_Atomic uint64_t sent_bytes, received_bytes;
};

struct link_conn {
	struct rt_stream *stream;
	struct link_traffic *traffic;	/* of the end that it belongs to; NULL: nobody asks */
	struct link_timing timing;
	bool is_data;			/* frames have data headers, else control headers */
	bool probes;			/* this side probes (it dialed); the other only listens for silence */
	int64_t silence_ns;		/* a read that waits longer breaks the connection; 0: none */

	struct rt_group group;		/* all fibers of the connection, those of handlers too */
	bool down;
	int error;			/* why, once down */
	char why[WIRE_TEXT_SIZE];
	struct rt_cond ended;

	struct list_head out, writing;
	unsigned out_count;		/* in both */
	struct rt_cond out_changed;

	uint8_t *in;			/* received and not yet read: in_start ... in_end */
	size_t in_size, in_start, in_end;
	bool in_bulk;			/* the last read was a large one */

	struct rt_cond keeper;
	unsigned waiting;		/* requests or frames that wait for an answer */
	int64_t heard_ns;		/* something was received */
	int64_t probed_ns;		/* the last probe was sent */
	bool probe_pending;		/* and is not answered */
	uint32_t round_trip_us;
};

/* in_size: of the buffer for reading. Does not take the stream over. -ENOMEM. */
RT_MUST_CHECK int link_conn_init(struct link_conn *conn, struct rt_stream *stream, size_t in_size,
				 const struct link_timing *timing);

/*
 * Runs reader(arg) and the connection's own fibers until it breaks (or the calling fiber is cancelled, which breaks
 * it); when this returns all fibers of the group are gone and everything queued has been told so. Suspends, shielded
 * at the end.
 */
void link_conn_run(struct link_conn *conn, void (*reader)(void *arg), void *arg);

/* Frees what init allocated. The stream stays. */
void link_conn_destroy(struct link_conn *conn);

/* Breaks the connection: everything that waits on it ends. Does not suspend. */
__attribute__((format(printf, 3, 4)))
void link_conn_fail(struct link_conn *conn, int error, const char *format, ...);

/* Queues for the writer; out->gone is called exactly once, later. Not when down. Does not suspend. */
void link_conn_queue(struct link_conn *conn, struct link_out *out);

/*
 * Queues a frame of its own: header (and its payload, which is mem_freed afterwards; may be NULL). -ENOMEM: payload is
 * still the caller's. Does not suspend.
 */
RT_MUST_CHECK int link_conn_queue_frame(struct link_conn *conn, const uint8_t *header, size_t header_len,
					uint8_t *payload, size_t payload_len);

/* Reads, or reads and forgets, exactly len bytes. Suspends. Any error: give the connection up. */
RT_MUST_CHECK int link_conn_read(struct link_conn *conn, void *buf, size_t len);
RT_MUST_CHECK int link_conn_skip(struct link_conn *conn, size_t len);

/* One more, or less, waits for an answer. */
void link_conn_begin_wait(struct link_conn *conn);
void link_conn_end_wait(struct link_conn *conn);

/* A probe came and is answered; a probe was answered. */
void link_conn_got_ping(struct link_conn *conn, uint64_t id);
void link_conn_got_pong(struct link_conn *conn);

#endif
