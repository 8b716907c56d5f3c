/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_entry.h - a session on this system as an administrator sees it, whatever its role: what is durable of it, and
 * one command at a time on it. Reactor 0; private to copy/.
 */
#ifndef XDC_COPY_SESSION_ENTRY_H
#define XDC_COPY_SESSION_ENTRY_H

#include "copy/group_volume.h"
#include "store/meta.h"

struct session_entry {
	struct list_head link;			/* of copy->sessions */
	struct record_session record;
	struct session *master;			/* while this system coordinates it */
	struct copy *copy;
	struct rt_mutex turn;			/* one command at a time */
	bool breaking;				/* type pprc: a pair is broken, and all are being suspended */
	unsigned pins;				/* commands that have it or wait for it: it is not freed */
};

extern const struct session_tunables session_tunables_default;
struct session_tunables session_tunables_of(const struct record_session *record);

/* NULL: this system knows no such session. */
struct session_entry *session_entry_find(struct copy *copy, uint8_t session);

/*
 * Takes the session for one command, and gives it back; end returns rc. NULL, with the fault: it is not open here, or
 * another command on it does not end. Suspends.
 */
struct session_entry *session_entry_begin(struct copy *copy, uint8_t session, struct fault *fault);
int session_entry_end(struct session_entry *entry, int rc);

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

/* What a master has come to, for the time when there is none. */
void session_keep_results(const struct session_entry *entry, struct record_session *record);

/* This system is its master. Its volumes were not taken over: else it is not stopped or resumed, but terminated. */
int session_check_master(struct session_entry *entry, struct fault *fault);
int session_check_not_over(const struct session_entry *entry, struct fault *fault);

/* It is of type xdc, and forms consistency groups: else -1 with the fault that verb is not for it. */
int session_check_xdc(const struct session_entry *entry, const char *verb, struct fault *fault);

/* Where the master and its subordinates are to be: it is open here, and paths lead there. */
int session_check_places(const struct session_entry *entry, const struct session_start *start, struct fault *fault);

/* The subordinates of an earlier start are replaced by these, durably, all or none. Negative errno. Suspends. */
RT_MUST_CHECK int session_replace_subordinates(struct session_entry *entry, const struct session_start *start);

int session_check_tunables(uint8_t session, const struct session_tunables *tunables, struct fault *fault);
void session_choose_tunables(const struct session_start *start, const struct session_tunables *otherwise,
			     struct session_tunables *out);
void session_set_tunables(struct session_entry *entry, const struct session_tunables *tunables);

/* An event of it: session_config.tell, whose arg is the entry. Does not suspend. */
void session_entry_tell(void *arg, enum event_kind kind, enum event_level level, const char *remedy, const char *text);

/* What session_pause has returned. -1. */
int session_fault_pause(const struct session_entry *entry, int rc, struct fault *fault);

/* There is no way back. -1. */
int session_fault_swapping(const struct session_entry *entry, struct fault *fault);

/* It is paused with a consistent target, or on the way there or back. */
bool session_is_suspended(const struct session_entry *entry);

/* Whoever is suspended sends again, and no target is shown any more. -1 with the fault: not all of them. Suspends. */
int session_release_members(struct session_entry *entry, struct fault *fault);

/*
 * Makes the session known here, with this key, and opens it on an LSS, where it is not; without a role. Negative errno.
 * Suspends.
 */
RT_MUST_CHECK int session_entry_ensure(struct copy *copy, uint8_t session, const uint8_t *key, uint8_t lss);

/* Its record durable in place of the present one. Negative errno. Suspends. */
RT_MUST_CHECK int session_entry_change(struct session_entry *entry, const struct record_session *next);

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

/* "session 7", for faults. */
const char *session_object(uint8_t session, char text[64]);

/* -1, with the fault that a change cannot be made durable. */
int session_fault_durable(uint8_t session, int rc, struct fault *fault);

#endif
