/* SPDX-License-Identifier: Apache-2.0 */
#include "store/journal_format.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "rt/bytes.h"
#include "rt/crc32c.h"
#include "rt/mem.h"

/* The checksum over len bytes, as if the four at crc_at were 0. */
static uint32_t sum_around(uint32_t crc, const uint8_t *from, size_t crc_at, size_t len)
{
	static const uint8_t zero[4];

	crc = crc32c(crc, from, crc_at);
	crc = crc32c(crc, zero, sizeof(zero));
	return crc32c(crc, from + crc_at + sizeof(zero), len - crc_at - sizeof(zero));
}

/* A text in a field of fixed size: ended within it, zeros behind. */
static bool text_is_sound(const uint8_t *from, size_t size)
{
	size_t len = strnlen((const char *)from, size);

	if (len == size)
		return false;
	for (size_t i = len; i < size; i++) {
		if (from[i] != 0)
			return false;
	}
	return true;
}

/* ---- segment headers ---- */

void segment_header_encode(const struct segment_header *header, uint8_t block[JOURNAL_BLOCK_SIZE])
{
	memset(block, 0, JOURNAL_BLOCK_SIZE);
	put_le32(block + SEGMENT_MAGIC_AT, SEGMENT_MAGIC);
	put_le32(block + SEGMENT_VERSION_AT, header->keeps ? JOURNAL_VERSION_KEEPS : JOURNAL_VERSION);
	put_le32(block + SEGMENT_BYTES_AT, header->segment_bytes);
	put_le32(block + SEGMENT_SLOT_AT, header->slot);
	put_le64(block + SEGMENT_ID_AT, header->id);
	put_le64(block + SEGMENT_SEQ_AT, header->seq);
	memcpy(block + SEGMENT_LEG_AT, header->leg, JOURNAL_LEG_MAX);
	put_le32(block + SEGMENT_CRC_AT, crc32c(0, block, JOURNAL_BLOCK_SIZE));
}

const char *segment_header_decode(const uint8_t block[JOURNAL_BLOCK_SIZE], struct segment_header *header)
{
	if (get_le32(block + SEGMENT_MAGIC_AT) != SEGMENT_MAGIC)
		return "its magic is wrong";
	if (get_le32(block + SEGMENT_CRC_AT) != sum_around(0, block, SEGMENT_CRC_AT, JOURNAL_BLOCK_SIZE))
		return "its checksum is wrong";
	if (get_le32(block + SEGMENT_VERSION_AT) != JOURNAL_VERSION &&
	    get_le32(block + SEGMENT_VERSION_AT) != JOURNAL_VERSION_KEEPS)
		return "its version is unknown";
	if (!text_is_sound(block + SEGMENT_LEG_AT, JOURNAL_LEG_MAX))
		return "the name of its leg is not ended";
	header->segment_bytes = get_le32(block + SEGMENT_BYTES_AT);
	header->slot = get_le32(block + SEGMENT_SLOT_AT);
	header->id = get_le64(block + SEGMENT_ID_AT);
	header->seq = get_le64(block + SEGMENT_SEQ_AT);
	header->keeps = get_le32(block + SEGMENT_VERSION_AT) == JOURNAL_VERSION_KEEPS;
	memcpy(header->leg, block + SEGMENT_LEG_AT, JOURNAL_LEG_MAX);
	return NULL;
}

/* ---- records ---- */

static uint32_t record_sum(const struct record *record, uint64_t id, const uint8_t *at)
{
	uint8_t first[8];

	/* With the journal's id in it, data that look like a record of another journal are none here. */
	put_le64(first, id);
	return sum_around(crc32c(0, first, sizeof(first)), at, RECORD_CRC_AT, RECORD_HEADER_SIZE + record->body);
}

