/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large answers over HTTP, and the limits of time: the real server with an operation of the test's own, which makes
 * pieces and then goes wrong, or goes on until nobody takes them.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "face/cim/engine.h"
#include "face/cim/http.h"
#include "face/cim/indication.h"
#include "face/cim/operations.h"
#include "rt/run.h"
#include "rt_check.h"
#include "shifted_clock.h"

#define PIECE	(70u * 1024)
#define PIECES	5u
#define BODY \
	"<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>" \
	"<IMETHODCALL NAME=\"%s\"><LOCALNAMESPACEPATH><NAMESPACE NAME=\"interop\"/></LOCALNAMESPACEPATH>" \
	"</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"

static char folder[] = "/tmp/test_cim_http.XXXXXX";
static char users_path[64], address[64];
static struct sockaddr_in where;
static unsigned made;		/* pieces; atomic */
static sem_t ended;		/* an operation has returned */

/* ---- in place of the engine, of indications, and of operations.c ---- */

int cim_engine_open(struct control *control, struct cim_engine **out)
{
	static char engine;

	(void)control;
	*out = (struct cim_engine *)&engine;
	return 0;
}

void cim_engine_refuse(struct cim_engine *engine)
{
	(void)engine;
}

void cim_engine_close(struct cim_engine *engine)
{
	(void)engine;
}

void cim_engine_set_indications(struct cim_engine *engine, struct cim_indications *indications)
{
	(void)engine;
	(void)indications;
}

int cim_indications_start(struct control *control, struct cim_engine *engine, struct cim_indications **out)
{
	(void)control;
	*out = (struct cim_indications *)engine;
	return 0;
}

void cim_indications_end_waits(struct cim_indications *indications)
{
	(void)indications;
}

void cim_indications_stop(struct cim_indications *indications)
{
	(void)indications;
}

/* "Whole", "Fails" behind the first pieces, or "Endless". */
void cim_operation_run(struct cim_arena *arena, struct cim_engine *engine, const struct cim_caller *caller,
		       const struct cim_request *request, struct xml_text *text, struct cim_failure *failure)
{
	static char piece[PIECE];
	bool endless = !strcmp(request->operation, "Endless");

	(void)arena;
	(void)engine;
	CHECK_EQUAL(caller->role, ROLE_OPERATOR);
	CHECK(!strcmp(caller->user, "ann"));
	memset(piece, 'x', sizeof(piece));
	*failure = (struct cim_failure){ 0 };
	for (unsigned i = 0; (i < PIECES || endless) && xml_flush(text); i++) {
		xml_put_bytes(text, piece, sizeof(piece));
		__atomic_add_fetch(&made, 1, __ATOMIC_SEQ_CST);
	}
	if (!strcmp(request->operation, "Fails")) {
		(void)cim_fail(failure, CIM_ERR_NOT_FOUND, "gone: 100 %%");
		text->failed = true;
	}
	sem_post(&ended);
}

static void await_end(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	CHECK_EQUAL(sem_timedwait(&ended, &until), 0);
}

/* ---- a client, on a helper thread ---- */

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof(where)) == 0);
	return fd;
}

static void ask(int fd, const char *operation, const char *version, const char *header)
{
	char body[512], request[1024];
	int body_len = snprintf(body, sizeof(body), BODY, operation);
	int len = snprintf(request, sizeof(request),
			   "POST /cimom HTTP/%s\r\nHost: x\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\n"
			   "CIMOperation: MethodCall\r\n%sContent-Length: %d\r\n\r\n%s", version, header, body_len,
			   body);

	CHECK(send(fd, request, (size_t)len, 0) == len);
}

/* Until the connection ends, or what came ends with this. */
static size_t take(int fd, char *to, size_t room, const char *until)
{
	size_t used = 0, len = strlen(until);
	ssize_t got;

	while (used + 1 < room && (got = recvfrom(fd, to + used, room - used - 1, 0, NULL, NULL)) > 0) {
		used += (size_t)got;
		if (len && used >= len && !memcmp(to + used - len, until, len))
			break;
	}
	to[used] = '\0';
	return used;
}

