/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole systems in the simulator: whatever crashes or fails during an operation, afterwards it is done or it is not,
 * every volume that there is can be opened, and nothing leaks. The control protocol on its socket, with clients that
 * mean no good.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "face/cli_call.h"
#include "control_check.h"
#include "face/cli_server.h"
#include "rt/file.h"
#include "rt/mem.h"

#define CRASH_SEEDS	12u
#define LIVES		12u
#define POOLS		2u
#define VOLUMES		5u

static const char *const pool_names[POOLS] = { "p0", "p1" };

/* ---- what the configuration should be ---- */

struct model {
	bool pools[POOLS];
	struct {
		unsigned pool;
		uint64_t size;		/* 0: there is none */
		char name[8];
	} volumes[VOLUMES];
};

/* All that has been answered, and what it becomes with the operation under way. */
static struct model now, next;
static bool under_way;
static unsigned starts, was_done, was_not_done;
static unsigned failures, failed_starts;

static void load_pool(void *arg, const struct pool_info *info)
{
	struct model *model = arg;

	CHECK_EQUAL(info->error, 0);
	for (unsigned i = 0; i < POOLS; i++)
		model->pools[i] |= !strcmp(info->record.name, pool_names[i]);
}

static void load_volume(void *arg, const struct volume_info *info)
{
	struct model *model = arg;
	unsigned i = info->record.id & 0xFFu;

	CHECK(info->state == VOLUME_ONLINE || info->state == VOLUME_SYNC_FAILED);
	CHECK(i < VOLUMES);
	model->volumes[i].pool = strcmp(info->record.pool, pool_names[0]) != 0;
	model->volumes[i].size = info->record.size_bytes;
	memcpy(model->volumes[i].name, info->record.name, sizeof(model->volumes[i].name));
}

static void load_model(struct control *control, struct model *model)
{
	struct fault fault;

	memset(model, 0, sizeof(*model));
	CHECK_EQUAL(control_pool_each(control, load_pool, model, &fault), 0);
	CHECK_EQUAL(control_volume_each(control, -1, NULL, load_volume, model, &fault), 0);
}

