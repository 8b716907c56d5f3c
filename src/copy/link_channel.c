/* SPDX-License-Identifier: Apache-2.0 */
/* The data half of a link: one connection a reactor, frames out, acknowledgements in, the window between. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/link_pack.h"
#include "copy/link_private.h"
#include "rt/crc32c.h"
#include "rt/mem.h"

#define READ_BUFFER_BYTES	(16u << 10)
#define BUCKETS			1024u

struct link_channel {
	struct link_end end;
	struct link_packer *packer;		/* NULL: never compresses */
	struct rt_mutex door;			/* who waits for room, in order */
	struct rt_cond room;			/* a frame is done, or the connection broke */
	unsigned frames;			/* sent and not done */
	uint64_t bytes;				/* of their payload */
	uint64_t seq, digest;			/* of the present connection: the last DATA frame, all of them */
	struct list_head buckets[BUCKETS];	/* frames not done, by seq */
};

/* ---- where frames go when they are done ---- */

void link_acks_init(struct link_acks *acks)
{
	list_init(&acks->done);
	rt_cond_init(&acks->changed);
	acks->pending = 0;
}

struct link_send *link_acks_next(struct link_acks *acks)
{
	struct link_send *send;

	if (list_empty(&acks->done))
		return NULL;
	send = list_first(&acks->done, struct link_send, link);
	list_remove(&send->link);
	return send;
}

int link_acks_wait(struct link_acks *acks, struct link_send **send)
{
	int rc = 0;

	*send = link_acks_next(acks);
	while (!*send && acks->pending && !rc) {
		rc = rt_cond_wait(&acks->changed);
		*send = link_acks_next(acks);
	}
	return *send ? 0 : rc;
}

static void finish_send(struct link_send *send, int error)
{
	struct link_channel *channel = send->channel;

	list_remove(&send->link);
	channel->frames--;
	channel->bytes -= send->held_bytes;
	rt_cond_wake_all(&channel->room);
	mem_free(send->packed);
	send->packed = NULL;
	send->error = error;
	memcpy(send->far_boot_id, channel->end.welcome.boot_id, WIRE_ID_SIZE);
	assert(send->acks->pending > 0);
	send->acks->pending--;
	list_add_last(&send->acks->done, &send->link);
	rt_cond_wake_all(&send->acks->changed);
}

/* ---- sending ---- */

/* The writer no longer uses header and payload. Dropped ones are settled when the connection is gone. */
static void send_is_gone(struct link_out *out)
{
	struct link_send *send = container_of(out, struct link_send, out);

	if (send->is_acked)
		finish_send(send, send->error);
}

static bool has_room(const struct link_channel *channel, uint32_t bytes)
{
	const struct wire_welcome *welcome = &channel->end.welcome;

	if (channel->frames >= welcome->window_frames)
		return false;
	return !channel->frames || channel->bytes + bytes <= welcome->window_bytes;
}

static int wait_for_room(struct link_channel *channel, uint32_t bytes)
{
	uint64_t generation = channel->end.state.generation;
	int rc = rt_mutex_lock(&channel->door);

	if (rc)
		return rc;
	for (;;) {
		if (!link_end_conn(&channel->end) || channel->end.state.generation != generation)
			rc = -ENOTCONN;
		if (rc || has_room(channel, bytes))
			break;
		rc = rt_cond_wait(&channel->room);
	}
	rt_mutex_unlock(&channel->door);
	return rc;
}

static void queue_send(struct link_channel *channel, struct link_send *send, struct wire_data *frame)
{
	const void *payload = send->packed ? send->packed : send->data;

	frame->seq = send->seq = ++channel->seq;
	wire_put_data(send->header, frame);
	channel->digest = wire_digest(channel->digest, send->header);
	send->out = (struct link_out){ .gone = send_is_gone };
	send->out.parts[0] = (struct iovec){ send->header, sizeof(send->header) };
	send->out.parts[1] = (struct iovec){ (void *)(uintptr_t)payload, frame->payload_bytes };
	channel->frames++;
	channel->bytes += send->held_bytes;
	send->acks->pending++;
	list_add_last(&channel->buckets[send->seq % BUCKETS], &send->link);
	link_conn_begin_wait(channel->end.conn);
	link_conn_queue(channel->end.conn, &send->out);
}

/* What is compared stays in memory here for the answer, so it counts as if it were sent. */
static int describe_comparison(struct link_send *send, struct wire_data *frame)
{
	frame->flags |= WIRE_DATA_COMPARE;
	memset(send->same, 0, sizeof(send->same));
	if (send->zero)
		return 0;
	frame->payload_bytes = wire_sums_size(send->len);
	send->packed = mem_alloc(frame->payload_bytes);
	if (!send->packed)
		return -ENOMEM;
	wire_put_sums(send->packed, rt_random_u64(), send->data, send->len);
	frame->payload_crc = crc32c(0, send->packed, frame->payload_bytes);
	send->held_bytes = send->len;
	return 0;
}

