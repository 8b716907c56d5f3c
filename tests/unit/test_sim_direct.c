/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct reads of a simulated disk: after a failed sync they show what the device has and a power loss would leave,
 * while the page cache may show more. Recovery of a journal stands on this.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"

#define PAGE	4096u

static char first_letter(unsigned flags, char *page)
{
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open("/f", flags, &file), 0);
	CHECK_EQUAL(rt_file_read(file, page, PAGE, 0), PAGE);
	rt_file_close(file);
	for (unsigned i = 0; i < PAGE; i++)
		CHECK_EQUAL(page[i], page[0]);
	return page[0];
}

/* True when the page cache shows what the device does not have. */
static bool sync_in_vain(void)
{
	char *page = mem_alloc_pages(PAGE), cached, direct;
	struct rt_file *file;

	CHECK_EQUAL(rt_file_open("/f", RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	memset(page, 'A', PAGE);
	CHECK_EQUAL(rt_file_write(file, page, PAGE, 0), 0);
	CHECK_EQUAL(rt_file_sync(file), 0);
	memset(page, 'B', PAGE);
	CHECK_EQUAL(rt_file_write(file, page, PAGE, 0), 0);
	CHECK_EQUAL(first_letter(RT_FILE_DIRECT, page), 'B');	/* dirty pages are written back first */
	sim_fail_nth(sim_outside(sim_world()), SIM_SYNC, 1);
	CHECK_EQUAL(rt_file_sync(file), -EIO);
	rt_file_close(file);
	direct = first_letter(RT_FILE_DIRECT, page);
	cached = first_letter(0, page);
	CHECK(direct == 'A' || direct == 'B');
	CHECK(cached == 'B' || direct == 'A');
	mem_free(page);
	return cached != direct;
}

static int scenario(void *arg)
{
	unsigned *hidden = arg;

	for (unsigned i = 0; i < 40; i++)
		*hidden += sync_in_vain();
	return 0;
}

static void direct_reads_see_the_device(void **state)
{
	struct sim_world *world = sim_create(1, NULL);
	unsigned hidden = 0;

	(void)state;
	CHECK_EQUAL(sim_run(world, scenario, &hidden, 100 * RT_SECOND), SIM_DONE);
	sim_destroy(world);
	CHECK(hidden > 5 && hidden < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(direct_reads_see_the_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
