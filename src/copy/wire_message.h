/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_message.h - the typed messages of a control connection: one struct each for request, reply and event, and one
 * table (wire_message.c) that says how their fields go over the wire. Pure: any fiber, nothing suspends.
 *
 * Decoded structs have fixed-size texts inside (always ended by a zero) and own the memory of their lists; wire_free
 * gives it back. To add a message: a struct here, a type number at the end of the enum, a row and field list in
 * wire_message.c, a sample and its golden bytes in tests/unit/wire_*.h and its lines in docs/link-protocol.md.
 */
#ifndef XDC_COPY_WIRE_MESSAGE_H
#define XDC_COPY_WIRE_MESSAGE_H

#include "copy/history.h"
#include "copy/wire.h"

#define WIRE_MASTER_SIZE	24u		/* "ESSID:LSS" with its end, e.g. "2105.FA120:15" */
#define WIRE_ADDRESS_SIZE	128u		/* "HOST:PORT" with its end */
#define WIRE_KEY_SIZE		32u
#define WIRE_POOL_SIZE		64u		/* name of a pool, with its end */
#define WIRE_MEMBERS_MAX	256u
#define WIRE_LEGS_MAX		256u
#define WIRE_VOLUMES_MAX	65536u
#define WIRE_CHANNELS_MAX	256u		/* source reactors */
#define WIRE_RANGES_MAX		4096u
#define WIRE_POINTS_MAX		1024u

/* Numbers are part of the protocol: never change or reuse one. */
enum wire_message_type {
	WIRE_SYSTEM_SHOW = 1,

	WIRE_PAIR_ESTABLISH = 16,
	WIRE_PAIR_REMOVE = 17,
	WIRE_PAIR_STATUS = 18,
	WIRE_PAIR_GROW = 19,
	WIRE_PAIR_CHANGES = 20,
	WIRE_VOLUMES_SYNC = 22,
	WIRE_STANDBY_LOOK = 24,
	WIRE_STANDBY_TAKE = 25,

	WIRE_LEG_OPEN = 32,
	WIRE_LEG_STATUS = 33,
	WIRE_LEG_PREPARE = 34,
	WIRE_LEG_COMMIT = 35,
	WIRE_LEG_ABORT = 36,

	WIRE_SESSION_JOIN = 48,
	WIRE_SESSION_STATUS = 49,
	WIRE_SESSION_CLOSE = 50,
	WIRE_SESSION_RELEASE = 51,
	WIRE_SESSION_DRAIN = 52,
	WIRE_SESSION_PREPARE = 53,
	WIRE_SESSION_COMMIT = 54,
	WIRE_SESSION_ABORT = 55,
	WIRE_SESSION_EXISTS = 56,
	WIRE_SESSION_LEAVE = 57,
	WIRE_SESSION_SUSPEND = 58,
	WIRE_SESSION_RESUME = 59,
	WIRE_LEG_SHOW = 60,
	WIRE_LEG_HIDE = 61,
	WIRE_SESSION_SWAP = 62,
	WIRE_PAIR_SWAP = 63,

	WIRE_RECOVER_PROBE = 64,
	WIRE_RECOVER_FENCE = 65,
	WIRE_RECOVER_DECIDE = 66,
	WIRE_SESSION_KEEP = 67,
	WIRE_LEG_KEEP = 68,
	WIRE_RECOVER_POINTS = 69,
	WIRE_RECOVER_POINT = 70,

	WIRE_PRACTICE = 72,
	WIRE_GROUP_ORDER = 112,

	WIRE_SESSION_VERIFY = 104,

	/* events */
	WIRE_EVENT_FIRST_WRITE = 128,
	WIRE_EVENT_PAIRS_CHANGED = 129,
};

/* ---- parts ---- */

/* A list of volume ids. */
struct wire_volumes {
	uint32_t count;			/* at most WIRE_VOLUMES_MAX */
	uint16_t *ids;
};

struct wire_member {
	char source[WIRE_SYSTEM_SIZE];		/* a source system of the session */
	char far[WIRE_SYSTEM_SIZE];		/* the far side that it sends to */
	char far_address[WIRE_ADDRESS_SIZE];	/* of the far side's link listener */
	uint64_t first;				/* the first CG that this leg takes part in; 0: not yet in any */
};
struct wire_members {
	uint32_t count;			/* at most WIRE_MEMBERS_MAX */
	struct wire_member *items;
};

