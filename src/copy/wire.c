/* SPDX-License-Identifier: Apache-2.0 */
#include "copy/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/utf8.h"

#define MAGIC_HANDSHAKE	0x4b4c4458u	/* "XDLK" */
#define MAGIC_CONTROL	0x43434458u	/* "XDCC" */
#define MAGIC_DATA	0x44434458u	/* "XDCD" */

enum handshake_type { TYPE_HELLO = 1, TYPE_WELCOME = 2, TYPE_REFUSED = 3 };

#define HELLO_CRC	(WIRE_HELLO_SIZE - 4u)
#define ANSWER_TEXT	56u
#define ANSWER_CRC	(WIRE_ANSWER_SIZE - 4u)
#define CONTROL_CRC	(WIRE_CONTROL_SIZE - 4u)
#define DATA_CRC	(WIRE_DATA_SIZE - 4u)
_Static_assert(ANSWER_TEXT + WIRE_TEXT_SIZE <= ANSWER_CRC, "the text fits before the checksum");

/* ---- parts ---- */

static void seal(uint8_t *frame, size_t crc_at)
{
	put_le32(frame + crc_at, crc32c(0, frame, crc_at));
}

static bool is_sealed(const uint8_t *frame, size_t crc_at, uint32_t magic)
{
	return get_le32(frame) == magic && get_le32(frame + crc_at) == crc32c(0, frame, crc_at);
}

static bool is_printable(char c)
{
	return (unsigned char)c >= 0x20 && c != 0x7f;
}

/* A text in a field of its own, padded with zeros, at least one. */
static void put_padded(uint8_t *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memset(to, 0, size);
	memcpy(to, text, len);
}

static bool get_padded(const uint8_t *from, size_t size, char *text)
{
	size_t len = strnlen((const char *)from, size);

	if (len == size)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (i < len ? !is_printable((char)from[i]) : from[i])
			return false;
	}
	memcpy(text, from, size);
	return utf8_is_valid(text);
}

bool wire_is_system(const char *id)
{
	size_t len = strnlen(id, WIRE_SYSTEM_SIZE);

	if (!len || len == WIRE_SYSTEM_SIZE)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (id[i] <= 0x20 || id[i] >= 0x7f)
			return false;
	}
	return true;
}

/* ---- handshake ---- */

void wire_put_hello(uint8_t to[WIRE_HELLO_SIZE], const struct wire_hello *hello)
{
	assert(wire_is_system(hello->from) && wire_is_system(hello->to));
	memset(to, 0, WIRE_HELLO_SIZE);
	put_le32(to, MAGIC_HANDSHAKE);
	put_le16(to + 4, TYPE_HELLO);
	put_le16(to + 6, hello->version_min);
	put_le16(to + 8, hello->version_max);
	to[10] = hello->kind;
	put_le16(to + 12, hello->reactor);
	put_padded(to + 16, WIRE_SYSTEM_SIZE, hello->from);
	put_padded(to + 32, WIRE_SYSTEM_SIZE, hello->to);
	memcpy(to + 48, hello->boot_id, WIRE_ID_SIZE);
	put_le64(to + 64, hello->generation);
	put_le32(to + 72, hello->features);
	put_le32(to + 76, hello->idle_ms);
	seal(to, HELLO_CRC);
}

int wire_get_hello(const uint8_t from[WIRE_HELLO_SIZE], struct wire_hello *hello)
{
	*hello = (struct wire_hello){ 0 };
	if (!is_sealed(from, HELLO_CRC, MAGIC_HANDSHAKE) || get_le16(from + 4) != TYPE_HELLO)
		return -EBADMSG;
	hello->version_min = get_le16(from + 6);
	hello->version_max = get_le16(from + 8);
	hello->kind = from[10];
	hello->reactor = get_le16(from + 12);
	memcpy(hello->boot_id, from + 48, WIRE_ID_SIZE);
	hello->generation = get_le64(from + 64);
	hello->features = get_le32(from + 72);
	hello->idle_ms = get_le32(from + 76);
	if (!get_padded(from + 16, WIRE_SYSTEM_SIZE, hello->from) || !wire_is_system(hello->from) ||
	    !get_padded(from + 32, WIRE_SYSTEM_SIZE, hello->to) || !wire_is_system(hello->to))
		return -EBADMSG;
	if (hello->version_min > hello->version_max || !hello->generation)
		return -EBADMSG;
	if (hello->kind != WIRE_KIND_CONTROL && hello->kind != WIRE_KIND_DATA)
		return -EBADMSG;
	return 0;
}

