/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late.c - the buffer of a FlashCopy source: writes that are noted, answered, and not yet on its disk, since their old
 * blocks are still to be kept. Each has the lock of its blocks until it is written. Reads of hosts and FLUSH see it;
 * all others read the disk, which has what the source was before it.
 *
 * A few fibers write them, each a batch at a time: the old blocks of a batch share the syncs that keep them.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rt/log.h"
#include "rt/mem.h"
#include "store/latelog.h"
#include "store/planted.h"
#include "volume/late.h"

#define BUFFER_BYTES	(UINT64_C(16) << 20)	/* of one volume */
#define REACTOR_BYTES	(UINT64_C(64) << 20)	/* of all volumes of a reactor */
#define BATCH_MAX	1024u			/* writes */
#define WRITERS_MAX	2u			/* while one waits for the map the other reads and syncs */
#define BUCKETS		256u
#define RETRY_NS	(10 * RT_MS)		/* after a lack of memory */

struct volume_late {
	struct latelog *log;
	struct list_head queue;			/* that nobody writes yet, in the order of their answers */
	struct list_head all;			/* in that order */
	struct list_head buckets[BUCKETS];	/* by zone */
	uint64_t bytes;				/* of all, and of those that have a place and are not answered */
	uint64_t accepted;
	unsigned places;			/* given and not yet taken, nor given back */
	unsigned writers;
	struct rt_group fibers;
	struct rt_cond changed;			/* there is something to write, or nothing will come */
	struct rt_cond written;			/* some were, or a place was given back */
};

struct late_write {
	struct list_head queue_link, all_link, zone_link;
	struct blocklock_claim claim;
	struct volume_noted noted[VOLUME_TARGETS_MAX];
	uint64_t offset, ticket;
	uint32_t len, slot;
	bool writing;				/* it is on its way to the disk as it is */
	uint8_t data[];
};

/* ---- the buffer of a volume ---- */

int volume_late_open(struct volume *volume, const char *path)
{
	struct volume_load *loads = volume->options.loads;
	struct volume_late *late;
	int rc;

	assert(volume->reactor == rt_here());
	if (volume->late || vdisk_is_direct(volume->disk))
		return 0;
	late = mem_alloc_zeroed(sizeof(*late));
	if (!late)
		return -ENOMEM;
	rc = latelog_create(loads ? loads[rt_reactor_index(volume->reactor)].late_files : NULL, path, &late->log);
	if (rc < 0) {
		mem_free(late);
		return rc;
	}
	list_init(&late->queue);
	list_init(&late->all);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&late->buckets[i]);
	rt_group_init(&late->fibers);
	rt_cond_init(&late->changed);
	rt_cond_init(&late->written);
	volume->late = late;
	return 0;
}

void volume_late_close(struct volume *volume)
{
	struct volume_late *late = volume->late;

	if (!late)
		return;
	assert(list_empty(&late->all) && late->places == 0);
	rt_group_stop(&late->fibers);
	latelog_close(late->log);
	mem_free(late);
	volume->late = NULL;
}

static uint64_t *reactor_bytes(struct volume *volume)
{
	struct volume_load *loads = volume->options.loads;

	return loads ? &loads[rt_reactor_index(volume->reactor)].late_bytes : &volume->late->bytes;
}

static void count_bytes(struct volume *volume, const struct late_write *write)
{
	uint64_t *all = reactor_bytes(volume);

	volume->late->bytes += sizeof(*write) + write->len;
	if (all != &volume->late->bytes)
		*all += sizeof(*write) + write->len;
}

static void free_write(struct volume *volume, struct late_write *write)
{
	uint64_t *all = reactor_bytes(volume), bytes = sizeof(*write) + write->len;

	assert(volume->late->bytes >= bytes && *all >= bytes);
	volume->late->bytes -= bytes;
	if (all != &volume->late->bytes)
		*all -= bytes;
	mem_free(write);
	rt_cond_wake_all(&volume->late->written);
}

/* ---- which writes are in it ---- */

static struct list_head *bucket_of(struct volume_late *late, uint64_t offset)
{
	return &late->buckets[offset / VOLUME_PIECE_BYTES % BUCKETS];
}

/* The first byte at or after offset, before end, that is in the buffer: its write. NULL: none is. */
static const struct late_write *find_next(struct volume_late *late, uint64_t offset, uint64_t end)
{
	const struct late_write *write, *found = NULL;

	for (uint64_t at = offset; !found && at < end; at = (at / VOLUME_PIECE_BYTES + 1) * VOLUME_PIECE_BYTES)
		list_for_each(write, bucket_of(late, at), zone_link)
			if (write->offset < end && write->offset + write->len > offset &&
			    (!found || write->offset < found->offset))
				found = write;
	return found;
}

