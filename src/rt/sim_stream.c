/* SPDX-License-Identifier: Apache-2.0 */
#include "rt/sim_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/sim_memory.h"

#define SEGMENT_BYTES_MAX	65536u

struct segment {
	struct list_head link;
	int64_t arrives_ns;
	bool is_end;			/* of the stream; no bytes */
	size_t len, taken;
	uint8_t bytes[];
};

static struct sim_socket *other(struct sim_socket *end)
{
	return end == &end->connection->ends[0] ? &end->connection->ends[1] : &end->connection->ends[0];
}

/* ---- the way ---- */

bool sim_way_is_open(const struct sim_system *from, const struct sim_system *to)
{
	return to->powered && (from == to || !from->world->links[from->index][to->index].cut);
}

int64_t sim_way_delay(const struct sim_system *from, const struct sim_system *to)
{
	return sim_pick(from->world, &from->world->links[from->index][to->index].delay_ns);
}

static struct sim_link *link_towards(struct sim_socket *end)
{
	return &end->connection->world->links[other(end)->machine->index][end->machine->index];
}

static bool way_is_open_to(struct sim_socket *end)
{
	return sim_way_is_open(other(end)->machine, end->machine);
}

/* ---- waits ---- */

struct stream_wait {
	struct sim_wait wait;
	struct sim_wait **slot;
};

static void stream_wait_cancelled(struct sim_wait *wait)
{
	*container_of(wait, struct stream_wait, wait)->slot = NULL;
	sim_wait_end(wait, -ECANCELED);
}

static void stream_wait_dropped(struct sim_wait *wait)
{
	*container_of(wait, struct stream_wait, wait)->slot = NULL;
}

static int wait_in(struct sim_wait **slot, const char *what)
{
	struct stream_wait w = { .slot = slot };

	assert(*slot == NULL);		/* one fiber reads, one writes */
	sim_wait_begin(&w.wait, what);
	w.wait.cancelled = stream_wait_cancelled;
	w.wait.dropped = stream_wait_dropped;
	*slot = &w.wait;
	return (int)sim_wait_for(&w.wait);
}

static void wake_in(struct sim_wait **slot)
{
	struct sim_wait *wait = *slot;

	*slot = NULL;
	if (wait != NULL)
		sim_wait_end(wait, 0);
}

/* ---- segments ---- */

static void drop_segments(struct list_head *segments)
{
	struct segment *segment, *next;

	list_for_each_safe(segment, next, segments, link)
		sim_free(segment);
	list_init(segments);
}

static void forget_incoming(struct sim_socket *end)
{
	drop_segments(&end->flying);
	drop_segments(&end->arrived);
	end->bytes = 0;
	end->stalled = false;
	sim_queue_remove(&end->connection->world->queue, &end->arrival);
}

static void send_segment(struct sim_socket *to, struct segment *segment)
{
	struct sim_world *world = to->connection->world;
	struct sim_link *link = link_towards(to);
	int64_t sent_ns = world->now_ns;

	if (link->bytes_per_s > 0) {
		if (link->busy_until_ns > sent_ns)
			sent_ns = link->busy_until_ns;
		sent_ns += (int64_t)(segment->len * (uint64_t)RT_SECOND / link->bytes_per_s);
		link->busy_until_ns = sent_ns;
	}
	segment->arrives_ns = sent_ns + sim_pick(world, &link->delay_ns);
	if (segment->arrives_ns < to->last_arrival_ns)
		segment->arrives_ns = to->last_arrival_ns;
	to->last_arrival_ns = segment->arrives_ns;
	to->bytes += segment->len;
	if (list_empty(&to->flying) && !to->stalled)
		sim_queue_set(&world->queue, &to->arrival, segment->arrives_ns);
	list_add_last(&to->flying, &segment->link);
}

static void send_end(struct sim_socket *to)
{
	struct segment *segment = sim_alloc(sizeof(*segment));

	segment->is_end = true;
	send_segment(to, segment);
}

