/* SPDX-License-Identifier: Apache-2.0 */
/* keptlog_private.h - what keptlog.c (the index, and puts), keptlog_file.c (opening) and keptlog_fill.c share. */
#ifndef XDC_STORE_KEPTLOG_PRIVATE_H
#define XDC_STORE_KEPTLOG_PRIVATE_H

#include "store/keptlog_format.h"

#define NO_PAGE	UINT16_MAX		/* of a block of zeros */
#define NO_BLOCK KEPTLOG_BLOCKS_MAX	/* the slot's was forgotten */

/* A block of a segment. */
struct slot {
	uint64_t block : 48;
	uint64_t page : 16;		/* of its segment */
	uint32_t next;			/* in its bucket: a number from 1; 0: none */
	uint32_t crc;			/* of its bytes */
};
_Static_assert(sizeof(struct slot) == 16 && KEPTLOG_SEGMENT_PAGES_MAX < NO_PAGE, "as keptlog.h says");

struct keptlog_segment {
	bool in_use;
	bool allocated;			/* it has its space */
	uint64_t first, last;		/* records */
	uint32_t pages;			/* written */
	uint32_t good_pages;		/* durable */
	uint32_t count;			/* of slots, in the order of its records */
	uint32_t indexed;		/* of them: durable, so that they are found */
	struct slot *slots;		/* as many as a segment has pages */
};

struct keptlog {
	struct pooled_file *file;
	char *path;
	uint8_t id[KEPTLOG_ID_SIZE];
	uint64_t blocks;		/* of the volume */
	struct keptlog_header header;	/* as it was written last */
	struct keptlog_segment segments[KEPTLOG_SEGMENTS_MAX];
	struct keptlog_segment *open;	/* where records are added; NULL: the next one takes a new one */
	uint32_t *buckets;		/* slots by number from 1; NULL: no segment is in use */
	uint32_t bucket_mask;
	uint64_t live;			/* blocks that are found */
	uint64_t sequence;		/* the highest that was ever seen */
	uint64_t last;			/* of the records that follow each other */
	uint64_t safe;			/* records up to this one are durable */
	struct rt_mutex changing;	/* which segments are in use, and the header */

	struct list_head orders;	/* that wait, in their order */
	struct rt_group fibers;
	struct rt_cond committed;
	bool committing;
	uint8_t *buffer;		/* a record on its way; as long as buckets are */
	int error;			/* for good */
	bool lost;			/* its file cannot be opened again */
};

/* ---- keptlog_file.c ---- */

/* Reading and writing: between keptlog_use_file and pooled_file_leave of log->file. */

static inline uint64_t keptlog_segment_offset(const struct keptlog *log, const struct keptlog_segment *segment)
{
	return KEPTLOG_HEADER_BYTES +
	       (uint64_t)(segment - log->segments) * log->header.segment_pages * KEPTLOG_PAGE;
}

/* Every block of the record in this page is one of the volume: 0; -EBADMSG, and a line in the log. */
RT_MUST_CHECK int keptlog_check_blocks(const struct keptlog *log, const uint8_t *record_page, uint32_t count);

/* Of a record whose first page is read: its data, behind that. -EBADMSG: they are not what it says. */
RT_MUST_CHECK int keptlog_read_data(const struct keptlog *log, const struct keptlog_segment *segment, uint32_t page,
				    const struct keptlog_record *record, uint8_t *pages);
RT_MUST_CHECK int keptlog_read_page(const struct keptlog *log, const struct keptlog_segment *segment, uint32_t page,
				    uint8_t *to);

/* Durably; with changing held. */
RT_MUST_CHECK int keptlog_write_header(struct keptlog *log, uint64_t tail);

/* ---- keptlog.c ---- */

/* As pooled_file_use of log->file; -EIO is for good. */
RT_MUST_CHECK int keptlog_use_file(struct keptlog *log);

/* The memory of a segment, and of the index if it is the first. -ENOMEM. */
RT_MUST_CHECK int keptlog_begin_segment(struct keptlog *log, struct keptlog_segment *segment);
void keptlog_end_segment(struct keptlog *log, struct keptlog_segment *segment);

/* The slots from segment->indexed on are durable. -EBADMSG: a block is in the log already. */
RT_MUST_CHECK int keptlog_index(struct keptlog *log, struct keptlog_segment *segment);

/* Adds the entries of the record in this page, which begins at that page of its segment. */
void keptlog_add_slots(struct keptlog_segment *segment, const uint8_t *record_page, uint32_t count, uint32_t page);

#endif
