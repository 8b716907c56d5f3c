/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/path.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Paths within keys of paths. */
#define NESTED_MAX	4u

/* ---- making ---- */

struct cim_path *cim_path_new(struct cim_arena *arena, enum cim_namespace ns, const struct cim_schema_class *class)
{
	struct cim_path *path = arena_take(arena, sizeof(*path));

	assert(class && cim_schema_holds(ns, class));
	if (!path)
		return NULL;
	path->ns = ns;
	path->class = class;
	path->keys = arena_take(arena, CIM_KEYS_MAX * sizeof(*path->keys));
	if (!path->keys)
		return NULL;
	for (unsigned i = 0; i < class->property_count; i++) {
		if (!class->properties[i]->is_key)
			continue;
		assert(path->key_count < CIM_KEYS_MAX);
		path->keys[path->key_count].property = class->properties[i];
		path->keys[path->key_count++].value.is_null = true;
	}
	return path;
}

static struct cim_key *find_key(const struct cim_path *path, const char *name)
{
	for (unsigned i = 0; i < path->key_count; i++)
		if (!strcasecmp(path->keys[i].property->name, name))
			return &path->keys[i];
	return NULL;
}

void cim_path_set(struct cim_path *path, const char *key, struct cim_scalar value)
{
	struct cim_key *found = path ? find_key(path, key) : NULL;

	assert(!path || found);
	if (found)
		found->value = value;
}

void cim_path_set_text(struct cim_path *path, const char *key, const char *text)
{
	cim_path_set(path, key, (struct cim_scalar){ .is_null = !text, .text = text });
}

void cim_path_set_path(struct cim_path *path, const char *key, const struct cim_path *value)
{
	cim_path_set(path, key, (struct cim_scalar){ .is_null = !value, .path = value });
}

const struct cim_scalar *cim_path_key(const struct cim_path *path, const char *key)
{
	const struct cim_key *found = find_key(path, key);

	return found ? &found->value : NULL;
}

const char *cim_path_key_text(const struct cim_path *path, const char *key)
{
	const struct cim_key *found = find_key(path, key);

	return found && found->property->type == CIM_TYPE_STRING && !found->value.is_null ? found->value.text : NULL;
}

bool cim_path_equal(const struct cim_path *a, const struct cim_path *b)
{
	if (a->ns != b->ns || a->class != b->class || a->is_class != b->is_class)
		return false;
	for (unsigned i = 0; i < a->key_count; i++)
		if (!cim_scalar_equal(a->keys[i].property->type, &a->keys[i].value, &b->keys[i].value))
			return false;
	return true;
}

/* ---- what all forms have in common ---- */

struct reading {
	struct cim_arena *arena;
	enum cim_namespace ns;		/* where none is named */
	unsigned depth;
	struct cim_failure *failure;
};

static bool begin_path(struct reading *reading, enum cim_namespace ns, const char *class_name, bool is_class,
		       struct cim_path **path)
{
	const struct cim_schema_class *class = class_name ? cim_schema_find_class(ns, class_name) : NULL;

	if (!class_name)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a path names no class");
	if (!class)
		return cim_fail(reading->failure, CIM_ERR_INVALID_CLASS, "%s has no class %.128s",
				cim_schema_namespaces[ns], class_name);
	*path = cim_path_new(reading->arena, ns, class);
	if (!*path)
		return cim_fail(reading->failure, CIM_ERR_FAILED, "out of memory");
	(*path)->is_class = is_class;
	if (is_class)
		(*path)->key_count = 0;
	return true;
}

static bool find_namespace(struct reading *reading, const char *name, enum cim_namespace *ns)
{
	int found = cim_schema_find_namespace(name);

	if (found < 0)
		return cim_fail(reading->failure, CIM_ERR_INVALID_NAMESPACE, "there is no namespace %.128s", name);
	*ns = (enum cim_namespace)found;
	return true;
}

