/* SPDX-License-Identifier: Apache-2.0 */
/* One POST. It is HTTP/1.0: the answer ends with its connection, and has no chunks. */
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/http.h"
#include "face/cim/deliver.h"

/* Longer than the minute that the system gives a call. */
#define ANSWER_SECONDS	90

/* "HOST:PORT" in two; the brackets of an address of version 6 go. */
static void split_host(char *host, const char **name, const char **port)
{
	char *colon = strrchr(host, ':');

	*colon = '\0';
	*port = colon + 1;
	*name = host;
	if (*host == '[' && colon > host && colon[-1] == ']') {
		colon[-1] = '\0';
		*name = host + 1;
	}
}

/* -1: errno says why. */
static int connect_to(const struct addrinfo *address)
{
	struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol), error;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The first of its addresses that takes it; -1 after a message. */
static int open_connection(const char *url, char *host)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *name, *port;
	int fd = -1, rc;

	split_host(host, &name, &port);
	rc = getaddrinfo(name, port, &hints, &found);
	if (rc) {
		cli_complain(FAULT_INVALID_PARAMETER, url, "name it by its address", "%s: %s", name, gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = connect_to(at);
	rc = errno;
	freeaddrinfo(found);
	if (fd < 0)
		cli_complain(FAULT_FAILED, url, "start xdcd with --cim, and name that address as --url",
			     "cannot be reached: %s", strerrordesc_np(rc));
	return fd;
}

static bool send_all(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

		if (sent < 0 && errno != EINTR)
			return false;
		bytes += sent > 0 ? sent : 0;
		len -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* The first line, and up to the end of the headers. */
static bool read_head(FILE *in, unsigned *status)
{
	size_t room = 0;
	char *line = NULL;
	bool good = getline(&line, &room, in) > 0 && sscanf(line, "HTTP/1.%*1u %3u", status) == 1;

	while (good && getline(&line, &room, in) > 0 && strcmp(line, "\r\n") != 0)
		;
	free(line);
	return good && !ferror(in) && !feof(in);
}

/* What cannot be sent whole shows in the answer: one that is refused at its headers has one all the same. */
static void send_request(int fd, const struct deliver_url *url, const char *headers, const char *body)
{
	char *head = NULL;
	int len = asprintf(&head, "POST %s HTTP/1.0\r\nHost: %s\r\n%sContent-Length: %zu\r\n\r\n", url->path,
			   url->host, headers, strlen(body));

	if (len > 0 && send_all(fd, head, (size_t)len))
		send_all(fd, body, strlen(body));
	if (len > 0)
		free(head);
}

FILE *cli_http_post(const char *url, const char *headers, const char *body, unsigned *status)
{
	struct deliver_url parsed;
	bool is_url = deliver_url_read(url, &parsed);
	char host[DELIVER_HOST_MAX];
	FILE *in;
	int fd;

	assert(is_url);
	memcpy(host, parsed.host, sizeof(host));
	fd = open_connection(url, host);
	if (fd < 0)
		return NULL;
	in = fdopen(fd, "r");
	if (!in) {
		close(fd);
		cli_complain(FAULT_FAILED, url, "", "no memory");
		return NULL;
	}
	send_request(fd, &parsed, headers, body);
	if (read_head(in, status))
		return in;
	fclose(in);
	cli_complain(FAULT_FAILED, url, "look at its log; is this its address for CIM over HTTP?",
		     "it did not answer as an HTTP server does");
	return NULL;
}
