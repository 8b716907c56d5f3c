/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the link protocol: golden ones for every frame and message, and what becomes of bytes that are cut
 * short, flipped or made up. Decoding accepts exactly one form of each message: whatever it lets through encodes to
 * the same bytes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/mem.h"
#include "wire_golden.h"
#include "wire_samples.h"

static char *hex_of(const uint8_t *bytes, size_t len)
{
	char *text = mem_alloc(2 * len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	text[2 * len] = 0;
	return text;
}

/* What of name is golden; an empty text when it is missing. */
static const char *golden(const char *name)
{
	for (size_t i = 0; i < sizeof(wire_golden) / sizeof(wire_golden[0]); i++) {
		if (!strcmp(wire_golden[i].name, name))
			return wire_golden[i].hex;
	}
	return "";
}

static void check_golden(const char *name, const uint8_t *bytes, size_t len)
{
	char *text = hex_of(bytes, len);

	if (strcmp(text, golden(name))) {
		/* As it would stand in wire_golden.h. */
		fprintf(stderr, "\t{ \"%s\",\n", name);
		for (size_t at = 0; at < 2 * len; at += 96)
			fprintf(stderr, "\t  \"%.96s\"%s\n", text + at, at + 96 < 2 * len ? "" : " },");
	}
	assert_string_equal(text, golden(name));
	mem_free(text);
}

/* ---- messages ---- */

static const struct wire_layout *layout_of(size_t i, bool reply)
{
	const struct wire_type *type = wire_type_find(wire_samples[i].type);

	assert_non_null(type);
	return reply ? type->reply : type->request;
}

static const void *sample_of(size_t i, bool reply)
{
	return reply ? wire_samples[i].reply : wire_samples[i].request;
}

static void encode_sample(size_t i, bool reply, uint8_t **bytes, size_t *len)
{
	assert_int_equal(wire_encode(layout_of(i, reply), sample_of(i, reply), bytes, len), 0);
}

/* Decodes; what is let through must encode to the same bytes. Returns what decoding said. */
static int decode_strictly(const struct wire_layout *layout, const uint8_t *bytes, size_t len)
{
	void *message = mem_alloc(wire_struct_size(layout));
	uint8_t *again;
	size_t again_len;
	int rc;

	assert_non_null(message);
	rc = wire_decode(layout, bytes, len, message);
	if (!rc) {
		assert_int_equal(wire_encode(layout, message, &again, &again_len), 0);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, bytes, len);
		mem_free(again);
	} else {
		assert_int_equal(rc, -EBADMSG);
	}
	wire_free(layout, message);
	mem_free(message);
	return rc;
}

static void for_each_sample(void (*fn)(const struct wire_layout *layout, uint8_t *bytes, size_t len))
{
	for (size_t i = 0; i < WIRE_SAMPLE_COUNT; i++) {
		for (int reply = 0; reply < 2; reply++) {
			uint8_t *bytes;
			size_t len;

			if (!layout_of(i, reply))
				continue;
			encode_sample(i, reply, &bytes, &len);
			fn(layout_of(i, reply), bytes, len);
			mem_free(bytes);
		}
	}
}

static void every_message_has_a_sample(void **state)
{
	size_t count;
	const struct wire_type *types = wire_types(&count);

	(void)state;
	assert_int_equal(count, WIRE_SAMPLE_COUNT);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(types[i].number, wire_samples[i].type);
		assert_ptr_equal(wire_type_find(types[i].number), &types[i]);
		assert_true(!types[i].reply == !wire_samples[i].reply);
	}
	assert_null(wire_type_find(0));
	assert_null(wire_type_find(999));
}

static void messages_have_their_golden_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < WIRE_SAMPLE_COUNT; i++) {
		for (int reply = 0; reply < 2; reply++) {
			char name[64];
			uint8_t *bytes;
			size_t len;

			if (!layout_of(i, reply))
				continue;
			encode_sample(i, reply, &bytes, &len);
			snprintf(name, sizeof(name), "%s %s", wire_type_find(wire_samples[i].type)->name,
				 reply ? "reply" : "request");
			check_golden(name, bytes, len);
			assert_int_equal(decode_strictly(layout_of(i, reply), bytes, len), 0);
			mem_free(bytes);
		}
	}
}

