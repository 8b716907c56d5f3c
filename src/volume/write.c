/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - what changes a volume: host writes, zeroes and discards, and the writes of the far side. */
#include <assert.h>
#include <errno.h>

#include "store/planted.h"
#include "volume/late.h"

/* What is to be done to a range that lies within one zone. */
struct change {
	const void *buf;		/* NULL: zeroes */
	uint64_t offset, len;
	bool at_once;			/* to the disk: not answered from the buffer of a FlashCopy source */
	bool keep_allocated;		/* of zeroes */
	bool in_journal;		/* and stays there until it is durable here */
	const struct volume_target *from;	/* it comes from this one, and is not noted for it; NULL: for all */
};

/* What it is for each target, it is for this one. */
static bool concerns(const struct change *change, const struct volume_target *target)
{
	return target->tracked && target != change->from;
}

static bool is_noted(const struct volume *volume, const struct change *change)
{
	unsigned spared = change->from && change->from->tracked;

	return volume->target_count > spared;
}

static int put_zeroes(struct volume *volume, const struct change *change)
{
	int rc;

	volume_flash_begin_zero(volume, volume_first_block(change->offset));
	rc = vdisk_zero(volume->disk, change->offset, change->len, change->keep_allocated);
	volume_flash_end_zero(volume);
	return rc;
}

static int put_raw(struct volume *volume, const struct change *change)
{
	int rc = change->buf ? vdisk_write(volume->disk, change->buf, change->len, change->offset)
			     : put_zeroes(volume, change);

	/* Counted when it is written, not before: a sync that began meanwhile does not cover it. */
	volume->bare_writes += !change->in_journal;
	return rc;
}

/* Its blocks are claimed. Those of a FlashCopy target become its own. */
static int put_on_disk(struct volume *volume, const struct change *change)
{
	struct volume_flash *flash = volume_flash_use(volume);
	bool takes = false;
	int rc = flash ? volume_flash_begin_write(flash, change->offset, change->len, &takes) : 0;

	if (rc == 0)
		rc = put_raw(volume, change);
	if (rc == 0 && takes)
		rc = volume_flash_end_write(flash, change->offset, change->len);
	volume_flash_leave(flash);
	return rc;
}

static int claim_blocks(struct volume *volume, struct blocklock_claim *claim, const struct change *change)
{
	return blocklock_claim(&volume->lock, claim, volume_first_block(change->offset),
		volume_end_block(change->offset, change->len));
}

/* ---- step 3: what a write has to wait for ---- */

/* The planted mistakes of those who forget that there is more than one target. */
static bool spared(const struct volume_target *target, enum planted_mistake mistake)
{
	return planted(mistake) && target != target->volume->targets;
}

enum obstacle_kind {
	OBSTACLE_NONE, OBSTACLE_LOG, OBSTACLE_FLASH, OBSTACLE_ROOM, OBSTACLE_COLLISION, OBSTACLE_ARREARS,
	OBSTACLE_SENDER,
};

struct obstacle {
	enum obstacle_kind kind;
	struct volume_target *target;	/* for which something is to be done; NULL: for the volume */
};

static enum obstacle_kind find_obstacle_of(const struct volume_target *target, const struct blocklock_claim *claim)
{
	uint64_t first, end;

	if (!mask_has_room(&target->mask, claim->first, claim->end))
		return OBSTACLE_ROOM;
	if (!planted(PLANTED_NOTE_THEN_KEEP) && !spared(target, PLANTED_KEPT_FOR_ONE) &&
	    mask_find_collision(&target->mask, claim->first, claim->end, &first, &end))
		return OBSTACLE_COLLISION;
	return volume_mirror_obstructs(target, claim) ? OBSTACLE_ARREARS : OBSTACLE_NONE;
}

/* The first thing that keeps the claim from being noted and written (late: or taken by the buffer) in this moment. */
static struct obstacle find_obstacle(struct volume *volume, const struct change *change,
				     const struct blocklock_claim *claim, const struct late_write *late)
{
	struct obstacle found = { 0 };

	if (is_noted(volume, change) && !volume_is_logged(volume, claim->first))
		return (struct obstacle){ OBSTACLE_LOG, NULL };
	if (!volume_flash_has_kept(volume, claim) && !(late && volume_late_is_allowed(volume)))
		return (struct obstacle){ OBSTACLE_FLASH, NULL };
	for_each_target(found.target, volume) {
		if (concerns(change, found.target))
			found.kind = find_obstacle_of(found.target, claim);
		if (found.kind != OBSTACLE_NONE)
			return found;
	}
	found.kind = blocklock_may_write(&volume->lock, claim) ? OBSTACLE_NONE : OBSTACLE_SENDER;
	return found;
}

