/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of NBD: golden ones both ways, every refusal, and lengths that do not fit. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "host/nbd_proto.h"
#include "rt/bytes.h"

#define GOLDEN(...)	((const uint8_t[]){ __VA_ARGS__ })
#define assert_golden(bytes, ...) \
	do { \
		assert_int_equal(sizeof(bytes), sizeof(GOLDEN(__VA_ARGS__))); \
		assert_memory_equal(bytes, GOLDEN(__VA_ARGS__), sizeof(bytes)); \
	} while (0)

/* ---- handshake ---- */

static void test_greeting(void **state)
{
	uint8_t bytes[NBD_GREETING_SIZE];

	(void)state;
	nbd_put_greeting(bytes);
	assert_golden(bytes, 'N', 'B', 'D', 'M', 'A', 'G', 'I', 'C', 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 3);
}

static void test_client_flags(void **state)
{
	struct nbd_client_flags flags;

	(void)state;
	assert_int_equal(nbd_parse_client_flags(GOLDEN(0, 0, 0, 3), &flags), 0);
	assert_true(flags.fixed_newstyle);
	assert_true(flags.no_zeroes);
	assert_int_equal(nbd_parse_client_flags(GOLDEN(0, 0, 0, 0), &flags), 0);
	assert_false(flags.fixed_newstyle);
	assert_false(flags.no_zeroes);
	assert_int_equal(nbd_parse_client_flags(GOLDEN(0, 0, 0, 7), &flags), -EPROTO);
	assert_int_equal(nbd_parse_client_flags(GOLDEN(0x80, 0, 0, 3), &flags), -EPROTO);
}

static void test_option_header(void **state)
{
	uint8_t bytes[NBD_OPTION_SIZE] = { 'I', 'H', 'A', 'V', 'E', 'O', 'P', 'T', 0, 0, 0, 7, 0, 0, 0x40, 0 };
	struct nbd_option option;

	(void)state;
	assert_int_equal(nbd_parse_option(bytes, &option), 0);
	assert_int_equal(option.code, NBD_OPT_GO);
	assert_int_equal(option.len, NBD_OPTION_MAX);
	bytes[15] = 1;
	assert_int_equal(nbd_parse_option(bytes, &option), -EMSGSIZE);
	memset(bytes + 12, 0xff, 4);
	assert_int_equal(nbd_parse_option(bytes, &option), -EMSGSIZE);
	bytes[0] = 'J';
	assert_int_equal(nbd_parse_option(bytes, &option), -EPROTO);
}

static void test_name(void **state)
{
	static uint8_t bytes[NBD_NAME_MAX + 1];
	struct nbd_name name;

	(void)state;
	assert_int_equal(nbd_parse_name((const uint8_t *)"1500", 4, &name), 0);
	assert_string_equal(name.text, "1500");
	assert_int_equal(nbd_parse_name(NULL, 0, &name), 0);
	assert_string_equal(name.text, "");
	assert_int_equal(nbd_parse_name(GOLDEN('a', 0, 'b'), 3, &name), -EINVAL);
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(nbd_parse_name(bytes, NBD_NAME_MAX, &name), 0);
	assert_int_equal(strlen(name.text), NBD_NAME_MAX);
	assert_int_equal(nbd_parse_name(bytes, NBD_NAME_MAX + 1, &name), -EINVAL);
}