void record_encode(const struct record *record, uint64_t id, uint8_t *at)
{
	assert(record->length % RECORD_ALIGN == 0 && record->length >= RECORD_HEADER_SIZE + record->body);
	memset(at, 0, RECORD_HEADER_SIZE);
	put_le32(at + RECORD_MAGIC_AT, RECORD_MAGIC);
	put_le16(at + RECORD_KIND_AT, record->kind);
	put_le16(at + RECORD_FLAGS_AT, record->zero ? RECORD_FLAG_ZERO : 0);
	put_le32(at + RECORD_LENGTH_AT, record->length);
	put_le64(at + RECORD_SEQ_AT, record->seq);
	put_le32(at + RECORD_OFFSET_AT, record->offset);
	put_le32(at + RECORD_DURABLE_AT, record->durable);
	put_le64(at + RECORD_TAG_AT, record->tag);
	put_le64(at + RECORD_BLOCK_AT, record->block);
	put_le16(at + RECORD_VOLUME_AT, record->volume);
	put_le16(at + RECORD_BLOCKS_AT, record->blocks);
	put_le32(at + RECORD_BODY_AT, record->body);
	put_le32(at + RECORD_CRC_AT, record_sum(record, id, at));
}

static bool data_is_sound(const struct record *record)
{
	if (record->blocks == 0 || record->blocks > JOURNAL_RUN_MAX / JOURNAL_BLOCK_SIZE)
		return false;
	if (record->tag == 0 || record->tag > JOURNAL_TAG_MAX || record->block >> 48 != 0)
		return false;
	return record->body == (record->zero ? 0u : 4u * record->blocks) &&
	       record->length == record_data_length(record->blocks, record->zero);
}

bool record_decode(const uint8_t *at, uint64_t seq, uint32_t offset, uint32_t room, struct record *record)
{
	if (room < RECORD_HEADER_SIZE || get_le32(at + RECORD_MAGIC_AT) != RECORD_MAGIC)
		return false;
	record->kind = get_le16(at + RECORD_KIND_AT);
	record->zero = get_le16(at + RECORD_FLAGS_AT) & RECORD_FLAG_ZERO;
	record->length = get_le32(at + RECORD_LENGTH_AT);
	record->seq = get_le64(at + RECORD_SEQ_AT);
	record->offset = get_le32(at + RECORD_OFFSET_AT);
	record->durable = get_le32(at + RECORD_DURABLE_AT);
	record->tag = get_le64(at + RECORD_TAG_AT);
	record->block = get_le64(at + RECORD_BLOCK_AT);
	record->volume = get_le16(at + RECORD_VOLUME_AT);
	record->blocks = get_le16(at + RECORD_BLOCKS_AT);
	record->body = get_le32(at + RECORD_BODY_AT);
	if (record->seq != seq || record->offset != offset || record->durable > offset)
		return false;
	if (record->length < RECORD_HEADER_SIZE || record->length > room || record->length % RECORD_ALIGN != 0 ||
	    record->body > record->length - RECORD_HEADER_SIZE)
		return false;
	switch (record->kind) {
	case RECORD_DATA:
	case RECORD_BEFORE:
		return data_is_sound(record);
	case RECORD_INDEX:
		return record->body % INDEX_ENTRY_SIZE == 0;
	case RECORD_STATE:
	case RECORD_MARK:
		return true;
	default:
		return false;
	}
}

bool record_is_whole(const struct record *record, uint64_t id, const uint8_t *at)
{
	return get_le32(at + RECORD_CRC_AT) == record_sum(record, id, at);
}

void record_put_sums(uint8_t *body, const uint8_t *data, uint32_t blocks)
{
	for (uint32_t i = 0; i < blocks; i++)
		put_le32(body + 4 * i, crc32c(0, data + (size_t)i * JOURNAL_BLOCK_SIZE, JOURNAL_BLOCK_SIZE));
}

bool record_check_sums(const uint8_t *body, const uint8_t *data, uint32_t first, uint32_t blocks)
{
	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t crc = crc32c(0, data + (size_t)i * JOURNAL_BLOCK_SIZE, JOURNAL_BLOCK_SIZE);
		if (get_le32(body + 4 * (first + i)) != crc)
			return false;
	}
	return true;
}

/* ---- CGs ---- */

static uint32_t align_up(uint32_t value)
{
	return (value + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1);
}

