/* SPDX-License-Identifier: Apache-2.0 */
/* What an administrator may do with standbys (copy.h). */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/pair_left.h"
#include "copy/pair_private.h"
#include "copy/pair_standby.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "store/meta.h"
#include "volume/target.h"

#define CONNECT_NS	(10 * RT_SECOND)	/* a command waits so long for another system */
#define TAKE_NS (600 * RT_SECOND) /* and so long for the far side to bring its last group to its volumes */
#define ASK_TIMES	3u			/* an answer may be lost with the connection, which that breaks */

const char *const standby_state_names[STANDBY_STATE_COUNT] = {
	"standing-by", "preparing", "taking-over", "offline",
};

static const char *object_of(uint16_t volume, char text[64])
{
	snprintf(text, 64, "standby of volume %04X", volume);
	return text;
}

static bool is_taking(const struct record_standby *record)
{
	static const uint8_t none[XDC_UUID_LEN];

	return memcmp(record->taking, none, sizeof(none)) != 0;
}

static int fault_durable(uint16_t volume, int rc, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_FAILED, object_of(volume, object),
			 "look at the log of xdcd and at its state folder", "the change cannot be made durable: %s",
			 strerror(-rc));
}

static int fault_none(uint16_t volume, struct fault *fault)
{
	char object[64];

	return fault_set(fault, FAULT_INVALID_PARAMETER, object_of(volume, object),
			 "xdc standby list shows those that exist", "volume %04X has no standby", volume);
}

/* ---- what is shown ---- */

static enum standby_state state_of(const struct standby *standby)
{
	if (is_taking(&standby->record))
		return STANDBY_TAKING_OVER;
	if (!standby->target)
		return STANDBY_OFFLINE;
	return standby->record.known ? STANDBY_STANDING_BY : STANDBY_PREPARING;
}

static void show(struct standby *standby, struct copy_standby_info *info)
{
	const struct record_standby *record = &standby->record;

	*info = (struct copy_standby_info){
		.volume = record->volume, .remote_volume = record->remote_volume, .state = state_of(standby),
		.sequence = standby->sequence, .covered_wall_ns = standby->covered_wall_ns,
		.created_wall_ns = record->created_wall_ns, .is_known = record->known,
	};
	memcpy(info->near_system, record->near_system, sizeof(info->near_system));
	memcpy(info->system, record->system, sizeof(info->system));
	info->noted_blocks = standby_count_noted(standby);
	info->size_bytes = standby->volume ? volume_size(standby->volume) : 0;
	if (!standby_near(standby))
		snprintf(info->why, sizeof(info->why), "its pair with %s is not there, or goes the other way",
			 record->near_system);
	else
		snprintf(info->why, sizeof(info->why), "%.*s", (int)sizeof(info->why) - 1, standby->why);
}

bool copy_standby_get(struct copy *copy, uint16_t volume, struct copy_standby_info *info)
{
	struct standby *standby = standby_find(copy, volume);

	if (!standby)
		return false;
	standby_pin(standby);
	show(standby, info);
	standby_unpin(standby);
	return true;
}

void copy_standby_each(struct copy *copy, void (*each)(void *arg, const struct copy_standby_info *info), void *arg)
{
	struct copy_standby_info info;
	uint32_t volume = 0;

	/* One may go, or come, while another is looked at: by volume, not by place. */
	for (; volume <= UINT16_MAX; volume++) {
		const struct standby *standby, *next = NULL;

		list_for_each(standby, &copy->standbys, link) {
			if (!standby->gone && standby->record.volume >= volume &&
			    (!next || standby->record.volume < next->record.volume))
				next = standby;
		}
		if (!next)
			return;
		volume = next->record.volume;
		if (copy_standby_get(copy, (uint16_t)volume, &info))
			each(arg, &info);
	}
}

/* ---- make one ---- */

static int check_new(struct copy *copy, const struct copy_standby_request *request, const struct pair *near,
		     struct fault *fault)
{
	const struct pair *other;
	char object[64], remedy[256];

