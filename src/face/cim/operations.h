/* SPDX-License-Identifier: Apache-2.0 */
/* operations.h - what a request asks for is done, and its answer is written. A thread of the HTTP server. */
#ifndef XDC_FACE_CIM_OPERATIONS_H
#define XDC_FACE_CIM_OPERATIONS_H

#include "face/cim/caller.h"
#include "face/cim/xml_write.h"

struct cim_engine;

/*
 * The whole response to a request that cim_request_read has taken, of this caller. engine NULL (tests): there are no
 * instances. What the arena holds is the
 * request's. An operation that is refused is a response as well. text->failed: it did not fit, there was no memory, or
 * it went wrong when a part of it had gone to the client; *failure says why then, as far as is known (else CIM_OK).
 */
void cim_operation_run(struct cim_arena *arena, struct cim_engine *engine, const struct cim_caller *caller,
		       const struct cim_request *request, struct xml_text *text, struct cim_failure *failure);

#endif
