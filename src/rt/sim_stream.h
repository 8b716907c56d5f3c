/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim_stream.h - connections between machines: two ends, and a pipe of segments towards each. Private to the
 * simulator.
 *
 * A segment arrives after the delay of its link, never before the one ahead of it; while the way is cut, or the
 * machine at its end is off, it waits and is sent again later, as TCP does. The kernel of a machine answers for
 * its processes: after the death of a process the peer sees the end or a reset, after a power loss nothing,
 * until it sends to the new kernel.
 */
#ifndef XDC_RT_SIM_STREAM_H
#define XDC_RT_SIM_STREAM_H

#include "rt/sim_impl.h"

struct sim_connection;

struct sim_socket {
	struct rt_stream stream;
	struct list_head link;		/* of the owner, or of the listener until it is accepted */
	struct sim_connection *connection;
	struct sim_system *owner;	/* the process */
	struct sim_system *machine;	/* where its kernel is; not the owner's for sim_connect */
	bool shut;			/* by the own program */
	bool closed;			/* no program has it any more */
	bool gone;			/* its kernel has forgotten it */
	bool reset;
	struct sim_wait *reader, *writer;

	/* What flows towards this end. */
	struct list_head flying, arrived;
	size_t bytes;			/* flying and arrived */
	bool finished;			/* the peer's end of stream has arrived */
	int64_t last_arrival_ns;
	struct sim_event arrival;	/* of the first that flies */
	struct sim_event reset_arrival;
	bool stalled, reset_stalled;
};

struct sim_connection {
	struct list_head link;		/* of the world */
	struct sim_world *world;
	struct sim_socket ends[2];		/* the one that connected, and the one that listened */
};

/* Neither end is in a list yet. */
struct sim_connection *sim_connection_new(struct sim_system *client, struct sim_system *client_machine,
	struct sim_system *server);

static inline struct sim_socket *sim_socket_of(struct rt_stream *stream)
{
	return container_of(stream, struct sim_socket, stream);
}

/*
 * The program gives the end up; with by_reset the peer sees that instead of an orderly end. Frees the
 * connection after both.
 */
void sim_socket_close(struct sim_socket *end, bool by_reset);

bool sim_way_is_open(const struct sim_system *from, const struct sim_system *to);
int64_t sim_way_delay(const struct sim_system *from, const struct sim_system *to);

/* What waits on the way goes on. */
void sim_way_restart(const struct sim_system *from, const struct sim_system *to);

#endif