	object_of(request->volume, object);
	if (near->record.role != PAIR_SOURCE || near->record.type != PAIR_SYNC || !near->peer)
		return fault_set(
			fault, FAULT_INVALID_PARAMETER, object,
			"what the near system has not, the far side cannot have from it: a sync pair leads there",
			"volume %04X is not the source of a synchronous pair with %s", request->volume,
			near->record.system);
	if (!strcmp(request->system, near->record.system) || !strcmp(request->system, copy->config.system))
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, "name the system behind that of its pair",
				 "system %s is no far side of a cascade", request->system);
	for (other = pair_first_of(copy, request->volume); other; other = pair_next_of(other)) {
		if (other != near)
			return fault_set(fault, FAULT_IN_USE, object, "a volume has two targets at most",
					 "it has a pair with volume %04X of %s, too", other->record.remote_volume,
					 other->record.system);
	}
	if (!path_exists(copy, (uint8_t)(request->volume >> 8), request->system,
			 (uint8_t)(request->remote_volume >> 8))) {
		snprintf(remedy, sizeof(remedy), "xdc path create %02X %02X --system %s --to HOST:PORT",
			 request->volume >> 8, request->remote_volume >> 8, request->system);
		return fault_set(fault, FAULT_INVALID_PARAMETER, object, remedy,
				 "no path leads from LSS %02X to LSS %02X of system %s", request->volume >> 8,
				 request->remote_volume >> 8, request->system);
	}
	return 0;
}

/* The link that a take-over needs: to be found out now that it does not work. */
static int check_reached(struct copy *copy, uint16_t volume, const char *system, struct peer **out, struct fault *fault)
{
	const char *address = copy_path_address(copy, (uint8_t)(volume >> 8), system);
	struct peer *peer = address ? peer_get(copy, system, address, false) : NULL;
	struct link_state state;
	char object[64];

	snprintf(object, sizeof(object), "system %s", system);
	if (!peer)
		return fault_set(fault, FAULT_FAILED, object, "xdc path create", "no path leads there");
	*out = peer;
	if (peer_wait_answer(peer, CONNECT_NS))
		return 0;
	link_get_state(peer->to, &state);
	fault_set(fault, FAULT_FAILED, object,
		  "xdcd must run there with --link, at the address and with the id of the path",
		  "it cannot be reached: %s", state.last_error_text[0] ? state.last_error_text : state.address);
	peer_put(peer);
	return -1;
}

static int create(struct copy *copy, const struct copy_standby_request *request, struct pair *near,
		  struct fault *fault)
{
	struct record_standby record = {
		.volume = request->volume, .remote_volume = request->remote_volume, .created_wall_ns = rt_wall_ns(),
	};
	struct standby *standby, asked = { .copy = copy };
	const struct meta_change change = { .op = META_PUT, .kind = META_STANDBY, .record = &record };
	struct wire_standby_state state = { 0 };
	char why[WIRE_TEXT_SIZE], object[64];
	int rc;

	/* It may have changed while the far side was waited for. */
	if (check_new(copy, request, near, fault))
		return -1;
	snprintf(record.system, sizeof(record.system), "%s", request->system);
	memcpy(record.near_system, near->record.system, sizeof(record.near_system));
	asked.record = record;
	rc = standby_ask(&asked, near, &state, why);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object_of(record.volume, object),
				 "first the cascade: a pair there, in a session there", "%s", why);
	memcpy(record.generation, state.generation, sizeof(record.generation));
	if (standby_find(copy, request->volume))
		return fault_set(fault, FAULT_IN_USE, object_of(record.volume, object), "xdc standby show",
				 "volume %04X has a standby already", record.volume);
	rc = standby_take_up(copy, &record, &standby);
	if (rc)
		return fault_set(fault, FAULT_FAILED, object_of(record.volume, object), "try again", "%s",
				 strerror(-rc));
	rc = meta_commit(copy->config.meta, &change, 1);
	if (rc) {
		standby_put_down(standby, true);
		return fault_durable(request->volume, rc, fault);
	}
	notice_due(&copy->standbys_due);
	return 0;
}

/* The pair is pinned. Nobody waits for its turn while the far side is waited for. */
static int create_in_turn(struct copy *copy, const struct copy_standby_request *request, struct pair *near,
			  struct fault *fault)
{
	struct peer *peer;
	char object[64];
	int rc;

	if (check_new(copy, request, near, fault) ||
	    check_reached(copy, request->volume, request->system, &peer, fault))
		return -1;
	peer_put(peer);
	if (pair_begin_change(near))
		return fault_set(fault, FAULT_IN_USE, object_of(request->volume, object), "repeat the command",
				 "another command on volume %04X does not end", request->volume);
	rc = create(copy, request, near, fault);
	pair_end_change(near);
	return rc;
}

