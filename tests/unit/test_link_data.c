/* SPDX-License-Identifier: Apache-2.0 */
/* Data frames over the link, in the simulator: each completes exactly once, whatever happens to the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link_far.h"

#define FRAME_BYTES	8192u

static struct sim_world *world;
static struct sim_system *far_system;
static struct link_config config;

static void begin(uint64_t seed)
{
	memset(&far, 0, sizeof(far));
	config = (struct link_config){
		.own = NEAR_ID, .peer = FAR_ID, .address = FAR_ADDRESS, .timing = link_timing_default,
		.boot_id = { 1 },
	};
	world = sim_create(seed, NULL);
	far_system = sim_add_system(world, "far", 3);
}

static void end(int (*scenario)(void *arg))
{
	enum sim_end how = sim_run(world, scenario, NULL, 100000 * RT_SECOND);

	if (how != SIM_DONE) {
		fprintf(stderr, "%s\n", sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(how, SIM_DONE);
	sim_destroy(world);
}

static void sleep_ms(int64_t ms)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + ms * RT_MS), 0);
}

static struct link_channel *wait_channel(struct link *link)
{
	struct link_channel *channel = link_channel_here(link);
	struct link_state state;

	for (;;) {
		link_channel_get_state(channel, &state);
		if (state.connected)
			return channel;
		CHECK_EQUAL(rt_cond_wait(link_channel_changed(channel)), 0);
	}
}

static struct link *open_data_link(void)
{
	struct link *link;

	CHECK_EQUAL(link_open(&config, &link), 0);
	CHECK_EQUAL(link_start_data(link), 0);
	CHECK_EQUAL(link_start_data(link), 0);
	return link;
}

static int with_channel(void (*body)(struct link *link, struct link_channel *channel))
{
	size_t pieces = sim_memory_pieces(sim_outside(world));
	struct link *link;

	sim_boot(far_system, far_main, NULL);
	link = open_data_link();
	body(link, wait_channel(link));
	link_close(link);
	CHECK_EQUAL(sim_memory_pieces(sim_outside(world)), pieces);
	return sim_stop_and_wait(far_system);
}

static uint8_t payload[WIRE_DATA_MAX];

static void make_payload(bool compressible)
{
	uint64_t x = 88172645463325252ULL;

	for (size_t i = 0; i < sizeof(payload); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		payload[i] = compressible ? (uint8_t)(i >> 9) : (uint8_t)x;
	}
}

static struct link_send make_send(uint64_t number, uint16_t volume)
{
	struct link_send send = {
		.volume = volume, .session = 1, .journal = true, .tag = number, .offset = number * FRAME_BYTES,
		.len = FRAME_BYTES, .data = payload,
	};

	return send;
}

/* ---- one after the other ---- */

static void kinds_of_frames(struct link *link, struct link_channel *channel)
{
	struct link_send plain = make_send(7, FAR_QUICK), zero = make_send(8, FAR_QUICK), full = make_send(9, FAR_FULL);
	struct link_send *done;
	struct link_state state;
	struct link_acks acks;

	link_get_state(link, &state);
	link_acks_init(&acks);
	CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
	CHECK(!done);
	zero.zero = true;
	zero.data = NULL;
	zero.journal = false;
	zero.session = 0;
	plain.len = WIRE_DATA_MAX;
	CHECK_EQUAL(link_data_send(channel, &plain, &acks), 0);
	CHECK_EQUAL(link_data_send(channel, &full, &acks), 0);
	CHECK_EQUAL(link_data_send(channel, &zero, &acks), 0);
	CHECK_EQUAL(acks.pending, 3);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK_EQUAL(done->error, done == &full ? -ENOSPC : 0);
		CHECK(!memcmp(done->far_boot_id, far.boot_id, WIRE_ID_SIZE));
	}
	CHECK(!acks.pending && !link_acks_next(&acks));
	CHECK_EQUAL(far.frame_count, 2);
	CHECK_EQUAL(far.frames[0].frame.flags & (unsigned)~WIRE_DATA_ZSTD, WIRE_DATA_JOURNAL);
	CHECK_EQUAL(far.frames[0].frame.raw_bytes, WIRE_DATA_MAX);
	CHECK_EQUAL(far.frames[0].frame.tag, 7);
	CHECK_EQUAL(far.frames[0].frame.offset, 7 * FRAME_BYTES);
	CHECK_EQUAL(far.frames[0].first_byte, payload[0]);
	CHECK_EQUAL(far.frames[0].last_byte, payload[WIRE_DATA_MAX - 1]);
	CHECK_EQUAL(far.frames[1].frame.flags, WIRE_DATA_ZERO);
	CHECK_EQUAL(far.frames[1].frame.session, 0);
}

