/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake of the NBD server in the simulator: every option, every refusal, and clients that are hostile or
 * slow.
 */
#include "nbd_client.h"

/* ---- options ---- */

static int list(void *arg)
{
	struct client c;
	struct option_reply reply;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(option_send(&c, NBD_OPT_LIST, NULL, 0));
	TRY(option_receive(&c, NBD_OPT_LIST, &reply));
	CHECK(reply.code == NBD_REP_SERVER && reply.len == 14);
	CHECK(memcmp(reply.data, "\0\0\0\4" "1500" "tables", 14) == 0);
	TRY(option_receive(&c, NBD_OPT_LIST, &reply));
	CHECK(reply.code == NBD_REP_SERVER && reply.len == 8);
	CHECK(memcmp(reply.data, "\0\0\0\4" "1501", 8) == 0);
	TRY(option_expect(&c, NBD_OPT_LIST, NBD_REP_ACK));
	TRY(option_do(&c, NBD_OPT_LIST, "x", 1, NBD_REP_ERR_INVALID));
	TRY(option_do(&c, NBD_OPT_ABORT, NULL, 0, NBD_REP_ACK));
	TRY(client_expect_end(&c));
	client_close(&c);
	return stop_server();
}

static void test_list(void **state)
{
	(void)state;
	setup.exports = 2;
	run(list, 1);
}

static int info(void *arg)
{
	static const uint8_t all[] = { 0, 0, 0, 4, '1', '5', '0', '0', 0, 3, 0, 1, 0, 2, 0, 3 };
	struct client c;
	struct option_reply reply;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(option_send(&c, NBD_OPT_INFO, all, sizeof(all)));
	TRY(option_receive(&c, NBD_OPT_INFO, &reply));
	CHECK(reply.code == NBD_REP_INFO && reply.len == NBD_INFO_EXPORT_SIZE);
	CHECK(get_be16(reply.data) == NBD_INFO_EXPORT && get_be64(reply.data + 2) == VOLUME_SIZE);
	TRY(option_receive(&c, NBD_OPT_INFO, &reply));
	CHECK(reply.code == NBD_REP_INFO && reply.len == 6 && memcmp(reply.data, "\0\1" "1500", 6) == 0);
	TRY(option_receive(&c, NBD_OPT_INFO, &reply));
	CHECK(reply.code == NBD_REP_INFO && reply.len == 8 && memcmp(reply.data, "\0\2" "tables", 8) == 0);
	TRY(option_receive(&c, NBD_OPT_INFO, &reply));
	CHECK(reply.code == NBD_REP_INFO && reply.len == 14 && get_be16(reply.data) == NBD_INFO_BLOCK_SIZE);
	TRY(option_expect(&c, NBD_OPT_INFO, NBD_REP_ACK));
	CHECK(attaches == 0);
	/* It has only asked: it may still choose. */
	TRY(client_go(&c, "1500"));
	CHECK(attached == 1);
	TRY(client_write(&c, 0, 0, 4096, 1));
	client_close(&c);
	return stop_server();
}
ADD_TEST(info, 1)

static int refusals(void *arg)
{
	static const struct { const char *name; uint32_t code; } cases[] = {
		{ "15ff", NBD_REP_ERR_UNKNOWN },
		{ "", NBD_REP_ERR_UNKNOWN },	/* there are two */
		{ "1501", NBD_REP_ERR_POLICY },
		{ "1502", NBD_REP_ERR_SHUTDOWN },
		{ "1503", NBD_REP_ERR_POLICY },
	};
	struct client c;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(option_do(&c, NBD_OPT_STRUCTURED_REPLY, NULL, 0, NBD_REP_ACK));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TRY(send_go(&c, NBD_OPT_GO, cases[i].name));
		TRY(option_expect(&c, NBD_OPT_GO, cases[i].code));
		TRY(send_go(&c, NBD_OPT_INFO, cases[i].name));
		TRY(option_expect(&c, NBD_OPT_INFO, cases[i].code));
		TRY(send_meta(&c, NBD_OPT_SET_META_CONTEXT, cases[i].name, "base:allocation"));
		TRY(option_expect(&c, NBD_OPT_SET_META_CONTEXT, cases[i].code));
	}
	TRY(option_do(&c, NBD_OPT_GO, "\0\0\0\1", 4, NBD_REP_ERR_INVALID));
	TRY(option_do(&c, NBD_OPT_STRUCTURED_REPLY, "x", 1, NBD_REP_ERR_INVALID));
	TRY(option_do(&c, NBD_OPT_STARTTLS, NULL, 0, NBD_REP_ERR_UNSUP));
	TRY(option_do(&c, 11, NULL, 0, NBD_REP_ERR_UNSUP));
	TRY(option_do(&c, UINT32_MAX, "hello", 5, NBD_REP_ERR_UNSUP));
	TRY(client_go(&c, "1500"));
	client_close(&c);
	return stop_server();
}

