/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the segments of a journal: no input reads beyond its end, and what the decoders let through keeps what
 * journal_format.h promises and is written back as the same bytes. The first byte of an input chooses the decoder: 0 a
 * segment's header, 1 a record, 2 the body of a state record. Checksums are put right first.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/mem.h"
#include "store/journal_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ID	7u
#define SEQ	3u
#define OFFSET	8192u

static void check_header(const uint8_t *data, size_t size)
{
	uint8_t block[JOURNAL_BLOCK_SIZE] = { 0 }, again[JOURNAL_BLOCK_SIZE];
	struct segment_header header;

	memcpy(block, data, size < sizeof(block) ? size : sizeof(block));
	put_le32(block + SEGMENT_CRC_AT, 0);
	put_le32(block + SEGMENT_CRC_AT, crc32c(0, block, sizeof(block)));
	if (segment_header_decode(block, &header))
		return;
	assert(strnlen(header.leg, sizeof(header.leg)) < sizeof(header.leg));
	segment_header_encode(&header, again);
	assert(memcmp(again + 24, block + 24, 80) == 0);
}

static void seal(uint8_t *at, size_t covered)
{
	uint8_t id[8], zero[4] = { 0 };
	uint32_t crc;

	put_le64(id, ID);
	crc = crc32c(crc32c(0, id, sizeof(id)), at, RECORD_CRC_AT);
	put_le32(at + RECORD_CRC_AT, crc32c(crc32c(crc, zero, 4), at + 8, covered - 8));
}

static void check_record(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + 1);
	struct record record;

	memcpy(bytes, data, size);
	if (size >= RECORD_HEADER_SIZE && record_decode(bytes, SEQ, OFFSET, (uint32_t)size, &record)) {
		assert(record.length <= size && record.length % RECORD_ALIGN == 0);
		assert(record.body <= record.length - RECORD_HEADER_SIZE);
		seal(bytes, RECORD_HEADER_SIZE + record.body);
		assert(record_is_whole(&record, ID, bytes));
		if (record.kind == RECORD_DATA && !record.zero)
			(void)record_check_sums(bytes + RECORD_HEADER_SIZE, bytes + record_data_at(record.blocks), 0,
						record.blocks);
	}
	free(bytes);
}

static void check_state(const uint8_t *data, size_t size)
{
	uint8_t *body = malloc(size + 1), *again = malloc(size + 1), *list;
	struct state_view view;

	memcpy(body, data, size);
	if (state_decode(body, (uint32_t)size, &view) == 0) {
		struct segment_entry entry;

		assert(view.numbers.applied <= view.numbers.committed);
		assert(state_size(&view.numbers, view.committed, view.prepared, view.segments) == size);
		list = state_encode(&view.numbers, view.committed, view.prepared, view.segments, again);
		assert(list - again == view.list - body);
		for (uint32_t i = 0; i < view.segments; i++) {
			segment_entry_decode(view.list + i * ENTRY_SIZE, &entry);
			segment_entry_encode(&entry, list + i * ENTRY_SIZE);
		}
		assert(memcmp(list, view.list, view.segments * (size_t)ENTRY_SIZE) == 0);
		assert(memcmp(body, again, STATE_HEADER_SIZE) == 0);
		mem_free(view.committed);
		mem_free(view.prepared);
	}
	free(again);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 1 << 20)
		return 0;
	if (data[0] == 0)
		check_header(data + 1, size - 1);
	else if (data[0] == 1)
		check_record(data + 1, size - 1);
	else
		check_state(data + 1, size - 1);
	return 0;
}
