/* SPDX-License-Identifier: Apache-2.0 */
/* flash_check.h - one system with a pool and three volumes, for tests of FlashCopies that call its control plane. */
#ifndef XDC_FLASH_CHECK_H
#define XDC_FLASH_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/job.h"
#include "control_check.h"
#include "volume/volume.h"

#define MIB	(KIB * 1024)
#define SOURCE	0x1500u
#define TARGET	0x1600u
#define OTHER	0x1700u

static struct sim_system *machine;
static struct system *up;
static struct control *control;
static struct fault fault;

static inline void make_volumes(uint64_t bytes)
{
	static const uint16_t ids[] = { SOURCE, TARGET, OTHER };

	CHECK_EQUAL(control_pool_create(control, &(struct pool_create){ .name = "p", .folder = "/p" }, &fault), 0);
	for (unsigned i = 0; i < 3; i++) {
		struct volume_create create = { .id = ids[i], .pool = "p", .size_bytes = bytes };

		CHECK_EQUAL(control_volume_create(control, &create, &fault), 0);
	}
}

static inline void boot_control(void)
{
	up = start_system();
	CHECK(up);
	control = system_control(up);
}

/* Of a disk without holes, so that zeroes are copied as data are. */
static inline void set_speed(unsigned slower)
{
	sim_set_disk(machine, "/p", &(struct sim_disk_state){ .slower = slower, .cannot_punch = true });
}

static inline void flash(bool no_copy, enum copy_priority priority)
{
	const struct copy_flash_request request = {
		.source = SOURCE, .target = TARGET, .no_copy = no_copy, .priority = priority,
	};

	CHECK_EQUAL(copy_flash_create(control_copy(control), &request, 1, &fault), 0);
}

static inline uint64_t job_of(uint16_t target)
{
	struct record_flash record;

	return copy_flash_get(control_copy(control), target, &record) ? control_flash_job(control, &record) : 0;
}

static inline struct job_info look_at(uint64_t number)
{
	struct job_info info;

	CHECK_EQUAL(jobs_get(control_jobs(control), number, &info, &fault), 0);
	return info;
}

struct host_write {
	struct volume *volume;
	const void *data;
	uint64_t offset;
};

static inline int do_write(void *arg)
{
	const struct host_write *write = arg;

	return volume_write(write->volume, write->data, XDC_BLOCK_SIZE, write->offset, 0);
}

static inline void host_write(const struct attachment *host, const void *data, uint64_t offset)
{
	struct host_write write = { host->volume, data, offset };

	CHECK_EQUAL(rt_call(volume_reactor(host->volume), do_write, &write), 0);
}

static inline int do_read(void *arg)
{
	const struct host_write *read = arg;

	return volume_read(read->volume, (void *)(uintptr_t)read->data, XDC_BLOCK_SIZE, read->offset);
}

static inline void host_read(const struct attachment *host, void *data, uint64_t offset)
{
	struct host_write read = { host->volume, data, offset };

	CHECK_EQUAL(rt_call(volume_reactor(host->volume), do_read, &read), 0);
}

static inline int do_flush(void *arg)
{
	return volume_flush(arg);
}

static inline int host_flush(const struct attachment *host)
{
	return rt_call(volume_reactor(host->volume), do_flush, host->volume);
}

static inline int run_to_end(int (*fn)(void *arg))
{
	sim_boot(machine, fn, NULL);
	CHECK_EQUAL(sim_wait_ended(machine), 0);
	CHECK_EQUAL(sim_exit_code(machine), 0);
	return 0;
}

#endif
