/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_format.h - the bytes of a journal's segments, as docs/disk-format.md says, and their translation. Pure:
 * nothing suspends. What is read is checked here, once: after a decode function said 0 all numbers are within their
 * bounds.
 */
#ifndef XDC_STORE_JOURNAL_FORMAT_H
#define XDC_STORE_JOURNAL_FORMAT_H

#include "store/journal.h"
#include "store/journal_runs.h"

#define JOURNAL_VERSION		1u
#define JOURNAL_VERSION_KEEPS	2u		/* of a segment of a journal that keeps points */

/* ---- the two header blocks of a segment, at 0 and 4096 ---- */

#define SEGMENT_MAGIC		0x534a4458u	/* "XDJS" */
#define SEGMENT_MAGIC_AT	0u
#define SEGMENT_CRC_AT		4u		/* over the block, as if these four bytes were 0 */
#define SEGMENT_VERSION_AT	8u
#define SEGMENT_BYTES_AT	12u
#define SEGMENT_SLOT_AT		16u
#define SEGMENT_ID_AT		24u		/* 64 bits, random: of the journal */
#define SEGMENT_SEQ_AT		32u		/* 64 bits: rises with every use of any segment; 0: never used */
#define SEGMENT_LEG_AT		40u		/* JOURNAL_LEG_MAX bytes */
#define SEGMENT_RECORDS_AT	8192u		/* where the first record begins */

struct segment_header {
	uint32_t segment_bytes, slot;
	uint64_t id, seq;
	bool keeps;
	char leg[JOURNAL_LEG_MAX];
};

void segment_header_encode(const struct segment_header *header, uint8_t block[JOURNAL_BLOCK_SIZE]);

/* NULL, or what is wrong. */
const char *segment_header_decode(const uint8_t block[JOURNAL_BLOCK_SIZE], struct segment_header *header);

/* ---- records ---- */

#define RECORD_MAGIC		0x524a4458u	/* "XDJR" */
#define RECORD_MAGIC_AT		0u
#define RECORD_CRC_AT		4u		/* over id, header (as if these four bytes were 0) and body */
#define RECORD_KIND_AT		8u		/* 16 bits */
#define RECORD_FLAGS_AT		10u		/* 16 bits */
#define RECORD_LENGTH_AT	12u
#define RECORD_SEQ_AT		16u		/* 64 bits */
#define RECORD_OFFSET_AT	24u
#define RECORD_DURABLE_AT	28u
#define RECORD_TAG_AT		32u		/* 64 bits; of an index: RECORD_NEXT */
#define RECORD_BLOCK_AT		40u		/* 64 bits */
#define RECORD_VOLUME_AT	48u		/* 16 bits */
#define RECORD_BLOCKS_AT	50u		/* 16 bits */
#define RECORD_BODY_AT		52u
#define RECORD_HEADER_SIZE	64u
#define RECORD_ALIGN		8u

enum record_kind {
	RECORD_DATA = 1,	/* body: crc32c of each block; then the blocks */
	RECORD_STATE = 2,	/* body: journal_state */
	RECORD_INDEX = 3,	/* body: runs, sorted; ends a segment */
	RECORD_MARK = 4,	/* no body: says what is durable */
	RECORD_BEFORE = 5,	/* as data: what was there before the CG of its tag was applied */
};

/* The form of data: block checksums, then the blocks. */
static inline bool record_has_blocks(uint16_t kind)
{
	return kind == RECORD_DATA || kind == RECORD_BEFORE;
}

#define RECORD_NEXT(slot)	((uint64_t)(slot) + 1)
#define RECORD_FLAG_ZERO	1u	/* data that reads as zeros: no body, no blocks */

