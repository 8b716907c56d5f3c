/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Indications on their way: each comes once and in order; a listener that is dead, silent or says no is tried again,
 * later each time, and delays nobody else; what does not find room is counted and leaves a gap.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control_check.h"
#include "face/cim/deliver.h"
#include "rt/mem.h"
#include "rt/net.h"

#define SEEN_MAX	2000u

static const struct deliver_options options = {
	.retries = 3, .interval_ns = 30 * RT_SECOND, .interval_max_ns = 600 * RT_SECOND, .attempt_ns = 20 * RT_SECOND,
};

/* ---- a listener that does what it is told ---- */

enum manner { TAKES, REFUSES, SAYS_ERROR, IS_SILENT, HANGS_UP, TALKS_NONSENSE, TAKES_IN_CHUNKS };

struct listener {
	struct rt_listener *socket;
	struct rt_group acceptor;
	enum manner manner;
	unsigned seen;
	uint64_t numbers[SEEN_MAX];
	int64_t at_ns[SEEN_MAX];
	char request[4096];
};

static const char *const answers[] = {
	[TAKES] = "HTTP/1.1 200 OK\r\ncontent-length:  6\r\nCIMExport: MethodResponse\r\n\r\n<CIM/>",
	[REFUSES] = "HTTP/1.0 503 Busy\r\nContent-Length: 0\r\n\r\n",
	[SAYS_ERROR] = "HTTP/1.1 200 OK\r\n\r\n<CIM><ERROR CODE=\"1\"/></CIM>",
	[IS_SILENT] = NULL,
	[HANGS_UP] = "",
	[TALKS_NONSENSE] = "220 mail.example ESMTP\r\n",
	[TAKES_IN_CHUNKS] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<CIM/>\r\n0\r\n\r\n",
};

/* One request in full; its body is "<NUMBER>". */
static void read_request(struct listener *listener, struct rt_stream *stream)
{
	size_t used = 0;
	const char *body = NULL;

	while (!body || !strchr(body, '>')) {
		ssize_t got = rt_stream_read(stream, listener->request + used, sizeof(listener->request) - 1 - used);

		CHECK(got > 0);
		if (got <= 0)
			return;
		used += (size_t)got;
		listener->request[used] = '\0';
		body = strstr(listener->request, "\r\n\r\n<");
	}
	CHECK(listener->seen < SEEN_MAX);
	listener->numbers[listener->seen] = 0;
	for (const char *digit = body + 5; *digit != '>'; digit++)
		listener->numbers[listener->seen] = listener->numbers[listener->seen] * 10 + (uint64_t)(*digit - '0');
	listener->at_ns[listener->seen++] = rt_now_ns();
}

static void answer(struct listener *listener, struct rt_stream *stream)
{
	const char *text = answers[listener->manner];
	struct iovec part = { (void *)(uintptr_t)text, text ? strlen(text) : 0 };
	char byte;

	read_request(listener, stream);
	if (!text)
		CHECK_EQUAL(rt_stream_read(stream, &byte, 1), 0);
	else if (part.iov_len)
		CHECK_EQUAL(rt_stream_write(stream, &part, 1), 0);
	/* What ends its answer without saying so hangs up. */
	if (text && strstr(text, "gth:") == NULL && listener->manner != TAKES_IN_CHUNKS)
		return;
	if (text)
		CHECK_EQUAL(rt_stream_read(stream, &byte, 1), 0);
}

static void accept_all(void *arg)
{
	struct listener *listener = arg;
	struct rt_stream *stream;

	while (rt_accept(listener->socket, &stream) == 0) {
		answer(listener, stream);
		rt_stream_close(stream);
	}
}

static void start_listener(struct listener *listener, const char *address)
{
	CHECK_EQUAL(rt_listen(address, &listener->socket), 0);
	rt_group_init(&listener->acceptor);
	CHECK_EQUAL(rt_group_start(&listener->acceptor, "listener", accept_all, listener), 0);
}

static void stop_listener(struct listener *listener)
{
	rt_group_stop(&listener->acceptor);
	rt_listener_close(listener->socket);
}

static struct deliveries *start_deliveries(void)
{
	struct deliveries *deliveries;

	CHECK_EQUAL(deliveries_create(&options, &deliveries), 0);
	CHECK_EQUAL(deliveries_add(deliveries, "one", "http://a1:5990/path?x", 1), 0);
	CHECK_EQUAL(deliveries_add(deliveries, "two", "HTTP://a1:5991", 1), 0);
	CHECK_EQUAL(deliveries_add(deliveries, "two", "http://elsewhere", 1), 0);
	return deliveries;
}