static void test_info_query(void **state)
{
	const uint8_t bytes[] = { 0, 0, 0, 2, 'd', 'b', 0, 3, 0, 1, 0, 3, 0x7f, 0xff };
	struct nbd_info_query query;

	(void)state;
	assert_int_equal(nbd_parse_info_query(bytes, sizeof(bytes), &query), 0);
	assert_string_equal(query.name.text, "db");
	assert_true(query.wants_name);
	assert_false(query.wants_description);
	assert_true(query.wants_block_size);
	assert_int_equal(nbd_parse_info_query(GOLDEN(0, 0, 0, 0, 0, 1, 0, 2), 8, &query), 0);
	assert_string_equal(query.name.text, "");
	assert_false(query.wants_name);
	assert_true(query.wants_description);
	/* Cut short or too long anywhere, the lengths do not fit any more. */
	for (size_t len = 0; len < sizeof(bytes); len++)
		assert_int_equal(nbd_parse_info_query(bytes, len, &query), -EINVAL);
	assert_int_equal(nbd_parse_info_query(GOLDEN(0, 0, 0, 0, 0, 0, 0), 7, &query), -EINVAL);
	assert_int_equal(nbd_parse_info_query(GOLDEN(0xff, 0xff, 0xff, 0xff, 0, 0), 6, &query), -EINVAL);
	assert_int_equal(nbd_parse_info_query(GOLDEN(0, 0, 0, 0, 0xff, 0xff), 6, &query), -EINVAL);
	assert_int_equal(nbd_parse_info_query(GOLDEN(0, 0, 0, 1, 0, 0, 0), 7, &query), -EINVAL);
}

static size_t put_meta_query(uint8_t *to, const char *name, const char *first, const char *second)
{
	const char *texts[] = { name, first, second };
	uint8_t *at = to;

	for (unsigned i = 0; i < 3; i++) {
		if (i == 1) {
			put_be32(at, (uint32_t)(first ? 1 : 0) + (second ? 1 : 0));
			at += 4;
		}
		if (texts[i]) {
			put_be32(at, (uint32_t)strlen(texts[i]));
			memcpy(at + 4, texts[i], strlen(texts[i]));
			at += 4 + strlen(texts[i]);
		}
	}
	return (size_t)(at - to);
}

static void test_meta_query(void **state)
{
	struct nbd_meta_query query;
	uint8_t bytes[256];
	size_t len = put_meta_query(bytes, "1500", "qemu:dirty-bitmap:x", "base:allocation");

	(void)state;
	assert_int_equal(nbd_parse_meta_query(bytes, len, &query), 0);
	assert_string_equal(query.name.text, "1500");
	assert_int_equal(query.queries, 2);
	assert_true(query.allocation);
	assert_false(query.base);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(nbd_parse_meta_query(bytes, cut, &query), -EINVAL);
	assert_int_equal(nbd_parse_meta_query(bytes, len + 1, &query), -EINVAL);

	len = put_meta_query(bytes, "", "base:", NULL);
	assert_int_equal(nbd_parse_meta_query(bytes, len, &query), 0);
	assert_true(query.base);
	assert_false(query.allocation);

	len = put_meta_query(bytes, "1500", "base:allocation2", NULL);
	assert_int_equal(nbd_parse_meta_query(bytes, len, &query), 0);
	assert_false(query.allocation);

	len = put_meta_query(bytes, "1500", NULL, NULL);
	assert_int_equal(nbd_parse_meta_query(bytes, len, &query), 0);
	assert_int_equal(query.queries, 0);
	/* As many queries as a number can say, and no data for them. */
	put_be32(bytes + len - 4, UINT32_MAX);
	assert_int_equal(nbd_parse_meta_query(bytes, len, &query), -EINVAL);
}

static void test_option_reply(void **state)
{
	uint8_t bytes[NBD_OPTION_REPLY_SIZE];

	(void)state;
	nbd_put_option_reply(bytes, NBD_OPT_LIST, NBD_REP_ERR_TLS_REQD, 258);
	assert_golden(bytes, 0, 3, 0xe8, 0x89, 4, 0x55, 0x65, 0xa9, 0, 0, 0, 3, 0x80, 0, 0, 5, 0, 0, 1, 2);
}