/* Field by field once, so that two wrongs of the tables cannot make a right. */
static void decoding_gives_the_fields_back(void **state)
{
	const struct wire_layout *layout = wire_type_find(WIRE_LEG_PREPARE)->request;
	struct wire_leg_prepare got;
	uint8_t *bytes;
	size_t len;

	(void)state;
	assert_int_equal(wire_struct_size(layout), sizeof(got));
	assert_int_equal(wire_encode(layout, &sample_leg_prepare, &bytes, &len), 0);
	assert_int_equal(wire_decode(layout, bytes, len, &got), 0);
	assert_int_equal(got.head.session, 201);
	assert_string_equal(got.head.master, "2105.FA120:15");
	assert_int_equal(got.head.incarnation, 0x1122);
	assert_int_equal(got.head.attempt, 0x3344);
	assert_int_equal(got.head.exists, 0x3343);
	assert_int_equal(got.head.member_version, 5);
	assert_string_equal(got.source, "2105.FA120");
	assert_memory_equal(got.far_boot_id, sample_leg_prepare.far_boot_id, WIRE_ID_SIZE);
	assert_int_equal(got.session_time_us, 1700000000000001);
	assert_int_equal(got.wall_us, 1700000000000002);
	assert_int_equal(got.members.count, 2);
	assert_string_equal(got.members.items[1].far_address, "[fd00::1]:7000");
	assert_int_equal(got.members.items[0].first, 9);
	assert_int_equal(got.volumes.count, 3);
	assert_int_equal(got.volumes.ids[2], 0xfeff);
	assert_int_equal(got.mark_count, 2);
	assert_int_equal(got.marks[1].digest, 22);
	wire_free(layout, &got);
	mem_free(bytes);
}

static void cut_short(const struct wire_layout *layout, uint8_t *bytes, size_t len)
{
	uint8_t *longer = mem_alloc(len + 1);

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(decode_strictly(layout, bytes, cut), -EBADMSG);
	assert_non_null(longer);
	memcpy(longer, bytes, len);
	longer[len] = 0;
	assert_int_equal(decode_strictly(layout, longer, len + 1), -EBADMSG);
	mem_free(longer);
}

static void messages_cut_short_are_refused(void **state)
{
	(void)state;
	for_each_sample(cut_short);
}

static void flip_bits(const struct wire_layout *layout, uint8_t *bytes, size_t len)
{
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		(void)decode_strictly(layout, bytes, len);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static void flipped_bits_are_refused_or_decode_to_themselves(void **state)
{
	(void)state;
	for_each_sample(flip_bits);
}

static void plant_lengths(const struct wire_layout *layout, uint8_t *bytes, size_t len)
{
	static const uint32_t hostile[] = { UINT32_MAX, INT32_MAX, 65536, 65537, 256, 257, 17, 0xffff, 0 };
	uint8_t kept[4];

	for (size_t at = 0; at + 4 <= len; at++) {
		memcpy(kept, bytes + at, 4);
		for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
			put_le32(bytes + at, hostile[i]);
			(void)decode_strictly(layout, bytes, len);
		}
		memcpy(bytes + at, kept, 4);
	}
}

static void hostile_lengths_are_refused_or_decode_to_themselves(void **state)
{
	(void)state;
	for_each_sample(plant_lengths);
}

static void what_is_too_long_is_not_encoded(void **state)
{
	struct wire_members members = { .count = WIRE_MEMBERS_MAX + 1, .items = NULL };
	struct wire_session_join join = sample_join;
	struct wire_pair_establish pair = sample_pair_establish;
	uint8_t *bytes;
	size_t len;

	(void)state;
	join.members = members;
	assert_int_equal(wire_encode(wire_type_find(WIRE_SESSION_JOIN)->request, &join, &bytes, &len), -EMSGSIZE);
	join = sample_join;
	memset(join.head.master, 'x', sizeof(join.head.master));
	assert_int_equal(wire_encode(wire_type_find(WIRE_SESSION_JOIN)->request, &join, &bytes, &len), -EMSGSIZE);
	pair.history.count = HISTORY_MAX + 1;
	assert_int_equal(wire_encode(wire_type_find(WIRE_PAIR_ESTABLISH)->request, &pair, &bytes, &len), -EMSGSIZE);
}

