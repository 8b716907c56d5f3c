/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_table.h - the one table of copy services: what each operation of an administrator does to a copy of each type
 * in each state. copy/ asks it before it carries an operation out, faces for what is allowed; what CIM and Swordfish
 * call it is in state_table_cim.h. Pure: it knows only what it is given. Any thread.
 *
 * What it cannot know is looked at by the operation itself, behind it: whether other systems are reached, memory and
 * disks, and what other copies of the same volumes forbid.
 */
#ifndef XDC_COPY_STATE_TABLE_H
#define XDC_COPY_STATE_TABLE_H

#include "copy/table.h"
#include "store/records.h"

/* ---- the words ---- */

enum copy_type {
	COPY_TYPE_GLOBAL_COPY,
	COPY_TYPE_ASYNC,		/* in no session */
	COPY_TYPE_SESSION,		/* async, in one; a target: in a consistency group that its journal keeps */
	COPY_TYPE_SYNC,
	COPY_TYPE_FLASH,		/* background copy; the relation ends when all is copied */
	COPY_TYPE_FLASH_NO_COPY,
	COPY_TYPE_FLASH_PERSISTENT,	/* background copy; the relation stays */
	COPY_TYPE_FLASH_RECORD,		/* persistent, and can be resynced; with or without background copy */
	COPY_TYPE_FLASH_PRACTICE,	/* of the practice copy of a session: only that ends it */
	COPY_TYPE_COUNT
};
extern const char *const copy_type_names[COPY_TYPE_COUNT];

enum copy_state {
	COPY_STATE_NONE,		/* there is no copy */
	/* source of a pair */
	COPY_STATE_FIRST_COPY,
	COPY_STATE_RESYNC,		/* the first copy was whole once; what has changed meanwhile is sent */
	COPY_STATE_FOLLOWING,		/* not sync: what hosts write is sent behind them */
	COPY_STATE_FULL_DUPLEX,
	COPY_STATE_REFUSING,		/* critical: the far side is not there, and hosts have errors until it is */
	COPY_STATE_INTERRUPTED,		/* by something that is tried again by itself */
	COPY_STATE_SUSPENDED,		/* by a command */
	COPY_STATE_FROZEN,		/* together with its path, and hosts are held */
	COPY_STATE_SPLIT,		/* after that, or with its group: the far sides are of one moment */
	COPY_STATE_PAUSED,		/* with its session: the targets show its last group */
	COPY_STATE_REMOVED,		/* from a session whose groups it was in */
	COPY_STATE_DIVERGED,		/* the far side is newer, or both were written */
	COPY_STATE_WRITES_LOST,		/* here, with the power; the far side has them */
	COPY_STATE_COPY_ANEW,		/* the far side does not know the pair, or has given a group up */
	COPY_STATE_OFFLINE,		/* its volume is */
	/* target of a pair */
	COPY_STATE_TARGET_FIRST_COPY,	/* what it holds is of no moment yet */
	COPY_STATE_TARGET,
	COPY_STATE_TARGET_FULL_DUPLEX,
	COPY_STATE_TARGET_AWAY,		/* it was the source, and the other end is on the way to become that */
	COPY_STATE_TARGET_TORN,		/* it lacks a part of a group that was given up */
	COPY_STATE_FAILED_OVER,		/* production is here */
	COPY_STATE_TARGET_OFFLINE,
	/* FlashCopy */
	COPY_STATE_FLASH_COPYING,
	COPY_STATE_FLASH_IDLE,		/* no background copy: the target needs its source */
	COPY_STATE_FLASH_WHOLE,		/* all is the target's own */
	COPY_STATE_FLASH_RESTORING,	/* a target that was not whole gives back what it had kept */
	COPY_STATE_FLASH_REVERTIBLE,	/* neither is written until it is committed or reverted */
	COPY_STATE_FLASH_FAILED,
	COPY_STATE_FLASH_WITHDRAWING,
	COPY_STATE_FLASH_OFFLINE,	/* one of its volumes is */
	COPY_STATE_COUNT
};
extern const char *const copy_state_names[COPY_STATE_COUNT];

/* xdc pair, or xdc flash, and this word. */
enum copy_verb {
	COPY_CREATE, COPY_SUSPEND, COPY_RESUME, COPY_GO_TO_SYNC, COPY_LEAVE_SYNC, COPY_FREEZE, COPY_RUN,
	COPY_FAILOVER, COPY_FAILBACK, COPY_VERIFY, COPY_SET,
	COPY_RESYNC, COPY_REVERSE, COPY_COMMIT, COPY_REVERT,
	COPY_DELETE,
	COPY_VERB_COUNT
};
extern const char *const copy_verb_names[COPY_VERB_COUNT];

/* ---- a cell ---- */

#define COPY_STATE_BIT(state)	(1ull << (state))

/* next_type is a copy_type; next: COPY_STATE_BIT of each. */
struct copy_cell copy_table_cell(enum copy_type type, enum copy_state state, enum copy_verb verb);

/* It is one of the states of a copy of this type; COPY_STATE_NONE is of all. */
bool copy_table_has(enum copy_type type, enum copy_state state);

/*
 * States that a copy comes to from this one without a command on it at this end: by its own progress, the other end,
 * its session, links, disks and restarts. COPY_STATE_BIT of each. And the types that it may have then, 1 << type of
 * each: that of a target follows its source, and sessions take pairs in and let them go.
 */
uint64_t copy_table_drifts(enum copy_type type, enum copy_state state);
uint32_t copy_table_turns(enum copy_type type);

/* What stands in messages for {volume} and the like. */
struct copy_words {
	const char *object;		/* of the fault */
	uint16_t volume, remote;	/* of a FlashCopy: its target, and its source */
	const char *system;		/* of the remote volume; NULL: there is none */
	uint8_t session;
	const char *state, *reason;	/* as the metadata have them */
	uint64_t blocks;		/* of its own */
};

/* 0 when the operation may begin, 1 when there is nothing to be done (COPY_NOTHING), else -1. */
int copy_table_check(enum copy_type type, enum copy_state state, enum copy_verb verb, bool force,
		     const struct copy_words *words, struct fault *fault);

/* The same for those who know that the cell refuses: -1. */
int copy_table_refuse(const struct copy_cell *cell, const struct copy_words *words, enum copy_verb verb,
		      struct fault *fault);

/* What may be done now: "delete --force" where it takes that. Text of the verb, or NULL: not allowed. */
const char *copy_table_allows(enum copy_type type, enum copy_state state, enum copy_verb verb);

/* ---- which type and state it is ---- */

struct copy_pair_facts {
	const struct record_pair *record;
	bool offline;			/* its volume is */
	bool grouped;			/* a target: its volume is in a consistency group that is kept */
	bool frozen;			/* hosts are held by pair freeze */
	bool resyncing;			/* what had changed while it did not send is not all sent yet */
	bool writes_lost;		/* with the power, and not accepted yet */
};
void copy_table_of_pair(const struct copy_pair_facts *facts, enum copy_type *type, enum copy_state *state);

struct copy_flash_facts {
	const struct record_flash *record;
	bool target_attached, source_attached;
	bool whole;
};
void copy_table_of_flash(const struct copy_flash_facts *facts, enum copy_type *type, enum copy_state *state);

#endif
