/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/pump.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"

#define RUN_MAX		(128u << 10)		/* bytes of one frame */
#define RETRY_NS	(500 * RT_MS)		/* after the far side or the disk said no */
#define MODEST_NS	(30 * RT_SECOND)	/* nothing is sent ahead after the far side's journal was full */
#define ACK_NS		(5 * RT_SECOND)		/* at the end, for what the far side has not acknowledged */

struct pump {
	struct pump_config config;		/* as it is now */
	struct volume *volume;
	struct link_channel *channel;
	struct rt_group fibers;
	struct link_acks acks;
	struct pump_state state;
	int64_t not_before_ns;			/* the far side said no: try again then */
	int64_t modest_until_ns;		/* 0: it is not */
};

/* One run under way: what the volume gave, in the shape of the link. */
struct pump_frame {
	struct link_send send;
	struct volume_send *run;
	uint64_t noted;				/* of the volume, when the run was taken */
};

static void fail_run(struct pump *pump, struct volume_send *run)
{
	volume_send_failed(pump->volume, run);
}

/* Its journal is full: only what a group needs is sent for a while, and nothing ahead. */
static void be_modest(struct pump *pump)
{
	pump->modest_until_ns = rt_now_ns() + MODEST_NS;
	volume_send_only_closing(pump->volume, true);
}

static void be_modest_no_more(struct pump *pump)
{
	pump->modest_until_ns = 0;
	volume_send_only_closing(pump->volume, false);
}

/* Nothing can be sent now: suspends until something may be. */
static int wait_changed(struct pump *pump)
{
	RT_LIMIT(pump->modest_until_ns ? pump->modest_until_ns : RT_NEVER);
	int rc = rt_cond_wait(volume_changed(pump->volume));

	return rc == -ETIMEDOUT ? 0 : rc;
}

static void take_acknowledged(struct pump *pump, struct pump_frame *frame)
{
	struct pump_totals *totals = pump->config.totals;

	pump->state.far_error = 0;
	totals->sent_bytes += frame->run->len;
	if (totals->followed < frame->noted)
		totals->followed = frame->noted;
	volume_send_acked(pump->volume, frame->run);
	if (!pump->config.journal)
		notice_give(pump->config.acked);
}

/* A frame is done: by the far side that is meant, by another one, or not at all. */
static void finish_frame(struct pump *pump, struct pump_frame *frame)
{
	bool same_far = !memcmp(frame->send.far_boot_id, pump->config.far_boot_id, WIRE_ID_SIZE);

	if (!frame->send.error && same_far) {
		take_acknowledged(pump, frame);
	} else {
		if (frame->send.error && frame->send.error != -ECONNRESET) {
			if (pump->state.far_error != frame->send.error)
				log_line(LOG_WARNING, "pair", "volume %04X: the far side does not take its data: %s",
					 volume_id(pump->volume), strerror(-frame->send.error));
			pump->state.far_error = frame->send.error;
			if (pump_is_refused(pump))
				notice_give(pump->config.acked);
			pump->not_before_ns = rt_now_ns() + RETRY_NS;
			if (frame->send.error == -ENOSPC && pump->config.journal)
				be_modest(pump);
		}
		fail_run(pump, frame->run);
	}
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
	struct pump_frame *frame = mem_alloc_zeroed(sizeof(*frame));
	int rc;

	if (!frame) {
		fail_run(pump, run);
		return -ENOMEM;
	}
	frame->run = run;
	frame->noted = noted;
	frame->send.volume = pump->config.target;
	frame->send.session = pump->config.journal ? pump->config.session : 0;
	frame->send.journal = pump->config.journal;
	frame->send.zero = run->zero;
	frame->send.tag = run->tag;
	frame->send.offset = run->offset;
	frame->send.len = run->len;
	frame->send.data = run->data;
	rc = link_data_send(pump->channel, &frame->send, &pump->acks);
	if (rc) {
		fail_run(pump, run);
		mem_free(frame);
	}
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

static void run_pump(void *arg)
{
	struct pump *pump = arg;
	struct volume_counters counters;
	struct volume_send *run;
	int rc;

	while (!rt_cancelled()) {
		if (rt_now_ns() < pump->not_before_ns) {
			if (rt_sleep_until(pump->not_before_ns))
				break;
			continue;
		}
		if (pump->modest_until_ns && rt_now_ns() >= pump->modest_until_ns)
			be_modest_no_more(pump);
		volume_get_counters(pump->volume, &counters);
		rc = volume_send_next(pump->volume, RUN_MAX, &run);
		pump->state.disk_error = rc == -EIO ? rc : 0;
		if (!rc && !run) {
			if (wait_changed(pump))
				break;
			continue;
		}
		if (!rc)
			rc = send_run(pump, run, counters.noted);
		if (rc)
			wait_after(pump, rc);
	}
}

int pump_start(const struct pump_config *config, struct pump **out)
{
	struct pump *pump = mem_alloc_zeroed(sizeof(*pump));
	int rc;

	assert(rt_here() == volume_reactor(config->volume) && volume_is_tracked(config->volume));
	if (!pump)
		return -ENOMEM;
	pump->config = *config;
	pump->volume = config->volume;
	pump->channel = link_channel_here(config->link);
	link_acks_init(&pump->acks);
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

/*
 * False: nothing is under way any more. *send is the next that is done; NULL when that took too long, and the
 * connection is broken for it.
 */
static bool wait_frame(struct pump *pump, int64_t until_ns, struct link_send **send)
{
	RT_LIMIT(until_ns);

	if (!link_acks_wait(&pump->acks, send))
		return *send;
	link_channel_break(pump->channel);
	return true;
}

void pump_stop(struct pump *pump)
{
	struct link_send *send;
	int64_t until_ns;
	RT_SHIELD();

	if (!pump)
		return;
	rt_group_stop(&pump->fibers);
	/* What the link still has comes back: acknowledged, or broken with its connection. */
	until_ns = rt_now_ns() + ACK_NS;
	while (wait_frame(pump, until_ns, &send)) {
		if (send)
			finish_frame(pump, container_of(send, struct pump_frame, send));
		else
			until_ns = RT_NEVER;
	}
	be_modest_no_more(pump);
	mem_free(pump);
}

void pump_join(struct pump *pump, uint8_t session)
{
	pump->config.session = session;
	pump->config.journal = true;
}

void pump_far_restarted(struct pump *pump, const uint8_t far_boot_id[WIRE_ID_SIZE])
{
	memcpy(pump->config.far_boot_id, far_boot_id, WIRE_ID_SIZE);
	volume_resend_open(pump->volume);
}

bool pump_is_refused(const struct pump *pump)
{
	return pump->state.far_error == -ESTALE || pump->state.far_error == -EPERM;
}

void pump_get_state(const struct pump *pump, struct pump_state *state)
{
	*state = pump->state;
}