/* The volumes, then the members. */
static uint32_t cg_size(uint32_t volumes, uint32_t member_bytes)
{
	return CG_HEADER_SIZE + align_up(2 * volumes) + align_up(member_bytes);
}

uint32_t journal_cg_size(const struct journal_cg *cg)
{
	return cg ? cg_size(cg->volume_count, cg->member_bytes) : 0;
}

/* Zeroed memory for a CG with what it points to. */
static struct journal_cg *cg_alloc(uint32_t volume_count, uint32_t member_bytes, uint16_t **volumes, void **members)
{
	uint32_t volumes_len = align_up(2 * volume_count);
	struct journal_cg *cg = mem_alloc_zeroed(sizeof(*cg) + volumes_len + member_bytes);

	if (!cg)
		return NULL;
	*volumes = (uint16_t *)(void *)(cg + 1);
	*members = (uint8_t *)(cg + 1) + volumes_len;
	return cg;
}

struct journal_cg *journal_cg_copy(const struct journal_cg *cg)
{
	uint16_t *volumes;
	void *members;
	struct journal_cg *copy = cg_alloc(cg->volume_count, cg->member_bytes, &volumes, &members);

	if (!copy)
		return NULL;
	*copy = *cg;
	if (cg->volume_count > 0)
		memcpy(volumes, cg->volumes, 2 * (size_t)cg->volume_count);
	if (cg->member_bytes > 0)
		memcpy(members, cg->members, cg->member_bytes);
	copy->volumes = volumes;
	copy->members = members;
	return copy;
}

static uint8_t *cg_encode(const struct journal_cg *cg, uint8_t *to)
{
	uint8_t *part = to + CG_HEADER_SIZE;

	if (!cg)
		return to;
	memset(to, 0, journal_cg_size(cg));
	put_le64(to + CG_NUMBER_AT, cg->number);
	put_le64(to + CG_SESSION_TIME_AT, cg->session_time_us);
	put_le64(to + CG_WALL_TIME_AT, cg->wall_time_us);
	put_le64(to + CG_INCARNATION_AT, cg->incarnation);
	put_le64(to + CG_MEMBER_VERSION_AT, cg->member_version);
	put_le64(to + CG_FRAMES_AT, cg->frames);
	put_le64(to + CG_DIGEST_AT, cg->digest);
	put_le32(to + CG_VOLUMES_AT, cg->volume_count);
	put_le32(to + CG_MEMBER_BYTES_AT, cg->member_bytes);
	memcpy(to + CG_MASTER_AT, cg->master, strnlen(cg->master, JOURNAL_SYSTEM_MAX - 1));
	for (uint32_t i = 0; i < cg->volume_count; i++)
		put_le16(part + 2 * i, cg->volumes[i]);
	part += align_up(2 * cg->volume_count);
	if (cg->member_bytes > 0)
		memcpy(part, cg->members, cg->member_bytes);
	return to + journal_cg_size(cg);
}

/* *cg is NULL when len is 0. */
static int cg_decode(const uint8_t *from, uint32_t len, uint64_t number, struct journal_cg **out)
{
	const uint8_t *part = from + CG_HEADER_SIZE;
	uint32_t volume_count, member_bytes;
	uint16_t *volumes;
	void *members;
	struct journal_cg *cg;

	*out = NULL;
	if (len == 0)
		return 0;
	if (len < CG_HEADER_SIZE)
		return -EBADMSG;
	volume_count = get_le32(from + CG_VOLUMES_AT);
	member_bytes = get_le32(from + CG_MEMBER_BYTES_AT);
	if (volume_count > JOURNAL_VOLUMES_MAX || member_bytes > JOURNAL_MEMBERS_MAX ||
	    len != cg_size(volume_count, member_bytes) || get_le64(from + CG_NUMBER_AT) != number ||
	    !text_is_sound(from + CG_MASTER_AT, JOURNAL_SYSTEM_MAX))
		return -EBADMSG;
	cg = cg_alloc(volume_count, member_bytes, &volumes, &members);
	if (!cg)
		return -ENOMEM;
	for (uint32_t i = 0; i < volume_count; i++)
		volumes[i] = get_le16(part + 2 * i);
	memcpy(members, part + align_up(2 * volume_count), member_bytes);
	cg->number = number;
	cg->session_time_us = get_le64(from + CG_SESSION_TIME_AT);
	cg->wall_time_us = get_le64(from + CG_WALL_TIME_AT);
	cg->incarnation = get_le64(from + CG_INCARNATION_AT);
	cg->member_version = get_le64(from + CG_MEMBER_VERSION_AT);
	cg->frames = get_le64(from + CG_FRAMES_AT);
	cg->digest = get_le64(from + CG_DIGEST_AT);
	memcpy(cg->master, from + CG_MASTER_AT, JOURNAL_SYSTEM_MAX);
	cg->volume_count = volume_count;
	cg->volumes = volumes;
	cg->member_bytes = member_bytes;
	cg->members = members;
	*out = cg;
	return 0;
}