void wire_put_welcome(uint8_t to[WIRE_ANSWER_SIZE], const struct wire_welcome *welcome)
{
	assert(wire_is_system(welcome->system));
	memset(to, 0, WIRE_ANSWER_SIZE);
	put_le32(to, MAGIC_HANDSHAKE);
	put_le16(to + 4, TYPE_WELCOME);
	put_le16(to + 6, welcome->version);
	put_padded(to + 8, WIRE_SYSTEM_SIZE, welcome->system);
	memcpy(to + 24, welcome->boot_id, WIRE_ID_SIZE);
	put_le32(to + 40, welcome->features);
	put_le32(to + 44, welcome->requests_max);
	put_le32(to + 48, welcome->window_frames);
	put_le32(to + 52, welcome->window_bytes);
	seal(to, ANSWER_CRC);
}

void wire_put_refused(uint8_t to[WIRE_ANSWER_SIZE], const struct wire_refused *refused)
{
	assert(wire_is_system(refused->system));
	memset(to, 0, WIRE_ANSWER_SIZE);
	put_le32(to, MAGIC_HANDSHAKE);
	put_le16(to + 4, TYPE_REFUSED);
	put_le16(to + 6, refused->code);
	put_padded(to + 8, WIRE_SYSTEM_SIZE, refused->system);
	put_padded(to + ANSWER_TEXT, WIRE_TEXT_SIZE, refused->text);
	seal(to, ANSWER_CRC);
}

static int get_refused(const uint8_t *from, struct wire_refused *refused)
{
	refused->code = get_le16(from + 6);
	if (!get_padded(from + 8, WIRE_SYSTEM_SIZE, refused->system) || !wire_is_system(refused->system) ||
	    !get_padded(from + ANSWER_TEXT, WIRE_TEXT_SIZE, refused->text))
		return -EBADMSG;
	return -ECONNREFUSED;
}

int wire_get_answer(const uint8_t from[WIRE_ANSWER_SIZE], struct wire_welcome *welcome, struct wire_refused *refused)
{
	*welcome = (struct wire_welcome){ 0 };
	*refused = (struct wire_refused){ 0 };
	if (!is_sealed(from, ANSWER_CRC, MAGIC_HANDSHAKE))
		return -EBADMSG;
	if (get_le16(from + 4) == TYPE_REFUSED)
		return get_refused(from, refused);
	if (get_le16(from + 4) != TYPE_WELCOME)
		return -EBADMSG;
	welcome->version = get_le16(from + 6);
	memcpy(welcome->boot_id, from + 24, WIRE_ID_SIZE);
	welcome->features = get_le32(from + 40);
	welcome->requests_max = get_le32(from + 44);
	welcome->window_frames = get_le32(from + 48);
	welcome->window_bytes = get_le32(from + 52);
	if (!get_padded(from + 8, WIRE_SYSTEM_SIZE, welcome->system) || !wire_is_system(welcome->system))
		return -EBADMSG;
	if (!welcome->requests_max || !welcome->window_frames || !welcome->window_bytes)
		return -EBADMSG;
	return 0;
}

/* ---- control frames ---- */

void wire_put_control(uint8_t to[WIRE_CONTROL_SIZE], const struct wire_control *control)
{
	memset(to, 0, WIRE_CONTROL_SIZE);
	put_le32(to, MAGIC_CONTROL);
	to[4] = control->kind;
	put_le16(to + 6, control->type);
	put_le64(to + 8, control->id);
	put_le32(to + 16, control->payload_bytes);
	put_le32(to + 20, control->payload_crc);
	seal(to, CONTROL_CRC);
}

int wire_get_control(const uint8_t from[WIRE_CONTROL_SIZE], struct wire_control *control)
{
	*control = (struct wire_control){
		.kind = from[4], .type = get_le16(from + 6), .id = get_le64(from + 8),
		.payload_bytes = get_le32(from + 16), .payload_crc = get_le32(from + 20),
	};
	if (!is_sealed(from, CONTROL_CRC, MAGIC_CONTROL))
		return -EBADMSG;
	switch (control->kind) {
	case WIRE_REQUEST:
	case WIRE_EVENT:
		return control->payload_bytes <= WIRE_MESSAGE_MAX ? 0 : -EBADMSG;
	case WIRE_REPLY:
		return control->payload_bytes <= WIRE_MESSAGE_MAX + WIRE_REPLY_PREFIX_MAX ? 0 : -EBADMSG;
	case WIRE_PING:
	case WIRE_PONG:
		return control->payload_bytes ? -EBADMSG : 0;
	default:
		return -EBADMSG;
	}
}

