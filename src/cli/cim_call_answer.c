/* SPDX-License-Identifier: Apache-2.0 */
/* What a method has answered: read by the schema of this program, shown. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cim_call.h"

#define NAME_WIDTH_MIN	11	/* of "ReturnValue" */

/* ---- reading ---- */

/* One value: numbers and booleans as such, all else as text; a path in the form that a call takes. */
static json_t *read_item(struct cim_call_words *call, enum cim_type type, const struct xml_node *node)
{
	struct cim_scalar scalar = { 0 };
	struct cim_failure failure;

	if (type == CIM_TYPE_REFERENCE) {
		if (!cim_path_read(&call->arena, node, call->object->ns, &scalar.path, &failure))
			return json_null();
		return json_string(cim_path_print(&call->arena, scalar.path));
	}
	if (!strcmp(node->name, "VALUE.NULL") || !cim_scalar_read(type, node->text, &scalar))
		return json_null();
	if (type == CIM_TYPE_BOOLEAN)
		return json_boolean(scalar.boolean);
	if (type >= CIM_TYPE_UINT8 && type <= CIM_TYPE_UINT64 && scalar.number <= INT64_MAX)
		return json_integer((json_int_t)scalar.number);
	if (type >= CIM_TYPE_SINT8 && type <= CIM_TYPE_SINT64)
		return json_integer(scalar.signed_number);
	return json_string(node->text);
}

static json_t *read_value(struct cim_call_words *call, const struct cim_schema_parameter *parameter,
			  const struct xml_node *node)
{
	json_t *list;

	if (!node)
		return json_null();
	if (!parameter->is_array)
		return read_item(call, parameter->type, node);
	list = json_array();
	for (const struct xml_node *item = node->first; item; item = item->next)
		json_array_append_new(list, read_item(call, parameter->type, item));
	return list;
}

static json_t *read_out(struct cim_call_words *call, const struct xml_node *response)
{
	json_t *out = json_object();

	for (const struct xml_node *node = xml_child(response, "PARAMVALUE"); node;
	     node = xml_next(node, "PARAMVALUE")) {
		const char *name = xml_attribute(node, "NAME");
		const struct cim_schema_parameter *parameter =
			name ? cim_schema_find_parameter(call->method, name) : NULL;

		if (parameter)
			json_object_set_new(out, parameter->name, read_value(call, parameter, node->first));
	}
	return out;
}

static json_t *complain_of_error(struct cim_call_words *call, const struct xml_node *error)
{
	const char *code = xml_attribute(error, "CODE"), *text = xml_attribute(error, "DESCRIPTION");
	struct cim_scalar number;
	bool of_parameters = code && cim_scalar_read(CIM_TYPE_UINT32, code, &number) &&
			     number.number == CIM_ERR_INVALID_PARAMETER;

	cli_complain(FAULT_FAILED, call->method->name, of_parameters ? cim_call_signature(call) : "",
		     "%s (CIM error %s)", text ? text : "it was refused", code ? code : "unknown");
	return NULL;
}

json_t *cim_call_read_answer(struct cim_call_words *call, const struct xml_node *root)
{
	const struct xml_node *message = xml_child(root, "MESSAGE"),
			      *simple = message ? xml_child(message, "SIMPLERSP") : NULL,
			      *response = simple ? xml_child(simple, "METHODRESPONSE") : NULL,
			      *error = response ? xml_child(response, "ERROR") : NULL,
			      *returned = response ? xml_child(response, "RETURNVALUE") : NULL;
	struct cim_scalar code;

	if (error)
		return complain_of_error(call, error);
	if (!returned || !returned->first || !cim_scalar_read(CIM_TYPE_UINT32, returned->first->text, &code)) {
		cli_complain(FAULT_FAILED, call->url, "", "its answer has no return code");
		return NULL;
	}
	return json_pack("{s:s, s:I, s:s?, s:o}", "method", call->method->name, "return_code", (json_int_t)code.number,
			 "return_name", cim_schema_value_name(&call->method->qualifiers, code.number),
			 "out", read_out(call, response));
}

/* ---- printing ---- */

/* A number with its name, where it has one. */
static void print_item(const struct cim_schema_qualifiers *qualifiers, const json_t *item)
{
	json_int_t number = json_integer_value(item);
	const char *name = json_is_integer(item) && number >= 0 ?
			   cim_schema_value_name(qualifiers, (uint64_t)number) : NULL;

	if (json_is_string(item))
		fputs(json_string_value(item), stdout);
	else if (json_is_integer(item))
		printf("%" JSON_INTEGER_FORMAT "%s%s%s", number, name ? " (" : "", name ? name : "", name ? ")" : "");
	else
		fputs(json_is_boolean(item) ? json_is_true(item) ? "true" : "false" : "-", stdout);
}

static void print_value(const struct cim_schema_qualifiers *qualifiers, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(value))
		print_item(qualifiers, value);
	json_array_foreach(value, i, item) {
		fputs(i ? ", " : "", stdout);
		print_item(qualifiers, item);
	}
	putchar('\n');
}

void cim_call_print(const struct cim_call_words *call, const json_t *answer)
{
	json_t *out = json_object_get(answer, "out"), *value;
	size_t width = NAME_WIDTH_MIN;
	const char *name;

	json_object_foreach(out, name, value)
		if (strlen(name) > width)
			width = strlen(name);
	printf("%-*s  ", (int)width, "ReturnValue");
	print_value(&call->method->qualifiers, json_object_get(answer, "return_code"));
	json_object_foreach(out, name, value) {
		printf("%-*s  ", (int)width, name);
		print_value(&cim_schema_find_parameter(call->method, name)->qualifiers, value);
	}
}