int copy_standby_create(struct copy *copy, const struct copy_standby_request *request, struct fault *fault)
{
	const struct copy_pair_name name = copy_pair_name_of(request->volume, request->near_system);
	struct pair *near = pair_find_named(copy, &name, fault);
	char object[64];
	int rc;

	if (!near)
		return -1;
	if (standby_find(copy, request->volume))
		return fault_set(fault, FAULT_IN_USE, object_of(request->volume, object),
				 "to end that: xdc standby delete", "volume %04X has a standby already",
				 request->volume);
	pair_pin(near);
	rc = create_in_turn(copy, request, near, fault);
	pair_unpin(near);
	return rc ? -1 : 0;
}

/* ---- and end it ---- */

/* Pinned and in its turn. NULL with the fault. Suspends. */
static struct standby *begin_command(struct copy *copy, uint16_t volume, struct fault *fault)
{
	struct standby *standby = standby_find(copy, volume);
	char object[64];
	int rc;

	if (!standby) {
		fault_none(volume, fault);
		return NULL;
	}
	standby_pin(standby);
	rc = standby_begin_change(standby);
	if (!rc)
		return standby;
	standby_unpin(standby);
	if (rc == -ENOENT)
		fault_none(volume, fault);
	else
		fault_set(fault, FAULT_IN_USE, object_of(volume, object), "repeat the command",
			  "another command on it does not end");
	return NULL;
}

static int end_command(struct standby *standby, int rc)
{
	standby_end_change(standby);
	standby_unpin(standby);
	return rc;
}

static int check_delete(const struct standby *standby, bool force, struct fault *fault)
{
	const struct record_standby *record = &standby->record;
	char object[64], remedy[160];

	if (force || !is_taking(record))
		return 0;
	snprintf(remedy, sizeof(remedy), "xdc standby take-over %04X goes on with that; --force gives it up, and then, "
		 "on system %s: xdc pair delete %04X --force", record->volume, record->system, record->remote_volume);
	return fault_set(fault, FAULT_IN_USE, object_of(record->volume, object), remedy,
			 "it is being taken over: volume %04X of %s may be the target of volume %04X by now",
			 record->remote_volume, record->system, record->volume);
}

int copy_standby_delete(struct copy *copy, uint16_t volume, bool force, struct fault *fault)
{
	struct standby *standby = begin_command(copy, volume, fault);
	struct meta_change change = { .op = META_DELETE, .kind = META_STANDBY };
	int rc;

	if (!standby)
		return -1;
	if (check_delete(standby, force, fault))
		return end_command(standby, -1);
	change.record = &standby->record;
	rc = meta_commit(copy->config.meta, &change, 1);
	standby->gone = !rc;
	end_command(standby, 0);
	if (rc)
		return fault_durable(volume, rc, fault);
	standby_put_down(standby, true);
	return 0;
}

/* ---- take over ---- */

/* What is on top of both from here on: durable before the far side hears of it. */
static int begin_taking(struct standby *standby)
{
	struct record_standby next = standby->record;

	if (is_taking(&next))
		return 0;
	rt_random_bytes(next.taking, sizeof(next.taking));
	next.sequence = standby->sequence;
	return standby_change_record(standby, &next);
}

/* The far side has refused: it is no target of this volume. It may have been fenced from its own source before that. */
static void give_up_taking(struct standby *standby)
{
	struct record_standby next = standby->record;

	memset(next.taking, 0, sizeof(next.taking));
	if (standby_change_record(standby, &next))
		log_line(LOG_WARNING, "standby", "volume %04X: that it is not being taken over is not durable",
			 next.volume);
	notice_due(&standby->copy->standbys_due);
}

static struct history history_of(const struct record_standby *record, int64_t taken_wall_ns)
{
	struct history history = { 0 };

	history_begin(&history, record->generation, record->sequence, record->created_wall_ns);
	history_begin(&history, record->taking, record->sequence, taken_wall_ns);
	return history;
}

static bool is_lost_answer(int rc)
{
	return rc == -ENOTCONN || rc == -ECONNRESET;
}

static int ask_far(struct standby *standby, struct peer *peer, const struct wire_standby_take *take,
		   struct wire_standby_taken *taken, char why[WIRE_TEXT_SIZE])
{
	int rc = -ENOTCONN;
	RT_LIMIT(rt_now_ns() + TAKE_NS);

	for (unsigned i = 0; i < ASK_TIMES && is_lost_answer(rc); i++) {
		why[0] = '\0';
		if (!peer_wait_connected(peer, CONNECT_NS))
			return copy_refuse(why, -ENOTCONN, "system %s is not reached", standby->record.system);
		rc = link_request(peer->to, WIRE_STANDBY_TAKE, take, taken, why, NULL);
	}
	return rc;
}

