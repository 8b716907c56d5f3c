/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value as people write it, for each kind of argument: what is let through keeps what parse.h promises. The first
 * byte chooses the kind.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "control/operations.h"
#include "control/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(enum arg_kind kind, const char *text, const struct arg_value *value)
{
	uint16_t id;

	assert(kind != ARG_SIZE || (value->number && value->number % 512 == 0 && value->number <= UINT64_C(1) << 62));
	assert(kind != ARG_INTERVAL || value->number <= UINT64_C(18) * 3600 * 1000000000);
	assert(kind != ARG_COORDINATION || (value->number >= 1000000 && value->number <= UINT64_C(65535) * 1000000));
	assert(kind != ARG_DRAIN || (value->number && value->number <= (uint64_t)INT64_MAX));
	assert(kind != ARG_SESSION || (value->number >= 1 && value->number <= 255));
	assert((kind != ARG_LSS && kind != ARG_SUBORDINATE) || value->number <= 0xFE);
	assert(kind != ARG_VOLUME_ID || value->number <= 0xFEFF);
	assert(kind != ARG_NAME || (parse_volume_id(text, &id) && strlen(text) < XDC_NAME_MAX));
	assert(kind != ARG_POOL || strlen(text) < XDC_NAME_MAX);
	assert(kind != ARG_SYSTEM || strlen(text) < XDC_SYSTEM_ID_MAX);
	assert(kind != ARG_SUBORDINATE || !parse_system(value->system));
	assert(kind != ARG_PATH || (text[0] == '/' && strlen(text) < XDC_PATH_MAX));
	assert(kind != ARG_REMOTE_ADDRESS || strlen(text) < XDC_ADDRESS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parsed_address address;
	struct arg_value value;
	char text[2048];
	enum arg_kind kind;

	if (size < 2 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	kind = (enum arg_kind)(1 + data[0] % (ARG_KIND_COUNT - 1));
	if (!arg_parse(kind, text, &value))
		check_value(kind, text, &value);
	if (!parse_address(text, &address))
		assert(address.is_unix + address.is_loopback + address.is_wildcard <= 1);
	return 0;
}
