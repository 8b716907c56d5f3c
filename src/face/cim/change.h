/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change.h - instances that clients make, change and delete: which classes allow it, and what is done then. To add one:
 * a line in cim_changers.
 */
#ifndef XDC_FACE_CIM_CHANGE_H
#define XDC_FACE_CIM_CHANGE_H

#include "face/cim/operation.h"

/* An instance as a client has given it. */
struct cim_given {
	const struct cim_instance *instance;
	const bool *is_given;		/* one a property, in the order of its class: it was there, be it as NULL */
};

/* Each fails as its operation has to: NULL: CIM_ERR_NOT_SUPPORTED. The client's thread; what is made is durable. */
struct cim_changer {
	const char *class_name;
	unsigned namespaces;		/* bit CIM_NAMESPACE_* */
	bool (*create)(struct cim_operation_call *call, const struct cim_given *given, const struct cim_path **made);
	/* Only properties that are writable are given. */
	bool (*modify)(struct cim_operation_call *call, const struct cim_path *path, const struct cim_given *given);
	bool (*delete)(struct cim_operation_call *call, const struct cim_path *path);
};
extern const struct cim_changer *const cim_changers[];	/* lists ended by one without name */
extern const unsigned cim_changer_list_count;

extern const struct cim_changer cim_changers_indication[], cim_changers_storage[];

/*
 * From INSTANCE, with values as its class has them. false: CIM_ERR_INVALID_CLASS, CIM_ERR_NO_SUCH_PROPERTY,
 * CIM_ERR_INVALID_PARAMETER (a value of another type, or given twice).
 */
bool cim_given_read(struct cim_operation_call *call, const struct xml_node *node, struct cim_given *given);

/* What was given for a property; NULL: nothing, or NULL. */
const struct cim_value *cim_given_value(const struct cim_given *given, const char *property);

/* The same of one of type string. */
const char *cim_given_text(const struct cim_given *given, const char *property);

#endif