/* In every message of a session from master to sources and on to the far sides. */
struct wire_session_head {
	uint8_t session;			/* 1..255 */
	char master[WIRE_MASTER_SIZE];		/* ESSID:LSS */
	uint64_t incarnation;			/* of the master; older ones are refused */
	uint64_t attempt;			/* number of the increment that is (to be) closed; 0: none */
	uint64_t exists;			/* number of the last CG that exists; 0: none */
	uint64_t member_version;		/* of the member list */
};

struct wire_range {
	uint64_t offset, bytes;
};

/* ---- systems ---- */

struct wire_empty {
	uint8_t unused;				/* not on the wire */
};

struct wire_system_reply {
	uint8_t boot_id[WIRE_ID_SIZE];
	char version[32];			/* of the program */
	char link_address[WIRE_ADDRESS_SIZE];	/* that it announces */
};

/* ---- pairs: source system to far side ---- */

enum wire_pair_type { WIRE_PAIR_SYNC = 1, WIRE_PAIR_GLOBAL_COPY = 2, WIRE_PAIR_ASYNC = 3 };

#define WIRE_PAIR_FAILBACK	1u		/* the target was the source before */
#define WIRE_PAIR_RESUME	4u		/* the pair is there already: only the relation is checked */
#define WIRE_PAIR_DISCARD	8u		/* with FAILBACK: what the target alone wrote is lost */
#define WIRE_PAIR_COPIED	2u		/* with RESUME: the first copy has ended, the target holds all of it */
#define WIRE_PAIR_RETURN	16u		/* the target, which was the source before, is the source again */
#define WIRE_PAIR_DUPLEX	32u		/* with RESUME: no write is answered that the target lacks */

struct wire_pair_establish {
	uint16_t source_volume, target_volume;
	uint64_t size_bytes;
	uint8_t type;				/* enum wire_pair_type */
	uint32_t flags;				/* WIRE_PAIR_... */
	struct history history;			/* of the source */
};
struct wire_pair_reply {			/* of pair_establish, pair_status, pair_grow */
	uint8_t boot_id[WIRE_ID_SIZE];		/* of the far side */
	uint8_t state;				/* as the far side sees the pair; numbered by the pair's module */
	uint64_t size_bytes;			/* of the target */
	uint64_t noted_bytes;			/* written there, or never sent from there, as far as it is known */
	struct history history;			/* of the target */
};
struct wire_pair_request {			/* pair_remove, pair_status */
	uint16_t source_volume, target_volume;
};
struct wire_pair_grow {
	uint16_t source_volume, target_volume;
	uint64_t size_bytes;
};

/* What the far side's volume has that the other side lacks, from an offset on. */
struct wire_pair_changes_request {
	uint16_t source_volume, target_volume;
	uint64_t from_offset;
};
struct wire_pair_changes_reply {
	uint64_t next_offset;			/* where to go on; UINT64_MAX: that was all */
	uint32_t count;				/* at most WIRE_RANGES_MAX */
	struct wire_range *ranges;
};

/* All data acknowledged for these targets before this request was sent are made durable. */
struct wire_volumes_sync {
	struct wire_volumes targets;
};
struct wire_volumes_sync_reply {
	uint8_t boot_id[WIRE_ID_SIZE];		/* it holds only for what this boot id acknowledged */
	struct wire_volumes failed;		/* of the targets, those that it does not hold for */
};

/*
 * ---- standbys: who has a copy of a volume sends that on to a far side, which its source serves when that one is lost
 */

/* To who sends it on: how far is that? */
struct wire_standby_look {
	uint16_t source_volume, target_volume;	/* of the pair of the two that speak */
	char system[WIRE_SYSTEM_SIZE];		/* the far side of the target volume */
	uint16_t remote_volume;			/* there */
};
struct wire_standby_state {
	uint8_t boot_id[WIRE_ID_SIZE];		/* it holds only for what this boot id acknowledged */
	uint8_t generation[WIRE_ID_SIZE];	/* the newest of the pair with the far side that this has heard of */
	uint64_t mark;				/* of all that is acknowledged until now; 0: no groups have it */
	uint64_t covered;			/* what had a mark up to this is in a group that exists */
	uint64_t exists;			/* its number */
};