static int scenario_kinds(void *arg)
{
	(void)arg;
	return with_channel(kinds_of_frames);
}

static void frames_arrive_as_they_are(void **state)
{
	(void)state;
	make_payload(false);
	begin(1);
	end(scenario_kinds);
}

static void compressed_frames(struct link *link, struct link_channel *channel)
{
	struct link_state before, after;

	link_channel_get_state(channel, &before);
	kinds_of_frames(link, channel);
	link_channel_get_state(channel, &after);
	CHECK(far.frames[0].frame.flags & WIRE_DATA_ZSTD);
	CHECK(far.frames[0].frame.payload_bytes < WIRE_DATA_MAX / 10);
	CHECK(after.sent_bytes - before.sent_bytes < WIRE_DATA_MAX / 8);
}

static int scenario_compressed(void *arg)
{
	(void)arg;
	return with_channel(compressed_frames);
}

static void incompressible_frames(struct link *link, struct link_channel *channel)
{
	kinds_of_frames(link, channel);
	CHECK(!(far.frames[0].frame.flags & WIRE_DATA_ZSTD));
}

static int scenario_incompressible(void *arg)
{
	(void)arg;
	return with_channel(incompressible_frames);
}

static void payloads_are_compressed_where_it_helps(void **state)
{
	(void)state;
	make_payload(true);
	begin(2);
	config.zstd = true;
	end(scenario_compressed);
	make_payload(false);
	begin(3);
	config.zstd = true;
	end(scenario_incompressible);
}

static int scenario_down(void *arg)
{
	struct link *link = open_data_link();
	struct link_send send = make_send(1, FAR_QUICK);
	struct wire_channel_mark mark;
	struct link_acks acks;

	(void)arg;
	link_acks_init(&acks);
	CHECK_EQUAL(link_data_send(link_channel_here(link), &send, &acks), -ENOTCONN);
	CHECK_EQUAL(link_channel_mark(link_channel_here(link), &mark), -ENOTCONN);
	CHECK(!acks.pending);
	link_close(link);
	return 0;
}

static void without_connection_a_frame_fails_at_once(void **state)
{
	(void)state;
	begin(4);
	end(scenario_down);
}

/* ---- the window ---- */

static void fill_window(struct link *link, struct link_channel *channel)
{
	struct link_send sends[5], *done;
	struct link_acks acks;
	int64_t begin_ns = rt_now_ns();

	(void)link;
	link_acks_init(&acks);
	for (unsigned i = 0; i < 4; i++) {
		sends[i] = make_send(i, i ? FAR_NEVER : FAR_STUBBORN);
		CHECK_EQUAL(link_data_send(channel, &sends[i], &acks), 0);
	}
	CHECK(rt_now_ns() == begin_ns);
	sends[4] = make_send(4, FAR_QUICK);
	{
		RT_LIMIT(begin_ns + RT_SECOND);
		CHECK_EQUAL(link_data_send(channel, &sends[4], &acks), -ETIMEDOUT);
	}
	CHECK_EQUAL(acks.pending, 4);
	CHECK_EQUAL(link_data_send(channel, &sends[4], &acks), 0);
	CHECK(rt_now_ns() - begin_ns >= 2 * RT_SECOND);
	CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
	CHECK(done == &sends[0]);
	CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
	CHECK(done == &sends[4] && !done->error);
	sim_break(sim_outside(world), far_system);
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK_EQUAL(done->error, -ECONNRESET);
	}
}

