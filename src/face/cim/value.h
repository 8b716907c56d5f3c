/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value.h - values of properties, parameters and keys: read from CIM-XML and from text by the type that the schema has
 * for them, compared, written. Texts, lists and paths of a value live in the arena of whoever made it. Any thread.
 */
#ifndef XDC_FACE_CIM_VALUE_H
#define XDC_FACE_CIM_VALUE_H

#include "face/cim/xml_write.h"

struct cim_path;

/* A moment, or an interval. */
struct cim_datetime {
	int64_t us;			/* since 1970 (UTC); of an interval its length, not negative */
	int16_t utc_minutes;		/* of a moment: how far east it is written */
	bool is_interval;
};

/* One value of a type that is known from elsewhere. */
struct cim_scalar {
	bool is_null;			/* then the rest means nothing */
	union {
		bool boolean;
		uint64_t number;	/* uint*, and the code point of a char16 */
		int64_t signed_number;	/* sint* */
		double real;
		const char *text;	/* string */
		struct cim_datetime datetime;
		const struct cim_path *path;	/* reference */
	};
};

/* Zeroed with is_null set it is NULL of any type. */
struct cim_value {
	enum cim_type type;
	bool is_array, is_null;
	struct cim_scalar one;			/* no array */
	unsigned count;				/* array: how many, and they; one of them may be NULL */
	const struct cim_scalar *list;
};

/* What the schema says of whatever takes a value: a property, a parameter, a key. */
struct cim_slot {
	const char *name;
	enum cim_type type;
	bool is_array;
	const char *reference_class;	/* a reference leads to this class or one below it; NULL: to any */
};

static inline struct cim_slot cim_slot_of_property(const struct cim_schema_property *property)
{
	return (struct cim_slot){ property->name, property->type, property->is_array, property->reference_class };
}

static inline struct cim_slot cim_slot_of_parameter(const struct cim_schema_parameter *parameter)
{
	return (struct cim_slot){ parameter->name, parameter->type, parameter->is_array, parameter->reference_class };
}

/*
 * From VALUE, VALUE.ARRAY, VALUE.REFERENCE or VALUE.REFARRAY (NULL: the value is NULL). References without namespace
 * are of ns. false and CIM_ERR_INVALID_PARAMETER: it is no value of that type; others: see cim_path_read.
 */
bool cim_value_read(struct cim_arena *arena, const struct xml_node *node, const struct cim_slot *slot,
		    enum cim_namespace ns, struct cim_value *value, struct cim_failure *failure);

/*
 * One value of any type but reference, from its text in CIM-XML (the text itself becomes the value of a string). false:
 * it is none.
 */
bool cim_scalar_read(enum cim_type type, const char *text, struct cim_scalar *scalar);

/* yyyymmddhhmmss.mmmmmmsutc or ddddddddhhmmss.mmmmmm:000; stars at the end of the digits count as nothing. */
bool cim_datetime_read(const char *text, struct cim_datetime *datetime);

#define CIM_DATETIME_LEN	25u
void cim_datetime_print(const struct cim_datetime *datetime, char text[CIM_DATETIME_LEN + 1]);

/* Of the same type. */
bool cim_scalar_equal(enum cim_type type, const struct cim_scalar *a, const struct cim_scalar *b);
bool cim_value_equal(const struct cim_value *a, const struct cim_value *b);

/* What stands in a VALUE; not of a reference, and not of NULL. */
void xml_put_scalar(struct xml_text *text, enum cim_type type, const struct cim_scalar *scalar);

/* VALUE and its kin, references with their namespace; nothing for NULL. */
void xml_put_value(struct xml_text *text, const struct cim_value *value);

#endif
