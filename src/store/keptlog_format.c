/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keptlog_format.h"

#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"

static uint32_t page_crc(const uint8_t *id, const uint8_t *page)
{
	static const uint8_t none[4];
	uint32_t crc = crc32c(crc32c(0, id, KEPTLOG_ID_SIZE), page, KEPTLOG_CRC_AT);

	crc = crc32c(crc, none, sizeof(none));
	return crc32c(crc, page + KEPTLOG_SAFE_AT, KEPTLOG_PAGE - KEPTLOG_SAFE_AT);
}

static bool page_is_good(const uint8_t *id, const uint8_t *page, uint32_t magic)
{
	return get_le32(page + KEPTLOG_MAGIC_AT) == magic && get_le32(page + KEPTLOG_CRC_AT) == page_crc(id, page);
}

void keptlog_encode_header(const uint8_t *id, const struct keptlog_header *header, uint8_t *page)
{
	memset(page, 0, KEPTLOG_PAGE);
	put_le32(page + KEPTLOG_MAGIC_AT, KEPTLOG_MAGIC);
	put_le64(page + KEPTLOG_SAFE_AT, header->safe);
	put_le64(page + KEPTLOG_GENERATION_AT, header->generation);
	put_le64(page + KEPTLOG_TAIL_AT, header->tail);
	put_le32(page + KEPTLOG_SEGMENT_AT, header->segment_pages);
	put_le32(page + KEPTLOG_SEGMENTS_AT, header->segments);
	put_le16(page + KEPTLOG_VERSION_AT, KEPTLOG_VERSION);
	put_le32(page + KEPTLOG_CRC_AT, page_crc(id, page));
}

bool keptlog_decode_header(const uint8_t *id, const uint8_t *page, struct keptlog_header *header)
{
	*header = (struct keptlog_header) {
		.safe = get_le64(page + KEPTLOG_SAFE_AT), .generation = get_le64(page + KEPTLOG_GENERATION_AT),
		.tail = get_le64(page + KEPTLOG_TAIL_AT), .segment_pages = get_le32(page + KEPTLOG_SEGMENT_AT),
		.segments = get_le32(page + KEPTLOG_SEGMENTS_AT),
	};
	return page_is_good(id, page, KEPTLOG_MAGIC) && get_le16(page + KEPTLOG_VERSION_AT) == KEPTLOG_VERSION &&
	       header->segment_pages >= KEPTLOG_SEGMENT_PAGES_MIN &&
	       header->segment_pages <= KEPTLOG_SEGMENT_PAGES_MAX && header->segments <= KEPTLOG_SEGMENTS_MAX;
}

static uint8_t *entry_at(uint8_t *page, uint32_t i)
{
	return page + KEPTLOG_ENTRIES_AT + (size_t)i * KEPTLOG_ENTRY_SIZE;
}

void keptlog_put_entry(uint8_t *page, uint32_t i, const struct keptlog_entry *entry)
{
	put_le64(entry_at(page, i), entry->block);
	put_le32(entry_at(page, i) + KEPTLOG_ENTRY_CRC_AT, entry->crc);
	put_le32(entry_at(page, i) + KEPTLOG_ENTRY_FLAGS_AT, entry->zeros ? KEPTLOG_ENTRY_ZEROS : 0);
}

void keptlog_get_entry(const uint8_t *page, uint32_t i, struct keptlog_entry *entry)
{
	const uint8_t *at = page + KEPTLOG_ENTRIES_AT + (size_t)i * KEPTLOG_ENTRY_SIZE;

	entry->block = get_le64(at);
	entry->crc = get_le32(at + KEPTLOG_ENTRY_CRC_AT);
	entry->zeros = get_le32(at + KEPTLOG_ENTRY_FLAGS_AT) & KEPTLOG_ENTRY_ZEROS;
}

void keptlog_encode_record(const uint8_t *id, const struct keptlog_record *record, uint8_t *page)
{
	size_t end = KEPTLOG_ENTRIES_AT + (size_t)record->count * KEPTLOG_ENTRY_SIZE;

	memset(page, 0, KEPTLOG_ENTRIES_AT);
	memset(page + end, 0, KEPTLOG_PAGE - end);
	put_le32(page + KEPTLOG_MAGIC_AT, KEPTLOG_RECORD_MAGIC);
	put_le64(page + KEPTLOG_SAFE_AT, record->safe);
	put_le64(page + KEPTLOG_SEQUENCE_AT, record->sequence);
	put_le64(page + KEPTLOG_FOLLOWS_AT, record->follows);
	put_le32(page + KEPTLOG_COUNT_AT, record->count);
	put_le32(page + KEPTLOG_DATA_AT, record->data);
	put_le32(page + KEPTLOG_CRC_AT, page_crc(id, page));
}

bool keptlog_decode_record(const uint8_t *id, const uint8_t *page, struct keptlog_record *record)
{
	uint32_t data = 0;

	*record = (struct keptlog_record) {
		.safe = get_le64(page + KEPTLOG_SAFE_AT), .sequence = get_le64(page + KEPTLOG_SEQUENCE_AT),
		.follows = get_le64(page + KEPTLOG_FOLLOWS_AT), .count = get_le32(page + KEPTLOG_COUNT_AT),
		.data = get_le32(page + KEPTLOG_DATA_AT),
	};
	if (!page_is_good(id, page, KEPTLOG_RECORD_MAGIC) || record->count == 0 ||
	    record->count > KEPTLOG_RECORD_BLOCKS || record->follows >= record->sequence ||
	    record->safe >= record->sequence)
		return false;
	for (uint32_t i = 0; i < record->count; i++) {
		struct keptlog_entry entry;

		keptlog_get_entry(page, i, &entry);
		data += !entry.zeros;
	}
	return data == record->data;
}

bool keptlog_data_is_good(const uint8_t *page, uint32_t count, const uint8_t *data)
{
	struct keptlog_entry entry;

	for (uint32_t i = 0; i < count; i++) {
		keptlog_get_entry(page, i, &entry);
		if (entry.zeros)
			continue;
		if (crc32c(0, data, KEPTLOG_PAGE) != entry.crc)
			return false;
		data += KEPTLOG_PAGE;
	}
	return true;
}