static bool is_same(const struct model *a, const struct model *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* After a start, or after an operation that has failed: all or nothing. */
static void check_model(struct control *control)
{
	struct model found;

	load_model(control, &found);
	if (under_way && is_same(&found, &next) && !is_same(&now, &next)) {
		now = next;
		was_done++;
	} else {
		CHECK(is_same(&found, &now));
		was_not_done += under_way;
	}
	under_way = false;
}

/* ---- random operations ---- */

struct step {
	unsigned kind, pool, volume;
	uint64_t size;
	char name[8];
};

static void choose(struct step *step)
{
	struct sim_world *world = sim_world();

	memset(step, 0, sizeof(*step));
	step->kind = (unsigned)sim_random_below(world, 8);
	step->pool = (unsigned)sim_random_below(world, POOLS);
	step->volume = (unsigned)sim_random_below(world, VOLUMES);
	step->size = (1 + sim_random_below(world, 64)) * 4 * KIB;
	snprintf(step->name, sizeof(step->name), "n%u", (unsigned)sim_random_below(world, 6));
}

static bool name_is_taken(const char *name, unsigned but)
{
	for (unsigned i = 0; i < VOLUMES; i++)
		if (i != but && now.volumes[i].size && !strcmp(now.volumes[i].name, name))
			return true;
	return false;
}

static bool pool_has_volumes(unsigned pool)
{
	for (unsigned i = 0; i < VOLUMES; i++)
		if (now.volumes[i].size && now.volumes[i].pool == pool)
			return true;
	return false;
}

/* What the step makes of the model; false: it must be refused. */
static bool predict(const struct step *step)
{
	uint64_t *size;

	next = now;
	size = &next.volumes[step->volume].size;
	switch (step->kind) {
	case 0:
		next.pools[step->pool] = true;
		return !now.pools[step->pool];
	case 1:
		next.pools[step->pool] = false;
		return now.pools[step->pool] && !pool_has_volumes(step->pool);
	case 2:
	case 3:
		if (*size || !now.pools[step->pool] || name_is_taken(step->name, VOLUMES))
			return false;
		*size = step->size;
		next.volumes[step->volume].pool = step->pool;
		memcpy(next.volumes[step->volume].name, step->name, sizeof(step->name));
		return true;
	case 4:
	case 5:
		if (!*size || step->size < *size)
			return false;
		*size = step->size;
		return true;
	case 6:
		memcpy(next.volumes[step->volume].name, step->name, sizeof(step->name));
		return *size && !name_is_taken(step->name, step->volume);
	default:
		memset(&next.volumes[step->volume], 0, sizeof(next.volumes[0]));
		return now.volumes[step->volume].size != 0;
	}
}

static int take_step(struct control *control, const struct step *step, struct fault *fault)
{
	uint16_t id = (uint16_t)(0x1500 + step->volume);
	struct volume_create create = {
		.id = id, .pool = pool_names[step->pool], .size_bytes = step->size, .name = step->name,
	};
	char folder[8];

	switch (step->kind) {
	case 0:
		snprintf(folder, sizeof(folder), "/pool%u", step->pool);
		return control_pool_create(control, &(struct pool_create){
			.name = pool_names[step->pool], .kind = POOL_DIR, .folder = folder, .has_cache = true,
			.cache = step->pool ? CACHE_DIRECT : CACHE_WRITEBACK }, fault);
	case 1:
		return control_pool_delete(control, pool_names[step->pool], fault);
	case 2:
	case 3:
		return control_volume_create(control, &create, fault);
	case 4:
	case 5:
		return control_volume_grow(control, id, step->size, fault);
	case 6:
		return control_volume_rename(control, id, step->name, fault);
	default:
		return control_volume_delete(control, id, fault);
	}
}

static void work(struct control *control, unsigned steps)
{
	struct fault fault;
	struct step step;

	for (unsigned i = 0; i < steps; i++) {
		bool good;
		int rc;

		choose(&step);
		good = predict(&step);
		under_way = good;
		rc = take_step(control, &step, &fault);
		under_way = false;
		CHECK_EQUAL(rc, good ? 0 : -1);
		if (good)
			now = next;
		else
			CHECK(fault.code != FAULT_NONE && *fault.message && *fault.object);
	}
}

static int serve_and_work(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	CHECK(system);
	starts++;
	check_model(system_control(system));
	work(system_control(system), 40);
	system_stop(system);
	return 0;
}

/* ---- crashes ---- */

static int crash_often(void *arg)
{
	static const enum sim_call_kind kinds[] = {
		SIM_WRITE, SIM_SYNC, SIM_OPEN, SIM_CHANGE_NAME, SIM_SYNC_FOLDER, SIM_SET_SIZE,
	};
	struct sim_world *world = sim_world();
	struct sim_system *system = arg;

	for (unsigned life = 0; life < LIVES; life++) {
		enum sim_call_kind kind = kinds[sim_random_below(world, sizeof(kinds) / sizeof(kinds[0]))];
		bool many = kind == SIM_WRITE || kind == SIM_SYNC;
		enum sim_crash how = sim_random_below(world, 3) == 0 ? SIM_DEATH : SIM_POWER_LOSS;

		sim_crash_at_nth(system, kind, 1 + sim_random_below(world, many ? 200 : 30), how);
		sim_boot(system, serve_and_work, NULL);
		CHECK_EQUAL(sim_wait_ended(system), 0);
		sim_crash_at_nth(system, kind, 0, how);
	}
	sim_boot(system, serve_and_work, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

static void operations_are_whole_after_crashes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= CRASH_SEEDS; seed++) {
		memset(&now, 0, sizeof(now));
		under_way = false;
		run_world(seed, 1 + (unsigned)(seed % 3), crash_often);
	}
	print_message("# %u starts; operations under way: %u done, %u not\n", starts, was_done, was_not_done);
	assert_true(was_done > 0);
	assert_true(was_not_done > 0);
	assert_true(starts > CRASH_SEEDS * LIVES / 2);
}

/* ---- the n-th call fails ---- */

static const struct step plan[] = {
	{ 0, 0, 0, 0, "" }, { 0, 1, 0, 0, "" }, { 2, 0, 1, 64 * KIB, "n1" }, { 2, 1, 2, 8 * KIB, "n2" },
	{ 4, 0, 1, 128 * KIB, "" }, { 6, 0, 2, 0, "n3" }, { 7, 0, 1, 0, "" }, { 1, 0, 0, 0, "" },
};

static void is_pool_offline(void *arg, const struct pool_info *info)
{
	*(bool *)arg |= info->error != 0;
}

static void is_volume_offline(void *arg, const struct volume_info *info)
{
	*(bool *)arg |= info->state == VOLUME_OFFLINE;
}

/* The fault hit a pool or a volume when it was opened: that is offline, and the rest works. */
static bool is_crippled(struct control *control)
{
	bool offline = false;
	struct fault fault;

	CHECK_EQUAL(control_pool_each(control, is_pool_offline, &offline, &fault), 0);
	CHECK_EQUAL(control_volume_each(control, -1, NULL, is_volume_offline, &offline, &fault), 0);
	return offline;
}

static int serve_with_fault(void *arg)
{
	struct system *system = start_system();
	struct model found;
	bool *failed = arg;
	struct fault fault;

	*failed = !system;
	failed_starts += !system;
	if (!system)
		return 0;
	if (is_crippled(system_control(system)))
		*failed = true;
	else
		check_model(system_control(system));
	/* A sync that failed in an earlier life: the administrator goes on. */
	for (uint16_t i = 0; i < VOLUMES && !*failed; i++)
		if (now.volumes[i].size &&
		    control_volume_accept(system_control(system), (uint16_t)(0x1500 + i), &fault))
			*failed = fault.code != FAULT_INVALID_PARAMETER;
	for (size_t i = 0; i < sizeof(plan) / sizeof(plan[0]) && !*failed; i++) {
		if (!predict(&plan[i]))
			continue;
		under_way = true;
		*failed = take_step(system_control(system), &plan[i], &fault) != 0;
		under_way = *failed;
		if (*failed) {
			load_model(system_control(system), &found);
			CHECK(is_same(&found, &now));
			failures++;
		} else {
			now = next;
		}
	}
	system_stop(system);
	return 0;
}

/* The system ends by itself each time, and the simulator sees to it that it has freed and closed all it had. */
static void live(struct sim_system *system, bool *failed)
{
	sim_boot(system, serve_with_fault, failed);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
}

static int fail_each_call(void *arg)
{
	static const enum sim_call_kind kinds[] = {
		SIM_ALLOC, SIM_OPEN, SIM_READ, SIM_WRITE, SIM_SYNC, SIM_SET_SIZE, SIM_CHANGE_NAME,
		SIM_GET_INFO, SIM_SYNC_FOLDER, SIM_LISTEN,
	};
	struct sim_system *system = arg;
	bool failed;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t calls, step, n;

		live(system, &failed);
		CHECK(!failed);
		calls = sim_calls(system, kinds[i]);
		/* All of the rare calls, and of the many some. */
		step = 1 + calls / 150;
		for (n = 1; n <= calls; n += step) {
			sim_fail_nth(system, kinds[i], n);
			live(system, &failed);
			sim_fail_nth(system, kinds[i], 0);
		}
	}
	live(system, &failed);
	CHECK(!failed);
	return 0;
}

