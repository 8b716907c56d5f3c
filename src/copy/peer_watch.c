/* SPDX-License-Identifier: Apache-2.0 */
/* The two fibers of a peer: what its coming and going, and what it acknowledges, mean for pairs and sessions here. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "copy/pair.h"
#include "copy/peer_watch.h"
#include "copy/source.h"

#define ASK_AGAIN_NS	(5 * RT_SECOND)
#define SYNC_NS		(200 * RT_MS)
#define LOST_NS		(2 * RT_SECOND)		/* for a link that returns by itself: no event */

static void tell(const struct peer *peer, enum event_kind kind, enum event_level level, const char *remedy,
		 const char *text)
{
	char object[XDC_EVENT_OBJECT_MAX];

	snprintf(object, sizeof(object), "system %s", peer->system);
	copy_tell(peer->copy, kind, level, object, remedy, "%s", text);
}

/* One that stays away for some time is an event, and then its return is one. */
static void watch_loss(struct peer *peer, const struct link_state *state)
{
	char text[XDC_EVENT_TEXT_MAX];

	if (state->connected && peer->told_lost)
		tell(peer, EVENT_LINK_RETURNED, EVENT_INFO, "", "it is reached again");
	if (state->connected) {
		peer->lost_ns = 0;
		peer->told_lost = false;
	} else if (!peer->lost_ns) {
		peer->lost_ns = rt_now_ns();
	} else if (!peer->told_lost && rt_now_ns() - peer->lost_ns >= LOST_NS) {
		peer->told_lost = true;
		snprintf(text, sizeof(text), "it is not reached: %.200s",
			 state->last_error_text[0] ? state->last_error_text : "no answer yet");
		tell(peer, EVENT_LINK_LOST, EVENT_WARNING,
		     "xdc path list; look at the network, and whether xdcd runs there", text);
	}
}

/* When the next look is due, whatever happens. */
static int64_t next_look_ns(const struct peer *peer, bool broken, bool waiting)
{
	int64_t now_ns = rt_now_ns();
	int64_t until_ns = broken ? now_ns + RT_SECOND : waiting ? now_ns + ASK_AGAIN_NS : RT_NEVER;
	bool to_tell = peer->lost_ns && !peer->told_lost;

	return to_tell && peer->lost_ns + LOST_NS < until_ns ? peer->lost_ns + LOST_NS : until_ns;
}

/*
 * The far side was reached again. What it held unprepared in memory is gone if it restarted: sessions hear of it
 * first, since an attempt under way may be over by that, and only then everything noted is marked to be sent again.
 */
static void peer_connected(struct peer *peer, const struct link_state *state)
{
	static const uint8_t none[WIRE_ID_SIZE];
	bool known = memcmp(peer->boot_id, none, WIRE_ID_SIZE) != 0;
	bool restarted = known && memcmp(peer->boot_id, state->peer_boot_id, WIRE_ID_SIZE) != 0;

	if (restarted) {
		tell(peer, EVENT_FAR_RESTARTED, EVENT_INFO, "", "it has restarted");
		source_far_restarted(peer->copy, peer->system);
		pair_leave_duplex_all(peer->copy, peer->system);
		pair_far_restarted(peer->copy, peer->system, state->peer_boot_id);
	}
	/* Only now: as long as it is the old one no increment closes and nothing is prepared there. */
	memcpy(peer->boot_id, state->peer_boot_id, WIRE_ID_SIZE);
	pair_link_up(peer->copy, peer->system);
	/* The break may have kept the answer to a sync away, and nothing need be acknowledged again. */
	notice_due(&peer->acked);
}

/*
 * While a pair is broken that hosts may write to, their first write is to be seen within a second; those that the far
 * side could not take up ask again after a while.
 */
static int wait_link(struct peer *peer, bool connected)
{
	bool broken = pair_any_broken(peer->copy, peer->system);
	bool waiting = connected && pair_any_waiting(peer->copy, peer->system);
	RT_LIMIT(next_look_ns(peer, broken, waiting));
	int rc = rt_cond_wait(link_changed(peer->to));

	if (rc == -ETIMEDOUT && waiting && rt_now_ns() - peer->asked_ns >= ASK_AGAIN_NS) {
		peer->asked_ns = rt_now_ns();
		pair_try_waiting(peer->copy, peer->system);
	}
	return rc;
}

static bool has_changed(const struct peer *peer, const struct link_state *seen)
{
	struct link_state now;

	link_get_state(peer->to, &now);
	return now.connected != seen->connected ||
	       (now.connected && (now.generation != seen->generation || peer->look_again));
}

void peer_watch(void *arg)
{
	struct peer *peer = arg;
	uint64_t generation = 0;
	struct link_state state;
	int rc = 0;

	while (rc != -ECANCELED) {
		link_get_state(peer->to, &state);
		watch_loss(peer, &state);
		if (state.connected && (state.generation != generation || peer->look_again)) {
			generation = state.generation;
			peer->look_again = false;
			peer_connected(peer, &state);
			continue;
		}
		if (!state.connected)
			pair_link_down(peer->copy, peer->system);
		pair_watch_broken(peer->copy, peer->system);
		/* That took time, and nobody says twice what happened meanwhile. */
		if (!has_changed(peer, &state))
			rc = wait_link(peer, state.connected);
	}
}

/* Something was acknowledged; or it is time to try again what has failed: to make it durable, or to note progress. */
static int wait_acked(struct peer *peer, bool owed)
{
	RT_LIMIT(owed ? rt_now_ns() + ASK_AGAIN_NS : RT_NEVER);
	int rc = notice_wait(&peer->acked);

	return rc == -ETIMEDOUT ? 0 : rc;
}

/* What pairs have got acknowledged is made durable there and forgotten here, while there is such a thing. */
void peer_sync(void *arg)
{
	struct peer *peer = arg;
	bool owed = false;

	while (!wait_acked(peer, owed)) {
		if (notice_wait_more(&peer->acked, rt_now_ns() + SYNC_NS))
			break;
		if (peer->ask_pairs) {
			peer->ask_pairs = false;
			pair_link_up(peer->copy, peer->system);
		}
		pair_ask_refused(peer->copy, peer->system);
		owed = !pair_sync_all(peer->copy, peer);
		owed = !pair_note_progress(peer->copy, peer->system) || owed;
		pair_go_duplex_all(peer->copy, peer->system);
	}
}
