/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operation.h - one intrinsic operation under way: what the functions behind the table of operations.c get, and these
 * functions. They write what stands inside of IRETURNVALUE and call xml_flush between objects; false: refused, with the
 * failure. The client's thread.
 */
#ifndef XDC_FACE_CIM_OPERATION_H
#define XDC_FACE_CIM_OPERATION_H

#include "face/cim/caller.h"
#include "face/cim/pull.h"
#include "face/cim/supply.h"

struct cim_operation_call {
	struct cim_arena *arena;		/* of the request */
	struct cim_engine *engine;		/* NULL: there are no instances (tests) */
	const struct cim_caller *caller;
	const struct cim_request *request;
	enum cim_namespace ns;
	struct xml_text *text;			/* inside of IRETURNVALUE */
	bool is_void;				/* the operation returns nothing */
	bool is_pulled;				/* the response ends with EnumerationContext and EndOfSequence: */
	const char *context;			/* in the arena; NULL: the end */
	struct cim_failure failure;
};

/* ---- for the functions (operations.c, operation_instance.c) ---- */

/* CIM_ERR_INVALID_CLASS: the namespace has none of this name. */
bool cim_need_class(struct cim_operation_call *call, const char *name, const struct cim_schema_class **class);

/* The parameter ClassName: CIM_ERR_INVALID_PARAMETER when it is missing, and as above. */
bool cim_need_class_name(struct cim_operation_call *call, const struct cim_schema_class **class);

/* The path that a parameter gives, of an instance: CIM_ERR_INVALID_PARAMETER when it is missing or none. */
bool cim_need_path(struct cim_operation_call *call, const char *name, const struct cim_path **path);

/* CIM_ERR_FAILED: there is no engine, or no memory. */
bool cim_need_engine(struct cim_operation_call *call);
bool cim_out_of_memory(struct cim_operation_call *call);

/* IncludeClassOrigin and PropertyList. */
bool cim_read_wishes(struct cim_operation_call *call, struct cim_instance_wishes *wishes);

/* Answers with all of the supply, which is ended. wishes NULL: all properties, or names alone. */
bool cim_answer_supply(struct cim_operation_call *call, struct cim_supply *supply, enum cim_item_form form,
		       const struct cim_instance_wishes *wishes);

/*
 * The same of an operation that opens an enumeration (operation_pull.c). make supplies out of the arena of the context,
 * where the wishes are copied to; it is given arg.
 */
typedef bool cim_make_supply(struct cim_operation_call *call, struct cim_arena *arena, const void *arg,
			     struct cim_supply *supply);
bool cim_answer_open(struct cim_operation_call *call, cim_make_supply *make, const void *arg,
		     enum cim_item_form form, const struct cim_instance_wishes *wishes);

/* ---- the functions ---- */

bool cim_enumerate_instances(struct cim_operation_call *call);
bool cim_enumerate_instance_names(struct cim_operation_call *call);
bool cim_get_instance(struct cim_operation_call *call);
bool cim_get_property(struct cim_operation_call *call);

/* operation_association.c */
bool cim_associators(struct cim_operation_call *call);
bool cim_associator_names(struct cim_operation_call *call);
bool cim_references(struct cim_operation_call *call);
bool cim_reference_names(struct cim_operation_call *call);
bool cim_open_associator_instances(struct cim_operation_call *call);
bool cim_open_associator_instance_paths(struct cim_operation_call *call);
bool cim_open_reference_instances(struct cim_operation_call *call);
bool cim_open_reference_instance_paths(struct cim_operation_call *call);

/* operation_query.c, operation_change.c */
bool cim_exec_query(struct cim_operation_call *call);
bool cim_open_query_instances(struct cim_operation_call *call);
bool cim_create_instance(struct cim_operation_call *call);
bool cim_modify_instance(struct cim_operation_call *call);
bool cim_set_property(struct cim_operation_call *call);
bool cim_delete_instance(struct cim_operation_call *call);

bool cim_open_enumerate_instances(struct cim_operation_call *call);
bool cim_open_enumerate_instance_paths(struct cim_operation_call *call);
bool cim_pull_instances_with_path(struct cim_operation_call *call);
bool cim_pull_instance_paths(struct cim_operation_call *call);
bool cim_pull_instances(struct cim_operation_call *call);
bool cim_close_enumeration(struct cim_operation_call *call);

#endif
