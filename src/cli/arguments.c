/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "control/parse.h"

/* ---- what every command knows ---- */

/* The value of option argv[*i], in the same word behind '=' or in the next one. False after a message. */
static bool take_value(int argc, char **argv, int *i, const char *name, const char **value)
{
	const char *equals = strchr(argv[*i], '=');

	if (equals) {
		*value = equals + 1;
		return true;
	}
	if (*i + 1 == argc) {
		cli_complain(FAULT_INVALID_PARAMETER, "", "xdc --help", "--%s needs a value", name);
		return false;
	}
	*value = argv[++*i];
	return true;
}

static bool is_option(const char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, "--", 2) && !strncmp(word + 2, name, len) && (!word[len + 2] || word[len + 2] == '=');
}

bool cli_split_options(int argc, char **argv, struct cli_options *options)
{
	bool all_words = false;

	/* Also for what is wrong before it. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--json"))
			cli_errors_as_json();
	for (int i = 1; i < argc; i++) {
		if (!all_words && is_option(argv[i], "control")) {
			if (!take_value(argc, argv, &i, "control", &options->control))
				return false;
		} else if (!all_words && !strcmp(argv[i], "--json")) {
			options->json = true;
		} else if (!all_words && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			options->help = true;
		} else if (!all_words && !strcmp(argv[i], "--version")) {
			options->version = true;
		} else if (options->word_count == CLI_WORDS_MAX) {
			cli_complain(FAULT_INVALID_PARAMETER, "", "xdc --help", "too many arguments");
			return false;
		} else {
			all_words |= !strcmp(argv[i], "--");
			options->words[options->word_count++] = argv[i];
		}
	}
	return true;
}

/* ---- the arguments of one operation ---- */

struct request {
	const struct operation *operation;
	char command[32];		/* noun and verb */
	json_t *args;
	unsigned client_flags;
	unsigned given;			/* bit i: argument i has a value */
};

static bool bad(const struct request *request, const char *argument, const char *what)
{
	char remedy[64];

	snprintf(remedy, sizeof(remedy), "xdc %s --help", request->command);
	cli_complain(FAULT_INVALID_PARAMETER, request->command, remedy, "%s%s%s", argument, *argument ? ": " : "",
		     what);
	return false;
}

/* People are in a folder; the system is not. */
static const char *make_absolute(const char *path, char *out, size_t out_size)
{
	char folder[PATH_MAX];

	if (path[0] == '/' || !*path || !getcwd(folder, sizeof(folder)))
		return path;
	snprintf(out, out_size, "%s/%s", folder, path);
	return out;
}

/* how names the argument in messages: "--size 10X", "volume". */
static bool add_value(struct request *request, unsigned index, const char *text, const char *how)
{
	const struct op_arg *arg = &request->operation->args[index];
	struct arg_value value;
	char path[2 * PATH_MAX], name[OP_NAME_MAX];
	const char *wrong;
	json_t *list;

	if (arg->kind == ARG_PATH)
		text = make_absolute(text, path, sizeof(path));
	wrong = arg_parse(arg->kind, text, &value);
	if (wrong)
		return bad(request, how, wrong);
	if (request->given & 1u << index && !(arg->use & USE_REPEATED))
		return bad(request, how, "it is given twice");
	request->given |= 1u << index;
	operation_arg_json_name(arg, name);
	if (!(arg->use & USE_REPEATED)) {
		json_object_set_new(request->args, name, json_string(text));
		return true;
	}
	list = json_object_get(request->args, name);
	if (!list) {
		list = json_array();
		json_object_set_new(request->args, name, list);
	}
	json_array_append_new(list, json_string(text));
	return true;
}

static bool set_flag(struct request *request, unsigned index)
{
	const struct op_arg *arg = &request->operation->args[index];
	char name[OP_NAME_MAX];

	request->given |= 1u << index;
	operation_arg_json_name(arg, name);
	if (arg->use & USE_CLIENT)
		request->client_flags |= 1u << index;
	else
		json_object_set_new(request->args, name, json_true());
	return true;
}

/* words[*i] begins with "--"; *i moves over its value. */
static bool add_option(struct request *request, const char *const *words, unsigned count, unsigned *i)
{
	const char *word = words[*i] + 2, *equals = strchr(word, '='), *text, *guess;
	size_t len = equals ? (size_t)(equals - word) : strlen(word);
	const struct op_arg *arg;
	char name[32], how[200];
	int index;

	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	index = operation_arg_find(request->operation, name);
	if (index < 0 || request->operation->args[index].use & USE_POSITION) {
		guess = cli_guess_option(request->operation, name);
		snprintf(how, sizeof(how), "there is no option --%s%s%s%s", name, guess ? "; did you mean --" : "",
			 guess ? guess : "", guess ? "?" : "");
		return bad(request, "", how);
	}
	arg = &request->operation->args[index];
	snprintf(how, sizeof(how), "--%s", arg->name);
	if (arg->kind == ARG_FLAG)
		return equals ? bad(request, how, "it takes no value") : set_flag(request, (unsigned)index);
	if (!equals && *i + 1 == count)
		return bad(request, how, "it needs a value");
	text = equals ? equals + 1 : words[++*i];
	snprintf(how, sizeof(how), "--%s %.100s", arg->name, *text ? text : "''");
	return add_value(request, (unsigned)index, text, how);
}

/* The argument that the next word without -- is for; count when there is none. */
static unsigned next_position(const struct request *request, unsigned count)
{
	unsigned i = 0;

	for (; i < count; i++) {
		const struct op_arg *arg = &request->operation->args[i];

		if (arg->use & USE_POSITION && (!(request->given & 1u << i) || arg->use & USE_REPEATED))
			break;
	}
	return i;
}

static bool check_missing(const struct request *request, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct op_arg *arg = &request->operation->args[i];
		char how[64];

		snprintf(how, sizeof(how), "%s%s", arg->use & USE_POSITION ? "" : "--", arg->name);
		if (arg->use & USE_REQUIRED && !(request->given & 1u << i))
			return bad(request, how, "it is missing");
	}
	return true;
}