/* How many blocks of the claim collide; their numbers go to the room, if there is one. */
static uint32_t list_collisions(const struct volume_target *target, const struct blocklock_claim *claim,
		struct sidefile_room *room)
{
	uint64_t from = claim->first, first, end;
	uint32_t count = 0;

	while (from < claim->end && mask_find_collision(&target->mask, from, claim->end, &first, &end)) {
		for (uint64_t block = first; block < end; block++, count++)
			if (room)
				room->entries[count].block = block;
		from = end;
	}
	return count;
}

/* The claim keeps others from writing these blocks, so what is read is what the closing increment needs. */
static int read_old_blocks(struct volume_target *target, const struct sidefile_room *room)
{
	int rc = 0;

	for (uint32_t from = 0, to; rc == 0 && from < room->count; from = to) {
		uint64_t first = room->entries[from].block;

		for (to = from + 1; to < room->count && room->entries[to].block == first + (to - from); to++)
			;
		rc = volume_read_content(target->volume, room->data + (size_t)from * XDC_BLOCK_SIZE,
			volume_bytes(target->volume, first, first + (to - from)), first * XDC_BLOCK_SIZE);
	}
	return rc;
}

/* Enters those that still collide: in the meantime some may have been acknowledged, or the increment is over. */
static void keep_old_blocks(struct volume_target *target, struct sidefile_room *room)
{
	for (uint32_t i = 0; target->tracked && i < room->count; i++) {
		uint64_t block = room->entries[i].block, first, end;

		if (!mask_find_collision(&target->mask, block, block + 1, &first, &end))
			continue;
		sidefile_enter(&target->sidefile, room, i, block);
		mask_keep(&target->mask, block, block + 1);
		target->counters.collisions_sidefile++;
	}
	sidefile_leave(&target->sidefile, room);
}

/*
 * The blocks of the claim are sent before all others. Not for ever: then the attempt fails here and the write goes on.
 */
static int wait_for_drain(struct volume_target *target, const struct blocklock_claim *claim, int64_t *until_ns)
{
	struct volume_drain_wait wait = { .first = claim->first, .end = claim->end };
	int rc;

	if (*until_ns == RT_NEVER) {
		*until_ns = rt_now_ns() + target->volume->options.sidefile_wait_ms * RT_MS;
		target->counters.collisions_waited++;
	}
	list_add_last(&target->drain_waits, &wait.link);
	rt_cond_wake_all(&target->changed);
	{
		RT_LIMIT(*until_ns);
		rc = rt_cond_wait(&target->drained);
	}
	list_remove(&wait.link);
	if (rc == -ETIMEDOUT && rt_now_ns() >= *until_ns) {
		volume_give_up_attempt(target);
		return 0;
	}
	return rc;
}

/* The closing increment still needs old blocks of the claim: to the sidefile with them, all or none. Suspends. */
static int save_old_blocks(struct volume_target *target, const struct blocklock_claim *claim, int64_t *until_ns)
{
	struct sidefile_room *room;
	int rc;

	room = sidefile_reserve(&target->sidefile, list_collisions(target, claim, NULL));
	if (!room)
		return wait_for_drain(target, claim, until_ns);
	list_collisions(target, claim, room);
	rc = read_old_blocks(target, room);
	if (rc < 0) {
		sidefile_leave(&target->sidefile, room);
		if (rc == -ETIMEDOUT || rc == -ECANCELED)
			return rc;
		volume_give_up_attempt(target);		/* the host may well overwrite what cannot be read */
		return 0;
	}
	keep_old_blocks(target, room);
	return 0;
}

/* A place in the buffer, where the old blocks are kept later; or they are kept now. */
static int clear_flash(struct volume *volume, const struct change *change, const struct blocklock_claim *claim,
		       struct late_write **late)
{
	int rc = 0;