size_t wire_put_outcome(uint8_t to[WIRE_REPLY_PREFIX_MAX], int error, const char *text)
{
	char sentence[WIRE_TEXT_SIZE];
	size_t len;

	snprintf(sentence, sizeof(sentence), "%s", text);
	utf8_repair(sentence);
	len = strlen(sentence);
	put_le32(to, wire_code_of(error));
	put_le16(to + 4, (uint16_t)len);
	for (size_t i = 0; i < len; i++)
		to[6 + i] = is_printable(sentence[i]) ? (uint8_t)sentence[i] : ' ';
	return 6 + len;
}

int wire_get_outcome(const uint8_t *from, size_t len, int *error, char text[WIRE_TEXT_SIZE], size_t *used)
{
	size_t text_len;

	*error = 0;
	*used = 0;
	text[0] = 0;
	if (len < 6)
		return -EBADMSG;
	text_len = get_le16(from + 4);
	if (text_len >= WIRE_TEXT_SIZE || text_len > len - 6)
		return -EBADMSG;
	for (size_t i = 0; i < text_len; i++) {
		if (!is_printable((char)from[6 + i]))
			return -EBADMSG;
	}
	*error = wire_error_of(get_le32(from));
	memcpy(text, from + 6, text_len);
	text[text_len] = 0;
	if (!utf8_is_valid(text))
		return -EBADMSG;
	*used = 6 + text_len;
	return 0;
}

/* ---- data frames ---- */

void wire_put_data(uint8_t to[WIRE_DATA_SIZE], const struct wire_data *data)
{
	memset(to, 0, WIRE_DATA_SIZE);
	put_le32(to, MAGIC_DATA);
	to[4] = data->kind;
	to[5] = data->session;
	put_le16(to + 6, data->flags);
	put_le64(to + 8, data->seq);
	put_le64(to + 16, data->tag);
	put_le64(to + 24, data->offset);
	put_le32(to + 32, data->raw_bytes);
	put_le32(to + 36, data->payload_bytes);
	put_le32(to + 40, data->payload_crc);
	put_le16(to + 44, data->volume);
	seal(to, DATA_CRC);
}

static bool is_valid_blocks(const struct wire_data *data)
{
	if (!data->seq || !data->raw_bytes || data->raw_bytes > WIRE_DATA_MAX)
		return false;
	if (data->offset > UINT64_MAX - data->raw_bytes)
		return false;
	if ((data->flags & WIRE_DATA_JOURNAL) && !data->session)
		return false;
	switch (data->flags & ~WIRE_DATA_JOURNAL) {
	case 0:
		return data->payload_bytes == data->raw_bytes;
	case WIRE_DATA_ZERO:
		return !data->payload_bytes;
	case WIRE_DATA_ZSTD:
		return data->payload_bytes && data->payload_bytes < data->raw_bytes;
	case WIRE_DATA_COMPARE:
		return !(data->offset % WIRE_BLOCK_SIZE) && data->payload_bytes == wire_sums_size(data->raw_bytes);
	case WIRE_DATA_COMPARE | WIRE_DATA_ZERO:
		return !(data->offset % WIRE_BLOCK_SIZE) && !data->payload_bytes;
	default:
		return false;
	}
}

int wire_get_data(const uint8_t from[WIRE_DATA_SIZE], struct wire_data *data)
{
	*data = (struct wire_data){
		.kind = from[4], .session = from[5], .flags = get_le16(from + 6), .seq = get_le64(from + 8),
		.tag = get_le64(from + 16), .offset = get_le64(from + 24), .raw_bytes = get_le32(from + 32),
		.payload_bytes = get_le32(from + 36), .payload_crc = get_le32(from + 40),
		.volume = get_le16(from + 44),
	};
	if (!is_sealed(from, DATA_CRC, MAGIC_DATA))
		return -EBADMSG;
	switch (data->kind) {
	case WIRE_DATA:
		return is_valid_blocks(data) ? 0 : -EBADMSG;
	case WIRE_ACK:
		if (!data->payload_bytes || data->payload_bytes > WIRE_ACKS_MAX * WIRE_ACK_SIZE)
			return -EBADMSG;
		return data->payload_bytes % WIRE_ACK_SIZE ? -EBADMSG : 0;
	case WIRE_SAME:
		return !data->seq || !data->payload_bytes || data->payload_bytes > WIRE_SAME_MAX ? -EBADMSG : 0;
	case WIRE_MARK:
	case WIRE_DATA_PING:
	case WIRE_DATA_PONG:
		return data->payload_bytes ? -EBADMSG : 0;
	default:
		return -EBADMSG;
	}
}

