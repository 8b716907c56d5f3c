/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pump.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"

#define RUN_MAX		(256u << 10)		/* bytes of one frame */
#define BURST_BYTES	(256u << 10)		/* sent in a row; then others have their turn */
#define BURST_FRAMES	16u
#define RETRY_NS	(500 * RT_MS)		/* after the far side or the disk said no */
#define MODEST_NS	(30 * RT_SECOND)	/* nothing is sent ahead after the far side's journal was full */
#define ACK_NS		(5 * RT_SECOND)		/* at the end, for what the far side has not acknowledged */

/*
 * A frame of one block costs far more than its block: two systems wake up for it. So a few blocks of the open increment
 * wait for others this long; those of the closing one never do.
 */
#define GATHER_BLOCKS	32u
#define GATHER_NS	(20 * RT_MS)

struct pump {
	struct pump_config config;		/* as it is now */
	struct volume_target *target;
	struct link_channel *channel;
	struct rt_group fibers;
	struct link_acks acks;
	struct pump_state state;
	struct pace pace;
	uint64_t arrears_bytes;			/* of what was unsent when it began: a first copy, a resync */
	int64_t not_before_ns;			/* the far side said no: try again then */
	int64_t modest_until_ns;		/* 0: it is not */
	bool caught_up;				/* once it was: nothing was unsent, all was acknowledged */
	bool stopping;				/* what differs is sent no more */
};

/* What the volume gave, until all that became of it is known. */
struct pump_run {
	struct volume_send *run;
	uint64_t noted;				/* writes noted in the volume when it was taken */
	unsigned pending;			/* frames under way */
	int error;				/* of one of them; 0: none yet */
};

/* One frame: a comparison of the run, the whole run, or what differs of it. */
struct pump_frame {
	struct link_send send;
	struct pump_run *of;
};

/* Its journal is full: only what a group needs is sent for a while, and nothing ahead. */
static void be_modest(struct pump *pump)
{
	pump->modest_until_ns = rt_now_ns() + MODEST_NS;
	volume_send_only_closing(pump->target, true);
}

static void be_modest_no_more(struct pump *pump)
{
	pump->modest_until_ns = 0;
	volume_send_only_closing(pump->target, false);
}

/* Nothing can be sent now: suspends until something may be. */
static int wait_changed(struct pump *pump)
{
	RT_LIMIT(pump->modest_until_ns ? pump->modest_until_ns : RT_NEVER);
	int rc = rt_cond_wait(volume_changed(pump->target));

	return rc == -ETIMEDOUT ? 0 : rc;
}

/* ---- what became of a run ---- */

static void note_error(struct pump *pump, int error)
{
	if (pump->state.far_error != error)
		log_line(LOG_WARNING, "pair", "volume %04X: the far side does not take its data: %s",
			 volume_id(volume_of_target(pump->target)), strerror(-error));
	pump->state.far_error = error;
	if (pump_is_refused(pump))
		notice_give(pump->config.acked);
	pump->not_before_ns = rt_now_ns() + RETRY_NS;
	if (error == -ENOSPC && pump->config.journal)
		be_modest(pump);
}

/* Someone may wait for the end of a first copy, but for nothing that is written after it. */
static void ask_sync(struct pump *pump)
{
	struct volume_counters counters;

	volume_get_target_counters(pump->target, &counters);
	if (pump->caught_up || counters.unsent_blocks || counters.sending_blocks) {
		notice_give(pump->config.acked);
		return;
	}
	pump->caught_up = true;
	notice_give_urgent(pump->config.acked);
}

/* The far side has all of it: by the frames that were sent, or because it had it before. */
static void take_acknowledged(struct pump *pump, struct pump_run *of)
{
	struct pump_totals *totals = pump->config.totals;

	pump->state.far_error = 0;
	if (totals->followed < of->noted)
		totals->followed = of->noted;
	volume_send_acked(pump->target, of->run);
	if (!pump->config.journal)
		ask_sync(pump);
}

static void drop_frame(struct pump *pump, struct pump_run *of, int error)
{
	if (error && !of->error)
		of->error = error;
	if (--of->pending)
		return;
	if (!of->error)
		take_acknowledged(pump, of);
	else
		volume_send_failed(pump->target, of->run);
	mem_free(of);
}

/* ---- sending ---- */