static void test_info_replies(void **state)
{
	struct nbd_session session = { .size = 0x0102030405060708, .writable = true };
	uint8_t export[NBD_INFO_EXPORT_SIZE], block_size[NBD_INFO_BLOCK_SIZE_SIZE], old[NBD_EXPORT_NAME_REPLY_SIZE];

	(void)state;
	nbd_put_info_export(export, &session);
	assert_golden(export, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0d, 0x6d);
	session.structured = true;
	nbd_put_info_export(export, &session);
	assert_golden(export, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0d, 0xed);
	session.writable = false;
	nbd_put_info_export(export, &session);
	assert_golden(export, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x05, 0x8f);
	nbd_put_info_block_size(block_size);
	assert_golden(block_size, 0, 3, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0);
	assert_int_equal(nbd_put_export_name_reply(old, &session, true), 10);
	assert_memory_equal(old, GOLDEN(1, 2, 3, 4, 5, 6, 7, 8, 0x05, 0x8f), 10);
	memset(old, 0xff, sizeof(old));
	assert_int_equal(nbd_put_export_name_reply(old, &session, false), 134);
	assert_int_equal(old[10] | old[133], 0);
}

/* ---- transmission ---- */

static void test_command(void **state)
{
	uint8_t bytes[NBD_COMMAND_SIZE] = {
		0x25, 0x60, 0x95, 0x13, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 0, 0x10, 0, 2, 0, 0, 0,
	};
	struct nbd_command command;

	(void)state;
	assert_int_equal(nbd_parse_command(bytes, &command), 0);
	assert_int_equal(command.code, NBD_CMD_WRITE);
	assert_int_equal(command.flags, NBD_CMD_FLAG_FUA);
	assert_int_equal(command.cookie, 0x0102030405060708);
	assert_int_equal(command.offset, 0x100001000);
	assert_int_equal(command.len, NBD_PAYLOAD_MAX);
	/* One byte more of payload is not read, so nothing behind it can be understood. */
	bytes[27] = 1;
	assert_int_equal(nbd_parse_command(bytes, &command), -EMSGSIZE);
	bytes[7] = NBD_CMD_READ;
	assert_int_equal(nbd_parse_command(bytes, &command), 0);
	bytes[3] = 0x14;
	assert_int_equal(nbd_parse_command(bytes, &command), -EPROTO);
}

#define SIZE	UINT64_C(1000000)	/* no multiple of anything */

struct command_case {
	const char *name;
	uint16_t code, flags;
	uint64_t offset;
	uint32_t len;
	int rc;
};

