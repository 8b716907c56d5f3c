/* SPDX-License-Identifier: Apache-2.0 */
/* The control half of a link: requests and their replies, events. The data half is link_channel.c. */
#include "copy/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/link_private.h"
#include "rt/crc32c.h"
#include "rt/log.h"
#include "rt/mem.h"

#define READ_BUFFER_BYTES	(16u << 10)
#define EVENTS_MAX		256u

/* ---- requests ---- */

struct request {
	struct list_head link;
	uint64_t id;
	const struct wire_type *type;
	void *reply;
	bool is_done, answered;
	int error;
	char why[WIRE_TEXT_SIZE];
	struct rt_cond done;
};

static void finish_request(struct request *request, int error)
{
	request->is_done = true;
	request->error = error;
	list_remove(&request->link);
	rt_cond_wake_all(&request->done);
}

static struct request *find_request(struct link *link, uint64_t id)
{
	struct request *request;

	list_for_each(request, &link->requests, link) {
		if (request->id == id)
			return request;
	}
	return NULL;
}

/*
 * Waits until the peer takes one more. The connection may be another afterwards: then nothing was sent over this one.
 */
static int wait_for_room(struct link *link)
{
	uint64_t generation = link->control.state.generation;
	int rc = 0;

	while (!rc) {
		if (!link_end_conn(&link->control) || link->control.state.generation != generation)
			return -ENOTCONN;
		if (link->outstanding < link->control.welcome.requests_max)
			return 0;
		rc = rt_cond_wait(&link->room);
	}
	return rc;
}

static int queue_request(struct link *link, struct request *request, const void *message)
{
	struct wire_control control = { .kind = WIRE_REQUEST, .type = request->type->number };
	struct link_conn *conn;
	uint8_t header[WIRE_CONTROL_SIZE], *payload;
	size_t len;
	int rc = wire_encode(request->type->request, message, &payload, &len);

	if (rc)
		return rc;
	rc = wait_for_room(link);
	if (!rc) {
		conn = link_end_conn(&link->control);
		request->id = control.id = ++link->last_id;
		control.payload_bytes = (uint32_t)len;
		control.payload_crc = crc32c(0, payload, len);
		wire_put_control(header, &control);
		rc = link_conn_queue_frame(conn, header, sizeof(header), payload, len);
	}
	if (rc) {
		mem_free(payload);
		return rc;
	}
	list_add_last(&link->requests, &request->link);
	link->outstanding++;
	link_conn_begin_wait(conn);
	return 0;
}

static void abandon_request(struct link *link, struct request *request)
{
	if (request->is_done)
		return;
	link->abandoned++;
	list_remove(&request->link);
}

static void say_not_connected(const struct link *link, char *why)
{
	const char *text = link->control.state.last_error_text;
	int len = snprintf(why, WIRE_TEXT_SIZE, "%s is not connected", link->config.peer);

	if (*text)
		snprintf(why + len, WIRE_TEXT_SIZE - (size_t)len, ": %s", text);
}

int link_request(struct link *link, uint16_t type, const void *request, void *reply, char *why, bool *answered)
{
	struct request one = { .type = wire_type_find(type), .reply = reply };
	int rc;

	assert(rt_here() == link->reactor && one.type && one.type->reply);
	list_init(&one.link);
	rt_cond_init(&one.done);
	rc = queue_request(link, &one, request);
	if (!rc) {
		while (!one.is_done && !rc)
			rc = rt_cond_wait(&one.done);
		if (one.is_done)
			rc = one.error;
		else
			abandon_request(link, &one);
	}
	if (answered)
		*answered = one.answered;
	if (why) {
		memcpy(why, one.why, sizeof(one.why));
		if (rc == -ENOTCONN && !one.answered)
			say_not_connected(link, why);
		else if (rc && !*why)
			snprintf(why, WIRE_TEXT_SIZE, "%s: %s: %s", link->config.peer, one.type->name, strerror(-rc));
	}
	return rc;
}

void link_reply_free(uint16_t type, void *reply)
{
	const struct wire_type *found = wire_type_find(type);

	assert(found && found->reply);
	wire_free(found->reply, reply);
}

/* ---- what arrives ---- */

static int take_reply(struct link *link, const struct wire_control *control, const uint8_t *payload)
{
	struct request *request = find_request(link, control->id);
	char why[WIRE_TEXT_SIZE];
	size_t used;
	int error, rc;

	if (!request && !link->abandoned)
		return -EBADMSG;
	rc = wire_get_outcome(payload, control->payload_bytes, &error, why, &used);
	if (rc)
		return rc;
	link->outstanding--;
	link_conn_end_wait(link->control.conn);
	rt_cond_wake_one(&link->room);
	if (!request) {
		link->abandoned--;
		return 0;
	}
	if (control->type != request->type->number)
		return -EBADMSG;
	request->answered = true;
	memcpy(request->why, why, sizeof(why));
	if (!error) {
		rc = wire_decode(request->type->reply, payload + used, control->payload_bytes - used, request->reply);
		error = rc;
	}
	finish_request(request, error);
	return rc == -EBADMSG ? rc : 0;
}

