/* SPDX-License-Identifier: Apache-2.0 */
/* Range locks: who may have which blocks when, in small cases by hand and under many writers and senders by chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/sim.h"
#include "volume/blocklock.h"

static void run(uint64_t seed, int (*scenario)(void *arg), void *arg)
{
	struct sim_world *world = sim_create(seed, NULL);
	enum sim_end end = sim_run(world, scenario, arg, 1000 * RT_SECOND);

	if (end != SIM_DONE)
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

/* ---- in order of arrival ---- */

struct waiter {
	struct blocklock *lock;
	struct blocklock_claim claim;
	uint64_t first, end;
	int64_t limit_ns;
	int rc;
	bool done;
};

static void wait_for_claim(void *arg)
{
	struct waiter *waiter = arg;
	RT_LIMIT(waiter->limit_ns);

	waiter->rc = blocklock_claim(waiter->lock, &waiter->claim, waiter->first, waiter->end);
	waiter->done = true;
}

static void start(struct rt_group *group, struct blocklock *lock, struct waiter *waiter, uint64_t first, uint64_t end)
{
	*waiter = (struct waiter) { .lock = lock, .first = first, .end = end, .limit_ns = RT_NEVER };
	assert_int_equal(rt_group_start(group, "waiter", wait_for_claim, waiter), 0);
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_MS), 0);	/* virtual time: it has run as far as it can */
}

static void settle(void)
{
	assert_int_equal(rt_sleep_until(rt_now_ns() + RT_MS), 0);
}

/* A later claim does not pass an earlier one that overlaps it, though the blocks are free; others do. */
static int order(void *arg)
{
	struct blocklock lock;
	struct blocklock_claim first;
	struct waiter wide, behind, beside;
	struct rt_group group;

	(void)arg;
	blocklock_init(&lock);
	rt_group_init(&group);
	assert_int_equal(blocklock_claim(&lock, &first, 10, 20), 0);
	start(&group, &lock, &wide, 15, 40);
	start(&group, &lock, &behind, 30, 35);
	start(&group, &lock, &beside, 40, 50);
	assert_true(!wide.done && !behind.done && beside.done);
	blocklock_release(&lock, &first);
	settle();
	assert_true(wide.done && !behind.done);
	blocklock_release(&lock, &wide.claim);
	settle();
	assert_true(behind.done);
	assert_true(blocklock_is_claimed(&lock, 0, 1000));
	assert_false(blocklock_is_claimed(&lock, 0, 30));
	blocklock_release(&lock, &behind.claim);
	blocklock_release(&lock, &beside.claim);
	assert_true(blocklock_is_free(&lock));
	return 0;
}

/* Who gives up makes way for those behind it. */
static int giving_up(void *arg)
{
	struct blocklock lock;
	struct blocklock_claim first;
	struct waiter wide, behind;
	struct rt_group group;

	(void)arg;
	blocklock_init(&lock);
	rt_group_init(&group);
	assert_int_equal(blocklock_claim(&lock, &first, 10, 20), 0);
	wide = (struct waiter) { .lock = &lock, .first = 15, .end = 40, .limit_ns = rt_now_ns() + 10 * RT_MS };
	assert_int_equal(rt_group_start(&group, "waiter", wait_for_claim, &wide), 0);
	settle();
	start(&group, &lock, &behind, 30, 35);
	assert_int_equal(rt_sleep_until(rt_now_ns() + 20 * RT_MS), 0);
	assert_int_equal(wide.rc, -ETIMEDOUT);
	assert_true(behind.done);
	blocklock_release(&lock, &behind.claim);
	blocklock_release(&lock, &first);
	assert_true(blocklock_is_free(&lock));
	return 0;
}

/* Senders pass claims and answers but not writes; a claim may not write while a sender reads. */
static int senders(void *arg)
{
	struct blocklock lock;
	struct blocklock_claim write, send;
	uint64_t first = 5, end = 30;

	(void)arg;
	blocklock_init(&lock);
	assert_int_equal(blocklock_claim(&lock, &write, 10, 20), 0);
	assert_true(blocklock_trim_to_firm(&lock, &first, &end));
	assert_true(first == 5 && end == 30);
	blocklock_take_to_send(&lock, &send, first, end);
	assert_false(blocklock_may_write(&lock, &write));
	blocklock_release(&lock, &send);
	assert_true(blocklock_may_write(&lock, &write));

	blocklock_start_writing(&lock, &write);
	assert_true(blocklock_trim_to_firm(&lock, &first, &end));
	assert_true(first == 5 && end == 10);
	first = 12;
	end = 30;
	assert_true(blocklock_trim_to_firm(&lock, &first, &end));
	assert_true(first == 20 && end == 30);
	first = 10;
	end = 20;
	assert_false(blocklock_trim_to_firm(&lock, &first, &end));

	blocklock_end_writing(&write);
	first = 10;
	end = 20;
	assert_true(blocklock_trim_to_firm(&lock, &first, &end));
	assert_true(first == 10 && end == 20);
	blocklock_release(&lock, &write);
	return 0;
}

