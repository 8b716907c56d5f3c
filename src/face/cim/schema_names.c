/* SPDX-License-Identifier: Apache-2.0 */
/* schema_names.c - what types and scopes are called; also part of the compiler that makes the tables. */
#include "face/cim/schema.h"

static const char *const type_names[CIM_TYPE_COUNT] = {
	[CIM_TYPE_BOOLEAN] = "boolean",
	[CIM_TYPE_STRING] = "string",
	[CIM_TYPE_CHAR16] = "char16",
	[CIM_TYPE_UINT8] = "uint8",
	[CIM_TYPE_UINT16] = "uint16",
	[CIM_TYPE_UINT32] = "uint32",
	[CIM_TYPE_UINT64] = "uint64",
	[CIM_TYPE_SINT8] = "sint8",
	[CIM_TYPE_SINT16] = "sint16",
	[CIM_TYPE_SINT32] = "sint32",
	[CIM_TYPE_SINT64] = "sint64",
	[CIM_TYPE_REAL32] = "real32",
	[CIM_TYPE_REAL64] = "real64",
	[CIM_TYPE_DATETIME] = "datetime",
	[CIM_TYPE_REFERENCE] = "reference",
};

const char *cim_type_name(enum cim_type type)
{
	return type_names[type];
}

static const char *const scope_names[CIM_SCOPE_COUNT] = {
	[CIM_SCOPE_CLASS] = "class",
	[CIM_SCOPE_ASSOCIATION] = "association",
	[CIM_SCOPE_INDICATION] = "indication",
	[CIM_SCOPE_PROPERTY] = "property",
	[CIM_SCOPE_REFERENCE] = "reference",
	[CIM_SCOPE_METHOD] = "method",
	[CIM_SCOPE_PARAMETER] = "parameter",
};

const char *cim_scope_name(enum cim_scope scope)
{
	return scope_names[scope];
}
