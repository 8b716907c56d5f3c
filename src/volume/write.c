/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - what changes a volume: host writes, zeroes and discards, and the writes of the far side. */
#include <assert.h>
#include <errno.h>

#include "store/planted.h"
#include "volume/flash_internal.h"

/* What is to be done to a range that lies within one zone. */
struct change {
	const void *buf;		/* NULL: zeroes */
	uint64_t offset, len;
	bool keep_allocated;		/* of zeroes */
	bool in_journal;		/* and stays there until it is durable here */
};

static int put_raw(struct volume *volume, const struct change *change)
{
	int rc = change->buf ? vdisk_write(volume->disk, change->buf, change->len, change->offset)
			     : vdisk_zero(volume->disk, change->offset, change->len, change->keep_allocated);

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

enum obstacle {
	OBSTACLE_NONE, OBSTACLE_ROOM, OBSTACLE_LOG, OBSTACLE_FLASH, OBSTACLE_COLLISION, OBSTACLE_ARREARS,
	OBSTACLE_SENDER,
};

/* The first thing that keeps the claim from being noted and written in this moment. */
static enum obstacle find_obstacle(const struct volume *volume, const struct blocklock_claim *claim)
{
	uint64_t first, end;

	if (volume->tracked) {
		if (!mask_has_room(&volume->mask, claim->first, claim->end))
			return OBSTACLE_ROOM;
		if (!volume_is_logged(volume, claim->first))
			return OBSTACLE_LOG;
	}
	if (!volume_flash_has_kept(volume, claim))
		return OBSTACLE_FLASH;
	if (volume->tracked) {
		if (!planted(PLANTED_NOTE_THEN_KEEP) &&
		    mask_find_collision(&volume->mask, claim->first, claim->end, &first, &end))
			return OBSTACLE_COLLISION;
		if (volume_mirror_obstructs(volume, claim))
			return OBSTACLE_ARREARS;
	}
	return blocklock_may_write(&volume->lock, claim) ? OBSTACLE_NONE : OBSTACLE_SENDER;
}

/* How many blocks of the claim collide; their numbers go to the room, if there is one. */
static uint32_t list_collisions(const struct volume *volume, const struct blocklock_claim *claim,
		struct sidefile_room *room)
{
	uint64_t from = claim->first, first, end;
	uint32_t count = 0;

	while (from < claim->end && mask_find_collision(&volume->mask, from, claim->end, &first, &end)) {
		for (uint64_t block = first; block < end; block++, count++)
			if (room)
				room->entries[count].block = block;
		from = end;
	}
	return count;
}

/* The claim keeps others from writing these blocks, so what is read is what the closing increment needs. */
static int read_old_blocks(struct volume *volume, const struct sidefile_room *room)
{
	int rc = 0;

	for (uint32_t from = 0, to; rc == 0 && from < room->count; from = to) {
		uint64_t first = room->entries[from].block;

		for (to = from + 1; to < room->count && room->entries[to].block == first + (to - from); to++)
			;
		rc = volume_read_content(volume, room->data + (size_t)from * XDC_BLOCK_SIZE,
			volume_bytes(volume, first, first + (to - from)), first * XDC_BLOCK_SIZE);
	}
	return rc;
}

/* Enters those that still collide: in the meantime some may have been acknowledged, or the increment is over. */
static void keep_old_blocks(struct volume *volume, struct sidefile_room *room)
{
	for (uint32_t i = 0; volume->tracked && i < room->count; i++) {
		uint64_t block = room->entries[i].block, first, end;

		if (!mask_find_collision(&volume->mask, block, block + 1, &first, &end))
			continue;
		sidefile_enter(&volume->sidefile, room, i, block);
		mask_keep(&volume->mask, block, block + 1);
		volume->counters.collisions_sidefile++;
	}
	sidefile_leave(&volume->sidefile, room);
}

/*
 * The blocks of the claim are sent before all others. Not for ever: then the attempt fails here and the write goes on.
 */
static int wait_for_drain(struct volume *volume, const struct blocklock_claim *claim, int64_t *until_ns)
{
	struct volume_drain_wait wait = { .first = claim->first, .end = claim->end };
	int rc;

	if (*until_ns == RT_NEVER) {
		*until_ns = rt_now_ns() + volume->options.sidefile_wait_ms * RT_MS;
		volume->counters.collisions_waited++;
	}
	list_add_last(&volume->drain_waits, &wait.link);
	rt_cond_wake_all(&volume->changed);
	{
		RT_LIMIT(*until_ns);
		rc = rt_cond_wait(&volume->drained);
	}
	list_remove(&wait.link);
	if (rc == -ETIMEDOUT && rt_now_ns() >= *until_ns) {
		volume_give_up_attempt(volume);
		return 0;
	}
	return rc;
}

/* The closing increment still needs old blocks of the claim: to the sidefile with them, all or none. Suspends. */
static int save_old_blocks(struct volume *volume, const struct blocklock_claim *claim, int64_t *until_ns)
{
	struct sidefile_room *room;
	int rc;

	room = sidefile_reserve(&volume->sidefile, list_collisions(volume, claim, NULL));
	if (!room)
		return wait_for_drain(volume, claim, until_ns);
	list_collisions(volume, claim, room);
	rc = read_old_blocks(volume, room);
	if (rc < 0) {
		sidefile_leave(&volume->sidefile, room);
		if (rc == -ETIMEDOUT || rc == -ECANCELED)
			return rc;
		volume_give_up_attempt(volume);		/* the host may well overwrite what cannot be read */
		return 0;
	}
	keep_old_blocks(volume, room);
	return 0;
}

static int clear_obstacle(struct volume *volume, struct blocklock_claim *claim, enum obstacle obstacle,
		int64_t *until_ns)
{
	switch (obstacle) {
	case OBSTACLE_ROOM:
		return mask_reserve(&volume->mask, claim->first, claim->end);
	case OBSTACLE_LOG:
		return volume_log_region(volume, claim->first);
	case OBSTACLE_FLASH:
		return volume_flash_keep(volume, claim);
	case OBSTACLE_COLLISION:
		return save_old_blocks(volume, claim, until_ns);
	case OBSTACLE_ARREARS:
		return volume_mirror_clear(volume, claim);
	case OBSTACLE_SENDER:
		return blocklock_wait_senders(&volume->lock, claim);
	case OBSTACLE_NONE:
		break;
	}
	return -EINVAL;
}

/* ---- step 4 ---- */

/* The number of the increment that the write belongs to; 0 where nothing is noted. */
static uint64_t note(struct volume *volume, const struct change *change, const struct blocklock_claim *claim)
{
	if (!volume->tracked) {
		volume->unnoted_writes++;
		return 0;
	}
	if (volume->first_note && !mask_open_side(&volume->mask)->count[MASK_NEEDED])
		volume->first_note(volume->first_note_arg);
	if (change->buf || !planted(PLANTED_ZERO_NOT_NOTED))
		mask_note(&volume->mask, claim->first, claim->end);
	volume_unsettle_looks(volume, claim->first, claim->end);
	volume->counters.noted++;
	return volume->open_number;
}

/* ---- the planted mistakes of this file; nothing of them is left in a server ---- */

/* NOTE_LATE: the write is on disk, and only now is it noted. */
static int note_late(struct volume *volume, const struct change *change, const struct blocklock_claim *claim,
		     uint64_t *number)
{
	int rc;

	rt_yield();
	rc = mask_reserve(&volume->mask, claim->first, claim->end);
	if (rc == 0)
		*number = note(volume, change, claim);
	return rc;
}

/* NOTE_THEN_KEEP: the write is noted, and only now are old blocks kept. */
static int keep_late(struct volume *volume, const struct blocklock_claim *claim)
{
	int64_t until_ns = RT_NEVER;
	uint64_t first, end;
	int rc = 0;

	rt_yield();
	while (rc == 0 && mask_find_collision(&volume->mask, claim->first, claim->end, &first, &end))
		rc = save_old_blocks(volume, claim, &until_ns);
	return rc;
}

/* ---- a host write, in order: design.md section 5 ---- */

/* The write reached the disk or failed; either way it may now be sent as it is. */
static void end_writing(struct volume *volume, struct blocklock_claim *claim, uint64_t number)
{
	blocklock_end_writing(claim);
	volume_note_written(volume, claim->first);
	if (number == 0) {
		assert(volume->unnoted_writes > 0);
		volume->unnoted_writes--;
	}
	rt_cond_wake_all(&volume->changed);
}

/* Step 1, admission, is behind us. */
static int do_write(struct volume *volume, const struct change *change)
{
	int64_t until_ns = RT_NEVER;		/* for the drain; set when the wait begins */
	struct volume_mirrored mirrored;
	struct blocklock_claim claim;
	enum obstacle obstacle;
	uint64_t number;
	int rc;

	/* 2. Claim the blocks. */
	rc = claim_blocks(volume, &claim, change);

	/*
	 * 3. Wait for what may take time: masks, the dirty log's region, old blocks that FlashCopy targets or the
	 * sidefile keep, what a mirror owes the far side, senders of the old content.
	 */
	while (rc == 0 && (obstacle = find_obstacle(volume, &claim)) != OBSTACLE_NONE) {
		rc = clear_obstacle(volume, &claim, obstacle, &until_ns);
		if (rc < 0)
			blocklock_release(&volume->lock, &claim);
	}
	if (rc < 0)
		return rc;

	/* 4. In one step with the last look for obstacles: note all blocks in the open increment. */
	volume_mirror_choose(volume, &claim, &mirrored);
	number = planted(PLANTED_NOTE_LATE) ? volume->open_number : note(volume, change, &claim);
	blocklock_start_writing(&volume->lock, &claim);
	if (planted(PLANTED_NOTE_THEN_KEEP))
		rc = keep_late(volume, &claim);

	/* 6 begins: a synchronous pair sends it while it goes to the disk. */
	volume_mirror_send(volume, &claim, &mirrored, change->buf, change->offset, change->len);

	/* 5. Write. If it fails the blocks stay noted: any part of them may be on disk. */
	if (rc == 0)
		rc = put_on_disk(volume, change);
	if (planted(PLANTED_NOTE_LATE) && rc == 0)
		rc = note_late(volume, change, &claim, &number);
	end_writing(volume, &claim, number);

	/* 6. It is at the far side, too; or the pair does not promise that any more. */
	rc = volume_mirror_finish(volume, &claim, &mirrored, rc);

	/* 7. What was noted in the held increment is answered when every system has closed the one before. */
	if (rc == 0 && !planted(PLANTED_NO_WRITE_HOLD))
		rc = volume_wait_release(volume, number, &volume->counters.held_writes);

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
		rc = volume_sync_both(volume);
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
	struct change change = { .buf = buf, .offset = offset, .len = len };
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

static int apply_piece(struct volume *volume, const struct change *change)
{
	struct blocklock_claim claim;
	int rc = volume_begin_piece(volume);

	if (rc < 0)
		return rc;
	rc = claim_blocks(volume, &claim, change);
	if (rc == 0) {
		rc = volume_flash_keep(volume, &claim);
		if (rc == 0)
			rc = put_on_disk(volume, change);
		blocklock_release(&volume->lock, &claim);
	}
	volume_end_piece(volume);
	return rc;
}

static int apply(struct volume *volume, const uint8_t *buf, uint64_t len, uint64_t offset, bool in_journal)
{
	int rc = 0;

	volume->appliers++;
	while (rc == 0 && len > 0) {
		struct change change = { .buf = buf, .offset = offset, .len = volume_piece_len(offset, len),
					 .in_journal = in_journal };

		rc = apply_piece(volume, &change);
		offset += change.len;
		len -= change.len;
		buf = buf ? buf + change.len : NULL;
	}
	if (--volume->appliers == 0)
		rt_cond_wake_all(&volume->idle);
	return rc;
}

int volume_apply(struct volume *volume, const void *buf, size_t len, uint64_t offset)
{
	assert(buf);
	return apply(volume, buf, len, offset, false);
}

int volume_apply_zero(struct volume *volume, uint64_t len, uint64_t offset)
{
	return apply(volume, NULL, len, offset, false);
}

int volume_apply_journal(struct volume *volume, const void *buf, uint64_t len, uint64_t offset)
{
	return apply(volume, buf, len, offset, true);
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