/* 256 legs with 256 members each, far more than a message may have bytes. */
static void a_message_is_bounded_as_a_whole(void **state)
{
	static struct wire_member members[WIRE_MEMBERS_MAX];
	static struct wire_recover_leg legs[WIRE_LEGS_MAX];
	struct wire_recover_legs reply = { .count = WIRE_LEGS_MAX, .items = legs };
	uint8_t *bytes;
	size_t len;

	(void)state;
	for (size_t i = 0; i < WIRE_MEMBERS_MAX; i++) {
		memset(members[i].far_address, 'a', sizeof(members[i].far_address) - 1);
		legs[i].members = (struct wire_members){ .count = WIRE_MEMBERS_MAX, .items = members };
	}
	assert_int_equal(wire_encode(wire_type_find(WIRE_RECOVER_PROBE)->reply, &reply, &bytes, &len), -EMSGSIZE);
	reply.count = 2;
	assert_int_equal(wire_encode(wire_type_find(WIRE_RECOVER_PROBE)->reply, &reply, &bytes, &len), 0);
	mem_free(bytes);
}

static void texts_are_printable(void **state)
{
	static const uint8_t bad[][6] = {
		{ 0x15, 3, 0, 'a', 0, 'b' }, { 0x15, 3, 0, 'a', '\n', 'b' }, { 0x15, 3, 0, 'a', 0x7f, 'b' },
	};
	const struct wire_layout *layout = wire_type_find(WIRE_EVENT_FIRST_WRITE)->request;
	struct wire_event_session event = sample_event;
	uint8_t *bytes;
	size_t len;

	(void)state;
	memcpy(event.master, "a.b", 4);
	assert_int_equal(wire_encode(layout, &event, &bytes, &len), 0);
	assert_int_equal(decode_strictly(layout, bytes, len), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memcpy(bytes, bad[i], sizeof(bad[i]));
		assert_int_equal(decode_strictly(layout, bytes, len), -EBADMSG);
	}
	mem_free(bytes);
}

/* ---- frames ---- */

static const struct wire_hello hello_sample = {
	.version_min = 1, .version_max = 2, .from = "2105.FA120", .to = "2105.FB230", .boot_id = BOOT,
	.kind = WIRE_KIND_DATA, .reactor = 3, .generation = 0x1122334455667788, .features = WIRE_FEATURE_ZSTD,
	.idle_ms = 30000,
};
static const struct wire_welcome welcome_sample = {
	.version = 1, .system = "2105.FB230", .boot_id = BOOT, .features = 1, .requests_max = 256,
	.window_frames = 257, .window_bytes = 258,
};
static const struct wire_refused refused_sample = {
	.code = WIRE_REFUSED_SYSTEM, .system = "2105.FB230", .text = "this is 2105.FB230, not 2105.FB231",
};
static const struct wire_control control_sample = {
	.kind = WIRE_REQUEST, .type = WIRE_LEG_PREPARE, .id = 0x0102030405060708, .payload_bytes = 0x1234,
	.payload_crc = 0xdeadbeef,
};
static const struct wire_data compare_sample = {
	.kind = WIRE_DATA, .flags = WIRE_DATA_JOURNAL | WIRE_DATA_COMPARE, .seq = 9, .tag = 77, .offset = 0x20000,
	.volume = 0x2500, .session = 201, .raw_bytes = 0x20000, .payload_bytes = 520, .payload_crc = 0xdeadbeef,
};
static const struct wire_data same_sample = {
	.kind = WIRE_SAME, .seq = 9, .payload_bytes = 4, .payload_crc = 0xdeadbeef,
};
static const struct wire_data data_sample = {
	.kind = WIRE_DATA, .flags = WIRE_DATA_JOURNAL, .seq = 0x0102030405060708, .tag = 0x1112131415161718,
	.offset = 0x2122232425262728, .volume = 0x2500, .session = 201, .raw_bytes = 4096, .payload_bytes = 4096,
	.payload_crc = 0xdeadbeef,
};

