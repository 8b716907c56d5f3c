/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leg.h - the far side of a session: one leg for each source system that sends here, each with a journal of its own
 * (store/journal.h). Takes data, prepares, commits and aborts consistency groups, and applies committed ones to the
 * target volumes closely behind. This is proctype Target of model/consistency-group.pml. Reactor 0.
 */
#ifndef XDC_COPY_LEG_H
#define XDC_COPY_LEG_H

#include "copy/engine.h"
#include "store/journal.h"

struct pair;

/* What was told of the room in its journal. */
enum leg_room { LEG_ROOM_ENOUGH, LEG_ROOM_LITTLE, LEG_ROOM_NONE };

struct leg {
	struct list_head link;			/* of copy->legs */
	struct copy *copy;
	struct record_leg record;		/* as it is durable */
	struct journal *journal;		/* NULL: offline, it could not be opened */
	int offline;				/* why its journal is of no use; 0: it is of use */
	int64_t offline_since_wall_ns;		/* when that was found */
	char offline_why[JOURNAL_FAULT_MAX];	/* a sentence */
	void *buf;				/* of the applier, JOURNAL_RUN_MAX bytes */
	struct leg_pass *pass;			/* of the applier */
	uint64_t pass_bytes;			/* that the applier has written since it began with this group */
	uint64_t tried;				/* the CG of its last pass that came to an end; 0: none yet */
	struct rt_group fibers;			/* the applier */
	struct rt_cond committed;		/* woken when there is something to apply, or all is applied */
	unsigned awaited;			/* fibers that wait until all is applied */
	unsigned asked, answered;		/* how many ever did; of these, whose pass has ended */
	int64_t rest_until_ns;			/* the applier has time until then, unless it is awaited */
	unsigned pins;				/* fibers that suspend and come back to it */
	bool gone;				/* being forgotten: not found any more */
	int apply_error;			/* why applying stands still; 0: it does not */
	uint64_t group_number;			/* of the CG that group was made of; 0: none yet */
	struct volume_set *group;		/* its volumes, asked for every frame that comes in */
	bool making_room;			/* what is not prepared is thrown away just now */
	int64_t room_again_ns, room_wait_ns;	/* not before then, and so long between two times */
	unsigned preparing;			/* requests under way */
	enum leg_room told_room;
	uint64_t told_dropped;			/* points before this one: given up, as was told last */
	int64_t dropped_again_ns;		/* not told again before then */
	struct journal_past *past;		/* of the older CG that a recovery has chosen, while it is needed */
	struct volume_set *back_group;		/* its volumes; NULL: none was chosen */
	int64_t heard_wall_ns;			/* when its source was heard last; 0: not since the start */
	unsigned held;				/* holds on it (leg_hold.h): no pass begins */
	bool let;				/* but one, for which all is ready */
	int64_t commits_from_ns;		/* nothing is committed before then (leg_hold_stop) */
	unsigned committing;			/* requests to commit under way */
	bool applying;				/* a pass is under way */
	struct rt_mutex showing;		/* one at a time opens or closes its volumes to readers */
};

struct leg *leg_find(struct copy *copy, uint8_t session, const char *source_system);

/* What hosts have here is its group. */
bool leg_is_recovered(const struct leg *leg);

/* The volume is in such a group, of a leg of this source. */
bool leg_recovered_has(struct copy *copy, uint8_t session, const char *source_system, uint16_t volume);

/*
 * Opens the journal of a leg that the metadata know. A journal that cannot be opened leaves the leg offline, and that
 * is no error. -ENOMEM. Suspends.
 */
RT_MUST_CHECK int leg_take_up(struct copy *copy, const struct record_leg *record);

/*
 * A leg for a source that has none, its journal new and durable. -ENOMEM, other negative errno. Holding
 * copy->making_legs. Suspends.
 */
RT_MUST_CHECK int leg_make(struct copy *copy, const char *source_system, const struct wire_session_head *head);

/* All that were taken up apply what is committed: their pairs, which say to which volumes, are there. -ENOMEM. */
RT_MUST_CHECK int legs_begin_work(struct copy *copy);

/* They apply nothing more: what is not on the volumes stays in the journals. Suspends. */
void legs_stop_work(struct copy *copy);

/* Stops applying and closes the journal; all stays on disk. Suspends. */
void leg_put_down(struct leg *leg);

/*
 * The metadata forget the leg, and its journal goes, once nobody has it pinned. What was not applied of it is lost:
 * then its volumes are no moment, and are to be copied anew (PAIR_REASON_GROUP_LOST). -EBUSY: somebody else forgets it;
 * other negative errno. Suspends.
 */
RT_MUST_CHECK int leg_forget(struct leg *leg);

/*
 * The journal cannot be used any more: from here on the leg is offline, as the log and its session say. Its groups are
 * refused, nothing of it is applied, and a recovery counts it as a member that is missing. It stays so until the system
 * starts again and can read the journal, or the leg is forgotten.
 */
void leg_set_offline(struct leg *leg, int error, const char *why);