	volume_late_cancel(volume, *late);
	*late = NULL;
	if (change->buf && !change->at_once)
		rc = volume_late_reserve(volume, claim, change->buf, change->len, change->offset, late);
	return rc == 0 && !*late ? volume_flash_keep(volume, claim) : rc;
}

static int clear_obstacle(struct volume *volume, const struct change *change, struct blocklock_claim *claim,
			  const struct obstacle *obstacle, struct late_write **late, int64_t *until_ns)
{
	switch (obstacle->kind) {
	case OBSTACLE_LOG:
		return volume_log_region(volume, claim->first);
	case OBSTACLE_FLASH:
		return clear_flash(volume, change, claim, late);
	case OBSTACLE_ROOM:
		return mask_reserve(&obstacle->target->mask, claim->first, claim->end);
	case OBSTACLE_COLLISION:
		return save_old_blocks(obstacle->target, claim, until_ns);
	case OBSTACLE_ARREARS:
		return volume_mirror_clear(obstacle->target, claim);
	case OBSTACLE_SENDER:
		return blocklock_wait_senders(&volume->lock, claim);
	case OBSTACLE_NONE:
		break;
	}
	return -EINVAL;
}

/* ---- step 4 ---- */

static void note_for(struct volume_target *target, const struct change *change, const struct blocklock_claim *claim,
		     struct volume_noted *noted)
{
	volume_mirror_choose(target, claim, &noted->mirrored);
	if (target->first_note && !mask_open_side(&target->mask)->count[MASK_NEEDED])
		target->first_note(target->first_note_arg);
	if ((change->buf || !planted(PLANTED_ZERO_NOT_NOTED)) && !spared(target, PLANTED_NOTED_IN_ONE))
		mask_note(&target->mask, claim->first, claim->end);
	volume_mirror_take_off(target, claim, &noted->mirrored);
	volume_unsettle_looks(target, claim->first, claim->end);
	noted->number = target->open_number;
}

static void note(struct volume *volume, const struct change *change, const struct blocklock_claim *claim,
		 struct volume_noted noted[VOLUME_TARGETS_MAX])
{
	volume->counters.noted += is_noted(volume, change);
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		noted[i].number = 0;
		noted[i].mirrored.mirror = NULL;
		if (planted(PLANTED_SECOND_UNNOTED) && i > 0 && claim->first % 4 == 0)
			continue;
		if (concerns(change, &volume->targets[i]))
			note_for(&volume->targets[i], change, claim, &noted[i]);
	}
}

/* ---- the planted mistakes of this file; nothing of them is left in a server ---- */

/* NOTE_LATE: the write is on disk, and only now is it noted. */
static void note_nothing(struct volume *volume, struct volume_noted noted[VOLUME_TARGETS_MAX])
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		const struct volume_target *target = &volume->targets[i];

		noted[i] = (struct volume_noted){ .number = target->tracked ? target->open_number : 0 };
	}
}

static int note_late(struct volume *volume, const struct change *change, const struct blocklock_claim *claim,
		     struct volume_noted noted[VOLUME_TARGETS_MAX])
{
	struct volume_target *target;
	int rc = 0;

	rt_yield();
	for_each_target(target, volume)
		rc = rc == 0 ? mask_reserve(&target->mask, claim->first, claim->end) : rc;
	if (rc == 0)
		note(volume, change, claim, noted);
	return rc;
}

/* NOTE_THEN_KEEP: the write is noted, and only now are old blocks kept. */
static int keep_late(struct volume *volume, const struct blocklock_claim *claim)
{
	int64_t until_ns = RT_NEVER;
	struct volume_target *target;
	uint64_t first, end;
	int rc = 0;

	rt_yield();
	for_each_target(target, volume)
		while (rc == 0 && mask_find_collision(&target->mask, claim->first, claim->end, &first, &end))
			rc = save_old_blocks(target, claim, &until_ns);
	return rc;
}

/* ---- a host write, in order: design.md section 5 ---- */

static void start_writing(struct volume *volume, struct blocklock_claim *claim, const struct volume_noted *noted)
{
	blocklock_start_writing(&volume->lock, claim);
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++)
		volume->targets[i].unnoted_writes += noted[i].number == 0;
}

