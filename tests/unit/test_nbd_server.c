/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transmission of the NBD server in the simulator: every command, every bound, clients that are hostile or vanish,
 * stops in the middle, and any call failing.
 */
#include "nbd_client.h"

/* ---- commands ---- */

static int simple_commands(void *arg)
{
	struct client c;
	uint8_t bytes[8192];

	(void)arg;
	TRY(client_open(&c));
	TRY(client_write(&c, 0, 1, 4097, 0xab));
	CHECK(volume_holds(1, 4097, 0xab) && volume_1500.bytes[0] == 0 && volume_1500.bytes[4098] == 0);
	CHECK(volume_1500.flags == 0);
	TRY(client_write(&c, NBD_CMD_FLAG_FUA, VOLUME_SIZE - 512, 512, 0xcd));
	CHECK(volume_1500.flags == VOLUME_FUA);
	TRY(command_send(&c, 0, NBD_CMD_READ, 1, 4097));
	TRY(reply_expect(&c, 0));
	TRY(client_receive(&c, bytes, 4097));
	CHECK(memcmp(bytes, volume_1500.bytes + 1, 4097) == 0);
	TRY(command_send(&c, 0, NBD_CMD_FLUSH, 0, 0));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.flushes == 1);
	TRY(command_send(&c, NBD_CMD_FLAG_FUA, NBD_CMD_TRIM, 0, 4096));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.discards == 1 && volume_1500.flags == VOLUME_FUA && volume_holds(0, 4096, 0));
	TRY(command_send(&c, NBD_CMD_FLAG_NO_HOLE, NBD_CMD_WRITE_ZEROES, 0, VOLUME_SIZE));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.zeroes == 1 && volume_1500.flags == VOLUME_NO_HOLE && volume_holds(0, VOLUME_SIZE, 0));
	TRY(command_send(&c, NBD_CMD_FLAG_FAST_ZERO | NBD_CMD_FLAG_FUA, NBD_CMD_WRITE_ZEROES, 0, 1));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.flags == VOLUME_FUA);
	volume_1500.reads = 0;
	TRY(command_send(&c, 0, NBD_CMD_CACHE, 4096, MIB(2) + 1));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.reads == 3);
	TRY(command_send(&c, 0, NBD_CMD_DISC, 0, 0));
	TRY(client_expect_end(&c));
	client_close(&c);
	return stop_server();
}
ADD_TEST(simple_commands, 2)

static int structured_reads(void *arg)
{
	struct client c;
	const uint64_t base = MIB(1);

	(void)arg;
	TRY(client_open_structured(&c));
	TRY(client_write(&c, 0, base + KIB(64), KIB(64), 1));
	TRY(client_write(&c, 0, base + KIB(256) + 100, 1, 1));

	/* Short: one chunk, although it is a hole. */
	TRY(command_send(&c, 0, NBD_CMD_READ, base, 4096));
	TRY(chunk_expect(&c, 1, base, 4096, true));

	/* Long: tracks of zeroes are left out, by the tracks of the volume and not of the request. */
	TRY(command_send(&c, 0, NBD_CMD_READ, base + 1, KIB(400)));
	TRY(chunk_expect(&c, 2, base + 1, KIB(64) - 1, false));
	TRY(chunk_expect(&c, 1, base + KIB(64), KIB(64), false));
	TRY(chunk_expect(&c, 2, base + KIB(128), KIB(128), false));
	TRY(chunk_expect(&c, 1, base + KIB(256), KIB(64), false));
	TRY(chunk_expect(&c, 2, base + KIB(320), KIB(80) + 1, true));

	/* In one piece when that is asked for. */
	TRY(command_send(&c, NBD_CMD_FLAG_DF, NBD_CMD_READ, base, KIB(400)));
	TRY(chunk_expect(&c, 1, base, KIB(400), true));

	/* All hole; all data; the largest read, unaligned, in as many chunks as there can be. */
	TRY(command_send(&c, 0, NBD_CMD_READ, MIB(20), MIB(1)));
	TRY(chunk_expect(&c, 2, MIB(20), MIB(1), true));
	TRY(client_write(&c, 0, MIB(20), MIB(1), 7));
	TRY(command_send(&c, 0, NBD_CMD_READ, MIB(20), MIB(1)));
	TRY(chunk_expect(&c, 1, MIB(20), MIB(1), true));
	memset(volume_1500.bytes, 0, VOLUME_SIZE);
	for (uint64_t track = 0; track < VOLUME_SIZE / XDC_TRACK_SIZE; track += 2)
		memset(volume_1500.bytes + track * XDC_TRACK_SIZE, 1, XDC_TRACK_SIZE);
	TRY(command_send(&c, 0, NBD_CMD_READ, 1, NBD_PAYLOAD_MAX));
	TRY(chunk_expect(&c, 1, 1, KIB(64) - 1, false));
	for (uint64_t track = 1; track < NBD_PAYLOAD_MAX / XDC_TRACK_SIZE; track++)
		TRY(chunk_expect(&c, track % 2 ? 2 : 1, track * XDC_TRACK_SIZE, XDC_TRACK_SIZE, false));
	TRY(chunk_expect(&c, 1, NBD_PAYLOAD_MAX, 1, true));
	client_close(&c);
	return stop_server();
}
ADD_TEST(structured_reads, 1)