static void by_hand(void **state)
{
	(void)state;
	run(1, order, NULL);
	run(1, giving_up, NULL);
	run(1, senders, NULL);
}

/* ---- by chance ---- */

#define BLOCKS	600u

struct crowd {
	struct blocklock lock;
	unsigned owners[BLOCKS];	/* writes that have the block */
	bool writing[BLOCKS];
	unsigned reading[BLOCKS];
	unsigned writes, sends, given_up;
};

static uint64_t below(uint64_t bound)
{
	return sim_random_below(sim_world(), bound);
}

static void pause_a_while(void)
{
	assert_int_equal(rt_sleep_until(rt_now_ns() + (int64_t)below(100) * RT_US), 0);
}

static void pick(uint64_t *first, uint64_t *end)
{
	uint64_t zone = below(BLOCKS / BLOCKLOCK_ZONE_BLOCKS) * BLOCKLOCK_ZONE_BLOCKS;

	*first = zone + below(BLOCKLOCK_ZONE_BLOCKS);
	*end = *first + 1 + below(below(3) == 0 ? zone + BLOCKLOCK_ZONE_BLOCKS - *first : 3);
	if (*end > zone + BLOCKLOCK_ZONE_BLOCKS)
		*end = zone + BLOCKLOCK_ZONE_BLOCKS;
}

static void write_once(struct crowd *crowd)
{
	struct blocklock_claim claim;
	uint64_t first, end;
	int rc;

	pick(&first, &end);
	{
		RT_LIMIT(below(5) == 0 ? rt_now_ns() + (int64_t)below(200) * RT_US : RT_NEVER);
		rc = blocklock_claim(&crowd->lock, &claim, first, end);
	}
	if (rc < 0) {
		assert_int_equal(rc, -ETIMEDOUT);
		crowd->given_up++;
		return;
	}
	for (uint64_t block = first; block < end; block++)
		assert_int_equal(crowd->owners[block]++, 0);
	pause_a_while();
	while (!blocklock_may_write(&crowd->lock, &claim))
		assert_int_equal(blocklock_wait_senders(&crowd->lock, &claim), 0);
	blocklock_start_writing(&crowd->lock, &claim);
	for (uint64_t block = first; block < end; block++) {
		assert_int_equal(crowd->reading[block], 0);
		crowd->writing[block] = true;
	}
	pause_a_while();
	blocklock_end_writing(&claim);
	for (uint64_t block = first; block < end; block++)
		crowd->writing[block] = false;
	pause_a_while();
	for (uint64_t block = first; block < end; block++)
		crowd->owners[block]--;
	blocklock_release(&crowd->lock, &claim);
	crowd->writes++;
}

static void writer(void *arg)
{
	for (unsigned i = 0; i < 40; i++)
		write_once(arg);
}

static void send_once(struct crowd *crowd)
{
	struct blocklock_claim claim;
	uint64_t first, end, picked;

	pick(&first, &end);
	picked = first;
	if (!blocklock_trim_to_firm(&crowd->lock, &first, &end)) {
		for (; picked < end; picked++)
			assert_true(crowd->writing[picked]);
		return;
	}
	for (; picked < first; picked++)
		assert_true(crowd->writing[picked]);
	blocklock_take_to_send(&crowd->lock, &claim, first, end);
	for (uint64_t block = first; block < end; block++) {
		assert_false(crowd->writing[block]);
		crowd->reading[block]++;
	}
	pause_a_while();
	for (uint64_t block = first; block < end; block++) {
		assert_false(crowd->writing[block]);
		crowd->reading[block]--;
	}
	blocklock_release(&crowd->lock, &claim);
	crowd->sends++;
}

static void sender(void *arg)
{
	for (unsigned i = 0; i < 60; i++) {
		send_once(arg);
		pause_a_while();
	}
}

static int crowd_scenario(void *arg)
{
	struct crowd *crowd = arg;
	struct rt_group group;

	blocklock_init(&crowd->lock);
	rt_group_init(&group);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(rt_group_start(&group, "writer", writer, crowd), 0);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(rt_group_start(&group, "sender", sender, crowd), 0);
	assert_int_equal(rt_group_wait(&group), 0);
	assert_true(blocklock_is_free(&crowd->lock));
	return 0;
}

static void by_chance(void **state)
{
	unsigned given_up = 0, sends = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct crowd crowd = { .writes = 0 };

		run(seed, crowd_scenario, &crowd);
		assert_int_equal(crowd.writes + crowd.given_up, 16 * 40);
		given_up += crowd.given_up;
		sends += crowd.sends;
	}
	assert_true(given_up > 0 && sends > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(by_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
