/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nbd_transmit.c - requests and replies of one connection, on the reactor of its volume.
 *
 * One fiber reads: a large read of the stream takes in many requests, each of which becomes a fiber of its own. What
 * they have to say is queued, and one fiber writes all that is queued with one call, which is once a turn of the
 * loop: it is woken by the first of them and runs after those that were ready already. Large payloads are read
 * straight into the buffer of their request. A request holds its place and its memory until its reply is written, so
 * a client that does not take its replies can claim no more than REQUESTS_MAX and BYTES_MAX, and all of them together
 * no more than the budget of the reactor.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/nbd_conn.h"
#include "rt/log.h"
#include "rt/mem.h"

#define REQUESTS_MAX	256u			/* under way on one connection */
#define BYTES_MAX	((size_t)64 << 20)	/* of their buffers */
#define REQUEST_BYTES	((size_t)16 << 10)	/* that one takes beside its buffer: above all its fiber's stack */
#define INPUT_SIZE	((size_t)256 << 10)	/* one read of the stream */
#define BULK_MIN	((size_t)64 << 10)	/* payloads from here on are not read ahead */
#define HOLE_UNIT	((uint64_t)XDC_TRACK_SIZE)	/* zeroes in a large read are left out by this much */
#define CACHE_PIECE	(1u << 20)
#define EXTENTS_MAX	500u			/* in one block status: with the chunk they take a page */
#define LAST_REPLIES_NS	RT_SECOND		/* to write what is left when a connection ends */

/* While others wait for memory a client has so long to take or send what it is to, and so long more for each MiB. */
#define CLIENT_NS	(30 * RT_SECOND)
#define CLIENT_MIB_NS	(4 * RT_SECOND)

struct transfer;

struct request {
	struct list_head link;		/* in unused or replies of the transfer */
	struct transfer *transfer;
	struct nbd_command command;
	uint8_t *buffer;		/* of buffer_len bytes from the pool, or NULL */
	size_t buffer_len;
	size_t memory;			/* taken of the budget */
	uint8_t *chunks;		/* parts and heads of a read in many chunks, from the pool, or NULL */
	size_t chunks_len;
	uint32_t extents;		/* of a block status, in buffer */
	struct iovec *parts;		/* the reply */
	unsigned part_count;
	struct iovec own_parts[2];
	uint8_t head[NBD_HOLE_CHUNK_SIZE];
};

struct transfer {
	struct list_head link;		/* in transfers of the reactor */
	struct nbd_conn *conn;
	struct nbd_reactor *reactor;
	struct rt_group reader, workers, writer;
	struct rt_cond room;		/* the reader waits for a place or for bytes */
	struct rt_cond replied;		/* the writer waits for replies or for the end */
	struct list_head replies;
	struct list_head unused;
	unsigned under_way;		/* requests, until their reply is written */
	size_t bytes_under_way;
	int64_t payload_due_ns;		/* the client is to send a payload until then; 0: it is not */
	int64_t replies_due_ns;		/* and to take replies */
	bool ending;			/* no reply will come after those that are queued */
	bool broken;			/* nothing can be written any more */
	int result;			/* why the reader stopped: 0 when the client asked for it */
	uint8_t *input;
	size_t input_start, input_end;	/* what is read and not yet used */
	bool bulk;			/* the last payload was large, so the next may be */
	unsigned requests_made;
	struct request requests[REQUESTS_MAX];	/* the first requests_made have been used */
};

/* ---- requests come and go ---- */

/* The bytes of buffer that a valid command needs. */
static size_t buffer_len_of(const struct nbd_command *command)
{
	switch (command->code) {
	case NBD_CMD_READ:
	case NBD_CMD_WRITE:
		return command->len;
	case NBD_CMD_CACHE:
		return command->len < CACHE_PIECE ? command->len : CACHE_PIECE;
	case NBD_CMD_BLOCK_STATUS:
		return EXTENTS_MAX * NBD_EXTENT_SIZE;
	default:
		return 0;
	}
}