/* To the far side: it is served from here on, not by the near system, which is fenced. */
struct wire_standby_take {
	uint16_t source_volume, target_volume;
	char near_system[WIRE_SYSTEM_SIZE];
	uint64_t size_bytes;
	bool discard;				/* also what is newer there than the near system has said */
	uint64_t sequence;			/* a group that it must have */
	uint8_t generation[WIRE_ID_SIZE];	/* the newest there, as the near system said last */
	struct history history;			/* from here on */
};
struct wire_standby_taken {
	bool known;				/* it is what the near system said: it lacks what was noted for it */
};

/* ---- legs: one source system's part of a session at one far side; the source is known from the connection ---- */

struct wire_leg_open {
	struct wire_session_head head;
	uint8_t source_boot_id[WIRE_ID_SIZE];
	uint8_t key[WIRE_KEY_SIZE];		/* of the session: far sides show it to one another at recovery */
	struct wire_members members;
};
struct wire_leg_request {			/* leg_status, leg_commit, leg_abort, leg_show, leg_hide */
	struct wire_session_head head;
};
struct wire_leg_state {				/* the reply to every leg_... */
	uint8_t boot_id[WIRE_ID_SIZE];		/* of the far side */
	uint64_t committed, prepared;		/* CG numbers, 0: none */
	uint64_t highest_tag;			/* that it holds any data of */
	uint64_t incarnation;			/* highest of a master that it has recorded */
	uint64_t recovery_epoch;		/* not 0: taken over by recovery, sources are refused */
	uint64_t applied;			/* CG up to which the volumes have it */
	uint64_t journal_used_bytes, journal_free_bytes;
};

/* What was sent over one data connection up to its last MARK. */
struct wire_channel_mark {
	uint16_t reactor;			/* of the source */
	uint64_t generation;			/* of the connection */
	uint64_t frames;
	uint64_t digest;
};
struct wire_leg_prepare {
	struct wire_session_head head;
	char source[WIRE_SYSTEM_SIZE];
	uint8_t far_boot_id[WIRE_ID_SIZE];	/* that the acknowledgements came from */
	uint64_t session_time_us;		/* of the CG, microseconds since 1970 */
	uint64_t wall_us;			/* the source's clock at the close */
	struct wire_members members;
	struct wire_volumes volumes;		/* targets of this leg that are in the CG */
	uint32_t mark_count;			/* at most WIRE_CHANNELS_MAX */
	struct wire_channel_mark *marks;
};

/* ---- sessions: master to source systems ---- */

struct wire_leg_report {			/* how a source sees one of its legs */
	char far[WIRE_SYSTEM_SIZE];
	char far_address[WIRE_ADDRESS_SIZE];
	bool connected;				/* false: the state is the last one heard */
	uint32_t volumes;			/* in the session, to this far side */
	uint32_t joining;			/* of these, those that no CG has had since they were added */
	struct wire_leg_state state;
};
struct wire_session_join {
	struct wire_session_head head;
	uint8_t key[WIRE_KEY_SIZE];
	struct wire_members members;
};
struct wire_session_report {			/* the reply to session_join and session_status */
	uint8_t boot_id[WIRE_ID_SIZE];		/* of the source */
	uint8_t state;				/* numbered by the session's own module */
	uint64_t open_number, closing_number;	/* 0: none */
	uint64_t out_of_sync_blocks, unsent_blocks;
	uint64_t collisions_sidefile, collisions_waited;
	uint64_t held_writes, held_reads;
	uint64_t hold_max_us;
	uint32_t leg_count;			/* at most WIRE_LEGS_MAX */
	struct wire_leg_report *legs;
};
struct wire_session_close {
	struct wire_session_head head;		/* exists: the CG whose mask the source forgets first */
	uint32_t coordination_ms;		/* the source's own timer */
	bool join;				/* sources and volumes that are ready may join in this close */
};
struct wire_session_drain {
	struct wire_session_head head;
	uint32_t limit_ms;			/* 0: no limit */
};
struct wire_session_prepare {
	struct wire_session_head head;
	uint64_t session_time_us;
	uint32_t limit_ms;
	struct wire_members members;
};
/* session_status, _release, _commit, _abort, _exists, _leave, _suspend, _resume */
struct wire_session_request {
	struct wire_session_head head;
};
/* The reply to close, release, drain, prepare, commit, abort, exists, leave, suspend, resume. */
struct wire_session_answer {
	uint8_t boot_id[WIRE_ID_SIZE];		/* of the source */
	uint16_t reason;			/* enum cg_failure; 0: done */
	bool empty;				/* close: no block of this source is in the increment */
	uint32_t legs;				/* close: how many legs this source has in the increment */
	uint32_t hold_us;			/* release: how long answers were held */
};