static int block_status(void *arg)
{
	static const struct { uint32_t len, state; } want[] = {
		{ KIB(64) - 1, 3 }, { KIB(128), 0 }, { KIB(64), 3 }, { KIB(44) + 1, 0 },
	};
	struct client c;
	struct chunk chunk;
	uint8_t bytes[4 + 4 * NBD_EXTENT_SIZE];

	(void)arg;
	TRY(client_open_structured(&c));
	TRY(client_write(&c, 0, KIB(64), KIB(128), 1));
	TRY(client_write(&c, 0, KIB(256), KIB(64), 1));
	TRY(command_send(&c, 0, NBD_CMD_BLOCK_STATUS, 1, KIB(300)));
	TRY(chunk_receive(&c, &chunk));
	CHECK(chunk.done && chunk.type == 5 && chunk.len == sizeof(bytes));
	TRY(client_receive(&c, bytes, sizeof(bytes)));
	CHECK(get_be32(bytes) == 1);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(get_be32(bytes + 4 + i * 8) == want[i].len);
		CHECK(get_be32(bytes + 8 + i * 8) == want[i].state);
	}

	/* One extent, joined from two runs, and no longer than was asked. */
	TRY(command_send(&c, NBD_CMD_FLAG_REQ_ONE, NBD_CMD_BLOCK_STATUS, KIB(64), KIB(300)));
	TRY(chunk_receive(&c, &chunk));
	CHECK(chunk.done && chunk.type == 5 && chunk.len == 12);
	TRY(client_receive(&c, bytes, 12));
	CHECK(get_be32(bytes + 4) == KIB(128) && get_be32(bytes + 8) == 0);

	/* More extents than fit: as many as do, from the beginning. */
	for (uint64_t track = 0; track < VOLUME_SIZE / XDC_TRACK_SIZE; track++)
		volume_1500.bytes[track * XDC_TRACK_SIZE] = track % 2;
	TRY(command_send(&c, 0, NBD_CMD_BLOCK_STATUS, 0, VOLUME_SIZE));
	TRY(chunk_receive(&c, &chunk));
	CHECK(chunk.done && chunk.type == 5 && chunk.len == 4 + 500 * NBD_EXTENT_SIZE);
	for (unsigned i = 0; i < 500; i++) {
		TRY(client_receive(&c, bytes, i ? 8 : 12));
		CHECK(get_be32(bytes + (i ? 0 : 4)) == XDC_TRACK_SIZE);
	}
	volume_1500.rc = -EIO;
	TRY(command_send(&c, 0, NBD_CMD_BLOCK_STATUS, 0, VOLUME_SIZE));
	TRY(error_chunk_expect(&c, 5));
	client_close(&c);
	return stop_server();
}
ADD_TEST(block_status, 1)

