/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One data connection on the side that answers: a handler in a fiber of its own for each frame, acknowledgements
 * gathered until the writer is free, the running digest and its marks. On the reactor of the connection.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "copy/link_pack.h"
#include "copy/link_server_private.h"
#include "rt/crc32c.h"
#include "rt/log.h"
#include "rt/mem.h"

#define READ_BUFFER_BYTES	(256u << 10)

struct served_data {
	struct served_conn *served;
	struct link_unpacker *unpacker;		/* NULL: not agreed */
	unsigned frames;			/* received and not acknowledged */
	uint64_t bytes;				/* of their payload */
	uint64_t seq, digest;			/* of all frames received */
	uint64_t mark_count;			/* marks[mark_count % LINK_MARKS] is the next */
	struct wire_channel_mark marks[LINK_MARKS];
	struct rt_cond marked;			/* one more, or the connection broke */
	unsigned check_count;			/* fibers in link_serve_check_mark */
	struct rt_cond checked;

	struct link_out out;			/* the next frame of acknowledgements, while it is queued */
	bool is_queued;
	uint8_t header[WIRE_DATA_SIZE];
	uint8_t payload[WIRE_ACKS_MAX * WIRE_ACK_SIZE];
	unsigned ack_first, ack_count;		/* ring of what is not yet in a frame */
	struct wire_ack acks[];			/* as many as the window has frames */
};

/* ---- acknowledgements ---- */

static void fill_acks(struct link_out *out)
{
	struct served_data *data = container_of(out, struct served_data, out);
	unsigned room = data->served->server->config.window_frames;
	struct wire_data frame = { .kind = WIRE_ACK };
	uint32_t len = 0;

	while (data->ack_count && len < sizeof(data->payload)) {
		const struct wire_ack *ack = &data->acks[data->ack_first];

		wire_put_ack(data->payload + len, ack);
		len += WIRE_ACK_SIZE;
		data->frames -= ack->count;
		data->ack_first = (data->ack_first + 1) % room;
		data->ack_count--;
	}
	assert(len > 0);
	frame.payload_bytes = len;
	frame.payload_crc = crc32c(0, data->payload, len);
	wire_put_data(data->header, &frame);
	out->parts[0] = (struct iovec){ data->header, sizeof(data->header) };
	out->parts[1] = (struct iovec){ data->payload, len };
}

static void queue_acks(struct served_data *data)
{
	if (data->is_queued || !data->ack_count || data->served->conn->down)
		return;
	data->is_queued = true;
	link_conn_queue(data->served->conn, &data->out);
}

static void acks_are_gone(struct link_out *out)
{
	struct served_data *data = container_of(out, struct served_data, out);

	data->is_queued = false;
	queue_acks(data);
}

static void acknowledge(struct served_data *data, const struct wire_data *frame, int error)
{
	unsigned room = data->served->server->config.window_frames;
	struct wire_ack *last = &data->acks[(data->ack_first + data->ack_count + room - 1) % room];

	data->bytes -= frame->payload_bytes;
	if (data->ack_count && last->error == error && last->first + last->count == frame->seq) {
		last->count++;
	} else {
		assert(data->ack_count < room);
		data->acks[(data->ack_first + data->ack_count++) % room] =
			(struct wire_ack){ .first = frame->seq, .count = 1, .error = error };
	}
	queue_acks(data);
}

/* ---- answers to comparisons ---- */

struct answer {
	struct link_out out;
	struct served_data *data;
	uint8_t header[WIRE_DATA_SIZE];
	uint8_t same[WIRE_SAME_MAX];
};

/* Only now may the dialer send one more: who does not read what it is answered is not answered without end. */
static void fill_answer(struct link_out *out)
{
	container_of(out, struct answer, out)->data->frames--;
}

static void answer_is_gone(struct link_out *out)
{
	mem_free(container_of(out, struct answer, out));
}

static void answer_comparison(struct served_data *data, const struct wire_data *frame,
			      const uint8_t same[WIRE_SAME_MAX])
{
	uint32_t len = (wire_blocks(frame->raw_bytes) + 7) / 8;
	struct wire_data header = {
		.kind = WIRE_SAME, .seq = frame->seq, .payload_bytes = len, .payload_crc = crc32c(0, same, len),
	};
	struct answer *answer = mem_alloc_zeroed(sizeof(*answer));

	if (!answer) {
		acknowledge(data, frame, -ENOMEM);
		return;
	}
	data->bytes -= frame->payload_bytes;
	answer->data = data;
	memcpy(answer->same, same, len);
	wire_put_data(answer->header, &header);
	answer->out.fill = fill_answer;
	answer->out.gone = answer_is_gone;
	answer->out.parts[0] = (struct iovec){ answer->header, sizeof(answer->header) };
	answer->out.parts[1] = (struct iovec){ answer->same, len };
	list_init(&answer->out.link);
	if (data->served->conn->down)
		answer_is_gone(&answer->out);
	else
		link_conn_queue(data->served->conn, &answer->out);
}