struct record {
	uint16_t kind;
	bool zero;
	uint32_t length;	/* of the whole record, a multiple of 8 */
	uint32_t body;		/* bytes behind the header that the checksum covers */
	uint64_t seq;		/* of the segment */
	uint32_t offset;	/* in the segment */
	uint32_t durable;	/* all of the segment before this was durable when the record was written */
	uint64_t tag;		/* with blocks only, these four; of an index RECORD_NEXT of the next segment */
	uint64_t block;
	uint16_t volume;
	uint16_t blocks;
};

/* Where the blocks of a data record begin, from the record's beginning. */
static inline uint32_t record_data_at(uint32_t blocks)
{
	return RECORD_HEADER_SIZE + ((blocks * 4 + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1));
}

/* Length of a data record. */
static inline uint32_t record_data_length(uint32_t blocks, bool zero)
{
	return zero ? RECORD_HEADER_SIZE : record_data_at(blocks) + blocks * JOURNAL_BLOCK_SIZE;
}

/* Fills in the header in front of the body (which is in its place already) and seals both. */
void record_encode(const struct record *record, uint64_t id, uint8_t *at);

/*
 * Reads the header of the record that should stand at offset of a segment. room: bytes from there to the end of the
 * segment. False: no such record. The checksum is not yet proved: record_is_whole does that, once the body is there
 * too.
 */
bool record_decode(const uint8_t *at, uint64_t seq, uint32_t offset, uint32_t room, struct record *record);
bool record_is_whole(const struct record *record, uint64_t id, const uint8_t *at);

/* The table of a data record's block checksums is its body. */
void record_put_sums(uint8_t *body, const uint8_t *data, uint32_t blocks);
bool record_check_sums(const uint8_t *body, const uint8_t *data, uint32_t first, uint32_t blocks);

/*
 * An entry of the index of a segment has the form of a run, with its kind in place of the blocks to skip. A point has
 * the session time of the CG for its key, the state record that commits it for its place, and the CG for its tag.
 */
enum entry_kind { ENTRY_DATA, ENTRY_BEFORE, ENTRY_POINT, ENTRY_KIND_COUNT };

static inline enum entry_kind entry_kind(const struct run *entry)
{
	return (enum entry_kind)run_skip(entry);
}

static inline struct run record_entry(const struct record *record, uint32_t slot)
{
	return run_make((uint64_t)record->volume << 48 | record->block, (uint64_t)slot << 32 | record->offset,
			record->tag, record->zero, record->kind == RECORD_BEFORE ? ENTRY_BEFORE : ENTRY_DATA,
			record->blocks);
}

static inline struct run point_entry(const struct journal_cg *cg, uint32_t slot, uint32_t offset)
{
	return run_make(cg->session_time_us, (uint64_t)slot << 32 | offset, cg->number, false, ENTRY_POINT, 1);
}

/* The run that an entry of data or of a before-image tells of. */
static inline struct run entry_run(const struct run *entry)
{
	return run_make(entry->key, entry->place, run_tag(entry), run_is_zero(entry), 0, run_blocks(entry));
}

/* ---- the body of a state record ---- */

#define STATE_COMMITTED_AT	0u
#define STATE_PREPARED_AT	8u
#define STATE_APPLIED_AT	16u
#define STATE_INCARNATION_AT	24u
#define STATE_EPOCH_AT		32u
#define STATE_DECISION_AT	40u
#define STATE_FLAGS_AT		48u		/* 32 bits */
#define STATE_SEGMENTS_AT	52u		/* 32 bits: entries of the list */
#define STATE_COMMITTED_CG_AT	56u		/* 32 bits: bytes */
#define STATE_PREPARED_CG_AT	60u		/* 32 bits: bytes */
#define STATE_INITIATOR_AT	64u		/* JOURNAL_SYSTEM_MAX bytes */
#define STATE_HEADER_SIZE	96u
#define STATE_KEPT_FROM_AT	96u		/* with STATE_FLAG_KEEPS these two follow the header */
#define STATE_KEPT_SEQ_AT	104u
#define STATE_KEEPS_SIZE	16u
#define STATE_FLAG_DECIDED	1u
#define STATE_FLAG_FORCED	2u
#define STATE_FLAG_KEEPS	4u
#define STATE_FLAG_BACK		8u
#define STATE_FLAGS_ALL		15u
_Static_assert(STATE_INITIATOR_AT + JOURNAL_SYSTEM_MAX == STATE_HEADER_SIZE, "the header is exactly full");