/* ---- a planned swap (session_swap.c) ---- */

enum wire_swap_step {
	WIRE_SWAP_CHECK = 1,			/* to a source: may its volumes be swapped? */
	WIRE_SWAP_STOP_HOSTS = 2,		/* to a source: closes them to hosts, durably */
	WIRE_SWAP_START_HOSTS = 3,		/* to a source: the reverse, it was given up */
	WIRE_SWAP_EXCHANGE = 4,			/* to a source, paused at CG head.exists: its volumes become targets */
	WIRE_SWAP_PLAN = 5,			/* to the next master: keeps what it is to do */
	WIRE_SWAP_DROP = 6,			/* to the next master: the reverse, it was given up */
	WIRE_SWAP_BEGIN = 7,			/* to the next master: all roles are exchanged, it forms groups */
	WIRE_SWAP_TAKE_BACK = 8,		/* to a source: as 3, and what was given away comes back */
};

struct wire_session_swap {
	struct wire_session_head head;
	uint8_t step;				/* enum wire_swap_step; the rest is of the plan */
	uint8_t key[WIRE_KEY_SIZE];
	uint8_t master_lss;			/* of the next master */
	uint64_t interval_ns, coordination_ns, drain_ns, keep_ns, keep_bytes;
	uint64_t reserved;			/* numbers up to this may have been used */
	struct wire_members members;		/* whose far sides will be the sources */
};

/* Source to far side: the target becomes the source, with what CG head.exists shows. */
struct wire_pair_swap {
	struct wire_session_head head;
	uint8_t key[WIRE_KEY_SIZE];
	uint16_t source_volume, target_volume;
	bool check;				/* whether it may */
};

/* ---- groups: the master of a session of type pprc or flashcopy to each system of it ---- */

enum wire_group_step {
	WIRE_GROUP_START = 1,			/* it obeys this master from here on, durably */
	WIRE_GROUP_END = 2,			/* it does no more */
	WIRE_GROUP_HOLD = 3,			/* hosts are held when it answers; head.attempt names the moment */
	WIRE_GROUP_DO = 4,			/* at that moment, durably; hosts wait still */
	WIRE_GROUP_RUN = 5,			/* hosts go on; before 4 as if nothing had been asked */
	WIRE_GROUP_RESUME = 6,			/* what was suspended sends again */
	WIRE_GROUP_BROKEN = 7,			/* a system to the master: a pair of it is broken */
	WIRE_GROUP_SHOW = 8,
};

struct wire_group_order {
	struct wire_session_head head;
	uint8_t step;				/* enum wire_group_step */
	uint8_t type;				/* of the session */
	bool broken;				/* hold: a pair of it is; it is done in whatever state the others are */
	uint32_t limit_ms;			/* hold: if nothing is decided by then, hosts go on by themselves */
	uint32_t hold_ms;			/* do: so long hosts wait then, at most */
};
struct wire_group_answer {
	uint8_t boot_id[WIRE_ID_SIZE];
	uint32_t volumes;			/* of the session there */
	uint32_t pairs;				/* of these volumes, or FlashCopies */
	uint32_t frozen, duplex;		/* of the pairs: suspended together; full-duplex */
	uint64_t moment;			/* of the frozen ones, when it is one; else 0 */
	bool held;				/* hosts wait */
};

/* ---- recovery: far side to far side ---- */

