/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.h - a CIM-XML request (DSP0201) as what it asks for: one intrinsic operation with its parameters. Made of the
 * tree of xml_tree.h, in the same arena. What clients leave out or write in more than one way is read as one here.
 */
#ifndef XDC_FACE_CIM_REQUEST_H
#define XDC_FACE_CIM_REQUEST_H

#include "face/cim/schema.h"
#include "face/cim/xml_tree.h"

/* Codes of DSP0200 that are used. */
enum cim_error {
	CIM_OK = 0,
	CIM_ERR_FAILED = 1,
	CIM_ERR_ACCESS_DENIED = 2,
	CIM_ERR_INVALID_NAMESPACE = 3,
	CIM_ERR_INVALID_PARAMETER = 4,
	CIM_ERR_INVALID_CLASS = 5,
	CIM_ERR_NOT_FOUND = 6,
	CIM_ERR_NOT_SUPPORTED = 7,
	CIM_ERR_ALREADY_EXISTS = 11,
	CIM_ERR_NO_SUCH_PROPERTY = 12,
	CIM_ERR_QUERY_LANGUAGE_NOT_SUPPORTED = 14,
	CIM_ERR_INVALID_QUERY = 15,
	CIM_ERR_METHOD_NOT_AVAILABLE = 16,
	CIM_ERR_METHOD_NOT_FOUND = 17,
	CIM_ERR_INVALID_ENUMERATION_CONTEXT = 21,
	CIM_ERR_INVALID_OPERATION_TIMEOUT = 22,
	CIM_ERR_PULL_HAS_BEEN_ABANDONED = 23,
	CIM_ERR_FILTERED_ENUMERATION_NOT_SUPPORTED = 25,
	CIM_ERR_CONTINUATION_ON_ERROR_NOT_SUPPORTED = 26,
	CIM_ERR_SERVER_LIMITS_EXCEEDED = 27,
};

/* Why an operation is refused. */
struct cim_failure {
	enum cim_error code;		/* CIM_OK: it is not */
	char text[256];
};

/* Fills it in and returns false. */
__attribute__((format(printf, 3, 4)))
bool cim_fail(struct cim_failure *failure, enum cim_error code, const char *format, ...);

struct cim_request {
	const char *id, *protocol_version;
	const char *operation;			/* as it came: "GetClass" */
	bool is_extrinsic;
	const char *namespace_name;		/* as it came, without slashes before and after */
	const struct xml_node *call;		/* IMETHODCALL or METHODCALL */
};

/*
 * false: it is no request that can be answered in XML, and *cim_error is the value of the header CIMError that says
 * why. *multiple: it asks for several operations at once.
 */
bool cim_request_read(struct cim_arena *arena, const struct xml_node *root, struct cim_request *request,
		      const char **cim_error, bool *multiple);

/* ---- parameters of an intrinsic operation; names without regard to case ---- */

/* Only these (ended by NULL), none twice. */
bool cim_request_check(const struct cim_request *request, const char *const *names, struct cim_failure *failure);

/* *value stays as it was when the parameter is not given, or NULL. */
bool cim_request_flag(const struct cim_request *request, const char *name, bool *value, struct cim_failure *failure);

/* The class named by CLASSNAME; NULL when not given. */
bool cim_request_class(const struct cim_request *request, const char *name, const char **value,
		       struct cim_failure *failure);

/* One text; NULL when not given. */
bool cim_request_text(const struct cim_request *request, const char *name, const char **value,
		      struct cim_failure *failure);

/* The element that stands for the value; NULL: not given, or NULL. */
const struct xml_node *cim_request_node(const struct cim_request *request, const char *name);

/* A number up to limit; *value stays as it was when the parameter is not given, or NULL. */
bool cim_request_number(const struct cim_request *request, const char *name, uint64_t limit, uint64_t *value,
			struct cim_failure *failure);

/* A list of names, as PropertyList: *given false when it is NULL. */
struct cim_names {
	bool given;
	unsigned count;
	const char **names;
};
bool cim_request_names(struct cim_arena *arena, const struct cim_request *request, const char *name,
		       struct cim_names *names, struct cim_failure *failure);

#endif