/* What a journal remembers besides data. */
struct journal_numbers {
	uint64_t committed, prepared, applied;
	uint64_t incarnation;
	uint64_t epoch, decision;
	bool decided, forced;
	bool keeps;			/* what the groups overwrite, so that older CGs can be shown; with these two: */
	uint64_t kept_from;		/* the oldest CG that can; 0: none yet */
	uint64_t kept_seq;		/* segments from this use on are kept whole */
	bool back;			/* decided for an older CG than the committed one, and the volumes show it */
	char initiator[JOURNAL_SYSTEM_MAX];
};

/* A recovery has decided for a CG that is older than the committed one. */
static inline bool numbers_go_back(const struct journal_numbers *numbers)
{
	return numbers->decided && numbers->decision < numbers->committed;
}

#define CG_NUMBER_AT		0u
#define CG_SESSION_TIME_AT	8u
#define CG_WALL_TIME_AT		16u
#define CG_INCARNATION_AT	24u
#define CG_MEMBER_VERSION_AT	32u
#define CG_FRAMES_AT		40u
#define CG_DIGEST_AT		48u
#define CG_VOLUMES_AT		56u		/* 32 bits */
#define CG_MEMBER_BYTES_AT	60u		/* 32 bits */
#define CG_MASTER_AT		64u		/* JOURNAL_SYSTEM_MAX bytes */
#define CG_HEADER_SIZE		96u
_Static_assert(CG_MASTER_AT + JOURNAL_SYSTEM_MAX == CG_HEADER_SIZE, "the header is exactly full");

/* A closed segment that may hold data still needed. */
#define ENTRY_SLOT_AT		0u		/* 32 bits */
#define ENTRY_INDEX_AT		4u		/* 32 bits: offset of its index record */
#define ENTRY_SEQ_AT		8u
#define ENTRY_LAST_TAG_AT	16u
#define ENTRY_SIZE		24u

struct segment_entry {
	uint32_t slot, index_at;
	uint64_t seq;
	uint64_t last_tag;	/* data with a higher tag are void */
};

/* A CG record with all that it points to, in one piece of memory (mem_free). NULL: no memory. */
struct journal_cg *journal_cg_copy(const struct journal_cg *cg);
uint32_t journal_cg_size(const struct journal_cg *cg);		/* encoded; 0 for NULL */

/* Bytes of the body with these parts; the CGs may be NULL. */
uint32_t state_size(const struct journal_numbers *numbers, const struct journal_cg *committed,
		    const struct journal_cg *prepared, uint32_t segments);

/* Encodes all but the list, whose entries the caller puts from the returned place on. */
uint8_t *state_encode(const struct journal_numbers *numbers, const struct journal_cg *committed,
		      const struct journal_cg *prepared, uint32_t segments, uint8_t *body);
void segment_entry_encode(const struct segment_entry *entry, uint8_t *to);

struct state_view {
	struct journal_numbers numbers;
	struct journal_cg *committed, *prepared;	/* the caller's; NULL: the record does not repeat it */
	uint32_t segments;
	const uint8_t *list;				/* within the body */
};

/* 0; -EBADMSG; -ENOMEM. After an error view owns nothing. */
RT_MUST_CHECK int state_decode(const uint8_t *body, uint32_t len, struct state_view *view);
void segment_entry_decode(const uint8_t *from, struct segment_entry *entry);

/* ---- entries of an index record ---- */

#define INDEX_ENTRY_SIZE	24u		/* key, place, info: 64 bits each, as in struct run */

void index_entry_encode(const struct run *run, uint8_t *to);
void index_entry_decode(const uint8_t *from, struct run *run);

#endif
