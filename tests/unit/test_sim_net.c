/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of the simulator: what they share with real ones, and what scenarios can do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "rt/sim.h"
#include "rt_check.h"

static uid_t peer_uid(void)
{
	return 0;
}

#include "rt_net_cases.h"

#define SEEDS	40u

static struct sim_world *world;
static struct sim_system *a1, *b1;

static void run_seed(uint64_t seed, int (*scenario)(void *arg), void *arg)
{
	enum sim_end end;

	world = sim_create(seed, NULL);
	a1 = sim_add_system(world, "a1", 2);
	b1 = sim_add_system(world, "b1", 1);
	end = sim_run(world, scenario, arg, 3600 * RT_SECOND);
	if (end != SIM_DONE) {
		fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, sim_failure(world));
		sim_print_log(world, stderr);
	}
	assert_int_equal(end, SIM_DONE);
	sim_destroy(world);
}

static void run(int (*scenario)(void *arg))
{
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		run_seed(seed, scenario, NULL);
}

static void pause_ns(int64_t ns)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + ns), 0);
}

/* ---- what real sockets do as well ---- */

struct shared_case {
	int (*main)(void *arg);
	const char *address;
};

static int boot_case(void *arg)
{
	const struct shared_case *test = arg;

	sim_boot(a1, test->main, (void *)(uintptr_t)test->address);
	CHECK_EQUAL(sim_wait_ended(a1), 0);
	return sim_exit_code(a1);
}

static void shared_cases_hold(void **state)
{
	static struct shared_case cases[] = {
		{ main_echo, "127.0.0.1:0" },
		{ main_echo, "[::1]:0" },
		{ main_echo, "unix:/run/echo" },
		{ main_latency, "127.0.0.1:0" },
		{ main_ends, "127.0.0.1:0" },
		{ main_ends, "unix:/run/ends" },
		{ main_moves, "unix:/run/moves" },
		{ main_bad_addresses, NULL },
		{ main_port_in_use, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint64_t seed = 0; seed < 5; seed++)
			run_seed(seed, boot_case, &cases[i]);
}

/* ---- a server at a1, and a client outside ---- */

static int serve_echo(void *arg)
{
	struct server server;

	(void)arg;
	start_server(&server, "a1:7000");
	CHECK_EQUAL(rt_wait_stop(), 0);
	stop_server(&server);
	return 0;
}

static struct rt_stream *boot_and_connect(void)
{
	struct rt_stream *stream;

	sim_boot(a1, serve_echo, NULL);
	pause_ns(RT_SECOND);
	CHECK_EQUAL(rt_connect("a1:7000", &stream), 0);
	CHECK(!rt_stream_is_local(stream));
	CHECK(strcmp(rt_stream_peer(stream), "a1:7000") == 0);
	return stream;
}

static int send_text(struct rt_stream *stream, const char *text)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };

	return rt_stream_write(stream, &part, 1);
}

static int read_within(struct rt_stream *stream, char *buf, size_t len, int64_t ns)
{
	RT_LIMIT(rt_now_ns() + ns);

	return rt_stream_read_full(stream, buf, len);
}

static void expect_echo(struct rt_stream *stream)
{
	char text[6] = "";

	CHECK_EQUAL(send_text(stream, "hello"), 0);
	CHECK_EQUAL(read_within(stream, text, 5, 10 * RT_SECOND), 0);
	CHECK(strcmp(text, "hello") == 0);
}

static int cut_and_heal(void *arg)
{
	struct rt_stream *stream = boot_and_connect();
	char text[6] = "";

	(void)arg;
	expect_echo(stream);
	sim_cut(a1, NULL);
	CHECK_EQUAL(send_text(stream, "later"), 0);
	CHECK_EQUAL(read_within(stream, text, 5, 60 * RT_SECOND), -ETIMEDOUT);
	sim_heal(a1, NULL);
	CHECK_EQUAL(read_within(stream, text, 5, 10 * RT_SECOND), 0);
	CHECK(strcmp(text, "later") == 0);
	/* One way is enough to stop it, whichever. */
	sim_cut_one_way(a1, sim_outside(world));
	CHECK_EQUAL(send_text(stream, "again"), 0);
	CHECK_EQUAL(read_within(stream, text, 5, 60 * RT_SECOND), -ETIMEDOUT);
	sim_heal(a1, sim_outside(world));
	CHECK_EQUAL(read_within(stream, text, 5, 10 * RT_SECOND), 0);
	CHECK(strcmp(text, "again") == 0);
	rt_stream_close(stream);
	CHECK(sim_fault_count(world, SIM_FAULT_CUT) == 5);
	return sim_stop_and_wait(a1);
}