/* Finds out whether its journal has failed meanwhile, and takes the leg offline then. */
bool leg_is_online(struct leg *leg);

/* -EIO, with a sentence in why, when it is not; else 0. */
RT_MUST_CHECK int leg_check_online(struct leg *leg, char *why);

/* What the journal holds; zeros when the leg has none. Of CGs NULL then. */
void leg_get_info(const struct leg *leg, struct journal_info *info);
const struct journal_cg *leg_committed_cg(const struct leg *leg);
const struct journal_cg *leg_prepared_cg(const struct leg *leg);

/* A leg that is pinned is not freed. */
void leg_pin(struct leg *leg);
void leg_unpin(struct leg *leg);

/* Makes the record durable as it is now. Negative errno. Suspends. */
RT_MUST_CHECK int leg_save(struct leg *leg);

/*
 * Waits until everything committed is in the volumes. 0, -ETIMEDOUT, -ECANCELED, or what keeps it from that now: if
 * that is some of the volumes, all others have it, and leg_lacks says so.
 */
RT_MUST_CHECK int leg_wait_applied(struct leg *leg);

/* The last committed CG was brought to all volumes that it could be brought to, and this one lacks it. */
bool leg_lacks(const struct leg *leg, uint16_t volume);

/* This end of a pair is to get the groups of the leg: it is their target, and was not recovered since. */
bool leg_owes(const struct leg *leg, const struct record_pair *pair);

/*
 * True when the last committed CG of the leg holds this target volume; of a leg without a journal, when one may.
 */
bool leg_group_has(struct leg *leg, uint16_t volume);

/* False: the prepared CG of the leg does not hold this target volume. True also when none is prepared. */
bool leg_prepared_has(const struct leg *leg, uint16_t volume);

/* Data may go straight into the volume of this target: no CG rests on it, and it is a target still. */
bool leg_takes_direct(struct copy *copy, const struct pair *pair);

/*
 * The volume is in a pair with another system, and not with the source any more (pair_standby_far.c): what the journal
 * still has of it, or gets by a commit that comes late, is nobody's.
 */
bool leg_has_handed_over(const struct leg *leg, uint16_t volume);

/* The leg whose last CG holds this target volume: nothing may write to it but the leg. NULL: none. */
struct leg *leg_find_owner(struct copy *copy, uint16_t volume);
bool leg_owns_volume(struct copy *copy, uint16_t volume);

/*
 * The member list of the leg's newest CG record (prepared, else committed), to be freed. -ENOENT: it has none;
 * -ENOMEM.
 */
RT_MUST_CHECK int leg_get_members(const struct leg *leg, struct wire_members *members);

/* ---- leg_...: requests of the source (leg_answer.c), its data (leg_data.c) ---- */

static inline void leg_unpin_variable(struct leg **leg)
{
	if (*leg)
		leg_unpin(*leg);
}

/* For a variable that has a leg pinned to the end of its block, or is NULL. */
#define LEG_PINNED	__attribute__((cleanup(leg_unpin_variable)))

/*
 * The leg of the source that asks, pinned, unless its master is an older one or recovery has taken the leg. Does not
 * suspend.
 */
RT_MUST_CHECK int leg_admit(struct copy *copy, const struct link_peer *peer, const struct wire_session_head *head,
			    struct leg **out, char *why);
void leg_fill_state(const struct leg *leg, struct wire_leg_state *state);

/* ---- going back to an older CG (leg_back.c) ---- */

/*
 * If a recovery has decided for one: its volumes, and what it shows in them, are at hand. -ENOMEM, -EIO, -EBADMSG.
 * Suspends.
 */
RT_MUST_CHECK int leg_back_open(struct leg *leg);

/* What it shows is not needed any more, its volumes are known still. */
void leg_back_close(struct leg *leg);

/*
 * What groups after the one that its volume has gone back to had changed is noted as changed there, as at each start:
 * the other side of the pair may have it. In the pair's turn, or before it works. Suspends.
 */
RT_MUST_CHECK int leg_back_note(struct leg *leg, struct pair *pair);
RT_MUST_CHECK int legs_back_note(struct copy *copy, struct pair *pair);

/* The journal holds nothing that the volumes are to have and have not. */
bool leg_is_settled(const struct journal_info *info);

/* A member list as it lies in a CG record, of *len bytes, to be freed; NULL: no memory. And back again: -ENOMEM. */
uint8_t *leg_pack_members(const struct wire_members *members, uint32_t *len);
RT_MUST_CHECK int leg_unpack_members(const struct journal_cg *cg, struct wire_members *members);

/* Tells the journal what its record says of points. Suspends. */
RT_MUST_CHECK int leg_set_keep(struct leg *leg);

/* Handlers of leg_... and of data frames (link_server.h). */
int leg_on_open(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_keep(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int leg_on_data(void *arg, const struct link_peer *peer, const struct wire_data *frame, void **data);

/* Makes durable what was written straight into target volumes: the handler of volumes_sync. */
int leg_on_volumes_sync(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

#endif
