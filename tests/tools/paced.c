/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paced - a host that writes at a fixed rate, for the measurements: 4 KiB at random places, in turn over several
 * volumes by NBD, each write when its time has come, however many are unanswered. No block is written twice before
 * all blocks of its volume were.
 *
 *	paced RATE SECONDS URI...	RATE writes a second over all volumes; SECONDS 0: until SIGTERM
 *
 * Prints one JSON object: writes, errors, seconds, and percentiles in microseconds of how long an answer took from the
 * moment the write was sent (us) and from the moment it was due (due_us, in which this program's own delays count).
 * Exit code: 0; 1 a write failed; 2 bad usage or no connection.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libnbd.h>

#define BLOCK		4096u
#define VOLUMES_MAX	256u
#define WRITES_MAX	(64u << 20)
#define SECOND		INT64_C(1000000000)

static volatile sig_atomic_t stop_asked;

static void ask_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

struct volume {
	struct nbd_handle *nbd;
	uint64_t mask;			/* of the number of a block: the largest power of two that fits */
	uint64_t next;			/* block to write */
};

static struct volume volumes[VOLUMES_MAX];
static unsigned volume_count;

/* Answers, kept until the end. */
static float *from_sent_us, *from_due_us;
static uint64_t answered, errors, unanswered;

struct write {
	int64_t due_ns, sent_ns;
	unsigned char data[BLOCK];
};

static int note_answer(void *arg, int *error)
{
	struct write *write = arg;
	int64_t now = now_ns();

	if (*error) {
		errors++;
	} else if (answered < WRITES_MAX) {
		from_sent_us[answered] = (float)(now - write->sent_ns) / 1000;
		from_due_us[answered] = (float)(now - write->due_ns) / 1000;
		answered++;
	}
	unanswered--;
	free(write);
	return 1;	/* libnbd forgets the command */
}

static int send_write(struct volume *volume, int64_t due_ns, uint64_t number)
{
	struct write *write = malloc(sizeof(*write));

	if (!write)
		return -1;
	for (unsigned i = 0; i < BLOCK; i += sizeof(number)) {
		uint64_t word = (number * 512 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);

		memcpy(write->data + i, &word, sizeof(word));
	}
	write->due_ns = due_ns;
	write->sent_ns = now_ns();
	unanswered++;
	if (nbd_aio_pwrite(volume->nbd, write->data, BLOCK, volume->next * BLOCK,
			   (nbd_completion_callback){ .callback = note_answer, .user_data = write }, 0) < 0)
		return -1;
	/* Goes through all numbers up to mask once before it repeats: odd increment, multiplier 1 mod 4. */
	volume->next = (volume->next * 1664525 + 1013904223) & volume->mask;
	return 0;
}

/* Waits until a socket is ready or the time has come, and lets libnbd do what it can. */
static int turn(int64_t until_ns)
{
	struct pollfd fds[VOLUMES_MAX];
	int64_t left = until_ns - now_ns();
	struct timespec timeout = { 0 };

	if (left > 0)
		timeout = (struct timespec){ left / SECOND, left % SECOND };
	for (unsigned i = 0; i < volume_count; i++) {
		unsigned direction = nbd_aio_get_direction(volumes[i].nbd);

		fds[i] = (struct pollfd){ .fd = nbd_aio_get_fd(volumes[i].nbd) };
		if (direction & LIBNBD_AIO_DIRECTION_READ)
			fds[i].events |= POLLIN;
		if (direction & LIBNBD_AIO_DIRECTION_WRITE)
			fds[i].events |= POLLOUT;
	}
	if (ppoll(fds, volume_count, &timeout, NULL) <= 0)
		return 0;
	for (unsigned i = 0; i < volume_count; i++) {
		if (fds[i].revents & (POLLIN | POLLHUP | POLLERR) && nbd_aio_notify_read(volumes[i].nbd) < 0)
			return -1;
		if (fds[i].revents & POLLOUT && nbd_aio_notify_write(volumes[i].nbd) < 0)
			return -1;
	}
	return 0;
}

/* Returns the number of writes sent, or -1. */
static int64_t write_paced(double rate, int64_t began_ns, int64_t end_ns)
{
	uint64_t number = 0;

	while (!stop_asked) {
		int64_t due_ns = began_ns + (int64_t)((double)number / rate * SECOND);

		if (due_ns >= end_ns)
			break;
		if (now_ns() < due_ns) {
			if (turn(due_ns) < 0)
				return -1;
			continue;
		}
		if (send_write(&volumes[number % volume_count], due_ns, number) < 0)
			return -1;
		number++;
	}
	end_ns = now_ns() + 60 * SECOND;
	while (unanswered && now_ns() < end_ns) {
		if (turn(end_ns) < 0)
			return -1;
	}
	return unanswered ? -1 : (int64_t)number;
}

static int connect_all(char **uris, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct volume *volume = &volumes[i];
		int64_t size;

		volume->nbd = nbd_create();
		if (!volume->nbd || nbd_connect_uri(volume->nbd, uris[i]) < 0)
			return -1;
		size = nbd_get_size(volume->nbd);
		if (size < BLOCK)
			return -1;
		volume->mask = 1;
		while (volume->mask * 2 <= (uint64_t)size / BLOCK)
			volume->mask *= 2;
		volume->mask--;
		volume->next = (uint64_t)now_ns() & volume->mask;
	}
	volume_count = count;
	return 0;
}

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void print_percentiles(const char *name, float *values)
{
	qsort(values, answered, sizeof(values[0]), compare);
	printf(", \"%s\": {\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f}", name,
	       (double)values[answered / 2], (double)values[answered * 99 / 100],
	       (double)values[answered * 999 / 1000], (double)values[answered - 1]);
}

/* -1: the text is no number from 0 on. */
static double number_of(const char *text)
{
	char *end;
	double number = strtod(text, &end);

	return end != text && *end == '\0' && number >= 0 ? number : -1;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask_stop };
	double rate = argc > 3 ? number_of(argv[1]) : -1, seconds = argc > 3 ? number_of(argv[2]) : -1;
	int64_t began_ns, sent;

	if (rate <= 0 || seconds < 0 || (unsigned)argc - 3 > VOLUMES_MAX) {
		fprintf(stderr, "usage: paced RATE SECONDS URI...\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	from_sent_us = malloc(WRITES_MAX * sizeof(float));
	from_due_us = malloc(WRITES_MAX * sizeof(float));
	if (!from_sent_us || !from_due_us || connect_all(argv + 3, (unsigned)argc - 3) < 0) {
		fprintf(stderr, "paced: %s\n", nbd_get_error() ? nbd_get_error() : "no memory, or a volume too small");
		return 2;
	}
	began_ns = now_ns();
	sent = write_paced(rate, began_ns, seconds > 0 ? began_ns + (int64_t)(seconds * SECOND) : INT64_MAX);
	if (sent < 0)
		fprintf(stderr, "paced: %s\n", nbd_get_error() ? nbd_get_error() : "an answer is missing");
	printf("{\"writes\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"seconds\": %.3f", answered, errors,
	       (double)(now_ns() - began_ns) / SECOND);
	if (answered) {
		print_percentiles("us", from_sent_us);
		print_percentiles("due_us", from_due_us);
	}
	printf("}\n");
	return sent < 0 || errors ? 1 : 0;
}
