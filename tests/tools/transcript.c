/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two systems said over a link: records it, shows it frame by frame, says it again.
 *
 *	transcript record ADDRESS TARGET FOLDER	passes connections on ADDRESS on to TARGET, both IPv4:PORT; what was
 *						said over the n-th is in FOLDER/n.dialer and FOLDER/n.acceptor
 *	transcript show FILE			a line for each frame; exit code 1 where one is none
 *	transcript replay ADDRESS FILE OUT	says what a dialer said (a control connection), without its pings; OUT
 *						gets the answers: a reply to each request, or exit code 1
 *
 * For the transcripts that are kept in tests/compat, which later versions must understand.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "copy/wire_layout.h"
#include "copy/wire_message.h"
#include "rt/crc32c.h"

#define FILE_MAX	(4u << 20)

static void die(const char *what)
{
	fprintf(stderr, "transcript: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in parse(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[INET_ADDRSTRLEN];
	unsigned short port;

	if (sscanf(text, "%15[0-9.]:%hu", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die(text);
	address.sin_port = htons(port);
	return address;
}

static int dial(const char *to)
{
	struct sockaddr_in address = parse(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die(to);
	return fd;
}

static void write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t put = write(fd, at, len);

		if (put <= 0)
			die("writing");
		at += put;
		len -= (size_t)put;
	}
}

/* ---- record ---- */

static FILE *create(const char *folder, unsigned number, const char *who)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%u.%s", folder, number, who);
	file = fopen(path, "wb");
	if (!file)
		die(path);
	setvbuf(file, NULL, _IONBF, 0);
	return file;
}

static void pass_on(int dialer, const char *target, const char *folder, unsigned number)
{
	FILE *files[2] = { create(folder, number, "dialer"), create(folder, number, "acceptor") };
	struct pollfd fds[2] = { { .fd = dialer, .events = POLLIN }, { .fd = dial(target), .events = POLLIN } };
	uint8_t bytes[65536];

	while (poll(fds, 2, -1) > 0) {
		for (unsigned i = 0; i < 2; i++) {
			ssize_t got;

			if (!fds[i].revents)
				continue;
			got = read(fds[i].fd, bytes, sizeof(bytes));
			if (got <= 0)
				exit(0);
			if (fwrite(bytes, 1, (size_t)got, files[i]) != (size_t)got)
				die("writing");
			write_all(fds[!i].fd, bytes, (size_t)got);
		}
	}
}

__attribute__((noreturn)) static void record(const char *on, const char *target, const char *folder)
{
	struct sockaddr_in address = parse(on);
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 16))
		die(on);
	for (unsigned number = 0;; number++) {
		int dialer = accept(listener, NULL, NULL);

		if (dialer < 0)
			die("accept");
		if (!fork())
			pass_on(dialer, target, folder, number);
		close(dialer);
	}
}

/* ---- show ---- */

static struct {
	uint8_t bytes[FILE_MAX];
	size_t len, at;
} in;

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file)
		die(path);
	in.len = fread(in.bytes, 1, sizeof(in.bytes), file);
	in.at = 0;
	fclose(file);
}

/* NULL: what is left is less than that, since the connection was cut there. */
static const uint8_t *next(size_t len)
{
	const uint8_t *from = in.bytes + in.at;

	if (in.len - in.at < len)
		return NULL;
	in.at += len;
	return from;
}

static int bad(const char *what)
{
	printf("%s, which is none, before byte %zu\n", what, in.at);
	return 1;
}

static void show_bytes(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
}

static void show_struct(const struct wire_layout *layout, const uint8_t *from);

static void show_items(const struct wire_field *field, const uint8_t *from)
{
	const uint8_t *items = from + field->offset;
	uint32_t count;

	memcpy(&count, from + field->count_offset, sizeof(count));
	if (field->kind == WIRE_FIELD_LIST)
		memcpy(&items, from + field->offset, sizeof(items));
	printf("[");
	for (uint32_t i = 0; i < count; i++) {
		printf("%s", i ? ", " : "");
		show_struct(field->items, items + i * field->items->size);
	}
	printf("]");
}

