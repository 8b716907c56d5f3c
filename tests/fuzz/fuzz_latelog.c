/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry of a log of late writes: no input is read beyond its end, and what the decoder lets through has data that it
 * was read with and is written back as the same bytes. Once as it is, once with its checksum put right.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "store/latelog_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *bytes, size_t size)
{
	struct latelog_entry entry, again;
	uint8_t *copy;

	if (!latelog_decode_entry(bytes, size, &entry))
		return;
	assert(entry.len > 0 && entry.len <= LATELOG_DATA_MAX && LATELOG_ENTRY_DATA_AT + entry.len <= size);
	copy = malloc(size);
	assert(copy);
	memcpy(copy, bytes, size);
	latelog_encode_entry(&entry, copy);
	assert(latelog_decode_entry(copy, size, &again));
	assert(again.len == entry.len && again.sequence == entry.sequence && again.offset == entry.offset);
	assert(memcmp(copy + LATELOG_ENTRY_DATA_AT, bytes + LATELOG_ENTRY_DATA_AT, size - LATELOG_ENTRY_DATA_AT) == 0);
	free(copy);
}

static void seal(uint8_t *bytes, size_t size)
{
	uint32_t len;

	if (size < LATELOG_ENTRY_DATA_AT)
		return;
	len = get_le32(bytes + LATELOG_ENTRY_LEN_AT);
	if (len > size - LATELOG_ENTRY_DATA_AT)
		return;
	put_le32(bytes + LATELOG_MAGIC_AT, LATELOG_ENTRY_MAGIC);
	put_le32(bytes + LATELOG_CRC_AT, 0);
	put_le32(bytes + LATELOG_CRC_AT, crc32c(0, bytes, LATELOG_ENTRY_DATA_AT + len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes;

	if (size == 0 || size > LATELOG_SLOT_SIZE)
		return 0;
	bytes = malloc(size);
	assert(bytes);
	memcpy(bytes, data, size);
	check(bytes, size);
	seal(bytes, size);
	check(bytes, size);
	free(bytes);
	return 0;
}
