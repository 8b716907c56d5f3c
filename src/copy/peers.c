/* SPDX-License-Identifier: Apache-2.0 */
/* Links by system: dialled when first needed, and closed with their last user. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/engine.h"
#include "rt/log.h"
#include "rt/mem.h"

static struct peer *find_peer(struct copy *copy, const char *system)
{
	struct peer *peer;

	list_for_each(peer, &copy->peers, link) {
		if (!strcmp(peer->system, system))
			return peer;
	}
	return NULL;
}

static int start_sync(struct peer *peer)
{
	notice_board_init(&peer->acked);
	peer->notices = mem_alloc_zeroed(rt_reactor_count() * sizeof(peer->notices[0]));
	if (!peer->notices)
		return -ENOMEM;
	for (unsigned i = 0; i < rt_reactor_count(); i++)
		notice_init(&peer->notices[i], &peer->acked);
	return rt_group_start(&peer->watch, "peer sync", peer->copy->above->sync_peer, peer);
}

static int dial(struct peer *peer, const char *address, bool compress)
{
	const struct copy_config *config = &peer->copy->config;
	struct link_config to = {
		.zstd = compress, .wrap = config->wrap, .wrap_arg = config->wrap_arg, .timing = config->timing,
	};
	int rc;

	snprintf(to.own, sizeof(to.own), "%s", config->system);
	snprintf(to.peer, sizeof(to.peer), "%s", peer->system);
	snprintf(to.address, sizeof(to.address), "%s", address);
	memcpy(to.boot_id, config->boot_id, WIRE_ID_SIZE);
	to.event = peer->copy->above->on_event;
	to.event_arg = peer->copy;
	rc = link_open(&to, &peer->to);
	if (rc)
		return rc;
	rc = link_start_data(peer->to);
	if (!rc)
		rc = rt_group_start(&peer->watch, "peer watch", peer->copy->above->watch_peer, peer);
	if (!rc)
		rc = start_sync(peer);
	if (!rc)
		rc = rt_group_start(&peer->watch, "peer news", peer_news_run, peer);
	if (rc) {
		rt_group_stop(&peer->watch);
		link_close(peer->to);
		mem_free(peer->notices);
	}
	return rc;
}

static struct peer *get(struct copy *copy, const char *system, const char *address, bool compress)
{
	struct peer *peer = find_peer(copy, system);
	struct link_state state;

	if (peer) {
		peer->uses++;		/* first: the kick suspends, and the last user may go meanwhile */
		link_get_state(peer->to, &state);
		if (address && strcmp(state.address, address) != 0)
			link_kick(peer->to, address);
		return peer;
	}
	if (!address)
		return NULL;
	peer = mem_alloc_zeroed(sizeof(*peer));
	if (!peer)
		return NULL;
	peer->copy = copy;
	peer->uses = 1;
	notice_board_init(&peer->news.due);
	snprintf(peer->system, sizeof(peer->system), "%s", system);
	rt_group_init(&peer->watch);
	if (dial(peer, address, compress)) {
		mem_free(peer);
		return NULL;
	}
	list_add_last(&copy->peers, &peer->link);
	return peer;
}

/* Dialing suspends: without the mutex two fibers would make two links to one system, each fencing the other. */
struct peer *peer_get(struct copy *copy, const char *system, const char *address, bool compress)
{
	struct peer *peer;
	int rc;
	RT_SHIELD();

	rc = rt_mutex_lock(&copy->dialing);
	assert(!rc);
	peer = get(copy, system, address, compress);
	rt_mutex_unlock(&copy->dialing);
	return peer;
}

/* Of a link that was told to be lost: nobody waits for its return. */
static void tell_given_up(const struct peer *peer)
{
	char object[XDC_EVENT_OBJECT_MAX];

	snprintf(object, sizeof(object), "system %s", peer->system);
	copy_tell(peer->copy, EVENT_LINK_RETURNED, EVENT_INFO, object, "", "nothing here needs it any more");
}