/* name NULL: the only one. */
static bool take_key(struct reading *reading, struct cim_path *path, const char *name, struct cim_key **key)
{
	*key = name ? find_key(path, name) : path->key_count == 1 ? &path->keys[0] : NULL;
	if (!*key && name)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "%s has no key %.64s", path->class->name,
				name);
	if (!*key)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER,
				"%s has %u keys, and one without name came", path->class->name, path->key_count);
	if (!(*key)->value.is_null)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "the key %s is given twice",
				(*key)->property->name);
	return true;
}

static bool check_whole(struct reading *reading, const struct cim_path *path)
{
	for (unsigned i = 0; i < path->key_count; i++)
		if (path->keys[i].value.is_null)
			return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "the key %s of a %s is missing",
					path->keys[i].property->name, path->class->name);
	return true;
}

static bool is_wrong_key(struct reading *reading, const struct cim_key *key, const char *text)
{
	return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "the key %s is a %s and not %.64s",
			key->property->name, cim_type_name(key->property->type), text);
}

static bool read_text(struct reading *reading, const char *text, const struct cim_path **path);

/* A path as text in the place of a reference, and every other value. */
static bool set_key_text(struct reading *reading, struct cim_key *key, const char *text)
{
	key->value = (struct cim_scalar){ 0 };
	if (key->property->type == CIM_TYPE_REFERENCE)
		return read_text(reading, text, &key->value.path);
	if (!cim_scalar_read(key->property->type, text, &key->value))
		return is_wrong_key(reading, key, text);
	return true;
}

static bool check_reference(struct reading *reading, const struct cim_key *key)
{
	const char *wanted = key->property->reference_class;

	if (key->property->type != CIM_TYPE_REFERENCE || !wanted ||
	    cim_schema_is_named(key->value.path->class, wanted))
		return true;
	return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "the key %s leads to a %s and not to a %s",
			key->property->name, wanted, key->value.path->class->name);
}

/* ---- text ---- */

/* A value in quotes without them, or up to the next comma; *at is moved behind it. NULL: it has no end, or no room. */
static char *take_text_value(struct reading *reading, const char **at)
{
	const char *from = *at;
	char *value = arena_take(reading->arena, strlen(from) + 1);
	size_t len = 0;

	if (!value)
		return NULL;
	if (*from != '"') {
		len = strcspn(from, ",");
		memcpy(value, from, len);
		*at = from + len;
		return value;
	}
	for (from++; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			from++;
		value[len++] = *from;
	}
	if (!*from)
		return NULL;
	*at = from + 1;
	return value;
}

/* "Key=value,..." */
static bool read_text_keys(struct reading *reading, struct cim_path *path, const char *at)
{
	while (true) {
		const char *equals = strchr(at, '=');
		struct cim_key *key;
		char *value;

		if (!equals)
			return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a path ends within a key");
		if (!take_key(reading, path, arena_copy_bytes(reading->arena, at, (size_t)(equals - at)), &key))
			return false;
		at = equals + 1;
		value = take_text_value(reading, &at);
		if (!value)
			return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "the value of a key has no end");
		if (!set_key_text(reading, key, value) || !check_reference(reading, key))
			return false;
		if (!*at)
			return check_whole(reading, path);
		if (*at != ',')
			return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a comma is missing in a path");
		at++;
	}
}

/* Behind scheme and host. NULL: there is nothing. */
static const char *skip_host(const char *text)
{
	const char *host = strstr(text, "//");

	/* A key may well hold two slashes. */
	if (host != text && (!host || host[-1] != ':' || strcspn(text, ".=\"") < (size_t)(host - text)))
		return text;
	host = strchr(host + 2, '/');
	return host ? host + 1 : NULL;
}

