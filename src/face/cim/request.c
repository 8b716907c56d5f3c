/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool cim_fail(struct cim_failure *failure, enum cim_error code, const char *format, ...)
{
	va_list args;

	failure->code = code;
	va_start(args, format);
	vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	return false;
}

/* ---- the frame ---- */

/* "2.0", and whatever comes after the point. */
static bool is_major(const char *version, char major)
{
	return version && version[0] == major && version[1] == '.';
}

static bool is_bad(const char **cim_error, const char *why)
{
	*cim_error = why;
	return false;
}

/* NAMESPACE elements joined by '/'. NULL: there is none, or it does not fit. */
static const char *join_namespace(struct cim_arena *arena, const struct xml_node *path)
{
	const struct xml_node *part = path ? xml_child(path, "NAMESPACE") : NULL;
	char *name = NULL;

	for (; part; part = xml_next(part, "NAMESPACE")) {
		const char *text = xml_attribute(part, "NAME");

		if (!text)
			return NULL;
		name = name ? arena_print(arena, "%s/%s", name, text) : arena_copy(arena, text);
		if (!name)
			return NULL;
	}
	return name;
}

/* LOCALCLASSPATH and LOCALINSTANCEPATH of a METHODCALL hold the namespace path, an IMETHODCALL does itself. */
static const struct xml_node *find_namespace(const struct cim_request *request)
{
	const struct xml_node *object;

	if (!request->is_extrinsic)
		return xml_child(request->call, "LOCALNAMESPACEPATH");
	object = xml_child(request->call, "LOCALCLASSPATH");
	if (!object)
		object = xml_child(request->call, "LOCALINSTANCEPATH");
	return object ? xml_child(object, "LOCALNAMESPACEPATH") : NULL;
}

static bool read_call(struct cim_arena *arena, const struct xml_node *simple, struct cim_request *request,
		      const char **cim_error)
{
	request->call = xml_child(simple, "IMETHODCALL");
	if (!request->call) {
		request->call = xml_child(simple, "METHODCALL");
		request->is_extrinsic = request->call != NULL;
	}
	if (!request->call)
		return is_bad(cim_error, "request-not-valid");
	request->operation = xml_attribute(request->call, "NAME");
	request->namespace_name = join_namespace(arena, find_namespace(request));
	if (!request->operation || !*request->operation || !request->namespace_name)
		return is_bad(cim_error, "request-not-valid");
	return true;
}

bool cim_request_read(struct cim_arena *arena, const struct xml_node *root, struct cim_request *request,
		      const char **cim_error, bool *multiple)
{
	const struct xml_node *message, *simple;

	*request = (struct cim_request){ 0 };
	*multiple = false;
	if (strcmp(root->name, "CIM") != 0)
		return is_bad(cim_error, "request-not-valid");
	if (!is_major(xml_attribute(root, "CIMVERSION"), '2'))
		return is_bad(cim_error, "unsupported-cim-version");
	if (!is_major(xml_attribute(root, "DTDVERSION"), '2'))
		return is_bad(cim_error, "unsupported-dtd-version");
	message = xml_child(root, "MESSAGE");
	if (!message || !xml_attribute(message, "ID"))
		return is_bad(cim_error, "request-not-valid");
	request->id = xml_attribute(message, "ID");
	request->protocol_version = xml_attribute(message, "PROTOCOLVERSION");
	if (!is_major(request->protocol_version, '1'))
		return is_bad(cim_error, "unsupported-protocol-version");
	if (xml_child(message, "MULTIREQ")) {
		*multiple = true;
		return is_bad(cim_error, "multiple-requests-unsupported");
	}
	simple = xml_child(message, "SIMPLEREQ");
	if (!simple)
		return is_bad(cim_error, xml_child(message, "SIMPLEEXPREQ") ? "unsupported-operation" :
			      "request-not-valid");
	return read_call(arena, simple, request, cim_error);
}

/* ---- parameters ---- */

