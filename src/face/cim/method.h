/* SPDX-License-Identifier: Apache-2.0 */
/*
 * method.h - extrinsic methods: a METHODCALL as what it asks for, checked against the schema; the function that does
 * it; its answer. What the methods do stands in control.h and copy/copy.h: the functions of ibm_*.c translate.
 *
 * A call is read and answered on a thread of the HTTP server; in between its function runs on a fiber of reactor 0.
 */
#ifndef XDC_FACE_CIM_METHOD_H
#define XDC_FACE_CIM_METHOD_H

#include "control/control.h"
#include "control/operations.h"
#include "face/cim/caller.h"
#include "face/cim/path.h"

struct cim_given;
struct cim_method;

struct cim_call {
	struct cim_arena *arena;		/* of the request */
	enum cim_namespace ns;
	const struct cim_path *object;		/* the instance, or the class, that it is called on */
	const struct cim_schema_method *method;
	const struct cim_method *binding;
	struct cim_value *in;			/* one a parameter, in the order of the method; NULL: not given */
	const struct cim_given **embedded;	/* likewise: of a text that is an instance, what it says; or NULL */
	struct xml_text out;			/* the PARAMVALUEs of the answer */
	const struct cim_schema_parameter *list;	/* that is being written, until cim_out_end */
	struct control *control;
	const struct cim_caller *caller;
	uint32_t returned;			/* by run, where it is not what a fault becomes */
	struct fault fault;			/* why, when that is no success */
	void *found;				/* by run, in the arena, for tell */
};

/*
 * 0: done; or -1 with the fault, which becomes the return code of the method: its number where the value map has it,
 * unless the method says otherwise, else 4 (Failed). Reactor 0; suspends.
 */
typedef int cim_method_fn(struct cim_call *call, struct fault *fault);

struct cim_method_code {
	enum fault_code fault;
	uint32_t code;
};
#define CIM_METHOD_CODES_MAX	3u

struct cim_method {
	const char *class_name, *name;
	enum op_role role;			/* that may call it, and those above */
	cim_method_fn *run;
	void (*tell)(struct cim_call *call);	/* NULL, or on the client's thread: what was found into the answer */
	struct cim_method_code codes[CIM_METHOD_CODES_MAX];	/* where its codes are not those of faults */
};

/* All that there are, ended by an empty row: those of a class hold for the classes below it. */
extern const struct cim_method cim_methods_ibm[], cim_methods_common[], cim_methods_replication[];

/* What such systems do not do: FAULT_NOT_SUPPORTED. */
cim_method_fn cim_method_not_supported;

/* NULL: nothing acts on it. */
const struct cim_method *cim_method_find(const struct cim_schema_class *class, const char *name);

/*
 * What the METHODCALL of the request asks for, in the arena. false: CIM_ERR_NOT_FOUND (no such class),
 * CIM_ERR_METHOD_NOT_FOUND, CIM_ERR_METHOD_NOT_AVAILABLE, CIM_ERR_INVALID_PARAMETER and what paths are refused for.
 * To be ended, also after a failure.
 */
bool cim_call_read(struct cim_arena *arena, const struct cim_request *request, enum cim_namespace ns,
		   struct cim_call *call, struct cim_failure *failure);
void cim_call_end(struct cim_call *call);

/* Does it, with call->control and call->caller set, and sets call->returned. Reactor 0; suspends. */
void cim_call_run(struct cim_call *call);

/* The whole response, and the line of the log. The client's thread. */
void cim_call_answer(struct cim_call *call, const struct cim_request *request, struct xml_text *text);

/* All of it, of a request that is a METHODCALL: an answer or an error in call->text. The client's thread. */
struct cim_operation_call;
void cim_method_answer(struct cim_operation_call *operation);

/* ---- for the functions: what is given; the method has a parameter of this name (asserted) ---- */

const struct cim_value *cim_in(const struct cim_call *call, const char *name);
bool cim_in_given(const struct cim_call *call, const char *name);
uint64_t cim_in_number(const struct cim_call *call, const char *name);		/* 0 when not given */
bool cim_in_flag(const struct cim_call *call, const char *name);		/* false when not given */
const char *cim_in_text(const struct cim_call *call, const char *name);		/* NULL when not given, or empty */
const struct cim_path *cim_in_path(const struct cim_call *call, const char *name);	/* NULL when not given */
const struct cim_given *cim_in_embedded(const struct cim_call *call, const char *name);	/* NULL when not given */

/* Of an array: how many, 0 when not given; one of them, NULL when that is NULL. */
unsigned cim_in_count(const struct cim_call *call, const char *name);
const char *cim_in_text_at(const struct cim_call *call, const char *name, unsigned index);
const struct cim_path *cim_in_path_at(const struct cim_call *call, const char *name, unsigned index);

/* ---- and what comes out; each parameter once; what is left out is NULL ---- */

void cim_out_number(struct cim_call *call, const char *name, uint64_t number);
void cim_out_text(struct cim_call *call, const char *name, const char *text);
void cim_out_path(struct cim_call *call, const char *name, const struct cim_path *path);

void cim_out_paths(struct cim_call *call, const char *name, const struct cim_path *const *paths, unsigned count);

/* An array: its entries one after the other, in between. */
void cim_out_begin(struct cim_call *call, const char *name);
void cim_out_end(struct cim_call *call);
void cim_out_add_number(struct cim_call *call, uint64_t number);
void cim_out_add_flag(struct cim_call *call, bool flag);
void cim_out_add_text(struct cim_call *call, const char *text);
/* 0, there was none: an interval of 0, since not all clients read NULL in arrays. */
void cim_out_add_time(struct cim_call *call, int64_t wall_ns);

/* ---- and how they do it ---- */

/*
 * Before and after a command of the control plane is carried out for the call: -1, and no end, when the service refuses
 * it. The command is one of operations.h (asserted).
 */
int cim_command_begin(struct cim_call *call, const char *noun, const char *verb, struct fault *fault);

/* As control_command_end; with rc 0 it is an event. rc is returned. */
int cim_command_end(struct cim_call *call, const char *noun, const char *verb, const char *object, int rc);

#endif