static int fault_refused(struct standby *standby, int rc, const char *why, struct fault *fault)
{
	const struct record_standby *record = &standby->record;
	char object[64], remedy[256] = "mend that and repeat the command";

	if (is_lost_answer(rc) || rc == -ETIMEDOUT || rc == -ECANCELED)
		snprintf(remedy, sizeof(remedy), "repeat the command: it goes on where it was");
	else if (rc == -ESTALE)
		snprintf(remedy, sizeof(remedy),
			 "look at it there; --discard compares all of it, and takes it all the same");
	else if (rc == -ETXTBSY)
		snprintf(remedy, sizeof(remedy), "disconnect the hosts of volume %04X there", record->remote_volume);
	return fault_set(fault, FAULT_FAILED, object_of(record->volume, object), remedy, "system %s: %s",
			 record->system, why[0] ? why : strerror(-rc));
}

struct give_order {
	struct pair *pair;
	struct volume_target *target;
	bool compare;
};

/* All that is noted is sent from here on; where more may differ, all of it is compared. */
static int do_give(void *arg)
{
	struct give_order *order = arg;

	order->pair->volume_target = order->target;
	return order->compare ? volume_doubt_all(order->target) : 0;
}

/* It is done, whatever comes of this: what is not marked for want of memory is at the next start. */
static void begin_sending(struct give_order *order, struct peer *peer)
{
	struct pair *pair = order->pair;
	int rc = rt_call(volume_reactor(pair->volume), do_give, order);

	if (!rc)
		rc = pair_begin_source(pair);
	if (!rc)
		peer_look_again(peer);
	else
		log_line(LOG_ERROR, "standby", "volume %04X: nothing is sent to volume %04X of %s before xdcd starts "
			 "again: %s", pair->record.volume, pair->record.remote_volume, pair->record.system,
			 strerror(-rc));
}

/*
 * The standby is a pair from here on, durably, with the far side that agreed: like a former far side after a failback
 * it sends what is noted, and asks what the other end has noted. Its pin and turn, and it itself, go.
 */
static int become_pair(struct standby *standby, struct peer *peer, bool known)
{
	const int64_t now_wall_ns = rt_wall_ns();
	const struct history history = history_of(&standby->record, now_wall_ns);
	struct record_pair record = {
		.volume = standby->record.volume, .remote_volume = standby->record.remote_volume, .role = PAIR_SOURCE,
		.type = PAIR_ASYNC, .state = PAIR_COPY_PENDING, .since_wall_ns = now_wall_ns,
		.created_wall_ns = now_wall_ns, .first_copy_compares = !known,
		.first_copy_bytes = known ? volume_size(standby->volume) : 0,
	};
	struct record_history rows[HISTORY_MAX];
	struct meta_change changes[HISTORY_MAX + 2];
	struct give_order order = { .compare = !known };
	struct copy *copy = standby->copy;
	struct pair *pair;
	unsigned count = 2;
	int rc;

	memcpy(record.system, standby->record.system, sizeof(record.system));
	memcpy(record.heard, standby->record.taking, sizeof(record.heard));
	pair = pair_take_up(copy, &record, &history, standby->volume);
	if (!pair)
		return -ENOMEM;
	pair_pin(pair);
	rc = pair_begin_change(pair);
	assert(!rc);
	changes[0] = (struct meta_change){ .op = META_DELETE, .kind = META_STANDBY, .record = &standby->record };
	changes[1] = (struct meta_change){ .op = META_PUT, .kind = META_PAIR, .record = &pair->record };
	count += pair_history_changes(pair, rows, changes + count);
	rc = meta_commit(copy->config.meta, changes, count);
	if (!rc) {
		order.pair = pair;
		order.target = standby_give_target(standby);
		standby->gone = true;
		begin_sending(&order, peer);
	} else {
		pair->gone = true;
	}
	pair_end_change(pair);
	pair_unpin(pair);
	if (!standby->gone)
		pair_put_down(pair, true);
	return rc;
}

