/* SPDX-License-Identifier: Apache-2.0 */
/* Views that go on: the live view of a session, progress of a copy. They ask again and again. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/parse.h"

#define ASK_EVERY_MS	500
#define BAR_WIDTH	40u
#define BAR_WIDTH_MIN	5u
#define BLOCK_BYTES	4096

static void pause_ms(long ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "-";
}

/* ---- pairs: a bar ---- */

/* What the terminal has left beside the other text, so that the line can be printed over. */
static unsigned bar_width(unsigned columns, size_t others)
{
	if (!columns || columns >= others + BAR_WIDTH)
		return BAR_WIDTH;
	return columns > others + BAR_WIDTH_MIN ? columns - (unsigned)others : BAR_WIDTH_MIN;
}

static void print_bar(const json_t *pair, const char *end)
{
	json_int_t size = number(pair, "size_bytes"), unsent = number(pair, "unsent_blocks") * BLOCK_BYTES;
	unsigned per_mille, width, columns = cli_terminal_columns();
	char bar[BAR_WIDTH + 1], left[100], right[100];

	if (unsent > size)
		unsent = size;
	per_mille = size ? (unsigned)((double)(size - unsent) * 1000 / (double)size) : 1000;
	snprintf(left, sizeof(left), "%s -> %s %s", text_of(pair, "volume"), text_of(pair, "system"),
		 text_of(pair, "remote_volume"));
	snprintf(right, sizeof(right), "%3u.%u %%  %s", per_mille / 10, per_mille % 10, text_of(pair, "state"));
	width = bar_width(columns, strlen(left) + strlen(right) + strlen(end) + 4);
	memset(bar, ' ', width);
	memset(bar, '#', per_mille * width / 1000);
	bar[width] = '\0';
	printf("%s [%s] %s%s", left, bar, right, end);
	fflush(stdout);
}

/* ---- sessions: a page ---- */

static void print_failure(const json_t *session, const char *key, const char *title)
{
	const json_t *failure = json_object_get(session, key);

	if (json_is_object(failure))
		printf("%-16s %s in %s, %s, attempt %lld, %s\n", title, text_of(failure, "reason"),
		       text_of(failure, "phase"), text_of(failure, "system"), (long long)number(failure, "sequence"),
		       text_of(failure, "at"));
}

static void print_problems(const json_t *session)
{
	const json_t *problem;
	size_t i;

	json_array_foreach(json_object_get(session, "problems"), i, problem) {
		const char *volume = json_string_value(json_object_get(problem, "volume"));

		printf("%-16s %s %s since %s: %s\n%-16s try: %s\n", "problem", text_of(problem, "kind"),
		       volume ? volume : text_of(problem, "system"), text_of(problem, "since"),
		       text_of(problem, "reason"), "", text_of(problem, "remedy"));
	}
}

static void print_line(const char *title, const json_t *session, const char *key, const char *key2)
{
	char value[64], value2[64] = "";

	cli_format_value(key, json_object_get(session, key), value, sizeof(value));
	if (key2)
		cli_format_value(key2, json_object_get(session, key2), value2, sizeof(value2));
	printf("%-16s %s%s%s\n", title, value, key2 ? " / " : "", value2);
}

static void print_session(const json_t *session)
{
	printf("session %lld (%s)   master %s\n\n", (long long)number(session, "session"), text_of(session, "role"),
	       text_of(session, "master"));
	printf("%-16s %s, %s since %s%s%s\n", "state", text_of(session, "state"), text_of(session, "phase"),
	       text_of(session, "phase_since"), json_is_string(json_object_get(session, "waiting_for")) ?
	       ", waiting for " : "", json_is_string(json_object_get(session, "waiting_for")) ?
	       text_of(session, "waiting_for") : "");
	print_line("sequence", session, "sequence", NULL);
	print_line("RPO", session, "rpo_ms", NULL);
	print_line("out of sync", session, "out_of_sync_blocks", NULL);
	print_line("hold p99 / max", session, "hold_us_p99", "hold_us_max");
	print_line("good / failed", session, "cg_good", "cg_failed");
	print_line("volumes / in CG", session, "volume_count", "joined_count");
	print_problems(session);
	print_failure(session, "last_failure", "last failure");
	print_failure(session, "previous_failure", "the one before");
	print_failure(session, "first_failure", "first failure");
}

