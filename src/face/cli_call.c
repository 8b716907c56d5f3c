/* SPDX-License-Identifier: Apache-2.0 */
#include "face/cli_call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/service.h"
#include "face/cli_private.h"
#include "rt/log.h"
#include "rt/mem.h"
#include "rt/utf8.h"

/* Requests are flat; Jansson would follow 2,048 levels down on the stack of a fiber. */
#define DEPTH_MAX	8u

void cli_call_prepare(void)
{
	json_set_alloc_funcs(mem_alloc, mem_free);
	/* The order of keys, and so the simulator's runs, must not depend on chance. */
	json_object_seed(1);
}

/* ---- the request ---- */

/* Brackets outside texts. What is no JSON at all is found by the parser. */
static bool is_flat(const char *request, size_t len)
{
	unsigned depth = 0;
	bool in_text = false;

	for (size_t i = 0; i < len; i++) {
		if (in_text && request[i] == '\\')
			i++;
		else if (request[i] == '"')
			in_text = !in_text;
		else if (!in_text && (request[i] == '{' || request[i] == '['))
			depth++;
		else if (!in_text && (request[i] == '}' || request[i] == ']') && depth)
			depth--;
		if (depth > DEPTH_MAX)
			return false;
	}
	return true;
}

static int wrong_value(const struct op_arg *arg, const char *wrong, struct fault *fault)
{
	return fault_set(fault, FAULT_INVALID_PARAMETER, arg->name, "", "%s", wrong);
}

static int take_item(struct cli_request *request, unsigned index, const json_t *json, struct fault *fault)
{
	const struct op_arg *arg = &request->operation->args[index];
	struct arg_value *value = &request->items[request->items_used];
	const char *wrong;

	if (!json_is_string(json))
		return wrong_value(arg, "its value must be a text", fault);
	if (request->items_used == CLI_ITEMS_MAX)
		return wrong_value(arg, "too many values", fault);
	wrong = arg_parse(arg->kind, json_string_value(json), value);
	if (wrong)
		return wrong_value(arg, wrong, fault);
	if (!request->given.count[index]++)
		request->given.values[index] = value;
	request->items_used++;
	return 0;
}

static int take_flag(struct cli_request *request, unsigned index, const json_t *json, struct fault *fault)
{
	if (!json_is_boolean(json))
		return wrong_value(&request->operation->args[index], "it is true or false", fault);
	request->given.values[index] = &request->items[0];
	request->given.count[index] = json_is_true(json);
	return 0;
}

static int take_argument(struct cli_request *request, unsigned index, const json_t *json, struct fault *fault)
{
	const struct op_arg *arg = &request->operation->args[index];
	size_t i;
	json_t *item;

	if (json_is_null(json))
		return 0;
	if (arg->kind == ARG_FLAG)
		return take_flag(request, index, json, fault);
	if (!(arg->use & USE_REPEATED))
		return take_item(request, index, json, fault);
	if (!json_is_array(json))
		return wrong_value(arg, "it is a list", fault);
	json_array_foreach(json, i, item)
		if (take_item(request, index, item, fault))
			return -1;
	return 0;
}

/* All of args, by the table; whatever else is there is refused. */
static int take_arguments(struct cli_request *request, json_t *args, struct fault *fault)
{
	const struct operation *operation = request->operation;
	size_t known = 0;

	for (unsigned i = 0; i < operation_arg_count(operation); i++) {
		const struct op_arg *arg = &operation->args[i];
		char name[OP_NAME_MAX];
		const json_t *json;

		if (arg->use & USE_CLIENT)
			continue;
		operation_arg_json_name(arg, name);
		json = json_object_get(args, name);
		known += json != NULL;
		if (json && take_argument(request, i, json, fault))
			return -1;
		if (arg->use & USE_REQUIRED && !request->given.count[i])
			return wrong_value(arg, "it is missing", fault);
	}
	if (known != json_object_size(args))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "args", "see docs/cli-json.md",
				 "%s %s has no such argument", operation->noun, operation->verb);
	return operation_check(operation, &request->given, fault);
}

/* "volume create": noun, one space, verb. */
static const struct operation *find_operation(const char *name)
{
	const char *space = strchr(name, ' ');
	char noun[16];

	if (!space || (size_t)(space - name) >= sizeof(noun))
		return NULL;
	memcpy(noun, name, (size_t)(space - name));
	noun[space - name] = '\0';
	return operation_find(noun, space + 1);
}

static int read_request(struct cli_request *request, enum op_role role, json_t *json, struct fault *fault)
{
	const char *name = json_string_value(json_object_get(json, "op"));
	json_t *args = json_object_get(json, "args");

	if (!name || (args && !json_is_object(args)) || json_object_size(json) != (args ? 2u : 1u))
		return fault_set(fault, FAULT_INVALID_PARAMETER, "request", "see docs/cli-json.md",
				 "a request is an object with op and args");
	request->operation = find_operation(name);
	if (!request->operation)
		return fault_set(fault, FAULT_NOT_SUPPORTED, "op", "see docs/cli-json.md",
				 "there is no operation %.64s", name);
	if (role < request->operation->role)
		return fault_set(fault, FAULT_FAILED, "op", "ask an administrator", "this role may not %s", name);
	return take_arguments(request, args, fault);
}