int volume_late_read(struct volume *volume, void *buf, size_t len, uint64_t offset)
{
	uint64_t at = offset, end = offset + len;
	uint8_t *to = buf;
	int rc = 0;

	while (rc == 0 && at < end) {
		const struct late_write *write = volume->late && !list_empty(&volume->late->all) ?
			find_next(volume->late, at, end) : NULL;
		uint64_t until = write ? write->offset : end;

		if (write && write->offset <= at) {
			until = write->offset + write->len < end ? write->offset + write->len : end;
			memcpy(to, write->data + (at - write->offset), until - at);
		} else {
			rc = volume_read_content(volume, to, until - at, at);
		}
		to += until - at;
		at = until;
	}
	return rc;
}

int volume_late_drain(struct volume *volume)
{
	struct volume_late *late = planted(PLANTED_LATE_UNFLUSHED) ? NULL : volume->late;
	uint64_t last = late ? late->accepted : 0;
	int rc = 0;

	while (rc == 0 && late && !list_empty(&late->all) &&
	       list_first(&late->all, struct late_write, all_link)->ticket <= last)
		rc = rt_cond_wait(&late->written);
	return rc;
}

/* ---- they are written ---- */

/* The disk has it, or never will: what was answered is lost then, and the volume says so from here on. */
static void end_write(struct volume *volume, struct late_write *write, int rc)
{
	int voided = latelog_void(volume->late->log, write->slot);

	if (rc < 0 || voided < 0) {
		log_line(LOG_ERROR, "volume", "volume %04X: a write that was answered cannot be done: %s",
			 volume->options.id, strerrordesc_np(rc < 0 ? -rc : -voided));
		vdisk_give_up(volume->disk);
	}
	list_remove(&write->queue_link);
	list_remove(&write->all_link);
	list_remove(&write->zone_link);
	volume_end_writing(volume, &write->claim, write->noted);
	blocklock_release(&volume->lock, &write->claim);
	free_write(volume, write);
	volume_end_piece(volume);
	if (--volume->writers == 0)
		rt_cond_wake_all(&volume->idle);
}

static int by_block(const void *a, const void *b)
{
	const struct blocklock_claim *one = *(const struct blocklock_claim *const *)a;
	const struct blocklock_claim *other = *(const struct blocklock_claim *const *)b;

	return one->first < other->first ? -1 : one->first > other->first;
}

/* Nobody else takes these; they are in their batch until they are written. */
static unsigned take_batch(struct volume_late *late, const struct blocklock_claim **claims)
{
	unsigned count = 0;

	while (count < BATCH_MAX && !list_empty(&late->queue)) {
		struct late_write *write = list_first(&late->queue, struct late_write, queue_link);

		list_remove(&write->queue_link);
		claims[count++] = &write->claim;
	}
	qsort(claims, count, sizeof(claims[0]), by_block);
	return count;
}

static void write_batch(struct volume *volume, const struct blocklock_claim **claims, unsigned count)
{
	int rc;

	/* Hosts have their answers: a lack of memory makes it later. */
	while ((rc = volume_flash_keep_all(volume, claims, count)) == -ENOMEM)
		(void)!rt_sleep_until(rt_now_ns() + RETRY_NS);
	for (unsigned i = 0; i < count; i++) {
		struct late_write *write = container_of(claims[i], struct late_write, claim);
		int written = rc;

		write->writing = true;
		if (rc == 0) {
			written = vdisk_write(volume->disk, write->data, write->len, write->offset);
			volume->bare_writes++;
		}
		end_write(volume, write, written);
	}
}

static void run_writer(void *arg)
{
	struct volume *volume = arg;
	struct volume_late *late = volume->late;
	const struct blocklock_claim *claims[BATCH_MAX];
	RT_SHIELD();

	while (late->places > 0 || !list_empty(&late->queue)) {
		if (!list_empty(&late->queue))
			write_batch(volume, claims, take_batch(late, claims));
		else
			(void)!rt_cond_wait(&late->changed);
	}
	late->writers--;
}

/* One at the least for whoever has a place. */
static int start_writer(struct volume *volume)
{
	struct volume_late *late = volume->late;
	int rc;

	if (late->writers == WRITERS_MAX)
		return 0;
	rc = rt_group_start(&late->fibers, "late write", run_writer, volume);
	if (rc == 0)
		late->writers++;
	return late->writers > 0 ? 0 : rc;
}

/* ---- a write gets a place, and is answered from there ---- */

bool volume_late_is_allowed(struct volume *volume)
{
	struct volume_target *target;

	for_each_target(target, volume)
		if (target->mirror)
			return false;
	return volume->late && !volume->flash && !vdisk_failed(volume->disk);
}

