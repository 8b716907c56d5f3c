/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h - one end of a pair on this system, private to copy/. A source end keeps its volume tracked and sends what
 * the far side lacks (pump.h); a target end only remembers, and says whether data may be written to its volume.
 * Reactor 0, but for the two calls of member.h.
 */
#ifndef XDC_COPY_PAIR_H
#define XDC_COPY_PAIR_H

#include "copy/engine.h"
#include "copy/member.h"
#include "copy/mirror.h"
#include "copy/pump.h"

/*
 * A field belongs to one reactor, as said below. An order (pair_private.h) takes to the volume's reactor what it
 * needs of reactor 0's, and brings back what it found.
 */
struct pair {
	/* the same as long as the pair lives; any reactor */
	struct copy *copy;
	struct volume *volume;

	/* reactor 0 */
	struct list_head link;			/* of copy->pairs */
	struct pair *next_of_volume;		/* of copy->pair_table */
	struct record_pair record;		/* as it is durable */
	struct history history;			/* likewise */
	struct peer *peer;			/* source end: the far side; NULL at a target end */
	struct rt_mutex turn;			/* one change of the pair at a time */
	unsigned pins;				/* fibers that suspend and come back to it */
	struct rt_cond unpinned;
	bool gone;				/* being put down: not found any more, and still in the table */
	bool of_moment; /* target end: its source is full-duplex, as it said last since the start */
	bool untouched;				/* target end: made since the start, and nothing was written to it */
	uint64_t target_bytes;			/* the target was grown to this since the start; 0: it was not */
	bool frozen;				/* hosts are held by pair freeze */
	bool broken;				/* the far side is not heard, or not sent to: the first write is news */
	bool far_doubtful; /* synchronous: it restarted, may lack what it had acknowledged, and has not agreed since */
	bool in_group;				/* a CG exists that has it, since it was added and this start */
	uint8_t left_session;			/* that it was removed from, which is not durable yet; 0: none */
	bool history_owed;			/* its newest generation is not durable yet */
	uint64_t resync_blocks;			/* source end: that were unsent when it was taken up again; 0: none */
	uint64_t resync_from_bytes;		/* that had been sent by then */
	bool was_suspended;			/* before that: its end is an event */
	bool progress_owed;			/* source end: how far its first copy is, is to be looked at again */
	struct copy_verify_info verify;		/* the last comparison of both ends */

	/* the volume's reactor */
	struct volume_target *volume_target;	/* what is noted for the other end; NULL: nothing is */
	struct pump *pump;			/* source end: NULL until the far side agreed */
	struct mirror *mirror;			/* source end of a synchronous pair: NULL while it does not follow */
	bool may_join;				/* the record says joined, durably */
	bool tagged;				/* its tags are above all that the far side holds */
	bool agreed;				/* the far side with this boot id takes its data */
	uint8_t agreed_boot_id[WIRE_ID_SIZE];
	struct pump_totals totals;

	/* written on the volume's reactor, read on reactor 0 too: each true or not by itself */
	_Atomic bool sends;			/* there is a pump */
	_Atomic bool mirror_broken;		/* and something is to be done about it */
	_Atomic bool joined;			/* what is sent belongs to the journal */
	_Atomic bool closed;			/* an attempt has closed it since it was added */
};

/*
 * A volume has at most one pair with each other system: of the volume, and that system. NULL: there is none. In role
 * target: the second.
 */
struct pair *pair_find(struct copy *copy, uint16_t volume, const char *system);
struct pair *pair_find_target(struct copy *copy, const char *source_system, uint16_t volume);

/* All pairs of a volume, in no order; the next may be asked for of one that is pinned, or has not gone. */
struct pair *pair_first_of(struct copy *copy, uint16_t volume);
struct pair *pair_next_of(const struct pair *pair);

/* As a command names it (copy.h). NULL: there is none, or more than one. */
struct pair *pair_find_named(struct copy *copy, const struct copy_pair_name *name, struct fault *fault);

/* Also while a pair that is gone still works on the volume; the second: there is such a one. */
bool pair_uses_volume(const struct copy *copy, uint16_t volume);
bool pair_is_going(const struct copy *copy, uint16_t volume);

/* Its pair with this system is one: it may be there again, if its deletion fails. */
bool pair_is_going_from(const struct copy *copy, uint16_t volume, const char *system);

/*
 * A pair that is pinned is not freed. Over all pairs, while the body may suspend:
 * for (pair = pair_pin_first(copy); pair; pair = pair_pin_next(pair)); leaving early unpins it.
 */
void pair_pin(struct pair *pair);
void pair_unpin(struct pair *pair);
struct pair *pair_pin_first(struct copy *copy);
struct pair *pair_pin_next(struct pair *pair);