/* Who did it, for the day on which nobody remembers. */
static void log_request(const struct cli_caller *caller, const struct operation *operation, const json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT | JSON_ENSURE_ASCII);

	log_line(LOG_NOTICE, "cli", "%s: %s %s %.300s", caller->name, operation->noun, operation->verb,
		 text ? text : "");
	mem_free(text);
}

static void add_words(char *text, size_t size, const char *format, const char *name, const char *value)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, format, name, value);
}

/* The command as it would be typed; object gets its noun and what it names first. Values that are given are texts. */
static void say_command(const struct cli_request *request, char object[XDC_EVENT_OBJECT_MAX],
			char command[XDC_EVENT_TEXT_MAX])
{
	const struct operation *operation = request->operation;
	bool named = false;

	snprintf(object, XDC_EVENT_OBJECT_MAX, "%s", operation->noun);
	snprintf(command, XDC_EVENT_TEXT_MAX, "%s %s", operation->noun, operation->verb);
	for (unsigned i = 0; i < operation_arg_count(operation); i++) {
		const struct op_arg *arg = &operation->args[i];
		bool position = arg->use & USE_POSITION, flag = arg->kind == ARG_FLAG;

		for (unsigned j = 0; j < request->given.count[i]; j++) {
			const char *value = flag ? "" : request->given.values[i][j].text;

			add_words(command, XDC_EVENT_TEXT_MAX, position ? "%s %s" : flag ? " --%s%s" : " --%s %s",
				  position ? "" : arg->name, value);
			if (position && !named)
				add_words(object, XDC_EVENT_OBJECT_MAX, "%s %s", "", value);
			named = named || position;
		}
	}
}

/* An administrator has changed something: all but those that only show. */
static void note_change(const struct cli_request *request, const struct cli_caller *caller)
{
	char object[XDC_EVENT_OBJECT_MAX], command[XDC_EVENT_TEXT_MAX], text[XDC_EVENT_TEXT_MAX];

	if (request->operation->role == ROLE_MONITOR || request->operation->answer == ANSWER_LIST)
		return;
	say_command(request, object, command);
	snprintf(text, sizeof(text), "%.40s: xdc %.200s", caller->name, command);
	control_note_change(request->control, object, text);
}

/* What carries it out. The tables of the bindings have each operation (tests/unit/test_cli_call.c). */
static cli_fn *find_function(const struct operation *operation)
{
	static const struct cli_binding *const tables[] = {
		cli_bindings_store,
		cli_bindings_copy,
		cli_bindings_session,
		cli_bindings_recovery,
		cli_bindings_set,
		cli_bindings_job,
		cli_bindings_verify, cli_bindings_flash, cli_bindings_standby,
		cli_bindings_system,
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct cli_binding *binding = tables[i]; binding->noun; binding++)
			if (!strcmp(binding->noun, operation->noun) &&
			    !strcmp(binding->verb, operation->verb))
				return binding->fn;
	abort();
}

static int run(struct control *control, const struct cli_caller *caller, json_t *json, json_t **result,
	       struct fault *fault)
{
	struct cli_request request = { .control = control };
	MEM_OWNED struct arg_value *items = mem_alloc(CLI_ITEMS_MAX * sizeof(*items));
	int rc;

	if (!items)
		return cli_out_of_memory(fault);
	request.items = items;
	if (read_request(&request, caller->role, json, fault))
		return -1;
	if (!control)
		return 0;
	if (request.operation->role != ROLE_MONITOR)
		log_request(caller, request.operation, json_object_get(json, "args"));
	if (control_command_begin(control, request.operation, fault))
		return -1;
	rc = find_function(request.operation)(&request, result, fault);
	control_command_end(control, request.operation);
	if (!rc)
		note_change(&request, caller);
	return rc;
}

/* ---- the reply ---- */

static char *print_line(json_t *reply)
{
	size_t len;
	char *text, *line = NULL;

	text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
	json_decref(reply);
	if (text) {
		len = strlen(text);
		line = mem_resize(text, len + 2);
		if (!line)
			mem_free(text);
	}
	if (line)
		memcpy(line + len, "\n", 2);
	return line;
}

char *cli_call_fault(const struct fault *fault)
{
	return print_line(json_pack("{s:b, s:{s:i, s:s, s:o, s:o, s:o}}", "ok", 0, "error", "code", fault->code,
				    "message", fault->message, "object", cli_text_or_null(fault->object),
				    "remedy", cli_text_or_null(fault->remedy), "nearest_bytes",
				    cli_known(fault->nearest_bytes, (int64_t)fault->nearest_bytes)));
}

char *cli_call(struct control *control, const struct cli_caller *caller, const char *request, size_t len)
{
	struct fault fault = { 0 };
	json_error_t error;
	json_t *json = NULL, *result = NULL;
	int rc;

	if (is_flat(request, len))
		json = json_loadb(request, len, JSON_REJECT_DUPLICATES, &error);
	if (json)
		rc = run(control, caller, json, &result, &fault);
	else
		rc = fault_set(&fault, FAULT_INVALID_PARAMETER, "request", "see docs/cli-json.md",
			       "it is not a line of JSON");
	json_decref(json);
	if (rc)
		return cli_call_fault(&fault);
	return print_line(json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_null()));
}