static void test_refusals(void **state)
{
	(void)state;
	setup.exports = 2;
	run(refusals, 1);
}

static int default_export(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(client_go(&c, ""));
	TRY(client_write(&c, 0, 0, 512, 9));
	client_close(&c);
	return stop_server();
}
ADD_TEST(default_export, 1)

/*
 * The option of old: it answers with the export itself, with or without 124 zeroes, and cannot refuse but by hanging
 * up.
 */
static int export_name(void *arg)
{
	struct client c;
	uint8_t bytes[134];

	(void)arg;
	for (uint32_t flags = 0; flags <= 3; flags++) {
		TRY(client_connect(&c, flags));
		TRY(option_send(&c, NBD_OPT_EXPORT_NAME, "1500", 4));
		TRY(client_receive(&c, bytes, flags & 2 ? 10 : 134));
		CHECK(get_be64(bytes) == VOLUME_SIZE && get_be16(bytes + 8) == 0x0d6d);
		TRY(client_write(&c, 0, 0, 4096, 5));
		client_close(&c);
	}
	TRY(client_connect(&c, 3));
	TRY(option_send(&c, NBD_OPT_EXPORT_NAME, "15ff", 4));
	TRY(client_expect_end(&c));
	client_close(&c);
	return stop_server();
}
ADD_TEST(export_name, 2)

static int meta_contexts(void *arg)
{
	static const char *const asked[] = { "", "base:", "base:allocation" };
	struct client c;
	struct option_reply reply;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(send_meta(&c, NBD_OPT_SET_META_CONTEXT, "1500", "base:allocation"));
	TRY(option_expect(&c, NBD_OPT_SET_META_CONTEXT, NBD_REP_ERR_INVALID));	/* no structured replies yet */
	TRY(option_do(&c, NBD_OPT_STRUCTURED_REPLY, NULL, 0, NBD_REP_ACK));
	for (unsigned i = 0; i < 3; i++) {
		TRY(send_meta(&c, NBD_OPT_LIST_META_CONTEXT, "1500", asked[i]));
		TRY(option_receive(&c, NBD_OPT_LIST_META_CONTEXT, &reply));
		CHECK(reply.code == NBD_REP_META_CONTEXT && reply.len == 19);
		CHECK(memcmp(reply.data + 4, "base:allocation", 15) == 0);
		TRY(option_expect(&c, NBD_OPT_LIST_META_CONTEXT, NBD_REP_ACK));
	}
	TRY(send_meta(&c, NBD_OPT_LIST_META_CONTEXT, "1500", "other:"));
	TRY(option_expect(&c, NBD_OPT_LIST_META_CONTEXT, NBD_REP_ACK));
	TRY(option_do(&c, NBD_OPT_SET_META_CONTEXT, "\0\0\0\4", 4, NBD_REP_ERR_INVALID));

	/* Chosen for the empty name: another name does not have it, even of the same export. */
	TRY(send_meta(&c, NBD_OPT_SET_META_CONTEXT, "", "base:allocation"));
	TRY(option_receive(&c, NBD_OPT_SET_META_CONTEXT, &reply));
	CHECK(reply.code == NBD_REP_META_CONTEXT);
	TRY(option_expect(&c, NBD_OPT_SET_META_CONTEXT, NBD_REP_ACK));
	TRY(client_go(&c, "1500"));
	c.structured = true;
	TRY(command_send(&c, 0, NBD_CMD_BLOCK_STATUS, 0, 4096));
	TRY(error_chunk_expect(&c, 22));
	client_close(&c);
	return stop_server();
}
ADD_TEST(meta_contexts, 1)

/* TLS begins anew: nothing that was agreed in the clear holds. */
static int starttls(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(option_do(&c, NBD_OPT_LIST, NULL, 0, NBD_REP_ERR_TLS_REQD));
	TRY(send_go(&c, NBD_OPT_GO, "1500"));
	TRY(option_expect(&c, NBD_OPT_GO, NBD_REP_ERR_TLS_REQD));
	CHECK(found == 0);
	TRY(option_do(&c, NBD_OPT_STARTTLS, "x", 1, NBD_REP_ERR_INVALID));
	TRY(option_do(&c, NBD_OPT_STARTTLS, NULL, 0, NBD_REP_ACK));
	TRY(option_do(&c, NBD_OPT_STARTTLS, NULL, 0, NBD_REP_ERR_INVALID));
	TRY(client_go(&c, "1500"));
	client_close(&c);

	TRY(client_connect(&c, 3));
	TRY(option_send(&c, NBD_OPT_EXPORT_NAME, "1500", 4));
	TRY(client_expect_end(&c));
	client_close(&c);
	CHECK(found == 1);

	setup.tls_rc = -EPROTO;
	TRY(client_connect(&c, 3));
	TRY(option_do(&c, NBD_OPT_STARTTLS, NULL, 0, NBD_REP_ACK));
	TRY(client_expect_end(&c));
	client_close(&c);
	return stop_server();
}