static const struct command_case command_cases[] = {
	{ "read all", NBD_CMD_READ, 0, 0, SIZE, 0 },
	{ "read the last byte", NBD_CMD_READ, 0, SIZE - 1, 1, 0 },
	{ "read, DF and FUA", NBD_CMD_READ, NBD_CMD_FLAG_DF | NBD_CMD_FLAG_FUA, 0, 1, 0 },
	{ "read over the end", NBD_CMD_READ, 0, SIZE - 1, 2, -EINVAL },
	{ "read at the end", NBD_CMD_READ, 0, SIZE, 1, -EINVAL },
	{ "read that wraps", NBD_CMD_READ, 0, UINT64_MAX, 2, -EINVAL },
	{ "read of nothing", NBD_CMD_READ, 0, 0, 0, -EINVAL },
	{ "read with NO_HOLE", NBD_CMD_READ, NBD_CMD_FLAG_NO_HOLE, 0, 1, -EINVAL },
	{ "read too long", NBD_CMD_READ, 0, 0, NBD_PAYLOAD_MAX + 1, -EINVAL },
	{ "read too long for one piece", NBD_CMD_READ, NBD_CMD_FLAG_DF, 0, NBD_PAYLOAD_MAX + 1, -EOVERFLOW },
	{ "write", NBD_CMD_WRITE, NBD_CMD_FLAG_FUA, SIZE - 7, 7, 0 },
	{ "write over the end", NBD_CMD_WRITE, 0, SIZE - 1, 2, -ENOSPC },
	{ "write far behind the end", NBD_CMD_WRITE, 0, UINT64_MAX - 1, 2, -ENOSPC },
	{ "write of nothing", NBD_CMD_WRITE, 0, 0, 0, -EINVAL },
	{ "write with DF", NBD_CMD_WRITE, NBD_CMD_FLAG_DF, 0, 1, -EINVAL },
	{ "disc", NBD_CMD_DISC, 0, 0, 0, 0 },
	{ "flush", NBD_CMD_FLUSH, 0, 0, 0, 0 },
	{ "flush with FUA", NBD_CMD_FLUSH, NBD_CMD_FLAG_FUA, 0, 0, 0 },
	{ "flush of a range", NBD_CMD_FLUSH, 0, 0, 4096, -EINVAL },
	{ "flush from somewhere", NBD_CMD_FLUSH, 0, 4096, 0, -EINVAL },
	{ "trim all", NBD_CMD_TRIM, NBD_CMD_FLAG_FUA, 0, SIZE, 0 },
	{ "trim over the end", NBD_CMD_TRIM, 0, 1, SIZE, -ENOSPC },
	{ "trim with NO_HOLE", NBD_CMD_TRIM, NBD_CMD_FLAG_NO_HOLE, 0, 1, -EINVAL },
	{ "cache", NBD_CMD_CACHE, 0, 0, SIZE, 0 },
	{ "cache over the end", NBD_CMD_CACHE, 0, 1, SIZE, -EINVAL },
	{ "zeroes", NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FUA, 0, SIZE, 0 },
	{ "fast zeroes", NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_FAST_ZERO, 0, SIZE, 0 },
	{ "fast zeroes that keep space", NBD_CMD_WRITE_ZEROES, NBD_CMD_FLAG_FAST_ZERO | NBD_CMD_FLAG_NO_HOLE, 0, 1,
	  -ENOTSUP },
	{ "zeroes over the end", NBD_CMD_WRITE_ZEROES, 0, SIZE, 1, -ENOSPC },
	{ "status", NBD_CMD_BLOCK_STATUS, NBD_CMD_FLAG_REQ_ONE, 0, SIZE, 0 },
	{ "status over the end", NBD_CMD_BLOCK_STATUS, 0, SIZE, 1, -EINVAL },
	{ "status of nothing", NBD_CMD_BLOCK_STATUS, 0, 0, 0, -EINVAL },
	{ "a command of tomorrow", NBD_CMD_COUNT, 0, 0, 1, -EINVAL },
	{ "the highest command", UINT16_MAX, 0, 0, 1, -EINVAL },
	{ "a flag of tomorrow", NBD_CMD_READ, 1 << 5, 0, 1, -EINVAL },
	{ "the highest flag", NBD_CMD_FLUSH, 1 << 15, 0, 0, -EINVAL },
};

static struct nbd_command command_of(const struct command_case *c)
{
	return (struct nbd_command){ .code = c->code, .flags = c->flags, .offset = c->offset, .len = c->len };
}

static void test_validate(void **state)
{
	const struct nbd_session all = {
		.size = SIZE, .writable = true, .structured = true, .block_status = true, .zero_is_fast = true,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(command_cases) / sizeof(command_cases[0]); i++) {
		struct nbd_command command = command_of(&command_cases[i]);

		if (nbd_validate_command(&all, &command) != command_cases[i].rc)
			fail_msg("%s: %d, not %d", command_cases[i].name, nbd_validate_command(&all, &command),
				 command_cases[i].rc);
	}
}

