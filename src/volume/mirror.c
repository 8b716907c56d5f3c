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

void volume_set_mirror(struct volume_target *target, struct volume_mirror *mirror)
{
	target->mirror = mirror;
	rt_cond_wake_all(&target->drained);
}

void volume_hold_mirror(struct volume_target *target, struct volume_mirror *mirror, int refuse)
{
	mirror->held = true;
	mirror->refuse = refuse;
	target->sends_stopped = target->sends_stopped || (mirror->full && !planted(PLANTED_SYNC_SENT_IN_HOLD));
	rt_cond_wake_all(&target->drained);
}

void volume_unhold_mirror(struct volume_target *target, struct volume_mirror *mirror)
{
	mirror->held = false;
	mirror->refuse = 0;
	volume_go_on_sending(target);
}

void volume_go_on_sending(struct volume_target *target)
{
	target->sends_stopped = false;
	rt_cond_wake_all(&target->changed);
}

bool volume_fill_mirror(struct volume_target *target, struct volume_mirror *mirror)
{
	const struct mask *mask = &target->mask;

	assert(target->tracked && target->mirror == mirror);
	if (mirror->held || mask->sides[0].count[MASK_UNSENT] + mask->sides[1].count[MASK_UNSENT] > 0 ||
	    !list_empty(&target->sends))
		return false;
	mirror->full = true;
	mirror->unreached = false;
	return true;
}

/* ---- writes ---- */

/* The blocks of the claim, or some of them, have to be brought to the far side first. */
static bool has_arrears(const struct volume_target *target, const struct blocklock_claim *claim)
{
	bool flying;
	uint64_t unsent = mask_count_unsent(&target->mask, claim->first, claim->end, &flying);

	if (!target->mirror->full && (unsent == claim->end - claim->first || target->mirror->unreached))
		return false;
	return unsent > 0 || flying;
}

bool volume_mirror_obstructs(const struct volume_target *target, const struct blocklock_claim *claim)
{
	const struct volume_mirror *mirror = target->mirror;

	return mirror && (mirror->refuse || (!mirror->held && has_arrears(target, claim)));
}

/* They are sent before all others. Not for ever: then the pair gives its promise up, and the write is only noted. */
int volume_mirror_clear(struct volume_target *target, const struct blocklock_claim *claim)
{
	struct volume_drain_wait wait = { .first = claim->first, .end = claim->end };
	struct volume_mirror *mirror = target->mirror;
	int64_t until_ns = rt_now_ns() + mirror->wait_ns;
	int rc = 0;

	if (mirror->refuse)
		return mirror->refuse;
	use(mirror);
	list_add_last(&target->drain_waits, &wait.link);
	rt_cond_wake_all(&target->changed);
	while (!rc && target->mirror == mirror && volume_mirror_obstructs(target, claim)) {
		RT_LIMIT(until_ns);

		rc = rt_cond_wait(&target->drained);
	}
	list_remove(&wait.link);
	if (rc == -ETIMEDOUT && rt_now_ns() >= until_ns) {
		mirror->unreached = true;
		rc = mirror->ops->give_up(mirror);
	}
	leave(mirror);
	return rc == -EAGAIN ? 0 : rc;
}

void volume_mirror_choose(struct volume_target *target, const struct blocklock_claim *claim,
			  struct volume_mirrored *mirrored)
{
	struct volume_mirror *mirror = target->mirror;
	bool flying = false;

	mirrored->mirror = mirror;
	if (!mirror)
		return;
	use(mirror);
	mirrored->sent = !mirror->held && !planted(PLANTED_SYNC_ANSWERED_EARLY) &&
			 !mask_count_unsent(&target->mask, claim->first, claim->end, &flying) && !flying;
	mirrored->promised = mirror->full || mirror->held;
	mirrored->begun = -ECANCELED;
}

void volume_mirror_take_off(struct volume_target *target, const struct blocklock_claim *claim,
			    struct volume_mirrored *mirrored)
{
	struct mask_run run = { .first = claim->first, .end = claim->end };

	if (!mirrored->mirror || !mirrored->sent)
		return;
	mirrored->write.noted = target->volume->counters.noted;
	mask_take_off(&target->mask, &run);
}