static int talk(void *arg)
{
	static char answer[2 * PIECES * PIECE];
	int fd = dial();
	size_t len;

	(void)arg;
	/* Whole, and the connection goes on. */
	ask(fd, "Whole", "1.1", "");
	take(fd, answer, sizeof(answer), "\r\n0\r\n\r\n");
	CHECK(strstr(answer, "Transfer-Encoding: chunked\r\n") && !strstr(answer, "Trailer:"));
	/* What goes wrong is said behind it to who reads that: */
	ask(fd, "Fails", "1.1", "TE: trailers\r\n");
	take(fd, answer, sizeof(answer), "100%20%25\r\n\r\n");
	CHECK(strstr(answer, "Trailer: CIMStatusCode, CIMStatusCodeDescription\r\n"));
	CHECK(strstr(answer, "\r\n0\r\nCIMStatusCode: 6\r\nCIMStatusCodeDescription: gone%3A%20100%20%25\r\n\r\n"));
	/* to others it breaks off. */
	ask(fd, "Fails", "1.1", "");
	len = take(fd, answer, sizeof(answer), "");
	CHECK(strstr(answer, "HTTP/1.1 200 OK\r\n") && len > PIECE && strcmp(answer + len - 5, "0\r\n\r\n") != 0);
	close(fd);
	/* For HTTP/1.0 the connection is the end of it. */
	fd = dial();
	ask(fd, "Whole", "1.0", "");
	len = take(fd, answer, sizeof(answer), "");
	CHECK(!strstr(answer, "Transfer-Encoding") && len > PIECES * PIECE && len < PIECES * PIECE + 1024);
	close(fd);
	for (unsigned i = 0; i < 4; i++)
		await_end();
	return 0;
}

/* Nothing more is made than a client takes, and when it has gone the operation comes to its end. */
static int leave_in_the_middle(void *arg)
{
	int fd = dial();
	char byte;

	(void)arg;
	ask(fd, "Endless", "1.1", "");
	CHECK(recvfrom(fd, &byte, 1, MSG_PEEK, NULL, NULL) == 1);
	CHECK(__atomic_load_n(&made, __ATOMIC_SEQ_CST) < 100);
	close(fd);
	await_end();
	return 0;
}

/* It takes nothing while the server stops. */
static int hold_on(void *arg)
{
	int *fd = arg;
	char byte;

	*fd = dial();
	ask(*fd, "Endless", "1.1", "");
	CHECK(recvfrom(*fd, &byte, 1, MSG_PEEK, NULL, NULL) == 1);
	return 0;
}

/* ---- limits of time, on a clock that the test moves ---- */

static unsigned server_bytes;	/* that came from clients; atomic. Clients here read by recvfrom. */

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t got = syscall(SYS_recvfrom, fd, buf, len, flags, NULL, NULL);

	if (got > 0)
		__atomic_add_fetch(&server_bytes, (unsigned)got, __ATOMIC_SEQ_CST);
	return got;
}

/* Sent, taken by the server, and done with. */
static void deliver(int fd, const char *text)
{
	unsigned until = __atomic_load_n(&server_bytes, __ATOMIC_SEQ_CST) + (unsigned)strlen(text);

	CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
	while (__atomic_load_n(&server_bytes, __ATOMIC_SEQ_CST) < until)
		sched_yield();
	clock_await_polled(fd);
}

static bool has_ended(int fd, int wait_ms)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };
	char byte;

	if (syscall(SYS_poll, &end, 1, wait_ms) == 0)
		return false;
	return recvfrom(fd, &byte, 1, MSG_DONTWAIT, NULL, NULL) <= 0;
}

#define PATIENCE_MS	8000	/* less than what would make a longer limit good */
#define SOON_MS		50	/* what happens at once by mistake happens in this time, mostly */
#define HEAD \
	"POST /cimom HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\nCIMOperation: MethodCall\r\n" \
	"Content-Length: 1000000\r\n\r\n"

