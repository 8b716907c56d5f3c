/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_table.h - the one table of sessions: what each operation of an administrator does to a session of each type,
 * by how it stands on the system where the command is given. copy/ asks it before it carries an operation out, faces
 * for what is allowed (docs/session-table.md). Pure: it knows only what it is given. Any thread.
 *
 * A system may be a source and a far side of a session at once: each operation is about one of the two sides. What the
 * table cannot know is looked at by the operation itself, behind it: whether other systems are reached and agree, the
 * volumes that are named, LSSs, paths, disks and memory, and whether another command on the session is under way.
 */
#ifndef XDC_COPY_SESSION_TABLE_H
#define XDC_COPY_SESSION_TABLE_H

#include "copy/table.h"
#include "store/records.h"

/* ---- the words ---- */

enum session_standing {
	/* as source, or as who coordinates */
	STANDING_UNKNOWN,		/* it is not open here */
	STANDING_OF_FAR,		/* nor that: this system is a far side of it alone */
	STANDING_OPEN,			/* not started */
	STANDING_ELSEWHERE,		/* its master is another system */
	STANDING_RUNNING,
	STANDING_PAUSING,		/* a pause was asked for, and has not come to its end */
	STANDING_PAUSED,
	STANDING_SUSPENDING,		/* on the way to paused-consistent, and back */
	STANDING_PAUSED_CONSISTENT,
	STANDING_RESUMING,
	STANDING_SWAP_BEGUN,		/* there is a way back */
	STANDING_SWAPPING,		/* and none */
	STANDING_OVER,			/* at its master: volumes were taken over by their far side */
	STANDING_TAKEN_OVER,		/* the same elsewhere */
	STANDING_HELD,			/* type pprc: not started, and hosts are held */
	STANDING_RUNNING_HELD,		/* the same of one that is started */
	/* as far side */
	STANDING_NO_FAR,		/* this system is no far side of it */
	STANDING_FAR,			/* it keeps its last group */
	STANDING_FAR_OVER,		/* others were recovered to a group that it lacks */
	STANDING_RECOVERED,		/* production is here */
	STANDING_FAILING_BACK,		/* and what changes goes to the old site */
	STANDING_RETURNING,		/* and its volumes are on the way there */
	STANDING_COUNT
};
extern const char *const session_standing_names[STANDING_COUNT];

/* xdc session, and this word. */
enum session_verb {
	SESSION_DO_OPEN, SESSION_DO_CLOSE, SESSION_DO_ADD, SESSION_DO_REMOVE,
	SESSION_DO_START, SESSION_DO_PAUSE, SESSION_DO_PAUSE_CONSISTENT, SESSION_DO_RESUME,
	SESSION_DO_FREEZE, SESSION_DO_RUN, SESSION_DO_FLASH, SESSION_DO_VERIFY, SESSION_DO_SWAP, SESSION_DO_TERMINATE,
	SESSION_DO_PRACTICE, SESSION_DO_RECOVER, SESSION_DO_FAILBACK, SESSION_DO_RETURN,
	SESSION_VERB_COUNT
};
extern const char *const session_verb_names[SESSION_VERB_COUNT];

/* ---- a cell ---- */

#define STANDING_BIT(standing)	(1ull << (standing))

/* Those of SESSION_XRC, of which there are none, are COPY_NO_VERB. next_type is the type. */
struct copy_cell session_table_cell(enum session_type type, enum session_standing standing, enum session_verb verb);

/* A session of this type may stand so. */
bool session_table_has(enum session_type type, enum session_standing standing);

/* What stands in messages. */
struct session_words {
	uint8_t session;
	const char *state;		/* as the metadata have it */
	const char *master, *next;	/* systems: its master, and who is to be it by a swap; empty: not known */
};

/* 0 when the operation may begin, 1 when there is nothing to be done (COPY_NOTHING), else -1. */
int session_table_check(enum session_type type, enum session_standing standing, enum session_verb verb, bool force,
			const struct session_words *words, struct fault *fault);

/* What may be done now: "terminate --force" where it takes that. Text of the verb, or NULL: not allowed. */
const char *session_table_allows(enum session_type type, enum session_standing standing, enum session_verb verb);

/* ---- how it stands ---- */

struct session_facts {
	const struct record_session *record;	/* NULL: it is not open here */
	bool runs;			/* it forms groups, under this system */
	bool pausing;			/* it did, or is about to stop: only with runs */
	bool over;			/* its volumes were taken over, and that is not durable yet */
	bool elsewhere;			/* another system is its master, as this one has heard or remembers */
	bool held;			/* type pprc: its hosts wait */
	bool is_far;			/* this system keeps a group of it */
	bool left_by_swap;		/* volumes wait here for a group of a swap's new direction */
	bool far_over;			/* that is not the one which was recovered */
	bool recovered;			/* that is what hosts have */
	bool failing_back;		/* what they write is sent to the old site */
	bool returning;			/* they are stopped, and the old site is asked to go on, or does */
};

/* As the side of the session that the operation is about. */
enum session_standing session_table_of(const struct session_facts *facts, enum session_verb verb);

#endif