void wire_put_ack(uint8_t to[WIRE_ACK_SIZE], const struct wire_ack *ack)
{
	put_le64(to, ack->first);
	put_le32(to + 8, ack->count);
	put_le32(to + 12, wire_code_of(ack->error));
}

int wire_get_ack(const uint8_t from[WIRE_ACK_SIZE], struct wire_ack *ack)
{
	*ack = (struct wire_ack){
		.first = get_le64(from), .count = get_le32(from + 8), .error = wire_error_of(get_le32(from + 12)),
	};
	if (!ack->first || !ack->count || ack->first > UINT64_MAX - ack->count)
		return -EBADMSG;
	return 0;
}

uint64_t wire_digest(uint64_t before, const uint8_t header[WIRE_DATA_SIZE])
{
	return XXH64(header, WIRE_DATA_SIZE, before);
}

/* ---- comparisons ---- */

static void put_sum(uint8_t to[WIRE_SUM_SIZE], uint64_t seed, const void *block, uint32_t bytes)
{
	XXH128_hash_t sum = XXH3_128bits_withSeed(block, bytes, seed);

	put_le64(to, sum.low64);
	put_le64(to + 8, sum.high64);
}

static uint32_t block_bytes(uint32_t bytes, uint32_t block)
{
	uint32_t left = bytes - block * WIRE_BLOCK_SIZE;

	return left < WIRE_BLOCK_SIZE ? left : WIRE_BLOCK_SIZE;
}

void wire_put_sums(uint8_t *to, uint64_t seed, const void *data, uint32_t bytes)
{
	put_le64(to, seed);
	for (uint32_t i = 0; i < wire_blocks(bytes); i++)
		put_sum(to + 8 + i * WIRE_SUM_SIZE, seed, (const uint8_t *)data + i * WIRE_BLOCK_SIZE,
			block_bytes(bytes, i));
}

static bool is_zero(const uint8_t *data, size_t len)
{
	return !data[0] && !memcmp(data, data + 1, len - 1);
}

void wire_compare(const uint8_t *sums, const void *data, uint32_t bytes, uint8_t same[WIRE_SAME_MAX])
{
	memset(same, 0, WIRE_SAME_MAX);
	for (uint32_t i = 0; i < wire_blocks(bytes); i++) {
		const uint8_t *block = (const uint8_t *)data + i * WIRE_BLOCK_SIZE;
		uint8_t sum[WIRE_SUM_SIZE];
		bool equal;

		if (sums) {
			put_sum(sum, get_le64(sums), block, block_bytes(bytes, i));
			equal = !memcmp(sum, sums + 8 + i * WIRE_SUM_SIZE, WIRE_SUM_SIZE);
		} else {
			equal = is_zero(block, block_bytes(bytes, i));
		}
		same[i / 8] = (uint8_t)(same[i / 8] | equal << i % 8);
	}
}

/* ---- codes ---- */

/* Numbers are part of the protocol. */
static const struct {
	uint32_t code;
	int error;
} codes[] = {
	{ 0, 0 }, { 1, -EIO }, { 2, -ENOENT }, { 3, -EINVAL }, { 4, -ENOSPC }, { 5, -ENOMEM }, { 6, -EBUSY },
	{ 7, -EEXIST }, { 8, -EPERM }, { 9, -EROFS }, { 10, -ESTALE }, { 11, -ETIMEDOUT }, { 12, -ECANCELED },
	{ 13, -EBADMSG }, { 14, -EOPNOTSUPP }, { 15, -EAGAIN }, { 16, -EALREADY }, { 17, -ENOTCONN }, { 18, -EMSGSIZE },
	{ 19, -EFBIG }, { 20, -EPROTO }, { 21, -ENOBUFS }, { 22, -ENODEV }, { 23, -EACCES }, { 24, -ERANGE },
	{ 25, -ENOTEMPTY }, { 26, -EXDEV }, { 27, -EDQUOT }, { 28, -ECONNRESET }, { 29, -EHOSTUNREACH },
	{ 30, -ECONNREFUSED }, { 31, -ENODATA }, { 32, -EOVERFLOW }, { 33, -EUCLEAN },
	{ 34, -ETXTBSY },
};

#define CODE_OTHER	1u

uint32_t wire_code_of(int error)
{
	assert(error <= 0);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].error == error)
			return codes[i].code;
	}
	return CODE_OTHER;
}

int wire_error_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			return codes[i].error;
	}
	return -EIO;
}