void peer_put(struct peer *peer)
{
	struct copy *copy = peer->copy;
	int rc;
	RT_SHIELD();

	assert(peer->uses > 0);
	if (--peer->uses)
		return;
	list_remove(&peer->link);
	rc = rt_mutex_lock(&copy->dialing);
	assert(!rc);
	rt_group_stop(&peer->watch);
	link_close(peer->to);
	rt_mutex_unlock(&copy->dialing);
	peer_news_tell(peer);
	if (peer->told_lost)
		tell_given_up(peer);
	mem_free(peer->notices);
	mem_free(peer);
}

void peers_hang_up(struct copy *copy)
{
	struct peer *peer;

	/* Whoever might put one back has ended, or waits for one of these links and comes to that later. */
	list_for_each(peer, &copy->peers, link) {
		rt_group_cancel(&peer->watch);
		link_hang_up(peer->to);
		rt_group_stop(&peer->watch);
		peer_news_tell(peer);
		peer->told_lost = false;	/* the next start tells it anew */
	}
}

void peer_look_again(struct peer *peer)
{
	peer->look_again = true;
	rt_cond_wake_all(link_changed(peer->to));
}

void peer_ask_pairs(struct peer *peer)
{
	peer->ask_pairs = true;
	notice_due(&peer->acked);
}

void peers_on_changed(struct copy *copy, const struct link *link)
{
	struct peer *peer;

	list_for_each(peer, &copy->peers, link) {
		if (peer->to == link) {
			peer_look_again(peer);
			return;
		}
	}
}

void peers_tell_changed(struct copy *copy, const char *system)
{
	const struct wire_empty event = { 0 };
	int rc = link_server_event(copy->server, system, WIRE_EVENT_PAIRS_CHANGED, &event);

	/* It hears of it by its next request or frame, too. */
	if (rc)
		log_line(LOG_DEBUG, "copy", "system %s is not told that its pairs have changed: %s", system,
			 strerror(-rc));
}

bool peer_wait_connected(struct peer *peer, int64_t limit_ns)
{
	struct link_state state;
	RT_LIMIT(rt_now_ns() + limit_ns);

	link_kick(peer->to, NULL);
	for (;;) {
		link_get_state(peer->to, &state);
		if (state.connected)
			return true;
		if (rt_cond_wait(link_changed(peer->to)))
			return false;
	}
}

/* Not silence, which may end: an answer that will be the same the next time. */
static bool is_final(int error)
{
	return error == -ECONNREFUSED || error == -ENODEV || error == -EACCES || error == -EPERM || error == -EPROTO;
}

bool peer_wait_answer(struct peer *peer, int64_t limit_ns)
{
	struct link_state state;
	uint64_t failures;
	RT_LIMIT(rt_now_ns() + limit_ns);

	link_get_state(peer->to, &state);
	failures = state.failures;
	link_kick(peer->to, NULL);
	for (;;) {
		link_get_state(peer->to, &state);
		if (state.connected)
			return true;
		/* The first attempt may have begun before. */
		if (state.failures >= failures + 2 && is_final(state.last_error))
			return false;
		if (rt_cond_wait(link_changed(peer->to)))
			return false;
	}
}

static int ask_own(struct copy *copy, uint16_t type, const void *request, void *reply, char *why)
{
	struct link_peer self = { 0 };

	snprintf(self.system, sizeof(self.system), "%s", copy->config.system);
	memcpy(self.boot_id, copy->config.boot_id, WIRE_ID_SIZE);
	for (const struct link_handler *handler = copy->above->handlers; handler->type; handler++) {
		if (handler->type == type) {
			memset(reply, 0, wire_struct_size(wire_type_find(type)->reply));
			return handler->fn(copy, &self, request, reply, why);
		}
	}
	return -EOPNOTSUPP;
}

int copy_ask(struct copy *copy, const char *system, uint16_t type, const void *request, void *reply,
	     char why[WIRE_TEXT_SIZE])
{
	struct peer *peer;
	int rc;

	why[0] = '\0';
	if (!strcmp(system, copy->config.system))
		return ask_own(copy, type, request, reply, why);
	peer = find_peer(copy, system);
	if (!peer)
		return copy_refuse(why, -ENOTCONN, "no path leads to system %s", system);
	peer->uses++;
	rc = link_request(peer->to, type, request, reply, why, NULL);
	peer_put(peer);
	return rc;
}
