/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_path_far.h - for write_path.c: the scene, the made-up far sides and what they hold, and the checker of
 * what they show.
 */
#ifndef XDC_SIM_WRITE_PATH_FAR_H
#define XDC_SIM_WRITE_PATH_FAR_H

#include <string.h>

#include "scenarios.h"
#include "volume/flash.h"
#include "volume/target.h"

#define SITES_MAX	3u
#define SESSIONS_MAX	VOLUME_TARGETS_MAX
#define CHAINS		2u
#define BLOCKS		6u		/* a site */
#define FIRST_BLOCK	1021u		/* they lie in two regions */
#define WRITES		60u		/* a chain */
#define TAGS		2000u
#define DISK_BYTES	(16u << 20)

/* ---- the scene ---- */

struct site;

/* A system's part in one session, and its far side there. */
struct leg {
	struct site *site;
	unsigned session;
	struct volume_target *target;	/* NULL: not running, or not in the session yet */

	/* the source's side of the attempt under way, besides the target itself */
	uint64_t attempt_seen;		/* attempts up to this one are refused */
	uint64_t released, drained;	/* attempt for which this was heard, said */

	/* the link */
	unsigned generation;
	bool up;
	unsigned flying;

	/* the far side: value + 1, 0 none */
	uint64_t (*pending)[BLOCKS];	/* by tag */
	uint64_t image[BLOCKS];
	uint64_t prepared, committed;
};

/* A system with one volume. */
struct site {
	unsigned index;
	struct sim_system *system;
	struct volume *volume;		/* NULL: not running */
	struct dirtylog *log;
	struct volume *copy;		/* of the volume, by FlashCopy */
	struct volume_flash flash;
	unsigned map_number;
	bool flashed;			/* it is attached */
	struct rt_group fibers;
	bool starting, up;
	struct leg legs[SESSIONS_MAX];
};

struct session {
	unsigned index;
	bool begun;			/* its targets are there from now on */
	uint64_t attempt, reported;
	unsigned answered_at[TAGS][CHAINS];	/* when the attempt began */
};

struct chain {
	unsigned index;
	unsigned issued, answered;	/* the last write */
	unsigned seen;			/* somebody knows of it */
	struct { unsigned site, first, count; bool failed, zero, discard; } where[WRITES + 1];
	struct rt_cond changed;
};

static struct {
	struct site sites[SITES_MAX];
	unsigned site_count;
	struct chain chains[CHAINS];
	struct session sessions[SESSIONS_MAX];
	unsigned session_count;
	bool quiet;				/* no faults any more */
	bool lazy;				/* sends nothing ahead */
	bool flashed;				/* the volumes are sources of FlashCopies */
	bool applied;				/* what is written comes over a link, from where the hosts are */
	struct rt_group hosts, faults, messages, masters;
} scene;

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static void delay(int64_t most_ns)
{
	(void)!rt_sleep_until(rt_now_ns() + (int64_t)below((uint64_t)most_ns));
}

static void start(struct rt_group *group, const char *name, void (*fn)(void *arg), void *arg)
{
	if (rt_group_start(group, name, fn, arg) != 0)
		sim_fail(sim_world(), "no fiber for %s", name);
}

/* ---- the checker ---- */

static uint64_t value_of(unsigned chain, unsigned number)
{
	return number == 0 ? 0 : (uint64_t)(chain + 1) << 32 | number;
}

/* What CG number shows in a block: all tags up to it over what was committed, the highest on top. */
static uint64_t shown(const struct leg *leg, unsigned block, uint64_t number)
{
	for (uint64_t tag = number; tag > leg->committed; tag--)
		if (leg->pending[tag][block])
			return leg->pending[tag][block] - 1;
	return leg->image[block];
}

struct state {
	uint64_t values[SITES_MAX][BLOCKS];	/* of the blocks of one chain, the others 0 */
};

/* Of a write that failed, and that nobody has seen whole, any part may be there. */
static bool is_state(const struct state *shown, const struct state *after, const struct state *before, bool failed)
{
	for (unsigned s = 0; s < scene.site_count; s++)
		for (unsigned block = 0; block < BLOCKS; block++) {
			uint64_t value = shown->values[s][block];

			if (value != after->values[s][block] && !(failed && value == before->values[s][block]))
				return false;
		}
	return true;
}

/* There is a write of the chain, not before the one that is required, after which its blocks look like that. */
static void check_chain(const struct session *session, const struct chain *chain, uint64_t number)
{
	unsigned required = session->answered_at[session->reported][chain->index];
	unsigned first = chain->index * (BLOCKS / CHAINS);
	struct state image = { 0 }, after = { 0 }, before = { 0 };

	for (unsigned s = 0; s < scene.site_count; s++)
		for (unsigned block = first; block < first + BLOCKS / CHAINS; block++)
			image.values[s][block] = shown(&scene.sites[s].legs[session->index], block, number);
	for (unsigned k = 0; k <= chain->issued; k++) {
		before = after;
		for (unsigned i = 0; i < chain->where[k].count; i++)
			after.values[chain->where[k].site][chain->where[k].first + i] =
				chain->where[k].zero ? 0 : value_of(chain->index, k);
		if (k >= required && is_state(&image, &after, &before, chain->where[k].failed))
			return;
	}
	scenario_wrong(
		"CG %llu of session %u shows no state of chain %u after write %u, which was answered before CG %llu "
		"began",
		(unsigned long long)number, session->index, chain->index, required,
		(unsigned long long)session->reported);
}

/* The source site is lost now: what do the far sides give? */
static void check(const struct session *session)
{
	uint64_t highest = 0, prepared = scene.sites[0].legs[session->index].prepared;
	bool same = true;

	for (unsigned s = 0; s < scene.site_count; s++) {
		const struct leg *leg = &scene.sites[s].legs[session->index];

		if (leg->committed > highest)
			highest = leg->committed;
		same = same && leg->prepared == prepared;
	}
	for (unsigned c = 0; c < CHAINS; c++) {
		check_chain(session, &scene.chains[c], highest);
		if (same && prepared > highest)
			check_chain(session, &scene.chains[c], prepared);
	}
}

/* ---- far side and link ---- */

static void receive(struct leg *leg, const struct volume_send *send)
{
	unsigned first = (unsigned)(send->offset / XDC_BLOCK_SIZE - FIRST_BLOCK);

	if (send->tag >= TAGS || send->tag <= leg->committed || send->tag <= leg->prepared)
		return;
	for (unsigned i = 0; i < send->len / XDC_BLOCK_SIZE; i++) {
		uint64_t value = 0;

		if (send->zero ? false : first + i < BLOCKS)
			memcpy(&value, (uint8_t *)send->data + i * XDC_BLOCK_SIZE, sizeof(value));
		if (first + i < BLOCKS)
			leg->pending[send->tag][first + i] = value + 1;
	}
}

#endif
