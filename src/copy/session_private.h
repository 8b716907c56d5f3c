/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_private.h - what the files of a master know of one another: session_group.c asks members and forms one
 * group, session.c joins members, settles what an earlier master left, and goes on from group to group.
 */
#ifndef XDC_COPY_SESSION_PRIVATE_H
#define XDC_COPY_SESSION_PRIVATE_H

#include "copy/session.h"

#define HOLDS			1024u			/* of the last attempts, for the percentile */
#define ANSWER_NS		(10 * RT_SECOND)	/* for requests that should take milliseconds */
#define RETRY_NS		(200 * RT_MS)

struct session_member {
	struct session *session;
	char system[XDC_SYSTEM_ID_MAX];
	bool joined;				/* answered join to this incarnation and has not restarted since */
	bool kept;				/* and has told its far sides what to keep */
	bool committed;				/* the CG whose commit is under way */
	bool asked;				/* and has not answered yet */
	int64_t silent_since_wall_ns;		/* asked then, and nothing heard since; 0: it has answered */
	uint8_t boot_id[WIRE_ID_SIZE];
	uint64_t out_of_sync_blocks;
	/* the request under way */
	int rc;
	char why[WIRE_TEXT_SIZE];
	struct wire_session_answer answer;
	struct wire_session_report report;	/* reply to join; owned until the next */
};

struct session {
	struct session_config config;
	struct session_member members[XDC_SESSION_MEMBERS_MAX];
	struct wire_members legs;		/* the member list of prepare records: all legs of all sources */
	bool legs_listed;			/* as all members have reported them since they joined */
	uint64_t member_version;
	struct rt_group group, asking;
	struct rt_cond changed;
	bool pause_asked, woken, resolved, ended;
	bool last_asked;			/* before it is paused one more group is to be formed */
	unsigned pauses_asked;			/* so often: a last group is of the one before which it began */
	bool pause_comes;			/* it is being made durable */
	int64_t pausing_since_wall_ns;
	int pause_rc;				/* why it was not paused when that was asked for last */
	enum session_state state;
	enum session_phase phase;
	int64_t phase_since_wall_ns;
	uint64_t attempt, sequence;
	int64_t session_time_us;		/* of the last attempt: rises for ever */
	int64_t cg_wall_ns;			/* the moment that the last CG shows */
	int64_t shown_ns;			/* the same by the clock of ages; 0: not known */
	unsigned drain_misses;
	uint64_t failed_since_good;
	int64_t failure_logged_ns;		/* the line about the last failure that was new, or was due again */
	struct record_failure first_failure, last_failure, previous_failure;
	uint32_t holds[HOLDS];
	unsigned hold_count;
	uint32_t hold_max_us;
	int64_t rest_until_ns;			/* hosts are left alone until then */
	int64_t saved_ns;
	/* what was told (session_watch.c) */
	int64_t started_ns;
	unsigned failed_in_row;
	bool failing_told, rpo_told;
	struct rt_cond limits_changed;
};

struct wire_session_head session_make_head(const struct session *session, uint64_t attempt);
struct wire_session_request session_make_request(const struct session *session, uint64_t attempt);

struct session_question {
	uint16_t type;
	const void *request;
	int64_t limit_ns;
};

/*
 * Asks those members for which want is true (NULL: all), all at once, and waits for all answers. True when all said
 * yes. Suspends.
 */
bool session_ask_members(struct session *session, const struct session_question *question,
			 bool (*want)(struct session_member *));
bool session_ask_all(struct session *session, uint16_t type, const void *request, int64_t limit_ns);

/* What people see: the phase, and since when. */
void session_enter_phase(struct session *session, enum session_phase phase);

/* By the last answers, a far side was recovered without us: the session is fatal then. */
bool session_was_recovered(struct session *session);

/*
 * There is no way back from here: commit is repeated until every member has answered. False only when cancelled, or
 * when the far sides were recovered: whoever did that has decided. Suspends.
 */
bool session_finish_group(struct session *session, uint64_t number);

enum session_outcome {
	GROUP_FORMED,
	GROUP_SHOWS_ALL,		/* nothing was written: the last CG is known to show this moment too */
	GROUP_FAILED,
};

/* One attempt. Suspends. */
enum session_outcome session_form_group(struct session *session);

/* An event of this session; it is in the log then. Does not suspend. */
__attribute__((format(printf, 5, 6)))
void session_tell(const struct session *session, enum event_kind kind, enum event_level level, const char *remedy,
		  const char *format, ...);

/* It is over, and only an administrator may begin it anew: once, with an event that says why. */
__attribute__((format(printf, 3, 4)))
void session_become_fatal(struct session *session, enum event_kind kind, const char *format, ...);

/* A group has failed, as last_failure says; one shows this moment, or a later one than before. Neither suspends. */
void session_watch_failed(struct session *session);
void session_watch_shown(struct session *session);

/* A fiber of the session's group. */
void session_watch_rpo(void *arg);

/* Asks those that have not joined. True when all members have, with all their legs. Suspends. */
bool session_join_members(struct session *session);

#endif
