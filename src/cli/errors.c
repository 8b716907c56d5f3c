/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
#include "rt/utf8.h"

static bool as_json;

void cli_errors_as_json(void)
{
	as_json = true;
}

void cli_print_error(const json_t *error)
{
	const char *object = json_string_value(json_object_get(error, "object"));
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *remedy = json_string_value(json_object_get(error, "remedy"));

	if (as_json) {
		cli_print_json(stderr, error);
		return;
	}
	fprintf(stderr, "xdc: %s%s%s\n", object ? object : "", object ? ": " : "", message ? message : "it failed");
	if (remedy)
		fprintf(stderr, "try: %s\n", remedy);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

void cli_complain(enum fault_code code, const char *object, const char *remedy, const char *format, ...)
{
	char message[1024];
	json_t *error;
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	/* What people typed need not be UTF-8, and no JSON can be made of that. */
	utf8_repair(message);
	error = json_pack("{s:i, s:s, s:o, s:o, s:n}", "code", code, "message", message,
			  "object", text_or_null(object), "remedy", text_or_null(remedy), "nearest_bytes");
	cli_print_error(error);
	json_decref(error);
}
