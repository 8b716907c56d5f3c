/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What another system sends over a link, byte for byte: no input reads beyond its end, and what the decoders let
 * through is what they would have written themselves. The first byte of an input chooses the decoder: 0..5 those of
 * frames (whose checksums are put right first, or nothing would get past them), the others messages by their number,
 * requests and replies.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "copy/wire_message.h"
#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A frame of exactly size bytes with a good checksum at its end. */
static void make_frame(uint8_t *frame, size_t frame_size, const uint8_t *data, size_t size)
{
	memset(frame, 0, frame_size);
	memcpy(frame, data, size < frame_size - 4 ? size : frame_size - 4);
	put_le32(frame + frame_size - 4, crc32c(0, frame, frame_size - 4));
}

static void check_hello(const uint8_t *data, size_t size)
{
	uint8_t frame[WIRE_HELLO_SIZE];
	struct wire_hello hello;

	make_frame(frame, sizeof(frame), data, size);
	if (wire_get_hello(frame, &hello))
		return;
	assert(wire_is_system(hello.from) && wire_is_system(hello.to));
	wire_put_hello(frame, &hello);
	assert(!wire_get_hello(frame, &hello));
}

static void check_answer(const uint8_t *data, size_t size)
{
	uint8_t frame[WIRE_ANSWER_SIZE];
	struct wire_welcome welcome;
	struct wire_refused refused;
	int rc;

	make_frame(frame, sizeof(frame), data, size);
	rc = wire_get_answer(frame, &welcome, &refused);
	if (!rc)
		assert(wire_is_system(welcome.system) && welcome.requests_max && welcome.window_frames);
	else if (refused.code)
		assert(strnlen(refused.text, sizeof(refused.text)) < sizeof(refused.text));
}

static void check_control(const uint8_t *data, size_t size)
{
	uint8_t frame[WIRE_CONTROL_SIZE];
	struct wire_control control;

	make_frame(frame, sizeof(frame), data, size);
	if (!wire_get_control(frame, &control))
		assert(control.payload_bytes <= WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX);
}

static void check_data(const uint8_t *data, size_t size)
{
	uint8_t frame[WIRE_DATA_SIZE];
	struct wire_data header;

	make_frame(frame, sizeof(frame), data, size);
	if (wire_get_data(frame, &header))
		return;
	assert(header.payload_bytes <= WIRE_DATA_MAX);
	if (header.kind != WIRE_DATA)
		return;
	assert(header.raw_bytes && header.raw_bytes <= WIRE_DATA_MAX);
	if (header.flags & WIRE_DATA_COMPARE)
		assert(!header.payload_bytes || header.payload_bytes == wire_sums_size(header.raw_bytes));
	else
		assert(header.payload_bytes <= header.raw_bytes);
	assert(header.offset + header.raw_bytes > header.offset);
}

static void check_ack(const uint8_t *data, size_t size)
{
	uint8_t bytes[WIRE_ACK_SIZE] = { 0 };
	struct wire_ack ack;

	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	if (!wire_get_ack(bytes, &ack))
		assert(ack.count && ack.first && ack.first + ack.count > ack.first && ack.error <= 0);
}

static void check_outcome(const uint8_t *data, size_t size)
{
	char text[WIRE_TEXT_SIZE];
	size_t used;
	int error;

	if (!wire_get_outcome(data, size, &error, text, &used))
		assert(error <= 0 && used <= size && strnlen(text, sizeof(text)) == used - 6);
}

static void check_message(const struct wire_layout *layout, const uint8_t *data, size_t size)
{
	void *message = mem_alloc(wire_struct_size(layout));
	uint8_t *again;
	size_t again_len;

	assert(message);
	if (!wire_decode(layout, data, size, message)) {
		assert(!wire_encode(layout, message, &again, &again_len));
		assert(again_len == size && !memcmp(again, data, size));
		mem_free(again);
	}
	wire_free(layout, message);
	mem_free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const frames[])(const uint8_t *data, size_t size) = {
		check_hello, check_answer, check_control, check_data, check_ack, check_outcome,
	};
	const struct wire_type *types;
	size_t count, choice;

	if (!size || size > WIRE_MESSAGE_MAX)
		return 0;
	choice = data[0];
	if (choice < sizeof(frames) / sizeof(frames[0])) {
		frames[choice](data + 1, size - 1);
		return 0;
	}
	types = wire_types(&count);
	choice = (choice - sizeof(frames) / sizeof(frames[0])) % (2 * count);
	if (choice % 2 == 0)
		check_message(types[choice / 2].request, data + 1, size - 1);
	else if (types[choice / 2].reply)
		check_message(types[choice / 2].reply, data + 1, size - 1);
	return 0;
}