static void a_cut_stalls_and_a_heal_delivers(void **state)
{
	(void)state;
	run(cut_and_heal);
}

static int connect_through_a_cut(void *arg)
{
	struct rt_stream *stream = boot_and_connect();

	(void)arg;
	rt_stream_close(stream);
	sim_cut(a1, NULL);
	{
		RT_LIMIT(rt_now_ns() + RT_SECOND);

		CHECK_EQUAL(rt_connect("a1:7000", &stream), -ETIMEDOUT);
	}
	CHECK_EQUAL(rt_connect("a1:7000", &stream), -ETIMEDOUT);	/* the kernel gives up, too */
	sim_heal(a1, NULL);
	CHECK_EQUAL(rt_connect("a1:7000", &stream), 0);
	expect_echo(stream);
	rt_stream_close(stream);
	CHECK_EQUAL(rt_connect("a1:7001", &stream), -ECONNREFUSED);
	CHECK_EQUAL(rt_connect("nowhere:7000", &stream), -EHOSTUNREACH);
	sim_refuse(a1, true);
	CHECK_EQUAL(rt_connect("a1:7000", &stream), -ECONNREFUSED);
	return sim_stop_and_wait(a1);
}

static void connecting_meets_cuts_and_refusals(void **state)
{
	(void)state;
	run(connect_through_a_cut);
}

static int break_it(void *arg)
{
	struct rt_stream *stream = boot_and_connect();
	char text[5];

	(void)arg;
	sim_break(a1, sim_outside(world));
	CHECK_EQUAL(rt_stream_read(stream, text, 5), -ECONNRESET);
	CHECK_EQUAL(send_text(stream, "hello"), -ECONNRESET);
	rt_stream_close(stream);
	CHECK_EQUAL(rt_connect("a1:7000", &stream), 0);
	expect_echo(stream);
	sim_fail_nth(a1, SIM_SEND, 1);
	CHECK_EQUAL(send_text(stream, "hello"), 0);
	CHECK_EQUAL(read_within(stream, text, 5, RT_SECOND), -ECONNRESET);
	rt_stream_close(stream);
	CHECK(sim_fault_count(world, SIM_FAULT_BREAK) == 2);
	return sim_stop_and_wait(a1);
}

static void a_break_resets_both_ends(void **state)
{
	(void)state;
	run(break_it);
}

/* ---- crashes ---- */

static int die_with_connection(void *arg)
{
	struct rt_stream *stream = boot_and_connect(), *other;
	char byte;
	int rc;

	(void)arg;
	expect_echo(stream);
	sim_crash(a1, SIM_DEATH);
	rc = (int)rt_stream_read(stream, &byte, 1);
	CHECK(rc == 0 || rc == -ECONNRESET);	/* the kernel tells */
	rt_stream_close(stream);
	CHECK_EQUAL(rt_connect("a1:7000", &other), -ECONNREFUSED);
	sim_boot(a1, serve_echo, NULL);
	pause_ns(RT_SECOND);
	CHECK_EQUAL(rt_connect("a1:7000", &other), 0);
	expect_echo(other);
	rt_stream_close(other);
	return sim_stop_and_wait(a1);
}

static void the_kernel_tells_of_a_death(void **state)
{
	(void)state;
	run(die_with_connection);
}

static int lose_power_with_connection(void *arg)
{
	struct rt_stream *stream = boot_and_connect(), *other;
	char byte;

	(void)arg;
	expect_echo(stream);
	sim_crash(a1, SIM_POWER_LOSS);
	CHECK_EQUAL(read_within(stream, &byte, 1, 60 * RT_SECOND), -ETIMEDOUT);	/* nobody tells */
	{
		RT_LIMIT(rt_now_ns() + RT_SECOND);

		CHECK_EQUAL(rt_connect("a1:7000", &other), -ETIMEDOUT);
	}
	sim_boot(a1, serve_echo, NULL);
	CHECK_EQUAL(read_within(stream, &byte, 1, 60 * RT_SECOND), -ETIMEDOUT);	/* still */
	CHECK_EQUAL(send_text(stream, "hello"), 0);
	CHECK_EQUAL(read_within(stream, &byte, 1, 60 * RT_SECOND), -ECONNRESET);	/* the new kernel does */
	rt_stream_close(stream);
	return sim_stop_and_wait(a1);
}