void volume_end_writing(struct volume *volume, struct blocklock_claim *claim, const struct volume_noted *noted)
{
	blocklock_end_writing(claim);
	volume_note_written(volume, claim->first);
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		struct volume_target *target = &volume->targets[i];

		assert(target->unnoted_writes >= (noted[i].number == 0));
		target->unnoted_writes -= noted[i].number == 0;
		if (target->tracked)
			rt_cond_wake_all(&target->changed);
	}
}

static int wait_releases(struct volume *volume, const struct volume_noted *noted)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < VOLUME_TARGETS_MAX && !planted(PLANTED_NO_WRITE_HOLD); i++) {
		struct volume_target *target = &volume->targets[i];

		if (noted[i].number && !spared(target, PLANTED_HELD_BY_ONE))
			rc = volume_wait_release(target, noted[i].number, &target->counters.held_writes);
	}
	return rc;
}

static void send_to_mirrors(const struct change *change, struct volume_noted noted[VOLUME_TARGETS_MAX])
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		if (noted[i].mirrored.mirror)
			volume_mirror_send(&noted[i].mirrored, change->buf, change->offset, change->len);
	}
}

static int finish_mirrors(struct volume *volume, const struct blocklock_claim *claim,
			  struct volume_noted noted[VOLUME_TARGETS_MAX], int rc)
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		if (noted[i].mirrored.mirror)
			rc = volume_mirror_finish(&volume->targets[i], claim, &noted[i].mirrored, rc);
	}
	return rc;
}

/* Step 1, admission, is behind us. */
static int do_write(struct volume *volume, const struct change *change)
{
	int64_t until_ns = RT_NEVER;		/* for the drain; set when the wait begins */
	struct volume_noted noted[VOLUME_TARGETS_MAX];
	struct late_write *late = NULL;		/* its place in the buffer, if it is answered from there */
	struct blocklock_claim claim;
	struct obstacle obstacle;
	int rc;

	/* A write of the same blocks is in the buffer still: this one takes its place. */
	if (change->buf && !change->at_once && volume_late_replace(volume, change->buf, change->len, change->offset,
								   noted, &rc))
		return rc ? rc : wait_releases(volume, noted);

	/* 2. Claim the blocks. */
	rc = claim_blocks(volume, &claim, change);

	/*
	 * 3. Wait for what may take time: the dirty log's region, old blocks that FlashCopy targets keep; for each
	 * target masks, old blocks that its sidefile keeps, what its mirror owes the far side; senders of the old
	 * content.
	 */
	while (rc == 0 && (obstacle = find_obstacle(volume, change, &claim, late)).kind != OBSTACLE_NONE) {
		rc = clear_obstacle(volume, change, &claim, &obstacle, &late, &until_ns);
		if (rc < 0) {
			volume_late_cancel(volume, late);
			blocklock_release(&volume->lock, &claim);
		}
	}
	if (rc < 0)
		return rc;

	/* 4. In one step with the last look for obstacles: note all blocks in the open increment of each target. */
	if (planted(PLANTED_NOTE_LATE))
		note_nothing(volume, noted);
	else
		note(volume, change, &claim, noted);
	start_writing(volume, &claim, noted);
	if (planted(PLANTED_NOTE_THEN_KEEP))
		rc = keep_late(volume, &claim);

	/* 5 is for later: the buffer has the write and its blocks, and 7 is all that its answer waits for. */
	if (late) {
		volume_late_take(volume, late, &claim, noted);
		return wait_releases(volume, noted);
	}

	/* 6 begins: synchronous pairs send it while it goes to the disk. */
	send_to_mirrors(change, noted);

	/* 5. Write. If it fails the blocks stay noted: any part of them may be on disk. */
	if (rc == 0)
		rc = put_on_disk(volume, change);
	if (planted(PLANTED_NOTE_LATE) && rc == 0)
		rc = note_late(volume, change, &claim, noted);
	volume_end_writing(volume, &claim, noted);

	/* 6. It is at the far sides, too; or the pairs do not promise that any more. */
	rc = finish_mirrors(volume, &claim, noted, rc);

	/* 7. What was noted in a held increment is answered when every system has closed the one before. */
	if (rc == 0)
		rc = wait_releases(volume, noted);

	/* 8. Answer, unlock. */
	blocklock_release(&volume->lock, &claim);
	return rc;
}

