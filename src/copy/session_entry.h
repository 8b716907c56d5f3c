/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_entry.h - a session on this system as an administrator sees it, whatever its role: what is durable of it, and
 * one command at a time on it. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_SESSION_ENTRY_H
#define XDC_COPY_SESSION_ENTRY_H

#include "copy/group_volume.h"
#include "copy/session_table.h"
#include "store/meta.h"

struct session_entry {
	struct list_head link;			/* of copy->sessions */
	struct record_session record;
	struct session *master;			/* while this system coordinates it */
	struct copy *copy;
	struct rt_mutex turn;			/* one command at a time */
	struct rt_mutex changing;		/* one change of the record at a time */
	bool breaking;				/* type pprc: a pair is broken, and all are being suspended */
	struct rt_mutex deciding;		/* as the master of one not of type xdc: one moment at a time */
	unsigned moments;			/* on which all systems agreed, since the start */
	unsigned breaks;			/* attempts to suspend all with a broken pair, since the start */
	int break_rc;				/* how the last of these ended (group_freeze) */
	struct fault break_fault;
	unsigned pins;				/* commands that have it or wait for it: it is not freed */
};

extern const struct session_tunables session_tunables_default;
struct session_tunables session_tunables_of(const struct record_session *record);

/* NULL: this system knows no such session. */
struct session_entry *session_entry_find(struct copy *copy, uint8_t session);

/* ---- what the table lets be done with it (session_table.h) ---- */

/* How it stands here; valid until the caller suspends. */
struct session_view {
	uint8_t session;
	struct session_facts facts;
	char master[XDC_SYSTEM_ID_MAX];		/* if it is another system, and known; else empty, or this one */
};
void session_look(struct copy *copy, uint8_t session, struct session_view *view);

/* 0: the operation may begin; else -1 with the fault. Neither suspends. */
int session_check(struct copy *copy, uint8_t session, enum session_verb verb, bool force, struct fault *fault);
int session_check_view(const struct session_view *view, enum session_verb verb, bool force, struct fault *fault);

/* Texts of what may be done now; how many. */
unsigned session_list_allowed(const struct session_view *view, const char *out[SESSION_VERB_COUNT]);

/*
 * Takes the session for this command, and gives it back; end returns rc. NULL, with the fault: it may not be now, or
 * another command on it does not end. wait: it is not open here, or that; what else the table says is for the caller to
 * ask. Both suspend.
 */
struct session_entry *session_entry_begin(struct copy *copy, uint8_t session, enum session_verb verb,
					  struct fault *fault);
struct session_entry *session_entry_wait(struct copy *copy, uint8_t session, enum session_verb verb,
					 struct fault *fault);
int session_entry_end(struct session_entry *entry, int rc);

/* While what is not a command comes back to it after it has suspended. Unpin frees one that is open nowhere by then. */
void session_entry_pin(struct session_entry *entry);
void session_entry_unpin(struct session_entry *entry);

/*
 * Volumes of the session here were taken over by their far side: it takes no part any more, until volumes are added
 * again. Durable. Negative errno. Suspends.
 */
RT_MUST_CHECK int session_entry_lose(struct copy *copy, uint8_t session);

/* -EPERM, and why, when that has happened; else 0. */
int session_entry_check(struct copy *copy, uint8_t session, char *why);

/* What was lost begins anew. Negative errno. Suspends. */
RT_MUST_CHECK int session_entry_renew(struct session_entry *entry);

/* As the metadata have it. -ENOMEM. */
RT_MUST_CHECK int session_entry_take_up(struct copy *copy, const struct record_session *record);

/* Frees what it is and takes it out of the list; nobody but the caller has it pinned. */
void session_entry_put_down(struct session_entry *entry);
void session_entries_free(struct copy *copy);

/* The session is open on this LSS (lss < 0: on any). NULL: it is not. */
struct session_lss *session_lss_find(struct copy *copy, uint8_t session, int lss);

/* One change of the metadata, durable. Negative errno. Suspends. */
RT_MUST_CHECK int session_commit(struct copy *copy, enum meta_op op, enum meta_kind kind, const void *record);