static bool read_text_inside(struct reading *reading, const char *text, const struct cim_path **path)
{
	size_t head, class_len;
	enum cim_namespace ns = reading->ns;
	struct cim_path *made;
	char *name;

	text = skip_host(text);
	if (!text)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a path ends with its host");
	/* Names of classes have no points, those of namespaces could. */
	head = strcspn(text, ":=\"");
	if (text[head] == ':') {
		name = arena_copy_bytes(reading->arena, text, head);
		if (!name || !find_namespace(reading, name, &ns))
			return false;
		text += head + 1;
	}
	class_len = strcspn(text, ".");
	name = arena_copy_bytes(reading->arena, text, class_len);
	if (!name || !begin_path(reading, ns, name, text[class_len] != '.', &made))
		return false;
	*path = made;
	return made->is_class || read_text_keys(reading, made, text + class_len + 1);
}

static bool read_text(struct reading *reading, const char *text, const struct cim_path **path)
{
	bool read;

	if (reading->depth == NESTED_MAX)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a path holds too many paths");
	reading->depth++;
	read = read_text_inside(reading, text, path);
	reading->depth--;
	if (!read && !reading->failure->code)
		return cim_fail(reading->failure, CIM_ERR_FAILED, "out of memory");
	return read;
}

bool cim_path_read_text(struct cim_arena *arena, const char *text, enum cim_namespace ns,
			const struct cim_path **path, struct cim_failure *failure)
{
	struct reading reading = { .arena = arena, .ns = ns, .failure = failure };

	failure->code = CIM_OK;
	return read_text(&reading, text, path);
}

/* ---- XML ---- */

static bool read_node(struct reading *reading, const struct xml_node *node, const struct cim_path **path);

/* Is what KEYVALUE says of its type true? "string" is also what is said by saying nothing. */
static bool agrees(const struct xml_node *node, enum cim_type type)
{
	const char *given = xml_attribute(node, "TYPE"), *kind = xml_attribute(node, "VALUETYPE");

	if (given && strcasecmp(given, cim_type_name(type)) != 0)
		return false;
	if (!kind || !strcasecmp(kind, "string"))
		return true;
	if (!strcasecmp(kind, "boolean"))
		return type == CIM_TYPE_BOOLEAN;
	return !strcasecmp(kind, "numeric") && type >= CIM_TYPE_UINT8 && type <= CIM_TYPE_REAL64;
}

/* KEYVALUE or VALUE.REFERENCE */
static bool read_key(struct reading *reading, struct cim_path *path, const char *name, const struct xml_node *node)
{
	struct cim_key *key;

	if (!take_key(reading, path, name, &key))
		return false;
	if (node && !strcmp(node->name, "KEYVALUE")) {
		if (!agrees(node, key->property->type))
			return is_wrong_key(reading, key, node->text);
		if (!set_key_text(reading, key, node->text))
			return false;
	} else if (node && !strcmp(node->name, "VALUE.REFERENCE") && key->property->type == CIM_TYPE_REFERENCE) {
		key->value = (struct cim_scalar){ 0 };
		if (!read_node(reading, node, &key->value.path))
			return false;
	} else {
		return is_wrong_key(reading, key, node ? node->name : "NULL");
	}
	return check_reference(reading, key);
}

static bool read_instance_name(struct reading *reading, const struct xml_node *node, enum cim_namespace ns,
			       const struct cim_path **path)
{
	struct cim_path *made;

	if (!begin_path(reading, ns, xml_attribute(node, "CLASSNAME"), false, &made))
		return false;
	for (const struct xml_node *child = node->first; child; child = child->next) {
		bool is_named = !strcmp(child->name, "KEYBINDING");
		const char *name = is_named ? xml_attribute(child, "NAME") : NULL;

		if (is_named && !name)
			return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a key has no name");
		if (!read_key(reading, made, name, is_named ? child->first : child))
			return false;
	}
	*path = made;
	return check_whole(reading, made);
}

