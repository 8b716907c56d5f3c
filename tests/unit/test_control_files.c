/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of volumes that are no more: whatever keeps xdcd from removing one, it is removed later, its volume's id is not
 * given away before, and a file that might hold somebody's data is never touched.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "face/cli_call.h"
#include "rt/file.h"
#include "rt/mem.h"
#include "rt/sim.h"
#include "rt_check.h"
#include "system.h"

#define FOREIGN		"/pool/1599-5f0c6a1e-7d5b-4f7e-9a53-0d8e4f3b2c11.vol"
#define EMPTY		"/pool/1598-5f0c6a1e-7d5b-4f7e-9a53-0d8e4f3b2c11.vol"
#define OTHER		"/pool/notes-of-the-administrator-which-are-long.vol"
#define DEVICE		"/device"
#define LATE		"/state/flash/1500.late"
#define DONE		"\"ok\":true"
#define VOLUME(op)	"{\"op\":\"volume " op "\",\"args\":{\"volume\":\"1500\"}}"
#define CREATE		"{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"size\":\"1M\"}}"
#define POOL_DELETE	"{\"op\":\"pool delete\",\"args\":{\"pool\":\"p\"}}"

static struct sim_system *machine;
static struct system *serving;

static int serve(void *arg)
{
	struct system_options options = {
		.state_folder = "/state", .id = "2105.FA120", .control.address = "unix:/control",
	};
	struct fault fault = { 0 };

	(void)arg;
	CHECK_EQUAL(system_start(&options, &serving, &fault), 0);
	CHECK_EQUAL(rt_wait_stop(), 0);
	system_stop(serving);
	serving = NULL;
	return 0;
}

static void boot(void)
{
	serving = NULL;
	sim_boot(machine, serve, NULL);
	while (!serving)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_MS), 0);
}

static char reply[1 << 16];

static int ask_there(void *arg)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	char *text = cli_call(system_control(serving), &caller, arg, strlen(arg));

	snprintf(reply, sizeof(reply), "%s", text);
	mem_free(text);
	return 0;
}

static int ask(const char *request)
{
	*reply = '\0';
	return sim_call(machine, ask_there, (void *)(uintptr_t)request);
}

static void expect(const char *request, const char *part)
{
	CHECK_EQUAL(ask(request), 0);
	if (!strstr(reply, part)) {
		fprintf(stderr, "%s\n%s", request, reply);
		check_failed(__FILE__, __LINE__, part);
	}
}

static int count_name(void *arg, const char *name)
{
	*(unsigned *)arg += strstr(name, ".vol") != NULL;
	return 0;
}

static int count_files(void *arg)
{
	return rt_path_list("/pool", count_name, arg);
}

static void expect_files(unsigned wanted)
{
	unsigned count = 0;

	CHECK_EQUAL(sim_call(machine, count_files, &count), 0);
	CHECK_EQUAL(count, wanted);
}

