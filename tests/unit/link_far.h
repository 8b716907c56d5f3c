/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link_far.h - for tests of the link: a simulated system "far" that answers, with handlers that note what they were
 * asked. The tests dial from the scenario's own system.
 */
#ifndef XDC_TESTS_LINK_FAR_H
#define XDC_TESTS_LINK_FAR_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/link_server.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"

#define FAR_ADDRESS	"far:7000"
#define FAR_ID		"2105.FB230"
#define NEAR_ID		"2105.FA120"
#define FAR_FRAMES_MAX	4096u

/* What a volume id asks of the handlers: how long they take, and what they answer. */
enum far_volume {
	FAR_QUICK = 1,		/* at once */
	FAR_SLOW = 2,		/* up to 3 ms */
	FAR_NEVER = 3,		/* only when it is cancelled */
	FAR_FULL = 4,		/* -ENOSPC, and a sentence */
	FAR_STUBBORN = 5,	/* 2 s, whatever happens */
};

struct far_frame {
	struct wire_data frame;
	uint64_t generation;
	uint8_t first_byte, last_byte;
};

static struct {
	struct link_server *server;
	struct rt_listener *listener;
	struct rt_group group;
	uint8_t boot_id[WIRE_ID_SIZE];
	uint32_t window_frames, window_bytes, requests_max;	/* set by the test before it boots; 0: default */
	const char *identity;
	unsigned running, requests_done, cancelled;
	uint64_t newest_generation;	/* that any data came of */
	unsigned late_frames;		/* handled, of an older one, after that */
	unsigned frame_count;
	struct far_frame frames[FAR_FRAMES_MAX];
} far;

static int far_wait(uint16_t volume)
{
	int64_t now = rt_now_ns();
	int rc = 0;

	if (volume == FAR_SLOW)
		rc = rt_sleep_until(now + (int64_t)(rt_random_u64() % (3 * RT_MS)));
	if (volume == FAR_NEVER)
		rc = rt_sleep_until(now + 1000000 * RT_SECOND);
	if (volume == FAR_STUBBORN) {
		RT_SHIELD();
		rc = rt_sleep_until(now + 2 * RT_SECOND);
	}
	if (rc == -ECANCELED)
		far.cancelled++;
	return volume == FAR_FULL ? -ENOSPC : rc;
}

static int far_show(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	struct wire_system_reply *out = reply;

	(void)arg, (void)request, (void)why;
	CHECK(!strcmp(peer->system, NEAR_ID));
	memcpy(out->boot_id, far.boot_id, sizeof(out->boot_id));
	snprintf(out->version, sizeof(out->version), "%s", "0.1");
	far.requests_done++;
	return 0;
}

static int far_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_pair_request *in = request;
	struct wire_pair_reply *out = reply;
	int rc;

	(void)arg, (void)peer;
	far.running++;
	rc = far_wait(in->target_volume);
	far.running--;
	if (rc)
		snprintf(why, WIRE_TEXT_SIZE, "volume %u is full", in->target_volume);
	out->size_bytes = in->source_volume;
	far.requests_done++;
	return rc;
}

/* Answers with a list, as long as it was asked for. */
static int far_sync(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why)
{
	const struct wire_volumes_sync *in = request;
	struct wire_volumes_sync_reply *out = reply;

	(void)arg, (void)peer, (void)why;
	if (!in->targets.count)
		return 0;
	out->failed.ids = mem_alloc(in->targets.count * sizeof(uint16_t));
	if (!out->failed.ids)
		return -ENOMEM;
	out->failed.count = in->targets.count;
	memcpy(out->failed.ids, in->targets.ids, in->targets.count * sizeof(uint16_t));
	return 0;
}

static int far_data(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data)
{
	struct far_frame *note;
	int rc;

	(void)arg;
	if (peer->generation > far.newest_generation)
		far.newest_generation = peer->generation;
	far.running++;
	rc = far_wait(frame->volume);
	far.running--;
	if (peer->generation < far.newest_generation)
		far.late_frames++;
	if (rc)
		return rc;
	note = &far.frames[far.frame_count++ % FAR_FRAMES_MAX];
	*note = (struct far_frame){ .frame = *frame, .generation = peer->generation };
	if (*data) {
		note->first_byte = *(uint8_t *)*data;
		note->last_byte = ((uint8_t *)*data)[frame->raw_bytes - 1];
	}
	return 0;
}