static void show_field(const struct wire_field *field, const uint8_t *from)
{
	const uint8_t *at = from + field->offset;
	uint64_t number = 0;

	switch (field->kind) {
	case WIRE_FIELD_UINT:
	case WIRE_FIELD_BOOL:
		memcpy(&number, at, field->kind == WIRE_FIELD_BOOL ? 1 : field->size);
		printf("%llu", (unsigned long long)number);
		break;
	case WIRE_FIELD_BYTES:
		show_bytes(at, field->size);
		break;
	case WIRE_FIELD_TEXT:
		printf("'%s'", (const char *)at);
		break;
	case WIRE_FIELD_STRUCT:
		show_struct(field->items, at);
		break;
	case WIRE_FIELD_LIST:
	case WIRE_FIELD_ARRAY:
		show_items(field, from);
		break;
	}
}

static void show_struct(const struct wire_layout *layout, const uint8_t *from)
{
	printf("{");
	for (unsigned i = 0; i < layout->field_count; i++) {
		printf("%s%s ", i ? ", " : "", layout->fields[i].name);
		show_field(&layout->fields[i], from);
	}
	printf("}");
}

static int show_message(const struct wire_layout *layout, const uint8_t *bytes, size_t len)
{
	void *message = calloc(1, wire_struct_size(layout));

	if (!message || wire_decode(layout, bytes, len, message))
		return 1;
	show_struct(layout, message);
	wire_free(layout, message);
	free(message);
	return 0;
}

static int show_control_payload(const struct wire_control *control, const uint8_t *payload)
{
	const struct wire_type *type = wire_type_find(control->type);
	char why[WIRE_TEXT_SIZE];
	size_t used = 0;
	int error = 0;

	if (!type || control->payload_crc != crc32c(0, payload, control->payload_bytes))
		return 1;
	printf(" %s", type->name);
	if (control->kind != WIRE_REPLY)
		return show_message(type->request, payload, control->payload_bytes);
	if (wire_get_outcome(payload, control->payload_bytes, &error, why, &used))
		return 1;
	if (error) {
		printf(" code %u '%s'", wire_code_of(error), why);
		return 0;
	}
	return show_message(type->reply, payload + used, control->payload_bytes - used);
}

static int show_control(void)
{
	static const char *const kinds[] = { "", "REQUEST", "REPLY", "EVENT", "PING", "PONG" };
	const uint8_t *bytes, *payload;
	struct wire_control control;

	while ((bytes = next(WIRE_CONTROL_SIZE))) {
		if (wire_get_control(bytes, &control))
			return bad("a control frame");
		payload = next(control.payload_bytes);
		if (!payload)
			return 0;
		printf("%s", kinds[control.kind]);
		if (control.kind < WIRE_PING) {
			printf(" %llu", (unsigned long long)control.id);
			if (show_control_payload(&control, payload))
				return bad(" a message");
		}
		printf("\n");
	}
	return 0;
}

static void show_acks(const uint8_t *payload, uint32_t len)
{
	for (uint32_t at = 0; at < len; at += WIRE_ACK_SIZE) {
		struct wire_ack ack;

		if (!wire_get_ack(payload + at, &ack))
			printf(" %llu+%u code %u", (unsigned long long)ack.first, ack.count, wire_code_of(ack.error));
	}
}

