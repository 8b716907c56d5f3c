/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_server.h - the side of a link that answers: takes connections of other systems and runs a handler for each
 * request and data frame. All calls on reactor 0 unless it says otherwise.
 *
 * Of one system there is at most one control connection, and one data connection for each of its reactors. A new one
 * fences the old: the old is closed, its handlers are cancelled and waited for, and only then the new one is welcome.
 * So when the other side sees its new connection, nothing that it sent over the old one can still happen.
 */
#ifndef XDC_COPY_LINK_SERVER_H
#define XDC_COPY_LINK_SERVER_H

#include "copy/link.h"

struct link_server;

/* Who asks. */
struct link_peer {
	char system[WIRE_SYSTEM_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];
	uint64_t generation;		/* of the connection */
	uint16_t reactor;		/* of the other system, for data */
	char address[128];		/* for logs */
};

/*
 * A handler runs in a fiber of its own on reactor 0, many at once, in the order of arrival up to the first wait.
 * request is valid until it returns; reply is zeroed, its lists are mem_alloc'ed by the handler and freed by the
 * server. Returns 0 or a negative errno that goes back to the other side, with the sentence in why (WIRE_TEXT_SIZE
 * characters, "" before). When the connection breaks the handler is cancelled: what must not be left half done is
 * shielded (RT_SHIELD).
 */
struct link_handler {
	uint16_t type;
	int (*fn)(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
};

/*
 * A data frame: runs in a fiber of its own on the connection's reactor (that of the source, modulo ours), many at
 * once, in the order of arrival up to the first wait; the frame is acknowledged when it returns. data is raw_bytes
 * long and aligned for O_DIRECT, NULL for zeros. It is the handler's: *data may be set to NULL to keep it (mem_free
 * later). Acknowledged (0) means: counts for prepare and sync, not durable. Errors go back as the frame's result.
 */
typedef int link_data_fn(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data);

/*
 * A comparison: the same, but nothing is written. sums as for wire_compare, whose result goes into same. Errors go back
 * as the frame's result: then nothing is known.
 */
typedef int link_compare_fn(void *arg, const struct link_peer *peer, const struct wire_data *frame,
			    const uint8_t *sums, uint8_t same[WIRE_SAME_MAX]);

struct link_server_config {
	char own[WIRE_SYSTEM_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];
	const struct link_handler *handlers;	/* ended by type 0; lives as long as the server */
	link_data_fn *data;			/* NULL: data connections are refused */
	link_compare_fn *compare;		/* NULL: comparisons get -EOPNOTSUPP */
	void *arg;
	struct link_timing timing;
	uint32_t window_frames;			/* 0: 256; a connection's frames that are not yet acknowledged */
	uint32_t window_bytes;			/* 0: 16 MiB; of their payload */
	uint32_t requests_max;			/* 0: 256; outstanding on one control connection */
};

/* -ENOMEM. */
RT_MUST_CHECK int link_server_start(const struct link_server_config *config, struct link_server **out);

/*
 * Serves a connection that was accepted (after TLS) and returns at its end; takes the stream over. Any reactor;
 * nobody else uses the stream. identity: the system that the other side proved to be by its credentials, NULL if they
 * do not say. Must not be called any more once link_server_stop has begun.
 */
void link_server_serve(struct link_server *server, struct rt_stream *stream, const char *identity);

/*
 * Closes all connections, cancels all handlers and waits until every link_server_serve has returned. Suspends. NULL
 * is allowed.
 */
void link_server_stop(struct link_server *server);

/*
 * From here on this system answers with another boot id, as if it had restarted; all connections break. Suspends
 * briefly.
 */
void link_server_restart(struct link_server *server, const uint8_t boot_id[WIRE_ID_SIZE]);

/*
 * Sends an event over the control connection that this system has dialed. Does not suspend. -ENOTCONN: it has none;
 * -EMSGSIZE, -ENOMEM; -EAGAIN: too many not yet sent.
 */
RT_MUST_CHECK int link_server_event(struct link_server *server, const char *system, uint16_t type, const void *event);

/*
 * At prepare: has the data connection received, in this generation, exactly what the source says it sent? Waits for the
 * mark if it is still under way. 0, -ESTALE: another generation or none; -EBADMSG: numbers or digests differ;
 * -ETIMEDOUT, -ECANCELED.
 */
RT_MUST_CHECK int link_server_check_mark(struct link_server *server, const char *system,
					 const struct wire_channel_mark *mark);

#endif
