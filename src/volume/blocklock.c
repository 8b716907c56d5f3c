/* SPDX-License-Identifier: Apache-2.0 */
#include "volume/blocklock.h"

#include <assert.h>

#include "store/planted.h"

static uint64_t zone_of(uint64_t block)
{
	return block / BLOCKLOCK_ZONE_BLOCKS;
}

static bool overlaps(const struct blocklock_claim *claim, uint64_t first, uint64_t end)
{
	return claim->first < end && first < claim->end;
}

/* Senders stand in nobody's way until somebody wants to write. */
static bool stands_before(const struct blocklock_claim *before, const struct blocklock_claim *after)
{
	return before->state != BLOCKLOCK_SENDING && after->state != BLOCKLOCK_SENDING &&
		overlaps(before, after->first, after->end);
}

void blocklock_init(struct blocklock *lock)
{
	for (unsigned i = 0; i < BLOCKLOCK_BUCKETS; i++)
		list_init(&lock->buckets[i]);
	lock->count = 0;
	lock->started = 0;
	rt_cond_init(&lock->answered);
}

bool blocklock_is_free(const struct blocklock *lock)
{
	return lock->count == 0;
}

static void enter(struct blocklock *lock, struct blocklock_claim *claim, struct list_head *bucket)
{
	assert(claim->first < claim->end && zone_of(claim->first) == zone_of(claim->end - 1));
	list_add_last(bucket, &claim->link);
	lock->count++;
}

void blocklock_queue(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end)
{
	struct list_head *bucket = &lock->buckets[zone_of(first) % BLOCKLOCK_BUCKETS];
	const struct blocklock_claim *earlier;

	claim->first = first;
	claim->end = end;
	claim->state = BLOCKLOCK_CLAIMED;
	claim->waits_for = 0;
	rt_cond_init(&claim->granted);
	list_for_each(earlier, bucket, link)
		claim->waits_for += stands_before(earlier, claim);
	enter(lock, claim, bucket);
}

int blocklock_wait(struct blocklock *lock, struct blocklock_claim *claim)
{
	while (claim->waits_for > 0) {
		int rc = rt_cond_wait(&claim->granted);

		if (rc < 0 && claim->waits_for > 0) {
			blocklock_release(lock, claim);
			return rc;
		}
	}
	return 0;
}

int blocklock_claim(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end)
{
	blocklock_queue(lock, claim, first, end);
	return blocklock_wait(lock, claim);
}

void blocklock_move(struct blocklock_claim *from, struct blocklock_claim *to)
{
	assert(from->waits_for == 0 && !rt_cond_has_waiters(&from->granted));
	*to = *from;
	rt_cond_init(&to->granted);
	list_insert(&to->link, from->link.prev, from->link.next);
	list_init(&from->link);
}

/* What came after the claim and overlaps it no longer waits for it. */
static void let_pass(const struct blocklock_claim *claim, const struct list_head *bucket)
{
	for (const struct list_head *at = claim->link.next; at != bucket; at = at->next) {
		struct blocklock_claim *later = container_of(at, struct blocklock_claim, link);

		if (!stands_before(claim, later))
			continue;
		assert(later->waits_for > 0);
		if (--later->waits_for == 0)
			rt_cond_wake_all(&later->granted);
	}
}

/* Writes that wait for the sender of their blocks look again. */
static void wake_writes(const struct blocklock_claim *sender, const struct list_head *bucket)
{
	struct blocklock_claim *claim;

	list_for_each(claim, bucket, link)
		if (claim->state == BLOCKLOCK_CLAIMED && claim->waits_for == 0 &&
		    overlaps(claim, sender->first, sender->end))
			rt_cond_wake_all(&claim->granted);
}

void blocklock_release(struct blocklock *lock, struct blocklock_claim *claim)
{
	const struct list_head *bucket = &lock->buckets[zone_of(claim->first) % BLOCKLOCK_BUCKETS];

	assert(lock->count > 0 && claim->state != BLOCKLOCK_WRITING);
	if (claim->state == BLOCKLOCK_SENDING)
		wake_writes(claim, bucket);
	else
		let_pass(claim, bucket);
	if (claim->state == BLOCKLOCK_ANSWERING)
		rt_cond_wake_all(&lock->answered);
	list_remove(&claim->link);
	lock->count--;
}