static int check_take(struct standby *standby, bool force, bool discard, struct fault *fault)
{
	const struct record_standby *record = &standby->record;
	const struct pair *near = pair_find(standby->copy, record->volume, record->near_system);
	struct link_state state = { 0 };
	struct copy_losses losses;
	char object[64];

	object_of(record->volume, object);
	if (!standby->volume)
		return fault_set(fault, FAULT_FAILED, object, "mend the volume and restart xdcd",
				 "its volume is offline");
	if (near && near->record.role != PAIR_SOURCE)
		return fault_set(fault, FAULT_FAILED, object, "xdc pair show", "production is at system %s",
				 record->near_system);
	if (near && near->record.reason == PAIR_REASON_HISTORY && !discard)
		return fault_set(fault, FAULT_FAILED, object,
				 "the far side may have what was written there: look at it; --discard gives that up",
				 "production was at system %s last", record->near_system);
	if (pair_find(standby->copy, record->volume, record->system))
		return fault_set(fault, FAULT_IN_USE, object, "xdc pair show", "it has a pair with system %s already",
				 record->system);
	/* What was answered and is not here any more may be at the far side alone. */
	losses = copy_get_losses(standby->copy, record->volume);
	if ((losses.power_wall_ns || losses.sync_wall_ns) && !discard)
		return fault_set(fault, FAULT_FAILED, object,
				 "recover the far side, and copy from there; or xdc volume accept gives them up",
				 "its volume has lost writes that volume %04X of %s may have", record->remote_volume,
				 record->system);
	if (near && near->peer)
		link_get_state(near->peer->to, &state);
	if (state.connected && !force)
		return fault_set(fault, FAULT_IN_USE, object, "--force takes it over all the same",
				 "system %s is there, and serves volume %04X of %s", record->near_system,
				 record->remote_volume, record->system);
	return 0;
}

/* Pinned and in its turn; 0: it is a pair now. */
static int take(struct standby *standby, bool discard, struct fault *fault)
{
	struct wire_standby_take request = {
		.source_volume = standby->record.volume, .target_volume = standby->record.remote_volume,
		.discard = discard, .size_bytes = volume_size(standby->volume), .sequence = standby->sequence,
	};
	struct wire_standby_taken taken = { 0 };
	char why[WIRE_TEXT_SIZE] = "", object[XDC_EVENT_OBJECT_MAX];
	struct peer *peer;
	int rc;

	if (check_reached(standby->copy, standby->record.volume, standby->record.system, &peer, fault))
		return -1;
	rc = begin_taking(standby);
	if (rc) {
		peer_put(peer);
		return fault_durable(standby->record.volume, rc, fault);
	}
	memcpy(request.near_system, standby->record.near_system, sizeof(request.near_system));
	memcpy(request.generation, standby->record.generation, sizeof(request.generation));
	request.history = history_of(&standby->record, rt_wall_ns());
	rc = ask_far(standby, peer, &request, &taken, why);
	if (rc) {
		fault_refused(standby, rc, why, fault);
		if (!is_lost_answer(rc) && rc != -ETIMEDOUT && rc != -ECANCELED)
			give_up_taking(standby);
		peer_put(peer);
		return -1;
	}
	rc = become_pair(standby, peer, standby->record.known && taken.known);
	peer_put(peer);
	if (rc)
		return fault_durable(standby->record.volume, rc, fault);
	snprintf(object, sizeof(object), "volume %04X", standby->record.volume);
	copy_tell(standby->copy, EVENT_PAIR_RESUMED, EVENT_WARNING, object, "",
		  "volume %04X of %s is served from here, not by %s any more: %s is sent", request.target_volume,
		  standby->record.system, standby->record.near_system,
		  standby->record.known && taken.known ? "what it may lack" : "what differs of all");
	return 0;
}

/* become_pair made it: a generation began with it, and not as the first, which is older than the pair. */
static bool was_standby(const struct pair *pair)
{
	const struct history *history = &pair->history;

	if (pair->record.role != PAIR_SOURCE || pair->record.type != PAIR_ASYNC)
		return false;
	for (unsigned i = 0; i + 1 < history->count; i++) {
		if (history->entries[i].began_wall_ns == pair->record.created_wall_ns)
			return true;
	}
	return false;
}

/* The command was given before, and its end not heard of. */
static bool is_taken_over(struct copy *copy, uint16_t volume)
{
	const struct pair *pair;

	for (pair = pair_first_of(copy, volume); pair; pair = pair_next_of(pair)) {
		if (was_standby(pair))
			return true;
	}
	return false;
}

int copy_standby_take_over(struct copy *copy, uint16_t volume, bool force, bool discard, struct fault *fault)
{
	struct standby *standby;
	bool gone;
	int rc;

	if (!standby_find(copy, volume) && is_taken_over(copy, volume))
		return 0;
	standby = begin_command(copy, volume, fault);
	if (!standby)
		return -1;
	rc = check_take(standby, force, discard, fault);
	if (!rc)
		rc = take(standby, discard, fault);
	gone = standby->gone;
	end_command(standby, rc);
	if (gone)
		standby_put_down(standby, false);
	return rc;
}