static void any_call_may_fail(void **state)
{
	(void)state;
	memset(&now, 0, sizeof(now));
	under_way = false;
	run_world(1, 2, fail_each_call);
	print_message("# %u starts and %u operations failed\n", failed_starts, failures);
	assert_true(failed_starts > 100);
	assert_true(failures > 20);
}

/* ---- the control socket ---- */

static int serve_until_stop(void *arg)
{
	struct system *system = start_system();

	(void)arg;
	CHECK(system);
	CHECK_EQUAL(rt_wait_stop(), 0);
	system_stop(system);
	return 0;
}

static void send_text(struct rt_stream *stream, const char *text, size_t len)
{
	struct iovec part = { (void *)(uintptr_t)text, len };

	CHECK_EQUAL(rt_stream_write(stream, &part, 1), 0);
}

/* The next line that comes, and nothing behind it is lost; false at the end of the stream. */
static bool read_reply(struct rt_stream *stream, char *line, size_t size)
{
	for (size_t len = 0; len + 1 < size; len++) {
		if (rt_stream_read(stream, line + len, 1) <= 0)
			return false;
		if (line[len] == '\n') {
			line[len + 1] = '\0';
			return true;
		}
	}
	return false;
}

static struct rt_stream *connect_to(struct sim_system *system)
{
	struct rt_stream *stream;
	int rc;

	/* Until it listens. */
	while ((rc = sim_connect(system, "unix:/control", &stream)) != 0)
		CHECK_EQUAL(rt_sleep_until(rt_now_ns() + 10 * RT_MS), 0);
	return stream;
}

static void check_reply(struct rt_stream *stream, const char *part)
{
	static char line[1 << 17];

	CHECK(read_reply(stream, line, sizeof(line)));
	if (!strstr(line, part)) {
		fprintf(stderr, "%s", line);
		check_failed(__FILE__, __LINE__, part);
	}
}

