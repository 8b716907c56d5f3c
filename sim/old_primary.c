/* SPDX-License-Identifier: Apache-2.0 */
#include "old_primary.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "scenarios.h"

static void note_pair(void *arg, const struct copy_pair_info *info)
{
	struct old_pairs *look = arg;

	for (unsigned i = 0; i < look->box->volume_count; i++) {
		if (look->box->volumes[i] == info->volume)
			look->gave_way[i] = info->state == PAIR_SUSPENDED && info->reason == PAIR_REASON_HISTORY;
	}
}

int old_primary_look(void *arg)
{
	struct old_pairs *look = arg;

	if (!look->box->ready)
		return -ECONNABORTED;
	copy_pair_each(look->box->copy, note_pair, look);
	for (unsigned i = 0; i < look->box->volume_count; i++) {
		const struct copy_pair_name pair = { .volume = look->box->volumes[i] };

		look->answered[i] = copy_pair_ask_far(look->box->copy, &pair, &look->far[i]);
	}
	return 0;
}

void old_primary_note_recovery(struct old_primary *old, const struct oracle *oracle)
{
	for (unsigned chain = 0; chain < ORACLE_CHAINS; chain++)
		old->issued[chain] = oracle->chains[chain].issued;
}

/* A host was told that something is written there which was issued after the recovery. */
static bool was_written_late(const struct old_primary *old, const struct oracle *oracle, const struct box *box,
			     unsigned volume)
{
	for (unsigned i = 0; i < ORACLE_CHAINS; i++) {
		const struct oracle_chain *chain = &oracle->chains[i];

		for (uint32_t event = old->issued[i] + 1; event <= chain->issued; event++) {
			const struct oracle_place *place = &oracle->places[chain->events[event].place];

			if (chain->events[event].answered_ns && place->box == box && place->volume == volume)
				return true;
		}
	}
	return false;
}

static const char *judge_volume(const struct old_primary *old, struct sites *sites, const struct old_pairs *look,
				unsigned volume)
{
	static char why[160];
	struct box *box = look->box;
	uint8_t data[XDC_BLOCK_SIZE] = { 0xee };
	/* Where its own disk failed it could not note that, and after its next start it does not know. */
	bool late = !box->mended && was_written_late(old, &sites->oracle, box, volume);
	const char *bad = NULL;

	if (!look->gave_way[volume])
		bad = "its pair goes on as if the far side had not been recovered";
	else if (!look->answered[volume])
		bad = "it cannot show what the far side says";
	else if (look->far[volume].verdict != HISTORY_BOTH_WRITTEN &&
		 (late || look->far[volume].verdict != HISTORY_OTHER_NEWER))
		bad = late ? "what was written to it after the recovery is not on its record"
			   : "its history says that it is the newer one";
	else if (box_write(box, volume, 4000, data, 0) != -EROFS)
		bad = "hosts may still write to it";
	else
		scenario_count(late ? "old volumes written after the recovery" : "old volumes left as they were", 1);
	if (!bad)
		return NULL;
	snprintf(why, sizeof(why), "volume %04X of the old site, %s: %s", box->volumes[volume], box->id, bad);
	return why;
}

static const char *judge_system(const struct old_primary *old, struct sites *sites, const struct old_pairs *look)
{
	static char why[80];
	struct copy_session_info info;
	const char *bad = NULL;
	int64_t shown_ns;
	int rc = box_session_info(look->box, SITES_SESSION, &info, &shown_ns);

	for (unsigned i = 0; i < look->box->volume_count && !bad; i++)
		bad = judge_volume(old, sites, look, i);
	if (bad || (!rc && info.state == SESSION_FATAL))
		return bad;
	snprintf(why, sizeof(why), "the session of the old site goes on at %s", look->box->id);
	return why;
}

const char *old_primary_judge(const struct old_primary *old, struct sites *sites, int64_t limit_ns)
{
	int64_t until_ns = rt_now_ns() + limit_ns;
	const char *bad = NULL;

	for (unsigned i = 0; i < sites->source_count && !bad; i++) {
		struct old_pairs look = { .box = &sites->sources[i] };
		int rc;

		do {
			rc = box_call(look.box, old_primary_look, &look);
			bad = rc ? "the old site does not answer" : judge_system(old, sites, &look);
		} while (!rc && bad && rt_now_ns() < until_ns && !rt_sleep_until(rt_now_ns() + 100 * RT_MS));
	}
	return bad;
}
