/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/verify.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/mem.h"
#include "store/planted.h"
#include "volume/volume.h"

#define FRAMES_MAX	16u			/* under way */
#define TRACKS_MAX	(VOLUME_LOOK_MAX / XDC_TRACK_SIZE + 1)	/* that a frame touches */
#define QUEUE_MAX	4096u
#define QUEUE_RESERVE	((FRAMES_MAX + 1) * TRACKS_MAX)		/* for what frames under way may leave */
#define ACK_NS		(5 * RT_SECOND)
#define PASS_NS		RT_SECOND		/* for the limit of the path */

/* Blocks of a track, a bit each. */
struct blocks {
	uint16_t wanted;		/* that are to be looked at */
	uint16_t known;			/* of these, differences that were found before, and marked */
};

/* A track that is to be looked at again. */
struct later {
	uint64_t track;
	struct blocks blocks;
};

struct verify {
	struct pair *pair;
	bool repair;
	uint64_t next;			/* bytes: all before has been looked at once */
	struct later queue[QUEUE_MAX];	/* a ring */
	unsigned first, count;
	unsigned round;			/* so many of the queue have not had their turn in this round */
	struct link_acks acks;
	struct pace pace;		/* hosts come first */
	int error;			/* of a frame of this step */
	uint64_t settled;
	struct copy_verify_info found;
};

struct verify_frame {
	struct link_send send;
	struct volume_look look;
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* of the far side that is meant */
	uint64_t track;				/* the first */
	struct blocks blocks[TRACKS_MAX];
};

int verify_create(struct pair *pair, bool repair, struct verify **out)
{
	struct verify *verify = mem_alloc_zeroed(sizeof(*verify));

	if (!verify)
		return -ENOMEM;
	verify->pair = pair;
	verify->repair = repair;
	link_acks_init(&verify->acks);
	pace_init(&verify->pace, pair->volume, COPY_LOW);
	*out = verify;
	return 0;
}

void verify_destroy(struct verify *verify)
{
	assert(!verify || !verify->acks.pending);
	mem_free(verify);
}

void verify_get_findings(const struct verify *verify, struct copy_verify_info *info)
{
	info->looked_bytes = verify->next;
	info->compared_bytes = verify->found.compared_bytes;
	info->differing_blocks = verify->found.differing_blocks;
	info->repaired_blocks = verify->found.repaired_blocks;
	info->open_blocks = 0;
	for (unsigned i = 0; i < verify->count; i++)
		info->open_blocks += (unsigned)__builtin_popcount(
			verify->queue[(verify->first + i) % QUEUE_MAX].blocks.wanted);
	info->range_count = verify->found.range_count;
	memcpy(info->ranges, verify->found.ranges, sizeof(info->ranges));
}

/* ---- the queue of what is looked at again ---- */

static void push(struct verify *verify, uint64_t track, struct blocks blocks)
{
	assert(verify->count < QUEUE_MAX);
	verify->queue[(verify->first + verify->count++) % QUEUE_MAX] = (struct later){ track, blocks };
}

static struct later pop(struct verify *verify)
{
	struct later item = verify->queue[verify->first];

	assert(verify->count && verify->round);
	verify->first = (verify->first + 1) % QUEUE_MAX;
	verify->count--;
	verify->round--;
	return item;
}

/* ---- what was found ---- */

static struct copy_verify_range *make_room_at(struct copy_verify_info *found, unsigned index)
{
	unsigned last = found->range_count < COPY_VERIFY_RANGES ? found->range_count++ : COPY_VERIFY_RANGES - 1;

	memmove(&found->ranges[index + 1], &found->ranges[index], (last - index) * sizeof(found->ranges[0]));
	return &found->ranges[index];
}

/* The lowest are kept, in order; neighbours are one. */
static void add_to_ranges(struct copy_verify_info *found, uint64_t offset, uint64_t bytes)
{
	struct copy_verify_range *at = found->ranges, *end = found->ranges + found->range_count;

	while (at < end && at->offset + at->bytes < offset)
		at++;
	if (at < end && at->offset + at->bytes == offset) {
		at->bytes += bytes;
		if (at + 1 < end && at[1].offset == offset + bytes) {
			at->bytes += at[1].bytes;
			memmove(at + 1, at + 2, (size_t)(end - (at + 2)) * sizeof(*at));
			found->range_count--;
		}
	} else if (at < end && at->offset == offset + bytes) {
		at->offset = offset;
		at->bytes += bytes;
	} else if (at < found->ranges + COPY_VERIFY_RANGES) {
		*make_room_at(found, (unsigned)(at - found->ranges)) = (struct copy_verify_range){ offset, bytes };
	}
}