static void frames_have_their_golden_bytes(void **state)
{
	uint8_t bytes[WIRE_ANSWER_SIZE];

	(void)state;
	wire_put_hello(bytes, &hello_sample);
	check_golden("HELLO", bytes, WIRE_HELLO_SIZE);
	wire_put_welcome(bytes, &welcome_sample);
	check_golden("WELCOME", bytes, WIRE_ANSWER_SIZE);
	wire_put_refused(bytes, &refused_sample);
	check_golden("REFUSED", bytes, WIRE_ANSWER_SIZE);
	wire_put_control(bytes, &control_sample);
	check_golden("REQUEST header", bytes, WIRE_CONTROL_SIZE);
	wire_put_data(bytes, &data_sample);
	check_golden("DATA header", bytes, WIRE_DATA_SIZE);
	put_le64(bytes + 64, wire_digest(wire_digest(0, bytes), bytes));
	check_golden("digest of that twice", bytes + 64, 8);
	wire_put_ack(bytes, &(struct wire_ack){ .first = 7, .count = 3, .error = -ENOSPC });
	check_golden("ack", bytes, WIRE_ACK_SIZE);
	wire_put_data(bytes, &compare_sample);
	check_golden("DATA header, compare", bytes, WIRE_DATA_SIZE);
	wire_put_data(bytes, &same_sample);
	check_golden("SAME header", bytes, WIRE_DATA_SIZE);
	check_golden("outcome", bytes, wire_put_outcome(bytes, -ESTALE, "too\nold"));
}

static void handshakes_come_back(void **state)
{
	uint8_t bytes[WIRE_ANSWER_SIZE];
	struct wire_hello hello;
	struct wire_welcome welcome;
	struct wire_refused refused;

	(void)state;
	wire_put_hello(bytes, &hello_sample);
	assert_int_equal(wire_get_hello(bytes, &hello), 0);
	assert_string_equal(hello.from, "2105.FA120");
	assert_string_equal(hello.to, "2105.FB230");
	assert_memory_equal(hello.boot_id, hello_sample.boot_id, WIRE_ID_SIZE);
	assert_true(hello.version_min == 1 && hello.version_max == 2 && hello.kind == WIRE_KIND_DATA);
	assert_true(hello.reactor == 3 && hello.generation == hello_sample.generation);
	assert_true(hello.features == 1 && hello.idle_ms == 30000);
	wire_put_welcome(bytes, &welcome_sample);
	assert_int_equal(wire_get_answer(bytes, &welcome, &refused), 0);
	assert_true(welcome.version == 1 && welcome.features == 1 && welcome.requests_max == 256);
	assert_true(welcome.window_frames == 257 && welcome.window_bytes == 258);
	assert_string_equal(welcome.system, "2105.FB230");
	assert_memory_equal(welcome.boot_id, welcome_sample.boot_id, WIRE_ID_SIZE);
	wire_put_refused(bytes, &refused_sample);
	assert_int_equal(wire_get_answer(bytes, &welcome, &refused), -ECONNREFUSED);
	assert_int_equal(refused.code, WIRE_REFUSED_SYSTEM);
	assert_string_equal(refused.system, "2105.FB230");
	assert_string_equal(refused.text, refused_sample.text);
}