static int scenario_window(void *arg)
{
	(void)arg;
	return with_channel(fill_window);
}

static void the_window_holds_senders_back(void **state)
{
	(void)state;
	make_payload(false);
	begin(5);
	far.window_frames = 4;
	end(scenario_window);
	begin(5);
	far.window_bytes = 4 * FRAME_BYTES;
	end(scenario_window);
}

/* ---- marks ---- */

struct check {
	struct wire_channel_mark mark;
	int rc;
};

static int check_mark(void *arg)
{
	struct check *check = arg;

	check->rc = link_server_check_mark(far.server, NEAR_ID, &check->mark);
	return 0;
}

static int far_says(struct wire_channel_mark mark)
{
	struct check check = { .mark = mark };

	CHECK_EQUAL(sim_call(far_system, check_mark, &check), 0);
	return check.rc;
}

/* Nothing is written; what is the same, and what is not, comes back for each block. */
static void comparisons(struct link *link, struct link_channel *channel)
{
	struct link_send half = make_send(7, FAR_QUICK), zero = make_send(8, FAR_QUICK), full = make_send(9, FAR_FULL);
	struct link_send data = make_send(10, FAR_QUICK), *done;
	struct wire_channel_mark mark;
	struct link_acks acks;

	(void)link;
	link_acks_init(&acks);
	memset(payload, 0x11, sizeof(payload));
	payload[5 * 4096 + 7] = 0x12;
	half.compare = zero.compare = full.compare = true;
	half.offset = zero.offset = 65536 - 8 * 4096;
	half.len = zero.len = 16 * 4096 + 512;
	zero.zero = true;
	zero.data = NULL;
	CHECK_EQUAL(link_data_send(channel, &half, &acks), 0);
	CHECK_EQUAL(link_data_send(channel, &zero, &acks), 0);
	CHECK_EQUAL(link_data_send(channel, &full, &acks), 0);
	CHECK_EQUAL(link_data_send(channel, &data, &acks), 0);
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK_EQUAL(done->error, done == &full ? -ENOSPC : 0);
		CHECK(!memcmp(done->far_boot_id, far.boot_id, WIRE_ID_SIZE));
	}
	CHECK(half.same[0] == 0xdf && !half.same[1] && !half.same[2]);
	CHECK(!zero.same[0] && zero.same[1] == 0xff && zero.same[2] == 1);
	CHECK_EQUAL(far.frame_count, 1);
	/* They are frames like others for the digest. */
	CHECK_EQUAL(link_channel_mark(channel, &mark), 0);
	CHECK_EQUAL(mark.frames, 4);
	CHECK_EQUAL(far_says(mark), 0);
}

static int scenario_comparisons(void *arg)
{
	(void)arg;
	return with_channel(comparisons);
}

static void blocks_are_compared(void **state)
{
	(void)state;
	begin(1);
	end(scenario_comparisons);
}

static void marks(struct link *link, struct link_channel *channel)
{
	struct link_send sends[20], *done;
	struct wire_channel_mark mark, last, other;
	struct link_acks acks;

	(void)link;
	link_acks_init(&acks);
	CHECK_EQUAL(link_channel_mark(channel, &mark), 0);
	CHECK(!mark.frames && mark.generation);
	CHECK_EQUAL(far_says(mark), 0);
	for (unsigned i = 0; i < 20; i++) {
		sends[i] = make_send(i, FAR_SLOW);
		CHECK_EQUAL(link_data_send(channel, &sends[i], &acks), 0);
	}
	CHECK_EQUAL(link_channel_mark(channel, &last), 0);
	CHECK_EQUAL(last.frames, 20);
	/* Asked before it can have arrived. */
	CHECK_EQUAL(far_says(last), 0);
	CHECK_EQUAL(far_says(mark), 0);
	other = last;
	other.digest++;
	CHECK_EQUAL(far_says(other), -EBADMSG);
	other = last;
	other.generation++;
	CHECK_EQUAL(far_says(other), -ESTALE);
	other = last;
	other.reactor = 7;
	CHECK_EQUAL(far_says(other), -ESTALE);
	other = last;
	other.frames--;
	CHECK_EQUAL(far_says(other), -ESTALE);
	/* Never sent: waited for, but not for ever. */
	other.frames = 21;
	CHECK_EQUAL(far_says(other), -ETIMEDOUT);
	while (acks.pending)
		CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
	sim_break(sim_outside(world), far_system);
	sleep_ms(1000);
	wait_channel(link);
	CHECK_EQUAL(far_says(last), -ESTALE);
	CHECK_EQUAL(link_channel_mark(channel, &mark), 0);
	CHECK(mark.generation > last.generation && !mark.frames);
	CHECK_EQUAL(far_says(mark), 0);
}