/* Takes the pair's turn for one change. -ENOENT: it went meanwhile; -ETIMEDOUT, -ECANCELED. Suspends. */
RT_MUST_CHECK int pair_begin_change(struct pair *pair);
void pair_end_change(struct pair *pair);

/* An end as the metadata have it. The volume exists, and no pair uses it. NULL: no memory. It is in copy->pairs. */
struct pair *pair_take_up(struct copy *copy, const struct record_pair *record, const struct history *history,
			  struct volume *volume);

/* A source end begins to work: its volume is tracked from here on. Negative errno. Suspends. */
RT_MUST_CHECK int pair_begin_source(struct pair *pair);

/* At the start of the system: whatever its role and state ask for. Negative errno. Suspends. */
RT_MUST_CHECK int pair_resume_work(struct pair *pair);

/* The metadata forget a pair and its history. Negative errno. Suspends. */
RT_MUST_CHECK int pair_delete_records(struct copy *copy, const struct record_pair *record);

/* The pair is deleted from the metadata and put down; the caller's pin and turn go with it. Suspends. */
RT_MUST_CHECK int pair_forget(struct pair *pair);

/*
 * What hosts may do with the volume from here on, but for what its other pairs forbid; lowering it waits for requests
 * under way. Negative errno. Suspends.
 */
RT_MUST_CHECK int pair_set_access(struct pair *pair, enum volume_access access);

/*
 * Notes changes here, whoever they are sent to, with those that the dirty log remembers. For an end that sends to
 * nobody: a far side that was failed over, and a former source that keeps what it never sent (a target with
 * first_copy_done). Negative errno. Suspends.
 */
RT_MUST_CHECK int pair_track(struct pair *pair);

/* What was noted here is forgotten: the other side has it, or this side is overwritten by it. Suspends. */
void pair_untrack(struct pair *pair);

/*
 * This end, a far side, becomes writable on its own: a new generation from CG sequence on, changes noted. Suspends.
 */
RT_MUST_CHECK int pair_fail_over(struct pair *pair, uint64_t sequence);

/*
 * Stops all work of this end and frees it once nobody has it pinned; the metadata stay. forget: the pair is gone for
 * good, and with it what the dirty log holds for it; else the next start goes on from that. Suspends.
 */
void pair_put_down(struct pair *pair, bool forget);

/* It sends no more, and never will: a copy or resync under way ends by that (copy_config.work). Does not suspend. */
void pair_cut_work(struct pair *pair);

/* Makes record and history durable as they are now. Negative errno. Suspends. */
RT_MUST_CHECK int pair_save(struct pair *pair);

/* Makes this record durable in place of the present one, which stands after an error. Negative errno. Suspends. */
RT_MUST_CHECK int pair_change_record(struct pair *pair, const struct record_pair *next);

/* All that is noted here counts as unsent again: what was acknowledged is not kept by the far side. Suspends. */
void pair_resend(struct pair *pair);

/* A source that was suspended asks its far side and sends again, as soon as that is reached. Suspends. */
void pair_take_up_again(struct pair *pair);

/*
 * Stops sending; what is noted stays noted. The second says so in the record too, and an attempt that waits for it is
 * left. Both suspend.
 */
void pair_stop_sending(struct pair *pair);
void pair_suspend(struct pair *pair, enum pair_state state, enum pair_reason reason);

/*
 * Asks the far side whether this pair may go on, and if so sends. 0 or the far side's refusal with its words.
 * Suspends.
 */
RT_MUST_CHECK int pair_connect(struct pair *pair, uint32_t flags, struct wire_pair_reply *reply, char *why);

/*
 * In its turn: tells the far side, durably there, that it holds all of the first copy. Negative errno. Suspends.
 */
RT_MUST_CHECK int pair_tell_copied(struct pair *pair);

/*
 * In its turn. If its first copy is done and it is in a session: from here on it may join at any close. That is
 * durable before, so that after a restart nothing of it passes the journal by. Suspends.
 */
void pair_allow_join(struct pair *pair);

/*
 * A volume that is copied and could not note that it may join, as the system went down or its disk did not take it: it
 * is tried again. Reactor 0, does not suspend.
 */
void pair_look_join(struct pair *pair);

/*
 * The pair has left its session: its member has it no more. In the groups of one it was, and stays, as the record
 * says. Suspends.
 */
void pair_leave_session(struct pair *pair);

/*
 * It is in the groups of its session, and suspended: without what it does not send there is none, until it is resumed
 * or removed. A group without it would drop what the far side has of it from the last one. Or pair_of_no_moment.
 */
bool pair_stops_groups(const struct pair *pair);

/*
 * A cascade: by another pair the volume of this one is a target, and may lack something that its source has answered.
 * That pair; NULL: there is none such.
 */
const struct pair *pair_of_no_moment(const struct pair *pair);

/* For member.h: ready once the first copy is done; when it joins, frames go to the journal from there on. */
extern const struct member_volume_ops pair_member_ops;