/* What the volume answers reaches the client in its own words, and the connection goes on. */
static int volume_errors(void *arg)
{
	static const struct { int rc; uint32_t wire; } cases[] = {
		{ -ENOSPC, 28 }, { -EIO, 5 }, { -EPERM, 1 }, { -EROFS, 1 }, { -ENOMEM, 12 }, { -ETIMEDOUT, 5 },
	};
	struct client c, s;

	(void)arg;
	TRY(client_open(&c));
	TRY(client_open_structured(&s));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		volume_1500.rc = cases[i].rc;
		TRY(write_send(&c, 0, 0, 4096, 1));
		TRY(reply_expect(&c, cases[i].wire));
		TRY(command_send(&c, 0, NBD_CMD_READ, 0, 4096));	/* an error comes without data */
		TRY(reply_expect(&c, cases[i].wire));
		for (uint16_t code = NBD_CMD_TRIM; code <= NBD_CMD_WRITE_ZEROES; code++) {
			TRY(command_send(&c, 0, code, 0, 4096));
			TRY(reply_expect(&c, cases[i].wire));
		}
		TRY(command_send(&s, 0, NBD_CMD_READ, 0, 4096));
		TRY(error_chunk_expect(&s, cases[i].wire));
		TRY(command_send(&s, 0, NBD_CMD_FLUSH, 0, 0));
		TRY(reply_expect(&s, cases[i].wire));
	}
	volume_1500.rc = 0;
	TRY(client_write(&c, 0, 0, 4096, 1));
	client_close(&c);
	client_close(&s);
	return stop_server();
}
ADD_TEST(volume_errors, 1)

/* What is refused never reaches the volume, and its payload is passed over: the next command is understood. */
static int refused_commands(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_open(&c));
	TRY(write_send(&c, 0, VOLUME_SIZE - 1, 2, 1));
	TRY(reply_expect(&c, 28));
	TRY(write_send(&c, 0, UINT64_MAX, MIB(1), 1));
	TRY(reply_expect(&c, 28));
	TRY(write_send(&c, NBD_CMD_FLAG_REQ_ONE, 0, KIB(300), 1));
	TRY(reply_expect(&c, 22));
	TRY(command_send(&c, 0, NBD_CMD_READ, VOLUME_SIZE, 1));
	TRY(reply_expect(&c, 22));
	TRY(command_send(&c, 0, 77, 0, 1));
	TRY(reply_expect(&c, 22));
	TRY(command_send(&c, 0, NBD_CMD_BLOCK_STATUS, 0, 1));
	TRY(reply_expect(&c, 22));
	CHECK(volume_1500.writes + volume_1500.reads == 0);
	TRY(client_write(&c, 0, 0, 4096, 1));
	client_close(&c);
	return stop_server();
}
ADD_TEST(refused_commands, 1)

static int read_only(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_open(&c));
	TRY(write_send(&c, 0, 0, 4096, 1));
	TRY(reply_expect(&c, 1));
	TRY(command_send(&c, 0, NBD_CMD_TRIM, 0, 4096));
	TRY(reply_expect(&c, 1));
	TRY(command_send(&c, 0, NBD_CMD_FLUSH, 0, 0));
	TRY(reply_expect(&c, 0));
	CHECK(volume_1500.writes + volume_1500.discards == 0 && volume_1500.flushes == 1);
	client_close(&c);
	return stop_server();
}

static void test_read_only(void **state)
{
	(void)state;
	setup.read_only = true;
	run(read_only, 1);
}

static int slow_zero(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_open(&c));
	TRY(command_send(&c, NBD_CMD_FLAG_FAST_ZERO, NBD_CMD_WRITE_ZEROES, 0, 4096));
	TRY(reply_expect(&c, 95));
	CHECK(volume_1500.zeroes == 0);
	TRY(command_send(&c, 0, NBD_CMD_WRITE_ZEROES, 0, 4096));
	TRY(reply_expect(&c, 0));
	client_close(&c);
	return stop_server();
}

static void test_slow_zero(void **state)
{
	(void)state;
	setup.slow_zero = true;
	run(slow_zero, 1);
}

/* Replies come as requests finish; a flush need not wait for a read that was sent before it. */
static int out_of_order(void *arg)
{
	struct client c, other;
	uint64_t cookie;
	uint32_t error;

	(void)arg;
	TRY(client_open(&c));
	TRY(client_open(&other));
	volume_1500.gated = true;
	TRY(write_send(&c, 0, 0, 4096, 1));
	TRY(settle());
	CHECK(volume_1500.active == 1);
	TRY(command_send(&c, 0, NBD_CMD_READ, VOLUME_SIZE, 4096));	/* refused at once */
	TRY(reply_expect(&c, 22));
	TRY(open_gate());
	TRY(reply_receive(&c, &cookie, &error));
	CHECK(cookie == c.cookie - 1 && error == 0);
	TRY(client_write(&other, 0, 4096, 4096, 2));
	client_close(&c);
	client_close(&other);
	return stop_server();
}
ADD_TEST(out_of_order, 1)

