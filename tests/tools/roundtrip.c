/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roundtrip - what it takes to bring 4 KiB to another process by TCP and to hear of it, one after the other: the least
 * that a synchronous copy costs, for the measurements.
 *
 *	roundtrip ADDRESS SECONDS	ADDRESS: an IPv4 address of this machine
 *
 * The other process does nothing but answer, by one write of 32 bytes for each 4 KiB that it has read whole. Both wait
 * in read, as somebody does who is woken for each message. Prints the median in microseconds. Exit code: 0; 2 bad usage
 * or no connection.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096u
#define ANSWER		32u
#define TRIPS_MAX	(4u << 20)
#define SECOND		INT64_C(1000000000)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static bool read_full(int fd, void *buf, size_t len)
{
	for (size_t done = 0; done < len; ) {
		ssize_t got = read(fd, (char *)buf + done, len - done);

		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static void send_at_once(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Of the child: until the other one has gone. */
static void answer(int listener)
{
	static char block[BLOCK];
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	send_at_once(fd);
	while (read_full(fd, block, BLOCK) && write(fd, block, ANSWER) == ANSWER)
		;
	close(fd);
}

static int compare(const void *a, const void *b)
{
	float left = *(const float *)a, right = *(const float *)b;

	return (left > right) - (left < right);
}

/* How many were measured. */
static size_t measure(int fd, int64_t until_ns, float *trips_us)
{
	static char block[BLOCK];
	size_t count = 0;
	int64_t began_ns;

	while (count < TRIPS_MAX && (began_ns = now_ns()) < until_ns) {
		if (write(fd, block, BLOCK) != BLOCK || !read_full(fd, block, ANSWER))
			return 0;
		trips_us[count++] = (float)(now_ns() - began_ns) / 1000;
	}
	return count;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);
	long seconds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	float *trips_us = malloc(TRIPS_MAX * sizeof(*trips_us));
	size_t count;
	pid_t child;

	if (seconds <= 0 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1 || listener < 0 || fd < 0 ||
	    !trips_us || bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &len)) {
		fprintf(stderr, "roundtrip ADDRESS SECONDS\n");
		return 2;
	}
	child = fork();
	if (child == 0) {
		close(fd);		/* or it would never end */
		answer(listener);
		_exit(0);
	}
	if (child < 0 || connect(fd, (struct sockaddr *)&address, len)) {
		perror("roundtrip");
		return 2;
	}
	send_at_once(fd);
	count = measure(fd, now_ns() + seconds * SECOND, trips_us);
	close(fd);
	waitpid(child, NULL, 0);
	if (!count) {
		fprintf(stderr, "roundtrip: the connection broke\n");
		return 2;
	}
	qsort(trips_us, count, sizeof(*trips_us), compare);
	printf("%.1f\n", trips_us[count / 2]);
	return 0;
}
