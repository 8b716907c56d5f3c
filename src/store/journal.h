/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal.h - what a far side holds of one leg (one source system of one session) between its arrival and the target
 * volumes: data tagged with increments, and which consistency group (CG) is prepared and committed. It is proctype
 * Target of model/consistency-group.pml made durable; the link layer and recovery call it, nobody else.
 *
 * The content of CG n is, for each block, the data with the highest tag <= n (of equal tags the later appended), over
 * what is applied. One log of segments holds data and records, so that both become durable by one fdatasync.
 *
 * All calls on one reactor. Calls that suspend are served one after the other; one that was begun is carried through
 * even if the caller is cancelled meanwhile. Every call may return -ENOMEM, and -EIO for ever after a sync failed:
 * what was not answered as durable then counts as lost, until the journal is closed and opened again and so learns
 * what the disk has. -ETIMEDOUT and -ECANCELED only while it waits for its turn, without effect.
 */
#ifndef XDC_STORE_JOURNAL_H
#define XDC_STORE_JOURNAL_H

#include "rt/rt.h"

#define JOURNAL_BLOCK_SIZE	4096u
#define JOURNAL_RUN_MAX		(1u << 20)		/* bytes of one append, and of one run to apply */
#define JOURNAL_LEG_MAX		64u			/* name of a leg, with its end */
#define JOURNAL_SYSTEM_MAX	32u			/* name of a system or a master, with its end */
#define JOURNAL_VOLUMES_MAX	65536u
#define JOURNAL_MEMBERS_MAX	65536u			/* bytes of the member list */
#define JOURNAL_TAG_MAX		((UINT64_C(1) << 47) - 1)
#define JOURNAL_SEGMENTS_MAX	4096u
#define JOURNAL_FAULT_MAX	200u			/* a sentence, with its end */

struct journal;

struct journal_limits {
	uint64_t bytes;			/* of all segments; at least 4, at most JOURNAL_SEGMENTS_MAX of them */
	uint32_t segment_bytes;		/* 64 KiB..1 GiB, a multiple of 4 KiB; a journal keeps what it was made with */
	uint64_t runs;			/* of the index in memory, about 24 bytes each */
};

/* 16 MiB segments, 16 GiB, 4 Mi runs. */
void journal_limits_default(struct journal_limits *limits);

/* What a prepare record says of its CG. The bytes of members are the session's own. */
struct journal_cg {
	uint64_t number;		/* 1..JOURNAL_TAG_MAX */
	uint64_t session_time_us;	/* since 1970 */
	uint64_t wall_time_us;		/* of the source's clock at the close, since 1970 */
	uint64_t incarnation;		/* of the master */
	uint64_t member_version;	/* of the member list */
	uint64_t frames;		/* sent by the source, over all its connections */
	uint64_t digest;		/* over them */
	char master[JOURNAL_SYSTEM_MAX];
	uint32_t volume_count;		/* <= JOURNAL_VOLUMES_MAX */
	const uint16_t *volumes;	/* targets of the leg that are in the CG */
	uint32_t member_bytes;		/* <= JOURNAL_MEMBERS_MAX */
	const void *members;
};

/*
 * Recovers the journal of the leg from the folder, or makes it there (info.made says so). leg: letters, digits, '.',
 * '_', '-', not beginning with '.'. Data above the prepared CG, or above the committed one when none is prepared, are
 * void from here on. -EBADMSG: damaged before its last durable record; the log names file, place and fault, nothing
 * is changed. -EBUSY: open elsewhere. -EINVAL: limits or name. -ENOSPC: no space to make it. Suspends.
 */
RT_MUST_CHECK int journal_open(const char *folder, const char *leg, const struct journal_limits *limits,
			       struct journal **out);

/*
 * The same for one that has been made: -ENOENT when it is gone; nothing is made then. After an error what is wrong
 * with it is in fault; the text is empty when it is the error alone. Suspends.
 */
