/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the requests of all hosts of the NBD server may take together: many that have much under way stay below the
 * bound, all are served in the end, a large request is not overtaken for ever, and who keeps memory and does nothing
 * does not keep it from others.
 */
#include "nbd_client.h"

#include "host/nbd_budget.h"

#define REACTORS	4		/* so many that each has the least that it may have */
#define HOSTS		8u
#define WRITES		8u

/* ---- many hosts with large writes ---- */

struct host {
	struct client client;
	unsigned served;
};

/* Sends all of them, as far as the server takes them, before it looks for a reply. */
static int write_all(struct host *host)
{
	uint64_t cookie;
	uint32_t error;

	for (unsigned i = 0; i < WRITES; i++)
		TRY(write_send(&host->client, 0, MIB(4) * i, MIB(4), 0x5a));
	for (; host->served < WRITES; host->served++) {
		TRY(reply_receive(&host->client, &cookie, &error));
		CHECK(error == 0);
	}
	return 0;
}

static void run_host(void *arg)
{
	if (write_all(arg))
		sim_fail(sim_world(), "a host was not served");
}

static int many_large_writes(void *arg)
{
	static struct host hosts[HOSTS];
	struct rt_group group;

	(void)arg;
	rt_group_init(&group);
	volume_1500.gated = true;
	for (unsigned i = 0; i < HOSTS; i++) {
		hosts[i].served = 0;
		TRY(client_open(&hosts[i].client));
		TRY(rt_group_start(&group, "host", run_host, &hosts[i]));
	}
	TRY(settle());
	/* More of them have none than have some, and what these have is all there is. */
	CHECK(volume_1500.active > 0 && volume_1500.active <= NBD_MEMORY_LEAST / MIB(4));
	TRY(open_gate());
	TRY(rt_group_wait(&group));
	CHECK(volume_1500.writes == HOSTS * WRITES);
	CHECK(volume_1500.active_max <= NBD_MEMORY_LEAST / MIB(4));
	for (unsigned i = 0; i < HOSTS; i++)
		client_close(&hosts[i].client);
	return stop_server();
}
ADD_TEST(many_large_writes, REACTORS)

/* ---- small requests and a large one ---- */

static bool large_is_served;
static uint8_t bytes[MIB(8)], large_bytes[NBD_PAYLOAD_MAX];

#define READERS	12u		/* who together want more than there is */

/* Asks for more as soon as it has got some, until the other has got its own. */
static int read_on(struct client *c)
{
	while (!large_is_served) {
		TRY(command_send(c, 0, NBD_CMD_READ, 0, sizeof(bytes)));
		TRY(reply_expect(c, 0));
		TRY(client_receive(c, bytes, sizeof(bytes)));
	}
	return 0;
}

static void run_reader(void *arg)
{
	if (read_on(arg))
		sim_fail(sim_world(), "a reader was not served");
}

static int read_large(struct client *c)
{
	TRY(command_send(c, 0, NBD_CMD_READ, 0, NBD_PAYLOAD_MAX));
	TRY(reply_expect(c, 0));
	return client_receive(c, large_bytes, NBD_PAYLOAD_MAX);
}

static int large_among_small(void *arg)
{
	struct client readers[READERS], large;
	struct rt_group group;

	(void)arg;
	large_is_served = false;
	rt_group_init(&group);
	for (unsigned i = 0; i < READERS; i++) {
		TRY(client_open(&readers[i]));
		TRY(rt_group_start(&group, "reader", run_reader, &readers[i]));
	}
	TRY(client_open(&large));
	TRY(rt_sleep_until(rt_now_ns() + 10 * RT_MS));
	TRY(read_large(&large));
	large_is_served = true;
	TRY(rt_group_wait(&group));
	for (unsigned i = 0; i < READERS; i++)
		client_close(&readers[i]);
	client_close(&large);
	return stop_server();
}
ADD_TEST(large_among_small, REACTORS)

/* ---- the order in which it is given ---- */

static struct nbd_budget budget;
static char order[8];

struct taker {
	char name;
	size_t len;
	int64_t limit_ns;
};

static void take(void *arg)
{
	const struct taker *taker = arg;
	RT_LIMIT(taker->limit_ns);

	if (nbd_budget_take(&budget, taker->len) == 0)
		order[strlen(order)] = taker->name;
}

static void look_at_nobody(void *arg)
{
	(void)arg;
}

