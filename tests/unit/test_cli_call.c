/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the control protocol: what is refused, and that table, server and documentation agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "face/cli_call.h"
#include "face/cli_private.h"
#include "rt/mem.h"

/* The reply as JSON. Nothing is carried out: there is no control plane. */
static json_t *call(enum op_role role, const char *request, size_t len)
{
	struct cli_caller caller = { role, "user 0" };
	char *text = cli_call(NULL, &caller, request, len);
	json_t *reply;

	assert_non_null(text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_null(memchr(text, '\n', strlen(text) - 1));
	reply = json_loads(text, 0, NULL);
	assert_non_null(reply);
	mem_free(text);
	return reply;
}

static void check_good(const char *request)
{
	json_t *reply = call(ROLE_ADMIN, request, strlen(request));

	if (!json_is_true(json_object_get(reply, "ok")))
		fail_msg("%s was refused", request);
	json_decref(reply);
}

static void check_refused_by(enum op_role role, const char *request, size_t len, int code, const char *object,
			     const char *message)
{
	json_t *reply = call(role, request, len), *error = json_object_get(reply, "error");

	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_int_equal(json_integer_value(json_object_get(error, "code")), code);
	assert_string_equal(json_string_value(json_object_get(error, "object")), object);
	if (!strstr(json_string_value(json_object_get(error, "message")), message))
		fail_msg("%s: %s", request, json_string_value(json_object_get(error, "message")));
	assert_non_null(json_object_get(error, "remedy"));
	json_decref(reply);
}

static void check_refused(const char *request, int code, const char *object, const char *message)
{
	check_refused_by(ROLE_ADMIN, request, strlen(request), code, object, message);
}

static void good_requests(void **state)
{
	(void)state;
	check_good("{\"op\":\"system show\"}");
	check_good(" { \"args\" : { } , \"op\" : \"pool list\" } \r");
	check_good("{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p1\",\"size\":\"1G\","
		   "\"name\":\"db\"}}");
	check_good("{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p1\",\"name\":null,"
		   "\"adopt\":\"/dev/sdb\",\"size\":\"512\"}}");
	check_good("{\"op\":\"pool create\",\"args\":{\"pool\":\"p2\",\"device\":true,\"cache\":\"direct\"}}");
	check_good("{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\",\"db\"]}}");
	check_good("{\"op\":\"path create\",\"args\":{\"source_lss\":\"15\",\"target_lss\":\"25\","
		   "\"system\":\"2105.FB230\",\"to\":\"far.example:7001\"}}");
}

static void what_is_no_request(void **state)
{
	static const char *const lines[] = {
		"", " ", "{", "}", "null", "[]", "1", "\"volume list\"", "{}", "{\"op\":1}", "{\"op\":null}",
		"{\"op\":\"volume list\"", "{\"op\":\"volume list\"}}", "{\"op\":\"volume list\",\"op\":\"pool list\"}",
		"{\"op\":\"volume list\",\"args\":[]}", "{\"op\":\"volume list\",\"more\":{}}",
		"{'op':'volume list'}", "\xff\xfe", "{\"op\":\"\\ud800\"}", "{\"op\":\"volume\\u0000list\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check_refused(lines[i], FAULT_INVALID_PARAMETER, "request", "");
	check_refused_by(ROLE_ADMIN, "{\"op\":\"pool list\"\0}", 20, FAULT_INVALID_PARAMETER, "request", "");
}

/* 60,000 brackets must not reach the parser, which would go down one stack frame for each. */
static void hostile_depth(void **state)
{
	static char deep[60000];

	(void)state;
	memset(deep, '[', sizeof(deep));
	check_refused_by(ROLE_ADMIN, deep, sizeof(deep), FAULT_INVALID_PARAMETER, "request", "JSON");
	/* Brackets in a text, however many, are only text. */
	memcpy(deep, "{\"op\":\"", 7);
	memcpy(deep + sizeof(deep) - 2, "\"}", 2);
	check_refused_by(ROLE_ADMIN, deep, sizeof(deep), FAULT_NOT_SUPPORTED, "op", "there is no operation");
}

static void unknown_operations(void **state)
{
	(void)state;
	check_refused("{\"op\":\"volume\"}", FAULT_NOT_SUPPORTED, "op", "no operation");
	check_refused("{\"op\":\"volume  list\"}", FAULT_NOT_SUPPORTED, "op", "no operation");
	check_refused("{\"op\":\"Volume list\"}", FAULT_NOT_SUPPORTED, "op", "no operation");
	check_refused("{\"op\":\"averyveryverylongnoun list\"}", FAULT_NOT_SUPPORTED, "op", "no operation");
}

static void wrong_arguments(void **state)
{
	static const struct { const char *request, *object, *message; } wrong[] = {
		{ "{\"op\":\"volume show\"}", "volume", "missing" },
		{ "{\"op\":\"volume show\",\"args\":{\"volume\":null}}", "volume", "missing" },
		{ "{\"op\":\"volume show\",\"args\":{\"volume\":1500}}", "volume", "text" },
		{ "{\"op\":\"volume show\",\"args\":{\"volume\":[\"1500\"]}}", "volume", "text" },
		{ "{\"op\":\"volume show\",\"args\":{\"volume\":\"a b\"}}", "volume", "id" },
		{ "{\"op\":\"volume show\",\"args\":{\"volume\":\"1500\",\"x\":1}}", "args", "no such argument" },
		{ "{\"op\":\"pool list\",\"args\":{\"pool\":\"p\"}}", "args", "no such argument" },
		{ "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"size\":\"1000\"}}", "size",
		  "512" },
		{ "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"name\":\"1501\"}}", "name",
		  "look like" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"relative\"}}", "dir", "absolute" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"device\":\"yes\"}}", "device", "true" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"cache\":\"none\"}}", "cache", "writeback" },
		{ "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":\"1500\"}}", "volumes", "list" },
		{ "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[]}}", "volumes", "missing" },
		{ "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[1]}}", "volumes", "text" },
		{ "{\"op\":\"session show\",\"args\":{\"session\":\"1\",\"watch\":true}}", "args", "no such argument" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_refused(wrong[i].request, FAULT_INVALID_PARAMETER, wrong[i].object, wrong[i].message);
}

/* Values that are good one by one. */
static void wrong_together(void **state)
{
	static const struct { const char *request; int code; const char *object, *message;
	} wrong[] = {
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\"}}", 5, "pool", "of a folder" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/p\",\"device\":true}}", 5, "pool",
		  "made from" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"from\":\"q\"}}", 5, "size", "needs a size" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"device\":true,\"size\":\"1G\"}}", 5, "size",
		  "of its extents" },
		{ "{\"op\":\"pool create\",\"args\":{\"pool\":\"p\",\"dir\":\"/p\",\"extent\":[\"/d\"]}}", 5, "extent",
		  "of devices" },
		{ "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\"}}", 5, "size",
		  "needs a size" },
		{ "{\"op\":\"volume create\",\"args\":{\"volume\":\"1500\",\"pool\":\"p\",\"size\":\"512\"}}", 4097,
		  "size", "4 KiB" },
		{ "{\"op\":\"volume grow\",\"args\":{\"volume\":\"1500\",\"size\":\"4608\"}}", 4097, "size", "4 KiB" },
		{ "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\",\"interval\":\"19h\"}}", 5,
		  "interval", "18h" },
		{ "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\",\"coordination\":\"0\"}}", 5,
		  "coordination", "1ms" },
		{ "{\"op\":\"session resume\",\"args\":{\"session\":\"1\",\"coordination\":\"65536ms\"}}", 5,
		  "coordination", "65535ms" },
		{ "{\"op\":\"session resume\",\"args\":{\"session\":\"1\",\"drain\":\"0\"}}", 5, "drain", "longer" },
		{ "{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\","
		  "\"subordinate\":[\"2105.FA121:16\",\"2105.FA122:17\",\"2105.FA121:18\"]}}",
		  5, "subordinate", "twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		check_refused(wrong[i].request, wrong[i].code, wrong[i].object, wrong[i].message);
	check_good("{\"op\":\"session start\",\"args\":{\"session\":\"1\",\"master\":\"15\",\"interval\":\"18h\","
		   "\"coordination\":\"65535ms\",\"drain\":\"1us\",\"subordinate\":[\"2105.FA121:16\",\"2105.FA122:"
		   "16\"]}}");
}

static void check_count(unsigned count, const char *wrong)
{
	static char request[CLI_REQUEST_MAX];
	int len = snprintf(request, sizeof(request),
			   "{\"op\":\"session add\",\"args\":{\"session\":\"1\",\"volumes\":[\"1500\"");

	for (unsigned i = 1; i < count; i++)
		len += snprintf(request + len, sizeof(request) - (size_t)len, ",\"1500\"");
	snprintf(request + len, sizeof(request) - (size_t)len, "]}}");
	if (wrong)
		check_refused(request, FAULT_INVALID_PARAMETER, "volumes", wrong);
	else
		check_good(request);
}

static void too_many_values(void **state)
{
	(void)state;
	check_count(OP_VOLUMES_MAX, NULL);
	check_count(OP_VOLUMES_MAX + 1, "at most 256");
	check_count(CLI_ITEMS_MAX + 1, "too many");
}

static void roles(void **state)
{
	static const char change[] = "{\"op\":\"pool delete\",\"args\":{\"pool\":\"p\"}}";
	static const char copy[] = "{\"op\":\"set delete\",\"args\":{\"set\":\"s\"}}";
	static const char look[] = "{\"op\":\"pool list\"}";
	json_t *reply;

	(void)state;
	check_refused_by(ROLE_MONITOR, change, strlen(change), FAULT_FAILED, "op", "may not");
	check_refused_by(ROLE_OPERATOR, change, strlen(change), FAULT_FAILED, "op", "may not");
	check_refused_by(ROLE_MONITOR, copy, strlen(copy), FAULT_FAILED, "op", "may not");
	reply = call(ROLE_OPERATOR, copy, strlen(copy));
	assert_true(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
	reply = call(ROLE_MONITOR, look, strlen(look));
	assert_true(json_is_true(json_object_get(reply, "ok")));
	json_decref(reply);
}

/* What other systems said, or what was cut, costs no answer. */
static void texts_are_repaired(void **state)
{
	static const struct { const char *text, *shown; } texts[] = {
		{ "plain", "plain" }, { "\xC3\xA4", "\xC3\xA4" }, { "a\xFF" "b", "a?b" }, { "cut \xE2\x82", "cut " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *json = cli_text_or_null(texts[i].text);

		assert_non_null(json);
		assert_string_equal(json_string_value(json), texts[i].shown);
		json_decref(json);
	}
	assert_true(json_is_null(cli_text_or_null("")) && json_is_null(cli_text_or_null(NULL)));
}

/* ---- the table ---- */

#define OPERATIONS_MAX	100u

static void table_is_sound(void **state)
{
	(void)state;
	for (unsigned i = 0; i < operation_count; i++) {
		const struct operation *operation = &operations[i];
		bool optional_before = false;

		assert_ptr_equal(operation_find(operation->noun, operation->verb), operation);
		for (unsigned j = 0; j < operation_arg_count(operation); j++) {
			const struct op_arg *arg = &operation->args[j];

			assert_int_equal(operation_arg_find(operation, arg->name), j);
			/* On the command line a position that may be left out comes last. */
			assert_false(arg->use & USE_POSITION && optional_before);
			optional_before |= arg->use & USE_POSITION &&
					   (arg->use & USE_REPEATED || !(arg->use & USE_REQUIRED));
			assert_false(arg->use & USE_CLIENT && arg->kind != ARG_FLAG);
		}
	}
}

static void each_operation_is_bound_once(void **state)
{
	static const struct cli_binding *const tables[] = {
		cli_bindings_store, cli_bindings_copy, cli_bindings_session, cli_bindings_recovery,
		cli_bindings_job, cli_bindings_set, cli_bindings_verify, cli_bindings_flash, cli_bindings_standby,
		cli_bindings_system,
	};
	unsigned bound[OPERATIONS_MAX] = { 0 };

	(void)state;
	assert_true(operation_count <= OPERATIONS_MAX);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct cli_binding *binding = tables[i]; binding->noun; binding++) {
			const struct operation *operation = operation_find(binding->noun, binding->verb);

			assert_non_null(operation);
			bound[operation - operations]++;
		}
	for (unsigned i = 0; i < operation_count; i++)
		if (bound[i] != 1)
			fail_msg("%s %s is bound %u times", operations[i].noun, operations[i].verb, bound[i]);
}

/* ---- docs/cli-json.md ---- */

static void describe_arg(const struct op_arg *arg, char *text, size_t size)
{
	char name[OP_NAME_MAX], kind[40];

	operation_arg_json_name(arg, name);
	snprintf(kind, sizeof(kind), "%s", arg->kind == ARG_FLAG ? "true or false" : arg_kind_names[arg->kind]);
	for (char *at = kind; *at; at++)
		if (*at == '|')
			*at = '/';
	snprintf(text, size, "| `%s` | %s%s%s | %s |\n", name, arg->use & USE_REPEATED ? "list of " : "", kind,
		 arg->use & USE_REQUIRED ? ", required" : "", arg->help);
}

/* What the page must say of an operation. */
static void describe_operation(const struct operation *operation, char *text, size_t size)
{
	static const char *const answers[] = {
		"the object", "a list of objects", "the object as it is now", "null",
	};
	size_t len = (size_t)snprintf(text, size, "### %s %s\n\n%s. Role: %s. Result: %s.\n", operation->noun,
				      operation->verb, operation->help,
				      op_role_names[operation->role], answers[operation->answer]);
	bool first = true;

	for (unsigned i = 0; i < operation_arg_count(operation); i++) {
		if (operation->args[i].use & USE_CLIENT)
			continue;
		if (first)
			len += (size_t)snprintf(text + len, size - len,
						"\n| argument | value | what |\n|---|---|---|\n");
		first = false;
		describe_arg(&operation->args[i], text + len, size - len);
		len += strlen(text + len);
	}
}

static void documentation_agrees(void **state)
{
	static char page[100000];
	const char *source = getenv("XDC_TOP");
	char path[4096], wanted[4096];
	FILE *file;

	(void)state;
	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/docs/cli-json.md", source);
	file = fopen(path, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	fclose(file);
	for (unsigned i = 0; i < operation_count; i++) {
		describe_operation(&operations[i], wanted, sizeof(wanted));
		if (!strstr(page, wanted))
			fail_msg("docs/cli-json.md must say:\n\n%s", wanted);
	}
}

static int prepare(void **state)
{
	(void)state;
	cli_call_prepare();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_requests),
		cmocka_unit_test(what_is_no_request),
		cmocka_unit_test(hostile_depth),
		cmocka_unit_test(unknown_operations),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(wrong_together),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(roles),
		cmocka_unit_test(texts_are_repaired),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(each_operation_is_bound_once),
		cmocka_unit_test(documentation_agrees),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
