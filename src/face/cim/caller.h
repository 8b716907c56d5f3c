/* SPDX-License-Identifier: Apache-2.0 */
/*
 * caller.h - who asks for an operation: whether it may, and the line of the log that says what it has changed. Made by
 * http.c for each request; any thread.
 */
#ifndef XDC_FACE_CIM_CALLER_H
#define XDC_FACE_CIM_CALLER_H

#include "control/operations.h"
#include "face/cim/request.h"

struct cim_caller {
	enum op_role role;
	const char *user;		/* "anonymous": it did not log in */
	const char *host;		/* where it is, an address without port */
};

/* Has it this role, or a higher one? false: failure is CIM_ERR_ACCESS_DENIED. what: what it asks for. */
bool cim_caller_may(const struct cim_caller *caller, enum op_role role, const char *what, struct cim_failure *failure);

/*
 * It has changed something, or was refused that: one line of the log. object is what it named; result says how it
 * ended ("done", "4096, job 17"). All may hold whatever a client sends.
 */
__attribute__((format(printf, 4, 5)))
void cim_caller_audit(const struct cim_caller *caller, const char *what, const char *object, const char *result, ...);

#endif
