/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h - the parts of the program xdc. It translates: arguments into a request by the table of operations, the reply
 * into tables for people or JSON for programs. It decides nothing. One thread, blocking calls.
 */
#ifndef XDC_CLI_CLI_H
#define XDC_CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>

#include "control/operations.h"
#include "face/cim/users.h"
#include "rt/fault.h"

/* Exit codes. */
enum cli_exit { CLI_DONE = 0, CLI_REFUSED = 1, CLI_BAD_USAGE = 2 };

#define CLI_WORDS_MAX	600u

struct cli_options {
	const char *control;		/* unix:PATH; NULL: not given */
	bool json, help, version;
	unsigned word_count;
	const char *words[CLI_WORDS_MAX];	/* all other arguments */
};

/*
 * ---- errors (errors.c), on stderr: two lines for people, for programs an object like the system's own errors ----
 */

/* From here on errors are for programs. */
void cli_errors_as_json(void);

/* object and remedy may be empty. */
__attribute__((format(printf, 4, 5)))
void cli_complain(enum fault_code code, const char *object, const char *remedy, const char *format, ...);

/* An error that the system has sent. */
void cli_print_error(const json_t *error);

/* ---- arguments (arguments.c) ---- */

/* Takes out what every command knows. False after a message: bad usage. */
bool cli_split_options(int argc, char **argv, struct cli_options *options);

/*
 * The request for the words behind noun and verb: args in *args (a new reference), flags of the client in
 * *client_flags (bit i: the i-th argument of the operation). False after a message: bad usage.
 */
bool cli_parse_request(const struct operation *operation, const char *const *words, unsigned count, json_t **args,
		       unsigned *client_flags);

/* ---- help (help.c) ---- */
void cli_help_all(FILE *out);
bool cli_help_noun(FILE *out, const char *noun);	/* false: there is no such noun */
void cli_help_operation(FILE *out, const struct operation *operation);
void cli_completion_bash(FILE *out);

/* A name of the table that was perhaps meant, or NULL. */
const char *cli_guess_noun(const char *text);
const char *cli_guess_verb(const char *noun, const char *text);
const char *cli_guess_option(const struct operation *operation, const char *text);

/* ---- the classes of CIM (cim.c) ---- */
enum cli_exit cli_cim(const struct cli_options *options);

/* The same of its verb call (cim_call.c), which asks a system over HTTP. */
enum cli_exit cli_cim_call(const struct cli_options *options);

/* xdc user (user.c): who may use CIM, of which no system is asked. */
enum cli_exit cli_user(const struct cli_options *options);

/*
 * The first line of the file at path, or (NULL) of the standard input; what is typed at a terminal is not shown. 0 or
 * an errno.
 */
int cli_read_password(const char *path, char password[CIM_PASSWORD_MAX]);

/* ---- talking to the system (connection.c) ---- */
struct cli_connection;

/* NULL after a message. */
struct cli_connection *cli_connect(const char *control);
void cli_disconnect(struct cli_connection *connection);

/* The control socket that it was made to. */
const char *cli_control_of(const struct cli_connection *connection);

/*
 * Asks; args may be NULL. The whole reply, {"ok": ...}, as a new reference; NULL after a message when the system is
 * not to be reached.
 */
json_t *cli_ask(struct cli_connection *connection, const struct operation *operation, json_t *args);

/* The same, and calls tick(arg) each second as long as there is no answer. NULL: it does not. */
json_t *cli_ask_ticking(struct cli_connection *connection, const struct operation *operation, json_t *args,
			void (*tick)(void *arg), void *arg);

/* The same without a message. */
struct cli_connection *cli_try_connect(const char *control);
json_t *cli_try_ask(struct cli_connection *connection, const struct operation *operation, json_t *args);

/* ---- printing (print.c) ---- */
void cli_print_json(FILE *out, const json_t *value);
void cli_print_object(FILE *out, const json_t *object);
void cli_print_list(FILE *out, const struct operation *operation, const json_t *list);

/* Columns of the terminal that stdout is; 0: it is none, or does not say. */
unsigned cli_terminal_columns(void);

/* One value as people read it, by the unit in the name of its key; text gets size characters. */
void cli_format_value(const char *key, const json_t *value, char *text, size_t size);

/* ---- views that go on (watch.c) ---- */

/* pair show --watch, session show --watch: until Ctrl-C or an error. */
enum cli_exit cli_watch(struct cli_connection *connection, const struct operation *operation, json_t *args, bool json);

/*
 * pair create --wait: until the first copy of this volume is done, or cannot go on. A bar for people; for programs
 * the pair as it is at the end.
 */
enum cli_exit cli_wait_first_copy(struct cli_connection *connection, const char *volume, const char *system,
				  bool json);

/*
 * Until the job of this number has ended (wait.c), with a line of progress on stderr for people; for programs the job
 * as it ended. One that did not complete is an error.
 */
enum cli_exit cli_wait_job(struct cli_connection *connection, const char *number, bool json);

/* events --follow (follow.c): until Ctrl-C, an error, or nobody reads any more; one event is one line. */
enum cli_exit cli_follow(struct cli_connection *connection, const struct operation *operation, json_t *args, bool json);
void cli_print_event(FILE *out, const json_t *event, bool json);

/* session recover, at a terminal: shows how much is still to be brought into the volumes of this system. */
json_t *cli_ask_recovery(struct cli_connection *connection, const struct operation *operation, json_t *args);

#endif