#define SEND(stream, text)	send_text(stream, text, sizeof(text) - 1)

static void check_requests(struct sim_system *system)
{
	static char line[CLI_REQUEST_MAX + 1];
	struct rt_stream *stream = connect_to(system);

	/* Several in one piece, and one in two. */
	SEND(stream, "{\"op\":\"pool list\"}\n{\"op\":\"lss list\"}\n{\"op\":\"nix\"}\n{\"op\":\"pool ");
	check_reply(stream, "{\"ok\":true,\"result\":[]}\n");
	check_reply(stream, "{\"ok\":true,\"result\":[]}\n");
	check_reply(stream, "there is no operation");
	SEND(stream, "list\"}\n\n\xff\xfe\n");
	check_reply(stream, "{\"ok\":true,\"result\":[]}\n");
	check_reply(stream, "not a line of JSON");
	check_reply(stream, "not a line of JSON");
	SEND(stream, "{\"op\":\"pool create\",\"args\":{\"pool\":\"p0\",\"dir\":\"/p\"}}\n");
	check_reply(stream, "\"pool\":\"p0\"");
	/* A line without end: told why, and cut off. */
	memset(line, ' ', sizeof(line));
	send_text(stream, line, CLI_REQUEST_MAX);
	check_reply(stream, "at most 64 KiB");
	CHECK(!read_reply(stream, line, sizeof(line)));
	rt_stream_close(stream);
}

/* A request that never ends is given up in time, an idle client later. */
static void check_time_limits(struct sim_system *system)
{
	int64_t began_ns = rt_now_ns(), slow_ns;
	struct rt_stream *slow = connect_to(system), *idle = connect_to(system);
	char line[100];

	SEND(slow, "{\"op\":");
	CHECK(!read_reply(slow, line, sizeof(line)));
	slow_ns = rt_now_ns() - began_ns;
	CHECK(slow_ns >= CLI_LINE_NS && slow_ns < CLI_LINE_NS + RT_SECOND);
	CHECK(!read_reply(idle, line, sizeof(line)));
	CHECK(rt_now_ns() - began_ns >= CLI_IDLE_NS);
	rt_stream_close(slow);
	rt_stream_close(idle);
}

/* One more than there may be: it takes the place of the one that has been idle longest, but of none at work. */
static void check_too_many(struct sim_system *system)
{
	struct rt_stream *streams[CLI_CONNECTIONS_MAX], *one_more;
	char line[100];

	for (unsigned i = 0; i < CLI_CONNECTIONS_MAX; i++) {
		streams[i] = connect_to(system);
		SEND(streams[i], "{\"op\":\"lss list\"}\n");
		check_reply(streams[i], "true");
	}
	SEND(streams[0], "{\"op\":\"lss list\"}\n");
	check_reply(streams[0], "true");
	one_more = connect_to(system);
	SEND(one_more, "{\"op\":\"lss list\"}\n");
	check_reply(one_more, "true");
	CHECK(!read_reply(streams[1], line, sizeof(line)));
	rt_stream_close(streams[1]);
	streams[1] = one_more;
	for (unsigned i = 0; i < CLI_CONNECTIONS_MAX; i++)
		SEND(streams[i], "{\"op\":\"lss ");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	one_more = connect_to(system);
	check_reply(one_more, "others have a request under way");
	rt_stream_close(one_more);
	for (unsigned i = 0; i < CLI_CONNECTIONS_MAX; i++) {
		SEND(streams[i], "list\"}\n");
		check_reply(streams[i], "true");
		rt_stream_close(streams[i]);
	}
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	check_requests(system);
}

static int talk(void *arg)
{
	struct sim_system *system = arg;
	struct rt_stream *stream;

	sim_boot(system, serve_until_stop, NULL);
	check_time_limits(system);
	check_too_many(system);
	/* A stop does not wait for clients. */
	stream = connect_to(system);
	SEND(stream, "{\"op\":\"lss");
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + RT_SECOND), 0);
	CHECK_EQUAL(sim_stop_and_wait(system), 0);
	rt_stream_close(stream);
	return 0;
}

static void the_control_socket(void **state)
{
	(void)state;
	run_world(1, 2, talk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_control_socket),
		cmocka_unit_test(operations_are_whole_after_crashes),
		cmocka_unit_test(any_call_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
