/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/parse.h"

/* Longer than the longest that the system takes for an operation. */
#define REPLY_SECONDS	660
#define TICK_MS		1000

struct cli_connection {
	const char *control;
	FILE *in;
	int fd;
};

static struct cli_connection *cannot_reach(const char *control, int error)
{
	const char *remedy = error == EACCES	     ? "be root, the user of xdcd, or in its group"
			     : error == ENOENT	     ? "start xdcd, or name the socket that it was given as --control"
			     : error == ECONNREFUSED ? "start xdcd: nobody serves this socket"
						     : "look at the log of xdcd";

	cli_complain(FAULT_FAILED, "", remedy, "cannot reach the system at %s: %s", control, strerror(error));
	return NULL;
}

static int open_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = REPLY_SECONDS };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* NULL: errno says why. */
struct cli_connection *cli_try_connect(const char *control)
{
	struct cli_connection *connection;
	int fd = open_socket(control + strlen("unix:"));

	if (fd < 0)
		return NULL;
	connection = malloc(sizeof(*connection));
	if (connection)
		*connection = (struct cli_connection){ control, fdopen(fd, "r"), fd };
	if (!connection || !connection->in) {
		close(fd);
		free(connection);
		errno = ENOMEM;
		return NULL;
	}
	return connection;
}

struct cli_connection *cli_connect(const char *control)
{
	struct cli_connection *connection = cli_try_connect(control);

	return connection ? connection : cannot_reach(control, errno);
}

void cli_disconnect(struct cli_connection *connection)
{
	fclose(connection->in);
	free(connection);
}

const char *cli_control_of(const struct cli_connection *connection)
{
	return connection->control;
}

static bool send_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return false;
		text += sent;
		left -= (size_t)sent;
	}
	return true;
}

/* True when the answer begins to come, or will never come. */
static bool wait_for_reply(const struct cli_connection *connection)
{
	struct pollfd poll_fd = { .fd = connection->fd, .events = POLLIN };

	return poll(&poll_fd, 1, TICK_MS) != 0;
}

json_t *cli_ask(struct cli_connection *connection, const struct operation *operation, json_t *args)
{
	return cli_ask_ticking(connection, operation, args, NULL, NULL);
}

static json_t *ask(struct cli_connection *connection, const struct operation *operation, json_t *args,
		   void (*tick)(void *arg), void *arg)
{
	json_t *request = json_pack("{s:o, s:O?}", "op", json_sprintf("%s %s", operation->noun, operation->verb),
				    "args", args);
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_t *reply = NULL;
	json_error_t error;
	bool sent = text && send_all(connection->fd, text) && send_all(connection->fd, "\n");

	free(text);
	json_decref(request);
	while (sent && tick && !wait_for_reply(connection))
		tick(arg);
	if (sent)
		reply = json_loadf(connection->in, JSON_DISABLE_EOF_CHECK, &error);
	return reply;
}

json_t *cli_try_ask(struct cli_connection *connection, const struct operation *operation, json_t *args)
{
	return ask(connection, operation, args, NULL, NULL);
}

json_t *cli_ask_ticking(struct cli_connection *connection, const struct operation *operation, json_t *args,
			void (*tick)(void *arg), void *arg)
{
	json_t *reply = ask(connection, operation, args, tick, arg);

	if (!reply)
		cli_complain(FAULT_FAILED, "", "look at its log; is this its control socket?",
			     "the system at %s did not answer as a system does", connection->control);
	return reply;
}