static int scenario_marks(void *arg)
{
	(void)arg;
	return with_channel(marks);
}

static void marks_prove_what_was_received(void **state)
{
	(void)state;
	begin(6);
	end(scenario_marks);
}

/* ---- breaks at random points ---- */

#define FRAMES	300u

struct sender {
	struct link_channel *channel;
	struct link_acks acks;
	struct link_send sends[FRAMES];
	bool is_acked[FRAMES];		/* each frame goes on until it is acknowledged */
	unsigned completions, resets, starts;
	bool is_pending[FRAMES];
};

static unsigned index_of(const struct sender *sender, const struct link_send *send)
{
	return (unsigned)(send - sender->sends);
}

static void take_done(struct sender *sender, struct link_send *done)
{
	unsigned i = index_of(sender, done);

	CHECK(i < FRAMES && sender->is_pending[i]);
	sender->is_pending[i] = false;
	sender->completions++;
	CHECK(!done->error || done->error == -ECONNRESET);
	if (done->error)
		sender->resets++;
	else
		sender->is_acked[i] = true;
}

static void send_one(struct sender *sender, struct link *link, unsigned i)
{
	int rc = -ENOTCONN;

	sender->sends[i] = make_send(i, FAR_SLOW);
	while (rc == -ENOTCONN) {
		wait_channel(link);
		rc = link_data_send(sender->channel, &sender->sends[i], &sender->acks);
	}
	CHECK_EQUAL(rc, 0);
	sender->is_pending[i] = true;
	sender->starts++;
}

/* Sends all frames until each is acknowledged; completions are taken as they come. */
static void send_all(struct sender *sender, struct link *link)
{
	struct link_send *done;
	bool again = true;

	while (again) {
		again = false;
		for (unsigned i = 0; i < FRAMES; i++) {
			if (!sender->is_acked[i] && !sender->is_pending[i]) {
				send_one(sender, link, i);
				again = true;
			}
			while ((done = link_acks_next(&sender->acks)))
				take_done(sender, done);
		}
		while (sender->acks.pending) {
			CHECK_EQUAL(link_acks_wait(&sender->acks, &done), 0);
			take_done(sender, done);
			again = true;
		}
		while ((done = link_acks_next(&sender->acks)))
			take_done(sender, done);
	}
}

static bool breaking;
static unsigned resets_seen;

static void break_at_random(void *arg)
{
	(void)arg;
	while (breaking) {
		int64_t ns = (int64_t)sim_random_below(world, 40 * RT_MS);

		if (rt_sleep_until(rt_now_ns() + ns))
			return;
		switch (sim_random_below(world, 4)) {
		case 0:
			sim_break(sim_outside(world), far_system);
			break;
		case 1:
			sim_cut(sim_outside(world), far_system);
			break;
		case 2:
			sim_cut_one_way(far_system, sim_outside(world));
			break;
		default:
			sim_heal(sim_outside(world), far_system);
		}
	}
}

