/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cim/embedded.h"

#include <string.h>

static const struct xml_node *read_tree(struct cim_arena *arena, const char *text)
{
	struct xml_reader *reader = xml_reader_create(arena);
	const struct xml_node *root = NULL;

	if (!reader)
		return NULL;
	if (xml_reader_feed(reader, text, strlen(text)) != 0 || xml_reader_end(reader, &root) != 0)
		root = NULL;
	xml_reader_free(reader);
	return root;
}

bool cim_embedded_read(struct cim_arena *arena, enum cim_namespace ns, const char *class_name, const char *text,
		       struct cim_given *given, struct cim_failure *failure)
{
	struct cim_operation_call reading = { .arena = arena, .ns = ns };
	const struct xml_node *root = read_tree(arena, text);

	if (!root)
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "an embedded %s is no good XML", class_name);
	if (!cim_given_read(&reading, root, given)) {
		*failure = reading.failure;
		/* The instance is a part of the parameter, and so is what is wrong with it. */
		failure->code = CIM_ERR_INVALID_PARAMETER;
		return false;
	}
	if (!cim_schema_is_named(given->instance->class, class_name))
		return cim_fail(failure, CIM_ERR_INVALID_PARAMETER, "it is an instance of %s, and not of %s",
				given->instance->class->name, class_name);
	return true;
}