static void send_reset(struct sim_socket *to)
{
	struct sim_world *world = to->connection->world;

	if (!to->closed && !to->gone && !to->reset && !sim_event_queued(&to->reset_arrival))
		sim_after(world, &to->reset_arrival, sim_pick(world, &link_towards(to)->delay_ns));
}

static void reset_end(struct sim_socket *end)
{
	end->reset = true;
	forget_incoming(end);
	wake_in(&end->reader);
	wake_in(&end->writer);
}

static void reset_arrives(struct sim_event *event)
{
	struct sim_socket *end = container_of(event, struct sim_socket, reset_arrival);

	if (!way_is_open_to(end))
		end->reset_stalled = true;
	else if (!end->closed && !end->gone)
		reset_end(end);
}

static void take_segment(struct sim_socket *end, struct segment *segment)
{
	list_remove(&segment->link);
	if (!segment->is_end) {
		list_add_last(&end->arrived, &segment->link);
		return;
	}
	end->finished = true;
	sim_free(segment);
}

static void segments_arrive(struct sim_event *event)
{
	struct sim_socket *end = container_of(event, struct sim_socket, arrival);
	struct sim_world *world = end->connection->world;

	if (!way_is_open_to(end)) {
		end->stalled = true;
		return;
	}
	if (end->closed || end->gone) {
		/* Nobody is there who could read it. A mere end of stream needs no answer. */
		if (end->gone || end->bytes > 0)
			send_reset(other(end));
		forget_incoming(end);
		wake_in(&other(end)->writer);
		return;
	}
	while (!list_empty(&end->flying)) {
		struct segment *segment = list_first(&end->flying, struct segment, link);

		if (segment->arrives_ns > world->now_ns) {
			sim_queue_set(&world->queue, &end->arrival, segment->arrives_ns);
			break;
		}
		sim_trace(world, segment->len, end->owner->index);
		take_segment(end, segment);
	}
	wake_in(&end->reader);
}

/* ---- reading and writing ---- */

static size_t take_bytes(struct sim_socket *end, uint8_t *to, size_t len)
{
	struct sim_rand *rand = &end->connection->world->rand;
	size_t got = 0;

	if (len > 1 && sim_rand_below(rand, 8) == 0)
		len = 1 + (size_t)sim_rand_below(rand, len);
	while (got < len && !list_empty(&end->arrived)) {
		struct segment *segment = list_first(&end->arrived, struct segment, link);
		size_t part = segment->len - segment->taken;

		if (part > len - got)
			part = len - got;
		memcpy(to + got, segment->bytes + segment->taken, part);
		segment->taken += part;
		got += part;
		if (segment->taken == segment->len) {
			list_remove(&segment->link);
			sim_free(segment);
		}
	}
	end->bytes -= got;
	return got;
}

static void break_connection(struct sim_connection *connection)
{
	sim_count_fault(connection->world, SIM_FAULT_BREAK);
	for (unsigned i = 0; i < 2; i++)
		if (!connection->ends[i].closed && !connection->ends[i].gone)
			reset_end(&connection->ends[i]);
}

static ssize_t stream_read(struct rt_stream *stream, void *buf, size_t len)
{
	struct sim_socket *end = sim_socket_of(stream);
	int rc = 0;

	if (sim_call_fails(end->owner, SIM_RECEIVE))
		break_connection(end->connection);
	while (rc == 0) {
		if (end->reset)
			return -ECONNRESET;
		if (!list_empty(&end->arrived)) {
			size_t got = take_bytes(end, buf, len);

			wake_in(&other(end)->writer);
			return (ssize_t)got;
		}
		if (end->finished || end->shut)
			return 0;
		rc = wait_in(&end->reader, "bytes to read");
	}
	return rc;
}

/* A place in the parts of a write. */
struct cursor {
	const struct iovec *part;
	size_t done;			/* of that part */
};

static void copy_from(struct cursor *cursor, uint8_t *to, size_t len)
{
	while (len > 0) {
		size_t part = cursor->part->iov_len - cursor->done;

		if (part > len)
			part = len;
		if (part > 0)
			memcpy(to, (const uint8_t *)cursor->part->iov_base + cursor->done, part);
		to += part;
		len -= part;
		cursor->done += part;
		if (cursor->done == cursor->part->iov_len)
			*cursor = (struct cursor){ .part = cursor->part + 1 };
	}
}

