/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - compares a volume with its far side while hosts write. Private to copy/.
 *
 * Frames with checksums ask the far side which blocks it has as they should be (leg_compare.h). Of a block that is to
 * be sent, under way, or written before the answer is here, the answer says nothing: it is looked at again later
 * (volume_look). A block that differs although it was settled all the time is a difference, and nothing else is one.
 *
 * A verify belongs to the fiber of reactor 0 that runs it. Between two steps of it nothing is under way.
 */
#ifndef XDC_COPY_VERIFY_H
#define XDC_COPY_VERIFY_H

#include "copy/pair.h"

struct verify;

/*
 * repair: what differs is marked to be sent, and looked at again until it is the same. The pair is pinned. -ENOMEM.
 */
RT_MUST_CHECK int verify_create(struct pair *pair, bool repair, struct verify **out);
void verify_destroy(struct verify *verify);		/* NULL is allowed */

/* What a step has come to. */
struct verify_step {
	uint64_t bytes;			/* compared by this step */
	uint64_t settled;		/* blocks of which this step has found out what they are */
	bool again;			/* all that is left was looked at in vain: the next step rather waits */
	bool done;
};

/*
 * Goes on for at most so long and so many bytes. 0; an error is none of the verify's, which may go on: -ENOTCONN the
 * far side is not reached or nothing is sent to it, its words, those of the disk. Suspends, shielded.
 */
RT_MUST_CHECK int verify_run_step(struct verify *verify, int64_t limit_ns, uint64_t limit_bytes,
				  struct verify_step *step);

/* What the last one found, as the record of the pair keeps it. Neither suspends. */
void verify_put_record(const struct copy_verify_info *info, struct record_pair *record);
void verify_get_record(const struct record_pair *record, struct copy_verify_info *info);

/* What it has found so far: counts and ranges of info are set, the rest is as it was. Does not suspend. */
void verify_get_findings(const struct verify *verify, struct copy_verify_info *info);

#endif