/* Who asks for little does not overtake who asks for much, and who gives up holds up nobody. */
static int order_of_asking(void *arg)
{
	struct taker takers[] = {
		{ 'a', 6, RT_NEVER }, { 'b', 8, RT_NEVER }, { 'c', 2, RT_NEVER }, { 'd', 10, rt_now_ns() + RT_SECOND },
		{ 'e', 1, RT_NEVER },
	};
	struct rt_group group;

	(void)arg;
	memset(order, 0, sizeof(order));
	nbd_budget_init(&budget, 10, look_at_nobody, NULL);
	rt_group_init(&group);
	for (unsigned i = 0; i < 5; i++)
		TRY(rt_group_start(&group, "taker", take, &takers[i]));
	rt_yield();
	CHECK(!strcmp(order, "a"));
	nbd_budget_give(&budget, 6);
	rt_yield();
	CHECK(!strcmp(order, "abc"));
	nbd_budget_give(&budget, 2);
	rt_yield();
	CHECK(!strcmp(order, "abc"));
	TRY(rt_group_wait(&group));
	CHECK(!strcmp(order, "abce") && budget.taken == 9);
	return stop_server();
}
ADD_TEST(order_of_asking, 1)

/* ---- hosts that keep memory and do nothing ---- */

/* As long as nobody else needs the memory a host may take its time. */
static int slow_host(void *arg)
{
	struct client slow;
	uint64_t cookie;
	uint32_t error;

	(void)arg;
	TRY(client_open(&slow));
	for (unsigned i = 0; i < 16; i++)
		TRY(command_send(&slow, 0, NBD_CMD_READ, 0, MIB(4)));
	TRY(rt_sleep_until(rt_now_ns() + 300 * RT_SECOND));
	TRY(check_serves());
	for (unsigned i = 0; i < 16; i++) {
		TRY(reply_receive(&slow, &cookie, &error));
		CHECK(error == 0);
		TRY(client_receive(&slow, large_bytes, MIB(4)));
	}
	client_close(&slow);
	return stop_server();
}
ADD_TEST(slow_host, REACTORS)

static int expect_served_soon(void)
{
	struct client other;

	TRY(client_open(&other));
	{
		RT_LIMIT(rt_now_ns() + 400 * RT_SECOND);
		TRY(read_large(&other));
	}
	client_close(&other);
	return 0;
}

static int deaf_host(void *arg)
{
	struct client deaf;

	(void)arg;
	TRY(client_open(&deaf));
	for (unsigned i = 0; i < 16; i++)
		TRY(command_send(&deaf, 0, NBD_CMD_READ, 0, MIB(4)));
	TRY(settle());
	TRY(expect_served_soon());
	TRY(settle());
	CHECK(attached == 0);
	client_close(&deaf);
	return stop_server();
}
ADD_TEST(deaf_host, REACTORS)

/* Writes that were announced and do not come. */
static int silent_hosts(void *arg)
{
	struct client silent[2];

	(void)arg;
	for (unsigned i = 0; i < 2; i++) {
		TRY(client_open(&silent[i]));
		TRY(command_send(&silent[i], 0, NBD_CMD_WRITE, 0, NBD_PAYLOAD_MAX));
	}
	TRY(settle());
	TRY(expect_served_soon());
	CHECK(volume_1500.writes == 0);
	for (unsigned i = 0; i < 2; i++)
		client_close(&silent[i]);
	return stop_server();
}
ADD_TEST(silent_hosts, REACTORS)

/* A stop does not wait for who waits for memory, and who goes meanwhile leaves its place to the next. */
static int stop_while_waiting(void *arg)
{
	struct client deaf, waiting;

	(void)arg;
	TRY(client_open(&deaf));
	TRY(client_open(&waiting));
	for (unsigned i = 0; i < 16; i++)
		TRY(command_send(&deaf, 0, NBD_CMD_READ, 0, MIB(4)));
	TRY(settle());
	TRY(command_send(&waiting, 0, NBD_CMD_READ, 0, NBD_PAYLOAD_MAX));
	TRY(settle());
	TRY(stop_server());
	client_close(&deaf);
	client_close(&waiting);
	return 0;
}
ADD_TEST(stop_while_waiting, REACTORS)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_many_large_writes, set_up),
		cmocka_unit_test_setup(test_large_among_small, set_up),
		cmocka_unit_test_setup(test_order_of_asking, set_up),
		cmocka_unit_test_setup(test_slow_host, set_up),
		cmocka_unit_test_setup(test_deaf_host, set_up),
		cmocka_unit_test_setup(test_silent_hosts, set_up),
		cmocka_unit_test_setup(test_stop_while_waiting, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
