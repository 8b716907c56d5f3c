/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull.h - enumerations that clients have open: what is still to be supplied, and how it is to be written. Each belongs
 * to the user and host that opened it, which may have so many; one that nobody pulls from for its time is closed. Any
 * thread; between take and keep or drop a context is one thread's own.
 */
#ifndef XDC_FACE_CIM_PULL_H
#define XDC_FACE_CIM_PULL_H

#include "face/cim/caller.h"
#include "face/cim/supply.h"

#define CIM_CONTEXTS_CLIENT	16u	/* of one client; its oldest makes room */
#define CIM_CONTEXTS_MAX	256u	/* of all */
#define CIM_CONTEXT_ID_LEN	32u
#define CIM_CONTEXT_SECONDS	60u	/* by default, without a pull */
#define CIM_CONTEXT_SECONDS_MAX	900u

struct cim_context {
	struct list_head link;
	char id[CIM_CONTEXT_ID_LEN + 1];
	struct cim_arena arena;		/* of all that it holds */
	struct cim_supply supply;	/* supply.end is called when it goes */
	struct cim_writer writer;
	enum cim_namespace ns;
	unsigned seconds;		/* it is kept for so long without a pull */
	/* of pull.c: */
	char user[CIM_CONTEXT_ID_LEN * 2 + 1], host[CIM_CONTEXT_ID_LEN * 2 + 1];
	int64_t until_ns;
	bool taken;
};

struct cim_contexts;

struct cim_contexts *cim_contexts_create(void);		/* NULL: no memory */
void cim_contexts_destroy(struct cim_contexts *contexts);	/* no thread is left that knows it; NULL is allowed */

/* A new one, taken, with an empty arena. NULL: CIM_ERR_SERVER_LIMITS_EXCEEDED. */
struct cim_context *cim_context_open(struct cim_contexts *contexts, const struct cim_caller *caller,
				     struct cim_failure *failure);

/* That of this id. NULL: CIM_ERR_INVALID_ENUMERATION_CONTEXT, also when it is another client's, or taken. */
struct cim_context *cim_context_take(struct cim_contexts *contexts, const struct cim_caller *caller, const char *id,
				     struct cim_failure *failure);

/* For the next pull; or it ends. */
void cim_context_keep(struct cim_contexts *contexts, struct cim_context *context);
void cim_context_drop(struct cim_contexts *contexts, struct cim_context *context);

#endif