static void handshakes_with_a_flipped_bit_are_refused(void **state)
{
	uint8_t bytes[WIRE_ANSWER_SIZE];
	struct wire_hello hello;
	struct wire_welcome welcome;
	struct wire_refused refused;

	(void)state;
	wire_put_hello(bytes, &hello_sample);
	for (size_t bit = 0; bit < 8 * WIRE_HELLO_SIZE; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(wire_get_hello(bytes, &hello), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	wire_put_welcome(bytes, &welcome_sample);
	for (size_t bit = 0; bit < 8 * WIRE_ANSWER_SIZE; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(wire_get_answer(bytes, &welcome, &refused), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

/* With a good checksum, but nonsense inside. */
static void nonsense_in_a_greeting_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} cases[] = {
		{ 4, 2 },	/* a WELCOME */
		{ 6, 3 },	/* lowest version above the highest */
		{ 10, 0 }, { 10, 3 },	/* kinds */
		{ 16, 0 },	/* from: empty */
		{ 17, ' ' }, { 17, 0x80 },
		{ 31, 'x' },	/* bytes behind the end */
		{ 32, 0 },
	};
	uint8_t bytes[WIRE_HELLO_SIZE];
	struct wire_hello hello;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wire_put_hello(bytes, &hello_sample);
		bytes[cases[i].at] = cases[i].byte;
		put_le32(bytes + WIRE_HELLO_SIZE - 4, crc32c(0, bytes, WIRE_HELLO_SIZE - 4));
		assert_int_equal(wire_get_hello(bytes, &hello), -EBADMSG);
	}
	wire_put_hello(bytes, &hello_sample);
	memset(bytes + 64, 0, 8);	/* generation 0 */
	put_le32(bytes + WIRE_HELLO_SIZE - 4, crc32c(0, bytes, WIRE_HELLO_SIZE - 4));
	assert_int_equal(wire_get_hello(bytes, &hello), -EBADMSG);
}

static void control_headers_come_back_and_flipped_ones_do_not(void **state)
{
	uint8_t bytes[WIRE_CONTROL_SIZE];
	struct wire_control control;

	(void)state;
	wire_put_control(bytes, &control_sample);
	assert_int_equal(wire_get_control(bytes, &control), 0);
	assert_true(control.kind == WIRE_REQUEST && control.type == WIRE_LEG_PREPARE);
	assert_true(control.id == control_sample.id && control.payload_bytes == 0x1234);
	assert_int_equal(control.payload_crc, 0xdeadbeef);
	for (size_t bit = 0; bit < 8 * WIRE_CONTROL_SIZE; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(wire_get_control(bytes, &control), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static int control_rc(uint8_t kind, uint32_t payload_bytes)
{
	struct wire_control control = { .kind = kind, .type = 1, .id = 1, .payload_bytes = payload_bytes };
	uint8_t bytes[WIRE_CONTROL_SIZE];

	wire_put_control(bytes, &control);
	return wire_get_control(bytes, &control);
}

static void control_payloads_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(control_rc(WIRE_REQUEST, WIRE_MESSAGE_MAX), 0);
	assert_int_equal(control_rc(WIRE_REQUEST, WIRE_MESSAGE_MAX + 1), -EBADMSG);
	assert_int_equal(control_rc(WIRE_EVENT, WIRE_MESSAGE_MAX + 1), -EBADMSG);
	assert_int_equal(control_rc(WIRE_REPLY, WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX), 0);
	assert_int_equal(control_rc(WIRE_REPLY, WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX + 1), -EBADMSG);
	assert_int_equal(control_rc(WIRE_REPLY, UINT32_MAX), -EBADMSG);
	assert_int_equal(control_rc(WIRE_PING, 1), -EBADMSG);
	assert_int_equal(control_rc(WIRE_PONG, 0), 0);
	assert_int_equal(control_rc(0, 0), -EBADMSG);
	assert_int_equal(control_rc(6, 0), -EBADMSG);
}

static int data_rc(const struct wire_data *data)
{
	uint8_t bytes[WIRE_DATA_SIZE];
	struct wire_data got;

	wire_put_data(bytes, data);
	return wire_get_data(bytes, &got);
}

static void data_headers_come_back_and_flipped_ones_do_not(void **state)
{
	uint8_t bytes[WIRE_DATA_SIZE];
	struct wire_data data;

	(void)state;
	wire_put_data(bytes, &data_sample);
	assert_int_equal(wire_get_data(bytes, &data), 0);
	assert_true(data.kind == WIRE_DATA && data.flags == WIRE_DATA_JOURNAL && data.seq == data_sample.seq);
	assert_true(data.tag == data_sample.tag && data.offset == data_sample.offset && data.volume == 0x2500);
	assert_true(data.session == 201 && data.raw_bytes == 4096 && data.payload_bytes == 4096);
	assert_int_equal(data.payload_crc, 0xdeadbeef);
	for (size_t bit = 0; bit < 8 * WIRE_DATA_SIZE; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(wire_get_data(bytes, &data), -EBADMSG);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
}

static void data_headers_must_make_sense(void **state)
{
#define BLOCKS	.kind = WIRE_DATA, .seq = 1, .raw_bytes = 512
	static const struct {
		int rc;
		struct wire_data data;
	} cases[] = {
		{ 0, { BLOCKS, .payload_bytes = 512 } },
		{ -EBADMSG, { .kind = WIRE_DATA, .seq = 0, .raw_bytes = 512, .payload_bytes = 512 } },
		{ -EBADMSG, { .kind = WIRE_DATA, .seq = 1, .raw_bytes = 0 } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 511 } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 513 } },
		{ 0, { .kind = WIRE_DATA, .seq = 1, .raw_bytes = WIRE_DATA_MAX, .payload_bytes = WIRE_DATA_MAX } },
		{ -EBADMSG, { .kind = WIRE_DATA, .seq = 1, .raw_bytes = WIRE_DATA_MAX + 1,
			      .payload_bytes = WIRE_DATA_MAX + 1 } },
		{ -EBADMSG, { .kind = WIRE_DATA, .seq = 1, .raw_bytes = UINT32_MAX, .flags = WIRE_DATA_ZERO } },
		{ 0, { BLOCKS, .flags = WIRE_DATA_ZERO } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 1, .flags = WIRE_DATA_ZERO } },
		{ 0, { BLOCKS, .payload_bytes = 511, .flags = WIRE_DATA_ZSTD } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 512, .flags = WIRE_DATA_ZSTD } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 0, .flags = WIRE_DATA_ZSTD } },
		{ -EBADMSG, { BLOCKS, .flags = WIRE_DATA_ZSTD | WIRE_DATA_ZERO } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 512, .flags = 16 } },
		{ 0, { BLOCKS, .payload_bytes = 24, .flags = WIRE_DATA_COMPARE } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 23, .flags = WIRE_DATA_COMPARE } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 40, .flags = WIRE_DATA_COMPARE } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 24, .flags = WIRE_DATA_COMPARE, .offset = 2048 } },
		{ 0, { BLOCKS, .flags = WIRE_DATA_COMPARE | WIRE_DATA_ZERO, .offset = 4096 } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 24, .flags = WIRE_DATA_COMPARE | WIRE_DATA_ZERO } },
		{ -EBADMSG, { BLOCKS, .payload_bytes = 24, .flags = WIRE_DATA_COMPARE | WIRE_DATA_ZSTD } },
		{ 0, { .kind = WIRE_DATA, .seq = 1, .raw_bytes = WIRE_DATA_MAX, .payload_bytes = 8 + 256 * 16,
		       .flags = WIRE_DATA_COMPARE } },
		{ 0, { .kind = WIRE_SAME, .seq = 1, .payload_bytes = 1 } },
		{ 0, { .kind = WIRE_SAME, .seq = 1, .payload_bytes = WIRE_SAME_MAX } },
		{ -EBADMSG, { .kind = WIRE_SAME, .seq = 1, .payload_bytes = WIRE_SAME_MAX + 1 } },
		{ -EBADMSG, { .kind = WIRE_SAME, .seq = 1 } },
		{ -EBADMSG, { .kind = WIRE_SAME, .payload_bytes = 1 } },
		{ -EBADMSG, { BLOCKS, .flags = WIRE_DATA_ZERO | WIRE_DATA_JOURNAL } },
		{ 0, { BLOCKS, .flags = WIRE_DATA_ZERO | WIRE_DATA_JOURNAL, .session = 1 } },
		{ -EBADMSG, { BLOCKS, .offset = UINT64_MAX - 511, .flags = WIRE_DATA_ZERO } },
		{ 0, { BLOCKS, .offset = UINT64_MAX - 512, .flags = WIRE_DATA_ZERO } },
		{ 0, { .kind = WIRE_ACK, .payload_bytes = 16 } },
		{ -EBADMSG, { .kind = WIRE_ACK, .payload_bytes = 0 } },
		{ -EBADMSG, { .kind = WIRE_ACK, .payload_bytes = 17 } },
		{ 0, { .kind = WIRE_ACK, .payload_bytes = WIRE_ACKS_MAX * 16 } },
		{ -EBADMSG, { .kind = WIRE_ACK, .payload_bytes = WIRE_ACKS_MAX * 16 + 16 } },
		{ -EBADMSG, { .kind = WIRE_MARK, .payload_bytes = 1 } },
		{ 0, { .kind = WIRE_DATA_PING } },
		{ -EBADMSG, { .kind = 0 } },
		{ -EBADMSG, { .kind = 7 } },
	};
