/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group.h - sessions of type pprc: volumes of some systems whose pairs are suspended at one moment, by a command or
 * since one of them cannot go on. What its master asks of each system, the master itself too, is in group.c: first that
 * hosts are held, everywhere; then that all is durable, everywhere; and then that hosts go on. Each system ends the
 * hold by itself when nothing is decided in time, as if nothing had been asked. Who asks: group_ops.c. Reactor 0;
 * private to copy/.
 */
#ifndef XDC_COPY_GROUP_H
#define XDC_COPY_GROUP_H

#include "copy/session_entry.h"

/* What is decided within this time; then hosts go on. The rest of it is for those who decide to tell it. */
#define GROUP_DECIDE_NS		(10 * RT_SECOND)
#define GROUP_TELL_NS		(4 * RT_SECOND)
/* When a pair is broken, for what is done just now to others to end: less than its master waits for the hold. */
#define GROUP_TURNS_NS		(3 * RT_SECOND)

/* It forms no consistency groups. */
bool group_is(const struct session_entry *entry);

/* A pair of the session here is broken: all of it is suspended, on all systems (copy_above.break_group). */
void group_break(struct copy *copy, uint8_t session);

/* Handler of group_order (link_server.h). */
int group_on_order(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

/* The same as a call; for the answer of this system about itself, which always comes. Does not suspend. */
void group_look(struct session_entry *entry, struct wire_group_answer *answer);

/* ---- operations, by copy.h; the entry is the caller's for one command ---- */
int group_add(struct session_entry *entry, const uint16_t *volumes, unsigned count, struct fault *fault);
int group_remove(struct session_entry *entry, const uint16_t *volumes, unsigned count, struct fault *fault);
int group_begin(struct session_entry *entry, const struct session_start *start, struct fault *fault);
int group_terminate(struct session_entry *entry, bool force, struct fault *fault);
int group_resume(struct session_entry *entry, const struct session_start *start, struct fault *fault);
void group_get_info(struct session_entry *entry, struct copy_session_info *info);

/*
 * As the master that the session has here: 0, or, with the fault, -EBUSY: it is frozen already; -EPROTO: some are
 * suspended, not all at one moment, and if broken, that has been told; -EIO: nothing was changed. Suspends.
 */
int group_freeze(struct session_entry *entry, bool broken, int64_t hold_ns, struct fault *fault);

#endif