/* ---- state ---- */

/* With what follows it when the journal keeps points. */
static uint32_t header_size(const struct journal_numbers *numbers)
{
	return STATE_HEADER_SIZE + (numbers->keeps ? STATE_KEEPS_SIZE : 0);
}

uint32_t state_size(const struct journal_numbers *numbers, const struct journal_cg *committed,
		    const struct journal_cg *prepared, uint32_t segments)
{
	return header_size(numbers) + journal_cg_size(committed) + journal_cg_size(prepared) + segments * ENTRY_SIZE;
}

static uint32_t encode_flags(const struct journal_numbers *numbers)
{
	return (numbers->decided ? STATE_FLAG_DECIDED : 0) | (numbers->forced ? STATE_FLAG_FORCED : 0) |
	       (numbers->keeps ? STATE_FLAG_KEEPS : 0) | (numbers->back ? STATE_FLAG_BACK : 0);
}

uint8_t *state_encode(const struct journal_numbers *numbers, const struct journal_cg *committed,
		      const struct journal_cg *prepared, uint32_t segments, uint8_t *body)
{
	memset(body, 0, STATE_HEADER_SIZE);
	put_le64(body + STATE_COMMITTED_AT, numbers->committed);
	put_le64(body + STATE_PREPARED_AT, numbers->prepared);
	put_le64(body + STATE_APPLIED_AT, numbers->applied);
	put_le64(body + STATE_INCARNATION_AT, numbers->incarnation);
	put_le64(body + STATE_EPOCH_AT, numbers->epoch);
	put_le64(body + STATE_DECISION_AT, numbers->decision);
	put_le32(body + STATE_FLAGS_AT, encode_flags(numbers));
	put_le32(body + STATE_SEGMENTS_AT, segments);
	put_le32(body + STATE_COMMITTED_CG_AT, journal_cg_size(committed));
	put_le32(body + STATE_PREPARED_CG_AT, journal_cg_size(prepared));
	memcpy(body + STATE_INITIATOR_AT, numbers->initiator, strnlen(numbers->initiator, JOURNAL_SYSTEM_MAX - 1));
	if (numbers->keeps) {
		put_le64(body + STATE_KEPT_FROM_AT, numbers->kept_from);
		put_le64(body + STATE_KEPT_SEQ_AT, numbers->kept_seq);
	}
	return cg_encode(prepared, cg_encode(committed, body + header_size(numbers)));
}

void segment_entry_encode(const struct segment_entry *entry, uint8_t *to)
{
	put_le32(to + ENTRY_SLOT_AT, entry->slot);
	put_le32(to + ENTRY_INDEX_AT, entry->index_at);
	put_le64(to + ENTRY_SEQ_AT, entry->seq);
	put_le64(to + ENTRY_LAST_TAG_AT, entry->last_tag);
}

void segment_entry_decode(const uint8_t *from, struct segment_entry *entry)
{
	entry->slot = get_le32(from + ENTRY_SLOT_AT);
	entry->index_at = get_le32(from + ENTRY_INDEX_AT);
	entry->seq = get_le64(from + ENTRY_SEQ_AT);
	entry->last_tag = get_le64(from + ENTRY_LAST_TAG_AT);
}