struct wire_recover_request {			/* recover_probe (epoch 0), recover_fence */
	uint8_t session;
	char master[WIRE_MASTER_SIZE];		/* empty: any with this number and key */
	uint8_t key[WIRE_KEY_SIZE];
	uint64_t epoch;				/* recovery epoch; of two at once the higher (epoch, initiator) wins */
	char initiator[WIRE_SYSTEM_SIZE];
};
struct wire_recover_leg {
	char source[WIRE_SYSTEM_SIZE];
	char master[WIRE_MASTER_SIZE];
	uint64_t incarnation;
	uint64_t committed, prepared;
	uint64_t committed_us, prepared_us;	/* session times of these CGs */
	uint64_t highest_tag;
	uint64_t epoch;				/* the highest that fenced it; 0: none */
	char initiator[WIRE_SYSTEM_SIZE];	/* of that */
	uint64_t decided;			/* number that a recovery decided for; 0: none */
	bool forced;
	uint64_t member_version;
	struct wire_members members;		/* from its newest record */
	uint32_t volumes;			/* targets in that */
	struct wire_volumes missing;		/* of these, those that cannot show their group now */
};
struct wire_recover_legs {			/* the reply to recover_probe and recover_fence */
	uint8_t boot_id[WIRE_ID_SIZE];
	uint32_t count;				/* at most WIRE_LEGS_MAX */
	struct wire_recover_leg *items;
};
struct wire_recover_decide {
	uint8_t session;
	char master[WIRE_MASTER_SIZE];
	uint8_t key[WIRE_KEY_SIZE];
	uint64_t epoch;
	char initiator[WIRE_SYSTEM_SIZE];
	uint64_t number;			/* commit this if prepared with it; revert all else */
	bool forced;				/* decided with a member missing, which must obey */
};
struct wire_recover_done {
	uint8_t boot_id[WIRE_ID_SIZE];
	uint64_t committed;			/* the number; 0: no leg here holds it */
	uint32_t volumes;			/* that show it */
	uint32_t inconsistent;			/* legs that cannot show it and stay closed */
	struct wire_volumes missing;		/* targets in it that do not, and would if it were decided again */
	struct wire_volumes outside;		/* targets that were in no group yet, and stay closed */
	uint64_t heard_us;			/* when a source was heard last, since 1970; 0: not known */
};

/* ---- points: CGs older than the last one that far sides can show ---- */

/* session_keep: master to source; leg_keep: source to far side. 0: without that limit, both: none are kept. */
struct wire_keep {
	struct wire_session_head head;
	uint64_t keep_us;			/* of session time */
	uint64_t keep_bytes;			/* of the journal of each leg */
};

struct wire_points_request {			/* far side to far side */
	uint8_t session;
	uint8_t key[WIRE_KEY_SIZE];
	uint64_t below;				/* only those with lower numbers */
};
struct wire_point {
	uint64_t number;
	uint64_t time_us;			/* session time */
	uint64_t bytes;				/* to be written to go back to it, at most */
};
struct wire_leg_points {
	char source[WIRE_SYSTEM_SIZE];
	bool more;				/* there are older ones */
	struct wire_point oldest;		/* of all; zeros: there is none */
	uint32_t count;				/* newest first, at most WIRE_POINTS_MAX */
	struct wire_point *items;
};
struct wire_points {				/* the reply to recover_points */
	uint8_t boot_id[WIRE_ID_SIZE];
	uint32_t count;				/* at most WIRE_LEGS_MAX */
	struct wire_leg_points *legs;
};

struct wire_point_request {
	uint8_t session;
	uint8_t key[WIRE_KEY_SIZE];
	uint64_t number;
};
struct wire_point_leg {				/* that can show it */
	char source[WIRE_SYSTEM_SIZE];
	uint64_t time_us;			/* its session time */
	struct wire_members members;		/* from its own record */
	uint32_t volumes;			/* targets in that */
	struct wire_volumes missing;		/* of these, those that cannot show a group now */
};
struct wire_point_legs {			/* the reply to recover_point */
	uint8_t boot_id[WIRE_ID_SIZE];
	uint32_t count;				/* at most WIRE_LEGS_MAX */
	struct wire_point_leg *items;
};

/* ---- practice copies: far side to far side (practice_part.h) ---- */