/* Waits until one more request with a buffer of len bytes may be under way; *memory is taken then. Suspends. */
static int wait_for_room(struct transfer *t, size_t len, size_t *memory)
{
	size_t size = len ? nbd_pool_size(len) : 0;
	int rc = 0;

	assert(size <= BYTES_MAX);
	while (!rc && (t->under_way == REQUESTS_MAX || t->bytes_under_way + size > BYTES_MAX))
		rc = rt_cond_wait(&t->room);
	*memory = REQUEST_BYTES + size;
	return rc ? rc : nbd_budget_take(&t->reactor->budget, *memory);
}

static struct request *request_begin(struct transfer *t, const struct nbd_command *command, size_t memory)
{
	struct request *req;

	assert(t->under_way < REQUESTS_MAX);
	if (list_empty(&t->unused)) {
		assert(t->requests_made < REQUESTS_MAX);
		req = &t->requests[t->requests_made++];
		req->transfer = t;
	} else {
		req = list_first(&t->unused, struct request, link);
		list_remove(&req->link);
	}
	req->command = *command;
	req->memory = memory;
	req->part_count = 0;
	t->under_way++;
	return req;
}

static int request_get_buffer(struct request *req, size_t len)
{
	struct transfer *t = req->transfer;

	assert(!req->buffer);
	req->buffer = nbd_pool_get(&t->reactor->pool, len);
	if (!req->buffer)
		return -ENOMEM;
	req->buffer_len = len;
	t->bytes_under_way += nbd_pool_size(len);
	return 0;
}

static void request_end(struct request *req)
{
	struct transfer *t = req->transfer;

	if (req->buffer)
		t->bytes_under_way -= nbd_pool_size(req->buffer_len);
	nbd_pool_put(&t->reactor->pool, req->buffer, req->buffer_len);
	nbd_pool_put(&t->reactor->pool, req->chunks, req->chunks_len);
	req->buffer = req->chunks = NULL;
	nbd_budget_give(&t->reactor->budget, req->memory);
	assert(t->under_way > 0);
	t->under_way--;
	/* The last to end is the first to begin: it is the one that the caches of the processor know. */
	list_add_first(&t->unused, &req->link);
	rt_cond_wake_one(&t->room);
}

/* ---- replies ---- */

static void add_part(struct request *req, void *bytes, size_t len)
{
	req->parts[req->part_count++] = (struct iovec){ .iov_base = bytes, .iov_len = len };
}