/* Sends some of what is left, as far as the window has room; how much. */
static size_t send_some(struct sim_socket *end, struct cursor *cursor, size_t left)
{
	struct sim_world *world = end->connection->world;
	struct sim_socket *to = other(end);
	size_t room = world->config.net_window_bytes > to->bytes ? world->config.net_window_bytes - to->bytes : 0;
	struct segment *segment;

	if (left > room)
		left = room;
	if (left > SEGMENT_BYTES_MAX)
		left = SEGMENT_BYTES_MAX;
	if (left > 1 && sim_rand_below(&world->rand, 4) == 0)
		left = 1 + (size_t)sim_rand_below(&world->rand, left);
	if (left == 0)
		return 0;
	segment = sim_alloc_dirty(sizeof(*segment) + left, 16);
	*segment = (struct segment){ .len = left };
	copy_from(cursor, segment->bytes, left);
	send_segment(to, segment);
	return left;
}

static int stream_write(struct rt_stream *stream, const struct iovec *parts, unsigned count)
{
	struct sim_socket *end = sim_socket_of(stream);
	struct sim_world *world = end->connection->world;
	struct cursor cursor = { .part = parts };
	size_t left = 0;

	for (unsigned i = 0; i < count; i++)
		left += parts[i].iov_len;
	if (sim_call_fails(end->owner, SIM_SEND) ||
	    (end->owner->index != 0 && sim_rand_chance(&world->rand, world->config.connection_breaks)))
		break_connection(end->connection);
	while (left > 0) {
		size_t sent;
		int rc;

		if (end->reset)
			return -ECONNRESET;
		if (end->shut)
			return -EPIPE;
		sent = send_some(end, &cursor, left);
		left -= sent;
		rc = sent > 0 ? 0 : wait_in(&end->writer, "room to send");
		if (rc < 0)
			return rc;
	}
	return end->reset ? -ECONNRESET : 0;
}

/* ---- ends ---- */

static void stream_shutdown(struct rt_stream *stream)
{
	struct sim_socket *end = sim_socket_of(stream);

	if (end->shut)
		return;
	end->shut = true;
	if (!end->reset)
		send_end(other(end));
	wake_in(&end->reader);
	wake_in(&end->writer);
}

static void stream_close(struct rt_stream *stream)
{
	struct sim_socket *end = sim_socket_of(stream);

	sim_socket_close(end, !list_empty(&end->arrived));
}

static const struct rt_stream_ops stream_ops = {
	.read = stream_read,
	.write = stream_write,
	.shutdown = stream_shutdown,
	.close = stream_close,
};

static void init_end(struct sim_socket *end, struct sim_connection *connection, struct sim_system *owner,
	struct sim_system *machine)
{
	end->stream.ops = &stream_ops;
	end->connection = connection;
	end->owner = owner;
	end->machine = machine;
	end->arrival.fn = segments_arrive;
	end->reset_arrival.fn = reset_arrives;
	list_init(&end->link);
	list_init(&end->flying);
	list_init(&end->arrived);
}

struct sim_connection *sim_connection_new(struct sim_system *client, struct sim_system *client_machine,
	struct sim_system *server)
{
	struct sim_connection *connection = sim_alloc(sizeof(*connection));

	connection->world = server->world;
	init_end(&connection->ends[0], connection, client, client_machine);
	init_end(&connection->ends[1], connection, server, server);
	list_add_last(&server->world->connections, &connection->link);
	return connection;
}

static void connection_free(struct sim_connection *connection)
{
	for (unsigned i = 0; i < 2; i++) {
		forget_incoming(&connection->ends[i]);
		sim_queue_remove(&connection->world->queue, &connection->ends[i].reset_arrival);
		list_remove(&connection->ends[i].link);
	}
	list_remove(&connection->link);
	sim_free(connection);
}

