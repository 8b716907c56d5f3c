/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source.h - this system's part in a session as a source: answers the master (session.h) and passes prepare, commit and
 * abort on to its legs, one a far side. What it does to volumes is in member.h. Reactor 0.
 */
#ifndef XDC_COPY_SOURCE_H
#define XDC_COPY_SOURCE_H

#include "copy/engine.h"

struct pair;
struct source;

/*
 * The session's part here, made when the first volume is added, or a master asks. NULL: no memory; find: there is none.
 */
struct source *source_get(struct copy *copy, uint8_t session);
struct source *source_find(struct copy *copy, uint8_t session);
/*
 * At the stop of the system, first: attempts under way are left, so that nobody waits for a drain, closes are refused,
 * and nobody tells masters anything any more. Suspends.
 */
void sources_retire(struct copy *copy);

/* At the stop of the system: all of them leave and are freed. Suspends. */
void sources_stop(struct copy *copy);

/* A pair takes part from now on: join pending until its first copy is done. 0, -ENOMEM, -EEXIST. Suspends. */
RT_MUST_CHECK int source_add_pair(struct source *source, struct pair *pair);
RT_MUST_CHECK int source_remove_pair(struct source *source, struct pair *pair);

/* A volume of it may join from now on: a master that sleeps while nobody writes is told. Does not suspend. */
void source_volume_joins(struct copy *copy, uint8_t session);

/* A master has spoken since this system started, and nobody has paused the session since. source may be NULL. */
bool source_is_joined(const struct source *source);

/* The system of the master that it obeys, or that has suspended it; empty: there is none. */
void source_get_master(const struct source *source, char system[XDC_SYSTEM_ID_MAX]);

bool source_has_pairs(const struct source *source);

/* It leaves an attempt that is under way: the data of it will not come. Suspends. */
void source_leave(struct source *source);

/* The far side was reached with another boot id than before: what it had not prepared is gone. Suspends. */
void source_far_restarted(struct copy *copy, const char *far);

/* The far sides that do not take the session up (copy_session_each_problem). Does not suspend. */
void source_each_refusal(struct source *source, void (*each)(void *arg, const struct copy_problem *problem), void *arg);

/* What it knows of the session, for a system that is not the master. */
void source_get_info(struct source *source, struct copy_session_info *info);

/* Handlers of session_... (link_server.h). */
int source_on_join(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_keep(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_status(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_close(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_release(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_drain(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_prepare(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_commit(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_abort(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_exists(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_leave(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_suspend(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);
int source_on_resume(void *arg, const struct link_peer *peer, const void *request, void *reply, char *why);

#endif
