/* SPDX-License-Identifier: Apache-2.0 */
/* The words of "xdc cim call", as the schema of this program types them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cim_call.h"
#include "face/cim/deliver.h"

#define VALUES_MAX	CLI_WORDS_MAX	/* of one parameter */

__attribute__((format(printf, 4, 5)))
static bool refuse(struct cim_call_words *call, const char *object, const char *remedy, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	cli_complain(FAULT_INVALID_PARAMETER, object, remedy ? remedy : "", "%s", message);
	call->exit = CLI_BAD_USAGE;
	return false;
}

/* ---- the object, the method ---- */

static bool find_object(struct cim_call_words *call)
{
	struct cim_failure failure;

	if (cim_path_read_text(&call->arena, call->object_text, CIM_NAMESPACE_IBM, &call->object, &failure))
		return true;
	return refuse(call, call->object_text, "xdc cim classes, xdc cim mof CLASS; NAMESPACE:CLASS.KEY=\"VALUE\",...",
		      "%s", failure.text);
}

static bool find_method(struct cim_call_words *call)
{
	const struct cim_schema_class *class = call->object->class;
	const char *list = NULL;

	call->method = cim_schema_find_method(class, call->method_text);
	if (call->method)
		return true;
	for (unsigned i = 0; i < class->method_count; i++)
		list = arena_print(&call->arena, "%s%s%s", list ? list : "", list ? ", " : "", class->methods[i]->name);
	return refuse(call, class->name, list, "it has no method '%s'%s", call->method_text,
		      class->method_count ? "" : ", and no other either");
}

const char *cim_call_signature(struct cim_call_words *call)
{
	const char *list = NULL;

	for (unsigned i = 0; i < call->method->parameter_count; i++) {
		const struct cim_schema_parameter *parameter = &call->method->parameters[i];

		if (parameter->is_in)
			list = arena_print(&call->arena, "%s%s%s (%s%s%s)", list ? list : "", list ? ", " : "",
					   parameter->name, cim_type_name(parameter->type),
					   parameter->is_array ? "[]" : "", parameter->is_required ? ", required" : "");
	}
	return list ? list : "it takes none";
}

/* ---- parameters ---- */

static const char *type_of(const struct cim_schema_parameter *parameter)
{
	return parameter->type == CIM_TYPE_REFERENCE ? "path of an object" : cim_type_name(parameter->type);
}

static bool read_scalar(struct cim_call_words *call, const struct cim_schema_parameter *parameter, const char *text,
			struct cim_scalar *scalar)
{
	struct cim_failure failure;

	*scalar = (struct cim_scalar){ 0 };
	if (parameter->type == CIM_TYPE_REFERENCE) {
		if (cim_path_read_text(&call->arena, text, call->object->ns, &scalar->path, &failure))
			return true;
		return refuse(call, parameter->name, "NAMESPACE:CLASS.KEY=\"VALUE\",...",
			      "it is the path of an object: %s", failure.text);
	}
	if (cim_scalar_read(parameter->type, text, scalar))
		return true;
	return refuse(call, parameter->name, cim_call_signature(call), "it is a %s, and not '%.128s'",
		      type_of(parameter), text);
}

static bool add_to_array(struct cim_call_words *call, const struct cim_schema_parameter *parameter, const char *text,
			 struct cim_value *value)
{
	struct cim_scalar *list = (struct cim_scalar *)(uintptr_t)value->list;

	if (!list)
		value->list = list = arena_take(&call->arena, VALUES_MAX * sizeof(*list));
	if (!list)
		return refuse(call, parameter->name, "", "no memory");
	if (value->count == VALUES_MAX)
		return refuse(call, parameter->name, "", "more than %u values", VALUES_MAX);
	return read_scalar(call, parameter, text, &list[value->count++]);
}

/* Texts and paths may hold commas, so each of them is a word of its own. */
static bool read_array(struct cim_call_words *call, const struct cim_schema_parameter *parameter, const char *text,
		       struct cim_value *value)
{
	const char *part;
	size_t len;

