/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_private.h - what the files of a source know of one another: source.c has its life and its pairs, source_leg.c
 * asks its far sides, source_answer.c answers the master. Reactor 0.
 */
#ifndef XDC_COPY_SOURCE_PRIVATE_H
#define XDC_COPY_SOURCE_PRIVATE_H

#include "copy/member.h"
#include "copy/source.h"

struct source_leg {
	struct list_head link;			/* of source->legs, until its last pair has left */
	struct source *source;
	struct peer *peer;
	unsigned pairs;
	unsigned pins;				/* the list, and fibers that suspend and come back to it */
	bool open;				/* the far side has answered leg_open */
	uint64_t lost;				/* the CG that it had and came back without; 0: none */
	uint8_t boot_id[WIRE_ID_SIZE];		/* with this boot id */
	struct wire_leg_state state;		/* as last heard */
	char refusal[WIRE_TEXT_SIZE];		/* why it does not take the session up; empty: it does */
	int64_t refused_wall_ns;		/* since when */
	bool silent;				/* it is refused for want of an answer */
};

struct source {
	struct list_head link;
	struct copy *copy;
	struct member *member;
	struct list_head legs;			/* with at least one pair each */
	struct rt_group fibers;
	struct rt_cond idle_begins;
	bool idle;				/* the last close found nothing written */
	struct rt_mutex opening;		/* one at a time speaks leg_open */
	uint8_t number;
	bool joined;				/* a master has spoken since this system started */
	char master[WIRE_MASTER_SIZE];
	uint64_t incarnation, attempt, exists;
	uint8_t key[WIRE_KEY_SIZE];
	struct wire_members members;		/* the list of the last prepare, owned */
};

/* What every answer to the master says. */
void source_fill_answer(struct source *source, struct wire_session_answer *answer);

/* A system is master in its own name alone, whoever else has a link to here: 0 or -EACCES. */
RT_MUST_CHECK int source_check_speaker(const struct link_peer *peer, const struct wire_session_head *head, char *why);

/* A far side that works answers in milliseconds. Less than a master waits. */
#define LEG_ANSWER_NS	(8 * RT_SECOND)

/* NULL: no pair of the session has its far side there. */
struct source_leg *source_leg_find(struct source *source, const char *far);

/* The last pin frees it. Suspends then. */
void source_leg_unpin(struct source_leg *leg);

/* The far side has answered this system since it started, and all that is counted as acknowledged is of that start. */
bool source_leg_is_connected(const struct source_leg *leg);

/* Why it is of no use otherwise: -ENOTCONN, or -EPROTO: it is reached, and only a join of the master opens it. */
int source_leg_missing(const struct source_leg *leg);

struct wire_session_head source_make_head(const struct source *source);

/* What is asked of a leg, and its answer. */
struct leg_question {
	struct source_leg *leg;			/* pinned */
	uint16_t type;
	const struct wire_session_head *head;
	uint64_t session_time_us;
	const struct wire_members *members;
	const struct wire_keep *keep;		/* of leg_keep */
	int64_t limit_ns;			/* for its answer */
	int rc;
	char why[WIRE_TEXT_SIZE];
};

/* The same question for each leg, pinned until they are dropped. NULL: no memory. */
struct leg_question *leg_questions_make(struct source *source, const struct leg_question *like, unsigned *count);
void leg_questions_drop(struct leg_question *questions, unsigned count);	/* may suspend */

/* Asks all at once: 0 when all have answered, whatever they said; -ETIMEDOUT, -ECANCELED. Suspends. */
RT_MUST_CHECK int leg_questions_ask(struct leg_question *questions, unsigned count);

/* 0 when all legs said yes, else the error of one, with its words in why; -ENOMEM. Suspends. */
RT_MUST_CHECK int source_ask_legs(struct source *source, const struct leg_question *like, char *why);

#endif
