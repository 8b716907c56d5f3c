/* SPDX-License-Identifier: Apache-2.0 */
#include "host/nbd_proto.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/bytes.h"

#define NBD_MAGIC		UINT64_C(0x4e42444d41474943)
#define NBD_OPTION_MAGIC	UINT64_C(0x49484156454f5054)
#define NBD_OPTION_REPLY_MAGIC	UINT64_C(0x0003e889045565a9)
#define NBD_REQUEST_MAGIC	UINT32_C(0x25609513)
#define NBD_SIMPLE_REPLY_MAGIC	UINT32_C(0x67446698)
#define NBD_CHUNK_MAGIC		UINT32_C(0x668e33ef)

/* The same bits in the server's greeting and in the client's answer to it. */
#define NBD_FLAG_FIXED_NEWSTYLE	1u
#define NBD_FLAG_NO_ZEROES	2u

/* Of an export. */
#define NBD_FLAG_HAS_FLAGS		(1u << 0)
#define NBD_FLAG_READ_ONLY		(1u << 1)
#define NBD_FLAG_SEND_FLUSH		(1u << 2)
#define NBD_FLAG_SEND_FUA		(1u << 3)
#define NBD_FLAG_SEND_TRIM		(1u << 5)
#define NBD_FLAG_SEND_WRITE_ZEROES	(1u << 6)
#define NBD_FLAG_SEND_DF		(1u << 7)
#define NBD_FLAG_CAN_MULTI_CONN		(1u << 8)
#define NBD_FLAG_SEND_CACHE		(1u << 10)
#define NBD_FLAG_SEND_FAST_ZERO		(1u << 11)

enum nbd_chunk_type {
	NBD_CHUNK_OFFSET_DATA = 1,
	NBD_CHUNK_OFFSET_HOLE = 2,
	NBD_CHUNK_BLOCK_STATUS = 5,
	NBD_CHUNK_ERROR = 0x8001,
};
#define NBD_CHUNK_DONE	1u

#define NBD_STATE_HOLE	1u
#define NBD_STATE_ZERO	2u

enum nbd_wire_error {
	NBD_EPERM = 1,
	NBD_EIO = 5,
	NBD_ENOMEM = 12,
	NBD_EINVAL = 22,
	NBD_ENOSPC = 28,
	NBD_EOVERFLOW = 75,
	NBD_ENOTSUP = 95,
	NBD_ESHUTDOWN = 108,
};

/* ---- handshake ---- */

int nbd_parse_client_flags(const uint8_t bytes[NBD_CLIENT_FLAGS_SIZE], struct nbd_client_flags *out)
{
	uint32_t flags = get_be32(bytes);

	if (flags & ~(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES))
		return -EPROTO;
	out->fixed_newstyle = flags & NBD_FLAG_FIXED_NEWSTYLE;
	out->no_zeroes = flags & NBD_FLAG_NO_ZEROES;
	return 0;
}

int nbd_parse_option(const uint8_t bytes[NBD_OPTION_SIZE], struct nbd_option *out)
{
	if (get_be64(bytes) != NBD_OPTION_MAGIC)
		return -EPROTO;
	out->code = get_be32(bytes + 8);
	out->len = get_be32(bytes + 12);
	return out->len > NBD_OPTION_MAX ? -EMSGSIZE : 0;
}

int nbd_parse_name(const uint8_t *data, size_t len, struct nbd_name *out)
{
	if (len > NBD_NAME_MAX)
		return -EINVAL;
	if (len && memchr(data, 0, len))
		return -EINVAL;
	if (len)
		memcpy(out->text, data, len);
	out->text[len] = 0;
	return 0;
}

/* What is left of the data of an option. */
struct span {
	const uint8_t *at;
	size_t len;
};