static void test_starttls(void **state)
{
	(void)state;
	setup.tls = setup.tls_required = true;
	run(starttls, 1);
}

static int tls_forgets(void *arg)
{
	struct client c;

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(option_do(&c, NBD_OPT_STRUCTURED_REPLY, NULL, 0, NBD_REP_ACK));
	TRY(option_do(&c, NBD_OPT_STARTTLS, NULL, 0, NBD_REP_ACK));
	TRY(send_meta(&c, NBD_OPT_SET_META_CONTEXT, "1500", "base:allocation"));
	TRY(option_expect(&c, NBD_OPT_SET_META_CONTEXT, NBD_REP_ERR_INVALID));
	TRY(client_go(&c, "1500"));
	TRY(client_write(&c, 0, 0, 512, 3));
	TRY(command_send(&c, 0, NBD_CMD_READ, 0, 512));
	TRY(reply_expect(&c, 0));
	client_close(&c);
	return stop_server();
}

static void test_tls_forgets(void **state)
{
	(void)state;
	setup.tls = true;
	run(tls_forgets, 1);
}

/* ---- hostile and lost clients ---- */

static int hostile_handshakes(void *arg)
{
	static uint8_t much[NBD_OPTION_MAX + 1];
	struct client c, other;
	int64_t before;

	(void)arg;
	TRY(client_open(&other));

	TRY(client_connect(&c, 4));			/* a flag that was not offered */
	TRY(client_expect_end(&c));
	client_close(&c);

	TRY(client_connect(&c, 3));
	TRY(client_send(&c, "GET / HTTP/1.0\r\n\r\n", 18));
	TRY(client_expect_end(&c));
	client_close(&c);

	TRY(client_connect(&c, 3));
	TRY(option_send(&c, NBD_OPT_LIST, much, sizeof(much)));
	TRY(client_expect_end(&c));
	client_close(&c);

	TRY(client_connect(&c, 2));			/* not fixed newstyle, but it uses it */
	TRY(option_send(&c, NBD_OPT_LIST, NULL, 0));
	TRY(client_expect_end(&c));
	client_close(&c);

	TRY(client_connect(&c, 3));			/* options without end */
	before = rt_now_ns();
	for (unsigned i = 0; i < 1024; i++)
		TRY(option_do(&c, NBD_OPT_STRUCTURED_REPLY, NULL, 0, NBD_REP_ACK));
	TRY(client_expect_end(&c));
	CHECK(rt_now_ns() - before < 5 * RT_SECOND);	/* not by the time-out of the handshake */
	client_close(&c);

	TRY(client_connect(&c, 3));			/* gone in the middle of an option */
	TRY(client_send(&c, "IHAVEOPT\0\0", 10));
	client_close(&c);

	TRY(client_write(&other, 0, 0, 4096, 0x42));
	CHECK(volume_holds(0, 4096, 0x42));
	client_close(&other);
	TRY(check_serves());
	return stop_server();
}
ADD_TEST(hostile_handshakes, 1)

static int handshake_timeout(void *arg)
{
	struct client c;
	int64_t before = rt_now_ns();

	(void)arg;
	TRY(client_connect(&c, 3));
	TRY(client_send(&c, "IHAVEOPT", 8));
	TRY(client_expect_end(&c));
	CHECK(rt_now_ns() - before > 9 * RT_SECOND && rt_now_ns() - before < 11 * RT_SECOND);
	client_close(&c);

	/* Once it has an export it may think as long as it likes. */
	TRY(client_open(&c));
	TRY(rt_sleep_until(rt_now_ns() + 100 * RT_SECOND));
	TRY(client_write(&c, 0, 0, 4096, 1));
	client_close(&c);
	return stop_server();
}
ADD_TEST(handshake_timeout, 1)

static int connections_max(void *arg)
{
	struct client c[3];

	(void)arg;
	TRY(client_open(&c[0]));
	TRY(client_connect(&c[1], 3));
	TRY(rt_connect(ADDRESS, &c[2].stream));
	TRY(client_expect_end(&c[2]));
	client_close(&c[2]);
	client_close(&c[0]);
	TRY(settle());
	TRY(client_open(&c[0]));
	client_close(&c[0]);
	client_close(&c[1]);
	return stop_server();
}

static void test_connections_max(void **state)
{
	(void)state;
	setup.connections_max = 2;
	run(connections_max, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_list, set_up),
		cmocka_unit_test_setup(test_info, set_up),
		cmocka_unit_test_setup(test_refusals, set_up),
		cmocka_unit_test_setup(test_default_export, set_up),
		cmocka_unit_test_setup(test_export_name, set_up),
		cmocka_unit_test_setup(test_meta_contexts, set_up),
		cmocka_unit_test_setup(test_starttls, set_up),
		cmocka_unit_test_setup(test_tls_forgets, set_up),
		cmocka_unit_test_setup(test_hostile_handshakes, set_up),
		cmocka_unit_test_setup(test_handshake_timeout, set_up),
		cmocka_unit_test_setup(test_connections_max, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