static const struct xml_node *find_parameter(const struct cim_request *request, const char *name)
{
	const struct xml_node *node = xml_child(request->call, "IPARAMVALUE");

	for (; node; node = xml_next(node, "IPARAMVALUE")) {
		const char *given = xml_attribute(node, "NAME");

		if (given && !strcasecmp(given, name))
			return node;
	}
	return NULL;
}

bool cim_request_check(const struct cim_request *request, const char *const *names, struct cim_failure *failure)
{
	const struct xml_node *node = xml_child(request->call, "IPARAMVALUE");

	for (; node; node = xml_next(node, "IPARAMVALUE")) {
		const char *given = xml_attribute(node, "NAME");
		unsigned i = 0;

		if (!given)
			return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "a parameter has no name");
		while (names[i] && strcasecmp(names[i], given) != 0)
			i++;
		if (!names[i])
			return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s has no parameter %.64s",
					request->operation, given);
		if (find_parameter(request, given) != node)
			return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "the parameter %.64s is given twice",
					given);
	}
	return true;
}

/* The text without spaces around it is this word? */
static bool is_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	text += strspn(text, " \t\r\n");
	return !strncasecmp(text, word, len) && text[len + strspn(text + len, " \t\r\n")] == '\0';
}

bool cim_request_flag(const struct cim_request *request, const char *name, bool *value, struct cim_failure *failure)
{
	const struct xml_node *node = find_parameter(request, name);

	if (!node || !node->first)
		return true;
	if (!strcmp(node->first->name, "VALUE") && is_word(node->first->text, "true"))
		*value = true;
	else if (!strcmp(node->first->name, "VALUE") && is_word(node->first->text, "false"))
		*value = false;
	else
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is TRUE or FALSE", name);
	return true;
}

bool cim_request_class(const struct cim_request *request, const char *name, const char **value,
		       struct cim_failure *failure)
{
	const struct xml_node *node = find_parameter(request, name);

	*value = NULL;
	if (!node || !node->first)
		return true;
	if (!strcmp(node->first->name, "CLASSNAME"))
		*value = xml_attribute(node->first, "NAME");
	if (!*value)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is the name of a class", name);
	return true;
}

bool cim_request_text(const struct cim_request *request, const char *name, const char **value,
		      struct cim_failure *failure)
{
	const struct xml_node *node = find_parameter(request, name);

	*value = NULL;
	if (!node || !node->first)
		return true;
	if (strcmp(node->first->name, "VALUE") != 0)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is one value", name);
	*value = node->first->text;
	return true;
}

const struct xml_node *cim_request_node(const struct cim_request *request, const char *name)
{
	const struct xml_node *node = find_parameter(request, name);

	return node ? node->first : NULL;
}

bool cim_request_number(const struct cim_request *request, const char *name, uint64_t limit, uint64_t *value,
			struct cim_failure *failure)
{
	const struct xml_node *node = find_parameter(request, name);
	const char *digits;
	char *end;

	if (!node || !node->first)
		return true;
	digits = node->first->text + strspn(node->first->text, " \t\r\n");
	errno = 0;
	*value = strtoull(digits, &end, 10);
	if (strcmp(node->first->name, "VALUE") != 0 || *digits < '0' || *digits > '9' || errno ||
	    end[strspn(end, " \t\r\n")] || *value > limit)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is a number up to %" PRIu64, name, limit);
	return true;
}

bool cim_request_names(struct cim_arena *arena, const struct cim_request *request, const char *name,
		       struct cim_names *names, struct cim_failure *failure)
{
	const struct xml_node *node = find_parameter(request, name), *value;
	unsigned count = 0;

	*names = (struct cim_names){ 0 };
	if (!node || !node->first)
		return true;
	if (strcmp(node->first->name, "VALUE.ARRAY") != 0)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "%s is a list", name);
	for (value = xml_child(node->first, "VALUE"); value; value = xml_next(value, "VALUE"))
		count++;
	names->given = true;
	names->names = arena_take(arena, (count + 1) * sizeof(*names->names));
	if (!names->names)
		return cim_fail(failure, CIM_ERR_FAILED, "out of memory");
	for (value = xml_child(node->first, "VALUE"); value; value = xml_next(value, "VALUE"))
		names->names[names->count++] = value->text;
	return true;
}
