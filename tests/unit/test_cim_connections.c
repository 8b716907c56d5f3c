/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to the CIM server: how many, of whom, and who has to go for the next one. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "face/cim/connections.h"

#define MANY	(CONNECTIONS_MAX + 1)

struct client {
	struct connection *connection;
	int ends[2];
};

static const struct sockaddr *address_of(const char *text)
{
	static struct sockaddr_storage address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

	memset(&address, 0, sizeof(address));
	if (strchr(text, ':')) {
		v6->sin6_family = AF_INET6;
		assert_int_equal(1, inet_pton(AF_INET6, text, &v6->sin6_addr));
	} else {
		v4->sin_family = AF_INET;
		assert_int_equal(1, inet_pton(AF_INET, text, &v4->sin_addr));
	}
	return (const struct sockaddr *)&address;
}

static bool come(struct connections *connections, struct client *client, const char *from)
{
	if (!connections_admit(connections, address_of(from)))
		return false;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, client->ends));
	client->connection = connections_begin(connections, address_of(from), client->ends[0]);
	assert_non_null(client->connection);
	return true;
}

static void go(struct connections *connections, struct client *client)
{
	connections_end(connections, client->connection);
	close(client->ends[0]);
	close(client->ends[1]);
}

/* Its client hears at once that it was told to go. */
static bool was_told(const struct client *client)
{
	char byte;

	return client->connection->gone && recv(client->ends[1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void an_address_displaces_its_own(void **state)
{
	static struct client clients[CONNECTIONS_OF_ADDRESS_MAX + 3];
	struct client other, last;
	struct connections connections;

	(void)state;
	connections_init(&connections);
	assert_true(come(&connections, &other, "10.0.0.2"));
	for (unsigned i = 0; i < CONNECTIONS_OF_ADDRESS_MAX; i++)
		assert_true(come(&connections, &clients[i], "10.0.0.1"));
	connections_set_busy(&connections, clients[0].connection, true);
	assert_true(come(&connections, &last, "10.0.0.1"));
	assert_true(was_told(&clients[1]));
	assert_false(was_told(&other) || was_told(&clients[0]) || was_told(&clients[2]));
	/* The same by IPv6: of one network of 64 bits; IPv4 in IPv6 is IPv4. */
	assert_true(come(&connections, &clients[CONNECTIONS_OF_ADDRESS_MAX], "::ffff:10.0.0.1"));
	assert_true(was_told(&clients[2]));
	for (unsigned i = 0; i <= CONNECTIONS_OF_ADDRESS_MAX; i++)
		go(&connections, &clients[i]);
	for (unsigned i = 0; i < CONNECTIONS_OF_ADDRESS_MAX; i++)
		assert_true(come(&connections, &clients[i], i % 2 ? "2001:db8::1" : "2001:db8::2:1"));
	assert_true(come(&connections, &clients[CONNECTIONS_OF_ADDRESS_MAX], "2001:db8::3"));
	assert_true(was_told(&clients[0]));
	assert_true(come(&connections, &clients[CONNECTIONS_OF_ADDRESS_MAX + 1], "2001:db8:0:1::3"));
	assert_false(was_told(&clients[1]));
	for (unsigned i = 0; i <= CONNECTIONS_OF_ADDRESS_MAX + 1; i++)
		go(&connections, &clients[i]);
	go(&connections, &other);
	go(&connections, &last);
	connections_destroy(&connections);
}

static void who_waits_longest_for_its_client_has_to_go(void **state)
{
	static struct client clients[MANY];
	struct connections connections;
	struct client late;
	char from[16];

	(void)state;
	connections_init(&connections);
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		snprintf(from, sizeof(from), "10.0.0.%u", i);
		assert_true(come(&connections, &clients[i], from));
		connections_set_busy(&connections, clients[i].connection, i != 7 && i != 3);
	}
	/* 3 has waited longer, but then it had an answer; so 7 has to go, and then 3. */
	connections_set_busy(&connections, clients[3].connection, true);
	connections_set_busy(&connections, clients[3].connection, false);
	assert_true(come(&connections, &late, "10.0.1.1"));
	assert_true(was_told(&clients[7]) && !was_told(&clients[3]));
	connections_set_busy(&connections, late.connection, true);
	assert_true(come(&connections, &clients[MANY - 1], "10.0.1.2"));
	assert_true(was_told(&clients[3]));
	/* What is worked on is let be. */
	connections_set_busy(&connections, clients[MANY - 1].connection, true);
	assert_false(connections_admit(&connections, address_of("10.0.1.3")));
	go(&connections, &late);
	assert_true(connections_admit(&connections, address_of("10.0.1.3")));
	for (unsigned i = 0; i < MANY; i++)
		go(&connections, &clients[i]);
	connections_destroy(&connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_displaces_its_own),
		cmocka_unit_test(who_waits_longest_for_its_client_has_to_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