enum wire_practice_step {
	WIRE_PRACTICE_CHECK = 1,		/* may a copy be made, in place of another one? */
	WIRE_PRACTICE_CHECK_REMOVE = 2,		/* may one be removed? */
	WIRE_PRACTICE_PREPARE = 3,		/* another one is removed, volumes are made */
	WIRE_PRACTICE_HOLD = 4,			/* nothing more is brought to the target volumes */
	WIRE_PRACTICE_STOP = 5,			/* for a moment nothing is committed: says what is */
	WIRE_PRACTICE_BRING = 6,		/* the target volumes show CG number, and no newer one */
	WIRE_PRACTICE_FLASH = 7,		/* they are copied; groups come to them again */
	WIRE_PRACTICE_FILL = 8,			/* the copies go back to CG at; asked until it is done */
	WIRE_PRACTICE_COMMIT = 9,		/* the copy is whole, and opened to hosts */
	WIRE_PRACTICE_UNDO = 10,		/* what is there of this attempt is removed */
	WIRE_PRACTICE_REMOVE = 11,		/* what is there of any is */
};

struct wire_practice {
	uint8_t session;
	uint8_t key[WIRE_KEY_SIZE];
	uint64_t attempt;			/* random: of this command */
	uint8_t step;				/* enum wire_practice_step */
	uint64_t at;				/* an older CG that the copy is to show; 0: the newest that all have */
	uint64_t number;			/* BRING: the newest that all have */
	char pool[WIRE_POOL_SIZE];		/* PREPARE: where volumes are made; empty: beside their sources */
};
struct wire_practice_leg {
	char source[WIRE_SYSTEM_SIZE];
	uint64_t committed, prepared;		/* CG numbers, 0: none */
	uint64_t member_version;
	struct wire_members members;		/* from its committed record */
};
struct wire_practice_reply {
	uint8_t boot_id[WIRE_ID_SIZE];
	bool more;				/* FILL: there is more to be done */
	uint32_t volumes;			/* that the copy has here */
	uint32_t count;				/* at most WIRE_LEGS_MAX */
	struct wire_practice_leg *legs;		/* STOP: what is committed */
};

/* ---- comparing all pairs of a session: master to source (verify_member.h) ---- */

enum wire_verify_step {
	WIRE_VERIFY_BEGIN = 1,
	WIRE_VERIFY_LOOK = 2,
	WIRE_VERIFY_END = 3,
};

struct wire_verify {
	uint8_t session;
	uint64_t id;				/* random: of this comparison */
	uint8_t step;				/* enum wire_verify_step */
	bool repair;
	uint64_t rate_bytes;			/* a second; 0: no limit */
};
struct wire_verify_report {
	uint8_t boot_id[WIRE_ID_SIZE];
	bool done, waits;			/* waits: nothing was found out for some seconds */
	uint32_t volumes;
	uint64_t done_bytes, total_bytes;
	uint64_t differing_blocks, repaired_blocks;
	uint16_t code;				/* enum fault_code, of the first fault; 0: there is none */
	char object[64], message[WIRE_TEXT_SIZE], remedy[WIRE_TEXT_SIZE];
};

/* ---- events, over the connection that the other side dialed: source system to master, far side to source ---- */

struct wire_event_session {
	uint8_t session;
	char master[WIRE_MASTER_SIZE];
	uint8_t boot_id[WIRE_ID_SIZE];
	uint64_t open_number;
};

/* ---- encoding ---- */

struct wire_layout;				/* how a struct's fields go over the wire */

struct wire_type {
	uint16_t number;			/* enum wire_message_type */
	const char *name;			/* "leg_prepare" */
	const struct wire_layout *request;	/* of an event: the event */
	const struct wire_layout *reply;	/* NULL: an event */
};

/* NULL: no such message. */
const struct wire_type *wire_type_find(uint16_t number);

/* All messages, for tables and tests. */
const struct wire_type *wire_types(size_t *count);

/* Size of the struct in memory. */
size_t wire_struct_size(const struct wire_layout *layout);

/*
 * Encodes into a new buffer (mem_free). -EMSGSIZE: a list or text is longer than allowed, or the whole exceeds
 * WIRE_MESSAGE_MAX; -ENOMEM.
 */
RT_MUST_CHECK int wire_encode(const struct wire_layout *layout, const void *message, uint8_t **out, size_t *out_len);

/*
 * Fills in the whole struct from exactly len bytes; wire_free it afterwards. -EBADMSG: not such a message (message is
 * then zeroed and owns nothing); -ENOMEM likewise.
 */
RT_MUST_CHECK int wire_decode(const struct wire_layout *layout, const uint8_t *from, size_t len, void *message);

/* Gives the memory of the lists back and zeroes the struct; the struct itself is the caller's. */
void wire_free(const struct wire_layout *layout, void *message);

#endif