/* A request of any length, in pieces, each of them a write of its own. */
static int write_pieces(struct volume *volume, struct change change, unsigned flags)
{
	uint64_t offset = change.offset, len = change.len;
	const uint8_t *buf = change.buf;
	int rc = 0;

	while (rc == 0 && len > 0) {
		change.offset = offset;
		change.len = volume_piece_len(offset, len);
		change.buf = buf;
		rc = volume_begin_piece(volume);
		if (rc < 0)
			return rc;
		rc = do_write(volume, &change);
		volume_end_piece(volume);
		offset += change.len;
		len -= change.len;
		buf = buf ? buf + change.len : NULL;
	}
	if (rc == 0 && (flags & VOLUME_FUA))
		rc = volume_sync_all(volume);
	return rc;
}

static int host_write(struct volume *volume, const struct change *change, unsigned flags, uint64_t *answered)
{
	int rc = volume_admit_write(volume);

	if (rc < 0)
		return rc;
	rc = write_pieces(volume, *change, flags);
	*answered += rc == 0;
	volume_leave_write(volume);
	return rc;
}

int volume_write(struct volume *volume, const void *buf, size_t len, uint64_t offset, unsigned flags)
{
	struct change change = { .buf = buf, .offset = offset, .len = len, .at_once = flags & VOLUME_FUA };
	int rc = host_write(volume, &change, flags, &volume->counters.writes);

	volume->counters.written_bytes += rc == 0 ? len : 0;
	return rc;
}

int volume_zero(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags)
{
	struct change change = { .offset = offset, .len = len, .keep_allocated = flags & VOLUME_NO_HOLE };

	return host_write(volume, &change, flags, &volume->counters.writes);
}

int volume_discard(struct volume *volume, uint64_t len, uint64_t offset, unsigned flags)
{
	struct change change = { .offset = offset, .len = len };

	return host_write(volume, &change, flags, &volume->counters.discards);
}

/* ---- the far side ---- */

/* As of a host, but that nobody asks whether it may be. */
static int apply(struct volume *volume, struct change change)
{
	int rc;

	if (planted(PLANTED_APPLIED_UNNOTED))
		change.from = &volume->targets[0];
	volume->appliers++;
	rc = write_pieces(volume, change, 0);
	if (--volume->appliers == 0)
		rt_cond_wake_all(&volume->idle);
	return rc;
}

int volume_apply(struct volume *volume, const struct volume_target *from, const void *buf, size_t len, uint64_t offset)
{
	struct change change = { .buf = buf, .offset = offset, .len = len, .from = from, .at_once = true };

	assert(buf);
	return apply(volume, change);
}

int volume_apply_zero(struct volume *volume, const struct volume_target *from, uint64_t len, uint64_t offset)
{
	return apply(volume, (struct change){ .offset = offset, .len = len, .from = from, .at_once = true });
}

int volume_apply_journal(struct volume *volume, const struct volume_target *from, const void *buf, uint64_t len,
			 uint64_t offset)
{
	return apply(volume, (struct change){ .buf = buf, .offset = offset, .len = len, .from = from, .at_once = true,
					      .in_journal = true });
}

int volume_apply_read(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	int rc;

	volume->appliers++;
	rc = volume_read_content(volume, buf, len, offset);
	/* What a failed sync has left in memory may not be on the disk. */
	if (rc == 0 && vdisk_failed(volume->disk))
		rc = -EIO;
	if (--volume->appliers == 0)
		rt_cond_wake_all(&volume->idle);
	return rc;
}

int volume_apply_sync(struct volume *volume)
{
	uint64_t bare_writes = volume->bare_writes;
	int rc = vdisk_sync(volume->disk);

	if (rc == 0 && bare_writes > volume->bare_synced)
		volume->bare_synced = bare_writes;
	return rc;
}

int volume_apply_sync_bare(struct volume *volume)
{
	if (vdisk_failed(volume->disk))
		return -EIO;
	if (planted(PLANTED_BARE_NOT_SYNCED))
		return 0;
	return volume->bare_synced < volume->bare_writes ? volume_apply_sync(volume) : 0;
}
