/* SPDX-License-Identifier: Apache-2.0 */
/* volume_check.h - for tests of what the copy services see of a volume: one, on the disk of outside. */
#ifndef XDC_TESTS_VOLUME_CHECK_H
#define XDC_TESTS_VOLUME_CHECK_H

#include <string.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "volume/target.h"

#define KIB		1024u
#define MIB		(1024u * KIB)
#define GIB		(UINT64_C(1024) * MIB)
#define BLOCK		XDC_BLOCK_SIZE
#define WAIT_MS		50

static struct volume *volume;
static struct volume_target *target;
static struct dirtylog *dirty;
static struct rt_group fibers;

static inline void open_volume(uint64_t size, uint64_t sidefile_blocks, bool logged)
{
	struct vdisk_options disk = { .kind = POOL_DIR, .path = "disk", .size = size };
	struct volume_options options = {
		.id = 0x1500, .sidefile_bytes = sidefile_blocks * BLOCK, .sidefile_wait_ms = WAIT_MS,
	};

	assert_int_equal(vdisk_create(&disk), 0);
	assert_int_equal(vdisk_open(&disk, &options.disk), 0);
	assert_int_equal(volume_open(&options, &volume), 0);
	assert_int_equal(volume_set_access(volume, VOLUME_ACCESS_WRITE), 0);
	dirty = NULL;
	if (logged)
		assert_int_equal(dirtylog_open("dirty", 64, &dirty), 0);
	assert_int_equal(volume_add_target(volume, dirty, 7, &target), 0);
	rt_group_init(&fibers);
}

static inline void close_volume(void)
{
	assert_int_equal(rt_group_wait(&fibers), 0);
	volume_close(volume);
	if (dirty)
		dirtylog_close(dirty);
}

static inline void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);
	enum sim_end end = sim_run(world, scenario, NULL, 1000 * RT_SECOND);

	if (end != SIM_DONE)
		fail_msg("%s", sim_failure(world));
	sim_destroy(world);
}

/* Whatever can happen without us happens; nothing here takes so long but a wait for something. */
static inline void settle(void)
{
	assert_int_equal(rt_sleep_until(rt_now_ns() + 20 * RT_MS), 0);
}

static inline int write_block(uint64_t block, uint8_t value)
{
	uint8_t data[BLOCK];

	memset(data, value, sizeof(data));
	return volume_write(volume, data, sizeof(data), block * BLOCK, 0);
}

static inline uint8_t read_block(uint64_t block)
{
	uint8_t data[BLOCK];

	assert_int_equal(volume_read(volume, data, sizeof(data), block * BLOCK), 0);
	return data[0];
}

/* A request that may have to wait. */
struct request {
	uint64_t block;
	uint8_t value;
	bool read, done;
	int rc;
};

static inline void request_fiber(void *arg)
{
	struct request *request = arg;

	if (request->read)
		request->value = read_block(request->block);
	else
		request->rc = write_block(request->block, request->value);
	request->done = true;
}

static inline void begin(struct request *request)
{
	assert_int_equal(rt_group_start(&fibers, "request", request_fiber, request), 0);
	settle();
}

static inline struct volume_send *next_send(uint32_t max_len)
{
	struct volume_send *send;

	assert_int_equal(volume_send_next(target, max_len, &send), 0);
	return send;
}

/* The next send is this one, all bytes of it of one value; value 0: it is sent as zeroes. */
static inline struct volume_send *expect_send(uint64_t block, uint32_t blocks, uint64_t tag, uint8_t value)
{
	struct volume_send *send = next_send(MIB);

	assert_non_null(send);
	assert_int_equal(send->offset, block * BLOCK);
	assert_int_equal(send->len, blocks * BLOCK);
	assert_int_equal(send->tag, tag);
	assert_int_equal(send->zero, value == 0);
	if (value == 0)
		assert_null(send->data);
	for (uint32_t i = 0; value != 0 && i < send->len; i++)
		assert_int_equal(((uint8_t *)send->data)[i], value);
	return send;
}

static inline void send_and_ack(uint64_t block, uint32_t blocks, uint64_t tag, uint8_t value)
{
	volume_send_acked(target, expect_send(block, blocks, tag, value));
}

static inline void expect_counts(uint64_t open, uint64_t closing, uint64_t unsent, uint64_t sending)
{
	struct volume_counters counters;

	volume_get_counters(volume, &counters);
	assert_int_equal(counters.open_blocks, open);
	assert_int_equal(counters.closing_blocks, closing);
	assert_int_equal(counters.unsent_blocks, unsent);
	assert_int_equal(counters.sending_blocks, sending);
}

static inline void slow_down(unsigned times)
{
	struct sim_disk_state state = { .slower = times };

	sim_set_disk(sim_outside(sim_world()), "", &state);
}

/* Sends and acknowledges until nothing is left. */
static inline void drain(void)
{
	struct volume_send *send;

	while ((send = next_send(MIB)) != NULL)
		volume_send_acked(target, send);
}

#endif