/* Takes n bytes off the front; NULL when there are not so many. */
static const uint8_t *span_take(struct span *span, size_t n)
{
	const uint8_t *taken = span->at;

	if (n > span->len)
		return NULL;
	span->at += n;
	span->len -= n;
	return taken;
}

static int span_take_u16(struct span *span, uint16_t *out)
{
	const uint8_t *bytes = span_take(span, 2);

	if (!bytes)
		return -EINVAL;
	*out = get_be16(bytes);
	return 0;
}

static int span_take_u32(struct span *span, uint32_t *out)
{
	const uint8_t *bytes = span_take(span, 4);

	if (!bytes)
		return -EINVAL;
	*out = get_be32(bytes);
	return 0;
}

/* A text behind its length. */
static int span_take_text(struct span *span, const uint8_t **text, uint32_t *len)
{
	int rc = span_take_u32(span, len);

	if (rc)
		return rc;
	*text = span_take(span, *len);
	return *text ? 0 : -EINVAL;
}

static int span_take_name(struct span *span, struct nbd_name *out)
{
	const uint8_t *text;
	uint32_t len;
	int rc = span_take_text(span, &text, &len);

	return rc ? rc : nbd_parse_name(text, len, out);
}

int nbd_parse_info_query(const uint8_t *data, size_t len, struct nbd_info_query *out)
{
	struct span span = { data, len };
	uint16_t count, code;
	int rc = span_take_name(&span, &out->name);

	out->wants_name = out->wants_description = out->wants_block_size = false;
	if (!rc)
		rc = span_take_u16(&span, &count);
	if (rc || span.len != count * (size_t)2)
		return -EINVAL;
	while (span.len) {
		rc = span_take_u16(&span, &code);
		assert(rc == 0);
		/* The protocol asks us to pass over what we do not know. */
		out->wants_name |= code == NBD_INFO_NAME;
		out->wants_description |= code == NBD_INFO_DESCRIPTION;
		out->wants_block_size |= code == NBD_INFO_BLOCK_SIZE;
	}
	return 0;
}