	if (parameter->type == CIM_TYPE_STRING || parameter->type == CIM_TYPE_REFERENCE)
		return add_to_array(call, parameter, text, value);
	while (true) {
		len = strcspn(text, ",");
		part = arena_copy_bytes(&call->arena, text, len);
		if (!part)
			return refuse(call, parameter->name, "", "no memory");
		if (!add_to_array(call, parameter, part, value))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

/* NAME=VALUE */
static bool read_argument(struct cim_call_words *call, const char *word)
{
	const char *equals = strchr(word, '='), *name;
	const struct cim_schema_parameter *parameter;
	struct cim_value *value;

	if (!equals)
		return refuse(call, word, cim_call_signature(call), "a parameter is NAME=VALUE");
	name = arena_copy_bytes(&call->arena, word, (size_t)(equals - word));
	parameter = name ? cim_schema_find_parameter(call->method, name) : NULL;
	if (!parameter || !parameter->is_in)
		return refuse(call, call->method->name, cim_call_signature(call), "it takes no parameter '%.128s'",
			      name ? name : word);
	value = &call->in[parameter - call->method->parameters];
	if (!value->is_null && !parameter->is_array)
		return refuse(call, parameter->name, "", "it is one value, and given twice");
	value->is_null = false;
	if (parameter->is_array)
		return read_array(call, parameter, equals + 1, value);
	return read_scalar(call, parameter, equals + 1, &value->one);
}

static bool read_arguments(struct cim_call_words *call, const char *const *words, unsigned count)
{
	const struct cim_schema_method *method = call->method;

	call->in = arena_take(&call->arena, (method->parameter_count + 1) * sizeof(*call->in));
	if (!call->in)
		return refuse(call, method->name, "", "no memory");
	for (unsigned i = 0; i < method->parameter_count; i++)
		call->in[i] = (struct cim_value){ .type = method->parameters[i].type, .is_null = true,
						  .is_array = method->parameters[i].is_array };
	for (unsigned i = 0; i < count; i++)
		if (!read_argument(call, words[i]))
			return false;
	for (unsigned i = 0; i < method->parameter_count; i++)
		if (method->parameters[i].is_required && call->in[i].is_null)
			return refuse(call, method->name, cim_call_signature(call), "the parameter %s is missing",
				      method->parameters[i].name);
	return true;
}

/* ---- all words ---- */

/* The place of an option's value, or NULL. */
static const char **find_option(struct cim_call_words *call, const char *word)
{
	if (!strcmp(word, "--url"))
		return &call->url;
	if (!strcmp(word, "--user"))
		return &call->user;
	return !strcmp(word, "--password-file") ? &call->password_file : NULL;
}

bool cim_call_parse(struct cim_call_words *call, const char *const *words, unsigned count)
{
	const char *arguments[CLI_WORDS_MAX];
	struct deliver_url url;
	unsigned argument_count = 0;

	for (unsigned i = 0; i < count; i++) {
		const char **place = find_option(call, words[i]);

		if (place && i + 1 == count)
			return refuse(call, words[i], "xdc cim --help", "it needs a value");
		if (place)
			*place = words[++i];
		else if (*words[i] == '-')
			return refuse(call, "cim call", "xdc cim --help", "'%.128s' is not expected here", words[i]);
		else if (!call->object_text)
			call->object_text = words[i];
		else if (!call->method_text)
			call->method_text = words[i];
		else
			arguments[argument_count++] = words[i];
	}
	if (!deliver_url_read(call->url, &url))
		return refuse(call, call->url, "--url http://127.0.0.1:5988", "it is http://HOST[:PORT]");
	if (!call->method_text)
		return refuse(call, "cim call", "xdc cim --help", "which method of which object?");
	return find_object(call) && find_method(call) && read_arguments(call, arguments, argument_count);
}
