/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for the end of a job, with a line of progress. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define ASK_EVERY_MS	500

static void print_progress(const json_t *job, bool terminal)
{
	const char *waits = json_string_value(json_object_get(job, "waiting_for"));
	char percent[32], done[32], total[32];
	const json_t *left = json_object_get(job, "percent");

	cli_format_value("percent", left, percent, sizeof(percent));
	cli_format_value("done_bytes", json_object_get(job, "done_bytes"), done, sizeof(done));
	cli_format_value("total_bytes", json_object_get(job, "total_bytes"), total, sizeof(total));
	fprintf(stderr, "job %lld  %s of %s: %s %%, %s of %s, %s%s%s%s",
		(long long)json_integer_value(json_object_get(job, "job")),
		json_string_value(json_object_get(job, "kind")), json_string_value(json_object_get(job, "object")),
		percent, done, total, json_string_value(json_object_get(job, "state")),
		waits ? ", waiting for " : "", waits ? waits : "", terminal ? "   \r" : "\n");
	fflush(stderr);
}

/* As it ended: its error becomes that of the command. */
static enum cli_exit judge(const json_t *job, bool json)
{
	const json_t *error = json_object_get(job, "error");
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *remedy = json_string_value(json_object_get(error, "remedy"));
	const char *state = json_string_value(json_object_get(job, "state"));

	if (json)
		cli_print_json(stdout, job);
	if (state && !strcmp(state, "completed"))
		return CLI_DONE;
	cli_complain((enum fault_code)json_integer_value(json_object_get(error, "code")),
		     json_string_value(json_object_get(job, "object")), remedy ? remedy : "", "the job ended as %s%s%s",
		     state ? state : "unknown", message ? ": " : "", message ? message : "");
	return CLI_REFUSED;
}

enum cli_exit cli_wait_job(struct cli_connection *connection, const char *number, bool json)
{
	const struct timespec pause = { .tv_nsec = ASK_EVERY_MS * 1000000L };
	const struct operation *operation = operation_find("job", "show");
	json_t *args = json_pack("{s:s}", "job", number);
	bool terminal = isatty(STDERR_FILENO), ended = false;
	enum cli_exit code = CLI_DONE;

	while (!ended && code == CLI_DONE) {
		json_t *reply = cli_ask(connection, operation, args);
		const json_t *job = json_object_get(reply, "result");

		if (!json_is_true(json_object_get(reply, "ok"))) {
			if (reply)
				cli_print_error(json_object_get(reply, "error"));
			code = CLI_REFUSED;
		} else {
			ended = json_is_string(json_object_get(job, "ended_at"));
			if (!json && (terminal || ended))
				print_progress(job, terminal && !ended);
			if (ended)
				code = judge(job, json);
		}
		json_decref(reply);
		if (!ended && code == CLI_DONE)
			nanosleep(&pause, NULL);
	}
	json_decref(args);
	return code;
}