static void print_session_line(const json_t *session)
{
	char sequence[64], rpo[64], behind[64];

	cli_format_value("sequence", json_object_get(session, "sequence"), sequence, sizeof(sequence));
	cli_format_value("rpo_ms", json_object_get(session, "rpo_ms"), rpo, sizeof(rpo));
	cli_format_value("_blocks", json_object_get(session, "out_of_sync_blocks"), behind, sizeof(behind));
	printf("session %lld %s %s sequence %s rpo %s out of sync %s good %lld failed %lld\n",
	       (long long)number(session, "session"), text_of(session, "state"), text_of(session, "phase"),
	       sequence, rpo, behind,
	       (long long)number(session, "cg_good"), (long long)number(session, "cg_failed"));
}

static void show(const struct operation *operation, const json_t *result, bool json, bool terminal)
{
	if (json) {
		json_dumpf(result, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!strcmp(operation->noun, "pair")) {
		print_bar(result, terminal ? "   \r" : "\n");
	} else if (terminal) {
		/* From the top of a cleared screen. */
		fputs("\033[H\033[J", stdout);
		print_session(result);
	} else {
		print_session_line(result);
	}
	fflush(stdout);
}

enum cli_exit cli_watch(struct cli_connection *connection, const struct operation *operation, json_t *args, bool json)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (;;) {
		json_t *reply = cli_ask(connection, operation, args);
		const json_t *result = json_object_get(reply, "result");

		if (!reply)
			return CLI_REFUSED;
		if (!json_is_true(json_object_get(reply, "ok"))) {
			cli_print_error(json_object_get(reply, "error"));
			json_decref(reply);
			return CLI_REFUSED;
		}
		show(operation, result, json, terminal);
		json_decref(reply);
		pause_ms(ASK_EVERY_MS);
	}
}

/* ---- a recovery that has much to bring into the volumes ---- */

struct recovery {
	const char *control;
	json_t *args;
	bool shown;
};

static void show_unapplied(void *arg)
{
	struct recovery *recovery = arg;
	json_t *args = json_pack("{s:O}", "session", json_object_get(recovery->args, "session"));
	struct cli_connection *connection = cli_connect(recovery->control);
	json_t *reply = connection ? cli_ask(connection, operation_find("session", "show"), args) : NULL;
	const json_t *left = json_object_get(json_object_get(reply, "result"), "unapplied_bytes");
	char text[64];

	cli_format_value("unapplied_bytes", left, text, sizeof(text));
	if (json_is_integer(left))
		fprintf(stderr, "\rto be brought into the volumes here: %s   ", text);
	recovery->shown = true;
	json_decref(reply);
	json_decref(args);
	if (connection)
		cli_disconnect(connection);
}

json_t *cli_ask_recovery(struct cli_connection *connection, const struct operation *operation, json_t *args)
{
	struct recovery recovery = { .control = cli_control_of(connection), .args = args };
	json_t *reply = cli_ask_ticking(connection, operation, args, show_unapplied, &recovery);

	if (recovery.shown)
		fputc('\n', stderr);
	return reply;
}

/* What the first copy of this pair has come to: *done, or the exit code when it will not get any further. */
static enum cli_exit judge_copy(const json_t *pair, bool *done)
{
	char object[32], remedy[48];

	*done = json_is_true(json_object_get(pair, "first_copy_done"));
	if (*done || strcmp(text_of(pair, "state"), "suspended") || !strcmp(text_of(pair, "reason"), "link"))
		return CLI_DONE;
	snprintf(object, sizeof(object), "volume %s", text_of(pair, "volume"));
	snprintf(remedy, sizeof(remedy), "xdc pair show %s", text_of(pair, "volume"));
	cli_complain(FAULT_FAILED, object, remedy, "the copy is suspended: %s", text_of(pair, "reason"));
	return CLI_REFUSED;
}

enum cli_exit cli_wait_first_copy(struct cli_connection *connection, const char *volume, const char *system,
				  bool json)
{
	const struct operation *operation = operation_find("pair", "show");
	json_t *args = json_pack("{s:s, s:s}", "volume", volume, "to", system);
	enum cli_exit code = CLI_DONE;
	bool done = false;

	while (!done && code == CLI_DONE) {
		json_t *reply = cli_ask(connection, operation, args);
		const json_t *pair = json_object_get(reply, "result");

		if (json_is_true(json_object_get(reply, "ok"))) {
			code = judge_copy(pair, &done);
			if (json && done)
				cli_print_json(stdout, pair);
			else if (!json && (done || isatty(STDOUT_FILENO)))
				print_bar(pair, done ? "   \n" : "   \r");
		} else {
			if (reply)
				cli_print_error(json_object_get(reply, "error"));
			code = CLI_REFUSED;
		}
		json_decref(reply);
		if (!done && code == CLI_DONE)
			pause_ms(ASK_EVERY_MS);
	}
	json_decref(args);
	return code;
}