static bool is_zero(const uint8_t *bytes, size_t len)
{
	return bytes[0] == 0 && (len == 1 || memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* The track of the volume that holds this offset ends here. */
static uint64_t unit_end(uint64_t offset, uint64_t end)
{
	uint64_t next = (offset / HOLE_UNIT + 1) * HOLE_UNIT;

	return next < end ? next : end;
}

/*
 * The reply to a large read leaves out tracks that read as zeros. False when there are none (or no memory): then it
 * is one chunk. zero[] has an element a track.
 */
static bool reply_with_holes(struct request *req, const bool *zero, unsigned units)
{
	const struct nbd_command *cmd = &req->command;
	uint64_t end = cmd->offset + cmd->len;
	size_t len = units * (2 * sizeof(struct iovec) + NBD_HOLE_CHUNK_SIZE);
	uint8_t *head;

	req->chunks = nbd_pool_get(&req->transfer->reactor->pool, len);
	if (!req->chunks)
		return false;
	req->chunks_len = len;
	req->parts = (struct iovec *)(void *)req->chunks;
	head = req->chunks + units * 2 * sizeof(struct iovec);
	for (uint64_t at = cmd->offset, next; at < end; at = next, head += NBD_HOLE_CHUNK_SIZE) {
		bool hole = *zero;

		for (next = at; next < end && *zero == hole; zero++)
			next = unit_end(next, end);
		if (hole) {
			nbd_put_hole_chunk(head, cmd->cookie, next == end, at, (uint32_t)(next - at));
			add_part(req, head, NBD_HOLE_CHUNK_SIZE);
		} else {
			nbd_put_data_chunk(head, cmd->cookie, next == end, at, (uint32_t)(next - at));
			add_part(req, head, NBD_DATA_CHUNK_SIZE);
			add_part(req, req->buffer + (at - cmd->offset), next - at);
		}
	}
	return true;
}

static bool find_holes(struct request *req)
{
	const struct nbd_command *cmd = &req->command;
	uint64_t end = cmd->offset + cmd->len;
	bool zero[NBD_PAYLOAD_MAX / HOLE_UNIT + 1];
	unsigned units = 0, holes = 0;

	if (cmd->len < HOLE_UNIT || cmd->flags & NBD_CMD_FLAG_DF)
		return false;
	for (uint64_t at = cmd->offset, next; at < end; at = next, units++) {
		next = unit_end(at, end);
		zero[units] = is_zero(req->buffer + (at - cmd->offset), next - at);
		holes += zero[units];
	}
	return holes && reply_with_holes(req, zero, units);
}

static void reply_read(struct request *req)
{
	const struct nbd_command *cmd = &req->command;

	if (!req->transfer->conn->session.structured) {
		nbd_put_simple_reply(req->head, cmd->cookie, 0);
		add_part(req, req->head, NBD_SIMPLE_REPLY_SIZE);
	} else if (find_holes(req)) {
		return;
	} else {
		nbd_put_data_chunk(req->head, cmd->cookie, true, cmd->offset, cmd->len);
		add_part(req, req->head, NBD_DATA_CHUNK_SIZE);
	}
	add_part(req, req->buffer, cmd->len);
}

static void reply_block_status(struct request *req)
{
	nbd_put_status_chunk(req->head, req->command.cookie, req->extents);
	add_part(req, req->head, NBD_STATUS_CHUNK_SIZE);
	add_part(req, req->buffer, req->extents * NBD_EXTENT_SIZE);
}

static bool reply_is_structured(const struct request *req)
{
	const struct nbd_session *session = &req->transfer->conn->session;

	return session->structured &&
	       (req->command.code == NBD_CMD_READ || req->command.code == NBD_CMD_BLOCK_STATUS);
}

/* Lays out the reply and queues it. Does not suspend. */
static void request_reply(struct request *req, int rc)
{
	struct transfer *t = req->transfer;

	req->parts = req->own_parts;
	if (rc && reply_is_structured(req)) {
		nbd_put_error_chunk(req->head, req->command.cookie, rc);
		add_part(req, req->head, NBD_ERROR_CHUNK_SIZE);
	} else if (!rc && req->command.code == NBD_CMD_READ) {
		reply_read(req);
	} else if (!rc && req->command.code == NBD_CMD_BLOCK_STATUS) {
		reply_block_status(req);
	} else {
		nbd_put_simple_reply(req->head, req->command.cookie, rc);
		add_part(req, req->head, NBD_SIMPLE_REPLY_SIZE);
	}
	list_add_last(&t->replies, &req->link);
	rt_cond_wake_one(&t->replied);
}

/* ---- commands ---- */

static int do_cache(struct request *req)
{
	struct volume *volume = req->transfer->conn->export.volume;
	uint64_t at = req->command.offset, end = at + req->command.len;
	int rc = 0;

	for (uint64_t len; !rc && at < end; at += len) {
		len = end - at < CACHE_PIECE ? end - at : CACHE_PIECE;
		rc = volume_read(volume, req->buffer, len, at);
		rt_yield();
	}
	return rc;
}

/* Runs of the same kind are joined; what does not fit any more is asked for again by the client. */
static int do_block_status(struct request *req)
{
	struct volume *volume = req->transfer->conn->export.volume;
	uint64_t at = req->command.offset, end = at + req->command.len, run_end;
	unsigned limit = req->command.flags & NBD_CMD_FLAG_REQ_ONE ? 1 : EXTENTS_MAX;
	uint64_t extent_len = 0;
	bool data, extent_data = false;
	int rc;

	req->extents = 0;
	for (; at < end; at = run_end) {
		rc = volume_get_run(volume, at, &data, &run_end);
		if (rc)
			return rc;
		assert(run_end > at);
		run_end = run_end < end ? run_end : end;
		if (req->extents && data == extent_data) {
			extent_len += run_end - at;
		} else if (req->extents == limit) {
			break;
		} else {
			req->extents++;
			extent_len = run_end - at;
			extent_data = data;
		}
		nbd_put_extent(req->buffer + (req->extents - 1) * NBD_EXTENT_SIZE, (uint32_t)extent_len, extent_data);
	}
	return 0;
}

static int do_command(struct request *req)
{
	const struct nbd_command *cmd = &req->command;
	struct volume *volume = req->transfer->conn->export.volume;
	unsigned flags = cmd->flags & NBD_CMD_FLAG_FUA ? VOLUME_FUA : 0;

	if (cmd->flags & NBD_CMD_FLAG_NO_HOLE)
		flags |= VOLUME_NO_HOLE;
	switch ((enum nbd_command_code)cmd->code) {
	case NBD_CMD_READ:
		return volume_read(volume, req->buffer, cmd->len, cmd->offset);
	case NBD_CMD_WRITE:
		return volume_write(volume, req->buffer, cmd->len, cmd->offset, flags);
	case NBD_CMD_FLUSH:
		return volume_flush(volume);
	case NBD_CMD_TRIM:
		return volume_discard(volume, cmd->len, cmd->offset, flags);
	case NBD_CMD_CACHE:
		return do_cache(req);
	case NBD_CMD_WRITE_ZEROES:
		return volume_zero(volume, cmd->len, cmd->offset, flags);
	case NBD_CMD_BLOCK_STATUS:
		return do_block_status(req);
	default:
		abort();
	}
}

static void request_run(void *arg)
{
	struct request *req = arg;

	request_reply(req, do_command(req));
}

/* ---- the reader ---- */

/*
 * Makes the next len (<= INPUT_SIZE) bytes of input stand together at input_start. Suspends when they are not there.
 */
static int need_input(struct transfer *t, size_t len)
{
	size_t have = t->input_end - t->input_start;
	ssize_t got;

	assert(len <= INPUT_SIZE);
	if (have >= len)
		return 0;
	memmove(t->input, t->input + t->input_start, have);
	t->input_start = 0;
	t->input_end = have;
	while (t->input_end < len) {
		/* After a large payload only the next command is read, so that the next payload is not read ahead. */
		size_t ask = t->bulk ? len : INPUT_SIZE;

		got = rt_stream_read(t->conn->stream, t->input + t->input_end, ask - t->input_end);
		if (got <= 0)
			return got ? (int)got : -ECONNRESET;
		t->input_end += (size_t)got;
	}
	return 0;
}

/* Moves the next len bytes of the stream to a buffer. */
static int take_payload(struct transfer *t, uint8_t *to, size_t len)
{
	size_t have = t->input_end - t->input_start;
	int rc = 0;

	t->bulk = len >= BULK_MIN;
	if (!t->bulk)
		rc = need_input(t, len);
	if (rc)
		return rc;
	if (!t->bulk || have > len)
		have = len;
	memcpy(to, t->input + t->input_start, have);
	t->input_start += have;
	return have < len ? rt_stream_read_full(t->conn->stream, to + have, len - have) : 0;
}

/* Passes over the payload of a write that was refused. */
static int skip_payload(struct transfer *t, size_t len)
{
	size_t piece;
	int rc = 0;

	for (; !rc && len; len -= piece) {
		piece = len < INPUT_SIZE ? len : INPUT_SIZE;
		rc = need_input(t, piece);
		t->input_start += rc ? 0 : piece;
	}
	return rc;
}

static int read_command(struct transfer *t, struct nbd_command *command)
{
	int rc = need_input(t, NBD_COMMAND_SIZE);

	if (rc)
		return rc;
	rc = nbd_parse_command(t->input + t->input_start, command);
	t->input_start += NBD_COMMAND_SIZE;
	return rc;
}

/* When a client that is neither dead nor slow beyond reason has sent or taken so many bytes. */
static int64_t due_ns(size_t len)
{
	return rt_now_ns() + CLIENT_NS + (int64_t)(len >> 20) * CLIENT_MIB_NS;
}

/* The payload of the request; without a buffer it is passed over. */
static int read_payload(struct transfer *t, uint8_t *buffer, size_t len)
{
	int rc;

	if (t->input_end - t->input_start < len)
		t->payload_due_ns = due_ns(len);
	rc = buffer ? take_payload(t, buffer, len) : skip_payload(t, len);
	t->payload_due_ns = 0;
	return rc;
}

/* Starts one command. An error is one of the connection; those of the command are in its reply. */
static int take_command(struct transfer *t, const struct nbd_command *command)
{
	size_t payload = command->code == NBD_CMD_WRITE ? command->len : 0;
	int refused = nbd_validate_command(&t->conn->session, command);
	size_t buffer_len = refused ? 0 : buffer_len_of(command), memory;
	struct request *req;
	int rc = wait_for_room(t, buffer_len, &memory);

	if (rc)
		return rc;
	req = request_begin(t, command, memory);
	if (buffer_len)
		refused = request_get_buffer(req, buffer_len);
	if (payload)
		rc = read_payload(t, req->buffer, payload);
	if (rc) {
		request_end(req);
		return rc;
	}
	if (!refused)
		refused = rt_group_start(&t->workers, "nbd-request", request_run, req);
	if (refused)
		request_reply(req, refused);
	return 0;
}

static void reader_run(void *arg)
{
	struct transfer *t = arg;
	struct nbd_command command;
	int rc;

	do {
		rc = read_command(t, &command);
		if (rc || command.code == NBD_CMD_DISC)
			break;
		rc = take_command(t, &command);
	} while (!rc);
	t->result = rc;
}

/* ---- the writer ---- */

#define PARTS_MAX	64u
#define SMALL_MAX	NBD_HOLE_CHUNK_SIZE

/* What goes out with one call. Small parts are copied to stand together, since each part costs the kernel a step. */
struct gather {
	struct iovec parts[PARTS_MAX];
	unsigned count;
	size_t len;			/* bytes of all */
	size_t small_len;
	uint8_t small[PARTS_MAX * SMALL_MAX];
};

static int gather_send(struct transfer *t, struct gather *gather)
{
	int rc = 0;

	if (gather->count) {
		t->replies_due_ns = due_ns(gather->len);
		rc = rt_stream_write(t->conn->stream, gather->parts, gather->count);
		t->replies_due_ns = 0;
	}
	gather->count = 0;
	gather->len = gather->small_len = 0;
	return rc;
}

/* Adds a part; what was gathered is sent first when it does not fit. */
static int gather_part(struct transfer *t, struct gather *gather, const struct iovec *part)
{
	struct iovec *last = gather->count ? &gather->parts[gather->count - 1] : NULL;
	bool small = part->iov_len <= SMALL_MAX;
	uint8_t *to;
	int rc = 0;

	if (gather->count == PARTS_MAX || (small && gather->small_len + part->iov_len > sizeof(gather->small))) {
		rc = gather_send(t, gather);
		last = NULL;
	}
	gather->len += part->iov_len;
	if (!small) {
		gather->parts[gather->count++] = *part;
		return rc;
	}
	to = gather->small + gather->small_len;
	memcpy(to, part->iov_base, part->iov_len);
	gather->small_len += part->iov_len;
	if (last && (uint8_t *)last->iov_base + last->iov_len == to)
		last->iov_len += part->iov_len;
	else
		gather->parts[gather->count++] = (struct iovec){ .iov_base = to, .iov_len = part->iov_len };
	return rc;
}

/* Writes all replies that are queued now, and ends their requests. */
static int send_replies(struct transfer *t, struct gather *gather)
{
	struct list_head sending = LIST_HEAD_INIT(sending);
	struct request *req, *next;
	int rc = t->broken ? -EPIPE : 0;

	list_append_all(&sending, &t->replies);
	list_for_each(req, &sending, link) {
		for (unsigned i = 0; !rc && i < req->part_count; i++)
			rc = gather_part(t, gather, &req->parts[i]);
	}
	if (!rc)
		rc = gather_send(t, gather);
	list_for_each_safe(req, next, &sending, link) {
		list_remove(&req->link);
		request_end(req);
	}
	return rc;
}

static void writer_run(void *arg)
{
	struct transfer *t = arg;
	struct gather gather;
	int rc = 0;

	gather.count = 0;
	gather.len = gather.small_len = 0;
	while (!t->ending || !list_empty(&t->replies)) {
		if (list_empty(&t->replies))
			rc = rt_cond_wait(&t->replied);
		else
			rc = send_replies(t, &gather);
		if (rc && !t->broken) {
			/* The client is gone: the reader is to notice, the replies are dropped as they come. */
			t->broken = true;
			rt_stream_shutdown(t->conn->stream);
		}
		if (rc == -ECANCELED)
			break;
	}
}

/* ---- the whole ---- */

static struct transfer *transfer_create(struct nbd_conn *conn)
{
	struct transfer *t = mem_alloc_zeroed(sizeof(*t));

	if (!t)
		return NULL;
	t->input = mem_alloc_pages(INPUT_SIZE);
	if (!t->input) {
		mem_free(t);
		return NULL;
	}
	t->conn = conn;
	t->reactor = &conn->server->reactors[rt_reactor_index(rt_here())];
	rt_group_init(&t->reader);
	rt_group_init(&t->workers);
	rt_group_init(&t->writer);
	rt_cond_init(&t->room);
	rt_cond_init(&t->replied);
	list_init(&t->replies);
	list_init(&t->unused);
	list_add_last(&t->reactor->transfers, &t->link);
	return t;
}

static void transfer_destroy(struct transfer *t)
{
	assert(t->under_way == 0);
	assert(t->bytes_under_way == 0);
	list_remove(&t->link);
	mem_free(t->input);
	mem_free(t);
}

/* Waits for the group, at most so long; what is then left of it is cancelled. */
static void end_group(struct rt_group *group, int64_t limit_ns)
{
	int rc;

	{
		RT_LIMIT(rt_now_ns() + limit_ns);
		rc = rt_group_wait(group);
	}
	if (rc)
		rt_group_stop(group);
}

/*
 * After DISC and when the server stops, what was taken in is finished. When the client is lost nobody waits for it,
 * and what it had asked for must not reach the volume after what it asks for on its next connection.
 */
static void transfer_drain(struct transfer *t)
{
	if (t->result && t->result != -ECANCELED)
		rt_group_cancel(&t->workers);
	end_group(&t->workers, NBD_DRAIN_NS);
	t->ending = true;
	rt_cond_wake_all(&t->replied);
	end_group(&t->writer, LAST_REPLIES_NS);
	/* A writer that was cut short leaves replies behind. */
	t->broken = true;
	if (!list_empty(&t->replies)) {
		struct gather none = { .count = 0 };
		int rc = send_replies(t, &none);

		assert(rc == -EPIPE);
	}
}

int nbd_transmit(struct nbd_conn *conn)
{
	struct transfer *t;
	int rc;
	RT_SHIELD();

	t = transfer_create(conn);
	if (!t)
		return -ENOMEM;
	rc = rt_group_start(&t->writer, "nbd-writer", writer_run, t);
	if (!rc)
		rc = rt_group_start(&t->reader, "nbd-reader", reader_run, t);
	t->result = rc;
	if (t->reactor->stopping)
		rt_group_cancel(&t->reader);
	/* Shielded: the reader ends with its client, or by nbd_transmit_stop_all. */
	rc = rt_group_wait(&t->reader);
	assert(rc == 0);
	transfer_drain(t);
	rc = t->result;
	transfer_destroy(t);
	return rc;
}

void nbd_transmit_make_room(void *arg)
{
	struct nbd_reactor *reactor = arg;
	int64_t now_ns = rt_now_ns();
	struct transfer *t;

	list_for_each(t, &reactor->transfers, link) {
		bool sends_not = t->payload_due_ns && t->payload_due_ns < now_ns;

		if (t->broken || (!sends_not && !(t->replies_due_ns && t->replies_due_ns < now_ns)))
			continue;
		log_line(LOG_WARNING, "nbd", "%s: disconnected: it %s, and others wait for the memory",
			 rt_stream_peer(t->conn->stream),
			 sends_not ? "does not send what it announced" : "does not take its replies");
		t->broken = true;
		rt_stream_shutdown(t->conn->stream);
	}
}

void nbd_transmit_stop_all(struct nbd_reactor *reactor)
{
	struct transfer *t;

	reactor->stopping = true;
	list_for_each(t, &reactor->transfers, link)
		rt_group_cancel(&t->reader);
}