#undef BLOCKS

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(data_rc(&cases[i].data), cases[i].rc);
}

/* Three blocks and a short one; golden checksums, then each block changed in turn. */
static void blocks_are_compared_one_by_one(void **state)
{
	static uint8_t blocks[3 * WIRE_BLOCK_SIZE + 512], sums[8 + 4 * WIRE_SUM_SIZE], same[WIRE_SAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(blocks); i++)
		blocks[i] = (uint8_t)((i >> 5) + 7 * (i / WIRE_BLOCK_SIZE));
	memset(blocks + WIRE_BLOCK_SIZE, 0, WIRE_BLOCK_SIZE);
	assert_int_equal(wire_sums_size(sizeof(blocks)), sizeof(sums));
	wire_put_sums(sums, 0x0102030405060708, blocks, sizeof(blocks));
	check_golden("checksums of three blocks and a half", sums, sizeof(sums));
	wire_compare(sums, blocks, sizeof(blocks), same);
	assert_int_equal(same[0], 0x0f);
	for (unsigned i = 0; i < 4; i++) {
		blocks[i * WIRE_BLOCK_SIZE + 511] ^= 1;
		wire_compare(sums, blocks, sizeof(blocks), same);
		assert_int_equal(same[0], 0x0f & ~(1u << i));
		blocks[i * WIRE_BLOCK_SIZE + 511] ^= 1;
	}
	/* The same blocks in other places, and under another seed, are others. */
	memmove(blocks, blocks + 2 * WIRE_BLOCK_SIZE, WIRE_BLOCK_SIZE);
	wire_compare(sums, blocks, sizeof(blocks), same);
	assert_int_equal(same[0], 0x0e);
	sums[0] ^= 1;
	wire_compare(sums, blocks, sizeof(blocks), same);
	assert_int_equal(same[0], 0);
	wire_compare(NULL, blocks, sizeof(blocks), same);
	assert_int_equal(same[0], 0x02);
	for (size_t i = 1; i < sizeof(same); i++)
		assert_int_equal(same[i], 0);
}

