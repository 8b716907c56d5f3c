/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users.h - who may use CIM: a file of lines NAME:ROLE:HASH (yescrypt, as crypt(5) writes it), read again whenever it
 * changes. Passwords that were right are remembered as keyed digests, so that only the first request of a client costs
 * the hash; after wrong ones a client has to wait, longer each time, and whoever tries many names is held up as a host.
 * Whoever guesses keeps nobody waiting for longer than one hash. Threads of the HTTP server.
 */
#ifndef XDC_FACE_CIM_USERS_H
#define XDC_FACE_CIM_USERS_H

#include <stdbool.h>

#include "control/operations.h"
#include "rt/rt.h"

#define CIM_USER_MAX		64u
#define CIM_PASSWORD_MAX	256u
#define CIM_HASH_MAX		384u

/* -EINVAL: there is no role of this name. */
int cim_role_find(const char *name, enum op_role *role);

/* What is wrong with the name of a user, or NULL. */
const char *cim_user_check_name(const char *name);

/* The hash of a new password. 0, -EIO. Takes some 10 ms of a processor, on purpose. */
RT_MUST_CHECK int cim_password_hash(const char *password, char hash[CIM_HASH_MAX]);

struct cim_users;

/* path NULL: there is no file. NULL: no memory, or the system gives no random bytes. */
struct cim_users *cim_users_create(const char *path);
void cim_users_destroy(struct cim_users *users);	/* NULL is allowed */

/* Of a name and a password from peer (a host): is it right? *role is the user's then. */
bool cim_users_check(struct cim_users *users, const char *peer, const char *name, const char *password,
		     enum op_role *role);

/* Of one whose name is beyond doubt (a certificate says it): is it a user? *role is the user's then. */
bool cim_users_find(struct cim_users *users, const char *name, enum op_role *role);

/* Somebody came without a name: when nobody can have one, the log says, once, what to do. */
void cim_users_tell(struct cim_users *users);

#endif