void volume_mirror_send(struct volume_mirrored *mirrored, const void *buf, uint64_t offset, uint64_t len)
{
	/* While another mirror sent it, this one may have been held. */
	if (!mirrored->sent || mirrored->mirror->held)
		return;
	mirrored->write.buf = buf;
	mirrored->write.offset = offset;
	mirrored->write.len = len;
	mirrored->begun = mirrored->mirror->ops->begin(mirrored->mirror, &mirrored->write);
}

/* The write is at the far side, too: 0. */
static int end_sent(struct volume_target *target, const struct blocklock_claim *claim,
		    struct volume_mirrored *mirrored, int rc)
{
	int far = mirrored->begun;

	if (!far)
		far = mirrored->mirror->ops->end(mirrored->mirror, &mirrored->write);
	mirrored->mirror->unreached = mirrored->mirror->unreached && far;
	/* What failed here is sent as it is on the disk now. */
	if (target->tracked)
		mask_land(&target->mask, claim->first, claim->end, !far && !rc, NULL, NULL);
	rt_cond_wake_all(&target->drained);
	rt_cond_wake_all(&target->changed);
	return far;
}

/* What becomes of a write that is not at the far side. */
static int give_up(struct volume_target *target, const struct blocklock_claim *claim, struct volume_mirror *mirror)
{
	int rc = mirror->ops->give_up(mirror);

	while (rc == -EAGAIN) {
		rc = target->mirror == mirror ? volume_mirror_clear(target, claim) : 0;
		if (!rc && (target->mirror != mirror || mirror->held))
			rc = mirror->ops->give_up(mirror);
		else if (!rc && has_arrears(target, claim))
			rc = -EAGAIN;
	}
	return rc;
}

int volume_mirror_finish(struct volume_target *target, const struct blocklock_claim *claim,
			 struct volume_mirrored *mirrored, int rc)
{
	struct volume_mirror *mirror = mirrored->mirror;
	int far = 0;

	if (mirrored->sent)
		far = end_sent(target, claim, mirrored, rc);
	if (!rc && (far || (!mirrored->sent && mirrored->promised)) && !planted(PLANTED_SYNC_ANSWERED_EARLY))
		rc = give_up(target, claim, mirror);
	leave(mirror);
	return rc;
}

/* ---- flush and reads ---- */

/* A synchronous pair that is asked to make durable what its far side has. */
struct flush {
	struct volume_mirror *mirror;		/* NULL: it promises nothing */
	uint64_t ticket;
};

static void begin_flush(struct volume_mirror *mirror, struct flush *flush)
{
	flush->mirror = mirror && mirror->full ? mirror : NULL;
	if (!flush->mirror)
		return;
	use(mirror);
	flush->ticket = mirror->ops->begin_flush(mirror);
}

static int end_flush(const struct flush *flush, int rc)
{
	struct volume_mirror *mirror = flush->mirror;
	int far;

	if (!mirror)
		return rc;
	far = mirror->ops->end_flush(mirror, flush->ticket);
	if (far && !rc)
		rc = mirror->ops->give_up(mirror);
	/* It was held meanwhile, and goes on as before. */
	while (rc == -EAGAIN) {
		far = mirror->ops->end_flush(mirror, mirror->ops->begin_flush(mirror));
		rc = far ? mirror->ops->give_up(mirror) : 0;
	}
	leave(mirror);
	return rc;
}

int volume_sync_all(struct volume *volume)
{
	struct flush flushes[VOLUME_TARGETS_MAX];
	int rc;

	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		begin_flush(volume->targets[i].mirror, &flushes[i]);
	rc = vdisk_sync(volume->disk);
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		rc = end_flush(&flushes[i], rc);
	return rc;
}

int volume_wait_mirrored(struct volume *volume, uint64_t offset, uint64_t len)
{
	bool mirrored = false;

	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		mirrored = mirrored || volume->targets[i].mirror;
	if (!mirrored || len == 0 || planted(PLANTED_SYNC_READ_UNANSWERED))
		return 0;
	return blocklock_wait_answered(&volume->lock, volume_first_block(offset), volume_end_block(offset, len));
}