/* What was repaired stays so when this system crashes before the far side has it durably. */
static int send_again(const struct verify *verify, uint64_t offset, uint64_t bytes)
{
	const struct pair *pair = verify->pair;
	struct blocklock_claim claim;
	int rc;
	RT_LIMIT(rt_now_ns() + PASS_NS);

	rc = volume_claim_logged(pair->volume, &claim, offset, bytes);
	if (rc)
		return rc;
	rc = pair->pump ? volume_mark(pair->volume_target, offset, bytes) : -ENOTCONN;
	volume_leave_blocks(pair->volume, &claim);
	return rc;
}

/* True: it is to be looked at again. */
static bool note_difference(struct verify *verify, uint64_t block, bool known)
{
	const struct pair *pair = verify->pair;
	uint64_t offset = block * XDC_BLOCK_SIZE, left = volume_size(pair->volume) - offset;
	uint64_t bytes = left < XDC_BLOCK_SIZE ? left : XDC_BLOCK_SIZE;
	int rc;

	if (!known) {
		verify->found.differing_blocks++;
		add_to_ranges(&verify->found, offset, bytes);
	}
	if (!verify->repair)
		return false;
	/* What could not be marked is found to differ once more. */
	rc = send_again(verify, offset, bytes);
	if (rc)
		verify->error = rc;
	return true;
}

enum verdict { VERDICT_SAME, VERDICT_DIFFERS, VERDICT_OPEN };

static enum verdict judge(const struct verify *verify, const struct verify_frame *frame, uint32_t index)
{
	if (index >= wire_blocks(frame->look.len) || frame->send.error || !verify->pair->pump)
		return VERDICT_OPEN;
	if (frame->send.same[index / 8] >> index % 8 & 1)
		return VERDICT_SAME;
	return volume_look_is_settled(&frame->look, index) ? VERDICT_DIFFERS : VERDICT_OPEN;
}

/* What is still to be looked at of a track of the frame. */
static struct blocks take_track(struct verify *verify, const struct verify_frame *frame, unsigned track)
{
	uint64_t first = frame->look.offset / XDC_BLOCK_SIZE, base = (frame->track + track) * XDC_BLOCKS_PER_TRACK;
	struct blocks blocks = frame->blocks[track], rest = { 0 };

	for (unsigned bit = 0; blocks.wanted >> bit; bit++) {
		bool known = blocks.known >> bit & 1, again = false;
		enum verdict verdict;

		if (!(blocks.wanted >> bit & 1))
			continue;
		verdict = judge(verify, frame, (uint32_t)(base + bit - first));
		if (verdict == VERDICT_DIFFERS)
			again = note_difference(verify, base + bit, known);
		verify->found.repaired_blocks += verdict == VERDICT_SAME && known;
		verify->settled += verdict == VERDICT_SAME || (verdict == VERDICT_DIFFERS && !known);
		if (!again && verdict != VERDICT_OPEN)
			continue;
		rest.wanted |= (uint16_t)(1u << bit);
		rest.known |= (uint16_t)((known || again) << bit);
	}
	return rest;
}

static void finish(struct verify *verify, struct verify_frame *frame)
{
	if (!frame->send.error && memcmp(frame->send.far_boot_id, frame->far_boot_id, WIRE_ID_SIZE) != 0)
		frame->send.error = -ESTALE;
	if (frame->send.error)
		verify->error = frame->send.error;
	else
		verify->found.compared_bytes += frame->look.len;
	for (unsigned i = 0; i < TRACKS_MAX; i++) {
		struct blocks rest = take_track(verify, frame, i);

		if (rest.wanted)
			push(verify, frame->track + i, rest);
	}
	volume_look_end(&frame->look);
	mem_free(frame);
}

/* ---- looking ---- */

/* Asks about the range, or the first part of it that is a hole or none; frame has the blocks. Waits for room. */
static int ask(struct verify *verify, struct verify_frame *frame, uint64_t offset, uint32_t len)
{
	struct pair *pair = verify->pair;
	struct link_channel *channel;
	struct pace_limit *limit;
	int rc;

	if (!pair->pump)
		return -ENOTCONN;
	/* In one step with the first look at what is settled: settled is what this far side has acknowledged. */
	channel = pump_address(pair->pump, &frame->send);
	limit = pump_limit(pair->pump);
	memcpy(frame->far_boot_id, pump_far_boot_id(pair->pump), WIRE_ID_SIZE);
	rc = volume_look_begin(pair->volume_target, offset, len, &frame->look);
	if (rc)
		return rc;
	frame->send.compare = true;
	frame->send.tag = WIRE_TAG_NEWEST;
	frame->send.offset = frame->look.offset;
	frame->send.len = frame->look.len;
	frame->send.zero = frame->look.zero;
	frame->send.data = frame->look.data;
	{
		RT_LIMIT(rt_now_ns() + PASS_NS);

		rc = pace_pass(limit, link_send_bytes(&frame->send), true);
	}
	if (!rc)
		rc = link_data_send(channel, &frame->send, &verify->acks);
	if (rc)
		volume_look_end(&frame->look);
	return rc;
}

static struct verify_frame *make_frame(uint64_t track)
{
	struct verify_frame *frame = mem_alloc_zeroed(sizeof(*frame));

