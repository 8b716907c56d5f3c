/* SPDX-License-Identifier: Apache-2.0 */
/* xdc - the command line of a storage system: one command, one request, one answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/parse.h"

static enum cli_exit no_such(const char *what, const char *name, const char *guess, const char *help)
{
	char remedy[64];

	snprintf(remedy, sizeof(remedy), "xdc %s--help", help);
	cli_complain(FAULT_INVALID_PARAMETER, "", remedy, "there is no %s '%s'%s%s%s", what, name,
		     guess ? "; did you mean " : "", guess ? guess : "", guess ? "?" : "");
	return CLI_BAD_USAGE;
}

/* No verb, or one that does not exist. */
static enum cli_exit bad_verb(const char *noun, const char *verb)
{
	char help[64];

	if (!verb) {
		snprintf(help, sizeof(help), "xdc %.32s --help", noun);
		cli_complain(FAULT_INVALID_PARAMETER, noun, help, "what is to be done with it?");
		return CLI_BAD_USAGE;
	}
	snprintf(help, sizeof(help), "%.32s ", noun);
	return no_such("verb", verb, cli_guess_verb(noun, verb), help);
}

static bool is_noun(const char *word)
{
	for (unsigned i = 0; i < operation_noun_count; i++)
		if (!strcmp(operation_nouns[i].name, word))
			return true;
	return false;
}

/* The control socket that was named; NULL after a message. */
static const char *find_control(const struct cli_options *options)
{
	const char *control = options->control ? options->control : getenv("XDC_CONTROL");
	struct parsed_address address;
	const char *wrong;

	if (!control)
		cli_complain(FAULT_INVALID_PARAMETER, "", "give --control unix:PATH, or set XDC_CONTROL",
			     "which system?");
	else if (strncmp(control, "unix:", 5) != 0)
		cli_complain(FAULT_INVALID_PARAMETER, "", "xdc --help", "--control %s: it is unix:PATH", control);
	else if ((wrong = parse_address(control, &address)) != NULL)
		cli_complain(FAULT_INVALID_PARAMETER, "", "xdc --help", "--control %s: %s", control, wrong);
	else
		return control;
	return NULL;
}

static void print_result(const struct operation *operation, const json_t *result, bool json)
{
	const char *done = json_string_value(json_object_get(result, "done"));

	if (json)
		cli_print_json(stdout, result);
	else if (operation->answer == ANSWER_LIST)
		cli_print_list(stdout, operation, result);
	else if (operation->answer == ANSWER_OBJECT)
		cli_print_object(stdout, result);
	else if (done)
		printf("%s; next: %s\n", done, json_string_value(json_object_get(result, "next")));
}

/* Is the argument of this name among the flags of the client that were given? */
static bool has_flag(const struct operation *operation, unsigned client_flags, const char *name)
{
	int index = operation_arg_find(operation, name);

	return index >= 0 && client_flags & 1u << index;
}

static enum cli_exit ask_and_print(struct cli_connection *connection, const struct operation *operation, json_t *args,
				   bool json)
{
	bool recovers = !strcmp(operation->noun, "session") && !strcmp(operation->verb, "recover");
	json_t *reply = recovers && !json && isatty(STDERR_FILENO) ?
			cli_ask_recovery(connection, operation, args) : cli_ask(connection, operation, args);
	bool ok = json_is_true(json_object_get(reply, "ok"));

	if (ok)
		print_result(operation, json_object_get(reply, "result"), json);
	else if (reply && !ok)
		cli_print_error(json_object_get(reply, "error"));
	json_decref(reply);
	return ok ? CLI_DONE : CLI_REFUSED;
}

/*
 * --wait: what the command began has ended. Its result is of no interest yet, but the number of the job that it names.
 */
static enum cli_exit ask_and_wait(struct cli_connection *connection, const struct operation *operation, json_t *args,
				  bool json)
{
	const char *volume = json_string_value(json_object_get(args, "volume"));
	const char *system = json_string_value(json_object_get(args, "system"));
	json_t *reply = cli_ask(connection, operation, args);
	const json_t *job = json_object_get(json_object_get(reply, "result"), "job");
	enum cli_exit code = CLI_REFUSED;
	char number[24];

	if (json_is_true(json_object_get(reply, "ok"))) {
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(job));
		if (json_is_integer(job))
			code = cli_wait_job(connection, number, json);
		else if (volume && system)
			code = cli_wait_first_copy(connection, volume, system, json);
		else
			code = CLI_DONE;	/* it has ended already */
	} else if (reply) {
		cli_print_error(json_object_get(reply, "error"));
	}
	json_decref(reply);
	return code;
}