static void acks_and_outcomes_come_back(void **state)
{
	uint8_t bytes[WIRE_REPLY_PREFIX_MAX];
	char text[WIRE_TEXT_SIZE];
	char umlauts[2 * WIRE_TEXT_SIZE] = "";
	struct wire_ack ack;
	size_t len, used;
	int error;

	(void)state;
	wire_put_ack(bytes, &(struct wire_ack){ .first = 7, .count = 3, .error = -ENOSPC });
	assert_int_equal(wire_get_ack(bytes, &ack), 0);
	assert_true(ack.first == 7 && ack.count == 3 && ack.error == -ENOSPC);
	put_le32(bytes + 8, 0);
	assert_int_equal(wire_get_ack(bytes, &ack), -EBADMSG);
	put_le32(bytes + 8, 2);
	put_le64(bytes, UINT64_MAX);
	assert_int_equal(wire_get_ack(bytes, &ack), -EBADMSG);
	put_le64(bytes, 0);
	assert_int_equal(wire_get_ack(bytes, &ack), -EBADMSG);

	len = wire_put_outcome(bytes, -ESTALE, "too\nold");
	assert_int_equal(wire_get_outcome(bytes, len, &error, text, &used), 0);
	assert_true(error == -ESTALE && used == len);
	assert_string_equal(text, "too old");
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(wire_get_outcome(bytes, cut, &error, text, &used), -EBADMSG);
	bytes[7] = 1;
	assert_int_equal(wire_get_outcome(bytes, len, &error, text, &used), -EBADMSG);
	put_le16(bytes + 4, 0xffff);
	assert_int_equal(wire_get_outcome(bytes, sizeof(bytes), &error, text, &used), -EBADMSG);

	/* UTF-8, also where it is cut; nothing else. */
	for (size_t i = 0; i < sizeof(umlauts) - 1; i++)
		umlauts[i] = i % 2 ? '\xC3' : '\xA4';
	umlauts[0] = 'x';
	for (unsigned from = 0; from < 2; from++) {
		len = wire_put_outcome(bytes, -EIO, umlauts + from);
		assert_int_equal(wire_get_outcome(bytes, len, &error, text, &used), 0);
		assert_int_equal(strlen(text), from ? WIRE_TEXT_SIZE - 2 : WIRE_TEXT_SIZE - 1);
	}
	bytes[7] = 0xFF;
	assert_int_equal(wire_get_outcome(bytes, len, &error, text, &used), -EBADMSG);
}

