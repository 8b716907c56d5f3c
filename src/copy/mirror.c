/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/mirror.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/planted.h"
#include "volume/mirror.h"

#define ROOM_NS		(10 * RT_SECOND)	/* for the far side's window */
#define ACK_NS		(10 * RT_SECOND)	/* for its acknowledgement: it may be reached, and its disk hang */
#define FLUSH_NS	(20 * RT_SECOND)	/* for its disk */
#define SETTLE_NS	(2 * RT_SECOND)		/* what is acknowledged is made durable there so late: hosts feel it */
#define ARREARS_NS	(10 * RT_SECOND)	/* for what the pump has to bring there first */

struct mirror {
	struct volume_mirror in_volume;
	struct mirror_config config;
	struct link_channel *channel;
	int error;				/* why it is broken */
	bool filled;				/* full, since the far side had all of it; not for being critical */

	unsigned flying;			/* writes under way */
	struct rt_cond landed;			/* there is none */
	uint64_t acked;				/* writes that the far side has taken */
	uint64_t flush_wanted, flushed;		/* of these, to be made durable there; that are */
	struct rt_cond flush_asked, flush_done;
	int64_t settle_ns;			/* when what was acknowledged is made durable */
	struct rt_group fibers;			/* the one that flushes */

	uint64_t round;				/* times that those who had given up were told what becomes of them */
	int round_error;
	struct rt_cond told;
	bool stopping;				/* and stop_error is what becomes of them */
	int stop_error;
};

static struct mirror *mirror_of(struct volume_mirror *in_volume)
{
	return container_of(in_volume, struct mirror, in_volume);
}

/* ---- the end of it ---- */

static void ask_above(struct mirror *mirror)
{
	*mirror->config.is_broken = true;
	notice_give(mirror->config.broken);
}

/* One that only follows has promised nothing: what did not get there is left to the pump. */
static void fail(struct mirror *mirror, int error)
{
	if (mirror->in_volume.held || !mirror->in_volume.full)
		return;
	log_line(LOG_WARNING, "pair", "volume %04X: a write did not get to the far side: %s",
		 volume_id(volume_of_target(mirror->config.volume_target)), strerror(-error));
	mirror->error = error;
	mirror_break(mirror);
}

void mirror_break(struct mirror *mirror)
{
	volume_hold_mirror(mirror->config.volume_target, &mirror->in_volume, mirror->config.critical ? -EIO : 0);
	rt_cond_wake_all(&mirror->flush_done);
	ask_above(mirror);
}

static void tell(struct mirror *mirror, int error)
{
	mirror->round++;
	mirror->round_error = error;
	rt_cond_wake_all(&mirror->told);
}

void mirror_freeze(struct mirror *mirror)
{
	mirror->in_volume.full = true;
	volume_hold_mirror(mirror->config.volume_target, &mirror->in_volume, 0);
	rt_cond_wake_all(&mirror->flush_done);
}

void mirror_go_on(struct mirror *mirror)
{
	volume_unhold_mirror(mirror->config.volume_target, &mirror->in_volume);
	tell(mirror, -EAGAIN);
}

void mirror_rearm(struct mirror *mirror, const uint8_t far_boot_id[WIRE_ID_SIZE])
{
	if (!mirror->in_volume.held || !mirror->config.critical)
		return;
	memcpy(mirror->config.far_boot_id, far_boot_id, WIRE_ID_SIZE);
	volume_unhold_mirror(mirror->config.volume_target, &mirror->in_volume);
	mirror->error = 0;
	mirror->filled = false;
}

void mirror_refuse_waiters(struct mirror *mirror, int error)
{
	tell(mirror, error);
}

void mirror_unfill(struct mirror *mirror)
{
	mirror->in_volume.full = mirror->config.critical;
	mirror->filled = false;
	volume_unhold_mirror(mirror->config.volume_target, &mirror->in_volume);
	mirror->error = 0;
	tell(mirror, 0);
}

void mirror_far_restarted(struct mirror *mirror, const uint8_t far_boot_id[WIRE_ID_SIZE])
{
	if (!mirror->filled)
		memcpy(mirror->config.far_boot_id, far_boot_id, WIRE_ID_SIZE);
}