/* LOCALNAMESPACEPATH: NAMESPACE elements joined by '/'. */
static bool read_namespace(struct reading *reading, const struct xml_node *node, enum cim_namespace *ns)
{
	char *name = NULL;

	for (const struct xml_node *part = node->first; part; part = part->next) {
		const char *text = xml_attribute(part, "NAME");

		if (!text || strcmp(part->name, "NAMESPACE") != 0)
			break;
		name = name ? arena_print(reading->arena, "%s/%s", name, text) : arena_copy(reading->arena, text);
		if (!name)
			return cim_fail(reading->failure, CIM_ERR_FAILED, "out of memory");
	}
	if (!name)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "a path names no namespace");
	return find_namespace(reading, name, ns);
}

/* Forms that only hold another, and where that is found: behind a namespace, or alone. */
static const struct xml_node *find_inside(const struct xml_node *node, const struct xml_node **namespace_path)
{
	static const char *const pairs[] = { "LOCALINSTANCEPATH", "INSTANCEPATH", "LOCALCLASSPATH", "CLASSPATH" };
	static const char *const wrappers[] = { "VALUE.REFERENCE", "OBJECTPATH" };

	*namespace_path = NULL;
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
		if (!strcmp(node->name, wrappers[i]))
			return node->first;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (strcmp(node->name, pairs[i]) != 0 || !node->first)
			continue;
		*namespace_path = node->first;
		if (!strcmp(node->first->name, "NAMESPACEPATH"))
			*namespace_path = xml_child(node->first, "LOCALNAMESPACEPATH");
		return *namespace_path ? node->first->next : NULL;
	}
	return NULL;
}

static bool read_node(struct reading *reading, const struct xml_node *node, const struct cim_path **path)
{
	const struct xml_node *inside, *namespace_path;
	enum cim_namespace ns = reading->ns;
	struct cim_path *made;

	while ((inside = find_inside(node, &namespace_path)) != NULL) {
		if (namespace_path && !read_namespace(reading, namespace_path, &ns))
			return false;
		node = inside;
	}
	if (!strcmp(node->name, "INSTANCENAME"))
		return read_instance_name(reading, node, ns, path);
	if (strcmp(node->name, "CLASSNAME") != 0)
		return cim_fail(reading->failure, CIM_ERR_INVALID_PARAMETER, "%.64s is not the path of an object",
				node->name);
	if (!begin_path(reading, ns, xml_attribute(node, "NAME"), true, &made))
		return false;
	*path = made;
	return true;
}

bool cim_path_read(struct cim_arena *arena, const struct xml_node *node, enum cim_namespace ns,
		   const struct cim_path **path, struct cim_failure *failure)
{
	struct reading reading = { .arena = arena, .ns = ns, .failure = failure };

	return read_node(&reading, node, path);
}

/* ---- printing ---- */

static void put_text(struct xml_text *text, const struct cim_path *path);

/* In quotes, with what is in it escaped. */
static void put_quoted(struct xml_text *text, const char *value)
{
	xml_put(text, "\"");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			xml_put(text, "\\");
		xml_put_bytes(text, value, 1);
	}
	xml_put(text, "\"");
}

static void put_text_key(struct xml_text *text, const struct cim_key *key)
{
	enum cim_type type = key->property->type;
	char moment[CIM_DATETIME_LEN + 1];
	struct xml_text inner;

	if (type == CIM_TYPE_STRING) {
		put_quoted(text, key->value.text);
	} else if (type == CIM_TYPE_DATETIME) {
		cim_datetime_print(&key->value.datetime, moment);
		put_quoted(text, moment);
	} else if (type == CIM_TYPE_REFERENCE) {
		xml_text_init(&inner, text->limit);
		put_text(&inner, key->value.path);
		xml_put_bytes(&inner, "", 1);
		if (inner.failed)
			text->failed = true;
		else
			put_quoted(text, inner.bytes);
		xml_text_free(&inner);
	} else {
		xml_put_scalar(text, type, &key->value);
	}
}