/* A frame of the run from from on; waits for room. */
static int send_frame(struct pump *pump, struct pump_run *of, uint32_t from, uint32_t len, bool compare)
{
	struct pump_frame *frame = mem_alloc_zeroed(sizeof(*frame));
	int rc;

	if (!frame)
		return -ENOMEM;
	frame->of = of;
	pump_address(pump, &frame->send);
	frame->send.compare = compare;
	frame->send.zero = of->run->zero;
	frame->send.tag = of->run->tag;
	frame->send.offset = of->run->offset + from;
	frame->send.len = len;
	if (planted(PLANTED_ZERO_TAIL) && of->run->zero && len > XDC_BLOCK_SIZE)
		frame->send.len -= XDC_BLOCK_SIZE;
	frame->send.data = of->run->zero ? NULL : (const uint8_t *)of->run->data + from;
	of->pending++;
	rc = pace_pass(pump->config.limit, link_send_bytes(&frame->send), !pump->config.journal);
	if (!rc)
		rc = link_data_send(pump->channel, &frame->send, &pump->acks);
	if (!rc)
		return 0;
	of->pending--;
	mem_free(frame);
	return rc;
}

static bool is_same(const uint8_t *same, uint32_t block)
{
	return same[block / 8] >> block % 8 & 1;
}

/*
 * What is not the same is sent, from the memory that was compared: it is still what the increment of this tag needs.
 */
static int send_differences(struct pump *pump, const struct pump_frame *frame)
{
	uint32_t len = frame->send.len, blocks = wire_blocks(len), first = 0, end;
	int rc = 0;

	for (; first < blocks && !rc; first = end) {
		bool same = is_same(frame->send.same, first);
		uint32_t from = first * WIRE_BLOCK_SIZE, bytes;

		for (end = first + 1; end < blocks && is_same(frame->send.same, end) == same; end++)
			;
		bytes = (end < blocks ? end * WIRE_BLOCK_SIZE : len) - from;
		if (same)
			pump->config.totals->same_bytes += bytes;
		else
			rc = pump->stopping ? -ECANCELED : send_frame(pump, frame->of, from, bytes, false);
	}
	return rc;
}

/* Only the answer that this connection is of no use, or that this source is none, says something about its data too. */
static bool is_about_compare(int error)
{
	return error && error != -ECONNRESET && error != -ESTALE && error != -EPERM && error != -ENOSPC;
}

static int take_comparison(struct pump *pump, struct pump_frame *frame)
{
	if (!frame->send.error)
		pump->config.totals->compared_bytes += frame->send.len;
	return send_differences(pump, frame);
}

/* A frame is done: by the far side that is meant, by another one, or not at all. */
static void finish_frame(struct pump *pump, struct pump_frame *frame)
{
	bool same_far = !memcmp(frame->send.far_boot_id, pump->config.far_boot_id, WIRE_ID_SIZE);
	int error = same_far ? frame->send.error : -ECONNRESET;

	if (frame->send.compare && (!error || is_about_compare(error)))
		error = take_comparison(pump, frame);
	else if (!error)
		pump->config.totals->sent_bytes += frame->send.len;
	else if (error != -ECONNRESET)
		note_error(pump, error);
	drop_frame(pump, frame->of, error);
	mem_free(frame);
}

static void reap(void *arg)
{
	struct pump *pump = arg;
	struct link_send *send;

	while (!rt_cancelled()) {
		if (link_acks_wait(&pump->acks, &send))
			break;
		if (send)
			finish_frame(pump, container_of(send, struct pump_frame, send));
		else if (rt_cond_wait(&pump->acks.changed))
			break;
	}
}

static int send_run(struct pump *pump, struct volume_send *run, uint64_t noted)
{
	struct pump_run *of = mem_alloc_zeroed(sizeof(*of));
	int rc;

	if (!of) {
		volume_send_failed(pump->target, run);
		return -ENOMEM;
	}
	*of = (struct pump_run){ .run = run, .noted = noted, .pending = 1 };
	rc = send_frame(pump, of, 0, run->len, run->doubtful);
	drop_frame(pump, of, rc);
	return rc;
}

/* Nothing can be sent now: wait for a change of what stands in the way. */
static void wait_after(struct pump *pump, int error)
{
	struct link_state state;
	int rc = 0;

	link_channel_get_state(pump->channel, &state);
	if (error == -ENOTCONN) {
		if (!state.connected)
			rc = rt_cond_wait(link_channel_changed(pump->channel));
	} else {
		rc = rt_sleep_until(rt_now_ns() + RETRY_NS);
	}
	if (rc)
		return;		/* cancelled: the loop sees it */
}

/* Until it is time to send. */
static int wait_backlog(struct pump *pump)
{
	int64_t until_ns = RT_NEVER;
	int rc = 0;

	while (!rc) {
		enum volume_backlog backlog = volume_get_backlog(pump->target, GATHER_BLOCKS);
		int64_t now_ns = rt_now_ns();

		if (backlog == VOLUME_BACKLOG_NONE)
			until_ns = RT_NEVER;
		else if (backlog == VOLUME_BACKLOG_FEW && until_ns == RT_NEVER)
			until_ns = now_ns + GATHER_NS;
		else if (backlog == VOLUME_BACKLOG_MANY || now_ns >= until_ns)
			return 0;
		RT_LIMIT(until_ns);
		rc = rt_cond_wait(volume_changed(pump->target));
		if (rc == -ETIMEDOUT)
			rc = 0;
	}
	return rc;
}