static void run(int (*scenario)(void *arg))
{
	struct sim_world *world = sim_create(1, NULL);
	enum sim_end end;

	machine = sim_add_system(world, "a1", 2);
	end = sim_run(world, scenario, NULL, 3600 * RT_SECOND);
	if (end != SIM_DONE) {
		sim_print_log(world, stderr);
		fprintf(stderr, "%s\n", sim_failure(world));
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void prepare(void)
{
	boot();
	expect("{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/pool\"}}", DONE);
}

/* ---- crashes ---- */

static int crash_in_delete(void *arg)
{
	(void)arg;
	prepare();
	expect(CREATE, DONE);
	/* The deletion is durable; the file is there still. */
	sim_crash_at_nth(machine, SIM_CHANGE_NAME, 1, SIM_DEATH);
	CHECK_EQUAL(ask(VOLUME("delete")), -ECONNABORTED);
	boot();
	expect(VOLUME("show"), "there is no such volume");
	expect_files(0);
	expect("{\"op\":\"system dump\"}", DONE);
	CHECK(!strstr(reply, "\"retired\""));
	expect(CREATE, DONE);
	expect_files(1);
	return sim_stop_and_wait(machine);
}

static int crash_in_create(void *arg)
{
	(void)arg;
	prepare();
	sim_crash_at_nth(machine, SIM_SYNC_FOLDER, 1, SIM_DEATH);
	CHECK_EQUAL(ask(CREATE), -ECONNABORTED);
	boot();
	expect(VOLUME("show"), "there is no such volume");
	expect_files(0);
	return sim_stop_and_wait(machine);
}

static void a_crash_leaves_no_file(void **state)
{
	(void)state;
	run(crash_in_delete);
	run(crash_in_create);
}

/* ---- a file that cannot be removed ---- */

static int make_device(void *arg)
{
	struct rt_file *file;

	(void)arg;
	CHECK_EQUAL(rt_file_open(DEVICE, RT_FILE_WRITE | RT_FILE_CREATE, &file), 0);
	CHECK_EQUAL(rt_file_set_size(file, 1 << 20), 0);
	rt_file_close(file);
	return 0;
}

static int fail_to_remove(void *arg)
{
	(void)arg;
	prepare();
	expect(CREATE, DONE);
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(VOLUME("delete"), DONE);
	expect_files(1);
	/* Neither the id nor the pool goes while it is there. */
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(CREATE, "the file of a deleted volume 1500 is still there");
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(POOL_DELETE, "the file of a deleted volume 1500 is still there");
	expect(CREATE, DONE);
	expect_files(1);
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(VOLUME("delete"), DONE);
	expect_files(1);
	CHECK_EQUAL(sim_stop_and_wait(machine), 0);
	boot();
	expect_files(0);
	expect(POOL_DELETE, DONE);
	return sim_stop_and_wait(machine);
}

static void a_file_that_cannot_be_removed_is_remembered(void **state)
{
	(void)state;
	run(fail_to_remove);
}

/* What is in the log of late writes would be written over the volume that has the id next. */
static int fail_to_remove_log(void *arg)
{
	char data[4];

	(void)arg;
	prepare();
	CHECK_EQUAL(sim_call(machine, make_device, NULL), 0);
	expect("{\"op\":\"pool create\",\"args\":{\"pool\":\"d\",\"device\":true}}", DONE);
	expect("{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"d\",\"adopt\":\"" DEVICE "\"}}",
	       DONE);
	expect("{\"op\":\"volume create\",\"args\":{\"volume\":\"1600\",\"pool\":\"p\",\"size\":\"1M\"}}", DONE);
	expect("{\"op\":\"flash create\",\"args\":{\"source\":\"1500\",\"target\":\"1600\"}}", DONE);
	expect("{\"op\":\"flash delete\",\"args\":{\"volume\":\"1600\",\"force\":true}}", DONE);
	CHECK_EQUAL(sim_peek(machine, LATE, data, sizeof(data), 0), 0);
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(VOLUME("delete"), DONE);
	sim_fail_nth(machine, SIM_CHANGE_NAME, 1);
	expect(CREATE, "the file of a deleted volume 1500 is still there");
	CHECK_EQUAL(sim_peek(machine, LATE, data, sizeof(data), 0), 0);
	CHECK_EQUAL(sim_stop_and_wait(machine), 0);
	boot();
	CHECK_EQUAL(sim_peek(machine, LATE, data, sizeof(data), 0), -ENOENT);
	expect(CREATE, DONE);
	return sim_stop_and_wait(machine);
}

static void a_log_of_late_writes_goes_before_the_id_is_given_away(void **state)
{
	(void)state;
	run(fail_to_remove_log);
}

/* ---- a pool that is gone for good ---- */

static int rename_pool(void *arg)
{
	(void)arg;
	return rt_path_rename("/pool", "/lost");
}

static int lose_pool(void *arg)
{
	(void)arg;
	prepare();
	expect(CREATE, DONE);
	CHECK_EQUAL(sim_call(machine, rename_pool, NULL), 0);
	CHECK_EQUAL(sim_stop_and_wait(machine), 0);
	boot();
	expect(VOLUME("show"), "\"state\":\"offline\"");
	expect(VOLUME("delete"), DONE);
	/* Its id and its name are free for the replacement. */
	expect("{\"op\":\"pool create\",\"args\":{\"pool\":\"q\",\"dir\":\"/pool2\"}}", DONE);
	expect("{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"q\",\"size\":\"1M\"}}", DONE);
	expect(POOL_DELETE, DONE);
	CHECK_EQUAL(sim_stop_and_wait(machine), 0);
	boot();
	expect(VOLUME("show"), "\"state\":\"online\"");
	return sim_stop_and_wait(machine);
}

static void a_pool_that_is_gone_keeps_nothing_waiting(void **state)
{
	(void)state;
	run(lose_pool);
}

/* ---- files that nobody knows ---- */

static int make_strays(void *arg)
{
	struct rt_file *file;

	(void)arg;
	for (unsigned i = 0; i < 3; i++) {
		CHECK_EQUAL(rt_file_open(i == 0 ? EMPTY : i == 1 ? FOREIGN : OTHER, RT_FILE_WRITE | RT_FILE_CREATE,
					 &file), 0);
		CHECK_EQUAL(rt_file_set_size(file, 1 << 20), 0);
		if (i == 1)
			CHECK_EQUAL(rt_file_write(file, "data", 4, 1 << 19), 0);
		rt_file_close(file);
	}
	return 0;
}

static int meet_strays(void *arg)
{
	char data[4];

	(void)arg;
	prepare();
	expect(CREATE, DONE);
	CHECK_EQUAL(sim_call(machine, make_strays, NULL), 0);
	expect_files(4);
	CHECK_EQUAL(sim_stop_and_wait(machine), 0);
	boot();
	/* The one without data has gone. */
	expect_files(3);
	CHECK_EQUAL(sim_peek(machine, FOREIGN, data, sizeof(data), 1 << 19), 0);
	CHECK(!memcmp(data, "data", 4));
	CHECK_EQUAL(sim_peek(machine, EMPTY, data, sizeof(data), 0), -ENOENT);
	CHECK_EQUAL(sim_peek(machine, OTHER, data, sizeof(data), 0), 0);
	expect(VOLUME("show"), "\"state\":\"online\"");
	return sim_stop_and_wait(machine);
}

static void only_empty_files_of_nobody_are_removed(void **state)
{
	(void)state;
	run(meet_strays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_crash_leaves_no_file),
		cmocka_unit_test(a_file_that_cannot_be_removed_is_remembered),
		cmocka_unit_test(a_log_of_late_writes_goes_before_the_id_is_given_away),
		cmocka_unit_test(a_pool_that_is_gone_keeps_nothing_waiting),
		cmocka_unit_test(only_empty_files_of_nobody_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
