/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path.h - the path of an object: namespace, class and keys, as the schema has them. Whatever form a client gives it in
 * (DSP0201, or the text of DSP0207), here it is one: keys in the order of the class, with the types of the schema. A
 * path lives in an arena and is constant once it is made. Any thread.
 */
#ifndef XDC_FACE_CIM_PATH_H
#define XDC_FACE_CIM_PATH_H

#include "face/cim/value.h"

#define CIM_KEYS_MAX	16u

struct cim_key {
	const struct cim_schema_property *property;
	struct cim_scalar value;
};

struct cim_path {
	enum cim_namespace ns;
	const struct cim_schema_class *class;
	bool is_class;			/* the class itself is meant, not an instance: no keys */
	unsigned key_count;
	struct cim_key *keys;		/* all of the class, as its properties are ordered */
};

/*
 * From INSTANCENAME, LOCALINSTANCEPATH, INSTANCEPATH, VALUE.REFERENCE, CLASSNAME, LOCALCLASSPATH, CLASSPATH or
 * OBJECTPATH. ns is the namespace where it names none; a host is not looked at. false: CIM_ERR_INVALID_NAMESPACE,
 * CIM_ERR_INVALID_CLASS; CIM_ERR_INVALID_PARAMETER: a key is unknown, missing, given twice or of another type.
 */
bool cim_path_read(struct cim_arena *arena, const struct xml_node *node, enum cim_namespace ns,
		   const struct cim_path **path, struct cim_failure *failure);

/* From "[//host/][namespace:]Class.Key=value,..." (keys that are references are such texts in quotes). As above. */
bool cim_path_read_text(struct cim_arena *arena, const char *text, enum cim_namespace ns,
			const struct cim_path **path, struct cim_failure *failure);

/* "namespace:Class.Key=value,..."; NULL: the arena is full. */
const char *cim_path_print(struct cim_arena *arena, const struct cim_path *path);

/* String values are equal byte by byte, all else as its type has it. */
bool cim_path_equal(const struct cim_path *a, const struct cim_path *b);

/*
 * A path to be made: all keys NULL, until they are set by name. The class is one of the schema, held by ns. NULL: the
 * arena is full; then cim_path_set does nothing.
 */
struct cim_path *cim_path_new(struct cim_arena *arena, enum cim_namespace ns, const struct cim_schema_class *class);
void cim_path_set(struct cim_path *path, const char *key, struct cim_scalar value);
void cim_path_set_text(struct cim_path *path, const char *key, const char *text);
void cim_path_set_path(struct cim_path *path, const char *key, const struct cim_path *value);

/* NULL: it has no such key. */
const struct cim_scalar *cim_path_key(const struct cim_path *path, const char *key);

/* The value of a key of type string, or NULL. */
const char *cim_path_key_text(const struct cim_path *path, const char *key);

/* INSTANCENAME, LOCALINSTANCEPATH, INSTANCEPATH; of a class CLASSNAME, LOCALCLASSPATH, CLASSPATH. */
void xml_put_path_name(struct xml_text *text, const struct cim_path *path);
void xml_put_path_local(struct xml_text *text, const struct cim_path *path);
void xml_put_path_full(struct xml_text *text, const struct cim_path *path, const char *host);

#endif