/* ---- hostile and lost clients ---- */

static int hostile_commands(void *arg)
{
	struct client c, other;

	(void)arg;
	TRY(client_open(&other));
	TRY(client_open(&c));
	TRY(client_send(&c, "not a request of NBD at all, but long", 37));
	TRY(client_expect_end(&c));
	client_close(&c);

	/* More payload than is ever taken. */
	TRY(client_open(&c));
	TRY(command_send(&c, 0, NBD_CMD_WRITE, 0, NBD_PAYLOAD_MAX + 1));
	TRY(client_expect_end(&c));
	client_close(&c);

	/* Gone in the middle of a payload, a small and a large one: nothing of it is written. */
	for (uint32_t len = 4096; len <= MIB(1); len *= 256) {
		TRY(client_open(&c));
		TRY(command_send(&c, 0, NBD_CMD_WRITE, 0, len));
		TRY(client_send(&c, "half of it", 10));
		client_close(&c);
		TRY(settle());
		CHECK(volume_1500.writes == 0);
		CHECK(attached == 1);
	}
	TRY(client_write(&other, 0, 0, 4096, 0x42));
	client_close(&other);
	TRY(check_serves());
	return stop_server();
}
ADD_TEST(hostile_commands, 2)

/* What was asked for on a connection that is lost is cancelled, and its export released. */
static int lost_client(void *arg)
{
	struct client c;

	(void)arg;
	volume_1500.gated = true;
	TRY(client_open(&c));
	for (unsigned i = 0; i < 10; i++)
		TRY(write_send(&c, 0, i * 4096, 4096, 1));
	TRY(command_send(&c, 0, NBD_CMD_FLUSH, 0, 0));
	TRY(settle());
	CHECK(volume_1500.active == 11 && attached == 1);
	client_close(&c);
	TRY(settle());
	CHECK(volume_1500.active == 0 && volume_1500.cancelled == 11);
	CHECK(attached == 0);
	TRY(open_gate());
	TRY(check_serves());
	return stop_server();
}
ADD_TEST(lost_client, 2)

/* ---- bounds ---- */

static int send_many(struct client *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		TRY(write_send(c, 0, i * 512, 512, (uint8_t)i));
	return 0;
}

static int many_requests(void *arg)
{
	static bool seen[400];
	struct client c;
	uint64_t cookie, first;
	uint32_t error;

	(void)arg;
	memset(seen, 0, sizeof(seen));
	TRY(client_open(&c));
	volume_1500.gated = true;
	first = c.cookie + 1;
	TRY(send_many(&c, 400));
	TRY(settle());
	CHECK(volume_1500.active == 256);
	TRY(open_gate());
	for (unsigned i = 0; i < 400; i++) {
		TRY(reply_receive(&c, &cookie, &error));
		CHECK(cookie - first < 400 && !seen[cookie - first] && error == 0);
		seen[cookie - first] = true;
	}
	CHECK(volume_1500.writes == 400 && volume_1500.active_max == 256);
	for (unsigned i = 0; i < 400; i++)
		CHECK(volume_holds(i * 512, 512, (uint8_t)i));
	client_close(&c);
	return stop_server();
}
ADD_TEST(many_requests, 2)

/* Reads of 32 MiB: no more of them at once than 64 MiB hold; the others wait, and all are served. */
static int many_bytes(void *arg)
{
	static uint8_t data[NBD_PAYLOAD_MAX];
	struct client c;
	uint64_t cookie;
	uint32_t error;

	(void)arg;
	TRY(client_open(&c));
	volume_1500.gated = true;
	for (unsigned i = 0; i < 4; i++)
		TRY(command_send(&c, 0, NBD_CMD_READ, 0, NBD_PAYLOAD_MAX));
	TRY(settle());
	CHECK(volume_1500.active == 2);
	TRY(open_gate());
	for (unsigned i = 0; i < 4; i++) {
		TRY(reply_receive(&c, &cookie, &error));
		CHECK(error == 0);
		TRY(client_receive(&c, data, sizeof(data)));
	}
	client_close(&c);
	return stop_server();
}
ADD_TEST(many_bytes, 2)