/* The far side has nothing but bytes of 0x11, and zeros from 64 KiB on. */
static int far_compare(void *arg, const struct link_peer *peer, const struct wire_data *frame, const uint8_t *sums,
		       uint8_t same[WIRE_SAME_MAX])
{
	MEM_OWNED uint8_t *image = mem_alloc_zeroed(frame->raw_bytes);
	int rc = far_wait(frame->volume);

	(void)arg, (void)peer;
	if (!image || rc)
		return rc ? rc : -ENOMEM;
	for (uint64_t i = 0; i < frame->raw_bytes; i++)
		image[i] = frame->offset + i < 65536 ? 0x11 : 0;
	wire_compare(sums, image, frame->raw_bytes, same);
	return 0;
}

static const struct link_handler far_handlers[] = {
	{ WIRE_SYSTEM_SHOW, far_show },
	{ WIRE_PAIR_STATUS, far_status },
	{ WIRE_VOLUMES_SYNC, far_sync },
	{ 0, NULL },
};

/* A test may put others in their place before it boots. */
static const struct link_handler *far_handlers_now = far_handlers;

static void far_serve(void *stream)
{
	link_server_serve(far.server, stream, far.identity);
}

static void far_accept(void *arg)
{
	struct rt_stream *stream;
	int rc = 0;

	(void)arg;
	while (rc != -ECANCELED) {
		rc = rt_accept(far.listener, &stream);
		if (!rc && rt_group_start(&far.group, "serve", far_serve, stream))
			rt_stream_close(stream);
	}
}

static int far_main(void *arg)
{
	struct link_server_config config = {
		.own = FAR_ID, .handlers = far_handlers_now, .data = far_data, .compare = far_compare,
		.timing = link_timing_default,
		.window_frames = far.window_frames, .window_bytes = far.window_bytes,
		.requests_max = far.requests_max,
	};
	struct rt_group accepting;
	int rc;

	(void)arg;
	rt_random_bytes(far.boot_id, sizeof(far.boot_id));
	memcpy(config.boot_id, far.boot_id, sizeof(config.boot_id));
	CHECK_EQUAL(link_server_start(&config, &far.server), 0);
	CHECK_EQUAL(rt_listen(FAR_ADDRESS, &far.listener), 0);
	rt_group_init(&far.group);
	rt_group_init(&accepting);
	CHECK_EQUAL(rt_group_start(&accepting, "accept", far_accept, NULL), 0);
	rc = rt_wait_stop();
	CHECK_EQUAL(rc, 0);
	rt_group_stop(&accepting);
	rt_listener_close(far.listener);
	link_server_stop(far.server);
	far.server = NULL;
	rt_group_stop(&far.group);
	return 0;
}

/* ---- dialing by hand ---- */

static inline struct wire_hello near_hello(uint64_t generation)
{
	struct wire_hello hello = {
		.version_min = 1, .version_max = 1, .from = NEAR_ID, .to = FAR_ID, .kind = WIRE_KIND_DATA,
		.generation = generation, .idle_ms = 10000,
	};

	return hello;
}

/* Greets by hand. The stream is open afterwards, whatever the answer was. */
static inline int greet(const struct wire_hello *hello, struct rt_stream **stream, struct wire_refused *refused)
{
	struct wire_welcome welcome;
	uint8_t bytes[WIRE_ANSWER_SIZE];

	CHECK_EQUAL(rt_connect(FAR_ADDRESS, stream), 0);
	wire_put_hello(bytes, hello);
	CHECK_EQUAL(rt_stream_write(*stream, &(struct iovec){ bytes, WIRE_HELLO_SIZE }, 1), 0);
	CHECK_EQUAL(rt_stream_read_full(*stream, bytes, sizeof(bytes)), 0);
	return wire_get_answer(bytes, &welcome, refused);
}

#endif