static void post(struct deliveries *deliveries, const char *name, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		deliveries_post(deliveries, name, mem_copy_string("<"), ">");
}

static void pass(int64_t ns)
{
	CHECK_EQUAL(rt_sleep_until(rt_now_ns() + ns), 0);
}

static struct delivery_state look(const struct deliveries *deliveries, const char *name)
{
	struct delivery_state state;

	CHECK(deliveries_look(deliveries, name, &state));
	return state;
}

static int run_alone(struct sim_system *system, int (*fn)(void *arg))
{
	sim_boot(system, fn, NULL);
	CHECK_EQUAL(sim_wait_ended(system), 0);
	CHECK_EQUAL(sim_exit_code(system), 0);
	return 0;
}

/* ---- to one that takes them ---- */

static int send_in_order(void *arg)
{
	static struct listener one;
	struct deliveries *deliveries = start_deliveries();
	struct delivery_state state;

	(void)arg;
	one = (struct listener){ .manner = TAKES };
	start_listener(&one, "0.0.0.0:5990");
	post(deliveries, "one", 20);
	pass(RT_SECOND);
	one.manner = TAKES_IN_CHUNKS;
	post(deliveries, "one", 20);
	pass(RT_SECOND);
	CHECK_EQUAL(one.seen, 40);
	for (unsigned i = 0; i < one.seen; i++)
		CHECK_EQUAL(one.numbers[i], i);
	CHECK(strstr(one.request, "POST /path?x HTTP/1.1\r\nHost: a1:5990\r\n") == one.request);
	CHECK(strstr(one.request, "\r\nContent-Length: 4\r\n"));
	CHECK(strstr(one.request, "\r\nCIMExport: MethodRequest\r\nCIMExportMethod: ExportIndication\r\n"));
	state = look(deliveries, "one");
	CHECK(state.delivered == 40 && state.posted == 40 && !state.lost && !state.waiting && !state.failures);
	/* Another one of that name begins again. */
	CHECK_EQUAL(deliveries_add(deliveries, "one", "http://a1:5990/other", 2), 0);
	post(deliveries, "one", 1);
	pass(RT_SECOND);
	CHECK(one.seen == 41 && one.numbers[40] == 0 && strstr(one.request, "POST /other ") == one.request);
	deliveries_remove(deliveries, "one");
	CHECK(!strcmp(deliveries_next(deliveries, NULL), "two") && !deliveries_next(deliveries, "two"));
	deliveries_stop(deliveries);
	stop_listener(&one);
	return 0;
}

static int test_in_order(void *arg)
{
	return run_alone(arg, send_in_order);
}

static void each_message_comes_once_and_in_order(void **state)
{
	(void)state;
	run_world(1, 1, test_in_order);
}

/* ---- to one that does not, in whatever manner ---- */

/* After half a minute, a minute, two; then the next message; and as soon as it takes one, all. */
static void fail_and_recover(enum manner manner)
{
	static struct listener one, two;
	struct deliveries *deliveries = start_deliveries();
	struct delivery_state state;
	unsigned tries = options.retries + 1;

	one = (struct listener){ .manner = manner };
	two = (struct listener){ .manner = TAKES };
	start_listener(&one, "0.0.0.0:5990");
	start_listener(&two, "0.0.0.0:5991");
	post(deliveries, "one", 3);
	post(deliveries, "two", 3);
	pass(RT_SECOND);
	CHECK_EQUAL(two.seen, 3);
	pass(400 * RT_SECOND);
	CHECK_EQUAL(one.seen, tries);
	for (unsigned i = 0; i < tries; i++)
		CHECK_EQUAL(one.numbers[i], 0);
	for (unsigned i = 2; i < tries; i++) {
		int64_t before = one.at_ns[i - 1] - one.at_ns[i - 2], after = one.at_ns[i] - one.at_ns[i - 1];

		CHECK(before >= options.interval_ns && after > before + options.interval_ns / 2);
	}
	state = look(deliveries, "one");
	CHECK(state.lost == 1 && state.waiting == 2 && state.failures == tries && state.failing_since_ns);
	one.manner = TAKES;
	pass(options.interval_max_ns);
	CHECK_EQUAL(one.seen, tries + 2);
	CHECK(one.numbers[tries] == 1 && one.numbers[tries + 1] == 2);
	state = look(deliveries, "one");
	CHECK(state.delivered == 2 && !state.failures && !state.failing_since_ns);
	deliveries_stop(deliveries);
	stop_listener(&one);
	stop_listener(&two);
}

