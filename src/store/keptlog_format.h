/* SPDX-License-Identifier: Apache-2.0 */
/* keptlog_format.h - the bytes of a log of kept blocks, as docs/disk-format.md says; for keptlog*.c and their tests. */
#ifndef XDC_STORE_KEPTLOG_FORMAT_H
#define XDC_STORE_KEPTLOG_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "store/keptlog.h"

#define KEPTLOG_PAGE		4096u
#define KEPTLOG_MAGIC		0x4c4b4458u	/* "XDKL" */
#define KEPTLOG_RECORD_MAGIC	0x524b4458u	/* "XDKR" */
#define KEPTLOG_VERSION		1u

/* The header, in the first page or the second, and the page that begins a record */
#define KEPTLOG_MAGIC_AT	0u
#define KEPTLOG_CRC_AT		4u		/* over the id of the map, and the page as if these four bytes were 0 */
#define KEPTLOG_SAFE_AT		8u		/* records up to this one were durable before this was written */

/* The header; that with the higher generation stands */
#define KEPTLOG_GENERATION_AT	16u
#define KEPTLOG_TAIL_AT		24u		/* records before this one are not needed */
#define KEPTLOG_SEGMENT_AT	32u		/* pages of a segment, 32 bits */
#define KEPTLOG_SEGMENTS_AT	36u		/* 32 bits */
#define KEPTLOG_VERSION_AT	40u		/* 16 bits */

/* Segments stand behind both headers */
#define KEPTLOG_HEADER_BYTES	(2u * KEPTLOG_PAGE)
#define KEPTLOG_SEGMENT_PAGES_MIN	4u
#define KEPTLOG_SEGMENT_PAGES_MAX	4096u
#define KEPTLOG_SEGMENTS_MAX		64u

/* A record: this page, and the blocks that are not zeros */
#define KEPTLOG_SEQUENCE_AT	16u
#define KEPTLOG_FOLLOWS_AT	24u		/* sequence of the record before */
#define KEPTLOG_COUNT_AT	32u		/* of entries, 32 bits */
#define KEPTLOG_DATA_AT		36u		/* of pages behind this one, 32 bits */
#define KEPTLOG_ENTRIES_AT	64u
#define KEPTLOG_ENTRY_SIZE	16u
#define KEPTLOG_ENTRY_CRC_AT	8u		/* over the block's bytes, 32 bits; 0 of zeros */
#define KEPTLOG_ENTRY_FLAGS_AT	12u		/* 32 bits */
#define KEPTLOG_ENTRY_ZEROS	1u		/* it has no page */
#define KEPTLOG_RECORD_PAGES_MAX	(1u + KEPTLOG_RECORD_BLOCKS)
_Static_assert(KEPTLOG_ENTRIES_AT + KEPTLOG_RECORD_BLOCKS * KEPTLOG_ENTRY_SIZE <= KEPTLOG_PAGE, "as documented");

struct keptlog_header {
	uint64_t safe, generation, tail;
	uint32_t segment_pages, segments;
};

struct keptlog_record {
	uint64_t safe, sequence, follows;
	uint32_t count, data;
};

struct keptlog_entry {
	uint64_t block;
	uint32_t crc;
	bool zeros;
};

void keptlog_encode_header(const uint8_t *id, const struct keptlog_header *header, uint8_t *page);

/* False: it is none, or damaged. */
bool keptlog_decode_header(const uint8_t *id, const uint8_t *page, struct keptlog_header *header);

/* The entries are put before the record is encoded. */
void keptlog_put_entry(uint8_t *page, uint32_t i, const struct keptlog_entry *entry);
void keptlog_encode_record(const uint8_t *id, const struct keptlog_record *record, uint8_t *page);

/* The same; the entries are good, too, and as many as the record says have a page. */
bool keptlog_decode_record(const uint8_t *id, const uint8_t *page, struct keptlog_record *record);
void keptlog_get_entry(const uint8_t *page, uint32_t i, struct keptlog_entry *entry);

/* Every page behind the record's own is what its entry says. */
bool keptlog_data_is_good(const uint8_t *page, uint32_t count, const uint8_t *data);

#endif