static void a_power_loss_leaves_half_open_connections(void **state)
{
	(void)state;
	run(lose_power_with_connection);
}

/* ---- pauses, full windows ---- */

static int pause_the_server(void *arg)
{
	static char sent[2 << 20];
	struct iovec part = { .iov_base = sent, .iov_len = sizeof(sent) };
	struct rt_stream *stream = boot_and_connect(), *other;

	(void)arg;
	sim_pause(a1);
	CHECK_EQUAL(rt_connect("a1:7000", &other), 0);	/* the kernel accepts */
	{
		RT_LIMIT(rt_now_ns() + 60 * RT_SECOND);

		CHECK_EQUAL(rt_stream_write(stream, &part, 1), -ETIMEDOUT);	/* and takes a window full */
	}
	CHECK_EQUAL(send_text(other, "hello"), 0);
	sim_resume(a1);
	CHECK_EQUAL(read_within(other, sent, 5, 10 * RT_SECOND), 0);
	CHECK_EQUAL(read_within(stream, sent, 1 << 20, 10 * RT_SECOND), 0);
	rt_stream_close(stream);
	rt_stream_close(other);
	return sim_stop_and_wait(a1);
}

static void a_paused_peer_takes_one_window(void **state)
{
	(void)state;
	run(pause_the_server);
}

static int count_seconds(void *arg)
{
	static char bytes[1000000];
	struct iovec part = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct rt_stream *stream = boot_and_connect();
	const struct sim_range delay_ns = { 20 * RT_MS, 30 * RT_MS };
	int64_t start_ns;

	(void)arg;
	sim_set_link(a1, sim_outside(world), delay_ns, 1000000);
	start_ns = rt_now_ns();
	CHECK_EQUAL(rt_stream_write(stream, &part, 1), 0);
	CHECK_EQUAL(rt_stream_read_full(stream, bytes, sizeof(bytes)), 0);
	CHECK(rt_now_ns() - start_ns >= RT_SECOND + 40 * RT_MS);
	CHECK(rt_now_ns() - start_ns < 1200 * RT_MS);	/* both ways at once */
	rt_stream_close(stream);
	return sim_stop_and_wait(a1);
}

static void a_link_has_its_speed(void **state)
{
	(void)state;
	run(count_seconds);
}

/* ---- Unix sockets ---- */

static int serve_unix(void *arg)
{
	struct server server;

	(void)arg;
	start_server(&server, "unix:/run/xdc");
	CHECK_EQUAL(rt_wait_stop(), 0);
	stop_server(&server);
	return 0;
}

static int do_nothing(void *arg)
{
	(void)arg;
	return rt_wait_stop();
}

static int reach_unix(void *arg)
{
	struct rt_stream *stream;

	(void)arg;
	sim_boot(a1, serve_unix, NULL);
	sim_boot(b1, do_nothing, NULL);
	pause_ns(RT_SECOND);
	CHECK_EQUAL(rt_connect("unix:/run/xdc", &stream), -ENOENT);	/* not on this machine */
	CHECK_EQUAL(sim_connect(b1, "unix:/run/xdc", &stream), -ENOENT);
	CHECK_EQUAL(sim_connect(a1, "unix:/run/xdc", &stream), 0);
	CHECK(rt_stream_is_local(stream));
	expect_echo(stream);
	sim_cut(a1, NULL);
	expect_echo(stream);		/* does not use the network */
	rt_stream_close(stream);
	return sim_stop_and_wait(a1);
}

static void a_unix_socket_belongs_to_its_machine(void **state)
{
	(void)state;
	run(reach_unix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_cases_hold),
		cmocka_unit_test(a_cut_stalls_and_a_heal_delivers),
		cmocka_unit_test(connecting_meets_cuts_and_refusals),
		cmocka_unit_test(a_break_resets_both_ends),
		cmocka_unit_test(the_kernel_tells_of_a_death),
		cmocka_unit_test(a_power_loss_leaves_half_open_connections),
		cmocka_unit_test(a_paused_peer_takes_one_window),
		cmocka_unit_test(a_link_has_its_speed),
		cmocka_unit_test(a_unix_socket_belongs_to_its_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