static int describe_send(struct link_channel *channel, struct link_send *send, struct wire_data *frame)
{
	const void *payload = send->data;

	*frame = (struct wire_data){
		.kind = WIRE_DATA, .tag = send->tag, .offset = send->offset, .volume = send->volume,
		.session = send->session, .raw_bytes = send->len,
	};
	frame->flags = (send->journal ? WIRE_DATA_JOURNAL : 0) | (send->zero ? WIRE_DATA_ZERO : 0);
	send->packed = NULL;
	send->held_bytes = 0;
	if (send->compare)
		return describe_comparison(send, frame);
	if (send->zero)
		return 0;
	frame->payload_bytes = send->len;
	if (channel->packer && (channel->end.welcome.features & WIRE_FEATURE_ZSTD))
		send->packed = link_pack(channel->packer, send->data, send->len, &frame->payload_bytes);
	if (send->packed) {
		frame->flags |= WIRE_DATA_ZSTD;
		payload = send->packed;
	}
	frame->payload_crc = crc32c(0, payload, frame->payload_bytes);
	send->held_bytes = frame->payload_bytes;
	return 0;
}

int link_data_send(struct link_channel *channel, struct link_send *send, struct link_acks *acks)
{
	struct wire_data frame;
	int rc;

	assert(send->len && send->len <= WIRE_DATA_MAX && (send->zero || send->data));
	assert(!send->journal || send->session);
	if (!link_end_conn(&channel->end))
		return -ENOTCONN;
	send->acks = acks;
	send->channel = channel;
	send->is_acked = false;
	rc = describe_send(channel, send, &frame);
	if (!rc)
		rc = wait_for_room(channel, send->held_bytes);
	if (rc) {
		mem_free(send->packed);
		send->packed = NULL;
		return rc;
	}
	queue_send(channel, send, &frame);
	return 0;
}

int link_channel_mark(struct link_channel *channel, struct wire_channel_mark *mark)
{
	struct link_conn *conn = link_end_conn(&channel->end);
	uint8_t header[WIRE_DATA_SIZE];

	if (!conn)
		return -ENOTCONN;
	wire_put_data(header, &(struct wire_data){ .kind = WIRE_MARK, .seq = channel->seq, .tag = channel->digest });
	*mark = (struct wire_channel_mark){
		.reactor = (uint16_t)rt_reactor_index(rt_here()), .generation = channel->end.state.generation,
		.frames = channel->seq, .digest = channel->digest,
	};
	return link_conn_queue_frame(conn, header, sizeof(header), NULL, 0);
}

/* ---- what arrives ---- */

static struct link_send *find_send(struct link_channel *channel, uint64_t seq)
{
	struct link_send *send;

	list_for_each(send, &channel->buckets[seq % BUCKETS], link) {
		if (send->seq == seq)
			return send;
	}
	return NULL;
}

/* An acknowledgement of what was not written yet, or was acknowledged before, is not one. */
static int take_ack(struct link_channel *channel, uint64_t seq, int error)
{
	struct link_send *send = find_send(channel, seq);

	if (!send || send->is_acked)
		return -EBADMSG;
	link_conn_end_wait(channel->end.conn);
	if (send->out.is_writing) {
		/* The far side was faster than our own completion: the memory is still in use. */
		send->is_acked = true;
		send->error = error;
		return 0;
	}
	if (!list_empty(&send->out.link))
		return -EBADMSG;
	finish_send(send, error);
	return 0;
}

static int read_acks(struct link_channel *channel, const struct wire_data *frame)
{
	uint8_t bytes[WIRE_ACKS_MAX * WIRE_ACK_SIZE];
	int rc = link_conn_read(channel->end.conn, bytes, frame->payload_bytes);

	if (!rc && frame->payload_crc != crc32c(0, bytes, frame->payload_bytes))
		rc = -EBADMSG;
	for (uint32_t at = 0; at < frame->payload_bytes && !rc; at += WIRE_ACK_SIZE) {
		struct wire_ack ack;

		rc = wire_get_ack(bytes + at, &ack);
		if (!rc && ack.count > channel->frames)
			rc = -EBADMSG;
		for (uint32_t i = 0; i < ack.count && !rc; i++)
			rc = take_ack(channel, ack.first + i, ack.error);
	}
	return rc;
}

/* The answer to a comparison. */
static int read_same(struct link_channel *channel, const struct wire_data *frame)
{
	uint8_t same[WIRE_SAME_MAX];
	int rc = link_conn_read(channel->end.conn, same, frame->payload_bytes);
	struct link_send *send = find_send(channel, frame->seq);

	if (rc)
		return rc;
	if (frame->payload_crc != crc32c(0, same, frame->payload_bytes) || !send || !send->compare ||
	    frame->payload_bytes != (wire_blocks(send->len) + 7) / 8)
		return -EBADMSG;
	memcpy(send->same, same, frame->payload_bytes);
	return take_ack(channel, frame->seq, 0);
}