static int fail_in_all_manners(void *arg)
{
	static const enum manner manners[] = { REFUSES, SAYS_ERROR, IS_SILENT, HANGS_UP, TALKS_NONSENSE };

	(void)arg;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		fail_and_recover(manners[i]);
	return 0;
}

static int test_failing(void *arg)
{
	return run_alone(arg, fail_in_all_manners);
}

static void who_does_not_take_them_is_tried_again_later_and_later(void **state)
{
	(void)state;
	run_world(2, 1, test_failing);
}

/* ---- to nobody ---- */

static int send_to_the_dead(void *arg)
{
	static struct listener one, two;
	struct deliveries *deliveries = start_deliveries();
	struct delivery_state state;

	(void)arg;
	one = (struct listener){ .manner = TAKES };
	two = (struct listener){ .manner = TAKES };
	start_listener(&two, "0.0.0.0:5991");
	post(deliveries, "one", DELIVER_MESSAGES_MAX + 100);
	post(deliveries, "two", 100);
	post(deliveries, "nobody", 1);
	pass(RT_SECOND);
	CHECK_EQUAL(two.seen, 100);
	state = look(deliveries, "one");
	CHECK(state.waiting == DELIVER_MESSAGES_MAX && state.lost == 100 && state.failures == 1);
	/* It comes up: the last ones are there, and the gap shows how many are not. */
	start_listener(&one, "0.0.0.0:5990");
	pass(options.interval_ns);
	CHECK_EQUAL(one.seen, DELIVER_MESSAGES_MAX);
	CHECK(one.numbers[0] == 100 && one.numbers[one.seen - 1] == DELIVER_MESSAGES_MAX + 99);
	deliveries_stop(deliveries);
	stop_listener(&one);
	stop_listener(&two);
	return 0;
}

static int test_dead(void *arg)
{
	return run_alone(arg, send_to_the_dead);
}

static void what_waits_is_bounded_and_a_loss_leaves_a_gap(void **state)
{
	(void)state;
	run_world(3, 1, test_dead);
}

/* Long messages count by their bytes. */
static int send_long_ones(void *arg)
{
	struct deliveries *deliveries = start_deliveries();
	size_t len = DELIVER_BYTES_MAX / 8;

	(void)arg;
	for (unsigned i = 0; i < 20; i++) {
		char *head = mem_alloc_zeroed(len + 1);

		memset(head, 'x', len);
		deliveries_post(deliveries, "one", head, ">");
		CHECK(look(deliveries, "one").waiting <= 8);
	}
	CHECK_EQUAL(look(deliveries, "one").lost, 12);
	deliveries_stop(deliveries);
	return 0;
}

static int test_long(void *arg)
{
	return run_alone(arg, send_long_ones);
}

static void what_waits_is_bounded_in_bytes(void **state)
{
	(void)state;
	run_world(4, 1, test_long);
}

/* ---- addresses ---- */

static void addresses_of_listeners_are_read(void **state)
{
	static const struct {
		const char *text, *host, *path;
	} cases[] = {
		{ "http://a", "a:5988", "/" },
		{ "http://a:1/", "a:1", "/" },
		{ "Http://10.0.0.1:80/x/y?z", "10.0.0.1:80", "/x/y?z" },
		{ "http://[::1]/x", "[::1]:5988", "/x" },
		{ "http://[::1]:99", "[::1]:99", "/" },
		{ "", NULL, NULL },
		{ "http://", NULL, NULL },
		{ "http:///x", NULL, NULL },
		{ "https://a", NULL, NULL },
		{ "http://a:", NULL, NULL },
		{ "http://a:b", NULL, NULL },
		{ "http://:1", NULL, NULL },
		{ "http://u:p@a/", NULL, NULL },
		{ "http://a/ b", NULL, NULL },
		{ "http://a/\r\nX: y", NULL, NULL },
		{ "http://a?x", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct deliver_url url;
		bool ok = deliver_url_read(cases[i].text, &url);

		assert_int_equal(ok, cases[i].host != NULL);
		if (!ok)
			continue;
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.path, cases[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_message_comes_once_and_in_order),
		cmocka_unit_test(who_does_not_take_them_is_tried_again_later_and_later),
		cmocka_unit_test(what_waits_is_bounded_and_a_loss_leaves_a_gap),
		cmocka_unit_test(what_waits_is_bounded_in_bytes),
		cmocka_unit_test(addresses_of_listeners_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