struct event {
	struct list_head link;
	const struct wire_type *type;
	uint64_t message[];
};

/* Events are hints, for which the receiver has a slower way: what does not fit is dropped. */
static int take_event(struct link *link, const struct wire_control *control, const uint8_t *payload)
{
	const struct wire_type *type = wire_type_find(control->type);
	struct event *event;
	int rc;

	if (!type || type->reply)
		return -EBADMSG;
	if (!link->config.event)
		return 0;
	event = link->event_count < EVENTS_MAX ? mem_alloc(sizeof(*event) + wire_struct_size(type->request)) : NULL;
	if (!event) {
		log_line(LOG_WARNING, "link", "event %s of %s is dropped", type->name, link->config.peer);
		return 0;
	}
	event->type = type;
	rc = wire_decode(type->request, payload, control->payload_bytes, event->message);
	if (rc) {
		mem_free(event);
		return rc;
	}
	list_add_last(&link->events, &event->link);
	link->event_count++;
	rt_cond_wake_one(&link->events_changed);
	return 0;
}

static int take_frame(struct link *link, const struct wire_control *control, const uint8_t *payload)
{
	switch (control->kind) {
	case WIRE_REPLY:
		return take_reply(link, control, payload);
	case WIRE_EVENT:
		return take_event(link, control, payload);
	case WIRE_PING:
		link_conn_got_ping(link->control.conn, control->id);
		return 0;
	case WIRE_PONG:
		link_conn_got_pong(link->control.conn);
		return 0;
	default:
		return -EBADMSG;
	}
}

static int read_frame(struct link *link)
{
	struct link_conn *conn = link->control.conn;
	uint8_t header[WIRE_CONTROL_SIZE];
	struct wire_control control;
	MEM_OWNED uint8_t *payload = NULL;
	int rc = link_conn_read(conn, header, sizeof(header));

	if (!rc)
		rc = wire_get_control(header, &control);
	if (rc)
		return rc;
	payload = mem_alloc(control.payload_bytes ? control.payload_bytes : 1);
	if (!payload)
		return -ENOMEM;
	rc = link_conn_read(conn, payload, control.payload_bytes);
	if (!rc && control.payload_crc != crc32c(0, payload, control.payload_bytes))
		rc = -EBADMSG;
	return rc ? rc : take_frame(link, &control, payload);
}

static void run_reader(void *arg)
{
	struct link *link = arg;
	struct link_conn *conn = link->control.conn;
	int rc = 0;

	while (!conn->down && !rc)
		rc = read_frame(link);
	if (rc)
		link_conn_fail(conn, rc, "receiving from %s: %s", link->config.peer, strerror(-rc));
}

static void deliver_events(void *arg)
{
	struct link *link = arg;
	int rc = 0;

	while (!rc) {
		struct event *event;

		if (list_empty(&link->events)) {
			rc = rt_cond_wait(&link->events_changed);
			continue;
		}
		event = list_first(&link->events, struct event, link);
		list_remove(&event->link);
		link->event_count--;
		link->config.event(link->config.event_arg, link, event->type->number, event->message);
		wire_free(event->type->request, event->message);
		mem_free(event);
	}
}

/* ---- the connection ---- */

/* Runs fn on every reactor, in order, up to the first error. */
static int on_each_reactor(struct link *link, int (*fn)(void *arg), void *arg)
{
	int rc = 0;

	for (unsigned i = 0; i < link->channel_count && !rc; i++)
		rc = rt_call(rt_reactor(i), fn, arg);
	return rc;
}

/* The peer is there: no reason to wait any longer. */
static int kick_channel(void *arg)
{
	struct link *link = arg;
	struct link_channel *channel = link_channel_here(link);

	if (channel)
		link_channel_kick(channel, NULL);
	return 0;
}

static void serve_control(struct link_end *end)
{
	struct link *link = container_of(end, struct link, control);
	int rc = on_each_reactor(link, kick_channel, link);

	assert(!rc);
	link_conn_run(end->conn, run_reader, link);
	while (!list_empty(&link->requests))
		finish_request(list_first(&link->requests, struct request, link), -ENOTCONN);
	link->outstanding = 0;
	link->abandoned = 0;
	rt_cond_wake_all(&link->room);
}

/* ---- the link ---- */