RT_MUST_CHECK int journal_open_made(const char *folder, const char *leg, const struct journal_limits *limits,
				    char fault[JOURNAL_FAULT_MAX], struct journal **out);

/* NULL is allowed. Nobody uses it any more. Suspends. */
void journal_close(struct journal *journal);

/* Removes all files of a journal that is not open. 0 also when there are none. Suspends. */
RT_MUST_CHECK int journal_remove(const char *folder, const char *leg);

/* ---- the source's connection and the master ---- */

/*
 * Keeps data of a target volume; NULL data: reads as zeros. offset and len are multiples of 4 KiB, len <= 1 MiB and
 * at most an eighth of a segment. Not durable until a prepare. -EINVAL; -ENOSPC: full (info.full), nothing is lost,
 * space comes back by applying; -ESTALE: the tag is not above the prepared and the committed CG, or the journal is
 * fenced. Suspends.
 */
RT_MUST_CHECK int journal_append(struct journal *journal, uint16_t volume, uint64_t offset, uint32_t len, uint64_t tag,
				 const void *data);

/*
 * All data appended before this call and the record are durable: CG cg->number is prepared, in place of an older
 * prepared one. Nothing happens when it already is. -ESTALE: not above the prepared or committed one, an older
 * incarnation, or fenced; -EINVAL. Suspends.
 */
RT_MUST_CHECK int journal_prepare(struct journal *journal, const struct journal_cg *cg);

/*
 * The prepared CG is committed, durably, as the master of this incarnation says. Nothing happens when number is the
 * committed one. -EINVAL: it is not prepared; -ESTALE: a newer one is committed, an older incarnation, or fenced.
 * Suspends.
 */
RT_MUST_CHECK int journal_commit(struct journal *journal, uint64_t number, uint64_t incarnation);

/*
 * The CG is no longer prepared, durably, as the master of this incarnation says; its data stay. Nothing happens when it
 * is not prepared. -ESTALE: it or a newer one is committed, an older incarnation, or fenced. -EINVAL: 0. Suspends.
 */
RT_MUST_CHECK int journal_abort(struct journal *journal, uint64_t number, uint64_t incarnation);

/*
 * Masters older than this incarnation are refused from here on, durably. -ESTALE: it is older itself, or fenced.
 * Suspends.
 */
RT_MUST_CHECK int journal_obey(struct journal *journal, uint64_t incarnation);

/*
 * All data above the prepared CG, or above the committed one when none is prepared, are void from here on, durably,
 * and their space comes back, with that of data that newer ones had replaced. Whoever sent them is to send them
 * again. -ESTALE: fenced; -ENOSPC: not even room for that. Suspends.
 */
RT_MUST_CHECK int journal_void(struct journal *journal);

/* ---- recovery ---- */

/*
 * From here on, durably, append, prepare, commit, abort and obey are refused with -ESTALE. Of two the higher (epoch,
 * initiator) wins. Nothing happens when it is the same; -ESTALE: a higher one has it. -EINVAL: epoch 0, no initiator.
 * Suspends.
 */
RT_MUST_CHECK int journal_fence(struct journal *journal, uint64_t epoch, const char *initiator);

/*
 * By the recovery that fenced it: number is the committed CG (it is committed if it was prepared), and all data above
 * it are void, durably, together with the decision. Nothing happens when that is done already. -ESTALE: fenced by
 * another or not at all; -EINVAL: number is neither prepared nor committed, nor a point; or another one was decided
 * for. Suspends.
 *
 * Of a point that is older than the committed CG that stays committed, and all is to be applied before: -EAGAIN. Then
 * the volumes are to be brought to what journal_open_past shows, and journal_back_done is to be called. Nothing of
 * that is given up from here on. -ENOSPC: there is no room for that.
 */
RT_MUST_CHECK int journal_decide(struct journal *journal, uint64_t number, uint64_t epoch, const char *initiator,
				 bool forced);