/* ---- frames ---- */

/* One frame, owned by its fiber. */
struct job {
	struct served_data *data;
	struct wire_data frame;
	void *blocks;
};

static void compare(struct job *job)
{
	const struct link_server_config *config = &job->data->served->server->config;
	uint8_t same[WIRE_SAME_MAX];
	int rc = -EOPNOTSUPP;

	if (config->compare)
		rc = config->compare(config->arg, &job->data->served->peer, &job->frame, job->blocks, same);
	assert(rc <= 0);
	if (rc)
		acknowledge(job->data, &job->frame, rc);
	else
		answer_comparison(job->data, &job->frame, same);
}

static void take(struct job *job)
{
	const struct link_server_config *config = &job->data->served->server->config;
	int rc = config->data(config->arg, &job->data->served->peer, &job->frame, &job->blocks);

	assert(rc <= 0);
	acknowledge(job->data, &job->frame, rc);
}

static void run_job(void *arg)
{
	struct job *job = arg;

	if (job->frame.flags & WIRE_DATA_COMPARE)
		compare(job);
	else
		take(job);
	mem_free(job->blocks);
	mem_free(job);
}

/*
 * Reads the payload into *out: raw_bytes long, or as it is for a comparison. -ENOMEM: it was read and forgotten; other
 * errors end the connection.
 */
static int read_blocks(struct served_data *data, const struct wire_data *frame, void **out)
{
	struct link_conn *conn = data->served->conn;
	bool is_packed = frame->flags & WIRE_DATA_ZSTD;
	MEM_OWNED void *packed = is_packed ? mem_alloc(frame->payload_bytes) : NULL;
	MEM_OWNED void *blocks =
		mem_alloc_pages(frame->flags & WIRE_DATA_COMPARE ? frame->payload_bytes : frame->raw_bytes);
	void *to = is_packed ? packed : blocks;
	int rc;

	if (!blocks || !to) {
		rc = link_conn_skip(conn, frame->payload_bytes);
		return rc ? rc : -ENOMEM;
	}
	rc = link_conn_read(conn, to, frame->payload_bytes);
	if (!rc && frame->payload_crc != crc32c(0, to, frame->payload_bytes))
		rc = -EBADMSG;
	if (!rc && is_packed)
		rc = link_unpack(data->unpacker, packed, frame->payload_bytes, blocks, frame->raw_bytes);
	if (rc)
		return rc == -ENOMEM ? -EBADMSG : rc;
	*out = blocks;
	blocks = NULL;
	return 0;
}

static int start_job(struct served_data *data, const struct wire_data *frame, void *blocks)
{
	struct job *job = mem_alloc(sizeof(*job));
	int rc;

	if (!job)
		return -ENOMEM;
	*job = (struct job){ .data = data, .frame = *frame, .blocks = blocks };
	rc = rt_group_start(&data->served->conn->group, "link frame", run_job, job);
	if (rc)
		mem_free(job);
	return rc;
}

static int take_blocks(struct served_data *data, const struct wire_data *frame, const uint8_t *header)
{
	const struct link_server_config *config = &data->served->server->config;
	void *blocks = NULL;
	int rc;

	if (frame->seq != data->seq + 1 || ((frame->flags & WIRE_DATA_ZSTD) && !data->unpacker))
		return -EPROTO;
	if (data->frames >= config->window_frames ||
	    (data->frames && data->bytes + frame->payload_bytes > config->window_bytes))
		return -EPROTO;
	data->seq = frame->seq;
	data->digest = wire_digest(data->digest, header);
	data->frames++;
	data->bytes += frame->payload_bytes;
	if (!(frame->flags & WIRE_DATA_ZERO)) {
		rc = read_blocks(data, frame, &blocks);
		if (rc && rc != -ENOMEM)
			return rc;
		if (rc) {
			acknowledge(data, frame, rc);
			return 0;
		}
	}
	rc = start_job(data, frame, blocks);
	if (rc) {
		mem_free(blocks);
		acknowledge(data, frame, rc);
	}
	return 0;
}

static int take_mark(struct served_data *data, const struct wire_data *frame)
{
	if (frame->seq != data->seq || frame->tag != data->digest) {
		log_line(LOG_ERROR, "link", "%s sent other data than what was received, at frame %llu",
			 data->served->peer.system, (unsigned long long)data->seq);
		return -EBADMSG;
	}
	data->marks[data->mark_count++ % LINK_MARKS] = (struct wire_channel_mark){
		.reactor = data->served->peer.reactor, .generation = data->served->peer.generation,
		.frames = data->seq, .digest = data->digest,
	};
	rt_cond_wake_all(&data->marked);
	return 0;
}

