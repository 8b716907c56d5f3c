/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ordered - a host whose writes depend on one another, for the demo and the end-to-end tests. It writes numbered 4
 * KiB blocks in turn over several volumes by NBD, each only after the one before was answered, and logs every answer;
 * later it says whether an image of those volumes is one moment, and how much of what was answered is missing.
 *
 *	ordered write LOG URI...	goes on after what the image shows, until SIGTERM or an error; LOG gets a line
 *					"NUMBER NANOSECONDS" an answer
 *	ordered check LOG URI...	prints "ordered: N answered, M present, K lost, last moment NANOSECONDS"
 *	ordered audit URI...		prints "ordered: M present": the image alone, without a log
 *
 * Exit code: 0; 1 the image is not one moment, or an answered write before a later one that is present is missing; 2
 * bad usage or no connection.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libnbd.h>

#define BLOCK		4096u
#define SLOTS		256u		/* blocks used of each volume: a slot is overwritten many times */
#define VOLUMES_MAX	16u

static volatile sig_atomic_t stop_asked;

static void ask_stop(int number)
{
	(void)number;
	stop_asked = 1;
}

struct volumes {
	unsigned count;
	struct nbd_handle *handles[VOLUMES_MAX];
};

static int connect_all(struct volumes *volumes, char **uris, unsigned count)
{
	if (count == 0 || count > VOLUMES_MAX) {
		fprintf(stderr, "ordered: name 1 to %u volumes\n", VOLUMES_MAX);
		return -1;
	}
	volumes->count = count;
	for (unsigned i = 0; i < count; i++) {
		volumes->handles[i] = nbd_create();
		if (!volumes->handles[i] || nbd_connect_uri(volumes->handles[i], uris[i]) < 0) {
			fprintf(stderr, "ordered: %s: %s\n", uris[i], nbd_get_error());
			return -1;
		}
	}
	return 0;
}

static void close_all(struct volumes *volumes)
{
	for (unsigned i = 0; i < volumes->count; i++)
		nbd_close(volumes->handles[i]);
}

/* Write number n goes to volume n mod count, slot (n / count) mod SLOTS. */
static unsigned volume_of(const struct volumes *volumes, uint64_t number)
{
	return (unsigned)(number % volumes->count);
}

static uint64_t offset_of(const struct volumes *volumes, uint64_t number)
{
	return number / volumes->count % SLOTS * BLOCK;
}

static void fill(unsigned char block[BLOCK], uint64_t number)
{
	for (unsigned i = 0; i < BLOCK; i += sizeof(number))
		memcpy(block + i, &number, sizeof(number));
}

/* The number in a block, 0 for one never written; -1: torn. */
static int64_t number_in(const unsigned char block[BLOCK])
{
	uint64_t number, again;

	memcpy(&number, block, sizeof(number));
	for (unsigned i = 0; i < BLOCK; i += sizeof(again)) {
		memcpy(&again, block + i, sizeof(again));
		if (again != number)
			return -1;
	}
	return (int64_t)number;
}

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The newest write that the image shows, if every slot shows the last write to it up to that one; -1 if not. */
static int64_t audit(const struct volumes *volumes)
{
	static int64_t shown[VOLUMES_MAX][SLOTS];
	unsigned char block[BLOCK];
	int64_t newest = 0;

	for (unsigned v = 0; v < volumes->count; v++) {
		for (unsigned s = 0; s < SLOTS; s++) {
			if (nbd_pread(volumes->handles[v], block, BLOCK, (uint64_t)s * BLOCK, 0) < 0) {
				fprintf(stderr, "ordered: read: %s\n", nbd_get_error());
				exit(2);
			}
			shown[v][s] = number_in(block);
			if (shown[v][s] < 0) {
				fprintf(stderr, "ordered: a block is torn\n");
				return -1;
			}
			if (shown[v][s] > newest)
				newest = shown[v][s];
		}
	}
	for (unsigned v = 0; v < volumes->count; v++) {
		for (unsigned s = 0; s < SLOTS; s++) {
			/* Numbers of this slot are first, first + step, ... */
			int64_t step = (int64_t)volumes->count * SLOTS;
			int64_t first = (int64_t)s * (int64_t)volumes->count + v;
			int64_t expected = newest < first ? 0 : first + (newest - first) / step * step;

			if (shown[v][s] != expected) {
				fprintf(stderr,
					"ordered: newest write %" PRId64 ", but volume %u block %u shows %" PRId64
					" and not %" PRId64 "\n", newest, v, s, shown[v][s], expected);
				return -1;
			}
		}
	}
	return newest;
}

static int write_all(const struct volumes *volumes, FILE *log)
{
	unsigned char block[BLOCK];
	int64_t present = audit(volumes);

	if (present < 0)
		return 1;
	for (uint64_t number = (uint64_t)present + 1; !stop_asked; number++) {
		struct nbd_handle *nbd = volumes->handles[volume_of(volumes, number)];

		fill(block, number);
		if (nbd_pwrite(nbd, block, BLOCK, offset_of(volumes, number), LIBNBD_CMD_FLAG_FUA) < 0) {
			fprintf(stderr, "ordered: write %" PRIu64 ": %s\n", number, nbd_get_error());
			return 0;
		}
		if (fprintf(log, "%" PRIu64 " %" PRId64 "\n", number, wall_ns()) < 0 || fflush(log) != 0) {
			fprintf(stderr, "ordered: the log: %s\n", strerror(errno));
			return 2;
		}
	}
	return 0;
}

static int check(const struct volumes *volumes, FILE *log)
{
	int64_t present = audit(volumes), answered = 0, number, at_ns, moment_ns = 0;

	if (present < 0)
		return 1;
	while (fscanf(log, "%" SCNd64 " %" SCNd64, &number, &at_ns) == 2) {
		answered = number;
		if (number <= present)
			moment_ns = at_ns;
	}
	printf("ordered: %" PRId64 " answered, %" PRId64 " present, %" PRId64 " lost, last moment %" PRId64 "\n",
	       answered, present, answered > present ? answered - present : 0, moment_ns);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: ordered write|check LOG URI... | ordered audit URI...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = ask_stop };
	bool writes = argc > 3 && strcmp(argv[1], "write") == 0;
	bool checks = argc > 3 && strcmp(argv[1], "check") == 0;
	struct volumes volumes = { 0 };
	int64_t present;
	FILE *log;
	int rc;

	sigaction(SIGTERM, &action, NULL);
	if (argc > 2 && strcmp(argv[1], "audit") == 0) {
		if (connect_all(&volumes, argv + 2, (unsigned)argc - 2) != 0)
			return 2;
		present = audit(&volumes);
		close_all(&volumes);
		if (present >= 0)
			printf("ordered: %" PRId64 " present\n", present);
		return present < 0;
	}
	if (!writes && !checks)
		return usage();
	if (connect_all(&volumes, argv + 3, (unsigned)argc - 3) != 0)
		return 2;
	log = fopen(argv[2], writes ? "w" : "r");
	if (!log) {
		fprintf(stderr, "ordered: %s: %s\n", argv[2], strerror(errno));
		return 2;
	}
	rc = writes ? write_all(&volumes, log) : check(&volumes, log);
	close_all(&volumes);
	if (fclose(log) != 0)
		return 2;
	return rc;
}
