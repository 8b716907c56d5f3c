/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - the classes that xdc shows over CIM: constant tables that tools/mofc makes of schema/ at build time.
 *
 * A class is one struct however many namespaces hold it; it lists all its members, its own first, and what is inherited
 * unchanged is the same struct in all subclasses. Everything here is constant and complete before main():
 * any thread reads it, nothing is ever freed. Names are compared as CIM compares them: without regard to case.
 */
#ifndef XDC_FACE_CIM_SCHEMA_H
#define XDC_FACE_CIM_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

enum cim_type {
	CIM_TYPE_BOOLEAN,
	CIM_TYPE_STRING,
	CIM_TYPE_CHAR16,
	CIM_TYPE_UINT8,
	CIM_TYPE_UINT16,
	CIM_TYPE_UINT32,
	CIM_TYPE_UINT64,
	CIM_TYPE_SINT8,
	CIM_TYPE_SINT16,
	CIM_TYPE_SINT32,
	CIM_TYPE_SINT64,
	CIM_TYPE_REAL32,
	CIM_TYPE_REAL64,
	CIM_TYPE_DATETIME,
	CIM_TYPE_REFERENCE,
	CIM_TYPE_COUNT,
};

/* In the order of the namespace pragmas of schema/xdc.mof. */
enum cim_namespace {
	CIM_NAMESPACE_INTEROP,		/* interop */
	CIM_NAMESPACE_IBM,		/* root/ibm */
	CIM_NAMESPACE_ISCSITARGET,	/* root/cimv2/storage/iscsitarget */
	CIM_NAMESPACE_CIMV2,		/* root/cimv2 */
	CIM_NAMESPACE_COUNT,
};

/*
 * Values in these tables are text as CIM-XML writes it: decimal integers, TRUE and FALSE, strings as they are (UTF-8,
 * not escaped). NULL instead of the list of values is the value NULL; an array may also be a list of 0 values.
 */
struct cim_schema_value {
	const char *const *list;
	unsigned count;		/* 1 where it is no array */
};

struct cim_schema_qualifier {
	const char *name;
	enum cim_type type;
	bool is_array;
	bool is_overridable;	/* flavour EnableOverride */
	bool is_to_subclass;	/* flavour ToSubclass; else Restricted: not seen where the member is inherited */
	bool is_translatable;
	bool is_propagated;	/* a superclass has set it, also in the class that declares the member */
	struct cim_schema_value value;
};

struct cim_schema_qualifiers {
	const struct cim_schema_qualifier *list;
	unsigned count;
};

struct cim_schema_class;

struct cim_schema_property {
	const char *name;
	enum cim_type type;
	bool is_array, is_key, is_writable;
	const char *reference_class;	/* of CIM_TYPE_REFERENCE: the class named here, a subclass may be meant */
	struct cim_schema_value fallback;	/* the default value */
	struct cim_schema_qualifiers qualifiers;
	const struct cim_schema_class *origin;		/* the topmost class that has it */
	const struct cim_schema_class *declared_in;	/* origin, or the one that overrides it last */
};

struct cim_schema_parameter {
	const char *name;
	enum cim_type type;
	bool is_array, is_in, is_out, is_required;
	const char *reference_class;
	struct cim_schema_qualifiers qualifiers;
};

struct cim_schema_method {
	const char *name;
	enum cim_type type;		/* of the return value */
	bool is_static;
	unsigned parameter_count;
	const struct cim_schema_parameter *parameters;	/* in the order of the declaration */
	struct cim_schema_qualifiers qualifiers;
	const struct cim_schema_class *origin, *declared_in;	/* as of a property */
};

struct cim_schema_class {
	const char *name;
	const struct cim_schema_class *super;		/* NULL: it has none */
	bool is_abstract, is_association, is_indication;
	unsigned namespaces;		/* bit CIM_NAMESPACE_*: that namespace holds it */
	unsigned order, order_last;	/* its place, and the last one below it, in cim_schema_classes */
	unsigned property_count, method_count;
	const struct cim_schema_property *const *properties;	/* all: its own as declared, then its superclass's */
	const struct cim_schema_method *const *methods;
	struct cim_schema_qualifiers qualifiers;	/* its own and those it inherits */
};