static bool numbers_are_sound(const struct journal_numbers *numbers)
{
	return numbers->applied <= numbers->committed && numbers->committed <= JOURNAL_TAG_MAX &&
	       numbers->prepared <= JOURNAL_TAG_MAX &&
	       (numbers->prepared == 0 || numbers->prepared > numbers->committed) &&
	       (numbers->epoch != 0) == (numbers->initiator[0] != 0) && numbers->kept_from <= numbers->committed &&
	       (!numbers->back || (numbers->keeps && numbers_go_back(numbers)));
}

static void decode_flags(struct journal_numbers *numbers, uint32_t flags)
{
	numbers->decided = flags & STATE_FLAG_DECIDED;
	numbers->forced = flags & STATE_FLAG_FORCED;
	numbers->keeps = flags & STATE_FLAG_KEEPS;
	numbers->back = flags & STATE_FLAG_BACK;
}

/* What follows the header; false: it is cut off. */
static bool decode_kept(const uint8_t *body, uint32_t len, struct journal_numbers *numbers)
{
	if (!numbers->keeps)
		return true;
	if (len < STATE_HEADER_SIZE + STATE_KEEPS_SIZE)
		return false;
	numbers->kept_from = get_le64(body + STATE_KEPT_FROM_AT);
	numbers->kept_seq = get_le64(body + STATE_KEPT_SEQ_AT);
	return true;
}

int state_decode(const uint8_t *body, uint32_t len, struct state_view *view)
{
	struct journal_numbers *numbers = &view->numbers;
	uint64_t committed_cg, prepared_cg;
	uint32_t flags, header;
	int rc;

	memset(view, 0, sizeof(*view));
	if (len < STATE_HEADER_SIZE || !text_is_sound(body + STATE_INITIATOR_AT, JOURNAL_SYSTEM_MAX))
		return -EBADMSG;
	numbers->committed = get_le64(body + STATE_COMMITTED_AT);
	numbers->prepared = get_le64(body + STATE_PREPARED_AT);
	numbers->applied = get_le64(body + STATE_APPLIED_AT);
	numbers->incarnation = get_le64(body + STATE_INCARNATION_AT);
	numbers->epoch = get_le64(body + STATE_EPOCH_AT);
	numbers->decision = get_le64(body + STATE_DECISION_AT);
	flags = get_le32(body + STATE_FLAGS_AT);
	decode_flags(numbers, flags);
	header = header_size(numbers);
	memcpy(numbers->initiator, body + STATE_INITIATOR_AT, JOURNAL_SYSTEM_MAX);
	view->segments = get_le32(body + STATE_SEGMENTS_AT);
	committed_cg = get_le32(body + STATE_COMMITTED_CG_AT);
	prepared_cg = get_le32(body + STATE_PREPARED_CG_AT);
	if (!decode_kept(body, len, numbers) || !numbers_are_sound(numbers) || flags > STATE_FLAGS_ALL ||
	    view->segments > JOURNAL_SEGMENTS_MAX ||
	    len != header + committed_cg + prepared_cg + (uint64_t)view->segments * ENTRY_SIZE)
		return -EBADMSG;
	rc = cg_decode(body + header, (uint32_t)committed_cg, numbers->committed, &view->committed);
	if (rc == 0)
		rc = cg_decode(body + header + committed_cg, (uint32_t)prepared_cg, numbers->prepared,
			       &view->prepared);
	if (rc < 0) {
		mem_free(view->committed);
		memset(view, 0, sizeof(*view));
		return rc;
	}
	view->list = body + header + committed_cg + prepared_cg;
	return 0;
}

/* ---- index ---- */

void index_entry_encode(const struct run *run, uint8_t *to)
{
	put_le64(to, run->key);
	put_le64(to + 8, run->place);
	put_le64(to + 16, run->info);
}

void index_entry_decode(const uint8_t *from, struct run *run)
{
	run->key = get_le64(from);
	run->place = get_le64(from + 8);
	run->info = get_le64(from + 16);
}