static int read_frame(struct link_channel *channel)
{
	struct link_conn *conn = channel->end.conn;
	uint8_t header[WIRE_DATA_SIZE];
	struct wire_data frame;
	int rc = link_conn_read(conn, header, sizeof(header));

	if (!rc)
		rc = wire_get_data(header, &frame);
	if (rc)
		return rc;
	switch (frame.kind) {
	case WIRE_ACK:
		return read_acks(channel, &frame);
	case WIRE_SAME:
		return read_same(channel, &frame);
	case WIRE_DATA_PING:
		link_conn_got_ping(conn, frame.seq);
		return 0;
	case WIRE_DATA_PONG:
		link_conn_got_pong(conn);
		return 0;
	default:
		return -EBADMSG;
	}
}

static void run_reader(void *arg)
{
	struct link_channel *channel = arg;
	struct link_conn *conn = channel->end.conn;
	int rc = 0;

	while (!conn->down && !rc)
		rc = read_frame(channel);
	if (rc)
		link_conn_fail(conn, rc, "receiving from %s: %s", channel->end.config->peer, strerror(-rc));
}

/* ---- the connection ---- */

struct restart {
	struct link *link;
	const uint8_t *boot_id;
};

static int break_older_control(void *arg)
{
	struct restart *restart = arg;
	struct link_end *control = &restart->link->control;
	struct link_conn *conn = link_end_conn(control);

	if (conn && memcmp(control->state.peer_boot_id, restart->boot_id, WIRE_ID_SIZE) != 0)
		link_conn_fail(conn, -ECONNRESET, "%s has restarted", restart->link->config.peer);
	return 0;
}

/* A peer that answers with another boot id has restarted: the control connection need not find that out by silence. */
static void tell_control(struct link_channel *channel)
{
	struct restart restart = {
		.link = container_of((struct link_config *)(uintptr_t)channel->end.config, struct link, config),
		.boot_id = channel->end.welcome.boot_id,
	};
	RT_SHIELD();
	int rc = rt_call(restart.link->reactor, break_older_control, &restart);

	assert(!rc);
}

static void serve_data(struct link_end *end)
{
	struct link_channel *channel = container_of(end, struct link_channel, end);

	channel->seq = 0;
	channel->digest = 0;
	tell_control(channel);
	link_conn_run(end->conn, run_reader, channel);
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (!list_empty(&channel->buckets[i]))
			finish_send(list_first(&channel->buckets[i], struct link_send, link), -ECONNRESET);
	}
	assert(!channel->frames && !channel->bytes);
	rt_cond_wake_all(&channel->room);
}

int link_channel_create(const struct link_config *config, const char *address, struct link_channel **out)
{
	struct link_channel *channel = mem_alloc_zeroed(sizeof(*channel));
	int rc;

	if (!channel)
		return -ENOMEM;
	channel->end.config = config;
	channel->end.kind = WIRE_KIND_DATA;
	channel->end.in_size = READ_BUFFER_BYTES;
	channel->end.serve = serve_data;
	rt_mutex_init(&channel->door);
	rt_cond_init(&channel->room);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&channel->buckets[i]);
	rc = config->zstd ? link_packer_create(&channel->packer) : 0;
	if (!rc)
		rc = link_end_start(&channel->end, address);
	if (rc) {
		link_packer_destroy(channel->packer);
		mem_free(channel);
		return rc;
	}
	*out = channel;
	return 0;
}

void link_channel_stop(struct link_channel *channel)
{
	link_end_stop(&channel->end);
}

void link_channel_break(struct link_channel *channel)
{
	struct link_conn *conn = link_end_conn(&channel->end);

	if (conn)
		link_conn_fail(conn, -ECONNRESET, "%s does not acknowledge what it got", channel->end.config->peer);
}

bool link_acks_drain(struct link_acks *acks, struct link_channel *channel, int64_t *until_ns, struct link_send **send)
{
	RT_SHIELD();

	for (;;) {
		RT_LIMIT(*until_ns);

		if (!link_acks_wait(acks, send))
			return *send;
		link_channel_break(channel);
		*until_ns = RT_NEVER;
	}
}

void link_channel_destroy(struct link_channel *channel)
{
	link_channel_stop(channel);
	link_packer_destroy(channel->packer);
	mem_free(channel);
}

void link_channel_kick(struct link_channel *channel, const char *address)
{
	link_end_kick(&channel->end, address);
}

void link_channel_leave(struct link_channel *channel)
{
	link_end_leave(&channel->end);
}

void link_channel_get_state(const struct link_channel *channel, struct link_state *state)
{
	link_end_get_state(&channel->end, state);
}

const struct link_traffic *link_channel_traffic(const struct link_channel *channel)
{
	return &channel->end.traffic;
}

struct rt_cond *link_channel_changed(struct link_channel *channel)
{
	return &channel->end.changed;
}