/* What depends on what was negotiated and on the volume. */
static void test_validate_session(void **state)
{
	const struct nbd_session none = { .size = SIZE };
	const struct command_case cases[] = {
		{ "read", NBD_CMD_READ, 0, 0, 1, 0 },
		{ "read in one piece", NBD_CMD_READ, NBD_CMD_FLAG_DF, 0, 1, -EINVAL },
		{ "status", NBD_CMD_BLOCK_STATUS, 0, 0, 1, -EINVAL },
		{ "write", NBD_CMD_WRITE, 0, 0, 1, -EPERM },
		{ "trim", NBD_CMD_TRIM, 0, 0, 1, -EPERM },
		{ "zeroes", NBD_CMD_WRITE_ZEROES, 0, 0, 1, -EPERM },
		{ "flush", NBD_CMD_FLUSH, 0, 0, 0, 0 },
	};
	struct nbd_session slow = { .size = SIZE, .writable = true };
	struct nbd_command zeroes = { .code = NBD_CMD_WRITE_ZEROES, .flags = NBD_CMD_FLAG_FAST_ZERO, .len = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nbd_command command = command_of(&cases[i]);

		if (nbd_validate_command(&none, &command) != cases[i].rc)
			fail_msg("%s: not %d", cases[i].name, cases[i].rc);
	}
	assert_int_equal(nbd_validate_command(&slow, &zeroes), -ENOTSUP);
	zeroes.flags = 0;
	assert_int_equal(nbd_validate_command(&slow, &zeroes), 0);
}

static void test_errors(void **state)
{
	static const struct { int rc; uint32_t wire; } cases[] = {
		{ 0, 0 }, { -EPERM, 1 }, { -EACCES, 1 }, { -EROFS, 1 }, { -EIO, 5 }, { -ENOMEM, 12 }, { -EINVAL, 22 },
		{ -ENOSPC, 28 }, { -EDQUOT, 28 }, { -EFBIG, 28 }, { -EOVERFLOW, 75 }, { -ENOTSUP, 95 },
		{ -ESHUTDOWN, 108 }, { -ECANCELED, 108 }, { -ETIMEDOUT, 5 }, { -ENXIO, 5 }, { -EBADF, 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(nbd_error(cases[i].rc), cases[i].wire);
}

static void test_replies(void **state)
{
	const uint64_t cookie = 0x0102030405060708;
	uint8_t simple[NBD_SIMPLE_REPLY_SIZE], data[NBD_DATA_CHUNK_SIZE], hole[NBD_HOLE_CHUNK_SIZE];
	uint8_t error[NBD_ERROR_CHUNK_SIZE], status[NBD_STATUS_CHUNK_SIZE], extent[NBD_EXTENT_SIZE];

	(void)state;
	nbd_put_simple_reply(simple, cookie, -ENOSPC);
	assert_golden(simple, 0x67, 0x44, 0x66, 0x98, 0, 0, 0, 28, 1, 2, 3, 4, 5, 6, 7, 8);
	nbd_put_data_chunk(data, cookie, true, 0x100000000, 512);
	assert_golden(data, 0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 2, 8,
		      0, 0, 0, 1, 0, 0, 0, 0);
	nbd_put_hole_chunk(hole, cookie, false, 0x1000, 0x10000);
	assert_golden(hole, 0x66, 0x8e, 0x33, 0xef, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 12,
		      0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 0, 0);
	nbd_put_error_chunk(error, cookie, -EPERM);
	assert_golden(error, 0x66, 0x8e, 0x33, 0xef, 0, 1, 0x80, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 6,
		      0, 0, 0, 1, 0, 0);
	nbd_put_status_chunk(status, cookie, 2);
	assert_golden(status, 0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 20, 0, 0, 0, 1);
	nbd_put_extent(extent, 4096, true);
	assert_golden(extent, 0, 0, 0x10, 0, 0, 0, 0, 0);
	nbd_put_extent(extent, 4096, false);
	assert_golden(extent, 0, 0, 0x10, 0, 0, 0, 0, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_greeting),
		cmocka_unit_test(test_client_flags),
		cmocka_unit_test(test_option_header),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_info_query),
		cmocka_unit_test(test_meta_query),
		cmocka_unit_test(test_option_reply),
		cmocka_unit_test(test_info_replies),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_validate),
		cmocka_unit_test(test_validate_session),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