static int give_up(struct volume_mirror *in_volume)
{
	struct mirror *mirror = mirror_of(in_volume);
	uint64_t round = mirror->round;
	int rc = 0;

	fail(mirror, -ETIMEDOUT);
	if (mirror->stopping)
		return mirror->stop_error;
	if (in_volume->refuse)
		return in_volume->refuse;
	if (planted(PLANTED_SYNC_SUSPENDED_LATE) || !in_volume->full)
		return 0;
	/* Also when it is broken for long: what could not be made durable is tried again. */
	ask_above(mirror);
	while (!rc && round == mirror->round)
		rc = rt_cond_wait(&mirror->told);
	return rc ? rc : mirror->round_error;
}

/* ---- writes ---- */

struct sending {
	struct link_send send;
	struct link_acks acks;
};

static void land(struct mirror *mirror)
{
	assert(mirror->flying > 0);
	if (--mirror->flying == 0)
		rt_cond_wake_all(&mirror->landed);
}

void mirror_wait_landed(struct mirror *mirror)
{
	RT_SHIELD();

	while (mirror->flying) {
		int rc = rt_cond_wait(&mirror->landed);

		assert(!rc);
	}
}

static int begin(struct volume_mirror *in_volume, struct volume_mirror_write *write)
{
	struct mirror *mirror = mirror_of(in_volume);
	struct sending *sending = mem_alloc_zeroed(sizeof(*sending));
	int rc = sending ? 0 : -ENOMEM;

	if (!rc) {
		RT_SHIELD();
		RT_LIMIT(rt_now_ns() + ROOM_NS);

		sending->send = (struct link_send){
			.volume = mirror->config.target, .zero = !write->buf,
			.tag = volume_open_number(mirror->config.volume_target), .offset = write->offset,
			.len = (uint32_t)write->len, .data = write->buf,
		};
		link_acks_init(&sending->acks);
		mirror->flying++;
		/* A host waits for it: it gives way to nobody. */
		rc = pace_pass(mirror->config.limit, link_send_bytes(&sending->send), false);
		if (!rc)
			rc = link_data_send(mirror->channel, &sending->send, &sending->acks);
	}
	if (rc && sending)
		land(mirror);
	if (rc) {
		mem_free(sending);
		fail(mirror, rc);
		return rc;
	}
	write->handle = sending;
	return 0;
}

/* The frame is done when this returns, and its memory nobody's but ours. */
static int wait_done(struct mirror *mirror, struct sending *sending)
{
	struct link_send *done;
	int rc;
	RT_SHIELD();

	{
		RT_LIMIT(rt_now_ns() + ACK_NS);

		rc = link_acks_wait(&sending->acks, &done);
	}
	if (rc) {
		link_channel_break(mirror->channel);
		rc = link_acks_wait(&sending->acks, &done);
		assert(!rc && done);
		return -ETIMEDOUT;
	}
	assert(done == &sending->send);
	if (memcmp(done->far_boot_id, mirror->config.far_boot_id, WIRE_ID_SIZE) != 0)
		return -ECONNRESET;
	return done->error;
}

static int end(struct volume_mirror *in_volume, struct volume_mirror_write *write)
{
	struct mirror *mirror = mirror_of(in_volume);
	struct pump_totals *totals = mirror->config.totals;
	int rc = wait_done(mirror, write->handle);

	mem_free(write->handle);
	land(mirror);
	if (rc) {
		fail(mirror, rc);
		return rc;
	}
	mirror->acked++;
	totals->sent_bytes += write->len;
	if (totals->followed < write->noted)
		totals->followed = write->noted;
	if (mirror->settle_ns == RT_NEVER) {
		mirror->settle_ns = rt_now_ns() + SETTLE_NS;
		rt_cond_wake_all(&mirror->flush_asked);
	}
	return 0;
}

/* ---- flush: many share one ---- */

struct flush_order {
	struct mirror *mirror;
	struct wire_volumes_sync request;
	struct wire_volumes_sync_reply reply;
};

static int do_flush(void *arg)
{
	struct flush_order *order = arg;

	return link_request(order->mirror->config.link, WIRE_VOLUMES_SYNC, &order->request, &order->reply, NULL, NULL);
}

static int ask_flush(struct mirror *mirror)
{
	struct flush_order order = { .mirror = mirror };
	int rc;
	RT_LIMIT(rt_now_ns() + FLUSH_NS);

	order.request.targets.ids = &mirror->config.target;
	order.request.targets.count = 1;
	rc = rt_call(rt_reactor(0), do_flush, &order);
	if (rc)
		return rc;
	/* The word of another start of the far side says nothing about what this one acknowledged. */
	if (memcmp(order.reply.boot_id, mirror->config.far_boot_id, WIRE_ID_SIZE) != 0)
		rc = -ECONNRESET;
	else if (order.reply.failed.count)
		rc = -EIO;
	link_reply_free(WIRE_VOLUMES_SYNC, &order.reply);
	return rc;
}