static bool text_is(const uint8_t *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

int nbd_parse_meta_query(const uint8_t *data, size_t len, struct nbd_meta_query *out)
{
	struct span span = { data, len };
	const uint8_t *query;
	uint32_t query_len;
	int rc = span_take_name(&span, &out->name);

	out->allocation = out->base = false;
	if (!rc)
		rc = span_take_u32(&span, &out->queries);
	/* Each takes at least the four bytes of its length, so a hostile count ends with the data. */
	for (uint32_t i = 0; !rc && i < out->queries; i++) {
		rc = span_take_text(&span, &query, &query_len);
		if (rc || query_len > NBD_NAME_MAX)
			return -EINVAL;
		out->allocation |= text_is(query, query_len, NBD_META_ALLOCATION);
		out->base |= text_is(query, query_len, "base:");
	}
	return rc || span.len ? -EINVAL : 0;
}

void nbd_put_greeting(uint8_t to[NBD_GREETING_SIZE])
{
	put_be64(to, NBD_MAGIC);
	put_be64(to + 8, NBD_OPTION_MAGIC);
	put_be16(to + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
}

void nbd_put_option_reply(uint8_t to[NBD_OPTION_REPLY_SIZE], uint32_t option, uint32_t reply, uint32_t len)
{
	put_be64(to, NBD_OPTION_REPLY_MAGIC);
	put_be32(to + 8, option);
	put_be32(to + 12, reply);
	put_be32(to + 16, len);
}

static uint16_t export_flags(const struct nbd_session *session)
{
	unsigned flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA | NBD_FLAG_CAN_MULTI_CONN |
			 NBD_FLAG_SEND_CACHE;

	if (session->writable)
		flags |= NBD_FLAG_SEND_TRIM | NBD_FLAG_SEND_WRITE_ZEROES | NBD_FLAG_SEND_FAST_ZERO;
	else
		flags |= NBD_FLAG_READ_ONLY;
	if (session->structured)
		flags |= NBD_FLAG_SEND_DF;
	return (uint16_t)flags;
}

void nbd_put_info_export(uint8_t to[NBD_INFO_EXPORT_SIZE], const struct nbd_session *session)
{
	put_be16(to, NBD_INFO_EXPORT);
	put_be64(to + 2, session->size);
	put_be16(to + 10, export_flags(session));
}

void nbd_put_info_block_size(uint8_t to[NBD_INFO_BLOCK_SIZE_SIZE])
{
	put_be16(to, NBD_INFO_BLOCK_SIZE);
	put_be32(to + 2, 1);
	put_be32(to + 6, NBD_BLOCK_PREFERRED);
	put_be32(to + 10, NBD_PAYLOAD_MAX);
}

size_t nbd_put_export_name_reply(uint8_t to[NBD_EXPORT_NAME_REPLY_SIZE], const struct nbd_session *session,
				 bool no_zeroes)
{
	memset(to, 0, NBD_EXPORT_NAME_REPLY_SIZE);
	put_be64(to, session->size);
	put_be16(to + 8, export_flags(session));
	return no_zeroes ? 10 : NBD_EXPORT_NAME_REPLY_SIZE;
}

/* ---- transmission ---- */

int nbd_parse_command(const uint8_t bytes[NBD_COMMAND_SIZE], struct nbd_command *out)
{
	if (get_be32(bytes) != NBD_REQUEST_MAGIC)
		return -EPROTO;
	out->flags = get_be16(bytes + 4);
	out->code = get_be16(bytes + 6);
	out->cookie = get_be64(bytes + 8);
	out->offset = get_be64(bytes + 16);
	out->len = get_be32(bytes + 24);
	return out->code == NBD_CMD_WRITE && out->len > NBD_PAYLOAD_MAX ? -EMSGSIZE : 0;
}

/* The flags a command may carry. FUA means nothing to some of them, but the protocol lets clients send it with any. */
static const uint16_t allowed_flags[NBD_CMD_COUNT] = {
	[NBD_CMD_READ] = NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_DF,
	[NBD_CMD_WRITE] = NBD_CMD_FLAG_FUA,
	[NBD_CMD_DISC] = NBD_CMD_FLAG_FUA,
	[NBD_CMD_FLUSH] = NBD_CMD_FLAG_FUA,
	[NBD_CMD_TRIM] = NBD_CMD_FLAG_FUA,
	[NBD_CMD_CACHE] = NBD_CMD_FLAG_FUA,
	[NBD_CMD_WRITE_ZEROES] = NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO,
	[NBD_CMD_BLOCK_STATUS] = NBD_CMD_FLAG_FUA | NBD_CMD_FLAG_REQ_ONE,
};

static bool command_changes_data(const struct nbd_command *command)
{
	return command->code == NBD_CMD_WRITE || command->code == NBD_CMD_TRIM || command->code == NBD_CMD_WRITE_ZEROES;
}

static int validate_range(const struct nbd_session *session, const struct nbd_command *command)
{
	if (command->len == 0)
		return -EINVAL;
	if (command->offset > session->size || command->len > session->size - command->offset)
		return command_changes_data(command) ? -ENOSPC : -EINVAL;
	return 0;
}

int nbd_validate_command(const struct nbd_session *session, const struct nbd_command *command)
{
	if (command->code >= NBD_CMD_COUNT || command->flags & ~allowed_flags[command->code])
		return -EINVAL;
	if (command->flags & NBD_CMD_FLAG_DF && !session->structured)
		return -EINVAL;
	if (command->code == NBD_CMD_BLOCK_STATUS && !session->block_status)
		return -EINVAL;
	if (command->code == NBD_CMD_DISC)
		return 0;
	if (command->code == NBD_CMD_FLUSH)
		return command->offset || command->len ? -EINVAL : 0;
	if (command_changes_data(command) && !session->writable)
		return -EPERM;
	if (command->code == NBD_CMD_READ && command->len > NBD_PAYLOAD_MAX)
		return command->flags & NBD_CMD_FLAG_DF ? -EOVERFLOW : -EINVAL;
	/* Zeroes that keep their space are written, which is as slow as a write. */
	if (command->flags & NBD_CMD_FLAG_FAST_ZERO &&
	    (command->flags & NBD_CMD_FLAG_NO_HOLE || !session->zero_is_fast))
		return -ENOTSUP;
	return validate_range(session, command);
}

uint32_t nbd_error(int rc)
{
	switch (-rc) {
	case 0:
		return 0;
	case EPERM:
	case EACCES:
	case EROFS:
		return NBD_EPERM;
	case ENOMEM:
		return NBD_ENOMEM;
	case EINVAL:
		return NBD_EINVAL;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return NBD_ENOSPC;
	case EOVERFLOW:
		return NBD_EOVERFLOW;
	case ENOTSUP:
		return NBD_ENOTSUP;
	case ESHUTDOWN:
	case ECANCELED:
		return NBD_ESHUTDOWN;
	default:
		return NBD_EIO;
	}
}

void nbd_put_simple_reply(uint8_t to[NBD_SIMPLE_REPLY_SIZE], uint64_t cookie, int rc)
{
	put_be32(to, NBD_SIMPLE_REPLY_MAGIC);
	put_be32(to + 4, nbd_error(rc));
	put_be64(to + 8, cookie);
}

static void put_chunk(uint8_t to[NBD_CHUNK_SIZE], uint64_t cookie, bool done, enum nbd_chunk_type type, uint32_t len)
{
	put_be32(to, NBD_CHUNK_MAGIC);
	put_be16(to + 4, done ? NBD_CHUNK_DONE : 0);
	put_be16(to + 6, (uint16_t)type);
	put_be64(to + 8, cookie);
	put_be32(to + 16, len);
}

void nbd_put_data_chunk(uint8_t to[NBD_DATA_CHUNK_SIZE], uint64_t cookie, bool done, uint64_t offset, uint32_t len)
{
	put_chunk(to, cookie, done, NBD_CHUNK_OFFSET_DATA, 8 + len);
	put_be64(to + NBD_CHUNK_SIZE, offset);
}

void nbd_put_hole_chunk(uint8_t to[NBD_HOLE_CHUNK_SIZE], uint64_t cookie, bool done, uint64_t offset, uint32_t len)
{
	put_chunk(to, cookie, done, NBD_CHUNK_OFFSET_HOLE, 12);
	put_be64(to + NBD_CHUNK_SIZE, offset);
	put_be32(to + NBD_CHUNK_SIZE + 8, len);
}

void nbd_put_error_chunk(uint8_t to[NBD_ERROR_CHUNK_SIZE], uint64_t cookie, int rc)
{
	assert(rc < 0);
	put_chunk(to, cookie, true, NBD_CHUNK_ERROR, 6);
	put_be32(to + NBD_CHUNK_SIZE, nbd_error(rc));
	put_be16(to + NBD_CHUNK_SIZE + 4, 0);
}

void nbd_put_status_chunk(uint8_t to[NBD_STATUS_CHUNK_SIZE], uint64_t cookie, uint32_t extents)
{
	assert(extents > 0);
	put_chunk(to, cookie, true, NBD_CHUNK_BLOCK_STATUS, 4 + extents * NBD_EXTENT_SIZE);
	put_be32(to + NBD_CHUNK_SIZE, NBD_META_ALLOCATION_ID);
}

void nbd_put_extent(uint8_t to[NBD_EXTENT_SIZE], uint32_t len, bool data)
{
	assert(len > 0);
	put_be32(to, len);
	put_be32(to + 4, data ? 0 : NBD_STATE_HOLE | NBD_STATE_ZERO);
}