static int scenario_breaks(void *arg)
{
	struct sender *sender = mem_alloc_zeroed(sizeof(*sender));
	struct link_send *done;
	struct rt_group breaker;
	struct link *link;
	bool is_there[FRAMES] = { false };

	(void)arg;
	sim_boot(far_system, far_main, NULL);
	link = open_data_link();
	sender->channel = wait_channel(link);
	link_acks_init(&sender->acks);
	rt_group_init(&breaker);
	breaking = true;
	CHECK_EQUAL(rt_group_start(&breaker, "breaker", break_at_random, NULL), 0);
	/* One pass under breaks, then the rest with a network that holds. */
	for (unsigned i = 0; i < FRAMES; i++) {
		send_one(sender, link, i);
		while ((done = link_acks_next(&sender->acks)))
			take_done(sender, done);
	}
	breaking = false;
	rt_group_stop(&breaker);
	sim_heal(sim_outside(world), far_system);
	send_all(sender, link);
	CHECK_EQUAL(sender->starts, sender->completions);
	resets_seen += sender->resets;
	CHECK_EQUAL(far.late_frames, 0);
	CHECK(far.frame_count <= FAR_FRAMES_MAX);
	for (unsigned i = 0; i < far.frame_count; i++)
		is_there[far.frames[i].frame.tag] = true;
	for (unsigned i = 0; i < FRAMES; i++)
		CHECK(is_there[i] && sender->is_acked[i] && !sender->is_pending[i]);
	link_close(link);
	mem_free(sender);
	return sim_stop_and_wait(far_system);
}

static void every_frame_completes_once(void **state)
{
	(void)state;
	make_payload(false);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		begin(1000 + seed);
		config.timing.dead_ms = 300;
		config.timing.ping_ms = 100;
		config.timing.idle_ms = 500;
		far.window_frames = 32;
		end(scenario_breaks);
	}
	/* Else it has shown nothing. */
	assert_true(resets_seen > 100);
}

/* ---- memory ---- */

static struct {
	bool far;
	enum sim_call_kind kind;
	uint64_t nth;
} failing;

static int scenario_no_memory(void *arg)
{
	struct link_send send = make_send(1, FAR_QUICK), *done = NULL;
	struct link_acks acks;
	struct link *link = NULL;
	int rc;

	(void)arg;
	sim_boot(far_system, far_main, NULL);
	sleep_ms(1000);
	sim_fail_nth(failing.far ? far_system : sim_outside(world), failing.kind, failing.nth);
	rc = link_open(&config, &link);
	if (!rc)
		rc = link_start_data(link);
	if (!rc) {
		RT_LIMIT(rt_now_ns() + 20 * RT_SECOND);
		struct wire_pair_request request = { .target_volume = FAR_QUICK };
		struct wire_pair_reply reply;

		wait_channel(link);
		link_acks_init(&acks);
		rc = link_data_send(link_channel_here(link), &send, &acks);
		if (!rc)
			CHECK_EQUAL(link_acks_wait(&acks, &done), 0);
		CHECK(rc || done == &send);
		if (!link_request(link, WIRE_PAIR_STATUS, &request, &reply, NULL, NULL))
			link_reply_free(WIRE_PAIR_STATUS, &reply);
	}
	link_close(link);
	return sim_stop_and_wait(far_system);
}

/* Any one allocation, or fiber, of either side fails: nothing hangs, nothing is lost or left. */
static void one_failed_allocation_does_no_harm(void **state)
{
	static const enum sim_call_kind kinds[] = { SIM_ALLOC, SIM_FIBER };

	(void)state;
	for (unsigned side = 0; side < 2; side++) {
		for (unsigned k = 0; k < 2; k++) {
			for (uint64_t n = 1; n <= 60; n++) {
				begin(n);
				config.zstd = true;
				failing.far = side;
				failing.kind = kinds[k];
				failing.nth = n;
				end(scenario_no_memory);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_as_they_are),
		cmocka_unit_test(blocks_are_compared),
		cmocka_unit_test(payloads_are_compressed_where_it_helps),
		cmocka_unit_test(without_connection_a_frame_fails_at_once),
		cmocka_unit_test(the_window_holds_senders_back),
		cmocka_unit_test(marks_prove_what_was_received),
		cmocka_unit_test(every_frame_completes_once),
		cmocka_unit_test(one_failed_allocation_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