static void free_if_left(struct sim_connection *connection)
{
	if ((connection->ends[0].closed || connection->ends[0].gone) &&
	    (connection->ends[1].closed || connection->ends[1].gone))
		connection_free(connection);
}

void sim_socket_close(struct sim_socket *end, bool by_reset)
{
	assert(!end->closed && end->reader == NULL && end->writer == NULL);
	if (by_reset)
		send_reset(other(end));
	else if (!end->shut && !end->reset)
		send_end(other(end));
	end->shut = true;
	end->closed = true;
	drop_segments(&end->arrived);
	list_remove(&end->link);
	free_if_left(end->connection);
}

/* ---- crashes ---- */

/* The kernel is gone: of what it had not sent, nothing will come any more. */
static void lose_end(struct sim_socket *end)
{
	struct sim_socket *peer = other(end);
	struct segment *segment, *next;
	bool lost = false;

	list_for_each_safe(segment, next, &peer->flying, link) {
		lost = lost || sim_rand_below(&end->connection->world->rand, 4) == 0;
		if (!lost)
			continue;
		peer->bytes -= segment->len;
		list_remove(&segment->link);
		sim_free(segment);
	}
	sim_queue_remove(&end->connection->world->queue, &end->reset_arrival);
	end->gone = true;
	drop_segments(&end->arrived);
	list_remove(&end->link);
	free_if_left(end->connection);
}

void sim_streams_end(struct sim_system *system, enum sim_crash how)
{
	struct sim_connection *connection, *next;

	while (!list_empty(&system->ends)) {
		struct sim_socket *end = list_first(&system->ends, struct sim_socket, link);

		/* A process may have been reached on another machine only if it is outside. */
		if (how == SIM_POWER_LOSS && end->machine == system)
			lose_end(end);
		else
			sim_socket_close(end, !list_empty(&end->arrived));
	}
	if (how != SIM_POWER_LOSS)
		return;
	/*
	 * Ends that processes which died before have left to the kernel, and those that outside has on this
	 * machine.
	 */
	list_for_each_safe(connection, next, &system->world->connections, link) {
		for (unsigned i = 0; i < 2; i++) {
			struct sim_socket *end = &connection->ends[i];

			if (end->machine != system || end->gone)
				continue;
			if (end->closed) {
				end->gone = true;
			} else {
				reset_end(end);
			}
		}
	}
}

void sim_streams_destroy(struct sim_world *world)
{
	while (!list_empty(&world->connections))
		connection_free(list_first(&world->connections, struct sim_connection, link));
}

/* ---- cuts ---- */

void sim_way_restart(const struct sim_system *from, const struct sim_system *to)
{
	/* The sender tries again when its timer says so, not when the way is whole. */
	static const struct sim_range retry_ns = { RT_MS, 400 * RT_MS };
	struct sim_world *world = from->world;
	struct sim_connection *connection;

	list_for_each(connection, &world->connections, link) {
		for (unsigned i = 0; i < 2; i++) {
			struct sim_socket *end = &connection->ends[i];

			if (end->machine != to || other(end)->machine != from || !sim_way_is_open(from, to))
				continue;
			if (end->stalled)
				sim_after(world, &end->arrival, sim_pick(world, &retry_ns));
			if (end->reset_stalled)
				sim_after(world, &end->reset_arrival, sim_pick(world, &retry_ns));
			end->stalled = false;
			end->reset_stalled = false;
		}
	}
}

static void break_between(struct sim_system *a, struct sim_system *b)
{
	struct sim_connection *connection;

	list_for_each(connection, &a->world->connections, link) {
		struct sim_system *one = connection->ends[0].machine, *two = connection->ends[1].machine;

		if ((one == a && two == b) || (one == b && two == a))
			break_connection(connection);
	}
}

void sim_break(struct sim_system *a, struct sim_system *b)
{
	sim_note(a->world, "connections of %s and %s break", a->name, b != NULL ? b->name : "all");
	for (unsigned i = 0; i < a->world->system_count; i++)
		if (a->world->systems[i] != a && (b == NULL || a->world->systems[i] == b))
			break_between(a, a->world->systems[i]);
}
