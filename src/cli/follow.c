/* SPDX-License-Identifier: Apache-2.0 */
/* events --follow: what happens, a line each, also over a restart of the system. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#define WAIT		"30s"	/* of one request: as long as nothing happens */
#define SHOWN_FIRST	10u	/* of those that have happened before */

void cli_print_event(FILE *out, const json_t *event, bool json)
{
	const char *remedy = json_string_value(json_object_get(event, "remedy"));

	if (json) {
		json_dumpf(event, out, JSON_COMPACT);
		fputc('\n', out);
		return;
	}
	fprintf(out, "%s  %lld  %-7s  %s  %s: %s%s%s\n", json_string_value(json_object_get(event, "at")),
		(long long)json_integer_value(json_object_get(event, "event")),
		json_string_value(json_object_get(event, "level")), json_string_value(json_object_get(event, "kind")),
		json_string_value(json_object_get(event, "object")), json_string_value(json_object_get(event, "text")),
		remedy ? "; try: " : "", remedy ? remedy : "");
}

struct follower {
	const char *control;
	struct cli_connection *connection;	/* NULL: the system is not there */
	const struct operation *operation;
	json_t *args;
	json_int_t last;			/* that was shown or passed over; -1: none yet */
	bool json, all_levels;
};

/* A number is missing only where events were lost: by a crash, or since they are too old. */
static void note_gap(const struct follower *follower, json_int_t next)
{
	if (follower->last > 0 && next > follower->last + 1 && follower->all_levels)
		fprintf(stderr, "xdc: events %lld to %lld are missing: taken by a crash, or too old to be kept\n",
			(long long)follower->last + 1, (long long)next - 1);
}

static bool show(struct follower *follower, const json_t *events)
{
	size_t count = json_array_size(events);
	size_t first = follower->last < 0 && count > SHOWN_FIRST ? count - SHOWN_FIRST : 0;

	if (follower->last < 0)
		follower->last = 0;
	for (size_t i = first; i < count; i++) {
		const json_t *event = json_array_get(events, i);
		json_int_t number = json_integer_value(json_object_get(event, "event"));

		note_gap(follower, number);
		cli_print_event(stdout, event, follower->json);
		follower->last = number;
	}
	return fflush(stdout) == 0;
}

/* Until the system is there again. */
static void reconnect(struct follower *follower)
{
	const struct timespec pause = { .tv_sec = 1 };

	fprintf(stderr, "xdc: the system at %s is gone; waiting for its return\n", follower->control);
	while (!(follower->connection = cli_try_connect(follower->control)))
		nanosleep(&pause, NULL);
	fprintf(stderr, "xdc: the system at %s is back\n", follower->control);
}

/* One request: its events, or what ends the command. */
static enum cli_exit ask(struct follower *follower, bool *goes_on)
{
	json_t *reply = cli_try_ask(follower->connection, follower->operation, follower->args);
	enum cli_exit code = CLI_DONE;

	*goes_on = true;
	if (!reply) {
		cli_disconnect(follower->connection);
		follower->connection = NULL;
	} else if (!json_is_true(json_object_get(reply, "ok"))) {
		cli_print_error(json_object_get(reply, "error"));
		*goes_on = false;
		code = CLI_REFUSED;
	} else {
		*goes_on = show(follower, json_object_get(reply, "result"));
		json_object_set_new(follower->args, "since", json_sprintf("%lld", (long long)follower->last));
		json_object_set_new(follower->args, "wait", json_string(WAIT));
	}
	json_decref(reply);
	return code;
}

enum cli_exit cli_follow(struct cli_connection *connection, const struct operation *operation, json_t *args, bool json)
{
	const char *level = json_string_value(json_object_get(args, "level"));
	struct follower follower = {
		.control = cli_control_of(connection), .operation = operation, .args = args, .json = json,
		.last = json_object_get(args, "since") ? 0 : -1,
		.all_levels = !level || !strcmp(level, "info"),
	};
	enum cli_exit code = CLI_DONE;
	bool goes_on = true;

	/* The connection stays that of the caller: this needs others after a restart. */
	while (goes_on) {
		if (!follower.connection && !(follower.connection = cli_try_connect(follower.control)))
			reconnect(&follower);
		code = ask(&follower, &goes_on);
	}
	if (follower.connection)
		cli_disconnect(follower.connection);
	return code;
}