/* Whoever says nothing, not even its request, not the rest of it, for 30 s. */
static int be_silent(void *arg)
{
	int fds[] = { dial(), dial(), dial() };

	(void)arg;
	clock_await_polled(fds[0]);
	deliver(fds[1], "POST /cimom HT");
	deliver(fds[2], HEAD "<CIM");
	clock_shift(29 * RT_SECOND);
	for (size_t i = 0; i < 3; i++)
		CHECK(!has_ended(fds[i], SOON_MS));
	clock_shift(2 * RT_SECOND);
	for (size_t i = 0; i < 3; i++) {
		CHECK(has_ended(fds[i], PATIENCE_MS));
		close(fds[i]);
	}
	return 0;
}

/* Whoever is never silent, and takes more than 60 s for a body. */
static int drip(void *arg)
{
	int fd = dial();

	(void)arg;
	deliver(fd, HEAD "<CIM");
	for (unsigned i = 0; i < 3; i++) {
		clock_shift(19 * RT_SECOND);
		deliver(fd, " ");
		CHECK(!has_ended(fd, SOON_MS));
	}
	clock_shift(5 * RT_SECOND);
	CHECK(send(fd, " ", 1, MSG_NOSIGNAL) == 1);
	CHECK(has_ended(fd, PATIENCE_MS));
	close(fd);
	return 0;
}

/* Whoever does not take its answer: the operation comes to its end. */
static int take_nothing(void *arg)
{
	int fd = dial();
	char byte;

	(void)arg;
	ask(fd, "Endless", "1.1", "");
	CHECK(recvfrom(fd, &byte, 1, MSG_PEEK, NULL, NULL) == 1);
	while (sem_trywait(&ended) != 0)
		clock_shift(RT_SECOND / 10);
	close(fd);
	return 0;
}

static int serve(void *arg)
{
	struct cim_server_options options = { .address = address, .users = users_path };
	struct cim_server *server;
	struct fault fault;
	int fd = -1;

	(void)arg;
	CHECK_EQUAL(cim_server_start(&options, &server, &fault), 0);
	CHECK_EQUAL(rt_help(talk, NULL), 0);
	CHECK_EQUAL(rt_help(leave_in_the_middle, NULL), 0);
	CHECK_EQUAL(rt_help(be_silent, NULL), 0);
	CHECK_EQUAL(rt_help(drip, NULL), 0);
	CHECK_EQUAL(rt_help(take_nothing, NULL), 0);
	CHECK_EQUAL(rt_help(hold_on, &fd), 0);
	cim_server_stop(server);
	await_end();
	close(fd);
	return 0;
}

/* An address of loopback for this process alone, and a port that is free there. */
static void choose_address(void)
{
	unsigned pid = (unsigned)getpid();
	char host[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(where);

	where = (struct sockaddr_in){ .sin_family = AF_INET };
	where.sin_addr.s_addr = htonl(127u << 24 | (128 + (pid >> 16 & 63)) << 16 | (pid & 0xffff));
	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)&where, sizeof(where)));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&where, &len));
	close(fd);
	assert_non_null(inet_ntop(AF_INET, &where.sin_addr, host, sizeof(host)));
	snprintf(address, sizeof(address), "%s:%u", host, ntohs(where.sin_port));
}

static void large_answers_and_slow_clients(void **state)
{
	struct rt_options options = { .reactors = 1 };
	char hash[CIM_HASH_MAX];
	FILE *file;

	(void)state;
	assert_int_equal(0, sem_init(&ended, 0, 0));
	assert_non_null(mkdtemp(folder));
	snprintf(users_path, sizeof(users_path), "%s/users", folder);
	choose_address();
	file = fopen(users_path, "w");
	assert_non_null(file);
	assert_int_equal(0, cim_password_hash("secret", hash));
	fprintf(file, "ann:operator:%s\n", hash);
	assert_int_equal(0, fclose(file));
	assert_int_equal(0, rt_run(&options, serve, NULL));
	unlink(users_path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_answers_and_slow_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
