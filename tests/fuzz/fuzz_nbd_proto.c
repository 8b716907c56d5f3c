/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an NBD client sends, byte for byte: no input reads beyond its end, and whatever the parsers let through keeps
 * what nbd_proto.h promises of it. The first byte of an input chooses the parser, the second the session.
 */
#undef NDEBUG
#include <assert.h>
#include <string.h>

#include "host/nbd_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct nbd_name *name)
{
	assert(strnlen(name->text, sizeof(name->text)) <= NBD_NAME_MAX);
}

static void check_command(const uint8_t *bytes, uint8_t session_bits)
{
	const struct nbd_session session = {
		.size = (uint64_t)(session_bits >> 4) << 28,
		.writable = session_bits & 1,
		.structured = session_bits & 2,
		.block_status = session_bits & 4,
		.zero_is_fast = session_bits & 8,
	};
	struct nbd_command command;

	if (nbd_parse_command(bytes, &command) != 0)
		return;
	assert(command.code != NBD_CMD_WRITE || command.len <= NBD_PAYLOAD_MAX);
	if (nbd_validate_command(&session, &command) != 0)
		return;
	assert(command.code < NBD_CMD_COUNT);
	if (command.code == NBD_CMD_DISC)
		return;
	assert(command.offset <= session.size && command.len <= session.size - command.offset);
	if (command.code == NBD_CMD_WRITE || command.code == NBD_CMD_TRIM || command.code == NBD_CMD_WRITE_ZEROES)
		assert(session.writable);
	if (command.code == NBD_CMD_READ)
		assert(command.len <= NBD_PAYLOAD_MAX);
}

static void check_option(const uint8_t *bytes)
{
	struct nbd_option option;

	if (nbd_parse_option(bytes, &option) == 0)
		assert(option.len <= NBD_OPTION_MAX);
}

static void check_option_data(unsigned parser, const uint8_t *data, size_t size)
{
	struct nbd_info_query info;
	struct nbd_meta_query meta;
	struct nbd_name name;

	if (parser == 0 && nbd_parse_name(data, size, &name) == 0) {
		check_name(&name);
		assert(strlen(name.text) == size);
	} else if (parser == 1 && nbd_parse_info_query(data, size, &info) == 0) {
		check_name(&info.name);
	} else if (parser == 2 && nbd_parse_meta_query(data, size, &meta) == 0) {
		check_name(&meta.name);
		assert((!meta.allocation && !meta.base) || meta.queries > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nbd_client_flags flags;

	if (size < 2)
		return 0;
	if (data[0] < 3)
		check_option_data(data[0], data + 2, size - 2);
	else if (data[0] == 3 && size == 2 + NBD_COMMAND_SIZE)
		check_command(data + 2, data[1]);
	else if (data[0] == 4 && size == 2 + NBD_OPTION_SIZE)
		check_option(data + 2);
	else if (data[0] == 5 && size == 2 + NBD_CLIENT_FLAGS_SIZE && nbd_parse_client_flags(data + 2, &flags) == 0)
		assert(data[5] == (flags.fixed_newstyle ? 1 : 0) + (flags.no_zeroes ? 2 : 0));
	return 0;
}