static bool has_room(struct volume *volume)
{
	return volume->late->bytes < BUFFER_BYTES && *reactor_bytes(volume) < REACTOR_BYTES;
}

static void give_place_back(struct volume *volume, struct late_write *write)
{
	volume->late->places--;
	rt_cond_wake_all(&volume->late->changed);
	free_write(volume, write);
}

/* With its place. */
static struct late_write *make_write(struct volume *volume, const void *buf, uint32_t len, uint64_t offset)
{
	struct late_write *write = mem_alloc_zeroed(sizeof(*write) + len);

	if (!write)
		return NULL;
	write->offset = offset;
	write->len = len;
	memcpy(write->data, buf, len);
	list_init(&write->queue_link);
	list_init(&write->all_link);
	list_init(&write->zone_link);
	volume->late->places++;
	count_bytes(volume, write);
	return write;
}

int volume_late_reserve(struct volume *volume, const struct blocklock_claim *claim, const void *buf, uint64_t len,
			uint64_t offset, struct late_write **out)
{
	struct late_write *write;
	int rc = 0;

	*out = NULL;
	if (!volume_late_is_allowed(volume) || len > LATELOG_DATA_MAX)
		return 0;
	if (!volume_flash_has_space(volume, claim)) {
		rc = volume_flash_find_space(volume, claim);
		if (rc < 0 || !volume_flash_has_space(volume, claim))
			return volume_error_passes(rc) ? rc : 0;
	}
	while (!has_room(volume)) {
		/* Others of the reactor have all of it, and their end is not told here. */
		if (list_empty(&volume->late->all))
			return 0;
		rc = rt_cond_wait(&volume->late->written);
		if (rc < 0)
			return rc;
	}
	write = make_write(volume, buf, (uint32_t)len, offset);
	if (!write)
		return 0;
	rc = start_writer(volume);
	if (rc == 0)
		rc = latelog_put(volume->late->log, buf, write->len, offset, &write->slot);
	if (rc < 0)
		give_place_back(volume, write);
	else
		*out = write;
	if (latelog_failed(volume->late->log))
		vdisk_give_up(volume->disk);
	return rc == -ETIMEDOUT || rc == -ECANCELED ? rc : 0;
}

void volume_late_cancel(struct volume *volume, struct late_write *write)
{
	if (!write)
		return;
	if (latelog_void(volume->late->log, write->slot) < 0)
		vdisk_give_up(volume->disk);
	give_place_back(volume, write);
}

void volume_late_take(struct volume *volume, struct late_write *write, struct blocklock_claim *claim,
		      const struct volume_noted *noted)
{
	struct volume_late *late = volume->late;

	blocklock_move(claim, &write->claim);
	memcpy(write->noted, noted, sizeof(write->noted));
	write->ticket = ++late->accepted;
	list_add_last(&late->queue, &write->queue_link);
	list_add_last(&late->all, &write->all_link);
	list_add_last(bucket_of(late, write->offset), &write->zone_link);
	volume->pieces++;
	volume->writers++;
	late->places--;
	/* Where there is no second one, the first does it. */
	(void)!start_writer(volume);
	rt_cond_wake_all(&late->changed);
}

/* ---- the same blocks again ---- */

static bool is_of_open_increments(const struct volume *volume, const struct late_write *write)
{
	for (unsigned i = 0; i < VOLUME_TARGETS_MAX; i++) {
		const struct volume_target *target = &volume->targets[i];

		if (write->noted[i].number != (target->tracked ? target->open_number : 0))
			return false;
	}
	return true;
}

/* In the same increments the old write is as good as never made: nobody has sent it. */
static struct late_write *find_same(struct volume *volume, uint64_t len, uint64_t offset)
{
	struct late_write *write;

	if (!volume->late || list_empty(&volume->late->all))
		return NULL;
	list_for_each(write, bucket_of(volume->late, offset), zone_link)
		if (write->offset == offset && write->len == len && !write->writing &&
		    is_of_open_increments(volume, write))
			return write;
	return NULL;
}

bool volume_late_replace(struct volume *volume, const void *buf, uint64_t len, uint64_t offset,
			 struct volume_noted *noted, int *rc)
{
	struct late_write *write = find_same(volume, len, offset);
	uint32_t slot, old;

	if (!write || latelog_put(volume->late->log, buf, (uint32_t)len, offset, &slot) < 0)
		return false;
	write = find_same(volume, len, offset);
	if (write) {
		memcpy(write->data, buf, len);
		old = write->slot;
		write->slot = slot;
		memcpy(noted, write->noted, sizeof(write->noted));
	} else {
		old = slot;
	}
	*rc = latelog_void(volume->late->log, old);
	if (*rc < 0)
		vdisk_give_up(volume->disk);
	return write || *rc < 0;
}