static int show_data(void)
{
	static const char *const kinds[] = { "", "DATA", "MARK", "ACK", "PING", "PONG", "SAME" };
	const uint8_t *bytes, *payload;
	struct wire_data data;

	while ((bytes = next(WIRE_DATA_SIZE))) {
		if (wire_get_data(bytes, &data))
			return bad("a data frame");
		payload = next(data.payload_bytes);
		if (!payload)
			return 0;
		if (data.payload_crc != crc32c(0, payload, data.payload_bytes) && data.payload_bytes)
			return bad("a payload");
		printf("%s", kinds[data.kind]);
		if (data.kind == WIRE_DATA)
			printf(" %llu volume %04X offset %llu bytes %u tag %llu session %u flags %u payload %u %08x",
			       (unsigned long long)data.seq, data.volume, (unsigned long long)data.offset,
			       data.raw_bytes, (unsigned long long)data.tag, data.session, data.flags,
			       data.payload_bytes, data.payload_crc);
		else if (data.kind == WIRE_MARK)
			printf(" %llu digest %016llx", (unsigned long long)data.seq, (unsigned long long)data.tag);
		else if (data.kind == WIRE_ACK)
			show_acks(payload, data.payload_bytes);
		else if (data.kind == WIRE_SAME)
			show_bytes(payload, data.payload_bytes);
		printf("\n");
	}
	return 0;
}

/* An acceptor's file does not say of which kind its connection is: its first frame does, by its magic. */
static int show(const char *path)
{
	const uint8_t *bytes;
	struct wire_hello hello;
	struct wire_welcome welcome;
	struct wire_refused refused;

	load(path);
	bytes = next(WIRE_HELLO_SIZE);
	if (bytes && !wire_get_hello(bytes, &hello)) {
		printf("HELLO from %s to %s, version %u to %u, kind %u, reactor %u, features %u\n", hello.from,
		       hello.to, hello.version_min, hello.version_max, hello.kind, hello.reactor, hello.features);
		return hello.kind == WIRE_KIND_CONTROL ? show_control() : show_data();
	}
	in.at = 0;
	bytes = next(WIRE_ANSWER_SIZE);
	if (!bytes || wire_get_answer(bytes, &welcome, &refused))
		return bad("a greeting");
	printf("WELCOME of %s, version %u, features %u, window of %u frames and %u bytes, %u requests\n",
	       welcome.system, welcome.version, welcome.features, welcome.window_frames, welcome.window_bytes,
	       welcome.requests_max);
	return in.len > in.at + 3 && !memcmp(in.bytes + in.at, "XDCC", 4) ? show_control() : show_data();
}

/* ---- replay ---- */

static bool read_all(int fd, void *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t got = read(fd, (uint8_t *)to + at, len - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

/* Reads frames until one is a reply; false: the connection has ended. */
static bool copy_reply(int fd, FILE *out)
{
	static uint8_t payload[WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX];
	uint8_t header[WIRE_CONTROL_SIZE];
	struct wire_control control = { 0 };

	while (control.kind != WIRE_REPLY) {
		if (!read_all(fd, header, sizeof(header)) || wire_get_control(header, &control) ||
		    !read_all(fd, payload, control.payload_bytes))
			return false;
		fwrite(header, 1, sizeof(header), out);
		fwrite(payload, 1, control.payload_bytes, out);
	}
	return true;
}

static int replay(const char *port, const char *path, const char *out_path)
{
	uint8_t welcome[WIRE_ANSWER_SIZE];
	FILE *out = fopen(out_path, "wb");
	const uint8_t *bytes;
	int fd = dial(port);

	if (!out)
		die(out_path);
	load(path);
	bytes = next(WIRE_HELLO_SIZE);
	if (!bytes)
		return bad("a greeting");
	write_all(fd, bytes, WIRE_HELLO_SIZE);
	if (!read_all(fd, welcome, sizeof(welcome)))
		return bad("an answer to the greeting");
	fwrite(welcome, 1, sizeof(welcome), out);
	while ((bytes = next(WIRE_CONTROL_SIZE))) {
		struct wire_control control;

		if (wire_get_control(bytes, &control))
			return bad("a control frame");
		if (!next(control.payload_bytes))
			break;
		if (control.kind != WIRE_REQUEST)
			continue;
		write_all(fd, bytes, WIRE_CONTROL_SIZE + control.payload_bytes);
		if (!copy_reply(fd, out))
			return bad("a request's reply");
	}
	return fclose(out) ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "record"))
		record(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "replay"))
		return replay(argv[2], argv[3], argv[4]);
	fprintf(stderr, "usage: transcript record PORT TARGET FOLDER | show FILE | replay PORT FILE OUT\n");
	return 2;
}