/* A claim in this state that overlaps the range, which lies in one zone; NULL if there is none. */
static const struct blocklock_claim *find(const struct blocklock *lock, enum blocklock_state state, uint64_t first,
		uint64_t end)
{
	const struct blocklock_claim *claim;

	list_for_each(claim, &lock->buckets[zone_of(first) % BLOCKLOCK_BUCKETS], link)
		if (claim->state == state && overlaps(claim, first, end))
			return claim;
	return NULL;
}

bool blocklock_may_write(const struct blocklock *lock, const struct blocklock_claim *claim)
{
	return find(lock, BLOCKLOCK_SENDING, claim->first, claim->end) == NULL;
}

int blocklock_wait_senders(struct blocklock *lock, struct blocklock_claim *claim)
{
	assert(claim->state == BLOCKLOCK_CLAIMED && claim->waits_for == 0);
	if (blocklock_may_write(lock, claim))
		return 0;
	return rt_cond_wait(&claim->granted);
}

void blocklock_start_writing(struct blocklock *lock, struct blocklock_claim *claim)
{
	assert(claim->state == BLOCKLOCK_CLAIMED && claim->waits_for == 0);
	assert(blocklock_may_write(lock, claim));
	claim->state = BLOCKLOCK_WRITING;
	claim->number = ++lock->started;
}

void blocklock_end_writing(struct blocklock_claim *claim)
{
	assert(claim->state == BLOCKLOCK_WRITING);
	claim->state = BLOCKLOCK_ANSWERING;
}

bool blocklock_trim_to_firm(const struct blocklock *lock, uint64_t *first, uint64_t *end)
{
	const struct blocklock_claim *writing;

	if (planted(PLANTED_DRAIN_IGNORES_LOCK))
		return true;
	while (*first < *end && (writing = find(lock, BLOCKLOCK_WRITING, *first, *end)) != NULL) {
		if (writing->first <= *first)
			*first = writing->end;
		else
			*end = writing->first;
	}
	return *first < *end;
}

void blocklock_take_to_send(struct blocklock *lock, struct blocklock_claim *claim, uint64_t first, uint64_t end)
{
	claim->first = first;
	claim->end = end;
	claim->state = BLOCKLOCK_SENDING;
	claim->waits_for = 0;
	rt_cond_init(&claim->granted);
	enter(lock, claim, &lock->buckets[zone_of(first) % BLOCKLOCK_BUCKETS]);
}

bool blocklock_is_claimed(const struct blocklock *lock, uint64_t first, uint64_t end)
{
	for (unsigned i = 0; i < BLOCKLOCK_BUCKETS; i++) {
		const struct blocklock_claim *claim;

		list_for_each(claim, &lock->buckets[i], link)
			if (claim->state != BLOCKLOCK_SENDING && overlaps(claim, first, end))
				return true;
	}
	return false;
}

/* A write of the range that began to write, by this number, and has no answer. */
static bool is_unanswered(const struct blocklock *lock, uint64_t first, uint64_t end, uint64_t number)
{
	uint64_t zones = zone_of(end - 1) - zone_of(first) + 1;

	for (uint64_t i = 0; i < zones && i < BLOCKLOCK_BUCKETS; i++) {
		const struct blocklock_claim *claim;

		list_for_each(claim, &lock->buckets[(zone_of(first) + i) % BLOCKLOCK_BUCKETS], link)
			if ((claim->state == BLOCKLOCK_WRITING || claim->state == BLOCKLOCK_ANSWERING) &&
			    claim->number <= number && overlaps(claim, first, end))
				return true;
	}
	return false;
}

int blocklock_wait_answered(struct blocklock *lock, uint64_t first, uint64_t end)
{
	uint64_t number = lock->started;
	int rc = 0;

	while (!rc && is_unanswered(lock, first, end, number))
		rc = rt_cond_wait(&lock->answered);
	return rc;
}