	if (frame)
		frame->track = track;
	return frame;
}

/* Of the volume from where nothing has been looked at yet. */
static int look_further(struct verify *verify, uint64_t size)
{
	uint64_t track = verify->next / XDC_TRACK_SIZE, left = size - verify->next;
	struct verify_frame *frame = make_frame(track);
	uint64_t first = verify->next / XDC_BLOCK_SIZE;
	int rc;

	if (!frame)
		return -ENOMEM;
	rc = ask(verify, frame, verify->next, left < VOLUME_LOOK_MAX ? (uint32_t)left : VOLUME_LOOK_MAX);
	if (rc) {
		mem_free(frame);
		return rc;
	}
	for (uint64_t block = first; block < first + wire_blocks(frame->look.len); block++) {
		uint64_t index = block / XDC_BLOCKS_PER_TRACK - track;

		assert(index < TRACKS_MAX);
		frame->blocks[index].wanted |= (uint16_t)(1u << block % XDC_BLOCKS_PER_TRACK);
	}
	verify->next += frame->look.len;
	return 0;
}

/* At the blocks of a track that were not settled when they were looked at last. */
static int look_again(struct verify *verify, uint64_t size)
{
	struct later item = pop(verify);
	uint64_t base = item.track * XDC_TRACK_SIZE;
	unsigned first = (unsigned)__builtin_ctz(item.blocks.wanted),
		 end = 32u - (unsigned)__builtin_clz(item.blocks.wanted);
	uint64_t offset = base + first * XDC_BLOCK_SIZE, to = base + end * XDC_BLOCK_SIZE;
	struct verify_frame *frame = make_frame(item.track);
	int rc = -ENOMEM;

	if (frame) {
		frame->blocks[0] = item.blocks;
		rc = ask(verify, frame, offset, (uint32_t)((to < size ? to : size) - offset));
	}
	if (rc) {
		push(verify, item.track, item.blocks);
		mem_free(frame);
	}
	return rc;
}

/* ---- a step ---- */

struct step_order {
	struct verify *verify;
	struct verify_step *step;
	int64_t until_ns;
	uint64_t limit_bytes;
};

/* Answers are taken until at most so many frames are under way. */
static void take_answers(struct verify *verify, unsigned pending_max)
{
	struct link_channel *channel = link_channel_here(verify->pair->peer->to);
	int64_t until_ns = rt_now_ns() + ACK_NS;
	struct link_send *send;

	while (verify->acks.pending > pending_max || !list_empty(&verify->acks.done)) {
		if (link_acks_drain(&verify->acks, channel, &until_ns, &send))
			finish(verify, container_of(send, struct verify_frame, send));
	}
}

static uint64_t end_of(const struct verify *verify)
{
	uint64_t size = volume_size(verify->pair->volume);

	return planted(PLANTED_VERIFY_SKIPS_END) ? size / XDC_TRACK_SIZE * XDC_TRACK_SIZE : size;
}

/* What was left before is looked at when nothing else is, or there is no room for more of it. */
static bool may_look_further(const struct verify *verify)
{
	return verify->next < end_of(verify) && verify->count + QUEUE_RESERVE <= QUEUE_MAX;
}

static int run_frames(struct step_order *order)
{
	struct verify *verify = order->verify;
	uint64_t before = verify->found.compared_bytes;
	bool further = may_look_further(verify);
	int rc = 0;

	if (!further && !verify->round)
		verify->round = verify->count;
	while (!rc && (further ? may_look_further(verify) : verify->round > 0)) {
		if (rt_now_ns() >= order->until_ns || verify->found.compared_bytes - before >= order->limit_bytes)
			break;
		pace_begin(&verify->pace);
		rc = further ? look_further(verify, end_of(verify)) : look_again(verify, end_of(verify));
		take_answers(verify, FRAMES_MAX - 1);
		rt_yield();
		if (!rc)
			rc = pace_rest(&verify->pace);
	}
	take_answers(verify, 0);
	order->step->bytes = verify->found.compared_bytes - before;
	order->step->again = !further && !verify->round;
	return rc ? rc : verify->error;
}

static int do_step(void *arg)
{
	struct step_order *order = arg;
	struct verify *verify = order->verify;
	int rc;
	RT_SHIELD();

	verify->error = 0;
	verify->settled = 0;
	rc = run_frames(order);
	order->step->settled = verify->settled;
	order->step->done = verify->next >= end_of(verify) && !verify->count;
	return rc;
}

int verify_run_step(struct verify *verify, int64_t limit_ns, uint64_t limit_bytes, struct verify_step *step)
{
	struct step_order order = {
		.verify = verify, .step = step, .until_ns = rt_now_ns() + limit_ns, .limit_bytes = limit_bytes,
	};

	*step = (struct verify_step){ 0 };
	return rt_call(volume_reactor(verify->pair->volume), do_step, &order);
}