int link_open(const struct link_config *config, struct link **out)
{
	unsigned count = rt_reactor_count();
	struct link *link;
	int rc;

	assert(rt_reactor_index(rt_here()) == 0);
	assert(wire_is_system(config->own) && wire_is_system(config->peer));
	link = mem_alloc_zeroed(sizeof(*link) + count * sizeof(link->channels[0]));
	if (!link)
		return -ENOMEM;
	link->config = *config;
	link->reactor = rt_here();
	link->channel_count = count;
	link->control.config = &link->config;
	link->control.kind = WIRE_KIND_CONTROL;
	link->control.in_size = READ_BUFFER_BYTES;
	link->control.serve = serve_control;
	list_init(&link->requests);
	list_init(&link->events);
	rt_cond_init(&link->room);
	rt_cond_init(&link->events_changed);
	rt_group_init(&link->group);
	rc = config->event ? rt_group_start(&link->group, "link events", deliver_events, link) : 0;
	if (!rc)
		rc = link_end_start(&link->control, config->address);
	if (rc) {
		rt_group_stop(&link->group);
		mem_free(link);
		return rc;
	}
	*out = link;
	return 0;
}

static int hang_up_channel(void *arg)
{
	struct link *link = arg;
	struct link_channel *channel = link_channel_here(link);

	if (channel)
		link_channel_stop(channel);
	return 0;
}

void link_hang_up(struct link *link)
{
	int rc;
	RT_SHIELD();

	assert(rt_here() == link->reactor);
	rc = on_each_reactor(link, hang_up_channel, link);
	assert(!rc);
	link_end_stop(&link->control);
}

static int destroy_channel(void *arg)
{
	struct link *link = arg;
	struct link_channel *channel = link_channel_here(link);

	link->channels[rt_reactor_index(rt_here())] = NULL;
	if (channel)
		link_channel_destroy(channel);
	return 0;
}

void link_close(struct link *link)
{
	RT_SHIELD();
	struct event *event, *tmp;
	int rc;

	if (!link)
		return;
	assert(rt_here() == link->reactor);
	rc = on_each_reactor(link, destroy_channel, link);
	assert(!rc);
	link_end_stop(&link->control);
	rt_group_stop(&link->group);
	list_for_each_safe(event, tmp, &link->events, link) {
		wire_free(event->type->request, event->message);
		mem_free(event);
	}
	mem_free(link);
}

/* What the reactors of the channels are told; with a copy of the address, which is the first reactor's. */
struct channel_order {
	struct link *link;
	char address[WIRE_ADDRESS_SIZE];	/* empty: as before */
};

static int start_channel(void *arg)
{
	struct channel_order *order = arg;
	struct link_channel *channel;
	int rc;

	if (link_channel_here(order->link))
		return 0;
	rc = link_channel_create(&order->link->config, order->address, &channel);
	if (!rc)
		order->link->channels[rt_reactor_index(rt_here())] = channel;
	return rc;
}

int link_start_data(struct link *link)
{
	struct channel_order order = { .link = link };
	RT_SHIELD();

	assert(rt_here() == link->reactor);
	memcpy(order.address, link->control.address, sizeof(order.address));
	return on_each_reactor(link, start_channel, &order);
}

static int kick_here(void *arg)
{
	const struct channel_order *order = arg;
	const char *address = *order->address ? order->address : NULL;
	struct link_channel *channel = link_channel_here(order->link);

	if (rt_here() == order->link->reactor)
		link_end_kick(&order->link->control, address);
	if (channel)
		link_channel_kick(channel, address);
	return 0;
}

/* Where it is no longer to be found it must not seem to be connected. */
static int leave_old_address(void *arg)
{
	struct link *link = arg;
	struct link_channel *channel = link_channel_here(link);

	if (rt_here() == link->reactor)
		link_end_leave(&link->control);
	if (channel)
		link_channel_leave(channel);
	return 0;
}

void link_move(struct link *link, const char *address)
{
	RT_SHIELD();
	int rc;

	link_kick(link, address);
	rc = on_each_reactor(link, leave_old_address, link);
	assert(!rc);
}

void link_kick(struct link *link, const char *address)
{
	struct channel_order order = { .link = link };
	RT_SHIELD();
	int rc;

	assert(!address || strlen(address) < sizeof(order.address));
	if (address)
		memcpy(order.address, address, strlen(address) + 1);
	rc = on_each_reactor(link, kick_here, &order);
	assert(!rc);
}

struct link_channel *link_channel_here(struct link *link)
{
	return link->channels[rt_reactor_index(rt_here())];
}

void link_get_state(const struct link *link, struct link_state *state)
{
	assert(rt_here() == link->reactor);
	link_end_get_state(&link->control, state);
	for (unsigned i = 0; i < link->channel_count; i++) {
		const struct link_channel *channel = link->channels[i];

		if (!channel)
			continue;
		state->sent_bytes += link_channel_traffic(channel)->sent_bytes;
		state->received_bytes += link_channel_traffic(channel)->received_bytes;
	}
}

const struct link_config *link_get_config(const struct link *link)
{
	return &link->config;
}

struct rt_cond *link_changed(struct link *link)
{
	return &link->control.changed;
}
