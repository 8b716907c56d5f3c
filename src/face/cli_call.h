/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_call.h - one request of the control protocol (docs/cli-json.md) and its reply: checks the request by the table of
 * operations, calls what it names, and puts what comes of it into JSON. Reactor 0.
 */
#ifndef XDC_FACE_CLI_CALL_H
#define XDC_FACE_CLI_CALL_H

#include "control/control.h"
#include "control/operations.h"

/* A request has at most so many bytes, its values together so many items. */
#define CLI_REQUEST_MAX		65536u
#define CLI_ITEMS_MAX		512u

struct cli_caller {
	enum op_role role;
	const char *name;	/* for the log: "user 0" */
};

/*
 * The reply to a request of len bytes (without its newline), a text of mem_alloc that ends with a newline; NULL: no
 * memory. Suspends. control NULL (fuzzing): no operation is reached, and what is good is answered by null.
 * What an administrator asks for is a line in the log.
 */
char *cli_call(struct control *control, const struct cli_caller *caller, const char *request, size_t len);

/* The reply to what is no request. NULL: no memory. */
char *cli_call_fault(const struct fault *fault);

/* Jansson on mem.h. Once a process, before the first request; again does no harm. */
void cli_call_prepare(void);

#endif
