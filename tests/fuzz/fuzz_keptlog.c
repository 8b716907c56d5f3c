/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in a log of kept blocks: no input reads beyond its end, and what the decoders let through keeps what
 * keptlog_format.h promises and is written back as the same bytes. The first byte of an input chooses the decoder: 0 a
 * header, else the page of a record and what stands behind it. Checksums of pages are put right first.
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "store/keptlog_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t id[KEPTLOG_ID_SIZE] = { 1, 2, 3 };

static void seal(uint8_t *page, uint32_t magic)
{
	uint32_t crc;

	put_le32(page + KEPTLOG_MAGIC_AT, magic);
	put_le32(page + KEPTLOG_CRC_AT, 0);
	crc = crc32c(crc32c(0, id, sizeof(id)), page, KEPTLOG_PAGE);
	put_le32(page + KEPTLOG_CRC_AT, crc);
}

static void check_header(uint8_t *page)
{
	struct keptlog_header header;
	uint8_t again[KEPTLOG_PAGE];

	seal(page, KEPTLOG_MAGIC);
	if (!keptlog_decode_header(id, page, &header))
		return;
	assert(header.segments <= KEPTLOG_SEGMENTS_MAX && header.segment_pages <= KEPTLOG_SEGMENT_PAGES_MAX);
	keptlog_encode_header(id, &header, again);
	assert(memcmp(again + KEPTLOG_SAFE_AT, page + KEPTLOG_SAFE_AT, KEPTLOG_VERSION_AT - KEPTLOG_SAFE_AT) == 0);
}

/* The pages behind it, as many as are there, are exactly in memory of their own. */
static void check_record(uint8_t *page, const uint8_t *data, size_t size)
{
	struct keptlog_record record;
	struct keptlog_entry entry;
	uint8_t again[KEPTLOG_PAGE] = { 0 }, *behind;

	seal(page, KEPTLOG_RECORD_MAGIC);
	if (!keptlog_decode_record(id, page, &record))
		return;
	assert(record.count <= KEPTLOG_RECORD_BLOCKS && record.data <= record.count);
	for (uint32_t i = 0; i < record.count; i++) {
		keptlog_get_entry(page, i, &entry);
		keptlog_put_entry(again, i, &entry);
	}
	keptlog_encode_record(id, &record, again);
	assert(memcmp(again + KEPTLOG_SAFE_AT, page + KEPTLOG_SAFE_AT, KEPTLOG_DATA_AT + 4 - KEPTLOG_SAFE_AT) == 0);
	behind = calloc(1, record.data * (size_t)KEPTLOG_PAGE + 1);
	assert(behind);
	memcpy(behind, data, size < record.data * (size_t)KEPTLOG_PAGE ? size : record.data * (size_t)KEPTLOG_PAGE);
	(void)keptlog_data_is_good(page, record.count, behind);
	free(behind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t page[KEPTLOG_PAGE] = { 0 };
	size_t used = size > KEPTLOG_PAGE ? KEPTLOG_PAGE : size - 1;

	if (size == 0 || size > 1 << 20)
		return 0;
	memcpy(page, data + 1, used);
	if (data[0] == 0)
		check_header(page);
	else
		check_record(page, data + 1 + used, size - 1 - used);
	return 0;
}
