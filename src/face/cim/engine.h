/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - the way from the threads of the CIM server to the control plane: what it is to do or to tell is done on a
 * fiber of reactor 0, in short pieces, while the thread waits. What comes back is copies; no pointer into the engine
 * is kept beyond a piece.
 */
#ifndef XDC_FACE_CIM_ENGINE_H
#define XDC_FACE_CIM_ENGINE_H

#include "control/control.h"
#include "face/cim/request.h"

struct cim_contexts;
struct cim_engine;
struct cim_indications;

/* On a fiber of reactor 0; control outlives it. -ENOMEM. */
RT_MUST_CHECK int cim_engine_open(struct control *control, struct cim_engine **out);

/* Threads are refused from now on; and, when none is left that knows it, it is freed. As of door.h; NULL is allowed. */
void cim_engine_refuse(struct cim_engine *engine);
void cim_engine_close(struct cim_engine *engine);

/* Any thread: the id of the system (engine NULL: tests), and the name of this machine. */
const char *cim_engine_system(const struct cim_engine *engine);
const char *cim_engine_host(const struct cim_engine *engine);

/* Enumerations that clients have open (pull.h). */
struct cim_contexts *cim_engine_contexts(struct cim_engine *engine);

/* What tells listeners (indication.h); NULL: nothing does. It is set before threads come, and after they have gone. */
struct cim_indications *cim_engine_indications(struct cim_engine *engine);
void cim_engine_set_indications(struct cim_engine *engine, struct cim_indications *indications);

/*
 * fn(control, arg) on a fiber of reactor 0; its waits end after a minute. Its result, or -ESHUTDOWN or -ENOMEM, when it
 * was not called. engine NULL (tests without one): -ESHUTDOWN.
 */
RT_MUST_CHECK int cim_engine_call(struct cim_engine *engine, int (*fn)(struct control *control, void *arg), void *arg);

/* false, and the failure of a negative errno of such a call. */
bool cim_engine_fail(int rc, struct cim_failure *failure);

#endif