/* A client that takes no replies is bounded in what it holds, and leaves others alone. */
static int deaf_client(void *arg)
{
	struct client deaf;

	(void)arg;
	TRY(client_open(&deaf));
	for (unsigned i = 0; i < 20; i++)
		TRY(command_send(&deaf, 0, NBD_CMD_READ, 0, MIB(8)));
	TRY(settle());
	CHECK(volume_1500.reads <= 10);
	TRY(check_serves());
	/* It does not keep the server from stopping either. */
	TRY(stop_server());
	client_close(&deaf);
	return 0;
}
ADD_TEST(deaf_client, 1)

/* ---- ends ---- */

/* After DISC the replies to what was sent before it still come. */
static int disc_drains(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_open(&c));
	volume_1500.gated = true;
	TRY(write_send(&c, 0, 0, 4096, 1));
	c.cookie--;
	TRY(command_send(&c, 0, NBD_CMD_DISC, 0, 0));
	TRY(settle());
	CHECK(volume_1500.active == 1);
	TRY(open_gate());
	TRY(reply_expect(&c, 0));
	TRY(client_expect_end(&c));
	CHECK(volume_1500.cancelled == 0);
	client_close(&c);
	return stop_server();
}
ADD_TEST(disc_drains, 2)

/* Also replies that are on their way for a while, since the client takes them slowly. */
static int disc_sends_all(void *arg)
{
	static uint8_t data[MIB(8)];
	struct client c;

	(void)arg;
	TRY(client_open(&c));
	TRY(command_send(&c, 0, NBD_CMD_READ, 0, sizeof(data)));
	c.cookie--;
	TRY(command_send(&c, 0, NBD_CMD_DISC, 0, 0));
	TRY(rt_sleep_until(rt_now_ns() + RT_SECOND / 2));
	TRY(reply_expect(&c, 0));
	TRY(client_receive(&c, data, sizeof(data)));
	TRY(client_expect_end(&c));
	client_close(&c);
	return stop_server();
}
ADD_TEST(disc_sends_all, 2)

/* A stop lets what was taken in finish. */
static int stop_drains(void *arg)
{
	struct client c, shaking;
	int64_t before;

	(void)arg;
	TRY(client_open(&c));
	TRY(client_connect(&shaking, 3));
	volume_1500.gated = true;
	TRY(write_send(&c, 0, 0, 4096, 1));
	TRY(settle());
	before = rt_now_ns();
	sim_stop(system_a);
	TRY(settle());
	CHECK(volume_1500.active == 1);
	TRY(client_expect_end(&shaking));
	TRY(open_gate());
	TRY(reply_expect(&c, 0));
	TRY(client_expect_end(&c));
	CHECK(rt_now_ns() - before < NBD_DRAIN_NS);
	client_close(&c);
	client_close(&shaking);
	return stop_server();
}
ADD_TEST(stop_drains, 2)

/* But not for ever: then it is told that the server goes. */
static int stop_cuts_short(void *arg)
{
	struct client c;
	int64_t before;

	(void)arg;
	TRY(client_open(&c));
	volume_1500.gated = true;
	TRY(write_send(&c, 0, 0, 4096, 1));
	TRY(settle());
	before = rt_now_ns();
	sim_stop(system_a);
	TRY(reply_expect(&c, 108));
	TRY(client_expect_end(&c));
	CHECK(rt_now_ns() - before >= NBD_DRAIN_NS && rt_now_ns() - before < NBD_DRAIN_NS + RT_SECOND);
	client_close(&c);
	return stop_server();
}
ADD_TEST(stop_cuts_short, 2)

/* A stop at any moment of the way from one reactor to the other finds the connection, and ends it at once. */
static int stop_at_any_moment(void *arg)
{
	unsigned chosen = 0, refused = 0;

	(void)arg;
	TRY(check_serves());
	TRY(stop_server());
	for (int64_t delay_ns = 0; delay_ns < 400 * RT_US; delay_ns += 2 * RT_US) {
		struct client c;
		int64_t before;
		unsigned found_before;

		sim_boot(system_a, server_main, NULL);
		TRY(client_connect(&c, 3));
		TRY(settle());
		found_before = found;
		TRY(send_go(&c, NBD_OPT_GO, "1500"));
		TRY(rt_sleep_until(rt_now_ns() + delay_ns));
		before = rt_now_ns();
		sim_stop(system_a);
		TRY(sim_wait_ended(system_a));
		CHECK(sim_exit_code(system_a) == 0);
		CHECK(rt_now_ns() - before < RT_SECOND);
		chosen += found > found_before;
		refused += found == found_before;
		client_close(&c);
	}
	CHECK(chosen > 10 && refused > 10);
	return 0;
}
ADD_TEST(stop_at_any_moment, 2)