/* Sends what can be sent, up to a burst. 0; or what stands in the way, -EAGAIN: what is unsent is not sendable now. */
static int send_burst(struct pump *pump)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < BURST_FRAMES && bytes < BURST_BYTES; i++) {
		struct volume_counters counters;
		struct volume_send *run;
		int rc;

		volume_get_target_counters(pump->target, &counters);
		rc = volume_send_next(pump->target, RUN_MAX, &run);
		pump->state.disk_error = rc == -EIO ? rc : 0;
		if (rc || !run)
			return rc ? rc : -EAGAIN;
		bytes += run->len;
		pump->arrears_bytes -= run->len < pump->arrears_bytes ? run->len : pump->arrears_bytes;
		rc = send_run(pump, run, counters.noted);
		if (rc)
			return rc;
	}
	rt_yield();
	return 0;
}

/*
 * First copies and resyncs do. Not what hosts write meanwhile, which would be more and more; nor what a group needs.
 */
static bool gives_way(const struct pump *pump)
{
	return pump->arrears_bytes && !pump->config.journal;
}

static void run_pump(void *arg)
{
	struct pump *pump = arg;

	while (!rt_cancelled()) {
		int rc = 0;

		if (rt_now_ns() < pump->not_before_ns) {
			if (rt_sleep_until(pump->not_before_ns))
				break;
			continue;
		}
		if (pump->modest_until_ns && rt_now_ns() >= pump->modest_until_ns)
			be_modest_no_more(pump);
		if (wait_backlog(pump))
			break;
		pace_begin(&pump->pace);
		rc = send_burst(pump);
		if (!rc && gives_way(pump) && pace_rest(&pump->pace))
			break;
		if (rc == -EAGAIN && wait_changed(pump))
			break;
		if (rc && rc != -EAGAIN)
			wait_after(pump, rc);
	}
}

int pump_start(const struct pump_config *config, struct pump **out)
{
	struct pump *pump = mem_alloc_zeroed(sizeof(*pump));
	struct volume_counters counters;
	int rc;

	assert(rt_here() == volume_reactor(volume_of_target(config->volume_target)));
	if (!pump)
		return -ENOMEM;
	pump->config = *config;
	pump->target = config->volume_target;
	pump->channel = link_channel_here(config->link);
	link_acks_init(&pump->acks);
	pace_init(&pump->pace, volume_of_target(config->volume_target), config->priority);
	volume_go_on_sending(config->volume_target);
	volume_get_target_counters(config->volume_target, &counters);
	pump->arrears_bytes = counters.unsent_blocks * XDC_BLOCK_SIZE;
	rt_group_init(&pump->fibers);
	rc = rt_group_start(&pump->fibers, "pump", run_pump, pump);
	if (!rc)
		rc = rt_group_start(&pump->fibers, "pump acks", reap, pump);
	if (rc) {
		pump_stop(pump);
		return rc;
	}
	*out = pump;
	return 0;
}

void pump_stop(struct pump *pump)
{
	struct link_send *send;
	int64_t until_ns;
	RT_SHIELD();

	if (!pump)
		return;
	pump->stopping = true;
	rt_group_stop(&pump->fibers);
	/* What the link still has comes back: acknowledged, or broken with its connection. */
	until_ns = rt_now_ns() + ACK_NS;
	while (link_acks_drain(&pump->acks, pump->channel, &until_ns, &send))
		finish_frame(pump, container_of(send, struct pump_frame, send));
	be_modest_no_more(pump);
	mem_free(pump);
}

struct link_channel *pump_address(const struct pump *pump, struct link_send *send)
{
	send->volume = pump->config.target;
	send->session = pump->config.journal ? pump->config.session : 0;
	send->journal = pump->config.journal;
	return pump->channel;
}

void pump_set_priority(struct pump *pump, enum copy_priority priority)
{
	pump->config.priority = pump->pace.priority = priority;
}

struct pace_limit *pump_limit(const struct pump *pump)
{
	return pump->config.limit;
}

const uint8_t *pump_far_boot_id(const struct pump *pump)
{
	return pump->config.far_boot_id;
}

void pump_join(struct pump *pump, uint8_t session)
{
	pump->config.session = session;
	pump->config.journal = true;
}

void pump_far_restarted(struct pump *pump, const uint8_t far_boot_id[WIRE_ID_SIZE])
{
	memcpy(pump->config.far_boot_id, far_boot_id, WIRE_ID_SIZE);
	if (!planted(PLANTED_PREPARE_ANY_BOOT))
		volume_resend_open(pump->target);
}

bool pump_is_refused(const struct pump *pump)
{
	return pump->state.far_error == -ESTALE || pump->state.far_error == -EPERM;
}

void pump_get_state(const struct pump *pump, struct pump_state *state)
{
	*state = pump->state;
}
