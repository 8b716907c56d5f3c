/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines that come in on the control socket: whatever they are, the answer is one line of JSON that says ok or why not.
 * Nothing is carried out.
 */
#undef NDEBUG
#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "face/cli_call.h"
#include "rt/mem.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	cli_call_prepare();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cli_caller caller = { ROLE_ADMIN, "user 0" };
	char *reply;
	json_t *json, *error;

	if (size > CLI_REQUEST_MAX)
		return 0;
	reply = cli_call(NULL, &caller, (const char *)data, size);
	assert(reply && strchr(reply, '\n') == reply + strlen(reply) - 1);
	json = json_loads(reply, 0, NULL);
	assert(json);
	error = json_object_get(json, "error");
	if (json_is_true(json_object_get(json, "ok")))
		assert(!error && json_object_get(json, "result"));
	else
		assert(json_is_integer(json_object_get(error, "code")) &&
		       json_is_string(json_object_get(error, "message")));
	json_decref(json);
	mem_free(reply);
	return 0;
}