/* What EnumerateQualifiers shows. */
struct cim_schema_qualifier_type {
	const char *name;
	enum cim_type type;
	bool is_array, is_overridable, is_to_subclass, is_translatable;
	unsigned scopes;		/* bit CIM_SCOPE_* */
	struct cim_schema_value fallback;
};

enum cim_scope {
	CIM_SCOPE_CLASS,
	CIM_SCOPE_ASSOCIATION,
	CIM_SCOPE_INDICATION,
	CIM_SCOPE_PROPERTY,
	CIM_SCOPE_REFERENCE,
	CIM_SCOPE_METHOD,
	CIM_SCOPE_PARAMETER,
	CIM_SCOPE_COUNT,
};

/*
 * All classes, every class right before the classes below it, siblings by name: what is below a class, at any depth, is
 * cim_schema_classes[class->order + 1] to [class->order_last].
 */
extern const struct cim_schema_class *const cim_schema_classes[];
extern const unsigned cim_schema_class_count;

/* By name. */
extern const struct cim_schema_qualifier_type cim_schema_qualifier_types[];
extern const unsigned cim_schema_qualifier_type_count;

/* Their canonical names, by enum cim_namespace. */
extern const char *const cim_schema_namespaces[CIM_NAMESPACE_COUNT];

/* As CIM-XML names types, and as MOF names scopes. */
const char *cim_type_name(enum cim_type type);
const char *cim_scope_name(enum cim_scope scope);

/* -ENOENT: there is no such namespace. root/interop is interop. */
int cim_schema_find_namespace(const char *name);

/* NULL: the namespace does not hold such a class. */
const struct cim_schema_class *cim_schema_find_class(enum cim_namespace ns, const char *name);

/* In any namespace. */
const struct cim_schema_class *cim_schema_find_any_class(const char *name);

/*
 * The class after `after` among those of the namespace that are below `top` (NULL: among all), at any depth or (direct)
 * right below it (NULL: those without superclass); after is NULL for the first. NULL: that was the last.
 */
const struct cim_schema_class *cim_schema_next_class(enum cim_namespace ns, const struct cim_schema_class *top,
						     bool direct, const struct cim_schema_class *after);

static inline bool cim_schema_holds(enum cim_namespace ns, const struct cim_schema_class *class)
{
	return class->namespaces >> ns & 1;
}

/* Is class the ancestor itself or below it? */
static inline bool cim_schema_is_a(const struct cim_schema_class *class, const struct cim_schema_class *ancestor)
{
	return class->order >= ancestor->order && class->order <= ancestor->order_last;
}

/* The same by name; false when there is no class of that name. */
bool cim_schema_is_named(const struct cim_schema_class *class, const char *ancestor);

/* NULL: it has none of that name. */
const struct cim_schema_property *cim_schema_find_property(const struct cim_schema_class *class, const char *name);
const struct cim_schema_method *cim_schema_find_method(const struct cim_schema_class *class, const char *name);
const struct cim_schema_parameter *cim_schema_find_parameter(const struct cim_schema_method *method, const char *name);
const struct cim_schema_qualifier *cim_schema_find_qualifier(const struct cim_schema_qualifiers *qualifiers,
							     const char *name);
const struct cim_schema_qualifier_type *cim_schema_find_qualifier_type(const char *name);

/*
 * Does a member that was declared in declared_in show this qualifier in class, and is it propagated there? (Where the
 * member is inherited, qualifiers of flavour Restricted are not shown, and all others are propagated.)
 */
static inline bool cim_schema_shows(const struct cim_schema_qualifier *qualifier, const struct cim_schema_class *class,
				    const struct cim_schema_class *declared_in)
{
	return class == declared_in || qualifier->is_to_subclass;
}

/*
 * What the value map of a member says of a number: the text of Values, also where ValueMap has a range. NULL: it has no
 * value map, or the number is not in it.
 */
const char *cim_schema_value_name(const struct cim_schema_qualifiers *qualifiers, uint64_t number);

/* The number of a text of Values. -ENOENT: it has no such value, or that stands for a range. */
int cim_schema_value_number(const struct cim_schema_qualifiers *qualifiers, const char *name, uint64_t *number);

#endif
