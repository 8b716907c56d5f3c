/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h - the master of a session: forms consistency groups over all member systems, one attempt after the other
 * (design: 6, steps 1 to 5; proctype Master of model/consistency-group.pml). It speaks to members by requests alone,
 * also to the one on its own system, so that there is one way only. Everything on reactor 0.
 */
#ifndef XDC_COPY_SESSION_H
#define XDC_COPY_SESSION_H

#include "copy/copy.h"
#include "copy/wire_message.h"

struct session;

/* Asks a system, this one or another: a request of wire_message.h, as link_request. */
typedef int (*session_ask)(void *arg, const char *system, uint16_t type, const void *request, void *reply,
			   char why[WIRE_TEXT_SIZE]);

/*
 * What must be durable before the master goes on: number reserved below which attempts may be used, the incarnation,
 * and with the rest (state, counters) for the next start. 0 or negative errno.
 */
struct session_durable {
	uint64_t reserved;
	uint64_t incarnation;
	enum session_state state;
	uint64_t cg_good, cg_failed;
};

struct session_config {
	uint8_t number;
	uint8_t master_lss;
	char own[XDC_SYSTEM_ID_MAX];
	unsigned member_count;			/* source systems, own first */
	char members[XDC_SESSION_MEMBERS_MAX][XDC_SYSTEM_ID_MAX];
	struct session_tunables tunables;
	bool tells_keep;			/* members are told what to keep */
	uint8_t key[WIRE_KEY_SIZE];		/* of the session, the same for ever */
	struct session_durable durable;		/* as last saved */
	session_ask ask;
	int (*save)(void *arg, const struct session_durable *durable);
	/* An event of the session (copy_config.tell). Does not suspend. NULL: only the log. */
	void (*tell)(void *arg, enum event_kind kind, enum event_level level, const char *remedy, const char *text);
	const struct copy_limits *limits;	/* as copy_config.limits */
	void *arg;				/* of ask, save and tell */
};

/* Begins to run in fibers of its own: a new incarnation asks all members first, then forms CGs. -ENOMEM. */
RT_MUST_CHECK int session_start(const struct session_config *config, struct session **out);

/* Stops at once, wherever it is (a commit under way goes on at the next start), and frees. Suspends. */
void session_stop(struct session *session);

/*
 * It comes to its end wherever it is, and forms no more groups; session_stop is still to be called. give_up does not
 * wait for that, end suspends until it has.
 */
void session_give_up(struct session *session);
void session_end(struct session *session);

/* Somebody waits in session_pause, or has given that up. */
bool session_is_pausing(const struct session *session);

/* It was paused, ended or lost, and forms no more groups: all that is left of it is to be stopped. */
bool session_has_ended(const struct session *session);

/*
 * Ends the attempt under way in an orderly way and forms no more, also after a restart: 0. last: but for one that
 * begins from now on; -EAGAIN: it does not come about, and the session goes on. -ETIMEDOUT, -ECANCELED: it will have
 * ended some time; else what save said: it goes on. Suspends.
 */
RT_MUST_CHECK int session_pause(struct session *session, bool last);

/*
 * Nobody waits any more for a pause that was asked for and has not come: session_pause returns -ECANCELED, and groups
 * go on, as they do where none was asked for. False: it has come, or is about to. Does not suspend.
 */
bool session_withdraw_pause(struct session *session);

/* Its volumes here were taken over by their far side: it ends. Does not suspend. */
void session_lose(struct session *session);

/* A member has something to send after a time without writes: no need to sleep on. Does not suspend. */
void session_wake(struct session *session);

/*
 * Tells every member that the session is over: 0 when all have heard it, else -ENOTCONN. Only when paused. Suspends.
 */
RT_MUST_CHECK int session_dismiss(struct session *session);

/* Does not suspend. */
void session_limits_changed(struct session *session);

/*
 * All legs of its sources, to be freed. -EAGAIN: not all have joined, or no group was formed yet; -ENOMEM.
 */
RT_MUST_CHECK int session_copy_legs(const struct session *session, struct wire_members *out);

/* Fills in what a master knows of a session; the rest stays as it is. */
void session_get_info(const struct session *session, struct copy_session_info *info);

#endif