static enum cli_exit run_operation(const struct operation *operation, const struct cli_options *options)
{
	struct cli_connection *connection;
	const char *control;
	unsigned flags;
	enum cli_exit code;
	json_t *args;

	if (!cli_parse_request(operation, options->words + 2, options->word_count - 2, &args, &flags))
		return CLI_BAD_USAGE;
	control = find_control(options);
	connection = control ? cli_connect(control) : NULL;
	if (!connection) {
		json_decref(args);
		return control ? CLI_REFUSED : CLI_BAD_USAGE;
	}
	if (has_flag(operation, flags, "follow"))
		code = cli_follow(connection, operation, args, options->json);
	else if (has_flag(operation, flags, "watch"))
		code = cli_watch(connection, operation, args, options->json);
	else if (has_flag(operation, flags, "wait"))
		code = ask_and_wait(connection, operation, args, options->json);
	else
		code = ask_and_print(connection, operation, args, options->json);
	json_decref(args);
	cli_disconnect(connection);
	return code;
}

/* "xdc events --follow" is "xdc events list --follow". */
static void add_verb(struct cli_options *options)
{
	const char *verb = operation_noun_verb(options->words[0]);

	if (!verb || options->help || options->word_count == CLI_WORDS_MAX ||
	    (options->word_count > 1 && options->words[1][0] != '-'))
		return;
	memmove(options->words + 2, options->words + 1, (options->word_count - 1) * sizeof(options->words[0]));
	options->words[1] = verb;
	options->word_count++;
}

static enum cli_exit run_words(struct cli_options *options)
{
	const char *noun = options->words[0], *verb;
	const struct operation *operation;

	add_verb(options);
	verb = options->word_count > 1 ? options->words[1] : NULL;
	if (!strcmp(noun, "completion") && options->help) {
		puts("usage: xdc completion bash\n\nPrints completion for the shell; for this one: "
		     ". <(xdc completion bash)");
		return CLI_DONE;
	}
	if (!strcmp(noun, "completion")) {
		if (!verb || strcmp(verb, "bash"))
			return no_such("shell", verb ? verb : "", "bash", "");
		cli_completion_bash(stdout);
		return CLI_DONE;
	}
	if (!strcmp(noun, "cim"))
		return cli_cim(options);
	if (!strcmp(noun, "user"))
		return cli_user(options);
	if (*noun == '-' && noun[1])
		return no_such("option", noun, NULL, "");
	if (!is_noun(noun))
		return no_such("noun", noun, cli_guess_noun(noun), "");
	if (options->help && !verb)
		return cli_help_noun(stdout, noun) ? CLI_DONE : CLI_BAD_USAGE;
	operation = verb ? operation_find(noun, verb) : NULL;
	if (!operation)
		return bad_verb(noun, verb);
	if (options->help) {
		cli_help_operation(stdout, operation);
		return CLI_DONE;
	}
	return run_operation(operation, options);
}

static enum cli_exit run(int argc, char **argv)
{
	static struct cli_options options;

	if (!cli_split_options(argc, argv, &options))
		return CLI_BAD_USAGE;
	if (options.version) {
		puts("xdc " XDC_VERSION);
		return CLI_DONE;
	}
	/* "xdc help volume" is "xdc volume --help". */
	if (options.word_count && !strcmp(options.words[0], "help")) {
		options.help = true;
		memmove(options.words, options.words + 1, --options.word_count * sizeof(options.words[0]));
	}
	if (options.word_count)
		return run_words(&options);
	cli_help_all(options.help ? stdout : stderr);
	return options.help ? CLI_DONE : CLI_BAD_USAGE;
}

int main(int argc, char **argv)
{
	enum cli_exit code = run(argc, argv);

	/* What was not printed was not told: a script must not take half a list for the whole. */
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_DONE) {
		cli_complain(FAULT_FAILED, "", "make space where the output goes", "standard output cannot be written");
		return CLI_REFUSED;
	}
	return (int)code;
}