/* ---- whatever fails ---- */

/* Uses a little of everything; ends at the first thing that does not work, and never hangs. */
static void use_server(void)
{
	struct client c;
	uint8_t bytes[NBD_OPTION_REPLY_SIZE + NBD_INFO_EXPORT_SIZE + NBD_OPTION_REPLY_SIZE], data[KIB(4)] = { 1 };
	uint8_t command[NBD_COMMAND_SIZE] = { 0x25, 0x60, 0x95, 0x13 };
	RT_LIMIT(rt_now_ns() + 30 * RT_SECOND);

	if (rt_connect(ADDRESS, &c.stream))
		return;
	put_be32(data, 3);
	if (client_receive(&c, bytes, NBD_GREETING_SIZE) || client_send(&c, data, 4))
		goto out;
	memcpy(bytes, "IHAVEOPT\0\0\0\7\0\0\0\12\0\0\0\4" "1500\0\0", 26);
	if (client_send(&c, bytes, 26) || client_receive(&c, bytes, sizeof(bytes)))
		goto out;
	for (uint8_t code = NBD_CMD_READ; code <= NBD_CMD_WRITE_ZEROES; code++) {
		command[7] = code;
		put_be32(command + 24, code == NBD_CMD_FLUSH ? 0 : sizeof(data));
		if (code == NBD_CMD_DISC)
			continue;
		if (client_send(&c, command, sizeof(command)) ||
		    (code == NBD_CMD_WRITE && client_send(&c, data, sizeof(data))) ||
		    client_receive(&c, bytes, NBD_SIMPLE_REPLY_SIZE) ||
		    (code == NBD_CMD_READ && get_be32(bytes + 4) == 0 && client_receive(&c, data, sizeof(data))))
			goto out;
	}
out:
	rt_stream_close(c.stream);
}

static const enum sim_call_kind failing_kinds[] = { SIM_ALLOC, SIM_FIBER, SIM_SEND, SIM_RECEIVE, SIM_ACCEPT };

/* The n-th call of each kind fails, for every n that one use of the server makes; the next client does not notice. */
static int any_call_fails(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(failing_kinds) / sizeof(failing_kinds[0]); i++) {
		enum sim_call_kind kind = failing_kinds[i];
		uint64_t before, calls;

		TRY(check_serves());
		before = sim_calls(system_a, kind);
		use_server();
		TRY(settle());
		calls = sim_calls(system_a, kind) - before;
		CHECK(calls > 0 || kind == SIM_ALLOC);
		for (uint64_t n = 1; n <= calls; n++) {
			sim_fail_nth(system_a, kind, n);
			use_server();
			TRY(settle());
			sim_fail_nth(system_a, kind, 0);
			TRY(check_serves());
			CHECK(attached == 0);
		}
	}
	return stop_server();
}
ADD_TEST(any_call_fails, 2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hostile_commands, set_up),
		cmocka_unit_test_setup(test_lost_client, set_up),
		cmocka_unit_test_setup(test_simple_commands, set_up),
		cmocka_unit_test_setup(test_structured_reads, set_up),
		cmocka_unit_test_setup(test_block_status, set_up),
		cmocka_unit_test_setup(test_volume_errors, set_up),
		cmocka_unit_test_setup(test_refused_commands, set_up),
		cmocka_unit_test_setup(test_read_only, set_up),
		cmocka_unit_test_setup(test_slow_zero, set_up),
		cmocka_unit_test_setup(test_out_of_order, set_up),
		cmocka_unit_test_setup(test_many_requests, set_up),
		cmocka_unit_test_setup(test_many_bytes, set_up),
		cmocka_unit_test_setup(test_deaf_client, set_up),
		cmocka_unit_test_setup(test_disc_drains, set_up),
		cmocka_unit_test_setup(test_disc_sends_all, set_up),
		cmocka_unit_test_setup(test_stop_drains, set_up),
		cmocka_unit_test_setup(test_stop_cuts_short, set_up),
		cmocka_unit_test_setup(test_stop_at_any_moment, set_up),
		cmocka_unit_test_setup(test_any_call_fails, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