static void codes_are_the_same_everywhere(void **state)
{
	static const int errors[] = {
		0, -EIO, -ENOENT, -EINVAL, -ENOSPC, -ENOMEM, -EBUSY, -EEXIST, -EPERM, -EROFS, -ESTALE,
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		assert_int_equal(wire_code_of(errors[i]), i);
		assert_int_equal(wire_error_of(i), errors[i]);
	}
	for (uint32_t code = 0; code < 100; code++) {
		int error = wire_error_of(code);

		assert_true(error <= 0 && (!code || error));
		assert_true(error == -EIO || wire_code_of(error) == code);
	}
	assert_int_equal(wire_code_of(-EXFULL), wire_code_of(-EIO));
	assert_int_equal(wire_error_of(UINT32_MAX), -EIO);
}

static void systems_have_short_plain_names(void **state)
{
	(void)state;
	assert_true(wire_is_system("2105.FA120"));
	assert_true(wire_is_system("123456789012345"));
	assert_false(wire_is_system("1234567890123456"));
	assert_false(wire_is_system(""));
	assert_false(wire_is_system("21 05"));
	assert_false(wire_is_system("21\t05"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_has_a_sample),
		cmocka_unit_test(messages_have_their_golden_bytes),
		cmocka_unit_test(decoding_gives_the_fields_back),
		cmocka_unit_test(messages_cut_short_are_refused),
		cmocka_unit_test(flipped_bits_are_refused_or_decode_to_themselves),
		cmocka_unit_test(hostile_lengths_are_refused_or_decode_to_themselves),
		cmocka_unit_test(what_is_too_long_is_not_encoded),
		cmocka_unit_test(a_message_is_bounded_as_a_whole),
		cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(frames_have_their_golden_bytes),
		cmocka_unit_test(handshakes_come_back),
		cmocka_unit_test(handshakes_with_a_flipped_bit_are_refused),
		cmocka_unit_test(nonsense_in_a_greeting_is_refused),
		cmocka_unit_test(control_headers_come_back_and_flipped_ones_do_not),
		cmocka_unit_test(control_payloads_are_bounded),
		cmocka_unit_test(data_headers_come_back_and_flipped_ones_do_not),
		cmocka_unit_test(data_headers_must_make_sense),
		cmocka_unit_test(blocks_are_compared_one_by_one),
		cmocka_unit_test(acks_and_outcomes_come_back),
		cmocka_unit_test(codes_are_the_same_everywhere),
		cmocka_unit_test(systems_have_short_plain_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
