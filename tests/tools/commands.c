/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands - sends many commands to the control socket of a system, for the measurements that need ten thousand
 * volumes: a process for each would take longer than what it asks for.
 *
 *	commands SOCKET <REQUESTS	one line of JSON each, as in docs/cli-json.md
 *
 * Sixteen are under way at a time, so that changes are kept together; they may be carried out in any order. Exit code:
 * 0; 1 one was refused, and what the system said is on stderr; 2 bad usage or no connection.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS	16u
#define WAIT_MS		60000
#define LINE_BYTES	(64u << 10)

static FILE *streams[CONNECTIONS];

static FILE *connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		return NULL;
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return NULL;
	return fdopen(fd, "r");
}

/* The next request of stdin to this system. False: there is none. */
static bool send_next(FILE *stream)
{
	static char line[LINE_BYTES];

	if (!fgets(line, sizeof(line), stdin))
		return false;
	return write(fileno(stream), line, strlen(line)) == (ssize_t)strlen(line);
}

static bool take_answer(FILE *stream)
{
	static char line[LINE_BYTES];

	if (!fgets(line, sizeof(line), stream)) {
		fprintf(stderr, "commands: the connection ended\n");
		return false;
	}
	if (strstr(line, "\"ok\":true") || strstr(line, "\"ok\": true"))
		return true;
	fprintf(stderr, "commands: %s", line);
	return false;
}

/* A stream has nothing to wait for when its fd is below 0: poll passes it over. */
static int send_all(void)
{
	struct pollfd fds[CONNECTIONS];
	unsigned unanswered = 0;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		bool sent = send_next(streams[i]);

		fds[i] = (struct pollfd){ .fd = sent ? fileno(streams[i]) : -1, .events = POLLIN };
		unanswered += sent;
	}
	while (unanswered) {
		if (poll(fds, CONNECTIONS, WAIT_MS) <= 0) {
			fprintf(stderr, "commands: no answer\n");
			return 1;
		}
		for (unsigned i = 0; i < CONNECTIONS; i++) {
			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			if (!take_answer(streams[i]))
				return 1;
			if (!send_next(streams[i])) {
				fds[i].fd = -1;
				unanswered--;
			}
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: commands SOCKET\n");
		return 2;
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		streams[i] = connect_to(argv[1]);
		if (!streams[i]) {
			perror("commands");
			return 2;
		}
	}
	return send_all();
}