/* The volumes show the point that was decided for, synced: durably noted. -EINVAL: none was. Suspends. */
RT_MUST_CHECK int journal_back_done(struct journal *journal);

/* ---- applying: one pass at a time ---- */

struct journal_run {
	uint16_t volume;
	bool zero;			/* reads as zeros */
	uint32_t len;			/* bytes, <= JOURNAL_RUN_MAX */
	uint64_t offset;
	uint64_t up_to;			/* apply: the CG that this pass brings to the volumes */
	uint64_t place, segment;	/* the journal's own */
};

/*
 * The next run of committed content to be written to its volume, in order of volume and offset; neighbours are one
 * run, what a newer tag replaced is left out. buf has room for JOURNAL_RUN_MAX bytes and is filled unless run->zero.
 * 1; or 0: run->up_to is at hand as a whole: sync the volumes, then journal_apply_done. -EBADMSG: damaged (the log
 * says where): the pass is to begin again. Several fibers may ask at the same time, each with a buffer of its own,
 * and get other runs of the same pass. Suspends.
 */
RT_MUST_CHECK int journal_apply_next(struct journal *journal, struct journal_run *run, void *buf);

/*
 * The next pass brings what is committed now, whatever is committed before it begins. Nothing when all is applied, or a
 * pass is under way. Does not suspend.
 */
void journal_apply_begin(struct journal *journal);

/*
 * Not everything that was handed out reached the volumes: the next pass begins from the start, with what is committed
 * by then. No fiber asks for a run meanwhile. Does not suspend.
 */
void journal_apply_again(struct journal *journal);

/*
 * The volumes have CG up_to, synced: durably noted, then its space is used again. -EINVAL: not the pass that was
 * handed out to its end. Suspends.
 */
RT_MUST_CHECK int journal_apply_done(struct journal *journal, uint64_t up_to);

/* ---- keeping points: CGs older than the last one that can be shown ---- */

/* A CG is kept for so long, and with others in so many bytes of segments; 0: without that limit, both: not at all. */
struct journal_keep {
	uint64_t time_us;		/* of session time */
	uint64_t bytes;
};

/*
 * From here on before-images are kept for each CG that is committed, or no more; or other limits hold. A journal that
 * was fenced changes no more, but takes the limits. Suspends.
 */
RT_MUST_CHECK int journal_set_keep(struct journal *journal, const struct journal_keep *keep);

/* What was there before a CG is applied, a piece of it. */
struct journal_before {
	uint16_t volume;
	bool known;			/* the journal has it, and buf is filled; else the volume has it */
	bool zero;			/* known, and reads as zeros */
	uint32_t len;
	uint64_t offset;
	uint64_t group;			/* that overwrites it */
};

/*
 * Of the next pass, the next piece that is to be kept before anything of the pass is written to its volume; buf has
 * room for JOURNAL_RUN_MAX bytes. 1; 0: there is no more. Several fibers may ask, as with journal_apply_next. What was
 * not kept is handed out again by a pass that begins from the start. Suspends.
 */
RT_MUST_CHECK int journal_before_next(struct journal *journal, struct journal_before *before, void *buf);

/*
 * Keeps the piece, with what is there; not durable yet. Where there is no room for it, even without older points, what
 * is kept begins anew with the CG of this pass. Suspends.
 */
RT_MUST_CHECK int journal_before_keep(struct journal *journal, const struct journal_before *before, const void *buf);

/* All pieces that were kept are durable: their volumes may be written. Suspends. */
RT_MUST_CHECK int journal_before_sync(struct journal *journal);

struct journal_point {
	uint64_t number;
	uint64_t time_us;		/* session time */
	uint64_t bytes;			/* to be written to go back to it, at most */
};

/* False: there is none. Does not suspend. */
bool journal_oldest_point(const struct journal *journal, struct journal_point *out);

/* The newest points with numbers lower than this one, newest first, at most max. Does not suspend. */
uint32_t journal_list_points(const struct journal *journal, uint64_t below, struct journal_point *out, uint32_t max);