/* For a flush, or until it is time without one. */
static void wait_asked(struct mirror *mirror)
{
	RT_LIMIT(mirror->settle_ns);
	int rc = rt_cond_wait(&mirror->flush_asked);

	assert(!rc || rc == -ETIMEDOUT || rc == -ECANCELED);
}

static void run_flusher(void *arg)
{
	struct mirror *mirror = arg;

	while (!rt_cancelled()) {
		uint64_t acked = mirror->acked;
		int rc;

		if (rt_now_ns() >= mirror->settle_ns) {
			mirror->settle_ns = RT_NEVER;
			notice_give(mirror->config.acked);
		}
		if (mirror->flush_wanted <= mirror->flushed || mirror->in_volume.held) {
			wait_asked(mirror);
			continue;
		}
		rc = ask_flush(mirror);
		if (rc) {
			fail(mirror, rc);
			mirror->flush_wanted = mirror->flushed;
		} else {
			mirror->flushed = acked;
		}
		rt_cond_wake_all(&mirror->flush_done);
	}
}

static uint64_t begin_flush(struct volume_mirror *in_volume)
{
	struct mirror *mirror = mirror_of(in_volume);

	mirror->flush_wanted = mirror->acked;
	rt_cond_wake_all(&mirror->flush_asked);
	return mirror->acked;
}

static int end_flush(struct volume_mirror *in_volume, uint64_t ticket)
{
	struct mirror *mirror = mirror_of(in_volume);
	int rc = 0;

	while (!rc && mirror->flushed < ticket) {
		if (in_volume->held || mirror->flush_wanted < ticket)
			return -EIO;
		rc = rt_cond_wait(&mirror->flush_done);
	}
	return rc;
}

static const struct volume_mirror_ops ops = {
	.begin = begin, .end = end, .give_up = give_up, .begin_flush = begin_flush, .end_flush = end_flush,
};

/* ---- life ---- */

int mirror_start(const struct mirror_config *config, struct mirror **out)
{
	struct mirror *mirror = mem_alloc_zeroed(sizeof(*mirror));
	int rc;

	assert(rt_here() == volume_reactor(volume_of_target(config->volume_target)));
	if (!mirror)
		return -ENOMEM;
	mirror->config = *config;
	mirror->channel = link_channel_here(config->link);
	volume_mirror_init(&mirror->in_volume, &ops, ARREARS_NS);
	mirror->settle_ns = RT_NEVER;
	rt_cond_init(&mirror->flush_asked);
	rt_cond_init(&mirror->flush_done);
	rt_cond_init(&mirror->told);
	rt_cond_init(&mirror->landed);
	mirror->in_volume.full = config->critical;
	rt_group_init(&mirror->fibers);
	rc = rt_group_start(&mirror->fibers, "mirror flush", run_flusher, mirror);
	if (rc) {
		mem_free(mirror);
		return rc;
	}
	volume_set_mirror(config->volume_target, &mirror->in_volume);
	*out = mirror;
	return 0;
}

void mirror_let_go(struct mirror *mirror, int error)
{
	mirror->stopping = true;
	mirror->stop_error = error;
	volume_set_mirror(mirror->config.volume_target, NULL);
	volume_hold_mirror(mirror->config.volume_target, &mirror->in_volume, 0);
	rt_cond_wake_all(&mirror->flush_done);
	tell(mirror, error);
}

void mirror_stop(struct mirror *mirror, int error)
{
	RT_SHIELD();

	if (!mirror)
		return;
	if (!mirror->stopping)
		mirror_let_go(mirror, error);
	while (mirror->in_volume.users) {
		int rc = rt_cond_wait(&mirror->in_volume.unused);

		assert(!rc);
	}
	rt_group_stop(&mirror->fibers);
	mem_free(mirror);
}

bool mirror_fill(struct mirror *mirror)
{
	mirror->filled = volume_fill_mirror(mirror->config.volume_target, &mirror->in_volume);
	return mirror->filled;
}

void mirror_get_state(const struct mirror *mirror, struct mirror_state *state)
{
	*state = (struct mirror_state){
		.full = mirror->in_volume.full, .broken = mirror->in_volume.held,
		.waiting = mirror->in_volume.users, .error = mirror->error,
	};
	memcpy(state->far_boot_id, mirror->config.far_boot_id, WIRE_ID_SIZE);
}