/* The type of a pair on the link, and back. */
uint8_t pair_type_to_wire(enum pair_type type);
enum pair_type pair_type_of_wire(uint8_t type);

/* ---- synchronous pairs: pair_duplex.c ---- */

/* Suspended, and not to be resumed but by a command. */
bool pair_rests(const struct pair *pair);

/* The fiber of the system that suspends pairs whose mirror is broken. */
void pair_watch_mirrors(void *copy);

/* Behind pair_sync_all, in each pair's turn: those whose far side has all become full-duplex. Suspends. */
void pair_go_duplex_all(struct copy *copy, const char *far);

/* A far side that had restarted may lack what it had acknowledged: its pairs are not full-duplex any more. Suspends. */
void pair_leave_duplex_all(struct copy *copy, const char *far);

/*
 * The CG of the last attempt exists: those that it had closed are in it. True when none of those that an attempt has
 * closed is in no group yet. Neither suspends.
 */
void pair_note_group(struct copy *copy, uint8_t session);
bool pair_all_grouped(struct copy *copy, uint8_t session);

/*
 * How many of these pairs are in a CG that exists, since they were added. That an attempt has closed them says nothing
 * of it: a new master would look for its CG at a far side that came later.
 */
unsigned pair_count_grouped(struct copy *copy, uint8_t session, const char *far);

/*
 * Their targets, ids to be freed: what a group holds of them is of its moment. One that was in groups before and is
 * added again is not among them until an attempt has closed it. -ENOMEM.
 */
RT_MUST_CHECK int pair_collect_closed(struct copy *copy, uint8_t session, const char *far, struct wire_volumes *out);

/*
 * A master has spoken since this system started, and tags are above all that the far sides hold: volumes that are in
 * the groups of the session may be sent. Suspends.
 */
void pair_allow_tags(struct copy *copy, uint8_t session);

/* The far side is reached again: every pair asks whether it may go on, and does. Suspends. */
void pair_link_up(struct copy *copy, const char *far);

/*
 * The same for those whose data it refuses: an old primary that slept may hear of a recovery by that alone. Suspends.
 */
void pair_ask_refused(struct copy *copy, const char *far);

/* The far side is not heard: its pairs are broken from here on. Does not suspend. */
void pair_link_down(struct copy *copy, const char *far);

/*
 * While the far side is not heard, or not sent to, in each pair's turn: its record says so, and a source that hosts
 * have written to since begins a new generation. Suspends.
 */
void pair_watch_broken(struct copy *copy, const char *far);
bool pair_any_broken(struct copy *copy, const char *far);

/* Pairs that the far side could not take up when it was asked, for want of space or the like, ask again. Suspends. */
bool pair_any_waiting(struct copy *copy, const char *far);
void pair_try_waiting(struct copy *copy, const char *far);

/* All that is noted for pairs with this far side counts as unsent again. Suspends. */
void pair_far_restarted(struct copy *copy, const char *far, const uint8_t boot_id[WIRE_ID_SIZE]);

/*
 * What is acknowledged is made durable at the far side and forgotten. False: not all of it, and nothing else will
 * remind of that. Suspends.
 */
bool pair_sync_all(struct copy *copy, struct peer *peer);

/*
 * Behind that, in each pair's turn: how far first copies are is noted, and those that are done may join. False: there
 * is more to note, for want of a turn or of an answer. Suspends.
 */
bool pair_note_progress(struct copy *copy, const char *far);

/* The same of one, in its turn: when its first copy has ended, that is told and durable. Suspends. */
void pair_look_progress(struct pair *pair);

/*
 * Lets all regions leave the dirty logs that are clean. True: the volume of some pair is still noted as a whole; of
 * one that was left out nothing can be cleaned. Suspends.
 */
bool pair_clean_all(struct copy *copy);

/*
 * A source whose far side was taken over: what hosts wrote here that the far side has not followed, or may have lost,
 * makes a generation of its own, so that both sides show as written. After the volume was closed to writes. Suspends.
 */
void pair_note_divergence(struct pair *pair);

/*
 * Production is at the far side: hosts may only read here, and the session of the volume is over. Suspends.
 */
void pair_give_way(struct pair *pair);

/* What the volume counts for it: nothing when nothing is noted. On the volume's reactor. */
void pair_get_counters(const struct pair *pair, struct volume_counters *counters);

/* But for where it is in the state table. Suspends. */
void pair_get_info(struct pair *pair, struct copy_pair_info *info);

/* ---- the state table: pair_cell.c. Neither suspends. ---- */

void pair_look(struct pair *pair, enum copy_type *type, enum copy_state *state);

/* In the pair's turn: copy_table_check. */
int pair_check(struct pair *pair, enum copy_verb verb, bool force, struct fault *fault);

#endif