/* All values once more, those of an argument together, at *values, which moves behind them. */
static void gather_values(const struct request *request, unsigned index, struct op_given *given,
			  struct arg_value **values)
{
	const struct op_arg *arg = &request->operation->args[index];
	char name[OP_NAME_MAX];
	const json_t *json;
	size_t count;

	operation_arg_json_name(arg, name);
	json = json_object_get(request->args, name);
	count = json_is_array(json) ? json_array_size(json) : json != NULL;
	given->count[index] = (unsigned)count;
	given->values[index] = *values;
	for (size_t i = 0; i < count && arg->kind != ARG_FLAG; i++) {
		const json_t *item = json_is_array(json) ? json_array_get(json, i) : json;

		/* Each was good when it was taken in. */
		(void)arg_parse(arg->kind, json_string_value(item), *values + i);
	}
	*values += count;
}

static bool check_together(const struct request *request)
{
	struct arg_value values[CLI_WORDS_MAX], *next = values;
	struct op_given given = { 0 };
	struct fault fault;

	for (unsigned i = 0; i < operation_arg_count(request->operation); i++)
		gather_values(request, i, &given, &next);
	if (operation_check(request->operation, &given, &fault) == 0)
		return true;
	cli_complain(fault.code, request->command, fault.remedy, "%s: %s", fault.object, fault.message);
	return false;
}

static bool parse_words(struct request *request, const char *const *words, unsigned count)
{
	unsigned arg_count = operation_arg_count(request->operation), index;
	bool all_words = false;
	char how[200];

	for (unsigned i = 0; i < count; i++) {
		if (!all_words && !strcmp(words[i], "--")) {
			all_words = true;
		} else if (!all_words && words[i][0] == '-' && words[i][1]) {
			if (words[i][1] != '-')
				return bad(request, words[i], "options begin with --");
			if (!add_option(request, words, count, &i))
				return false;
		} else {
			index = next_position(request, arg_count);
			if (index == arg_count)
				return bad(request, words[i], "too many arguments");
			snprintf(how, sizeof(how), "%s %.100s", request->operation->args[index].name,
				 *words[i] ? words[i] : "''");
			if (!add_value(request, index, words[i], how))
				return false;
		}
	}
	return check_missing(request, arg_count) && check_together(request);
}

bool cli_parse_request(const struct operation *operation, const char *const *words, unsigned count, json_t **args,
		       unsigned *client_flags)
{
	struct request request = { .operation = operation, .args = json_object() };

	snprintf(request.command, sizeof(request.command), "%s %s", operation->noun, operation->verb);
	if (!parse_words(&request, words, count)) {
		json_decref(request.args);
		return false;
	}
	*args = request.args;
	*client_flags = request.client_flags;
	return true;
}
