/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - "xdc user add": who may use CIM. It writes the file that xdcd --users reads; no system is asked. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "face/cim/users.h"

static const char help[] =
	"usage: xdc user add NAME --role ROLE --users FILE [--password-file FILE]\n\n"
	"Adds a user to the file that xdcd --users names, or gives one a new role and password. ROLE is reader,\n"
	"operator or admin. The password is asked for at a terminal, else the first line of the standard input,\n"
	"or of --password-file.\n";

struct wanted {
	const char *name, *role, *users, *password_file;
};

static enum cli_exit bad_usage(const char *what, const char *why)
{
	cli_complain(FAULT_INVALID_PARAMETER, what, "xdc user --help", "%s", why);
	return CLI_BAD_USAGE;
}

static enum cli_exit refuse(const char *what, int error)
{
	cli_complain(FAULT_FAILED, what, "", "%s", strerrordesc_np(error));
	return CLI_REFUSED;
}

static bool parse_words(const struct cli_options *options, struct wanted *wanted)
{
	for (unsigned i = 2; i < options->word_count; i++) {
		const char *word = options->words[i],
			   *value = i + 1 < options->word_count ? options->words[i + 1] : NULL;
		const char **place = !strcmp(word, "--role") ? &wanted->role : !strcmp(word, "--users") ?
				     &wanted->users : !strcmp(word, "--password-file") ? &wanted->password_file : NULL;

		if (place && value) {
			*place = value;
			i++;
		} else if (!place && *word != '-' && !wanted->name) {
			wanted->name = word;
		} else {
			return false;
		}
	}
	return wanted->name && wanted->role && wanted->users;
}

int cli_read_password(const char *path, char password[CIM_PASSWORD_MAX])
{
	FILE *from = path ? fopen(path, "re") : stdin;
	bool hidden = !path && isatty(STDIN_FILENO);
	struct termios shown, quiet;
	char *got;

	if (!from)
		return errno;
	if (hidden && tcgetattr(STDIN_FILENO, &shown) == 0) {
		quiet = shown;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs("password: ", stderr);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	} else {
		hidden = false;
	}
	got = fgets(password, (int)CIM_PASSWORD_MAX, from);
	if (hidden) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
		fputc('\n', stderr);
	}
	if (path)
		fclose(from);
	if (!got)
		return ENODATA;
	if (!strchr(password, '\n') && strlen(password) == CIM_PASSWORD_MAX - 1)
		return EOVERFLOW;
	password[strcspn(password, "\r\n")] = '\0';
	return *password ? 0 : ENODATA;
}

/* All lines but the user's, and then its own. */
static void copy_others(FILE *from, FILE *to, const char *name)
{
	size_t len = strlen(name), room = 0;
	char *line = NULL;

	while (getline(&line, &room, from) > 0) {
		bool whole = line[strlen(line) - 1] == '\n';

		if (strncmp(line, name, len) != 0 || line[len] != ':')
			fprintf(to, "%s%s", line, whole ? "" : "\n");
	}
	free(line);
}

static int write_file(const struct wanted *wanted, const char *hash, const char *path_new)
{
	int fd = open(path_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), error = 0;
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w"), *from;

	if (!to)
		return errno;
	from = fopen(wanted->users, "re");
	if (!from && errno != ENOENT)
		error = errno;
	if (from) {
		copy_others(from, to, wanted->name);
		fclose(from);
	}
	fprintf(to, "%s:%s:%s\n", wanted->name, wanted->role, hash);
	if (!error && (fflush(to) != 0 || fsync(fd) != 0))
		error = errno;
	if (fclose(to) != 0 && !error)
		error = errno;
	if (!error && rename(path_new, wanted->users) != 0)
		error = errno;
	if (error)
		unlink(path_new);
	return error;
}

static enum cli_exit add(const struct wanted *wanted)
{
	char password[CIM_PASSWORD_MAX], hash[CIM_HASH_MAX], path_new[4096];
	int error = cli_read_password(wanted->password_file, password);

	if (error)
		return refuse("password", error);
	if (cim_password_hash(password, hash) != 0)
		return refuse("password", EIO);
	if (snprintf(path_new, sizeof(path_new), "%s.new", wanted->users) >= (int)sizeof(path_new))
		return refuse(wanted->users, ENAMETOOLONG);
	error = write_file(wanted, hash, path_new);
	return error ? refuse(wanted->users, error) : CLI_DONE;
}

enum cli_exit cli_user(const struct cli_options *options)
{
	const char *verb = options->word_count > 1 ? options->words[1] : NULL, *wrong;
	struct wanted wanted = { 0 };
	enum op_role role;

	if (options->help) {
		fputs(help, stdout);
		return CLI_DONE;
	}
	if (!verb || strcmp(verb, "add") != 0)
		return bad_usage("user", "its one verb is add");
	if (!parse_words(options, &wanted))
		return bad_usage("user", "it is: xdc user add NAME --role ROLE --users FILE");
	wrong = cim_user_check_name(wanted.name);
	if (wrong)
		return bad_usage(wanted.name, wrong);
	if (cim_role_find(wanted.role, &role) != 0)
		return bad_usage(wanted.role, "a role is reader, operator or admin");
	return add(&wanted);
}
