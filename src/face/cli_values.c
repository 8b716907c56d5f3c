/* SPDX-License-Identifier: Apache-2.0 */
/* What the functions that carry requests out use: the values that were given, and values as JSON. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "control/parse.h"
#include "face/cli_private.h"
#include "rt/mem.h"
#include "rt/utf8.h"

unsigned cli_count(const struct cli_request *request, const char *name, const struct arg_value **values)
{
	int index = operation_arg_find(request->operation, name);

	assert(index >= 0);
	*values = request->given.values[index];
	return request->given.count[index];
}

const struct arg_value *cli_value(const struct cli_request *request, const char *name)
{
	const struct arg_value *values;

	return cli_count(request, name, &values) ? values : NULL;
}

bool cli_given(const struct cli_request *request, const char *name)
{
	return cli_value(request, name) != NULL;
}

const char *cli_text(const struct cli_request *request, const char *name)
{
	const struct arg_value *value = cli_value(request, name);

	return value ? value->text : NULL;
}

uint64_t cli_number(const struct cli_request *request, const char *name)
{
	const struct arg_value *value = cli_value(request, name);

	return value ? value->number : 0;
}

int cli_out_of_memory(struct fault *fault)
{
	return fault_set(fault, FAULT_FAILED, "", "try again", "out of memory");
}

int cli_answer(json_t *json, json_t **result, struct fault *fault)
{
	if (!json)
		return cli_out_of_memory(fault);
	*result = json;
	return 0;
}

void cli_append(json_t **list, json_t *item)
{
	/* Takes the item over, also when it fails. */
	if (*list && json_array_append_new(*list, item) == 0)
		return;
	if (!*list)
		json_decref(item);
	json_decref(*list);
	*list = NULL;
}

json_t *cli_hex(unsigned number, unsigned digits)
{
	return json_sprintf("%0*X", (int)digits, number);
}

json_t *cli_wall(int64_t wall_ns)
{
	char text[FORMAT_MAX];

	if (!wall_ns)
		return json_null();
	format_wall(wall_ns, text);
	return json_string(text);
}

json_t *cli_bytes(const uint8_t *bytes, unsigned count)
{
	char text[65];

	assert(2 * count < sizeof(text));
	for (unsigned i = 0; i < count; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

json_t *cli_uuid(const uint8_t uuid[16])
{
	char text[FORMAT_UUID_MAX];

	format_uuid(uuid, text);
	return json_string(text);
}

json_t *cli_text_or_null(const char *text)
{
	MEM_OWNED char *repaired = NULL;

	if (!text || !*text)
		return json_null();
	if (utf8_is_valid(text))
		return json_string(text);
	/* Cut within a letter, or from elsewhere: it must not cost the whole answer. */
	repaired = mem_copy_string(text);
	if (!repaired)
		return NULL;
	utf8_repair(repaired);
	return json_string(repaired);
}

json_t *cli_errno(int error)
{
	const char *why = error ? strerrordesc_np(-error) : NULL;

	return error ? json_string(why ? why : "unknown error") : json_null();
}

json_t *cli_known(bool is_known, int64_t number)
{
	return is_known ? json_integer(number) : json_null();
}
