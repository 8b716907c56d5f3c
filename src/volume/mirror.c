/* SPDX-License-Identifier: Apache-2.0 */
/* mirror.c - a synchronous pair, seen from the write path. */
#include "volume/mirror.h"

#include <assert.h>
#include <errno.h>

#include "store/planted.h"
#include "volume/volume_internal.h"

void volume_mirror_init(struct volume_mirror *mirror, const struct volume_mirror_ops *ops, int64_t wait_ns)
{
	*mirror = (struct volume_mirror){ .ops = ops, .wait_ns = wait_ns };
	rt_cond_init(&mirror->unused);
}

static void use(struct volume_mirror *mirror)
{
	mirror->users++;
}

static void leave(struct volume_mirror *mirror)
{
	assert(mirror->users > 0);
	if (--mirror->users == 0)
		rt_cond_wake_all(&mirror->unused);
}

void volume_set_mirror(struct volume *volume, struct volume_mirror *mirror)
{
	volume->mirror = mirror;
	rt_cond_wake_all(&volume->drained);
}

void volume_hold_mirror(struct volume *volume, struct volume_mirror *mirror, int refuse)
{
	mirror->held = true;
	mirror->refuse = refuse;
	volume->sends_stopped = volume->sends_stopped || (mirror->full && !planted(PLANTED_SYNC_SENT_IN_HOLD));
	rt_cond_wake_all(&volume->drained);
}

void volume_unhold_mirror(struct volume *volume, struct volume_mirror *mirror)
{
	mirror->held = false;
	mirror->refuse = 0;
	volume_go_on_sending(volume);
}

void volume_go_on_sending(struct volume *volume)
{
	volume->sends_stopped = false;
	rt_cond_wake_all(&volume->changed);
}

bool volume_fill_mirror(struct volume *volume, struct volume_mirror *mirror)
{
	const struct mask *mask = &volume->mask;

	assert(volume->tracked && volume->mirror == mirror);
	if (mirror->held || mask->sides[0].count[MASK_UNSENT] + mask->sides[1].count[MASK_UNSENT] > 0 ||
	    !list_empty(&volume->sends))
		return false;
	mirror->full = true;
	mirror->unreached = false;
	return true;
}

/* ---- writes ---- */

/* The blocks of the claim, or some of them, have to be brought to the far side first. */
static bool has_arrears(const struct volume *volume, const struct blocklock_claim *claim)
{
	bool flying;
	uint64_t unsent = mask_count_unsent(&volume->mask, claim->first, claim->end, &flying);

	if (!volume->mirror->full && (unsent == claim->end - claim->first || volume->mirror->unreached))
		return false;
	return unsent > 0 || flying;
}

bool volume_mirror_obstructs(const struct volume *volume, const struct blocklock_claim *claim)
{
	const struct volume_mirror *mirror = volume->mirror;

	return mirror && (mirror->refuse || (!mirror->held && has_arrears(volume, claim)));
}

/* They are sent before all others. Not for ever: then the pair gives its promise up, and the write is only noted. */
int volume_mirror_clear(struct volume *volume, const struct blocklock_claim *claim)
{
	struct volume_drain_wait wait = { .first = claim->first, .end = claim->end };
	struct volume_mirror *mirror = volume->mirror;
	int64_t until_ns = rt_now_ns() + mirror->wait_ns;
	int rc = 0;

	if (mirror->refuse)
		return mirror->refuse;
	use(mirror);
	list_add_last(&volume->drain_waits, &wait.link);
	rt_cond_wake_all(&volume->changed);
	while (!rc && volume->mirror == mirror && volume_mirror_obstructs(volume, claim)) {
		RT_LIMIT(until_ns);

		rc = rt_cond_wait(&volume->drained);
	}
	list_remove(&wait.link);
	if (rc == -ETIMEDOUT && rt_now_ns() >= until_ns) {
		mirror->unreached = true;
		rc = mirror->ops->give_up(mirror);
	}
	leave(mirror);
	return rc;
}

void volume_mirror_choose(struct volume *volume, const struct blocklock_claim *claim, struct volume_mirrored *mirrored)
{
	bool flying = false;

	*mirrored = (struct volume_mirrored){ .mirror = volume->mirror };
	if (!mirrored->mirror)
		return;
	use(mirrored->mirror);
	mirrored->sent = !mirrored->mirror->held && !planted(PLANTED_SYNC_ANSWERED_EARLY) &&
			 !mask_count_unsent(&volume->mask, claim->first, claim->end, &flying) && !flying;
	mirrored->promised = mirrored->mirror->full || mirrored->mirror->held;
}

void volume_mirror_send(struct volume *volume, const struct blocklock_claim *claim, struct volume_mirrored *mirrored,
			const void *buf, uint64_t offset, uint64_t len)
{
	struct mask_run run = { .first = claim->first, .end = claim->end };

	if (!mirrored->sent)
		return;
	mirrored->write = (struct volume_mirror_write){
		.buf = buf, .offset = offset, .len = len, .noted = volume->counters.noted,
	};
	mask_take_off(&volume->mask, &run);
	mirrored->begun = mirrored->mirror->ops->begin(mirrored->mirror, &mirrored->write);
}

/* The write is at the far side, too: 0. */
static int end_sent(struct volume *volume, const struct blocklock_claim *claim, struct volume_mirrored *mirrored,
		    int rc)
{
	int far = mirrored->begun;

	if (!far)
		far = mirrored->mirror->ops->end(mirrored->mirror, &mirrored->write);
	mirrored->mirror->unreached = mirrored->mirror->unreached && far;
	/* What failed here is sent as it is on the disk now. */
	if (volume->tracked)
		mask_land(&volume->mask, claim->first, claim->end, !far && !rc, NULL, NULL);
	rt_cond_wake_all(&volume->drained);
	rt_cond_wake_all(&volume->changed);
	return far;
}

int volume_mirror_finish(struct volume *volume, const struct blocklock_claim *claim, struct volume_mirrored *mirrored,
			 int rc)
{
	struct volume_mirror *mirror = mirrored->mirror;
	int far = 0;

	if (!mirror)
		return rc;
	if (mirrored->sent)
		far = end_sent(volume, claim, mirrored, rc);
	if (!rc && (far || (!mirrored->sent && mirrored->promised)) && !planted(PLANTED_SYNC_ANSWERED_EARLY))
		rc = mirror->ops->give_up(mirror);
	leave(mirror);
	return rc;
}

/* ---- flush and reads ---- */

int volume_sync_both(struct volume *volume)
{
	struct volume_mirror *mirror = volume->mirror && volume->mirror->full ? volume->mirror : NULL;
	uint64_t ticket = 0;
	int rc, far = 0;

	if (mirror) {
		use(mirror);
		ticket = mirror->ops->begin_flush(mirror);
	}
	rc = vdisk_sync(volume->disk);
	if (!mirror)
		return rc;
	far = mirror->ops->end_flush(mirror, ticket);
	if (far && !rc)
		rc = mirror->ops->give_up(mirror);
	leave(mirror);
	return rc;
}

int volume_wait_mirrored(struct volume *volume, uint64_t offset, uint64_t len)
{
	if (!volume->mirror || len == 0 || planted(PLANTED_SYNC_READ_UNANSWERED))
		return 0;
	return blocklock_wait_answered(&volume->lock, volume_first_block(offset), volume_end_block(offset, len));
}