static void put_text(struct xml_text *text, const struct cim_path *path)
{
	xml_put(text, cim_schema_namespaces[path->ns]);
	xml_put(text, ":");
	xml_put(text, path->class->name);
	for (unsigned i = 0; i < path->key_count; i++) {
		if (path->keys[i].value.is_null)
			continue;
		xml_put(text, i ? "," : ".");
		xml_put(text, path->keys[i].property->name);
		xml_put(text, "=");
		put_text_key(text, &path->keys[i]);
	}
}

const char *cim_path_print(struct cim_arena *arena, const struct cim_path *path)
{
	struct xml_text text;
	char *copy = NULL;

	xml_text_init(&text, arena->limit_bytes);
	put_text(&text, path);
	if (!text.failed)
		copy = arena_copy_bytes(arena, text.bytes, text.used);
	else
		arena->failed = true;
	xml_text_free(&text);
	return copy;
}

/* ---- writing ---- */

static void put_key(struct xml_text *text, const struct cim_key *key)
{
	enum cim_type type = key->property->type;

	xml_put(text, "<KEYBINDING NAME=\"");
	xml_put(text, key->property->name);
	if (type == CIM_TYPE_REFERENCE) {
		xml_put(text, "\"><VALUE.REFERENCE>");
		xml_put_path_local(text, key->value.path);
		xml_put(text, "</VALUE.REFERENCE></KEYBINDING>");
		return;
	}
	xml_put(text, "\"><KEYVALUE VALUETYPE=\"");
	xml_put(text, type == CIM_TYPE_BOOLEAN ? "boolean" :
		      type >= CIM_TYPE_UINT8 && type <= CIM_TYPE_REAL64 ? "numeric" : "string");
	xml_put(text, "\" TYPE=\"");
	xml_put(text, cim_type_name(type));
	xml_put(text, "\">");
	xml_put_scalar(text, type, &key->value);
	xml_put(text, "</KEYVALUE></KEYBINDING>");
}

void xml_put_path_name(struct xml_text *text, const struct cim_path *path)
{
	if (path->is_class) {
		xml_put_class_name(text, path->class);
		return;
	}
	xml_put(text, "<INSTANCENAME CLASSNAME=\"");
	xml_put(text, path->class->name);
	xml_put(text, "\">");
	for (unsigned i = 0; i < path->key_count; i++)
		if (!path->keys[i].value.is_null)
			put_key(text, &path->keys[i]);
	xml_put(text, "</INSTANCENAME>");
}

static void put_namespace(struct xml_text *text, enum cim_namespace ns)
{
	const char *part = cim_schema_namespaces[ns];

	xml_put(text, "<LOCALNAMESPACEPATH>");
	while (true) {
		size_t len = strcspn(part, "/");

		xml_put(text, "<NAMESPACE NAME=\"");
		xml_put_bytes(text, part, len);
		xml_put(text, "\"/>");
		if (!part[len])
			break;
		part += len + 1;
	}
	xml_put(text, "</LOCALNAMESPACEPATH>");
}

void xml_put_path_local(struct xml_text *text, const struct cim_path *path)
{
	xml_put(text, path->is_class ? "<LOCALCLASSPATH>" : "<LOCALINSTANCEPATH>");
	put_namespace(text, path->ns);
	xml_put_path_name(text, path);
	xml_put(text, path->is_class ? "</LOCALCLASSPATH>" : "</LOCALINSTANCEPATH>");
}

void xml_put_path_full(struct xml_text *text, const struct cim_path *path, const char *host)
{
	xml_put(text, path->is_class ? "<CLASSPATH>" : "<INSTANCEPATH>");
	xml_put(text, "<NAMESPACEPATH><HOST>");
	xml_put_escaped(text, host);
	xml_put(text, "</HOST>");
	put_namespace(text, path->ns);
	xml_put(text, "</NAMESPACEPATH>");
	xml_put_path_name(text, path);
	xml_put(text, path->is_class ? "</CLASSPATH>" : "</INSTANCEPATH>");
}