/*
 * What a point shows: where the volumes have all that is committed, these runs in their place. It holds as long as no
 * point is given up: journal_read says -EAGAIN then. -ENOENT: it is none; -EBADMSG. Suspends.
 */
struct journal_past;
RT_MUST_CHECK int journal_open_past(struct journal *journal, uint64_t number, struct journal_past **out);
void journal_close_past(struct journal_past *past);		/* NULL is allowed */

/* The next run from *cursor (0: the first) on, in order of volume and offset; false: there is none. */
bool journal_past_next(const struct journal_past *past, uint64_t *cursor, struct journal_run *run);

bool journal_is_point(const struct journal *journal, uint64_t number);

/* The record of a point, to be freed. -ENOENT: it is none; -EBADMSG. Suspends. */
RT_MUST_CHECK int journal_read_point(struct journal *journal, uint64_t number, struct journal_cg **out);

/* ---- reading through ---- */

/*
 * The first piece of the range (multiples of 4 KiB) whose newest committed content is not yet known to be in the
 * volume: true and *run, within the range; before it, and when false, the volume has it. Does not suspend.
 */
bool journal_lookup(const struct journal *journal, uint16_t volume, uint64_t offset, uint64_t len,
		    struct journal_run *run);

/*
 * The same of what the CG of this number would show if it were committed as things are: -ESTALE where journal_append
 * would refuse this tag, -EIO after a failed sync; else 1 and *run, or 0.
 */
RT_MUST_CHECK int journal_lookup_next(const struct journal *journal, uint16_t volume, uint64_t offset, uint64_t len,
				      uint64_t number, struct journal_run *run);

/* Its content into buf (run->len bytes). -EAGAIN: applied meanwhile, look again. -EBADMSG: damaged. Suspends. */
RT_MUST_CHECK int journal_read(struct journal *journal, const struct journal_run *run, void *buf);

/* ---- what it holds; none of these suspends ---- */

struct journal_info {
	bool made;			/* by journal_open, there was none */
	uint64_t committed, prepared, applied;	/* CG numbers, 0: none */
	uint64_t highest_tag;		/* of all data it holds, and of these */
	uint64_t incarnation;		/* of the newest master it obeys */
	uint64_t epoch;			/* that fenced it, 0: none */
	char initiator[JOURNAL_SYSTEM_MAX];
	bool decided, forced;		/* by a recovery, and with a member missing */
	uint64_t decision;		/* what for */
	bool goes_back;			/* decided for an older CG than the committed one */
	bool back;			/* and the volumes show it */
	bool full;			/* the last append found no room */
	bool failed;			/* a sync failed: refuses everything until opened again */
	uint64_t void_runs;		/* found void by journal_open */
	uint64_t used_bytes, limit_bytes;	/* of segments with what is not applied; of all there may be */
	uint64_t kept_bytes;		/* of segments that are there for the sake of points alone */
	bool keeps;			/* points */
	uint64_t points;
	uint64_t oldest_point;
	uint64_t points_given_up;	/* although they were to be kept: those before this one, lastly; 0: none */
	uint64_t allocated_bytes;	/* on disk */
	uint64_t unapplied_bytes;	/* committed, not applied; what newer tags replaced counts too */
	uint64_t runs, runs_limit;	/* in memory */
	int64_t committed_at_ns, prepared_at_ns, applied_at_ns;	/* rt_now_ns; 0: not since it was opened */
};
void journal_get_info(const struct journal *journal, struct journal_info *info);

/*
 * What is wrong with it, a sentence: a sync failed, or something in it that is needed was found damaged. NULL:
 * nothing that it knows of.
 */
const char *journal_fault(const struct journal *journal);

/* The record of the committed and of the prepared CG, NULL: none. Valid until the next call that suspends. */
const struct journal_cg *journal_committed_cg(const struct journal *journal);
const struct journal_cg *journal_prepared_cg(const struct journal *journal);

#endif