static int read_frame(struct served_data *data)
{
	struct link_conn *conn = data->served->conn;
	uint8_t header[WIRE_DATA_SIZE];
	struct wire_data frame;
	int rc = link_conn_read(conn, header, sizeof(header));

	if (!rc)
		rc = wire_get_data(header, &frame);
	if (rc)
		return rc;
	switch (frame.kind) {
	case WIRE_DATA:
		return take_blocks(data, &frame, header);
	case WIRE_MARK:
		return take_mark(data, &frame);
	case WIRE_DATA_PING:
		link_conn_got_ping(conn, frame.seq);
		return 0;
	case WIRE_DATA_PONG:
		return 0;
	default:
		return -EBADMSG;
	}
}

static void run_reader(void *arg)
{
	struct served_data *data = arg;
	struct link_conn *conn = data->served->conn;
	int rc = 0;

	while (!conn->down && !rc)
		rc = read_frame(data);
	if (rc)
		link_conn_fail(conn, rc, "receiving: %s", strerror(-rc));
}

/* ---- marks ---- */

static int look_for_mark(const struct served_data *data, const struct wire_channel_mark *mark)
{
	uint64_t from = data->mark_count > LINK_MARKS ? data->mark_count - LINK_MARKS : 0;

	for (uint64_t i = from; i < data->mark_count; i++) {
		const struct wire_channel_mark *here = &data->marks[i % LINK_MARKS];

		if (here->frames == mark->frames)
			return here->digest == mark->digest ? 0 : -EBADMSG;
		if (here->frames > mark->frames)
			return -ESTALE;
	}
	return -EAGAIN;
}

int link_serve_check_mark(struct served_conn *served, const struct wire_channel_mark *mark)
{
	struct served_data *data = served->data;
	int rc = data ? -EAGAIN : -ESTALE;

	if (data)
		data->check_count++;
	while (rc == -EAGAIN) {
		if (served->conn->down)
			rc = -ESTALE;
		else
			rc = look_for_mark(data, mark);
		if (rc == -EAGAIN && rt_cond_wait(&data->marked))
			rc = rt_cancelled() ? -ECANCELED : -ETIMEDOUT;
	}
	if (data && !--data->check_count)
		rt_cond_wake_all(&data->checked);
	return rc;
}

/* ---- the connection ---- */

static struct served_data *create_data(struct served_conn *served)
{
	unsigned room = served->server->config.window_frames;
	struct served_data *data = mem_alloc_zeroed(sizeof(*data) + room * sizeof(data->acks[0]));

	if (!data)
		return NULL;
	data->served = served;
	data->out.fill = fill_acks;
	data->out.gone = acks_are_gone;
	list_init(&data->out.link);
	rt_cond_init(&data->marked);
	rt_cond_init(&data->checked);
	if ((served->features & WIRE_FEATURE_ZSTD) && link_unpacker_create(&data->unpacker)) {
		mem_free(data);
		return NULL;
	}
	return data;
}

/* Checks of marks that still wait give up. */
static void settle_checks(struct served_data *data)
{
	RT_SHIELD();

	rt_cond_wake_all(&data->marked);
	while (data->check_count) {
		int rc = rt_cond_wait(&data->checked);

		assert(!rc);
	}
}

static int serve_with(struct served_conn *served, struct served_data *data)
{
	struct link_server *server = served->server;
	struct link_conn conn;
	int rc = link_conn_init(&conn, served->stream, READ_BUFFER_BYTES, &server->config.timing);

	if (rc)
		return rc;
	conn.is_data = true;
	conn.silence_ns = (served->hello.idle_ms + (int64_t)server->config.timing.dead_ms) * RT_MS;
	served->conn = &conn;
	served->data = data;
	if (served->stopping)
		link_conn_fail(&conn, -ECONNABORTED, "closed by this side");
	link_conn_run(&conn, run_reader, data);
	served->data = NULL;
	settle_checks(data);
	served->conn = NULL;
	log_line(LOG_NOTICE, "link", "data connection %u of %s has ended: %s", served->peer.reactor,
		 served->peer.system, conn.why);
	link_conn_destroy(&conn);
	return 0;
}

int link_serve_data(void *arg)
{
	struct served_conn *served = arg;
	struct served_data *data = create_data(served);
	int rc;

	if (!data)
		return -ENOMEM;
	rc = serve_with(served, data);
	link_unpacker_destroy(data->unpacker);
	mem_free(data);
	return rc;
}