/* Durable. Negative errno. Suspends. */
RT_MUST_CHECK int session_entry_set_state(struct session_entry *entry, enum session_state state);

/* ---- for commands (session_ops.c, session_pause.c); checks fill in the fault ---- */

/* It begins to run here, as its record says. Negative errno. Suspends. */
RT_MUST_CHECK int session_begin(struct session_entry *entry);

/* Likewise, with its tunables and as the master, as next says, which ends a change of the record. */
RT_MUST_CHECK int session_begin_as(struct session_entry *entry, const struct record_session *next);

/* What a master has come to, for the time when there is none. */
void session_keep_results(const struct session_entry *entry, struct record_session *record);

/* Where the master and its subordinates are to be: it is open here, and paths lead there. */
int session_check_places(const struct session_entry *entry, const struct session_start *start, struct fault *fault);

/* The subordinates of an earlier start are replaced by these, durably, all or none. Negative errno. Suspends. */
RT_MUST_CHECK int session_replace_subordinates(struct session_entry *entry, const struct session_start *start);

int session_check_tunables(uint8_t session, const struct session_tunables *tunables, struct fault *fault);
void session_choose_tunables(const struct session_start *start, const struct session_tunables *otherwise,
			     struct session_tunables *out);
void session_set_tunables(struct record_session *record, const struct session_tunables *tunables);

/* An event of it: session_config.tell, whose arg is the entry. Does not suspend. */
void session_entry_tell(void *arg, enum event_kind kind, enum event_level level, const char *remedy, const char *text);

/* What session_pause has returned. -1. */
int session_fault_pause(const struct session_entry *entry, int rc, struct fault *fault);

/* It is paused with a consistent target, or on the way there or back. */
bool session_is_suspended(const struct session_entry *entry);

/* Whoever is suspended sends again, and no target is shown any more. -1 with the fault: not all of them. Suspends. */
int session_release_members(struct session_entry *entry, struct fault *fault);

/*
 * Makes the session known here, with this key, and opens it on an LSS, where it is not; without a role. Negative errno.
 * Suspends.
 */
RT_MUST_CHECK int session_entry_ensure(struct copy *copy, uint8_t session, const uint8_t *key, uint8_t lss);

/*
 * Commands, the master's groups and the source change what is theirs in the record at the same time. next: as it is,
 * for the caller to change; nobody else changes it before the end, which makes next durable in its place, or leaves it
 * as it was. Negative errno; of the begin: there is nothing to end. Both suspend.
 */
RT_MUST_CHECK int session_entry_begin_change(struct session_entry *entry, struct record_session *next);
RT_MUST_CHECK int session_entry_end_change(struct session_entry *entry, const struct record_session *next);

/* In place of the end: it becomes durable with the next change, which the caller makes at once. Does not suspend. */
void session_entry_keep_change(struct session_entry *entry, const struct record_session *next);

/* Gives all sources an order (session_pause.c): 0, or the error of the first that has not done it. Suspends. */
int session_order_all(struct session_entry *entry, uint16_t type, uint8_t step, struct fault *fault);

/* No master runs, and the last group is known: all pairs are suspended at it. Suspends. */
int session_suspend_members(struct session_entry *entry, struct fault *fault);

/* It forms no more groups, but for a last one. -1 with the fault. Suspends. */
int session_stop_groups(struct session_entry *entry, bool last, struct fault *fault);

/* A swap that can be given up still is: hosts may write again. -1 with the fault. Suspends. */
int session_drop_swap(struct session_entry *entry, struct fault *fault);

/*
 * One that cannot: all volumes that no group of the new direction has are production here. -1 with the fault. Suspends.
 */
int session_take_back(struct session_entry *entry, struct fault *fault);

/* Ends it, at its master, by the holder of its turn; what it may the table has said. -1 with the fault. Suspends. */
int session_terminate(struct session_entry *entry, bool force, struct fault *fault);

/* "session 7", for faults. */
const char *session_object(uint8_t session, char text[64]);

/* -1, with the fault that a change cannot be made durable. */
int session_fault_durable(uint8_t session, int rc, struct fault *fault);

#endif
